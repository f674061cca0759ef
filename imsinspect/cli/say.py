"""One line on standard error."""

from __future__ import annotations

import contextlib
import sys


def say(message: str) -> None:
    """Write a line to standard error, safe for a terminal; a reader who has left is no reason to fail."""
    from imsinspect.report.escape import printable

    line = printable(message) + "\n"
    encoding = sys.stderr.encoding or "utf-8"
    with contextlib.suppress(OSError):
        sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()

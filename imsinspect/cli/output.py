"""Where the output of commands goes: a console for views, standard output for finished reports."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

STANDARD_INPUT = "-"
WIDTH_IN_A_PIPE = 100
NARROWEST, WIDEST = 40, 120


def console(*, to_file: bool = False) -> Console:
    """A console as wide and as colourful as what stands behind standard output (NO_COLOR and FORCE_COLOR respected)."""
    from rich.console import Console

    if to_file:
        return Console(width=WIDTH_IN_A_PIPE, color_system=None, force_terminal=False, highlight=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and columns.isascii() else 0
    if not width:
        try:
            width = os.get_terminal_size(sys.stdout.fileno()).columns
        except (OSError, ValueError):  # not a terminal, or no file at all
            width = WIDTH_IN_A_PIPE
    return Console(width=max(NARROWEST, min(width, WIDEST)), highlight=False)


def write(report: str) -> None:
    """All at once, so that a reader who leaves early (`| head`) does not change the exit status."""
    encoding = sys.stdout.encoding or "utf-8"
    safe = report.encode(encoding, "backslashreplace").decode(encoding)
    try:
        sys.stdout.write(safe)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_read(destination: Path, source: str) -> bool:
    """Whether a file that is there is the one that a source names, or that standard input was led from."""
    if source != STANDARD_INPUT:
        return destination.samefile(source)
    try:
        return os.path.samestat(destination.stat(), os.fstat(sys.stdin.buffer.fileno()))
    except (OSError, ValueError):  # no file of the system
        return False

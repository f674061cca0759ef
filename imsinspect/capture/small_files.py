"""Files of the user's that are read whole: keys, policies, baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.capture.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def read_whole(path: Path, what: str, most: int) -> bytes:
    """The octets of a file. Raises UsageError, which names it as `what`, where it can't be read or is longer."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{what} {path}: can't be read ({error.strerror})") from None
    if len(data) > most:
        raise UsageError(f"{what} {path}: longer than {most >> 20} MiB")
    return data

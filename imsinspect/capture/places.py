"""Where frames stand in the files of captures, and which files these are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from imsinspect.capture.errors import CaptureError
from imsinspect.capture.raw_frames import raw_frames
from imsinspect.capture.source import STANDARD_INPUT, open_capture

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(slots=True, frozen=True)
class FilePlaces:
    """A file, and the octets of some of its frames."""

    length: int
    sha256: str  # lower-case hexadecimal
    frames: dict[int, tuple[int, int]] = field(default_factory=dict)  # by number: offset and octets; empty: compressed


def file_places(path: str, frames: Collection[int]) -> FilePlaces | None:
    """Read a capture once more; None of a pipe, and where it can't be read."""
    place = Path(path)
    try:
        if path == STANDARD_INPUT or not place.is_file():
            return None
        with place.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        opened = open_capture(path)
        opened.close()
        found = {} if opened.compression or not frames else raw_frames(path, frames)
    except (OSError, ValueError, CaptureError):
        return None
    offsets = {number: (frame.offset, len(frame.octets)) for number, frame in found.items()}
    return FilePlaces(place.stat().st_size, digest, offsets)

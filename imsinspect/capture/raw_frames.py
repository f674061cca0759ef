"""Single frames of a capture, as they were captured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture.source import open_capture

if TYPE_CHECKING:
    from collections.abc import Iterable


class RawFrame(NamedTuple):
    """One frame."""

    number: int
    time: int  # nanoseconds since 1970
    link: int  # link-layer type
    original: int  # octets that were sent
    octets: bytes  # those that were captured, without a frame check sequence
    offset: int  # of the first of them in the file, or in what it decompresses to


def raw_frames(path: str, numbers: Iterable[int]) -> dict[int, RawFrame]:
    """The frames with these numbers that the capture has. Raises CaptureError when it can't be read."""
    wanted = np.array(sorted(set(numbers)), np.int64)
    found: dict[int, RawFrame] = {}
    opened = open_capture(path)
    try:
        windows, walk = opened.windows, opened.walk
        windows.consumed(walk.first)
        while len(found) < len(wanted):
            window = windows.next()
            for records in walk.records(window.data, window.at, window.end):
                for row in np.flatnonzero(np.isin(records.frames, wanted)).tolist():
                    begin = int(records.offsets[row]) + records.head
                    end = begin + max(0, int(records.captured[row]) - records.fcs)
                    number = int(records.frames[row])
                    octets = window.data[begin:end].tobytes()
                    found[number] = RawFrame(
                        number, int(records.when[row]), records.link, int(records.original[row]), octets,
                        windows.position - window.at + begin,
                    )  # fmt: skip
            if walk.oversize:
                windows.consumed(walk.oversize)
                walk.oversize = 0
                continue
            windows.consumed(walk.after - window.at)
            if window.final or walk.facts.damaged or walk.after == window.at:
                break
    finally:
        opened.close()
    return found

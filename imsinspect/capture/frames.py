"""Names of frames: one integer holds the capture and the frame number, so that columns can carry it."""

from __future__ import annotations

FRAME_BITS = 40
FRAME_MASK = (1 << FRAME_BITS) - 1

FrameId = int
"""A capture's index shifted by FRAME_BITS, plus the frame number as Wireshark counts it (from 1)."""


def frame_id(capture: int, frame: int) -> FrameId:
    """The name of a frame of the capture with that index in the trace."""
    return capture << FRAME_BITS | frame


def capture_index(frame: FrameId) -> int:
    """Index of the capture that a frame id belongs to."""
    return frame >> FRAME_BITS


def frame_number(frame: FrameId) -> int:
    """Frame number inside its capture, from 1."""
    return frame & FRAME_MASK

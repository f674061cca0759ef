"""Pieces of a byte stream or of a datagram flow, in order, each with the frame that brought it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId


@dataclass(slots=True, frozen=True)
class Chunk:
    """Bytes in stream order (TCP), or one datagram (UDP), with where they came from."""

    data: bytes
    frame: FrameId
    time: int  # nanoseconds since 1970
    forward: bool  # from the first endpoint of the flow (the TCP opener where that was seen)
    gap: int = 0  # octets missing before these in this direction; -1: unknown how many

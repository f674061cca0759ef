"""The packets of one stream as its proof takes them, and what may be spent on those that nothing verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.keys.trial import FEW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.capture.frames import FrameId
    from imsinspect.keys.trial import Try

DEPTH = 1 << 16  # rollover counters that are tried for a stream whose first does not fit: 2.7 years of speech
SEARCHES = 6_000_000  # rollover counters to be tried for all streams together
LEAST_DEPTH, FEW_GUESSES = 64, 3
SEARCHED_AT = (3, 15, 63, 255, 1023, 4095)  # packets in a row that failed before
PENDING = 64, 16  # packets at the begin of a stream that are kept until a key is found; where there are many streams


class Packets(NamedTuple):
    """The packets of one stream in a window, in the order of the capture."""

    data: bytes | memoryview
    starts: Sequence[int]
    ends: Sequence[int]
    frames: Sequence[FrameId]
    times: Sequence[int]
    extended: Sequence[int]  # sequence numbers, continuous within the window

    def packet(self, at: int) -> bytes:
        """The octets of one packet."""
        return bytes(self.data[self.starts[at] : self.ends[at]])

    def pick(self, which: Sequence[int]) -> Packets:
        """Some of them."""
        return Packets(self.data, *([each[at] for at in which] for each in self[1:]))


class Run(NamedTuple):
    """Packets that verified, for who looks for two under one keystream."""

    by: Try
    relation: str  # as they were counted
    packets: Packets
    first: int  # within them
    last: int
    move: int  # from the extended sequence numbers to the indices


class Late(NamedTuple):
    """A packet that is far behind the others; a second one in a row shows that the sender's counter went back."""

    at: int  # index
    packet: Packets
    move: int
    by: Try


class Effort:
    """What may be spent on streams that the likely keys do not verify: the same in one process as in two."""

    def __init__(self, subjects: int) -> None:
        self.depth = max(LEAST_DEPTH, min(DEPTH, SEARCHES // (len(SEARCHED_AT) * max(subjects, 1))))
        self.pending, self.guessed = (PENDING[0], LEAST_DEPTH) if subjects <= FEW else (PENDING[1], FEW_GUESSES)
        self.limited = False


def alone(packets: Packets, at: int) -> Packets:
    """One packet, with its octets kept."""
    octets = packets.packet(at)
    return Packets(octets, [0], [len(octets)], [packets.frames[at]], [packets.times[at]], [packets.extended[at]])

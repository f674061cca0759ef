"""Puts the fragments of BFCP messages over unreliable transports together (RFC 8855 §6.2.3).

Bounded in time, number and octets. Fragments may come in any order and more than once; of those that contradict each
other the one seen first is used, and the frame of the other is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.bfcp.framing import COMMON_HEADER, FRAGMENTED
from dissectors.bfcp.readings import common_header

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from dissectors.bfcp.framing import CommonHeader
    from imsinspect.capture.frames import FrameId

TIMEOUT = 10 * 10**9  # nanoseconds: the response retransmission timer T2 with the default T1 (RFC 8855 §8.3)
MAX_FRAGMENTS = 1_024  # of one message
MAX_HELD = 16 << 20  # octets of all unfinished messages, and as many of finished ones
MAX_SETS = 4_096  # unfinished messages at once, and as many finished ones
MAX_CONTRADICTIONS = 1_024

Key = tuple["Hashable", int, int, int, int, bool]
"""Path, Conference ID, Transaction ID, User ID, Primitive, R bit."""


@dataclass(slots=True, frozen=True)
class Whole:
    """A message put together, as if it had not been fragmented."""

    message: bytes
    frame: FrameId  # of the fragment that completed it
    time: int
    frames: tuple[FrameId, ...]  # of all its fragments, those that came again among them


@dataclass(slots=True, frozen=True)
class Contradiction:
    """A fragment that does not fit itself or those before it, and is not used."""

    frame: FrameId
    text: str


@dataclass(slots=True)
class _Set:
    begun: int
    words: int  # Payload Length
    head: bytes  # common header of the fragment at the lowest offset
    lowest: int
    parts: dict[int, bytes] = field(default_factory=dict)  # octets by offset in octets; none of them overlap
    frames: set[FrameId] = field(default_factory=set)
    held: int = 0
    again: bool = False  # everything so far repeats a message that was put together before


@dataclass(slots=True)
class _Done:
    time: int
    body: bytes


class BfcpFragments:
    """Unfinished messages by key; the oldest go first when the limits are reached."""

    def __init__(self) -> None:
        self.sets: dict[Key, _Set] = {}
        self.done: dict[Key, _Done] = {}
        self.held = 0
        self.kept = 0  # octets of finished messages
        self.incomplete = 0  # messages given up
        self.contradictions: list[Contradiction] = []

    def add(self, datagram: bytes, path: Hashable, frame: FrameId, time: int) -> Whole | None:
        """Take a datagram of a path; gives the whole message when it was the fragment that was missing.

        A path is what tells associations and directions apart. What is no fragment of BFCP is passed over.
        """
        header = common_header(datagram)
        if header is None or not header.fragmented:
            return None
        body = datagram[header.octets :]
        if wrong := _wrong(header, body):
            self._contradicts(frame, wrong)
            return None
        key = (path, header.conference, header.transaction, header.user, header.primitive, header.responder)
        group = self._set(key, header, datagram[:COMMON_HEADER], time)
        if group.words != header.payload_length:
            self._contradicts(
                frame, f"Payload Length is {header.payload_length}, that of earlier fragments {group.words}"
            )
            return None
        if len(group.frames) >= MAX_FRAGMENTS:
            return None
        before = group.held
        if not _merge(group, 4 * header.fragment_offset, body):
            self._contradicts(frame, "octets of the fragment contradict earlier fragments")
            return None
        if header.fragment_offset < group.lowest:
            group.lowest, group.head = header.fragment_offset, datagram[:COMMON_HEADER]
        group.frames.add(frame)
        self.held += group.held - before
        group.again = group.again and self._repeats(key, 4 * header.fragment_offset, body)
        if group.held == 4 * group.words:
            return self._finish(key, group, frame, time)
        while self.held > MAX_HELD:
            self._drop(next(iter(self.sets)))
        return None

    def unfinished(self) -> Iterator[FrameId]:
        """A frame of each message that lacks fragments."""
        for group in self.sets.values():
            if not group.again and group.frames:
                yield max(group.frames)

    def _set(self, key: Key, header: CommonHeader, head: bytes, time: int) -> _Set:
        group = self.sets.get(key)
        if group is not None and abs(time - group.begun) > TIMEOUT:
            self._drop(key)
            group = None
        if group is None:
            if len(self.sets) >= MAX_SETS:
                self._drop(next(iter(self.sets)))
            group = self.sets[key] = _Set(time, header.payload_length, head, header.fragment_offset)
            earlier = self.done.get(key)
            group.again = earlier is not None and abs(time - earlier.time) <= TIMEOUT
        return group

    def _repeats(self, key: Key, at: int, body: bytes) -> bool:
        earlier = self.done.get(key)
        return earlier is not None and earlier.body[at : at + len(body)] == body

    def _finish(self, key: Key, group: _Set, frame: FrameId, time: int) -> Whole:
        self.held -= group.held
        del self.sets[key]
        body = b"".join(group.parts[at] for at in sorted(group.parts))
        self._forget(key)
        self.done[key] = _Done(time, body)
        self.kept += len(body)
        while self.kept > MAX_HELD or len(self.done) > MAX_SETS:
            self._forget(next(iter(self.done)))
        # as if unfragmented: without the F bit and the two fields that it announces (RFC 8855 §5.1)
        message = bytes([group.head[0] & ~FRAGMENTED]) + group.head[1:] + body
        return Whole(message, frame, time, tuple(sorted(group.frames)))

    def _forget(self, key: Key) -> None:
        earlier = self.done.pop(key, None)
        if earlier is not None:
            self.kept -= len(earlier.body)

    def _drop(self, key: Key) -> None:
        group = self.sets.pop(key)
        self.held -= group.held
        self.incomplete += not group.again

    def _contradicts(self, frame: FrameId, text: str) -> None:
        if len(self.contradictions) < MAX_CONTRADICTIONS:
            self.contradictions.append(Contradiction(frame, text))


def _wrong(header: CommonHeader, body: bytes) -> str:
    """What makes a fragment one to be discarded by itself (RFC 8855 §6.2.3)."""
    if len(body) != 4 * header.fragment_length:
        return f"Fragment Length says {4 * header.fragment_length} octets, {len(body)} are there"
    end = header.fragment_offset + header.fragment_length
    if end > header.payload_length:
        return f"the fragment ends at {4 * end}, behind the {4 * header.payload_length} octets of Payload Length"
    return ""


def _merge(group: _Set, at: int, body: bytes) -> bool:
    """Add the octets that are new; False, and nothing is added, where others are not the same as before."""
    end, reached = at + len(body), at
    new = []
    for begin in sorted(group.parts):
        known = group.parts[begin]
        stop = begin + len(known)
        low, high = max(at, begin), min(end, stop)
        if low >= high:
            continue
        if body[low - at : high - at] != known[low - begin : high - begin]:
            return False
        if low > reached:
            new.append((reached, low))
        reached = high
    if reached < end:
        new.append((reached, end))
    for first, last in new:
        group.parts[first] = body[first - at : last - at]
        group.held += last - first
    return True

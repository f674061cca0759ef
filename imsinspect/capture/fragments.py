"""Puts IP fragments together; bounded in time, number and octets, first-seen octets win."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from imsinspect.capture.odd import Fragment, plain_packet

TIMEOUT = 60 * 10**9  # nanoseconds of capture time (RFC 8200 §4.5)
MAX_PACKET = 65_535
MAX_FRAGMENTS = 1_024  # of one packet
MAX_HELD = 64 << 20  # octets in all


class Whole(NamedTuple):
    """A packet put together."""

    packet: bytes
    frame: int  # of the fragment that completed it
    time: int
    frames: tuple[int, ...]  # of all its fragments
    origin: int
    depth: int


@dataclass(slots=True)
class _Set:
    begun: int
    parts: dict[int, tuple[bytes, int]] = field(default_factory=dict)  # offset: octets, frame
    size: int | None = None
    held: int = 0
    spoiled: bool = False
    last: Fragment | None = None
    first: Fragment | None = None


class Fragments:
    """Sets of fragments, by key; the oldest go first when the limits are reached."""

    def __init__(self) -> None:
        self.sets: dict[tuple[bytes, bytes, int, int], _Set] = {}
        self.held = 0
        self.incomplete = 0
        self.overlaps: list[int] = []  # frames whose octets contradict earlier ones

    def add(self, piece: Fragment, frame: int, time: int, origin: int, depth: int) -> Whole | None:
        """Take a fragment; gives the whole packet when it was the last one missing."""
        group = self.sets.get(piece.key)
        if group is not None and abs(time - group.begun) > TIMEOUT:
            self._drop(piece.key)
            group = None
        if group is None:
            group = self.sets[piece.key] = _Set(time)
        end = piece.offset + len(piece.data)
        if end > MAX_PACKET or len(group.parts) >= MAX_FRAGMENTS:
            group.spoiled = True
            return None
        known = group.parts.get(piece.offset)
        if known is not None:
            if known[0] != piece.data:
                self._overlap(group, frame, piece.six)
            return None
        if not piece.more:
            if group.size is not None and group.size != end:
                self._overlap(group, frame, piece.six)
                return None
            group.size = end
        if piece.offset == 0:
            group.first = piece
        group.parts[piece.offset] = (piece.data, frame)
        group.held += len(piece.data)
        self.held += len(piece.data)
        if self.held > MAX_HELD:
            self._drop(next(iter(self.sets)))
        if group.size is None or group.held < group.size or group.spoiled:
            return None
        return self._join(piece, group, frame, time, origin, depth)

    def _overlap(self, group: _Set, frame: int, six: bool) -> None:
        self.overlaps.append(frame)
        group.spoiled |= six  # RFC 8200 §4.5: the whole packet is abandoned

    def _join(self, piece: Fragment, group: _Set, frame: int, time: int, origin: int, depth: int) -> Whole | None:
        body = bytearray()
        frames = []
        for offset in sorted(group.parts):
            data, number = group.parts[offset]
            if offset > len(body):
                return None
            if offset < len(body):
                if body[offset : offset + len(data)] != data[: len(body) - offset]:
                    self._overlap(group, number, piece.six)
                data = data[len(body) - offset :]
            body += data
            frames.append(number)
        if group.spoiled or group.first is None or len(body) != group.size:
            return None
        self.held -= group.held
        del self.sets[piece.key]
        source, destination = piece.key[0], piece.key[1]
        first = group.first
        packet = plain_packet(
            piece.six, source, destination, first.protocol, bytes(body), first.identification, first.ttl
        )
        return Whole(packet, frame, time, tuple(sorted(set(frames))), origin, depth)

    def _drop(self, key: tuple[bytes, bytes, int, int]) -> None:
        group = self.sets.pop(key)
        self.held -= group.held
        self.incomplete += 1

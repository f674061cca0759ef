"""Puts IP fragments together; bounded in time, number and octets, first-seen octets win."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture.odd import Fragment, plain_packet

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 60 * 10**9  # nanoseconds of capture time (RFC 8200 §4.5)
MAX_PACKET = 65_535
MAX_FRAGMENTS = 1_024  # of one packet
MAX_HELD = 64 << 20  # octets in all
MAX_SETS = 32_768  # packets at once
MAX_JOINS = 16  # of a packet whose fragments overlap so that octets are still missing when their sum is there


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
    joins: int = 0
    spoiled: bool = False
    first: Fragment | None = None
    origin: int = 0
    depth: int = 0


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
            if len(self.sets) >= MAX_SETS:
                self._drop(next(iter(self.sets)))
            group = self.sets[piece.key] = _Set(time, origin=origin, depth=depth)
        end = piece.offset + len(piece.data)
        if end > MAX_PACKET or len(group.parts) >= MAX_FRAGMENTS:
            group.spoiled = True
        if group.spoiled:
            return None
        known = group.parts.get(piece.offset)
        if known is not None and len(known[0]) >= len(piece.data):
            if not known[0].startswith(piece.data):
                self._overlap(group, frame, piece.six)
            return None
        if not piece.more:
            if group.size is not None and group.size != end:
                self._overlap(group, frame, piece.six)
                return None
            group.size = end
        if piece.offset == 0 and group.first is None:
            group.first = piece
        if known is not None:  # a longer fragment at the same place: its first octets must be the same
            if not piece.data.startswith(known[0]):
                self._overlap(group, frame, piece.six)
            piece = piece._replace(data=known[0] + piece.data[len(known[0]) :])
            group.held -= len(known[0])
            self.held -= len(known[0])
        group.parts[piece.offset] = (piece.data, frame)
        group.held += len(piece.data)
        self.held += len(piece.data)
        while self.held > MAX_HELD:
            self._drop(next(iter(self.sets)))
        if group.size is None or group.held < group.size or group.spoiled:
            return None
        return self._join(piece, group, frame, time, origin, depth)

    def take(self, others: Fragments) -> list[Whole]:
        """Go on with the unfinished sets of a capture before or behind this one; gives what they complete."""
        out = []
        for key, group in others.sets.items():
            for offset, (data, frame) in group.parts.items():
                more = group.size is None or offset + len(data) != group.size
                piece = Fragment(key, offset, more, 0, data, 0, 0, len(key[0]) == 16)
                if offset == 0 and group.first is not None:
                    piece = group.first._replace(data=data)
                whole = self.add(piece, frame, group.begun, group.origin, group.depth)
                if whole is not None:
                    out.append(whole)
        others.sets = {}
        return out

    def unfinished(self) -> Iterator[int]:
        """A frame of each packet that lacks fragments; of one that can't be, as it is too long, there is none."""
        for group in self.sets.values():
            if group.parts:
                yield max(frame for _, frame in group.parts.values())

    def _overlap(self, group: _Set, frame: int, six: bool) -> None:
        self.overlaps.append(frame)
        group.spoiled |= six  # RFC 8200 §4.5: the whole packet is abandoned

    def _join(self, piece: Fragment, group: _Set, frame: int, time: int, origin: int, depth: int) -> Whole | None:
        body = self._body(group, piece.six)
        if group.spoiled or group.first is None or body is None:
            group.joins += 1
            group.spoiled |= group.joins >= MAX_JOINS
            return None
        if self.sets.pop(piece.key, None) is not None:
            self.held -= group.held
        source, destination = piece.key[0], piece.key[1]
        first = group.first
        packet = plain_packet(piece.six, source, destination, first.protocol, body, first.identification, first.ttl)
        frames = {number for _, number in group.parts.values()}
        return Whole(packet, frame, time, tuple(sorted(frames)), origin, depth)

    def _body(self, group: _Set, six: bool) -> bytes | None:
        """The octets of all fragments, those seen first where several claim a place; None while some are missing."""
        pieces = [group.parts[offset][0] for offset in sorted(group.parts)]
        if all(offset == end for offset, end in _ends(group.parts)):
            joined = b"".join(pieces)
            return joined if len(joined) == group.size else None
        size = max(offset + len(data) for offset, (data, _) in group.parts.items())
        body, seen = np.zeros(size, np.uint8), np.zeros(size, np.bool_)
        for offset, (data, number) in group.parts.items():
            new, place = np.frombuffer(data, np.uint8), slice(offset, offset + len(data))
            if (seen[place] & (body[place] != new)).any() and number not in self.overlaps[-MAX_FRAGMENTS:]:
                self._overlap(group, number, six)
            body[place] = np.where(seen[place], body[place], new)
            seen[place] = True
        return body.tobytes() if size == group.size and seen.all() else None

    def _drop(self, key: tuple[bytes, bytes, int, int]) -> None:
        group = self.sets.pop(key)
        self.held -= group.held
        self.incomplete += 1


def _ends(parts: dict[int, tuple[bytes, int]]) -> list[tuple[int, int]]:
    """Where each fragment begins, and where the ones before it end."""
    out, end = [], 0
    for offset in sorted(parts):
        out.append((offset, end))
        end = offset + len(parts[offset][0])
    return out

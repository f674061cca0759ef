"""Puts TCP segments in order: both directions of a connection as chunks of bytes, each with its frame.

All segments of a connection are at hand, so a hole that no later segment fills is known at once and marked, not waited
for. The first octets seen for a place in the stream stay; later ones that differ are noted.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.capture.chunk import Chunk
from imsinspect.capture.signalling import SYN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imsinspect.capture.signalling import Segment

HALF = 1 << 31
MAX_JUMP = 64 << 20  # octets ahead of the stream; beyond that a segment is no part of it


@dataclass(slots=True)
class Assembly:
    """What putting a connection together showed besides its bytes."""

    gaps: list[int] = field(default_factory=list)  # frames behind a hole
    differing: list[int] = field(default_factory=list)  # frames whose octets contradict earlier ones


@dataclass(slots=True)
class _Side:
    next: int = 0  # place in the stream that comes next
    waiting: list[tuple[int, int, Segment]] = field(default_factory=list)  # heap: place, order of arrival, segment
    reach: list[tuple[int, int]] = field(default_factory=list)  # (start, octets) of every segment with octets
    tail: bytearray = field(default_factory=bytearray)  # octets delivered, to compare later ones with
    tail_start: int = 0


TAIL = 1 << 16


def assemble(segments: Sequence[Segment], result: Assembly) -> Iterator[Chunk]:
    """The bytes of a connection in order, directions interleaved as their segments came."""
    sides = {True: _Side(), False: _Side()}
    places = _places(segments, sides)
    holes = {forward: _holes(sorted(side.reach), side.next) for forward, side in sides.items()}
    for order, (segment, place) in enumerate(zip(segments, places, strict=True)):
        if place is not None and segment.data:
            yield from _take(sides[segment.forward], segment, place, order, holes[segment.forward], result)


def _places(segments: Sequence[Segment], sides: dict[bool, _Side]) -> list[int | None]:
    """Where each segment begins in its direction's stream; sequence numbers wrap (signed differences)."""
    out: list[int | None] = []
    current: dict[bool, int] = {}
    for segment in segments:
        sequence = segment.sequence + 1 if segment.flags & SYN else segment.sequence
        side = sides[segment.forward]
        at = current.get(segment.forward)
        if at is None:
            place = side.next = sequence
        else:
            step = ((sequence - at + HALF) & 0xFFFFFFFF) - HALF
            if abs(step) > MAX_JUMP:
                out.append(None)
                continue
            place = at + step
        current[segment.forward] = place if at is None else max(place, at)
        if segment.data:
            side.reach.append((place, len(segment.data)))
        if segment.data or segment.flags & SYN:
            side.next = min(side.next, place)
        out.append(place)
    for side in sides.values():
        side.tail_start = side.next
    return out


def _holes(reach: list[tuple[int, int]], begin: int) -> dict[int, int]:
    """Ends of holes that nothing fills: start of the hole to where the stream goes on."""
    holes: dict[int, int] = {}
    end = begin
    for start, length in reach:
        if start > end:
            holes[end] = start
        end = max(end, start + length)
    return holes


def _take(
    side: _Side, segment: Segment, place: int, order: int, holes: dict[int, int], result: Assembly
) -> Iterator[Chunk]:
    if place > side.next:
        heapq.heappush(side.waiting, (place, order, segment))
    else:
        yield from _deliver(side, segment, place, 0, result)
    while side.waiting:
        low = side.waiting[0][0]
        lost = 0
        if low > side.next:
            if holes.get(side.next) != low:
                return
            lost = low - side.next
            side.next = low
        held = heapq.heappop(side.waiting)[2]
        if lost:
            result.gaps.append(held.frame)
            side.tail.clear()
            side.tail_start = low
        yield from _deliver(side, held, low, lost, result)


def _deliver(side: _Side, segment: Segment, place: int, gap: int, result: Assembly) -> Iterator[Chunk]:
    seen = side.next - place
    data = segment.data
    if seen > 0:
        _compare(side, segment, place, min(seen, len(data)), result)
        data = data[seen:]
    if not data:
        return
    side.next += len(data)
    side.tail += data
    if len(side.tail) > 2 * TAIL:
        del side.tail[:-TAIL]
    side.tail_start = side.next - len(side.tail)
    yield Chunk(data, segment.frame, segment.time, segment.forward, gap)


def _compare(side: _Side, segment: Segment, place: int, count: int, result: Assembly) -> None:
    """Octets that came before must be the same; a keep-alive's one old octet may be anything (RFC 9293 §3.8.4)."""
    low, high = max(place, side.tail_start), place + count
    if low >= high or count == 1:
        return
    if side.tail[low - side.tail_start : high - side.tail_start] != segment.data[low - place : count]:
        result.differing.append(segment.frame)

"""Two packets under one keystream: equal key, salt, SSRC and index, and other ciphertext (RFC 3711 §9.1).

Only streams where this can happen are watched. Their verified packets are kept as columns of numbers, and compared when
all captures are read. A packet that comes again octet by octet is a replay, unless it was seen at two places of the
network: on its way through a relay, or in two captures.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture.frames import FRAME_BITS
from imsinspect.trace.model import KeystreamReuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imsinspect.capture.frames import FrameId
    from imsinspect.keys.trial import UseName

MAX_PACKETS = 8_000_000  # kept in all
SIGHTED = 50_000_000  # ns between two sightings of one packet (rules.md 0.10)
MAX_HOLES = 1 << 16  # indices of one stream that did not come
MAX_REUSES = 1000  # pairs of streams that are named

Group = tuple[str, str, int, bool]
"""Digest and cipher of a key, SSRC, and whether it is SRTCP: what a keystream depends on besides the index."""

NO_KEYSTREAM = "NULL"
"""Cipher of packets that are not encrypted: they may be replayed, their keystream is not used."""


class Row(NamedTuple):
    """One packet that verified, in numbers."""

    stream: int  # number of the stream or sender
    use: int  # number of the key with its relation
    number: int  # index of the packet: its rollover counter and sequence number, or that of SRTCP
    frame: FrameId
    when: int
    seal: int  # of all its octets but the MKI
    cipher: int  # of its ciphertext; of AES-GCM and of what is not encrypted all its octets count
    vector: int  # what else the keystream depends on: of f8 marker, payload type and timestamp


class Again(NamedTuple):
    """A packet that came again, octet by octet."""

    stream: int
    first: FrameId
    second: FrameId
    use: UseName
    number: int
    gap: int  # nanoseconds
    distance: int  # indices by which others had gone beyond it
    same_stream: bool


class Compared(NamedTuple):
    """What came twice."""

    reuses: list[KeystreamReuse]
    replays: list[Again]
    sightings: list[Again]  # one packet, seen at two capture points

    def add(self, other: Compared) -> None:
        """What came twice of others."""
        self.reuses.extend(other.reuses)
        self.replays.extend(other.replays)
        self.sightings.extend(other.sightings)


class _Columns(NamedTuple):
    stream: NDArray[np.int64]
    use: NDArray[np.int64]
    number: NDArray[np.int64]
    frame: NDArray[np.int64]
    when: NDArray[np.int64]
    seal: NDArray[np.int64]
    cipher: NDArray[np.int64]
    vector: NDArray[np.int64]


class Came:
    """Which indices came under one keystream, kept as those that did not: few, where little is lost."""

    __slots__ = ("highest", "holes", "lowest")

    def __init__(self) -> None:
        self.lowest = self.highest = -1
        self.holes: set[int] = set()

    def repeats(self, numbers: Sequence[int]) -> bool:
        """Take packets; whether an index among them came before, or it can't be told any more."""
        if self.highest < 0:
            self.lowest, self.highest = numbers[0], numbers[0] - 1
        if isinstance(numbers, range) and numbers[0] == self.highest + 1:
            self.highest = numbers[-1]
            return False
        return any(self._repeats(number) for number in numbers)

    def _repeats(self, number: int) -> bool:
        if number > self.highest:
            missing = range(self.highest + 1, number)
            self.highest = number
        elif number < self.lowest:
            missing = range(number + 1, self.lowest)
            self.lowest = number
        elif number in self.holes:
            self.holes.remove(number)
            return False
        else:
            return True
        if len(missing) + len(self.holes) > MAX_HOLES:
            return True
        self.holes.update(missing)
        return False


class Watch:
    """Keeps what was verified of the streams that are watched."""

    def __init__(self) -> None:
        self.kept: dict[Group, array[int]] = {}
        self.uses: dict[UseName, int] = {}
        self.packets = 0
        self.full = False

    def number_of(self, use: UseName) -> int:
        """The number that stands for a key with its relation."""
        return self.uses.setdefault(use, len(self.uses))

    def add(self, group: Group, row: Row) -> None:
        """A packet that verified."""
        if self.packets >= MAX_PACKETS:
            self.full = True
            return
        self.packets += 1
        kept = self.kept.get(group)
        if kept is None:
            kept = self.kept[group] = array("q")
        kept.extend(row)

    def compare(self, names: Sequence[str], destinations: Sequence[object]) -> Compared:
        """What came twice; ids and destinations are those of the streams by number."""
        out = Compared([], [], [])
        uses = list(self.uses)
        places: dict[object, int] = {}
        place = np.array([places.setdefault(each, len(places)) for each in destinations], np.int64)
        for group in sorted(self.kept):
            table = np.frombuffer(self.kept[group], np.int64).reshape(-1, len(Row._fields))
            found = _Columns(*(np.ascontiguousarray(column) for column in table.T))
            if len(table) > 1:
                _again(found, place, uses, out)
                if group[1] != NO_KEYSTREAM:
                    _reused(group, found, names, out)
        return out


def _again(found: _Columns, place: NDArray[np.int64], uses: list[UseName], out: Compared) -> None:
    """Equal packets towards one destination."""
    towards = place[found.stream]
    order = np.lexsort((found.frame, found.when, towards, found.seal, found.number))
    keys = [column[order] for column in (found.number, found.seal, towards)]
    same = np.ones(len(order) - 1, np.bool_)
    for key in keys:
        same &= key[1:] == key[:-1]
    where = np.flatnonzero(same)
    if not len(where):
        return
    spans = _spans(found)
    ahead = _ahead(found)
    for at in where.tolist():
        one, other = int(order[at]), int(order[at + 1])
        use = uses[int(found.use[other])]
        gap, same_stream = int(found.when[other]) - int(found.when[one]), bool(found.stream[one] == found.stream[other])
        again = Again(
            int(found.stream[other]), int(found.frame[one]), int(found.frame[other]), use, int(found.number[other]),
            gap, int(ahead[other]), same_stream,
        )  # fmt: skip
        here, there = (int(found.frame[each]) >> FRAME_BITS for each in (one, other))
        near = gap <= SIGHTED
        if here != there and same_stream and (near or _overlap(spans, int(found.stream[other]), here, there)):
            out.sightings.append(again)
        elif (same_stream and here == there) or not near:
            out.replays.append(again)


def _ahead(found: _Columns) -> NDArray[np.int64]:
    """By how much the highest index that came before each packet, or with it, lies above its own."""
    order = np.lexsort((found.frame, found.when))
    out = np.empty(len(order), np.int64)
    out[order] = np.maximum.accumulate(found.number[order]) - found.number[order]
    return out


def _spans(found: _Columns) -> dict[tuple[int, int], tuple[int, int]]:
    """When each stream was seen in each capture."""
    out: dict[tuple[int, int], tuple[int, int]] = {}
    names = found.stream << 16 | found.frame >> FRAME_BITS
    for name in np.unique(names).tolist():
        times = found.when[names == name]
        out[name >> 16, name & 0xFFFF] = int(times.min()), int(times.max())
    return out


def _overlap(spans: dict[tuple[int, int], tuple[int, int]], stream: int, one: int, other: int) -> bool:
    """Whether two captures show a stream at the same time: they are no parts of a ring."""
    first, second = spans[stream, one], spans[stream, other]
    return first[0] <= second[1] and second[0] <= first[1]


def _reused(group: Group, found: _Columns, names: Sequence[str], out: Compared) -> None:
    """Pairs of packets under one keystream, the first of each two streams with how many there are."""
    order = np.lexsort((found.frame, found.when, found.cipher, found.vector, found.number))
    number, vector, cipher = (column[order] for column in (found.number, found.vector, found.cipher))
    fresh = np.ones(len(order), np.bool_)  # the first packet with each ciphertext
    fresh[1:] = (number[1:] != number[:-1]) | (vector[1:] != vector[:-1]) | (cipher[1:] != cipher[:-1])
    some = order[fresh]
    some = some[np.lexsort((found.frame[some], found.when[some], found.vector[some], found.number[some]))]
    number, vector = found.number[some], found.vector[some]
    pairs: dict[tuple[int, int], list[int]] = {}
    for at in np.flatnonzero((number[1:] == number[:-1]) & (vector[1:] == vector[:-1])).tolist():
        one, other = int(some[at]), int(some[at + 1])
        entry = pairs.setdefault((int(found.stream[one]), int(found.stream[other])), [one, other, 0])
        if (found.when[other], found.frame[other]) < (found.when[entry[1]], found.frame[entry[1]]):
            entry[:2] = one, other
        entry[2] += 1
    digest, _, ssrc, rtcp = group
    for (first, second), (one, other, count) in pairs.items():
        if len(out.reuses) < MAX_REUSES:
            frames = int(found.frame[one]), int(found.frame[other])
            out.reuses.append(
                KeystreamReuse(digest, ssrc, int(found.number[one]), rtcp, *frames, names[first], names[second], count)
            )

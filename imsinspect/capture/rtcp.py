"""RTCP and SRTCP datagrams in columns: which are plain by their length fields, and samples of both kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture import seals
from imsinspect.capture.identity import SSRC, identities
from imsinspect.capture.keytable import MIX, ONE, U29, KeyTable
from imsinspect.capture.rows import gather, grown

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Packet types that a first packet may have: 192 to 195 and 200 to 213 (RFC 3550 §6, RFC 4585, RFC 3611, IANA)
FIRST_TYPES = np.zeros(256, np.bool_)
FIRST_TYPES[192:196] = True
FIRST_TYPES[200:214] = True
MAX_PACKETS = 32  # in one compound
PLAIN_SAMPLES, OTHER_SAMPLES = 8, 64
SAMPLE_OCTETS = 2048
END_OCTETS = 32  # of a datagram: index word, MKI and tag of SRTCP, and what makes it differ from others
MAX_ENDS = 1 << 20  # in one capture


class RtcpSample(NamedTuple):
    """One datagram kept whole."""

    frame: int
    time: int
    data: bytes
    length: int


class RtcpEnds(NamedTuple):
    """The last octets of datagrams, as columns in the order of the capture."""

    frame: NDArray[np.int64]
    time: NDArray[np.int64]
    length: NDArray[np.int64]
    octets: NDArray[np.uint8]  # END_OCTETS in each row

    def behind(self, before: RtcpEnds) -> RtcpEnds:
        """Both, in the order of capture."""
        return RtcpEnds(*(np.concatenate([one, other]) for one, other in zip(before, self, strict=True)))


class Control(NamedTuple):
    """Datagrams that look like RTCP, as columns."""

    mix: NDArray[np.uint64]  # of the 5-tuple
    frame: NDArray[np.int64]
    when: NDArray[np.int64]
    net: NDArray[np.int64]  # of the IP header in the window's data
    start: NDArray[np.int64]  # of the RTCP header
    end: NDArray[np.int64]  # of the datagram, as far as captured
    whole: NDArray[np.int64]  # of the datagram, as sent
    origin: NDArray[np.uint8]

    def some(self, which: NDArray[np.bool_]) -> Control:
        """Some of the datagrams."""
        return Control(
            self.mix[which],
            self.frame[which],
            self.when[which],
            self.net[which],
            self.start[which],
            self.end[which],
            self.whole[which],
            self.origin[which],
        )

    @staticmethod
    def joined(parts: list[Control]) -> Control:
        """The datagrams of several groups, in the order of the capture."""
        if len(parts) == 1:
            return parts[0]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.argsort(columns[1], kind="stable")
        return Control(*(column[order] for column in columns))


@dataclass(slots=True)
class RtcpSender:
    """The RTCP-type datagrams of one SSRC on one 5-tuple."""

    identity: bytes
    packets: int
    plain: int
    first_time: int
    last_time: int
    first_frame: int
    last_frame: int
    first_plain: int
    last_plain: int
    plain_samples: list[RtcpSample] = field(default_factory=list)
    other_samples: list[RtcpSample] = field(default_factory=list)
    origin: int = 0
    sighted_again: int = 0
    ends: RtcpEnds | None = None  # of datagrams that are not plain and came behind the samples

    @property
    def ssrc(self) -> int:
        """SSRC of the first packet of the compounds."""
        return int.from_bytes(self.identity[SSRC : SSRC + 4], "big")


def looks_like_rtcp(
    data: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64], whole: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Version 2, a known packet type, a first length that fits the datagram (RFC 3550 §6.4)."""
    heads = gather(data, start, 4)
    first = ((heads[:, 2].astype(np.int64) << 8 | heads[:, 3]) + 1) * 4
    good: NDArray[np.bool_] = (heads[:, 0] >> 6 == 2) & FIRST_TYPES[heads[:, 1]] & (end - start >= 8)
    good &= (first <= whole - start) & (first >= 8)
    return good


def is_plain(
    data: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64], whole: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether the length fields of each compound add up to exactly its datagram (srtp.md 9.1, step 2)."""
    plain = np.zeros(len(start), np.bool_)
    todo = np.arange(len(start))
    at = start.copy()
    for _ in range(MAX_PACKETS):
        heads = gather(data, at[todo], 4)
        good = (heads[:, 0] >> 6 == 2) & (heads[:, 1] >= 192) & (heads[:, 1] <= 223) & (at[todo] + 4 <= end[todo])
        todo, heads = todo[good], heads[good]
        at[todo] += ((heads[:, 2].astype(np.int64) << 8 | heads[:, 3]) + 1) * 4
        arrived = at[todo] == whole[todo]
        plain[todo[arrived]] = True
        todo = todo[at[todo] < end[todo]]
        if not len(todo):
            break
    return plain


NUMBERS = (
    "packets",
    "plain",
    "first_time",
    "last_time",
    "first_frame",
    "last_frame",
    "first_plain",
    "last_plain",
    "origin",
    "sighted_again",
)


class RtcpSenders:
    """All senders of RTCP-type datagrams of a capture."""

    def __init__(self) -> None:
        self.table = KeyTable()
        self.columns = {name: np.zeros(0, np.int64) for name in NUMBERS}
        self.identity = np.zeros((0, 48), np.uint8)
        self.samples: dict[int, tuple[list[RtcpSample], list[RtcpSample]]] = {}
        self.recent: seals.Sealed | None = None  # the last datagrams, to know their second sightings
        self.ends: list[tuple[NDArray[np.int32], RtcpEnds]] = []
        self.ended = 0

    def add(self, data: NDArray[np.uint8], found: Control) -> None:
        """Datagrams that look like RTCP, in the order of the capture."""
        ssrc = gather(data, found.start + 4, 4).view(np.uint32)[:, 0]
        key = found.mix ^ ssrc
        key *= MIX[3]
        key ^= key >> U29
        key *= MIX[2]
        key |= ONE
        known = self.table.count
        ids = self.table.find(key)
        count = self.table.count
        columns = self.columns
        if count > known:
            for name, array in columns.items():
                columns[name] = grown(array, count)
            self.identity = grown(self.identity, count)
            new = np.flatnonzero(ids >= known)[::-1]  # the first packet of each is written last
            columns["first_time"][ids[new]] = found.when[new]
            columns["first_frame"][ids[new]] = found.frame[new]
            columns["origin"][ids[new]] = found.origin[new]
            identity = identities(data, found.net[new], 17)
            identity[:, SSRC : SSRC + 4] = gather(data, found.start[new] + 4, 4)
            self.identity[ids[new]] = identity
        again = self._sighted_again(data, ids, found)
        if again.any():
            columns["sighted_again"][:count] += np.bincount(ids[again], minlength=count)
            ids, found = ids[~again], found.some(~again)
            if not len(ids):
                return
        self.count_datagrams(data, ids, found)

    def count_datagrams(self, data: NDArray[np.uint8], ids: NDArray[np.int32], found: Control) -> None:
        """Add the datagrams of a window, each counted once. Who does something else with them overrides this."""
        columns, count = self.columns, self.table.count
        frame, when = found.frame, found.when
        plain = is_plain(data, found.start, found.end, found.whole)
        columns["packets"][:count] += np.bincount(ids, minlength=count)
        columns["last_time"][ids] = when
        columns["last_frame"][ids] = frame
        some = np.flatnonzero(plain)
        if len(some):
            owner = ids[some]
            begun = some[::-1][columns["plain"][owner[::-1]] == 0]
            columns["first_plain"][ids[begun]] = frame[begun]
            columns["plain"][:count] += np.bincount(owner, minlength=count)
            columns["last_plain"][owner] = frame[some]
        self._keep(data, ids, plain, found)
        self._keep_ends(data, ids, plain, found)

    def _sighted_again(self, data: NDArray[np.uint8], ids: NDArray[np.int32], found: Control) -> NDArray[np.bool_]:
        """Which datagrams are second sightings of one before."""
        zero, place = np.zeros(len(ids), np.int64), np.arange(len(ids), dtype=np.int64)
        sealed = seals.sealed(
            data, ids.astype(np.int64), zero, found.when, found.net, found.start, found.end, found.whole, place
        )
        hits = seals.sighted_before(sealed.behind(self.recent)).place
        self.recent = seals.recent(sealed, self.recent)
        again = np.zeros(len(ids), np.bool_)
        again[hits[hits >= 0]] = True
        return again

    def _keep(self, data: NDArray[np.uint8], ids: NDArray[np.int32], plain: NDArray[np.bool_], found: Control) -> None:
        """Samples: the first of each sender and kind."""
        packets = self.columns["packets"]
        open_still = np.flatnonzero(packets[ids] <= PLAIN_SAMPLES + OTHER_SAMPLES + np.bincount(ids)[ids])
        view, samples = data.data, self.samples
        low, length = found.start, found.whole - found.start
        lists = (ids, plain, found.frame, found.when, low, np.minimum(found.end, low + SAMPLE_OCTETS), length)
        for owner, clear, number, moment, at, end, octets in zip(
            *(each[open_still].tolist() for each in lists), strict=True
        ):
            kept = samples.get(owner)
            if kept is None:
                kept = samples[owner] = ([], [])
            if clear:
                if len(kept[0]) < PLAIN_SAMPLES:
                    kept[0].append(RtcpSample(number, moment, bytes(view[at:end]), octets))
            elif len(kept[1]) < OTHER_SAMPLES:
                kept[1].append(RtcpSample(number, moment, bytes(view[at:end]), octets))

    def _keep_ends(
        self, data: NDArray[np.uint8], ids: NDArray[np.int32], plain: NDArray[np.bool_], found: Control
    ) -> None:
        """The last octets of what comes behind the samples and is whole."""
        behind = ~plain & (self.columns["packets"][ids] > OTHER_SAMPLES) & (found.end == found.whole)
        behind &= found.end >= END_OCTETS
        some = np.flatnonzero(behind)[: max(0, MAX_ENDS - self.ended)]
        if len(some):
            end = found.end[some]
            octets = gather(data, end - END_OCTETS, END_OCTETS)
            ends = RtcpEnds(found.frame[some], found.when[some], end - found.start[some], octets)
            self.ends.append((ids[some], ends))
            self.ended += len(some)

    def _ends(self) -> dict[int, RtcpEnds]:
        """The ends by sender, each sender's in the order of the capture."""
        if not self.ends:
            return {}
        owner = np.concatenate([owner for owner, _ in self.ends])
        columns = [np.concatenate(column) for column in zip(*(ends for _, ends in self.ends), strict=True)]
        order = np.lexsort((columns[0], owner))
        owner, columns = owner[order], [column[order] for column in columns]
        begin = np.flatnonzero(np.diff(owner, prepend=-1))
        bounds = zip(begin.tolist(), [*begin[1:].tolist(), len(owner)], strict=True)
        return {int(owner[low]): RtcpEnds(*(column[low:high] for column in columns)) for low, high in bounds}

    def senders(self) -> list[RtcpSender]:
        """Every sender, in the order of their first packets."""
        out = []
        ends = self._ends()
        for row in range(self.table.count):
            numbers = {name: int(self.columns[name][row]) for name in NUMBERS}
            clear, other = self.samples.get(row, ([], []))
            # What a relay carries in several ways is read one way after the other
            identity = self.identity[row].tobytes()
            samples = sorted(clear), sorted(other)
            out.append(
                RtcpSender(identity, plain_samples=samples[0], other_samples=samples[1], ends=ends.get(row), **numbers)
            )
        return out

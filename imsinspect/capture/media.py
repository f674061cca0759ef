"""RTP and SRTP streams in columns: counts, extended sequence numbers, sizes, and a bounded sample of packets.

A stream is a 5-tuple and an SSRC. Nothing is done packet by packet but the keeping of samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imsinspect.capture import seals
from imsinspect.capture.decode import Media
from imsinspect.capture.identity import SSRC, identities
from imsinspect.capture.keytable import MIX, ONE, U29, KeyTable
from imsinspect.capture.rows import gather, grown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imsinspect.capture.frames import FrameId

FIRST_SAMPLES = 12  # of the first packets of a stream
SPREAD_SAMPLES = 20  # spread over it, chosen by sequence number so that two sightings keep the same packets
SPREAD_MASK = 127
SAMPLE_OCTETS = 512  # of a payload
JUMP = 1000  # sequence numbers: who goes back farther may have begun anew, and the packets around it are kept
JUMP_BEFORE, JUMP_BEHIND = 1, 4
JUMP_SAMPLES = 24  # of one stream
HEAD_OCTETS = 1024  # of a header extension
MAX_SIZES = 2_000_000  # distinct (stream, payload type, length); beyond them lengths are not told apart
UNTOLD_LENGTH = 0xFFFF
PRUNE_AT = 300_000  # streams; single packets that look like RTP by chance are then forgotten


class MediaSample(NamedTuple):
    """One packet kept of a stream."""

    frame: FrameId
    time: int
    payload_type: int
    marker: bool
    sequence: int  # 16 bits as sent
    timestamp: int
    payload: bytes  # what follows the RTP header, extension and CSRC list left out; cut at SAMPLE_OCTETS
    length: int  # of the whole payload on the wire
    padding: bool = False  # the P bit
    csrc: bytes = b""  # contributing sources, 4 octets each
    extension: bytes = b""  # with the 4 octets of its own header (RFC 3550 §5.3.1)


class SizeRun(NamedTuple):
    """How many packets of a stream had one payload type and one payload length (after the whole RTP header)."""

    payload_type: int
    length: int
    packets: int
    first: FrameId
    last: FrameId


@dataclass(slots=True)
class Stream:
    """What was seen of one stream."""

    identity: bytes
    packets: int
    sighted_again: int
    first_time: int
    last_time: int
    first_frame: int
    last_frame: int
    lowest: int
    highest: int
    follow: int  # packets whose sequence number was one more than the one before
    backward: int  # packets whose sequence number was not above the one before
    sizes: list[SizeRun]
    samples: list[MediaSample]
    origin: int

    @property
    def ssrc(self) -> int:
        """The synchronisation source."""
        return int.from_bytes(self.identity[SSRC : SSRC + 4], "big")


COLUMNS = {
    "key": np.uint64,
    "packets": np.int64,
    "again": np.int64,
    "first_time": np.int64,
    "last_time": np.int64,
    "first_frame": np.int64,
    "last_frame": np.int64,
    "lowest": np.int64,
    "highest": np.int64,
    "current": np.int64,
    "follow": np.int64,
    "backward": np.int64,
    "spread": np.uint16,
    "doubled": np.bool_,
    "origin": np.uint8,
}


class Ordered(NamedTuple):
    """The packets of a window stream by stream, each stream's in the order of the capture."""

    order: NDArray[np.intp]  # where each stands in the window's columns
    extended: NDArray[np.int64]  # sequence numbers; the first packet of a stream has 0..65535
    step: NDArray[np.int16]  # from the sequence number of the packet before
    begin: NDArray[np.intp]  # where the packets of each stream begin in these columns
    who: NDArray[np.intp]  # number of each stream

    @property
    def length(self) -> NDArray[np.intp]:
        """Packets of each stream."""
        return np.diff(self.begin, append=len(self.order))

    def some(self, keep: NDArray[np.bool_]) -> Ordered:
        """Some of the packets; at least one."""
        group = np.repeat(np.arange(len(self.who)), self.length)[keep]
        begin = np.concatenate([[0], np.flatnonzero(group[1:] != group[:-1]) + 1])
        return Ordered(self.order[keep], self.extended[keep], self.step[keep], begin, self.who[group[begin]])


def _around(jumps: NDArray[np.intp], begin: NDArray[np.intp], length: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The packets before and behind the places where streams go far back, each within its stream."""
    around = np.zeros(int(length.sum()), np.bool_)
    stream = np.searchsorted(begin, jumps, side="right") - 1
    first, last = begin[stream], begin[stream] + length[stream] - 1
    for step in range(-JUMP_BEFORE, JUMP_BEHIND):
        around[np.clip(jumps + step, first, last)] = True
    return around


class MediaStreams:
    """All streams of a capture: one entry a 5-tuple and SSRC."""

    def __init__(self) -> None:
        self.table = KeyTable()
        self.columns: dict[str, NDArray[Any]] = {name: np.zeros(0, kind) for name, kind in COLUMNS.items()}
        self.identity = np.zeros((0, 48), np.uint8)
        self.samples: dict[int, tuple[list[MediaSample], list[MediaSample]]] = {}
        self.recent: seals.Sealed | None = None  # the packets that the last window ended with
        self.size_table = KeyTable()
        self.size_owner = np.zeros(0, np.int32)
        self.size_what = np.zeros(0, np.uint32)
        self.size_packets = np.zeros(0, np.int64)
        self.size_first = np.zeros(0, np.int64)
        self.size_last = np.zeros(0, np.int64)
        self.forgotten = 0

    @property
    def count(self) -> int:
        """How many streams there are."""
        return self.table.count

    def add(self, data: NDArray[np.uint8], parts: Sequence[tuple[Media, NDArray[np.uint8]]]) -> None:
        """Packets of a window with their origins, in the order of the capture."""
        media = Media.joined([each for each, _ in parts])
        origin = np.concatenate([each for _, each in parts])
        known = self.table.count
        ids = self.table.find(media.key)
        count = self.table.count
        columns = self.columns
        if count > known:
            for name, array in columns.items():
                columns[name] = grown(array, count)
            self.identity = grown(self.identity, count)
        # Group by stream, keeping the order: stable sorts of 16-bit numbers are radix sorts.
        back = None
        dense: NDArray[np.intp] | NDArray[np.int32] = ids
        if count > 65_536:
            back, dense = np.unique(ids, return_inverse=True)
        if back is not None and len(back) > 65_536:
            order = np.argsort(dense, kind="stable")
            sid: NDArray[np.integer] = dense.take(order)
        else:
            small = dense.astype(np.uint16)
            order = np.argsort(small, kind="stable")
            sid = small.take(order)
        begin = np.concatenate([[0], np.flatnonzero(sid[1:] != sid[:-1]) + 1])
        who = sid[begin].astype(np.intp) if back is None else back[sid[begin]].astype(np.intp)
        fresh = who >= known
        if fresh.any():
            self._begin(data, media, who[fresh], order[begin[fresh]], origin)
        extended, step = self._extended(media.sequence.take(order), begin, who, fresh)
        found = Ordered(order, extended, step, begin, who)
        again = self._sighted_again(data, media, found)
        if again is not None:
            columns["again"][who] += np.add.reduceat(again, begin, dtype=np.int64)
            if again.all():
                return
            found = found.some(~again)
        self.count_packets(data, media, found)
        if count > PRUNE_AT:
            self._prune()

    def _begin(
        self,
        data: NDArray[np.uint8],
        media: Media,
        new: NDArray[np.intp],
        at: NDArray[np.intp],
        origin: NDArray[np.uint8],
    ) -> None:
        """Streams seen for the first time, with the packet that began each."""
        columns = self.columns
        columns["key"][new] = media.key[at]
        columns["first_time"][new] = media.when[at]
        columns["first_frame"][new] = media.frame[at]
        columns["current"][new] = columns["lowest"][new] = columns["highest"][new] = media.sequence[at]
        columns["spread"][new] = SPREAD_MASK
        columns["origin"][new] = origin[at]
        identity = identities(data, media.net[at], 17)
        identity[:, SSRC : SSRC + 4] = gather(data, media.start[at] + 8, 4)
        self.identity[new] = identity

    def _extended(
        self, sequence: NDArray[np.uint16], begin: NDArray[np.intp], who: NDArray[np.intp], fresh: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """Extended sequence numbers by signed 16-bit steps, summed within each stream; and the steps."""
        current = self.columns["current"]
        step = np.empty(len(sequence), np.uint16)
        np.subtract(sequence[1:], sequence[:-1], out=step[1:])
        step[begin] = sequence[begin] - current[who].astype(np.uint16)
        signed = step.view(np.int16)
        run = np.cumsum(signed, dtype=np.int64)
        move = current[who] - run[begin] + signed[begin]
        run += np.repeat(move, np.diff(begin, append=len(sequence)))
        signed[begin[fresh]] = 2  # the first packet follows nothing
        return run, signed

    def _sighted_again(self, data: NDArray[np.uint8], media: Media, found: Ordered) -> NDArray[np.bool_] | None:
        """Which packets are second sightings of one before: same transport octets, equal IP id or another TTL."""
        who, length = found.who, found.length
        flagged = np.zeros(len(who), np.bool_)
        flagged[np.searchsorted(found.begin, np.flatnonzero(found.step <= 0), side="right") - 1] = True
        flagged |= self.columns["doubled"][who]
        again = None
        if flagged.any():
            where = np.flatnonzero(np.repeat(flagged, length))
            sealed = self._seals(data, media, found, where)
            if self.recent is not None:
                asked = np.zeros(self.table.count, np.bool_)
                asked[who[flagged]] = True
                sealed = sealed.behind(self.recent.some(asked[self.recent.owner]))
            hits = seals.sighted_before(sealed)
            self.columns["doubled"][hits.owner] = True
            places = hits.place[hits.place >= 0]
            if len(places):
                again = np.zeros(len(found.order), np.bool_)
                again[places] = True
        newest = (media.when >= media.when.max() - seals.WINDOW).take(found.order)
        self.recent = seals.recent(self._seals(data, media, found, np.flatnonzero(newest)), self.recent)
        return again

    @staticmethod
    def _seals(data: NDArray[np.uint8], media: Media, found: Ordered, where: NDArray[np.intp]) -> seals.Sealed:
        """Some packets of a window with what tells sightings apart."""
        at = found.order[where]
        stream = found.who[np.searchsorted(found.begin, where, side="right") - 1]
        return seals.sealed(
            data,
            stream.astype(np.int64),
            found.extended[where],
            media.when[at],
            media.net[at],
            media.start[at],
            media.end[at],
            media.whole[at],
            where.astype(np.int64),
        )

    def count_packets(self, data: NDArray[np.uint8], media: Media, found: Ordered) -> None:
        """Add the packets of a window, each counted once. Who does something else with the packets overrides this."""
        columns = self.columns
        order, extended, begin, who, length = found.order, found.extended, found.begin, found.who, found.length
        last = begin + length - 1
        before = columns["packets"][who]
        columns["lowest"][who] = np.minimum(columns["lowest"][who], np.minimum.reduceat(extended, begin))
        columns["highest"][who] = np.maximum(columns["highest"][who], np.maximum.reduceat(extended, begin))
        columns["current"][who] = extended[last]
        columns["last_time"][who] = media.when[order[last]]
        columns["last_frame"][who] = media.frame[order[last]]
        columns["packets"][who] += length
        columns["follow"][who] += np.add.reduceat(found.step == 1, begin, dtype=np.int64)
        columns["backward"][who] += np.add.reduceat(found.step <= 0, begin, dtype=np.int64)
        lead = media.lead.take(order)
        start = media.start.take(order)
        head, payload = self._payloads(data, lead, start, media.whole.take(order))
        self._sizes(media.frame.take(order), lead, payload, begin, length, who)
        self._samples(data, media, order, lead, start + head, payload, begin, length, who, before, found.step)

    @staticmethod
    def _payloads(
        data: NDArray[np.uint8], lead: NDArray[np.uint16], start: NDArray[np.int64], whole: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Length of each RTP header with its CSRC list and extension, and of what follows (RFC 3550 §5.1)."""
        head = ((lead & np.uint16(0x0F)) << 2).astype(np.int64)
        head += 12
        extended = np.flatnonzero(lead & np.uint16(0x10))
        if len(extended):
            at = start[extended] + head[extended]
            fits = at + 4 <= whole[extended]
            extended, at = extended[fits], np.minimum(at[fits], len(data) - 4)
            words = gather(data, at + 2, 2).astype(np.int64)
            head[extended] += 4 + (words[:, 0] << 8 | words[:, 1]) * 4
        payload = whole - start
        payload -= head
        return head, np.maximum(payload, 0, out=payload)

    def _sizes(
        self,
        frame: NDArray[np.int64],
        lead: NDArray[np.uint16],
        payload: NDArray[np.int64],
        begin: NDArray[np.intp],
        length: NDArray[np.intp],
        who: NDArray[np.intp],
    ) -> None:
        """Count packets by stream, payload type and payload length; runs of equal ones first."""
        what = ((lead >> np.uint16(8)) & np.uint16(0x7F)).astype(np.uint32) << np.uint32(16)
        what |= payload.astype(np.uint32) if self.size_table.count < MAX_SIZES else np.uint32(UNTOLD_LENGTH)
        change = np.empty(len(what), np.bool_)
        np.not_equal(what[1:], what[:-1], out=change[1:])
        change[begin] = True
        first = np.flatnonzero(change)
        count = np.diff(first, append=len(what))
        stream = who[np.searchsorted(begin, first, side="right") - 1]
        key = self.columns["key"][stream] ^ (what[first].astype(np.uint64) * MIX[2])
        key *= MIX[3]
        key ^= key >> U29
        key *= MIX[0]
        key |= ONE
        known = self.size_table.count
        ids = self.size_table.find(key)
        total = self.size_table.count
        if total > known:
            for name in ("size_owner", "size_what", "size_packets", "size_first", "size_last"):
                setattr(self, name, grown(getattr(self, name), total))
            new = np.flatnonzero(ids >= known)[::-1]  # written from the last to the first, which stays
            self.size_owner[ids[new]] = stream[new]
            self.size_what[ids[new]] = what[first[new]]
            self.size_first[ids[new]] = frame[first[new]]
        self.size_packets[:total] += np.bincount(ids, weights=count, minlength=total).astype(np.int64)
        self.size_last[ids] = frame[first + count - 1]

    def _samples(
        self,
        data: NDArray[np.uint8],
        media: Media,
        order: NDArray[np.intp],
        lead: NDArray[np.uint16],
        at: NDArray[np.int64],
        payload: NDArray[np.int64],
        begin: NDArray[np.intp],
        length: NDArray[np.intp],
        who: NDArray[np.intp],
        before: NDArray[np.int64],
        step: NDArray[np.int16],
    ) -> None:
        """Keep some packets: the first of each stream, those where it goes far back, some by sequence number."""
        sequence = media.sequence.take(order)
        wanted = (sequence & np.repeat(self.columns["spread"][who], length)) == 0
        first = np.zeros(len(order), np.bool_)
        if (before < FIRST_SAMPLES).any():
            first = np.arange(len(order)) - np.repeat(begin - before, length) < FIRST_SAMPLES
        jumps = np.flatnonzero(step < -JUMP)
        if len(jumps):
            first |= _around(jumps, begin, length)
        wanted |= first
        which = np.flatnonzero(wanted)
        if not len(which):
            return
        place = order[which]
        two = lead[which]
        low = at[which]
        high = np.minimum(np.minimum(low + payload[which], media.end[place]), low + SAMPLE_OCTETS)
        view = data.data
        payloads = [
            bytes(view[one:other]) for one, other in zip(low.tolist(), np.maximum(low, high).tolist(), strict=True)
        ]
        csrcs = extensions = [b""] * len(which)
        if (two & 0x1F).any():
            csrcs, extensions = self._heads(view, two, media.start[place], np.minimum(low, media.end[place]))
        columns = (
            media.frame[place],
            media.when[place],
            two >> 8 & 0x7F,
            two >> 15 == 1,
            sequence[which],
            gather(data, media.start[place] + 4, 4).view(">u4")[:, 0],
        )
        kept = map(
            MediaSample._make,
            zip(
                *(each.tolist() for each in columns),
                payloads,
                payload[which].tolist(),
                (two & 0x20 != 0).tolist(),
                csrcs,
                extensions,
                strict=True,
            ),
        )
        owner = who[np.searchsorted(begin, which, side="right") - 1]
        samples = self.samples
        for stream, early, sample in zip(owner.tolist(), first[which].tolist(), kept, strict=True):
            lists = samples.get(stream)
            if lists is None:
                lists = samples[stream] = ([], [])
            lists[0 if early and len(lists[0]) < FIRST_SAMPLES + JUMP_SAMPLES else 1].append(sample)
        for stream in np.unique(owner).tolist():
            self._thin(stream, samples[stream][1])

    @staticmethod
    def _heads(
        view: memoryview, lead: NDArray[np.uint16], start: NDArray[np.int64], end: NDArray[np.int64]
    ) -> tuple[list[bytes], list[bytes]]:
        """CSRC lists and extensions of headers, as far as they were captured."""
        begin = np.minimum(start + 12, end)
        middle = np.minimum(begin + ((lead & np.uint16(0x0F)) << 2), end)
        end = np.minimum(end, middle + HEAD_OCTETS)
        ends = zip(begin.tolist(), middle.tolist(), end.tolist(), strict=True)
        cut = [(bytes(view[one:two]), bytes(view[two:three])) for one, two, three in ends]
        return [csrc for csrc, _ in cut], [extension for _, extension in cut]

    def _thin(self, stream: int, kept: list[MediaSample]) -> None:
        """Bound the samples spread over a stream: of too many, those stay whose numbers have more zero bits."""
        spread = self.columns["spread"]
        while len(kept) > SPREAD_SAMPLES and spread[stream] < 0x7FFF:
            mask = spread[stream] = int(spread[stream]) * 2 + 1
            kept[:] = [each for each in kept if not each.sequence & mask]

    def _prune(self) -> None:
        """Forget streams of one packet: by chance one datagram in six looks like RTP."""
        columns = self.columns
        count = self.table.count
        stay = columns["packets"][:count] > 1
        newest = int(columns["last_time"][:count].max())
        stay |= columns["last_time"][:count] > newest - 10 * 10**9
        if np.count_nonzero(stay) * 2 > count:
            return
        which = np.flatnonzero(stay)
        number = np.full(count, -1, np.int32)
        number[which] = np.arange(len(which), dtype=np.int32)
        self.forgotten += count - len(which)
        for name, array in columns.items():
            columns[name] = array[which]
        self.identity = self.identity[which]
        self.table = KeyTable()
        self.table.find(columns["key"])
        self.samples = {int(number[s]): kept for s, kept in self.samples.items() if number[s] >= 0}
        self.recent = None
        columns["doubled"][:] = False
        total = self.size_table.count
        owner = number[self.size_owner[:total]]
        live = np.flatnonzero(owner >= 0)
        keys = self.size_table.known[live]
        self.size_table = KeyTable()
        self.size_table.find(keys)
        self.size_owner = owner[live]
        for name in ("size_what", "size_packets", "size_first", "size_last"):
            setattr(self, name, getattr(self, name)[live])

    def settle(self, *, wait: bool = False) -> None:
        """The capture has been read; nothing is under way here that could be waited for."""

    def streams(self) -> list[Stream]:
        """Every stream, in the order of their first packets."""
        total, columns = self.size_table.count, self.columns
        sizes: dict[int, list[SizeRun]] = {}
        lists = (self.size_owner, self.size_what, self.size_packets, self.size_first, self.size_last)
        for owner, what, packets, first, last in zip(*(each[:total].tolist() for each in lists), strict=True):
            sizes.setdefault(owner, []).append(SizeRun(what >> 16, what & 0xFFFF, packets, first, last))
        out = []
        for row in range(self.table.count):
            early, spread = self.samples.get(row, ([], []))
            number = {name: int(column[row]) for name, column in columns.items()}
            out.append(
                Stream(
                    identity=self.identity[row].tobytes(),
                    packets=number["packets"],
                    sighted_again=number["again"],
                    first_time=number["first_time"],
                    last_time=number["last_time"],
                    first_frame=number["first_frame"],
                    last_frame=number["last_frame"],
                    lowest=number["lowest"],
                    highest=number["highest"],
                    follow=number["follow"],
                    backward=number["backward"],
                    sizes=sizes.get(row, []),
                    samples=sorted([*early, *spread]),
                    origin=number["origin"],
                )
            )
        return out

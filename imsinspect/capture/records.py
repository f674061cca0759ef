"""Finds the packet records of pcap and pcapng files, in columns.

The offset of a record follows from the length of the one before, so the walk is serial by nature. Here many lanes walk
at once, each from a place that looks like a record header, which is a guess; that all lengths chain without a gap from
the known start is then checked for every record, so a wrong guess costs time (the plain loop does the window again)
and never an error.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imsinspect.capture.errors import CaptureError
from imsinspect.capture.linktypes import LINK_TYPES, link_name
from imsinspect.capture.rows import chosen, column, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from imsinspect.capture.blocks import Interface, Secrets

BATCH = 16_384  # packets whose rows are in the processor's cache at once
LANE, SEARCH = 32_768, (512, 2_048)
MAX_CAPTURED = 262_144  # octets of one packet; no link layer of ours carries more
MAX_INTERFACES = 65_536
MAX_SECTIONS = 65_536
MAX_DESCRIPTION = 65_536  # octets of an interface description that are looked at
MAX_NOTES = 64
SHORT_SECTION = 1 << 18  # octets; behind one this short the next is walked by the plain loop
NANO = 10**9

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
}
UNSUPPORTED_MAGICS = {
    b"\x34\xcd\xb2\xa1": "Kuznetzov's modified pcap",
    b"\xa1\xb2\xcd\x34": "Kuznetzov's modified pcap",
    b"\xcd\x34\xb2\xa1": "a reserved pcap variant (0xa1b234cd)",
    b"\xa1\xb2\x34\xcd": "a reserved pcap variant (0xa1b234cd)",
    b"\x4d\x3c\x2b\xa1": "a reserved pcap variant (0xa12b3c4d)",
    b"\xa1\x2b\x3c\x4d": "a reserved pcap variant (0xa12b3c4d)",
    b"\xcb\xc3\xb2\xa1": "a reserved pcap variant (0xa1b2c3cb)",
    b"\xa1\xb2\xc3\xcb": "a reserved pcap variant (0xa1b2c3cb)",
    b"\x04\x22\x4d\x18": "LZ4 compression",
    b"snoo": "the snoop format",
}
SECTION_BYTES = b"\x0a\x0d\x0d\x0a"
SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET, JOURNAL, SECRETS = 0x0A0D0D0A, 1, 2, 3, 6, 9, 10
CUSTOM, CUSTOM_PRIVATE = 0x0BAD, 0x40000BAD
COUNTED = (OLD_PACKET, SIMPLE_PACKET, JOURNAL, CUSTOM, CUSTOM_PRIVATE)  # blocks that Wireshark numbers as frames too


@dataclass(slots=True)
class Records:
    """Packets of one link type out of a window, as columns; offsets are of their records in the window's data."""

    rows: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    frames: NDArray[np.int64]  # frame ids
    when: NDArray[np.int64]  # nanoseconds since 1970
    head: int  # octets of record header before the packet
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    link: int
    fcs: int = 0  # octets of frame check sequence at the end of each frame


@dataclass(slots=True)
class FormatFacts:
    """What the headers of a capture said, for the report and for keys."""

    name: str
    links: list[int] = field(default_factory=list)
    secrets: list[Secrets] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    packets: int = 0
    first_time: int | None = None
    last_time: int | None = None
    fallbacks: int = 0
    damaged: str = ""


class RecordWalk:
    """What pcap and pcapng share: lanes, the check that they chain, and the plain loop behind them."""

    header = 16  # octets of the smallest record header

    def __init__(self, order: str, facts: FormatFacts) -> None:
        self.order, self.facts = order, facts
        self.base = 0  # added to frame numbers: the capture they belong to (frames.frame_id)
        self.after = 0  # first octet of the window that no record took
        self.oversize = 0  # octets of a record that no window can hold

    def records(self, data: NDArray[np.uint8], at: int, end: int) -> Iterator[Records]:
        """The whole packet records of a window, a batch at a time, in order; `after` tells where they ended."""
        raise NotImplementedError

    def _size_of(self, rows: NDArray[np.uint8]) -> NDArray[np.int64]:
        raise NotImplementedError

    def _plain(self, data: NDArray[np.uint8], at: int, end: int) -> NDArray[np.int64]:
        raise NotImplementedError

    def _lanes(self, data: NDArray[np.uint8], at: int, end: int) -> NDArray[np.int64]:
        raise NotImplementedError

    def _bad(self, size: NDArray[np.int64]) -> bool:
        raise NotImplementedError

    def _chains(
        self, data: NDArray[np.uint8], at: int, end: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]]:
        """Offsets, rows and sizes of the whole records from `at` on, proven to chain."""
        offsets, done, proven = self._lanes(data, at, end), 0, False
        self.after = at
        while done < len(offsets):
            part = offsets[done : done + BATCH]
            rows = gather(data, part)
            size = self._size_of(rows)
            after = part + size
            if not proven and (part[0] != at or not np.array_equal(part[1:], after[:-1]) or self._bad(size)):
                self.facts.fallbacks += 1
                offsets, done, proven = self._plain(data, at, end), 0, True
                continue
            if after[-1] > end:  # the last record is cut by the window
                part, rows, size = part[:-1], rows[:-1], size[:-1]
                if not len(part):
                    return
                self.after = at = int(part[-1] + size[-1])
                yield part, rows, size
                return
            self.after = at = int(after[-1])
            yield part, rows, size
            done += BATCH

    def _span(self, when: NDArray[np.int64]) -> None:
        """Note the times that packets span."""
        facts = self.facts
        low, high = int(when.min()), int(when.max())
        facts.first_time = low if facts.first_time is None else min(facts.first_time, low)
        facts.last_time = high if facts.last_time is None else max(facts.last_time, high)

    def _damage(self, text: str) -> None:
        if not self.facts.damaged:
            self.facts.damaged = text
            self.facts.notes.append(text)

    def _note(self, text: str) -> None:
        if len(self.facts.notes) < MAX_NOTES:
            self.facts.notes.append(text)

    def _known_link(self, link: int) -> None:
        if link not in self.facts.links:
            self.facts.links.append(link)
            if link not in LINK_TYPES:
                self.facts.notes.append(
                    f"packets of {link_name(link)} are counted and not read: the type is not supported"
                )


class PcapWalk(RecordWalk):
    """Records of a pcap file."""

    def __init__(self, data: bytes) -> None:
        order, self.ticks = PCAP_MAGICS[data[:4]]
        if len(data) < 24:
            raise CaptureError("the pcap file header is cut short")
        major, minor, _, snaplen, word = struct.unpack_from(order + "HH8sII", data, 4)
        if (major, minor) != (2, 4):
            raise CaptureError(f"pcap version {major}.{minor} is not supported")
        super().__init__(order, FormatFacts("pcap"))
        self.first = 24
        self.snaplen = snaplen
        self.link = word & 0xFFFF
        self.fcs = (word >> 28) * 2 if word & 0x04000000 else 0
        self._known_link(self.link)

    def records(self, data: NDArray[np.uint8], at: int, end: int) -> Iterator[Records]:
        """The whole packet records of a window."""
        order, scale = self.order, NANO // self.ticks
        for offsets, rows, size in self._chains(data, at, end):
            when = column(rows, 0, order + "u4").astype(np.int64)
            when *= NANO
            fraction = column(rows, 4, order + "u4")
            when += fraction.astype(np.int64) * scale if scale > 1 else fraction
            self._span(when)
            first = self.base + self.facts.packets + 1
            frames = np.arange(first, first + len(when), dtype=np.int64)
            self.facts.packets += len(frames)
            original = column(rows, 12, order + "u4").astype(np.int64)
            yield Records(rows, offsets, frames, when, 16, size - 16, original, self.link, self.fcs)

    def _size_of(self, rows: NDArray[np.uint8]) -> NDArray[np.int64]:
        size = column(rows, 8, self.order + "u4").astype(np.int64)
        size += 16
        return size

    def _bad(self, size: NDArray[np.int64]) -> bool:
        return bool((size > MAX_CAPTURED + 16).any())

    def _plain(self, data: NDArray[np.uint8], at: int, end: int) -> NDArray[np.int64]:
        out: list[int] = []
        add, unpack, view = out.append, struct.Struct(self.order + "8xI").unpack_from, data.data
        while at + 16 <= end:
            (size,) = unpack(view, at)
            if size > MAX_CAPTURED:
                self._damage(f"a record claims {size} octets, which no packet has: read up to there")
                break
            if at + 16 + size > end:
                break
            add(at)
            at += 16 + size
        return np.array(out, np.int64)

    def _lanes(self, data: NDArray[np.uint8], at: int, end: int) -> NDArray[np.int64]:
        starts = self._lane_starts(data, at, end)
        limit = np.append(starts[1:], end)
        low, high = (data[8:], data[9:]) if self.order == "<" else (data[11:], data[10:])
        where, rounds = starts, [starts]
        while True:
            size = high.take(where, mode="clip").astype(np.int64)
            size <<= 8
            size |= low.take(where, mode="clip")
            size += 16
            size += where
            where = np.minimum(size, limit, out=size)
            if not len(rounds) % 8 and np.array_equal(where, limit):
                break
            rounds.append(where)
        table = np.array(rounds).T
        return table[table < limit[:, None]]

    def _lane_starts(self, data: NDArray[np.uint8], at: int, end: int) -> NDArray[np.int64]:
        lanes = max((end - SEARCH[-1] - 64 - at) // LANE, 1)
        found = np.full(lanes, -1, np.int64)
        found[0] = at
        todo = np.arange(1, lanes)
        # A byte that headers share is the slow byte of the seconds; three of the others must be zero.
        slow, near = (3, 2) if self.order == "<" else (0, 1)
        zero = (7, 11, 15) if self.order == "<" else (4, 8, 12)
        fraction = 64 if self.ticks > 10**6 else 1
        first = at + todo * LANE + slow
        for reach in SEARCH:
            if not len(todo):
                break
            views = np.lib.stride_tricks.as_strided(data, (len(data) - reach, reach), (1, 1))
            lane, hit = np.divmod(np.flatnonzero(views[first] == data[at + slow]), reach)
            place = first[lane] + hit - slow
            good = (data[place + near] == data[at + near]) & (data[place + zero[1]] == 0)
            good &= (data[place + zero[2]] == 0) & (data[place + zero[0]] < fraction)
            place, lane = place[good], lane[good]
            found[todo[lane[::-1]]] = place[::-1]
            still = found[todo] < 0
            todo, first = todo[still], first[still]
        return found[found >= 0]


class PcapngWalk(RecordWalk):
    """Packets of a pcapng file, section by section, with the interfaces and secrets that its other blocks bring."""

    header = 12

    def __init__(self) -> None:
        super().__init__("<", FormatFacts("pcapng"))
        self.first = 0
        self.sections = 0
        self.short = False  # the section before was a short one
        self.interfaces: list[Interface] = []
        self.kinds: list[int] = []  # of each interface, the number of its shape
        self.shapes: dict[Interface, int] = {}  # distinct interfaces by what decoding needs

    def records(self, data: NDArray[np.uint8], at: int, end: int) -> Iterator[Records]:
        """The whole packet records of a window."""
        self.after = at
        while at + 12 <= end and not self.facts.damaged:
            if data[at : at + 4].tobytes() == SECTION_BYTES:
                header = self._section(data, at)
                if not header or at + header > end:
                    return
                at += header
                self.after = at
                continue
            started = begun = at
            for offsets, rows, size in self._chains(data, at, end):
                types = column(rows, 0, self.order + "u4")
                section = np.flatnonzero(types == SECTION)
                if len(section):
                    cut = int(section[0])
                    self.after = int(offsets[cut])
                    offsets, rows, size, types = offsets[:cut], rows[:cut], size[:cut], types[:cut]
                if len(offsets):
                    yield from self._packets(data, offsets, rows, size, types)
                if len(section):
                    break
            at = self.after
            self.short = at - begun < SHORT_SECTION
            if at == started:
                self._too_large(data, at, end)
                return
            if data[at : at + 4].tobytes() != SECTION_BYTES:
                return

    def _too_large(self, data: NDArray[np.uint8], at: int, end: int) -> None:
        """A block that the window cuts; one that no window can hold is to be skipped."""
        size = struct.unpack_from(self.order + "I", data.data, at + 4)[0]
        if size >= 12 and size % 4 == 0 and end - at < size and end - at >= MAX_CAPTURED * 4:
            self.oversize = size
            self._note(f"a block of {size} octets was skipped")

    def _section(self, data: NDArray[np.uint8], at: int) -> int:
        """Begin a section; gives the length of its header block."""
        magic = data[at + 8 : at + 12].tobytes()
        if magic not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
            self._damage("a section header has no byte-order magic: read up to there")
            return 0
        self.sections += 1
        if self.sections > MAX_SECTIONS:
            self._damage(f"more than {MAX_SECTIONS} sections: read up to there")
            return 0
        self.order = "<" if magic[0] == 0x4D else ">"
        self.interfaces, self.kinds, self.shapes = [], [], {}
        size = int(struct.unpack_from(self.order + "I", data.data, at + 4)[0])
        if size < 28 or size % 4:
            self._damage(f"a section header claims {size} octets: read up to there")
            return 0
        return size

    def _packets(
        self,
        data: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        rows: NDArray[np.uint8],
        size: NDArray[np.int64],
        types: NDArray[np.unsignedinteger],
    ) -> Iterator[Records]:
        order = self.order
        usual = types == PACKET
        if not usual.all():
            for index in np.flatnonzero(~usual & (types != OLD_PACKET) & (types != SIMPLE_PACKET)).tolist():
                self._block(data, int(offsets[index]), int(size[index]), int(types[index]))
        counted = usual | np.isin(types, COUNTED)
        numbers = np.cumsum(counted) + (self.base + self.facts.packets)
        self.facts.packets = int(numbers[-1]) - self.base
        for kind, head in ((PACKET, 28), (OLD_PACKET, 28), (SIMPLE_PACKET, 12)):
            which = np.flatnonzero(types == kind)
            if not len(which):
                continue
            whole = len(which) == len(rows)
            part = rows if whole else chosen(rows, which)
            where, room, frames = (offsets, size, numbers) if whole else (offsets[which], size[which], numbers[which])
            yield from self._one_kind(part, where, room, frames, kind, head, order)

    def _one_kind(
        self,
        rows: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        room: NDArray[np.int64],
        frames: NDArray[np.int64],
        kind: int,
        head: int,
        order: str,
    ) -> Iterator[Records]:
        """Packet blocks of one type; each must name an interface and fit its block."""
        if kind == SIMPLE_PACKET:
            owner = np.zeros(len(rows), np.int64)
            original = column(rows, 8, order + "u4").astype(np.int64)
            snaplen = self.interfaces[0].snaplen if self.interfaces else 0
            captured = np.minimum(original, snaplen) if snaplen else original
            stamp = np.zeros(len(rows), np.uint64)
        else:
            width = "u4" if kind == PACKET else "u2"
            owner = column(rows, 8, order + width).astype(np.int64)
            stamp = column(rows, 12, order + "u4").astype(np.uint64)
            stamp <<= np.uint64(32)
            stamp |= column(rows, 16, order + "u4")
            captured = column(rows, 20, order + "u4").astype(np.int64)
            original = column(rows, 24, order + "u4").astype(np.int64)
        good = (owner < len(self.interfaces)) & (captured <= room - head - 4)
        if not good.all():
            self._note(
                f"{int(np.count_nonzero(~good))} packet blocks are damaged (interface or length) and were skipped, "
                f"the first as frame {int(frames[~good][0]) - self.base}"
            )
            which = np.flatnonzero(good)
            rows, offsets, frames = chosen(rows, which), offsets[which], frames[which]
            owner, stamp, captured, original = owner[which], stamp[which], captured[which], original[which]
            if not len(which):
                return
        kinds = np.array(self.kinds, np.intp)[owner]
        shapes = list(self.shapes)
        for number in np.unique(kinds).tolist():
            face = shapes[number]
            part = rows
            pick: slice | NDArray[np.intp] = slice(None)
            if len(shapes) > 1:
                pick = np.flatnonzero(kinds == number)
                part = chosen(rows, pick)
            when = nanoseconds(stamp[pick], face.ticks, face.offset)
            if kind == SIMPLE_PACKET:  # it carries no time: that of the packets before it serves
                when[:] = self.facts.last_time or 0
            self._span(when)
            self._known_link(face.link_type)
            yield Records(part, offsets[pick], frames[pick], when, head, captured[pick], original[pick], face.link_type)

    def _block(self, data: NDArray[np.uint8], at: int, size: int, kind: int) -> None:
        """A block that is no packet; only interfaces and secrets matter here."""
        from imsinspect.capture import blocks  # the grammar library is loaded for pcapng only

        if kind == INTERFACE:
            face = blocks.interface(self.order, data[at + 8 : at + min(size - 4, MAX_DESCRIPTION)].tobytes())
            if face is None or len(self.interfaces) >= MAX_INTERFACES:
                self._damage("an interface description is damaged: read up to there")
                return
            self.interfaces.append(face)
            self.kinds.append(self.shapes.setdefault(face, len(self.shapes)))
        elif kind == SECRETS:
            found = blocks.secrets(self.order, data[at + 8 : at + size - 4].tobytes())
            if found is None:
                self._note("a decryption secrets block is damaged and was skipped")
            else:
                self.facts.secrets.append(found)

    def _size_of(self, rows: NDArray[np.uint8]) -> NDArray[np.int64]:
        return column(rows, 4, self.order + "u4").astype(np.int64)

    def _bad(self, size: NDArray[np.int64]) -> bool:
        return bool(((size < 12) | (size & 3 != 0)).any())

    def _plain(self, data: NDArray[np.uint8], at: int, end: int) -> NDArray[np.int64]:
        out: list[int] = []
        add, unpack, view = out.append, struct.Struct(self.order + "II").unpack_from, data.data
        while at + 12 <= end:
            kind, size = unpack(view, at)
            if kind == SECTION:
                add(at)  # the caller begins the section
                break
            if size < 12 or size % 4:
                self._damage(f"a block claims {size} octets: read up to there")
                break
            if at + size > end:
                break
            add(at)
            at += size
        return np.array(out, np.int64)

    def _lanes(self, data: NDArray[np.uint8], at: int, end: int) -> NDArray[np.int64]:
        if at % 4 or self.short:  # sections of odd length before it: cells do not line up
            return self._plain(data, at, end)
        cells = data[: len(data) // 4 * 4].view(self.order + "u4")
        starts = self._lane_starts(cells, at // 4, end // 4)
        limit = np.append(starts[1:], end // 4)
        lengths = cells[1:]
        where, rounds = starts, [starts]
        while True:
            size = np.maximum(lengths.take(where, mode="clip") >> 2, 3).astype(np.int64)
            size += where
            where = np.minimum(size, limit, out=size)
            if not len(rounds) % 8 and np.array_equal(where, limit):
                break
            rounds.append(where)
        table = np.array(rounds).T
        return table[table < limit[:, None]] * 4

    @staticmethod
    def _lane_starts(cells: NDArray[np.uint32], at: int, end: int) -> NDArray[np.int64]:
        lanes = max((end - SEARCH[-1] // 4 - 16 - at) // (LANE // 4), 1)
        found = np.full(lanes, -1, np.int64)
        found[0] = at
        todo = np.arange(1, lanes)
        first = at + todo * (LANE // 4)
        for reach in SEARCH:
            if not len(todo):
                break
            width = reach // 4
            views = np.lib.stride_tricks.as_strided(cells, (len(cells) - width, width), (4, 4))
            lane, hit = np.divmod(np.flatnonzero(views[first] == PACKET), width)
            place = first[lane] + hit
            size = cells[place + 1] >> 2
            tail = place + size - 1
            good = (size >= 8) & (tail < len(cells))
            good &= cells[np.where(good, tail, place)] == size * 4
            place, lane = place[good], lane[good]
            found[todo[lane[::-1]]] = place[::-1]
            still = found[todo] < 0
            todo, first = todo[still], first[still]
        return found[found >= 0]


def nanoseconds(stamp: NDArray[np.uint64], ticks: int, offset: int) -> NDArray[np.int64]:
    """Interface time stamps as nanoseconds since 1970; integers throughout, so that no resolution loses digits."""
    if ticks <= NANO and NANO % ticks == 0:
        out = (stamp * np.uint64(NANO // ticks)).astype(np.int64)
    elif ticks & (ticks - 1) == 0:
        bits = ticks.bit_length() - 1
        if bits >= 64:
            out = np.zeros(len(stamp), np.int64)
        else:
            seconds, fraction = stamp >> np.uint64(bits), stamp & np.uint64(ticks - 1)
            drop = max(bits - 33, 0)  # fraction times 10^9 must stay within 64 bits
            fraction = (fraction >> np.uint64(drop)) * np.uint64(NANO) >> np.uint64(bits - drop)
            out = (seconds * np.uint64(NANO) + fraction).astype(np.int64)
    else:
        divisor = ticks // NANO
        out = (stamp // np.uint64(divisor)).astype(np.int64) if divisor < 1 << 63 else np.zeros(len(stamp), np.int64)
    if offset:
        limit = 9_000_000_000
        out += max(-limit, min(limit, offset)) * NANO
    return out


def record_walk(head: bytes) -> PcapWalk | PcapngWalk:
    """The walk for a capture that begins with these bytes (24 or more, where it has them); CaptureError for others."""
    magic = head[:4]
    if magic in PCAP_MAGICS:
        return PcapWalk(head)
    if magic == SECTION_BYTES:
        return PcapngWalk()
    if magic in UNSUPPORTED_MAGICS:
        raise CaptureError(f"{UNSUPPORTED_MAGICS[magic]} is not supported")
    raise CaptureError("not a capture file (neither pcap nor pcapng)")

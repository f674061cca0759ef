"""Copies a capture to pcapng, with comments on some of its packets or with some of its packets alone.

What is pcapng already is copied block by block as it is: sections, interfaces, names, secrets, statistics, options.
Only the blocks of packets that get a comment change. Facts: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture.blocks import ENHANCED_PACKET, SIMPLE_PACKET
from imsinspect.capture.pcapng_writer import COMMENT, MAX_TEXT, Copied, PcapngWriter, copies
from imsinspect.capture.records import NANO, SECTION_BYTES, PcapngWalk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from imsinspect.capture.records import PcapWalk, Records
    from imsinspect.capture.source import Opened
    from imsinspect.capture.windows import Window

END = 0
HEAD = 28  # octets of a packet block before the packet; of a Simple Packet Block 12
RESOLUTIONS = {10**6: 6, NANO: 9}


@dataclass(slots=True)
class CopyDone:
    """What was written."""

    packets: int = 0
    comments: int = 0  # that were not there before
    commented: int = 0  # packets that have one of ours, or had it
    dated: int = 0  # packets of blocks without a time or room for comments, which were given both


class _Block(NamedTuple):
    """A packet's block in a window."""

    frame: int
    start: int
    end: int
    order: str
    time: int  # nanoseconds since 1970
    ticks: int  # of the section's first interface, per second, and what is added to its times in seconds
    offset: int


def copy(
    opened: Opened,
    file: BinaryIO,
    comments: Mapping[int, Sequence[str]],
    keep: NDArray[np.bool_] | None = None,
    application: str = "",
) -> CopyDone:
    """Write a capture; `comments` are by frame number, `keep` says by frame number which packets are written."""
    walk = opened.walk
    done = CopyDone()
    way: _Blocks | _Packets
    way = (
        _Blocks(walk, file, comments, keep, done)
        if isinstance(walk, PcapngWalk)
        else _Packets(walk, PcapngWriter(file, application), comments, keep, done)
    )
    windows = opened.windows
    windows.consumed(walk.first)
    while True:
        window = windows.next()
        way.window(window)
        if walk.oversize:
            windows.consumed(walk.oversize)
            walk.oversize = 0
            continue
        windows.consumed(walk.after - window.at)
        if window.final or walk.facts.damaged or walk.after == window.at:
            return done


def _kept(keep: NDArray[np.bool_] | None, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    if keep is None:
        return np.ones(len(frames), np.bool_)
    return (frames < len(keep)) & keep[np.minimum(frames, len(keep) - 1)]


def _among(frames: NDArray[np.int64], comments: NDArray[np.int64]) -> NDArray[np.intp]:
    """Rows of frames that get comments."""
    return np.flatnonzero(np.isin(frames, comments)) if len(comments) else np.zeros(0, np.intp)


# --- pcap -----------------------------------------------------------------------------------------


class _Packets:
    """Packets of a pcap file, to one interface of the same resolution."""

    def __init__(
        self,
        walk: PcapWalk,
        writer: PcapngWriter,
        comments: Mapping[int, Sequence[str]],
        keep: NDArray[np.bool_] | None,
        done: CopyDone,
    ) -> None:
        self.walk, self.writer, self.comments, self.keep, self.done = walk, writer, comments, keep, done
        self.frames = np.array(sorted(comments), np.int64)
        self.step = NANO // walk.ticks  # nanoseconds
        self.interface = writer.interface(
            walk.link, fcs=walk.fcs, resolution=RESOLUTIONS[walk.ticks], snap_length=walk.snaplen
        )

    def window(self, window: Window) -> None:
        for found in self.walk.records(window.data, window.at, window.end):
            self._batch(window.data, found)

    def _batch(self, data: NDArray[np.uint8], found: Records) -> None:
        kept = np.flatnonzero(_kept(self.keep, found.frames))
        self.done.packets += len(kept)
        start, captured = (found.offsets + found.head)[kept], found.captured[kept]
        original, stamp = found.original[kept], found.when[kept] // self.step
        special = _among(found.frames[kept], self.frames).tolist()
        for low, high in zip([0, *(each + 1 for each in special)], [*special, len(kept)], strict=True):
            part = slice(low, high)
            some = captured[part]
            faces = np.full(len(some), self.interface, np.int64)
            blocks, _ = copies(data, Copied(start[part], some, some, original[part], stamp[part], faces))
            self.writer.write(blocks)
            if high < len(kept):
                said = self.comments[int(found.frames[kept[high]])]
                self.done.commented += 1
                self.done.comments += len(said)
                at = int(start[high])
                packet = data[at : at + int(captured[high])].tobytes()
                self.writer.packet(
                    self.interface, int(stamp[high]), packet, original=int(original[high]), comments=said
                )


# --- pcapng ---------------------------------------------------------------------------------------


class _Blocks:
    """Blocks of a pcapng file."""

    def __init__(
        self,
        walk: PcapngWalk,
        file: BinaryIO,
        comments: Mapping[int, Sequence[str]],
        keep: NDArray[np.bool_] | None,
        done: CopyDone,
    ) -> None:
        self.walk, self.file, self.comments, self.keep, self.done = walk, file, comments, keep, done
        self.frames = np.array(sorted(comments), np.int64)

    def window(self, window: Window) -> None:
        data = window.data
        starts, ends, keeps, changed = [], [], [], []
        for found in self.walk.records(data, window.at, window.end):
            size = _sizes(data, found.offsets, self.walk.order)
            kept = _kept(self.keep, found.frames)
            starts.append(found.offsets)
            ends.append(found.offsets + size)
            keeps.append(kept)
            self.done.packets += int(np.count_nonzero(kept))
            for row in _among(found.frames, self.frames).tolist():
                if kept[row]:
                    changed.append(self._block(found, row, int(size[row])))
        after = self.walk.after
        if not starts:
            self._copy(data, window.at, after, iter(self._sections(data, [(window.at, after)])))
            return
        start, end, keep = np.concatenate(starts), np.concatenate(ends), np.concatenate(keeps)
        order = np.argsort(start, kind="stable")
        start, end, keep = start[order], end[order], keep[order]
        gaps = np.flatnonzero(np.append(start, after) > np.insert(end, 0, window.at))
        between = list(
            zip(np.insert(end, 0, window.at)[gaps].tolist(), np.append(start, after)[gaps].tolist(), strict=True)
        )
        changes = [
            *self._sections(data, between),
            *((low, high, b"") for low, high in _runs(start, end, ~keep)),
            *((each.start, each.end, self._commented(data, each)) for each in changed),
        ]
        self._copy(data, window.at, after, iter(sorted(changes)))

    def _block(self, found: Records, row: int, size: int) -> _Block:
        start, face = int(found.offsets[row]), self.walk.interfaces[0]
        frame, time = int(found.frames[row]), int(found.when[row])
        return _Block(frame, start, start + size, self.walk.order, time, face.ticks, face.offset)

    def _copy(self, data: NDArray[np.uint8], at: int, after: int, changes: Iterator[tuple[int, int, bytes]]) -> None:
        """Octets of a window, those that change exchanged."""
        for start, end, octets in changes:
            self.file.write(data.data[at:start])
            self.file.write(octets)
            at = end
        self.file.write(data.data[at:after])

    @staticmethod
    def _sections(data: NDArray[np.uint8], between: list[tuple[int, int]]) -> Iterator[tuple[int, int, bytes]]:
        """Section headers lose the section's length, which is another one now."""
        for at, end in between:
            order = _order(data, at, end)
            while at + 24 <= end:
                if data[at : at + 4].tobytes() == SECTION_BYTES:
                    order = "<" if data[at + 8] == 0x4D else ">"
                    yield at + 16, at + 24, b"\xff" * 8
                size = struct.unpack_from(order + "I", data.data, at + 4)[0]
                if size < 12:
                    break
                at += size

    def _commented(self, data: NDArray[np.uint8], block: _Block) -> bytes:
        octets = data[block.start : block.end].tobytes()
        if struct.unpack_from(block.order + "I", octets)[0] == SIMPLE_PACKET:
            octets = _enhanced(octets, block)
            self.done.dated += 1
        self.done.commented += 1
        octets, added = with_comments(octets, block.order, self.comments[block.frame])
        self.done.comments += added
        return octets


def _order(data: NDArray[np.uint8], at: int, end: int) -> str:
    """The byte order in which lengths lead from one block of a stretch to the next."""
    place = at
    while place + 12 <= end and data[place : place + 4].tobytes() != SECTION_BYTES:
        (size,) = struct.unpack_from("<I", data.data, place + 4)
        if size < 12 or size % 4 or place + size > end:
            return ">"
        place += size
    return "<"


def _sizes(data: NDArray[np.uint8], offsets: NDArray[np.int64], order: str) -> NDArray[np.int64]:
    every = np.ndarray((len(data) - 7,), "V8", data, strides=(1,))
    return every[offsets].view(order + "u4").reshape(-1, 2)[:, 1].astype(np.int64)


def _runs(start: NDArray[np.int64], end: NDArray[np.int64], dropped: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Stretches of blocks that are left out, each as long as no other block stands between."""
    which = np.flatnonzero(dropped)
    if not len(which):
        return
    breaks = np.flatnonzero(start[which[1:]] != end[which[:-1]])
    low, high = np.insert(breaks + 1, 0, 0), np.append(breaks, len(which) - 1)
    yield from zip(start[which[low]].tolist(), end[which[high]].tolist(), strict=True)


def _enhanced(block: bytes, of: _Block) -> bytes:
    """An Enhanced Packet Block of a simple one, which has no room for comments; its time is that of those before it."""
    (original,) = struct.unpack_from(of.order + "I", block, 8)
    data = block[12:-4]
    stamp = max((of.time - of.offset * NANO) * of.ticks // NANO, 0) & 0xFFFFFFFFFFFFFFFF
    captured = min(original, len(data))
    total = HEAD + len(data) + 4
    head = struct.pack(
        of.order + "IIIIIII", ENHANCED_PACKET, total, 0, stamp >> 32, stamp & 0xFFFFFFFF, captured, original
    )
    return head + data + struct.pack(of.order + "I", total)


def with_comments(block: bytes, order: str, comments: Sequence[str]) -> tuple[bytes, int]:
    """The block of a packet with comments behind the options that it has, and how many were not there before."""
    (captured,) = struct.unpack_from(order + "I", block, 20)
    at = HEAD + captured + -captured % 4
    options, behind = block[at:-4], 0
    known = set()
    while behind + 4 <= len(options):
        code, length = struct.unpack_from(order + "HH", options, behind)
        after = behind + 4 + length + -length % 4
        if code == END or after > len(options):
            break
        if code == COMMENT:
            known.add(options[behind + 4 : behind + 4 + length])
        behind = after
    new = [text for text in (comment.encode()[:MAX_TEXT] for comment in comments) if text not in known]
    if not new:
        return block, 0
    added = b"".join(struct.pack(order + "HH", COMMENT, len(text)) + text + bytes(-len(text) % 4) for text in new)
    body = block[8:at] + options[:behind] + added + bytes(4)
    total = struct.pack(order + "I", len(body) + 12)
    return block[:4] + total + body + total, len(new)

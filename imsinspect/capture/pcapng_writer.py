"""Writes pcapng: one little-endian section, its interfaces, packets with comments, packets copied in batches.

Facts: draft-ietf-opsawg-pcapng. Interfaces count time in nanoseconds unless told otherwise: nothing is lost.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from construct import Aligned, Bytes, Const, Int16ul, Int32ul, Int64sl, Rebuild, len_, this
from construct import GreedyRange as Several
from construct import Struct as Grammar

from imsinspect.capture.blocks import ENHANCED_PACKET, INTERFACE, SECRETS, SECTION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from imsinspect.capture.blocks import Secrets

END, COMMENT = 0, 1
USER_APPLICATION = 4  # of a section
NAME, TIME_RESOLUTION, FCS_LENGTH = 2, 9, 13  # of an interface
FLAGS = 2  # of a packet
NANOSECONDS = 9
SNAP_LENGTH = 262_144
MAX_TEXT = 0xFFFF
PACKET_HEAD = 28  # octets of a packet block before the packet
FEW = 48  # packets of one length, below which they are copied one by one

_OPTION = Grammar(
    "code" / Int16ul, "length" / Rebuild(Int16ul, len_(this.value)), "value" / Aligned(4, Bytes(this.length))
)
_OPTIONS = Several(_OPTION)
_SECTION = Grammar(
    "magic" / Const(0x1A2B3C4D, Int32ul),
    "major" / Const(1, Int16ul),
    "minor" / Const(0, Int16ul),
    "length" / Const(-1, Int64sl),
    "options" / _OPTIONS,
)
_INTERFACE = Grammar("linktype" / Int16ul, "reserved" / Const(0, Int16ul), "snaplen" / Int32ul, "options" / _OPTIONS)
_SECRETS = Grammar(
    "type" / Int32ul, "length" / Rebuild(Int32ul, len_(this.data)), "data" / Aligned(4, Bytes(this.length))
)
_BLOCK = Grammar(
    "type" / Int32ul,
    "total" / Rebuild(Int32ul, len_(this.body) + 12),
    "body" / Bytes(this.total - 12),
    "again" / Rebuild(Int32ul, this.total),
)
_PACKET = struct.Struct("<IIIIIII")
_OPTION_HEAD = struct.Struct("<HH")


class Copied(NamedTuple):
    """Packets of a window that are written as they are, in their order; offsets are those of the window's data."""

    start: NDArray[np.int64]  # of the packet
    captured: NDArray[np.int64]
    behind: NDArray[np.int64]  # octets from the packet's start on: its padding and options, where the input has them
    original: NDArray[np.int64]
    when: NDArray[np.int64]  # nanoseconds since 1970
    interface: NDArray[np.int64]


class PcapngWriter:
    """Writes one section to a stream; interfaces are described where they are first asked for."""

    def __init__(self, file: BinaryIO, application: str) -> None:
        self._file = file
        self._interfaces: dict[tuple[int, str, int], int] = {}
        self._block(SECTION, _SECTION.build({"options": _options((USER_APPLICATION, application.encode()))}))

    def secrets(self, block: Secrets) -> None:
        """Key material, for the packets behind it."""
        self._block(SECRETS, _SECRETS.build({"type": block.type, "data": block.data}))

    def interface(
        self,
        link_type: int,
        name: str = "",
        fcs: int = 0,
        *,
        resolution: int = NANOSECONDS,
        snap_length: int = SNAP_LENGTH,
    ) -> int:
        """The number of an interface with that link type, name, and octets of frame check sequence.

        `resolution` is the power of ten that its times are counted in; where it is another one, so are the times given.
        """
        wanted = link_type, name, fcs
        number = self._interfaces.get(wanted)
        if number is None:
            number = self._interfaces[wanted] = len(self._interfaces)
            options = [(NAME, name.encode())] if name else []
            options.append((TIME_RESOLUTION, bytes([resolution])))
            if fcs:
                options.append((FCS_LENGTH, bytes([fcs])))
            body = {"linktype": link_type, "snaplen": snap_length, "options": _options(*options)}
            self._block(INTERFACE, _INTERFACE.build(body))
        return number

    def packet(
        self, interface: int, time: int, data: bytes, *, original: int | None = None, comments: Sequence[str] = (),
        options: bytes = b"",
    ) -> None:  # fmt: skip
        """One packet; `options` are written as they are, without their end."""
        for comment in comments:
            text = comment.encode()[:MAX_TEXT]
            options += _OPTION_HEAD.pack(COMMENT, len(text)) + text + bytes(-len(text) % 4)
        if options:
            options += bytes(4)
        padding = bytes(-len(data) % 4)
        total = PACKET_HEAD + len(data) + len(padding) + len(options) + 4
        whole = len(data) if original is None else original
        stamp = time & 0xFFFFFFFFFFFFFFFF
        head = _PACKET.pack(
            ENHANCED_PACKET, total, interface, stamp >> 32, stamp & 0xFFFFFFFF, len(data), whole & 0xFFFFFFFF
        )
        self._file.write(b"".join((head, data, padding, options, total.to_bytes(4, "little"))))

    def write(self, blocks: memoryview) -> None:
        """Blocks that `copies` made."""
        self._file.write(blocks)

    def _block(self, kind: int, body: bytes) -> None:
        self._file.write(_BLOCK.build({"type": kind, "body": body}))


def copies(data: NDArray[np.uint8], packets: Copied) -> tuple[memoryview, NDArray[np.int64]]:
    """The blocks of many packets, one behind the other, and where each begins; without a loop over packets."""
    room = packets.behind + (-packets.behind % 4)
    total = room + (PACKET_HEAD + 4)
    ends = np.cumsum(total)
    begin = ends - total
    size = int(ends[-1]) if len(ends) else 0
    out = np.zeros(size, np.uint8)
    if not size:
        return out.data, begin
    words = out.view("<u4")
    at = begin >> 2
    stamp = packets.when.view(np.uint64)
    columns = (
        np.full(len(at), ENHANCED_PACKET, np.int64),
        total,
        packets.interface,
        (stamp >> np.uint64(32)).astype(np.int64),
        (stamp & np.uint64(0xFFFFFFFF)).astype(np.int64),
        packets.captured,
        packets.original & 0xFFFFFFFF,
    )
    for number, column in enumerate(columns):
        words[at + number] = column
    words[(ends >> 2) - 1] = total
    target = begin + PACKET_HEAD
    order = np.argsort(packets.behind, kind="stable")
    lengths = packets.behind[order]
    bounds = [0, *(np.flatnonzero(lengths[1:] != lengths[:-1]) + 1).tolist(), len(order)]
    source_view, target_view = data.data, out.data
    for first, last in pairwise(bounds):
        width, which = int(lengths[first]), order[first:last]
        if not width:
            continue
        if len(which) < FEW:
            for one, other in zip(packets.start[which].tolist(), target[which].tolist(), strict=True):
                target_view[other : other + width] = source_view[one : one + width]
            continue
        kind = np.dtype((np.void, width))
        every = np.ndarray((len(data) - width + 1,), kind, data, strides=(1,))
        every_target = np.ndarray((size - width + 1,), kind, out, strides=(1,))
        every_target[target[which]] = every[packets.start[which]]
    return target_view, begin


def comments_of(options: bytes) -> bytes:
    """Of a packet's little-endian options the comments and flags: what stays true when its octets change."""
    kept, at = b"", 0
    while at + 4 <= len(options):
        code, length = _OPTION_HEAD.unpack_from(options, at)
        after = at + 4 + length + (-length % 4)
        if code == END or after > len(options):
            break
        if code in (COMMENT, FLAGS):
            kept += options[at:after]
        at = after
    return kept


def _options(*pairs: tuple[int, bytes]) -> list[dict[str, object]]:
    return [{"code": code, "value": value} for code, value in (*pairs, (END, b""))]

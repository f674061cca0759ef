"""The form of every report block of RTCP XR (RFC 3611 §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.binary import Bits, Layer, Number, Numbers, Opaque, named
from dissectors.rtp.codes import INTERVAL_METRIC, XR_BLOCK_TYPES
from dissectors.rtp.fields import Words, octets_of
from dissectors.rtp.readable import run_length_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field


def block(block_type: int, *specific: Field) -> list[Field]:
    """The first word of a block; the octet that is specific to its type is reserved where nothing else is said."""
    return [
        Number("block_type", block_type, 1, named(XR_BLOCK_TYPES)),
        *(specific or [Number("reserved", 0, 1)]),
        Words("block_length"),
    ]


def interval(*others: Field) -> list[Field]:
    """The I bits of the first octet, and what is behind them."""
    return [Bits("I", 1, 2, named(INTERVAL_METRIC), begins=1), *(others or [Bits("reserved", 0, 6)])]


SSRC = Number("SSRC_of_source", 0, 4)
BEGIN_SEQ, END_SEQ = Number("begin_seq", 0, 2), Number("end_seq", 0, 2)
THINNING = [Bits("reserved", 0, 4, begins=1), Bits("T", 0, 4)]
CHUNKS = Numbers("chunks", None, 2, run_length_chunk)


class XRBlock(Layer):
    """RFC 3611 §3: a block of a type that has no layer of its own."""

    name = "XRBlock"
    fields_desc = [*block(0, Number("type_specific", 0, 1)), Opaque("contents", b"")]

    def troubles(self) -> Iterator[str]:
        """The length counts the words behind the first."""
        there = octets_of(self) + len(bytes(self.payload)) - 4
        if isinstance(self.block_length, int) and 4 * self.block_length != there:
            yield f"block_length says {4 * self.block_length} octets, {there} are there"

"""SCTP packets as far as their user messages go (RFC 9260 §3.3.1), without Scapy."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = 0
MAX_CHUNKS = 512


class DataChunk(NamedTuple):
    """A DATA chunk."""

    tsn: int
    stream: int
    protocol: int  # payload protocol identifier
    begins: bool
    ends: bool
    unordered: bool
    data: bytes


def data_chunks(packet: bytes) -> Iterator[DataChunk]:
    """The DATA chunks of a packet; it ends at the first chunk whose length is wrong."""
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 4 > len(packet):
            return
        kind, flags, length = struct.unpack_from("!BBH", packet, at)
        if length < 4:
            return
        if kind == DATA and length >= 16 and at + length <= len(packet):
            tsn, stream, _, protocol = struct.unpack_from("!IHHI", packet, at + 4)
            yield DataChunk(
                tsn, stream, protocol, bool(flags & 2), bool(flags & 1), bool(flags & 4), packet[at + 16 : at + length]
            )
        at += length + -length % 4

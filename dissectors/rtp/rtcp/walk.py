"""Where the packets of an RTCP datagram end, by their length fields, without Scapy (RFC 3550 §6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.rtp.codes import RTCP_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = 4


def header_makes_sense(data: bytes, at: int) -> bool:
    """Whether four octets stand at an offset that have the version and a packet type of RTCP."""
    return at + HEADER <= len(data) and data[at] >> 6 == 2 and data[at + 1] in RTCP_TYPES


def packet_ends(data: bytes, limit: int) -> Iterator[int]:
    """Ends of at most `limit` packets, as far as their headers make sense; the last one may be cut short."""
    start = 0
    for _ in range(limit):
        if not header_makes_sense(data, start):
            return
        start = min(len(data), start + 4 * (int.from_bytes(data[start + 2 : start + 4], "big") + 1))
        yield start


def packets_up_to(data: bytes, end: int) -> int:
    """How many packets fill the octets up to an end exactly, padding in none but the last; 0 where none do."""
    start = packets = 0
    padded = False
    while start < end:
        if padded or not header_makes_sense(data, start):
            return 0
        padded = bool(data[start] & 0x20)
        start += 4 * (int.from_bytes(data[start + 2 : start + 4], "big") + 1)
        packets += 1
    return packets if start == end else 0

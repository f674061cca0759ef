"""Encrypted elements of RTP header extensions (RFC 6904 §3, RFC 8285 §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.crypto.srtp_packets import FIXED_HEADER, header_octets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE_OCTET_ELEMENTS = 0xBEDE
TWO_OCTET_ELEMENTS = 0x1000  # and 15 more: the last four bits are the application's


def element_bodies(profile: int, block: bytes) -> Iterator[tuple[int, int, int]]:
    """Identifier, begin and end of each element's body within the extension's data (RFC 8285 §4.2, §4.3)."""
    at = 0
    size = len(block)
    if profile == ONE_OCTET_ELEMENTS:
        while at < size:
            identifier, octets = block[at] >> 4, (block[at] & 0x0F) + 1
            if identifier == 15:
                return
            at += 1
            if identifier:
                yield identifier, at, min(at + octets, size)
                at += octets
            # Identifier 0 with a length of zero is padding; with another, elements end here.
            elif octets > 1:
                return
    elif profile & 0xFFF0 == TWO_OCTET_ELEMENTS:
        while at < size:
            if not block[at]:
                at += 1
                continue
            if at + 1 == size:
                return
            identifier, octets = block[at], block[at + 1]
            at += 2
            yield identifier, at, min(at + octets, size)
            at += octets


def crypt_elements(packet: bytes, encrypted: frozenset[int], cipher: Callable[[bytes], bytes]) -> bytes:
    """The packet with the bodies of these elements encrypted, or opened again.

    The keystream begins with the first octet of the extension's data and is applied to the bodies alone; `cipher`
    encrypts so many octets as it is given.
    """
    begin = FIXED_HEADER + 4 * (packet[0] & 0x0F) + 4
    end = header_octets(packet)
    if not packet[0] & 0x10 or end < begin:
        return packet
    block = packet[begin:end]
    turned = cipher(block)
    result = bytearray(block)
    for identifier, first, last in element_bodies(int.from_bytes(packet[begin - 4 : begin - 2], "big"), block):
        if identifier in encrypted:
            result[first:last] = turned[first:last]
    return packet[:begin] + bytes(result) + packet[end:]

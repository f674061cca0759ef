"""IP packets that columns can't read: options, extension headers, AH and fragments, undone one packet at a time."""

from __future__ import annotations

import struct
from typing import NamedTuple

EXTENSIONS = {0, 43, 60, 135, 139, 140}  # length octet in 8-octet units, the first 8 not counted (RFC 8200 §4)
FRAGMENT, AUTHENTICATION = 44, 51
MAX_HEADERS = 16


class Fragment(NamedTuple):
    """A piece of an IP packet."""

    key: tuple[bytes, bytes, int, int]  # source, destination, identification, protocol (0 for IPv6: RFC 8200 §4.5)
    offset: int  # octets
    more: bool
    protocol: int
    data: bytes
    identification: int
    ttl: int
    six: bool


class Plain(NamedTuple):
    """A whole IP packet without options and extension headers."""

    packet: bytes


class Unreadable(NamedTuple):
    """A packet that goes no further, and why."""

    reason: str


def plain_packet(
    six: bool, source: bytes, destination: bytes, protocol: int, payload: bytes, identification: int = 0, ttl: int = 64
) -> bytes:
    """An IP packet around a payload: the form in which reassembled and unwrapped packets return to the columns."""
    if six:
        length = len(payload) if len(payload) <= 0xFFFF else 0
        return struct.pack("!IHBB", 6 << 28, length, protocol, ttl) + source + destination + payload
    total = 20 + len(payload) if len(payload) <= 0xFFFF - 20 else 0
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, total, identification, 0, ttl, protocol, 0) + source + destination + payload
    )


def undo(packet: bytes) -> Plain | Fragment | Unreadable:
    """Take a captured IP packet apart down to its transport header."""
    if len(packet) < 20:
        return Unreadable("IP header cut")
    if packet[0] >> 4 == 4:
        return _version4(packet)
    if packet[0] >> 4 == 6 and len(packet) >= 40:
        return _version6(packet)
    return Unreadable("IP header malformed")


def _version4(packet: bytes) -> Plain | Fragment | Unreadable:
    header = (packet[0] & 15) * 4
    total, identification, place = struct.unpack_from("!HHH", packet, 2)
    if header < 20 or header > len(packet):
        return Unreadable("IP header malformed")
    end = min(total, len(packet)) if total >= header else len(packet) if total == 0 else header
    source, destination, protocol, ttl = packet[12:16], packet[16:20], packet[9], packet[8]
    data = packet[header:end]
    if place & 0x3FFF:
        key = (source, destination, identification, protocol)
        if total > len(packet):
            return Unreadable("fragment cut by the snap length")
        return Fragment(key, (place & 0x1FFF) * 8, bool(place & 0x2000), protocol, data, identification, ttl, False)
    if protocol == AUTHENTICATION:
        return _authenticated(False, source, destination, data, identification, ttl)
    return Plain(plain_packet(False, source, destination, protocol, data, identification, ttl))


def _authenticated(
    six: bool, source: bytes, destination: bytes, data: bytes, identification: int, ttl: int
) -> Plain | Unreadable:
    """What an Authentication Header covers is clear (RFC 4302 §2)."""
    if len(data) < 12:
        return Unreadable("AH cut")
    size = (data[1] + 2) * 4
    if size > len(data):
        return Unreadable("AH cut")
    return Plain(plain_packet(six, source, destination, data[0], data[size:], identification, ttl))


def _version6(packet: bytes) -> Plain | Fragment | Unreadable:
    length, following, ttl = struct.unpack_from("!HBB", packet, 4)
    source, destination = packet[8:24], packet[24:40]
    end = min(40 + length, len(packet)) if length else len(packet)
    at = 40
    for _ in range(MAX_HEADERS):
        if following in EXTENSIONS:
            if at + 8 > end:
                return Unreadable("extension header cut")
            following, at = packet[at], at + (packet[at + 1] + 1) * 8
        elif following == AUTHENTICATION:
            if at + 12 > end:
                return Unreadable("AH cut")
            following, at = packet[at], at + (packet[at + 1] + 2) * 4
        elif following == FRAGMENT:
            if at + 8 > end:
                return Unreadable("fragment header cut")
            following, _, place, identification = struct.unpack_from("!BBHI", packet, at)
            at += 8
            if not place & 0xFFF9:  # atomic: on its own (RFC 6946)
                continue
            if 40 + length > len(packet):
                return Unreadable("fragment cut by the snap length")
            data, more = packet[at:end], bool(place & 1)
            if more and len(data) % 8:
                return Unreadable("fragment length no multiple of 8")
            key = (source, destination, identification, 0)
            return Fragment(key, place & 0xFFF8, more, following, data, identification & 0xFFFF, ttl, True)
        else:
            if at > end:
                return Unreadable("extension header cut")
            return Plain(plain_packet(True, source, destination, following, packet[at:end], 0, ttl))
    return Unreadable("too many extension headers")

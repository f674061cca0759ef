"""A packet with another UDP payload: every length and checksum of the layers around it is right again.

Facts: IEEE 802.3 and 802.1Q, RFC 2516 (PPPoE), RFC 791, RFC 8200, RFC 768, RFC 2784 and 2890 (GRE), TS 29.281 (GTP-U).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.decode import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    MPLS_TYPES,
    PPP_IPV4,
    PPP_IPV6,
    PPPOE_SESSION,
    UDP,
    VLAN_TYPES,
)
from imsinspect.capture.identity import PORTS, SSRC, VERSION
from imsinspect.capture.linktypes import ETHERNET, LINK_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

IN_IP, GRE = (4, 41), 47
HOP_BY_HOP, DESTINATION_OPTIONS = 0, 60
GTP_PORT, GTP_TPDU = 2152, 0xFF
MAX_LAYERS = 24
FCS_OCTETS = 4


class _UnusualError(Exception):
    """The packet is not built of layers that can be mended."""


class _Layer(NamedTuple):
    """A header whose length or checksum depends on what it carries."""

    mend: Callable[[bytearray, int, int, int], None]
    at: int  # of the header
    end: int  # of what it covers, before the change
    network: int  # of the IP header that its checksum covers too, or 0


def with_payload(packet: bytes, link: int, before: bytes, after: bytes, fcs: int = 0) -> bytes | None:
    """The packet with `after` in the place of its UDP payload `before`; None where that is not all that it carries.

    `before` must be the whole payload of one datagram that is no fragment. What stands behind the IP packet stays; a
    frame check sequence at the end is computed anew.
    """
    if fcs and (link != ETHERNET or fcs != FCS_OCTETS):
        return None
    try:
        start, end, layers = _layers(packet, link, len(packet) - fcs)
    except (_UnusualError, IndexError, struct.error):
        return None
    if packet[start:end] != before:
        return None
    out = bytearray(packet[:start] + after + packet[end:])
    change = len(after) - len(before)
    for layer in reversed(layers):  # the inner ones first: outer checksums cover them
        try:
            layer.mend(out, layer.at, layer.end + change, layer.network)
        except struct.error:  # a length that its field can't hold
            return None
    if fcs:
        out[-FCS_OCTETS:] = zlib.crc32(out[:-FCS_OCTETS]).to_bytes(FCS_OCTETS, "little")
    return bytes(out)


def datagram(identity: bytes, payload: bytes) -> bytes:
    """An IP packet with a UDP datagram between the ends of an identity (`capture.identity`)."""
    six = identity[VERSION] == 6
    width = 16 if six else 4
    addresses = identity[:width] + identity[16 : 16 + width]
    length = 8 + len(payload)
    if six:
        head = struct.pack("!IHBB", 6 << 28, length, UDP, 64) + addresses
    else:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, UDP, 0) + addresses
    out = bytearray(head + identity[PORTS:SSRC] + struct.pack("!HH", length, 0) + payload)
    _mend_udp(out, len(head), len(out), 0, given=True)
    if not six:
        _mend_ipv4(out, 0, len(out), 0)
    return bytes(out)


# --- down to the datagram -------------------------------------------------------------------------


def _layers(packet: bytes, link: int, limit: int) -> tuple[int, int, list[_Layer]]:
    """Where the payload of the innermost datagram begins and ends, and what has to be mended around it."""
    layers: list[_Layer] = []
    at, end = _to_ip(packet, link, limit, layers), limit
    for _ in range(MAX_LAYERS):
        at, end, protocol, network = _through_ip(packet, at, end, layers)
        if protocol == UDP:
            inner = _through_udp(packet, at, end, network, layers)
            if inner is None:
                return at + 8, end, layers
            at = inner
        elif protocol == GRE:
            at = _through_gre(packet, at, end, layers)
        elif protocol not in IN_IP:
            break
    raise _UnusualError


def _to_ip(packet: bytes, link: int, end: int, layers: list[_Layer]) -> int:
    """Where IP begins behind the link-layer header."""
    kind = LINK_TYPES[link].kind if link in LINK_TYPES else ""
    if kind == "raw":
        return 0
    if kind == "null":
        return LINK_TYPES[link].header
    if kind == "ppp":
        return _through_ppp(packet, 2 if packet[:2] == b"\xff\x03" else 0)
    if kind == "pppoe":
        return _through_pppoe(packet, 0, layers)
    if kind == "ethertype":
        place = LINK_TYPES[link].type_at
        return _through_shims(packet, place, LINK_TYPES[link].header, layers, ethernet=link == ETHERNET)
    raise _UnusualError


def _through_shims(packet: bytes, place: int, at: int, layers: list[_Layer], *, ethernet: bool) -> int:
    """VLAN tags, MPLS labels, PPPoE and LLC/SNAP; `place` is that of the EtherType, `at` what follows the header."""
    for _ in range(MAX_LAYERS):
        kind = int.from_bytes(packet[place : place + 2], "big")
        if kind in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
            return at
        if kind in VLAN_TYPES:
            place, at = at + 2, at + 4
        elif kind in MPLS_TYPES:
            while not packet[at + 2] & 1:
                at += 4
            return at + 4
        elif kind == PPPOE_SESSION:
            return _through_pppoe(packet, at, layers)
        elif ethernet and kind <= 0x05DC and packet[at : at + 6] == b"\xaa\xaa\x03\0\0\0":
            layers.append(_Layer(_mend_802_3, place, at + kind, 0))
            place, at = at + 6, at + 8
        else:
            break
    raise _UnusualError


def _through_ppp(packet: bytes, at: int) -> int:
    short = packet[at] & 1
    protocol = packet[at] if short else int.from_bytes(packet[at : at + 2], "big")
    if protocol not in (PPP_IPV4, PPP_IPV6):
        raise _UnusualError
    return at + (1 if short else 2)


def _through_pppoe(packet: bytes, at: int, layers: list[_Layer]) -> int:
    length = int.from_bytes(packet[at + 4 : at + 6], "big")
    layers.append(_Layer(_mend_pppoe, at, at + 6 + length, 0))
    return _through_ppp(packet, at + 6)


def _through_ip(packet: bytes, at: int, end: int, layers: list[_Layer]) -> tuple[int, int, int, int]:
    """Behind an IP header: where its content begins and ends, of which protocol, and where the header was."""
    if packet[at] >> 4 == 4:
        header, total, place = (packet[at] & 15) * 4, *struct.unpack_from("!HxxH", packet, at + 2)
        if header < 20 or place & 0x3FFF or not header <= total <= end - at:
            raise _UnusualError  # malformed, a fragment, of unknown length, or cut
        layers.append(_Layer(_mend_ipv4, at, at + total, 0))
        return at + header, at + total, packet[at + 9], at
    if packet[at] >> 4 != 6:
        raise _UnusualError
    length, protocol = struct.unpack_from("!HB", packet, at + 4)
    if not length or 40 + length > end - at:
        raise _UnusualError
    layers.append(_Layer(_mend_ipv6, at, at + 40 + length, 0))
    inside, end = at + 40, at + 40 + length
    while protocol in (HOP_BY_HOP, DESTINATION_OPTIONS):
        protocol, inside = packet[inside], inside + (packet[inside + 1] + 1) * 8
    return inside, end, protocol, at


def _through_udp(packet: bytes, at: int, end: int, network: int, layers: list[_Layer]) -> int | None:
    """Into GTP-U; None for a datagram that is the innermost."""
    source, destination, length = struct.unpack_from("!HHH", packet, at)
    if length != end - at:
        raise _UnusualError
    layers.append(_Layer(_mend_udp, at, end, network))
    gtp = at + 8
    if GTP_PORT not in (source, destination) or end - gtp < 28 or packet[gtp] & 0xF0 != 0x30:
        return None
    if packet[gtp + 1] != GTP_TPDU or int.from_bytes(packet[gtp + 2 : gtp + 4], "big") != end - gtp - 8:
        return None
    layers.append(_Layer(_mend_gtp, gtp, end, 0))
    inner = gtp + 8
    if packet[gtp] & 7:
        inner += 4
        if packet[gtp] & 4:
            while packet[inner - 1]:
                if not packet[inner] or inner >= end:
                    raise _UnusualError
                inner += packet[inner] * 4
    return inner


def _through_gre(packet: bytes, at: int, end: int, layers: list[_Layer]) -> int:
    flags, kind = struct.unpack_from("!HH", packet, at)
    if flags & 0x4007 or kind not in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
        raise _UnusualError  # routing, another version, or no IP inside
    if flags & 0x8000:
        layers.append(_Layer(_mend_gre, at, end, 0))
    return at + 4 + sum(4 for flag in (0x8000, 0x2000, 0x1000) if flags & flag)


# --- lengths and checksums ------------------------------------------------------------------------


def _ones_complement(data: bytes | bytearray) -> int:
    """Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data = bytes(data) + b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def _mend_802_3(out: bytearray, at: int, end: int, _network: int) -> None:
    struct.pack_into("!H", out, at, end - at - 2)


def _mend_pppoe(out: bytearray, at: int, end: int, _network: int) -> None:
    struct.pack_into("!H", out, at + 4, end - at - 6)


def _mend_ipv4(out: bytearray, at: int, end: int, _network: int) -> None:
    struct.pack_into("!H", out, at + 2, end - at)
    out[at + 10 : at + 12] = bytes(2)
    struct.pack_into("!H", out, at + 10, _ones_complement(out[at : at + (out[at] & 15) * 4]))


def _mend_ipv6(out: bytearray, at: int, end: int, _network: int) -> None:
    struct.pack_into("!H", out, at + 4, end - at - 40)


def _mend_udp(out: bytearray, at: int, end: int, network: int, *, given: bool = False) -> None:
    """A checksum of 0 says that there is none (RFC 768); it stays unless one is to be given."""
    struct.pack_into("!H", out, at + 4, end - at)
    if not (given or out[at + 6] or out[at + 7]):
        return
    out[at + 6 : at + 8] = bytes(2)
    addresses = out[network + 8 : network + 40] if out[network] >> 4 == 6 else out[network + 12 : network + 20]
    pseudo = addresses + struct.pack("!II", end - at, UDP)
    struct.pack_into("!H", out, at + 6, _ones_complement(pseudo + out[at:end]) or 0xFFFF)


def _mend_gtp(out: bytearray, at: int, end: int, _network: int) -> None:
    struct.pack_into("!H", out, at + 2, end - at - 8)


def _mend_gre(out: bytearray, at: int, end: int, _network: int) -> None:
    out[at + 4 : at + 6] = bytes(2)
    struct.pack_into("!H", out, at + 4, _ones_complement(out[at:end]))

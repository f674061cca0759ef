"""A packet gets another UDP payload: every length and checksum around it is right, in all layers that may be there."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imsinspect.capture.endpoint import Endpoint
from imsinspect.capture.identity import identity_of
from imsinspect.capture.rewrite import datagram, with_payload
from tests import build

BEFORE, AFTER = bytes(range(182)), bytes(range(171))  # an odd length among them
SIX, OTHER_SIX = ("2001:db8::1", 4000), ("2001:db8::2", 4002)
ONE, TWO = ("192.0.2.1", 4000), ("192.0.2.2", 4002)
GTP_ENDS = ("203.0.113.1", 2152), ("203.0.113.2", 2152)


def four(payload: bytes) -> bytes:
    """An IPv4 packet."""
    return build.ip(ONE[0], TWO[0], build.UDP, build.udp_datagram(ONE, TWO, payload), identification=7)


def six(payload: bytes) -> bytes:
    """An IPv6 packet."""
    return build.ip(SIX[0], OTHER_SIX[0], build.UDP, build.udp_datagram(SIX, OTHER_SIX, payload))


def gtp(payload: bytes, *, extended: bool = False) -> bytes:
    """An IPv4 packet in a T-PDU (TS 29.281 §5.1)."""
    inner = four(payload)
    if extended:  # sequence number, then a PDU session container
        inner = b"\0\1\0\x85" + b"\1\0\0\0" + inner
    head = struct.pack("!BBHI", 0x34 if extended else 0x30, 0xFF, len(inner), 1)
    outer = build.udp_datagram(*GTP_ENDS, head + inner)
    return build.ip(GTP_ENDS[0][0], GTP_ENDS[1][0], build.UDP, outer, identification=9)


def gre(payload: bytes) -> bytes:
    """An IPv6 packet in GRE with checksum and key (RFC 2784, RFC 2890)."""
    head, rest = struct.pack("!HH", 0xA000, 0x86DD), bytes(2) + b"\0\0\0\5" + six(payload)
    inner = head + struct.pack("!H", build.checksum(head + bytes(2) + rest)) + rest
    return build.ip("192.0.2.1", "192.0.2.9", 47, inner, identification=1)


def hop_by_hop(payload: bytes) -> bytes:
    """An IPv6 packet with a hop-by-hop options header of padding."""
    rest = bytes((build.UDP, 0, 1, 4, 0, 0, 0, 0)) + build.udp_datagram(SIX, OTHER_SIX, payload)
    return build.ip(SIX[0], OTHER_SIX[0], 0, rest)


def options(payload: bytes) -> bytes:
    """An IPv4 packet with four octets of options (no operation)."""
    plain = four(payload)
    head = bytes([0x46]) + plain[1:2] + struct.pack("!H", len(plain) + 4) + plain[4:10] + bytes(2) + plain[12:20]
    head += b"\1\1\1\1"
    return head[:10] + struct.pack("!H", build.checksum(head)) + head[12:] + plain[20:]


def pppoe(payload: bytes) -> bytes:
    """PPP in a PPPoE session (RFC 2516)."""
    inner = b"\x00\x21" + four(payload)
    return bytes(12) + b"\x88\x64" + struct.pack("!BBHH", 0x11, 0, 1, len(inner)) + inner


def snap(payload: bytes) -> bytes:
    """An IEEE 802.3 frame with LLC and SNAP."""
    inner = b"\xaa\xaa\x03\0\0\0\x08\0" + four(payload)
    return bytes(12) + struct.pack("!H", len(inner)) + inner


PACKETS = {
    "Ethernet": (1, lambda payload: build.ethernet(four(payload))),
    "IPv6": (1, lambda payload: build.ethernet(six(payload))),
    "padding behind": (1, lambda payload: build.ethernet(four(payload)) + bytes(6)),
    "two VLAN tags": (1, lambda payload: bytes(12) + b"\x88\xa8\0\5\x81\0\0\7\x08\0" + four(payload)),
    "MPLS": (1, lambda payload: bytes(12) + b"\x88\x47\0\1\x00\x40\0\2\x01\x40" + six(payload)),
    "PPPoE": (1, pppoe),
    "802.3": (1, snap),
    "cooked": (113, lambda payload: bytes(14) + b"\x08\0" + four(payload)),
    "cooked 2": (276, lambda payload: b"\x86\xdd" + bytes(18) + six(payload)),
    "raw": (101, four),
    "loopback": (0, lambda payload: b"\2\0\0\0" + four(payload)),
    "PPP": (9, lambda payload: b"\xff\x03\x00\x57" + six(payload)),
    "GTP-U": (101, gtp),
    "GTP-U with an extension header": (101, lambda payload: gtp(payload, extended=True)),
    "IP in IP": (101, lambda payload: build.ip("192.0.2.1", "192.0.2.9", 4, four(payload), identification=3)),
    "GRE": (101, gre),
    "hop-by-hop options": (101, hop_by_hop),
    "IPv4 options": (101, options),
}


@pytest.mark.parametrize("name", PACKETS)
def test_the_packet_is_as_if_its_sender_had_sent_the_other_payload(name: str) -> None:
    link, made = PACKETS[name]
    assert with_payload(made(BEFORE), link, BEFORE, AFTER) == made(AFTER)


def test_a_frame_check_sequence_is_computed_anew() -> None:
    def checked(payload: bytes) -> bytes:
        frame = build.ethernet(four(payload))
        return frame + zlib.crc32(frame).to_bytes(4, "little")

    assert with_payload(checked(BEFORE), 1, BEFORE, AFTER, fcs=4) == checked(AFTER)
    assert with_payload(checked(BEFORE), 113, BEFORE, AFTER, fcs=4) is None
    assert with_payload(checked(BEFORE), 1, BEFORE, AFTER, fcs=2) is None


def test_a_checksum_that_was_not_sent_is_not_sent() -> None:
    def bare(payload: bytes) -> bytes:
        packet = bytearray(four(payload))
        packet[26:28] = bytes(2)
        return bytes(packet)

    assert with_payload(bare(BEFORE), 101, BEFORE, AFTER) == bare(AFTER)


@pytest.mark.parametrize(
    "packet",
    [
        build.ip(ONE[0], TWO[0], build.UDP, build.udp_datagram(ONE, TWO, BEFORE), fragment=0x2000),
        build.ip(ONE[0], TWO[0], build.UDP, build.udp_datagram(ONE, TWO, BEFORE), fragment=5),
        four(BEFORE)[:-1],
        four(b"\x40\0\0\xb6" + BEFORE),  # in a TURN channel
        build.tcp(ONE, TWO, BEFORE, sequence=1, acknowledgement=1)[14:],
        b"",
    ],
    ids=["first fragment", "last fragment", "cut", "in a channel", "TCP", "nothing"],
)
def test_what_does_not_carry_the_datagram_whole_is_left_alone(packet: bytes) -> None:
    assert with_payload(packet, 101, BEFORE, AFTER) is None


@given(st.sampled_from(sorted(PACKETS)), st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_spoiled_packets_raise_nothing_and_keep_their_other_octets(name: str, at: int, value: int, length: int) -> None:
    link, made = PACKETS[name]
    packet = bytearray(made(BEFORE))
    packet[at % len(packet)] = value
    spoiled = bytes(packet[:length] if length % 3 else packet)
    out = with_payload(spoiled, link, BEFORE, AFTER)
    assert out is None or (AFTER in out and len(out) == len(spoiled) - len(BEFORE) + len(AFTER))


@pytest.mark.parametrize(("source", "destination"), [(ONE, TWO), (SIX, OTHER_SIX)])
def test_a_datagram_is_made_between_the_ends_of_a_stream(source: build.Address, destination: build.Address) -> None:
    identity = identity_of(Endpoint(*source), Endpoint(*destination), build.UDP)
    more = {} if ":" in source[0] else {"identification": 0}
    ends = source[0], destination[0]
    expected = build.ip(*ends, build.UDP, build.udp_datagram(source, destination, AFTER), **more)
    assert datagram(identity, AFTER) == expected

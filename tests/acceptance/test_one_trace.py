"""One call gives one answer, however its packets were wrapped, written, compressed or spread over files."""

from __future__ import annotations

import gzip
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.report.json import render
from tests import build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
A_RTCP, B_RTCP = (A[0], 4001), (B[0], 5001)
MAC = bytes.fromhex("020000000002020000000001")
IPV4 = struct.pack("!H", 0x0800)
TUNNEL = ("203.0.113.1", "203.0.113.2")

Saying = tuple[list[tuple[str, str, str, int]], list[str], dict[str, Any]]


def leaky_call(transport: str = "UDP") -> list[build.Packet]:
    """Keys in clear SIP; the offerer sends plain RTP and RTCP on a secure line, the answerer protects both."""
    answerer = build.Srtp(build.master_key("answer"))
    reports = [
        build.sender_report(2, packets=number) + build.source_description(2, b"b@example.org") for number in range(3)
    ]
    return build.in_time_order(
        build.call(
            build.sdp(A[0], build.audio(A[1], "RTP/SAVP", build.crypto("offer"))),
            build.sdp(B[0], build.audio(B[1], "RTP/SAVP", build.crypto("answer"))),
            dialog=build.Dialog(transport=transport),
        ),
        build.rtp_stream(A, B, 1, build.speech(60)),
        build.rtp_stream(B, A, 2, build.speech(60), srtp=answerer),
        [
            (3.0 + number, build.udp(A_RTCP, B_RTCP, build.sender_report(1, packets=number)))
            for number in range(3)
        ],
        [(3.1 + number, build.udp(B_RTCP, A_RTCP, answerer.protect_rtcp(each))) for number, each in enumerate(reports)],
    )  # fmt: skip


def said(*captures: bytes) -> Saying:
    """Outcomes, fingerprints and inventory of an audit, without what wrapping changes."""
    report = json.loads(render(build.audit_bytes(*captures)))
    inventory = report["inventory"]
    for name in ("packets", "esp"):
        del inventory[name]
    return (
        [(row["rule"], row["outcome"], row["gap"], row["subjects"]) for row in report["assessments"]],
        sorted(finding["fingerprint"] for finding in report["findings"]),
        inventory,
    )


@pytest.fixture(scope="module")
def expected() -> Saying:
    """What the plain capture says, checked once against what is known of the call."""
    found = said(build.pcap(leaky_call()))
    assert {row[:2] for row in found[0] if row[1] == "violation"} == {
        ("IMS-SIG-001", "violation"),
        ("IMS-SRTP-001", "violation"),
        ("IMS-SRTP-002", "violation"),
    }
    assert found[2]["rtp"] == {"streams": 2, "packets": 120}
    assert (found[2]["rtcp"]["packets"], found[2]["srtcp"]["packets"]) == (3, 3)
    return found


def gtp_u(packet: bytes, flags: int = 0x30, more: bytes = b"") -> bytes:
    header = struct.pack("!BBHI", flags, 255, len(more) + len(packet), 0x1234) + more
    inside = build.udp_datagram((TUNNEL[0], 2152), (TUNNEL[1], 2152), header + packet)
    return MAC + IPV4 + build.ipv4(*TUNNEL, build.UDP, inside)


def gre(packet: bytes, flags: int = 0, more: bytes = b"", protocol: int = 0x0800) -> bytes:
    return MAC + IPV4 + build.ipv4(*TUNNEL, 47, struct.pack("!HH", flags, protocol) + more + packet)


WRAPPINGS: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "VLAN": (lambda ip: MAC + struct.pack("!HH", 0x8100, 5) + IPV4 + ip, 1),
    "QinQ": (lambda ip: MAC + struct.pack("!HHHH", 0x88A8, 5, 0x8100, 6) + IPV4 + ip, 1),
    "Ethernet with padding": (lambda ip: MAC + IPV4 + ip + bytes(20), 1),
    "MPLS with two labels": (lambda ip: MAC + struct.pack("!HII", 0x8847, 100 << 12 | 64, 101 << 12 | 0x140) + ip, 1),
    "PPPoE": (lambda ip: MAC + struct.pack("!HBBHHH", 0x8864, 0x11, 0, 1, len(ip) + 2, 0x21) + ip, 1),
    "Linux cooked": (lambda ip: struct.pack("!HHH8sH", 0, 1, 6, b"12345678", 0x0800) + ip, 113),
    "Linux cooked with VLAN": (lambda ip: struct.pack("!HHH8sHHH", 0, 1, 6, b"", 0x8100, 5, 0x0800) + ip, 113),
    "Linux cooked v2": (lambda ip: struct.pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, b"12345678") + ip, 276),
    "raw IP": (lambda ip: ip, 101),
    "BSD null, little-endian": (lambda ip: struct.pack("<I", 2) + ip, 0),
    "BSD null, big-endian": (lambda ip: struct.pack(">I", 2) + ip, 0),
    "BSD loop": (lambda ip: struct.pack(">I", 2) + ip, 108),
    "GTP-U": (gtp_u, 1),
    "GTP-U with a PDU session container": (lambda ip: gtp_u(ip, 0x34, b"\0\0\0\x85\x01\0\x09\0"), 1),
    "GTP-U with two extension headers": (
        lambda ip: gtp_u(ip, 0x36, b"\0\x03\0\xc0\x01\0\x09\x85\x02\0\x09\x01\x02\x03\x04\0"), 1),
    "GRE": (gre, 1),
    "GRE with checksum, key and sequence": (lambda ip: gre(ip, 0xB000, bytes(12)), 1),
    "Ethernet in GRE": (lambda ip: gre(MAC + IPV4 + ip, protocol=0x6558), 1),
    "IP in IP": (lambda ip: MAC + IPV4 + build.ipv4(*TUNNEL, 4, ip), 1),
    "IPv4 in IPv6": (lambda ip: MAC + b"\x86\xdd" + build.ipv6("2001:db8::1", "2001:db8::2", 4, ip), 1),
    "IPv4 options": (
        lambda ip: MAC + IPV4 + b"\x46\0" + struct.pack("!H", len(ip) + 4) + ip[4:20] + b"\x94\x04\0\0" + ip[20:], 1),
}  # fmt: skip


@pytest.mark.parametrize("name", WRAPPINGS)
def test_every_wrapping_says_the_same(name: str, expected: Saying) -> None:
    """Link layers and tunnels change neither findings nor inventory."""
    wrap, link_type = WRAPPINGS[name]
    packets = [(at, wrap(frame[14:])) for at, frame in leaky_call()]
    assert said(build.pcap(packets, link_type=link_type)) == expected


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def pcapng(packets: Sequence[build.Packet], order: str, *, old_blocks: bool = False, binary: bool = False) -> bytes:
    """One section; seconds shifted by if_tsoffset; resolution of nanoseconds or of 2^-20 s."""
    shift = 1_000_000
    options = struct.pack(order + "HHB3xHHqHH", 9, 1, 0x80 | 20 if binary else 9, 14, 8, -shift, 0, 0)
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(order, 4, struct.pack(order + "HH", 0, 0)) + block(order, 0x12345678, b"unknown")
    out += block(order, 1, struct.pack(order + "HHI", 1, 0, 0) + options)
    for at, frame in packets:
        ticks = round((build.START + at + shift) * (2**20 if binary else 10**9))
        sizes = (ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        kind, interface = (2, struct.pack(order + "HH", 0, 0)) if old_blocks else (6, struct.pack(order + "I", 0))
        out += block(order, kind, interface + struct.pack(order + "IIII", *sizes) + frame)
    return out


def halves(packets: Sequence[build.Packet]) -> bytes:
    """Two sections of different byte order in one file."""
    middle = len(packets) // 2
    return pcapng(packets[:middle], "<") + pcapng(packets[middle:], ">")


FILES: dict[str, Callable[[list[build.Packet]], bytes]] = {
    "pcap, big-endian": lambda packets: build.pcap(packets, byte_order=">"),
    "pcap, nanoseconds": lambda packets: build.pcap(packets, nanoseconds=True),
    "pcap, big-endian, nanoseconds": lambda packets: build.pcap(packets, byte_order=">", nanoseconds=True),
    "pcapng, little-endian": lambda packets: pcapng(packets, "<"),
    "pcapng, big-endian": lambda packets: pcapng(packets, ">"),
    "pcapng, packet blocks of old": lambda packets: pcapng(packets, "<", old_blocks=True),
    "pcapng, binary resolution": lambda packets: pcapng(packets, ">", binary=True),
    "pcapng, two sections": halves,
    "gzip": lambda packets: gzip.compress(build.pcap(packets)),
    "gzip in two members": lambda packets: b"".join(
        gzip.compress(part) for part in (build.pcap(packets)[:5000], build.pcap(packets)[5000:])
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_format_says_the_same(name: str, expected: Saying) -> None:
    """Byte order, resolution, blocks and compression change nothing."""
    assert said(FILES[name](leaky_call())) == expected


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("cuts", [(1,), (4,), (5,), (7,), (9,), (60,), (128,), (3, 6, 40, 90)])
def test_a_ring_says_what_one_file_says(transport: str, cuts: tuple[int, ...]) -> None:
    """Rotated files are one trace, whichever packets the rotation parts and in whatever order they are named."""
    packets = leaky_call(transport)
    whole = said(build.pcap(packets))
    parts = [build.pcap(packets[low:high]) for low, high in zip((0, *cuts), (*cuts, None), strict=True)]
    assert said(*parts) == whole
    assert said(*reversed(parts)) == whole

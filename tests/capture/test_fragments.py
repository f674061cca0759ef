"""Fragments that never make a packet."""

from __future__ import annotations

from tests import build


def test_a_fragment_beyond_the_longest_packet_hinders_no_audit() -> None:
    """Its offset and octets exceed 65,535: there is no packet that it could be a part of (RFC 791 §3.2)."""
    beyond = build.ipv4("192.0.2.10", "198.51.100.20", build.UDP, b"x" * 64, identification=1, fragment=0x3FFF)
    audit = build.audit_bytes(build.pcap([(0.0, build.ethernet(beyond))]))
    assert audit.trace.counts.packets == 1
    assert audit.verdict == "nothing-to-assess"

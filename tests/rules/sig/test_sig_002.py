"""IMS-SIG-002, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build

SIG_002 = "IMS-SIG-002"
FINGERPRINT = "a=fingerprint:SHA-256 " + ":".join(["AB"] * 32)
OTHER = "a=fingerprint:SHA-256 " + ":".join(["CD"] * 32)
UE, P_CSCF = ("192.0.2.10", 5060), ("198.51.100.20", 5060)


def body(address: str, line: str = FINGERPRINT, *, session: tuple[str, ...] = ()) -> bytes:
    attributes = (line,) if line else ()
    return build.sdp(address, build.media("message", 9, "TCP/TLS/MSRP", "*", *attributes), session=session)


def call(**more: object) -> list[build.Packet]:
    return build.call(body("192.0.2.10"), body("198.51.100.20", OTHER), **more)  # type: ignore[arg-type]


def in_esp(messages: list[bytes], *, icv: int = 12) -> list[build.Packet]:
    return [
        (number * 0.1, build.esp_null(UE, P_CSCF, data, spi=0x1234, sequence=number + 1, icv=icv))
        for number, data in enumerate(messages)
    ]


def test_a_fingerprint_in_sip_over_udp_is_a_finding_for_each_side(told) -> None:
    """The catalogue's trigger, in both directions of one dialog; that it is the access hop is assumed."""
    result = told(SIG_002, call())
    assert [(each.severity, each.verdict, each.confidence) for each in result.findings] == [
        (Severity.HIGH, "violation", "strong")
    ] * 2
    first, second = result.findings
    assert [each.frame for each in first.evidence] == [1]
    assert [each.frame for each in second.evidence] == [4]
    assert "message/0 sha-256 AB:AB:AB:AB…" in first.evidence[0].observed
    assert "AB:AB:AB:AB:AB" not in repr(first)
    assert "is assumed" in first.message
    assert result.rows == [("violation", "", 2)]


def test_a_fingerprint_of_the_session_counts_for_its_lines(told) -> None:
    data = build.Dialog().request("INVITE", body("192.0.2.10", "", session=(FINGERPRINT,)))
    assert told(SIG_002, [(0.0, build.udp(UE, P_CSCF, data))]).frames() == [1]


def test_esp_with_integrity_suffices_though_it_does_not_encrypt(told) -> None:
    """The catalogue's near miss: NULL encryption with an ICV of 96 bits."""
    assert told(SIG_002, in_esp([build.Dialog().request("INVITE", body("192.0.2.10"))])).rows == [("pass", "", 1)]


def test_tls_with_a_null_cipher_suffices(told) -> None:
    """NULL suites authenticate what they carry; that they do not encrypt is another rule."""
    invite = build.Dialog(transport="TLS").request("INVITE", body("192.0.2.10"))
    packets = build.tls_session(("192.0.2.10", 40_000), ("198.51.100.20", 5061), 0x003B, data=[invite], null_mac=32)
    assert told(SIG_002, packets).rows == [("pass", "", 1)]


def test_sip_without_fingerprints_is_no_object(told) -> None:
    assert told(SIG_002, build.call(body("192.0.2.10", ""), body("198.51.100.20", ""))).rows == []


def test_an_identity_header_makes_it_information(told) -> None:
    """RFC 8224: the message is signed, so a changed fingerprint is noticed."""
    data = build.Dialog().request("INVITE", body("192.0.2.10"), headers=("Identity: abc;info=<https://example.org/c>",))
    finding = told(SIG_002, [(0.0, build.udp(UE, P_CSCF, data))]).finding
    assert finding.severity is Severity.INFO


def test_repeats_and_second_sightings_are_one_finding(told) -> None:
    """T-RETX, T-DUP."""
    invite = build.Dialog().request("INVITE", body("192.0.2.10"))
    packets = [
        (0.0, build.udp(UE, P_CSCF, invite)),
        (0.01, build.udp(UE, P_CSCF, invite, ttl=63)),
        (0.5, build.udp(UE, P_CSCF, invite, identification=7)),
    ]
    assert told(SIG_002, packets).frames() == [1, 2, 3]


@pytest.mark.parametrize("point", ["core-secured", "post-decryption"])
def test_behind_the_protection_nothing_can_be_said(told, point: str) -> None:
    """T-CORE."""
    assert told(SIG_002, call(), capture_point=point).rows == [("not-assessed", "T-CORE", 2)]


def test_a_hop_of_the_core_is_not_assessed(told) -> None:
    """NDS/IP may protect it on another link."""
    charging = ("P-Charging-Vector: icid-value=1;orig-ioi=example.org", "P-Asserted-Identity: <sip:alice@example.org>")
    data = build.Dialog(via=("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",)).request(
        "INVITE", body("192.0.2.10"), headers=charging
    )
    assert told(SIG_002, [(0.0, build.udp(UE, P_CSCF, data))]).rows == [("not-assessed", "N-ACC", 1)]


def test_esp_that_can_not_be_opened_may_hold_fingerprints(told) -> None:
    packets = [
        (0.1 * number, build.esp_encrypted("192.0.2.10", "198.51.100.20", b"x" * 64, spi=9, sequence=number + 1))
        for number in range(3)
    ]
    assert told(SIG_002, packets).rows == [("not-assessed", "N-SIP", 1)]

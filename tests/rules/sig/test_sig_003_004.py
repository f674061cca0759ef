"""IMS-SIG-003 and -004, from capture octets to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.keys.test_esp import Scene
from tests.rules.conftest import answer, offer

if TYPE_CHECKING:
    from pathlib import Path

SIG_003, SIG_004 = "IMS-SIG-003", "IMS-SIG-004"
MIKEY = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
AGREED = "ipsec-3gpp; alg=hmac-sha-1-96; ealg={}; spi-c=1; spi-s=2; port-c=5061; port-s=5062"


def inside(*messages: tuple[bytes, bool], icv: int = 12) -> list[build.Packet]:
    """SIP inside ESP that no cipher hides; each direction has its SPI."""
    ends = (build.ALICE, build.BOB)
    packets = [
        build.esp_null(
            *(ends if outward else ends[::-1]), data, spi=0x100 if outward else 0x200, sequence=number, icv=icv
        )
        for number, (data, outward) in enumerate(messages, 1)
    ]
    return [(0.1 * number, packet) for number, packet in enumerate(packets)]


def called(*, icv: int = 12, first: bytes = b"", headers: tuple[str, ...] = ()) -> list[build.Packet]:
    dialog = build.Dialog()
    return inside(
        (dialog.request("INVITE", first or offer(), headers=headers), True),
        (dialog.response(200, "OK", answer()), False),
        (dialog.request("ACK"), True),
        icv=icv,
    )


# --- IMS-SIG-003 ----------------------------------------------------------------------------------


def test_keys_inside_esp_without_encryption(told) -> None:
    """The catalogue's trigger: what was negotiated stands beside the keys, which are never shown."""
    verify = f"Security-Verify: {AGREED.format('null')}"
    result = told(SIG_003, called(headers=(verify,)))
    first, second = result.findings
    assert (first.severity, first.verdict, first.confidence) == (Severity.HIGH, "violation", "proven")
    assert (first.subject.kind, first.subject.id) == ("call", "call-1")
    assert [[each.frame for each in finding.evidence] for finding in (first, second)] == [[1, 1], [2, 1]]
    assert "inside ESP with NULL encryption (SPI 0x00000100), in frame 1. Whoever" in first.message
    assert "ealg=null" in first.message
    assert build.crypto("a").rpartition("inline:")[2] not in repr(result.findings)
    assert result.rows == [("violation", "", 2)]


def test_a_repeated_message_is_listed_in_the_same_finding(told) -> None:
    invite = build.Dialog().request("INVITE", offer())
    result = told(SIG_003, inside((invite, True), (invite, True)))
    assert "in frame 1 and again in frame 2. Whoever" in result.finding.message


def test_esp_that_carries_no_keys_is_no_object(told) -> None:
    """The catalogue's near miss: key-mgmt, and SIP without SDP."""
    by_mikey = offer("RTP/SAVP", MIKEY)
    dialog = build.Dialog()
    assert told(SIG_003, inside((dialog.request("INVITE", by_mikey), True))).rows == []
    assert told(SIG_003, inside((dialog.request("OPTIONS"), True))).rows == []
    assert told(SIG_003, build.call(offer(), answer())).rows == []


def test_esp_that_can_not_be_read_is_what_is_asked_for(told) -> None:
    hidden = [(0.0, build.esp_encrypted("192.0.2.1", "198.51.100.1", bytes(300), spi=7, sequence=1))]
    assert told(SIG_003, hidden).rows == []


def test_keys_inside_esp_that_a_key_opens_pass(tmp_path: Path) -> None:
    """Encryption hid them from everybody who has no key."""
    scene = Scene()
    audit = scene.audit(tmp_path, scene.rows)
    rows = [(each.rule, each.outcome, each.subjects) for each in audit.assessments if each.rule in (SIG_003, SIG_004)]
    assert rows == [(SIG_003, "pass", 2), (SIG_004, "pass", 2)]


def test_a_network_that_is_declared_to_encrypt(told) -> None:
    for scene in ({"access_confidentiality": "assumed"}, {"capture_point": "core-secured"}):
        result = told(SIG_003, called(), **scene)
        assert {each.severity for each in result.findings} == {Severity.INFO}
        assert "It counts as information only" in result.findings[0].message


# --- IMS-SIG-004 ----------------------------------------------------------------------------------


def pinged(*, icv: int) -> list[build.Packet]:
    """Four requests and their responses; without a check value it takes some packets to be sure that none is there."""
    dialog = build.Dialog()
    return inside(
        *(each for _ in range(4) for each in ((dialog.request("OPTIONS"), True), (dialog.response(200, "OK"), False))),
        icv=icv,
    )


def test_esp_without_a_check_value(told) -> None:
    result = told(SIG_004, pinged(icv=0))
    first = result.findings[0]
    assert (first.severity, first.verdict, first.confidence) == (Severity.HIGH, "violation", "strong")
    assert (first.subject.kind, first.subject.id) == ("esp", "SPI 0x00000100")
    assert [each.evidence[0].frame for each in result.findings] == [1, 2]
    assert "4 packets without an integrity check value" in first.message
    assert result.rows == [("violation", "", 2)]


def test_esp_with_a_check_value_passes(told) -> None:
    assert told(SIG_004, pinged(icv=12)).rows == [("pass", "", 2)]


def test_esp_that_can_not_be_read_may_have_none(told) -> None:
    hidden = [(0.0, build.esp_encrypted("192.0.2.1", "198.51.100.1", bytes(300), spi=7, sequence=1))]
    assert told(SIG_004, hidden).rows == [("not-assessed", "N-KEY", 1)]


def test_esp_that_carries_no_sip_is_no_object(told) -> None:
    packets = [
        (0.1 * number, build.esp_null(build.ALICE, build.BOB, bytes(200), spi=9, sequence=number, icv=0))
        for number in range(1, 6)
    ]
    assert told(SIG_004, packets).rows == []


@pytest.mark.parametrize(
    ("mechanism", "expected"),
    [
        ("ipsec-3gpp; alg=null; ealg=aes-cbc", [("violation", "", 1)]),
        ("ipsec-3gpp; ealg=aes-cbc", [("violation", "", 1)]),
        ("ipsec-3gpp; alg=null; ealg=null", [("violation", "", 1)]),
        ("ipsec-3gpp; alg=null; ealg=aes-gcm", [("pass", "", 1)]),
        ("ipsec-3gpp; alg=null; ealg=null-auth-aes-gmac", [("pass", "", 1)]),
        ("ipsec-3gpp; alg=hmac-sha-1-96; ealg=null", [("pass", "", 1)]),
        ("tls", []),
        ("ipsec-3gpp; alg=null; ealg=aes-cbc, ipsec-3gpp; alg=hmac-sha-1-96", []),
    ],
)
def test_what_a_ue_repeats_of_the_agreement(told, mechanism: str, expected: list[tuple[str, str, int]]) -> None:
    """The catalogue's trigger and near miss; of several mechanisms it is not known which was taken."""
    invite = build.Dialog().request("INVITE", offer(), headers=(f"Security-Verify: {mechanism}",))
    packets = [(0.1 * number, build.udp(build.ALICE, build.BOB, invite)) for number in range(2)]
    assert told(SIG_004, packets).rows == expected


@pytest.mark.parametrize("rule", [SIG_003, SIG_004])
def test_captures_without_esp(told, rule: str) -> None:
    assert told(rule, build.call(offer(), answer())).rows == []

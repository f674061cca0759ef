"""IMS-E2AE-013, -015 and -016, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.e2ae.peers import (
    ANSWER,
    APPLIED,
    CHARGED,
    CORE,
    EDGE,
    EDGE_CERTIFICATE,
    EDGE_CHAT,
    FOREIGN,
    MIKEY,
    OFFER,
    REQUESTED,
    UE_CERTIFICATE,
    UE_CHAT,
    ask,
    call,
    chat,
    fingerprint,
    floor,
    registration,
    secure_chat,
    tls,
)

E2AE_013, E2AE_015, E2AE_016 = "IMS-E2AE-013", "IMS-E2AE-015", "IMS-E2AE-016"
OPEN = ("not-assessed", "IMS-PROF-005", 1)
OTHER_UE, OTHER_EDGE = ("198.51.100.20", 5060), ("198.51.100.1", 5060)
OTHER_CHAT, OTHER_GATEWAY = ("198.51.100.20", 2855), ("198.51.100.2", 2856)
UE_PRINT, EDGE_PRINT, FOREIGN_PRINT = (fingerprint(each) for each in (UE_CERTIFICATE, EDGE_CERTIFICATE, FOREIGN))


def other_leg(offer: bytes, answer: bytes = b"") -> list[build.Packet]:
    """The call as it is offered to the other UE, which registered at its own P-CSCF."""
    talk = build.Dialog(caller=OTHER_EDGE, callee=OTHER_UE, from_tag="edge-2", to_tag="ue-2")
    return build.in_time_order(
        registration(terminal=OTHER_UE, edge=OTHER_EDGE, user="bob"), call(offer, answer, dialog=talk, at=0.02)
    )


# --- IMS-E2AE-013 ---------------------------------------------------------------------------------


def test_an_answer_that_echoes_the_fingerprint_of_the_offer_is_found() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_013, secure_chat(answer=[UE_PRINT]))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [1, 4]
    assert "offer and answer carry the same one" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_fingerprints_of_their_own_pass() -> None:
    """The catalogue's near miss: the same hash function, another value."""
    assert ask(E2AE_013, secure_chat()).rows == [("pass", "", 1)]


def test_one_of_several_that_comes_back_is_enough() -> None:
    assert ask(E2AE_013, secure_chat(answer=[EDGE_PRINT, UE_PRINT])).rows == [("violation", "", 1)]


def test_one_device_that_calls_itself_is_only_suspected() -> None:
    packets = call(chat(UE_CHAT, *OFFER), chat(("192.0.2.10", 2999), UE_PRINT))
    result = ask(E2AE_013, packets)
    assert (result.finding.verdict, result.finding.severity) == ("suspect", Severity.MEDIUM)
    assert "ambiguous" in result.finding.message


def test_the_fingerprint_of_the_other_ue_in_place_of_the_gateways_is_found() -> None:
    here = build.in_time_order(registration(), secure_chat(answer=[FOREIGN_PRINT]))
    there = other_leg(chat(OTHER_GATEWAY, EDGE_PRINT, APPLIED), chat(OTHER_CHAT, FOREIGN_PRINT))
    result = ask(E2AE_013, build.in_time_order(here, there))
    assert "the network here and another UE carry the same one" in result.finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_the_missing_answer_is_not_assessed() -> None:
    assert ask(E2AE_013, secure_chat()[:3]).rows == [("not-assessed", "N-OA", 1)]
    assert ask(E2AE_013, secure_chat(offer=[UE_PRINT], answer=[UE_PRINT])).rows == [OPEN]


# --- IMS-E2AE-015 ---------------------------------------------------------------------------------


def test_a_fingerprint_on_a_clear_line_is_found() -> None:
    """The catalogue's trigger."""
    packets = call(chat(UE_CHAT, REQUESTED, UE_PRINT, proto="TCP/MSRP"), chat(EDGE_CHAT, proto="TCP/MSRP"))
    result = ask(E2AE_015, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert result.frames() == [1]
    assert "with TCP/MSRP and the fingerprint sha-256" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_fingerprint_of_the_session_may_be_meant_for_another_line() -> None:
    """The catalogue's near miss: a DTLS audio line beside a clear MSRP line."""
    audio = build.audio(4000, "UDP/TLS/RTP/SAVP", "a=setup:actpass")
    clear = build.media("message", 2855, "TCP/MSRP", "*", REQUESTED)
    packets = call(build.sdp("192.0.2.10", audio, clear, session=[UE_PRINT]))
    assert ask(E2AE_015, packets).rows == [("pass", "", 1)]


def test_the_core_is_looked_at_as_well() -> None:
    talk = build.Dialog(caller=EDGE, callee=CORE)
    offer, answer = (floor(end, UE_PRINT, proto="TCP/BFCP") for end in (UE_CHAT, EDGE_CHAT))
    packets = call(offer, answer, dialog=talk, headers=CHARGED)
    result = ask(E2AE_015, packets, profile="e2ae")
    assert [("in the core" in each.message) for each in result.findings] == [True, True]
    assert ask(E2AE_015, packets).rows == [OPEN]
    assert ask(E2AE_015, packets, profile="rfc-only").rows == []


def test_secure_alternatives_explain_a_fingerprint() -> None:
    """T-OSRTP."""
    lines = ["a=tcap:1 TCP/TLS/MSRP", "a=pcfg:1 t=1", UE_PRINT]
    packets = call(chat(UE_CHAT, *lines, proto="TCP/MSRP"))
    assert ask(E2AE_015, packets, profile="e2ae").rows == [("not-assessed", "T-OSRTP", 1)]


# --- IMS-E2AE-016 ---------------------------------------------------------------------------------


def through(offered: list[str], there: list[str], *more: list[build.Packet]) -> list[build.Packet]:
    """A call from UE to UE, seen at both accesses."""
    here = call(chat(UE_CHAT, *offered), chat(EDGE_CHAT, EDGE_PRINT))
    return build.in_time_order(
        registration(), here, other_leg(chat(OTHER_GATEWAY, *there), chat(OTHER_CHAT, FOREIGN_PRINT)), *more
    )


def test_a_fingerprint_that_reaches_the_other_ue_is_information() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_016, through([UE_PRINT], [UE_PRINT]))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.INFO, "violation", "strong")
    assert result.frames() == [9, 11]
    assert "TLS runs from UE to UE" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_one_handshake_at_both_accesses_proves_it() -> None:
    first = tls(("192.0.2.10", 40_000), EDGE_CHAT)
    second = tls(("198.51.100.2", 40_000), OTHER_CHAT, at=1.01)
    finding = ask(E2AE_016, through([UE_PRINT], [UE_PRINT], first, second)).finding
    assert finding.confidence == "proven"
    assert "One handshake was seen on both." in finding.message


def test_fingerprints_of_gateways_pass() -> None:
    """The catalogue's near miss."""
    assert ask(E2AE_016, through([UE_PRINT], [EDGE_PRINT])).rows == [("pass", "", 1)]


@pytest.mark.parametrize("more", [REQUESTED, MIKEY])
def test_other_protection_is_no_object(more: str) -> None:
    assert ask(E2AE_016, through([UE_PRINT, more], [UE_PRINT])).rows == []


def test_without_the_other_access_it_is_not_assessed() -> None:
    packets = build.in_time_order(registration(), secure_chat(offer=[UE_PRINT], answer=list(ANSWER)))
    assert ask(E2AE_016, packets).rows == [OPEN]
    assert ask(E2AE_016, packets, profile="e2ae").rows == [("not-assessed", "N-CORE", 1)]
    assert ask(E2AE_016, packets, profile="rfc-only").rows == []

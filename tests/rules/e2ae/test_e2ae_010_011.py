"""IMS-E2AE-010 and -011, from capture octets to findings."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from imsinspect.policy import Policy
from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.e2ae.peers import (
    ANSWER,
    APPLIED,
    CHARGED,
    CORE,
    CORE_CHAT,
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
    registration,
    secure_chat,
    speech,
    to_ue,
)

E2AE_010, E2AE_011 = "IMS-E2AE-010", "IMS-E2AE-011"
SECRET = fingerprint(EDGE_CERTIFICATE)


def from_core(offer: bytes) -> list[build.Packet]:
    """A call to the UE as the core sends it to the P-CSCF, with the Call-ID of the access leg."""
    talk = build.Dialog(caller=CORE, callee=EDGE, from_uri="sip:bob@example.org", to_uri="sip:alice@example.org")
    return call(offer, dialog=talk, headers=CHARGED, at=-0.05)


def incoming(offer: bytes, *more: list[build.Packet], answer: bytes = b"") -> list[build.Packet]:
    """A call to a UE that registered."""
    return build.in_time_order(registration(), call(offer, answer, dialog=to_ue()), *more)


# --- IMS-E2AE-010 ---------------------------------------------------------------------------------


def test_a_line_that_the_network_protects_without_saying_so_is_found() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_010, incoming(chat(EDGE_CHAT, SECRET), from_core(chat(CORE_CHAT, proto="TCP/MSRP"))))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert result.frames() == [5, 7]
    assert "the core had offered it with TCP/MSRP in frame 5" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_the_indication_passes() -> None:
    """The catalogue's near miss."""
    core = from_core(chat(CORE_CHAT, proto="TCP/MSRP"))
    assert ask(E2AE_010, incoming(chat(EDGE_CHAT, SECRET, APPLIED), core)).rows == [("pass", "", 1)]


def test_a_session_that_passes_through_is_protected_end_to_end() -> None:
    """T-E2AE: the far end's own fingerprint or key stands on both sides."""
    far = fingerprint(FOREIGN)
    assert ask(E2AE_010, incoming(chat(EDGE_CHAT, far), from_core(chat(CORE_CHAT, far)))).rows == []
    offers = [speech(end, "RTP/SAVP", build.crypto("far")) for end in (("192.0.2.2", 5000), ("203.0.113.9", 6000))]
    assert ask(E2AE_010, incoming(offers[0], from_core(offers[1]))).rows == []
    assert ask(E2AE_010, incoming(chat(EDGE_CHAT, MIKEY))).rows == []


def test_a_core_that_protects_the_line_itself_is_not_judged() -> None:
    packets = incoming(chat(EDGE_CHAT, SECRET), from_core(chat(CORE_CHAT, fingerprint(FOREIGN))))
    assert ask(E2AE_010, packets).rows == [("not-assessed", "T-B2B", 1)]


def test_without_the_core_side_the_user_has_to_say() -> None:
    packets = incoming(chat(EDGE_CHAT, SECRET))
    assert ask(E2AE_010, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]
    result = ask(E2AE_010, packets, profile="e2ae")
    assert (result.finding.verdict, result.finding.confidence) == ("violation", "strong")
    assert ask(E2AE_010, packets, profile="e2e-sdes").rows == []


def test_another_line_with_the_indication_leaves_the_core_open() -> None:
    """N-CORE: the call has protection to the access edge, this line may have another."""
    lines = [build.media("message", 2856, "TCP/TLS/MSRP", "*", SECRET, *more) for more in ((APPLIED,), ())]
    packets = incoming(build.sdp("192.0.2.2", *lines))
    assert ask(E2AE_010, packets).rows == [("pass", "", 1), ("not-assessed", "N-CORE", 1)]


def test_offers_of_the_ue_are_no_object() -> None:
    assert ask(E2AE_010, build.in_time_order(registration(), secure_chat())).rows == []


# --- IMS-E2AE-011 ---------------------------------------------------------------------------------


def test_an_applied_from_the_ue_is_found() -> None:
    """The catalogue's trigger."""
    packets = incoming(chat(EDGE_CHAT, SECRET, APPLIED), answer=chat(UE_CHAT, fingerprint(UE_CERTIFICATE), APPLIED))
    result = ask(E2AE_011, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert result.frames() == [8]
    assert "the UE sends it, not the network" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_a_requested_of_the_ue_passes() -> None:
    """The catalogue's near miss."""
    assert ask(E2AE_011, build.in_time_order(registration(), secure_chat())).rows == [("pass", "", 1)]


def test_a_requested_of_the_network_is_found() -> None:
    assert "the network sends it, not the UE" in ask(E2AE_011, incoming(chat(EDGE_CHAT, *OFFER))).finding.message


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        (chat(UE_CHAT, "a=3ge2ae:offered"), "its value is not defined"),
        (chat(UE_CHAT, REQUESTED, proto="TCP/MSRP"), "the line has the clear transport TCP/MSRP"),
        (chat(UE_CHAT, REQUESTED, MIKEY), "a=key-mgmt beside it"),
        (chat(UE_CHAT, session=[REQUESTED]), "it stands above the media sections"),
    ],
)
def test_what_is_wrong_is_named(offer: bytes, words: str) -> None:
    result = ask(E2AE_011, build.in_time_order(registration(), call(offer)))
    assert words in result.finding.message
    assert result.rows == [("violation", "", 1)]


def test_without_a_sign_of_the_ue_the_direction_is_not_judged() -> None:
    """N-DIR: a value says nothing of whether it stands on the right side."""
    assert ask(E2AE_011, secure_chat()).rows == [("not-assessed", "N-DIR", 1)]
    assert ask(E2AE_011, call(chat(UE_CHAT, "a=3ge2ae:offered"))).rows == [("violation", "", 1)]


def test_a_policy_file_may_name_the_p_cscf() -> None:
    policy = Policy(nodes={"p_cscf": (ip_network("192.0.2.1/32"),)})
    assert ask(E2AE_011, secure_chat(), policy=policy).rows == [("pass", "", 1)]
    assert ask(E2AE_011, call(chat(UE_CHAT, APPLIED)), policy=policy).rows == [("violation", "", 1)]
    both = Policy(nodes={"p_cscf": (ip_network("192.0.2.0/24"),)})
    assert ask(E2AE_011, secure_chat(), policy=both).rows == [("not-assessed", "N-DIR", 1)]


def test_a_line_that_only_the_answer_has_is_judged() -> None:
    more = build.sdp("192.0.2.2", *(build.media("message", 9, "TCP/MSRP", "*", APPLIED) for _ in range(3)))
    result = ask(E2AE_011, build.in_time_order(registration(), call(chat(UE_CHAT, *OFFER), more)))
    assert result.rows == [("violation", "", 3), ("pass", "", 1)]


def test_indicators_in_the_core_are_another_rules_matter() -> None:
    """IMS-GW-003."""
    talk = build.Dialog(caller=EDGE, callee=CORE)
    packets = call(chat(UE_CHAT, *OFFER), chat(EDGE_CHAT, *ANSWER), dialog=talk, headers=CHARGED)
    assert ask(E2AE_011, packets).rows == []


def test_the_user_may_exclude_the_profile() -> None:
    packets = build.in_time_order(registration(), call(chat(UE_CHAT, "a=3ge2ae:offered")))
    assert ask(E2AE_011, packets, profile="rfc-only").rows == []

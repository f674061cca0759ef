"""IMS-E2AE-007, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.e2ae.peers import (
    ANSWER,
    APPLIED,
    EDGE_CHAT,
    MIKEY,
    OFFER,
    REQUESTED,
    UE_CHAT,
    ask,
    call,
    chat,
    floor,
    from_ue,
    registration,
    secure_chat,
    speech,
    to_ue,
)

E2AE_007 = "IMS-E2AE-007"
CLEAR = chat(EDGE_CHAT, proto="TCP/MSRP")
SPEECH = (("192.0.2.10", 4000), ("192.0.2.2", 5000))


def registered(*more: list[build.Packet], **changes: object) -> list[build.Packet]:
    """A registration, and what follows it."""
    return build.in_time_order(registration(**changes), *more)  # type: ignore[arg-type]


def test_a_clear_answer_to_a_requested_line_is_found() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_007, registered(call(chat(UE_CHAT, *OFFER), CLEAR), network=("msrp-tls",)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert result.frames() == [5, 8, 3, 2]
    assert "with TCP/MSRP" in finding.message
    assert "announced msrp-tls;mediasec" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_network_that_announced_other_media_promised_nothing() -> None:
    """The catalogue's near miss: RTP, MSRP and BFCP are independent."""
    packets = registered(call(chat(UE_CHAT, *OFFER), CLEAR), network=("sdes-srtp",))
    assert ask(E2AE_007, packets).rows == []
    assert ask(E2AE_007, packets, profile="e2ae").rows == [("violation", "", 1)]


def test_without_a_registration_it_is_suspected() -> None:
    result = ask(E2AE_007, call(chat(UE_CHAT, *OFFER), CLEAR))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "suspect", "heuristic")
    assert "Not seen: a registration of the UE" in finding.message
    assert result.rows == [("suspect", "", 1)]


def test_the_registration_at_another_p_cscf_does_not_count() -> None:
    packets = registered(call(chat(UE_CHAT, *OFFER), CLEAR), edge=("192.0.2.99", 5060))
    assert ask(E2AE_007, packets).rows == [("suspect", "", 1)]


@pytest.mark.parametrize("changes", [{"removed": True}, {"accepted": False}])
def test_a_registration_that_does_not_last_does_not_count(changes: dict[str, bool]) -> None:
    packets = registered(call(chat(UE_CHAT, *OFFER), CLEAR), **changes)
    assert ask(E2AE_007, packets).rows == [("suspect", "", 1)]


@pytest.mark.parametrize(
    ("offer", "answer", "missing"),
    [
        (chat(UE_CHAT, *OFFER), chat(EDGE_CHAT), "TCP/TLS/MSRP without a=fingerprint"),
        (floor(UE_CHAT, *OFFER), floor(EDGE_CHAT, proto="TCP/BFCP"), "TCP/BFCP"),
        (speech(SPEECH[0], "RTP/SAVP", build.crypto("a"), REQUESTED), speech(SPEECH[1], "RTP/AVP"), "RTP/AVP"),
        (
            speech(SPEECH[0], "RTP/SAVP", build.crypto("a"), REQUESTED),
            speech(SPEECH[1], "RTP/SAVP"),
            "RTP/SAVP without a=crypto",
        ),
    ],
)
def test_what_the_answer_lacks_is_named(offer: bytes, answer: bytes, missing: str) -> None:
    result = ask(E2AE_007, registered(call(offer, answer)))
    assert result.finding.evidence[1].observed == missing
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (chat(UE_CHAT, *OFFER), chat(EDGE_CHAT, *ANSWER)),
        (chat(UE_CHAT, *OFFER), chat(EDGE_CHAT, MIKEY)),
        (
            speech(SPEECH[0], "RTP/SAVP", build.crypto("a"), REQUESTED),
            speech(SPEECH[1], "RTP/SAVP", build.crypto("b")),
        ),
    ],
)
def test_lines_that_are_protected_as_requested_pass(offer: bytes, answer: bytes) -> None:
    assert ask(E2AE_007, registered(call(offer, answer))).rows == [("pass", "", 1)]


def test_a_line_that_is_refused_is_safe() -> None:
    refused = chat(EDGE_CHAT, proto="TCP/MSRP", port=0)
    assert ask(E2AE_007, registered(call(chat(UE_CHAT, *OFFER), refused))).rows == []


def test_a_call_that_is_refused_has_no_answer() -> None:
    packets = registered(build.call(chat(UE_CHAT, *OFFER), dialog=from_ue(), final=(488, "Not Acceptable Here")))
    assert ask(E2AE_007, packets).rows == []


def test_the_missing_answer_is_not_assessed() -> None:
    assert ask(E2AE_007, registered(secure_chat()[:3])).rows == [("not-assessed", "N-OA", 1)]


def test_emergency_calls_go_through() -> None:
    packets = registered(call(chat(UE_CHAT, *OFFER), CLEAR, uri="urn:service:sos.fire"))
    assert ask(E2AE_007, packets).rows == [("not-assessed", "T-POL", 1)]


def test_a_request_that_is_none_of_the_ue_is_another_rules_matter() -> None:
    """IMS-E2AE-011 and IMS-GW-003 are about such requests."""
    offer, answer = chat(EDGE_CHAT, *OFFER), chat(UE_CHAT, proto="TCP/MSRP")
    assert ask(E2AE_007, registered(call(offer, answer, dialog=to_ue()))).rows == []
    applied = chat(EDGE_CHAT, APPLIED, *ANSWER)
    assert ask(E2AE_007, registered(call(applied, answer, dialog=to_ue()))).rows == []


def test_ues_behind_one_address_are_told_apart_by_their_names() -> None:
    other = registration((), (), user="carol")
    packets = registered(other, call(chat(UE_CHAT, *OFFER), CLEAR))
    assert ask(E2AE_007, packets).rows == [("violation", "", 1)]


def test_the_user_may_exclude_the_profile() -> None:
    packets = registered(call(chat(UE_CHAT, *OFFER), CLEAR))
    assert ask(E2AE_007, packets, profile="rfc-only").rows == []


def test_the_downgrade_itself_is_the_root() -> None:
    """One fact, one root finding (rules.md 19.1.3)."""
    for answer, root in ((CLEAR, "IMS-SIG-006"), (chat(EDGE_CHAT), "IMS-E2AE-001")):
        findings = build.audit_bytes(build.pcap(registered(call(chat(UE_CHAT, *OFFER), answer)))).findings
        (asked,) = (each for each in findings if each.rule == E2AE_007)
        roots = {each.fingerprint for each in findings if each.rule == root}
        assert roots & set(asked.follows_from)

"""IMS-E2AE-003, from capture octets to findings."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.e2ae.peers import EDGE_CHAT, MIKEY, OFFER, UE_CHAT, ask, call, floor, secure_chat, tls
from tests.rules.tls.hellos import tls13

E2AE_003 = "IMS-E2AE-003"


def captured(*more: list[build.Packet], **changes: object) -> list[build.Packet]:
    """The call of a UE and its TLS connection."""
    return build.in_time_order(secure_chat(), tls(**changes), *more)  # type: ignore[arg-type]


def test_a_server_that_asks_for_no_certificate_is_found() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_003, captured(requested=False))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert [each.field for each in finding.evidence] == ["ServerHello", "TLS handshake", "first data"]
    assert finding.evidence[1].observed == "no CertificateRequest"
    assert "the server asks for none" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_an_empty_certificate_of_the_client_is_found() -> None:
    finding = ask(E2AE_003, captured(client_certificate=b"")).finding
    assert finding.evidence[1].observed == "the client's Certificate is empty"
    assert "the client sends none" in finding.message


def test_both_sides_with_certificates_pass() -> None:
    assert ask(E2AE_003, captured()).rows == [("pass", "", 1)]


def test_a_connection_that_carries_nothing_is_not_assessed() -> None:
    assert ask(E2AE_003, captured(requested=False, data=[])).rows == [("not-assessed", "N-MED", 1)]


def test_an_abbreviated_handshake_is_as_good_as_the_one_it_resumes() -> None:
    """The catalogue's near miss, and T-RES."""
    again = tls(("192.0.2.10", 40_001), at=9.0, resumes=b"session", random=b"d" * 32)
    assert ask(E2AE_003, captured(again, session_id=b"session")).rows == [("pass", "", 2)]
    assert ask(E2AE_003, captured(again)).rows == [("pass", "", 1), ("not-assessed", "T-RES", 1)]
    assert ask(E2AE_003, captured(again, session_id=b"session", requested=False)).rows == [("violation", "", 2)]


def test_tls_1_3_hides_certificates() -> None:
    """T-13."""
    packets = build.in_time_order(secure_chat(), tls13(client=("192.0.2.10", 40_000), server=EDGE_CHAT))
    assert ask(E2AE_003, packets).rows == [("not-assessed", "T-13", 1)]


def test_a_pre_shared_key_needs_no_certificates() -> None:
    packets = captured(suite=0x008C, server_certificate=b"", requested=False)
    assert ask(E2AE_003, packets).rows == []
    ticket = build.in_time_order(secure_chat(offer=[MIKEY], answer=[MIKEY]), tls(requested=False))
    assert ask(E2AE_003, ticket, profile="e2ae").rows == []


def test_a_handshake_that_was_not_captured_whole_is_not_assessed() -> None:
    assert ask(E2AE_003, secure_chat()).rows == [("not-assessed", "N-HS", 1)]
    begun = [each for each in captured(requested=False) if not 1.0 <= each[0] < 1.035]
    assert ask(E2AE_003, begun).rows == [("not-assessed", "N-HS", 1)]


def test_without_a_profile_a_server_may_know_its_clients_otherwise() -> None:
    packets = build.in_time_order(secure_chat(offer=[], answer=[]), tls(requested=False))
    assert ask(E2AE_003, packets).rows == [("not-assessed", "IMS-PROF-005", 1)]


def test_floor_control_is_judged_like_messages() -> None:
    packets = build.in_time_order(call(floor(UE_CHAT, *OFFER), floor(EDGE_CHAT)), tls(requested=False))
    assert ask(E2AE_003, packets).rows == [("violation", "", 1)]

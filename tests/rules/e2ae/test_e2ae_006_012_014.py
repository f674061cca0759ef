"""IMS-E2AE-006, -012 and -014, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.e2ae.peers import (
    ANSWER,
    CHARGED,
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
    from_ue,
    secure_chat,
    tls,
)

E2AE_006, E2AE_012, E2AE_014 = "IMS-E2AE-006", "IMS-E2AE-012", "IMS-E2AE-014"
OPEN = ("not-assessed", "IMS-PROF-005", 1)
LONG = [(0.2, True), (0.3, False), (30.0, True), (31.0, False)]


# --- IMS-E2AE-006 ---------------------------------------------------------------------------------


def changed(renewed: list[str], *more: list[build.Packet]) -> list[build.Packet]:
    """A call whose UE describes itself again after 20 s."""
    talk = from_ue()
    script = [
        (0.0, talk.request("INVITE", chat(UE_CHAT, *OFFER)), True),
        (0.5, talk.response(200, "OK", chat(EDGE_CHAT, *ANSWER)), False),
        (0.51, talk.request("ACK"), True),
        (20.0, talk.request("UPDATE", chat(UE_CHAT, REQUESTED, *renewed, version=2), in_dialog=True), True),
        (20.5, talk.response(200, "OK", chat(EDGE_CHAT, *ANSWER, version=2), method="UPDATE"), False),
        (60.0, talk.request("BYE", in_dialog=True), True),
    ]
    return build.in_time_order(build.carry(talk, script), *more)


def test_a_new_fingerprint_on_an_old_connection_is_found() -> None:
    """The catalogue's trigger."""
    result = ask(E2AE_006, changed([fingerprint(FOREIGN)], tls(data=LONG)))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert [each.field for each in finding.evidence] == ["SDP a=fingerprint", "SDP a=fingerprint", "last octets"]
    assert finding.evidence[0].frame == 1
    assert "Not seen: a new handshake." in finding.message
    assert result.rows == [("violation", "", 1)]


def test_another_hash_of_the_same_certificate_changes_nothing() -> None:
    """The catalogue's near miss, beside the old one and in its place."""
    again = fingerprint(UE_CERTIFICATE, "SHA-512")
    assert ask(E2AE_006, changed([OFFER[2], again], tls(data=LONG))).rows == []
    assert ask(E2AE_006, changed([again], tls(data=LONG))).rows == [("pass", "", 1)]


def test_a_fingerprint_that_is_added_changes_nothing() -> None:
    assert ask(E2AE_006, changed([OFFER[2], fingerprint(FOREIGN)], tls(data=LONG))).rows == []


def test_a_new_handshake_follows_the_new_fingerprint() -> None:
    new = tls(("192.0.2.10", 40_001), at=21.0, client_certificate=FOREIGN, random=b"d" * 32)
    assert ask(E2AE_006, changed([fingerprint(FOREIGN)], tls(data=LONG), new)).rows == [("pass", "", 1)]


def test_without_traffic_behind_the_change_it_is_not_assessed() -> None:
    row = ("not-assessed", "N-MED", 1)
    assert ask(E2AE_006, changed([fingerprint(FOREIGN)])).rows == [row]
    assert ask(E2AE_006, changed([fingerprint(FOREIGN)], tls())).rows == [row]


def test_another_hash_of_a_certificate_that_was_not_seen_is_only_suspected() -> None:
    resumed = tls(data=LONG, resumes=b"earlier")
    result = ask(E2AE_006, changed([fingerprint(FOREIGN, "SHA-512")], resumed))
    assert (result.finding.verdict, result.finding.confidence) == ("suspect", "heuristic")
    assert "ambiguous" in result.finding.message
    assert ask(E2AE_006, changed([fingerprint(FOREIGN)], resumed)).finding.confidence == "strong"


# --- IMS-E2AE-012 ---------------------------------------------------------------------------------


def test_data_long_before_the_answer_is_found() -> None:
    """The catalogue's trigger: the answer comes 2 s behind the data."""
    talk = from_ue()
    script = [
        (0.0, talk.request("INVITE", chat(UE_CHAT, *OFFER)), True),
        (3.0, talk.response(200, "OK", chat(EDGE_CHAT, *ANSWER)), False),
        (3.01, talk.request("ACK"), True),
    ]
    captured = build.in_time_order(build.carry(talk, script), tls(("192.0.2.2", 40_000), UE_CHAT, at=0.5))
    result = ask(E2AE_012, captured)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert [each.field for each in finding.evidence] == ["TLS handshake finished", "SDP answer", "first data"]
    assert "2.460 seconds before the answer" in finding.message
    assert "Data passes from" in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize("at", [0.4, 0.48, 1.0])
def test_a_connection_that_hardly_outruns_the_answer_passes(at: float) -> None:
    """The catalogue's near miss: the ClientHello comes 20 ms before the answer."""
    packets = build.in_time_order(secure_chat(), tls(("192.0.2.2", 40_000), UE_CHAT, at=at))
    assert ask(E2AE_012, packets).rows == [("pass", "", 1)]


def test_an_answer_in_a_provisional_response_counts() -> None:
    answer = chat(EDGE_CHAT, *ANSWER)
    packets = build.in_time_order(secure_chat(early=answer), tls(at=0.15))
    assert ask(E2AE_012, packets).rows == [("pass", "", 1)]


def test_the_missing_answer_is_not_assessed() -> None:
    packets = build.in_time_order(secure_chat()[:3], tls(("192.0.2.2", 40_000), UE_CHAT, at=0.2))
    assert ask(E2AE_012, packets).rows == [("not-assessed", "N-OA", 1)]


def test_captures_with_clocks_of_their_own_are_not_compared() -> None:
    """N-CLK."""
    connection = tls(("192.0.2.2", 40_000), UE_CHAT, at=0.1)
    assert ask(E2AE_012, secure_chat(), connection).rows == [("not-assessed", "N-CLK", 1)]


def test_a_session_whose_beginning_was_not_captured_is_not_assessed() -> None:
    """T-MID."""
    talk = from_ue()
    renewed = [
        (20.0, talk.request("INVITE", chat(UE_CHAT, *OFFER), in_dialog=True), True),
        (23.0, talk.response(200, "OK", chat(EDGE_CHAT, *ANSWER)), False),
    ]
    packets = build.in_time_order(build.carry(talk, renewed), tls(("192.0.2.2", 40_000), UE_CHAT, at=21.0))
    assert ask(E2AE_012, packets).rows == [("not-assessed", "T-MID", 1)]


# --- IMS-E2AE-014 ---------------------------------------------------------------------------------

FROM_EDGE = {"client": ("192.0.2.2", 40_000), "server": UE_CHAT, "server_certificate": UE_CERTIFICATE}


def chats(offered: str, answered: str, *more: str) -> list[build.Packet]:
    """A chat whose sides say who connects."""
    lines = [[f"a=setup:{each}"] if each else [] for each in (offered, answered)]
    return call(chat(UE_CHAT, REQUESTED, OFFER[2], *lines[0], *more), chat(EDGE_CHAT, ANSWER[1], *lines[1], *more))


def test_a_handshake_from_the_passive_side_is_found() -> None:
    """The catalogue's trigger."""
    packets = build.in_time_order(chats("actpass", "passive"), tls(**FROM_EDGE))  # type: ignore[arg-type]
    result = ask(E2AE_014, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "proven")
    assert (finding.subject.kind, finding.subject.id) == ("media", "call-1/0")
    assert [each.field for each in finding.evidence] == ["SDP m= line 0", "SDP m= line 0", "ClientHello"]
    assert "the offer has a=setup:actpass and the answer a=setup:passive" in finding.message
    assert result.rows == [("violation", "", 1)]


@pytest.mark.parametrize(
    ("offered", "answered", "rows"),
    [
        ("actpass", "passive", [("pass", "", 1)]),
        ("active", "passive", [("pass", "", 1)]),
        ("actpass", "active", [("violation", "", 1)]),
        ("passive", "active", [("violation", "", 1)]),
        ("", "", []),
        ("actpass", "", []),
        ("active", "active", []),
    ],
)
def test_roles_are_those_of_offer_and_answer(offered: str, answered: str, rows: list[tuple[str, str, int]]) -> None:
    """Without a=setup on both sides nothing was negotiated; contradictions are no agreement."""
    assert ask(E2AE_014, build.in_time_order(chats(offered, answered), tls())).rows == rows


def floors(*attributes: str) -> list[build.Packet]:
    """Floor control whose answerer opens the connection."""
    return call(
        floor(UE_CHAT, REQUESTED, OFFER[2], "a=setup:passive"),
        floor(EDGE_CHAT, ANSWER[1], "a=setup:active", *attributes),
    )


def test_the_answerer_of_floor_control_is_the_tls_server_whoever_connects() -> None:
    """The catalogue's near miss, and its opposite."""
    reversed_roles = tls(UE_CHAT, ("192.0.2.2", 40_000))
    assert ask(E2AE_014, build.in_time_order(floors(), reversed_roles)).rows == [("pass", "", 1)]
    result = ask(E2AE_014, build.in_time_order(floors(), tls(**FROM_EDGE)))  # type: ignore[arg-type]
    assert "the answerer of floor control over TCP is the TLS server" in result.finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_handshake_that_was_not_captured_is_not_assessed() -> None:
    assert ask(E2AE_014, chats("actpass", "passive")).rows == [("not-assessed", "N-HS", 1)]


def test_addresses_of_both_sides_leave_the_roles_open() -> None:
    packets = call(
        chat(EDGE_CHAT, REQUESTED, OFFER[2], "a=setup:actpass"), chat(EDGE_CHAT, ANSWER[1], "a=setup:passive")
    )
    assert ask(E2AE_014, build.in_time_order(packets, tls())).rows == [("not-assessed", "N-DIR", 1)]


def test_with_tickets_other_agreements_are_allowed() -> None:
    """Annex H.2 says "typically"."""
    packets = build.in_time_order(chats("actpass", "active", MIKEY), tls())
    result = ask(E2AE_014, packets, profile="g3")
    assert (result.finding.verdict, result.finding.confidence) == ("suspect", "heuristic")


@pytest.mark.parametrize("rule", [E2AE_006, E2AE_012, E2AE_014])
def test_open_profiles_and_the_core_are_not_judged(rule: str) -> None:
    plain = ["a=setup:actpass", fingerprint(UE_CERTIFICATE)], ["a=setup:passive", fingerprint(EDGE_CERTIFICATE)]
    talk = from_ue()
    script = [
        (0.0, talk.request("INVITE", chat(UE_CHAT, *plain[0])), True),
        (0.5, talk.response(200, "OK", chat(EDGE_CHAT, *plain[1])), False),
        (0.51, talk.request("ACK"), True),
        (9.0, talk.request("UPDATE", chat(UE_CHAT, "a=setup:actpass", fingerprint(FOREIGN)), in_dialog=True), True),
        (9.1, talk.response(200, "OK", chat(EDGE_CHAT, *plain[1]), method="UPDATE"), False),
    ]
    packets = build.in_time_order(build.carry(talk, script), tls(data=LONG))
    assert ask(rule, packets).rows == [OPEN]
    assert ask(rule, packets, profile="rfc-only").rows == []
    core = build.in_time_order(call(chat(UE_CHAT, *plain[0]), chat(EDGE_CHAT, *plain[1]), headers=CHARGED), tls())
    assert ask(rule, core, profile="e2ae").rows == []

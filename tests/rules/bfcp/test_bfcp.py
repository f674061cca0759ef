"""IMS-BFCP-001 to -007, from capture octets to findings."""

from __future__ import annotations

import pytest

from imsinspect.rules.outcome import Severity
from tests import build
from tests.floor_kit import (
    FLOOR_REQUEST,
    FLOOR_REQUEST_STATUS,
    FLOOR_STATUS,
    SERVER,
    UE,
    beneficiary,
    bfcp,
    error,
    exchange,
    floor_call,
    floor_line,
    served,
)

BFCP_001, BFCP_002, BFCP_003, BFCP_004 = (f"IMS-BFCP-00{number}" for number in (1, 2, 3, 4))
BFCP_005, BFCP_006, BFCP_007 = (f"IMS-BFCP-00{number}" for number in (5, 6, 7))


class Asked:
    """The outcomes of one rule under a profile."""

    def __init__(self, rule: str, packets: list[build.Packet], **options: str) -> None:
        audit = build.audit_bytes(build.pcap(packets), **options)
        assert not [note for note in audit.notes if "failed" in note.text]
        self.findings = [each for each in audit.findings if each.rule == rule]
        self.rows = [(row.outcome, row.gap, row.subjects) for row in audit.assessments if row.rule == rule]


# --- IMS-BFCP-001 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "severity"),
    [("g3", Severity.HIGH), ("tr-kms", Severity.HIGH), ("g2", Severity.MEDIUM), ("tr-sdes", Severity.MEDIUM),
     ("auto", Severity.MEDIUM)],
)  # fmt: skip
def test_floor_control_in_clear_by_profile(profile: str, severity: Severity) -> None:
    """The catalogue's trigger."""
    result = Asked(BFCP_001, floor_call(), profile=profile)
    (finding,) = result.findings
    assert (finding.severity, finding.verdict, finding.confidence) == (severity, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1/1", [1, 4])
    assert "TCP/BFCP" in finding.title
    assert result.rows == [("violation", "", 1)]


def test_floor_control_in_tls_passes(told) -> None:
    """The catalogue's near miss."""
    assert told(BFCP_001, floor_call("TCP/TLS/BFCP")).rows == [("pass", "", 1)]


def test_a_refused_line_is_no_object(told) -> None:
    """T-HOLD."""
    refused = build.sdp("198.51.100.7", build.audio(9), build.media("application", 0, "TCP/BFCP", "*"))
    packets = build.call(floor_line(*UE), refused)
    assert told(BFCP_001, packets).rows == []


def test_the_core_behind_an_access_edge_is_in_clear_by_design() -> None:
    """T-E2AE: the P-CSCF forwards the line of a UE that is protected to the edge."""
    charging = ("P-Charging-Vector: icid-value=1", "P-Asserted-Identity: <sip:alice@example.org>")
    talk = build.Dialog(via=("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",))
    script = [
        (0.0, talk.request("INVITE", floor_line(*UE), headers=charging), True),
        (0.5, talk.response(200, "OK", floor_line(*SERVER, server=True), headers=charging), False),
    ]
    assert Asked(BFCP_001, build.carry(talk, script), profile="e2ae").rows == []


def test_under_e2ae_a_side_that_nothing_tells_is_not_assessed() -> None:
    assert Asked(BFCP_001, floor_call(), profile="e2ae").rows == [("not-assessed", "N-DIR", 1)]
    (finding,) = Asked(BFCP_001, floor_call(), profile="e2ae", capture_point="access").findings
    assert finding.severity is Severity.HIGH


def test_an_offer_whose_answer_was_not_seen_is_not_assessed(told) -> None:
    assert told(BFCP_001, floor_call()[:3]).rows == [("not-assessed", "N-OA", 1)]


def test_floor_control_without_signalling_is_not_assessed(told) -> None:
    assert told(BFCP_001, exchange(served())).rows == [("not-assessed", "N-SIP", 1)]


# --- IMS-BFCP-002 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proto", "severity"),
    [("UDP/BFCP", Severity.HIGH), ("UDP/TLS/BFCP", Severity.MEDIUM), ("TCP/DTLS/BFCP", Severity.MEDIUM)],
)
def test_other_transports_in_a_g3_conference(proto: str, severity: Severity) -> None:
    """The catalogue's trigger, and the protected ones; UDP/BFCP is no second finding of IMS-BFCP-001."""
    result = Asked(BFCP_002, floor_call(proto), profile="g3")
    (finding,) = result.findings
    assert (finding.severity, finding.subject.id) == (severity, "call-1/1")
    assert result.rows == [("violation", "", 1)]
    assert Asked(BFCP_001, floor_call(proto), profile="g3").findings == []


def test_the_transport_of_the_profile_passes() -> None:
    """The catalogue's near miss."""
    assert Asked(BFCP_002, floor_call("TCP/TLS/BFCP"), profile="g3").rows == [("pass", "", 1)]


def test_without_a_profile_it_is_not_assessed_and_under_another_no_object() -> None:
    assert Asked(BFCP_002, floor_call("UDP/BFCP")).rows == [("not-assessed", "IMS-PROF-005", 1)]
    assert Asked(BFCP_002, floor_call("UDP/BFCP"), profile="g2").rows == []


# --- IMS-BFCP-003 ---------------------------------------------------------------------------------

DEMAND = [(2.0, bfcp(FLOOR_REQUEST, 1), True), (2.1, error(9, 1), False)]


def test_a_request_in_clear_that_is_served_behind_use_tls(told) -> None:
    """The catalogue's trigger."""
    again = [(3.0, bfcp(FLOOR_REQUEST, 2), True), (3.1, bfcp(FLOOR_REQUEST_STATUS, 2), False)]
    result = told(BFCP_003, floor_call("TCP/BFCP", exchange([*DEMAND, *again])))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert "Error 9 (Use TLS)" in finding.message
    assert [each.observed for each in finding.evidence] == [
        "Error 9 (Use TLS)", "FloorRequest in clear", "FloorRequestStatus",
    ]  # fmt: skip
    assert result.rows == [("violation", "", 1)]


def test_a_client_that_stops_passes(told) -> None:
    """The catalogue's near miss: behind the Error comes nothing in clear."""
    assert told(BFCP_003, floor_call("TCP/BFCP", exchange(DEMAND))).rows == [("pass", "", 1)]


def test_a_server_that_refuses_again_passes(told) -> None:
    again = [(3.0, bfcp(FLOOR_REQUEST, 2), True), (3.1, error(9, 2), False)]
    assert told(BFCP_003, floor_call("TCP/BFCP", exchange([*DEMAND, *again]))).rows == [("not-assessed", "N-MED", 1)]


def test_a_request_whose_answer_was_not_captured_is_not_assessed(told) -> None:
    again = [(3.0, bfcp(FLOOR_REQUEST, 2), True)]
    assert told(BFCP_003, floor_call("TCP/BFCP", exchange([*DEMAND, *again]))).rows == [("not-assessed", "N-MED", 1)]


def test_other_errors_are_no_object(told) -> None:
    packets = exchange([(2.0, bfcp(FLOOR_REQUEST, 1), True), (2.1, error(5, 1), False), *served(3.0)])
    assert told(BFCP_003, floor_call("TCP/BFCP", packets)).rows == []


# --- IMS-BFCP-004 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", [{"user": 7}, {"conference": 9}])
def test_ids_that_were_not_assigned_and_are_served(told, ids: dict[str, int]) -> None:
    """The catalogue's trigger."""
    result = told(BFCP_004, floor_call("TCP/BFCP", exchange(served(**ids))))
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.HIGH, "violation", "proven")
    assert "assign User ID 1, Conference ID 4321" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_chair_that_asks_for_another_passes(told) -> None:
    """The catalogue's near miss: its own User ID, and BENEFICIARY-ID 7."""
    request = [
        (2.0, bfcp(FLOOR_REQUEST, 2, attributes=beneficiary(7)), True),
        (2.1, bfcp(FLOOR_REQUEST_STATUS, 2), False),
    ]
    assert told(BFCP_004, floor_call("TCP/BFCP", exchange(request))).rows == [("pass", "", 1)]


def test_other_ids_that_are_refused_pass(told) -> None:
    request = [(2.0, bfcp(FLOOR_REQUEST, 2, user=7), True), (2.1, error(5, 2, user=7), False)]
    assert told(BFCP_004, floor_call("TCP/BFCP", exchange(request))).rows == [("pass", "", 1)]


def test_without_an_answer_or_without_floor_control_it_is_not_assessed(told) -> None:
    alone = [(2.0, bfcp(FLOOR_REQUEST, 2, user=7), True)]
    assert told(BFCP_004, floor_call("TCP/BFCP", exchange(alone))).rows == [("not-assessed", "N-MED", 1)]
    assert told(BFCP_004, floor_call()).rows == [("not-assessed", "N-MED", 1)]


def test_inside_tls_that_stays_closed_it_is_not_assessed(told) -> None:
    session = build.tls_session(UE, SERVER, 0x009C, at=1.0, data=[b"x" * 40])
    packets = floor_call("TCP/TLS/BFCP", session, attributes=("a=setup:actpass",))
    assert told(BFCP_004, packets).rows == [("not-assessed", "N-KEY", 1)]


# --- IMS-BFCP-005 ---------------------------------------------------------------------------------


def late(at: float) -> list[build.Packet]:
    return exchange([*served(), (at, bfcp(FLOOR_STATUS, 9), False)])


def test_floor_status_long_after_the_bye() -> None:
    """The catalogue's trigger."""
    result = Asked(BFCP_005, floor_call("TCP/BFCP", late(40.0)), profile="g3")
    (finding,) = result.findings
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert "FloorStatus" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_a_request_before_the_invite_was_accepted() -> None:
    packets = floor_call("TCP/BFCP", exchange(served(0.2)))
    (finding,) = Asked(BFCP_005, packets, profile="g2").findings
    assert "before the INVITE was accepted" in finding.title


def test_a_connection_that_lingers_passes() -> None:
    """The catalogue's near miss: a message within 5 seconds, then nothing but FIN."""
    assert Asked(BFCP_005, floor_call("TCP/BFCP", late(13.0)), profile="g3").rows == [("pass", "", 1)]


def test_a_dialog_whose_end_was_not_captured_is_not_assessed() -> None:
    packets = floor_call("TCP/BFCP", late(40.0), duration=None)
    assert Asked(BFCP_005, packets, profile="g3").rows == [("not-assessed", "T-MID", 1)]


def test_tls_that_outlasts_the_dialog_is_not_assessed() -> None:
    session = build.tls_session(UE, SERVER, 0x009C, at=1.0, data=[b"x" * 40] * 3)
    session[-1] = (30.0, session[-1][1])
    packets = floor_call("TCP/TLS/BFCP", session, attributes=("a=setup:actpass",))
    assert Asked(BFCP_005, packets, profile="g3").rows == [("not-assessed", "N-KEY", 1)]


def test_without_a_profile_membership_is_not_judged() -> None:
    assert Asked(BFCP_005, floor_call("TCP/BFCP", late(40.0))).rows == [("not-assessed", "IMS-PROF-005", 1)]


# --- IMS-BFCP-006 ---------------------------------------------------------------------------------

STRANGER = ("203.0.113.66", 50_066)


def test_a_client_without_a_dialog_at_a_server_of_others(told) -> None:
    """The catalogue's trigger."""
    packets = floor_call("TCP/BFCP", exchange(served()), exchange(served(3.0, user=9), client=STRANGER))
    result = told(BFCP_006, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "strong")
    assert "203.0.113.66" in finding.message
    assert result.rows == [("violation", "", 1), ("pass", "", 1)]


def test_floor_control_of_another_system_is_not_assessed(told) -> None:
    """The catalogue's near miss: its signalling was not captured."""
    assert told(BFCP_006, exchange(served())).rows == [("not-assessed", "N-SIP", 1)]


def test_fewer_than_three_messages_are_no_object(told) -> None:
    few = exchange(served(3.0)[:2], client=STRANGER)
    assert told(BFCP_006, floor_call("TCP/BFCP", exchange(served()), few)).rows == [("pass", "", 1)]


def test_the_only_connection_to_an_announced_port_is_the_lines_behind_a_nat(told) -> None:
    """T-NAT: the client's address is another than its description says."""
    assert told(BFCP_006, floor_call("TCP/BFCP", exchange(served(), client=STRANGER))).rows == [("pass", "", 1)]


# --- IMS-BFCP-007 ---------------------------------------------------------------------------------


def registered(host: str, number: int) -> list[build.Packet]:
    ends = ((host, 5060), ("192.0.2.1", 5060))
    talk = build.Dialog(caller=ends[0], callee=ends[1], call_id=f"reg-{number}", to_uri=f"sip:u{number}@h")
    return build.carry(talk, [(0.0, talk.request("REGISTER"), True)])


def test_floor_control_between_two_registered_ues() -> None:
    """The catalogue's trigger."""
    packets = [*registered(UE[0], 1), *registered(SERVER[0], 2), *floor_call()]
    result = Asked(BFCP_007, packets, profile="g2")
    (finding,) = result.findings
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.LOW, "violation", "strong")
    assert result.rows == [("violation", "", 1)]


def test_floor_control_with_a_focus_passes() -> None:
    """The catalogue's near miss."""
    assert Asked(BFCP_007, floor_call(focus=True), profile="g3").rows == [("pass", "", 1)]


def test_ends_that_nothing_tells_are_not_assessed() -> None:
    assert Asked(BFCP_007, floor_call(), profile="g2").rows == [("not-assessed", "N-DIR", 1)]
    assert Asked(BFCP_007, floor_call()).rows == [("not-assessed", "IMS-PROF-005", 1)]

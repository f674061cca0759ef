"""IMS-PROF-001 and -005, from capture octets to findings."""

from __future__ import annotations

from imsinspect.rules.outcome import Severity
from tests import build
from tests.rules.conftest import A, B, answer, offer

PROF_001, PROF_005 = "IMS-PROF-001", "IMS-PROF-005"
MIKEY = "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6g=="
FINGERPRINT = "a=fingerprint:SHA-256 " + ":".join(["AB"] * 32)


def two_lines(side: tuple[str, int], audio: tuple[str, ...], chat: tuple[str, ...], *, port: int = 2855) -> bytes:
    return build.sdp(
        side[0],
        build.audio(side[1], "RTP/SAVP", *audio),
        build.media("message", port, "TCP/TLS/MSRP", "*", *chat),
    )


def test_one_line_by_sdes_and_one_by_mikey(told) -> None:
    """The catalogue's trigger."""
    packets = build.call(two_lines(A, (build.crypto("a"),), (MIKEY,)), two_lines(B, (build.crypto("b"),), (MIKEY,)))
    result = told(PROF_001, packets)
    finding = result.finding
    assert (finding.severity, finding.verdict, finding.confidence) == (Severity.MEDIUM, "violation", "proven")
    assert (finding.subject.id, [each.frame for each in finding.evidence]) == ("call-1", [1, 4])
    assert "audio line 0 by a=crypto, message line 1 by a=key-mgmt" in finding.message
    assert result.rows == [("violation", "", 1)]


def test_an_offer_of_both_and_an_answer_of_one(told) -> None:
    """The catalogue's near miss."""
    offered = build.sdp(A[0], build.audio(A[1], "RTP/SAVP", build.crypto("a"), MIKEY))
    assert told(PROF_001, build.call(offered, answer("RTP/SAVP", MIKEY))).rows == [("pass", "", 1)]


def test_a_refused_line_does_not_count(told) -> None:
    """T-HOLD."""
    answered = two_lines(B, (build.crypto("b"),), (MIKEY,), port=0)
    assert told(PROF_001, build.call(two_lines(A, (build.crypto("a"),), (MIKEY,)), answered)).rows == [("pass", "", 1)]


def test_lines_protected_to_the_access_edge_are_ambiguous(told) -> None:
    offered = two_lines(A, (build.crypto("a"), "a=3ge2ae:requested"), (MIKEY,))
    finding = told(PROF_001, build.call(offered, two_lines(B, (build.crypto("b"),), (MIKEY,)))).finding
    assert (finding.severity, finding.verdict) == (Severity.LOW, "suspect")
    assert "Ambiguous" in finding.message


def test_an_offer_in_both_ways_without_an_answer_is_not_assessed(told) -> None:
    packets = build.call(two_lines(A, (build.crypto("a"),), (MIKEY,)))[:3]
    assert told(PROF_001, packets).rows == [("not-assessed", "N-OA", 1)]


def test_lines_in_clear_are_no_object(told) -> None:
    assert told(PROF_001, build.call(offer("RTP/AVP"), answer("RTP/AVP"))).rows == []


# --- IMS-PROF-005 ---------------------------------------------------------------------------------


def open_calls(number: int) -> list[build.Packet]:
    dialogs = [build.Dialog(call_id=f"call-{each}@test") for each in range(number)]
    return build.in_time_order(
        *(
            build.call(offer("RTP/AVP"), answer("RTP/AVP"), dialog=dialog, at=index * 20.0)
            for index, dialog in enumerate(dialogs)
        )
    )


def findings(packets: list[build.Packet], **options: str) -> tuple[list[object], list[tuple[str, int]]]:
    audit = build.audit_bytes(build.pcap(packets), **options)
    rows = [(row.outcome, row.subjects) for row in audit.assessments if row.rule == PROF_005]
    return [each for each in audit.findings if each.rule == PROF_005], rows


def test_calls_that_show_nothing_are_one_finding_of_information() -> None:
    (finding,), rows = findings(open_calls(3))
    assert (finding.severity, finding.confidence) == (Severity.INFO, "strong")  # type: ignore[attr-defined]
    assert "call-1 and 2 more calls" in finding.message  # type: ignore[attr-defined]
    assert [each.frame for each in finding.evidence] == [1, 8, 15]  # type: ignore[attr-defined]
    assert rows == [("violation", 1)]


def test_information_never_fails_a_run() -> None:
    audit = build.audit_bytes(build.pcap(open_calls(1)))
    assert {each.severity for each in audit.findings} == {Severity.INFO}
    assert audit.exit_status in (0, 3)


def test_a_call_whose_lines_show_their_solution_passes() -> None:
    assert findings(build.call(offer(), answer())) == ([], [("pass", 1)])


def test_a_profile_that_the_user_names_is_not_determined() -> None:
    """The catalogue's near miss."""
    assert findings(open_calls(1), profile="e2e-sdes") == ([], [])

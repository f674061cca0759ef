"""Outcomes become assessments and findings: counted, named by fingerprints, hung together, and never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.frames import frame_id
from imsinspect.rules.areas import NEEDS, rules_of
from imsinspect.rules.evaluate import evaluate, filters
from imsinspect.rules.outcome import Evidence, Kind, Outcome, Severity, Subject
from imsinspect.rules.registry import BY_ID, RULES
from imsinspect.rules.rule import HEADINGS, Scene, rule
from imsinspect.trace.model import Trace
from tests import build
from tests.rules.conftest import answer, offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imsinspect.rules.rule import Rule


def made(name: str, outcomes: Callable[[], Iterator[Outcome]], *, follows: tuple[str, ...] = ()) -> Rule:
    """A rule that gives these outcomes."""

    @rule(
        id=name, name="n", severity=Severity.HIGH, tier=1, profiles=("ALL",), references=("RFC 1 §1",), follows=follows
    )
    def check(trace: Trace, scene: Scene) -> Iterator[Outcome]:
        """Something is wrong.

        How to fix it:
            Do it right.
        """
        return outcomes()

    return check


def violation(number: int = 1, **more: object) -> Outcome:
    return Outcome(
        "violation",
        Subject("call", f"call-{number}"),
        evidence=(Evidence(number, "f", "o", "e"),),
        **more,  # type: ignore[arg-type]
    )


def test_one_row_for_each_rule_outcome_and_gap_with_ten_examples() -> None:
    def outcomes() -> Iterator[Outcome]:
        for number in range(25):
            yield Outcome("pass", Subject("media", f"call-{number}/0"))
        yield Outcome("not-assessed", Subject("media", "call-26/0"), gap="N-OA", reason="why")
        yield Outcome("not-assessed", Subject("media", "call-27/0"), gap="N-MED", reason="why else")
        yield violation()

    rows = evaluate(Trace(), Scene(), [made("X", outcomes)]).assessments
    assert [(row.outcome, row.gap, row.subjects, len(row.examples)) for row in rows] == [
        ("violation", "", 1, 1),
        ("pass", "", 25, 10),
        ("not-assessed", "N-MED", 1, 1),
        ("not-assessed", "N-OA", 1, 1),
    ]
    assert rows[2].reason == "why else"


def test_a_suspicion_is_reported_one_step_lower() -> None:
    def outcomes() -> Iterator[Outcome]:
        yield violation()
        yield Outcome("suspect", Subject("call", "call-2"), confidence="heuristic")
        yield Outcome("suspect", Subject("call", "call-3"), confidence="heuristic", severity=Severity.INFO)

    found = evaluate(Trace(), Scene(), [made("X", outcomes)]).findings
    assert [each.severity for each in found] == [Severity.HIGH, Severity.MEDIUM, Severity.INFO]


def test_a_rule_that_fails_is_named_and_does_not_look_as_if_it_passed() -> None:
    def outcomes() -> Iterator[Outcome]:
        yield Outcome("pass", Subject("call", "call-1"))
        raise ValueError("inline:secret")

    def others() -> Iterator[Outcome]:
        yield violation()

    result = evaluate(Trace(), Scene(), [made("X", outcomes), made("Y", others)])
    assert [note.text for note in result.notes] == ["rule X failed: ValueError"]
    assert [(row.rule, row.outcome) for row in result.assessments] == [
        ("X", "pass"),
        ("X", "not-assessed"),
        ("Y", "violation"),
    ]


def test_the_text_of_a_rule_fills_what_an_outcome_leaves_open() -> None:
    (finding,) = evaluate(Trace(), Scene(), [made("X", lambda: iter([violation()]))]).findings
    assert finding.title == "Something is wrong"
    assert finding.remediation == "Do it right."
    assert finding.references == ("RFC 1 §1",)


def test_findings_on_one_fact_name_their_root() -> None:
    roots = made("X", lambda: iter([violation(fact="tls-1"), violation(2, fact="tls-2")]))
    others = made("Y", lambda: iter([violation(3, fact="tls-2"), violation(4)]), follows=("X",))
    for order in ([roots, others], [others, roots]):
        found = {each.evidence[0].frame: each for each in evaluate(Trace(), Scene(), order).findings}
        assert found[3].follows_from == [found[2].fingerprint]
        assert found[4].follows_from == found[1].follows_from == []


def test_fingerprints_of_equals_are_counted() -> None:
    same = {"role": "offerer", "media": "audio/0", "direction": "sent", "normalised": ("o", "e")}
    found = evaluate(Trace(), Scene(), [made("X", lambda: iter([violation(1, **same), violation(2, **same)]))]).findings
    kind = Kind("X", "offerer", "audio/0", "sent", "o", "e")
    assert [each.kind for each in found] == [kind, kind]
    assert [each.fingerprint for each in found] == [kind.fingerprint(1), kind.fingerprint(2)]


def test_fingerprints_survive_other_addresses_keys_call_ids_and_times() -> None:
    """The same faults in another capture have the same names."""
    there = build.call(
        build.sdp("203.0.113.7", build.audio(9000, "RTP/SAVP", build.crypto("other"))),
        build.sdp("203.0.113.8", build.audio(9002)),
        dialog=build.Dialog(caller=("203.0.113.7", 5070), callee=("203.0.113.8", 5080), call_id="zzz", from_tag="q"),
        at=50.0,
    )
    first = build.audit_bytes(build.pcap(build.call(offer(), answer("RTP/AVP")))).findings
    second = build.audit_bytes(build.pcap(there)).findings
    assert {each.rule for each in first} == {"IMS-PROF-005", "IMS-SIG-001", "IMS-SIG-006"}
    assert [each.fingerprint for each in first] == [each.fingerprint for each in second]


def test_filters_name_the_frames_of_each_capture() -> None:
    evidence = [Evidence(frame, "f", "o", "e") for frame in (frame_id(0, 88), frame_id(1, 7), frame_id(0, 12), 12)]
    assert filters(evidence) == ((0, "frame.number in {12, 88}"), (1, "frame.number in {7}"))


def test_findings_come_with_the_gravest_first() -> None:
    low = made("A", lambda: iter([violation(9, severity=Severity.LOW)]))
    grave = made("B", lambda: iter([violation(8), violation(2)]))
    found = evaluate(Trace(), Scene(), [low, grave]).findings
    assert [(each.rule, each.evidence[0].frame) for each in found] == [("B", 2), ("B", 8), ("A", 9)]


def test_an_empty_trace_passes_nothing() -> None:
    result = evaluate(Trace(), Scene())
    assert (result.assessments, result.findings, result.notes) == ([], [], [])


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.id)
def test_every_rule_is_declared_whole(each: Rule) -> None:
    """Text under all headings, references, an id that its area and name fit."""
    assert tuple(each.sections) == HEADINGS
    assert all(each.sections.values())
    assert each.references
    assert each.title
    assert BY_ID[each.id] is each
    name = each.name.replace("-", "_")
    assert each.check.__name__ == (name if name.isidentifier() else f"rule_{name}")


def test_captures_that_hold_anything_never_break_a_rule() -> None:
    """Calls whose descriptions are cut, empty or contradictory."""
    bodies = [b"", b"v=0\r\n", b"m=audio", offer()[:60], offer().replace(b"m=audio 4000", b"m=audio x"), b"\xff" * 90]
    packets = []
    for number, body in enumerate(bodies):
        for other, reply in enumerate(bodies):
            dialog = build.Dialog(call_id=f"{number}-{other}")
            packets += build.call(body, reply, dialog=dialog, at=float(len(packets)))
    audit = build.audit_bytes(build.pcap(packets))
    assert not [note for note in audit.notes if "failed" in note.text]


def test_two_processes_say_what_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = build.call(offer(), answer("RTP/AVP"))
    alone = build.audit_bytes(build.pcap(packets))
    monkeypatch.setattr("imsinspect.rules.evaluate.RUN_BESIDE", 0)
    beside = build.audit_bytes(build.pcap(packets))
    assert (beside.assessments, beside.findings, beside.notes) == (alone.assessments, alone.findings, alone.notes)
    assert beside.findings


def test_different_reasons_of_one_gap_stand_in_its_row_once_each() -> None:
    def outcomes() -> Iterator[Outcome]:
        for reason in ("one", "other", "one"):
            yield Outcome("not-assessed", Subject("call", "call-1"), gap="N-OA", reason=reason)

    (row,) = evaluate(Trace(), Scene(), [made("X", outcomes)]).assessments
    assert (row.reason, row.subjects) == ("one; other", 3)


def test_an_area_is_left_out_only_where_none_of_its_rules_could_say_anything() -> None:
    for area, needs in NEEDS.items():
        for each in rules_of(area):
            assert set(each.needs) & set(needs), each.id


def test_a_trace_is_judged_by_the_areas_it_has_something_for() -> None:
    """What is left out says nothing, whichever way it is asked."""
    trace = build.audit_bytes(build.pcap(build.call(offer(), answer()))).trace
    one, other = evaluate(trace, Scene()), evaluate(trace, Scene(), RULES)
    assert (one.assessments, one.findings, one.notes) == (other.assessments, other.findings, other.notes)

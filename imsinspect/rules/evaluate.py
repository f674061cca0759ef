"""Runs the rules over a trace and makes their outcomes into assessments and findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.processes import shared
from imsinspect.rules.areas import NEEDS, areas, rules_of
from imsinspect.rules.exceptions import Exceptions
from imsinspect.rules.outcome import Assessment, Finding, Kind, Severity
from imsinspect.trace.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imsinspect.rules.needs import Need
    from imsinspect.rules.outcome import Evidence, Outcome, Subject, Suppressed, Verdict
    from imsinspect.rules.rule import Rule, Scene
    from imsinspect.trace.model import Trace

EXAMPLES = 10  # subjects named in an assessment
MAX_REASONS = 5  # that stand in one assessment
RUN_BESIDE = 1_000  # calls and streams, from which on a second process runs half of the rules
VERDICTS: tuple[Verdict, ...] = ("violation", "suspect", "pass", "not-assessed")
FOUND = frozenset(("violation", "suspect"))


@dataclass(slots=True)
class Evaluation:
    """What all rules say of one trace."""

    assessments: list[Assessment] = field(default_factory=list)  # by rule, outcome and gap
    findings: list[Finding] = field(default_factory=list)  # the gravest first
    suppressed: list[Suppressed] = field(default_factory=list)  # findings that the policy accepts
    tier_one_not_assessed: list[str] = field(default_factory=list)  # rules that left a subject open
    notes: list[Note] = field(default_factory=list)  # rules that failed or are off, exceptions that matched nothing


@dataclass(slots=True)
class _Told:
    """What one rule says; plain enough to travel from a process beside this one."""

    rows: list[Assessment] = field(default_factory=list)
    findings: list[tuple[Finding, str]] = field(default_factory=list)  # with the fact that each stands on
    suppressed: list[tuple[Suppressed, str]] = field(default_factory=list)
    exceptions: set[int] = field(default_factory=set)  # of the policy, that matched
    note: str = ""


def evaluate(trace: Trace, scene: Scene, rules: Sequence[Rule] | None = None) -> Evaluation:
    """Run the rules, all that may say something of the trace unless they are given.

    One that raises becomes a note that names it, and an assessment that says so.
    """
    result = Evaluation()
    exceptions = Exceptions(trace, scene, scene.today or datetime.now(UTC).date())
    gaps: dict[Need, tuple[bool, list[Outcome]]] = {}
    if rules is None:
        rules = _applicable(trace, scene, gaps)
    order = [*range(0, len(rules), 2), *range(1, len(rules), 2)]  # neighbours are of one area, and as slow

    def run(some: Sequence[int]) -> list[_Told]:
        return [_told(rules[each], trace, scene, gaps, exceptions) for each in some]

    many = len(trace.calls) + len(trace.streams) >= RUN_BESIDE
    told = dict(zip(order, shared(run, order, 2 if many else len(order) + 1), strict=True))
    facts: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    waiting: list[tuple[Rule, str, Finding]] = []
    for number, rule in enumerate(rules):
        each = told[number]
        result.assessments += each.rows
        result.findings += [finding for finding, _ in each.findings]
        result.suppressed += [suppressed for suppressed, _ in each.suppressed]
        exceptions.matched |= each.exceptions
        if rule.tier == 1 and any(row.outcome == "not-assessed" for row in each.rows):
            result.tier_one_not_assessed.append(rule.id)
        if each.note:
            result.notes.append(Note(None, each.note))
        for finding, fact in (*each.findings, *((one.finding, fact) for one, fact in each.suppressed)):
            if fact:
                facts[rule.id, fact].append(finding)
                waiting.append((rule, fact, finding))
    for rule, fact, finding in waiting:
        roots = (root for name in rule.follows for root in facts.get((name, fact), ()))
        finding.follows_from = list(dict.fromkeys(root.fingerprint for root in roots))
    result.notes += exceptions.notes()
    result.findings.sort(key=lambda each: (-each.severity, each.rule, _first_frame(each.evidence)))
    return result


def _applicable(trace: Trace, scene: Scene, gaps: dict[Need, tuple[bool, list[Outcome]]]) -> list[Rule]:
    """The rules of all areas that a trace has something for, or may have; a policy that names rules wants them all."""
    found: list[Rule] = []
    for area in areas():
        asked = [_asked(need, trace, gaps) for need in NEEDS.get(area, ())]
        if not asked or scene.policy.rules or any(there or outcomes for there, outcomes in asked):
            found += rules_of(area)
    return sorted(found, key=lambda each: each.id)


def _asked(need: Need, trace: Trace, gaps: dict[Need, tuple[bool, list[Outcome]]]) -> tuple[bool, list[Outcome]]:
    """Whether a trace has what is needed, and what may be hidden of it; asked once."""
    if need not in gaps:
        gaps[need] = need.present(trace), list(need.gaps(trace))
    return gaps[need]


def _told(
    rule: Rule, trace: Trace, scene: Scene, gaps: dict[Need, tuple[bool, list[Outcome]]], exceptions: Exceptions
) -> _Told:
    """What one rule says, the policy applied."""
    out = _Told()
    setting = scene.policy.rules.get(rule.id)
    if setting is not None and not setting.enabled:
        out.note = f"rule {rule.id} is switched off by the policy"
        return out
    rows: dict[tuple[str, str], Assessment] = {}
    remedy = " ".join(rule.sections.get("How to fix it", "").split())
    equals: Counter[Kind] = Counter()
    try:
        for outcome in _outcomes(rule, trace, scene, gaps):
            _count(rows, rule, outcome)
            if outcome.verdict in FOUND:
                finding = _finding(rule, outcome, remedy, equals)
                if setting is not None and setting.severity is not None:
                    finding.severity = Severity[setting.severity.upper()]
                accepted = exceptions.suppressed(finding, outcome)
                if accepted is None:
                    out.findings.append((finding, outcome.fact))
                else:
                    out.suppressed.append((accepted, outcome.fact))
    except Exception as error:  # a rule must not take the others with it
        out.note = f"rule {rule.id} failed: {type(error).__name__}"
        reason = "the rule failed; please report it"
        rows["not-assessed", ""] = Assessment(rule.id, "not-assessed", "", reason, 0)
    out.rows = sorted(rows.values(), key=lambda row: (VERDICTS.index(row.outcome), row.gap))
    out.exceptions = exceptions.matched
    return out


def _outcomes(
    rule: Rule, trace: Trace, scene: Scene, gaps: dict[Need, tuple[bool, list[Outcome]]]
) -> Iterator[Outcome]:
    """What a rule says, and what may be hidden of what it needs."""
    present = True
    hidden: dict[tuple[str, Subject], Outcome] = {}
    for need in rule.needs:
        there, outcomes = _asked(need, trace, gaps)
        present = present and there
        for outcome in outcomes:
            hidden[outcome.gap, outcome.subject] = outcome
    if present:
        yield from rule.check(trace, scene)
    yield from hidden.values()


def _count(rows: dict[tuple[str, str], Assessment], rule: Rule, outcome: Outcome) -> None:
    row = rows.get((outcome.verdict, outcome.gap))
    if row is None:
        row = Assessment(rule.id, outcome.verdict, outcome.gap, outcome.reason, 0)
        rows[outcome.verdict, outcome.gap] = row
    elif outcome.reason and outcome.reason not in row.reason and row.reason.count("; ") < MAX_REASONS:
        row.reason = f"{row.reason}; {outcome.reason}"
    row.subjects += 1
    if len(row.examples) < EXAMPLES and outcome.subject not in row.examples:
        row.examples.append(outcome.subject)


def _finding(rule: Rule, outcome: Outcome, remedy: str, equals: Counter[Kind]) -> Finding:
    severity = rule.severity if outcome.severity is None else outcome.severity
    if outcome.verdict == "suspect":
        severity = severity.lowered()
    kind = Kind(rule.id, outcome.role, outcome.media, outcome.direction, *outcome.normalised)
    equals[kind] += 1
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=severity,
        confidence=outcome.confidence,
        verdict=outcome.verdict,
        title=outcome.title or rule.title,
        message=outcome.message,
        subject=outcome.subject,
        evidence=tuple(dict.fromkeys(outcome.evidence)),
        references=rule.references,
        remediation=outcome.remediation or remedy,
        filters=((capture_index(_first_frame(outcome.evidence)), outcome.filter),)
        if outcome.filter
        else filters(outcome.evidence),
        fingerprint=kind.fingerprint(equals[kind]),
        kind=kind,
    )


def filters(evidence: Iterable[Evidence]) -> tuple[tuple[int, str], ...]:
    """Wireshark display filters that show the evidence, one for each capture."""
    frames: defaultdict[int, set[int]] = defaultdict(set)
    for each in evidence:
        frames[capture_index(each.frame)].add(frame_number(each.frame))
    return tuple(
        (capture, f"frame.number in {{{', '.join(map(str, sorted(numbers)))}}}")
        for capture, numbers in sorted(frames.items())
    )


def _first_frame(evidence: Sequence[Evidence]) -> int:
    return min((each.frame for each in evidence), default=0)

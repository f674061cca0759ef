"""Puts together what a page says of an audit, for views that lay it out: HTML, Markdown."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from imsinspect import __version__
from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report import calls, closing, words
from imsinspect.report.call_views import began, claimed, lasted, only_day, who
from imsinspect.report.ends import Ends
from imsinspect.report.gaps import open_questions
from imsinspect.report.groups import Group, group, leading
from imsinspect.report.json import SCHEMA
from imsinspect.report.key_words import rows as key_rows
from imsinspect.report.page import counted
from imsinspect.report.protection import LEGEND, SIGN, Level
from imsinspect.report.rule_views import sections
from imsinspect.report.tally import Tally
from imsinspect.report.view_parts import (
    CallView,
    CaptureView,
    EvidenceView,
    FindingView,
    LadderView,
    LineView,
    Link,
    Listed,
    RuleView,
    Shown,
    SignedWords,
    SuppressedView,
    View,
)
from imsinspect.report.words import brief
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imsinspect.report.audit import Audit
    from imsinspect.report.calls import CallRow
    from imsinspect.rules.outcome import Evidence, Finding
    from imsinspect.rules.rule import Rule
    from imsinspect.trace.model import CaptureInfo

CAPTURES = 100
CAPTURE_NOTES = 6
FINDINGS = 1_000  # with what follows from each
FINDINGS_OF_A_RULE = 200
FOLLOWERS = 10
OPEN = 40  # findings whose details are shown from the beginning
EVIDENCE = 12
CALLS_NAMED = 6  # of a finding
CALLS = 1_000
LINKS = 8  # from a call to findings, one for each rule
LADDERS = 20
LINES_OF_A_CALL = 40
LOOSE = 40
OPEN_QUESTIONS = 200
SUPPRESSED = 500
NOTES = 200


def view(audit: Audit) -> View:
    """Everything that the page says of an audit."""
    return _Builder(audit).build()


class _Builder:
    """One page of one audit."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._trace = audit.trace
        self._paths = [brief(capture.path) for capture in audit.trace.captures]
        self._groups, self._left = leading(group(audit.findings), FINDINGS, FINDINGS_OF_A_RULE)
        self._listed = [finding for each in self._groups for finding in _members(each)]
        self._anchors = {id(finding): f"finding-{number}" for number, finding in enumerate(self._listed, 1)}
        self._ends = Ends(audit.trace, [*audit.findings, *(each.finding for each in audit.suppressed)])
        self._table = calls.table(audit, calls.Wanted(sort="severity"))
        self._shown = self._table.rows[:CALLS]
        self._rows = {row.id: f"row-{number}" for number, row in enumerate(self._shown, 1)}
        self._day = only_day(self._shown)
        self._drawn = [row for row in self._table.rows if _is_drawn(row)]
        self._ladders = {row.id: f"ladder-{number}" for number, row in enumerate(self._drawn[:LADDERS], 1)}

    def build(self) -> View:
        audit, trace = self._audit, self._trace
        found = Tally.of(audit).findings
        questions = list(open_questions(audit.assessments))
        notes = words.kinds_of_notes(audit.notes)
        sessions = words.sessions_without_a_call(trace)
        open_rules = len({row.rule for row in audit.assessments if row.outcome == "not-assessed"})
        owners = dict.fromkeys(owner for finding in self._listed for owner in self._ends.owners(finding))
        used = {row.level for row in self._shown}
        return View(
            title=f"{closing.verdict(audit)} ({self._read()})",
            verdict=closing.verdict(audit),
            standing=_standing(audit),
            counts=tuple(closing.counts(audit)),
            run=f"profile {brief(audit.profile.name)}, fails on {audit.fail_on.token} and above",
            secrets=audit.secrets is not None,
            captures=self._captures(),
            captures_count=_captures_count(trace.captures),
            inventory=words.inventory(trace.counts),
            severities=tuple((int(each), each.token, found[each]) for each in reversed(Severity)),
            no_findings=words.no_findings(audit),
            findings=Listed(
                [self._finding(each, number < OPEN) for number, each in enumerate(self._groups)],
                words.and_more(self._left.total(), "finding", words.by_rule(self._left)) if self._left else "",
            ),
            anchors=self._anchors,
            rules=tuple(self._rules()),
            filter_rules=tuple(sorted({finding.rule for finding in self._listed})),
            filter_calls=tuple(owners),
            calls_heading=self._calls_heading(),
            calls=self._calls(),
            legend=tuple((level.value, SIGN[level], LEGEND[level]) for level in Level if level in used),
            ladders=self._ladder_views(),
            streams=words.streams_words(trace.unbound_streams) if trace.unbound_streams else "",
            loose_streams=_bounded(
                [_signed(words.stream_words(each)) for each in trace.unbound_streams[:LOOSE]],
                len(trace.unbound_streams) - LOOSE,
                "stream",
            ),
            sessions=counted(len(sessions), "TLS or DTLS session") if sessions else "",
            loose_sessions=_bounded(
                [_signed(words.session_words(each)) for each in sessions[:LOOSE]], len(sessions) - LOOSE, "session"
            ),
            unmet=_bounded(
                [(row.rule, words.unmet_words(row)) for row in audit.unmet[:OPEN_QUESTIONS]],
                len(audit.unmet) - OPEN_QUESTIONS,
                "reason",
            ),
            open_rules=counted(open_rules, "rule"),
            open_questions=_bounded(questions[:OPEN_QUESTIONS], len(questions) - OPEN_QUESTIONS, "reason"),
            suppressed=self._suppressed(),
            notes=_bounded(
                [(self._where(note.frame), brief(note.text), times) for note, times in notes[:NOTES]],
                len(notes) - NOTES,
                "kind of note",
                "kinds of notes",
            ),
            notes_count=len(audit.notes),
            keys=tuple(key_rows(trace, audit.secrets)),
            version=__version__,
            schema=SCHEMA,
        )

    def _read(self) -> str:
        """The capture, or how many."""
        return self._paths[0] if len(self._paths) == 1 else counted(len(self._paths), "capture")

    def _captures(self) -> Listed[CaptureView]:
        numbered = words.trouble_first(self._trace.captures)
        return _bounded(
            [_capture(number, capture) for number, capture in numbered[:CAPTURES]], len(numbered) - CAPTURES, "capture"
        )

    # --- findings ---

    def _finding(self, each: Group, is_open: bool) -> FindingView:
        finding = each.finding
        owners = self._ends.owners(finding)
        return FindingView(
            anchor=self._anchors[id(finding)],
            severity=finding.severity.token,
            rank=int(finding.severity),
            rule=finding.rule,
            name=finding.name,
            sureness=words.sureness(finding),
            title=brief(finding.title),
            subject=words.subject_words(finding.subject),
            direction=self._ends.direction(finding),
            owners=" ".join(owners),
            parties=_bounded(
                [(Link(owner, self._rows.get(owner, "")), self._ends.parties(owner)) for owner in owners[:CALLS_NAMED]],
                len(owners) - CALLS_NAMED,
                "call",
            ),
            where=tuple(
                f"{self._path(capture)}, {words.frames_words(frames)}"
                for capture, frames in islice(words.frames_by_capture(finding.evidence), EVIDENCE)
            ),
            filters=tuple(
                (self._path(capture) if len(self._paths) > 1 else "", brief(expression))
                for capture, expression in finding.filters[:EVIDENCE]
            ),
            evidence=_bounded(
                [self._evidence(row) for row in finding.evidence[:EVIDENCE]],
                len(finding.evidence) - EVIDENCE,
                "row of evidence",
                "rows of evidence",
            ),
            clauses="; ".join(brief(clause) for clause in finding.references),
            meaning=words.paragraph(finding.message),
            remedy=words.paragraph(finding.remediation),
            fingerprint=finding.fingerprint,
            is_open=is_open,
            followers=_bounded(
                [self._finding(one, True) for one in each.followers[:FOLLOWERS]],
                len(each.followers) - FOLLOWERS,
                "finding",
            ),
        )

    def _evidence(self, row: Evidence) -> EvidenceView:
        return EvidenceView(
            capture_index(row.frame) + 1,
            frame_number(row.frame),
            self._ends.way(row.frame),
            brief(row.field),
            brief(row.observed),
            brief(row.expected),
        )

    def _rules(self) -> Iterable[RuleView]:
        """Those of findings, and of accepted ones; the gravest first."""
        from imsinspect.rules.registry import BY_ID

        found: dict[str, Counter[Severity]] = {}
        for finding in self._audit.findings:
            found.setdefault(finding.rule, Counter())[finding.severity] += 1
        for each in self._audit.suppressed:
            found.setdefault(each.finding.rule, Counter())
        for name in sorted(found, key=lambda name: (-max(found[name], default=-1), name)):
            counts = ", ".join(f"{found[name][each]} {each.token}" for each in reversed(Severity) if found[name][each])
            yield _rule(name, counts or "suppressed only", BY_ID.get(name))

    # --- calls ---

    def _calls_heading(self) -> str:
        table = self._table
        number = counted(table.calls, "call")
        number += f", {counted(table.conferences, 'conference')}" if table.conferences else ""
        times = f"{self._day}, times in UTC" if self._day else "times in UTC"
        return f"{number}, those with the gravest findings first; {times}"

    def _calls(self) -> Listed[CallView]:
        firsts: dict[str, dict[str, Finding]] = {}  # of each rule that a call has listed findings of
        for finding in self._listed:
            for owner in self._ends.owners(finding):
                firsts.setdefault(owner, {}).setdefault(finding.rule, finding)
        left = len(self._table.rows) - CALLS
        return Listed(
            [self._call(row, firsts.get(row.id, {})) for row in self._shown],
            words.and_more(left, "call or conference", "`imsinspect calls` shows all", plural="calls and conferences")
            if left > 0
            else "",
        )

    def _call(self, row: CallRow, firsts: Mapping[str, Finding]) -> CallView:
        """A rule leads to the first finding of it, or to its page where none is listed."""
        links = [
            Link(rule, self._anchors[id(firsts[rule])] if rule in firsts else f"rule-{rule}") for rule in row.rules
        ]
        return CallView(
            anchor=self._rows[row.id],
            id=Link(row.id, self._ladders.get(row.id, "")),
            began=began(row, with_day=not self._day),
            lasted=lasted(row),
            who=tuple(who(row)),
            claimed=claimed(row),
            sign=SIGN[row.level],
            level=row.level.value,
            observed=row.observed,
            findings=row.finding_words(),
            links=_bounded(links[:LINKS], len(links) - LINKS, "rule"),
        )

    def _ladder_views(self) -> Listed[LadderView]:
        by_id = {call.id: call for call in self._trace.calls}
        left = len(self._drawn) - LADDERS
        shown = []
        for row in self._drawn[:LADDERS]:
            call = by_id[row.id]
            facts = words.call_words(call, self._audit.call_profiles.get(call.id))
            facts += [words.other_legs(call)] if call.related else []
            told = [words.line_words(line) for line in call.lines[:LINES_OF_A_CALL]]
            lines = [LineView(SIGN[each.level], each) for each in told]
            shown.append(
                LadderView(
                    self._ladders[row.id],
                    Link(row.id, self._rows.get(row.id, "")),
                    self._ends.parties(row.id),
                    ", ".join(facts),
                    _bounded(
                        lines,
                        len(call.lines) - LINES_OF_A_CALL,
                        "media line",
                    ),
                )
            )
        return Listed(
            shown,
            words.and_more(
                left,
                "call with findings",
                "`imsinspect call CAPTURE ID` shows any of them",
                plural="calls with findings",
            )
            if left > 0
            else "",
        )

    # --- what could not be told ---

    def _suppressed(self) -> Listed[SuppressedView]:
        rows = [
            SuppressedView(
                each.finding.rule,
                each.finding.severity.token,
                brief(each.finding.title),
                words.subject_words(each.finding.subject),
                brief(each.reason),
                brief(each.expires),
            )
            for each in self._audit.suppressed[:SUPPRESSED]
        ]
        return _bounded(rows, len(self._audit.suppressed) - SUPPRESSED, "finding")

    def _where(self, frame: int | None) -> str:
        return "" if frame is None else f"{self._path(capture_index(frame))}, frame {frame_number(frame)}"

    def _path(self, capture: int) -> str:
        return words.capture_path(self._paths, capture)


def _bounded(rows: Sequence[Shown], left: int, noun: str, plural: str = "") -> Listed[Shown]:
    return Listed(rows, words.and_more(left, noun, plural=plural) if left > 0 else "")


def _members(each: Group) -> list[Finding]:
    """The findings of a group that are listed."""
    return [each.finding, *(follower.finding for follower in each.followers[:FOLLOWERS])]


def _is_drawn(row: CallRow) -> bool:
    return row.kind == "call" and row.gravest is not None and row.gravest > Severity.INFO


def _standing(audit: Audit) -> str:
    """The colour of the verdict: a pass with gaps has none of both."""
    if audit.verdict == "fail":
        return "fail"
    clear = audit.verdict == "pass" and audit.exit_status != 2 and not audit.tier_one_not_assessed
    return "pass" if clear else "open"


def _signed(told: tuple[Level, str]) -> SignedWords:
    level, said = told
    return SignedWords(level.value, SIGN[level], said)


def _captures_count(captures: Sequence[CaptureInfo]) -> str:
    damaged = sum(capture.error is not None or capture.truncated for capture in captures)
    return counted(len(captures), "capture") + (f", {damaged} damaged or cut off" if damaged else "")


def _capture(number: int, capture: CaptureInfo) -> CaptureView:
    trouble = [("error", brief(capture.error))] if capture.error is not None else []
    trouble += [("cut off", words.CUT_OFF)] if capture.truncated else []
    trouble += [("note", brief(note)) for note in capture.notes[:CAPTURE_NOTES]]
    left = len(capture.notes) - CAPTURE_NOTES
    return CaptureView(
        number,
        brief(capture.path),
        words.capture_words(capture),
        words.capture_times(capture),
        tuple(trouble),
        words.and_more(left, "note of this capture", plural="notes of this capture") if left > 0 else "",
    )


def _rule(name: str, counts: str, rule: Rule | None) -> RuleView:
    """The page of a rule; a rule that this version does not know has none."""
    if rule is None:
        return RuleView(name, "", "", "", "", counts, (), ())
    return RuleView(
        rule.id,
        rule.name,
        rule.title,
        rule.severity.token,
        f"tier {rule.tier}, profiles {', '.join(rule.profiles)}",
        counts,
        tuple((heading, tuple(paragraphs)) for heading, paragraphs in sections(rule)),
        rule.references,
    )

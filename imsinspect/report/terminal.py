"""The view for people at a terminal: what was read, what protects it, what falls short, what could not be told.

Readable without colour, at 80 columns and in a pipe. Every list is bounded, and what is left out is counted.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Console

from imsinspect import __version__
from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report import proven
from imsinspect.report.belonging import by_owner
from imsinspect.report.escape import printable
from imsinspect.report.gaps import gap
from imsinspect.report.groups import Group, group
from imsinspect.report.page import Page, counted
from imsinspect.report.picture import SVG_FORMAT, THEME
from imsinspect.report.protection import KIND_LEVELS, Level, claim, judged, observe, secured
from imsinspect.report.tally import Tally
from imsinspect.report.terminal_keys import rows as key_rows
from imsinspect.report.times import plain, span
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imsinspect.capture.frames import FrameId
    from imsinspect.profiles import ProfileChoice
    from imsinspect.report.audit import Audit
    from imsinspect.report.page import Part
    from imsinspect.rules.outcome import Assessment, Evidence, Finding, Subject
    from imsinspect.trace.model import Call, CaptureInfo, Counts, MediaLine, Trace

CAPTURES = 20
CALLS = 40
LINES_OF_A_CALL = 8
LOOSE = 10  # streams, TLS sessions without a call
FINDINGS = 100
FINDINGS_OF_A_RULE = 10
FOLLOWERS = 10
EVIDENCE = 6
FRAMES = 8
GAP_ROWS = 40
EXAMPLES = 3
NOTES = 20
VALUE = 400  # characters of one value

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "blue",
}
SIGNS: dict[Level, tuple[str, str]] = {  # with its style
    Level.SECURED: ("✔", "green"),
    Level.BROKEN: ("✖", "bold red"),
    Level.CLEAR: ("○", "yellow"),
    Level.UNKNOWN: ("?", "magenta"),
    Level.ABSENT: ("–", "dim"),
}
LEGEND = {
    Level.SECURED: "protected as seen",
    Level.BROKEN: "claimed but not there",
    Level.CLEAR: "clear",
    Level.UNKNOWN: "could not be told",
    Level.ABSENT: "nothing seen",
}


def render(audit: Audit, console: Console) -> None:
    """Write the whole view to a console, whose width, colours and encoding are respected."""
    _View(audit, console).write()


def closing(audit: Audit) -> str:
    """The last line alone: the verdict and the counts, as plain text."""
    tally = Tally.of(audit)
    trace = audit.trace
    unreadable = sum(capture.error is not None for capture in trace.captures)
    parts = [_verdict(audit, tally)]
    if unreadable:
        parts.append(f"{unreadable} of {counted(len(trace.captures), 'capture')} could not be read in full")
    parts.append(f"{counted(tally.assessed, 'rule')} decided, {tally.not_assessed} not assessed")
    if tally.suppressed:
        parts.append(f"{tally.suppressed} suppressed")
    parts.append(
        f"{counted(len(trace.calls), 'call')}, {counted(len(trace.streams), 'stream')}, "
        f"{counted(trace.counts.packets, 'packet')}"
    )
    if audit.notes:
        parts.append(counted(len(audit.notes), "note"))
    return "; ".join(parts)


def svg(audit: Audit, title: str = "imsinspect audit", width: int = 100) -> str:
    """The view as a picture (SVG), with colours; the title is shown above it."""
    console = Console(
        file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor", highlight=False
    )
    render(audit, console)
    return console.export_svg(title=printable(title), theme=THEME, code_format=SVG_FORMAT, unique_id="imsinspect")


def _verdict(audit: Audit, tally: Tally) -> str:
    below = f", below the threshold ({audit.fail_on.token})" if sum(tally.findings.values()) else ""
    if audit.verdict == "fail":
        open_rules = len({each.rule for each in audit.unmet})
        return f"FAIL: {tally.words()}" + (
            f"; {counted(open_rules, 'required rule')} not assessed" if open_rules else ""
        )
    if audit.exit_status == 2:
        return f"INCOMPLETE: {tally.words()}{below}"
    if audit.verdict == "pass":
        if audit.tier_one_not_assessed:
            return f"PASS WITH GAPS: {tally.words()}{below}; rules of the first tier could not be assessed"
        return f"PASS: {tally.words()}{below}" if below else "PASS: clean, no findings"
    return f"NOTHING TO ASSESS: {tally.words()}{below}"


def _value(value: bytes | str) -> str:
    return printable(value, VALUE)


class _View:
    """One writing of one audit."""

    def __init__(self, audit: Audit, console: Console) -> None:
        self._audit = audit
        self._trace: Trace = audit.trace
        self._page = Page(console)
        self._paths = [_value(capture.path) for capture in self._trace.captures]

    def write(self) -> None:
        self._head()
        self._captures()
        self._inventory()
        self._calls()
        self._loose()
        self._keys()
        self._findings()
        self._gaps()
        self._unmet()
        self._notes()
        self._last()

    # --- what was read ---

    def _head(self) -> None:
        audit = self._audit
        self._page.paragraph(
            0,
            (f"imsinspect {__version__}", "bold"),
            f", profile {_value(audit.profile.name)}, fails on {audit.fail_on.token} and above",
        )

    def _captures(self) -> None:
        captures = self._trace.captures
        self._page.heading("CAPTURES")
        numbered = list(enumerate(captures, 1))
        numbered.sort(key=lambda each: each[1].error is None and not each[1].truncated)  # trouble first
        for number, capture in numbered[:CAPTURES]:
            self._capture(capture, f"{number} " if len(captures) > 1 else "")  # findings name captures by number
        self._more(2, len(captures) - CAPTURES, "capture", "without errors" if len(captures) > CAPTURES else "")

    def _capture(self, capture: CaptureInfo, number: str) -> None:
        facts = [fact for fact in (capture.format, ", ".join(capture.link_types)) if fact]
        facts.append(counted(capture.packets, "packet"))
        self._page.paragraph(2, number, (_value(capture.path), "bold"), ": ", _value(", ".join(facts)), hang=4)
        if capture.first_time is not None and capture.last_time is not None:
            took = span(capture.first_time, capture.last_time)
            self._page.paragraph(4, f"{plain(capture.first_time)} to {plain(capture.last_time)} UTC ({took})")
        if capture.error is not None:
            self._page.paragraph(4, ("error: ", "bold red"), _value(capture.error))
        if capture.truncated:
            self._page.paragraph(4, ("cut off: ", "yellow"), "the capture ends inside a packet")
        for note in capture.notes[:EVIDENCE]:
            self._page.paragraph(4, ("note: ", "yellow"), _value(note))
        self._more(4, len(capture.notes) - EVIDENCE, "note of this capture")

    def _inventory(self) -> None:
        held = "; ".join(_held(self._trace.counts))
        self._page.paragraph(2, ("holds: ", "bold"), held or "nothing that concerns IMS media security")

    # --- calls ---

    def _calls(self) -> None:
        calls = self._trace.calls
        if not calls:
            self._page.heading("CALLS")
            self._page.paragraph(2, "none: no INVITE session was read from the captures")
            return
        found = _findings_of_calls(self._audit)
        self._page.heading(f"CALLS ({len(calls)}, {len(found)} with findings)")
        with_findings = [call for call in calls if call.id in found]
        with_findings.sort(key=lambda call: -max(finding.severity for finding in found[call.id]))
        without = (call for call in calls if call.id not in found)
        shown = with_findings[:CALLS]
        shown += islice(without, CALLS - len(shown))
        signs_used: set[Level] = set()
        for call in shown:
            signs_used |= self._call(call, found.get(call.id, []))
        left = len(calls) - len(shown)
        if left:
            left_with = max(len(with_findings) - CALLS, 0)
            self._more(2, left, "call", f"{left_with} with findings; the JSON report holds all")
        self._legend(signs_used)

    def _call(self, call: Call, found: Sequence[Finding]) -> set[Level]:
        page = self._page
        page.paragraph(2, (call.id, "bold"), " ", _value(call.from_uri), " → ", _value(call.to_uri), hang=4)
        profile = self._audit.call_profiles.get(call.id)
        facts = [_value(call.state), f"{_value(call.side)} side" if call.side != "unknown" else "side unknown"]
        if profile is not None:
            facts.append(_applied(profile))
        if found:
            counts = Counter(finding.severity for finding in found)
            listed = ", ".join(f"{counts[severity]} {severity.token}" for severity in sorted(counts, reverse=True))
            facts.append(f"findings: {listed}")
        if call.related:
            others = f" and {len(call.related) - EXAMPLES} more" if len(call.related) > EXAMPLES else ""
            facts.append(f"other legs: {' '.join(call.related[:EXAMPLES])}{others}")
        page.paragraph(4, ", ".join(facts))
        levels = {self._line(line) for line in call.lines[:LINES_OF_A_CALL]}
        if not call.lines:
            page.paragraph(4, "no media line")
        self._more(4, len(call.lines) - LINES_OF_A_CALL, "media line")
        return levels

    def _line(self, line: MediaLine) -> Level:
        claimed, observed = claim(line), observe(line)
        level = judged(claimed, observed)
        before = f" (before: {', '.join(_value(word) for word in claimed.before)})" if claimed.before else ""
        self._page.paragraph(
            4,
            SIGNS[level],
            f" {line.index} {_value(claimed.media)} {_value(claimed.transport)}: ",
            f"claimed {_value(claimed.current)}{before}, observed ",
            (_value(observed.words), SIGNS[level][1]),
        )
        keys = proven.of_line(line)
        if keys:
            self._page.paragraph(8, _value(keys))
        return level

    def _legend(self, levels: set[Level]) -> None:
        if levels:
            parts: list[Part] = []
            for level in (level for level in Level if level in levels):
                parts += [SIGNS[level], f" {LEGEND[level]}  "]
            self._page.paragraph(2, *parts)

    def _loose(self) -> None:
        """Streams and TLS sessions that no media line announced."""
        trace, page = self._trace, self._page
        in_calls = {session.id for call in trace.calls for line in call.lines for session in line.tls_sessions}
        sessions = [session for session in trace.tls_sessions if session.id not in in_calls]
        streams = trace.unbound_streams
        if not streams and not sessions:
            return
        page.heading("WITHOUT A CALL")
        if streams:
            kinds = Counter(stream.kind for stream in streams)
            listed = ", ".join(f"{kinds[kind]} {KIND_LEVELS[kind][0]}" for kind in KIND_LEVELS if kinds[kind])
            packets = sum(stream.packets for stream in streams)
            page.paragraph(2, f"{counted(len(streams), 'stream')} ({listed}), {counted(packets, 'packet')}")
            for stream in streams[:LOOSE]:
                word, level = KIND_LEVELS[stream.kind]
                sure = f" ({stream.judgement.confidence})" if stream.judgement.confidence else ""
                page.paragraph(
                    4,
                    SIGNS[level],
                    f" {stream.id} {stream.source} → {stream.destination}, "
                    f"{counted(stream.packets, 'packet')}: {word}{sure}",
                    f", {_value(keys)}" if (keys := proven.words([stream.proof], "keys")) else "",
                )
            self._more(4, len(streams) - LOOSE, "stream")
        if sessions:
            page.paragraph(2, counted(len(sessions), "TLS or DTLS session"))
            for session in sessions[:LOOSE]:
                level, words = secured(session)
                page.paragraph(
                    4,
                    SIGNS[level],
                    f" {session.id} {session.client} → {session.server}: {_value(words)}",
                    f" {_value(session.cipher_suite_name)}" if session.cipher_suite_name else "",
                )
            self._more(4, len(sessions) - LOOSE, "session")

    def _keys(self) -> None:
        """Keys that are known, and what they prove."""
        found = list(key_rows(self._trace, self._audit.secrets))
        if found:
            self._page.heading("KEYS")
        for row in found:
            self._page.paragraph(row.indent, (row.text, row.style))

    # --- findings ---

    def _findings(self) -> None:
        findings = self._audit.findings
        if not findings:
            self._page.heading("FINDINGS")
            decided = Tally.of(self._audit).assessed
            self._page.paragraph(2, "none in what could be assessed" if decided else "none: nothing could be assessed")
            return
        self._page.heading(f"FINDINGS ({Tally.of(self._audit).words()})")
        of_rule: Counter[str] = Counter()
        left: Counter[str] = Counter()
        shown = 0
        for root in group(findings):
            rule = root.finding.rule
            of_rule[rule] += 1
            if of_rule[rule] > FINDINGS_OF_A_RULE or shown >= FINDINGS:
                left[rule] += 1
                continue
            shown += 1
            if shown > 1:
                self._page.paragraph(0)
            self._finding(root, 2)
        if left:
            listed = ", ".join(f"{number} {rule}" for rule, number in sorted(left.items()))
            self._more(2, left.total(), "finding", f"{listed}; the JSON report holds all")

    def _finding(self, root: Group, indent: int) -> None:
        page, finding = self._page, root.finding
        page.paragraph(
            indent,
            (finding.severity.token.upper(), SEVERITY_STYLES[finding.severity]),
            " ",
            (f"{finding.rule} {finding.name}", "bold"),
            f" ({_sureness(finding)})",
        )
        inner = indent + 2
        page.paragraph(inner, (_value(finding.title), "bold"))
        page.paragraph(inner, ("what: ", "dim"), _what(finding.subject))
        for capture, frames in _by_capture(finding.evidence):
            page.paragraph(inner, ("where: ", "dim"), f"{self._path(capture)}, {_listed(frames)}")
        for capture, expression in finding.filters[:EVIDENCE]:
            of = f"filter for {self._path(capture)}: " if len(finding.filters) > 1 else "filter: "
            page.paragraph(inner, (of, "dim"), _value(expression))
        for evidence in finding.evidence[:EVIDENCE]:
            page.paragraph(inner, f"frame {frame_number(evidence.frame)}, {_value(evidence.field)}")
            page.paragraph(inner + 2, ("observed: ", "dim"), _value(evidence.observed))
            if evidence.expected:
                page.paragraph(inner + 2, ("required: ", "dim"), _value(evidence.expected))
        self._more(inner, len(finding.evidence) - EVIDENCE, "row of evidence", plural="rows of evidence")
        if finding.references:
            page.paragraph(inner, ("clauses: ", "dim"), "; ".join(_value(clause) for clause in finding.references))
        if finding.message:
            page.paragraph(inner, ("meaning: ", "dim"), printable(finding.message, 4 * VALUE))
        if finding.remediation:
            page.paragraph(inner, ("remedy: ", "dim"), printable(finding.remediation, 4 * VALUE))
        if root.followers:
            page.paragraph(inner, ("from the same fact:", "dim"))
            for follower in root.followers[:FOLLOWERS]:
                self._finding(follower, inner + 2)
            self._more(inner + 2, len(root.followers) - FOLLOWERS, "finding")

    def _path(self, capture: int) -> str:
        return self._paths[capture] if 0 <= capture < len(self._paths) else "an unknown capture"

    # --- what could not be told ---

    def _gaps(self) -> None:
        rows: defaultdict[tuple[str, str], list[Assessment]] = defaultdict(list)
        for assessment in self._audit.assessments:
            if assessment.outcome == "not-assessed":
                rows[assessment.gap, assessment.reason].append(assessment)
        if not rows:
            return
        self._page.heading(f"NOT ASSESSED ({counted(Tally.of(self._audit).not_assessed, 'rule')})")
        for (code, reason), assessments in islice(rows.items(), GAP_ROWS):
            known = gap(code)
            words = f": {known.words}" if known.words else ""
            self._page.paragraph(2, (_value(code) or "no code", "bold"), words)
            alike: defaultdict[str, list[str]] = defaultdict(list)
            for assessment in assessments:
                alike[_subjects(assessment)].append(assessment.rule)
            for subjects, rules in alike.items():
                self._page.paragraph(4, (_ranges(rules), "bold"), f": {subjects}")
            if reason:
                self._page.paragraph(4, ("reason: ", "dim"), _value(reason))
            if known.settled_by:
                self._page.paragraph(4, ("settled by: ", "dim"), known.settled_by)
        self._more(2, len(rows) - GAP_ROWS, "reason")

    def _unmet(self) -> None:
        rows = self._audit.unmet
        if not rows:
            return
        self._page.heading(f"REQUIRED AND NOT ASSESSED ({len(rows)})")
        for row in rows[:GAP_ROWS]:
            gap = f"{_value(row.gap)}: " if row.gap else ""
            self._page.paragraph(2, (row.rule, "bold red"), " ", gap, _value(row.reason), hang=4)
        self._more(2, len(rows) - GAP_ROWS, "reason")

    def _notes(self) -> None:
        notes = self._audit.notes
        if not notes:
            return
        first: dict[str, FrameId | None] = {}
        counts: Counter[str] = Counter()
        for note in notes:
            first.setdefault(note.text, note.frame)
            counts[note.text] += 1
        self._page.heading(f"NOTES ({len(notes)})")
        for words, frame in islice(first.items(), NOTES):
            again = f" ({counts[words]} times, here the first)" if counts[words] > 1 else ""
            where = "" if frame is None else f"{self._path(capture_index(frame))}, frame {frame_number(frame)}: "
            self._page.paragraph(2, where, _value(words), again)
        self._more(2, len(first) - NOTES, "kind of note", plural="kinds of notes")

    def _last(self) -> None:
        style = {"fail": "bold red", "pass": "bold green"}.get(self._audit.verdict, "bold yellow")
        if self._audit.exit_status == 2 or self._audit.tier_one_not_assessed:
            style = style.replace("green", "yellow")
        self._page.paragraph(0)
        self._page.last(closing(self._audit), style)

    def _more(self, indent: int, left: int, noun: str, detail: str = "", *, plural: str = "") -> None:
        """Say how many more there are, if any."""
        if left > 0:
            what = f"1 more {noun}" if left == 1 else f"{left} more {plural or noun + 's'}"
            self._page.paragraph(indent, f"and {what}" + (f" ({detail})" if detail else ""))


def _held(counts: Counts) -> Iterable[str]:
    """What the captures hold, in the words of the inventory; nothing for what is not there."""
    if counts.sip_messages:
        requests: Mapping[str, int] = counts.sip_requests or {}
        methods = [f"{_value(method)} {requests[method]}" for method in sorted(requests)]
        if len(methods) > FRAMES:
            methods[FRAMES:] = [f"{len(methods) - FRAMES} other methods"]
        methods.append(f"responses {counts.sip_responses}")
        yield f"{counted(counts.sip_messages, 'SIP message')} ({', '.join(methods)})"
    if counts.sdp_bodies:
        keys = (
            ("a=crypto", counts.sdp_crypto),
            ("a=key-mgmt", counts.sdp_key_mgmt),
            ("a=fingerprint", counts.sdp_fingerprint),
        )
        listed = ", ".join(f"{name} {number}" for name, number in keys if number)
        yield (
            "SDP in "
            + counted(counts.sdp_bodies, "body").replace("bodys", "bodies")
            + (f" ({listed})" if listed else "")
        )
    if counts.rtp_streams:
        yield f"{counted(counts.rtp_streams, 'media stream')} ({counted(counts.rtp_packets, 'packet')})"
    for number, noun in (
        (counts.rtcp_packets, "RTCP packet"),
        (counts.srtcp_packets, "SRTCP packet"),
        (counts.mikey_messages, "MIKEY message"),
        (counts.msrp_messages, "MSRP message"),
        (counts.bfcp_messages, "BFCP message"),
        (counts.h248_messages, "H.248 message"),
        (counts.stun_packets, "STUN packet"),
        (counts.tls_sessions, "TLS session"),
        (counts.dtls_sessions, "DTLS session"),
    ):
        if number:
            yield counted(number, noun)
    if counts.esp_packets:
        yield f"{counted(counts.esp_packets, 'ESP packet')} ({counts.esp_null_encrypted} with NULL encryption)"


def _findings_of_calls(audit: Audit) -> dict[str, list[Finding]]:
    """Findings by the id of the call that their subject belongs to."""
    found = by_owner(audit.trace, audit.findings)
    return {call.id: found[call.id] for call in audit.trace.calls if call.id in found}


def _applied(profile: ProfileChoice) -> str:
    if profile.name == "open":
        return "no profile could be inferred"
    return f"profile {_value(profile.name)} ({'inferred' if profile.inferred else 'chosen'})"


def _sureness(finding: Finding) -> str:
    return f"{finding.confidence}, suspected" if finding.verdict == "suspect" else finding.confidence


def _what(subject: Subject) -> str:
    kinds = {"media": "media line", "rtcp": "RTCP source", "tls-session": "TLS session", "mikey": "MIKEY message"}
    return f"{kinds.get(subject.kind, subject.kind)} {_value(subject.id)}"


def _ranges(rules: Sequence[str]) -> str:
    """Rule ids, those whose numbers follow one another as a range: IMS-SRTP-004 to 007."""
    runs: list[list[str]] = []
    for rule in rules:
        area, _, number = rule.rpartition("-")
        last = runs[-1][-1].rpartition("-") if runs else ("", "", "")
        if number.isdigit() and last[0] == area and int(number) == int(last[2]) + 1:
            runs[-1].append(rule)
        else:
            runs.append([rule])
    return ", ".join(f"{run[0]} to {run[-1].rpartition('-')[2]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _subjects(assessment: Assessment) -> str:
    shown = [_value(subject.id) for subject in assessment.examples[:EXAMPLES]]
    if assessment.subjects > len(shown):
        shown.append("…" if shown else "")
    return f"{counted(assessment.subjects, 'subject')}" + (f" ({', '.join(shown)})" if any(shown) else "")


def _by_capture(evidence: Sequence[Evidence]) -> Iterable[tuple[int, list[int]]]:
    frames: defaultdict[int, dict[int, None]] = defaultdict(dict)
    for row in evidence:
        frames[capture_index(row.frame)][frame_number(row.frame)] = None
    return ((capture, sorted(numbers)) for capture, numbers in sorted(frames.items()))


def _listed(frames: Sequence[int]) -> str:
    listed = ", ".join(map(str, frames[:FRAMES]))
    more = f" and {len(frames) - FRAMES} more" if len(frames) > FRAMES else ""
    return f"frame {listed}" if len(frames) == 1 else f"frames {listed}{more}"

"""The view for people at a terminal: what was read, what protects it, what falls short, what could not be told.

Readable without colour, at 80 columns and in a pipe. Every list is bounded, and what is left out is counted.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from imsinspect import __version__
from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report.belonging import by_owner
from imsinspect.report.closing import closing
from imsinspect.report.gaps import open_questions
from imsinspect.report.key_words import rows as key_rows
from imsinspect.report.page import Page, counted
from imsinspect.report.protection import LEGEND, Level
from imsinspect.report.tally import Tally
from imsinspect.report.terminal_findings import SIGNS, FindingsOnPage, tell_open
from imsinspect.report.words import (
    CUT_OFF,
    and_more,
    brief,
    call_words,
    capture_path,
    capture_times,
    capture_words,
    inventory,
    kinds_of_notes,
    line_words,
    no_findings,
    other_legs,
    session_words,
    sessions_without_a_call,
    stream_words,
    streams_words,
    trouble_first,
    unmet_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from imsinspect.report.audit import Audit
    from imsinspect.report.page import Part
    from imsinspect.rules.outcome import Finding
    from imsinspect.trace.model import Call, CaptureInfo, MediaLine, Trace

CAPTURES = 20
CALLS = 40
LINES_OF_A_CALL = 8
LOOSE = 10  # streams, TLS sessions without a call
CAPTURE_NOTES = 6
GAP_ROWS = 40
NOTES = 20


def render(audit: Audit, console: Console) -> None:
    """Write the whole view to a console, whose width, colours and encoding are respected."""
    _View(audit, console).write()


def tell(audit: Audit, findings: Sequence[Finding], console: Console) -> None:
    """Write some findings of an audit in full, as the whole view tells them."""
    FindingsOnPage(Page(console), [brief(capture.path) for capture in audit.trace.captures]).tell(findings)


class _View:
    """One writing of one audit."""

    def __init__(self, audit: Audit, console: Console) -> None:
        self._audit = audit
        self._trace: Trace = audit.trace
        self._page = Page(console)
        self._paths = [brief(capture.path) for capture in self._trace.captures]

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
            f", profile {brief(audit.profile.name)}, fails on {audit.fail_on.token} and above",
        )

    def _captures(self) -> None:
        captures = self._trace.captures
        self._page.heading("CAPTURES")
        for number, capture in trouble_first(captures)[:CAPTURES]:
            self._capture(capture, f"{number} " if len(captures) > 1 else "")  # findings name captures by number
        self._more(2, len(captures) - CAPTURES, "capture", "without errors" if len(captures) > CAPTURES else "")

    def _capture(self, capture: CaptureInfo, number: str) -> None:
        self._page.paragraph(2, number, (brief(capture.path), "bold"), ": ", capture_words(capture), hang=4)
        if times := capture_times(capture):
            self._page.paragraph(4, times)
        if capture.error is not None:
            self._page.paragraph(4, ("error: ", "bold red"), brief(capture.error))
        if capture.truncated:
            self._page.paragraph(4, ("cut off: ", "yellow"), CUT_OFF)
        for note in capture.notes[:CAPTURE_NOTES]:
            self._page.paragraph(4, ("note: ", "yellow"), brief(note))
        self._more(4, len(capture.notes) - CAPTURE_NOTES, "note of this capture")

    def _inventory(self) -> None:
        self._page.paragraph(2, ("holds: ", "bold"), inventory(self._trace.counts))

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
        page.paragraph(2, (call.id, "bold"), " ", brief(call.from_uri), " → ", brief(call.to_uri), hang=4)
        facts = call_words(call, self._audit.call_profiles.get(call.id))
        if found:
            counts = Counter(finding.severity for finding in found)
            listed = ", ".join(f"{counts[severity]} {severity.token}" for severity in sorted(counts, reverse=True))
            facts.append(f"findings: {listed}")
        if call.related:
            facts.append(other_legs(call))
        page.paragraph(4, ", ".join(facts))
        levels = {self._line(line) for line in call.lines[:LINES_OF_A_CALL]}
        if not call.lines:
            page.paragraph(4, "no media line")
        self._more(4, len(call.lines) - LINES_OF_A_CALL, "media line")
        return levels

    def _line(self, line: MediaLine) -> Level:
        told = line_words(line)
        sign, style = SIGNS[told.level]
        self._page.paragraph(4, (sign, style), f" {told.claimed}, observed ", (told.observed, style))
        if told.proven:
            self._page.paragraph(8, told.proven)
        return told.level

    def _legend(self, levels: set[Level]) -> None:
        if levels:
            parts: list[Part] = []
            for level in (level for level in Level if level in levels):
                parts += [SIGNS[level], f" {LEGEND[level]}  "]
            self._page.paragraph(2, *parts)

    def _loose(self) -> None:
        """Streams and TLS sessions that no media line announced."""
        trace, page = self._trace, self._page
        sessions, streams = sessions_without_a_call(trace), trace.unbound_streams
        if not streams and not sessions:
            return
        page.heading("WITHOUT A CALL")
        if streams:
            page.paragraph(2, streams_words(streams))
            for stream in streams[:LOOSE]:
                level, told = stream_words(stream)
                page.paragraph(4, SIGNS[level], f" {told}")
            self._more(4, len(streams) - LOOSE, "stream")
        if sessions:
            page.paragraph(2, counted(len(sessions), "TLS or DTLS session"))
            for session in sessions[:LOOSE]:
                level, told = session_words(session)
                page.paragraph(4, SIGNS[level], f" {told}")
            self._more(4, len(sessions) - LOOSE, "session")

    def _keys(self) -> None:
        """Keys that are known, and what they prove."""
        found = list(key_rows(self._trace, self._audit.secrets))
        if found:
            self._page.heading("KEYS")
        for row in found:
            self._page.paragraph(row.indent, (row.text, "bold red" if row.wrong else ""))

    # --- findings ---

    def _findings(self) -> None:
        findings = self._audit.findings
        if not findings:
            self._page.heading("FINDINGS")
            self._page.paragraph(2, no_findings(self._audit))
            return
        self._page.heading(f"FINDINGS ({Tally.of(self._audit).words()})")
        FindingsOnPage(self._page, self._paths).tell(findings)

    def _path(self, capture: int) -> str:
        return capture_path(self._paths, capture)

    # --- what could not be told ---

    def _gaps(self) -> None:
        questions = list(open_questions(self._audit.assessments))
        if not questions:
            return
        self._page.heading(f"NOT ASSESSED ({counted(Tally.of(self._audit).not_assessed, 'rule')})")
        tell_open(self._page, questions, GAP_ROWS)

    def _unmet(self) -> None:
        rows = self._audit.unmet
        if not rows:
            return
        self._page.heading(f"REQUIRED AND NOT ASSESSED ({len(rows)})")
        for row in rows[:GAP_ROWS]:
            self._page.paragraph(2, (row.rule, "bold red"), " ", unmet_words(row), hang=4)
        self._more(2, len(rows) - GAP_ROWS, "reason")

    def _notes(self) -> None:
        notes = self._audit.notes
        if not notes:
            return
        self._page.heading(f"NOTES ({len(notes)})")
        told = kinds_of_notes(notes)
        for note, times in told[:NOTES]:
            again = f" ({times} times, here the first)" if times > 1 else ""
            frame = note.frame
            where = "" if frame is None else f"{self._path(capture_index(frame))}, frame {frame_number(frame)}: "
            self._page.paragraph(2, where, brief(note.text), again)
        self._more(2, len(told) - NOTES, "kind of note", plural="kinds of notes")

    def _last(self) -> None:
        style = {"fail": "bold red", "pass": "bold green"}.get(self._audit.verdict, "bold yellow")
        if self._audit.exit_status == 2 or self._audit.tier_one_not_assessed:
            style = style.replace("green", "yellow")
        self._page.paragraph(0)
        self._page.last(closing(self._audit), style)

    def _more(self, indent: int, left: int, noun: str, detail: str = "", *, plural: str = "") -> None:
        """Say how many more there are, if any."""
        if left > 0:
            self._page.paragraph(indent, and_more(left, noun, detail, plural=plural))


def _findings_of_calls(audit: Audit) -> dict[str, list[Finding]]:
    """Findings by the id of the call that their subject belongs to."""
    found = by_owner(audit.trace, audit.findings)
    return {call.id: found[call.id] for call in audit.trace.calls if call.id in found}

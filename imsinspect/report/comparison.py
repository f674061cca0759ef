"""Captures beside their baseline: for people what is new in full and the rest in a line each, for programs as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from imsinspect import __version__
from imsinspect.baseline import ABSENT, GRAVER, OFTENER, in_words
from imsinspect.report.escape import printable, text
from imsinspect.report.json import compact, finding_rows
from imsinspect.report.page import Page, counted
from imsinspect.report.terminal import tell
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from rich.console import Console

    from imsinspect.baseline import Changed, Comparison, Lost, New, Traffic
    from imsinspect.report.audit import Audit

SCHEMA = "imsinspect-comparison/1"
ROWS = 40
VALUE = 400  # characters of one value
STYLES = {"FAIL": "bold red", "PASS": "bold green"}


def render(audit: Audit, comparison: Comparison, status: int, path: str, console: Console) -> None:
    """Write the view to a console; `path` is the baseline's."""
    page = Page(console)
    page.paragraph(
        0,
        (f"imsinspect {__version__}", "bold"),
        f", baseline {printable(path, VALUE)}, fails on what is new of {audit.fail_on.token} and above",
    )
    for because in (ABSENT, GRAVER, OFTENER):
        rows = [row for row in comparison.new if row.because == because]
        if rows:
            _new(audit, page, because, rows, console)
    _changed(page, "MORE OFTEN, WITH MORE TRAFFIC", comparison.oftener)
    _changed(page, "NO LONGER FOUND, OR LESS OFTEN", comparison.rarer)
    _lost(page, comparison.lost)
    if comparison.notes:
        page.heading(f"NOTES ({len(comparison.notes)})")
        for note in comparison.notes[:ROWS]:
            page.paragraph(2, printable(note, VALUE))
    words = closing(audit, comparison, status)
    page.paragraph(0)
    page.last(words, STYLES.get(words.partition(":")[0], "bold yellow"))


def closing(audit: Audit, comparison: Comparison, status: int) -> str:
    """The last line alone: the verdict and the counts, as plain text."""
    parts = [f"{verdict(status)}: {_new_words(audit, comparison)}", f"{comparison.known} known"]
    unreadable = sum(capture.error is not None for capture in audit.trace.captures)
    if unreadable:
        parts.append(f"{unreadable} of {counted(len(audit.trace.captures), 'capture')} could not be read in full")
    if audit.suppressed:
        parts.append(f"{len(audit.suppressed)} suppressed")
    gone = sum(each.before - each.now for each in comparison.rarer)
    if gone:
        parts.append(f"no longer found: {gone}; run `imsinspect baseline create` to renew")
    if comparison.lost:
        parts.append(f"{counted(len({each.rule for each in comparison.lost}), 'rule')} decided more in the baseline")
    parts.append(f"{_traffic(comparison.traffic)} ({_traffic(comparison.baseline.traffic)} in the baseline)")
    return "; ".join(parts)


def verdict(status: int) -> str:
    """What a status says."""
    return {0: "PASS", 1: "FAIL", 2: "INCOMPLETE"}.get(status, "NOTHING TO ASSESS")


def to_json(audit: Audit, comparison: Comparison, status: int) -> str:
    """The comparison as a JSON object, a line for each entry of a list."""
    parts: dict[str, object] = {
        "schema": SCHEMA,
        "verdict": verdict(status).lower().replace(" ", "-"),
        "traffic": {"now": _counts(comparison.traffic), "baseline": _counts(comparison.baseline.traffic)},
        "known": comparison.known,
        "suppressed": len(audit.suppressed),
        "new": [
            row | {"because": each.because, "kind": each.findings[0].kind.fingerprint(), "baseline_count": each.before,
                   "count": each.now}
            for each in comparison.new
            for row in finding_rows(audit, each.findings)
        ],
        "more_often": [_row(each) for each in comparison.oftener],
        "less_often": [_row(each) for each in comparison.rarer],
        "lost": [
            {"rule": each.rule, "gap": each.gap, "reason": text(each.reason), "wholly": each.wholly}
            for each in comparison.lost
        ],
        "notes": [text(each) for each in comparison.notes],
        "unreadable": [
            {"path": text(capture.path), "error": text(capture.error)}
            for capture in audit.trace.captures
            if capture.error is not None
        ],
    }  # fmt: skip
    lines = ",\n".join(f"  {compact(name)}: {_value(value)}" for name, value in parts.items())
    return f"{{\n{lines}\n}}\n"


def _value(value: object) -> str:
    if not isinstance(value, list) or not value:
        return compact(value)
    return "[\n" + ",\n".join(f"    {compact(each)}" for each in value) + "\n  ]"


def _row(each: Changed) -> dict[str, Any]:
    return {
        "rule": each.rule, "what": text(each.what), "kind": each.fingerprint, "baseline_count": each.before,
        "count": each.now,
    }  # fmt: skip


def _counts(traffic: Traffic) -> dict[str, int]:
    return {"calls": traffic.calls, "streams": traffic.streams}


def _traffic(traffic: Traffic) -> str:
    return f"{counted(traffic.calls, 'call')}, {counted(traffic.streams, 'stream')}"


def _new_words(audit: Audit, comparison: Comparison) -> str:
    found = Counter(each.severity for row in comparison.new for each in row.findings[-row.excess :])
    if not found:
        return "no new findings"
    listed = ", ".join(f"{found[severity]} {severity.token}" for severity in reversed(Severity) if found[severity])
    below = max(found) < audit.fail_on
    return f"{listed} new" + (f", below the threshold ({audit.fail_on.token})" if below else "")


def _new(audit: Audit, page: Page, because: str, rows: list[New], console: Console) -> None:
    number = sum(row.excess for row in rows)
    page.heading(f"NEW, {because.upper()} ({counted(number, 'finding')})")
    if because != ABSENT:
        for row in rows[:ROWS]:
            first = row.findings[0]
            page.paragraph(
                2,
                (first.rule, "bold"),
                f" {printable(in_words(first), VALUE)}: {row.before} before, {row.now} now",
                hang=4,
            )
        _more(page, len(rows) - ROWS)
        if because == OFTENER:
            page.paragraph(2, "Which of them came first can't be told; all are listed.")
        page.paragraph(0)
    tell(audit, [each for row in rows for each in row.findings], console)


def _changed(page: Page, heading: str, rows: list[Changed]) -> None:
    if rows:
        page.heading(f"{heading} ({len(rows)})")
    for row in rows[:ROWS]:
        now = row.now or "none"
        page.paragraph(2, (row.rule, "bold"), f" {printable(row.what, VALUE)}: {row.before} before, {now} now", hang=4)
    _more(page, len(rows) - ROWS)


def _lost(page: Page, rows: list[Lost]) -> None:
    if rows:
        page.heading(
            f"DECIDED IN THE BASELINE, NOT ASSESSED NOW ({counted(len({each.rule for each in rows}), 'rule')})"
        )
    for row in rows[:ROWS]:
        gap = f" {row.gap}:" if row.gap else ""
        part = "" if row.wholly else " of some subjects:"
        page.paragraph(2, (row.rule, "bold"), f"{part}{gap} {printable(row.reason, VALUE)}", hang=4)
    _more(page, len(rows) - ROWS)


def _more(page: Page, left: int) -> None:
    if left > 0:
        page.paragraph(2, f"and {left} more")

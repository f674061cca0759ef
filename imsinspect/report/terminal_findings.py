"""Findings in full, and what was left open, as every view at a terminal tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.capture.frames import frame_number
from imsinspect.report.groups import Group, group, leading
from imsinspect.report.protection import SIGN, Level
from imsinspect.report.words import (
    and_more,
    brief,
    by_rule,
    capture_path,
    frames_by_capture,
    frames_words,
    paragraph,
    subject_words,
    sureness,
)
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imsinspect.report.gaps import OpenQuestion
    from imsinspect.report.page import Page
    from imsinspect.rules.outcome import Finding

FINDINGS = 100
FINDINGS_OF_A_RULE = 10
FOLLOWERS = 10
EVIDENCE = 6

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "blue",
}
SIGNS: dict[Level, tuple[str, str]] = {  # with its style
    Level.SECURED: (SIGN[Level.SECURED], "green"),
    Level.BROKEN: (SIGN[Level.BROKEN], "bold red"),
    Level.CLEAR: (SIGN[Level.CLEAR], "yellow"),
    Level.UNKNOWN: (SIGN[Level.UNKNOWN], "magenta"),
    Level.ABSENT: (SIGN[Level.ABSENT], "dim"),
}


class FindingsOnPage:
    """Writes findings to a page. `paths` of the captures can be shown as they are; `numbers` are by id of a finding."""

    def __init__(self, page: Page, paths: Sequence[str], numbers: Mapping[int, int] | None = None) -> None:
        self._page = page
        self._paths = paths
        self._numbers = numbers or {}

    def tell(self, findings: Sequence[Finding]) -> None:
        """Findings in full, those under them that follow."""
        shown, left = leading(group(findings), FINDINGS, FINDINGS_OF_A_RULE)
        for number, root in enumerate(shown):
            if number:
                self._page.paragraph(0)
            self._finding(root, 2)
        if left:
            self._more(2, left.total(), "finding", by_rule(left))

    def _finding(self, root: Group, indent: int) -> None:
        page, finding = self._page, root.finding
        number = self._numbers.get(id(finding))
        page.paragraph(
            indent,
            *([(f"[{number}] ", "bold")] if number is not None else []),
            (finding.severity.token.upper(), SEVERITY_STYLES[finding.severity]),
            " ",
            (f"{finding.rule} {finding.name}", "bold"),
            f" ({sureness(finding)})",
        )
        inner = indent + 2
        page.paragraph(inner, (brief(finding.title), "bold"))
        page.paragraph(inner, ("what: ", "dim"), subject_words(finding.subject))
        for capture, frames in frames_by_capture(finding.evidence):
            page.paragraph(inner, ("where: ", "dim"), f"{capture_path(self._paths, capture)}, {frames_words(frames)}")
        for capture, expression in finding.filters[:EVIDENCE]:
            of = f"filter for {capture_path(self._paths, capture)}: " if len(finding.filters) > 1 else "filter: "
            page.paragraph(inner, (of, "dim"), brief(expression))
        for evidence in finding.evidence[:EVIDENCE]:
            page.paragraph(inner, f"frame {frame_number(evidence.frame)}, {brief(evidence.field)}")
            page.paragraph(inner + 2, ("observed: ", "dim"), brief(evidence.observed))
            if evidence.expected:
                page.paragraph(inner + 2, ("required: ", "dim"), brief(evidence.expected))
        self._more(inner, len(finding.evidence) - EVIDENCE, "row of evidence", plural="rows of evidence")
        if finding.references:
            page.paragraph(inner, ("clauses: ", "dim"), "; ".join(brief(clause) for clause in finding.references))
        if finding.message:
            page.paragraph(inner, ("meaning: ", "dim"), paragraph(finding.message))
        if finding.remediation:
            page.paragraph(inner, ("remedy: ", "dim"), paragraph(finding.remediation))
        if root.followers:
            page.paragraph(inner, ("from the same fact:", "dim"))
            for follower in root.followers[:FOLLOWERS]:
                self._finding(follower, inner + 2)
            self._more(inner + 2, len(root.followers) - FOLLOWERS, "finding")

    def _more(self, indent: int, left: int, noun: str, detail: str = "", *, plural: str = "") -> None:
        """Say how many more there are, if any."""
        if left > 0:
            self._page.paragraph(indent, and_more(left, noun, detail, plural=plural))


def tell_open(page: Page, questions: Sequence[OpenQuestion], most: int) -> None:
    """What could not be assessed, why, and what would settle it."""
    for each in questions[:most]:
        words = f": {each.gap.words}" if each.gap.words else ""
        page.paragraph(2, (brief(each.code) or "no code", "bold"), words)
        for rules, subjects in each.rules:
            page.paragraph(4, (rules, "bold"), f": {subjects}")
        if each.reason:
            page.paragraph(4, ("reason: ", "dim"), brief(each.reason))
        if each.gap.settled_by:
            page.paragraph(4, ("settled by: ", "dim"), each.gap.settled_by)
    if len(questions) > most:
        page.paragraph(2, and_more(len(questions) - most, "reason"))

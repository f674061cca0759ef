"""Rules as a person or a program reads them: the list, and the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from imsinspect.report.page import Page
from imsinspect.rules.rule import HEADINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from imsinspect.rules.rule import Rule

STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


def as_row(rule: Rule) -> dict[str, Any]:
    """A rule for programs."""
    return {
        "id": rule.id,
        "name": rule.name,
        "title": rule.title,
        "severity": rule.severity.token,
        "tier": rule.tier,
        "profiles": list(rule.profiles),
        "references": list(rule.references),
        "needs": [need.name for need in rule.needs],
        "follows": list(rule.follows),
        "text": rule.sections,
    }


def sections(rule: Rule) -> Iterator[tuple[str, list[str]]]:
    """The text of a rule: headings, each with its paragraphs."""
    text = rule.sections
    for heading in HEADINGS:
        if text.get(heading):
            yield heading, [" ".join(paragraph.split()) for paragraph in text[heading].split("\n\n")]


def print_rules(console: Console, rules: Iterable[Rule]) -> None:
    """The list, a line each."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("tier", justify="right")
    table.add_column("what it finds")
    for rule in rules:
        severity = rule.severity.token
        table.add_row(rule.id, Text(severity, STYLES[severity]), str(rule.tier), escape(rule.title))
    console.print(table)


def print_rule(console: Console, rule: Rule) -> None:
    """The page of one rule."""
    page = Page(console)
    severity = rule.severity.token
    page.paragraph(0, (rule.id, "bold"), f" {rule.name}")
    page.paragraph(0, f"{rule.title}.", hang=0)
    page.paragraph(0, (severity, STYLES[severity]), f", tier {rule.tier}, profiles {', '.join(rule.profiles)}")
    for heading, paragraphs in sections(rule):
        page.heading(heading)
        for paragraph in paragraphs:
            page.paragraph(0, paragraph, hang=0)
    if rule.needs:
        page.heading("Needs")
        page.paragraph(0, ", ".join(need.name for need in rule.needs))
    page.heading("References")
    for reference in rule.references:
        page.paragraph(0, reference)

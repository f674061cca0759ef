"""Markdown for tickets and pull requests: the verdict, each finding with its proof, and what was left open.

Nothing from the wire becomes markup: it cannot be a link, a mention, an image, HTML or the begin of a block.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from imsinspect.report.view import view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.report.audit import Audit
    from imsinspect.report.view_parts import FindingView, Listed, View

FOR_FINDINGS = 40_000  # characters; all parts together stay below 65,536, which is what a comment holds
FOR_OPEN = 10_000
FOR_EACH = 2_500  # of the other parts

SPECIAL = re.compile(r"[\\`*_\[\]|~$]")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
NOTHING = "<!-- -->"
REFERENCES = re.compile(r"@|#(?=\w)|GH-(?=\d)|/(?=/)|www(?=\.)", re.IGNORECASE)
"""What services take for a mention, the number of an issue, or an address, wherever it stands in a text."""


def plain(value: str) -> str:
    """A value as text within a line. It must be visible characters only, as `printable` makes them."""
    marked = REFERENCES.sub(lambda found: f"{found[0]}\0", value)
    return SPECIAL.sub(r"\\\g<0>", marked).translate(ENTITIES).replace("\0", NOTHING)


def code(value: str) -> str:
    """A value to be read letter by letter."""
    if not value:
        return "nothing"
    fence = "`" * (max(map(len, re.findall("`+", value)), default=0) + 1)
    space = " " if value.startswith(("`", " ")) or value.endswith(("`", " ")) else ""
    return f"{fence}{space}{value}{space}{fence}"


def render(audit: Audit) -> str:
    """The report as text that a comment has room for; what is left out is said."""
    page = view(audit)
    several = len(page.captures.rows) > 1
    parts = [
        f"# imsinspect: {plain(page.verdict)}\n",
        f"{plain('; '.join([*page.counts, page.run]))}\n",
        *(["**This page shows keys: give it only to those who may have them.**\n"] if page.secrets else []),
        *_findings(page, several=several),
    ]
    for heading, lines, left, room in (
        ("Required and not assessed", _unmet(page), page.unmet.left, FOR_EACH),
        ("Not assessed", _open(page), page.open_questions.left, FOR_OPEN),
        ("Suppressed", _suppressed(page), page.suppressed.left, FOR_EACH),
        ("Captures", _captures(page), page.captures.left, FOR_EACH),
        ("Notes", _notes(page), page.notes.left, FOR_EACH),
    ):
        parts += _part(heading, list(lines), left, room)
    return "\n".join(parts).rstrip("\n") + "\n"


def _findings(page: View, *, several: bool) -> Iterator[str]:
    yield "## Findings\n"
    if not page.findings.rows:
        yield f"{plain(page.no_findings)}\n"
    spent = 0
    for number, each in enumerate(page.findings.rows):
        written = "\n".join(_finding(each, several=several)) + "\n"
        spent += len(written)
        if spent > FOR_FINDINGS:
            left = len(page.findings.rows) - number
            yield f"*and {left} more findings, for which there is no room here; the JSON report holds all*\n"
            break
        yield written
    if page.findings.left:
        yield f"*{plain(page.findings.left)}*\n"


def _finding(each: FindingView, *, several: bool, depth: int = 3) -> Iterator[str]:
    yield f"{'#' * depth} {each.severity.upper()} {each.rule} {plain(each.title)}\n"
    yield f"- rule: {each.rule} {plain(each.name)} ({each.sureness})"
    yield f"- what: {plain(each.subject)}" + (f", {plain(each.direction)}" if each.direction else "")
    yield from (f"- between: {plain(link.words)} {code(parties)}" for link, parties in each.parties.rows)
    yield from _more(each.parties)
    yield from (f"- where: {plain(where)}" for where in each.where)
    for capture, expression in each.filters:
        yield "- filter: " + (f"{plain(capture)}: " if capture else "") + code(expression)
    for row in each.evidence.rows:
        place = f"capture {row.capture}, frame {row.frame}" if several else f"frame {row.frame}"
        way = f" ({plain(row.way)})" if row.way else ""
        required = f", required {code(row.required)}" if row.required else ""
        yield f"- {place}{way}, {plain(row.field)}: observed {code(row.observed)}{required}"
    yield from _more(each.evidence)
    if each.meaning:
        yield f"- meaning: {plain(each.meaning)}"
    if each.remedy:
        yield f"- remedy: {plain(each.remedy)}"
    if each.clauses:
        yield f"- clauses: {plain(each.clauses)}"
    yield f"- fingerprint: {code(each.fingerprint)}"
    for follower in each.followers.rows:
        yield ""
        yield from _finding(follower, several=several, depth=4)
    yield from _more(each.followers)


def _more(listed: Listed[Any]) -> Iterator[str]:
    if listed.left:
        yield f"- *{plain(listed.left)}*"


def _unmet(page: View) -> Iterable[str]:
    return (f"{rule}: {plain(why)}" for rule, why in page.unmet.rows)


def _open(page: View) -> Iterator[str]:
    for each in page.open_questions.rows:
        words = f"{each.code}: {plain(each.gap.words)}" if each.gap.words else each.code or "no code"
        rules = "; ".join(f"{names}: {plain(subjects)}" for names, subjects in each.rules)
        reason = f". Reason: {plain(each.reason.rstrip('.'))}" if each.reason else ""
        settled = f". Settled by: {plain(each.gap.settled_by)}" if each.gap.settled_by else ""
        yield f"**{words}** ({rules}){reason}{settled}"


def _suppressed(page: View) -> Iterable[str]:
    return (
        f"{each.severity} {each.rule} {plain(each.title)} ({plain(each.subject)}): {plain(each.reason)}, "
        f"until {plain(each.expires)}"
        for each in page.suppressed.rows
    )


def _captures(page: View) -> Iterator[str]:
    for each in page.captures.rows:
        times = f", {plain(each.times)}" if each.times else ""
        trouble = "".join(f"; {kind}: {plain(words)}" for kind, words in each.trouble)
        yield f"{each.number}: {plain(each.path)}: {plain(each.facts)}{times}{trouble}"


def _notes(page: View) -> Iterable[str]:
    return (
        (f"{plain(where)}: " if where else "") + plain(words) + (f" ({times} times)" if times > 1 else "")
        for where, words, times in page.notes.rows
    )


def _part(heading: str, lines: list[str], left: str, room: int) -> Iterator[str]:
    """A list under a heading, as far as there is room; nothing where there is nothing to say."""
    if not lines:
        return
    yield f"## {heading}\n"
    spent = 0
    for number, line in enumerate(lines):
        spent += len(line) + 3
        if spent > room:
            yield f"- *and {len(lines) - number} more*"
            break
        yield f"- {line}"
    if left:
        yield f"- *{plain(left)}*"
    yield ""

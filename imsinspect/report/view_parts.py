"""What a page is made of: bounded lists, plain strings, and links within the page.

None of the strings is markup: who lays them out escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.report.gaps import OpenQuestion
    from imsinspect.report.key_words import Row as KeyRow
    from imsinspect.report.words import LineWords

Shown = TypeVar("Shown")


@dataclass(slots=True, frozen=True)
class Listed(Generic[Shown]):
    """A bounded list, and in words what it leaves out."""

    rows: Sequence[Shown]
    left: str = ""


@dataclass(slots=True, frozen=True)
class Link:
    """Words, and the id of the element that they lead to; "" where it is not in the page."""

    words: str
    anchor: str


@dataclass(slots=True, frozen=True)
class CaptureView:
    """A capture and what was the matter with it."""

    number: int
    path: str
    facts: str
    times: str
    trouble: tuple[tuple[str, str], ...]  # "error", "cut off" or "note"; the words
    left: str


@dataclass(slots=True, frozen=True)
class EvidenceView:
    """What one frame shows."""

    capture: int  # its number, from 1 on
    frame: int
    way: str
    field: str
    observed: str
    required: str


@dataclass(slots=True, frozen=True)
class FindingView:
    """A finding with its proof and what follows from it."""

    anchor: str
    severity: str
    rank: int
    rule: str
    name: str
    sureness: str
    title: str
    subject: str
    direction: str
    owners: str  # ids of all calls and conferences that it belongs to
    parties: Listed[tuple[Link, str]]  # call or conference, and who takes part
    where: tuple[str, ...]
    filters: tuple[tuple[str, str], ...]  # capture, display filter
    evidence: Listed[EvidenceView]
    clauses: str
    meaning: str
    remedy: str
    fingerprint: str
    is_open: bool
    followers: Listed[FindingView]


@dataclass(slots=True, frozen=True)
class CallView:
    """A row of the table of calls."""

    anchor: str
    id: Link  # to the ladder
    began: str
    lasted: str
    who: tuple[str, ...]
    claimed: str
    sign: str
    level: str
    observed: str
    findings: str
    links: Listed[Link]


@dataclass(slots=True, frozen=True)
class SignedWords:
    """Words with the sign of how it stands."""

    level: str
    sign: str
    words: str


@dataclass(slots=True, frozen=True)
class LineView:
    """A media line."""

    sign: str
    words: LineWords


@dataclass(slots=True, frozen=True)
class LadderView:
    """What happened in one call."""

    anchor: str
    call: Link  # to the row of the table
    who: str
    facts: str
    lines: Listed[LineView]


@dataclass(slots=True, frozen=True)
class RuleView:
    """A rule of which something was found: the row of the overview and its page."""

    id: str
    name: str
    title: str
    severity: str
    facts: str
    counts: str  # findings by severity
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    references: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class SuppressedView:
    """A finding that the policy accepts."""

    rule: str
    severity: str
    title: str
    subject: str
    reason: str
    expires: str


@dataclass(slots=True, frozen=True)
class View:
    """The whole page."""

    title: str
    verdict: str
    standing: str  # "fail", "pass", "open"
    counts: tuple[str, ...]
    run: str
    secrets: bool
    captures: Listed[CaptureView]
    captures_count: str
    inventory: str
    severities: tuple[tuple[int, str, int], ...]  # rank, token, findings; the gravest first
    no_findings: str
    findings: Listed[FindingView]
    anchors: dict[int, str]  # of the listed findings, by their id()
    rules: tuple[RuleView, ...]
    filter_rules: tuple[str, ...]  # of the listed findings
    filter_calls: tuple[str, ...]
    calls_heading: str
    calls: Listed[CallView]
    legend: tuple[tuple[str, str, str], ...]  # level, sign, words
    ladders: Listed[LadderView]
    streams: str
    loose_streams: Listed[SignedWords]
    sessions: str
    loose_sessions: Listed[SignedWords]
    unmet: Listed[tuple[str, str]]  # rule, why
    open_rules: str
    open_questions: Listed[OpenQuestion]
    suppressed: Listed[SuppressedView]
    notes: Listed[tuple[str, str, int]]  # where, text, times
    notes_count: int
    keys: tuple[KeyRow, ...]
    version: str
    schema: str

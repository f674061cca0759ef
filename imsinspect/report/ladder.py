"""The security ladder of a call or conference: arrows in order of time, each marked by how it was really protected.

Built once from an audit; every view of it (`ladder_terminal`, `ladder_svg` …) reads this and nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Protocol

from imsinspect.report import calls, marks
from imsinspect.report.belonging import Owners, by_owner
from imsinspect.report.escape import text
from imsinspect.report.gaps import open_questions
from imsinspect.report.groups import group
from imsinspect.report.ladder_call import CallLanes, drafts_of_call
from imsinspect.report.ladder_drafts import subject_key
from imsinspect.report.ladder_facts import key_facts, line_facts
from imsinspect.report.ladder_model import LIFELINES
from imsinspect.report.ladder_model import Arrow as Arrow
from imsinspect.report.ladder_model import Ladder as Ladder
from imsinspect.report.ladder_model import Lifeline as Lifeline
from imsinspect.report.protection import Level
from imsinspect.report.words import call_words, other_legs, profile_words

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from imsinspect.capture.frames import FrameId
    from imsinspect.report.audit import Audit
    from imsinspect.report.gaps import OpenQuestion
    from imsinspect.report.ladder_drafts import Draft
    from imsinspect.report.ladder_model import Mark
    from imsinspect.rules.outcome import Assessment, Finding
    from imsinspect.trace.model import Call

FIRST_ARROWS, LAST_ARROWS = 300, 100
ALIKE = 3  # equal arrows that stand by themselves; later ones are folded into the last of them
LINES, KEYS = 40, 40
NEAR = 5


class UnknownIdError(LookupError):
    """No call or conference has this id; `near` are some that resemble it."""

    def __init__(self, wanted: str, near: Sequence[str]) -> None:
        super().__init__(wanted)
        self.near = tuple(near)


class Lanes(Protocol):
    """Which lifeline an end belongs to."""

    def key(self, end: Hashable) -> Hashable:
        """What is the same for all ends of one lifeline."""

    def name(self, key: Hashable, ends: list[Hashable]) -> str:
        """What a lifeline is called; "" where nothing tells."""

    def addresses(self, key: Hashable, ends: list[Hashable]) -> tuple[str, ...]:
        """Where it is."""

    def arranged(self, keys: list[Hashable]) -> list[Hashable]:
        """The lifelines from left to right, out of the order in which they appear."""


class Known:
    """What every ladder of an audit needs: made once where several are drawn."""

    def __init__(self, audit: Audit) -> None:
        self.rows = {row.id: row for row in calls.table(audit, calls.Wanted()).rows}
        self.found = by_owner(audit.trace, audit.findings)
        self.owners = Owners(audit.trace)


def ladder(audit: Audit, wanted: str, known: Known | None = None) -> Ladder:
    """The ladder of "call-3", of a Call-ID, or of "conference-1". Raises UnknownIdError."""
    trace = audit.trace
    known = known or Known(audit)
    call = next((each for each in trace.calls if each.id == wanted), None)
    if call is None:  # whoever calls chooses a Call-ID, perhaps one that looks like an id
        call = next((each for each in trace.calls if text(each.call_id) == wanted), None)
    if call is not None:
        drafts = list(drafts_of_call(trace, call))
        facts = call_words(call, audit.call_profiles.get(call.id))
        facts += [other_legs(call)] if call.related else []
        return _Builder(audit, known, [call], [call.id], facts).build(drafts, CallLanes(call, drafts))
    conference = next((each for each in trace.conferences if each.id == wanted), None)
    if conference is None:
        raise UnknownIdError(wanted, _near(audit, wanted))
    from imsinspect.report.ladder_conference import ConferenceLanes, drafts_of_conference

    by_id = {each.id: each for each in trace.calls}
    names = dict.fromkeys(leg.call for each in conference.participants for leg in each.legs)
    legs = [by_id[name] for name in names if name in by_id]
    profile = audit.conference_profiles.get(conference.id)
    lanes = ConferenceLanes(conference)
    owners = [conference.id, *calls.legs_of(conference)]  # with the same sessions on other hops
    facts = [] if profile is None else [profile_words(profile)]
    return _Builder(audit, known, legs, owners, facts).build(list(drafts_of_conference(trace, conference, legs)), lanes)


def _near(audit: Audit, wanted: str) -> list[str]:
    trace = audit.trace
    names = [call.id for call in trace.calls] + [conference.id for conference in trace.conferences]
    names += [text(call.call_id) for call in trace.calls]
    return get_close_matches(wanted, names[: 10 * LIFELINES], NEAR) or names[:NEAR]


@dataclass(slots=True)
class _Laid:
    """Drafts in order with their lifelines."""

    drafts: list[Draft]
    places: dict[Hashable, int]  # of lifelines, by their keys
    lifelines: list[Lifeline]
    left: int

    def place(self, key: Hashable) -> int:
        """The number of a lifeline; those beyond the bound share the last."""
        return min(self.places.get(key, len(self.lifelines)), len(self.lifelines) - 1)


class _Builder:
    """One ladder."""

    def __init__(
        self, audit: Audit, known: Known, legs: Sequence[Call], owners: Sequence[str], facts: Sequence[str]
    ) -> None:
        self._audit, self._known, self._calls, self._owners, self._facts = audit, known, legs, owners, facts
        self._row = known.rows[owners[0]]
        mine = {id(each): each for owner in owners for each in known.found.get(owner, ())}
        self._findings = [
            each.finding for root in group(list(mine.values())) for each in (root, *root.followers)
        ]  # roots with what follows from them

    def build(self, drafts: list[Draft], lanes: Lanes) -> Ladder:
        trace = self._audit.trace
        laid = _lay_out(_folded(drafts, lanes), lanes)
        begin = _beginnings(laid.drafts, self._findings)
        ways = [(laid.place(lanes.key(each.source)), laid.place(lanes.key(each.destination))) for each in laid.drafts]
        ends = {subject: way for each, way in zip(laid.drafts, ways, strict=True) for subject in each.subjects}
        arrows = [
            Arrow(
                number, each.time, each.last_time, tuple(each.frames), each.kind, *ways[number - 1], each.both_ways,
                each.title, each.said(each.members), each.mark, len(each.members) + each.again,
                tuple(begin.get(number - 1, ())),
            )
            for number, each in enumerate(laid.drafts, 1)
        ]  # fmt: skip
        left = max(len(arrows) - FIRST_ARROWS - LAST_ARROWS, 0)
        shown = arrows if not left else [*arrows[:FIRST_ARROWS], *arrows[-LAST_ARROWS:]]
        placed = {number for each in shown for number in each.findings}
        lines = [line for call in self._calls for line in call.lines]
        keys = list(key_facts(trace, self._calls))
        questions, unnamed = self._open_questions()
        facts = [line_facts(line, ends) for line in lines[:LINES]]
        used = dict.fromkeys(
            [*(each.mark for each in shown), *(stream.mark for line in facts for stream in line.streams)]
        )
        return Ladder(
            self._row,
            tuple(self._facts),
            tuple(laid.lifelines),
            laid.left,
            tuple(shown),
            left,
            FIRST_ARROWS if left else len(shown),
            tuple((mark, marks.meaning(mark)) for mark in sorted(used, key=_worst_first)),
            tuple(facts),
            max(len(lines) - LINES, 0),
            tuple(keys[:KEYS]),
            max(len(keys) - KEYS, 0),
            tuple(self._findings),
            tuple(number for number in range(1, len(self._findings) + 1) if number not in placed),
            tuple(questions),
            unnamed,
            tuple(capture.path for capture in trace.captures),
        )

    def _open_questions(self) -> tuple[list[OpenQuestion], int]:
        """What was left open of the call; and how many assessments may concern it without naming it."""
        owners, mine = self._known.owners, set(self._owners)
        own: list[Assessment] = []
        unnamed = 0
        for each in self._audit.assessments:
            if each.outcome != "not-assessed":
                continue
            subjects = [subject for subject in each.examples if not mine.isdisjoint(owners.of(subject))]
            if subjects:
                own.append(replace(each, subjects=len(subjects), examples=subjects))
            elif each.subjects > len(each.examples):
                unnamed += 1
        return list(open_questions(own)), unnamed


_LEVELS = {level: place for place, level in enumerate(Level)}


def _worst_first(mark: Mark) -> tuple[int, str]:
    return _LEVELS[mark.level], mark.words


# --- arrows ---------------------------------------------------------------------------------------


def _folded(drafts: list[Draft], lanes: Lanes) -> list[Draft]:
    """In order of time; what equals its neighbour, or came ALIKE times before, is folded into that."""
    kept: list[Draft] = []
    last: dict[Hashable, Draft] = {}
    seen: Counter[Hashable] = Counter()
    for each in sorted(drafts, key=_order):
        key = (lanes.key(each.source), lanes.key(each.destination), each.fold)
        known = last.get(key)
        if known is not None and (known is kept[-1] or seen[key] >= ALIKE):
            known.take(each)
            continue
        kept.append(each)
        last[key] = each
        seen[key] += 1
    return kept


def _order(draft: Draft) -> tuple[int, FrameId, bool]:
    """ESP stands before the message inside of it."""
    return draft.time, draft.frames[0], draft.kind != "esp"


def _lay_out(drafts: list[Draft], lanes: Lanes) -> _Laid:
    """Lifelines as the lanes arrange them, out of the order of appearance."""
    ends: dict[Hashable, dict[Hashable, None]] = {}
    for each in drafts:
        for end in (each.source, each.destination):
            ends.setdefault(lanes.key(end), {})[end] = None
    keys = lanes.arranged(list(ends))
    left = len(keys) - LIFELINES + 1 if len(keys) > LIFELINES else 0
    lifelines = [
        Lifeline(_letters(place), lanes.name(key, list(ends[key])), lanes.addresses(key, list(ends[key])))
        for place, key in enumerate(keys[: LIFELINES - 1] if left else keys)
    ]
    if left:
        lifelines.append(Lifeline(_letters(len(lifelines)), f"{left} others", ()))
    return _Laid(drafts, {key: place for place, key in enumerate(keys)}, lifelines, left)


def _letters(place: int) -> str:
    """A to Z, AA, AB …"""
    above, within = divmod(place, 26)
    return (_letters(above - 1) if above else "") + chr(ord("A") + within)


# --- findings -------------------------------------------------------------------------------------


def _beginnings(drafts: Sequence[Draft], findings: Sequence[Finding]) -> dict[int, list[int]]:
    """Numbers of findings by the place of the arrow where they begin.

    That is the arrow of the stream or session that a finding is about; else the first that its evidence says should
    have been otherwise, what passed before what was agreed.
    """
    by_frame: dict[FrameId, int] = {}
    by_subject: dict[tuple[str, str], int] = {}
    for place, each in sorted(enumerate(drafts), key=lambda pair: (pair[1].kind == "esp", pair[0])):
        for frame in each.frames:
            by_frame.setdefault(frame, place)
        for subject in each.subjects:
            by_subject.setdefault(subject, place)
    out: dict[int, list[int]] = {}
    for number, finding in enumerate(findings, 1):
        place_of = next(_candidates(finding, drafts, by_frame, by_subject), None)
        if place_of is not None:
            out.setdefault(place_of, []).append(number)
    return out


def _candidates(
    finding: Finding, drafts: Sequence[Draft], by_frame: dict[FrameId, int], by_subject: dict[tuple[str, str], int]
) -> Iterator[int]:
    own = by_subject.get(subject_key(finding.subject))
    if own is not None and finding.subject.kind != "media":
        yield own
    wrong = _places((row.frame for row in finding.evidence if row.expected), by_frame)
    yield from (place for place in wrong if drafts[place].kind != "sip")
    if wrong:  # what is agreed begins with the answer
        yield next((place for place in wrong if drafts[place].source != drafts[wrong[0]].source), wrong[0])
    yield from _places((row.frame for row in finding.evidence), by_frame)
    of_line = by_subject.get(("media", finding.subject.id))
    if of_line is not None:
        yield of_line


def _places(frames: Iterable[FrameId], by_frame: dict[FrameId, int]) -> list[int]:
    return sorted(by_frame[frame] for frame in frames if frame in by_frame)

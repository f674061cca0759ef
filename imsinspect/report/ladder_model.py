"""The security ladder as data: who spoke to whom, in order of time, and how each message was really protected.

Strings are as they came, as valid Unicode, except for those of `LineWords`; views escape all of them. Frames are ids
(`imsinspect.capture.frames`), times nanoseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.report.calls import CallRow
    from imsinspect.report.gaps import OpenQuestion
    from imsinspect.report.protection import Level
    from imsinspect.report.words import LineWords
    from imsinspect.rules.outcome import Finding

LIFELINES = 40  # of one ladder; further ends share the last


@dataclass(slots=True, frozen=True)
class Mark:
    """How something was really protected."""

    level: Level
    words: str  # those of `imsinspect calls`: "clear", "verified", "SRTP" …


@dataclass(slots=True, frozen=True)
class Lifeline:
    """An end of signalling or media; of a conference its focus, or somebody who takes part."""

    key: str  # "A", "B" … in order of appearance
    name: str  # "" where the signalling does not tell it
    addresses: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Arrow:
    """Something that went from one end to another; equal ones are folded into it."""

    number: int  # from 1 on
    time: int
    last_time: int  # of what it holds
    frames: tuple[FrameId, ...]  # the first of them
    kind: str  # "sip", "mikey", "tls", "dtls", "esp", "media", "rtcp", "msrp", "bfcp", "connection"
    source: int  # places in the list of lifelines
    destination: int
    both_ways: bool
    title: str
    details: tuple[str, ...]
    mark: Mark
    count: int  # that are folded into it
    findings: tuple[int, ...]  # numbers of those that begin here


@dataclass(slots=True, frozen=True)
class AgreementRow:
    """One property of a media line, as both sides wrote it."""

    label: str
    offer: str
    answer: str


@dataclass(slots=True, frozen=True)
class Agreement:
    """One offer for a media line, and its answer."""

    offer: FrameId
    answer: FrameId | None  # None where none was seen
    rows: tuple[AgreementRow, ...]
    agreed: str  # as `imsinspect calls` says it


@dataclass(slots=True, frozen=True)
class StreamFacts:
    """A media stream, or the RTCP of one sender."""

    id: str
    what: str  # "audio", "RTCP"
    source: int  # places in the list of lifelines
    destination: int
    ends: tuple[str, str]  # addresses with ports
    ssrc: int
    packets: int
    lost: int | None  # None of RTCP
    first: FrameId
    last: FrameId
    judged: str  # what decided, in words
    proof: str  # "SRTP: 100 of 100 tags verify"; "no key is known" …
    mark: Mark


@dataclass(slots=True, frozen=True)
class LineFacts:
    """A media line: what was agreed, and what passed."""

    id: str
    words: LineWords
    agreements: tuple[Agreement, ...]  # the last ones, in order of time
    agreements_left: int  # earlier ones
    streams: tuple[StreamFacts, ...]
    streams_left: int


@dataclass(slots=True, frozen=True)
class KeyFacts:
    """A master key by its digest, where it came from and what it proves."""

    digest: str
    suite: str
    places: tuple[str, ...]
    places_left: int
    use: str


@dataclass(slots=True, frozen=True)
class Ladder:
    """A call, or a conference."""

    row: CallRow  # as `imsinspect calls` lists it
    facts: tuple[str, ...]  # state, side, profile
    lifelines: tuple[Lifeline, ...]
    lifelines_left: int  # that share the last one
    arrows: tuple[Arrow, ...]
    left_out: int  # arrows
    left_after: int  # how many arrows stand before those that were left out
    legend: tuple[tuple[Mark, str], ...]  # the marks that occur, and what they mean
    lines: tuple[LineFacts, ...]
    lines_left: int
    keys: tuple[KeyFacts, ...]
    keys_left: int
    findings: tuple[Finding, ...]  # their numbers count from 1
    not_placed: tuple[int, ...]  # numbers of findings that begin at no arrow
    open_questions: tuple[OpenQuestion, ...]
    unnamed_questions: int  # assessments left open whose subjects the audit does not all name
    captures: tuple[str, ...]  # paths

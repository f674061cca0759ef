"""Calls and conferences, a row each: who, when, what protection was agreed, what was seen, what was found.

The words of a row:

claimed   what offer and answer agreed last, of each media line that was not refused: "SDES AES_CM_128_HMAC_SHA1_80",
          "DTLS-SRTP", "MIKEY", "TLS", "ZRTP", "clear" …; "offered only: …" without an answer; "rejected" where all
          lines were, "nothing agreed" where the call was. They are those of `imsinspect.report.protection`, spoken.
observed  verified        SRTP, and every packet that was checked verifies with an agreed key
          SRTP            protected as far as sizes and structure show, or some packets do not verify
          … without a valid tag   SRTP or SRTCP: keys are known, and none verifies any packet of a sender
          TLS, DTLS       lines of messaging or floor control inside a session that encrypts
          clear, NULL     readable; NULL: inside a session whose cipher does not encrypt
          RTCP clear      control packets in clear, and no media that could be told
          mixed           some readable, some protected
          no media        nothing was seen on any line
          not assessed    what passes could not be told, or no media line is known
          … (in part)     the same, and of the rest it could not be told

A conference covers the calls that are its legs, with what was found in them; they also have rows of their own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imsinspect.report.belonging import by_owner
from imsinspect.report.escape import text
from imsinspect.report.protection import NO_VALID_TAG, Level, claim, failing, secured, spoken
from imsinspect.report.tally import Tally
from imsinspect.rules.outcome import Severity
from imsinspect.trace.model import MediaStream, Protection, RtcpSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Finding
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import Call, MediaLine, Proof

NOTHING_AGREED = "nothing agreed"
NOT_ASSESSED, NO_MEDIA, NO_FINDINGS, INFO_ONLY = "not assessed", "no media", "no findings", "info only"
VERIFIED, SRTP, CLEAR, NULL, RTCP_CLEAR, MIXED = "verified", "SRTP", "clear", "NULL", "RTCP clear", "mixed"
FAILS, SRTCP_FAILS = f"SRTP {NO_VALID_TAG}", f"SRTCP {NO_VALID_TAG}"
READABLE, PROTECTED = frozenset((CLEAR, NULL, RTCP_CLEAR)), frozenset((VERIFIED, SRTP, "TLS", "DTLS"))
GRAVEST_FIRST = tuple(reversed(Severity))
UNSEEN_FAMILIES = frozenset(("udptl", "sctp", "other"))  # whose packets are not looked at outside of TLS


@dataclass(slots=True, frozen=True)
class CallRow:
    """One call or conference. Strings are as they came; views escape them."""

    id: str  # "call-1", "conference-1"
    kind: str  # "call", "conference"
    call_id: str  # "" of a conference
    begins: int  # nanoseconds since 1970
    lasts: int  # nanoseconds, as far as was seen
    over: bool  # it ended within the captures; otherwise it lasted at least so long
    state: str  # of a call: "confirmed", "ended" …; "" of a conference
    sender: str  # From; "" of a conference
    receiver: str  # To; the URI of a conference
    participants: tuple[str, ...]  # of a conference
    conference: str  # id of the conference that the call is a leg of
    media: tuple[str, ...]  # types
    claimed: tuple[str, ...]
    observed: str
    level: Level
    findings: tuple[tuple[Severity, int], ...]  # the gravest first; none is zero
    suppressed: int  # findings that the policy accepts
    rules: tuple[str, ...]  # ids, of the findings
    result: str  # "findings", "info only", "no findings", "not assessed"

    @property
    def count(self) -> int:
        """Findings of all severities."""
        return sum(number for _, number in self.findings)

    @property
    def gravest(self) -> Severity | None:
        """Of the findings; None where there is none."""
        return self.findings[0][0] if self.findings else None

    def finding_words(self) -> str:
        """`1 critical, 2 high`, `1 info only`, `no findings, 1 suppressed` or `not assessed`."""
        counts = ", ".join(f"{number} {severity.token}" for severity, number in self.findings)
        words = {"findings": counts, INFO_ONLY: f"{counts} only"}.get(self.result, self.result)
        return f"{words}, {self.suppressed} suppressed" if self.suppressed else words


@dataclass(slots=True)
class CallTable:
    """The rows that were asked for, and what was left out of them."""

    rows: list[CallRow]
    matched: int  # before the limit
    calls: int  # in all
    conferences: int
    elsewhere: int  # findings that belong to no call or conference


@dataclass(slots=True, frozen=True)
class Wanted:
    """Which rows, in which order, how many."""

    sort: str = "time"
    words: Sequence[str] = ()  # all must stand in the row
    rules: frozenset[str] = frozenset()  # a finding of one of them, if any are named
    least: Severity | None = None  # a finding at least so grave
    limit: int | None = None


def table(audit: Audit, wanted: Wanted) -> CallTable:
    """The rows of an audit that are wanted."""
    found = by_owner(audit.trace, audit.findings)
    words = [word.casefold() for word in wanted.words]
    matching = [row for row in _rows(audit, found) if _matches(row, words, wanted)]
    matching.sort(key=ORDERS[wanted.sort])
    calls, conferences = len(audit.trace.calls), len(audit.trace.conferences)
    return CallTable(matching[: wanted.limit], len(matching), calls, conferences, len(found.get("", ())))


def _severities(row: CallRow) -> tuple[int, ...]:
    """More of the gravest first."""
    counts = dict(row.findings)
    return tuple(-counts.get(severity, 0) for severity in GRAVEST_FIRST)


_LEVELS = {level: place for place, level in enumerate(Level)}  # the worst first

ORDERS: dict[str, Callable[[CallRow], tuple[Any, ...]]] = {
    "time": lambda row: (row.begins,),
    "duration": lambda row: (-row.lasts, row.begins),
    "findings": lambda row: (-row.count, *_severities(row), row.begins),
    "severity": lambda row: (*_severities(row), row.begins),
    "protection": lambda row: (_LEVELS[row.level], row.observed, row.begins),
}
"""What comes first: the earliest, the longest, the most findings, the gravest, the worst protected."""


def _matches(row: CallRow, words: Sequence[str], wanted: Wanted) -> bool:
    if wanted.least is not None and (row.gravest is None or row.gravest < wanted.least):
        return False
    if wanted.rules and wanted.rules.isdisjoint(row.rules):
        return False
    if not words:
        return True
    held = (row.id, row.call_id, row.sender, row.receiver, *row.participants, *row.claimed, row.observed)
    whole = "\n".join(held).casefold()
    return all(word in whole for word in words)


# --- rows -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Seen:
    """What the media lines of a call, or of all legs of a conference, say and show."""

    media: dict[str, None] = field(default_factory=dict)
    claimed: dict[str, None] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)  # media types of refused lines
    observed: dict[str, None] = field(default_factory=dict)
    broken: bool = False  # protection was agreed, and the line is readable
    last: int = 0  # time of the last packet

    def add(self, other: _Seen) -> None:
        """Take in what was seen of another call."""
        self.media |= other.media
        self.claimed |= other.claimed
        self.refused |= other.refused
        self.observed |= other.observed
        self.broken |= other.broken
        self.last = max(self.last, other.last)


def _rows(audit: Audit, found: dict[str, list[Finding]]) -> Iterator[CallRow]:
    """Conferences, then calls."""
    trace = audit.trace
    accepted = by_owner(trace, [each.finding for each in audit.suppressed])
    assessed = Tally.of(audit).assessed > 0
    seen = {call.id: _seen(call) for call in trace.calls}
    for conference in trace.conferences:
        legs = [leg for leg in legs_of(conference) if leg in seen]
        owners = [conference.id, *legs]
        yield _conference_row(
            conference, [seen[leg] for leg in legs], _gathered(owners, found), _gathered(owners, accepted), assessed
        )
    for call in trace.calls:
        yield _call_row(call, seen[call.id], found.get(call.id, []), accepted.get(call.id, []), assessed)


def legs_of(conference: Conference) -> Iterable[str]:
    """Ids of the calls that are legs, each once."""
    return dict.fromkeys(
        name for each in conference.participants for leg in each.legs for name in (leg.call, *leg.also)
    )


def _gathered(owners: Iterable[str], found: dict[str, list[Finding]]) -> list[Finding]:
    """The findings of several owners, each once."""
    return list({id(finding): finding for owner in owners for finding in found.get(owner, ())}.values())


def _call_row(
    call: Call, seen: _Seen, found: Sequence[Finding], accepted: Sequence[Finding], assessed: bool
) -> CallRow:
    ends = call.ended_at if call.ended_at is not None else max(call.last_time, seen.last)
    observed, level = _observed(seen)
    return CallRow(
        id=call.id,
        kind="call",
        call_id=text(call.call_id),
        begins=call.first_time,
        lasts=max(ends - call.first_time, 0),
        over=call.ended_at is not None,
        state=call.state,
        sender=text(call.from_uri),
        receiver=text(call.to_uri),
        participants=(),
        conference=call.conference,
        media=tuple(seen.media or seen.refused),
        claimed=_claimed(seen),
        observed=observed,
        level=level,
        findings=_counts(found),
        suppressed=len(accepted),
        rules=_rules(found),
        result=_result(found, seen, assessed),
    )


def _conference_row(
    conference: Conference, legs: Iterable[_Seen], found: Sequence[Finding], accepted: Sequence[Finding], assessed: bool
) -> CallRow:
    seen = _Seen()
    for leg in legs:
        seen.add(leg)
    observed, level = _observed(seen)
    joined = [leg for each in conference.participants for leg in each.legs if leg.accepted]
    over = bool(joined) and all(leg.left is not None for leg in joined)
    ends = conference.last_time if over else max(conference.last_time, seen.last)
    return CallRow(
        id=conference.id,
        kind="conference",
        call_id="",
        begins=conference.first_time,
        lasts=max(ends - conference.first_time, 0),
        over=over,
        state="",
        sender="",
        receiver=text(conference.uri_written) or text(conference.uri),
        participants=tuple(text(each.identity) or text(each.uri) for each in conference.participants),
        conference="",
        media=tuple(seen.media or seen.refused),
        claimed=_claimed(seen),
        observed=observed,
        level=level,
        findings=_counts(found),
        suppressed=len(accepted),
        rules=_rules(found),
        result=_result(found, seen, assessed),
    )


def _counts(found: Iterable[Finding]) -> tuple[tuple[Severity, int], ...]:
    counts = Counter(finding.severity for finding in found)
    return tuple((severity, counts[severity]) for severity in GRAVEST_FIRST if counts[severity])


def _rules(found: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(sorted({finding.rule for finding in found}))


def _result(found: Sequence[Finding], seen: _Seen, assessed: bool) -> str:
    """Without findings and without any media line, nothing can be told of it."""
    if any(finding.severity > Severity.INFO for finding in found):
        return "findings"
    if found:
        return INFO_ONLY
    return NO_FINDINGS if assessed and (seen.claimed or seen.refused) else NOT_ASSESSED


# --- protection -----------------------------------------------------------------------------------


def _seen(call: Call) -> _Seen:
    seen = _Seen()
    for line in call.lines:
        claimed = claim(line)
        refused = claimed.current == "rejected"
        if refused:
            seen.refused[claimed.media] = None
        elif line.states:
            seen.media[claimed.media] = None
            seen.claimed[spoken(claimed.current)] = None
        silent = refused and not (line.streams or line.rtcp or line.tls_sessions or line.connections)
        kinds = dict.fromkeys(() if silent else _kinds(line)) or {NO_MEDIA: None}
        seen.observed |= kinds
        levels = {failing(use.stream.proof) for use in (*line.streams, *line.rtcp)}
        seen.broken |= claimed.secure and (Level.BROKEN in levels or not kinds.keys().isdisjoint(READABLE))
        places = [use.stream.last.time for use in (*line.streams, *line.rtcp)]
        seen.last = max([seen.last, *places])
    if not call.lines and call.negotiations and all(each.rejected for each in call.negotiations):
        seen.media = {text(media.media): None for each in call.negotiations for media in each.offer.sdp.media}
        seen.claimed[NOTHING_AGREED] = seen.observed[NO_MEDIA] = None
    return seen


def _claimed(seen: _Seen) -> tuple[str, ...]:
    return tuple(seen.claimed) or (("rejected",) if seen.refused else (NOT_ASSESSED,))


def _kinds(line: MediaLine) -> Iterator[str]:
    """What each stream, session or connection of a line shows; nothing where none was seen."""
    media = [use.stream for use in line.streams if isinstance(use.stream, MediaStream)]
    control = [use.stream for use in line.rtcp if isinstance(use.stream, RtcpSource)]
    if media or _family(line) == "rtp":  # a DTLS handshake on such a line gives keys, and protects no media
        control_fails = any(source.proof is not None and source.proof.failed for source in control)
        for stream in media:
            yield from _kinds_of_stream(stream, control_fails)
        if any(source.plain for source in control):
            yield RTCP_CLEAR
        if any(failing(source.proof) for source in control):
            yield SRTCP_FAILS
        return
    for session in line.tls_sessions:
        level, _ = secured(session)
        if level is not Level.ABSENT:
            yield {Level.SECURED: session.transport.upper(), Level.BROKEN: NULL}.get(level, NOT_ASSESSED)
    readable = [each.protection for each in line.connections if each.messages]
    readable += [each.protection for each in line.msrp if each.connection]
    if readable:
        yield NOT_ASSESSED if Protection.OPENED in readable else CLEAR
    elif not line.tls_sessions and _family(line) in UNSEEN_FAMILIES:
        yield NOT_ASSESSED


def _family(line: MediaLine) -> str:
    return line.states[-1].offered.profile.family if line.states else "rtp"


def _kinds_of_stream(stream: MediaStream, control_fails: bool) -> Iterator[str]:
    part = stream.judgement.other_part
    for kind in (stream.kind, *([part.kind] if part is not None else [])):
        if kind == "rtp":
            yield CLEAR
        elif kind == "srtp" and failing(stream.proof):
            yield FAILS
        elif kind == "srtp":
            yield VERIFIED if verifies(stream.proof) and not control_fails else SRTP
        else:
            yield NOT_ASSESSED


def verifies(proof: Proof | None) -> bool:
    """Every packet that was checked verifies."""
    return proof is not None and proof.verified > 0 and not proof.failed and not proof.unchecked


def _observed(seen: _Seen) -> tuple[str, Level]:
    """One word for all lines, and how the call stands."""
    kinds = seen.observed
    readable = [kind for kind in kinds if kind in READABLE and not (kind == RTCP_CLEAR and CLEAR in kinds)]
    protected = [kind for kind in kinds if kind in PROTECTED and not (kind == VERIFIED and SRTP in kinds)]
    in_part = " (in part)" if NOT_ASSESSED in kinds else ""
    failed = [kind for kind in kinds if kind in (FAILS, SRTCP_FAILS)]
    if readable:
        level = Level.BROKEN if seen.broken or NULL in kinds else Level.CLEAR
        return (MIXED if protected else " + ".join(readable)) + in_part, level
    if protected or failed:
        doubtful = Level.BROKEN if seen.broken else Level.UNKNOWN
        return " + ".join(protected + failed) + in_part, doubtful if in_part or failed else Level.SECURED
    return (NO_MEDIA, Level.ABSENT) if kinds and not in_part else (NOT_ASSESSED, Level.UNKNOWN)

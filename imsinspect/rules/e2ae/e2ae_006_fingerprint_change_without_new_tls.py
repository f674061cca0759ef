"""IMS-E2AE-006."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.certificates import (
    computable,
    description_of,
    matches,
    parties,
    role_of,
    sessions_of,
    shortened,
    states_at,
    values,
)
from imsinspect.rules.e2ae.edge import TLS_PROFILES, certified_lines, line_applies, undetermined
from imsinspect.rules.facts import GRACE, frame_text, media_name, not_assessed, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Fingerprint
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, Place, TlsSession, Trace


@rule(
    id="IMS-E2AE-006",
    name="fingerprint-change-without-new-tls",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=TLS_PROFILES,
    references=("RFC 8122 §5", "RFC 8122 §6.2", "RFC 8842 §5", "TS 33.328 §7.2.1"),
    needs=(CALLS,),
)
def fingerprint_change_without_new_tls(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Fingerprint changes but the old TLS connection stays.

    What it checks:
        MSRP and BFCP lines with TLS at the access whose descriptions changed during the call: where a side signals
        fingerprints none of which it signalled before, a new handshake follows, and what was connected before carries
        nothing any more 5 seconds after the answer.
    Why it matters:
        A new fingerprint announces another certificate, hence another association. Where the old connection lives on,
        media is no longer bound to what the signalling says: the signalling may have been taken over.
    What the finding shows:
        The frames of both descriptions with their fingerprints, and the last data on the old connection.
    How to fix it:
        Let the side that changes its certificate set up a new connection (a=connection:new), and the other side close
        the old one. Find out who sent the new description if neither did.
    When it is not assessed:
        N-MED: no connection of the line was seen, or nothing on it after the change. IMS-PROF-005: the profile of the
        call is not determined. A fingerprint that is added beside an old one, and one of the same certificate with
        another hash function, change nothing.
    """
    for call, line, states in certified_lines(trace):
        changes = list(_changes([state for state in states if state.accepted and not state.negotiation.rejected]))
        if not changes:
            continue
        applicable = line_applies(scene, call, states)
        if applicable is None:
            yield undetermined(Subject("media", line.id))
        elif applicable:
            sessions = sessions_of(trace, scene, line)
            yield from worst((tag, _judge(trace, line, sessions, tag, old, new)) for tag, old, new in changes)


def _changes(states: list[LineState]) -> Iterator[tuple[bytes, LineState, LineState]]:
    """Exchanges in which a party names itself by other fingerprints only, with those before them."""
    for old, new in pairwise(states):
        for tag in (old.negotiation.offerer_tag, old.negotiation.answerer_tag):
            before, after = values(_fingerprints(tag, old)), values(_fingerprints(tag, new))
            if before and after and before.isdisjoint(after):
                yield tag, old, new


def _fingerprints(tag: bytes, state: LineState) -> tuple[Fingerprint, ...]:
    said = description_of(tag, state)
    return said[0].fingerprints if said is not None else ()


def _judge(
    trace: Trace, line: MediaLine, sessions: list[TlsSession], tag: bytes, old: LineState, new: LineState
) -> Outcome:
    subject = Subject("media", line.id)
    if not sessions:
        return not_assessed(subject, "N-MED", "no connection of a line whose fingerprint changed was seen")
    if any(_handshakes_since(session, new.begins) for session in sessions):
        return Outcome("pass", subject)
    fingerprints = computable(_fingerprints(tag, new))
    shown = False  # that the certificate in use is another one
    for session in sessions:
        for side in parties(line, session, states_at(line, session)):
            if side.tag == tag and side.certificates:
                if matches(side.certificates[0], fingerprints):
                    return Outcome("pass", subject)
                shown = True
    agreed = new.answered_at if new.answered_at is not None else new.begins
    last = max((place for each in sessions for place in _last(each)), key=lambda place: place.time)
    if last.time <= agreed + GRACE:
        return not_assessed(subject, "N-MED", "nothing was seen on the line after its fingerprint changed")
    return _stays(trace, line, tag, old, new, last, shown)


def _handshakes_since(session: TlsSession, time: int) -> bool:
    return session.first.time >= time or any(hello.time >= time for hello in session.server_hellos)


def _last(session: TlsSession) -> Iterator[Place]:
    yield session.last
    if session.last_octets is not None:
        yield session.last_octets


def _stays(
    trace: Trace, line: MediaLine, tag: bytes, old: LineState, new: LineState, last: Place, shown: bool
) -> Outcome:
    before, after = _fingerprints(tag, old), _fingerprints(tag, new)
    one_hash = bool({each.hash_function for each in before} & {each.hash_function for each in after})
    sure = shown or one_hash
    doubt = "" if sure else " The hash function changed as well: it may be the same certificate (ambiguous)."
    frames = [
        said[1].message.frame for state in (old, new) if (said := description_of(tag, state)) is not None
    ]  # fmt: skip
    expected = "a new handshake, or a fingerprint of the certificate in use"
    role = role_of(tag, new)
    return Outcome(
        "violation" if sure else "suspect",
        Subject("media", line.id),
        confidence="proven" if shown else "strong" if sure else "heuristic",
        title="New certificate fingerprint on an old TLS connection",
        message=(
            f"The {role} of {line.id} replaces its fingerprint {shortened(before)} ({frame_text(trace, frames[0])}) by "
            f"{shortened(after)} ({frame_text(trace, frames[-1])}), and the old connection still carries octets "
            f"in {frame_text(trace, last.frame)}. Its media is no longer bound to what the signalling says; who sent "
            f"the new description may not be who is connected.{doubt} Not seen: a new handshake."
        ),
        evidence=(
            Evidence(frames[0], "SDP a=fingerprint", shortened(before), "kept, or followed by a new handshake"),
            Evidence(frames[-1], "SDP a=fingerprint", shortened(after), expected),
            Evidence(last.frame, "last octets", "on the connection from before", expected),
        ),
        role=role,
        media=media_name(new.offered),
        normalised=("fingerprint replaced, connection kept", expected),
    )

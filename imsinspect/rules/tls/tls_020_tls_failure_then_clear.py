"""IMS-TLS-020."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from dissectors.tls.codes import ALERT_DESCRIPTIONS
from dissectors.tls.versions import is_tls13
from imsinspect.rules.facts import agreement, calls_by_id, frame_text, media_name, not_assessed, profile_open, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.media_lines import (
    applies,
    carried_in_clear,
    clear_since,
    connections_of,
    state_at,
    tls_agreed,
    tls_lines,
)
from imsinspect.rules.tls.sessions import FATAL, lines_without
from imsinspect.trace.messaging import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaConnection, MediaLine, TlsSession, Trace

PROFILES = ("E2AE-MSRP", "E2AE-BFCP", "E2E-KMS", "G3")
EXPECTED = "no media, or TLS once more"
OVER = frozenset(("ended", "failed", "cancelled"))


@rule(
    id="IMS-TLS-020",
    name="tls-failure-then-clear",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §5.4.1", "TS 23.334 §6.2.10", "TS 23.333 §6.2.19", "RFC 8122 §6.2"),
    follows=("IMS-TLS-018", "IMS-MSRP-001", "IMS-BFCP-001"),
    needs=(CALLS,),
)
def tls_failure_then_clear(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """TLS fails and the session continues without it.

    What it checks:
        TLS handshakes on lines of messages and floor control that were agreed with TLS and that end without success: by
        a fatal alert, without an answer, or unfinished. Behind one, and before any that succeeds, no connection of the
        line may carry data in clear, and no new offer and answer may agree the line in clear.
    Why it matters:
        Whoever can disturb one connection, with a forged alert or by dropping packets, turns protection off. The
        participants go on and do not notice.
    What the finding shows:
        The frames of offer and answer, of the ClientHello and the alert, and of the clear data or of the new
        description behind them.
    How to fix it:
        Let a failed handshake end the media connection: try TLS again or end the session, and report the failure (BYE,
        or the failure event of the gateway to its controller).
    When it is not assessed:
        N-HS: no handshake of a line agreed with TLS was captured. T-MID: a handshake fails and the capture ends before
        the session does. IMS-PROF-005: the call's profile is open and the line shows neither fingerprints nor MIKEY.
        N-SIP: signalling that could not be read. A connection that goes straight to clear data is the object of
        IMS-TLS-018.
    """
    connections = connections_of(trace, scene)
    for call, line, states in tls_lines(trace):
        if not line.tls_sessions:
            continue
        applied = applies(scene, call, states[-1], PROFILES)
        if applied is None:
            yield profile_open(Subject("media", line.id))
        elif applied:
            yield _judge(trace, call, line, connections.get(line.id, []))
    calls = calls_by_id(trace)
    for line, protocol in lines_without(trace, lambda each: bool(each.tls_sessions)):
        agreed = [state for state in line.states if tls_agreed(state)]
        if agreed and applies(scene, calls[line.call], agreed[-1], PROFILES):
            reason = f"no handshake of the agreed {protocol} was captured"
            yield not_assessed(Subject("media", line.id), "N-HS", reason)


def _failed(session: TlsSession) -> bool:
    """A handshake began and came to nothing. With half of it captured, records behind it show that it did not fail."""
    if not session.client_hellos or session.handshake_complete:
        return False
    tls13 = bool(session.server_hellos) and is_tls13(session.server_hellos[-1].version)
    return tls13 or bool(session.alerts) or not session.client_records + session.server_records


def _judge(trace: Trace, call: Call, line: MediaLine, connections: list[MediaConnection]) -> Outcome:
    subject = Subject("media", line.id)
    sessions = sorted(line.tls_sessions, key=lambda each: each.first.time)
    if not any(_failed(each) for each in sessions):
        if any(each.handshake_complete for each in sessions):
            return Outcome("pass", subject)
        return not_assessed(subject, "N-HS", "of the line's TLS no whole handshake is in the capture")
    went_on = _clear_connection(line, sessions, connections) or _clear_agreement(line, sessions)
    if went_on is not None:
        return _found(trace, call, line, *went_on)
    if _failed(sessions[-1]) and call.state not in OVER:
        return not_assessed(subject, "T-MID", "a handshake fails and the capture ends before the session does")
    return Outcome("pass", subject)


def _failure_before(sessions: list[TlsSession], time: int) -> TlsSession | None:
    """The handshake that failed last before a time, unless one succeeded behind it."""
    number = bisect_left(sessions, time, key=lambda each: each.first.time)
    return sessions[number - 1] if number and _failed(sessions[number - 1]) else None


_WentOn = tuple["TlsSession", "FrameId", str, str, str, "tuple[Evidence, ...]"]
"""The failure; the frame that goes on in clear, what it shows, how; the fact; evidence of its own."""


def _clear_connection(
    line: MediaLine, sessions: list[TlsSession], connections: list[MediaConnection]
) -> _WentOn | None:
    """A connection behind a failure that carries data in clear, under an agreement of TLS."""
    for each in sorted(connections, key=lambda each: each.first.time):
        kind = carried_in_clear(each)
        if not kind or kind == "?" or not tls_agreed(state_at(line, clear_since(each))):
            continue
        failure = _failure_before(sessions, each.first.time)
        if failure is not None:
            frame = each.messages[0].frames[0] if each.messages else each.first.frame
            what = said(each.messages[0]) if each.messages else kind.upper()
            how = f"a new connection from {each.client} to {each.server} carries {what} in clear in"
            return failure, frame, what, how, f"{line.id} clear data", ()
    return None


def _clear_agreement(line: MediaLine, sessions: list[TlsSession]) -> _WentOn | None:
    """An agreement of the clear transport behind a failure."""
    for state in line.states:
        answered = state.answered
        if not state.accepted or answered is None or answered.profile.secure or state.negotiation.answer is None:
            continue
        failure = _failure_before(sessions, state.begins)
        if failure is not None:
            frame = state.negotiation.answer.message.frame
            how = f"a new offer is answered with {answered.transport} on port {answered.port} in"
            return failure, frame, answered.transport, how, line.id, agreement(state)
    return None


def _how_it_failed(trace: Trace, session: TlsSession) -> tuple[FrameId, str]:
    """The frame that shows a failure, and what it shows."""
    for frame, from_client, level, description in session.alerts:
        if level == FATAL:
            name = ALERT_DESCRIPTIONS.get(description, f"alert {description}")
            return frame, f"the fatal alert {name} of the {'client' if from_client else 'server'}"
    if not session.server_hellos:
        return session.client_hellos[-1].frame, "a ClientHello without an answer"
    return session.last.frame, "a handshake that does not complete"


def _found(
    trace: Trace,
    call: Call,
    line: MediaLine,
    failure: TlsSession,
    frame: FrameId,
    what: str,
    how: str,
    fact: str,
    more: tuple[Evidence, ...],
) -> Outcome:
    state: LineState = state_at(line, failure.first.time)
    failed_in, failed = _how_it_failed(trace, failure)
    alert = any(level == FATAL for _, _, level, _ in failure.alerts)
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="proven" if alert else "strong",
        title="TLS fails and the session goes on without it",
        message=(
            f"{text(state.offered.type)} line {line.index} of {call.id}, agreed as {state.offered.transport}: the TLS "
            f"session {failure.id} from {failure.client} to {failure.server} ends with {failed} in "
            f"{frame_text(trace, failed_in)}, and {how} {frame_text(trace, frame)}. Whoever disturbs one handshake "
            "turns the protection off. Not seen: a handshake that succeeds between."
        ),
        evidence=(
            *agreement(state),
            Evidence(failure.client_hellos[0].frame, "ClientHello", "sent", "answered, and completed"),
            Evidence(failed_in, "TLS handshake", failed, "a completed handshake"),
            *more,
            Evidence(frame, "behind the failure", what, EXPECTED),
        ),
        fact=fact,
        media=media_name(state.offered),
        normalised=(f"{failed.partition(' of the ')[0]}, then {what.partition(' of conference')[0]}", EXPECTED),
    )

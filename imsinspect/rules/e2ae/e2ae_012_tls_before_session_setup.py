"""IMS-E2AE-012."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.capture.frames import capture_index
from imsinspect.rules.e2ae.certificates import sessions_of
from imsinspect.rules.e2ae.edge import TLS_PROFILES, certified_lines, line_applies, undetermined
from imsinspect.rules.facts import SECOND, frame_text, media_name, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, TlsSession, Trace

TOLERANCE = SECOND // 10  # that a handshake may be ahead of the answer (rules.md IMS-E2AE-012)


@rule(
    id="IMS-E2AE-012",
    name="tls-before-session-setup",
    severity=Severity.LOW,
    tier=3,
    profiles=TLS_PROFILES,
    references=("TS 33.328 §7.2.1", "TS 33.328 §7.3.1", "RFC 8122 §6.2"),
    needs=(CALLS,),
)
def tls_before_session_setup(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Media TLS connection completed before the session was set up.

    What it checks:
        The TLS connections of MSRP and BFCP lines at the access: their handshakes are finished at the earliest a tenth
        of a second before the answer with the fingerprint of the answering side, in a provisional or final response.
    Why it matters:
        Before both descriptions are exchanged one side has no fingerprint to compare the certificate with. Data that
        passes then goes to a peer that nobody verified.
    What the finding shows:
        The frame in which the handshake was finished, the frame of the answer, the time between both, and the first
        data before the answer.
    How to fix it:
        Let both sides open the media connection once the answer was sent or received, and hold back data until the
        certificate was compared.
    When it is not assessed:
        N-OA: the answer was not seen. N-CLK: handshake and answer are in different captures, whose clocks may differ.
        T-MID: the first exchange of the session is not in the capture. IMS-PROF-005: the profile of the call is not
        determined.
    """
    for call, line, states in certified_lines(trace):
        finished = [session for session in sessions_of(trace, scene, line) if session.completed is not None]
        if not finished:
            continue
        applicable = line_applies(scene, call, states)
        if applicable is None:
            yield undetermined(Subject("media", line.id))
        elif applicable:
            for session in finished:
                yield _judge(trace, line, session)


def _judge(trace: Trace, line: MediaLine, session: TlsSession) -> Outcome:
    subject = Subject("media", line.id)
    answered = [state for state in line.states if state.answered is not None and state.negotiation.answer is not None]
    if not answered:
        return not_assessed(subject, "N-OA", "the answer to a line whose connection was set up was not seen")
    first = min(answered, key=lambda state: state.answered_at or state.begins)
    offer = first.negotiation.offer.message.sip
    if offer.method and offer.to_tag:
        return not_assessed(subject, "T-MID", "the first exchange of the session is not in the capture")
    completed, answer = session.completed, first.negotiation.answer
    assert completed is not None
    assert answer is not None
    if completed.time >= answer.message.time - TOLERANCE:
        return Outcome("pass", subject)
    if capture_index(completed.frame) != capture_index(answer.message.frame):
        return not_assessed(subject, "N-CLK", "handshake and answer are in captures whose clocks may differ")
    return _early(trace, line, session, first)


def _early(trace: Trace, line: MediaLine, session: TlsSession, state: LineState) -> Outcome:
    completed, answer = session.completed, state.negotiation.answer
    assert completed is not None
    assert answer is not None
    frame, time = answer.message.frame, answer.message.time
    ahead = (time - completed.time) / SECOND
    data = min(
        (each for each in (session.client_data, session.server_data) if each is not None and each.time < time),
        key=lambda each: each.time,
        default=None,
    )
    passed = f"Data passes from {frame_text(trace, data.frame)} on" if data is not None else "Data could pass"
    expected = "the answer with a fingerprint first"
    evidence = [
        Evidence(completed.frame, "TLS handshake finished", "before the answer", expected),
        Evidence(frame, "SDP answer", "after the handshake", expected),
    ]
    if data is not None:
        evidence.append(Evidence(data.frame, "first data", "before the answer", "after the certificate was compared"))
    return Outcome(
        "violation",
        Subject("media", line.id),
        title="TLS of media finished before the session was set up",
        message=(
            f"TLS session {session.id} of {line.id} is finished in {frame_text(trace, completed.frame)}, {ahead:.3f} "
            f"seconds before the answer in {frame_text(trace, frame)}. {passed} to a peer whose certificate the "
            "offering side cannot have compared. Not seen: an earlier answer."
        ),
        evidence=tuple(evidence),
        media=media_name(state.offered),
        normalised=("handshake before the answer", expected),
    )

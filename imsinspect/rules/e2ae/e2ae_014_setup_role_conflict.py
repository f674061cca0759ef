"""IMS-E2AE-014."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.certificates import no_session, role_of, sessions_of, states_at
from imsinspect.rules.e2ae.edge import (
    ANSWERER,
    OFFERER,
    PEER,
    TLS_PROFILES,
    certified_lines,
    kms_keyed,
    line_applies,
    undetermined,
)
from imsinspect.rules.facts import frame_text, media_name, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, TlsSession, Trace

ACTIVE = {(b"actpass", b"active"): ANSWERER, (b"actpass", b"passive"): OFFERER, (b"active", b"passive"): OFFERER,
          (b"passive", b"active"): ANSWERER}  # fmt: skip
"""Who is active, by a=setup of offer and answer (RFC 4145 §4.1)."""

ANSWERER_SERVES = frozenset(("TCP/TLS/BFCP", "TCP/DTLS/BFCP"))  # RFC 8856 §8


@rule(
    id="IMS-E2AE-014",
    name="setup-role-conflict",
    severity=Severity.LOW,
    tier=3,
    profiles=(*TLS_PROFILES, "G3"),
    references=("TS 33.328 §7.3.1", "TS 33.328 Annex H.2", "RFC 8122 §6.2", "RFC 8856 §8", "RFC 4145 §4"),
    needs=(CALLS,),
)
def setup_role_conflict(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """TLS roles contradict the negotiated set-up roles.

    What it checks:
        Who sends the ClientHello on the connections of MSRP and BFCP lines with TLS: for MSRP the active side by
        a=setup of offer and answer, for BFCP over TCP the offerer, whoever opened the connection.
    Why it matters:
        One side waits for a handshake that the other does not begin; where a handshake comes from the wrong side, a
        device between may end TLS for both.
    What the finding shows:
        The frames of offer and answer with their a=setup, and the frame of the ClientHello.
    How to fix it:
        Let the passive side of MSRP and the answerer of BFCP act as TLS servers. Look for a device between if both
        sides do so already.
    When it is not assessed:
        N-HS: no ClientHello of the line was seen. N-DIR: the addresses do not tell which side sent it. N-OA: the answer
        was not seen. T-NAT: the addresses of the connection fit several calls. IMS-PROF-005: the profile of the call is
        not determined. MSRP lines without a=setup on both sides have no negotiated roles. Where tickets bring the keys
        other agreements are allowed: only suspected.
    """
    for call, line, states in certified_lines(trace):
        expected = [state for state in states if _client(state)]
        if not expected:
            continue
        applicable = line_applies(scene, call, states)
        if not applicable:
            ticket = scene.covers(call.id, ("G3",))
            applicable = True if ticket else None if None in (applicable, ticket) else False
        subject = Subject("media", line.id)
        if applicable is None:
            yield undetermined(subject)
        elif applicable:
            sessions = [session for session in sessions_of(trace, scene, line) if session.client_hellos]
            for session in sessions:
                yield _judge(trace, line, session)
            if not sessions and any(state.accepted for state in expected):
                yield no_session(line, "no ClientHello of a line with negotiated roles was seen")


def _client(state: LineState) -> str:
    """The role of the side that has to begin the handshake; "" where nothing says."""
    answered = state.answered
    if answered is None or answered.port == 0:
        return ""
    if state.offered.transport in ANSWERER_SERVES and answered.transport in ANSWERER_SERVES:
        return OFFERER
    return ACTIVE.get((state.offered.setup, answered.setup), "")


def _judge(trace: Trace, line: MediaLine, session: TlsSession) -> Outcome:
    subject = Subject("media", line.id)
    states = [state for state in states_at(line, session) if _client(state)]
    if not states:
        return not_assessed(subject, "N-OA", "no answer that was in force at the handshake was seen")
    state = states[-1]
    server = role_of(line.tls_servers.get(session.id, b""), state) if line.tls_servers.get(session.id) else ""
    if not server:
        return not_assessed(
            subject, "N-DIR", "the addresses of a handshake do not tell which side sent its ClientHello"
        )
    client, expected = PEER[server], _client(state)
    if client == expected:
        return Outcome("pass", subject)
    return _conflict(trace, line, session, state, client)


def _conflict(trace: Trace, line: MediaLine, session: TlsSession, state: LineState, client: str) -> Outcome:
    offered, answered, answer = state.offered, state.answered, state.negotiation.answer
    assert answered is not None
    assert answer is not None
    ticket = kms_keyed(offered, answered)
    hello = session.client_hellos[0].frame
    expected = f"ClientHello from the {PEER[client]}"
    said = [
        f"a=setup:{media.setup.decode('ascii', 'replace')}" if media.setup else "no a=setup"
        for media in (offered, answered)
    ]
    why = (
        "the answerer of floor control over TCP is the TLS server"
        if offered.transport in ANSWERER_SERVES
        else f"the offer has {said[0]} and the answer {said[1]}"
    )
    frames = (state.negotiation.offer.message.frame, answer.message.frame)
    doubt = " With keys from tickets the sides may have agreed otherwise: ambiguous." if ticket else ""
    return Outcome(
        "suspect" if ticket else "violation",
        Subject("media", line.id),
        confidence="heuristic" if ticket else "proven",
        title="TLS handshake from the wrong side",
        message=(
            f"The {client} of {line.id} begins the handshake of {session.id} in {frame_text(trace, hello)}, from "
            f"{session.client} to {session.server}, although {why}. One of both does not follow what was negotiated, "
            f"or a device between ends TLS.{doubt} Not seen: any other agreement of both."
        ),
        evidence=(
            *(
                Evidence(frame, f"SDP m= line {line.index}", f"{offered.transport}, {text}", expected)
                for frame, text in zip(frames, said, strict=True)
            ),
            Evidence(hello, "ClientHello", f"from the {client}", expected),
        ),
        fact=session.id,
        role=client,
        media=media_name(offered),
        normalised=(f"{offered.transport}: ClientHello from the {client}", expected),
    )

"""IMS-E2AE-002."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.e2ae.certificates import (
    computable,
    fingerprint_of,
    matches,
    no_session,
    parties,
    role_of,
    sessions_of,
    short,
    shortened,
    signalled,
    states_at,
)
from imsinspect.rules.facts import SECOND, frame_text, handshake_agreed, media_name, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Fingerprint
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.e2ae.certificates import Party
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, TlsSession, Trace

TORN_DOWN_WITHIN = SECOND  # after the handshake (rules.md IMS-E2AE-002)
FATAL, CLOSE_NOTIFY = 2, 0


@rule(
    id="IMS-E2AE-002",
    name="fingerprint-certificate-mismatch",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=(
        "TS 33.328 §5.4.1",
        "TS 33.328 §6.2.1.3.2",
        "TS 33.328 §7.2.1",
        "TS 33.328 §7.3.1",
        "RFC 4975 §14.4",
        "RFC 8122 §5.1",
        "RFC 8122 §6.2",
        "RFC 5763 §5",
    ),
    needs=(CALLS,),
)
def fingerprint_certificate_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Certificate in the TLS handshake does not match the SDP fingerprint.

    What it checks:
        Every TLS and DTLS handshake on a media line whose session descriptions carry a=fingerprint: the certificate of
        each side (the first one that it sends) is hashed with every hash function that the side signalled, and has to
        equal one of its fingerprints. Where the fingerprints changed during the call, those in force at the handshake
        count; several fingerprints are alternatives.
    Why it matters:
        A certificate that nobody announced is that of somebody between the two: the sign of an active
        man in the middle, who reads and changes everything, and of a peer that does not verify whom it talks to.
    What the finding shows:
        The frame of the description with the fingerprint, the frame of the certificate with the fingerprint that it
        has, and the first data behind the handshake.
    How to fix it:
        Let both sides compare the presented certificate with the signalled fingerprint and close the connection where
        they differ. Find out who presented the certificate: an attacker, a gateway whose new certificate did not reach
        its controller, or a device between that ends TLS.
    When it is not assessed:
        N-HS: the handshake, or the part with the certificate, is not in the capture. T-13: TLS 1.3 hides certificates;
        a key log shows them. T-RES: an abbreviated handshake shows none. N-OA: the fingerprints of that side were not
        seen, or cannot be computed. N-DIR: the addresses do not tell which side presented the certificate. N-MED: the
        certificate does not match, and neither data nor the end of the connection was seen. T-NAT: the addresses of the
        connection fit the lines of several calls. T-FORK: the certificate is that of another branch of a forked call. A
        connection that is closed within a second of a handshake that does not match passes. Access and core side are
        never compared.
    """
    for call in trace.calls:
        done: set[tuple[str, bytes]] = set()
        served = {ends for line in call.lines if line.tls_sessions for ends in _ends(line)}
        for line in call.lines:
            states = [state for state in line.states if b"a=fingerprint:" in _octets(state)]
            if not states:
                continue
            sessions = sessions_of(trace, scene, line)
            for session in sessions:
                yield from _session(trace, call, line, session, done)
            if sessions or not any(handshake_agreed(state) for state in states):
                continue
            if line.tls_sessions or served.isdisjoint(_ends(line)):
                security = states[-1].offered.profile.security.upper()
                yield no_session(line, f"no handshake of the agreed {security} was captured")


def _ends(line: MediaLine) -> set[tuple[object, ...]]:
    """Where both sides of a line receive: the same on every hop and branch that shares the connection."""
    return {
        (
            line.index,
            *((media.connection, media.port) for media in (state.offered, state.answered) if media is not None),
        )
        for state in line.states
    }


def _octets(state: LineState) -> bytes:
    """Text that fingerprints of a line stand in."""
    medias = [media for media in (state.offered, state.answered) if media is not None]
    return b"".join(media.section.text + media.session.text for media in medias)


def _session(
    trace: Trace, call: Call, line: MediaLine, session: TlsSession, done: set[tuple[str, bytes]]
) -> Iterator[Outcome]:
    """Both sides of one session of a line; a session that serves several lines of a bundle is judged once."""
    subject = Subject("media", line.id)
    states = states_at(line, session)
    if not states:
        if (session.id, b"") not in done:
            done.add((session.id, b""))
            yield not_assessed(subject, "N-OA", "no answer with fingerprints was seen")
        return
    sides = parties(line, session, states)
    if not sides:
        yield from _unknown_sides(line, session, states)
    for side in sides:
        if (session.id, side.tag) in done:
            continue
        done.add((session.id, side.tag))
        fingerprints, frame = signalled(side.tag, states)
        outcome = _judge(_Case(trace, call, line, session, states[-1], side, fingerprints, frame))
        if outcome is not None:
            yield outcome


@dataclass(slots=True, frozen=True)
class _Case:
    """One side of one session, with what it signalled."""

    trace: Trace
    call: Call
    line: MediaLine
    session: TlsSession
    state: LineState
    side: Party
    fingerprints: tuple[Fingerprint, ...]
    signalled_in: FrameId

    @property
    def subject(self) -> Subject:
        return Subject("media", self.line.id)


def _judge(case: _Case) -> Outcome | None:
    """None where that side has nothing to be compared: no fingerprint, or certainly no certificate."""
    if not case.fingerprints:
        return None
    if not case.side.certificates:
        return _without_certificate(case.session, case.subject, case.side.client)
    fingerprints = computable(case.fingerprints)
    if not fingerprints:
        return not_assessed(
            case.subject, "N-OA", "the fingerprints of one side are malformed or of a hash function that is not known"
        )
    if matches(case.side.certificates[0], fingerprints):
        return Outcome("pass", case.subject)
    if matches(case.side.certificates[0], _of_other_branches(case)):
        return not_assessed(
            case.subject, "T-FORK", "a certificate was signalled in another branch of the forked call: ambiguous"
        )
    after = (case.session.completed or case.session.last).time
    if case.side.peer_data is None:  # what the other side sends shows that it accepted the certificate
        if _ended(case.session, after):
            return Outcome("pass", case.subject)
        lasted = (case.session.last_octets, case.session.closed, case.side.data)
        if not any(place is not None and place.time > after + TORN_DOWN_WITHIN for place in lasted):
            return not_assessed(
                case.subject,
                "N-MED",
                "a certificate matches no fingerprint, and neither data nor the end of the connection was seen",
            )
    return _mismatch(case, fingerprints)


def _of_other_branches(case: _Case) -> Iterator[Fingerprint]:
    """What the answerers of other branches signalled for the line; a connection may have been taken for another's."""
    tags = {case.state.negotiation.offerer_tag, case.state.negotiation.answerer_tag}
    for line in case.call.lines:
        if line.index != case.line.index or line is case.line:
            continue
        for state in line.states:
            answered = state.answered
            if answered is not None and state.negotiation.answerer_tag not in tags:
                yield from computable(answered.fingerprints)


def _without_certificate(session: TlsSession, subject: Subject, client: bool) -> Outcome | None:
    """Why no certificate of a side was seen."""
    kind = suite(session.cipher_suite or 0)
    if session.resumed:
        return not_assessed(subject, "T-RES", "an abbreviated handshake shows no certificates")
    if session.version.endswith("1.3") and not session.server_certificates:
        return None if session.psk else not_assessed(subject, "T-13", "TLS 1.3 hides the certificates; no keys at hand")
    if session.psk or kind.anonymous:
        return None
    if client and session.handshake_seen == "full" and session.server_certificates:
        return None  # it presented none
    if session.alerts and not session.handshake_complete:
        return None  # refused before
    return not_assessed(subject, "N-HS", "the certificates of the handshake are not in the capture")


def _ended(session: TlsSession, after: int) -> bool:
    """The connection was given up at once: by a fatal or closing alert, FIN or RST."""
    until = after + TORN_DOWN_WITHIN
    closing = session.last.time <= until and any(description == CLOSE_NOTIFY for *_, description in session.alerts)
    fatal = any(level == FATAL for _, _, level, _ in session.alerts)
    return fatal or closing or (session.closed is not None and session.closed.time <= until)


def _mismatch(case: _Case, fingerprints: tuple[Fingerprint, ...]) -> Outcome:
    session, side, line, trace = case.session, case.side, case.line, case.trace
    certificate = side.certificates[0]
    role = role_of(side.tag, case.state)
    media = case.state.offered
    hash_function = fingerprints[0].hash_function
    presented = short(hash_function, fingerprint_of(certificate.der, hash_function))
    expected = shortened(fingerprints)
    frame = side.frame if side.frame is not None else session.first.frame
    data = side.peer_data or side.data
    after = f"data follows in {frame_text(trace, data.frame)}" if data is not None else "the connection stays open"
    evidence = [
        Evidence(case.signalled_in, "SDP a=fingerprint", expected, "the certificate that this side presents"),
        Evidence(frame, "Certificate", presented, expected),
    ]
    if data is not None:
        evidence.append(Evidence(data.frame, "first data", "sent after the handshake", "the connection is closed"))
    protocol = session.transport.upper()
    return Outcome(
        "violation",
        case.subject,
        title=f"{protocol} certificate is not the one that was signalled",
        message=(
            f"The {role} of {line.id} presents in {frame_text(trace, frame)} of {protocol} session {session.id} a "
            f"certificate with the fingerprint {presented}; it signalled {expected} in "
            f"{frame_text(trace, case.signalled_in)}, and {after}. Whoever holds the presented certificate's key reads "
            "and changes what the line carries, and the other side does not verify its peer. Not seen: who that is."
        ),
        evidence=tuple(evidence),
        fact=session.id,
        role=role,
        media=media_name(media),
        direction="from the client" if side.client else "from the server",
        normalised=("certificate equals no signalled fingerprint", "certificate equals one of them"),
    )


def _unknown_sides(line: MediaLine, session: TlsSession, states: list[LineState]) -> Iterator[Outcome]:
    """A session whose ends cannot be told apart: certificates that anybody signalled pass."""
    tags = {tag for state in states for tag in (state.negotiation.offerer_tag, state.negotiation.answerer_tag)}
    fingerprints = computable(each for tag in tags for each in signalled(tag, states)[0])
    subject = Subject("media", line.id)
    for client, certificates in ((False, session.server_certificates), (True, session.client_certificates)):
        if not certificates:
            outcome = _without_certificate(session, subject, client)
            if outcome is not None:
                yield outcome
        elif matches(certificates[0], fingerprints):
            yield Outcome("pass", subject)
        else:
            yield not_assessed(
                subject, "N-DIR", "the addresses of a handshake do not tell which side presented which certificate"
            )

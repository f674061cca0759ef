"""IMS-E2AE-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.e2ae.certificates import no_session, sessions_of
from imsinspect.rules.e2ae.edge import TLS_PROFILES, certified_lines, kms_keyed, line_applies, undetermined
from imsinspect.rules.facts import frame_text, media_name, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import once, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import MediaLine, TlsSession, Trace


@rule(
    id="IMS-E2AE-003",
    name="tls-client-not-authenticated",
    severity=Severity.HIGH,
    tier=1,
    profiles=TLS_PROFILES,
    references=("TS 33.328 §4.1.2.3", "TS 33.328 §5.4.1", "RFC 8122 §6.2", "RFC 4975 §14.4"),
    needs=(CALLS,),
)
def tls_client_not_authenticated(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """One-sided TLS authentication on an e2ae connection.

    What it checks:
        Every TLS or DTLS connection of an MSRP or BFCP line between a UE and the access edge: the server asks for a
        certificate, the client sends one that is not empty, and only then data follows.
    Why it matters:
        Fingerprints work in both directions. A server that asks for no certificate cannot compare one: anybody who
        reaches the port of the gateway can act as the UE, and anybody who reaches the UE's as the gateway.
    What the finding shows:
        The frames of the ServerHello and of the end of the server's messages without a CertificateRequest, or of the
        empty Certificate of the client, and the first data behind the handshake.
    How to fix it:
        Let the TLS server of media connections, UE or gateway, always request a certificate and close the connection
        when the client sends none or one that was not signalled.
    When it is not assessed:
        N-HS: the whole handshake is not in the capture. T-13: TLS 1.3 hides the request and the certificate; a key log
        shows them. T-RES: an abbreviated handshake shows neither, and the one that it resumes was not seen. N-MED: no
        data followed. T-NAT: the addresses of the connection fit several calls. IMS-PROF-005: the profile of the call
        is not determined. Suites with a pre-shared key authenticate both sides without certificates.
    """
    for call, line, states in certified_lines(trace):
        if kms_keyed(*(media for state in states for media in (state.offered, state.answered))):
            continue
        subject = Subject("media", line.id)
        applicable = line_applies(scene, call, states)
        if applicable is None:
            yield undetermined(subject)
        elif applicable:
            sessions = sessions_of(trace, scene, line)
            for session in sessions:
                outcome = _judge(trace, scene, line, session)
                if outcome is not None:
                    yield outcome
            if not sessions and any(state.accepted for state in states):
                yield no_session(line, "no handshake of the agreed TLS was captured")


@once
def _whole_sessions(trace: Trace, scene: Scene) -> dict[bytes, TlsSession]:
    """Sessions whose whole handshakes were seen, by the session id that they may be resumed with."""
    return {
        hello.session_id: session
        for session in trace.tls_sessions
        if not session.resumed and _shows_certificates(session)
        for hello in session.server_hellos
        if hello.session_id
    }


def _shows_certificates(session: TlsSession) -> bool:
    """Every message that tells of certificates was seen."""
    if session.handshake_seen != "full" or not session.server_certificates:
        return False
    return session.version.endswith("1.3") or session.server_hello_done is not None


def _judge(trace: Trace, scene: Scene, line: MediaLine, session: TlsSession) -> Outcome | None:
    """None where there is nothing to authenticate with certificates."""
    subject = Subject("media", line.id)
    kind = suite(session.cipher_suite or 0)
    if session.cipher_suite is not None and (kind.anonymous or (session.psk and not session.resumed)):
        return None
    seen = session
    if session.resumed:
        resumed = [hello.session_id for hello in session.server_hellos if hello.session_id]
        earlier = _whole_sessions(trace, scene).get(resumed[-1]) if resumed else None
        if earlier is None:
            return not_assessed(subject, "T-RES", "an abbreviated handshake shows no certificates")
        seen = earlier
    elif session.version.endswith("1.3") and not session.server_certificates:
        return not_assessed(subject, "T-13", "TLS 1.3 hides whether the client presents a certificate; no keys at hand")
    elif session.alerts and not session.handshake_complete:
        return None  # refused
    elif not _shows_certificates(session):
        return not_assessed(subject, "N-HS", "the whole handshake of a TLS line is not in the capture")
    if seen.client_certificates:
        return Outcome("pass", subject)
    data = min(
        (each for each in (session.client_data, session.server_data) if each is not None),
        key=lambda each: each.time,
        default=None,
    )
    if data is None:
        return not_assessed(subject, "N-MED", "no data followed a handshake without a certificate of the client")
    last = seen.client_certificate_frame if seen.certificate_requested else seen.server_hello_done
    hello = seen.server_hellos[-1].frame
    frame = last if last is not None else hello
    fact = "the client's Certificate is empty" if seen.certificate_requested else "no CertificateRequest"
    expected = "CertificateRequest, and a certificate of the client"
    asked = "the server asks for a certificate" if seen.certificate_requested else "the server asks for none"
    sent = "the client sends none" if seen.certificate_requested else "so the client sends none"
    return Outcome(
        "violation",
        subject,
        title="TLS client without a certificate",
        message=(
            f"In TLS session {session.id} of {line.id}, from {session.client} to {session.server}, {asked} and {sent} "
            f"({frame_text(trace, frame)}); data follows in {frame_text(trace, data.frame)}. Anybody who reaches "
            f"{session.server} can act as the peer. Not seen: any other proof of who the client is."
        ),
        evidence=(
            Evidence(hello, "ServerHello", session.cipher_suite_name, "followed by a CertificateRequest"),
            Evidence(frame, "TLS handshake", fact, expected),
            Evidence(data.frame, "first data", "sent after the handshake", "the connection is closed"),
        ),
        fact=session.id,
        role="server" if not seen.certificate_requested else "client",
        media=media_name(line.states[-1].offered),
        normalised=(fact, expected),
    )

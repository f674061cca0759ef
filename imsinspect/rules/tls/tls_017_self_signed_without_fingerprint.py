"""IMS-TLS-017."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from dissectors.tls.versions import is_tls13
from imsinspect.rules.e2ae.certificates import Party, description_of, parties, signalled, states_at
from imsinspect.rules.e2ae.edge import kms_keyed
from imsinspect.rules.facts import frame_text, handshake_agreed, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.sessions import lines_without_sessions, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, CertificateInfo, LineState, MediaLine, TlsSession, Trace

SHOWN = 80  # characters of a name
EXPECTED = "a=fingerprint of it, or an issuer that the peer trusts"


@rule(
    id="IMS-TLS-017",
    name="self-signed-without-fingerprint",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 §5.4.1", "RFC 4975 §5.4", "RFC 4975 §14.4", "RFC 8122 §6.1"),
    follows=("IMS-E2AE-001",),
    needs=(CALLS,),
)
def self_signed_without_fingerprint(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Self-signed certificate on a line without fingerprint.

    What it checks:
        The certificates that both sides present in TLS and DTLS handshakes of media lines: one whose issuer is its own
        subject needs a=fingerprint in the session description of the side that presents it.
    Why it matters:
        Nobody vouches for a self-signed certificate but the fingerprint in the signalling. Without it whoever is on the
        path presents a certificate of his own and is accepted like the peer.
    What the finding shows:
        The frame of the Certificate message with subject, public key and SHA-256 digest, the frame of the session
        description, and which side it is.
    How to fix it:
        Put the SHA-256 fingerprint of the certificate into every offer and answer, and verify it at the handshake.
    When it is not assessed:
        N-HS: no handshake of the line was captured, or its certificates are missing or cannot be read. T-13: TLS 1.3
        hides certificates; a key log shows them. T-RES: a resumed session sends none. N-OA: the answer was not seen.
        N-DIR: one side has a fingerprint, and the addresses do not tell which one presents the certificate. T-POL: the
        certificate has an issuer, or is that of a relay to which the connection was made before the line was offered:
        whether the peer trusts it is not known. N-SIP: signalling that could not be
        read. Lines with keys by MIKEY expect no certificates: IMS-TLS-005.
    """
    judged: set[str] = set()
    for call in trace.calls:
        for line in call.lines:
            agreed = [state for state in line.states if handshake_agreed(state)]
            if not agreed:
                continue
            for session in line.tls_sessions:
                if session.id not in judged and not refused(session):
                    judged.add(session.id)
                    yield from worst(("", each) for each in _session(trace, call, line, session))
    yield from lines_without_sessions(trace, scene, lambda line: not any(map(_by_mikey, line.states)))


def _by_mikey(state: LineState) -> bool:
    return kms_keyed(state.offered, state.answered)


def _session(trace: Trace, call: Call, line: MediaLine, session: TlsSession) -> Iterator[Outcome]:
    subject = Subject("tls-session", session.id)
    states = states_at(line, session)
    if session.first.time < line.states[0].begins:
        reason = "the connection is older than the line, as that to a relay is, whose certificate goes by its name"
        yield not_assessed(subject, "T-POL", reason)
        return
    if not states:
        yield not_assessed(subject, "N-OA", "no answer that was in force at the handshake was seen")
        return
    if any(map(_by_mikey, states)):
        return
    presented = [each for each in (session.server_certificates, session.client_certificates) if each]
    if not presented:
        yield from _hidden(session)
        return
    sides = parties(line, session, states)
    if sides:
        for side in sides:
            if side.certificates:
                fingerprints, _ = signalled(side.tag, states)
                yield _judge(trace, call, line, states[-1], session, side, bool(fingerprints))
        return
    have = {bool(media.fingerprints) for state in states for media in (state.offered, state.answered) if media}
    if have == {True}:
        yield Outcome("pass", subject)
    elif have == {False}:
        side = Party(b"", not session.server_certificates, presented[0], session.certificate_frames[0], None, None)
        yield _judge(trace, call, line, states[-1], session, side, has_fingerprint=False)
    else:
        yield not_assessed(subject, "N-DIR", "the addresses do not tell which side presents the certificate")


def _hidden(session: TlsSession) -> Iterator[Outcome]:
    """No certificate was seen: why."""
    subject = Subject("tls-session", session.id)
    chosen = suite(session.cipher_suite) if session.cipher_suite is not None else None
    if not session.server_hellos:
        if not session.alerts:
            yield not_assessed(subject, "N-HS", "no ServerHello of the session is in the capture")
    elif session.resumed:
        yield not_assessed(subject, "T-RES", "a resumed session shows no certificates")
    elif is_tls13(session.server_hellos[-1].version):
        if not session.psk:
            yield not_assessed(subject, "T-13", "TLS 1.3 hides certificates")
    elif chosen is None or not (chosen.psk or chosen.anonymous):
        yield not_assessed(subject, "N-HS", "no certificate of the session is in the capture")


def _judge(
    trace: Trace,
    call: Call,
    line: MediaLine,
    state: LineState,
    session: TlsSession,
    side: Party,
    has_fingerprint: bool,
) -> Outcome:
    subject = Subject("tls-session", session.id)
    certificate = side.certificates[0]
    if has_fingerprint:
        return Outcome("pass", subject)
    if not certificate.subject and not certificate.issuer and not certificate.public_key:
        return not_assessed(subject, "N-HS", "the certificate cannot be read")
    if certificate.subject != certificate.issuer:
        return not_assessed(subject, "T-POL", "the certificate has an issuer; whether the peer trusts it is not known")
    return _found(trace, call, line, state, session, side, certificate)


def _found(
    trace: Trace,
    call: Call,
    line: MediaLine,
    state: LineState,
    session: TlsSession,
    side: Party,
    certificate: CertificateInfo,
) -> Outcome:
    who = "client" if side.client else "server"
    frame = side.frame if side.frame is not None else session.first.frame
    said = description_of(side.tag, state)
    media, description = said if said is not None else (state.offered, state.negotiation.offer)
    name = certificate.subject[:SHOWN] or "an empty name"
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        title="Self-signed certificate without a fingerprint",
        message=(
            f"The {who} of {session.transport.upper()} session {session.id} from {session.client} to {session.server}, "
            f"{text(media.type)} line {line.index} of {call.id}, presents a self-signed certificate ({name}, "
            f"{certificate.public_key}) in {frame_text(trace, frame)}, and its session description in "
            f"{frame_text(trace, description.message.frame)} has no a=fingerprint. Nobody vouches for it: whoever "
            "is on the path can present another. Not seen: any other means to know the peer by."
        ),
        evidence=(
            Evidence(description.message.frame, f"SDP m= line {media.index}", "no a=fingerprint", EXPECTED),
            Evidence(frame, "Certificate", f"self-signed, SHA-256 {certificate.sha256[:16]}…", EXPECTED),
        ),
        fact=line.id,
        role=who,
        media=media_name(media),
        normalised=("self-signed, no a=fingerprint", EXPECTED),
    )

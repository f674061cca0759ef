"""IMS-TLS-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.facts import MAX_EVIDENCE, counted, frame_text, handshake_agreed, media_name, not_assessed
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, TlsSession, Trace


@rule(
    id="IMS-TLS-001",
    name="tls-null-cipher",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §5.3", "TS 33.210 §6.2", "TS 33.310 Annex E", "RFC 8122 §7"),
)
def tls_null_cipher(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Negotiated cipher suite does not encrypt.

    What it checks:
        Every ServerHello of every TLS and DTLS session, renegotiations included: the cipher suite it selects must
        encrypt. Suites with a NULL cipher do not, nor do the integrity-only suites of TLS 1.3 (0xC0B4, 0xC0B5).
    Why it matters:
        The session looks protected and authenticates its peers, yet every listener on the path reads what it carries:
        messages, floor control, signalling with its keys.
    What the finding shows:
        The frame of the ServerHello, code and name of the suite, the media line if one announced the session, and
        whether records could be read without a key.
    How to fix it:
        Remove suites with NULL encryption from the server's list and from the client's, and let both require AEAD
        suites (AES-GCM, ChaCha20-Poly1305) with forward secrecy.
    When it is not assessed:
        N-HS: no ServerHello of the session is in the capture, or it selects a suite that no registry knows; or a media
        line was agreed with TLS or DTLS and no session of it was captured. A client that merely offers such suites is
        the object of IMS-TLS-010; a handshake that was refused negotiated nothing.
    """
    lines = {id(session): line for call in trace.calls for line in call.lines for session in line.tls_sessions}
    for session in trace.tls_sessions:
        subject = Subject("tls-session", session.id)
        chosen = [(hello, code, suite(code)) for hello in session.server_hellos for code in hello.cipher_suites[:1]]
        null = [(hello, code, each) for hello, code, each in chosen if each.null]
        if null:
            hello, code, each = null[0]
            line = lines.get(id(session))
            yield Outcome(
                "violation",
                subject,
                title=f"{session.transport.upper()} without encryption: {each.name}",
                message=(
                    f"The {session.transport.upper()} session {session.id} from {session.client} to {session.server}"
                    f"{f' of media line {line.id}' if line else ''} selects {each.name} (0x{code:04x}) in "
                    f"{frame_text(trace, hello.frame)}, which does not encrypt. Every listener on the path reads what "
                    f"the session carries. {_read(session)}"
                ),
                evidence=tuple(
                    Evidence(
                        hello.frame, "ServerHello.cipher_suite", f"0x{code:04x} {each.name}", "a suite that encrypts"
                    )
                    for hello, code, each in null[:MAX_EVIDENCE]
                ),
                fact=session.id,
                role="server",
                media=_media(line),
                normalised=(each.name, "a suite that encrypts"),
            )
        elif any(each.known for _, _, each in chosen):
            yield Outcome("pass", subject)
        elif chosen:
            yield not_assessed(subject, "N-HS", "the ServerHello selects a cipher suite that no registry knows")
        elif not (session.alerts and session.client_hellos):
            yield not_assessed(subject, "N-HS", "no ServerHello of the session is in the capture")
    yield from _lines_without_sessions(trace)


def _lines_without_sessions(trace: Trace) -> Iterator[Outcome]:
    """Lines agreed with TLS or DTLS none of whose sessions were captured; another hop of the line may show them."""
    for call in trace.calls:
        served: set[tuple[object, ...]] = set()
        without: list[tuple[MediaLine, str, set[tuple[object, ...]]]] = []
        for line in call.lines:
            agreed = [state for state in line.states if handshake_agreed(state)]
            if not agreed:
                continue
            ends = {_ends(state) for state in agreed}
            if line.tls_sessions:
                served |= ends
            else:
                security = agreed[-1].answered.profile.security if agreed[-1].answered else ""
                without.append((line, security.upper(), ends))
        for line, protocol, ends in without:
            if not ends & served:
                reason = f"no handshake of the agreed {protocol} was captured"
                yield not_assessed(Subject("media", line.id), "N-HS", reason)


def _ends(state: LineState) -> tuple[object, ...]:
    """Where both sides of an agreed line receive; the same on every hop whose descriptions nobody changed."""
    sides = (side for side in (state.offered, state.answered) if side is not None)
    return (state.offered.index, *((side.connection, side.port) for side in sides))


def _read(session: TlsSession) -> str:
    """How much content was read and of what kind; not what it says."""
    if not session.opened_data:
        return "No application data of it was seen."
    octets = sum(len(each.data) for each in session.opened_data)
    kinds = ", ".join(
        counted(number, f"{NAMES.get(kind, kind.upper())} message")
        for kind, number in sorted(session.opened_messages.items())
        if kind
    )
    return f"Read without a key: {counted(octets, 'octet')}" + (
        f", {kinds}." if kinds else " of no protocol that is known."
    )


NAMES = {"h248": "H.248", "websocket": "WebSocket", "media": "media"}
"""Protocols whose names are not written in capitals."""


def _media(line: MediaLine | None) -> str:
    return media_name(line.states[-1].offered) if line is not None and line.states else ""

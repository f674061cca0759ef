"""IMS-TLS-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.sessions import suites_selected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.suites import CipherSuite
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import TlsSession, Trace


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
        Sessions at ports of mail, file transfer and the like that no media line announced count as information only.
    """

    def tell(session: TlsSession, chosen: CipherSuite) -> tuple[str, str]:
        return (
            f"{session.transport.upper()} without encryption: {chosen.name}",
            ", which does not encrypt. Every listener on the path reads what the session carries. " + _read(session),
        )

    yield from suites_selected(trace, scene, lambda each: each.null, "a suite that encrypts", tell)


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

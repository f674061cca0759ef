"""IMS-TLS-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.facts import agreement, frame_text, media_name, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.keyed import PROFILES, keyed_lines_not_assessed, keyed_sessions
from imsinspect.rules.tls.sessions import session_text, without_hello

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Hello, LineState, MediaLine, TlsSession, Trace

PRE_SHARED_KEY = 41  # extension of TLS 1.3 (RFC 8446 §4.2.11)
EXPECTED = "a suite of type TLS_PSK, with the key that MIKEY gives"


@rule(
    id="IMS-TLS-005",
    name="g3-suite-not-psk",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=(
        "TS 33.328 §4.1.1",
        "TS 33.328 §7.2.3",
        "TS 33.328 Annex G.3.2",
        "TS 33.328 Annex H.2",
        "TR 29.828 §7.1.1.1",
        "TR 29.828 §7.1.1.3",
        "TS 23.333 §6.2.19",
    ),
    needs=(CALLS,),
)
def g3_suite_not_psk(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MIKEY-TICKET session uses a TLS suite without the shared secret.

    What it checks:
        The TLS sessions of lines of messages and floor control whose keys come by a=key-mgmt:mikey: every ServerHello
        must select a suite with a pre-shared key, in TLS 1.3 by its pre_shared_key extension.
    Why it matters:
        The ticket proves who the peer is, and the key from MIKEY carries that proof into TLS. A suite without it
        authenticates by certificates for which nobody vouches: a device between can end TLS on both sides and read
        everything.
    What the finding shows:
        The frames of offer and answer with a=key-mgmt, the frame of the ServerHello, and the suite.
    How to fix it:
        Offer and select plain TLS_PSK suites only (TLS_PSK_WITH_AES_128_GCM_SHA256), keyed with the TEK of the line's
        crypto session. If a gateway ends TLS here, let it pass it on untouched (a=msrp-cema).
    When it is not assessed:
        N-HS: no handshake of the line was captured, or its ServerHello is missing or selects a suite that nobody knows.
        IMS-PROF-005: the call's profile is open, and the line's MIKEY carries no ticket. N-SIP: signalling that could
        not be read. Where the answer takes certificates with fingerprints instead of MIKEY, the line is not keyed by
        it. Suites with a pre-shared key and Diffie-Hellman or RSA beside it are the object of IMS-TLS-006.
    """
    for _, line, state, session in keyed_sessions(trace, scene):
        subject = Subject("tls-session", session.id)
        without = next((hello for hello in session.server_hellos if _without_psk(hello)), None)
        if without is not None:
            yield _found(trace, line, state, session, without)
        elif any(suite(code).known for hello in session.server_hellos for code in hello.cipher_suites[:1]):
            yield Outcome("pass", subject)
        elif session.server_hellos:
            yield not_assessed(subject, "N-HS", "the ServerHello selects a cipher suite that no registry knows")
        else:
            yield from without_hello(session)
    yield from keyed_lines_not_assessed(trace, scene)


def _without_psk(hello: Hello) -> bool:
    chosen = suite(hello.cipher_suites[0]) if hello.cipher_suites else None
    if chosen is None or not chosen.known:
        return False
    return PRE_SHARED_KEY not in hello.extensions if chosen.tls13 else not chosen.psk


def _found(trace: Trace, line: MediaLine, state: LineState, session: TlsSession, hello: Hello) -> Outcome:
    chosen = suite(hello.cipher_suites[0])
    name = f"{chosen.name} without a pre-shared key" if chosen.tls13 else chosen.name
    certificates = "Its certificates were seen." if session.server_certificates else "Not seen: its certificates."
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        title=f"TLS without the key that MIKEY gives: {chosen.name}",
        message=(
            f"{session_text(session, line)}, whose keys come by a=key-mgmt:mikey, selects {name} in "
            f"{frame_text(trace, hello.frame)}: the shared secret plays no part. Whoever ends TLS on the path can be "
            f"the peer of both sides. {certificates}"
        ),
        evidence=(
            *agreement(state),
            Evidence(hello.frame, "ServerHello.cipher_suite", f"0x{chosen.code:04x} {name}", EXPECTED),
        ),
        fact=session.id,
        role="server",
        media=media_name(state.offered),
        normalised=(name, EXPECTED),
    )

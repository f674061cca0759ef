"""IMS-TLS-006."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.facts import agreement, frame_text, media_name
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.keyed import PROFILES, keyed_lines_not_assessed, keyed_sessions
from imsinspect.rules.tls.sessions import session_text, without_hello

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.suites import CipherSuite
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Hello, LineState, MediaLine, TlsSession, Trace

EXPECTED = "a plain TLS_PSK suite"
DIFFIE_HELLMAN = frozenset(("DHE_PSK", "ECDHE_PSK"))


@rule(
    id="IMS-TLS-006",
    name="g3-suite-uses-dh",
    severity=Severity.LOW,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex H.2",),
    needs=(CALLS,),
)
def g3_suite_uses_dh(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """PSK suite with Diffie-Hellman or RSA in a MIKEY-TICKET session.

    What it checks:
        The suites with a pre-shared key that servers select on lines of messages and floor control whose keys come by
        a=key-mgmt:mikey, up to TLS 1.2: they must be plain TLS_PSK, neither DHE_PSK or ECDHE_PSK nor RSA_PSK.
    Why it matters:
        With Diffie-Hellman the session is not weaker, it even gains forward secrecy; yet it leaves the profile, and
        what is lawfully to be opened with the ticket's key no longer is. RSA_PSK brings in a certificate that nobody
        checks, which is graver: medium.
    What the finding shows:
        The frames of offer and answer with a=key-mgmt, the frame of the ServerHello, and the suite.
    How to fix it:
        Select plain TLS_PSK suites with AES-GCM. Where forward secrecy is wanted more, say so in the policy file:
        `tls.psk_dh = "allow"`.
    When it is not assessed:
        N-HS: no handshake of the line was captured, or its ServerHello is missing. IMS-PROF-005: the call's profile is
        open, and the line's MIKEY carries no ticket. N-SIP: signalling that could not be read. Suites without a
        pre-shared key are the object of IMS-TLS-005, TLS 1.3 is that of IMS-TLS-009.
    """
    allowed = DIFFIE_HELLMAN if scene.policy.thresholds.tls_psk_dh == "allow" else frozenset[str]()
    for _, line, state, session in keyed_sessions(trace, scene):
        chosen = [(hello, suite(code)) for hello in session.server_hellos for code in hello.cipher_suites[:1]]
        with_psk = [(hello, each) for hello, each in chosen if each.psk]
        found = next(((hello, each) for hello, each in with_psk if each.psk not in (*allowed, "PSK")), None)
        if found is not None:
            yield _found(trace, line, state, session, *found)
        elif with_psk:
            yield Outcome("pass", Subject("tls-session", session.id))
        else:
            yield from without_hello(session)
    yield from keyed_lines_not_assessed(trace, scene)


def _found(
    trace: Trace, line: MediaLine, state: LineState, session: TlsSession, hello: Hello, chosen: CipherSuite
) -> Outcome:
    certificate = chosen.psk not in DIFFIE_HELLMAN
    consequence = (
        "A certificate that nobody checks takes part in its keys."
        if certificate
        else "It is not weaker, but what the ticket's key should open it does not open."
    )
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        severity=Severity.MEDIUM if certificate else None,
        title=f"{chosen.psk} where plain PSK is required",
        message=(
            f"{session_text(session, line)}, whose keys come by a=key-mgmt:mikey, selects {chosen.name} "
            f"(0x{chosen.code:04x}) in {frame_text(trace, hello.frame)}, a suite of {chosen.psk} instead of plain PSK. "
            f"{consequence} Not seen: a policy that allows it."
        ),
        evidence=(
            *agreement(state),
            Evidence(hello.frame, "ServerHello.cipher_suite", f"0x{chosen.code:04x} {chosen.name}", EXPECTED),
        ),
        fact=session.id,
        role="server",
        media=media_name(state.offered),
        normalised=(chosen.name, EXPECTED),
    )

"""IMS-TLS-007."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.facts import agreement, counted, frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.keyed import PROFILES, keyed_lines_not_assessed, keyed_sessions
from imsinspect.rules.tls.sessions import session_text, without_hello

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, TlsSession, Trace

EXPECTED = "an identity of length 0"
SHOWN = 64  # octets of an identity
IDENTITY = re.compile(rb"(?:sips?|tel|im|pres):|[^@\s]{1,64}@[^@\s]|\+?[0-9]{8,15}\Z", re.IGNORECASE)
"""What names a user: a URI, an address, a number."""


@rule(
    id="IMS-TLS-007",
    name="psk-identity-not-empty",
    severity=Severity.LOW,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex H.2", "RFC 4279 §2"),
    needs=(CALLS,),
)
def psk_identity_not_empty(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """PSK identity sent although it must be empty.

    What it checks:
        The ClientKeyExchange of TLS sessions with a pre-shared key, up to TLS 1.2, on lines of messages and floor
        control whose keys come by a=key-mgmt:mikey: the PSK identity in it has no octets, as the ticket says which key
        is meant.
    Why it matters:
        The identity passes in clear and tells observers who the user is. It also hints that another key than that of
        MIKEY is in use. One that looks like the name or number of a user is of medium severity.
    What the finding shows:
        The frames of offer and answer with a=key-mgmt, the frame of the ClientKeyExchange, and the identity as far as
        it is printable.
    How to fix it:
        Let the client send a PSK identity of length 0, and the server ignore it.
    When it is not assessed:
        N-HS: the handshake of the line, or its ClientKeyExchange, was not captured. T-RES: the session was resumed, and
        sends none. IMS-PROF-005: the call's profile is open, and the line's MIKEY carries no ticket. N-SIP: signalling
        that could not be read. In TLS 1.3 an identity can't be empty: IMS-TLS-009.
    """
    for _, line, state, session in keyed_sessions(trace, scene):
        subject = Subject("tls-session", session.id)
        chosen = suite(session.cipher_suite) if session.cipher_suite is not None else None
        if chosen is None:
            yield from without_hello(session)
        elif not chosen.psk:
            continue
        elif session.psk_identity:
            yield _found(trace, line, state, session, session.psk_identity)
        elif session.psk_identity is not None:
            yield Outcome("pass", subject)
        elif session.resumed:
            yield not_assessed(subject, "T-RES", "a resumed session sends no PSK identity")
        else:
            yield not_assessed(subject, "N-HS", "no ClientKeyExchange of the session is in the capture")
    yield from keyed_lines_not_assessed(trace, scene)


def _found(trace: Trace, line: MediaLine, state: LineState, session: TlsSession, identity: bytes) -> Outcome:
    names = IDENTITY.search(identity) is not None
    frame = session.psk_frame if session.psk_frame is not None else session.first.frame
    shown = text(identity[:SHOWN]) + (" …" if len(identity) > SHOWN else "")
    what = "names a user" if names else "is not empty"
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        severity=Severity.MEDIUM if names else None,
        title="PSK identity in a session with keys by MIKEY",
        message=(
            f"{session_text(session, line)}, whose keys come by a=key-mgmt:mikey, sends a PSK identity of "
            f"{counted(len(identity), 'octet')} in {frame_text(trace, frame)}, '{shown}', which {what}. Observers "
            "learn it, and the key may be another than that of MIKEY. Not seen: which key is in use."
        ),
        evidence=(*agreement(state), Evidence(frame, "ClientKeyExchange.psk_identity", shown, EXPECTED)),
        fact=session.id,
        role="client",
        media=media_name(state.offered),
        normalised=(f"an identity that {what}", EXPECTED),
    )

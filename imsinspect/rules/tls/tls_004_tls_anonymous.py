"""IMS-TLS-004."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.sessions import suites_selected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.suites import CipherSuite
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import TlsSession, Trace


@rule(
    id="IMS-TLS-004",
    name="tls-anonymous",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §4.1.2.3", "TS 33.328 §5.4.1", "TS 33.328 Annex H.2"),
)
def tls_anonymous(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Anonymous key exchange negotiated.

    What it checks:
        The cipher suite that every ServerHello of every TLS and DTLS session selects, renegotiations included: suites
        with DH_anon or ECDH_anon authenticate nobody. Suites with a pre-shared key use no certificates and do
        authenticate.
    Why it matters:
        TLS on media is authenticated by certificate fingerprints in the signalling or by the key from MIKEY. Without
        either, any device on the path can be the peer of both sides, read everything and change it unnoticed.
    What the finding shows:
        The frame of the ServerHello, code and name of the suite, and the media line if one announced the session.
    How to fix it:
        Take anonymous suites out of the lists of both ends. Authenticate with certificates whose fingerprints are
        signalled, or with the pre-shared key that MIKEY-TICKET gives.
    When it is not assessed:
        N-HS: no ServerHello of the session is in the capture, or it selects a suite that no registry knows; or a media
        line was agreed with TLS or DTLS and no session of it was captured. What a client refused was not negotiated.
        Sessions at ports of mail, file transfer and the like that no media line announced count as information only.
    """

    def tell(session: TlsSession, chosen: CipherSuite) -> tuple[str, str]:
        return (
            f"{session.transport.upper()} that authenticates nobody: {chosen.name}",
            ", which authenticates neither side. Any device on the path can be the peer, and read and change what the "
            "session carries. Not seen: whether one was.",
        )

    yield from suites_selected(trace, scene, lambda each: each.anonymous, "a suite that authenticates", tell)

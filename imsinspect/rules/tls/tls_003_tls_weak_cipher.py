"""IMS-TLS-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.sessions import suites_selected
from imsinspect.rules.tls.weak_suites import weaknesses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.suites import CipherSuite
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import TlsSession, Trace

WHY = {
    "export": "keys of 40 or 56 bits are found by trial",
    "RC4": "biases of its keystream give content away",
    "RC2": "its keys are short and it is long broken",
    "IDEA": "its blocks of 64 bits repeat in long sessions",
    "DES": "keys of 56 bits are found by trial",
    "3DES": "blocks of 64 bits repeat in long sessions and give content away (Sweet32)",
}


@rule(
    id="IMS-TLS-003",
    name="tls-weak-cipher",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=(
        "TS 33.328 §5.3",
        "TS 33.328 Annex H.2",
        "TS 33.310 Annex E",
        "TS 33.210 §6.2.3",
        "RFC 9325 §4",
    ),
)
def tls_weak_cipher(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Broken or export cipher negotiated.

    What it checks:
        The cipher suite that every ServerHello of every TLS and DTLS session selects, renegotiations included: RC4,
        RC2, IDEA, DES, 3DES and the export suites are excluded. With SSL 2.0 it is the suite that the client selects.
    Why it matters:
        Content that these ciphers protect can be recovered from recorded packets, in practice or nearly: by trying all
        short keys, by biases of RC4, or by blocks that repeat.
    What the finding shows:
        The frame of the ServerHello, code and name of the suite, why the cipher is weak, and the media line if one
        announced the session.
    How to fix it:
        Take the suite out of the lists of both ends and use AEAD suites: AES-GCM with ECDHE, with plain PSK where keys
        come by MIKEY-TICKET.
    When it is not assessed:
        N-HS: no ServerHello of the session is in the capture, or it selects a suite that no registry knows; or a media
        line was agreed with TLS or DTLS and no session of it was captured. Suites that do not encrypt at all are the
        object of IMS-TLS-001, suites that are only offered that of IMS-TLS-010.
        Sessions at ports of mail, file transfer and the like that no media line announced count as information only.
    """

    def tell(session: TlsSession, chosen: CipherSuite) -> tuple[str, str]:
        kinds = weaknesses(chosen)
        return (
            f"{session.transport.upper()} with a broken cipher: {chosen.name}",
            f": {' and '.join(WHY[kind] for kind in kinds)}. Whoever records the session may read what it carries. Not "
            "tried: to break it.",
        )

    yield from suites_selected(trace, scene, lambda each: bool(weaknesses(each)), "a cipher that is not broken", tell)

"""IMS-TLS-010."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.facts import MAX_EVIDENCE, counted, frame_text, not_assessed
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.sessions import (
    elsewhere,
    lines_of_sessions,
    lines_without_sessions,
    session_media,
    session_text,
)
from imsinspect.rules.tls.weak_suites import UNSAFE, weaknesses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.suites import CipherSuite
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Hello, MediaLine, TlsSession, Trace

SHOWN = 6  # suites named
EXPECTED = "only suites that encrypt, authenticate and are not broken"


@rule(
    id="IMS-TLS-010",
    name="weak-suites-offered",
    severity=Severity.LOW,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 §5.3", "TS 33.328 Annex H.2", "TS 33.210 §6.2"),
)
def weak_suites_offered(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """ClientHello offers null, anonymous or broken suites.

    What it checks:
        The suites that every ClientHello of every TLS and DTLS session offers: those with a NULL cipher, with anonymous
        key exchange, with RC4, RC2, IDEA, DES or 3DES, and export suites. Signals in the list (SCSV, GREASE) are no
        suites; suites with a pre-shared key are no weakness by themselves.
    Why it matters:
        Protection is one accepting peer away from being lost: the server decides what is used, and an attacker who can
        change the hellos of old versions may decide for it.
    What the finding shows:
        The frame of the ClientHello, which weak suites it lists, and the media line if one announced the session.
    How to fix it:
        Reduce the client's list to the suites of the profile.
    When it is not assessed:
        N-HS: no ClientHello of the session is in the capture, or a media line was agreed with TLS or DTLS and no
        session of it was captured. It stands beside IMS-TLS-001, IMS-TLS-003 and IMS-TLS-004, which say what was
        selected.
        Sessions at ports of mail, file transfer and the like that no media line announced count as information only.
    """
    lines = lines_of_sessions(trace, scene)
    for session in trace.tls_sessions:
        subject = Subject("tls-session", session.id)
        offers = [hello for hello in session.client_hellos if hello.cipher_suites]
        weak = [(hello, found) for hello in offers if (found := _weak(hello))]
        if weak:
            yield _offered(trace, session, lines.get(session.id), weak)
        elif offers:
            yield Outcome("pass", subject)
        else:
            yield not_assessed(subject, "N-HS", "no ClientHello of the session is in the capture")
    yield from lines_without_sessions(trace, scene)


def _weak(hello: Hello) -> list[CipherSuite]:
    return [each for each in map(suite, hello.cipher_suites) if weaknesses(each, UNSAFE)]


def _offered(
    trace: Trace, session: TlsSession, line: MediaLine | None, weak: list[tuple[Hello, list[CipherSuite]]]
) -> Outcome:
    hello, found = weak[0]
    kinds = [name for name, has in UNSAFE if any(has(each) for each in found)]
    other = elsewhere(session, line)
    listed = ", ".join(each.name for each in found[:SHOWN]) + (" …" if len(found) > SHOWN else "")
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        severity=Severity.INFO if other else None,
        title=f"Weak suites offered: {', '.join(kinds)}",
        message=(
            f"{session_text(session, line)} begins with a ClientHello in {frame_text(trace, hello.frame)} that offers "
            f"{counted(len(found), 'weak suite')} ({', '.join(kinds)}): {listed}. A server that takes one of them "
            f"loses the protection. {_taken(session)}{other}"
        ),
        evidence=tuple(
            Evidence(
                each.frame,
                "ClientHello.cipher_suites",
                ", ".join(f"0x{one.code:04x} {one.name}" for one in some[:SHOWN]) + (" …" if len(some) > SHOWN else ""),
                EXPECTED,
            )
            for each, some in weak[:MAX_EVIDENCE]
        ),
        role="client",
        media=session_media(line),
        normalised=(", ".join(kinds), EXPECTED),
    )


def _taken(session: TlsSession) -> str:
    if not session.server_hellos:
        return "Not seen: what the server selected."
    return f"The server selected {session.cipher_suite_name or 'an unknown suite'}."

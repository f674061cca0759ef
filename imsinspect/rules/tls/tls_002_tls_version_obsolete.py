"""IMS-TLS-002."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.versions import VERSION_NAMES, is_obsolete, version_name, version_rank
from imsinspect.rules.facts import MAX_EVIDENCE, frame_text, not_assessed
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.tls.sessions import (
    elsewhere,
    lines_of_sessions,
    lines_without_sessions,
    refused,
    session_media,
    session_text,
    without_hello,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import MediaLine, TlsSession, Trace

NAMES = frozenset(version_name(code) for code in VERSION_NAMES if is_obsolete(code))
EXPECTED = "TLS 1.2 or DTLS 1.2, or later"


@rule(
    id="IMS-TLS-002",
    name="tls-version-obsolete",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 Annex H.2", "TS 33.310 Annex E", "TS 33.210 §6.2.1", "RFC 8996 §4"),
)
def tls_version_obsolete(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Obsolete TLS or DTLS version negotiated.

    What it checks:
        The version that every ServerHello of every TLS and DTLS session selects (in TLS 1.3 by supported_versions):
        SSL 2.0 and 3.0, TLS 1.0 and 1.1, and DTLS 1.0 are excluded. The version that records carry before the
        ServerHello says nothing and is not looked at.
    Why it matters:
        These versions have known attacks on their record protection and authenticate the handshake with MD5 and SHA-1.
        Whoever can interfere with the connection may weaken it further.
    What the finding shows:
        The frame of the ServerHello, the version, the best version that the client offered, and the media line if one
        announced the session.
    How to fix it:
        Set TLS 1.2 and DTLS 1.2 as the least version at both ends, and offer TLS 1.3.
    When it is not assessed:
        N-HS: no ServerHello of the session is in the capture, or its version is one that nobody knows; or a media line
        was agreed with TLS or DTLS and no session of it was captured. Where all records of a session whose handshake
        is missing carry an obsolete version, that is a suspicion. What a client refused was not negotiated.
        Sessions at ports of mail, file transfer and the like that no media line announced count as information only.
    """
    lines = lines_of_sessions(trace, scene)
    for session in trace.tls_sessions:
        line = lines.get(session.id)
        if refused(session):
            continue
        if any(is_obsolete(hello.version) for hello in session.server_hellos):
            yield _selected(trace, session, line)
        elif any(version_rank(hello.version) for hello in session.server_hellos):
            yield Outcome("pass", Subject("tls-session", session.id))
        elif session.server_hellos:
            reason = "the ServerHello selects a version that nobody knows"
            yield not_assessed(Subject("tls-session", session.id), "N-HS", reason)
        elif session.handshake_seen == "none" and session.version in NAMES:
            yield _by_records(trace, session, line)
        else:
            yield from without_hello(session)
    yield from lines_without_sessions(trace, scene)


def _selected(trace: Trace, session: TlsSession, line: MediaLine | None) -> Outcome:
    found = [hello for hello in session.server_hellos if is_obsolete(hello.version)]
    name = version_name(found[0].version)
    other = elsewhere(session, line)
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        severity=Severity.INFO if other else None,
        title=f"{name} negotiated",
        message=(
            f"{session_text(session, line)} negotiates {name} in {frame_text(trace, found[0].frame)}. Its record "
            "protection and its handshake have known attacks, so what the session carries is not safe from those who "
            f"can interfere with it. {_offered(session)}{other}"
        ),
        evidence=tuple(
            Evidence(hello.frame, "ServerHello.version", version_name(hello.version), EXPECTED)
            for hello in found[:MAX_EVIDENCE]
        ),
        fact=session.id,
        role="server",
        media=session_media(line),
        normalised=(name, EXPECTED),
    )


def _offered(session: TlsSession) -> str:
    """What the client would have taken."""
    if not session.client_hellos:
        return "Not seen: what the client offered."
    best = max((hello.version for hello in session.client_hellos), key=version_rank)
    if is_obsolete(best):
        return "The client offered nothing better."
    return f"The client offered {version_name(best)}: the server, or a device between, chose less."


def _by_records(trace: Trace, session: TlsSession, line: MediaLine | None) -> Outcome:
    frame = session.first.frame
    other = elsewhere(session, line)
    return Outcome(
        "suspect",
        Subject("tls-session", session.id),
        severity=Severity.INFO if other else None,
        confidence="heuristic",
        title=f"Records of {session.version}",
        message=(
            f"{session_text(session, line)} sends records of {session.version} from {frame_text(trace, frame)} on. "
            "That version has known attacks, so what the session carries is not safe from those who can interfere with "
            f"it. Not seen: the handshake that selected the version.{other}"
        ),
        evidence=(Evidence(frame, "TLS record version", session.version, EXPECTED),),
        fact=session.id,
        role="server",
        media=session_media(line),
        normalised=(session.version, EXPECTED),
    )

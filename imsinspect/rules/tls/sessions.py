"""What several rules about TLS share: what sessions selected, their media lines, and lines without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.tls.suites import suite
from imsinspect.rules.facts import MAX_EVIDENCE, frame_text, handshake_agreed, media_name, not_assessed
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dissectors.tls.suites import CipherSuite
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Hello, LineState, MediaLine, TlsSession, Trace

FATAL = 2
REFUSING = frozenset((40, 47, 70, 71, 86))
"""Alerts of a client that does not take what the server selected (RFC 8446 §6.2): handshake_failure, illegal_parameter,
protocol_version, insufficient_security, inappropriate_fallback."""

OTHER_SERVICES = {
    21: "FTP", 25: "SMTP", 110: "POP3", 119: "NNTP", 143: "IMAP", 389: "LDAP", 465: "SMTP", 563: "NNTP", 587: "SMTP",
    636: "LDAP", 853: "DNS", 990: "FTP", 993: "IMAP", 995: "POP3", 3389: "RDP",
}  # fmt: skip
"""Ports of TLS that carries nothing of IMS. That of HTTP is not among them: XCAP, KMS and WebSocket use it."""

NO_HELLO = "no ServerHello of the session is in the capture"


@once
def lines_of_sessions(trace: Trace, scene: Scene) -> dict[str, MediaLine]:
    """A media line of each session that one announced, by the session's id."""
    return {session.id: line for call in trace.calls for line in call.lines for session in line.tls_sessions}


def refused(session: TlsSession) -> bool:
    """The client did not take what the server selected: nothing was negotiated."""
    return not session.handshake_complete and any(
        from_client and level == FATAL and description in REFUSING
        for _, from_client, level, description in session.alerts
    )


def elsewhere(session: TlsSession, line: MediaLine | None) -> str:
    """Why a session is none of IMS: the port of another service, which no line announced and nothing read denies."""
    service = OTHER_SERVICES.get(session.server.port)
    if service is None or line is not None or session.opened_messages:
        return ""
    return f" It counts as information only: port {session.server.port} is that of {service}, and no line announced it."


def session_text(session: TlsSession, line: MediaLine | None) -> str:
    """A session in words."""
    of_line = f" of media line {line.id}" if line is not None else ""
    return f"The {session.transport.upper()} session {session.id} from {session.client} to {session.server}{of_line}"


def session_media(line: MediaLine | None) -> str:
    """The media of a session's line, for fingerprints."""
    return media_name(line.states[-1].offered) if line is not None and line.states else ""


def without_hello(session: TlsSession) -> Iterator[Outcome]:
    """A session whose ServerHello is not there; nothing where it was refused before one was sent."""
    if not session.server_hellos and not (session.alerts and session.client_hellos):
        yield not_assessed(Subject("tls-session", session.id), "N-HS", NO_HELLO)


def suites_selected(
    trace: Trace,
    scene: Scene,
    wrong: Callable[[CipherSuite], bool],
    expected: str,
    tell: Callable[[TlsSession, CipherSuite], tuple[str, str]],
) -> Iterator[Outcome]:
    """One outcome for each session: whether a suite that a ServerHello selects is wrong.

    `tell` gives the title, and what follows the words that name session, suite and frame.
    """
    lines = lines_of_sessions(trace, scene)
    for session in trace.tls_sessions:
        subject = Subject("tls-session", session.id)
        chosen = [(hello, suite(code)) for hello in session.server_hellos for code in hello.cipher_suites[:1]]
        found = [(hello, each) for hello, each in chosen if wrong(each)]
        if refused(session):
            continue
        if found:
            yield _selected(trace, session, lines.get(session.id), found, expected, tell)
        elif any(each.known for _, each in chosen):
            yield Outcome("pass", subject)
        elif chosen:
            yield not_assessed(subject, "N-HS", "the ServerHello selects a cipher suite that no registry knows")
        else:
            yield from without_hello(session)
    yield from lines_without_sessions(trace, scene)


def _selected(
    trace: Trace,
    session: TlsSession,
    line: MediaLine | None,
    found: list[tuple[Hello, CipherSuite]],
    expected: str,
    tell: Callable[[TlsSession, CipherSuite], tuple[str, str]],
) -> Outcome:
    hello, first = found[0]
    title, consequence = tell(session, first)
    other = elsewhere(session, line)
    return Outcome(
        "violation",
        Subject("tls-session", session.id),
        severity=Severity.INFO if other else None,
        title=title,
        message=(
            f"{session_text(session, line)} selects {first.name} (0x{first.code:04x}) in "
            f"{frame_text(trace, hello.frame)}{consequence}{other}"
        ),
        evidence=tuple(
            Evidence(hello.frame, "ServerHello.cipher_suite", f"0x{each.code:04x} {each.name}", expected)
            for hello, each in found[:MAX_EVIDENCE]
        ),
        fact=session.id,
        role="server",
        media=session_media(line),
        normalised=(first.name, expected),
    )


def lines_without(trace: Trace, seen: Callable[[MediaLine], bool]) -> Iterator[tuple[MediaLine, str]]:
    """Lines agreed with TLS or DTLS of which nothing was seen, with the protocol's name; another hop may show it."""
    for call in trace.calls:
        served: set[tuple[object, ...]] = set()
        without: list[tuple[MediaLine, str, set[tuple[object, ...]]]] = []
        for line in call.lines:
            agreed = [state for state in line.states if handshake_agreed(state)]
            if not agreed:
                continue
            ends = {_ends(state) for state in agreed}
            if seen(line):
                served |= ends
            else:
                security = agreed[-1].answered.profile.security if agreed[-1].answered else ""
                without.append((line, security.upper(), ends))
        yield from ((line, protocol) for line, protocol, ends in without if not ends & served)


@once
def _without_sessions(trace: Trace, scene: Scene) -> list[tuple[MediaLine, str]]:
    return list(lines_without(trace, lambda line: bool(line.tls_sessions)))


def lines_without_sessions(
    trace: Trace, scene: Scene, wanted: Callable[[MediaLine], bool] | None = None
) -> Iterator[Outcome]:
    """Lines that were agreed with TLS or DTLS and none of whose handshakes were captured."""
    for line, protocol in _without_sessions(trace, scene):
        if wanted is None or wanted(line):
            reason = f"no handshake of the agreed {protocol} was captured"
            yield not_assessed(Subject("media", line.id), "N-HS", reason)


def _ends(state: LineState) -> tuple[object, ...]:
    """Where both sides of an agreed line receive; the same on every hop whose descriptions nobody changed."""
    sides = (side for side in (state.offered, state.answered) if side is not None)
    return (state.offered.index, *((side.connection, side.port) for side in sides))

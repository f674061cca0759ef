"""What rules about TLS on lines of messages and floor control share: when it was agreed, and what runs on a line."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from imsinspect.rules.facts import handshake_agreed
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaConnection, MediaLine, Trace

FAMILIES = frozenset(("msrp", "bfcp"))
CLEAR = frozenset(("msrp", "bfcp", "http", "websocket", "sip", "rtsp", "h248"))
"""Protocols that a connection can be seen to carry in clear."""

FRAMED = frozenset(("stun", "rtp"))
"""What connections of ICE look like: messages behind their lengths (RFC 6544 §3, RFC 4571)."""

KEYED = (b"\na=fingerprint:", b"\na=key-mgmt:", b"\na=3ge2ae:")
KEEP_ALIVE = b"\r\n\0"
NAMES = {"http": "HTTP", "websocket": "WebSocket", "h248": "H.248"}


def tls_agreed(state: LineState) -> bool:
    """The state is agreed, for messages or floor control, with TLS or DTLS."""
    answered = state.answered
    return answered is not None and answered.profile.family in FAMILIES and handshake_agreed(state)


def tls_lines(trace: Trace) -> Iterator[tuple[Call, MediaLine, list[LineState]]]:
    """Lines of messages and floor control that were agreed with TLS or DTLS, with the states that say so."""
    for call in trace.calls:
        for line in call.lines:
            states = [state for state in line.states if tls_agreed(state)]
            if states:
                yield call, line, states


def _agreed_at(state: LineState) -> int:
    return state.answered_at if state.answered_at is not None else state.begins


def state_at(line: MediaLine, time: int) -> LineState:
    """The agreed state in force at a time; before the first answer the first agreed one."""
    for number in range(bisect_right(line.states, time, key=_agreed_at) - 1, -1, -1):
        if line.states[number].accepted:
            return line.states[number]
    return next((state for state in line.states if state.accepted), line.states[0])


def applies(scene: Scene, call: Call, state: LineState, profiles: tuple[str, ...]) -> bool | None:
    """Whether a rule of these profiles applies to a line that was agreed with TLS; None where that is open.

    Its own keys show the solution: where they are certificates with fingerprints it is end to access edge, where they
    come by MIKEY it is that of the KMS, whatever other lines make of the call. Only what the user asks for is stronger.
    """
    covered = scene.covers(call.id, profiles)
    choice = scene.profiles.get(call.id)
    if covered or (choice is not None and not choice.inferred):
        return covered
    return True if _shows_keys(state) else covered


def _shows_keys(state: LineState) -> bool:
    sides = [media for media in (state.offered, state.answered) if media is not None]
    return any(mark in text for media in sides for text in (media.section.text, media.session.text) for mark in KEYED)


def carried_in_clear(connection: MediaConnection) -> str:
    """The protocol that a connection carries outside of TLS: "?" for octets of none that is known, "" for none."""
    if connection.kind in CLEAR:
        return connection.kind
    begins = connection.begins
    if connection.kind or connection.tls_sessions or begins is None or not begins.whole:
        return ""
    return "?" if begins.data.strip(KEEP_ALIVE) else ""


def clear_since(connection: MediaConnection) -> int:
    """When the first octets in clear passed."""
    if connection.messages:
        return connection.messages[0].time
    return connection.begins.time if connection.begins is not None else connection.first.time


@once
def connections_of(trace: Trace, scene: Scene) -> dict[str, list[MediaConnection]]:
    """Connections by the media line they belong to: by its MSRP URIs where these are announced, else by its ports.

    URIs pass gateways that end TLS (RFC 6714): where a clear line announced them too, the connection is that line's.
    """
    lines = {line.id: line for call in trace.calls for line in call.lines}
    by_id = {connection.id: connection for connection in trace.connections}
    out: dict[str, dict[str, MediaConnection]] = {}
    bound: dict[str, list[str]] = {}
    for line in lines.values():
        for connection in line.connections:
            out.setdefault(line.id, {})[connection.id] = connection
            bound.setdefault(connection.id, []).append(line.id)
    named: dict[str, set[str]] = {}
    for session in trace.msrp_sessions:
        if session.connection in by_id and session.because == "path":
            named.setdefault(session.connection, set()).update(session.lines)
    for name, of_connection in named.items():
        for each in bound.get(name, ()):
            if each not in of_connection:
                out[each].pop(name, None)  # a server of many calls is reached at one port
        if all(any(map(tls_agreed, lines[each].states)) for each in of_connection):
            for each in of_connection:
                out.setdefault(each, {})[name] = by_id[name]
    return {line: list(found.values()) for line, found in out.items()}

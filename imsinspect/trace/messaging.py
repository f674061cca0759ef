"""MSRP sessions: messages put together by their two URIs, and tied to the media lines that announced them.

A line announces the URI at which its party is reached in a=path (RFC 4975 §8); with a=msrp-cema, and through devices
that rewrite addresses, the connection may go elsewhere (RFC 6714), so URIs say more than addresses. What no URI says,
the connection that a message came on does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from dissectors.bfcp.codes import PRIMITIVES
from dissectors.bfcp.framing import common_header
from dissectors.msrp.parse import parse, parse_uri
from imsinspect.trace.model import MsrpSession, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.trace.model import CarriedMessage, MediaLine, Trace

HEAD = 4_096  # octets of a message that its headers are read from
MAX_SESSIONS = 100_000
MAX_ANNOUNCING = 32  # lines that announced one URI; more tell nothing

UriKey = tuple[object, ...]
SessionKey = tuple[frozenset["Endpoint"], str, frozenset[UriKey]]


@dataclass(slots=True)
class _Announced:
    """Which lines announced which URIs, and which lines a connection or TLS session belongs to."""

    by_uri: dict[UriKey, dict[int, MediaLine]] = field(default_factory=dict)
    by_connection: dict[str, list[MediaLine]] = field(default_factory=dict)

    def lines(self, session: MsrpSession) -> tuple[list[MediaLine], str, int]:
        """The lines of a session, one of each call; why; and how many of its URIs were announced."""
        found = [self.by_uri.get(_key(uri), {}) for uri in (session.sender_uri, session.receiver_uri)]
        announced = sum(map(bool, found))
        connected = self.by_connection.get(session.tls_session or session.connection, [])
        both = [line for name, line in found[0].items() if name in found[1]]
        candidates = both or [line for each in found for line in each.values()]
        if not candidates:
            return connected, "connection" if connected else "", 0
        known = {id(line) for line in connected}
        calls: dict[str, MediaLine] = {}
        clear = not session.tls_session

        def order(line: MediaLine) -> tuple[object, ...]:
            fits = any(state.offered.profile.secure != clear for state in line.states)
            return id(line) not in known, not fits, line.call, line.id

        for line in sorted(candidates, key=order):
            calls.setdefault(line.call, line)
        return sorted(calls.values(), key=lambda each: (each.call, each.id)), "path", announced


def said(message: CarriedMessage) -> str:
    """What a message of MSRP or BFCP is, in words: "MSRP SEND", "BFCP FloorRequest of conference 7"."""
    if message.kind == "msrp":
        read = parse(message.data[:HEAD])
        return f"MSRP {read.method.decode('ascii', 'replace') or read.status}"
    header = common_header(message.data)
    if header is None:
        return message.kind.upper()
    name = PRIMITIVES.get(header.primitive, f"primitive {header.primitive}")
    return f"BFCP {name} of conference {header.conference}"


def conference_of(message: CarriedMessage) -> int:
    """The conference of a BFCP message; -1 of others."""
    header = common_header(message.data) if message.kind == "bfcp" else None
    return header.conference if header is not None else -1


def msrp_sessions(trace: Trace) -> list[MsrpSession]:
    """The MSRP sessions of a trace in the order of their first messages, tied to their lines."""
    sessions: dict[SessionKey, MsrpSession] = {}
    connection_of = {id(message): connection.id for connection in trace.connections for message in connection.messages}
    for message in trace.carried:
        if message.kind == "msrp":
            _add(sessions, message, connection_of.get(id(message), ""))
    if not sessions:
        return []
    announced = _announced(trace)
    for number, session in enumerate(sessions.values(), 1):
        session.id = f"msrp-{number}"
        lines, session.because, session.announced = announced.lines(session)
        for line in lines:
            session.lines.append(line.id)
            line.msrp.append(session)
    return list(sessions.values())


def _add(sessions: dict[SessionKey, MsrpSession], message: CarriedMessage, connection: str) -> None:
    """Count a message for its session; one without paths belongs to none."""
    read = parse(message.data[:HEAD])
    to_path, from_path = read.to_path, read.from_path
    if not to_path or not from_path:
        return
    uris = frozenset((_key(to_path[-1].text), _key(from_path[-1].text)))
    key = (frozenset((message.source, message.destination)), message.session or connection, uris)
    session = sessions.get(key)
    place = Place(message.frames[0], message.time)
    if session is None:
        if len(sessions) >= MAX_SESSIONS:
            return
        session = sessions[key] = MsrpSession(
            "",
            message.source,
            message.destination,
            message.protection,
            from_path[-1].text,
            to_path[-1].text,
            place,
            place,
            "" if message.session else connection,
            message.session,
        )
    session.last = place
    session.messages += 1
    session.relayed |= len(to_path) + len(from_path) > 2
    if read.is_request:
        session.requests[read.method.decode("ascii", "replace")] += 1
    else:
        session.responses[read.status] += 1


def _announced(trace: Trace) -> _Announced:
    out = _Announced()
    for call in trace.calls:
        for line in call.lines:
            for uri in _uris(line):
                known = out.by_uri.setdefault(_key(uri), {})
                if len(known) < MAX_ANNOUNCING:
                    known[id(line)] = line
            names = [each.id for each in line.connections] + [each.id for each in line.tls_sessions]
            for name in names:
                out.by_connection.setdefault(name, []).append(line)
    return out


def _uris(line: MediaLine) -> Iterator[bytes]:
    """The URIs at which a line's parties are reached: the last of each path."""
    for state in line.states:
        for media in (state.offered, state.answered):
            if media is not None and b"\na=path:" in media.section.text and media.path:
                yield media.path[-1]


@lru_cache(maxsize=65_536)
def _key(uri: bytes) -> UriKey:
    """What URIs that name the same session have in common; the scheme is no part of it, as devices that end TLS and
    keep paths change it on one side (RFC 6714 §4)."""
    found = parse_uri(uri)
    return found.key[1:] if found is not None else (uri,)

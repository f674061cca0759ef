"""Floor control connections: BFCP messages put together by who talks to whom, tied to the lines that announced them
(RFC 8855, RFC 8856)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.bfcp.codes import PRIMITIVES
from dissectors.bfcp.readings import common_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import CarriedMessage, MediaLine, Protection, Trace

ERROR = 13
TO_SERVER = frozenset((1, 2, 3, 5, 7, 9, 11, 14, 15))  # primitives of participants and chairs (RFC 8855 §5.1)
FROM_SERVER = frozenset((4, 6, 8, 10, 12, 13))
MAX_MESSAGES = 10_000  # kept of one connection


@dataclass(slots=True, frozen=True)
class FloorMessage:
    """One BFCP message."""

    frame: FrameId
    time: int
    source: Endpoint
    destination: Endpoint
    primitive: int
    conference_id: int
    transaction_id: int
    user_id: int
    error_code: int | None = None  # of an Error

    @property
    def name(self) -> str:
        """The primitive by name."""
        return PRIMITIVES.get(self.primitive, f"primitive {self.primitive}")

    @property
    def to_server(self) -> bool:
        """A participant or chair sent it."""
        return self.primitive in TO_SERVER

    @property
    def from_server(self) -> bool:
        """The floor control server sent it."""
        return self.primitive in FROM_SERVER


@dataclass(slots=True)
class FloorConnection:
    """What two ends exchange of floor control, in clear or opened."""

    id: str  # "floor-1" in order of the first message
    ends: tuple[Endpoint, Endpoint]  # who sent first stands first
    transport: str  # "tcp", "udp", "tls", "dtls"
    protection: Protection
    messages: list[FloorMessage] = field(default_factory=list)
    tls_session: str = ""
    lines: list[MediaLine] = field(default_factory=list)

    @property
    def server(self) -> Endpoint | None:
        """The end that acts as floor control server; None where no message tells."""
        for each in self.messages:
            if each.to_server:
                return each.destination
            if each.from_server:
                return each.source
        return None


def floor_connections(trace: Trace) -> list[FloorConnection]:
    """All floor control that could be read, in the order of its first messages."""
    found: dict[tuple[frozenset[Endpoint], str], FloorConnection] = {}
    for message in trace.carried:
        if message.kind != "bfcp":
            continue
        key = (frozenset((message.source, message.destination)), message.session)
        connection = found.get(key)
        if connection is None:
            connection = found[key] = FloorConnection(
                f"floor-{len(found) + 1}",
                (message.source, message.destination),
                message.transport,
                message.protection,
                tls_session=message.session,
            )
        read = _read(message)
        if read is not None and len(connection.messages) < MAX_MESSAGES:
            connection.messages.append(read)
    if found:
        _announced(list(found.values()), trace)
    return [each for each in found.values() if each.messages]


def _read(message: CarriedMessage) -> FloorMessage | None:
    header = common_header(message.data)
    if header is None:
        return None
    return FloorMessage(
        message.frames[0],
        message.time,
        message.source,
        message.destination,
        header.primitive,
        header.conference,
        header.transaction,
        header.user,
        _error_code(message.data) if header.primitive == ERROR else None,
    )


def _error_code(data: bytes) -> int | None:
    from dissectors.bfcp.layers import BFCP  # loaded where there is an Error

    for attribute in BFCP(data).attributes:
        code = getattr(attribute, "Error_Code", None)
        if code is not None:
            return int(code)
    return None


def _announced(connections: Sequence[FloorConnection], trace: Trace) -> None:
    """Tie connections to the lines whose ports or TLS sessions they use."""
    by_session = {each.tls_session: each for each in connections if each.tls_session}
    by_ends = {frozenset(each.ends): each for each in connections if not each.tls_session}
    for call in trace.calls:
        for line in call.lines:
            tied = [by_session.get(session.id) for session in line.tls_sessions]
            tied += [by_ends.get(frozenset((each.client, each.server))) for each in line.connections]
            for connection in _own(line, [each for each in tied if each is not None]):
                if line not in connection.lines:
                    connection.lines.append(line)


def _own(line: MediaLine, connections: list[FloorConnection]) -> list[FloorConnection]:
    """Those between the two addresses that a line announces; where none is, a NAT stands between and all may be."""
    announced = {
        media.connection.decode("ascii", "replace")
        for state in line.states
        for media in (state.offered, state.answered)
        if media is not None
    }
    own = [each for each in connections if {end.ip for end in each.ends} <= announced]
    return own or connections

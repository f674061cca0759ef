"""Keeps the payloads of flows that carry signalling, key exchange, messaging or floor control; lets the others go.

Called with the payloads that the columns picked out, in the order of the capture. What can be taken apart at once
(fragments, ESP with NULL encryption, relayed data) comes back as packets for the columns.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dissectors.bfcp import framing as bfcp
from dissectors.http import WEBSOCKET_UPGRADE
from dissectors.sctp import DataChunk, data_chunks
from dissectors.stun.framing import relayed_data
from dissectors.tls.parse import KEY_SHARE, parse_server_hello
from dissectors.tls.records import HANDSHAKE, dtls_offset, dtls_records, server_hello_suite, tls_records
from dissectors.tls.suites import suite
from imsinspect.capture import classify, esp
from imsinspect.capture.decode import ESP_NULL, ESP_OPENED, SCTP_DATA, TURN, UDP
from imsinspect.capture.flows import DTLS_ENOUGH, OPEN, UNWANTED, WANTED, Flows
from imsinspect.capture.identity import PORTS, SSRC, VERSION, endpoints
from imsinspect.capture.odd import plain_packet

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.crypto.esp import EspParameters
    from imsinspect.crypto.tls import TlsSecrets

TEXT, DTLS, INDICATION, FLOOR, KEYS, SEGMENT, ASSOCIATION, SECURED = range(8)

FIN, SYN, RST, ACK = 1, 2, 4, 16
TRIES = 16  # payloads of a flow that may be none of ours before it is let go
TRIED_OCTETS = 65_536
OPENING = 512  # octets of a direction looked at together, where its segments are shorter
HANDSHAKE_OCTETS = 98_304  # of one direction of a TLS connection whose records could not be followed
DTLS_OCTETS = 262_144  # of one direction
DTLS_HELLOS = 64  # datagrams of a direction that a ServerHello is looked for in
HELLO_SEGMENTS = 64  # of a direction that a ServerHello is looked for in
HTTP_OCTETS = 65_536
BEGUN = 64  # octets kept of the first segment of a connection that is let go
MAX_BARE = 64  # segments without octets that are kept of a connection
CLIPPED = re.compile(rb"[A-Z]{3,20} (?:sips?|tel):", re.IGNORECASE)  # a SIP request whose line does not end
KEEP_ALIVE = b"\r\n\0"
MAX_CONNECTION = 64 << 20  # octets kept of one connection
SCTP_PARTS = 256
SCTP_PART = 128  # octets that holding a fragment costs besides its own
SCTP_HELD = 32 << 20  # octets of unfinished user messages
UNTOLD_OCTETS = 64 << 20  # of connections whose protocol is not known yet
MAX_AHEAD = 64  # segments behind a hole in a handshake
APPLICATION_DATA = 23


class Picked(NamedTuple):
    """A payload that the columns picked out."""

    frame: int
    time: int
    flow: int
    kind: int
    sequence: int  # TCP sequence number, -1 elsewhere
    flags: int  # TCP flags
    identification: int  # of IP, -1 for IPv6
    ttl: int
    origin: int
    depth: int
    cut: bool  # fewer octets captured than sent
    data: bytes


class Kept(NamedTuple):
    """A datagram, or an SCTP user message, kept for dissection."""

    frame: int
    time: int
    flow: int
    identification: int
    ttl: int
    origin: int
    cut: bool
    data: bytes


class Segment(NamedTuple):
    """A TCP segment kept."""

    frame: int
    time: int
    forward: bool
    sequence: int
    flags: int
    identification: int
    ttl: int
    origin: int
    cut: bool
    data: bytes


class Derived(NamedTuple):
    """An IP packet taken out of another, for the columns."""

    packet: bytes
    frame: int
    time: int
    origin: int
    depth: int


@dataclass(slots=True)
class _Watch:
    """Follows the records of one direction of a TLS connection until application data; segments may change places."""

    next: int = -1
    skip: int = 0
    head: bytes = b""
    octets: int = 0
    application: bool = False
    lost: bool = False
    ahead: dict[int, bytes] = field(default_factory=dict)  # segments behind a hole, by sequence number

    def feed(self, sequence: int, data: bytes) -> None:
        self.octets += len(data)
        if self.application or self.lost:
            return
        if self.next < 0:
            self.next = sequence
        known = self.ahead.get(sequence, b"")
        if len(data) > len(known):
            self.ahead[sequence] = data
        if len(self.ahead) > MAX_AHEAD:
            self.lost = True
        ready = self._ready()
        while ready is not None and not self.application and not self.lost:
            self._read(ready)
            ready = self._ready()
        if self.application or self.lost:
            self.ahead.clear()

    def _ready(self) -> bytes | None:
        """Octets that come next, out of a segment that is there."""
        for sequence in list(self.ahead):
            seen = (self.next - sequence) & 0xFFFFFFFF
            if seen >= 1 << 31:
                continue
            data = self.ahead.pop(sequence)
            if seen < len(data):
                self.next = (sequence + len(data)) & 0xFFFFFFFF
                return data[seen:]
        return None

    def _read(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self.skip:
                step = min(self.skip, len(data) - at)
                self.skip -= step
                at += step
                continue
            take = data[at : at + 5 - len(self.head)]
            self.head += take
            at += len(take)
            if len(self.head) == 5:
                self.application |= self.head[0] == APPLICATION_DATA
                self.skip = self.head[3] << 8 | self.head[4]
                if not 20 <= self.head[0] <= 24 or self.head[1] != 3:
                    self.lost = True
                    return
                self.head = b""


@dataclass(slots=True)
class Connection:
    """One TCP connection: both directions, from one SYN or first segment to the next."""

    flow: int  # of the direction called forward: the opener's where that was seen; -1 while only the other was
    members: list[int] = field(default_factory=list)  # the flows of both directions, as far as seen
    kind: str = ""
    segments: list[Segment] = field(default_factory=list)
    octets: int = 0
    untold: int = 0  # octets kept before the protocol was known
    tries: int = 0
    syn: bool = False  # the opening was captured
    dropped: bool = False
    overflow: bool = False
    watches: tuple[_Watch, _Watch] | None = None
    settled: bool = False  # a TLS connection whose suite is known to leave the content readable
    opened_by: int = -1  # initial sequence number of the SYN
    answered_by: int = -1  # and of the SYN that acknowledged it


class Signalling:
    """State of all flows that Python looks at."""

    def __init__(self, flows: Flows) -> None:
        self.flows = flows
        self.esp_keys: Sequence[tuple[int | None, EspParameters]] = ()  # by SPI; None: of any association
        self.secrets: TlsSecrets | None = None  # TLS and DTLS that they open is kept like what no cipher hides
        self.readable: Set[frozenset[Endpoint]] = frozenset()  # between which TLS and DTLS can be read in any case
        self.passed: list[int] = []  # flows of TLS and DTLS whose content was let go
        self.datagrams: list[Kept] = []
        self.clipped: list[int] = []  # frames of SIP requests cut within their request lines
        self.dtls: dict[int, list[Kept]] = {}
        self.dtls_octets: Counter[int] = Counter()
        self.dtls_null: dict[int, bool] = {}
        self.connections: list[Connection] = []
        self.current: dict[int, Connection] = {}
        self.associations: dict[int, esp.Association] = {}
        self.esp_places: dict[
            int, tuple[tuple[int, int], tuple[int, int]]
        ] = {}  # first and last (frame, time) looked at
        self.misses: Counter[int] = Counter()
        self.sctp_parts: dict[tuple[int, int], dict[int, tuple[DataChunk, int]]] = {}  # chunks with their frames
        self.chunk_frames: dict[int, tuple[int, ...]] = {}  # frame that completed a user message: frames of its chunks
        self.sctp_held = 0
        self.untold: deque[Connection] = deque()  # connections that may be of any protocol, the oldest first
        self.untold_octets = 0
        self.floor: list[Kept] = []
        self.keys: list[Kept] = []
        self.gateway: list[Kept] = []
        self.derived: list[Derived] = []
        self.notes: list[tuple[int, str]] = []
        self._handlers = (
            self._text,
            self._dtls,
            self._indication,
            self._floor,
            self._keys,
            self._segment,
            self._association,
            self._secured,
        )

    def consume(self, picked: list[Picked]) -> None:
        """Take payloads in the order of the capture."""
        handlers = self._handlers
        for each in picked:
            handlers[each.kind](each)

    def take_derived(self) -> list[Derived]:
        """Packets for the columns that came out of others since the last call."""
        out, self.derived = self.derived, []
        return out

    @staticmethod
    def _kept(each: Picked) -> Kept:
        return Kept(each.frame, each.time, each.flow, each.identification, each.ttl, each.origin, each.cut, each.data)

    def _missed(self, flow: int) -> None:
        self.misses[flow] += 1
        if self.misses[flow] >= TRIES and not self.flows.state[flow] & (WANTED | UNWANTED):
            self.flows.state[flow] |= UNWANTED

    def _text(self, each: Picked) -> None:
        kind = classify.datagram_kind(each.data)
        if kind == classify.SIP:
            self.flows.state[each.flow] = WANTED
            self.datagrams.append(self._kept(each))
        elif kind == classify.H248:
            self.flows.state[each.flow] = WANTED
            self.gateway.append(self._kept(each))
        elif each.cut and CLIPPED.match(each.data):
            self.flows.state[each.flow] = WANTED
            self.clipped.append(each.frame)
        else:
            self._missed(each.flow)

    def _dtls(self, each: Picked) -> None:
        octets = self.dtls_octets[each.flow] = self.dtls_octets[each.flow] + len(each.data)
        if octets > DTLS_OCTETS and (octets > MAX_CONNECTION or not self._dtls_readable(each.flow)):
            self.flows.state[each.flow] |= DTLS_ENOUGH
            self.passed.append(each.flow)
        else:
            self.dtls.setdefault(each.flow, []).append(self._kept(each))

    def _dtls_readable(self, flow: int) -> bool:
        """Whether a ServerHello of either direction chose a NULL cipher, or secrets open it; looked for once."""
        known = self.dtls_null.get(flow)
        if known is None:
            known = self._between_readable(flow)
            for each, other in ((flow, self.flows.opposite(flow)), (self.flows.opposite(flow), flow)):
                for kept in self.dtls.get(each, ())[:DTLS_HELLOS]:
                    code = dtls_server_hello_suite(kept.data)
                    known |= code is not None and (suite(code).null or self._dtls_opened(code, other))
            self.dtls_null[flow] = known
        return known

    def _dtls_opened(self, code: int, client: int) -> bool:
        """Whether secrets open what a ServerHello with that suite answers, sent by the client on that flow."""
        if not self.secrets:
            return False
        kept = self.dtls.get(client, ())[:DTLS_HELLOS]
        return any(self.secrets.opens(dtls_client_random(each.data), code) for each in kept)

    def _indication(self, each: Picked) -> None:
        inside = relayed_data(each.data)
        if inside is not None:
            data = each.data[inside[0] : inside[1]]
            self.relay(each.flow, data, each.frame, each.time, each.origin | TURN, each.depth)

    def relay(self, flow: int, payload: bytes, frame: int, time: int, origin: int, depth: int) -> None:
        """Data that a TURN server relays or a connection carries, as a datagram between the same two endpoints."""
        identity = self.flows.identity[flow].tobytes()
        six = identity[VERSION] == 6
        width = 16 if six else 4
        length = 8 + len(payload)
        datagram = identity[PORTS:SSRC] + length.to_bytes(2, "big") + b"\0\0" + payload
        packet = plain_packet(six, identity[:width], identity[16 : 16 + width], UDP, datagram)
        self.derived.append(Derived(packet, frame, time, origin, depth + 1))

    def _floor(self, each: Picked) -> None:
        if bfcp.is_message(each.data):
            self.floor.append(self._kept(each))
        else:
            self._missed(each.flow)

    def _keys(self, each: Picked) -> None:
        self.keys.append(self._kept(each))

    # --- TCP ---

    def _segment(self, each: Picked) -> None:
        connection = self.current.get(each.flow)
        if each.flags & SYN:
            connection = self._opened(each, connection)
        if connection is None:
            connection = self._joined(each)
        if connection.dropped:
            return
        if not each.data:
            if each.flags & SYN and len(connection.segments) < MAX_BARE:
                connection.segments.append(self._kept_segment(each, connection))
            return
        connection.segments.append(self._kept_segment(each, connection))
        connection.octets += len(each.data)
        if not connection.kind:
            connection.kind = classify.stream_kind(each.data)
            if not connection.kind and len(each.data) < OPENING:
                connection.kind = classify.stream_kind(_opening(connection))
            if not connection.kind:
                self._remember_untold(connection, len(each.data))
                connection.tries += bool(each.data.strip(KEEP_ALIVE))
                if connection.tries >= 2 * TRIES or connection.octets > TRIED_OCTETS:
                    self._let_go(connection)
                return
            self._want(connection)
        if connection.kind == classify.TLS:
            self._follow(connection, each)
        elif connection.kind == classify.HTTP:
            if WEBSOCKET_UPGRADE.search(each.data):
                connection.kind = classify.WEBSOCKET
                return
            self._remember_untold(connection, len(each.data))
            if connection.octets > HTTP_OCTETS:
                self._let_go(connection)
        if connection.octets > MAX_CONNECTION:
            connection.overflow = True
            self._let_go(connection, keep=True)

    def _kept_segment(self, each: Picked, connection: Connection) -> Segment:
        return Segment(
            each.frame,
            each.time,
            each.flow == connection.flow,
            each.sequence,
            each.flags,
            each.identification,
            each.ttl,
            each.origin,
            each.cut,
            each.data,
        )

    def _opened(self, each: Picked, current: Connection | None) -> Connection:
        """A SYN: another connection, unless it is the answer to one or seen before."""
        if current is None:
            other = self.flows.opposite(each.flow)
            current = self.current.get(other) if other >= 0 else None
            if current is not None:
                self._join(current, each.flow)
        if each.flags & ACK:
            if current is not None and (current.answered_by == each.sequence or self._unanswered(current)):
                current.answered_by = each.sequence
                return current
            connection = self._begin(each)
            connection.flow = -1  # the opener is the other side, not yet seen
            connection.answered_by = each.sequence
            return connection
        if current is not None and current.syn and current.opened_by == each.sequence:
            return current
        if current is not None and current.flow == -1 and not current.octets:
            current.flow = each.flow  # the answer came first
            connection = current
        elif current is not None and not current.octets and not current.kind:
            connection = current  # nothing came of the attempt before
            connection.segments, connection.flow, connection.answered_by = [], each.flow, -1
        else:
            connection = self._begin(each)
        connection.syn, connection.opened_by = True, each.sequence
        return connection

    @staticmethod
    def _unanswered(connection: Connection) -> bool:
        """Whether a connection waits for the answer to its SYN."""
        return connection.syn and connection.answered_by == -1 and not connection.dropped

    def _begin(self, each: Picked) -> Connection:
        connection = Connection(each.flow)
        self.connections.append(connection)
        self._join(connection, each.flow)
        other = self.flows.opposite(each.flow)
        if other >= 0:
            self._join(connection, other)
        for flow in connection.members:
            self.flows.state[flow] = OPEN
        return connection

    def _join(self, connection: Connection, flow: int) -> None:
        self.current[flow] = connection
        if flow not in connection.members:
            connection.members.append(flow)

    def _joined(self, each: Picked) -> Connection:
        """The first packet of a flow, no SYN: a connection's other direction, or one joined in mid-stream."""
        other = self.flows.opposite(each.flow)
        connection = self.current.get(other) if other >= 0 else None
        if connection is None:
            return self._begin(each)
        if connection.flow == -1 and each.flow not in connection.members:
            connection.flow = each.flow
        self._join(connection, each.flow)
        if connection.dropped:
            self.flows.state[each.flow] = UNWANTED
        return connection

    def _remember_untold(self, connection: Connection, octets: int) -> None:
        """Octets of connections that no protocol was found in are bounded in all: the oldest are let go."""
        if not connection.untold:
            self.untold.append(connection)
        connection.untold += octets
        self.untold_octets += octets
        while self.untold_octets > UNTOLD_OCTETS:
            oldest = self.untold.popleft()
            self.untold_octets -= oldest.untold
            if oldest.kind in ("", classify.HTTP) and not oldest.dropped:
                self._let_go(oldest)

    def _want(self, connection: Connection) -> None:
        for flow in connection.members:
            self.flows.state[flow] = WANTED

    def _let_go(self, connection: Connection, keep: bool = False) -> None:
        connection.dropped = True
        if not keep:
            connection.segments = _begun(connection.segments)
        for flow in connection.members:
            self.flows.state[flow] = UNWANTED

    def _follow(self, connection: Connection, each: Picked) -> None:
        """Keep a TLS connection's handshake, and its content only where it can be read."""
        if connection.settled:
            return
        if connection.watches is None:
            connection.watches = (_Watch(), _Watch())
        forward, backward = connection.watches
        (forward if each.flow == connection.flow else backward).feed(each.sequence, each.data)
        first, second = (watch.application for watch in connection.watches)
        over = max(forward.octets, backward.octets) > HANDSHAKE_OCTETS
        if not (first and second) and not over:
            return
        if self._readable(connection):
            connection.settled = True
        else:
            self.passed += connection.members[:1]
            self._let_go(connection, keep=True)

    def _between_readable(self, flow: int) -> bool:
        return bool(self.readable) and frozenset(endpoints(self.flows.identity[flow].tobytes())) in self.readable

    def _readable(self, connection: Connection) -> bool:
        """Whether a ServerHello chose a NULL cipher, or the secrets at hand may open what it chose."""
        if self._between_readable(connection.members[0]):
            return True
        for side in (False, True):
            begin = _begin_of(connection.segments, side)
            code = server_hello_suite(begin)
            if code is None:
                continue
            if suite(code).null:
                return True
            if self.secrets:
                client_random = client_hello_random(_begin_of(connection.segments, not side))
                if self.secrets.opens(client_random, code, psk_ke=suite(code).tls13 and not agrees_on_key(begin)):
                    return True
        return False

    # --- SCTP ---

    def _association(self, each: Picked) -> None:
        for chunk in data_chunks(each.data):
            whole = self._user_message(each.flow, chunk, each.frame)
            if whole is None:
                continue
            found = self._kept(each)._replace(data=whole, origin=each.origin | SCTP_DATA)
            kind = classify.datagram_kind(whole)
            if kind == classify.SIP:
                self.datagrams.append(found)
            elif kind == classify.H248:
                self.gateway.append(found)

    def _user_message(self, flow: int, chunk: DataChunk, frame: int) -> bytes | None:
        """Put fragments together: consecutive TSN from B to E (RFC 9260 §6.9)."""
        if chunk.begins and chunk.ends:
            return chunk.data
        if self.sctp_held > SCTP_HELD:
            self.sctp_parts.clear()
            self.sctp_held = 0
        parts = self.sctp_parts.setdefault((flow, chunk.stream), {})
        if len(parts) >= SCTP_PARTS:
            self.sctp_held -= sum(len(part.data) + SCTP_PART for part, _ in parts.values())
            parts.clear()
        if chunk.tsn not in parts:
            parts[chunk.tsn] = chunk, frame
            self.sctp_held += len(chunk.data) + SCTP_PART
        low = chunk.tsn
        while low in parts and not parts[low][0].begins:
            low = (low - 1) & 0xFFFFFFFF
        if low not in parts:
            return None
        high, names = low, []
        while high in parts:
            names.append(high)
            if parts[high][0].ends:
                pieces = [parts.pop(name) for name in names]
                whole = b"".join(piece.data for piece, _ in pieces)
                self.sctp_held -= len(whole) + SCTP_PART * len(names)
                known = self.chunk_frames.get(frame, ())
                self.chunk_frames[frame] = tuple(sorted({*known, *(number for _, number in pieces)}))
                return whole
            high = (high + 1) & 0xFFFFFFFF
        return None

    # --- ESP ---

    def _secured(self, each: Picked) -> None:
        association = self.associations.get(each.flow)
        if association is None:
            association = esp.Association(self.flows.identity[each.flow].tobytes(), self.esp_keys)
            self.associations[each.flow] = association
        here = (each.frame, each.time)
        self.esp_places[each.flow] = (self.esp_places.get(each.flow, (here,))[0], here)
        if association.decided == "encrypted" or (each.cut and association.decided != "null"):
            return  # a packet that is cut has no trailer and no check value, which says nothing
        if association.keys is None and not each.cut and association.try_keys(each.data):
            self._read_waiting(association, each.flow)
        if association.decided in ("null", "keyed"):
            self._open(association, each.data, each.frame, each.time, each.origin, each.depth)
            return
        association.decide(esp.try_open(each.data, *association.ends))
        association.waiting.append((each.data, each.frame, each.time, each.origin, each.depth))
        if association.decided == "null":
            self._read_waiting(association, each.flow)
        elif association.decided == "encrypted":
            self.flows.state[each.flow] = UNWANTED
            association.waiting = []

    def _read_waiting(self, association: esp.Association, flow: int) -> None:
        """Open the packets that came before it was known how."""
        self.flows.state[flow] = WANTED
        held, association.waiting = association.waiting, []
        for each in held:
            self._open(association, *each)

    def _open(self, association: esp.Association, data: bytes, frame: int, time: int, origin: int, depth: int) -> None:
        found = association.open(data)
        if found is None or found[0] == esp.DUMMY:
            return
        next_header, packet = found
        if next_header not in (esp.IP4, esp.IP6):
            packet = plain_packet(association.identity[VERSION] == 6, *association.ends, next_header, packet)
        how = ESP_NULL if association.null else ESP_OPENED
        self.derived.append(Derived(packet, frame, time, origin | how, depth + 1))


def _opening(connection: Connection) -> bytes:
    """The first octets of the direction of the last segment, for messages that come in small pieces."""
    out = b""
    for segment in connection.segments:
        if segment.forward == connection.segments[-1].forward:
            out += segment.data[:OPENING]
        if len(out) >= OPENING:
            break
    return out


def _begun(segments: list[Segment]) -> list[Segment]:
    """What is kept of a connection that is let go: its opening, and what its octets begin with."""
    opening = [each for each in segments[:MAX_BARE] if not each.data][:2]
    first = next((each for each in segments if each.data), None)
    return opening if first is None else [*opening, first._replace(data=first.data[:BEGUN])]


def _begin_of(segments: list[Segment], forward: bool) -> bytes:
    """The first octets of one direction in the order of their sequence numbers, up to the first hole."""
    found = [each for each in segments if each.forward == forward and each.data][:HELLO_SEGMENTS]
    if not found:
        return b""
    base = found[0].sequence
    placed = sorted(((each.sequence - base + (1 << 31)) & 0xFFFFFFFF, each.data) for each in found)
    out, end = bytearray(), placed[0][0]
    for place, data in placed:
        if place > end:
            break
        out += data[end - place :]
        end = max(end, place + len(data))
    return bytes(out)


def client_hello_random(data: bytes) -> bytes:
    """The random of the ClientHello that a TLS stream begins with; empty where it does not."""
    return data[11:43] if data[:1] == b"\x16" and data[5:6] == b"\x01" and len(data) >= 43 else b""


def agrees_on_key(data: bytes) -> bool:
    """Whether the ServerHello that a TLS 1.3 stream begins with has a key_share: Diffie-Hellman (RFC 8446 §4.2.8)."""
    message = b"".join(record.fragment for record in tls_records(data[:HTTP_OCTETS]) if record.type == HANDSHAKE)
    hello = parse_server_hello(message[4 : 4 + int.from_bytes(message[1:4], "big")])
    return hello is None or hello.extension(KEY_SHARE) is not None


def dtls_client_random(datagram: bytes) -> bytes:
    """The random of a ClientHello that begins in a datagram; empty where none does."""
    for record in dtls_records(datagram, dtls_offset(datagram)):
        fragment = record.fragment
        if record.type == HANDSHAKE and not record.epoch and fragment[:1] == b"\x01" and fragment[6:9] == b"\0\0\0":
            return fragment[14:46]
    return b""


def dtls_server_hello_suite(datagram: bytes) -> int | None:
    """The cipher suite that an unfragmented ServerHello in a datagram selects."""
    for record in dtls_records(datagram, dtls_offset(datagram)):
        body = record.fragment[12:]
        if record.type != HANDSHAKE or record.epoch or record.fragment[:1] != b"\x02" or len(body) < 38:
            continue
        at = 35 + body[34]
        if at + 2 <= len(body):
            return body[at] << 8 | body[at + 1]
    return None

"""Putting together what a TLS or DTLS connection carries: handshake messages over records and fragments, alerts, data.

Readers are fed with the pieces of one flow in order and yield events. They hold a bounded part of each direction: an
incomplete record, an incomplete handshake message, and for DTLS the messages that a retransmission may repeat.
What a NULL cipher leaves readable is opened here, since later messages of a handshake under it count like clear ones.

Sources: RFC 5246 §6.2 and §7.4, RFC 8446 §5 and D.4, RFC 6347 §4.2, RFC 9147 §4, RFC 9150; SSL 2.0 protocol C.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.tls.codes import HANDSHAKE_TYPES
from dissectors.tls.parse import TRUNCATED_HMAC, ServerHello, parse_client_hello, parse_server_hello
from dissectors.tls.records import (
    ACK,
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    TLS12_CID,
    TLS_HEADER,
    DtlsRecord,
    dtls_offset,
    dtls_records,
    looks_like_dtls,
    looks_like_hello,
    looks_like_sslv2,
    looks_like_tls,
    plain_handshake,
    plausible_handshake_start,
    tls_header,
)
from dissectors.tls.suites import suite
from dissectors.tls.versions import SSL_2_0, is_tls13

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.chunk import Chunk
    from imsinspect.capture.frames import FrameId

MAX_MESSAGE = 1 << 18
"""Octets of a handshake message that are put together; longer ones are passed over with a note."""

MAX_TROUBLES = 20
"""Notes that one connection may give."""

_MAX_FRAMES = 4096  # frames named for one message
_MAX_PARTIAL_OCTETS = 1 << 20  # DTLS messages in the making, by direction
_MAX_DONE_MESSAGES = 64  # DTLS messages remembered to know a retransmission, by direction

_CLIENT_HELLO = 1
_SERVER_HELLO = 2
_HELLO_VERIFY_REQUEST = 3


# --- events ---------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class Handshake:
    """One whole handshake message."""

    forward: bool
    frame: FrameId  # in which it became whole
    time: int
    frames: tuple[FrameId, ...]  # every frame that brought a part of it
    type: int
    body: bytes  # without its header; in SSL 2.0 what follows the message type
    version: int  # of the record
    message_seq: int | None = None  # DTLS
    protected: bool = False  # read under a NULL cipher: part of a renegotiation, or a Finished
    ssl2: bool = False


@dataclass(slots=True, frozen=True)
class ChangeCipherSpec:
    """The sender protects what follows; in TLS 1.3 it says nothing (RFC 8446 D.4)."""

    forward: bool
    frame: FrameId
    time: int
    version: int


@dataclass(slots=True, frozen=True)
class AlertSeen:
    """An alert; level and description are None where they are encrypted."""

    forward: bool
    frame: FrameId
    time: int
    version: int
    level: int | None
    description: int | None


@dataclass(slots=True, frozen=True)
class ApplicationData:
    """A record of application data; its content only where a NULL cipher leaves it readable."""

    forward: bool
    frame: FrameId
    time: int
    version: int
    length: int  # of the record's fragment
    protected: bool = True  # False where the sender has certainly not changed cipher yet
    opened: bool = False
    data: bytes = b""  # content without MAC, when opened


@dataclass(slots=True, frozen=True)
class ProtectedRecord:
    """Any other record that cannot be read: an encrypted handshake message, a record under the unified header."""

    forward: bool
    frame: FrameId
    time: int
    version: int  # 0 under the unified header
    type: int  # -1 where it is hidden
    length: int


@dataclass(slots=True, frozen=True)
class Trouble:
    """Something malformed, a gap, or a limit that bit."""

    frame: FrameId
    text: str


Event = Handshake | ChangeCipherSpec | AlertSeen | ApplicationData | ProtectedRecord | Trouble


# --- NULL ciphers ---------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class _Opening:
    """How records are read without a key."""

    mac_octets: int
    tls13: bool  # the content type stands behind the content (RFC 8446 §5.2, RFC 9150 §4)


def _opening(hello: ServerHello) -> _Opening | None:
    selected = suite(hello.cipher_suite)
    if not selected.null or hello.compression_method != 0:
        return None
    if is_tls13(hello.selected_version):
        return _Opening(selected.mac_octets, tls13=True)
    octets = selected.mac_octets
    if octets and hello.extension(TRUNCATED_HMAC) is not None:
        octets = 10  # RFC 6066 §7
    return _Opening(octets, tls13=False)


def _inner(opening: _Opening, content_type: int, fragment: bytes) -> tuple[int, bytes] | None:
    """Content type and content of a record under a NULL cipher; None when it is too short."""
    if len(fragment) < opening.mac_octets:
        return None
    content = fragment[: len(fragment) - opening.mac_octets]
    if not opening.tls13:
        return content_type, content
    if content_type != APPLICATION_DATA:
        return content_type, fragment
    content = content.rstrip(b"\x00")
    return (content[-1], content[:-1]) if content else None


class _Troubles:
    """Lets the first notes of a connection through."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameId, text: str) -> Iterator[Trouble]:
        self.count += 1
        if self.count < MAX_TROUBLES:
            yield Trouble(frame, text)
        elif self.count == MAX_TROUBLES:
            yield Trouble(frame, f"{text}; further trouble of this connection is not noted")


@dataclass(slots=True, frozen=True)
class _Origin:
    """Where the bytes at hand came from."""

    forward: bool
    frame: FrameId
    time: int
    frames: tuple[FrameId, ...]
    version: int


# --- TLS ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Side:
    """One direction of a TLS stream."""

    state: str = "start"  # "start", "search" (clear text before TLS), "records", "resync" (after a gap), "ssl2"
    buffer: bytearray = field(default_factory=bytearray)
    frames: list[FrameId] = field(default_factory=list)  # of the octets in the buffer that came before
    position: int = 0  # stream offset of the buffer's first octet
    skip: int = 0  # octets of a record that nobody wants
    message: bytearray = field(default_factory=bytearray)
    message_frames: list[FrameId] = field(default_factory=list)
    skip_message: int = 0  # octets of a handshake message over the limit
    protected: bool = False  # behind ChangeCipherSpec
    handshake_seen: bool = False
    lossy: bool = False  # something of this direction is missing, perhaps a ChangeCipherSpec
    pending: _Opening | None = None
    active: _Opening | None = None


class TlsReader:
    """Reads one TLS connection (or several that follow one another on the same ports)."""

    def __init__(self) -> None:
        self._sides = (_Side(), _Side())
        self._tls13 = False
        self._trouble = _Troubles()

    def feed(self, chunk: Chunk) -> Iterator[Event]:
        """Events that the next piece of the stream completes."""
        side = self._sides[chunk.forward]
        if chunk.gap:
            yield from self._gap(side, chunk)
        data = chunk.data
        if side.skip:
            passed = min(side.skip, len(data))
            side.skip -= passed
            side.position += passed
            data = data[passed:]
        if not data:
            return
        side.buffer += data
        before = (-1, "")
        while side.buffer and (len(side.buffer), side.state) != before:
            before = (len(side.buffer), side.state)
            yield from _STATES[side.state](self, side, chunk)
        if not side.buffer:
            side.frames.clear()
        elif len(side.frames) < _MAX_FRAMES and side.frames[-1:] != [chunk.frame]:
            side.frames.append(chunk.frame)

    def _gap(self, side: _Side, chunk: Chunk) -> Iterator[Event]:
        if 0 < chunk.gap <= side.skip:
            side.skip -= chunk.gap
            side.position += chunk.gap
            return
        lost = f"{chunk.gap} octets" if chunk.gap > 0 else "octets"
        if side.state != "start" or chunk.gap > 0:
            yield from self._trouble(chunk.frame, f"{lost} missing in the stream at {side.position + len(side.buffer)}")
        side.position += len(side.buffer) + max(chunk.gap, 0)
        side.buffer.clear()
        side.frames.clear()
        side.message.clear()
        side.skip = side.skip_message = 0
        side.lossy = True
        side.state = "resync"

    def _drop(self, side: _Side, octets: int) -> None:
        del side.buffer[:octets]
        side.position += octets

    # Each state consumes from the buffer, changes the state, or leaves both alone to wait for more.

    def _start(self, side: _Side, chunk: Chunk) -> Iterator[Event]:
        head = bytes(side.buffer[:65536])
        if looks_like_tls(head):
            side.state = "records"
        elif looks_like_sslv2(head):
            side.state = "ssl2"
        elif not _may_become(head):
            side.state = "search"
        yield from ()

    def _search(self, side: _Side, chunk: Chunk) -> Iterator[Event]:
        at = side.buffer.find(HANDSHAKE)
        while at >= 0:
            hello = looks_like_hello(side.buffer, at)
            if hello:
                self._drop(side, at)
                side.frames.clear()
                side.state = "records"
                yield from self._records(side, chunk)
                return
            if hello is None:
                self._drop(side, at)
                return
            at = side.buffer.find(HANDSHAKE, at + 1)
        self._drop(side, len(side.buffer))

    def _resync(self, side: _Side, chunk: Chunk) -> Iterator[Event]:
        buffer = side.buffer
        for at in range(len(buffer)):
            if not 20 <= buffer[at] <= 24:
                continue
            if len(buffer) - at < TLS_HEADER:
                if at + 1 == len(buffer) or buffer[at + 1] == 3:
                    self._drop(side, at)
                    return
                continue
            header = tls_header(buffer, at)
            if header is None:
                continue
            end = at + TLS_HEADER + header[2]
            known = looks_like_hello(buffer, at) or end == len(buffer)
            if not known and end + TLS_HEADER > len(buffer):
                self._drop(side, at)
                return  # wait for the next header
            if known or tls_header(buffer, end) is not None:
                self._drop(side, at)
                side.state = "records"
                yield from self._records(side, chunk)
                return
        self._drop(side, len(buffer))

    def _records(self, side: _Side, chunk: Chunk) -> Iterator[Event]:
        consumed = 0
        buffer = side.buffer
        frames = (*side.frames, chunk.frame) if side.frames[-1:] != [chunk.frame] else tuple(side.frames)
        while len(buffer) - consumed >= TLS_HEADER:
            header = tls_header(buffer, consumed)
            if header is None:
                self._drop(side, consumed)
                side.frames.clear()
                side.message.clear()
                side.lossy = True
                side.state = "resync"
                yield from self._trouble(chunk.frame, f"no TLS record at octet {side.position} of the stream")
                return
            content_type, version, length = header
            end = consumed + TLS_HEADER + length
            origin = _Origin(chunk.forward, chunk.frame, chunk.time, frames, version)
            if end > len(buffer):
                if content_type == APPLICATION_DATA and side.active is None:
                    yield ApplicationData(
                        chunk.forward, chunk.frame, chunk.time, version, length, self._is_protected(side)
                    )
                    side.skip = end - len(buffer)
                    consumed = len(buffer)
                break
            fragment = bytes(buffer[consumed + TLS_HEADER : end])
            consumed = end
            yield from self._record(side, origin, content_type, fragment)
            frames = (chunk.frame,)
        if consumed:
            side.frames.clear()
            self._drop(side, consumed)

    def _record(self, side: _Side, origin: _Origin, content_type: int, fragment: bytes) -> Iterator[Event]:
        forward, frame, time, version = origin.forward, origin.frame, origin.time, origin.version
        length = len(fragment)
        opened = False
        opening = side.active
        if opening is not None and not (opening.tls13 and content_type != APPLICATION_DATA):
            if content_type == HANDSHAKE and plain_handshake(fragment):
                pass  # the first hello of a new connection, which nothing protects yet
            else:
                inner = _inner(opening, content_type, fragment)
                if inner is None:
                    yield from self._trouble(frame, f"record of {length} octets is shorter than its MAC")
                    return
                content_type, fragment = inner
                opened = True
        if content_type == HANDSHAKE:
            yield from self._handshake(side, origin, fragment, opened=opened)
        elif content_type == CHANGE_CIPHER_SPEC:
            if not self._tls13:
                side.protected = True
                side.active = side.pending
                side.message.clear()
            yield ChangeCipherSpec(forward, frame, time, version)
        elif content_type == ALERT:
            level, description = (fragment[0], fragment[1]) if len(fragment) == 2 else (None, None)
            yield AlertSeen(forward, frame, time, version, level, description)
        elif content_type == APPLICATION_DATA:
            protected = opened or self._is_protected(side)
            yield ApplicationData(forward, frame, time, version, length, protected, opened, fragment if opened else b"")
        else:
            yield ProtectedRecord(forward, frame, time, version, content_type, length)

    def _is_protected(self, side: _Side) -> bool:
        return side.protected or side.lossy or self._tls13 or not side.handshake_seen

    def _handshake(self, side: _Side, origin: _Origin, fragment: bytes, *, opened: bool) -> Iterator[Event]:
        length = len(fragment)
        hidden = side.protected and not opened and not plain_handshake(fragment)
        begins = not side.message and not side.skip_message
        if not hidden and begins and not self._begins_message(side, fragment):
            hidden = True
            if side.handshake_seen and fragment:
                yield from self._trouble(origin.frame, f"no handshake message in a record of {length} octets")
        if hidden:
            yield ProtectedRecord(origin.forward, origin.frame, origin.time, origin.version, HANDSHAKE, length)
            return
        side.handshake_seen = True
        if side.skip_message:
            passed = min(side.skip_message, length)
            side.skip_message -= passed
            fragment = fragment[passed:]
        side.message += fragment
        if len(side.message_frames) < _MAX_FRAMES:
            side.message_frames += origin.frames
        while len(side.message) >= 4:
            octets = int.from_bytes(side.message[1:4], "big")
            if octets > MAX_MESSAGE:
                yield from self._trouble(origin.frame, f"handshake message of {octets} octets is passed over")
                side.skip_message = max(4 + octets - len(side.message), 0)
                del side.message[: 4 + octets]
                side.message_frames[:] = origin.frames
                continue
            if len(side.message) < 4 + octets:
                break
            message = Handshake(
                forward=origin.forward,
                frame=origin.frame,
                time=origin.time,
                frames=tuple(dict.fromkeys(side.message_frames)),
                type=side.message[0],
                body=bytes(side.message[4 : 4 + octets]),
                version=origin.version,
                protected=opened,
            )
            del side.message[: 4 + octets]
            side.message_frames[:] = origin.frames
            self._follow(message)
            yield message
        if not side.message:
            side.message_frames.clear()

    @staticmethod
    def _begins_message(side: _Side, fragment: bytes) -> bool:
        if side.handshake_seen:
            return fragment[:1] != b"" and fragment[0] in HANDSHAKE_TYPES
        return plausible_handshake_start(fragment)

    def _follow(self, message: Handshake) -> None:
        """What a hello changes for the records behind it."""
        if message.type == _CLIENT_HELLO and not message.protected:
            self._tls13 = False
            for side in self._sides:
                side.protected = side.lossy = False
                side.active = side.pending = None
        elif message.type == _SERVER_HELLO and (hello := parse_server_hello(message.body)):
            self._tls13 = is_tls13(hello.selected_version)
            opening = None if hello.hello_retry_request else _opening(hello)
            for side in self._sides:
                side.pending = opening
                if self._tls13:
                    side.active = opening
                    side.protected = False

    def _ssl2(self, side: _Side, chunk: Chunk) -> Iterator[Event]:
        buffer = side.buffer
        while len(buffer) >= 3:
            if tls_header(buffer) is not None:
                side.state = "records"  # an SSL 2.0 hello that TLS answered
                yield from self._records(side, chunk)
                return
            header = 2 if buffer[0] & 0x80 else 3
            length = (buffer[0] & (0x7F if header == 2 else 0x3F)) << 8 | buffer[1]
            if length == 0:
                yield from self._trouble(chunk.frame, f"no SSL 2.0 record at octet {side.position} of the stream")
                side.state = "resync"
                return
            if len(buffer) < header + length:
                return
            data = bytes(buffer[header : header + length])
            frames = tuple(dict.fromkeys((*side.frames, chunk.frame)))
            self._drop(side, header + length)
            side.frames.clear()
            clear = not side.protected and header == 2 and data[0] in _SSL2_CLEAR
            if clear or (data[0] == 0 and length == 3):
                side.protected = data[0] in (2, 4)
                yield Handshake(chunk.forward, chunk.frame, chunk.time, frames, data[0], data[1:], SSL_2_0, ssl2=True)
            else:
                yield ProtectedRecord(chunk.forward, chunk.frame, chunk.time, SSL_2_0, -1, length)


_SSL2_CLEAR = frozenset({1, 2, 4})  # client hello, client master key, server hello

_STATES = {
    "start": TlsReader._start,
    "search": TlsReader._search,
    "records": TlsReader._records,
    "resync": TlsReader._resync,
    "ssl2": TlsReader._ssl2,
}


def _may_become(head: bytes) -> bool:
    """Whether more octets could turn a short beginning into a TLS or SSL 2.0 record."""
    if len(head) < TLS_HEADER and 20 <= head[0] <= 24 and head[1:2] in (b"", b"\x03"):
        return True
    return len(head) < 13 and bool(head[0] & 0x80) and head[2:3] in (b"", b"\x01", b"\x04")


# --- DTLS -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Partial:
    """A DTLS handshake message in the making."""

    body: bytearray
    have: bytearray  # 1 for each octet that came
    missing: int
    frames: list[FrameId]
    version: int


@dataclass(slots=True)
class _DtlsSide:
    """One direction of a DTLS association."""

    partial: dict[tuple[int, int, int], _Partial] = field(default_factory=dict)  # message_seq, type, length
    octets: int = 0  # of all partial messages
    done: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # message_seq: type, body
    openings: dict[int, _Opening | None] = field(default_factory=dict)  # by epoch
    pending: _Opening | None = None
    connection_id_octets: int | None = None  # of the ids in records of this direction

    def forget(self) -> None:
        """Begin anew: another handshake."""
        self.done.clear()
        self.openings.clear()
        self.pending = None


class DtlsReader:
    """Reads the DTLS records between two endpoints; datagrams that are not DTLS are passed over."""

    def __init__(self) -> None:
        self._sides = (_DtlsSide(), _DtlsSide())
        self._seen = False
        self._trouble = _Troubles()

    def feed(self, chunk: Chunk) -> Iterator[Event]:
        """Events that the next datagram completes."""
        data = chunk.data
        offset = dtls_offset(data)
        if len(data) <= offset or not 20 <= data[offset] <= 63:
            return
        if not self._seen:
            # The unified header of DTLS 1.3 looks like noise: only a flow that showed other records has it
            if not looks_like_dtls(data):
                return
            self._seen = True
        side = self._sides[chunk.forward]
        end = offset
        for record in dtls_records(data, offset, side.connection_id_octets):
            if not record.complete:
                yield from self._trouble(chunk.frame, f"DTLS record at octet {record.offset} is cut")
            elif record.unified:
                yield from self._unified(side, chunk, record)
            else:
                yield from self._record(side, chunk, record)
            end = record.offset + 1
        if end == offset:
            yield from self._trouble(chunk.frame, f"no DTLS record at octet {offset} of the datagram")

    def _unified(self, side: _DtlsSide, chunk: Chunk, record: DtlsRecord) -> Iterator[Event]:
        if side.pending is not None and side.pending.tls13:
            inner = _inner(side.pending, APPLICATION_DATA, record.fragment)
            if inner is not None:
                yield from self._content(side, chunk, record, *inner, opened=True)
                return
        yield ProtectedRecord(chunk.forward, chunk.frame, chunk.time, 0, -1, record.length)

    def _record(self, side: _DtlsSide, chunk: Chunk, record: DtlsRecord) -> Iterator[Event]:
        if record.epoch == 0:
            yield from self._content(side, chunk, record, record.type, record.fragment, opened=False)
            return
        opening = side.openings.get(record.epoch, side.pending if record.epoch == 1 else None)
        inner = _inner(opening, record.type, record.fragment) if opening is not None else None
        if inner is None or record.type == TLS12_CID:
            yield from self._hidden(chunk, record)
        else:
            yield from self._content(side, chunk, record, *inner, opened=True)

    def _content(
        self, side: _DtlsSide, chunk: Chunk, record: DtlsRecord, content_type: int, fragment: bytes, *, opened: bool
    ) -> Iterator[Event]:
        forward, frame, time, version = chunk.forward, chunk.frame, chunk.time, record.version
        if content_type == HANDSHAKE:
            yield from self._fragments(side, chunk, record, fragment, opened=opened)
        elif content_type == CHANGE_CIPHER_SPEC:
            side.openings[record.epoch + 1] = side.pending
            if len(side.openings) > _MAX_DONE_MESSAGES:
                del side.openings[next(iter(side.openings))]
            yield ChangeCipherSpec(forward, frame, time, version)
        elif content_type == ALERT:
            # OpenSSL before 0.9.8f sends the sequence number of a bad message behind the two octets
            readable = len(fragment) in (2, 7)
            level, description = (fragment[0], fragment[1]) if readable else (None, None)
            yield AlertSeen(forward, frame, time, version, level, description)
        elif content_type == APPLICATION_DATA:
            yield ApplicationData(
                forward, frame, time, version, record.length, opened, opened, fragment if opened else b""
            )
        elif content_type != ACK:
            yield ProtectedRecord(forward, frame, time, version, content_type, record.length)

    def _hidden(self, chunk: Chunk, record: DtlsRecord) -> Iterator[Event]:
        forward, frame, time, version = chunk.forward, chunk.frame, chunk.time, record.version
        if record.type == APPLICATION_DATA:
            yield ApplicationData(forward, frame, time, version, record.length)
        elif record.type == ALERT:
            yield AlertSeen(forward, frame, time, version, None, None)
        elif record.type == CHANGE_CIPHER_SPEC:
            yield ChangeCipherSpec(forward, frame, time, version)
        else:
            kind = -1 if record.type == TLS12_CID else record.type
            yield ProtectedRecord(forward, frame, time, version, kind, record.length)

    def _fragments(
        self, side: _DtlsSide, chunk: Chunk, record: DtlsRecord, fragment: bytes, *, opened: bool
    ) -> Iterator[Event]:
        at = 0
        while len(fragment) - at >= 12:
            type_ = fragment[at]
            length = int.from_bytes(fragment[at + 1 : at + 4], "big")
            message_seq = fragment[at + 4] << 8 | fragment[at + 5]
            start = int.from_bytes(fragment[at + 6 : at + 9], "big")
            octets = int.from_bytes(fragment[at + 9 : at + 12], "big")
            part = fragment[at + 12 : at + 12 + octets]
            if len(part) < octets or start + octets > length:
                yield from self._trouble(
                    chunk.frame, f"handshake fragment {start}+{octets} of {length} octets does not fit its record"
                )
                return
            if length > MAX_MESSAGE:
                yield from self._trouble(chunk.frame, f"handshake message of {length} octets is passed over")
                return
            message = self._put(side, chunk, record.version, (message_seq, type_, length), start, part, opened=opened)
            if message is not None:
                yield message
            at += 12 + octets
        if at < len(fragment):
            yield from self._trouble(chunk.frame, f"{len(fragment) - at} octets behind the handshake fragments")

    def _put(
        self,
        side: _DtlsSide,
        chunk: Chunk,
        version: int,
        key: tuple[int, int, int],
        start: int,
        part: bytes,
        *,
        opened: bool,
    ) -> Handshake | None:
        """Add a fragment; the message when this made it whole."""
        message_seq, type_, length = key
        done = side.done.get(message_seq)
        if done is not None:
            same = done[0] == type_ and len(done[1]) == length and done[1][start : start + len(part)] == part
            if same or type_ not in (_CLIENT_HELLO, _SERVER_HELLO, _HELLO_VERIFY_REQUEST):
                return None
            del side.done[message_seq]  # another hello under the same number: a new handshake
        partial = side.partial.get(key)
        if partial is None:
            if len(part) == length:
                return self._whole(side, chunk, version, key, part, (chunk.frame,), opened=opened)
            while side.partial and side.octets + length > _MAX_PARTIAL_OCTETS:
                oldest = next(iter(side.partial))
                del side.partial[oldest]
                side.octets -= oldest[2]
            partial = side.partial[key] = _Partial(bytearray(length), bytearray(length), length, [], version)
            side.octets += length
        new = partial.have.count(0, start, start + len(part))
        if new:
            partial.missing -= new
            if new == len(part):
                partial.body[start : start + len(part)] = part
            else:
                for index, octet in enumerate(part, start):
                    if not partial.have[index]:  # where fragments overlap, the first one stands
                        partial.body[index] = octet
            partial.have[start : start + len(part)] = b"\x01" * len(part)
            if len(partial.frames) < _MAX_FRAMES and partial.frames[-1:] != [chunk.frame]:
                partial.frames.append(chunk.frame)
        if partial.missing:
            return None
        del side.partial[key]
        side.octets -= length
        return self._whole(side, chunk, version, key, bytes(partial.body), tuple(partial.frames), opened=opened)

    def _whole(
        self,
        side: _DtlsSide,
        chunk: Chunk,
        version: int,
        key: tuple[int, int, int],
        body: bytes,
        frames: tuple[FrameId, ...],
        *,
        opened: bool,
    ) -> Handshake:
        message_seq, type_, _ = key
        if type_ == _CLIENT_HELLO and not opened and message_seq == 0:
            for one in self._sides:
                one.forget()
        if type_ == _CLIENT_HELLO and (offer := parse_client_hello(body, dtls=True)):
            if (connection_id := offer.connection_id) is not None:
                self._sides[not chunk.forward].connection_id_octets = len(connection_id)
        elif type_ == _SERVER_HELLO and (hello := parse_server_hello(body)):
            opening = None if hello.hello_retry_request else _opening(hello)
            for one in self._sides:
                one.pending = opening
            if (connection_id := hello.connection_id) is not None:
                self._sides[not chunk.forward].connection_id_octets = len(connection_id)
        side.done[message_seq] = (type_, body)
        if len(side.done) > _MAX_DONE_MESSAGES:
            del side.done[next(iter(side.done))]
        return Handshake(
            forward=chunk.forward,
            frame=chunk.frame,
            time=chunk.time,
            frames=frames,
            type=type_,
            body=body,
            version=version,
            message_seq=message_seq,
            protected=opened,
        )

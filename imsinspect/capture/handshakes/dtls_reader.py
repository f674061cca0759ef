"""Reads the records of DTLS out of datagrams: handshake messages over fragments and retransmissions, alerts, data.

Sources: RFC 6347 §4.2, RFC 9146, RFC 9147 §4.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dissectors.tls.parse import parse_client_hello, parse_server_hello
from dissectors.tls.records import (
    ACK,
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    TLS12_CID,
    DtlsRecord,
    dtls_offset,
    dtls_records,
    looks_like_dtls,
)
from imsinspect.capture.handshakes.agreed import Inner
from imsinspect.capture.handshakes.events import (
    MAX_FRAMES,
    MAX_MESSAGE,
    AlertSeen,
    ApplicationData,
    ChangeCipherSpec,
    Handshake,
    ProtectedRecord,
    Troubles,
)
from imsinspect.capture.handshakes.openings import Keys, null_opening
from imsinspect.capture.handshakes.transcript import CLIENT_HELLO, FINISHED, HELLO_VERIFY_REQUEST, SERVER_HELLO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.parse import ServerHello
    from imsinspect.capture.chunk import Chunk
    from imsinspect.capture.frames import FrameId
    from imsinspect.capture.handshakes.events import Event
    from imsinspect.capture.handshakes.openings import Opening
    from imsinspect.crypto.tls import TlsSecrets

_MAX_PARTIAL_OCTETS = 1 << 20  # messages in the making, by direction
_MAX_DONE_MESSAGES = 64  # messages remembered to know a retransmission, by direction


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
    openings: dict[int, Opening | None] = field(default_factory=dict)  # by epoch
    pending: Opening | None = None
    connection_id_octets: int | None = None  # of the ids in records of this direction

    def forget(self) -> None:
        """Begin anew: another handshake."""
        self.done.clear()
        self.openings.clear()
        self.pending = None


class DtlsReader:
    """Reads the DTLS records between two endpoints; datagrams that are not DTLS are passed over."""

    def __init__(self, secrets: TlsSecrets | None = None) -> None:
        self._sides = (_DtlsSide(), _DtlsSide())
        self._keys = Keys(secrets, dtls=True) if secrets else None
        self._seen = False
        self._trouble = Troubles()

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
        opening = side.pending
        inner = None
        if opening is not None and opening.tls13:
            inner = opening.open_datagram(record, chunk.data)
            yield from self._news(chunk, record)
        if inner is not None:
            yield from self._content(side, chunk, record, inner, opened=True)
            return
        failed = opening is not None and opening.tls13 and opening.tried
        yield ProtectedRecord(chunk.forward, chunk.frame, chunk.time, 0, -1, record.length, failed)

    def _record(self, side: _DtlsSide, chunk: Chunk, record: DtlsRecord) -> Iterator[Event]:
        if record.epoch == 0:
            yield from self._content(side, chunk, record, Inner(record.type, record.fragment), opened=False)
            yield from self._news(chunk, record)
            return
        opening = side.openings.get(record.epoch, side.pending if record.epoch == 1 else None)
        inner = opening.open_datagram(record, chunk.data) if opening is not None else None
        yield from self._news(chunk, record)
        if inner is None:
            failed = opening is not None and opening.tried
            yield from self._hidden(chunk, record, failed=failed)
        else:
            yield from self._content(side, chunk, record, inner, opened=True)

    def _news(self, chunk: Chunk, record: DtlsRecord) -> Iterator[Event]:
        if self._keys is not None:
            yield from self._keys.news(chunk.forward, chunk.frame, chunk.time, record.version)

    def _content(
        self, side: _DtlsSide, chunk: Chunk, record: DtlsRecord, inner: Inner, *, opened: bool
    ) -> Iterator[Event]:
        forward, frame, time, version = chunk.forward, chunk.frame, chunk.time, record.version
        content_type, fragment, failed, length = inner.type, inner.content, inner.failed, record.length
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
            yield AlertSeen(forward, frame, time, version, level, description, opened, failed)
        elif content_type == APPLICATION_DATA:
            data = fragment if opened else b""
            yield ApplicationData(forward, frame, time, version, length, opened, opened, data, failed, inner.early)
        elif content_type != ACK:
            yield ProtectedRecord(forward, frame, time, version, content_type, length, failed)

    def _hidden(self, chunk: Chunk, record: DtlsRecord, *, failed: bool) -> Iterator[Event]:
        forward, frame, time, version = chunk.forward, chunk.frame, chunk.time, record.version
        if record.type == APPLICATION_DATA:
            yield ApplicationData(forward, frame, time, version, record.length, failed=failed)
        elif record.type == ALERT:
            yield AlertSeen(forward, frame, time, version, None, None, failed=failed)
        elif record.type == CHANGE_CIPHER_SPEC:
            yield ChangeCipherSpec(forward, frame, time, version)
        else:
            kind = -1 if record.type == TLS12_CID else record.type
            yield ProtectedRecord(forward, frame, time, version, kind, record.length, failed)

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
            if same or type_ not in (CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST):
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
            if len(partial.frames) < MAX_FRAMES and partial.frames[-1:] != [chunk.frame]:
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
        if type_ == CLIENT_HELLO and not opened and message_seq == 0:
            for one in self._sides:
                one.forget()
        side.done[message_seq] = (type_, body)
        if len(side.done) > _MAX_DONE_MESSAGES:
            del side.done[next(iter(side.done))]
        message = Handshake(
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
        verified = self._keys.take(message) if self._keys is not None else None
        if type_ == CLIENT_HELLO and (offer := parse_client_hello(body, dtls=True)):
            if (connection_id := offer.connection_id) is not None:
                self._sides[not chunk.forward].connection_id_octets = len(connection_id)
        elif type_ == SERVER_HELLO and (hello := parse_server_hello(body)):
            self._selected(chunk, hello)
        return replace(message, verified=verified) if type_ == FINISHED and verified is not None else message

    def _selected(self, chunk: Chunk, hello: ServerHello) -> None:
        """What a ServerHello changes for the records behind it."""
        opening = None if hello.hello_retry_request else null_opening(hello)
        for forward, one in enumerate(self._sides):
            one.pending = opening
            if self._keys is not None and not hello.hello_retry_request:
                one.pending = self._keys.opening(opening, forward=bool(forward))
        if (connection_id := hello.connection_id) is not None:
            self._sides[not chunk.forward].connection_id_octets = len(connection_id)

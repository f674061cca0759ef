"""Reads the records of TLS and SSL 2.0 out of a stream: handshake messages over records and segments, alerts, data.

Sources: RFC 5246 §6.2 and §7.4, RFC 8446 §5 and D.4; SSL 2.0 protocol C.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dissectors.tls.codes import HANDSHAKE_TYPES
from dissectors.tls.parse import parse_server_hello
from dissectors.tls.records import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    TLS_HEADER,
    looks_like_hello,
    looks_like_sslv2,
    looks_like_tls,
    plain_handshake,
    plausible_handshake_start,
    tls_header,
)
from dissectors.tls.versions import SSL_2_0, is_tls13
from imsinspect.capture.handshakes.agreed import Inner
from imsinspect.capture.handshakes.events import (
    MAX_FRAMES,
    MAX_MESSAGE,
    AlertSeen,
    ApplicationData,
    ChangeCipherSpec,
    Handshake,
    Origin,
    ProtectedRecord,
    Troubles,
)
from imsinspect.capture.handshakes.openings import Keys, null_opening
from imsinspect.capture.handshakes.transcript import CLIENT_HELLO, FINISHED, SERVER_HELLO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.chunk import Chunk
    from imsinspect.capture.frames import FrameId
    from imsinspect.capture.handshakes.events import Event
    from imsinspect.capture.handshakes.openings import Opening
    from imsinspect.crypto.tls import TlsSecrets


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
    pending: Opening | None = None
    active: Opening | None = None


class TlsReader:
    """Reads one TLS connection (or several that follow one another on the same ports), with what secrets open of it."""

    def __init__(self, secrets: TlsSecrets | None = None) -> None:
        self._sides = (_Side(), _Side())
        self._keys = Keys(secrets, dtls=False) if secrets else None
        self._tls13 = False
        self._trouble = Troubles()

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
        elif len(side.frames) < MAX_FRAMES and side.frames[-1:] != [chunk.frame]:
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
        side.state = "resync"
        self._lose(side, chunk.gap)

    def _lose(self, side: _Side, octets: int) -> None:
        """Octets of the stream are missing, or are no records."""
        side.lossy = True
        if self._keys is not None:
            self._keys.lost()
            if side.active is not None:
                side.active.lost(octets)

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
                side.state = "resync"
                self._lose(side, -1)
                yield from self._trouble(chunk.frame, f"no TLS record at octet {side.position} of the stream")
                return
            content_type, version, length = header
            end = consumed + TLS_HEADER + length
            hidden = content_type == APPLICATION_DATA and side.active is None
            if hidden:
                yield ApplicationData(chunk.forward, chunk.frame, chunk.time, version, length, self._is_protected(side))
            if end > len(buffer):
                if hidden:
                    side.skip = end - len(buffer)
                    consumed = len(buffer)
                break
            if not hidden:
                origin = Origin(chunk.forward, chunk.frame, chunk.time, frames, version)
                fragment = bytes(buffer[consumed + TLS_HEADER : end])
                yield from self._record(side, origin, content_type, fragment)
            consumed = end
            frames = (chunk.frame,)
        if consumed:
            side.frames.clear()
            self._drop(side, consumed)

    def _record(self, side: _Side, origin: Origin, content_type: int, fragment: bytes) -> Iterator[Event]:
        opening = side.active
        length = len(fragment)
        if opening is None or (opening.tls13 and content_type != APPLICATION_DATA):
            yield from self._content(side, origin, Inner(content_type, fragment), length, opened=False)
            return
        if content_type == HANDSHAKE and plain_handshake(fragment):
            # the first hello of a new connection, which nothing protects yet
            yield from self._content(side, origin, Inner(content_type, fragment), length, opened=False)
            return
        inner = opening.open(content_type, origin.version, fragment)
        if self._keys is not None:
            yield from self._keys.news(origin.forward, origin.frame, origin.time, origin.version)
        if inner is not None:
            yield from self._content(side, origin, inner, length, opened=True)
        elif self._keys is None:
            yield from self._trouble(origin.frame, f"record of {length} octets is shorter than its MAC")
        else:
            if opening.given_up:
                side.active = None
            failed = Inner(content_type, fragment, failed=opening.tried)
            yield from self._content(side, origin, failed, length, opened=False)

    def _content(self, side: _Side, origin: Origin, inner: Inner, length: int, *, opened: bool) -> Iterator[Event]:
        """What a record holds: in clear, opened, or hidden. The length is of the fragment as sent."""
        forward, frame, time, version = origin.forward, origin.frame, origin.time, origin.version
        content_type, fragment, failed = inner.type, inner.content, inner.failed
        if content_type == HANDSHAKE:
            yield from self._handshake(side, origin, fragment, opened=opened, failed=failed)
        elif content_type == CHANGE_CIPHER_SPEC:
            early = side.active is not None and side.active.tls13
            if not self._tls13 and not early:
                side.protected = True
                side.active = side.pending
                side.message.clear()
            yield ChangeCipherSpec(forward, frame, time, version)
        elif content_type == ALERT:
            level, description = (fragment[0], fragment[1]) if len(fragment) == 2 else (None, None)
            yield AlertSeen(forward, frame, time, version, level, description, opened, failed)
        elif content_type == APPLICATION_DATA:
            protected = opened or self._is_protected(side)
            data = fragment if opened else b""
            yield ApplicationData(forward, frame, time, version, length, protected, opened, data, failed, inner.early)
        else:
            yield ProtectedRecord(forward, frame, time, version, content_type, length, failed)

    def _is_protected(self, side: _Side) -> bool:
        return side.protected or side.lossy or self._tls13 or not side.handshake_seen

    def _handshake(
        self, side: _Side, origin: Origin, fragment: bytes, *, opened: bool, failed: bool
    ) -> Iterator[Event]:
        length = len(fragment)
        hidden = side.protected and not opened and not plain_handshake(fragment)
        begins = not side.message and not side.skip_message
        if not hidden and begins and not self._begins_message(side, fragment):
            hidden = True
            if side.handshake_seen and fragment:
                yield from self._trouble(origin.frame, f"no handshake message in a record of {length} octets")
        if hidden:
            yield ProtectedRecord(origin.forward, origin.frame, origin.time, origin.version, HANDSHAKE, length, failed)
            return
        side.handshake_seen = True
        if side.skip_message:
            passed = min(side.skip_message, length)
            side.skip_message -= passed
            fragment = fragment[passed:]
        side.message += fragment
        if len(side.message_frames) < MAX_FRAMES:
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
            yield self._followed(message)
            if self._keys is not None:
                yield from self._keys.news(origin.forward, origin.frame, origin.time, origin.version)
        if not side.message:
            side.message_frames.clear()

    @staticmethod
    def _begins_message(side: _Side, fragment: bytes) -> bool:
        if side.handshake_seen:
            return fragment[:1] != b"" and fragment[0] in HANDSHAKE_TYPES
        return plausible_handshake_start(fragment)

    def _followed(self, message: Handshake) -> Handshake:
        """A message, behind which records may be protected otherwise."""
        begins = message.type == CLIENT_HELLO and not message.protected
        if begins:
            self._tls13 = False
            for side in self._sides:
                side.protected = side.lossy = False
                side.active = side.pending = None
        verified = self._keys.take(message) if self._keys is not None else None
        if begins and self._keys is not None:
            self._sides[message.forward].active = self._keys.early_opening()
        elif message.type == SERVER_HELLO and (hello := parse_server_hello(message.body)):
            self._tls13 = is_tls13(hello.selected_version)
            opening = None if hello.hello_retry_request else null_opening(hello)
            for forward, side in enumerate(self._sides):
                side.pending = opening
                if self._keys is not None and not hello.hello_retry_request:
                    side.pending = self._keys.opening(opening, forward=bool(forward))
                if self._tls13:
                    side.active = side.pending
                    side.protected = False
                elif side.active is not None and side.active.tls13:
                    side.active = None  # no early data below TLS 1.3
        return replace(message, verified=verified) if message.type == FINISHED and verified is not None else message

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

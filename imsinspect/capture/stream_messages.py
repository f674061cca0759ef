"""Messages in the byte streams of connections: SIP, MSRP, BFCP, H.248, and media that TCP carries.

Each message names the frames that its bytes came from. Nothing is decoded here but where messages begin and end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from dissectors.bfcp import framing as bfcp
from dissectors.h248 import framing as h248
from dissectors.http import HTTP_START, RTSP_START, head_end, message_end
from dissectors.msrp import framing as msrp
from dissectors.sip import framing as sip
from dissectors.stun.framing import next_frame, relayed_data
from dissectors.websocket import BINARY, CONTINUATION, TEXT
from dissectors.websocket import next_frame as next_websocket_frame
from imsinspect.capture import classify
from imsinspect.capture.chunk import Chunk

MAX_FRAGMENTS = 256  # WebSocket frames of one message
LIMIT = 4 << 20  # octets waiting for the end of a message
HEAD_LIMIT = 65_536  # octets of an HTTP header


class StreamMessage(NamedTuple):
    """A message out of a byte stream."""

    kind: str  # of classify, or "media": a datagram that the stream carried
    data: bytes
    frames: tuple[int, ...]
    time: int
    forward: bool
    note: str = ""


class _Buffer:
    """The unread bytes of one direction, with the frame of every chunk."""

    __slots__ = ("base", "carried", "data", "marks", "parts", "searched", "synchronised", "time")

    def __init__(self) -> None:
        self.data = bytearray()
        self.base = 0  # stream offset of data[0]
        self.marks: deque[tuple[int, int]] = deque()  # stream offset where a frame's bytes begin, frame
        self.time = 0
        self.synchronised = False
        self.parts: list[bytes] = []  # of a WebSocket message in fragments
        self.carried: list[int] = []  # frames that brought them
        self.searched = 0  # octets of data in which no end was found

    def add(self, chunk: Chunk) -> None:
        self.marks.append((self.base + len(self.data), chunk.frame))
        self.data += chunk.data
        self.time = chunk.time

    def clear(self) -> None:
        self.drop(len(self.data))
        self.synchronised = False
        self.searched = 0

    def frames(self, start: int, end: int) -> tuple[int, ...]:
        """Frames that brought a range of the unread bytes, in stream order."""
        out: list[int] = []
        for index, (offset, frame) in enumerate(self.marks):
            if offset >= self.base + end:
                break
            following = self.marks[index + 1][0] if index + 1 < len(self.marks) else self.base + len(self.data)
            if following > self.base + start:
                out.append(frame)
        return tuple(dict.fromkeys(out))

    def drop(self, count: int) -> None:
        del self.data[:count]
        self.base += count
        while len(self.marks) > 1 and self.marks[1][0] <= self.base:
            self.marks.popleft()


Reader = Callable[[_Buffer, Chunk], Iterator[StreamMessage]]


def messages(kind: str, chunks: Iterable[Chunk]) -> Iterator[StreamMessage]:
    """The messages of a connection of that kind; nothing for kinds that are not read."""
    reader = READERS.get(kind)
    if reader is None:
        return
    sides = {True: _Buffer(), False: _Buffer()}
    for chunk in chunks:
        side = sides[chunk.forward]
        if chunk.gap:
            side.clear()
        side.add(chunk)
        yield from reader(side, chunk)
        if len(side.data) > LIMIT:
            side.clear()


def _sip(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    at = 0
    while True:
        if not side.synchronised:
            at = sip.resync(side.data, at) if b"SIP/2.0" in side.data else -1
            if at < 0:
                at = max(0, len(side.data) - sip.HEADER_LIMIT)
                break
            side.synchronised = True
        found = sip.next_message(side.data, at)
        if found is None:
            break
        if found.message:
            frames = side.frames(found.start, found.end)
            yield StreamMessage(
                classify.SIP, bytes(side.data[found.start : found.end]), frames, chunk.time, chunk.forward, found.note
            )
        if found.end <= at:
            break
        at = found.end
    if at:
        side.drop(at)


def _websocket(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    """SIP in WebSocket frames, one message a frame (RFC 7118 §5), behind the HTTP upgrade."""
    at = 0
    if not side.synchronised:
        if side.data.startswith((b"GET ", b"HTTP")):
            at = head_end(side.data, max(0, side.searched - 3))
            side.searched = len(side.data)
            if at < 0:
                if len(side.data) > HEAD_LIMIT:
                    side.clear()
                return
        side.synchronised = True
    while True:
        frame = next_websocket_frame(side.data, at)
        if frame is None:
            break
        if frame.end < 0:
            at = len(side.data)
            break
        if frame.opcode in (CONTINUATION, TEXT, BINARY):  # control frames may come between fragments
            if frame.opcode != CONTINUATION or len(side.parts) >= MAX_FRAGMENTS:
                side.parts, side.carried = [], []
            side.parts.append(frame.payload)
            side.carried += side.frames(at, frame.end)
            if frame.fin:
                whole, frames = b"".join(side.parts), tuple(dict.fromkeys(side.carried))
                side.parts, side.carried = [], []
                if classify.datagram_kind(whole) == classify.SIP:
                    yield StreamMessage(classify.WEBSOCKET, whole, frames, chunk.time, chunk.forward)
        at = frame.end
    if at:
        side.drop(at)


def _msrp(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    at = 0
    while (found := msrp.next_message(side.data, at, side.searched)) is not None:
        start, at = found
        side.searched = 0
        yield StreamMessage(
            classify.MSRP, bytes(side.data[start:at]), side.frames(start, at), chunk.time, chunk.forward
        )
    side.drop(msrp.unread(side.data, at))
    side.searched = len(side.data)


def _bfcp(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    at = 0
    while True:
        length = bfcp.message_length(side.data, at)
        if not length:
            if len(side.data) - at >= bfcp.COMMON_HEADER:
                at = len(side.data)  # out of step: the next chunk may begin a message
            break
        if at + length > len(side.data):
            break
        frames = side.frames(at, at + length)
        yield StreamMessage(classify.BFCP, bytes(side.data[at : at + length]), frames, chunk.time, chunk.forward)
        at += length
    if at:
        side.drop(at)


def _h248(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    at = 0
    while (found := h248.next_tpkt(side.data, at)) is not None:
        start, end = found
        if h248.is_message(bytes(side.data[start:end])):
            frames = side.frames(at, end)
            yield StreamMessage(classify.H248, bytes(side.data[start:end]), frames, chunk.time, chunk.forward)
        at = end
    if at:
        side.drop(at)


def _stun(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    """STUN messages over TCP, and the data that TURN relays in them or in channels."""
    at = 0
    if not side.synchronised:
        if classify.stream_kind(bytes(side.data)) != classify.STUN:
            side.drop(len(side.data))  # behind a gap: a later segment begins with a frame
            return
        side.synchronised = True
    while (found := next_frame(side.data, at)) is not None:
        start, end, channel = found
        if end < 0:
            at = len(side.data)
            side.synchronised = False
            break
        frames = side.frames(start, end)
        data = bytes(side.data[start:end])
        yield StreamMessage("channel" if channel else classify.STUN, data, frames, chunk.time, chunk.forward)
        inside = (4, 4 + int.from_bytes(data[2:4], "big")) if channel else relayed_data(data)
        if inside is not None:
            yield StreamMessage("media", data[inside[0] : inside[1]], frames, chunk.time, chunk.forward)
        at = end
    if at:
        side.drop(at)


def _http(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    """HTTP messages with their bodies."""
    at = 0
    while (found := HTTP_START.search(side.data, at)) is not None:
        at = found.start()
        end = message_end(side.data, at)
        if end < 0:
            break
        frames = side.frames(at, end)
        yield StreamMessage(classify.HTTP, bytes(side.data[at:end]), frames, chunk.time, chunk.forward)
        at = end
    else:
        at = max(at, len(side.data) - HEAD_LIMIT)  # a start line may be cut
    if at:
        side.drop(at)


def _rtsp(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    """RTSP messages, and RTP and RTCP between them: a dollar sign, the channel, a length (RFC 2326 §10.12)."""
    at = 0
    while at + 4 <= len(side.data):
        if RTSP_START.match(side.data, at):
            end = message_end(side.data, at)
            if end > 0:
                frames = side.frames(at, end)
                yield StreamMessage(classify.RTSP, bytes(side.data[at:end]), frames, chunk.time, chunk.forward)
                at = end
                continue
            if len(side.data) - at < HEAD_LIMIT:
                break
        if side.data[at] != 0x24:
            dollar = side.data.find(b"$", at + 1)
            at = dollar if dollar >= 0 else len(side.data)
            continue
        length = side.data[at + 2] << 8 | side.data[at + 3]
        if at + 4 + length > len(side.data):
            if side.data[at + 1] > 63:  # a dollar sign in text
                at += 1
                continue
            break
        if length >= 8 and side.data[at + 4] >> 6 == 2:
            payload = bytes(side.data[at + 4 : at + 4 + length])
            yield StreamMessage("media", payload, side.frames(at, at + 4 + length), chunk.time, chunk.forward)
            at += 4 + length
        else:
            at += 1
    if at:
        side.drop(at)


def _rtp(side: _Buffer, chunk: Chunk) -> Iterator[StreamMessage]:
    """RTP and RTCP, each behind its length (RFC 4571 §2)."""
    at = 0
    while at + 2 <= len(side.data):
        end = at + 2 + (side.data[at] << 8 | side.data[at + 1])
        if end > at + 2 < len(side.data) and 4 <= side.data[at + 2] < 128:
            at = len(side.data)  # out of step: the next chunk may begin a packet
            break
        if end > len(side.data):
            break
        if end > at + 2:
            payload = bytes(side.data[at + 2 : end])
            yield StreamMessage("media", payload, side.frames(at, end), chunk.time, chunk.forward)
        at = end
    if at:
        side.drop(at)


READERS: dict[str, Reader] = {
    classify.SIP: _sip,
    classify.WEBSOCKET: _websocket,
    classify.MSRP: _msrp,
    classify.BFCP: _bfcp,
    classify.H248: _h248,
    classify.STUN: _stun,
    classify.HTTP: _http,
    classify.RTSP: _rtsp,
    classify.RTP: _rtp,
}

"""Layers of bodies of HTTP and RTSP messages: chunks, MIKEY messages, session descriptions.

What is cut over several chunks is read in one piece, as `joined_content` of the ChunkedBody around them, and each chunk
says which octets of it it has. A ChunkedBody is built from its `joined_content` where it has one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.fields import Field
from scapy.packet import Packet, Raw

from dissectors.binary import One, Opaque, Packets
from dissectors.header_lines import Implied
from dissectors.sdp.layer import SDP
from dissectors.text import CONTENT, Base64, Padding, TextField, TextLayer
from dissectors.web.headers.layers import Headers, mikey, values

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_LIMIT = 4096
MIKEY_TYPE = b"application/mikey"

_EMPTY_LINE = re.compile(rb"\r?\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,12})[^\n]*\n")


class Chunk(TextLayer):
    """One chunk (RFC 9112 §7.1)."""

    name = "chunk"
    fields_desc = [
        Implied("chunk_size", rb"[0-9A-Fa-f]*", lambda pkt: b"%x" % len(_octets(pkt.chunk_data))),
        TextField("chunk_ext", b"", CONTENT),
        TextField("eol", b"\r\n", rb"\r?\n|"),
        One("chunk_data", lambda pkt: _size(pkt.chunk_size), lambda pkt, data: Raw),
        Implied("data_eol", rb"\r?\n|", lambda pkt: b"\r\n" if _octets(pkt.chunk_data) else b""),
        TextField("unexplained", b"", rb".*"),
    ]


def _octets(value: Any) -> bytes:
    return b"" if value is None else bytes(value)


def _size(text: Any) -> int:
    digits = bytes(text or b"")
    return int(digits, 16) if digits and len(digits) <= 12 else 0


class _Place(Field):
    """Where the octets of a chunk stand in the content; it has no octets itself."""

    __slots__: list[str] = []

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """The chunk alone does not tell."""
        return s, None

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add nothing."""
        return s


class _SizeAndPlace(Implied):
    """The size of a chunk; its meaning is what the chunk has of the content."""

    __slots__ = ()

    def meaning(self, pkt: Any, x: Any) -> str:
        """Which octets of the content the chunk has."""
        at, octets = pkt.offset_in_content, len(_octets(pkt.chunk_data))
        return f"octets {at} to {at + octets - 1} of joined_content" if isinstance(at, int) and octets else ""


class ChunkOfContent(Chunk):
    """A chunk with a part of what is read in one piece (RFC 9112 §7.1). A key may be cut: its octets are closed."""

    name = "chunk"
    secret_fields = ("chunk_data",)
    fields_desc = [
        _SizeAndPlace("chunk_size", rb"[0-9A-Fa-f]*", lambda pkt: b"%x" % len(_octets(pkt.chunk_data))),
        TextField("chunk_ext", b"", CONTENT),
        TextField("eol", b"\r\n", rb"\r?\n|"),
        _Place("offset_in_content", None, "B"),
        Opaque("chunk_data", b"", lambda pkt: _size(pkt.chunk_size)),
        Implied("data_eol", rb"\r?\n|", lambda pkt: b"\r\n" if _octets(pkt.chunk_data) else b""),
        TextField("unexplained", b"", rb".*"),
    ]


class _Joined(One):
    """What several chunks hold, as one layer; its octets are those of the chunks, and are built with them."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, None, lambda pkt, data: Raw)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, None]:
        """The headers of the message tell what it is: `join` reads it."""
        return s, None

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add nothing."""
        return s


class Chunks(Packets):
    """Chunks up to the last one, whose size is 0. They are built with the octets of `joined_content`, if it is there.

    Each has as many of them as before, the last one what is left.
    """

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, None, self._chunks)

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        end = sum(len(data) for _, data in self._chunks(pkt, s))
        return s[:end], s[end:]

    def _chunks(self, pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        at = 0
        for _ in range(CHUNK_LIMIT):
            line = _CHUNK_LINE.match(data, at)
            if line is None:
                return
            size = int(line[1], 16)
            end = line.end() + size
            if size:
                found = _EMPTY_LINE.match(data, end)
                end = found.end() if found else min(end, len(data))
            yield Chunk, data[at:end]
            at = end
            if not size:
                return

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        joined = pkt.getfieldval("joined_content")
        if joined is None or isinstance(val, bytes):
            return super().addfield(pkt, s, val)
        return s + b"".join(bytes(one) for one in _sharing(bytes(joined), list(val or ())))


def _sharing(content: bytes, chunks: list[Packet]) -> Iterator[Packet]:
    """Chunks with the octets of a content that they share; where there are none, one with all and the last one."""
    full = [one for one in chunks if isinstance(one, Chunk) and _octets(one.chunk_data)]
    if not full:
        yield Chunk(chunk_data=Raw(load=content))
        yield from chunks or [Chunk()]
        return
    at = 0
    for one in chunks:
        built = one
        if isinstance(one, Chunk) and (there := _octets(one.chunk_data)):
            share = content[at:] if one is full[-1] else content[at : at + len(there)]
            at += len(share)
            if share != there:
                built = one.copy()
                built.chunk_data = share if isinstance(one, ChunkOfContent) else Raw(load=share)
        yield built


class ChunkedBody(TextLayer):
    """A body in chunks, with the fields behind the last one (RFC 9112 §7.1)."""

    name = "chunked body"
    fields_desc = [
        Chunks("chunks"),
        _Joined("joined_content"),
        Headers("trailer_section", {}),
        TextField("empty_line", b"\r\n", rb"\r?\n|"),
        TextField("unexplained", b"", rb".*"),
    ]

    def content(self) -> bytes:
        """What the chunks hold, in one piece."""
        return b"".join(_octets(one.chunk_data) for one in self.chunks if isinstance(one, Chunk))

    def join(self, layer: type[Packet]) -> None:
        """Read the content of its chunks in one piece, as a layer."""
        at = 0
        for number, one in enumerate(self.chunks):
            if isinstance(one, Chunk) and (there := _octets(one.chunk_data)):
                self.chunks[number] = ChunkOfContent(bytes(one), offset_in_content=at)
                at += len(there)
        self.joined_content = layer(self.content())
        self.joined_content.add_parent(self)

    def troubles(self) -> Iterator[str]:
        """A last chunk that is missing, or a chunk that ends early; chunks that were changed and will not be built."""
        chunks = [one for one in self.chunks if isinstance(one, Chunk)]
        if not chunks or _size(chunks[-1].chunk_size):
            yield "no last chunk"
        for one in chunks:
            if _size(one.chunk_size) > len(_octets(one.chunk_data)):
                yield f"chunk says {_size(one.chunk_size)} octets, {len(_octets(one.chunk_data))} are there"
        if self.joined_content is not None and self.content() != bytes(self.joined_content):
            yield "the chunks hold other octets than joined_content, which they are built from"
        yield from super().troubles()


class MIKEYText(TextLayer):
    """A MIKEY message in base64 as a body (RFC 3830 §10.1; that a body is base64 is not specified)."""

    name = "MIKEY in base64"
    secret_fields = ("message",)
    fields_desc = [
        Base64("message", rb"[A-Za-z0-9+/]*", mikey),
        Padding("padding", "message"),
        TextField("eol", b"", rb"[ \t\r\n]*"),
        TextField("unexplained", b"", rb".*"),
    ]


_ENCODED_MIKEY = re.compile(rb"AQ[A-Za-z0-9+/]{6,}={0,2}[ \t\r\n]*\Z")  # begins with version 1


def content_layer(media_type: bytes, encoded: bool, data: bytes) -> type[Packet]:
    """The layer of a body of some media type; Raw for one that is not shown further, or that is encoded."""
    kind = media_type.partition(b";")[0].strip().lower()
    found: type[Packet] | None = None
    if encoded:
        pass
    elif kind == b"application/sdp":
        found = SDP
    elif kind == MIKEY_TYPE:
        found = mikey(None, data) or (MIKEYText if _ENCODED_MIKEY.match(data) else None)
    return found or Raw


class Body(One):
    """The body, as long as the headers say; None if there is none."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, None, lambda pkt, data: Raw)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Packet | None]:
        """Take the body off the front."""
        headers = pkt.fields.get("headers")
        if pkt.chunked():
            body = ChunkedBody(s)
            rest = bytes(body.unexplained)
            body.unexplained = b""
            self._decode(body, headers)
            return rest, body if len(rest) < len(s) else None
        end = pkt.body_length(len(s))
        if not end:
            return s, None
        media_type = next(iter(values(headers, b"content-type")), b"")
        return s[end:], content_layer(media_type, _encoded(headers), s[:end])(s[:end])

    def _decode(self, body: Any, headers: Any) -> None:
        """What one chunk holds is shown in its place as what it is, and what several hold is joined."""
        full = [one for one in body.chunks if isinstance(one, Chunk) and _octets(one.chunk_data)]
        if not full:
            return
        data = body.content()
        media_type = next(iter(values(headers, b"content-type")), b"")
        layer = content_layer(media_type, _encoded(headers), data)
        if len(full) == 1:
            full[0].chunk_data = layer(data)
        elif layer is not Raw:
            body.join(layer)


def _encoded(headers: Any) -> bool:
    return any(one.lower() not in (b"", b"identity") for one in values(headers, b"content-encoding"))

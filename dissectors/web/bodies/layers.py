"""Layers of bodies of HTTP and RTSP messages: chunks, MIKEY messages, session descriptions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import One, Packets
from dissectors.sdp.layer import SDP
from dissectors.text import CONTENT, Base64, Padding, TextField, TextLayer
from dissectors.web.headers.layers import ComputedText, Headers, mikey, values

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
        ComputedText("chunk_size", rb"[0-9A-Fa-f]*", lambda pkt: b"%x" % len(_octets(pkt.chunk_data))),
        TextField("chunk_ext", b"", CONTENT),
        TextField("eol", b"\r\n", rb"\r?\n|"),
        One("chunk_data", lambda pkt: _size(pkt.chunk_size), lambda pkt, data: Raw),
        ComputedText("data_eol", rb"\r?\n|", lambda pkt: b"\r\n" if _octets(pkt.chunk_data) else b""),
        TextField("unexplained", b"", rb".*"),
    ]


def _octets(value: Any) -> bytes:
    return b"" if value is None else bytes(value)


def _size(text: Any) -> int:
    digits = bytes(text or b"")
    return int(digits, 16) if digits and len(digits) <= 12 else 0


class Chunks(Packets):
    """Chunks up to the last one, whose size is 0."""

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


class ChunkedBody(TextLayer):
    """A body in chunks, with the fields behind the last one (RFC 9112 §7.1)."""

    name = "chunked body"
    fields_desc = [
        Chunks("chunks"),
        Headers("trailer_section", {}),
        TextField("empty_line", b"\r\n", rb"\r?\n|"),
        TextField("unexplained", b"", rb".*"),
    ]

    def content(self) -> bytes:
        """What the chunks hold, in one piece."""
        return b"".join(_octets(one.chunk_data) for one in self.chunks if isinstance(one, Chunk))

    def troubles(self) -> Iterator[str]:
        """A last chunk that is missing, or a chunk that ends early."""
        chunks = [one for one in self.chunks if isinstance(one, Chunk)]
        if not chunks or _size(chunks[-1].chunk_size):
            yield "no last chunk"
        for one in chunks:
            if _size(one.chunk_size) > len(_octets(one.chunk_data)):
                yield f"chunk says {_size(one.chunk_size)} octets, {len(_octets(one.chunk_data))} are there"
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
        """Where one chunk holds all, its data are shown as what they are."""
        full = [one for one in body.chunks if isinstance(one, Chunk) and _octets(one.chunk_data)]
        if len(full) == 1:
            data = _octets(full[0].chunk_data)
            media_type = next(iter(values(headers, b"content-type")), b"")
            full[0].chunk_data = content_layer(media_type, _encoded(headers), data)(data)


def _encoded(headers: Any) -> bool:
    return any(one.lower() not in (b"", b"identity") for one in values(headers, b"content-encoding"))

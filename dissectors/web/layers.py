"""Scapy layers of HTTP and RTSP, which share one form: start line, headers, an empty line, a body.

    HTTP(message)          RFC 9112: body by Content-Length or in chunks
    RTSP(message)          RFC 2326, RFC 7826; octets that begin with `$` are an Interleaved
    RTSPStream(stream)     the messages and interleaved packets of a connection

MIKEY messages are decoded in place: in a KeyMgmt header and in a body of type application/mikey. Layers are built from
their fields alone; a Content-Length or chunk size whose value is None is computed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import MAX_ITEMS, Layer, Length, Number, One, Packets, Sized
from dissectors.http import head_end
from dissectors.text import CONTENT, Meant, TextField, TextLayer
from dissectors.web.bodies.layers import Body
from dissectors.web.codes import HTTP_METHODS, HTTP_STATUS, RTSP_METHODS, RTSP_STATUS
from dissectors.web.headers.layers import RTSP_HEADERS, Headers, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERLEAVED = 0x24  # `$`

_DIGITS = re.compile(rb"[0-9]{1,15}")


# --- start lines ----------------------------------------------------------------------------------


def _named(table: dict[int, str]) -> Callable[[Any, bytes], str]:
    return lambda pkt, x: table.get(int(x), "unknown status") if x.isdigit() and len(x) < 6 else ""


def _request_line(name: str, methods: dict[bytes, str], version: bytes) -> list[Any]:
    return [
        Meant("method", next(iter(methods)), rb"[^ \r\n]*", lambda pkt, x: methods.get(x, "unknown method")),
        TextField("space1", b" ", rb" *"),
        TextField("request_target", b"/", rb"[^ \r\n]*"),
        TextField("space2", b" ", rb" *"),
        TextField(name, version, rb"[^ \r\n]*"),
        TextField("unexplained", b"", CONTENT),
        TextField("eol", b"\r\n", rb".*"),
    ]


def _status_line(name: str, codes: dict[int, str], version: bytes) -> list[Any]:
    return [
        TextField(name, version, rb"[^ \r\n]*"),
        TextField("space1", b" ", rb" *"),
        Meant("status_code", b"200", rb"[^ \r\n]*", _named(codes)),
        TextField("space2", b" ", rb" *"),
        TextField("reason_phrase", b"OK", CONTENT),
        TextField("eol", b"\r\n", rb".*"),
    ]


class HTTPRequestLine(TextLayer):
    """The first line of a request (RFC 9112 §3)."""

    name = "request-line"
    fields_desc = _request_line("HTTP_version", HTTP_METHODS, b"HTTP/1.1")


class HTTPStatusLine(TextLayer):
    """The first line of a response (RFC 9112 §4)."""

    name = "status-line"
    fields_desc = _status_line("HTTP_version", HTTP_STATUS, b"HTTP/1.1")


class RTSPRequestLine(TextLayer):
    """The first line of a request (RFC 2326 §6.1, RFC 7826 §7.1)."""

    name = "Request-Line"
    fields_desc = _request_line("RTSP_Version", RTSP_METHODS, b"RTSP/1.0")


class RTSPStatusLine(TextLayer):
    """The first line of a response (RFC 2326 §7.1, RFC 7826 §8.1)."""

    name = "Status-Line"
    fields_desc = _status_line("RTSP_Version", RTSP_STATUS, b"RTSP/1.0")


class StartLine(One):
    """The first line: a status line if it begins with the protocol's name, a request line otherwise."""

    __slots__ = ()

    def __init__(self, name: str, protocol: bytes, request: type[Packet], status: type[Packet]) -> None:
        Sized.__init__(self, name, request(), None)
        self.choose = lambda pkt, data: status if data[: len(protocol)].upper() == protocol else request

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Packet | None]:
        """Take the line off the front."""
        end = s.find(b"\n") + 1 or len(s)
        return s[end:], self.choose(pkt, s[:end])(s[:end]) if end else None


# --- messages -------------------------------------------------------------------------------------


class Message(TextLayer):
    """A message of either protocol (RFC 9112 §2.1, RFC 7826 §5)."""

    name = "message"

    def is_request(self) -> bool:
        """Whether it begins with a request line."""
        return isinstance(self.start_line, HTTPRequestLine | RTSPRequestLine)

    def chunked(self) -> bool:
        """Whether its body is in chunks."""
        return False

    def body_length(self, there: int) -> int:
        """How many octets the body has, of those that are there."""
        return min(self.declared_length() or 0, there)

    def declared_length(self) -> int | None:
        """What Content-Length says; None without one, or with one that says nothing sensible."""
        found = values(self.fields.get("headers"), b"content-length")
        if not found or not _DIGITS.fullmatch(found[0]):
            return None
        return int(found[0])

    def troubles(self) -> Iterator[str]:
        """Content-Length that is no number, given twice or not kept; octets behind the message."""
        found = values(self.headers, b"content-length")
        if any(not _DIGITS.fullmatch(one) for one in found):
            yield "Content-Length is no number"
        if len(set(found)) > 1:
            yield "Content-Length is given with different values"
        there = len(b"" if self.body is None else bytes(self.body))
        declared = self.declared_length()
        if declared is not None and not self.chunked() and declared != there:
            yield f"Content-Length says {declared} octets, {there} are there"
        if self.chunked() and found:
            yield "Content-Length beside chunks"
        if not self.empty_line:
            yield "no empty line behind the headers"
        if self.trailing:
            yield f"{len(self.trailing)} octets behind the message are not explained"


def _message(start_line: StartLine, headers: dict[bytes, type[Packet]]) -> list[Any]:
    return [
        TextField("leading", b"", rb"[\r\n]*+"),
        start_line,
        Headers("headers", headers),
        TextField("empty_line", b"\r\n", rb"\r?\n|"),
        Body("body"),
        TextField("trailing", b"", rb".*"),
    ]


class HTTP(Message):
    """An HTTP message (RFC 9112 §2.1)."""

    name = "HTTP"
    fields_desc = _message(StartLine("start_line", b"HTTP/", HTTPRequestLine, HTTPStatusLine), {})

    def chunked(self) -> bool:
        """Whether chunked is the last transfer coding (RFC 9112 §6.1)."""
        codings = values(self.fields.get("headers"), b"transfer-encoding")
        return bool(codings) and codings[-1].rpartition(b",")[2].strip().lower() == b"chunked"

    def body_length(self, there: int) -> int:
        """By Content-Length; without one a request has no body and a response reaches to the end (RFC 9112 §6.3)."""
        start = self.fields.get("start_line")
        if isinstance(start, HTTPStatusLine):
            code = bytes(start.status_code)
            if code[:1] == b"1" or code in (b"204", b"304"):
                return 0
            if not values(self.fields.get("headers"), b"content-length"):
                return there
        return super().body_length(there)


class RTSP(Message):
    """An RTSP message (RFC 2326 §4, RFC 7826 §5)."""

    name = "RTSP"
    fields_desc = _message(StartLine("start_line", b"RTSP/", RTSPRequestLine, RTSPStatusLine), RTSP_HEADERS)

    @classmethod
    def dispatch_hook(cls, _pkt: Any = None, *_: Any, **__: Any) -> type[Packet]:
        """By the first octet."""
        if isinstance(_pkt, bytes | bytearray) and len(_pkt) >= 4 and _pkt[0] == INTERLEAVED:
            return Interleaved
        return cls


class Interleaved(Layer):
    """A packet of media in an RTSP connection (RFC 2326 §10.12, RFC 7826 §14)."""

    name = "interleaved"
    fields_desc = [
        Number("dollar", INTERLEAVED, 1),
        Number("channel_identifier", 0, 1),
        Length("length", "octets", 2),
        One("octets", "length", lambda pkt, data: Raw),
    ]


class RTSPStream(Layer):
    """One direction of an RTSP connection (RFC 2326 §10.12, RFC 7826 §14)."""

    name = "RTSP stream"
    fields_desc = [Packets("items", None, lambda pkt, data: _stream(data))]


def _stream(data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    at = 0
    for _ in range(MAX_ITEMS):
        if at >= len(data):
            return
        if data[at] == INTERLEAVED:
            end = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
            if at + 4 > len(data) or end > len(data):
                break
            yield Interleaved, data[at:end]
        else:
            end = _message_end(data, at)
            if end < 0:
                break
            yield RTSP, data[at:end]
        at = end
    if at < len(data):
        yield Raw, data[at:]


_LENGTH = re.compile(rb"\nContent-Length[ \t]*:[ \t]*([0-9]{1,15})", re.IGNORECASE)


def _message_end(data: bytes, at: int) -> int:
    """Where the message that begins at an offset ends; -1 when it is not whole."""
    head = head_end(data, at)
    if head < 0:
        return -1
    length = _LENGTH.search(data, at, head)
    end = head + (int(length[1]) if length else 0)
    return end if end <= len(data) else -1

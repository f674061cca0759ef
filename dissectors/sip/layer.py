"""A Scapy layer for SIP: start line, a packet for each header, and the body as what it is (RFC 3261).

Packets are always built from their fields, so what was changed inside is built, and what was not comes out octet for
octet. `SIP(start_line=b"BYE sip:a SIP/2.0", headers=[SIPHeader(header_name=b"Call-ID", header_value=b"1")])` builds; a
Content-Length whose value is None is computed from the body.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from scapy.layers.inet import UDP
from scapy.packet import Packet, Raw, bind_bottom_up, bind_layers

from dissectors.binary import One, Packets, exhausted
from dissectors.header_lines import HEADER_LIMIT, Implied, MessageHeaders, at_empty_line, rows
from dissectors.sdp.layer import SDP
from dissectors.sip.body import DEPTH_LIMIT, content_start, delimited
from dissectors.sip.layers import HEADER_LAYERS
from dissectors.sip.parse import COMPACT_FORMS, SipMessage, header_rows, is_start_line, parameters, parse
from dissectors.sip.values import SIPHeader
from dissectors.text import CONTENT, TextField, TextLayer, layer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BODY_LAYERS",
    "HEADER_LIMIT",
    "PORT",
    "SIP",
    "SIPBodyPart",
    "SIPFragment",
    "SIPHeader",
    "SIPMultipart",
    "body_packet",
    "header_layer",
]

PORT = 5060

_HEAD_END = re.compile(rb"(?<=\n)\r?\n\Z")
_LINE = re.compile(CONTENT)
_LINE_END = re.compile(rb"(?:\r?\n)?")
_HEAD_ENDS = re.compile(rb"\n(?=\r?\n)")
PLAIN = frozenset((b"", b"identity", b"7bit", b"8bit", b"binary"))
"""Encodings that leave a body as it is."""


def header_layer(octets: bytes) -> type[Packet]:
    """The layer of one header, by its name in any spelling."""
    name, colon, _ = octets[:64].partition(b":")
    name = name.rstrip(b" \t").lower()
    return HEADER_LAYERS.get(COMPACT_FORMS.get(name, name), SIPHeader) if colon else SIPHeader


def _cut_headers(s: bytes) -> tuple[list[Packet], bytes]:
    """The headers up to the empty line; what is behind the limit is left."""
    packets: list[Packet] = []
    at = 0
    for row in islice(rows(s), HEADER_LIMIT):
        if exhausted():
            break
        packets.append(header_layer(row)(row))
        at += len(row)
    return packets, s[at:]


class HeadersField(MessageHeaders):
    """Headers up to a limit, the octets behind them are kept in one field; a length without a value is the body's."""

    __slots__: list[str] = []

    def __init__(self, name: str) -> None:
        super().__init__(name, lambda: header_layer)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take headers off the front."""
        packets, rest = _cut_headers(s)
        for packet in packets:
            packet.add_parent(pkt)
        return rest, packets


def _octets(body: Any) -> bytes:
    return b"" if body is None else bytes(body)


def _line_end(name: str, pattern: bytes) -> Implied:
    """A line end that is there when there is a start line, unless it is given."""
    return Implied(name, pattern, lambda pkt: b"\r\n" if pkt.start_line else b"")


class UnreadHeadersField(TextField):
    """Octets between the headers shown as packets and the empty line."""

    __slots__ = ()

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """All that is in front of the empty line, the body and what stands behind it."""
        head = s[: len(s) - len(pkt.lean.body) - len(pkt.lean.trailing)]
        empty_line = _HEAD_END.search(b"\n" + head)  # the line end in front of it may be the last header's
        unread = head[: empty_line.start() - 1] if empty_line else head
        return s[len(unread) :], unread


class BodyField(One):
    """A body as its layer, or as raw octets; None if there is none."""

    __slots__: list[str] = []

    def __init__(self, name: str) -> None:
        super().__init__(name, None, lambda pkt, octets: Raw)

    def any2i(self, pkt: Any, x: Any) -> Any:
        """Octets become a raw packet."""
        return Raw(load=bytes(x)) if isinstance(x, bytes | bytearray) else x

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Build the body."""
        return s + _octets(val)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """The declared body; what stands behind it is left to the next field."""
        message = pkt.lean
        size = len(message.body) if message is not None else len(s)
        body = body_packet(s[:size], message.head if message is not None else b"", 0) if size else None
        if body is not None:
            body.add_parent(pkt)
        return s[size:], body


class SIPBodyPart(TextLayer):
    """One part of a multipart body, from its delimiter to the line break in front of the next (RFC 2046 §5.1.1)."""

    name = "SIP body part"
    fields_desc = [
        TextField("delimiter", b"", rb"[^\n]*\n?"),
        HeadersField("headers"),
        TextField("empty_line", b"\r\n", rb"\r?\n|"),
        BodyField("body"),
        TextField("eol", b"\r\n", rb".*"),
    ]
    __slots__ = ("lean",)

    def pre_dissect(self, s: bytes) -> bytes:
        """A part alone: its body reaches to the end."""
        self.lean: SipMessage | None = None
        return s


class SIPMultipart(TextLayer):
    """A multipart body (RFC 2046 §5.1). Dissected alone, without its boundary, it is all preamble."""

    name = "SIP multipart"
    fields_desc = [
        TextField("preamble", b"", rb".*"),
        Packets("parts", lambda pkt: 0, lambda pkt, data: iter(())),
        TextField("epilogue", b"", rb".*"),
    ]


class SIPFragment(TextLayer):
    """A SIP message, or a part of one, as a body (RFC 3420 §2.2, RFC 3261 §23.4)."""

    name = "SIP fragment"
    fields_desc = [
        TextField("start_line", b"", rb""),
        TextField("start_line_eol", b"", rb""),
        HeadersField("headers"),
        TextField("unread_headers", b"", rb""),
        TextField("empty_line", b"", rb"\r?\n|"),
        BodyField("body"),
    ]
    __slots__ = ("lean",)

    def pre_dissect(self, s: bytes) -> bytes:
        """A fragment alone: octets behind its empty line stay raw."""
        self.lean: SipMessage | None = None
        return s

    def do_dissect(self, s: bytes) -> bytes:
        """Take the parts of the fragment, if it is the outermost one."""
        self.fields.update(_fragment_fields(s, 0))
        self.explicit = 1
        return b""


BODY_LAYERS: dict[bytes, tuple[str, str]] = {
    b"application/conference-info+xml": ("dissectors.confinfo.layers", "ConferenceInfo"),
    b"application/mikey": ("dissectors.mikey.layers", "MIKEY"),
    b"application/pkcs7-mime": ("dissectors.cms.layers", "CMS"),
    b"application/pkcs7-signature": ("dissectors.cms.layers", "CMS"),
    b"application/x-pkcs7-mime": ("dissectors.cms.layers", "CMS"),
    b"application/x-pkcs7-signature": ("dissectors.cms.layers", "CMS"),
    b"application/resource-lists+xml": ("dissectors.resource_lists.layers", "ResourceLists"),
    b"message/cpim": ("dissectors.cpim.layers", "CPIM"),
}
"""Module and class of the layers of media types, loaded when they are first met."""


def body_packet(data: bytes, head: bytes, depth: int) -> Packet:
    """The packet that shows a body under the headers `head` (which begin with a start line or an empty line)."""
    kinds = header_rows(head, b"content-type")
    kind = kinds[0] if kinds else b""
    media_type = kind.partition(b";")[0].strip().lower()
    encoded = header_rows(head, b"content-encoding") or header_rows(head, b"content-transfer-encoding")
    if depth >= DEPTH_LIMIT or any(row.lower() not in PLAIN for row in encoded):
        return _made(Raw(load=data))
    if media_type == b"application/sdp" or (not media_type and data[:3] == b"v=0"):
        return SDP(data)
    if media_type.startswith(b"multipart/"):
        boundary = parameters(kind).get(b"boundary", b"")
        return _multipart(data, boundary, depth) if boundary else _made(Raw(load=data))
    if media_type in (b"message/sipfrag", b"message/sip"):
        fragment = SIPFragment(**_fragment_fields(data, depth))
        return _made(fragment)
    layer = layer_of(*BODY_LAYERS[media_type]) if media_type in BODY_LAYERS else None
    if layer is not None:
        packet = layer(data)
        if bytes(packet) == data:
            return packet
    return _made(Raw(load=data))


def _fragment_fields(data: bytes, depth: int) -> dict[str, Any]:
    """The fields of a SIP fragment."""
    start_line = eol = b""
    rest = data
    if is_start_line(data):
        start_line = _LINE.match(data)[0]  # type: ignore[index]
        eol = _LINE_END.match(data, len(start_line))[0]  # type: ignore[index]
        rest = data[len(start_line) + len(eol) :]
    headers, behind = _cut_headers(rest)
    head = rest[: len(rest) - len(behind)]
    unread = b""
    if behind and not at_empty_line(behind, 0):  # more headers than are shown
        end = _HEAD_ENDS.search(behind)
        unread = behind[: end.start() + 1] if end else behind
        head, behind = head + unread, behind[len(unread) :]
    empty = _LINE_END.match(behind)[0]  # type: ignore[index]
    content = behind[len(empty) :]
    return {
        "start_line": start_line,
        "start_line_eol": eol,
        "headers": headers,
        "unread_headers": unread,
        "empty_line": empty,
        "body": body_packet(content, b"\n" + head, depth + 1) if content else None,
    }


def _multipart(data: bytes, boundary: bytes, depth: int) -> Packet:
    spans, _ = delimited(data, boundary)
    if not spans:
        return _made(SIPMultipart(preamble=data))
    parts: list[Packet] = []
    for number, span in enumerate(spans):
        last = number + 1 == len(spans)
        begin = content_start(data, span)
        headers, empty_line = _cut_headers(data[span.start : begin])
        content = data[begin : span.end]
        body = body_packet(content, b"\n" + data[span.start : begin], depth + 1) if content else None
        part = SIPBodyPart(
            delimiter=data[span.delimiter : span.start],
            headers=headers,
            empty_line=empty_line,
            body=body,
            eol=b"" if last else data[span.end : spans[number + 1].delimiter],
        )
        parts.append(_made(part))
    return _made(SIPMultipart(preamble=data[: spans[0].delimiter], parts=parts, epilogue=data[max(spans[-1].end, 0) :]))


def _made(packet: Packet) -> Packet:
    """A packet put together from octets counts as dissected: it is built as it is, without choosing values."""
    packet.explicit = 1
    return packet


class SIP(TextLayer):
    """A SIP message (RFC 3261 §7)."""

    name = "SIP"
    fields_desc = [
        TextField("leading", b"", rb"[\r\n]*+"),
        TextField("start_line", b"", CONTENT),
        _line_end("start_line_eol", rb"\r?\n|"),
        HeadersField("headers"),
        UnreadHeadersField("unread_headers", b"", rb""),
        _line_end("empty_line", rb"\r?\n|"),
        BodyField("body"),
        TextField("trailing", b"", rb".*"),
    ]
    __slots__ = ("lean",)

    def pre_dissect(self, s: bytes) -> bytes:
        """The lean parser says where the body begins and ends."""
        self.lean: SipMessage | None = parse(s)
        return s

    def post_dissect(self, s: bytes) -> bytes:
        """Only dissecting needs the parsed message: a change to the packet would make it wrong."""
        self.lean = None
        return s

    def troubles(self) -> Iterator[str]:
        """What the lean parser says of the message: no start line, headers without an end, a wrong Content-Length."""
        for note in self.message().notes:
            yield note.text

    def message(self) -> SipMessage:
        """What the lean parser reads from the octets of this packet."""
        return parse(bytes(self))

    def mysummary(self) -> str:
        """The start line."""
        return f"SIP {bytes(self.start_line)[:80].decode('utf-8', 'backslashreplace')}"


bind_layers(UDP, SIP, sport=PORT, dport=PORT)
bind_bottom_up(UDP, SIP, sport=PORT)
bind_bottom_up(UDP, SIP, dport=PORT)

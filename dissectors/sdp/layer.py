"""A Scapy layer for session descriptions: every line a layer, what secures media taken apart to its last parameter.

A line that does not have its type's form is an SDPLine. What a line's form does not explain stands in its field
`unexplained`. Layers are always built from their fields, so what was changed inside is built, and what was not comes
out octet for octet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.binary import exhausted
from dissectors.sdp.capabilities.layers import CAPABILITY_LAYERS
from dissectors.sdp.fields import line
from dissectors.sdp.keying.layers import (
    KEYING_LAYERS,
    SDPCrypto,
    SDPFingerprint,
    SDPKey,
    SDPKeyMgmt,
    SDPKeyParam,
    SDPSessionParam,
    SDPSetup,
)
from dissectors.sdp.media.layers import MEDIA_LAYERS
from dissectors.sdp.parse import SessionDescription, parse
from dissectors.sdp.streams.layers import STREAM_LAYERS
from dissectors.sdp.transports import transport
from dissectors.text import CONTENT, Meant, Pieces, TextField, TextLayer, Word, gap, word, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from scapy.packet import Packet

__all__ = [
    "BY_ATTRIBUTE",
    "BY_LETTER",
    "LINE_LIMIT",
    "SDP",
    "LineList",
    "SDPAttribute",
    "SDPConnection",
    "SDPCrypto",
    "SDPFingerprint",
    "SDPKey",
    "SDPKeyMgmt",
    "SDPKeyParam",
    "SDPLine",
    "SDPMedia",
    "SDPOrigin",
    "SDPSessionParam",
    "SDPSetup",
    "SDPTime",
    "attribute_layer",
    "line_layer",
]

LINE_LIMIT = 4096  # lines shown as layers; the octets behind them are kept in one field

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")


class SDPLine(TextLayer):
    """Any line: `<type>=<value>` (RFC 8866 §5)."""

    name = "SDP line"
    fields_desc = [
        TextField("type", b"", rb"[A-Za-z](?==)|"),
        TextField("equals", b"=", rb"=|"),
        TextField("line_value", b"", CONTENT),
        TextField("eol", b"\r\n", rb".*"),
    ]

    def troubles(self) -> Iterator[str]:
        """A line without a type."""
        if not self.type and (self.line_value or self.equals):
            yield "line has no type"


class SDPOrigin(TextLayer):
    """An o= line: who made the session, and which version this is (RFC 8866 §5.2)."""

    name = "SDP origin"
    fields_desc = line(
        TextField("prefix", b"o=", rb"o="),
        word("username", b"-"),
        gap("space1"),
        word("sess_id", b"0"),
        gap("space2"),
        word("sess_version", b"0"),
        gap("space3"),
        word("nettype", b"IN"),
        gap("space4"),
        word("addrtype", b"IP4"),
        gap("space5"),
        word("unicast_address", b"0.0.0.0"),
    )


class SDPTime(TextLayer):
    """A t= line: start and stop of the session (RFC 8866 §5.9)."""

    name = "SDP time"
    fields_desc = line(TextField("prefix", b"t=", rb"t="), word("start_time", b"0"), gap(), word("stop_time", b"0"))


def _proto_meaning(packet: Any, proto: bytes) -> str:
    row = transport(proto)
    if not row.known:
        return "unknown transport"
    return f"protected: {row.security}" if row.secure else "not protected"


class SDPMedia(TextLayer):
    """An m= line (RFC 8866 §5.14)."""

    name = "SDP media"
    fields_desc = line(
        TextField("prefix", b"m=", rb"m="),
        word("media", b"audio"),
        gap("space1"),
        TextField("port", b"9", rb"[^ \t\r\n/]*"),
        TextField("slash", b"", rb"/|"),
        word("number_of_ports"),
        gap("space2"),
        Meant("proto", b"RTP/AVP", rb"[^ \t\r\n]*", _proto_meaning),
        gap("space3"),
        words("formats", lambda pkt, piece: Word, default=b"0"),
    )

    def troubles(self) -> Iterator[str]:
        """A port that is none, or formats that are missing."""
        if not bytes(self.port).isdigit() or len(self.port) > 10 or int(self.port) > 65535:
            yield "port is no number up to 65535"
        if not self.formats:
            yield "line has no format"


class SDPConnection(TextLayer):
    """A c= line: address of the media (RFC 8866 §5.7)."""

    name = "SDP connection"
    fields_desc = line(
        TextField("prefix", b"c=", rb"c="),
        word("nettype", b"IN"),
        gap("space1"),
        word("addrtype", b"IP4"),
        gap("space2"),
        TextField("connection_address", b"0.0.0.0", rb"[^ \t\r\n/]*"),
        TextField("ttl_and_count", b"", rb"/[^ \t\r\n]*|"),
    )


class SDPBandwidth(TextLayer):
    """A b= line (RFC 8866 §5.8)."""

    name = "SDP bandwidth"
    fields_desc = line(
        TextField("prefix", b"b=", rb"b="),
        TextField("bwtype", b"AS", rb"[^: \t\r\n]*"),
        TextField("colon", b":", rb":|"),
        word("bandwidth", b"0"),
    )


class SDPAttribute(TextLayer):
    """An a= line (RFC 8866 §5.13)."""

    name = "SDP attribute"
    fields_desc = [
        TextField("prefix", b"a=", rb"a=|"),
        TextField("attribute_name", b"", rb"[^:\r\n]*"),
        TextField("colon", b":", rb":|"),
        TextField("attribute_value", b"", CONTENT),
        TextField("eol", b"\r\n", rb".*"),
    ]

    def troubles(self) -> Iterator[str]:
        """No value where the attribute needs one, and so is not taken apart."""
        yield from super().troubles()
        name = bytes(self.attribute_name or b"").rstrip(b" \t")
        if not self.colon and name in BY_ATTRIBUTE and name not in _FLAGS:
            yield f"{name.decode('ascii')} needs a value and has none"


BY_ATTRIBUTE: dict[bytes, type[Packet]] = {**KEYING_LAYERS, **MEDIA_LAYERS, **STREAM_LAYERS, **CAPABILITY_LAYERS}
"""Layers of attributes that are taken apart further."""

BY_LETTER: dict[bytes, type[Packet]] = {
    b"a=": SDPAttribute,
    b"b=": SDPBandwidth,
    b"c=": SDPConnection,
    b"k=": SDPKey,
    b"m=": SDPMedia,
    b"o=": SDPOrigin,
    b"t=": SDPTime,
}
"""Layers of lines that have fields of their own."""

_FLAGS = frozenset(
    name
    for name, layer in BY_ATTRIBUTE.items()
    if any(field.name in ("attribute_name", "colon") for field in layer.fields_desc[:2])
)


def attribute_layer(text: bytes) -> type[Packet]:
    """The layer of an attribute by its name and value, without `a=`."""
    name, colon, _ = text[:64].partition(b":")
    name = name.rstrip()
    if name in _FLAGS or colon:
        return BY_ATTRIBUTE.get(name, SDPAttribute)
    return SDPAttribute


def line_layer(octets: bytes) -> type[Packet]:
    """The layer of one line, its line end included."""
    layer = BY_LETTER.get(octets[:2], SDPLine)
    return attribute_layer(octets[2:66]) if layer is SDPAttribute else layer


class LineList(Pieces):
    """The lines of a description, up to a limit."""

    __slots__ = ()

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take lines off the front."""
        packets: list[Packet] = []
        at = 0
        for found in _LINES.finditer(s):
            if len(packets) == LINE_LIMIT or exhausted():
                break
            packet = line_layer(found[0])(found[0])
            packet.add_parent(pkt)
            packets.append(packet)
            at = found.end()
        return s[at:], packets


class SDP(TextLayer):
    """A session description (RFC 8866 §5). `SDP(lines=[SDPLine(type=b"v", line_value=b"0"), SDPMedia(…), …])`."""

    name = "SDP"
    fields_desc = [
        LineList("lines", b"", b"", lambda pkt, piece: line_layer(piece), b""),
        TextField("unread", b"", rb".*"),
    ]

    def description(self) -> SessionDescription:
        """What the lean parser reads from the octets of this packet."""
        return parse(bytes(self))

    def troubles(self) -> Iterator[str]:
        """What is wrong with the description as a whole, beyond its lines."""
        description = self.description()
        if any(note.text.startswith("session description") for note in description.notes):
            yield "session description does not begin with v=0"
        for crypto in description.crypto:
            yield f"a=crypto at {crypto.offset} stands at session level"
        for media in description.media:
            tags: set[int] = set()
            for crypto in media.crypto:
                if crypto.tag in tags:
                    yield f"a=crypto at {crypto.offset} has a tag used before in the media section"
                tags.add(crypto.tag)
        if self.unread and len(self.lines) >= LINE_LIMIT:
            yield f"more than {LINE_LIMIT} lines"
        elif self.unread:
            yield f"{len(self.unread)} octets are not taken apart: too many layers"

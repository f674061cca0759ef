"""A Scapy layer for session descriptions: every line a packet, what secures media taken apart further.

A line that does not have its type's form is an SDPLine. Packets are always built from their fields, so what was
changed inside is built, and what was not comes out octet for octet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.sdp.parse import SessionDescription, parse
from dissectors.text import CONTENT, TextField, TextListField, TextPacket

if TYPE_CHECKING:
    from scapy.packet import Packet

LINE_LIMIT = 4096  # lines shown as packets; the octets behind them are kept in one field

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")


def _rest(name: str = "eol", default: bytes = b"\r\n") -> TextField:
    return TextField(name, default, rb".*")


class SDPLine(TextPacket):
    """Any line: `<type>=<value>` (RFC 8866 §5)."""

    name = "SDP line"
    fields_desc = [
        TextField("type", b"", rb"[A-Za-z](?==)|"),
        TextField("equals", b"=", rb"=|"),
        TextField("line_value", b"", CONTENT),
        _rest(),
    ]


class SDPMedia(TextPacket):
    """An m= line (RFC 8866 §5.14)."""

    name = "SDP media"
    fields_desc = [
        TextField("prefix", b"m=", rb"m="),
        TextField("media", b"audio", rb"[^ \r\n]*"),
        TextField("space1", b" ", rb" *"),
        TextField("port", b"9", rb"[^ \r\n]*"),
        TextField("space2", b" ", rb" *"),
        TextField("proto", b"RTP/AVP", rb"[^ \r\n]*"),
        TextField("space3", b" ", rb" *"),
        TextField("formats", b"0", CONTENT),
        _rest(),
    ]


class SDPConnection(TextPacket):
    """A c= line (RFC 8866 §5.7)."""

    name = "SDP connection"
    fields_desc = [
        TextField("prefix", b"c=", rb"c="),
        TextField("nettype", b"IN", rb"[^ \r\n]*"),
        TextField("space1", b" ", rb" *"),
        TextField("addrtype", b"IP4", rb"[^ \r\n]*"),
        TextField("space2", b" ", rb" *"),
        TextField("connection_address", b"0.0.0.0", CONTENT),
        _rest(),
    ]


class SDPAttribute(TextPacket):
    """An a= line (RFC 8866 §5.13)."""

    name = "SDP attribute"
    fields_desc = [
        TextField("prefix", b"a=", rb"a="),
        TextField("attribute_name", b"", rb"[^:\r\n]*"),
        TextField("colon", b":", rb":|"),
        TextField("attribute_value", b"", CONTENT),
        _rest(),
    ]


class SDPCrypto(TextPacket):
    """An a=crypto line (RFC 4568 §9.1)."""

    name = "SDP crypto"
    fields_desc = [
        TextField("prefix", b"a=crypto:", rb"a=crypto:[ \t]*"),
        TextField("tag", b"1", rb"[^ \t\r\n]*"),
        TextField("space1", b" ", rb"[ \t]*"),
        TextField("crypto_suite", b"AES_CM_128_HMAC_SHA1_80", rb"[^ \t\r\n]*"),
        TextField("space2", b" ", rb"[ \t]*"),
        TextField("key_params", b"", rb"[^ \t\r\n]*"),
        TextField("session_params", b"", CONTENT),  # with the white space in front of each
        _rest(),
    ]


class SDPFingerprint(TextPacket):
    """An a=fingerprint line (RFC 8122 §5)."""

    name = "SDP fingerprint"
    fields_desc = [
        TextField("prefix", b"a=fingerprint:", rb"a=fingerprint:[ \t]*"),
        TextField("hash_func", b"sha-256", rb"[^ \t\r\n]*"),
        TextField("space", b" ", rb"[ \t]*"),
        TextField("fingerprint", b"", CONTENT),
        _rest(),
    ]


class SDPKeyMgmt(TextPacket):
    """An a=key-mgmt line (RFC 4567 §3.1)."""

    name = "SDP key-mgmt"
    fields_desc = [
        TextField("prefix", b"a=key-mgmt:", rb"a=key-mgmt:[ \t]*"),
        TextField("prtcl_id", b"mikey", rb"[^ \t\r\n]*"),
        TextField("space", b" ", rb"[ \t]*"),
        TextField("keymgmt_data", b"", CONTENT),
        _rest(),
    ]


class SDPSetup(TextPacket):
    """An a=setup line (RFC 4145 §4)."""

    name = "SDP setup"
    fields_desc = [
        TextField("prefix", b"a=setup:", rb"a=setup:[ \t]*"),
        TextField("role", b"actpass", CONTENT),
        _rest(),
    ]


BY_ATTRIBUTE: dict[bytes, type[TextPacket]] = {
    b"crypto": SDPCrypto,
    b"fingerprint": SDPFingerprint,
    b"key-mgmt": SDPKeyMgmt,
    b"setup": SDPSetup,
}
"""Packets of attributes that are taken apart further."""

BY_LETTER: dict[bytes, type[TextPacket]] = {b"a=": SDPAttribute, b"c=": SDPConnection, b"m=": SDPMedia}
"""Packets of lines that have fields of their own."""


def line_packet(line: bytes) -> TextPacket:
    """The packet of one line, its line end included."""
    kind = BY_LETTER.get(line[:2], SDPLine)
    if kind is SDPAttribute:
        name, colon, _ = line[2:64].partition(b":")
        if colon:
            kind = BY_ATTRIBUTE.get(name, SDPAttribute)
    return kind(line)


def _cut_lines(s: bytes) -> tuple[list[Packet], bytes]:
    packets: list[Packet] = []
    at = 0
    for found in _LINES.finditer(s):
        if len(packets) == LINE_LIMIT:
            break
        packets.append(line_packet(found[0]))
        at = found.end()
    return packets, s[at:]


class SDP(TextPacket):
    """A session description (RFC 8866). `SDP(lines=[SDPLine(type=b"v", line_value=b"0"), SDPMedia(…), …])`."""

    name = "SDP"
    fields_desc = [
        TextListField("lines", _cut_lines),
        _rest("unread", b""),
    ]

    def description(self) -> SessionDescription:
        """What the lean parser reads from the octets of this packet."""
        return parse(bytes(self))

"""Layers of the attributes that describe streams: RTP sources, header extensions and their encryption, SCTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.sdp.fields import SDPValued, attribute, flag
from dissectors.sdp.media.codes import DIRECTIONS
from dissectors.sdp.streams.codes import ENCRYPT, HEADER_EXTENSIONS, SOURCE_ATTRIBUTES, SSRC_GROUP_SEMANTICS
from dissectors.text import CONTENT, Meant, TextField, TextLayer, Word, gap, named_word, optional_gap, word, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet

_ONE_BYTE = range(1, 15)
_TWO_BYTE = range(1, 256)
_APPBITS = 256
_FOR_OFFERS = range(4096, 4352)
_MSID_LENGTH = 64


def _number(text: Any, most: int) -> int | None:
    """A decimal number up to some value; None for anything else."""
    digits = bytes(text)
    if not digits.isdigit() or len(digits) > len(str(most)) or int(digits) > most:
        return None
    return int(digits)


# --- header extensions ----------------------------------------------------------------------------


def _identifier_meaning(packet: Any, text: bytes) -> str:
    number = _number(text, 99_999)
    if number is None:
        return ""
    if number in _ONE_BYTE:
        return "one-byte or two-byte header"
    if number in _TWO_BYTE:
        return "two-byte header only"
    if number == _APPBITS:
        return "appbits of the two-byte header"
    return "not assigned yet, for the answerer to choose among" if number in _FOR_OFFERS else "not valid"


class SDPExtmap(SDPValued):
    """An a=extmap attribute: what elements of RTP header extensions with an identifier are (RFC 8285 §5, §8).

    With `encrypt` in front of the URI they are encrypted (RFC 6904 §4).
    """

    name = "SDP extmap"
    fields_desc = attribute(
        b"extmap",
        Meant("local_identifier", b"1", rb"[^/ \t\r\n]*", _identifier_meaning),
        TextField("slash", b"", rb"/|"),
        named_word("extension_direction", b"", DIRECTIONS),  # Scapy's packets have another `direction`
        gap("space1"),
        Meant(
            "encrypt",
            b"",
            rb"(?i:" + ENCRYPT + rb")(?=[ \t\r\n]|\Z)|",
            lambda pkt, x: "the elements are encrypted (RFC 6904)",
        ),
        optional_gap("space2"),
        named_word("extensionname", b"", HEADER_EXTENSIONS),
        optional_gap("space3"),
        TextField("extensionattributes", b"", CONTENT),
    )

    def value_troubles(self) -> Iterator[str]:
        """An identifier or direction that there is not, or a URI that is missing."""
        number = _number(self.local_identifier, 99_999)
        if number is None:
            yield "local_identifier is no number of up to 5 digits"
        elif number not in _TWO_BYTE and number != _APPBITS and number not in _FOR_OFFERS:
            yield f"local_identifier {number} is neither in 1 to 256 nor in 4096 to 4351"
        if self.slash and bytes(self.extension_direction) not in DIRECTIONS:
            yield "direction is none"
        if not self.extensionname:
            yield "no extension is named as encrypted" if self.encrypt else "no extension is named"


class SDPExtmapAllowMixed(TextLayer):
    """An a=extmap-allow-mixed attribute: one-byte and two-byte headers in one stream (RFC 8285 §6)."""

    name = "SDP extmap-allow-mixed"
    fields_desc = flag(b"extmap-allow-mixed")


class SDPCryptex(TextLayer):
    """An a=cryptex attribute: header extensions and CSRCs can be received encrypted (RFC 9335 §4)."""

    name = "SDP cryptex"
    fields_desc = flag(b"cryptex")


# --- sources --------------------------------------------------------------------------------------


class SDPSsrc(SDPValued):
    """An a=ssrc attribute: an attribute of one source (RFC 5576 §4.1)."""

    name = "SDP ssrc"
    fields_desc = attribute(
        b"ssrc",
        word("ssrc_id", b"0"),
        gap(),
        Meant(
            "source_attribute",
            b"cname",
            rb"[^: \t\r\n]*",
            lambda pkt, x: SOURCE_ATTRIBUTES.get(x.lower(), "unknown source attribute"),
        ),
        TextField("colon", b":", rb":|"),
        TextField("source_value", b"", CONTENT),
    )

    def value_troubles(self) -> Iterator[str]:
        """An SSRC that is none, or without an attribute."""
        if _number(self.ssrc_id, 0xFFFFFFFF) is None:
            yield "ssrc_id is no number of 32 bits"
        if not self.source_attribute:
            yield "source has no attribute"


class SDPSsrcGroup(SDPValued):
    """An a=ssrc-group attribute: sources of a section that belong together (RFC 5576 §4.2)."""

    name = "SDP ssrc-group"
    fields_desc = attribute(
        b"ssrc-group",
        named_word("semantics", b"FID", SSRC_GROUP_SEMANTICS),
        words("ssrc_ids", lambda pkt, piece: Word, lead=True),
    )

    def value_troubles(self) -> Iterator[str]:
        """SSRCs that are none."""
        for number, one in enumerate(self.ssrc_ids, 1):
            if isinstance(one, Word) and _number(one.text, 0xFFFFFFFF) is None:
                yield f"ssrc_id {number} is no number of 32 bits"


def _msid_meaning(packet: Any, text: bytes) -> str:
    return "no media stream" if text == b"-" else ""


class SDPMsid(SDPValued):
    """An a=msid attribute: the media stream, and the track of it, that a section belongs to (RFC 8830 §2)."""

    name = "SDP msid"
    fields_desc = attribute(
        b"msid",
        Meant("msid_id", b"-", rb"[^ \t\r\n]*", _msid_meaning),
        optional_gap("space"),
        word("msid_appdata"),
    )

    def value_troubles(self) -> Iterator[str]:
        """Identifiers that are too long."""
        for name in ("msid_id", "msid_appdata"):
            if len(self.getfieldval(name)) > _MSID_LENGTH:
                yield f"{name} has {len(self.getfieldval(name))} characters, more than {_MSID_LENGTH}"


# --- SCTP -----------------------------------------------------------------------------------------


def _digits_trouble(name: str, text: Any, most: int | None) -> Iterator[str]:
    """What is wrong with a number that may have no leading zeros."""
    digits = bytes(text)
    if not digits.isdigit() or (most is not None and _number(digits, most) is None):
        yield f"{name} is no number" + ("" if most is None else f" up to {most}")
    elif len(digits) > 1 and digits[:1] == b"0":
        yield f"{name} has a leading zero"


class SDPSctpPort(SDPValued):
    """An a=sctp-port attribute: the SCTP port of a DTLS association (RFC 8841 §5.1)."""

    name = "SDP sctp-port"
    fields_desc = attribute(
        b"sctp-port",
        Meant("sctp_port", b"5000", rb"[^ \t\r\n]*", lambda pkt, x: "closes the association" if x == b"0" else ""),
    )

    def value_troubles(self) -> Iterator[str]:
        """A port that is none."""
        yield from _digits_trouble("sctp_port", self.sctp_port, 65_535)


class SDPMaxMessageSize(SDPValued):
    """An a=max-message-size attribute: most octets of an SCTP message; 64K without it (RFC 8841 §6.1)."""

    name = "SDP max-message-size"
    fields_desc = attribute(
        b"max-message-size",
        Meant("max_message_size", b"65536", rb"[^ \t\r\n]*", lambda pkt, x: "any size" if x == b"0" else ""),
    )

    def value_troubles(self) -> Iterator[str]:
        """A size that is none."""
        yield from _digits_trouble("max_message_size", self.max_message_size, None)


STREAM_LAYERS: dict[bytes, type[Packet]] = {
    b"extmap": SDPExtmap,
    b"extmap-allow-mixed": SDPExtmapAllowMixed,
    b"cryptex": SDPCryptex,
    b"ssrc": SDPSsrc,
    b"ssrc-group": SDPSsrcGroup,
    b"msid": SDPMsid,
    b"sctp-port": SDPSctpPort,
    b"max-message-size": SDPMaxMessageSize,
}
"""Layers by the names of their attributes."""

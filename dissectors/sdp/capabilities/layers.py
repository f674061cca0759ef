"""Layers of capability negotiation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.sdp.capabilities.parse import CAPABILITY_TYPES, DELETIONS
from dissectors.sdp.fields import SDPValued, attribute
from dissectors.sdp.transports import transport
from dissectors.text import (
    CONTENT,
    Meant,
    Pieces,
    Separator,
    TextField,
    TextLayer,
    Word,
    gap,
    optional_gap,
    word,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet


class SDPAcap(TextLayer):
    """An a=acap attribute: an attribute that may be used (RFC 5939 §3.4.2)."""

    name = "SDP acap"
    fields_desc = attribute(
        b"acap",
        word("att_cap_num", b"1"),
        gap(),
        Pieces("attribute", CONTENT, rb".+", lambda pkt, piece: _attribute(piece), b""),
    )

    def troubles(self) -> Iterator[str]:
        """A capability without number or attribute."""
        if not bytes(self.att_cap_num).isdigit():
            yield "att_cap_num is no number"
        if not self.attribute:
            yield "capability has no attribute"


def _attribute(piece: bytes) -> type[Packet]:
    from dissectors.sdp.layer import attribute_layer

    found = attribute_layer(piece)
    return found if found is not SDPAcap else TransportCapability  # a capability holds no capabilities


def _transport_meaning(packet: Any, text: bytes) -> str:
    row = transport(text)
    return f"{row.security if row.secure else 'no'} protection" if row.known else "unknown transport"


class TransportCapability(TextLayer):
    """A transport protocol that may be used (RFC 5939 §3.4.1)."""

    name = "transport capability"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*"),
        Meant("proto", b"RTP/SAVP", rb"[^ \t]*", _transport_meaning),
        TextField("unexplained", b"", rb".*"),
    ]


class SDPTcap(SDPValued):
    """An a=tcap attribute: transport protocols that may be used, numbered onwards (RFC 5939 §3.4.1)."""

    name = "SDP tcap"
    fields_desc = attribute(
        b"tcap",
        word("trpr_cap_num", b"1"),
        words("proto_list", lambda pkt, piece: TransportCapability, lead=True),
    )


class Alternative(TextLayer):
    """Capabilities of one alternative; those in brackets are optional (RFC 5939 §3.5.1)."""

    name = "alternative"
    fields_desc = [
        Separator("separator", None, rb"\||"),
        TextField("capabilities", b"1", rb"[^|]*"),
    ]


class ConfigurationListLayer(TextLayer):
    """One list of a configuration: capabilities of one kind, with alternatives (RFC 5939 §3.5.1)."""

    name = "configuration list"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*"),
        Meant("mandatory", b"", rb"\+|", lambda pkt, x: "whoever does not know the list leaves the configuration out"),
        Meant("config_type", b"a", rb"[^=]*", lambda pkt, x: CAPABILITY_TYPES.get(x, "unknown list")),
        TextField("equals", b"=", rb"=|"),
        Meant("delete_attributes", b"", rb"-[^:]*(?=:)|", lambda pkt, x: DELETIONS.get(x, "unknown deletion")),
        TextField("colon", b"", rb":|"),
        Pieces("alternatives", rb"[^ \t]*", rb"\|?[^|]*", lambda pkt, piece: Alternative, b"|"),
        TextField("unexplained", b"", rb".*"),
    ]


def _configurations(name: str, *, lead: bool) -> Pieces:
    return words(name, lambda pkt, piece: ConfigurationListLayer, lead=lead)


class SDPPcfg(SDPValued):
    """An a=pcfg attribute: a configuration that is offered instead of the m= line's (RFC 5939 §3.5.1)."""

    name = "SDP pcfg"
    fields_desc = attribute(
        b"pcfg",
        TextField("config_number", b"1", rb"[0-9]*(?![^ \t\r\n])|"),
        _configurations("config_lists", lead=True),
    )


class SDPAcfg(SDPValued):
    """An a=acfg attribute: the configuration that was chosen (RFC 5939 §3.5.2)."""

    name = "SDP acfg"
    fields_desc = attribute(
        b"acfg",
        TextField("config_number", b"1", rb"[0-9]*(?![^ \t\r\n])|"),
        _configurations("config_lists", lead=True),
    )


class OptionTag(Word):
    """An option of capability negotiation (RFC 5939 §3.3)."""

    name = "option tag"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*,?[ \t]*"),
        TextField("text", b"cap-v0", rb"[^ \t,]*"),
        TextField("unexplained", b"", rb".*"),
    ]


_OPTION = rb"[ \t]*+(?:,[ \t]*+)?[^ \t,]+(?:[ \t]+\Z)?"


class SDPCsup(SDPValued):
    """An a=csup attribute: options of capability negotiation that are understood (RFC 5939 §3.3.1)."""

    name = "SDP csup"
    fields_desc = attribute(b"csup", Pieces("options", CONTENT, _OPTION, lambda pkt, piece: OptionTag, b","))


class SDPCreq(SDPValued):
    """An a=creq attribute: options of capability negotiation that are needed (RFC 5939 §3.3.2)."""

    name = "SDP creq"
    fields_desc = attribute(b"creq", Pieces("options", CONTENT, _OPTION, lambda pkt, piece: OptionTag, b","))


class SDPRmcap(SDPValued):
    """An a=rmcap attribute: RTP formats that may be used (RFC 6871 §3.3.1)."""

    name = "SDP rmcap"
    fields_desc = attribute(
        b"rmcap",
        word("media_cap_num_list", b"1"),
        gap(),
        TextField("encoding_name", b"", rb"[^ \t\r\n/]*"),
        TextField("slash1", b"/", rb"/|"),
        TextField("clock_rate", b"8000", rb"[^ \t\r\n/]*"),
        TextField("slash2", b"", rb"/|"),
        word("encoding_parameters"),
    )


class SDPOmcap(SDPValued):
    """An a=omcap attribute: other formats that may be used (RFC 6871 §3.3.1)."""

    name = "SDP omcap"
    fields_desc = attribute(b"omcap", word("media_cap_num_list", b"1"), gap(), word("format_name"))


class SDPMfcap(SDPValued):
    """An a=mfcap attribute: parameters of formats that may be used (RFC 6871 §3.3.2)."""

    name = "SDP mfcap"
    fields_desc = attribute(
        b"mfcap", word("media_cap_num_list", b"1"), gap(), TextField("format_parameters", b"", CONTENT)
    )


class SDPMscap(SDPValued):
    """An a=mscap attribute: attributes of formats that may be used (RFC 6871 §3.3.3)."""

    name = "SDP mscap"
    fields_desc = attribute(
        b"mscap",
        word("media_cap_num_list", b"1"),
        gap(),
        word("attribute_name", b"rtcp-fb"),
        optional_gap("space2"),
        TextField("attribute_value", b"", CONTENT),
    )


class SDPLcfg(SDPValued):
    """An a=lcfg attribute: a configuration for further media lines (RFC 6871 §3.3.5)."""

    name = "SDP lcfg"
    fields_desc = attribute(
        b"lcfg",
        TextField("config_number", b"1", rb"[0-9]*(?![^ \t\r\n])|"),
        _configurations("config_lists", lead=True),
    )


class SDPSescap(SDPValued):
    """An a=sescap attribute: configurations that go together in a session (RFC 6871 §3.3.8)."""

    name = "SDP sescap"
    fields_desc = attribute(
        b"sescap", word("session_num", b"1"), gap(), words("configurations", lambda pkt, piece: Word)
    )


CAPABILITY_LAYERS: dict[bytes, type[Packet]] = {
    b"acap": SDPAcap,
    b"tcap": SDPTcap,
    b"pcfg": SDPPcfg,
    b"acfg": SDPAcfg,
    b"csup": SDPCsup,
    b"creq": SDPCreq,
    b"rmcap": SDPRmcap,
    b"omcap": SDPOmcap,
    b"mfcap": SDPMfcap,
    b"mscap": SDPMscap,
    b"lcfg": SDPLcfg,
    b"sescap": SDPSescap,
}
"""Layers by the names of their attributes."""

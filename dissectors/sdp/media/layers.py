"""Layers of the attributes that describe media, their transport and their applications."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dissectors.sdp.fields import SDPValued, attribute, flag, line
from dissectors.sdp.media.codes import (
    CHATROOM_FEATURES,
    DIRECTIONS,
    FLOOR_CONTROL_ROLES,
    GROUP_SEMANTICS,
    MSRP_SCHEMES,
    MSRP_TRANSPORTS,
    RTCP_FEEDBACK,
)
from dissectors.text import (
    CONTENT,
    Meant,
    Pieces,
    Separator,
    TextField,
    TextLayer,
    Word,
    gap,
    named_word,
    optional_gap,
    word,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet


def _words(name: str) -> Pieces:
    return words(name, lambda pkt, piece: Word)


def _no_number(packet: Any, *names: str) -> Iterator[str]:
    """Fields that hold no decimal number where one is needed."""
    for name in names:
        if not bytes(packet.getfieldval(name)).isdigit():
            yield f"{name} is no number"


# --- RTP and RTCP ---------------------------------------------------------------------------------


class SDPRtpmap(TextLayer):
    """An a=rtpmap attribute: the encoding of a payload type (RFC 8866 §6.6)."""

    name = "SDP rtpmap"
    fields_desc = attribute(
        b"rtpmap",
        word("payload_type", b"0"),
        gap(),
        TextField("encoding_name", b"PCMU", rb"[^ \t\r\n/]*"),
        TextField("slash1", b"/", rb"/|"),
        TextField("clock_rate", b"8000", rb"[^ \t\r\n/]*"),
        TextField("slash2", b"", rb"/|"),
        TextField("encoding_parameters", b"", rb"[^ \t\r\n]*"),
    )

    def troubles(self) -> Iterator[str]:
        """Numbers that are none."""
        yield from super().troubles()
        yield from _no_number(self, "payload_type", "clock_rate")


class SDPFormatParameter(TextLayer):
    """One parameter of a format (RFC 8866 §6.15)."""

    name = "SDP format parameter"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*;[ \t]*|[ \t]*"),
        TextField("parameter_name", b"", rb"[^=]*"),
        TextField("equals", b"", rb"=|"),
        TextField("parameter_value", b"", rb".*"),
    ]


class SDPFmtp(SDPValued):
    """An a=fmtp attribute: parameters of a format (RFC 8866 §6.15)."""

    name = "SDP fmtp"
    fields_desc = attribute(
        b"fmtp",
        word("format", b"0"),
        gap(),
        Pieces("parameters", CONTENT, rb"[ \t]*;[ \t]*[^;]*|[^;]+", lambda pkt, piece: SDPFormatParameter, b";"),
    )


class SDPPtime(SDPValued):
    """An a=ptime attribute: milliseconds of media in a packet (RFC 8866 §6.4)."""

    name = "SDP ptime"
    fields_desc = attribute(b"ptime", word("packet_time", b"20"))


class SDPMaxptime(SDPValued):
    """An a=maxptime attribute: most milliseconds of media in a packet (RFC 8866 §6.5)."""

    name = "SDP maxptime"
    fields_desc = attribute(b"maxptime", word("packet_time", b"20"))


class SDPRtcp(TextLayer):
    """An a=rtcp attribute: where RTCP is sent (RFC 3605 §2.1)."""

    name = "SDP rtcp"
    fields_desc = attribute(
        b"rtcp",
        word("port", b"9"),
        optional_gap("space1"),
        word("nettype"),
        optional_gap("space2"),
        word("addrtype"),
        optional_gap("space3"),
        word("connection_address"),
    )

    def troubles(self) -> Iterator[str]:
        """A port that is none."""
        yield from super().troubles()
        yield from _no_number(self, "port")


class SDPRtcpFb(SDPValued):
    """An a=rtcp-fb attribute: feedback that is understood (RFC 4585 §4.2)."""

    name = "SDP rtcp-fb"
    fields_desc = attribute(
        b"rtcp-fb",
        word("rtcp_fb_pt", b"*"),
        gap(),
        named_word("rtcp_fb_val", b"nack", RTCP_FEEDBACK),
        optional_gap("space2"),
        TextField("rtcp_fb_param", b"", CONTENT),
    )


class SDPRtcpMux(TextLayer):
    """An a=rtcp-mux attribute: RTP and RTCP on one port (RFC 5761 §5.1.1)."""

    name = "SDP rtcp-mux"
    fields_desc = flag(b"rtcp-mux")


class SDPRtcpMuxOnly(TextLayer):
    """An a=rtcp-mux-only attribute: RTP and RTCP on one port and in no other way (RFC 8858 §4)."""

    name = "SDP rtcp-mux-only"
    fields_desc = flag(b"rtcp-mux-only")


class SDPRtcpRsize(TextLayer):
    """An a=rtcp-rsize attribute: reduced-size RTCP (RFC 5506 §5.1)."""

    name = "SDP rtcp-rsize"
    fields_desc = flag(b"rtcp-rsize")


# --- sections: direction, grouping, ICE -----------------------------------------------------------


class SDPDirection(TextLayer):
    """A direction attribute: sendrecv, sendonly, recvonly or inactive (RFC 8866 §6.7)."""

    name = "SDP direction"
    fields_desc = flag(*DIRECTIONS)


class SDPGroup(SDPValued):
    """An a=group attribute: sections that belong together (RFC 5888 §5)."""

    name = "SDP group"
    fields_desc = attribute(
        b"group",
        named_word("semantics", b"BUNDLE", GROUP_SEMANTICS),
        words("identification_tags", lambda pkt, piece: Word, lead=True),
    )


class SDPMid(SDPValued):
    """An a=mid attribute: the name of a section in groups (RFC 5888 §4)."""

    name = "SDP mid"
    fields_desc = attribute(b"mid", word("identification_tag"))


class SDPLabel(SDPValued):
    """An a=label attribute: the name of a stream for other documents (RFC 4574 §4)."""

    name = "SDP label"
    fields_desc = attribute(b"label", word("label"))


class SDPBundleOnly(TextLayer):
    """An a=bundle-only attribute: used as a part of its bundle or not at all (RFC 9143 §6)."""

    name = "SDP bundle-only"
    fields_desc = flag(b"bundle-only")


class SDPIceLite(TextLayer):
    """An a=ice-lite attribute (RFC 8839 §5.3)."""

    name = "SDP ice-lite"
    fields_desc = flag(b"ice-lite")


# --- MSRP -----------------------------------------------------------------------------------------


class MSRPURI(TextLayer):
    """An MSRP URI of a=path (RFC 4975 §6, §9)."""

    name = "MSRP URI"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*"),
        Meant("scheme", b"msrp", rb"[A-Za-z]*(?=:)|", lambda pkt, x: MSRP_SCHEMES.get(x.lower(), "unknown scheme")),
        TextField("slashes", b"://", rb":(?://)?|"),
        TextField("userinfo", b"", rb"[^@/; \t]*@|"),
        TextField("host", b"", rb"\[[^\]]*\]|[^:/; \t]*"),
        TextField("colon", b":", rb":|"),
        TextField("port", b"2855", rb"[^/; \t]*"),
        TextField("slash", b"/", rb"/|"),
        TextField("session_id", b"", rb"[^; \t]*"),
        TextField("semicolon", b";", rb";|"),
        Meant("transport", b"tcp", rb"[^; \t]*", lambda pkt, x: MSRP_TRANSPORTS.get(x.lower(), "unknown transport")),
        TextField("parameters", b"", rb";[^ \t]*|"),
        TextField("unexplained", b"", rb".*"),
    ]

    def troubles(self) -> Iterator[str]:
        """What a path needs of its URIs, and what they may not hold (RFC 4975 §6, §8.2)."""
        yield from super().troubles()
        if bytes(self.scheme).lower() not in MSRP_SCHEMES:
            yield "URI is no MSRP URI"
            return
        if not bytes(self.port).isdigit():
            yield "URI has no port"
        if not self.transport:
            yield "URI has no transport"
        if b":" in bytes(self.userinfo):
            yield "URI has a password"


class SDPPath(TextLayer):
    """An a=path attribute: MSRP URIs, the first hop first (RFC 4975 §8.2)."""

    name = "SDP path"
    fields_desc = attribute(b"path", words("path_uris", lambda pkt, piece: MSRPURI))

    def troubles(self) -> Iterator[str]:
        """A path without a URI."""
        if not self.path_uris:
            yield "path has no URI"


class SDPAcceptTypes(SDPValued):
    """An a=accept-types attribute: media types of messages (RFC 4975 §8.6)."""

    name = "SDP accept-types"
    fields_desc = attribute(b"accept-types", _words("format_list"))


class SDPAcceptWrappedTypes(SDPValued):
    """An a=accept-wrapped-types attribute: media types inside of containers (RFC 4975 §8.6)."""

    name = "SDP accept-wrapped-types"
    fields_desc = attribute(b"accept-wrapped-types", _words("format_list"))


class SDPMaxSize(TextLayer):
    """An a=max-size attribute: most octets of a message (RFC 4975 §8.6)."""

    name = "SDP max-size"
    fields_desc = attribute(b"max-size", word("max_size", b"0"))

    def troubles(self) -> Iterator[str]:
        """A size that is none."""
        yield from super().troubles()
        yield from _no_number(self, "max_size")


class SDPMsrpCema(TextLayer):
    """An a=msrp-cema attribute: the c= and m= lines say where to connect (RFC 6714 §4)."""

    name = "SDP msrp-cema"
    fields_desc = flag(b"msrp-cema")


class ChatroomFeature(TextLayer):
    """A token of a=chatroom (RFC 7701 §8)."""

    name = "chat room feature"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*"),
        Meant("feature", b"nickname", rb"[^ \t]*", lambda pkt, x: CHATROOM_FEATURES.get(x, "unknown feature")),
        TextField("unexplained", b"", rb".*"),
    ]


class SDPChatroom(TextLayer):
    """An a=chatroom attribute: what an MSRP chat room, or a client of one, can do (RFC 7701 §8)."""

    name = "SDP chatroom"
    fields_desc = line(
        TextField("prefix", b"a=chatroom", rb"(?:a=)?chatroom"),
        TextField("colon", b"", rb"[ \t]*:[ \t]*|"),
        words("features", lambda pkt, piece: ChatroomFeature),
    )

    def troubles(self) -> Iterator[str]:
        """A token that is repeated."""
        yield from super().troubles()
        features = Counter(bytes(one.feature) for one in self.features if isinstance(one, ChatroomFeature))
        for feature, times in features.items():
            if times > 1:
                yield f"{feature[:40].decode('latin-1')!a} stands {times} times"


# --- BFCP -----------------------------------------------------------------------------------------


class FloorControlRole(TextLayer):
    """A role of a=floorctrl (RFC 8856 §5.1)."""

    name = "floor control role"
    fields_desc = [
        Separator("separator", None, rb"[ \t]*"),
        Meant("role", b"c-only", rb"[^ \t]*", lambda pkt, x: FLOOR_CONTROL_ROLES.get(x.lower(), "unknown role")),
        TextField("unexplained", b"", rb".*"),
    ]

    def troubles(self) -> Iterator[str]:
        """A role that is none."""
        if bytes(self.role).lower() not in FLOOR_CONTROL_ROLES:
            yield "unknown floor control role"


class SDPFloorctrl(SDPValued):
    """An a=floorctrl attribute: client or server of floor control (RFC 8856 §5.1)."""

    name = "SDP floorctrl"
    fields_desc = attribute(b"floorctrl", words("roles", lambda pkt, piece: FloorControlRole))


class SDPConfid(TextLayer):
    """An a=confid attribute: the BFCP conference (RFC 8856 §5.2)."""

    name = "SDP confid"
    fields_desc = attribute(b"confid", word("conference_id", b"0"))

    def troubles(self) -> Iterator[str]:
        """An identifier that is no number."""
        yield from super().troubles()
        yield from _no_number(self, "conference_id")


class SDPUserid(TextLayer):
    """An a=userid attribute: the BFCP user (RFC 8856 §5.3)."""

    name = "SDP userid"
    fields_desc = attribute(b"userid", word("user_id", b"0"))

    def troubles(self) -> Iterator[str]:
        """An identifier that is no number."""
        yield from super().troubles()
        yield from _no_number(self, "user_id")


class SDPFloorid(TextLayer):
    """An a=floorid attribute: a floor and the labels of its streams, `mstrm:` or `m-stream:` (RFC 8856 §5.4)."""

    name = "SDP floorid"
    fields_desc = attribute(
        b"floorid",
        word("floor_id", b"0"),
        gap(),
        TextField("mstrm", b"mstrm", rb"(?i:mstrm|m-stream)(?=:)|"),
        TextField("colon", b":", rb":|"),
        _words("labels"),
    )

    def troubles(self) -> Iterator[str]:
        """An identifier that is no number."""
        yield from _no_number(self, "floor_id")


class SDPBfcpver(TextLayer):
    """An a=bfcpver attribute: versions of BFCP (RFC 8856 §5.5)."""

    name = "SDP bfcpver"
    fields_desc = attribute(b"bfcpver", _words("versions"))

    def troubles(self) -> Iterator[str]:
        """Versions that are no numbers, or missing."""
        yield from super().troubles()
        if not self.versions or not all(bytes(one.text).isdigit() for one in self.versions if isinstance(one, Word)):
            yield "versions are no numbers"


class SDPWebsocketUri(SDPValued):
    """An a=websocket-uri attribute: where the WebSocket of BFCP is opened (RFC 8857 §6.2)."""

    name = "SDP websocket-uri"
    fields_desc = attribute(b"websocket-uri", word("websocket_uri"))


MEDIA_LAYERS: dict[bytes, type[Packet]] = {
    b"rtpmap": SDPRtpmap,
    b"fmtp": SDPFmtp,
    b"ptime": SDPPtime,
    b"maxptime": SDPMaxptime,
    b"rtcp": SDPRtcp,
    b"rtcp-fb": SDPRtcpFb,
    b"rtcp-mux": SDPRtcpMux,
    b"rtcp-mux-only": SDPRtcpMuxOnly,
    b"rtcp-rsize": SDPRtcpRsize,
    **dict.fromkeys(DIRECTIONS, SDPDirection),
    b"group": SDPGroup,
    b"mid": SDPMid,
    b"label": SDPLabel,
    b"bundle-only": SDPBundleOnly,
    b"ice-lite": SDPIceLite,
    b"path": SDPPath,
    b"accept-types": SDPAcceptTypes,
    b"accept-wrapped-types": SDPAcceptWrappedTypes,
    b"max-size": SDPMaxSize,
    b"msrp-cema": SDPMsrpCema,
    b"chatroom": SDPChatroom,
    b"floorctrl": SDPFloorctrl,
    b"confid": SDPConfid,
    b"userid": SDPUserid,
    b"floorid": SDPFloorid,
    b"bfcpver": SDPBfcpver,
    b"websocket-uri": SDPWebsocketUri,
}
"""Layers by the names of their attributes."""

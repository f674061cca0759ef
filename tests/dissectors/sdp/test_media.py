"""Attributes of media, messaging, floor control and capabilities have fields of their own."""

from __future__ import annotations

import pytest

from dissectors.binary import notes
from dissectors.sdp.capabilities.layers import SDPAcap, SDPCreq, SDPPcfg, SDPTcap
from dissectors.sdp.capabilities.parse import (
    AttributeCapability,
    Configuration,
    ConfigurationList,
    attribute_capability,
    configuration,
    transport_capabilities,
)
from dissectors.sdp.layer import SDP, SDPAttribute, SDPBandwidth, SDPConnection, SDPCrypto, SDPOrigin
from dissectors.sdp.media.layers import (
    ChatroomFeature,
    SDPBfcpver,
    SDPChatroom,
    SDPDirection,
    SDPFloorctrl,
    SDPFloorid,
    SDPFmtp,
    SDPGroup,
    SDPPath,
    SDPRtcp,
    SDPRtcpFb,
    SDPRtcpMux,
    SDPRtcpMuxOnly,
    SDPRtpmap,
)
from dissectors.sdp.parse import parse


def test_encodings_and_their_parameters() -> None:
    rtpmap = SDPRtpmap(b"a=rtpmap:97 AMR-WB/16000/2\r\n")
    assert (rtpmap.payload_type, rtpmap.encoding_name) == (b"97", b"AMR-WB")
    assert (rtpmap.clock_rate, rtpmap.encoding_parameters) == (b"16000", b"2")
    assert notes(SDPRtpmap(b"a=rtpmap:x AMR")) == [
        "SDP rtpmap at 0: payload_type is no number",
        "SDP rtpmap at 0: clock_rate is no number",
    ]
    fmtp = SDPFmtp(b"a=fmtp:97 mode-set=0,2; octet-align ;x=y=z")
    assert fmtp.format == b"97"
    assert [(one.parameter_name, one.parameter_value) for one in fmtp.parameters] == [
        (b"mode-set", b"0,2"),
        (b"octet-align ", b""),
        (b"x", b"y=z"),
    ]


def test_rtcp_attributes() -> None:
    rtcp = SDPRtcp(b"a=rtcp:53020 IN IP6 2001:db8::1")
    assert (rtcp.port, rtcp.nettype, rtcp.addrtype, rtcp.connection_address) == (
        b"53020",
        b"IN",
        b"IP6",
        b"2001:db8::1",
    )
    feedback = SDPRtcpFb(b"a=rtcp-fb:* ccm fir x")
    assert (feedback.rtcp_fb_pt, feedback.rtcp_fb_val, feedback.rtcp_fb_param) == (b"*", b"ccm", b"fir x")
    body = b"a=rtcp-mux\r\na=rtcp-mux-only\r\na=inactive\r\na=rtcp-muxed\r\n"
    assert [type(line) for line in SDP(body).lines] == [SDPRtcpMux, SDPRtcpMuxOnly, SDPDirection, SDPAttribute]
    assert notes(SDPRtcpMux(b"a=rtcp-mux:x")) == ["SDP rtcp-mux at 0: 2 octets are not explained"]


def test_lines_of_a_section() -> None:
    group = SDPGroup(b"a=group:BUNDLE a  b")
    assert (group.semantics, [one.text for one in group.identification_tags]) == (b"BUNDLE", [b"a", b"b"])
    connection = SDPConnection(b"c=IN IP4 233.252.0.1/127/3\r\n")
    assert (connection.connection_address, connection.ttl_and_count) == (b"233.252.0.1", b"/127/3")
    origin = SDPOrigin(b"o=- 1 2 IN IP4 192.0.2.1\n")
    assert (origin.sess_id, origin.sess_version, origin.unicast_address) == (b"1", b"2", b"192.0.2.1")
    assert (SDPBandwidth(b"b=AS:64").bwtype, SDPBandwidth(b"b=AS:64").bandwidth) == (b"AS", b"64")


def test_msrp_paths() -> None:
    first, last = SDPPath(b"a=path:msrps://relay.example:2855/a;tcp msrp://[2001:db8::1]:9/b;ws;x=y").path_uris
    assert (first.scheme, first.host, first.port, first.session_id) == (b"msrps", b"relay.example", b"2855", b"a")
    assert (last.separator, last.host, last.port, last.session_id) == (b" ", b"[2001:db8::1]", b"9", b"b")
    assert (last.transport, last.parameters) == (b"ws", b";x=y")
    assert notes(SDPPath(b"a=path:")) == ["SDP path at 0: path has no URI"]
    assert notes(SDPPath(b"a=path:msrp://a/b;tcp http://c:1/")) == [
        "MSRP URI at 7: URI has no port",
        "MSRP URI at 21: URI is no MSRP URI",
    ]
    assert notes(SDPPath(b"a=path:msrp://u:p@a:1/b")) == [
        "MSRP URI at 7: URI has no transport",
        "MSRP URI at 7: URI has a password",
    ]


def test_a_chat_room_may_say_what_it_can_do_or_nothing() -> None:
    room = SDP(b"a=chatroom:nickname private-messages x\r\n").lines[0]
    assert isinstance(room, SDPChatroom)
    assert [one.feature for one in room.features] == [b"nickname", b"private-messages", b"x"]
    assert not notes(room)
    bare = SDP(b"a=chatroom\r\n").lines[0]
    assert isinstance(bare, SDPChatroom)
    assert (bare.features, notes(bare)) == ([], [])
    assert notes(SDPChatroom(b"a=chatroom:nickname nickname")) == ["SDP chatroom at 0: 'nickname' stands 2 times"]
    assert bytes(SDPChatroom(colon=b":", features=[ChatroomFeature()])) == b"a=chatroom:nickname\r\n"


@pytest.mark.parametrize("word", [b"mstrm", b"m-stream", b"M-Stream"])
def test_floors_name_their_streams(word: bytes) -> None:
    floor = SDPFloorid(b"a=floorid:7 " + word + b":10 11")
    assert (floor.floor_id, floor.mstrm, [one.text for one in floor.labels]) == (b"7", word, [b"10", b"11"])


def test_floor_control_roles_and_versions() -> None:
    roles = SDPFloorctrl(b"a=floorctrl:c-only s-only").roles
    assert [one.role for one in roles] == [b"c-only", b"s-only"]
    assert notes(SDPFloorctrl(b"a=floorctrl:chair")) == ["floor control role at 12: unknown floor control role"]
    assert [one.text for one in SDPBfcpver(b"a=bfcpver:1 2 ").versions] == [b"1", b"2"]
    assert notes(SDPBfcpver(b"a=bfcpver:1 x")) == ["SDP bfcpver at 0: versions are no numbers"]
    assert notes(SDPBfcpver(b"a=bfcpver:")) == ["SDP bfcpver at 0: versions are no numbers"]


def test_capabilities_hold_attributes_and_transports() -> None:
    body = b"a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_32 inline:x\r\n"
    (capability,) = SDP(body).lines
    assert isinstance(capability, SDPAcap)
    (crypto,) = capability.attribute
    assert isinstance(crypto, SDPCrypto)
    assert (crypto.prefix, crypto.crypto_suite) == (b"crypto:", b"AES_CM_128_HMAC_SHA1_32")
    assert [one.proto for one in SDPTcap(b"a=tcap:1 RTP/SAVP UDP/TLS/RTP/SAVP").proto_list] == [
        b"RTP/SAVP",
        b"UDP/TLS/RTP/SAVP",
    ]
    assert [one.text for one in SDPCreq(b"a=creq:cap-v0, med-v0").options] == [b"cap-v0", b"med-v0"]


def test_a_capability_in_a_capability_is_not_taken_apart_again() -> None:
    """Nesting without end must not be possible."""
    line = b"a=acap:1 " * 500
    assert bytes(SDPAcap(line)) == line
    assert len(SDPAcap(line).attribute) == 1


def test_configurations_are_lists_of_alternatives() -> None:
    line = SDPPcfg(b"a=pcfg:2 t=1|2 +x=4 a=-ms:1,[2]|3")
    assert line.config_number == b"2"
    transports, extension, attributes = line.config_lists
    assert [one.capabilities for one in transports.alternatives] == [b"1", b"2"]
    assert (extension.mandatory, extension.config_type) == (b"+", b"x")
    assert attributes.delete_attributes == b"-ms"
    assert [one.capabilities for one in attributes.alternatives] == [b"1,[2]", b"3"]


def test_the_lean_parser_of_capabilities_agrees() -> None:
    assert attribute_capability(b"3 crypto:1 x y") == AttributeCapability(3, b"crypto", b"1 x y")
    assert attribute_capability(b"x crypto:1") is None
    assert transport_capabilities(b"4 RTP/SAVP RTP/SAVPF") == {4: b"RTP/SAVP", 5: b"RTP/SAVPF"}
    assert transport_capabilities(b"") == {}
    found = configuration(b"2 t=1|2 +x=4 a=-ms:1,[2]|3")
    assert found == Configuration(
        2,
        (
            ConfigurationList(b"t", False, b"", (b"1", b"2")),
            ConfigurationList(b"x", True, b"", (b"4",)),
            ConfigurationList(b"a", False, b"-ms", (b"1,[2]", b"3")),
        ),
    )
    assert found.numbers(b"a") == ((1, 2), (3,))
    assert configuration(b"") is None
    assert configuration(b"1 nonsense") is None


def test_media_tell_their_capabilities_and_applications() -> None:
    """The section's capabilities and the session's; nothing of it is read before it is asked for."""
    (media,) = parse(
        b"v=0\r\na=acap:1 key-mgmt:mikey AA\r\na=tcap:1 RTP/SAVPF\r\na=identity:e30=\r\nm=message 9 RTP/AVP 0\r\n"
        b"a=tcap:2 RTP/SAVP UDP/TLS/RTP/SAVP\r\na=acap:2 setup:active\r\na=pcfg:3 t=3\r\na=pcfg:1 t=1 a=2\r\n"
        b"a=acfg:1 t=1\r\na=bfcpver:1 x 2\r\na=max-size:100\r\na=accept-wrapped-types:text/plain *\r\n"
        b"a=rtcp-fb:* nack\r\n"
    ).media
    assert [(one.number, one.name) for one in media.attribute_capabilities] == [(1, b"key-mgmt"), (2, b"setup")]
    assert media.transport_capabilities == {1: b"RTP/SAVPF", 2: b"RTP/SAVP", 3: b"UDP/TLS/RTP/SAVP"}
    assert [one.number for one in media.potential_configurations] == [1, 3]
    assert media.potential_configurations[0].numbers(b"a") == ((2,),)
    assert media.actual_configuration is not None
    assert media.actual_configuration.numbers(b"t") == ((1,),)
    assert (media.bfcpver, media.max_size, media.identity) == ((1, 2), 100, (b"e30=",))
    assert (media.accept_wrapped_types, media.rtcp_fb) == ((b"text/plain", b"*"), (b"* nack",))

"""The Scapy layer of SIP: every octet comes back from the fields alone, and messages can be built."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw

from dissectors.binary import notes
from dissectors.sdp.layer import SDP, SDPCrypto, SDPLine, SDPMedia
from dissectors.sip import layer as layer_module
from dissectors.sip.layer import BODY_LAYERS, HEADER_LIMIT, SIP, SIPFragment, SIPHeader, SIPMultipart, body_packet
from dissectors.sip.layers import SIPTo, SIPVia
from dissectors.text import TextField, TextPacket, layer_of
from tests.dissectors.caches import without_caches

SDP_BODY = b"v=0\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"
INVITE = (
    b"INVITE sip:bob@example.com SIP/2.0\r\n"
    b"Via : SIP/2.0/UDP a\r\n ;branch=b\r\n"
    b"f:<sip:a@b>;tag=1\n"
    b"no colon here\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n"
    b"\r\n"
    b"%sbehind" % (len(SDP_BODY), SDP_BODY)
)
MULTIPART = (
    b"preamble\r\n--b\r\nContent-Type: application/sdp\r\n\r\n" + SDP_BODY + b"\r\n--b \r\n"
    b"Content-Type: multipart/alternative;boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b\r\n--b--\r\nepilogue"
)


def test_the_parts_of_a_message_are_packets() -> None:
    sip = SIP(INVITE)
    assert sip.start_line == b"INVITE sip:bob@example.com SIP/2.0"
    via, from_, stray, _, length = sip.headers
    assert (via.header_name, via.separator, via.header_value) == (b"Via", b" : ", b"SIP/2.0/UDP a\r\n ;branch=b")
    assert isinstance(via, SIPVia)
    assert via.values[0].parameters[0].separator == b"\r\n ;"
    assert (from_.canonical_name, from_.separator, from_.eol) == (b"from", b":", b"\n")
    assert (stray.header_name, stray.header_value) == (b"", b"no colon here")
    assert length.header_value == b"%d" % len(SDP_BODY)
    assert isinstance(sip.body, SDP)
    assert isinstance(sip.body.lines[2], SDPCrypto)
    assert sip.trailing == b"behind"
    assert bytes(without_caches(sip)) == INVITE


def test_multipart_bodies_are_packets_within_packets() -> None:
    data = b"INFO sip:a SIP/2.0\r\nc: multipart/mixed;boundary=b\r\n\r\n" + MULTIPART
    sip = SIP(data)
    assert isinstance(sip.body, SIPMultipart)
    sdp, nested, empty = sip.body.parts
    assert isinstance(sdp.body, SDP)
    assert sdp.headers[0].header_value == b"application/sdp"
    assert isinstance(nested.body, SIPMultipart)
    assert nested.body.parts[0].body.load == b"x"
    assert empty.body is None
    assert sip.body.epilogue == b"--b--\r\nepilogue"
    assert bytes(without_caches(sip)) == data


def test_a_change_deep_inside_is_built() -> None:
    sip = SIP(INVITE)
    sip.body.lines[2].key_params[0].key_salt = b"y"
    sip.headers[0].header_name = b"v"
    assert bytes(sip) == INVITE.replace(b"inline:x", b"inline:y").replace(b"Via", b"v")


def test_an_encoded_body_stays_raw() -> None:
    sip = SIP(b"INFO sip:a SIP/2.0\r\nc: application/sdp\r\ne: gzip\r\n\r\n\x1f\x8b")
    assert isinstance(sip.body, Raw)


def test_a_message_can_be_built() -> None:
    sip = SIP(
        start_line=b"INVITE sip:a SIP/2.0",
        headers=[
            SIPHeader(header_name=b"Call-ID", header_value=b"1"),
            SIPHeader(header_name=b"Content-Type", header_value=b"application/sdp"),
            SIPHeader(header_name=b"Content-Length", header_value=None),
        ],
        body=SDP(lines=[SDPLine(type=b"v", line_value=b"0"), SDPMedia(port=b"4000")]),
    )
    built = (
        b"INVITE sip:a SIP/2.0\r\nCall-ID: 1\r\nContent-Type: application/sdp\r\nContent-Length: 29\r\n\r\n"
        b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n"
    )
    assert bytes(sip) == built
    assert bytes(SIP(built)) == built
    assert sip.message().call_id == b"1"
    assert bytes(SIP(start_line=b"BYE sip:a SIP/2.0", body=b"raw")) == b"BYE sip:a SIP/2.0\r\n\r\nraw"
    assert bytes(SIP()) == b""


def test_a_built_multipart_body_is_read_again() -> None:
    data = b"INFO sip:a SIP/2.0\r\nc: multipart/mixed;boundary=b\r\n\r\n" + MULTIPART
    body = SIP(data).body
    assert bytes(SIP(start_line=b"INFO sip:a SIP/2.0", body=body)).endswith(b"\r\n\r\n" + MULTIPART)
    assert bytes(SIPMultipart(MULTIPART)) == MULTIPART


def test_udp_port_5060_is_bound() -> None:
    packet = IP(bytes(IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=40000, dport=5060) / Raw(INVITE)))
    assert packet[SIP].start_line == b"INVITE sip:bob@example.com SIP/2.0"
    assert packet[SIP].mysummary() == "SIP INVITE sip:bob@example.com SIP/2.0"
    assert (UDP() / SIP()).dport == 5060


def test_a_copy_builds_the_same() -> None:
    assert bytes(SIP(INVITE).copy()) == INVITE


def test_headers_above_the_limit_are_kept_in_one_field() -> None:
    data = b"INVITE sip:a SIP/2.0\r\n" + b"X: y\r\n" * (HEADER_LIMIT + 3) + b"\r\nbody"
    sip = SIP(data)
    assert len(sip.headers) == HEADER_LIMIT
    assert sip.unread_headers == b"X: y\r\n" * 3
    assert sip.body.load == b"body"
    assert bytes(without_caches(sip)) == data


@pytest.mark.parametrize("more", [0, 3])
def test_a_fragment_with_many_headers_ends_them_at_its_first_empty_line(more: int) -> None:
    data = b"X: y\r\n" * (HEADER_LIMIT + more) + b"\r\nbody\r\n\r\nend"
    fragment = SIPFragment(data)
    assert len(fragment.headers) == HEADER_LIMIT
    assert (fragment.unread_headers, fragment.empty_line) == (b"X: y\r\n" * more, b"\r\n")
    assert fragment.body.load == b"body\r\n\r\nend"
    assert bytes(without_caches(fragment)) == data


def test_a_fragment_is_taken_apart() -> None:
    body = b"SIP/2.0 200 OK\r\nTo: <sip:a>;tag=1\r\nContent-Type: application/sdp\r\n\r\n" + SDP_BODY
    data = b"NOTIFY sip:a SIP/2.0\r\nc: message/sipfrag;version=2.0\r\n\r\n" + body
    sip = SIP(data)
    assert isinstance(sip.body, SIPFragment)
    assert (sip.body.start_line, sip.body.empty_line) == (b"SIP/2.0 200 OK", b"\r\n")
    assert isinstance(sip.body.headers[0], SIPTo)
    assert isinstance(sip.body.body, SDP)
    assert bytes(without_caches(sip)) == data
    assert bytes(without_caches(SIPFragment(body))) == body
    for text in (b"SIP/2.0 100 Trying", b"To: <sip:a>", b"SIP/2.0 200 OK\r\n\r\nx", b"\r\n", b"\r\nx", b"x\n" * 2000):
        assert bytes(without_caches(SIPFragment(text))) == text


@pytest.mark.parametrize("kind", [b"message/sip", b"message/sipfrag"])
def test_messages_in_messages_are_bounded(kind: bytes) -> None:
    data = b"OPTIONS sip:a SIP/2.0\r\nc: " + kind + b"\r\n\r\n"
    sip = SIP(data * 200)
    assert bytes(without_caches(sip)) == data * 200
    depth = 0
    while isinstance(sip, SIP | SIPFragment):
        sip = sip.body
        depth += 1
    assert depth == layer_module.DEPTH_LIMIT + 1
    assert isinstance(sip, Raw)


@pytest.mark.parametrize("kind", sorted(BODY_LAYERS))
def test_bodies_of_other_formats_are_their_layers_and_keep_every_octet(kind: bytes) -> None:
    head = b"\nContent-Type: " + kind.upper() + b"; x=y\r\n\r\n"
    layer = layer_of(*BODY_LAYERS[kind])
    for data in (b"\x30\x80\x00", b"<a/>", b"From: <im:a>\r\n\r\nx: y\r\n\r\nz"):
        packet = body_packet(data, head, 0)
        assert isinstance(packet, (Raw,) if layer is None else (Raw, layer))
        assert bytes(packet) == data
    if layer is not None:
        assert isinstance(packet, layer)


def test_a_layer_that_is_not_there_is_none() -> None:
    assert layer_of("dissectors.of_no_one.layers", "Nothing") is None
    assert layer_of("dissectors.sdp.layer", "Nothing") is None


class Shouted(TextField):
    """Text that is not built as it was read."""

    def addfield(self, pkt: Any, s: bytes, val: bytes) -> bytes:
        return s + val.upper()


class Shouting(TextPacket):
    """A layer that does not keep its octets (RFC 0)."""

    fields_desc = [Shouted("text", b"", rb".*")]


def test_a_layer_that_changes_octets_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_module, "layer_of", lambda module, name: Shouting)
    assert isinstance(body_packet(b"X", b"\nc: application/mikey\r\n\r\n", 0), Shouting)
    assert isinstance(body_packet(b"x", b"\nc: application/mikey\r\n\r\n", 0), Raw)


def test_what_is_wrong_is_said() -> None:
    assert notes(SIP(INVITE)) == ["SIP at 0: 6 octets behind the declared body", *notes(SIP(INVITE))[1:]]
    assert notes(SIP(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n")) == [
        "SIP at 0: SIP-CLEN: Content-Length is no number: 'x'"
    ]


PIECES = st.sampled_from(
    [
        b"INVITE sip:a SIP/2.0",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"Via: x",
        b"Content-Type: application/sdp",
        b"c: multipart/mixed;boundary=b",
        b"c: multipart/mixed;boundary=b2",
        b"l: 3",
        b"l: 40",
        b"Content-Encoding: gzip",
        b"--b",
        b"--b2",
        b"--b--",
        b"v=0",
        b"m=audio 1 RTP/SAVP 0",
        b"a=crypto:1 x y z",
    ]
)


@given(st.binary(max_size=60) | st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join))
def test_any_octets_come_back_from_the_fields_alone(data: bytes) -> None:
    sip = SIP(data)
    assert bytes(sip) == data
    assert bytes(without_caches(sip)) == data


@given(st.lists(PIECES | st.sampled_from([b"\r\n"]) | st.binary(max_size=4), max_size=30).map(b"".join))
def test_any_multipart_body_comes_back_from_the_fields_alone(body: bytes) -> None:
    data = b"INFO sip:a SIP/2.0\r\nc: multipart/mixed;boundary=b\r\n\r\n--b\r\n" + body
    assert bytes(without_caches(SIP(data))) == data


@pytest.mark.parametrize("kind", [SIPHeader, SIPMultipart])
@given(data=st.binary(max_size=40) | st.lists(PIECES, max_size=6).map(b"".join))
def test_inner_packets_alone_keep_every_octet(kind: Any, data: bytes) -> None:
    if data:
        assert bytes(without_caches(kind(data))) == data

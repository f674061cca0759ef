"""The Scapy layer of SDP: every octet comes back from the fields alone, and descriptions can be built."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.packet import Packet

from dissectors.sdp.layer import (
    LINE_LIMIT,
    SDP,
    SDPAttribute,
    SDPConnection,
    SDPCrypto,
    SDPFingerprint,
    SDPKeyMgmt,
    SDPLine,
    SDPMedia,
    SDPSetup,
)

BODY = (
    b"v=0\r\n"
    b"c=IN IP4 192.0.2.1\n"
    b"a=sendrecv\r\n"
    b"m=audio 4000/2  RTP/SAVP 0 8\r\n"
    b"a=crypto:1\tAES_CM_128_HMAC_SHA1_80 inline:x|2^20 KDR=1  WSH=64\r\n"
    b"a=fingerprint:sha-256 AB:CD\r\n"
    b"a=key-mgmt:mikey AQAF\r\n"
    b"a=setup:actpass \r\n"
    b"a=crypto\r\n"
    b"stray"
)


def without_caches(packet: Any) -> Any:
    """The packet with every cached copy of its octets removed, inside too."""
    packet.raw_packet_cache = None
    packet.raw_packet_cache_fields = None
    packet.original = b""
    for value in packet.fields.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Packet):
                without_caches(inner)
    return packet


def test_each_line_is_a_packet_of_its_kind() -> None:
    sdp = SDP(BODY)
    assert [type(line) for line in sdp.lines] == [
        SDPLine,
        SDPConnection,
        SDPAttribute,
        SDPMedia,
        SDPCrypto,
        SDPFingerprint,
        SDPKeyMgmt,
        SDPSetup,
        SDPAttribute,
        SDPLine,
    ]
    version, connection, direction, media, crypto, fingerprint, key_mgmt, setup, _, stray = sdp.lines
    assert (version.type, version.line_value) == (b"v", b"0")
    assert (connection.connection_address, connection.eol) == (b"192.0.2.1", b"\n")
    assert (direction.attribute_name, direction.colon) == (b"sendrecv", b"")
    assert (media.media, media.port, media.proto, media.formats) == (b"audio", b"4000/2", b"RTP/SAVP", b"0 8")
    assert (crypto.tag, crypto.crypto_suite, crypto.key_params) == (b"1", b"AES_CM_128_HMAC_SHA1_80", b"inline:x|2^20")
    assert crypto.session_params == b" KDR=1  WSH=64"
    assert (fingerprint.hash_func, fingerprint.fingerprint) == (b"sha-256", b"AB:CD")
    assert (key_mgmt.prtcl_id, key_mgmt.keymgmt_data) == (b"mikey", b"AQAF")
    assert setup.role == b"actpass "
    assert (stray.type, stray.equals, stray.line_value, stray.eol) == (b"", b"", b"stray", b"")
    assert bytes(without_caches(sdp)) == BODY
    assert sdp.description().media[0].port_count == 2


def test_a_change_inside_is_built() -> None:
    sdp = SDP(BODY)
    sdp.lines[3].port = b"0"
    assert bytes(sdp) == BODY.replace(b"4000/2", b"0")


def test_a_description_can_be_built() -> None:
    sdp = SDP(
        lines=[
            SDPLine(type=b"v", line_value=b"0"),
            SDPConnection(connection_address=b"192.0.2.1"),
            SDPMedia(port=b"4000", proto=b"RTP/SAVP"),
            SDPCrypto(key_params=b"inline:x"),
            SDPFingerprint(fingerprint=b"AB"),
            SDPKeyMgmt(keymgmt_data=b"AQAF"),
            SDPSetup(),
            SDPAttribute(attribute_name=b"mid", attribute_value=b"0"),
        ]
    )
    built = (
        b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"
        b"a=fingerprint:sha-256 AB\r\na=key-mgmt:mikey AQAF\r\na=setup:actpass\r\na=mid:0\r\n"
    )
    assert bytes(sdp) == built
    assert bytes(SDP(built)) == built
    assert bytes(SDP()) == b""


def test_lines_above_the_limit_are_kept_in_one_field() -> None:
    body = b"a=x\r\n" * (LINE_LIMIT + 2)
    sdp = SDP(body)
    assert len(sdp.lines) == LINE_LIMIT
    assert sdp.unread == b"a=x\r\n" * 2
    assert bytes(without_caches(sdp)) == body


PIECES = st.sampled_from(
    [
        b"v=",
        b"a=",
        b"a=crypto:",
        b"a=fingerprint:",
        b"a=key-mgmt:",
        b"a=setup:",
        b"m=",
        b"c=",
        b"=",
        b":",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\r\n",
        b"x",
    ]
)


@given(st.binary(max_size=60) | st.lists(PIECES | st.binary(max_size=3), max_size=30).map(b"".join))
def test_any_octets_come_back_from_the_fields_alone(body: bytes) -> None:
    sdp = SDP(body)
    assert bytes(sdp) == body
    assert bytes(without_caches(sdp)) == body


@pytest.mark.parametrize(
    "kind", [SDPLine, SDPMedia, SDPConnection, SDPAttribute, SDPCrypto, SDPFingerprint, SDPKeyMgmt, SDPSetup]
)
@given(data=st.lists(PIECES, min_size=1, max_size=8).map(b"".join))
def test_lines_alone_give_back_what_has_their_form(kind: Any, data: bytes) -> None:
    prefix = b"" if kind is SDPLine else bytes(kind.fields_desc[0].default)
    assert bytes(without_caches(kind(prefix + data))) == prefix + data

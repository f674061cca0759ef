"""The Scapy layer of SDP: every octet comes back from the fields alone, and descriptions can be built."""

from __future__ import annotations

import inspect
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors import text
from dissectors.binary import notes
from dissectors.sdp import layer
from dissectors.sdp.capabilities import layers as capabilities
from dissectors.sdp.keying import layers as keying
from dissectors.sdp.keying.layers import SDPFecKey
from dissectors.sdp.layer import (
    LINE_LIMIT,
    SDP,
    SDPAttribute,
    SDPConnection,
    SDPCrypto,
    SDPFingerprint,
    SDPKey,
    SDPKeyMgmt,
    SDPKeyParam,
    SDPLine,
    SDPMedia,
    SDPOrigin,
    SDPSessionParam,
    SDPSetup,
    SDPTime,
)
from dissectors.sdp.media import layers as media
from dissectors.sdp.media.layers import MSRPURI, SDPDirection, SDPGroup, SDPPath
from dissectors.sdp.streams import layers as streams
from dissectors.text import TextLayer
from dissectors.tree import tree
from tests.dissectors.caches import without_caches

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


def test_each_line_is_a_layer_of_its_kind() -> None:
    sdp = SDP(BODY)
    assert [type(line) for line in sdp.lines] == [
        SDPLine,
        SDPConnection,
        SDPDirection,
        SDPMedia,
        SDPCrypto,
        SDPFingerprint,
        SDPKeyMgmt,
        SDPSetup,
        SDPAttribute,
        SDPLine,
    ]
    version, connection, direction, media_line, crypto, fingerprint, key_mgmt, setup, _, stray = sdp.lines
    assert (version.type, version.line_value) == (b"v", b"0")
    assert (connection.connection_address, connection.eol) == (b"192.0.2.1", b"\n")
    assert (direction.attribute_name, direction.eol) == (b"sendrecv", b"\r\n")
    assert (media_line.media, media_line.port, media_line.number_of_ports) == (b"audio", b"4000", b"2")
    assert (media_line.proto, [one.text for one in media_line.formats]) == (b"RTP/SAVP", [b"0", b"8"])
    assert (crypto.tag, crypto.crypto_suite) == (b"1", b"AES_CM_128_HMAC_SHA1_80")
    (key,) = crypto.key_params
    assert (key.method, key.key_salt, key.lifetime, key.mki) == (b"inline", b"x", b"2^20", b"")
    assert [(one.separator, one.parameter_name, one.parameter_value) for one in crypto.session_params] == [
        (b" ", b"KDR", b"1"),
        (b"  ", b"WSH", b"64"),
    ]
    assert (fingerprint.hash_func, fingerprint.fingerprint) == (b"sha-256", b"AB:CD")
    assert (key_mgmt.prtcl_id, key_mgmt.padding) == (b"mikey", b"")
    assert (setup.role, setup.unexplained) == (b"actpass", b" ")
    assert (stray.type, stray.equals, stray.line_value, stray.eol) == (b"", b"", b"stray", b"")
    assert bytes(without_caches(sdp)) == BODY
    assert sdp.description().media[0].port_count == 2


def test_a_change_inside_is_built() -> None:
    sdp = SDP(BODY)
    sdp.lines[3].port = b"0"
    sdp.lines[4].key_params[0].mki = b"7"
    sdp.lines[4].key_params[0].mki_colon = b":"
    sdp.lines[4].key_params[0].mki_length = b"4"
    sdp.lines[4].key_params[0].bar2 = b"|"
    assert bytes(sdp) == BODY.replace(b"4000/2", b"0/2").replace(b"2^20", b"2^20|7:4")


def test_a_description_can_be_built() -> None:
    sdp = SDP(
        lines=[
            SDPLine(type=b"v", line_value=b"0"),
            SDPOrigin(username=b"alice", unicast_address=b"192.0.2.1"),
            SDPTime(),
            SDPConnection(connection_address=b"192.0.2.1"),
            SDPGroup(identification_tags=b" a b"),
            SDPMedia(port=b"4000", proto=b"RTP/SAVP"),
            SDPCrypto(
                key_params=[SDPKeyParam(key_salt=b"x"), SDPKeyParam(key_salt=b"y")],
                session_params=[
                    SDPSessionParam(parameter_name=b"KDR", equals=b"=", parameter_value=b"1"),
                    SDPFecKey(key_params=b"inline:z"),
                ],
            ),
            SDPFingerprint(fingerprint=b"AB"),
            SDPKeyMgmt(keymgmt_data=b"AQA"),
            SDPPath(path_uris=[MSRPURI(host=b"a", session_id=b"s"), MSRPURI(host=b"b", session_id=b"t")]),
            SDPSetup(),
            SDPAttribute(attribute_name=b"mid", attribute_value=b"0"),
            SDPKey(),
        ]
    )
    built = (
        b"v=0\r\no=alice 0 0 IN IP4 192.0.2.1\r\nt=0 0\r\nc=IN IP4 192.0.2.1\r\na=group:BUNDLE a b\r\n"
        b"m=audio 4000 RTP/SAVP 0\r\n"
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x;inline:y KDR=1 FEC_KEY=inline:z\r\n"
        b"a=fingerprint:sha-256 AB\r\na=key-mgmt:mikey AQA=\r\n"
        b"a=path:msrp://a:2855/s;tcp msrp://b:2855/t;tcp\r\na=setup:actpass\r\na=mid:0\r\nk=prompt\r\n"
    )
    assert bytes(sdp) == built
    assert bytes(SDP(built)) == built
    assert bytes(SDP(built).copy()) == built
    assert bytes(SDP()) == b""


def test_lines_above_the_limit_are_kept_in_one_field() -> None:
    body = b"v=0\r\n" + b"a=x\r\n" * (LINE_LIMIT + 1)
    sdp = SDP(body)
    assert len(sdp.lines) == LINE_LIMIT
    assert sdp.unread == b"a=x\r\n" * 2
    assert bytes(without_caches(sdp)) == body
    assert notes(sdp) == [f"SDP at 0: more than {LINE_LIMIT} lines"]


def test_items_above_the_limit_stay_raw() -> None:
    line = b"m=audio 1 RTP/AVP" + b" 0" * (text.PIECES_LIMIT + 2)
    formats = SDPMedia(line).formats
    assert len(formats) == text.PIECES_LIMIT + 1
    assert bytes(formats[-1]) == b" 0 0"
    assert bytes(without_caches(SDPMedia(line))) == line


def test_what_is_wrong_is_said_with_its_place() -> None:
    crypto = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + b"d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
    body = crypto + b"\r\nm=audio x RTP/SAVP 0\r\n" + crypto + b"\r\n" + crypto + b" FOO\r\na=setup:later\r\n"
    assert sorted(notes(SDP(body))) == sorted(
        [
            "SDP media at 84: port is no number up to 65535",
            "SDP crypto at 190: unknown mandatory parameter",
            "SDP setup at 278: 'later' is no value of this attribute",
            "SDP at 0: session description does not begin with v=0",
            "SDP at 0: a=crypto at 0 stands at session level",
            "SDP at 0: a=crypto at 190 has a tag used before in the media section",
        ]
    )


LAYERS = sorted(
    {
        one
        for module in (layer, keying, media, streams, capabilities, text)
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, TextLayer) and one.__name__[:1] != "_" and one.fields_desc
    },
    key=lambda one: one.__name__,
)
VALUES = [
    b"1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4;inline:x|2:4 KDR=1 -X=y",
    b"1 AES_CM_128_HMAC_SHA1_80 inline:x ; inline:y FEC_ORDER=SRTP_FEC FEC_KEY=inline:a|3:4;inline:b|4:4",
    b"mikey AQAVgAAAAAAAAAAAAAAAAA==",
    b"sha-256 AB:CD",
    b"1 1 UDP 2130706431 192.0.2.1 5000 typ srflx raddr 198.51.100.1 rport 6000 generation 0",
    b"97 mode-set=0,2 ; octet-align=1",
    b"9 IN IP4 192.0.2.1",
    b"* ccm fir",
    b"msrps://a.example:2855/s;tcp msrp://user@[2001:db8::1]:9/t;ws;x=y",
    b"1 mstrm:10 11",
    b"1 t=1|2 a=-ms:1,[2]|3 +x=4",
    b"1 crypto:1 AES_CM_128_HMAC_SHA1_32 inline:x",
    b"cap-v0,med-v0",
    b"eyJpZHAiOnt9fQ== x=y;z",
    b"base64:AAEC",
    b"audio 4000/2 RTP/SAVP 0 8 97",
    b"3/sendonly urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:smpte-tc 25@600/24",
    b"FID 314159 271828",
]
SEPARATORS = st.sampled_from(
    [b" ", b"\t", b":", b";", b"|", b"=", b",", b"/", b"\r", b"\n", b"\r\n", b"", b"a=", b"\x00", b"\xff"]
)


@pytest.mark.parametrize("kind", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(kind: type[TextLayer], data: st.DataObject) -> None:
    prefix = bytes(kind.fields_desc[0].default or b"") if kind is not SDP else b"v=0\r\na="
    value = data.draw(st.sampled_from(VALUES))
    cut = data.draw(st.integers(0, len(value)))
    octets = prefix + value[:cut] + data.draw(SEPARATORS) + value[cut + data.draw(st.integers(0, 3)) :] + b"\r\n"
    packet = without_caches(kind(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    packet.show(dump=True)


@pytest.mark.parametrize("kind", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(kind: type[TextLayer]) -> None:
    built = bytes(kind())
    if built:
        assert bytes(without_caches(kind(built))) == built


@pytest.mark.parametrize("kind", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_names_its_clause(kind: type[TextLayer]) -> None:
    assert tree(kind()).clause


LINE = st.sampled_from(sorted(layer.BY_ATTRIBUTE)).flatmap(
    lambda name: st.sampled_from(VALUES).map(lambda value: b"a=" + name + b":" + value + b"\r\n")
)
PIECES = st.sampled_from(
    [b"v=", b"a=", b"a=crypto:", b"a=fingerprint:", b"a=key-mgmt:", b"m=", b"c=", b"k=", b"=", b":", b" ", b"\t"]
) | st.sampled_from([b"\r", b"\n", b"\r\n", b"x"])


@settings(deadline=None)
@given(st.binary(max_size=60) | st.lists(LINE | PIECES | st.binary(max_size=3), max_size=30).map(b"".join))
def test_any_octets_come_back_from_the_fields_alone(body: bytes) -> None:
    sdp = SDP(body)
    assert bytes(sdp) == body
    assert bytes(without_caches(sdp)) == body
    notes(sdp)
    assert tree(sdp).length == len(body)


@pytest.mark.parametrize("octet", [b" ", b"\t", b";", b"|", b",", b"=", b":", b"\r", b"[", b"x", b"2"])
@pytest.mark.parametrize("name", sorted(layer.BY_ATTRIBUTE))
def test_long_values_are_read_in_linear_time(name: bytes, octet: bytes) -> None:
    line = b"a=" + name + b":" + octet * 60_000
    started = time.process_time()
    assert bytes(without_caches(SDP(line))) == line
    assert time.process_time() - started < 2


def test_secrets_are_named_by_their_classes() -> None:
    secret = {one.__name__: one.secret_fields for one in LAYERS if hasattr(one, "secret_fields")}
    assert secret == {
        "SDPIcePwd": ("password",),
        "SDPKey": ("encryption_key",),
        "SDPKeyMgmt": ("keymgmt_data",),
        "SDPKeyParam": ("key_salt",),
        "SDPUnknownSessionParam": ("parameter_name", "parameter_value"),
    }

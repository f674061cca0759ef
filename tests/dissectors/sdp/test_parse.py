"""Session descriptions: lines, inheritance, the attributes that secure media and those that place it."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sdp.parse import Candidate, FloorId, Media, Origin, RtpMap, SessionDescription, parse

KEY = b"PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
SHA256 = b":".join([b"AB"] * 32)

CALL = b"""v=0
o=alice 2890844526 2890842807 IN IP4 192.0.2.1
s=A call
c=IN IP4 224.2.17.12/127
t=0 0
t=1 2
a=group:BUNDLE 0 1
a=group:LS 0 1
a=setup:actpass
a=recvonly
m=audio 49170/2 rtp/savp 0 97 101
i=title
c=IN IP6 2001:db8::1
a=rtpmap:97 opus/48000/2
a=rtpmap:101 telephone-event/8000
a=rtpmap:300 bad/1
a=fmtp:101 0-15
a=ptime:20
a=sendonly
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32
a=rtcp:49172 IN IP4 192.0.2.7
a=rtcp-mux
a=rtcp-rsize
a=mid:0
a=label:A
a=3ge2ae:requested
a=candidate:1 1 UDP 2130706431 192.0.2.3 8998 typ host
a=candidate:2 2 UDP 1694498815 198.51.100.3 45664 typ srflx raddr 192.0.2.3 rport 8998
a=candidate:broken
a=bundle-only
a=zrtp-hash:1.10 fe30
m=video 0 UDP/TLS/RTP/SAVPF 96
a=mid:1
a=inactive
""".replace(b"\n", b"\r\n")


def media(*lines: bytes, line: bytes = b"m=audio 4000 RTP/SAVP 0", session: bytes = b"") -> Media:
    body = b"v=0\r\n" + session + b"\r\n".join([line, *lines]) + b"\r\n"
    return parse(body).media[0]


def test_the_session_lines() -> None:
    sdp = parse(CALL)
    assert sdp.origin == Origin(b"alice", b"2890844526", b"2890842807", b"IN", b"IP4", b"192.0.2.1")
    assert sdp.name == b"A call"
    assert sdp.connection == b"224.2.17.12"
    assert sdp.times == ((b"0", b"0"), (b"1", b"2"))
    assert sdp.bundle_groups == ((b"0", b"1"),)
    assert sdp.setup == b"actpass"
    assert sdp.notes == []


def test_a_media_section() -> None:
    audio = parse(CALL).media[0]
    assert (audio.index, audio.media, audio.port, audio.port_count) == (0, b"audio", 49170, 2)
    assert (audio.proto, audio.transport, audio.profile.secure) == (b"rtp/savp", "RTP/SAVP", True)
    assert audio.formats == (b"0", b"97", b"101")
    assert audio.connection == b"2001:db8::1"
    assert audio.direction == b"sendonly"
    assert audio.rtpmaps == {97: RtpMap(b"opus", 48000, 2), 101: RtpMap(b"telephone-event", 8000, 1)}
    assert audio.fmtp == {b"101": b"0-15"}
    assert audio.ptime == 20
    assert audio.rtcp == (49172, b"192.0.2.7")
    assert audio.rtcp_mux
    assert audio.rtcp_rsize
    assert (audio.mid, audio.label, audio.e2ae) == (b"0", b"A", b"requested")
    assert audio.candidates == (
        Candidate(1, b"udp", b"192.0.2.3", 8998, b"host"),
        Candidate(2, b"udp", b"198.51.100.3", 45664, b"srflx"),
    )
    assert audio.bundle_only
    assert audio.zrtp_hash == (b"1.10 fe30",)
    assert audio.setup == b"actpass"
    (crypto,) = audio.crypto
    assert (crypto.tag, crypto.error, crypto.keys[0].lifetime) == (1, "", 1 << 20)


def test_a_section_inherits_what_it_does_not_say() -> None:
    video = parse(CALL).media[1]
    assert (video.index, video.port, video.port_count) == (1, 0, 1)
    assert video.connection == b"224.2.17.12"
    assert video.direction == b"inactive"
    assert video.crypto == ()
    assert media(session=b"a=recvonly\r\n").direction == b"recvonly"
    assert media().direction == b"sendrecv"
    assert media().setup == b""


def test_every_attribute_knows_its_place() -> None:
    for body in (CALL, CALL.replace(b"\r\n", b"\n"), CALL[CALL.index(b"m=audio") :], b"a=x\r\na=y:1\r\nm=a\r\na=z"):
        sdp = parse(body)
        found = [*sdp.attributes, *(attribute for line in sdp.media for attribute in line.attributes)]
        assert len(found) == sum(line.startswith(b"a=") for line in body.splitlines())
        for attribute in found:
            written = body[attribute.offset : attribute.offset + attribute.length]
            assert written.partition(b":") == (
                b"a=" + attribute.name,
                b":" if b":" in written else b"",
                attribute.value,
            )
        for line in sdp.media:
            assert body[line.offset :].startswith(b"m=")
            for crypto in line.crypto:
                assert body[crypto.offset : crypto.offset + crypto.length].startswith(b"a=crypto:")
                assert body[crypto.offset + crypto.length] in b"\r\n"


def test_bare_line_feeds_mean_the_same() -> None:
    crlf, lf = parse(CALL), parse(CALL.replace(b"\r\n", b"\n"))
    assert lf.origin == crlf.origin
    for ours, theirs in zip(lf.media, crlf.media, strict=True):
        for name in ("port", "formats", "connection", "direction", "rtpmaps", "candidates", "mid", "setup", "rtcp"):
            assert getattr(ours, name) == getattr(theirs, name), name
        assert [crypto.keys for crypto in ours.crypto] == [crypto.keys for crypto in theirs.crypto]


def test_a_description_without_media() -> None:
    sdp = parse(b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\na=fingerprint:sha-256 " + SHA256)
    assert sdp.media == []
    assert sdp.fingerprints[0].error == ""
    assert parse(b"").media == []
    assert [note.text for note in parse(b"").notes] == ["session description does not begin with v=0"]


@pytest.mark.parametrize(
    ("port", "expected", "count", "note"),
    [
        (b"65535", 65535, 1, None),
        (b"65536", -1, 1, "'65536' is no port"),
        (b"-1", -1, 1, "'-1' is no port"),
        (b"port", -1, 1, "'port' is no port"),
        (b"9" * 5000, -1, 1, "'99999999999999999999' is no port"),
        (b"4000/0", 4000, 1, "'0' is no number of ports"),
        (b"4000/x", 4000, 1, "'x' is no number of ports"),
        (b"4000/999999999", 4000, 999999999, None),
        (b"4000/" + b"9" * 5000, 4000, 1, "'99999999999999999999' is no number of ports"),
    ],
)
def test_bad_ports_are_noted_at_their_line(port: bytes, expected: int, count: int, note: str | None) -> None:
    sdp = parse(b"v=0\r\nm=audio " + port + b" RTP/AVP 0\r\n")
    assert (sdp.media[0].port, sdp.media[0].port_count) == (expected, count)
    assert [(found.offset, found.text) for found in sdp.notes] == ([(5, note)] if note else [])


@pytest.mark.parametrize("line", [b"m=", b"m=audio", b"m=audio 1", b"m=audio 1 RTP/AVP"])
def test_short_media_lines_keep_their_index(line: bytes) -> None:
    sdp = parse(b"v=0\r\n" + line + b"\r\nm=video 2 RTP/AVP 0\r\n")
    assert [found.index for found in sdp.media] == [0, 1]
    assert sdp.media[0].formats == ()
    assert sdp.media[1].media == b"video"
    assert len(sdp.notes) == 1


def test_a_tag_used_twice_in_a_section_is_an_error_of_the_second_line() -> None:
    crypto = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY
    assert [found.error for found in media(crypto, crypto).crypto] == ["", "tag used before in the media section"]


def test_crypto_at_session_level_is_an_error() -> None:
    body = b"v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY + b"\r\nm=audio 1 RTP/SAVP 0\r\n"
    (crypto,) = parse(body).crypto
    assert crypto.error == "crypto attribute at session level"
    assert len(crypto.keys) == 1
    assert parse(body).media[0].crypto == ()


def test_white_space_behind_an_attribute_name_is_overlooked() -> None:
    line = media(b"a=inactive ", b"a=crypto :1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY)
    assert line.direction == b"inactive"
    assert len(line.crypto) == 1


def test_attribute_names_are_compared_with_case() -> None:
    assert media(b"a=Crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY).crypto == ()


def test_crypto_inside_capabilities_is_kept_apart() -> None:
    line = media(
        b"a=tcap:1 RTP/SAVP",
        b"a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY,
        b"a=acap:2 ptime:20",
        b"a=pcfg:1 t=1 a=1",
        b"a=cpar: a=crypto:1 x",
    )
    assert line.crypto == ()
    (crypto,) = line.capability_crypto
    assert crypto.error == ""
    assert len(line.acap) == 2
    assert (line.tcap, line.pcfg, line.acfg) == ((b"1 RTP/SAVP",), (b"1 t=1 a=1",), ())


@pytest.mark.parametrize(
    ("value", "protocol", "data", "error"),
    [
        (b"mikey AQAFgM0=", b"mikey", bytes.fromhex("01000580cd"), ""),
        (b" mikey AQAFgM0=", b"mikey", bytes.fromhex("01000580cd"), ""),
        (b"mikey AQAFgM0", b"mikey", bytes.fromhex("01000580cd"), ""),
        (b"mikey AQAF gM0=", b"mikey", b"", "key management data is not base64"),
        (b"mikey  AQAFgM0=", b"mikey", b"", "key management data is not base64"),
        (b"mikey AQAF~", b"mikey", b"", "key management data is not base64"),
        (b"mikey A", b"mikey", b"", "key management data is not base64"),
        (b"mikey", b"mikey", b"", "no key management data"),
        (b"", b"", b"", "no protocol identifier"),
        (b"MIKEY AQAF", b"MIKEY", b"\x01\x00\x05", "unknown key management protocol"),
    ],
)
def test_key_management_lines(value: bytes, protocol: bytes, data: bytes, error: str) -> None:
    (found,) = media(b"a=key-mgmt:" + value).key_mgmt
    assert (found.protocol, found.data, found.error, found.session_level) == (protocol, data, error, False)


def test_key_management_of_the_session_covers_secure_lines_without_their_own() -> None:
    session = b"a=key-mgmt:mikey AQAF\r\n"
    secure, clear = media(session=session), media(session=session, line=b"m=audio 1 RTP/AVP 0")
    own = media(b"a=key-mgmt:mikey AQAG", session=session)
    assert secure.key_mgmt == ()
    assert [found.session_level for found in secure.key_mgmt_in_force] == [True]
    assert clear.key_mgmt_in_force == ()
    assert [found.data for found in own.key_mgmt_in_force] == [b"\x01\x00\x06"]


@pytest.mark.parametrize(
    ("value", "function", "error"),
    [
        (b"sha-256 " + SHA256, b"sha-256", ""),
        (b"SHA-1 " + SHA256[:59], b"sha-1", ""),
        (b"md5 " + SHA256[:47], b"md5", ""),
        (b"sha-256 " + SHA256[:59], b"sha-256", "fingerprint has 20 octets, sha-256 has 32"),
        (b"sha-256 AB:C", b"sha-256", "fingerprint is not made of hex pairs"),
        (b"sha-256", b"sha-256", "no fingerprint"),
        (b"sha-9 AB", b"sha-9", "unknown hash function"),
    ],
)
def test_fingerprints(value: bytes, function: bytes, error: str) -> None:
    (found,) = media(b"a=fingerprint:" + value).fingerprints
    assert (found.hash_function, found.error, found.forbidden) == (function, error, function == b"md5")


def test_a_fingerprint_in_lower_case_is_noted() -> None:
    (found,) = media(b"a=fingerprint:sha-256 " + SHA256.lower()).fingerprints
    assert (found.error, found.digest, found.notes) == ("", b"\xab" * 32, ("fingerprint in lower case",))


def test_fingerprints_of_a_section_replace_those_of_the_session() -> None:
    session = b"a=fingerprint:sha-1 " + SHA256[:59] + b"\r\na=setup:passive\r\na=connection:New\r\n"
    inherited = media(session=session)
    assert [(found.hash_function, found.session_level) for found in inherited.fingerprints] == [(b"sha-1", True)]
    assert (inherited.setup, inherited.connection_attr) == (b"passive", b"new")
    own = media(b"a=fingerprint:sha-256 " + SHA256, b"a=setup:ACTIVE", b"a=tls-id:abc", session=session)
    assert [(found.hash_function, found.session_level) for found in own.fingerprints] == [(b"sha-256", False)]
    assert (own.setup, own.tls_id) == (b"active", b"abc")


def test_attributes_of_messaging() -> None:
    line = media(
        b"a=path:msrps://a.example.com:2855/x;tcp msrps://b.example.com:9/y;tcp",
        b"a=accept-types:message/cpim text/plain",
        b"a=msrp-cema",
        line=b"m=message 2855 TCP/TLS/MSRP *",
    )
    assert line.path == (b"msrps://a.example.com:2855/x;tcp", b"msrps://b.example.com:9/y;tcp")
    assert line.accept_types == (b"message/cpim", b"text/plain")
    assert line.msrp_cema
    assert line.profile.family == "msrp"


def test_attributes_of_floor_control() -> None:
    line = media(
        b"a=floorctrl:c-only s-only",
        b"a=confid:4321",
        b"a=userid:1234",
        b"a=floorid:1 mstrm:10 11",
        b"a=floorid:2 m-stream:12",
        b"a=floorid:x",
        b"a=floorid:3",
        line=b"m=application 50000 TCP/TLS/BFCP *",
    )
    assert line.floorctrl == (b"c-only", b"s-only")
    assert (line.confid, line.userid) == (4321, 1234)
    assert line.floorid == (FloorId(1, (b"10", b"11")), FloorId(2, (b"12",)), FloorId(3, ()))


def test_obsolete_key_lines_are_found_with_their_place() -> None:
    body = b"v=0\r\nk=clear:session\r\nm=audio 1 RTP/SAVP 0\r\nk=base64:AAAA\r\n"
    sdp = parse(body)
    assert sdp.k is not None
    assert sdp.media[0].k is not None
    assert (sdp.k.value, sdp.media[0].k.value) == (b"clear:session", b"base64:AAAA")
    assert body[sdp.media[0].k.offset :].startswith(b"k=base64")
    assert parse(CALL).k is None


def test_no_representation_shows_a_key() -> None:
    sdp = parse(b"v=0\r\nk=clear:secret\r\nm=audio 1 RTP/SAVP 0\r\na=crypto:1 S inline:" + KEY + b"\r\n")
    line = sdp.media[0]
    shown = repr((sdp, line, line.crypto, line.attributes, line.section, sdp.k))
    assert KEY.decode() not in shown
    assert "secret" not in shown


def test_a_description_can_be_pickled() -> None:
    sdp = parse(CALL)
    assert sdp.media[0].crypto
    copy = pickle.loads(pickle.dumps(sdp))
    assert copy == sdp
    assert copy.media[0].crypto == sdp.media[0].crypto
    assert copy.media[1].session is copy.session


def read_all(sdp: SessionDescription) -> None:
    for thing in (sdp, *sdp.media):
        for name in dir(type(thing)):
            if not name.startswith("_"):
                getattr(thing, name)


PIECES = st.sampled_from(
    [
        b"v=0",
        b"m=audio 1 RTP/SAVP 0",
        b"m=",
        b"\r\n",
        b"\n",
        b"\r",
        b"a=",
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:",
        KEY,
        b"a=key-mgmt:mikey ",
        b"AQAF",
        b"a=fingerprint:sha-256 ",
        b"a=rtpmap:0 ",
        b"a=rtcp:",
        b"a=candidate:1 1 UDP 1 a 1 typ host",
        b"a=floorid:",
        b"a=group:BUNDLE",
        b"a=acap:1 crypto:",
        b"a=ptime:1.5",
        b"c=IN IP4 ",
        b"k=",
        b"o=a",
        b"t=0",
        b" ",
        b":",
        b"/",
    ]
)


@given(st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=6), max_size=40).map(b"".join))
def test_any_octets_are_read_without_raising(body: bytes) -> None:
    sdp = parse(body)
    read_all(sdp)
    for attribute in (*sdp.attributes, *(found for line in sdp.media for found in line.attributes)):
        assert body[attribute.offset : attribute.offset + 2] == b"a="


@pytest.mark.parametrize(
    "body",
    [
        b"m=\n" * 20000,
        b"a=\n" * 20000,
        b"t=\n" * 20000,
        b"m=audio 1 RTP/AVP " + b"0 " * 30000,
        b"m=a 1 b c\na=fingerprint:sha-256 " + b"AB:" * 20000,
        b"m=a 1 b c\na=floorid:1 " + b"x " * 30000,
        b"m=a 1 b c\n" + b"a=rtpmap:1 a/1\n" * 4000,
    ],
)
def test_hostile_repetition_is_read_in_linear_time(body: bytes) -> None:
    sdp = parse(body)
    for line in sdp.media[-1:]:
        assert line.attributes is not None
        assert line.fingerprints is not None
        assert line.floorid is not None
    assert sdp.times is not None

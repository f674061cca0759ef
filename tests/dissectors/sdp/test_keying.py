"""Attributes that bring keys: each to its last parameter, with what it stands for and where its octets stand."""

from __future__ import annotations

import base64
import importlib.util
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.binary import notes, spans
from dissectors.sdp.crypto import parse_crypto
from dissectors.sdp.keying.layers import (
    SDP3ge2ae,
    SDPCandidate,
    SDPConnectionAttribute,
    SDPCrypto,
    SDPFecKey,
    SDPFingerprint,
    SDPIcePwd,
    SDPIdentity,
    SDPKey,
    SDPKeyMgmt,
    SDPSessionParam,
    SDPSetup,
    SDPTlsId,
    SDPUnknownSessionParam,
    SDPZrtpHash,
)
from dissectors.sdp.layer import SDP, SDPMedia
from dissectors.text import from_base64, to_base64
from dissectors.tree import tree

KEY = b"d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
OTHER = b"PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
CBC = b"1 AES_CM_128_HMAC_SHA1_80 inline:"


def meaning(packet: Any, name: str) -> str:
    """What a field of a layer says of its value."""
    said: str = packet.get_field(name).meaning(packet, packet.getfieldval(name))
    return said


def place(packet: Any, name: str) -> tuple[int, int]:
    """Where a field's octets begin and end in those of its layer."""
    return next((begin, end) for each, _, begin, end in spans(packet) if each.name == name)


def test_a_crypto_line_is_taken_apart_to_its_last_parameter() -> None:
    line = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY + b"|2^20|1:4;inline:" + OTHER + b"|1066|2:4 KDR=3"
    crypto = SDPCrypto(line + b" UNENCRYPTED_SRTP -new=1 FEC_ORDER=SRTP_FEC FEC_KEY=inline:" + KEY + b"|3:4\r\n")
    first, second = crypto.key_params
    assert meaning(crypto, "crypto_suite") == "AES-CM-128, key 16 and salt 14 octets, tags 10 and 10"
    octets = base64.b64decode(KEY)
    assert meaning(first, "key_salt") == f"master key {octets[:16].hex()}, master salt {octets[16:].hex()}"
    assert (first.lifetime, first.mki, first.mki_length) == (b"2^20", b"1", b"4")
    assert (meaning(first, "lifetime"), meaning(first, "mki")) == ("1048576 packets", "in packets 00000001")
    assert (second.separator, second.key_salt, second.lifetime, second.mki) == (b";", OTHER, b"1066", b"2")
    assert meaning(second, "lifetime") == "packets"
    assert place(first, "key_salt") == (7, 47)
    rate, clear, extension, order, fec = crypto.session_params
    assert meaning(rate, "parameter_value") == "every 8 packets"
    assert meaning(clear, "parameter_name") == "payloads are not encrypted"
    assert meaning(extension, "parameter_name") == "extension that may be ignored"
    assert meaning(order, "parameter_value") == "SRTP before forward error correction at the sender"
    assert isinstance(fec, SDPFecKey)
    assert fec.key_params[0].key_salt == KEY
    assert meaning(fec.key_params[0], "key_salt") == meaning(first, "key_salt")
    assert notes(crypto) == []


def test_an_mki_without_a_lifetime_is_no_lifetime() -> None:
    (key,) = SDPCrypto(b"a=crypto:" + CBC + KEY + b"|1066:4").key_params
    assert (key.bar1, key.lifetime, key.bar2, key.mki, key.mki_length) == (b"", b"", b"|", b"1066", b"4")


def test_a_key_of_the_wrong_length_or_suite_is_shown_whole() -> None:
    (key,) = SDPCrypto(b"a=crypto:1 AEAD_AES_256_GCM inline:" + KEY).key_params
    assert meaning(key, "key_salt") == f"30 octets: {base64.b64decode(KEY).hex()}"
    (key,) = SDPCrypto(b"a=crypto:1 OF_OUR_OWN inline:" + KEY).key_params
    assert meaning(key, "key_salt").startswith("30 octets: ")
    (key,) = SDPCrypto(b"a=crypto:1 OF_OUR_OWN inline:-").key_params
    assert meaning(key, "key_salt") == "no base64"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"01 AES_CM_128_HMAC_SHA1_80 inline:" + KEY, "leading zero in tag"),
        (b"1234567890 AES_CM_128_HMAC_SHA1_80 inline:" + KEY, "tag longer than 9 digits"),
        (CBC + KEY[:36], "key and salt have 27 octets, the crypto suite needs 30"),
        (CBC + KEY + b"|2^49", "lifetime above 2^48"),
        (CBC + KEY + b"|0", "zero lifetime"),
        (CBC + KEY + b"|2^20|1", "MKI without length"),
        (CBC + KEY + b"|2^20|1:129", "MKI length above 128"),
        (CBC + KEY + b";inline:" + OTHER, "several keys without MKI"),
        (CBC + KEY + b" KDR=25", "KDR out of range"),
        (CBC + KEY + b" WSH=63", "window below 64"),
        (CBC + KEY + b" FOO=1", "unknown mandatory parameter"),
        (b"1 AEAD_AES_256_GCM inline:" + KEY, "key and salt have 30 octets, the crypto suite needs 44"),
    ],
)
def test_invalid_lines_say_why(value: bytes, why: str) -> None:
    assert notes(SDPCrypto(b"a=crypto:" + value)) == [f"SDP crypto at 0: {why}"]
    assert parse_crypto(value).error == why


def test_everything_that_is_wrong_is_said() -> None:
    assert notes(SDPCrypto(b"a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:" + KEY + b"|0 KDR=0 WSH=1")) == [
        "SDP crypto at 0: tag is no number",
        "SDP crypto at 0: zero lifetime",
        "SDP crypto at 0: KDR out of range",
        "SDP crypto at 0: window below 64",
    ]


def test_what_may_be_a_piece_of_a_key_is_kept_from_views() -> None:
    """A key with white space inside: what is behind it stands where session parameters do."""
    line = b"a=crypto:" + CBC + KEY[:20] + b" " + KEY[20:] + b" KDR=1"
    spoiled, rate = SDPCrypto(line).session_params
    assert isinstance(spoiled, SDPUnknownSessionParam)
    assert type(rate) is SDPSessionParam
    assert KEY[20:].decode() not in " ".join(notes(SDPCrypto(line)))


digits = st.integers(0, 10**12).map(lambda number: b"%d" % number)
KEYS = st.builds(
    lambda key, lifetime, mki: b"inline:" + base64.b64encode(key) + lifetime + mki,
    st.binary(min_size=30, max_size=30),
    st.just(b"") | st.builds(lambda n: b"|2^%d" % n, st.integers(0, 48)) | digits.map(lambda n: b"|" + n),
    st.just(b"") | st.builds(lambda n, o: b"|%d:%d" % (n, o), st.integers(1, 255), st.integers(1, 128)),
)


@given(st.lists(KEYS, min_size=1, max_size=4), st.lists(st.sampled_from([b"KDR=1", b"UNENCRYPTED_SRTCP", b"-x=y"])))
def test_layer_and_parser_agree_on_crypto_lines(keys: list[bytes], params: list[bytes]) -> None:
    value = b" ".join([b"1 AES_CM_128_HMAC_SHA1_80", b";".join(keys), *params])
    layer, lean = SDPCrypto(b"a=crypto:" + value), parse_crypto(value)
    assert [from_base64(key.key_salt) for key in layer.key_params] == [key.key_salt for key in lean.keys]
    for shown, key in zip(layer.key_params, lean.keys, strict=True):
        assert (shown.mki, shown.mki_length) == ((b"%d" % key.mki, b"%d" % key.mki_length) if key.mki else (b"", b""))
        power = shown.lifetime[:2] == b"2^"
        number = 1 << int(shown.lifetime[2:]) if power else int(shown.lifetime or 0)
        assert number == (key.lifetime or 0)
    assert tuple(bytes(one).strip() for one in layer.session_params) == lean.session_params
    assert [note.removeprefix("SDP crypto at 0: ") for note in notes(layer)][:1] == ([lean.error] if lean.error else [])


def test_fingerprints_say_what_is_wrong_with_them() -> None:
    good = b"a=fingerprint:sha-256 " + b":".join([b"AB"] * 32)
    assert notes(SDPFingerprint(good)) == []
    assert meaning(SDPFingerprint(good), "fingerprint") == "32 octets"
    for line, why in {
        b"a=fingerprint:sha-1 AB:CD": "fingerprint has 2 octets, sha-1 has 20",
        b"a=fingerprint:sha-256 AB-CD": "fingerprint is not made of hex pairs",
        b"a=fingerprint:sha-256": "no fingerprint",
        b"a=fingerprint:crc32 AB": "unknown hash function",
        b"a=fingerprint:md5 " + b":".join([b"AB"] * 16): "hash function md5 must not be used",
    }.items():
        assert notes(SDPFingerprint(line)) == [f"SDP fingerprint at 0: {why}"]


def test_roles_connections_and_access_edge_are_told() -> None:
    assert meaning(SDPSetup(b"a=setup:Active"), "role") == "will connect"
    assert meaning(SDPConnectionAttribute(b"a=connection:existing"), "connection_value") == "the one there is"
    assert meaning(SDP3ge2ae(b"a=3ge2ae:applied"), "indicator") == "the access edge ends media security"
    assert notes(SDP3ge2ae(b"a=3ge2ae:offered")) == ["SDP 3ge2ae at 0: 'offered' is no value of this attribute"]


def test_a_tls_id_has_20_to_255_characters() -> None:
    assert notes(SDPTlsId(b"a=tls-id:abc")) == ["SDP tls-id at 0: identifier has 3 characters, 20 to 255 are needed"]
    assert notes(SDPTlsId(b"a=tls-id:" + b"a" * 19 + b"!")) == [
        "SDP tls-id at 0: identifier has characters other than letters, digits and + / - _"
    ]
    assert notes(SDPTlsId(b"a=tls-id:" + b"aA9+/-_" * 3)) == []


def test_other_ways_to_agree_on_keys_have_fields_too() -> None:
    zrtp = SDPZrtpHash(b"a=zrtp-hash:1.10 fe30efd0\r\n")
    assert (zrtp.version, zrtp.hash_value) == (b"1.10", b"fe30efd0")
    assertion = {"idp": {"domain": "example.org"}, "assertion": "x"}
    identity = SDPIdentity(b"a=identity:" + base64.b64encode(json.dumps(assertion).encode()) + b" x=y\r\n")
    assert json.loads(meaning(identity, "assertion")) == assertion
    assert identity.extensions == b"x=y"
    assert meaning(SDPIdentity(b"a=identity:AAEC"), "assertion") == "3 octets that are no JSON"
    key = SDPKey(b"k=base64:AAEC\r\n")
    assert (key.method, key.encryption_key, meaning(key, "encryption_key")) == (b"base64", b"AAEC", "000102")
    assert SDPIcePwd(b"a=ice-pwd:secret").password == b"secret"


def test_a_candidate_has_fields() -> None:
    line = b"a=candidate:1 2 UDP 99 192.0.2.1 5000 typ srflx raddr 198.51.100.1 rport 6000 generation 0"
    candidate = SDPCandidate(line)
    assert (candidate.foundation, candidate.component_id, candidate.transport) == (b"1", b"2", b"UDP")
    assert (candidate.priority, candidate.connection_address, candidate.port) == (b"99", b"192.0.2.1", b"5000")
    assert (candidate.cand_type, candidate.rel_addr, candidate.rel_port) == (b"srflx", b"198.51.100.1", b"6000")
    assert candidate.extensions == b" generation 0"
    assert notes(SDPCandidate(b"a=candidate:1 2 UDP")) == ["SDP candidate at 0: candidate has no type"]


# --- a=key-mgmt -----------------------------------------------------------------------------------

MIKEY_MESSAGE = bytes.fromhex("010005008000000001000001000000000000000b00e3a1b2c3d4e5f607") + bytes([0x0A, 0x00]) * 2


def mikey() -> Any:
    """The class of MIKEY messages."""
    if importlib.util.find_spec("dissectors.mikey.layers") is None:
        pytest.skip("the layer of MIKEY is not there")
    from dissectors.mikey.layers import MIKEY

    return MIKEY


@pytest.mark.parametrize("level", [b"", b"m=audio 4000 RTP/SAVP 0\r\n"])
@pytest.mark.parametrize("size", [29, 30, 31, 33])
def test_the_message_of_a_key_mgmt_line_is_shown_in_place(level: bytes, size: int) -> None:
    message = MIKEY_MESSAGE[:size]
    body = b"v=0\r\n" + level + b"a=key-mgmt:mikey " + base64.b64encode(message) + b"\r\n"
    line = SDP(body).lines[-1]
    assert isinstance(line.keymgmt_data, mikey())
    assert bytes(line.keymgmt_data) == message
    assert line.padding == b"=" * (-size % 3)
    assert bytes(SDP(body)) == body


def test_a_changed_message_is_encoded_again() -> None:
    line = SDPKeyMgmt(b"a=key-mgmt:mikey " + base64.b64encode(MIKEY_MESSAGE))
    line.keymgmt_data = mikey()(b"\x01" + MIKEY_MESSAGE[1:] + b"\x00")
    line.padding = None
    assert bytes(line) == b"a=key-mgmt:mikey " + base64.b64encode(MIKEY_MESSAGE + b"\x00")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"a=key-mgmt:mikey AQ AF", "key management data is not base64"),
        (b"a=key-mgmt:mikey", "no key management data"),
        (b"a=key-mgmt:", "no protocol identifier"),
        (b"a=key-mgmt:MIKEY AQAF", "unknown key management protocol"),
    ],
)
def test_key_mgmt_lines_that_are_invalid_say_why(line: bytes, why: str) -> None:
    layer = SDPKeyMgmt(line)
    assert f"SDP key-mgmt at 0: {why}" in notes(layer)
    assert bytes(layer) == line


def test_text_in_an_unusual_spelling_stays_text() -> None:
    """The last digit has bits that stand for nothing: the message could not be built as it was."""
    line = SDPKeyMgmt(b"a=key-mgmt:mikey AQAFAB==")
    assert line.keymgmt_data == b"AQAFAB"
    assert bytes(line) == b"a=key-mgmt:mikey AQAFAB=="


@given(st.binary(max_size=40))
def test_base64_is_undone_with_and_without_padding(octets: bytes) -> None:
    text = to_base64(octets)
    assert b"=" not in text
    assert from_base64(text) == from_base64(base64.b64encode(octets)) == octets
    assert from_base64(text + b"!") is None


def test_the_tree_says_what_keys_stand_for_and_marks_them() -> None:
    octets = base64.b64decode(KEY)
    nodes = [one for one in tree(SDP(b"v=0\r\na=crypto:" + CBC + KEY + b"|2^31\r\n")).walk() if one.name == "key_salt"]
    (node,) = nodes
    assert node.meaning == f"master key {octets[:16].hex()}, master salt {octets[16:].hex()}"
    assert (node.offset, node.length) == (47, 40)
    assert node.secret


def test_a_media_line_says_what_its_transport_protects() -> None:
    assert meaning(SDPMedia(b"m=audio 1 RTP/SAVP 0"), "proto") == "protected: sdes-or-other"
    assert meaning(SDPMedia(b"m=audio 1 RTP/AVP 0"), "proto") == "not protected"
    assert meaning(SDPMedia(b"m=audio 1 X/Y 0"), "proto") == "unknown transport"


@pytest.mark.parametrize("name", [b"KDR", b"WSH", b"FEC_ORDER", b"UNENCRYPTED_SRTP", b"-unknown"])
def test_a_long_value_of_a_session_parameter_may_be_a_key(name: bytes) -> None:
    """No value of RFC 4568 §6.3 is as long as a key, which may stand there by mistake."""
    key = b"inline:t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQ"
    octets = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA " + name + b"=" + key + b"\r\n"
    found = [node for node in tree(SDPCrypto(octets)).walk() if node.value == key.decode()]
    assert len(found) == 1
    assert found[0].secret

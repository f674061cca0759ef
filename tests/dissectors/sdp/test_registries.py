"""Every entry of every registry of session descriptions goes through the layers."""

from __future__ import annotations

import base64

import pytest

from dissectors.registry import Registry
from dissectors.sdp import registries
from dissectors.sdp.capabilities.layers import SDPPcfg
from dissectors.sdp.crypto import parse_crypto
from dissectors.sdp.keying.codes import CRYPTO_SESSION_PARAMETERS, HASH_FUNCTIONS
from dissectors.sdp.layer import BY_ATTRIBUTE, BY_LETTER, SDP, SDPLine, SDPMedia
from dissectors.sdp.parse import FINGERPRINT_OCTETS, parse
from dissectors.sdp.suites import SDES_SUITES
from dissectors.sdp.transports import TRANSPORTS
from dissectors.text import TextLayer

BY_NAME = {each.name: each for each in registries.REGISTRIES}
SHOWN = {
    "Values of FEC_ORDER": b"a=crypto:1 x inline:x FEC_ORDER=%s",
    "Key methods of a=crypto": b"a=crypto:1 x %s:x",
    "Key management protocols": b"a=key-mgmt:%s AA",
    "Values of a=setup": b"a=setup:%s",
    "Values of a=connection": b"a=connection:%s",
    "Values of a=3ge2ae": b"a=3ge2ae:%s",
    "Methods of k=": b"k=%s:x",
    "Types of ICE candidates": b"a=candidate:1 1 UDP 1 192.0.2.1 1 typ %s",
    "Semantics of a=group": b"a=group:%s a",
    "Semantics of a=ssrc-group": b"a=ssrc-group:%s 1 2",
    "Attributes of a=ssrc": b"a=ssrc:1 %s:x",
    "RTP header extensions of a=extmap": b"a=extmap:1 %s",
    "Values of a=floorctrl": b"a=floorctrl:%s",
    "Tokens of a=chatroom": b"a=chatroom:%s",
    "Schemes of MSRP URIs": b"a=path:%s://a:1/b;tcp",
    "Transports of MSRP URIs": b"a=path:msrp://a:1/b;%s",
    "Lists of configurations": b"a=pcfg:1 %s=1",
    "Deletions of configurations": b"a=pcfg:1 a=%s:1",
}


def text_of(line: bytes) -> str:
    """All that Scapy shows of a line."""
    shown: str = SDP(line).show(dump=True)
    return shown


def test_every_line_has_its_layer() -> None:
    for letter, layer in BY_LETTER.items():
        assert issubclass(layer, TextLayer)
        assert type(SDP(letter + b"x").lines[0]) is layer
    for letter in set(registries.LINES) - set(BY_LETTER):
        assert type(SDP(letter + b"x").lines[0]) is SDPLine


def test_every_attribute_is_taken_apart() -> None:
    for name, layer in BY_ATTRIBUTE.items():
        line = SDP(b"a=" + name + b":x").lines[0]
        assert type(line) is layer
        assert layer.__name__ != "SDPAttribute"
        assert bytes(line) == b"a=" + name + b":x"


def test_every_transport_says_what_it_protects() -> None:
    for name, row in TRANSPORTS.items():
        media = SDPMedia(b"m=audio 1 " + name.encode() + b" 0")
        said = media.get_field("proto").meaning(media, media.proto)
        assert said == (f"protected: {row.security}" if row.secure else "not protected")


def test_every_crypto_suite_cuts_key_and_salt() -> None:
    for name, suite in SDES_SUITES.items():
        octets = bytes(range(suite.length))
        value = b"1 " + name.encode() + b" inline:" + base64.b64encode(octets)
        (key,) = SDP(b"a=crypto:" + value).lines[0].key_params
        said = key.get_field("key_salt").meaning(key, key.key_salt)
        assert said == f"master key {octets[: suite.key].hex()}, master salt {octets[suite.key :].hex()}"
        assert parse_crypto(value).error == ""


def test_every_session_parameter_is_named() -> None:
    for name, said in CRYPTO_SESSION_PARAMETERS.items():
        assert f"({said})" in text_of(b"a=crypto:1 x inline:x " + name + b"=inline:x")


def test_every_hash_function_has_its_length() -> None:
    assert set(HASH_FUNCTIONS) == set(FINGERPRINT_OCTETS)
    for name, octets in FINGERPRINT_OCTETS.items():
        line = b"a=fingerprint:" + name + b" " + b":".join([b"AB"] * octets)
        assert HASH_FUNCTIONS[name] in text_of(line)
        assert HASH_FUNCTIONS[name].startswith(f"{octets} octets")
        (fingerprint,) = parse(b"v=0\r\n" + line).fingerprints
        assert (fingerprint.error, len(fingerprint.digest)) == ("", octets)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_values_are_named(name: str) -> None:
    for value, said in BY_NAME[name].names.items():
        assert f"({said})" in text_of(SHOWN[name] % value)


def test_every_registry_has_a_test_that_goes_through_it() -> None:
    for registry in registries.REGISTRIES:
        assert isinstance(registry, Registry)
        function = registry.test.partition("::")[2]
        assert function == "test_profiles_of_dtls_srtp" or function in globals()
    named = {each.name for each in registries.REGISTRIES if each.test.endswith("test_values_are_named")}
    assert named == set(SHOWN)


def test_unknown_lists_are_said_to_be() -> None:
    (unknown,) = SDPPcfg(b"a=pcfg:1 q=1").config_lists
    assert unknown.get_field("config_type").meaning(unknown, b"q") == "unknown list"

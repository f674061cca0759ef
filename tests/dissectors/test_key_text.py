"""What reads as a key is found in spoiled lines and in octets that no layer explains, and nothing else is."""

from __future__ import annotations

import json

import pytest

from dissectors.catalog import layer
from dissectors.key_text import key_spans
from dissectors.tree import tree
from imsinspect.report.tree import tree_to_json

KEY = b"t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQ"
PASSWORD = b"Zq8Wx7Vy6Uz5Tq4Sr3Rp2Pn1"
SUITE = b"AES_CM_128_HMAC_SHA1_80"

SPOILED = [
    b"a=crypto:%b inline:%b" % (SUITE, KEY),
    b"a=crypto:1 inline:%b" % KEY,
    b"a=crypto:inline:%b" % KEY,
    b"a=crypto:1 %b%b" % (b"inline:", KEY),
    b"a=crypto:1 %b inline:AAAA|%b" % (SUITE, KEY),
    b"a=crypto:1 %b inline:AAAA|2^20|%b:4" % (SUITE, KEY),
    b"a=CRYPTO:1 %b inline:%b" % (SUITE, KEY),
    b"a= crypto:1 %b inline:%b" % (SUITE, KEY),
    b"a=crypto 1 %b inline:%b" % (SUITE, KEY),
    b"a=crypto:1 %b %b" % (SUITE, KEY),
    b"a=ssrc:1 crypto:1 %b inline:%b" % (SUITE, KEY),
    b"a=crypto:1 %b\r\n inline:%b" % (SUITE, KEY),
    b"a=crypto:1 %b inline:%b\r\n%b" % (SUITE, KEY[:20], KEY[20:]),
    b"k=%b" % PASSWORD,
    b"k =clear:%b" % PASSWORD,
    b"a=ICE-PWD:%b" % PASSWORD,
    b"a=ice-pwd %b" % PASSWORD,
]


@pytest.mark.parametrize("line", SPOILED)
def test_no_letter_of_a_key_in_a_spoiled_line_is_shown(line: bytes) -> None:
    description = b"v=0\r\nm=audio 9 RTP/SAVP 0\r\n" + line + b"\r\na=sendrecv\r\n"
    text_body = b"MESSAGE sip:a SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(description)
    for kind, octets in (("sdp", description), ("sip", text_body + description)):
        shown = tree_to_json(tree(layer(kind)(octets)), octets)
        for secret in (KEY, PASSWORD):
            for at in range(len(secret) - 8):
                assert secret[at : at + 8].decode() not in shown
                assert secret[at : at + 8].hex() not in json.loads(shown)["octets"]


def test_usual_lines_keep_what_is_no_key() -> None:
    octets = b"v=0\r\nm=audio 9 RTP/SAVP 0\r\na=crypto:1 %b inline:%b|2^20|1:4 UNENCRYPTED_SRTCP\r\n" % (SUITE, KEY)
    values = {node.name: (node.value, node.secret) for node in tree(layer("sdp")(octets)).walk()}
    assert values["crypto_suite"] == (SUITE.decode(), "")
    assert values["key_salt"][1] == "992170ba"
    assert not any(secret for name, (_, secret) in values.items() if name != "key_salt")


@pytest.mark.parametrize(
    "octets", [b"Call-ID: 0123456789abcdef0123456789abcdef", b"a=fingerprint:sha-256 AA:BB", b"inline:short", b""]
)
def test_other_long_words_are_no_keys(octets: bytes) -> None:
    assert list(key_spans(octets)) == []

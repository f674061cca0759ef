"""a=crypto lines: published examples, made-up negatives, and what must be said of each."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sdp.crypto import InlineKey, parse_crypto
from dissectors.sdp.suites import SDES_SUITES

KEY = b"PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
OTHER = b"d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
SUITE = b"AES_CM_128_HMAC_SHA1_80"


def inline(text: bytes, lifetime: int | None = None, mki: int | None = None, mki_length: int = 0) -> InlineKey:
    return InlineKey(base64.b64decode(text), lifetime, mki, mki_length, len(text))


@pytest.mark.parametrize(
    ("value", "keys", "params"),
    [
        (b"1 " + SUITE + b" inline:" + KEY + b"|2^20|1:32", (inline(KEY, 1 << 20, 1, 32),), ()),
        (b"1 " + SUITE + b" inline:" + OTHER + b"|2^20|1:4", (inline(OTHER, 1 << 20, 1, 4),), ()),
        (
            b"1 " + SUITE + b" inline:YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2|1066:4",
            (inline(b"YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2", None, 1066, 4),),
            (),
        ),
        (
            b"1 " + SUITE + b" inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP",
            (inline(b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", 1 << 20, 1, 4),),
            (b"FEC_ORDER=FEC_SRTP",),
        ),
        (
            b"2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;"
            b"inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP",
            (
                inline(b"MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm", 1 << 20, 1, 4),
                inline(b"QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5", 1 << 20, 2, 4),
            ),
            (b"FEC_ORDER=FEC_SRTP",),
        ),
    ],
)
def test_the_published_examples_are_valid(value: bytes, keys: tuple[InlineKey, ...], params: tuple[bytes, ...]) -> None:
    crypto = parse_crypto(value)
    assert crypto.error == ""
    assert crypto.keys == keys
    assert crypto.session_params == params


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b"01 S inline:K", "leading zero in tag"),
        (b"1234567890 S inline:K", "tag longer than 9 digits"),
        (b"x S inline:K", "tag is no number"),
        (b" 1 S inline:K", "white space before the tag"),
        (b"1 S inline:" + KEY[:36], "key and salt have 27 octets, the crypto suite needs 30"),
        (b"1 S inline:K|2^49", "lifetime above 2^48"),
        (b"1 S inline:K|281474976710657", "lifetime above 2^48"),
        (b"1 S inline:K|2^999", "lifetime above 2^48"),
        (b"1 S inline:K|0", "zero lifetime"),
        (b"1 S inline:K|020", "leading zero in lifetime"),
        (b"1 S inline:K|x", "lifetime is no number"),
        (b"1 S inline:K|2^20|1", "MKI without length"),
        (b"1 S inline:K|1:", "MKI without length"),
        (b"1 S inline:K|2^20|1:129", "MKI length above 128"),
        (b"1 S inline:K|2^20|1:0", "MKI length is no number above 0"),
        (b"1 S inline:K|01:4", "leading zero in MKI"),
        (b"1 S inline:K|0:4", "MKI is zero"),
        (b"1 S inline:K|256:1", "MKI does not fit its length"),
        (b"1 S inline:K|1:4|2^20", "MKI before the lifetime"),
        (b"1 S inline:K|2^20|1:4|x", "more than lifetime and MKI behind the key"),
        (b"1 S inline:K;inline:O", "several keys without MKI"),
        (b"1 S inline:K|1:4;inline:O", "several keys without MKI"),
        (b"1 S inline:K|1:4;inline:O|2:1", "MKI lengths differ"),
        (b"1 S inline:K|1:4;inline:O|1:4", "MKI values are equal"),
        (b"1 S inline:K|1:4; inline:O|2:4", "white space inside the key parameters"),
        (b"1 S inline:K KDR=25", "KDR out of range"),
        (b"1 S inline:K KDR=0", "KDR out of range"),
        (b"1 S inline:K KDR=01", "KDR out of range"),
        (b"1 S inline:K WSH=63", "window below 64"),
        (b"1 S inline:K WSH=x", "window is no number"),
        (b"1 S inline:K FOO=1", "unknown mandatory parameter"),
        (b"1 S inline:K FEC_ORDER=x", "unknown FEC_ORDER"),
        (b"1 S inline:K UNENCRYPTED_SRTP=1", "UNENCRYPTED_SRTP takes no value"),
        (b"1 AEAD_AES_256_GCM inline:" + b"A" * 60 + b"AA==", "key and salt have 46 octets, the crypto suite needs 44"),
        (b"1 S inline:no*base64!".replace(b"*", b"~"), "key is not base64"),
        (b"1 S inline:", "key is not base64"),
        (b"1 S uri:x", "unknown key method"),
        (b"1 S K", "key parameter without a key method"),
        (b"1 S", "no key parameters"),
        (b"1", "no crypto suite"),
        (b"", "tag is no number"),
    ],
)
def test_invalid_lines_say_why(value: bytes, error: str) -> None:
    value = value.replace(b" S", b" " + SUITE, 1).replace(b"inline:K", b"inline:" + KEY)
    assert parse_crypto(value.replace(b"inline:O", b"inline:" + OTHER)).error == error


@pytest.mark.parametrize(
    "value",
    [
        b"1 S inline:K -FOO=1",
        b"1 S inline:K|2^48",
        b"1 S inline:K|2^0",
        b"1 S inline:K|1:1",
        b"1 S inline:K|255:1",
        b"1 S inline:K|1:128",
        b"1 S inline:K KDR=1 WSH=64 UNENCRYPTED_SRTCP",
        b"1 S inline:K KDR=24 fec_order=srtp_fec",
        b"999999999 S INLINE:K",
        b"1\t \tS\t\tinline:K",
        b"1 s inline:K",
        b"1 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        b"1 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        b"1 AES_CM_256_HMAC_SHA1_80 inline:" + b"A" * 61 + b"A==",
        b"1 UNHEARD_OF inline:AAAA",
        b"1 SEED_128_CCM_80 inline:AAAA",
    ],
)
def test_valid_lines_have_no_error(value: bytes) -> None:
    value = value.replace(b"S\t", SUITE + b"\t").replace(b" S ", b" " + SUITE + b" ")
    value = value.replace(b" s ", b" " + SUITE.lower() + b" ").replace(b"inline:K", b"inline:" + KEY)
    crypto = parse_crypto(value.replace(b"INLINE:K", b"INLINE:" + KEY))
    assert crypto.error == ""
    assert len(crypto.keys) == 1


def test_an_unknown_suite_is_no_error_and_stays_readable() -> None:
    crypto = parse_crypto(b"1 UNHEARD_OF inline:AAAA")
    assert (crypto.suite, crypto.crypto_suite, crypto.valid) == (b"UNHEARD_OF", None, True)


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (b"0 " + SUITE + b" inline:" + KEY, "tag 0"),
        (b"1 NULL_HMAC_SHA1_80 inline:" + KEY, "crypto suite is not registered"),
        (
            b"1 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA== UNAUTHENTICATED_SRTP",
            "UNAUTHENTICATED_SRTP can't be honoured with an AEAD suite",
        ),
    ],
)
def test_what_is_legal_but_odd_is_noted(value: bytes, note: str) -> None:
    crypto = parse_crypto(value)
    assert (crypto.error, crypto.notes) == ("", (note,))


def test_parameters_that_take_protection_away_are_named() -> None:
    crypto = parse_crypto(b"1 " + SUITE + b" inline:" + KEY + b" unencrypted_srtp UNENCRYPTED_SRTCP")
    assert crypto.unencrypted_srtp
    assert crypto.unencrypted_srtcp
    assert not crypto.unauthenticated_srtp


def test_keys_are_read_from_invalid_lines_too() -> None:
    assert parse_crypto(b"01 " + SUITE + b" inline:" + KEY + b" FOO").keys == (inline(KEY),)


def test_keys_of_fec_are_kept_apart() -> None:
    crypto = parse_crypto(b"1 " + SUITE + b" inline:" + KEY + b" FEC_KEY=inline:" + OTHER)
    assert (crypto.error, crypto.keys, crypto.fec_keys) == ("", (inline(KEY),), (inline(OTHER),))
    assert crypto.session_params == (b"FEC_KEY",)


@pytest.mark.parametrize(
    "text", [b"***", b"PS1u****", b"x" * 40, b"XXXXXXXX", b"<hidden>", b"[key]", b"PS1u...", b"####"]
)
def test_masked_keys_are_no_keys_and_no_error(text: bytes) -> None:
    crypto = parse_crypto(b"1 " + SUITE + b" inline:" + text + b"|2^20")
    assert (crypto.masked, crypto.keys, crypto.error) == (True, (), "")


def test_a_key_of_zeros_is_a_key() -> None:
    crypto = parse_crypto(b"1 " + SUITE + b" inline:" + b"A" * 40)
    assert not crypto.masked
    assert crypto.keys[0].key_salt == bytes(30)


def test_a_key_is_named_by_its_digest_and_never_shown() -> None:
    crypto = parse_crypto(b"1 " + SUITE + b" inline:" + KEY + b" FEC_KEY=inline:" + OTHER)
    secret = base64.b64decode(KEY)
    assert crypto.keys[0].digest == hashlib.sha256(secret).hexdigest()[:8]
    shown = repr(crypto)
    for text in (KEY, OTHER, secret, base64.b64decode(OTHER)):
        assert repr(text)[2:-1] not in shown


@given(st.binary(max_size=200))
def test_any_octets_are_read_without_raising(value: bytes) -> None:
    assert parse_crypto(value).error != "" or parse_crypto(value).tag >= 0


@given(
    st.lists(
        st.sampled_from([b"1", b" ", SUITE, b"inline:", KEY, b"|", b"2^", b":", b";", b"KDR=", b"*", b"=", b"9" * 400]),
        max_size=20,
    ).map(b"".join)
)
def test_lines_of_likely_pieces_are_read_without_raising(value: bytes) -> None:
    parse_crypto(value)


@pytest.mark.parametrize(
    "value",
    [
        b"1 S " + b"; " * 30000,
        b"1 S inline:" + b"|" * 60000,
        b"1 S " + b"inline:A|1:1;" * 5000,
        b"1 S inline:" + b"." * 60000,
        b"9" * 60000,
        b"1 S inline:A|" + b"9" * 60000 + b":1",
        b"1 S inline:A " + b"KDR=1 " * 10000,
    ],
)
def test_hostile_repetition_is_read_in_linear_time(value: bytes) -> None:
    crypto = parse_crypto(value)
    assert crypto.error or crypto.masked


def test_a_key_with_octets_behind_it_is_read_although_the_line_is_invalid() -> None:
    """Whoever saw the line has the key; a placeholder of few characters stays masked."""
    key = b"PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
    line = parse_crypto(b"1 AES_CM_128_HMAC_SHA1_80 inline:" + key + b"\x1b")
    assert (len(line.keys), line.masked, line.error) == (1, False, "octets behind the key that are not base64")
    assert parse_crypto(b"1 AES_CM_128_HMAC_SHA1_80 inline:" + b"x" * 40 + b"*").masked


@given(
    st.sampled_from(sorted(SDES_SUITES)),
    st.binary(min_size=26, max_size=48),
    st.sampled_from([b"", b"|2^1", b"|2^31", b"|2^32", b"|2^48", b"|2^99", b"|5"]),
    st.sampled_from([b"1", b"0", b"01", b"123456789", b"1234567890"]),
)
def test_usual_lines_say_the_same_as_by_the_long_way(suite: str, octets: bytes, lifetime: bytes, tag: bytes) -> None:
    """One blank more behind the line takes the long way."""
    line = tag + b" " + suite.encode() + b" inline:" + base64.b64encode(octets) + lifetime
    assert parse_crypto(line, 3, 9) == parse_crypto(line + b" ", 3, 9)
    assert [key.key_salt for key in parse_crypto(line).keys] == [octets]

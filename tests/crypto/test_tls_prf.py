"""Key derivation of TLS against recorded and published values."""

from __future__ import annotations

import hashlib

import pytest

from imsinspect.crypto.tls_prf import (
    DTLS13,
    MD5_SHA1,
    SRTP_LABEL,
    Exporter,
    derive_secret,
    extended_master_secret,
    hkdf_expand,
    hkdf_expand_label,
    hkdf_extract,
    key_block,
    master_secret,
    message_hash,
    next_traffic_secret,
    p_hash,
    prf,
    psk_ke_secrets,
    psk_premaster,
    transcript_hash,
    verify_data,
    verify_data13,
)

PSK = bytes(range(16))
CLIENT_RANDOM, SERVER_RANDOM = b"\x11" * 32, b"\x22" * 32
MASTER = bytes.fromhex(
    "e299e5ac64d54ec36eb9419877d52bff748d3d0a6cc1834a14ae89a724a46f4b7f4593293b6cd006754ce533bd5368df"
)

# A handshake that OpenSSL made: TLS 1.2, suite 0x00A8, extended master secret, empty identity, no hint, the PSK above.
CLIENT_HELLO = bytes.fromhex(
    "01000067030327f61a9eaeeedf321ad120e716203ea577ad63e0f48affb1c1a2806b7aeb584a00000400a800ff0100003a0023000000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)
SERVER_HELLO = bytes.fromhex(
    "020000510303d8f003af6084d5f1ea4baec029a558289fb0ef3ecdfc0b32646318a8e9fb1ab920933fa5a063018e25490dffec1848a1dd0c4a"
    "e05ddcdb0a8027e7048d4de6e12000a8000009ff0100010000170000"
)
FLIGHT = CLIENT_HELLO + SERVER_HELLO + bytes.fromhex("0e000000" + "100000020000")
CLIENT_FINISHED = bytes.fromhex("1400000c2dfba91b10c81bc112afebd2")
SERVER_FINISHED = bytes.fromhex("1400000cb0201adee4cb6949018f2226")
LIVE_MASTER = bytes.fromhex(
    "052838702e31f876316c4e986046825f48c1fde2dc8432425d2d518efb2ee180dafac828c973dcce6850e69db2c82711"
)


def test_p_hash_and_prf() -> None:
    secret, seed = bytes.fromhex("9bbe436ba940f017b17652849a71db35"), bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    expected = bytes.fromhex(
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17"
        "abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
    )
    assert prf("sha256", secret, b"test label", seed, 100) == expected
    assert p_hash("sha256", secret, b"test label" + seed, 7) == expected[:7]


def test_master_secret_key_block_and_exporter_of_a_pre_shared_key() -> None:
    premaster = psk_premaster(PSK)
    assert premaster.hex() == "0010000000000000000000000000000000000010000102030405060708090a0b0c0d0e0f"
    assert psk_premaster(PSK, b"xy").hex() == "0002787900100001" + bytes(range(2, 16)).hex()
    assert master_secret("sha256", premaster, CLIENT_RANDOM, SERVER_RANDOM) == MASTER
    assert key_block("sha256", MASTER, CLIENT_RANDOM, SERVER_RANDOM, 40).hex() == (
        "573a922892f1756fd075eedb3e1b08cc18827d14c3a4943a2ba0d027b97641e1f1b37dd9ae7e08f6"
    )
    assert master_secret(MD5_SHA1, premaster, CLIENT_RANDOM, SERVER_RANDOM).hex() == (
        "d8e70deeb4033daecaa61b3245f6f8f3137c533461ff4ba2c4b6e4a3043ace0e2450fe53fb6f6c3d7aaa87768d35ea6e"
    )
    exporter = Exporter("sha256", MASTER, CLIENT_RANDOM + SERVER_RANDOM)
    assert exporter.export(SRTP_LABEL, 60).hex() == (
        "62e1225eb5639ccf12c114e4e46161ebbaec9c6ba243a8f3c3933177088347adaca060b7df28dd2d970630d646f8056720e3d4a0b2e6c57b"
        "60384949"
    )
    assert exporter.export(SRTP_LABEL, 60, b"") != exporter.export(SRTP_LABEL, 60)
    assert MASTER.hex() not in repr(exporter)


def test_the_halves_of_an_odd_secret_overlap_below_tls_1_2() -> None:
    odd = prf(MD5_SHA1, b"abc", b"label", b"seed", 20)
    first, second = p_hash("md5", b"ab", b"labelseed", 20), p_hash("sha1", b"bc", b"labelseed", 20)
    assert odd == bytes(a ^ b for a, b in zip(first, second, strict=True))


def test_a_live_handshake_gives_the_logged_master_secret_and_its_finished_messages() -> None:
    session_hash = transcript_hash("sha256", FLIGHT)
    master = extended_master_secret("sha256", psk_premaster(PSK), session_hash)
    assert master == LIVE_MASTER
    assert CLIENT_FINISHED[4:] == verify_data("sha256", master, session_hash, from_client=True)
    both = transcript_hash("sha256", FLIGHT + CLIENT_FINISHED)
    assert SERVER_FINISHED[4:] == verify_data("sha256", master, both, from_client=False)
    wrong = extended_master_secret("sha256", psk_premaster(bytes(16)), session_hash)
    assert CLIENT_FINISHED[4:] != verify_data("sha256", wrong, session_hash, from_client=True)


def test_the_transcript_hash_of_tls_1_1_is_md5_and_sha_1() -> None:
    assert transcript_hash(MD5_SHA1, b"x") == hashlib.md5(b"x").digest() + hashlib.sha1(b"x").digest()


def test_hkdf() -> None:
    """RFC 5869 A.1."""
    prk = hkdf_extract("sha256", bytes(range(13)), b"\x0b" * 22)
    assert prk.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    assert hkdf_expand("sha256", prk, bytes(range(0xF0, 0xFA)), 42).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    with pytest.raises(ValueError, match="255 blocks"):
        hkdf_expand("sha256", prk, b"", 255 * 32 + 1)


def test_the_example_handshake_of_tls_1_3() -> None:
    """RFC 8448 §3: keys of the server's handshake traffic secret, and the derived secret of no messages."""
    secret = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
    assert hkdf_expand_label("sha256", secret, b"key", b"", 16).hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert hkdf_expand_label("sha256", secret, b"iv", b"", 12).hex() == "5d313eb2671276ee13000b30"
    finished = "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"
    assert hkdf_expand_label("sha256", secret, b"finished", b"", 32).hex() == finished
    early = hkdf_extract("sha256", bytes(32), bytes(32))
    assert early.hex() == "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"
    derived = derive_secret("sha256", early, b"derived", b"")
    assert derived.hex() == "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"


def test_labels_of_dtls_1_3_begin_otherwise() -> None:
    secret = bytes(32)
    assert hkdf_expand_label("sha256", secret, b"key", b"", 16, DTLS13) == hkdf_expand(
        "sha256", secret, b"\x00\x10\x09dtls13key\x00", 16
    )
    assert next_traffic_secret("sha256", secret, DTLS13) == hkdf_expand(
        "sha256", secret, b"\x00\x20\x11dtls13traffic upd\x00", 32
    )


def test_exporters_of_tls_1_3_take_an_absent_context_for_an_empty_one() -> None:
    exporter = Exporter("sha256", bytes(32), prefix=b"tls13 ")
    assert exporter.export(b"label", 20) == exporter.export(b"label", 20, b"")
    assert exporter.export(b"label", 20, b"x") != exporter.export(b"label", 20)
    assert Exporter("sha256", bytes(32), prefix=DTLS13).export(b"label", 20) != exporter.export(b"label", 20)


def test_a_pre_shared_key_without_diffie_hellman_gives_the_handshake_secrets() -> None:
    """The schedule of RFC 8446 §7.1, written out step by step with no (EC)DHE: both inputs are zero octets."""
    found = psk_ke_secrets("sha256", PSK, b"hello", b"hello and answer")
    early = hkdf_extract("sha256", bytes(32), PSK)
    handshake = hkdf_extract("sha256", derive_secret("sha256", early, b"derived", b""), bytes(32))
    assert found["SERVER_HANDSHAKE_TRAFFIC_SECRET"] == derive_secret(
        "sha256", handshake, b"s hs traffic", b"hello and answer"
    )
    assert found["CLIENT_EARLY_TRAFFIC_SECRET"] == derive_secret("sha256", early, b"c e traffic", b"hello")
    assert verify_data13("sha256", found["SERVER_HANDSHAKE_TRAFFIC_SECRET"], bytes(32)) != bytes(32)


def test_the_first_client_hello_counts_by_its_hash_where_it_was_retried() -> None:
    assert message_hash("sha256", b"hello") == b"\xfe\x00\x00\x20" + hashlib.sha256(b"hello").digest()

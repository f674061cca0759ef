"""Encryption, MACs, envelopes, signatures and Diffie-Hellman of MIKEY, against published values and other libraries."""

from __future__ import annotations

import datetime
import secrets

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.crypto import mikey, mikey_protection
from imsinspect.crypto.mikey_protection import (
    DH_PRIMES,
    MessageKeys,
    decrypt,
    dh_shared_secret,
    dh_value,
    dh_value_is_sound,
    encrypt,
    initialization_vector,
    mac,
    message_keys,
    open_envelope,
    rsa_key_of,
    timestamp_64,
    unwrap,
    verify_signature,
    wrap,
)
from tests.crypto.mikey_values import PSK_EXCHANGE
from tests.dissectors.mikey import vectors

KEYS = message_keys(
    0, bytes.fromhex(PSK_EXCHANGE["PSK"]), mikey.message_context(0x12345678, bytes.fromhex(PSK_EXCHANGE["RAND"])), 1, 1
)
T = bytes.fromhex("e7a1b2c380000000")
I_MESSAGE = bytes.fromhex(vectors.PSK_EXCHANGE["I_MESSAGE"])
R_MESSAGE = bytes.fromhex(vectors.PSK_EXCHANGE["R_MESSAGE"])
ALICE, BOB = b"sip:alice@ims.example.org", b"sip:bob@ims.example.org"


def test_the_kemac_of_the_pre_shared_exchange() -> None:
    assert (KEYS.encr_key.hex(), KEYS.auth_key.hex(), KEYS.salt_key.hex()) == (
        *(PSK_EXCHANGE["encr_key"], PSK_EXCHANGE["auth_key"], PSK_EXCHANGE["salt_key"]),
    )
    assert initialization_vector(KEYS.salt_key, 0x12345678, T).hex() == PSK_EXCHANGE["IV"]
    plain = bytes.fromhex(PSK_EXCHANGE["keydata plaintext"])
    sealed = encrypt(1, KEYS, 0x12345678, T, plain)
    assert I_MESSAGE[-21 - len(sealed) : -21] == sealed
    assert decrypt(1, KEYS, 0x12345678, T, sealed) == plain
    assert mac(1, KEYS.auth_key, I_MESSAGE[:-20]).hex() == PSK_EXCHANGE["KEMAC MAC"] == I_MESSAGE[-20:].hex()


def test_the_v_of_the_pre_shared_exchange() -> None:
    covered = R_MESSAGE[:-20]
    assert mac(1, KEYS.auth_key, covered + ALICE + BOB + T).hex() == PSK_EXCHANGE["V MAC"] == R_MESSAGE[-20:].hex()
    assert mac(1, KEYS.auth_key, covered + T).hex() == PSK_EXCHANGE["V MAC of minisip"]


def test_timestamps_become_64_bits() -> None:
    assert timestamp_64(0, T) == timestamp_64(1, T) == T
    assert timestamp_64(2, b"\1\2\3\4") == b"\0\0\0\0\1\2\3\4"
    assert timestamp_64(3, b"\1\2\3\4") == b"\1\2\3\4\0\0\0\0"
    assert timestamp_64(0, b"") is timestamp_64(0, bytes(9)) is None


def test_key_wrap_is_that_of_rfc_3394_with_an_iv_of_ones_own() -> None:
    key, data = bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")
    default = bytes.fromhex("a6" * 8)
    published = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"  # RFC 3394 §4.1
    assert wrap(key, default, data).hex() == published
    assert unwrap(key, default, bytes.fromhex(published)) == data
    assert unwrap(key, bytes(8), bytes.fromhex(published)) is None


@given(key=st.binary(min_size=16, max_size=16), iv=st.binary(min_size=8, max_size=8), blocks=st.integers(2, 12))
def test_key_wrap_agrees_with_the_library(key: bytes, iv: bytes, blocks: int) -> None:
    data = secrets.token_bytes(8 * blocks)
    assert wrap(key, bytes.fromhex("a6" * 8), data) == keywrap.aes_key_wrap(key, data)
    keys = MessageKeys(key, b"", iv)
    sealed = encrypt(2, keys, 0, bytes(8), data)
    assert decrypt(2, keys, 0, bytes(8), sealed) == data
    changed = bytes([sealed[0] ^ 1]) + sealed[1:]
    assert decrypt(2, keys, 0, bytes(8), changed) is None


@given(st.binary(max_size=80))
def test_what_was_not_wrapped_does_not_unwrap(data: bytes) -> None:
    assert unwrap(bytes(16), bytes(8), data) is None


@pytest.mark.parametrize(("encr_alg", "octets"), [(1, 16), (3, 32)])
def test_counter_mode_runs_over_blocks(encr_alg: int, octets: int) -> None:
    keys = MessageKeys(bytes(octets), b"", bytes(14))
    stream = encrypt(encr_alg, keys, 0, bytes(8), bytes(40))
    assert encrypt(encr_alg, keys, 0, bytes(8), bytes(17)) == stream[:17]
    assert decrypt(encr_alg, keys, 0, bytes(8), bytes((1 << 20) + 1)) is None
    with pytest.raises(ValueError, match="too many"):
        encrypt(encr_alg, keys, 0, bytes(8), bytes((1 << 20) + 1))


def test_null_changes_nothing_and_has_no_mac() -> None:
    keys = message_keys(0, b"", b"", 0, 0)
    assert keys == MessageKeys(b"", b"", b"")
    assert decrypt(0, keys, 0, b"", b"plain") == encrypt(0, keys, 0, b"", b"plain") == b"plain"
    assert mac(0, b"", b"anything") == b""


def test_algorithms_and_sizes_that_cannot_be_are_refused() -> None:
    for encr_alg, mac_alg in ((4, 0), (0, 3), (-1, 0)):
        with pytest.raises(ValueError, match="not known"):
            message_keys(0, b"k", b"", encr_alg, mac_alg)
    with pytest.raises(ValueError, match="not known"):
        mac(3, b"", b"")
    with pytest.raises(ValueError, match="not known"):
        decrypt(4, MessageKeys(b"", b"", b""), 0, bytes(8), b"")
    with pytest.raises(ValueError, match="no IV"):
        initialization_vector(bytes(14), 0, bytes(4))
    for data in (b"", bytes(8), bytes(17)):
        with pytest.raises(ValueError, match="cannot be wrapped"):
            wrap(bytes(16), bytes(8), data)


def test_keys_do_not_show() -> None:
    shown = repr(KEYS)
    for secret in (KEYS.encr_key, KEYS.auth_key, KEYS.salt_key):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


# --- envelopes and signatures ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("PKCS#1 v1.5", padding.PKCS1v15()),
        ("OAEP with SHA-1", padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)),
        ("OAEP with SHA-256", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)),
    ],
)
def test_an_envelope_key_is_read_by_its_padding(
    private_key: rsa.RSAPrivateKey, name: str, scheme: padding.AsymmetricPadding
) -> None:
    envelope = secrets.token_bytes(16)
    assert (name, envelope) in list(open_envelope(private_key, private_key.public_key().encrypt(envelope, scheme)))
    other = rsa.generate_private_key(65537, 2048)
    assert all(key != envelope for _, key in open_envelope(other, private_key.public_key().encrypt(envelope, scheme)))


@settings(deadline=None, max_examples=20)
@given(st.binary(max_size=300))
def test_envelopes_of_any_octets_are_survived(data: bytes) -> None:
    assert all(isinstance(key, bytes) for _, key in open_envelope(_SOME_KEY, data))


_SOME_KEY = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
@pytest.mark.parametrize("s_type", [0, 1])
def test_signatures_verify_with_the_hash_they_were_made_with(
    private_key: rsa.RSAPrivateKey, s_type: int, algorithm: hashes.HashAlgorithm
) -> None:
    schemes = [padding.PKCS1v15(), padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)]
    signature = private_key.sign(b"message", schemes[s_type], algorithm)
    public = private_key.public_key()
    assert verify_signature(public, s_type, signature, b"message") == algorithm.name
    assert verify_signature(public, s_type, signature, b"messagf") is None
    assert verify_signature(public, 1 - s_type, signature, b"message") is None
    assert verify_signature(public, s_type, b"", b"message") is None
    assert verify_signature(_SOME_KEY.public_key(), s_type, signature, b"message") is None


def test_a_signature_that_is_not_of_rsa_is_refused(private_key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(ValueError, match="signature type 2"):
        verify_signature(private_key.public_key(), mikey_protection.ECCSI, b"", b"")


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    begin = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_the_key_of_a_certificate(private_key: rsa.RSAPrivateKey) -> None:
    assert rsa_key_of(certificate(private_key)) == private_key.public_key()
    assert rsa_key_of(certificate(ec.generate_private_key(ec.SECP256R1()))) is None
    assert rsa_key_of(b"") is rsa_key_of(b"http://ims.example.org/alice.cer") is None
    assert rsa_key_of(certificate(private_key)[:-1]) is None


# --- Diffie-Hellman -------------------------------------------------------------------------------


@pytest.mark.parametrize(("group", "octets"), [(0, 192), (1, 96), (2, 128)])
def test_both_sides_reach_one_secret(group: int, octets: int) -> None:
    i, r = secrets.randbits(256), secrets.randbits(256)
    shared = dh_shared_secret(group, i, dh_value(group, r))
    assert shared == dh_shared_secret(group, r, dh_value(group, i))
    assert shared is not None
    assert len(shared) == len(dh_value(group, r)) == octets


def test_the_primes_are_safe_and_of_their_size() -> None:
    for group, bits in ((0, 1536), (1, 768), (2, 1024)):
        prime = DH_PRIMES[group]
        assert prime.bit_length() == bits
        assert all(pow(base, prime - 1, prime) == 1 for base in (2, 3, 5, 7))
        assert all(pow(base, (prime - 1) // 2 - 1, (prime - 1) // 2) == 1 for base in (2, 3, 5, 7))
    assert hex(DH_PRIMES[2])[-32:] == "49286651ece65381ffffffffffffffff"


@pytest.mark.parametrize("group", [0, 1, 2])
def test_degenerate_values_are_refused(group: int) -> None:
    prime = DH_PRIMES[group]
    for value in (0, 1, prime - 1, prime, prime + 1):
        octets = value.to_bytes(200, "big")
        assert not dh_value_is_sound(group, octets)
        assert dh_shared_secret(group, 5, octets) is None
    assert dh_value_is_sound(group, b"\2")
    assert dh_value_is_sound(group, (prime - 2).to_bytes(200, "big"))


def test_unknown_groups_are_refused() -> None:
    assert not dh_value_is_sound(3, b"\2")
    with pytest.raises(ValueError, match="group 3"):
        dh_value(3, 5)
    with pytest.raises(ValueError, match="group 3"):
        dh_shared_secret(3, 5, b"\2")

"""Contents of CMS under keys: the vectors of the specifications, every algorithm there and back, and hostile octets."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from hypothesis import given
from hypothesis import strategies as st

from dissectors.cms.oids import AEAD, CONTENT_ENCRYPTION, KEY_WRAP, OIDS, kind_of, name_of
from imsinspect.crypto.cms import CIPHERS, WRAPS, CmsKek, Sealed, authenticates, open_content, unwrap_key

BY_NAME = {row.name: oid for oid, row in OIDS.items()}

WRAPPED = [
    (  # RFC 3394 §4.1
        "id-aes128-wrap",
        "000102030405060708090A0B0C0D0E0F",
        "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5",
        "00112233445566778899AABBCCDDEEFF",
    ),
    (  # RFC 3394 §4.6
        "id-aes256-wrap",
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
    ),
    (  # RFC 5649 §6
        "id-aes192-wrap-pad",
        "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
        "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        "c37b7e6492584340bed12207808941155068f738",
    ),
    (  # RFC 3217 §4.1
        "id-alg-CMS3DESwrap",
        "255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f",
        "690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4",
        "2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98",
    ),
]


@pytest.mark.parametrize(("name", "kek", "wrapped", "key"), WRAPPED)
def test_the_wrapped_keys_of_the_specifications_unwrap_and_no_flipped_bit_does(name, kek, wrapped, key):
    octets = bytes.fromhex(wrapped)
    assert unwrap_key(BY_NAME[name], bytes.fromhex(kek), octets) == bytes.fromhex(key)
    for bit in range(0, len(octets) * 8, 7):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        assert unwrap_key(BY_NAME[name], bytes.fromhex(kek), bytes(flipped)) is None
    assert unwrap_key(BY_NAME[name], bytes(len(kek) // 2), octets) is None
    assert unwrap_key(BY_NAME[name], bytes.fromhex(kek)[:-1], octets) is None


@pytest.mark.parametrize("name", [name_of(oid) for oid in WRAPS])
@given(data=st.binary(max_size=80))
def test_wrapped_octets_of_any_kind_raise_nothing(name, data):
    assert unwrap_key(BY_NAME[name], bytes(range(WRAPS[BY_NAME[name]].kek_octets)), data) is None


def seal(name: str, key: bytes, plain: bytes, covered: bytes = b"", tag_octets: int = 16) -> Sealed:
    """A content sealed by no code of the tool."""
    nonce = hashlib.sha256(plain).digest()
    if "GCM" in name:
        whole = AESGCM(key).encrypt(nonce[:12], plain, covered)
        return Sealed(BY_NAME[name], nonce[:12], whole[: len(plain)], whole[len(plain) :][:tag_octets], covered)
    if "CCM" in name:
        whole = AESCCM(key, tag_octets).encrypt(nonce[:11], plain, covered)
        return Sealed(BY_NAME[name], nonce[:11], whole[: len(plain)], whole[len(plain) :], covered)
    block = 8 if "des" in name else 16
    fill = block - len(plain) % block
    cipher = TripleDES(key) if "des" in name else algorithms.AES(key)
    encryptor = Cipher(cipher, modes.CBC(nonce[:block])).encryptor()
    return Sealed(BY_NAME[name], nonce[:block], encryptor.update(plain + bytes((fill,)) * fill) + encryptor.finalize())


NAMES = [name_of(oid) for oid in CIPHERS]


def key_of(name: str) -> bytes:
    """A key of an algorithm's length."""
    return hashlib.sha256(name.encode()).digest()[: CIPHERS[BY_NAME[name]].key_octets]


@pytest.mark.parametrize("name", NAMES)
@given(plain=st.binary(max_size=70), covered=st.binary(max_size=20))
def test_every_content_cipher_opens_what_was_sealed(name, plain, covered):
    key, aead = key_of(name), authenticates(BY_NAME[name])
    sealed = seal(name, key, plain, covered if aead else b"")
    assert open_content(key, sealed) == plain
    assert open_content(key[:-1], sealed) is None
    if aead:
        assert open_content(key, sealed._replace(authenticated=covered + b"!")) is None
        assert open_content(bytes(len(key)), sealed) is None


@pytest.mark.parametrize("name", [name for name in NAMES if authenticates(BY_NAME[name])])
def test_one_flipped_bit_or_a_tag_of_another_length_is_not_authentic(name):
    key = key_of(name)
    for tag_octets in (16, 12, 8):
        sealed = seal(name, key, b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", b"attributes", tag_octets)
        assert open_content(key, sealed) == b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
        for field in ("nonce", "content", "tag", "authenticated"):
            changed = bytearray(getattr(sealed, field))
            changed[-1] ^= 1
            assert open_content(key, sealed._replace(**{field: bytes(changed)})) is None
    for tag in (b"", b"abc", bytes(17), bytes(5)):
        assert open_content(key, sealed._replace(tag=tag)) is None


def test_padding_must_be_as_many_octets_as_it_says():
    key = bytes(16)
    iv = bytes(16)
    for tail in (b"\0", b"\x11", b"\x01\x02", b"\x03\x02\x03"):
        plain = b"x" * (16 - len(tail)) + tail
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        assert open_content(key, Sealed(BY_NAME["id-aes128-CBC"], iv, encryptor.update(plain))) is None
    assert open_content(key, Sealed(BY_NAME["id-aes128-CBC"], iv, b"")) is None


@pytest.mark.parametrize("name", NAMES)
@given(octets=st.lists(st.binary(max_size=40), min_size=4, max_size=4))
def test_contents_of_any_kind_raise_nothing(name, octets):
    nonce, content, tag, covered = octets
    found = open_content(key_of(name), Sealed(BY_NAME[name], nonce, content, tag, covered))
    assert found is None or not authenticates(BY_NAME[name])


def test_algorithms_are_of_the_kinds_that_their_names_say_and_none_is_there_twice():
    assert {kind_of(oid) for oid in WRAPS} == {KEY_WRAP}
    assert {kind_of(oid) for oid in CIPHERS} == {AEAD, CONTENT_ENCRYPTION}
    assert all((kind_of(oid) == AEAD) == authenticates(oid) for oid in CIPHERS)
    names = sorted(name_of(oid) for oid in (*WRAPS, *CIPHERS))
    assert all(first != second for first, second in pairwise(names))
    for table in (WRAPS, CIPHERS):
        for oid, row in table.items():
            bits = next((number for number in (128, 192, 256) if str(number) in name_of(oid)), 192)
            assert row[0] * 8 == bits, name_of(oid)


def test_the_key_is_in_no_text():
    kek = CmsKek(b"secret secret 16", b"id", "lab")
    assert "secret" not in repr(kek)
    assert kek.digest == hashlib.sha256(b"secret secret 16").hexdigest()

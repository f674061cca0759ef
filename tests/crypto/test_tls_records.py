"""Records sealed by code of the tests open with the right keys, sequence and header, and with nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.crypto.tls_prf import key_block, next_traffic_secret
from imsinspect.crypto.tls_records import (
    Negotiated,
    Protection,
    Protection13,
    protections,
    record_cipher,
)
from tests.crypto.tls_seal import AEADS, BLOCKS, Sealer, Sealer13, sealers

MASTER, CLIENT_RANDOM, SERVER_RANDOM = bytes(range(48)), b"\x11" * 32, b"\x22" * 32
TLS12, DTLS12 = 0x0303, 0xFEFD

CIPHERS = [
    *((name, "SHA256") for name in AEADS),
    *((name, mac) for name in BLOCKS for mac in ("SHA", "SHA256")),
    ("AES_256_CBC", "SHA384"),
    ("AES_128_CBC", "MD5"),
    ("RC4_128", "MD5"),
    ("RC4_128", "SHA"),
    *(("NULL", mac) for mac in ("MD5", "SHA", "SHA256", "SHA384")),
]


def pair(
    encryption: str, mac: str, *, explicit_iv: bool = True, encrypt_then_mac: bool = False, truncated: bool = False
) -> tuple[tuple[Sealer, Sealer], tuple[Protection, Protection]]:
    """Both sides of both directions."""
    cipher = record_cipher(encryption, mac)
    assert cipher is not None
    if truncated:
        cipher = cipher.with_truncated_mac()
    block = key_block("sha256", MASTER, CLIENT_RANDOM, SERVER_RANDOM, 512)
    more = {"encrypt_then_mac": encrypt_then_mac, "mac_octets": 10 if truncated else 64}
    sealing = sealers(encryption, mac, block, explicit_iv=explicit_iv, **more)
    negotiated = Negotiated(cipher, explicit_iv, encrypt_then_mac)
    return sealing, protections(negotiated, "sha256", MASTER, CLIENT_RANDOM, SERVER_RANDOM)


def assert_opens(sealing: tuple[Sealer, Sealer], opening: tuple[Protection, Protection]) -> None:
    """Records of both directions open one after the other, and only with what they were sealed with."""
    for sealer, protection in zip(sealing, opening, strict=True):
        for sequence, content in enumerate((b"first", b"", b"MESSAGE sip:" * 50)):
            sealed = sealer.seal(sequence, 23, TLS12, content)
            assert protection.open(sequence, 23, TLS12, sealed) == (23, content)


@pytest.mark.parametrize(("encryption", "mac"), CIPHERS)
def test_each_cipher_opens(encryption: str, mac: str) -> None:
    assert_opens(*pair(encryption, mac))


@pytest.mark.parametrize(("encryption", "mac"), [each for each in CIPHERS if each[0] in BLOCKS])
def test_cbc_opens_with_the_last_block_as_iv_and_with_encrypt_then_mac(encryption: str, mac: str) -> None:
    assert_opens(*pair(encryption, mac, explicit_iv=False))
    assert_opens(*pair(encryption, mac, encrypt_then_mac=True))
    assert_opens(*pair(encryption, mac, explicit_iv=False, encrypt_then_mac=True))


@pytest.mark.parametrize(("encryption", "mac"), [("AES_128_CBC", "SHA"), ("NULL", "SHA256"), ("RC4_128", "SHA")])
def test_a_truncated_mac_has_ten_octets(encryption: str, mac: str) -> None:
    assert_opens(*pair(encryption, mac, truncated=True))


@pytest.mark.parametrize("padding", [1, 4, 14])
def test_padding_may_be_longer_than_needed(padding: int) -> None:
    sealing, opening = pair("AES_128_CBC", "SHA")
    sealing[0].padding = padding
    assert opening[0].open(0, 23, TLS12, sealing[0].seal(0, 23, TLS12, b"content")) == (23, b"content")


@pytest.mark.parametrize(("encryption", "mac"), CIPHERS)
@pytest.mark.parametrize("first", [False, True])
def test_no_flipped_bit_nor_other_header_authenticates(encryption: str, mac: str, first: bool) -> None:
    if first and encryption not in BLOCKS:
        return
    (sealer, _), _ = pair(encryption, mac, encrypt_then_mac=first)
    sealed = sealer.seal(7, 23, TLS12, b"some content of a record")

    def opens(fragment: bytes, sequence: int = 7, content_type: int = 23, version: int = TLS12, side: int = 0) -> bool:
        protection = pair(encryption, mac, encrypt_then_mac=first)[1][side]  # a stream cipher's state is used up
        return protection.open(sequence, content_type, version, fragment) is not None

    assert opens(sealed)
    for at in range(len(sealed)):
        for bit in (0x01, 0x80):
            assert not opens(sealed[:at] + bytes((sealed[at] ^ bit,)) + sealed[at + 1 :])
    for at in range(len(sealed)):
        assert not opens(sealed[:at])
    assert not opens(sealed, sequence=8)
    assert not opens(sealed, content_type=22)
    assert not opens(sealed, version=0x0302)
    assert not opens(sealed, side=1)


@pytest.mark.parametrize(
    ("encryption", "first"),
    [("AES_128_GCM", False), ("AES_128_CCM_8", False), ("CHACHA20_POLY1305", False), ("AES_128_CBC", False),
     ("AES_128_CBC", True), ("NULL", False)],
)  # fmt: skip
def test_a_connection_id_is_covered_and_hides_the_content_type(encryption: str, first: bool) -> None:
    sealing, opening = pair(encryption, "SHA256", encrypt_then_mac=first)
    sequence = 1 << 48 | 5
    sealed = sealing[0].seal(sequence, 22, DTLS12, b"content", b"\xc1\xd2")
    assert opening[0].open(sequence, 25, DTLS12, sealed, b"\xc1\xd2") == (22, b"content")
    assert opening[0].open(sequence, 25, DTLS12, sealed, b"\xc1\xd3") is None
    assert opening[0].open(sequence, 22, DTLS12, sealed) is None


def test_ciphers_that_are_not_at_hand_are_none() -> None:
    for name in ("ARIA_128_GCM", "ARIA_128_CBC", "CAMELLIA_128_GCM", "DES40_CBC", "RC2_CBC_40", "RC4_40", "28147_CNT"):
        assert record_cipher(name, "SHA256") is None
    assert record_cipher("NULL", "GOSTR3411") is None
    assert record_cipher("NULL", "NULL") is None


# --- TLS 1.3 --------------------------------------------------------------------------------------

CIPHERS13 = [
    ("AES_128_GCM", "SHA256", "sha256"),
    ("AES_256_GCM", "SHA384", "sha384"),
    ("CHACHA20_POLY1305", "SHA256", "sha256"),
    ("AES_128_CCM", "SHA256", "sha256"),
    ("AES_128_CCM_8", "SHA256", "sha256"),
    ("NULL", "SHA256", "sha256"),
    ("NULL", "SHA384", "sha384"),
]


def pair13(encryption: str, mac: str, hash_name: str, prefix: bytes = b"tls13 ") -> tuple[Sealer13, Protection13]:
    """Both sides of one traffic secret."""
    cipher = record_cipher(encryption, mac)
    assert cipher is not None
    secret = bytes(range(32 if hash_name == "sha256" else 48))
    return Sealer13(encryption, hash_name, secret, prefix), Protection13(cipher, hash_name, secret, prefix)


@pytest.mark.parametrize(("encryption", "mac", "hash_name"), CIPHERS13)
def test_each_cipher_of_tls_1_3_opens_with_its_padding_taken_off(encryption: str, mac: str, hash_name: str) -> None:
    sealer, protection = pair13(encryption, mac, hash_name)
    for sequence, (content, padding) in enumerate(((b"content", 0), (b"", 5), (b"zeros\x00\x00", 40))):
        record = sealer.record(22, content, padding)
        assert protection.open(sequence, record[:5], record[5:]) == (22, content)
        assert protection.open(sequence + 1, record[:5], record[5:]) is None
        assert protection.open(sequence, b"\x17\x03\x01" + record[3:5], record[5:]) is None
        for at in range(5, len(record)):
            assert protection.open(sequence, record[:5], record[5:at]) is None
            changed = record[5:at] + bytes((record[at] ^ 1,)) + record[at + 1 :]
            assert protection.open(sequence, record[:5], changed) is None


def test_a_record_of_nothing_but_padding_is_none() -> None:
    sealer, protection = pair13("AES_128_GCM", "SHA256", "sha256")
    record = sealer.record(0, b"", 20)
    assert protection.open(0, record[:5], record[5:]) is None


@pytest.mark.parametrize(("encryption", "mac", "hash_name"), [each for each in CIPHERS13 if each[0] != "NULL"])
def test_records_of_dtls_1_3_show_their_numbers(encryption: str, mac: str, hash_name: str) -> None:
    sealer, protection = pair13(encryption, mac, hash_name, b"dtls13")
    for sequence in (0, 3, 0xFFFF, 0x12345):
        record = sealer.datagram_record(3, sequence, 23, b"content of a datagram")
        number = protection.record_number(record[1:3], record[5:])
        assert number == (sequence & 0xFFFF).to_bytes(2, "big")
        assert protection.open(sequence, record[:1] + number + record[3:5], record[5:]) == (
            23,
            b"content of a datagram",
        )
    assert protection.record_number(b"\x00\x00", bytes(15)) is None


def test_a_key_update_is_followed() -> None:
    sealer, _ = pair13("AES_128_GCM", "SHA256", "sha256")
    secret = next_traffic_secret("sha256", sealer.secret)
    sealer.update()
    assert sealer.secret == secret


# --- hostile octets -------------------------------------------------------------------------------


@settings(max_examples=150)
@given(
    fragment=st.binary(max_size=80),
    sequence=st.integers(0, 1 << 70),
    kind=st.sampled_from(CIPHERS),
    first=st.booleans(),
)
def test_octets_of_anybody_open_nothing_and_raise_nothing(
    fragment: bytes, sequence: int, kind: tuple[str, str], first: bool
) -> None:
    _, opening = pair(*kind, encrypt_then_mac=first and kind[0] in BLOCKS)
    assert opening[0].open(sequence, 23, TLS12, fragment) is None
    assert opening[1].open(sequence, 25, DTLS12, fragment, b"id") is None


@settings(max_examples=80)
@given(fragment=st.binary(max_size=80), sequence=st.integers(0, 1 << 70), kind=st.sampled_from(CIPHERS13))
def test_octets_of_anybody_open_nothing_in_tls_1_3(fragment: bytes, sequence: int, kind: tuple[str, str, str]) -> None:
    _, protection = pair13(*kind)
    assert protection.open(sequence, fragment[:5], fragment) is None
    protection.record_number(fragment[:2], fragment)

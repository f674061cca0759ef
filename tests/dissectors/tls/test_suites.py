"""Cipher suites: the classes that rules go by are exactly those of the reference lists."""

from __future__ import annotations

import pytest

from dissectors.tls.suite_names import SSL2_CIPHER_SPECS, SUITE_NAMES
from dissectors.tls.suites import is_grease, suite


def codes(text: str) -> set[int]:
    """Code points of a list like `0017-001B 0034`."""
    found: set[int] = set()
    for part in text.split():
        low, _, high = part.partition("-")
        found |= set(range(int(low, 16), int(high or low, 16) + 1))
    return found


ALL = [suite(code) for code in SUITE_NAMES]

NULL = codes(
    "0000 0001 0002 002C 002D 002E 003B 00B0 00B1 00B4 00B5 00B8 00B9 C001 C006 C00B C010 C015 C039 C03A C03B C0B4 C0B5"
)
ANONYMOUS = codes(
    "0017-001B 0034 003A 0046 006C 006D 0089 009B 00A6 00A7 00BF 00C5 C015-C019 C046 C047 C05A C05B C084 C085"
)
EXPORT = codes("0003 0006 0008 000B 000E 0011 0014 0017 0019 0026-002B")
RC4 = codes("0003 0004 0005 0017 0018 0020 0024 0028 002B 008A 008E 0092 C002 C007 C00C C011 C016 C033")
TRIPLE_DES = codes("000A 000D 0010 0013 0016 001B 001F 0023 008B 008F 0093 C003 C008 C00D C012 C017 C01A-C01C C034")
DES = codes("0008 0009 000B 000C 000E 000F 0011 0012 0014 0015 0019 001A 001E 0022 0026 0029")
IDEA = codes("0007 0021 0025")
RC2 = codes("0006 0027 002A")
MD5 = codes("0001 0003 0004 0006 0017 0018 0022-0025 0029-002B")
PSK = codes("002C 008A-008D 00A8 00A9 00AE-00B1 C064 C065 C06A C06B C08E C08F C094 C095 C0A4 C0A5 C0A8 C0A9 CCAB")
DHE_PSK = codes("002D 008E-0091 00AA 00AB 00B2-00B5 C066 C067 C06C C06D C090 C091 C096 C097 C0A6 C0A7 C0AA C0AB CCAD")
ECDHE_PSK = codes("C033-C03B C070 C071 C09A C09B CCAC D001 D002 D003 D005")
RSA_PSK = codes("002E 0092-0095 00AC 00AD 00B6-00B9 C068 C069 C06E C06F C092 C093 C098 C099 CCAE")
CCM_8 = codes("1305 C0A0-C0A3 C0A8-C0AB C0AE C0AF C0FF D003")

# Suites that were never registered belong to the classes too.
UNREGISTERED = {
    "null": codes("001C 0082 0083"),
    "export": codes("0060-0065"),
    "rc4": codes("0060 0064-0066"),
    "triple_des": codes("FEFF FFE0"),
    "des": codes("0062 0063 FEFE FFE1"),
    "rc2": codes("0061"),
    "md5": codes("0060 0061"),
}


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("null", NULL),
        ("anonymous", ANONYMOUS),
        ("export", EXPORT),
        ("rc4", RC4),
        ("triple_des", TRIPLE_DES),
        ("des", DES),
        ("idea", IDEA),
        ("rc2", RC2),
        ("md5", MD5),
    ],
)
def test_a_class_of_weak_suites_holds_the_registered_ones_and_the_known_private_ones(
    flag: str, expected: set[int]
) -> None:
    assert {one.code for one in ALL if getattr(one, flag)} == expected | UNREGISTERED.get(flag, set())


@pytest.mark.parametrize(
    ("kind", "expected", "private"),
    [
        ("PSK", PSK, codes("E416 E417")),
        ("DHE_PSK", DHE_PSK, codes("E41C E41D")),
        ("ECDHE_PSK", ECDHE_PSK, codes("E418 E419")),
        ("RSA_PSK", RSA_PSK, codes("E41A E41B")),
    ],
)
def test_pre_shared_key_suites_fall_into_their_four_kinds(kind: str, expected: set[int], private: set[int]) -> None:
    assert {one.code for one in ALL if one.psk == kind} == expected | private


def test_suites_with_eight_octet_tags_are_told_by_their_encryption() -> None:
    assert {one.code for one in ALL if one.encryption.endswith("CCM_8")} == CCM_8


@pytest.mark.parametrize(
    ("code", "octets"),
    [(0x0001, 16), (0x0002, 20), (0x003B, 32), (0x00B1, 48), (0xC0B4, 32), (0xC0B5, 48), (0x0000, 0), (0x002C, 20)],
)
def test_the_mac_behind_readable_content_has_the_length_of_its_hash(code: int, octets: int) -> None:
    one = suite(code)
    assert one.null
    assert one.mac_octets == octets


def test_an_aead_has_no_mac_of_its_own_and_names_the_hash_of_the_prf() -> None:
    one = suite(0xC030)
    assert (one.key_exchange, one.authentication, one.encryption) == ("ECDHE", "RSA", "AES_256_GCM")
    assert (one.mac, one.mac_octets, one.prf_hash, one.aead, one.cbc) == ("", 0, "sha384", True, False)
    assert one.forward_secrecy is True


@pytest.mark.parametrize(
    ("code", "secret"), [(0x002F, False), (0x00A8, False), (0x0090, True), (0xC004, False), (0x1301, None)]
)
def test_forward_secrecy_follows_from_the_key_exchange(code: int, secret: bool | None) -> None:
    assert suite(code).forward_secrecy is secret


@pytest.mark.parametrize("code", [0x00FF, 0x5600, 0x0A0A, 0xFAFA])
def test_signals_in_the_list_are_no_suites_and_belong_to_no_class(code: int) -> None:
    one = suite(code)
    assert one.signalling
    assert not any((one.null, one.anonymous, one.export, one.rc4, one.des, one.md5, one.psk))


def test_grease_needs_equal_octets() -> None:
    assert [code for code in range(0x10000) if is_grease(code)] == [0x0A0A + 0x1010 * n for n in range(16)]


def test_an_unknown_suite_is_printable_and_known_to_be_unknown() -> None:
    assert (suite(0xABCD).name, suite(0xABCD).known) == ("Unknown (0xabcd)", False)
    assert suite(0x123456).name == "Unknown (0x123456)"
    assert suite(0xD004).known is False  # never assigned (RFC 8442)


def test_ssl2_cipher_specs_belong_to_the_weak_classes() -> None:
    specs = {code: suite(code) for code in SSL2_CIPHER_SPECS}
    assert all(one.md5 and one.ssl2 for one in specs.values())
    assert specs[0x010080].rc4
    assert specs[0x020080].export
    assert specs[0x030080].rc2
    assert specs[0x050080].idea
    assert specs[0x060040].des
    assert specs[0x0700C0].triple_des
    assert not specs[0x0700C0].des

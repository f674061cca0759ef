"""Header extension elements that are encrypted one by one (RFC 6904)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from imsinspect.crypto.srtp_extensions import crypt_elements, element_bodies
from imsinspect.crypto.srtp_parameters import header_extension_keys

hexa = bytes.fromhex

MASTER_KEY = hexa("e1f97a0d3e018be0d64fa32c06de4139")
MASTER_SALT = hexa("0ec675ad498afeebb6960b3aabe6")


def parameters_of(*identifiers: int, cipher: str = "AES-CM") -> SrtpParameters:
    return SrtpParameters(cipher, 16, 14, 10, 10, encrypted_elements=frozenset(identifiers))


# RFC 6904 appendix A


def test_session_keys_for_header_extensions() -> None:
    keys = header_extension_keys(parameters_of(), MASTER_KEY, MASTER_SALT)
    assert keys.encryption.hex() == "549752054d6fb708622c4a2e596a1b93"
    assert keys.salt.hex() == "ab01818174c40d39a3781f7c2d27"
    assert keys.authentication == b""


HEADER = hexa("900f1234decafbadcafebabe bede0006")
ELEMENTS = hexa("17 414273a475262748 22 0000c8 30 8e 46 55996386b395fb 00")
ENCRYPTED = hexa("17 588a9270f4e15e1c 22 0000c8 30 95 46 a994f0bc547897 00")


def test_the_elements_of_rfc_6904_are_encrypted_and_the_tag_covers_the_result() -> None:
    plain = HEADER + ELEMENTS + b"\xab" * 16
    keys = SrtpKeys(parameters_of(1, 3, 4), MASTER_KEY, MASTER_SALT)
    packet = keys.protect_srtp(plain, 0)
    assert packet[:40] == HEADER + ENCRYPTED
    assert keys.verify_srtp(packet, 0)
    assert keys.open_srtp(packet, 0) == plain
    without = SrtpKeys(parameters_of(), MASTER_KEY, MASTER_SALT)
    assert without.open_srtp(packet, 0) == HEADER + ENCRYPTED + b"\xab" * 16


@pytest.mark.parametrize("cipher", ["AES-CM", "AES-f8", "NULL"])
def test_only_the_named_elements_change(cipher: str) -> None:
    plain = HEADER + ELEMENTS + b"\xab" * 16
    keys = SrtpKeys(parameters_of(2, cipher=cipher), MASTER_KEY, MASTER_SALT)
    packet = keys.protect_srtp(plain, 0)
    changed = {number for number in range(40) if packet[number] != plain[number]}
    assert changed <= {26, 27, 28}
    assert bool(changed) is (cipher != "NULL")
    assert keys.open_srtp(packet, 0) == plain


# Elements


@pytest.mark.parametrize(
    ("profile", "block", "bodies"),
    [
        (0xBEDE, "", []),
        (0xBEDE, "00000000", []),
        (0xBEDE, "10aa0000", [(1, 1, 2)]),
        (0xBEDE, "0010aa21bbcc00e0dd", [(1, 2, 3), (2, 4, 6), (14, 8, 9)]),
        (0xBEDE, "10aaf012", [(1, 1, 2)]),
        (0xBEDE, "01aa10bb", []),
        (0xBEDE, "3faabb", [(3, 1, 3)]),
        (0x1000, "00000100", [(1, 4, 4)]),
        (0x100F, "0102aabb00ff01cc", [(1, 2, 4), (255, 7, 8)]),
        (0x1000, "01ffaabb", [(1, 2, 4)]),
        (0x1000, "0102aabb05", [(1, 2, 4)]),
        (0x1234, "10aa0000", []),
    ],
)
def test_where_the_bodies_of_elements_are(profile: int, block: str, bodies: list[tuple[int, int, int]]) -> None:
    assert list(element_bodies(profile, hexa(block))) == bodies


@given(st.binary(min_size=12, max_size=120), st.sampled_from([0xBEDE, 0x1000, 0x2000]))
def test_anything_comes_back_when_done_twice(packet: bytes, profile: int) -> None:
    packet = bytes([0x90]) + packet[1:12] + profile.to_bytes(2, "big") + b"\0" + packet[12:]
    identifiers = frozenset(range(0, 256, 2))

    def flip(data: bytes) -> bytes:
        return bytes(octet ^ 0xFF for octet in data)

    once = crypt_elements(packet, identifiers, flip)
    assert len(once) == len(packet)
    assert crypt_elements(once, identifiers, flip) == packet

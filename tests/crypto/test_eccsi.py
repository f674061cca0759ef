"""ECCSI: the example of RFC 6507 Appendix A, step by step, and what must not verify."""

from __future__ import annotations

import pytest

from imsinspect.crypto import eccsi
from imsinspect.crypto.eccsi import GENERATOR, ORDER, P_256

SECRET = 0x12345
KPAK = bytes.fromhex(
    "0450d4670bde75244f28d2838a0d25558a7a72686d4522d4c8273fb6442aebfa93dbdd37551afd263b5dfd617f3960c65a8c2988"
    "50ff99f20366dce7d4367217f4"
)
SIGNER = bytes.fromhex("323031312d30320074656c3a2b34343737303039303031323300")
V = 0x23456
PVT = bytes.fromhex(
    "04758a142779be89e829e71984cb40ef758cc4ad775fc5b9a3e1c8ed52f6fa36d9a79d247692f4eda3a6bdab77d6aa6474a464ae"
    "4934663c5265ba7018ba091f79"
)
HS = bytes.fromhex("490f3febbc1c902f6289723d7f8cbf79db88930849d19f38f0295b5c276c14d1")
MESSAGE = bytes.fromhex("6d65737361676500")
J_FACTOR = 0x34567
J = bytes.fromhex(
    "04269d4c8fdeb66a74e4ef8c0d5dcc597ddfe6029c2affc4936008cd2cc1045d816dda6a1310f4b067bd5dabdad741b7cef36457"
    "e196b1bfa97fd5f8fbb3926adb"
)
R = bytes.fromhex("269d4c8fdeb66a74e4ef8c0d5dcc597ddfe6029c2affc4936008cd2cc1045d81")
S = bytes.fromhex("e09b528d0ef8d6df1aa3ecbf80110cfcec9fc68252cebb679f4134846940ccfd")
SIGNATURE = bytes.fromhex(
    "269d4c8fdeb66a74e4ef8c0d5dcc597ddfe6029c2affc4936008cd2cc1045d81e09b528d0ef8d6df1aa3ecbf80110cfcec9fc682"
    "52cebb679f4134846940ccfd04758a142779be89e829e71984cb40ef758cc4ad775fc5b9a3e1c8ed52f6fa36d9a79d247692f4ed"
    "a3a6bdab77d6aa6474a464ae4934663c5265ba7018ba091f79"
)
Y = bytes.fromhex(
    "04833898d939c0013bb05027286f95cce037c11bd25799423c76e48362a495997895d0473a1cd6186ee9f0c104b472499e1a24d6"
    "ce3d85173f02ebbd945c25f604"
)


def test_the_signature_of_the_example_verifies() -> None:
    assert len(SIGNATURE) == eccsi.SIGNATURE_OCTETS
    assert R + S + PVT == SIGNATURE
    assert eccsi.verify(KPAK, SIGNER, SIGNATURE, MESSAGE)


def test_the_points_and_the_hash_of_the_example() -> None:
    assert P_256.has(GENERATOR)
    assert P_256.multiply(ORDER, GENERATOR) is None
    for factor, point in ((SECRET, KPAK), (V, PVT), (J_FACTOR, J)):
        assert P_256.multiply(factor, GENERATOR) == P_256.read(point)
    assert eccsi.hash_of_signer(KPAK, SIGNER, PVT) == HS
    token, public = P_256.read(PVT), P_256.read(KPAK)
    assert P_256.add(P_256.multiply(int.from_bytes(HS, "big"), token), public) == P_256.read(Y)


def test_another_signer_message_or_key_does_not_verify() -> None:
    assert not eccsi.verify(KPAK, SIGNER + b"\0", SIGNATURE, MESSAGE)
    assert not eccsi.verify(KPAK, SIGNER, SIGNATURE, MESSAGE + b"\0")
    assert not eccsi.verify(PVT, SIGNER, SIGNATURE, MESSAGE)


@pytest.mark.parametrize("at", [0, 31, 32, 63, 64, 65, 128])
def test_a_flipped_bit_does_not_verify(at: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[at] ^= 1
    assert not eccsi.verify(KPAK, SIGNER, bytes(changed), MESSAGE)


@pytest.mark.parametrize(
    "signature",
    [b"", SIGNATURE[:-1], SIGNATURE + b"\0", R + bytes(32) + PVT, bytes(32) + S + PVT, R + ORDER.to_bytes(32) + PVT],
)
def test_signatures_that_are_none_do_not_verify(signature: bytes) -> None:
    assert not eccsi.verify(KPAK, SIGNER, signature, MESSAGE)


def test_a_public_key_that_is_no_point_is_refused() -> None:
    for wrong in (b"", bytes(65), KPAK[:-1] + bytes([KPAK[-1] ^ 1])):
        with pytest.raises(ValueError, match="P-256"):
            eccsi.verify(wrong, SIGNER, SIGNATURE, MESSAGE)

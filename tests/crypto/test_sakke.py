"""SAKKE with Parameter Set 1: the example of RFC 6508 Appendix A, step by step, and what must not open."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.crypto import sakke

IDENTIFIER = b"2011-02\0tel:+447700900123\0"
MASTER_SECRET = "aff429d35f84b110d094803b3595a6e2998bc99f"
Z_X = (
    "5958ef1b1679bf099b3a030df255aa6a23c1d8f143d4d23f753e69bd27a832f38cb4ad53ddef4260b0fe8bb45c4c1ff510effe30"
    "0367a37b61f701d914aef09724825fa0707d61a6dff4fbd7273566cdde352a0b04b7c16a78309be640697de747613a5fc195e8b9"
    "f328852a579db8f99b1d0034479ea9c5595f47c4b2f54ff2"
)
Z_Y = (
    "1508d37514dcf7a8e143a6058c09a6bf2c9858ca37c258065ae6bf7532bc8b5b63383866e0753c5ac0e72709f8445f2e6178e065"
    "857e0eda10f68206b63505ed87e534fb2831ff957fb7dc619dae61301eeacc2fda3680ea4999258a833cea8fc67c6d19487fb449"
    "059f26cc8aab655ab58b7cc796e24e9a394095754f5f8bae"
)
SSV = "123456789abcdef0123456789abcdef0"
R = (
    "13ee3e1b8dac5db168b1ceb32f0566a4c273693f78baffa2a2ee6a686e6bd90f8206ccab84e7f42ed39bd4fb131012ecca2ecd21"
    "19414560c17cab46b956a80f58a3302eb3e2c9a228fba7ed34d8aca2392da1ffb0b17b2320ae09aaedfd0235f6fe0eb65337a63f"
    "9cc97728b8e5ad0460fade144369aa5b2166213247712096"
)
R_X = (
    "44e8ad44ab8592a6a5a3ddca5cf896c718043606a01d650def37a01f37c228c332fc317354e2c274d4daf8ad001054c76ce57971"
    "c6f4486d5723043261c506ebf5be438f53de04f067c776e0dd3b71a6290133283725a532f21af145126dc1d777ecc27be50835bd"
    "28098b8a73d9f801d893793a41ff5c49b87e79f2be4d56ce"
)
R_Y = (
    "557e134ad85bb1d4b9ce4f8be4b08a12babf55b1d6f1d7a638019ea28e15ab1c9f76375fdd1210d4f4351b9a009486b7f3ed46c9"
    "65ded2d80dade4f38c6721d52c3ad103a10ebd2959248b4ef006836bf097448e6107c9edee9fb704823df199f832c905ae45f8a2"
    "47a072d8ef729eabc5e27574b07739b34be74a532f747b86"
)
G_TO_R = (
    "7d2a8438e6291c649b6579eb3b79eae948b1de9e5f7d1f4070a08f8db6b3c5156f2201affbb5cb9d82aa3ec0d0398b89abc78a13"
    "a760c0bf3f77e63d0df3f1a341a41b8811df197fd6cd0f003125606f4f109f400f7292a10d255e3c0ebccb4253fb182c68f09cf6"
    "cd9c4a53da6c74ad007af36b8bca979d5895e282f483fcd6"
)
MASK = "9bd4ea1e801d37e62ad2fab0d4f5bbf7"
H = "89e0bc661aa1e91638e6acc84e496507"
K_X = (
    "93af67e5007ba6e6a80da793da300fa4b52d0a74e25e6e7b2b3d6ee9d18a9b5c5023597bd82d8062d34019563ba1d25c0dc56b7b"
    "979d74aa50f29fbf11cc2c93f5dfca615e609279f6175ceadb00b58c6bee1e7a2a47c4f0c456f05259a6fa94a634a40dae1df593"
    "d4fecf688d5fc678be7efc6df3d6835325b83b2c6e69036b"
)
K_Y = (
    "155f0a27241094b04bfb0bdfac6c670a65c325d39a069f03659d44ca27d3be8df311172b554160181cbe94a2a783320ced590bc4"
    "2644702cf371271e496bf20f588b78a1bc01ecbb6559934bdd2fb65d2884318a33d1a42adf5e33cc5800280b28356497f87135ba"
    "b9612a17260424409ac15fee996b744c332151235decb0f5"
)
W = (
    "7d2a8438e6291c649b6579eb3b79eae948b1de9e5f7d1f4070a08f8db6b3c5156f2201affbb5cb9d82aa3ec0d0398b89abc78a13"
    "a760c0bf3f77e63d0df3f1a341a41b8811df197fd6cd0f003125606f4f109f400f7292a10d255e3c0ebccb4253fb182c68f09cf6"
    "cd9c4a53da6c74ad007af36b8bca979d5895e282f483fcd6"
)
PUBLIC_KEY = bytes.fromhex("04" + Z_X + Z_Y)
SECRET_KEY = bytes.fromhex("04" + K_X + K_Y)
ENCAPSULATED = bytes.fromhex("04" + R_X + R_Y + H)


def test_the_masked_secret_of_the_example_is_unmasked_and_verified() -> None:
    assert len(ENCAPSULATED) == sakke.ENCAPSULATED_OCTETS == 273
    assert sakke.decapsulate(IDENTIFIER, SECRET_KEY, PUBLIC_KEY, ENCAPSULATED) == bytes.fromhex(SSV)


def test_the_secret_of_the_example_is_encapsulated_in_its_octets() -> None:
    assert sakke.encapsulate(IDENTIFIER, PUBLIC_KEY, bytes.fromhex(SSV)) == ENCAPSULATED


def test_the_steps_of_the_example() -> None:
    r = sakke.hash_to_range(bytes.fromhex(SSV) + IDENTIFIER, sakke._Q)
    assert r == int(R, 16)
    assert sakke.power_of_g(r) == int(G_TO_R, 16)
    pair = sakke.pairing((int(R_X, 16), int(R_Y, 16)), (int(K_X, 16), int(K_Y, 16)))
    assert pair == int(W, 16)
    assert sakke.hash_to_range(bytes.fromhex(W), 1 << 128) == int(MASK, 16)
    assert int(MASK, 16) ^ int(SSV, 16) == int(H, 16)
    assert sakke._CURVE.multiply(int(MASTER_SECRET, 16), sakke._GENERATOR) == (int(Z_X, 16), int(Z_Y, 16))


def test_the_generator_has_the_order_q_and_pairs_with_itself_to_g() -> None:
    assert sakke._CURVE.has(sakke._GENERATOR)
    assert sakke._CURVE.multiply(sakke._Q, sakke._GENERATOR) is None
    assert sakke._P + 1 == 4 * sakke._Q
    assert sakke.pairing(sakke._GENERATOR, sakke._GENERATOR) == sakke._G


def test_a_secret_key_is_known_to_be_that_of_its_identifier() -> None:
    assert sakke.secret_key_is_of(IDENTIFIER, SECRET_KEY, PUBLIC_KEY)
    assert not sakke.secret_key_is_of(b"2011-03\0tel:+447700900123\0", SECRET_KEY, PUBLIC_KEY)


def test_another_identifier_another_key_or_changed_octets_give_nothing() -> None:
    opened = sakke.decapsulate
    assert opened(b"2011-03\0tel:+447700900123\0", SECRET_KEY, PUBLIC_KEY, ENCAPSULATED) is None
    assert opened(IDENTIFIER, PUBLIC_KEY, PUBLIC_KEY, ENCAPSULATED) is None
    for at in (0, 1, 128, 129, 256, 257, 272):
        changed = bytearray(ENCAPSULATED)
        changed[at] ^= 1
        assert opened(IDENTIFIER, SECRET_KEY, PUBLIC_KEY, bytes(changed)) is None
    for cut in (b"", ENCAPSULATED[:-1], ENCAPSULATED + b"\0", ENCAPSULATED[:257]):
        assert opened(IDENTIFIER, SECRET_KEY, PUBLIC_KEY, cut) is None


def test_keys_that_are_no_points_of_the_curve_are_refused() -> None:
    for wrong in (b"", SECRET_KEY[:-1], bytes(257), b"\x04" + bytes(255) + b"\x01"):
        with pytest.raises(ValueError, match="Receiver Secret Key"):
            sakke.decapsulate(IDENTIFIER, wrong, PUBLIC_KEY, ENCAPSULATED)
        with pytest.raises(ValueError, match="KMS Public Key"):
            sakke.decapsulate(IDENTIFIER, SECRET_KEY, wrong, ENCAPSULATED)
    with pytest.raises(ValueError, match="16 octets"):
        sakke.encapsulate(IDENTIFIER, PUBLIC_KEY, bytes(15))


def test_points_of_small_order_are_survived() -> None:
    """(0, 0) is on the curve and its own negative: no slope there has an inverse."""
    zero = b"\x04" + bytes(256)
    assert sakke.pairing((0, 0), sakke._GENERATOR) is None
    assert sakke.decapsulate(IDENTIFIER, SECRET_KEY, PUBLIC_KEY, zero + bytes(16)) is None
    assert sakke.decapsulate(IDENTIFIER, zero, PUBLIC_KEY, ENCAPSULATED) is None


@settings(max_examples=5, deadline=None)
@given(secret=st.binary(min_size=16, max_size=16), identifier=st.binary(min_size=1, max_size=40))
def test_what_is_encapsulated_for_an_identifier_opens_with_its_key(secret: bytes, identifier: bytes) -> None:
    z = int(MASTER_SECRET, 16)
    inverse = pow((int.from_bytes(identifier, "big") + z) % sakke._Q, -1, sakke._Q)
    point = sakke._CURVE.multiply(inverse, sakke._GENERATOR)
    assert point is not None
    key = sakke._CURVE.write(point)
    sealed = sakke.encapsulate(identifier, PUBLIC_KEY, secret)
    assert sakke.decapsulate(identifier, key, PUBLIC_KEY, sealed) == secret

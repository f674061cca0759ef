"""The PRF of MIKEY and the keys of its modes: published and computed values, octet for octet."""

from __future__ import annotations

import pytest

from imsinspect.crypto import mikey
from tests.crypto.mikey_values import PSK_EXCHANGE

PUBLISHED = [
    # inkey, RAND, CSB ID, CS ID, constant, output: unit tests of sw_mikey_sakke
    (*("a27b7d578eeb9b1ee7705e385996d300", "4339f62f55aac86348846a482c893802", 0x05A85C16, 4), 0x15798CEF,
     "3924935940c154ccbc3c2ad05c8f5181"),
    (*("a27b7d578eeb9b1ee7705e385996d300", "4339f62f55aac86348846a482c893802", 0x05A85C16, 4), 0x39A2C14B,
     "1725869b80f370cc9f24e13b"),
    (*("a27b7d578eeb9b1ee7705e385996d300", "4339f62f55aac86348846a482c893802", 0x05A85C16, 0), 0x15798CEF,
     "f17c80a8d2f9befa47cf712603d7229a"),
    (*("a27b7d578eeb9b1ee7705e385996d300", "4339f62f55aac86348846a482c893802", 0x05A85C16, 0), 0x39A2C14B,
     "c3b7b561a291a1d3abef482b"),
    (*("a27b7d578eeb9b1ee7705e385996d300", "4339f62f55aac86348846a482c893802", 0x0633F457, 4), 0x2AD01C64,
     "59aaa49ebb54813602b7cc165961b4e8"),
    (*("a27b7d578eeb9b1ee7705e385996d300", "4339f62f55aac86348846a482c893802", 0x0633F457, 4), 0x39A2C14B,
     "745eb4df7d155c473114a799"),
    (*("fcfe65cd967c58d260b603ccb9a887a9", "6819e679461120e10ac458cce67b8024", 0x01C8DE7B, 4), 0x2AD01C64,
     "64837d2b4d69a266e4489d3807353ad9"),
    (*("fcfe65cd967c58d260b603ccb9a887a9", "6819e679461120e10ac458cce67b8024", 0x01C8DE7B, 4), 0x39A2C14B,
     "8b2f081ce8e8bdab1f8d9eb8"),
    (*("fcfe65cd967c58d260b603ccb9a887a9", "6819e679461120e10ac458cce67b8024", 0x0ABE69D0, 4), 0x2AD01C64,
     "de81b70c4ae0ff3f79364df586c2e0ce"),
    (*("fcfe65cd967c58d260b603ccb9a887a9", "6819e679461120e10ac458cce67b8024", 0x0ABE69D0, 4), 0x39A2C14B,
     "750ea7422b4d5a8ff475c6d5"),
    (*("fcfe65cd967c58d260b603ccb9a887a9", "6819e679461120e10ac458cce67b8024", 0x0C449727, 4), 0x2AD01C64,
     "f097ac3325f1f784bc8ba4112c5e5f88"),
    (*("fcfe65cd967c58d260b603ccb9a887a9", "6819e679461120e10ac458cce67b8024", 0x0C449727, 4), 0x39A2C14B,
     "97a154fb24efbfb353a265e2"),
    (*("28ba74447f037dcc09ad7f2576dc2def", "30333032343661303730646133333265", 0x1C5F7886, 6), 0x2AD01C64,
     "185d08cb5a226d19d71679adf5e415be"),
    (*("28ba74447f037dcc09ad7f2576dc2def", "30333032343661303730646133333265", 0x1C5F7886, 6), 0x39A2C14B,
     "d1d648b2a0040633a3dd72e5"),
]  # fmt: skip


@pytest.mark.parametrize(("inkey", "rand", "csb_id", "cs_id", "constant", "output"), PUBLISHED)
def test_published_session_keys(inkey: str, rand: str, csb_id: int, cs_id: int, constant: int, output: str) -> None:
    context = mikey.session_context(cs_id, csb_id, bytes.fromhex(rand))
    got = mikey.derive(mikey.PRF_HMAC_SHA_256, bytes.fromhex(inkey), constant, context, len(output) * 4)
    assert got.hex() == output


@pytest.mark.parametrize(
    ("function", "output"),
    [
        (mikey.MIKEY_1, "3d566fadb8418fd11fc52b3d34459326ebe30c49a9620b4e8f1ca26ef50ea3e77c4a1a32a79ff801"),
        (mikey.PRF_HMAC_SHA_256, "2c54bcf6f9a5a35c6b53cef8544e9718021e5b0944eaff92631287b706fbe00cd95cd83f211c74a3"),
    ],
)
def test_an_input_key_of_more_than_256_bits_is_cut_into_blocks(function: int, output: str) -> None:
    label = bytes.fromhex("2d22ac75ff12345678" + PSK_EXCHANGE["RAND"])
    assert mikey.prf(function, bytes(range(40)), label, 320).hex() == output
    assert mikey.prf(function, bytes(range(40)), label, 112).hex() == output[:28]
    assert mikey.prf(function, bytes(range(40)), label, 0) == b""


def test_keys_of_the_pre_shared_exchange() -> None:
    rand, psk, tgk = bytes.fromhex(PSK_EXCHANGE["RAND"]), bytes.fromhex(PSK_EXCHANGE["PSK"]), bytes(range(0x40, 0x50))
    context = mikey.message_context(0x12345678, rand)
    for name, constant, bits in (
        ("encr_key", mikey.ENCRYPTION_KEY, 128),
        ("auth_key", mikey.AUTHENTICATION_KEY, 160),
        ("salt_key", mikey.SALT_KEY, 112),
    ):
        assert mikey.derive(mikey.MIKEY_1, psk, constant, context, bits).hex() == PSK_EXCHANGE[name]
    for cs_id in (1, 2):
        session = mikey.session_context(cs_id, 0x12345678, rand)
        assert mikey.derive(mikey.MIKEY_1, tgk, mikey.TEK, session, 128).hex() == PSK_EXCHANGE[f"TEK {cs_id}"]
        assert mikey.derive(mikey.MIKEY_1, tgk, mikey.TGK_SALT, session, 112).hex() == PSK_EXCHANGE[f"salt {cs_id}"]


def test_contexts_are_those_of_the_specifications() -> None:
    i, r = b"\xa1\xa2", b"\xb1"
    assert mikey.session_context(7, 0x01020304, i).hex() == "0701020304a1a2"
    assert mikey.message_context(0x01020304, i).hex() == "ff01020304a1a2"
    assert mikey.initial_message_context(0x01020304, i, b"").hex() == "ff010203040102a1a200"
    assert mikey.response_message_context(0x01020304, b"", r).hex() == "ff01020304020001b1"
    assert mikey.ticket_session_context(2, i, r).hex() == "02ffffffff0302a1a201b1"
    assert mikey.initiator_data_context().hex() == "ffffffffff04"
    assert mikey.ticket_context(r).hex() == "ffffffffff0501b1"
    assert mikey.mpk_context(r).hex() == "ffffffffff0601b1"
    assert mikey.forking_context(b"bob", r).hex() == "ffffffffff000003626f6201b1"
    assert mikey.ibake_context(i).hex() == "ffffffffffa1a2"


def test_the_constants_are_those_of_the_specifications() -> None:
    assert (mikey.TEK, mikey.TGK_AUTHENTICATION_KEY) == (0x2AD01C64, 0x1B5C7973)
    assert (mikey.TGK_ENCRYPTION_KEY, mikey.TGK_SALT) == (0x15798CEF, 0x39A2C14B)
    assert (mikey.ENCRYPTION_KEY, mikey.AUTHENTICATION_KEY, mikey.SALT_KEY) == (0x150533E1, 0x2D22AC75, 0x29B88916)
    assert (mikey.MPK_I, mikey.MPK_R, mikey.IBAKE_MPK, mikey.IBAKE_TGK) == (0x220E99A2, 0x1F4D675B) * 2
    assert (mikey.FORKED_MPK_R, mikey.FORKED_TGK) == (0x2B288856, 0x1512B54A)


def test_keys_of_ibake_are_the_prf_over_its_label() -> None:
    label = bytes.fromhex("ffffffffff") + b"rand"
    assert mikey.ibake_keys(0, b"k" * 16, b"rand", 128) == (
        mikey.prf(0, b"k" * 16, bytes.fromhex("220e99a2") + label, 128),
        mikey.prf(0, b"k" * 16, bytes.fromhex("1f4d675b") + label, 128),
    )


def test_what_cannot_be_is_refused() -> None:
    for function in (-1, 2, 127):
        assert not mikey.known_prf(function)
        with pytest.raises(ValueError, match="PRF function"):
            mikey.prf(function, b"k", b"l", 128)
    for bits in (-8, 7):
        with pytest.raises(ValueError, match="whole number of octets"):
            mikey.prf(0, b"k", b"l", bits)
    for cs_id, csb_id in ((256, 0), (-1, 0), (0, 1 << 32), (0, -1)):
        with pytest.raises(ValueError, match="does not fit"):
            mikey.session_context(cs_id, csb_id, b"")
    with pytest.raises(ValueError, match="does not fit"):
        mikey.ticket_context(bytes(256))


def test_an_empty_input_key_gives_a_key() -> None:
    assert len(mikey.prf(0, b"", b"label", 128)) == 16

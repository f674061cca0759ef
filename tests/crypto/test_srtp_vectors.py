"""The vectors that RFC 3711, RFC 6188 and RFC 7714 print, and packets that a reference implementation made."""

from __future__ import annotations

import pytest

from imsinspect.crypto.srtp import SessionKeys, SrtpKeys, SrtpParameters, session_keys
from imsinspect.crypto.srtp_ciphers import counter_mode, counter_start, f8_mode, f8_srtp_vector, gcm_nonce
from imsinspect.crypto.srtp_packets import SrtcpParts, SrtpParts
from imsinspect.crypto.srtp_transforms import AeadTransform

hexa = bytes.fromhex

CM_80 = SrtpParameters("AES-CM", 16, 14, 10, 10)
CM_32 = SrtpParameters("AES-CM", 16, 14, 4, 10)
CM_80_MKI = SrtpParameters("AES-CM", 16, 14, 10, 10, mki_octets=4)
GCM_128 = SrtpParameters("AES-GCM", 16, 12, 16, 16)

MASTER_KEY = hexa("e1f97a0d3e018be0d64fa32c06de4139")
MASTER_SALT = hexa("0ec675ad498afeebb6960b3aabe6")


# AES-f8 (RFC 3711 appendix B.1)

F8_KEY = hexa("234829008467be186c3de14aae72d62c")
F8_SALT = hexa("32f2870d")
F8_VECTOR = hexa("006e5cba50681de55c621599d462564a")
F8_TEXT = b"pseudorandomness is the next best thing"
F8_CIPHERTEXT = hexa(
    "019ce7a26e7854014a6366aa95d4eefd1ad4172a14f9faf455b7f1d4b62bd08f562c0eef7c4802"
)  # fmt: skip


def test_the_vector_of_f8_is_the_header_without_its_first_octet_and_the_rollover_counter() -> None:
    assert f8_srtp_vector(hexa("806e5cba50681de55c621599"), 0xD462564A) == F8_VECTOR


def test_f8_encrypts_the_text_of_rfc_3711() -> None:
    assert f8_mode(F8_KEY, F8_SALT, F8_VECTOR, F8_TEXT) == F8_CIPHERTEXT
    assert f8_mode(F8_KEY, F8_SALT, F8_VECTOR, F8_CIPHERTEXT) == F8_TEXT


# AES-CM (RFC 3711 appendix B.2, RFC 6188 §7.1, §7.3)


@pytest.mark.parametrize(
    ("key", "blocks"),
    [
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            {
                0x0000: "e03ead0935c95e80e166b16dd92b4eb4",
                0x0001: "d23513162b02d0f72a43a2fe4a5f97ab",
                0x0002: "41e95b3bb0a2e8dd477901e4fca894c0",
                0xFEFF: "ec8cdf7398607cb0f2d21675ea9ea1e4",
                0xFF00: "362b7c3c6773516318a077d7fc5073ae",
                0xFF01: "6a2cc3787889374fbeb4c81b17ba6c44",
            },
        ),
        (
            "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
            {0x0000: "92bdd28a93c3f52511c677d08b5515a4", 0xFF01: "6eb246913062a16891433e97dd01a57f"},
        ),
        (
            "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
            {0x0000: "35096cba4610028dc1b57503804ce37c", 0xFF01: "a5dab625811034e8cebdfeb6dc158dd3"},
        ),
    ],
)
def test_blocks_of_counter_mode(key: str, blocks: dict[int, str]) -> None:
    stream = counter_mode(hexa(key), hexa("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"), bytes(16 * 0xFF02))
    assert {number: stream[16 * number : 16 * number + 16].hex() for number in blocks} == blocks


def test_the_first_block_holds_salt_ssrc_and_index_in_their_places() -> None:
    assert counter_start(bytes(14), 0xCAFEBABE, 0x0000000112345678 & 0xFFFFFFFFFFFF) == hexa(
        "00000000cafebabe0001123456780000"
    )
    assert counter_start(hexa("f0f1f2f3f4f5f6f7f8f9fafbfcfd"), 0, 0) == hexa("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000")


# Key derivation (RFC 3711 appendix B.3, RFC 6188 §7.2, §7.4)

AUTHENTICATION_STREAM = (
    "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef72270986371c10c9a369ac2"
    "f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
)


def _hexes(keys: SessionKeys) -> tuple[str, str, str]:
    return keys.encryption.hex(), keys.authentication.hex(), keys.salt.hex()


def test_session_keys_of_srtp() -> None:
    assert _hexes(session_keys(CM_80, MASTER_KEY, MASTER_SALT, rtcp=False)) == (
        "c61e7a93744f39ee10734afe3ff7a087",
        AUTHENTICATION_STREAM[:40],
        "30cbbc08863d8c85d49db34a9ae1",
    )


def test_the_keystream_behind_the_authentication_key_goes_on_as_printed() -> None:
    start = (int.from_bytes(MASTER_SALT, "big") ^ 1 << 48) << 16
    assert counter_mode(MASTER_KEY, start.to_bytes(16, "big"), bytes(94)).hex() == AUTHENTICATION_STREAM


def test_session_keys_of_srtcp_have_their_labels_where_those_of_srtp_are() -> None:
    keys = session_keys(CM_80, MASTER_KEY, MASTER_SALT, rtcp=True)
    assert _hexes(keys) == (
        "4c1aa45a81f73d61c800bbb00fbb1eaa",
        "8d54534feb49ae8e7993a6bd0b844fc323a93dfd",
        "9581c7ad87b3e530bf3e4454a8b3",
    )


def test_the_literal_32_bit_reading_of_the_srtcp_index_is_not_what_is_derived() -> None:
    literal = "bb046c9567d580b55f45def9ec496a8c"
    start = (int.from_bytes(MASTER_SALT, "big") ^ 3 << 32) << 16
    assert counter_mode(MASTER_KEY, start.to_bytes(16, "big"), bytes(16)).hex() == literal
    assert session_keys(CM_80, MASTER_KEY, MASTER_SALT, rtcp=True).encryption.hex() != literal


def test_the_vectors_of_a_validation_programme_have_the_same_srtp_keys_and_the_literal_srtcp_keys() -> None:
    # NIST CAVP, key derivation of SRTP, AES-128 with count 0: its SRTCP keys are of the literal reading.
    key, salt = hexa("c4809f6d369888728e26adb532129890"), hexa("0e23006c6c044f5662400e9d1bd6")
    assert _hexes(session_keys(CM_80, key, salt, rtcp=False, index=0x487165649CCA)) == (
        "dc382192ab65108a86b259b61b3af46f",
        "b83937fb321792ee87b788193be5a4e3bd326ee4",
        "f1c035c00b5a54a61692c016276c",
    )
    start = (int.from_bytes(salt, "big") ^ 3 << 32) << 16
    assert counter_mode(key, start.to_bytes(16, "big"), bytes(16)).hex() == "ab5be0b456235dcf77d5086929bafb38"
    assert session_keys(CM_80, key, salt, rtcp=True).encryption.hex() == "db7900a3c2bd6ec557ac7c10dee6dcad"


def test_a_key_derivation_rate_gives_other_keys_for_each_interval() -> None:
    parameters = SrtpParameters("AES-CM", 16, 14, 10, 10, key_derivation_rate=256)
    expected = (
        "bbd0bced0b1cc982b6cb345574e8bd19",
        "7345ae66dc37085eda8f5423f1f987a3daaedac2",
        "4367057ed8818db7144e23de8d3f",
    )
    for index in (0x011200, 0x011234, 0x0112FF):
        assert _hexes(session_keys(parameters, MASTER_KEY, MASTER_SALT, rtcp=False, index=index)) == expected
    for index in (0x0111FF, 0x011300):
        assert _hexes(session_keys(parameters, MASTER_KEY, MASTER_SALT, rtcp=False, index=index)) != expected
    first = session_keys(parameters, MASTER_KEY, MASTER_SALT, rtcp=False, index=255)
    assert first == session_keys(CM_80, MASTER_KEY, MASTER_SALT, rtcp=False)


@pytest.mark.parametrize(
    ("octets", "key", "salt", "expected"),
    [
        (
            32,
            "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
            "3b04803de51ee7c96423ab5b78d2",
            (
                "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
                "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
                "fa31791685ca444a9e07c6c64e93",
            ),
        ),
        (
            24,
            "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
            "c8522f3acd4ce86d5add78edbb11",
            (
                "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
                "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb",
                "2372b82d639b6d8503a47adc0a6c",
            ),
        ),
    ],
)
def test_session_keys_of_longer_master_keys(octets: int, key: str, salt: str, expected: tuple[str, str, str]) -> None:
    parameters = SrtpParameters("AES-CM", octets, 14, 10, 10)
    assert _hexes(session_keys(parameters, hexa(key), hexa(salt), rtcp=False)) == expected


def test_libsrtp_derived_keys_of_192_bits_in_another_way() -> None:
    # The values of libsrtp's issue 763, for the master key of RFC 6188 §7.4.
    key, salt = "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1", "c8522f3acd4ce86d5add78edbb11"
    parameters = SrtpParameters("AES-CM", 24, 14, 10, 10, libsrtp_192=True)
    keys = session_keys(parameters, hexa(key), hexa(salt), rtcp=False)
    assert keys.encryption.hex() == "7af9f9f2cb705d213cce5fa377b290a0183389701878e7d7"
    assert keys.salt.hex() == "2166ce644b08c8f855708bc2189e"


# Whole packets, AES-CM

RTP = hexa("800f1234decafbadcafebabe") + b"\xab" * 16
RTCP = hexa("81c8000bcafebabe") + b"\xab" * 16
RR = hexa("81c90007cafebabedecafbad000000000000000100000000000000000000000a")
RR_SDES = hexa("80c90001cafebabe81ca0004cafebabe01066140622e636400000000")
MKI = hexa("00000001")

SRTP_PACKETS = [
    (CM_80, 0, b"", RTP, "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"),
    (CM_32, 0, b"", RTP, "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc"),
    (CM_80, 1, b"", RTP, "800f1234decafbadcafebabe179265c8bf303e4c24e7279f739bb5a6f8b3916fd670057bf1dc"),
    (CM_80_MKI, 0, MKI, RTP, "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d240200000001b78d6acc99ea179b8dbb"),
]

SRTCP_PACKETS = [
    (CM_80, 1, True, b"", RTCP, "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"),
    (CM_80, 1, False, b"", RTCP, "81c8000bcafebabeabababababababababababababababab00000001fe88c7fdfd37ebce615d"),
    (
        CM_80,
        1,
        True,
        b"",
        RR,
        "81c90007cafebabe0449535d4f2c121615533beb52dc0e037e44132ac1142d2d800000011c04bb4587d6daab8569",
    ),
    (
        CM_80,
        1,
        False,
        b"",
        RR,
        "81c90007cafebabedecafbad000000000000000100000000000000000000000a000000018f2cf20d3741841c70cd",
    ),
    (
        CM_80_MKI,
        1,
        True,
        MKI,
        RR,
        "81c90007cafebabe0449535d4f2c121615533beb52dc0e037e44132ac1142d2d80000001000000011c04bb4587d6daab8569",
    ),
    (
        CM_32,
        2,
        True,
        b"",
        RR_SDES,
        "80c90001cafebabe48789f45fe2d9dcf7838794edb5d749094f096b7800000027f3bcb5e667ba8a1796b",
    ),
]


@pytest.mark.parametrize(("parameters", "roc", "mki", "plain", "protected"), SRTP_PACKETS)
def test_srtp_packets(parameters: SrtpParameters, roc: int, mki: bytes, plain: bytes, protected: str) -> None:
    keys = SrtpKeys(parameters, MASTER_KEY, MASTER_SALT)
    packet = hexa(protected)
    assert keys.protect_srtp(plain, roc, mki) == packet
    assert keys.verify_srtp(packet, roc)
    assert keys.open_srtp(packet, roc) == plain
    assert keys.find_roc(packet, range(5)) == roc
    assert not keys.verify_srtp(packet, roc + 1)
    assert keys.open_srtp(packet, roc + 1) is None


@pytest.mark.parametrize(("parameters", "index", "encrypted", "mki", "plain", "protected"), SRTCP_PACKETS)
def test_srtcp_packets(
    parameters: SrtpParameters, index: int, encrypted: bool, mki: bytes, plain: bytes, protected: str
) -> None:
    keys = SrtpKeys(parameters, MASTER_KEY, MASTER_SALT)
    packet = hexa(protected)
    assert keys.protect_srtcp(plain, index, encrypted=encrypted, mki=mki) == packet
    assert keys.verify_srtcp(packet)
    assert keys.open_srtcp(packet) == plain
    assert keys.srtcp_index(packet) == (encrypted, index)


def test_the_same_index_twice_shows_the_difference_of_the_plain_texts() -> None:
    keys = SrtpKeys(CM_80, MASTER_KEY, MASTER_SALT)
    first = keys.protect_srtp(RTP, 0)[12:28]
    second = keys.protect_srtp(RTP[:12] + bytes(range(16)), 0)[12:28]
    assert first.hex() == "4e55dc4ce79978d88ca4d215949d2402"
    assert second.hex() == "e5ff75e44837d5742f0673b5333b81a6"
    difference = bytes(a ^ b for a, b in zip(first, second, strict=True))
    assert difference.hex() == "abaaa9a8afaeadaca3a2a1a0a7a6a5a4"


# AES-GCM with session keys given (RFC 7714 §16, §17)

GCM_SALT = b"Quid pro quo"
GCM_RTP = hexa("8040f17b8041f8d35501a0b2") + b"Gallia est omnis divisa in partes tres"
GCM_RTCP = hexa("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61") + hexa("deadbeef") * 5


def _gcm(octets: int, *, encrypt_srtp: bool = True) -> AeadTransform:
    parameters = SrtpParameters("AES-GCM", octets, 12, 16, 16, encrypt_srtp=encrypt_srtp)
    return AeadTransform(parameters, SessionKeys(bytes(range(octets)), b"", GCM_SALT))


def test_the_initial_vectors_of_gcm() -> None:
    assert gcm_nonce(GCM_SALT, 0x5501A0B2, 0xF17B).hex() == "51753c6580c2726f20718414"
    assert gcm_nonce(GCM_SALT, 0x4D617273, 0x5D4).hex() == "517524055203726f207170bb"


@pytest.mark.parametrize(
    ("octets", "sealed"),
    [
        (
            16,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
            "899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            32,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
            "7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ],
)
def test_gcm_of_an_rtp_packet(octets: int, sealed: str) -> None:
    transform = _gcm(octets)
    content = GCM_RTP[:12] + hexa(sealed)
    assert transform.protect_srtp(GCM_RTP, 0) == content
    assert transform.verify_srtp(SrtpParts(content, 0, b""))
    assert transform.open_srtp(SrtpParts(content, 0, b""), check=True) == GCM_RTP
    assert transform.open_srtp(SrtpParts(content, 0, b""), check=False) == GCM_RTP
    assert transform.open_srtp(SrtpParts(content, 1, b""), check=True) is None


@pytest.mark.parametrize(
    ("octets", "tag"), [(16, "22493f82d2bce397e9d79e3b19aa4216"), (32, "a866d5910f887463067ceefec45215d4")]
)
def test_gcm_of_an_rtp_packet_that_is_only_authenticated(octets: int, tag: str) -> None:
    transform = _gcm(octets, encrypt_srtp=False)
    assert transform.protect_srtp(GCM_RTP, 0) == GCM_RTP + hexa(tag)
    assert transform.open_srtp(SrtpParts(GCM_RTP + hexa(tag), 0, b""), check=True) == GCM_RTP


@pytest.mark.parametrize(
    ("octets", "word", "protected"),
    [
        (
            16,
            "800005d4",
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded"
            "0bb9275bc84aa45896cf4d2fc5abf87245d9eade",
        ),
        (
            32,
            "800005d4",
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047"
            "6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be",
        ),
        (16, "000005d4", GCM_RTCP.hex() + "841dd9683dd78ec92ae58790125f62b3"),
        (32, "000005d4", GCM_RTCP.hex() + "91db4afbfeee5a978fab4393ed2615fe"),
    ],
)
def test_gcm_of_an_rtcp_packet(octets: int, word: str, protected: str) -> None:
    # The packet's own length field is wrong in RFC 7714 (56 octets, it has 52); nothing here depends on it.
    transform = _gcm(octets)
    assert transform.protect_srtcp(GCM_RTCP, hexa(word)) == hexa(protected)
    parts = SrtcpParts(hexa(protected), hexa(word), b"")
    assert transform.verify_srtcp(parts)
    assert transform.open_srtcp(parts, check=True) == GCM_RTCP
    assert transform.open_srtcp(parts, check=False) == GCM_RTCP
    assert transform.open_srtcp(parts._replace(word=hexa("800005d5")), check=True) is None


# AES-GCM with the key derivation: the salt of 96 bits gets zeros at its right


def test_gcm_with_a_master_key() -> None:
    key, salt = bytes(range(16)), bytes(range(0xA0, 0xAC))
    derived = session_keys(GCM_128, key, salt, rtcp=False)
    assert (derived.encryption.hex(), derived.salt.hex()) == (
        "077c6143cb221bc355ff23d5f984a16e",
        "9af3e95364ebac9c99c5a7c4",
    )
    keys = SrtpKeys(GCM_128, key, salt)
    srtp = hexa("800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392")
    srtcp = hexa("81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001")
    assert keys.protect_srtp(RTP, 0) == srtp
    assert keys.open_srtp(srtp, 0) == RTP
    assert keys.find_roc(srtp, [3, 2, 1, 0]) == 0
    assert keys.protect_srtcp(RTCP, 1) == srtcp
    assert keys.open_srtcp(srtcp) == RTCP
    assert keys.srtcp_index(srtcp) == (True, 1)

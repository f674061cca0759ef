"""SRTP and SRTCP without keys: where header, encrypted portion, index, MKI and tag stand, by suite; one packet told."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest

from dissectors.binary import notes
from dissectors.rtp.layers import RTCP, SRTCP, SRTP, ReducedSizeRTCP, srtcp_layer, srtp_layer
from dissectors.rtp.media.layers import HeaderExtension
from dissectors.rtp.rtcp.layers import RR, EncryptedRTCP
from dissectors.rtp.srtp.layers import AeadSRTCP, AeadSRTP, UnencryptedSRTP
from dissectors.rtp.srtp.layout import Protection, Trailer, rtcp_protection
from dissectors.sdp.suites import DTLS_SRTP_PROFILES, SDES_ALIASES, SDES_SUITES
from dissectors.tree import tree

CM_80, CM_32, GCM = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"
NULL = "SRTP_NULL_HMAC_SHA1_80"

# Packets of RFC 3711 and RFC 7714 suites as the fact sheet gives them, §11.4 and §11.5.
HEADER = "800f1234decafbadcafebabe"
BODY = "4e55dc4ce79978d88ca4d215949d2402"
TAG = "b78d6acc99ea179b8dbb"
RR_PLAIN = "81c90007cafebabedecafbad000000000000000100000000000000000000000a"
RR_ENCRYPTED = "81c90007cafebabe0449535d4f2c121615533beb52dc0e037e44132ac1142d2d800000011c04bb4587d6daab8569"
RR_CLEAR = RR_PLAIN + "00000001" + "8f2cf20d3741841c70cd"
RR_MKI = RR_ENCRYPTED[:72] + "00000001" + RR_ENCRYPTED[72:]
RR_SDES = "80c90001cafebabe81ca0004cafebabe01066140622e636400000000"
RR_SDES_ENCRYPTED = "80c90001cafebabe48789f45fe2d9dcf7838794edb5d749094f096b7800000027f3bcb5e667ba8a1796b"
SR_ENCRYPTED = "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"
SR_CLEAR = "81c8000bcafebabe" + "ab" * 16 + "00000001fe88c7fdfd37ebce615d"
GCM_RTP = "8040f17b8041f8d35501a0b2"
GCM_128 = "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"
GCM_256 = "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"
GCM_RTCP = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61" + "deadbeef" * 5
GCM_RTCP_128 = (
    "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b"
    "c84aa45896cf4d2fc5abf87245d9eade800005d4"
)
GCM_RTCP_256 = (
    "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad"
    "1d1eb30c4446839f57ff6f6cb26ac3be800005d4"
)
GCM_KDF_RTP = "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392"
GCM_KDF_RTCP = "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001"


def read(layer: type, octets: str) -> Any:
    """A packet from hexadecimal digits, which it gives back."""
    data = bytes.fromhex(octets)
    packet = layer(data)
    packet.raw_packet_cache = None
    assert bytes(packet) == data
    return packet


@pytest.mark.parametrize(
    ("layer", "octets", "body", "mki", "tag"),
    [
        (srtp_layer(CM_80), HEADER + BODY + TAG, BODY, "", TAG),
        (srtp_layer(CM_32), HEADER + BODY + TAG[:8], BODY, "", TAG[:8]),
        (srtp_layer(CM_80, 4), HEADER + BODY + "00000001" + TAG, BODY, "00000001", TAG),
        (srtp_layer(CM_80, unauthenticated=True), HEADER + BODY, BODY, "", ""),
        (srtp_layer(CM_80, 4, unauthenticated=True), HEADER + BODY + "00000001", BODY, "00000001", ""),
        (srtp_layer(GCM), GCM_RTP + GCM_128, GCM_128[:76], "", GCM_128[76:]),
        (srtp_layer("AEAD_AES_256_GCM"), GCM_RTP + GCM_256, GCM_256[:76], "", GCM_256[76:]),
        (srtp_layer(GCM, 4), GCM_RTP + GCM_128 + "00000001", GCM_128[:76], "00000001", GCM_128[76:]),
        (srtp_layer(GCM), GCM_KDF_RTP, GCM_KDF_RTP[24:56], "", GCM_KDF_RTP[56:]),
    ],
)
def test_srtp_packets_of_the_fact_sheet(layer: type, octets: str, body: str, mki: str, tag: str) -> None:
    packet = read(layer, octets)
    assert (packet.version, packet.padding, packet.SSRC) == (2, 0, int(octets[16:24], 16))
    assert packet.encrypted_portion.hex() == body
    assert packet.MKI.hex() == mki
    assert packet.authentication_tag.hex() == tag
    assert notes(packet) == []


def test_srtp_in_clear_shows_payload_and_padding() -> None:
    packet = read(srtp_layer(CM_80, unencrypted=True), "a" + HEADER[1:] + "abcd" + "000003" + TAG)
    assert (bytes(packet.rtp_payload), packet.padding_octets) == (b"\xab\xcd", b"\x00\x00\x03")
    assert packet.authentication_tag.hex() == TAG
    assert notes(packet) == []
    assert issubclass(srtp_layer(NULL), UnencryptedSRTP)
    assert issubclass(srtp_layer(GCM, unencrypted=True), AeadSRTP)


def test_srtp_has_csrcs_and_a_header_extension_as_rtp_has() -> None:
    packet = read(SRTP, "910f1234decafbadcafebabe" + "00000007" + "bede0001 10aa0000".replace(" ", "") + BODY + TAG)
    assert packet.CSRC == [7]
    assert isinstance(packet.header_extension, HeaderExtension)
    assert packet.encrypted_portion.hex() == BODY


@pytest.mark.parametrize("octets", [HEADER, HEADER + "aabb", HEADER + TAG[:-2]])
def test_srtp_without_room_for_its_tag_is_said(octets: str) -> None:
    there = len(octets) // 2 - 12
    assert notes(read(SRTP, octets)) == [f"SRTP at 0: authentication_tag has {there} octets, not 10"]


@pytest.mark.parametrize(
    ("layer", "octets", "end", "index", "mki", "tag"),
    [
        (SRTCP, SR_ENCRYPTED, 24, 1, "", SR_ENCRYPTED[56:]),
        (SRTCP, RR_ENCRYPTED, 32, 1, "", RR_ENCRYPTED[72:]),
        (srtcp_layer(CM_32), RR_ENCRYPTED, 32, 1, "", RR_ENCRYPTED[72:]),
        (srtcp_layer(CM_80, 4), RR_MKI, 32, 1, "00000001", RR_ENCRYPTED[72:]),
        (SRTCP, RR_SDES_ENCRYPTED, 28, 2, "", RR_SDES_ENCRYPTED[64:]),
        (srtcp_layer(GCM), GCM_RTCP_128, 52, 0x5D4, "", GCM_RTCP_128[104:136]),
        (srtcp_layer(GCM), GCM_RTCP_256, 52, 0x5D4, "", GCM_RTCP_256[104:136]),
        (srtcp_layer(GCM, 4), GCM_RTCP_128 + "00000001", 52, 0x5D4, "00000001", GCM_RTCP_128[104:136]),
        (srtcp_layer(GCM), GCM_KDF_RTCP, 24, 1, "", GCM_KDF_RTCP[48:80]),
    ],
)
def test_encrypted_srtcp_packets_of_the_fact_sheet(
    layer: type, octets: str, end: int, index: int, mki: str, tag: str
) -> None:
    packet = read(layer, octets)
    assert isinstance(packet.compound, EncryptedRTCP)
    assert (packet.compound.packet_type, packet.compound.SSRC) == (int(octets[2:4], 16), int(octets[8:16], 16))
    assert packet.compound.encrypted_portion.hex() == octets[16 : 2 * end]
    assert (packet.E, packet.SRTCP_index) == (1, index)
    assert packet.MKI.hex() == mki
    assert packet.authentication_tag.hex() == tag
    # Two vectors carry a wrong length field of the first packet.
    wrong = 4 * (int(octets[4:8], 16) + 1) > end
    assert len(notes(packet)) == wrong
    assert all("length of the first packet says" in note for note in notes(packet))


@pytest.mark.parametrize(
    ("layer", "octets", "plain", "index", "tag"),
    [
        (SRTCP, RR_CLEAR, RR_PLAIN, 1, RR_CLEAR[72:]),
        (SRTCP, SR_CLEAR, SR_CLEAR[:48], 1, SR_CLEAR[56:]),
        (
            srtcp_layer(GCM),
            GCM_RTCP + "841dd9683dd78ec92ae58790125f62b3000005d4",
            GCM_RTCP,
            0x5D4,
            "841dd9683dd78ec92ae58790125f62b3",
        ),
        (
            srtcp_layer("AEAD_AES_256_GCM"),
            GCM_RTCP + "91db4afbfeee5a978fab4393ed2615fe000005d4",
            GCM_RTCP,
            0x5D4,
            "91db4afbfeee5a978fab4393ed2615fe",
        ),
    ],
)
def test_srtcp_with_the_e_bit_clear_shows_its_compound(
    layer: type, octets: str, plain: str, index: int, tag: str
) -> None:
    packet = read(layer, octets)
    assert type(packet.compound) is RTCP
    assert bytes(packet.compound).hex() == plain
    assert packet.compound.packets[0].packet_type == int(plain[2:4], 16)
    assert (packet.E, packet.SRTCP_index, packet.authentication_tag.hex()) == (0, index, tag)
    assert "not encrypted" in packet.show(dump=True)


def test_unencrypted_srtcp_of_a_reduced_size_compound() -> None:
    nack = "81cd0003" + "00000001" + "00000002" + "00640000"
    packet = read(SRTCP, nack + "00000005" + TAG)
    assert isinstance(packet.compound, ReducedSizeRTCP)
    assert packet.compound.packets[0].FCI[0].PID == 100
    assert notes(packet) == []


def test_the_null_cipher_leaves_the_compound_in_clear_whatever_the_e_bit_says() -> None:
    packet = read(srtcp_layer(NULL), RR_PLAIN + "80000001" + TAG)
    assert isinstance(packet.compound.packets[0], RR)
    assert packet.E == 1


def test_srtcp_without_room_for_its_trailer_is_said() -> None:
    assert "SRTCP E at 13 is missing" in notes(read(SRTCP, RR_ENCRYPTED[:26]))
    assert notes(read(SRTCP, "80000001" + TAG)) == ["SRTCP at 0: there is no RTCP packet before the index"]


def test_offsets_in_the_tree_are_those_of_the_octets() -> None:
    packet = srtcp_layer(GCM, 4)(bytes.fromhex(GCM_RTCP_128 + "00000001"))
    shown = {node.name: (node.offset, node.length) for node in tree(packet).walk()}
    assert shown["encrypted_portion"] == (8, 44)
    assert shown["authentication_tag"] == (52, 16)
    assert shown["SRTCP_index"] == (68, 4)
    assert shown["MKI"] == (72, 4)
    assert tree(packet).clause.startswith("RFC 7714 §9")
    packet = srtp_layer(CM_80, 4)(bytes.fromhex(HEADER + BODY + "00000001" + TAG))
    shown = {node.name: (node.offset, node.length) for node in tree(packet).walk()}
    assert (shown["MKI"], shown["authentication_tag"]) == ((28, 4), (32, 10))


ALL_SUITES = [*SDES_SUITES, *SDES_ALIASES, *(profile.name for profile in DTLS_SRTP_PROFILES.values())]


@pytest.mark.parametrize("name", ALL_SUITES)
@pytest.mark.parametrize("mki", [0, 1, 128])
def test_every_suite_has_its_layers(name: str, mki: int) -> None:
    suite = SDES_SUITES.get(SDES_ALIASES.get(name, name)) or next(
        profile for profile in DTLS_SRTP_PROFILES.values() if profile.name == name
    )
    body, end = bytes(range(20)), bytes(range(200))
    srtp = srtp_layer(name, mki)(bytes.fromhex(HEADER) + body + end[: mki + suite.srtp_tag])
    inner = srtp.rtp_payload if suite.null else srtp.encrypted_portion
    assert bytes(inner) == body
    assert (len(srtp.MKI), len(srtp.authentication_tag)) == (mki, suite.srtp_tag)
    assert (srtp.authentication_tag + srtp.MKI if suite.aead else srtp.MKI + srtp.authentication_tag) == end[
        : mki + suite.srtp_tag
    ]
    assert notes(srtp) == []
    trailer = b"\x80\x00\x00\x07"
    trailer = end[: suite.srtcp_tag] + trailer + end[:mki] if suite.aead else trailer + end[: mki + suite.srtcp_tag]
    srtcp = srtcp_layer(name, mki)(bytes.fromhex(RR_PLAIN) + trailer)
    assert (srtcp.E, srtcp.SRTCP_index) == (1, 7)
    assert (len(srtcp.MKI), len(srtcp.authentication_tag)) == (mki, suite.srtcp_tag)
    assert isinstance(srtcp.compound, RTCP if suite.null else EncryptedRTCP)
    assert isinstance(srtcp, AeadSRTCP) == suite.aead
    assert notes(srtcp) == []


def test_a_suite_that_is_unknown_and_an_mki_that_is_too_long_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown SRTP suite ROT13"):
        srtp_layer("ROT13")
    with pytest.raises(ValueError, match="0 to 128 octets"):
        srtcp_layer(CM_80, 129)


def test_srtp_and_srtcp_are_built() -> None:
    packet = SRTP(sequence_number=1, SSRC=2, encrypted_portion=b"\xaa", authentication_tag=bytes(10))
    assert bytes(packet).hex() == "80000001" + "00000000" + "00000002" + "aa" + "00" * 10
    built = srtcp_layer(GCM)(compound=RTCP(packets=[RR(SSRC=1)]), E=0, SRTCP_index=3, authentication_tag=bytes(16))
    assert bytes(built).hex() == "80c9000100000001" + "00" * 16 + "00000003"
    assert bytes(SRTCP(compound=EncryptedRTCP(SSRC=1), SRTCP_index=3)).hex() == "80c900010000000180000003"


HMAC_80, HMAC_32, AEAD = (Trailer(10, 0, False, True), Trailer(4, 0, False, True), Trailer(16, 0, True, True))


@pytest.mark.parametrize(
    ("octets", "protection", "trailer"),
    [
        (RR_PLAIN, Protection.PLAIN, None),
        (RR_SDES, Protection.PLAIN, None),
        (RR_ENCRYPTED, Protection.ENCRYPTED_SRTCP, HMAC_80),
        (RR_MKI, Protection.ENCRYPTED_SRTCP, Trailer(10, 4, False, True)),
        (RR_SDES_ENCRYPTED, Protection.ENCRYPTED_SRTCP, HMAC_80),
        (RR_CLEAR, Protection.UNENCRYPTED_SRTCP, HMAC_80),
        (RR_SDES + "00000001" + TAG, Protection.UNENCRYPTED_SRTCP, HMAC_80),
        (RR_SDES + "80000001" + TAG, Protection.UNENCRYPTED_SRTCP, HMAC_80),
        (RR_PLAIN + "00000001" + TAG[:8], Protection.UNENCRYPTED_SRTCP, HMAC_32),
        (RR_PLAIN + GCM_128[:32] + "00000001", Protection.UNENCRYPTED_SRTCP, AEAD),
        (RR_PLAIN[:16] + GCM_128[:48] + GCM_128[:32] + "80000007", Protection.ENCRYPTED_SRTCP, AEAD),
        (RR_PLAIN + "00000001", Protection.AMBIGUOUS, Trailer(0, 0, False, True)),
        (RR_PLAIN + "00", Protection.AMBIGUOUS, None),
        (RR_ENCRYPTED[:64] + "ffffffff" + TAG, Protection.AMBIGUOUS, HMAC_80),
        (SR_ENCRYPTED, Protection.AMBIGUOUS, None),
        (GCM_RTCP, Protection.AMBIGUOUS, None),
        (GCM_RTCP_128, Protection.AMBIGUOUS, None),
        (HEADER + BODY, Protection.NOT_RTCP, None),
        ("80c90001", Protection.NOT_RTCP, None),
        ("", Protection.NOT_RTCP, None),
        ("00010000" + "2112a442", Protection.NOT_RTCP, None),
    ],
)
def test_one_packet_tells_its_protection_or_that_it_cannot(
    octets: str, protection: Protection, trailer: Trailer | None
) -> None:
    verdict = rtcp_protection(bytes.fromhex(octets))
    assert verdict.protection is protection
    assert verdict.reason
    if trailer is None:
        assert verdict.trailers == () or protection is Protection.AMBIGUOUS
    else:
        assert trailer in verdict.trailers


LAYERS = [
    srtp_layer(CM_32),
    srtp_layer(CM_80, 4, unencrypted=True),
    srtp_layer(GCM, 2),
    srtcp_layer(CM_80, 4),
    srtcp_layer(GCM),
    srtcp_layer(NULL),
]


def test_a_layer_is_the_same_for_the_same_lengths_and_no_other() -> None:
    assert srtp_layer(CM_32) is LAYERS[0]
    assert srtp_layer(CM_80, 4) is not srtp_layer(CM_80, 8)
    assert len(set(LAYERS)) == len(LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_of_a_suite_and_their_packets_are_pickled(layer: type) -> None:
    packet = layer(bytes.fromhex(RR_SDES_ENCRYPTED))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(layer, protocol)) is layer
        again = pickle.loads(pickle.dumps(packet, protocol))
        assert type(again) is layer
        assert (bytes(again), again) == (bytes(packet), packet)


def test_a_process_that_never_made_a_layer_unpickles_its_packets() -> None:
    code = """
import pickle, sys
packet = pickle.load(sys.stdin.buffer)
print(packet.name, bytes(packet).hex(), packet.authentication_tag.hex())
"""
    for layer in LAYERS:
        packet: Any = layer(bytes.fromhex(RR_SDES_ENCRYPTED))
        told = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(packet), capture_output=True, check=True)
        assert told.stdout.decode().strip() == f"{packet.name} {RR_SDES_ENCRYPTED} {packet.authentication_tag.hex()}"


def test_layouts_can_be_told_without_scapy() -> None:
    code = "import sys, dissectors.rtp.srtp.layout; sys.exit('scapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

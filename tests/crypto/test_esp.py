"""ESP under keys: printed vectors, what Scapy's own IPsec seals, every algorithm there and back, and hostile octets."""

from __future__ import annotations

import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.packet import Raw

from imsinspect.crypto.esp import ENCRYPTION, INTEGRITY, EspContent, EspParameters, open_packet, verifies
from tests.crypto.esp_seal import HASHES, Seal, octets

PAYLOAD = struct.pack("!HHHH", 5060, 5062, 8 + 30, 0) + b"ACK sip:bob@lab SIP/2.0\r\n\r\n.."

RFC_3602 = (
    (
        "90d382b410eeba7ad938c46cec1a82bf",
        "00004321 00000001 e96e8c08ab465763fd098d45dd3ff893"
        "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856"
        "a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6",
        1,
        "08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f1011121314151617"
        "18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
    ),
    (
        "90d382b410eeba7ad938c46cec1a82bf",
        "00004321 00000008 69d08df7d203329db093fc4924e5bd80"
        "f51995881ec4e0c4488987ce742e8109689bb379d2d750c0d915dca346a89f75",
        1,
        "0800b5e8a80a0500a69c083d0b660e00777777777777777777777777",
    ),
    (
        "0123456789abcdef0123456789abcdef",
        "00008765 00000002 f4e765244f6407adf13dc1380f673f37"
        "773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8e4ecaec78ac53aad7a0f022b859243c6"
        "47752e94a859352b8a4d4d2decd136e5c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d",
        4,
        "45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a20400"
        "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
    ),
    (
        "0123456789abcdef0123456789abcdef",
        "00008765 00000005 85d47224b5f3dd5d2101d4ea8dffab22"
        "15b92683819596a8047232cc00f7048fe45318e11f8a0f62ede3c3fc61203bb50f980a08c9843fd3a1b06d5c07ff9639"
        "b7eb7dfb3512e5de435e7207ed971ef3d2726d9b5ef6affc6d17a0decbb13892",
        4,
        "45000044090c00004001f990c0a87b03c0a87bc80800d63caa0a0200c69c083da3de0300"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ),
)
"""Key, packet, next header and payload of cases 5 to 8."""


@pytest.mark.parametrize(("key", "packet", "next_header", "payload"), RFC_3602)
def test_the_packets_of_rfc_3602_open(key, packet, next_header, payload):
    found = open_packet(EspParameters("aes-cbc", bytes.fromhex(key)), bytes.fromhex(packet))
    assert found == EspContent(next_header, bytes.fromhex(payload), False)


def test_the_packet_with_an_extended_sequence_number_of_the_gcm_test_cases_opens_under_its_upper_half_only():
    """draft-mcgrew-gcm-test-01 §4, first case: AES-GCM with 128 bits, sequence number 0x8765432100000000."""
    keys = EspParameters("aes-gcm", bytes.fromhex("4c80cdefbb5d10da906ac73c3613a634 2e443b68"))
    packet = bytes.fromhex(
        "00004321 00000000 4956ed7e3b244cfe"
        "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1f4a13c5d"
        "15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732 459018148f6cbe722fd04796562dfdb4"
    )
    plain = bytes.fromhex(
        "45000048699a000080114db7c0a80102c0a801010a9bf15638d3010000010000"
        "00000000045f736970045f756470037369700963796265726369747902646b0000210001"
    )
    assert open_packet(keys, packet, (0x87654321,)) == EspContent(1, plain, True, 0x87654321)
    assert verifies(keys, packet, 0x87654321)
    assert open_packet(keys, packet) is None
    assert not verifies(keys, packet)


def test_the_packet_of_the_gcm_test_cases_with_192_bits_opens():
    """draft-mcgrew-gcm-test-01 §4, the case with SPI 0xa5f8 and a key of 24 octets."""
    keys = EspParameters("aes-gcm", bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731ccafebabe"))
    packet = bytes.fromhex(
        "0000a5f8 0000000a facedbaddecaf888"
        "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77"
        "95457b9652037f5318027b5b4cd7a636"
    )
    plain = bytes.fromhex("45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d07568")
    found = open_packet(keys, packet)
    assert found is not None
    assert (found.payload, found.next_header, found.verified) == (plain, 1, True)


SAMPLE = "0000100100000001 13c613c8000caa310d0a0d0a 01020211 b383dac941dad1a3edab3ead"


@pytest.mark.parametrize("name", ["hmac-sha1-96", "hmac-sha-1-96"])
def test_a_packet_with_null_encryption_verifies_with_its_key(name):
    """capture-formats.md §9: the HMAC covers SPI to next header, its key is 00 to 13."""
    packet = bytes.fromhex(SAMPLE)
    keys = EspParameters(integrity=name, integrity_key=bytes(range(20)))
    assert open_packet(keys, packet) == EspContent(17, packet[8:20], True)
    for bit in range(len(packet) * 8):
        flipped = bytearray(packet)
        flipped[bit // 8] ^= 1 << bit % 8
        assert open_packet(keys, bytes(flipped)) is None, bit


def test_ik_and_ck_as_aka_gives_them_are_keys_too():
    """TS 33.203 Annex I: IK of 128 bits is filled up with zeros for SHA-1; of CK, 3DES takes CK1, CK2, CK1."""
    ck, ik = octets("ck", 16), octets("ik", 16)
    whole = EspParameters("des-ede3-cbc", ck + ck[:8], "hmac-sha-1-96", ik + bytes(4))
    sender = Seal(9, "des-ede3-cbc", "hmac-sha-1-96")
    sender.key, sender.integrity_key = whole.encryption_key, whole.integrity_key
    packet = sender.packet(PAYLOAD)
    short = EspParameters("des-ede3-cbc", ck, "hmac-sha-1-96", ik)
    assert open_packet(short, packet) == open_packet(whole, packet) == EspContent(17, PAYLOAD, True)


# --- what Scapy seals -----------------------------------------------------------------------------

SCAPY = [
    ("aes-cbc", "AES-CBC", 16, "hmac-sha1-96", "HMAC-SHA1-96", 20),
    ("aes-cbc", "AES-CBC", 32, "hmac-sha256-128", "SHA2-256-128", 32),
    ("aes-cbc", "AES-CBC", 24, "hmac-sha384-192", "SHA2-384-192", 48),
    ("des-ede3-cbc", "3DES", 24, "hmac-md5-96", "HMAC-MD5-96", 16),
    ("aes-ctr", "AES-CTR", 20, "hmac-sha512-256", "SHA2-512-256", 64),
    ("aes-gcm", "AES-GCM", 20, "", "NULL", 0),
    ("aes-gcm", "AES-GCM", 36, "", "NULL", 0),
    ("null", "NULL", 0, "hmac-sha-1-96", "HMAC-SHA1-96", 20),
    ("null", "AES-NULL-GMAC", 0, "aes-gmac", "NULL", 20),
]


@pytest.mark.parametrize("high", [None, 0, 7])
@pytest.mark.parametrize(("ours", "theirs", "key_octets", "integrity", "auth", "integrity_octets"), SCAPY)
def test_what_scapy_seals_opens(ours, theirs, key_octets, integrity, auth, integrity_octets, high):
    key, other = octets("key", key_octets), octets("integrity", integrity_octets)
    gmac = integrity == "aes-gmac"
    sender = SecurityAssociation(
        ESP, spi=0x221, seq_num=5, crypt_algo=theirs, crypt_key=other if gmac else key or None, auth_algo=auth,
        auth_key=None if gmac else other or None, esn_en=high is not None, esn=high or 0,
    )  # fmt: skip
    inner = IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=5060, dport=5062) / Raw(PAYLOAD)
    sealed = bytes(sender.encrypt(inner)[ESP])
    keys = EspParameters(ours, key, integrity, other)
    found = open_packet(keys, sealed, (None, 0, 7))
    assert found is not None
    assert (found.payload[8:], found.next_header, found.verified, found.sequence_high) == (PAYLOAD, 17, True, high)
    assert verifies(keys, sealed, high)


@pytest.mark.parametrize("tag_octets", [8, 12])
def test_gcm_with_shorter_tags_opens(tag_octets):
    """A shorter tag is the beginning of the whole one (SP 800-38D §5.2.1.2)."""
    sender = Seal(3, "aes-gcm", "")
    sealed = sender.packet(PAYLOAD)[: tag_octets - 16]
    keys = EspParameters(f"aes-gcm-{tag_octets}", sender.key)
    assert open_packet(keys, sealed) == EspContent(17, PAYLOAD, True)
    assert open_packet(keys, sealed[:-1] + bytes((sealed[-1] ^ 1,))) is None


# --- there and back -------------------------------------------------------------------------------

PAIRS = [
    *((encryption, check) for encryption in ("null", "aes-cbc", "des-ede3-cbc", "aes-ctr") for check in ("", *HASHES)),
    ("aes-gcm", ""),
    ("null", "aes-gmac"),
]


def keys_of(sender: Seal) -> EspParameters:
    """The sender's keys."""
    return EspParameters(sender.encryption, sender.key, sender.integrity, sender.integrity_key)


@pytest.mark.parametrize(("encryption", "check"), PAIRS)
@given(payload=st.binary(max_size=80), next_header=st.integers(0, 255))
def test_every_pair_of_algorithms_opens_what_it_sealed(encryption, check, payload, next_header):
    sender = Seal(7, encryption, check)
    packet = sender.packet(payload, next_header)
    authenticates = bool(check) or encryption == "aes-gcm"
    assert open_packet(keys_of(sender), packet) == EspContent(next_header, payload, authenticates)


@pytest.mark.parametrize(("encryption", "check"), [pair for pair in PAIRS if pair[1] or pair[0] == "aes-gcm"])
@given(bit=st.integers(0, 8 * 60 - 1))
def test_one_flipped_bit_is_not_authentic(encryption, check, bit):
    sender = Seal(7, encryption, check)
    packet = bytearray(sender.packet(PAYLOAD))
    bit %= len(packet) * 8
    packet[bit // 8] ^= 1 << bit % 8
    assert open_packet(keys_of(sender), bytes(packet)) is None


@pytest.mark.parametrize(("encryption", "check"), PAIRS)
@given(data=st.binary(max_size=120))
def test_octets_of_any_kind_raise_nothing(encryption, check, data):
    keys = keys_of(Seal(7, encryption, check))
    found = open_packet(keys, data)
    assert found is None or not found.verified
    assert not verifies(keys, data)


@pytest.mark.parametrize(("encryption", "check"), PAIRS)
def test_every_shorter_packet_raises_nothing(encryption, check):
    sender = Seal(7, encryption, check)
    packet = sender.packet(PAYLOAD)
    for length in range(len(packet)):
        found = open_packet(keys_of(sender), packet[:length])
        assert found is None or not found.verified


def test_padding_that_is_not_counted_up_is_taken_where_the_packet_is_authentic():
    """RFC 4303 §2.4 wants 1, 2, 3 …; without integrity it is all that tells right from wrong keys."""
    for check, opened in (("hmac-sha-1-96", True), ("", False)):
        sender = Seal(7, "aes-cbc", check)
        fill = -(len(PAYLOAD) + 2) % 16
        found = open_packet(keys_of(sender), sender.packet(PAYLOAD, padding=b"\xaa" * fill))
        assert found == (EspContent(17, PAYLOAD, True) if opened else None)


def test_an_authentic_packet_without_room_for_its_padding_has_no_content():
    keys = keys_of(Seal(7, "null", "hmac-md5-96"))
    packet = bytes.fromhex("00000007 00000001 6162 63 11")
    sealed = packet + hmac.new(keys.integrity_key, packet, "md5").digest()[:12]
    assert open_packet(keys, sealed) == EspContent(None, b"", True)


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("aes-cbc", bytes(15)), "15 octets"),
        (("aes-gcm", bytes(16)), "16 octets"),
        (("des", bytes(8)), "encryption is none of"),
        (("null", b"", "hmac-sha2", bytes(32)), "integrity is none of"),
        (("null", b"", "hmac-sha256-128", bytes(20)), "20 octets"),
        (("null", b"", "", bytes(20)), "of no algorithm"),
        (("aes-gcm", bytes(20), "hmac-sha1-96", bytes(20)), "does not go with"),
        (("aes-cbc", bytes(16), "aes-gmac", bytes(20)), "does not go with"),
    ],
)
def test_what_does_not_fit_together_is_refused_without_naming_keys(arguments, says):
    with pytest.raises(ValueError, match=says) as raised:
        EspParameters(*arguments)
    assert "\\x" not in str(raised.value)


def test_keys_are_in_no_text_of_the_parameters():
    keys = EspParameters("aes-cbc", b"secret secret 16", "hmac-md5-96", b"another secret16")
    assert "secret" not in repr(keys)
    assert len(keys.digest) == 64


def test_every_algorithm_has_a_key_that_is_accepted():
    for name, row in ENCRYPTION.items():
        for size in row.key_octets:
            EspParameters(name, bytes(size + (row.salt_octets if size else 0)))
    for name, check in INTEGRITY.items():
        for size in check.key_octets:
            EspParameters(integrity=name, integrity_key=bytes(size + check.salt_octets))

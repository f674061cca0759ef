"""SRTP and SRTCP under a master key: flipped bits, the place of the MKI, carried rollover counters, limits."""

from __future__ import annotations

import hmac
from dataclasses import replace

import pytest

from imsinspect.crypto import srtp as module
from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters, header_octets, hmac_states, session_keys
from imsinspect.crypto.srtp_ciphers import f8_mode

hexa = bytes.fromhex

CM_80 = SrtpParameters("AES-CM", 16, 14, 10, 10)
CM_32 = SrtpParameters("AES-CM", 16, 14, 4, 10)
F8_80 = SrtpParameters("AES-f8", 16, 14, 10, 10)
NULL_80 = SrtpParameters("NULL", 16, 14, 10, 10)
GCM_128 = SrtpParameters("AES-GCM", 16, 12, 16, 16)

SETS = {
    "AES-CM 128, 80": CM_80,
    "AES-CM 128, 32": CM_32,
    "AES-CM 192, 80": SrtpParameters("AES-CM", 24, 14, 10, 10),
    "AES-CM 256, 32": SrtpParameters("AES-CM", 32, 14, 4, 10),
    "AES-CM with MKI": replace(CM_80, mki_octets=4),
    "AES-CM, SRTCP tag of 32 bits": replace(CM_32, srtcp_tag_octets=4),
    "AES-f8": F8_80,
    "NULL": NULL_80,
    "UNENCRYPTED_SRTP": replace(CM_80, encrypt_srtp=False),
    "KDR": replace(CM_80, key_derivation_rate=16),
    "AES-GCM 128": GCM_128,
    "AES-GCM 256": SrtpParameters("AES-GCM", 32, 12, 16, 16),
    "AES-GCM with MKI": replace(GCM_128, mki_octets=2),
}

# CSRC, an extension, padding: every part of a header.
RTP = hexa("b2e51234decafbadcafebabe 00000001 00000002 bede0001 10ff0000") + b"\xab" * 21 + b"\0\0\3"
RTCP = hexa("80c90001cafebabe81ca0004cafebabe01066140622e636400000000")
HEADER = 28
ROC = 3


def keys_of(parameters: SrtpParameters, fill: int = 1) -> SrtpKeys:
    return SrtpKeys(parameters, bytes([fill]) * parameters.key_octets, bytes([fill + 1]) * parameters.salt_octets)


def mki_of(parameters: SrtpParameters) -> bytes:
    return bytes(range(parameters.mki_octets))


def flips(packet: bytes) -> list[tuple[int, bytes]]:
    """The packet with each of its bits turned over, and the octet it stood in."""
    number = int.from_bytes(packet, "big")
    size = len(packet)
    return [(size - 1 - bit // 8, (number ^ 1 << bit).to_bytes(size, "big")) for bit in range(8 * size)]


# Flipped bits


@pytest.mark.parametrize("name", SETS)
def test_every_flipped_bit_of_srtp_is_detected_but_those_of_the_mki(name: str) -> None:
    parameters = SETS[name]
    keys = keys_of(parameters)
    packet = keys.protect_srtp(RTP, ROC, mki_of(parameters))
    assert keys.open_srtp(packet, ROC) == RTP
    end = len(packet) - (0 if parameters.aead else parameters.srtp_tag_octets)
    mki = range(end - parameters.mki_octets, end)
    for octet, flipped in flips(packet):
        detected = octet not in mki
        assert keys.verify_srtp(flipped, ROC) is not detected, octet
        assert keys.open_srtp(flipped, ROC) == (None if detected else RTP), octet


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("encrypted", [True, False])
def test_every_flipped_bit_of_srtcp_is_detected_but_those_of_the_mki(name: str, encrypted: bool) -> None:
    parameters = SETS[name]
    keys = keys_of(parameters)
    packet = keys.protect_srtcp(RTCP, 7, encrypted=encrypted, mki=mki_of(parameters))
    assert keys.open_srtcp(packet) == RTCP
    end = len(packet) - (0 if parameters.aead else parameters.srtcp_tag_octets)
    mki = range(end - parameters.mki_octets, end)
    for octet, flipped in flips(packet):
        detected = octet not in mki
        assert keys.verify_srtcp(flipped) is not detected, octet
        assert keys.open_srtcp(flipped) == (None if detected else RTCP), octet


@pytest.mark.parametrize("name", SETS)
def test_another_key_salt_ssrc_or_rollover_counter_does_not_verify(name: str) -> None:
    parameters = SETS[name]
    packet = keys_of(parameters).protect_srtp(RTP, ROC, mki_of(parameters))
    assert not keys_of(parameters, 9).verify_srtp(packet, ROC)
    for roc in (0, ROC - 1, ROC + 1, ROC + (1 << 16)):
        assert not keys_of(parameters).verify_srtp(packet, roc)
    salted = SrtpKeys(parameters, b"\1" * parameters.key_octets, bytes(parameters.salt_octets))
    assert not salted.verify_srtp(packet, ROC)


def test_the_tag_of_another_suite_tells_itself_by_its_length() -> None:
    packet = keys_of(CM_80).protect_srtp(RTP, ROC)
    assert keys_of(CM_80).verify_srtp(packet, ROC)
    assert not keys_of(CM_32).verify_srtp(packet, ROC)
    # The 32-bit tag is the beginning of the 80-bit one: a packet cut short by six octets is one of the other suite.
    assert keys_of(CM_32).open_srtp(packet[:-6], ROC) == RTP


# Without checking


@pytest.mark.parametrize("name", SETS)
def test_a_wrong_tag_can_be_passed_over(name: str) -> None:
    parameters = SETS[name]
    keys = keys_of(parameters)
    srtp = keys.protect_srtp(RTP, ROC, mki_of(parameters))
    spoiled = srtp[: len(srtp) - 2 - parameters.mki_octets] + b"??" + srtp[len(srtp) - parameters.mki_octets :]
    if not parameters.aead:
        spoiled = srtp[:-2] + b"??"
    assert keys.open_srtp(spoiled, ROC) is None
    assert keys.open_srtp(spoiled, ROC, check=False) == RTP
    srtcp = keys.protect_srtcp(RTCP, 7, mki=mki_of(parameters))
    at = 8 + 5
    spoiled = srtcp[:at] + bytes([srtcp[at] ^ 1]) + srtcp[at + 1 :]
    assert keys.open_srtcp(spoiled) is None
    assert keys.open_srtcp(spoiled, check=False) == RTCP[:at] + bytes([RTCP[at] ^ 1]) + RTCP[at + 1 :]


# What is encrypted and where things stand


def test_the_mki_stands_before_the_hmac_tag_and_behind_everything_of_gcm() -> None:
    mki = b"MKI!"
    cm, gcm = replace(CM_80, mki_octets=4), replace(GCM_128, mki_octets=4)
    assert keys_of(cm).protect_srtp(RTP, 0, mki)[-14:-10] == mki
    assert keys_of(cm).protect_srtcp(RTCP, 7, mki=mki)[-18:-10] == hexa("80000007") + mki
    assert keys_of(gcm).protect_srtp(RTP, 0, mki)[-4:] == mki
    assert keys_of(gcm).protect_srtcp(RTCP, 7, mki=mki)[-8:] == hexa("80000007") + mki


@pytest.mark.parametrize(
    ("name", "srtp", "srtcp"),
    [
        ("AES-CM 128, 80", 10, 14),
        ("AES-CM 128, 32", 4, 14),
        ("AES-CM, SRTCP tag of 32 bits", 4, 8),
        ("AES-GCM 128", 16, 20),
        ("AES-GCM with MKI", 18, 22),
    ],
)
def test_packets_grow_by_as_much_as_the_suite_says(name: str, srtp: int, srtcp: int) -> None:
    parameters = SETS[name]
    keys = keys_of(parameters)
    assert len(keys.protect_srtp(RTP, 0, mki_of(parameters))) == len(RTP) + srtp
    assert len(keys.protect_srtcp(RTCP, 0, mki=mki_of(parameters))) == len(RTCP) + srtcp


@pytest.mark.parametrize("name", ["NULL", "UNENCRYPTED_SRTP"])
def test_nothing_is_encrypted_where_nothing_is_to_be(name: str) -> None:
    packet = keys_of(SETS[name]).protect_srtp(RTP, ROC)
    assert packet[:-10] == RTP
    assert keys_of(CM_80).protect_srtp(RTP, ROC)[:HEADER] == RTP[:HEADER]
    assert keys_of(CM_80).protect_srtp(RTP, ROC)[HEADER:-10] != RTP[HEADER:]


def test_unencrypted_srtcp_has_a_zero_e_bit_and_the_bit_decides_how_it_is_opened() -> None:
    keys = keys_of(replace(CM_80, encrypt_srtcp=False))
    clear = keys.protect_srtcp(RTCP, 9)
    assert clear[: len(RTCP)] == RTCP
    assert keys.srtcp_index(clear) == (False, 9)
    encrypted = keys_of(CM_80).protect_srtcp(RTCP, 9)
    assert keys_of(CM_80).srtcp_index(encrypted) == (True, 9)
    for opener in (keys, keys_of(CM_80)):
        assert opener.open_srtcp(clear) == RTCP
        assert opener.open_srtcp(encrypted) == RTCP


def test_a_packet_without_a_tag_is_opened_but_not_verified() -> None:
    parameters = replace(CM_80, srtp_tag_octets=0)
    keys = keys_of(parameters)
    packet = keys.protect_srtp(RTP, ROC)
    assert len(packet) == len(RTP)
    assert not parameters.authenticates_srtp
    assert not keys.has_tag(packet)
    assert not keys.verify_srtp(packet, ROC)
    assert keys.open_srtp(packet, ROC) == RTP
    assert keys.find_roc(packet, range(8)) is None
    untagged = keys_of(replace(CM_80, srtcp_tag_octets=0))
    assert not untagged.verify_srtcp(untagged.protect_srtcp(RTCP, 1))
    assert untagged.open_srtcp(untagged.protect_srtcp(RTCP, 1)) == RTCP


def test_the_initial_vector_of_f8_for_srtcp() -> None:
    derived = session_keys(F8_80, b"\1" * 16, b"\2" * 14, rtcp=True)
    vector = hexa("00000000 80000007 80c90001 cafebabe")
    expected = RTCP[:8] + f8_mode(derived.encryption, derived.salt, vector, RTCP[8:]) + hexa("80000007")
    tag = hmac.digest(derived.authentication, expected, "sha1")[:10]
    assert keys_of(F8_80).protect_srtcp(RTCP, 7) == expected + tag


def test_f8_gives_another_keystream_for_another_timestamp_but_counter_mode_does_not() -> None:
    later = RTP[:4] + hexa("decafc4d") + RTP[8:]
    assert keys_of(CM_80).protect_srtp(RTP, 0)[HEADER:-10] == keys_of(CM_80).protect_srtp(later, 0)[HEADER:-10]
    assert keys_of(F8_80).protect_srtp(RTP, 0)[HEADER:-10] != keys_of(F8_80).protect_srtp(later, 0)[HEADER:-10]


@pytest.mark.parametrize(
    ("packet", "octets"),
    [
        ("", -1),
        ("80" + "00" * 10, -1),
        ("80" + "00" * 11, 12),
        ("83" + "00" * 11, -1),
        ("83" + "00" * 23, 24),
        ("90" + "00" * 11, -1),
        ("90" + "00" * 14, -1),
        ("90" + "00" * 15, 16),
        ("90" + "00" * 13 + "0002" + "00" * 7, -1),
        ("90" + "00" * 13 + "0002" + "00" * 8, 24),
        ("9f" + "00" * 73 + "0001" + "00" * 5, 80),
        ("90" + "00" * 13 + "ffff" + "00" * 100, -1),
    ],
)
def test_the_length_of_a_header(packet: str, octets: int) -> None:
    assert header_octets(hexa(packet)) == octets
    assert header_octets(memoryview(hexa(packet))) == octets


@pytest.mark.parametrize("parameters", [CM_80, GCM_128])
def test_an_extension_that_reaches_into_the_tag_is_no_header(parameters: SrtpParameters) -> None:
    whole = hexa("90001234decafbadcafebabe bede0004") + bytes(16)
    packet = keys_of(parameters).protect_srtp(whole, 0)
    assert keys_of(parameters).open_srtp(packet, 0) == whole
    longer = packet[:15] + b"\5" + packet[16:]
    assert keys_of(parameters).open_srtp(longer, 0, check=False) is None


# Key derivation rate


def test_session_keys_change_with_the_interval_and_few_are_kept() -> None:
    parameters = replace(CM_80, key_derivation_rate=1)
    keys = keys_of(parameters)
    packets = [keys.protect_srtp(RTP[:2] + seq.to_bytes(2, "big") + RTP[4:], ROC) for seq in range(200)]
    assert len({packet[HEADER:-10] for packet in packets}) == 200
    assert all(keys.verify_srtp(packet, ROC) for packet in packets)
    assert len(keys._transforms) <= module._KEPT_INTERVALS


@pytest.mark.parametrize("rate", [0, 1, 256, 1 << 16, 1 << 24])
def test_the_rollover_counter_is_found_whatever_the_derivation_rate(rate: int) -> None:
    keys = keys_of(replace(CM_80, key_derivation_rate=rate))
    packet = keys.protect_srtp(RTP, 300)
    assert keys.find_roc(packet, range(400)) == 300
    assert keys.find_roc(packet, range(300)) is None
    assert keys.find_roc(packet, iter([299, 300, 301])) == 300


def test_the_rollover_counter_is_found_over_a_day_of_fast_video() -> None:
    for parameters in (CM_80, CM_32, GCM_128):
        packet = keys_of(parameters).protect_srtp(RTP, 2000)
        assert keys_of(parameters).find_roc(packet, range(65536)) == 2000


def test_the_rollover_counter_counts_modulo_its_32_bits() -> None:
    for name, parameters in SETS.items():
        keys = keys_of(parameters)
        packet = keys.protect_srtp(RTP, -1, mki_of(parameters))
        assert packet == keys.protect_srtp(RTP, 0xFFFFFFFF, mki_of(parameters)), name
        assert keys.verify_srtp(packet, -1)
        assert keys.open_srtp(packet, (1 << 32) - 1) == RTP


# Carried rollover counters (RFC 4771)


def _numbered(seq: int) -> bytes:
    return RTP[:2] + seq.to_bytes(2, "big") + RTP[4:]


@pytest.mark.parametrize(("mode", "with_roc", "without"), [(1, 10, 0), (2, 10, 10), (3, 4, 0)])
def test_every_rth_packet_carries_the_rollover_counter(mode: int, with_roc: int, without: int) -> None:
    parameters = replace(CM_80, roc_mode=mode, roc_rate=8, mki_octets=1)
    keys = keys_of(parameters)
    authentication = session_keys(parameters, b"\1" * 16, b"\2" * 14, rtcp=False).authentication
    for seq in range(20):
        packet = keys.protect_srtp(_numbered(seq), 0x01020304, b"M")
        carries = seq % 8 == 0
        tag = packet[len(RTP) + 1 :]
        assert packet[len(RTP) : len(RTP) + 1] == b"M"
        assert len(tag) == (with_roc if carries else without)
        whole = hmac.digest(authentication, packet[: len(RTP)] + hexa("01020304"), "sha1")
        assert tag == ((hexa("01020304") if carries else b"") + whole)[: len(tag)]
        assert keys.carried_roc(packet) == (0x01020304 if carries else None)
        assert keys.open_srtp(packet, 0 if carries else 0x01020304) == _numbered(seq)
        has_mac = mode == 2 or (mode == 1 and carries)
        assert keys.has_tag(packet) is has_mac
        assert keys.verify_srtp(packet, 0x01020304) is has_mac
        if carries and has_mac:
            assert keys.find_roc(packet, ()) == 0x01020304
            spoiled = packet[: len(RTP) + 1] + b"\1\2\3\5" + packet[len(RTP) + 5 :]
            assert not keys.verify_srtp(spoiled, 0x01020304)
            assert keys.find_roc(spoiled, [0x01020304]) is None


def test_gcm_carries_the_rollover_counter_behind_the_mki() -> None:
    keys = keys_of(replace(GCM_128, roc_mode=3, roc_rate=2, mki_octets=1))
    packet = keys.protect_srtp(_numbered(4), 5, b"M")
    assert packet[-5:] == b"M" + hexa("00000005")
    assert keys.carried_roc(packet) == 5
    assert keys.find_roc(packet, ()) == 5
    assert keys.open_srtp(packet, 0) == _numbered(4)
    plain = keys.protect_srtp(_numbered(5), 5, b"M")
    assert len(plain) == len(packet) - 4
    assert keys.carried_roc(plain) is None
    assert keys.open_srtp(plain, 5) == _numbered(5)
    assert keys.open_srtp(plain, 0) is None


# Parameters, secrets


@pytest.mark.parametrize(
    ("cipher", "lengths", "more"),
    [
        ("AES-CM", (15, 14, 10, 10), {}),
        ("AES-CM", (0, 14, 10, 10), {}),
        ("NULL", (0, 0, 10, 10), {}),
        ("AES-CM", (16, 15, 10, 10), {}),
        ("AES-CM", (16, 14, 21, 10), {}),
        ("AES-CM", (16, 14, 10, -1), {}),
        ("AES-GCM", (16, 14, 16, 16), {}),
        ("AES-GCM", (16, 12, 10, 16), {}),
        ("AES-GCM", (16, 12, 16, 10), {}),
        ("AES-GCM", (16, 12, 16, 16), {"roc_mode": 2, "roc_rate": 5}),
        ("AES-GCM", (16, 12, 16, 16), {"encrypted_elements": frozenset({1})}),
        ("ARIA-CM", (16, 14, 10, 10), {}),
        ("AES-CM", (16, 14, 10, 10), {"key_derivation_rate": 3}),
        ("AES-CM", (16, 14, 10, 10), {"key_derivation_rate": 1 << 25}),
        ("AES-CM", (16, 14, 10, 10), {"mki_octets": -1}),
        ("AES-CM", (16, 14, 10, 10), {"roc_mode": 4, "roc_rate": 1}),
        ("AES-CM", (16, 14, 10, 10), {"roc_mode": 1}),
        ("AES-CM", (16, 14, 3, 10), {"roc_mode": 1, "roc_rate": 1}),
        ("AES-CM", (16, 14, 10, 10), {"libsrtp_192": True}),
    ],
)
def test_parameters_that_cannot_be_applied_are_an_error(
    cipher: str, lengths: tuple[int, int, int, int], more: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match="SRTP cannot be applied"):
        SrtpParameters(cipher, *lengths, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("parameters", [CM_80, GCM_128])
def test_a_key_or_salt_of_another_length_is_an_error_that_does_not_show_it(parameters: SrtpParameters) -> None:
    for key, salt in ((b"K" * 17, b"S" * parameters.salt_octets), (b"K" * 16, b"S" * 13)):
        with pytest.raises(ValueError, match="octets where") as caught:
            SrtpKeys(parameters, key, salt)
        assert "KKK" not in str(caught.value)
        assert "SSS" not in str(caught.value)


def test_an_absent_salt_is_zeros() -> None:
    packet = SrtpKeys(CM_80, bytes(16), b"").protect_srtp(RTP, 0)
    assert SrtpKeys(CM_80, bytes(16), bytes(14)).open_srtp(packet, 0) == RTP


def test_secrets_are_in_no_representation() -> None:
    key, salt = b"0123456789abcdef", b"saltsaltsalt!!"
    keys = SrtpKeys(CM_80, key, salt)
    derived = session_keys(CM_80, key, salt, rtcp=False)
    for text in (repr(keys), str(keys), repr(derived), repr(keys.transform(rtcp=False, index=0))):
        for secret in (key, salt, derived.encryption, derived.authentication, derived.salt):
            assert secret.decode("latin-1") not in text
            assert secret.hex() not in text
    assert repr(derived) == "SessionKeys()"


def test_what_cannot_be_protected_is_an_error() -> None:
    keys = keys_of(CM_80)
    for packet, mki in ((RTP[:11], b""), (RTP, b"M"), (b"", b"")):
        with pytest.raises(ValueError, match="protected"):
            keys.protect_srtp(packet, 0, mki)
    for packet, index in ((RTCP[:7], 0), (RTCP, 1 << 31), (RTCP, -1)):
        with pytest.raises(ValueError, match="protected"):
            keys.protect_srtcp(packet, index)


def test_the_states_of_an_hmac_make_that_hmac() -> None:
    authentication = session_keys(CM_80, b"\1" * 16, b"\2" * 14, rtcp=False).authentication
    for states in (hmac_states(authentication), keys_of(CM_80).authenticator()):
        inner, outer = (state.copy() for state in states)
        inner.update(RTP)
        outer.update(inner.digest())
        assert outer.digest() == hmac.digest(authentication, RTP, "sha1")
    with pytest.raises(ValueError, match="no HMAC"):
        keys_of(GCM_128).authenticator()

"""A diagnosis instead of "authentication failed": for each mistake the word that names it, and its first frame."""

from __future__ import annotations

import os
from typing import Any

import pytest

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from imsinspect.keys.diagnosis import unevenness, variants
from imsinspect.keys.ring import KeyRing, parameters_of
from imsinspect.trace.model import KeyPlace
from tests import build
from tests.keys.scene import (
    GCM,
    SSRC_A,
    SSRC_B,
    A,
    B,
    _32,
    _80,
    answer,
    call,
    changed,
    context,
    flipped,
    key_row,
    offer,
    sent,
    stream_of,
    traced,
)

FIRST = 6  # frame of the first packet of media in these calls
_256 = "AES_256_CM_HMAC_SHA1_80"
_192 = "AES_192_CM_HMAC_SHA1_80"


def of_suite(suite: str, seed: str = "a") -> dict[str, Any]:
    return {
        "offered": offer("RTP/SAVP", build.crypto(seed, suite=suite)),
        "answered": answer("RTP/SAVP", build.crypto("b", suite=suite)),
    }


def told(media: list[build.Packet], said: str, detail: str = "", **signalling: Any) -> None:
    """All of the media fails for one reason, from its first packet on."""
    proof = stream_of(traced(call(media, **signalling)))
    assert (proof.verified, proof.diagnoses) == (0, {said: len(media)})
    assert proof.diagnosis == said
    assert (proof.first_failed, proof.last_failed) == (FIRST, FIRST + len(media) - 1)
    assert {each.detail for each in proof.failures} == {detail}
    assert [each.frame for each in proof.failures] == list(range(FIRST, FIRST + min(20, len(media))))


def master(key_octets: int, key_salt: bytes, suite: str = _80) -> list[build.Packet]:
    return sent(build.Srtp(key_salt, suite))


def by_keys(keys: SrtpKeys, packets: int = 30, mki: bytes = b"") -> list[build.Packet]:
    plain = [build.rtp(100 + number, 160 * number, SSRC_A, build.noise(number, 60)) for number in range(packets)]
    return [
        (1 + number * 0.02, build.udp(A, B, keys.protect_srtp(packet, 0, mki))) for number, packet in enumerate(plain)
    ]


# --- keys -----------------------------------------------------------------------------------------


def test_the_key_of_the_other_direction() -> None:
    told(sent(context("b")), "other direction")


def test_a_key_that_was_offered_and_not_chosen() -> None:
    told(
        sent(context("a")),
        "offered",
        offered=offer("RTP/SAVP", build.crypto("x", tag=1), build.crypto("a", tag=2)),
        answered=answer("RTP/SAVP", build.crypto("b", tag=1)),
    )


def test_the_key_of_another_line() -> None:
    def lines(address: str, port: int, *seeds: str) -> bytes:
        sections = [build.audio(port + 10 * n, "RTP/SAVP", build.crypto(seed)) for n, seed in enumerate(seeds)]
        return build.sdp(address, *sections)

    told(
        sent(context("a2")), "other line",
        offered=lines(A[0], A[1], "a", "a2"), answered=lines(B[0], B[1], "b", "b2"),
    )  # fmt: skip


def test_the_key_of_another_call() -> None:
    other = build.Dialog(call_id="other@test", from_tag="c", to_tag="d")
    first = build.call(
        build.sdp("192.0.2.77", build.audio(7000, "RTP/SAVP", build.crypto("stray"))),
        build.sdp("192.0.2.78", build.audio(7000, "RTP/SAVP", build.crypto("stray too"))),
        dialog=other, at=-5.0,
    )  # fmt: skip
    first = [(at + 5, data) for at, data in first]
    signalling = build.call(offer(), answer(), at=20.0)
    media = sent(context("stray"), at=21.0)
    trace = traced(build.in_time_order(first, signalling, media))
    proof = stream_of(trace)
    digest = next(key.digest for key in trace.keys if key.srtp_packets)
    assert proof.diagnoses == {"other call": 60}
    assert proof.failures[0].detail == f"key {digest[:8]}"


def test_no_key_at_all() -> None:
    told(sent(context("nobody's")), "no key verifies")
    told(sent(context("nobody's"), 300), "no key verifies")


# --- suites, tags, salts --------------------------------------------------------------------------


def test_the_tag_of_another_suite() -> None:
    short = build.Srtp(build.master_key("a"), _32)
    told(sent(short), "tag length", "tag of 4 octets, 10 agreed")
    long = build.Srtp(build.master_key("a", _32), _80)
    told(sent(long), "tag length", "tag of 10 octets, 4 agreed", **of_suite(_32))


def test_a_tag_though_none_was_agreed() -> None:
    signalled = offer("RTP/SAVP", build.crypto("a", params=" UNAUTHENTICATED_SRTP"))
    told(sent(context("a")), "tag length", "tag of 10 octets, none agreed", offered=signalled)


@pytest.mark.parametrize(
    ("salt", "words"),
    [
        (lambda salt: bytes(14), "no salt"),
        (lambda salt: salt[:12] + bytes(2), "salt cut to 12 octets"),
        (lambda salt: bytes(2) + salt[:12], "salt cut to 12 octets, zeros on the left"),
        (lambda salt: salt[::-1], "reversed octets of the salt"),
    ],
)
def test_another_salt(salt: Any, words: str) -> None:
    secret = build.master_key("a")
    told(sent(build.Srtp(secret[:16] + salt(secret[16:]))), "salt", words)


def test_another_salt_of_aes_gcm() -> None:
    secret = build.master_key("a", GCM)
    told(sent(build.Srtp(secret[:16] + bytes(12), GCM)), "salt", "no salt", **of_suite(GCM))
    # Zeros on the left: the key derivation takes the salt as a number (RFC 7714, erratum 4938).
    wrong = context("a", GCM)
    wide = int.from_bytes(secret[16:], "big")
    sizes = (16, 20, 12, 16, 20, 12)
    wrong._keys = [build._keystream(secret[:16], (wide ^ label << 48) << 16, size) for label, size in enumerate(sizes)]
    told(sent(wrong), "salt", "salt filled with zeros on the left", **of_suite(GCM))


def test_a_salt_of_a_length_that_the_suite_does_not_have() -> None:
    """The line is invalid (RFC 4568 §6.1); implementations send by it all the same."""
    secret = build.master_key("a", GCM)
    row = key_row(secret)["key_and_salt_base64"]
    signalled = offer("RTP/SAVP", f"a=crypto:1 {_80} inline:{row}")
    told(
        sent(build.Srtp(secret + bytes(2))), "salt", "signalled salt of 12 octets, 14 needed", offered=signalled
    )  # fmt: skip
    whole = build.master_key("a")
    signalled = offer("RTP/SAVP", f"a=crypto:1 {GCM} inline:{key_row(whole)['key_and_salt_base64']}")
    told(
        sent(build.Srtp(whole[:28], GCM)), "salt", "signalled salt of 14 octets, 12 needed", offered=signalled
    )  # fmt: skip
    told(sent(build.Srtp(whole[:16] + whole[18:], GCM)), "salt", "last octets of the salt", offered=signalled)


def test_a_long_key_used_as_a_short_one() -> None:
    secret = build.master_key("a", _256)
    words = "the first 30 octets used as a key of 128 bits"
    told(sent(build.Srtp(secret[:30])), "other suite", words, **of_suite(_256))


def test_aes_192_as_libsrtp_had_it() -> None:
    secret = build.master_key("a", _256)[:38]
    keys = SrtpKeys(SrtpParameters("AES-CM", 24, 14, 10, 10, libsrtp_192=True), secret[:24], secret[24:])
    signalled = offer("RTP/SAVP", f"a=crypto:1 {_192} inline:{key_row(secret)['key_and_salt_base64']}")
    words = "AES-192 keys derived with AES-256 (libsrtp before 2025)"
    told(by_keys(keys), "key derivation", words, offered=signalled)


# --- MKI ------------------------------------------------------------------------------------------

WITH_MKI = offer("RTP/SAVP", build.crypto("a", params="|2^20|1:4"))


def test_the_mki() -> None:
    assert stream_of(traced(call(sent(context("a", mki=b"\0\0\0\1")), offered=WITH_MKI))).verified == 60
    told(sent(context("a", mki=b"\0\0\0\2")), "MKI", "the MKI is not that of the key", offered=WITH_MKI)
    told(sent(context("a")), "MKI", "no MKI, one signalled", offered=WITH_MKI)
    told(sent(context("a", mki=b"\1")), "MKI", "MKI of 1 octets, 4 signalled", offered=WITH_MKI)
    told(sent(context("a", mki=b"\0\1")), "MKI", "MKI of 2 octets, none signalled")


def test_an_mki_that_changes_in_one_packet() -> None:
    media = [
        changed(packet, lambda data: data[:-14] + b"evil" + data[-10:]) if number == 30 else packet
        for number, packet in enumerate(sent(context("a", mki=b"\0\0\0\1")))
    ]
    proof = stream_of(traced(call(media, offered=WITH_MKI)))
    assert (proof.verified, proof.diagnoses, proof.first_failed) == (59, {"MKI": 1}, FIRST + 30)


# --- content --------------------------------------------------------------------------------------


@pytest.mark.parametrize("packets", [3, 60, 200])
def test_plain_rtp(packets: int) -> None:
    told(sent(None, packets, content=build.pcmu_speech), "in clear")


@pytest.mark.parametrize("packets", [3, 60, 200])
def test_a_tag_that_was_cut_off(packets: int) -> None:
    media = sent(context("a"), packets, content=build.pcmu_speech)
    told([changed(packet, lambda data: data[:-10]) for packet in media], "tag cut off")


@pytest.mark.parametrize("packets", [10, 60, 200])
def test_wrong_tags_on_right_content_are_not_cut_off(packets: int) -> None:
    media = sent(context("a"), packets, content=build.pcmu_speech)
    told([changed(packet, lambda data: flipped(data, 8 * len(data) - 1)) for packet in media], "no key verifies")


def test_some_of_each() -> None:
    protected, plain = (sent(srtp, 100, content=build.pcmu_speech) for srtp in (context("a"), None))
    media = protected[:20] + plain[20:40] + protected[40:]
    media[60] = changed(media[60], lambda data: data[:-10])
    media[70] = changed(media[70], lambda data: flipped(data, 300))
    proof = stream_of(traced(call(media)))
    assert proof.diagnoses == {"in clear": 20, "tag cut off": 1, "altered": 1}
    assert (proof.in_clear, proof.verified, proof.diagnosis) == (20, 78, "in clear")
    assert {each.frame: each.diagnosis for each in proof.failures if each.frame > FIRST + 40} == {}
    assert (proof.first_failed, proof.last_failed) == (FIRST + 20, FIRST + 70)


def test_a_stream_with_the_ssrc_of_nobody() -> None:
    """Something on the way writes another SSRC into packets that were protected before."""
    whole = sent(context("a"), 100)
    media = whole[:50] + [changed(packet, lambda data: data[:8] + b"else" + data[12:]) for packet in whole[50:]]
    trace = traced(call(media))
    assert stream_of(trace).verified == 50
    proof = stream_of(trace, int.from_bytes(b"else", "big"))
    assert proof.diagnoses == {"wrong SSRC": 50}
    assert proof.failures[0].detail == f"verifies as a packet of 0x{SSRC_A:08x}"


@pytest.mark.parametrize("bit", range(96))
def test_a_spoiled_header_in_a_call_is_told_to_its_stream(bit: int) -> None:
    """Where lines are known, a packet of another SSRC is a stream of its own as well."""
    media = sent(context("a"), 20)
    media[10] = changed(media[10], lambda data: flipped(data, bit))
    back = sent(context("b"), 20, ssrc=SSRC_B, source=B, destination=A)
    trace = traced(call(media, back))
    proof = stream_of(trace)
    assert (proof.verified, proof.failed) == (19, 1)
    (failure,) = proof.failures
    assert failure.diagnosis == ("wrong SSRC" if bit >= 64 else "altered")
    assert stream_of(trace, SSRC_B).verified == 20


@pytest.mark.parametrize("first", [b"\x00\x01\x00\x08\x21\x12\xa4\x42", b"\x16\xfe\xfd\x00", b"\x10\x00\x00\x00ZRTP"])
def test_what_shares_ports_with_media_is_no_spoiled_packet(first: bytes) -> None:
    media = sent(context("a"), 20)
    data = (first.ljust(8, b"\0") + SSRC_A.to_bytes(4, "big")).ljust(28, b"\0")
    trace = traced(call(media, [(1.105, build.udp(A, B, data))]))
    assert (stream_of(trace).verified, stream_of(trace).failed) == (20, 0)


# --- parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [20, 160, 1_000, 20_000])
def test_random_octets_are_even_at_any_length(octets: int) -> None:
    assert all(abs(unevenness(os.urandom(octets))) < 8 for _ in range(200))


def test_speech_is_uneven_in_every_packet() -> None:
    assert all(unevenness(build.pcmu_speech(number)) > 8 for number in range(200))


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_192_CM_HMAC_SHA1_32", _256, GCM, "AEAD_AES_256_GCM"])
def test_no_variant_is_the_agreed_key_or_another_variant(suite: str) -> None:
    from dissectors.sdp.suites import SDES_SUITES

    parameters = parameters_of(SDES_SUITES[suite])
    assert parameters is not None
    secret = bytes(range(1, parameters.key_octets + parameters.salt_octets + 1))
    key = KeyRing().add(secret, parameters, suite, KeyPlace("key file", None, ""))
    assert key is not None
    packet = build.rtp(1, 2, 3, bytes(40))
    made = [key.keys.protect_srtp(packet, 0)]
    for variant in variants(key, rtcp=False):
        mki = bytes(variant.keys.parameters.mki_octets)
        made.append(variant.keys.protect_srtp(packet, 0, mki))
        assert variant.diagnosis
        assert variant.words
    assert len(set(made)) == len(made) > 5

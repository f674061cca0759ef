"""SRTCP: what verifies, and what is the matter where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from tests import build
from tests.keys.scene import (
    A_RTCP,
    B_RTCP,
    GCM,
    SSRC_A,
    SSRC_B,
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
    rtcp_of,
    sent,
    stream_of,
    traced,
)
from tests.keys.scene import A as A_RTP

FIRST = 6
REPORT = build.sender_report(SSRC_A) + build.source_description(SSRC_A)


def reports(
    srtp: build.Srtp | None, packets: int = 8, *, compound: bytes = REPORT, at: float = 1.0, **how: Any
) -> list[build.Packet]:
    """RTCP from A to B, protected if a context is given."""
    return [
        (at + 0.5 * number, build.udp(A_RTCP, B_RTCP, srtp.protect_rtcp(compound, **how) if srtp else compound))
        for number in range(packets)
    ]


def both(suite: str, params: str = "") -> dict[str, bytes]:
    return {
        "offered": offer("RTP/SAVP", build.crypto("a", suite=suite, params=params)),
        "answered": answer("RTP/SAVP", build.crypto("b", suite=suite, params=params)),
    }


def told(media: list[build.Packet], said: str, detail: str = "", **signalling: bytes) -> None:
    proof = rtcp_of(traced(call(media, **signalling)))
    assert (proof.verified, proof.diagnoses, proof.diagnosis) == (0, {said: len(media)}, said)
    assert (proof.first_failed, {each.detail for each in proof.failures}) == (FIRST, {detail})


@pytest.mark.parametrize("suite", build.KEY_OCTETS)
@pytest.mark.parametrize("encrypted", [True, False])
def test_every_suite(suite: str, encrypted: bool) -> None:
    proof = rtcp_of(traced(call(reports(context("a", suite), encrypted=encrypted), **both(suite))))
    assert (proof.verified, proof.failed) == (8, 0)
    (use,) = proof.uses
    assert (use.relation, use.suite, use.first_index, use.last_index) == ("agreed", suite, 1, 8)


@pytest.mark.parametrize("cipher", ["AES-f8", "NULL"])
def test_other_ciphers(cipher: str) -> None:
    secret = build.master_key("a")
    keys = SrtpKeys(SrtpParameters(cipher, 16, 14, 10, 10), secret[:16], secret[16:])
    media = [
        (1 + 0.5 * number, build.udp(A_RTCP, B_RTCP, keys.protect_srtcp(REPORT, number))) for number in range(8)
    ]  # fmt: skip
    name = "F8_128_HMAC_SHA1_80" if cipher == "AES-f8" else "NULL_HMAC_SHA1_80"
    row = key_row(secret)["key_and_salt_base64"]
    proof = rtcp_of(traced(call(media, offered=offer("RTP/SAVP", f"a=crypto:1 {name} inline:{row}"))))
    assert (proof.verified, proof.failed) == (8, 0)


def test_multiplexed_with_its_media() -> None:
    srtp = context("a")
    control = [(at + 0.003, build.udp(A_RTP, B, data[42:])) for at, data in reports(srtp)]
    trace = traced(call(sent(context("a")), control))
    assert (stream_of(trace).verified, rtcp_of(trace).verified) == (60, 8)


def test_the_tag_of_the_suites_with_32_bits_stays_long() -> None:
    """RFC 4568 §6.2; one of 32 bits is seen all the same."""
    assert rtcp_of(traced(call(reports(context("a", _32)), **both(_32)))).verified == 8
    said = "SRTCP tag of 4 octets, 10 agreed"
    told(reports(context("a", _32), tag_octets=4), "tag length", said, **both(_32))
    told(reports(context("a"), tag_octets=4), "tag length", said)


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize(
    "compound",
    [
        REPORT,
        build.receiver_report(SSRC_A, SSRC_B),
        build.sender_report(SSRC_A),
        build.receiver_report(SSRC_A) + build.goodbye(SSRC_A),
    ],
)
def test_without_any_tag(compound: bytes, encrypted: bool) -> None:
    media = reports(context("a"), compound=compound, tag_octets=0, encrypted=encrypted)
    told(media, "tag cut off", "the index ends the packet: no tag")


def test_without_any_tag_and_under_another_key() -> None:
    told(reports(context("nobody's"), tag_octets=0), "no key verifies")


def test_the_key_of_the_other_direction() -> None:
    told(reports(context("b")), "other direction")


def test_an_offered_key() -> None:
    signalled = offer("RTP/SAVP", build.crypto("x", tag=1), build.crypto("a", tag=2))
    told(reports(context("a")), "offered", offered=signalled)


def test_another_salt() -> None:
    told(reports(build.Srtp(build.master_key("a")[:16] + bytes(14))), "salt", "no salt")


def test_plain_rtcp() -> None:
    said = "the compound ends with the datagram"
    told(reports(None), "in clear", said)
    proof = rtcp_of(traced(call(reports(context("a"), 4) + reports(None, 3, at=4.0))))
    assert (proof.verified, proof.diagnoses, proof.in_clear) == (4, {"in clear": 3}, 3)


def test_no_key_at_all() -> None:
    told(reports(context("nobody's")), "no key verifies")


def test_the_mki() -> None:
    signalled = offer("RTP/SAVP", build.crypto("a", params="|2^20|1:2"))
    assert rtcp_of(traced(call(reports(context("a", mki=b"\0\1")), offered=signalled))).verified == 8
    told(reports(context("a", mki=b"\0\2")), "MKI", "the MKI is not that of the key", offered=signalled)
    told(reports(context("a")), "MKI", "no MKI, one signalled", offered=signalled)
    told(reports(context("a", mki=b"\0\0\0\1")), "MKI", "MKI of 4 octets, none signalled")


def test_keys_that_are_derived_anew() -> None:
    secret = build.master_key("a")
    keys = SrtpKeys(SrtpParameters("AES-CM", 16, 14, 10, 10, key_derivation_rate=2), secret[:16], secret[16:])
    media = [
        (1 + 0.5 * number, build.udp(A_RTCP, B_RTCP, keys.protect_srtcp(REPORT, number))) for number in range(8)
    ]  # fmt: skip
    signalled = offer("RTP/SAVP", build.crypto("a", params=" KDR=1"))
    assert rtcp_of(traced(call(media, offered=signalled))).verified == 8


def test_an_altered_packet_among_the_others() -> None:
    media = reports(context("a"))
    media[3] = changed(media[3], lambda data: flipped(data, 100))
    proof = rtcp_of(traced(call(media)))
    assert (proof.verified, proof.diagnoses, proof.first_failed) == (7, {"altered": 1}, FIRST + 3)


def test_without_tags_in_srtp_those_of_srtcp_stay() -> None:
    """RFC 4568 §6.3.3."""
    signalled = offer("RTP/SAVP", build.crypto("a", params=" UNAUTHENTICATED_SRTP"))
    assert rtcp_of(traced(call(reports(context("a")), offered=signalled))).verified == 8


def test_a_packet_that_comes_again_is_replayed() -> None:
    media = reports(context("a"))
    proof = rtcp_of(traced(call([*media, (8.0, media[2][1])])))
    assert (proof.verified, proof.failed, proof.replayed) == (8, 0, 1)
    (replay,) = proof.replays
    assert (replay.first, replay.second, replay.distance, replay.same_source) == (FIRST + 2, FIRST + 8, 5, True)


@pytest.mark.parametrize("suite", [_80, GCM])
def test_two_capture_points(suite: str) -> None:
    media = reports(context("a", suite), 20)
    media[5] = changed(media[5], lambda data: flipped(data, 100))
    trace = traced(media, [(at + 0.002, data) for at, data in media], keys=[key_row("a", suite)])
    proof = rtcp_of(trace)
    assert (proof.packets, proof.verified, proof.failed, proof.replayed) == (20, 19, 1, 0)


def test_both_ends_send_by_one_port_pair_each() -> None:
    back = [
        (at + 0.1, build.udp(B_RTCP, A_RTCP, data))
        for at, data in (
            (1 + 0.5 * number, packet)
            for number, packet in enumerate(
                [srtp.protect_rtcp(build.receiver_report(SSRC_B)) for srtp in [context("b")] for _ in range(6)]
            )
        )
    ]
    trace = traced(call(reports(context("a")), back))
    assert (rtcp_of(trace).verified, rtcp_of(trace, SSRC_B).verified) == (8, 6)

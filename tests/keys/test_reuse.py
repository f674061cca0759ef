"""Keystream used twice: found exactly, with both frames, and never where nothing was used twice."""

from __future__ import annotations

import pytest

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from tests import build
from tests.keys.scene import (
    A_RTCP,
    B_RTCP,
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
    key_row,
    offer,
    sent,
    traced,
)

KEYS = [key_row("a")]
ONE_KEY = {"answered": answer("RTP/SAVP", build.crypto("a"))}


def other(number: int) -> bytes:
    """Content of another conversation."""
    return build.noise(number + 9_000, 80)


def back(**how: object) -> list[build.Packet]:
    return sent(context("a"), source=B, destination=A, content=other, **how)  # type: ignore[arg-type]


def test_one_key_and_one_ssrc_in_both_directions() -> None:
    trace = traced(call(sent(context("a")), back(sequence=130, at=1.01), **ONE_KEY))
    (reuse,) = trace.keystream_reuse
    assert (reuse.ssrc, reuse.index, reuse.rtcp, reuse.packets) == (SSRC_A, 130, False, 30)
    streams = {stream.destination.port: stream.id for stream in trace.streams}
    assert (reuse.first_stream, reuse.second_stream) == (streams[A[1]], streams[B[1]])
    # Number 130 is B's first packet, 1.01 s, and A's thirtieth, 1.6 s.
    assert (reuse.first, reuse.second) == (7, 6 + 30 + 30)
    assert reuse.key == trace.keys[0].digest


def test_one_key_and_two_ssrcs() -> None:
    assert not traced(call(sent(context("a")), back(ssrc=SSRC_B), **ONE_KEY)).keystream_reuse


def test_one_key_and_one_ssrc_with_numbers_that_never_meet() -> None:
    assert not traced(call(sent(context("a")), back(sequence=5_000), **ONE_KEY)).keystream_reuse


def test_two_keys_and_one_ssrc() -> None:
    assert not traced(call(sent(context("a")), sent(context("b"), source=B, destination=A))).keystream_reuse


@pytest.mark.parametrize("sequence", [100, 150])
def test_a_stream_that_begins_anew_with_its_key(sequence: int) -> None:
    media = sent(context("a")) + sent(context("a"), content=other, at=5, sequence=sequence)
    (reuse,) = traced(media, keys=KEYS).keystream_reuse
    assert (reuse.first_stream, reuse.second_stream, reuse.index) == ("stream-1", "stream-1", sequence)
    assert (reuse.first, reuse.second, reuse.packets) == (1 + sequence - 100, 61, 160 - sequence)


def test_a_stream_that_begins_anew_beyond_a_wrap_that_never_was() -> None:
    """Numbers go on, as far as 16 bits can say; the counter began again with them."""
    first = context("a")
    media = sent(first, 300, sequence=20_000) + sent(first, 60, content=other, at=8, sequence=50_000)
    media += sent(first, 60, content=other, at=10, sequence=10_000)
    media += sent(context("a"), 400, content=other, at=12, sequence=20_100)
    trace = traced(media, keys=KEYS)
    assert not trace.streams[0].backward
    (reuse,) = trace.keystream_reuse
    assert (reuse.index, reuse.first, reuse.second, reuse.packets) == (20_100, 101, 421, 200)


def test_in_two_calls_with_one_key() -> None:
    second = build.call(
        build.sdp("192.0.2.44", build.audio(4444, "RTP/SAVP", build.crypto("a"))),
        build.sdp("192.0.2.55", build.audio(5555, "RTP/SAVP", build.crypto("c"))),
        dialog=build.Dialog(call_id="second@test", from_tag="x", to_tag="y"), at=20,
    )  # fmt: skip
    media = sent(context("a"), source=("192.0.2.44", 4444), destination=("192.0.2.55", 5555), content=other, at=21)
    (reuse,) = traced(call(sent(context("a"))) + build.in_time_order(second, media)).keystream_reuse
    assert (reuse.packets, reuse.index, reuse.first_stream, reuse.second_stream) == (60, 100, "stream-1", "stream-2")


def test_in_two_captures_of_one_run() -> None:
    first = sent(context("a"))
    second = sent(context("a"), source=("192.0.2.44", 4444), content=other, at=500)
    (reuse,) = traced(first, second, keys=KEYS).keystream_reuse
    assert (reuse.packets, reuse.first, reuse.second) == (60, 1, 1 << 40 | 1)
    # Of one stream in a ring of files, likewise.
    (reuse,) = traced(first, sent(context("a"), content=other, at=500), keys=KEYS).keystream_reuse
    assert (reuse.packets, reuse.first, reuse.second) == (60, 1, 1 << 40 | 1)


def test_after_a_new_key_the_old_one_again() -> None:
    media = sent(context("a")) + sent(context("c"), at=3, sequence=160)
    media += sent(context("a"), 20, content=other, at=5, sequence=120)
    (reuse,) = traced(media, keys=[*KEYS, key_row("c")]).keystream_reuse
    assert (reuse.index, reuse.packets) == (120, 20)


def test_suites_that_differ_in_the_tag_share_a_keystream() -> None:
    media = sent(context("a")) + sent(
        build.Srtp(build.master_key("a"), _32), content=other, at=5, source=("192.0.2.9", 9)
    )
    trace = traced(media, keys=[key_row("a"), key_row("a", _32)])
    (reuse,) = trace.keystream_reuse
    assert reuse.packets == 60
    # The same packets under both, whose ciphertext is the same: nothing was used for anything else.
    media = sent(context("a")) + sent(build.Srtp(build.master_key("a"), _32), at=5, source=("192.0.2.9", 9))
    assert not traced(media, keys=[key_row("a"), key_row("a", _32)]).keystream_reuse


def test_packets_that_come_again_are_replayed_and_use_nothing_twice() -> None:
    media = sent(context("a"))
    trace = traced([*media, *((at + 10, data) for at, data in media[10:15])], keys=KEYS)
    assert not trace.keystream_reuse
    proof = trace.streams[0].proof
    assert proof is not None
    assert (proof.verified, proof.replayed, proof.failed) == (60, 5, 0)
    assert [(each.first, each.second) for each in proof.replays] == [(11 + number, 61 + number) for number in range(5)]


def test_a_replay_from_another_address_is_one_too() -> None:
    media = sent(context("a"))
    forged = [(at + 10, build.udp(("203.0.113.66", 6), B, data[42:])) for at, data in media[10:20]]
    trace = traced([*media, *forged], keys=KEYS)
    assert not trace.keystream_reuse
    second = trace.streams[1].proof
    assert second is not None
    assert (second.replayed, second.verified) == (10, 0)


def test_an_mki_that_was_changed_makes_no_reuse_of_a_replay() -> None:
    media = sent(context("a", mki=b"\0\1"))
    again = [
        (at + 10, changed((at, data), lambda octets: octets[:-12] + b"\0\2" + octets[-10:])[1])
        for at, data in media[:5]
    ]
    trace = traced([*media, *again], keys=[key_row("a", mki="0001")])
    assert not trace.keystream_reuse


def test_what_is_only_authenticated_has_no_keystream() -> None:
    line = build.crypto("a", params=" UNENCRYPTED_SRTP")
    signalled = {"offered": offer("RTP/SAVP", line), "answered": answer("RTP/SAVP", line)}
    clear = sent(context("a", unencrypted=True))
    opposite = sent(context("a", unencrypted=True), source=B, destination=A, content=other)
    trace = traced(call(clear, opposite, **signalled))
    assert all(stream.proof is not None and stream.proof.verified == 60 for stream in trace.streams)
    assert not trace.keystream_reuse


def test_f8_depends_on_the_time_stamp() -> None:
    """RFC 3711 §4.1.2.2: marker, payload type and time stamp are in the initial vector."""
    secret = build.master_key("a")
    keys = SrtpKeys(SrtpParameters("AES-f8", 16, 14, 10, 10), secret[:16], secret[16:])

    def protected(timestamp: int, at: float, shift: int) -> list[build.Packet]:
        plain = [
            build.rtp(100 + n, timestamp + 160 * n, SSRC_A, build.noise(n + shift, 60)) for n in range(20)
        ]  # fmt: skip
        return [
            (at + 0.02 * n, build.udp(A, B, keys.protect_srtp(packet, 0))) for n, packet in enumerate(plain)
        ]  # fmt: skip

    rows = [key_row(secret, "F8_128_HMAC_SHA1_80")]
    assert not traced(protected(0, 1, 0) + protected(77, 5, 99), keys=rows).keystream_reuse
    (reuse,) = traced(protected(0, 1, 0) + protected(0, 5, 99), keys=rows).keystream_reuse
    assert reuse.packets == 20


def test_one_content_with_another_time_stamp_is_no_reuse_in_counter_mode() -> None:
    """Its ciphertext is the same; of AES-GCM the tags tell what makes forging possible (RFC 7714 §8.4)."""
    media = sent(context("a")) + sent(context("a"), at=5, timestamp=77)
    assert not traced(media, keys=KEYS).keystream_reuse
    media = sent(context("a", GCM)) + sent(context("a", GCM), at=5, timestamp=77)
    (reuse,) = traced(media, keys=[key_row("a", GCM)]).keystream_reuse
    assert reuse.packets == 60


def rtcp(srtp: build.Srtp, at: float, octets: int, *, encrypted: bool = True, packets: int = 6) -> list[build.Packet]:
    compound = build.sender_report(SSRC_A, octets=octets) + build.source_description(SSRC_A)
    return [
        (at + n, build.udp(A_RTCP, B_RTCP, srtp.protect_rtcp(compound, encrypted=encrypted))) for n in range(packets)
    ]


@pytest.mark.parametrize("suite", [_80, GCM])
def test_of_srtcp_whose_index_begins_anew(suite: str) -> None:
    media = rtcp(context("a", suite), 1, 5) + rtcp(context("a", suite), 20, 6, packets=4)
    (reuse,) = traced(media, keys=[key_row("a", suite)]).keystream_reuse
    assert (reuse.rtcp, reuse.index, reuse.packets, reuse.first, reuse.second) == (True, 1, 4, 1, 7)
    assert reuse.first_stream == reuse.second_stream == "rtcp-1"


def test_srtcp_in_clear_uses_none() -> None:
    media = rtcp(context("a"), 1, 5, encrypted=False) + rtcp(context("a"), 20, 6)
    assert not traced(media, keys=KEYS).keystream_reuse


def test_srtp_and_srtcp_of_one_index_have_keys_of_their_own() -> None:
    media = build.in_time_order(sent(context("a"), sequence=1), rtcp(context("a"), 1, 5))
    assert not traced(media, keys=KEYS).keystream_reuse


def test_three_times_and_a_replay_between() -> None:
    first, second, third = (
        sent(context("a"), 10, at=at, content=lambda n, s=shift: build.noise(n + s, 60))  # type: ignore[misc]
        for at, shift in ((1, 0), (2, 500), (3, 900))
    )
    trace = traced([*first, *second, (2.9, first[4][1]), *third], keys=KEYS)
    proof = trace.streams[0].proof
    assert proof is not None
    assert (proof.verified, proof.replayed) == (30, 1)
    (reuse,) = trace.keystream_reuse
    assert (reuse.packets, reuse.first, reuse.second) == (20, 1, 11)


def test_a_hundred_pairs_of_streams_are_all_named() -> None:
    media = []
    for number in range(100):
        for shift in (0, 1):
            media += sent(
                context("a"), 4, ssrc=number, source=(A[0], 4000 + 2 * number + shift), at=1 + shift,
                content=lambda n, s=shift: build.noise(n + 100 * s, 60),
            )  # fmt: skip
    trace = traced(build.in_time_order(media), keys=KEYS)
    assert {(each.ssrc, each.packets) for each in trace.keystream_reuse} == {(number, 4) for number in range(100)}

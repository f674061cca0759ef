"""Streams that nothing verifies cost little, and nothing that is sent breaks a proof."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imsinspect.crypto.srtp import SrtpKeys
from imsinspect.keys import srtp_proof
from tests import build
from tests.keys.scene import (
    A_RTCP,
    B_RTCP,
    GCM,
    SSRC_A,
    A,
    B,
    answer,
    call,
    changed,
    context,
    key_row,
    offer,
    proof,
    sent,
    traced,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Counted:
    """Tags that were computed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tags = 0
        find, many, one = SrtpKeys.find_roc, srtp_proof.verify_many, SrtpKeys.verify_srtp

        def find_roc(keys: SrtpKeys, packet: bytes, guesses: Iterable[int]) -> int | None:
            guesses = list(guesses)
            found = find(keys, packet, guesses)
            self.tags += guesses.index(found) + 1 if found in guesses else len(guesses)
            return found

        def verify_many(keys: SrtpKeys, data: bytes, starts: list[int], *more: Any) -> list[int]:
            self.tags += len(starts)
            return many(keys, data, starts, *more)

        def verify_srtp(keys: SrtpKeys, packet: bytes, roc: int) -> bool:
            self.tags += 1
            return one(keys, packet, roc)

        monkeypatch.setattr(SrtpKeys, "find_roc", find_roc)
        monkeypatch.setattr(SrtpKeys, "verify_srtp", verify_srtp)
        monkeypatch.setattr(srtp_proof, "verify_many", verify_many)


def calls(count: int, packets: int, seed: str) -> list[build.Packet]:
    """Calls of one direction each, whose keys are known, or not at all those that are used."""
    out = []
    for number in range(count):
        ends = (A[0], 10_000 + 4 * number), (B[0], 10_000 + 4 * number)
        talk = build.Dialog(call_id=f"{number}@test", from_tag=f"a{number}", to_tag=f"b{number}")
        signalling = build.call(
            build.sdp(A[0], build.audio(ends[0][1], "RTP/SAVP", build.crypto(f"a{number}"))),
            build.sdp(B[0], build.audio(ends[1][1], "RTP/SAVP", build.crypto(f"b{number}"))),
            dialog=talk, at=number * 0.01,
        )  # fmt: skip
        media = sent(
            context(f"{seed}{number}"), packets, ssrc=0x1000 + number, source=ends[0], destination=ends[1],
            at=1 + number * 0.01, content=lambda each: build.noise(each, 20),
        )  # fmt: skip
        out += signalling + media
    return build.in_time_order(out)


def test_packets_that_verify_are_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    trace = traced(calls(10, 500, "a"))
    assert sum(each.proof.verified for each in trace.streams if each.proof) == 5_000
    assert counted.tags <= 5_000 + 10 * 5


@pytest.mark.parametrize(("count", "packets", "for_each"), [(3, 2_000, 20), (60, 400, 16), (450, 40, 45)])
def test_wrong_keys_cost_a_bounded_number_of_tags(
    monkeypatch: pytest.MonkeyPatch, count: int, packets: int, for_each: int
) -> None:
    counted = Counted(monkeypatch)
    trace = traced(calls(count, packets, "wrong"))
    assert sum(each.proof.failed for each in trace.streams if each.proof) == count * packets
    assert counted.tags <= for_each * count * packets, counted.tags / count / packets


def test_a_flood_costs_a_bounded_number_of_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    media = sent(context("a"), 2_000)
    flood = sent(None, 20_000, at=1.001, sequence=7, timestamp=5, content=lambda number: build.noise(number % 9, 90))
    flood = [(1 + 0.002 * number, data) for number, (_, data) in enumerate(flood)]
    counted = Counted(monkeypatch)
    trace = traced(call(build.in_time_order(media, flood)))
    (stream,) = trace.streams
    checked = proof(stream)
    assert (checked.verified, checked.failed) == (2_000, 20_000)
    assert counted.tags <= 9 * 22_000, counted.tags / 22_000


# --- hostile packets ------------------------------------------------------------------------------

REPORT = build.sender_report(SSRC_A) + build.source_description(SSRC_A)


def whole(suite: str) -> list[build.Packet]:
    srtp = context("a", suite)
    control = [(1 + 0.1 * n, build.udp(A_RTCP, B_RTCP, srtp.protect_rtcp(REPORT))) for n in range(6)]
    return build.in_time_order(sent(context("a", suite), 30), control)


CHANGES: dict[str, Callable[..., bytes]] = {
    "cut": lambda length, octets: octets[:length],
    "set": lambda at, other, octets: octets[:at] + other + octets[at + len(other) :],
    "more": lambda other, octets: octets + other,
}
WHOLE = {suite: whole(suite) for suite in ("AES_CM_128_HMAC_SHA1_80", GCM)}
CHANGE = st.tuples(
    st.integers(0, 35),
    st.one_of(
        st.tuples(st.just("cut"), st.integers(0, 120)),
        st.tuples(st.just("set"), st.integers(0, 119), st.binary(min_size=1, max_size=14)),
        st.tuples(st.just("more"), st.binary(max_size=60)),
        st.tuples(st.just("twice")),
        st.tuples(st.just("early")),
    ),
)


@pytest.mark.parametrize("suite", WHOLE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHANGE, max_size=12), st.integers(0, 30), st.booleans())
def test_no_packet_breaks_a_proof(
    suite: str, changes: list[tuple[int, tuple[Any, ...]]], split: int, mki: bool
) -> None:
    packets = list(WHOLE[suite])
    for which, (kind, *how) in changes:
        if kind == "twice":
            packets.append((packets[which][0] + 0.07, packets[which][1]))
        elif kind == "early":
            packets[which] = (packets[which][0] - 0.5, packets[which][1])
        else:
            packets[which] = changed(packets[which], partial(CHANGES[kind], *how))
    packets = build.in_time_order(packets)
    rows = [key_row("a", suite), key_row("a", suite, mki="01" if mki else "", ssrc=SSRC_A)]
    parts = [packets[:split], packets[split:]] if 2 < split < 28 else [packets]
    trace = traced(*parts, keys=rows)
    signalling = [side("RTP/SAVP", build.crypto(seed, suite=suite)) for side, seed in ((offer, "a"), (answer, "b"))]
    signalled = traced(call(packets, offered=signalling[0], answered=signalling[1]))
    for found in (trace, signalled):
        for each in (*found.streams, *found.rtcp_sources):
            if each.proof is not None:
                proof(each)
    touched = {which for which, _ in changes}
    stream = next((each for each in signalled.streams if each.ssrc == SSRC_A and each.packets > 3), None)
    if stream is not None and stream.proof is not None:
        assert stream.proof.verified >= 36 - len(touched) - 6

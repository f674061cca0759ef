"""SRTP packet by packet: what verifies, from which rollover counter, and where it goes wrong."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dissectors.sdp.suites import SDES_ALIASES, SDES_SUITES
from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from imsinspect.keys import prove as module
from imsinspect.keys.candidates import Candidate
from imsinspect.keys.ring import KeyRing, parameters_of
from imsinspect.keys.srtp_proof import Effort, Packets, StreamProof
from imsinspect.keys.trial import Otherwise
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

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [key_row("a")]


def content(number: int) -> bytes:
    """Short payloads, so that long streams are made soon."""
    return build.noise(number % 50, 24)


def long_stream(packets: int, **how: object) -> list[build.Packet]:
    return sent(context("a"), packets, content=content, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def hour() -> list[build.Packet]:
    """A stream over one wrap of the sequence numbers."""
    return long_stream(75_000)


def garbage(source: random.Random, at: float) -> build.Packet:
    """What anybody can send with the stream's SSRC."""
    return at, build.udp(A, B, build.rtp(source.getrandbits(16), source.getrandbits(32), SSRC_A, build.noise(7, 40)))


# --- both directions, every suite -----------------------------------------------------------------


def test_both_directions_of_a_call_verify_to_the_last_packet() -> None:
    trace = traced(call(sent(context("a"), 60), sent(context("b"), 50, ssrc=SSRC_B, source=B, destination=A)))
    for ssrc, packets in ((SSRC_A, 60), (SSRC_B, 50)):
        proof = stream_of(trace, ssrc)
        assert (proof.verified, proof.failed, proof.unchecked) == (packets, 0, 0)
        (use,) = proof.uses
        assert (use.relation, use.packets, use.first_index, use.last_index) == ("agreed", packets, 100, 99 + packets)
        assert proof.key == use.key
    assert [(key.srtp_packets, key.streams) for key in trace.keys] == [(60, ["stream-1"]), (50, ["stream-2"])]


@pytest.mark.parametrize("name", [*SDES_SUITES, *SDES_ALIASES])
def test_every_suite_that_can_be_applied(name: str) -> None:
    suite = SDES_SUITES[SDES_ALIASES.get(name, name)]
    parameters = parameters_of(suite)
    secret = build.master_key("x", "AES_256_CM_HMAC_SHA1_80")[: suite.length]
    line = key_row(secret)["key_and_salt_base64"]
    signalling = {
        "offered": offer("RTP/SAVP", f"a=crypto:1 {name} inline:{line}"),
        "answered": answer("RTP/SAVP", build.crypto("b")),
    }
    plain = [build.rtp(number, 160 * number, SSRC_A, build.noise(number, 60)) for number in range(20)]
    if parameters is None:
        assert name.startswith("SEED")
        trace = traced(call(sent(None, 20), **signalling))
        assert trace.streams[0].proof is None or not trace.streams[0].proof.verified
        return
    keys = SrtpKeys(parameters, secret[: suite.key], secret[suite.key :])
    media = [(1 + number * 0.02, build.udp(A, B, keys.protect_srtp(packet, 0))) for number, packet in enumerate(plain)]
    proof = stream_of(traced(call(media, **signalling)))
    assert (proof.verified, proof.failed) == (20, 0)
    assert proof.uses[0].suite == suite.name


@pytest.mark.parametrize("rate", [1, 4, 10])
def test_keys_that_are_derived_anew(rate: int) -> None:
    parameters = parameters_of(SDES_SUITES[_80])
    assert parameters is not None
    secret = build.master_key("a")
    keys = SrtpKeys(replace(parameters, key_derivation_rate=1 << rate), secret[:16], secret[16:])
    packets = [keys.protect_srtp(build.rtp(n, 160 * n, SSRC_A, build.noise(n, 20)), 0) for n in range(3000, 3100)]
    media = [(1 + number * 0.02, build.udp(A, B, packet)) for number, packet in enumerate(packets)]
    signalled = offer("RTP/SAVP", build.crypto("a", params=f" KDR={rate}"))
    assert stream_of(traced(call(media, offered=signalled))).verified == 100
    proof = stream_of(traced(call(sent(context("a"), sequence=3000), offered=signalled)))
    assert proof.diagnoses == {"key derivation": 60}


def test_content_that_is_only_authenticated_verifies() -> None:
    media = sent(context("a", unencrypted=True), content=build.pcmu_speech)
    signalled = offer("RTP/SAVP", build.crypto("a", params=" UNENCRYPTED_SRTP"))
    assert stream_of(traced(call(media, offered=signalled))).verified == 60


def test_without_tags_by_agreement_nothing_is_checked_and_nothing_verified() -> None:
    signalled = offer("RTP/SAVP", build.crypto("a", params=" UNAUTHENTICATED_SRTP"))
    for packets in (10, 200):
        proof = stream_of(traced(call(sent(context("a", unauthenticated=True), packets), offered=signalled)))
        assert (proof.packets, proof.verified, proof.failed, proof.unchecked) == (0, 0, 0, packets)
        assert not proof.uses
    proof = stream_of(traced(call(sent(None, content=build.pcmu_speech), offered=signalled)))
    assert (proof.diagnoses, proof.in_clear, proof.unchecked) == ({"in clear": 60}, 60, 0)


def test_packets_that_were_cut_when_captured_are_not_checked(tmp_path: Path) -> None:
    long = sent(context("a"), 40, content=lambda number: build.noise(number, 300 if number % 4 == 0 else 60))
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"srtp": KEYS}))
    proof = stream_of(build.audit_bytes(build.pcap(long, snap_length=260), keys=(file,)).trace)
    assert (proof.verified, proof.failed, proof.unchecked) == (30, 0, 10)


# --- the rollover counter -------------------------------------------------------------------------


def test_the_counter_follows_a_wrap() -> None:
    proof = stream_of(traced(call(sent(context("a"), 400, sequence=65_400))))
    assert (proof.verified, proof.failed) == (400, 0)
    assert (proof.uses[0].first_index, proof.uses[0].last_index) == (65_400, 65_799)


@pytest.mark.parametrize("rollover", [1, 2, 7, 1000, 40_000])
@pytest.mark.parametrize("suite", [_80, _32])
def test_the_counter_is_found_when_the_capture_begins_in_mid_call(rollover: int, suite: str) -> None:
    proof = stream_of(traced(sent(context("a", suite, roc=rollover), 80), keys=[key_row("a", suite)]))
    assert (proof.verified, proof.failed) == (80, 0)
    assert proof.uses[0].first_index == rollover << 16 | 100


def test_that_of_aes_gcm_is_found_too() -> None:
    proof = stream_of(traced(sent(context("a", GCM, roc=900), 80), keys=[key_row("a", GCM)]))
    assert (proof.verified, proof.failed) == (80, 0)


def test_a_short_tag_that_fits_by_chance_is_no_find() -> None:
    """A tag of two octets fits one of 65,536 counters by chance; the packets behind it tell."""
    secret = build.master_key("a")
    parameters = SrtpParameters("AES-CM", 16, 14, 2, 10)
    keys = SrtpKeys(parameters, secret[:16], secret[16:])
    # A stream of which the packet that is searched with, its fourth, fits a smaller counter by chance.
    for seed in range(100):
        octets = [build.rtp(n, 160 * n, SSRC_A, build.noise(n + 100 * seed, 20)) for n in range(60)]
        sent_packets = [keys.protect_srtp(packet, 50_000) for packet in octets]
        if keys.find_roc(sent_packets[3], range(50_000)) is not None:
            break
    stream = traced(sent(context("a"))).streams[0]
    key = KeyRing().add(secret, parameters, "two octets", KeyPlace("key file", None, ""))
    assert key is not None
    checked = StreamProof(
        stream, [Candidate(key, "key file", 0)], Otherwise([], 1), Effort(1), tracked=False, from_start=False
    )  # fmt: skip
    data = b"".join(sent_packets)
    ends = [len(sent_packets[0]) * (n + 1) for n in range(60)]
    starts = [0, *ends[:-1]]
    checked.take(Packets(data, starts, ends, list(range(1, 61)), list(range(60)), list(range(60))))
    proof = checked.finish()
    assert (proof.verified, proof.uses[0].first_index) == (60, 50_000 << 16)


def test_packets_that_are_lost_around_a_wrap(hour: list[build.Packet]) -> None:
    for kept in (hour[:50_000] + hour[69_000:], hour[:20_000] + hour[66_000:]):
        proof = stream_of(traced(kept, keys=KEYS))
        assert (proof.verified, proof.failed) == (len(kept), 0)


def test_packets_that_overtake_one_another_over_a_wrap(hour: list[build.Packet]) -> None:
    chance = random.Random(3)
    some = hour[65_236:65_636]
    shuffled = sorted(some, key=lambda packet: packet[0] + chance.random() * 0.5)
    kept = [(at, packet) for (at, _), (_, packet) in zip(some, shuffled, strict=True)]
    proof = stream_of(traced(kept, keys=KEYS))
    assert (proof.verified, proof.failed, proof.replayed) == (400, 0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_injected_moves_nothing(hour: list[build.Packet], seed: int) -> None:
    """Between the packets of a call over the wrap, with sequence numbers of all kinds."""
    chance = random.Random(seed)
    some = hour[64_000:67_000]
    mixed = list(some)
    for _ in range(1_500):
        mixed.append(garbage(chance, some[0][0] + chance.random() * 60))
    proof = stream_of(traced(build.in_time_order(mixed), keys=KEYS))
    assert (proof.verified, proof.failed) == (3_000, 1_500)
    assert set(proof.diagnoses) <= {"altered", "no key verifies"}


def test_a_flood_before_the_first_packet_of_a_call_in_its_second_hour(hour: list[build.Packet]) -> None:
    chance = random.Random(9)
    some = hour[70_000:71_000]
    flood = [garbage(chance, some[0][0] - 1 + number * 0.001) for number in range(700)]
    proof = stream_of(traced(flood + some, keys=KEYS))
    assert (proof.verified, proof.failed) == (1_000, 700)


def test_a_sender_whose_counter_is_wrong_from_the_start() -> None:
    proof = stream_of(traced(call(sent(context("a", roc=1)))))
    assert (proof.verified, proof.diagnoses) == (0, {"rollover counter": 60})
    assert proof.failures[0].detail == "off by +1"
    assert proof.first_failed == 6


def test_a_wrap_may_hide_in_the_second_before_the_first_packet() -> None:
    """The call is whole, and its first packets, the wrap among them, were not captured."""
    media = sent(context("a"), 200, sequence=65_500)[60:]
    proof = stream_of(traced(call(media)))
    assert (proof.verified, proof.failed) == (140, 0)
    assert proof.uses[0].first_index == 65_560


def test_a_sender_that_loses_its_counter(hour: list[build.Packet]) -> None:
    again = context("a")
    media = hour[:66_000] + sent(again, 100, content=content, sequence=564, at=1 + 66_000 * 0.02)
    trace = traced(media, keys=KEYS)
    proof = stream_of(trace)
    assert (proof.verified, proof.diagnoses) == (66_000, {"rollover counter": 100})
    assert (proof.first_failed, proof.last_failed) == (66_001, 66_100)
    assert proof.failures[0].detail == "off by -1"
    # The same content was sent under these numbers at the begin: the octets come again, but for the time stamps.
    assert not proof.replayed


def test_packets_of_the_first_hour_that_are_sent_again_in_the_second(hour: list[build.Packet]) -> None:
    replayed = [(hour[69_999][0] + 0.001 + number * 0.0005, data) for number, (_, data) in enumerate(hour[10:40])]
    proof = stream_of(traced(build.in_time_order(hour[:70_100], replayed), keys=KEYS))
    assert (proof.verified, proof.failed, proof.replayed) == (70_100, 0, 30)
    assert [each.second for each in proof.replays] == sorted(each.second for each in proof.replays)
    assert proof.replays[0].first == 11
    assert proof.replays[0].distance > 69_000


# --- captures ------------------------------------------------------------------------------------


def test_a_ring_of_files_is_one_stream(hour: list[build.Packet]) -> None:
    proof = stream_of(traced(hour[:20_000], hour[20_000:66_000], hour[66_000:], keys=KEYS))
    assert (proof.verified, proof.failed, proof.replayed) == (75_000, 0, 0)


def test_a_ring_with_a_file_missing(hour: list[build.Packet]) -> None:
    later = sent(context("a", roc=4), 500, content=content, at=5_000)
    proof = stream_of(traced(hour[:1_000], later, keys=KEYS))
    assert (proof.verified, proof.failed) == (1_500, 0)


@pytest.mark.parametrize("shift", [0.003, -0.4, 20.0])
def test_two_capture_points_show_one_stream(hour: list[build.Packet], shift: float) -> None:
    other = [(at + shift, data) for at, data in hour]
    trace = traced(hour, [packet for packet in other if packet[0] > 0], keys=KEYS)
    proof = stream_of(trace)
    assert (proof.verified, proof.failed, proof.replayed) == (75_000, 0, 0)
    assert trace.keys[0].srtp_packets == proof.uses[0].packets == 75_000
    assert not trace.keystream_reuse


def test_what_fails_at_two_capture_points_counts_once() -> None:
    packets = [
        changed(packet, lambda data: flipped(data, 200)) if number % 10 == 9 else packet
        for number, packet in enumerate(sent(context("a"), 100))
    ]
    proof = stream_of(traced(packets, [(at + 0.002, data) for at, data in packets], keys=KEYS))
    assert (proof.packets, proof.verified, proof.failed, proof.replayed) == (100, 90, 10, 0)


# --- re-keying ------------------------------------------------------------------------------------


def rekeyed(
    *media: list[build.Packet], method: str = "INVITE", seed: str = "a2", final: tuple[int, str] = (200, "OK")
) -> list[build.Packet]:
    """A call whose caller offers another key after 5 seconds; the answer comes 0.2 s later."""
    talk = build.Dialog()
    lines = build.audio(A[1], "RTP/SAVP", build.crypto(seed)), build.audio(B[1], "RTP/SAVP", build.crypto("b"))
    again, agreed = build.sdp(A[0], lines[0], version=2), build.sdp(B[0], lines[1], version=2)
    script = [
        (0.0, talk.request("INVITE", offer()), True),
        (0.5, talk.response(200, "OK", answer()), False),
        (0.51, talk.request("ACK"), True),
        (5.0, talk.request(method, again, in_dialog=True), True),
        (5.2, talk.response(*final, agreed if final[0] == 200 else b"", method=method), False),
    ]
    if method == "INVITE":
        script.append((5.21, talk.request("ACK"), True))
    return build.in_time_order(build.carry(talk, script), *media)


def switched(at: int, packets: int = 600, seed: str = "a2") -> list[build.Packet]:
    """Speech whose key changes with a packet; the numbers go on."""
    first = sent(context("a"), at)
    return first + sent(
        context(seed), packets - at, at=1 + at * 0.02, sequence=100 + at, timestamp=1_000 + 160 * at
    )  # fmt: skip


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("at", [201, 215, 300, 450])
def test_a_key_may_change_while_both_are_valid(method: str, at: int) -> None:
    """From the new offer until five seconds behind the answer (RFC 4568 §7.1.4)."""
    proof = stream_of(traced(rekeyed(switched(at), method=method)))
    assert (proof.verified, proof.failed) == (600, 0)
    assert [(use.relation, use.packets) for use in proof.uses] == [("agreed", at), ("agreed", 600 - at)]


def test_a_sender_that_stays_with_the_old_key() -> None:
    proof = stream_of(traced(rekeyed(switched(700, 700))))
    assert proof.verified == 461  # until 10.2 s
    assert proof.diagnoses == {"stale key": 239}
    assert [use.relation for use in proof.uses] == ["agreed", "stale key"]


def test_a_packet_of_the_old_key_between_those_of_the_new_one() -> None:
    packets = switched(215)
    late = sent(context("a"), 217)[215:]
    packets = build.in_time_order(packets[:216] + packets[218:], late)
    proof = stream_of(traced(rekeyed(packets)))
    assert (proof.verified, proof.failed) == (600, 0)


def test_a_refused_offer_leaves_the_key_as_it_was() -> None:
    refusal = (488, "Not Acceptable Here")
    assert stream_of(traced(rekeyed(switched(600), final=refusal))).verified == 600
    proof = stream_of(traced(rekeyed(switched(250), final=refusal)))
    assert (proof.verified, proof.diagnoses) == (250, {"offered": 350})
    assert proof.failures[0].frame == proof.first_failed == 3 + 2 + 250 + 1 + 1


# --- who a key is for -----------------------------------------------------------------------------


def test_media_before_the_answer() -> None:
    early = sent(context("b"), 60, ssrc=SSRC_B, source=B, destination=A, at=0.2)
    assert stream_of(traced(call(early)), SSRC_B).verified == 60


def test_a_call_whose_answer_was_not_captured() -> None:
    signalling = build.call(offer(), duration=None)[:1]
    proof = stream_of(traced(build.in_time_order(signalling, sent(context("a")))))
    assert (proof.verified, proof.failed) == (60, 0)


def test_early_media_and_the_final_answer_have_keys_of_their_own() -> None:
    early = build.sdp(B[0], build.audio(B[1], "RTP/SAVP", build.crypto("early")))
    first = sent(context("early"), 20, ssrc=SSRC_B, source=B, destination=A, at=0.12)
    then = sent(context("b"), 100, ssrc=SSRC_B + 1, source=B, destination=A, at=0.6)
    trace = traced(build.in_time_order(build.call(offer(), answer(), early=early), first, then))
    assert stream_of(trace, SSRC_B).verified == 20
    assert stream_of(trace, SSRC_B + 1).verified == 100


def test_two_answers_of_a_forked_call() -> None:
    """Each fork has a key of its own; the caller's is the same for both."""
    other = ("203.0.113.30", 6000)
    talk = build.Dialog()
    invite = talk.request("INVITE", offer())
    fork = build.sdp(other[0], build.audio(other[1], "RTP/SAVP", build.crypto("c")))
    script = [
        (0.0, invite, True),
        (0.2, talk.response(183, "Session Progress", answer(), to_tag="one"), False),
        (0.3, talk.response(183, "Session Progress", fork, to_tag="two"), False),
        (0.5, talk.response(200, "OK", fork, to_tag="two"), False),
    ]
    media = [
        sent(context("b"), 30, ssrc=SSRC_B, source=B, destination=A, at=0.25),
        sent(context("c"), 30, ssrc=0x0C, source=other, destination=A, at=0.35),
        sent(context("a"), 30, source=A, destination=other, at=0.6),
    ]
    trace = traced(build.in_time_order(build.carry(talk, script), *media))
    assert [stream_of(trace, ssrc).verified for ssrc in (SSRC_B, 0x0C, SSRC_A)] == [30, 30, 30]


def test_legs_of_a_gateway_that_hands_keys_on() -> None:
    """The same packets under the same keys on both legs: verified twice, replayed never."""
    inside, outside = ("10.0.0.1", 5060), ("10.0.0.2", 5060)
    gateway = build.Dialog(caller=inside, callee=outside, call_id="leg-2@test")
    far = ("10.0.0.2", 9000)
    second = build.call(
        build.sdp("10.0.0.1", build.audio(9000, "RTP/SAVP", build.crypto("a"))),
        build.sdp("10.0.0.2", build.audio(9000, "RTP/SAVP", build.crypto("b"))),
        dialog=gateway, at=0.05,
    )  # fmt: skip
    media = sent(context("a"), 60)
    relayed = [
        (at + 0.001, build.udp(("10.0.0.1", 9000), far, data[42:])) for at, data in sent(context("a"), 60)
    ]  # fmt: skip
    trace = traced(build.in_time_order(build.call(offer(), answer()), second, media, relayed))
    assert len(trace.streams) == 2
    for stream in trace.streams:
        assert stream.proof is not None
        assert (stream.proof.verified, stream.proof.replayed, stream.proof.failed) == (60, 0, 0)
    assert not trace.keystream_reuse


def test_a_key_of_the_file_is_for_its_sender_alone() -> None:
    media = build.in_time_order(
        sent(context("a")), sent(context("b"), ssrc=SSRC_B, source=B, destination=A), sent(context("z"), ssrc=9)
    )
    trace = traced(media, keys=[key_row("a", ssrc=f"0x{SSRC_A:08x}"), key_row("b", ssrc=SSRC_A)])
    assert stream_of(trace).verified == 60
    assert [each.proof is not None for each in trace.streams if each.ssrc != SSRC_A] == [False, False]
    assert [note.text for note in trace.notes] == ["key file, srtp[1]: verifies no packet"]


def test_one_key_of_the_file_for_several_senders() -> None:
    media = build.in_time_order(sent(context("a")), sent(context("a"), ssrc=SSRC_B, at=1.01))
    trace = traced(media, keys=[key_row("a", ssrc=SSRC_A), key_row("a", ssrc=SSRC_B)])
    assert [stream_of(trace, ssrc).verified for ssrc in (SSRC_A, SSRC_B)] == [60, 60]


def test_a_key_without_a_selector_says_nothing_of_streams_that_it_does_not_fit() -> None:
    media = build.in_time_order(sent(context("a")), sent(context("z"), ssrc=9, at=1.01))
    trace = traced(media, keys=[key_row("a")])
    assert stream_of(trace).verified == 60
    assert next(each for each in trace.streams if each.ssrc == 9).proof is None


def test_a_key_with_a_selector_that_does_not_fit_is_wrong() -> None:
    trace = traced(sent(context("z")), keys=[key_row("a", ssrc=SSRC_A)])
    assert stream_of(trace).diagnoses == {"no key verifies": 60}
    assert [note.text for note in trace.notes] == ["key file, srtp[0]: verifies no packet"]


def test_the_right_one_of_very_many_keys() -> None:
    rows = [key_row(f"other {number}") for number in range(600)]
    assert stream_of(traced(sent(context("a")), keys=[*rows, key_row("a")])).verified == 60


def test_mkis_select_one_of_several_keys_of_a_line() -> None:
    keys = [key_row(seed)["key_and_salt_base64"] for seed in ("a", "a2")]
    line = f"a=crypto:1 {_80} inline:{keys[0]}|2^20|1:2;inline:{keys[1]}|2^20|2:2"
    media = sent(context("a", mki=b"\0\1"), 50) + sent(context("a2", mki=b"\0\2"), 50, at=2, sequence=150)
    proof = stream_of(traced(call(media, offered=offer("RTP/SAVP", line))))
    assert (proof.verified, proof.failed) == (100, 0)
    assert [use.packets for use in proof.uses] == [50, 50]


def test_media_in_gtp_u_and_by_rfc_4571() -> None:
    media = sent(context("a"), 40)
    inner = [(at, data[14:]) for at, data in media]
    tunnelled = [
        (
            at,
            build.udp(
                ("10.1.1.1", 2152), ("10.1.1.2", 2152),
                b"\x30\xff" + len(packet).to_bytes(2, "big") + b"\0\0\0\7" + packet,
            ),
        )
        for at, packet in inner
    ]  # fmt: skip
    assert stream_of(traced(tunnelled, keys=KEYS)).verified == 40
    connection = build.TcpConnection(A, B)
    packets = connection.open(0.5)
    for at, data in media:
        framed = (len(data) - 42).to_bytes(2, "big") + data[42:]
        packets += connection.send(at, framed)
    assert stream_of(traced(packets, keys=KEYS)).verified == 40


# --- two processes --------------------------------------------------------------------------------


def test_two_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    media, keys = [], []
    for number in range(24):
        seed = f"k{number // 2 % 5}"
        stream = sent(
            context(seed), 60, ssrc=number // 2, source=(A[0], 4000 + number % 7), destination=B,
            content=lambda each, number=number: build.noise(each + number, 30), at=1 + number * 0.001,
        )  # fmt: skip
        media += [
            changed(packet, lambda data: flipped(data, chance.randrange(100))) if chance.random() < 0.05 else packet
            for packet in stream
        ] + stream[:3]
        keys.append(key_row(seed, ssrc=number // 2))
    media = build.in_time_order(media)
    alone = traced(media, keys=keys)
    monkeypatch.setattr(module, "WORTH_IT", 0)
    monkeypatch.setattr(module, "processors", lambda: 2)
    both = traced(media, keys=keys)
    assert both.keystream_reuse
    assert any(stream.proof and stream.proof.failed for stream in both.streams)
    assert both.keystream_reuse == alone.keystream_reuse
    assert [each.proof for each in both.streams] == [each.proof for each in alone.streams]
    assert [each.proof for each in both.rtcp_sources] == [each.proof for each in alone.rtcp_sources]
    assert both.keys == alone.keys
    assert both.notes == alone.notes

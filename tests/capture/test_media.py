"""Media streams and RTCP in columns, against a plain Python reading of the same packets; and what is sighted twice."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.capture import media
from imsinspect.capture.sightings import Datagram, once
from tests import build

ENDS = (("192.0.2.10", 4000), ("198.51.100.20", 4002))
HALF = 1 << 15


class Counted(NamedTuple):
    """What a plain reader counts of a stream."""

    packets: int
    lowest: int
    highest: int
    follow: int


def reference(numbers: list[int]) -> Counted:
    """One packet after the other, by signed 16-bit steps (RFC 3550 A.1)."""
    current = low = high = numbers[0]
    follow = 0
    for number in numbers[1:]:
        step = ((number - current + HALF) & 0xFFFF) - HALF
        follow += step == 1
        current += step
        low, high = min(low, current), max(high, current)
    return Counted(len(numbers), low, high, follow)


def frame(
    number: int, ssrc: int = 7, size: int = 20, kind: int = 0, identification: int | None = None, ttl: int = 64
) -> bytes:
    """A media packet whose octets differ with its number."""
    packet = build.rtp(number & 0xFFFF, number * 160, ssrc, build.noise(number & 0xFFFFFF, size), payload_type=kind)
    return build.udp(
        *ENDS, packet, identification=(number if identification is None else identification) & 0xFFFF, ttl=ttl
    )


def capture(frames: list[bytes], interval: float = 0.02) -> bytes:
    """Packets at even intervals."""
    return build.pcap([(n * interval, each) for n, each in enumerate(frames)])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-40, 300)), min_size=1, max_size=120),
    st.integers(0, 0xFFFF),
    st.sampled_from([1 << 16, 16 << 20]),
)
def test_counts_and_sequence_numbers_are_those_of_a_plain_reader(tmp_path_factory, steps, first, window):
    from tests.capture.conftest import pass_over

    current: dict[int, int] = {}
    sent: dict[int, list[int]] = {}
    frames = []
    for ssrc, step in steps:
        current[ssrc] = current.get(ssrc, first) + (step or 1)
        sent.setdefault(ssrc, []).append(current[ssrc] & 0xFFFF)
        frames.append(frame(current[ssrc], ssrc, identification=len(frames)))
    path = tmp_path_factory.mktemp("media") / "x.pcap"
    path.write_bytes(capture(frames))
    streams = pass_over(path, window).found.streams.streams()
    found = {each.ssrc: Counted(each.packets, each.lowest, each.highest, each.follow) for each in streams}
    assert found == {ssrc: reference(numbers) for ssrc, numbers in sent.items()}


def test_loss_is_the_span_of_sequence_numbers_without_the_packets(read):
    numbers = [n for n in range(65_400, 66_400) if n % 50]
    (found,) = read(capture([frame(n) for n in numbers])).found.streams.streams()
    assert found.packets == 980
    assert found.highest - found.lowest + 1 - found.packets == 19
    assert (found.first_frame, found.last_frame) == (1, 980)


def test_two_wraps_are_counted(read):
    (found,) = read(capture([frame(n * 20_000) for n in range(10)])).found.streams.streams()
    assert (found.lowest, found.highest) == (0, 180_000)


def test_sizes_are_told_by_payload_type_and_length(read):
    frames = [frame(n, size=20) for n in range(4)] + [frame(4, size=33, kind=101), frame(5, size=20)]
    (found,) = read(capture(frames)).found.streams.streams()
    assert sorted(found.sizes) == [(0, 20, 5, 1, 6), (101, 33, 1, 5, 5)]


def test_csrc_and_extension_are_no_payload(read):
    packet = build.rtp(1, 1, 7, b"p" * 33, csrc=(1, 2), extension=b"e" * 8)
    found = read(capture([build.udp(*ENDS, packet)] * 1)).found.streams.streams()[0]
    assert found.sizes == [(0, 33, 1, 1, 1)]
    assert found.samples[0].payload == b"p" * 33
    assert found.samples[0].csrc == bytes.fromhex("0000000100000002")
    assert found.samples[0].extension == bytes.fromhex("bede0002") + b"e" * 8


def test_a_header_that_is_cut_off_keeps_nothing_of_the_next_packet(read):
    packet = build.udp(*ENDS, build.rtp(1, 1, 7, b"p" * 33, csrc=(1, 2), extension=b"e" * 8))
    (found,) = read(build.pcap([(0.0, packet), (0.02, packet)], snap_length=14 + 28 + 18)).found.streams.streams()
    assert (found.samples[0].csrc, found.samples[0].extension) == (bytes.fromhex("000000010000"), b"")


def test_an_extension_longer_than_its_packet_leaves_an_empty_payload(read):
    packet = bytearray(build.rtp(1, 1, 7, b"p" * 33, extension=b"e" * 8))
    packet[14:16] = b"\xff\xff"
    found = read(capture([build.udp(*ENDS, bytes(packet))])).found.streams.streams()[0]
    assert [each.length for each in found.sizes] == [0]
    assert found.samples[0].payload == b""


def test_samples_are_bounded_and_spread_over_the_stream(read):
    (found,) = read(capture([frame(n) for n in range(20_000)])).found.streams.streams()
    assert [each.sequence for each in found.samples[:12]] == list(range(12))
    assert len(found.samples) <= media.FIRST_SAMPLES + media.SPREAD_SAMPLES
    assert max(each.frame for each in found.samples) > 15_000
    assert found.samples[3].payload == build.noise(3, 20)


def test_the_packets_around_a_step_far_back_are_kept(read):
    numbers = [*range(20_001, 21_000), *range(101, 1_200), *range(1_203, 1_190, -1), *range(1_200, 1_400)]
    (found,) = read(capture([frame(n) for n in numbers])).found.streams.streams()
    kept = [each.sequence for each in found.samples]
    at = kept.index(101)
    assert kept[at - 1 : at + 4] == [20_999, 101, 102, 103, 104]
    assert len(kept) <= media.FIRST_SAMPLES + media.SPREAD_SAMPLES + 5


def test_packets_around_steps_back_are_bounded(read):
    numbers = [each + 5_000 * (each % 2) for each in range(4_000)]
    (found,) = read(capture([frame(n) for n in numbers])).found.streams.streams()
    assert len(found.samples) <= media.FIRST_SAMPLES + media.JUMP_SAMPLES + media.SPREAD_SAMPLES


def test_two_sightings_of_a_stream_keep_the_same_packets_of_its_middle(read):
    low, high = ([frame(n) for n in range(start, 4_000)] for start in (0, 100))
    spread = [
        {each.sequence for each in read(capture(each)).found.streams.streams()[0].samples if each.sequence > 1_000}
        for each in (low, high)
    ]
    assert spread[0] == spread[1]
    assert len(spread[0]) > 5


# --- sighted twice --------------------------------------------------------------------------------


def doubled(seconds: float, packets: int = 400, **second: int) -> list[build.Packet]:
    """A stream with another sighting of every packet, some time behind the first."""
    first = [(n * 0.02, frame(n)) for n in range(packets)]
    again = [(n * 0.02 + seconds, frame(n, **second)) for n in range(packets)]
    return build.in_time_order(first, again)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.019, 0.03, 0.05])
@pytest.mark.parametrize("ttl", [64, 63])
def test_a_packet_sighted_twice_is_counted_once(read, seconds, ttl):
    (found,) = read(build.pcap(doubled(seconds, ttl=ttl))).found.streams.streams()
    assert (found.packets, found.sighted_again) == (400, 400)
    assert sum(each.packets for each in found.sizes) == 400
    assert len({each.sequence for each in found.samples}) == len(found.samples)


def test_a_second_sighting_with_another_identification_counts_by_its_ttl(read):
    (found,) = read(build.pcap(doubled(0.01, identification=60_000, ttl=60))).found.streams.streams()
    assert (found.packets, found.sighted_again) == (400, 400)


def test_a_retransmission_with_a_new_identification_is_another_packet(read):
    (found,) = read(build.pcap(doubled(0.01, identification=60_000))).found.streams.streams()
    assert (found.packets, found.sighted_again) == (800, 0)


def test_the_same_octets_after_more_than_fifty_milliseconds_are_another_packet(read):
    (found,) = read(build.pcap(doubled(0.051))).found.streams.streams()
    assert (found.packets, found.sighted_again) == (800, 0)


def test_inside_and_outside_of_a_tunnel_are_two_sightings(read):
    outer = [(at + 0.001, gtp(data[14:])) for at, data in [(n * 0.02, frame(n)) for n in range(100)]]
    inner = [(n * 0.02, frame(n)) for n in range(100)]
    (found,) = read(build.pcap(build.in_time_order(inner, outer))).found.streams.streams()
    assert (found.packets, found.sighted_again) == (100, 100)


def gtp(inner: bytes) -> bytes:
    """A T-PDU of GTP-U."""
    head = b"\x30\xff" + len(inner).to_bytes(2, "big") + b"\0\0\0\1"
    return build.udp(("10.9.0.1", 2152), ("10.9.0.2", 2152), head + inner)


@pytest.mark.parametrize("window", [4096 * n for n in (1, 2, 3)])
def test_second_sightings_at_the_ends_of_windows_are_known(read, window):
    (found,) = read(build.pcap(doubled(0.03)), window).found.streams.streams()
    assert (found.packets, found.sighted_again) == (400, 400)


def test_streams_of_single_packets_are_forgotten_when_there_are_too_many(read, monkeypatch):
    monkeypatch.setattr(media, "PRUNE_AT", 500)
    chance = [(n * 0.1, frame(n, ssrc=1_000 + n)) for n in range(1_000)]
    stream = [(n * 0.02, frame(n, size=30)) for n in range(5_000)]
    found = read(build.pcap(build.in_time_order(chance, stream)), 1 << 16).found
    assert found.streams.forgotten > 300
    assert found.streams.forgotten + found.streams.table.count == 1_001
    whole = [each for each in found.streams.streams() if each.packets > 1]
    assert [(each.packets, each.ssrc, sum(size.packets for size in each.sizes)) for each in whole] == [
        (5_000, 7, 5_000)
    ]


def datagram(time: int, frame: int, identification: int, ttl: int, data: bytes = b"x") -> Datagram:
    """A datagram of signalling."""
    return Datagram(time * 1_000_000, (frame,), b"path", identification, ttl, 0, False, data)


def test_datagrams_of_signalling_are_told_apart_likewise():
    found = once(
        [
            datagram(0, 1, 5, 64),
            datagram(1, 2, 5, 64),
            datagram(20, 3, 6, 64),
            datagram(21, 4, 6, 63),
            datagram(30, 5, 7, 64, b"y"),
            datagram(100, 6, 5, 64),
        ]
    )
    assert [each.frames for each in found] == [(1, 2), (3, 4), (5,), (6,)]


def test_a_flood_of_equal_datagrams_is_gone_through_in_one_way():
    found = list(once(datagram(0, n, n, 64) for n in range(50_000)))
    assert len(found) == 50_000


# --- RTCP -----------------------------------------------------------------------------------------

CONTROL = (("192.0.2.10", 4001), ("198.51.100.20", 4003))


def senders(read, *packets: bytes, again: bool = False):
    """The senders of control packets."""
    frames = [(n * 1.0, build.udp(*CONTROL, each, identification=n)) for n, each in enumerate(packets)]
    more = [(at + 0.01, data) for at, data in frames] if again else []
    return read(build.pcap(build.in_time_order(frames, more))).found.rtcp.senders()


def test_a_compound_is_one_plain_datagram(read):
    compound = build.sender_report(7) + build.source_description(7) + build.goodbye(7)
    (found,) = senders(read, compound, build.receiver_report(7, 8, 9))
    assert (found.ssrc, found.packets, found.plain) == (7, 2, 2)
    assert (found.first_plain, found.last_plain) == (1, 2)
    assert found.plain_samples[0].data == compound


def test_srtcp_is_not_plain_as_its_lengths_do_not_fill_the_datagram(read):
    srtp = build.Srtp(build.master_key("a"))
    protected = [srtp.protect_rtcp(build.sender_report(7) + build.source_description(7)) for _ in range(5)]
    (found,) = senders(read, *protected)
    assert (found.packets, found.plain) == (5, 0)
    assert [each.data for each in found.other_samples] == protected


def test_samples_of_control_packets_are_bounded(read):
    (found,) = senders(read, *(build.sender_report(7, packets=n) for n in range(300)))
    assert (found.packets, len(found.plain_samples)) == (300, 8)


def test_control_packets_sighted_twice_count_once(read):
    srtp = build.Srtp(build.master_key("a"))
    packets = [build.sender_report(7, packets=n) for n in range(20)]
    packets += [srtp.protect_rtcp(build.sender_report(7)) for _ in range(20)]
    (found,) = senders(read, *packets, again=True)
    assert (found.packets, found.plain, found.sighted_again) == (40, 20, 40)
    assert len(found.other_samples) == 20


def test_the_ends_of_control_packets_are_kept_behind_the_samples(read):
    srtp = build.Srtp(build.master_key("a"))
    protected = [srtp.protect_rtcp(build.sender_report(7, packets=n)) for n in range(100)]
    packets = [*protected[:70], build.sender_report(7), *protected[70:]]
    (found,) = senders(read, *packets)
    assert found.ends is not None
    assert [row.tobytes() for row in found.ends.octets][-36:] == [each[-32:] for each in protected[64:]]
    assert found.ends.frame.tolist()[-36:] == [*range(65, 71), *range(72, 102)]
    assert set(found.ends.length.tolist()) == {42}
    (few,) = senders(read, *protected[:64])
    assert few.ends is None


@pytest.mark.parametrize("kind", [196, 199, 214, 223])
def test_a_first_packet_of_an_unknown_type_is_no_rtcp(read, kind):
    assert senders(read, bytes((0x80, kind, 0, 1)) + bytes(4)) == []


def test_a_length_beyond_the_datagram_is_no_rtcp(read):
    assert senders(read, bytes((0x80, 200, 0, 7)) + bytes(24)) == []


def test_a_compound_whose_second_length_does_not_fit_is_not_plain(read):
    (found,) = senders(read, build.sender_report(7) + bytes((0x81, 202, 0, 9)) + bytes(8))
    assert (found.packets, found.plain) == (1, 0)

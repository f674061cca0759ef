"""The walk in lanes finds the records that the plain loop finds, and windows of any size give the same answers."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.capture.records import record_walk
from imsinspect.capture.rows import PAD
from tests import build

if TYPE_CHECKING:
    from imsinspect.capture.first_pass import FirstPass

SIZES = [1 << 18, 1 << 20, 16 << 20]


def pcapng(packets: list[tuple[float, bytes]], order: str = "<") -> bytes:
    """A pcapng file of one interface, microseconds."""
    out = [struct.pack(order + "IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)]
    out.append(struct.pack(order + "IIHHII", 1, 20, 1, 0, 0, 20))
    for at, data in packets:
        stamp = (build.START * 10**6) + round(at * 10**6)
        size = 32 + len(data) + -len(data) % 4
        out.append(struct.pack(order + "IIIIIII", 6, size, 0, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data)))
        out.append(data + bytes(-len(data) % 4) + struct.pack(order + "I", size))
    return b"".join(out)


def offsets(data: bytes, start: int = 0, **broken: Any) -> tuple[list[int], int]:
    """Frames found by the walk in one window, as (number, time, length) hashes, and how often lanes were given up."""
    walk = record_walk(data[:64])
    array = np.frombuffer(data + bytes(PAD), np.uint8)
    found: list[int] = []
    for records in walk.records(array, walk.first, len(data)):
        found += [*zip(records.frames.tolist(), records.when.tolist(), records.captured.tolist(), strict=True)]
    return found, walk.facts.fallbacks


def plain(data: bytes, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The same by the plain loop alone."""
    kind = type(record_walk(data[:64]))
    with monkeypatch.context() as patch:
        patch.setattr(kind, "_lanes", kind._plain)
        return offsets(data)[0]


def mixed(seed: int, packets: int, largest: int) -> list[tuple[float, bytes]]:
    """Packets of any octets and lengths; some carry whole captures, so that nearly every guess is wrong."""
    chance = random.Random(seed)
    decoy = build.pcap([(0.1 * n, bytes(60)) for n in range(40)])
    out = []
    for number in range(packets):
        size = chance.choice((0, 60, 214, chance.randrange(largest)))
        data = chance.randbytes(size)
        if chance.random() < 0.05:
            data = decoy * chance.randrange(1, 6)
        out.append((number * 0.001, data))
    return out


@pytest.mark.parametrize("form", ["<", ">", "<ng", ">ng", "<ns"])
@pytest.mark.parametrize("largest", [61, 1_500, 9_000])
def test_lanes_find_what_the_plain_loop_finds(form, largest, monkeypatch):
    packets = mixed(7, 3_000, largest)
    data = (
        pcapng(packets, form[0]) if "ng" in form else build.pcap(packets, byte_order=form[0], nanoseconds="ns" in form)
    )
    found, _ = offsets(data)
    assert len(found) == 3_000
    assert [each[2] for each in found] == [len(octets) for _, octets in packets]
    assert found == plain(data, monkeypatch)


def test_lanes_are_not_given_up_on_an_ordinary_capture():
    packets = [(number * 0.001, build.noise(number % 50, 100 + number % 300)) for number in range(20_000)]
    for data in (build.pcap(packets), build.pcap(packets, byte_order=">"), pcapng(packets), pcapng(packets, ">")):
        found, fallbacks = offsets(data)
        assert len(found) == 20_000
        assert fallbacks == 0


def test_a_capture_inside_packets_misleads_the_guesses_and_not_the_answer(monkeypatch):
    decoy = build.pcap([(0.01 * n, bytes(200)) for n in range(250)])
    for data in (
        build.pcap([(n * 0.1, decoy) for n in range(40)]),
        pcapng([(n * 0.1, pcapng([(0, decoy)])) for n in range(40)]),
    ):
        found, _ = offsets(data)
        assert len(found) == 40
        assert found == plain(data, monkeypatch)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3_000), max_size=400), st.booleans(), st.sampled_from("<>"))
def test_any_lengths_chain(sizes, blocks, order):
    packets = [(number * 0.01, bytes([number & 0xFF]) * size) for number, size in enumerate(sizes)]
    data = pcapng(packets, order) if blocks else build.pcap(packets, byte_order=order)
    assert [each[2] for each in offsets(data)[0]] == sizes


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.booleans(), st.sampled_from("<>"))
def test_any_octets_behind_a_header_end_the_walk(octets, blocks, order):
    head = pcapng([(0, b"x" * 50)], order) if blocks else build.pcap([(0, b"x" * 50)], byte_order=order)
    assert offsets(head + octets)[0][0][2] == 50


# --- windows --------------------------------------------------------------------------------------


def story() -> bytes:
    """Calls over UDP and TCP, media sighted twice, RTCP, fragments and ESP, in three megabytes."""
    parts = [build.call(build.sdp("192.0.2.10", build.audio(4000)), build.sdp("198.51.100.20", build.audio(4002)))]
    talk = build.Dialog(call_id="tcp@test", transport="TCP", caller=("192.0.2.30", 5070))
    parts.append(build.call(build.sdp("192.0.2.30", build.audio(4010)), dialog=talk, duration=9.0))
    for number in range(4):
        ends = (("192.0.2.10", 4000 + 2 * number), ("198.51.100.20", 6000))
        stream = build.rtp_stream(*ends, 7 + number, build.speech(20) * 100, at=1 + number * 0.001, sequence=65_000)
        parts.append([(at, data) for at, data in stream])
        if number < 2:
            parts.append([(at + 0.004, data[:22] + b"\x3f" + data[23:]) for at, data in stream])
        ends = ((ends[0][0], ends[0][1] + 1), ("198.51.100.20", 6001))
        parts.append([(1 + n, build.udp(*ends, build.sender_report(7, packets=n, timestamp=n))) for n in range(30)])
    parts.append(
        [
            (2 + n, build.esp_null(build.ALICE, build.BOB, b"ACK sip:b SIP/2.0\r\n\r\n", spi=9, sequence=n))
            for n in range(20)
        ]
    )
    return build.pcap(build.in_time_order(*parts))


def summary(found: FirstPass) -> list[Any]:
    """Everything a first pass found, in a form that compares."""
    streams = [
        (
            each.identity, each.packets, each.sighted_again, each.first_time, each.last_time, each.first_frame,
            each.last_frame, each.lowest, each.highest, each.follow, sorted(each.sizes), each.samples, each.origin,
        )
        for each in found.streams.streams()
    ]  # fmt: skip
    connections = [(each.kind, each.segments) for each in found.signalling.connections]
    names = [each.tobytes() for each in found.flows.identity]  # the numbers of flows follow windows
    datagrams = sorted((each._replace(flow=0), names[each.flow]) for each in found.signalling.datagrams)
    flows = sorted(zip(names, found.flows.packets.tolist(), strict=True))[-found.flows.table.count :]
    return [streams, found.rtcp.senders(), datagrams, connections, flows]


def test_the_answers_do_not_depend_on_the_size_of_the_window(read):
    data = story()
    assert len(data) > 2 * SIZES[0]
    expected = read(data, SIZES[-1])
    assert expected.whole
    streams = expected.found.streams.streams()
    assert [(each.packets, each.sighted_again) for each in streams] == [
        (2000, 2000),
        (2000, 2000),
        (2000, 0),
        (2000, 0),
    ]
    assert [each.packets for each in expected.found.rtcp.senders()] == [30] * 4
    for size in (1 << 16, 100_000, *SIZES[:-1]):
        passed = read(data, size)
        assert passed.whole
        assert summary(passed.found) == summary(expected.found)


@pytest.mark.parametrize("size", [4096 * 17, 4096 * 18, 4096 * 33])
def test_records_across_the_ends_of_windows_are_whole(read, size):
    sip = b"OPTIONS sip:bob@example.org SIP/2.0\r\nCall-ID: 1\r\n\r\n"
    packets = [(n * 0.1, build.udp(build.ALICE, build.BOB, sip + b"x" * (n % 700))) for n in range(2_000)]
    for data in (build.pcap(packets), pcapng(packets)):
        assert read(data, size).frames == list(range(1, 2_001))

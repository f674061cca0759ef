"""Capture files from bytes: every variant of pcap and pcapng, compressed or not, whole or damaged."""

from __future__ import annotations

import gzip
import io
import random
import struct
import sys
import zlib

import pytest
import zstandard

from imsinspect.capture.errors import CaptureError, UsageError
from imsinspect.capture.records import record_walk
from imsinspect.capture.source import expand, is_capture_name, open_capture
from tests import build

SIP = b"OPTIONS sip:bob@example.org SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
FRAME = build.udp(build.ALICE, build.BOB, SIP)
P = bytes.fromhex("4500002000010000401166ca0a0000010a00000213c413c4000caa370d0a0d0a")
SAMPLES = {
    "<": (
        "0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000",
        "010000002c000000650000000000000009000100090000000e000800e803000000000000000000002c000000",
        "060000004c00000000000000159c971715bde0682000000020000000" + P.hex() + "0200040001000000000000004c000000",
        "030000003000000020000000" + P.hex() + "30000000",
    ),
    ">": (
        "0a0d0d0a0000001c1a2b3c4d00010000ffffffffffffffff0000001c",
        "000000010000002c00650000000000000009000109000000000e000800000000000003e8000000000000002c",
        "000000060000004c0000000017979c1568e0bd150000002000000020" + P.hex() + "0002000400000001000000000000004c",
        "000000030000003000000020" + P.hex() + "00000030",
    ),
}


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block around a body."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    """A section header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """An option, padded."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(link: int = 1, options: bytes = b"", order: str = "<", snaplen: int = 0) -> bytes:
    """An interface description."""
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def packet(data: bytes, stamp: int = 0, face: int = 0, order: str = "<", original: int | None = None) -> bytes:
    """An enhanced packet block."""
    size = len(data) if original is None else original
    head = struct.pack(order + "IIIII", face, stamp >> 32, stamp & 0xFFFFFFFF, len(data), size)
    return block(6, head + data, order)


# --- pcap -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_a_pcap_file_of_either_byte_order_and_resolution_is_read(read, byte_order, nanoseconds):
    data = build.pcap([(0.5, FRAME), (1.25, FRAME)], byte_order=byte_order, nanoseconds=nanoseconds)
    passed = read(data)
    assert passed.whole
    assert passed.facts.name == "pcap"
    assert passed.facts.packets == 2
    assert passed.facts.first_time == build.START * 10**9 + 500_000_000
    assert passed.facts.last_time == build.START * 10**9 + 1_250_000_000
    assert passed.datagrams == [SIP, SIP]
    assert passed.frames == [1, 2]
    assert passed.found.cut_packets == 0


def test_a_frame_check_sequence_is_no_payload(read):
    offloaded = bytearray(FRAME)
    offloaded[16:18] = b"\0\0"  # a total length of zero: only the frame tells where the packet ends
    offloaded[38:40] = struct.pack("!H", 8 + len(SIP) + 4)
    data = build.pcap([(0, bytes(offloaded) + b"\xde\xad\xbe\xef")], link_type=0x24000001)
    assert read(data).datagrams == [SIP]


def test_a_fraction_beyond_a_second_is_normalised(read):
    data = build.pcap([(0, FRAME)])
    data = data[:28] + struct.pack("<I", 3_500_000) + data[32:]
    assert read(data).facts.first_time == (build.START + 3) * 10**9 + 500_000_000


@pytest.mark.parametrize("version", [(2, 3), (2, 2), (543, 0), (1, 4)])
def test_another_version_of_pcap_is_rejected_by_its_number(version):
    data = build.pcap([])
    with pytest.raises(CaptureError, match=rf"pcap version {version[0]}\.{version[1]} is not supported"):
        record_walk(data[:4] + struct.pack("<HH", *version) + data[8:])


@pytest.mark.parametrize(
    ("magic", "name"),
    [
        ("34cdb2a1", "Kuznetzov"),
        ("a1b2cd34", "Kuznetzov"),
        ("cd34b2a1", "0xa1b234cd"),
        ("a1b234cd", "0xa1b234cd"),
        ("cbc3b2a1", "0xa1b2c3cb"),
        ("a1b2c3cb", "0xa1b2c3cb"),
        ("4d3c2ba1", "0xa12b3c4d"),
        ("a12b3c4d", "0xa12b3c4d"),
        ("04224d18", "LZ4"),
        ("736e6f6f70000000", "snoop"),
        ("00000000", "not a capture"),
        ("47455420", "not a capture"),
    ],
)
def test_what_is_not_read_is_rejected_by_name(magic, name):
    with pytest.raises(CaptureError, match=name):
        record_walk(bytes.fromhex(magic) + bytes(60))


def test_an_empty_file_and_a_cut_header_are_no_captures(tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(b"")
    with pytest.raises(CaptureError, match="empty"):
        open_capture(str(path))
    path.write_bytes(build.pcap([])[:20])
    with pytest.raises(CaptureError, match="cut short"):
        open_capture(str(path))


def test_a_header_without_packets_is_a_whole_capture(read):
    passed = read(build.pcap([]))
    assert passed.whole
    assert passed.facts.packets == 0
    assert passed.facts.first_time is None


@pytest.mark.parametrize("cut", [1, len(FRAME), len(FRAME) + 15])
def test_a_file_that_ends_inside_a_record_keeps_what_came_before(read, cut):
    passed = read(build.pcap([(0, FRAME), (1, FRAME)])[:-cut])
    assert not passed.whole
    assert passed.facts.packets == 1
    assert passed.datagrams == [SIP]


def test_an_absurd_record_length_ends_the_reading_with_a_note(read):
    data = build.pcap([(0, FRAME)]) + struct.pack("<IIII", build.START, 0, 0x7FFFFFFF, 0x7FFFFFFF) + bytes(4000)
    passed = read(data)
    assert not passed.whole
    assert passed.datagrams == [SIP]
    assert passed.facts.notes == ["a record claims 2147483647 octets, which no packet has: read up to there"]


def test_a_packet_cut_by_the_snap_length_is_counted_and_kept_as_cut(read):
    passed = read(build.pcap([(0, FRAME)], snap_length=80))
    assert passed.found.cut_packets == 1
    kept = passed.found.signalling.datagrams[0]
    assert kept.cut
    assert kept.data == SIP[:38]


def test_an_unsupported_link_type_is_counted_and_named(read):
    passed = read(build.pcap([(0, FRAME)], link_type=147))
    assert passed.facts.packets == 1
    assert passed.facts.notes == ["packets of link type 147 are counted and not read: the type is not supported"]


# --- pcapng ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_sample_section_gives_its_packet_and_time(read, order):
    passed = read(bytes.fromhex("".join(SAMPLES[order])))
    assert passed.whole
    assert passed.facts.name == "pcapng"
    assert passed.facts.links == [101]
    assert passed.facts.packets == 2
    assert passed.facts.first_time == passed.facts.last_time == 1_700_000_000_123_456_789
    assert passed.found.flows.packets.sum() == 2


def test_two_sections_of_different_byte_order_are_one_capture(read):
    passed = read(bytes.fromhex("".join(SAMPLES["<"]) + "".join(SAMPLES[">"])))
    assert passed.whole
    assert passed.facts.packets == 4
    assert passed.found.flows.packets[0] == 4


@pytest.mark.parametrize(
    ("resolution", "stamp", "expected"),
    [
        (None, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
        (12, 1_700_000_123_456_789_012, 1_700_000_123_456_789),
        (0x80 | 10, 1_700_000_000 * 1024 + 512, 1_700_000_000_500_000_000),
        (0x80 | 32, (1_700_000_000 << 32) + (1 << 30), 1_700_000_000_250_000_000),
        (0x80 | 127, 1, 0),
        (127, 1, 0),
    ],
)
def test_the_time_of_a_packet_follows_the_resolution_of_its_interface(read, resolution, stamp, expected):
    options = b"" if resolution is None else option(9, bytes([resolution]))
    assert read(section() + interface(1, options) + packet(FRAME, stamp)).facts.first_time == expected


def test_the_time_offset_of_an_interface_is_added(read):
    for seconds in (3600, -3600):
        data = section() + interface(1, option(14, struct.pack("<q", seconds))) + packet(FRAME, 7_200_000_000)
        assert read(data).facts.first_time == (7200 + seconds) * 10**9


def test_the_largest_times_do_not_stop_the_reading(read):
    for seconds in (2**63 - 1, -(2**63)):
        faces = interface(1, option(14, struct.pack("<q", seconds))) + interface(1)
        packets = packet(FRAME, 2**64 - 1, 1) + packet(FRAME, 2**64 - 1, 0) + block(3, struct.pack("<I", 60) + FRAME)
        assert read(section() + faces + packets).facts.packets == 3


def test_interfaces_differ_in_link_type_and_resolution(read):
    raw = FRAME[14:]
    faces = interface(1) + interface(101, option(9, b"\x09"))
    blocks = packet(FRAME, 1_000_000) + packet(raw, 2_000_000_000, 1) + packet(FRAME, 3_000_000)
    passed = read(section() + faces + blocks)
    assert passed.facts.links == [1, 101]
    kept = passed.found.signalling.datagrams
    assert [(each.frame, each.time, each.data) for each in sorted(kept)] == [
        (1, 10**9, SIP),
        (2, 2 * 10**9, SIP),
        (3, 3 * 10**9, SIP),
    ]


def test_an_interface_may_appear_late(read):
    data = section() + interface() + packet(FRAME) + interface(101) + packet(FRAME[14:], 0, 1)
    assert read(data).frames == [1, 2]


def test_old_and_simple_packet_blocks_are_packets(read):
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 5_000_000, len(FRAME), len(FRAME)) + FRAME)
    simple = block(3, struct.pack("<I", len(FRAME)) + FRAME)
    passed = read(section() + interface() + old + simple)
    assert passed.frames == [1, 2]
    assert [each.time for each in passed.found.signalling.datagrams] == [5 * 10**9, 5 * 10**9]


def test_a_simple_packet_is_cut_by_the_snap_length_of_the_first_interface(read):
    simple = block(3, struct.pack("<I", len(FRAME)) + FRAME[:80])
    passed = read(section() + interface(snaplen=80) + simple)
    assert passed.datagrams == [SIP[:38]]
    assert passed.found.cut_packets == 1


def test_blocks_that_are_no_packets_are_skipped_by_their_length(read):
    others = [4, 5, 0x7777, 0x80000001]
    data = section() + interface() + b"".join(block(kind, b"\x01" * 24) + packet(FRAME) for kind in others)
    passed = read(data)
    assert passed.whole
    assert passed.frames == [1, 2, 3, 4]


def test_a_custom_block_takes_a_frame_number_as_it_does_in_wireshark(read):
    for kind in (0x0BAD, 0x40000BAD):
        data = section() + interface() + packet(FRAME) + block(kind, struct.pack("<I", 32473) + b"data") + packet(FRAME)
        assert read(data).frames == [1, 3]


def test_a_journal_entry_takes_a_frame_number_as_it_does_in_wireshark(read):
    data = section() + interface() + packet(FRAME) + block(9, b"__REALTIME_TIMESTAMP=1\n") + packet(FRAME)
    assert read(data).frames == [1, 3]


def test_secrets_are_kept_and_never_shown(read):
    log = b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"5ec7e7" * 16 + b"\n"
    data = section() + block(10, struct.pack("<II", 0x544C534B, len(log)) + log) + interface() + packet(FRAME)
    passed = read(data)
    (secret,) = passed.facts.secrets
    assert (secret.type, secret.data) == (0x544C534B, log)
    assert repr(secret) == f"Secrets(type=0x544c534b, {len(log)} octets)"
    assert passed.frames == [1]


def test_damaged_secrets_are_noted(read):
    passed = read(section() + block(10, struct.pack("<II", 0x544C534B, 500) + b"x") + interface() + packet(FRAME))
    assert passed.facts.secrets == []
    assert passed.facts.notes == ["a decryption secrets block is damaged and was skipped"]
    assert passed.frames == [1]


def test_an_option_longer_than_its_block_ends_the_options_only(read):
    options = option(9, b"\x09") + struct.pack("<HH", 14, 400) + b"\x01\x02\x03\x04"
    passed = read(section() + interface(1, options) + packet(FRAME, 10**9))
    assert passed.facts.first_time == 10**9
    assert passed.frames == [1]


def test_a_damaged_interface_description_ends_the_reading(read):
    passed = read(section() + interface() + packet(FRAME) + block(1, b"\x01\0") + packet(FRAME))
    assert not passed.whole or passed.facts.damaged
    assert passed.facts.notes[0] == "an interface description is damaged: read up to there"


def test_a_packet_of_an_unknown_interface_is_skipped_and_noted(read):
    passed = read(section() + interface() + packet(FRAME, 0, 3) + packet(FRAME))
    assert passed.frames == [2]
    assert passed.facts.notes == [
        "1 packet blocks are damaged (interface or length) and were skipped, the first as frame 1"
    ]


def test_a_packet_longer_than_its_block_is_skipped(read):
    head = struct.pack("<IIIII", 0, 0, 0, 4_000, 4_000)
    passed = read(section() + interface() + block(6, head + FRAME) + packet(FRAME))
    assert passed.frames == [2]


@pytest.mark.parametrize("size", [0, 4, 8, 13, 0xFFFFFFFF])
def test_an_impossible_block_length_ends_the_reading(read, size):
    passed = read(section() + interface() + packet(FRAME) + struct.pack("<II", 6, size) + bytes(40))
    assert not passed.whole
    assert passed.frames == [1]


def test_a_section_without_byte_order_magic_ends_the_reading(read):
    passed = read(section() + interface() + packet(FRAME) + b"\x0a\x0d\x0d\x0a" + bytes(24))
    assert passed.facts.damaged == "a section header has no byte-order magic: read up to there"
    assert passed.frames == [1]


def test_a_block_larger_than_a_window_is_skipped(read):
    big = block(0x7777, bytes(3 << 20))
    data = section() + interface() + packet(FRAME) + big + packet(FRAME)
    passed = read(data, 2 << 20)
    assert passed.whole
    assert passed.facts.notes == [f"a block of {len(big)} octets was skipped"]
    assert passed.frames == [1, 2]


def test_a_file_that_ends_inside_a_block_larger_than_a_window_is_cut(read):
    data = section() + interface() + packet(FRAME) + block(0x7777, bytes(6 << 20))
    assert not read(data[: 3 << 20], 2 << 20).whole


def test_thousands_of_sections_cost_no_more_than_their_octets(read):
    one = section() + interface() + packet(FRAME)
    passed = read(one * 500)
    assert passed.whole
    assert passed.facts.packets == 500
    assert passed.frames == list(range(1, 501))


# --- compressed, and other sources ----------------------------------------------------------------

MANY = build.pcap([(number * 0.001, FRAME) for number in range(3000)])


def test_a_gzip_file_of_several_members_with_padding_is_one_capture(read):
    cut = 50_001
    passed = read(gzip.compress(MANY[:cut]) + gzip.compress(b"") + gzip.compress(MANY[cut:]) + bytes(700))
    assert passed.whole
    assert passed.facts.packets == 3000
    assert passed.trouble == []


@pytest.mark.parametrize("short", range(5))
def test_a_gzip_member_may_begin_at_any_octet_of_what_is_read_at_once(read, short):
    first = gzip.compress(MANY[:24], mtime=0)
    name = b"n" * (32_768 - short - len(first) - 1)
    first = first[:3] + b"\x08" + first[4:10] + name + b"\0" + first[10:]  # a file name in the member's header
    assert len(first) == 32_768 - short
    passed = read(first + gzip.compress(MANY[24:]))
    assert passed.facts.packets == 3000


def test_a_truncated_gzip_file_keeps_what_came_before(read):
    noisy = build.pcap([(0, build.udp(build.ALICE, build.BOB, build.noise(n, 900))) for n in range(400)])
    passed = read(gzip.compress(noisy)[:-200_000])
    assert not passed.whole
    assert 100 < passed.facts.packets < 400
    assert passed.trouble == ["the gzip file ends early"]


def test_a_damaged_gzip_file_says_so(read, tmp_path):
    data = bytearray(gzip.compress(MANY))
    data[-5] ^= 0xFF
    passed = read(bytes(data))
    assert "damaged" in passed.trouble[0]
    assert passed.facts.packets == 3000
    path = tmp_path / "x.pcap.gz"
    path.write_bytes(b"\x1f\x8b\x08\0" + b"\xff" * 60)
    with pytest.raises(CaptureError, match="damaged gzip file"):
        open_capture(str(path))


def test_a_capture_compressed_twice_is_rejected(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(gzip.compress(MANY)))
    with pytest.raises(CaptureError, match="compressed twice"):
        open_capture(str(path))


def test_a_zstd_file_of_several_frames_is_one_capture(read):
    compressor = zstandard.ZstdCompressor()
    passed = read(compressor.compress(MANY[:70_003]) + compressor.compress(MANY[70_003:]))
    assert passed.whole
    assert passed.facts.packets == 3000


def test_a_truncated_zstd_file_keeps_what_came_before(read):
    noisy = build.pcap([(0, build.udp(build.ALICE, build.BOB, build.noise(n, 900))) for n in range(400)])
    passed = read(zstandard.ZstdCompressor().compress(noisy)[:-100_000])
    assert not passed.whole
    assert 0 < passed.facts.packets < 400


def test_standard_input_is_a_capture(monkeypatch):
    class Input:
        buffer = io.BytesIO(MANY)

    monkeypatch.setattr(sys, "stdin", Input)
    opened = open_capture("-")
    assert opened.walk.facts.name == "pcap"
    assert opened.windows.total == len(MANY)
    opened.close()


def test_a_folder_stands_for_its_captures_in_order(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.pcap", "a.pcapng", "deep/c.cap", "x.pcap1", "x.pcap.12", "z.pcap.gz", "n.txt", "notes"):
        (tmp_path / name).write_bytes(b"")
    found = [path[len(str(tmp_path)) + 1 :] for path in expand([str(tmp_path), "-"])[:-1]]
    assert found == ["a.pcapng", "b.pcap", "deep/c.cap", "x.pcap.12", "x.pcap1", "z.pcap.gz"]


def test_names_that_say_nothing_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no capture files in the folder"):
        expand([str(tmp_path)])
    with pytest.raises(UsageError, match="no such file"):
        expand([str(tmp_path / "missing.pcap")])
    with pytest.raises(CaptureError, match="not a regular file"):
        open_capture(str(tmp_path))


def test_rotated_names_are_captures():
    assert is_capture_name("TRACE.PCAP7")
    assert is_capture_name("ring_00001_20260101.pcapng")
    assert not is_capture_name("pcap.txt")
    assert not is_capture_name("12345")


def test_random_octets_behind_a_valid_start_never_raise(read):
    seed = random.Random(1)
    starts = [MANY[:24], section() + interface(), section(">") + interface(order=">"), MANY[:9000]]
    for number in range(120):
        data = starts[number % 4] + seed.randbytes(seed.randrange(1, 3000))
        read(data)
        if not number % 8:
            read(zlib.compress(data, wbits=31))

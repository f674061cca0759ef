"""A copy is the capture octet by octet, but for comments; every kind of block stays, in either byte order."""

from __future__ import annotations

import gzip
import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zstandard

from imsinspect.capture.pcapng_copy import CopyDone, copy, with_comments
from imsinspect.capture.raw_frames import RawFrame, raw_frames
from imsinspect.capture.source import open_capture
from imsinspect.capture.windows import FileWindows
from tests import build
from tests.capture.test_formats import block, interface, option, packet, section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FRAMES = [build.udp(build.ALICE, build.BOB, bytes([number]) * (20 + number)) for number in range(8)]
SAID = ["two lines\nof a comment, ünd mehr"]
NAMES, STATISTICS, SECRETS, OLD, SIMPLE, CUSTOM = 4, 5, 10, 2, 3, 0xBAD


def copied(
    data: bytes,
    folder: Path,
    comments: Mapping[int, Sequence[str]] | None = None,
    keep: Sequence[int] | None = None,
    window: int = 0,
) -> tuple[bytes, CopyDone]:
    path = folder / "capture"
    path.write_bytes(data)
    opened = open_capture(str(path))
    if window:
        opened.windows = FileWindows(opened.file, window)
    out = io.BytesIO()
    wanted = None
    if keep is not None:
        wanted = np.zeros(100, np.bool_)
        wanted[list(keep)] = True
    done = copy(opened, out, comments or {}, wanted, "the application")
    opened.close()
    return out.getvalue(), done


def unspecified(order: str = "<") -> bytes:
    """A section header that does not say how long the section is."""
    return section(order)[:16] + b"\xff" * 8 + section(order)[24:]


def frames_of(path: Path) -> dict[int, RawFrame]:
    """The frames of a capture, wherever they stand in the file."""
    return {number: frame._replace(offset=0) for number, frame in raw_frames(str(path), range(1, 9)).items()}


def padded(frame: bytes) -> bytes:
    """A frame and its padding."""
    return frame + bytes(-len(frame) % 4)


def with_options(frame: bytes, options: bytes, order: str) -> bytes:
    """An Enhanced Packet Block with options."""
    head = struct.pack(order + "IIIII", 0, 5, 1_000_000, len(frame), len(frame))
    return block(6, head + padded(frame) + options, order)


def rich(order: str) -> list[bytes]:
    """One section with blocks of all kinds, its frames being 1 to 6."""
    flags, comment = option(2, b"\1\0\0\0", order), option(1, b"was there", order)
    name = struct.pack(order + "HH", 1, 14) + b"\xc0\0\2\x0aalice.xyz\0" + bytes(2) + bytes(4)
    return [
        section(order)[:16] + struct.pack(order + "q", 4_000) + section(order)[24:],
        interface(1, option(2, b"eth0", order) + option(9, b"\x09", order) + bytes(4), order),
        interface(101, option(9, b"\x83", order) + bytes(4), order),
        block(NAMES, name, order),
        block(SECRETS, struct.pack(order + "II", 0x544C534B, 4) + b"abcd", order),
        with_options(FRAMES[0], flags + comment + bytes(4), order),
        packet(FRAMES[1][14:], 77, 1, order),
        block(OLD, struct.pack(order + "HHIIII", 0, 3, 5, 9, len(FRAMES[2]), 99) + padded(FRAMES[2]),
              order),
        block(CUSTOM, struct.pack(order + "I", 32_473) + b"anything", order),
        packet(FRAMES[4], 88, 0, order),
        block(SIMPLE, struct.pack(order + "I", len(FRAMES[5])) + padded(FRAMES[5]), order),
        block(STATISTICS, struct.pack(order + "III", 0, 5, 9), order),
    ]  # fmt: skip


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("window", [0, 400])
def test_a_copy_without_comments_is_the_capture(order: str, window: int, tmp_path: Path) -> None:
    parts = rich(order)
    out, done = copied(b"".join(parts), tmp_path, window=window)
    assert out == b"".join([unspecified(order), *parts[1:]])
    assert (done.packets, done.comments) == (5, 0)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("window", [0, 400])
def test_comments_stand_behind_the_options_that_a_packet_has(order: str, window: int, tmp_path: Path) -> None:
    parts = rich(order)
    out, done = copied(b"".join(parts), tmp_path, {1: SAID, 3: SAID}, window=window)
    said = option(1, SAID[0].encode(), order)
    changed = list(parts)
    changed[0] = unspecified(order)
    for place, before in ((5, 4), (7, 0)):
        body = parts[place][8:-4]
        changed[place] = block(
            struct.unpack(order + "I", parts[place][:4])[0],
            (body[:-before] if before else body) + said + bytes(4),
            order,
        )
    assert out == b"".join(changed)
    assert (done.packets, done.comments, done.commented, done.dated) == (5, 2, 2, 0)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_packet_without_a_time_gets_one_with_its_comment(order: str, tmp_path: Path) -> None:
    data = b"".join(rich(order))
    out, done = copied(data, tmp_path, {6: SAID})
    assert done.dated == 1
    (tmp_path / "out").write_bytes(out)
    before, after = frames_of(tmp_path / "capture"), frames_of(tmp_path / "out")
    assert before == after
    assert set(after) == {1, 2, 3, 5, 6}
    assert after[6].octets == FRAMES[5]


@pytest.mark.parametrize("window", [0, 300])
def test_chosen_packets_leave_every_other_block_in_its_place(window: int, tmp_path: Path) -> None:
    parts = rich("<")
    out, done = copied(b"".join(parts), tmp_path, {2: SAID}, keep=[2, 5], window=window)
    said = block(6, parts[6][8:-4] + option(1, SAID[0].encode()) + bytes(4))
    kept = [unspecified(), *parts[1:5], said, parts[8], parts[9], parts[11]]
    assert out == b"".join(kept)
    assert (done.packets, done.comments) == (2, 1)


def test_sections_of_both_byte_orders_are_one_copy(tmp_path: Path) -> None:
    first, second = rich(">"), rich("<")
    out, _ = copied(b"".join([*first, *second]), tmp_path, {8: SAID})
    changed = block(6, second[6][8:-4] + option(1, SAID[0].encode()) + bytes(4))
    assert out == b"".join([unspecified(">"), *first[1:], unspecified("<"), *second[1:6], changed, *second[7:]])


def test_a_comment_that_is_there_is_not_written_twice() -> None:
    first, added = with_comments(packet(FRAMES[0]), "<", ["one", "two"])
    assert added == 2
    assert with_comments(first, "<", ["two", "one"]) == (first, 0)
    assert with_comments(first, "<", ["three"])[1] == 1


def test_options_that_are_damaged_are_left_out_behind_those_that_can_be_read() -> None:
    comment = option(1, b"kept")
    damaged = with_options(FRAMES[0], comment + struct.pack("<HH", 1, 500) + b"abcd", "<")
    out, _ = with_comments(damaged, "<", ["new"])
    assert out == with_options(FRAMES[0], comment + option(1, b"new") + bytes(4), "<")


@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_pcap_file_becomes_pcapng_with_its_times_and_cuts(
    nanoseconds: bool, byte_order: str, compress: object, tmp_path: Path
) -> None:
    packets = [(number + 0.123456, frame) for number, frame in enumerate(FRAMES)]
    data = build.pcap(packets, byte_order=byte_order, nanoseconds=nanoseconds, snap_length=64)
    out, done = copied(compress(data), tmp_path, {2: SAID, 8: SAID})  # type: ignore[operator]
    assert (done.packets, done.comments, done.commented) == (8, 2, 2)
    (tmp_path / "out").write_bytes(out)
    assert frames_of(tmp_path / "out") == frames_of(tmp_path / "capture")
    described = interface(1, option(9, bytes([9 if nanoseconds else 6])) + bytes(4), snaplen=64)
    assert described in out
    assert b"the application" in out
    assert out.count(SAID[0].encode()) == 2


def test_a_pcap_file_with_check_sequences_says_so(tmp_path: Path) -> None:
    data = bytearray(build.pcap([(0.0, FRAMES[0] + b"\1\2\3\4")]))
    data[20:24] = struct.pack("<I", 1 | 0x04000000 | 2 << 28)
    out, _ = copied(bytes(data), tmp_path)
    assert option(13, b"\4") in out
    assert FRAMES[0] + b"\1\2\3\4" in out


def test_chosen_packets_of_a_pcap_file(tmp_path: Path) -> None:
    out, done = copied(build.pcap(list(enumerate(FRAMES))), tmp_path, {3: SAID}, keep=[3, 4, 8])
    (tmp_path / "out").write_bytes(out)
    assert [each.octets for each in raw_frames(str(tmp_path / "out"), range(9)).values()] == [
        FRAMES[2], FRAMES[3], FRAMES[7],
    ]  # fmt: skip
    assert (done.packets, done.comments) == (3, 1)


def test_what_ends_inside_a_packet_is_copied_up_to_there(tmp_path: Path) -> None:
    parts = rich("<")
    out, _ = copied(b"".join(parts)[: -len(parts[-1]) - 10], tmp_path)
    assert out == b"".join([unspecified(), *parts[1:-2]])


@pytest.mark.parametrize("seed", range(40))
def test_random_octets_never_raise(seed: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(seed)
    data = bytearray(b"".join(rich("<>"[seed % 2]) + rich("><"[seed % 2])))
    for place in numbers.integers(28, len(data), 12).tolist():
        data[place] = int(numbers.integers(256))
    copied(bytes(data), tmp_path, dict.fromkeys(range(1, 13), SAID), window=(0, 300)[seed % 2])
    copied(bytes(data), tmp_path, {1: SAID}, keep=[1, 3, 7])

"""What the writer of pcapng writes, the reader of captures reads: every packet, time, length, interface and comment."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imsinspect.capture.blocks import SECRETS_TLS, Secrets
from imsinspect.capture.pcapng_writer import Copied, PcapngWriter, comments_of, copies
from imsinspect.capture.records import PcapngWalk
from imsinspect.capture.rows import PAD

if TYPE_CHECKING:
    from collections.abc import Sequence

START = 1_767_225_600_123_456_789


def read(data: bytes) -> tuple[list[tuple[int, int, int, int, bytes]], PcapngWalk]:
    """Frame, link type, time, length on the wire, and octets of every packet."""
    window = np.frombuffer(data + bytes(PAD), np.uint8)
    walk = PcapngWalk()
    out = []
    for found in walk.records(window, 0, len(data)):
        for row in range(len(found.frames)):
            at = int(found.offsets[row]) + found.head
            octets = data[at : at + int(found.captured[row])]
            out.append((int(found.frames[row]), found.link, int(found.when[row]), int(found.original[row]), octets))
    assert walk.after == len(data)
    assert not walk.facts.notes
    return sorted(out), walk


def copied(packets: Sequence[bytes], interface: int, options: bytes = b"") -> tuple[bytes, list[int]]:
    """Blocks of packets that stand one behind the other in a window, each with its padding and options."""
    window, start, behind = b"", [], []
    for packet in packets:
        start.append(len(window))
        whole = packet + bytes(-len(packet) % 4) + options if options else packet
        behind.append(len(whole))
        window += whole
    lengths = np.array([len(packet) for packet in packets], np.int64)
    blocks, begin = copies(
        np.frombuffer(window + bytes(PAD), np.uint8),
        Copied(
            np.array(start, np.int64),
            lengths,
            np.array(behind, np.int64),
            lengths + 3,
            np.arange(len(packets), dtype=np.int64) + START,
            np.full(len(packets), interface, np.int64),
        ),
    )
    return bytes(blocks), begin.tolist()


def test_packets_of_several_interfaces_are_read_back() -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file, "tester 1.0")
    one, other = writer.interface(1), writer.interface(101, "decrypted")
    writer.packet(one, START, b"abcde", original=1400)
    writer.packet(other, START + 1, b"", comments=["of frame 1", "grüße"])
    assert writer.interface(1) == one
    found, walk = read(file.getvalue())
    assert found == [(1, 1, START, 1400, b"abcde"), (2, 101, START + 1, 0, b"")]
    assert walk.facts.links == [1, 101]
    assert b"tester 1.0" in file.getvalue()[:60]
    assert struct.pack("<HH", 1, 10) + b"of frame 1\0\0" + struct.pack("<HH", 1, 7) + "grüße\0".encode() in (
        file.getvalue()
    )


def test_secrets_are_read_back() -> None:
    file = io.BytesIO()
    PcapngWriter(file, "tester").secrets(Secrets(SECRETS_TLS, b"CLIENT_RANDOM 1"))
    assert read(file.getvalue())[1].facts.secrets == [Secrets(SECRETS_TLS, b"CLIENT_RANDOM 1")]


@given(
    st.lists(st.one_of(st.binary(max_size=90), st.just(b"\x5a" * 60)), max_size=200),
    st.sampled_from([b"", b"\1\0\2\0hi\0\0\0\0\0\0"]),
)
def test_packets_copied_at_once_are_those_written_one_by_one(packets: list[bytes], options: bytes) -> None:
    one_by_one, at_once = io.BytesIO(), io.BytesIO()
    begin: list[int] = []
    for file in (one_by_one, at_once):
        writer = PcapngWriter(file, "tester")
        face = writer.interface(1)
        head = file.tell()
        if file is at_once:
            blocks, begin = copied(packets, face, options)
            writer.write(memoryview(blocks))
            continue
        places = []
        for number, packet in enumerate(packets):
            places.append(file.tell() - head)
            kept = comments_of(options)
            writer.packet(face, START + number, packet, original=len(packet) + 3, options=kept)
    assert at_once.getvalue() == one_by_one.getvalue()
    assert begin == places
    assert [each[4] for each in read(at_once.getvalue())[0]] == packets


def test_of_options_comments_and_flags_stay() -> None:
    comment, flags, digest = b"\1\0\3\0abc\0", b"\2\0\4\0\1\0\0\0", b"\3\0\5\0\2\1\2\3\4\0\0\0"
    assert comments_of(digest + comment + flags + bytes(4) + comment) == comment + flags
    assert comments_of(comment + b"\1\0\xff\0cut") == comment
    assert comments_of(b"\1\0") == b""

"""Frame numbers, times and addresses of a mixed capture are those that tshark gives."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

import numpy as np

from imsinspect.capture.endpoint import text_ip
from imsinspect.capture.records import record_walk
from imsinspect.capture.rows import PAD
from tests import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def block(order: str, kind: int, body: bytes) -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def mixed() -> bytes:
    """Two sections of different byte order; interfaces of several link types, resolutions and offsets; odd blocks."""
    out = []
    for order in "<>":
        out.append(block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)))
        offset = struct.pack(order + "HHq", 14, 8, 3600)
        for link, resolution, more in ((1, 6, b""), (101, 9, offset), (113, 3, b""), (1, 0x80 | 20, b"")):
            option = struct.pack(order + "HHB3x", 9, 1, resolution) + more + bytes(4)
            out.append(block(order, 1, struct.pack(order + "HHI", link, 0, 0) + option))
        for number in range(40):
            frame = build.udp((f"192.0.2.{number + 1}", 5060), build.BOB, b"x" * number)
            face = number % 4
            data = (frame, frame[14:], bytes.fromhex("0000000100060200000000010000") + frame[12:], frame)[face]
            stamp = (1_700_000_000 + number) * (10**6, 10**9, 10**3, 2**20)[face] + number * 7
            head = struct.pack(order + "IIIII", face, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
            out.append(block(order, 6, head + data + bytes(-len(data) % 4)))
            if number % 10 == 3:
                kind = 0x0BAD if number % 20 == 3 else 0x40000BAD
                out.append(block(order, kind, struct.pack(order + "I", 32473) + b"data"))
                out.append(block(order, 5, struct.pack(order + "III", 0, 0, 0)))
    return b"".join(out)


def test_frames_and_times_are_those_of_tshark(tmp_path: Path, peer: Callable[[str], str]) -> None:
    data = mixed()
    path = tmp_path / "mixed.pcapng"
    path.write_bytes(data)
    fields = [word for name in ("frame.number", "frame.time_epoch", "ip.src") for word in ("-e", name)]
    shown = subprocess.run(
        [peer("tshark"), "-n", "-r", str(path), "-T", "fields", *fields], capture_output=True, text=True, check=True
    ).stdout
    theirs = []
    for line in shown.splitlines():
        frame, time, source = line.split("\t")
        if not time:
            continue  # a custom block: it has a frame number and is no packet
        seconds, _, fraction = time.partition(".")
        theirs.append((int(frame), int(seconds) * 10**9 + int(fraction.ljust(9, "0")), source))
    walk = record_walk(data[:64])
    array = np.frombuffer(data + bytes(PAD), np.uint8)
    ours = []
    for records in walk.records(array, walk.first, len(data)):
        at = records.offsets + records.head + {1: 14, 101: 0, 113: 16}[records.link] + 12
        for frame, when, place in zip(records.frames.tolist(), records.when.tolist(), at.tolist(), strict=True):
            ours.append((frame, when, text_ip(array[place : place + 4].tobytes())))
    assert len(theirs) == 80
    assert sorted(ours) == theirs

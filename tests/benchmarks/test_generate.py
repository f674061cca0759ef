"""The benchmark's generator: its captures hold exactly what their truth files say, and are real SRTP."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
import re
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.generate import generate, octets, session_authentication_key, truth_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Seen:
    """What a plain reader finds in a capture."""

    frames: int = 0
    times: list[int] = field(default_factory=list)
    sequence: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    rtp: dict[tuple[str, str, str], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    rtcp: dict[tuple[str, str, str], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    starts: list[bytes] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)


def pcap_frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Microseconds and octets of each frame."""
    assert struct.unpack_from("<IHHiIII", data) == (0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    at = 24
    while at < len(data):
        seconds, micro, captured, original = struct.unpack_from("<IIII", data, at)
        assert captured == original
        assert micro < 1_000_000
        yield seconds * 1_000_000 + micro, data[at + 16 : at + 16 + captured]
        at += 16 + captured
    assert at == len(data)


def pcapng_frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Microseconds and octets of each enhanced packet block."""
    at, kinds = 0, []
    while at < len(data):
        kind, total = struct.unpack_from("<II", data, at)
        assert total % 4 == 0
        assert struct.unpack_from("<I", data, at + total - 4) == (total,)
        kinds.append(kind)
        if kind == 6:
            interface, high, low, captured, original = struct.unpack_from("<IIIII", data, at + 8)
            assert interface == 0
            assert captured == original
            assert data[at + 28 + captured : at + total - 4].strip(b"\0") == b""
            yield high << 32 | low, data[at + 28 : at + 28 + captured]
        at += total
    assert at == len(data)
    assert kinds[:2] == [0x0A0D0D0A, 1]
    assert set(kinds[2:]) == {6}


def sip(data: bytes, seen: Seen) -> None:
    """Notes a message's start line, and the SDES key of each media line by the address that sends under it."""
    if b"SIP/2.0" not in data.partition(b"\r\n")[0]:
        return
    seen.starts.append(data.partition(b"\r\n")[0])


def read(capture: Path) -> Seen:
    """Reads a whole capture with nothing but struct."""
    data, seen = capture.read_bytes(), Seen()
    streams: dict[tuple[bytes, bytes], bytes] = defaultdict(bytes)
    for time, frame in (pcapng_frames if capture.suffix == ".pcapng" else pcap_frames)(data):
        seen.frames += 1
        seen.times.append(time)
        assert frame[12:14] == b"\x08\x00"
        assert frame[14] == 0x45
        assert struct.unpack_from(">H", frame, 16)[0] == len(frame) - 14
        addresses = [".".join(map(str, frame[at : at + 4])) for at in (26, 30)]
        source_port, destination_port = struct.unpack_from(">HH", frame, 34)
        if frame[23] == 6:
            streams[frame[26:30] + frame[34:36], frame[30:34] + frame[36:38]] += frame[34 + (frame[46] >> 4) * 4 :]
            continue
        assert struct.unpack_from(">H", frame, 38)[0] == len(frame) - 34
        payload = frame[42:]
        if source_port == 5060:
            sip(payload, seen)
            read_keys(payload, seen)
            continue
        source, destination = f"{addresses[0]}:{source_port}", f"{addresses[1]}:{destination_port}"
        if payload[0] == 0x81 and payload[1] == 200:
            ssrc = f"0x{struct.unpack_from('>I', payload, 4)[0]:08x}"
            seen.rtcp[source, destination, ssrc].append(payload)
        else:
            assert payload[0] == 0x80
            sequence, _, number = struct.unpack_from(">HII", payload, 2)
            seen.rtp[source, destination, f"0x{number:08x}"].append(payload)
            seen.sequence[source, destination, f"0x{number:08x}"].append(sequence)
    for stream in streams.values():
        for message in re.split(rb"(?=INVITE sip:|ACK sip:|BYE sip:|(?<=\n)SIP/2\.0 |(?<!.)SIP/2\.0 )", stream):
            sip(message, seen)
            read_keys(message, seen)
    return seen


def read_keys(message: bytes, seen: Seen) -> None:
    """Master keys by the address and port that sends media protected with them."""
    body = message.partition(b"\r\n\r\n")[2].decode()
    address = re.search(r"c=IN IP4 (\S+)", body)
    for port, key in re.findall(r"m=\w+ (\d+) RTP/SAVP \d+\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(\S+)", body):
        assert address is not None
        seen.keys[f"{address[1]}:{port}"] = base64.b64decode(key)


def lost(sequence: list[int]) -> int:
    """Expected less received packets, by extended sequence numbers (RFC 3550 A.3)."""
    extended = [sequence[0]]
    for number in sequence[1:]:
        step = (number - extended[-1]) & 0xFFFF
        extended.append(extended[-1] + (step - 65536 if step >= 32768 else step))
    return max(extended) - min(extended) + 1 - len(extended)


@pytest.fixture(scope="module", params=["calls.pcap", "calls.pcapng"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], Seen]:
    """A small capture, its truth, and what a plain reader sees."""
    capture = tmp_path_factory.mktemp("benchmark") / request.param
    truth = generate(capture, 2_000_000, calls=20, seed=11, pcapng=capture.suffix == ".pcapng")
    return capture, truth, read(capture)


def test_truth_file_says_what_was_returned(written: tuple[Path, dict[str, Any], Seen]) -> None:
    capture, truth, _ = written
    assert json.loads(truth_path(capture).read_text()) == truth


def test_size_is_about_what_was_asked_for(written: tuple[Path, dict[str, Any], Seen]) -> None:
    capture, truth, _ = written
    assert capture.stat().st_size == truth["octets"]
    assert abs(truth["octets"] - 2_000_000) < 200_000


def test_frames_streams_losses_and_messages_are_those_of_the_truth(written: tuple[Path, dict[str, Any], Seen]) -> None:
    _, truth, seen = written
    assert seen.frames == truth["packets"]
    assert seen.times == sorted(seen.times)
    found = {key: (len(numbers), lost(numbers)) for key, numbers in seen.sequence.items()}
    assert found == {(s["source"], s["destination"], s["ssrc"]): (s["packets"], s["lost"]) for s in truth["streams"]}
    assert sum(map(len, seen.rtcp.values())) == truth["srtcp_packets"] > 0
    assert truth["rtp_packets"] == sum(s["packets"] for s in truth["streams"])
    requests = [start.split()[0].decode() for start in seen.starts if not start.startswith(b"SIP/2.0")]
    assert {method: requests.count(method) for method in set(requests)} == truth["sip"]["requests"]
    assert len(seen.starts) == truth["sip"]["messages"]


def test_capture_has_wraps_losses_and_packets_out_of_order(written: tuple[Path, dict[str, Any], Seen]) -> None:
    _, truth, seen = written
    steps = [(b - a) & 0xFFFF for numbers in seen.sequence.values() for a, b in itertools.pairwise(numbers)]
    assert truth["lost"] > 0
    assert any(step > 0x8000 for step in steps)
    assert any(max(numbers) > 65_000 and min(numbers) < 1_000 for numbers in seen.sequence.values())
    sizes = {len(packet) for packets in seen.rtp.values() for packet in packets}
    assert 12 + 160 + 10 in sizes
    assert len(sizes) > 5


def test_tags_verify_with_the_keys_of_the_sdp(written: tuple[Path, dict[str, Any], Seen]) -> None:
    _, _, seen = written
    for (source, destination, ssrc), packets in seen.rtp.items():
        key = session_authentication_key(seen.keys[source], 1)
        numbers = seen.sequence[source, destination, ssrc]
        rollover = 0
        for before, number, packet in zip([numbers[0], *numbers], numbers, packets, strict=False):
            rollover += (before - number > 32768) - (number - before > 32768)
            tag = hmac.digest(key, packet[:-10] + struct.pack(">I", rollover), "sha1")
            assert tag[:10] == packet[-10:]
    for (source, _, _), packets in seen.rtcp.items():
        host, port = source.split(":")
        media = source if source in seen.keys else f"{host}:{int(port) - 1}"
        key = session_authentication_key(seen.keys[media], 4)
        for index, packet in enumerate(packets):
            assert struct.unpack_from(">I", packet, len(packet) - 14)[0] == 0x80000000 | index
            assert hmac.digest(key, packet[:-10], "sha1")[:10] == packet[-10:]


def test_session_key_is_that_of_rfc_3711_appendix_b3() -> None:
    master = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")
    assert session_authentication_key(master, 1).hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


def test_same_seed_gives_the_same_octets_and_another_seed_others(tmp_path: Path) -> None:
    captures = [tmp_path / name for name in ("a.pcap", "b.pcap", "c.pcap")]
    for capture, seed in zip(captures, (1, 1, 2), strict=True):
        generate(capture, 300_000, calls=4, seed=seed)
    a, b, c = (capture.read_bytes() for capture in captures)
    assert a == b
    assert a != c


def test_sizes_are_read_with_their_units() -> None:
    assert octets("100MB") == 100_000_000
    assert octets("1gb") == 1_000_000_000
    assert octets("4096") == 4096
    with pytest.raises(ValueError, match="parsec"):
        octets("3 parsec")

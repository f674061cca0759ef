"""Writes a media-heavy capture of many SRTP calls at once, and the exact truth about it as JSON beside it.

    python benchmarks/generate.py calls.pcap --size 100MB
    python benchmarks/generate.py calls.pcapng --size 1GB --calls 2000 --seed 7

The same arguments give the same octets. Every call is set up and ended by SIP (one in ten over TCP), offers and answers
SDES keys, and sends SRTP and SRTCP both ways with authentication tags that those keys verify: the encrypted part is
random, as ciphertext looks. Media packets are made in columns, one slice of time after the other, so memory stays at
the slice.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from collections.abc import Iterator

if __package__:
    from benchmarks.signalling import Call, MediaLine, dotted, frames
else:
    from signalling import Call, MediaLine, dotted, frames  # type: ignore[import-not-found, no-redef]

EPOCH = 1_767_225_600_000_000  # 2026-01-01 in microseconds
MEDIA_DELAY = 170_000  # from a call's first frame to its first media packet, microseconds
MEDIA_TAIL = 60_000  # from the last media packet's nominal time to the BYE
JITTER = 4_000  # below half of the shortest packet interval, so that only chosen packets change places
LOSS, REORDER = 0.002, 0.001
TAG = 10  # octets, of AES_CM_128_HMAC_SHA1_80
RTCP_INTERVAL = 5_000_000
RTCP_SIZE = 52 + 20  # sender report with one report block, SDES
SLICE_BYTES = 12_000_000
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}

# Ethernet, IPv4, UDP and the fixed RTP header (RFC 3550 §5.1)
HEADERS = np.dtype(
    [
        ("ethernet", "V14"),
        ("version", "u1"),
        ("service", "u1"),
        ("length", ">u2"),
        ("identification", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("protocol", "u1"),
        ("checksum", ">u2"),
        ("source", ">u4"),
        ("destination", ">u4"),
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("udp_length", ">u2"),
        ("udp_checksum", ">u2"),
        ("rtp_first", "u1"),
        ("rtp_second", "u1"),
        ("sequence", ">u2"),
        ("timestamp", ">u4"),
        ("ssrc", ">u4"),
    ]
)
PCAP_RECORD = np.dtype(
    [("seconds", "<u4"), ("microseconds", "<u4"), ("captured", "<u4"), ("original", "<u4"), ("frame", HEADERS)]
)
PCAPNG_RECORD = np.dtype(
    [
        ("type", "<u4"),
        ("total", "<u4"),
        ("interface", "<u4"),
        ("high", "<u4"),
        ("low", "<u4"),
        ("captured", "<u4"),
        ("original", "<u4"),
        ("frame", HEADERS),
    ]
)
RTP_AT = 42  # where the RTP or RTCP packet begins in a frame


@dataclass(frozen=True, slots=True)
class Codec:
    """How a stream of one codec looks: payload octets are drawn from ``sizes``; the interval is in microseconds."""

    payload_type: int
    encoding: str
    fmtp: str
    media: str
    interval: int
    clock_step: int
    packets_per_frame: int
    sizes: tuple[int, ...]


CODECS = (
    Codec(0, "PCMU/8000", "", "audio", 20_000, 160, 1, (160,)),
    Codec(97, "AMR-WB/16000", "octet-align=1", "audio", 20_000, 320, 1, (19, 25, 34, 38, 42, 48, 52, 60, 62)),
    Codec(111, "opus/48000/2", "", "audio", 20_000, 960, 1, tuple(range(40, 161))),
    Codec(102, "H264/90000", "packetization-mode=1", "video", 10_000, 3_000, 3, (1_100,)),
)
VIDEO = 3
AUDIO_SHARES = (0.70, 0.20, 0.10)
VIDEO_SHARE = 0.02


def session_authentication_key(master: bytes, label: int) -> bytes:
    """The 20-octet key for tags from master key and salt, 30 octets: label 1 for SRTP, 4 for SRTCP (RFC 3711 §4.3)."""
    salt = int.from_bytes(master[16:30], "big") ^ (label << 48)
    counter = (salt << 16).to_bytes(16, "big")
    encryptor = Cipher(algorithms.AES(master[:16]), modes.CTR(counter)).encryptor()
    return encryptor.update(bytes(20))


def _hmac_states(key: bytes) -> tuple[Any, Any]:
    """SHA-1 after the inner and the outer padded key, to be copied for each packet (RFC 2104)."""
    padded = key.ljust(64, b"\0")
    return hashlib.sha1(bytes(o ^ 0x36 for o in padded)), hashlib.sha1(bytes(o ^ 0x5C for o in padded))


class Scene:
    """All calls and streams of one capture. Columns have a row a stream: media streams first, their RTCP after them."""

    def __init__(self, size: int, calls: int, seed: int) -> None:
        self.random = np.random.Generator(np.random.SFC64(seed))
        self.calls: list[Call] = []
        kinds: list[int] = []
        keys: list[bytes] = []
        ends: list[tuple[int, int, int, int]] = []
        of_call: list[int] = []
        muxed: list[bool] = []
        for number in range(calls):
            call, call_kinds = self._call(number)
            self.calls.append(call)
            for line, kind in zip(call.lines, call_kinds, strict=True):
                for there in (True, False):
                    a, b = (call.caller, line.caller_port), (call.callee, line.callee_port)
                    (source, source_port), (destination, destination_port) = (a, b) if there else (b, a)
                    ends.append((source, source_port, destination, destination_port))
                    keys.append(line.caller_key if there else line.callee_key)
                    kinds.append(kind)
                    of_call.append(number)
                    muxed.append(call.rtcp_mux)
        self.signalling = [(number, frame) for number, call in enumerate(self.calls) for frame in frames(call)]
        self.media = len(kinds)
        self.kind = np.array(kinds)
        self._columns(self.kind, np.array(ends, np.int64), np.array(muxed))
        self._times(size, calls, self.kind, np.array(of_call))
        self.states = [_hmac_states(session_authentication_key(key, label)) for label in (1, 4) for key in keys]

    def _call(self, number: int) -> tuple[Call, list[int]]:
        """One call, and the codec of each of its media lines."""
        random = self.random
        host = ((number // 250) << 8) + number % 250 + 1
        first = 4 * (number % 4000)
        kinds = [int(random.choice(len(AUDIO_SHARES), p=AUDIO_SHARES))]
        if random.random() < VIDEO_SHARE:
            kinds.append(VIDEO)
        lines = tuple(
            MediaLine(
                CODECS[kind].media,
                CODECS[kind].payload_type,
                CODECS[kind].encoding,
                CODECS[kind].fmtp,
                16_384 + first + 2 * place,
                40_000 + first + 2 * place,
                random.bytes(30),
                random.bytes(30),
            )
            for place, kind in enumerate(kinds)
        )
        over_tcp, mux = number % 10 == 3, number % 5 == 4
        return Call(number, (10 << 24) + host, (10 << 24) + (128 << 16) + host, over_tcp, mux, lines), kinds

    def _columns(self, kind: np.ndarray, ends: np.ndarray, muxed: np.ndarray) -> None:
        random, media = self.random, self.media
        self.clock_step = np.array([c.clock_step for c in CODECS])[kind]
        self.per_frame = np.array([c.packets_per_frame for c in CODECS])[kind]
        self.payload_type = np.array([c.payload_type for c in CODECS])[kind]
        interval = np.array([c.interval for c in CODECS])[kind]
        self.interval = np.concatenate([interval, np.full(media, RTCP_INTERVAL)])
        self.size_count = np.array([len(c.sizes) for c in CODECS])[kind]
        self.size_table = np.zeros((len(CODECS), max(len(c.sizes) for c in CODECS)), np.int64)
        for row, c in enumerate(CODECS):
            self.size_table[row, : len(c.sizes)] = c.sizes
        self.first_sequence = random.integers(0, 1 << 16, media)
        soon = random.random(media) < 0.1
        self.first_sequence[soon] = random.integers(65_500, 65_536, int(soon.sum()))  # these wrap in any capture
        self.first_timestamp = random.integers(0, 1 << 32, media)
        self.ssrc = self._ssrcs(media)

        rows = np.zeros(2 * media, HEADERS)
        rows["ethernet"] = np.frombuffer(bytes.fromhex("0200000000020200000000010800"), "V14")[0]
        rows["version"], rows["fragment"], rows["protocol"] = 0x45, 0x4000, 17
        rows["ttl"] = np.tile(random.integers(55, 64, media), 2)
        for column, name in enumerate(("source", "source_port", "destination", "destination_port")):
            rows[name] = np.tile(ends[:, column], 2)
        for name in ("source_port", "destination_port"):
            rows[name][media:] += np.where(muxed, 0, 1).astype(np.uint16)
        rows["rtp_first"][:media] = 0x80
        rows["ssrc"][:media] = self.ssrc
        rows["rtp_first"][media:] = 0x81  # sender report with one block (RFC 3550 §6.4.1): length, then the SSRC
        rows["rtp_second"][media:] = 200
        rows["sequence"][media:] = 12
        rows["timestamp"][media:] = self.ssrc
        self.rows = rows
        address = rows["source"].astype(np.int64), rows["destination"].astype(np.int64)
        self.partial_sum = 0x4500 + 0x4000 + (rows["ttl"].astype(np.int64) << 8) + 17
        for value in address:
            self.partial_sum += (value >> 16) + (value & 0xFFFF)

    def _ssrcs(self, count: int) -> np.ndarray:
        """Distinct random numbers of 32 bits."""
        found = np.unique(self.random.integers(0, 1 << 32, 2 * count))
        return self.random.permutation(found)[:count]

    def _times(self, size: int, calls: int, kind: np.ndarray, of_call: np.ndarray) -> None:
        """Settles how long the capture must be for the wanted size, and with it when each call starts and ends."""
        mean = np.array([16 + HEADERS.itemsize + sum(c.sizes) / len(c.sizes) + TAG for c in CODECS])[kind]
        rate = float((mean / self.interval[: self.media]).sum()) * (1 - LOSS)  # octets a microsecond
        rate += self.media * (16 + RTP_AT + RTCP_SIZE + 4 + TAG) / RTCP_INTERVAL
        signalling = sum(16 + len(frame.data) for _, frame in self.signalling)
        talk = max(size - signalling, 0) / rate + MEDIA_DELAY + MEDIA_TAIL
        spread = min(2_000_000.0, talk / 9)
        duration = int(max(talk + spread, 600_000))
        begin = self.random.integers(0, int(spread) + 1, calls)
        end = duration - self.random.integers(0, int(spread) + 1, calls)
        self.duration = duration
        first = begin[of_call] + MEDIA_DELAY + self.random.integers(0, 20_000, self.media)
        last = end[of_call] - MEDIA_TAIL
        report = first + self.random.integers(300_000, RTCP_INTERVAL, self.media)
        self.start = np.concatenate([first, report])
        self.count = np.maximum(-(-(np.tile(last, 2) - self.start) // self.interval), 0)
        timed = [
            ((end if frame.at_end else begin)[number] + frame.offset, frame.data) for number, frame in self.signalling
        ]
        timed.sort(key=lambda pair: pair[0])
        self.signalling_time = np.array([at for at, _ in timed], np.int64)
        self.signalling_data = [data for _, data in timed]


@dataclass(slots=True)
class Batch:
    """Frames of a slice in columns: when, which row of the scene (after its rows: signalling), packet of that row."""

    time: np.ndarray
    row: np.ndarray
    packet: np.ndarray
    size: np.ndarray  # octets of the whole frame

    def take(self, which: np.ndarray) -> Batch:
        """The frames of an index or a mask."""
        return Batch(self.time[which], self.row[which], self.packet[which], self.size[which])


class Generator:
    """Writes one scene."""

    def __init__(self, scene: Scene, pcapng: bool) -> None:
        self.scene, self.pcapng = scene, pcapng
        self.dtype = PCAPNG_RECORD if pcapng else PCAP_RECORD
        self.head = self.dtype.itemsize - HEADERS.itemsize
        self.received = np.zeros(2 * scene.media, np.int64)
        self.lost = np.zeros(scene.media, np.int64)
        self.written = 0
        self.octets = 0

    def write(self, out: BinaryIO) -> None:
        """The whole capture file."""
        if self.pcapng:
            section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
            head = section + struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
        else:
            head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        out.write(head)
        self.octets = len(head)
        out.writelines(self._records(batch).data for batch in self._slices())

    def _slices(self) -> Iterator[Batch]:
        """Batches in order of time."""
        scene, random = self.scene, self.scene.random
        media = scene.media
        rows = np.arange(2 * media)
        mean = float((350 / scene.interval).sum())
        step = max(int(SLICE_BYTES / mean), 20_000)
        done = np.zeros(2 * media, np.int64)
        spoken = 0
        late = Batch(*(np.zeros(0, np.int64) for _ in range(4)))
        limit = 0
        while limit < scene.duration + 1_000_000:
            limit += step
            upper = np.clip(-(-(limit - scene.start) // scene.interval), 0, scene.count)
            number = upper - done
            row = np.repeat(rows, number)
            packet = np.arange(len(row)) + np.repeat(done - (np.cumsum(number) - number), number)
            done = upper
            rtp = row < media
            stream = np.where(rtp, row, 0)
            time = scene.start[row] + packet * scene.interval[row] + random.integers(0, JITTER, len(row))
            inner = rtp & (packet >= 2) & (packet < scene.count[row] - 3)
            draw = random.random(len(row))
            lost = inner & (draw < LOSS)
            # Not the last packet before a wrap: tshark 4.0 counts 65,536 losses when it comes late.
            wraps = (scene.first_sequence[stream] + packet) & 0xFFFF == 0xFFFF
            delayed = inner & ~wraps & (draw > 1 - REORDER)
            time[delayed] += scene.interval[row[delayed]] * 3 // 2
            column = (random.random(len(row)) * scene.size_count[stream]).astype(np.int64)
            payload = scene.size_table[scene.kind[stream], column]
            size = np.where(rtp, HEADERS.itemsize + payload + TAG, RTP_AT + RTCP_SIZE + 4 + TAG)
            self.lost += np.bincount(row[lost], minlength=media)[:media]
            until = int(np.searchsorted(scene.signalling_time, limit))
            talk = np.arange(spoken, until)
            said = np.array([len(data) for data in scene.signalling_data[spoken:until]], np.int64)
            keep = ~lost
            batch = Batch(
                np.concatenate([late.time, time[keep], scene.signalling_time[spoken:until]]),
                np.concatenate([late.row, row[keep], 2 * media + talk]),
                np.concatenate([late.packet, packet[keep], np.zeros(len(talk), np.int64)]),
                np.concatenate([late.size, size[keep], said]),
            )
            spoken = until
            batch = batch.take(np.argsort(batch.time, kind="stable"))
            cut = int(np.searchsorted(batch.time, limit))
            late = batch.take(np.arange(cut, len(batch.time)))
            if cut:
                yield batch.take(np.arange(cut))
        if len(late.time):
            yield late

    def _records(self, batch: Batch) -> np.ndarray:
        """The octets of a batch's records: random everywhere first, then headers, tags and signalling written in."""
        scene, head = self.scene, self.head
        pad = -batch.size % 4 if self.pcapng else np.zeros(len(batch.size), np.int64)
        whole = head + batch.size + pad + (4 if self.pcapng else 0)
        end = np.cumsum(whole)
        at = end - whole
        total = int(end[-1])
        buffer = np.frombuffer(bytearray(scene.random.bytes(total)), np.uint8)
        self._headers(buffer, batch, at, whole)
        self._tags(buffer, batch, at)
        view = buffer.data
        for place in np.flatnonzero(batch.row >= 2 * scene.media).tolist():
            data = scene.signalling_data[int(batch.row[place]) - 2 * scene.media]
            begin = int(at[place]) + head
            view[begin : begin + len(data)] = data
        if self.pcapng:
            for octet in range(3):
                short = pad > octet
                buffer[(at + head + batch.size)[short] + octet] = 0
            np.ndarray(total - 3, "V4", buffer, strides=(1,))[end - 4] = whole.astype("<u4").view("V4")
        self.received += np.bincount(batch.row, minlength=2 * scene.media)[: 2 * scene.media]
        self.written += len(at)
        self.octets += total
        return buffer

    def _headers(self, buffer: np.ndarray, batch: Batch, at: np.ndarray, whole: np.ndarray) -> None:
        """Record headers of all frames, protocol headers of media frames."""
        scene, media = self.scene, self.scene.media
        record = np.zeros(len(at), self.dtype)
        clock = batch.time + EPOCH
        if self.pcapng:
            record["type"], record["total"] = 6, whole
            record["high"], record["low"] = clock >> 32, clock & 0xFFFFFFFF
        else:
            record["seconds"], record["microseconds"] = clock // 1_000_000, clock % 1_000_000
        record["captured"] = record["original"] = batch.size
        which = np.flatnonzero(batch.row < 2 * media)
        row, packet, size = batch.row[which], batch.packet[which], batch.size[which]
        frame = scene.rows[row]
        length = size - 14
        identification = (packet + 977 * row) & 0xFFFF
        frame["length"], frame["identification"] = length, identification
        frame["udp_length"] = length - 20
        folded = scene.partial_sum[row] + length + identification
        for _ in range(2):
            folded = (folded & 0xFFFF) + (folded >> 16)
        frame["checksum"] = folded ^ 0xFFFF
        rtp = np.flatnonzero(row < media)
        stream, packet = row[rtp], packet[rtp]
        per_frame = scene.per_frame[stream]
        marker = np.where(per_frame > 1, packet % per_frame == per_frame - 1, packet == 0)
        frame["rtp_second"][rtp] = scene.payload_type[stream] | (marker << 7)
        frame["sequence"][rtp] = (scene.first_sequence[stream] + packet) & 0xFFFF
        step = packet // per_frame * scene.clock_step[stream]
        frame["timestamp"][rtp] = (scene.first_timestamp[stream] + step) & 0xFFFFFFFF
        # The last header field of a report lies in its encrypted part.
        report = np.flatnonzero(row >= media)
        frame["ssrc"][report] = scene.random.integers(0, 1 << 32, len(report))
        record["frame"][which] = frame
        width = self.dtype.itemsize
        np.ndarray(len(buffer) - width + 1, f"V{width}", buffer, strides=(1,))[at[which]] = record[which].view(
            f"V{width}"
        )
        short = np.flatnonzero(batch.row >= 2 * media)
        bare = record[short].view(np.uint8).reshape(len(short), width)[:, : self.head]
        buffer[at[short][:, None] + np.arange(self.head)] = bare

    def _tags(self, buffer: np.ndarray, batch: Batch, at: np.ndarray) -> None:
        """Authentication tags of SRTP and SRTCP packets, and the latter's index words (RFC 3711 §3.1, §3.4, §4.2)."""
        scene, media = self.scene, self.scene.media
        which = np.flatnonzero(batch.row < 2 * media)
        row, packet = batch.row[which], batch.packet[which]
        begin = at[which] + self.head + RTP_AT
        stop = at[which] + self.head + batch.size[which] - TAG
        report = np.flatnonzero(row >= media)
        index = (packet[report] | 0x80000000).astype(">u4")
        np.ndarray(len(buffer) - 3, "V4", buffer, strides=(1,))[stop[report] - 4] = index.view("V4")
        rollover = (scene.first_sequence[np.where(row < media, row, 0)] + packet) >> 16
        rollover[report] = -1
        suffix = {counter: counter.to_bytes(4, "big") for counter in range(int(rollover.max(initial=0)) + 1)}
        suffix[-1] = b""  # SRTCP: the index word is part of the packet already
        view, states = buffer.data, scene.states
        for a, b, stream, counter in zip(begin.tolist(), stop.tolist(), row.tolist(), rollover.tolist(), strict=True):
            inner, outer = states[stream]
            digest = inner.copy()
            digest.update(view[a:b])
            digest.update(suffix[counter])
            tag = outer.copy()
            tag.update(digest.digest())
            view[b : b + TAG] = tag.digest()[:TAG]

    def truth(self) -> dict[str, Any]:
        """What the written capture holds."""
        scene, rows = self.scene, self.scene.rows
        calls = len(scene.calls)
        streams = [
            {
                "source": f"{dotted(int(rows['source'][s]))}:{rows['source_port'][s]}",
                "destination": f"{dotted(int(rows['destination'][s]))}:{rows['destination_port'][s]}",
                "ssrc": f"0x{int(scene.ssrc[s]):08x}",
                "payload_type": int(scene.payload_type[s]),
                "packets": int(self.received[s]),
                "lost": int(self.lost[s]),
            }
            for s in range(scene.media)
            if self.received[s]
        ]
        return {
            "packets": self.written,
            "octets": self.octets,
            "calls": calls,
            "sip": {
                "messages": 7 * calls,
                "requests": {"INVITE": calls, "ACK": calls, "BYE": calls},
                "responses": 4 * calls,
            },
            "rtp_packets": int(self.received[: scene.media].sum()),
            "srtcp_packets": int(self.received[scene.media :].sum()),
            "lost": int(self.lost.sum()),
            "streams": streams,
        }


def truth_path(capture: Path) -> Path:
    """Where the truth about a generated capture stands."""
    return capture.with_name(capture.name + ".truth.json")


def generate(capture: Path, size: int, calls: int = 2000, seed: int = 1, pcapng: bool = False) -> dict[str, Any]:
    """Writes the capture and its truth file, and returns the truth. ``size`` is in octets, met within a few per cent.

    A size too small for the calls' signalling and half a second of media gives just those.
    """
    generator = Generator(Scene(size, calls, seed), pcapng)
    with capture.open("wb") as out:
        generator.write(out)
    truth = generator.truth()
    truth_path(capture).write_text(json.dumps(truth, indent=1) + "\n")
    return truth


def octets(text: str) -> int:
    """A size such as 100MB or 1GB; raises ValueError for anything else."""
    for unit, factor in UNITS.items():
        if text.upper().endswith(unit):
            return int(float(text[: -len(unit)]) * factor)
    return int(text)


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description="Write a seeded capture of SRTP calls and the truth about it.")
    parser.add_argument("capture", type=Path, help="file to write; .pcapng chooses that format")
    parser.add_argument("--size", type=octets, default=octets("100MB"), help="about this much, such as 100MB or 1GB")
    parser.add_argument("--calls", type=int, default=2000, help="calls at the same time")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    pcapng = arguments.capture.suffix == ".pcapng"
    truth = generate(arguments.capture, arguments.size, arguments.calls, arguments.seed, pcapng)
    print(f"{arguments.capture}: {truth['packets']} packets, {truth['octets']} octets, {len(truth['streams'])} streams")
    return 0


if __name__ == "__main__":
    sys.exit(main())

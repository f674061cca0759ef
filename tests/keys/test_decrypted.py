"""What keys open leaves a capture in clear, in its frames or behind them, and all else stays octet for octet."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from imsinspect.capture.blocks import SECRETS_TLS, Secrets
from imsinspect.capture.pcapng_writer import PcapngWriter
from imsinspect.capture.records import PcapngWalk
from imsinspect.capture.rows import PAD
from imsinspect.decrypting import Decrypted, decrypt
from imsinspect.pipeline import Options
from tests import build

if TYPE_CHECKING:
    from pathlib import Path

    from tests.build import Packet

SSRC = 0x1234ABCD
ALICE_MEDIA, BOB_MEDIA = (build.ALICE[0], 4000), (build.BOB[0], 5000)
PACKETS = 60


def signalling(suite: str = "AES_CM_128_HMAC_SHA1_80", params: str = "") -> list[Packet]:
    """A call with SDES keys in SIP over UDP."""
    offer, answer = (
        build.sdp(address, build.audio(port, "RTP/SAVP", build.crypto(seed, suite=suite, params=params)))
        for address, port, seed in ((build.ALICE[0], 4000, "alice"), (build.BOB[0], 5000, "bob"))
    )
    return [
        (at, build.ethernet(packet) if packet[0] >> 4 in (4, 6) else packet) for at, packet in build.call(offer, answer)
    ]


def plain_rtp(count: int = PACKETS, first: int = 65_500) -> list[bytes]:
    """RTP of one sender over a wrap of the sequence numbers."""
    return [
        build.rtp(first + number, 160 * number, SSRC, build.pcmu_speech(number), marker=not number)
        for number in range(count)
    ]


def protected(plain: list[bytes], suite: str = "AES_CM_128_HMAC_SHA1_80", **more: bytes) -> list[bytes]:
    """What alice sends."""
    sender = build.Srtp(build.master_key("alice", suite), suite, **more)
    return [sender.protect(packet) for packet in plain]


def in_frames(datagrams: list[bytes], at: float = 1.0) -> list[Packet]:
    """Datagrams from alice to bob, 20 ms apart."""
    return [
        (at + 0.02 * number, build.udp(ALICE_MEDIA, BOB_MEDIA, data, identification=number))
        for number, data in enumerate(datagrams)
    ]


def run(tmp_path: Path, packets: list[Packet], **more: object) -> tuple[Decrypted, list[bytes]]:
    """What was done, and the packets of the output in their order."""
    return run_octets(tmp_path, build.pcap(build.in_time_order(packets), **more))  # type: ignore[arg-type]


def run_octets(tmp_path: Path, capture: bytes, *, with_secrets: bool = False) -> tuple[Decrypted, list[bytes]]:
    """The same for the octets of a capture."""
    path = tmp_path / "in.pcap"
    path.write_bytes(capture)
    out = io.BytesIO()
    done = decrypt(str(path), out, Options(), with_secrets=with_secrets)
    return done, [octets for _, octets in records(out.getvalue())]


def records(data: bytes) -> list[tuple[int, bytes]]:
    """Time and octets of the packets of a pcapng file."""
    window = np.frombuffer(data + bytes(PAD), np.uint8)
    found = []
    for batch in PcapngWalk().records(window, 0, len(data)):
        for row in range(len(batch.frames)):
            at = int(batch.offsets[row]) + batch.head
            found.append((int(batch.frames[row]), int(batch.when[row]), data[at : at + int(batch.captured[row])]))
    return [(when, octets) for _, when, octets in sorted(found)]


SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM"]


@pytest.mark.parametrize("suite", SUITES)
def test_protected_frames_become_those_that_would_have_been_sent_in_clear(tmp_path: Path, suite: str) -> None:
    plain = plain_rtp()
    done, out = run(tmp_path, [*signalling(suite), *in_frames(protected(plain, suite))])
    clear = build.in_time_order([*signalling(suite), *in_frames(plain)])
    assert out == [packet for _, packet in clear]
    assert (done.media.opened["SRTP"], done.media.streams, done.replaced, done.inserted) == (PACKETS, 1, PACKETS, 0)
    assert not done.media.failed.total()


def test_an_mki_is_taken_away_with_the_tag(tmp_path: Path) -> None:
    plain = plain_rtp()
    packets = [*signalling(params="|2^31|7:4"), *in_frames(protected(plain, mki=b"\0\0\0\7"))]
    assert run(tmp_path, packets)[1] == [
        packet for _, packet in build.in_time_order([*signalling(params="|2^31|7:4"), *in_frames(plain)])
    ]


def test_srtcp_becomes_rtcp(tmp_path: Path) -> None:
    sender = build.Srtp(build.master_key("alice"))
    compounds = [build.sender_report(SSRC, packets=n) + build.source_description(SSRC) for n in range(5)]
    ends = (ALICE_MEDIA[0], 4001), (BOB_MEDIA[0], 5001)
    sent = [sender.protect_rtcp(each, encrypted=number % 2 == 0) for number, each in enumerate(compounds)]
    packets = [(2.0 + n, build.udp(*ends, each, identification=n)) for n, each in enumerate(sent)]
    done, out = run(tmp_path, [*signalling(), *packets])
    expected = [build.udp(*ends, each, identification=n) for n, each in enumerate(compounds)]
    assert [each for each in out if b"\x0f\xa1\x13\x89" in each[:40]] == expected
    assert done.media.opened["SRTCP"] == 5


def test_what_does_not_verify_stays_and_is_counted(tmp_path: Path) -> None:
    plain = plain_rtp()
    sent = protected(plain)
    sent[20] = sent[20][:40] + bytes([sent[20][40] ^ 1]) + sent[20][41:]
    plain[20] = sent[20]
    done, out = run(tmp_path, [*signalling(), *in_frames(sent)])
    assert out == [packet for _, packet in build.in_time_order([*signalling(), *in_frames(plain)])]
    assert done.media.opened["SRTP"] == PACKETS - 1
    assert done.media.failed.total() == 1


def test_without_a_key_nothing_changes(tmp_path: Path) -> None:
    packets = [*in_frames(protected(plain_rtp()))]
    done, out = run(tmp_path, packets)
    assert out == [packet for _, packet in packets]
    assert not done.anything
    assert done.media.without_key["SRTP"] == PACKETS
    assert done.media.without_key_streams == 1


def test_media_in_clear_stays_and_is_counted(tmp_path: Path) -> None:
    packets = [*signalling(), *in_frames(plain_rtp())]
    done, out = run(tmp_path, packets)
    assert out == [packet for _, packet in build.in_time_order(packets)]
    assert done.media.in_clear["RTP"] == PACKETS
    assert not done.anything


def test_a_packet_sighted_twice_is_opened_in_both_frames(tmp_path: Path) -> None:
    plain = plain_rtp()

    def twice(datagrams: list[bytes]) -> list[Packet]:
        return build.in_time_order(in_frames(datagrams), [(at + 0.001, each) for at, each in in_frames(datagrams)])

    done, out = run(tmp_path, [*signalling(), *twice(protected(plain))])
    assert out == [packet for _, packet in build.in_time_order([*signalling(), *twice(plain)])]
    assert done.replaced == 2 * PACKETS


def test_media_in_fragments_follows_the_frame_that_completed_it(tmp_path: Path) -> None:
    plain = plain_rtp()
    sent = protected(plain)
    media = in_frames(sent)
    at, whole = media[30]
    datagram = whole[34:]
    ends = ALICE_MEDIA[0], BOB_MEDIA[0]
    first = build.ip(*ends, build.UDP, datagram[:96], identification=9, fragment=0x2000)
    second = build.ip(*ends, build.UDP, datagram[96:], identification=9, fragment=12)
    pieces = [build.ethernet(first), build.ethernet(second)]
    packets = build.in_time_order([*signalling(), *media[:30], *((at, piece) for piece in pieces), *media[31:]])
    done, out = run(tmp_path, packets)
    place = out.index(pieces[1])
    assert out[place - 1] == pieces[0]
    raw = build.ip(*ends, build.UDP, build.udp_datagram(ALICE_MEDIA, BOB_MEDIA, plain[30]), identification=0)
    assert out[place + 1] == raw
    assert (done.replaced, done.inserted) == (PACKETS - 1, 1)


def test_media_in_a_turn_channel_follows_its_frame(tmp_path: Path) -> None:
    plain = plain_rtp()
    channels = [struct.pack("!HH", 0x4001, len(each)) + each for each in protected(plain)]
    packets = build.in_time_order([*signalling(), *in_frames(channels)])
    done, out = run(tmp_path, packets)
    assert [each for each in out if each[:2] != b"\x45\0"] == [packet for _, packet in packets]
    ends = ALICE_MEDIA[0], BOB_MEDIA[0]
    inserted = [
        build.ip(*ends, build.UDP, build.udp_datagram(ALICE_MEDIA, BOB_MEDIA, each), identification=0) for each in plain
    ]
    assert [each for each in out if each[:2] == b"\x45\0"] == inserted
    assert (done.replaced, done.inserted) == (0, PACKETS)


def test_a_cut_packet_stays_and_is_counted(tmp_path: Path) -> None:
    packets = build.in_time_order([*signalling(), *in_frames(protected(plain_rtp()))])
    longest = max(len(packet) for _, packet in packets)
    done, out = run(tmp_path, packets[:-2], snap_length=longest)
    assert len(out) == len(packets) - 2
    path = tmp_path / "cut.pcap"
    whole = bytearray(build.pcap(packets))
    path.write_bytes(whole[:-200])  # the last packets are missing
    done = decrypt(str(path), io.BytesIO(), Options())
    assert "the capture ends inside a packet: read to its last whole packet" in done.notes


def test_comments_and_times_of_a_pcapng_stay_and_its_secrets_do_not(tmp_path: Path) -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file, "tester")
    writer.secrets(Secrets(SECRETS_TLS, b"CLIENT_RANDOM 5ec2e7 1234"))
    face = writer.interface(1)
    plain = plain_rtp()
    packets = build.in_time_order([*signalling(), *in_frames(protected(plain))])
    for number, (at, packet) in enumerate(packets):
        time = build.START * 10**9 + round(at * 10**9) + 7
        writer.packet(face, time, packet, comments=[f"packet {number}"])
    path = tmp_path / "in.pcapng"
    path.write_bytes(file.getvalue())
    out = io.BytesIO()
    done = decrypt(str(path), out, Options())
    assert done.secrets == 1
    assert not [note for note in done.notes if "key material" in note]
    assert b"5ec2e7" not in out.getvalue()
    assert all(f"packet {number}".encode() in out.getvalue() for number in range(len(packets)))
    clear = build.in_time_order([*signalling(), *in_frames(plain)])
    assert records(out.getvalue()) == [(build.START * 10**9 + round(at * 10**9) + 7, packet) for at, packet in clear]
    out = io.BytesIO()
    assert decrypt(str(path), out, Options(), with_secrets=True).secrets == 0
    assert b"5ec2e7" in out.getvalue()


def test_many_windows_are_written_as_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = plain_rtp(3000, first=0)
    packets = [*signalling(), *in_frames(protected(plain))]
    clear = [packet for _, packet in build.in_time_order([*signalling(), *in_frames(plain)])]
    monkeypatch.setattr("imsinspect.capture.windows.FileWindows.__init__.__defaults__", (1 << 16,))
    assert run(tmp_path, packets)[1] == clear

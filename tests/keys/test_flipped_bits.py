"""One flipped bit, whichever it is, shows in the facts of its sender at its frame, through the whole audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.frames import frame_number
from tests import build
from tests.keys.scene import GCM, _80, context, flipped, key_row, proof, traced

if TYPE_CHECKING:
    from imsinspect.trace.model import Trace

MKI = b"\x00\x07"
MIDDLE = 4  # of the packets of each stream
PACKETS = 7
SUITES = ((_80, b""), (_80, MKI), (GCM, b""), ("AES_CM_128_HMAC_SHA1_32", b""))


def ends(number: int) -> tuple[build.Address, build.Address]:
    """A path of its own for each bit."""
    return (f"10.0.{number >> 8}.{number & 0xFF}", 4000), ("10.9.9.9", 6000)


def ssrc_of(number: int) -> int:
    """An SSRC far from the others by more than one bit."""
    return 0x51000000 + number * 0x10007


def protected(number: int, suite: str, mki: bytes, payload_type: int) -> list[bytes]:
    srtp = context("a", suite, mki=mki)
    return [
        srtp.protect(
            build.rtp(100 + each, 160 * each, ssrc_of(number), build.noise(each, 20), payload_type=payload_type)
        )
        for each in range(PACKETS)
    ]


def controlled(number: int, suite: str, mki: bytes) -> list[bytes]:
    srtp = context("a", suite, mki=mki)
    compound = build.sender_report(ssrc_of(number)) + build.source_description(ssrc_of(number), b"a@b")
    return [srtp.protect_rtcp(compound) for _ in range(PACKETS)]


def carried(streams: list[list[bytes]]) -> tuple[list[build.Packet], list[int]]:
    """All streams side by side, and the frame of each one's middle packet."""
    packets, frames = [], []
    for at in range(PACKETS):
        for number, stream in enumerate(streams):
            if at == MIDDLE:
                frames.append(len(packets) + 1)
            packets.append((1 + at + number * 0.0001, build.udp(*ends(number), stream[at])))
    return packets, frames


def spoil(stream: list[bytes], bit: int) -> list[bytes]:
    return [flipped(packet, bit) if at == MIDDLE else packet for at, packet in enumerate(stream)]


def told(trace: Trace, frames: list[int], *, rtcp: bool) -> list[tuple[int, str]]:
    """For each stream what is said of its middle packet; it is the only one."""
    found = {each.ssrc: each for each in (trace.rtcp_sources if rtcp else trace.streams) if each.packets > 3}
    out = []
    for number, frame in enumerate(frames):
        of = found[ssrc_of(number)]
        checked = proof(of)
        assert checked.verified == PACKETS - 1, (number, checked)
        assert [frame_number(each.frame) for each in checked.failures] == [frame], (number, checked.failures)
        assert (checked.first_failed, checked.last_failed) == (frame, frame)
        out.append((number, checked.failures[0].diagnosis))
    return out


@pytest.mark.parametrize(("suite", "mki"), SUITES)
@pytest.mark.parametrize("payload_type", [0, 8, 72, 96])
def test_of_srtp(suite: str, mki: bytes, payload_type: int) -> None:
    if payload_type == 72 and suite != _80:
        return  # the marker makes these payload types look like RTCP: once is enough
    whole = protected(0, suite, mki, payload_type)[0]
    bits = range(8 * len(whole))
    streams = [spoil(protected(bit, suite, mki, payload_type), bit) for bit in bits]
    packets, frames = carried(streams)
    trace = traced(packets, keys=[key_row("a", suite, mki=mki.hex())])
    said = dict(told(trace, frames, rtcp=False))
    tag = 0 if suite == GCM else {_80: 10}.get(suite, 4)
    of_mki = range(8 * (len(whole) - tag - len(mki)), 8 * (len(whole) - tag))
    for bit in bits:
        expected = "wrong SSRC" if 64 <= bit < 96 else "MKI" if bit in of_mki else "altered"
        assert said[bit] == expected, bit


@pytest.mark.parametrize(("suite", "mki"), SUITES)
@pytest.mark.parametrize("multiplexed", [False, True])
def test_of_srtcp(suite: str, mki: bytes, multiplexed: bool) -> None:
    whole = controlled(0, suite, mki)[0]
    bits = range(8 * len(whole))
    packets, frames = carried([spoil(controlled(bit, suite, mki), bit) for bit in bits])
    if multiplexed:
        media, _ = carried([protected(bit, suite, mki, 0) for bit in bits])
        packets += [(at + 20, data) for at, data in media]
    trace = traced(packets, keys=[key_row("a", suite, mki=mki.hex())])
    said = dict(told(trace, frames, rtcp=True))
    tag = 0 if suite == GCM else 10
    of_mki = range(8 * (len(whole) - tag - len(mki)), 8 * (len(whole) - tag))
    for bit in bits:
        expected = "wrong SSRC" if 32 <= bit < 64 else "MKI" if bit in of_mki else "altered"
        assert said[bit] == expected, bit
    if multiplexed:
        assert all(proof(each).verified == PACKETS for each in trace.streams if each.packets > 3)

"""RTP packets with header extensions and RTCP compounds are those that aiortc writes and reads.

aiortc closes the items of SDES with two null octets and fills up the packet, not each chunk (RFC 3550 §6.5 asks for one
and for the latter); so there is one chunk here, with room for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dissectors.binary import notes
from dissectors.rtp.layers import RTCP, RTP, extension_elements
from dissectors.rtp.media.layers import OneByteElement, TwoByteElement
from dissectors.rtp.rtcp.feedback.layers import REMB, GenericNACK
from dissectors.rtp.rtcp.layers import (
    BYE,
    PSFB,
    RR,
    RTPFB,
    SDES,
    SR,
    ReportBlock,
    SDESChunk,
    SDESItem,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

URIS = {
    1: "urn:ietf:params:rtp-hdrext:sdes:mid",
    2: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    3: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    4: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    5: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
}


@pytest.fixture(scope="module")
def rtp(peer_module: Callable[[str], ModuleType]) -> Any:
    """aiortc's module of RTP and RTCP."""
    peer_module("aiortc")
    return peer_module("aiortc.rtp")


@pytest.fixture(scope="module")
def extensions(rtp: Any, peer_module: Callable[[str], ModuleType]) -> Any:
    """The identifiers of header extensions as aiortc keeps them."""
    parameters = peer_module("aiortc.rtcrtpparameters")
    found = rtp.HeaderExtensionsMap()
    found.configure(
        parameters.RTCRtpParameters(
            headerExtensions=[parameters.RTCRtpHeaderExtensionParameters(id=id_, uri=uri) for id_, uri in URIS.items()]
        )
    )
    return found


def test_packets_of_aiortc_are_read(rtp: Any, extensions: Any) -> None:
    theirs = rtp.RtpPacket(payload_type=111, marker=1, sequence_number=65535, timestamp=7, ssrc=9, payload=b"abc")
    theirs.csrc = [1, 2]
    theirs.padding_size = 5
    theirs.extensions.mid = "audio"
    theirs.extensions.audio_level = (True, 30)
    theirs.extensions.abs_send_time = 0x123456
    theirs.extensions.transport_sequence_number = 513
    packet = RTP(theirs.serialize(extensions))
    assert (packet.marker, packet.payload_type, packet.sequence_number) == (1, 111, 65535)
    assert (packet.timestamp, packet.SSRC, packet.CSRC) == (7, 9, [1, 2])
    assert (bytes(packet.rtp_payload), packet.padding_octets[-1]) == (b"abc", 5)
    found = dict(extension_elements(packet, URIS))
    assert found[URIS[1]].text == b"audio"
    assert found[URIS[2]].absolute_send_time == 0x123456
    assert (found[URIS[3]].V, found[URIS[3]].level) == (1, 30)
    assert found[URIS[4]].sequence_number == 513
    assert notes(packet) == []


@pytest.mark.parametrize(
    "elements",
    [
        [(1, b"a")],
        [(1, b"a" * 16), (14, b"b")],
        [(1, b""), (2, b"abc")],
        [(15, b"abc"), (255, b"d" * 255)],
        [(1, b"x" * 17)],
    ],
)
def test_elements_of_aiortc_are_read_one_byte_and_two(rtp: Any, elements: list[tuple[int, bytes]]) -> None:
    profile, value = rtp.pack_header_extensions(elements)
    header = b"\x90" + bytes(11) + profile.to_bytes(2, "big") + (len(value) // 4).to_bytes(2, "big")
    packet = RTP(header + value)
    assert [
        (one.ID, one.data)
        for one in packet.header_extension.extension_elements
        if isinstance(one, OneByteElement | TwoByteElement)
    ] == elements
    assert notes(packet) == []


def test_packets_built_here_are_read_by_aiortc(rtp: Any, extensions: Any) -> None:
    packet = RTP(payload_type=111, sequence_number=3, SSRC=4, CSRC=[5], rtp_payload=b"abc", padding_octets=b"\x00\x02")
    theirs = rtp.RtpPacket.parse(bytes(packet), extensions)
    assert (theirs.payload_type, theirs.sequence_number, theirs.ssrc, theirs.csrc) == (111, 3, 4, [5])
    assert (theirs.payload, theirs.padding_size) == (b"abc", 2)


def test_compounds_of_aiortc_are_read(rtp: Any) -> None:
    report = rtp.RtcpReceiverInfo(
        ssrc=2, fraction_lost=64, packets_lost=-3, highest_sequence=0x10005, jitter=7, lsr=0x12348000, dlsr=0x18000
    )
    sender = rtp.RtcpSenderInfo(ntp_timestamp=0xE6F2A51380000000, rtp_timestamp=16, packet_count=32, octet_count=1024)
    datagram = b"".join(
        bytes(one)
        for one in (
            rtp.RtcpSrPacket(ssrc=1, sender_info=sender, reports=[report]),
            rtp.RtcpRrPacket(ssrc=1, reports=[report, report]),
            rtp.RtcpSdesPacket(chunks=[rtp.RtcpSourceInfo(ssrc=1, items=[(1, b"a@b"), (6, b"tools")])]),
            rtp.RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=[100, 101, 117, 300]),
            rtp.RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2),
            rtp.RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=rtp.pack_remb_fci(4160000, [8, 9])),
            rtp.RtcpByePacket(sources=[1, 2]),
        )
    )
    compound = RTCP(datagram)
    sr, rr, sdes, nack, pli, afb, bye = compound.packets
    assert (sr.SSRC, sr.NTP_timestamp, sr.RTP_timestamp) == (1, 0xE6F2A51380000000, 16)
    assert (sr.senders_packet_count, sr.senders_octet_count) == (32, 1024)
    for block in (*sr.report_blocks, *rr.report_blocks):
        assert (block.SSRC, block.fraction_lost, block.cumulative_number_of_packets_lost) == (2, 64, -3)
        assert (block.extended_highest_sequence_number_received, block.interarrival_jitter) == (0x10005, 7)
        assert (block.last_SR, block.delay_since_last_SR) == (0x12348000, 0x18000)
    assert len(rr.report_blocks) == 2
    assert [(item.type, item.text) for item in sdes.chunks[0].items] == [(1, b"a@b"), (6, b"tools")]
    assert [lost for one in nack.FCI for lost in one.lost()] == [100, 101, 117, 300]
    assert (pli.FMT, pli.FCI) == (1, [])
    assert (afb.FCI[0].bit_rate(), afb.FCI[0].SSRC_feedback) == (4160000, [8, 9])
    assert bye.sources == [1, 2]
    assert notes(compound) == []


def test_compounds_built_here_are_read_by_aiortc(rtp: Any) -> None:
    datagram = bytes(
        RTCP(
            packets=[
                SR(SSRC=1, NTP_timestamp=5, report_blocks=[ReportBlock(SSRC=2, cumulative_number_of_packets_lost=-3)]),
                RR(SSRC=1),
                SDES(chunks=[SDESChunk(SSRC=1, items=[SDESItem(text=b"a@b")])]),
                RTPFB(FMT=1, SSRC=1, media_source_SSRC=2, FCI=[GenericNACK(PID=100, BLP=1)]),
                PSFB(FMT=15, SSRC=1, FCI=[REMB(BR_Exp=4, BR_Mantissa=260000, SSRC_feedback=[8])]),
                BYE(sources=[1]),
            ]
        )
    )
    sr, rr, sdes, nack, afb, bye = rtp.RtcpPacket.parse(datagram)
    assert (sr.ssrc, sr.sender_info.ntp_timestamp, sr.reports[0].packets_lost) == (1, 5, -3)
    assert rr.reports == []
    assert [(one.ssrc, one.items) for one in sdes.chunks] == [(1, [(1, b"a@b")])]
    assert nack.lost == [100, 101]
    assert rtp.unpack_remb_fci(afb.fci) == (4160000, [8])
    assert bye.sources == [1]

"""RTP headers and RTCP packets of real captures are those that tshark reads."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from dissectors.rtp.layers import RTCP, RTP
from dissectors.rtp.rtcp.layers import SDES, SR, ReportBlock, RTCPPacket
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = (
    "dtls-srtp/webrtc-freeswitch.pcapng",
    "rtp/dtmf-rfc2833-digit.pcap",
    "rtp/g711a-stream.pcap",
    "rtp/h263-video-call.pcap",
    "rtp/many-rtp-flows.pcapng",
    "rtp/rtcp-and-encrypted-voice.pcap",
    "rtp/rtcp-several-in-one-datagram.pcap",
    "rtp/sip-speex-three-calls.pcap",
    "sdes-srtp/zrtp-zfone-asterisk.pcap",
    "volte/fixed-ims-invite-call.pcap",
    "volte/gtpu-ims-register-call-sms.pcap",
)
FILES = [CAPTURES / name for name in NAMES if (CAPTURES / name).exists()]
HEURISTICS = [word for name in ("rtp_udp", "rtcp_udp") for word in ("--enable-heuristic", name)]


def shown(tshark: str, path: Path, only: str, names: list[str]) -> Iterator[dict[str, list[str]]]:
    """Fields of the packets that tshark shows, with all their values, and the payload of the innermost UDP."""
    fields = [word for name in ("udp.payload", *names) for word in ("-e", name)]
    words = [tshark, "-n", "-r", str(path), *HEURISTICS, "-Y", only, "-T", "fields", "-E", "separator=|", *fields]
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        values = [value.split(",") if value else [] for value in line.split("|")]
        yield dict(zip(("udp.payload", *names), values, strict=True))


RTP_FIELDS: dict[str, Callable[[Any], list[int]]] = {
    "rtp.version": lambda packet: [packet.version],
    "rtp.padding": lambda packet: [packet.padding],
    "rtp.ext": lambda packet: [packet.extension],
    "rtp.cc": lambda packet: [packet.CSRC_count],
    "rtp.marker": lambda packet: [packet.marker],
    "rtp.p_type": lambda packet: [packet.payload_type],
    "rtp.seq": lambda packet: [packet.sequence_number],
    "rtp.timestamp": lambda packet: [packet.timestamp],
    "rtp.ssrc": lambda packet: [packet.SSRC],
    "rtp.ext.len": lambda packet: [packet.header_extension.length] if packet.header_extension else [],
}
"""tshark's field: what the layer has for it."""


def number(text: str) -> int:
    """A number as tshark writes it."""
    return int(text, 0) if text not in ("True", "False") else int(text == "True")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_rtp_headers_are_those_of_tshark(path: Path, peer: Callable[[str], str]) -> None:
    for theirs in shown(peer("tshark"), path, "rtp.version == 2", list(RTP_FIELDS)):
        packet = RTP(bytes.fromhex(theirs["udp.payload"][-1]))
        for name, ours in RTP_FIELDS.items():
            assert [number(one) for one in theirs[name]] == ours(packet), name


def _reports(packets: list[RTCPPacket]) -> list[ReportBlock]:
    return [block for one in packets for block in getattr(one, "report_blocks", []) if isinstance(block, ReportBlock)]


RTCP_FIELDS: dict[str, Callable[[list[Any]], list[int]]] = {
    "rtcp.pt": lambda packets: [one.packet_type for one in packets],
    "rtcp.length": lambda packets: [one.length for one in packets],
    "rtcp.timestamp.ntp.msw": lambda packets: [one.NTP_timestamp >> 32 for one in packets if isinstance(one, SR)],
    "rtcp.timestamp.rtp": lambda packets: [one.RTP_timestamp for one in packets if isinstance(one, SR)],
    "rtcp.sender.packetcount": lambda packets: [one.senders_packet_count for one in packets if isinstance(one, SR)],
    "rtcp.sender.octetcount": lambda packets: [one.senders_octet_count for one in packets if isinstance(one, SR)],
    "rtcp.ssrc.fraction": lambda packets: [one.fraction_lost for one in _reports(packets)],
    "rtcp.ssrc.cum_nr": lambda packets: [one.cumulative_number_of_packets_lost for one in _reports(packets)],
    "rtcp.sdes.type": lambda packets: [
        # tshark counts the end of a chunk as an item of type 0.
        number
        for one in packets
        if isinstance(one, SDES)
        for chunk in one.chunks
        for number in (*(item.type for item in chunk.items), 0)
    ],
    "rtcp.ssrc.jitter": lambda packets: [one.interarrival_jitter for one in _reports(packets)],
    "rtcp.ssrc.lsr": lambda packets: [one.last_SR for one in _reports(packets)],
    "rtcp.ssrc.dlsr": lambda packets: [one.delay_since_last_SR for one in _reports(packets)],
}
"""tshark's field: what the layers of a compound have for it."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_rtcp_packets_are_those_of_tshark(path: Path, peer: Callable[[str], str]) -> None:
    ours, theirs = Counter[int](), Counter[int]()
    # Behind the first packet of encrypted SRTCP, tshark takes ciphertext of any version for packets.
    for row in shown(peer("tshark"), path, "rtcp and not rtcp.version < 2", list(RTCP_FIELDS)):
        packets = [one for one in RTCP(bytes.fromhex(row["udp.payload"][-1])).packets if isinstance(one, RTCPPacket)]
        ours.update(one.packet_type for one in packets)
        theirs.update(number(one) for one in row["rtcp.pt"])
        for name, of in RTCP_FIELDS.items():
            assert [number(one) for one in row[name]] == of(packets), name
    assert ours == theirs

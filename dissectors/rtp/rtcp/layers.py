"""Scapy layers of RTCP: `RTCP(datagram)` is the compound, a list of packets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, MAX_ITEMS, Bits, Layer, Length, Number, Opaque, Packets, named
from dissectors.rtp.codes import PSFB_FORMATS, RTCP_PACKET_TYPES, RTPFB_FORMATS, SDES_ITEM_TYPES
from dissectors.rtp.fields import (
    Count,
    Flag,
    MeasuredNumbers,
    MeasuredOctets,
    MeasuredOne,
    MeasuredPackets,
    Nulls,
    Signed,
    Words,
    before_padding,
    blocks,
    fixed,
    octets_of,
    padding_size,
    padding_troubles,
    repeated,
    rest,
)
from dissectors.rtp.readable import extended_sequence, fraction, ntp_middle, ntp_time, seconds
from dissectors.rtp.rtcp.feedback.layers import PSFB_LAYERS, RTPFB_LAYERS, StreamReports, feedback
from dissectors.rtp.rtcp.walk import packet_ends
from dissectors.rtp.rtcp.xr.block.layers import XRBlock
from dissectors.rtp.rtcp.xr.layers import XR_LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field


def _header(packet_type: int, count: Field) -> list[Field]:
    """The first word of every packet (RFC 3550 §6.4.1)."""
    return [
        Bits("version", 2, 2, begins=1),
        Flag("padding", "padding_octets"),
        count,
        Number("packet_type", packet_type, 1, named(RTCP_PACKET_TYPES)),
        Words("length"),
    ]


_PADDING = MeasuredOctets("padding_octets", padding_size)


class RTCPPacket(Layer):
    """RFC 3550 §6.1: a packet of a type that has no layer of its own."""

    name = "RTCP packet"
    fields_desc = [*_header(0, Bits("count", 0, 5)), MeasuredOctets("body", before_padding), _PADDING]
    list_counted: ClassVar[tuple[str, str]] = ("", "")  # the field that counts, and the list

    def troubles(self) -> Iterator[str]:
        """Version, length, counts and padding."""
        if self.version not in (2, ABSENT):
            yield f"version {self.version}, not 2"
        there = octets_of(self)
        if isinstance(self.length, int) and 4 * (self.length + 1) != there:
            yield f"length says {4 * (self.length + 1)} octets, {there} are there"
        count, of = self.list_counted
        if count and isinstance(self.getfieldval(count), int):
            found = self.getfieldval(of)
            number = sum(not isinstance(one, Raw) for one in found) if isinstance(found, list) else 0
            if number != self.getfieldval(count):
                yield f"{count} says {self.getfieldval(count)}, {number} are there"
        yield from padding_troubles(self)
        size = len(self.padding_octets or b"")
        if size % 4:
            yield f"padding of {size} octets, no multiple of 4"


# --- reports --------------------------------------------------------------------------------------


class ReportBlock(Layer):
    """RFC 3550 §6.4.1."""

    name = "ReportBlock"
    fields_desc = [
        Number("SSRC", 0, 4),
        Number("fraction_lost", 0, 1, fraction),
        Signed("cumulative_number_of_packets_lost", 0, 3),
        Number("extended_highest_sequence_number_received", 0, 4, extended_sequence),
        Number("interarrival_jitter", 0, 4),
        Number("last_SR", 0, 4, ntp_middle),
        Number("delay_since_last_SR", 0, 4, seconds),
    ]


_REPORTS = [
    MeasuredPackets("report_blocks", repeated("reception_report_count", 24), fixed(ReportBlock, 24)),
    MeasuredOctets("profile_specific_extensions", before_padding),
    _PADDING,
]


class SR(RTCPPacket):
    """RFC 3550 §6.4.1: sender report."""

    name = "SR"
    list_counted = ("reception_report_count", "report_blocks")
    fields_desc = [
        *_header(200, Count("reception_report_count", "report_blocks", 5)),
        Number("SSRC", 0, 4),
        Number("NTP_timestamp", 0, 8, ntp_time),
        Number("RTP_timestamp", 0, 4),
        Number("senders_packet_count", 0, 4),
        Number("senders_octet_count", 0, 4),
        *_REPORTS,
    ]


class RR(RTCPPacket):
    """RFC 3550 §6.4.2: receiver report."""

    name = "RR"
    list_counted = ("reception_report_count", "report_blocks")
    fields_desc = [
        *_header(201, Count("reception_report_count", "report_blocks", 5)),
        Number("SSRC", 0, 4),
        *_REPORTS,
    ]


class IJ(RTCPPacket):
    """RFC 5450 §4: extended inter-arrival jitter report, a jitter for each block of the report before it."""

    name = "IJ"
    list_counted = ("reception_report_count", "inter_arrival_jitter")
    fields_desc = [
        *_header(195, Count("reception_report_count", "inter_arrival_jitter", 5)),
        MeasuredNumbers("inter_arrival_jitter", repeated("reception_report_count", 4), 4),
        MeasuredOctets("body", before_padding),
        _PADDING,
    ]


# --- source descriptions, BYE, APP ----------------------------------------------------------------


class SDESItem(Layer):
    """RFC 3550 §6.5."""

    name = "SDESItem"
    fields_desc = [
        Number("type", 1, 1, named(SDES_ITEM_TYPES)),
        Length("length", "text", 1),
        Opaque("text", b"", "length"),
    ]


class SDESPrivateItem(Layer):
    """RFC 3550 §6.5.8: PRIV."""

    name = "SDESPrivateItem"
    fields_desc = [
        Number("type", 8, 1, named(SDES_ITEM_TYPES)),
        Length("length", ("prefix_length", "prefix_string", "value_string"), 1),
        Length("prefix_length", "prefix_string", 1),
        Opaque("prefix_string", b"", "prefix_length"),
        Opaque("value_string", b""),
    ]


def _items_end(data: bytes, start: int) -> int:
    """Where the items of a chunk end that begin at an offset: at a null octet, or behind the last that fits."""
    while start + 2 <= len(data) and data[start]:
        end = start + 2 + data[start + 1]
        if end > len(data):
            break
        start = end
    return start


class SDESChunk(Layer):
    """RFC 3550 §6.5: the items of one source, closed by null octets up to the next word."""

    name = "SDESChunk"
    fields_desc = [
        Number("SSRC", 0, 4),
        MeasuredPackets(
            "items",
            lambda pkt, s: _items_end(s, 0),
            blocks({8: SDESPrivateItem}, SDESItem, 2, 1, 1, 1),
        ),
        Nulls("end", ("SSRC", "items"), 1),
    ]

    def troubles(self) -> Iterator[str]:
        """The list of items is closed, by nulls alone."""
        if isinstance(self.SSRC, int) and isinstance(self.end, bytes):
            if not self.end:
                yield "no null octet closes the items"
            elif self.end.strip(b"\x00"):
                yield "the octets that close the items are not null"


def _chunks(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Cuts the chunks that the packet counts; what is behind them is Raw."""
    start = 0
    for _ in range(pkt.source_count if isinstance(pkt.source_count, int) else 0):
        if len(data) - start < 4:
            break
        end = _items_end(data, start + 4)
        end = min(len(data), end + 4 - (end - start) % 4) if end < len(data) and not data[end] else len(data)
        yield SDESChunk, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class SDES(RTCPPacket):
    """RFC 3550 §6.5: source description."""

    name = "SDES"
    list_counted = ("source_count", "chunks")
    fields_desc = [
        *_header(202, Count("source_count", "chunks", 5)),
        MeasuredPackets("chunks", before_padding, _chunks),
        _PADDING,
    ]


class ByeReason(Layer):
    """RFC 3550 §6.6: why a source leaves, filled up with null octets."""

    name = "ByeReason"
    fields_desc = [
        Length("length", "reason", 1),
        Opaque("reason", b"", "length"),
        Nulls("end", ("length", "reason"), 0),
    ]


class BYE(RTCPPacket):
    """RFC 3550 §6.6: the sources that leave."""

    name = "BYE"
    list_counted = ("source_count", "sources")
    fields_desc = [
        *_header(203, Count("source_count", "sources", 5)),
        MeasuredNumbers("sources", repeated("source_count", 4), 4),
        MeasuredOne("reason_for_leaving", before_padding, lambda pkt, s: ByeReason),
        _PADDING,
    ]


class APP(RTCPPacket):
    """RFC 3550 §6.7: application-defined; its four octets of name say whose."""

    name = "APP"
    fields_desc = [
        *_header(204, Bits("subtype", 0, 5)),
        Number("SSRC", 0, 4),
        Opaque("application_name", b"\x00" * 4, fixed=4),
        MeasuredOctets("application_dependent_data", before_padding),
        _PADDING,
    ]

    def troubles(self) -> Iterator[str]:
        """The name has its four octets."""
        yield from super().troubles()
        if isinstance(self.SSRC, int) and len(self.application_name) < 4:
            yield f"application_name has {len(self.application_name)} octets, not 4"


# --- feedback, extended reports -------------------------------------------------------------------


class RTPFB(RTCPPacket):
    """RFC 4585 §6.1, §6.2: transport layer feedback."""

    name = "RTPFB"
    fields_desc = [
        *_header(205, Bits("FMT", 1, 5, named(RTPFB_FORMATS))),
        Number("SSRC", 0, 4),
        Number("media_source_SSRC", 0, 4),
        MeasuredPackets("FCI", before_padding, feedback(RTPFB_LAYERS)),
        _PADDING,
    ]


class CongestionControlFeedback(RTCPPacket):
    """RFC 8888 §3.1: CCFB, of which reports of streams follow the sender's SSRC, and a timestamp ends it."""

    name = "CCFB"
    fields_desc = [
        *_header(205, Bits("FMT", 11, 5, named(RTPFB_FORMATS))),
        Number("SSRC", 0, 4),
        MeasuredPackets("stream_reports", lambda pkt, s: before_padding(pkt, s) - 4, StreamReports.cut),
        Number("report_timestamp", 0, 4, seconds),
        _PADDING,
    ]


class PSFB(RTCPPacket):
    """RFC 4585 §6.1, §6.3: payload-specific feedback."""

    name = "PSFB"
    fields_desc = [
        *_header(206, Bits("FMT", 1, 5, named(PSFB_FORMATS))),
        Number("SSRC", 0, 4),
        Number("media_source_SSRC", 0, 4),
        MeasuredPackets("FCI", before_padding, feedback(PSFB_LAYERS)),
        _PADDING,
    ]


class XR(RTCPPacket):
    """RFC 3611 §2: extended report."""

    name = "XR"
    fields_desc = [
        *_header(207, Bits("reserved", 0, 5)),
        Number("SSRC", 0, 4),
        MeasuredPackets("report_blocks", before_padding, blocks(XR_LAYERS, XRBlock, 4, 2, 2, 4)),
        _PADDING,
    ]


# --- types that only old or special applications send ---------------------------------------------


class FIR(RTCPPacket):
    """RFC 2032 §5.2.1: full intra request of H.261."""

    name = "FIR"
    fields_desc = [
        *_header(192, Bits("MBZ", 0, 5)),
        Number("SSRC", 0, 4),
        MeasuredOctets("body", before_padding),
        _PADDING,
    ]


class NACK(RTCPPacket):
    """RFC 2032 §5.2.2: negative acknowledgement of H.261."""

    name = "NACK"
    fields_desc = [
        *_header(193, Bits("MBZ", 0, 5)),
        Number("SSRC", 0, 4),
        Number("FSN", 0, 2),
        Number("BLP", 0, 2, lambda mask: f"{mask:016b}"),
        MeasuredOctets("body", before_padding),
        _PADDING,
    ]


class RSI(RTCPPacket):
    """RFC 5760 §7.1.1: receiver summary information."""

    name = "RSI"
    fields_desc = [
        *_header(209, Bits("reserved", 0, 5)),
        Number("SSRC", 0, 4),
        Number("summarized_SSRC", 0, 4),
        Number("NTP_timestamp", 0, 8, ntp_time),
        MeasuredOctets("sub_report_blocks", before_padding),
        _PADDING,
    ]


PACKETS: dict[int, type[RTCPPacket]] = {
    192: FIR,
    193: NACK,
    195: IJ,
    200: SR,
    201: RR,
    202: SDES,
    203: BYE,
    204: APP,
    205: RTPFB,
    206: PSFB,
    207: XR,
    209: RSI,
}
"""Layers by packet type."""

_CCFB = 11


def _layer(octets: bytes) -> type[RTCPPacket]:
    if octets[1] == 205 and octets[0] & 0x1F == _CCFB:
        return CongestionControlFeedback
    return PACKETS.get(octets[1], RTCPPacket)


# --- compound -------------------------------------------------------------------------------------


def _packets(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Cuts the packets of a datagram; the last one may be cut short. What does not begin as one is Raw."""
    start = 0
    for end in packet_ends(data, MAX_ITEMS):
        yield _layer(data[start:end]), data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


def _packet_types(data: bytes) -> list[int]:
    start, types = 0, []
    for end in packet_ends(data, MAX_ITEMS):
        types.append(data[start + 1])
        start = end
    return types


class RTCP(Layer):
    """RFC 3550 §6.1: the packets of one datagram."""

    name = "RTCP"
    fields_desc = [Packets("packets", None, _packets)]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        """A datagram without any report is reduced-size RTCP."""
        types = _packet_types(bytes(_pkt)) if _pkt else []
        return ReducedSizeRTCP if types and not {200, 201} & set(types) else cls

    def troubles(self) -> Iterator[str]:
        """Rules of the compound as a whole."""
        found = [one for one in self.packets or () if isinstance(one, RTCPPacket)]
        reports = [isinstance(one, SR | RR) for one in found]
        if any(reports) and not reports[0]:
            yield f"begins with {found[0].name}, and its report is not first (RFC 3550 §6.1)"
        for one in found[:-1]:
            if one.padding == 1:
                yield f"{one.name} has the padding bit set, and is not the last packet (RFC 3550 §6.4.1)"


class ReducedSizeRTCP(RTCP):
    """RFC 5506 §3.4.2: a datagram without a report, which only peers send that agreed on a=rtcp-rsize."""

    name = "RTCP, reduced size"


# --- what SRTCP leaves readable of an encrypted compound ------------------------------------------


class EncryptedRTCP(Layer):
    """RFC 3711 §3.4: header and SSRC of the first packet; the rest of the compound is encrypted."""

    name = "RTCP, encrypted"
    fields_desc = [
        Bits("version", 2, 2, begins=1),
        Bits("padding", 0, 1),
        Bits("count", 0, 5),
        Number("packet_type", 201, 1, named(RTCP_PACKET_TYPES)),
        Number("length", 1, 2),
        Number("SSRC", 0, 4),
        MeasuredOctets("encrypted_portion", rest),
    ]

    def troubles(self) -> Iterator[str]:
        """The first packet ends within the compound."""
        if self.version not in (2, ABSENT):
            yield f"version {self.version}, not 2"
        there = octets_of(self)
        if isinstance(self.length, int) and 4 * (self.length + 1) > there:
            yield f"length of the first packet says {4 * (self.length + 1)} octets, the compound has {there}"

"""Scapy layers of feedback control information, FCI (RFC 4585 §6.2, §6.3; RFC 5104 §4 and later ones)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import MAX_ITEMS, Bits, Layer, Length, Number, Opaque, Packets, named
from dissectors.rtp.codes import PAUSE_RESUME_TYPES, RAMS_TYPES
from dissectors.rtp.fields import (
    MeasuredNumbers,
    MeasuredOctets,
    MeasuredPackets,
    Nulls,
    NumberCount,
    Signed,
    blocks,
    fixed,
    rest,
)
from dissectors.rtp.readable import extended_sequence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dissectors.rtp.fields import Cut

# --- transport layer feedback ---------------------------------------------------------------------


def _mask(bits: int) -> str:
    return f"{bits:016b}"


class GenericNACK(Layer):
    """RFC 4585 §6.2.1."""

    name = "GenericNACK"
    fields_desc = [Number("PID", 0, 2), Number("BLP", 0, 2, _mask)]

    def lost(self) -> list[int]:
        """Sequence numbers of the lost packets."""
        bits = self.BLP if isinstance(self.BLP, int) else 0
        return [self.PID, *((self.PID + 1 + bit) & 0xFFFF for bit in range(16) if bits >> bit & 1)]


class TMMBR(Layer):
    """RFC 5104 §4.2.1.1; of TMMBN, §4.2.2.1."""

    name = "TMMBR"
    fields_desc = [
        Number("SSRC", 0, 4),
        Bits("MxTBR_Exp", 0, 6, begins=4),
        Bits("MxTBR_Mantissa", 0, 17),
        Bits("Measured_Overhead", 0, 9, lambda octets: f"{octets} octets a packet"),
    ]

    def bit_rate(self) -> int:
        """Bits a second."""
        return int(self.MxTBR_Mantissa) << int(self.MxTBR_Exp)


class RapidAcquisitionTLV(Layer):
    """RFC 6285 §7.1: an element of a RAMS message, whose value its type explains."""

    name = "RAMS TLV"
    fields_desc = [
        Number("type", 0, 1),
        Number("reserved", 0, 1),
        Length("length", "value", 2),
        Opaque("value", b"", "length"),
        Nulls("end", ("value",), 0),
    ]


def _tlvs(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Cuts elements that are filled up to a word."""
    start = 0
    for _ in range(MAX_ITEMS):
        if len(data) - start < 4:
            break
        end = start + 4 + int.from_bytes(data[start + 2 : start + 4], "big")
        if end > len(data):
            break
        end = min(len(data), end + -end % 4)
        yield RapidAcquisitionTLV, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class RAMS(Layer):
    """RFC 6285 §7.2, §7.3, §7.4; the last three octets of the first word are MSN and response in RAMS-I."""

    name = "RAMS"
    fields_desc = [
        Number("SFMT", 1, 1, named(RAMS_TYPES)),
        Number("MSN", 0, 1),
        Number("response", 0, 2),
        Packets("elements", None, _tlvs),
    ]


class ThirdPartyLoss(Layer):
    """RFC 6642 §5.1: TLLEI, with the meaning of a generic NACK."""

    name = "TLLEI"
    fields_desc = [Number("PID", 0, 2), Number("BLP", 0, 2, _mask)]


class ECNFeedback(Layer):
    """RFC 6679 §5.1."""

    name = "RTCP-ECN-FB"
    fields_desc = [
        Number("extended_highest_sequence_number", 0, 4, extended_sequence),
        Number("ECT_0_counter", 0, 4),
        Number("ECT_1_counter", 0, 4),
        Number("ECN_CE_counter", 0, 2),
        Number("not_ECT_counter", 0, 2),
        Number("lost_packets_counter", 0, 2),
        Number("duplication_counter", 0, 2),
    ]


class PauseResume(Layer):
    """RFC 7728 §7."""

    name = "PAUSE-RESUME"
    fields_desc = [
        Number("target_SSRC", 0, 4),
        Bits("type", 0, 4, named(PAUSE_RESUME_TYPES), begins=1),
        Bits("res", 0, 4),
        Number("parameter_len", 0, 1),
        Number("PauseID", 0, 2),
        Opaque("type_specific", b"", lambda pkt: 4 * pkt.parameter_len if isinstance(pkt.parameter_len, int) else 0),
    ]

    def troubles(self) -> Iterator[str]:
        """The parameters have the words that are counted."""
        if isinstance(self.parameter_len, int) and 4 * self.parameter_len != len(self.type_specific):
            yield f"parameter_len says {4 * self.parameter_len} octets, {len(self.type_specific)} are there"


_SYMBOLS: dict[int, str] = {0: "not received", 1: "received, small delta", 2: "received, large delta", 3: "reserved"}


class RunLengthChunk(Layer):
    """draft-holmer-rmcat-transport-wide-cc-extensions §3.1.3."""

    name = "RunLengthChunk"
    fields_desc = [
        Bits("T", 0, 1, begins=2),
        Bits("packet_status_symbol", 0, 2, named(_SYMBOLS)),
        Bits("run_length", 0, 13),
    ]


class StatusVectorChunk(Layer):
    """draft-holmer-rmcat-transport-wide-cc-extensions §3.1.4: fourteen symbols of one bit, or seven of two."""

    name = "StatusVectorChunk"
    fields_desc = [
        Bits("T", 1, 1, begins=2),
        Bits("symbol_size", 0, 1, named({0: "one bit", 1: "two bits"})),
        Bits("symbol_list", 0, 14, lambda symbols: f"{symbols:014b}"),
    ]


def _symbols(chunk: int) -> tuple[int, list[int]]:
    """How often a chunk repeats its symbols, and these."""
    if not chunk >> 15:
        return chunk & 0x1FFF, [chunk >> 13 & 3]
    if chunk >> 14 & 1:
        return 1, [chunk >> shift & 3 for shift in range(12, -1, -2)]
    return 1, [chunk >> shift & 1 for shift in range(13, -1, -1)]


def _statuses(chunks: bytes, count: int) -> Iterator[tuple[int, int]]:
    """Symbols of the packets, as runs of (symbol, packets), until the packets are as many as counted."""
    for at in range(0, len(chunks) - 1, 2):
        times, symbols = _symbols(int.from_bytes(chunks[at : at + 2], "big"))
        for symbol in symbols:
            run = min(times, count)
            if run:
                yield symbol, run
            count -= run
        if not count:
            return


def _chunk_octets(pkt: Any, s: bytes) -> int:
    count = pkt.packet_status_count if isinstance(pkt.packet_status_count, int) else 0
    at = 0
    while count > 0 and at + 2 <= len(s):
        times, symbols = _symbols(int.from_bytes(s[at : at + 2], "big"))
        count -= times * len(symbols)
        at += 2
    return at


def _delta_octets(pkt: Any, s: bytes) -> int:
    return sum({1: 1, 2: 2}.get(symbol, 0) * run for symbol, run in pkt.statuses())


def _chunks(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    for at in range(0, min(len(data), 2 * MAX_ITEMS), 2):
        yield StatusVectorChunk if data[at] >> 7 else RunLengthChunk, data[at : at + 2]
    if len(data) > 2 * MAX_ITEMS:
        yield Raw, data[2 * MAX_ITEMS :]


class TransportCC(Layer):
    """draft-holmer-rmcat-transport-wide-cc-extensions §3.1: when packets of the transport arrived."""

    name = "transport-cc"
    fields_desc = [
        Number("base_sequence_number", 0, 2),
        Number("packet_status_count", 0, 2),
        Signed("reference_time", 0, 3),
        Number("fb_pkt_count", 0, 1),
        MeasuredPackets("packet_chunks", _chunk_octets, _chunks),
        MeasuredOctets("recv_deltas", _delta_octets),
        MeasuredOctets("zero_padding", rest),
    ]

    def statuses(self) -> list[tuple[int, int]]:
        """Symbols of the packets from the base sequence number on, as runs of (symbol, packets)."""
        chunks = self.getfieldval("packet_chunks")
        count = self.packet_status_count if isinstance(self.packet_status_count, int) else 0
        return list(_statuses(b"".join(bytes(one) for one in chunks or ()), count))

    def troubles(self) -> Iterator[str]:
        """Chunks and deltas are as many as the packets counted."""
        if not isinstance(self.fb_pkt_count, int):
            return
        runs = self.statuses()
        packets = sum(run for _, run in runs)
        if packets != self.packet_status_count:
            yield f"packet_status_count says {self.packet_status_count}, the chunks tell of {packets}"
        deltas = sum({1: 1, 2: 2}.get(symbol, 0) * run for symbol, run in runs)
        if deltas != len(self.recv_deltas):
            yield f"the chunks need {deltas} octets of deltas, {len(self.recv_deltas)} are there"


_ECN: dict[int, str] = {0: "not ECT", 1: "ECT(1)", 2: "ECT(0)", 3: "CE"}


def _metric(block: int) -> str:
    """A metric block (RFC 8888 §3.1)."""
    if not block >> 15:
        return "not received"
    return f"{_ECN[block >> 13 & 3]}, {block & 0x1FFF}/1024 s before"


class StreamReports(Layer):
    """RFC 8888 §3.1: metric blocks of one stream, filled up to a word."""

    name = "StreamReports"
    fields_desc = [
        Number("SSRC", 0, 4),
        Number("begin_seq", 0, 2),
        NumberCount("num_reports", "metric_blocks", 2),
        MeasuredNumbers(
            "metric_blocks",
            lambda pkt, s: 2 * min(pkt.num_reports, len(s) // 2) if isinstance(pkt.num_reports, int) else 0,
            2,
            _metric,
        ),
        Nulls("end", ("metric_blocks",), 0),
    ]

    @staticmethod
    def cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        """Cuts the reports of one stream after the other."""
        start = 0
        for _ in range(MAX_ITEMS):
            if len(data) - start < 8:
                break
            end = start + 8 + 2 * int.from_bytes(data[start + 6 : start + 8], "big")
            end = min(len(data), end + -end % 4)
            yield StreamReports, data[start:end]
            start = end
        if start < len(data):
            yield Raw, data[start:]

    def troubles(self) -> Iterator[str]:
        """There are as many blocks as counted."""
        if isinstance(self.num_reports, int) and len(self.metric_blocks) != self.num_reports:
            yield f"num_reports says {self.num_reports}, {len(self.metric_blocks)} are there"


# --- payload-specific feedback --------------------------------------------------------------------


class SLI(Layer):
    """RFC 4585 §6.3.2.2."""

    name = "SLI"
    fields_desc = [Bits("First", 0, 13, begins=4), Bits("Number", 0, 13), Bits("PictureID", 0, 6)]


class RPSI(Layer):
    """RFC 4585 §6.3.3.2."""

    name = "RPSI"
    fields_desc = [
        Number("PB", 0, 1, lambda bits: f"{bits} padding bits"),
        Bits("zero", 0, 1, begins=1),
        Bits("payload_type", 0, 7),
        MeasuredOctets("native_RPSI_bit_string", rest),
    ]

    def troubles(self) -> Iterator[str]:
        """The padding bits are bits of the string."""
        if isinstance(self.PB, int) and 8 * len(self.native_RPSI_bit_string) < self.PB:
            yield f"PB says {self.PB} padding bits, the string has {8 * len(self.native_RPSI_bit_string)} bits"


class FIREntry(Layer):
    """RFC 5104 §4.3.1.1: full intra request."""

    name = "FIR"
    fields_desc = [Number("SSRC", 0, 4), Number("seq_nr", 0, 1), Number("reserved", 0, 3)]


class TSTR(Layer):
    """RFC 5104 §4.3.2.1; of TSTN, §4.3.3.1."""

    name = "TSTR"
    fields_desc = [
        Number("SSRC", 0, 4),
        Bits("seq_nr", 0, 8, begins=4),
        Bits("reserved", 0, 19),
        Bits("index", 0, 5),
    ]


class VBCM(Layer):
    """RFC 5104 §4.3.4.1: a message of H.271, filled up with null octets."""

    name = "VBCM"
    fields_desc = [
        Number("SSRC", 0, 4),
        Number("seq_nr", 0, 1),
        Bits("zero", 0, 1, begins=1),
        Bits("payload_type", 0, 7),
        Length("length", "VBCM_octet_string", 2),
        Opaque("VBCM_octet_string", b"", "length"),
        Nulls("end", ("VBCM_octet_string",), 0),
    ]


class PSLEI(Layer):
    """RFC 6642 §5.2: an SSRC whose loss others know of."""

    name = "PSLEI"
    fields_desc = [Number("SSRC", 0, 4)]


class LRR(Layer):
    """RFC 9627: layer refresh request."""

    name = "LRR"
    fields_desc = [
        Number("SSRC", 0, 4),
        Bits("seq_nr", 0, 8, begins=4),
        Bits("C", 0, 1),
        Bits("payload_type", 0, 7),
        Bits("reserved", 0, 16),
        Bits("res_1", 0, 5, begins=4),
        Bits("TTID", 0, 3),
        Bits("TLID", 0, 8),
        Bits("res_2", 0, 5),
        Bits("CTID", 0, 3),
        Bits("CLID", 0, 8),
    ]


class REMB(Layer):
    """draft-alvestrand-rmcat-remb §2.2: receiver estimated maximum bitrate, in application layer feedback."""

    name = "REMB"
    fields_desc = [
        Opaque("unique_identifier", b"REMB", fixed=4),
        NumberCount("num_SSRC", "SSRC_feedback", 1),
        Bits("BR_Exp", 0, 6, begins=3),
        Bits("BR_Mantissa", 0, 18),
        MeasuredNumbers("SSRC_feedback", rest, 4),
    ]

    def bit_rate(self) -> int:
        """Bits a second."""
        return int(self.BR_Mantissa) << int(self.BR_Exp)

    def troubles(self) -> Iterator[str]:
        """There are as many SSRCs as counted."""
        there = len(self.SSRC_feedback) if isinstance(self.SSRC_feedback, list) else 0
        if isinstance(self.num_SSRC, int) and self.num_SSRC != there:
            yield f"num_SSRC says {self.num_SSRC}, {there} are there"


class UnknownFCI(Layer):
    """RFC 4585 §6.1: feedback of a format that has no layer of its own."""

    name = "FCI"
    fields_desc = [Opaque("octets", b"")]


def whole(layer: type[Layer]) -> Cut:
    """Takes all octets for one layer."""

    def cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        if data:
            yield layer, data

    return cut


def _application(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Application layer feedback (RFC 4585 §6.4) tells by its first octets what it is."""
    return whole(REMB if data[:4] == b"REMB" else UnknownFCI)(pkt, data)


RTPFB_LAYERS: dict[int, Cut] = {
    1: fixed(GenericNACK, 4),
    3: fixed(TMMBR, 8),
    4: fixed(TMMBR, 8),
    6: whole(RAMS),
    7: fixed(ThirdPartyLoss, 4),
    8: fixed(ECNFeedback, 20),
    9: blocks({}, PauseResume, 8, 5, 1, 4),
    15: whole(TransportCC),
}
"""How the FCI of RTPFB is cut, by format; 5 has none, and 11 is another packet."""

PSFB_LAYERS: dict[int, Cut] = {
    2: fixed(SLI, 4),
    3: whole(RPSI),
    4: fixed(FIREntry, 8),
    5: fixed(TSTR, 8),
    6: fixed(TSTR, 8),
    7: whole(VBCM),
    8: fixed(PSLEI, 4),
    10: fixed(LRR, 12),
    15: _application,
}
"""How the FCI of PSFB is cut, by format; 1 has none."""


def feedback(layers: Mapping[int, Cut]) -> Cut:
    """Cuts the FCI of a packet into the entries of its format."""

    def cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        return layers.get(pkt.FMT, whole(UnknownFCI))(pkt, data)

    return cut

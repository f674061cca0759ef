"""Scapy layers of the report blocks of RTCP XR that later RFCs define for synchronisation, delay, loss and quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.binary import Bits, Layer, Number, Packets, named
from dissectors.rtp.codes import SYNCHRONIZATION_SENDER_TYPES
from dissectors.rtp.fields import fixed
from dissectors.rtp.readable import extended_sequence, milliseconds, ntp_middle, ntp_time, seconds
from dissectors.rtp.rtcp.xr.block.layers import BEGIN_SEQ, CHUNKS, END_SEQ, SSRC, XRBlock, block, interval

if TYPE_CHECKING:
    from collections.abc import Iterator


class IDMS(XRBlock):
    """RFC 7272 §6: inter-destination media synchronisation."""

    name = "IDMS"
    fields_desc = [
        *block(
            12,
            Bits("SPST", 1, 4, named(SYNCHRONIZATION_SENDER_TYPES), begins=1),
            Bits("reserved", 0, 3),
            Bits("P", 0, 1, named({0: "no presentation timestamp", 1: "presentation timestamp"})),
        ),
        Bits("PT", 0, 7, begins=4),
        Bits("reserved_2", 0, 25),
        Number("media_stream_correlation_identifier", 0, 4),
        Number("SSRC_of_media_source", 0, 4),
        Number("packet_received_NTP_timestamp", 0, 8, ntp_time),
        Number("packet_received_RTP_timestamp", 0, 4),
        Number("packet_presented_NTP_timestamp", 0, 4, ntp_middle),
    ]


class ECNSummary(XRBlock):
    """RFC 6679 §5.2."""

    name = "ECNSummary"
    fields_desc = [
        *block(13),
        Number("SSRC_of_media_sender", 0, 4),
        Number("ECT_0_counter", 0, 4),
        Number("ECT_1_counter", 0, 4),
        Number("ECN_CE_counter", 0, 2),
        Number("not_ECT_counter", 0, 2),
        Number("lost_packets_counter", 0, 2),
        Number("duplication_counter", 0, 2),
    ]


class MeasurementInformation(XRBlock):
    """RFC 6776 §4."""

    name = "MeasurementInformation"
    fields_desc = [
        *block(14),
        Number("SSRC_of_stream_source", 0, 4),
        Number("reserved_2", 0, 2),
        Number("first_sequence_number", 0, 2),
        Number("extended_first_sequence_number_of_interval", 0, 4, extended_sequence),
        Number("extended_last_sequence_number", 0, 4, extended_sequence),
        Number("measurement_duration_interval", 0, 4, seconds),
        Number("measurement_duration_cumulative", 0, 8, lambda units: f"{units / (1 << 32):.6f} s"),
    ]


class PacketDelayVariation(XRBlock):
    """RFC 6798 §3.1."""

    name = "PacketDelayVariation"
    fields_desc = [
        *block(15, *interval(Bits("pdvtyp", 0, 4), Bits("reserved", 0, 2))),
        SSRC,
        Number("pos_PDV_threshold_or_peak", 0, 2),
        Number("pos_PDV_percentile", 0, 2),
        Number("neg_PDV_threshold_or_peak", 0, 2),
        Number("neg_PDV_percentile", 0, 2),
        Number("mean_PDV", 0, 2),
        Number("reserved_2", 0, 2),
    ]


class DelayMetrics(XRBlock):
    """RFC 6843."""

    name = "DelayMetrics"
    fields_desc = [
        *block(16, *interval()),
        SSRC,
        Number("mean_network_round_trip_delay", 0, 4, seconds),
        Number("min_network_round_trip_delay", 0, 4, seconds),
        Number("max_network_round_trip_delay", 0, 4, seconds),
        Number("end_system_delay", 0, 8, lambda units: f"{units / (1 << 32):.6f} s"),
    ]


class BurstGapLossSummary(XRBlock):
    """RFC 7004 §3.1.1."""

    name = "BurstGapLossSummary"
    fields_desc = [
        *block(17, *interval()),
        SSRC,
        Number("burst_loss_rate", 0, 2),
        Number("gap_loss_rate", 0, 2),
        Number("burst_duration_mean", 0, 2),
        Number("burst_duration_variance", 0, 2),
    ]


class BurstGapDiscardSummary(XRBlock):
    """RFC 7004 §3.2.1."""

    name = "BurstGapDiscardSummary"
    fields_desc = [
        *block(18, *interval()),
        SSRC,
        Number("burst_discard_rate", 0, 2),
        Number("gap_discard_rate", 0, 2),
    ]


class FrameImpairmentSummary(XRBlock):
    """RFC 7004 §4.1.1."""

    name = "FrameImpairmentSummary"
    fields_desc = [
        *block(19, Bits("T", 0, 1, begins=1), Bits("reserved", 0, 7)),
        SSRC,
        BEGIN_SEQ,
        END_SEQ,
        Number("discarded_frames", 0, 4),
        Number("dup_frames", 0, 4),
        Number("full_lost_frames", 0, 4),
        Number("partial_lost_frames", 0, 4),
    ]


class BurstGapLoss(XRBlock):
    """RFC 6958 §3.1."""

    name = "BurstGapLoss"
    fields_desc = [
        *block(20, *interval(Bits("C", 0, 1), Bits("reserved", 0, 5))),
        SSRC,
        Number("threshold", 0, 1),
        Number("sum_of_burst_durations", 0, 3, milliseconds),
        Number("packets_lost_in_bursts", 0, 3),
        Number("total_packets_expected_in_bursts", 0, 3),
        Bits("number_of_bursts", 0, 12, begins=6),
        Bits("sum_of_squares_of_burst_durations", 0, 36),
    ]


class BurstGapDiscard(XRBlock):
    """RFC 7003 §3.1, with the block type of erratum 3735."""

    name = "BurstGapDiscard"
    fields_desc = [
        *block(21, *interval()),
        SSRC,
        Number("threshold", 0, 1),
        Number("packets_discarded_in_bursts", 0, 3),
        Number("total_packets_expected_in_bursts", 0, 3),
        Number("reserved_2", 0, 1),
    ]


class TransportStreamPSIIndependent(XRBlock):
    """RFC 6990: decodability of an MPEG-2 transport stream."""

    name = "TransportStreamPSIIndependent"
    fields_desc = [
        *block(22),
        SSRC,
        BEGIN_SEQ,
        END_SEQ,
        Number("TS_sync_loss_count", 0, 4),
        Number("Sync_byte_error_count", 0, 4),
        Number("Continuity_count_error_count", 0, 4),
        Number("Transport_error_count", 0, 4),
        Number("PCR_error_count", 0, 4),
        Number("PCR_repetition_error_count", 0, 4),
        Number("PCR_discontinuity_indicator_error_count", 0, 4),
        Number("PCR_accuracy_error_count", 0, 4),
        Number("PTS_error_count", 0, 4),
    ]


class DeJitterBuffer(XRBlock):
    """RFC 7005 §4.1."""

    name = "DeJitterBuffer"
    fields_desc = [
        *block(23, *interval(Bits("C", 0, 1, named({0: "fixed", 1: "adaptive"})), Bits("reserved", 0, 5))),
        SSRC,
        Number("DJB_nominal", 0, 2, milliseconds),
        Number("DJB_maximum", 0, 2, milliseconds),
        Number("DJB_high_water_mark", 0, 2, milliseconds),
        Number("DJB_low_water_mark", 0, 2, milliseconds),
    ]


class DiscardCount(XRBlock):
    """RFC 7002 §3.1."""

    name = "DiscardCount"
    fields_desc = [
        *block(24, *interval(Bits("DT", 0, 2), Bits("reserved", 0, 4))),
        SSRC,
        Number("discard_count", 0, 4),
    ]


class DiscardRLE(XRBlock):
    """RFC 7097 §3."""

    name = "DiscardRLE"
    fields_desc = [
        *block(25, Bits("reserved", 0, 3, begins=1), Bits("E", 0, 1), Bits("T", 0, 4)),
        SSRC,
        BEGIN_SEQ,
        END_SEQ,
        CHUNKS,
    ]


class BytesDiscarded(XRBlock):
    """RFC 7243 §3."""

    name = "BytesDiscarded"
    fields_desc = [
        *block(26, *interval(Bits("E", 0, 1), Bits("reserved", 0, 5))),
        SSRC,
        Number("number_of_RTP_payload_bytes_discarded", 0, 4),
    ]


class InitialSynchronizationDelay(XRBlock):
    """RFC 7244 §3.1."""

    name = "InitialSynchronizationDelay"
    fields_desc = [*block(27), SSRC, Number("initial_synchronization_delay", 0, 4, seconds)]


class SynchronizationOffset(XRBlock):
    """RFC 7244 §4.1."""

    name = "SynchronizationOffset"
    fields_desc = [*block(28, *interval()), SSRC, Number("synchronization_offset", 0, 8)]


class MOSSegment(Layer):
    """RFC 7266 §3.2.1, §3.2.2: the score of a stream, or of one channel of it."""

    name = "MOSSegment"
    fields_desc = [
        Bits("S", 0, 1, named({0: "single channel", 1: "one channel of several"}), begins=4),
        Bits("CAID", 0, 8),
        Bits("PT", 0, 7),
        Bits("MOS_value", 0, 16),
    ]


class MOSChannelSegment(Layer):
    """RFC 7266 §3.2.2."""

    name = "MOSChannelSegment"
    fields_desc = [
        Bits("S", 1, 1, begins=4),
        Bits("CAID", 0, 8),
        Bits("PT", 0, 7),
        Bits("CHID", 0, 3),
        Bits("MOS_value", 0, 13),
    ]


def _segments(pkt: Any, data: bytes) -> Iterator[tuple[type[Layer], bytes]]:
    """Cuts the segments of a block; the first bit of each says which of both kinds it is."""
    for layer, octets in fixed(MOSSegment, 4)(pkt, data):
        yield (MOSChannelSegment if layer is MOSSegment and octets[0] >> 7 else layer), octets


class MOSMetrics(XRBlock):
    """RFC 7266 §3.1: mean opinion scores."""

    name = "MOSMetrics"
    fields_desc = [*block(29, *interval()), SSRC, Packets("segments", None, _segments)]


class LossConcealment(XRBlock):
    """RFC 7294 §3.1."""

    name = "LossConcealment"
    fields_desc = [
        *block(30, *interval(Bits("plc", 0, 2), Bits("reserved", 0, 4))),
        SSRC,
        Number("on_time_playout_duration", 0, 4),
        Number("loss_concealment_duration", 0, 4),
        Number("buffer_adjustment_concealment_duration", 0, 4),
        Number("playout_interrupt_count", 0, 2),
        Number("reserved_2", 0, 2),
        Number("mean_playout_interrupt_size", 0, 4),
    ]


class ConcealedSeconds(XRBlock):
    """RFC 7294 §4.1."""

    name = "ConcealedSeconds"
    fields_desc = [
        *block(31, *interval(Bits("plc", 0, 2), Bits("reserved", 0, 4))),
        SSRC,
        Number("unimpaired_seconds", 0, 4),
        Number("concealed_seconds", 0, 4),
        Number("severely_concealed_seconds", 0, 2),
        Number("reserved_2", 0, 1),
        Number("SCS_threshold", 0, 1),
    ]


class TransportStreamPSI(XRBlock):
    """RFC 7380 §3: decodability of the tables of an MPEG-2 transport stream."""

    name = "TransportStreamPSI"
    fields_desc = [
        *block(32),
        SSRC,
        BEGIN_SEQ,
        END_SEQ,
        Number("PAT_error_count", 0, 2),
        Number("PAT_error_2_count", 0, 2),
        Number("PMT_error_count", 0, 2),
        Number("PMT_error_2_count", 0, 2),
        Number("PID_error_count", 0, 2),
        Number("CRC_error_count", 0, 2),
        Number("CAT_error_count", 0, 2),
        Number("reserved_2", 0, 2),
    ]


class PostRepairLossCount(XRBlock):
    """RFC 7509 §3.1."""

    name = "PostRepairLossCount"
    fields_desc = [
        *block(33),
        SSRC,
        BEGIN_SEQ,
        END_SEQ,
        Number("post_repair_loss_count", 0, 2),
        Number("repaired_loss_count", 0, 2),
    ]


class VideoLossConcealment(XRBlock):
    """RFC 7867 §4; the mean frame freeze duration is there where the length says so."""

    name = "VideoLossConcealment"
    fields_desc = [
        *block(34, *interval(Bits("V", 0, 2), Bits("reserved", 0, 4))),
        SSRC,
        Number("impaired_duration", 0, 4),
        Number("concealed_duration", 0, 4),
        Number("mean_frame_freeze_duration", 0, 4, condition=lambda pkt: pkt.block_length != 4),
        Number("MIFP", 0, 1),
        Number("MCFP", 0, 1),
        Number("FFSC", 0, 1),
        Number("reserved_2", 0, 1),
    ]


class IndependentBurstGapDiscard(XRBlock):
    """RFC 8015 §3.1."""

    name = "IndependentBurstGapDiscard"
    fields_desc = [
        *block(35, *interval()),
        SSRC,
        Number("threshold", 0, 1),
        Number("sum_of_burst_durations", 0, 3, milliseconds),
        Number("packets_discarded_in_bursts", 0, 3),
        Number("number_of_bursts", 0, 2),
        Number("total_packets_expected_in_bursts", 0, 3),
        Number("discard_count", 0, 4),
    ]


METRICS_LAYERS: dict[int, type[XRBlock]] = {
    12: IDMS,
    13: ECNSummary,
    14: MeasurementInformation,
    15: PacketDelayVariation,
    16: DelayMetrics,
    17: BurstGapLossSummary,
    18: BurstGapDiscardSummary,
    19: FrameImpairmentSummary,
    20: BurstGapLoss,
    21: BurstGapDiscard,
    22: TransportStreamPSIIndependent,
    23: DeJitterBuffer,
    24: DiscardCount,
    25: DiscardRLE,
    26: BytesDiscarded,
    27: InitialSynchronizationDelay,
    28: SynchronizationOffset,
    29: MOSMetrics,
    30: LossConcealment,
    31: ConcealedSeconds,
    32: TransportStreamPSI,
    33: PostRepairLossCount,
    34: VideoLossConcealment,
    35: IndependentBurstGapDiscard,
}
"""Layers by block type."""

"""Scapy layers of the report blocks of RTCP XR: those of RFC 3611 §4 and the oldest ones after it; all by type."""

from __future__ import annotations

from dissectors.binary import Bits, Layer, Number, Numbers, Opaque, Packets, named
from dissectors.rtp.codes import JITTER_BUFFER_ADAPTIVE, PACKET_LOSS_CONCEALMENT, TTL_OR_HOP_LIMIT
from dissectors.rtp.fields import Signed, fixed
from dissectors.rtp.readable import decibels, fraction, milliseconds, ntp_middle, ntp_time, r_factor, score, seconds
from dissectors.rtp.rtcp.xr.block.layers import BEGIN_SEQ, CHUNKS, END_SEQ, SSRC, THINNING, XRBlock, block
from dissectors.rtp.rtcp.xr.metrics.layers import METRICS_LAYERS


class LossRLE(XRBlock):
    """RFC 3611 §4.1."""

    name = "LossRLE"
    fields_desc = [*block(1, *THINNING), SSRC, BEGIN_SEQ, END_SEQ, CHUNKS]


class DuplicateRLE(XRBlock):
    """RFC 3611 §4.2."""

    name = "DuplicateRLE"
    fields_desc = [*block(2, *THINNING), SSRC, BEGIN_SEQ, END_SEQ, CHUNKS]


class PacketReceiptTimes(XRBlock):
    """RFC 3611 §4.3."""

    name = "PacketReceiptTimes"
    fields_desc = [*block(3, *THINNING), SSRC, BEGIN_SEQ, END_SEQ, Numbers("receipt_times", None, 4)]


class ReceiverReferenceTime(XRBlock):
    """RFC 3611 §4.4."""

    name = "ReceiverReferenceTime"
    fields_desc = [*block(4), Number("NTP_timestamp", 0, 8, ntp_time)]


class DLRRSubBlock(Layer):
    """RFC 3611 §4.5: delay since the last report of one receiver."""

    name = "DLRRSubBlock"
    fields_desc = [
        Number("SSRC", 0, 4),
        Number("last_RR", 0, 4, ntp_middle),
        Number("delay_since_last_RR", 0, 4, seconds),
    ]


class DLRR(XRBlock):
    """RFC 3611 §4.5."""

    name = "DLRR"
    fields_desc = [*block(5), Packets("sub_blocks", None, fixed(DLRRSubBlock, 12))]


class StatisticsSummary(XRBlock):
    """RFC 3611 §4.6."""

    name = "StatisticsSummary"
    fields_desc = [
        *block(
            6,
            Bits("L", 0, 1, begins=1),
            Bits("D", 0, 1),
            Bits("J", 0, 1),
            Bits("ToH", 0, 2, named(TTL_OR_HOP_LIMIT)),
            Bits("reserved", 0, 3),
        ),
        SSRC,
        BEGIN_SEQ,
        END_SEQ,
        Number("lost_packets", 0, 4),
        Number("dup_packets", 0, 4),
        Number("min_jitter", 0, 4),
        Number("max_jitter", 0, 4),
        Number("mean_jitter", 0, 4),
        Number("dev_jitter", 0, 4),
        Number("min_ttl_or_hl", 0, 1),
        Number("max_ttl_or_hl", 0, 1),
        Number("mean_ttl_or_hl", 0, 1),
        Number("dev_ttl_or_hl", 0, 1),
    ]


class VoIPMetrics(XRBlock):
    """RFC 3611 §4.7."""

    name = "VoIPMetrics"
    fields_desc = [
        *block(7),
        SSRC,
        Number("loss_rate", 0, 1, fraction),
        Number("discard_rate", 0, 1, fraction),
        Number("burst_density", 0, 1, fraction),
        Number("gap_density", 0, 1, fraction),
        Number("burst_duration", 0, 2, milliseconds),
        Number("gap_duration", 0, 2, milliseconds),
        Number("round_trip_delay", 0, 2, milliseconds),
        Number("end_system_delay", 0, 2, milliseconds),
        Signed("signal_level", 127, 1, decibels),
        Signed("noise_level", 127, 1, decibels),
        Number("RERL", 127, 1),
        Number("Gmin", 16, 1),
        Number("R_factor", 127, 1, r_factor),
        Number("ext_R_factor", 127, 1, r_factor),
        Number("MOS_LQ", 127, 1, score),
        Number("MOS_CQ", 127, 1, score),
        Bits("PLC", 0, 2, named(PACKET_LOSS_CONCEALMENT), begins=1),
        Bits("JBA", 0, 2, named(JITTER_BUFFER_ADAPTIVE)),
        Bits("JB_rate", 0, 4),
        Number("reserved_2", 0, 1),
        Number("JB_nominal", 0, 2, milliseconds),
        Number("JB_maximum", 0, 2, milliseconds),
        Number("JB_abs_max", 0, 2, milliseconds),
    ]


class ExtendedNetworkQuality(XRBlock):
    """RFC 5093."""

    name = "ExtendedNetworkQuality"
    fields_desc = [
        *block(8),
        BEGIN_SEQ,
        END_SEQ,
        Number("vmaxdiff", 0, 2),
        Number("vrange", 0, 2),
        Number("vsum", 0, 4),
        Number("c", 0, 2),
        Number("jbevents", 0, 2),
        Number("reserved_2", 0, 1),
        Number("tdegnet", 0, 3),
        Number("reserved_3", 0, 1),
        Number("tdegjit", 0, 3),
        Number("reserved_4", 0, 1),
        Number("es", 0, 3),
        Number("reserved_5", 0, 1),
        Number("ses", 0, 3),
    ]


class PostRepairLossRLE(XRBlock):
    """RFC 5725 §3."""

    name = "PostRepairLossRLE"
    fields_desc = [*block(10, *THINNING), SSRC, BEGIN_SEQ, END_SEQ, CHUNKS]


class MulticastAcquisition(XRBlock):
    """RFC 6332; the elements are not cut apart, as their padding was not confirmed."""

    name = "MulticastAcquisition"
    fields_desc = [
        *block(11, Number("MA_method", 0, 1)),
        Number("SSRC_of_the_primary_multicast_stream", 0, 4),
        Number("status", 0, 2),
        Number("reserved", 0, 2),
        Opaque("elements", b""),
    ]


XR_LAYERS: dict[int, type[XRBlock]] = {
    1: LossRLE,
    2: DuplicateRLE,
    3: PacketReceiptTimes,
    4: ReceiverReferenceTime,
    5: DLRR,
    6: StatisticsSummary,
    7: VoIPMetrics,
    8: ExtendedNetworkQuality,
    10: PostRepairLossRLE,
    11: MulticastAcquisition,
    **METRICS_LAYERS,
}
"""Layers by block type."""

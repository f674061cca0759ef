"""Code points of RTP and RTCP.

Sources: RFC 3551 §6 and the IANA registries of "Real-Time Transport Protocol (RTP) Parameters" and "RTCP XR Block
Types"; those that have another source say so.
"""

from __future__ import annotations

PAYLOAD_TYPES: dict[int, str] = {
    0: "PCMU",
    3: "GSM",
    4: "G723",
    5: "DVI4 8000",
    6: "DVI4 16000",
    7: "LPC",
    8: "PCMA",
    9: "G722",
    10: "L16 stereo",
    11: "L16 mono",
    12: "QCELP",
    13: "CN",
    14: "MPA",
    15: "G728",
    16: "DVI4 11025",
    17: "DVI4 22050",
    18: "G729",
    25: "CelB",
    26: "JPEG",
    28: "nv",
    31: "H261",
    32: "MPV",
    33: "MP2T",
    34: "H263",
    **dict.fromkeys((1, 2, 19), "reserved"),
    **dict.fromkeys(range(72, 77), "reserved: RTCP types SR to APP"),
    **dict.fromkeys(range(96, 128), "dynamic"),
}
"""Static payload types (RFC 3551 §6); the SDP says what a dynamic one means."""

ONE_BYTE_PROFILE = 0xBEDE
"""RFC 8285 §4.2."""

TWO_BYTE_PROFILES = range(0x1000, 0x1010)
"""RFC 8285 §4.3: the last four bits are for the application."""

EXTENSION_PROFILES: dict[int, str] = {
    ONE_BYTE_PROFILE: "one-byte header extensions",
    **dict.fromkeys(TWO_BYTE_PROFILES, "two-byte header extensions"),
}
"""What the first word of a header extension says of its elements (RFC 8285 §4)."""

DTMF_EVENTS: dict[int, str] = {
    **{digit: f"DTMF {digit}" for digit in range(10)},
    10: "DTMF *",
    11: "DTMF #",
    12: "DTMF A",
    13: "DTMF B",
    14: "DTMF C",
    15: "DTMF D",
}
"""Telephone events of DTMF (RFC 4733 §3.2)."""

RTCP_PACKET_TYPES: dict[int, str] = {
    192: "FIR",
    193: "NACK",
    194: "SMPTETC",
    195: "IJ",
    200: "SR",
    201: "RR",
    202: "SDES",
    203: "BYE",
    204: "APP",
    205: "RTPFB",
    206: "PSFB",
    207: "XR",
    208: "AVB",
    209: "RSI",
    210: "TOKEN",
    211: "IDMS",
    212: "RGRS",
    213: "SNM",
}
"""IANA: RTCP control packet types; FIR and NACK are those of RFC 2032."""

RTCP_TYPES = range(192, 224)
"""Second octets that mean RTCP where it shares a port with RTP (RFC 5761 §4)."""

SDES_ITEM_TYPES: dict[int, str] = {
    0: "END",
    1: "CNAME",
    2: "NAME",
    3: "EMAIL",
    4: "PHONE",
    5: "LOC",
    6: "TOOL",
    7: "NOTE",
    8: "PRIV",
    9: "H323-CADDR",
    10: "APSI",
    11: "RGRP",
    12: "RtpStreamId",
    13: "RepairedRtpStreamId",
    14: "CCID",
    15: "MID",
}
"""IANA: RTP SDES item types."""

RTPFB_FORMATS: dict[int, str] = {
    1: "Generic NACK",
    2: "reserved",
    3: "TMMBR",
    4: "TMMBN",
    5: "RTCP-SR-REQ",
    6: "RAMS",
    7: "TLLEI",
    8: "RTCP-ECN-FB",
    9: "PAUSE-RESUME",
    10: "DBI",
    11: "CCFB",
    15: "transport-cc",
    31: "Extension",
}
"""IANA: FMT values of RTPFB; 15 is draft-holmer-rmcat-transport-wide-cc-extensions and not registered."""

PSFB_FORMATS: dict[int, str] = {
    1: "PLI",
    2: "SLI",
    3: "RPSI",
    4: "FIR",
    5: "TSTR",
    6: "TSTN",
    7: "VBCM",
    8: "PSLEI",
    9: "ROI",
    10: "LRR",
    11: "VP",
    15: "AFB",
    31: "Extension",
}
"""IANA: FMT values of PSFB."""

PAUSE_RESUME_TYPES: dict[int, str] = {0: "PAUSE", 1: "RESUME", 2: "PAUSED", 3: "REFUSED"}
"""RFC 7728 §7."""

RAMS_TYPES: dict[int, str] = {1: "RAMS-R", 2: "RAMS-I", 3: "RAMS-T"}
"""IANA: RAMS SFMT values (RFC 6285 §7)."""

XR_BLOCK_TYPES: dict[int, str] = {
    1: "Loss RLE",
    2: "Duplicate RLE",
    3: "Packet Receipt Times",
    4: "Receiver Reference Time",
    5: "DLRR",
    6: "Statistics Summary",
    7: "VoIP Metrics",
    8: "BT Extended Network Quality",
    9: "Texas Instruments Extended VoIP Quality",
    10: "Post-repair Loss RLE",
    11: "Multicast Acquisition",
    12: "IDMS",
    13: "ECN Summary",
    14: "Measurement Information",
    15: "Packet Delay Variation Metrics",
    16: "Delay Metrics",
    17: "Burst/Gap Loss Summary Statistics",
    18: "Burst/Gap Discard Summary Statistics",
    19: "Frame Impairment Statistics Summary",
    20: "Burst/Gap Loss Metrics",
    21: "Burst/Gap Discard Metrics",
    22: "MPEG2 Transport Stream PSI-Independent Decodability Statistics Metrics",
    23: "De-Jitter Buffer Metrics",
    24: "Discard Count Metrics",
    25: "Discard RLE",
    26: "Bytes Discarded",
    27: "RTP Flows Initial Synchronization Delay",
    28: "RTP Flows Synchronization Offset Metrics",
    29: "MOS Metrics",
    30: "Loss Concealment Metrics",
    31: "Concealed Seconds Metrics",
    32: "MPEG2 Transport Stream PSI Decodability Statistics Metrics",
    33: "Post-Repair Loss Count Metrics",
    34: "Video Loss Concealment Metrics",
    35: "Independent Burst/Gap Discard Metrics",
    36: "Timing Information for QoE Metrics Calculation",
    255: "reserved for extensions",
}
"""IANA: RTCP XR block types."""

INTERVAL_METRIC: dict[int, str] = {0: "reserved", 1: "sampled value", 2: "interval duration", 3: "cumulative duration"}
"""The I bits of report blocks (RFC 6798 §3.2 and the later ones)."""

TTL_OR_HOP_LIMIT: dict[int, str] = {0: "none", 1: "IPv4 TTL", 2: "IPv6 hop limit", 3: "undefined"}
"""RFC 3611 §4.6."""

PACKET_LOSS_CONCEALMENT: dict[int, str] = {0: "unspecified", 1: "disabled", 2: "enhanced", 3: "standard"}
"""RFC 3611 §4.7.6."""

JITTER_BUFFER_ADAPTIVE: dict[int, str] = {0: "unknown", 1: "reserved", 2: "non-adaptive", 3: "adaptive"}
"""RFC 3611 §4.7.6."""

SYNCHRONIZATION_SENDER_TYPES: dict[int, str] = {1: "SC", 2: "MSAS", 3: "SC' INPUT", 4: "SC' OUTPUT"}
"""IANA: IDMS XR block SPST values."""

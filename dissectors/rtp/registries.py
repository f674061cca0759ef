"""The registries of RTP and RTCP, and what becomes of each entry."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.rtp.codes import (
    DTMF_EVENTS,
    EXTENSION_PROFILES,
    INTERVAL_METRIC,
    JITTER_BUFFER_ADAPTIVE,
    PACKET_LOSS_CONCEALMENT,
    PAUSE_RESUME_TYPES,
    PAYLOAD_TYPES,
    PSFB_FORMATS,
    RAMS_TYPES,
    RTCP_PACKET_TYPES,
    RTPFB_FORMATS,
    SDES_ITEM_TYPES,
    SYNCHRONIZATION_SENDER_TYPES,
    TTL_OR_HOP_LIMIT,
    XR_BLOCK_TYPES,
)
from dissectors.rtp.media.layers import EXTENSION_LAYERS
from dissectors.rtp.rtcp.feedback.layers import PSFB_LAYERS, RTPFB_LAYERS
from dissectors.rtp.rtcp.layers import PACKETS, PSFB, RTPFB, CongestionControlFeedback
from dissectors.rtp.rtcp.xr.layers import XR_LAYERS

_TESTS = "tests/dissectors/rtp/test_registries.py::"
_NOT_USED = "not used by IMS; layout not confirmed"
_RESERVED = "reserved, no format"

REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "RTP payload types",
        "RFC 3551 §6",
        PAYLOAD_TYPES,
        _TESTS + "test_every_payload_type_is_shown_by_name",
    ),
    Registry(
        "RTP header extension profiles",
        "RFC 8285 §4.2, §4.3",
        EXTENSION_PROFILES,
        _TESTS + "test_every_header_extension_profile_is_cut_into_elements",
        dict.fromkeys(EXTENSION_PROFILES, "elements"),
    ),
    Registry(
        "RTP header extension elements",
        "IANA RTP Compact Header Extensions, TS 26.114 §7.4.5",
        {uri: layer.__name__ for uri, layer in EXTENSION_LAYERS.items()},
        _TESTS + "test_every_header_extension_element_is_read",
        EXTENSION_LAYERS,
    ),
    Registry(
        "Telephone events of DTMF",
        "RFC 4733 §3.2",
        DTMF_EVENTS,
        _TESTS + "test_every_dtmf_event_is_shown_by_name",
    ),
    Registry(
        "RTCP packet types",
        "IANA RTCP Control Packet Types",
        RTCP_PACKET_TYPES,
        _TESTS + "test_every_rtcp_packet_type_is_read_by_its_layer",
        PACKETS,
        dict.fromkeys((194, 208, 210, 211, 212, 213), _NOT_USED),
    ),
    Registry(
        "SDES items",
        "IANA RTP SDES Item Types",
        SDES_ITEM_TYPES,
        _TESTS + "test_every_sdes_item_is_shown_by_name",
    ),
    Registry(
        "RTPFB formats",
        "IANA FMT Values for RTPFB Payload Types",
        RTPFB_FORMATS,
        _TESTS + "test_every_rtpfb_format_is_read",
        {**RTPFB_LAYERS, 5: RTPFB, 11: CongestionControlFeedback},
        {2: _RESERVED, 10: _NOT_USED, 31: _RESERVED},
    ),
    Registry(
        "PSFB formats",
        "IANA FMT Values for PSFB Payload Types",
        PSFB_FORMATS,
        _TESTS + "test_every_psfb_format_is_read",
        {**PSFB_LAYERS, 1: PSFB},
        {9: _NOT_USED, 11: _NOT_USED, 31: _RESERVED},
    ),
    Registry(
        "RTCP XR block types",
        "IANA RTCP XR Block Types",
        XR_BLOCK_TYPES,
        _TESTS + "test_every_xr_block_is_read_by_its_layer",
        XR_LAYERS,
        {9: "no public specification", 36: _NOT_USED, 255: _RESERVED},
    ),
    Registry(
        "Interval metric flag",
        "RFC 6798 §3.2",
        INTERVAL_METRIC,
        _TESTS + "test_every_value_of_a_small_field_is_shown_by_name",
    ),
    Registry(
        "TTL or hop limit values",
        "RFC 3611 §4.6",
        TTL_OR_HOP_LIMIT,
        _TESTS + "test_every_value_of_a_small_field_is_shown_by_name",
    ),
    Registry(
        "Packet loss concealment",
        "RFC 3611 §4.7.6",
        PACKET_LOSS_CONCEALMENT,
        _TESTS + "test_every_value_of_a_small_field_is_shown_by_name",
    ),
    Registry(
        "Jitter buffer adaptive",
        "RFC 3611 §4.7.6",
        JITTER_BUFFER_ADAPTIVE,
        _TESTS + "test_every_value_of_a_small_field_is_shown_by_name",
    ),
    Registry(
        "Synchronisation packet sender types",
        "RFC 7272 §6",
        SYNCHRONIZATION_SENDER_TYPES,
        _TESTS + "test_every_value_of_a_small_field_is_shown_by_name",
    ),
    Registry(
        "PAUSE-RESUME message types",
        "RFC 7728 §7",
        PAUSE_RESUME_TYPES,
        _TESTS + "test_every_value_of_a_small_field_is_shown_by_name",
    ),
    Registry(
        "RAMS sub-formats",
        "RFC 6285 §7",
        RAMS_TYPES,
        _TESTS + "test_every_value_of_a_small_field_is_shown_by_name",
    ),
)

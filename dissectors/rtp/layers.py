"""The top layers: `RTP`, `RTCP` (a compound), `SRTP` and `SRTCP`, and those that depend on SDP or suite."""

from __future__ import annotations

from dissectors.rtp.media.layers import RTP, TelephoneEvents, extension_elements, rtp_layer
from dissectors.rtp.rtcp.layers import RTCP, ReducedSizeRTCP
from dissectors.rtp.srtp.layers import SRTCP, SRTP, srtcp_layer, srtp_layer

__all__ = [
    "RTCP",
    "RTP",
    "SRTCP",
    "SRTP",
    "ReducedSizeRTCP",
    "TelephoneEvents",
    "extension_elements",
    "rtp_layer",
    "srtcp_layer",
    "srtp_layer",
]

"""What a datagram or a TCP connection carries, told from its content; ports are no more than hints."""

from __future__ import annotations

from dissectors.bfcp import framing as bfcp
from dissectors.h248 import framing as h248
from dissectors.http import HTTP_START, RTSP_START
from dissectors.msrp import framing as msrp
from dissectors.sip.framing import resync
from dissectors.sip.parse import is_start_line
from dissectors.stun.framing import COOKIE, looks_like_frames
from dissectors.tls.records import looks_like_sslv2, looks_like_tls

SIP, TLS, MSRP, BFCP, H248, HTTP, RTSP, STUN, WEBSOCKET, RTP = (
    "sip",
    "tls",
    "msrp",
    "bfcp",
    "h248",
    "http",
    "rtsp",
    "stun",
    "websocket",
    "rtp",
)


def datagram_kind(data: bytes) -> str:
    """The protocol of a datagram that begins with a letter or an exclamation mark; "" for none of ours."""
    if is_start_line(data):
        return SIP
    if h248.is_message(data):
        return H248
    if data[:2] == b"\r\n" and is_start_line(data.lstrip(b"\r\n")):
        return SIP
    return ""


def _framed_rtp(data: bytes) -> bool:
    """Whether a segment is RTP or RTCP packets behind their lengths, the last one ending with it (RFC 4571 §2)."""
    at = 0
    while at + 14 <= len(data):
        if data[at + 2] >> 6 != 2 and (data[at + 2] > 3 or data[at + 6 : at + 10] != COOKIE):
            return False  # neither, nor the STUN of ICE (RFC 6544 §3)
        at += 2 + (data[at] << 8 | data[at + 1])
    return at == len(data) and at > 0


def stream_kind(data: bytes) -> str:
    """The protocol that a TCP segment shows, at its start or inside where the capture began in mid-stream."""
    if looks_like_tls(data) or looks_like_sslv2(data):
        return TLS
    text = data.lstrip(b"\r\n")
    if is_start_line(text):
        return SIP
    if msrp.is_start(text):
        return MSRP
    if HTTP_START.match(text):
        return HTTP
    if RTSP_START.match(text):
        return RTSP
    if (len(data) >= 20 and data[4:8] == COOKIE and data[0] < 4) or looks_like_frames(data):
        return STUN
    if data[:2] == b"\x03\x00" and h248.is_message(data[4:]):
        return H248
    if _framed_rtp(data):
        return RTP
    length = bfcp.message_length(data)
    if length and length <= len(data) and bfcp.attributes_fit(data, 0, length):
        return BFCP
    if b"SIP/2.0" in data and resync(data, 0) >= 0:
        return SIP
    if b"\nMSRP " in data or b"\n-------" in data:
        inside = data.find(b"\nMSRP ")
        if inside >= 0 and msrp.is_start(data, inside + 1):
            return MSRP
    return ""

"""What a datagram or a TCP connection carries, told from its content; ports are no more than hints."""

from __future__ import annotations

from dissectors.bfcp import framing as bfcp
from dissectors.h248 import framing as h248
from dissectors.http import HTTP_START, RTSP_START
from dissectors.msrp import framing as msrp
from dissectors.sip.framing import resync
from dissectors.sip.parse import is_start_line
from dissectors.stun import COOKIE
from dissectors.tls.records import looks_like_sslv2, looks_like_tls

SIP, TLS, MSRP, BFCP, H248, HTTP, RTSP, STUN, WEBSOCKET = (
    "sip",
    "tls",
    "msrp",
    "bfcp",
    "h248",
    "http",
    "rtsp",
    "stun",
    "websocket",
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
    if len(data) >= 20 and data[4:8] == COOKIE and data[0] < 4:
        return STUN
    if data[:2] == b"\x03\x00" and h248.is_message(data[4:]):
        return H248
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

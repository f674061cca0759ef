"""Tells HTTP and RTSP by their start lines, without Scapy (RFC 9112 §2.1, RFC 2326 §6)."""

from __future__ import annotations

import re

HTTP_START = re.compile(rb"(?:[A-Z]{3,16} [^\s]{1,8192} HTTP/1\.[01]\r?\n|HTTP/1\.[01] [0-9]{3}[ \r])")
RTSP_START = re.compile(rb"(?:[A-Z_]{3,16} [^\s]{1,8192} RTSP/[12]\.0\r?\n|RTSP/[12]\.0 [0-9]{3}[ \r])")
WEBSOCKET_UPGRADE = re.compile(rb"\nUpgrade:[ \t]*websocket", re.IGNORECASE)


def head_end(data: bytes | bytearray, at: int = 0) -> int:
    """Offset behind the empty line that ends the header; -1 when it is not there."""
    end = data.find(b"\r\n\r\n", at)
    return end + 4 if end >= 0 else -1

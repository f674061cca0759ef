"""Tells HTTP and RTSP by their start lines, without Scapy (RFC 9112 §2.1, RFC 2326 §6)."""

from __future__ import annotations

import re

HTTP_START = re.compile(rb"(?:[A-Z]{3,16} [^\s]{1,8192} HTTP/1\.[01]\r?\n|HTTP/1\.[01] [0-9]{3}[ \r])")
RTSP_START = re.compile(rb"(?:[A-Z_]{3,16} [^\s]{1,8192} RTSP/[12]\.0\r?\n|RTSP/[12]\.0 [0-9]{3}[ \r])")
WEBSOCKET_UPGRADE = re.compile(rb"\nUpgrade:[ \t]*websocket", re.IGNORECASE)


_CONTENT_LENGTH = re.compile(rb"\nContent-Length[ \t]*:[ \t]*([0-9]{1,12})[ \t]*\r?\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\nTransfer-Encoding[ \t]*:[^\n]*chunked[ \t]*\r?\n", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]{0,256}\n")
MAX_CHUNKS = 65_536


def head_end(data: bytes | bytearray, at: int = 0) -> int:
    """Offset behind the empty line that ends the header; -1 when it is not there."""
    end = data.find(b"\r\n\r\n", at)
    return end + 4 if end >= 0 else -1


def message_end(data: bytes | bytearray, at: int = 0) -> int:
    """Offset behind a message of HTTP or RTSP that begins at the place; -1 while octets of it are missing.

    The body is that of Content-Length or in chunks; without either there is none (RFC 9112 §6.3, RFC 7826 §5.3).
    """
    end = head_end(data, at)
    if end < 0:
        return -1
    if _CHUNKED.search(data, at, end):
        return _chunks_end(data, end)
    length = _CONTENT_LENGTH.search(data, at, end)
    end += int(length[1]) if length else 0
    return end if end <= len(data) else -1


def _chunks_end(data: bytes | bytearray, at: int) -> int:
    """Offset behind the last chunk and the empty line that ends it; -1 while it is not there."""
    for _ in range(MAX_CHUNKS):
        size = _CHUNK_SIZE.match(data, at)
        if size is None:
            return -1
        octets = int(size[1], 16)
        if not octets:
            trailer = data.find(b"\r\n\r\n", size.end() - 2)
            return trailer + 4 if trailer >= 0 else -1
        at = size.end() + octets + 2
    return -1

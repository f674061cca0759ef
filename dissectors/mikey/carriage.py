"""How SDP and RTSP carry a MIKEY message: base64 behind `a=key-mgmt:mikey` (RFC 4567 §3) or in `data="…"` (§4.1)."""

from __future__ import annotations

import binascii
import re

from dissectors.http import head_end

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")
_DROPPED = b" \t\r\n"
_CARRIED = re.compile(
    rb"^(?:KeyMgmt[ \t]*:[^\r\n]*prot=\"?mikey|a=key-mgmt:[ \t]*mikey[ \t]|Content-Type[ \t]*:[ \t]*application/mikey)",
    re.IGNORECASE | re.MULTILINE,
)
_CHUNKED = re.compile(rb"\nTransfer-Encoding[ \t]*:[^\n]*chunked[ \t]*\r?\n", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,8})[^\n]{0,256}\n")
_DATA = re.compile(rb"data[ \t]*=[ \t]*\"?([A-Za-z0-9+/=]+)", re.IGNORECASE)
MAX_CHUNKS = 65_536


def from_base64(text: bytes) -> bytes | None:
    """The octets of a message; white space, quotes around it and missing padding are forgiven. None if it is no base64.

    RFC 4567 §3.1.
    """
    packed = text.translate(None, _DROPPED).strip(b'"')
    digits = packed.rstrip(b"=")
    if not _BASE64.match(packed) or len(digits) % 4 == 1:
        return None
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def to_base64(message: bytes) -> bytes:
    """A message as `a=key-mgmt` carries it (RFC 4567 §3.1)."""
    return binascii.b2a_base64(message, newline=False)


def carried(message: bytes) -> int:
    """How many MIKEY messages an RTSP or HTTP message carries: headers, lines of a description, or its whole body.

    RFC 4567 §4.1, §3.1; RFC 3830 §10.1 (the media type). A message or line that is cut over chunks is one.
    """
    return sum(1 for _ in _CARRIED.finditer(_joined(message)))


def _joined(message: bytes) -> bytes:
    """A message with its chunks put together (RFC 9112 §7.1); others as they are."""
    at = head_end(message)
    if at < 0 or not _CHUNKED.search(message, 0, at):
        return message
    parts = [message[:at]]
    for _ in range(MAX_CHUNKS):
        size = _CHUNK_SIZE.match(message, at)
        if size is None or not int(size[1], 16):
            break
        at = size.end() + int(size[1], 16)
        parts.append(message[size.end() : at])
    return b"".join(parts)


def octets(message: bytes) -> list[bytes]:
    """The MIKEY messages that an RTSP or HTTP message carries, base64 undone; those that can't be read are left out."""
    whole = _joined(message)
    out: list[bytes | None] = []
    for found in _CARRIED.finditer(whole):
        kind = found[0][:1].lower()
        if kind == b"c":
            at = head_end(whole)
            body = whole[at:] if at >= 0 else b""
            out.append(body if body[:1] == b"\x01" else from_base64(body))
            continue
        end = whole.find(b"\n", found.end())
        line = whole[found.start() : end if end >= 0 else len(whole)].rstrip()
        if kind == b"k":
            out += [from_base64(data) for data in _DATA.findall(line)]
        else:
            out.append(from_base64(line.rpartition(b" ")[2]))
    return [each for each in out if each]

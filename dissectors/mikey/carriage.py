"""How SDP and RTSP carry a MIKEY message: base64 behind `a=key-mgmt:mikey` (RFC 4567 §3) or in `data="…"` (§4.1)."""

from __future__ import annotations

import binascii
import re

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")
_DROPPED = b" \t\r\n"
_CARRIED = re.compile(
    rb"^(?:KeyMgmt[ \t]*:[^\r\n]*prot=\"?mikey|a=key-mgmt:[ \t]*mikey[ \t]|Content-Type[ \t]*:[ \t]*application/mikey)",
    re.IGNORECASE | re.MULTILINE,
)


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

    RFC 4567 §4.1, §3.1; RFC 3830 §10.1 (the media type).
    """
    return sum(1 for _ in _CARRIED.finditer(message))

"""How SDP and RTSP carry a MIKEY message: base64 behind `a=key-mgmt:mikey` (RFC 4567 §3) or in `data="…"` (§4.1)."""

from __future__ import annotations

import binascii
import re

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")
_DROPPED = b" \t\r\n"


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

"""Tells H.248 messages in text encoding by their first token (H.248.1 Annex B)."""

from __future__ import annotations

import re

# "MEGACO/3 " or its short form "!/3 ", then where the message is from
START = re.compile(rb"\s{0,64}(?:MEGACO|!)/[0-9]{1,2}[ \t\r\n]", re.IGNORECASE)
AUTHENTICATED = re.compile(rb"\s{0,64}(?:Authentication|AU)\s{0,64}=\s{0,64}0x[0-9A-F]", re.IGNORECASE)


def is_message(data: bytes) -> bool:
    """Whether a datagram or a TPKT's content is an H.248 message in text encoding."""
    return START.match(data) is not None or AUTHENTICATED.match(data) is not None


def next_tpkt(data: bytes | bytearray, at: int = 0) -> tuple[int, int] | None:
    """The content of the next TPKT (RFC 1006 §6) as (start, end); None when it is not whole."""
    if at + 4 > len(data):
        return None
    end = at + (data[at + 2] << 8 | data[at + 3])
    return (at + 4, end) if at + 4 <= end <= len(data) else None

"""Tells BFCP messages by their common header (RFC 8855 §5.1): version, primitive, and a length that fits."""

from __future__ import annotations

FIRST_PRIMITIVE, LAST_PRIMITIVE = 1, 18
COMMON_HEADER = 12
FRAGMENT_HEADER = 4
MAX_ATTRIBUTES = 1024


def message_length(data: bytes | bytearray, at: int = 0) -> int:
    """Octets of the message that begins at the place, by its header; 0 when that is none of BFCP's.

    The payload length counts 4-octet units; version 2 has a fragment header where the F bit is set. Reserved bits are
    ignored on reception, and R and F are where the version is that of reliable transports (RFC 8855 §5.1).
    """
    if at + COMMON_HEADER > len(data):
        return 0
    version, fragmented = data[at] >> 5, data[at] >> 3 & 1
    if version not in (1, 2) or not FIRST_PRIMITIVE <= data[at + 1] <= LAST_PRIMITIVE:
        return 0
    words = data[at + 2] << 8 | data[at + 3]
    return COMMON_HEADER + 4 * words + (FRAGMENT_HEADER if version == 2 and fragmented else 0)


def attributes_fit(data: bytes | bytearray, at: int, end: int) -> bool:
    """Whether the attributes of an unfragmented message fill it exactly (RFC 8855 §5.2)."""
    at += COMMON_HEADER
    for _ in range(MAX_ATTRIBUTES):
        if at == end:
            return True
        if at + 2 > end or data[at + 1] < 2:
            return False
        at += data[at + 1] + -data[at + 1] % 4
    return False


def is_message(data: bytes | bytearray) -> bool:
    """Whether a datagram is one BFCP message."""
    length = message_length(data)
    if not length or length != len(data):
        return False
    fragmented = data[0] >> 5 == 2 and data[0] & 8
    return bool(fragmented) or attributes_fit(data, 0, length)

"""Tells BFCP messages by their common header (RFC 8855 §5.1): version, primitive, and a length that fits."""

from __future__ import annotations

from typing import NamedTuple

FIRST_PRIMITIVE, LAST_PRIMITIVE = 1, 18  # drafts numbered one further than RFC 8855, which ends with 17
COMMON_HEADER = 12
FRAGMENT_HEADER = 4
MAX_ATTRIBUTES = 1024

RESPONDER, FRAGMENTED = 0x10, 0x08  # the R and F bits of the first octet


class CommonHeader(NamedTuple):
    """The COMMON-HEADER of a message or of a fragment (RFC 8855 §5.1). Lengths and offset count 4-octet units."""

    version: int
    responder: bool
    fragmented: bool  # only where the version has fragments: it is ignored on reliable transports
    primitive: int
    payload_length: int  # of a fragment: that of the whole message
    conference: int
    transaction: int
    user: int
    fragment_offset: int = 0
    fragment_length: int = 0

    @property
    def octets(self) -> int:
        """Octets of this header."""
        return COMMON_HEADER + FRAGMENT_HEADER * self.fragmented

    @property
    def whole(self) -> int:
        """Octets of the message or fragment with its header."""
        return self.octets + 4 * (self.fragment_length if self.fragmented else self.payload_length)


def common_header(data: bytes | bytearray, at: int = 0) -> CommonHeader | None:
    """The header at the place, whatever it says; None where its octets end early."""
    if at + COMMON_HEADER > len(data):
        return None
    first = data[at]
    fragmented = first >> 5 == 2 and bool(first & FRAGMENTED)
    if fragmented and at + COMMON_HEADER + FRAGMENT_HEADER > len(data):
        return None
    return CommonHeader(
        first >> 5,
        bool(first & RESPONDER),
        fragmented,
        data[at + 1],
        data[at + 2] << 8 | data[at + 3],
        int.from_bytes(data[at + 4 : at + 8], "big"),
        data[at + 8] << 8 | data[at + 9],
        data[at + 10] << 8 | data[at + 11],
        data[at + 12] << 8 | data[at + 13] if fragmented else 0,
        data[at + 14] << 8 | data[at + 15] if fragmented else 0,
    )


def message_length(data: bytes | bytearray, at: int = 0) -> int:
    """Octets of the message or fragment that begins at the place, by its header; 0 when that is none of BFCP's.

    The payload length counts 4-octet units. Where version 2 has the F bit set, it is that of the whole message, and the
    fragment length says what is here (RFC 8855 §5.1). Reserved bits are ignored on reception, and R and F are where the
    version is that of reliable transports.
    """
    if at + COMMON_HEADER > len(data):
        return 0
    version, fragmented = data[at] >> 5, data[at] & FRAGMENTED
    if version not in (1, 2) or not FIRST_PRIMITIVE <= data[at + 1] <= LAST_PRIMITIVE:
        return 0
    words = data[at + 2] << 8 | data[at + 3]
    if version == 1 or not fragmented:
        return COMMON_HEADER + 4 * words
    header = common_header(data, at)
    if header is None or header.fragment_offset + header.fragment_length > words:
        return 0
    return header.whole


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
    """Whether a datagram is one BFCP message, or one fragment of it; of version 1 with the F bit in either reading."""
    length = message_length(data)
    if length and data[0] >> 5 == 1 and data[0] & FRAGMENTED:
        from dissectors.bfcp.readings import common_header as header_by_what_is_there
        from dissectors.bfcp.readings import readings

        header = header_by_what_is_there(data)
        return header is not None and header.whole == len(data) and any(readings(data))
    if not length or length != len(data):
        return False
    fragmented = data[0] >> 5 == 2 and data[0] & FRAGMENTED
    return bool(fragmented) or attributes_fit(data, 0, length)

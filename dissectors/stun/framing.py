"""STUN and TURN messages as far as telling them apart and taking relayed data out goes (RFC 8489, RFC 8656)."""

from __future__ import annotations

import struct

COOKIE = b"\x21\x12\xa4\x42"
SEND_INDICATION, DATA_INDICATION = 0x0016, 0x0017
DATA_ATTRIBUTE = 0x0013
CLASSIC_TYPES = frozenset((0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112))  # RFC 3489 §11.1
MAX_ATTRIBUTES = 64
MAX_FRAMES = 64


def relayed_data(message: bytes) -> tuple[int, int] | None:
    """Where the DATA attribute of a Send or Data indication stands, as (start, end); None when there is none."""
    if len(message) < 20 or int.from_bytes(message[:2], "big") not in (SEND_INDICATION, DATA_INDICATION):
        return None
    at = 20
    for _ in range(MAX_ATTRIBUTES):
        if at + 4 > len(message):
            return None
        kind, length = struct.unpack_from("!HH", message, at)
        if kind == DATA_ATTRIBUTE:
            return (at + 4, at + 4 + length) if at + 4 + length <= len(message) else None
        at += 4 + length + -length % 4
    return None


def next_frame(data: bytes | bytearray, at: int) -> tuple[int, int, bool] | None:
    """The next STUN message or ChannelData of a TCP stream as (start, end, is channel data); None: more is needed.

    An end of -1 says that the bytes are neither. Over TCP, ChannelData is padded to four octets (RFC 8656 §12.5).
    """
    if at + 4 > len(data):
        return None
    kind, length = struct.unpack_from("!HH", data, at)
    if kind < 0x4000:
        if at + 8 <= len(data) and data[at + 4 : at + 8] != COOKIE and kind not in CLASSIC_TYPES:
            return at, -1, False
        end = at + 20 + length
        if length % 4:
            return at, -1, False
        return (at, end, False) if end <= len(data) else None
    if kind < 0x8000:
        end = at + 4 + length + -length % 4
        return (at, end, True) if end <= len(data) else None
    return at, -1, False


def looks_like_frames(data: bytes | bytearray) -> bool:
    """Whether bytes are a chain of STUN messages and ChannelData, as TURN over TCP sends them, to the last octet.

    The last frame may be cut, if it is of a channel before it or has the magic cookie. Channels must be of RFC 8656 §12
    and carry STUN, DTLS, RTP or RTCP (RFC 7983 §7), so that noise passes once in some millions.
    """
    at = 0
    channels = set()
    for _ in range(MAX_FRAMES):
        if at == len(data):
            return at > 0
        found = next_frame(data, at)
        if found is None:
            return at > 0 and (bytes(data[at : at + 2]) in channels or data[at + 4 : at + 8] == COOKIE)
        start, end, channel = found
        if end < 0 or (channel and not _looks_like_channel(data, start)):
            return False
        if channel:
            channels.add(bytes(data[start : start + 2]))
        at = end
    return True


def _looks_like_channel(data: bytes | bytearray, at: int) -> bool:
    """Whether ChannelData has a channel number, a length and a content of its kind."""
    number, length = struct.unpack_from("!HH", data, at)
    if not 0x4000 <= number <= 0x4FFF or length < 12:
        return False
    first, second = data[at + 4], data[at + 5]
    if any(data[at + 4 + length : at + 4 + length + -length % 4]):
        return False  # padding is zero in practice
    return first >> 6 == 2 or (20 <= first <= 25 and second in (1, 0xFE)) or data[at + 8 : at + 12] == COOKIE

"""How a header of version 1 whose F bit is set is read: 12 octets, or 16 with the fields of a fragment.

RFC 4582 reserves the bit, and on reliable transports RFC 8855 §5.1 says both that the fields are never there and that
the bit is ignored. Some peers put them there nevertheless. What is there decides: the reading is taken whose attributes
end exactly where it says that the message ends.
"""

from __future__ import annotations

from typing import NamedTuple

from dissectors.bfcp.framing import COMMON_HEADER, FRAGMENT_HEADER, FRAGMENTED, CommonHeader, attributes_fit
from dissectors.bfcp.framing import common_header as _common_header

_HEADER = COMMON_HEADER + FRAGMENT_HEADER


class Readings(NamedTuple):
    """Which readings of a message fit. Neither does where the F bit of version 1 is not set."""

    reserved: bool = False  # RFC 4582: the bit means nothing, and 12 octets are the header
    fragment: bool = False  # 16 octets are the header

    @property
    def fragment_fields(self) -> bool:
        """Whether the fields of a fragment are read: RFC 4582's reading does not fit, and this one does."""
        return self.fragment and not self.reserved

    @property
    def ambiguous(self) -> bool:
        """Whether both readings fit."""
        return self.reserved and self.fragment


def readings(data: bytes | bytearray, at: int = 0) -> Readings:
    """Which readings fit the message of version 1 that begins at the place.

    The attributes of a part of a message may be cut, so that they tell nothing: of a part, the octets there have to be
    those that its header says (RFC 8855 §6.2.3).
    """
    if at + COMMON_HEADER > len(data) or data[at] >> 5 != 1 or not data[at] & FRAGMENTED:
        return Readings()
    end = at + COMMON_HEADER + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
    return Readings(_ends(data, end) and attributes_fit(data, at, end), _fragment_fits(data, at))


def common_header(data: bytes | bytearray, at: int = 0) -> CommonHeader | None:
    """The header at the place, with the fields of a fragment where version 1 has them, too; None if it ends early."""
    header = _common_header(data, at)
    if header is None or not readings(data, at).fragment_fields:
        return header
    offset, length = (int.from_bytes(data[begin : begin + 2], "big") for begin in (at + 12, at + 14))
    return header._replace(fragmented=True, fragment_offset=offset, fragment_length=length)


def _ends(data: bytes | bytearray, end: int) -> bool:
    """Whether a message may end at the place: at the end of what is there, or where another header begins."""
    return end == len(data) or (end < len(data) and data[end] >> 5 in (1, 2))


def _fragment_fits(data: bytes | bytearray, at: int) -> bool:
    if at + _HEADER > len(data):
        return False
    words, offset, length = (int.from_bytes(data[begin : begin + 2], "big") for begin in (at + 2, at + 12, at + 14))
    end = at + _HEADER + 4 * length
    if _ends(data, end) and attributes_fit(data, at + FRAGMENT_HEADER, end):
        return True
    return end == len(data) and length < words and offset + length <= words

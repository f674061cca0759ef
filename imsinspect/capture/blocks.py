"""Grammar of the pcapng blocks that are no packets.

Packet blocks are walked in columns and stand in `records`. Facts: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from construct import Aligned, Bytes, ConstructError, GreedyBytes, GreedyRange, Int16ub, Int16ul, Int32ub, Int32ul, this
from construct import Struct as Grammar

SECTION, INTERFACE, PACKET, SIMPLE_PACKET, NAMES, STATISTICS, ENHANCED_PACKET, JOURNAL, SECRETS = (
    0x0A0D0D0A,
    1,
    2,
    3,
    4,
    5,
    6,
    9,
    10,
)

OPTION_TSRESOL, OPTION_TSOFFSET = 9, 14

SECRETS_TLS, SECRETS_ESP = 0x544C534B, 0x45535053


def _grammars(short: Any, long: Any) -> dict[str, Any]:
    option = Grammar("code" / short, "length" / short, "value" / Aligned(4, Bytes(this.length)))
    return {
        "interface": Grammar(
            "linktype" / short,
            "reserved" / short,
            "snaplen" / long,
            "options" / GreedyRange(option),
            "rest" / GreedyBytes,
        ),
        "secrets": Grammar("type" / long, "length" / long, "data" / Bytes(this.length), "rest" / GreedyBytes),
    }


_ORDERS = {"<": _grammars(Int16ul, Int32ul), ">": _grammars(Int16ub, Int32ub)}


@dataclass(slots=True, frozen=True)
class Interface:
    """An Interface Description Block: what its packets' link layer and times mean."""

    link_type: int
    snaplen: int
    ticks: int  # per second; time resolution 10^-n or 2^-n
    offset: int  # seconds to add


@dataclass(slots=True, frozen=True)
class Secrets:
    """A Decryption Secrets Block: key material that travels with the capture. Never printed."""

    type: int
    data: bytes

    def __repr__(self) -> str:
        return f"Secrets(type=0x{self.type:08x}, {len(self.data)} octets)"


@lru_cache(maxsize=4096)
def interface(order: str, body: bytes) -> Interface | None:
    """Read the body of an Interface Description Block; None when it is damaged."""
    try:
        block = _ORDERS[order]["interface"].parse(body)
    except ConstructError:
        return None
    ticks, offset = 10**6, 0
    for option in block.options:
        if option.code == 0:
            break
        if option.code == OPTION_TSRESOL and option.length == 1:
            power = option.value[0]
            ticks = 2 ** (power & 0x7F) if power & 0x80 else 10 ** (power & 0x7F)
        elif option.code == OPTION_TSOFFSET and option.length == 8:
            offset = int.from_bytes(option.value, "little" if order == "<" else "big", signed=True)
    return Interface(block.linktype, block.snaplen, ticks, offset)


def secrets(order: str, body: bytes) -> Secrets | None:
    """Read the body of a Decryption Secrets Block; None when it is damaged."""
    try:
        block = _ORDERS[order]["secrets"].parse(body)
    except ConstructError:
        return None
    return Secrets(block.type, block.data)

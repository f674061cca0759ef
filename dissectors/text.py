"""What Scapy layers of text formats are declared with: fields that take what an expression matches.

Packets are always built from their fields, so what was changed inside is built, and what was not comes out octet for
octet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.fields import PacketListField, StrField
from scapy.packet import Packet

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = rb"(?:[^\r\n]|\r(?!\n))*+"  # of a line


class TextField(StrField):
    """The octets that an expression matches at the front of what is left; the expression may match nothing."""

    __slots__ = ("pattern",)

    def __init__(self, name: str, default: bytes | None, pattern: bytes) -> None:
        super().__init__(name, default)
        self.pattern = re.compile(pattern, re.DOTALL)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take the match off the front."""
        found = self.pattern.match(s)
        end = found.end() if found else 0
        return s[end:], s[:end]


class TextPacket(Packet):
    """A packet whose fields hold all of its octets, so that it is built from them alone."""

    def do_dissect(self, s: bytes) -> bytes:
        """Dissect and keep no copy: a change deep inside must not be hidden by one."""
        rest: bytes = super().do_dissect(s)
        self.raw_packet_cache = None
        self.raw_packet_cache_fields = None
        return rest

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """What is left belongs to the packet around this one."""
        return b"", s


class TextListField(PacketListField):
    """Packets that fill what is left, cut by a function, up to a limit."""

    __slots__ = ("cut",)

    def __init__(self, name: str, cut: Callable[[bytes], tuple[list[Packet], bytes]]) -> None:
        super().__init__(name, [], Packet)
        self.cut = cut

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take packets off the front."""
        packets, rest = self.cut(s)
        for packet in packets:
            packet.add_parent(pkt)
        return rest, packets

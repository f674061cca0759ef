"""Scapy gives a packet's input back unread as long as it is kept: these forget it everywhere inside a packet."""

from __future__ import annotations

from typing import Any

from scapy.packet import Packet


def without_caches(packet: Any) -> Any:
    """The same packet, forced to be built from its fields."""
    packet.raw_packet_cache = None
    packet.raw_packet_cache_fields = None
    for field in getattr(packet, "fields_desc", []):
        value = packet.getfieldval(field.name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Packet):
                without_caches(item)
    if isinstance(packet.payload, Packet) and packet.payload:
        without_caches(packet.payload)
    return packet

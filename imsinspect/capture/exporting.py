"""Writes exported PDUs (link type WIRESHARK_UPPER_PDU): tags that name a protocol and its ends, then the PDU."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from construct import Aligned, Bytes, Int16ub, Rebuild, len_, this
from construct import GreedyRange as Several
from construct import Struct as Grammar

from imsinspect.capture.exported import (
    DESTINATION_PORT,
    DISSECTOR,
    END,
    IPV4_DESTINATION,
    IPV4_SOURCE,
    IPV6_DESTINATION,
    IPV6_SOURCE,
    PORT_TYPE,
    SOURCE_PORT,
)

if TYPE_CHECKING:
    from imsinspect.capture.endpoint import Endpoint

ORIGINAL_FRAME = 30
PORT_TYPES = {"tcp": 2, "udp": 3}

_TAGS = Several(
    Grammar(
        "tag" / Int16ub, "length" / Rebuild(Int16ub, len_(this.value)), "value" / Aligned(4, Bytes(this.length))
    )
)  # fmt: skip


def exported_pdu(
    dissector: str, transport: str, source: Endpoint, destination: Endpoint, frame: int, pdu: bytes
) -> bytes:
    """A PDU of the protocol that Wireshark's dissector of that name reads, sent over "tcp" or "udp", from a frame."""
    six = ":" in source.ip
    family = socket.AF_INET6 if six else socket.AF_INET
    name = dissector.encode()
    tags = (
        (DISSECTOR, name + bytes(-len(name) % 4)),
        (IPV6_SOURCE if six else IPV4_SOURCE, socket.inet_pton(family, source.ip)),
        (IPV6_DESTINATION if six else IPV4_DESTINATION, socket.inet_pton(family, destination.ip)),
        (PORT_TYPE, PORT_TYPES[transport].to_bytes(4, "big")),
        (SOURCE_PORT, source.port.to_bytes(4, "big")),
        (DESTINATION_PORT, destination.port.to_bytes(4, "big")),
        (ORIGINAL_FRAME, frame.to_bytes(4, "big")),
        (END, b""),
    )
    return bytes(_TAGS.build([{"tag": tag, "value": value} for tag, value in tags])) + pdu

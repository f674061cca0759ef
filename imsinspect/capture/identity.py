"""Who a packet is from and to: 48 octets that name a flow or stream, read from its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imsinspect.capture.endpoint import Endpoint, text_ip
from imsinspect.capture.rows import gather

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Source address 16 (zero-filled), destination 16, ports or SPI 4, SSRC 4, IP version 1, protocol 1, reserved 6
WIDTH = 48
PORTS, SSRC, VERSION, PROTOCOL = 32, 36, 40, 41


def identities(
    data: NDArray[np.uint8],
    net: NDArray[np.int64],
    protocol: NDArray[np.uint8] | int,
    transport: NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Identities of packets from their IP headers at `net`; SSRC is left zero.

    Ports are read behind the IP header, which has no options here, or at `transport`.
    """
    rows = gather(data, net, 40)
    out = np.zeros((len(net), WIDTH), np.uint8)
    six = (rows[:, 0] >> 4) == 6
    for which, address, half in ((~six, 12, 4), (six, 8, 16)):
        part = rows[which]
        out[which, :half] = part[:, address : address + half]
        out[which, 16 : 16 + half] = part[:, address + half : address + 2 * half]
        out[which, VERSION] = 6 if half == 16 else 4
    if transport is None:
        transport = net + np.where(six, 40, 20)
    out[:, PORTS:SSRC] = gather(data, transport, 4)
    out[:, PROTOCOL] = protocol
    return out


def endpoints(identity: bytes) -> tuple[Endpoint, Endpoint]:
    """Source and destination of an identity."""
    width = 16 if identity[VERSION] == 6 else 4
    return (
        Endpoint(text_ip(identity[:width]), int.from_bytes(identity[PORTS : PORTS + 2], "big")),
        Endpoint(text_ip(identity[16 : 16 + width]), int.from_bytes(identity[PORTS + 2 : PORTS + 4], "big")),
    )


def reverse(identity: bytes) -> bytes:
    """The identity of the opposite direction."""
    return identity[16:32] + identity[:16] + identity[34:36] + identity[32:34] + identity[36:]


def identity_of(source: Endpoint, destination: Endpoint, protocol: int) -> bytes:
    """The identity of a flow between two endpoints."""
    import socket

    six = ":" in source.ip
    family = socket.AF_INET6 if six else socket.AF_INET
    return (
        socket.inet_pton(family, source.ip).ljust(16, b"\0")
        + socket.inet_pton(family, destination.ip).ljust(16, b"\0")
        + source.port.to_bytes(2, "big")
        + destination.port.to_bytes(2, "big")
        + bytes(4)
        + bytes([6 if six else 4, protocol])
        + bytes(6)
    )

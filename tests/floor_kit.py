"""Floor control in bytes: BFCP messages, the lines that announce them, and the connections that carry them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests import build

if TYPE_CHECKING:
    from collections.abc import Sequence

UE, SERVER = ("192.0.2.10", 50_010), ("198.51.100.7", 50_020)
FLOOR_REQUEST, FLOOR_REQUEST_STATUS, HELLO, HELLO_ACK, FLOOR_STATUS, ERROR = 1, 4, 11, 12, 8, 13
CONFERENCE, USER = 4321, 1


def bfcp(
    primitive: int, transaction: int = 1, *, user: int = USER, conference: int = CONFERENCE, attributes: bytes = b"",
    version: int = 1,
) -> bytes:  # fmt: skip
    """A BFCP message (RFC 8855 §5.1)."""
    words = len(attributes) // 4
    return struct.pack("!BBHIHH", version << 5, primitive, words, conference, transaction, user) + attributes


def error(code: int, transaction: int = 1, **more: int) -> bytes:
    """An Error with its ERROR-CODE."""
    return bfcp(ERROR, transaction, attributes=bytes((6 << 1 | 1, 3, code, 0)), **more)


def beneficiary(user: int) -> bytes:
    """A BENEFICIARY-ID."""
    return struct.pack("!BBH", 1 << 1 | 1, 4, user)


def floor_line(
    address: str, port: int, proto: str = "TCP/BFCP", *, server: bool = False, attributes: Sequence[str] = ()
) -> bytes:
    """A description of audio and floor control; the server's assigns the ids."""
    own = [
        f"a=floorctrl:{'s-only' if server else 'c-only'}",
        *([f"a=confid:{CONFERENCE}", f"a=userid:{USER}", "a=floorid:1 mstrm:10"] if server else []),
        *attributes,
    ]
    return build.sdp(address, build.audio(port + 1_000), build.media("application", port, proto, "*", *own))


def exchange(
    messages: Sequence[tuple[float, bytes, bool]], *, client: build.Address = UE, server: build.Address = SERVER
) -> list[build.Packet]:
    """BFCP over one TCP connection: time, message, whether the client sends it."""
    connection = build.TcpConnection(client, server)
    out = connection.open(messages[0][0] - 0.05)
    for at, data, from_client in messages:
        out += connection.send(at, data, from_client=from_client)
    return out


def datagrams(
    messages: Sequence[tuple[float, bytes, bool]], *, client: build.Address = UE, server: build.Address = SERVER
) -> list[build.Packet]:
    """The same messages over UDP: version 2, responses marked (RFC 8855 §5.1)."""
    out = []
    for at, data, from_client in messages:
        ends = (client, server) if from_client else (server, client)
        out.append((at, build.udp(*ends, bytes((0x40 if from_client else 0x50,)) + data[1:])))
    return out


def served(at: float = 2.0, *, user: int = USER, conference: int = CONFERENCE) -> list[tuple[float, bytes, bool]]:
    """Hello and a request for the floor, both answered."""
    ids = {"user": user, "conference": conference}
    return [
        (at, bfcp(HELLO, 1, **ids), True),
        (at + 0.1, bfcp(HELLO_ACK, 1, **ids), False),
        (at + 0.2, bfcp(FLOOR_REQUEST, 2, attributes=bytes((2 << 1 | 1, 4, 0, 1)), **ids), True),
        (at + 0.3, bfcp(FLOOR_REQUEST_STATUS, 2, **ids), False),
    ]


def floor_call(
    proto: str = "TCP/BFCP", *more: Sequence[build.Packet], answered: str = "", duration: float | None = 10.0,
    focus: bool = False, attributes: Sequence[str] = (),
) -> list[build.Packet]:  # fmt: skip
    """A call with floor control, and what else was captured; a focus says so in its Contact."""
    offer = floor_line(UE[0], UE[1], proto, attributes=attributes)
    answer = floor_line(SERVER[0], SERVER[1], answered or proto, server=True, attributes=attributes)
    packets = build.call(offer, answer, duration=duration)
    if focus:
        old, new = b"Contact: <sip:198.51.100.20:5060>", b"Contact: <sip:198.51.100.20:5060>;isfocus"
        talk = build.Dialog()
        script = [
            (0.0, talk.request("INVITE", offer), True),
            (0.5, talk.response(200, "OK", answer).replace(old, new), False),
            (0.51, talk.request("ACK"), True),
        ]
        if duration is not None:
            script.append((duration, talk.request("BYE", in_dialog=True), True))
            script.append((duration + 0.01, talk.response(200, "OK", method="BYE"), False))
        packets = build.carry(talk, script)
    return build.in_time_order(packets, *more)

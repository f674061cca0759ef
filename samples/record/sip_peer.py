"""One scripted SIP user agent over UDP: INVITE, 180, 200, ACK, wait, BYE, 200, with SDP bodies from files.

Arguments: role (caller or answerer), own address, peer's address, SDP file, seconds between ACK and BYE. It stands for
the signalling where no real user agent does what a sample must show; samples/README.md says where.
"""

from __future__ import annotations

import secrets
import socket
import sys
import time
from pathlib import Path

ROLE, OWN, PEER, SDP = sys.argv[1:5]
SECONDS = float(sys.argv[5])
BODY = Path(SDP).read_text().replace("\n", "\r\n")


def send(link: socket.socket, first: str, headers: list[str], body: str = "") -> None:
    """Send one message to the peer."""
    kind = ["Content-Type: application/sdp"] if body else []
    head = [first, *headers, "User-Agent: lab script", *kind, f"Content-Length: {len(body.encode())}"]
    link.sendto(("\r\n".join(head) + "\r\n\r\n" + body).encode(), (PEER, 5060))


def receive(link: socket.socket, start: str) -> str:
    """Wait for a message that begins so."""
    while not (message := link.recv(65535).decode()).startswith(start):
        pass
    return message


def header(message: str, name: str) -> str:
    """The value of one header field."""
    return next(line.partition(":")[2].strip() for line in message.split("\r\n") if line.startswith(name + ":"))


def caller(link: socket.socket) -> None:
    """Call, wait, hang up."""
    dialog = [
        f"From: <sip:alice@{OWN}>;tag={secrets.token_hex(6)}",
        f"Call-ID: {secrets.token_hex(10)}",
        f"Contact: <sip:alice@{OWN}>",
        "Max-Forwards: 70",
    ]

    def request(method: str, number: int, to: str, body: str = "") -> None:
        via = f"Via: SIP/2.0/UDP {OWN}:5060;branch=z9hG4bK{secrets.token_hex(8)}"
        send(link, f"{method} sip:bob@{PEER} SIP/2.0", [via, f"To: {to}", f"CSeq: {number} {method}", *dialog], body)

    request("INVITE", 1, f"<sip:bob@{PEER}>", BODY)
    to = header(receive(link, "SIP/2.0 200"), "To")
    request("ACK", 1, to)
    time.sleep(SECONDS)
    request("BYE", 2, to)
    receive(link, "SIP/2.0 200")


def answerer(link: socket.socket) -> None:
    """Ring, answer, wait for the end."""
    tag = secrets.token_hex(6)

    def reply(request: str, status: str, body: str = "") -> None:
        to = header(request, "To")
        echoed = [f"{name}: {header(request, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        tagged = to if "tag=" in to else f"{to};tag={tag}"
        send(link, f"SIP/2.0 {status}", [*echoed, f"To: {tagged}", f"Contact: <sip:bob@{OWN}>"], body)

    offer = receive(link, "INVITE")
    reply(offer, "180 Ringing")
    time.sleep(0.2)
    reply(offer, "200 OK", BODY)
    reply(receive(link, "BYE"), "200 OK")


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind((OWN, 5060))
    udp.settimeout(60)
    (caller if ROLE == "caller" else answerer)(udp)

"""Two openssl command-line peers that hold a chat over TLS: their standard inputs carry MSRP frames (RFC 4975)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab import HOSTS, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab import Lab, Process

PORT = 2855
PATHS = {
    host: f"msrps://{ip4}:{PORT}/{name};tcp"
    for (host, (ip4, _)), name in zip(HOSTS.items(), ("ses1", "ses2"), strict=True)
}


def frame(host: str, transaction: str, text: str) -> str:
    """One SEND from a host."""
    other = "b" if host == "a" else "a"
    return (
        f"MSRP {transaction} SEND\r\nTo-Path: {PATHS[other]}\r\nFrom-Path: {PATHS[host]}\r\n"
        f"Message-ID: m{transaction}\r\nByte-Range: 1-{len(text)}/{len(text)}\r\n"
        f"Content-Type: text/plain\r\n\r\n{text}\r\n-------{transaction}$\r\n"
    )


def answer(host: str, transaction: str) -> str:
    """The 200 of a host for the other one's SEND."""
    other = "b" if host == "a" else "a"
    return (
        f"MSRP {transaction} 200 OK\r\nTo-Path: {PATHS[other]}\r\nFrom-Path: {PATHS[host]}\r\n-------{transaction}$\r\n"
    )


CHAT = (
    ("a", frame("a", "a1f03ks2", "Hello Bob, nobody else can read this, I hope.")),
    ("b", answer("b", "a1f03ks2")),
    ("b", frame("b", "b7g2m9qx", "Hello Alice, it says TLS, so it must be safe.")),
    ("a", answer("a", "b7g2m9qx")),
    ("a", frame("a", "a88dk21z", "Then the meeting is at nine.")),
    ("b", answer("b", "a88dk21z")),
)


def chat(lab: Lab, server: Sequence[str], client: Sequence[str]) -> None:
    """Connect a's `openssl s_client` to b's `openssl s_server`, with these further options, and hold the chat."""
    listening = lab.start("b", "openssl", "s_server", "-accept", str(PORT), "-quiet", *server, log="server.log")
    time.sleep(0.7)
    connected = lab.start(
        "a",
        "openssl",
        "s_client",
        "-connect",
        f"{HOSTS['b'][0]}:{PORT}",
        "-quiet",
        "-no_ign_eof",
        *client,
        log="client.log",
    )
    time.sleep(0.7)
    for host, text in CHAT:
        say(connected if host == "a" else listening, text)
        time.sleep(0.3)
    hang_up(connected)
    lab.stop(listening)


def hang_up(client: Process) -> None:
    """End an `openssl s_client` as its user would, so that it sends close_notify."""
    if client.stdin is not None:
        client.stdin.close()
    client.wait(timeout=5)
    time.sleep(0.3)

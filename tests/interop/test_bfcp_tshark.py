"""BFCP over TCP as tshark reads it; its names of four primitives are wrong, and of version 2 it shows nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from dissectors.bfcp.codes import PRIMITIVES
from dissectors.bfcp.layers import BFCP
from imsinspect.capture.classify import BFCP as KIND
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan
from tests import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PORT = 5070
FIELDS = ("bfcp.primitive", "bfcp.conference_id", "bfcp.transaction_id", "bfcp.user_id", "bfcp.payload_length")


def test_headers_agree_with_tshark(peer: Callable[[str], str], tmp_path: Path) -> None:
    messages = [
        bytes(BFCP(Primitive=code, Conference_ID=0x01020304, Transaction_ID=code, User_ID=0x0A0B))
        for code in sorted(PRIMITIVES)
    ]
    connection = build.TcpConnection(("192.0.2.1", 40000), ("192.0.2.2", PORT))
    packets = connection.open(0)
    for number, message in enumerate(messages, 1):
        packets += connection.send(number, message)
    path = tmp_path / "bfcp.pcap"
    path.write_bytes(build.pcap(packets))
    options = [word for name in FIELDS for word in ("-e", name)]
    command = [peer("tshark"), "-r", str(path), "-d", f"tcp.port=={PORT},bfcp", "-Y", "bfcp", "-T", "fields", *options]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    layers = [BFCP(found.octets) for found in found_messages([scan(str(path), 0)]) if found.kind == KIND]
    ours = [
        f"{each.Primitive}\t{each.Conference_ID}\t{each.Transaction_ID}\t{each.User_ID}\t{each.Payload_Length}"
        for each in layers
    ]
    assert len(ours) == len(messages) == 17
    assert [line.split("\t") for line in theirs] == [line.split("\t") for line in ours]

"""BFCP as tshark reads it: over TCP the headers of all primitives, and every field of every message in the captures.

Its names of four primitives are wrong, and of version 2 it shows nothing.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from dissectors.bfcp.codes import PRIMITIVES
from dissectors.bfcp.layers import BFCP
from imsinspect.capture.classify import BFCP as KIND
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan
from tests import build
from tests.interop.comparison import EMPTY, shown_value, walk
from tests.interop.tshark import FILES, kinds, name, readings
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PORT = 5070
HEADER = ("bfcp.primitive", "bfcp.conference_id", "bfcp.transaction_id", "bfcp.user_id", "bfcp.payload_length")

FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "bfcp.ver": ("Ver", int),
    "bfcp.hdr_r_bit": ("R", int),
    "bfcp.hdr_f_bit": ("F", int),
    "bfcp.primitive": ("Primitive", int),
    "bfcp.payload_length": ("Payload_Length", int),
    "bfcp.conference_id": ("Conference_ID", int),
    "bfcp.transaction_id": ("Transaction_ID", int),
    "bfcp.user_id": ("User_ID", int),
    "bfcp.attribute_type": ("Type", int),
    "bfcp.attribute_types_m_bit": ("M", int),
    "bfcp.attribute_length": ("Length", int),
    "bfcp.padding": ("Padding", str),
    "bfcp.floor_id": ("Floor_ID", int),
    "bfcp.supp_attr": ("Supported_Attributes", lambda octet: octet >> 1),  # its last bit is reserved
    "bfcp.supp_primitive": ("Supported_Primitives", int),
}
"""tshark's field: the layers' field, and how its value becomes that of tshark."""


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
    options = [word for field in HEADER for word in ("-e", field)]
    command = [peer("tshark"), "-r", str(path), "-d", f"tcp.port=={PORT},bfcp", "-Y", "bfcp", "-T", "fields", *options]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    layers = [BFCP(found.octets) for found in found_messages([scan(str(path), 0)]) if found.kind == KIND]
    ours = [
        f"{each.Primitive}\t{each.Conference_ID}\t{each.Transaction_ID}\t{each.User_ID}\t{each.Payload_Length}"
        for each in layers
    ]
    assert len(ours) == len(messages) == 17
    assert [line.split("\t") for line in theirs] == [line.split("\t") for line in ours]


@pytest.mark.skipif(not CAPTURES.exists(), reason="shared/captures is not here: no real BFCP to compare")
def test_every_field_that_tshark_reads_in_any_capture_is_read_here(peer: Callable[[str], str]) -> None:
    """Message by message and in order; tshark looks for BFCP by content, too."""
    program, where = peer("tshark"), []
    for path in FILES:
        for row in readings(program)[path].result():
            theirs = {field: texts for field, texts in row.items() if field.startswith("bfcp.")}
            if not theirs:
                continue
            where.append(name(path))
            found = [
                (what.rpartition(".")[2], value) for what, value in walk(BFCP(bytes.fromhex(row["udp.payload"][-1])))
            ]
            for field, (ours, form) in FIELDS.items():
                texts = [text for text in theirs.pop(field, ()) if text != EMPTY]
                values = [form(value) for what, value in found if what == ours]
                assert [shown_value(kinds(program)[field], text) for text in texts] == values, (
                    row["frame.number"],
                    field,
                )
            assert theirs == {}, "fields of tshark that are in no table"
    assert where == ["bfcp/udp-hello-floorquery.pcapng"] * 9

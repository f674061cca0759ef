"""H.248 messages of a real capture keep every octet and have no notes; random octets behind SCTP do no harm."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from dissectors.binary import notes
from dissectors.h248.facts import facts
from dissectors.h248.framing import is_message
from dissectors.h248.layers import H248
from dissectors.sctp import data_chunks
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GATEWAY = CAPTURES / "h248" / "megaco-t38-fax-gateway.pcap"
RANDOM = CAPTURES / "malformed" / "randpkt-megaco.pcap"


def packets(path: Path) -> Iterator[tuple[int, bytes]]:
    """IP protocol and payload of the IPv4 packets of a little-endian pcap of Ethernet frames."""
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16 : at + 16 + size]
        at += 16 + size
        if frame[12:14] == b"\x08\x00" and len(frame) > 34:
            yield frame[23], frame[14 + 4 * (frame[14] & 15) :]


@pytest.mark.skipif(not GATEWAY.exists(), reason="shared/captures is not here")
def test_every_message_of_a_real_gateway_is_read_whole() -> None:
    messages = [data[8 : int.from_bytes(data[4:6], "big")] for protocol, data in packets(GATEWAY) if protocol == 17]
    messages = [octets for octets in messages if is_message(octets)]
    assert len(messages) == 130
    with_media = 0
    for octets in messages:
        packet = H248(octets)
        assert bytes(packet) == octets
        assert notes(packet) == []
        message = facts(octets)
        assert message is not None
        assert all(one.command and one.transaction_id for one in message.commands)
        with_media += any(stream.local or stream.remote for one in message.commands for stream in one.streams)
    assert with_media == 14


@pytest.mark.skipif(not RANDOM.exists(), reason="shared/captures is not here")
def test_random_octets_are_kept() -> None:
    seen = 0
    for protocol, data in packets(RANDOM):
        for octets in [data[12:], *(chunk.data for chunk in data_chunks(data))] if protocol == 132 else []:
            if octets:
                seen += 1
                packet = H248(octets)
                assert bytes(packet) == octets
                assert all(isinstance(text, str) for text in notes(packet))
    assert seen >= 900

"""PDUs exported by another tool (link type WIRESHARK_UPPER_PDU): tags, then the PDU of the protocol that they name."""

from __future__ import annotations

import struct

from imsinspect.capture.decode import UDP
from imsinspect.capture.odd import plain_packet

END, DISSECTOR, TABLE, IPV4_SOURCE, IPV4_DESTINATION, IPV6_SOURCE, IPV6_DESTINATION = 0, 12, 14, 20, 21, 22, 23
PORT_TYPE, SOURCE_PORT, DESTINATION_PORT = 24, 25, 26
MAX_TAGS = 64
TABLES = frozenset((b"udp.port", b"tcp.port", b"sctp.port"))  # PDUs named by where they were found, not by protocol
READ = frozenset((b"sip", b"rtp", b"srtp", b"rtcp", b"srtcp", b"dtls", b"stun", b"bfcp", b"megaco", b"mikey"))


def packet_of(data: bytes) -> bytes | None:
    """The PDU as a UDP datagram between the addresses of its tags; None where it is none that datagrams carry."""
    tags: dict[int, bytes] = {}
    at = 0
    for _ in range(MAX_TAGS):
        if at + 4 > len(data):
            return None
        tag, length = struct.unpack_from("!HH", data, at)
        at += 4
        if tag == END:
            break
        tags[tag] = data[at : at + length]
        at += length
        if length % 4 and data[at : at + -length % 4] == bytes(-length % 4) and at % 4:
            at += -length % 4  # writers that give the true length of a padded string
    else:
        return None
    name = tags.get(DISSECTOR, b"").rstrip(b"\0")
    if name not in READ and tags.get(TABLE, b"").rstrip(b"\0") not in TABLES:
        return None
    six = IPV6_SOURCE in tags
    width = 16 if six else 4
    source = tags.get(IPV6_SOURCE if six else IPV4_SOURCE, b"")[:width].ljust(width, b"\0")
    destination = tags.get(IPV6_DESTINATION if six else IPV4_DESTINATION, b"")[:width].ljust(width, b"\0")
    ports = [int.from_bytes(tags.get(tag, b"")[:4], "big") & 0xFFFF for tag in (SOURCE_PORT, DESTINATION_PORT)]
    payload = data[at:]
    datagram = struct.pack("!HHHH", *ports, min(8 + len(payload), 0xFFFF), 0) + payload
    return plain_packet(six, source, destination, UDP, datagram)

"""What the TLS and DTLS layers read in the payloads of a capture, field by field.

Streams and fragmented messages are put together here, in the plainest way, so that nothing but layers is compared.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.binary import Layer
from dissectors.tls.layers import (
    DTLS,
    SSL2,
    TLS,
    Alert,
    DTLSHandshake,
    DTLSRecord,
    SSL2Record,
    TLSProtectedRecord,
    TLSRecord,
    handshake,
)
from dissectors.tls.parse import parse_client_hello
from dissectors.tls.records import (
    ALERT,
    APPLICATION_DATA,
    HANDSHAKE,
    dtls_offset,
    looks_like_hello,
    looks_like_sslv2,
    looks_like_tls,
    plain_handshake,
)
from dissectors.tls.suites import suite
from tests.interop.comparison import walk
from tests.interop.tshark import connections, protocols, readings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scapy.packet import Packet

    from dissectors.tls.suites import CipherSuite
    from tests.interop.tshark import Row

Counts = defaultdict[str, Counter[Any]]
SERVER_HELLO = 2


class Reading:
    """What the layers read, counted."""

    def __init__(self) -> None:
        self.counts: dict[str, Counts] = {"tls": defaultdict(Counter), "dtls": defaultdict(Counter)}

    def add(self, protocol: str, packet: Layer, *, only: tuple[str, ...] = ()) -> None:
        """Count a layer's fields, and those of the layers inside it; or some fields of it alone."""
        counts = self.counts[protocol]
        if only:
            for one in only:
                counts[f"{packet.name}.{one}"][packet.getfieldval(one)] += 1
            return
        for what, value in walk(packet):
            if what == "ClientHello.cipher_suites" and isinstance(value, str):  # an odd number of octets
                hello = parse_client_hello(bytes(getattr(packet, "body", packet)), dtls=protocol == "dtls")
                counts[what].update(hello.cipher_suites if hello is not None else ())
                continue
            timestamp = what.startswith(("SignedCertificate", "SerializedSCT"))
            (self.counts["tls"] if timestamp else counts)[what][value] += 1  # as tshark names them in DTLS, too

    def record(self, protocol: str, record: Any, content: list[Packet]) -> None:
        """Of a record, its header, the octets of application data, and the alerts in its content."""
        self.add(protocol, record, only=tuple(each.name for each in record.fields_desc if each.name != "content"))
        self.counts[protocol][f"record of type {record.type}"][...] += 1
        if record.type == APPLICATION_DATA:
            octets = b"".join(bytes(one) for one in record.content)
            self.counts[protocol]["application data"][octets.hex()] += 1
        for one in content:
            if isinstance(one, Alert):
                self.add(protocol, one)


def content_of(record: Any, selected: CipherSuite | None) -> list[Packet]:
    """What stands in a record. Under a cipher that encrypts nothing, what stands in front of the MAC, read anew."""
    protected = isinstance(record, TLSProtectedRecord) or getattr(record, "epoch", 0) > 0
    if not protected or selected is None or selected.encryption != "NULL" or record.type not in (ALERT, HANDSHAKE):
        return list(record.content)
    octets = b"".join(bytes(one) for one in record.content)
    layer = DTLSRecord if isinstance(record, DTLSRecord) else TLSRecord
    clear = layer(type=record.type, version=record.version, content=[Raw(octets[: -selected.mac_octets])])
    return list(layer(bytes(clear)).content)


# --- TLS ------------------------------------------------------------------------------------------


def ssl2(reading: Reading, record: Any) -> None:
    """Count what a record of SSL 2.0 says."""
    reading.counts["tls"]["SSL2Record.version"][0x0002] += 1  # tshark gives it to each record
    if not isinstance(record.data, Raw):
        reading.counts["tls"]["SSL2Record.length"][record.length & 0x7FFF] += 1
        reading.add("tls", record.data)


def records_of(stream: bytes) -> list[Any]:
    """The records of a stream; those of TLS behind what else may come first."""
    if looks_like_sslv2(stream) and b"\x00\x02" in (stream[3:5], stream[5:7]):
        return list(SSL2(stream).records)
    if not looks_like_tls(stream) and not looks_like_sslv2(stream):
        starts = (at for at in range(len(stream) - 10) if looks_like_hello(stream, at))
        stream = stream[next(starts, len(stream)) :]
    return list(TLS(stream).records) if stream else []


def messages(records: list[Any], selected: CipherSuite | None) -> Iterator[tuple[bytes, int]]:
    """The handshake messages in clear, with the version of the record that each ends in."""
    pending = b""
    for record in records:
        if not isinstance(record, TLSRecord | TLSProtectedRecord) or record.type != HANDSHAKE:
            continue
        octets = b"".join(bytes(one) for one in content_of(record, selected))
        if isinstance(record, TLSProtectedRecord) and not plain_handshake(octets):
            continue
        pending += octets
        while len(pending) >= 4 and len(pending) >= 4 + int.from_bytes(pending[1:4], "big"):
            end = 4 + int.from_bytes(pending[1:4], "big")
            yield pending[:end], record.version
            pending = pending[end:]


def read_connection(reading: Reading, directions: list[bytes]) -> None:
    """Count what a connection says; its ServerHello decides on the form of other messages."""
    found = [records_of(stream) for stream in directions]
    hellos = (
        handshake(octets).body
        for records in found
        for octets, _ in messages(records, None)
        if octets[0] == SERVER_HELLO
    )
    hello = next((one for one in hellos if one.name == "ServerHello"), None)
    selected = suite(hello.cipher_suite) if hello is not None else None
    for records in found:
        for record in records:
            if isinstance(record, SSL2Record):
                ssl2(reading, record)
            elif isinstance(record, TLSRecord | TLSProtectedRecord):
                reading.record("tls", record, content_of(record, selected))
        for octets, version in messages(records, selected):
            reading.add("tls", handshake(octets, selected, version if hello is None else hello.version))


# --- DTLS -----------------------------------------------------------------------------------------


HEADER = ("msg_type", "length", "message_seq", "fragment_offset", "fragment_length")


def read_datagrams(reading: Reading, rows: list[Row]) -> None:
    """Count what the records of datagrams say; messages in fragments once they are whole."""
    parts: dict[tuple[str, str, int, int], bytearray] = {}
    seen: dict[tuple[str, str, int, int], set[int]] = defaultdict(set)
    chosen: dict[str, tuple[CipherSuite, int]] = {}

    def whole_message(stream: str, octets: bytes, version: int) -> None:
        selected, version = chosen.get(stream, (None, version))
        packet = handshake(octets, selected, version, dtls=True)
        if isinstance(packet.body, Layer):
            reading.add("dtls", packet.body)
        if getattr(packet.body, "name", "") == "ServerHello":
            chosen[stream] = suite(packet.body.cipher_suite), packet.body.version

    for row in rows:
        if "dtls" not in protocols(row) or "udp.payload" not in row:
            continue
        payload = bytes.fromhex(row["udp.payload"][-1])
        flow = row["udp.stream"][-1], row["udp.srcport"][-1]
        for record in DTLS(payload[dtls_offset(payload) :]).records:
            if not isinstance(record, DTLSRecord):
                continue
            content = content_of(record, chosen.get(flow[0], (None, 0))[0])
            reading.record("dtls", record, content)
            for one in content:
                if not isinstance(one, DTLSHandshake):
                    continue
                reading.add("dtls", one, only=HEADER)
                if one.fragment_length == one.length:
                    whole_message(flow[0], bytes(one), record.version)
                    continue
                key = (*flow, one.message_seq, one.length)
                message = parts.setdefault(key, bytearray(one.length))
                message[one.fragment_offset : one.fragment_offset + one.fragment_length] = bytes(one.body)
                seen[key] |= set(range(one.fragment_offset, one.fragment_offset + one.fragment_length))
                if len(seen[key]) == one.length:
                    whole = DTLSHandshake(msg_type=one.msg_type, message_seq=one.message_seq, body=Raw(bytes(message)))
                    whole_message(flow[0], bytes(whole), record.version)
                    del parts[key], seen[key]


@functools.cache
def read(program: str, path: Path) -> Reading:
    """What the layers read in the frames of a file."""
    rows = readings(program)[path].result()
    reading = Reading()
    for directions in connections(rows, "tls"):
        read_connection(reading, directions)
    read_datagrams(reading, rows)
    return reading

"""Scapy layers of TLS, DTLS and SSL 2.0: what a person sees as nodes of a packet tree.

    TLS(stream_bytes)            records, with the handshake messages and alerts inside them
    DTLS(datagram)               the same for one datagram
    SSL2(stream_bytes)
    TLSHandshake(message)        one message; `handshake` reads those whose form depends on suite or version

Every octet is kept: `bytes(L(data)) == data` for any data but none at all. Vectors show their length fields, which are
computed when a layer is built with None in them. Where octets end early, fields hold b""; what a layer cannot explain
is a Raw layer; `notes` says what is wrong and where. A message of which a record holds only a part is shown as a
HandshakeFragment: putting parts together needs the records of a whole flow. Field names are those of the
specifications that each layer names.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import (
    ABSENT,
    MAX_ITEMS,
    Bits,
    Layer,
    Length,
    MessageLength,
    Number,
    Opaque,
    Packets,
    items,
)
from dissectors.tls.codes import (
    ALERT_DESCRIPTIONS,
    ALERT_LEVELS,
    CONTENT_TYPES,
    HANDSHAKE_TYPES,
    HEARTBEAT_MESSAGE_TYPES,
    code_names,
)
from dissectors.tls.extensions.layers import (
    ClientHelloExtension,
    Extension,
    HelloRetryRequestExtension,
    ServerHelloExtension,
    Typed,
)
from dissectors.tls.extensions.tls12.layers import UseSRTPData
from dissectors.tls.key_exchange.layers import (
    ClientKeyExchange,
    ServerKeyExchange,
    client_key_exchange,
    server_key_exchange,
)
from dissectors.tls.messages.layers import (
    BODIES,
    ASN1Cert,
    Certificate,
    Certificate13,
    CertificateRequest,
    CertificateRequest10,
    CertificateVerify,
    CertificateVerify10,
    ClientHello,
    DTLSClientHello,
    Finished,
    HelloRetryRequest,
    HelloVerifyRequest,
    ServerHello,
    by_content,
    by_version,
)
from dissectors.tls.records import (
    LEAST_PROTECTED,
    MAX_FRAGMENT,
    cid_octets,
    looks_like_sslv2,
    plain_handshake,
    plausible_handshake_start,
)
from dissectors.tls.ssl2.layers import SSL2, SSL2ClientHello, SSL2ClientMasterKey, SSL2Record, SSL2ServerHello
from dissectors.tls.versions import TLS_1_2, version_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.tls.suites import CipherSuite

__all__ = [
    "DTLS",
    "SSL2",
    "TLS",
    "ASN1Cert",
    "Alert",
    "Certificate",
    "Certificate13",
    "CertificateRequest",
    "CertificateRequest10",
    "CertificateVerify",
    "CertificateVerify10",
    "ChangeCipherSpec",
    "ClientHello",
    "ClientHelloExtension",
    "ClientKeyExchange",
    "DTLSAck",
    "DTLSCIDRecord",
    "DTLSClientHello",
    "DTLSHandshake",
    "DTLSRecord",
    "DTLSUnifiedRecord",
    "Extension",
    "Finished",
    "HandshakeFragment",
    "HandshakePart",
    "Heartbeat",
    "HelloRetryRequest",
    "HelloRetryRequestExtension",
    "HelloVerifyRequest",
    "SSL2ClientHello",
    "SSL2ClientMasterKey",
    "SSL2Record",
    "SSL2ServerHello",
    "ServerHello",
    "ServerHelloExtension",
    "ServerKeyExchange",
    "TLSHandshake",
    "TLSProtectedRecord",
    "TLSRecord",
    "UseSRTPData",
    "handshake",
]

_RAW: type[Packet] = Raw


# --- handshake messages ---------------------------------------------------------------------------

_UNDER_A_SUITE: dict[int, type[Packet]] = {12: ServerKeyExchange, 16: ClientKeyExchange}


def _body(pkt: Any, data: bytes) -> type[Packet]:
    found = by_content(pkt.msg_type, data) or BODIES.get(pkt.msg_type) or _UNDER_A_SUITE.get(pkt.msg_type)
    return found or _RAW


def _dtls_body(pkt: Any, data: bytes) -> type[Packet]:
    if pkt.fragment_offset or pkt.fragment_length != pkt.length:
        return HandshakePart if data else _RAW
    return DTLSClientHello if pkt.msg_type == 1 else _body(pkt, data)


class HandshakePart(Layer):
    """Octets of a message that other records hold the rest of (RFC 6347 §4.2.3, RFC 5246 §6.2.1)."""

    name = "HandshakeFragment"
    fields_desc = [Opaque("part", b"")]


class HandshakeFragment(Layer):
    """The beginning of a message that the following records go on with (RFC 5246 §6.2.1)."""

    name = "HandshakeFragment"
    fields_desc = [
        Number("msg_type", 1, 1, code_names(HANDSHAKE_TYPES)),
        MessageLength("length", "part", 3),
        Opaque("part", b""),
    ]


class TLSHandshake(Layer):
    """RFC 5246 §7.4, RFC 8446 §4."""

    name = "Handshake"
    fields_desc = [
        Number("msg_type", 1, 1, code_names(HANDSHAKE_TYPES)),
        Length("length", "body", 3),
        Typed("body", "length", _body),
    ]


class DTLSHandshake(Layer):
    """RFC 6347 §4.2.2: a whole message, or a fragment of one."""

    name = "Handshake"
    fields_desc = [
        Number("msg_type", 1, 1, code_names(HANDSHAKE_TYPES)),
        MessageLength("length", "body", 3),
        Number("message_seq", 0, 2),
        Number("fragment_offset", 0, 3),
        Length("fragment_length", "body", 3),
        Typed("body", "fragment_length", _dtls_body),
    ]

    def troubles(self) -> Iterator[str]:
        """A fragment must lie within its message."""
        length, start, octets = self.length, self.fragment_offset, self.fragment_length
        if all(isinstance(one, int) for one in (length, start, octets)) and start + octets > length:
            yield f"fragment from {start} to {start + octets} of a message of {length} octets"


def handshake(
    data: bytes, cipher_suite: CipherSuite | None = None, version: int = TLS_1_2, *, dtls: bool = False
) -> TLSHandshake | DTLSHandshake:
    """One handshake message with header, read as the suite and the version of its connection say.

    They decide on ServerKeyExchange, ClientKeyExchange, Certificate, CertificateRequest, CertificateVerify and
    NewSessionTicket.
    """
    packet = DTLSHandshake(data) if dtls else TLSHandshake(data)
    body = bytes(packet.body) if packet.body is not None else b""
    layer = _by_context(packet.msg_type, cipher_suite, version, body)
    if layer is not None and body and not isinstance(packet.body, Raw | HandshakePart):
        packet.body = layer(body)
    return packet


def _by_context(msg_type: int, cipher_suite: CipherSuite | None, version: int, body: bytes) -> type[Packet] | None:
    if cipher_suite is not None and msg_type == 12:
        return server_key_exchange(cipher_suite, version, body)
    if cipher_suite is not None and msg_type == 16:
        return client_key_exchange(cipher_suite, version)
    return by_version(msg_type, version)


# --- what else records hold -----------------------------------------------------------------------


class Alert(Layer):
    """RFC 5246 §7.2, RFC 8446 §6."""

    name = "Alert"
    fields_desc = [
        Number("level", 2, 1, code_names(ALERT_LEVELS)),
        Number("description", 0, 1, code_names(ALERT_DESCRIPTIONS)),
    ]


class ChangeCipherSpec(Layer):
    """RFC 5246 §7.1."""

    name = "ChangeCipherSpec"
    fields_desc = [Number("type", 1, 1)]


class OldChangeCipherSpec(Layer):
    """RFC 4347 §4.1, with the sequence number of a message that OpenSSL added to it under version 0x0100."""

    name = "ChangeCipherSpec"
    fields_desc = [Number("type", 1, 1), Number("message_seq", 0, 2)]


class Heartbeat(Layer):
    """RFC 6520 §4. A payload_length that says more than is there is what Heartbleed sent."""

    name = "HeartbeatMessage"
    fields_desc = [
        Number("type", 1, 1, code_names(HEARTBEAT_MESSAGE_TYPES)),
        Length("payload_length", "payload_data", 2),
        Opaque("payload_data", b"", "payload_length"),
        Opaque("padding", b""),
    ]

    def troubles(self) -> Iterator[str]:
        """Padding has 16 octets at least."""
        if isinstance(self.payload_length, int) and len(self.padding) < 16:
            yield f"padding has {len(self.padding)} octets, less than 16"


class RecordNumber(Layer):
    """RFC 9147 §4."""

    name = "RecordNumber"
    fields_desc = [Number("epoch", 0, 8), Number("sequence_number", 0, 8)]


class DTLSAck(Layer):
    """RFC 9147 §7."""

    name = "ACK"
    fields_desc = [
        Length("record_numbers_length", "record_numbers", 2),
        Packets("record_numbers", "record_numbers_length", items(RecordNumber, 16, 0, 0)),
    ]


CONTENTS: dict[int, object] = {
    20: (ChangeCipherSpec, OldChangeCipherSpec),
    21: Alert,
    22: (TLSHandshake, DTLSHandshake, HandshakeFragment),
    24: Heartbeat,
    26: DTLSAck,
}
"""What is decoded of a record's content while it is in clear, by content type (RFC 8446 §5.1)."""


def _messages(layer: type[Packet], data: bytes, header: int, at: int) -> Iterator[tuple[type[Packet], bytes]]:
    """The messages of a record; of TLS, the last one may go on in the next record."""
    for found, part in items(layer, header, at, 3)(None, data):
        if found is Raw and layer is TLSHandshake and len(part) >= 4 and plausible_handshake_start(part):
            yield HandshakeFragment, part
        else:
            yield found, part


def _handshake(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    if not plausible_handshake_start(data):
        yield Raw, data
    elif isinstance(pkt, DTLSRecord):
        yield from _messages(DTLSHandshake, data, 12, 9)
    else:
        yield from _messages(TLSHandshake, data, 4, 1)


def _is_heartbeat(data: bytes) -> bool:
    """Whether a heartbeat is in clear: with a payload and padding that fit, or shorter than any cipher makes it."""
    if data[0] not in HEARTBEAT_MESSAGE_TYPES:
        return False
    return len(data) < LEAST_PROTECTED or 3 + int.from_bytes(data[1:3], "big") + 16 <= len(data)


def _content(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """What stands in a record: messages where they can be read, else one Raw layer."""
    content_type = pkt.type if getattr(pkt, "epoch", 0) in (0, ABSENT) else -1
    if not data:
        return
    if content_type == 22:
        yield from _handshake(pkt, data)
    elif content_type == 21 and len(data) == 2:
        yield Alert, data
    elif content_type == 20 and len(data) == 1:
        yield ChangeCipherSpec, data
    elif content_type == 20 and len(data) == 3 and pkt.version == 0x0100:
        yield OldChangeCipherSpec, data
    elif content_type == 24 and _is_heartbeat(data):
        yield Heartbeat, data
    elif content_type == 26 and isinstance(pkt, DTLSRecord):
        yield DTLSAck, data
    else:
        yield Raw, data


def _protected_content(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """What stands in a record behind a ChangeCipherSpec: messages only where they are in clear all the same."""
    if pkt.type == 22 and plain_handshake(data):
        yield from _handshake(pkt, data)
    elif pkt.type == 20 and len(data) == 1:
        yield ChangeCipherSpec, data
    elif pkt.type == 21 and len(data) == 2:
        yield Alert, data
    elif data:
        yield Raw, data


# --- TLS records ----------------------------------------------------------------------------------


class _Record(Layer):
    """What records have in common (RFC 5246 §6.2)."""

    def troubles(self) -> Iterator[str]:
        """No fragment may be longer than 2^14 + 2048 octets."""
        length = getattr(self, "length", None)
        if isinstance(length, int) and length > MAX_FRAGMENT:
            yield f"length {length} is more than 2^14 + 2048"


class TLSRecord(_Record):
    """RFC 5246 §6.2.1, RFC 8446 §5.1. What they call the fragment is `content`: Scapy has a method of that name."""

    name = "TLSRecord"
    fields_desc = [
        Number("type", 22, 1, code_names(CONTENT_TYPES)),
        Number("version", TLS_1_2, 2, version_name),
        Length("length", "content", 2),
        Packets("content", "length", _content),
    ]


class TLSProtectedRecord(_Record):
    """RFC 5246 §6.2.3: a record behind a ChangeCipherSpec."""

    name = "TLSCiphertext"
    fields_desc = [*TLSRecord.fields_desc[:3], Packets("content", "length", _protected_content)]


def _tls_records(pkt: Any, data: bytes) -> Iterator[tuple[Any, bytes]]:
    """Records, each read as those before it say: behind a ChangeCipherSpec, or within a message that goes on."""
    if looks_like_sslv2(data):
        end = 2 + (int.from_bytes(data[:2], "big") & 0x7FFF)
        yield SSL2Record, data[:end]
        data = data[end:]
    protected = False
    missing = 0  # octets of a message that the next records go on with
    for found, part in items(TLSRecord, 5, 3, 2)(pkt, data):
        if found is Raw:
            yield found, part
            return
        protected = protected or part[0] == 20
        if protected:
            yield TLSProtectedRecord, part
        elif part[0] == 22:
            yield (partial(_continued, missing) if missing else TLSRecord), part
            missing = _missing(part[5:], missing)
        else:
            yield TLSRecord, part


def _continued(missing: int, octets: bytes) -> TLSRecord:
    """A record that begins with octets of a message from the record before it."""
    record = TLSRecord(octets)
    fragment = octets[5:]
    record.content = [HandshakePart(fragment[:missing])] if fragment else []
    if len(fragment) > missing:
        record.content += [layer(part) for layer, part in _handshake(record, fragment[missing:])]
    return record


def _missing(fragment: bytes, missing: int) -> int:
    """Octets of the last message that are still to come behind a record, of which some went on with an earlier one."""
    at = missing
    while len(fragment) - at >= 4 and plausible_handshake_start(fragment[at : at + 4]):
        at += 4 + int.from_bytes(fragment[at + 1 : at + 4], "big")
    return max(at - len(fragment), 0)


class TLS(Layer):
    """The records of a piece of a stream, from a record header on (RFC 5246 §6.2).

    A client that knows SSL 2.0 too may begin with the hello of that (RFC 5246 §E.2).
    """

    name = "TLS"
    fields_desc = [Packets("records", None, _tls_records)]


# --- DTLS records ---------------------------------------------------------------------------------

_DTLS_HEAD = [
    Number("type", 22, 1, code_names(CONTENT_TYPES)),
    Number("version", 0xFEFD, 2, version_name),
    Number("epoch", 0, 2),
    Number("sequence_number", 0, 6),
]


class DTLSRecord(_Record):
    """RFC 6347 §4.1."""

    name = "DTLSRecord"
    fields_desc = [*_DTLS_HEAD, Length("length", "content", 2), Packets("content", "length", _content)]


class _ConnectionId(Opaque):
    """A connection id whose length only the handshake says: what lets the record end where the datagram does."""

    __slots__: list[str] = []

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        octets = cid_octets(s)
        return s[:octets], s[octets:]


class DTLSCIDRecord(_Record):
    """RFC 9146 §4. It is taken to be the last record of its datagram, which tells the length of the connection id."""

    name = "DTLSCiphertext"
    fields_desc = [
        Number("type", 25, 1, code_names(CONTENT_TYPES)),
        *_DTLS_HEAD[1:],
        _ConnectionId("cid", b""),
        Length("length", "enc_content", 2),
        Opaque("enc_content", b"", "length"),
    ]


class DTLSUnifiedRecord(Layer):
    """RFC 9147 §4. A connection id, whose length only the handshake says, stays in what is encrypted."""

    name = "DTLSCiphertext"
    fields_desc = [
        Bits("fixed", 1, 3, begins=1),
        Bits("C", 0, 1),
        Bits("S", 1, 1),
        Bits("L", 1, 1),
        Bits("epoch", 3, 2),
        Number("sequence_number_16", 0, 2, condition=lambda pkt: pkt.C == 0 and pkt.S == 1),
        Number("sequence_number_8", 0, 1, condition=lambda pkt: pkt.C == 0 and pkt.S == 0),
        Length("length", "encrypted_record", 2, condition=lambda pkt: pkt.C == 0 and pkt.L == 1),
        Opaque("encrypted_record", b""),
    ]


def _datagram(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        if data[start] >> 5 == 0b001:
            end = _unified_end(data, start)
            layer: type[Packet] = DTLSUnifiedRecord
        else:
            if len(data) - start < 13:
                break
            end = start + 13 + int.from_bytes(data[start + 11 : start + 13], "big")
            layer = DTLSRecord
            if data[start] == 25:
                end, layer = len(data), DTLSCIDRecord
        if end > len(data):
            break
        yield layer, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


def _unified_end(data: bytes, start: int) -> int:
    first = data[start]
    if first & 0x14 != 0x04:
        return len(data)
    at = start + (3 if first & 0x08 else 2)
    if at + 2 > len(data):
        return len(data)
    return at + 2 + int.from_bytes(data[at : at + 2], "big")


class DTLS(Layer):
    """The records of one datagram (RFC 6347 §4.1.1)."""

    name = "DTLS"
    fields_desc = [Packets("records", None, _datagram)]

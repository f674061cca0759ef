"""Records of TLS, DTLS and SSL 2.0, cut from bytes; and tests whether bytes are such records at all.

Lean: nothing is copied but the fragments, and no message inside them is read (`dissectors.tls.parse` does that).
Sources: RFC 5246 §6.2.1, RFC 8446 §5.1, RFC 6347 §4.1, RFC 9147 §4, SSL 2.0 protocol C.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.tls.codes import ALERT_DESCRIPTIONS, HANDSHAKE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23
HEARTBEAT = 24
TLS12_CID = 25
ACK = 26

MAX_FRAGMENT = 2**14 + 2048
"""Longest protected fragment of any version (RFC 5246 §6.2.3)."""

TLS_HEADER = 5
DTLS_HEADER = 13
LEAST_PROTECTED = 16  # no MAC or tag that is negotiated with a cipher is shorter than with NULL and MD5
_MAX_HANDSHAKE = 1 << 18
_CAPWAP_DTLS_PREAMBLE = b"\x01\x00\x00\x00"


@dataclass(slots=True, frozen=True)
class TlsRecord:
    """One TLS record (RFC 5246 §6.2.1)."""

    offset: int  # of its header in the bytes given
    type: int
    version: int
    length: int
    fragment: bytes  # shorter than length when the bytes end before it

    @property
    def complete(self) -> bool:
        """All its bytes are there."""
        return len(self.fragment) == self.length


@dataclass(slots=True, frozen=True)
class DtlsRecord:
    """One DTLS record: RFC 6347 §4.1, with connection id RFC 9146 §4, or under the unified header RFC 9147 §4."""

    offset: int
    type: int  # -1 under the unified header, which hides it
    version: int  # 0 under the unified header, which has none
    epoch: int  # only its low two bits under the unified header
    sequence_number: int  # encrypted under the unified header
    connection_id: bytes
    length: int
    fragment: bytes
    unified: bool = False

    @property
    def complete(self) -> bool:
        """All its bytes are there."""
        return len(self.fragment) == self.length


@dataclass(slots=True, frozen=True)
class Ssl2Record:
    """One SSL 2.0 record; in clear its data begins with a message type (SSL 2.0 protocol C.1)."""

    offset: int
    header: int  # octets of the header, 2 or 3
    padding: int
    length: int  # of the data, padding included
    data: bytes

    @property
    def complete(self) -> bool:
        """All its bytes are there."""
        return len(self.data) == self.length


# --- TLS ------------------------------------------------------------------------------------------


def tls_header(data: bytes | bytearray, offset: int = 0) -> tuple[int, int, int] | None:
    """Content type, version and length of the record header at an offset; None when it cannot be one.

    Five octets must be there. Types 20 to 24, versions 0x0300 to 0x0304, lengths up to 2^14 + 2048.
    """
    if len(data) - offset < TLS_HEADER or not 20 <= data[offset] <= 24 or data[offset + 1] != 3 or data[offset + 2] > 4:
        return None
    length = data[offset + 3] << 8 | data[offset + 4]
    if length > MAX_FRAGMENT:
        return None
    return data[offset], 0x0300 | data[offset + 2], length


def tls_records(data: bytes, offset: int = 0) -> Iterator[TlsRecord]:
    """The TLS records that stand back to back from an offset on; ends at the first octets that cannot be a header.

    The last record may be incomplete.
    """
    while header := tls_header(data, offset):
        content_type, version, length = header
        start = offset + TLS_HEADER
        yield TlsRecord(offset, content_type, version, length, data[start : start + length])
        offset = start + length


def plain_handshake(fragment: bytes | bytearray) -> bool:
    """Whether a fragment is exactly one or more handshake messages in clear (HelloRequest left out), and hardly more.

    For records behind a ChangeCipherSpec, where an encrypted message is the rule and a clear one the exception.
    """
    offset = 0
    while len(fragment) - offset >= 4:
        if fragment[offset] not in HANDSHAKE_TYPES or fragment[offset] == 0:
            return False
        offset += 4 + int.from_bytes(fragment[offset + 1 : offset + 4], "big")
    return offset == len(fragment) > 0


def plausible_handshake_start(fragment: bytes | bytearray) -> bool:
    """Whether a fragment could begin with a handshake message in clear (known type, length within bounds)."""
    if len(fragment) < 4:
        return len(fragment) > 0 and fragment[0] in HANDSHAKE_TYPES
    return fragment[0] in HANDSHAKE_TYPES and int.from_bytes(fragment[1:4], "big") <= _MAX_HANDSHAKE


def looks_like_hello(data: bytes | bytearray, offset: int = 0) -> bool | None:
    """Whether a record with a ClientHello or ServerHello begins at an offset; None while too few octets are there."""
    if data[offset] != HANDSHAKE:
        return False
    if len(data) - offset < TLS_HEADER + 6:
        octets = bytes(data[offset : offset + 3])
        return (
            None
            if octets == b"\x16\x03\x00"[: len(octets)] or (octets[:2] == b"\x16\x03" and octets[2] <= 4)
            else False
        )
    header = tls_header(data, offset)
    if header is None or header[2] < 6:
        return False
    return (
        data[offset + 5] in (1, 2)
        and 38 <= int.from_bytes(data[offset + 6 : offset + 9], "big") <= _MAX_HANDSHAKE
        and data[offset + 9] == 3
        and data[offset + 10] <= 4
    )


def _plausible_tls(data: bytes, offset: int, content_type: int, length: int) -> bool:
    """Whether what the record holds fits its type, as far as it is there."""
    start = offset + TLS_HEADER
    fragment = data[start : start + min(length, 64)]
    if content_type == CHANGE_CIPHER_SPEC:
        return length == 1 and fragment in (b"\x01", b"")
    if content_type == ALERT:
        if length != 2:
            return 2 + 8 <= length <= 512
        return len(fragment) < 2 or (fragment[0] in (1, 2) and fragment[1] in ALERT_DESCRIPTIONS)
    if content_type == HANDSHAKE:
        if length < 4:
            return False
        return len(fragment) == 0 or plausible_handshake_start(fragment) or length >= 2 * LEAST_PROTECTED
    if content_type == HEARTBEAT:
        return length >= 3 + LEAST_PROTECTED
    return length >= LEAST_PROTECTED


def looks_like_tls(data: bytes) -> bool:
    """Whether bytes of one direction of a stream begin with TLS records, in any state of the connection.

    Every record header that falls within the bytes (four at most) must be one, and hold what its type may hold.
    Fewer than five octets are never enough.
    """
    offset = 0
    for _ in range(4):
        header = tls_header(data, offset)
        if header is None or not _plausible_tls(data, offset, header[0], header[2]):
            return False
        offset += TLS_HEADER + header[2]
        if offset + TLS_HEADER > len(data):
            break
    return True


def server_hello_suite(data: bytes) -> int | None:
    """The cipher suite that the first octets of a server's TLS stream select; None unless a whole ServerHello is there.

    A HelloRetryRequest counts: the ServerHello behind it must select the same suite (RFC 8446 §4.1.4).
    """
    message = bytearray()
    for record in tls_records(data[:_MAX_HANDSHAKE]):
        if record.type == ALERT and not message:
            continue  # a warning may come first
        if record.type != HANDSHAKE:
            return None
        message += record.fragment
        if len(message) >= 4:
            length = int.from_bytes(message[1:4], "big")
            if message[0] == 0 and length == 0:
                del message[:4]  # HelloRequest
                continue
            if message[0] != 2 or not 38 <= length <= 1 << 16:
                return None
            if len(message) >= 4 + length:
                suite_at = 4 + 35 + message[4 + 34]
                return message[suite_at] << 8 | message[suite_at + 1] if suite_at + 2 <= 4 + length else None
    return None


# --- SSL 2.0 --------------------------------------------------------------------------------------


def ssl2_records(data: bytes, offset: int = 0) -> Iterator[Ssl2Record]:
    """The SSL 2.0 records that stand back to back from an offset on; the last may be incomplete."""
    while len(data) - offset >= 3:
        if data[offset] & 0x80:
            header, padding, length = 2, 0, (data[offset] & 0x7F) << 8 | data[offset + 1]
        else:
            header, padding, length = 3, data[offset + 2], (data[offset] & 0x3F) << 8 | data[offset + 1]
        if length == 0 or padding >= length:
            return
        start = offset + header
        yield Ssl2Record(offset, header, padding, length, data[start : start + length])
        offset = start + length


def looks_like_sslv2(data: bytes) -> bool:
    """Whether bytes begin with an SSL 2.0 CLIENT-HELLO or SERVER-HELLO whose lengths add up.

    A CLIENT-HELLO may name a later version: the hello that early TLS clients sent (RFC 5246 E.2).
    """
    if len(data) < 11 or not data[0] & 0x80:
        return False
    length = (data[0] & 0x7F) << 8 | data[1]
    if data[2] == 1:
        version = data[3] << 8 | data[4]
        specs, session, challenge = (data[at] << 8 | data[at + 1] for at in (5, 7, 9))
        return (
            (version == 0x0002 or 0x0300 <= version <= 0x0304)
            and specs > 0
            and specs % 3 == 0
            and session <= 32
            and 16 <= challenge <= 32
            and length == 9 + specs + session + challenge
        )
    if data[2] == 4 and len(data) >= 13:
        certificate, specs, connection = (data[at] << 8 | data[at + 1] for at in (7, 9, 11))
        return (
            data[3] <= 1
            and data[4] <= 3
            and data[5:7] == b"\x00\x02"
            and specs % 3 == 0
            and connection <= 32
            and length == 11 + certificate + specs + connection
        )
    return False


# --- DTLS -----------------------------------------------------------------------------------------


def dtls_offset(data: bytes) -> int:
    """Where DTLS begins in a datagram: 4 behind the preamble of CAPWAP (RFC 5415 §4.2), else 0."""
    return 4 if data[:4] == _CAPWAP_DTLS_PREAMBLE and len(data) > 4 and 20 <= data[4] <= 63 else 0


def _dtls_version(data: bytes, offset: int) -> int:
    """The version at a record header's second octet, 0 if it is none of DTLS."""
    version = data[offset + 1] << 8 | data[offset + 2]
    return version if version in (0xFEFF, 0xFEFD, 0x0100) else 0


def dtls_records(data: bytes, offset: int = 0, connection_id_octets: int | None = None) -> Iterator[DtlsRecord]:
    """The DTLS records of one datagram from an offset on; ends at octets that cannot be a header.

    The octets of a connection id are known from the handshake alone (RFC 9146 §3); when they are not given, a record
    with such an id is taken to reach to the datagram's end. The last record may be incomplete.
    """
    while offset < len(data):
        first = data[offset]
        if first >> 5 == 0b001:
            record = _unified(data, offset, connection_id_octets)
        elif 20 <= first <= ACK and len(data) - offset >= DTLS_HEADER and _dtls_version(data, offset):
            record = _classic(data, offset, connection_id_octets)
        else:
            return
        if record is None:
            return
        yield record
        header = record.offset
        offset = header + _octets_of(data, record)


def _octets_of(data: bytes, record: DtlsRecord) -> int:
    if not record.unified:
        return DTLS_HEADER + len(record.connection_id) + record.length
    first = data[record.offset]
    return 1 + len(record.connection_id) + (2 if first & 8 else 1) + (2 if first & 4 else 0) + record.length


def _classic(data: bytes, offset: int, connection_id_octets: int | None) -> DtlsRecord | None:
    octets = 0
    if data[offset] == TLS12_CID:
        octets = cid_octets(data[offset + 11 :]) if connection_id_octets is None else connection_id_octets
    at = offset + 11 + octets
    if at + 2 > len(data):
        return None
    length = data[at] << 8 | data[at + 1]
    if length > MAX_FRAGMENT:
        return None
    return DtlsRecord(
        offset=offset,
        type=data[offset],
        version=_dtls_version(data, offset),
        epoch=data[offset + 3] << 8 | data[offset + 4],
        sequence_number=int.from_bytes(data[offset + 5 : offset + 11], "big"),
        connection_id=data[offset + 11 : at],
        length=length,
        fragment=data[at + 2 : at + 2 + length],
    )


def cid_octets(data: bytes) -> int:
    """The octets of a connection id with which a record ends where its datagram does (RFC 9146 §4); 0 if none does.

    Given what follows the sequence number. The handshake alone says how long the id is.
    """
    for octets in range(min(len(data) - 1, 256)):
        if data[octets] << 8 | data[octets + 1] == len(data) - octets - 2:
            return octets
    return 0


def _unified(data: bytes, offset: int, connection_id_octets: int | None) -> DtlsRecord | None:
    first = data[offset]
    at = offset + 1
    connection_id = b""
    if first & 0x10:
        connection_id = data[at : at + (connection_id_octets or 0)]
        at += len(connection_id)
    octets = 2 if first & 0x08 else 1
    sequence_number = int.from_bytes(data[at : at + octets], "big")
    at += octets
    if first & 0x04:
        if at + 2 > len(data):
            return None
        length = data[at] << 8 | data[at + 1]
        at += 2
    else:
        length = len(data) - at
    if not LEAST_PROTECTED <= length <= MAX_FRAGMENT:
        return None  # RFC 9147 §4.2.3: protected records have at least 16 octets
    return DtlsRecord(
        offset, -1, 0, first & 3, sequence_number, connection_id, length, data[at : at + length], unified=True
    )


def looks_like_dtls(data: bytes) -> bool:
    """Whether a datagram is DTLS: records of DTLS 1.0 or 1.2 form from its first octet to its last.

    A datagram that begins with the unified header of DTLS 1.3 cannot be told from noise and is not recognised alone;
    its flow is, by the hellos. A capture may have cut the last record, if that holds a handshake message that fits.
    """
    offset = start = dtls_offset(data)
    while offset < len(data):
        first = data[offset]
        if first >> 5 == 0b001 and offset > start:
            return True  # a datagram with a clear ServerHello may go on so
        if not 20 <= first <= ACK or len(data) - offset < DTLS_HEADER or not _dtls_version(data, offset):
            return False
        record = _classic(data, offset, None)
        if record is None or not _plausible_dtls(record):
            return False
        offset += DTLS_HEADER + len(record.connection_id) + record.length
    return len(data) > start


def _plausible_dtls(record: DtlsRecord) -> bool:
    if record.epoch == 0 and record.type == HANDSHAKE:
        fragment = record.fragment
        if len(fragment) < 12 or fragment[0] not in HANDSHAKE_TYPES:
            return False
        length, start, octets = (int.from_bytes(fragment[at : at + 3], "big") for at in (1, 6, 9))
        return start + octets <= length and 12 + octets <= record.length
    if not record.complete or record.length == 0:
        return False
    if record.epoch == 0:
        if record.type == CHANGE_CIPHER_SPEC:
            return record.length in (1, 3)  # 3: OpenSSL before 0.9.8f
        if record.type == ALERT:
            return record.length in (2, 7) and record.fragment[0] in (1, 2) and record.fragment[1] in ALERT_DESCRIPTIONS
        return record.type == ACK
    if record.type == TLS12_CID:
        return record.length >= 9
    return record.length >= LEAST_PROTECTED if record.type != CHANGE_CIPHER_SPEC else True

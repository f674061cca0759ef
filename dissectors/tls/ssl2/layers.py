"""Scapy layers of SSL 2.0, which no RFC defines and RFC 6176 §3 forbids; its hello lived on (RFC 5246 §E.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import MAX_ITEMS, Layer, Length, Number, Numbers, One, Opaque, Packets
from dissectors.tls.codes import SSL2_CERTIFICATE_TYPES, SSL2_ERRORS, SSL2_MESSAGE_TYPES, code_names
from dissectors.tls.messages.layers import suite_name
from dissectors.tls.suite_names import SSL2_CIPHER_SPECS
from dissectors.tls.versions import VERSION_NAMES, version_name
from dissectors.x509.digests.layers import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator


def _type(code: int) -> Number:
    return Number("msg_type", code, 1, code_names(SSL2_MESSAGE_TYPES))


class SSL2Error(Layer):
    """SSL 2.0 protocol C.9; forbidden by RFC 6176 §3."""

    name = "ERROR"
    fields_desc = [_type(0), Number("error_code", 1, 2, code_names(SSL2_ERRORS))]


class SSL2ClientHello(Layer):
    """SSL 2.0 protocol C.5; early TLS clients sent it too (RFC 5246 §E.2)."""

    name = "CLIENT-HELLO"
    fields_desc = [
        _type(1),
        Number("version", 0x0002, 2, version_name),
        Length("cipher_specs_length", "cipher_specs", 2),
        Length("session_id_length", "session_id", 2),
        Length("challenge_length", "challenge", 2),
        Numbers("cipher_specs", "cipher_specs_length", 3, suite_name),
        Opaque("session_id", b"", "session_id_length"),
        Opaque("challenge", b"", "challenge_length"),
    ]


class SSL2ServerHello(Layer):
    """SSL 2.0 protocol C.6; forbidden by RFC 6176 §3."""

    name = "SERVER-HELLO"
    fields_desc = [
        _type(4),
        Number("session_id_hit", 0, 1),
        Number("certificate_type", 1, 1, code_names(SSL2_CERTIFICATE_TYPES)),
        Number("version", 0x0002, 2, version_name),
        Length("certificate_length", "certificate", 2),
        Length("cipher_specs_length", "cipher_specs", 2),
        Length("connection_id_length", "connection_id", 2),
        Opaque("certificate", b"", "certificate_length"),
        Digest("fingerprint_sha1", "sha-1", "certificate"),
        Digest("fingerprint_sha256", "sha-256", "certificate"),
        Numbers("cipher_specs", "cipher_specs_length", 3, suite_name),
        Opaque("connection_id", b"", "connection_id_length"),
    ]


class SSL2ClientMasterKey(Layer):
    """SSL 2.0 protocol C.7; forbidden by RFC 6176 §3."""

    name = "CLIENT-MASTER-KEY"
    fields_desc = [
        _type(2),
        Number("cipher_kind", 0x010080, 3, suite_name),
        Length("clear_key_length", "clear_key_data", 2),
        Length("encrypted_key_length", "encrypted_key_data", 2),
        Length("key_arg_length", "key_arg_data", 2),
        Opaque("clear_key_data", b"", "clear_key_length"),
        Opaque("encrypted_key_data", b"", "encrypted_key_length"),
        Opaque("key_arg_data", b"", "key_arg_length"),
    ]


SSL2_MESSAGES: dict[int, type[Packet]] = {
    0: SSL2Error,
    1: SSL2ClientHello,
    2: SSL2ClientMasterKey,
    4: SSL2ServerHello,
}
"""Layers of the messages that are sent in clear, by type; the others are always encrypted (SSL 2.0 protocol C.2)."""


def _message(pkt: Any, data: bytes) -> type[Packet]:
    """The layer of a message in clear. What is encrypted begins with a MAC, and hardly ever looks like one."""
    clear = {
        0: len(data) == 3,
        1: int.from_bytes(data[1:3], "big") in VERSION_NAMES,
        2: int.from_bytes(data[1:4], "big") in SSL2_CIPHER_SPECS,
        4: int.from_bytes(data[3:5], "big") in VERSION_NAMES,
    }
    raw: type[Packet] = Raw
    return SSL2_MESSAGES[data[0]] if clear.get(data[0]) else raw


def _has_padding(pkt: Any) -> bool:
    length = pkt.getfieldval("length")
    return isinstance(length, int) and not length & 0x8000


class SSL2Record(Layer):
    """SSL 2.0 protocol C.1, forbidden by RFC 6176 §3. The first bit of the length says that there is no padding."""

    name = "SSL2Record"
    fields_desc = [
        Length("length", "data", 2, flag=0x8000),
        Number("padding", 0, 1, condition=_has_padding),
        One("data", None, _message),
    ]


def _records(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    start = 0
    for _ in range(MAX_ITEMS):
        if start == len(data):
            return
        if len(data) - start < 3:
            break
        long = data[start] & 0x80
        length = (data[start] & (0x7F if long else 0x3F)) << 8 | data[start + 1]
        end = start + (2 if long else 3) + length
        if end > len(data) or length == 0:
            break
        yield SSL2Record, data[start:end]
        start = end
    if start < len(data):
        yield Raw, data[start:]


class SSL2(Layer):
    """The records of a piece of a stream of SSL 2.0, forbidden by RFC 6176 §3."""

    name = "SSL2"
    fields_desc = [Packets("records", None, _records)]

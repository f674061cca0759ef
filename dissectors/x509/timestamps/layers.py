"""Scapy layers of signed certificate timestamps, which certificates and an extension of TLS carry (RFC 6962 §3.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import Layer, Length, Number, One, Opaque, Packets, items, named
from dissectors.tls.codes import SIGNATURE_SCHEMES, code_names

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS: dict[int, str] = {0: "v1"}
"""Versions of a timestamp (RFC 6962 §3.2)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int) -> str:
    """When a timestamp was made (RFC 6962 §3.2); beyond the year 9999 the number alone."""
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(sep=" ", timespec="milliseconds")
    except OverflowError:
        return str(milliseconds)


class SignedCertificateTimestamp(Layer):
    """RFC 6962 §3.2: a log's promise to publish a certificate."""

    name = "SignedCertificateTimestamp"
    fields_desc = [
        Number("sct_version", 0, 1, named(VERSIONS)),
        Opaque("id", bytes(32), fixed=32),
        Number("timestamp", 0, 8, moment),
        Length("extensions_length", "extensions", 2),
        Opaque("extensions", b"", "extensions_length"),
        Number("algorithm", 0x0403, 2, code_names(SIGNATURE_SCHEMES)),
        Length("signature_length", "signature", 2),
        Opaque("signature", b"", "signature_length"),
    ]

    def troubles(self) -> Iterator[str]:
        """The id of a log has 32 octets."""
        if len(self.id) < 32:
            yield f"id has {len(self.id)} octets, not 32"


def _timestamp(pkt: Any, data: bytes) -> type[Packet]:
    """A timestamp of a version that is known; others stay octets."""
    raw: type[Packet] = Raw
    return SignedCertificateTimestamp if data[0] in VERSIONS else raw


class SerializedSCT(Layer):
    """RFC 6962 §3.3."""

    name = "SerializedSCT"
    fields_desc = [Length("sct_length", "sct", 2), One("sct", "sct_length", _timestamp)]


class SignedCertificateTimestampList(Layer):
    """RFC 6962 §3.3."""

    name = "SignedCertificateTimestampList"
    fields_desc = [
        Length("sct_list_length", "sct_list", 2),
        Packets("sct_list", "sct_list_length", items(SerializedSCT, 2, 0, 2)),
    ]

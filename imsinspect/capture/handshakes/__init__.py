"""Putting together what a TLS or DTLS connection carries: handshake messages over records and fragments, alerts, data.

Readers are fed with the pieces of one flow in order and yield events. They hold a bounded part of each direction: an
incomplete record, an incomplete handshake message, and for DTLS the messages that a retransmission may repeat. What a
NULL cipher leaves readable is opened here, and what secrets open (RFC 5246 §6.2, RFC 8446 §5.2), since later messages
of a handshake under it count like clear ones.
"""

from imsinspect.capture.handshakes.dtls_reader import DtlsReader
from imsinspect.capture.handshakes.events import (
    MAX_MESSAGE,
    MAX_TROUBLES,
    AlertSeen,
    ApplicationData,
    ChangeCipherSpec,
    Event,
    Handshake,
    Keyed,
    ProtectedRecord,
    Trouble,
)
from imsinspect.capture.handshakes.tls_reader import TlsReader

__all__ = [
    "MAX_MESSAGE",
    "MAX_TROUBLES",
    "AlertSeen",
    "ApplicationData",
    "ChangeCipherSpec",
    "DtlsReader",
    "Event",
    "Handshake",
    "Keyed",
    "ProtectedRecord",
    "TlsReader",
    "Trouble",
]

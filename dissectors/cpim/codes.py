"""Names that CPIM messages carry (RFC 3862 §4, RFC 5438)."""

from __future__ import annotations

IMDN_NAMESPACE = b"urn:ietf:params:imdn"
"""Namespace of the headers for disposition notifications (RFC 5438 §6)."""

HEADER_NAMES: dict[bytes, str] = {
    b"From": "sender",
    b"To": "recipient",
    b"cc": "recipient of a copy",
    b"DateTime": "when the message was sent",
    b"Subject": "what the message is about",
    b"NS": "namespace of header names",
    b"Require": "headers that must be understood",
}
"""Headers of a CPIM message (RFC 3862 §4); names are case-sensitive."""

IMDN_HEADER_NAMES: dict[bytes, str] = {
    b"Message-ID": "identifies the message for notifications",
    b"Disposition-Notification": "notifications that are asked for",
    b"Original-To": "recipient before a change on the way",
    b"IMDN-Record-Route": "element that notifications shall come through",
    b"IMDN-Route": "element that a notification goes through",
}
"""Headers in the namespace of disposition notifications (RFC 5438 §6)."""

DISPOSITION_NOTIFICATIONS: dict[bytes, str] = {
    b"positive-delivery": "the message was delivered",
    b"negative-delivery": "the message could not be delivered",
    b"processing": "an element on the way processed the message",
    b"display": "the message was shown to the recipient",
}
"""What a sender may ask to be told of (RFC 5438 §6)."""

"""AES-GCM applied twice: end to end, and again for each hop (RFC 8723)."""

from __future__ import annotations

from typing import NamedTuple

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from imsinspect.crypto.srtp_packets import FIXED_HEADER, header_octets
from imsinspect.crypto.srtp_parameters import AEAD_TAG

_PT_PRESENT = 0x02
_SEQ_PRESENT = 0x01
_MARKER_PRESENT = 0x04
_MARKER = 0x08
"""Bits of the Original Header Block's last octet (RFC 8723 §4)."""

NO_CHANGES = b"\0"
"""The Original Header Block of a packet whose header is the sender's."""


class _Original(NamedTuple):
    header: bytes  # as the inner layer authenticates it
    block: int  # octets of the Original Header Block


class DoubleKeys:
    """The two halves of a master key: `inner` end to end, `outer` for the hop (RFC 8723 §3).

    On the wire a packet is that of `outer`, so its tag, ROC and MKI are judged by these keys alone, and SRTCP has no
    other (RFC 8723 §6).
    """

    __slots__ = ("inner", "outer")

    def __init__(self, master_key: bytes, master_salt: bytes, mki_octets: int = 0) -> None:
        key, salt = len(master_key) // 2, len(master_salt) // 2
        inner = SrtpParameters("AES-GCM", key, salt, AEAD_TAG, AEAD_TAG)
        outer = SrtpParameters("AES-GCM", key, salt, AEAD_TAG, AEAD_TAG, mki_octets)
        self.inner = SrtpKeys(inner, master_key[:key], master_salt[:salt])
        self.outer = SrtpKeys(outer, master_key[key:], master_salt[salt:])

    def open_srtp(self, packet: bytes, roc: int, inner_roc: int | None = None) -> bytes | None:
        """The RTP packet that the sender protected, without header extension (RFC 8723 §5.3).

        None if either layer does not verify. Where a hop renumbers packets, the sender's ROC may be another.
        """
        opened = self.outer.open_srtp(packet, roc)
        original = None if opened is None else _original(opened)
        if opened is None or original is None:
            return None
        payload = opened[header_octets(opened) : len(opened) - original.block]
        return self.inner.open_srtp(original.header + payload, roc if inner_roc is None else inner_roc)

    def protect_srtp(self, packet: bytes, roc: int, mki: bytes = b"") -> bytes:
        """What the sender makes of an RTP packet (RFC 8723 §5.1)."""
        header = packet[: header_octets(packet)]
        sealed = self.inner.protect_srtp(_without_extension(packet) + packet[len(header) :], roc)
        payload = sealed[len(_without_extension(packet)) :]
        return self.outer.protect_srtp(header + payload + NO_CHANGES, roc, mki)


def _without_extension(packet: bytes) -> bytes:
    return bytes([packet[0] & ~0x10]) + packet[1 : FIXED_HEADER + 4 * (packet[0] & 0x0F)]


def _original(opened: bytes) -> _Original | None:
    """What the Original Header Block at the packet's end says of the sender's header (RFC 8723 §4)."""
    body = opened[header_octets(opened) :]
    if not body:
        return None
    config = body[-1]
    octets = 1 + (2 if config & _SEQ_PRESENT else 0) + (1 if config & _PT_PRESENT else 0)
    if len(body) < octets:
        return None
    block = body[-octets:]
    header = bytearray(_without_extension(opened))
    if config & _PT_PRESENT:
        header[1] = header[1] & 0x80 | block[0] & 0x7F
    if config & _SEQ_PRESENT:
        header[2:4] = block[-3:-1]
    if config & _MARKER_PRESENT:
        header[1] = header[1] & 0x7F | (0x80 if config & _MARKER else 0)
    return _Original(bytes(header), octets)

"""What opened handshakes of TLS and DTLS give beyond clear ones: hidden answers, and the keys of SRTP.

Sources: RFC 8446 §4.3.1, RFC 7301, RFC 8879; RFC 5764 §4.2, RFC 7714 §14.2, RFC 8723 §10.1, RFC 8269 §6.1.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.crypto.tls_prf import SRTP_LABEL
from imsinspect.trace.model import SrtpKeying

if TYPE_CHECKING:
    from dissectors.tls.parse import ServerHello
    from imsinspect.capture.frames import FrameId
    from imsinspect.crypto.tls_prf import Exporter

ALPN = 16
"""Extension application_layer_protocol_negotiation (RFC 7301 §3.1)."""

SRTP_SIZES: dict[int, tuple[int, int]] = {
    0x0001: (16, 14),
    0x0002: (16, 14),
    0x0005: (16, 14),  # RFC 5764 §4.1.2 names no cipher key; deployed libraries export one for the authentication key
    0x0006: (16, 14),
    0x0007: (16, 12),
    0x0008: (32, 12),
    0x0009: (32, 24),
    0x000A: (64, 24),
    0x000B: (16, 14),
    0x000C: (16, 14),
    0x000D: (32, 14),
    0x000E: (32, 14),
    0x000F: (16, 12),
    0x0010: (32, 12),
}
"""Octets of master key and master salt of each DTLS-SRTP protection profile."""

_MAX_CERTIFICATE = 1 << 18  # octets of a Certificate message out of a compressed one


class Selected(NamedTuple):
    """A DTLS-SRTP profile, as a server selected it."""

    profile: int
    mki: bytes
    frame: FrameId
    time: int


def protocol(hello: ServerHello) -> bytes:
    """The protocol that a server selected by ALPN; empty where none (RFC 7301 §3.1)."""
    data = hello.extension(ALPN) or b""
    return data[3 : 3 + data[2]] if len(data) > 2 else b""


def srtp_keying(exporter: Exporter, selected: Selected) -> SrtpKeying | None:
    """The SRTP master keys and salts of a session (RFC 5764 §4.2); None for a profile of unknown sizes."""
    sizes = SRTP_SIZES.get(selected.profile)
    if sizes is None:
        return None
    key, salt = sizes
    octets = exporter.export(SRTP_LABEL, 2 * (key + salt))
    client_key, server_key, salts = octets[:key], octets[key : 2 * key], octets[2 * key :]
    return SrtpKeying(
        selected.profile,
        client_key,
        server_key,
        salts[:salt],
        salts[salt:],
        selected.mki,
        selected.time,
        selected.frame,
    )


def certificate_message(body: bytes) -> tuple[bytes, str]:
    """The Certificate in a CompressedCertificate (RFC 8879 §4), or what is wrong with it."""
    if len(body) < 8:
        return b"", f"{len(body)} octets are too few"
    algorithm, expected = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:5], "big")
    compressed = body[8 : 8 + int.from_bytes(body[5:8], "big")]
    if expected > _MAX_CERTIFICATE:
        return b"", f"{expected} octets are passed over"
    if algorithm == 1:
        try:
            found = zlib.decompressobj().decompress(compressed, expected + 1)
        except zlib.error:
            return b"", "zlib does not read it"
    elif algorithm == 3:
        import zstandard

        found = b""
        try:
            if zstandard.frame_content_size(compressed) <= expected:  # else it would be unpacked whole
                found = zstandard.ZstdDecompressor().decompress(compressed, max_output_size=expected + 1)
        except zstandard.ZstdError:
            return b"", "zstd does not read it"
    else:
        return b"", f"algorithm {algorithm} is not read"
    return (found, "") if len(found) == expected else (b"", f"it is not as long as it says: {expected} octets")


def wrong(source: str, tried: int) -> str:
    """What is noted where no secret at hand opens a session."""
    if source == "key-log":
        return "the secrets logged for this session do not open it"
    if tried == 1:
        return "the pre-shared key given for this session does not open it"
    return f"none of the {tried} pre-shared keys given opens this session"

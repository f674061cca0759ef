"""Protocol versions of SSL, TLS and DTLS: names and order."""

from __future__ import annotations

from dissectors.tls.suites import is_grease

SSL_2_0 = 0x0002
SSL_3_0 = 0x0300
TLS_1_0 = 0x0301
TLS_1_1 = 0x0302
TLS_1_2 = 0x0303
TLS_1_3 = 0x0304
DTLS_1_0 = 0xFEFF
DTLS_1_2 = 0xFEFD
DTLS_1_3 = 0xFEFC
DTLS_OPENSSL = 0x0100

VERSION_NAMES: dict[int, str] = {
    SSL_2_0: "SSL 2.0",
    SSL_3_0: "SSL 3.0",  # RFC 6101
    TLS_1_0: "TLS 1.0",  # RFC 2246
    TLS_1_1: "TLS 1.1",  # RFC 4346
    TLS_1_2: "TLS 1.2",  # RFC 5246
    TLS_1_3: "TLS 1.3",  # RFC 8446
    DTLS_1_0: "DTLS 1.0",  # RFC 4347
    DTLS_1_2: "DTLS 1.2",  # RFC 6347
    DTLS_1_3: "DTLS 1.3",  # RFC 9147
    DTLS_OPENSSL: "DTLS 1.0",  # sent by OpenSSL before 0.9.8f: the same protocol under another number
    0x0101: "TLCP 1.1",  # GB/T 38636
    0xFB17: "TLS 1.3 (Facebook draft 23)",
    0xFB1A: "TLS 1.3 (Facebook draft 26)",
}

# How recent a version is, comparable between TLS and DTLS: DTLS 1.0 stands on TLS 1.1, DTLS 1.2 on TLS 1.2.
_RANKS: dict[int, int] = {
    SSL_2_0: 20,
    SSL_3_0: 30,
    TLS_1_0: 31,
    TLS_1_1: 32,
    DTLS_1_0: 32,
    DTLS_OPENSSL: 32,
    0x0101: 32,
    TLS_1_2: 33,
    DTLS_1_2: 33,
    TLS_1_3: 34,
    DTLS_1_3: 34,
    0xFB17: 34,
    0xFB1A: 34,
}


def _draft13(code: int) -> int:
    """Number of the TLS 1.3 draft that a version names, 0 for others (RFC 8446 drafts: 0x7F00 | number)."""
    return code & 0xFF if code >> 8 == 0x7F else 0


def version_name(code: int) -> str:
    """Name of a protocol version, "TLS 1.2", "DTLS 1.0", "SSL 2.0"; unknown ones as hexadecimal."""
    if code in VERSION_NAMES:
        return VERSION_NAMES[code]
    if draft := _draft13(code):
        return f"TLS 1.3 (draft {draft})"
    if is_grease(code):
        return f"GREASE (0x{code:04x})"
    return f"0x{code:04x}"


def version_rank(code: int) -> int:
    """A number that grows with the protocol's age of definition; 0 for unknown versions.

    TLS and DTLS versions of one generation are equal, so an offer and an answer can be compared.
    """
    return _RANKS.get(code, 34 if _draft13(code) else 0)


def is_tls13(code: int) -> bool:
    """TLS 1.3 or DTLS 1.3, drafts included: a handshake that is encrypted behind its ServerHello."""
    return version_rank(code) >= 34


def is_obsolete(code: int) -> bool:
    """Below TLS 1.2 and DTLS 1.2 (RFC 8996; TS 33.210 §6.2.1). Unknown versions are not called obsolete."""
    return 0 < version_rank(code) < 33

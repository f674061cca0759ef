"""SRTP crypto suites of a=crypto and protection profiles of DTLS-SRTP: names, lengths, limits.

Sources: RFC 4568 §6.2, RFC 5669, RFC 6188, RFC 7714, RFC 5764 §4.1.2, RFC 8269, RFC 8723 and the IANA registries
sdp-security-descriptions and srtp-protection.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class CryptoSuite:
    """What an SRTP suite or profile stands for. Lengths are octets, lifetimes packets."""

    name: str
    cipher: str  # "AES-CM-128" …; "NULL" encrypts nothing
    key: int  # master key
    salt: int  # master salt
    srtp_tag: int
    srtcp_tag: int
    reference: str
    registered: bool = True
    confirmed: bool = True  # lengths stand in the specification; other ones are no ground for calling a key wrong
    srtp_lifetime: int = 1 << 48
    srtcp_lifetime: int = 1 << 31

    @property
    def length(self) -> int:
        """Master key and salt together."""
        return self.key + self.salt

    @property
    def text_length(self) -> int:
        """Characters of master key and salt in base64, with the padding."""
        return -(-self.length // 3) * 4

    @property
    def null(self) -> bool:
        """Encrypts nothing."""
        return self.cipher == "NULL"

    @property
    def aead(self) -> bool:
        """The cipher authenticates; there is no HMAC."""
        return "GCM" in self.cipher or "CCM" in self.cipher


_SDES = (
    CryptoSuite("AES_CM_128_HMAC_SHA1_80", "AES-CM-128", 16, 14, 10, 10, "RFC 4568 §6.2"),
    CryptoSuite("AES_CM_128_HMAC_SHA1_32", "AES-CM-128", 16, 14, 4, 10, "RFC 4568 §6.2"),
    CryptoSuite("F8_128_HMAC_SHA1_80", "AES-f8-128", 16, 14, 10, 10, "RFC 4568 §6.2"),
    CryptoSuite("AES_192_CM_HMAC_SHA1_80", "AES-CM-192", 24, 14, 10, 10, "RFC 6188"),
    CryptoSuite("AES_192_CM_HMAC_SHA1_32", "AES-CM-192", 24, 14, 4, 10, "RFC 6188"),
    CryptoSuite("AES_256_CM_HMAC_SHA1_80", "AES-CM-256", 32, 14, 10, 10, "RFC 6188"),
    CryptoSuite("AES_256_CM_HMAC_SHA1_32", "AES-CM-256", 32, 14, 4, 10, "RFC 6188"),
    CryptoSuite("AEAD_AES_128_GCM", "AES-GCM-128", 16, 12, 16, 16, "RFC 7714"),
    CryptoSuite("AEAD_AES_256_GCM", "AES-GCM-256", 32, 12, 16, 16, "RFC 7714"),
    CryptoSuite("SEED_CTR_128_HMAC_SHA1_80", "SEED-CTR", 16, 14, 10, 10, "RFC 5669", confirmed=False),
    CryptoSuite("SEED_128_CCM_80", "SEED-CCM", 16, 12, 10, 10, "RFC 5669", confirmed=False),
    CryptoSuite("SEED_128_GCM_96", "SEED-GCM", 16, 12, 12, 12, "RFC 5669", confirmed=False),
    # Met in the field, in no registry.
    CryptoSuite("F8_128_HMAC_SHA1_32", "AES-f8-128", 16, 14, 4, 10, "", registered=False, confirmed=False),
    CryptoSuite("NULL_HMAC_SHA1_80", "NULL", 16, 14, 10, 10, "", registered=False, confirmed=False),
    CryptoSuite("NULL_HMAC_SHA1_32", "NULL", 16, 14, 4, 10, "", registered=False, confirmed=False),
)

SDES_SUITES: dict[str, CryptoSuite] = {suite.name: suite for suite in _SDES}
"""Suites of a=crypto by their name."""

SDES_ALIASES: dict[str, str] = {
    f"AES_CM_{bits}_HMAC_SHA1_{tag}": f"AES_{bits}_CM_HMAC_SHA1_{tag}" for bits in (192, 256) for tag in (80, 32)
}
"""Spellings of RFC 6188 names that several implementations send."""

_BY_BYTES = {
    name.encode(): SDES_SUITES[canonical]
    for name, canonical in (*((name, name) for name in SDES_SUITES), *SDES_ALIASES.items())
}


def crypto_suite(name: bytes) -> CryptoSuite | None:
    """The suite of an a=crypto line, aliases included, compared without case (RFC 4568 §4); None if unknown."""
    return _BY_BYTES.get(name) or _BY_BYTES.get(name.upper())


def _profile(name: str, cipher: str, key: int, salt: int, srtp_tag: int, srtcp_tag: int, reference: str) -> CryptoSuite:
    return CryptoSuite(name, cipher, key, salt, srtp_tag, srtcp_tag, reference, srtp_lifetime=1 << 31)


DTLS_SRTP_PROFILES: dict[int, CryptoSuite] = {
    0x0001: _profile("SRTP_AES128_CM_HMAC_SHA1_80", "AES-CM-128", 16, 14, 10, 10, "RFC 5764 §4.1.2"),
    0x0002: _profile("SRTP_AES128_CM_HMAC_SHA1_32", "AES-CM-128", 16, 14, 4, 10, "RFC 5764 §4.1.2"),
    0x0005: _profile("SRTP_NULL_HMAC_SHA1_80", "NULL", 0, 0, 10, 10, "RFC 5764 §4.1.2"),
    0x0006: _profile("SRTP_NULL_HMAC_SHA1_32", "NULL", 0, 0, 4, 10, "RFC 5764 §4.1.2"),
    0x0007: CryptoSuite("SRTP_AEAD_AES_128_GCM", "AES-GCM-128", 16, 12, 16, 16, "RFC 7714 §14.2"),
    0x0008: CryptoSuite("SRTP_AEAD_AES_256_GCM", "AES-GCM-256", 32, 12, 16, 16, "RFC 7714 §14.2"),
    0x0009: CryptoSuite(
        "DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM", "AES-GCM-128 twice", 32, 24, 16, 16, "RFC 8723", confirmed=False
    ),
    0x000A: CryptoSuite(
        "DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM", "AES-GCM-256 twice", 64, 24, 16, 16, "RFC 8723", confirmed=False
    ),
    0x000B: CryptoSuite("SRTP_ARIA_128_CTR_HMAC_SHA1_80", "ARIA-CTR-128", 16, 14, 10, 10, "RFC 8269"),
    0x000C: CryptoSuite("SRTP_ARIA_128_CTR_HMAC_SHA1_32", "ARIA-CTR-128", 16, 14, 4, 10, "RFC 8269"),
    0x000D: CryptoSuite("SRTP_ARIA_256_CTR_HMAC_SHA1_80", "ARIA-CTR-256", 32, 14, 10, 10, "RFC 8269"),
    0x000E: CryptoSuite("SRTP_ARIA_256_CTR_HMAC_SHA1_32", "ARIA-CTR-256", 32, 14, 4, 10, "RFC 8269"),
    0x000F: CryptoSuite("SRTP_AEAD_ARIA_128_GCM", "ARIA-GCM-128", 16, 12, 16, 16, "RFC 8269"),
    0x0010: CryptoSuite("SRTP_AEAD_ARIA_256_GCM", "ARIA-GCM-256", 32, 12, 16, 16, "RFC 8269"),
}
"""Protection profiles of the use_srtp extension by their code point; 0x0003 and 0x0004 are unassigned."""

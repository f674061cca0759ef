"""Fields that take no octets: what they say follows from others.

The digest of a certificate is written as the fingerprint attribute of a session description does (RFC 8122 §5).
"""

from __future__ import annotations

import hashlib
from typing import Any

from scapy.fields import Field

HASH_FUNCTIONS: dict[str, str] = {
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
}
"""Names of hash functions in session descriptions, and those of hashlib (RFC 8122 §5)."""


def fingerprint(octets: bytes, hash_function: str) -> str:
    """The digest of octets, in upper case with colons (RFC 8122 §5)."""
    return hashlib.new(HASH_FUNCTIONS[hash_function], octets, usedforsecurity=False).digest().hex(":").upper()


class Derived(Field):
    """Takes no octets. Its value says what it shows; `i2repr` shows it, and is never out of date."""

    __slots__: list[str] = []

    def __init__(self, name: str, shows: str) -> None:
        super().__init__(name, shows, "B")

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, str]:
        """Takes nothing."""
        return s, self.default

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Adds nothing."""
        return s


class Digest(Derived):
    """The digest of another field, or of the whole layer. Its value is the hash function."""

    __slots__ = ["of"]

    def __init__(self, name: str, hash_function: str, of: str = "") -> None:
        super().__init__(name, hash_function)
        self.of = of

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The digest; of no octets, none."""
        if self.of:
            octets = bytes(pkt.getfieldval(self.of) or b"")
        else:
            whole = bytes(pkt)
            octets = whole[: len(whole) - len(bytes(pkt.payload))]
        return fingerprint(octets, self.default) if octets else str(x)

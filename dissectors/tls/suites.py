"""Cipher suites: what each code point stands for (TLS Cipher Suites registry; SSL 2.0 C.4).

Properties are read off the names, which the registry builds by one pattern
(`TLS_<key exchange>_WITH_<cipher>_<hash>`); the names that break it stand in a table of exceptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dissectors.tls.suite_names import SSL2_CIPHER_SPECS, SUITE_NAMES

EMPTY_RENEGOTIATION_INFO_SCSV = 0x00FF
"""A signal in the list of suites, not a suite (RFC 5746 §3.3)."""

FALLBACK_SCSV = 0x5600
"""A signal in the list of suites, not a suite (RFC 7507 §2)."""

INTEGRITY_ONLY_TLS13 = frozenset({0xC0B4, 0xC0B5})
"""TLS 1.3 suites whose names hide that they do not encrypt (RFC 9150)."""

# Names whose parts do not stand where the pattern has them: key exchange, authentication, encryption, hash.
_EXCEPTIONS: dict[int, tuple[str, str, str, str]] = {
    0x0000: ("NULL", "NULL", "NULL", "NULL"),
    0x001C: ("FORTEZZA_KEA", "FORTEZZA_KEA", "NULL", "SHA"),
    0x001D: ("FORTEZZA_KEA", "FORTEZZA_KEA", "FORTEZZA_CBC", "SHA"),
    0xC0AA: ("DHE_PSK", "PSK", "AES_128_CCM_8", "SHA256"),  # TLS_PSK_DHE_… (RFC 6655 §6)
    0xC0AB: ("DHE_PSK", "PSK", "AES_256_CCM_8", "SHA256"),
    0xC0B4: ("TLS13", "TLS13", "NULL", "SHA256"),
    0xC0B5: ("TLS13", "TLS13", "NULL", "SHA384"),
}

_HASHES = ("SHA512", "SHA384", "SHA256", "SHA1", "SHA", "MD5", "SM3", "GOSTR3411", "NULL", "IMIT", "OMAC")

_MAC_OCTETS = {"NULL": 0, "MD5": 16, "SHA": 20, "SHA1": 20, "SHA256": 32, "SHA384": 48, "SM3": 32, "GOSTR3411": 32}

_PSK_KINDS = {"PSK": "PSK", "DHE_PSK": "DHE_PSK", "ECDHE_PSK": "ECDHE_PSK", "RSA_PSK": "RSA_PSK"}

_FORWARD_SECRET = frozenset(
    {"DHE", "ECDHE", "DH_anon", "ECDH_anon", "DHE_PSK", "ECDHE_PSK", "ECCPWD", "ECJPAKE", "SRP"}
)


@dataclass(slots=True, frozen=True)
class CipherSuite:
    """One cipher suite (two octets) or SSL 2.0 cipher spec (three octets)."""

    code: int
    name: str
    key_exchange: str = (
        ""  # "RSA", "DHE", "ECDHE", "DH_anon", "PSK", "ECDHE_PSK" …; "TLS13" where it is negotiated apart
    )
    authentication: str = ""  # "RSA", "DSS", "ECDSA", "PSK", "anon", "KRB5" …
    encryption: str = ""  # "AES_128_GCM", "3DES_EDE_CBC", "NULL" …
    hash: str = ""  # the hash named by the suite: of the MAC, or of the PRF where the cipher is an AEAD
    known: bool = True
    signalling: bool = False  # a signal in the client's list (SCSV, GREASE), never a suite

    @property
    def null(self) -> bool:
        """Does not encrypt."""
        return self.encryption == "NULL"

    @property
    def anonymous(self) -> bool:
        """No peer authenticates."""
        return self.authentication == "anon"

    @property
    def export(self) -> bool:
        """Weakened to 40 or 56 bits for export."""
        return "EXPORT" in self.name

    @property
    def rc4(self) -> bool:
        """Encrypts with RC4."""
        return self.encryption.startswith("RC4")

    @property
    def rc2(self) -> bool:
        """Encrypts with RC2."""
        return self.encryption.startswith("RC2")

    @property
    def idea(self) -> bool:
        """Encrypts with IDEA."""
        return self.encryption.startswith("IDEA")

    @property
    def triple_des(self) -> bool:
        """Encrypts with 3DES."""
        return self.encryption.startswith(("3DES", "DES_192_EDE3"))

    @property
    def des(self) -> bool:
        """Encrypts with single DES (56 or 40 bits)."""
        return self.encryption.startswith("DES") and not self.triple_des

    @property
    def md5(self) -> bool:
        """Authenticates records with MD5."""
        return self.hash == "MD5"

    @property
    def tls13(self) -> bool:
        """A suite of TLS 1.3, which names no key exchange."""
        return self.key_exchange == "TLS13"

    @property
    def ssl2(self) -> bool:
        """A cipher spec of SSL 2.0."""
        return self.code > 0xFFFF

    @property
    def psk(self) -> str:
        """ "PSK", "DHE_PSK", "ECDHE_PSK", "RSA_PSK", or "" where no pre-shared key is part of the suite."""
        return _PSK_KINDS.get(self.key_exchange, "")

    @property
    def aead(self) -> bool:
        """The cipher authenticates too."""
        return any(mode in self.encryption for mode in ("GCM", "CCM", "POLY1305", "AEGIS", "MGM"))

    @property
    def cbc(self) -> bool:
        """A block cipher in CBC mode."""
        return "CBC" in self.encryption

    @property
    def forward_secrecy(self) -> bool | None:
        """Keys do not follow from long-term secrets; None where the suite does not say (TLS 1.3, unknown)."""
        if not self.known or self.tls13 or self.signalling:
            return None
        return self.key_exchange in _FORWARD_SECRET

    @property
    def mac(self) -> str:
        """The hash that authenticates records: "MD5", "SHA", "SHA256", "SHA384"; "" where the cipher is an AEAD."""
        return "" if self.aead else self.hash

    @property
    def mac_octets(self) -> int:
        """Octets of the MAC behind each record's content; 0 for an AEAD and for hashes that are not in the table."""
        return 0 if self.aead else _MAC_OCTETS.get(self.hash, 0)

    @property
    def prf_hash(self) -> str:
        """Hash of the TLS 1.2 PRF and of the TLS 1.3 key schedule: "sha256" unless the suite names a longer one."""
        return {"SHA384": "sha384", "SHA512": "sha512", "SM3": "sm3"}.get(self.hash, "sha256")


def is_grease(code: int) -> bool:
    """One of the sixteen values that clients send to keep servers tolerant (RFC 8701 §2)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


def _split_cipher(text: str) -> tuple[str, str]:
    """Encryption and hash of the part behind `_WITH_`."""
    for name in _HASHES:
        if text.endswith("_" + name):
            return text[: -len(name) - 1], name
    return text, ""


def _named(code: int, name: str) -> CipherSuite:
    if code in _EXCEPTIONS:
        key_exchange, authentication, encryption, hash_name = _EXCEPTIONS[code]
        return CipherSuite(code, name, key_exchange, authentication, encryption, hash_name)
    if name.endswith("_SCSV"):
        return CipherSuite(code, name, signalling=True)
    bare = re.sub(r"^(TLS|SSL2|SSL)_", "", name)
    before, with_, after = bare.partition("_WITH_")
    if code > 0xFFFF:
        encryption = re.sub(r"_EXPORT40$", "", before)
        return CipherSuite(code, name, "RSA", "RSA", encryption, after)
    if not with_:
        if name.startswith("TLS_"):
            encryption, hash_name = _split_cipher(bare)
            return CipherSuite(code, name, "TLS13", "TLS13", encryption, hash_name)
        before, _, after = bare.partition("_")  # the national suites E0xx: ECDHE_SM4_CBC_SM3
    key_exchange, authentication = _split_key_exchange(re.sub(r"_EXPORT(1024)?$", "", before))
    encryption, hash_name = _split_cipher(after)
    if encryption in ("NULL", "28147_CNT") or hash_name:
        return CipherSuite(code, name, key_exchange, authentication, encryption, hash_name)
    return CipherSuite(code, name, key_exchange, authentication, encryption, "SHA256")  # CCM: RFC 6655 §3


def _split_key_exchange(text: str) -> tuple[str, str]:
    if text in _PSK_KINDS:
        return text, "RSA_PSK" if text == "RSA_PSK" else "PSK"
    if text in ("DH_anon", "ECDH_anon"):
        return text, "anon"
    if text.startswith("SRP_SHA"):
        return "SRP", text[len("SRP_SHA_") :] or "SRP"
    if text == "RSA_FIPS":
        return "RSA", "RSA"
    head, _, tail = text.partition("_")
    if head in ("DH", "DHE", "ECDH", "ECDHE") and tail:
        return head, tail
    return text, text


@lru_cache(maxsize=4096)
def suite(code: int) -> CipherSuite:
    """The cipher suite of a code point; unknown ones get a printable name and known False.

    Two-octet codes are TLS suites; greater values are the three octets of an SSL 2.0 cipher spec.
    """
    name = SSL2_CIPHER_SPECS.get(code) if code > 0xFFFF else SUITE_NAMES.get(code)
    if name is not None:
        return _named(code, name)
    if 0 <= code <= 0xFFFF and is_grease(code):
        return CipherSuite(code, f"GREASE (0x{code:04x})", known=False, signalling=True)
    return CipherSuite(code, f"Unknown (0x{code:06x})" if code > 0xFFFF else f"Unknown (0x{code:04x})", known=False)

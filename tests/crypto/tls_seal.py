"""The other side of record protection, for tests: records sealed as the specifications say, by no code of the tool."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

BLOCKS: dict[str, tuple[Any, int, int]] = {
    "AES_128_CBC": (algorithms.AES, 16, 16),
    "AES_256_CBC": (algorithms.AES, 32, 16),
    "CAMELLIA_128_CBC": (decrepit.Camellia, 16, 16),
    "CAMELLIA_256_CBC": (decrepit.Camellia, 32, 16),
    "SEED_CBC": (decrepit.SEED, 16, 16),
    "3DES_EDE_CBC": (decrepit.TripleDES, 24, 8),
    "DES_CBC": (lambda key: decrepit.TripleDES(key * 3), 8, 8),
    "IDEA_CBC": (decrepit.IDEA, 16, 8),
}
"""Block ciphers, octets of their keys and blocks."""

AEADS: dict[str, tuple[Any, int, int]] = {
    "AES_128_GCM": (AESGCM, 16, 4),
    "AES_256_GCM": (AESGCM, 32, 4),
    "AES_128_CCM": (AESCCM, 16, 4),
    "AES_256_CCM": (AESCCM, 32, 4),
    "AES_128_CCM_8": (lambda key: AESCCM(key, 8), 16, 4),
    "AES_256_CCM_8": (lambda key: AESCCM(key, 8), 32, 4),
    "CHACHA20_POLY1305": (ChaCha20Poly1305, 32, 12),
}
"""AEADs, octets of their keys and of the IV in the key block."""

HASHES = {"MD5": "md5", "SHA": "sha1", "SHA256": "sha256", "SHA384": "sha384"}


@dataclass
class Sealer:
    """Seals what one side writes below TLS 1.3."""

    encryption: str
    hash_name: str  # of the MAC, as suites name it
    mac_key: bytes
    key: bytes
    iv: bytes
    explicit_iv: bool = True
    encrypt_then_mac: bool = False
    mac_octets: int = 64  # at most
    padding: int = 0  # whole blocks of padding beyond what is needed
    _stream: Any = field(default=None, repr=False)

    def seal(
        self, sequence: int, content_type: int, version: int, content: bytes, connection_id: bytes | None = None
    ) -> bytes:
        """The fragment of a record; with a connection id the content stands before its type (RFC 9146 §4)."""
        if connection_id is not None:
            content += bytes((content_type,)) + bytes(3)

        def head(length: int) -> bytes:
            number, tail = sequence.to_bytes(8, "big"), version.to_bytes(2, "big")
            if connection_id is None:
                return number + bytes((content_type,)) + tail + length.to_bytes(2, "big")
            first = b"\xff" * 8 + bytes((25, len(connection_id), 25)) + tail
            return first + number + connection_id + length.to_bytes(2, "big")

        if self.encryption in AEADS:
            make, _, _ = AEADS[self.encryption]
            if self.encryption == "CHACHA20_POLY1305":
                nonce = bytes(a ^ b for a, b in zip(self.iv, bytes(4) + sequence.to_bytes(8, "big"), strict=True))
                return bytes(make(self.key).encrypt(nonce, content, head(len(content))))
            explicit = hashlib.sha256(sequence.to_bytes(8, "big")).digest()[:8]
            return bytes(explicit + make(self.key).encrypt(self.iv + explicit, content, head(len(content))))
        if self.encryption in BLOCKS and self.encrypt_then_mac:
            sealed = self._cbc(content)
            return sealed + self._mac(head(len(sealed)) + sealed)
        content += self._mac(head(len(content)) + content)
        if self.encryption in BLOCKS:
            return self._cbc(content)
        if self.encryption == "RC4_128":
            self._stream = self._stream or Cipher(decrepit.ARC4(self.key), None).encryptor()
            return bytes(self._stream.update(content))
        return content

    def _mac(self, covered: bytes) -> bytes:
        return hmac.new(self.mac_key, covered, HASHES[self.hash_name]).digest()[: self.mac_octets]

    def _cbc(self, content: bytes) -> bytes:
        make, _, block = BLOCKS[self.encryption]
        padding = block - len(content) % block + self.padding * block
        content += bytes((padding - 1,)) * padding
        iv = hashlib.sha256(content).digest()[:block] if self.explicit_iv else self.iv
        encryptor = Cipher(make(self.key), modes.CBC(iv)).encryptor()
        sealed = bytes(encryptor.update(content) + encryptor.finalize())
        self.iv = sealed[-block:]
        return iv + sealed if self.explicit_iv else sealed


def sizes(encryption: str, hash_name: str, *, explicit_iv: bool = True) -> tuple[int, int, int]:
    """Octets of MAC key, key and IV in the key block."""
    if encryption in AEADS:
        _, key, iv = AEADS[encryption]
        return 0, key, iv
    mac = hashlib.new(HASHES[hash_name]).digest_size
    if encryption in BLOCKS:
        _, key, block = BLOCKS[encryption]
        return mac, key, 0 if explicit_iv else block
    return mac, 16 if encryption == "RC4_128" else 0, 0


def sealers(
    encryption: str, hash_name: str, key_block: bytes, *, explicit_iv: bool = True, **more: Any
) -> tuple[Sealer, Sealer]:
    """What the client and the server seal with, out of a key block (RFC 5246 §6.3)."""
    parts = []
    for octets in sizes(encryption, hash_name, explicit_iv=explicit_iv):
        parts.append((key_block[:octets], key_block[octets : 2 * octets]))
        key_block = key_block[2 * octets :]
    client, server = zip(*parts, strict=True)
    return (
        Sealer(encryption, hash_name, *client, explicit_iv, **more),
        Sealer(encryption, hash_name, *server, explicit_iv, **more),
    )


def expand_label(hash_name: str, secret: bytes, label: bytes, octets: int) -> bytes:
    """HKDF-Expand-Label with an empty context, for at most one block (RFC 8446 §7.1); the label with its prefix."""
    info = octets.to_bytes(2, "big") + bytes((len(label),)) + label + b"\x00"
    return hmac.new(secret, info + b"\x01", hash_name).digest()[:octets]


@dataclass
class Sealer13:
    """Seals what one traffic secret of TLS 1.3 protects (RFC 8446 §5.2); of DTLS 1.3 with that prefix."""

    encryption: str
    hash_name: str  # as hashlib names it
    secret: bytes
    prefix: bytes = b"tls13 "
    sequence: int = 0

    def record(self, content_type: int, content: bytes, padding: int = 0) -> bytes:
        """The next record of a stream."""
        inner = content + bytes((content_type,)) + bytes(padding)
        header = b"\x17\x03\x03" + (len(inner) + self._overhead()).to_bytes(2, "big")
        sealed = self.seal(self.sequence, header, inner)
        self.sequence += 1
        return header + sealed

    def seal(self, sequence: int, header: bytes, inner: bytes) -> bytes:
        """A fragment under its header."""
        if self.encryption == "NULL":
            octets = hashlib.new(self.hash_name).digest_size
            key, nonce = self._key(octets), self._nonce(sequence, octets)
            return inner + hmac.new(key, nonce + header + inner, self.hash_name).digest()
        make, octets, _ = AEADS[self.encryption]
        return bytes(make(self._key(octets)).encrypt(self._nonce(sequence, 12), inner, header))

    def datagram_record(self, epoch: int, sequence: int, content_type: int, content: bytes) -> bytes:
        """A record under the unified header, with a 16-bit number and a length (RFC 9147 §4)."""
        inner = content + bytes((content_type,))
        low = (sequence & 0xFFFF).to_bytes(2, "big")
        first, length = bytes((0x2C | epoch & 3,)), (len(inner) + self._overhead()).to_bytes(2, "big")
        sealed = self.seal(sequence, first + low + length, inner)
        _, octets, _ = AEADS[self.encryption]
        number_key = expand_label(self.hash_name, self.secret, self.prefix + b"sn", octets)
        if self.encryption == "CHACHA20_POLY1305":
            mask = Cipher(algorithms.ChaCha20(number_key, sealed[:16]), None).encryptor().update(bytes(2))
        else:
            mask = Cipher(algorithms.AES(number_key), modes.ECB()).encryptor().update(sealed[:16])
        return first + bytes(a ^ b for a, b in zip(low, mask, strict=False)) + length + sealed

    def update(self) -> None:
        """Go on to the next traffic secret (RFC 8446 §7.2)."""
        self.secret = expand_label(self.hash_name, self.secret, self.prefix + b"traffic upd", len(self.secret))
        self.sequence = 0

    def _overhead(self) -> int:
        if self.encryption == "NULL":
            return hashlib.new(self.hash_name).digest_size
        return 8 if self.encryption.endswith("CCM_8") else 16

    def _key(self, octets: int) -> bytes:
        return expand_label(self.hash_name, self.secret, self.prefix + b"key", octets)

    def _nonce(self, sequence: int, octets: int) -> bytes:
        iv = expand_label(self.hash_name, self.secret, self.prefix + b"iv", octets)
        return bytes(a ^ b for a, b in zip(iv, sequence.to_bytes(octets, "big"), strict=True))

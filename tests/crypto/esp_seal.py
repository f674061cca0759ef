"""The other side of ESP, for tests: packets sealed as the specifications say, by no code of the tool."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCKS = {"null": 4, "aes-cbc": 16, "des-ede3-cbc": 8, "aes-ctr": 4, "aes-gcm": 4}
KEYS = {"null": 0, "aes-cbc": 16, "des-ede3-cbc": 24, "aes-ctr": 20, "aes-gcm": 20}
IVS = {"null": 0, "aes-cbc": 16, "des-ede3-cbc": 8, "aes-ctr": 8, "aes-gcm": 8}
HASHES = {
    "hmac-md5-96": ("md5", 16, 12),
    "hmac-sha-1-96": ("sha1", 20, 12),
    "hmac-sha256-128": ("sha256", 32, 16),
    "hmac-sha384-192": ("sha384", 48, 24),
    "hmac-sha512-256": ("sha512", 64, 32),
}


def octets(seed: str, count: int) -> bytes:
    """Octets that a text stands for."""
    return hashlib.shake_128(seed.encode()).digest(count)


@dataclass(slots=True)
class Seal:
    """One security association as its sender has it."""

    spi: int
    encryption: str = "aes-cbc"
    integrity: str = "hmac-sha-1-96"
    seed: str = "lab"
    high: int | None = None  # of an extended sequence number
    sequence: int = 0
    key: bytes = field(init=False)
    integrity_key: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.key = octets(f"{self.seed} {self.spi} encryption", KEYS[self.encryption])
        count = {"": 0, "aes-gmac": 20}.get(self.integrity, HASHES.get(self.integrity, ("", 0, 0))[1])
        self.integrity_key = octets(f"{self.seed} {self.spi} integrity", count)

    @property
    def row(self) -> dict[str, str]:
        """As a key file has it."""
        return {
            "spi": f"0x{self.spi:08x}",
            "encryption": self.encryption,
            "encryption_key": self.key.hex(),
            "integrity": self.integrity,
            "integrity_key": self.integrity_key.hex(),
        }

    def packet(self, payload: bytes, next_header: int = 17, padding: bytes | None = None) -> bytes:
        """The next packet, from its SPI on."""
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        head = struct.pack("!II", self.spi, self.sequence)
        high = b"" if self.high is None else struct.pack("!I", self.high)
        if padding is None:
            padding = bytes(range(1, -(len(payload) + 2) % BLOCKS[self.encryption] + 1))
        plain = payload + padding + bytes((len(padding), next_header))
        if self.integrity == "aes-gmac":
            iv = octets(f"iv {self.sequence}", 8)
            nonce = self.integrity_key[-4:] + iv
            covered = head[:4] + high + head[4:] + iv + plain
            return head + iv + plain + AESGCM(self.integrity_key[:-4]).encrypt(nonce, b"", covered)
        iv = octets(f"iv {self.sequence}", IVS[self.encryption])
        if self.encryption == "aes-gcm":
            covered = head[:4] + high + head[4:]
            return head + iv + AESGCM(self.key[:-4]).encrypt(self.key[-4:] + iv, plain, covered)
        sealed = head + iv + self._encrypted(iv, plain)
        if not self.integrity:
            return sealed
        name, _, count = HASHES[self.integrity]
        return sealed + hmac.new(self.integrity_key, sealed + high, name).digest()[:count]

    def _encrypted(self, iv: bytes, plain: bytes) -> bytes:
        if self.encryption == "null":
            return plain
        if self.encryption == "aes-ctr":
            machine = Cipher(algorithms.AES(self.key[:-4]), modes.CTR(self.key[-4:] + iv + b"\0\0\0\1"))
        elif self.encryption == "aes-cbc":
            machine = Cipher(algorithms.AES(self.key), modes.CBC(iv))
        else:
            machine = Cipher(TripleDES(self.key), modes.CBC(iv))
        encryptor = machine.encryptor()
        return encryptor.update(plain) + encryptor.finalize()

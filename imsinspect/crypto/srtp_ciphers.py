"""Ciphers of SRTP over octets: counter mode, f8, and what makes their initial vectors (RFC 3711 §4.1, RFC 7714 §8, §9).

All are their own inverse but AES-GCM, which `cryptography` has whole.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16


def counter_mode(key: bytes, start: bytes, data: bytes) -> bytes:
    """AES in segmented integer counter mode from this block on (RFC 3711 §4.1.1)."""
    return Cipher(algorithms.AES(key), modes.CTR(start)).encryptor().update(data)


class CounterMode:
    """The same under one key, for many messages: only the first block is set anew, a tenth of the time for a packet."""

    __slots__ = ("_context",)

    def __init__(self, key: bytes) -> None:
        self._context = Cipher(algorithms.AES(key), modes.CTR(bytes(BLOCK))).encryptor()

    def crypt(self, start: bytes, data: bytes) -> bytes:
        """As `counter_mode`."""
        self._context.reset_nonce(start)
        return self._context.update(data)


def counter_start(salt: bytes, ssrc: int, index: int) -> bytes:
    """First block of counter mode: salt, SSRC and index in their places (RFC 3711 §4.1.1)."""
    start = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
    return start.to_bytes(BLOCK, "big")


def f8_mode(key: bytes, salt: bytes, vector: bytes, data: bytes) -> bytes:
    """AES in f8 mode: output feedback, with a counter and a vector that was itself encrypted (RFC 3711 §4.1.2.1)."""
    mask = salt.ljust(len(key), b"\x55")
    masked = Cipher(algorithms.AES(_xor(key, mask)), modes.ECB()).encryptor()
    encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
    start = int.from_bytes(masked.update(vector), "big")
    stream = bytearray()
    block = 0
    for counter in range(-(-len(data) // BLOCK)):
        octets = encrypt((start ^ counter ^ block).to_bytes(BLOCK, "big"))
        stream += octets
        block = int.from_bytes(octets, "big")
    return _xor(data, bytes(stream[: len(data)]))


def f8_srtp_vector(header: bytes, roc: int) -> bytes:
    """Initial vector of f8 for SRTP: the fixed header without its first octet, and the ROC (RFC 3711 §4.1.2.2)."""
    return b"\0" + header[1:12] + roc.to_bytes(4, "big")


def f8_srtcp_vector(header: bytes, index_word: bytes) -> bytes:
    """Initial vector of f8 for SRTCP: E and index, then the first eight octets (RFC 3711 §4.1.2.3)."""
    return bytes(4) + index_word + header[:8]


def gcm_nonce(salt: bytes, ssrc: int, index: int) -> bytes:
    """Initial vector of AES-GCM (RFC 7714 §8.1, §9.1); the index is ROC and SEQ, or the 31 bits of SRTCP."""
    return (int.from_bytes(salt, "big") ^ ssrc << 48 ^ index).to_bytes(12, "big")


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")

"""Record protection of TLS and DTLS, opened: what is encrypted with a known key is decrypted and authenticated.

A record that does not authenticate gives None, whatever its octets. Ciphers are named as the registry's names of suites
write them ("AES_128_GCM", "3DES_EDE_CBC"). SSL 3.0, export ciphers, and ciphers that `cryptography` lacks (ARIA,
Camellia in GCM, RC2 and others) are not opened.
Sources: RFC 2246 §6.2.3, RFC 4346 §6.2.3, RFC 5246 §6.2.3, RFC 5288, RFC 6655, RFC 7905, RFC 7366, RFC 6066 §7,
RFC 9146 §5; RFC 8446 §5.2, RFC 9150, RFC 9147 §4.
"""

from __future__ import annotations

import contextlib
import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from imsinspect.crypto.tls_prf import TLS13, hkdf_expand_label, key_block

if TYPE_CHECKING:
    from collections.abc import Callable

Content = tuple[int, bytes]
"""Content type and content of an opened record."""

APPLICATION_DATA = 23
TLS12_CID = 25
TRUNCATED_MAC = 10
"""Octets of the MAC where truncated_hmac was negotiated (RFC 6066 §7)."""

_SEQUENCE_NUMBERS = 1 << 64


# --- ciphers --------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class RecordCipher:
    """What a suite says of the protection of records."""

    mode: str  # "gcm", "ccm", "chacha20", "cbc", "stream", "null"
    algorithm: str = ""  # "AES", "Camellia", "SEED", "TripleDES", "DES", "IDEA", "ARC4", "SM4"
    key_octets: int = 0
    block_octets: int = 0
    tag_octets: int = 0
    mac: str = ""  # hash of the HMAC, as hashlib names it; "" for an AEAD
    mac_key_octets: int = 0
    mac_octets: int = 0  # on the wire

    @property
    def aead(self) -> bool:
        """The cipher authenticates too."""
        return bool(self.tag_octets)

    def with_truncated_mac(self) -> RecordCipher:
        """The same under truncated_hmac (RFC 6066 §7)."""
        return self if self.aead else replace(self, mac_octets=min(self.mac_octets, TRUNCATED_MAC))


_CIPHERS: dict[str, RecordCipher] = {
    "AES_128_GCM": RecordCipher("gcm", "AES", 16, tag_octets=16),
    "AES_256_GCM": RecordCipher("gcm", "AES", 32, tag_octets=16),
    "SM4_GCM": RecordCipher("gcm", "SM4", 16, tag_octets=16),
    "AES_128_CCM": RecordCipher("ccm", "AES", 16, tag_octets=16),
    "AES_256_CCM": RecordCipher("ccm", "AES", 32, tag_octets=16),
    "AES_128_CCM_8": RecordCipher("ccm", "AES", 16, tag_octets=8),
    "AES_256_CCM_8": RecordCipher("ccm", "AES", 32, tag_octets=8),
    "CHACHA20_POLY1305": RecordCipher("chacha20", "ChaCha20", 32, tag_octets=16),
    "AES_128_CBC": RecordCipher("cbc", "AES", 16, 16),
    "AES_256_CBC": RecordCipher("cbc", "AES", 32, 16),
    "CAMELLIA_128_CBC": RecordCipher("cbc", "Camellia", 16, 16),
    "CAMELLIA_256_CBC": RecordCipher("cbc", "Camellia", 32, 16),
    "SEED_CBC": RecordCipher("cbc", "SEED", 16, 16),
    "3DES_EDE_CBC": RecordCipher("cbc", "TripleDES", 24, 8),
    "DES_CBC": RecordCipher("cbc", "DES", 8, 8),
    "IDEA_CBC": RecordCipher("cbc", "IDEA", 16, 8),
    "RC4_128": RecordCipher("stream", "ARC4", 16),
    "NULL": RecordCipher("null"),
}

_MACS: dict[str, tuple[str, int]] = {
    "MD5": ("md5", 16),
    "SHA": ("sha1", 20),
    "SHA256": ("sha256", 32),
    "SHA384": ("sha384", 48),
}


def record_cipher(encryption: str, hash_name: str) -> RecordCipher | None:
    """The cipher of a suite, from the parts of its name; None where it cannot be opened here."""
    cipher = _CIPHERS.get(encryption)
    if cipher is None or cipher.aead:
        return cipher
    if hash_name not in _MACS:
        return None
    name, octets = _MACS[hash_name]
    return replace(cipher, mac=name, mac_key_octets=octets, mac_octets=octets)


def _algorithm(name: str, key: bytes) -> Any:
    """The block or stream cipher of `cryptography` under a key; the old ones have moved between its modules."""
    from cryptography.hazmat.primitives.ciphers import algorithms

    decrepit: Any = None
    with contextlib.suppress(ImportError):
        from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
    if name == "DES":
        name, key = "TripleDES", key * 3
    return (getattr(decrepit, name, None) or getattr(algorithms, name))(key)


def _aead(cipher: RecordCipher, key: bytes) -> Callable[[bytes, bytes, bytes], bytes | None]:
    """Opens ciphertext with tag: nonce, octets, additional data."""
    decrypt: Callable[[bytes, bytes, bytes], bytes]
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

    if cipher.algorithm == "SM4":
        sm4 = _algorithm("SM4", key)

        def decrypt_sm4(nonce: bytes, data: bytes, additional: bytes) -> bytes:
            opening = Cipher(sm4, modes.GCM(nonce, data[-16:])).decryptor()
            opening.authenticate_additional_data(additional)
            return bytes(opening.update(data[:-16]) + opening.finalize())

        decrypt = decrypt_sm4
    elif cipher.mode == "gcm":
        decrypt = AESGCM(key).decrypt
    elif cipher.mode == "ccm":
        decrypt = AESCCM(key, cipher.tag_octets).decrypt
    else:
        decrypt = ChaCha20Poly1305(key).decrypt

    def opened(nonce: bytes, data: bytes, additional: bytes) -> bytes | None:
        if len(data) < cipher.tag_octets:
            return None
        try:
            return decrypt(nonce, data, additional)
        except (InvalidTag, ValueError, OverflowError):
            return None

    return opened


def _inner(plaintext: bytes) -> Content | None:
    """Content and its type out of TLSInnerPlaintext: the type is the last octet that is not zero (RFC 8446 §5.4)."""
    content = plaintext.rstrip(b"\x00")
    return (content[-1], content[:-1]) if content else None


def _xor(iv: bytes, sequence: int) -> bytes:
    """The nonce of a record: its sequence number under the IV (RFC 8446 §5.3, RFC 7905 §2)."""
    return (int.from_bytes(iv, "big") ^ sequence).to_bytes(len(iv), "big")


# --- TLS 1.0 to 1.2, DTLS 1.0 and 1.2 -------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class Negotiated:
    """What the hellos agreed on for records below TLS 1.3."""

    cipher: RecordCipher
    explicit_iv: bool = True  # a CBC record begins with its IV: from TLS 1.1 on (RFC 4346 §6.2.3.2)
    encrypt_then_mac: bool = False  # RFC 7366; for CBC alone

    @property
    def iv_octets(self) -> int:
        """Octets of an IV in the key block."""
        if self.cipher.mode == "cbc":
            return 0 if self.explicit_iv else self.cipher.block_octets
        return {"gcm": 4, "ccm": 4, "chacha20": 12}.get(self.cipher.mode, 0)


class Protection:
    """Opens the records of one direction."""

    def __init__(self, negotiated: Negotiated, mac_key: bytes, key: bytes, iv: bytes) -> None:
        cipher = negotiated.cipher
        self._cipher = cipher
        self._negotiated = negotiated
        self._mac_key = mac_key
        self._key = key
        self.iv = iv  # of a CBC record without its own: the last block before it
        self._aead = _aead(cipher, key) if cipher.aead else None
        self._stream: Any = None
        if cipher.mode == "stream":
            from cryptography.hazmat.primitives.ciphers import Cipher

            self._stream = Cipher(_algorithm(cipher.algorithm, key), None).decryptor()
        elif cipher.mode == "cbc":
            self._block = _algorithm(cipher.algorithm, key)

    @property
    def chained(self) -> bool:
        """Whether a record opens once, and only if every record before it was given (RC4)."""
        return self._stream is not None

    def open(
        self, sequence: int, content_type: int, version: int, fragment: bytes, connection_id: bytes | None = None
    ) -> Content | None:
        """Content type and content of a record, None where it does not authenticate.

        The sequence number is that of the TLS direction, in DTLS the epoch and the number of the record's header. Where
        a connection id is given the content type is taken from the inner plaintext (RFC 9146 §4).
        """
        sequence %= _SEQUENCE_NUMBERS
        mode = self._cipher.mode
        if self._aead is not None:
            return self._open_aead(sequence, content_type, version, fragment, connection_id)
        if mode == "cbc":
            if self._negotiated.encrypt_then_mac:
                return self._open_mac_first(sequence, content_type, version, fragment, connection_id)
            plaintext = self._unpadded(self._decrypt(fragment), self._cipher.mac_octets)
        elif mode == "stream":
            plaintext = self._stream.update(fragment)
        else:
            plaintext = fragment
        octets = self._cipher.mac_octets
        if plaintext is None or len(plaintext) < octets:
            return None
        content = plaintext[: len(plaintext) - octets]
        covered = _head(sequence, content_type, version, len(content), connection_id) + content
        if not self._authentic(covered, plaintext[len(plaintext) - octets :]):
            return None
        return (content_type, content) if connection_id is None else _inner(content)

    def _authentic(self, covered: bytes, mac: bytes) -> bool:
        if not self._cipher.mac_octets:
            return True
        return hmac.digest(self._mac_key, covered, self._cipher.mac)[: self._cipher.mac_octets] == mac

    def _open_aead(
        self, sequence: int, content_type: int, version: int, fragment: bytes, connection_id: bytes | None
    ) -> Content | None:
        assert self._aead is not None
        if self._cipher.mode == "chacha20":
            nonce = _xor(self.iv, sequence)
        else:
            nonce, fragment = self.iv + fragment[:8], fragment[8:]
            if len(nonce) < 12:
                return None
        length = len(fragment) - self._cipher.tag_octets
        if length < 0:
            return None
        content = self._aead(nonce, fragment, _head(sequence, content_type, version, length, connection_id))
        if content is None:
            return None
        return (content_type, content) if connection_id is None else _inner(content)

    def _open_mac_first(
        self, sequence: int, content_type: int, version: int, fragment: bytes, connection_id: bytes | None
    ) -> Content | None:
        """RFC 7366 §3: the MAC stands behind the ciphertext and covers it, with the IV."""
        at = len(fragment) - self._cipher.mac_octets
        if at < 0:
            return None
        covered = _head(sequence, content_type, version, at, connection_id) + fragment[:at]
        content = self._unpadded(self._decrypt(fragment[:at]), 0)
        if content is None or not self._authentic(covered, fragment[at:]):
            return None
        return (content_type, content) if connection_id is None else _inner(content)

    def _decrypt(self, fragment: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, modes

        octets = self._cipher.block_octets
        if len(fragment) < octets or len(fragment) % octets:
            return b""
        iv = self.iv
        if self._negotiated.explicit_iv:
            iv, fragment = fragment[:octets], fragment[octets:]
        else:
            self.iv = fragment[-octets:]
        opening = Cipher(self._block, modes.CBC(iv)).decryptor()
        return bytes(opening.update(fragment) + opening.finalize())

    @staticmethod
    def _unpadded(plaintext: bytes, behind: int) -> bytes | None:
        """Plaintext without its padding, where that is whole and leaves room for a MAC (RFC 5246 §6.2.3.2)."""
        if not plaintext:
            return None
        padding = plaintext[-1] + 1
        if padding + behind > len(plaintext) or plaintext[-padding:] != plaintext[-1:] * padding:
            return None
        return plaintext[:-padding]


def _head(sequence: int, content_type: int, version: int, length: int, connection_id: bytes | None) -> bytes:
    """What a MAC covers before the content, and the additional data of an AEAD (RFC 5246 §6.2.3; RFC 9146 §5)."""
    tail = version.to_bytes(2, "big")
    if connection_id is None:
        return sequence.to_bytes(8, "big") + bytes((content_type,)) + tail + length.to_bytes(2, "big")
    return (
        b"\xff" * 8
        + bytes((TLS12_CID, len(connection_id), TLS12_CID))
        + tail
        + sequence.to_bytes(8, "big")
        + connection_id
        + length.to_bytes(2, "big")
    )


def protections(
    negotiated: Negotiated, prf_hash: str, master: bytes, client_random: bytes, server_random: bytes
) -> tuple[Protection, Protection]:
    """Protection of what the client writes, and of what the server writes (RFC 5246 §6.3)."""
    cipher = negotiated.cipher
    sizes = (cipher.mac_key_octets, cipher.key_octets, negotiated.iv_octets)
    block = key_block(prf_hash, master, client_random, server_random, 2 * sum(sizes))
    parts: list[tuple[bytes, bytes]] = []
    at = 0
    for octets in sizes:
        parts.append((block[at : at + octets], block[at + octets : at + 2 * octets]))
        at += 2 * octets
    client, server = zip(*parts, strict=True)
    return Protection(negotiated, *client), Protection(negotiated, *server)


# --- TLS 1.3 --------------------------------------------------------------------------------------


class Protection13:
    """Opens the records that one traffic secret of TLS 1.3 or DTLS 1.3 protects (RFC 8446 §5.2, §7.3)."""

    def __init__(self, cipher: RecordCipher, hash_name: str, secret: bytes, prefix: bytes = TLS13) -> None:
        self._hash = hash_name
        self._secret = secret
        self._cipher = cipher
        self._prefix = prefix
        octets, iv_octets = cipher.key_octets, 12
        if not cipher.aead:  # RFC 9150 §5: key and IV are as long as the hash
            octets = iv_octets = cipher.mac_octets
        self._key = hkdf_expand_label(hash_name, secret, b"key", b"", octets, prefix)
        self._iv = hkdf_expand_label(hash_name, secret, b"iv", b"", iv_octets, prefix)
        self._aead = _aead(cipher, self._key) if cipher.aead else None
        self._number_key: bytes | None = None

    def open(self, sequence: int, header: bytes, fragment: bytes) -> Content | None:
        """Inner content type and content; the header is the record's, as sent (DTLS 1.3: its number decrypted)."""
        nonce = _xor(self._iv, sequence % _SEQUENCE_NUMBERS)
        if self._aead is not None:
            plaintext = self._aead(nonce, fragment, header)
        else:
            at = len(fragment) - self._cipher.mac_octets
            if at < 0:
                return None
            plaintext = fragment[:at]
            if hmac.digest(self._key, nonce + header + plaintext, self._cipher.mac) != fragment[at:]:
                return None
        return _inner(plaintext) if plaintext is not None else None

    def record_number(self, sequence: bytes, ciphertext: bytes) -> bytes | None:
        """The sequence number of a DTLS 1.3 record, decrypted (RFC 9147 §4.2.3); None where that cannot be done."""
        if len(ciphertext) < 16 or self._cipher.algorithm not in ("AES", "ChaCha20"):
            return None
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if self._number_key is None:
            self._number_key = hkdf_expand_label(
                self._hash, self._secret, b"sn", b"", self._cipher.key_octets, self._prefix
            )
        if self._cipher.algorithm == "AES":
            sealing = Cipher(algorithms.AES(self._number_key), modes.ECB()).encryptor()
            mask = sealing.update(ciphertext[:16])
        else:
            mask = Cipher(algorithms.ChaCha20(self._number_key, ciphertext[:16]), None).encryptor().update(bytes(16))
        return bytes(x ^ y for x, y in zip(sequence, mask, strict=False))

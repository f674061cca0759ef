"""Contents of CMS messages under keys: content-encryption keys unwrapped, contents decrypted (RFC 5652 §6).

Algorithms go by their object identifiers. Nothing here raises on octets of a message; "does not fit" is None.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_unwrap_with_padding

if TYPE_CHECKING:
    from collections.abc import Callable

_AES = "2.16.840.1.101.3.4.1."
_3DES_WRAP_IV = bytes.fromhex("4adda22c79e82105")  # RFC 3217 §3.1
MIN_TAG, MAX_TAG = 4, 16


@dataclass(slots=True, frozen=True)
class CmsKek:
    """A key-encryption key (RFC 5652 §6.2.3), or the content-encryption key of EncryptedData (RFC 5652 §8)."""

    kek: bytes = field(repr=False)
    id: bytes | None = None  # keyIdentifier; None: it is tried for any
    of: str = ""

    @property
    def digest(self) -> str:
        """SHA-256, by which a report names it."""
        return hashlib.sha256(self.kek).hexdigest()


class Sealed(NamedTuple):
    """An encrypted content with what its algorithm needs."""

    algorithm: str
    nonce: bytes  # or initialization vector
    content: bytes
    tag: bytes = b""  # of AES-GCM and AES-CCM
    authenticated: bytes = b""  # what the tag covers beside the content


# --- keys -----------------------------------------------------------------------------------------


def _aes_unwrap(kek: bytes, wrapped: bytes) -> bytes | None:
    """RFC 3394 §2.2.2."""
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        return None


def _aes_unwrap_with_padding(kek: bytes, wrapped: bytes) -> bytes | None:
    """RFC 5649 §4.2."""
    try:
        return aes_key_unwrap_with_padding(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        return None


def _triple_des_unwrap(kek: bytes, wrapped: bytes) -> bytes | None:
    """RFC 3217 §3.2."""
    if len(wrapped) != 40:
        return None
    turned = _cbc(TripleDES(kek), _3DES_WRAP_IV, wrapped)[::-1]
    key, check = (plain := _cbc(TripleDES(kek), turned[:8], turned[8:]))[:24], plain[24:]
    return key if hashlib.sha1(key, usedforsecurity=False).digest()[:8] == check else None


class _Wrap(NamedTuple):
    kek_octets: int
    unwrap: Callable[[bytes, bytes], bytes | None]


WRAPS = {
    **{_AES + number: _Wrap(octets, _aes_unwrap) for number, octets in (("5", 16), ("25", 24), ("45", 32))},
    **{
        _AES + number: _Wrap(octets, _aes_unwrap_with_padding) for number, octets in (("8", 16), ("28", 24), ("48", 32))
    },
    "1.2.840.113549.1.9.16.3.6": _Wrap(24, _triple_des_unwrap),
}
"""Key wrap algorithms (RFC 3565 §2.3.2, RFC 5649 §5, RFC 3370 §4.3.1)."""


def unwrap_key(algorithm: str, kek: bytes, wrapped: bytes) -> bytes | None:
    """The content-encryption key of a recipient; None where the key-encryption key does not fit, which is certain."""
    row = WRAPS.get(algorithm)
    if row is None or len(kek) != row.kek_octets:
        return None
    return row.unwrap(kek, wrapped)


# --- contents -------------------------------------------------------------------------------------


def _cbc(cipher: AES | TripleDES, iv: bytes, data: bytes) -> bytes:
    decryptor = Cipher(cipher, modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _unpadded(plain: bytes, block: int) -> bytes | None:
    """RFC 5652 §6.3: as many octets as are filled up, each saying how many."""
    count = plain[-1] if plain else 0
    if not 1 <= count <= block or plain[-count:] != bytes((count,)) * count:
        return None
    return plain[:-count]


def _open_cbc(kind: type[AES | TripleDES], key: bytes, sealed: Sealed) -> bytes | None:
    block = kind.block_size // 8
    if len(sealed.nonce) != block or len(sealed.content) % block:
        return None
    return _unpadded(_cbc(kind(key), sealed.nonce, sealed.content), block)


def _open_aes(key: bytes, sealed: Sealed) -> bytes | None:
    return _open_cbc(AES, key, sealed)


def _open_triple_des(key: bytes, sealed: Sealed) -> bytes | None:
    return _open_cbc(TripleDES, key, sealed)


def _open_gcm(key: bytes, sealed: Sealed) -> bytes | None:
    """RFC 5084 §3.2; the shortest nonce and tag are those that the primitive takes."""
    if not MIN_TAG <= len(sealed.tag) <= MAX_TAG or not 8 <= len(sealed.nonce) <= 128:
        return None
    opener = Cipher(AES(key), modes.GCM(sealed.nonce, sealed.tag, min_tag_length=len(sealed.tag))).decryptor()
    opener.authenticate_additional_data(sealed.authenticated)
    try:
        return opener.update(sealed.content) + opener.finalize()
    except InvalidTag:
        return None


def _open_ccm(key: bytes, sealed: Sealed) -> bytes | None:
    """RFC 5084 §3.1."""
    if len(sealed.tag) not in range(MIN_TAG, MAX_TAG + 1, 2) or not 7 <= len(sealed.nonce) <= 13:
        return None
    if len(sealed.content) >> 8 * (15 - len(sealed.nonce)):
        return None
    try:
        return AESCCM(key, len(sealed.tag)).decrypt(sealed.nonce, sealed.content + sealed.tag, sealed.authenticated)
    except (InvalidTag, ValueError):
        return None


class _ContentCipher(NamedTuple):
    key_octets: int
    open: Callable[[bytes, Sealed], bytes | None]
    authenticates: bool


CIPHERS = {
    **{
        _AES + number: _ContentCipher(octets, _open_aes, False)
        for number, octets in (("2", 16), ("22", 24), ("42", 32))
    },
    **{
        _AES + number: _ContentCipher(octets, _open_gcm, True) for number, octets in (("6", 16), ("26", 24), ("46", 32))
    },
    **{
        _AES + number: _ContentCipher(octets, _open_ccm, True) for number, octets in (("7", 16), ("27", 24), ("47", 32))
    },
    "1.2.840.113549.3.7": _ContentCipher(24, _open_triple_des, False),
}
"""Content encryption algorithms (RFC 3565 §2.1, RFC 5084 §3, RFC 3370 §5.1)."""


def authenticates(algorithm: str) -> bool:
    """Whether a content that opens was proven to be the one that was sealed."""
    row = CIPHERS.get(algorithm)
    return row is not None and row.authenticates


def open_content(key: bytes, sealed: Sealed) -> bytes | None:
    """A content under its content-encryption key.

    None where the key, its padding or its tag does not fit, or the algorithm is not known; of CBC, one wrong key in
    256 gives padding that makes sense.
    """
    row = CIPHERS.get(sealed.algorithm)
    if row is None or len(key) != row.key_octets:
        return None
    return row.open(key, sealed)

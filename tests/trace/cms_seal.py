"""CMS messages made of bytes, for tests: DER written by hand, sealed by no code of the tool (RFC 5652)."""

from __future__ import annotations

import hashlib
import zlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

DATA, SIGNED, ENVELOPED, ENCRYPTED = (f"1.2.840.113549.1.7.{number}" for number in (1, 2, 3, 6))
COMPRESSED, AUTH_ENVELOPED = "1.2.840.113549.1.9.16.1.9", "1.2.840.113549.1.9.16.1.23"
CBC, GCM, WRAP = (f"2.16.840.1.101.3.4.1.{number}" for number in (2, 6, 5))


def der(tag: int, *content: bytes) -> bytes:
    """An element."""
    data = b"".join(content)
    if len(data) < 128:
        return bytes((tag, len(data))) + data
    size = -(-len(data).bit_length() // 8)
    return bytes((tag, 0x80 | size)) + len(data).to_bytes(size, "big") + data


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, text.split("."))
    out = bytes((first * 40 + second,))
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return der(6, out)


def algorithm(name: str, *parameters: bytes) -> bytes:
    """An AlgorithmIdentifier."""
    return der(0x30, oid(name), *parameters)


def message(kind: str, content: bytes) -> bytes:
    """A ContentInfo."""
    return der(0x30, oid(kind), der(0xA0, content))


def version(number: int) -> bytes:
    """A CMSVersion."""
    return der(2, bytes((number,)))


def kek_recipient(key: bytes, kek: bytes, identifier: bytes) -> bytes:
    """A KEKRecipientInfo with AES key wrap of 128 bits."""
    return der(
        0xA2, version(4), der(0x30, der(4, identifier)), algorithm(WRAP), der(4, aes_key_wrap(kek, key))
    )  # fmt: skip


def content_key(seed: bytes) -> bytes:
    """A content-encryption key."""
    return hashlib.sha256(b"content key" + seed).digest()[:16]


def cbc(key: bytes, plain: bytes) -> bytes:
    """An EncryptedContentInfo under AES-CBC."""
    iv = hashlib.sha256(plain).digest()[:16]
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    secret = encryptor.update(padder.update(plain) + padder.finalize())
    return der(0x30, oid(DATA), algorithm(CBC, der(4, iv)), der(0x80, secret))


def enveloped(plain: bytes, *recipients: tuple[bytes, bytes]) -> bytes:
    """EnvelopedData for key-encryption keys, each with its identifier."""
    key = content_key(plain)
    infos = der(0x31, *(kek_recipient(key, kek, identifier) for kek, identifier in recipients))
    return message(ENVELOPED, der(0x30, version(2), infos, cbc(key, plain)))


def auth_enveloped(plain: bytes, kek: bytes, identifier: bytes, attribute: bytes = b"") -> bytes:
    """AuthEnvelopedData under AES-GCM; `attribute` is the value of one that is authenticated."""
    key, nonce = content_key(plain), hashlib.sha256(plain).digest()[:12]
    inside = der(0x30, oid("1.2.840.113549.1.9.3"), der(0x31, der(4, attribute))) if attribute else b""
    covered = der(0x31, inside) if attribute else b""
    sealed = AESGCM(key).encrypt(nonce, plain, covered)
    cipher = algorithm(GCM, der(0x30, der(4, nonce), der(2, b"\x10")))
    info = der(0x30, oid(DATA), cipher, der(0x80, sealed[:-16]))
    attributes = der(0xA1, inside) if attribute else b""
    recipients = der(0x31, kek_recipient(key, kek, identifier))
    return message(AUTH_ENVELOPED, der(0x30, version(0), recipients, info, attributes, der(4, sealed[-16:])))


def encrypted(plain: bytes, key: bytes) -> bytes:
    """EncryptedData."""
    return message(ENCRYPTED, der(0x30, version(0), cbc(key, plain)))


def signed(plain: bytes) -> bytes:
    """SignedData without signers: what it holds is all that counts here."""
    encapsulated = der(0x30, oid(DATA), der(0xA0, der(4, plain)))
    return message(SIGNED, der(0x30, version(1), der(0x31), encapsulated, der(0x31)))


def compressed(plain: bytes) -> bytes:
    """CompressedData (RFC 3274)."""
    encapsulated = der(0x30, oid(DATA), der(0xA0, der(4, zlib.compress(plain))))
    return message(COMPRESSED, der(0x30, version(0), algorithm("1.2.840.113549.1.9.16.3.8"), encapsulated))


# --- other recipients, signers, algorithms --------------------------------------------------------

TRIPLE_DES, RC2 = "1.2.840.113549.3.7", "1.2.840.113549.3.2"
SHA_1, SHA_256, RSA, SHA_1_RSA = (
    "1.3.14.3.2.26",
    "2.16.840.1.101.3.4.2.1",
    "1.2.840.113549.1.1.1",
    "1.2.840.113549.1.1.5",
)


def certificate_name() -> bytes:
    """An IssuerAndSerialNumber."""
    name = der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(0x0C, b"ca"))))
    return der(0x30, name, der(2, b"\x01"))


def transport_recipient() -> bytes:
    """A KeyTransRecipientInfo: the key under the RSA key of a certificate."""
    return der(0x30, version(0), certificate_name(), algorithm(RSA, der(5)), der(4, bytes(128)))


def other_recipient() -> bytes:
    """An OtherRecipientInfo of a type that no standard names."""
    return der(0xA4, oid("1.2.3.4"), der(4, b"x"))


def for_recipients(plain: bytes, *recipients: bytes, cipher: str = CBC) -> bytes:
    """EnvelopedData for recipients as they are; another cipher is only named."""
    info = (
        cbc(content_key(plain), plain).replace(oid(CBC), oid(cipher), 1)
        if len(oid(cipher)) == len(oid(CBC))
        else (der(0x30, oid(DATA), algorithm(cipher, der(4, bytes(8))), der(0x80, bytes(64))))
    )
    return message(ENVELOPED, der(0x30, version(2), der(0x31, *recipients), info))


def signed_by(plain: bytes, *, digest: str = SHA_256, signature: str = RSA) -> bytes:
    """SignedData with one signer, whose signature is noise."""
    encapsulated = der(0x30, oid(DATA), der(0xA0, der(4, plain)))
    signer = der(
        0x30, version(1), certificate_name(), algorithm(digest), algorithm(signature, der(5)), der(4, bytes(128))
    )
    return message(SIGNED, der(0x30, version(1), der(0x31, algorithm(digest)), encapsulated, der(0x31, signer)))

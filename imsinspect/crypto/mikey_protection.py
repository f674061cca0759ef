"""What MIKEY protects its messages with: encryption and MACs of KEMAC and V, envelopes, signatures, Diffie-Hellman.

What does not open or verify gives None or False; ValueError is for algorithms and key sizes that cannot be.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from imsinspect.crypto.mikey import AUTHENTICATION_KEY, ENCRYPTION_KEY, SALT_KEY, derive

if TYPE_CHECKING:
    from collections.abc import Iterator

NULL, AES_CM_128, AES_KW_128, AES_CM_256 = range(4)
"""Encr alg of KEMAC (RFC 3830 §6.2, RFC 6043 §6.2)."""

NULL_MAC, HMAC_SHA_1_160, HMAC_SHA_256_256 = range(3)
"""MAC alg of KEMAC and Auth alg of V (RFC 3830 §6.2, RFC 6043 §6.2)."""

NTP_UTC_32, COUNTER = 3, 2
"""TS types whose value is short of 64 bits (RFC 3830 §6.6, RFC 6043 §6.3)."""

ENCRYPTION_BITS: dict[int, tuple[int, int]] = {
    NULL: (0, 0),
    AES_CM_128: (128, 112),
    AES_KW_128: (128, 64),
    AES_CM_256: (256, 112),
}
"""Bits of encr_key and salt_key by the encryption algorithm (RFC 3830 §4.2.3, RFC 6043 §6.2)."""

AUTHENTICATION_BITS: dict[int, int] = {NULL_MAC: 0, HMAC_SHA_1_160: 160, HMAC_SHA_256_256: 256}
"""Bits of auth_key by the MAC algorithm, which are also those of the MAC (RFC 3830 §4.2.4, RFC 6043 §6.2)."""

_DIGESTS = {HMAC_SHA_1_160: "sha1", HMAC_SHA_256_256: "sha256"}
_WRAP_STEPS = 6
_WRAP_BLOCK = 8
_MAX_CM_OCTETS = 1 << 20  # 2^23 bits of one keystream


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """The keys that protect one MIKEY message or ticket (RFC 3830 §4.1.4)."""

    encr_key: bytes = field(repr=False)
    auth_key: bytes = field(repr=False)
    salt_key: bytes = field(repr=False)


def message_keys(function: int, inkey: bytes, context: bytes, encr_alg: int, mac_alg: int) -> MessageKeys:
    """Keys of the sizes that the algorithms take (RFC 3830 §4.1.4). ValueError for an unknown algorithm or PRF."""
    if encr_alg not in ENCRYPTION_BITS or mac_alg not in AUTHENTICATION_BITS:
        raise ValueError(f"encryption algorithm {encr_alg} with MAC algorithm {mac_alg} is not known")
    encr_bits, salt_bits = ENCRYPTION_BITS[encr_alg]
    return MessageKeys(
        encr_key=derive(function, inkey, ENCRYPTION_KEY, context, encr_bits),
        auth_key=derive(function, inkey, AUTHENTICATION_KEY, context, AUTHENTICATION_BITS[mac_alg]),
        salt_key=derive(function, inkey, SALT_KEY, context, salt_bits),
    )


# --- MAC and encryption ---------------------------------------------------------------------------


def mac(mac_alg: int, auth_key: bytes, covered: bytes) -> bytes:
    """The MAC over octets, never truncated; empty with NULL (RFC 3830 §4.2.4). ValueError for an unknown algorithm."""
    if mac_alg == NULL_MAC:
        return b""
    if mac_alg not in _DIGESTS:
        raise ValueError(f"MAC algorithm {mac_alg} is not known")
    return hmac.digest(auth_key, covered, _DIGESTS[mac_alg])


def timestamp_64(ts_type: int, octets: bytes) -> bytes | None:
    """A TS value as the 64 bits of an IV: a COUNTER is filled up in front, an NTP-UTC-32 behind. None for another size.

    RFC 3830 §6.6, RFC 6043 §6.3.
    """
    if len(octets) == 8:
        return octets
    if len(octets) != 4:
        return None
    return bytes(4) + octets if ts_type == COUNTER else octets + bytes(4)


def initialization_vector(salt_key: bytes, csb_id: int, timestamp: bytes) -> bytes:
    """The IV of AES-CM, from a salt of 112 bits, the CSB ID, and a timestamp of 64 bits. ValueError for other sizes.

    RFC 3830 §4.2.3.
    """
    if len(salt_key) != 14 or len(timestamp) != 8:
        raise ValueError(f"a salt of {len(salt_key)} and a timestamp of {len(timestamp)} octets make no IV")
    bound = bytes(2) + csb_id.to_bytes(4, "big") + timestamp
    return bytes(one ^ other for one, other in zip(salt_key, bound, strict=True)) + bytes(2)


def decrypt(encr_alg: int, keys: MessageKeys, csb_id: int, timestamp: bytes, data: bytes) -> bytes | None:
    """The key data of a KEMAC in clear. None where AES-KW's check fails, or AES-CM's limit is passed.

    RFC 3830 §4.2.3. ValueError for an unknown algorithm, and for keys and timestamps of a wrong size.
    """
    if encr_alg == AES_KW_128:
        return unwrap(keys.encr_key, keys.salt_key, data)
    if encr_alg == NULL:
        return data
    if encr_alg not in (AES_CM_128, AES_CM_256):
        raise ValueError(f"encryption algorithm {encr_alg} is not known")
    if len(data) > _MAX_CM_OCTETS:
        return None
    return _counter_mode(keys.encr_key, initialization_vector(keys.salt_key, csb_id, timestamp), data)


def encrypt(encr_alg: int, keys: MessageKeys, csb_id: int, timestamp: bytes, data: bytes) -> bytes:
    """The key data of a KEMAC, encrypted (RFC 3830 §4.2.3). ValueError as in `decrypt`, and for a wrong size."""
    if encr_alg == AES_KW_128:
        return wrap(keys.encr_key, keys.salt_key, data)
    if len(data) > _MAX_CM_OCTETS:
        raise ValueError(f"{len(data)} octets are too many for one keystream")
    return decrypt(encr_alg, keys, csb_id, timestamp, data) or b""


def _counter_mode(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES in counter mode; encrypting and decrypting are the same."""
    cipher = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


def wrap(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES key wrap with an IV of 64 bits of one's own. ValueError unless the data is two or more blocks of 64 bits.

    RFC 3394 §2.2.1; RFC 3830 §4.2.3 puts salt_key in the IV's place, and does not say how other sizes are filled up.
    """
    if len(data) < 2 * _WRAP_BLOCK or len(data) % _WRAP_BLOCK or len(iv) != _WRAP_BLOCK:
        raise ValueError(f"{len(data)} octets with an IV of {len(iv)} cannot be wrapped")
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    blocks = [data[at : at + _WRAP_BLOCK] for at in range(0, len(data), _WRAP_BLOCK)]
    count = len(blocks)
    for step in range(_WRAP_STEPS):
        for at in range(count):
            out = aes.update(iv + blocks[at])
            iv = (int.from_bytes(out[:_WRAP_BLOCK], "big") ^ (count * step + at + 1)).to_bytes(_WRAP_BLOCK, "big")
            blocks[at] = out[_WRAP_BLOCK:]
    return iv + b"".join(blocks)


def unwrap(key: bytes, iv: bytes, data: bytes) -> bytes | None:
    """What AES key wrap with this IV holds; None where it does not unwrap (RFC 3394 §2.2.2, RFC 3830 §4.2.3)."""
    count = len(data) // _WRAP_BLOCK - 1
    if count < 2 or len(data) % _WRAP_BLOCK or len(data) > _MAX_CM_OCTETS:
        return None
    aes = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    check = data[:_WRAP_BLOCK]
    blocks = [data[at : at + _WRAP_BLOCK] for at in range(_WRAP_BLOCK, len(data), _WRAP_BLOCK)]
    for step in reversed(range(_WRAP_STEPS)):
        for at in reversed(range(count)):
            stepped = int.from_bytes(check, "big") ^ (count * step + at + 1)
            out = aes.update(stepped.to_bytes(_WRAP_BLOCK, "big") + blocks[at])
            check, blocks[at] = out[:_WRAP_BLOCK], out[_WRAP_BLOCK:]
    return b"".join(blocks) if hmac.compare_digest(check, iv) else None


# --- envelopes and signatures ---------------------------------------------------------------------

RSA_PKCS1_V1_5, RSA_PSS, ECCSI = range(3)
"""S type of SIGN (RFC 3830 §6.5, RFC 6509 §4.3)."""

_SIGNATURE_HASHES: tuple[hashes.HashAlgorithm, ...] = (hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())


def open_envelope(private_key: rsa.RSAPrivateKey, data: bytes) -> Iterator[tuple[str, bytes]]:
    """What a PKE payload can hold, with the padding it was read by. Only a MAC made with it tells whether it is right:
    libraries answer wrong PKCS#1 v1.5 padding with random octets (RFC 3830 §4.2.5; RFC 8017 §7.2).
    """
    oaep = (("OAEP with SHA-1", hashes.SHA1()), ("OAEP with SHA-256", hashes.SHA256()))
    paddings: list[tuple[str, padding.AsymmetricPadding]] = [
        (name, padding.OAEP(padding.MGF1(algorithm), algorithm, None)) for name, algorithm in oaep
    ]
    for name, scheme in [*paddings, ("PKCS#1 v1.5", padding.PKCS1v15())]:
        try:
            key = private_key.decrypt(data, scheme)
        except (ValueError, UnsupportedAlgorithm):
            continue
        if key:
            yield name, key


def rsa_key_of(certificate: bytes) -> rsa.RSAPublicKey | None:
    """The RSA key of a certificate in DER; None where it has none, or is no certificate (RFC 3830 §6.7)."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) else None


def verify_signature(public_key: rsa.RSAPublicKey, s_type: int, signature: bytes, covered: bytes) -> str | None:
    """The name of the hash with which an RSA signature verifies; None where it does with none (RFC 3830 §4.2.6).

    The message does not say which hash was used. ValueError for an S type that is not RSA.
    """
    if s_type not in (RSA_PKCS1_V1_5, RSA_PSS):
        raise ValueError(f"signature type {s_type} is not one of RSA")
    for algorithm in _SIGNATURE_HASHES:
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if s_type == RSA_PSS:
            scheme = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
        try:
            public_key.verify(signature, covered, scheme, algorithm)
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            continue
        return algorithm.name
    return None


# --- Diffie-Hellman -------------------------------------------------------------------------------

OAKLEY_5, OAKLEY_1, OAKLEY_2 = range(3)
"""DH groups (RFC 3830 §6.4)."""

_PI_768 = (
    "c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a6"
)
_PI_1024 = _PI_768 + "37ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece"
_PI_1536 = (
    _PI_1024 + "45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed52907709696"
    "6d670c354e4abc9804f1746c08ca"
)
DH_PRIMES: dict[int, int] = {
    OAKLEY_1: int("f" * 16 + _PI_768 + "3a3620" + "f" * 16, 16),
    OAKLEY_2: int("f" * 16 + _PI_1024 + "65381" + "f" * 16, 16),
    OAKLEY_5: int("f" * 16 + _PI_1536 + "237327" + "f" * 16, 16),
}
"""The primes of the groups (RFC 2412 Appendix E)."""

DH_GENERATOR = 2
"""The generator of all three groups (RFC 2412 Appendix E)."""


def dh_value_is_sound(group: int, value: bytes) -> bool:
    """Whether a DH value is one that a private value can give: not 0, 1, p-1, nor p or more. False for other groups.

    RFC 3830 §4.2.7 (groups), RFC 2631 §2.1.5 (why).
    """
    prime = DH_PRIMES.get(group)
    return prime is not None and 1 < int.from_bytes(value, "big") < prime - 1


def dh_value(group: int, private: int) -> bytes:
    """The DH value of a private one, as long as the prime (RFC 3830 §3.3). ValueError for an unknown group."""
    return _power(group, DH_GENERATOR, private)


def dh_shared_secret(group: int, private: int, value: bytes) -> bytes | None:
    """The TGK of a Diffie-Hellman exchange, as long as the prime; None for a value that is not sound (RFC 3830 §3.3).

    Whether leading zeros are kept is not stated there. ValueError for an unknown group.
    """
    if group in DH_PRIMES and not dh_value_is_sound(group, value):
        return None
    return _power(group, int.from_bytes(value, "big"), private)


def _power(group: int, base: int, exponent: int) -> bytes:
    if group not in DH_PRIMES:
        raise ValueError(f"Diffie-Hellman group {group} is not known")
    prime = DH_PRIMES[group]
    return pow(base, exponent, prime).to_bytes(-(-prime.bit_length() // 8), "big")

"""Key derivation of TLS and DTLS: the PRF of 1.0 to 1.2, the key schedule of 1.3, Finished and exporters.

Pure functions over octets. Hashes are named as hashlib does; `MD5_SHA1` names the pair that TLS 1.0 and 1.1 use.
Sources: RFC 2246 §5, RFC 5246 §5 to §8, RFC 7627 §4, RFC 4279 §2, RFC 5705 §4; RFC 8446 §7, RFC 9147 §5.9.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

MD5_SHA1 = "md5-sha1"
"""The PRF and transcript hash of TLS 1.0 and 1.1, DTLS 1.0: MD5 and SHA-1 together (RFC 2246 §5, §7.4.9)."""

TLS13 = b"tls13 "
"""How labels begin in TLS 1.3 (RFC 8446 §7.1)."""

DTLS13 = b"dtls13"
"""How labels begin in DTLS 1.3: without a space (RFC 9147 §5.9)."""

VERIFY_DATA = 12
"""Octets of verify_data below TLS 1.3 (RFC 5246 §7.4.9)."""

SRTP_LABEL = b"EXTRACTOR-dtls_srtp"
"""The exporter label of DTLS-SRTP (RFC 5764 §4.2)."""


# --- TLS 1.0 to 1.2 -------------------------------------------------------------------------------


def p_hash(hash_name: str, secret: bytes, seed: bytes, octets: int) -> bytes:
    """P_hash of RFC 5246 §5."""
    out = bytearray()
    a = seed
    while len(out) < octets:
        a = hmac.digest(secret, a, hash_name)
        out += hmac.digest(secret, a + seed, hash_name)
    return bytes(out[:octets])


def prf(hash_name: str, secret: bytes, label: bytes, seed: bytes, octets: int) -> bytes:
    """The PRF: P_hash (RFC 5246 §5), under MD5_SHA1 that of RFC 2246 §5, whose halves overlap in an odd octet."""
    if hash_name != MD5_SHA1:
        return p_hash(hash_name, secret, label + seed, octets)
    half = (len(secret) + 1) // 2
    first = p_hash("md5", secret[:half], label + seed, octets)
    second = p_hash("sha1", secret[len(secret) - half :], label + seed, octets)
    return bytes(x ^ y for x, y in zip(first, second, strict=True))


def transcript_hash(hash_name: str, messages: bytes) -> bytes:
    """The hash over handshake messages: of the PRF, under MD5_SHA1 both one behind the other."""
    if hash_name == MD5_SHA1:
        return hashlib.md5(messages).digest() + hashlib.sha1(messages).digest()
    return hashlib.new(hash_name, messages).digest()


def psk_premaster(psk: bytes, other: bytes | None = None) -> bytes:
    """The premaster secret of a pre-shared key: with other_secret zero, as long as the key, where none is given (RFC
    4279 §2)."""
    if other is None:
        other = bytes(len(psk))
    return len(other).to_bytes(2, "big") + other + len(psk).to_bytes(2, "big") + psk


def master_secret(hash_name: str, premaster: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """RFC 5246 §8.1."""
    return prf(hash_name, premaster, b"master secret", client_random + server_random, 48)


def extended_master_secret(hash_name: str, premaster: bytes, session_hash: bytes) -> bytes:
    """RFC 7627 §4; session_hash is the hash of all handshake messages through ClientKeyExchange."""
    return prf(hash_name, premaster, b"extended master secret", session_hash, 48)


def key_block(hash_name: str, master: bytes, client_random: bytes, server_random: bytes, octets: int) -> bytes:
    """RFC 5246 §6.3."""
    return prf(hash_name, master, b"key expansion", server_random + client_random, octets)


def verify_data(hash_name: str, master: bytes, handshake_hash: bytes, *, from_client: bool) -> bytes:
    """What a Finished holds (RFC 5246 §7.4.9)."""
    label = b"client finished" if from_client else b"server finished"
    return prf(hash_name, master, label, handshake_hash, VERIFY_DATA)


# --- TLS 1.3 --------------------------------------------------------------------------------------


def hkdf_extract(hash_name: str, salt: bytes, secret: bytes) -> bytes:
    """RFC 5869 §2.2."""
    return hmac.digest(salt or bytes(hashlib.new(hash_name).digest_size), secret, hash_name)


def hkdf_expand(hash_name: str, secret: bytes, info: bytes, octets: int) -> bytes:
    """RFC 5869 §2.3."""
    out, block = b"", b""
    for counter in range(1, 256):
        if len(out) >= octets:
            return out[:octets]
        block = hmac.digest(secret, block + info + bytes((counter,)), hash_name)
        out += block
    if len(out) < octets:
        raise ValueError("HKDF-Expand gives at most 255 blocks")
    return out[:octets]


def hkdf_expand_label(
    hash_name: str, secret: bytes, label: bytes, context: bytes, octets: int, prefix: bytes = TLS13
) -> bytes:
    """RFC 8446 §7.1."""
    full = prefix + label
    info = octets.to_bytes(2, "big") + bytes((len(full),)) + full + bytes((len(context),)) + context
    return hkdf_expand(hash_name, secret, info, octets)


def derive_secret(hash_name: str, secret: bytes, label: bytes, messages: bytes, prefix: bytes = TLS13) -> bytes:
    """RFC 8446 §7.1; messages are those that are hashed."""
    hashed = hashlib.new(hash_name, messages).digest()
    return hkdf_expand_label(hash_name, secret, label, hashed, len(hashed), prefix)


def next_traffic_secret(hash_name: str, secret: bytes, prefix: bytes = TLS13) -> bytes:
    """The application traffic secret behind a KeyUpdate (RFC 8446 §7.2)."""
    return hkdf_expand_label(hash_name, secret, b"traffic upd", b"", len(secret), prefix)


def verify_data13(hash_name: str, traffic_secret: bytes, handshake_hash: bytes, prefix: bytes = TLS13) -> bytes:
    """What a Finished of TLS 1.3 holds, from its sender's handshake traffic secret (RFC 8446 §4.4.4)."""
    octets = hashlib.new(hash_name).digest_size
    key = hkdf_expand_label(hash_name, traffic_secret, b"finished", b"", octets, prefix)
    return hmac.digest(key, handshake_hash, hash_name)


def message_hash(hash_name: str, client_hello: bytes) -> bytes:
    """What stands for the first ClientHello in a transcript with a HelloRetryRequest (RFC 8446 §4.4.1)."""
    hashed = hashlib.new(hash_name, client_hello).digest()
    return b"\xfe\x00\x00" + bytes((len(hashed),)) + hashed


def psk_ke_secrets(
    hash_name: str, psk: bytes, client_hello: bytes, through_server_hello: bytes, prefix: bytes = TLS13
) -> dict[str, bytes]:
    """What follows from a pre-shared key without Diffie-Hellman as soon as a ServerHello is there (RFC 8446 §7.1).

    The handshake messages are given: the ClientHello, and everything from it through the ServerHello. Names are those
    of key logs; "master" is the Master Secret, for `psk_ke_application`.
    """
    zeros = bytes(hashlib.new(hash_name).digest_size)
    early = hkdf_extract(hash_name, zeros, psk)
    handshake = hkdf_extract(hash_name, derive_secret(hash_name, early, b"derived", b"", prefix), zeros)
    master = hkdf_extract(hash_name, derive_secret(hash_name, handshake, b"derived", b"", prefix), zeros)
    return {
        "CLIENT_EARLY_TRAFFIC_SECRET": derive_secret(hash_name, early, b"c e traffic", client_hello, prefix),
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET": derive_secret(
            hash_name, handshake, b"c hs traffic", through_server_hello, prefix
        ),
        "SERVER_HANDSHAKE_TRAFFIC_SECRET": derive_secret(
            hash_name, handshake, b"s hs traffic", through_server_hello, prefix
        ),
        "master": master,
    }


def psk_ke_application(
    hash_name: str, master: bytes, through_server_finished: bytes, prefix: bytes = TLS13
) -> dict[str, bytes]:
    """The secrets of application data from the Master Secret, as soon as the server's Finished is there (RFC 8446
    §7.1)."""
    return {
        "CLIENT_TRAFFIC_SECRET_0": derive_secret(hash_name, master, b"c ap traffic", through_server_finished, prefix),
        "SERVER_TRAFFIC_SECRET_0": derive_secret(hash_name, master, b"s ap traffic", through_server_finished, prefix),
        "EXPORTER_SECRET": derive_secret(hash_name, master, b"exp master", through_server_finished, prefix),
    }


# --- exporters ------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class Exporter:
    """Exports keying material of one session (RFC 5705 §4, RFC 8446 §7.5)."""

    hash_name: str
    secret: bytes = field(repr=False)  # the master secret, in TLS 1.3 the exporter_master_secret
    randoms: bytes = b""  # client random and server random; empty in TLS 1.3
    prefix: bytes = b""  # of labels in TLS 1.3 and DTLS 1.3; empty below

    def export(self, label: bytes, octets: int, context: bytes | None = None) -> bytes:
        """Keying material; a context of None and an empty one differ below TLS 1.3."""
        if self.prefix:
            derived = derive_secret(self.hash_name, self.secret, label, b"", self.prefix)
            hashed = hashlib.new(self.hash_name, context or b"").digest()
            return hkdf_expand_label(self.hash_name, derived, b"exporter", hashed, octets, self.prefix)
        seed = self.randoms
        if context is not None:
            seed += len(context).to_bytes(2, "big") + context
        return prf(self.hash_name, self.secret, label, seed, octets)

"""ECCSI signatures: by an identity, with a public key of the KMS that all its users share (RFC 6507)."""

from __future__ import annotations

import hashlib

from imsinspect.crypto.curves import Curve

P_256 = Curve(
    p=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    a=-3,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
)
"""The curve of RFC 6507 with RFC 6509 §2.1.2 (FIPS 186-4 D.1.2.3)."""

GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

SIGNATURE_OCTETS = 129
"""r, s and the signer's PVT (RFC 6507 §3.3)."""

_NUMBER = 32


def hash_of_signer(kpak: bytes, signer: bytes, pvt: bytes) -> bytes:
    """HS, which binds an identifier to its Public Validation Token (RFC 6507 §5.1.1)."""
    return hashlib.sha256(P_256.write(GENERATOR) + kpak + signer + pvt).digest()


def verify(kpak: bytes, signer: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is the signer's over a message, by the KMS Public Authentication Key. RFC 6507 §5.2.2.

    ValueError where the key is no point of the curve.
    """
    public = P_256.read(kpak)
    if public is None:
        raise ValueError("a KMS Public Authentication Key must be a point of P-256, in 65 octets")
    r_octets, s_octets, pvt = signature[:_NUMBER], signature[_NUMBER : 2 * _NUMBER], signature[2 * _NUMBER :]
    r, s, token = int.from_bytes(r_octets, "big"), int.from_bytes(s_octets, "big"), P_256.read(pvt)
    if len(signature) != SIGNATURE_OCTETS or token is None or not 0 < s < ORDER:
        return False
    hs = hash_of_signer(kpak, signer, pvt)
    he = hashlib.sha256(hs + r_octets + message).digest()
    y = P_256.add(P_256.multiply(int.from_bytes(hs, "big"), token), public)
    inner = P_256.add(P_256.multiply(int.from_bytes(he, "big"), GENERATOR), P_256.multiply(r, y))
    j = P_256.multiply(s, inner)
    return j is not None and j[0] % P_256.p == r % P_256.p and r % P_256.p != 0

"""What mission critical services add to MIKEY-SAKKE: hashed identities, key identifiers, protected key parameters.

TS 33.180 Annexes E and F, as its messages show it.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_UID, _GUK_ID, _DPCK = 0x00, 0x50, 0x53  # FC values
_UID_LABEL = b"MIKEY-SAKKE-UID"
_PURPOSE, _IDENTIFIER = 0xF0000000, 0x0FFFFFFF
_DPCK_OCTETS = 16
_HEAD_OCTETS = 12
_TAG_OCTETS = 16


def uid(user: bytes, kms: bytes, period: int, offset: int, number: int) -> bytes:
    """The hashed identity of a user in one key period (TS 33.180 Annex F.2.1). ValueError for negative numbers."""
    return hashlib.sha256(
        _string(_UID, _UID_LABEL, user, kms, *(_shortest(one) for one in (period, offset, number)))
    ).digest()


def key_period_number(ntp_seconds: int, period: int, offset: int) -> int:
    """The number of the key period that a time in seconds since 1900 is in (TS 33.180 Annex F.2.1). The formula is
    unconfirmed, but fits the messages seen. ValueError for a period that is none.
    """
    if period <= 0:
        raise ValueError(f"a key period of {period} seconds is none")
    return (ntp_seconds - offset) // period


def guk_id(gmk: bytes, gmk_id: int, user: bytes) -> int:
    """The GUK-ID of a group member: the GMK-ID with the member's salt in its 28 bits (TS 33.180 Annex F.1.3)."""
    digest = hmac.digest(gmk, _string(_GUK_ID, user), "sha256")
    return gmk_id & _PURPOSE | (gmk_id ^ int.from_bytes(digest, "big")) & _IDENTIFIER


def key_parameters(ssv: bytes, protected: bytes) -> bytes | None:
    """3GPP key parameters in clear, from general extension 7 that protects them by AES-128-GCM with a key from the SSV.

    None where they do not verify, are cut short, or have another algorithm (TS 33.180 Annex E.6).
    """
    head, iv, rest = protected[:_HEAD_OCTETS], protected[12:28], protected[28:]
    dppk_id, length, sealed = rest[:4], rest[5:7], rest[7:]
    if len(length) < 2 or head[11] != 1 or len(sealed) < _TAG_OCTETS or int.from_bytes(length, "big") != len(sealed):
        return None
    key = hmac.digest(ssv, _string(_DPCK, dppk_id), "sha256")[-_DPCK_OCTETS:]
    try:
        return AESGCM(key).decrypt(iv, sealed, head + iv + dppk_id)
    except InvalidTag:
        return None


def _string(code: int, *parts: bytes) -> bytes:
    """The input of the key derivation function: FC, then parameters with their lengths (TS 33.220 Annex B.2)."""
    return bytes([code]) + b"".join(part + len(part).to_bytes(2, "big") for part in parts)


def _shortest(number: int) -> bytes:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number.to_bytes(max(1, -(-number.bit_length() // 8)), "big")

"""Tags of many SRTP packets at once, as fast as Python can (RFC 3711 §4.2, RFC 7714 §8)."""

from __future__ import annotations

import hashlib
from operator import sub
from typing import TYPE_CHECKING

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hmac import HMAC

from imsinspect.crypto.srtp_packets import FIXED_HEADER
from imsinspect.crypto.srtp_parameters import AEAD_TAG
from imsinspect.crypto.srtp_transforms import HmacTransform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.crypto.srtp import SrtpKeys
    from imsinspect.crypto.srtp_transforms import AeadTransform

_SHA1_BLOCK = 64


def hmac_states(authentication_key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """SHA-1 objects that have taken in the padded key of the inner and of the outer hash (RFC 2104 §2).

    HMAC of a message: update a copy of the inner one with it, then a copy of the outer one with the digest of that.
    """
    key = authentication_key.ljust(_SHA1_BLOCK, b"\0")
    return hashlib.sha1(bytes(octet ^ 0x36 for octet in key)), hashlib.sha1(bytes(octet ^ 0x5C for octet in key))


def verify_many(
    keys: SrtpKeys, data: bytes | memoryview, starts: Sequence[int], ends: Sequence[int], roc: int
) -> list[int]:
    """Positions in the lists of the packets in `data` whose tag is wrong or missing, exactly as `verify_srtp` says.

    All packets have the same rollover counter. `starts` and `ends` are the offsets of the packets, plain integers.
    """
    if len(starts) != len(ends):
        raise ValueError("packets have as many starts as ends")
    parameters = keys.parameters
    if not parameters.key_derivation_rate and not parameters.roc_mode and parameters.authenticates_srtp:
        transform = keys.transform(rtcp=False, index=0)
        if isinstance(transform, HmacTransform):
            minimum = FIXED_HEADER + parameters.mki_octets + parameters.srtp_tag_octets
            if min(map(sub, ends, starts), default=minimum) >= minimum:
                trailer = parameters.mki_octets, parameters.srtp_tag_octets
                return _hmac_failures(transform.authenticator, data, starts, ends, roc, *trailer)
        elif parameters.encrypt_srtp:
            return _aead_failures(transform, data, starts, ends, roc, parameters.mki_octets)
    return [
        position
        for position, (start, end) in enumerate(zip(starts, ends, strict=True))
        if not keys.verify_srtp(bytes(data[start:end]), roc)
    ]


def _hmac_failures(
    authenticator: HMAC,
    data: bytes | memoryview,
    starts: Sequence[int],
    ends: Sequence[int],
    roc: int,
    mki_octets: int,
    tag_octets: int,
) -> list[int]:
    # The HMAC of `cryptography`, copied, is faster than two SHA-1 objects of hashlib; unbound methods save a lookup.
    copy, update, finalize = HMAC.copy, HMAC.update, HMAC.finalize
    counter = (roc & 0xFFFFFFFF).to_bytes(4, "big")
    failed = []
    for position, start, end in zip(range(len(starts)), starts, ends, strict=True):
        tag = end - tag_octets
        mac = copy(authenticator)
        update(mac, data[start : tag - mki_octets])
        update(mac, counter)
        if finalize(mac)[:tag_octets] != data[tag:end]:
            failed.append(position)
    return failed


def _aead_failures(
    transform: AeadTransform,
    data: bytes | memoryview,
    starts: Sequence[int],
    ends: Sequence[int],
    roc: int,
    mki_octets: int,
) -> list[int]:
    # Initial vectors and header lengths of all packets are made in columns; then one decryption for each.
    octets = np.frombuffer(data, np.uint8)
    start = np.asarray(starts, np.int64)
    end = np.asarray(ends, np.int64) - mki_octets
    limit = end - AEAD_TAG
    fits = (limit - start >= FIXED_HEADER) & (start >= 0) & (end <= len(octets))
    failed = np.flatnonzero(~fits).tolist()
    position = np.flatnonzero(fits)
    start, end, limit = start[position], end[position], limit[position]

    first = octets[start]
    body = start + FIXED_HEADER + 4 * (first & 0x0F).astype(np.int64)
    extended = np.flatnonzero(first & 0x10)
    words = np.minimum(body[extended] + 2, len(octets) - 2)
    body[extended] += 4 + 4 * (octets[words].astype(np.int64) << 8 | octets[words + 1])
    fits = body <= limit
    failed += position[~fits].tolist()
    position, start, end, body = position[fits], start[fits], end[fits], body[fits]

    vectors = np.empty((len(start), 12), np.uint8)
    vectors[:, :2] = 0
    vectors[:, 2:6] = octets[start[:, None] + np.arange(8, 12)]
    vectors[:, 6:10] = np.frombuffer((roc & 0xFFFFFFFF).to_bytes(4, "big"), np.uint8)
    vectors[:, 10:] = octets[start[:, None] + np.arange(2, 4)]
    vectors ^= np.frombuffer(transform.salt, np.uint8)
    whole = vectors.view("V12").ravel().tolist()  # one bytes object for each row

    decrypt = transform.cipher.decrypt
    columns = zip(position.tolist(), whole, start.tolist(), body.tolist(), end.tolist(), strict=True)
    for number, vector, begin, payload, stop in columns:
        try:
            decrypt(vector, data[payload:stop], data[begin:payload])
        except InvalidTag:
            failed.append(number)
    return sorted(failed)

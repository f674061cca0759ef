"""Key derivation of MIKEY: the PRF, its labels, and the keys of every mode.

Sources: RFC 3830 §4.1, RFC 6043 §5.1 and Appendix A, RFC 6267 §5.1. Every key is one of
`derive(function, inkey, constant, context, bits)`: the label is one of the constants here and a context, which the
functions named `…_context` make. RANDs are always the bare random numbers, never payloads.
"""

from __future__ import annotations

import hashlib
import hmac

MIKEY_1, PRF_HMAC_SHA_256 = 0, 1
"""PRF functions (RFC 3830 §4.1.2, RFC 6043 §6.1)."""

TEK = 0x2AD01C64
TGK_AUTHENTICATION_KEY = 0x1B5C7973
TGK_ENCRYPTION_KEY = 0x15798CEF
TGK_SALT = 0x39A2C14B
"""Constants for keys from a TGK (RFC 3830 §4.1.3)."""

ENCRYPTION_KEY = 0x150533E1
AUTHENTICATION_KEY = 0x2D22AC75
SALT_KEY = 0x29B88916
"""Constants for keys that protect MIKEY messages (RFC 3830 §4.1.4)."""

MPK_I = 0x220E99A2
MPK_R = 0x1F4D675B
"""Constants for MPKi and MPKr from an MPK (RFC 6043 Appendix A.2.2)."""

IBAKE_MPK, IBAKE_TGK = MPK_I, MPK_R
"""The same constants for MPK and TGK from K_SESSION (RFC 6267 §5.1)."""

FORKED_MPK_R = 0x2B288856
FORKED_TGK = 0x1512B54A
"""Constants for key forking (RFC 6043 §5.1.1)."""

NO_CSB_ID = 0xFFFFFFFF
"""Stands for the CSB ID where keys are bound to no crypto session bundle (RFC 6043 §5.1)."""

_NO_CS_ID = 0xFF
_BLOCK = 32  # octets of the inkey that one P function takes, for both PRFs
_HASHES = {MIKEY_1: "sha1", PRF_HMAC_SHA_256: "sha256"}
_FORKING, _INITIAL, _RESPONSE, _SESSION, _VERIFICATION, _TICKET, _MPK = range(7)  # tags of RFC 6043 §5.1


def known_prf(function: int) -> bool:
    """Whether this PRF function is known here (RFC 3830 §6.1)."""
    return function in _HASHES


def prf(function: int, inkey: bytes, label: bytes, bits: int) -> bytes:
    """The PRF: a key of some bits from an input key and a label. ValueError for an unknown function or an odd length.

    RFC 3830 §4.1.2; RFC 6043 §6.1 puts HMAC-SHA-256 in the place of HMAC-SHA-1 and keeps the blocks of 256 bits.
    """
    if function not in _HASHES:
        raise ValueError(f"PRF function {function} is not known")
    if bits < 0 or bits % 8:
        raise ValueError(f"a key of {bits} bits is no whole number of octets")
    digest = _HASHES[function]
    octets = bits // 8
    rounds = -(-octets // hashlib.new(digest, usedforsecurity=False).digest_size)
    outkey = 0
    for at in range(0, max(len(inkey), 1), _BLOCK):
        block = inkey[at : at + _BLOCK]
        outkey ^= int.from_bytes(_p(digest, block, label, rounds)[:octets], "big")
    return outkey.to_bytes(octets, "big")


def _p(digest: str, block: bytes, label: bytes, rounds: int) -> bytes:
    """The P function (RFC 3830 §4.1.2)."""
    parts, link = [], label
    for _ in range(rounds):
        link = hmac.digest(block, link, digest)
        parts.append(hmac.digest(block, link + label, digest))
    return b"".join(parts)


def derive(function: int, inkey: bytes, constant: int, context: bytes, bits: int) -> bytes:
    """A key: the PRF over a label, which is a constant and a context (RFC 3830 §4.1.3). ValueError as in `prf`."""
    return prf(function, inkey, constant.to_bytes(4, "big") + context, bits)


# --- contexts -------------------------------------------------------------------------------------


def session_context(cs_id: int, csb_id: int, rand: bytes) -> bytes:
    """For keys of a crypto session from a TGK, SSV or GMK (RFC 3830 §4.1.3). ValueError for numbers out of range."""
    return _octets(cs_id, 1) + _octets(csb_id, 4) + rand


def message_context(csb_id: int, rand: bytes) -> bytes:
    """For keys that protect a message, from a pre-shared or envelope key, or IBAKE's MPK (RFC 3830 §4.1.4)."""
    return session_context(_NO_CS_ID, csb_id, rand)


def initial_message_context(csb_id: int, rand_i: bytes, rand_r: bytes) -> bytes:
    """For keys that protect the first message of a MIKEY-TICKET exchange (RFC 6043 §5.1.2).

    Request and Transfer have no RANDRr, Resolve has no RANDRi: what is left out is empty.
    """
    return _tagged(_NO_CS_ID, csb_id, _INITIAL, rand_i, rand_r)


def response_message_context(csb_id: int, rand_i: bytes, rand_r: bytes) -> bytes:
    """For keys that protect the answer of a MIKEY-TICKET exchange (RFC 6043 §5.1.2).

    That to TRANSFER_INIT has a RANDRr where flag G of the ticket is set.
    """
    return _tagged(_NO_CS_ID, csb_id, _RESPONSE, rand_i, rand_r)


def ticket_session_context(cs_id: int, rand_i: bytes, rand_r: bytes) -> bytes:
    """For keys of a crypto session of MIKEY-TICKET, with the RANDs that flags H and G ask for (RFC 6043 §5.1.3)."""
    return _tagged(cs_id, NO_CSB_ID, _SESSION, rand_i, rand_r)


def initiator_data_context() -> bytes:
    """For the key of Vr, from MPKr before forking (RFC 6043 §6.10)."""
    return _tagged(_NO_CS_ID, NO_CSB_ID, _VERIFICATION)


def ticket_context(rand: bytes) -> bytes:
    """For keys that protect a base ticket, from a TPK and the RAND of the ticket (RFC 6043 Appendix A.2.1)."""
    return _tagged(_NO_CS_ID, NO_CSB_ID, _TICKET, rand)


def mpk_context(rand: bytes) -> bytes:
    """For MPKi and MPKr from the MPK of a base ticket, with the RAND of the ticket (RFC 6043 Appendix A.2.2)."""
    return _tagged(_NO_CS_ID, NO_CSB_ID, _MPK, rand)


def forking_context(responder: bytes, rand_kms: bytes) -> bytes:
    """For forked keys: the data of IDRr in RESOLVE_RESP or TRANSFER_RESP, and RANDRkms (RFC 6043 §5.1.1)."""
    head = _octets(_NO_CS_ID, 1) + _octets(NO_CSB_ID, 4) + _octets(_FORKING, 1)
    return head + _octets(len(responder), 2) + responder + _octets(len(rand_kms), 1) + rand_kms


def ibake_context(rand: bytes) -> bytes:
    """For MPK and TGK from K_SESSION (RFC 6267 §5.1)."""
    return message_context(NO_CSB_ID, rand)


def _tagged(cs_id: int, csb_id: int, tag: int, *rands: bytes) -> bytes:
    head = _octets(cs_id, 1) + _octets(csb_id, 4) + _octets(tag, 1)
    return head + b"".join(_octets(len(rand), 1) + rand for rand in rands)


def _octets(number: int, octets: int) -> bytes:
    if not 0 <= number < 1 << 8 * octets:
        raise ValueError(f"{number} does not fit {octets} octets")
    return number.to_bytes(octets, "big")


# --- keys from keys -------------------------------------------------------------------------------


def mpks(function: int, mpk: bytes, rand: bytes) -> tuple[bytes, bytes]:
    """MPKi and MPKr, as long as the MPK they come from (RFC 6043 Appendix A.2.2). The PRF is that of the ticket."""
    context, bits = mpk_context(rand), 8 * len(mpk)
    return derive(function, mpk, MPK_I, context, bits), derive(function, mpk, MPK_R, context, bits)


def forked_mpk_r(function: int, mpk_r: bytes, responder: bytes, rand_kms: bytes) -> bytes:
    """MPKr' of one Responder, as long as MPKr (RFC 6043 §5.1.1). The PRF is that of the ticket."""
    return derive(function, mpk_r, FORKED_MPK_R, forking_context(responder, rand_kms), 8 * len(mpk_r))


def forked_tgk(function: int, tgk: bytes, responder: bytes, rand_kms: bytes) -> bytes:
    """TGK' of one Responder, as long as the TGK (RFC 6043 §5.1.1). TEKs and GTGKs are never forked."""
    return derive(function, tgk, FORKED_TGK, forking_context(responder, rand_kms), 8 * len(tgk))


def ibake_keys(function: int, k_session: bytes, rand: bytes, bits: int) -> tuple[bytes, bytes]:
    """MPK and TGK from the session key of IBAKE (RFC 6267 §5.1)."""
    context = ibake_context(rand)
    mpk = derive(function, k_session, IBAKE_MPK, context, bits)
    return mpk, derive(function, k_session, IBAKE_TGK, context, bits)

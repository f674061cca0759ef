"""SRTP and SRTCP packets under a master key: verified, opened, protected (RFC 3711, RFC 4771, RFC 6904, RFC 7714)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from imsinspect.crypto.srtp_batch import hmac_states, verify_many
from imsinspect.crypto.srtp_extensions import crypt_elements
from imsinspect.crypto.srtp_packets import (
    ENCRYPTED,
    INDEX_WORD,
    RTCP_CLEAR,
    cut_srtcp,
    cut_srtp,
    header_octets,
    srtp_index,
    trailer,
)
from imsinspect.crypto.srtp_parameters import (
    ROC_OCTETS,
    SessionKeys,
    SrtpParameters,
    header_extension_keys,
    session_keys,
)
from imsinspect.crypto.srtp_transforms import KEYSTREAM_CIPHERS, AeadTransform, HmacTransform

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "SessionKeys",
    "SrtpKeys",
    "SrtpParameters",
    "header_octets",
    "hmac_states",
    "session_keys",
    "verify_many",
]

_KEPT_INTERVALS = 64  # session keys of so many intervals of a key derivation rate are kept


class SrtpKeys:
    """One master key with its parameters; session keys are derived once for each interval of the derivation rate.

    A packet that does not verify or is too short for its parts is None or False, never an exception. A packet without
    a tag (UNAUTHENTICATED_SRTP, or as RCCm1 and RCCm3 have it) is opened, but it is not verified: see `has_tag`.
    The rollover counter counts modulo 2^32, and one that the packet carries (RFC 4771) precedes the one given.
    """

    __slots__ = ("_master_key", "_master_salt", "_transforms", "parameters")

    def __init__(self, parameters: SrtpParameters, master_key: bytes, master_salt: bytes) -> None:
        self.parameters = parameters
        self._master_key = bytes(master_key)
        self._master_salt = bytes(master_salt)
        self._transforms: dict[tuple[bool, int], HmacTransform | AeadTransform] = {}
        self.transform(rtcp=False, index=0)  # wrong lengths are a ValueError here

    def __repr__(self) -> str:
        return f"SrtpKeys({self.parameters!r})"

    def transform(self, *, rtcp: bool, index: int) -> HmacTransform | AeadTransform:
        """The session keys at work for the packet of this index (ROC and SEQ, or SRTCP's)."""
        rate = self.parameters.key_derivation_rate
        key = rtcp, index // rate if rate else 0
        found = self._transforms.get(key)
        if found is None:
            if len(self._transforms) >= _KEPT_INTERVALS:
                self._transforms.clear()
            keys = session_keys(self.parameters, self._master_key, self._master_salt, rtcp=rtcp, index=index)
            found = (AeadTransform if self.parameters.aead else HmacTransform)(self.parameters, keys)
            self._transforms[key] = found
        return found

    def authenticator(self, *, rtcp: bool = False, index: int = 0) -> tuple[object, object]:
        """States of the HMAC of this interval as `hmac_states` makes them; a ValueError for AES-GCM, which has none."""
        if self.parameters.aead:
            raise ValueError("AES-GCM has no HMAC")
        keys = session_keys(self.parameters, self._master_key, self._master_salt, rtcp=rtcp, index=index)
        return hmac_states(keys.authentication)

    # SRTP

    def has_tag(self, packet: bytes) -> bool:
        """Something in this SRTP packet can be verified: not so without authentication, and in part with RCCm1."""
        parts = cut_srtp(self.parameters, packet, 0)
        return parts is not None and (self.parameters.aead or bool(parts.tag))

    def carried_roc(self, packet: bytes) -> int | None:
        """The rollover counter that this SRTP packet carries, not verified (RFC 4771 §2); None if it carries none."""
        parts = cut_srtp(self.parameters, packet, 0)
        return parts.roc if parts is not None and trailer(self.parameters, packet)[0] else None

    def verify_srtp(self, packet: bytes, roc: int) -> bool:
        """The packet carries a tag, and it is right."""
        packet = bytes(packet)
        parts = cut_srtp(self.parameters, packet, roc)
        if parts is None:
            return False
        return self.transform(rtcp=False, index=srtp_index(packet, parts.roc)).verify_srtp(parts)

    def open_srtp(self, packet: bytes, roc: int, *, check: bool = True) -> bytes | None:
        """The RTP packet, without MKI and tag; None if it does not verify (unless not asked) or holds no header."""
        packet = bytes(packet)
        parts = cut_srtp(self.parameters, packet, roc)
        if parts is None:
            return None
        opened = self.transform(rtcp=False, index=srtp_index(packet, parts.roc)).open_srtp(parts, check=check)
        return opened if opened is None else self._crypt_extension(opened, parts.roc)

    def protect_srtp(self, packet: bytes, roc: int, mki: bytes = b"") -> bytes:
        """The SRTP packet that a sender makes of an RTP packet; ValueError if it is none or the MKI does not fit."""
        self._check(mki, fits=header_octets(packet) >= 0)
        roc &= 0xFFFFFFFF
        transform = self.transform(rtcp=False, index=srtp_index(packet, roc))
        content = transform.protect_srtp(self._crypt_extension(bytes(packet), roc), roc)
        roc_octets, tag_octets = trailer(self.parameters, packet)
        suffix = roc.to_bytes(ROC_OCTETS, "big")
        tag = transform.tag(content, suffix, tag_octets) if isinstance(transform, HmacTransform) else b""
        return content + mki + suffix[:roc_octets] + tag

    def find_roc(self, packet: bytes, guesses: Iterable[int]) -> int | None:
        """The first of the rollover counters under which the packet verifies; a carried one is the only candidate.

        Header and payload are hashed once and the HMAC's state cloned, but for a key derivation rate, under which
        every guess may have other keys. AES-GCM decrypts for each. None also for a packet without a tag. With a tag of
        32 bits a right guess wants a second packet: one of 2^32 is right by chance.
        """
        packet = bytes(packet)
        parts = cut_srtp(self.parameters, packet, 0)
        if parts is None:
            return None
        if trailer(self.parameters, packet)[0]:
            return parts.roc if self.verify_srtp(packet, 0) else None
        if self.parameters.key_derivation_rate:
            return next((roc for roc in guesses if self.verify_srtp(packet, roc)), None)
        return self.transform(rtcp=False, index=0).find_roc(parts, guesses)

    def _crypt_extension(self, packet: bytes, roc: int) -> bytes:
        encrypted = self.parameters.encrypted_elements
        if not encrypted or not packet[0] & 0x10:
            return packet
        index = srtp_index(packet, roc)
        keys = header_extension_keys(self.parameters, self._master_key, self._master_salt, index)
        cipher = KEYSTREAM_CIPHERS[self.parameters.cipher](keys)
        return crypt_elements(packet, encrypted, partial(cipher.srtp, packet, roc))

    # SRTCP

    def srtcp_index(self, packet: bytes) -> tuple[bool, int]:
        """The E bit and the index of an SRTCP packet; an index of -1 if it is too short for one."""
        parts = cut_srtcp(self.parameters, packet)
        return (False, -1) if parts is None else (parts.encrypted, parts.packet_index)

    def verify_srtcp(self, packet: bytes) -> bool:
        """The packet carries a tag, and it is right."""
        parts = cut_srtcp(self.parameters, bytes(packet))
        return parts is not None and self.transform(rtcp=True, index=parts.packet_index).verify_srtcp(parts)

    def open_srtcp(self, packet: bytes, *, check: bool = True) -> bytes | None:
        """The RTCP compound, without index, MKI and tag; None if it does not verify (unless not asked).

        The packet's own E bit says whether it was encrypted.
        """
        parts = cut_srtcp(self.parameters, bytes(packet))
        if parts is None:
            return None
        return self.transform(rtcp=True, index=parts.packet_index).open_srtcp(parts, check=check)

    def protect_srtcp(self, packet: bytes, index: int, *, encrypted: bool = True, mki: bytes = b"") -> bytes:
        """The SRTCP packet that a sender makes of an RTCP compound; ValueError if something does not fit."""
        self._check(mki, fits=len(packet) >= RTCP_CLEAR and 0 <= index < ENCRYPTED)
        transform = self.transform(rtcp=True, index=index)
        flag = ENCRYPTED if encrypted and self.parameters.encrypt_srtcp else 0
        word = (flag | index).to_bytes(INDEX_WORD, "big")
        content = transform.protect_srtcp(bytes(packet), word)
        if isinstance(transform, HmacTransform):
            return content + word + mki + transform.tag(content, word, self.parameters.srtcp_tag_octets)
        return content + word + mki

    def _check(self, mki: bytes, *, fits: bool) -> None:
        if not fits or len(mki) != self.parameters.mki_octets:
            raise ValueError("no packet that can be protected, or an MKI of another length than the parameters say")

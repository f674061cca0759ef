"""What one set of session keys does to a packet: HMAC-SHA1 with a keystream, or AES-GCM (RFC 3711 §4, RFC 7714)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC

from imsinspect.crypto.srtp_ciphers import (
    CounterMode,
    counter_mode,
    counter_start,
    f8_mode,
    f8_srtcp_vector,
    f8_srtp_vector,
    gcm_nonce,
)
from imsinspect.crypto.srtp_packets import ENCRYPTED, RTCP_CLEAR, header_octets, srtp_index, ssrc_of
from imsinspect.crypto.srtp_parameters import AEAD_TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from imsinspect.crypto.srtp_packets import SrtcpParts, SrtpParts
    from imsinspect.crypto.srtp_parameters import SessionKeys, SrtpParameters


class Transform(Protocol):
    """Session keys at work. What is opened is header and payload, or a compound, in clear."""

    def verify_srtp(self, parts: SrtpParts) -> bool:
        """The tag is right."""

    def open_srtp(self, parts: SrtpParts, *, check: bool) -> bytes | None:
        """The packet in clear; None if it has a wrong tag or no place for its header."""

    def protect_srtp(self, packet: bytes, roc: int) -> bytes:
        """Header and encrypted payload; the cipher's tag at the end if it has one."""

    def verify_srtcp(self, parts: SrtcpParts) -> bool:
        """The tag is right."""

    def open_srtcp(self, parts: SrtcpParts, *, check: bool) -> bytes | None:
        """The compound in clear; None if it has a wrong tag."""

    def protect_srtcp(self, packet: bytes, word: bytes) -> bytes:
        """The compound, encrypted if the index word says so; the cipher's tag at the end if it has one."""

    def find_roc(self, parts: SrtpParts, guesses: Iterable[int]) -> int | None:
        """The first guess under which the packet verifies."""


class _Null:
    """RFC 3711 §4.1.3."""

    def __init__(self, keys: SessionKeys) -> None:
        pass

    def srtp(self, header: bytes, roc: int, data: bytes) -> bytes:
        return data

    def srtcp(self, header: bytes, word: bytes, data: bytes) -> bytes:
        return data


class _CounterMode:
    """RFC 3711 §4.1.1."""

    def __init__(self, keys: SessionKeys) -> None:
        self._salt = keys.salt
        self._crypt = CounterMode(keys.encryption).crypt

    def srtp(self, header: bytes, roc: int, data: bytes) -> bytes:
        return self._crypt(counter_start(self._salt, ssrc_of(header), srtp_index(header, roc)), data)

    def srtcp(self, header: bytes, word: bytes, data: bytes) -> bytes:
        index = int.from_bytes(word, "big") & ~ENCRYPTED
        return self._crypt(counter_start(self._salt, int.from_bytes(header[4:8], "big"), index), data)


class _F8:
    """RFC 3711 §4.1.2."""

    def __init__(self, keys: SessionKeys) -> None:
        self._keys = keys

    def srtp(self, header: bytes, roc: int, data: bytes) -> bytes:
        return f8_mode(self._keys.encryption, self._keys.salt, f8_srtp_vector(header, roc), data)

    def srtcp(self, header: bytes, word: bytes, data: bytes) -> bytes:
        return f8_mode(self._keys.encryption, self._keys.salt, f8_srtcp_vector(header, word), data)


KEYSTREAM_CIPHERS: dict[str, type[_Null] | type[_CounterMode] | type[_F8]] = {
    "AES-CM": _CounterMode,
    "AES-f8": _F8,
    "NULL": _Null,
}
"""Ciphers that keep the packet's size, by the name in the parameters."""


class HmacTransform:
    """HMAC-SHA1 over what a keystream cipher encrypted (RFC 3711 §3.1, §3.4, §4.2)."""

    def __init__(self, parameters: SrtpParameters, keys: SessionKeys) -> None:
        self._parameters = parameters
        self._cipher = KEYSTREAM_CIPHERS[parameters.cipher](keys)
        self.authenticator = HMAC(keys.authentication, SHA1())
        """HMAC that has taken in the key; a copy of it for each packet."""

    def tag(self, content: bytes, suffix: bytes, octets: int) -> bytes:
        """The left-most octets of the HMAC over both."""
        mac = self.authenticator.copy()
        mac.update(content)
        mac.update(suffix)
        return mac.finalize()[:octets]

    def verify_srtp(self, parts: SrtpParts) -> bool:
        tag = parts.tag
        return bool(tag) and self.tag(parts.content, parts.roc.to_bytes(4, "big"), len(tag)) == tag

    def open_srtp(self, parts: SrtpParts, *, check: bool) -> bytes | None:
        # A packet that carries no tag has none that could be wrong.
        header = header_octets(parts.content)
        if header < 0 or (check and parts.tag and not self.verify_srtp(parts)):
            return None
        return self._crypt_srtp(parts.content, header, parts.roc)

    def protect_srtp(self, packet: bytes, roc: int) -> bytes:
        return self._crypt_srtp(packet, header_octets(packet), roc)

    def _crypt_srtp(self, packet: bytes, header: int, roc: int) -> bytes:
        if not self._parameters.encrypt_srtp:
            return packet
        return packet[:header] + self._cipher.srtp(packet, roc, packet[header:])

    def verify_srtcp(self, parts: SrtcpParts) -> bool:
        tag = parts.tag
        return bool(tag) and self.tag(parts.compound, parts.word, len(tag)) == tag

    def open_srtcp(self, parts: SrtcpParts, *, check: bool) -> bytes | None:
        if check and parts.tag and not self.verify_srtcp(parts):
            return None
        return self.protect_srtcp(parts.compound, parts.word)

    def protect_srtcp(self, packet: bytes, word: bytes) -> bytes:
        if word[0] < 0x80:
            return packet
        return packet[:RTCP_CLEAR] + self._cipher.srtcp(packet, word, packet[RTCP_CLEAR:])

    def find_roc(self, parts: SrtpParts, guesses: Iterable[int]) -> int | None:
        tag = parts.tag
        if not tag:
            return None
        hashed = self.authenticator.copy()
        hashed.update(parts.content)
        copy: Callable[[], HMAC] = hashed.copy
        for roc in guesses:
            mac = copy()
            mac.update((roc & 0xFFFFFFFF).to_bytes(4, "big"))
            if mac.finalize().startswith(tag):
                return roc
        return None


class AeadTransform:
    """AES-GCM; the header is authenticated beside it, or the whole packet if nothing is encrypted (RFC 7714 §8, §9)."""

    def __init__(self, parameters: SrtpParameters, keys: SessionKeys) -> None:
        self._encrypts_srtp = parameters.encrypt_srtp
        self._key = keys.encryption
        self.salt = keys.salt
        self.cipher = AESGCM(keys.encryption)

    def verify_srtp(self, parts: SrtpParts) -> bool:
        return self.open_srtp(parts, check=True) is not None

    def open_srtp(self, parts: SrtpParts, *, check: bool) -> bytes | None:
        content = parts.content
        clear = self._clear_srtp(content[:-AEAD_TAG])
        if clear < 0:
            return None
        return self._open(self._srtp_nonce(content, parts.roc), content[:clear], b"", content[clear:], check=check)

    def protect_srtp(self, packet: bytes, roc: int) -> bytes:
        clear = self._clear_srtp(packet)
        return packet[:clear] + self.cipher.encrypt(self._srtp_nonce(packet, roc), packet[clear:], packet[:clear])

    def verify_srtcp(self, parts: SrtcpParts) -> bool:
        return self.open_srtcp(parts, check=True) is not None

    def open_srtcp(self, parts: SrtcpParts, *, check: bool) -> bytes | None:
        compound, word = parts.compound, parts.word
        clear = RTCP_CLEAR if parts.encrypted else len(compound) - AEAD_TAG
        return self._open(self._srtcp_nonce(compound, word), compound[:clear], word, compound[clear:], check=check)

    def protect_srtcp(self, packet: bytes, word: bytes) -> bytes:
        clear = RTCP_CLEAR if word[0] > 0x7F else len(packet)
        nonce = self._srtcp_nonce(packet, word)
        return packet[:clear] + self.cipher.encrypt(nonce, packet[clear:], packet[:clear] + word)

    def find_roc(self, parts: SrtpParts, guesses: Iterable[int]) -> int | None:
        for roc in guesses:
            if self.verify_srtp(parts._replace(roc=roc)):
                return roc
        return None

    def _clear_srtp(self, packet: bytes) -> int:
        header = header_octets(packet)
        return header if self._encrypts_srtp or header < 0 else len(packet)

    def _srtp_nonce(self, packet: bytes, roc: int) -> bytes:
        return gcm_nonce(self.salt, ssrc_of(packet), srtp_index(packet, roc))

    def _srtcp_nonce(self, packet: bytes, word: bytes) -> bytes:
        index = int.from_bytes(word, "big") & ~ENCRYPTED
        return gcm_nonce(self.salt, int.from_bytes(packet[4:8], "big"), index)

    def _open(self, nonce: bytes, clear: bytes, word: bytes, sealed: bytes, *, check: bool) -> bytes | None:
        if (
            not check
        ):  # the keystream of GCM is counter mode, whose second block is the first for data (NIST SP 800-38D)
            return clear + counter_mode(self._key, nonce + b"\0\0\0\2", sealed[:-AEAD_TAG])
        try:
            return clear + self.cipher.decrypt(nonce, sealed, clear + word)
        except InvalidTag:
            return None

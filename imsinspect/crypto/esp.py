"""ESP packets under known keys: integrity checked, payload decrypted (RFC 4303).

IMS access security (ipsec-3gpp, TS 33.203 Annex H) uses AES-CBC, AES-GCM, 3DES or NULL encryption with HMAC-SHA-1-96,
HMAC-MD5-96 or AES-GMAC; other networks bring the rest. Nothing here raises on octets of a packet.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = 8  # SPI and sequence number
TRAILER = 2  # pad length and next header
SALT = 4  # of the key material of counter modes, behind the key
GCM_IV = 8
ANY_SEQUENCE: tuple[int | None, ...] = (None, 0)
"""Upper halves of the sequence number tried by default: none is used, or the first 2^32 numbers of an extended one."""


class _Encryption(NamedTuple):
    key_octets: tuple[int, ...]
    salt_octets: int
    iv_octets: int
    block_octets: int
    icv_octets: int = 0  # of its own


ENCRYPTION = {
    "null": _Encryption((0,), 0, 0, 1),  # RFC 2410
    "aes-cbc": _Encryption((16, 24, 32), 0, 16, 16),  # RFC 3602
    "des-ede3-cbc": _Encryption((24, 16), 0, 8, 8),  # RFC 2451; 16: CK, which is CK1 and CK2 (TS 33.203 Annex I)
    "aes-ctr": _Encryption((16, 24, 32), SALT, 8, 1),  # RFC 3686
    "aes-gcm": _Encryption((16, 24, 32), SALT, GCM_IV, 1, 16),  # RFC 4106
    "aes-gcm-12": _Encryption((16, 24, 32), SALT, GCM_IV, 1, 12),
    "aes-gcm-8": _Encryption((16, 24, 32), SALT, GCM_IV, 1, 8),
}
"""Encryption algorithms of a key file by their names (TS 33.203 Annex H; Security-Client parameter `ealg`)."""


class _Integrity(NamedTuple):
    digest: str  # of HMAC; "" for another kind
    key_octets: tuple[int, ...]
    icv_octets: int
    salt_octets: int = 0
    iv_octets: int = 0


INTEGRITY = {
    "hmac-md5-96": _Integrity("md5", (16,), 12),  # RFC 2403
    # RFC 2404; 16: IK, which TS 33.203 Annex I fills up with zeros, as HMAC does.
    **dict.fromkeys(("hmac-sha1-96", "hmac-sha-1-96"), _Integrity("sha1", (20, 16), 12)),
    "hmac-sha256-128": _Integrity("sha256", (32,), 16),  # RFC 4868
    "hmac-sha384-192": _Integrity("sha384", (48,), 24),
    "hmac-sha512-256": _Integrity("sha512", (64,), 32),
    "aes-gmac": _Integrity("", (16, 24, 32), 16, SALT, GCM_IV),  # RFC 4543, with encryption "null"
}
"""Integrity algorithms by their names, with both spellings of the second (Security-Client parameter `alg`)."""


@dataclass(slots=True, frozen=True)
class EspParameters:
    """The algorithms and keys of a security association (RFC 4301 §4.4.2).

    Raises ValueError for algorithms that are not known, and for keys of another length than theirs.
    """

    encryption: str = "null"
    encryption_key: bytes = field(default=b"", repr=False)  # of counter modes with the salt behind it
    integrity: str = ""
    integrity_key: bytes = field(default=b"", repr=False)  # of aes-gmac with the salt behind it

    def __post_init__(self) -> None:
        cipher = ENCRYPTION.get(self.encryption)
        if cipher is None:
            raise ValueError(f"encryption is none of {', '.join(ENCRYPTION)}")
        if len(self.encryption_key) - cipher.salt_octets not in cipher.key_octets:
            raise ValueError(
                f"the encryption key has {len(self.encryption_key)} octets, which {self.encryption} has not"
            )
        check = INTEGRITY.get(self.integrity) if self.integrity else None
        if check is None:
            if self.integrity:
                raise ValueError(f"integrity is none of {', '.join(INTEGRITY)}")
            if self.integrity_key:
                raise ValueError("the integrity key is of no algorithm")
            return
        if cipher.icv_octets or (check.iv_octets and self.encryption != "null"):
            raise ValueError(f"{self.integrity} does not go with {self.encryption}")
        if len(self.integrity_key) - check.salt_octets not in check.key_octets:
            raise ValueError(f"the integrity key has {len(self.integrity_key)} octets, which {self.integrity} has not")

    @property
    def authenticates(self) -> bool:
        """Whether a packet proves that the keys are its own."""
        return self.icv_octets > 0

    @property
    def icv_octets(self) -> int:
        """Octets at the end of each packet that authenticate it."""
        return INTEGRITY[self.integrity].icv_octets if self.integrity else ENCRYPTION[self.encryption].icv_octets

    @property
    def iv_octets(self) -> int:
        """Octets between header and payload."""
        iv = ENCRYPTION[self.encryption].iv_octets
        return iv + (INTEGRITY[self.integrity].iv_octets if self.integrity else 0)

    @property
    def digest(self) -> str:
        """SHA-256 of both keys, by which a report names them."""
        return hashlib.sha256(self.encryption_key + self.integrity_key).hexdigest()

    def in_clear(self) -> EspParameters:
        """The same integrity without encryption; the algorithms of AEAD ciphers can't be parted."""
        return EspParameters(integrity=self.integrity, integrity_key=self.integrity_key)


class EspContent(NamedTuple):
    """What an ESP packet held; without a next header its trailer makes no sense, though it is authentic."""

    next_header: int | None
    payload: bytes
    verified: bool  # its integrity check value holds; without an algorithm for it nothing is known
    sequence_high: int | None = None  # the upper half of the sequence number under which it does


def verifies(parameters: EspParameters, packet: bytes, sequence_high: int | None = None) -> bool:
    """Whether the integrity check value of a packet (from its SPI on) holds.

    `sequence_high`: the upper half of an extended sequence number: authenticated, not sent (RFC 4303 §2.2.1).
    """
    if len(packet) < HEADER + parameters.iv_octets + parameters.icv_octets or not parameters.authenticates:
        return False
    if not parameters.integrity or not INTEGRITY[parameters.integrity].digest:
        return _open_gcm(parameters, packet, sequence_high) is not None
    digest, _, octets, _, _ = INTEGRITY[parameters.integrity]
    high = b"" if sequence_high is None else sequence_high.to_bytes(4, "big")
    computed = hmac.digest(parameters.integrity_key, packet[:-octets] + high, digest)
    return hmac.compare_digest(computed[:octets], packet[-octets:])


def open_packet(
    parameters: EspParameters, packet: bytes, sequence_highs: Sequence[int | None] = ANY_SEQUENCE
) -> EspContent | None:
    """The content of a packet (from its SPI on); None where it does not authenticate.

    Without an algorithm for that, None where its padding is not 1, 2, 3 … (RFC 4303 §2.4). Of an authentic packet
    other padding is taken for what it is; where there is no room for it, the content has no next header.
    """
    begin, end = HEADER + parameters.iv_octets, len(packet) - parameters.icv_octets
    if end - begin < TRAILER:
        return None
    if ENCRYPTION[parameters.encryption].icv_octets:
        for high in sequence_highs:
            plain = _open_gcm(parameters, packet, high)
            if plain is not None:
                return _content(plain, True, high)
        return None
    verified, held = False, None
    if parameters.integrity:
        for held in sequence_highs:
            verified = verifies(parameters, packet, held)
            if verified:
                break
        else:
            return None
    return _content(_decrypt(parameters, packet[HEADER:begin], packet[begin:end]), verified, held)


def _open_gcm(parameters: EspParameters, packet: bytes, sequence_high: int | None) -> bytes | None:
    """The plaintext of a packet under AES-GCM, or what AES-GMAC leaves in clear (RFC 4106 §5, RFC 4543 §3.3)."""
    material = parameters.encryption_key or parameters.integrity_key
    octets = parameters.icv_octets
    iv, sealed, tag = packet[HEADER : HEADER + GCM_IV], packet[HEADER + GCM_IV : -octets], packet[-octets:]
    high = b"" if sequence_high is None else sequence_high.to_bytes(4, "big")
    mode = modes.GCM(material[-SALT:] + iv, tag, min_tag_length=octets)
    opener = Cipher(AES(material[:-SALT]), mode).decryptor()
    opener.authenticate_additional_data(packet[:4] + high + packet[4:HEADER])
    try:
        if parameters.encryption == "null":
            opener.authenticate_additional_data(iv + sealed)
            opener.finalize()
            return sealed
        return opener.update(sealed) + opener.finalize()
    except InvalidTag:
        return None


def _decrypt(parameters: EspParameters, iv: bytes, data: bytes) -> bytes:
    """What is not authenticated by its own cipher; empty where it is no multiple of the block size."""
    if parameters.encryption == "null":
        return data
    if len(data) % ENCRYPTION[parameters.encryption].block_octets:
        return b""
    key = parameters.encryption_key
    if parameters.encryption == "aes-ctr":
        decryptor = Cipher(AES(key[:-SALT]), modes.CTR(key[-SALT:] + iv + b"\0\0\0\1")).decryptor()
    elif parameters.encryption == "aes-cbc":
        decryptor = Cipher(AES(key), modes.CBC(iv)).decryptor()
    else:
        decryptor = Cipher(TripleDES(key if len(key) == 24 else key + key[:8]), modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _content(plain: bytes, verified: bool, sequence_high: int | None) -> EspContent | None:
    nothing = EspContent(None, b"", True, sequence_high) if verified else None
    if len(plain) < TRAILER:
        return nothing
    padding, next_header = plain[-2], plain[-1]
    stop = len(plain) - TRAILER - padding
    if stop < 0:
        return nothing
    if not verified and plain[stop:-TRAILER] != bytes(range(1, padding + 1)):
        return None
    return EspContent(next_header, plain[:stop], verified, sequence_high)

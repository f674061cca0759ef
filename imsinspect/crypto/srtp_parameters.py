"""What says how an SRTP master key is applied, and the session keys that come of it (RFC 3711 §4.3, §8.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.crypto.srtp_ciphers import counter_mode

if TYPE_CHECKING:
    from collections.abc import Callable

AEAD_TAG = 16  # octets (RFC 7714 §10)
AUTHENTICATION_KEY = 20  # octets of a session authentication key (RFC 3711 §5.2)
ROC_OCTETS = 4
MASTER_SALT = 14  # octets that the key derivation works on (RFC 3711 §4.3.1)

_CIPHERS = {"AES-CM": (16, 24, 32), "AES-f8": (16, 24, 32), "NULL": (16, 24, 32), "AES-GCM": (16, 24, 32)}
"""Ciphers that can be applied, with the octets of their keys; NULL encrypts nothing, its key still feeds the HMAC's."""

_RATES = frozenset((0, *(1 << exponent for exponent in range(25))))  # RFC 3711 §4.3.1

_SRTP = {"encryption": 0x00, "authentication": 0x01, "salt": 0x02}
_SRTCP = {"encryption": 0x03, "authentication": 0x04, "salt": 0x05}
_HEADER_EXTENSION = {"encryption": 0x06, "salt": 0x07}
"""Labels of the key derivation (RFC 3711 §4.3.1, §4.3.2; RFC 6904 §3)."""


@dataclass(slots=True, frozen=True)
class SrtpParameters:
    """How a master key is applied (RFC 3711 §8.2): what a suite, session parameters or a MIKEY policy say.

    What cannot be applied (an unknown cipher, a length that does not exist) is a ValueError.
    """

    cipher: str  # "AES-CM", "AES-f8", "AES-GCM" or "NULL"
    key_octets: int  # master and session encryption key
    salt_octets: int  # master and session salt: 14, AES-GCM 12
    srtp_tag_octets: int  # HMAC-SHA1 tag of SRTP, 0 is none; AES-GCM 16, inside the cipher
    srtcp_tag_octets: int
    mki_octets: int = 0
    key_derivation_rate: int = 0  # 0 or a power of two
    encrypt_srtp: bool = True
    encrypt_srtcp: bool = True
    roc_rate: int = 0  # every packet whose SEQ it divides carries the ROC
    roc_mode: int = 0  # RCCm1 to RCCm3 (RFC 4771 §3), 0 is none
    encrypted_elements: frozenset[int] = frozenset()  # identifiers of encrypted header extensions (RFC 6904)
    libsrtp_192: bool = False  # a key of 192 bits used as libsrtp did until 2025, against RFC 6188 (its issue 763)

    def __post_init__(self) -> None:
        for wrong, what in (
            (self.cipher not in _CIPHERS, "cipher"),
            (self.key_octets not in _CIPHERS.get(self.cipher, (self.key_octets,)), "key length"),
            (not self._fitting_salt(), "salt length"),
            (not self._fitting_tags(), "tag length"),
            (not 0 <= self.mki_octets <= 255, "MKI length"),
            (self.key_derivation_rate not in _RATES, "key derivation rate"),
            (not self._fitting_roc_mode(), "transmission of the rollover counter"),
            (self.aead and self.encrypted_elements, "encryption of header extensions"),
            (self.libsrtp_192 and (self.key_octets, self.salt_octets) != (24, MASTER_SALT), "libsrtp's derivation"),
        ):
            if wrong:
                raise ValueError(f"SRTP cannot be applied: {what}")

    def _fitting_salt(self) -> bool:
        return self.salt_octets == 12 if self.aead else 0 <= self.salt_octets <= MASTER_SALT

    def _fitting_tags(self) -> bool:
        tags = (self.srtp_tag_octets, self.srtcp_tag_octets)
        return all(tag == AEAD_TAG if self.aead else 0 <= tag <= 20 for tag in tags)

    def _fitting_roc_mode(self) -> bool:
        if not self.roc_mode:
            return self.roc_rate >= 0
        if self.aead:
            return self.roc_mode == 3 and self.roc_rate > 0
        return self.roc_rate > 0 and (self.roc_mode == 3 or (self.roc_mode in (1, 2) and self.srtp_tag_octets >= 4))

    @property
    def aead(self) -> bool:
        """The cipher authenticates; there is no HMAC."""
        return self.cipher == "AES-GCM"

    @property
    def authenticates_srtp(self) -> bool:
        """SRTP packets carry something that can be verified: all of them, with RCCm1 every R-th."""
        return self.aead or (self.srtp_tag_octets > 0 and self.roc_mode != 3)


@dataclass(slots=True, frozen=True)
class SessionKeys:
    """Session keys of one direction of SRTP or SRTCP (RFC 3711 §4.3)."""

    encryption: bytes = field(repr=False)
    authentication: bytes = field(repr=False)
    salt: bytes = field(repr=False)


def session_keys(
    parameters: SrtpParameters, master_key: bytes, master_salt: bytes, *, rtcp: bool, index: int = 0
) -> SessionKeys:
    """Session keys for the packet of this index (RFC 3711 §4.3).

    The index is ROC and SEQ for SRTP, the 31 bits of SRTCP. Both are 48 bits wide in the derivation, as every deployed
    implementation has it; RFC 3711 §4.3.2 as printed puts the labels of SRTCP two octets lower. A master key or salt
    of another length than the parameters say is a ValueError; an absent salt is zeros (RFC 3711 §3.2.1).
    """
    derive = _derivation(parameters, master_key, master_salt, index)
    labels = _SRTCP if rtcp else _SRTP
    return SessionKeys(
        derive(labels["encryption"], parameters.key_octets),
        derive(labels["authentication"], AUTHENTICATION_KEY),
        derive(labels["salt"], parameters.salt_octets),
    )


def header_extension_keys(
    parameters: SrtpParameters, master_key: bytes, master_salt: bytes, index: int = 0
) -> SessionKeys:
    """Session keys for the elements of header extensions (RFC 6904 §3.1); there is none for authentication."""
    derive = _derivation(parameters, master_key, master_salt, index)
    return SessionKeys(
        derive(_HEADER_EXTENSION["encryption"], parameters.key_octets),
        b"",
        derive(_HEADER_EXTENSION["salt"], parameters.salt_octets),
    )


def _derivation(
    parameters: SrtpParameters, master_key: bytes, master_salt: bytes, index: int
) -> Callable[[int, int], bytes]:
    if len(master_key) != parameters.key_octets:
        raise ValueError(f"a master key of {len(master_key)} octets where {parameters.key_octets} are needed")
    if len(master_salt) not in (0, parameters.salt_octets):
        raise ValueError(f"a master salt of {len(master_salt)} octets where {parameters.salt_octets} are needed")
    if parameters.libsrtp_192:  # AES-256 keyed with what stands in memory: the key, then the salt, then zeros
        material = master_key + master_salt.ljust(MASTER_SALT, b"\0") + bytes(8)
        master_key, master_salt = material[:32], material[32:]
    # The salt of AES-GCM gets zeros at its right (RFC 7714, erratum 4938); another short one counts as a number.
    salt = master_salt.ljust(MASTER_SALT, b"\0") if parameters.aead else master_salt
    rate = parameters.key_derivation_rate
    start = int.from_bytes(salt, "big") ^ (index // rate if rate else 0)

    def derive(label: int, octets: int) -> bytes:
        counter = (start ^ label << 48) << 16
        return counter_mode(master_key, counter.to_bytes(16, "big"), bytes(octets))

    return derive

"""Security policies of MIKEY (RFC 3830 §6.10, RFC 4442 §4.2): what a policy with its defaults amounts to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.mikey.codes import SRTP_AUTHENTICATION_ALGORITHMS, SRTP_ENCRYPTION_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SRTP_DEFAULTS: Mapping[int, int] = {
    0: 1, 1: 16, 2: 1, 3: 20, 4: 14, 5: 0, 6: 0, 7: 1, 8: 1, 9: 0, 10: 1, 11: 10, 12: 0, 13: 1, 20: 16
}  # fmt: skip
"""What holds for SRTP parameters that a policy does not carry (RFC 3711 §8.2). An AEAD's salt has 12 octets."""

MISSION_CRITICAL_DEFAULTS: Mapping[int, int] = {**SRTP_DEFAULTS, 0: 6, 4: 12}
"""The same in SAKKE messages of mission critical services (TS 33.180 Annex E)."""

_FALLS_BACK = {14: 2, 15: 2, 16: 3, 17: 3, 18: 11, 19: 11}  # RFC 4771 §4: the finer parameter wins
_AEAD = frozenset({4, 5, 6, 8})
_AEAD_SALT = 12

_SUITES: dict[tuple[int, int, int, int], str] = {
    # encryption algorithm, key length, SRTP authentication algorithm, SRTP tag length
    (1, 16, 1, 10): "AES_CM_128_HMAC_SHA1_80",
    (1, 16, 1, 4): "AES_CM_128_HMAC_SHA1_32",
    (1, 24, 1, 10): "AES_192_CM_HMAC_SHA1_80",
    (1, 24, 1, 4): "AES_192_CM_HMAC_SHA1_32",
    (1, 32, 1, 10): "AES_256_CM_HMAC_SHA1_80",
    (1, 32, 1, 4): "AES_256_CM_HMAC_SHA1_32",
    (2, 16, 1, 10): "F8_128_HMAC_SHA1_80",
}
_AEAD_SUITES: dict[tuple[int, int, int], str] = {
    # encryption algorithm, key length, AEAD tag length
    (6, 16, 16): "AEAD_AES_128_GCM",
    (6, 32, 16): "AEAD_AES_256_GCM",
}


@dataclass(slots=True, frozen=True)
class SRTPParameters:
    """An SRTP policy with its defaults (RFC 3830 §6.10.1). Lengths are octets."""

    encryption_algorithm: int
    encryption_key_length: int  # also that of the master key
    salt_length: int
    prf: int
    key_derivation_rate: int  # as carried: RFC 3830 does not say whether it is the rate or its exponent
    srtp_encryption: bool
    srtcp_encryption: bool
    fec_order: int
    srtp_authentication: bool
    prefix_length: int
    roc_transmission_rate: int
    srtp_authentication_algorithm: int
    srtcp_authentication_algorithm: int
    srtp_authentication_key_length: int
    srtcp_authentication_key_length: int
    srtp_tag_length: int
    srtcp_tag_length: int
    aead_tag_length: int

    @property
    def aead(self) -> bool:
        """The cipher authenticates by itself."""
        return self.encryption_algorithm in _AEAD

    @property
    def confidential(self) -> bool:
        """SRTP is encrypted."""
        return self.encryption_algorithm != 0 and self.srtp_encryption

    @property
    def authenticated(self) -> bool:
        """SRTP is authenticated."""
        return self.aead or (self.srtp_authentication and self.srtp_authentication_algorithm != 0)

    @property
    def suite(self) -> str:
        """The name of the suite of RFC 4568, RFC 6188 or RFC 7714 that it equals; empty where it equals none."""
        if not (self.confidential and self.authenticated and self.srtcp_encryption):
            return ""
        if self.aead:
            return _AEAD_SUITES.get((self.encryption_algorithm, self.encryption_key_length, self.aead_tag_length), "")
        return _SUITES.get(
            (
                self.encryption_algorithm,
                self.encryption_key_length,
                self.srtp_authentication_algorithm,
                self.srtp_tag_length,
            ),
            "",
        )

    def __str__(self) -> str:
        """The suite, or the algorithms where there is none."""
        cipher = SRTP_ENCRYPTION_ALGORITHMS.get(self.encryption_algorithm, f"unknown ({self.encryption_algorithm})")
        code = self.srtp_authentication_algorithm
        authentication = SRTP_AUTHENTICATION_ALGORITHMS.get(code, f"unknown ({code})")
        return self.suite or (
            f"{cipher if self.confidential else 'no encryption'} with "
            f"{'its own tag' if self.aead else authentication if self.authenticated else 'no authentication'}"
        )


def srtp_parameters(carried: Iterable[tuple[int, int]], defaults: Mapping[int, int] = SRTP_DEFAULTS) -> SRTPParameters:
    """The policy that parameters, as pairs of type and value, and defaults make. Of a type given twice, the first.

    RFC 3830 §6.10.1, RFC 4771 §4.
    """
    given: dict[int, int] = {}
    for kind, value in carried:
        given.setdefault(kind, value)
    values = {**defaults, **given}
    if 4 not in given and values[0] in _AEAD:
        values[4] = _AEAD_SALT

    def finer(kind: int) -> int:
        return values[kind] if kind in values else values[_FALLS_BACK[kind]]

    return SRTPParameters(
        encryption_algorithm=values[0],
        encryption_key_length=values[1],
        salt_length=values[4],
        prf=values[5],
        key_derivation_rate=values[6],
        srtp_encryption=values[7] != 0,
        srtcp_encryption=values[8] != 0,
        fec_order=values[9],
        srtp_authentication=values[10] != 0,
        prefix_length=values[12],
        roc_transmission_rate=values[13],
        srtp_authentication_algorithm=finer(14),
        srtcp_authentication_algorithm=finer(15),
        srtp_authentication_key_length=finer(16),
        srtcp_authentication_key_length=finer(17),
        srtp_tag_length=finer(18),
        srtcp_tag_length=finer(19),
        aead_tag_length=values[20],
    )


@dataclass(slots=True, frozen=True)
class TESLAParameters:
    """A TESLA policy with its defaults (RFC 4442 §4.2). Lengths of outputs are bits; None is not carried."""

    prf: int
    prf_output_length: int
    mac: int
    mac_output_length: int
    session_start: int | None  # NTP-UTC, 64 bits
    interval_duration: int | None  # milliseconds
    key_disclosure_delay: int | None
    key_chain_length: int | None
    receiver_timestamp: int | None  # NTP-UTC, 64 bits


def tesla_parameters(carried: Iterable[tuple[int, int]]) -> TESLAParameters:
    """The policy that parameters, as pairs of type and value, and defaults make (RFC 4442 §4.2)."""
    given: dict[int, int] = {}
    for kind, value in carried:
        given.setdefault(kind, value)
    return TESLAParameters(
        prf=given.get(1, 0),
        prf_output_length=given.get(2, 160),
        mac=given.get(3, 0),
        mac_output_length=given.get(4, 80),
        session_start=given.get(5),
        interval_duration=given.get(6),
        key_disclosure_delay=given.get(7),
        key_chain_length=given.get(8),
        receiver_timestamp=given.get(9),
    )

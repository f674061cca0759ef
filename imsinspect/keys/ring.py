"""The ring: every SRTP master key that is known, with where it came from and how it is applied.

Secrets stay here. The trace, the rules and the reports know keys by the SHA-256 of master key and salt.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from imsinspect.trace.model import MasterKey

if TYPE_CHECKING:
    from dissectors.sdp.suites import CryptoSuite
    from imsinspect.trace.model import KeyPlace

CIPHERS = {"AES-CM": "AES-CM", "AES-f8": "AES-f8", "AES-GCM": "AES-GCM"}
"""Ciphers of the suite table (without their key lengths) as the crypto room calls them."""


def parameters_of(suite: CryptoSuite) -> SrtpParameters | None:
    """How a suite applies its key; None where it can't be applied here.

    Lengths that no specification confirms are taken all the same: a tag that fits proves them.
    """
    family = suite.cipher.rpartition("-")[0]
    cipher = "NULL" if suite.null else CIPHERS.get(family)
    if cipher is None:
        return None
    try:
        return SrtpParameters(cipher, suite.key, suite.salt, suite.srtp_tag, suite.srtcp_tag)
    except ValueError:  # lengths that the cipher does not have: two keys in one, or none
        return None


@dataclass
class RingKey:
    """One master key and salt with one way to apply it."""

    key_salt: bytes = field(repr=False)
    parameters: SrtpParameters
    suite: str
    mki: bytes = b""
    lifetime: int | None = None
    misfit: str = ""  # what is wrong with the length of the salt as it was signalled; `key_salt` was made to fit
    senders: dict[int, int | None] = field(default_factory=dict)
    """SSRCs that the user's file or a MIKEY message names, with the rollover counter at which each begins."""
    of_anyone: bool = False  # some place names no SSRC
    places: list[KeyPlace] = field(default_factory=list)
    signalled: bytes = field(default=b"", repr=False)  # where it had to be made to fit

    @cached_property
    def digest(self) -> str:
        """SHA-256 of master key and salt: what keys are compared by."""
        return hashlib.sha256(self.signalled or self.key_salt).hexdigest()

    @cached_property
    def keys(self) -> SrtpKeys:
        """Session keys, made once."""
        return self.with_parameters(self.parameters)

    @property
    def keystream(self) -> tuple[str, str]:
        """What makes its keystream besides SSRC and index; equal for suites that differ in the tag only."""
        return self.digest, self.parameters.cipher

    @property
    def salt(self) -> bytes:
        """The master salt."""
        return self.key_salt[self.parameters.key_octets :]

    def is_for(self, ssrc: int) -> bool:
        """Whether a sender with this SSRC may use it."""
        return self.of_anyone or ssrc in self.senders

    def roc(self, ssrc: int) -> int | None:
        """The rollover counter at which a sender begins; None where nothing says so."""
        return self.senders.get(ssrc)

    def with_parameters(self, parameters: SrtpParameters, salt: bytes | None = None) -> SrtpKeys:
        """Session keys under other parameters, to find out what a peer did."""
        return SrtpKeys(parameters, self.key_salt[: parameters.key_octets], self.salt if salt is None else salt)


def _fitted(key_salt: bytes, parameters: SrtpParameters) -> tuple[bytes, str]:
    """A key whose salt has the length that the suite needs, and what was wrong with it; b"" if the key is too short."""
    length = parameters.key_octets + parameters.salt_octets
    if len(key_salt) == length:
        return key_salt, ""
    salt = len(key_salt) - parameters.key_octets
    if salt < 0:
        return b"", ""
    return key_salt[:length].ljust(length, b"\0"), f"signalled salt of {salt} octets, {parameters.salt_octets} needed"


class KeyRing:
    """All SRTP keys of a run, in the order in which they were found."""

    def __init__(self) -> None:
        self.keys: dict[tuple[bytes, SrtpParameters, bytes], RingKey] = {}
        self.not_applied: dict[str, list[KeyPlace]] = {}  # keys that can't protect anything here, by digest

    def add(
        self,
        key_salt: bytes,
        parameters: SrtpParameters,
        suite: str,
        place: KeyPlace,
        *,
        mki: bytes = b"",
        lifetime: int | None = None,
        ssrc: int | None = None,
        roc: int | None = None,
    ) -> RingKey | None:
        """The ring's entry of a key, with one more place where it stands; None where the key is too short."""
        fitted, misfit = _fitted(key_salt, parameters)
        if not fitted:
            return None
        parameters = replace(parameters, mki_octets=len(mki))
        name = (key_salt, parameters, mki)
        known = self.keys.get(name)
        if known is None:
            signalled = key_salt if misfit else b""
            known = self.keys[name] = RingKey(
                fitted, parameters, suite, mki, lifetime, misfit, signalled=signalled
            )  # fmt: skip
        if ssrc is None:
            known.of_anyone = True
        elif known.senders.get(ssrc) is None:
            known.senders[ssrc] = roc
        known.places.append(place)
        return known

    def master_keys(self) -> list[MasterKey]:
        """The keys as the trace knows them: by digest and suite, without secrets."""
        out: dict[tuple[str, str], MasterKey] = {}
        for key in self.keys.values():
            record = out.setdefault((key.digest, key.suite), MasterKey(key.digest, key.suite, key.lifetime))
            record.places += key.places
        return list(out.values())

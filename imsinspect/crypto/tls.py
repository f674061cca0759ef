"""Secrets of TLS and DTLS sessions, as key logs and key files give them: by client random, or pre-shared.

Sources: RFC 9850 (SSLKEYLOGFILE), RFC 4279 (pre-shared keys); the older lines of key logs as NSS wrote them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

PLAIN_PSK_SUITES = frozenset(
    {
        0x002C, *range(0x008A, 0x008E), 0x00A8, 0x00A9, *range(0x00AE, 0x00B2), 0xC064, 0xC065, 0xC06A, 0xC06B,
        0xC08E, 0xC08F, 0xC094, 0xC095, 0xC0A4, 0xC0A5, 0xC0A8, 0xC0A9, 0xCCAB,
    }
)  # fmt: skip
"""Suites whose premaster secret follows from the pre-shared key alone (TLS Cipher Suites registry; RFC 4279 §2)."""

TRAFFIC_SECRETS = (
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EARLY_EXPORTER_SECRET",
    "EXPORTER_SECRET",
)
"""Labels of the secrets of TLS 1.3 (RFC 9850 §2.1)."""


def digest(secret: bytes) -> str:
    """What names a secret where it may not be shown: the SHA-256 of its octets, in lower-case hexadecimal."""
    return hashlib.sha256(secret).hexdigest()


@dataclass(slots=True, frozen=True)
class PreSharedKey:
    """A pre-shared key, with what limits the sessions that it is tried on."""

    psk: bytes = field(repr=False)
    identity: bytes | None = None  # tried on this PSK identity alone; None: on any
    server: tuple[str, int] | None = None  # address and port: tried where this is one of the two ends
    source: str = "psk"  # what `TlsSession.opened_by` says of a session that it opened


@dataclass(slots=True)
class TlsSecrets:
    """Everything given that may open TLS or DTLS sessions."""

    master: dict[bytes, bytes] = field(default_factory=dict, repr=False)  # client random: master secret
    traffic: dict[bytes, dict[str, bytes]] = field(default_factory=dict, repr=False)  # client random: label: secret
    premaster: dict[bytes, bytes] = field(default_factory=dict, repr=False)  # client random: premaster secret
    rsa_premaster: dict[bytes, bytes] = field(default_factory=dict, repr=False)  # by 8 octets of the encrypted one
    session_master: dict[bytes, bytes] = field(default_factory=dict, repr=False)  # session id: master secret
    psks: list[PreSharedKey] = field(default_factory=list)
    resumable: dict[bytes, tuple[str, str, bytes]] = field(default_factory=dict, repr=False)
    """Session id or ticket of sessions opened before: source, digest, master secret. Readers fill this."""

    def __bool__(self) -> bool:
        return bool(
            self.master or self.traffic or self.premaster or self.rsa_premaster or self.session_master or self.psks
        )

    def opens(self, client_random: bytes, suite_code: int, *, psk_ke: bool = False) -> bool:
        """Whether anything here could open the session of that client random under that suite.

        psk_ke: TLS 1.3 with a pre-shared key and without Diffie-Hellman (RFC 8446 §4.2.9). Secrets that are not named
        by the client random are taken to fit.
        """
        if client_random in self.master or client_random in self.traffic or client_random in self.premaster:
            return True
        if self.rsa_premaster or self.session_master:
            return True
        return bool(self.psks) and (psk_ke or suite_code in PLAIN_PSK_SUITES)

    def between(self, *ends: tuple[str, int]) -> TlsSecrets:
        """The same secrets without the pre-shared keys of servers that are none of these ends."""
        kept = [each for each in self.psks if each.server is None or each.server in ends]
        return self if len(kept) == len(self.psks) else replace(self, psks=kept)

    def add(self, other: TlsSecrets) -> None:
        """Take over what another set holds; where both name a secret, the other's stands."""
        self.master |= other.master
        for client_random, secrets in other.traffic.items():
            self.traffic.setdefault(client_random, {}).update(secrets)
        self.premaster |= other.premaster
        self.rsa_premaster |= other.rsa_premaster
        self.session_master |= other.session_master
        self.psks += [each for each in other.psks if each not in self.psks]

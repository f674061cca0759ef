"""What goes into opening MIKEY messages, and what comes out: plain records, whose secrets do not show."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.mikey import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from dissectors.mikey.layers import MIKEY
    from dissectors.mikey.messages import Message
    from dissectors.mikey.policies import SRTPParameters

SHOWN = 8  # hex digits of a digest that name a key in words
MAC_SHOWN = 4  # octets of a MAC


def digest(secret: bytes) -> str:
    """The SHA-256 that keys are compared by; its first 8 digits name one."""
    return hashlib.sha256(secret).hexdigest()


# --- what the user holds, what was seen -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TicketKeys:
    """Keys of MIKEY-TICKET that the user holds; what is empty is not held. Without a CSB ID they may fit any ticket.

    The CSB ID is that of an exchange in which the ticket was sent. MPKr and TGK are those of the ticket or those forked
    for `responder`, the data of its IDRr.
    """

    csb_id: int | None = None
    mpk_i: bytes = field(default=b"", repr=False)
    mpk_r: bytes = field(default=b"", repr=False)
    tpk: bytes = field(default=b"", repr=False)
    tgk: bytes = field(default=b"", repr=False)
    responder: str = ""


@dataclass(frozen=True, slots=True)
class MikeySecrets:
    """The part `mikey` of a key file. Pre-shared keys are named by an identity, or by any name."""

    psk: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    rsa: tuple[RSAPrivateKey, ...] = field(default=(), repr=False)
    tickets: tuple[TicketKeys, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was seen. Identities are those that the session around it knows its parties by, the likeliest
    first: they count where the message carries none. Parties are those of the MIKEY exchange: of a Request or Resolve,
    one party is the KMS.
    """

    layer: MIKEY
    octets: bytes = field(repr=False)
    initiator: tuple[bytes, ...] = ()
    responder: tuple[bytes, ...] = ()
    kms: tuple[bytes, ...] = ()
    facts: Message | None = None  # of the layer, where they are known


# --- what was found -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verification:
    """A MAC or a signature, held against the keys at hand. None: nothing was there, or no key to try."""

    verified: bool | None = None
    algorithm: str = ""
    covered: str = ""  # what it was made over, where it verifies
    key: str = ""  # digest of the key that verifies it: of an RSA key, that of its public part in DER
    role: str = ""  # of that key: PSK, envelope key, MPKi …
    name: str = ""  # of that key in the key file
    tried: tuple[str, ...] = ()  # digests of keys meant for this message that do not verify it
    found: str = ""  # the first octets of a MAC that does not verify, in hex digits
    computed: str = ""  # of the MAC that the likeliest of these keys and readings gives

    def __str__(self) -> str:
        """The same in words, without secrets."""
        if self.verified:
            return f"verifies with key {self.key[:SHOWN]} ({self.role}), over {self.covered}"
        if self.verified is None:
            return (
                "is NULL" if self.algorithm == "NULL" else "is not verified: no key" if self.algorithm else "is absent"
            )
        keys = ", ".join(one[:SHOWN] for one in self.tried)
        return f"does not verify with key {keys}" if keys else f"does not verify: its algorithm is {self.algorithm}"


NOTHING = Verification()


@dataclass(frozen=True, slots=True)
class MikeyKey:
    """A key that a message carried (RFC 3830 §6.13), or that the user holds."""

    type: str  # TGK, GTGK, TEK, MPK …, as the registry names it but for "+SALT"
    key: bytes = field(repr=False)
    salt: bytes = field(default=b"", repr=False)
    spi: bytes | None = None
    valid_from: bytes | None = None
    valid_to: bytes | None = None
    forked: bool = False  # for one Responder (RFC 6043 §5.1.1)

    @property
    def digest(self) -> str:
        """What it is compared by."""
        return digest(self.key + self.salt)


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """A TEK of one crypto session, with what it is used by. Several of one session are alternatives."""

    csb_id: int
    cs_id: int
    prot_type: int
    tek: bytes = field(repr=False)
    salt: bytes = field(repr=False)  # empty: a TEK that was sent without one
    key_type: str  # of the key it comes from
    source: str  # digest of that key
    mki: bytes = b""  # SPI
    starts: bool = True  # the map names this SPI, or none
    valid_from: bytes | None = None
    valid_to: bytes | None = None
    policy_no: int | None = None
    policy: SRTPParameters | None = None  # of SRTP, with defaults
    ssrc: int | None = None
    roc: int | None = None
    seq: int | None = None
    sender: str = ""  # "initiator" or "responder", where the maps tell

    @property
    def digest(self) -> str:
        """What it is compared by: SHA-256 of TEK and salt."""
        return digest(self.tek + self.salt)


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """A ticket inside a message (RFC 6043 §6.10, Appendix A)."""

    digest: str  # of the ticket without Initiator data: the same ticket in another message has the same one
    mac: Verification = NOTHING  # of a base ticket
    opened: bool = False  # with a TPK
    vi_is_v: bool | None = None  # Vi, where it is needed, repeats the MAC of TRANSFER_INIT; None without that message
    vr: Verification = NOTHING


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """What a message gives to who holds the keys."""

    data_type: int
    csb_id: int
    mac: Verification = NOTHING  # of KEMAC or V, whichever authenticates
    signature: Verification = NOTHING
    opened: bool | None = None  # whether KEMAC could be read; None where there is none with keys in it
    keys: tuple[MikeyKey, ...] = ()
    sessions: tuple[SessionKeys, ...] = ()  # as they stand after this message
    ticket: OpenedTicket | None = None
    readings: tuple[str, ...] = ()  # which of several readings of the specifications worked
    remarks: tuple[str, ...] = ()
    decrypts: bool = False  # KEMAC decrypts with a key that does not verify the message, which was changed then

    @property
    def kind(self) -> str:
        """The name of its data type."""
        return codes.DATA_TYPES.get(self.data_type, f"unknown ({self.data_type})")

    @property
    def key(self) -> str:
        """The digest of the key that opened it; empty for none."""
        return self.mac.key

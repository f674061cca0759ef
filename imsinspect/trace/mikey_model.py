"""MIKEY messages taken apart, and the exchanges that they belong to: what rules and conferences read of them.

No key stands here: a key that a message carries in clear is told by its kind. Times of tickets are seconds since 1970,
as MIKEY gives them; all others are nanoseconds, as in `imsinspect.trace.model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.mikey import codes

if TYPE_CHECKING:
    from dissectors.mikey.messages import CryptoSession, Policy, Timestamp
    from imsinspect.trace.model import MikeyMessage, Negotiation

INITIATOR, RESPONDER, KMS, PSK, APPLICATION = range(1, 6)
"""Roles of IDR payloads (RFC 6043 §6.6); the first three also of RANDR (§6.8). 0: an ID or RAND payload."""

(
    PRE_SHARED, PRE_SHARED_ANSWER, PUBLIC_KEY, PUBLIC_KEY_ANSWER, DH_INIT, DH_RESP, ERROR, DHHMAC_INIT, DHHMAC_RESP,
    RSA_R_INIT, RSA_R_RESP, REQUEST_INIT_PSK, REQUEST_INIT_PK, REQUEST_RESP, TRANSFER_INIT, TRANSFER_RESP,
    RESOLVE_INIT_PSK, RESOLVE_INIT_PK, RESOLVE_RESP,
) = range(19)  # fmt: skip
"""Data types (IANA, MIKEY Payload Name Spaces)."""

ANSWERS: dict[int, tuple[int, ...]] = {
    PRE_SHARED_ANSWER: (PRE_SHARED,),
    PUBLIC_KEY_ANSWER: (PUBLIC_KEY,),
    DH_RESP: (DH_INIT,),
    DHHMAC_RESP: (DHHMAC_INIT,),
    RSA_R_RESP: (RSA_R_INIT,),
    REQUEST_RESP: (REQUEST_INIT_PSK, REQUEST_INIT_PK),
    TRANSFER_RESP: (TRANSFER_INIT,),
    RESOLVE_RESP: (RESOLVE_INIT_PSK, RESOLVE_INIT_PK),
    21: (19, 20),
    23: (22,),
    25: (24,),
}
"""Data types of answers, with those that they answer."""


@dataclass(slots=True, frozen=True)
class MikeyIdentity:
    """An ID or IDR payload."""

    role: int  # INITIATOR …; 0 of an ID payload
    kind: int  # ID type: 0 NAI, 1 URI, 2 byte string
    data: bytes
    identity: str  # canonical (imsinspect.trace.identities); "" of a byte string

    @property
    def name(self) -> str:
        """The name of its role."""
        return codes.ID_ROLES.get(self.role, f"role {self.role}") if self.role else "ID"


@dataclass(slots=True, frozen=True)
class MikeyRand:
    """A RAND or RANDR payload."""

    role: int  # INITIATOR, RESPONDER, KMS; 0 of a RAND payload
    octets: int
    digest: str  # SHA-256 of the number
    varied: bool  # its octets are not all one and the same


@dataclass(slots=True, frozen=True)
class KeyCarriage:
    """A KEMAC payload."""

    place: str  # "message", "ticket policy", "ticket data"
    encryption: int  # Encr alg
    mac_algorithm: int
    octets: int  # of its encrypted data
    digest: str  # of these octets
    keys: tuple[str, ...] = ()  # kinds of those that stand in clear, such as "TGK+SALT"
    zeros: bool = False  # keys stand in clear, and all of their octets are 0: a template


@dataclass(slots=True, frozen=True)
class MikeyAuthentication:
    """The V or SIGN payload, or the KEMAC of RFC 3830, that authenticates a message."""

    payload: str  # "V", "SIGN", "KEMAC"
    algorithm: int  # Auth alg, MAC alg or S type
    octets: int  # of the MAC or signature
    digest: str  # SHA-256 of it
    last: bool  # nothing stands behind it

    @property
    def name(self) -> str:
        """The name of its algorithm."""
        names = codes.SIGNATURE_TYPES if self.payload == "SIGN" else codes.MAC_ALGORITHMS
        return names.get(self.algorithm, f"unknown ({self.algorithm})")


@dataclass(slots=True, frozen=True)
class MikeyTicket:
    """A TICKET payload, or a TP payload, which asks for one (RFC 6043 §6.10)."""

    granted: bool  # TICKET
    digest: str  # SHA-256 of the ticket without Initiator data: of the same ticket in another message it is the same
    kind: int  # 1 base ticket, 2 3GPP base ticket
    subtype: int
    version: int
    prf: int
    flags: str  # letters of those that are set, of "DEFGHIJKLMNO"
    identities: tuple[MikeyIdentity, ...]
    valid_from: int | None  # TRs
    valid_to: int | None  # TRe
    rekeying_interval: int | None  # TRr, seconds
    initiator_data: int = 0  # octets
    initiator_mac: str = ""  # SHA-256 of Vi
    readable: bool = True  # its policy was read to the end
    bounds: tuple[str, ...] = ()  # names of the TR payloads that are there

    def flag(self, letter: str) -> bool:
        """Whether a flag is set."""
        return letter in self.flags

    @property
    def recipients(self) -> tuple[MikeyIdentity, ...]:
        """Those who may resolve it: IDRr."""
        return tuple(each for each in self.identities if each.role == RESPONDER)


@dataclass(slots=True, frozen=True)
class MikeyRecord:
    """What one MIKEY message says."""

    digest: str  # SHA-256 of its octets
    version: int
    data_type: int  # -1 where it could not be read, as all numbers
    csb_id: int
    wants_response: bool  # V of HDR
    prf: int
    map_type: int  # 0 SRTP-ID, 1 Empty map, 2 GENERIC-ID
    session_count: int  # #CS
    sessions: tuple[CryptoSession, ...]
    timestamp: Timestamp | None  # T
    rands: tuple[MikeyRand, ...]
    identities: tuple[MikeyIdentity, ...]  # of the message, not of its ticket
    policies: tuple[Policy, ...]
    ticket: MikeyTicket | None  # TICKET, or else TP
    carriages: tuple[KeyCarriage, ...]  # KEMACs of the message, of the ticket's policy, of readable ticket data
    authentication: MikeyAuthentication | None
    errors: tuple[int, ...]  # Error no of ERR payloads
    sdp_ids: tuple[bytes, ...] | None  # of the General Extension, None where there is none
    payloads: tuple[int, ...]  # their codes, in order
    stop: str  # why it could not be read to its last payload; "" where it could
    stop_offset: int  # where its reading ended
    stop_payload: int  # code of the payload that could not be read; -1 where it is another thing, or nothing
    trailing: int  # octets behind the last payload
    troubles: tuple[str, ...]  # of the message as a whole: where it stops, or what it lacks of its composition

    @property
    def kind(self) -> str:
        """The name of its data type."""
        return codes.DATA_TYPES.get(self.data_type, f"unknown ({self.data_type})")

    def named(self, role: int) -> tuple[MikeyIdentity, ...]:
        """The identities of a role."""
        return tuple(each for each in self.identities if each.role == role)

    def rand(self, role: int) -> MikeyRand | None:
        """The random number of a role."""
        return next((each for each in self.rands if each.role == role), None)

    def policy(self, number: int) -> Policy | None:
        """The SP payload of a number."""
        return next((each for each in self.policies if each.number == number), None)

    def error_names(self) -> tuple[str, ...]:
        """The names of its errors."""
        return tuple(codes.ERRORS.get(number, f"error {number}") for number in self.errors)


@dataclass(slots=True)
class MikeyPassage:
    """An exchange as one offer and answer carried it: in one dialog, on one hop."""

    call: str  # id of the call in the trace
    negotiation: Negotiation
    init: MikeyMessage
    answer: MikeyMessage | None = None  # in the session description that answered


@dataclass(slots=True)
class MikeyExchange:
    """A message with what answered it. Copies are one exchange: retransmissions, requests that were sent again after a
    challenge or refusal, forks, refreshes, and the legs of B2BUAs.

    The same message in a call that none of these explains is another exchange, whose `repeats` names the first one.
    """

    id: str  # "exchange-1" in order of first sight
    csb_id: int
    data_type: int  # of its first message
    inits: list[MikeyMessage] = field(default_factory=list)  # copies, the first sight first
    answers: list[MikeyMessage] = field(default_factory=list)  # of forks there are several
    errors: list[MikeyMessage] = field(default_factory=list)
    passages: list[MikeyPassage] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  # ids in the trace
    ticket: str = ""  # digest of the ticket that it asks for, carries or resolves; without one, that of its bundle
    bundle: str = ""  # where the CSB ID was used before by the same parties: id of the exchange that began the bundle
    request: str = ""  # id of the exchange with the KMS that granted the ticket
    resolve: list[str] = field(default_factory=list)  # ids of those that resolved it
    repeats: str = ""  # id of the exchange whose message it repeats

    @property
    def init(self) -> MikeyMessage:
        """Its first message, as it was first seen."""
        return self.inits[0]

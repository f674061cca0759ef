"""MIKEY messages and calls that carry them, made of parts: of MIKEY-TICKET (RFC 6043), with MACs that nobody checks.

Times are seconds after the start of captures, as in `tests.build`. Exchanges whose MACs verify are in
`tests.keys.mikey_peers`.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.mikey import codes
from dissectors.mikey.layers import MIKEY, SRTPID, GenericID, SRTPSessionData, SRTPSessionDataWithROC
from dissectors.mikey.payload.layers import (
    ERR,
    IDR,
    KEMAC,
    RANDR,
    TR,
    KeyData,
    KeyDataSubPayloads,
    NTPSeconds,
    NTPTimestamp,
    RekeyingInterval,
    T,
    V,
)
from dissectors.mikey.policy.layers import SP, SRTPPolicy, SRTPPolicyParameter
from dissectors.mikey.ticket.layers import TICKET, TP, InitiatorData, TPData
from tests import build

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALICE, BOB, KMS = b"sip:alice@example.org", b"sip:bob@example.org", b"kms.example.org"
A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
TLS = 7  # Prot type that these tests take for TLS, which has no number of its own
UNIX_EPOCH = 2_208_988_800  # 1900 to 1970, seconds
DAY = 86_400


def ntp(at: float) -> int:
    """NTP seconds of a moment of the capture; era 0 (RFC 6043 §6.3)."""
    return int(build.START + at + UNIX_EPOCH) & 0xFFFFFFFF


def srtp_session(
    number: int, *, ssrc: int | None = None, policies: Sequence[int] = (0,), spi: bytes = b"\0\0\0\3"
) -> GenericID:
    """A crypto session of SRTP; without an SSRC its data is for the Responder to fill in."""
    data = SRTPSessionData(ssrc=ssrc) if ssrc is not None else Raw()
    return GenericID(cs_id=number, policies=list(policies), session_data=data, spi=spi)


def tls_session(number: int, *, prot_type: int = TLS, **fields: Any) -> GenericID:
    """A crypto session of TLS, as TS 33.328 Annex H.1 has it."""
    return GenericID(**{"cs_id": number, "prot_type": prot_type, "policies": [], "session_data": Raw(), **fields})


def for_lines(*kinds: str) -> list[GenericID]:
    """Two sessions for each "srtp" line and one for each "tls" line, in their order (RFC 4567 §7.1)."""
    out: list[GenericID] = []
    for kind in kinds:
        for _ in range(2 if kind == "srtp" else 1):
            number = len(out) + 1
            out.append(srtp_session(number, ssrc=0x11110000 + number) if kind == "srtp" else tls_session(number))
    return out


def policy(parameters: Mapping[int, int] | None = None, number: int = 0) -> SP:
    """An SP payload of SRTP."""
    given = parameters or {}
    return SP(
        policy_no=number,
        policy_param=SRTPPolicy(parameters=[SRTPPolicyParameter(type=kind, value=given[kind]) for kind in given]),
    )


def keys(kind: int = 0, octets: bytes = b"k" * 16) -> KeyDataSubPayloads:
    """A key in clear; 0 is a TGK."""
    return KeyDataSubPayloads(payloads=[KeyData(type=kind, key_data=octets, KV=1, spi=b"\0\0\0\3")])


def kemac(encryption: int = 1, data: Any = None, mac_algorithm: int = 0) -> KEMAC:
    """A KEMAC; encrypted ones hold noise."""
    mac = bytes(codes.MAC_OCTETS.get(mac_algorithm, 0))
    return KEMAC(
        encr_alg=encryption, encr_data=Raw(b"\x5a" * 40) if data is None else data, mac_alg=mac_algorithm, mac=mac
    )


def stamp(at: float) -> T:
    """T."""
    return T(ts_value=NTPTimestamp(seconds=ntp(at)))


@dataclass
class Ticket:
    """A ticket with its policy."""

    flags: str = "DEFHNO"
    initiator: bytes | None = ALICE
    recipients: tuple[bytes, ...] = (BOB,)
    begins: float | None = -60.0
    ends: float | None = DAY - 60.0
    rekeying: int | None = None
    number: int = 1  # tells tickets apart
    kind: int = 1
    more: tuple[Any, ...] = ()  # payloads of its policy

    def policy(self) -> TPData:
        """TP data."""
        identities = [IDR(id_role=1, id_data=self.initiator)] if self.initiator is not None else []
        bounds = []
        if self.begins is not None:
            bounds.append(TR(ts_role=2, ts_value=NTPSeconds(seconds=ntp(self.begins))))
        if self.ends is not None:
            bounds.append(TR(ts_role=3, ts_value=NTPSeconds(seconds=ntp(self.ends))))
        if self.rekeying is not None:
            bounds.append(TR(ts_role=4, ts_value=RekeyingInterval(interval=self.rekeying)))
        who = [IDR(id_role=2, id_data=each) for each in self.recipients]
        return TPData(payloads=[IDR(id_role=3, id_data=KMS), *identities, *bounds, *self.more, *who])

    def layer(self, initiator_data: InitiatorData | None = None) -> TICKET:
        """TICKET."""
        data = hashlib.sha256(b"ticket" + bytes([self.number])).digest()
        return TICKET(
            ticket_type=self.kind,
            **dict.fromkeys(self.flags, 1),
            tp_data=self.policy(),
            ticket_data=Raw(data * 3),
            initiator_data=initiator_data or Raw(),
        )

    def asked(self) -> TP:
        """TP."""
        return TP(ticket_type=self.kind, **dict.fromkeys(self.flags, 1), tp_data=self.policy())


@dataclass
class Message:
    """A MIKEY message; what is None is left out."""

    data_type: int = 14
    csb_id: int = 0x0A0B0C0D
    sessions: list[Any] = field(default_factory=lambda: for_lines("srtp"))
    at: float = 0.0  # T
    rand: bytes | None = b"\x11\x22\x33\x44" * 4
    initiator: bytes | None = ALICE
    responder: bytes | None = BOB
    policies: tuple[SP, ...] = ()
    ticket: Ticket | None = None
    kemac: KEMAC | None = None
    errors: tuple[int, ...] = ()
    auth: int | None = 1  # Auth alg of V; None: no V
    mac: bytes | None = None
    more: tuple[Any, ...] = ()  # payloads before V
    behind: tuple[Any, ...] = ()  # payloads behind V
    map_type: int = 2

    def octets(self) -> bytes:
        """The message."""
        role = 2 if self.data_type in (15, 16, 17) else 1
        identities = []
        if self.initiator is not None:
            identities.append(IDR(id_role=1, id_data=self.initiator))
        if self.responder is not None:
            identities.append(IDR(id_role=2, id_data=self.responder))
        ticket = []
        if self.ticket is not None:
            ticket = [self.ticket.asked() if self.data_type in (11, 12) else self.ticket.layer()]
        payloads = [
            stamp(self.at),
            *([RANDR(rand_role=role, rand=self.rand)] if self.rand is not None else []),
            *identities,
            *self.policies,
            *ticket,
            *([self.kemac] if self.kemac is not None else []),
            *[ERR(error_no=number) for number in self.errors],
            *self.more,
        ]
        layer = MIKEY(
            data_type=self.data_type,
            csb_id=self.csb_id,
            cs_id_map_type=self.map_type,
            cs_id_map_info=self.sessions,
            payloads=payloads,
        )
        if self.auth is not None:
            mac = self.mac
            if mac is None:
                mac = hashlib.sha512(bytes(layer)).digest()[: codes.MAC_OCTETS.get(self.auth, 20)]
            layer.payloads = [*payloads, V(auth_alg=self.auth, ver_data=mac), *self.behind]
            layer.relink()
        return bytes(layer)

    def attribute(self) -> str:
        """The a=key-mgmt line."""
        return line(self.octets())


def init(**parts: Any) -> Message:
    """TRANSFER_INIT, with a ticket that asks for an answer."""
    return Message(**{"ticket": Ticket(), "policies": (policy(),), **parts})


def resp(**parts: Any) -> Message:
    """TRANSFER_RESP."""
    return Message(**{"data_type": 15, "rand": None, "initiator": None, "at": 0.4, **parts})


def error(*numbers: int, **parts: Any) -> Message:
    """Error message."""
    none = {"rand": None, "initiator": None, "responder": None, "auth": None, "sessions": [], "map_type": 1}
    return Message(data_type=6, errors=numbers, **{**none, **parts})


def line(octets: bytes) -> str:
    """The a=key-mgmt line of a message."""
    return f"a=key-mgmt:mikey {base64.b64encode(octets).decode()}"


def described(address: build.Address, attribute: str | None, *more: str, proto: str = "RTP/SAVP") -> bytes:
    """A description of one audio line (and `more` sections), with MIKEY at session level."""
    sections = (build.audio(address[1], proto), *more)
    return build.sdp(address[0], *sections, session=(attribute,) if attribute else ())


def call(
    offered: Message | bytes | None = None,
    answered: Message | bytes | None = None,
    **how: Any,
) -> list[build.Packet]:
    """Alice calls Bob with one SRTP line; None leaves MIKEY out."""
    sides = [
        (each.attribute() if isinstance(each, Message) else line(each)) if each is not None else None
        for each in (offered, answered)
    ]
    return build.call(described(A, sides[0]), described(B, sides[1]), **how)


__all__ = ["SRTPID", "SRTPSessionDataWithROC"]

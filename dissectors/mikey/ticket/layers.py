"""Payloads TP and TICKET of MIKEY-TICKET, and what stands inside them.

TICKET(D=1, F=1, tp_data=TPData(payloads=[IDR(id_role=2, id_data=b"sip:bob@ims.example.org")]))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, Bits, Length, Number, One, Opaque, notes
from dissectors.mikey import codes
from dissectors.mikey.extension.layers import GeneralExtension
from dissectors.mikey.fields import NextPayload, PayloadChain, code_of, registered
from dissectors.mikey.payload.layers import (
    CERT,
    CHASH,
    ERR,
    ID,
    IDR,
    KEMAC,
    RAND,
    RANDR,
    TR,
    Chained,
    Payload,
    T,
    V,
)
from dissectors.mikey.policy.layers import SP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field

# None of these holds a chain that could hold a ticket, so tickets cannot nest.
_INSIDE: dict[int, type[Packet]] = {
    one.payload_code: one for one in (CERT, CHASH, ERR, ID, IDR, KEMAC, RAND, RANDR, SP, TR, T, V, GeneralExtension)
}


class THDR(Payload):
    """RFC 6043 Appendix A.3, ticket header; it has no code and is known by its place."""

    name = "THDR"
    fields_desc = [
        NextPayload(),
        Length("thdr_data_length", "thdr_data", 2),
        Opaque("thdr_data", b"", "thdr_data_length"),
    ]


_THDR = -1  # names THDR in the chain of a base ticket


class MIKEYBaseTicket(Chained):
    """RFC 6043 Appendix A.1, the data of a MIKEY base ticket: THDR, T, RAND, KEMAC, [IDRpsk], V."""

    name = "MIKEY base ticket"
    required: ClassVar[tuple[int, ...]] = (codes.T, codes.RAND, codes.KEMAC, codes.V)
    fields_desc = [PayloadChain("payloads", lambda pkt: _THDR, {_THDR: THDR, **_INSIDE})]

    def troubles(self) -> Iterator[str]:
        """Where the chain stops, or else what a base ticket needs and this one misses."""
        if not self.walked():
            yield from self.stops()
            return
        found = self.chain()
        for code in self.required:
            if code not in found:
                yield f"the mandatory payload {codes.NEXT_PAYLOADS[code]} is missing"
        if found and found[-1] != codes.V:
            yield "the last payload is not V"


class TPData(Chained):
    """RFC 6043 §6.10, the policy of a ticket: [IDRkms] [IDRi] [TRs] [TRe] [TRr] [KEMAC] {IDRapp} (IDRr)."""

    name = "TP data"
    fields_desc = [
        NextPayload("first_payload", of="payloads"),
        PayloadChain("payloads", lambda pkt: pkt.getfieldval("first_payload"), _INSIDE),
    ]

    def troubles(self) -> Iterator[str]:
        """Where the chain stops, or else that no Responder is authorised."""
        if not self.walked():
            yield from self.stops()
        elif not any(isinstance(one, IDR) and one.id_role == _IDRR for one in self.payloads):
            yield "the mandatory payload IDRr is missing"


_IDRR = 2


class InitiatorData(Chained):
    """RFC 6043 §6.10, Vi and Vr of an Initiator whose ticket forks keys."""

    name = "Initiator data"
    fields_desc = [
        NextPayload("first_payload", of="payloads"),
        PayloadChain("payloads", lambda pkt: pkt.getfieldval("first_payload"), _INSIDE),
    ]

    def troubles(self) -> Iterator[str]:
        """Where the chain stops, or else that it is not Vi and Vr."""
        if not self.walked():
            yield from self.stops()
        elif self.chain() != (codes.V, codes.V):
            yield "it is not Vi and Vr"


def _policy() -> list[Field]:
    """The fields that TP and TICKET begin with."""
    return [
        NextPayload(),
        Number("ticket_type", 1, 2, registered(codes.TICKET_TYPES, range(61440, 65535))),
        Number("subtype", 1, 1),
        Number("version", 1, 1),
        Bits("prf_func", 0, 7, registered(codes.PRF_FUNCTIONS, range(112, 128)), begins=3),
        *(Bits(flag, 0, 1, meaning.__getitem__) for flag, meaning in codes.TICKET_FLAGS.items()),
        Bits("res", 0, 5),
        Length("tp_data_length", "tp_data", 2),
        One("tp_data", "tp_data_length", lambda pkt, data: TPData),
    ]


class TP(Payload):
    """RFC 6043 §6.10, the policy that is asked for."""

    name = "TP"
    payload_code = codes.TP
    fields_desc = _policy()

    def flags(self) -> str:
        """The letters of the flags that are set."""
        return "".join(flag for flag in codes.TICKET_FLAGS if self.getfieldval(flag) == 1)

    def policy_payloads(self) -> list[Packet]:
        """The payloads of TP data."""
        data = self.getfieldval("tp_data")
        return list(data.payloads) if isinstance(data, TPData) else []

    def troubles(self) -> Iterator[str]:
        """Flags that contradict each other."""
        yield from super().troubles()
        if self.getfieldval("D") == ABSENT:
            return
        for flag, value, demanded, its in codes.FLAG_IMPLICATIONS:
            if self.getfieldval(flag) == value and self.getfieldval(demanded) != its:
                yield f"flag {flag}={value} demands {demanded}={its}"
        if self.tp_data_length == 0:
            yield f"the mandatory payload IDRr is missing: {self.name} data has no octet"
        yield from self.policy_troubles()

    def policy_troubles(self) -> Iterator[str]:
        """K says what a KMS did, so nobody asks for it."""
        if self.K:
            yield "flag K must be 0 in TP"


def _ticket_data(pkt: Any, data: bytes) -> type[Packet]:
    """A base ticket of RFC 6043; that a 3GPP base ticket has the same layout is unconfirmed, so it has to fit."""
    if pkt.ticket_type == 1 or (pkt.ticket_type == 2 and not notes(MIKEYBaseTicket(data))):
        return MIKEYBaseTicket
    raw: type[Packet] = Raw
    return raw


class TICKET(TP):
    """RFC 6043 §6.10, a ticket with the policy that was granted."""

    name = "TICKET"
    payload_code = codes.TICKET
    fields_desc = [
        *_policy(),
        Length("ticket_data_length", "ticket_data", 2),
        One("ticket_data", "ticket_data_length", _ticket_data),
        Length("initiator_data_length", "initiator_data", 2),
        One("initiator_data", "initiator_data_length", lambda pkt, data: InitiatorData),
    ]

    def has_initiator_data(self) -> bool:
        """Whether there are octets of Initiator data."""
        return bool(bytes(self.getfieldval("initiator_data") or b""))

    def policy_troubles(self) -> Iterator[str]:
        """What a granted policy may not hold, and Initiator data without key forking."""
        if codes.KEMAC in map(code_of, self.policy_payloads()):
            yield "KEMAC must not be in the policy of a ticket"
        if self.I == 0 and self.has_initiator_data():
            yield "Initiator data is there although flag I is 0"

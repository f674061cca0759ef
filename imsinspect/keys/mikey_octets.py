"""The octets of a MIKEY message that its MACs cover (RFC 3830 §5.2, RFC 6043 §5.4, §5.5 and Appendix A.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from dissectors.binary import spans
from dissectors.mikey.payload.layers import KEMAC, RAND, RANDR, SIGN, T, V
from dissectors.mikey.ticket.layers import TICKET
from dissectors.mikey.ticket.octets import initiator_part

if TYPE_CHECKING:
    from dissectors.mikey.payload.layers import Payload
    from imsinspect.keys.mikey_records import Sent

    Kind = TypeVar("Kind", bound=Payload)

INITIATOR, RESPONDER, KMS = 1, 2, 3
"""Roles of IDR and RANDR (RFC 6043 §6.6, §6.8)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A payload, and where its octets begin and end in those of the message."""

    payload: Any
    begin: int
    end: int


class Octets:
    """A message with the places of its payloads."""

    def __init__(self, sent: Sent) -> None:
        self.sent = sent
        self.layer = sent.layer
        self.all = sent.octets
        at = next((begin for field, _, begin, _ in spans(self.layer) if field.name == "payloads"), len(self.all))
        self.places: list[Place] = []
        for payload in self.layer.payloads:
            end = at + len(bytes(payload))
            self.places.append(Place(payload, at, end))
            at = end
        self.end = at

    @property
    def whole(self) -> bytes:
        """The message without octets that follow its last payload."""
        return self.all[: self.end]

    def place(self, kind: type[Payload]) -> Place | None:
        """The last payload of a kind."""
        return next((one for one in reversed(self.places) if isinstance(one.payload, kind)), None)

    def first(self, kind: type[Kind]) -> Any:
        """The first payload of a kind, or None."""
        return next((one.payload for one in self.places if isinstance(one.payload, kind)), None)

    def before_mac(self, place: Place, mac: bytes) -> bytes:
        """The message up to a MAC or signature, which ends its payload (RFC 3830 §5.2)."""
        return self.all[: place.end - len(mac)]

    def without_initiator_data(self, octets: bytes) -> bytes:
        """Octets from the beginning of the message, less Initiator data and its length (RFC 6043 §5.4)."""
        place = self.place(TICKET)
        if place is None or place.end > len(octets):
            return octets
        return octets[: place.end - initiator_part(place.payload)] + octets[place.end :]

    @property
    def rand(self) -> bytes:
        """RAND (RFC 3830 §6.11); empty where there is none."""
        payload = self.first(RAND)
        return payload.rand if payload is not None else b""

    def rand_of(self, role: int) -> bytes | None:
        """RANDR of a role (RFC 6043 §6.8)."""
        found = (one.payload for one in self.places if isinstance(one.payload, RANDR))
        return next((one.rand for one in found if one.rand_role == role), None)

    @property
    def timestamp(self) -> tuple[int, bytes]:
        """TS type and TS value of T (RFC 3830 §6.6)."""
        payload = self.first(T)
        if payload is None or not isinstance(payload.ts_type, int):
            return 0, b""
        return payload.ts_type, bytes(payload.ts_value or b"")

    @property
    def kemac(self) -> Place | None:
        """KEMAC."""
        return self.place(KEMAC)

    @property
    def v(self) -> Place | None:
        """V."""
        return self.place(V)

    @property
    def sign(self) -> Place | None:
        """SIGN."""
        return self.place(SIGN)

    @property
    def ticket(self) -> Any:
        """TICKET, or None."""
        return self.first(TICKET)


def own_mac(payload: Any) -> tuple[int, bytes]:
    """MAC algorithm and MAC of a KEMAC or V payload."""
    algorithm, value = (
        (payload.mac_alg, payload.mac) if isinstance(payload, KEMAC) else (payload.auth_alg, payload.ver_data)
    )
    return (algorithm if isinstance(algorithm, int) else -1), bytes(value)

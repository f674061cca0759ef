"""Takes MIKEY messages apart into records (imsinspect.trace.mikey_model)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from dissectors.binary import notes
from dissectors.mikey import codes
from dissectors.mikey.fields import complete, next_of
from dissectors.mikey.layers import MIKEY
from dissectors.mikey.messages import message as facts_of
from dissectors.mikey.payload.layers import KEMAC, SIGN, TR, V
from dissectors.mikey.ticket.layers import TICKET, TP, InitiatorData, MIKEYBaseTicket, TPData
from dissectors.mikey.ticket.octets import ticket_octets
from imsinspect.trace.identities import canonical
from imsinspect.trace.mikey_model import (
    KeyCarriage,
    MikeyAuthentication,
    MikeyIdentity,
    MikeyRand,
    MikeyRecord,
    MikeyTicket,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dissectors.mikey.messages import Identity, Message, Ticket
    from imsinspect.trace.model import MikeyMessage

MAX_MESSAGES = 20_000  # different ones that are taken apart
MAX_TROUBLES = 16  # of one message
BYTE_STRING = 2  # ID type
KEMAC_MODES = frozenset((0, 7, 8))  # messages that the KEMAC itself authenticates (RFC 3830 §3.1, RFC 4650 §3)


def take_apart(messages: Iterable[MikeyMessage]) -> None:
    """Give messages their records; of equal ones there is one."""
    known: dict[bytes, tuple[MikeyRecord, MIKEY, Message]] = {}
    for each in messages:
        found = known.get(each.data)
        if found is None:
            if len(known) >= MAX_MESSAGES:
                continue
            layer = MIKEY(each.data)
            facts = facts_of(layer)
            found = known[each.data] = (record_of(layer, facts, each.data), layer, facts)
        each.record = found[0]
        each.kind, each.csb_id = found[0].kind, found[0].csb_id
        each.dissected = found[1:]


def record_of(layer: MIKEY, facts: Message, octets: bytes) -> MikeyRecord:
    """What a message says, from its layer and the facts of it."""
    payloads = layer.payloads
    stop = next(iter(layer.stops()), "")
    ticket_layer = next((one for one in payloads if isinstance(one, TICKET)), None)
    if ticket_layer is None:
        ticket_layer = next((one for one in payloads if isinstance(one, TP)), None)
    ticket = None
    if ticket_layer is not None:
        place = [one for one in payloads if isinstance(one, TP)].index(ticket_layer)
        ticket = _ticket(ticket_layer, facts.tickets[place])
    return MikeyRecord(
        digest=_digest(octets),
        version=_number(layer.version),
        data_type=facts.data_type,
        csb_id=facts.csb_id,
        wants_response=facts.wants_response,
        prf=facts.prf,
        map_type=facts.map_type,
        session_count=_number(layer.number_of_cs),
        sessions=facts.crypto_sessions,
        timestamp=facts.timestamp,
        rands=tuple(MikeyRand(role, len(value), _digest(value), len(set(value)) > 1) for role, value in facts.rands),
        identities=_identities(facts.identities),
        policies=facts.policies,
        ticket=ticket,
        carriages=tuple(_carriages(layer)),
        authentication=_authentication(facts.data_type, payloads),
        errors=facts.errors,
        sdp_ids=facts.sdp_ids,
        payloads=layer.chain(),
        stop=stop,
        stop_offset=len(octets) - len(facts.unread),
        stop_payload=_unread(layer) if stop else -1,
        trailing=0 if stop else len(facts.unread),
        troubles=facts.troubles[:MAX_TROUBLES],
    )


def _unread(layer: MIKEY) -> int:
    """The code of the payload that is named and was not read; -1 where the reading ended inside of something."""
    payloads = layer.payloads
    if payloads:
        return _number(next_of(payloads[-1])) if complete(payloads[-1]) else -1
    return _number(layer.next_payload) if layer.map_is_whole() else -1


def _number(value: Any) -> int:
    """A number; -1 where its octets were not there."""
    return value if isinstance(value, int) else -1


def _digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def _identities(found: Iterable[Identity]) -> tuple[MikeyIdentity, ...]:
    return tuple(
        MikeyIdentity(each.role, each.kind, each.data, "" if each.kind == BYTE_STRING else _canonical(each.data))
        for each in found
    )


def _canonical(identity: bytes) -> str:
    """As other identities; "?" stands for any name or host (TS 33.328 §6.2.3.5), and begins no header parameters."""
    if b"?" not in identity or b"=" in identity.partition(b"?")[2]:
        return canonical(identity)
    return canonical(identity.replace(b"?", b"\x00")).replace("\x00", "?")


def _ticket(layer: Any, facts: Ticket) -> MikeyTicket:
    data, initiator = layer.tp_data, b""
    vi = ""
    if facts.granted:
        initiator = facts.initiator_data
        inside = layer.initiator_data.payloads if isinstance(layer.initiator_data, InitiatorData) else []
        vi = next((_digest(one.ver_data) for one in inside if isinstance(one, V)), "")
    octets = ticket_octets(layer) if facts.granted else bytes(layer)[1:]
    bounds = [one.ts_role for one in layer.policy_payloads() if isinstance(one, TR)]
    return MikeyTicket(
        granted=facts.granted,
        digest=_digest(octets),
        kind=facts.kind,
        subtype=facts.subtype,
        version=facts.version,
        prf=facts.prf,
        flags=facts.flags,
        identities=_identities(facts.identities),
        valid_from=facts.valid_from,
        valid_to=facts.valid_to,
        rekeying_interval=facts.rekeying_interval,
        initiator_data=len(initiator),
        initiator_mac=vi,
        readable=isinstance(data, TPData) and data.walked() and isinstance(layer.D, int),
        bounds=tuple(codes.TS_ROLES.get(role, "") for role in bounds if isinstance(role, int)),
    )


def _carriages(layer: Any) -> Iterator[KeyCarriage]:
    for one in layer.payloads:
        if isinstance(one, KEMAC):
            yield _carriage("message", one)
        elif isinstance(one, TP):
            for inside in one.policy_payloads():
                if isinstance(inside, KEMAC):
                    yield _carriage("ticket policy", inside)
            if isinstance(one, TICKET) and isinstance(one.ticket_data, MIKEYBaseTicket):
                for inside in one.ticket_data.payloads:
                    if isinstance(inside, KEMAC):
                        yield _carriage("ticket data", inside)


def _carriage(place: str, kemac: Any) -> KeyCarriage:
    octets = bytes(kemac.encr_data or b"")
    clear = [key for key in kemac.keys_in_clear() if key.key_data and not notes(key)]
    return KeyCarriage(
        place,
        _number(kemac.encr_alg),
        _number(kemac.mac_alg),
        len(octets),
        _digest(octets),
        tuple(codes.KEY_DATA_TYPES.get(key.type, f"key of type {key.type}") for key in clear),
        bool(clear) and not any(any(key.key_data) or any(key.salt_data or b"") for key in clear),
    )


def _authentication(data_type: int, payloads: Sequence[Any]) -> MikeyAuthentication | None:
    """What authenticates a message: V or SIGN, or the KEMAC in modes where nothing else does."""
    for at, one in enumerate(reversed(payloads)):
        if isinstance(one, V):
            return _mac("V", one.auth_alg, one.ver_data, at == 0)
        if isinstance(one, SIGN):
            return _mac("SIGN", one.s_type, bytes(one.signature or b""), at == 0)
        if isinstance(one, KEMAC) and data_type in KEMAC_MODES:
            return _mac("KEMAC", one.mac_alg, one.mac, at == 0)
    return None


def _mac(payload: str, algorithm: Any, value: bytes, last: bool) -> MikeyAuthentication:
    return MikeyAuthentication(payload, _number(algorithm), len(value), _digest(value), last)

"""Tickets of MIKEY-TICKET: what is known of each, from the user's keys and from the exchanges that carried it.

A ticket is known by its own octets (RFC 6043 §6.10 and Appendix A).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dissectors.mikey.payload.layers import KEMAC, RAND, T, V
from dissectors.mikey.ticket.layers import InitiatorData, MIKEYBaseTicket
from dissectors.mikey.ticket.octets import ticket_octets
from imsinspect.crypto import mikey
from imsinspect.keys.mikey_octets import own_mac
from imsinspect.keys.mikey_records import (
    NOTHING,
    MikeyKey,
    MikeySecrets,
    OpenedTicket,
    TicketKeys,
    Verification,
    digest,
)
from imsinspect.keys.mikey_trials import Holding, Reading, Trial, open_kemac, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imsinspect.keys.mikey_bundles import Seen

TRANSFER_INIT = 14
_FORKING = frozenset((TRANSFER_INIT, 16, 17))  # with RESOLVE_INITs: their tickets carry Initiator data


@dataclass(slots=True)
class Fork:
    """Keys of one Responder, as RESOLVE_RESP gave them."""

    responder: bytes
    rand_kms: bytes
    mpk_r: Holding | None = None
    keys: list[MikeyKey] = field(default_factory=list)


@dataclass(slots=True)
class Known:
    """What is known of a ticket."""

    digest: str
    layer: Any
    csb_ids: set[int] = field(default_factory=set)
    mpk_i: list[Holding] = field(default_factory=list)
    mpk_r: list[Holding] = field(default_factory=list)  # before forking
    given_mpk_r: list[Holding] = field(default_factory=list)  # by the user: forked, or not
    keys: list[MikeyKey] = field(default_factory=list)  # before forking
    given_keys: list[MikeyKey] = field(default_factory=list)  # by the user: forked, or not
    forks: list[Fork] = field(default_factory=list)
    responders: list[bytes] = field(default_factory=list)  # that the user names
    proven_forked: list[Holding] = field(default_factory=list)  # of those the user gives
    opened: OpenedTicket | None = None
    vs: list[tuple[int, bytes]] = field(default_factory=list)  # MACs of the TRANSFER_INITs that it was sent in

    def flag(self, letter: str) -> bool:
        """A flag of the ticket policy (RFC 6043 §6.10)."""
        return bool(self.layer.getfieldval(letter) == 1)

    @property
    def function(self) -> int:
        """The PRF function of the ticket."""
        value = self.layer.prf_func
        return value if isinstance(value, int) else -1


class Tickets:
    """All tickets of a run."""

    def __init__(self, secrets: MikeySecrets) -> None:
        self.secrets = secrets
        self.known: dict[bytes, Known] = {}

    def note(self, seen: Seen) -> None:
        """Take note of the ticket in a message."""
        ticket = seen.octets.ticket
        if ticket is None:
            return
        octets = ticket_octets(ticket)
        known = self.known.setdefault(octets, Known(digest(octets), ticket))
        known.csb_ids.add(seen.facts.csb_id)
        place = seen.octets.v
        if seen.facts.data_type == TRANSFER_INIT and place is not None:
            known.vs.append(own_mac(place.payload))

    def known_of(self, seen: Seen) -> Known | None:
        """The ticket in a message."""
        ticket = seen.octets.ticket
        return self.known.get(ticket_octets(ticket)) if ticket is not None else None

    def use_keys(self, known: Known) -> None:
        """The user's keys for a ticket: the ticket itself is opened where a TPK is among them."""
        entries = [one for one in self.secrets.tickets if one.csb_id in known.csb_ids or one.csb_id is None]
        for one in entries:
            meant = one.csb_id is not None or len(self.known) == 1
            hold(known.mpk_i, Holding("MPKi", one.mpk_i, meant=meant))
            hold(known.given_mpk_r, Holding("MPKr", one.mpk_r, meant=meant))
            if one.tgk:
                known.given_keys.append(MikeyKey("TGK", one.tgk))
            if one.responder:
                known.responders.append(one.responder.encode())
        known.opened = self._open_ticket(known, entries)

    def _open_ticket(self, known: Known, entries: Sequence[TicketKeys]) -> OpenedTicket:
        """A MIKEY base ticket, with a TPK (RFC 6043 Appendix A)."""
        found = OpenedTicket(known.digest)
        data = known.layer.ticket_data
        inside = {type(one): one for one in data.payloads} if isinstance(data, MIKEYBaseTicket) else {}
        kemac, v, rand, t = (inside.get(one) for one in (KEMAC, V, RAND, T))
        if not (kemac and v and rand and t) or data.payloads[-1] is not v or not mikey.known_prf(known.function):
            return found
        holdings = [
            Holding("TPK", one.tpk, meant=one.csb_id is not None or len(self.known) == 1) for one in entries if one.tpk
        ]
        mac_alg, value = own_mac(v)
        octets = ticket_octets(known.layer)
        context = mikey.ticket_context(rand.rand)
        covered = [Reading(octets[: len(octets) - len(value)], "the ticket")]
        trial = verify(known.function, mac_alg, value, holdings, [Reading(context)], covered)
        found = replace(found, mac=trial.verification)
        opener = trial.holding or (holdings[0] if holdings and trial.verification.algorithm == "NULL" else None)
        stamp = (t.ts_type if isinstance(t.ts_type, int) else 0, bytes(t.ts_value or b""), "")
        key = opener.key if opener is not None else b""
        if opener is None and kemac.encr_alg != 0:
            return found
        carried = open_kemac(kemac, known.function, key, context, mikey.NO_CSB_ID, [stamp])
        if carried is None:
            return found
        for one in carried[0]:
            if one.type == "MPK":
                mpk_i, mpk_r = mikey.mpks(known.function, one.key, rand.rand)
                hold(known.mpk_i, Holding("MPKi", mpk_i))
                hold(known.mpk_r, Holding("MPKr", mpk_r))
            else:
                collect(known.keys, one)
        return replace(found, opened=True)

    def opened(self, seen: Seen, known: Known) -> OpenedTicket:
        """What is known of the ticket in a message, and of the Initiator data behind it."""
        found = known.opened or OpenedTicket(known.digest)
        data = seen.octets.ticket.initiator_data
        payloads = [one for one in data.payloads if isinstance(one, V)] if isinstance(data, InitiatorData) else []
        if len(payloads) != 2:
            needed = known.flag("I") and seen.facts.data_type in _FORKING
            return replace(found, vi_is_v=False) if needed else found
        vi, vr = own_mac(payloads[0]), own_mac(payloads[1])
        place = seen.octets.v
        if seen.facts.data_type == TRANSFER_INIT:
            same: bool | None = place is not None and own_mac(place.payload) == vi
        else:
            same = vi in known.vs if known.vs else None
        if vi[0] != vr[0]:  # RFC 6043 §6.10 has one algorithm for both
            return replace(found, vi_is_v=same, vr=Verification(False, "not that of Vi"))
        octets = bytes(data)
        covered = [Reading(octets[: len(octets) - len(vr[1])], "Initiator data")]
        context = [Reading(mikey.initiator_data_context())]
        holdings = [*known.mpk_r, *(one for one in known.given_mpk_r if one not in known.proven_forked)]
        trial = Trial(NOTHING)
        for function in dict.fromkeys((seen.facts.prf, known.function)):  # which of the two is not stated
            trial = verify(function, *vr, holdings, context, covered)
            if trial.verification.verified:
                break
        return replace(found, vi_is_v=same, vr=trial.verification)


def hold(place: list[Holding], holding: Holding) -> None:
    """One more key, unless it is known."""
    if holding.key and all(one.key != holding.key for one in place):
        place.append(holding)


def collect(place: list[MikeyKey], key: MikeyKey) -> None:
    """The same for keys of sessions."""
    if key not in place:
        place.append(key)


def merged(*found: Iterable[MikeyKey]) -> list[MikeyKey]:
    """Keys from several places; one that the user gives without salt and SPI gives way to the same one with them."""
    merged: list[MikeyKey] = []
    for some in found:
        for one in some:
            bare = not one.salt and one.spi is None
            if not (bare and any(other.key == one.key for other in merged)):
                collect(merged, one)
    return merged

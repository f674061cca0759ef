"""The Transfer exchange of MIKEY-TICKET, between Initiator and Responder (RFC 6043 §4.2.2, §5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from imsinspect.crypto import mikey
from imsinspect.keys.mikey_bundles import Bundles, Seen, candidates
from imsinspect.keys.mikey_grants import TRANSFER_INIT, Fork, Known, Tickets, merged
from imsinspect.keys.mikey_octets import INITIATOR, KMS, RESPONDER, own_mac
from imsinspect.keys.mikey_records import NOTHING, MikeyKey, OpenedMessage
from imsinspect.keys.mikey_sessions import Derivation, Maps, session_keys
from imsinspect.keys.mikey_trials import Holding, Reading, Trial, carried, verify

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Transfer:
    """The keys of a bundle after its first Transfer, on which updates stand (RFC 6043 §5.2)."""

    initial: Seen
    known: Known
    rand_r: bytes | None = None
    mpk: Holding | None = None
    keys: list[MikeyKey] = field(default_factory=list)
    sent: list[MikeyKey] = field(default_factory=list)  # in KEMAC of TRANSFER_INIT


class Transfers:
    """Opens the Transfer exchanges of a run."""

    def __init__(self, bundles: Bundles, book: Tickets) -> None:
        self.bundles = bundles
        self.book = book
        self.of: dict[int, Transfer] = {}

    def init(self, seen: Seen, opened: OpenedMessage) -> OpenedMessage:
        """TRANSFER_INIT, also one that updates a bundle (RFC 6043 §4.2.2, §5.2)."""
        known = self.book.known_of(seen)
        transfer = self.of.get(seen.facts.csb_id)
        if known is not None:
            transfer = self.of[seen.facts.csb_id] = Transfer(seen, known)
        if transfer is None:
            return replace(opened, remarks=("the message with its ticket was not seen",))
        update = known is None
        rand_i = transfer.initial.octets.rand_of(INITIATOR) or b""
        contexts = [Reading(mikey.initial_message_context(seen.facts.csb_id, rand_i, b""))]
        holdings = list(transfer.known.mpk_i)
        if update:
            holdings = [*([transfer.mpk] if transfer.mpk is not None else []), *holdings]
            if transfer.rand_r:
                context = mikey.initial_message_context(seen.facts.csb_id, rand_i, transfer.rand_r)
                contexts.append(Reading(context, "keys of an update from both random numbers"))
        trial = self._verify_init(seen, transfer, holdings, contexts)
        opened = replace(opened, mac=trial.verification, readings=trial.readings)
        opened, keys = carried(seen, opened, trial, contexts[0].octets, None)
        opened = replace(opened, keys=tuple(keys))
        if opened.mac.verified is False:
            return opened
        if update:
            transfer.keys = keys or transfer.keys
            return self._with_sessions(opened, Maps(self.bundles.of(seen).with_policies(seen)), transfer)
        transfer.sent = keys
        if transfer.known.flag("G") or transfer.known.flag("I"):
            return opened  # TEKs need what TRANSFER_RESP brings
        transfer.rand_r = b""
        transfer.mpk = trial.holding
        transfer.keys = merged(transfer.known.keys, transfer.known.given_keys, keys)
        return self._with_sessions(opened, Maps(seen.facts), transfer)

    def _verify_init(self, seen: Seen, transfer: Transfer, holdings: list[Holding], contexts: list[Reading]) -> Trial:
        """The MAC leaves out Initiator data, and covers both identities (RFC 6043 §5.4)."""
        place = seen.octets.v
        if place is None:
            return Trial(NOTHING)
        mac_alg, value = own_mac(place.payload)
        whole = seen.octets.before_mac(place, value)
        first = transfer.initial
        initiators = candidates(seen.idr(INITIATOR), first.idr(INITIATOR), seen.sent.initiator, first.sent.initiator)
        responders = candidates(seen.idr(RESPONDER), first.idr(RESPONDER), seen.sent.responder, first.sent.responder)
        pairs = [i + r for i in initiators for r in responders]
        swapped = [r + i for i in initiators for r in responders] if seen is not first else []
        shorter = seen.octets.without_initiator_data(whole)
        covered = [Reading(shorter + pair, "the message without Initiator data, IDi and IDr") for pair in pairs]
        covered += [Reading(shorter + pair, "the message, IDr and IDi") for pair in swapped]
        if shorter != whole and seen.octets.ticket.has_initiator_data():
            covered += [Reading(whole + pair, "the message with Initiator data, IDi and IDr") for pair in pairs]
        return verify(seen.facts.prf, mac_alg, value, holdings, contexts, covered)

    def resp(self, seen: Seen, opened: OpenedMessage) -> OpenedMessage:
        """TRANSFER_RESP: its MAC is made with MPKi, or MPKr' where keys are forked (RFC 6043 §4.2.2, §5.4)."""
        requests = self.bundles.of(seen).answered(seen, (TRANSFER_INIT,))
        first = next((one for one in requests if one.octets.ticket is not None), None)
        if seen.facts.csb_id not in self.of and first is not None:  # captured behind its answer
            self.init(first, OpenedMessage(TRANSFER_INIT, seen.facts.csb_id))
        transfer = self.of.get(seen.facts.csb_id)
        if transfer is None or not requests:
            return replace(opened, remarks=("the message that it answers was not seen",))
        known = transfer.known
        rand_i = transfer.initial.octets.rand_of(INITIATOR) or b""
        rand_r = seen.octets.rand_of(RESPONDER)
        if rand_r is None:
            rand_r = transfer.rand_r or b""
        context = mikey.response_message_context(seen.facts.csb_id, rand_i, rand_r)
        forks = self._forks(seen, transfer) if known.flag("I") else []
        holdings = self._answering(transfer, forks)
        trial, request = self._verify_resp(seen, requests, holdings, context)
        known.proven_forked += [one for one in known.given_mpk_r if trial.holding == replace(one, role="MPKr'")]
        opened = replace(opened, mac=trial.verification, readings=trial.readings)
        opened, keys = carried(seen, opened, trial, context, request)
        opened = replace(opened, keys=tuple(keys))
        if opened.mac.verified is False:
            return opened
        if request.octets.ticket is None:  # an update
            transfer.keys = merged(transfer.keys, keys)
        else:
            transfer.rand_r = rand_r
            transfer.mpk = trial.holding or transfer.mpk
            transfer.keys = merged(self._ticket_keys(known, forks, trial), transfer.sent, keys)
        return self._with_sessions(opened, Maps(request.facts, seen.facts), transfer)

    def _verify_resp(
        self, seen: Seen, requests: Sequence[Seen], holdings: list[Holding], context: bytes
    ) -> tuple[Trial, Seen]:
        place = seen.octets.v
        trial = Trial(NOTHING)
        if place is None:
            return trial, requests[0]
        mac_alg, value = own_mac(place.payload)
        whole = seen.octets.before_mac(place, value)
        for request in requests:
            asked = request.octets.whole
            covered = [
                Reading(whole + asked, "the message and TRANSFER_INIT"),
                Reading(
                    whole + request.octets.without_initiator_data(asked),
                    "the message and TRANSFER_INIT without Initiator data",
                ),
            ]
            trial = verify(seen.facts.prf, mac_alg, value, holdings, [Reading(context)], covered)
            if trial.verification.verified:
                return trial, request
        return trial, requests[0]

    def _forks(self, seen: Seen, transfer: Transfer) -> list[Fork]:
        """What keys may have been forked with, the likeliest first, with what RESOLVE_RESP gave of it."""
        known = transfer.known
        responders = candidates(
            seen.idr(RESPONDER), (one.responder for one in known.forks), known.responders, seen.sent.responder
        )
        carried = seen.octets.rand_of(KMS)
        rands = [carried] if carried is not None else [one.rand_kms for one in known.forks]
        found = [one for one in known.forks if one.rand_kms in rands]
        there = {(one.responder, one.rand_kms) for one in found}
        found += [
            Fork(responder, rand)
            for responder in responders
            for rand in dict.fromkeys(rands)
            if (responder, rand) not in there and len(responder) < 1 << 16
        ]
        return found

    def _answering(self, transfer: Transfer, forks: list[Fork]) -> list[Holding]:
        """Keys of TRANSFER_RESP."""
        known = transfer.known
        if not known.flag("I"):
            return list(known.mpk_i)
        found = [one.mpk_r for one in forks if one.mpk_r is not None]
        if mikey.known_prf(known.function):
            for fork in forks:
                for mpk_r in (*known.mpk_r, *known.given_mpk_r):
                    key = mikey.forked_mpk_r(known.function, mpk_r.key, fork.responder, fork.rand_kms)
                    found.append(replace(mpk_r, role="MPKr' of this MPKr", key=key, shown=mpk_r.digest))
        return found + [replace(one, role="MPKr'") for one in known.given_mpk_r]

    def _ticket_keys(self, known: Known, forks: list[Fork], trial: Trial) -> list[MikeyKey]:
        """The keys of the ticket as the Responder uses them: TGKs forked where flag I says so (RFC 6043 §5.1.1)."""
        if not known.flag("I"):
            return merged(known.keys, known.given_keys)
        fork = self._fork_of(known, forks, trial)
        forked = [key for one in forks if one is fork or fork is None for key in one.keys]
        given = [one for one in known.given_keys if all(one.key != other.key for other in known.keys)]
        proven = trial.holding.role if trial.holding is not None else ""
        as_given = [replace(one, forked=True) for one in given]
        if proven == "MPKr'" and known.proven_forked:
            given = []  # the user's keys are forked ones
        elif proven == "MPKr' of this MPKr":
            as_given = []
        made = []
        if mikey.known_prf(known.function):
            for one in (fork,) if fork is not None else forks[:1]:
                for key in (*known.keys, *given):
                    if key.type == "TGK":
                        tgk = mikey.forked_tgk(known.function, key.key, one.responder, one.rand_kms)
                        made.append(replace(key, key=tgk, forked=True))
        return merged(forked, made, [one for one in known.keys if one.type != "TGK"], as_given)

    def _fork_of(self, known: Known, forks: list[Fork], trial: Trial) -> Fork | None:
        """The fork whose MPKr' verified the answer."""
        if trial.holding is None:
            return None
        for fork in forks:
            if fork.mpk_r is not None and fork.mpk_r.key == trial.holding.key:
                return fork
            for mpk_r in (*known.mpk_r, *known.given_mpk_r):
                if mikey.known_prf(known.function) and trial.holding.key == mikey.forked_mpk_r(
                    known.function, mpk_r.key, fork.responder, fork.rand_kms
                ):
                    return fork
        return None

    def _with_sessions(self, opened: OpenedMessage, maps: Maps, transfer: Transfer) -> OpenedMessage:
        """The message with keys of crypto sessions, from the RANDs that flags H and G ask for (RFC 6043 §5.1.3)."""
        known, derivation = transfer.known, None
        if transfer.rand_r is not None and (transfer.rand_r or not known.flag("G")):
            derivation = Derivation(
                maps.initial.prf,
                of_ticket=True,
                rand_i=(transfer.initial.octets.rand_of(INITIATOR) or b"") if known.flag("H") else b"",
                rand_r=transfer.rand_r if known.flag("G") else b"",
            )
        sessions, said = session_keys(maps, transfer.keys, derivation, opened.csb_id)
        return replace(opened, sessions=sessions, readings=opened.readings + said)

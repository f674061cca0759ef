"""Opens messages of MIKEY-TICKET: Request, Transfer and Resolve, with whatever of their keys is held (RFC 6043).

Exchanges with the KMS come first, as their answers carry the keys of a Transfer, which may have been sent before them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dissectors.mikey.compositions import TICKET_MESSAGES
from dissectors.mikey.payload.layers import PKE
from imsinspect.crypto import mikey
from imsinspect.keys.mikey_bundles import Bundles, Seen, candidates
from imsinspect.keys.mikey_grants import Fork, Known, Tickets, collect, hold
from imsinspect.keys.mikey_octets import INITIATOR, KMS, RESPONDER, own_mac
from imsinspect.keys.mikey_records import NOTHING, MikeyKey, MikeySecrets, OpenedMessage
from imsinspect.keys.mikey_transfer import Transfers
from imsinspect.keys.mikey_trials import Holding, Reading, Trial, carried, envelope_keys, pre_shared, signature, verify

if TYPE_CHECKING:
    from collections.abc import Iterable

_REQUEST_PSK, _REQUEST_PK, _REQUEST_RESP, _TRANSFER_INIT, _TRANSFER_RESP, _RESOLVE_PSK, _RESOLVE_PK, _RESOLVE_RESP = (
    range(11, 19)
)
_REQUESTS, _RESOLVES = (_REQUEST_PSK, _REQUEST_PK), (_RESOLVE_PSK, _RESOLVE_PK)
_ERROR = 6


class TicketReader:
    """Opens all MIKEY-TICKET messages of a run."""

    def __init__(self, bundles: Bundles, secrets: MikeySecrets) -> None:
        self.bundles = bundles
        self.secrets = secrets
        self.book = Tickets(secrets)
        self.transfers = Transfers(bundles, self.book)
        self.holders: dict[int, Holding] = {}  # by place of a message, the key that verified it
        self.seen = [one for one in bundles.seen if self._belongs(one)]

    def _belongs(self, seen: Seen) -> bool:
        if not mikey.known_prf(seen.facts.prf):
            return False
        if seen.facts.data_type != _ERROR:
            return seen.facts.data_type in TICKET_MESSAGES
        return any(one.facts.data_type in TICKET_MESSAGES for one in self.bundles.of(seen).near(seen.at))

    def opened(self) -> dict[int, OpenedMessage]:
        """What each message gives, by its place in the sequence."""
        for seen in self.seen:
            self.book.note(seen)
        for known in self.book.known.values():
            self.book.use_keys(known)
        found: dict[int, OpenedMessage] = {}
        with_kms = {
            **dict.fromkeys((*_REQUESTS, *_RESOLVES), self._to_kms),
            **dict.fromkeys((_REQUEST_RESP, _RESOLVE_RESP), self._from_kms),
        }
        between = {_TRANSFER_INIT: self.transfers.init, _TRANSFER_RESP: self.transfers.resp, _ERROR: self._error}
        for openers in (with_kms, between):
            for seen in self.seen:
                opener = openers.get(seen.facts.data_type)
                if opener is not None:
                    found[seen.at] = opener(seen, OpenedMessage(seen.facts.data_type, seen.facts.csb_id))
        return {at: self._finished(at, one) for at, one in found.items()}

    def _finished(self, at: int, opened: OpenedMessage) -> OpenedMessage:
        """The message with what is to be said of its ticket, once all keys are known."""
        seen = self.bundles.seen[at]
        known = self.book.known_of(seen)
        ticket = self.book.opened(seen, known) if known is not None else None
        remarks = list(opened.remarks)
        if ticket is not None:
            remarks += [
                f"{what} {one}"
                for what, one in (("MAC of the ticket", ticket.mac), ("Vr", ticket.vr))
                if one.verified is False
            ]
            if ticket.vi_is_v is False:
                remarks.append("Vi is missing, or not the V of TRANSFER_INIT")
        return replace(opened, ticket=ticket, remarks=tuple(remarks))

    def _to_kms(self, seen: Seen, opened: OpenedMessage) -> OpenedMessage:
        """REQUEST_INIT or RESOLVE_INIT: the MAC or signature covers sender and KMS (RFC 6043 §5.4)."""
        asked = seen.facts.data_type in _REQUESTS
        role, session = (INITIATOR, seen.sent.initiator) if asked else (RESPONDER, seen.sent.responder)
        inside = seen.facts.tickets[0].identities if seen.facts.tickets else ()
        senders = candidates(seen.idr(role), session, (one.data for one in inside if one.role == role))
        servers = candidates(seen.idr(KMS), seen.sent.kms, (one.data for one in inside if one.role == KMS))
        pairs = [sender + server for sender in senders for server in servers]
        name = f"the message, {'IDi' if asked else 'IDr'} and IDkms"
        place = seen.octets.v
        if seen.octets.sign is not None:
            opened = replace(opened, signature=signature(seen.octets, [Reading(pair, name) for pair in pairs]))
        if place is None:
            return opened
        mac_alg, value = own_mac(place.payload)
        whole = seen.octets.before_mac(place, value)
        covered = [Reading(whole + pair, name) for pair in pairs]
        contexts = [Reading(mikey.initial_message_context(seen.facts.csb_id, *_rands(seen, asked=asked)))]
        trial = verify(seen.facts.prf, mac_alg, value, self._kms_keys(seen), contexts, covered)
        self._remember(seen, trial)
        return replace(opened, mac=trial.verification, readings=trial.readings)

    def _from_kms(self, seen: Seen, opened: OpenedMessage) -> OpenedMessage:
        """REQUEST_RESP or RESOLVE_RESP: the MAC covers the whole message that it answers (RFC 6043 §5.4)."""
        asked = seen.facts.data_type == _REQUEST_RESP
        requests = self.bundles.of(seen).answered(seen, _REQUESTS if asked else _RESOLVES)
        if not requests:
            return replace(opened, opened=False, remarks=("the message that it answers was not seen",))
        trial, request, context = Trial(NOTHING), requests[0], b""
        place = seen.octets.v
        mac_alg, value = own_mac(place.payload) if place is not None else (0, b"")
        for request in requests:
            context = mikey.response_message_context(seen.facts.csb_id, *_rands(request, asked=asked))
            if place is None:
                break
            whole = seen.octets.before_mac(place, value)
            covered = [Reading(whole + request.octets.whole, "the message and the one that it answers")]
            trial = verify(seen.facts.prf, mac_alg, value, self._kms_keys(request), [Reading(context)], covered)
            if trial.verification.verified:
                break
        self._remember(seen, trial)
        opened = replace(opened, mac=trial.verification, readings=trial.readings)
        opened, keys = carried(seen, opened, trial, context, request)
        if asked:
            return replace(opened, keys=tuple(self._granted(self.book.known_of(seen), keys)))
        return replace(opened, keys=tuple(self._resolved(self.book.known_of(request), seen, keys)))

    def _kms_keys(self, seen: Seen) -> list[Holding]:
        """Keys that its sender and the KMS share."""
        if seen.at in self.holders:
            return [self.holders[seen.at]]
        pke = seen.octets.first(PKE)
        if pke is not None:
            return envelope_keys(self.secrets.rsa, pke.data)
        asked = seen.facts.data_type in _REQUESTS
        identities = [one.data for one in seen.facts.identities]
        return pre_shared(self.secrets.psk, [*identities, *(seen.sent.initiator if asked else seen.sent.responder)])

    def _granted(self, known: Known | None, keys: list[MikeyKey]) -> list[MikeyKey]:
        """The keys of REQUEST_RESP: MPKi, then MPKr where keys are forked, then those of the sessions."""
        named = _name_mpks(keys, "MPKr")
        if known is None:
            return named
        for one in named:
            if one.type == "MPKi":
                hold(known.mpk_i, Holding("MPKi", one.key))
            elif one.type == "MPKr":
                hold(known.mpk_r, Holding("MPKr", one.key))
            else:
                collect(known.keys, one)
        return named

    def _resolved(self, known: Known | None, seen: Seen, keys: list[MikeyKey]) -> list[MikeyKey]:
        """The keys of RESOLVE_RESP: MPKi, then MPKr' where keys are forked, then those of the sessions, TGKs forked."""
        forking = known is not None and known.flag("I")
        named = [
            replace(one, forked=forking and one.type in ("MPKr'", "TGK"))
            for one in _name_mpks(keys, "MPKr'" if forking else "MPKr")
        ]
        if known is None or not named:
            return named
        fork = Fork(next(iter(seen.idr(RESPONDER)), b""), seen.octets.rand_of(KMS) or b"")
        for one in named:
            if one.type == "MPKi":
                hold(known.mpk_i, Holding("MPKi", one.key))
            elif one.type == "MPKr'":
                fork.mpk_r = Holding("MPKr'", one.key)
            elif one.type == "MPKr":
                hold(known.mpk_r, Holding("MPKr", one.key))
            else:
                collect(fork.keys if one.forked else known.keys, one)
        if forking:
            known.forks.append(fork)
        return named

    def _error(self, seen: Seen, opened: OpenedMessage) -> OpenedMessage:
        """An error: only the message is covered, with a key of the message that failed (RFC 6043 §5.4)."""
        place = seen.octets.v
        failed = self.bundles.of(seen).answered(seen, (*_REQUESTS, *_RESOLVES, _TRANSFER_INIT, _TRANSFER_RESP))
        trial = Trial(NOTHING)
        if place is None:
            return opened
        mac_alg, value = own_mac(place.payload)
        covered = [Reading(seen.octets.before_mac(place, value), "the message")]
        for one in failed:
            rand_i, rand_r = one.octets.rand_of(INITIATOR) or b"", one.octets.rand_of(RESPONDER) or b""
            contexts = [
                Reading(make(seen.facts.csb_id, rand_i, rand_r), name)
                for make, name in (
                    (mikey.response_message_context, "keys of an answer"),
                    (mikey.initial_message_context, "keys of a first message"),
                )
            ]
            transfer = self.transfers.of.get(seen.facts.csb_id)
            holdings = self._kms_keys(one) if one.facts.data_type not in (_TRANSFER_INIT, _TRANSFER_RESP) else []
            if transfer is not None:
                holdings += [*([transfer.mpk] if transfer.mpk is not None else []), *transfer.known.mpk_i]
            trial = verify(seen.facts.prf, mac_alg, value, holdings, contexts, covered)
            if trial.verification.verified:
                break
        return replace(opened, mac=trial.verification, readings=trial.readings)

    def _remember(self, seen: Seen, trial: Trial) -> None:
        if trial.holding is not None:
            self.holders[seen.at] = trial.holding


def _rands(seen: Seen, *, asked: bool) -> tuple[bytes, bytes]:
    """RANDRi and RANDRr as they go into keys of an exchange with the KMS (RFC 6043 §5.1.2)."""
    if asked:
        return seen.octets.rand_of(INITIATOR) or b"", b""
    return b"", seen.octets.rand_of(RESPONDER) or b""


def _name_mpks(keys: Iterable[MikeyKey], second: str) -> list[MikeyKey]:
    """Keys with the names that their order gives MPKs: MPKi is the first (RFC 6043 §4.2.1, §4.2.3)."""
    names = iter(("MPKi", second))
    return [replace(one, type=next(names, "MPK")) if one.type == "MPK" else one for one in keys]

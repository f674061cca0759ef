"""Opens MIKEY messages with the keys that a user holds: MACs are verified, KEMACs opened, and TEKs derived.

    for opened in open_messages([Sent(MIKEY(octets), octets), …], secrets): …

Messages of one crypto session bundle belong together, and so do exchanges that share a ticket. A key that does not fit
is a result, not an error; whatever a message says, nothing is raised. Modes whose keys no one but the parties has
(Diffie-Hellman, IBAKE, SAKKE) are verified where they can be, and stay closed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dissectors.mikey import codes
from dissectors.mikey.compositions import DHHMAC_MESSAGES, TICKET_MESSAGES
from dissectors.mikey.payload.layers import DH, PKE
from imsinspect.crypto import mikey as derivation
from imsinspect.crypto.mikey_protection import dh_value_is_sound
from imsinspect.keys.mikey_bundles import Bundle, Bundles, Seen
from imsinspect.keys.mikey_octets import own_mac
from imsinspect.keys.mikey_records import SHOWN, MikeyKey, MikeySecrets, OpenedMessage, Sent, Verification
from imsinspect.keys.mikey_sessions import Derivation, Maps, session_keys
from imsinspect.keys.mikey_ticket import TicketReader
from imsinspect.keys.mikey_trials import (
    Holding,
    Reading,
    Trial,
    dhhmac_algorithm,
    envelope_keys,
    open_kemac,
    pre_shared,
    signature,
    verify,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imsinspect.keys.mikey_octets import Place

__all__ = ["MikeySecrets", "OpenedMessage", "Sent", "open_messages"]

_PSK, _PSK_ANSWER, _PK, _PK_ANSWER, _DH_INIT, _DH_RESP, _ERROR, _DHHMAC, _DHHMAC_ANSWER, _RSA_R, _RSA_R_ANSWER = range(
    11
)
_PRE_SHARED = frozenset((_PSK, _DHHMAC, _DHHMAC_ANSWER))
_ENVELOPES = frozenset((_PK, _RSA_R_ANSWER))
_ANSWERS = {
    _PSK_ANSWER: (_PSK,),
    _PK_ANSWER: (_PK,),
    _DH_RESP: (_DH_INIT,),
    _DHHMAC_ANSWER: (_DHHMAC,),
    _RSA_R_ANSWER: (_RSA_R,),
}
_CACHED = (1, 2)  # C of PKE: the envelope key may be used again


def open_messages(messages: Sequence[Sent], secrets: MikeySecrets) -> tuple[OpenedMessage, ...]:
    """What each message gives with these keys, in the order given, which is that of their sending."""
    bundles = Bundles(messages)
    found = TicketReader(bundles, secrets).opened()
    reader = _Reader(bundles, secrets)
    for seen in bundles.seen:
        if seen.at not in found:
            found[seen.at] = reader.open(seen)
    others = _keys_of_others(bundles, found)
    return tuple(
        _with_remark(_less(found[seen.at], others.get(seen.facts.csb_id, frozenset()))) for seen in bundles.seen
    )


def _keys_of_others(bundles: Bundles, found: Mapping[int, OpenedMessage]) -> dict[int, frozenset[str]]:
    """By CSB ID, keys that verified messages of other parties only: that they do not fit here says nothing."""
    parties = {csb_id: bundle.parties_of_all() for csb_id, bundle in bundles.by_id.items()}
    owners: dict[str, set[bytes]] = {}
    for seen in bundles.seen:
        if found[seen.at].mac.verified:
            owners.setdefault(found[seen.at].mac.key, set()).update(parties[seen.facts.csb_id])
    return {
        csb_id: frozenset(key for key, its in owners.items() if its and its.isdisjoint(here))
        for csb_id, here in parties.items()
        if here and any(found[one.at].mac.verified is False for one in bundles.by_id[csb_id].messages)
    }


def _less(opened: OpenedMessage, others: frozenset[str]) -> OpenedMessage:
    """The result without the blame of keys that are not meant for the message."""
    if opened.mac.verified is not False:
        return opened
    tried = tuple(one for one in opened.mac.tried if one not in others)
    return replace(opened, mac=replace(opened.mac, verified=False if tried else None, tried=tried))


def _with_remark(opened: OpenedMessage) -> OpenedMessage:
    """A wrong key, in words."""
    if opened.mac.verified is not False:
        return opened
    return replace(opened, remarks=(f"MAC {opened.mac}", *opened.remarks))


class _Reader:
    """Opens messages of RFC 3830, RFC 4650 and RFC 4738."""

    def __init__(self, bundles: Bundles, secrets: MikeySecrets) -> None:
        self.bundles = bundles
        self.secrets = secrets
        self.cached: list[tuple[int | None, Holding]] = []  # envelope keys, and the CSB they are for, None for any

    def open(self, seen: Seen) -> OpenedMessage:
        """One message."""
        bundle = self.bundles.of(seen)
        opened = OpenedMessage(seen.facts.data_type, seen.facts.csb_id)
        if seen.facts.data_type in TICKET_MESSAGES or not derivation.known_prf(seen.facts.prf):
            remark = "" if derivation.known_prf(seen.facts.prf) else f"PRF function {seen.facts.prf} is not known"
            return replace(opened, remarks=(remark,) if remark else ())
        if seen.facts.data_type in _PRE_SHARED | _ENVELOPES:
            opened = self._with_kemac(seen, bundle, opened)
        elif seen.facts.data_type in (_PSK_ANSWER, _PK_ANSWER, _ERROR):
            opened = self._with_v(seen, bundle, opened)
        if seen.octets.sign is not None:
            opened = replace(opened, signature=signature(seen.octets, self._signed(seen, bundle)))
        return replace(opened, remarks=opened.remarks + tuple(_remarks(seen)))

    # --- messages with KEMAC ----------------------------------------------------------------------

    def _with_kemac(self, seen: Seen, bundle: Bundle, opened: OpenedMessage) -> OpenedMessage:
        place = seen.octets.kemac
        if place is None:
            return opened
        function, readings = seen.facts.prf, []
        mac_alg, value = own_mac(place.payload)
        if seen.facts.data_type in DHHMAC_MESSAGES:
            mac_alg, reading = dhhmac_algorithm(place.payload)
            readings += [reading] if reading else []
        holdings = self._holdings(seen, bundle)
        contexts = self._contexts(seen, bundle)
        trial = verify(function, mac_alg, value, holdings, contexts, self._covered(seen, place, value))
        opened = replace(opened, mac=trial.verification)
        if seen.facts.data_type in DHHMAC_MESSAGES:
            return replace(opened, readings=(*readings, *trial.readings))
        found = self._read(seen, place, trial, holdings, contexts)
        if found is None:
            diagnosis = self._diagnosis(seen, place, trial, holdings, contexts)
            return replace(opened, opened=False, readings=trial.readings, remarks=diagnosis, decrypts=bool(diagnosis))
        keys, more, holding, context = found
        if holding is not None:
            bundle.keys_of[seen.at] = holding
            self._cache(seen, holding)
        bundle.carried[seen.at] = keys
        maps = self._maps(seen, bundle)
        csb_id = int.from_bytes(context[1:5], "big") if context else seen.facts.csb_id
        rand = context[5:] if context else self._rand(seen, bundle)
        sessions, said = session_keys(maps, keys, Derivation(function, csb_id, rand), seen.facts.csb_id)
        return replace(
            opened,
            opened=True,
            keys=tuple(keys),
            sessions=sessions,
            readings=(*readings, *trial.readings, *more, *said),
        )

    def _read(
        self, seen: Seen, place: Place, trial: Trial, holdings: Sequence[Holding], contexts: Sequence[Reading]
    ) -> tuple[list[MikeyKey], tuple[str, ...], Holding | None, bytes] | None:
        """The keys in KEMAC. NULL encryption needs no key; without a MAC, a key fits by which Key data is sound."""
        kemac = place.payload
        stamps = [(*seen.octets.timestamp, "")]
        if kemac.encr_alg == 0:
            found = open_kemac(kemac, seen.facts.prf, b"", b"", 0, stamps)
            context = trial.context or (contexts[0].octets if contexts else b"")
            return (*found, trial.holding, context) if found is not None else None
        if trial.holding is not None:
            tries = [(trial.holding, trial.context)]
        elif trial.verification.verified is None:
            tries = [(holding, context.octets) for holding in holdings for context in contexts]
        else:
            tries = []
        for holding, context in tries:
            csb_id = int.from_bytes(context[1:5], "big")
            found = open_kemac(kemac, seen.facts.prf, holding.key, context, csb_id, stamps)
            if found is not None:
                keys, readings = found
                if trial.holding is None:
                    readings += (f"key {holding.digest[:SHOWN]} is told from Key data that makes sense, not by a MAC",)
                return keys, readings, holding, context
        return None

    def _diagnosis(
        self, seen: Seen, place: Place, trial: Trial, holdings: Sequence[Holding], contexts: Sequence[Reading]
    ) -> tuple[str, ...]:
        """What a MAC that does not verify means where its key decrypts the KEMAC: the message was changed."""
        if trial.verification.verified is not False or place.payload.encr_alg == 0:
            return ()
        unverified = Trial(Verification())
        for holding in holdings:
            if self._read(seen, place, unverified, [holding], contexts) is not None:
                return (
                    f"KEMAC decrypts with key {holding.digest[:SHOWN]}: what the MAC covers was changed on the way",
                )
        return ()

    def _holdings(self, seen: Seen, bundle: Bundle) -> list[Holding]:
        """Keys that may protect a message with KEMAC."""
        if seen.facts.data_type in _ENVELOPES:
            pke = seen.octets.first(PKE)
            return envelope_keys(self.secrets.rsa, pke.data) if pke is not None else []
        cached = [holding for csb_id, holding in self.cached if csb_id in (None, seen.facts.csb_id)]
        return pre_shared(self.secrets.psk, bundle.identities(seen)) + cached

    def _cache(self, seen: Seen, holding: Holding) -> None:
        """An envelope key that may be used again protects later messages like a pre-shared one (RFC 3830 §3.2)."""
        pke = seen.octets.first(PKE)
        if seen.facts.data_type in _ENVELOPES and pke is not None and pke.C in _CACHED:
            again = replace(holding, role="cached envelope key", meant=False)
            self.cached.append((None if pke.C == 1 else seen.facts.csb_id, again))

    def _rand(self, seen: Seen, bundle: Bundle) -> bytes:
        """RAND of the first exchange, which updates keep (RFC 3830 §4.5)."""
        return seen.octets.rand or bundle.rand_before(seen.at)

    def _contexts(self, seen: Seen, bundle: Bundle) -> list[Reading]:
        """Contexts of keys that protect messages. A CSB_ID extension takes the place of HDR's (RFC 4738 §3.6)."""
        rand = self._rand(seen, bundle)
        ids = [(seen.facts.csb_id, "")]
        if seen.facts.replaced_csb_id is not None and seen.facts.replaced_csb_id >= 0:
            ids = [(seen.facts.replaced_csb_id, "CSB ID of the CSB_ID extension"), (seen.facts.csb_id, "CSB ID of HDR")]
        return [Reading(derivation.message_context(csb_id, rand), name) for csb_id, name in ids if csb_id >= 0]

    def _covered(self, seen: Seen, place: Place, value: bytes) -> list[Reading]:
        """What the MAC of KEMAC covers: the message, or KEMAC where a signature covers the rest (RFC 3830 §6.2)."""
        whole = seen.octets.before_mac(place, value)
        if seen.facts.data_type not in _ENVELOPES:
            return [Reading(whole, "the message")]
        alone = whole[place.begin :]
        return [
            Reading(b"\0" + alone[1:], "KEMAC"),
            Reading(alone, "KEMAC with its next payload"),
            Reading(whole, "the message up to KEMAC"),
        ]

    def _maps(self, seen: Seen, bundle: Bundle) -> Maps:
        if seen.facts.data_type == _RSA_R_ANSWER:
            asked = bundle.answered(seen, (_RSA_R,))
            if asked:
                return Maps(asked[0].facts, seen.facts)
        return Maps(bundle.with_policies(seen))

    # --- answers ----------------------------------------------------------------------------------

    def _with_v(self, seen: Seen, bundle: Bundle, opened: OpenedMessage) -> OpenedMessage:
        """An answer whose V covers identities and T besides the message (RFC 3830 §5.2)."""
        place = seen.octets.v
        asked = bundle.answered(seen, _ANSWERS.get(seen.facts.data_type, (_PSK, _PK, _DHHMAC, _RSA_R)))
        best: Trial | None = None
        request: Seen | None = None
        if place is not None:
            mac_alg, value = own_mac(place.payload)
            whole = seen.octets.before_mac(place, value)
            for one in asked:
                holdings = self._answering(seen, bundle, one)
                contexts = self._contexts(one, bundle) if self._rand(one, bundle) or one.octets.rand else []
                trial = verify(
                    seen.facts.prf, mac_alg, value, holdings, contexts, self._verified(seen, one, bundle, whole)
                )
                if best is None or trial.verification.verified:
                    best, request = trial, one
                if trial.verification.verified:
                    break
            if best is None:
                name = codes.MAC_ALGORITHMS.get(mac_alg, "")
                return replace(
                    opened, mac=Verification(None, name), remarks=("the message that it answers was not seen",)
                )
            opened = replace(opened, mac=best.verification, readings=best.readings)
        if seen.facts.data_type == _ERROR or request is None or request.at not in bundle.carried:
            return opened
        if opened.mac.verified is False:
            return opened
        maps = Maps(bundle.with_policies(request), seen.facts)
        rand = self._rand(request, bundle)
        found, said = session_keys(
            maps,
            bundle.carried[request.at],
            Derivation(seen.facts.prf, seen.facts.csb_id, rand),
            seen.facts.csb_id,
        )
        return replace(opened, sessions=found, readings=opened.readings + said)

    def _answering(self, seen: Seen, bundle: Bundle, request: Seen) -> list[Holding]:
        """Keys of an answer: that which opened the request, or else any that may have."""
        known = bundle.keys_of.get(request.at)
        if known is not None:
            return [known]
        if request.facts.data_type in _ENVELOPES:
            return self._holdings(request, bundle)
        return pre_shared(self.secrets.psk, [*bundle.identities(seen), *bundle.identities(request)])

    def _verified(self, seen: Seen, request: Seen, bundle: Bundle, whole: bytes) -> list[Reading]:
        """What V may cover; minisip leaves out the identities, and errors have no rule of their own."""
        value = seen.octets.timestamp[1] or request.octets.timestamp[1]
        found = [
            Reading(whole + i + r + value, "the message, IDi, IDr and T") for i, r in bundle.parties(request, seen)
        ]
        found.append(Reading(whole + value, "the message and T, as minisip has it"))
        found.append(Reading(whole, "the message alone"))
        return found

    def _signed(self, seen: Seen, bundle: Bundle) -> list[Reading]:
        """What a signature covers behind the message (RFC 3830 §5.2; RFC 4738 §3.6 adds identities and T)."""
        if seen.facts.data_type != _RSA_R_ANSWER:
            return [Reading(b"", "the message")]
        value = seen.octets.timestamp[1]
        asked = bundle.answered(seen, (_RSA_R,))[:1] or [seen]
        found = [Reading(i + r + value, "the message, IDi, IDr and T") for i, r in bundle.parties(asked[0], seen)]
        return [*found, Reading(b"", "the message")]


def _remarks(seen: Seen) -> Iterable[str]:
    """What is to be said of a message beyond its fields."""
    for one in seen.octets.places:
        known = isinstance(one.payload, DH) and one.payload.dh_group in codes.DH_GROUPS
        if known and not dh_value_is_sound(one.payload.dh_group, one.payload.dh_value):
            yield "a DH value is degenerate: whoever sees it knows the TGK"

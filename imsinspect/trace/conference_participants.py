"""Who the participants of a conference are: asserted, by MIKEY, or as they call themselves (rules.md 17.6, 17.9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.trace.conference_model import Participant
from imsinspect.trace.identities import canonical, is_anonymous

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.trace.conference_model import ConferenceLeg
    from imsinspect.trace.model import Call, MikeyMessage, Registration, SignallingMessage

HIDING = frozenset(("id", "user"))  # values of Privacy (RFC 3323 §4.2, RFC 3325 §9.3)
MAX_ASSERTED = 4  # identities of one message
MAX_ALIASES = 64  # identities of one user that are followed
MAX_HOPS = 8  # of one session
SAME_SESSION = 32_000_000_000  # nanoseconds between the INVITEs of two hops of one session
INITIATOR, RESPONDER = 1, 2
ROLES = {
    14: (INITIATOR,),
    15: (RESPONDER,),
}  # of the sender, by data type: TRANSFER_INIT, TRANSFER_RESP (RFC 6043 §6.6)
NO_ROLE = (0,)  # an ID payload names the sender (RFC 3830 §3)


@dataclass(slots=True, frozen=True)
class Identity:
    """Whom a message is from."""

    uri: bytes
    asserted: bool
    aliases: frozenset[str]  # canonical, of all asserted identities

    @property
    def name(self) -> str:
        """The identity as it is compared."""
        return canonical(self.uri)


def asserted_of(message: SignallingMessage) -> list[bytes]:
    """The URIs that P-Asserted-Identity names (RFC 3325 §9.1)."""
    if b"sserted" not in message.sip.head and b"SSERTED" not in message.sip.head:
        return []
    return [uri_of(value) for value in message.sip.header_values(b"p-asserted-identity")[:MAX_ASSERTED]]


def identity_of(messages: Iterable[SignallingMessage], own: bytes) -> Identity:
    """The sender of messages, those that are asked first standing first; `own` is what it calls itself."""
    preferred = own
    for message in messages:
        uris = asserted_of(message)
        if uris:
            sip = next((uri for uri in uris if uri[:4].lower() != b"tel:"), uris[0])
            return Identity(sip, True, frozenset(canonical(uri) for uri in uris))
        if is_anonymous(preferred):
            rows = message.sip.header_values(b"p-preferred-identity")[:1]
            preferred = uri_of(rows[0]) if rows else preferred
    return Identity(preferred, False, frozenset((canonical(preferred),)))


class Registered:
    """Identities of one user, by the registrations of the trace (P-Associated-URI; RFC 7315 §4.1)."""

    def __init__(self, registrations: Iterable[Registration]) -> None:
        self._sets: dict[str, frozenset[str]] = {}
        for registration in registrations:
            names = {canonical(registration.identity)}
            for message in registration.messages:
                if 200 <= message.sip.status < 300 and b"ssociated" in message.sip.head:
                    rows = message.sip.header_values(b"p-associated-uri")[:16]
                    names.update(canonical(uri_of(row)) for row in rows)
            for name in names:
                known = self._sets.get(name, frozenset())
                self._sets[name] = known | names if len(known) < MAX_ALIASES else known

    def __contains__(self, name: object) -> bool:
        return name in self._sets

    def of(self, names: frozenset[str]) -> frozenset[str]:
        """These identities and all that belong to the same users."""
        return names.union(*(self._sets.get(name, frozenset()) for name in names))


@dataclass(slots=True)
class Register:
    """The participants of one conference, found by any of their identities."""

    registered: Registered
    participants: list[Participant] = field(default_factory=list)
    _by_name: dict[str, Participant] = field(default_factory=dict)

    def add(self, leg: ConferenceLeg, identity: Identity, shown: bytes, mikey: str, display: str = "") -> Participant:
        """The participant of a leg. Who only says that it is anonymous is another one in each dialog."""
        hidden = not identity.asserted and is_anonymous(identity.uri)
        anonymous = is_anonymous(shown) or bool(leg.privacy & HIDING)
        names = frozenset() if hidden else self.registered.of(identity.aliases)
        known = next((self._by_name[name] for name in sorted(names) if name in self._by_name), None)
        if known is None:
            known = Participant(identity.name, identity.uri, identity.asserted, anonymous, mikey)
            self.participants.append(known)
        known.asserted |= identity.asserted
        known.asserted |= bool(mikey)
        known.anonymous |= anonymous
        known.display = known.display or display
        known.mikey_identity = known.mikey_identity or mikey
        if len(known.aliases) < MAX_ALIASES:
            known.aliases |= names - {known.identity}
        known.legs.append(leg)
        for name in names:
            self._by_name.setdefault(name, known)
        return known

    def fold(self, calls: dict[str, Call]) -> None:
        """Of a session that several hops carried as calls of their own (T-B2B), the leg nearest to the focus stays."""
        for participant in self.participants:
            if len(participant.legs) > 1:
                participant.legs = _folded(participant.legs, calls)


def _folded(legs: list[ConferenceLeg], calls: dict[str, Call]) -> list[ConferenceLeg]:
    kept: dict[str, ConferenceLeg] = {}  # by call id, also of those folded into a leg
    out: list[ConferenceLeg] = []
    for leg in legs:
        call = calls[leg.call]
        near = next((kept[name] for name in call.related if name in kept), None)
        if (
            near is None
            or near.dial_out != leg.dial_out
            or near.call == leg.call
            or len(near.also) >= MAX_HOPS
            or abs(near.invite.time - leg.invite.time) > SAME_SESSION
        ):
            kept[leg.call] = leg
            out.append(leg)
        elif leg.dial_out:  # in time order: the focus sent the first one
            near.also = (*near.also, leg.call)
            kept[leg.call] = near
        else:
            leg.also = (*near.also, near.call)
            out[out.index(near)] = leg
            for name in leg.also:
                kept[name] = leg
            kept[leg.call] = leg
    return out


def mikey_identities(messages: Iterable[MikeyMessage]) -> dict[tuple[str, bytes], str]:
    """Canonical identities that MIKEY messages name as their senders, by call and dialog tag."""
    out: dict[tuple[str, bytes], str] = {}
    for message in messages:
        if message.record is not None and (message.call, message.party) not in out:
            roles = ROLES.get(message.record.data_type, NO_ROLE)
            found = next((each.identity for each in message.record.identities if each.role in roles), "")
            if found:
                out[message.call, message.party] = found
    return out

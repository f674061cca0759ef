"""MIKEY messages by crypto session bundle: which one answers which, who the parties are, what was carried before."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dissectors.mikey.messages import message
from imsinspect.keys.mikey_octets import Octets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dissectors.mikey.messages import Message
    from imsinspect.keys.mikey_records import MikeyKey, Sent
    from imsinspect.keys.mikey_trials import Holding

_ID = 0  # an ID payload, which has no role
_PARTIES = frozenset((_ID, 1, 2, 4))  # roles: IDRi, IDRr, IDRpsk
_MAX_IDENTITIES = 4  # of one party that are tried
_MAX_ANSWERED = 4  # messages that an answer is held against
_NEAR = 64  # messages of a bundle on either side of one


@dataclass(frozen=True, slots=True)
class Seen:
    """A message, its place in the sequence, its facts and octets."""

    at: int
    sent: Sent
    facts: Message
    octets: Octets

    def ids(self) -> list[bytes]:
        """The data of ID payloads, in their order."""
        return [one.data for one in self.facts.identities if one.role == _ID]

    def idr(self, role: int) -> list[bytes]:
        """The data of IDR payloads of a role."""
        return [one.data for one in self.facts.identities if one.role == role]


@dataclass(slots=True)
class Bundle:
    """Messages of one CSB ID, and what was found in them, by their place in the sequence."""

    messages: list[Seen] = field(default_factory=list)
    rands: list[tuple[int, bytes]] = field(default_factory=list, repr=False)
    keys_of: dict[int, Holding] = field(default_factory=dict)  # that opened them
    carried: dict[int, list[MikeyKey]] = field(default_factory=dict)

    def near(self, at: int) -> list[Seen]:
        """Messages around a place in the sequence; what belongs together stands together."""
        middle = bisect_left(self.messages, at, key=lambda one: one.at)
        return self.messages[max(0, middle - _NEAR) : middle + _NEAR]

    def answered(self, seen: Seen, kinds: Sequence[int]) -> list[Seen]:
        """Messages of these data types that one may answer: those with its T first, then the latest before it."""
        found = [one for one in self.near(seen.at) if one.facts.data_type in kinds]
        value = seen.octets.timestamp
        found.sort(key=lambda one: (one.octets.timestamp != value, one.at > seen.at, abs(one.at - seen.at)))
        return found[:_MAX_ANSWERED]

    def rand_before(self, at: int) -> bytes:
        """The last RAND that was seen before a message, or else the first one behind it."""
        place = bisect_left(self.rands, at, key=lambda one: one[0])
        return self.rands[max(0, place - 1)][1] if self.rands else b""

    def with_policies(self, seen: Seen) -> Message:
        """The facts of a message with policies of messages before it that an update leaves out (RFC 3830 §4.5)."""
        numbers = {one.number for one in seen.facts.policies}
        more = []
        for earlier in reversed(self.near(seen.at)):
            if earlier.at < seen.at and earlier.facts.data_type == seen.facts.data_type:
                for policy in earlier.facts.policies:
                    if policy.number not in numbers:
                        numbers.add(policy.number)
                        more.append(policy)
        return replace(seen.facts, policies=(*seen.facts.policies, *more)) if more else seen.facts

    def identities(self, seen: Seen) -> list[bytes]:
        """Everybody whom a message or the session around it names."""
        named = [one.data for one in seen.facts.identities]
        return [*named, *seen.sent.initiator, *seen.sent.responder]

    def parties_of_all(self) -> set[bytes]:
        """Those whose keys protect these messages, the KMS aside: as messages name them, or else the session."""
        named = {each.data for one in self.messages for each in one.facts.identities if each.role in _PARTIES}
        return named or {each for one in self.messages for each in (*one.sent.initiator, *one.sent.responder)}

    def parties(self, request: Seen, answer: Seen) -> list[tuple[bytes, bytes]]:
        """Pairs of initiator and responder that an answer may mean, the likeliest first (RFC 3830 §5.2)."""
        asked, answering = request.ids(), answer.ids()
        initiators = candidates(asked[:1], request.sent.initiator, answer.sent.initiator, answering[1:2])
        responders = candidates(answering[:1], asked[1:2], request.sent.responder, answer.sent.responder)
        return [(i, r) for i in initiators for r in responders]


def candidates(*found: Iterable[bytes]) -> list[bytes]:
    """Identities of one party that are tried, the likeliest first; an empty one where nobody is known."""
    return list(dict.fromkeys(one for some in found for one in some))[:_MAX_IDENTITIES] or [b""]


class Bundles:
    """All messages of a run."""

    def __init__(self, messages: Sequence[Sent]) -> None:
        self.seen = [Seen(at, one, one.facts or message(one.layer), Octets(one)) for at, one in enumerate(messages)]
        self.by_id: dict[int, Bundle] = {}
        for one in self.seen:
            bundle = self.by_id.setdefault(one.facts.csb_id, Bundle())
            bundle.messages.append(one)
            if one.octets.rand:
                bundle.rands.append((one.at, one.octets.rand))

    def of(self, seen: Seen) -> Bundle:
        """The bundle of a message."""
        return self.by_id[seen.facts.csb_id]

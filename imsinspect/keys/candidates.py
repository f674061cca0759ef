"""Which keys may protect which stream: those agreed for it first, then what a peer may have used by mistake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.keys.sdes import refused_keys
from imsinspect.trace.proof_words import AGREED, OFFERED, OTHER_DIRECTION, OTHER_LINE, RELATIONS, SAME_HOSTS, USER

if TYPE_CHECKING:
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.keys.ring import KeyRing, RingKey
    from imsinspect.trace.model import Call, KeyPlace, MediaLine, MediaStream, RtcpSource, StreamUse, Trace

ORDER = {name: rank for rank, name in enumerate(RELATIONS)}
TRIED = frozenset((SAME_HOSTS, USER))  # nothing says that such a key is for these packets, unless it names their SSRC
MAX_CANDIDATES = 64  # keys of the trace that are tried for one stream
MAX_USER_KEYS = 4096  # of the user's file
MAX_STRANGERS = 256  # keys of other calls that are tried where nothing else explains a packet


class Candidate(NamedTuple):
    """A key that may protect a stream, and what it would mean if it does."""

    key: RingKey
    relation: str
    begins: int
    ends: int | None = None  # when another key was agreed in its place

    @property
    def rank(self) -> tuple[int, int]:
        """Likelier ones have a lower rank."""
        return ORDER[self.relation], self.begins


def replaced_at(line: MediaLine, place: KeyPlace) -> int | None:
    """When an answer put other keys in the place of those that were agreed in the state of this one."""
    agreed = sorted({state.answered_at for state in line.states if state.accepted and state.answered_at is not None})
    own = [
        state.answered_at
        for state in line.states
        if state.accepted and state.answered_at is not None and place.begins in (state.begins, state.answered_at)
    ]
    return next((each for each in agreed if own and each > max(own)), None)


Found = tuple["RingKey", "KeyPlace"]
"""A key with a place where it stands."""


@dataclass(slots=True)
class Known:
    """Keys by what they belong to."""

    of_line: dict[int, list[Found]] = field(default_factory=dict)  # by the identity of the media line
    of_path: dict[tuple[Endpoint, Endpoint], list[Found]] = field(default_factory=dict)  # by who sends to whom: DTLS
    of_hosts: dict[tuple[str, str], list[Found]] = field(default_factory=dict)  # of MIKEY without lines, by both hosts


def hosts(one: str, other: str) -> tuple[str, str]:
    """Two IP addresses, whichever is the sender's."""
    return (one, other) if one < other else (other, one)


class Candidates:
    """Finds the keys that may protect a stream or the RTCP of a sender."""

    def __init__(self, trace: Trace, ring: KeyRing, known: Known) -> None:
        self.known = known
        for call in trace.calls:
            for number, found in refused_keys(call, ring).items():
                known.of_line.setdefault(number, []).extend(found)
        trace.keys = ring.master_keys()
        users = [key for key in ring.keys.values() if any(place.kind == "key file" for place in key.places)]
        self.users = users[:MAX_USER_KEYS]
        self.strangers = list(ring.keys.values())[:MAX_STRANGERS]
        self.uses: dict[int, list[tuple[MediaLine, StreamUse]]] = {}
        self.calls: dict[str, Call] = {call.id: call for call in trace.calls}
        for call in trace.calls:
            for line in call.lines:
                for use in (*line.streams, *line.rtcp):
                    self.uses.setdefault(id(use.stream), []).append((line, use))

    def of(self, stream: MediaStream | RtcpSource) -> list[Candidate]:
        """Keys to be tried, the likeliest first; none where nothing that is known could fit."""
        found: dict[int, Candidate] = {}

        def add(key: RingKey, relation: str, begins: int, ends: int | None = None) -> None:
            candidate = Candidate(key, relation, begins, ends)
            known = found.get(id(key))
            if known is not None and known.relation == relation:
                last = None if ends is None or known.ends is None else max(ends, known.ends)
                found[id(key)] = Candidate(key, relation, min(begins, known.begins), last)
            elif known is None or candidate.rank < known.rank:
                found[id(key)] = candidate

        own: set[int] = set()
        for line, use in self.uses.get(id(stream), ()):
            own.add(id(line))
            for key, place in self.known.of_line.get(id(line), ()):
                if not place.party or not use.party or place.party == use.party:
                    ends = replaced_at(line, place) if len(line.states) > 1 else None
                    add(key, AGREED if place.agreed else OFFERED, place.begins, ends)
                else:
                    add(key, OTHER_DIRECTION, place.begins)
        for key, place in self.known.of_path.get((stream.source, stream.destination), ()):
            add(key, AGREED, place.begins)
        for key, place in self.known.of_path.get((stream.destination, stream.source), ()):
            add(key, OTHER_DIRECTION, place.begins)
        if not self.uses.get(id(stream)):
            for key, place in self.known.of_hosts.get(hosts(stream.source.ip, stream.destination.ip), ()):
                if key.is_for(stream.ssrc):
                    add(key, SAME_HOSTS, place.begins)
        for key in self.users:
            if key.is_for(stream.ssrc):
                add(key, USER, 0)
        for call in {line.call for line, _ in self.uses.get(id(stream), ())}:
            for line in self.calls[call].lines:
                if id(line) not in own:
                    for key, place in self.known.of_line.get(id(line), ()):
                        add(key, OTHER_LINE, place.begins)
        ranked = sorted(found.values(), key=lambda each: each.rank)
        of_trace = [each for each in ranked if each.relation != USER][:MAX_CANDIDATES]
        return sorted([*of_trace, *(each for each in ranked if each.relation == USER)], key=lambda each: each.rank)

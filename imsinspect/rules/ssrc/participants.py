"""Who of a conference holds which key, sends which stream, and is sent which: what rules about conferences share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.facts import calls_by_id, not_assessed, secure_rtp
from imsinspect.rules.outcome import Severity, Subject
from imsinspect.rules.rule import once
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.outcome import Outcome
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Call, KeyPlace, MediaLine, Trace

FOCUS, PARTICIPANT, EITHER = "focus to participants", "participants to focus", "both directions"
"""Whose media a key protects. A key that names no sender may be used by both."""

STUDIES = ("TR-SDES", "TR-KMS")  # TR 33.829: keys of a group are allowed


@dataclass(slots=True)
class Member:
    """A participant of a conference: its calls, the keys in them, and its media."""

    name: str
    names: frozenset[str] = frozenset()  # all identities, canonical
    calls: set[str] = field(default_factory=set)  # ids; all hops
    tags: dict[str, frozenset[bytes]] = field(default_factory=dict)  # dialog tags of its side, by call
    keys: dict[str, dict[str, list[KeyPlace]]] = field(default_factory=dict)  # by side and digest
    sources: dict[str, list[KeyPlace]] = field(default_factory=dict)  # TGKs and TEKs of MIKEY, by digest
    sends: list[tuple[MediaStream, MediaLine]] = field(default_factory=list)
    gets: list[tuple[MediaStream, MediaLine]] = field(default_factory=list)
    secure: bool = False  # some line was agreed as SRTP

    def digests(self, side: str) -> set[str]:
        """Keys of one direction, with those that either side may use."""
        return {*self.keys.get(side, ()), *self.keys.get(EITHER, ())}

    def places(self, side: str, digest: str) -> list[KeyPlace]:
        """Where a key of one direction stands."""
        return [*self.keys.get(side, {}).get(digest, ()), *self.keys.get(EITHER, {}).get(digest, ())]


@dataclass(slots=True)
class Room:
    """A conference with those of its participants that were let in."""

    conference: Conference
    members: list[Member]

    @property
    def keyed(self) -> list[Member]:
        """Participants with lines agreed as SRTP."""
        return [member for member in self.members if member.secure]


@dataclass(slots=True)
class SharedKey:
    """A key that several participants hold for one direction."""

    digest: str
    side: str
    members: list[Member]
    places: list[KeyPlace]  # one for each participant


@once
def rooms(trace: Trace, scene: Scene) -> list[Room]:
    """The conferences of a trace with their members."""
    if not trace.conferences:
        return []
    calls = calls_by_id(trace)
    out: list[Room] = []
    sides: dict[str, tuple[Member, frozenset[bytes]]] = {}  # by call: its member, with the tags of that side
    for conference in trace.conferences:
        members = [
            _member(leader, legs, calls, sides)
            for leader, legs in _apart(conference.participants, calls)
            if any(leg.accepted for leg in legs)
        ]
        out.append(Room(conference, [member for member in members if member.calls]))
    for key in trace.keys:
        for place in key.places:
            found = sides.get(place.call)
            if found is not None and place.line:
                member, tags = found
                side = EITHER if not place.party else PARTICIPANT if place.party in tags else FOCUS
                member.keys.setdefault(side, {}).setdefault(key.digest, []).append(place)
                if place.source:
                    member.sources.setdefault(place.source, []).append(place)
    return out


@once
def members_by_call(trace: Trace, scene: Scene) -> dict[str, tuple[str, int]]:
    """The conference that a call is a leg of, and the number of its member."""
    return {
        call: (room.conference.id, number)
        for room in rooms(trace, scene)
        for number, member in enumerate(room.members)
        for call in member.calls
    }


def _apart(
    participants: list[Participant], calls: dict[str, Call]
) -> Iterator[tuple[Participant, list[ConferenceLeg]]]:
    """Participants with their legs; two hops of one session are one, however each hop names who it is (T-B2B)."""
    groups: list[tuple[Participant, list[ConferenceLeg]]] = []
    of_call: dict[str, int] = {}
    for participant in participants:
        legs = participant.legs
        known = next(
            (
                of_call[name]
                for leg in legs
                for name in calls[leg.call].related
                if name in of_call and any(_nested(leg, other) for other in groups[of_call[name]][1])
            ),
            None,
        )
        if known is None:
            known = len(groups)
            groups.append((participant, []))
        groups[known][1].extend(legs)
        for leg in legs:
            of_call[leg.call] = known
    yield from groups


def _nested(one: ConferenceLeg, other: ConferenceLeg) -> bool:
    """A B2BUA sends an INVITE on before it answers the one that it got."""
    first, second = sorted((one, other), key=lambda leg: leg.invite.time)
    return first.call != second.call and (first.joined is None or second.invite.time <= first.joined)


def _member(
    participant: Participant,
    legs: list[ConferenceLeg],
    calls: dict[str, Call],
    sides: dict[str, tuple[Member, frozenset[bytes]]],
) -> Member:
    member = Member(participant.identity, participant.aliases | {participant.identity})
    for leg in legs:
        for name in (leg.call, *leg.also):
            if not leg.accepted or name in sides:  # of a forked call the first who answers: all got one offer (T-FORK)
                continue
            call = calls[name]
            tags = _tags(leg, call)
            sides[name] = member, tags
            member.calls.add(name)
            member.tags[name] = tags
            _media(member, call, tags)
    return member


def _tags(leg: ConferenceLeg, call: Call) -> frozenset[bytes]:
    """The tags of the participant's side of a call."""
    callers = {
        message.sip.from_tag for message in call.messages if message.sip.method == b"INVITE" and not message.sip.to_tag
    }
    if not callers:
        return frozenset((leg.dialog[2],))
    if not leg.dial_out:
        return frozenset(callers)
    return frozenset(each.answerer_tag for each in call.negotiations if each.offerer_tag in callers) | {leg.dialog[2]}


def _media(member: Member, call: Call, tags: frozenset[bytes]) -> None:
    for line in call.lines:
        member.secure = member.secure or any(secure_rtp(state) for state in line.states)
        for use in line.streams:
            if isinstance(use.stream, MediaStream) and use.party:
                (member.sends if use.party in tags else member.gets).append((use.stream, line))


def shared_keys(room: Room, side: str) -> list[SharedKey]:
    """Keys that several participants hold for a direction; of EITHER, those that both sides may use, and the keys of
    MIKEY that keys of sessions come from."""
    holders: dict[str, list[tuple[Member, KeyPlace]]] = {}
    for member in room.members:
        for digest, places in (member.keys.get(side, {}) | (member.sources if side == EITHER else {})).items():
            holders.setdefault(digest, []).append((member, places[0]))
    found = [
        SharedKey(digest, side, [member for member, _ in held], [place for _, place in held])
        for digest, held in holders.items()
        if len(held) > 1
    ]
    return sorted(found, key=lambda each: (min(place.frame or 0 for place in each.places), each.digest))


def concerns(scene: Scene, room: Room, profiles: tuple[str, ...]) -> bool:
    """Whether a rule of these profiles is for a conference, the older study and open profiles included (19.2)."""
    return scene.covers_conference(room.conference.id, (*profiles, *STUDIES)) is not False


def behind_the_edge(scene: Scene, room: Room) -> Iterator[Outcome]:
    """Of a conference whose legs are in clear, though its profile has them protected between UE and access edge."""
    if room.members and scene.covers_conference(room.conference.id, ("G2", "E2AE-RTP")) is True:
        reason = "the legs are in clear at the focus, and the access side was not captured"
        yield not_assessed(Subject("conference", room.conference.id), "N-ACC", reason)


def of_study(scene: Scene, room: Room, studies: tuple[str, ...] = STUDIES) -> bool:
    """Whether a conference follows the older study, which allows keys of a group."""
    return scene.covers_conference(room.conference.id, studies) is True


def severity_of(scene: Scene, room: Room, studies: tuple[str, ...] = STUDIES) -> Severity | None:
    """Information only where the older study allows it."""
    return Severity.INFO if of_study(scene, room, studies) else None


def names_of(members: list[Member], shown: int = 4) -> str:
    """Participants in words."""
    more = f" and {len(members) - shown} more" if len(members) > shown else ""
    return " and ".join(member.name for member in members[:shown]) + more

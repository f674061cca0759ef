"""Participants of one conference that send with one SSRC at the same time, and whether they share a key."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.rule import once
from imsinspect.rules.ssrc.copies import copied, counts
from imsinspect.rules.ssrc.keys import key_name
from imsinspect.rules.ssrc.participants import FOCUS, PARTICIPANT, of_study, rooms, shared_keys

if TYPE_CHECKING:
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.ssrc.participants import Member, Room
    from imsinspect.trace.model import MediaStream, Trace

COMPARED = 8  # streams of one SSRC that a later one is compared with, the newest first


@dataclass(slots=True)
class Sharing:
    """Whether several participants send under one key."""

    shared: bool | None  # None: nothing tells
    because: str = ""
    digest: str = ""
    seen: bool = False  # the key itself was


@dataclass(slots=True)
class Collision:
    """Streams of one SSRC that different participants send to the focus at the same time."""

    ssrc: int
    senders: list[tuple[Member, MediaStream]]
    sharing: Sharing

    @property
    def members(self) -> list[Member]:
        """Who sends them."""
        return list({id(member): member for member, _ in self.senders}.values())


@once
def collisions(trace: Trace, scene: Scene) -> dict[str, list[Collision]]:
    """By the id of the conference."""
    return {room.conference.id: _collisions(trace, scene, room) for room in rooms(trace, scene)}


@once
def sent_under_one_key(trace: Trace, scene: Scene) -> set[str]:
    """Ids of the streams that collide under a shared key."""
    return {
        stream.id
        for found in collisions(trace, scene).values()
        for collision in found
        if collision.sharing.shared
        for _, stream in collision.senders
    }


def _collisions(trace: Trace, scene: Scene, room: Room) -> list[Collision]:
    by_ssrc: defaultdict[int, list[tuple[Member, MediaStream]]] = defaultdict(list)
    for member in room.members:
        for stream, line in member.sends:
            if counts(stream, line):
                by_ssrc[stream.ssrc].append((member, stream))
    out: list[Collision] = []
    for ssrc, sent in by_ssrc.items():
        if len(sent) < 2:
            continue
        active: list[tuple[Member, MediaStream]] = []
        pairs: list[tuple[tuple[Member, MediaStream], tuple[Member, MediaStream], Sharing]] = []
        for each in sorted(sent, key=lambda pair: pair[1].first.time):
            member, stream = each
            active = [other for other in active if other[1].last.time > stream.first.time][-COMPARED:]
            for other in active:
                if other[0] is not member and not same_packets(other[1], stream):
                    pairs.append((other, each, sharing(trace, scene, room, other, each)))
            active.append(each)
        for shared in (True, None, False):
            found = [pair for pair in pairs if pair[2].shared is shared]
            if found:
                senders = list({id(each[1]): each for one, other, _ in found for each in (one, other)}.values())
                out.append(Collision(ssrc, senders, found[0][2]))
    return out


def same_packets(one: MediaStream, other: MediaStream) -> bool:
    """Whether most packets that were kept of both are one and the same (T-DUP, T-B2B)."""
    known = {sample.sequence: sample for sample in one.samples}
    common = [(known[sample.sequence], sample) for sample in other.samples if sample.sequence in known]
    same = sum(first.timestamp == second.timestamp and first.payload == second.payload for first, second in common)
    return 2 * same > len(common)


def sharing(
    trace: Trace, scene: Scene, room: Room, one: tuple[Member, MediaStream], other: tuple[Member, MediaStream]
) -> Sharing:
    """Whether two participants send under one key: by what verifies, by what stands in their dialogs, else by what the
    conference does otherwise."""
    verified = [{use.key for use in stream.proof.uses} if stream.proof else set() for _, stream in (one, other)]
    told = [member.digests(PARTICIPANT) for member, _ in (one, other)]
    for keys, because in ((verified, "both streams verify with"), (told, "the dialogs of both hold")):
        common = sorted(keys[0] & keys[1])
        if common:
            return Sharing(True, f"{because} {key_name(common[0])}", common[0], seen=True)
        if all(keys):
            return Sharing(False)
    if of_study(scene, room):
        return Sharing(True, "the profile gives keys to groups")
    same = copied(trace, scene).get(room.conference.id)
    if (same is not None and same.protected) or shared_keys(room, FOCUS):
        return Sharing(True, "the focus shares keys among participants")
    return Sharing(None)

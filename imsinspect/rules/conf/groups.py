"""Keys that several participants of a conference were given, and while which leg had which (TR 33.829 §5.1.2)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import accepted_legs, capture_end, has_protected_rtp, keys_of, keys_of_calls, leg_lines
from imsinspect.rules.facts import not_assessed
from imsinspect.rules.outcome import Subject
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from imsinspect.rules.conf.legs import LegKey
    from imsinspect.rules.outcome import Outcome
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Trace


@dataclass(slots=True, frozen=True)
class Holding:
    """A leg has a group key, from when to when: until another one takes its place on its line, or the leg ends."""

    participant: Participant
    leg: ConferenceLeg
    key: LegKey
    begin: int
    end: int


@once
def group_keys(trace: Trace, scene: Scene) -> dict[str, dict[str, list[Holding]]]:
    """By conference and digest, the legs that have a key of the focus that several participants were given."""
    keys = keys_of_calls(trace, scene)
    end = capture_end(trace, scene)
    out: dict[str, dict[str, list[Holding]]] = {}
    for conference in trace.conferences:
        found: defaultdict[str, list[Holding]] = defaultdict(list)
        for participant, leg in accepted_legs(conference):
            for holding in _holdings(participant, leg, keys_of(leg, keys), end):
                found[holding.key.digest].append(holding)
        out[conference.id] = {
            digest: holdings
            for digest, holdings in found.items()
            if len({id(each.participant) for each in holdings}) > 1
        }
    return out


def _holdings(participant: Participant, leg: ConferenceLeg, keys: list[LegKey], end: int) -> list[Holding]:
    """Keys that the focus protects with, each until the next one of its line."""
    until = end if leg.left is None else leg.left
    lines: defaultdict[str, list[LegKey]] = defaultdict(list)
    for key in keys:
        if key.side != "participant":
            lines[key.place.line].append(key)
    out = []
    for some in lines.values():
        changes = [key for number, key in enumerate(some) if not number or key.digest != some[number - 1].digest]
        for number, key in enumerate(changes):
            # several keys of one message stand beside one another
            later = [each.place.begins for each in changes[number + 1 :] if each.place.begins > key.place.begins]
            out.append(Holding(participant, leg, key, key.place.begins, min([*later[:1], until])))
    return out


def unreadable(trace: Trace, scene: Scene, conference: Conference) -> Outcome | None:
    """The gap where the keys of protected legs could not be read."""
    keys = keys_of_calls(trace, scene)
    lines = leg_lines(trace, scene).get(conference.id, [])
    closed = {id(each.leg): each.leg for each in lines if not keys_of(each.leg, keys)}
    if not any(has_protected_rtp(lines, leg) for leg in closed.values()):
        return None
    reason = "the keys of some legs could not be read: whether they share one is not known"
    return not_assessed(Subject("conference", conference.id), "N-KEY", reason)

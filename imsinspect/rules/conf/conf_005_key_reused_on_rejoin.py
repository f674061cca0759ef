"""IMS-CONF-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import (
    ALL_CONFERENCES,
    bound,
    has_protected_rtp,
    key_evidence,
    keys_of,
    keys_of_calls,
    leg_lines,
    leg_subject,
    who,
)
from imsinspect.rules.facts import SECOND, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.legs import LegKey
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Trace

PROFILES = ALL_CONFERENCES
HANDOVER = SECOND  # between the new leg and the end of the one that it replaces
SIDES = {"focus": "from the focus", "participant": "from the participant", "": "of the leg"}


@rule(
    id="IMS-CONF-005",
    name="key-reused-on-rejoin",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.1", "TR 33.829 §5.1.2", "RFC 4568 §6.1"),
    follows=("IMS-SSRC-006",),
    needs=(CONFERENCES,),
)
def key_reused_on_rejoin(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Rejoining participant gets or uses the old key.

    What it checks:
        Participants who left a conference and joined it again: none of the master keys that are agreed for the new leg
        may have been agreed for an earlier one in the same direction. A leg that takes over another one by Replaces,
        within a second, continues its streams and is listed as info.
    Why it matters:
        Keys belong to one presence in the conference. With the old key the participant reads what was said while it
        was away, and packets of both presences that count from the same index are encrypted with one keystream.
    What the finding shows:
        The end of the first leg, where the key stands in both legs, and the first 8 hex digits of the key's digest.
    How to fix it:
        Make a new master key for every leg, on both sides.
    When it is not assessed:
        N-KEY: the keys of one of the legs could not be read. N-SIP: no call with the focus was seen. IMS-PROF-005: the
        profile of the conference is open; name it with --profile.
    """
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _conference(trace, scene, conference))


def _conference(trace: Trace, scene: Scene, conference: Conference) -> Iterator[Outcome]:
    for participant in conference.participants:
        legs = sorted((leg for leg in participant.legs if leg.accepted), key=lambda each: each.joined or 0)
        if len(legs) > 1:
            yield from _rejoined(trace, scene, conference, participant, legs)


def _rejoined(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, legs: list[ConferenceLeg]
) -> Iterator[Outcome]:
    """One outcome for each leg behind an earlier one."""
    keys = keys_of_calls(trace, scene)
    lines = leg_lines(trace, scene).get(conference.id, [])
    before: list[tuple[ConferenceLeg, list[LegKey]]] = []
    known: dict[tuple[str, str], tuple[ConferenceLeg, LegKey]] = {}
    for leg in legs:
        own = keys_of(leg, keys)
        ended = [(other, some) for other, some in before if _ended(other, leg)]
        again = [
            (*known[each.digest, each.side], each)
            for each in own
            if (each.digest, each.side) in known and _ended(known[each.digest, each.side][0], leg)
        ]
        if again:
            yield _again(trace, participant, leg, again)
        elif ended and own and any(some for _, some in ended):
            yield Outcome("pass", leg_subject(leg))
        elif ended and has_protected_rtp(lines, leg):
            reason = "the keys of a participant's earlier or later leg could not be read"
            yield not_assessed(leg_subject(leg), "N-KEY", reason)
        before.append((leg, own))
        for each in own:
            known[each.digest, each.side] = leg, each


def _ended(earlier: ConferenceLeg, later: ConferenceLeg) -> bool:
    """The earlier leg was over when the later one began, or is taken over by it."""
    if earlier.left is None or later.joined is None:
        return False
    return earlier.left <= later.joined or _taken_over(earlier, later)


def _taken_over(earlier: ConferenceLeg, later: ConferenceLeg) -> bool:
    if earlier.left is None or later.joined is None or later.replaces is None or later.joins:
        return False
    return earlier.dialog == later.replaces and abs(earlier.left - later.joined) <= HANDOVER


def _again(
    trace: Trace, participant: Participant, leg: ConferenceLeg, again: list[tuple[ConferenceLeg, LegKey, LegKey]]
) -> Outcome:
    earlier, old, new = again[0]
    handover = _taken_over(earlier, leg)
    names = ", ".join(f"{each.name} {SIDES[each.side]}" for _, _, each in again[:4])
    evidence: list[Evidence] = []
    if earlier.left_frame is not None:
        evidence.append(Evidence(earlier.left_frame, "end of the leg", earlier.call, "the end of its keys"))
    for _, first, second in again[:8]:
        evidence += key_evidence(first, first.name, "a key of this leg alone")
        evidence += key_evidence(second, second.name, "a new key")
    consequence = (
        "The leg replaces the earlier one and continues its streams, so the index goes on."
        if handover
        else "What was said in between can be read with it, and a restarted index repeats the keystream."
    )
    ended = "" if earlier.left_frame is None else f", which ended in {frame_text(trace, earlier.left_frame)}"
    return Outcome(
        "violation",
        leg_subject(leg),
        severity=Severity.INFO if handover else None,
        title="Key of an earlier leg used again",
        message=(
            f"{who(participant)} joined again with {leg.call} under keys of {earlier.call}{ended}: {names}. "
            f"{consequence} Not seen: a new key for this leg."
        ),
        evidence=tuple(evidence),
        role="focus" if new.side == "focus" else "participant",
        direction=SIDES[old.side],
        fact=old.digest,
        normalised=("key of an earlier leg" + (" after Replaces" if handover else ""), "a new key for each leg"),
    )

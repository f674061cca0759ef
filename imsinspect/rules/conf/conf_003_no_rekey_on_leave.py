"""IMS-CONF-003."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.conf.groups import group_keys, unreadable
from imsinspect.rules.conf.legs import accepted_legs, bound, capture_end, identities, key_evidence, leg_subject, who
from imsinspect.rules.conf.rosters import gone_from, timelines
from imsinspect.rules.facts import SECOND, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.conf.groups import Holding
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import Trace

PROFILES = ("TR-SDES", "TR-KMS")


@dataclass(slots=True, frozen=True)
class _End:
    """When a participant left, and what shows it."""

    time: int
    frame: FrameId
    field: str


SHOWN = 3  # remaining legs that a finding names


@rule(
    id="IMS-CONF-003",
    name="no-rekey-on-leave",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.2", "TR 33.829 §5.1.3"),
    needs=(CONFERENCES,),
)
def no_rekey_on_leave(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Group key unchanged after a participant left.

    What it checks:
        Conferences of the study's profiles in which several participants have one key of the focus (a group key): when
        a leg that had it ends, by BYE or by a roster that no longer lists its participant, every remaining leg that has
        it must be given another one within 60 seconds (the policy's conf.rekey_window). Individual keys need no new
        ones, and other profiles forbid group keys (IMS-SSRC-005).
    Why it matters:
        Whoever left goes on decrypting what is said.
    What the finding shows:
        The end of the leg, the group key by its digest, where the remaining legs were given it, and for how long they
        kept it.
    How to fix it:
        Give a new group key to the remaining participants after each leave, or after several in a burst; or individual
        keys, which make that needless.
    When it is not assessed:
        N-KEY: the keys of some legs could not be read. T-MID: the capture ends before the window does. A new key that
        is brought by other means than SDP is not seen. N-SIP: no call with the focus was seen. IMS-PROF-005: the
        profile of the conference is open; group keys do not tell it, so name it with --profile.
    """
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _conference(trace, scene, conference))


def _conference(trace: Trace, scene: Scene, conference: Conference) -> Iterator[Outcome]:
    groups = group_keys(trace, scene).get(conference.id, {})
    gap = unreadable(trace, scene, conference) if not groups else None
    if gap is not None:
        yield gap
    ends = _ends(trace, scene, conference) if groups else {}
    told: set[int] = set()
    for holdings in groups.values():
        begun, over = sorted(each.begin for each in holdings), sorted(each.end for each in holdings)
        lasting = sorted(holdings, key=lambda each: -each.end)
        for holding in holdings:
            left = ends.get(id(holding.leg))
            if left is None or id(holding.leg) in told:
                continue
            others = bisect_right(begun, left.time) - bisect_right(over, left.time) - (holding.leg.left is None)
            outcome = _left(trace, scene, conference, holding, left, lasting) if others > 0 else None
            if outcome is not None:
                told.add(id(holding.leg))
                yield outcome


def _ends(trace: Trace, scene: Scene, conference: Conference) -> dict[int, _End]:
    """The ends of legs, by the identity of the leg: BYE, or else the roster that shows the participant no more."""
    out: dict[int, _End] = {}
    rosters = [(each, each.by_name()) for each in timelines(trace, scene, conference)]
    for participant, leg in accepted_legs(conference):
        if leg.left is not None and leg.left_frame is not None:
            out[id(leg)] = _End(leg.left, leg.left_frame, "end of the leg")
        elif leg.left is None and len(participant.legs) == 1:
            names = frozenset(scene.policy.aliases.get(name, name) for name in identities(participant))
            gone = next((found for each, by_name in rosters if (found := gone_from(each, names, by_name))), None)
            if gone is not None:
                out[id(leg)] = _End(*gone, "conference-info: no longer in the roster")
    return out


def _left(
    trace: Trace, scene: Scene, conference: Conference, holding: Holding, left: _End, lasting: list[Holding]
) -> Outcome | None:
    """What became of a group key when one leg that had it ended."""
    window = scene.policy.thresholds.conf_rekey_window
    over = capture_end(trace, scene) < left.time + window
    kept: list[Holding] = []
    for each in lasting:
        if each.end <= left.time + (0 if over else window) or len(kept) >= SHOWN:
            break
        if each.begin <= left.time and each.participant is not holding.participant:
            kept.append(each)
    if not kept:
        return Outcome("pass", leg_subject(holding.leg))
    if over:
        reason = "the capture ends before the window for a new group key does"
        return not_assessed(leg_subject(holding.leg), "T-MID", reason)
    return _kept(trace, conference, holding, left, kept)


def _kept(trace: Trace, conference: Conference, holding: Holding, left: _End, kept: list[Holding]) -> Outcome:
    name = holding.key.name
    seconds = (kept[0].end - left.time) // SECOND
    leg, frame = holding.leg, left.frame
    names = ", ".join(dict.fromkeys(who(each.participant) for each in kept))
    expected = "another key within the window"
    return Outcome(
        "violation",
        leg_subject(leg),
        confidence="strong",
        title="Group key kept after a leave",
        message=(
            f"{who(holding.participant)} left {conference.uri} in {frame_text(trace, frame)} with group key {name}, "
            f"which {names} kept for at least {seconds} seconds. Whoever left decrypts what is said there. Not seen: a "
            "re-INVITE or UPDATE with a new key; keys that come by other means are not in the capture."
        ),
        evidence=(
            Evidence(frame, left.field, leg.call, "a new group key for the others"),
            *key_evidence(holding.key, name, "a key of this leg alone"),
            *(one for each in kept for one in key_evidence(each.key, name, expected)),
        ),
        role="focus",
        direction="focus to participants",
        normalised=("group key unchanged after a leave", expected),
    )

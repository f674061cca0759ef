"""IMS-CONF-004."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.groups import group_keys, unreadable
from imsinspect.rules.conf.legs import bound, key_evidence, leg_subject, who
from imsinspect.rules.facts import SECOND, worst
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imsinspect.rules.conf.groups import Holding
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import Trace

PROFILES = ("TR-SDES", "TR-KMS")


@rule(
    id="IMS-CONF-004",
    name="no-rekey-on-join",
    severity=Severity.LOW,
    tier=3,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.2", "TR 33.829 §5.1.3"),
    needs=(CONFERENCES,),
)
def no_rekey_on_join(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Group key unchanged when a participant joins.

    What it checks:
        Conferences of the study's profiles in which several participants have one key of the focus (a group key): a
        leg must not be given one that another participant has had for more than 60 seconds (the policy's
        conf.rekey_window). The window leaves room for the start of a conference, and for joins in a burst.
    Why it matters:
        The newcomer decrypts what others recorded before it came.
    What the finding shows:
        The group key by its digest, where the newcomer was given it and where it stood before, and for how long.
    How to fix it:
        Make a new group key for all when somebody joins, or individual keys, which make that needless.
    When it is not assessed:
        N-KEY: the keys of some legs could not be read. N-SIP: no call with the focus was seen. IMS-PROF-005: the
        profile of the conference is open; group keys do not tell it, so name it with --profile.
    """
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _conference(trace, scene, conference))


def _conference(trace: Trace, scene: Scene, conference: Conference) -> Iterator[Outcome]:
    groups = group_keys(trace, scene).get(conference.id, {})
    gap = unreadable(trace, scene, conference) if not groups else None
    if gap is not None:
        yield gap
    window = scene.policy.thresholds.conf_rekey_window
    outcomes = (each for holdings in groups.values() for each in _newcomers(conference, holdings, window))
    yield from worst((outcome.subject, outcome) for outcome in outcomes)


def _newcomers(conference: Conference, holdings: Sequence[Holding], window: int) -> Iterator[Outcome]:
    """What each participant who got one group key after the first one got of it."""
    first, *others = sorted(holdings, key=lambda each: each.begin)
    for holding in others:
        if holding.participant is not first.participant:
            old = holding.begin - first.begin > window
            yield _old(conference, first, holding) if old else Outcome("pass", leg_subject(holding.leg))


def _old(conference: Conference, first: Holding, holding: Holding) -> Outcome:
    name = holding.key.name
    seconds = (holding.begin - first.begin) // SECOND
    return Outcome(
        "violation",
        leg_subject(holding.leg),
        confidence="strong",
        title="Old group key for a newcomer",
        message=(
            f"{who(holding.participant)} joined {conference.uri} with {holding.leg.call} and was given the group key "
            f"{name}, which {who(first.participant)} had had for {seconds} seconds. The newcomer decrypts what others "
            "recorded before. Not seen: a new key for all at that time."
        ),
        evidence=(
            *key_evidence(first.key, name, "a group key that ends when somebody joins"),
            *key_evidence(holding.key, name, "a new group key"),
        ),
        role="focus",
        direction="focus to participants",
        normalised=("old group key at a join", "a new group key"),
    )

"""IMS-EVT-008."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.membership import memberships
from imsinspect.rules.evt.notifications import SECURE, bound, places, proof
from imsinspect.rules.evt.subscribers import moderates, participants_of, present, subscriber
from imsinspect.rules.facts import SECOND, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import (
        Conference,
        ConferenceLeg,
        Notification,
        Subscription,
    )
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-EVT-008",
    name="notify-after-leave",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=SECURE,
    references=("TS 33.328 Annex G.3.3", "TS 33.328 Annex G.1", "RFC 4575 §8.2"),
    needs=(CONFERENCES,),
)
def notify_after_leave(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference state still notified to someone who left.

    What it checks:
        NOTIFYs with users for subscribers that were participants: none is to come later than
        conf.notify_after_leave (30 seconds) after the last dialog of the subscriber with the focus ended, on any of its
        devices, and before it joins again. The NOTIFY that ends the subscription is fine.
    Why it matters:
        Who left goes on watching who takes part in the meeting.
    What the finding shows:
        The BYE, and the NOTIFYs behind it.
    How to fix it:
        Let the focus end the subscription with the last dialog of a participant (NOTIFY with
        terminated;reason=noresource), unless its policy lets former participants watch.
    When it is not assessed:
        N-ROST: the subscriber created the conference, moderates it, is authorised by the policy file, or is still in
        the roster: it may be meant to watch. IMS-PROF-005: the profile of the conference is open.
    """
    for conference in trace.conferences:
        for subscription in conference.subscriptions:
            found = participants_of(trace, scene, conference, subscription)
            legs = [leg for each in found for leg in each.legs if leg.accepted]
            if legs:
                outcomes = _subscription(trace, scene, conference, subscription, legs)
                yield from bound(scene, conference, SECURE, outcomes)


def _subscription(
    trace: Trace,
    scene: Scene,
    conference: Conference,
    subscription: Subscription,
    legs: list[ConferenceLeg],
) -> Iterator[Outcome]:
    grace = scene.policy.thresholds.conf_notify_after_leave
    stated = [each for each in subscription.notifications if each.tells]
    if not stated:
        return
    subject = Subject("subscription", subscription.id)
    late = [each for each in stated if each.subscription_state != "terminated" and _names_users(each)]
    late = [each for each in late if _gone(legs, each.message.time, grace)]
    if not late:
        yield Outcome("pass", subject)
        return
    excuse = _excuse(trace, scene, conference, subscription, late)
    if excuse:
        yield not_assessed(subject, "N-ROST", excuse)
        return
    yield _late(trace, conference, subscription, legs, late)


def _names_users(notification: Notification) -> bool:
    document = notification.document
    return bool(document.users) if document is not None else notification.sealed


def _gone(legs: list[ConferenceLeg], time: int, grace: int) -> bool:
    """At that time no dialog lasts or ended just now, and one had been before."""
    before = [leg for leg in legs if leg.joined is not None and leg.joined <= time]
    return bool(before) and all(leg.left is not None and leg.left + grace < time for leg in before)


def _excuse(
    trace: Trace,
    scene: Scene,
    conference: Conference,
    subscription: Subscription,
    late: list[Notification],
) -> str:
    """Why the subscriber may be meant to watch; "" for no reason."""
    names = subscriber(scene, subscription)
    allowed = memberships(trace, scene).get(conference.id)
    if moderates(trace, scene, conference, subscription):
        return "the subscriber created or moderates the conference, and may be meant to watch it"
    if allowed is not None and allowed.from_policy and allowed.allows(names, scene, late[0].message.time):
        return "the policy authorises the subscriber, and does not say whether it may watch after leaving"
    if any(names & present(trace, scene, each) for each in late):
        return "the roster names the subscriber: it may take part by a dialog that is not in the capture"
    return ""


def _late(
    trace: Trace,
    conference: Conference,
    subscription: Subscription,
    legs: list[ConferenceLeg],
    late: list[Notification],
) -> Outcome:
    messages = [each.message for each in late]
    ended = [leg for leg in legs if leg.left is not None and leg.left < messages[0].time]
    last = max(ended, key=lambda leg: leg.left or 0)
    seconds = (messages[-1].time - (last.left or 0)) // SECOND
    readable = any(each.document is not None for each in late)
    bye = last.left_frame
    left = f"in {frame_text(trace, bye)}" if bye is not None else "before"
    return Outcome(
        "violation" if readable else "suspect",
        Subject("subscription", subscription.id),
        confidence="strong" if readable else "heuristic",
        title="Conference state for someone who left",
        message=(
            f"{subscription.subscriber} left conference {conference.uri} {left}, and was told its state in "
            f"{places(trace, messages)}, up to {seconds} seconds later. Who left goes on watching who takes part. Not "
            "seen: another dialog with the focus, or the end of the subscription."
            + ("" if readable else " The NOTIFYs are encrypted: that they hold state was not seen.")
        ),
        evidence=(
            *((Evidence(bye, "BYE", "the last dialog ends", "the subscription ends"),) if bye is not None else ()),
            *proof(messages, "NOTIFY", "conference state, subscription active", "terminated;reason=noresource"),
        ),
        role="subscriber",
        normalised=("state after leaving", "the subscription ends"),
    )

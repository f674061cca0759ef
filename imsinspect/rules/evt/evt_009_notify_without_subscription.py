"""IMS-EVT-009."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import places, proof
from imsinspect.rules.evt.subscribers import subscriber, users
from imsinspect.rules.facts import not_assessed, sealed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import once, rule
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Notification, Subscription
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-EVT-009",
    name="notify-without-subscription",
    severity=Severity.LOW,
    tier=3,
    profiles=("ALL",),
    references=("RFC 6665 §4.1.3", "TS 33.328 Annex G.1"),
    needs=(CONFERENCES,),
)
def notify_without_subscription(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference NOTIFY outside a known subscription.

    What it checks:
        NOTIFYs of the conference package that were accepted with 2xx: Call-ID and tags are to be those of a SUBSCRIBE
        in the capture. It judges only where the registration of the subscriber was captured before, at the address that
        the NOTIFY went to, so that the SUBSCRIBE would be in the capture too. NOTIFYs inside the dialog of an INVITE,
        and other branches of a forked SUBSCRIBE, are fine; so is a refusal with 481.
    Why it matters:
        Who can send such a NOTIFY makes a device believe in a roster that no focus gave.
    What the finding shows:
        The frames of the NOTIFYs, and who sent them.
    How to fix it:
        Let devices answer NOTIFYs that match no subscription with 481 (RFC 6665 §4.1.3).
    When it is not assessed:
        T-MID: the capture does not show the registration of the subscriber, or holds signalling that could not be read:
        the SUBSCRIBE may be there. N-OA: no answer to the NOTIFY was seen.
    """
    calls = {call.call_id for call in trace.calls}
    for conference in trace.conferences:
        for subscription in conference.subscriptions:
            if subscription.request is None and subscription.dialog[0] not in calls:
                yield from _subscription(trace, scene, conference.uri, subscription)


def _subscription(trace: Trace, scene: Scene, conference: str, subscription: Subscription) -> Iterator[Outcome]:
    subject = Subject("subscription", subscription.id)
    accepted = [each for each in subscription.notifications if 200 <= each.status < 300]
    if not accepted:
        if any(each.status for each in subscription.notifications):
            yield Outcome("pass", subject)
        elif subscription.notifications:
            yield not_assessed(subject, "N-OA", "no answer to the NOTIFY was seen")
        return
    if not _registered_before(trace, scene, subscription, accepted[0]) or next(sealed(trace), None) is not None:
        reason = "the capture does not show the subscriber from its registration on: the SUBSCRIBE may be missing"
        yield not_assessed(subject, "T-MID", reason)
        return
    messages = [each.message for each in accepted]
    first = messages[0]
    yield Outcome(
        "violation",
        subject,
        confidence="strong",
        title="NOTIFY without a subscription",
        message=(
            f"{subscription.subscriber} accepted a NOTIFY of conference {conference} from {first.source}, in "
            f"{places(trace, messages)}, in a dialog that it did not open. Whoever can send it makes the device "
            "believe in a roster of its own. Not seen: a SUBSCRIBE with its Call-ID and tags, though the registration "
            "of the subscriber was captured."
        ),
        evidence=proof(messages, "NOTIFY", f"answered with {accepted[0].status}", "481"),
        role="subscriber",
        direction="received",
        normalised=("NOTIFY of no subscription accepted", "481"),
    )


@once
def _registrations(trace: Trace, scene: Scene) -> dict[tuple[str, str], int]:
    """When users registered first, by user and address."""
    out: dict[tuple[str, str], int] = {}
    for registration in trace.registrations:
        for user in users(scene, (canonical(registration.identity),)):
            for message in registration.messages:
                if message.sip.method:
                    out.setdefault((user, message.source.ip), message.time)
    return out


def _registered_before(trace: Trace, scene: Scene, subscription: Subscription, first: Notification) -> bool:
    """The registration of the subscriber was captured, on the hop that brought the NOTIFY to it."""
    known = _registrations(trace, scene)
    times = (
        known.get((user, hop.destination.ip)) for user in subscriber(scene, subscription) for hop in first.hops
    )  # fmt: skip
    return any(time is not None and time < first.message.time for time in times)

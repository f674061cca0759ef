"""IMS-EVT-006."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.membership import memberships
from imsinspect.rules.evt.notifications import SECURE, bound
from imsinspect.rules.evt.subscribers import (
    ORDER,
    nameless,
    participants_of,
    present,
    subscriber,
    uncovered,
)
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, Notification, Subscription
    from imsinspect.trace.model import SignallingMessage, Trace

CHECK_DEMANDED = ("G3", "TR-SDES", "TR-KMS")  # in G.2 no text demands it explicitly


@rule(
    id="IMS-EVT-006",
    name="subscribe-by-non-participant",
    severity=Severity.HIGH,
    tier=1,
    profiles=SECURE,
    references=("TS 33.328 Annex G.3.3", "TS 33.328 Annex G.1", "TR 33.829 §5.1.2", "RFC 4575 §8.2"),
    needs=(CONFERENCES,),
)
def subscribe_by_non_participant(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Subscription accepted for a user who is not an authorised participant.

    What it checks:
        Every SUBSCRIBE of the conference package that was answered with 2xx and followed by a NOTIFY with users: its
        sender is to be in the authorised set (the policy file, else the URI list of the INVITE that created the
        conference), or the creator, or party of a dialog with the focus that was accepted before, or up to 10 seconds
        later. A subscription inside such a dialog is fine, and so is a refusal: a status of 300 or more, or a first
        NOTIFY that ends the subscription without state.
    Why it matters:
        An outsider learns who takes part in the conference, and from when to when.
    What the finding shows:
        The SUBSCRIBE, its answer, the first NOTIFY with state, the subscriber, and what it was compared with.
    How to fix it:
        Let the focus compare the asserted identity of a subscriber with its authorised participants, and answer others
        with 403, or with a NOTIFY that says terminated;reason=rejected. Name recorders and application servers that
        may subscribe in the policy file.
    When it is not assessed:
        N-ROST: who takes part is not known, as the capture does not show the INVITEs at the focus, or not all of them,
        or the subscriber names nobody; a policy file with the authorised identities settles it. IMS-PROF-005: the
        profile of the conference is open. Where the NOTIFY is encrypted the outcome is a suspicion.
    """
    for conference in trace.conferences:
        for subscription in conference.subscriptions:
            if subscription.request is not None and subscription.answer is not None:
                outcomes = _subscription(trace, scene, conference, subscription, subscription.request)
                yield from bound(scene, conference, SECURE, outcomes)


def _subscription(
    trace: Trace, scene: Scene, conference: Conference, subscription: Subscription, request: SignallingMessage
) -> Iterator[Outcome]:
    subject = Subject("subscription", subscription.id)
    stated = [each for each in subscription.notifications if _names_users(each)]
    if not subscription.accepted or not stated:
        if not subscription.accepted or subscription.notifications:
            yield Outcome("pass", subject)
        return
    if subscription.in_dialog or _takes_part(trace, scene, conference, subscription, request.time):
        yield Outcome("pass", subject)
        return
    allowed = memberships(trace, scene).get(conference.id)
    names = subscriber(scene, subscription)
    if allowed is not None and allowed.allows(names, scene, request.time):
        yield Outcome("pass", subject)
        return
    if nameless(subscription):
        yield not_assessed(subject, "N-ROST", "the subscriber does not say who it is")
        return
    if any(names & present(trace, scene, each) for each in stated[:1]):
        yield not_assessed(subject, "N-ROST", "the roster names the subscriber, whose dialog is not in the capture")
        return
    if allowed is None or not allowed.from_policy:
        missing = uncovered(trace, scene, conference, subscription)
        if missing:
            yield not_assessed(subject, "N-ROST", missing)
            return
    against = f"the authorised set of {allowed.source}" if allowed is not None else "the dialogs with the focus"
    yield _outsider(trace, scene, conference, subscription, stated[0], against)


def _names_users(notification: Notification) -> bool:
    document = notification.document
    return bool(document.users) if document is not None else notification.sealed


def _takes_part(
    trace: Trace, scene: Scene, conference: Conference, subscription: Subscription, time: int
) -> bool:  # fmt: skip
    """The subscriber created the conference, or was party of a dialog with the focus (T: order within 10 s)."""
    return any(
        each.is_creator or any(leg.joined is not None and leg.joined <= time + ORDER for leg in each.legs)
        for each in participants_of(trace, scene, conference, subscription)
    )


def _outsider(
    trace: Trace,
    scene: Scene,
    conference: Conference,
    subscription: Subscription,
    first: Notification,
    against: str,
) -> Outcome:
    request, answer = subscription.request, subscription.answer
    assert request is not None
    assert answer is not None
    readable = first.document is not None
    who = subscription.subscriber
    shown = (
        f"{len(first.document.users)} users readable" if first.document is not None else "encrypted, not opened"
    )  # fmt: skip
    severity = Severity.HIGH if scene.covers_conference(conference.id, CHECK_DEMANDED) else Severity.MEDIUM
    doubt = "" if readable else " The NOTIFY is encrypted: that it holds state was not seen."
    return Outcome(
        "violation" if readable else "suspect",
        Subject("subscription", subscription.id),
        severity=severity,
        confidence="strong" if readable else "heuristic",
        title="Outsider subscribed to conference state",
        message=(
            f"{who} subscribed to the state of {conference.uri} in {frame_text(trace, request.frame)}, was accepted in "
            f"{frame_text(trace, answer.frame)} and told it in {frame_text(trace, first.message.frame)}, and is not in "
            f"{against}. An outsider learns who takes part.{doubt} Not seen: any dialog of {who} with the focus."
        ),
        evidence=(
            Evidence(request.frame, "SUBSCRIBE from", who, "an authorised participant"),
            Evidence(answer.frame, "SIP status", str(answer.sip.status), "403, or a NOTIFY that ends it"),
            Evidence(first.message.frame, "NOTIFY with conference-info", shown, "no state"),
        ),
        role="subscriber",
        normalised=("state for an outsider", "a refusal"),
    )

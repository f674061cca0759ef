"""What rules about the event package share of subscribers: who they are in the conference, and what was captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import accepted_legs, identities
from imsinspect.rules.facts import SECOND, sealed
from imsinspect.rules.rule import once
from imsinspect.trace.identities import canonical, is_anonymous

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, Notification, Participant, Subscription
    from imsinspect.trace.model import Trace

ORDER = 10 * SECOND  # that a subscription may come before its sender's own INVITE is through
PRESENT = frozenset(("", "connected", "on-hold", "muted-via-focus"))  # statuses of endpoints that take part
USER_SIDE = "the capture does not show the side of the focus: other dialogs with it may not be in it"
MODERATING = frozenset(("moderator", "chair", "chairperson", "host", "organizer", "owner", "administrator", "operator"))


def user(scene: Scene, name: str) -> str:
    """The user behind an identity."""
    return scene.policy.aliases.get(name, name)


def users(scene: Scene, names: Iterable[str]) -> frozenset[str]:
    """The users behind identities."""
    return frozenset(user(scene, name) for name in names if name)


@once
def by_user(trace: Trace, scene: Scene) -> dict[str, dict[str, list[Participant]]]:
    """The participants of each conference by the users that they are."""
    out: dict[str, dict[str, list[Participant]]] = {}
    for conference in trace.conferences:
        found = out.setdefault(conference.id, {})
        for participant in conference.participants:
            for name in users(scene, identities(participant)):
                found.setdefault(name, []).append(participant)
    return out


def subscriber(scene: Scene, subscription: Subscription) -> frozenset[str]:
    """The user behind a subscription, by all names of it."""
    return users(scene, (subscription.subscriber, *subscription.aliases))


def participants_of(
    trace: Trace, scene: Scene, conference: Conference, subscription: Subscription
) -> list[Participant]:  # fmt: skip
    """The participants that a subscriber is."""
    known = by_user(trace, scene).get(conference.id, {})
    found = {id(each): each for name in subscriber(scene, subscription) for each in known.get(name, ())}
    return list(found.values())


def nameless(subscription: Subscription) -> bool:
    """The subscriber does not say who it is."""
    return not subscription.subscriber or is_anonymous(subscription.subscriber_uri)


def moderates(trace: Trace, scene: Scene, conference: Conference, subscription: Subscription) -> bool:
    """The subscriber created the conference, or has a role in its roster that lets it watch more than others."""
    names = subscriber(scene, subscription)
    return any(each.is_creator for each in participants_of(trace, scene, conference, subscription)) or any(
        not MODERATING.isdisjoint(role.lower() for role in one.roles) and names & users(scene, (canonical(one.entity),))
        for each in subscription.notifications
        if each.document is not None
        for one in each.document.users
        if one.roles
    )


@once
def _present(trace: Trace, scene: Scene) -> dict[int, frozenset[str]]:
    """What `present` found, by document: many subscribers are sent the same one."""
    return {}


def present(trace: Trace, scene: Scene, notification: Notification) -> frozenset[str]:
    """The users that a document says take part."""
    document = notification.document
    if document is None:
        return frozenset()
    known = _present(trace, scene)
    if id(document) not in known:
        known[id(document)] = frozenset(
            user(scene, canonical(name))
            for each in document.users
            if each.state != "deleted" and (not each.endpoints or any(one.status in PRESENT for one in each.endpoints))
            for name in (each.entity, *each.associated)
        )
    return known[id(document)]


@once
def _uncovered(trace: Trace, scene: Scene) -> dict[str, str]:
    """Why the capture may lack dialogs with a focus, by conference id; "" where nothing says so."""
    hidden = next(sealed(trace), None) is not None
    out = {}
    for conference in trace.conferences:
        legs = [leg for _, leg in accepted_legs(conference)]
        if not legs:
            out[conference.id] = "no dialog with the focus was captured"
        elif any(leg.joined_before for leg in legs):
            out[conference.id] = "the capture begins inside the conference: earlier dialogs are not in it"
        elif hidden:
            out[conference.id] = "signalling that could not be read may hold dialogs with the focus"
        elif not any(leg.at_focus for leg in legs):
            out[conference.id] = USER_SIDE
        else:
            out[conference.id] = ""
    return out


def uncovered(trace: Trace, scene: Scene, conference: Conference, subscription: Subscription) -> str:
    """Why the capture may lack dialogs with the focus, in words; "" where it shows them all."""
    reason = _uncovered(trace, scene)[conference.id]
    if reason and not (reason == USER_SIDE and subscription.at_focus):
        return reason
    known = by_user(trace, scene).get(conference.id, {})
    first = next((each for each in subscription.notifications if each.document is not None), None)
    named = present(trace, scene, first) if first is not None else frozenset()
    if any(name not in known and not is_anonymous(name) for name in named):
        return "the roster names users whose dialogs with the focus are not in the capture"
    return ""

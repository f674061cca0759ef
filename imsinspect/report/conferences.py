"""Conferences as the JSON report shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imsinspect.report.escape import text
from imsinspect.report.times import iso

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.profiles import ProfileChoice
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant, Referral, Subscription

Row = dict[str, Any]
Place = Callable[["FrameId | None"], Row]


def conference_row(conference: Conference, profile: ProfileChoice, place: Place) -> Row:
    """One conference; `place` names a frame."""
    return {
        "id": conference.id,
        "uri": text(conference.uri),
        "focus": text(conference.focus) if conference.focus else None,
        "profile": {
            "name": text(profile.name),
            "inferred": profile.inferred,
            "because": [text(each) for each in profile.because],
        },
        "because": [text(each) for each in conference.because],
        "factory": text(conference.factory) if conference.factory else None,
        "first_time": iso(conference.first_time),
        "last_time": iso(conference.last_time),
        "participants": [_participant(each) for each in conference.participants],
        "subscriptions": [_subscription(each, place) for each in conference.subscriptions],
        "referrals": [_referral(each, place) for each in conference.referrals],
    }


def presence(legs: list[ConferenceLeg]) -> tuple[int | None, int | None]:
    """When somebody first joined and last left; None for what did not happen, or not yet."""
    joined = [leg for leg in legs if leg.joined is not None]
    first = min((leg.joined for leg in joined if leg.joined is not None), default=None)
    left = [leg.left for leg in joined if leg.left is not None]
    return first, max(left) if joined and len(left) == len(joined) else None


def _participant(participant: Participant) -> Row:
    joined, left = presence(participant.legs)
    calls = dict.fromkeys(name for leg in participant.legs for name in (leg.call, *leg.also))
    return {
        "identity": text(participant.identity),
        "calls": list(calls),
        "joined": None if joined is None else iso(joined),
        "left": None if left is None else iso(left),
        "asserted": participant.asserted,
        "anonymous": participant.anonymous,
        "creator": participant.is_creator,
        "mikey_identity": text(participant.mikey_identity) if participant.mikey_identity else None,
        "aliases": sorted(text(each) for each in participant.aliases),
        "legs": [
            {"call": leg.call, "dial_out": leg.dial_out, "accepted": leg.accepted, "at_focus": leg.at_focus}
            for leg in participant.legs
        ],
    }


def _subscription(subscription: Subscription, place: Place) -> Row:
    documents = [each.document for each in subscription.notifications if each.document is not None]
    return {
        "id": subscription.id,
        "subscriber": text(subscription.subscriber),
        "accepted": subscription.accepted,
        "authenticated_by": list(subscription.authenticated_by),
        "request": None if subscription.request is None else place(subscription.request.frame),
        "notifications": len(subscription.notifications),
        "sealed": sum(each.sealed for each in subscription.notifications),
        "documents": len(documents),
        "ended": None if subscription.ended is None else iso(subscription.ended),
    }


def _referral(referral: Referral, place: Place) -> Row:
    return {
        "sender": text(referral.sender),
        "target": text(referral.target),
        "removes": referral.removes,
        "status": referral.status,
        "request": place(referral.message.frame),
        "led_to": None if referral.led_to is None else place(referral.led_to.frame),
    }

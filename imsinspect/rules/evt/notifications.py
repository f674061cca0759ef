"""What rules about the event package share: notifications with state by their subject, and words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import open_profile
from imsinspect.rules.facts import MAX_EVIDENCE, counted, frame_text, text
from imsinspect.rules.outcome import Evidence, Outcome, Subject
from imsinspect.rules.rule import once
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, Notification, Subscription
    from imsinspect.trace.model import SealedBody, SignallingMessage, Trace

KMS = ("G3", "TR-KMS")
SECURE = ("G2", "G3", "TR-SDES", "TR-KMS")
POST_DECRYPTION = "post-decryption"


@dataclass(slots=True, frozen=True)
class Told:
    """State of a conference as one subscriber was told it, or as other messages carried it."""

    conference: Conference
    subscription: Subscription | None  # None: in other messages than NOTIFY
    notifications: tuple[Notification, ...]  # those with state, readable or not

    @property
    def subject(self) -> Subject:
        """What outcomes are about."""
        if self.subscription is None:
            return Subject("conference", self.conference.id)
        return Subject("subscription", self.subscription.id)

    @property
    def whom(self) -> str:
        """Who was told, in words."""
        return "others" if self.subscription is None else self.subscription.subscriber or "an unnamed subscriber"


@once
def told(trace: Trace, scene: Scene) -> list[Told]:
    """All subscriptions that state was sent in; behind those of a conference its documents in other messages."""
    found = []
    for conference in trace.conferences:
        for subscription in conference.subscriptions:
            stated = tuple(each for each in subscription.notifications if each.tells)
            if stated:
                found.append(Told(conference, subscription, stated))
        if conference.documents:
            found.append(Told(conference, None, tuple(conference.documents)))
    return found


def bound(
    scene: Scene, conference: Conference, profiles: tuple[str, ...], outcomes: Iterable[Outcome]
) -> Iterator[Outcome]:
    """The outcomes of a rule of these profiles; nothing where they do not cover the conference, and where its profile
    is open that it is."""
    covered = scene.covers_conference(conference.id, profiles)
    if covered:
        yield from outcomes
    elif covered is None:
        yield from open_profile(outcomes)


def encrypting(notifications: Iterable[Notification]) -> Iterator[tuple[Notification, SealedBody]]:
    """The outermost CMS message of each notification that encrypts, or that could not be taken apart."""
    for each in notifications:
        body = next((body for body in each.message.sealed if body.encrypted or not body.content_type), None)
        if body is not None:
            yield each, body


def exported(message: SignallingMessage) -> bool:
    """Another tool exported it, perhaps after decryption (T-CORE)."""
    return message.protection is Protection.EXPORTED


def what(message: SignallingMessage) -> str:
    """A message by its method or status."""
    sip = message.sip
    return text(sip.method) if sip.method else f"{sip.status} response to {text(sip.cseq_method)}"


def proof(messages: Iterable[SignallingMessage], field: str, observed: str, expected: str) -> tuple[Evidence, ...]:
    """The frames of messages as evidence of one observation."""
    frames = [message.frame for message in messages][:MAX_EVIDENCE]
    return tuple(Evidence(frame, field, observed, expected) for frame in frames)


def places(trace: Trace, messages: list[SignallingMessage]) -> str:
    """How many messages there are, and where."""
    first = frame_text(trace, messages[0].frame)
    kinds = {what(message) for message in messages}
    noun = kinds.pop() if len(kinds) == 1 else "message"
    if len(messages) == 1:
        return f"the {noun} in {first}"
    return f"{counted(len(messages), noun)}, from {first} to {frame_text(trace, messages[-1].frame)}"

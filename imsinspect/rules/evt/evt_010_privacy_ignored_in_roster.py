"""IMS-EVT-010."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import identities, who
from imsinspect.rules.evt.subscribers import moderates, subscriber, users
from imsinspect.rules.facts import MAX_EVIDENCE, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.identities import canonical, is_anonymous

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import (
        Conference,
        ConferenceDocument,
        ConferenceLeg,
        Notification,
        Participant,
        RosterUser,
    )
    from imsinspect.trace.model import Trace

ASKING = frozenset(("id", "user", "header"))  # values of Privacy (RFC 3323 §4.2, RFC 3325 §9.3)


@dataclass(slots=True)
class _Hiding:
    """A participant who asks for privacy, and what rosters for others said of it."""

    participant: Participant
    private: list[ConferenceLeg]
    open: list[ConferenceLeg]
    names: frozenset[str]
    users: frozenset[str]
    shown: list[tuple[Notification, str, str]] = field(default_factory=list)  # with the element and its value
    to_moderators: bool = False

    def hides_at(self, time: int) -> bool:
        """It takes part privately at that time, and not openly by another dialog."""
        return any(_lasts(leg, time) for leg in self.private) and not any(_lasts(leg, time) for leg in self.open)


@dataclass(slots=True)
class _Times:
    """When documents were sent: to all, and to each user."""

    to_all: list[int] = field(default_factory=list)
    to_user: dict[str, list[int]] = field(default_factory=dict)

    def add(self, time: int, subscriber_users: frozenset[str]) -> None:
        """A document for one subscriber."""
        self.to_all.append(time)
        for name in subscriber_users:
            self.to_user.setdefault(name, []).append(time)

    def to_others(self, each: _Hiding) -> bool:
        """Whether others than a participant were sent one while it took part."""
        own = max((self.to_user.get(name, []) for name in each.users), key=len, default=[])
        return any(_within(self.to_all, leg) > _within(own, leg) for leg in each.private)


def _within(times: list[int], leg: ConferenceLeg) -> int:
    """How many of the times, in order, fall into a leg."""
    begin = bisect_left(times, leg.joined or 0)
    return (len(times) if leg.left is None else bisect_right(times, leg.left)) - begin


@rule(
    id="IMS-EVT-010",
    name="privacy-ignored-in-roster",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("RFC 4575 §8.2", "RFC 4575 §5.6", "TR 33.829 §5.1.2"),
    needs=(CONFERENCES,),
)
def privacy_ignored_in_roster(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Identity of a privacy-requesting participant disclosed.

    What it checks:
        Conference documents that went to others while a participant took part whose INVITE, or answer to the focus, has
        Privacy with id, user or header: no entity, associated-aors or endpoint names an identity or the Contact of it,
        and no display-text its display name.
    Why it matters:
        The participant asked the network not to tell who it is, and everybody in the roster's reach reads it.
    What the finding shows:
        The message with Privacy, the NOTIFYs that name the participant, and the element that does.
    How to fix it:
        Let the focus list such participants by anonymous URIs (sip:anonymous1@anonymous.invalid), without display name.
    When it is not assessed:
        N-KEY: the documents for others are encrypted, and no key at hand opens them. T-POL: only those were told who
        created or moderate the conference; policy may let them see who hides from others.
    """
    for conference in trace.conferences:
        hiding = [found for each in conference.participants if (found := _hiding(scene, each)) is not None]
        if not hiding:
            continue
        by_name = {name: each for each in hiding for name in each.names}
        readable, sealed = _Times(), _Times()
        named: dict[int, list[tuple[_Hiding, str, str]]] = {}  # by document: many subscribers are sent the same one
        for subscription in conference.subscriptions:
            own = subscriber(scene, subscription)
            for notification in subscription.notifications:
                if notification.tells:
                    (sealed if notification.document is None else readable).add(notification.message.time, own)
            may_know = moderates(trace, scene, conference, subscription)
            for notification in subscription.notifications:
                document = notification.document
                if document is not None:
                    if id(document) not in named:
                        named[id(document)] = list(_named(document, by_name))
                    _read(notification, own, named[id(document)], may_know=may_know)
        for times in (readable, sealed):
            for some in (times.to_all, *times.to_user.values()):
                some.sort()
        for each in hiding:
            yield from _outcomes(trace, conference, each, readable, sealed)


def _hiding(scene: Scene, participant: Participant) -> _Hiding | None:
    accepted = [leg for leg in participant.legs if leg.accepted]
    private = [leg for leg in accepted if leg.privacy & ASKING]
    if not private:
        return None
    names = {name for name in identities(participant) if not is_anonymous(name)}
    names |= {leg.contact for leg in private if "@" in leg.contact and not is_anonymous(leg.contact)}
    if participant.display and "anonymous" not in participant.display.lower():
        names.add(participant.display)
    shown = [leg for leg in accepted if not leg.privacy & ASKING]
    return _Hiding(participant, private, shown, frozenset(names), users(scene, identities(participant)))


def _lasts(leg: ConferenceLeg, time: int) -> bool:
    return leg.joined is not None and leg.joined <= time and (leg.left is None or time <= leg.left)


def _read(
    notification: Notification, own: frozenset[str], named: list[tuple[_Hiding, str, str]], *, may_know: bool
) -> None:
    """What a document says of those who hide from its subscriber."""
    for found, element, value in named:
        if own & found.users or not found.hides_at(notification.message.time):
            continue
        if may_know:
            found.to_moderators = True
        elif len(found.shown) < MAX_EVIDENCE:
            found.shown.append((notification, element, value))


def _named(document: ConferenceDocument, by_name: dict[str, _Hiding]) -> Iterator[tuple[_Hiding, str, str]]:
    """Those whom a document names, with the element and its value."""
    for user in document.users:
        for element, value in _said(user):
            if value in by_name:
                yield by_name[value], element, value


def _said(user: RosterUser) -> Iterator[tuple[str, str]]:
    """The names in a user element, with where they stand."""
    if user.state == "deleted":
        return
    entity = canonical(user.entity)
    yield "user entity", entity
    if is_anonymous(entity):  # the display name of another user may be the same
        yield "display-text", user.display_text
    for name in user.associated:
        yield "associated-aors", canonical(name)
    for endpoint in user.endpoints:
        yield "endpoint entity", canonical(endpoint.entity)
        if is_anonymous(entity):
            yield "endpoint display-text", endpoint.display_text


def _outcomes(
    trace: Trace, conference: Conference, each: _Hiding, readable: _Times, sealed: _Times
) -> Iterator[Outcome]:  # fmt: skip
    subject = Subject("participant", who(each.participant))
    if each.shown:
        yield _disclosed(trace, conference, each, subject)
    elif each.to_moderators:
        yield not_assessed(subject, "T-POL", "only those were told who created or moderate the conference")
    elif readable.to_others(each):
        yield Outcome("pass", subject)
    elif sealed.to_others(each):
        yield not_assessed(subject, "N-KEY", "the documents for others are encrypted, and no key opens them")


def _disclosed(trace: Trace, conference: Conference, each: _Hiding, subject: Subject) -> Outcome:
    leg = each.private[0]
    asked = leg.answer if leg.dial_out and leg.answer is not None else leg.invite
    values = ";".join(sorted(leg.privacy))
    first, element, value = each.shown[0]
    documents = len({id(notification) for notification, _, _ in each.shown})
    more = f", and in {documents - 1} more" if documents > 1 else ""
    return Outcome(
        "violation",
        subject,
        title="Roster names a participant who asked for privacy",
        message=(
            f"{who(each.participant)} joined {conference.uri} with Privacy: {values} in "
            f"{frame_text(trace, asked.frame)}, and the roster for others names it: {element} {value} in "
            f"{frame_text(trace, first.message.frame)}{more}. Everybody who is told the roster reads who it is. Not "
            "seen: an anonymous URI in its place."
        ),
        evidence=(
            Evidence(asked.frame, "Privacy", values, "respected in the roster"),
            *(
                Evidence(notification.message.frame, f"conference-info {place}", name, "an anonymous URI")
                for notification, place, name in each.shown
            ),
        ),
        role="participant",
        direction="sent",
        normalised=(f"{element} names who asked for privacy", "an anonymous URI"),
    )

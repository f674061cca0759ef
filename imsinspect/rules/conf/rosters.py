"""Who the rosters of a conference list, and when: intervals of time, by name (rules.md 17.7, IMS-CONF-014)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import capture_end
from imsinspect.rules.facts import SECOND
from imsinspect.rules.rule import once
from imsinspect.trace.conference_documents import follow_roster
from imsinspect.trace.identities import canonical, is_anonymous

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, RosterUser, Subscription
    from imsinspect.trace.model import Trace

Interval = tuple[int, int]

LIFE = 3_600 * SECOND  # of a subscription that does not say (RFC 4575 §3.4)
FOLLOWED = 4  # subscriptions of one conference whose rosters are compared, those with the most documents first
GONE = frozenset(("disconnected", "disconnecting"))
COMING = frozenset(("pending", "dialing-out", "dialing-in", "alerting"))
ANONYMOUS = re.compile(r"anonymous\d*(@.*)?", re.IGNORECASE)


@dataclass(slots=True)
class Listed:
    """One user of a roster."""

    names: tuple[str, ...]  # canonical, aliases resolved; the first is the user's own
    listed: list[Interval] = field(default_factory=list)  # in the list, connected or about to be
    connected: list[Interval] = field(default_factory=list)
    first: bool = False  # in the first document already
    frame: FrameId = 0  # of the document that first listed it

    @property
    def hidden(self) -> bool:
        """It is shown without who it is."""
        return is_anonymous(self.names[0]) or bool(ANONYMOUS.fullmatch(self.names[0]))


@dataclass(slots=True)
class Timeline:
    """What one subscription said of the participants over time."""

    subscription: Subscription
    known: list[Interval]  # while the roster was whole and the subscription active
    users: dict[str, Listed]  # by entity
    documents: list[tuple[int, FrameId, int | None, int]]  # time, frame, user-count, users listed

    def by_name(self) -> dict[str, list[Listed]]:
        """The users by any of their names."""
        out: defaultdict[str, list[Listed]] = defaultdict(list)
        for user in self.users.values():
            for name in user.names:
                out[name].append(user)
        return dict(out)

    def document_at(self, time: int) -> tuple[int, FrameId, int | None, int] | None:
        """The last document by then."""
        number = bisect_right(self.documents, time, key=itemgetter(0))
        return self.documents[number - 1] if number else None


def timelines(trace: Trace, scene: Scene, conference: Conference) -> list[Timeline]:
    """The timelines of the subscriptions that say most."""
    return _all(trace, scene).get(conference.id, [])


@once
def _all(trace: Trace, scene: Scene) -> dict[str, list[Timeline]]:
    out: dict[str, list[Timeline]] = {}
    for conference in trace.conferences:
        told = [
            (sum(each.document is not None for each in subscription.notifications), subscription)
            for subscription in conference.subscriptions
        ]
        most = sorted((each for each in told if each[0]), key=lambda each: -each[0])[:FOLLOWED]
        out[conference.id] = [_follow(trace, scene, subscription) for _, subscription in most]
    return out


def _follow(trace: Trace, scene: Scene, subscription: Subscription) -> Timeline:
    """Walk the documents of one subscription; each costs what it holds, and who it removes was paid for before."""
    end = _active_until(trace, scene, subscription)
    timeline = Timeline(subscription, [], {}, [])
    present: dict[str, tuple[bool, int]] = {}  # entity: connected, since when
    since: int | None = None
    for notification, roster in follow_roster(subscription):
        document, time = notification.document, notification.message.time
        whole = roster.complete and not roster.ended and notification.subscription_state == "active" and time <= end
        if since is not None and not whole:
            timeline.known.append((since, min(time, end)))
            since = None
        elif since is None and whole:
            since = time
        if document is None:
            continue
        timeline.documents.append((time, notification.message.frame, document.user_count, len(roster.users)))
        entities = {user.entity for user in document.users}
        if document.state != "partial" or document.users_state in ("full", "deleted"):
            entities |= set(present)
        for entity in entities:
            _note(scene, timeline, present, entity, roster.users.get(entity), time, notification.message.frame)
    if since is not None:
        timeline.known.append((since, end))
    for entity, (connected, begin) in present.items():
        _close(timeline.users[entity], connected=connected, begin=begin, end=max(end, begin))
    return timeline


def _note(
    scene: Scene, timeline: Timeline, present: dict[str, tuple[bool, int]], entity: str, user: RosterUser | None,
    time: int, frame: FrameId,
) -> None:  # fmt: skip
    """What a document says of one user."""
    statuses = [each.status for each in user.endpoints if each.status] if user is not None else []
    listed = user is not None and (not statuses or any(each not in GONE for each in statuses))
    connected = listed and (not statuses or any(each not in GONE | COMING for each in statuses))
    before = present.get(entity)
    if before is not None and (not listed or before[0] != connected):
        _close(timeline.users[entity], connected=before[0], begin=before[1], end=time)
        del present[entity]
    if listed and user is not None and entity not in present:
        present[entity] = connected, time
        known = timeline.users.get(entity)
        if known is None:
            names = tuple(dict.fromkeys(_names(scene, user)))
            timeline.users[entity] = Listed(names, first=len(timeline.documents) == 1, frame=frame)


def _close(user: Listed, *, connected: bool, begin: int, end: int) -> None:
    user.listed.append((begin, end))
    if connected:
        user.connected.append((begin, end))


def _names(scene: Scene, user: RosterUser) -> list[str]:
    """Everything that a roster calls a user, aliases of the policy resolved."""
    written = (user.entity, *user.associated, *(each.entity for each in user.endpoints))
    return [scene.policy.aliases.get(name, name) for name in map(canonical, written) if name]


def _active_until(trace: Trace, scene: Scene, subscription: Subscription) -> int:
    """The end of a subscription: its last word, or when it runs out."""
    if subscription.ended is not None:
        return subscription.ended
    last = max((each.message.time for each in subscription.notifications), default=0)
    if subscription.request is not None:
        life = (subscription.expires or 0) * SECOND or LIFE
        last = max(last, max((each.time + life for each in subscription.hops), default=0))
    else:
        last += LIFE
    return min(last, capture_end(trace, scene))


def gone_from(
    timeline: Timeline, names: frozenset[str], by_name: dict[str, list[Listed]]
) -> tuple[int, FrameId] | None:
    """When a roster that is still followed dropped a participant for good, and by which document."""
    spans = [span for name in names for user in by_name.get(name, ()) for span in user.listed]
    last = max((end for _, end in spans), default=0)
    if not spans or not timeline.known or last >= timeline.known[-1][1]:
        return None
    document = timeline.document_at(last)
    return (last, document[1]) if document is not None else None


# --- intervals ------------------------------------------------------------------------------------


def merged(spans: list[Interval]) -> list[Interval]:
    """Spans of time in order, those that meet put together."""
    out: list[Interval] = []
    for begin, end in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = out[-1][0], max(end, out[-1][1])
        else:
            out.append((begin, end))
    return out


def without(spans: list[Interval], taken: list[Interval]) -> list[Interval]:
    """What of some spans of time, which stand in order, is not taken."""
    holes = merged(taken)
    out: list[Interval] = []
    first = 0
    for begin, end in spans:
        while first < len(holes) and holes[first][1] <= begin:
            first += 1
        at, number = begin, first
        while number < len(holes) and holes[number][0] < end:
            if holes[number][0] > at:
                out.append((at, holes[number][0]))
            at = max(at, holes[number][1])
            number += 1
        first = max(first, number - 1)
        if at < end:
            out.append((at, end))
    return out


def within(spans: list[Interval], begin: int, end: int) -> list[Interval]:
    """What of some spans, which stand in order and apart, lies between two moments."""
    out: list[Interval] = []
    for low, high in spans[bisect_right(spans, begin, key=itemgetter(1)) :]:
        if low >= end:
            break
        out.append((max(low, begin), min(high, end)))
    return out


def longest(spans: list[Interval]) -> Interval:
    """The longest of some spans; an empty one if there is none."""
    return max(spans, key=lambda each: each[1] - each[0], default=(0, 0))

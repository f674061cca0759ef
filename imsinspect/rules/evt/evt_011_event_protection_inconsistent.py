"""IMS-EVT-011."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import SECURE, bound, told
from imsinspect.rules.facts import frame_text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import SignallingMessage, Trace

SEALED, READABLE = "S/MIME", "no S/MIME"
ENCRYPTED, INTEGRITY, CLEAR = "a hop that encrypts", "a hop with integrity only", "a hop without protection"
OF_HOP = {
    Protection.OPENED: ENCRYPTED,
    Protection.ESP_NULL: INTEGRITY,
    Protection.TLS_NULL: INTEGRITY,
    Protection.CLEAR: CLEAR,
}
STRONGEST = (SEALED, ENCRYPTED, INTEGRITY, CLEAR, READABLE)


@dataclass(slots=True, frozen=True)
class _Sent:
    """The first notification of one kind of protection."""

    message: SignallingMessage
    told: Told


@rule(
    id="IMS-EVT-011",
    name="event-protection-inconsistent",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=SECURE,
    references=("TR 33.829 §5.1.2", "TR 33.829 §5.1.3"),
    follows=("IMS-EVT-001", "IMS-EVT-003", "IMS-EVT-005"),
    needs=(CONFERENCES,),
)
def event_protection_inconsistent(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Some notifications of a conference are protected, others not.

    What it checks:
        All NOTIFYs with state of one conference: either S/MIME encrypts all of them or none; and where none, all that
        one node sends have the same protection by ESP or TLS. NOTIFYs without state do not count. Only hops that begin
        at the same address are compared, as the two sides of a P-CSCF may differ by design.
    Why it matters:
        The weakest copy decides: what is sealed for one subscriber is read in the copy of another.
    What the finding shows:
        One frame of each kind, and who was told.
    How to fix it:
        Protect all notifications of a conference in the same way, for all subscribers and all the time.
    When it is not assessed:
        IMS-PROF-005: the profile of the conference is open. N-SIP, N-FRAG: signalling that could not be read may hold
        other notifications.
    """
    by_conference: dict[str, list[Told]] = {}
    for each in told(trace, scene):
        if each.subscription is not None:
            by_conference.setdefault(each.conference.id, []).append(each)
    for conference in trace.conferences:
        group = by_conference.get(conference.id, [])
        if sum(len(each.notifications) for each in group) > 1:
            yield from bound(scene, conference, SECURE, _conference(trace, conference, group))


def _conference(trace: Trace, conference: Conference, group: list[Told]) -> Iterator[Outcome]:
    bodies: dict[str, _Sent] = {}
    hops: dict[str, dict[str, _Sent]] = {}
    for each in group:
        for notification in each.notifications:
            kind = SEALED if notification.sealed else READABLE
            bodies.setdefault(kind, _Sent(notification.message, each))
            for message in notification.hops:
                of_hop = OF_HOP.get(message.protection)
                if of_hop is not None and kind == READABLE:
                    hops.setdefault(message.source.ip, {}).setdefault(of_hop, _Sent(message, each))
    mixed = next((found for found in (bodies, *hops.values()) if len(found) > 1), None)
    if mixed is None:
        yield Outcome("pass", Subject("conference", conference.id))
        return
    yield _mixed(trace, conference, mixed)


def _mixed(trace: Trace, conference: Conference, mixed: dict[str, _Sent]) -> Outcome:
    kinds = sorted(mixed, key=STRONGEST.index)
    shown = "; ".join(
        f"{kind} for {mixed[kind].told.whom} in {frame_text(trace, mixed[kind].message.frame)}" for kind in kinds
    )
    weakest = mixed[kinds[-1]]
    return Outcome(
        "violation",
        Subject("conference", conference.id),
        title="Notifications protected unequally",
        message=(
            f"NOTIFYs of conference {conference.uri} are protected in different ways: {shown}. The weakest copy "
            f"decides who reads the roster. Not seen: {kinds[0]} for all of them."
        ),
        evidence=tuple(
            Evidence(mixed[kind].message.frame, "NOTIFY with conference state", kind, f"{kinds[0]} for all")
            for kind in kinds
        ),
        role="focus",
        direction="sent",
        fact=weakest.told.subject.id,
        normalised=(" and ".join(kinds), "one protection for all"),
    )

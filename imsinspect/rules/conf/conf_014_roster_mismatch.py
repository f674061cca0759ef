"""IMS-CONF-014."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import (
    ALL_CONFERENCES,
    TELEPHONE,
    accepted_legs,
    bound,
    capture_end,
    leg_subject,
    names_of_legs,
    recording,
    who,
)
from imsinspect.rules.conf.rosters import longest, merged, timelines, within, without
from imsinspect.rules.facts import SECOND, counted, frame_text, not_assessed, worst
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.rosters import Interval, Listed, Timeline
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Trace

PROFILES = ALL_CONFERENCES
SHOWN = 4  # users that a finding names
SEVERAL = 2  # participants at the focus: then its signalling is captured, not only one user's


@rule(
    id="IMS-CONF-014",
    name="roster-mismatch",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.2", "TR 33.829 §5.1.1", "RFC 4575 §5", "RFC 4353 §3"),
    needs=(CONFERENCES,),
)
def roster_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Live legs and conference-info roster disagree.

    What it checks:
        While a subscription to the conference is active and its roster is whole, every participant with an accepted
        leg has to be in it within 10 seconds, and every user that it shows as connected has to have a leg within 30.
        Partial documents are merged. Of several subscriptions the four with the most documents are followed.
    Why it matters:
        Participants trust the roster: a leg that it does not show is a hidden listener, and a user that it shows
        without a leg hides that somebody has gone.
    What the finding shows:
        The leg or the roster entry, the document that was in force, and for how long they disagreed.
    How to fix it:
        Let the focus notify every change of its legs at once, and list every dialog. If the user is known by another
        identity, name it as an alias in the policy file.
    When it is not assessed:
        N-KEY: notifications are encrypted and no key opens them. N-ROST: no subscription with a full document was seen;
        or the roster lists users, anonymous ones among them, who may be the participant under another identity
        (ambiguous). N-CORE: only one user's signalling was captured, so that others' legs can't be expected. T-MID:
        user or roster may have been there before the capture began. N-SIP: no call with the focus was seen.
        IMS-PROF-005: the profile of the conference is open; name it with --profile.
    """
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _conference(trace, scene, conference))


def _conference(trace: Trace, scene: Scene, conference: Conference) -> Iterator[Outcome]:
    followed = [each for each in timelines(trace, scene, conference) if each.known]
    if not followed:
        yield _no_roster(conference)
        return
    yield from worst(
        (outcome.subject, outcome) for timeline in followed for outcome in _compare(trace, scene, conference, timeline)
    )


def _no_roster(conference: Conference) -> Outcome:
    subject = Subject("conference", conference.id)
    notifications = [each for subscription in conference.subscriptions for each in subscription.notifications]
    if any(each.sealed and each.document is None for each in notifications):
        return not_assessed(subject, "N-KEY", "notifications of the conference are encrypted and no key opens them")
    return not_assessed(subject, "N-ROST", "no subscription with a full document of the conference was seen")


class _Legs:
    """The legs of a conference by everything that their participants are known as."""

    def __init__(self, trace: Trace, scene: Scene, conference: Conference) -> None:
        end = capture_end(trace, scene)
        known = names_of_legs(trace, scene)
        self.names: dict[str, list[Interval]] = {}
        self.of: list[tuple[Participant, ConferenceLeg, frozenset[str], Interval]] = []
        self.at_focus: set[int] = set()
        for participant, leg in accepted_legs(conference):
            names = frozenset(scene.policy.aliases.get(name, name) for name in known[leg.dialog])
            life = (leg.joined or 0, end if leg.left is None else leg.left)
            self.of.append((participant, leg, names, life))
            if leg.at_focus:
                self.at_focus.add(id(participant))
            for name in names:
                self.names.setdefault(name, []).append(life)

    def has(self, user: Listed) -> bool:
        return any(name in self.names for name in user.names)

    def lives(self, user: Listed) -> list[Interval]:
        return [life for name in user.names for life in self.names.get(name, ())]


def _compare(trace: Trace, scene: Scene, conference: Conference, timeline: Timeline) -> Iterator[Outcome]:
    """One subscription's roster against the legs, both ways."""
    legs = _Legs(trace, scene, conference)
    strangers = merged([span for user in timeline.users.values() if not legs.has(user) for span in user.listed])
    by_name = timeline.by_name()
    thresholds = scene.policy.thresholds
    unlisted = False
    for participant, leg, names, life in legs.of:
        known = within(timeline.known, *life)
        if not known or recording(leg):
            continue
        listed = merged([span for name in names for user in by_name.get(name, ()) for span in user.listed])
        gap = longest(without(known, listed))
        if gap[1] - gap[0] <= thresholds.conf_ghost:
            seen = within(listed, *life) or longest(known)[1] - longest(known)[0] > thresholds.conf_ghost
            yield Outcome("pass", leg_subject(leg)) if seen else _too_short(leg)
            continue
        unlisted = True
        yield _ghost(trace, conference, timeline, participant, leg, gap, strangers)
    yield from _entries(trace, conference, timeline, legs, thresholds.conf_missing_leg, unlisted=unlisted)


def _entries(
    trace: Trace, conference: Conference, timeline: Timeline, legs: _Legs, patience: int, *, unlisted: bool
) -> Iterator[Outcome]:
    """Connected users of the roster without a leg, together."""
    subject = Subject("conference", conference.id)
    gone: list[tuple[Listed, Interval]] = []
    never: list[tuple[Listed, Interval]] = []
    for user in timeline.users.values():
        spans = [span for low, high in user.connected for span in within(timeline.known, low, high)]
        gap = longest(without(spans, legs.lives(user)))
        if gap[1] - gap[0] <= patience:
            continue
        reason = None if legs.has(user) else _doubt(conference, user, legs, unlisted=unlisted)
        if reason is not None:
            yield not_assessed(subject, *reason)
        else:
            (gone if legs.has(user) else never).append((user, gap))
    for entries, ended in ((gone, True), (never, False)):
        if entries:
            yield _missing(trace, conference, timeline, entries, subject, ended=ended)


def _too_short(leg: ConferenceLeg) -> Outcome:
    return not_assessed(leg_subject(leg), "T-MID", "the roster was known too briefly to show whether it lists the leg")


def _ghost(
    trace: Trace, conference: Conference, timeline: Timeline, participant: Participant, leg: ConferenceLeg,
    gap: Interval, strangers: list[Interval],
) -> Outcome:  # fmt: skip
    """A leg that the roster does not show."""
    subject = leg_subject(leg)
    if within(strangers, *gap):
        reason = "ambiguous: the roster lists users that no leg belongs to, who may be the participant"
        return not_assessed(subject, "N-ROST", reason)
    document = timeline.document_at(gap[0]) or timeline.documents[0]
    _, frame, count, shown = document
    policy = count is not None and count > shown
    hint = f" The document counts {count} users and lists {shown}: a policy may hide some." if policy else ""
    seconds = (gap[1] - gap[0]) // SECOND
    answer = leg.answer or leg.invite
    return Outcome(
        "suspect" if policy else "violation",
        subject,
        confidence="heuristic" if policy else "strong",
        title="Participant that the roster does not show",
        message=(
            f"{who(participant)} takes part in {conference.uri} with {leg.call}, accepted in "
            f"{frame_text(trace, answer.frame)}, and the roster of {counted(shown, 'user')} in force "
            f"({frame_text(trace, frame)}) does not show it for {seconds} seconds. The others do not know that it "
            f"listens.{hint} Not seen: a roster with this participant in that time."
        ),
        evidence=(
            Evidence(answer.frame, "SIP status", str(answer.sip.status), "a user in the roster within 10 seconds"),
            Evidence(frame, "conference-info users", counted(shown, "user"), f"{who(participant)} among them"),
        ),
        role="participant",
        normalised=("accepted leg outside the roster", "every leg in the roster"),
    )


def _doubt(conference: Conference, user: Listed, legs: _Legs, *, unlisted: bool) -> tuple[str, str] | None:
    """The gap that may explain why a user of the roster has no leg."""
    if unlisted or user.hidden or TELEPHONE.fullmatch(user.names[0]):
        return "N-ROST", "ambiguous: a user of the roster without a leg may be a participant under another identity"
    if len(legs.at_focus) < SEVERAL:
        return "N-CORE", "only one user's signalling was captured: others' legs can't be expected in it"
    if user.first and conference.creation is None:
        return "T-MID", "users of the first roster may have joined before the capture began"
    return None


def _missing(
    trace: Trace, conference: Conference, timeline: Timeline, entries: list[tuple[Listed, Interval]], subject: Subject,
    *, ended: bool,
) -> Outcome:  # fmt: skip
    """Connected users of the roster whose legs ended, or who never had one."""
    entries.sort(key=lambda each: each[1][0] - each[1][1])
    names = ", ".join(user.names[0] for user, _ in entries[:SHOWN])
    names += f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    begin, until = entries[0][1]
    document = timeline.document_at(begin) or timeline.documents[0]
    why = "the leg had ended" if ended else "no leg was seen"
    return Outcome(
        "violation" if ended else "suspect",
        subject,
        confidence="strong" if ended else "heuristic",
        title="Roster entry without a leg",
        message=(
            f"The roster of {conference.uri} ({frame_text(trace, document[1])}) shows {names} as connected for up to "
            f"{(until - begin) // SECOND} seconds without a dialog with the focus: {why}. Participants are told of "
            "somebody who is not there. Not seen: a call of this user, or a notification that removes it."
        ),
        evidence=(
            *(Evidence(user.frame, "conference-info user", user.names[0], "a leg") for user, _ in entries[:SHOWN]),
            Evidence(document[1], "conference-info status", "connected", "disconnected, or no entry"),
        ),
        role="focus",
        normalised=("connected user without a leg" + (" any more" if ended else ""), "every entry with a leg"),
    )

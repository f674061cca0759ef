"""IMS-CONF-008."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import (
    bound,
    capture_end,
    identities,
    lasted,
    leg_subject,
    recording,
    ticket_identity,
    who,
)
from imsinspect.rules.conf.membership import memberships
from imsinspect.rules.facts import SECOND, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.membership import Membership
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Trace

PROFILES = ("G3", "TR-KMS")
DROPPED_WITHIN = 5 * SECOND


@rule(
    id="IMS-CONF-008",
    name="uid-not-authorised",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.3.2", "TS 33.328 Annex G.3.1", "TR 33.829 §5.3.2.1.2", "TR 33.829 §5.1.3"),
    needs=(CONFERENCES,),
)
def uid_not_authorised(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """KMS user identity not authorised for the conference is admitted.

    What it checks:
        The identity of every accepted leg that lasts longer than 5 seconds: IDRi of the TRANSFER_INIT of one who dials
        in, IDRr of the TRANSFER_RESP of one whom the focus calls, and the SIP identity where MIKEY names none. It is
        looked for in the authorised set: that of the policy file (with its times, wildcards and aliases), else the
        recipients of the ticket that created the conference, else the URI list of the INVITE that created it.
    Why it matters:
        The KMS only says who a user is. Without the check of the focus any user with a ticket gets valid keys.
    What the finding shows:
        INVITE and answer of the leg, the identity and where it stands, the source of the authorised set, and the set.
    How to fix it:
        Let the focus compare the identity of the ticket exchange with the set that the creator gave, and refuse others
        with 403. If the user is authorised, add it to the policy file, or name its identities as aliases.
    When it is not assessed:
        N-ROST: no authorised set is known, as TS 33.328 Annex G.3 gives it over an interface that no standard
        describes; the identities that were admitted are listed for review, and a policy file with them settles it.
        N-SIP: no call with the focus was seen. T-MID: the capture ends less than 5 seconds after the leg was accepted.
        IMS-PROF-005: the profile of the conference is open; name it with --profile.
    """
    end = capture_end(trace, scene)
    for conference in trace.conferences:
        allowed = memberships(trace, scene).get(conference.id)
        yield from bound(scene, conference, PROFILES, _legs(trace, scene, conference, allowed, end))


def _legs(
    trace: Trace, scene: Scene, conference: Conference, allowed: Membership | None, end: int
) -> Iterator[Outcome]:
    for participant in conference.participants:
        for leg in participant.legs:
            if leg.joined is None and (leg.answer is None or allowed is None):
                continue
            if allowed is None:
                subject = Subject("participant", who(participant))
                reason = "nobody said who is authorised: the identities that were admitted are for review"
                yield not_assessed(subject, "N-ROST", reason)
            else:
                yield _leg(trace, scene, conference, participant, leg, allowed, end)


def _leg(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, leg: ConferenceLeg,
    allowed: Membership, end: int,
) -> Outcome:  # fmt: skip
    subject = leg_subject(leg)
    ticket = ticket_identity(trace, scene, leg)
    names = identities(participant)
    time = leg.joined if leg.joined is not None else leg.invite.time
    if allowed.allows([ticket] if ticket else names, scene, time) or not leg.accepted:
        return Outcome("pass", subject)
    if participant.is_creator and not allowed.from_policy:
        return Outcome("pass", subject)
    stayed = lasted(leg, end, DROPPED_WITHIN)
    if stayed is None:
        return not_assessed(subject, "T-MID", "the capture ends too early to show whether the leg was dropped")
    if not stayed:
        return Outcome("pass", subject)
    doubt = _doubt(scene, participant, leg, allowed, ticket, time)
    return _admitted(trace, conference, participant, leg, allowed, ticket, doubt)


def _doubt(
    scene: Scene, participant: Participant, leg: ConferenceLeg, allowed: Membership, ticket: str, time: int
) -> str:
    """What else may explain that the identity is not in the set; "" for nothing."""
    if participant.is_creator:
        return "It created the conference, and may be left out of the list for that reason."
    if recording(leg):
        return "It is a recorder (SIPREC), which the list may leave out."
    if ticket and allowed.allows(identities(participant), scene, time):
        return "Its SIP identity is authorised: the identity of the ticket may be another one of the same user."
    if not ticket and not participant.asserted:
        return "Nobody asserts its SIP identity."
    return ""


def _admitted(
    trace: Trace, conference: Conference, participant: Participant, leg: ConferenceLeg, allowed: Membership,
    ticket: str, doubt: str,
) -> Outcome:  # fmt: skip
    name = ticket or who(participant)
    place = "MIKEY identity" if ticket else "SIP identity"
    answer = leg.answer if leg.answer is not None else leg.invite
    expected = f"one of {allowed.listed}"
    unseen = "" if ticket else " Not seen: a MIKEY identity of the user."
    return Outcome(
        "suspect" if doubt else "violation",
        leg_subject(leg),
        confidence="heuristic" if doubt else "proven" if ticket else "strong",
        title="User admitted who is not authorised",
        message=(
            f"{name} ({place}) takes part in {conference.uri} with {leg.call}, accepted in "
            f"{frame_text(trace, answer.frame)} and kept for more than 5 seconds, and is not in the authorised set of "
            f"{allowed.source}: {allowed.listed}. An unauthorised listener has valid keys."
            + (f" {doubt}" if doubt else "")
            + unseen
        ),
        evidence=(
            Evidence(leg.invite.frame, place, name, expected),
            Evidence(answer.frame, "SIP status", str(answer.sip.status), "403, or BYE within 5 seconds"),
        ),
        role="participant",
        normalised=("identity outside the authorised set", "an authorised identity"),
    )

"""IMS-CONF-017."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import ALL_CONFERENCES, accepted_legs, asserted, bound, identities
from imsinspect.rules.conf.membership import memberships
from imsinspect.rules.facts import frame_text, not_assessed, text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.conference_documents import follow_roster
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.membership import Membership
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, Participant, Referral
    from imsinspect.trace.model import Trace

PROFILES = ALL_CONFERENCES


@rule(
    id="IMS-CONF-017",
    name="refer-by-non-participant",
    severity=Severity.HIGH,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.1", "TR 33.829 §5.3.2", "RFC 4579 §5"),
    needs=(CONFERENCES,),
)
def refer_by_non_participant(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Outsider makes the focus add or remove participants.

    What it checks:
        Every REFER to the conference that is answered with 2xx and followed by an INVITE, or a BYE, of the focus to its
        target. Its sender has to be the creator, a participant with a dialog at that time, or in the authorised set
        (of the policy, or of the INVITE that created the conference).
    Why it matters:
        An attacker adds a listener to the conference, or throws members out.
    What the finding shows:
        REFER and its sender, its answer, and the request of the focus that followed.
    How to fix it:
        Let the focus accept REFER only from the creator and from authorised participants, and answer others with 403.
    When it is not assessed:
        N-CORE: the REFER was not captured on the trusted side of the focus. N-ROST: no participant of the conference
        was seen, or a roster lists the sender although its dialog is not in the capture. T-MID: the REFER belongs to a
        dialog that began before the capture. N-SIP: no call with the focus was seen. IMS-PROF-005: the profile of the
        conference is open; name it with --profile.
    """
    for conference in trace.conferences:
        if conference.referrals:
            allowed = memberships(trace, scene).get(conference.id)
            yield from bound(scene, conference, PROFILES, _referrals(trace, scene, conference, allowed))


def _referrals(trace: Trace, scene: Scene, conference: Conference, allowed: Membership | None) -> Iterator[Outcome]:
    by_name: dict[str, Participant] = {}
    for participant in conference.participants:
        for name in identities(participant):
            by_name.setdefault(name, participant)
    rosters: set[str] = set()
    if any(each.sender not in by_name for each in conference.referrals):
        rosters = _listed(conference)
    for referral in conference.referrals:
        outcome = _referral(trace, scene, conference, allowed, referral, by_name.get(referral.sender), rosters)
        if outcome is not None:
            yield outcome


def _listed(conference: Conference) -> set[str]:
    """Everybody whom a roster ever listed."""
    return {
        canonical(name)
        for subscription in conference.subscriptions
        for notification, _ in follow_roster(subscription)
        if notification.document is not None
        for user in notification.document.users
        for name in (user.entity, *user.associated)
    }


def _referral(
    trace: Trace, scene: Scene, conference: Conference, allowed: Membership | None, referral: Referral,
    sender: Participant | None, rosters: set[str],
) -> Outcome | None:  # fmt: skip
    message = referral.message
    subject = Subject("message", frame_text(trace, message.frame))
    if sender is not None and (sender.is_creator or _present(sender, message.time)):
        return Outcome("pass", subject)
    if allowed is not None and allowed.allows([referral.sender], scene, message.time):
        return Outcome("pass", subject)
    if not 200 <= referral.status < 300:
        return Outcome("pass", subject) if referral.status >= 300 else None
    if referral.led_to is None:
        return None
    if not asserted(message) and not any(leg.at_focus for _, leg in accepted_legs(conference)):
        return not_assessed(subject, "N-CORE", "the REFER was not captured on the trusted side of the focus")
    if referral.in_dialog and sender is None:
        return not_assessed(subject, "T-MID", "the REFER belongs to a dialog that began before the capture")
    if referral.sender in rosters and sender is None:
        reason = "a roster lists the sender of the REFER, whose dialog is not in the capture"
        return not_assessed(subject, "N-ROST", reason)
    if allowed is None and not any(True for _ in accepted_legs(conference)):
        return not_assessed(subject, "N-ROST", "no participant of the conference was seen")
    return _outsider(trace, conference, allowed, referral, sender)


def _present(sender: Participant, time: int) -> bool:
    """The sender has a dialog with the focus, or is about to have one."""
    return any(
        (leg.joined_before or leg.invite.time <= time) and (leg.left is None or time <= leg.left)
        for leg in sender.legs
        if leg.accepted
    )


def _outsider(
    trace: Trace, conference: Conference, allowed: Membership | None, referral: Referral, sender: Participant | None
) -> Outcome:
    message, led_to = referral.message, referral.led_to
    target = text(referral.target)
    act = "removed" if referral.removes else "invited"
    method = "BYE" if referral.removes else "INVITE"
    beside = "its dialog had ended" if sender is not None else "it has no dialog with the focus"
    listed = f" and is not in the authorised set of {allowed.source}: {allowed.listed}" if allowed is not None else ""
    consequence = "throws members out" if referral.removes else "adds listeners"
    frames = (Evidence(led_to.frame, f"SIP {method}", f"to {target}", "no request"),) if led_to is not None else ()
    where = f" ({frame_text(trace, led_to.frame)})" if led_to is not None else ""
    return Outcome(
        "violation",
        Subject("message", frame_text(trace, message.frame)),
        confidence="proven" if allowed is not None and allowed.from_policy else "strong",
        title="Focus obeyed a REFER of an outsider",
        message=(
            f"{referral.sender} made the focus of {conference.uri} act by REFER in {frame_text(trace, message.frame)}: "
            f"answered {referral.status}, {target} {act}{where}. {beside[0].upper()}{beside[1:]}{listed}. An attacker "
            f"{consequence} that way. Not seen: anything that makes the sender a participant or the creator."
        ),
        evidence=(
            Evidence(message.frame, "SIP REFER", f"from {referral.sender}, Refer-To {target}", "403"),
            *frames,
        ),
        role="participant",
        normalised=(f"REFER of an outsider, {method} follows", "REFER of participants only"),
    )

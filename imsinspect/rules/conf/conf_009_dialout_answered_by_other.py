"""IMS-CONF-009."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.rules.conf.legs import (
    STAYING,
    TELEPHONE,
    asserted,
    bound,
    capture_end,
    lasted,
    leg_subject,
    said,
    ticket_identity,
)
from imsinspect.rules.conf.membership import memberships
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.membership import Membership
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Trace

PROFILES = ("G2", "G3")


@rule(
    id="IMS-CONF-009",
    name="dialout-answered-by-other",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.2", "TR 33.829 §5.1.3"),
    needs=(CONFERENCES,),
)
def dialout_answered_by_other(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Invited participant's call answered under another identity.

    What it checks:
        Every user whom the focus calls: the identity that the 2xx asserts (P-Asserted-Identity, or the IDRr of the
        TRANSFER_RESP), against the user that was called and its other identities: further asserted ones, those of one
        registration, and aliases of the policy. A leg that lasts longer than 10 seconds under another identity is a
        violation, unless the policy authorises that identity for the conference; where one of both is a telephone
        number and the other is not, it is a suspicion.
    Why it matters:
        The call was re-targeted: what is said in the conference goes to somebody whom nobody invited.
    What the finding shows:
        INVITE and 2xx, both identities, and what History-Info and Diversion say.
    How to fix it:
        Let the focus compare the identity in the answer with the one it called, and end the leg if it is another one
        that may not join. If both are one user, name them as aliases in the policy file.
    When it is not assessed:
        N-CORE: the answer was not captured on the trusted side of the focus, or asserts no identity (which is
        IMS-CONF-007 there). T-MID: the capture ends less than 10 seconds after the answer. N-SIP: no call with the
        focus was seen. IMS-PROF-005: the profile of the conference is open; name it with --profile.
    """
    end = capture_end(trace, scene)
    for conference in trace.conferences:
        allowed = memberships(trace, scene).get(conference.id)
        outcomes = (
            _answered(trace, scene, conference, participant, leg, allowed, end)
            for participant in conference.participants
            for leg in participant.legs
            if leg.dial_out and leg.accepted and not leg.joined_before
        )
        yield from bound(scene, conference, PROFILES, outcomes)


def _answered(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, leg: ConferenceLeg,
    allowed: Membership | None, end: int,
) -> Outcome:  # fmt: skip
    subject = leg_subject(leg)
    names = asserted(leg.answer)
    ticket = ticket_identity(trace, scene, leg)
    if not names and ticket:
        names = (ticket,)
    if not names:
        reason = "the answer asserts no identity: that of who answered is not known"
        return not_assessed(subject, "N-CORE", reason)
    called = {canonical(leg.invite.sip.request_uri), canonical(uri_of(leg.invite.sip.to))}
    same = {participant.identity, *participant.aliases} if participant.identity in names else set(names)
    aliases = scene.policy.aliases
    if not {aliases.get(name, name) for name in called}.isdisjoint(aliases.get(name, name) for name in (*names, *same)):
        return Outcome("pass", subject)
    if allowed is not None and allowed.from_policy and allowed.allows(names, scene, leg.joined or 0):
        return Outcome("pass", subject)
    stayed = lasted(leg, end, STAYING)
    if stayed is None:
        return not_assessed(subject, "T-MID", "the capture ends too early to show whether the leg was dropped")
    if not stayed:
        return Outcome("pass", subject)
    same_user = all(map(_number, names)) != all(map(_number, called))
    return _other(trace, conference, leg, names[0], same_user=same_user)


def _number(name: str) -> bool:
    return bool(TELEPHONE.fullmatch(name))


def _other(trace: Trace, conference: Conference, leg: ConferenceLeg, name: str, *, same_user: bool) -> Outcome:
    answer = leg.answer if leg.answer is not None else leg.invite
    called = canonical(leg.invite.sip.request_uri)
    told = [
        Evidence(answer.frame, f"SIP {header}", said(answer, header.lower().encode()), "no re-targeting")
        for header in ("History-Info", "Diversion")
        if answer.sip.header(header.lower().encode())
    ]
    why = ", ".join(f"{each.field.removeprefix('SIP ')} {each.observed}" for each in told) or (
        "History-Info or Diversion that would explain it"
    )
    doubt = " One is a telephone number and the other is not: both may be one user's (ambiguous)." if same_user else ""
    return Outcome(
        "suspect" if same_user else "violation",
        leg_subject(leg),
        confidence="heuristic" if same_user else "strong",
        title="Another user answered the focus",
        message=(
            f"The focus of {conference.uri} called {called} with {leg.call} in {frame_text(trace, leg.invite.frame)}; "
            f"{name} answered in {frame_text(trace, answer.frame)} and stayed for more than 10 seconds. What is said "
            f"in the conference goes to somebody who was not invited.{doubt} {'Seen' if told else 'Not seen'}: {why}."
        ),
        evidence=(
            Evidence(leg.invite.frame, "SIP Request-URI", called, "the user who answers"),
            Evidence(answer.frame, "SIP P-Asserted-Identity", name, called),
            *told,
        ),
        role="participant",
        normalised=("another identity in the answer", "the identity that was called"),
    )

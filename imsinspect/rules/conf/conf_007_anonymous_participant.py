"""IMS-CONF-007."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import (
    ALL_CONFERENCES,
    AUTHENTICATION,
    STAYING,
    asserted,
    bound,
    capture_end,
    covers_leg,
    lasted,
    leg_subject,
    of_participant,
    said,
    ticket_identity,
)
from imsinspect.rules.facts import EMERGENCY, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import SignallingMessage, Trace

PROFILES = ALL_CONFERENCES
BY_TICKET = ("G3", "TR-SDES", "TR-KMS")  # where every participant has to be authenticated


@rule(
    id="IMS-CONF-007",
    name="anonymous-participant",
    severity=Severity.MEDIUM,
    tier=1,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.3", "TS 33.328 Annex G.2", "TR 33.829 §5.1.2", "RFC 3325 §9.1"),
    needs=(CONFERENCES,),
)
def anonymous_participant(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Anonymous or unasserted user admitted to a secure conference.

    What it checks:
        Every accepted leg that lasts longer than 10 seconds, at the trusted side of the focus: the INVITE of a
        participant who dials in, and the 2xx of one that the focus calls, has to name it by P-Asserted-Identity. A
        MIKEY identity, Authorization, or Identity (RFC 8224) proves it as well. A user who is asserted and asks for
        privacy is known to the focus, and no finding.
    Why it matters:
        Nobody knows who listens. Where tickets or the study's rules apply, every participant must be authenticated,
        and the finding is high.
    What the finding shows:
        INVITE and answer, what the user calls itself, and its Privacy header.
    How to fix it:
        Let the focus refuse dial-in without an asserted identity (403, or 433 with anonymity disallowed), and drop an
        invited user who does not reveal who it is. Where policy admits anonymous users, accept the finding in the
        policy file.
    When it is not assessed:
        N-CORE: the capture was taken on the user's side, where P-Asserted-Identity is not expected; one at the focus
        decides. N-SIP: no call with the focus was seen. T-MID: the capture ends less than 10 seconds after the leg was
        accepted. IMS-PROF-005: the profile of the conference is open; name it with --profile.
    """
    end = capture_end(trace, scene)
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _legs(trace, scene, conference, end))


def _legs(trace: Trace, scene: Scene, conference: Conference, end: int) -> Iterator[Outcome]:
    for participant in conference.participants:
        for leg in participant.legs:
            if leg.invite.sip.request_uri.lower().startswith(EMERGENCY):
                continue
            outcome = _leg(trace, scene, conference, participant, leg, end)
            if outcome is not None:
                yield outcome


def _leg(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, leg: ConferenceLeg, end: int
) -> Outcome | None:
    message = of_participant(leg)
    if message is None:
        return None
    subject = leg_subject(leg)
    named = bool(asserted(message) or ticket_identity(trace, scene, leg))
    if not leg.accepted:
        refused = leg.answer is not None and not named and leg.at_focus
        return Outcome("pass", subject) if refused else None
    if leg.joined_before:
        reason = "the capture begins inside the dialog: the INVITE that would name the participant is not in it"
        return Outcome("pass", subject) if named else not_assessed(subject, "T-MID", reason)
    if named or any(message.sip.header(name) for name in AUTHENTICATION):
        return Outcome("pass", subject)
    if not leg.at_focus:
        reason = "the capture was taken on the user's side, where an asserted identity is not expected"
        return not_assessed(subject, "N-CORE", reason)
    stayed = lasted(leg, end, STAYING)
    if stayed is None:
        return not_assessed(subject, "T-MID", "the capture ends too early to show whether the leg was dropped")
    return _unknown(trace, scene, conference, participant, leg, message) if stayed else Outcome("pass", subject)


def _unknown(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, leg: ConferenceLeg,
    message: SignallingMessage,
) -> Outcome:  # fmt: skip
    sip = message.sip
    shown = said(message, b"to" if sip.status else b"from").partition(";tag=")[0]
    privacy = said(message, b"privacy")
    kind = "An anonymous user" if participant.anonymous else "A user whose identity nobody asserts"
    joined = leg.answer if leg.answer is not None else message
    strict = covers_leg(scene, conference, leg, BY_TICKET)
    field = "SIP To" if sip.status else "SIP From"
    return Outcome(
        "violation",
        leg_subject(leg),
        severity=Severity.HIGH if strict else None,
        confidence="strong",
        title="Participant without a proven identity",
        message=(
            f"{kind} ({shown}) takes part in {conference.uri} with {leg.call}: "
            f"{'called by the focus, answered' if leg.dial_out else 'dialled in, accepted'} in "
            f"{frame_text(trace, joined.frame)} and kept for more than 10 seconds, Privacy: {privacy}. Nobody can tell "
            "who listens. A policy may admit such users. Not seen: P-Asserted-Identity, a MIKEY identity, credentials."
        ),
        evidence=(
            Evidence(message.frame, field, shown, "a user who is identified"),
            Evidence(message.frame, "SIP P-Asserted-Identity", "none", "the user's public identity"),
            Evidence(joined.frame, "SIP status", str(joined.sip.status), "403 or 433, or BYE within 10 seconds"),
        ),
        role="participant",
        normalised=(
            "no asserted identity" + (", anonymous" if participant.anonymous else ""),
            "P-Asserted-Identity at the focus",
        ),
    )

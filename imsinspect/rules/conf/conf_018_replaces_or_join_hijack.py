"""IMS-CONF-018."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from dissectors.sip.parse import uri_of
from imsinspect.rules.conf.legs import (
    ALL_CONFERENCES,
    accepted_legs,
    asserted,
    bound,
    covers_leg,
    identities,
    leg_subject,
    who,
)
from imsinspect.rules.conf.membership import memberships
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import once, rule
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.membership import Membership
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Trace

PROFILES = ALL_CONFERENCES
BY_TICKET = ("G3", "TR-KMS")
Place = tuple["Participant", "ConferenceLeg"]


@rule(
    id="IMS-CONF-018",
    name="replaces-or-join-hijack",
    severity=Severity.MEDIUM,
    tier=3,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.3.2", "TR 33.829 §5.1.3", "RFC 3891 §8"),
    needs=(CONFERENCES,),
)
def replaces_or_join_hijack(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Dialog with the focus replaced or joined by another identity.

    What it checks:
        Every accepted INVITE to the focus with Replaces or Join: its sender has to be the participant whose dialog it
        names, somebody in the authorised set, or somebody whom that participant told to take over by a REFER with
        Replaces. Where tickets apply, the newcomer has to bring a new key exchange as well.
    Why it matters:
        Somebody silently takes a participant's place, or listens in on it.
    What the finding shows:
        The INVITE with its header, the dialog that it names, both identities, and the answer.
    How to fix it:
        Let the focus verify the sender of Replaces and Join like any other who joins, and refuse what the participant
        did not ask for (RFC 3891).
    When it is not assessed:
        N-CORE: nobody asserts the sender of the INVITE at this point. T-MID: the named dialog is not in the capture.
        IMS-PROF-005: the profile of the conference is open; name it with --profile.
    """
    for conference in trace.conferences:
        newcomers = [each for each in accepted_legs(conference) if each[1].replaces and not each[1].dial_out]
        if newcomers:
            yield from bound(scene, conference, PROFILES, _newcomers(trace, scene, conference, newcomers))


def _newcomers(trace: Trace, scene: Scene, conference: Conference, newcomers: list[Place]) -> Iterator[Outcome]:
    allowed = memberships(trace, scene).get(conference.id)
    dialogs = {
        frozenset(leg.dialog): (participant, leg) for participant in conference.participants for leg in participant.legs
    }
    keyed = {each.call for each in trace.mikey if each.call}
    known = {call.call_id for call in trace.calls}
    for participant, leg in newcomers:
        named = dialogs.get(frozenset(leg.replaces or ()))
        if named is None and leg.replaces is not None and leg.replaces[0] in known:
            continue  # a call of two users that becomes part of the conference
        if named is None:
            reason = "the dialog that Replaces or Join names is not in the capture"
            yield not_assessed(leg_subject(leg), "T-MID", reason)
            continue
        outcome = _taken(trace, scene, conference, participant, leg, named, allowed)
        if outcome.verdict == "pass" and covers_leg(scene, conference, leg, BY_TICKET) and leg.call not in keyed:
            outcome = _unkeyed(trace, conference, participant, leg, named)
        yield outcome


def _taken(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, leg: ConferenceLeg, named: Place,
    allowed: Membership | None,
) -> Outcome:  # fmt: skip
    subject = leg_subject(leg)
    owner, dialog = named
    aliases = scene.policy.aliases
    mine = {aliases.get(name, name) for name in identities(participant)}
    theirs = {aliases.get(name, name) for name in identities(owner)}
    if owner is participant or not mine.isdisjoint(theirs):
        return Outcome("pass", subject)
    if allowed is not None and allowed.allows(identities(participant), scene, leg.joined or 0):
        return Outcome("pass", subject)
    asked = _transfers(trace, scene).get(dialog.dialog[0], set())
    if not theirs.isdisjoint(aliases.get(name, name) for name in asked):
        return Outcome("pass", subject)
    if not participant.asserted:
        return not_assessed(subject, "N-CORE", "nobody asserts the sender of the INVITE with Replaces or Join here")
    return _hijack(trace, conference, participant, leg, named, allowed)


@once
def _transfers(trace: Trace, scene: Scene) -> dict[bytes, set[str]]:
    """By the Call-ID that a Refer-To with Replaces names, who sent such a REFER (RFC 5589)."""
    out: dict[bytes, set[str]] = {}
    for message in trace.messages:
        sip = message.sip
        if sip.method != b"REFER" or b"replaces=" not in sip.head.lower():
            continue
        for row in sip.header(b"refer-to")[:1]:
            target = uri_of(row)
            value = target[target.lower().find(b"replaces=") + 9 :].partition(b"&")[0]
            call_id = unquote_to_bytes(value).partition(b";")[0]
            out.setdefault(call_id, set()).update({canonical(uri_of(sip.from_)), *asserted(message)})
    return out


def _header(leg: ConferenceLeg) -> str:
    return "Join" if leg.joins else "Replaces"


def _hijack(
    trace: Trace, conference: Conference, participant: Participant, leg: ConferenceLeg, named: Place,
    allowed: Membership | None,
) -> Outcome:  # fmt: skip
    owner, dialog = named
    answer = leg.answer or leg.invite
    act = "listens in on" if leg.joins else "takes the place of"
    listed = f" It is not in the authorised set of {allowed.source}." if allowed is not None else ""
    return Outcome(
        "violation",
        leg_subject(leg),
        confidence="strong",
        title="Dialog of a participant taken by somebody else",
        message=(
            f"{who(participant)} {act} {who(owner)} in {conference.uri}: its INVITE in "
            f"{frame_text(trace, leg.invite.frame)} names the dialog of {dialog.call} in {_header(leg)} and was "
            f"accepted in {frame_text(trace, answer.frame)}.{listed} A silent takeover or barge-in. "
            f"Not seen: a REFER by which {who(owner)} asked for it."
        ),
        evidence=(
            Evidence(leg.invite.frame, f"SIP {_header(leg)}", f"dialog of {who(owner)}", "the sender's own dialog"),
            Evidence(dialog.invite.frame, "the dialog that it names", who(owner), who(participant)),
            Evidence(answer.frame, "SIP status", str(answer.sip.status), "403"),
        ),
        role="participant",
        normalised=(f"{_header(leg)} by another identity", "the same user, or one who was asked"),
    )


def _unkeyed(
    trace: Trace, conference: Conference, participant: Participant, leg: ConferenceLeg, named: Place
) -> Outcome:
    _, dialog = named
    return Outcome(
        "violation",
        leg_subject(leg),
        confidence="strong",
        title="Dialog taken over without a new key exchange",
        message=(
            f"{who(participant)} takes over the dialog of {dialog.call} in {conference.uri} by {_header(leg)} "
            f"({frame_text(trace, leg.invite.frame)}), and no ticket was exchanged for it. Nothing verifies who takes "
            "over. Not seen: a TRANSFER_INIT in the new leg."
        ),
        evidence=(
            Evidence(leg.invite.frame, f"SIP {_header(leg)}", "no a=key-mgmt", "a new MIKEY-TICKET exchange"),
            Evidence(dialog.invite.frame, "the dialog that it names", dialog.call, "keys of its own"),
        ),
        role="participant",
        normalised=(f"{_header(leg)} without a key exchange", "a new key exchange"),
    )

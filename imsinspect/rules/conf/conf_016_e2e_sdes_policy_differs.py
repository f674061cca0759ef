"""IMS-CONF-016."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import bound, who
from imsinspect.rules.facts import frame_text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import SignallingMessage, Trace

PROFILES = ("G2",)
NOT_ACCEPTABLE = frozenset((415, 488, 606))  # refusals of a description (RFC 3261 §21.4.13, §21.4.26, §21.6.4)

Handled = tuple["Participant", "ConferenceLeg", str]


@rule(
    id="IMS-CONF-016",
    name="e2e-sdes-policy-differs",
    severity=Severity.INFO,
    tier=3,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.2",),
    needs=(CONFERENCES,),
)
def e2e_sdes_policy_differs(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference server treats secure offers of participants differently.

    What it checks:
        Offers of RTP with SDES up to the focus (RTP/SAVP with a=crypto, without a=3ge2ae): accepted for one participant
        and refused for another of the same conference (415, 488, 606, a refused line, or one answered in clear); and
        calls of the focus that offer secure audio to one participant and clear audio to another.
    Why it matters:
        What one participant is refused makes its leg the weak one (IMS-CONF-001 if it is accepted in clear). It is the
        operator's policy, so the finding is for review.
    What the finding shows:
        An accepted and a refused offer, or both kinds of calls of the focus, with their participants.
    How to fix it:
        Let the conference server accept and offer secure media for everybody, or for nobody.
    When it is not assessed:
        Conferences with fewer than two such offers at the focus have nothing to compare; offers with a=3ge2ae end at
        the access edge (T-E2AE) and are left out. N-SIP: no call with the focus was seen. IMS-PROF-005: the profile of
        the conference is open; name it with --profile.
    """
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _conference(trace, conference))


def _conference(trace: Trace, conference: Conference) -> Iterator[Outcome]:
    offered: dict[str, Handled] = {}
    called: dict[str, Handled] = {}
    legs = 0
    for participant in conference.participants:
        for leg in participant.legs:
            if leg.joined_before:
                continue
            kind = _called(leg) if leg.dial_out else _answered(leg)
            if kind:
                legs += 1
                (called if leg.dial_out else offered).setdefault(kind, (participant, leg, kind))
    different = next((each for each in (offered, called) if len(each) > 1), None)
    if different is not None:
        yield _differs(trace, conference, list(different.values()))
    elif legs > 1:
        yield Outcome("pass", Subject("conference", conference.id))


def _rtp(message: SignallingMessage) -> list[Media]:
    return [media for sdp in message.sdp for media in sdp.media if media.profile.family == "rtp" and media.port != 0]


def _end_to_end(media: Media) -> bool:
    """An offer of SDES that does not end at the access edge."""
    return media.profile.secure and bool(media.crypto) and b"\na=3ge2ae:" not in media.section.text


def _answered(leg: ConferenceLeg) -> str:
    """What became of a participant's secure offer; "" if it made none, or was refused for another reason."""
    wanted = [media for media in _rtp(leg.invite) if _end_to_end(media)]
    if not wanted or leg.answer is None:
        return ""
    if leg.answer.sip.status >= 300:
        return "refused" if leg.answer.sip.status in NOT_ACCEPTABLE else ""
    answered = {media.index: media for media in _rtp(leg.answer)}
    if not leg.answer.sdp:
        return ""
    taken = [answered.get(media.index) for media in wanted]
    return "accepted" if all(media is not None and media.profile.secure for media in taken) else "refused"


def _called(leg: ConferenceLeg) -> str:
    """Whether a call of the focus offers secure or clear audio."""
    lines = _rtp(leg.invite)
    if not lines or any(b"\na=3ge2ae:" in media.section.text for media in lines):
        return ""
    return "secure" if all(media.profile.secure for media in lines) else "clear"


def _differs(trace: Trace, conference: Conference, handled: list[Handled]) -> Outcome:
    words = {
        "accepted": "accepted the secure offer of",
        "refused": "refused that of",
        "secure": "offered secure media to",
        "clear": "offered clear media to",
    }
    ordered = sorted(handled, key=lambda each: list(words).index(each[2]))
    told = " and ".join(
        f"{words[kind]} {who(participant)} ({leg.call}, {frame_text(trace, (leg.answer or leg.invite).frame)})"
        for participant, leg, kind in ordered
    )
    evidence: list[Evidence] = []
    for _, leg, kind in ordered:
        offers = ", ".join(media.transport for media in _rtp(leg.invite))
        evidence.append(Evidence(leg.invite.frame, "SDP m=", offers, "the same for all"))
        if leg.answer is not None and kind in ("accepted", "refused"):
            evidence.append(
                Evidence(leg.answer.frame, "SIP status", f"{leg.answer.sip.status}, {kind}", "the same for all")
            )
    return Outcome(
        "violation",
        Subject("conference", conference.id),
        title="Secure media for some participants only",
        message=(
            f"The focus of {conference.uri} {told}. The weak leg lets everybody's media out. That is the operator's "
            "policy, or what the participants can do. Not seen: the reason."
        ),
        evidence=tuple(evidence),
        role="focus",
        normalised=(" and ".join(kind for _, _, kind in ordered), "the same for all participants"),
    )

"""IMS-CONF-013."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import ALL_CONFERENCES, bound, declared, hop_of_invite
from imsinspect.rules.facts import calls_by_id, frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg
    from imsinspect.trace.model import Call, SignallingMessage, Trace

PROFILES = ALL_CONFERENCES
END_TO_END = ("G3", "TR-SDES", "TR-KMS")  # no clear core hop by design
SIGNS = (b"\na=crypto:", b"\na=key-mgmt:", b"\na=fingerprint:", b"\na=acap:", b"\na=tcap:", b"\na=3ge2ae:")


@rule(
    id="IMS-CONF-013",
    name="secure-creation-not-signalled",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.3", "TS 33.328 Annex G.3.1"),
    needs=(CONFERENCES,),
)
def secure_creation_not_signalled(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference meant to be secure was created without any sign of it.

    What it checks:
        Where the user named a secure profile: the INVITE to the factory that created the conference, on all hops that
        show it. It has to offer a secure line, or clear lines with keys, fingerprints or capabilities for secure ones.
    Why it matters:
        The conference runs open, although it was meant to be secure.
    What the finding shows:
        The creating INVITE and the transports that it offers.
    How to fix it:
        Let the creator offer secure lines when it creates the conference.
    When it is not assessed:
        IMS-PROF-005: the profile was inferred and not declared, so that nothing says that the conference was meant to
        be secure; name it with --profile. T-E2AE: only the core side of the INVITE was captured, where
        end-to-access-edge protection is clear by design. N-OA: the INVITE has no session description.
    """
    calls = calls_by_id(trace)
    for conference in trace.conferences:
        if conference.creation is None:
            continue
        for participant in conference.participants:
            for leg in participant.legs:
                if leg.invite is conference.creation and leg.call in calls:
                    yield from bound(scene, conference, PROFILES, [_created(trace, scene, conference, leg, calls)])


def _created(trace: Trace, scene: Scene, conference: Conference, leg: ConferenceLeg, calls: dict[str, Call]) -> Outcome:
    subject = Subject("conference", conference.id)
    names = dict.fromkeys((leg.call, *leg.also, *calls[leg.call].related))
    offers = [offer for name in names if name in calls for offer in _offers(calls[name])]
    if not offers:
        return not_assessed(subject, "N-OA", "the INVITE that created the conference has no session description")
    sections = [media for offer in offers for sdp in offer.sdp for media in sdp.media]
    if any(map(_secure, sections)):
        return Outcome("pass", subject)
    if not declared(scene, conference):
        reason = "the profile was inferred: nothing says that the conference was meant to be secure"
        return not_assessed(subject, "IMS-PROF-005", reason)
    near = hop_of_invite(scene, leg, calls[leg.call]) in ("access", "direct")
    if not near and scene.covers_conference(conference.id, END_TO_END) is not True:
        reason = (
            "the INVITE that created the conference was seen on the core side alone, where end-to-access-edge "
            "protection is clear by design"
        )
        return not_assessed(subject, "T-E2AE", reason)
    return _open(trace, conference, leg, sections)


def _offers(call: Call) -> list[SignallingMessage]:
    """The INVITEs of all hops, before any change."""
    return [each for each in call.messages if each.sip.method == b"INVITE" and not each.sip.to_tag and each.sdp]


def _secure(media: Media) -> bool:
    """A secure transport, or a sign that one is wanted."""
    return media.profile.secure or any(sign in media.section.text or sign in media.session.text for sign in SIGNS)


def _open(trace: Trace, conference: Conference, leg: ConferenceLeg, sections: list[Media]) -> Outcome:
    transports = ", ".join(dict.fromkeys(media.transport for media in sections)) or "no lines"
    return Outcome(
        "violation",
        Subject("conference", conference.id),
        confidence="strong",
        title="Conference created in clear",
        message=(
            f"The INVITE that created {conference.uri} ({leg.call}, {frame_text(trace, leg.invite.frame)}) offers only "
            f"clear lines ({transports}), although a secure profile was declared. The conference runs open. Not seen: "
            "keys, fingerprints or capabilities in the offer."
        ),
        evidence=(Evidence(leg.invite.frame, "SDP m=", transports, "a secure line, or a capability of one"),),
        role="creator",
        normalised=(f"creating offer {transports}", "a secure line"),
    )

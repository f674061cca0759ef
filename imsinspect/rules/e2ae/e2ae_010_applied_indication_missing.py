"""IMS-E2AE-010."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.certificates import values
from imsinspect.rules.e2ae.edge import (
    ANSWERER,
    E2AE_PROFILES,
    OFFERER,
    TOKENS,
    applies,
    asked_for,
    indicator,
    kms_keyed,
    line_id,
    ue_of,
    undetermined,
)
from imsinspect.rules.e2ae.other_side import core_offers
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Negotiation, Trace

EXPECTED = "a=3ge2ae:applied"


@rule(
    id="IMS-E2AE-010",
    name="applied-indication-missing",
    severity=Severity.LOW,
    tier=2,
    profiles=E2AE_PROFILES,
    references=("TS 33.328 §7.3.1", "TS 24.229 §7.5.2.2", "TS 23.334 §6.2.10"),
    needs=(CALLS,),
)
def applied_indication_missing(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Network-protected offer to the UE lacks the e2ae indication.

    What it checks:
        Lines that the network offers to a UE with a secure transport, and that the core had offered in clear: they
        carry a=3ge2ae:applied.
    Why it matters:
        Without the indication a UE, and its user, may take the line for protected end to end, while the gateway of the
        network reads it and the core carries it in clear.
    What the finding shows:
        The frame of the offer to the UE, and the frame of the clear offer in the core that shows the rewriting.
    How to fix it:
        Let the P-CSCF add a=3ge2ae:applied to every line that it protects towards the UE.
    When it is not assessed:
        N-CORE: the core side was not captured, so protection to the access edge and end to end cannot be told apart.
        T-B2B: the core offers the line with other keys. N-DIR: nothing shows which end of the hop is the UE.
        IMS-PROF-005: the profile of the call is not determined. Lines that pass through with the keys of the far end
        are protected end to end.
    """
    for call in trace.calls:
        yield from worst(
            (media.index, _judge(trace, scene, call, negotiation, media))
            for negotiation in call.negotiations
            if negotiation.side == "access" and not negotiation.offer_assumed
            for media in negotiation.offer.sdp.media
            if media.port != 0 and media.profile.secure and media.profile.family in TOKENS and _keyed(media)
        )


def _keyed(media: Media) -> bool:
    """It has a key of the gateway's kind, and none for end-to-end protection by tickets."""
    return (bool(media.crypto) or bool(media.fingerprints)) and not kms_keyed(media)


def _judge(trace: Trace, scene: Scene, call: Call, negotiation: Negotiation, media: Media) -> Outcome | None:
    if indicator(media) == b"requested":
        return None
    subject = Subject("media", line_id(trace, scene, call, negotiation, media.index))
    applicable = applies(scene, call, media.profile.family, (media,))
    ue = ue_of(scene, negotiation)
    if applicable is False or ue == OFFERER:
        return None
    if ue == ANSWERER and indicator(media) == b"applied":
        return Outcome("pass", subject)
    core = list(core_offers(trace, scene, call, media.index, media.profile.family))
    clear = next((each for each in core if not each[0].profile.secure), None)
    if ue != ANSWERER:
        if applicable is None:
            return undetermined(subject)
        return not_assessed(subject, "N-DIR", "nothing shows which end of the hop is the UE")
    if clear is not None or (not core and asked_for(scene, call)):
        return _missing(trace, call, negotiation, media, subject, clear)
    if any(_keys(media) & _keys(each) for each, _ in core):
        return None  # end to end
    if core:
        return not_assessed(subject, "T-B2B", "the core offers the line securely with other keys: ambiguous")
    if applicable is None:
        return undetermined(subject)
    return not_assessed(
        subject, "N-CORE", "without the core side, protection to the access edge and end to end cannot be told apart"
    )


def _keys(media: Media) -> set[object]:
    """What names the keys of a section."""
    return {key.digest for line in media.crypto for key in line.keys} | set(values(media.fingerprints))


def _missing(
    trace: Trace,
    call: Call,
    negotiation: Negotiation,
    media: Media,
    subject: Subject,
    clear: tuple[Media, FrameId] | None,
) -> Outcome:
    frame = negotiation.offer.message.frame
    why = (
        f"the core had offered it with {clear[0].transport} in {frame_text(trace, clear[1])}"
        if clear is not None
        else "the profile that was asked for says that the network protects it"
    )
    unseen = "what the UE makes of it" if clear is not None else "the offer in the core"
    return Outcome(
        "violation",
        subject,
        confidence="proven" if clear is not None else "strong",
        title="Protected offer to the UE without a=3ge2ae:applied",
        message=(
            f"The network offers {text(media.type)} line {media.index} of {call.id} to the UE with {media.transport} "
            f"in {frame_text(trace, frame)} and without {EXPECTED}; {why}. The UE may take the line for protected end "
            f"to end. Not seen: {unseen}."
        ),
        evidence=(
            *(
                ()
                if clear is None
                else (Evidence(clear[1], f"SDP m= line {media.index}", clear[0].transport, "clear"),)
            ),
            Evidence(frame, f"SDP m= line {media.index}", f"{media.transport}, no a=3ge2ae", EXPECTED),
        ),
        role="offerer",
        media=media_name(media),
        direction="to the UE",
        normalised=(f"{media.transport} without a=3ge2ae", EXPECTED),
    )

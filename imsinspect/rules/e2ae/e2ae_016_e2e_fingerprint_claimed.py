"""IMS-E2AE-016."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.certificates import short, values
from imsinspect.rules.e2ae.edge import ANSWERER, OFFERER, indicator, kms_keyed, line_id, ue_of, undetermined
from imsinspect.rules.e2ae.other_side import legs, negotiations
from imsinspect.rules.facts import frame_text, media_name, not_assessed, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Negotiation, Trace

PROFILES = ("E2AE-MSRP", "E2E-KMS")
EXPECTED = "tickets for end-to-end protection, or the gateway's fingerprint"


@rule(
    id="IMS-E2AE-016",
    name="e2e-fingerprint-claimed",
    severity=Severity.INFO,
    tier=3,
    profiles=PROFILES,
    references=("TS 33.328 §4.1.1", "RFC 6714 §7.7"),
    needs=(CALLS,),
)
def e2e_fingerprint_claimed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Certificate fingerprints used as end-to-end protection.

    What it checks:
        Messaging lines with TCP/TLS/MSRP and a fingerprint that a UE offers without a=3ge2ae and without a=key-mgmt:
        whether the offer reaches the other UE with the same fingerprint, so that TLS runs from UE to UE.
    Why it matters:
        It is no fault by itself, but every node that carries the signalling can replace the fingerprint: such a session
        trusts all of them, unlike one with keys from tickets.
    What the finding shows:
        The frames of the offer at both accesses, the fingerprint, and whether one handshake was seen on both.
    How to fix it:
        Use tickets for end-to-end protection of messages, or protection to the access edge with its indication.
    When it is not assessed:
        N-CORE: the access of the other UE is not in the capture. IMS-PROF-005: neither that nor the profile of the
        call is known.
    """
    for call in trace.calls:
        yield from worst(
            (media.index, _judge(trace, scene, call, negotiation, media))
            for negotiation in call.negotiations
            if negotiation.side == "access" and not negotiation.offer_assumed and ue_of(scene, negotiation) == OFFERER
            for media in negotiation.offer.sdp.media
            if media.transport == "TCP/TLS/MSRP" and media.port != 0 and media.fingerprints and not kms_keyed(media)
        )


def _judge(trace: Trace, scene: Scene, call: Call, negotiation: Negotiation, media: Media) -> Outcome | None:
    choice = scene.profiles.get(call.id)
    covered = scene.covers(call.id, PROFILES)
    if indicator(media) or (covered is False and choice is not None and not choice.inferred):
        return None
    subject = Subject("media", line_id(trace, scene, call, negotiation, media.index))
    there = _other_access(trace, scene, call, negotiation, media.index)
    if there is None:
        if covered is None:
            return undetermined(subject)
        return not_assessed(subject, "N-CORE", "the access of the other UE is not in the capture") if covered else None
    far, frame = there
    common = values(media.fingerprints) & values(far.fingerprints)
    if not common:
        return Outcome("pass", subject)
    shown = short(*min(common))
    one_handshake = _one_handshake(trace, scene, call, media.index)
    here = negotiation.offer.message.frame
    seen = "One handshake was seen on both." if one_handshake else "Not seen: one handshake on both."
    return Outcome(
        "violation",
        subject,
        confidence="proven" if one_handshake else "strong",
        title="Certificate fingerprint from UE to UE",
        message=(
            f"The fingerprint {shown} that the UE offers for message line {media.index} of {call.id} in "
            f"{frame_text(trace, here)} reaches the other UE in {frame_text(trace, frame)}, without a=3ge2ae: TLS runs "
            f"from UE to UE, and every node of the signalling between them could have put its own in its place. {seen}"
        ),
        evidence=tuple(Evidence(each, "SDP a=fingerprint", shown, EXPECTED) for each in (here, frame)),
        role="offerer",
        media=media_name(media),
        normalised=("one fingerprint at both accesses", EXPECTED),
    )


def _other_access(
    trace: Trace, scene: Scene, call: Call, here: Negotiation, index: int
) -> tuple[Media, FrameId] | None:
    """The same line as it is offered to the other UE."""
    for other in negotiations(trace, scene, call, "access"):
        offered = other.offer.sdp.media
        if other is not here and ue_of(scene, other) == ANSWERER and index < len(offered):
            return offered[index], other.offer.message.frame
    return None


def _one_handshake(trace: Trace, scene: Scene, call: Call, index: int) -> bool:
    """A ClientHello that was seen between two pairs of addresses."""
    ends: dict[bytes, set[tuple[object, object]]] = {}
    for leg in legs(trace, scene, call):
        for line in leg.lines:
            if line.index == index:
                for session in line.tls_sessions:
                    for hello in session.client_hellos:
                        ends.setdefault(hello.random, set()).add((session.client, session.server))
    return any(len(each) > 1 for each in ends.values())

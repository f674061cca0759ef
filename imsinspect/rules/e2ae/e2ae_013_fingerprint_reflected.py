"""IMS-E2AE-013."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.certificates import short, values
from imsinspect.rules.e2ae.edge import (
    ANSWERER,
    CERTIFIED,
    OFFERER,
    TLS_PROFILES,
    certified_lines,
    indicator,
    line_applies,
    ue_of,
    undetermined,
)
from imsinspect.rules.e2ae.other_side import negotiations
from imsinspect.rules.facts import frame_text, media_name, not_assessed, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Negotiation, Trace

EXPECTED = "the fingerprint of its own certificate"


@rule(
    id="IMS-E2AE-013",
    name="fingerprint-reflected",
    severity=Severity.HIGH,
    tier=2,
    profiles=TLS_PROFILES,
    references=("TS 33.328 §7.2.1", "TS 33.328 §7.3.1", "RFC 8122 §6.2"),
    needs=(CALLS,),
)
def fingerprint_reflected(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Both sides signal the same certificate fingerprint.

    What it checks:
        Offer and answer of each MSRP and BFCP line with TLS at the access have no fingerprint in common; and where a
        line is protected to the access edge, what the network signals to one UE is no fingerprint of another UE in the
        same call.
    Why it matters:
        Each side has a certificate of its own. A fingerprint that comes back is a reflection: who sent it verifies
        nothing, or lets the UE talk to itself or to somebody else than the gateway.
    What the finding shows:
        Both frames, and the fingerprint that both carry.
    How to fix it:
        Let the P-CSCF remove every fingerprint that it received and insert the one of its gateway, and let the UE
        refuse an answer with its own.
    When it is not assessed:
        N-OA: the answer was not seen. IMS-PROF-005: the profile of the call is not determined. Where both sides are one
        device, by address or identity, the finding is only suspected (ambiguous). A test bed whose nodes share one
        certificate cannot be told from a reflection.
    """
    for call, line, states in certified_lines(trace):
        described = [state for state in states if state.offered.port != 0 and state.offered.fingerprints]
        if not described:
            continue
        applicable = line_applies(scene, call, states)
        if applicable is None:
            yield undetermined(Subject("media", line.id))
        elif applicable:
            yield from worst((line.id, _judge(trace, scene, call, line, state)) for state in described)


def _judge(trace: Trace, scene: Scene, call: Call, line: MediaLine, state: LineState) -> Outcome | None:
    subject = Subject("media", line.id)
    offered, answered, answer = state.offered, state.answered, state.negotiation.answer
    if answered is None or answer is None:
        rejected = state.negotiation.rejected
        return None if rejected else not_assessed(subject, "N-OA", "the answer to a fingerprint was not seen")
    if answered.port == 0 or answered.transport not in CERTIFIED:
        return None
    common = values(offered.fingerprints) & values(answered.fingerprints)
    if common:
        one = offered.connection == answered.connection or canonical(call.from_uri) == canonical(call.to_uri)
        frames = (state.negotiation.offer.message.frame, answer.message.frame)
        return _finding(trace, line, offered, min(common), frames, "offer and answer", one_device=one)
    foreign = _of_another_ue(trace, scene, call, state.negotiation, offered, answered)
    if foreign is not None:
        value, frames = foreign
        return _finding(trace, line, offered, value, frames, "the network here and another UE", one_device=False)
    return Outcome("pass", subject)


def _of_another_ue(
    trace: Trace, scene: Scene, call: Call, here: Negotiation, offered: Media, answered: Media
) -> tuple[tuple[bytes, bytes], tuple[FrameId, FrameId]] | None:
    """A fingerprint that the network signals to a UE and that is another UE's own, though the network ends TLS."""
    ue = ue_of(scene, here)
    if not ue or here.answer is None or not (indicator(offered) or indicator(answered)):
        return None
    network, frame = (answered, here.answer.message.frame) if ue == OFFERER else (offered, here.offer.message.frame)
    signalled = values(network.fingerprints)
    if not signalled:
        return None
    hop = frozenset((here.offer.message.source.ip, here.offer.message.destination.ip))
    for other in negotiations(trace, scene, call, "access"):
        role = ue_of(scene, other)
        if not role or hop == frozenset((other.offer.message.source.ip, other.offer.message.destination.ip)):
            continue
        description = other.answer if role == ANSWERER else other.offer
        if description is None or offered.index >= len(description.sdp.media):
            continue
        common = signalled & values(description.sdp.media[offered.index].fingerprints)
        if common:
            return min(common), (description.message.frame, frame)
    return None


def _finding(
    trace: Trace,
    line: MediaLine,
    media: Media,
    value: tuple[bytes, bytes],
    frames: tuple[FrameId, FrameId],
    where: str,
    *,
    one_device: bool,
) -> Outcome:
    shown = short(*value)
    doubt = " Both sides are one device, by address or identity: ambiguous." if one_device else ""
    return Outcome(
        "suspect" if one_device else "violation",
        Subject("media", line.id),
        confidence="heuristic" if one_device else "proven",
        title="Certificate fingerprint is reflected",
        message=(
            f"The fingerprint {shown} of {line.id} stands in {frame_text(trace, frames[0])} and in "
            f"{frame_text(trace, frames[1])}: {where} carry the same one. Whoever sent it second signals a certificate "
            f"that is not its own, so the peer is not who it seems to be or verifies nothing.{doubt} Not seen: whether "
            "this is a test bed whose nodes share one certificate."
        ),
        evidence=tuple(Evidence(frame, "SDP a=fingerprint", shown, EXPECTED) for frame in frames),
        role="answerer",
        media=media_name(media),
        normalised=(f"{where} with one fingerprint", EXPECTED),
    )

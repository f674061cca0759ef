"""IMS-E2AE-011."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.edge import ANSWERER, E2AE_PROFILES, INDICATORS, OFFERER, kms_keyed, line_id, ue_of
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media, SessionDescription
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Negotiation, Trace

MARK = b"\na=3ge2ae:"
EXPECTED = "requested from the UE or applied from the network, on a secure line"
MAX_LISTED = 4


@rule(
    id="IMS-E2AE-011",
    name="3ge2ae-misuse",
    severity=Severity.LOW,
    tier=2,
    profiles=E2AE_PROFILES,
    references=("TS 24.229 §7.5.2", "TS 33.328 §7.2.1", "TS 33.328 §7.3.1"),
    needs=(CALLS,),
)
def rule_3ge2ae_misuse(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """e2ae indicator with wrong value or direction.

    What it checks:
        Every a=3ge2ae in the descriptions between UE and P-CSCF: it stands in a media section, its value is requested
        from the UE and applied from the network, the line has a secure transport, and no a=key-mgmt beside it asks for
        end-to-end protection at the same time.
    Why it matters:
        An indicator that the other side does not understand is ignored: the line goes without the protection, or the UE
        takes it for another one than it is.
    What the finding shows:
        The frame, the line, the value, and what is wrong with it.
    How to fix it:
        Write a=3ge2ae:requested into offers of the UE and a=3ge2ae:applied into what the network sends to it, in media
        sections with RTP/SAVP, TCP/TLS/MSRP or TCP/TLS/BFCP only.
    When it is not assessed:
        N-DIR: nothing but the indicator itself shows which side is the UE, so its direction cannot be judged; the
        registration of the UE, or the addresses of the P-CSCF in a policy file, settle it. Indicators behind the P-CSCF
        are the matter of IMS-GW-003.
    """
    for call in trace.calls:
        if not any(b"3ge2ae" in message.sip.body for message in call.messages):
            continue
        choice = scene.profiles.get(call.id)
        if choice is not None and not choice.inferred and choice.covers.isdisjoint(E2AE_PROFILES):
            continue
        yield from worst(
            found
            for negotiation in call.negotiations
            if negotiation.side != "core"
            for found in _description(trace, scene, call, negotiation)
        )


def _description(
    trace: Trace, scene: Scene, call: Call, negotiation: Negotiation
) -> Iterator[tuple[object, Outcome | None]]:
    """Both descriptions of an exchange."""
    sent: list[tuple[str, SessionDescription, FrameId]] = [
        (OFFERER, negotiation.offer.sdp, negotiation.offer.message.frame)
    ]
    if negotiation.answer is not None:
        sent.append((ANSWERER, negotiation.answer.sdp, negotiation.answer.message.frame))
    ue = ue_of(scene, negotiation)
    for role, sdp, frame in sent:
        if MARK in sdp.session.text:
            value = sdp.session.value(b"3ge2ae")
            subject = Subject("call", call.id)
            yield (role,), _finding(trace, subject, role, "", value, frame, ["it stands above the media sections"])
        for media in sdp.media:
            if MARK in media.section.text and media.port != 0:
                subject = Subject("media", line_id(trace, scene, call, negotiation, media.index))
                yield (subject.id, role), _section(trace, subject, role, ue, media, frame)


def _section(trace: Trace, subject: Subject, role: str, ue: str, media: Media, frame: FrameId) -> Outcome:
    value = media.e2ae
    wrong: list[str] = []
    if value not in INDICATORS:
        wrong.append("its value is not defined")
    if ue and value == (b"applied" if role == ue else b"requested"):
        wrong.append("the UE sends it, not the network" if role == ue else "the network sends it, not the UE")
    if not media.profile.secure:
        wrong.append(f"the line has the clear transport {media.transport}")
    if kms_keyed(media):
        wrong.append("a=key-mgmt beside it asks for end-to-end protection")
    if wrong:
        return _finding(trace, subject, role, media_name(media), value, frame, wrong)
    if not ue:
        return not_assessed(subject, "N-DIR", "nothing but the indicator itself shows which side is the UE")
    return Outcome("pass", subject)


def _finding(
    trace: Trace, subject: Subject, role: str, media: str, value: bytes, frame: FrameId, wrong: list[str]
) -> Outcome:
    shown = f"a=3ge2ae:{text(value[:32])}"
    listed = ", and ".join(wrong[:MAX_LISTED])
    return Outcome(
        "violation",
        subject,
        title=f"{shown} is used wrongly",
        message=(
            f"The {role} of {subject.id} sends {shown} in {frame_text(trace, frame)}: {listed}. The other side ignores "
            "it or takes it for something else, and the protection that it stands for may silently be left out. Not "
            "seen: what the receiver made of it."
        ),
        evidence=(Evidence(frame, "SDP a=3ge2ae", shown, EXPECTED),),
        role=role,
        media=media,
        normalised=(f"{shown}: {listed}", EXPECTED),
    )

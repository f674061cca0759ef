"""IMS-GW-007."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Fingerprint, Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.gateway import GatewayMessage
    from imsinspect.trace.model import Call, MediaLine, Trace

PROFILES = ("E2AE-MSRP", "E2AE-BFCP")
FAMILIES = frozenset(("msrp", "bfcp"))
DISCARD = 9  # the port of who opens the connection (RFC 4145 §4.1)
SHORT = 4  # octets of a fingerprint that are shown

Told = tuple["Call", "MediaLine", "FrameId", "tuple[Fingerprint, ...]"]


@rule(
    id="IMS-GW-007",
    name="iq-fingerprint-mismatch",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §6.2.1.3.2", "TS 33.328 §5.5.4"),
    needs=(CALLS,),
)
def iq_fingerprint_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Fingerprint on Iq differs from the one signalled by the UE.

    What it checks:
        The Remote descriptors that a controller gives its gateway, beside the SIP description whose address and port
        they repeat: for each hash function that both name, a fingerprint of the one must be one of the other. All
        descriptions that the party ever sent for this address count, so that a later re-offer is no mismatch.
    Why it matters:
        The gateway accepts whoever presents a certificate with the fingerprint that Iq names. Another one than the UE
        signalled lets somebody else in, by a change inside the network or by streams that were mixed up.
    What the finding shows:
        The SIP message, the H.248 message, and the first octets of both fingerprints.
    How to fix it:
        Find out where between SIP and Iq the value changes. Protect Iq with integrity.
    When it is not assessed:
        N-H248: a line is protected to the access edge, and no gateway control that names its fingerprint was captured.
        N-SIP: signalling that could not be read. IMS-PROF-005: the profile of the call is not determined.
    """
    told = _signalled(trace)
    seen: set[str] = set()
    for message in trace.gateway:
        for description in message.descriptions:
            if not description.remote:
                continue
            for media in description.sdp.media:
                found = told.get(_place(media), []) if media.fingerprints else []
                outcome = _compare(trace, scene, message, media, found)
                if outcome is not None:
                    seen.add(outcome.subject.id)
                    yield outcome
    yield from _without_control(trace, scene, seen)


def _place(media: Media) -> tuple[bytes, int, str]:
    port = media.port if media.port != DISCARD else 0
    return media.connection, port, media.profile.family


def _signalled(trace: Trace) -> dict[tuple[bytes, int, str], list[Told]]:
    """What SIP says of fingerprints, by the address and port of the line."""
    out: dict[tuple[bytes, int, str], list[Told]] = {}
    for call in trace.calls:
        for line in call.lines:
            for state in line.states:
                sides = ((state.offered, state.negotiation.offer), (state.answered, state.negotiation.answer))
                for media, description in sides:
                    if media is None or description is None or media.profile.family not in FAMILIES:
                        continue
                    if media.fingerprints:
                        told = (call, line, description.message.frame, media.fingerprints)
                        out.setdefault(_place(media), []).append(told)
    return out


def _compare(trace: Trace, scene: Scene, message: GatewayMessage, media: Media, found: list[Told]) -> Outcome | None:
    """One description of the gateway's beside those of SIP; None where SIP says nothing comparable."""
    found = [each for each in found if scene.covers(each[0].id, PROFILES) is not False]
    on_iq = {(each.hash_function, each.digest): each for each in media.fingerprints if not each.error}
    hashes = {name for name, _ in on_iq}
    comparable = [each for each in found if any(one.hash_function in hashes for one in each[3])]
    if not comparable:
        return None
    _, line, frame, fingerprints = comparable[-1]
    subject = Subject("media", line.id)
    if any((one.hash_function, one.digest) in on_iq for each in comparable for one in each[3]):
        return Outcome("pass", subject)
    signalled, iq = _shown(fingerprints), _shown(tuple(on_iq.values()))
    return Outcome(
        "violation",
        subject,
        confidence="proven" if media.port != DISCARD else "strong",
        title="The gateway is told another fingerprint than the UE signalled",
        message=(
            f"The H.248 message from {message.source} to {message.destination} in "
            f"{frame_text(trace, message.frames[0])} names {iq} for {text(media.connection)}:{media.port}; in SIP "
            f"{line.id} has {signalled} ({frame_text(trace, frame)}). The gateway accepts another certificate than the "
            "UE's. Not seen: a later description with the value of Iq."
        ),
        evidence=(
            Evidence(frame, "SDP a=fingerprint", signalled, iq),
            Evidence(message.frames[0], "H.248 Remote, a=fingerprint", iq, signalled),
        ),
        role="controller",
        media=media_name(line.states[-1].offered),
        normalised=("another fingerprint", "the UE's fingerprint"),
    )


def _shown(fingerprints: tuple[Fingerprint, ...]) -> str:
    return ", ".join(f"{text(each.hash_function)} {each.digest[:SHORT].hex(':').upper()}…" for each in fingerprints[:4])


def _without_control(trace: Trace, scene: Scene, seen: set[str]) -> Iterator[Outcome]:
    """Lines protected to the access edge of which gateway control says nothing."""
    for call in trace.calls:
        for line in call.lines:
            media = line.states[-1].offered if line.states else None
            if media is None or media.profile.family not in FAMILIES or not media.profile.secure or line.id in seen:
                continue
            edge = any(
                b"\na=3ge2ae:" in one.section.text
                for state in line.states
                for one in (state.offered, state.answered)
                if one
            )
            if edge or scene.covers(call.id, PROFILES):
                reason = "no gateway control that names the fingerprint of the line was captured"
                yield not_assessed(Subject("media", line.id), "N-H248", reason)

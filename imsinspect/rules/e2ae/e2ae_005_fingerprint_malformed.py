"""IMS-E2AE-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sdp.parse import FINGERPRINT_OCTETS
from imsinspect.rules.e2ae.edge import CERTIFIED, TLS_PROFILES, certified_lines, line_applies, sides, undetermined
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Fingerprint, Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, Trace

EXPECTED = "pairs of hexadecimal digits with colons between, as many as the hash has octets"


@rule(
    id="IMS-E2AE-005",
    name="fingerprint-malformed",
    severity=Severity.LOW,
    tier=2,
    profiles=TLS_PROFILES,
    references=("RFC 8122 §5",),
    needs=(CALLS,),
)
def fingerprint_malformed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Fingerprint value is syntactically wrong.

    What it checks:
        Every a=fingerprint of an MSRP or BFCP line with TLS at the access: pairs of hexadecimal digits with colons
        between them, as many pairs as the hash function has octets, and not all of them zero. Digits in lower case are
        common and pass.
    Why it matters:
        A value that cannot be the hash of anything is never equal to one. A peer that goes on nevertheless does not
        verify the certificate at all.
    What the finding shows:
        The frame, the hash function, and what is wrong with the value.
    How to fix it:
        Write the hash of the DER certificate as RFC 8122 §5 has it, for SHA-256 32 pairs: "AB:CD:…".
    When it is not assessed:
        N-FRAG: the message with the fingerprint is cut. IMS-PROF-005: the profile of the call is not determined;
        --profile e2ae settles it. Names of hash functions that no registry knows are the matter of IMS-E2AE-004.
    """
    for call, line, states in certified_lines(trace):
        described = [
            (role, media, frame, state)
            for state in states
            for role, media, frame in sides(state)
            if media.transport in CERTIFIED and media.fingerprints
        ]
        if not described:
            continue
        applicable = line_applies(scene, call, states)
        if applicable is None:
            yield undetermined(Subject("media", line.id))
        elif applicable:
            yield from worst(
                (role, _judge(trace, line, role, media, frame, state)) for role, media, frame, state in described
            )


def fault(fingerprint: Fingerprint) -> str:
    """What is wrong with a value; "" for nothing."""
    if fingerprint.digest and not any(fingerprint.digest):
        return "all octets are zero"
    if fingerprint.error and fingerprint.hash_function not in FINGERPRINT_OCTETS and fingerprint.digest:
        return ""  # only the name is not known
    return fingerprint.error


def _judge(trace: Trace, line: MediaLine, role: str, media: Media, frame: FrameId, state: LineState) -> Outcome:
    subject = Subject("media", line.id)
    wrong = [(each, fault(each)) for each in media.fingerprints if fault(each)]
    if not wrong:
        return Outcome("pass", subject)
    negotiation = state.negotiation
    description = negotiation.answer if role == "answerer" and negotiation.answer is not None else negotiation.offer
    if any("Content-Length says" in note.text for note in description.message.sip.notes):
        return not_assessed(subject, "N-FRAG", "the message with a malformed fingerprint is cut")
    listed = "; ".join(f"{text(each.hash_function)}: {what}" for each, what in wrong[:4])
    return Outcome(
        "violation",
        subject,
        title="Malformed certificate fingerprint",
        message=(
            f"The {role} of {line.id} signals a fingerprint in {frame_text(trace, frame)} that cannot be one: "
            f"{listed}. No certificate has it: the peer either refuses every connection or verifies none. "
            "Not seen: what the peer makes of it."
        ),
        evidence=(Evidence(frame, "SDP a=fingerprint", listed, EXPECTED),),
        role=role,
        media=media_name(media),
        normalised=(listed, EXPECTED),
    )

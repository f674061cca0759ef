"""IMS-E2AE-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.edge import (
    ANSWERER,
    CERTIFIED,
    TLS_PROFILES,
    certified_lines,
    kms_keyed,
    line_applies,
    on_access,
    refused,
    sides,
    undetermined,
)
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace


@rule(
    id="IMS-E2AE-001",
    name="fingerprint-missing",
    severity=Severity.HIGH,
    tier=1,
    profiles=TLS_PROFILES,
    references=(
        "TS 33.328 §6.2.1.2",
        "TS 33.328 §7.2.1",
        "TS 33.328 §7.3.1",
        "TS 33.328 Annex G.2",
        "TS 23.334 §6.2.10.3",
        "RFC 4975 §14.4",
        "RFC 8122 §5",
    ),
    needs=(CALLS,),
)
def fingerprint_missing(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """TLS media line without a certificate fingerprint.

    What it checks:
        Offer and answer of every MSRP and BFCP line with TLS between a UE and the access edge: each side that keeps the
        line (port other than 0) carries a=fingerprint in the media section, or above all of them for the session.
    Why it matters:
        The certificates of UE and gateway are self-signed: only the fingerprint in the signalling says whose they are.
        Without it anybody on the path can answer the TLS handshake and read and change what follows.
    What the finding shows:
        The frame of the description, the index of its line, and which side left the fingerprint out.
    How to fix it:
        Let the UE put the SHA-256 fingerprint of its certificate into offers and answers, and the P-CSCF that of the
        certificate which the gateway (IMS-AGW) presents.
    When it is not assessed:
        N-OA: the answer was not seen; a capture with it settles it. N-DIR: nothing shows whether the hop is between UE
        and P-CSCF or in the core, where nodes may know one another by other means; --capture-point access settles it.
        IMS-PROF-005: the profile of the call is not determined; --profile e2ae settles it. Lines with a=key-mgmt get
        their keys from tickets and need no fingerprint.
    """
    for call, line, states in certified_lines(trace):
        if kms_keyed(*(media for state in states for media in (state.offered, state.answered))):
            continue
        subject = Subject("media", line.id)
        applicable = line_applies(scene, call, states)
        if applicable is None:
            yield undetermined(subject)
        elif applicable:
            yield from worst(
                (role, _judge(trace, scene, call, line, state, role, media, frame))
                for state in states
                if not refused(state.negotiation)
                for role, media, frame in sides(state)
            )
            if not any(state.answered is not None or state.negotiation.rejected for state in states):
                yield not_assessed(subject, "N-OA", "the answer to the offer of a TLS line was not seen")


def _judge(
    trace: Trace, scene: Scene, call: Call, line: MediaLine, state: LineState, role: str, media: Media, frame: FrameId
) -> Outcome | None:
    """One party's section; None where an answer has no TLS, which is another rule's matter."""
    subject = Subject("media", line.id)
    if media.transport not in CERTIFIED:
        return None
    if media.fingerprints:
        return Outcome("pass", subject)
    if on_access(scene, state.negotiation.side) is None:
        return not_assessed(
            subject, "N-DIR", "nothing shows whether the hop of the TLS line is at the access or in the core"
        )
    who = "answer" if role == ANSWERER else "offer"
    expected = "a=fingerprint of the certificate that this side presents"
    other = state.offered if role == ANSWERER else state.answered
    peer = "" if other is None else f" The other side has {'one' if other.fingerprints else 'none either'}."
    return Outcome(
        "violation",
        subject,
        title=f"{media.transport} without a fingerprint in the {who}",
        message=(
            f"The {who} in {frame_text(trace, frame)} has {text(media.type)} line {media.index} of {call.id} on "
            f"port {media.port} with {media.transport} and carries no a=fingerprint, neither in the section nor for "
            f"the session.{peer} Nothing binds the TLS connection to this side: anybody on the path can take its "
            "place, and read and change what passes. Not seen: any other key management of the line."
        ),
        evidence=(Evidence(frame, f"SDP m= line {media.index}", f"{media.transport}, no a=fingerprint", expected),),
        role=role,
        media=media_name(media),
        fact=line.id,
        normalised=("no a=fingerprint", expected),
    )

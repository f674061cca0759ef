"""IMS-E2AE-015."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.certificates import shortened
from imsinspect.rules.e2ae.edge import TLS_PROFILES, line_applies, sides, undetermined
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import MediaLine, Trace

CLEAR = frozenset(("TCP/MSRP", "TCP/BFCP", "UDP/BFCP"))
ALTERNATIVES = (b"\na=pcfg:", b"\na=acap:", b"\na=tcap:")  # RFC 5939
EXPECTED = "TLS in the transport, or no a=fingerprint"


@rule(
    id="IMS-E2AE-015",
    name="fingerprint-without-tls-transport",
    severity=Severity.LOW,
    tier=3,
    profiles=TLS_PROFILES,
    references=("TS 33.328 §7.2.1", "TS 33.328 §7.3.1", "RFC 8122 §4", "RFC 8122 §5"),
    needs=(CALLS,),
)
def fingerprint_without_tls_transport(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Fingerprint attached to a clear transport.

    What it checks:
        MSRP and BFCP lines with a clear transport, at the access and in the core: their sections carry no
        a=fingerprint of their own. One for the whole session may be meant for another line.
    Why it matters:
        The fingerprint shows that TLS was meant: the transport was stripped on the way, or a P-CSCF rewrote the
        transport towards the core and forgot the fingerprint.
    What the finding shows:
        The frame, the line, its transport and its fingerprint.
    How to fix it:
        Remove the fingerprint where the transport is rewritten to TCP/MSRP or TCP/BFCP; on the access side find out
        who took TLS out of the transport.
    When it is not assessed:
        T-OSRTP: the section offers secure alternatives (capability negotiation) that the fingerprint belongs to.
        IMS-PROF-005: the profile of the call is not determined; --profile e2ae settles it.
    """
    for call in trace.calls:
        for line in call.lines:
            described = [
                (role, media, frame)
                for state in line.states
                if state.offered.profile.family in ("msrp", "bfcp")
                for role, media, frame in sides(state)
                if media.transport in CLEAR
            ]
            if not described:
                continue
            applicable = line_applies(scene, call, line.states)
            if applicable:
                yield from worst((role, _judge(trace, line, role, media, frame)) for role, media, frame in described)
            elif applicable is None and any(_own(media) for _, media, _ in described):
                yield undetermined(Subject("media", line.id))


def _own(media: Media) -> bool:
    """The section itself has a fingerprint."""
    return b"\na=fingerprint:" in media.section.text


def _judge(trace: Trace, line: MediaLine, role: str, media: Media, frame: FrameId) -> Outcome:
    subject = Subject("media", line.id)
    if not _own(media):
        return Outcome("pass", subject)
    if any(each in media.section.text for each in ALTERNATIVES):
        return not_assessed(subject, "T-OSRTP", "the section offers secure alternatives beside its clear transport")
    shown = shortened(media.fingerprints)
    where = {"access": "between UE and P-CSCF", "core": "in the core"}.get(line.side, "on a hop of unknown side")
    return Outcome(
        "violation",
        subject,
        title=f"{media.transport} with a certificate fingerprint",
        message=(
            f"The {role} describes {text(media.type)} line {media.index} of {line.call} in {frame_text(trace, frame)}, "
            f"{where}, with {media.transport} and the fingerprint {shown}. Nothing on a clear connection is compared "
            "with it: TLS was taken out of the transport, or the fingerprint was left behind by a rewrite. Not seen: "
            "the same description before that."
        ),
        evidence=(Evidence(frame, f"SDP m= line {media.index}", f"{media.transport}, a=fingerprint", EXPECTED),),
        role=role,
        media=media_name(media),
        normalised=(f"{media.transport}, a=fingerprint", EXPECTED),
    )

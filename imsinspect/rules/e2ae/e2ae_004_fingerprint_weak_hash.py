"""IMS-E2AE-004."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sdp.parse import FINGERPRINT_OCTETS
from imsinspect.rules.e2ae.certificates import WEAK
from imsinspect.rules.e2ae.edge import CERTIFIED, TLS_PROFILES, certified_lines, line_applies, sides, undetermined
from imsinspect.rules.facts import frame_text, media_name, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import MediaLine, Trace

EXPECTED = "sha-256 or stronger"


@rule(
    id="IMS-E2AE-004",
    name="fingerprint-weak-hash",
    severity=Severity.MEDIUM,
    tier=1,
    profiles=TLS_PROFILES,
    references=("TS 33.328 §4.1.2.3", "RFC 8122 §5", "RFC 8122 §5.1"),
    needs=(CALLS,),
)
def fingerprint_weak_hash(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Fingerprint computed with a broken hash.

    What it checks:
        The hash functions of the fingerprints that each side of an MSRP or BFCP line with TLS signals at the access: at
        least one of them is neither MD2, MD5 nor SHA-1.
    Why it matters:
        Two certificates with one MD5 or SHA-1 fingerprint can be made. Who has influence on the content of a
        certificate gets one that passes the comparison in place of another.
    What the finding shows:
        The frame of the description, and the names of all hash functions that it uses for the line. MD2 and MD5 alone
        are high, SHA-1 alone medium, names that no registry knows are information.
    How to fix it:
        Signal the SHA-256 fingerprint of the certificate; a SHA-1 one may stand beside it for old peers.
    When it is not assessed:
        IMS-PROF-005: the profile of the call is not determined; --profile e2ae settles it. Lines without a fingerprint
        are the object of IMS-E2AE-001.
    """
    for call, line, states in certified_lines(trace):
        described = [
            (role, media, frame)
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
            yield from worst((role, _judge(trace, line, role, media, frame)) for role, media, frame in described)


def _judge(trace: Trace, line: MediaLine, role: str, media: Media, frame: FrameId) -> Outcome:
    """The hash functions of one party's section; where some fingerprints can be used, only theirs count."""
    subject = Subject("media", line.id)
    usable = [each.hash_function for each in media.fingerprints if not each.error]
    names = usable or [each.hash_function for each in media.fingerprints]
    known = [name for name in names if name in FINGERPRINT_OCTETS]
    if any(name not in WEAK for name in known):
        return Outcome("pass", subject)
    listed = ", ".join(text(name) for name in dict.fromkeys(names))
    severity = Severity.INFO if not known else Severity.MEDIUM if b"sha-1" in known else Severity.HIGH
    why = (
        "No registry knows these names, so nobody can tell what the comparison is worth."
        if not known
        else "Another certificate with the same fingerprint can be made, and would pass the comparison."
    )
    return Outcome(
        "violation",
        subject,
        severity=severity,
        title=f"Certificate fingerprint with {listed} only",
        message=(
            f"The {role} of {line.id} signals fingerprints with {listed} only, in {frame_text(trace, frame)}. {why} "
            "Not seen: a fingerprint of the same certificate with a stronger hash function."
        ),
        evidence=(Evidence(frame, "SDP a=fingerprint", listed, EXPECTED),),
        role=role,
        media=media_name(media),
        normalised=(listed, EXPECTED),
    )

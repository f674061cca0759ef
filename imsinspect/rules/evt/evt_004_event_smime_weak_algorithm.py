"""IMS-EVT-004."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import KMS, bound, places, told
from imsinspect.rules.facts import MAX_EVIDENCE, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import SignallingMessage, Trace

WEAK = {
    "rc2-cbc": "it is broken",
    "desCBC": "its keys have 56 bits",
    "des-ede3-cbc": "its blocks have 64 bits",
    "id-alg-CMS3DESwrap": "its blocks have 64 bits",
    "id-alg-CMSRC2wrap": "it is broken",
    "md5": "collisions are cheap",
    "sha-1": "collisions are feasible",
    "md5WithRSAEncryption": "collisions of MD5 are cheap",
    "sha1WithRSAEncryption": "collisions of SHA-1 are feasible",
    "id-dsa-with-sha1": "collisions of SHA-1 are feasible",
    "ecdsa-with-SHA1": "collisions of SHA-1 are feasible",
}
"""Names of dissectors.cms.oids. A MAC or key derivation with SHA-1 does not rest on collisions: it is none of them."""


@rule(
    id="IMS-EVT-004",
    name="event-smime-weak-algorithm",
    severity=Severity.MEDIUM,
    tier=3,
    profiles=KMS,
    references=("RFC 8551 §2", "TS 33.328 Annex I"),
    needs=(CONFERENCES,),
)
def event_smime_weak_algorithm(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Weak algorithm in event package S/MIME.

    What it checks:
        Every algorithm that the CMS messages around conference state name: RC2, DES and triple DES encrypt, or MD5 and
        SHA-1 stand under a signature. HMAC and key derivation with SHA-1 are no matter, nor is AES-CBC with a MAC.
    Why it matters:
        What a weak cipher hides can be read with effort, and what a weak digest signs can be forged.
    What the finding shows:
        The frames, and the algorithms by name and object identifier.
    How to fix it:
        Encrypt with AES-GCM, wrap keys with AES, and sign with SHA-256 (RFC 8551 §2).
    When it is not assessed:
        IMS-PROF-005: the profile of the conference is open. N-FRAG: the CMS message could not be taken apart. Detached
        signatures of multipart/signed are not looked into.
    """
    for each in told(trace, scene):
        yield from bound(scene, each.conference, KMS, _bodies(trace, each))


def _bodies(trace: Trace, each: Told) -> Iterator[Outcome]:
    weak: dict[str, list[SignallingMessage]] = {}
    evidence: list[Evidence] = []
    read = unread = False
    for notification in each.notifications:
        for body in notification.message.sealed:
            if body.facts is None or not body.facts.algorithms:
                unread = True
                continue
            read = True
            for algorithm in body.facts.algorithms:
                if algorithm.name in WEAK:
                    weak.setdefault(algorithm.name, []).append(notification.message)
                    observed = f"{algorithm.name} ({algorithm.oid})"
                    evidence.append(
                        Evidence(notification.message.frame, f"CMS {algorithm.kind}", observed, "AES, SHA-256")
                    )
    if weak:
        yield _weak(trace, each, weak, tuple(evidence[:MAX_EVIDENCE]))
    elif read:
        yield Outcome("pass", each.subject)
    if unread:
        yield not_assessed(each.subject, "N-FRAG", "the CMS message could not be taken apart")


def _weak(
    trace: Trace, each: Told, weak: dict[str, list[SignallingMessage]], evidence: tuple[Evidence, ...]
) -> Outcome:  # fmt: skip
    names = ", ".join(weak)
    messages = list({id(message): message for group in weak.values() for message in group}.values())
    why = "; ".join(f"{name}: {WEAK[name]}" for name in weak)
    return Outcome(
        "violation",
        each.subject,
        title="Weak algorithm around conference state",
        message=(
            f"S/MIME around the state of conference {each.conference.uri} for {each.whom} uses {names}, in "
            f"{places(trace, messages)} ({why}). It can be read or forged with effort. Whether other layers inside "
            "protect it was not seen."
        ),
        evidence=evidence,
        role="focus",
        direction="sent",
        normalised=(names, "current algorithms"),
    )

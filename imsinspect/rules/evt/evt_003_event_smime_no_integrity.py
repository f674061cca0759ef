"""IMS-EVT-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import KMS, bound, places, proof, told
from imsinspect.rules.facts import not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Notification
    from imsinspect.trace.model import SignallingMessage, Trace

PROTECTED, SIGNED_ONLY, MALLEABLE, UNKNOWN_INSIDE, UNREAD = "protected", "signed", "malleable", "unknown", "unread"


@rule(
    id="IMS-EVT-003",
    name="event-smime-no-integrity",
    severity=Severity.HIGH,
    tier=1,
    profiles=KMS,
    references=("TS 33.328 Annex G.3.3", "RFC 4575 §8.1", "RFC 5083 §2", "RFC 5652 §6.1"),
    needs=(CONFERENCES,),
)
def event_smime_no_integrity(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Encrypted event body without integrity.

    What it checks:
        The CMS messages of S/MIME bodies with conference state: both confidentiality and integrity are to be there.
        AuthEnvelopedData has both. EnvelopedData and EncryptedData with a cipher that does not authenticate need a
        signature or a MAC around them, or inside. SignedData and multipart/signed alone leave the roster readable. One
        finding stands for one subscription and kind of fault.
    Why it matters:
        Without integrity the bits of a roster under AES-CBC can be flipped on the path, and old state can be put in the
        place of new. Without confidentiality every node on the path reads who takes part.
    What the finding shows:
        The frames, the content types by name, the cipher, and whether a key at hand showed what is inside.
    How to fix it:
        Use authEnveloped-data with AES-GCM (RFC 5083, RFC 5084). Where only enveloped-data is at hand, sign or
        authenticate first and encrypt then.
    When it is not assessed:
        IMS-PROF-005: the profile of the conference is not determined; name it in the policy file. N-FRAG: the CMS
        message could not be taken apart. N-SIP: signalling that could not be read may hold NOTIFYs. What is encrypted
        may hold a signature: without a key the outcome is a suspicion, and a key in the key file (cms_kek) settles it.
    """
    for each in told(trace, scene):
        yield from bound(scene, each.conference, KMS, _bodies(trace, each))


def _kind(notification: Notification) -> str:
    """What the CMS messages of a body give, the outermost first."""
    if notification.signed:
        return SIGNED_ONLY
    bodies = notification.message.sealed
    if any(body.facts is not None and body.facts.authenticated for body in bodies):
        return PROTECTED
    if any(not body.content_type or body.facts is None for body in bodies):
        return UNREAD
    return MALLEABLE if all(body.opened for body in bodies) else UNKNOWN_INSIDE


def _bodies(trace: Trace, each: Told) -> Iterator[Outcome]:
    by_kind: dict[str, list[Notification]] = {}
    for one in each.notifications:
        if one.sealed or one.signed:
            by_kind.setdefault(_kind(one), []).append(one)
    for kind, notifications in by_kind.items():
        messages = [one.message for one in notifications]
        if kind == PROTECTED:
            yield Outcome("pass", each.subject)
        elif kind == UNREAD:
            yield not_assessed(each.subject, "N-FRAG", "the CMS message could not be taken apart")
        elif kind == SIGNED_ONLY:
            yield _signed(trace, each, messages)
        else:
            yield _malleable(trace, each, messages, proven=kind == MALLEABLE)


def _signed(trace: Trace, each: Told, messages: list[SignallingMessage]) -> Outcome:
    return Outcome(
        "violation",
        each.subject,
        title="Conference state signed and not encrypted",
        message=(
            f"S/MIME signs the state of conference {each.conference.uri} for {each.whom}, and leaves it readable, in "
            f"{places(trace, messages)}. Every node on the path reads who takes part. No encryption around it was seen."
        ),
        evidence=proof(messages, "S/MIME", "signed, not encrypted", "encrypted and authenticated"),
        role="focus",
        direction="sent",
        fact=each.subject.id,
        normalised=("signed only", "encrypted and authenticated"),
    )


def _malleable(trace: Trace, each: Told, messages: list[SignallingMessage], *, proven: bool) -> Outcome:
    outermost = messages[0].sealed[0]
    cipher = outermost.facts.content_encryption.name if outermost.facts is not None else ""
    said = f"{outermost.content_type} with {cipher or 'an unnamed cipher'}"
    inside = (
        "The key at hand shows that nothing inside authenticates it either."
        if proven
        else "Whether a signature is inside was not seen: no key at hand opens it."
    )
    return Outcome(
        "violation" if proven else "suspect",
        each.subject,
        confidence="proven" if proven else "heuristic",
        title="Encrypted conference state without integrity",
        message=(
            f"The state of conference {each.conference.uri} went to {each.whom} as {said}, without a signature or MAC "
            f"around it, in {places(trace, messages)}. Whoever is on the path can change the roster unnoticed. {inside}"
        ),
        evidence=proof(messages, "CMS contentType", said, "id-ct-authEnvelopedData, or a signature or MAC"),
        role="focus",
        direction="sent",
        fact=each.subject.id,
        normalised=(said, "integrity"),
    )

"""IMS-EVT-002."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import KMS, bound, encrypting, places, proof, told
from imsinspect.rules.facts import not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import SealedBody, SignallingMessage, Trace

PRE_SHARED, UNKNOWN, UNREAD = "kekri", "ori", "unread"
WORDS = {
    "ktri": "a certificate (key transport)",
    "kari": "a certificate (key agreement)",
    "pwri": "a password",
}


@rule(
    id="IMS-EVT-002",
    name="event-smime-not-psk",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=KMS,
    references=(
        "TS 33.328 Annex G.3.3",
        "TS 33.328 Annex I",
        "TS 33.328 Annex J.1",
        "TR 33.829 §5.3.2.2",
        "RFC 5652 §6.2",
    ),
    needs=(CONFERENCES,),
)
def event_smime_not_psk(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Event package S/MIME keyed by public keys or passwords instead of the MIKEY key.

    What it checks:
        The recipients of the outermost CMS message that encrypts conference state: one of them is to be a
        key-encryption key that both sides hold (kekri). Key transport and key agreement with certificates (ktri, kari)
        and passwords (pwri) alone are not what the profile uses. EncryptedData names no recipient: its key is shared by
        itself.
    Why it matters:
        The key is not bound to the authorisation that the KMS gave: whoever holds a certificate or password can be
        told, and the notifier trusts another authority than the one that the conference rests on.
    What the finding shows:
        The frames, the kinds of recipients, and the algorithms that encrypt their keys.
    How to fix it:
        Seal the bodies under the key of the MIKEY exchange (Prot type for pre-shared key S/MIME), with a
        KEKRecipientInfo that names it.
    When it is not assessed:
        IMS-PROF-005: the profile of the conference is open. N-FRAG: the CMS message could not be taken apart. N-KEY: a
        recipient is of a kind that no standard names (ori), which the profile may define.
    """
    for each in told(trace, scene):
        yield from bound(scene, each.conference, KMS, _bodies(trace, each))


def _bodies(trace: Trace, each: Told) -> Iterator[Outcome]:
    by_kind: dict[str, list[SignallingMessage]] = {}
    for notification, body in encrypting(each.notifications):
        by_kind.setdefault(_kind(body), []).append(notification.message)
    for kind, messages in by_kind.items():
        if kind == PRE_SHARED:
            yield Outcome("pass", each.subject)
        elif kind == UNREAD:
            yield not_assessed(each.subject, "N-FRAG", "the CMS message could not be taken apart")
        elif kind == UNKNOWN:
            reason = "a recipient is of a kind that no standard names, which the profile may define"
            yield not_assessed(each.subject, "N-KEY", reason)
        else:
            yield _other(trace, each, kind, messages)


def _kind(body: SealedBody) -> str:
    """What the key is for: a pre-shared key, an unknown recipient, or the kinds that are there."""
    facts = body.facts
    if facts is None or not facts.encrypted:
        return UNREAD
    kinds = [recipient.kind for recipient in facts.recipients]
    if PRE_SHARED in kinds or facts.content_type_name == "id-encryptedData":
        return PRE_SHARED
    if not kinds:
        return UNREAD
    if UNKNOWN in kinds or "" in kinds:
        return UNKNOWN
    return ", ".join(dict.fromkeys(kinds))


def _other(trace: Trace, each: Told, kinds: str, messages: list[SignallingMessage]) -> Outcome:
    words = " and ".join(WORDS[kind] for kind in kinds.split(", "))
    return Outcome(
        "violation",
        each.subject,
        title="Conference state sealed without the MIKEY key",
        message=(
            f"The state of conference {each.conference.uri} went to {each.whom} in S/MIME whose key is for {words} "
            f"({kinds}), in {places(trace, messages)}. Who may read it is not bound to the authorisation of the KMS. "
            "Not seen: a recipient with a pre-shared key-encryption key."
        ),
        evidence=proof(messages, "CMS recipientInfos", kinds, "kekri"),
        role="focus",
        direction="sent",
        normalised=(kinds, "kekri"),
    )

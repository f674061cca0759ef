"""IMS-EVT-012."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import KMS, bound, encrypting, places, proof, told
from imsinspect.rules.evt.subscribers import participants_of
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import once, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Subscription
    from imsinspect.trace.model import MikeyMessage, Trace


@rule(
    id="IMS-EVT-012",
    name="no-event-key-in-mikey",
    severity=Severity.LOW,
    tier=3,
    profiles=KMS,
    references=("TR 33.829 §5.3.2.2", "TS 33.328 Annex J.1"),
    needs=(CONFERENCES,),
)
def no_event_key_in_mikey(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """S/MIME protected events but no key for them in the MIKEY exchange.

    What it checks:
        Subscribers who are told conference state in S/MIME under a pre-shared key (kekri): the MIKEY messages of their
        legs are to have a crypto session of the Prot type for pre-shared key S/MIME, whose number is configured.
    Why it matters:
        The key of the event package is of unknown origin: nobody can tell whom the KMS authorised to read the roster.
    What the finding shows:
        The MIKEY message with the Prot types of its crypto sessions, and a NOTIFY.
    How to fix it:
        Add a crypto session for pre-shared key S/MIME to the exchange that sets up the media keys.
    When it is not assessed:
        N-PROT: the number of the Prot type is not configured (mikey.prot_type.psk_smime), or a separate exchange in the
        SUBSCRIBE may give the key. N-OA: no MIKEY message of the subscriber was captured. IMS-PROF-005: the profile of
        the conference is open.
    """
    for each in told(trace, scene):
        if each.subscription is not None:
            yield from bound(scene, each.conference, KMS, _subscription(trace, scene, each, each.subscription))


@once
def _by_call(trace: Trace, scene: Scene) -> dict[str, list[MikeyMessage]]:
    """MIKEY messages that could be taken apart, by the call that carried them."""
    out: dict[str, list[MikeyMessage]] = {}
    for message in trace.mikey:
        if message.call and message.record is not None:
            out.setdefault(message.call, []).append(message)
    return out


def _subscription(trace: Trace, scene: Scene, each: Told, subscription: Subscription) -> Iterator[Outcome]:
    under_key = [
        notification.message
        for notification, body in encrypting(each.notifications)
        if body.facts is not None and any(one.kind == "kekri" for one in body.facts.recipients)
    ]
    if not under_key:
        return
    expected = scene.policy.thresholds.mikey_prot_type_psk_smime
    if expected is None:
        yield not_assessed(each.subject, "N-PROT", "the Prot type of pre-shared key S/MIME is not configured")
        return
    if "mikey" in subscription.authenticated_by:
        yield not_assessed(each.subject, "N-PROT", "a separate MIKEY exchange in the SUBSCRIBE may give the key")
        return
    legs = [leg for one in participants_of(trace, scene, each.conference, subscription) for leg in one.legs]
    calls = dict.fromkeys(name for leg in legs for name in (leg.call, *leg.also))
    found = [message for name in calls for message in _by_call(trace, scene).get(name, ())]
    types = {session.prot_type for one in found if one.record is not None for session in one.record.sessions}
    if not found:
        yield not_assessed(each.subject, "N-OA", "no MIKEY message of the subscriber was captured")
        return
    if expected in types:
        yield Outcome("pass", each.subject)
        return
    first = found[0]
    listed = ", ".join(str(number) for number in sorted(types)) or "none"
    yield Outcome(
        "violation",
        each.subject,
        title="No MIKEY key for the event package",
        message=(
            f"{each.whom} is told the state of {each.conference.uri} in S/MIME under a pre-shared key, in "
            f"{places(trace, under_key)}, and its MIKEY exchange in {frame_text(trace, first.frames[0])} has crypto "
            f"sessions of Prot types {listed} only. The origin of the key is unknown. Not seen: a crypto session of "
            f"Prot type {expected}, pre-shared key S/MIME."
        ),
        evidence=(
            Evidence(first.frames[0], "MIKEY Prot types", listed, str(expected)),
            *proof(under_key, "CMS recipientInfos", "kekri", "a key of the MIKEY exchange"),
        ),
        role="subscriber",
        normalised=("no crypto session for S/MIME", "a crypto session for S/MIME"),
    )

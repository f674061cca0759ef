"""IMS-EVT-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import KMS, POST_DECRYPTION, bound, exported, places, proof, told
from imsinspect.rules.facts import not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-EVT-001",
    name="conference-info-clear-g3",
    severity=Severity.HIGH,
    tier=1,
    profiles=KMS,
    references=(
        "TS 33.328 Annex G.3.3",
        "TS 33.328 Annex I",
        "TR 33.829 §5.1.3",
        "TR 33.829 §5.3.2.2",
        "RFC 4575 §8.1",
    ),
    needs=(CONFERENCES,),
)
def conference_info_clear_g3(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference state sent without S/MIME in the KMS profile.

    What it checks:
        The bodies of all NOTIFYs of the conference package, and conference documents in any other message, of
        conferences that use MIKEY-TICKET: they are to be S/MIME that encrypts. A body that S/MIME only signs is the
        object of IMS-EVT-003. One finding stands for one subscription. NOTIFYs without state, and those of other
        packages (a REFER's), are no matter.
    Why it matters:
        Every node on the path reads who takes part, from where and since when, and can change it: participants trust a
        roster that hides a listener. Protection of the hops does not change that inside the core.
    What the finding shows:
        The frames, the Content-Type, the conference, and the subscriber.
    How to fix it:
        Send conference-info documents as application/pkcs7-mime with smime-type authEnveloped-data, under the key that
        the subscriber got by MIKEY (a crypto session for pre-shared key S/MIME).
    When it is not assessed:
        IMS-PROF-005: the profile of the conference is not determined; name it in the policy file. N-SIP, N-FRAG:
        signalling that could not be read may hold NOTIFYs. T-CORE: exported PDUs, or a capture point behind decryption,
        do not show how the body was sent.
    """
    for each in told(trace, scene):
        yield from bound(scene, each.conference, KMS, _body(trace, scene, each))


def _body(trace: Trace, scene: Scene, each: Told) -> Iterator[Outcome]:
    clear = [one.message for one in each.notifications if not one.sealed and not one.signed]
    if not clear:
        if any(one.sealed for one in each.notifications):
            yield Outcome("pass", each.subject)
        return
    known = [message for message in clear if not exported(message)]
    if scene.capture_point == POST_DECRYPTION or not known:
        reason = "exported PDUs and captures behind decryption do not show how bodies were sent"
        yield not_assessed(each.subject, "T-CORE", reason)
        return
    kind = "application/conference-info+xml"
    yield Outcome(
        "violation",
        each.subject,
        title="Conference state readable in SIP",
        message=(
            f"The state of conference {each.conference.uri} went to {each.whom} as readable {kind}, in "
            f"{places(trace, known)}. Every node on the path reads who takes part, and can change what subscribers "
            "believe. No S/MIME around it was seen."
        ),
        evidence=proof(known, "Content-Type", kind, "application/pkcs7-mime, encrypted and authenticated"),
        role="focus" if each.subscription is not None else "",
        direction="sent",
        fact=each.subject.id,
        normalised=("readable conference-info", "S/MIME"),
    )

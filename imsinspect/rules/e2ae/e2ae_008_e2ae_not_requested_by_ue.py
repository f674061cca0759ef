"""IMS-E2AE-008."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.edge import E2AE_PROFILES, OFFERER, indicator, kms_keyed
from imsinspect.rules.e2ae.offers import Offer, beside_secure, best_effort, offers
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-E2AE-008",
    name="e2ae-not-requested-by-ue",
    severity=Severity.HIGH,
    tier=1,
    profiles=E2AE_PROFILES,
    references=("TS 33.328 §7.1.2", "TS 33.328 §7.2.1", "TS 33.328 Annex G.2", "TS 24.229 §7.5.2"),
    follows=("IMS-MSRP-001", "IMS-BFCP-001"),
    needs=(CALLS,),
)
def e2ae_not_requested_by_ue(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """UE offers a line without e2ae although both sides support it.

    What it checks:
        Every offer of a UE whose registration lasts and in which both sides announced media security (sdes-srtp,
        msrp-tls or bfcp-tls with ;mediasec, in Security-Client and in Security-Server): RTP, MSRP and BFCP lines of an
        announced kind have a secure transport and a=3ge2ae:requested, or keys for end-to-end protection.
    Why it matters:
        The line crosses the access network in clear although both of its ends could protect it: the UE is configured
        wrongly, or somebody on the path took the request out of the offer.
    What the finding shows:
        The frames of the registration with both announcements, and the frame of the offer. A line with TLS and a
        fingerprint that only lacks the request is low: early RCS clients do so.
    How to fix it:
        Let the UE offer such lines with RTP/SAVP, TCP/TLS/MSRP or TCP/TLS/BFCP and a=3ge2ae:requested. Compare the
        offer at the UE with the one at the P-CSCF if the UE does so already.
    When it is not assessed:
        N-REG: no registration of the UE that lasts was seen on this hop, or several whose announcements differ. N-DIR:
        nothing shows which end of the hop is the UE. T-OSRTP: the clear line carries keys, or stands beside a secure
        one, and may be protected if the peer can. T-POL: calls to emergency services. IMS-PROF-005: neither
        registrations nor the profile of the call say that e2ae is to be used.
    """
    yield from offers(trace, scene, OFFERER, _judge)


def _judge(offer: Offer) -> Outcome | None:
    """An offered line of a kind that both sides announced; None where end-to-end keys make e2ae needless."""
    media = offer.media
    if indicator(media) == b"requested":
        return Outcome("pass", offer.subject)
    if kms_keyed(media):
        return None
    if media.profile.secure:
        if media.profile.security == "tls" and media.fingerprints:
            return _finding(offer, Severity.LOW, "no a=3ge2ae:requested")
        return None  # SDES or DTLS-SRTP between the ends
    if best_effort(media) or beside_secure(offer):
        return not_assessed(offer.subject, "T-OSRTP", "the clear line may be protected if the peer is able to")
    return _finding(offer, None, "in clear")


def _finding(offer: Offer, severity: Severity | None, what: str) -> Outcome:
    media, trace = offer.media, offer.trace
    frame = offer.negotiation.offer.message.frame
    expected = "a secure transport with a=3ge2ae:requested, or end-to-end keys"
    consequence = (
        "The media of the line is open on the access network although both ends are able to protect it."
        if severity is None
        else "The P-CSCF cannot tell whether protection to the access edge or end to end is meant."
    )
    return Outcome(
        "violation",
        offer.subject,
        severity=severity,
        title=f"UE offers {media.transport} without asking for e2ae security",
        message=(
            f"The UE offers {text(media.type)} line {media.index} of {offer.call.id} with {media.transport} in "
            f"{frame_text(trace, frame)}, {what}; at its registration it and the network had both announced "
            f"{offer.token};mediasec. {consequence} Not seen: any end-to-end key management of the line, and whether "
            "the UE itself or a device on the path left the request out."
        ),
        evidence=(
            *offer.announced.evidence(offer.token),
            Evidence(frame, f"SDP m= line {media.index}", f"{media.transport}, {what}", expected),
        ),
        fact=offer.subject.id,
        role="offerer",
        media=media_name(media),
        direction="from the UE",
        normalised=(f"{media.transport}, {what}", expected),
    )

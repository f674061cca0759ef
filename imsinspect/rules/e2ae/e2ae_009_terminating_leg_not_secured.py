"""IMS-E2AE-009."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.edge import ANSWERER, E2AE_PROFILES
from imsinspect.rules.e2ae.offers import Offer, beside_secure, best_effort, offers
from imsinspect.rules.e2ae.other_side import core_offers
from imsinspect.rules.facts import frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-E2AE-009",
    name="terminating-leg-not-secured",
    severity=Severity.HIGH,
    tier=1,
    profiles=E2AE_PROFILES,
    references=("TS 33.328 §7.3.1", "TS 33.328 Annex G.2", "TS 24.229 §7.5.2"),
    follows=("IMS-MSRP-001", "IMS-BFCP-001"),
    needs=(CALLS,),
)
def terminating_leg_not_secured(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """P-CSCF sends a clear offer to a UE with which e2ae was agreed.

    What it checks:
        Every offer to a UE whose registration lasts and in which both sides announced media security (sdes-srtp,
        msrp-tls or bfcp-tls with ;mediasec, in Security-Client and in Security-Server): RTP, MSRP and BFCP lines of an
        announced kind have a secure transport.
    Why it matters:
        Offers from the core are in clear by design; the P-CSCF has to protect them towards the UE. Where it does not,
        all incoming sessions of the UE are open on the access network.
    What the finding shows:
        The frames of the registration with both announcements, the frame of the offer to the UE, and the offer from the
        core where it was captured.
    How to fix it:
        Let the P-CSCF offer such lines to the UE with RTP/SAVP, TCP/TLS/MSRP or TCP/TLS/BFCP, the key or fingerprint of
        its gateway, and a=3ge2ae:applied. If it does, look for the device on the path that changed the offer.
    When it is not assessed:
        N-REG: no registration of the UE that lasts was seen on this hop, or several whose announcements differ. N-DIR:
        nothing shows which end of the hop is the UE. T-OSRTP: the clear line carries keys, or stands beside a secure
        one, and may be protected if the UE can. T-POL: calls to emergency services. IMS-PROF-005: neither
        registrations nor the profile of the call say that e2ae is to be used.
    """
    yield from offers(trace, scene, ANSWERER, _judge)


def _judge(offer: Offer) -> Outcome:
    """An offered line of a kind that both sides announced."""
    media, trace = offer.media, offer.trace
    if media.profile.secure:
        return Outcome("pass", offer.subject)
    if best_effort(media) or beside_secure(offer):
        return not_assessed(offer.subject, "T-OSRTP", "the clear line may be protected if the peer is able to")
    message = offer.negotiation.offer.message
    expected = "a secure transport with the gateway's key or fingerprint"
    core = next(iter(core_offers(trace, offer.scene, offer.call, media.index, media.profile.family)), None)
    came = "" if core is None else f" The core had offered it with {core[0].transport} in {frame_text(trace, core[1])}."
    unseen = "how the offer came from the core, and " if core is None else ""
    return Outcome(
        "violation",
        offer.subject,
        title=f"{media.transport} offered to a UE that agreed to e2ae security",
        message=(
            f"The network offers {text(media.type)} line {media.index} of {offer.call.id} to the UE with "
            f"{media.transport} in {frame_text(trace, message.frame)}; at the registration both had announced "
            f"{offer.token};mediasec.{came} The media of the line is open on the access network, as that of every such "
            f"call to the UE. Not seen: {unseen}whether the P-CSCF itself or a device on the path left it in clear."
        ),
        evidence=(
            *offer.announced.evidence(offer.token),
            *(() if core is None else (Evidence(core[1], f"SDP m= line {media.index}", core[0].transport, "clear"),)),
            Evidence(message.frame, f"SDP m= line {media.index}", media.transport, expected),
        ),
        fact=offer.subject.id,
        role="offerer",
        media=media_name(media),
        direction="to the UE",
        normalised=(media.transport, expected),
    )

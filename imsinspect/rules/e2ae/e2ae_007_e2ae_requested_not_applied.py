"""IMS-E2AE-007."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.edge import (
    ANSWERER,
    E2AE_PROFILES,
    OFFERER,
    TOKENS,
    announced,
    applies,
    asked_for,
    indicator,
    kms_keyed,
    line_id,
    on_access,
    refused,
    ue_of,
)
from imsinspect.rules.facts import emergency, frame_text, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Negotiation, Trace


@rule(
    id="IMS-E2AE-007",
    name="e2ae-requested-not-applied",
    severity=Severity.HIGH,
    tier=1,
    profiles=E2AE_PROFILES,
    references=(
        "TS 33.328 §7.1.2",
        "TS 33.328 §7.2.1",
        "TS 33.328 Annex G.2",
        "TS 24.229 §7.5.2",
        "TS 23.334 §6.2.10",
    ),
    follows=("IMS-SIG-006", "IMS-SIG-012", "IMS-E2AE-001", "IMS-MSRP-001", "IMS-BFCP-001"),
    needs=(CALLS,),
)
def e2ae_requested_not_applied(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """UE asked for e2ae security and got a clear line.

    What it checks:
        Every line that a UE offers with a secure transport and a=3ge2ae:requested, where the network announced support
        for its kind of media at the registration (sdes-srtp, msrp-tls or bfcp-tls with ;mediasec in Security-Server):
        the answer refuses the line, or accepts it with a secure transport and with the gateway's a=crypto (SRTP) or
        a=fingerprint (TLS).
    Why it matters:
        Both ends of the access are able to protect the line and agreed to; its media crosses the access network in
        clear all the same.
    What the finding shows:
        The frames of offer and answer with both transports, and of the registration in which the network announced its
        support. Where no registration of the UE was seen the finding is only suspected.
    How to fix it:
        Let the P-CSCF apply what it announces: answer with the offered transport and the key or fingerprint of its
        gateway. If it did, look for the device on the path that changed the answer.
    When it is not assessed:
        N-OA: the answer was not seen. T-POL: calls to emergency services go through whatever their security. A network
        that announced no support for this kind of media promised nothing, and lines that are refused with port 0 are
        safe.
    """
    for call in trace.calls:
        yield from worst(
            (name, _judge(trace, scene, call, negotiation, media, name))
            for negotiation in call.negotiations
            for media in negotiation.offer.sdp.media
            if indicator(media) == b"requested" and media.port != 0 and media.profile.secure
            if media.profile.family in TOKENS and applies(scene, call, media.profile.family, (media,))
            for name in (line_id(trace, scene, call, negotiation, media.index),)
        )


def _judge(
    trace: Trace, scene: Scene, call: Call, negotiation: Negotiation, offered: Media, name: str
) -> Outcome | None:
    """One offered line; None where the network promised nothing, or where the request is none of a UE."""
    subject = Subject("media", name)
    if ue_of(scene, negotiation) == ANSWERER or on_access(scene, negotiation.side) is False:
        return None
    if refused(negotiation):
        return None
    if negotiation.answer is None:
        return not_assessed(subject, "N-OA", "the answer to a line for which e2ae was requested was not seen")
    answers = negotiation.answer.sdp.media
    answered = answers[offered.index] if offered.index < len(answers) else None
    if answered is None or answered.port == 0:
        return None
    missing = _missing(offered, answered)
    if not missing:
        return Outcome("pass", subject)
    if emergency(call):
        return not_assessed(subject, "T-POL", "a call to an emergency service goes through without e2ae")
    token = TOKENS[offered.profile.family]
    known = announced(trace, scene, call, negotiation, OFFERER)
    if known is not None and not known.by_network(token) and not asked_for(scene, call):
        return None
    promised = known is not None and known.by_network(token)
    sure = promised or asked_for(scene, call)
    offer, answer = negotiation.offer.message, negotiation.answer.message
    expected = f"{offered.transport} with the gateway's key or fingerprint, or port 0"
    basis = (
        f"The network had announced {token};mediasec at the registration. Not seen: who took the protection away, the "
        "P-CSCF or a device on the path."
        if promised
        else "Not seen: a registration of the UE, and whether the network announced its support there."
    )
    consequence = (
        "Nothing tells the UE which key or certificate is the gateway's: anybody on the path can stand in for it."
        if answered.profile.secure
        else "The media of the line is open on the access network."
    )
    return Outcome(
        "violation" if sure else "suspect",
        subject,
        confidence="proven" if promised else "strong" if sure else "heuristic",
        title=f"Requested protection of the access is not applied: {missing}",
        message=(
            f"The UE asks in {frame_text(trace, offer.frame)} for end-to-access-edge security of "
            f"{text(offered.type)} line {offered.index} of {call.id} ({offered.transport}, a=3ge2ae:requested); the "
            f"answer in {frame_text(trace, answer.frame)} accepts it on port {answered.port} with {missing}. "
            f"{consequence} {basis}"
        ),
        evidence=(
            Evidence(
                offer.frame, f"SDP m= line {offered.index}", f"{offered.transport}, a=3ge2ae:requested", "applied"
            ),
            Evidence(answer.frame, f"SDP m= line {offered.index}", missing, expected),
            *(known.evidence(token) if known is not None else ()),
        ),
        fact=name,
        role="answerer",
        media=media_name(offered),
        normalised=(missing, expected),
    )


def _missing(offered: Media, answered: Media) -> str:
    """What the answer lacks of protection; "" for nothing."""
    if not answered.profile.secure:
        return answered.transport
    if kms_keyed(answered):
        return ""
    if answered.profile.security in ("tls", "dtls"):
        return "" if answered.fingerprints else f"{answered.transport} without a=fingerprint"
    return "" if answered.crypto else f"{answered.transport} without a=crypto"

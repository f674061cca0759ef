"""Offers on the hop between UE and P-CSCF beside what the registration announced for their kind of media."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.e2ae.edge import (
    PEER,
    TOKENS,
    announced,
    applies,
    line_id,
    on_access,
    refused,
    ue_of,
    undetermined,
)
from imsinspect.rules.facts import emergency, not_assessed, worst
from imsinspect.rules.outcome import Outcome, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.e2ae.edge import Announced
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Negotiation, Trace

KEYED = (b"\na=crypto:", b"\na=key-mgmt:", b"\na=fingerprint:", b"\na=pcfg:", b"\na=acap:")
"""Lines that a clear transport with best-effort protection carries (RFC 8643, RFC 5939)."""


@dataclass(slots=True, frozen=True)
class Offer:
    """A line that is offered between UE and P-CSCF, of a kind that both announced at the registration."""

    trace: Trace
    scene: Scene
    call: Call
    negotiation: Negotiation
    media: Media
    subject: Subject
    token: str
    announced: Announced


def offers(trace: Trace, scene: Scene, ue: str, judge: Callable[[Offer], Outcome | None]) -> Iterator[Outcome]:
    """What a rule says of the lines in offers whose UE is the offerer, or the answerer; what is missing is said."""
    for call in trace.calls:
        yield from worst(
            (media.index, _offer(trace, scene, ue, judge, call, negotiation, media))
            for negotiation in call.negotiations
            if negotiation.side != "core" and not negotiation.offer_assumed and not refused(negotiation)
            for media in negotiation.offer.sdp.media
            if media.port != 0 and media.profile.family in TOKENS and not _line_refused(negotiation, media.index)
        )


def _line_refused(negotiation: Negotiation, index: int) -> bool:
    """The answer took the line out: nothing is sent on it."""
    if negotiation.answer is None:
        return False
    answered = negotiation.answer.sdp.media
    return index < len(answered) and answered[index].port == 0


def _offer(
    trace: Trace,
    scene: Scene,
    ue: str,
    judge: Callable[[Offer], Outcome | None],
    call: Call,
    negotiation: Negotiation,
    media: Media,
) -> Outcome | None:
    known_ue = ue_of(scene, negotiation)
    if known_ue == PEER[ue]:
        return None
    family = media.profile.family
    token = TOKENS[family]
    subject = Subject("media", line_id(trace, scene, call, negotiation, media.index))
    choice = scene.profiles.get(call.id)
    applicable = applies(scene, call, family, (media,))
    if applicable is False and choice is not None and not choice.inferred:
        return None
    known = announced(trace, scene, call, negotiation, ue)
    if known is not None and not known.both(token):
        return None
    if known_ue and known is not None:
        outcome = judge(Offer(trace, scene, call, negotiation, media, subject, token, known))
        if outcome is not None and outcome.verdict == "violation" and emergency(call):
            return not_assessed(subject, "T-POL", "a call to an emergency service goes through without e2ae")
        return outcome
    if media.profile.secure or applicable is False:
        return None
    if not known_ue and announced(trace, scene, call, negotiation, PEER[ue]) is not None:
        return None  # the other end registered here
    if applicable is None:
        return undetermined(subject)
    if known_ue:
        return not_assessed(subject, "N-REG", "no registration of the UE with what both sides announce was seen")
    if on_access(scene, negotiation.side) is None and negotiation.side == "unknown":
        return not_assessed(subject, "N-DIR", "nothing shows whether the hop of the offer is between UE and P-CSCF")
    return not_assessed(subject, "N-DIR", "nothing shows which end of the hop is the UE")


def best_effort(media: Media) -> bool:
    """A clear transport whose section carries keys or secure alternatives (T-OSRTP)."""
    text = media.section.text
    return any(each in text for each in KEYED)


def beside_secure(offer: Offer) -> bool:
    """The same kind of media is offered with a secure transport as well: one of both is meant to be refused."""
    return any(
        each.type == offer.media.type and each.port != 0 and each.profile.secure
        for each in offer.negotiation.offer.sdp.media
    )

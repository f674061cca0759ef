"""The same call on other hops: offers in the core, and at the access of the other party."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Negotiation, Trace

MAX_LEGS = 8
MAX_NEGOTIATIONS = 32  # of one leg that are looked at


@once
def _calls(trace: Trace, scene: Scene) -> dict[str, Call]:
    return {call.id: call for call in trace.calls}


def legs(trace: Trace, scene: Scene, call: Call) -> Iterator[Call]:
    """A call, and the other legs of it."""
    yield call
    calls = _calls(trace, scene)
    for name in call.related[:MAX_LEGS]:
        if name in calls:
            yield calls[name]


def negotiations(trace: Trace, scene: Scene, call: Call, side: str) -> Iterator[Negotiation]:
    """What was negotiated on the hops of one side, on all legs of a call."""
    for leg in legs(trace, scene, call):
        for negotiation in leg.negotiations[:MAX_NEGOTIATIONS]:
            if negotiation.side == side:
                yield negotiation


def core_offers(trace: Trace, scene: Scene, call: Call, index: int, family: str) -> Iterator[tuple[Media, FrameId]]:
    """How a line was offered in the core, with the frames."""
    for negotiation in negotiations(trace, scene, call, "core"):
        offered = negotiation.offer.sdp.media
        if index < len(offered) and offered[index].profile.family == family and offered[index].port != 0:
            yield offered[index], negotiation.offer.message.frame

"""What rules about MSRP share: the media lines of messages, as each negotiation has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace


def msrp_lines(trace: Trace) -> Iterator[tuple[Call, MediaLine]]:
    """Lines that were ever offered or answered with a transport of MSRP."""
    for call in trace.calls:
        for line in call.lines:
            if any(media.profile.family == "msrp" for state in line.states for _, media in sides(state)):
                yield call, line


def sides(state: LineState) -> Iterator[tuple[str, Media]]:
    """Both sides of a state, with their roles."""
    yield "offerer", state.offered
    if state.answered is not None:
        yield "answerer", state.answered


def settled(state: LineState) -> bool:
    """The state is agreed: not only previewed in a provisional response of a request that was refused."""
    return state.accepted and not (state.negotiation.rejected and state.negotiation.provisional)


def side_of(line: MediaLine, state: LineState) -> str:
    """Which side of the P-CSCF a state was agreed on: "access", "core", "unknown"."""
    return state.negotiation.side if state.negotiation.side != "unknown" else line.side

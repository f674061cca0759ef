"""What the rules about floor control share: the lines that agreed to it, and the ids that they assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.trace.model import Call, LineState, MediaLine, Trace


def floor_lines(trace: Trace) -> Iterator[tuple[Call, MediaLine, list[LineState]]]:
    """Lines of floor control with the states in which they were accepted."""
    for call in trace.calls:
        for line in call.lines:
            if not line.states or line.states[-1].offered.profile.family != "bfcp":
                continue
            states = [
                state
                for state in line.states
                if state.accepted and not (state.negotiation.rejected and state.negotiation.provisional)
            ]
            if states:
                yield call, line, states


def assigned(line: MediaLine) -> tuple[set[int], set[int]]:
    """The user ids and the conference ids that the descriptions of a line assign (RFC 8856 §5.2, §5.3)."""
    users: set[int] = set()
    conferences: set[int] = set()
    for state in line.states:
        for media in (state.offered, state.answered):
            if media is not None:
                users |= {media.userid} if media.userid is not None else set()
                conferences |= {media.confid} if media.confid is not None else set()
    return users, conferences

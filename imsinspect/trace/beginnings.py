"""How connections begin: who opened them, and what the first octets are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.capture.signalling import ACK, SYN
from imsinspect.trace.model import Beginning, MediaConnection, Place

if TYPE_CHECKING:
    from imsinspect.capture.signalling import Segment
    from imsinspect.trace.connections import JoinedConnection
    from imsinspect.trace.model import Protection

SHOWN = 32  # octets kept of a beginning
LOOKED_AT = 64  # segments among which the first is looked for: they may have changed places


def beginning_of(segments: list[Segment]) -> Beginning | None:
    """The first octets of a connection; None where none was captured."""
    first = next((each for each in segments if each.data), None)
    if first is None:
        return None
    opened = next((each for each in segments if each.flags & SYN and each.forward == first.forward), None)
    expected = (opened.sequence + 1) & 0xFFFFFFFF if opened is not None else -1
    exact = (each for each in segments[:LOOKED_AT] if each.data and each.sequence == expected)
    found = next((each for each in exact if each.forward == first.forward), None)
    each = found or first
    return Beginning(each.frame, each.time, each.forward, each.data[:SHOWN], found is not None)


def media_connection(each: JoinedConnection, protection: Protection) -> MediaConnection:
    """The record of a TCP connection; its id is given when it is known to be kept."""
    first, last = each.segments[0], each.segments[-1]
    opened = next((found for found in each.segments if found.flags & SYN and not found.flags & ACK), None)
    return MediaConnection(
        id="",
        transport="tcp",
        kind=each.kind,
        client=each.first,
        server=each.second,
        first=Place(first.frame, first.time),
        last=Place(last.frame, last.time),
        opened=opened.frame if opened is not None else None,
        begins=beginning_of(each.segments),
        protection=protection,
    )

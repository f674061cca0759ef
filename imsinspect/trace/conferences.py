"""The conferences of a trace (rules.md 17.5 to 17.9).

A conference is shown by a Contact with isfocus, by somebody who serves its event package, or by its documents; calls
with its URI belong to it then. A call without any of these is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import SignallingMessage, Trace

OF_EVENTS = frozenset((b"SUBSCRIBE", b"NOTIFY"))


def build_conferences(trace: Trace) -> list[Conference]:
    """The conferences of a trace whose calls are built, sides marked and legs related; calls are told theirs."""
    if not any(_hints(message) for message in trace.messages):
        return []
    from imsinspect.trace.conference_builder import build  # with XML: loaded where there may be a conference

    return build(trace)


def _hints(message: SignallingMessage) -> bool:
    head = message.sip.head
    return b"isfocus" in head or (message.sip.method in OF_EVENTS and b"conference" in head.lower())

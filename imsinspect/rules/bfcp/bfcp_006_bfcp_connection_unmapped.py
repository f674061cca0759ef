"""IMS-BFCP-006."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.bfcp.lines import floor_lines
from imsinspect.rules.facts import frame_text, not_assessed, text
from imsinspect.rules.needs import BFCP
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace

CONSISTENT = 3  # messages that are no chance
SHOWN = 5


@rule(
    id="IMS-BFCP-006",
    name="bfcp-connection-unmapped",
    severity=Severity.MEDIUM,
    tier=3,
    profiles=("ALL",),
    references=("RFC 8856 §5", "RFC 8856 §10", "TS 24.147 §8"),
    needs=(BFCP,),
)
def bfcp_connection_unmapped(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """BFCP traffic without a negotiated line.

    What it checks:
        Floor control between two ends, in at least 3 messages, that no media line of the capture announces, while its
        floor control server is one that the descriptions of others announce.
    Why it matters:
        Floor control stems from an offer and an answer, which authenticate the participant and assign his ids. A client
        without them is one that nobody let in.
    What the finding shows:
        The first messages, and the server that other lines announce.
    How to fix it:
        Let the floor control server accept connections only of those that it expects from an offer and answer.
    When it is not assessed:
        N-SIP: no description in the capture announces floor control of this server, so that the signalling of this
        connection may have passed elsewhere; it may be of another system. T-MID: dialogs were joined by the capture
        when they were running.
    """
    hosts = {
        text(media.connection)
        for _, line, states in floor_lines(trace)
        for state in states
        for media in (state.offered, state.answered)
        if media is not None
    }
    late = any(not call.negotiations for call in trace.calls)
    for connection in trace.floors:
        subject = Subject("floor", connection.id)
        if connection.lines:
            yield Outcome("pass", subject)
            continue
        if len(connection.messages) < CONSISTENT:
            continue
        server = connection.server
        if server is None or server.ip not in hosts:
            reason = "no session description in the capture announces floor control of this server"
            yield not_assessed(subject, "N-SIP", reason)
            continue
        if late:
            yield not_assessed(subject, "T-MID", "dialogs were running when the capture began")
            continue
        first = connection.messages[0]
        yield Outcome(
            "violation",
            subject,
            confidence="strong",
            title="Floor control of somebody without a dialog",
            message=(
                f"{len(connection.messages)} BFCP messages pass between {connection.ends[0]} and {connection.ends[1]}, "
                f"the first a {first.name} in {frame_text(trace, first.frame)}; {server.ip} is the floor control "
                "server of other participants, and no line of the capture announces this connection. A client that "
                "nobody let in may take part. Not seen: an offer and answer for it."
            ),
            evidence=tuple(
                Evidence(each.frame, "BFCP primitive", each.name, "an m= line that announces the connection")
                for each in connection.messages[:SHOWN]
            ),
            role="client",
            normalised=("BFCP without an m= line", "an m= line"),
        )

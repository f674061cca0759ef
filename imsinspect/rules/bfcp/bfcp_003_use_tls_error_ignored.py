"""IMS-BFCP-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.needs import BFCP
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.floor import FloorConnection, FloorMessage
    from imsinspect.trace.model import Trace

USE = {9: "Use TLS", 11: "Use DTLS"}
OPENED = frozenset((Protection.OPENED,))


@rule(
    id="IMS-BFCP-003",
    name="use-tls-error-ignored",
    severity=Severity.MEDIUM,
    tier=3,
    profiles=("ALL",),
    references=("RFC 8855 §9.1", "RFC 8855 §13.8"),
    needs=(BFCP,),
)
def use_tls_error_ignored(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Server demands TLS, client keeps sending in clear.

    What it checks:
        Floor control in clear in which the server answered with Error 9 (Use TLS) or 11 (Use DTLS): what comes behind
        it between the same two ends must not be requests in clear that the server serves.
    Why it matters:
        The server knows that the connection has to be protected and yet goes on without: requests and grants stay
        readable. Or the error was forged, to keep a participant from the floor.
    What the finding shows:
        The Error, the next request in clear, and the answer that serves it.
    How to fix it:
        Let the client connect anew with TLS or DTLS, and let the server serve nothing in clear once it has refused.
    When it is not assessed:
        N-MED: behind the Error comes a request in clear whose answer was not captured.
    """
    for connection in trace.floors:
        if connection.protection not in OPENED:
            outcome = _connection(trace, connection)
            if outcome is not None:
                yield outcome


def _connection(trace: Trace, connection: FloorConnection) -> Outcome | None:
    demand = next((each for each in connection.messages if each.error_code in USE), None)
    if demand is None:
        return None
    subject = Subject("floor", connection.id)
    later = [each for each in connection.messages if (each.time, each.frame) > (demand.time, demand.frame)]
    asked: dict[tuple[int, int], FloorMessage] = {}
    for each in later:
        if each.to_server:
            asked[each.conference_id, each.transaction_id] = each
            continue
        request = asked.get((each.conference_id, each.transaction_id))
        if request is None or each.error_code is not None or not each.from_server:
            continue
        told = f"Error {demand.error_code} ({USE[demand.error_code or 0]})"
        return Outcome(
            "violation",
            subject,
            title="Floor control in clear is served after the server demanded protection",
            message=(
                f"{demand.source} answers with {told} in {frame_text(trace, demand.frame)}; the {request.name} in "
                f"{frame_text(trace, request.frame)} from {request.source} is in clear all the same, and the "
                f"{each.name} in {frame_text(trace, each.frame)} serves it. Requests and grants stay readable. Not "
                "seen: TLS or DTLS between the two."
            ),
            evidence=(
                Evidence(demand.frame, "BFCP ERROR-CODE", told, "no more floor control in clear"),
                Evidence(request.frame, "BFCP primitive", f"{request.name} in clear", "a TLS or DTLS handshake"),
                Evidence(each.frame, "BFCP primitive", each.name, told),
            ),
            role="client",
            normalised=("served in clear", told),
        )
    if asked:
        return not_assessed(subject, "N-MED", "the answer to a request in clear behind the Error was not captured")
    return Outcome("pass", subject)

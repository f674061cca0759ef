"""IMS-BFCP-004."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.bfcp.lines import assigned, floor_lines
from imsinspect.rules.facts import counted, frame_text, media_name, not_assessed
from imsinspect.rules.needs import FLOOR_LINES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.floor import FloorConnection, FloorMessage
    from imsinspect.trace.model import MediaLine, Trace

SHOWN = 10


@rule(
    id="IMS-BFCP-004",
    name="bfcp-user-id-not-authorised",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.3", "RFC 8855 §9", "RFC 8855 §9.1", "RFC 8856 §5.2", "RFC 8856 §5.3"),
    needs=(FLOOR_LINES,),
)
def bfcp_user_id_not_authorised(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """User ID in floor messages was not assigned to this connection.

    What it checks:
        The User ID and the Conference ID of the messages that clients send, in clear or opened with a key, beside what
        a=userid and a=confid of the lines on this connection assign. A message with other ids must be answered with an
        Error. BENEFICIARY-ID is no User ID: a chair asks for others under his own.
    Why it matters:
        The server tells participants apart by these numbers. Where it takes any number, anybody speaks on behalf of
        others or takes the floor from them.
    What the finding shows:
        The message, the ids that were assigned, and the server's answer.
    How to fix it:
        Let the floor control server accept on each connection the ids that it assigned to it, and no others.
    When it is not assessed:
        N-KEY: the floor control is inside TLS or DTLS that could not be opened. N-MED: no floor control of the line, or
        no answer to a message with other ids, was captured. N-SIP: signalling that could not be read.
    """
    tied: dict[int, list[FloorConnection]] = {}
    for connection in trace.floors:
        for line in connection.lines:
            tied.setdefault(id(line), []).append(connection)
    seen: set[str] = set()
    for _, line, _ in floor_lines(trace):
        if not any(assigned(line)):
            continue
        connections = tied.get(id(line), [])
        if not connections:
            yield _without(line)
        for connection in connections:
            if connection.id not in seen:
                seen.add(connection.id)
                yield _connection(trace, connection, line)


def _without(line: MediaLine) -> Outcome:
    subject = Subject("media", line.id)
    if any(session.client_records or session.server_records for session in line.tls_sessions):
        return not_assessed(subject, "N-KEY", "the floor control is inside TLS or DTLS that could not be opened")
    return not_assessed(subject, "N-MED", "no floor control of the line was captured")


def _connection(trace: Trace, connection: FloorConnection, line: MediaLine) -> Outcome:
    """All lines of a connection count: several dialogs of one user may share it."""
    users: set[int] = set()
    conferences: set[int] = set()
    for each in connection.lines:
        some_users, some_conferences = assigned(each)
        users |= some_users
        conferences |= some_conferences
    subject = Subject("floor", connection.id)
    strange = [
        each
        for each in connection.messages
        if each.to_server
        and ((users and each.user_id not in users) or (conferences and each.conference_id not in conferences))
    ]
    if not strange:
        return Outcome("pass", subject)
    answers = {
        (each.conference_id, each.transaction_id, each.destination): each
        for each in connection.messages
        if each.from_server
    }
    served = [
        (each, answer)
        for each in strange
        if (answer := answers.get((each.conference_id, each.transaction_id, each.source))) is not None
        and answer.error_code is None
    ]
    if served:
        return _served(trace, connection, line, served, users, conferences)
    if any((each.conference_id, each.transaction_id, each.source) not in answers for each in strange):
        return not_assessed(subject, "N-MED", "no answer to a message with ids that were not assigned was captured")
    return Outcome("pass", subject)


def _served(
    trace: Trace, connection: FloorConnection, line: MediaLine, served: list[tuple[FloorMessage, FloorMessage]],
    users: set[int], conferences: set[int],
) -> Outcome:  # fmt: skip
    message, answer = served[0]
    required = _ids(users, conferences)
    observed = f"User ID {message.user_id}, Conference ID {message.conference_id}"
    return Outcome(
        "violation",
        Subject("floor", connection.id),
        title="Floor control under an id that was not assigned",
        message=(
            f"The {message.name} from {message.source} in {frame_text(trace, message.frame)} has {observed}, where the "
            f"descriptions of {line.id} assign {required}; {answer.source} answers with {answer.name} in "
            f"{frame_text(trace, answer.frame)} ({counted(len(served), 'message')} in all). Who sends other ids speaks "
            "for others. Not seen: an Error."
        ),
        evidence=tuple(
            evidence
            for one, other in served[:SHOWN]
            for evidence in (
                Evidence(
                    one.frame, "BFCP User ID", f"User ID {one.user_id}, Conference ID {one.conference_id}", required
                ),
                Evidence(other.frame, "BFCP primitive", other.name, "Error"),
            )
        ),
        role="client",
        media=media_name(line.states[-1].offered),
        normalised=("ids that were not assigned, served", "Error"),
    )


def _ids(users: set[int], conferences: set[int]) -> str:
    parts = [f"User ID {' or '.join(map(str, sorted(users)))}"] if users else []
    parts += [f"Conference ID {' or '.join(map(str, sorted(conferences)))}"] if conferences else []
    return ", ".join(parts)

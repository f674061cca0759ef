"""IMS-BFCP-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.bfcp.lines import floor_lines
from imsinspect.rules.facts import GRACE, counted, frame_text, media_name, not_assessed
from imsinspect.rules.needs import FLOOR_LINES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.floor import FloorConnection, FloorMessage
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

PROFILES = ("G2", "G3", "TR-KMS")
SHOWN = 10


@rule(
    id="IMS-BFCP-005",
    name="bfcp-outside-membership",
    severity=Severity.MEDIUM,
    tier=3,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.1", "TR 33.829 §5.1.3", "RFC 8855 §14"),
    needs=(FLOOR_LINES,),
)
def bfcp_outside_membership(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Floor control after leaving or before joining.

    What it checks:
        The BFCP messages on the connection of a participant, in clear or opened with a key: none may pass before its
        INVITE was accepted, nor later than 5 seconds after its BYE. That the connection itself lingers does not matter.
        A connection that other lines use as well, whose dialogs last, is no object.
    Why it matters:
        Only who is present takes part. Who gets floor status after leaving follows the meeting.
    What the finding shows:
        The messages, and when the participant joined and left.
    How to fix it:
        Let the floor control server close the connection with the dialog, and accept none before it.
    When it is not assessed:
        N-KEY: TLS or DTLS that could not be opened lasted longer than the dialog. T-MID: the capture ends, or begins,
        inside the dialog. IMS-PROF-005: the profile of the call is not determined. N-SIP: signalling that could not be
        read.
    """
    tied: dict[int, list[FloorConnection]] = {}
    for connection in trace.floors:
        for line in connection.lines:
            tied.setdefault(id(line), []).append(connection)
    ends = {call.id: call.ended_at for call in trace.calls}
    for call, line, states in floor_lines(trace):
        covered = scene.covers(call.id, PROFILES)
        if covered is False:
            continue
        outcome = _line(trace, call, line, states, tied.get(id(line), []), ends)
        if outcome is None:
            continue
        if covered is None and outcome.verdict != "not-assessed":
            subject = Subject("media", line.id)
            outcome = not_assessed(subject, "IMS-PROF-005", "the profile of the call is not determined")
        yield outcome


def _line(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], connections: list[FloorConnection],
    ends: dict[str, int | None],
) -> Outcome | None:  # fmt: skip
    subject = Subject("media", line.id)
    joined = min(state.answered_at for state in states if state.answered_at is not None)
    left = call.ended_at
    outside: list[FloorMessage] = []
    for connection in connections:
        others = [ends.get(each.call) for each in connection.lines if each is not line]
        if any(each is None or (left is not None and each > left) for each in others):
            continue
        outside += [
            each
            for each in connection.messages
            if each.time < joined or (left is not None and each.time > left + GRACE)
        ]
    if outside:
        return _outside(trace, call, line, outside, joined)
    sealed = [session for session in line.tls_sessions if not session.opened and session.client_records]
    if left is not None and any(session.last.time > left + GRACE for session in sealed):
        return not_assessed(subject, "N-KEY", "TLS or DTLS that could not be opened lasted longer than the dialog")
    if left is None and (connections or sealed):
        return not_assessed(subject, "T-MID", "the end of the dialog is not in the capture")
    return Outcome("pass", subject) if connections or sealed else None


def _outside(trace: Trace, call: Call, line: MediaLine, outside: list[FloorMessage], joined: int) -> Outcome:
    first = outside[0]
    early = first.time < joined
    when = "before the INVITE was accepted" if early else "more than 5 seconds after the BYE"
    edge = next((each.frame for each in call.messages if each.time >= joined), call.messages[0].frame)
    if not early:
        edge = next((each.frame for each in call.messages if each.sip.cseq_method == b"BYE"), call.messages[-1].frame)
    return Outcome(
        "violation",
        Subject("media", line.id),
        title=f"Floor control {when}",
        message=(
            f"{counted(len(outside), 'BFCP message')} on the connection of {line.id}, the first a {first.name} from "
            f"{first.source} in {frame_text(trace, first.frame)}, {'pass' if len(outside) > 1 else 'passes'} {when} "
            f"({frame_text(trace, edge)}). Who is not present takes part in floor control. Not seen: another dialog "
            "that uses the connection."
        ),
        evidence=(
            Evidence(edge, "SIP", "joins" if early else "leaves", "floor control in between only"),
            *(Evidence(each.frame, "BFCP primitive", f"{each.name} {when}", "none") for each in outside[:SHOWN]),
        ),
        role="terminal",
        media=media_name(line.states[-1].offered),
        normalised=(f"BFCP {when}", "none"),
    )

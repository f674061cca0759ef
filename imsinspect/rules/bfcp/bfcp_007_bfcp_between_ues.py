"""IMS-BFCP-007."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.bfcp.lines import floor_lines
from imsinspect.rules.facts import agreement, frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import FLOOR_LINES
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

PROFILES = ("G2", "G3")


@rule(
    id="IMS-BFCP-007",
    name="bfcp-between-ues",
    severity=Severity.LOW,
    tier=3,
    profiles=PROFILES,
    references=("TR 29.828 §7.1.1.3",),
    needs=(FLOOR_LINES,),
)
def bfcp_between_ues(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Floor control negotiated directly between two UEs.

    What it checks:
        Every accepted line of floor control: one of its ends must be the conference server. A dialog with a focus
        passes; in any other, the addresses of both sides are compared with those of the UEs that registered.
    Why it matters:
        In this architecture every floor is the conference server's. Floor control between two UEs is outside every
        security profile: a rogue server, or a wrong configuration.
    What the finding shows:
        The frames of offer and answer, and both addresses.
    How to fix it:
        Find out which of both acts as server (a=floorctrl), and why it is not the conference server.
    When it is not assessed:
        N-DIR: nothing shows that both ends are UEs; a media proxy may hide the server. IMS-PROF-005: the profile of the
        call is not determined. N-SIP: signalling that could not be read.
    """
    registered = {
        message.source.ip
        for registration in trace.registrations
        for message in registration.messages
        if message.sip.method == b"REGISTER" and len(message.sip.header_values(b"via")) == 1
    }
    for call, line, states in floor_lines(trace):
        covered = scene.covers(call.id, PROFILES)
        subject = Subject("media", line.id)
        if covered is False:
            continue
        if call.conference:
            yield Outcome("pass", subject)
        elif covered is None:
            yield not_assessed(subject, "IMS-PROF-005", "the profile of the call is not determined")
        else:
            yield _line(trace, call, line, states[0], registered)


def _line(trace: Trace, call: Call, line: MediaLine, state: LineState, registered: set[str]) -> Outcome:
    subject = Subject("media", line.id)
    offered, answered = state.offered, state.answered or state.offered
    ends = [text(offered.connection), text(answered.connection)]
    if not all(each in registered for each in ends):
        return not_assessed(subject, "N-DIR", "nothing shows that both ends of the floor control are UEs")
    answer = state.negotiation.answer
    return Outcome(
        "violation",
        subject,
        confidence="strong",
        title="Floor control between two UEs",
        message=(
            f"Line {line.index} of {call.id} agrees floor control between {ends[0]} and {ends[1]} in "
            f"{frame_text(trace, answer.message.frame) if answer is not None else 'the capture'}; both addresses are "
            "of UEs that registered. A floor that is not the conference server's is outside every security profile. "
            "Not seen: a focus in the dialog."
        ),
        evidence=agreement(state),
        role="answerer",
        media=media_name(offered),
        normalised=("BFCP between two UEs", "one end is the conference server"),
    )

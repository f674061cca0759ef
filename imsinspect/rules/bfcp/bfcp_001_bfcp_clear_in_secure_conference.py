"""IMS-BFCP-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.bfcp.lines import floor_lines
from imsinspect.rules.facts import agreement, frame_text, media_name, not_assessed
from imsinspect.rules.needs import FLOORS
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

GRAVE = ("G3", "TR-KMS", "E2AE-BFCP")
EDGE = ("E2AE-RTP", "E2AE-MSRP", "E2AE-BFCP")


@rule(
    id="IMS-BFCP-001",
    name="bfcp-clear-in-secure-conference",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=(
        "TR 33.829 §5.1.2",
        "TR 33.829 §5.1.3",
        "TS 33.328 Annex G.2",
        "TS 33.328 Annex G.3.2",
        "TR 29.828 §7.1.1.3",
        "RFC 8855 §7",
        "RFC 8855 §14",
    ),
    needs=(FLOORS,),
)
def bfcp_clear_in_secure_conference(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Floor control negotiated without TLS in a secure conference.

    What it checks:
        Every line of floor control that was accepted: its transport must be secured (TCP/TLS/BFCP). The finding is high
        where the profile is G3, TR-KMS or end-to-access-edge protection of BFCP; medium where it is TR-SDES or G2, or
        not determined. In the core, behind an access edge, the line is in clear by design and no object. UDP/BFCP in a
        G3 conference is the object of IMS-BFCP-002.
    Why it matters:
        Who listens sees who wants to speak and who may; who stands on the path forges requests and grants.
    What the finding shows:
        The frames of offer and answer, the transport, and the profile that decided the severity.
    How to fix it:
        Offer and answer floor control as TCP/TLS/BFCP, keyed as the other media of the leg are.
    When it is not assessed:
        N-SIP: floor control was seen, and no session description that announces it; or signalling that could not be
        read. N-OA: the answer was not seen. N-DIR: the leg is protected to the access edge, and nothing shows on which
        side of the P-CSCF the line was captured. N-FRAG: signalling that was cut.
    """
    announced = False
    for call, line, states in floor_lines(trace):
        announced = True
        outcome = _line(trace, scene, call, line, states)
        if outcome is not None:
            yield outcome
    for call in trace.calls:
        for line in call.lines:
            if _unanswered(call, line):
                announced = True
                reason = "the answer to the offer of floor control in clear was not seen"
                yield not_assessed(Subject("media", line.id), "N-OA", reason)
    if not announced:
        for connection in trace.floors:
            reason = "floor control passes that no session description in the capture announces"
            yield not_assessed(Subject("floor", connection.id), "N-SIP", reason)


def _line(trace: Trace, scene: Scene, call: Call, line: MediaLine, states: list[LineState]) -> Outcome | None:
    subject = Subject("media", line.id)
    clear = [state for state in states if state.answered is not None and not state.answered.profile.secure]
    if not clear:
        return Outcome("pass", subject)
    state = clear[0]
    answered = state.answered or state.offered
    if scene.covers(call.id, ("G3",)) and answered.transport == "UDP/BFCP":
        return None
    if scene.covers(call.id, EDGE):
        side = state.negotiation.side if state.negotiation.side != "unknown" else line.side
        if side == "core":
            return None
        if side == "unknown" and scene.capture_point not in ("access", "ue"):
            return not_assessed(subject, "N-DIR", "nothing shows on which side of the P-CSCF the line was captured")
    grave = scene.covers(call.id, GRAVE)
    choice = scene.profiles.get(call.id)
    profile = "the profile is not determined" if choice is None or choice.name == "open" else f"profile {choice.name}"
    answer = state.negotiation.answer
    return Outcome(
        "violation",
        subject,
        severity=None if grave else Severity.MEDIUM,
        title=f"Floor control agreed as {answered.transport}",
        message=(
            f"Line {line.index} of {call.id} is accepted as {answered.transport} in "
            f"{frame_text(trace, answer.message.frame) if answer is not None else 'the capture'} ({profile}). Requests "
            "for the floor and grants of it can be read and forged on the path. Not seen: TCP/TLS/BFCP on either side."
        ),
        evidence=agreement(state),
        fact=line.id,
        role="answerer",
        media=media_name(answered),
        normalised=(answered.transport, "TCP/TLS/BFCP"),
    )


def _unanswered(call: Call, line: MediaLine) -> bool:
    return (
        call.state not in ("failed", "cancelled")
        and any(
            state.offered.profile.family == "bfcp"
            and not state.offered.profile.secure
            and state.offered.port != 0
            and not state.negotiation.rejected
            for state in line.states
        )
        and all(state.answered is None for state in line.states)
    )

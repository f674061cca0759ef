"""IMS-BFCP-002."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.bfcp.lines import floor_lines
from imsinspect.rules.facts import agreement, frame_text, media_name, not_assessed
from imsinspect.rules.needs import FLOOR_LINES
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace

PROFILES = ("G3",)
ALLOWED = frozenset(("TCP/TLS/BFCP", "TCP/BFCP"))  # the latter is the object of IMS-BFCP-001


@rule(
    id="IMS-BFCP-002",
    name="bfcp-transport-not-allowed",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.3.2", "TR 29.828 §7.1.1.3", "RFC 8856 §4"),
    needs=(FLOOR_LINES,),
)
def bfcp_transport_not_allowed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """BFCP over a transport outside the profile.

    What it checks:
        Every line of floor control that was accepted in a G3 conference: the profile names TCP/TLS/BFCP and no other
        transport. In clear (UDP/BFCP) the finding is high; over DTLS (UDP/TLS/BFCP, TCP/DTLS/BFCP) or WebSockets it is
        medium, because it is protected and yet keyed by nothing that the profile defines.
    Why it matters:
        The keys of a TLS crypto session of MIKEY are defined for TLS over TCP. Over another transport the floor control
        is unprotected, or protected by keys that no KMS vouches for.
    What the finding shows:
        The frames of offer and answer, and the transport.
    How to fix it:
        Offer and accept floor control as TCP/TLS/BFCP only.
    When it is not assessed:
        IMS-PROF-005: the profile of the call is not determined. N-SIP: signalling that could not be read. N-FRAG:
        signalling that was cut.
    """
    for call, line, states in floor_lines(trace):
        covered = scene.covers(call.id, PROFILES)
        if covered is False:
            continue
        subject = Subject("media", line.id)
        other = [state for state in states if state.answered is not None and state.answered.transport not in ALLOWED]
        if not other:
            if covered:
                yield Outcome("pass", subject)
            continue
        if covered is None:
            yield not_assessed(subject, "IMS-PROF-005", "the profile of the call is not determined")
            continue
        state = other[0]
        answered = state.answered or state.offered
        answer = state.negotiation.answer
        clear = not answered.profile.secure
        yield Outcome(
            "violation",
            subject,
            severity=Severity.HIGH if clear else None,
            title=f"Floor control over {answered.transport} in a G3 conference",
            message=(
                f"Line {line.index} of {call.id} is accepted as {answered.transport} in "
                f"{frame_text(trace, answer.message.frame) if answer is not None else 'the capture'}; the profile "
                f"names TCP/TLS/BFCP only. {'It is in clear' if clear else 'What keys it has is not defined'}. Not "
                "seen: TCP/TLS/BFCP on either side."
            ),
            evidence=agreement(state),
            fact=line.id,
            role="answerer",
            media=media_name(answered),
            normalised=(answered.transport, "TCP/TLS/BFCP"),
        )

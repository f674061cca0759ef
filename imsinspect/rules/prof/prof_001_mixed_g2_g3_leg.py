"""IMS-PROF-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.keying import CERTIFICATE, MIKEY, SDES, keying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, Trace

SIGNALLED = frozenset((SDES, CERTIFICATE))


@rule(
    id="IMS-PROF-001",
    name="mixed-g2-g3-leg",
    severity=Severity.MEDIUM,
    tier=1,
    profiles=("G2", "G3"),
    references=("TR 29.828 §7.1.1.1", "TS 33.328 Annex G.2", "TS 33.328 Annex G.3.2"),
    needs=(CALLS,),
)
def mixed_g2_g3_leg(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """One leg mixes the two conference solutions.

    What it checks:
        The lines of each accepted offer and answer: either all secure lines are keyed by what the signalling carries
        (a=crypto, a=fingerprint), or all by MIKEY (a=key-mgmt). An offer may list both; the answer decides. This runs
        under every profile.
    Why it matters:
        The two solutions of Annex G rest on different trust: one on the protection of SIP, the other on the KMS. In a
        leg that mixes them the weaker part decides what the users can rely on.
    What the finding shows:
        The frames of offer and answer, and the key management of each line.
    How to fix it:
        Key all lines of a leg by one solution. Where the policy protects some lines only to the access edge (a=3ge2ae),
        check that it means to.
    When it is not assessed:
        N-OA: the answer was not seen, and the offer keys its lines in both ways. N-SIP: signalling that could not be
        read. N-FRAG: signalling that was cut.
    """
    for call in trace.calls:
        for states in _accepted(call).values():
            yield from _leg(trace, call, states)


def _accepted(call: Call) -> dict[int, list[LineState]]:
    """The states of each negotiation whose lines have keys."""
    found: dict[int, list[LineState]] = {}
    for line in call.lines:
        for state in line.states:
            negotiation = state.negotiation
            if negotiation.offer_assumed or negotiation.rejected or not state.offered.profile.secure:
                continue
            found.setdefault(id(negotiation), []).append(state)
    return found


def _leg(trace: Trace, call: Call, states: list[LineState]) -> Iterator[Outcome]:
    subject = Subject("call", call.id)
    negotiation = states[0].negotiation
    if negotiation.answer is None:
        offered = [set(keying(state.offered)) for state in states if state.offered.port]
        only_mikey, only_signalled = (any(each and each <= kind for each in offered) for kind in ({MIKEY}, SIGNALLED))
        if only_mikey and only_signalled and call.state not in ("failed", "cancelled"):
            yield not_assessed(subject, "N-OA", "the offer keys its lines in both ways, and its answer was not seen")
        return
    lines = [state for state in states if state.accepted and state.answered is not None]
    keys = [(state, keying(state.answered) or keying(state.offered)) for state in lines if state.answered is not None]
    mikey = [state for state, found in keys if MIKEY in found and not SIGNALLED & set(found)]
    signalled = [state for state, found in keys if SIGNALLED & set(found) and MIKEY not in found]
    if not mikey or not signalled:
        if mikey or signalled:
            yield Outcome("pass", subject)
        return
    offer, answer = negotiation.offer.message, negotiation.answer.message
    edge = [state for state in signalled if state.offered.e2ae or (state.answered and state.answered.e2ae)]
    table = ", ".join(
        f"{text(state.offered.type)} line {state.offered.index} by {' and '.join(found)}" for state, found in keys
    )
    sure = len(edge) < len(signalled)
    yield Outcome(
        "violation" if sure else "suspect",
        subject,
        confidence="proven" if sure else "heuristic",
        title="A leg keyed in two ways",
        message=(
            f"The answer in {frame_text(trace, answer.frame)} to the offer in {frame_text(trace, offer.frame)} of "
            f"{call.id} keys {table}. Signalling security and MIKEY are separate solutions; the weaker one decides "
            "what the leg is worth."
            + (
                ""
                if sure
                else " Ambiguous: the lines without MIKEY are protected to the access edge, which a policy may want."
            )
        ),
        evidence=(
            Evidence(offer.frame, "SDP key management", table, "one solution for all lines"),
            Evidence(answer.frame, "SDP key management", table, "one solution for all lines"),
        ),
        role="answerer",
        normalised=("a=key-mgmt beside a=crypto or a=fingerprint", "one solution for all lines"),
    )

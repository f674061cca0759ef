"""IMS-PROF-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Trace

OPEN = "open"
SHOWN = 10  # calls whose frames stand in the finding


@rule(
    id="IMS-PROF-005",
    name="profile-unresolved",
    severity=Severity.INFO,
    tier=1,
    profiles=("ALL",),
    references=("TR 29.828 §7.1.1.1",),
    needs=(CALLS,),
)
def profile_unresolved(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Profile could not be determined.

    What it checks:
        Whether the observations of each call decide which of the specifications' solutions it uses: their weights must
        reach 10, and no decisive one may contradict. Calls of which the same was observed stand in one finding.
    Why it matters:
        Rules that belong to a profile are not applied to such a call, except where a line itself shows its solution.
        Silence of these rules is no proof of protection.
    What the finding shows:
        What was observed, and the first frames of the calls.
    How to fix it:
        Say which solution is meant: `--profile`, or `profile` in a policy file, also for single calls and conferences.
        `imsinspect rules --profile TOKEN` lists the rules that then apply.
    When it is not assessed:
        N-SIP: signalling that could not be read. N-FRAG: signalling that was cut. With an explicit profile there is
        nothing to determine.
    """
    undecided: dict[tuple[str, ...], list[Call]] = {}
    for call in trace.calls:
        choice = scene.profiles.get(call.id)
        if choice is None or not choice.inferred:
            continue
        if choice.name == OPEN:
            undecided.setdefault(choice.because, []).append(call)
        else:
            yield Outcome("pass", Subject("call", call.id))
    for because, calls in undecided.items():
        first = calls[0]
        more = f" and {counted(len(calls) - 1, 'more call')}" if len(calls) > 1 else ""
        seen = "; ".join(because) or "nothing that speaks for one of them"
        yield Outcome(
            "violation",
            Subject("call", first.id),
            confidence="strong",
            title="No profile follows from what was observed",
            message=(
                f"Of {first.id}{more}, from {frame_text(trace, first.messages[0].frame)} on, was observed: {seen}. "
                "That does not decide which solution is used, so that rules bound to one are not applied. Not given: a "
                "profile."
            ),
            evidence=tuple(
                Evidence(call.messages[0].frame, "profile", seen, "observations that decide, or --profile")
                for call in calls[:SHOWN]
            ),
            normalised=(f"open, {len(because)} observations", "one profile"),
        )

"""IMS-REG-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, not_assessed, text, worst
from imsinspect.rules.needs import AGREEMENTS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace
    from imsinspect.trace.security_agreement import MirroredAgreement

REQUIRED = "the Security-Server list, in its order"


@rule(
    id="IMS-REG-001",
    name="security-verify-mismatch",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §7.1.1", "TS 33.328 §7.1.2", "RFC 3329 §2.3.1", "TS 24.229 §7.2A.7"),
    needs=(AGREEMENTS,),
)
def security_verify_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Security agreement lists were altered.

    What it checks:
        Every request with Security-Verify, on the hop of the UE: the list must repeat the last Security-Server list
        that went to this UE, mechanism by mechanism with all parameters, in the same order. How the list is spread over
        header lines does not matter. A request with another list must be refused with 494.
    Why it matters:
        The mirrored list is what shows that nobody took the stronger mechanisms out on the way, the indications of
        media security among them. Where it differs and is accepted, that protection is lost.
    What the finding shows:
        The frames of both lists and what differs.
    How to fix it:
        Let the P-CSCF compare Security-Verify with what it sent and refuse a difference with 494. Let the UE repeat the
        list as it came. If both do so, look for the device on the path that changes it.
    When it is not assessed:
        N-REG: the Security-Server list was not captured. N-OA: no answer to a request with another list was seen.
        N-SIP: signalling that could not be read.
    """
    outcomes = (_agreement(trace, each) for each in trace.agreements)
    yield from worst((outcome.subject, outcome) for outcome in outcomes)


def _agreement(trace: Trace, each: MirroredAgreement) -> Outcome:
    message, verify, server = each.message, each.verify, each.server
    subject = Subject("ue", message.source.ip)
    if server is None:
        return not_assessed(subject, "N-REG", "the Security-Server list that Security-Verify repeats was not captured")
    if verify.mechanisms == server.mechanisms:
        return Outcome("pass", subject)
    if not each.status:
        return not_assessed(subject, "N-OA", "no answer to the request with another Security-Verify list was seen")
    if each.status >= 300:
        return Outcome("pass", subject)
    difference = _difference(server.mechanisms, verify.mechanisms)
    return Outcome(
        "violation",
        subject,
        title="Security-Verify differs from Security-Server and is accepted",
        message=(
            f"The {text(message.sip.method)} from {message.source} to {message.destination} in "
            f"{frame_text(trace, message.frame)} mirrors another list than the Security-Server of "
            f"{frame_text(trace, server.frame)}: {difference}. It is answered with {each.status}, so that a mechanism "
            "that was taken out on the way is not noticed. Not seen: a 494."
        ),
        evidence=(
            Evidence(server.frame, "Security-Server", ", ".join(server.mechanisms), "repeated in Security-Verify"),
            Evidence(verify.frame, "Security-Verify", ", ".join(verify.mechanisms), REQUIRED),
        ),
        role="terminal",
        normalised=(_kind(server.mechanisms, verify.mechanisms), REQUIRED),
    )


def _difference(server: tuple[str, ...], verify: tuple[str, ...]) -> str:
    missing = [each for each in server if each not in verify]
    added = [each for each in verify if each not in server]
    parts = [f"{each} is missing" for each in missing] + [f"{each} is new" for each in added]
    return "; ".join(parts) or "the order differs"


def _kind(server: tuple[str, ...], verify: tuple[str, ...]) -> str:
    names = [{each.partition(";")[0] for each in one} for one in (server, verify)]
    if names[0] - names[1]:
        return f"missing: {', '.join(sorted(names[0] - names[1]))}"
    if names[1] - names[0]:
        return f"new: {', '.join(sorted(names[1] - names[0]))}"
    return "other parameters" if set(server) != set(verify) else "another order"

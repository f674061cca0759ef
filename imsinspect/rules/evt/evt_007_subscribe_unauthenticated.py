"""IMS-EVT-007."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import SECURE, bound
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.policy import Policy
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Subscription
    from imsinspect.trace.model import SignallingMessage, Trace

NODES = ("focus", "p_cscf", "mrfp", "kms")  # roles of the policy file


@rule(
    id="IMS-EVT-007",
    name="subscribe-unauthenticated",
    severity=Severity.HIGH,
    tier=2,
    profiles=SECURE,
    references=("TR 33.829 §5.1.2", "TS 33.328 Annex G.3.3", "RFC 4575 §8.1"),
    needs=(CONFERENCES,),
)
def subscribe_unauthenticated(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference subscription accepted without any subscriber authentication.

    What it checks:
        Every SUBSCRIBE of the conference package that was answered with 2xx and followed by a NOTIFY with state, on the
        trusted side of the focus: it is to carry P-Asserted-Identity, Authorization, Identity, or a MIKEY or S/MIME
        body. A subscription inside the dialog of an INVITE is authenticated with it.
    Why it matters:
        Anybody who reaches the focus subscribes under any name and learns who takes part.
    What the finding shows:
        The SUBSCRIBE with the identity that it claims, its answer, and the first NOTIFY with state.
    How to fix it:
        Let the network assert the identity of subscribers, or let the focus challenge them with 401. Nodes of the
        network that subscribe by themselves can be named in the policy file.
    When it is not assessed:
        N-CORE: the capture is of the user's side, where the identity is not asserted yet. IMS-PROF-005: the profile of
        the conference is open.
    """
    for conference in trace.conferences:
        for subscription in conference.subscriptions:
            if subscription.request is not None:
                outcomes = _subscription(trace, scene, conference.uri, subscription, subscription.request)
                yield from bound(scene, conference, SECURE, outcomes)


def _subscription(
    trace: Trace, scene: Scene, conference: str, subscription: Subscription, request: SignallingMessage
) -> Iterator[Outcome]:
    first = next((each for each in subscription.notifications if each.tells), None)
    answer = subscription.answer
    if not subscription.accepted or first is None or answer is None:
        return
    subject = Subject("subscription", subscription.id)
    if subscription.authenticated_by or subscription.in_dialog or _of_the_network(scene.policy, request):
        yield Outcome("pass", subject)
        return
    if not subscription.at_focus:
        yield not_assessed(subject, "N-CORE", "on the user's side of the focus identities are not asserted yet")
        return
    who = subscription.subscriber
    yield Outcome(
        "violation",
        subject,
        title="Subscription without authentication",
        message=(
            f"The SUBSCRIBE to the state of {conference} in {frame_text(trace, request.frame)} claims to be from "
            f"{who}, and was accepted in {frame_text(trace, answer.frame)} and answered with state in "
            f"{frame_text(trace, first.message.frame)}. Anybody who reaches the focus learns who takes part. Not seen: "
            "P-Asserted-Identity, Authorization, Identity, MIKEY or S/MIME in it."
        ),
        evidence=(
            Evidence(request.frame, "SUBSCRIBE", "no authentication", "P-Asserted-Identity, Authorization or Identity"),
            Evidence(answer.frame, "SIP status", str(answer.sip.status), "401"),
            Evidence(first.message.frame, "NOTIFY", "conference state", "no state"),
        ),
        role="subscriber",
        normalised=("no authentication", "an authenticated subscriber"),
    )


def _of_the_network(policy: Policy, request: SignallingMessage) -> bool:
    """A node that the policy names sent it by itself."""
    own = len(request.sip.header_values(b"via")) < 2
    return own and any(policy.is_node(role, request.source.ip) for role in NODES)

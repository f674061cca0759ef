"""IMS-EVT-005."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.evt.notifications import KMS, exported, places, proof, told
from imsinspect.rules.facts import not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import ASSUMED_CONFIDENTIAL, SECURED_POINTS, TRUSTED_SITE, rule
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.rules.evt.notifications import Told
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import SignallingMessage, Trace

INTEGRITY_ONLY = frozenset((Protection.ESP_NULL, Protection.TLS_NULL))
WORDS = {
    Protection.CLEAR: "without any protection",
    Protection.ESP_NULL: "in ESP with NULL encryption",
    Protection.TLS_NULL: "in TLS with a NULL cipher",
}
SIDES = {"access": "access", "ue": "access", "core": "core"}  # of capture points


@dataclass(slots=True)
class _Sent:
    """Readable notifications of a subscription under one kind of protection."""

    messages: list[SignallingMessage] = field(default_factory=list)
    at_focus: bool = False


@rule(
    id="IMS-EVT-005",
    name="event-hop-unprotected",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.2", "TR 33.829 §5.1.3", "TS 33.328 Annex G.2", "RFC 4575 §8.1"),
    follows=("IMS-TLS-001",),
    needs=(CONFERENCES,),
)
def event_hop_unprotected(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference NOTIFY on an unprotected hop.

    What it checks:
        Every hop that a NOTIFY with a readable conference document was captured on: it is to be inside TLS or ESP that
        encrypts, unless S/MIME encrypts the body. One finding stands for one subscription and kind of protection.
        Conferences that use MIKEY-TICKET are the object of IMS-EVT-001 instead.
    Why it matters:
        Anybody on the path reads who takes part and since when. Without integrity the roster can be forged: a listener
        is hidden, or a participant made to vanish.
    What the finding shows:
        The frames, the addresses of the hop, and the subscriber.
    How to fix it:
        Carry the signalling inside IPsec ESP or TLS with a cipher suite that encrypts (Gm), or inside NDS/IP (core).
        ESP with NULL encryption keeps integrity only, and counts as medium.
    When it is not assessed:
        N-SIP, N-FRAG: signalling that could not be read may hold NOTIFYs. T-CORE: exported PDUs do not say how the
        message travelled. Where the capture point is declared to be inside the secured domain, or the core a trusted
        site, findings are information only; where the access network is declared confidential, they are lowered.
    """
    sessions = {
        frozenset((session.client, session.server)): session.id
        for session in trace.tls_sessions
        if session.opened_by == "null"
    }
    for each in told(trace, scene):
        if each.subscription is None or scene.covers_conference(each.conference.id, KMS):
            continue
        yield from _hops(trace, scene, each, sessions)


def _hops(
    trace: Trace, scene: Scene, each: Told, sessions: dict[frozenset[Endpoint], str]
) -> Iterator[Outcome]:  # fmt: skip
    sent: dict[Protection, _Sent] = {}
    fine = False
    at_focus = each.subscription is not None and each.subscription.at_focus
    for notification in each.notifications:
        if notification.sealed:
            fine = True
            continue
        for place, message in enumerate(notification.hops):
            if message.protection is Protection.OPENED:
                fine = True
                continue
            found = sent.setdefault(message.protection, _Sent(at_focus=at_focus and place == 0))
            found.messages.append(message)
    for protection, found in sent.items():
        if exported(found.messages[0]):
            reason = "exported PDUs do not say whether the signalling was encrypted on the wire"
            yield not_assessed(each.subject, "T-CORE", reason)
        elif protection in WORDS:
            yield _readable(trace, scene, each, protection, found, sessions)
    if fine and not sent:
        yield Outcome("pass", each.subject)


def _readable(
    trace: Trace,
    scene: Scene,
    each: Told,
    protection: Protection,
    found: _Sent,
    sessions: dict[frozenset[Endpoint], str],
) -> Outcome:
    first = found.messages[0]
    severity = Severity.MEDIUM if protection in INTEGRITY_ONLY else Severity.HIGH
    severity, declared = _declared(scene, found, severity)
    how = WORDS[protection]
    harm = (
        "Anybody on the path reads who takes part."
        if protection in INTEGRITY_ONLY
        else "Anybody on the path reads who takes part, and can forge it."
    )
    unseen = f"It counts less: {declared}." if declared else "No TLS or ESP that encrypts was seen around it."
    return Outcome(
        "violation",
        each.subject,
        severity=severity,
        confidence="strong" if declared else "proven",
        title=f"Conference state sent {how}",
        message=(
            f"The state of conference {each.conference.uri} went to {each.whom} readable, {how}, from {first.source} "
            f"to {first.destination} over {first.transport.upper()}, in {places(trace, found.messages)}. "
            f"{harm} {unseen}"
        ),
        evidence=proof(found.messages, "NOTIFY with conference-info", how, "inside TLS or ESP that encrypts"),
        role="focus",
        direction="sent",
        fact=sessions.get(frozenset((first.source, first.destination)), "")
        if protection is Protection.TLS_NULL
        else each.subject.id,
        normalised=(f"readable NOTIFY {how}", "TLS or ESP that encrypts"),
    )


def _declared(scene: Scene, found: _Sent, severity: Severity) -> tuple[Severity, str]:
    """The severity under what the user declared, and the declaration; "" where none applies."""
    if scene.capture_point in SECURED_POINTS:
        return Severity.INFO, f"the capture point was declared as {scene.capture_point}"
    side = SIDES.get(scene.capture_point, "core" if found.at_focus else "")
    if scene.nds == TRUSTED_SITE and side == "core":
        return Severity.INFO, "the core was declared a trusted site"
    if scene.access_confidentiality == ASSUMED_CONFIDENTIAL and side == "access":
        return severity.lowered(), "the access network was declared confidential"
    return severity, ""

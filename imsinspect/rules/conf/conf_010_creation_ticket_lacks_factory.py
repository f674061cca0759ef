"""IMS-CONF-010."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.rules.conf.legs import asserted, bound, open_profile
from imsinspect.rules.conf.membership import creation_tickets, matches, recipients_of
from imsinspect.rules.facts import calls_by_id, frame_text, not_assessed
from imsinspect.rules.needs import CALLS, MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyTicket
    from imsinspect.trace.model import Call, MikeyMessage, SignallingMessage, Trace

PROFILES = ("TR-KMS",)
BASE_TICKET = 1
SHOWN = 8  # recipients named in a finding


@rule(
    id="IMS-CONF-010",
    name="creation-ticket-lacks-factory",
    severity=Severity.HIGH,
    tier=2,
    profiles=PROFILES,
    references=("TR 33.829 §5.3.2.1.2", "TR 33.829 §5.3.2"),
    needs=(CALLS, MIKEY),
)
def creation_ticket_lacks_factory(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference creation ticket does not name the factory or focus.

    What it checks:
        The TRANSFER_INIT in an INVITE that creates a conference, at a factory URI that the policy names or that answers
        with the Contact of a focus: one of the recipients of its ticket (IDRr) has to be the Request-URI, the To URI,
        the Contact of the focus, or an identity that its answer asserts. Wildcards match (IMS-MIK-021 judges them).
    Why it matters:
        The factory can't resolve the ticket, so that it neither gets the keys nor knows who asks; or whoever can
        resolve it poses as the factory.
    What the finding shows:
        The INVITE, its Request-URI, and the recipients of the ticket.
    How to fix it:
        Let the creator ask the KMS for a ticket with the factory as the first recipient and the participants behind it.
    When it is not assessed:
        N-FRAG: the ticket's policy can't be read to its end. N-KMS: it is a ticket of another type, whose recipients
        are not told here. IMS-PROF-005: the profile of the conference is open; name it with --profile.
    """
    calls = calls_by_id(trace)
    tickets = creation_tickets(trace, scene)
    seen: set[str] = set()
    for conference in trace.conferences:
        if conference.creation is None:
            continue
        for participant in conference.participants:
            for leg in participant.legs:
                if leg.invite is conference.creation and leg.call in tickets:
                    seen.add(leg.call)
                    names = {*conference.names, canonical(conference.focus)} - {""}
                    judged = _judge(trace, calls[leg.call], leg.invite, tickets[leg.call], names)
                    yield from bound(scene, conference, PROFILES, [judged])
    for call, invite in _at_factories(trace, scene):
        if call.id in tickets and call.id not in seen:
            outcome = _judge(trace, call, invite, tickets[call.id], set())
            covered = scene.covers(call.id, PROFILES)
            if covered is not False:
                yield from [outcome] if covered else open_profile([outcome])


def _at_factories(trace: Trace, scene: Scene) -> Iterator[tuple[Call, SignallingMessage]]:
    """Calls to the factories that the policy names."""
    factories = scene.policy.factories
    for call in trace.calls if factories else ():
        invite = next((each for each in call.messages if each.sip.method == b"INVITE" and not each.sip.to_tag), None)
        if invite is not None and canonical(invite.sip.request_uri) in factories:
            yield call, invite


def _judge(trace: Trace, call: Call, invite: SignallingMessage, message: MikeyMessage, names: set[str]) -> Outcome:
    subject = Subject("call", call.id)
    record = message.record
    ticket = record.ticket if record is not None else None
    if record is None or ticket is None or not ticket.readable:
        return not_assessed(subject, "N-FRAG", "the policy of the creation ticket can't be read to its end")
    if ticket.kind != BASE_TICKET:
        return not_assessed(subject, "N-KMS", "the creation ticket is of a type whose recipients are not told here")
    recipients = recipients_of(record)
    target = canonical(invite.sip.request_uri)
    factory = {target, canonical(uri_of(invite.sip.to)), *names}
    for response in call.messages:
        if 200 <= response.sip.status < 400 and response.sip.cseq_method == b"INVITE":
            factory.update(asserted(response))
            factory.update(canonical(uri_of(row)) for row in response.sip.header_values(b"contact")[:2])
    if any(matches(pattern, name) for pattern in recipients for name in factory):
        return Outcome("pass", subject)
    return _lacking(trace, call, invite, ticket, target, recipients)


def _lacking(
    trace: Trace, call: Call, invite: SignallingMessage, ticket: MikeyTicket, target: str, recipients: list[str]
) -> Outcome:
    named = ", ".join(recipients[:SHOWN]) or "nobody"
    return Outcome(
        "violation",
        Subject("call", call.id),
        title="Creation ticket without the factory",
        message=(
            f"The INVITE of {call.id} to {target} ({frame_text(trace, invite.frame)}) creates a conference with a "
            f"ticket for {named}, which names neither the factory nor the focus. The factory can't resolve it, and "
            "whoever can may pose as the factory. Not seen: an IDRr of the factory."
        ),
        evidence=(
            Evidence(invite.frame, "SIP Request-URI", target, "a recipient of the ticket"),
            Evidence(invite.frame, "MIKEY ticket IDRr", named, target),
        ),
        role="creator",
        normalised=(
            "ticket without the factory" if ticket.recipients else "ticket without recipients",
            "factory in IDRr",
        ),
    )

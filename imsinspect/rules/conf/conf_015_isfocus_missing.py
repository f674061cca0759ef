"""IMS-CONF-015."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import parameters
from imsinspect.rules.conf.legs import accepted_legs, leg_subject, of_focus
from imsinspect.rules.facts import calls_by_id, frame_text, text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg
    from imsinspect.trace.model import SignallingMessage, Trace

FEATURE = b"isfocus"


@rule(
    id="IMS-CONF-015",
    name="isfocus-missing",
    severity=Severity.INFO,
    tier=3,
    profiles=("ALL",),
    references=("RFC 4579 §4", "TS 24.147 §5.3.2"),
    needs=(CONFERENCES,),
)
def isfocus_missing(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Focus contact without isfocus.

    What it checks:
        Every accepted leg of a conference: a Contact of the focus in its dialog has to carry the isfocus parameter.
        That it is a focus is known otherwise: by notifications of the conference package, by its documents, by a
        factory, or by the Contact in another leg.
    Why it matters:
        Participants, and this audit, tell a conference by it. There is no danger in its absence.
    What the finding shows:
        The message of the focus with its Contact, and what shows that it is a focus.
    How to fix it:
        Let the focus put isfocus into every Contact, and let gateways that hide topology keep it.
    When it is not assessed:
        Always, where a conference was recognised. A gateway may have taken the parameter out on this hop.
    """
    calls = calls_by_id(trace)
    for conference in trace.conferences:
        for _, leg in accepted_legs(conference):
            message = of_focus(leg)
            if message is None or leg.joined_before or leg.call not in calls:
                continue
            if any(FEATURE in each.sip.head and _is_focus(each) for each in calls[leg.call].messages):
                yield Outcome("pass", leg_subject(leg))
            elif message.sip.header(b"contact"):
                yield _plain(trace, conference, leg, message)


def _is_focus(message: SignallingMessage) -> bool:
    return any(FEATURE in parameters(row) for row in message.sip.header_values(b"contact")[:4])


def _plain(trace: Trace, conference: Conference, leg: ConferenceLeg, message: SignallingMessage) -> Outcome:
    contact = text(message.sip.header(b"contact")[0])
    because = ", ".join(conference.because) or "its URI"
    return Outcome(
        "violation",
        leg_subject(leg),
        confidence="strong",
        title="Contact of a focus without isfocus",
        message=(
            f"The focus of {conference.uri} gives {contact} as its Contact in {leg.call} "
            f"({frame_text(trace, message.frame)}), without isfocus. Clients do not see that they are in a conference. "
            f"That it is one is shown by: {because}. A gateway that hides topology may have taken it out."
        ),
        evidence=(Evidence(message.frame, "SIP Contact", contact, "isfocus"),),
        role="focus",
        normalised=("Contact without isfocus", "isfocus"),
    )

"""IMS-CONF-012."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.rules.conf.legs import ALL_CONFERENCES, asserted, bound, leg_subject
from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import once, rule
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg
    from imsinspect.trace.model import SignallingMessage, Trace

PROFILES = ALL_CONFERENCES
TRANSFER_RESP = 15  # RFC 6043 §4.2.2


@rule(
    id="IMS-CONF-012",
    name="focus-identity-unproven",
    severity=Severity.LOW,
    tier=2,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.2", "RFC 3325 §9.1"),
    needs=(CONFERENCES,),
)
def focus_identity_unproven(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference service not authenticated to the participant.

    What it checks:
        The 2xx of the focus to each participant who dials in. At the trusted side of the focus it has to carry
        P-Asserted-Identity, or a TRANSFER_RESP of MIKEY-TICKET. Anywhere, a Contact whose host lies outside the domain
        of the conference URI needs an asserted identity as well.
    Why it matters:
        A rogue bridge can pose as the conference, and hears everybody who calls it.
    What the finding shows:
        The 2xx, its Contact, and what it lacks.
    How to fix it:
        Let the S-CSCF or the focus assert the conference URI in the 2xx, or answer with a TRANSFER_RESP.
    When it is not assessed:
        N-CORE: the capture was taken on the user's side, where the asserted identity may have been removed for privacy.
        N-SIP: no call with the focus was seen. IMS-PROF-005: the profile of the conference is open; name it with
        --profile.
    """
    transfers = _transfers(trace, scene)
    for conference in trace.conferences:
        outcomes = (
            _answer(trace, conference, leg, leg.answer, proven=(leg.call, leg.dialog[1]) in transfers)
            for participant in conference.participants
            for leg in participant.legs
            if not leg.dial_out and leg.accepted and leg.answer is not None and not leg.joined_before
        )
        yield from bound(scene, conference, PROFILES, outcomes)


@once
def _transfers(trace: Trace, scene: Scene) -> set[tuple[str, bytes]]:
    """Calls with a TRANSFER_RESP, and the dialog tags of who sent it."""
    return {
        (each.call, each.party)
        for each in trace.mikey
        if each.call and each.record is not None and each.record.data_type == TRANSFER_RESP
    }


def _answer(
    trace: Trace, conference: Conference, leg: ConferenceLeg, answer: SignallingMessage, *, proven: bool
) -> Outcome:
    subject = leg_subject(leg)
    if proven or asserted(answer):
        return Outcome("pass", subject)
    rows = answer.sip.header_values(b"contact")
    contact = canonical(uri_of(rows[0])) if rows else ""
    foreign = _foreign(contact, conference)
    if not leg.at_focus and not foreign:
        reason = "the capture was taken on the user's side, where the identity of the focus may have been removed"
        return not_assessed(subject, "N-CORE", reason)
    where = f", and its Contact {contact} lies outside the domain of the conference" if foreign else ""
    return Outcome(
        "violation" if leg.at_focus else "suspect",
        subject,
        confidence="strong" if leg.at_focus else "heuristic",
        title="Focus without a proven identity",
        message=(
            f"The focus of {conference.uri} accepted {leg.call} in {frame_text(trace, answer.frame)} without an "
            f"asserted identity{where}. Participants can't tell it from a rogue bridge. A policy may allow that. "
            "Not seen: P-Asserted-Identity, a TRANSFER_RESP."
        ),
        evidence=(
            Evidence(answer.frame, "SIP P-Asserted-Identity", "none", "the conference URI"),
            *(
                (Evidence(answer.frame, "SIP Contact", contact, "a host of the conference's domain"),)
                if foreign
                else ()
            ),
        ),
        role="focus",
        normalised=("no asserted identity" + (", foreign Contact" if foreign else ""), "an asserted focus"),
    )


def _foreign(contact: str, conference: Conference) -> bool:
    """The host of the Contact has a domain other than that of all URIs of the conference."""
    own = _domain(contact)
    names = {_domain(name) for name in (conference.uri, *conference.names) if name != contact} - {""}
    return bool(own) and bool(names) and own not in names


def _domain(name: str) -> str:
    """The last two labels of a host name; "" of an address."""
    host = name.rpartition("@")[2].strip("[]")
    try:
        ip_address(host)
    except ValueError:
        return ".".join(host.rstrip(".").split(".")[-2:])
    return ""

"""IMS-CONF-001."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import (
    ALL_CONFERENCES,
    TELEPHONE,
    TO_THE_EDGE,
    accepted_legs,
    declared,
    leg_lines,
    open_profile,
    who,
    without_legs,
)
from imsinspect.rules.facts import agreement, frame_text, media_name, not_assessed, protection_agreed, text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.legs import LegLine
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import Trace

PROFILES = ALL_CONFERENCES
END_TO_END = ("G3", "TR-SDES", "TR-KMS")  # protected up to the focus: a clear core hop is no design of these
COMPARED = frozenset(("rtp", "msrp", "bfcp", "udptl", "sctp"))
HOPS = {
    "access": "on its access side",
    "core": "on the core side",
    "direct": "on the hop from the participant itself",
    "unknown": "on a hop of unknown side",
}


@rule(
    id="IMS-CONF-001",
    name="conference-leg-unprotected",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.3", "TS 33.328 Annex G.2", "TS 33.328 Annex G.3.2", "TR 29.828 §7.1.1.1"),
    follows=("IMS-MSRP-001", "IMS-BFCP-001"),
    needs=(CONFERENCES,),
)
def conference_leg_unprotected(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """A participant takes part in a secure conference without media protection.

    What it checks:
        The media lines of all accepted legs of one focus, kind by kind. A leg whose line is clear on the participant's
        own hop, while another leg protects the same kind of media, is a violation. Where the whole conference uses
        MIKEY-TICKET or SDES up to the focus, a clear hop anywhere is one too. Where the user named a secure profile,
        a clear hop is one even if no leg is protected. Lines that were refused or on hold, and legs of recorders, are
        left out. A clear line of chat or floor control follows from IMS-MSRP-001 or IMS-BFCP-001.
    Why it matters:
        A conference is as secret as its weakest leg: everything said is sent in clear to that participant.
    What the finding shows:
        Offer and answer of the clear line and of a protected one, both participants, and the kind of hop.
    How to fix it:
        Let the focus admit participants only with media protection: end-to-access-edge at their P-CSCF, or SDES or
        MIKEY-TICKET with the focus. Refuse or drop the leg that has none.
    When it is not assessed:
        T-E2AE: the clear line is on the core side, where end-to-access-edge protection is clear by design; a capture of
        the participant's access side decides. N-ROST: only one leg of the conference was seen. N-SIP: none was.
        IMS-PROF-005: the profile of the conference is open; name it with --profile.
    """
    for conference in trace.conferences:
        covered = scene.covers_conference(conference.id, PROFILES)
        lines = leg_lines(trace, scene).get(conference.id, [])
        yield from without_legs(scene, conference, PROFILES)
        if covered is False or not lines:
            continue
        if covered or any(each.shows_solution for each in lines):
            yield from _compare(trace, scene, conference, lines)
        else:
            yield from open_profile(Outcome("pass", Subject("media", each.line.id)) for each in lines)


def _compare(trace: Trace, scene: Scene, conference: Conference, lines: list[LegLine]) -> Iterator[Outcome]:
    alone = sum(1 for _ in accepted_legs(conference)) < 2
    kinds: defaultdict[tuple[bytes, str], defaultdict[int, list[LegLine]]] = defaultdict(lambda: defaultdict(list))
    for each in lines:
        if each.kind[1] in COMPARED:
            kinds[each.kind][id(each.leg)].append(each)
    for legs in kinds.values():
        protected = {name: next((each for each in leg if each.protected), None) for name, leg in legs.items()}
        safe = [each for each in protected.values() if each is not None][:2]
        for leg in legs.values():
            other = next((each for each in safe if each.leg is not leg[0].leg), None)
            yield from _leg(trace, scene, conference, leg, other, alone=alone)


def _leg(
    trace: Trace, scene: Scene, conference: Conference, lines: list[LegLine], safe: LegLine | None, *, alone: bool
) -> Iterator[Outcome]:
    """One kind of media of one leg, on all hops that show it."""
    subject = Subject("media", lines[0].line.id)
    if alone:
        reason = "only one leg of the conference was seen: there is none to compare it with"
        yield not_assessed(subject, "N-ROST", reason)
        return
    clear = [each for each in lines if not each.protected]
    if not clear:
        yield Outcome("pass", subject)
        return
    near = next((each for each in clear if each.near), None)
    if near is None and _clear_by_design(scene, conference, clear[0]):
        if len(clear) < len(lines):
            yield Outcome("pass", subject)
        elif safe is not None or declared(scene, conference):
            reason = (
                "the media is clear on the core side, where end-to-access-edge protection is clear by design: "
                "the participant's access side was not captured"
            )
            yield not_assessed(subject, "T-E2AE", reason)
        return
    weak = near or clear[0]
    if safe is not None or declared(scene, conference) or len(clear) < len(lines):
        yield _unprotected(trace, conference, weak, safe)


def _clear_by_design(scene: Scene, conference: Conference, line: LegLine) -> bool:
    """The profile allows a clear hop behind the access edge (T-E2AE)."""
    if scene.covers(line.leg.call, TO_THE_EDGE):
        return True
    return scene.covers_conference(conference.id, END_TO_END) is not True


def _unprotected(trace: Trace, conference: Conference, weak: LegLine, safe: LegLine | None) -> Outcome:
    media, state = weak.state.offered, weak.state
    telephone = not weak.near and bool(TELEPHONE.fullmatch(weak.participant.identity))
    kind = text(media.type)
    beside = (
        f", while {kind} of {who(safe.participant)} in {safe.call.id} is protected ({protection_agreed(safe.state)}, "
        f"{frame_text(trace, safe.state.negotiation.offer.message.frame)})"
        if safe is not None
        else ", in a conference that is to be secure"
    )
    gateway = (
        " The participant has a telephone number: a gateway to the telephone network (MGCF) is clear inside the core "
        "by design."
        if telephone
        else ""
    )
    assumed = weak.hop == "direct" or safe is None or not weak.near
    return Outcome(
        "violation",
        Subject("media", weak.line.id),
        severity=Severity.MEDIUM if telephone else None,
        confidence="strong" if assumed else "proven",
        title=f"{kind.capitalize()} of a conference participant in clear",
        message=(
            f"{kind.capitalize()} of {who(weak.participant)} is agreed in clear ({media.transport}) {HOPS[weak.hop]}, "
            f"in {weak.call.id}, {frame_text(trace, state.negotiation.offer.message.frame)}{beside}. Everything said "
            f"in {conference.uri} goes to this participant in clear: anyone on that path reads all of it.{gateway} "
            "Not seen: a protected hop of this participant."
        ),
        evidence=(*agreement(state), *(agreement(safe.state) if safe is not None else ())),
        role="participant",
        media=media_name(media),
        fact=weak.line.id,
        normalised=(f"{media.transport} {weak.hop}", "every leg protected"),
    )

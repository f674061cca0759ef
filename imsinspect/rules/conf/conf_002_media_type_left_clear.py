"""IMS-CONF-002."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.rules.conf.legs import covers_leg, declared, leg_lines, open_profile, who, without_legs
from imsinspect.rules.facts import agreement, frame_text, media_name, text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.conf.legs import LegLine
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace

PROFILES = ("G3", "TR-KMS")
POLICY_OF = ("G2",)  # here it is for the operator to say which media is protected
TICKET_TRANSFER = frozenset((14, 15))  # MIKEY data types TRANSFER_INIT and TRANSFER_RESP (RFC 6043 §4.2)
COVERED = frozenset(("rtp", "msrp", "bfcp"))  # media that MIKEY-TICKET has keys for (TS 33.328 Annex H.3)


@rule(
    id="IMS-CONF-002",
    name="media-type-left-clear",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TR 29.828 §7.1.1.1", "TS 33.328 Annex G.3.2", "TR 33.829 §5.1.3"),
    follows=("IMS-MSRP-001", "IMS-BFCP-001"),
    needs=(CONFERENCES,),
)
def media_type_left_clear(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Some media of a protected leg are not protected.

    What it checks:
        Every accepted leg of a conference with at least one secure media line on a hop: all other accepted lines there
        have to be secure too (RTP, MSRP and BFCP). Lines that were refused (port 0) or on hold are left out. Data
        channels and unknown transports are listed as info, as is a mixed leg of a conference by SIP signalling
        security (Annex G.2), where the operator decides. A clear line of chat or floor control follows from
        IMS-MSRP-001 or IMS-BFCP-001.
    Why it matters:
        Chat or floor control can be read and forged next to encrypted voice, and participants believe that all of it
        is protected.
    What the finding shows:
        Offer and answer of the clear line, and of a secure line of the same leg.
    How to fix it:
        Offer TCP/TLS/MSRP and TCP/TLS/BFCP with pre-shared keys, and RTP/SAVP, all keyed by the MIKEY-TICKET exchange
        of the leg; refuse lines that stay clear.
    When it is not assessed:
        N-SIP: no call with the focus was seen. IMS-PROF-005: the profile of the conference is open and the leg shows no
        MIKEY-TICKET exchange; name it with --profile.
    """
    for conference in trace.conferences:
        yield from without_legs(scene, conference, PROFILES)
        legs: defaultdict[tuple[int, str, str], list[LegLine]] = defaultdict(list)
        for each in leg_lines(trace, scene).get(conference.id, []):
            legs[id(each.leg), each.call.id, each.hop].append(each)
        for lines in legs.values():
            secure = next((each for each in lines if each.protected), None)
            if secure is None:
                continue
            covered = covers_leg(scene, conference, secure.leg, PROFILES)
            if covered is None and any(map(_ticket, lines)):
                covered = True
            lenient = covers_leg(scene, conference, secure.leg, POLICY_OF) is True
            sure = covered is True and declared(scene, conference)
            outcomes = (
                Outcome("pass", Subject("media", each.line.id))
                if each.protected
                else _clear(trace, each, secure, lenient=covered is not True, sure=sure)
                for each in lines
            )
            if covered or lenient:
                yield from outcomes
            elif covered is None:
                yield from open_profile(outcomes)


def _ticket(line: LegLine) -> bool:
    """Keyed by a MIKEY-TICKET exchange, whatever the profile."""
    if not line.protected:
        return False
    return any(len(each.data) > 1 and each.data[1] in TICKET_TRANSFER for each in line.state.offered.key_mgmt_in_force)


def _clear(trace: Trace, line: LegLine, secure: LegLine, *, lenient: bool, sure: bool) -> Outcome:
    media, other = line.state.offered, secure.state.offered
    severity = Severity.INFO if lenient or media.profile.family not in COVERED else None
    return Outcome(
        "violation",
        Subject("media", line.line.id),
        severity=severity,
        confidence="proven" if sure else "strong",
        title=f"{text(media.type).capitalize()} of a protected conference leg in clear",
        message=(
            f"{text(media.type).capitalize()} line {media.index} of {line.call.id} is agreed in clear "
            f"({media.transport}) in {frame_text(trace, line.state.negotiation.offer.message.frame)}, while "
            f"{text(other.type)} line {other.index} of the same leg is protected ({other.transport}). Whoever is on "
            f"the path reads and forges it next to the encrypted media of {who(line.participant)}. Not seen: any key "
            "management for this line."
        ),
        evidence=(*agreement(line.state), *agreement(secure.state)),
        role="participant",
        media=media_name(media),
        fact=line.line.id,
        normalised=(f"{media.transport} beside {other.transport}", "every line of the leg secure"),
    )

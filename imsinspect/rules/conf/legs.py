"""What the conference rules share: legs over time, their media lines by hop, and words for them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.rules.facts import SECOND, calls_by_id, not_assessed, text
from imsinspect.rules.outcome import Evidence, Outcome, Subject
from imsinspect.rules.rule import Scene, once
from imsinspect.trace.conference_participants import mikey_identities
from imsinspect.trace.identities import canonical
from imsinspect.trace.model import MediaStream, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Call, KeyPlace, LineState, MediaLine, SignallingMessage

ALL_CONFERENCES = ("G2", "G3", "TR-SDES", "TR-KMS")
TO_THE_EDGE = ("E2AE-RTP", "E2AE-MSRP", "E2AE-BFCP")
STAYING = 10 * SECOND  # a leg that lasts longer was not dropped by the focus
MAX_STATES = 64  # of one line that are looked at
TELEPHONE = re.compile(r"\+?\d{5,}(?:@.*)?")
NOWHERE = frozenset((b"0.0.0.0", b"::"))  # c= of a line on hold
AUTHENTICATION = (b"authorization", b"proxy-authorization", b"identity")  # credentials, and RFC 8224
RECORDING = (b"siprec", b"+sip.src", b"+sip.srs")  # RFC 7866


# --- which conferences a rule is for --------------------------------------------------------------


def bound(
    scene: Scene, conference: Conference, profiles: tuple[str, ...], outcomes: Iterable[Outcome]
) -> Iterator[Outcome]:
    """The outcomes of a rule of these profiles about legs; nothing where they do not cover the conference, where its
    profile is open that it is, and the gap where no leg was seen."""
    covered = scene.covers_conference(conference.id, profiles)
    yield from without_legs(scene, conference, profiles)
    if covered:
        yield from outcomes
    elif covered is None:
        yield from open_profile(outcomes)


def open_profile(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The same subjects, not assessed as the profile is open; other gaps stay."""
    told: set[Subject] = set()
    for outcome in outcomes:
        if outcome.subject in told:
            continue
        told.add(outcome.subject)
        if outcome.verdict == "not-assessed":
            yield outcome
        else:
            yield not_assessed(outcome.subject, "IMS-PROF-005", "the profile of the call is not determined")


def covers_leg(scene: Scene, conference: Conference, leg: ConferenceLeg, profiles: tuple[str, ...]) -> bool | None:
    """Whether the profile of a leg, or else of its conference, is one of these; None where neither is known."""
    own, shared = scene.covers(leg.call, profiles), scene.covers_conference(conference.id, profiles)
    return True if own or shared else None if own is None and shared is None else False


def declared(scene: Scene, conference: Conference) -> bool:
    """The user named the profile of the conference."""
    choice = scene.conference_profiles.get(conference.id)
    return choice is not None and not choice.inferred


def without_legs(scene: Scene, conference: Conference, profiles: tuple[str, ...]) -> Iterator[Outcome]:
    """The gap of a conference of which no call was seen (rules.md 19.1.1)."""
    if scene.covers_conference(conference.id, profiles) is not False and not conference.participants:
        subject = Subject("conference", conference.id)
        yield not_assessed(subject, "N-SIP", "no call with the focus of the conference was seen")


# --- legs -----------------------------------------------------------------------------------------


@once
def capture_end(trace: Trace, scene: Scene) -> int:
    """Time of the last packet of all captures."""
    return max((each.last_time for each in trace.captures if each.last_time is not None), default=0)


def accepted_legs(conference: Conference) -> Iterator[tuple[Participant, ConferenceLeg]]:
    """Legs that were answered with 2xx, with whose they are."""
    for participant in conference.participants:
        for leg in participant.legs:
            if leg.accepted:
                yield participant, leg


def lasted(leg: ConferenceLeg, end: int, longer_than: int) -> bool | None:
    """Whether an accepted leg lasted that long; None where the capture ends before."""
    if leg.joined is None:
        return False
    if (end if leg.left is None else leg.left) - leg.joined > longer_than:
        return True
    return False if leg.left is not None else None


def leg_subject(leg: ConferenceLeg) -> Subject:
    """A leg, by its call."""
    return Subject("call", leg.call)


def who(participant: Participant) -> str:
    """A participant in words."""
    return participant.identity or text(participant.uri) or "an unknown user"


def identities(participant: Participant) -> frozenset[str]:
    """Everything that a participant is known as."""
    named = {participant.identity, participant.mikey_identity, canonical(participant.uri)}
    return frozenset(named | participant.aliases) - {""}


@once
def names_of_legs(trace: Trace, scene: Scene) -> dict[tuple[bytes, bytes, bytes], frozenset[str]]:
    """Everything that the participant of a leg is known as, by dialog: hops of one session may name it differently."""
    calls = calls_by_id(trace)
    out: dict[tuple[bytes, bytes, bytes], frozenset[str]] = {}
    for conference in trace.conferences:
        by_call = {leg.call: (participant, leg) for participant, leg in accepted_legs(conference)}
        for participant, leg in accepted_legs(conference):
            names = identities(participant)
            for other in calls[leg.call].related if leg.call in calls else ():
                if other in by_call and _one_session(leg, by_call[other][1]):
                    names |= identities(by_call[other][0])
            out[leg.dialog] = names
    return out


def _one_session(one: ConferenceLeg, other: ConferenceLeg) -> bool:
    """A B2BUA sends an INVITE on before it answers the one that it got."""
    first, second = sorted((one, other), key=lambda leg: leg.invite.time)
    return first.joined is None or second.invite.time <= first.joined


def asserted(message: SignallingMessage | None) -> tuple[str, ...]:
    """Canonical identities that P-Asserted-Identity names (RFC 3325)."""
    if message is None or b"-asserted-identity" not in message.sip.head.lower():
        return ()
    return tuple(canonical(uri_of(value)) for value in message.sip.header_values(b"p-asserted-identity")[:8])


@once
def ticket_identities(trace: Trace, scene: Scene) -> dict[tuple[str, bytes], str]:
    """Identities that MIKEY messages name as their senders, by call and dialog tag."""
    return mikey_identities(trace.mikey)


def ticket_identity(trace: Trace, scene: Scene, leg: ConferenceLeg) -> str:
    """Whom the participant's MIKEY message of a leg is from; "" where none says."""
    return ticket_identities(trace, scene).get((leg.call, leg.dialog[2]), "")


def of_participant(leg: ConferenceLeg) -> SignallingMessage | None:
    """The message that carries the participant's identity: its INVITE, or its answer to the focus."""
    return leg.answer if leg.dial_out else leg.invite


def of_focus(leg: ConferenceLeg) -> SignallingMessage | None:
    """The message that carries the identity of the focus."""
    return leg.invite if leg.dial_out else leg.answer


def recording(leg: ConferenceLeg) -> bool:
    """The leg is of a recorder (SIPREC)."""
    head = leg.invite.sip.head.lower()
    return any(word in head for word in RECORDING)


def leg_evidence(leg: ConferenceLeg, field: str, observed: str, expected: str) -> tuple[Evidence, ...]:
    """INVITE and answer of a leg."""
    out = [Evidence(leg.invite.frame, field, observed, expected)]
    if leg.answer is not None:
        status = leg.answer.sip.status
        out.append(Evidence(leg.answer.frame, "SIP status", str(status), "a refusal" if status < 300 else "as it is"))
    return tuple(out)


def said(message: SignallingMessage, name: bytes) -> str:
    """A header of a message in words; "none" where it has none."""
    rows = message.sip.header(name)
    return text(b", ".join(rows[:3])) if rows else "none"


# --- media lines of legs, by hop ------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class LegLine:
    """One media line of a leg on one hop, in the state that decides: a clear one if there was any."""

    participant: Participant
    leg: ConferenceLeg
    call: Call
    line: MediaLine
    state: LineState
    hop: str  # "access", "core", "direct": signalling and media of the participant share an address; "unknown"
    protected: bool

    @property
    def kind(self) -> tuple[bytes, str]:
        """Media type and kind of transport: what is compared between legs."""
        return self.state.offered.type, self.state.offered.profile.family

    @property
    def near(self) -> bool:
        """The hop is the participant's own."""
        return self.hop in ("access", "direct")

    @property
    def shows_solution(self) -> bool:
        """It carries SDES or MIKEY keys, whatever else the profile rests on."""
        media = self.state.answered or self.state.offered
        return self.protected and (bool(media.crypto) or bool(media.key_mgmt_in_force))


@once
def leg_lines(trace: Trace, scene: Scene) -> dict[str, list[LegLine]]:
    """The media lines of the accepted legs of each conference that carried media, by its id."""
    calls = calls_by_id(trace)
    own = dialog_lines(trace, scene)
    out: dict[str, list[LegLine]] = {}
    for conference in trace.conferences:
        legs = {leg.call for _, leg in accepted_legs(conference)}
        users = _users_by_address(conference)
        found = out.setdefault(conference.id, [])
        for participant, leg in accepted_legs(conference):
            call = calls.get(leg.call)
            if call is None or recording(leg):
                continue
            alone = len(users[_address(leg)]) == 1
            lines = own[call.id].get(frozenset(leg.dialog[1:]), [])
            found += _judged(scene, participant, leg, call, lines, alone=alone)
            for other in _other_hops(call, leg, legs, participant, calls):
                found += _judged(scene, participant, leg, other, other.lines, alone=alone)
    return out


def _address(leg: ConferenceLeg) -> str:
    """The address that a leg's participant, or what stands before it, signals from."""
    return leg.invite.destination.ip if leg.dial_out else leg.invite.source.ip


def _users_by_address(conference: Conference) -> dict[str, set[int]]:
    out: defaultdict[str, set[int]] = defaultdict(set)
    for participant in conference.participants:
        for leg in participant.legs:
            out[_address(leg)].add(id(participant))
    return out


@once
def dialog_lines(trace: Trace, scene: Scene) -> dict[str, dict[frozenset[bytes], list[MediaLine]]]:
    """The lines of calls with a focus, by call and by the tags of their dialog."""
    return {call.id: _by_dialog(call) for call in trace.calls if call.conference}


def _by_dialog(call: Call) -> dict[frozenset[bytes], list[MediaLine]]:
    out: defaultdict[frozenset[bytes], list[MediaLine]] = defaultdict(list)
    for line in call.lines:
        tags = {
            frozenset((state.negotiation.offerer_tag, state.negotiation.answerer_tag))
            for state in line.states[:MAX_STATES]
            if state.answered is not None
        }
        for each in tags:
            out[each].append(line)
    return out


def on_hop(leg: ConferenceLeg, call: Call) -> ConferenceLeg:
    """A leg as another call of the same session shows it: with the dialog tags there."""
    invite = next((each for each in call.messages if each.sip.method == b"INVITE" and not each.sip.to_tag), None)
    caller = invite.sip.from_tag if invite is not None else b""
    tags = (tag for each in call.negotiations for tag in (each.offerer_tag, each.answerer_tag))
    callee = next((tag for tag in tags if tag not in (b"", caller)), b"")
    pair = (caller, callee) if leg.dial_out else (callee, caller)
    return replace(leg, call=call.id, dialog=(call.call_id, *pair), also=(leg.call, *leg.also))


def sides_of(state: LineState, leg: ConferenceLeg) -> tuple[Media | None, Media | None]:
    """The section of the focus, and that of the participant."""
    if state.negotiation.offerer_tag == leg.dialog[1]:
        return state.offered, state.answered
    return state.answered, state.offered


def _other_hops(
    call: Call, leg: ConferenceLeg, legs: set[str], participant: Participant, calls: dict[str, Call]
) -> Iterator[Call]:
    """Calls that carry the same session on, of the same participant (T-B2B)."""
    names = identities(participant)
    for name in dict.fromkeys((*leg.also, *call.related)):
        other = calls.get(name)
        if other is None or name == leg.call:
            continue
        same = not names.isdisjoint((canonical(other.from_uri), canonical(other.to_uri)))
        if name in leg.also or (same and name not in legs):
            yield other


def _judged(
    scene: Scene, participant: Participant, leg: ConferenceLeg, call: Call, lines: list[MediaLine], *, alone: bool
) -> Iterator[LegLine]:
    """Lines that carried media, each with whether it was protected all the time."""
    for line in lines:
        states = [state for state in line.states[:MAX_STATES] if _carries_media(state)]
        judged = [(protected(state, line), state) for state in states]
        weak = next((state for safe, state in judged if not safe), None)
        if judged:
            hop = _hop(scene, leg, line, alone=alone)
            yield LegLine(participant, leg, call, line, weak or judged[0][1], hop, protected=weak is None)


def _carries_media(state: LineState) -> bool:
    """Agreed, and not on hold (T-HOLD)."""
    if not state.accepted or state.negotiation.provisional or state.answered is None:
        return False
    sides = (state.offered, state.answered)
    return not any(media.connection in NOWHERE or media.direction == b"inactive" for media in sides)


def protected(state: LineState, line: MediaLine) -> bool:
    """The media of an agreed state is protected: by its transport, as its packets show, or by keys (T-OSRTP)."""
    answered = state.answered
    if answered is None:
        return False
    if state.offered.profile.secure and answered.profile.secure:
        return True
    kinds = {use.stream.kind for use in line.streams if isinstance(use.stream, MediaStream)}
    if kinds & {"rtp", "srtp"}:
        return "rtp" not in kinds
    keyed = state.offered.crypto and answered.crypto
    return bool(keyed or (state.offered.key_mgmt and answered.key_mgmt))


def _hop(scene: Scene, leg: ConferenceLeg, line: MediaLine, *, alone: bool = True) -> str:
    """The kind of the hop that a line was read from."""
    if line.side != "unknown":
        return line.side
    if scene.capture_point in ("access", "ue"):
        return "access"
    if scene.capture_point in ("core", "core-secured") or leg.at_focus:
        return "core"
    return "direct" if _direct(leg, line, alone=alone) else "unknown"


def _direct(leg: ConferenceLeg, line: MediaLine, *, alone: bool) -> bool:
    """The participant signals to this hop itself: no proxy is named, and its media comes from the same address, which
    no other participant has (a gateway that ends signalling and media of all would look the same)."""
    negotiation = line.states[0].negotiation
    offer, answer = negotiation.offer, negotiation.answer
    head = leg.invite.sip.head.lower()
    if not alone or answer is None or _vias(head) > 1 or b"\nrecord-route:" in head or b"\nroute:" in head:
        return False
    focus_offers = negotiation.offerer_tag == leg.dialog[1]
    theirs = answer if focus_offers else offer
    section = theirs.sdp.media[line.index] if line.index < len(theirs.sdp.media) else None
    return section is not None and text(section.connection) == theirs.message.source.ip


def hop_of_invite(scene: Scene, leg: ConferenceLeg, call: Call) -> str:
    """The kind of the hop nearest to the user that shows a leg's INVITE, whether or not its lines were agreed."""
    hops = {_hop(scene, leg, line) for line in call.lines if line.states} | {call.side}
    return next((each for each in ("access", "direct", "core") if each in hops), "unknown")


def _vias(head: bytes) -> int:
    """Hops that a request made, as far as its Via rows say."""
    rows = [row for row in head.split(b"\n")[1:] if row.startswith((b"via:", b"v:", b"via ", b"v "))]
    return sum(1 + row.count(b",") for row in rows)


# --- keys of legs ---------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class LegKey:
    """A master key that was agreed for a leg, and whose media it protects; of MIKEY the key that was sent."""

    digest: str
    side: str  # "focus", "participant"; "" where either may use it
    place: KeyPlace

    @property
    def name(self) -> str:
        """The key as reports name it."""
        return f"key:{self.digest[:8]}"


@once
def keys_of_calls(trace: Trace, scene: Scene) -> dict[str, list[tuple[str, KeyPlace]]]:
    """The agreed keys of each call, in order of time."""
    out: defaultdict[str, list[tuple[str, KeyPlace]]] = defaultdict(list)
    for key in trace.keys:
        for place in key.places:
            if place.call and place.line and place.agreed:
                out[place.call].append((place.source or key.digest, place))
    for places in out.values():
        places.sort(key=lambda each: each[1].begins)
    return dict(out)


def keys_of(leg: ConferenceLeg, keys: dict[str, list[tuple[str, KeyPlace]]]) -> list[LegKey]:
    """The keys of a leg, in order of time; those of other dialogs of the call are left out."""
    sides = {leg.dialog[1]: "focus", leg.dialog[2]: "participant", b"": ""}
    return [
        LegKey(digest, sides[place.party], place) for digest, place in keys.get(leg.call, []) if place.party in sides
    ]


def key_evidence(key: LegKey, observed: str, expected: str) -> tuple[Evidence, ...]:
    """Where a key stands."""
    return (Evidence(key.place.frame, key.place.field, observed, expected),) if key.place.frame is not None else ()


def has_protected_rtp(lines: Iterable[LegLine], leg: ConferenceLeg) -> bool:
    """A leg carries media whose keys would be in the trace if they could be read."""
    return any(each.leg is leg and each.protected and each.kind[1] == "rtp" for each in lines)

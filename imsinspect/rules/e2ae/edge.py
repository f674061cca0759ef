"""What rules of end-to-access-edge security share: their lines, the hops of these, and what was announced before."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.profiles import E2AE_OF
from imsinspect.rules.facts import not_assessed
from imsinspect.rules.outcome import Evidence, Outcome
from imsinspect.rules.rule import once
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sdp.parse import Media, Section
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.outcome import Subject
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaIndication, MediaLine, Negotiation, Registration, Trace

E2AE_PROFILES = tuple(E2AE_OF.values())
TLS_PROFILES = ("E2AE-MSRP", "E2AE-BFCP")

TOKENS = {"rtp": "sdes-srtp", "msrp": "msrp-tls", "bfcp": "bfcp-tls"}
"""The mechanism marked ;mediasec that announces each family of lines (TS 24.229 §7.2A.7)."""

CERTIFIED = frozenset(("TCP/TLS/MSRP", "TCP/TLS/BFCP", "TCP/DTLS/BFCP", "UDP/TLS/BFCP"))
"""Transports of messaging and floor control whose peers know one another by certificate fingerprints."""

INDICATORS = frozenset((b"requested", b"applied"))
OFFERER, ANSWERER = "offerer", "answerer"
PEER = {OFFERER: ANSWERER, ANSWERER: OFFERER}
MAX_LINES = 64  # of a call that are searched
MAX_UES = 16  # behind one address, or bindings of one identity, that are compared


# --- which lines ----------------------------------------------------------------------------------


def certified_lines(trace: Trace) -> Iterator[tuple[Call, MediaLine, list[LineState]]]:
    """Lines of messaging and floor control with TLS of their own, with the states that say so, the core left out."""
    for call in trace.calls:
        for line in call.lines:
            if line.side == "core":
                continue
            states = [state for state in line.states if state.offered.transport in CERTIFIED]
            if states:
                yield call, line, states


def sides(state: LineState) -> Iterator[tuple[str, Media, FrameId]]:
    """Both parties' sections of a line that are in use, with the frames that carried them."""
    negotiation = state.negotiation
    if state.offered.port != 0:
        yield OFFERER, state.offered, negotiation.offer.message.frame
    if state.answered is not None and state.answered.port != 0 and negotiation.answer is not None:
        yield ANSWERER, state.answered, negotiation.answer.message.frame


def indicator(media: Media | None) -> bytes:
    """The value of a=3ge2ae of a section; b"" if it has none that is defined."""
    if media is None or b"\na=3ge2ae:" not in media.section.text:
        return b""
    return media.e2ae if media.e2ae in INDICATORS else b""


def applies(scene: Scene, call: Call, family: str, sections: Iterable[Media | None] = ()) -> bool | None:
    """Whether a line is to be protected to the access edge: by its profile, or because it says so itself.

    None where the profile of the call is open and the line does not say.
    """
    choice = scene.profiles.get(call.id)
    if (choice is None or choice.inferred) and any(indicator(media) for media in sections):
        return True
    return scene.covers(call.id, (E2AE_OF[family],))


def line_applies(scene: Scene, call: Call, states: Iterable[LineState]) -> bool | None:
    """Likewise, of a line that was agreed or offered."""
    states = list(states)
    sections = [media for state in states for media in (state.offered, state.answered)]
    return applies(scene, call, states[0].offered.profile.family, sections)


def asked_for(scene: Scene, call: Call) -> bool:
    """The user, not the trace, says that the call is protected to the access edge."""
    choice = scene.profiles.get(call.id)
    return choice is not None and not choice.inferred and not choice.covers.isdisjoint(E2AE_PROFILES)


def undetermined(subject: Subject) -> Outcome:
    """The outcome for a line of a call whose profile is open."""
    return not_assessed(subject, "IMS-PROF-005", "the profile of the call is not determined")


def kms_keyed(*sections: Media | None) -> bool:
    """A section carries a=key-mgmt: the line is protected end to end."""
    return any(media is not None and bool(media.key_mgmt_in_force) for media in sections)


def refused(negotiation: Negotiation) -> bool:
    """What was answered never came into force."""
    return negotiation.rejected and (negotiation.answer is None or negotiation.provisional)


@once
def lines_of_negotiations(trace: Trace, scene: Scene) -> dict[tuple[int, int], MediaLine]:
    """Lines by negotiation and index."""
    return {
        (id(state.negotiation), line.index): line
        for call in trace.calls
        for line in call.lines
        for state in line.states
    }


def _says(line: MediaLine, section: Section) -> bool:
    """The line was offered with these octets."""
    return bool(line.states) and line.states[0].offered.section == section


def line_id(trace: Trace, scene: Scene, call: Call, negotiation: Negotiation, index: int) -> str:
    """The id of a line; hops that carried the same octets share one."""
    line = lines_of_negotiations(trace, scene).get((id(negotiation), index))
    offered = negotiation.offer.sdp.media
    if line is None and index < len(offered):
        section = offered[index].section
        line = next((each for each in call.lines[:MAX_LINES] if each.index == index and _says(each, section)), None)
    return line.id if line is not None else f"{call.id}/{index}"


# --- hops and registrations -----------------------------------------------------------------------


def on_access(scene: Scene, side: str) -> bool | None:
    """Whether a hop is between UE and P-CSCF: by evidence, else by what the user says of the capture point."""
    if side != "unknown":
        return side == "access"
    return True if scene.capture_point in ("access", "ue") else None


def ue_of(scene: Scene, negotiation: Negotiation) -> str:
    """Who of offerer and answerer is the UE on an access hop; "" where nothing shows it."""
    if negotiation.ue or negotiation.side == "core":
        return negotiation.ue
    message = negotiation.offer.message
    source = scene.policy.is_node("p_cscf", message.source.ip)
    destination = scene.policy.is_node("p_cscf", message.destination.ip)
    if source == destination:
        return ""
    return ANSWERER if source else OFFERER


@dataclass(slots=True, frozen=True)
class Announced:
    """What UE and network had announced of media security when something happened."""

    ue: MediaIndication | None
    network: MediaIndication | None

    def both(self, token: str) -> bool:
        """Both sides named the mechanism."""
        return self.by_network(token) and self.ue is not None and token in self.ue.mechanisms

    def by_network(self, token: str) -> bool:
        """The network named the mechanism."""
        return self.network is not None and token in self.network.mechanisms

    def evidence(self, token: str) -> tuple[Evidence, ...]:
        """The frames in which both sides announced it."""
        return tuple(
            Evidence(each.frame, each.header, f"{token};mediasec", "protection to the access edge for such lines")
            for each in (self.ue, self.network)
            if each is not None and token in each.mechanisms
        )


Hop = tuple[str, str]


def _hop(ue: Endpoint, edge: Endpoint) -> Hop:
    return (ue.ip, edge.ip) if ue.ip != edge.ip else (str(ue), str(edge))


@dataclass(slots=True, frozen=True)
class _Registered:
    """A registration on one hop, with what was announced there by header."""

    registration: Registration
    said: dict[str, list[MediaIndication]]  # in time order

    def by(self, time: int) -> Announced:
        """What both sides had said by a time; an echo in Security-Verify stands in for the UE's own list."""
        own = self._last("Security-Client", time) or self._last("Security-Verify", time)
        return Announced(own, self._last("Security-Server", time))

    def _last(self, header: str, time: int) -> MediaIndication | None:
        said = self.said.get(header, [])
        number = bisect_right(said, time, key=lambda each: each.time)
        return said[number - 1] if number else None


@dataclass(slots=True)
class _OnHop:
    """The registrations of one hop, and those of each identity."""

    all: list[_Registered] = field(default_factory=list)
    by_name: dict[str, list[_Registered]] = field(default_factory=dict)


@once
def _registrations(trace: Trace, scene: Scene) -> dict[Hop, _OnHop]:
    """Registrations by the hops that their REGISTER requests took."""
    out: dict[Hop, _OnHop] = {}
    for registration in trace.registrations:
        found: dict[Hop, _Registered] = {}
        for message in registration.messages:
            if message.sip.method:
                hop = _hop(message.source, message.destination)
                found.setdefault(hop, _Registered(registration, {}))
        for each in registration.indications:
            known = found.get(_hop(each.ue, each.edge))
            if known is not None:
                known.said.setdefault(each.header, []).append(each)
        for hop, registered in found.items():
            here = out.setdefault(hop, _OnHop())
            here.all.append(registered)
            here.by_name.setdefault(canonical(registration.identity), []).append(registered)
    return out


def announced(trace: Trace, scene: Scene, call: Call, negotiation: Negotiation, ue: str) -> Announced | None:
    """What the UE of a hop and the network had announced when an offer was made; None where no registration of it that
    lasts was seen on that hop, or several that differ."""
    message = negotiation.offer.message
    ends = (message.source, message.destination)
    here = _registrations(trace, scene).get(_hop(*(ends if ue == OFFERER else ends[::-1])))
    if here is None:
        return None
    names = dict.fromkeys((canonical(call.from_uri), canonical(call.to_uri)))
    found = _lasting((each for name in names for each in here.by_name.get(name, ())[:MAX_UES]), message.time)
    if not found and len(here.all) <= MAX_UES:
        found = _lasting(here.all, message.time)
    told = [each.by(message.time) for each in found]
    sets = {
        tuple(frozenset(side.mechanisms) if side is not None else None for side in (each.ue, each.network))
        for each in told
    }
    return told[0] if len(sets) == 1 else None


def _lasting(registered: Iterable[_Registered], time: int) -> list[_Registered]:
    return [each for each in registered if each.registration.lasts_at(time)]

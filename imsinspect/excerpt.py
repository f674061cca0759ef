"""Which packets of a capture its findings rest on: their evidence, and what an audit needs to find the same again.

How much that is can't be known beforehand: rules look at order, number and absence of packets. So there are several
measures, from little to everything that the hosts concerned sent; who uses them audits what they leave.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imsinspect.capture.frames import frame_number
from imsinspect.report.belonging import by_owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imsinspect.capture.conversations import Conversation, Conversations
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.rules.outcome import Finding
    from imsinspect.trace.model import Call, MediaStream, RtcpSource, SignallingMessage, Trace

NEAR = 10  # packets of its conversation around one that is evidence
UDP = 17


@dataclass(slots=True, frozen=True)
class Measure:
    """How much is kept beside the evidence and the signalling of the calls concerned."""

    first: int | None  # packets at the beginning of each stream of media; None: all
    last: int  # and at its end
    shared: bool = False  # connections that calls share with others, whole
    between: bool = False  # everything between the hosts concerned
    around: bool = False  # everything to and from them


MEASURES = (
    Measure(40, 0),
    Measure(200, 0),
    Measure(2_000, 500),
    Measure(None, 0, shared=True),
    Measure(None, 0, shared=True, between=True),
    Measure(None, 0, shared=True, between=True, around=True),
)


@dataclass(slots=True)
class Concerned:
    """What the findings of a trace are about."""

    evidence: set[int] = field(default_factory=set)  # frame numbers
    dialogs: set[bytes] = field(default_factory=set)  # Call-IDs
    signalling: set[int] = field(default_factory=set)  # frames of their messages
    others: set[int] = field(default_factory=set)  # frames of SIP that is of other calls
    streams: set[tuple[Endpoint, Endpoint, int]] = field(default_factory=set)  # media: ports and SSRC
    ports: set[frozenset[Endpoint]] = field(default_factory=set)  # pairs, of media, TLS and connections
    hosts: set[str] = field(default_factory=set)


def concerned(trace: Trace, findings: Sequence[Finding]) -> Concerned:
    """The frames, calls, streams and hosts that findings are about."""
    out = Concerned({frame_number(each.frame) for finding in findings for each in finding.evidence if each.frame})
    calls = {call.id: call for call in trace.calls}
    wanted = set(by_owner(trace, findings)) & {*calls, *(each.id for each in trace.conferences)}
    out.dialogs = {message.sip.call_id for message in trace.messages if _numbers(message) & out.evidence}
    wanted |= {call.id for call in trace.calls if call.call_id in out.dialogs}
    wanted |= {call.conference for call in trace.calls if call.id in wanted and call.conference}
    for conference in trace.conferences:
        if conference.id in wanted:
            wanted |= {leg.call for participant in conference.participants for leg in participant.legs}
            out.dialogs |= {each.dialog[0] for each in conference.subscriptions}
            out.dialogs |= {each.message.sip.call_id for each in conference.referrals}
    wanted |= {other for name in wanted if name in calls for other in calls[name].related}
    chosen = [calls[name] for name in sorted(wanted) if name in calls]
    out.dialogs |= {call.call_id for call in chosen}
    _signalling(out, trace)
    for call in chosen:
        _media(out, call)
    named = {finding.subject.id for finding in findings}
    senders: list[MediaStream | RtcpSource] = [*trace.streams, *trace.rtcp_sources]
    for stream in senders:
        if stream.id in named:
            out.streams.add((stream.source, stream.destination, stream.ssrc))
            out.ports.add(frozenset((stream.source, stream.destination)))
    for session in trace.tls_sessions:
        if session.id in named:
            out.ports.add(frozenset((session.client, session.server)))
    out.hosts |= {end.ip for pair in out.ports for end in pair}
    return out


def _signalling(out: Concerned, trace: Trace) -> None:
    """Messages of the dialogs concerned, and registrations of who takes part in them."""
    for message in trace.messages:
        if message.sip.call_id in out.dialogs:
            out.signalling |= _numbers(message)
            out.hosts |= {message.source.ip, message.destination.ip}
    for registration in trace.registrations:
        if any({each.source.ip, each.destination.ip} & out.hosts for each in registration.messages):
            for each in registration.messages:
                out.signalling |= _numbers(each)
    for message in trace.messages:
        out.others |= _numbers(message) - out.signalling


def _media(out: Concerned, call: Call) -> None:
    for line in call.lines:
        for use in (*line.streams, *line.rtcp):
            stream = use.stream
            out.streams.add((stream.source, stream.destination, stream.ssrc))
            out.ports.add(frozenset((stream.source, stream.destination)))
        for session in line.tls_sessions:
            out.ports.add(frozenset((session.client, session.server)))
        for connection in line.connections:
            out.ports.add(frozenset((connection.client, connection.server)))


def _numbers(message: SignallingMessage) -> set[int]:
    return {frame_number(frame) for frame in message.frames}


def kept(about: Concerned, found: Conversations, measure: Measure) -> NDArray[np.bool_]:
    """By frame number, whether a packet is kept."""
    keep = np.zeros(found.packets + 1, np.bool_)
    evidence = _array(about.evidence, found)
    keep[evidence] = True
    keep[_array(about.signalling, found)] = True
    others = np.zeros_like(keep)
    others[_array(about.others, found)] = True
    shown = np.zeros_like(keep)
    shown[evidence] = True
    hosts = set(about.hosts)
    for number, each in enumerate(found.all):
        if shown[found.of(number)].any():
            hosts |= {each.source.ip, each.destination.ip}
    for number, each in enumerate(found.all):
        frames = found.of(number)
        keep[frames[_part(each, frames, about, measure, shown, others, hosts)]] = True
    for whole, pieces in found.pieces.items():
        if keep[frame_number(whole)]:
            keep[[frame_number(piece) for piece in pieces]] = True
    return keep


def _part(
    each: Conversation,
    frames: NDArray[np.int64],
    about: Concerned,
    measure: Measure,
    shown: NDArray[np.bool_],
    others: NDArray[np.bool_],
    hosts: set[str],
) -> NDArray[np.intp] | slice:
    """Which of the frames of a conversation are kept."""
    there = {each.source.ip in hosts, each.destination.ip in hosts}
    if (measure.between and there == {True}) or (measure.around and True in there):
        return slice(None)
    places = np.flatnonzero(shown[frames])
    mine = frozenset((each.source, each.destination)) in about.ports
    if each.kind == "media":
        if not len(places) and (each.source, each.destination, each.ssrc) not in about.streams:
            return slice(0)
        return _thinned(len(frames), places, measure)
    if not (len(places) or mine):
        return slice(0)
    if others[frames].any() and not mine and not measure.shared:  # with the signalling of other calls
        return places
    return slice(None)


def _thinned(count: int, places: NDArray[np.intp], measure: Measure) -> NDArray[np.intp] | slice:
    """The beginning and the end of a stream, and what is around its evidence."""
    if measure.first is None or count <= measure.first + measure.last:
        return slice(None)
    chosen = np.zeros(count, np.bool_)
    chosen[: measure.first] = True
    chosen[count - measure.last :] = True
    for place in places.tolist():
        chosen[max(place - NEAR, 0) : place + NEAR + 1] = True
    return np.flatnonzero(chosen)


def _array(frames: Iterable[int], found: Conversations) -> NDArray[np.int64]:
    numbers = np.array(sorted(frames), np.int64)
    return numbers[numbers <= found.packets]

"""The ladder of one call: its messages, key exchanges and media, and which lifeline each address belongs to."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from imsinspect.capture.endpoint import Endpoint
from imsinspect.report.escape import text
from imsinspect.report.ladder_drafts import (
    SipDrafts,
    association_draft,
    connection_draft,
    control_draft,
    floor_draft,
    mikey_drafts,
    msrp_draft,
    renewal_drafts,
    session_draft,
    stream_draft,
)
from imsinspect.report.protection import claim
from imsinspect.trace.model import MediaStream
from imsinspect.trace.parties import names_of_ends

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.report.ladder_drafts import Draft
    from imsinspect.trace.model import Call, Description, MediaLine, MikeyMessage, TlsSession, Trace


def drafts_of_call(trace: Trace, call: Call) -> Iterator[Draft]:
    """Everything of a call that becomes an arrow, in no order."""
    yield from SipDrafts(trace, call).drafts()
    yield from mikey_drafts(_mikey_beside(trace, call))
    sessions: dict[str, tuple[TlsSession, str]] = {}
    for line in call.lines:
        purpose = f"for line {line.index}"
        sessions |= {each.id: (each, purpose) for each in line.tls_sessions if each.id not in sessions}
        yield from drafts_of_line(line)
    hops = {frozenset((each.source, each.destination)) for each in call.messages}
    for session in trace.tls_sessions:
        if session.id not in sessions and frozenset((session.client, session.server)) in hops:
            sessions[session.id] = session, "carries the signalling"
    for session, purpose in sessions.values():
        yield session_draft(session, purpose)
    lines = {line.id for line in call.lines}
    for floor in trace.floors:
        if any(line.id in lines for line in floor.lines):
            yield floor_draft(floor)
    yield from _associations(trace, call)


def drafts_of_line(line: MediaLine) -> Iterator[Draft]:
    """The media, RTCP, messaging and connections of a line, without its TLS sessions and floor control."""
    claimed = claim(line)
    for use in chain(line.streams, line.rtcp):
        if isinstance(use.stream, MediaStream):
            yield stream_draft(use.stream, line, claimed.media or "media", claimed.secure)
            yield from renewal_drafts(use.stream, line, claimed.media or "media")
        else:
            yield control_draft(use.stream, line, claimed.secure)
    for session in line.msrp:
        yield msrp_draft(session)
    told = {session.connection for session in line.msrp}
    for connection in line.connections:
        if not (connection.id in told or connection.tls_sessions or connection.messages):
            yield connection_draft(connection)


def _mikey_beside(trace: Trace, call: Call) -> Iterator[MikeyMessage]:
    """Messages outside of session descriptions that belong to the exchanges of a call: those with a KMS."""
    related = {
        name
        for each in trace.mikey_exchanges
        if call.id in each.calls
        for name in (each.id, each.request, *each.resolve)
        if name
    }
    for exchange in trace.mikey_exchanges:
        if exchange.id in related:
            for message in chain(exchange.inits, exchange.answers, exchange.errors):
                if message.signalling is None:
                    yield message


def _associations(trace: Trace, call: Call) -> Iterator[Draft]:
    """ESP between the hosts of a hop of the call while it lasts, or around one of its messages (in tunnel mode the
    hosts of both differ)."""
    if not trace.esp:
        return
    hops: dict[frozenset[str], tuple[Endpoint, Endpoint]] = {}
    around: dict[FrameId, tuple[Endpoint, Endpoint]] = {}
    first = call.first_time
    last = max([call.last_time, *(use.stream.last.time for line in call.lines for use in line.streams)])
    for message in call.messages:
        ends = message.source, message.destination
        hops.setdefault(frozenset(end.ip for end in ends), ends)
        around |= dict.fromkeys(message.frames, ends)
    for each in trace.esp:
        ends_of_frame = around.get(each.first.frame) or around.get(each.last.frame)
        hop = ends_of_frame or hops.get(frozenset((each.source, each.destination)))
        if hop is not None and each.first.time <= last and each.last.time >= first:
            swapped = ends_of_frame is None and hop[0].ip != each.source
            yield association_draft(each, *(hop[::-1] if swapped else hop))


def _descriptions(call: Call) -> Iterator[Description]:
    for negotiation in call.negotiations:
        yield negotiation.offer
        if negotiation.answer is not None:
            yield negotiation.answer


class CallLanes:
    """Which lifeline an address belongs to: that of its host, or, where a host speaks to itself, of the party that
    announced the port."""

    def __init__(self, call: Call, drafts: list[Draft]) -> None:
        pairs = [
            (each.source, each.destination)
            for each in drafts
            if isinstance(each.source, Endpoint) and isinstance(each.destination, Endpoint)
        ]
        self._names = names_of_ends(call.messages)
        self._alone = {source.ip for source, destination in pairs if source.ip == destination.ip}
        self._homes: dict[Endpoint, Endpoint] = {}
        self._announcers: dict[Hashable, bytes] = {}  # by host
        for described in _descriptions(call):
            name = self._names.get(described.message.source)
            for media in described.sdp.media if name else ():
                self._announcers.setdefault(media.connection.decode("ascii", "replace"), name or b"")
        if self._alone:
            self._announced(call)
            self._other_ends(call, pairs)

    def key(self, end: Hashable) -> Hashable:
        """What is the same for all addresses of one lifeline."""
        if not isinstance(end, Endpoint):
            return end
        return self._homes.get(end, end) if end.ip in self._alone else end.ip

    def name(self, key: Hashable, ends: list[Hashable]) -> str:
        """Of the signalling that went out from there; of media alone, that of who announced the address."""
        named = (self._names[each] for each in ends if isinstance(each, Endpoint) and each in self._names)
        name = next(named, b"")
        announcer = b"" if name else self._announcers.get(key, b"")
        return f"media of {text(announcer)}" if announcer else text(name)

    def addresses(self, key: Hashable, ends: list[Hashable]) -> tuple[str, ...]:
        """The host, or the address of the signalling where the host has several lifelines."""
        return (str(key),)

    def arranged(self, keys: list[Hashable]) -> list[Hashable]:
        """In order of appearance."""
        return keys

    def _announced(self, call: Call) -> None:
        """Signalling ends of one name are one; media ports belong to who announced them."""
        first: dict[bytes, Endpoint] = {}
        for end, name in self._names.items():
            if end.ip in self._alone:
                self._homes[end] = first.setdefault(name, end)
        for described in _descriptions(call):
            home = described.message.source
            home = self._homes.get(home, home)
            for media in described.sdp.media:
                ip = media.connection.decode("ascii", "replace")
                for port in (media.port, media.port + 1):
                    self._homes.setdefault(Endpoint(ip, port), home)

    def _other_ends(self, call: Call, pairs: list[tuple[Endpoint, Endpoint]]) -> None:
        """Of two parties, one is at the end that was not announced where the other is at the other end."""
        parties = {self.key(end) for each in call.messages for end in (each.source, each.destination)}
        if len(parties) != 2:
            return
        for source, destination in pairs:
            for known, unknown in ((source, destination), (destination, source)):
                key = self.key(known)
                if unknown.ip in self._alone and self.key(unknown) not in parties and key in parties:
                    (other,) = parties - {key}
                    if isinstance(other, Endpoint):
                        self._homes[unknown] = other

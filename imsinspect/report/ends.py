"""Between whom a finding is, and which way the packets went that show it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from imsinspect.report.belonging import Owners
from imsinspect.report.call_views import NAME, UNNAMED
from imsinspect.report.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.outcome import Finding
    from imsinspect.trace.model import Call, CarriedMessage, MikeyMessage, SignallingMessage, TlsSession, Trace


class Ends:
    """Answers for the findings that it was made with; of others it knows nothing."""

    def __init__(self, trace: Trace, findings: Sequence[Finding]) -> None:
        wanted = {evidence.frame for finding in findings for evidence in finding.evidence}
        self._frames: dict[FrameId, str] = {}
        for frame, way in _frames(trace):
            if frame in wanted:
                self._frames.setdefault(frame, way)
        self._subjects = dict(_subjects(trace)) if findings else {}
        self._names = _names(trace)
        self._owners = Owners(trace)

    def way(self, frame: FrameId) -> str:
        """`192.0.2.1:5060 → 198.51.100.1:5060`; "" where it is not known."""
        return self._frames.get(frame, "")

    def direction(self, finding: Finding) -> str:
        """Of its stream or session; else of all its frames, where they went the same way."""
        subject = self._subjects.get((finding.subject.kind, finding.subject.id))
        if subject is not None:
            return subject
        ways = {self.way(evidence.frame) for evidence in finding.evidence}
        return ways.pop() if len(ways) == 1 else ""

    def owners(self, finding: Finding) -> Sequence[str]:
        """Ids of the calls and conferences that it belongs to, in the order of the trace."""
        return tuple(self._owners.of(finding.subject))

    def parties(self, owner: str) -> str:
        """Who takes part in a call or conference; the identity of a registration."""
        return self._names.get(owner, "")


def _way(source: Endpoint, destination: Endpoint) -> str:
    return f"{source} → {destination}"


def _frames(trace: Trace) -> Iterator[tuple[FrameId, str]]:
    message: SignallingMessage | MikeyMessage | CarriedMessage
    for message in chain[Any](trace.messages, trace.mikey, trace.carried):
        way = _way(message.source, message.destination)
        for frame in message.frames:
            yield frame, way
    for session in trace.tls_sessions:
        yield from _frames_of_session(session)
    for stream in trace.streams:
        way = _way(stream.source, stream.destination)
        for frame in (stream.first.frame, stream.last.frame, *stream.judgement.frames):
            yield frame, way
        for each in stream.proof.failures if stream.proof is not None else ():
            yield each.frame, way
    for source in trace.rtcp_sources:
        way = _way(source.source, source.destination)
        ends = (source.first_plain, source.last_plain) if source.plain else ()
        for frame in (source.first.frame, source.last.frame, *ends):
            yield frame, way


def _frames_of_session(session: TlsSession) -> Iterator[tuple[FrameId, str]]:
    from_client, from_server = _way(session.client, session.server), _way(session.server, session.client)
    for hello in session.client_hellos:
        yield hello.frame, from_client
    for hello in session.server_hellos:
        yield hello.frame, from_server
    for frame, by_client, _, _ in session.alerts:
        yield frame, from_client if by_client else from_server


def _subjects(trace: Trace) -> Iterator[tuple[tuple[str, str], str]]:
    for stream in trace.streams:
        yield ("stream", stream.id), _way(stream.source, stream.destination)
    for source in trace.rtcp_sources:
        yield ("rtcp", source.id), _way(source.source, source.destination)
    for session in trace.tls_sessions:
        yield ("tls-session", session.id), f"{_way(session.client, session.server)} (client → server)"


def _names(trace: Trace) -> dict[str, str]:
    names = {call.id: _of_call(call) for call in trace.calls}
    for conference in trace.conferences:
        names[conference.id] = printable(conference.uri_written or conference.uri, NAME)
    for registration in trace.registrations:
        names[registration.id] = printable(registration.identity, NAME)
    return names


def _of_call(call: Call) -> str:
    return f"{printable(call.from_uri, NAME) or UNNAMED} → {printable(call.to_uri, NAME) or UNNAMED}"

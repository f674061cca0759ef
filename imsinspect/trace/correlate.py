"""The second half of building a trace: what the scans of all captures hold, put together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dissectors.bfcp import framing as bfcp
from dissectors.http import WEBSOCKET_UPGRADE
from dissectors.mikey.carriage import carried, octets
from dissectors.sdp.parse import parse as parse_sdp
from dissectors.sip.parse import parse as parse_sip
from dissectors.tls.suites import suite
from imsinspect.capture import classify
from imsinspect.capture.chunk import Chunk
from imsinspect.capture.decode import ESP_NULL, ESP_OPENED, EXPORTED, SCTP_DATA, TCP, TURN
from imsinspect.capture.fragments import Fragments
from imsinspect.capture.frames import capture_index
from imsinspect.capture.identity import PORTS, SSRC, endpoints, identity_of
from imsinspect.capture.signalling import Derived
from imsinspect.capture.stream_messages import StreamMessage, messages
from imsinspect.capture.tcp import Assembly, assemble
from imsinspect.processes import shared
from imsinspect.trace.beginnings import media_connection
from imsinspect.trace.binding import bind
from imsinspect.trace.calls import build_calls
from imsinspect.trace.conferences import build_conferences
from imsinspect.trace.connections import connections, datagrams, dtls_flows, path_ends
from imsinspect.trace.dialogs import mark_retransmissions
from imsinspect.trace.floor import floor_connections
from imsinspect.trace.gateway import gateway_messages
from imsinspect.trace.judgement import judge
from imsinspect.trace.media import media_streams, rtcp_sources
from imsinspect.trace.messaging import msrp_sessions
from imsinspect.trace.mikey import of_sip
from imsinspect.trace.model import (
    CarriedMessage,
    Counts,
    EspAssociation,
    MediaConnection,
    MikeyMessage,
    Note,
    Place,
    Protection,
    SignallingMessage,
    Trace,
    Unread,
)
from imsinspect.trace.pages import build_pages
from imsinspect.trace.registrations import build_registrations
from imsinspect.trace.security_agreement import build_agreements
from imsinspect.trace.sides import mark_sides, relate
from imsinspect.trace.srtcp import find_layout
from imsinspect.trace.unread import (
    CUT,
    FRAGMENTS,
    GAPS,
    LOST,
    SIGCOMP,
    SMIME,
    TOO_LONG,
    UNFINISHED,
    StreamWatch,
    compressed,
    hidden_description,
    lacks_description,
    unfinished_datagrams,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dissectors.sdp.parse import SessionDescription
    from dissectors.sip.body import BodyPart
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.trace.connections import JoinedConnection
    from imsinspect.trace.judgement import Expectation
    from imsinspect.trace.model import Judgement, LineState, MediaStream, RtcpSource, SealedBody, TlsSession
    from imsinspect.trace.scan import Scan
    from imsinspect.trace.smime import SmimeOpener

CARRIED = frozenset((classify.MSRP, classify.BFCP, classify.H248))
OF_MEDIA = frozenset((classify.MSRP, classify.BFCP))
TRANSPORTS = {classify.SIP: "tcp", classify.WEBSOCKET: "ws"}
MAX_CARRIED = 64 << 10  # octets kept of one message of MSRP, BFCP or H.248
MAX_NOTES = 1_000
MAX_UNREAD = 10_000  # for one reason
JUDGED_BESIDE = 400  # streams; the judgement of fewer is over before another process would begin
MAX_DESCRIPTIONS = 10_000  # kept to be recognised when they come again


class _Builder:
    """Collects what the scans give while the trace is built."""

    def __init__(self, scans: list[Scan]) -> None:
        self.scans = scans
        self.by_index = {scan.index: scan for scan in scans}
        self.trace = Trace(captures=[self.by_index[index].info for index in sorted(self.by_index)])
        self.sip: list[SignallingMessage] = []
        self.counts = Counts(packets=sum(scan.info.packets for scan in scans))
        self.sessions: list[TlsSession] = []
        self.mikey: list[MikeyMessage] = []  # outside of session descriptions of calls
        self.of_sessions: list[tuple[CarriedMessage, TlsSession]] = []
        self.media_connections: list[MediaConnection] = []
        self.floor: dict[frozenset[Endpoint], MediaConnection] = {}  # datagrams of floor control, by their two ports
        self.extra_stun = 0
        self.unread_for: Counter[str] = Counter()
        self.descriptions: dict[bytes, SessionDescription] = {}
        self.smime: SmimeOpener | None = None

    def note(self, frame: int | None, text: str) -> None:
        """Trouble in a message; bounded."""
        if len(self.trace.notes) < MAX_NOTES:
            self.trace.notes.append(Note(frame, text))
        elif len(self.trace.notes) == MAX_NOTES:
            self.trace.notes.append(Note(None, f"more than {MAX_NOTES} notes: the others are not shown"))

    def unread(self, frame: int, reason: str) -> None:
        """Signalling that could not be read; bounded for each reason."""
        self.unread_for[reason] += 1
        if self.unread_for[reason] <= MAX_UNREAD:
            self.trace.unread.append(Unread(GAPS[reason], frame, reason))
        elif self.unread_for[reason] == MAX_UNREAD + 1:
            self.note(None, f"more than {MAX_UNREAD} times: {reason}")

    # --- signalling ---

    def message(
        self,
        data: bytes,
        frames: tuple[int, ...],
        time: int,
        source: Endpoint,
        destination: Endpoint,
        transport: str,
        protection: Protection,
        datagram: bool,
        note: str = "",
        cut: bool = False,
    ) -> None:
        """One SIP message."""
        sip = parse_sip(data, datagram=datagram)
        parts = sip.sdp_bodies() if not sip.body or sip.content_type == b"application/sdp" else sip.bodies()
        sealed: tuple[SealedBody, ...] = ()
        hidden_parts: tuple[BodyPart, ...] = ()
        readable: list[BodyPart] = []
        if any(part.content_type in SMIME for part in parts):
            parts, readable, hidden_parts, sealed = self.unsealed(frames[0], parts)
        bodies = tuple(self.description(part.data) for part in (*parts, *hidden_parts) if part.is_sdp)
        if cut and lacks_description(sip):
            self.unread(frames[0], CUT)
        elif parts and (hidden := hidden_description(sip, [*parts, *hidden_parts])):
            self.unread(frames[0], hidden)
        if note:
            self.note(frames[0], f"SIP: {note}")
        for each in sip.notes:
            self.note(frames[0], f"SIP, offset {each.offset}: {each.text}")
        kept = SignallingMessage(frames, time, source, destination, transport, protection, sip, bodies)
        if sealed:
            kept.sealed, kept.hidden_sdp = sealed, sum(part.is_sdp for part in hidden_parts)
            kept.unsealed, kept.hidden_parts = (*readable, *hidden_parts), len(hidden_parts)
        self.sip.append(kept)

    def unsealed(
        self, frame: int, parts: list[BodyPart]
    ) -> tuple[list[BodyPart], list[BodyPart], tuple[BodyPart, ...], tuple[SealedBody, ...]]:
        """Bodies with S/MIME that could be read replaced by what it holds; that by itself, and what a key opened."""
        if self.smime is None:
            from imsinspect.trace.smime import SmimeOpener  # loaded where there is S/MIME

            self.smime = SmimeOpener([kek for scan in self.scans[:1] if scan.opening for kek in scan.opening.cms])
        left: list[BodyPart] = []
        readable: list[BodyPart] = []
        hidden: list[BodyPart] = []
        sealed: list[SealedBody] = []
        for part in parts:
            found = self.smime.open(part)
            if found is None:
                left.append(part)
                continue
            left += [*([] if found.opened else [part]), *found.parts]
            readable += found.parts
            hidden += found.hidden
            sealed += found.bodies
            for each in found.bodies:
                if each.encrypted and not each.opened and self.smime.keyed:
                    self.note(frame, f"S/MIME, {each.content_type}: {each.detail}")
        return left, readable, tuple(hidden), tuple(sealed)

    def description(self, body: bytes) -> SessionDescription:
        """A session description; the same one comes again in retransmissions and on every hop."""
        known = self.descriptions.get(body)
        if known is None:
            if len(self.descriptions) >= MAX_DESCRIPTIONS:
                self.descriptions.clear()
            known = self.descriptions[body] = parse_sdp(body)
        return known

    def datagrams(self) -> None:
        """SIP over UDP, SCTP and in exported PDUs; floor control, keys and gateway control are counted."""
        for each in datagrams(self.scans, "datagrams"):
            source, destination = path_ends(each.path)
            data = each.data.lstrip(b"\r\n")
            if each.cut:
                self.note(each.frames[0], "SIP: the message is cut by the snap length")
            transport = "exported" if each.origin & EXPORTED else "sctp" if each.origin & SCTP_DATA else "udp"
            self.message(
                data,
                each.frames,
                each.time,
                source,
                destination,
                transport,
                _protection(each.origin),
                datagram=True,
                cut=each.cut,
            )
        for scan in self.scans:
            for frame in scan.found.signalling.clipped:
                self.unread(frame, CUT)
        for flow in compressed(self.scans):
            self.unread(flow.frame, SIGCOMP)
            several = f"{flow.datagrams} datagrams" if flow.datagrams > 1 else "1 datagram"
            self.note(flow.frame, f"{SIGCOMP}: {several} from {flow.source} to {flow.destination}")
        for each in datagrams(self.scans, "floor"):
            self.counts.bfcp_messages += 1
            self.carry(classify.BFCP, each.data, each.frames, each.time, path_ends(each.path), each.origin)
        for each in datagrams(self.scans, "keys"):
            self.counts.mikey_messages += 1
            ends = path_ends(each.path)
            protection = _protection(each.origin)
            self.mikey.append(
                MikeyMessage(each.frames, each.time, each.data, "udp", *ends, protection=protection, transport="udp")
            )
        for each in datagrams(self.scans, "gateway"):
            self.counts.h248_messages += 1
            self.carry(classify.H248, each.data, each.frames, each.time, path_ends(each.path), each.origin)

    def carry(
        self, kind: str, data: bytes, frames: tuple[int, ...], time: int, ends: tuple[Endpoint, Endpoint], origin: int
    ) -> None:
        """A datagram of floor or gateway control."""
        transport = "sctp" if origin & SCTP_DATA else "udp"
        kept = CarriedMessage(kind, frames, time, *ends, transport, _protection(origin), data[:MAX_CARRIED], len(data))
        self.trace.carried.append(kept)
        if kind in OF_MEDIA:
            place = Place(frames[0], time)
            flow = self.floor.get(frozenset(ends))
            if flow is None:
                flow = MediaConnection("", transport, kind, *ends, place, place, protection=kept.protection)
                self.floor[frozenset(ends)] = flow
            flow.last = place
            flow.messages.append(kept)

    def connection(self, each: JoinedConnection) -> None:
        """Read one TCP connection."""
        assembly = Assembly()
        chunks = assemble(each.segments, assembly)
        origin = each.segments[0].origin
        record = media_connection(each, _protection(origin))
        if each.kind not in TRANSPORTS:
            self.media_connections.append(record)
        if each.kind == classify.TLS:
            from imsinspect.trace.tls import read_tls  # loaded where there is TLS

            octets, closed = self.ends_of(each)
            for session in read_tls(chunks, each.first, each.second, each.scan.found.signalling.secrets):
                session.last_octets, session.closed = octets, closed
                self.sessions.append(session)
                record.tls_sessions.append(session)
                self.opened(session)
        else:
            ends, watch, carries_sip = (each.first, each.second), StreamWatch(), each.kind == classify.SIP
            for found in messages(each.kind, watch.chunks(chunks) if carries_sip else chunks):
                if found.kind == "media":
                    self.relayed(found, each)
                else:
                    carries_sip |= found.kind in TRANSPORTS
                    watch.whole(found.forward)
                    self.found(found, ends, TRANSPORTS.get(found.kind, ""), _protection(origin), within=record)
            if carries_sip:
                self.unread_of(each, assembly, watch)
        for frame in assembly.gaps:
            self.note(frame, f"TCP: octets before this frame are not in the capture ({each.kind or 'unknown'} stream)")
        for frame in assembly.differing:
            self.note(frame, "TCP: a retransmission carries other octets than the first sending")
        if each.overflow:
            self.note(each.segments[-1].frame, "TCP: the connection is too long, its rest was not read")

    def ends_of(self, each: JoinedConnection) -> tuple[Place | None, Place | None]:
        """When a connection last carried octets and when it was closed, over both directions and all captures."""
        octets: list[tuple[int, int]] = []
        closed: list[tuple[int, int]] = []
        for scan in self.scans:
            flows = scan.found.flows
            for source, destination in ((each.first, each.second), (each.second, each.first)):
                number = flows.numbers.get(identity_of(source, destination, TCP), -1)
                if number >= 0:
                    for places, out in ((flows.last_octets, octets), (flows.closed, closed)):
                        frame, time = places[number].tolist()
                        if time:
                            out.append((time, frame))
        last, end = max(octets, default=None), max(closed, default=None)
        return Place(last[1], last[0]) if last else None, Place(end[1], end[0]) if end else None

    def unread_of(self, each: JoinedConnection, assembly: Assembly, watch: StreamWatch) -> None:
        """What of a connection with SIP could not be read."""
        for frame in assembly.gaps:
            self.unread(frame, LOST)
        for frame in watch.begun.values():
            self.unread(frame, UNFINISHED)
        if each.overflow:
            self.unread(each.segments[-1].frame, TOO_LONG)

    def found(
        self,
        found: StreamMessage,
        ends: tuple[Endpoint, Endpoint],
        transport: str,
        protection: Protection,
        session: TlsSession | None = None,
        within: MediaConnection | None = None,
    ) -> None:
        """A message out of a connection between two ends: SIP is parsed, other protocols are counted and kept."""
        if found.kind in (classify.HTTP, classify.RTSP):
            self.counts.mikey_messages += carried(found.data)
            source, destination = ends if found.forward else reversed(ends)
            for data in octets(found.data):
                self.mikey.append(
                    MikeyMessage(
                        found.frames, found.time, data, found.kind, source, destination, protection=protection,
                        transport=transport or "tcp",
                    )
                )  # fmt: skip
            return
        if found.kind not in TRANSPORTS:
            self.count(found.kind)
            if found.kind in CARRIED:
                source, destination = ends if found.forward else reversed(ends)
                kept = CarriedMessage(
                    found.kind, found.frames, found.time, source, destination, transport or "tcp", protection,
                    found.data[:MAX_CARRIED], len(found.data),
                )  # fmt: skip
                if session is not None:
                    self.of_sessions.append((kept, session))
                elif within is not None and found.kind in OF_MEDIA:
                    within.messages.append(kept)
                self.trace.carried.append(kept)
            return
        source, destination = ends if found.forward else reversed(ends)
        self.message(
            found.data,
            found.frames,
            found.time,
            source,
            destination,
            transport,
            protection,
            datagram=found.kind == classify.WEBSOCKET,
            note=found.note,
        )

    def count(self, kind: str) -> None:
        """Protocols that are recognised and counted."""
        if kind == classify.MSRP:
            self.counts.msrp_messages += 1
        elif kind == classify.BFCP:
            self.counts.bfcp_messages += 1
        elif kind == classify.H248:
            self.counts.h248_messages += 1
        elif kind in (classify.STUN, "channel"):
            self.extra_stun += 1

    def relayed(self, found: StreamMessage, each: JoinedConnection) -> None:
        """Media inside a connection goes through the columns of the capture that its last frame is in."""
        frame = found.frames[-1]
        scan = self.by_index[capture_index(frame)]
        flow = _flow_of(scan, each, found.forward)
        if flow >= 0:
            origin = TURN if each.kind == classify.STUN else 0
            scan.found.signalling.relay(flow, found.data, frame, found.time, origin, 0)

    def opened(self, session: TlsSession) -> None:
        """What a NULL cipher left readable is read like any other byte stream, or datagram by datagram."""
        ends = (session.client, session.server)
        null = suite(session.cipher_suite or 0).null
        for found in opened_messages(session):
            session.opened_messages[found.kind] += 1
            if found.kind != "media":
                protection = Protection.TLS_NULL if null else Protection.OPENED
                self.found(found, ends, session.transport, protection, session)

    def streams_of_bytes(self) -> None:
        """All TCP connections; media found in them goes back through the columns."""
        for each in connections(self.scans):
            self.connection(each)
        for scan in self.scans:
            derived = scan.found.signalling.take_derived()
            if derived:
                scan.found.inject(derived)

    def fragments(self) -> None:
        """IP packets whose fragments are in several captures: put together, then through the columns."""
        left = Fragments()
        if len(self.scans) > 1:
            for scan in self.scans:
                for whole in left.take(scan.found.fragments):
                    owner = self.by_index[capture_index(whole.frame)].found
                    owner.fragment_frames[whole.frame] = whole.frames
                    owner.inject([Derived(whole.packet, whole.frame, whole.time, whole.origin, whole.depth + 1)])
        for sets in (*(scan.found.fragments for scan in self.scans), left):
            for frame in unfinished_datagrams(sets):
                self.unread(frame, FRAGMENTS)
        for scan in self.scans:
            frames = [*scan.found.fragments.unfinished(), *left.unfinished()]
            count = sum(capture_index(frame) == scan.index for frame in frames) + scan.found.fragments.incomplete
            if count:
                scan.info.notes.append(f"{count} fragmented IP packets are incomplete")

    def dtls(self) -> None:
        """All DTLS flows."""
        flows = dtls_flows(self.scans)
        if not flows:
            return
        from imsinspect.trace.tls import read_dtls  # loaded where there is DTLS

        for first, second, pair in flows:
            chunks = (Chunk(each.data, each.frames[0], each.time, forward) for each, forward in pair)
            for session in read_dtls(chunks, first, second, self.scans[0].found.signalling.secrets):
                self.sessions.append(session)
                self.opened(session)

    # --- the whole ---

    def finish(self) -> Trace:
        """Calls, media and counts."""
        trace, counts = self.trace, self.counts
        self.sip.sort(key=lambda each: (each.time, each.frames[0]))
        trace.messages = self.sip
        mark_retransmissions(self.sip)
        self.sessions.sort(key=lambda each: (each.first.time, each.first.frame))
        for number, session in enumerate(self.sessions, 1):
            session.id = f"tls-{number}"
            trace.notes += session.notes[: max(0, MAX_NOTES - len(trace.notes))]
        for carried_message, session in self.of_sessions:
            carried_message.session = session.id
        trace.carried.sort(key=lambda each: (each.time, each.frames[0]))
        trace.tls_sessions = self.sessions
        trace.registrations = build_registrations(self.sip)
        trace.pages = build_pages(self.sip, trace.registrations)
        trace.agreements = build_agreements(self.sip)
        trace.calls = build_calls(self.sip)
        mark_sides(trace.calls, trace.registrations)
        relate(trace.calls)
        self.key_exchanges()
        trace.conferences = build_conferences(trace)
        self.media()
        trace.floors = floor_connections(trace)
        trace.gateway = gateway_messages(trace.carried)
        trace.esp = _associations(self.scans)
        for each in trace.esp:
            if each.failed:
                packets = "1 packet" if each.failed == 1 else f"{each.failed} packets"
                self.note(each.first.frame, f"ESP, SPI 0x{each.spi:08x}: the key at hand does not open {packets}")
        _count_signalling(trace, counts)
        counts.stun_packets = self.extra_stun + sum(scan.found.stun for scan in self.scans)
        counts.tls_sessions = sum(1 for each in self.sessions if each.transport == "tls")
        counts.dtls_sessions = len(self.sessions) - counts.tls_sessions
        counts.esp_packets = sum(each.packets for each in trace.esp)
        counts.esp_null_encrypted = sum(each.null_encrypted for each in trace.esp)
        trace.counts = counts
        return trace

    def key_exchanges(self) -> None:
        """MIKEY messages, taken apart and put into exchanges."""
        trace = self.trace
        carried_in_sip, trace.key_mgmt_faults = of_sip(trace.calls, self.sip)
        found = [*carried_in_sip, *self.mikey]
        if not found:
            return
        from imsinspect.trace.mikey_exchanges import link  # loaded where there is MIKEY
        from imsinspect.trace.mikey_record import take_apart

        trace.mikey = sorted(found, key=lambda each: (each.time, each.frames[0]))
        take_apart(trace.mikey)
        trace.mikey_exchanges = link(trace.mikey, trace.calls)

    def media(self) -> None:
        """Streams tied to their lines; what only looks like media by chance is left out."""
        trace, counts = self.trace, self.counts
        streams, sources = media_streams(self.scans), rtcp_sources(self.scans)
        for source in sources:
            source.layout = find_layout(source.other_samples)
        connected = sorted(
            (*self.media_connections, *self.floor.values()), key=lambda each: (each.first.time, each.first.frame)
        )
        unbound, unbound_rtcp = bind(trace.calls, streams, sources, trace.tls_sessions, connected)
        bound = {id(each) for call in trace.calls for line in call.lines for each in line.connections}
        trace.connections = [each for each in connected if each.kind in OF_MEDIA or id(each) in bound]
        for number, connection in enumerate(trace.connections, 1):
            connection.id = f"connection-{number}"
        trace.msrp_sessions = msrp_sessions(trace)
        loose = {id(each) for each in unbound}
        trace.streams = [each for each in streams if each.in_sequence or id(each) not in loose]
        trace.unbound_streams = [each for each in unbound if each.in_sequence]
        for number, stream in enumerate(trace.streams, 1):
            stream.id = f"stream-{number}"
        trace.rtcp_sources = _real_sources(sources, unbound_rtcp, trace.streams)
        kept = {id(each) for each in trace.rtcp_sources}
        trace.unbound_rtcp = [each for each in unbound_rtcp if id(each) in kept]
        for number, source in enumerate(trace.rtcp_sources, 1):
            source.id = f"rtcp-{number}"
        lines: dict[int, list[LineState]] = {}
        for call in trace.calls:
            for line in call.lines:
                for use in line.streams:
                    lines.setdefault(id(use.stream), []).extend(line.states)
        expected: dict[int, Expectation] = {}

        def judged(some: Sequence[MediaStream]) -> list[Judgement]:
            return [judge(stream, _in_force(lines.get(id(stream), ()), stream), expected) for stream in some]

        for stream, judgement in zip(trace.streams, shared(judged, trace.streams, JUDGED_BESIDE), strict=True):
            stream.judgement = judgement
        counts.rtp_streams = len(trace.streams)
        counts.rtp_packets = sum(each.packets for each in trace.streams)
        counts.rtcp_packets = sum(each.plain for each in trace.rtcp_sources)
        counts.srtcp_packets = sum(each.packets - each.plain for each in trace.rtcp_sources)


def opened_messages(session: TlsSession) -> Iterator[StreamMessage]:
    """The messages in what a NULL cipher left readable."""
    if session.transport == "dtls":
        for each in session.opened_data:
            kind = classify.BFCP if bfcp.is_message(each.data) else classify.datagram_kind(each.data)
            yield StreamMessage(kind, each.data, (each.frame,), each.time, each.from_client)
        return
    kinds = (classify.stream_kind(each.data) for each in session.opened_data[:8])
    kind = next((each for each in kinds if each and each != classify.TLS), "")
    if kind == classify.HTTP and any(WEBSOCKET_UPGRADE.search(each.data) for each in session.opened_data[:8]):
        kind = classify.WEBSOCKET
    chunks = (Chunk(each.data, each.frame, each.time, each.from_client) for each in session.opened_data)
    yield from messages(kind, chunks)


def _in_force(states: Sequence[LineState], stream: MediaStream) -> LineState | None:
    """The state under which most of a stream was sent; of equals the first."""

    def shared(state: LineState) -> int:
        begin = state.begins if state.answered_at is None else state.answered_at
        end = stream.last.time if state.ends is None else min(state.ends, stream.last.time)
        return end - max(begin, stream.first.time)

    return max(states, key=shared, default=None)


def _flow_of(scan: Scan, each: JoinedConnection, forward: bool) -> int:
    """A flow of the scan in that direction; where only the other was seen there is none."""
    source, destination = (each.first, each.second) if forward else (each.second, each.first)
    return scan.found.flows.numbers.get(identity_of(source, destination, TCP), -1)


def _protection(origin: int) -> Protection:
    if origin & ESP_NULL:
        return Protection.ESP_NULL
    if origin & ESP_OPENED:
        return Protection.OPENED
    return Protection.EXPORTED if origin & EXPORTED else Protection.CLEAR


def _real_sources(sources: list[RtcpSource], unbound: list[RtcpSource], streams: list[MediaStream]) -> list[RtcpSource]:
    """Senders whose datagrams are RTCP beyond chance: plain, of a known layout, bound, or beside their media."""
    loose = {id(each) for each in unbound}
    addresses = {each.source for each in streams} | {each.destination for each in streams}
    multiplexed = {(each.source, each.destination) for each in streams}
    out = []
    for each in sources:
        each.multiplexed = (each.source, each.destination) in multiplexed
        beside = any(
            end in addresses or end._replace(port=end.port - 1) in addresses for end in (each.source, each.destination)
        )
        again = each.packets > 1  # one SSRC on one 5-tuple, twice: no chance
        if each.plain or again or each.layout is not None or id(each) not in loose or beside:
            out.append(each)
    return out


def _associations(scans: list[Scan]) -> list[EspAssociation]:
    out = []
    for scan in scans:
        found = scan.found
        for flow, association in found.signalling.associations.items():
            source, destination = endpoints(association.identity)
            first, last = found.signalling.esp_places[flow]
            out.append(
                EspAssociation(
                    spi=int.from_bytes(association.identity[PORTS:SSRC], "big"),
                    source=source.ip,
                    destination=destination.ip,
                    packets=int(found.flows.packets[flow]),
                    null_encrypted=association.opened if association.null else 0,
                    opened=association.opened,
                    failed=association.failed,
                    verified=association.verified,
                    key=association.keys.digest if association.keys is not None else "",
                    icv_octets=association.icv_octets,
                    first=Place(*first),
                    last=Place(*last),
                )
            )
    return out


def _count_signalling(trace: Trace, counts: Counts) -> None:
    """SIP and SDP as they stand in the capture."""
    requests: Counter[str] = Counter()
    call_ids: set[bytes] = set()
    for message in trace.messages:
        sip = message.sip
        counts.sip_messages += 1
        call_ids.add(sip.call_id)
        if sip.status:
            counts.sip_responses += 1
        else:
            requests[sip.method.decode("utf-8", "replace")] += 1
        for body in message.sdp:
            counts.sdp_bodies += 1
            for section in (body.session, *(media.section for media in body.media)):
                counts.sdp_crypto += len(section.all(b"crypto"))
                counts.sdp_fingerprint += len(section.all(b"fingerprint"))
                for attribute in section.all(b"key-mgmt"):
                    counts.sdp_key_mgmt += 1
                    counts.mikey_messages += attribute.value.lstrip().startswith(b"mikey ")
    counts.sip_requests = requests
    counts.sip_call_ids = len(call_ids)


def correlate(scans: list[Scan]) -> Trace:
    """The trace of all captures."""
    builder = _Builder(scans)
    builder.fragments()
    builder.streams_of_bytes()
    builder.datagrams()
    builder.dtls()
    return builder.finish()

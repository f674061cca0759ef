"""Media streams, RTCP and TLS sessions tied to the media lines that announced them (RFC 3264, RFC 3605, RFC 5761,
RFC 8839, RFC 9143, RFC 4145; rules.md 17.4).

Every address that a line announced is looked up, never searched: calls and streams are walked once each.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from imsinspect.capture.endpoint import Endpoint
from imsinspect.trace.model import MediaStream, RtcpSource, StreamUse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sdp.parse import Media, SessionDescription
    from imsinspect.trace.model import Call, LineState, MediaConnection, MediaLine, Negotiation, TlsSession

GRACE = 5_000_000_000  # ns that a line lasts after its state ended (rules.md IMS-SRTP-002)
LEGS_WITHIN = 10_000_000_000  # ns between the offers of legs of one call; an older claim is one that never ended
LOOK_BACK = 32  # claims of one address that are weighed for one stream, newest first
MAX_PORTS = 8  # of `m=audio 4000/2`
DISCARD_PORT = 9  # RFC 4145 §4.1, RFC 8839 §4.3.1: no port to be reached at
NOWHERE = frozenset(("", "0.0.0.0", "::"))

RTP, RTCP, TCP = "rtp", "rtcp", "tcp"  # what an address was announced for; "rtp" stands for all media on UDP

BECAUSE = ("bundle", "candidate", "destination")  # weakest first


@dataclass(slots=True)
class _Claim:
    """One address announced for one line by one party, while its states last."""

    line: MediaLine
    party: bytes
    purpose: str
    because: str
    begins: int
    ends: int | None
    states: list[tuple[LineState, str]] = field(default_factory=list)  # with the announcing party's role
    passive: bool = False  # waits for the connection (RFC 4145 §4)

    def holds(self, first: int, last: int) -> bool:
        """Whether a stream seen from `first` to `last` meets the claim's time."""
        return self.begins <= last and (self.ends is None or first <= self.ends + GRACE)

    def state_at(self, time: int) -> tuple[LineState, str]:
        """The state in force, with the announcing party's role in it: the newest that was agreed by then."""
        return self.states[max(0, bisect_right(self.states, time, key=_agreed_at) - 1)]


def _agreed_at(each: tuple[LineState, str]) -> int:
    state = each[0]
    return state.answered_at if state.answered_at is not None else state.begins


@dataclass(slots=True)
class _Index:
    """The claims of addresses, in order of their beginnings."""

    wanted: set[Endpoint]
    claims: dict[Endpoint, list[_Claim]] = field(default_factory=dict)
    begins: dict[Endpoint, list[int]] = field(default_factory=dict)
    sides: dict[tuple[int, Endpoint], list[_Claim]] = field(default_factory=dict)  # by line and address
    payload_types: dict[int, set[int]] = field(default_factory=dict)  # that a line names
    ssrcs: dict[int, set[int]] = field(default_factory=dict)  # that a line names
    leaders: dict[int, dict[bytes, Media]] = field(default_factory=dict)  # of bundles, by description and mid
    senders: dict[int, set[int]] = field(default_factory=dict)  # SSRCs of the media tied to a line

    def sort(self) -> None:
        """Put the claims of each address in order of time."""
        for address, claims in self.claims.items():
            claims.sort(key=lambda claim: claim.begins)
            self.begins[address] = [claim.begins for claim in claims]

    def at(self, address: Endpoint, first: int, last: int) -> list[_Claim]:
        """The claims of an address that a stream may belong to, newest first."""
        claims = self.claims.get(address)
        if claims is None:
            return []
        end = bisect_right(self.begins[address], last)
        return [claim for claim in reversed(claims[max(0, end - LOOK_BACK) : end]) if claim.holds(first, last)]


def bind(
    calls: list[Call],
    streams: list[MediaStream],
    rtcp_sources: list[RtcpSource],
    tls_sessions: list[TlsSession],
    connections: list[MediaConnection] | None = None,
) -> tuple[list[MediaStream], list[RtcpSource]]:
    """Tie streams, RTCP, TLS sessions and connections to the lines of calls; returns the streams and RTCP that no line
    announced.

    A stream goes to the line that announced its destination, else to the one that announced its source. Legs of one
    call that announce the same address get it each; of one call only one line does.
    """
    wanted: set[Endpoint] = set()
    for stream in streams:
        wanted.add(stream.source)
        wanted.add(stream.destination)
    for source in rtcp_sources:
        wanted.add(source.source)
        wanted.add(source.destination)
    for found in (*tls_sessions, *(connections or ())):
        wanted.add(found.client)
        wanted.add(found.server)
    if not wanted:
        return [], []
    index = _Index(wanted)
    for call in calls:
        for line in call.lines:
            _announce(index, line)
    index.sort()
    unbound = [stream for stream in streams if not _bind_media(index, stream)]
    unbound_rtcp = [source for source in rtcp_sources if not _bind_media(index, source)]
    for session in tls_sessions:
        datagrams = session.transport == "dtls"
        for line in _lines_of(index, session, (RTP, RTCP) if datagrams else (TCP,), datagrams):
            line.tls_sessions.append(session)
            line.tls_servers[session.id] = _server(index, line, session)
    for connection in connections or ():
        datagrams = connection.transport != "tcp"
        for line in _lines_of(index, connection, (RTP,) if datagrams else (TCP,), datagrams):
            if not datagrams or line.states[0].offered.profile.family == connection.kind:
                line.connections.append(connection)
    return unbound, unbound_rtcp


# --- what lines announce --------------------------------------------------------------------------


def _announce(index: _Index, line: MediaLine) -> None:
    """Put the addresses of both sides of a line into the index."""
    open_claims: dict[tuple[Endpoint, str, str, bytes], _Claim] = {}
    for state in line.states:
        negotiation = state.negotiation
        sides = [(negotiation.offerer_tag, "offerer", state.offered, negotiation.offer.sdp)]
        if state.answered is not None and negotiation.answer is not None:
            sides.append((negotiation.answerer_tag, "answerer", state.answered, negotiation.answer.sdp))
        passive = _passive(state) if _over_tcp(state.offered) else ""
        for party, role, media, sdp in sides:
            announced = _addresses(index, media, sdp, negotiation)
            if announced:
                _remember(index, line, media)
            for (address, purpose), because in announced.items():
                key = (address, purpose, because, party)
                claim = open_claims.get(key)
                if claim is None:
                    claim = open_claims[key] = _Claim(line, party, purpose, because, state.begins, state.ends)
                    index.claims.setdefault(address, []).append(claim)
                    index.sides.setdefault((id(line), address), []).append(claim)
                elif claim.ends is not None:
                    claim.ends = None if state.ends is None else max(claim.ends, state.ends)
                claim.states.append((state, role))
                claim.passive = role == passive


def _over_tcp(media: Media) -> bool:
    return media.proto[:3].upper() == b"TCP"


def _passive(state: LineState) -> str:
    """The role of the side that waits for the connection: the answerer unless it connects (RFC 4145 §4)."""
    setup = state.answered.setup if state.answered is not None else b""
    if setup == b"active" or (not setup and state.offered.setup == b"passive"):
        return "offerer"
    return "answerer"


def _remember(index: _Index, line: MediaLine, media: Media) -> None:
    """Note the payload types and SSRCs that a line names."""
    types = index.payload_types.setdefault(id(line), set())
    types.update(int(word) for word in media.formats if word.isdigit() and len(word) <= 3)
    if b"\na=ssrc:" in media.section.text:
        ssrcs = index.ssrcs.setdefault(id(line), set())
        for value in media.section.values(b"ssrc"):
            number = value.partition(b" ")[0]
            if number.isdigit() and len(number) <= 10:
                ssrcs.add(int(number))


def _addresses(
    index: _Index, media: Media, sdp: SessionDescription, negotiation: Negotiation
) -> dict[tuple[Endpoint, str], str]:
    """Addresses of a section that packets were seen at, with what for; and how they were announced."""
    wanted = index.wanted
    out: dict[tuple[Endpoint, str], str] = {}
    for address, purpose, because in _own(media):
        if address in wanted:
            out.setdefault((address, purpose), because)
    if b"BUNDLE" in sdp.session.text:
        leader = _leader(index, media, sdp, negotiation)
        if leader is not None:
            for address, purpose, because in _own(leader):
                if address in wanted:
                    out.setdefault((address, purpose), "bundle" if because == "destination" else because)
    return out


def _own(media: Media) -> Iterator[tuple[Endpoint, str, str]]:
    """Addresses that a section itself announces."""
    text = media.section.text
    ip = canonical(media.connection)
    port = media.port
    over_tcp = _over_tcp(media)
    if port > 0 and port != DISCARD_PORT and ip not in NOWHERE:
        if over_tcp:
            yield Endpoint(ip, port), TCP, "destination"
        if over_tcp and media.profile.family == "rtp":  # RTP and RTCP behind lengths (RFC 4571)
            yield Endpoint(ip, port), RTP, "destination"
        if not over_tcp:
            for number in range(port, min(port + 2 * min(media.port_count, MAX_PORTS), 65536), 2):
                yield Endpoint(ip, number), RTP, "destination"
                if number < 65535:
                    yield Endpoint(ip, number + 1), RTCP, "destination"
    if b"\na=rtcp:" in text:
        rtcp = media.rtcp
        if rtcp is not None and port:
            yield Endpoint(canonical(rtcp[1]) if rtcp[1] else ip, rtcp[0]), RTCP, "destination"
    if b"\na=candidate:" in text and port:
        for candidate in media.candidates:
            address = Endpoint(canonical(candidate.address), candidate.port)
            if candidate.transport != b"udp":
                yield address, TCP, "candidate"
            yield address, RTCP if candidate.component == 2 else RTP, "candidate"
    if over_tcp and b"\na=path:" in text:
        hop = _authority(media.path[:1])
        if hop is not None:
            yield hop, TCP, "destination"


def _authority(path: tuple[bytes, ...]) -> Endpoint | None:
    """Address of the first MSRP URI of a path, where the peer connects to (RFC 4975 §6)."""
    if not path:
        return None
    authority = path[0].partition(b"://")[2].partition(b"/")[0].partition(b";")[0].rpartition(b"@")[2]
    host, _, port = authority.rpartition(b":")
    if not port.isdigit() or len(port) > 5:
        return None
    return Endpoint(canonical(host.strip(b"[]")), int(port))


def _leader(index: _Index, media: Media, sdp: SessionDescription, negotiation: Negotiation) -> Media | None:
    """The section whose address a bundled section uses (RFC 9143 §7); None for one outside of a bundle."""
    if media.port == 0 and not media.bundle_only:
        return None
    answer = negotiation.answer
    if answer is not None and not answer.sdp.bundle_groups:
        return None
    leaders = index.leaders.get(id(sdp))
    if leaders is None:
        by_mid = {each.mid: each for each in reversed(sdp.media)}
        leaders = index.leaders[id(sdp)] = {
            mid: by_mid[group[0]] for group in sdp.bundle_groups if group and group[0] in by_mid for mid in group[1:]
        }
    return leaders.get(media.mid) if media.mid else None


@lru_cache(maxsize=65_536)
def canonical(address: bytes) -> str:
    """An address of a description as packets have it; "" for a host name or what can't be read."""
    text = address.decode("ascii", "replace")
    if len(text) > 64:
        return ""
    if text.replace(".", "").isdigit() and ":" not in text and not text.startswith("0"):
        return text
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


# --- streams --------------------------------------------------------------------------------------

_Rank = tuple[int, int, int, int, int, int]


def _bind_media(index: _Index, stream: MediaStream | RtcpSource) -> bool:
    """Tie a stream to the line (or lines, of several legs) it belongs to."""
    first, last = stream.first.time, stream.last.time
    purposes = (RTP,) if isinstance(stream, MediaStream) else (RTCP, RTP)
    for address, far, by_destination in (
        (stream.destination, stream.source, True),
        (stream.source, stream.destination, False),
    ):
        claims = [
            claim for claim in index.at(address, first, last) if claim.purpose in purposes and _carries(claim, stream)
        ]
        if not claims:
            continue
        for claim in _best(index, claims, stream, far):
            _use(index, claim, stream, by_destination)
        return True
    return False


def _carries(claim: _Claim, stream: MediaStream | RtcpSource) -> bool:
    """Only lines of RTP carry streams; tokens that are not known may."""
    family = claim.states[0][0].offered.profile.family
    return family == "rtp" or (family == "other" and isinstance(stream, MediaStream))


def _best(index: _Index, claims: list[_Claim], stream: MediaStream | RtcpSource, far: Endpoint) -> list[_Claim]:
    """The best claim; with it those of other calls that are as good."""
    if len(claims) == 1:
        return claims
    by_call: dict[str, tuple[_Rank, int, _Claim]] = {}
    for claim in claims:
        ranked = (_rank(index, claim, stream, far), claim.begins, claim)
        known = by_call.get(claim.line.call)
        if known is None or ranked[:2] > known[:2]:
            by_call[claim.line.call] = ranked
    rank, begins, best = max(by_call.values(), key=lambda each: each[:2])
    legs = [
        claim
        for other, began, claim in by_call.values()
        if claim is not best and other[:3] == rank[:3] and abs(began - begins) <= LEGS_WITHIN
    ]
    return [best, *legs]


def _rank(index: _Index, claim: _Claim, stream: MediaStream | RtcpSource, far: Endpoint) -> _Rank:
    """How well a claim fits: in time, the other side's address, agreed, SSRC, payload type, how it was announced."""
    first, last = stream.first.time, stream.last.time
    mirrored = any(
        other.party != claim.party and other.holds(first, last) for other in index.sides.get((id(claim.line), far), ())
    )
    agreed = claim.state_at(first)[0].accepted or claim.state_at(last)[0].accepted
    line = id(claim.line)
    if isinstance(stream, MediaStream):
        named = stream.ssrc in index.ssrcs.get(line, ())
        types = index.payload_types[line]
        fits = any(size.payload_type in types for size in stream.sizes)
    else:
        named = stream.ssrc in index.senders.get(line, ())
        fits = claim.purpose == RTCP
    return _meets(claim, first), mirrored, agreed, named, fits, BECAUSE.index(claim.because)


def _meets(claim: _Claim, time: int) -> int:
    """2: the claim lasts at that time; 1: it begins later; 0: it has ended."""
    if claim.ends is not None and time > claim.ends:
        return 0
    return 2 if claim.begins <= time else 1


def _use(index: _Index, claim: _Claim, stream: MediaStream | RtcpSource, by_destination: bool) -> None:
    """Record that a stream belongs to the claim's line."""
    state, role = claim.state_at(stream.first.time)
    negotiation = state.negotiation
    because: str = claim.because
    if by_destination:
        sender = "answerer" if role == "offerer" else "offerer"
        party = negotiation.answerer_tag if role == "offerer" else negotiation.offerer_tag
    else:
        sender, party = role, claim.party
        if because == "destination":
            because = "source"
    use = StreamUse(stream, sender, because, party)
    if isinstance(stream, MediaStream):
        claim.line.streams.append(use)
        index.senders.setdefault(id(claim.line), set()).add(stream.ssrc)  # RTCP of a bundle is told apart by it
    else:
        claim.line.rtcp.append(use)


# --- connections, and TLS and DTLS sessions -------------------------------------------------------


def _lines_of(
    index: _Index, session: TlsSession | MediaConnection, purposes: tuple[str, ...], datagrams: bool
) -> list[MediaLine]:
    """The lines, one of each call, that a session belongs to; what goes in datagrams serves all lines of a bundle."""
    first, last = session.first.time, session.last.time
    ranked: list[tuple[tuple[int, int, int, int, int], _Claim]] = []
    for address, far, server in ((session.server, session.client, True), (session.client, session.server, False)):
        for claim in index.at(address, first, last):
            if claim.purpose not in purposes:
                continue
            mirrored = any(other.party != claim.party for other in index.sides.get((id(claim.line), far), ())[:2])
            beside = mirrored or far.ip == _other_host(claim, first)
            ranked.append(((_meets(claim, first), mirrored, beside, claim.passive, server), claim))
    if not ranked:
        return []
    best_rank, best = max(ranked, key=lambda each: (each[0], each[1].begins))
    lines: dict[int, MediaLine] = {}
    calls: dict[str, MediaLine] = {}
    for rank, claim in ranked:
        if rank[:3] != best_rank[:3] or abs(claim.begins - best.begins) > LEGS_WITHIN:
            continue
        known = calls.setdefault(claim.line.call, best.line if claim.line.call == best.line.call else claim.line)
        if claim.line is known or (datagrams and _group(claim.line) == _group(known)):
            lines[id(claim.line)] = claim.line
    return _in_order(lines.values())


def _other_host(claim: _Claim, time: int) -> str:
    """The address of the other party, which has no port of its own where it connects (RFC 4145 §4.1); servers of
    many calls are reached at one port."""
    state, role = claim.state_at(time)
    other = state.answered if role == "offerer" else state.offered
    return canonical(other.connection) if other is not None else ""


def _server(index: _Index, line: MediaLine, session: TlsSession) -> bytes:
    """The party that announced the address of the TLS server, or of whose peer the client's is; b"" if both or none."""
    for address, own in ((session.server, True), (session.client, False)):
        claims = index.sides.get((id(line), address), [])
        if len({claim.party for claim in claims}) == 1:
            negotiation = claims[0].states[-1][0].negotiation
            tags = (negotiation.offerer_tag, negotiation.answerer_tag)
            other = tags[tags[0] == claims[0].party]
            return claims[0].party if own else other
    return b""


def _group(line: MediaLine) -> str:
    """The dialog and hop of a line: its id without the index."""
    return line.id.rpartition("/")[0]


def _in_order(lines: Iterable[MediaLine]) -> list[MediaLine]:
    return sorted(lines, key=lambda line: (line.call, line.id))

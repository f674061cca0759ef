"""SIP messages made of bytes, as a capture of calls between Alice and Bob would hold them."""

from __future__ import annotations

from dissectors.sdp.parse import parse as parse_sdp
from dissectors.sip.parse import parse as parse_sip
from imsinspect.capture.endpoint import Endpoint
from imsinspect.trace.model import (
    Call,
    LineState,
    MediaLine,
    MediaStream,
    Place,
    Protection,
    RtcpSource,
    SignallingMessage,
    SizeRun,
    TlsSession,
)

ALICE = Endpoint("192.0.2.10", 5060)
PROXY = Endpoint("192.0.2.1", 5060)
BOB = Endpoint("192.0.2.20", 5060)

MS = 1_000_000
_frames = iter(range(1, 1 << 40))


def sdp(ip: str, port: int, *more: str, proto: str = "RTP/AVP", version: int = 1, media: str = "audio") -> bytes:
    """A description with one line; `more` are further lines."""
    formats = "0 101" if "RTP" in proto else "*"
    lines = (
        "v=0",
        f"o=- {ip.replace('.', '').replace(':', '')} {version} IN IP4 {ip}",
        "s=-",
        f"c=IN IP{6 if ':' in ip else 4} {ip}",
        "t=0 0",
        f"m={media} {port} {proto} {formats}",
        *more,
    )
    return "\r\n".join(lines).encode() + b"\r\n"


def message(
    at: int,
    source: Endpoint,
    destination: Endpoint,
    start_line: str,
    *headers: str,
    body: bytes = b"",
    transport: str = "udp",
    protection: Protection = Protection.CLEAR,
) -> SignallingMessage:
    """One message from its bytes; `at` in milliseconds."""
    lines = [start_line, *headers]
    if body:
        lines.append("Content-Type: application/sdp")
    lines += [f"Content-Length: {len(body)}", "", ""]
    sip = parse_sip("\r\n".join(lines).encode() + body)
    descriptions = tuple(parse_sdp(part.data) for part in sip.sdp_bodies())
    return SignallingMessage((next(_frames),), at * MS, source, destination, transport, protection, sip, descriptions)


def request(
    at: int,
    source: Endpoint,
    destination: Endpoint,
    method: str,
    *more: str,
    cseq: int = 1,
    branch: str = "",
    from_tag: str = "alice",
    to_tag: str = "",
    call_id: str = "call",
    vias: tuple[str, ...] = (),
    body: bytes = b"",
    transport: str = "udp",
    protection: Protection = Protection.CLEAR,
) -> SignallingMessage:
    """A request; its branch names method, CSeq and hop unless it is given. `vias` stand below the top one."""
    branch = branch or f"{method}{cseq}{source.ip}{destination.ip}"
    sender, receiver = ("bob", "alice") if from_tag.startswith("bob") else ("alice", "bob")
    return message(
        at,
        source,
        destination,
        f"{method} sip:{receiver}@example.org SIP/2.0",
        *(f"Via: {via}" for via in (f"SIP/2.0/UDP {source};branch=z9hG4bK{branch}", *vias)),
        f"From: <sip:{sender}@example.org>;tag={from_tag}",
        f"To: <sip:{receiver}@example.org>" + (f";tag={to_tag}" if to_tag else ""),
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {'INVITE' if method == 'INVITE' else method}",
        *more,
        body=body,
        transport=transport,
        protection=protection,
    )


def reply(
    to: SignallingMessage, at: int, status: int, *more: str, to_tag: str = "", body: bytes = b""
) -> SignallingMessage:
    """A response on the hop of a request."""
    sip = to.sip
    tag = to_tag.encode() if to_tag else sip.to_tag
    return message(
        at,
        to.destination,
        to.source,
        f"SIP/2.0 {status} Said",
        *(f"Via: {via.decode()}" for via in sip.header(b"via")),
        f"From: {sip.from_.decode()}",
        f"To: {sip.to.partition(b';tag=')[0].decode()}" + (f";tag={tag.decode()}" if tag else ""),
        f"Call-ID: {sip.call_id.decode()}",
        f"CSeq: {sip.cseq} {sip.cseq_method.decode()}",
        *more,
        body=body,
        transport=to.transport,
    )


def place(at: int) -> Place:
    """A moment, in milliseconds."""
    return Place(next(_frames), at * MS)


def stream(
    source: tuple[str, int],
    destination: tuple[str, int],
    first: int,
    last: int,
    *,
    ssrc: int = 1,
    payload_type: int = 0,
) -> MediaStream:
    """A stream of 50 packets a second; times in milliseconds."""
    begin, end = place(first), place(last)
    count = (last - first) // 20 + 1
    sizes = [SizeRun(payload_type, 160, count, begin.frame, end.frame)]
    return MediaStream(
        "", ssrc, Endpoint(*source), Endpoint(*destination), count, 0, begin, end, 0, count - 1, sizes=sizes
    )


def rtcp(source: tuple[str, int], destination: tuple[str, int], first: int, last: int, *, ssrc: int = 1) -> RtcpSource:
    """RTCP of one sender; times in milliseconds."""
    return RtcpSource("", ssrc, Endpoint(*source), Endpoint(*destination), 2, place(first), place(last))


def session(
    client: tuple[str, int], server: tuple[str, int], first: int, last: int, *, transport: str = "tls"
) -> TlsSession:
    """A TLS or DTLS session; times in milliseconds."""
    return TlsSession("tls-1", transport, Endpoint(*client), Endpoint(*server), place(first), place(last))


def span(state: LineState) -> tuple[int, int | None, int | None]:
    """Begin, answer and end of a state, in milliseconds."""
    return (
        state.begins // MS,
        None if state.answered_at is None else state.answered_at // MS,
        None if state.ends is None else state.ends // MS,
    )


def ports(state: LineState) -> tuple[int, int | None]:
    """Ports of offer and answer."""
    return state.offered.port, state.answered.port if state.answered is not None else None


def shown(line: MediaLine) -> list[tuple[tuple[int, int | None], tuple[int, int | None, int | None]]]:
    """Ports and times of the states of a line."""
    return [(ports(state), span(state)) for state in line.states]


def uses(line: MediaLine) -> list[tuple[int, str, str, bytes]]:
    """SSRC, sender, reason and party of the streams of a line."""
    return [(use.stream.ssrc, use.sender, use.because, use.party) for use in line.streams]


def ids(call: Call) -> list[str]:
    """Ids of the lines of a call."""
    return [line.id for line in call.lines]

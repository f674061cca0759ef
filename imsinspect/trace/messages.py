"""Every message that the scans kept, whole, with all frames that brought it: what a person wants to see of a frame."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from dissectors.bfcp import framing as bfcp
from dissectors.http import WEBSOCKET_UPGRADE
from dissectors.msrp.parse import parse as parse_msrp
from dissectors.tls.parse import parse_server_hello
from dissectors.tls.suites import suite
from imsinspect.capture import classify
from imsinspect.capture.bfcp_fragments import BfcpFragments
from imsinspect.capture.chunk import Chunk
from imsinspect.capture.decode import SCTP_DATA
from imsinspect.capture.handshakes import ApplicationData, DtlsReader, Handshake, TlsReader
from imsinspect.capture.msrp_chunks import MsrpChunks
from imsinspect.capture.stream_messages import messages
from imsinspect.capture.tcp import Assembly, assemble
from imsinspect.trace.connections import connections, datagrams, dtls_flows, path_ends
from imsinspect.trace.media import tunnels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.tls.suites import CipherSuite
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.crypto.tls import TlsSecrets
    from imsinspect.trace.scan import Scan

SERVER_HELLO = 2
NULL_CIPHER = "a NULL cipher"
OPENED = "opened with secrets at hand"
BODIES = {b"message/cpim": "cpim", b"application/sdp": "sdp", b"text/plain": "text"}  # of MSRP, by Content-Type


class Found(NamedTuple):
    """One message."""

    kind: str  # of classify; "mikey", "tls-handshake" and "dtls-handshake" besides
    octets: bytes
    frames: tuple[FrameId, ...]
    source: Endpoint
    destination: Endpoint
    carriage: str  # "UDP", "TCP", "SCTP", and what it was taken out of
    cipher_suite: CipherSuite | None = None  # of a handshake, where it is known by then
    version: int = 0


def found_messages(scans: list[Scan]) -> Iterator[Found]:
    """Datagrams, then messages of byte streams, then handshake messages."""
    return chain(_datagrams(scans), _streams(scans), _dtls(scans))


def _datagrams(scans: list[Scan]) -> Iterator[Found]:
    fragments = BfcpFragments()
    for which, kind in (("datagrams", classify.SIP), ("floor", classify.BFCP), ("keys", "mikey"), ("gateway", "h248")):
        for each in datagrams(scans, which):
            carriage = ", ".join(("SCTP" if each.origin & SCTP_DATA else "UDP", *tunnels(each.origin)))
            ends = path_ends(each.path)
            yield Found(kind, each.data, each.frames, *ends, carriage)
            whole = fragments.add(each.data, each.path, each.frames[0], each.time) if kind == classify.BFCP else None
            if whole is not None:
                yield Found(kind, whole.message, whole.frames, *ends, carriage)


def _streams(scans: list[Scan]) -> Iterator[Found]:
    for each in connections(scans):
        ends = each.first, each.second
        chunks = assemble(each.segments, Assembly())
        carriage = ", ".join(("TCP", *tunnels(each.segments[0].origin)))
        if each.kind == classify.TLS:
            yield from _handshakes(TlsReader(_secrets(each.scan, ends)), chunks, ends, carriage)
            continue
        yield from _messages(each.kind, chunks, ends, carriage)


def _messages(
    kind: str, chunks: Iterable[Chunk], ends: tuple[Endpoint, Endpoint], carriage: str
) -> Iterator[Found]:  # fmt: skip
    """Messages of a byte stream; what MSRP sends in several chunks comes as a whole behind the last one."""
    together = MsrpChunks()
    for message in messages(kind, chunks):
        source, destination = ends if message.forward else ends[::-1]
        yield Found(message.kind, message.data, message.frames, source, destination, carriage)
        if message.kind == classify.MSRP:
            whole = together.add(ends, message.forward, parse_msrp(message.data), message.frames, message.time)
            body = BODIES.get(whole.content_type, "") if whole is not None and len(whole.chunks) > 1 else ""
            if whole is not None and body:
                yield Found(body, whole.body, whole.frames, source, destination, f"{carriage}, MSRP chunks")


def _dtls(scans: list[Scan]) -> Iterator[Found]:
    for first, second, pair in dtls_flows(scans):
        chunks = (Chunk(each.data, each.frames[0], each.time, forward) for each, forward in pair)
        yield from _handshakes(DtlsReader(_secrets(scans[0], (first, second))), chunks, (first, second), "UDP")


def _secrets(scan: Scan, ends: tuple[Endpoint, Endpoint]) -> TlsSecrets | None:
    """What opens sessions between two ends, where anything does."""
    secrets = scan.found.signalling.secrets
    return secrets.between(*ends) if secrets else None


def _handshakes(
    reader: TlsReader | DtlsReader, chunks: Iterable[Chunk], ends: tuple[Endpoint, Endpoint], carriage: str
) -> Iterator[Found]:
    """Handshake messages as one piece, and what a NULL cipher leaves readable or secrets open."""
    dtls = isinstance(reader, DtlsReader)
    selected: CipherSuite | None = None
    opened: list[Chunk] = []
    for chunk in chunks:
        for event in reader.feed(chunk):
            if isinstance(event, ApplicationData) and event.opened and event.data:
                opened.append(Chunk(event.data, event.frame, event.time, event.forward))
            if not isinstance(event, Handshake) or event.ssl2:
                continue
            if event.type == SERVER_HELLO and (hello := parse_server_hello(event.body)) is not None:
                selected = suite(hello.cipher_suite)
            source, destination = ends if event.forward else ends[::-1]
            length = len(event.body).to_bytes(3, "big")
            header = bytes([event.type]) + length
            if dtls:
                header += (event.message_seq or 0).to_bytes(2, "big") + bytes(3) + length
            kind = "dtls-handshake" if dtls else "tls-handshake"
            octets = header + event.body
            yield Found(kind, octets, event.frames, source, destination, carriage, selected, event.version)
    how = NULL_CIPHER if selected is not None and selected.null else OPENED
    yield from _opened(opened, ends, f"{carriage}, {how}", dtls=dtls)


def _opened(
    chunks: list[Chunk], ends: tuple[Endpoint, Endpoint], carriage: str, *, dtls: bool
) -> Iterator[Found]:  # fmt: skip
    if dtls:
        for each in chunks:
            source, destination = ends if each.forward else ends[::-1]
            kind = classify.BFCP if bfcp.is_message(each.data) else classify.datagram_kind(each.data)
            yield Found(kind, each.data, (each.frame,), source, destination, carriage)
        return
    kind = next((kind for each in chunks[:8] if (kind := classify.stream_kind(each.data)) not in ("", "tls")), "")
    if kind == classify.HTTP and any(WEBSOCKET_UPGRADE.search(each.data) for each in chunks[:8]):
        kind = classify.WEBSOCKET
    yield from _messages(kind, chunks, ends, carriage)

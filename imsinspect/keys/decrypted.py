"""What the keys at hand open: media packet by packet while a capture is read again, and the content of TLS and DTLS."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imsinspect.capture import classify
from imsinspect.capture.decode import UDP
from imsinspect.capture.identity import PROTOCOL, SSRC, identity_of
from imsinspect.capture.media import MediaStreams
from imsinspect.capture.rtcp import RtcpSenders, is_plain
from imsinspect.capture.stream_messages import StreamMessage
from imsinspect.keys.srtcp_proof import SenderProof
from imsinspect.keys.srtp_proof import Effort, Packets, StreamProof
from imsinspect.keys.trial import Otherwise
from imsinspect.trace.correlate import opened_messages
from imsinspect.trace.proof_words import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from imsinspect.capture.decode import Media
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.capture.media import Ordered
    from imsinspect.capture.rtcp import Control
    from imsinspect.keys.candidates import Candidates
    from imsinspect.keys.srtp_proof import Run
    from imsinspect.trace.model import MediaStream, Proof, RtcpSource, TlsSession, Trace

SRTP, SRTCP = "SRTP", "SRTCP"
UNTAGGED = "it carries no tag"

DISSECTORS = {
    classify.SIP: "sip",
    classify.WEBSOCKET: "sip",
    classify.MSRP: "msrp",
    classify.BFCP: "bfcp",
    classify.HTTP: "http",
    classify.RTSP: "rtsp",
    classify.STUN: "stun-udp",
    "channel": "turnchannel",
}
"""What Wireshark calls the protocols of messages."""


class PlainPacket(NamedTuple):
    """A datagram of media that was decrypted."""

    frame: FrameId
    time: int
    what: str  # SRTP or SRTCP
    protected: bytes
    content: bytes = b""
    identity: bytes = b""  # of its stream (capture.identity)


class PlainMessage(NamedTuple):
    """A message out of TLS or DTLS."""

    frame: FrameId  # that completed it
    time: int
    dissector: str
    session: TlsSession
    source: Endpoint
    destination: Endpoint
    data: bytes


@dataclass(slots=True)
class Tally:
    """What became of media packets; a packet sighted twice counts twice, being two frames."""

    opened: Counter[str] = field(default_factory=Counter)  # SRTP, SRTCP
    streams: int = 0  # of which something was opened
    in_clear: Counter[str] = field(default_factory=Counter)  # RTP, RTCP
    without_key: Counter[str] = field(default_factory=Counter)  # SRTP, SRTCP
    without_key_streams: int = 0
    failed: Counter[str] = field(default_factory=Counter)  # by diagnosis
    cut: int = 0  # by the snap length


class _Stream:
    """A stream or sender of RTCP, with its proof in the making where a key may fit."""

    __slots__ = ("clear", "cut", "identity", "opened", "packets", "proof", "subject")

    def __init__(self, subject: MediaStream | RtcpSource, proof: StreamProof | SenderProof | None) -> None:
        self.subject = subject
        self.proof = proof
        self.identity = _identity(subject)
        self.opened: Counter[str] = Counter()  # packets by the relation of what opened them
        self.packets = self.clear = self.cut = 0


class Opener:
    """Opens the media of a capture while its packets pass; `take` gives what was opened since the last time."""

    def __init__(self, trace: Trace, candidates: Candidates | None) -> None:
        """Without candidates nothing is opened, and everything counted."""
        self.found: list[PlainPacket] = []
        subjects: list[MediaStream | RtcpSource] = [*trace.streams, *trace.rtcp_sources]
        found = {id(each): candidates.of(each) for each in subjects} if candidates is not None else {}
        count = sum(1 for keys in found.values() if keys)
        effort, otherwise = Effort(count), Otherwise(candidates.strangers if candidates is not None else [], count)
        from_start = {
            call.id
            for call in trace.calls
            if any(message.sip.method == b"INVITE" and not message.sip.to_tag for message in call.messages[:1])
        }
        streams: dict[bytes, _Stream] = {}
        for stream in trace.streams:
            proof = None
            if candidates is not None and (keys := found[id(stream)]):
                begun = any(line.call in from_start for line, _ in candidates.uses.get(id(stream), ()))
                proof = StreamProof(stream, keys, otherwise, effort, tracked=True, from_start=begun)
            each = _Stream(stream, proof)
            streams[each.identity] = each
        senders: dict[bytes, _Stream] = {}
        for source in trace.rtcp_sources:
            keys = found.get(id(source), [])
            each = _Stream(source, SenderProof(source, keys, otherwise) if keys else None)
            senders[each.identity] = each
        self._streams, self._senders = [*streams.values()], [*senders.values()]
        self.streams: MediaStreams = _OpenedStreams(self, streams)
        self.senders: RtcpSenders = _OpenedSenders(self, senders)

    def take(self) -> list[PlainPacket]:
        """What was opened since the last time."""
        found, self.found = self.found, []
        return found

    def tally(self) -> Tally:
        """What became of all packets, when all were read."""
        out = Tally()
        for everyone, what, plain in ((self._streams, SRTP, "RTP"), (self._senders, SRTCP, "RTCP")):
            for each in everyone:
                opened = each.opened.total()
                out.opened[what] += opened
                out.streams += opened > 0
                out.cut += each.cut
                if each.proof is not None:
                    _told(each, each.proof.finish(), out, plain)
                    continue
                clear = each.packets if getattr(each.subject, "kind", "") == "rtp" else each.clear
                out.in_clear[plain] += clear
                out.without_key[what] += each.packets - clear
                out.without_key_streams += each.packets > clear
        return out


def _told(each: _Stream, proof: Proof, out: Tally, plain: str) -> None:
    """Why the packets that were not opened were not, as their proof says."""
    left = each.packets - each.opened.total()
    for diagnosis, failed in sorted(proof.diagnoses.items()):
        count = max(0, min(failed - each.opened[diagnosis], left))  # some, that a receiver would drop, were opened
        left -= count
        if diagnosis == PLAIN:
            out.in_clear[plain] += count
        else:
            out.failed[diagnosis] += count
    out.failed[UNTAGGED] += left


def _identity(stream: MediaStream | RtcpSource) -> bytes:
    name = identity_of(stream.source, stream.destination, UDP)
    return name[:SSRC] + stream.ssrc.to_bytes(4, "big") + name[SSRC + 4 : PROTOCOL + 1]


class _OpenedStreams(MediaStreams):
    """Takes the packets of a capture as those that count them do, and opens them."""

    def __init__(self, opener: Opener, known: dict[bytes, _Stream]) -> None:
        super().__init__()
        self._opener = opener
        self._known = known
        self._rows: list[_Stream | None] = []

    def _sighted_again(self, data: NDArray[np.uint8], media: Media, found: Ordered) -> NDArray[np.bool_] | None:
        """Every sighting is opened: each is a frame."""
        return None

    def count_packets(self, data: NDArray[np.uint8], media: Media, found: Ordered) -> None:
        """Hand the packets of each stream to its proof, and open those that verify."""
        order, begin, who = found.order, found.begin, found.who
        self.columns["current"][who] = found.extended[begin + found.length - 1]
        for row in range(len(self._rows), self.table.count):
            self._rows.append(self._known.get(self.identity[row].tobytes()[: PROTOCOL + 1]))
        columns = [column.take(order) for column in (media.start, media.end, media.frame, media.when)]
        whole = columns[1] >= media.whole.take(order)
        columns.append(found.extended)
        for row, first, last in zip(who.tolist(), begin.tolist(), (begin + found.length).tolist(), strict=True):
            each = self._rows[row]
            if each is None:
                continue
            good = first + np.flatnonzero(whole[first:last])
            each.cut += last - first - len(good)
            each.packets += len(good)
            if isinstance(each.proof, StreamProof) and len(good):
                each.proof.take(Packets(data.data, *(column[good].tolist() for column in columns)))
                for run in each.proof.runs:
                    self._open(each, run)

    def _open(self, each: _Stream, run: Run) -> None:
        """Open packets that verified."""
        packets, keys, found = run.packets, run.by.keys, self._opener.found
        for at in range(run.first, run.last):
            packet = packets.packet(at)
            content = keys.open_srtp(packet, (packets.extended[at] + run.move) >> 16, check=False)
            if content is not None:
                each.opened[run.relation] += 1
                found.append(PlainPacket(packets.frames[at], packets.times[at], SRTP, packet, content, each.identity))

    def _prune(self) -> None:
        """Nothing is forgotten: the numbers of streams stay."""


class _OpenedSenders(RtcpSenders):
    """Takes the RTCP of a capture, and opens what is SRTCP."""

    def __init__(self, opener: Opener, known: dict[bytes, _Stream]) -> None:
        super().__init__()
        self._opener = opener
        self._known = known
        self._rows: list[_Stream | None] = []

    def _sighted_again(self, data: NDArray[np.uint8], ids: NDArray[np.int32], found: Control) -> NDArray[np.bool_]:
        """Every sighting is opened: each is a frame."""
        return np.zeros(len(ids), np.bool_)

    def count_datagrams(self, data: NDArray[np.uint8], ids: NDArray[np.int32], found: Control) -> None:
        """Hand each datagram to the proof of its sender, and open what verifies."""
        for row in range(len(self._rows), self.table.count):
            self._rows.append(self._known.get(self.identity[row].tobytes()[: PROTOCOL + 1]))
        plain = is_plain(data, found.start, found.end, found.whole)
        view = data.data
        columns = (ids, found.start, found.end, found.whole, found.frame, found.when, plain)
        for row, start, end, whole, frame, when, clear in zip(*(each.tolist() for each in columns), strict=True):
            each = self._rows[row]
            if each is None:
                continue
            if end < whole:
                each.cut += 1
                continue
            each.packets += 1
            each.clear += clear
            if not isinstance(each.proof, SenderProof):
                continue
            packet = bytes(view[start:end])
            each.proof.take(packet, frame, when, plain=clear)
            by = each.proof.by
            content = by.keys.open_srtcp(packet) if by is not None else None
            if content is not None:
                each.opened[each.proof.counted] += 1
                self._opener.found.append(PlainPacket(frame, when, SRTCP, packet, content, each.identity))


# --- TLS and DTLS ---------------------------------------------------------------------------------


def plain_messages(trace: Trace) -> Iterator[PlainMessage]:
    """The messages of all sessions that are open, whole; what is none of a known protocol, as its records cut it."""
    for session in trace.tls_sessions:
        known = False
        for each in opened_messages(session):
            if each.kind != "media":  # what TURN relays stands in the message around it
                known |= each.kind in DISSECTORS
                yield _message(session, each)
        if not known and session.transport == "tls":
            for data in session.opened_data:
                yield _message(session, StreamMessage("", data.data, (data.frame,), data.time, data.from_client))


def _message(session: TlsSession, each: StreamMessage) -> PlainMessage:
    ends = (session.client, session.server) if each.forward else (session.server, session.client)
    return PlainMessage(max(each.frames), each.time, _dissector(each.kind, each.data), session, *ends, each.data)


def _dissector(kind: str, data: bytes) -> str:
    if kind == classify.H248:
        return "megaco" if data.lstrip()[:1] in (b"!", b"M", b"m") else "h248"
    if not kind and data.lstrip().startswith(b"<?xml"):
        return "xml"
    return DISSECTORS.get(kind, "data")

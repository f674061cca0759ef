"""The proofs that one process makes: packets handed to their streams and senders, by name or by path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dissectors.stun.framing import COOKIE
from imsinspect.crypto.srtp import header_octets
from imsinspect.keys.reuse import NO_KEYSTREAM, Row, Watch
from imsinspect.keys.srtcp_proof import SenderProof
from imsinspect.keys.srtp_proof import Effort, StreamProof
from imsinspect.keys.trial import Otherwise
from imsinspect.trace.proof_words import ALTERED, WRONG_SSRC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.capture.frames import FrameId
    from imsinspect.keys.candidates import Candidate
    from imsinspect.keys.reuse import Compared
    from imsinspect.keys.ring import RingKey
    from imsinspect.keys.srtp_proof import Packets, Run
    from imsinspect.trace.model import MediaStream, Proof, RtcpSource

STRAY = 3  # packets of a stream that may be those of another one, with a spoiled SSRC
MAX_STRAYS = 4096  # of one path that are looked into
MAX_BESIDE = 16  # streams of one path that a packet may belong to
FIXED_HEADER, RTCP_HEADER = 12, 8
OF_ANOTHER = WRONG_SSRC, "belongs to another sender of this path"
ZRTP = b"ZRTP"  # in octets 4 to 7 (RFC 6189 §5)


class Subject(NamedTuple):
    """A stream or sender to be proven."""

    number: int  # streams first, then RTCP sources
    of: MediaStream | RtcpSource
    name: bytes  # identity in the capture
    keys: list[Candidate]
    tracked: bool
    from_start: bool
    others: tuple[int, ...] = ()  # SSRCs of those who have the same key


@dataclass(slots=True)
class Findings:
    """What one process proved."""

    proofs: list[tuple[int, Proof]]  # by number
    compared: Compared
    watched_all: bool
    limited: bool
    went_back: set[int]  # streams that were not tracked and turn out to have repeated indices


@dataclass(slots=True)
class _Path:
    """What is proven between two pairs of address and port, in one direction."""

    streams: dict[int, StreamProof] = field(default_factory=dict)  # by SSRC
    senders: dict[int, SenderProof] = field(default_factory=dict)
    strays: int = 0


class Part:
    """What one process proves."""

    def __init__(
        self, subjects: Sequence[Subject], streams: int, strangers: Sequence[RingKey], everyone: int, several: bool
    ) -> None:  # fmt: skip
        """`streams` is the number of all streams, `everyone` that of all subjects; `several` captures are read."""
        self.streams: dict[bytes, StreamProof] = {}
        self.senders: dict[bytes, SenderProof] = {}
        self.paths: dict[bytes, _Path] = {}
        self.watch = Watch()
        self._effort = Effort(everyone)
        self._otherwise = Otherwise(strangers, everyone)
        self._numbers: dict[int, int] = {}
        for each in subjects:
            path = self.paths.setdefault(each.name[:36] + each.name[40:], _Path())
            if each.number < streams:
                stream = StreamProof(
                    each.of, each.keys, self._otherwise, self._effort,  # type: ignore[arg-type]
                    tracked=each.tracked, from_start=each.from_start, several=several, others=each.others,
                )  # fmt: skip
                self.streams[each.name] = path.streams[each.of.ssrc] = stream
                self._numbers[id(stream)] = each.number
            else:
                sender = SenderProof(each.of, each.keys, self._otherwise, several=several)  # type: ignore[arg-type]
                self.senders[each.name] = path.senders[each.of.ssrc] = sender
                self._numbers[id(sender)] = each.number

    # --- SRTP ---

    def take(self, path: bytes, proof: StreamProof | None, packets: Packets) -> None:
        """Packets of one stream, perhaps of none that is known."""
        beside = self.paths[path]
        if proof is None or (proof.stream.packets <= STRAY and len(beside.streams) > 1):
            packets = self._strays(beside, proof, packets)
        if proof is None or not packets.starts:
            return
        proof.take(packets)
        if proof.runs:
            self._watch(self._numbers[id(proof)], proof.runs)

    def _strays(self, beside: _Path, proof: StreamProof | None, packets: Packets) -> Packets:
        """Packets of an SSRC that is seen a few times: those of other streams, with a spoiled header, are told there.

        What stays belongs to the SSRC that it names.
        """
        left = []
        for at in range(len(packets.starts)):
            stray = False
            if beside.strays < MAX_STRAYS:
                beside.strays += 1
                others = [each for each in beside.streams.values() if each is not proof][:MAX_BESIDE]
                stray = any(other.as_other(packets, at) for other in others)
                if stray and proof is not None:
                    proof.spoiled(packets.frames[at], *OF_ANOTHER)
                elif not stray:
                    self._as_rtcp(beside, packets.packet(at), packets.frames[at])
            if not stray:
                left.append(at)
        return packets if len(left) == len(packets.starts) else packets.pick(left)

    @staticmethod
    def _as_rtcp(beside: _Path, packet: bytes, frame: FrameId) -> None:
        """A packet that reads as RTP of nobody, and has the SSRC of a sender where RTCP has it."""
        sender = beside.senders.get(int.from_bytes(packet[4:8], "big"))
        if sender is not None:
            sender.spoiled(frame, ALTERED, "its packet type is that of no RTCP")

    def _watch(self, number: int, runs: Sequence[Run]) -> None:
        """Keep what verified of a stream whose keystream may come again."""
        for run in runs:
            by, packets = run.by, run.packets
            parameters = by.keys.parameters
            encrypted = parameters.cipher != NO_KEYSTREAM and parameters.encrypt_srtp
            digest, cipher = by.keystream
            ssrc = int.from_bytes(packets.packet(run.first)[8:12], "big")
            group = digest, cipher if encrypted else NO_KEYSTREAM, ssrc, False
            use = self.watch.number_of((by.key.digest, by.key.suite, run.relation))
            tag = 0 if parameters.aead else parameters.srtp_tag_octets
            behind = parameters.mki_octets + tag
            for at in range(run.first, run.last):
                packet = packets.packet(at)
                body = len(packet) - behind
                tagged = packet[body + parameters.mki_octets :]
                seal = hash(packet[:body] + tagged)
                head = max(0, header_octets(packet))
                of_cipher = hash(packet[head:body]) if encrypted and not parameters.aead else seal
                vector = hash(packet[1:8]) if parameters.cipher == "AES-f8" else 0
                self.watch.add(
                    group,
                    Row(
                        number, use, packets.extended[at] + run.move, packets.frames[at], packets.times[at], seal,
                        of_cipher, vector,
                    ),
                )  # fmt: skip

    # --- SRTCP ---

    def take_rtcp(
        self, path: bytes, proof: SenderProof | None, packet: bytes, frame: FrameId, time: int, *, plain: bool
    ) -> None:  # fmt: skip
        """A datagram that reads as RTCP, perhaps of no sender that is known."""
        beside = self.paths[path]
        seldom = proof is None or (proof.source.packets <= STRAY and (len(beside.senders) > 1 or beside.streams))
        if seldom and not plain and beside.strays < MAX_STRAYS and self._stray_rtcp(beside, proof, packet, frame):
            if proof is not None:
                proof.spoiled(frame, *OF_ANOTHER)
            return
        if proof is None:
            return
        index = proof.take(packet, frame, time, plain=plain)
        if proof.by is None:
            return
        by = proof.by
        parameters = by.keys.parameters
        encrypted = parameters.cipher != NO_KEYSTREAM and (by.keys.srtcp_index(packet)[0] or parameters.aead)
        digest, cipher = by.keystream
        group = digest, cipher if encrypted else NO_KEYSTREAM, int.from_bytes(packet[4:8], "big"), True
        tag = 0 if parameters.aead else parameters.srtcp_tag_octets
        body = len(packet) - tag - parameters.mki_octets
        seal = hash(packet[:body] + packet[len(packet) - tag :])
        of_cipher = hash(packet[RTCP_HEADER:body]) if encrypted and not parameters.aead else seal
        vector = hash(packet[:8]) if parameters.cipher == "AES-f8" else 0
        use = self.watch.number_of((by.key.digest, by.key.suite, proof.counted))
        self.watch.add(group, Row(self._numbers[id(proof)], use, index, frame, time, seal, of_cipher, vector))

    @staticmethod
    def _stray_rtcp(beside: _Path, proof: SenderProof | None, packet: bytes, frame: FrameId) -> bool:
        """A datagram of an SSRC that is seen a few times: one of another sender, or RTP with a spoiled header."""
        beside.strays += 1
        others = [each for each in beside.senders.values() if each is not proof][:MAX_BESIDE]
        if any(other.as_other(packet, frame) for other in others):
            return True
        stream = beside.streams.get(int.from_bytes(packet[8:12], "big")) if len(packet) >= FIXED_HEADER else None
        if stream is None or (proof is not None and proof.fits(packet)):
            return False
        stream.spoiled(frame, ALTERED, "its payload type makes it look like RTCP")
        return True

    # --- neither ---

    def spoiled(self, path: bytes, packet: bytes, frame: FrameId) -> None:
        """A datagram that is neither RTP nor RTCP, with the SSRC of a stream or sender where they have theirs."""
        beside = self.paths.get(path)
        if beside is None or _is_beside_media(packet):
            return
        stream = beside.streams.get(int.from_bytes(packet[8:12], "big"))
        sender = beside.senders.get(int.from_bytes(packet[4:8], "big"))
        if stream is not None:
            stream.spoiled(frame, ALTERED, "its header is that of no RTP")
        elif sender is not None:
            sender.spoiled(frame, ALTERED, "its header is that of no RTCP")

    def findings(self, names: Sequence[str], destinations: Sequence[object]) -> Findings:
        """What was proven."""
        proofs = []
        for stream in self.streams.values():
            proofs.append((self._numbers[id(stream)], stream.finish()))
            self._watch(self._numbers[id(stream)], stream.runs)
        proofs += [(self._numbers[id(sender)], sender.finish()) for sender in self.senders.values()]
        compared = self.watch.compare(names, destinations)
        limited = self._effort.limited or self._otherwise.limited
        went_back = {
            self._numbers[id(each)] for each in self.streams.values() if each.went_back and not each.tracked
        }  # fmt: skip
        return Findings(proofs, compared, not self.watch.full, limited, went_back)


def _is_beside_media(packet: bytes) -> bool:
    """STUN, DTLS and ZRTP, which share ports with media (RFC 7983 §7)."""
    first = packet[0]
    if first < 4:
        return packet[4:8] == COOKIE
    if first < 20:
        return packet[4:8] == ZRTP
    return first <= 25 and packet[1] in (0x01, 0xFE)

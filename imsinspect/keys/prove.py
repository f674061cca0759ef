"""Reads the media of all captures once more and checks every packet whose key is known.

Two processes share the work where there are two processors: each reads everything and proves some of the streams. What
has an SSRC or a path in common is proven by one of them, so that it sees all packets that could share a keystream.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from imsinspect.capture.decode import UDP
from imsinspect.capture.identity import PROTOCOL, SSRC, identity_of
from imsinspect.capture.media import MediaStreams, Ordered
from imsinspect.capture.rtcp import RtcpSenders, is_plain
from imsinspect.keys.candidates import TRIED
from imsinspect.keys.part import STRAY, Part, Subject
from imsinspect.keys.second_look import SecondLook, look_again
from imsinspect.keys.srtp_proof import Packets
from imsinspect.processes import Beside, ProcessError, processors
from imsinspect.trace.model import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

    from imsinspect.capture.decode import Media
    from imsinspect.capture.opening import Opening
    from imsinspect.capture.rtcp import Control
    from imsinspect.keys.candidates import Candidates
    from imsinspect.keys.part import Findings
    from imsinspect.keys.reuse import Again
    from imsinspect.keys.srtcp_proof import SenderProof
    from imsinspect.keys.srtp_proof import StreamProof
    from imsinspect.trace.model import MediaStream, Proof, RtcpSource, Trace
    from imsinspect.trace.scan import Scan

WORTH_IT = 20_000  # packets to be proven, from which on a second process takes some of them
SAMPLE_FIRST, SAMPLE_EVERY = 8, 50  # packets of a stream that a sample checks (performance.md)
MAX_REPLAYS = 20  # named for each stream
MAX_UNUSED = 20  # keys that are noted
MAX_OTHERS = 8  # SSRCs under one key


def prove(
    trace: Trace, scans: list[Scan], candidates: Candidates, opening: Opening | None = None, *, sample: bool = False
) -> list[str]:
    """Put the proofs into the trace; returns what was limited, in words. Raises CaptureError, ProcessError.

    `scans` are in the order of time. Of a `sample`, the first packets of each stream and some of the others are
    checked, and repeated indices are not looked for.
    """
    subjects = _subjects(trace, candidates)
    if sample:
        subjects = [each._replace(tracked=False) for each in subjects]
    if not subjects:
        return []
    work = _Work(trace, candidates, subjects, opening, sample)
    if sum(each.of.packets for each in subjects) >= WORTH_IT and processors() > 1:

        def other(_orders: BinaryIO, answers: BinaryIO) -> None:
            pickle.dump(work.done(scans, 1), answers, pickle.HIGHEST_PROTOCOL)

        beside = Beside(other)
        found = [work.done(scans, 0)]
        try:
            found.append(cast("Findings", beside.result()))
        except ProcessError:
            found.append(work.done(scans, 1))
    else:
        found = [work.done(scans, None)]
    notes = _conclude(trace, found, subjects)
    trace.indices_compared = not sample and all(part.watched_all for part in found)
    if sample:
        notes.append(
            f"of each stream the first {SAMPLE_FIRST} packets and one in {SAMPLE_EVERY} were verified, as was asked"
        )
    return [*notes, *_unused(trace)]


# --- who is proven --------------------------------------------------------------------------------


def _subjects(trace: Trace, candidates: Candidates) -> list[Subject]:
    """The streams and senders that some key may protect."""
    owners: dict[int, int] = {}
    for stream in trace.streams:
        owners[stream.ssrc] = owners.get(stream.ssrc, 0) + 1
    from_start = {
        call.id
        for call in trace.calls
        if any(message.sip.method == b"INVITE" and not message.sip.to_tag for message in call.messages[:1])
    }
    out = []
    everyone: list[MediaStream | RtcpSource] = [*trace.streams, *trace.rtcp_sources]
    for number, each in enumerate(everyone):
        keys = candidates.of(each)
        if keys:
            calls = {line.call for line, _ in candidates.uses.get(id(each), ())}
            tracked = number >= len(trace.streams) or owners[each.ssrc] > 1
            out.append(Subject(number, each, _identity(each), keys, tracked, bool(calls & from_start)))
    return [each._replace(others=others) for each, others in zip(out, _others(out), strict=True)]


def _others(subjects: list[Subject]) -> Iterator[tuple[int, ...]]:
    """SSRCs that others have whose likeliest key is the same: a packet may have been protected as one of theirs."""
    ssrcs: dict[int, dict[int, None]] = {}
    for each in subjects:
        ssrcs.setdefault(id(each.keys[0].key), {})[each.of.ssrc] = None
    for each in subjects:
        known = ssrcs[id(each.keys[0].key)]
        yield tuple(ssrc for ssrc in known if ssrc != each.of.ssrc) if len(known) <= MAX_OTHERS else ()


def _identity(stream: MediaStream | RtcpSource) -> bytes:
    name = identity_of(stream.source, stream.destination, UDP)
    return name[:SSRC] + stream.ssrc.to_bytes(4, "big") + name[SSRC + 4 : PROTOCOL + 1]


def _path(identity: bytes) -> bytes:
    """The addresses and ports of an identity."""
    return identity[:SSRC] + identity[SSRC + 4 : PROTOCOL + 1]


def _shares(subjects: list[Subject]) -> set[int]:
    """Numbers of the subjects that the second process proves: about half of the packets."""
    root: dict[bytes, bytes] = {}

    def find(name: bytes) -> bytes:
        while (above := root.setdefault(name, name)) != name:
            root[name] = root[above]
            name = root[name]
        return name

    for each in subjects:
        ends = sorted((each.name[:16] + each.name[32:34], each.name[16:32] + each.name[34:36]))
        root[find(each.name[SSRC : SSRC + 4])] = find(b"".join(ends))
    weights: dict[bytes, int] = {}
    for each in subjects:
        name = find(each.name[SSRC : SSRC + 4])
        weights[name] = weights.get(name, 0) + each.of.packets
    loads, second = [0, 0], set()
    for name, weight in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0])):
        which = int(loads[1] < loads[0])
        loads[which] += weight
        if which:
            second.add(name)
    return {each.number for each in subjects if find(each.name[SSRC : SSRC + 4]) in second}


class _Work(NamedTuple):
    trace: Trace
    candidates: Candidates
    subjects: list[Subject]
    opening: Opening | None
    sample: bool

    def done(self, scans: list[Scan], share: int | None) -> Findings:
        """Prove the part of one process, or everything."""
        second = _shares(self.subjects) if share is not None else set()
        mine = [each for each in self.subjects if share is None or (each.number in second) == bool(share)]
        found = self._look(scans, mine)
        again = [each._replace(tracked=True) for each in mine if each.number in found.went_back]
        if again and not self.sample:
            # Their counters were set back where their sequence numbers do not show it: looked at once more.
            found.compared.add(self._look(scans, again).compared)
        return found

    def _look(self, scans: list[Scan], mine: list[Subject]) -> Findings:
        trace = self.trace
        part = Part(mine, len(trace.streams), self.candidates.strangers, len(self.subjects), len(trace.captures) > 1)
        ssrcs = {each.of.ssrc for each in mine}
        sighted = any(stream.sighted_again for stream in trace.streams)
        for scan in scans:
            found = SecondLook(
                _ProvenStreams(part, sighted=sighted, sample=self.sample), _ProvenSenders(part), ssrcs,
                lambda name, frame, packet: part.spoiled(_path(name), packet, frame),
            )  # fmt: skip
            look_again(scan, found, self.opening)
        everyone: list[MediaStream | RtcpSource] = [*trace.streams, *trace.rtcp_sources]
        return part.findings([each.id for each in everyone], [each.destination for each in everyone])


# --- packets --------------------------------------------------------------------------------------


class _ProvenStreams(MediaStreams):
    """Takes the packets of a capture as those that count them do, and proves them."""

    def __init__(self, part: Part, *, sighted: bool, sample: bool) -> None:
        super().__init__()
        self.part = part
        self.sighted, self.sample = sighted, sample
        self.rows: list[tuple[bytes, StreamProof | None]] = []

    def count_packets(self, data: NDArray[np.uint8], media: Media, found: Ordered) -> None:
        """Hand the packets of each stream to its proof."""
        order, begin, who = found.order, found.begin, found.who
        self.columns["current"][who] = found.extended[begin + found.length - 1]
        for row in range(len(self.rows), self.table.count):
            name = self.identity[row].tobytes()[: PROTOCOL + 1]
            self.rows.append((_path(name), self.part.streams.get(name)))
        if self.sample:
            seen = self.columns["packets"][who]
            self.columns["packets"][who] += found.length
            place = np.arange(len(order)) - np.repeat(begin - seen, found.length)
            chosen = (place < SAMPLE_FIRST) | (found.extended % SAMPLE_EVERY == 0)
            if not chosen.any():
                return
            found = found.some(chosen)
            order, begin, who = found.order, found.begin, found.who
        mine = np.array([self._mine(row) for row in who.tolist()], np.bool_)
        if not mine.any():
            return
        follows = found.step == 1
        follows[begin] = True
        extended, length = found.extended, found.length
        if not mine.all():
            keep = np.repeat(mine, length)
            order, extended, follows, length, who = order[keep], extended[keep], follows[keep], length[mine], who[mine]
            begin = np.cumsum(length) - length
        start, end, frame, when = (column.take(order) for column in (media.start, media.end, media.frame, media.when))
        cut = end < media.whole.take(order)
        behind = begin + length
        whole = ~np.logical_or.reduceat(cut, begin)
        follows = np.logical_and.reduceat(follows, begin)
        octets = _octets(data)
        starts, ends = start.tolist(), end.tolist()
        last_of = behind - 1
        columns = (who, begin, behind, whole, follows, extended[begin], frame[last_of], when[last_of])
        for row, first, last, uncut, plain, number, at, time in zip(*(each.tolist() for each in columns), strict=True):
            path, proof = self.rows[row]
            if uncut and proof is not None and proof.stream.packets > STRAY:
                some, others = starts[first:last], ends[first:last]
                numbers = range(number, number + last - first) if plain else extended[first:last].tolist()
                if proof.at_once(octets, some, others, numbers, at, time):
                    continue
            packets = Packets(octets, *(each[first:last].tolist() for each in (start, end, frame, when, extended)))
            if not uncut:
                kept = np.flatnonzero(~cut[first:last]).tolist()
                if proof is not None:
                    proof.skip(last - first - len(kept))
                packets = packets.pick(kept)
            self.part.take(path, proof, packets)

    def _mine(self, row: int) -> bool:
        """Whether this process proves anything on the path of a stream."""
        path, proof = self.rows[row]
        return proof is not None or path in self.part.paths

    def _sighted_again(self, data: NDArray[np.uint8], media: Media, found: Ordered) -> NDArray[np.bool_] | None:
        """Second sightings are looked for where the first look found any."""
        return super()._sighted_again(data, media, found) if self.sighted else None

    def _prune(self) -> None:
        """Nothing is forgotten: the numbers of streams stay."""


class _ProvenSenders(RtcpSenders):
    """Takes the RTCP of a capture, and proves what is SRTCP."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part = part
        self.rows: list[tuple[bytes, SenderProof | None]] = []

    def count_datagrams(self, data: NDArray[np.uint8], ids: NDArray[np.int32], found: Control) -> None:
        """Hand each datagram to the proof of its sender."""
        for row in range(len(self.rows), self.table.count):
            name = self.identity[row].tobytes()[: PROTOCOL + 1]
            self.rows.append((_path(name), self.part.senders.get(name)))
        plain = is_plain(data, found.start, found.end, found.whole)
        view = data.data
        columns = (ids, found.start, found.end, found.whole, found.frame, found.when, plain)
        for row, start, end, whole, frame, when, clear in zip(*(each.tolist() for each in columns), strict=True):
            path, proof = self.rows[row]
            if proof is None and path not in self.part.paths:
                continue
            if end >= whole:
                self.part.take_rtcp(path, proof, bytes(view[start:end]), frame, when, plain=clear)
            elif proof is not None:
                proof.skip(1)


def _octets(data: NDArray[np.uint8]) -> bytes | memoryview:
    """A window's octets so that slices of them are bytes where that can be had."""
    import mmap

    base = data.base
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    if isinstance(base, mmap.mmap) and len(base) == len(data):
        return cast("bytes", base)
    return base if isinstance(base, bytes) and len(base) == len(data) else data.data


# --- the end --------------------------------------------------------------------------------------


def _conclude(trace: Trace, found: list[Findings], subjects: list[Subject]) -> list[str]:
    """Put what was proven into the trace."""
    everyone: list[MediaStream | RtcpSource] = [*trace.streams, *trace.rtcp_sources]
    for part in found:
        for number, proof in part.proofs:
            everyone[number].proof = proof
        for again in part.compared.sightings:
            _not_twice(everyone[again.stream].proof, again)
        for again in part.compared.replays:
            _replayed(everyone[again.stream].proof, again)
        trace.keystream_reuse += part.compared.reuses
    for subject in subjects:
        # A key that names no SSRC and belongs to no line was tried: where it does not fit it was meant for others.
        tried_only = all(each.relation in TRIED and subject.of.ssrc not in each.key.senders for each in subject.keys)
        if tried_only and subject.of.proof is not None and not subject.of.proof.uses:
            subject.of.proof = None
    for each in everyone:
        if each.proof is not None:
            farthest = sorted(each.proof.replays, key=lambda replay: -replay.gap)[:MAX_REPLAYS]
            each.proof.replays = sorted(farthest, key=lambda replay: replay.second)
    trace.keystream_reuse.sort(key=lambda reuse: (reuse.second, reuse.first))
    _count_uses(trace)
    notes = []
    if not all(part.watched_all for part in found):
        notes.append("too many packets to look for keystream reuse in all of them")
    if any(part.limited for part in found):
        notes.append("so many streams are to be verified that fewer keys and rollover counters were tried for each")
    return notes


def _taken_out(proof: Proof, again: Again) -> None:
    """A packet is no longer counted as verified or failed."""
    *_, relation = again.use
    if relation in proof.diagnoses:
        proof.failed -= 1
        proof.diagnoses[relation] -= 1
        if not proof.diagnoses[relation]:
            del proof.diagnoses[relation]
        proof.diagnosis = max(proof.diagnoses, key=lambda name: proof.diagnoses[name], default="")
        proof.failures = [each for each in proof.failures if each.frame != again.second]
        if not proof.failed:
            proof.first_failed = proof.last_failed = None
        elif proof.first_failed == again.second and proof.failures:
            proof.first_failed = proof.failures[0].frame
    else:
        proof.verified -= 1


def _not_twice(proof: Proof | None, again: Again) -> None:
    """A packet that was seen at two capture points is one."""
    if proof is None:
        return
    _taken_out(proof, again)
    proof.packets -= 1
    for use in proof.uses:
        if (use.key, use.suite, use.relation) == again.use:
            use.packets -= 1


def _replayed(proof: Proof | None, again: Again) -> None:
    """A receiver drops a packet that it has had (RFC 3711 §3.3.2)."""
    if proof is None:
        return
    _taken_out(proof, again)
    proof.replayed += 1
    proof.replays.append(Replay(again.first, again.second, again.gap, again.distance, again.same_stream))


def _unused(trace: Trace) -> list[str]:
    """Keys of the user's file that verify nothing."""
    unused = [
        place.field
        for key in trace.keys
        for place in key.places
        if place.kind == "key file" and not key.srtp_packets and not key.srtcp_packets
    ]
    return [f"key file, {place}: verifies no packet" for place in unused[:MAX_UNUSED]]


def _count_uses(trace: Trace) -> None:
    """Packets by key."""
    keys = {(key.digest, key.suite): key for key in trace.keys}
    for stream in trace.streams:
        for use in stream.proof.uses if stream.proof is not None else ():
            key = keys[use.key, use.suite]
            key.srtp_packets += use.packets
            if stream.id not in key.streams:
                key.streams.append(stream.id)
    for source in trace.rtcp_sources:
        for use in source.proof.uses if source.proof is not None else ():
            key = keys[use.key, use.suite]
            key.srtcp_packets += use.packets
            if source.id not in key.streams:
                key.streams.append(source.id)

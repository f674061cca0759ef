"""Packets that a focus sends to several participants octet by octet, told by the packets that were kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, secure_rtp
from imsinspect.rules.outcome import Evidence
from imsinspect.rules.rule import once
from imsinspect.rules.ssrc.participants import rooms

if TYPE_CHECKING:
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.ssrc.participants import Member, Room
    from imsinspect.trace.model import MediaLine, MediaSample, MediaStream, Trace

ENOUGH = 10  # packets of each stream
ENOUGH_COPIES = 3  # of those that were kept: a few stand for all
MAX_PAIRS = MAX_EVIDENCE // 2


@dataclass(slots=True)
class Copied:
    """Streams of one conference that reach several participants with the same octets."""

    members: list[Member]
    streams: list[MediaStream]
    pairs: list[tuple[MediaSample, MediaSample]] = field(default_factory=list)
    copies: int = 0  # packets that were kept of two streams
    protected: bool = True  # all of them are known to be SRTP

    def evidence(self, expected: str) -> tuple[Evidence, ...]:
        """The pairs of packets."""
        return tuple(
            Evidence(
                sample.frame,
                "SRTP packet",
                f"sequence {sample.sequence}, timestamp {sample.timestamp}, {sample.length} octets, "
                "the same as to another participant",
                expected,
            )
            for pair in self.pairs
            for sample in pair
        )


def counts(stream: MediaStream, line: MediaLine) -> bool:
    """Whether a stream has enough packets and may be protected."""
    if stream.packets < ENOUGH:
        return False
    return stream.kind == "srtp" or (stream.kind == "unknown" and any(secure_rtp(state) for state in line.states))


@once
def copied(trace: Trace, scene: Scene) -> dict[str, Copied]:
    """What is sent to several participants alike, by the id of the conference."""
    out: dict[str, Copied] = {}
    for room in rooms(trace, scene):
        found = _copied(room)
        if found is not None:
            out[room.conference.id] = found
    return out


def _copied(room: Room) -> Copied | None:
    by_ssrc: defaultdict[int, list[tuple[Member, MediaStream]]] = defaultdict(list)
    for member in room.members:
        for stream, line in member.gets:
            if counts(stream, line):
                by_ssrc[stream.ssrc].append((member, stream))
    out: Copied | None = None
    for sent in by_ssrc.values():
        for found in _alike(sent) if len(sent) > 1 else ():
            if out is None:
                out = found
            else:
                out.members += [member for member in found.members if member not in out.members]
                out.streams += [stream for stream in found.streams if stream not in out.streams]
                out.pairs += found.pairs[: MAX_PAIRS - len(out.pairs)]
                out.copies += found.copies
                out.protected = out.protected and found.protected
    return out


def _alike(sent: list[tuple[Member, MediaStream]]) -> list[Copied]:
    """Pairs of streams of one SSRC to different participants; each packet is compared with the first of its octets."""
    first: dict[tuple[int, int, int, bytes], tuple[Member, MediaStream, MediaSample]] = {}
    pairs: dict[tuple[int, int], Copied] = {}
    for member, stream in sent:
        for sample in stream.samples:
            name = (sample.sequence, sample.timestamp, sample.length, sample.payload)
            known = first.setdefault(name, (member, stream, sample))
            other, before, one = known
            if other is member or before.destination == stream.destination:
                continue
            pair = pairs.get((id(before), id(stream)))
            if pair is None:
                protected = before.kind == stream.kind == "srtp"
                pair = Copied([other, member], [before, stream], protected=protected)
                pairs[id(before), id(stream)] = pair
            pair.copies += 1
            if len(pair.pairs) < MAX_PAIRS:
                pair.pairs.append((one, sample))
    return [pair for pair in pairs.values() if pair.copies >= ENOUGH_COPIES]

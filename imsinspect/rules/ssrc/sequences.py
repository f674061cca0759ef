"""Sequence numbers of one sender over all its streams: where they begin anew, and where they go on."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.media import JUMP
from imsinspect.rules.facts import SECOND
from imsinspect.rules.rule import once
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, MediaSample, StreamUse, Trace

WRAP = 1 << 16
TOLD = WRAP // 4  # numbers that may pass between two kept packets, so that back is told from ahead
FOLLOWING = 3  # kept packets that go on behind a restart


class Sender(NamedTuple):
    """The streams of one party with one SSRC on one line, none beside another."""

    streams: list[MediaStream]
    call: Call | None = None
    line: MediaLine | None = None
    use: StreamUse | None = None  # of the first stream


class Restart(NamedTuple):
    """Two kept packets that follow one another, the second with a number far behind that of the first."""

    before: MediaSample
    after: MediaSample


@once
def senders(trace: Trace, scene: Scene) -> list[Sender]:
    """All senders of media in order of their first packets; streams beside one another are sources of their own."""
    groups: defaultdict[tuple[object, ...], list[Sender]] = defaultdict(list)
    taken: set[str] = set()
    for call in trace.calls:
        for line in call.lines:
            for use in line.streams:
                stream = use.stream
                if isinstance(stream, MediaStream) and stream.id not in taken:
                    taken.add(stream.id)
                    own = groups[line.id, use.party or use.sender, stream.ssrc]
                    _add(own, Sender([stream], call, line, use))
    out = [sender for own in groups.values() for sender in own]
    out += [Sender([stream]) for stream in trace.unbound_streams]
    return out


@once
def senders_of_parties(trace: Trace, scene: Scene) -> dict[tuple[str, bytes], list[Sender]]:
    """Those that are bound to a line, by its id and the party that sends."""
    out: defaultdict[tuple[str, bytes], list[Sender]] = defaultdict(list)
    for each in senders(trace, scene):
        if each.line is not None and each.use is not None:
            out[each.line.id, each.use.party].append(each)
    return out


def _add(own: list[Sender], new: Sender) -> None:
    """Put a stream behind the one that it goes on from."""
    stream = new.streams[0]
    if own and own[-1].streams[-1].last.time <= stream.first.time:
        own[-1].streams.append(stream)
    else:
        own.append(new)


def restart_of(streams: list[MediaStream]) -> Restart | None:
    """The first place where the numbers of a sender go far back and on from there."""
    if len(streams) == 1 and not streams[0].backward:
        return None
    samples = sorted(
        (sample for stream in streams for sample in stream.samples), key=lambda each: (each.time, each.frame)
    )
    pace = _pace(streams)
    for at in range(1, len(samples)):
        before, after = samples[at - 1], samples[at]
        if (
            _step(before, after) < -JUMP
            and pace * (after.time - before.time) / SECOND < TOLD
            and _goes_on(samples[at : at + 1 + FOLLOWING])
            and not _came_again(samples, at)
        ):
            return Restart(before, after)
    return None


def continues(streams: list[MediaStream], time: int) -> bool | None:
    """Whether numbers go on over a moment as if nothing had happened; None where there is nothing on a side of it."""
    samples = sorted((sample for stream in streams for sample in stream.samples), key=lambda each: each.time)
    before = [each for each in samples if each.time <= time]
    after = [each for each in samples if each.time > time]
    if not before or not after:
        return None
    if restart_of(streams) is not None:
        return False
    expected = _pace(streams) * (after[0].time - before[-1].time) / SECOND
    return 0 < _step(before[-1], after[0]) <= expected + JUMP if expected < TOLD else None


def _step(before: MediaSample, after: MediaSample) -> int:
    """The shorter way between two sequence numbers."""
    return (after.sequence - before.sequence + WRAP // 2) % WRAP - WRAP // 2


def _pace(streams: list[MediaStream]) -> float:
    """Packets a second, of the densest stream."""
    return max(stream.packets * SECOND / max(stream.last.time - stream.first.time, SECOND // 50) for stream in streams)


def _goes_on(samples: list[MediaSample]) -> bool:
    """Kept packets that follow one another, none of them far ahead: late packets are followed by newer ones."""
    if len(samples) <= FOLLOWING:
        return False
    return all(0 < _step(one, other) < JUMP for one, other in pairwise(samples))


def _came_again(samples: list[MediaSample], at: int) -> bool:
    """Whether the packets from a place on are copies of earlier ones: replayed, or sighted late."""
    earlier: defaultdict[int, list[MediaSample]] = defaultdict(list)
    for each in samples[:at]:
        earlier[each.sequence].append(each)
    common = [
        (first.timestamp, first.payload) == (each.timestamp, each.payload)
        for each in samples[at : at + 1 + FOLLOWING]
        for first in earlier.get(each.sequence, ())
    ]
    if common:
        return any(common)
    # None of them was kept: copies have the timestamps that the numbers had before.
    before, after = samples[at - 1], samples[at]
    known = next((each for each in reversed(samples[: at - 1]) if 0 < _step(each, before) < JUMP), None)
    if known is None:
        return False
    ticks = (before.timestamp - known.timestamp) / _step(known, before)
    return _step(before, after) * ticks == _signed(after.timestamp - before.timestamp)


def _signed(difference: int) -> int:
    return (difference + WRAP * WRAP // 2) % (WRAP * WRAP) - WRAP * WRAP // 2

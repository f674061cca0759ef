"""IMS-SRTP-011."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.frames import capture_index
from imsinspect.rules.facts import SECOND, direction, frame_text, media_name, not_assessed, secure_rtp, text
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.model import MediaStream, Replay, RtcpSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.policy import Thresholds
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, MediaSample, StreamUse, Trace

DOUBLED = SECOND  # within it networks and senders double packets on purpose or by accident (RFC 7198, T-RTX)
NEARLY_ALL = 0.9  # of a sender's packets: those whose tags must have been checked
WRAP = 1 << 16  # sequence numbers
SHOWN = 5  # pairs in one finding
EXPECTED = "an index that comes once"


class _Place(NamedTuple):
    """The line that announced a stream."""

    call: Call
    line: MediaLine
    use: StreamUse


@rule(
    id="IMS-SRTP-011",
    name="srtp-replay",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("RFC 3711 §3.3.2", "RFC 4568 §8.1"),
    needs=(MEDIA,),
)
def srtp_replay(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTP packet replayed into the stream.

    What it checks:
        Packets of SRTP and SRTCP that verify and came before, octet by octet, towards the same destination: more than
        2 seconds or 128 packets later, or from another source (thresholds of the policy). What comes again within a
        second is no replay: networks, bonded links and senders double packets. Without keys the kept packets of streams
        are compared: equal sequence number, timestamp and payload.
    Why it matters:
        Replay protection is always on in SRTP. Somebody who records packets and sends them again tests whether a
        receiver has it, confuses one that has not, and confirms which streams belong together.
    What the finding shows:
        Both frames of the pairs that are farthest apart, their sources, the time between them and how far the stream
        had gone on.
    How to fix it:
        Look for who sends the copies: their source address and TTL tell where they enter. Keep the replay window of
        receivers at 64 packets or more.
    When it is not assessed:
        N-KEY: packets came out of order or from several sources, and no key shows which of them came twice; or not
        every packet was verified (--verify sample or none). N-SIP: ESP or TLS that could not be opened may hold the
        signalling. One sequence number with different payloads is no replay, and neither is one packet on both sides of
        a relay or in two captures. Whether a receiver accepted a copy can't be seen.
    """
    places = _places(trace)
    beside: defaultdict[tuple[object, ...], list[MediaStream]] = defaultdict(list)
    for stream in trace.streams:
        beside[stream.destination, stream.ssrc].append(stream)
    for stream in trace.streams:
        place = places.get(id(stream))
        if not _protected(stream, place):
            continue
        found = _proven(stream, scene.policy.thresholds)
        others = beside[stream.destination, stream.ssrc]
        if not found and not _all_compared(trace, stream):
            found = _seen(stream, others, scene.policy.thresholds)
        if found:
            yield _replayed(trace, stream, place, found)
        elif _all_compared(trace, stream) or (not stream.backward and all(_apart(stream, other) for other in others)):
            yield Outcome("pass", _subject(stream, place))
        else:
            reason = "packets came out of order or from several sources, and no key shows which of them came twice"
            yield not_assessed(_subject(stream, place), "N-KEY", reason)
    for source in trace.rtcp_sources:
        found = _proven(source, scene.policy.thresholds)
        if found:
            yield _replayed(trace, source, places.get(id(source)), found)


def _places(trace: Trace) -> dict[int, _Place]:
    out: dict[int, _Place] = {}
    for call in trace.calls:
        for line in call.lines:
            for use in (*line.streams, *line.rtcp):
                out.setdefault(id(use.stream), _Place(call, line, use))
    return out


def _protected(stream: MediaStream, place: _Place | None) -> bool:
    if stream.kind == "srtp" or (stream.proof is not None and stream.proof.uses):
        return True
    return stream.kind == "unknown" and place is not None and any(map(secure_rtp, place.line.states))


def _subject(stream: MediaStream | RtcpSource, place: _Place | None) -> Subject:
    if place is not None:
        return Subject("media", place.line.id)
    return Subject("stream" if isinstance(stream, MediaStream) else "rtcp", stream.id)


def _all_compared(trace: Trace, stream: MediaStream) -> bool:
    proof = stream.proof
    verified = proof is not None and bool(proof.uses) and proof.packets >= NEARLY_ALL * stream.packets
    return verified and trace.indices_compared


def _apart(stream: MediaStream, other: MediaStream) -> bool:
    """Two streams of one SSRC have no sequence number in common, as where an address moves."""
    if stream is other:
        return True
    ahead = (other.lowest - stream.lowest) % WRAP
    return ahead > stream.highest - stream.lowest and -ahead % WRAP > other.highest - other.lowest


def _proven(stream: MediaStream | RtcpSource, thresholds: Thresholds) -> list[Replay]:
    return [each for each in stream.proof.replays if _far(each, thresholds)] if stream.proof is not None else []


def _far(replay: Replay, thresholds: Thresholds) -> bool:
    """Too far apart for a packet that was doubled on its way."""
    if replay.gap <= DOUBLED:
        return False
    late = replay.gap > thresholds.srtp_replay_time or replay.distance > thresholds.srtp_replay_distance
    return late or not replay.same_source


def _seen(stream: MediaStream, others: list[MediaStream], thresholds: Thresholds) -> list[Replay]:
    """Kept packets of a stream that came before, in it or from another source; keys are not needed to see that."""
    if len(others) == 1 and not stream.backward:
        return []
    known: dict[tuple[object, ...], tuple[MediaSample, MediaStream]] = {}
    for other in others:
        for sample in other.samples:
            name = _name(sample)
            if name not in known or sample.time < known[name][0].time:
                known[name] = sample, other
    highest = max((sample.sequence for sample in stream.samples), default=0)
    out = []
    for sample in stream.samples:
        first, origin = known[_name(sample)]
        if first.frame == sample.frame or capture_index(first.frame) != capture_index(sample.frame):
            continue
        distance = max(0, highest - sample.sequence) if origin is stream else 0
        replay = Replay(first.frame, sample.frame, sample.time - first.time, distance, origin is stream)
        if _far(replay, thresholds):
            out.append(replay)
    return out


def _name(sample: MediaSample) -> tuple[object, ...]:
    return sample.sequence, sample.timestamp, sample.payload_type, sample.marker, sample.length, sample.payload


def _replayed(trace: Trace, stream: MediaStream | RtcpSource, place: _Place | None, found: list[Replay]) -> Outcome:
    proof = stream.proof
    proven = proof is not None and bool(proof.replays)
    count = proof.replayed if proof is not None and proven else len(found)
    farthest = max(found, key=lambda replay: replay.gap)
    kind = "SRTP" if isinstance(stream, MediaStream) else "SRTCP"
    way = direction(place.use) if place is not None else ""
    state = place.line.states[0] if place is not None and place.line.states else None
    where = (
        f"on {text(state.offered.type)} line {place.line.index} of {place.call.id}, {way or 'direction unknown'}, "
        if place is not None and state is not None
        else ""
    )
    origin = "the same source" if farthest.same_source else f"another source, {stream.source}"
    gone_on = f", when the stream had gone on by {farthest.distance} packets" if farthest.distance else ""
    told = (
        "Proven by tags that verify."
        if proven
        else "Told by equal sequence numbers, timestamps and payloads of kept packets; tags were not checked."
    )
    least = "" if proven else "at least "
    return Outcome(
        "violation",
        _subject(stream, place),
        confidence="proven" if proven else "strong",
        title=f"{kind} packets replayed" + ("" if farthest.same_source else " from another source"),
        message=(
            f"{least}{count} {kind} packet{'' if count == 1 else 's'} {where}SSRC 0x{stream.ssrc:08x}, towards "
            f"{stream.destination} came again octet by octet: the one in {frame_text(trace, farthest.first)} again in "
            f"{frame_text(trace, farthest.second)}, {farthest.gap / SECOND:.1f} s later, from {origin}{gone_on}. "
            "Receivers with replay protection drop them; others play them or take them for the stream's position. "
            f"{told} Not seen: whether the receiver accepted them."
        ).lstrip(),
        evidence=tuple(
            evidence
            for each in sorted(found, key=lambda replay: -replay.gap)[:SHOWN]
            for evidence in (
                Evidence(each.first, f"{kind} packet", "sent first", EXPECTED),
                Evidence(each.second, f"{kind} packet", f"the same {each.gap / SECOND:.1f} s later", EXPECTED),
            )
        ),
        role=place.use.sender if place is not None else "",
        media=media_name(state.offered) if state is not None else "",
        direction=way,
        normalised=(f"{kind} packets came again" + ("" if farthest.same_source else " from another source"), EXPECTED),
    )

"""IMS-SSRC-002."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    SECOND,
    agreement,
    counted,
    frame_text,
    media_name,
    not_assessed,
    rtp_lines,
    sealed,
    text,
)
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.collisions import sent_under_one_key
from imsinspect.rules.ssrc.keys import key_name
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import (
        Call,
        LineState,
        MediaLine,
        MediaSample,
        SignallingMessage,
        StreamUse,
        Trace,
    )

LASTING = 5 * SECOND
COMPARED = 8  # streams of one session that a later one is compared with, the newest first
WRAP = 1 << 16  # sequence numbers
SENT_TWICE = 0.02  # of the numbers of one source: packets that its path doubled
MOSTLY = 0.8  # of the steps between samples of two paths
SHOWN = 4  # streams named in one finding


@rule(
    id="IMS-SSRC-002",
    name="ssrc-collision-in-session",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("RFC 3550 §8.2", "RFC 3711 §8", "RFC 3711 §9.1", "RFC 4568 §6.4", "TR 33.829 §5.3.2"),
    follows=("IMS-SSRC-003", "IMS-SSRC-007"),
)
def ssrc_collision_in_session(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Two sources with one SSRC in the same RTP session or conference, keys individual.

    What it checks:
        Streams of one SSRC that different addresses send to one destination, or that participants send to one focus,
        and that overlap for more than 5 seconds with sequence numbers of their own. Also both directions of a call that
        use one SSRC under one key, which is critical.
        Two streams are copies of one where most of the numbers that both show have equal timestamps and, in clear,
        equal payloads; they are one source on two paths where numbers and timestamps go on in one space.
    Why it matters:
        Receivers mix up the two sources and replay protection fails. Where the key is shared too, both encrypt with one
        keystream: whoever sees both can cancel it out.
    What the finding shows:
        The streams with their addresses, their first and last frames, how long they overlap, and whether one of them
        changed its SSRC afterwards.
    How to fix it:
        Choose SSRCs at random, and on a collision send BYE and go on with a new one. Let a conference server assign or
        check the SSRCs of its participants, and never give one key to two sources.
    When it is not assessed:
        N-MED: a call has no media in the capture. N-SIP: there is no media but ESP or TLS that could not be opened. An
        address that moves while the sequence goes on (NAT, hand-over), copies of the same packets, a mixer's own SSRC
        towards several participants, and one SSRC in both directions under different keys are harmless.
    """
    sessions: defaultdict[tuple[object, ...], list[MediaStream]] = defaultdict(list)
    foci = _foci(trace)
    lines: dict[int, tuple[Call, MediaLine]] = {}
    for call in trace.calls:
        conference = foci.of_call.get(call.call_id)
        for line in call.lines:
            for use in line.streams:
                if isinstance(use.stream, MediaStream):
                    lines[id(use.stream)] = (call, line)
                    stream = use.stream
                    if (
                        conference
                        and stream.destination.ip in foci.addresses
                        and stream.source.ip not in foci.addresses
                    ):
                        sessions[conference, stream.destination.ip, stream.ssrc].append(stream)
    destinations: dict[object, MediaStream] = {}
    newest = {(stream.source, stream.destination): stream for stream in trace.streams}
    for stream in trace.streams:
        sessions[stream.destination, stream.ssrc].append(stream)
        destinations.setdefault(stream.destination, stream)
    told: set[frozenset[str]] = set()
    under_one_key = sent_under_one_key(trace, scene)  # IMS-SSRC-001
    guilty: set[object] = set()
    for streams in sessions.values():
        pairs = [
            pair
            for pair in (_collisions(streams) if len(streams) > 1 else ())
            if not all(stream.id in under_one_key for stream in pair)
        ]
        involved = {stream.id: stream for pair in pairs for stream in pair}
        if involved and frozenset(involved) not in told:
            told.add(frozenset(involved))
            guilty |= {end for stream in involved.values() for end in (stream.source, stream.destination)}
            yield _collision(trace, list(involved.values()), pairs, lines, newest)
    for destination, stream in destinations.items():
        if destination not in guilty:
            yield Outcome("pass", Subject("stream", stream.id))
    if not trace.streams:
        yield from sealed(trace)
    for call, line in rtp_lines(trace):
        if not line.streams:
            yield not_assessed(Subject("media", line.id), "N-MED", "no media packets of the line were seen")
        else:
            yield from _both_directions(trace, call, line)


# --- one destination, one conference --------------------------------------------------------------


class _Foci:
    """Conferences by Call-ID, and the addresses that their focus receives media on."""

    def __init__(self) -> None:
        self.of_call: dict[bytes, bytes] = {}
        self.addresses: set[str] = set()


def _foci(trace: Trace) -> _Foci:
    """Dialogs whose peer calls itself a focus (RFC 4579 §4)."""
    foci = _Foci()
    for message in trace.messages:
        if b"isfocus" in message.sip.head.lower():
            uri = _focus_uri(message)
            if uri:
                foci.of_call[message.sip.call_id] = uri
                for sdp in message.sdp:
                    foci.addresses |= {text(media.connection) for media in sdp.media if media.connection}
    return foci


def _focus_uri(message: SignallingMessage) -> bytes:
    for value in message.sip.header_values(b"contact"):
        uri, _, parameters = value.partition(b">")
        if b"isfocus" in parameters.lower():
            return uri.partition(b"<")[2].partition(b";")[0]
    return b""


def _collisions(streams: list[MediaStream]) -> list[tuple[MediaStream, MediaStream]]:
    """Pairs of streams of one session and SSRC that different sources send at the same time."""
    out: list[tuple[MediaStream, MediaStream]] = []
    active: list[MediaStream] = []
    for stream in sorted(streams, key=lambda each: each.first.time):
        active = [other for other in active if other.last.time - stream.first.time > LASTING][-COMPARED:]
        out += [(other, stream) for other in active if _overlap(other, stream) > LASTING and _collide(other, stream)]
        active.append(stream)
    return out


def _overlap(one: MediaStream, other: MediaStream) -> int:
    """Nanoseconds in which both send."""
    return min(one.last.time, other.last.time) - max(one.first.time, other.first.time)


def _collide(one: MediaStream, other: MediaStream) -> bool:
    """Different sources with sequence numbers of their own, not copies of packets nor one source on two paths."""
    if one.source == other.source:
        return False
    pace = max(_pace(one), _pace(other))
    known: defaultdict[int, list[MediaSample]] = defaultdict(list)
    for sample in one.samples:
        known[sample.sequence].append(sample)
    common = [
        (first, second)
        for second in other.samples
        for first in known.get(second.sequence, ())
        if pace * abs(first.time - second.time) < WRAP // 2 * SECOND  # the same number, not that of another round
    ]
    if common:
        return 2 * sum(_copies(one, other, first, second) for first, second in common) < len(common)
    return not _one_space(one, other)


def _copies(one: MediaStream, other: MediaStream, first: MediaSample, second: MediaSample) -> bool:
    """Whether two packets are one packet; where a stream may be protected, its payload may be encrypted anew."""
    if first.timestamp != second.timestamp:
        return False
    return first.payload == second.payload or not one.kind == other.kind == "rtp"


def _one_space(one: MediaStream, other: MediaStream) -> bool:
    """Whether sequence numbers and timestamps of two streams go on in one space.

    Each number is sent once then, or the relation of number and timestamp is exact: copies of which no common
    packet was kept.
    """
    pace, clock = max(_pace(one), _pace(other)), max(_clock(one), _clock(other))
    ahead = pace * (other.first.time - one.first.time) / SECOND
    shift = round((one.lowest + ahead - other.lowest) / WRAP) * WRAP
    span = max(one.highest, other.highest + shift) - min(one.lowest, other.lowest + shift) + 1
    twice = one.packets + other.packets > (1 + SENT_TWICE) * span
    step = round(clock / pace) if pace else 0
    steps = total = 0
    samples = sorted([(each.time, 0, each) for each in one.samples] + [(each.time, 1, each) for each in other.samples])
    for (before, source, first), (after, another, second) in pairwise(samples):
        if source == another:
            continue
        seconds = (after - before) / SECOND
        numbers = _signed(second.sequence - first.sequence, WRAP)
        ticks = _signed(second.timestamp - first.timestamp, WRAP**2)
        total += 1
        near = abs(numbers - pace * seconds) <= pace * (1 + seconds / 2)
        near = near and abs(ticks - clock * seconds) <= clock * (1 + seconds / 2)
        steps += near and (not twice or ticks == step * numbers)
    return bool(total) and steps >= MOSTLY * total


def _signed(difference: int, modulus: int) -> int:
    """The shorter way between two numbers that wrap."""
    return (difference + modulus // 2) % modulus - modulus // 2


def _pace(stream: MediaStream) -> float:
    """Sequence numbers a second."""
    length = stream.last.time - stream.first.time
    return (stream.highest - stream.lowest) * SECOND / length if length else 0.0


def _clock(stream: MediaStream) -> float:
    """Timestamp units a second."""
    samples = stream.samples
    if len(samples) < 2 or samples[-1].time <= samples[0].time:
        return 0.0
    ticks = sum(_signed(after.timestamp - before.timestamp, WRAP**2) for before, after in pairwise(samples))
    return max(0.0, ticks * SECOND / (samples[-1].time - samples[0].time))


def _collision(
    trace: Trace, streams: list[MediaStream], pairs: list[tuple[MediaStream, MediaStream]],
    lines: dict[int, tuple[Call, MediaLine]], newest: dict[tuple[Endpoint, Endpoint], MediaStream],
) -> Outcome:  # fmt: skip
    seconds = max(_overlap(one, other) for one, other in pairs) / SECOND
    first = streams[0]
    call_line = next((lines[id(stream)] for stream in streams if id(stream) in lines), None)
    state = call_line[1].states[-1] if call_line and call_line[1].states else None
    shown = streams[:SHOWN]
    named = " and ".join(f"{each.source} to {each.destination} ({counted(each.packets, 'packet')})" for each in shown)
    more = f" and {len(streams) - len(shown)} more" if len(streams) > len(shown) else ""
    changed = _changed(streams, newest)
    since = frame_text(trace, max(each.first.frame for each in shown))
    return Outcome(
        "violation",
        Subject("stream", first.id),
        confidence="strong",
        title=f"SSRC used by {len(streams)} sources at once",
        message=(
            f"SSRC 0x{first.ssrc:08x} is used by {len(streams)} sources of one RTP session or conference: {named}"
            f"{more}. They overlap for {seconds:.1f} s from {since} on, with sequence numbers of their own. "
            "Receivers mix them up and replay protection fails; under a shared key both "
            f"would use one keystream. {changed} Not checked: whether the keys are shared."
        ),
        evidence=tuple(
            Evidence(
                place.frame,
                "RTP SSRC",
                f"0x{each.ssrc:08x} from {each.source}, sequence {number & 0xFFFF}",
                "one source",
            )
            for each in shown
            for place, number in ((each.first, each.lowest), (each.last, each.highest))
        ),
        media=media_name(state.offered) if state else "",
        normalised=("one SSRC of several sources", "one source for each SSRC"),
    )


def _changed(streams: list[MediaStream], newest: dict[tuple[Endpoint, Endpoint], MediaStream]) -> str:
    """Whether one of the sources went on under another SSRC."""
    for former in streams:
        stream = newest[former.source, former.destination]
        if stream.ssrc != former.ssrc and stream.first.time > former.first.time + LASTING:
            return f"{stream.source} went on with SSRC 0x{stream.ssrc:08x}."
    return "None of them changed its SSRC."


# --- both directions of one call ------------------------------------------------------------------


def _both_directions(trace: Trace, call: Call, line: MediaLine) -> Iterator[Outcome]:
    """One SSRC both ways is harmless under different keys, and reuse of keystream under one."""
    seen: dict[int, dict[tuple[bytes, str], StreamUse]] = {}
    for use in line.streams:
        stream = use.stream
        if not isinstance(stream, MediaStream):
            continue
        senders = seen.setdefault(stream.ssrc, {})
        opposite = next((each for each in senders.values() if _opposite(each, use)), None)
        senders.setdefault((use.party, use.sender), use)
        if opposite is None:
            continue
        other = opposite.stream
        state = next((state for state in line.states if _shared_key(state)), None)
        if state is None:
            continue
        yield Outcome(
            "violation",
            Subject("media", line.id),
            severity=Severity.CRITICAL,
            title="One SSRC and one key in both directions",
            message=(
                f"Both directions of {text(state.offered.type)} line {line.index} of {call.id} use SSRC "
                f"0x{stream.ssrc:08x} ({other.source} and {stream.source}), and offer and answer carry the same key "
                f"{key_name(_shared_key(state))}. Packets of equal index are encrypted with one keystream: whoever "
                f"sees both cancels it out. Packets from {frame_text(trace, stream.first.frame)} on; not checked: "
                "whether indices meet."
            ),
            evidence=(
                *agreement(state),
                Evidence(
                    other.first.frame, "RTP SSRC", f"0x{other.ssrc:08x} from {other.source}", "another SSRC or key"
                ),
                Evidence(
                    stream.first.frame, "RTP SSRC", f"0x{stream.ssrc:08x} from {stream.source}", "another SSRC or key"
                ),
            ),
            media=media_name(state.offered),
            direction="both",
            fact=_shared_key(state),
            normalised=("one SSRC and one key in both directions", "another SSRC or key"),
        )
        return


def _opposite(one: StreamUse, other: StreamUse) -> bool:
    """Whether two uses of a line are of its two directions, wherever a NAT moved one side."""
    if (one.stream.source, one.stream.destination) == (other.stream.destination, other.stream.source):
        return True
    if one.party and other.party:
        return one.party != other.party
    return {one.sender, other.sender} == {"offerer", "answerer"}


def _shared_key(state: LineState) -> str:
    """Digest of a master key that both sides of an agreed state carry; "" if there is none."""
    if state.answered is None or not state.accepted:
        return ""
    offered = {key.key_salt for crypto in state.offered.crypto for key in crypto.keys if key.key_salt}
    for crypto in state.answered.crypto:
        for key in crypto.keys:
            if key.key_salt in offered:
                return hashlib.sha256(key.key_salt).hexdigest()
    return ""

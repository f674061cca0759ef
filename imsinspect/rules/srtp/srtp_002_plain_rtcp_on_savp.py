"""IMS-SRTP-002."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    GRACE,
    GRAVITY,
    agreement,
    counted,
    direction,
    frame_text,
    media_name,
    no_description,
    not_assessed,
    protection_agreed,
    rtp_lines,
    rtp_state,
    sealed,
    secure_rtp,
    text,
)
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import CONFLICTING, RTCP_NAMES, SETTLING, unanswered
from imsinspect.trace.model import MediaStream, RtcpSample, RtcpSource
from imsinspect.trace.srtcp import compound_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, StreamUse, Trace


@rule(
    id="IMS-SRTP-002",
    name="plain-rtcp-on-savp",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §5.2", "RFC 3711 §3.4"),
)
def plain_rtcp_on_savp(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """RTCP without SRTCP on a secure line.

    What it checks:
        RTCP packets of every line that was agreed as RTP/SAVP(F) or UDP/TLS/RTP/SAVP(F), or whose RTP is shown to be
        SRTP: compounds whose length fields add up to exactly the datagram have no index word and no tag. A line lasts
        until 5 seconds after its dialog, so the RTCP BYE behind the SIP BYE belongs to it, or until its dialog agrees
        to send it in clear.
    Why it matters:
        RTCP must be authenticated without exception. A forged BYE or report ends or degrades the call, and the names
        of the participants (CNAME) are readable.
    What the finding shows:
        The frames of offer and answer, the first and the last plain packet, and the arithmetic of its lengths.
    How to fix it:
        Let the sender protect RTCP with SRTCP under the same master key as RTP, from its first packet on. Gateways that
        generate their own RTCP have to do so too.
    When it is not assessed:
        N-MED: no RTCP of the line was seen. N-OA: the answer was not seen. N-SIP: no session description announces the
        RTCP, and its RTP is not shown to be SRTP; or ESP or TLS that could not be opened may hold the signalling.
        T-MUX: RTP with payload types 64 to 95 shares the port. The first packet of a sender is excused if it was sent
        before keys were agreed.
    """
    for call, line in rtp_lines(trace):
        states = [state for state in line.states if secure_rtp(state)]
        shown = [use.stream.judgement for use in line.streams if isinstance(use.stream, MediaStream)]
        protected = [judgement for judgement in shown if judgement.kind == "srtp"]
        if states:
            yield from _plain_rtcp(trace, call, line, states, "proven", 0)
        elif protected:
            confidence = "strong" if any(each.confidence != "heuristic" for each in protected) else "heuristic"
            agreed = [state for state in line.states if rtp_state(state)]
            since = min(each.frames[0] for each in protected if each.frames)
            yield from _plain_rtcp(trace, call, line, agreed, confidence, since)
    yield from unanswered(trace)
    yield from sealed(trace)
    sent = {(stream.ssrc, stream.source.ip, stream.destination.ip): stream for stream in trace.unbound_streams}
    received = {(stream.destination, stream.source): stream for stream in trace.unbound_streams}
    for source in trace.unbound_rtcp:
        stream = sent.get((source.ssrc, source.source.ip, source.destination.ip)) or _received(received, source)
        if stream is None or stream.kind != "srtp" or stream.judgement.confidence == "heuristic":
            yield no_description(source, "rtcp")
            continue
        excused = _excused(source, None)
        later = [each for each in source.plain_samples[excused:] if each.frame >= stream.judgement.frames[0]]
        yield _plain_beside(trace, source, stream, later[0]) if later else Outcome("pass", Subject("rtcp", source.id))


def _received(received: dict[tuple[Endpoint, Endpoint], MediaStream], source: RtcpSource) -> MediaStream | None:
    """The stream that a receiver reports on: the other way on the same two ports, or on those below (RFC 3550 §11)."""
    for below in (0, 1):
        ends = (
            source.source._replace(port=source.source.port - below),
            source.destination._replace(port=source.destination.port - below),
        )
        if ends in received:
            return received[ends]
    return None


def _excused(source: RtcpSource, keyed_at: int | None) -> int:
    """1 if the sender's first packet is plain and was sent before its keys were at hand.

    Without a time (a handshake brings the keys, or no signalling was seen) protected packets behind it have to show it.
    """
    if not source.plain_samples or source.plain_samples[0].frame != source.first.frame:
        return 0
    if keyed_at is None:
        return int(source.packets > source.plain)
    return int(source.plain_samples[0].time < keyed_at + SETTLING)


def _plain_rtcp(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], confidence: str, since: FrameId
) -> Iterator[Outcome]:
    """One outcome for each direction of a line; `since` is the frame from which on its RTP is protected."""
    directions: dict[bytes | str, Outcome] = {}
    subject = Subject("media", line.id)
    clear_from = [
        state.answered_at
        for state in line.states
        if state.answered_at is not None and state.accepted and not secure_rtp(state)
    ]
    for use in line.rtcp:
        source = use.stream
        if not isinstance(source, RtcpSource):
            continue
        plain = _plain_in(source, states, since, clear_from, from_offer=not since and line.states[0] is states[0])
        outcome = Outcome("pass", subject)
        if plain is None:
            continue
        if plain:
            outcome = _plain_source(trace, call, line, states, use, source, plain, confidence)
            if source.multiplexed and any(_conflicting(state) for state in states):
                outcome = not_assessed(subject, "T-MUX", "RTP with payload types 64 to 95 shares the port with RTCP")
        side = use.party or use.sender
        known = directions.get(side)
        if known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]:
            directions[side] = outcome
    yield from directions.values()
    if not directions:
        yield not_assessed(subject, "N-MED", "no RTCP of the secure line was seen")


def _conflicting(state: LineState) -> bool:
    return any(
        each.isdigit() and len(each) < 4 and int(each) in CONFLICTING
        for media in (state.offered, state.answered)
        if media is not None
        for each in media.formats
    )


def _plain_in(
    source: RtcpSource, states: list[LineState], since: FrameId, clear_from: list[int], *, from_offer: bool
) -> list[RtcpSample] | None:
    """Samples of plain packets while the line was secure, the excused one left out; None if it sent nothing then.

    It is secure no more from the times in `clear_from`.
    The first state counts from its offer: an early packet is excused, a second one is not.
    """
    windows: list[tuple[int, int | None]] = []
    for number, state in enumerate(states):
        agreed = state.answered_at if state.answered_at is not None else state.begins
        begin = state.begins if number == 0 and from_offer else agreed
        windows.append((begin, _until(state, clear_from)))

    def inside(first: int, last: int) -> bool:
        return any(begin <= last and (end is None or first <= end) for begin, end in windows)

    if not inside(source.first.time, source.last.time):
        return None
    found = [each for each in source.plain_samples if each.frame >= since and inside(each.time, each.time)]
    by_handshake = any(state.offered.profile.security == "dtls" for state in states)
    excused = _excused(source, None if by_handshake else states[0].answered_at)
    if found and excused and found[0].frame == source.first.frame:
        found = found[1:]
    if not found and source.plain == source.packets > len(source.plain_samples) and source.plain_samples:
        late = inside(source.last.time, source.last.time)
        return [source.plain_samples[-1]._replace(frame=source.last_plain, time=source.last.time)] if late else []
    return found


def _until(state: LineState, clear_from: list[int]) -> int | None:
    """When what was agreed is over: a while after its end, but not after the line was agreed in clear."""
    if state.ends is None:
        return None
    return min([state.ends + GRACE, *(time - 1 for time in clear_from if time >= state.ends)])


def _arithmetic(sample: RtcpSample) -> str:
    walk = compound_length(sample.data)
    names = "+".join(RTCP_NAMES.get(each, str(each)) for each in walk.packet_types[:4])
    return f"{sample.length} octets in a datagram of {sample.length} ({names or 'RTCP'})"


def _plain_source(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], use: StreamUse, source: RtcpSource,
    plain: list[RtcpSample], confidence: str,
) -> Outcome:  # fmt: skip
    state = next(
        (each for each in states if each.answered_at is not None and each.answered_at <= plain[0].time), states[0]
    )
    agreed, way = protection_agreed(state), direction(use)
    arithmetic = _arithmetic(plain[0])
    expected = "index word and tag behind the compound"
    sure = confidence != "heuristic"
    some = source.plain > len(source.plain_samples)
    why = f"while {agreed} was agreed" if secure_rtp(state) else "while its RTP is SRTP"
    if secure_rtp(state) and not some and state.answered_at is not None and plain[-1].time < state.answered_at:
        why = f"before the answer that selected {agreed}"
    count = ("up to " if some else "") + counted(source.plain if some else len(plain), "packet")
    return Outcome(
        "violation" if sure else "suspect",
        Subject("media", line.id),
        confidence="proven" if confidence == "proven" else "strong" if sure else "heuristic",
        title="Plain RTCP on a secure line",
        message=(
            f"Plain RTCP on secure {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{way or 'direction unknown'} ({source.source} to {source.destination}), SSRC 0x{source.ssrc:08x}, "
            f"{count} from {frame_text(trace, plain[0].frame)}: {arithmetic}, no room for the index word and "
            f"tag of SRTCP, {why}. Anyone on the path can forge BYE and "
            "reports and reads names. Told by lengths; keys were not used."
        ),
        evidence=(
            *agreement(state),
            Evidence(plain[0].frame, "RTCP length", arithmetic, expected),
            _last_plain(source, plain[-1], expected),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=("compound as long as the datagram", expected),
    )


def _last_plain(source: RtcpSource, sample: RtcpSample, expected: str) -> Evidence:
    """The last plain datagram; where it was not kept, only its lengths were added up."""
    if source.last_plain in (0, sample.frame):
        return Evidence(sample.frame, "RTCP length", _arithmetic(sample), expected)
    return Evidence(source.last_plain, "RTCP length", "the lengths add up to the datagram", expected)


def _plain_beside(trace: Trace, source: RtcpSource, stream: MediaStream, sample: RtcpSample) -> Outcome:
    """Plain RTCP of a stream without SDP that is shown to be SRTP."""
    whose = "source" if stream.ssrc == source.ssrc else "session"
    expected = "index word and tag behind the compound"
    return Outcome(
        "violation",
        Subject("rtcp", source.id),
        confidence="strong",
        title="Plain RTCP beside SRTP",
        message=(
            f"Plain RTCP from {source.source} to {source.destination}, SSRC 0x{source.ssrc:08x}, "
            f"{counted(source.plain, 'packet')} from {frame_text(trace, sample.frame)}: {_arithmetic(sample)}, while "
            f"the RTP of the same {whose} is SRTP ({stream.judgement.observed}). Anyone on the path can "
            "forge BYE and reports and reads names. Not seen: the signalling of the call."
        ),
        evidence=(
            Evidence(stream.first.frame, "RTP payload", stream.judgement.observed, "SRTP, and SRTCP beside it"),
            Evidence(sample.frame, "RTCP length", _arithmetic(sample), expected),
            _last_plain(source, sample, expected),
        ),
        normalised=("compound as long as the datagram", expected),
    )

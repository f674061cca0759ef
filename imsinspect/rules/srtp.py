"""Rules about SRTP and SRTCP (IMS-SRTP)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from imsinspect.capture.frames import capture_index
from imsinspect.rules.facts import (
    GRACE,
    SECOND,
    aead_agreed,
    agreement,
    counted,
    direction,
    frame_text,
    media_name,
    no_description,
    not_assessed,
    overlap,
    protection_agreed,
    rtp_lines,
    rtp_state,
    sealed,
    secure_rtp,
    text,
    unanswered_secure,
)
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.model import MediaStream, RtcpSample, RtcpSource
from imsinspect.trace.srtcp import compound_length, find_layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Judgement, LineState, MediaLine, SrtcpLayout, StreamUse, Trace

ENOUGH_PACKETS = 20  # rules.md 0.10
SETTLING = SECOND  # from the answer's frame until both sides are sure to have the keys
ENOUGH_EVENTS = 3
ENOUGH_SHARE = 0.1  # of a stream's packets; a judgement covers at least 95 % of them
SIZE_TESTS = frozenset(("size", "dtmf", "keyed"))
GRAVITY = {"violation": 3, "suspect": 2, "not-assessed": 1, "pass": 0}
RTCP_NAMES = {200: "SR", 201: "RR", 202: "SDES", 203: "BYE", 204: "APP", 205: "RTPFB", 206: "PSFB", 207: "XR"}
TAG_REMAINDER = 10 % 4  # what a tag of 80 bits adds to lengths that are multiples of four
CONFLICTING = range(64, 96)  # payload types that look like RTCP where both share a port (RFC 5761 §4)


def _secure_lines(trace: Trace) -> Iterator[tuple[Call, MediaLine, list[LineState]]]:
    """Lines that were agreed as SRTP at some time, with the states that say so."""
    for call, line in rtp_lines(trace):
        states = [state for state in line.states if secure_rtp(state)]
        if states:
            yield call, line, states


def _unanswered(trace: Trace) -> Iterator[Outcome]:
    """Lines that were offered as SRTP and whose answer was not seen, with media on them."""
    for call in trace.calls:
        for line in call.lines:
            if (line.streams or line.rtcp) and unanswered_secure(line):
                yield not_assessed(Subject("media", line.id), "N-OA", "the answer to the secure offer was not seen")


# --- IMS-SRTP-001 ---------------------------------------------------------------------------------


@rule(
    id="IMS-SRTP-001",
    name="plain-rtp-on-savp",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=(
        "TR 33.829 §5.1.3",
        "TS 33.328 §4.2.1",
        "TS 33.328 §7.2.1",
        "TS 33.328 §7.2.3",
        "TS 33.328 §7.3.3",
        "TS 33.328 Annex G.3.2",
        "RFC 3711 §3",
    ),
)
def plain_rtp_on_savp(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Plain RTP sent on a line negotiated as SRTP.

    What it checks:
        The media of every line that offer and answer agreed as RTP/SAVP(F) or UDP/TLS/RTP/SAVP(F), from the answer on.
        Without keys, clear media is told by payloads of exactly the codec's sizes, with no room for a tag and an MKI,
        by the codec's structure (AMR table of contents, telephone-event fields, unevenly spread G.711 octets, NAL
        units), and by low entropy. Two tests that agree make the finding strong; one alone makes it a suspicion. The
        clear part of a stream that is otherwise protected is judged alike: at least 20 packets, or 3 telephone events,
        of sizes that no payload and the agreed tag add up to. Where some of them came before the answer it is a
        suspicion, and so are payloads that have room for a tag and yet read as clear.
    Why it matters:
        Speech, video or digits pass in clear while signalling says that they are secured: anyone on the path listens.
    What the finding shows:
        The frames of offer and answer, the first and the last clear packet, the payload length seen and the length
        that the agreed suite asks for, and the tests that decided.
    How to fix it:
        Let the sender apply the suite that was agreed, or refuse the line. Where a gateway or media proxy stands on
        the path, check that it keeps SRTP on this leg. Let the receiver discard packets that do not authenticate.
    When it is not assessed:
        N-MED: no media, or fewer than 20 packets after the answer. N-OA: the answer was not seen. N-KEY: sizes and
        structure of the codec tell nothing without keys, or payloads read as clear inside SRTP and the keys' exchange
        does not show whether encryption was agreed. N-SIP: no session description announces the stream, or ESP or TLS
        that could not be opened may hold the signalling. Media before the answer is the object of IMS-SRTP-014.
    """
    for call, line, states in _secure_lines(trace):
        yield from _plain_rtp(trace, call, line, states)
    yield from _unanswered(trace)
    yield from sealed(trace)
    for stream in trace.unbound_streams:
        yield no_description(stream, "stream")


def _plain_rtp(trace: Trace, call: Call, line: MediaLine, states: list[LineState]) -> Iterator[Outcome]:
    """One outcome for each direction of a line: the gravest of its streams."""
    directions: dict[bytes | str, Outcome] = {}
    clear: dict[bytes | str, int] = {}
    for use in line.streams:
        stream = use.stream
        if not isinstance(stream, MediaStream):
            continue
        outcome = _plain_stream(trace, call, line, states, use, stream)
        if outcome is None:
            continue
        side = use.party or use.sender
        if outcome.verdict in ("violation", "suspect"):
            clear[side] = clear.get(side, 0) + 1
        known = directions.get(side)
        if known is None or _grave(outcome) > _grave(known):
            directions[side] = outcome
    for side, outcome in directions.items():
        if clear.get(side, 0) > 1:
            outcome = replace(
                outcome, message=f"{outcome.message} {counted(clear[side] - 1, 'more stream')} of this direction."
            )
        yield outcome
    if not directions and any(state.answered.direction != b"inactive" for state in states if state.answered):
        yield not_assessed(Subject("media", line.id), "N-MED", "no media packets of the secure line after its answer")


def _grave(outcome: Outcome) -> int:
    """Gravity; streams too short to be judged do not hide what others of the direction show."""
    return -1 if outcome.gap == "N-MED" else GRAVITY[outcome.verdict]


def _plain_stream(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], use: StreamUse, stream: MediaStream
) -> Outcome | None:
    subject = Subject("media", line.id)
    shares = [(overlap(stream.first.time, stream.last.time, state), state) for state in states]
    if not any(each >= 0 for each, _ in shares):
        return None
    share = _share(stream.first.time, stream.last.time, states)
    judgement, other = stream.judgement, stream.judgement.other_part
    if other is not None:
        return _plain_part(trace, call, line, states, use, stream)
    if stream.packets * share < ENOUGH_PACKETS or share < ENOUGH_SHARE:
        return not_assessed(subject, "N-MED", f"fewer than {ENOUGH_PACKETS} packets after the answer")
    state = max(shares, key=lambda each: each[0])[1]
    unencrypted = any(crypto.unencrypted_srtp for crypto in state.answered.crypto) if state.answered else False
    if judgement.kind == "srtp":
        if judgement.readable and not unencrypted:
            return _readable(trace, call, line, state, use, stream)
        return Outcome("pass", subject)
    if judgement.kind == "unknown" or (unencrypted and not SIZE_TESTS & set(judgement.tests)):
        return not_assessed(subject, "N-KEY", "sizes and structure of the payloads tell nothing without keys")
    begin = state.answered_at or state.begins
    later = [sample.frame for sample in stream.samples if sample.time >= begin]
    first = judgement.frames[0] if judgement.frames and stream.first.time >= begin else min(later, default=0)
    first, last = first or stream.first.frame, judgement.frames[-1] if judgement.frames else stream.last.frame
    sure = judgement.confidence in ("proven", "strong")
    return _plain(trace, call, line, state, use, judgement, (first, last), sure)


def _plain_part(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], use: StreamUse, stream: MediaStream
) -> Outcome:
    """The outcome for a stream of which one part is protected and another in clear."""
    parts = [part for part in (stream.judgement, stream.judgement.other_part) if part is not None]
    clear, protected = sorted(parts, key=lambda part: part.kind)
    moments = _moments(call, stream)
    begin, end = (_moment(moments, frame) for frame in clear.frames)
    share = _share(begin, end, states)
    if clear.packets * share < (ENOUGH_EVENTS if "dtmf" in clear.tests else ENOUGH_PACKETS):
        begin, end = (_moment(moments, frame) for frame in protected.frames)
        if protected.packets * _share(begin, end, states) >= ENOUGH_PACKETS:
            return Outcome("pass", Subject("media", line.id))
        return not_assessed(Subject("media", line.id), "N-MED", f"fewer than {ENOUGH_PACKETS} packets after the answer")
    state = max(states, key=lambda state: overlap(begin, end, state))
    sure = share == 1 and (clear.confidence in ("proven", "strong") or "dtmf" in clear.tests)
    words = f" {counted(protected.packets, 'more packet')} of the stream are protected ({protected.observed})."
    if share < 1:
        words += (
            " Some of the clear packets came while this agreement was not in force, so that early media may stand "
            "behind them."
        )
    return _plain(trace, call, line, state, use, clear, (clear.frames[0], clear.frames[-1]), sure, words)


def _plain(
    trace: Trace, call: Call, line: MediaLine, state: LineState, use: StreamUse, judgement: Judgement,
    frames: tuple[FrameId, FrameId], sure: bool, words: str = "",
) -> Outcome:  # fmt: skip
    first, last = frames
    way, agreed = direction(use), protection_agreed(state)
    name = text(state.offered.type)
    answer = state.negotiation.answer
    told = " and ".join(judgement.tests)
    return Outcome(
        "violation" if sure else "suspect",
        Subject("media", line.id),
        confidence="proven" if judgement.confidence == "proven" else "strong" if sure else "heuristic",
        title=f"Plain RTP on a line agreed as {agreed}",
        message=(
            f"Plain RTP on secure {name} line {line.index} of {call.id}, {way or 'direction unknown'} "
            f"({use.stream.source} to {use.stream.destination}), {counted(judgement.packets, 'packet')} from "
            f"{frame_text(trace, first)}, {judgement.observed} where protection makes it {judgement.expected}; the "
            f"answer in {frame_text(trace, answer.message.frame) if answer else 'the capture'} selected {agreed}."
            f"{words} Anyone on the path can listen. Told by {told}; keys were not used."
        ),
        evidence=(
            *agreement(state),
            Evidence(first, "RTP payload", judgement.observed, judgement.expected),
            Evidence(last, "RTP payload", judgement.observed, judgement.expected),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=(judgement.observed, judgement.expected),
    )


def _readable(
    trace: Trace, call: Call, line: MediaLine, state: LineState, use: StreamUse, stream: MediaStream
) -> Outcome:
    """SRTP whose content reads as clear; only SDES says in the open whether encryption was agreed."""
    subject = Subject("media", line.id)
    if state.answered is None or not state.answered.crypto:
        return not_assessed(
            subject,
            "N-KEY",
            "payloads with room for a tag read as clear, and whether encryption was agreed is not seen",
        )
    judgement, way, agreed = stream.judgement, direction(use), protection_agreed(state)
    first, last = judgement.frames[0], judgement.frames[-1]
    observed = f"{judgement.observed} with content that reads as clear"
    return Outcome(
        "suspect",
        subject,
        confidence="heuristic",
        title=f"Readable payloads on a line agreed as {agreed}",
        message=(
            f"SRTP that seems not to be encrypted on {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{way or 'direction unknown'} ({stream.source} to {stream.destination}), "
            f"{counted(judgement.packets, 'packet')} from {frame_text(trace, first)}: {judgement.observed} with room "
            f"for a tag, but content that reads as clear, though {agreed} was agreed with encryption. If so, anyone on "
            "the path can listen. Told by structure; keys were not used."
        ),
        evidence=(
            *agreement(state),
            Evidence(first, "RTP payload", observed, "encrypted content"),
            Evidence(last, "RTP payload", observed, "encrypted content"),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=(observed, "encrypted content"),
    )


def _share(begin: int, end: int, states: list[LineState]) -> float:
    """The part of a time in which one of the states was agreed."""
    shares = [overlap(begin, end, state) for state in states]
    if end <= begin:
        return float(any(each >= 0 for each in shares))
    return min(1.0, sum(each for each in shares if each > 0) / (end - begin))


def _moments(call: Call, stream: MediaStream) -> list[tuple[FrameId, int]]:
    """Frames whose times are known: of signalling, and of some packets of the stream."""
    places = {(stream.first.frame, stream.first.time), (stream.last.frame, stream.last.time)}
    places |= {(sample.frame, sample.time) for sample in stream.samples}
    places |= {(message.frame, message.time) for message in call.messages}
    return sorted(places)


def _moment(moments: list[tuple[FrameId, int]], frame: FrameId) -> int:
    """When a frame was captured, between the nearest ones of its capture whose times are known."""
    at = bisect_left(moments, (frame, 0))
    before, after = moments[max(at - 1, 0)], moments[min(at, len(moments) - 1)]
    if after[0] == frame or capture_index(before[0]) != capture_index(frame):
        return after[1]
    if capture_index(after[0]) != capture_index(frame) or after[0] <= before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (frame - before[0]) // (after[0] - before[0])


# --- IMS-SRTP-002 ---------------------------------------------------------------------------------


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
        until 5 seconds after its dialog, so the RTCP BYE behind the SIP BYE belongs to it.
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
    yield from _unanswered(trace)
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
    for use in line.rtcp:
        source = use.stream
        if not isinstance(source, RtcpSource):
            continue
        plain = _plain_in(source, states, since, from_offer=not since and line.states[0] is states[0])
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
    source: RtcpSource, states: list[LineState], since: FrameId, *, from_offer: bool
) -> list[RtcpSample] | None:
    """Samples of plain packets while the line was secure, the excused one left out; None if it sent nothing then.

    The first state counts from its offer: an early packet is excused, a second one is not.
    """
    windows: list[tuple[int, int | None]] = []
    for number, state in enumerate(states):
        agreed = state.answered_at if state.answered_at is not None else state.begins
        windows.append((state.begins if number == 0 and from_offer else agreed, state.ends))

    def inside(first: int, last: int) -> bool:
        return any(begin <= last and (end is None or first <= end + GRACE) for begin, end in windows)

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
    why = f"while {agreed} was agreed" if secure_rtp(state) else "while its RTP is SRTP"
    some = source.plain > len(source.plain_samples)
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
            "reports and reads names. Not seen: any key."
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


# --- IMS-SRTP-003 ---------------------------------------------------------------------------------


@rule(
    id="IMS-SRTP-003",
    name="srtcp-without-authentication",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §5.2", "RFC 3711 §3.4", "RFC 3711 §9.5", "RFC 4568 §6.3.3"),
)
def srtcp_without_authentication(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTCP without an authentication tag.

    What it checks:
        Where the index word stands in the SRTCP packets of each sender: it grows by one with every packet and is never
        encrypted. If nothing, or nothing but the MKI, stands behind it, and no AEAD tag before it, the packets carry no
        tag. A single packet shows a tag of 80 bits by a length that is no multiple of four. UNAUTHENTICATED_SRTP does
        not excuse this: it switches off the tag of RTP only.
    Why it matters:
        The tag of SRTCP is required whatever is chosen for RTP. Without it a forged BYE ends calls and forged feedback
        degrades them.
    What the finding shows:
        The packets, their overhead over the clear compound, and the suite that was agreed.
    How to fix it:
        Let the sender append the tag of its suite to every SRTCP packet: 80 bits, also with the _32 suites, or 128 bits
        with AES-GCM.
    When it is not assessed:
        N-MED: no RTCP of the line was seen. N-KEY: too few packets to find the index word, or, where the suite is not
        known, nothing that tells an AEAD tag from none. N-OA: the answer was not seen. N-SIP: no session description
        announces the packets, or ESP or TLS that could not be opened may hold the signalling. Plain RTCP is the object
        of IMS-SRTP-002.
    """
    for call, line, states in _secure_lines(trace):
        directions: dict[bytes | str, Outcome] = {}
        plain_only = False
        for use in line.rtcp:
            source = use.stream
            if not isinstance(source, RtcpSource):
                continue
            if source.plain == source.packets:
                plain_only = True
                continue
            outcome = _untagged(trace, source, Subject("media", line.id), (call, line, states[-1], use))
            side = use.party or use.sender
            known = directions.get(side)
            if known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]:
                directions[side] = outcome
        yield from directions.values()
        if not directions and not plain_only:
            yield not_assessed(Subject("media", line.id), "N-MED", "no RTCP of the secure line was seen")
    yield from _unanswered(trace)
    yield from sealed(trace)
    for source in trace.unbound_rtcp:
        if source.plain == source.packets:
            continue
        if source.layout is None:
            yield no_description(source, "rtcp")
        else:
            yield _untagged(trace, source, Subject("rtcp", source.id), None)


def _untagged(
    trace: Trace, source: RtcpSource, subject: Subject, of: tuple[Call, MediaLine, LineState, StreamUse] | None
) -> Outcome:
    layout = source.layout
    aead = aead_agreed(of[2], of[1]) if of is not None else None
    if layout is not None and aead is False and layout.aead:
        layout = find_layout(source.other_samples, aead=False) or layout
    if layout is None and of is not None and _odd_length(source.other_samples, of[2]):
        return Outcome("pass", subject)
    if layout is None:
        return not_assessed(subject, "N-KEY", "too few SRTCP packets to find the index word without keys")
    if layout.aead and aead is None and find_layout(source.other_samples, aead=False) is not None:
        return not_assessed(subject, "N-KEY", "without the suite an AEAD tag can't be told from no tag at all")
    if layout.aead or layout.tag_octets:
        return Outcome("pass", subject)
    if not _every_packet(source.other_samples, layout):
        return not_assessed(subject, "N-KEY", "not every SRTCP packet has its index word at the same place")
    first, last = source.other_samples[0], source.other_samples[-1]
    observed = f"overhead of {layout.overhead} octets: index word" + (
        f" and MKI of {layout.mki_octets}" if layout.mki_octets else ""
    )
    expected = f"overhead of {layout.overhead + 10} octets or more, with a tag"
    where, role, media, way = f"from {source.source} to {source.destination}", "", "", ""
    evidence: tuple[Evidence, ...] = ()
    if of is not None:
        call, line, state, use = of
        role, media, way = use.sender, media_name(state.offered), direction(use)
        where = (
            f"on secure {text(state.offered.type)} line {line.index} of {call.id}, {way or 'direction unknown'} "
            f"({source.source} to {source.destination})"
        )
        evidence = agreement(state)
    agreed = f"{protection_agreed(of[2])} was agreed" if of is not None else "the signalling was not seen"
    return Outcome(
        "violation",
        subject,
        confidence="strong",
        title="SRTCP without a tag",
        message=(
            f"SRTCP without an authentication tag {where}, SSRC 0x{source.ssrc:08x}, "
            f"{counted(source.packets - source.plain, 'packet')} from {frame_text(trace, first.frame)}: "
            f"{observed}, while {agreed}. Anyone on the path can forge BYE and reports. Not seen: any key; the layout "
            "follows from index words that grow by one."
        ),
        evidence=(
            *evidence,
            Evidence(first.frame, "SRTCP overhead", observed, expected),
            Evidence(last.frame, "SRTCP overhead", observed, expected),
        ),
        role=role,
        media=media,
        direction=way,
        normalised=(observed, expected),
    )


def _odd_length(samples: Iterable[RtcpSample], state: LineState) -> bool:
    """Whether lengths prove a tag of 80 bits: compound and index word are multiples of four (srtp.md 9.1)."""
    keys = {key.mki_length for crypto in (state.answered or state.offered).crypto for key in crypto.keys} or {0}
    return all((sample.length - mki) % 4 == TAG_REMAINDER for sample in samples for mki in keys)


def _every_packet(samples: Iterable[RtcpSample], layout: SrtcpLayout) -> bool:
    """Whether all packets follow one another in the layout, losses and a stray one apart."""
    count = len({sample.data for sample in samples})
    return layout.pairs >= 0.8 * (count - 1)

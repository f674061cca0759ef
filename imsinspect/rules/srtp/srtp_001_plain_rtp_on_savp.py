"""IMS-SRTP-001."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    GRAVITY,
    agreement,
    clear_media,
    counted,
    direction,
    frame_text,
    media_name,
    no_description,
    not_assessed,
    overlap,
    protection_agreed,
    sealed,
    text,
)
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import (
    ENOUGH_EVENTS,
    ENOUGH_PACKETS,
    ENOUGH_SHARE,
    SIZE_TESTS,
    secure_lines,
    told_by,
    unanswered,
)
from imsinspect.rules.srtp.times import moment_of, moments_of, share_agreed
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Judgement, LineState, MediaLine, StreamUse, Trace


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
    for call, line, states in secure_lines(trace, scene):
        yield from _plain_rtp(trace, call, line, states)
    yield from unanswered(trace)
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
    share = share_agreed(stream.first.time, stream.last.time, states)
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
    moments = moments_of(call, stream)
    begin, end = (moment_of(moments, frame) for frame in clear.frames)
    share = share_agreed(begin, end, states)
    if clear.packets * share < (ENOUGH_EVENTS if "dtmf" in clear.tests else ENOUGH_PACKETS):
        begin, end = (moment_of(moments, frame) for frame in protected.frames)
        if protected.packets * share_agreed(begin, end, states) >= ENOUGH_PACKETS:
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
    return Outcome(
        "violation" if sure else "suspect",
        Subject("media", line.id),
        confidence="heuristic" if not sure else "proven" if judgement.confidence == "proven" else "strong",
        title=f"Plain RTP on a line agreed as {agreed}",
        message=(
            f"Plain RTP on secure {name} line {line.index} of {call.id}, {way or 'direction unknown'} "
            f"({use.stream.source} to {use.stream.destination}), {counted(judgement.packets, 'packet')} from "
            f"{frame_text(trace, first)}, {judgement.observed} where protection makes it {judgement.expected}; the "
            f"answer in {frame_text(trace, answer.message.frame) if answer else 'the capture'} selected {agreed}."
            f"{words} Anyone on the path can listen. {told_by(judgement)}"
        ),
        evidence=(
            *agreement(state),
            Evidence(first, "RTP payload", judgement.observed, judgement.expected),
            Evidence(last, "RTP payload", judgement.observed, judgement.expected),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        fact=use.stream.id,
        normalised=(clear_media(judgement), agreed),
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
        normalised=("content that reads as clear", agreed),
    )

"""IMS-SRTP-013."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    GRAVITY,
    SECOND,
    agreement,
    clear_media,
    counted,
    direction,
    frame_text,
    media_name,
    not_assessed,
    protection_agreed,
    text,
)
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import ENOUGH_PACKETS, secure_lines, told_by, unanswered
from imsinspect.rules.srtp.times import moment_of, moments_of
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Judgement, LineState, MediaLine, StreamUse, Trace

REKEYING = 2 * SECOND  # around an answer, in which a sender may change what it does
EXPECTED = "one protection for all packets of a stream"


@rule(
    id="IMS-SRTP-013",
    name="mixed-protection-in-stream",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.2", "TR 33.829 §5.1.3", "TS 33.328 §7.2.3"),
    follows=("IMS-SRTP-001",),
    needs=(MEDIA,),
)
def mixed_protection_in_stream(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """One SSRC alternates between protected and clear packets.

    What it checks:
        Every stream of a line that was agreed as SRTP: all of its packets are protected, or none is (IMS-SRTP-001).
        Packets in clear are told from protected ones as there: by sizes with and without a tag, by content, and by
        tags that verify or fail where keys are known. What falls into 2 seconds around an answer is excused.
    Why it matters:
        A stream is protected as a whole. A sender that leaves out some packets exposes what it thinks least of, such as
        digits of a telephone keypad, and a receiver that takes them accepts forged ones.
    What the finding shows:
        How many packets are of each kind, a packet of each, and what told them apart.
    How to fix it:
        Send telephone events, comfort noise and redundancy through the same SRTP context as speech, and drop packets
        without a tag.
    When it is not assessed:
        N-MED: no media of the line, or fewer than 20 packets. N-KEY: sizes and content tell nothing without keys. N-OA:
        the answer to a secure offer was not seen. N-SIP: ESP or TLS that could not be opened may hold the signalling.
        Clear packets before the answer are the object of IMS-SRTP-014.
    """
    for call, line, states in secure_lines(trace, scene):
        directions: dict[bytes | str, Outcome] = {}
        for use in line.streams:
            if not isinstance(use.stream, MediaStream):
                continue
            outcome = _stream(trace, call, line, states, use, use.stream)
            side = use.party or use.sender
            if side not in directions or _grave(outcome) > _grave(directions[side]):
                directions[side] = outcome
        yield from directions.values()
        if not directions and any(state.answered.direction != b"inactive" for state in states if state.answered):
            yield not_assessed(Subject("media", line.id), "N-MED", "no media packets of the secure line")
    yield from unanswered(trace)


def _grave(outcome: Outcome) -> int:
    """Gravity; streams too short to be judged do not hide what others of the direction show."""
    return -1 if outcome.gap == "N-MED" else GRAVITY[outcome.verdict]


def _stream(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], use: StreamUse, stream: MediaStream
) -> Outcome:
    subject, judgement = Subject("media", line.id), stream.judgement
    other = judgement.other_part
    if other is None:
        if stream.packets < ENOUGH_PACKETS:
            return not_assessed(subject, "N-MED", f"fewer than {ENOUGH_PACKETS} packets")
        if judgement.kind == "unknown":
            return not_assessed(subject, "N-KEY", "sizes and content of the payloads tell nothing without keys")
        return Outcome("pass", subject)
    clear, protected = sorted((judgement, other), key=lambda part: part.kind)
    state = _state_of(call, stream, states, clear)
    return Outcome("pass", subject) if state is None else _mixed(trace, call, line, state, use, clear, protected)


def _state_of(call: Call, stream: MediaStream, states: list[LineState], clear: Judgement) -> LineState | None:
    """The agreement that the packets in clear break; None where all of them came around an answer, or before one."""
    moments = moments_of(call, stream)
    begin, end = (moment_of(moments, frame) for frame in (clear.frames[0], clear.frames[-1]))
    for state in states:
        if state.answered_at is None:
            continue
        since = state.answered_at + REKEYING
        until = state.ends if state.ends is not None else end
        if max(begin, since) <= min(end, until):
            return state
    return None


def _mixed(
    trace: Trace, call: Call, line: MediaLine, state: LineState, use: StreamUse, clear: Judgement, protected: Judgement
) -> Outcome:
    stream, way = use.stream, direction(use)
    sure = clear.confidence in ("proven", "strong") or "dtmf" in clear.tests
    keyed = "keyed" in clear.tests and "keyed" in protected.tests
    share = 100 * clear.packets / max(1, clear.packets + protected.packets)
    return Outcome(
        "violation" if sure else "suspect",
        Subject("media", line.id),
        confidence="proven" if keyed else "strong" if sure else "heuristic",
        title="Clear packets in a protected stream",
        message=(
            f"SSRC 0x{stream.ssrc:08x} on {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{way or 'direction unknown'} ({stream.source} to {stream.destination}), agreed as "
            f"{protection_agreed(state)}, sends {counted(protected.packets, 'protected packet')} and "
            f"{counted(clear.packets, 'packet')} in clear ({share:.1f} %), the first of these in "
            f"{frame_text(trace, clear.frames[0])}: {clear.observed} beside {protected.observed}. Anyone on the path "
            f"reads those, and a receiver that takes them takes forged ones. {told_by(clear, protected)}"
        ),
        evidence=(
            *agreement(state),
            Evidence(protected.frames[0], "RTP payload", protected.observed, EXPECTED),
            Evidence(clear.frames[0], "RTP payload", clear.observed, clear.expected),
            Evidence(clear.frames[-1], "RTP payload", clear.observed, clear.expected),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        fact=stream.id,
        normalised=(f"{clear_media(clear)} beside protected", EXPECTED),
    )

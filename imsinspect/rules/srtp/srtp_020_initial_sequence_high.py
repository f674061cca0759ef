"""IMS-SRTP-020."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    agreement,
    direction,
    frame_text,
    media_name,
    not_assessed,
    seen_from_start,
    text,
)
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import secure_lines
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, StreamUse, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES", "G2")
LIMIT = 1 << 15


@rule(
    id="IMS-SRTP-020",
    name="initial-sequence-high",
    severity=Severity.INFO,
    tier=3,
    profiles=PROFILES,
    references=("RFC 4568 §6.4", "RFC 3711 §3.3.1"),
    needs=(MEDIA,),
)
def initial_sequence_high(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTP stream starts above 2^15.

    What it checks:
        The first sequence number of every SRTP stream on a line whose key came in a=crypto: it should be below 32768.
        SDES tells the receiver no rollover counter; it takes the first packet that it gets for one of counter 0.
    Why it matters:
        If the first packets are lost and the number has wrapped by then, sender and receiver have different rollover
        counters: nothing authenticates, and lenient devices fall back to clear media.
    What the finding shows:
        Offer and answer, and the first packet with its sequence number.
    How to fix it:
        Let the sender choose its first sequence number at random below 32768.
    When it is not assessed:
        T-MID: the beginning of the stream is not in the capture, or began before the line was agreed as secure. Lines
        whose keys come by MIKEY, which tells the counter, or by DTLS are no object of it.
    """
    for call, line, states in secure_lines(trace, scene):
        keyed = [state for state in states if state.answered is not None and state.answered.crypto]
        if not keyed or scene.covers(call.id, PROFILES) is False:
            continue
        for use in line.streams:
            if isinstance(use.stream, MediaStream) and use.stream.kind != "rtp":
                outcome = _of_stream(trace, call, line, keyed[0], use, use.stream)
                if outcome is not None:
                    yield outcome


def _of_stream(
    trace: Trace, call: Call, line: MediaLine, state: LineState, use: StreamUse, stream: MediaStream
) -> Outcome | None:
    subject = Subject("stream", stream.id)
    if not stream.in_sequence or stream.last.time < (state.answered_at or state.begins):
        return None
    if not seen_from_start(call) or stream.first.time < state.begins or not stream.samples:
        return not_assessed(subject, "T-MID", "the beginning of the stream is not in the capture")
    first = stream.samples[0]
    if first.sequence < LIMIT:
        return Outcome("pass", subject)
    way = direction(use)
    return Outcome(
        "violation",
        subject,
        confidence="proven",
        title=f"First sequence number of an SRTP stream is {first.sequence}",
        message=(
            f"SSRC 0x{stream.ssrc:08x} on {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{way or 'direction unknown'} ({stream.source} to {stream.destination}), begins with sequence number "
            f"{first.sequence} in {frame_text(trace, first.frame)}; SDES wants it below {LIMIT}. If packets are lost "
            "before the number wraps, the receiver's rollover counter is wrong and nothing authenticates. Not seen: "
            "packets before this one."
        ),
        evidence=(
            *agreement(state),
            Evidence(first.frame, "RTP sequence number", str(first.sequence), f"below {LIMIT} in the first packet"),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=("first sequence number of 32768 or more", "below 32768"),
    )

"""When packets passed of which only the frame is known, and how much of a time something was agreed."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from imsinspect.capture.frames import capture_index
from imsinspect.rules.facts import overlap
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import Call, LineState, RtcpSource


def share_agreed(begin: int, end: int, states: list[LineState]) -> float:
    """The part of a time in which one of the states was agreed."""
    shares = [overlap(begin, end, state) for state in states]
    if end <= begin:
        return float(any(each >= 0 for each in shares))
    return min(1.0, sum(each for each in shares if each > 0) / (end - begin))


def moments_of(call: Call, stream: MediaStream | RtcpSource) -> list[tuple[FrameId, int]]:
    """Frames whose times are known: of signalling, and of some packets of the stream."""
    places = {(stream.first.frame, stream.first.time), (stream.last.frame, stream.last.time)}
    if isinstance(stream, MediaStream):
        places |= {(sample.frame, sample.time) for sample in stream.samples}
    else:
        places |= {(sample.frame, sample.time) for sample in (*stream.plain_samples, *stream.other_samples)}
    places |= {(message.frame, message.time) for message in call.messages}
    return sorted(places)


def moment_of(moments: list[tuple[FrameId, int]], frame: FrameId) -> int:
    """When a frame was captured, between the nearest ones of its capture whose times are known."""
    at = bisect_left(moments, (frame, 0))
    before, after = moments[max(at - 1, 0)], moments[min(at, len(moments) - 1)]
    if after[0] == frame or capture_index(before[0]) != capture_index(frame):
        return after[1]
    if capture_index(after[0]) != capture_index(frame) or after[0] <= before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (frame - before[0]) // (after[0] - before[0])

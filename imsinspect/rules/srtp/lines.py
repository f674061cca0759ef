"""What several rules about SRTP share: the lines they are about, and thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    SECOND,
    not_assessed,
    rtp_lines,
    secure_rtp,
    unanswered_secure,
)
from imsinspect.rules.outcome import Outcome, Subject
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Judgement, LineState, MediaLine, Trace


ENOUGH_PACKETS = 20  # rules.md 0.10
SETTLING = SECOND  # from the answer's frame until both sides are sure to have the keys
ENOUGH_EVENTS = 3
ENOUGH_SHARE = 0.1  # of a stream's packets; a judgement covers at least 95 % of them
SIZE_TESTS = frozenset(("size", "dtmf", "keyed"))
RTCP_NAMES = {200: "SR", 201: "RR", 202: "SDES", 203: "BYE", 204: "APP", 205: "RTPFB", 206: "PSFB", 207: "XR"}
TAG_REMAINDER = 10 % 4  # what a tag of 80 bits adds to lengths that are multiples of four
CONFLICTING = range(64, 96)  # payload types that look like RTCP where both share a port (RFC 5761 §4)


@once
def secure_lines(trace: Trace, scene: Scene) -> list[tuple[Call, MediaLine, list[LineState]]]:
    """Lines that were agreed as SRTP at some time, with the states that say so."""
    found = []
    for call, line in rtp_lines(trace):
        states = [state for state in line.states if secure_rtp(state)]
        if states:
            found.append((call, line, states))
    return found


def told_by(*judgements: Judgement) -> str:
    """What decided whether packets are in clear, as a sentence."""
    tests = dict.fromkeys(test for each in judgements for test in each.tests)
    if "keyed" not in tests:
        return f"Told by {' and '.join(tests)}; keys were not used."
    return f"Told by {' and '.join(test if test != 'keyed' else 'tags under the keys at hand' for test in tests)}."


def unanswered(trace: Trace) -> Iterator[Outcome]:
    """Lines that were offered as SRTP and whose answer was not seen, with media on them."""
    for call in trace.calls:
        for line in call.lines:
            if (line.streams or line.rtcp) and unanswered_secure(line):
                yield not_assessed(Subject("media", line.id), "N-OA", "the answer to the secure offer was not seen")

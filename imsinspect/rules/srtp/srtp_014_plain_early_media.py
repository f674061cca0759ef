"""IMS-SRTP-014."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.capture.endpoint import Endpoint
from imsinspect.rules.facts import (
    GRAVITY,
    SECOND,
    clear_media,
    counted,
    direction,
    frame_text,
    media_name,
    not_assessed,
    seen_from_start,
    suite_name,
    text,
)
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import ENOUGH_EVENTS, ENOUGH_PACKETS
from imsinspect.rules.srtp.times import moment_of, moments_of
from imsinspect.trace.binding import canonical
from imsinspect.trace.model import LineState, MediaLine, MediaStream, StreamUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Judgement, Trace

LONG = SECOND  # of early media that needs no look at its content
QUIET = 8  # different octets that silence and idle patterns have at most
OVER = frozenset(("failed", "cancelled", "ended"))  # calls whose answer, had there been one, would have been seen


@rule(
    id="IMS-SRTP-014",
    name="plain-early-media",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.3", "TS 33.328 §7.2.1", "RFC 4568 §5.1.1", "RFC 4568 §7.1"),
    needs=(MEDIA,),
)
def plain_early_media(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Clear media before the answer on a secure offer.

    What it checks:
        Media that the answering side sends to a line which the first offer of the call put forward as RTP/SAVP(F) or
        UDP/TLS/RTP/SAVP(F), before any answer to that offer passed, in a provisional response or later. Packets in
        clear that last longer than one second, or that hold sound or telephone events, are a finding; what decides
        that they are in clear is told on the page of IMS-SRTP-001. Packets that are protected already pass, and so
        does silence of less than a second.
    Why it matters:
        Announcements, digits and the first words pass in clear although the call was asked to be secure. A device that
        plays them plays what anybody on the path puts in their place.
    What the finding shows:
        The offer, the first and the last early packet with its length and the length that protection would give it,
        and the answer that came too late, if one came.
    How to fix it:
        Send the answer with its key before media: in a reliable provisional response, or use the offerer's key for
        early media as the offer allows. Let devices that offered a secure line discard media that does not
        authenticate, and let gateways that create ringback protect it.
    When it is not assessed:
        N-KEY: sizes and structure of the early packets tell nothing without keys. N-MED: fewer than 20 packets came
        before the answer. N-OA: the answer was not seen although the call went on. T-MID: the capture begins
        inside the call. A capture with the whole signalling
        of the call, or its keys, settles these. Whether the offerer played or discarded the media cannot be seen.
    """
    for call in trace.calls:
        answers = _answers(call)
        for line in call.lines:
            if not line.streams or not line.states:
                continue
            state = line.states[0]
            if not state.offered.profile.secure or state.offered.profile.family != "rtp":
                continue
            yield from _early(trace, call, line, state, answers.get(_offer(state)))
    for call, line in _refused(trace):
        yield from _early(trace, call, line, line.states[0], None)


def _refused(trace: Trace) -> Iterator[tuple[Call, MediaLine]]:
    """Lines of first offers that were refused, with what came to them; nothing else announces these streams."""
    unbound: defaultdict[Endpoint, list[MediaStream]] = defaultdict(list)
    for stream in trace.unbound_streams:
        unbound[stream.destination].append(stream)
    for call in trace.calls if unbound else ():
        for negotiation in call.negotiations:
            offer = negotiation.offer
            if not negotiation.rejected or negotiation.answer is not None or offer.message.sip.to_tag:
                continue
            for media in offer.sdp.media:
                streams = unbound.get(Endpoint(canonical(media.connection), media.port), ())
                if streams and media.profile.secure and media.profile.family == "rtp":
                    uses = [
                        StreamUse(stream, "answerer", "destination")
                        for stream in streams
                        if stream.first.time <= call.last_time
                    ]
                    state = LineState(negotiation, media, None, offer.message.time, None)
                    yield call, MediaLine(f"{call.id}/{media.index}", call.id, media.index, [state], uses)


def _offer(state: LineState) -> tuple[FrameId, int]:
    return state.negotiation.offer.message.frame, state.offered.index


def _answers(call: Call) -> dict[tuple[FrameId, int], LineState]:
    """The first answered state of each offered line, whichever branch of a forked call answered it."""
    out: dict[tuple[FrameId, int], LineState] = {}
    for line in call.lines:
        for state in line.states:
            known = out.get(_offer(state))
            if state.answered_at is not None and (known is None or state.answered_at < (known.answered_at or 0)):
                out[_offer(state)] = state
    return out


def _early(
    trace: Trace, call: Call, line: MediaLine, state: LineState, answer: LineState | None
) -> Iterator[Outcome]:  # fmt: skip
    """The gravest outcome of the streams that the answering side sent before the answer."""
    offerer = state.negotiation.offerer_tag
    begin = state.begins
    end = answer.answered_at if answer is not None else None
    gravest: Outcome | None = None
    for use in line.streams:
        stream = use.stream
        if not isinstance(stream, MediaStream) or use.sender != "answerer" or use.party == offerer:
            continue
        if stream.first.time < begin or (end is not None and stream.first.time >= end):
            continue
        outcome = _of_stream(trace, call, line, state, answer, use, stream)
        if gravest is None or GRAVITY[outcome.verdict] > GRAVITY[gravest.verdict]:
            gravest = outcome
    if gravest is not None:
        yield gravest


def _of_stream(
    trace: Trace, call: Call, line: MediaLine, state: LineState, answer: LineState | None, use: StreamUse,
    stream: MediaStream,
) -> Outcome:  # fmt: skip
    subject = Subject("media", line.id)
    if not seen_from_start(call):
        return not_assessed(
            subject, "T-MID", "the capture begins inside the call: media may be of an agreement before it"
        )
    if answer is None and call.state not in OVER:
        return not_assessed(subject, "N-OA", "media came on a secure offer whose answer was not seen")
    judgement = stream.judgement
    parts = (judgement, judgement.other_part)
    clear = next((part for part in parts if part is not None and part.kind == "rtp"), None)
    moments = moments_of(call, stream)
    until = stream.last.time
    if answer is not None and answer.answered_at is not None:
        until = min(until, answer.answered_at - 1)
    if clear is None:
        if judgement.kind == "srtp":
            return Outcome("pass", subject)
        return not_assessed(subject, "N-KEY", "sizes and structure of the early packets tell nothing without keys")
    first, last = (clear.frames[0], clear.frames[-1]) if clear.frames else (stream.first.frame, stream.last.frame)
    since, to = moment_of(moments, first), moment_of(moments, last)
    if since > until:
        return Outcome("pass", subject)  # what came early is protected
    length = max(to - since, 1)
    early = round(clear.packets * min(1.0, (min(to, until) - since) / length)) or 1
    lasting = min(to, until) - since
    if early < (ENOUGH_EVENTS if "dtmf" in clear.tests else ENOUGH_PACKETS) and lasting <= LONG:
        reason = f"fewer than {ENOUGH_PACKETS} packets came before the answer"
        return not_assessed(subject, "N-MED", reason)
    if lasting <= LONG and not _audible(stream, clear, until):
        return Outcome("pass", subject)
    if to > until:
        last = max((each.frame for each in stream.samples if each.time <= until), default=first)
    return _found(trace, call, line, state, answer, use, clear, (first, last), (early, lasting))


def _offered(state: LineState) -> str:
    """The protection that was offered first, in words."""
    crypto = state.offered.crypto
    return suite_name(crypto[0]) if crypto else state.offered.transport


def _audible(stream: MediaStream, clear: Judgement, until: int) -> bool:
    """Whether early packets hold more than silence, as far as they were kept."""
    if "dtmf" in clear.tests:
        return True
    return any(len(set(each.payload)) > QUIET for each in stream.samples if each.time <= until)


def _found(
    trace: Trace, call: Call, line: MediaLine, state: LineState, answer: LineState | None, use: StreamUse,
    clear: Judgement, frames: tuple[FrameId, FrameId], early: tuple[int, int],
) -> Outcome:  # fmt: skip
    packets, lasting = early
    first, last = frames
    offer = state.negotiation.offer.message.frame
    answered = answer.negotiation.answer if answer is not None else None
    sure = clear.confidence in ("proven", "strong")
    came = (
        f"the answer came in {frame_text(trace, answered.message.frame)}"
        if answered is not None
        else f"the call {call.state} without an answer"
    )
    evidence = [
        Evidence(offer, f"SDP m= line {state.offered.index}", f"{state.offered.transport} offered", "protected media"),
        Evidence(first, "RTP payload", clear.observed, clear.expected),
        Evidence(last, "RTP payload", clear.observed, clear.expected),
    ]
    if answered is not None:
        place = f"SDP m= line {state.offered.index}"
        evidence.append(Evidence(answered.message.frame, place, "first answer to the offer", "answer before media"))
    return Outcome(
        "violation" if sure else "suspect",
        Subject("media", line.id),
        confidence="proven" if clear.confidence == "proven" else "strong" if sure else "heuristic",
        title="Clear early media on a line offered as secure",
        message=(
            f"About {counted(packets, 'packet')} of plain RTP over {lasting / SECOND:.1f} s from "
            f"{frame_text(trace, first)} on {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{direction(use)} ({use.stream.source} to {use.stream.destination}), {clear.observed} where protection "
            f"makes it {clear.expected}; {_offered(state)} was offered in {frame_text(trace, offer)}, and "
            f"{came}. Anyone on the path hears what was sent and can put other sound in its place. Often a gateway's "
            "ringback, or media sent before both keys were known. Not seen: whether the offerer played or discarded it."
        ),
        evidence=tuple(evidence),
        role=use.sender,
        media=media_name(state.offered),
        direction=direction(use),
        normalised=(f"{clear_media(clear)} before an answer", _offered(state)),
    )

"""IMS-CONF-006."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.capture.endpoint import Endpoint
from imsinspect.capture.frames import capture_index
from imsinspect.rules.conf.legs import (
    ALL_CONFERENCES,
    bound,
    capture_end,
    dialog_lines,
    leg_lines,
    leg_subject,
    on_hop,
    sides_of,
    who,
)
from imsinspect.rules.facts import SECOND, counted, frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import once, rule
from imsinspect.trace.binding import canonical as address_of
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant
    from imsinspect.trace.model import Call, CarriedMessage, MediaLine, Trace

PROFILES = ALL_CONFERENCES
OUTRUN = SECOND  # that media may be ahead of the answer that announces it (T-EARLY)
SEQUENCES = 0xFFFF


@dataclass(slots=True, frozen=True)
class _End:
    """The end of a leg: BYE and its answer, or the refusal."""

    time: int
    evidence: tuple[Evidence, ...]


@dataclass(slots=True, frozen=True)
class _Sent:
    """Media of the focus to a participant that is not there."""

    source: Endpoint
    destination: Endpoint
    packets: int
    what: str  # "packets", "messages"
    first: FrameId
    last: FrameId
    last_time: int
    before: bool = False  # before any answer, not behind the end


@rule(
    id="IMS-CONF-006",
    name="media-after-leave",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.1",),
    needs=(CONFERENCES,),
)
def media_after_leave(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Conference media still sent to a participant who left.

    What it checks:
        RTP, SRTP and MSRP that the focus (or its gateway) sends to the media address of a participant more than 5
        seconds after the answer to BYE, or after the response that refused the call; and RTP that it sends more than a
        second before any answer announced the line. RTCP is left out, as are packets that were under way.
    Why it matters:
        Content of the conference reaches somebody who is not in it, or whoever gets the address next.
    What the finding shows:
        BYE and its answer, the first packet behind them that was kept and the last one, and about how many there were.
    How to fix it:
        Let the focus release the media resource (MRFP) and its gateway when the dialog ends, and start sending only
        once the line is agreed.
    When it is not assessed:
        N-MED: no media of the focus to the participant was seen, or another dialog announced the same address in the
        meantime, so that late packets may be its own. T-MID: the capture ends less than 5 seconds after the leg. N-CLK:
        signalling and media come from captures whose clocks may differ. N-KEY: what TLS carries after the end can't be
        told from its closing. N-SIP: no call with the focus was seen. IMS-PROF-005: the profile of the conference is
        open; name it with --profile.
    """
    for conference in trace.conferences:
        yield from bound(scene, conference, PROFILES, _conference(trace, scene, conference))


def _conference(trace: Trace, scene: Scene, conference: Conference) -> Iterator[Outcome]:
    calls = _calls(trace, scene)
    for participant in conference.participants:
        for leg in participant.legs:
            end = _end_of(leg)
            call = calls.get(leg.call)
            if call is None or leg.joined_before:
                continue
            own = dialog_lines(trace, scene)[call.id]
            lines = own.get(frozenset(leg.dialog[1:]), []) if leg.accepted else call.lines
            for line in lines:
                yield from _line(trace, scene, conference, participant, leg, line, end)
            for other in (calls[name] for name in leg.also if name in calls):
                for line in other.lines:
                    yield from _line(trace, scene, conference, participant, on_hop(leg, other), line, end)
            if not lines and end is not None and not leg.dial_out:
                yield from _refused(trace, scene, conference, participant, leg, end)


def _refused(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, leg: ConferenceLeg, end: _End
) -> Iterator[Outcome]:
    """Media of the focus for a user whom it refused; the offer was all that announced an address."""
    grace = scene.policy.thresholds.conf_media_after_leave
    for sdp in leg.invite.sdp[:1]:
        for media in sdp.media:
            streams = _unbound(trace, scene).get(Endpoint(address_of(media.connection), media.port), ())
            hosts = _media_hosts(trace, scene)[conference.id] if streams else set()
            for stream in streams:
                late = _late(stream, end, grace) if stream.source.ip in hosts else None
                if late is not None and _excuse(trace, scene, leg, late, end) is None:
                    yield _outside(trace, conference, participant, leg, leg_subject(leg), media, late, end)


@once
def _media_hosts(trace: Trace, scene: Scene) -> dict[str, set[str]]:
    """The addresses that each conference's focus receives media at."""
    return {
        name: {address_of(own.connection) for each in lines if (own := sides_of(each.state, each.leg)[0]) is not None}
        for name, lines in leg_lines(trace, scene).items()
    }


@once
def _calls(trace: Trace, scene: Scene) -> dict[str, Call]:
    return {call.id: call for call in trace.calls if call.conference}


def _end_of(leg: ConferenceLeg) -> _End | None:
    if leg.accepted:
        if leg.left is None or leg.left_frame is None:
            return None
        frames = (("SIP BYE", leg.left_frame), ("answer to BYE", leg.left_answer))
        told = tuple(Evidence(frame, name, "end of the leg", "no media behind it") for name, frame in frames if frame)
        return _End(leg.left, told)
    if leg.answer is None or leg.answer.sip.status < 300:
        return None
    refusal = Evidence(leg.answer.frame, "SIP status", str(leg.answer.sip.status), "no media behind it")
    return _End(leg.answer.time, (refusal,))


def _line(
    trace: Trace, scene: Scene, conference: Conference, participant: Participant, leg: ConferenceLeg, line: MediaLine,
    end: _End | None,
) -> Iterator[Outcome]:  # fmt: skip
    """What was sent to the participant on one line, at the wrong time."""
    if not line.states:
        return
    subject = Subject("media", line.id)
    streams = [
        use.stream
        for use in line.streams
        if isinstance(use.stream, MediaStream) and _of_focus(use.party, use.sender, leg)
    ]
    grace = scene.policy.thresholds.conf_media_after_leave
    early = (_early(line, stream) for stream in streams if not _of_another(trace, scene, leg, stream))
    sent = next((each for each in early if each is not None), None)
    reason: tuple[str, str] | None = None
    if sent is None and end is not None:
        late = [
            *_late_rtp(trace, scene, leg, line, streams, end, grace),
            *_late_msrp(trace, scene, leg, line, end, grace),
        ]
        for each in late:
            reason = _excuse(trace, scene, leg, each, end) or reason
        sent = next((each for each in late if _excuse(trace, scene, leg, each, end) is None), None)
    if sent is not None:
        yield _outside(trace, conference, participant, leg, subject, line.states[0].offered, sent, end)
    elif reason is not None:
        yield not_assessed(subject, *reason)
    elif end is not None and leg.accepted and any(state.accepted for state in line.states):
        yield _quiet(trace, scene, line, subject, streams, end, grace)


def _quiet(
    trace: Trace, scene: Scene, line: MediaLine, subject: Subject, streams: list[MediaStream], end: _End, grace: int
) -> Outcome:
    """Nothing was seen behind the end of the leg."""
    if capture_end(trace, scene) < end.time + grace:
        return not_assessed(subject, "T-MID", "the capture ends too early to show what follows the end of the leg")
    if any(each.last_octets is not None and each.last_octets.time > end.time + grace for each in line.tls_sessions):
        return not_assessed(subject, "N-KEY", "TLS carries octets after the end of the leg that can't be told")
    if streams or line.msrp or line.tls_sessions:
        return Outcome("pass", subject)
    return not_assessed(subject, "N-MED", "no media of the focus to the participant was seen")


def _of_focus(party: bytes, sender: str, leg: ConferenceLeg) -> bool:
    """The sender of a stream is the focus."""
    if party:
        return party == leg.dialog[1]
    return sender == ("offerer" if leg.dial_out else "answerer")


# --- RTP ------------------------------------------------------------------------------------------


def _of_another(trace: Trace, scene: Scene, leg: ConferenceLeg, stream: MediaStream) -> bool:
    """Another dialog announced a stream's address before it began."""
    claims = _announced(trace, scene).get(stream.destination, ())
    return any(call not in (leg.call, *leg.also) and begins <= stream.first.time for begins, _, call in claims)


def _early(line: MediaLine, stream: MediaStream) -> _Sent | None:
    """A stream that began before any answer announced the line."""
    answers = [state.answered_at for state in line.states if state.answered_at is not None]
    if not answers or stream.first.time >= min(answers) - OUTRUN:
        return None
    ahead = [each for each in stream.samples if each.time < min(answers)]
    count = ((ahead[-1].sequence - stream.lowest) & SEQUENCES) + 1 if ahead else 1
    last = ahead[-1].frame if ahead else stream.first.frame
    return _Sent(
        stream.source, stream.destination, min(count, stream.packets), "packets", stream.first.frame, last,
        stream.first.time, before=True,
    )  # fmt: skip


def _late_rtp(
    trace: Trace, scene: Scene, leg: ConferenceLeg, line: MediaLine, streams: list[MediaStream], end: _End, grace: int
) -> Iterator[_Sent]:
    """Streams that went on, and those that began behind the end, towards the participant's address."""
    begun = _unbound(trace, scene)
    again = [each for address in _addresses(leg, line) for each in begun.get(address, ())]
    hosts = _focus_hosts(leg, line) | {each.source.ip for each in streams} if again else frozenset[str]()
    for stream in (*streams, *(each for each in again if each.source.ip in hosts)):
        late = _late(stream, end, grace)
        if late is not None:
            yield late


def _late(stream: MediaStream, end: _End, grace: int) -> _Sent | None:
    """What of a stream came behind the end; None if it ended soon enough."""
    if stream.last.time <= end.time + grace:
        return None
    first = next((each for each in stream.samples if each.time > end.time), None)
    count = ((stream.highest - first.sequence) & SEQUENCES) + 1 if first is not None else 1
    return _Sent(
        stream.source, stream.destination, min(count, stream.packets), "packets",
        first.frame if first is not None else stream.last.frame, stream.last.frame, stream.last.time,
    )  # fmt: skip


@once
def _unbound(trace: Trace, scene: Scene) -> dict[Endpoint, list[MediaStream]]:
    """Streams that no line in force announced, by destination."""
    out: defaultdict[Endpoint, list[MediaStream]] = defaultdict(list)
    for stream in trace.unbound_streams:
        out[stream.destination].append(stream)
    return dict(out)


def _addresses(leg: ConferenceLeg, line: MediaLine) -> set[Endpoint]:
    """Where the participant received media."""
    theirs = [sides_of(state, leg)[1] for state in line.states]
    return {
        Endpoint(address_of(media.connection), media.port) for media in theirs if media is not None and media.port > 0
    }


def _focus_hosts(leg: ConferenceLeg, line: MediaLine) -> set[str]:
    own = [sides_of(state, leg)[0] for state in line.states]
    return {address_of(media.connection) for media in own if media is not None}


# --- MSRP -----------------------------------------------------------------------------------------


def _late_msrp(
    trace: Trace, scene: Scene, leg: ConferenceLeg, line: MediaLine, end: _End, grace: int
) -> Iterator[_Sent]:
    """SEND requests to the participant behind the end."""
    for session in line.msrp:
        if session.last.time <= end.time + grace:
            continue
        hosts = {address.ip for address in _addresses(leg, line)}
        ends = (session.source, session.destination)
        for source, destination in (ends, ends[::-1]):
            if destination.ip not in hosts or source.ip in hosts:
                continue
            late = [each for each in _sends(trace, scene).get((source, destination), ()) if each.time > end.time]
            if late and late[-1].time > end.time + grace:
                last = late[-1]
                yield _Sent(source, destination, len(late), "messages", late[0].frames[0], last.frames[0], last.time)


@once
def _sends(trace: Trace, scene: Scene) -> dict[tuple[Endpoint, Endpoint], list[CarriedMessage]]:
    """MSRP SEND requests by their way, in time order."""
    out: defaultdict[tuple[Endpoint, Endpoint], list[CarriedMessage]] = defaultdict(list)
    for message in trace.carried:
        if message.kind == "msrp" and message.data[:128].partition(b"\r\n")[0].endswith(b" SEND"):
            out[message.source, message.destination].append(message)
    return dict(out)


# --- what may explain it --------------------------------------------------------------------------


def _excuse(trace: Trace, scene: Scene, leg: ConferenceLeg, sent: _Sent, end: _End) -> tuple[str, str] | None:
    """The gap that keeps late media from being a finding."""
    frames = {capture_index(each.frame) for each in end.evidence} | {capture_index(sent.last)}
    if len(frames) > 1:
        return "N-CLK", "signalling and media come from captures whose clocks may differ"
    for begins, ends, call in _announced(trace, scene).get(sent.destination, ()):
        if call not in (leg.call, *leg.also) and begins < sent.last_time and (ends is None or ends > end.time):
            return "N-MED", "another dialog announced the same address: late packets may be its own"
    return None


@once
def _announced(trace: Trace, scene: Scene) -> dict[Endpoint, list[tuple[int, int | None, str]]]:
    """When which call announced an address."""
    out: defaultdict[Endpoint, list[tuple[int, int | None, str]]] = defaultdict(list)
    for call in trace.calls:
        for line in call.lines:
            for state in line.states:
                for media in (state.offered, state.answered):
                    if media is not None and media.port > 0:
                        address = Endpoint(address_of(media.connection), media.port)
                        out[address].append((state.begins, state.ends, call.id))
    return dict(out)


def _outside(
    trace: Trace, conference: Conference, participant: Participant, leg: ConferenceLeg, subject: Subject, media: Media,
    sent: _Sent, end: _End | None,
) -> Outcome:  # fmt: skip
    kind = text(media.type)
    way = f"from {sent.source} to {sent.destination}"
    about = f"about {counted(sent.packets, sent.what[:-1])}"
    if sent.before or end is None:
        when = f"before any answer announced the line, from {frame_text(trace, sent.first)} on"
        told: tuple[Evidence, ...] = ()
    else:
        seconds = (sent.last_time - end.time) / SECOND
        frame = frame_text(trace, end.evidence[0].frame)
        how = "left" if leg.accepted else "was refused"
        when = (
            f"for {seconds:.1f} seconds after the participant {how} ({frame}), last in {frame_text(trace, sent.last)}"
        )
        told = end.evidence
    expected = "media only while the participant is present"
    return Outcome(
        "violation",
        subject,
        confidence="strong",
        title="Conference media sent to somebody who is not present",
        message=(
            f"{kind.capitalize()} of {conference.uri} is sent to {who(participant)} ({leg.call}, {way}, {about}) "
            f"{when}. It reaches somebody who is not in the conference, or whoever has the address now. Not seen: "
            "another dialog that announced this address."
        ),
        evidence=(
            *told,
            Evidence(sent.first, "media", f"{about} {way}", expected),
            Evidence(sent.last, "media", f"{about} {way}", expected),
        ),
        role="focus",
        media=media_name(media),
        direction="focus to participant",
        normalised=("media before the answer" if sent.before else "media behind the end of the leg", expected),
    )

"""IMS-SRTP-018."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import SECOND, agreement, counted, frame_text, media_name, protection_agreed, text
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import secure_lines
from imsinspect.rules.srtp.times import share_agreed
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

LONG = 60 * SECOND  # of SRTP, in which a report falls due many times (RFC 3550 §6.2)
MODIFIERS = (b"RS", b"RR")  # of senders and of receivers (RFC 3556 §2)


@rule(
    id="IMS-SRTP-018",
    name="no-srtcp-observed",
    severity=Severity.INFO,
    tier=3,
    profiles=("ALL",),
    references=("TS 33.328 §5.2", "RFC 3550 §6.2", "RFC 3556 §2"),
    needs=(MEDIA,),
)
def no_srtcp_observed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Long secure stream without any SRTCP.

    What it checks:
        Lines agreed as RTP/SAVP(F) or UDP/TLS/RTP/SAVP(F) on which more than 60 seconds of SRTP passed: whether any
        packet of an RTCP type was seen on their RTCP or multiplexed port, in either direction. Lines whose description
        gives RTCP no bandwidth (b=RS:0 and b=RR:0), as voice over LTE may, need none.
    Why it matters:
        RTCP has to be authenticated without exception. Where none is seen, nothing shows that it would be: IMS-SRTP-002
        and 003 have nothing to judge. Reports that are lost on their way also hide losses of the media.
    What the finding shows:
        Offer and answer with their bandwidth lines, the first and the last SRTP packet, and how long it lasted.
    How to fix it:
        Capture the RTCP port too (by default the one above that of RTP). If nothing is sent there, let the endpoints
        send reports, or say by b=RS:0 and b=RR:0 that they do not.
    When it is not assessed:
        A stream of less than a minute is no object of it. Whether the filter of the capture left out the RTCP port
        can't be seen; the finding says so.
    """
    paths = {frozenset((source.source, source.destination)) for source in trace.rtcp_sources}
    for call, line, states in secure_lines(trace, scene):
        streams = [use.stream for use in line.streams if isinstance(use.stream, MediaStream)]
        lasting = [each for each in streams if each.kind == "srtp" and _length(each, states) > LONG]
        if not lasting or any(
            _no_rtcp(media) for state in states for media in (state.offered, state.answered) if media
        ):
            continue
        # Of a bundle the RTCP of all lines may be tied to one of them.
        if line.rtcp or any(frozenset((each.source, each.destination)) in paths for each in streams):
            yield Outcome("pass", Subject("media", line.id))
        else:
            yield _found(trace, call, line, states, max(lasting, key=lambda each: _length(each, states)))


def _length(stream: MediaStream, states: list[LineState]) -> float:
    """Nanoseconds of a stream in which the line was agreed."""
    length = stream.last.time - stream.first.time
    return length * share_agreed(stream.first.time, stream.last.time, states)


def _no_rtcp(media: Media) -> bool:
    """The description gives RTCP no bandwidth, for the line or for the session."""
    return all(_bandwidth(media, modifier) == b"0" for modifier in MODIFIERS)


def _bandwidth(media: Media, modifier: bytes) -> bytes:
    for section in (media.section, media.session):
        if b"\nb=" + modifier in section.text:
            for line in section.lines(b"b"):
                name, _, value = line.value.strip().partition(b":")
                if name == modifier:
                    return value.strip()
    return b""


def _found(trace: Trace, call: Call, line: MediaLine, states: list[LineState], stream: MediaStream) -> Outcome:
    state = states[-1]
    seconds = f"{_length(stream, states) / SECOND:.0f} s"
    observed = "no bandwidth lines that switch RTCP off"
    place = f"SDP b= lines of m= line {line.index}"
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="strong",
        title=f"No SRTCP in {seconds} of SRTP",
        message=(
            f"{counted(stream.packets, 'packet')} of SRTP over {seconds} on {text(state.offered.type)} line "
            f"{line.index} of {call.id} ({stream.source} to {stream.destination}, SSRC 0x{stream.ssrc:08x}) from "
            f"{frame_text(trace, stream.first.frame)} to {frame_text(trace, stream.last.frame)}, agreed as "
            f"{protection_agreed(state)}, and no RTCP in either direction, although its bandwidth is not 0. Whether "
            "RTCP would be protected can't be said: IMS-SRTP-002 and IMS-SRTP-003 are not assessed for the line. Not "
            "seen: whether the capture's filter let the RTCP port through."
        ),
        evidence=(
            *agreement(state),
            Evidence(state.negotiation.offer.message.frame, place, observed, "RTCP, or b=RS:0 and b=RR:0"),
            Evidence(stream.first.frame, "RTP", "first SRTP packet", "SRTCP beside it"),
            Evidence(stream.last.frame, "RTP", "last SRTP packet", "SRTCP beside it"),
        ),
        media=media_name(state.offered),
        normalised=("no SRTCP", "SRTCP, or no bandwidth for it"),
    )

"""IMS-SRTP-022."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.rules.facts import (
    GRAVITY,
    agreement,
    calls_by_id,
    direction,
    frame_text,
    media_name,
    not_assessed,
    secure_rtp,
    text,
)
from imsinspect.rules.needs import CONFERENCES
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.header_extensions import CSRC_LEVEL, LEVELS, elements, negotiated
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, MediaSample, StreamUse, Trace

PROFILES = ("G2", "G3", "TR-SDES", "TR-KMS")


class _Shown(NamedTuple):
    """What the header of a packet tells of who speaks."""

    sample: MediaSample
    field: str
    observed: str
    words: str


@rule(
    id="IMS-SRTP-022",
    name="speaker-metadata-exposed",
    severity=Severity.LOW,
    tier=3,
    profiles=PROFILES,
    references=("TR 33.829 §5.1.2", "RFC 6464 §4", "RFC 6465 §4", "RFC 6904 §3"),
    needs=(CONFERENCES,),
)
def speaker_metadata_exposed(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Header data reveals the active speaker.

    What it checks:
        The legs of conferences whose media is SRTP. SRTP encrypts no RTP header: audio levels of the sender (RFC 6464)
        and of the contributors (RFC 6465) that were agreed by a=extmap without urn:ietf:params:rtp-hdrext:encrypt, and
        the CSRC lists of a mixer, are readable in every packet. The kept packets of each direction are looked at.
    Why it matters:
        Who speaks when is what floor control is protected for. The header of each packet tells it to anybody on the
        path, packet by packet, although nobody can hear what is said.
    What the finding shows:
        The a=extmap lines of offer and answer, and a packet with the level or the list that it shows.
    How to fix it:
        Offer the extensions encrypted (RFC 6904: a=extmap with urn:ietf:params:rtp-hdrext:encrypt), encrypt the whole
        header extension and CSRC list (RFC 9335), or let the mixer do without them. It is a matter of policy.
    When it is not assessed:
        IMS-PROF-005: the profile of the call is not determined. N-MED: audio levels were agreed in clear, and no
        packets of the line were seen.
    """
    calls = calls_by_id(trace)
    for conference in trace.conferences:
        legs = dict.fromkeys(leg.call for each in conference.participants for leg in each.legs)
        for name in legs:
            call = calls.get(name)
            if call is None:
                continue
            covered = scene.covers(name, PROFILES)
            if covered is False:
                covered = scene.covers_conference(conference.id, PROFILES)
            for line in call.lines if covered is not False else ():
                states = [state for state in line.states if secure_rtp(state)]
                if states:
                    yield from _of_line(trace, call, line, states, open_profile=covered is None)


def _of_line(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], *, open_profile: bool
) -> Iterator[Outcome]:
    """One outcome for each direction: the gravest of its streams."""
    subject = Subject("media", line.id)
    state = states[-1]
    levels = negotiated(state)
    directions: dict[bytes | str, Outcome] = {}
    for use in line.streams:
        stream = use.stream
        if not isinstance(stream, MediaStream) or stream.kind == "rtp" or not stream.samples:
            continue
        shown = _shown(stream, levels)
        if shown is None:
            outcome = Outcome("pass", subject)
        elif open_profile:
            outcome = not_assessed(subject, "IMS-PROF-005", "the profile of the call is not determined")
        else:
            outcome = _found(trace, call, line, state, use, stream, shown)
        side = use.party or use.sender
        known = directions.get(side)
        if known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]:
            directions[side] = outcome
    yield from directions.values()
    if not directions and levels:
        yield not_assessed(subject, "N-MED", "audio levels were agreed in clear, and no packets of the line were seen")


def _shown(stream: MediaStream, levels: dict[int, str]) -> _Shown | None:
    """The first packet whose header tells who speaks."""
    for sample in stream.samples:
        for number, data in elements(sample.extension) if levels and sample.extension else ():
            kind = levels.get(number, "")
            if kind and data:
                level = f"level -{data[0] & 0x7F} dBov" + (", voice" if data[0] & 0x80 and kind != CSRC_LEVEL else "")
                words = f"the {LEVELS[kind]} in clear (a=extmap:{number}): {level}"
                return _Shown(sample, f"RTP header extension {number}", level, words)
        if sample.csrc:
            listed = [sample.csrc[at : at + 4].hex() for at in range(0, len(sample.csrc), 4)]
            observed = f"CSRC {', '.join('0x' + each for each in listed)}"
            return _Shown(sample, "RTP CSRC list", observed, f"the list of who contributes: {observed}")
    return None


def _found(
    trace: Trace, call: Call, line: MediaLine, state: LineState, use: StreamUse, stream: MediaStream, shown: _Shown
) -> Outcome:
    way = direction(use)
    expected = "header data encrypted, or none"
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="proven",
        title="RTP headers of a conference leg tell who speaks",
        message=(
            f"SRTP packets on {text(state.offered.type)} line {line.index} of {call.id}, {way or 'direction unknown'} "
            f"({stream.source} to {stream.destination}, SSRC 0x{stream.ssrc:08x}), as in "
            f"{frame_text(trace, shown.sample.frame)}, carry {shown.words}. Anyone on the path sees who speaks when, "
            "though not what is said. Not seen: an agreement that encrypts header extensions (RFC 6904)."
        ),
        evidence=(
            *agreement(state),
            Evidence(shown.sample.frame, shown.field, shown.observed, expected),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=("speaker data in the RTP header", expected),
    )

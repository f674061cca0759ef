"""What several rules about keys share: which lines carry keys of session descriptions, and where a key stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, frame_text, media_name, media_names
from imsinspect.rules.outcome import Evidence
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, KeyPlace, KeystreamReuse, LineState, MediaLine, Trace

SHOWN = 8  # hex digits of a digest
NAMED = 4  # places in a message; evidence holds more
MASKED = "the keys were masked before the capture was handed on"


@dataclass(slots=True)
class KeyedLine:
    """A line for which a session description carries a key."""

    line: MediaLine
    parties: set[bytes] = field(default_factory=set)  # tags of those who sent keys for it
    masked: bool = False  # some key can't be compared
    complete: bool = False  # offer and answer of one negotiation carry keys
    answered: bool = False


@once
def keyed_lines(trace: Trace, scene: Scene) -> dict[str, list[KeyedLine]]:
    """Lines with keys of session descriptions, by the id of the call."""
    out: dict[str, list[KeyedLine]] = {}
    for call in trace.calls:
        lines = [keyed for line in call.lines if (keyed := _keyed(line)) is not None]
        if lines:
            out[call.id] = lines
    return out


def _keyed(line: MediaLine) -> KeyedLine | None:
    found = KeyedLine(line)
    for state in line.states:
        negotiation = state.negotiation
        offered = _with_key(found, state.offered, negotiation.offerer_tag)
        found.answered = found.answered or state.answered is not None
        if state.answered is not None:
            answered = _with_key(found, state.answered, negotiation.answerer_tag)
            found.complete = found.complete or (offered and answered and state.accepted)
    return found if found.parties or found.masked else None


def _with_key(found: KeyedLine, media: Media, party: bytes) -> bool:
    if b"\na=crypto" not in media.section.text:
        return False
    keys = any(crypto.keys for crypto in media.crypto)
    if keys:
        found.parties.add(party)
    found.masked = found.masked or any(crypto.masked for crypto in media.crypto)
    return keys


@once
def lines_by_id(trace: Trace, scene: Scene) -> dict[str, tuple[Call, MediaLine]]:
    """Media lines with their calls, by the id of the line."""
    return {line.id: (call, line) for call in trace.calls for line in call.lines}


def applies(scene: Scene, call: str, profiles: tuple[str, ...]) -> bool:
    """Whether a rule of these profiles is for a call whose lines carry keys: they are SDES whatever is inferred."""
    return scene.covers(call, profiles) is not False


def state_of(line: MediaLine, frame: FrameId | None) -> tuple[LineState, str] | None:
    """The state whose offer or answer a frame carried, and the role of its sender."""
    for state in line.states:
        if state.negotiation.offer.message.frame == frame:
            return state, "offerer"
        if state.negotiation.answer is not None and state.negotiation.answer.message.frame == frame:
            return state, "answerer"
    return None


def media_of(line: MediaLine) -> str:
    """Media type and index of a line."""
    return media_name(line.states[0].offered) if line.states else f"line/{line.index}"


def media_at(places: Iterable[KeyPlace], lines: dict[str, tuple[Call, MediaLine]]) -> str:
    """Media types and indices of the lines that keys stand for, for fingerprints."""
    return media_names(media_of(lines[place.line][1]) for place in places if place.line in lines)


def media_of_senders(trace: Trace, scene: Scene, names: Iterable[str]) -> str:
    """Likewise, of the lines that announce streams and RTCP sources."""
    known = _media_by_sender(trace, scene)
    return media_names(media for name in names for media in known.get(name, ()))


@once
def _media_by_sender(trace: Trace, scene: Scene) -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}
    for call in trace.calls:
        for line in call.lines:
            for use in (*line.streams, *line.rtcp):
                out.setdefault(use.stream.id, set()).add(media_of(line))
    return out


def key_name(digest: str) -> str:
    """A key as findings name it."""
    return f"key:{digest[:SHOWN]}"


def key_evidence(
    places: Iterable[KeyPlace], digest: str, lines: dict[str, tuple[Call, MediaLine]], expected: str
) -> tuple[Evidence, ...]:
    """The places where a key stands."""
    out: list[Evidence] = []
    for place in places:
        if place.frame is not None and len(out) < MAX_EVIDENCE:
            found = lines.get(place.line)
            where = f" for {media_of(found[1])} of {place.call}" if found else ""
            carrier = f"SDP {place.field}" if place.kind == "sdes" else place.field
            out.append(Evidence(place.frame, carrier, f"{key_name(digest)}{where}", expected))
    return tuple(out)


def frames_text(trace: Trace, places: Iterable[KeyPlace]) -> str:
    """The frames where a key stands, in words."""
    frames = list(dict.fromkeys(place.frame for place in places if place.frame is not None))
    shown = " and ".join(frame_text(trace, frame) for frame in frames[:NAMED])
    return shown + (f" and {len(frames) - NAMED} more" if len(frames) > NAMED else "")


def reuse_fact(reuse: KeystreamReuse) -> str:
    """What findings about keystream used twice stand on: the key; of SRTCP the source whose index came again."""
    return reuse.second_stream if reuse.rtcp else reuse.key

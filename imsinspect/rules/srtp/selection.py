"""The a=crypto lines that answers selected, and what they say of protection (RFC 4568 §5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.facts import media_name, not_assessed, rtp_state, suite_name, text, unanswered_secure
from imsinspect.rules.outcome import Evidence, Subject
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dissectors.sdp.crypto import Crypto
    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.outcome import Outcome
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

FLAGS = ("UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP")
ENDED = frozenset(("failed", "cancelled"))


@dataclass(slots=True, frozen=True)
class Selected:
    """What one answer selected for one line."""

    state: LineState
    answered: Crypto
    offered: Crypto | None  # of the same tag

    @property
    def answer_frame(self) -> FrameId:
        """The frame of the answer."""
        answer = self.state.negotiation.answer
        return answer.message.frame if answer is not None else self.offer_frame

    @property
    def offer_frame(self) -> FrameId:
        """The frame of the offer."""
        return self.state.negotiation.offer.message.frame

    @property
    def words(self) -> str:
        """Suite and parameters of the answer."""
        return words(self.answered)

    def of_party(self, party: bytes) -> Crypto | None:
        """The line that says how a party protects what it sends (RFC 4568 §7.1.1)."""
        return self.offered if party == self.state.negotiation.offerer_tag else self.answered

    def evidence(self, expected: str) -> tuple[Evidence, ...]:
        """Both lines."""
        chosen = Evidence(self.answer_frame, f"SDP a=crypto, m= line {self.state.offered.index}", self.words, expected)
        if self.offered is None:
            return (chosen,)
        field = f"SDP a=crypto, m= line {self.state.offered.index}"
        return (Evidence(self.offer_frame, field, words(self.offered), expected), chosen)


@dataclass(slots=True, frozen=True)
class SdesLine:
    """A media line whose answers selected a=crypto lines. Hops that carry the same answers on are one line: that
    which has the media."""

    call: Call
    line: MediaLine
    selected: tuple[Selected, ...]

    @property
    def subject(self) -> Subject:
        """What an outcome is about."""
        return Subject("media", self.line.id)

    @property
    def place(self) -> str:
        """The line in words."""
        return f"{text(self.selected[0].state.offered.type)} line {self.line.index} of {self.call.id}"

    @property
    def media(self) -> str:
        """Its name for fingerprints."""
        return media_name(self.selected[0].state.offered)

    @property
    def masked(self) -> bool:
        """A key was replaced by a placeholder before the capture was handed on."""
        lines = [line for each in self.selected for line in (each.answered, each.offered) if line is not None]
        return any(line.masked for line in lines)

    def at(self, time: int) -> Selected:
        """What was agreed at a time, the first selection before it counts."""
        before = [each for each in self.selected if (each.state.answered_at or each.state.begins) <= time]
        return before[-1] if before else self.selected[0]


def words(line: Crypto) -> str:
    """Tag, suite and the parameters that switch protection off; no key."""
    return " ".join((str(line.tag), suite_name(line), *(flag for flag in FLAGS if line.has(flag.encode()))))


def has_crypto(media: Media | None) -> bool:
    """Whether a section has a=crypto lines, seen without taking them apart."""
    return media is not None and b"\na=crypto:" in media.section.text


@once
def sdes_lines(trace: Trace, scene: Scene) -> list[SdesLine]:
    """Lines that carry RTP and whose answers hold an a=crypto line, whatever their transport is called."""
    out: list[SdesLine] = []
    for call in trace.calls:
        known: dict[tuple[object, ...], SdesLine] = {}
        for line in call.lines:
            found = tuple(_selections(line))
            name = (line.index, *(_name(each) for each in found))
            if found and (name not in known or not (known[name].line.streams or known[name].line.rtcp)):
                known[name] = SdesLine(call, line, found)
        out += known.values()
    return out


def _selections(line: MediaLine) -> Iterator[Selected]:
    for state in line.states:
        if has_crypto(state.answered) and state.answered is not None and state.answered.crypto and _agreed(state):
            yield _selected(state, state.answered)


def _agreed(state: LineState) -> bool:
    return rtp_state(state) and not (state.negotiation.rejected and state.negotiation.provisional)


def _selected(state: LineState, answered: Media) -> Selected:
    chosen = answered.crypto[0]
    return Selected(state, chosen, next((each for each in state.offered.crypto if each.tag == chosen.tag), None))


def _name(selected: Selected) -> tuple[object, ...]:
    """Of two hops that carry one answer on it is the same."""
    state, line = selected.state, selected.answered
    tags = frozenset((state.negotiation.offerer_tag, state.negotiation.answerer_tag))
    ends = [(media.connection, media.port) for media in (state.offered, state.answered) if media is not None]
    return tags, *ends, line.tag, line.suite, line.keys, line.session_params


def unanswered_offers(trace: Trace, having: Callable[[Crypto], bool] | None = None) -> Iterator[Outcome]:
    """Lines that were offered as SRTP, and whose answer was not seen: what was selected is not known.

    Only those that offered an a=crypto line with something, if it is given.
    """
    for call in trace.calls:
        if call.state in ENDED:
            continue
        for line in call.lines:
            offered = [state.offered for state in line.states if state.offered.profile.family == "rtp"]
            wanted = having is None or any(having(each) for media in offered for each in media.crypto)
            if offered and wanted and unanswered_secure(line):
                yield not_assessed(Subject("media", line.id), "N-OA", "the answer to the secure offer was not seen")

"""IMS-SSRC-008."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.keys.repeats import HELD
from imsinspect.rules.facts import frame_text, media_name, not_assessed, seen_from_start, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.keys import applies, key_name, keyed_lines
from imsinspect.rules.ssrc.sequences import continues, senders_of_parties
from imsinspect.trace.binding import canonical
from imsinspect.trace.model import ADDRESS_CHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES", "G2")


class _Side(NamedTuple):
    """What one party said of a line at one time."""

    party: bytes
    role: str
    media: Media
    frame: FrameId
    time: int


@rule(
    id="IMS-SSRC-008",
    name="key-kept-on-address-change",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("RFC 4568 §7.1.4",),
    follows=("IMS-SSRC-003",),
    needs=(CALLS,),
)
def key_kept_on_address_change(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """New media address but unchanged key.

    What it checks:
        Later offers and answers of a line with a=crypto in which a party names another address or port: its master key
        has to be another one too. A line that is held (address 0.0.0.0, port 0) does not move; what it names when it
        goes on is compared with what it named before. An ICE offer that only puts the selected candidate into its c=
        and m= lines moves nothing, and where the party's packets are seen to go on with their SSRC and their sequence
        numbers no index comes again.
    Why it matters:
        With a new address the receiver begins a new context with rollover counter 0. A sender that begins anew with the
        old key uses the old keystream again: whoever has both packets cancels it out.
    What the finding shows:
        Both frames with the addresses and the key's digest, and whether packets behind the move were seen.
    How to fix it:
        Generate a new master key for each offer or answer that names another address or port.
    When it is not assessed:
        T-MID: the capture begins inside the call, so that what the line named before is not known. N-KEY: the keys were
        masked before the capture was handed on.
    """
    kept: dict[tuple[str, bytes, FrameId | None], str] = {}
    for repeat in trace.key_repeats:
        if repeat.kind == ADDRESS_CHANGED:
            place = repeat.places[-1]
            kept[place.line, place.party, place.frame] = repeat.key
    told: set[tuple[object, ...]] = set()  # hops that carry the same description on are one object
    calls = {call.id: call for call in trace.calls}
    for name, lines in keyed_lines(trace, scene).items():
        call = calls[name]
        if not applies(scene, name, PROFILES):
            continue
        for keyed in lines:
            line = keyed.line
            for before, after in _moves(line):
                key = kept.get((line.id, after.party, after.frame))
                if key is None and (_masked(before.media) or _masked(after.media)):
                    yield not_assessed(
                        Subject("media", line.id), "N-KEY", "the keys were masked before the capture was handed on"
                    )
                elif key is None or _selected(before.media, after.media) or _goes_on(trace, scene, line, after):
                    yield Outcome("pass", Subject("media", line.id))
                elif (key, after.role, _address(after.media)) not in told:
                    told.add((key, after.role, _address(after.media)))
                    yield _found(trace, scene, call, line, before, after, key)
            if not seen_from_start(call) and _in_dialog(line.states[0]):
                reason = "the capture begins inside the call: what the line named before is not known"
                yield not_assessed(Subject("media", line.id), "T-MID", reason)


def _in_dialog(state: LineState) -> bool:
    sip = state.negotiation.offer.message.sip
    return bool(sip.method and sip.to_tag)


def _moves(line: MediaLine) -> Iterator[tuple[_Side, _Side]]:
    """What a party said before and after it changed its address or port."""
    latest: dict[bytes, _Side] = {}
    for state in line.states if len(line.states) > 1 else ():
        for side in _sides(state):
            if not side.media.port or side.media.connection in HELD:
                continue
            before = latest.get(side.party)
            if before is not None and _address(before.media) != _address(side.media):
                yield before, side
            latest[side.party] = side


def _sides(state: LineState) -> Iterator[_Side]:
    negotiation = state.negotiation
    offer, answer = negotiation.offer.message, negotiation.answer
    yield _Side(negotiation.offerer_tag, "offerer", state.offered, offer.frame, offer.time)
    if state.answered is not None and answer is not None:
        message = answer.message
        yield _Side(negotiation.answerer_tag, "answerer", state.answered, message.frame, message.time)


def _address(media: Media) -> tuple[bytes, int]:
    return media.connection, media.port


def _masked(media: Media) -> bool:
    return any(crypto.masked for crypto in media.crypto)


def _selected(old: Media, new: Media) -> bool:
    """ICE goes on, and the new address was a candidate before (RFC 8839 §4.4)."""
    if b"\na=candidate:" not in old.section.text:
        return False
    fragment = b"ice-ufrag"
    one, other = (old.attribute(fragment), new.attribute(fragment))
    if one is not None and other is not None and one.value != other.value:
        return False
    known = {(canonical(each.address), each.port) for each in old.candidates}
    return (canonical(new.connection), new.port) in known


def _goes_on(trace: Trace, scene: Scene, line: MediaLine, after: _Side) -> bool:
    """All senders of the party with packets on both sides of the move go on with their numbers, and no other begins."""
    own = senders_of_parties(trace, scene).get((line.id, after.party), [])
    seen = [continues(each.streams, after.time) for each in own if each.streams[-1].last.time > after.time]
    return bool(seen) and all(seen)


def _found(
    trace: Trace, scene: Scene, call: Call, line: MediaLine, before: _Side, after: _Side, key: str
) -> Outcome:  # fmt: skip
    own = senders_of_parties(trace, scene).get((line.id, after.party), [])
    later = [each for each in own if each.streams[-1].last.time > after.time]
    seen = (
        "Packets of the sender behind the move do not go on with its SSRC and numbers."
        if later
        else "Not seen: packets of the sender behind the move."
    )
    one, other = (f"{text(each.media.connection)}:{each.media.port}" for each in (before, after))
    name = key_name(key)
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="proven",
        title="Media moved to another address with its old key",
        message=(
            f"The {after.role} of {frame_text(trace, after.frame)} moves {text(after.media.type)} line {line.index} of "
            f"{call.id} from {one} ({frame_text(trace, before.frame)}) to {other} and keeps {name}. The receiver "
            "begins a new context with rollover counter 0; a sender that begins anew too uses the old keystream again, "
            f"which whoever has both packets cancels out. {seen}"
        ),
        evidence=(
            Evidence(before.frame, f"SDP m= line {line.index}, a=crypto", f"{one}, {name}", "the first address"),
            Evidence(
                after.frame, f"SDP m= line {line.index}, a=crypto", f"{other}, {name}", "a new key with a new address"
            ),
        ),
        role=after.role,
        media=media_name(after.media),
        fact=key,
        normalised=("another address under the same key", "a new key with a new address"),
    )

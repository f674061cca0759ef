"""Keys that come again where a new one is due: for the other direction, on another line, in another call, in a re-key.

RFC 4568 §6.1 and §7.1.4, RFC 3711 §9.1. Legs of one call, which carry the same description on, are not other calls.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.trace.model import KeyPlace, KeyRepeat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

BOTH_DIRECTIONS, LINES, CALLS, KEPT, UNCHANGED = (
    "both directions", "lines", "calls", "address changed", "re-key changed nothing",
)  # fmt: skip
MAX_PLACES = 50  # named for one key


def repeats(trace: Trace) -> list[KeyRepeat]:
    """All repetitions, by key in the order of the trace's keys."""
    legs = _legs(trace.calls)
    lines = {line.id: line for call in trace.calls for line in call.lines}
    kept = _kept(trace.calls)
    places: dict[str, list[KeyPlace]] = {}
    for key in trace.keys:
        places.setdefault(key.digest, []).extend(key.places)
    out: list[KeyRepeat] = []
    for digest, some in places.items():
        out += _of_key(digest, some, lines, legs)
        out += kept.get(digest, ())
    return out


def _legs(calls: list[Call]) -> dict[str, str]:
    """One name for all legs of a call."""
    names: dict[str, str] = {}
    for call in calls:
        name = next((names[each] for each in call.related if each in names), call.id)
        names[call.id] = names.get(call.id, name)
        for each in call.related:
            names.setdefault(each, names[call.id])
    return names


def _of_key(
    digest: str, places: list[KeyPlace], lines: dict[str, MediaLine], legs: dict[str, str]
) -> Iterator[KeyRepeat]:
    named = [place for place in places if place.kind == "sdes" and place.line]
    by_call: defaultdict[str, list[KeyPlace]] = defaultdict(list)
    for place in named:
        by_call[legs.get(place.call, place.call)].append(place)
    for some in by_call.values():
        parties: defaultdict[str, dict[bytes, KeyPlace]] = defaultdict(dict)
        for place in some:
            parties[place.line].setdefault(place.party, place)
        for both in parties.values():
            if len(both) > 1:
                yield KeyRepeat(BOTH_DIRECTIONS, digest, tuple(both.values())[:MAX_PLACES])
                break
        of_party: defaultdict[tuple[str, bytes], dict[int, KeyPlace]] = defaultdict(dict)
        for place in some:
            of_party[place.call, place.party].setdefault(lines[place.line].index, place)
        for indices in of_party.values():
            if len(indices) > 1 and not _one_session([lines[place.line] for place in indices.values()]):
                yield KeyRepeat(LINES, digest, tuple(indices.values())[:MAX_PLACES])
                break
    if len(by_call) > 1:
        yield KeyRepeat(CALLS, digest, tuple(some[0] for some in by_call.values())[:MAX_PLACES])


def _one_session(lines: list[MediaLine]) -> bool:
    """Bundled lines are one RTP session (RFC 9143 §7): they announce one address."""
    ends = {(state.offered.connection, state.offered.port) for line in lines for state in line.states[:1]}
    return len(ends) == 1


def _kept(calls: list[Call]) -> dict[str, list[KeyRepeat]]:
    """Keys that a later negotiation kept, although it moved the media or wrote its crypto lines anew; by digest."""
    out: defaultdict[str, list[KeyRepeat]] = defaultdict(list)
    for call in calls:
        for line in call.lines:
            latest: dict[bytes, tuple[Media, LineState]] = {}
            for state in line.states:
                for party, media, _ in _sides(state):
                    before = latest.get(party)
                    if before is not None:
                        for kind, digest, places in _compared(line, party, before, (media, state)):
                            out[digest].append(KeyRepeat(kind, digest, places))
                    latest[party] = media, state
    return out


def _sides(state: LineState) -> Iterator[tuple[bytes, Media, int]]:
    negotiation = state.negotiation
    yield negotiation.offerer_tag, state.offered, negotiation.offer.message.frame
    if state.answered is not None and negotiation.answer is not None:
        yield negotiation.answerer_tag, state.answered, negotiation.answer.message.frame


def _compared(
    line: MediaLine, party: bytes, before: tuple[Media, LineState], after: tuple[Media, LineState]
) -> Iterator[tuple[str, str, tuple[KeyPlace, ...]]]:
    old, new = before[0], after[0]
    if not old.port or not new.port:
        return
    moved = (old.connection, old.port) != (new.connection, new.port)
    # Lines that an offer gave up after another one was chosen are no re-key, nor is the new numbering of those left
    offers = party == after[1].negotiation.offerer_tag  # an answer takes its tags from the offer
    rewritten = len(old.crypto) == len(new.crypto) and any(
        (offers and one.tag != other.tag) or (one.suite, one.session_params) != (other.suite, other.session_params)
        for one, other in zip(old.crypto, new.crypto, strict=True)
    )
    if not moved and not rewritten:
        return
    known = {key.key_salt: crypto.tag for crypto in old.crypto for key in crypto.keys}
    frames = [
        next(frame for tag, media, frame in _sides(state) if media is side and tag == party)
        for side, state in (before, after)
    ]
    for crypto in new.crypto:
        for key in crypto.keys:
            if key.key_salt in known:
                tags = known[key.key_salt], crypto.tag
                places = tuple(
                    KeyPlace("sdes", frame, f"a=crypto:{tag}", line.call, line.id, party)
                    for frame, tag in zip(frames, tags, strict=True)
                )
                yield KEPT if moved else UNCHANGED, hashlib.sha256(key.key_salt).hexdigest(), places
                return

"""Keys that come again where a new one is due: for the other direction, on another line, in another call, in a re-key.

RFC 4568 §6.1 and §7.1.4, RFC 3711 §9.1. Legs of one call, which carry the same description on, are not other calls.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.keys.sdes import FEC_KEY
from imsinspect.trace.model import (
    ADDRESS_CHANGED,
    BOTH_DIRECTIONS,
    BUNDLED_LINES,
    CALLS,
    LINES,
    REKEY_CHANGED_NOTHING,
    KeyPlace,
    KeyRepeat,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from dissectors.sdp.parse import Media
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

HELD = frozenset((b"0.0.0.0", b"::"))  # addresses of a line that is held (RFC 3264 §8.4)
MAX_PLACES = 50  # named for one key
RESENT = 32_000_000_000  # ns in which an offer that failed is sent again (RFC 3261 Timer B; rules.md 0.10)
AT_ONCE = 2_000_000_000  # ns in which a server sends one offer to several targets
MAX_SECTIONS = 16  # of one offer that are looked at


def repeats(trace: Trace, not_applied: Mapping[str, Sequence[KeyPlace]] | None = None) -> list[KeyRepeat]:
    """All repetitions, by key in the order of the trace's keys; then of keys that can't be applied."""
    lines = {line.id: line for call in trace.calls for line in call.lines}
    kept = _kept(trace.calls)
    places: dict[str, list[KeyPlace]] = {}
    for key in trace.keys:
        places.setdefault(key.digest, []).extend(key.places)
    for digest, some in (not_applied or {}).items():
        places.setdefault(digest, []).extend(some)
    several = any(len({place.call for place in found}) > 1 for found in places.values())
    sessions = sessions_of(trace.calls) if several else {}
    out: list[KeyRepeat] = []
    for digest, found in places.items():
        out += _of_key(digest, found, lines, sessions)
        out += kept.get(digest, ())
    return out


# --- which calls are one session ------------------------------------------------------------------


def sessions_of(calls: list[Call]) -> dict[str, str]:
    """One name for all calls of a session, by the id of the call.

    Legs are one, one offer that goes to several targets, at once or after it failed, under Call-IDs of their own, and
    a call that replaces another.
    """
    above: dict[str, str] = {call.id: call.id for call in calls}

    def find(name: str) -> str:
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    for one, other in _joined(calls):
        above[find(other)] = find(one)
    return {name: find(name) for name in above}


def _joined(calls: list[Call]) -> Iterator[tuple[str, str]]:
    by_call_id = {call.call_id: call.id for call in calls}
    newest: dict[Hashable, Call] = {}  # by what its offer says
    for call in sorted(calls, key=lambda each: each.first_time):
        for name in call.related:
            yield call.id, name
        invite = call.messages[0].sip if call.messages else None
        if invite is not None and invite.method == b"INVITE" and b"\nreplaces:" in invite.head.lower():
            for value in invite.header(b"replaces")[:1]:
                replaced = by_call_id.get(value.partition(b";")[0].strip())
                if replaced is not None:
                    yield replaced, call.id
        for origin, said in _said(call):
            before = newest.get(said)
            if before is not None and _again(before, call, origin=origin):
                yield before.id, call.id
            newest[said] = call


def _said(call: Call) -> Iterator[tuple[bool, Hashable]]:
    """What two offers have in common only where one is the other: the o= line, and media address with its key."""
    if not call.negotiations:
        return
    offer = call.negotiations[0].offer.sdp
    if offer.origin.sess_id.strip(b"0"):
        yield True, offer.origin[:2] + offer.origin[5:]
    for media in offer.media[:MAX_SECTIONS]:
        if media.port and b"\na=crypto:" in media.section.text:
            keys = tuple(key.key_salt for crypto in media.crypto for key in crypto.keys)
            if keys:
                yield False, (media.connection, media.port, keys[0])


def _again(before: Call, call: Call, *, origin: bool) -> bool:
    """Whether a call is one more attempt with an offer: an address serves one call at a time, an o= line one offer."""
    if before.state in ("failed", "cancelled") and call.first_time - before.last_time <= RESENT:
        return True
    if origin:
        return call.first_time - before.first_time <= AT_ONCE
    return call.first_time < before.last_time


# --- where keys repeat ----------------------------------------------------------------------------


def _of_key(
    digest: str, places: list[KeyPlace], lines: dict[str, MediaLine], sessions: dict[str, str]
) -> Iterator[KeyRepeat]:
    named = [place for place in places if place.kind == "sdes" and place.line]
    if len(named) < 2:
        return
    by_session: defaultdict[str, list[KeyPlace]] = defaultdict(list)
    for place in named:
        by_session[sessions.get(place.call, place.call)].append(place)
    for some in by_session.values():
        parties: defaultdict[str, dict[bytes, KeyPlace]] = defaultdict(dict)
        for place in some:
            parties[place.line].setdefault(place.party, place)
        for both in parties.values():
            if len(both) > 1:
                yield KeyRepeat(BOTH_DIRECTIONS, digest, tuple(both.values())[:MAX_PLACES])
                break
        yield from _of_lines(digest, some, lines)
    if len(by_session) > 1:
        yield KeyRepeat(CALLS, digest, tuple(some[0] for some in by_session.values())[:MAX_PLACES])


def _of_lines(digest: str, places: list[KeyPlace], lines: dict[str, MediaLine]) -> Iterator[KeyRepeat]:
    """The lines, and streams of error correction, that one party of a session protects with one key."""
    of_party: defaultdict[tuple[str, bytes], dict[tuple[int, bool], KeyPlace]] = defaultdict(dict)  # on each hop
    for place in places:
        line = lines[place.line]
        if _in_use(line):
            hop = line.id.rpartition("/")[0]
            of_party[hop, place.party].setdefault((line.index, place.field.endswith(FEC_KEY)), place)
    for streams in of_party.values():
        if len(streams) > 1:
            of_lines = {lines[place.line].index: lines[place.line] for place in streams.values()}
            bundled = len(of_lines) == len(streams) and _one_session(list(of_lines.values()))
            yield KeyRepeat(BUNDLED_LINES if bundled else LINES, digest, tuple(streams.values())[:MAX_PLACES])
            return


def _in_use(line: MediaLine) -> bool:
    """The line was not refused each time that it was offered."""
    return any(
        state.accepted or (state.answered is None and (state.offered.port or state.offered.bundle_only))
        for state in line.states
    )


def _one_session(lines: list[MediaLine]) -> bool:
    """Bundled lines are one RTP session (RFC 9143 §7): a group holds them, or they announce one address."""
    ends = {(state.offered.connection, state.offered.port) for line in lines for state in line.states[:1]}
    return len(ends) == 1 or all(_answered_group(line) == _answered_group(lines[0]) != b"" for line in lines)


def _answered_group(line: MediaLine) -> bytes:
    """The group of a bundle that a line's newest answer puts it in; of several, the mid of its leader."""
    for state in reversed(line.states):
        if state.answered is not None and state.negotiation.answer is not None:
            mid = state.answered.mid
            groups = state.negotiation.answer.sdp.bundle_groups
            return next((group[0] for group in groups if mid and mid in group), b"")
    return b""


def _kept(calls: list[Call]) -> dict[str, list[KeyRepeat]]:
    """Keys that a later negotiation kept, although it moved the media or wrote its crypto lines anew; by digest."""
    out: defaultdict[str, list[KeyRepeat]] = defaultdict(list)
    for call in calls:
        for line in call.lines:
            latest: dict[bytes, tuple[Media, LineState]] = {}
            for state in line.states:
                for party, media, _ in _sides(state):
                    if not media.port or media.connection in HELD:
                        continue  # where it goes on is compared with where it was before
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
                yield (
                    ADDRESS_CHANGED if moved else REKEY_CHANGED_NOTHING,
                    hashlib.sha256(key.key_salt).hexdigest(),
                    places,
                )
                return

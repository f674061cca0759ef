"""IMS-SSRC-006."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from imsinspect.rules.facts import SECOND, calls_by_id, counted, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.keys import (
    MASKED,
    NAMED,
    applies,
    frames_text,
    key_evidence,
    key_name,
    keyed_lines,
    lines_by_id,
    media_at,
    state_of,
)
from imsinspect.rules.ssrc.participants import members_by_call
from imsinspect.trace.model import CALLS as IN_CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, KeyPlace, KeyRepeat, MediaLine, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES", "G2")
EXPECTED = "a fresh key for each call"


@rule(
    id="IMS-SSRC-006",
    name="key-reused-across-calls",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("RFC 4568 §6.1", "RFC 3711 §9.1", "TR 33.829 §5.1.3"),
    follows=("IMS-SSRC-003",),
    needs=(CALLS,),
)
def key_reused_across_calls(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """One SDES key appears in unrelated calls.

    What it checks:
        The master keys and salts that calls of different Call-ID carry. Calls are taken for one where they are legs
        (Session-ID, icid-value, o= line, or the keys of both sides carried on), where one offer goes to several
        targets, at once or within 32 seconds after it failed (the same o= line, or the same media address and key), and
        where one replaces the other. One key of several participants of a conference is the object of IMS-SSRC-005; a
        participant who comes back with a key is told of here and by IMS-CONF-005.
    Why it matters:
        A key that comes again was not made fresh: the generator is broken, or the key is configured. Whoever learns
        it reads all calls that it protects, recorded ones too, and streams of equal SSRC use one keystream.
    What the finding shows:
        The calls with the frames and times in which the key stands, who sent it (address and User-Agent), and the
        digest of the key.
    How to fix it:
        Generate master key and salt anew for each session, from a generator that is seeded well. Look for keys in the
        configuration, and for devices that were cloned with the state of their generator.
    When it is not assessed:
        N-KEY: the keys were masked in the capture. N-SIP, N-OA: the descriptions could not be read or passed before
        the capture began. Of a single call nothing can be said.
    """
    calls = calls_by_id(trace)
    guilty: set[str] = set()
    for repeat in trace.key_repeats:
        if repeat.kind != IN_CALLS:
            continue
        named = [place for place in repeat.places if applies(scene, place.call, PROFILES)]
        unrelated = _unrelated(named, members_by_call(trace, scene))
        if len(unrelated) > 1:
            guilty |= {place.call for place in unrelated}
            yield _reused(trace, scene, repeat, unrelated)
    keyed = {call: lines for call, lines in keyed_lines(trace, scene).items() if applies(scene, call, PROFILES)}
    if len({min((call, *calls[call].related)) for call in keyed}) < 2:
        return
    for call, each in keyed.items():
        if call in guilty:
            continue
        if any(line.masked for line in each):
            yield not_assessed(Subject("call", call), "N-KEY", MASKED)
        else:
            yield Outcome("pass", Subject("call", call))


def _unrelated(places: list[KeyPlace], members: dict[str, tuple[str, int]]) -> list[KeyPlace]:
    """Places of calls that are no legs of one conference to different participants, which IMS-SSRC-005 is about."""
    if len({members[place.call][0] if place.call in members else place.call for place in places}) > 1:
        return places
    counts = Counter(members.get(place.call) for place in places)
    return [place for place in places if counts[members.get(place.call)] > 1]


def _reused(trace: Trace, scene: Scene, repeat: KeyRepeat, places: list[KeyPlace]) -> Outcome:
    calls, lines = calls_by_id(trace), lines_by_id(trace, scene)
    names = [place.call for place in places]
    shown = " and ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    owners = list(dict.fromkeys(_owner(lines, place) for place in places))
    begun = [calls[name].first_time for name in names]
    apart = (max(begun) - min(begun)) / SECOND
    return Outcome(
        "violation",
        Subject("call", names[1]),
        confidence="strong",
        title=f"One key in {counted(len(names), 'call')}",
        message=(
            f"Master key {key_name(repeat.key)} stands in {shown}, in {frames_text(trace, places)}, {apart:.0f} s "
            f"apart, sent by {' and '.join(owners[:NAMED])}. It was not made fresh: whoever learns it reads all of "
            "these calls, and streams of equal SSRC use one keystream. Nothing was seen that makes them legs of one "
            "call."
        ),
        evidence=key_evidence(places, repeat.key, lines, EXPECTED),
        role=_role(lines, places[0]),
        media=media_at(places, lines),
        fact=repeat.key,
        normalised=("one key in several calls", EXPECTED),
    )


def _role(lines: dict[str, tuple[Call, MediaLine]], place: KeyPlace) -> str:
    found = state_of(lines[place.line][1], place.frame)
    return found[1] if found else ""


def _owner(lines: dict[str, tuple[Call, MediaLine]], place: KeyPlace) -> str:
    """Who sent a key: address, and what it calls itself."""
    found = state_of(lines[place.line][1], place.frame)
    if found is None:
        return "an unknown sender"
    state, role = found
    said = state.negotiation.offer if role == "offerer" else state.negotiation.answer
    if said is None:
        return "an unknown sender"
    agents = said.message.sip.header(b"user-agent") or said.message.sip.header(b"server")
    return f"{said.message.source.ip}" + (f" ({text(agents[0][:80])})" if agents else "")

"""IMS-SSRC-004."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, calls_by_id, media_names, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.keys import (
    MASKED,
    applies,
    frames_text,
    key_evidence,
    key_name,
    keyed_lines,
    lines_by_id,
    media_of,
    state_of,
)
from imsinspect.trace.model import BUNDLED_LINES, LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import KeyRepeat, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES", "G2", "TR-SDES")
EXPECTED = "a key of its own for each line"


@rule(
    id="IMS-SSRC-004",
    name="sdes-key-shared-between-lines",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 Annex G.1", "TR 33.829 §5.1.3", "RFC 4568 §6.1", "RFC 3711 §9.1"),
    follows=("IMS-SSRC-003",),
    needs=(CALLS,),
)
def sdes_key_shared_between_lines(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """One inline key used for several media lines.

    What it checks:
        The master keys and salts of all a=crypto lines that one side of a call sends, FEC_KEY included. Two media lines
        that are not refused must not carry one key, nor may media and its error correction. Lines of one bundle are one
        RTP session; a key that they share is still discouraged, and reported with severity low.
    Why it matters:
        SSRCs are chosen line by line. Where two lines of one key choose the same, packets of equal index are encrypted
        with one keystream: whoever sees both cancels it out.
    What the finding shows:
        The frames of the descriptions, the lines, and the digest of the key.
    How to fix it:
        Generate a master key and salt for each a=crypto line of a description.
    When it is not assessed:
        N-KEY: the keys were masked in the capture; a capture with its keys, or with consistent substitutes, would
        settle it. N-SIP, N-OA: the descriptions could not be read or passed before the capture began. A call of which
        each side keys only one line has nothing to share a key with.
    """
    shared: defaultdict[tuple[str, bytes], list[KeyRepeat]] = defaultdict(list)
    for repeat in trace.key_repeats:
        if repeat.kind in (LINES, BUNDLED_LINES):
            place = repeat.places[0]
            shared[place.call, place.party].append(repeat)
    for (call, _), repeats in shared.items():
        if applies(scene, call, PROFILES):
            yield _shared(trace, scene, call, repeats)
    calls = calls_by_id(trace)
    guilty = {name for call, _ in shared for name in (call, *calls[call].related)}
    for call, keyed in keyed_lines(trace, scene).items():
        if call in guilty or not applies(scene, call, PROFILES):
            continue
        several = any(
            len({each.line.index for each in keyed if party in each.parties}) > 1 for party in keyed[0].parties
        )
        if any(each.masked for each in keyed):
            if len({each.line.index for each in keyed}) > 1:
                yield not_assessed(Subject("call", call), "N-KEY", MASKED)
        elif several:
            yield Outcome("pass", Subject("call", call))


def _shared(trace: Trace, scene: Scene, call: str, repeats: list[KeyRepeat]) -> Outcome:
    lines = lines_by_id(trace, scene)
    places = [place for repeat in repeats for place in repeat.places]
    reused = {reuse.key for reuse in trace.keystream_reuse}
    bundled = all(repeat.kind == BUNDLED_LINES for repeat in repeats)
    names = list(dict.fromkeys(media_of(lines[place.line][1]) for place in places))
    what = " and ".join(names[:4]) if len(names) > 1 else f"{names[0]} and its error correction"
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    keys = ", ".join(dict.fromkeys(key_name(repeat.key) for repeat in repeats[:4]))
    found = state_of(lines[places[0].line][1], places[0].frame)
    role = found[1] if found else ""
    consequence = (
        "The lines are bundled into one RTP session, which keeps their SSRCs apart as long as both sides heed it."
        if bundled
        else "Where streams of both choose one SSRC, packets of equal index use one keystream."
    )
    return Outcome(
        "violation",
        Subject("call", call),
        severity=Severity.LOW if bundled else None,
        title="One key for several bundled lines" if bundled else "One key for several media lines",
        message=(
            f"The {role or 'sender'} protects {what}{more} of {call} with one master key ({keys}), in "
            f"{frames_text(trace, places)}. {consequence} Not checked: whether SSRCs meet."
        ),
        evidence=tuple(each for repeat in repeats for each in key_evidence(repeat.places, repeat.key, lines, EXPECTED))[
            :MAX_EVIDENCE
        ],
        role=role,
        media=media_names(names),
        fact=next((repeat.key for repeat in repeats if repeat.key in reused), repeats[0].key),
        normalised=("one key on several bundled lines" if bundled else "one key on several lines", EXPECTED),
    )

"""IMS-SSRC-007."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import not_assessed
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
)
from imsinspect.trace.model import BOTH_DIRECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import KeyRepeat, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES", "G2", "TR-SDES")
EXPECTED = "a key of its own for each direction"


@rule(
    id="IMS-SSRC-007",
    name="offer-answer-same-key",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=PROFILES,
    references=("RFC 4568 §7.1.2", "TR 33.829 §5.1.3"),
    follows=("IMS-SSRC-003",),
    needs=(CALLS,),
)
def offer_answer_same_key(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Answer returns the offerer's key.

    What it checks:
        The master keys and salts that both sides of a media line send in offers and answers, of all negotiations of a
        dialog: no key of one side may be one of the other's. Descriptions in error responses, in OPTIONS and in
        sipfrag bodies are no answers.
    Why it matters:
        Each side encrypts with the key that it sends. With one key both directions use one keystream as soon as their
        SSRCs are equal, and anyone can send a packet back to who sent it: its tag verifies.
    What the finding shows:
        The frames of offer and answer, the line, and the digest of the key.
    How to fix it:
        Let the answerer generate a master key and salt of its own. Look for an answerer, or a gateway between, that
        copies the offer's a=crypto line.
    When it is not assessed:
        N-OA: the answer to an offer with keys was not seen. N-KEY: the keys were masked in the capture. N-SIP: the
        signalling could not be read.
    """
    lines = lines_by_id(trace, scene)
    guilty: set[str] = set()  # lines
    legs: set[str] = set()  # calls that carry on what a guilty line says
    for repeat in trace.key_repeats:
        place = repeat.places[0]
        if repeat.kind == BOTH_DIRECTIONS and place.line not in guilty:
            guilty.add(place.line)
            legs.update(lines[place.line][0].related)
            if applies(scene, place.call, PROFILES):
                yield _reflected(trace, scene, repeat)
    for call, keyed in keyed_lines(trace, scene).items():
        if call in legs or not applies(scene, call, PROFILES):
            continue
        for each in keyed:
            subject = Subject("media", each.line.id)
            if each.line.id in guilty:
                continue
            if each.masked:
                yield not_assessed(subject, "N-KEY", MASKED)
            elif each.complete:
                yield Outcome("pass", subject)
            elif not each.answered and lines[each.line.id][0].state not in ("failed", "cancelled"):
                yield not_assessed(subject, "N-OA", "the answer to an offer with keys was not seen")


def _reflected(trace: Trace, scene: Scene, repeat: KeyRepeat) -> Outcome:
    lines = lines_by_id(trace, scene)
    place = repeat.places[0]
    media = media_of(lines[place.line][1])
    return Outcome(
        "violation",
        Subject("media", place.line),
        title="Offer and answer carry the same key",
        message=(
            f"Both sides of {media} of {place.call} sent one master key, {key_name(repeat.key)}, in "
            f"{frames_text(trace, repeat.places)}. Both directions are encrypted with it: streams of equal SSRC use "
            "one keystream, and packets can be sent back to their sender. Not checked: whether SSRCs and indices meet."
        ),
        evidence=key_evidence(repeat.places, repeat.key, lines, EXPECTED),
        role="answerer",
        media=media,
        direction="both",
        fact=repeat.key,
        normalised=("one key in offer and answer", EXPECTED),
    )

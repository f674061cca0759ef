"""IMS-SSRC-012."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.ssrc.keys import MASKED, applies, key_name, keyed_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, Trace

PROFILES = ("E2AE-RTP", "E2E-SDES", "G2")
PREFIX = 16  # octets of the shortest master key: lines that begin alike share it


@rule(
    id="IMS-SSRC-012",
    name="key-shared-between-tags",
    severity=Severity.MEDIUM,
    tier=3,
    profiles=PROFILES,
    references=("RFC 4568 §6.1",),
    needs=(CALLS,),
)
def key_shared_between_tags(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Several crypto lines of one stream offer the same key.

    What it checks:
        The a=crypto lines of one media line in one description: two tags whose keys are equal, or of which one begins
        with the other, as where a long key is cut for a suite with a shorter one.
    Why it matters:
        Every master key has to be unique in the description. One key under two suites lets an attack on the weaker one
        open what the stronger one protects, and whoever changes the suite on the way knows that the key still fits.
    What the finding shows:
        The frame, the tags with their suites, and the digests of the keys.
    How to fix it:
        Generate a key for each a=crypto line.
    When it is not assessed:
        N-KEY: the keys were masked before the capture was handed on.
    """
    calls = {call.id: call for call in trace.calls}
    told: set[tuple[str, str]] = set()
    for name, lines in keyed_lines(trace, scene).items():
        if applies(scene, name, PROFILES):
            for keyed in lines:
                for outcome in _of_line(trace, calls[name], keyed.line):
                    # Hops and legs that carry the same lines on are one object.
                    if outcome.verdict != "violation" or (outcome.media, outcome.fact) not in told:
                        told.add((outcome.media, outcome.fact))
                        yield outcome


def _of_line(trace: Trace, call: Call, line: MediaLine) -> Iterator[Outcome]:
    """One outcome for each party that offers or answers several lines: the first that shares a key, if any."""
    subject = Subject("media", line.id)
    parties: dict[tuple[bytes, str], Outcome] = {}
    for state in line.states:
        negotiation = state.negotiation
        sides = [(negotiation.offerer_tag, "offerer", state.offered, negotiation.offer.message.frame)]
        if state.answered is not None and negotiation.answer is not None:
            sides.append((negotiation.answerer_tag, "answerer", state.answered, negotiation.answer.message.frame))
        for party, role, media, frame in sides:
            if media.section.text.count(b"\na=crypto:") < 2:
                continue
            known = parties.get((party, role))
            if known is not None and known.verdict == "violation":
                continue
            shared = _shared(media)
            if shared:
                parties[party, role] = _found(trace, call, line, media, role, frame, shared)
            elif any(crypto.masked for crypto in media.crypto):
                parties[party, role] = not_assessed(subject, "N-KEY", MASKED)
            elif known is None and sum(bool(crypto.keys) for crypto in media.crypto) > 1:
                parties[party, role] = Outcome("pass", subject)
    yield from parties.values()


def _shared(media: Media) -> list[tuple[int, str, str]]:
    """Tags whose keys are equal or begin alike, with their suites and digests; the first such group."""
    groups: dict[bytes, dict[int, tuple[str, str]]] = {}
    for crypto in media.crypto:
        suite = crypto.crypto_suite
        for key in crypto.keys:
            if len(key.key_salt) >= PREFIX:
                tags = groups.setdefault(key.key_salt[:PREFIX], {})
                tags.setdefault(crypto.tag, (suite.name if suite is not None else "unknown suite", key.digest))
    for tags in groups.values():
        if len(tags) > 1:
            return [(tag, suite, digest) for tag, (suite, digest) in tags.items()]
    return []


def _found(
    trace: Trace, call: Call, line: MediaLine, media: Media, role: str, frame: FrameId,
    shared: list[tuple[int, str, str]],
) -> Outcome:  # fmt: skip
    named = " and ".join(f"{tag} ({suite}, {key_name(digest)})" for tag, suite, digest in shared)
    equal = len({digest for _, _, digest in shared}) == 1
    what = "the same key" if equal else "one master key with other octets behind it"
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="proven",
        title="One key under several crypto tags",
        message=(
            f"The a=crypto lines {named} of {text(media.type)} line {line.index} of {call.id}, by the {role} in "
            f"{frame_text(trace, frame)}, carry {what}. A weakness of one suite opens what the other protects. Not "
            "seen: packets under both suites."
        ),
        evidence=tuple(
            Evidence(frame, f"SDP a=crypto:{tag}", f"{suite}, {key_name(digest)}", "a key of its own")
            for tag, suite, digest in shared
        ),
        role=role,
        media=media_name(media),
        fact=" ".join(f"{tag}:{digest}" for tag, _, digest in shared),
        normalised=("one key under several tags", "a key for each tag"),
    )

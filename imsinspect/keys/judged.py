"""Judgements that proofs settle: what was shown by sizes and structure is proven where keys verify or fail.

rules.md 0.7: keyed is proven. A stream is protected where tags verify. It is in clear where they fail under every
candidate key and payloads read as clear.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imsinspect.trace.model import Judgement
from imsinspect.trace.proof_words import PLAIN, TAG_CUT

if TYPE_CHECKING:
    from imsinspect.trace.model import MediaStream, Proof, Trace

KEYED = "keyed"
SHOWN = 8


def settle(trace: Trace) -> None:
    """Put what keys prove into the judgements of all streams."""
    for stream in trace.streams:
        if stream.proof is not None:
            stream.judgement = _settled(stream, stream.proof)


def _settled(stream: MediaStream, proof: Proof) -> Judgement:
    known = stream.judgement
    authentic = sum(use.packets for use in proof.uses)
    if authentic:
        protected = _protected(known, proof, authentic)
        return replace(protected, other_part=_clear(stream, proof) if proof.failed else None)
    if proof.diagnosis == PLAIN:
        return _clear(stream, proof) or known
    if proof.diagnosis == TAG_CUT:
        return Judgement(
            "srtp",
            "strong",
            (KEYED,),
            "payloads that the agreed key decrypts, without tags",
            "a tag behind each payload",
            _frames(proof),
            proof.failed,
        )
    return known


def _protected(known: Judgement, proof: Proof, authentic: int) -> Judgement:
    frames = proof.uses[0].first, max(use.last for use in proof.uses)
    if known.kind == "srtp":
        return replace(known, confidence="proven", tests=(KEYED, *known.tests), frames=frames, packets=authentic)
    part = known.other_part
    if part is not None and part.kind == "srtp":
        return replace(part, confidence="proven", tests=(KEYED, *part.tests), frames=frames, packets=authentic)
    return Judgement(
        "srtp",
        "proven",
        (KEYED,),
        f"tags that verify with key {proof.key[:SHOWN]}",
        "no tag",
        frames,
        authentic,
    )


def _clear(stream: MediaStream, proof: Proof) -> Judgement | None:
    """The packets in clear of a stream that has keys; None where nothing shows any."""
    known, part = stream.judgement, stream.judgement.other_part
    shown = known if known.kind == "rtp" else part if part is not None and part.kind == "rtp" else None
    if shown is not None and not proof.in_clear:  # no tag verifies, yet content does not read as clear either
        return replace(shown, other_part=None)
    if shown is not None:
        return replace(shown, confidence="proven", tests=(KEYED, *shown.tests), other_part=None)
    if not proof.in_clear:
        return None
    return Judgement(
        "rtp",
        "strong",
        (KEYED,),
        "payloads that read as clear and that no key verifies",
        "a tag that the agreed key verifies",
        _frames(proof),
        proof.in_clear,
    )


def _frames(proof: Proof) -> tuple[int, ...]:
    ends = (proof.first_failed, proof.last_failed)
    return tuple(frame for frame in ends if frame is not None)

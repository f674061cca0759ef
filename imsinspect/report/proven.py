"""What keys prove about some senders, in a few words for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.trace.model import MediaLine, Proof

NAMED = 2  # diagnoses


def of_line(line: MediaLine) -> str:
    """What is proven of the media and of the RTCP of a line; "" where no key is known."""
    media = words((use.stream.proof for use in line.streams), "SRTP")
    control = words((use.stream.proof for use in line.rtcp), "SRTCP")
    return ", ".join(each for each in (media, control) if each)


def words(proofs: Iterable[Proof | None], what: str) -> str:
    """How many packets verify, and what is the matter with the others."""
    known = [proof for proof in proofs if proof is not None]
    packets = sum(proof.packets for proof in known)
    unchecked = sum(proof.unchecked for proof in known)
    if not packets:
        return f"{what}: {unchecked} packets without a tag to verify" if unchecked else ""
    good = sum(proof.packets - proof.failed for proof in known)
    diagnoses: Counter[str] = Counter()
    for proof in known:
        diagnoses.update(proof.diagnoses)
    reasons = [f"{count} {name}" for name, count in diagnoses.most_common(NAMED)]
    more = sum(count for _, count in diagnoses.most_common()[NAMED:])
    if more:
        reasons.append(f"{more} otherwise")
    told = f" ({', '.join(reasons)})" if reasons else ""
    return f"{what}: {good} of {packets} tags verify{told}"

"""Rules that the user demands an answer of: what they left open counts as a finding does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imsinspect.rules.outcome import Assessment

NO_SUBJECT = "it has no subject in the captures, or the policy switches it off"


@dataclass(slots=True, frozen=True)
class Unmet:
    """A rule that was to be assessed and was not, or not for all of its subjects."""

    rule: str
    gap: str  # code of rules.md; "" where there was no subject
    reason: str


def unmet(
    assessments: Sequence[Assessment], required: Iterable[str], tier_one: Iterable[str], *, strict: bool
) -> Iterator[Unmet]:
    """What is missing, a row for each rule and gap.

    A required rule must have decided something and left nothing open. With `strict` no rule of the first tier may
    leave anything open; one without a subject does not.
    """
    demanded = dict.fromkeys(required)
    decided = {row.rule for row in assessments if row.outcome != "not-assessed"}
    gaps: dict[str, list[Assessment]] = {}
    for row in assessments:
        if row.outcome == "not-assessed":
            gaps.setdefault(row.rule, []).append(row)
    for rule in {**demanded, **dict.fromkeys(tier_one if strict else ())}:
        for row in gaps.get(rule, ()):
            yield Unmet(rule, row.gap, row.reason)
        if rule in demanded and rule not in gaps and rule not in decided:
            yield Unmet(rule, "", NO_SUBJECT)

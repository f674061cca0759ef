"""Findings under the finding that they follow from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imsinspect.rules.outcome import Finding


@dataclass(slots=True)
class Group:
    """A finding, with what follows from it."""

    finding: Finding
    followers: list[Group] = field(default_factory=list)


def group(findings: Sequence[Finding]) -> list[Group]:
    """Roots in order of severity (the gravest of the group counts), then rule; each finding stands in one place.

    A follower whose root is not among the findings is a root itself. Followers of followers stand beside them, under
    the same root: no view nests deeper than one step. Findings that name one another in a circle stand under the first.
    """
    index = {finding.fingerprint: number for number, finding in enumerate(findings)}
    parents = [
        next((index[root] for root in finding.follows_from if index.get(root, number) != number), number)
        for number, finding in enumerate(findings)
    ]
    roots = _roots(parents)
    groups = {number: Group(findings[number]) for number, root in enumerate(roots) if root == number}
    for number, root in enumerate(roots):
        if root != number:
            groups[root].followers.append(Group(findings[number]))
    for each in groups.values():
        each.followers.sort(key=_order)
    return sorted(groups.values(), key=_order)


def leading(groups: Iterable[Group], most: int, of_a_rule: int) -> tuple[list[Group], Counter[str]]:
    """The groups that a bounded view shows, and how many it leaves out by the rule of their root."""
    shown: list[Group] = []
    seen: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for each in groups:
        rule = each.finding.rule
        seen[rule] += 1
        if seen[rule] > of_a_rule or len(shown) >= most:
            left[rule] += 1
        else:
            shown.append(each)
    return shown, left


def _roots(parents: Sequence[int]) -> list[int]:
    """The end of each chain of parents; of a circle, its lowest number."""
    roots: list[int | None] = [None] * len(parents)
    for start in range(len(parents)):
        path: dict[int, None] = {}
        number = start
        while roots[number] is None and number not in path:
            path[number] = None
            number = parents[number]
        known = roots[number]
        if known is None:  # a circle, or a finding that is its own parent
            circle = list(path)[list(path).index(number) :]
            known = min(circle)
        for passed in path:
            roots[passed] = known
    return [root if root is not None else number for number, root in enumerate(roots)]


def _order(each: Group) -> tuple[int, str]:
    gravest = max([each.finding.severity, *(follower.finding.severity for follower in each.followers)])
    return -gravest, each.finding.rule

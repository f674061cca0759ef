"""All rules, by id: for lists, pages and who names one. An audit loads the areas that it needs (areas.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.areas import areas, rules_of

if TYPE_CHECKING:
    from imsinspect.rules.rule import Rule

RULES: tuple[Rule, ...] = tuple(sorted((each for area in areas() for each in rules_of(area)), key=lambda each: each.id))

BY_ID: dict[str, Rule] = {each.id: each for each in RULES}

"""All rules, by id: found in the packages of this room, so that a new module is all that a new rule needs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from imsinspect.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def _found() -> Iterator[Rule]:
    """Rules of every module that is named by its area and number, such as `srtp/srtp_001_plain_rtp_on_savp`."""
    for area in iter_modules([str(HERE)]):
        if not area.ispkg:
            continue
        for module in iter_modules([str(HERE / area.name)]):
            if module.name.startswith(f"{area.name}_"):
                found = import_module(f"imsinspect.rules.{area.name}.{module.name}")
                yield from (each for each in vars(found).values() if isinstance(each, Rule))


RULES: tuple[Rule, ...] = tuple(sorted({each.id: each for each in _found()}.values(), key=lambda each: each.id))

BY_ID: dict[str, Rule] = {each.id: each for each in RULES}

"""The packages of rules, loaded where a trace has what they look at; a new module is all that a new rule needs."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from imsinspect.rules.needs import AGREEMENTS, BFCP, CONFERENCES, FLOOR_LINES, FLOORS, MIKEY, PAGES, REGISTRATIONS
from imsinspect.rules.rule import Rule

if TYPE_CHECKING:
    from imsinspect.rules.needs import Need

HERE = Path(__file__).parent

NEEDS: dict[str, tuple[Need, ...]] = {
    "bfcp": (FLOOR_LINES, FLOORS, BFCP),
    "conf": (CONFERENCES, MIKEY),
    "evt": (CONFERENCES,),
    "im": (PAGES,),
    "reg": (REGISTRATIONS, AGREEMENTS),
}
"""Areas none of whose rules has an object, nor a gap, where a trace has none of these. Others are always loaded."""


@cache
def areas() -> tuple[str, ...]:
    """The names of the packages."""
    return tuple(sorted(each.name for each in iter_modules([str(HERE)]) if each.ispkg))


@cache
def subject_of(area: str) -> str:
    """What the rules of an area are about, as its package says it: "SRTP and SRTCP"."""
    about = import_module(f"imsinspect.rules.{area}").__doc__ or ""
    return about.removeprefix("Rules about ").partition(" (IMS-")[0]


@cache
def rules_of(area: str) -> tuple[Rule, ...]:
    """The rules of every module that is named by its area and number, such as `srtp_001_plain_rtp_on_savp`; by id."""
    found: dict[str, Rule] = {}
    for module in iter_modules([str(HERE / area)]):
        if module.name.startswith(f"{area}_"):
            loaded = import_module(f"imsinspect.rules.{area}.{module.name}")
            found |= {each.id: each for each in vars(loaded).values() if isinstance(each, Rule)}
    return tuple(found[name] for name in sorted(found))

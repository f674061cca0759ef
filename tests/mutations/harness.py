"""Runs mutations: a clean capture, the same with one property broken, and the rules that tell them apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from tests import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOT_AREAS = frozenset(("__main__", "harness", "strangers", "test_mutations", "test_strangers"))


@dataclass(frozen=True)
class Mutation:
    """One property of a scenario, broken."""

    name: str  # in plain words
    scenario: Callable[..., Sequence[build.Packet]]
    change: dict[str, Any]  # arguments of the scenario
    kills: frozenset[str]  # rules that must fire
    follows: frozenset[str] = frozenset()  # rules that may fire because of it, by their pages or rules.md 19
    options: dict[str, Any] = field(default_factory=dict)  # of imsinspect.pipeline.Options


@dataclass(frozen=True)
class Killed:
    """What a mutation changed."""

    fired: frozenset[str]  # rules with more findings than on the clean capture
    expected: frozenset[str]
    allowed: frozenset[str]

    @property
    def right(self) -> bool:
        """Everything that must fire did, and nothing else."""
        return self.expected <= self.fired <= self.expected | self.allowed


def _found(packets: Sequence[build.Packet], options: dict[str, Any]) -> Counter[str]:
    audit = build.audit_bytes(build.pcap(packets), **options)
    failed = [note.text for note in audit.notes if note.text.startswith("rule ")]
    assert not failed, failed
    return Counter(each.rule for each in audit.findings)


_clean: dict[tuple[Callable[..., Sequence[build.Packet]], str], Counter[str]] = {}  # by scenario and options


def run(mutation: Mutation) -> Killed:
    """Audit the scenario clean and broken."""
    name = (mutation.scenario, repr(sorted(mutation.options.items())))
    if name not in _clean:
        _clean[name] = _found(mutation.scenario(), mutation.options)
    before = _clean[name]
    after = _found(mutation.scenario(**mutation.change), mutation.options)
    return Killed(frozenset(after - before), mutation.kills, mutation.follows)


def areas() -> list[str]:
    """The modules of mutations."""
    return [module.name for module in iter_modules([str(Path(__file__).parent)]) if module.name not in NOT_AREAS]


def mutations(area: str = "") -> Iterator[Mutation]:
    """All mutations, or those of one area."""
    for name in areas():
        if area in ("", name):
            yield from import_module(f"tests.mutations.{name}").MUTATIONS

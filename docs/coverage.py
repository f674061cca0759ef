"""Writes docs/coverage.md: what the layers cover of every registry, out of the registries that the packages declare.

python docs/coverage.py
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import dissectors  # noqa: E402  (found by the path above)

if TYPE_CHECKING:
    from dissectors.registry import Registry

PAGE = Path(__file__).with_name("coverage.md")
HEAD = """\
# What the layers cover

Made by `python docs/coverage.py` from the tables in the code; a test holds that it is up to date. *Decoded*: a layer or
a parser takes the entry apart to its last field. *Named*: the entry is a value that is shown by its name. *Raw*: the
octets are kept and shown as they are. What no registry has is shown as `unknown` with its number, octets kept.
"""


def registries() -> dict[str, tuple[Registry, ...]]:
    """The registries of each package, by its name."""
    found = {}
    for package in sorted(iter_modules(dissectors.__path__), key=lambda each: each.name):
        if package.ispkg and (Path(dissectors.__path__[0]) / package.name / "registries.py").exists():
            found[package.name] = import_module(f"dissectors.{package.name}.registries").REGISTRIES
    return found


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    rows = [
        (
            package,
            each.name,
            states.count("decoded"),
            states.count("named"),
            sum(one.startswith("raw") for one in states),
        )
        for package, several in registries().items()
        for each in several
        for states in [[each.state(code) for code in each.names]]
    ]
    parts.append("| package | registry | decoded | named | raw |\n|---|---|---|---|---|")
    parts[-1] += "".join(
        f"\n| {package} | {name} | {one} | {two} | {three} |" for package, name, one, two, three in rows
    )
    for package, several in registries().items():
        parts.append(f"\n## {package}")
        parts += [_registry(each) for each in several]
    return "\n".join(parts) + "\n"


def _registry(registry: Registry) -> str:
    lines = [f"\n### {registry.name}\n", f"Source: {registry.source}. Held by `{registry.test}`.\n"]
    lines += ["| entry | name | state |", "|---|---|---|"]
    lines += [
        f"| {_cell(code)} | {_cell(name)} | {_cell(registry.state(code))} |" for code, name in registry.names.items()
    ]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.replace("|", "\\|").replace("\n", " ") or "–"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

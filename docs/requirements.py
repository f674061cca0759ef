"""Writes docs/requirements.md: every requirement of the catalogue with its rule, its tests and its state.

    python docs/requirements.py

requirements.csv lists the requirements, not_observable.csv those of the documents that no capture can show; what is
done follows from the rules and tests that there are.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from imsinspect.rules.registry import BY_ID  # noqa: E402  (found by the path above)

HERE = Path(__file__).parent
PAGE = HERE / "requirements.md"
NAMED = re.compile(r"IMS-[A-Z0-9]{2,5}-\d{3}")
HEAD = """\
# The requirements

Made by `python docs/requirements.py`; a test holds that it is up to date. *Done*: the rule runs in every audit, with
tests from capture octets (what triggers it, what must stay silent, what leaves it not assessed) and with a mutation
that makes it fire. *Later*: not there yet.
"""


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one table."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tests() -> dict[str, list[str]]:
    """The test files of each rule: those that name its id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests" / "rules").rglob("test_*.py")):
        for name in sorted(set(NAMED.findall(path.read_text(encoding="utf-8")))):
            if path.parent.name.upper() == name.split("-")[1]:
                found[name].append(path.relative_to(ROOT).as_posix())
    return found


def state(row: dict[str, str]) -> str:
    """ "done", or "later" with the reason."""
    if row["id"] in BY_ID:
        return "done"
    return f"later: {row['reason']}" if row["reason"] else "later"


def page() -> str:
    """The whole page."""
    requirements, held = rows("requirements.csv"), tests()
    states = [state(row) for row in requirements]
    first = [each for row, each in zip(requirements, states, strict=True) if row["tier"] == "1"]
    parts = [
        HEAD,
        f"{states.count('done')} of {len(states)} are done, of tier 1 {first.count('done')} of {len(first)}.\n",
        "| requirement | severity | tier | profiles | state | tests |\n|---|---|---|---|---|---|",
    ]
    for row, each in zip(requirements, states, strict=True):
        name = f"[{row['id']}](rules/{row['id']}.md)" if row["id"] in BY_ID else row["id"]
        files = "<br>".join(f"`{path}`" for path in held.get(row["id"], ()))
        cells = (f"{name} `{row['name']}`", row["severity"], row["tier"], row["profiles"], each, files)
        parts.append(f"| {' | '.join(cells)} |")
    parts += [
        "\n## What no capture can show\n",
        "| clause | requirement | why, and what the audit does |\n|---|---|---|",
    ]
    parts += [f"| {row['clause']} | {row['requirement']} | {row['why']} |" for row in rows("not_observable.csv")]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""The names of all rules, read off those of their modules: for who must be quick, no rule is loaded."""

from __future__ import annotations

import re
from pathlib import Path

MODULE = re.compile(r"(?P<area>[a-z0-9]+)_(?P<number>\d{3})_(?P<name>\w+)\.py")


def names() -> dict[str, str]:
    """The name of each rule by its id, in the order of ids: IMS-SRTP-002 is plain-rtcp-on-savp."""
    found = {}
    for path in Path(__file__).parent.glob("*/*.py"):
        if (module := MODULE.fullmatch(path.name)) and module["area"] == path.parent.name:
            found[f"IMS-{module['area'].upper()}-{module['number']}"] = module["name"].replace("_", "-")
    return dict(sorted(found.items()))

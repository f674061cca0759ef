"""Puts the pages of the rules into the navigation, grouped as their index groups them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

INDEX = "rules/README.md"
ENTRY = re.compile(
    r"^## (?P<area>.+)$|^\| \[(?P<rule>[\w-]+)\]\((?P<page>[\w-]+\.md)\) `(?P<name>[\w-]+)`", re.MULTILINE
)


def on_config(config: Any) -> Any:
    """Called by MkDocs when it has read its configuration."""
    for section in config["nav"]:
        if INDEX in section.get("Rules", ()):
            section["Rules"] += areas(Path(config["docs_dir"]))
    return config


def areas(docs: Path) -> list[dict[str, list[dict[str, str]]]]:
    """Entries of the navigation: for each area its rules, each with its page."""
    found: dict[str, list[dict[str, str]]] = {}
    area = ""
    for entry in ENTRY.finditer((docs / INDEX).read_text(encoding="utf-8")):
        if entry["area"]:
            area = entry["area"]
        else:
            found.setdefault(area, []).append({f"{entry['rule']} {entry['name']}": f"rules/{entry['page']}"})
    return [{area: pages} for area, pages in found.items()]

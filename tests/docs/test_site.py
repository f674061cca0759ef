"""Every page stands in the navigation of the site, and every link holds on the site as in the repository."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.docs.scripts import DOCS, script

if TYPE_CHECKING:
    from pathlib import Path

ROOT = DOCS.parent
PAGES = sorted([ROOT / "README.md", ROOT / "samples" / "README.md", *DOCS.rglob("*.md")])
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Configuration(yaml.SafeLoader):
    """Reads mkdocs.yml without calling what its tags name."""


Configuration.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)
MKDOCS: dict[str, Any] = yaml.load((DOCS / "site" / "mkdocs.yml").read_text(encoding="utf-8"), Configuration)


def _targets(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    entries = entry.values() if isinstance(entry, dict) else entry
    return [target for each in entries for target in _targets(each)]


def _prose(page: Path) -> str:
    """A page without its code blocks."""
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    """Of the headings of a page, as repositories and the site make them."""
    found: Counter[str] = Counter()
    anchors = set()
    for heading in re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchors.add(f"{anchor}_{found[anchor]}" if found[anchor] else anchor)
        found[anchor] += 1
    return anchors


def test_every_page_stands_in_the_navigation_once() -> None:
    rules = script("site/rules").areas(DOCS)
    there = Counter(_targets(MKDOCS["nav"]) + _targets(rules))
    assert there == Counter(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_the_rules_stand_below_their_areas() -> None:
    rules = script("site/rules").areas(DOCS)
    (srtp,) = (each["SRTP and SRTCP"] for each in rules if "SRTP and SRTCP" in each)
    assert srtp[1] == {"IMS-SRTP-002 plain-rtcp-on-savp": "rules/IMS-SRTP-002.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Of pages of the site to what the site has, too."""
    wrong = []
    for link in LINK.findall(_prose(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        on_the_site = not page.is_relative_to(DOCS) or target.is_relative_to(DOCS)
        if not target.exists() or not on_the_site or (anchor and anchor not in _anchors(target)):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_lists_and_tables_begin_behind_an_empty_line(page: Path) -> None:
    """Repositories show them without one, the site does not."""
    lines = _prose(page).splitlines()
    part = re.compile(r"\s*(- |\d+\. |\|)|  ")
    assert [
        line
        for before, line in pairwise(lines)
        if re.match(r"- |\d+\. |\|", line) and before.strip() and not part.match(before)
    ] == []


def test_the_site_fetches_nothing() -> None:
    assert MKDOCS["theme"]["font"] is False
    assert MKDOCS["plugins"] == ["search"]
    assert "extra_css" not in MKDOCS
    assert "extra_javascript" not in MKDOCS

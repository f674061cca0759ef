"""The pictures in the docs show what the commands print today."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.scripts import script

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pictures_are_current() -> None:
    """`python docs/picture.py` renews them."""
    drawing: ModuleType = script("picture")
    assert {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "pictures").iterdir()} == drawing.pictures()


def test_every_picture_stands_on_a_page() -> None:
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [path.name for path in (DOCS / "pictures").iterdir() if f"pictures/{path.name})" not in text] == []

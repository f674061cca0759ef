"""The pictures in the docs show what the commands print today."""

from __future__ import annotations

from tests.docs.scripts import DOCS, lasting, script


def test_the_pictures_are_current() -> None:
    drawn = script("picture").pictures()
    assert {path.name for path in (DOCS / "pictures").iterdir()} == drawn.keys()
    for name, picture in drawn.items():
        there = (DOCS / "pictures" / name).read_text(encoding="utf-8")
        assert lasting(there) == lasting(picture), f"python docs/picture.py renews {name}"


def test_every_picture_stands_on_a_page() -> None:
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [path.name for path in (DOCS / "pictures").iterdir() if f"pictures/{path.name})" not in text] == []

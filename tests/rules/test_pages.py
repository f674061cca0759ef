"""The pages in docs/rules say what the declarations say."""

from __future__ import annotations

from pathlib import Path

from imsinspect.rules.pages import pages, write

FOLDER = Path(__file__).parents[2] / "docs" / "rules"


def test_the_pages_are_current() -> None:
    """`python -m imsinspect.rules.pages docs/rules` renews them."""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == pages()


def test_a_page_holds_all_of_a_rule(tmp_path: Path) -> None:
    write(tmp_path)
    text = (tmp_path / "IMS-SIG-001.md").read_text(encoding="utf-8")
    assert text.startswith("# IMS-SIG-001 `sdes-key-in-clear-sip`\n\nSDES master key carried in SIP")
    assert "| critical | 1 | ALL |" in text
    assert "## When it is not assessed\n\nN-SIP:" in text
    assert "- RFC 4568 §8.3" in text

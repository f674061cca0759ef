"""Every command of the how-to pages runs, and prints what the page shows."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.docs.scripts import DOCS, lasting, script

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted((DOCS / "howto").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_its_commands_print(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if "$ tshark" in text and shutil.which("tshark") is None and not os.environ.get("CI"):
        pytest.skip("tshark is not installed")
    assert lasting(script("transcripts").renewed(text)) == lasting(text), "python docs/transcripts.py renews it"


def test_commands_share_a_shell_and_show_errors_and_status() -> None:
    page = (
        "# T\n\n```console\n$ word=there; false\n$ echo $? $word\n```\n\n"
        "```console\n$ cat <<E\n> a\n> E\nold\n$ imsinspect no\n```\n"
    )
    assert script("transcripts").renewed(page) == (
        "# T\n\n```console\n$ word=there; false\n$ echo $? $word\n1 there\n```\n\n"
        "```console\n$ cat <<E\n> a\n> E\na\n$ imsinspect no\n"
        "imsinspect: error: No such command 'no'. (see imsinspect --help)\n```\n"
    )

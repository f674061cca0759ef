"""The progress bar appears late, and only where it is wanted."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from imsinspect.cli import progress as room

if TYPE_CHECKING:
    import pytest


def _written(monkeypatch: pytest.MonkeyPatch, patience: float, *, shown: bool) -> str:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(room, "PATIENCE", patience)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with room.Progress(shown=shown) as progress:
        progress(1, 10)
        progress(10, 10)
    return written.getvalue()


def test_short_input_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _written(monkeypatch, 3600, shown=True) == ""


def test_long_input_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "reading" in _written(monkeypatch, 0, shown=True)


def test_where_it_is_not_wanted_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _written(monkeypatch, 0, shown=False) == ""

"""The coverage page is what the code says, and every test that it names is there."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    """The script that makes the page."""
    spec = importlib.util.spec_from_file_location("coverage_page", ROOT / "docs" / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(coverage: ModuleType) -> None:
    assert (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8") == coverage.page()


def test_every_named_test_exists(coverage: ModuleType) -> None:
    missing = []
    for several in coverage.registries().values():
        for registry in several:
            path, _, name = registry.test.partition("::")
            file = ROOT / path
            names = (
                {each.name for each in ast.walk(ast.parse(file.read_text())) if isinstance(each, ast.FunctionDef)}
                if file.is_file()
                else set()
            )
            if name.partition("[")[0] not in names:
                missing.append(registry.test)
    assert missing == []


def test_every_package_of_layers_says_what_it_covers(coverage: ModuleType) -> None:
    """The octet-keeping layers of XML have no code points of their own."""
    packages = {path.relative_to(ROOT / "dissectors").parts[0] for path in (ROOT / "dissectors").glob("*/**/layer*.py")}
    assert packages - set(coverage.registries()) == {"xml"}

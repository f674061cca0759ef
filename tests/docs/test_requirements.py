"""The page of requirements is what the code says, and every rule stands in it as the catalogue has it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.rules.registry import RULES
from tests.mutations.harness import mutations

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def requirements() -> ModuleType:
    """The script that makes the page."""
    spec = importlib.util.spec_from_file_location("requirements_page", ROOT / "docs" / "requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(requirements: ModuleType) -> None:
    assert (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8") == requirements.page()


def test_every_rule_is_declared_as_the_catalogue_has_it(requirements: ModuleType) -> None:
    told = {row["id"]: row for row in requirements.rows("requirements.csv")}
    for rule in RULES:
        row = told[rule.id]
        declared = (rule.name, rule.severity.token, str(rule.tier), " ".join(rule.profiles))
        assert declared == (row["name"], row["severity"], row["tier"], row["profiles"]), rule.id


def test_every_rule_has_tests_and_a_mutation(requirements: ModuleType) -> None:
    tested = requirements.tests()
    killed = {rule for mutation in mutations() for rule in mutation.kills}
    assert [rule.id for rule in RULES if rule.id not in tested or rule.id not in killed] == []

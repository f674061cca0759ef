"""Findings stand under the finding that they follow from, each in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.report.groups import group
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from types import ModuleType


def _shape(make: ModuleType, *rows: tuple[str, Severity, list[str]]) -> list[tuple[str, list[str]]]:
    findings = [make.finding(f"IMS-X-{name}", severity, name, follows_from=roots) for name, severity, roots in rows]
    return [(each.finding.fingerprint, [one.finding.fingerprint for one in each.followers]) for each in group(findings)]


def test_the_gravest_of_a_group_decides_the_order(make: ModuleType) -> None:
    shape = _shape(
        make,
        ("1", Severity.HIGH, []),
        ("2", Severity.LOW, []),
        ("3", Severity.CRITICAL, ["2"]),
    )
    assert shape == [("2", ["3"]), ("1", [])]


def test_followers_of_followers_stand_under_the_same_root(make: ModuleType) -> None:
    shape = _shape(make, ("1", Severity.LOW, ["2"]), ("2", Severity.LOW, ["3"]), ("3", Severity.LOW, []))
    assert shape == [("3", ["1", "2"])]


def test_an_absent_root_and_oneself_are_no_roots(make: ModuleType) -> None:
    shape = _shape(make, ("1", Severity.LOW, ["9"]), ("2", Severity.LOW, ["2"]), ("3", Severity.LOW, ["9", "2"]))
    assert shape == [("1", []), ("2", ["3"])]


def test_a_circle_stands_under_its_first_finding(make: ModuleType) -> None:
    shape = _shape(
        make,
        ("1", Severity.LOW, ["2"]),
        ("2", Severity.LOW, ["3"]),
        ("3", Severity.LOW, ["2"]),
    )
    assert shape == [("2", ["1", "3"])]

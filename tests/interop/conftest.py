"""What interop tests stand on: independent programs and libraries, which may be missing here but not under CI."""

from __future__ import annotations

import importlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import ModuleType


def _under_ci() -> bool:
    return os.environ.get("CI") == "true"


@pytest.fixture(scope="session")
def peer() -> Callable[[str], str]:
    """Gives the path of a program; without it the test is skipped, and fails when CI=true."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def peer_module() -> Callable[[str], ModuleType]:
    """Gives an independent Python library; without it the test is skipped, and fails when CI=true."""

    def find(name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ImportError:
            pytest.skip(f"{name} is not installed")

    return find


def _fail_a_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _under_ci() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"an interop test may not be skipped under CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns every skip in this folder into a failure under CI, however the test came to it."""
    report = yield
    _fail_a_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for modules that skip themselves as a whole."""
    report = yield
    _fail_a_skip(report)
    return report

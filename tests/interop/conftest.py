"""What interop tests stand on: independent programs and libraries, which may be missing here but not under CI."""

from __future__ import annotations

import importlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def _missing(name: str) -> None:
    """Skips the test, or fails it where everything has to be there."""
    reason = f"{name} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def peer() -> Callable[[str], str]:
    """Gives the path of a program; without it the test is skipped, and fails when CI=true."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            _missing(name)
        return str(path)

    return find


@pytest.fixture(scope="session")
def peer_module() -> Callable[[str], ModuleType]:
    """Gives an independent Python library; without it the test is skipped, and fails when CI=true."""

    def find(name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ImportError:
            _missing(name)
            raise

    return find

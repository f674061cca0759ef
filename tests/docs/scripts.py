"""The scripts beside the pages, as modules."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


COUNTS = re.compile(r"\d+(?P<space> |&#160;)rules?(?P=space)decided,(?P=space)\d+(?P=space)not(?P=space)assessed")


def lasting(shown: str) -> str:
    """What a command printed, but for how many rules there were; a new rule leaves the page as it is."""
    return COUNTS.sub("rules decided", shown)


def script(name: str) -> ModuleType:
    """The module of docs/NAME.py."""
    spec = importlib.util.spec_from_file_location(f"docs_{name.replace('/', '_')}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

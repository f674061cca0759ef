"""What a package of layers covers of the registries of its protocol; docs/coverage.md is made of this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping


@dataclass(slots=True, frozen=True)
class Registry:
    """The code points, attributes or primitives of one kind.

    Without `layers` every entry is a value that is shown by name. With them, an entry that has a layer is decoded, and
    one that has none is shown raw, for the reason that `raw` gives.
    """

    name: str
    source: str  # document and clause, or the registry of IANA
    names: Mapping[Any, str]  # by code point or keyword
    test: str  # the test that goes through every entry: path::function
    layers: Mapping[Any, object] | None = None
    raw: Mapping[Any, str] | None = None  # why an entry has no layer

    def state(self, code: Hashable) -> str:
        """What becomes of an entry: "decoded", "named", or "raw" with the reason."""
        if self.layers is None:
            return "named"
        if code in self.layers:
            return "decoded"
        reason = (self.raw or {}).get(code, "")
        return f"raw: {reason}" if reason else "raw"

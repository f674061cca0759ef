"""The inventory of every real capture agrees with tshark's counts, or a table says why it is right not to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.pipeline import audit
from imsinspect.report.json import to_json
from tests import truth

if TYPE_CHECKING:
    from pathlib import Path

CAPTURES = truth.captures()


def _figures(report: dict[str, Any]) -> dict[str, int]:
    inventory = report["inventory"]
    flat = {
        f"{group}.{name}": value
        for group, part in inventory.items()
        if isinstance(part, dict)
        for name, value in part.items()
    }
    flat["packets"] = inventory["packets"]
    flat["rtcp + srtcp"] = flat["rtcp.packets"] + flat["srtcp.packets"]
    for transport in ("tls", "dtls"):
        flat[f"{transport} handshakes"] = sum(
            session["transport"] == transport and session["cipher_suite"] is not None
            for session in report["tls_sessions"]
        )
    return flat


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_inventory_agrees_with_tshark(capture: Path) -> None:
    """Every figure is tshark's, or the table of differences gives ours and the reason."""
    name = f"{capture.parent.name}/{capture.name}"
    figures = _figures(to_json(audit([str(capture)])))
    told = truth.load(capture)
    expected = {field: figure(told) for field, figure in truth.FIGURES.items()}
    expected |= {field: ours for (file, field), (ours, _) in truth.DIFFERENCES.items() if file == name}
    assert {field: figures[field] for field in expected} == expected


@pytest.mark.skipif(
    not CAPTURES, reason="shared/captures is not here: the inventory was not compared with tshark's counts"
)
def test_no_difference_is_stale() -> None:
    """A row of the table names a capture that exists and a figure that really differs."""
    for (name, field), (ours, reason) in truth.DIFFERENCES.items():
        told = truth.load(truth.CAPTURES / name)
        assert truth.FIGURES[field](told) != ours, (name, field)
        assert reason

"""The audit of every sample says what the table beside the samples promises: samples/expected.json."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from imsinspect.pipeline import audit

SAMPLES = Path(__file__).parents[1] / "samples"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text())
CAPTURES = sorted(path.name for path in SAMPLES.glob("*.pcap*"))
RULES = frozenset(
    (
        "IMS-TLS-001",
        "IMS-SRTP-001",
        "IMS-SRTP-002",
        "IMS-SRTP-003",
        "IMS-SSRC-002",
        "IMS-SIG-001",
        "IMS-SIG-006",
    )
)


def test_every_sample_is_in_the_table() -> None:
    """No capture without a promise, no promise without a capture."""
    assert sorted(EXPECTED) == CAPTURES


@pytest.mark.parametrize("name", CAPTURES)
def test_the_findings_are_those_promised(name: str) -> None:
    """Rule, severity and confidence of each finding, as often as promised, and no other."""
    found = Counter((each.rule, each.severity.token, each.confidence) for each in audit([str(SAMPLES / name)]).findings)
    promised = {
        (each["rule"], each["severity"], each["confidence"]): each["count"] for each in EXPECTED[name]["findings"]
    }
    assert dict(found) == promised


@pytest.mark.parametrize("name", CAPTURES)
def test_rules_decide_where_they_must_and_only_there(name: str) -> None:
    """A rule decides, is not assessed for a named gap, or has no object; a rule may be left open in the table."""
    outcomes: defaultdict[str, set[str]] = defaultdict(set)
    gaps: defaultdict[str, set[str]] = defaultdict(set)
    for row in audit([str(SAMPLES / name)]).assessments:
        if row.outcome == "not-assessed":
            gaps[row.rule].add(row.gap)
        else:
            outcomes[row.rule].add(row.outcome)
    promised = EXPECTED[name]
    for rule in RULES - set(promised["undecided"]):
        assert outcomes[rule] == set(promised["decided"].get(rule, ())), rule
        allowed = set(promised["not_assessed"].get(rule, ()))
        assert gaps[rule] <= allowed, rule
        assert bool(gaps[rule]) == bool(allowed), rule
        if rule in promised["not_applicable"]:
            assert not outcomes[rule], rule
            assert not gaps[rule], rule

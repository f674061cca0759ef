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
    """A rule decides as promised (a pass more is allowed), has a gap of those named, or has no object.

    A rule under "undecided" must not decide; one that is nowhere is left open.
    """
    outcomes: defaultdict[str, set[str]] = defaultdict(set)
    gaps: defaultdict[str, set[str]] = defaultdict(set)
    for row in audit([str(SAMPLES / name)]).assessments:
        if row.outcome == "not-assessed":
            gaps[row.rule].add(row.gap)
        else:
            outcomes[row.rule].add(row.outcome)
    promised = EXPECTED[name]
    named = {*promised["decided"], *promised["not_assessed"], *promised["not_applicable"], *promised["undecided"]}
    assert named <= RULES
    for rule, verdicts in promised["decided"].items():
        assert outcomes[rule] - {"pass"} == set(verdicts) - {"pass"}, rule
        assert set(verdicts) <= outcomes[rule], rule
        assert not gaps[rule], rule
    for rule, allowed in promised["not_assessed"].items():
        assert not outcomes[rule], rule
        assert gaps[rule], rule
        assert gaps[rule] <= set(allowed), rule
    for rule in promised["not_applicable"]:
        assert not outcomes[rule], rule
        assert not gaps[rule], rule
    for rule in promised["undecided"]:
        assert not outcomes[rule], rule

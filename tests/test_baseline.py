"""A baseline knows findings by what is wrong, not by whose it is; what is new, gone or no longer assessed is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imsinspect.baseline import (
    ABSENT,
    ANY,
    EXACT,
    GRAVER,
    OFTENER,
    SCALED,
    Baseline,
    Comparison,
    Lost,
    Traffic,
    allowed,
    baseline_of,
    compare,
)
from imsinspect.rules.outcome import Assessment, Finding, Kind, Severity
from tests.report.conftest import finding

OPTIONS = {"profile": "auto"}
CLEAR = Kind("IMS-SRTP-001", "offerer", "audio/0", "offerer to answerer", "in clear", "SRTP")
ASSESSED = [
    Assessment("IMS-SRTP-001", "violation", "", "", 1),
    Assessment("IMS-SRTP-002", "pass", "", "", 1),
    Assessment("IMS-SRTP-002", "not-assessed", "N-KEY", "no key", 1),
]


def found(
    count: int = 1, kind: Kind = CLEAR, severity: Severity = Severity.HIGH, verdict: str = "violation"
) -> list[Finding]:
    return [
        finding(kind.rule, severity, kind.fingerprint(number), kind=kind, verdict=verdict)
        for number in range(1, count + 1)
    ]


def known(findings: list[Finding], calls: int = 10, streams: int = 20) -> Baseline:
    return baseline_of(findings, ASSESSED, Traffic(calls, streams), OPTIONS)


def compared(
    baseline: Baseline, now: list[Finding], calls: int = 10, streams: int = 20, counts: str = SCALED
) -> Comparison:
    return compare(baseline, now, ASSESSED, Traffic(calls, streams), OPTIONS, counts)


def told(comparison: Comparison) -> list[tuple[str, int, int, int]]:
    return [(each.because, each.excess, each.before, each.now) for each in comparison.new]


def test_what_was_there_is_known() -> None:
    result = compared(known(found(3)), found(3))
    assert (told(result), result.known, result.rarer, result.oftener, result.lost, result.notes) == (
        [], 3, [], [], [], [],
    )  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        replace(CLEAR, rule="IMS-SRTP-002"), replace(CLEAR, role="answerer"), replace(CLEAR, media="audio/1"),
        replace(CLEAR, direction="answerer to offerer"), replace(CLEAR, observed="with a tag of 32 bits"),
        replace(CLEAR, required="another suite"),
    ],
)  # fmt: skip
def test_another_fault_is_new_and_the_old_one_gone(other: Kind) -> None:
    result = compared(known(found()), found(kind=other))
    assert told(result) == [(ABSENT, 1, 0, 1)]
    assert [(each.fingerprint, each.before, each.now) for each in result.rarer] == [(CLEAR.fingerprint(), 1, 0)]
    assert result.known == 0
    assert result.gravest is Severity.HIGH


@pytest.mark.parametrize(
    ("calls", "count", "counts", "new"),
    [
        (10, 4, SCALED, [(OFTENER, 1, 3, 4)]),
        (20, 6, SCALED, []),
        (20, 7, SCALED, [(OFTENER, 1, 3, 7)]),
        (11, 4, SCALED, []),  # 3.3 rounded up
        (5, 3, SCALED, []),
        (5, 4, SCALED, [(OFTENER, 1, 3, 4)]),  # fewer calls never allow more
        (20, 6, EXACT, [(OFTENER, 3, 3, 6)]),
        (10, 500, ANY, []),
    ],
)
def test_more_of_a_known_fault_is_new_unless_there_is_as_much_more_traffic(
    calls: int, count: int, counts: str, new: list[tuple[str, int, int, int]]
) -> None:
    result = compared(known(found(3)), found(count), calls, counts=counts)
    assert told(result) == new
    assert result.known == count - sum(row[1] for row in new)
    assert [(each.before, each.now) for each in result.oftener] == ([] if new or count <= 3 else [(3, count)])


def test_traffic_without_calls_is_measured_by_its_streams() -> None:
    assert allowed(3, Traffic(0, 10), Traffic(0, 20)) == 6
    assert allowed(3, Traffic(10, 10), Traffic(10, 99)) == 3
    assert allowed(3, Traffic(0, 0), Traffic(5, 5)) == 3


def test_a_graver_finding_of_a_known_kind_is_new() -> None:
    worse = compared(known(found(2, severity=Severity.MEDIUM)), [*found(1, severity=Severity.HIGH), *found()[:0]])
    assert told(worse) == [(GRAVER, 1, 2, 1)]
    assert told(compared(known(found(verdict="suspect")), found())) == [(GRAVER, 1, 1, 1)]
    better = compared(known(found(2)), found(2, severity=Severity.LOW))
    assert (told(better), better.known) == ([], 2)


def test_a_kind_of_two_severities_allows_of_each_what_there_was() -> None:
    both = known([*found(1, severity=Severity.HIGH), *found(2, severity=Severity.LOW)])
    assert told(compared(both, [*found(1, severity=Severity.HIGH), *found(2, severity=Severity.LOW)])) == []
    assert told(compared(both, found(2, severity=Severity.HIGH))) == [(OFTENER, 1, 3, 2)]


def test_less_of_a_fault_is_no_fault_and_told() -> None:
    result = compared(known(found(3)), found(1))
    assert [(each.before, each.now) for each in result.rarer] == [(3, 1)]
    assert (told(result), result.known) == ([], 1)


def test_a_rule_that_decides_less_is_told() -> None:
    now = [
        Assessment("IMS-SRTP-002", "pass", "", "", 1),
        Assessment("IMS-SRTP-002", "not-assessed", "N-KEY", "no key", 9),
        Assessment("IMS-SRTP-002", "not-assessed", "N-MED", "no RTCP", 1),
    ]
    result = compare(known([]), [], now, Traffic(1, 1), OPTIONS)
    assert result.lost == [
        Lost("IMS-SRTP-001", "", "nothing in the captures is about it, or the policy switches it off", wholly=True),
        Lost("IMS-SRTP-002", "N-MED", "no RTCP", wholly=False),
    ]
    hidden = compare(
        known([]), [], [Assessment("IMS-SRTP-002", "not-assessed", "N-KEY", "no key", 1)], Traffic(1, 1), {}
    )
    assert hidden.lost[1] == Lost("IMS-SRTP-002", "N-KEY", "no key", wholly=True)


def test_other_options_and_versions_are_told() -> None:
    old = replace(known([]), version="0.0.1", options={"profile": "g2", "nds": "unknown"})
    assert compare(old, [], ASSESSED, Traffic(1, 1), {"profile": "g3"}).notes[1:] == [
        "the baseline was made with nds unknown, this is not given",
        "the baseline was made with profile g2, this is g3",
    ]
    assert (
        compare(old, [], ASSESSED, Traffic(1, 1), {}).notes[0].startswith("the baseline is of imsinspect 0.0.1, this")
    )


def test_thousands_of_findings_are_compared_in_little_time() -> None:
    many = found(20_000)
    assert compared(known(many), many).known == 20_000
    assert told(compared(known(found(1)), many)) == [(OFTENER, 19_999, 1, 20_000)]

"""The file of a baseline: the same octets for the same findings, and nothing of it is passed over when it is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from imsinspect.baseline import Traffic, baseline_of
from imsinspect.baseline_file import read_baseline, to_text
from imsinspect.capture.errors import UsageError
from imsinspect.rules.outcome import Assessment, Kind, Severity
from tests.report.conftest import finding

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = Kind("IMS-SRTP-007", "answerer", "audio/0\x1b[2J", "", 'X"_\u202e\n</script>', "a suite")
FOUND = [
    finding("IMS-SRTP-007", Severity.MEDIUM, "", kind=HOSTILE),
    finding("IMS-SRTP-001", Severity.HIGH, "", kind=Kind("IMS-SRTP-001"), verdict="suspect"),
    finding("IMS-SRTP-001", Severity.HIGH, "", kind=Kind("IMS-SRTP-001")),
    finding("IMS-SRTP-001", Severity.HIGH, "", kind=Kind("IMS-SRTP-001")),
]
ROWS = [
    Assessment("IMS-SRTP-007", "violation", "", "", 1),
    Assessment("IMS-SRTP-001", "violation", "", "", 3),
    Assessment("IMS-SRTP-001", "not-assessed", "N-MED", "", 1),
    Assessment("IMS-SRTP-001", "not-assessed", "N-KEY", "", 1),
]
BASELINE = baseline_of(FOUND, ROWS, Traffic(1, 2), {"profile": "auto"})
WHOLE = """{
  "schema": "imsinspect-baseline/1",
  "tool": {"name": "imsinspect", "version": "0.1.0"},
  "options": {"profile": "auto"},
  "traffic": {"calls": 1, "streams": 2},
  "findings": [
    {"rule": "IMS-SRTP-001", "severity": "high", "outcome": "violation", "count": 2, "what": "srtp-line-carries-clear-rtp: ", "fingerprint": "0ad1f9b5d14d7a4dd3ae4a4d6a2c4b0a"},
    {"rule": "IMS-SRTP-001", "severity": "high", "outcome": "suspect", "count": 1, "what": "srtp-line-carries-clear-rtp: ", "fingerprint": "0ad1f9b5d14d7a4dd3ae4a4d6a2c4b0a"},
    {"rule": "IMS-SRTP-007", "severity": "medium", "outcome": "violation", "count": 1, "what": "srtp-line-carries-clear-rtp: audio/0\\\\x1b[2J, answerer; X\\"_\\\\u202e\\\\n</script>; required: a suite", "fingerprint": "5"}
  ],
  "assessed": [
    {"rule": "IMS-SRTP-001", "open": ["N-KEY", "N-MED"]},
    {"rule": "IMS-SRTP-007", "open": []}
  ]
}
"""  # noqa: E501 (lines of the file)


def test_the_whole_file_whatever_the_order_of_findings() -> None:
    expected = WHOLE.replace("0ad1f9b5d14d7a4dd3ae4a4d6a2c4b0a", Kind("IMS-SRTP-001").fingerprint())
    assert to_text(BASELINE) == expected.replace('"5"', f'"{HOSTILE.fingerprint()}"')
    assert to_text(baseline_of(FOUND[::-1], ROWS[::-1], Traffic(1, 2), {"profile": "auto"})) == to_text(BASELINE)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(to_text(BASELINE))
    back = read_baseline(path)
    assert to_text(back) == to_text(BASELINE)
    assert (back.traffic, back.assessed) == (BASELINE.traffic, BASELINE.assessed)
    empty = baseline_of([], [], Traffic(0, 0), {})
    path.write_text(to_text(empty))
    assert read_baseline(path) == empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "imsinspect-baseline/2"}, "of another version (imsinspect-baseline/2, not imsinspect-baseline/1)"),
        ({"schema": "imsinspect-report/1"}, "no baseline of imsinspect"),
        ({"schema": 1}, "no baseline of imsinspect"),
        ({"traffic": None}, "traffic: missing"),
        ({"more": 1}, "more: not known"),
        ({"traffic": {"calls": -1, "streams": 0}}, "traffic.calls: no count"),
        ({"traffic": {"calls": True, "streams": 0}}, "traffic.calls: no count"),
        ({"findings": {}}, "findings: no list"),
        ({"findings": [[]]}, "findings[0]: no object"),
        ({"options": {"profile": 3}}, "options.profile: no short text"),
        ({"assessed": [{"rule": "\x1b[2J", "open": []}]}, "assessed[0].rule: \\x1b[2J is none"),
    ],
)  # fmt: skip
def test_a_baseline_that_is_broken_is_bad_usage(change: dict[str, object], message: str, tmp_path: Path) -> None:
    content = json.loads(to_text(BASELINE)) | change
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
    with pytest.raises(UsageError) as caught:
        read_baseline(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("severity", "HIGH"), ("severity", "awful"), ("outcome", "pass"), ("count", 0), ("count", "1"),
        ("fingerprint", "x"), ("rule", "*"), ("what", ["x"]), ("what", "x" * 5_000),
    ],
)  # fmt: skip
def test_a_finding_that_makes_no_sense_is_bad_usage(field: str, value: object, tmp_path: Path) -> None:
    content = json.loads(to_text(BASELINE))
    content["findings"][0][field] = value
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=r"findings\[0\]"):
        read_baseline(path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"<<<<<<< HEAD\n{}", b"[" * 100_000, b"null", b"1" * 9_000])
def test_what_is_no_json_is_bad_usage(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="baseline"):
        read_baseline(path)


def test_one_fingerprint_twice_and_a_file_that_is_missing(tmp_path: Path) -> None:
    content = json.loads(to_text(BASELINE))
    content["findings"].append(content["findings"][0])
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="twice"):
        read_baseline(path)
    with pytest.raises(UsageError, match="No such file"):
        read_baseline(tmp_path / "missing.json")

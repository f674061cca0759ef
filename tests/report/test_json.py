"""The JSON report: complete, as the schema says, the same for equal input, and harmless on a terminal."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from imsinspect.report.json import render, to_json
from imsinspect.rules.outcome import Suppressed
from imsinspect.trace.model import CaptureInfo, Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from imsinspect.report.audit import Audit

EXPECTED = Path(__file__).parent / "expected"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_whole_report_of_a_failing_call(failing_audit: Audit) -> None:
    assert render(failing_audit) == (EXPECTED / "failing.json").read_text(encoding="utf-8")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_reports_are_valid(failing_audit: Audit, audit_with_gaps: Audit, empty_audit: Audit) -> None:
    for audit in (failing_audit, audit_with_gaps, empty_audit):
        VALIDATOR.validate(json.loads(render(audit)))


def test_a_suppressed_finding_keeps_its_reason(failing_audit: Audit) -> None:
    failing_audit.suppressed = [Suppressed(failing_audit.findings.pop(), "lab gateway", "2027-06-30")]
    report = to_json(failing_audit)
    VALIDATOR.validate(report)
    suppressed = report["suppressed"][0]
    assert (suppressed["rule"], suppressed["reason"], suppressed["expires"]) == (
        "IMS-SRTP-001",
        "lab gateway",
        "2027-06-30",
    )
    assert report["summary"]["suppressed"] == 1


def _members(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if isinstance(value, dict) and path != ("inventory", "sip", "requests"):
            yield *path, key
        yield from _members(child, (*path, key))


def test_the_schema_misses_every_member_that_is_left_out(failing_audit: Audit) -> None:
    report = to_json(failing_audit)
    paths = list(_members(report))
    assert len(paths) > 150
    for path in paths:
        broken = copy.deepcopy(report)
        parent: Any = broken
        for key in path[:-1]:
            parent = parent[key]
        del parent[path[-1]]
        assert not VALIDATOR.is_valid(broken), path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "imsinspect-report/2"),
        (("verdict",), "clean"),
        (("calls", 0, "side"), "left"),
        (("streams", 0, "kind"), "zrtp"),
        (("streams", 0, "ssrc"), "0x1"),
        (("streams", 0, "source"), "192.0.2.1"),
        (("captures", 0, "first_time"), "2026-11-21"),
        (("assessments", 0, "outcome"), "not-applicable"),
        (("findings", 0, "severity"), "grave"),
        (("findings", 0, "confidence"), "sure"),
        (("findings", 0, "outcome"), "pass"),
        (("tls_sessions", 0, "cipher_suite", "code"), "44"),
    ],
)
def test_the_schema_refuses_other_words(failing_audit: Audit, path: tuple[str | int, ...], value: str) -> None:
    report: Any = to_json(failing_audit)
    parent = report
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    assert not VALIDATOR.is_valid(report)


def test_fields_may_be_added(failing_audit: Audit) -> None:
    report = to_json(failing_audit)
    report["calls"][0]["more"] = 1
    assert VALIDATOR.is_valid(report)


def test_hostile_text_survives_and_is_written_in_ascii(audit_with_gaps: Audit) -> None:
    written = render(audit_with_gaps)
    assert written.isascii()
    assert not any(character < " " and character != "\n" for character in written)
    assert json.loads(written)["calls"][0]["from"] == "sip:[red]al\x1b[31mice\u202e@ims\\xff"


def test_a_delete_character_is_escaped_as_well(empty_audit: Audit) -> None:
    empty_audit.trace.captures = [CaptureInfo("a\x7f.pcap")]
    written = render(empty_audit)
    assert "\x7f" not in written
    assert json.loads(written)["captures"][0]["path"] == "a\x7f.pcap"


def test_frames_name_the_capture_that_they_are_in(make: ModuleType, audit_with_gaps: Audit) -> None:
    audit_with_gaps.trace.streams[0].last = make.at(3, capture=1)
    audit_with_gaps.notes = [Note(None, "no frame"), Note(make.at(2, capture=1).frame, "a frame")]
    report = to_json(audit_with_gaps)
    stream = report["streams"][0]
    assert (stream["capture"], stream["first_frame"]) == ("a.pcap", 10)
    assert (stream["last_capture"], stream["last_frame"]) == ("b.pcap", 3)
    assert report["notes"] == [
        {"capture": None, "frame": None, "text": "no frame"},
        {"capture": "b.pcap", "frame": 2, "text": "a frame"},
    ]


def test_a_profile_without_a_decision_is_no_assessment(make: ModuleType, empty_audit: Audit) -> None:
    empty_audit.assessments = [make.Assessment("IMS-PROF-005", "violation", "", "", 1)]
    assert to_json(empty_audit)["summary"]["assessed"] == 0

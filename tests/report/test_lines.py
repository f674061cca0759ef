"""Views of a line for each finding: concise, for GitHub Actions, and JSON Lines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.report import concise, github, jsonl
from imsinspect.report.json import to_json
from imsinspect.rules.outcome import Severity
from imsinspect.rules.required import Unmet

if TYPE_CHECKING:
    from collections.abc import Callable

    from imsinspect.report.audit import Audit

EXPECTED = Path(__file__).parent / "expected"
HOSTILE = "a\x1b[2J\r\n::error::b%,c\u202e"


@pytest.mark.parametrize(("render", "name"), [(concise.render, "failing.concise"), (github.render, "failing.github")])
def test_the_whole_report_of_a_failing_call(failing_audit: Audit, render: Callable[[Audit], str], name: str) -> None:
    assert render(failing_audit) == (EXPECTED / name).read_text(encoding="utf-8")


def test_nothing_found_leaves_the_verdict(empty_audit: Audit) -> None:
    verdict = "NOTHING TO ASSESS: no findings; 0 rules decided, 0 not assessed; 0 calls, 0 streams, 0 packets\n"
    assert concise.render(empty_audit) == verdict
    assert github.render(empty_audit) == verdict


def test_what_was_required_and_left_open_is_told(empty_audit: Audit) -> None:
    empty_audit.unmet = [Unmet("IMS-SRTP-001", "N-OA", "no answer"), Unmet("IMS-TLS-001", "", "no subject")]
    assert concise.render(empty_audit).splitlines()[:2] == [
        "required IMS-SRTP-001 not assessed: N-OA: no answer",
        "required IMS-TLS-001 not assessed: no subject",
    ]
    assert github.render(empty_audit).splitlines()[:2] == [
        "::error title=IMS-SRTP-001 not assessed::N-OA: no answer",
        "::error title=IMS-TLS-001 not assessed::no subject",
    ]


def test_text_from_the_wire_makes_no_line_and_no_command_of_its_own(failing_audit: Audit) -> None:
    before = len(failing_audit.findings) + 1
    first = failing_audit.findings[0]
    failing_audit.findings[0] = replace(
        first, title=HOSTILE, message=HOSTILE, subject=replace(first.subject, id=HOSTILE)
    )
    failing_audit.trace.captures[0].path = f"/tmp/{HOSTILE}"
    for render in (concise.render, github.render):
        text = render(failing_audit)
        assert text.count("\n") == before
        assert not any(character in text for character in "\x1b\r\u202e")
    command = github.render(failing_audit).splitlines()[0]
    head, _, message = command.partition(" ")[2].partition("::")
    assert head.count(",") == 2
    assert message.startswith(r"a\x1b[2J\r\n::error::b%25,c\u202e")


def test_a_threshold_decides_what_is_an_error(failing_audit: Audit) -> None:
    failing_audit.fail_on = Severity.CRITICAL
    words = {line.split(" ")[0] for line in github.render(failing_audit).splitlines()[:-1]}
    grave = {finding.severity for finding in failing_audit.findings}
    expected = {"::error" if each is Severity.CRITICAL else "::warning" if each >= Severity.MEDIUM else "::notice"
                for each in grave}  # fmt: skip
    assert words == expected


def test_json_lines_hold_all_that_json_does(failing_audit: Audit) -> None:
    rows = [json.loads(line) for line in jsonl.render(failing_audit).splitlines()]
    whole = to_json(failing_audit)
    names = {entry: name for name, entry in jsonl.ENTRIES.items()}
    again: dict[str, object] = {name: [] for name in jsonl.ENTRIES}
    for row in rows[:-1]:
        again[names[row.pop("entry")]].append(row)  # type: ignore[attr-defined]
    last = rows[-1]
    assert last.pop("entry") == "report"
    assert again | last == json.loads(json.dumps(whole))

"""The view for people: whole outputs at 80 columns, bounded lists that say what they leave out, nothing hidden."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from imsinspect.report.closing import closing
from imsinspect.report.terminal import render
from imsinspect.rules.outcome import Severity, Subject
from imsinspect.trace.model import Call, CaptureInfo, Note

if TYPE_CHECKING:
    from types import ModuleType

    from imsinspect.report.audit import Audit

EXPECTED = Path(__file__).parent / "expected"


def _shown(audit: Audit, encoding: str = "utf-8", width: int = 80) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    render(audit, Console(file=file, width=width, color_system=None, force_terminal=False))
    file.flush()
    return raw.getvalue().decode()


def test_the_whole_view_of_a_failing_call(failing_audit: Audit) -> None:
    assert _shown(failing_audit) == (EXPECTED / "failing.txt").read_text(encoding="utf-8")


def test_the_whole_view_of_an_audit_with_gaps_in_ascii(audit_with_gaps: Audit) -> None:
    assert _shown(audit_with_gaps, "ascii") == (EXPECTED / "gaps.txt").read_text(encoding="utf-8")


def test_the_whole_view_when_there_is_nothing_to_assess(empty_audit: Audit) -> None:
    assert _shown(empty_audit) == (EXPECTED / "empty.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_but_the_last_is_wider_than_the_console(failing_audit: Audit, width: int) -> None:
    *lines, _ = _shown(failing_audit, width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_the_last_line_is_folded_on_a_terminal_and_whole_in_a_pipe(failing_audit: Audit) -> None:
    file = io.StringIO()
    render(failing_audit, Console(file=file, width=80, color_system=None, force_terminal=True))
    assert closing(failing_audit) == " ".join(file.getvalue().splitlines()[-2:])
    assert _shown(failing_audit).splitlines()[-1] == closing(failing_audit)


def test_no_view_says_clean_while_a_rule_of_the_first_tier_is_not_assessed(audit_with_gaps: Audit) -> None:
    assert "clean" not in _shown(audit_with_gaps)
    audit_with_gaps.tier_one_not_assessed = []
    assert closing(audit_with_gaps).startswith("PASS: clean, no findings; ")


def test_a_pass_names_the_findings_below_the_threshold(failing_audit: Audit) -> None:
    failing_audit.findings = [each for each in failing_audit.findings if each.severity is Severity.LOW]
    failing_audit.verdict, failing_audit.exit_status = "pass", 0
    assert closing(failing_audit).startswith("PASS: 1 low, below the threshold (medium); ")


def test_many_calls_are_bounded_those_with_findings_first(make: ModuleType, failing_audit: Audit) -> None:
    call = failing_audit.trace.calls[0]
    others = [
        Call(f"call-{n}", b"x", b"sip:a", b"sip:b", call.first_time, call.last_time, "ended") for n in range(2, 60)
    ]
    failing_audit.trace.calls = [*others, call]
    failing_audit.findings.append(
        make.finding("IMS-SIG-001", Severity.HIGH, "0003", subject=Subject("call", "call-59"))
    )
    shown = _shown(failing_audit)
    assert re.findall(r"^  (call-\d+) sip", shown, re.MULTILINE) == ["call-1", "call-59"] + [
        f"call-{n}" for n in range(2, 40)
    ]
    assert "CALLS (59, 2 with findings)\n" in shown
    assert "  and 19 more calls (0 with findings; the JSON report holds all)\n" in shown


def test_a_finding_about_a_mikey_message_is_one_of_its_call(make: ModuleType, failing_audit: Audit) -> None:
    subject = Subject("mikey", "call-1 TRANSFER_INIT 0x0a0b0c0d")
    failing_audit.findings = [make.finding("IMS-MIK-005", Severity.CRITICAL, "0001", subject=subject)]
    shown = _shown(failing_audit)
    assert "CALLS (1, 1 with findings)\n" in shown
    assert "what: MIKEY message call-1 TRANSFER_INIT 0x0a0b0c0d" in shown


def test_many_findings_are_bounded_and_the_rest_is_counted(make: ModuleType, failing_audit: Audit) -> None:
    failing_audit.findings = [make.finding("IMS-SRTP-001", Severity.HIGH, f"{n:04}") for n in range(25)]
    failing_audit.findings.append(make.finding("IMS-SIG-001", Severity.LOW, "last"))
    shown = _shown(failing_audit)
    assert Counter(re.findall(r"^  (HIGH|LOW) IMS", shown, re.MULTILINE)) == {"HIGH": 10, "LOW": 1}
    assert "  and 15 more findings (15 IMS-SRTP-001; the JSON report holds all)\n" in shown


def test_many_notes_and_captures_are_bounded_trouble_first(make: ModuleType, empty_audit: Audit) -> None:
    empty_audit.notes = [Note(make.at(n).frame, f"note {n}") for n in range(30)]
    empty_audit.trace.captures = [CaptureInfo(f"{n}.pcap") for n in range(30)]
    empty_audit.trace.captures[29].error = "damaged"
    shown = _shown(empty_audit)
    assert "  and 10 more kinds of notes\n" in shown
    assert "CAPTURES\n  30 29.pcap: 0 packets\n    error: damaged\n  1 0.pcap" in shown
    assert "  and 10 more captures (without errors)\n" in shown


def test_hostile_text_reaches_no_terminal(make: ModuleType, failing_audit: Audit) -> None:
    hostile = "\x1b]0;owned\x07\r\u202e[red]\n"
    call = failing_audit.trace.calls[0]
    call.from_uri = call.to_uri = hostile.encode()
    failing_audit.trace.captures[0].path = hostile
    failing_audit.trace.captures[0].notes = [hostile]
    failing_audit.notes = [Note(None, hostile)]
    failing_audit.findings = [
        make.finding(
            "IMS-SRTP-001",
            Severity.HIGH,
            "0001",
            title=hostile,
            message=hostile,
            remediation=hostile,
            evidence=(make.Evidence(make.at(1).frame, hostile, hostile, hostile),),
            filters=((0, hostile),),
            subject=Subject("call", hostile),
        )
    ]
    file = io.StringIO()
    render(failing_audit, Console(file=file, width=80, color_system="truecolor", force_terminal=True))
    bare = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())
    assert all(line.isprintable() for line in bare.split("\n"))
    assert bare.count("[red]") >= 12

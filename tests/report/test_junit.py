"""JUnit XML: failures, passes and what was skipped, whatever stands in the captures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import xmlschema
from defusedxml.ElementTree import fromstring

from imsinspect.pipeline import Options, audit
from imsinspect.report.junit import render
from imsinspect.rules.outcome import Severity
from imsinspect.rules.required import Unmet

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from imsinspect.report.audit import Audit

EXPECTED, SCHEMAS = Path(__file__).parent / "expected", Path(__file__).parent / "schemas"
SAMPLES = Path(__file__).parents[2] / "samples"
HOSTILE = 'a\x1b[2J\r\n"]]><b>&\u202e\ud800\ufffe'


def results(audit: Audit) -> dict[str, list[tuple[str, str]]]:
    """Of each suite the class and result of its cases; the counts are those of the cases."""
    root: Element = fromstring(render(audit).encode())
    out: dict[str, list[tuple[str, str]]] = {}
    for suite in root:
        cases = [(case.get("classname", ""), case[0].tag if len(case) else "passed") for case in suite]
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(sum(result == kind for _, result in cases))
        assert suite.get("tests") == str(len(cases))
        out[suite.get("name", "")] = cases
    assert root.get("tests") == str(sum(len(cases) for cases in out.values()))
    return out


def test_the_whole_report_of_a_failing_call(failing_audit: Audit) -> None:
    assert render(failing_audit) == (EXPECTED / "failing.junit").read_text(encoding="utf-8")


def test_findings_fail_from_the_threshold_on(failing_audit: Audit) -> None:
    assert results(failing_audit) == {
        "call.pcap": [("IMS-SRTP-006", "passed"), ("IMS-SRTP-001", "failure")],
        "rules": [("IMS-SRTP-016", "skipped")],
    }
    failing_audit.fail_on = Severity.LOW
    assert results(failing_audit)["call.pcap"] == [("IMS-SRTP-006", "failure"), ("IMS-SRTP-001", "failure")]


def test_passes_gaps_and_captures_that_can_not_be_read(audit_with_gaps: Audit) -> None:
    audit_with_gaps.unmet = [Unmet("IMS-TLS-001", "N-HS", "no handshake")]
    assert results(audit_with_gaps) == {
        "a.pcap": [("capture", "passed")],
        "b.pcap": [("capture", "error")],
        "rules": [
            ("IMS-TLS-001", "failure"),
            ("IMS-SRTP-001", "passed"),
            ("IMS-TLS-001", "skipped"),
            ("IMS-TLS-002", "skipped"),
            ("IMS-GW-001", "skipped"),
        ],
    }


def test_there_is_a_case_where_there_is_nothing(empty_audit: Audit) -> None:
    assert results(empty_audit) == {"other.pcapng": [("capture", "passed")], "rules": []}


def test_text_from_the_wire_breaks_no_xml(failing_audit: Audit) -> None:
    first = failing_audit.findings[1]
    subject = replace(first.subject, id=HOSTILE)
    failing_audit.findings[1] = replace(first, title=HOSTILE, message=HOSTILE, remediation=HOSTILE, subject=subject)
    failing_audit.trace.captures[0].path = HOSTILE
    assert next(iter(results(failing_audit).values()))[1] == ("IMS-SRTP-001", "failure")
    assert not any(character in render(failing_audit) for character in "\x1b\r\u202e\ufffe")


def test_every_case_has_a_name_of_its_own(failing_audit: Audit) -> None:
    """Two findings of one rule on one line, one for each direction, are two cases; frames are no part of a name."""
    first = failing_audit.findings[1]
    failing_audit.findings.append(replace(first, fingerprint="f" * 32))
    root: Element = fromstring(render(failing_audit).encode())
    names = [(case.get("classname", ""), case.get("name", "")) for suite in root for case in suite]
    assert len(set(names)) == len(names)
    assert not any("frame" in name for _, name in names)


def test_reports_are_valid_by_the_published_schema(
    failing_audit: Audit, audit_with_gaps: Audit, empty_audit: Audit
) -> None:
    schema = xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))
    audit_with_gaps.unmet = [Unmet("IMS-TLS-001", "N-HS", HOSTILE)]
    real = audit(sorted(map(str, SAMPLES.glob("*.pcap*"))), Options())
    assert len(real.findings) > 50
    for each in (failing_audit, audit_with_gaps, empty_audit, real):
        assert [str(error) for error in schema.iter_errors(render(each))] == []
    assert not schema.is_valid(render(failing_audit).replace(" name=", " named="))

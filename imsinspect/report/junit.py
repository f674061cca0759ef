"""JUnit XML, for the dashboards of CI services: findings fail, what was decided passes, what was not is skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from imsinspect.report.closing import closing
from imsinspect.report.concise import place, seen
from imsinspect.report.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Finding

SUMS = {"failures": "failure", "errors": "error"}
COUNTS = SUMS | {"skipped": "skipped"}  # the sum of all suites has no place for it (junit-10.xsd)
RULES = "rules"  # the suite of what was decided, and what was not


@dataclass(slots=True)
class _Suite:
    """Test cases with one kind of result each: "failure", "error", "skipped", or "" for one that passed."""

    name: str
    cases: list[tuple[str, str, str, str, str]] = field(default_factory=list)  # class, name, result, in short, whole

    def add(self, classname: str, name: str, result: str = "", short: str = "", whole: str = "") -> None:
        """One more; its message stands in the element, too, as not every service reads the attribute."""
        self.cases.append((classname, name, result, short, whole))

    def count(self, result: str) -> int:
        """Cases with this result."""
        return sum(each[2] == result for each in self.cases)

    def lines(self) -> Iterator[str]:
        """The suite as XML."""
        yield f"  <testsuite name={_attribute(self.name)} {_numbers([self], COUNTS)}>"
        for classname, name, result, short, whole in self.cases:
            head = f"    <testcase classname={_attribute(classname)} name={_attribute(name)}"
            if not result:
                yield f"{head}/>"
                continue
            yield f"{head}>"
            yield f"      <{result} message={_attribute(short)}>{escape(printable(whole))}</{result}>"
            yield "    </testcase>"
        yield "  </testsuite>"


def render(audit: Audit) -> str:
    """A suite for each capture with its findings, and one with a case for each rule that says what became of it.

    Findings below the threshold pass, and are named so; a capture that can't be read is an error.
    """
    suites = [*_captures(audit), _rules(audit)]
    head = f"<testsuites name={_attribute(f'imsinspect: {closing(audit)}')} {_numbers(suites, SUMS)}>"
    body = [line for suite in suites for line in suite.lines()]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *body, "</testsuites>"]) + "\n"


def _captures(audit: Audit) -> list[_Suite]:
    suites = {str(capture.path): _Suite(str(capture.path)) for capture in audit.trace.captures}
    for finding in audit.findings:
        path, frame = place(audit, finding)
        suite = suites.setdefault(path, _Suite(path))
        # The fingerprint is the finding's own, and stays when frames do not: a dashboard knows the case again by it.
        where = f"{finding.title} ({finding.subject.kind} {finding.subject.id}) [{finding.fingerprint[:12]}]"
        if finding.severity >= audit.fail_on:
            short = f"{finding.severity.token}: {finding.title}, frame {frame}"
            suite.add(finding.rule, where, "failure", short, _said(finding))
        else:
            suite.add(finding.rule, f"{where}, {finding.severity.token}: below the threshold")
    for capture in audit.trace.captures:
        suite = suites[str(capture.path)]
        if capture.error is not None:
            suite.add("capture", "can be read", "error", capture.error, capture.error)
        elif not suite.cases:
            suite.add("capture", "no findings")
    return list(suites.values())


def _rules(audit: Audit) -> _Suite:
    suite = _Suite(RULES)
    for each in audit.unmet:
        reason = f"{each.gap}: {each.reason}" if each.gap else each.reason
        suite.add(each.rule, f"{each.rule} was required", "failure", reason, reason)
    for row in audit.assessments:
        subjects = f"{row.subjects} subject{'s' if row.subjects != 1 else ''}"
        if row.outcome == "pass":
            suite.add(row.rule, f"{row.rule} passed for {subjects}")
        elif row.outcome == "not-assessed":
            reason = f"{row.gap}: {row.reason}" if row.reason else row.gap
            suite.add(row.rule, f"{row.rule} not assessed for {subjects} ({row.gap})", "skipped", reason, reason)
    return suite


def _said(finding: Finding) -> str:
    parts = [finding.message or finding.title]
    parts += [seen(each) for each in finding.evidence]
    parts += [finding.remediation] if finding.remediation else []
    parts += [f"Wireshark: {expression}" for _, expression in finding.filters]
    parts += [", ".join(finding.references)] if finding.references else []
    return " | ".join(parts)


def _numbers(suites: list[_Suite], counts: dict[str, str]) -> str:
    tests = sum(len(suite.cases) for suite in suites)
    words = " ".join(f'{name}="{sum(suite.count(kind) for suite in suites)}"' for name, kind in counts.items())
    return f'tests="{tests}" {words}'


def _attribute(value: str) -> str:
    return quoteattr(printable(value))

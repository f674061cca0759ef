"""The numbers that every view ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

PROFILE_IS_OPEN = "IMS-PROF-005"  # says that nothing decided the profile: no assessment of the traffic


@dataclass(slots=True, frozen=True)
class Tally:
    """Findings by severity; rules that decided a subject, rules that could not (a rule may be in both)."""

    findings: dict[Severity, int]
    assessed: int
    not_assessed: int
    suppressed: int

    @classmethod
    def of(cls, audit: Audit) -> Tally:
        """Count what stands in the audit; IMS-PROF-005 alone is no assessment."""
        findings = dict.fromkeys(Severity, 0)
        for finding in audit.findings:
            findings[finding.severity] += 1
        decided = {row.rule for row in audit.assessments if row.outcome != "not-assessed"} - {PROFILE_IS_OPEN}
        undecided = {row.rule for row in audit.assessments if row.outcome == "not-assessed"}
        return cls(findings, len(decided), len(undecided), len(audit.suppressed))

    def words(self) -> str:
        """`2 critical, 1 high`; "no findings" when there is none."""
        counts = [
            f"{self.findings[severity]} {severity.token}" for severity in reversed(Severity) if self.findings[severity]
        ]
        return ", ".join(counts) or "no findings"

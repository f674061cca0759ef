"""A line for each finding, as compilers write theirs: for logs, editors and grep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.report.closing import closing
from imsinspect.report.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Evidence, Finding


def render(audit: Audit) -> str:
    """`CAPTURE:FRAME: severity RULE title (subject)`, what was required and left open, and the verdict."""
    return "\n".join([*_lines(audit), closing(audit)]) + "\n"


def place(audit: Audit, finding: Finding) -> tuple[str, int]:
    """Where a finding begins: the path of the capture as it came, and Wireshark's frame number.

    One without frames stands at the first frame of the first capture: services that show findings want a place.
    """
    captures = audit.trace.captures
    if finding.evidence:
        frame = finding.evidence[0].frame
        number = capture_index(frame)
        if 0 <= number < len(captures):
            return str(captures[number].path), frame_number(frame)
    return (str(captures[0].path) if captures else ""), 1


def seen(evidence: Evidence) -> str:
    """What one frame shows, in words; what is required where it says so."""
    words = f"{printable(evidence.field)}: {printable(evidence.observed)}"
    return f"{words} (required: {printable(evidence.expected)})" if evidence.expected else words


def _lines(audit: Audit) -> Iterator[str]:
    for finding in audit.findings:
        path, frame = place(audit, finding)
        subject = f"{finding.subject.kind} {printable(finding.subject.id)}"
        severity = f"suspected {finding.severity.token}" if finding.verdict == "suspect" else finding.severity.token
        yield f"{printable(path)}:{frame}: {severity} {finding.rule} {printable(finding.title)} ({subject})"
    for each in audit.unmet:
        gap = f"{each.gap}: " if each.gap else ""
        yield f"required {each.rule} not assessed: {gap}{printable(each.reason)}"

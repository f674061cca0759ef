"""Workflow commands of GitHub Actions: a run shows each finding as an annotation, without any upload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.report.closing import closing
from imsinspect.report.concise import place
from imsinspect.report.escape import printable
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.report.audit import Audit

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(audit: Audit) -> str:
    """Errors for what makes the run fail, warnings for others of medium and above, notices below; then the verdict."""
    return "\n".join([*_commands(audit), _data(closing(audit))]) + "\n"


def _commands(audit: Audit) -> Iterator[str]:
    for finding in audit.findings:
        path, frame = place(audit, finding)
        command = "error" if finding.severity >= audit.fail_on else _below(finding.severity)
        filters = f" Wireshark: {printable(finding.filters[0][1])}" if finding.filters else ""
        yield (
            f"::{command} file={_property(path)},line={frame},title={_property(f'{finding.rule} {finding.title}')}"
            f"::{_data(finding.message)}{_data(filters)}"
        )
    for each in audit.unmet:
        gap = f"{each.gap}: " if each.gap else ""
        yield f"::error title={_property(f'{each.rule} not assessed')}::{_data(gap + each.reason)}"


def _below(severity: Severity) -> str:
    return "warning" if severity >= Severity.MEDIUM else "notice"


def _data(value: str) -> str:
    """The text of a command: one line, in which `::` steers nothing."""
    return printable(value).translate(_DATA)


def _property(value: str) -> str:
    return printable(value).translate(_PROPERTY)

"""A capture in, the same capture out with each finding as a comment on the packets that show it; or those alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect import __version__
from imsinspect.capture.errors import CaptureError
from imsinspect.capture.pcapng_copy import CopyDone, copy
from imsinspect.capture.source import Capture
from imsinspect.excerpt import MEASURES, concerned, kept
from imsinspect.keys.rounds import hold
from imsinspect.pipeline import audit
from imsinspect.report.comments import Comments

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

    from imsinspect.pipeline import Options
    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Finding, Kind, Severity

    Progress = Callable[[int, int], None] | None
    Known = Counter[tuple[Kind, Severity, str]]

APPLICATION = f"imsinspect {__version__}"


@dataclass(slots=True)
class Annotated:
    """What was written."""

    findings: list[Finding]
    packets: int  # of the capture
    done: CopyDone = field(default_factory=CopyDone)
    tries: int = 0  # excerpts that were audited; 0 for a whole capture
    missing: list[Finding] = field(default_factory=list)  # that an audit of what was written does not find
    added: list[Finding] = field(default_factory=list)  # that only an audit of what was written finds
    without_frames: int = 0  # findings that no packet shows
    notes: list[str] = field(default_factory=list)  # of how the capture was read


def annotate(
    path: str,
    name: str,
    file: BinaryIO,
    options: Options,
    progress: Progress = None,
    *,
    only_findings: bool = False,
) -> Annotated:
    """Write the capture at `path`, which is called `name`, to `file` with its findings.

    With `only_findings` of its packets those that the findings rest on, and what is written is audited: `missing` says
    what that does not find. `file` must have a name, be seekable and be at its beginning. Raises CaptureError where the
    capture can't be read, UsageError for key files.
    """
    result = _audited(path, name, options, progress)
    out = Annotated(
        result.findings,
        result.trace.captures[0].packets,
        without_frames=sum(not finding.evidence for finding in result.findings),
        notes=result.trace.captures[0].notes,
    )
    if not only_findings:
        out.done = _copy(path, file, Comments(result.findings), None)
        return out
    if result.findings:
        _excerpt(path, name, file, options, progress, result, out)
    return out


def _audited(path: str, name: str, options: Options, progress: Progress) -> Audit:
    result = audit([path], options, progress)
    error = result.trace.captures[0].error
    if error:
        raise CaptureError(f"{name}: {error}")
    return result


def _copy(path: str, file: BinaryIO, said: Comments, keep: NDArray[np.bool_] | None) -> CopyDone:
    opened = Capture(path).open()
    try:
        done = copy(opened, file, said, keep, APPLICATION)
    finally:
        opened.close()
    file.flush()
    return done


def _excerpt(
    path: str, name: str, file: BinaryIO, options: Options, progress: Progress, result: Audit, out: Annotated
) -> None:
    """Write more and more, until an audit finds there what it found in the whole."""
    from imsinspect.capture.conversations import conversations

    opened = Capture(path).open()
    try:
        found = conversations(opened, hold(options.keys, options.key_logs).opening, progress)
    finally:
        opened.close()
    about = concerned(result.trace, result.findings)
    said = Comments(result.findings, original=name)
    wanted = _known(result.findings)
    size = -1
    for measure in MEASURES:
        keep = kept(about, found, measure)
        if int(keep.sum()) == size:
            continue
        size = int(keep.sum())
        file.seek(0)
        file.truncate()
        out.done = _copy(path, file, said, keep)
        again = _audited(file.name, name, options, None).findings
        out.tries += 1
        there = _known(again)
        out.missing = _beyond(result.findings, wanted - there)
        out.added = _beyond(again, there - wanted)
        if not out.missing and not out.added:
            return


def _known(findings: list[Finding]) -> Known:
    """Findings as they are compared: by what is wrong, and how grave and sure it is."""
    return Counter(_name(finding) for finding in findings)


def _beyond(findings: list[Finding], excess: Known) -> list[Finding]:
    """One finding for each of an excess."""
    left, out = Counter(excess), []
    for finding in reversed(findings):
        name = _name(finding)
        if left[name] > 0:
            left[name] -= 1
            out.append(finding)
    return out[::-1]


def _name(finding: Finding) -> tuple[Kind, Severity, str]:
    return finding.kind, finding.severity, finding.verdict

"""The value that every report format is a projection of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imsinspect.profiles import ProfileChoice
    from imsinspect.rules.outcome import Assessment, Finding, Severity, Suppressed
    from imsinspect.rules.required import Unmet
    from imsinspect.trace.model import Note, Trace


@dataclass(slots=True)
class Audit:
    """One run over one trace: what was read, what was found, what could not be assessed."""

    trace: Trace
    profile: ProfileChoice
    call_profiles: dict[str, ProfileChoice]  # by call id
    assessments: list[Assessment]
    findings: list[Finding]
    fail_on: Severity
    suppressed: list[Suppressed] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)  # the trace's, and rules that failed
    verdict: str = "nothing-to-assess"  # "pass", "fail", "nothing-to-assess"
    tier_one_not_assessed: list[str] = field(default_factory=list)  # rules that left a subject open
    unmet: list[Unmet] = field(default_factory=list)  # rules that had to be assessed and were not
    exit_status: int = 3
    conference_profiles: dict[str, ProfileChoice] = field(default_factory=dict)  # by conference id
    secrets: dict[str, bytes] | None = field(default=None, repr=False)  # keys by digest, where the user asked for them

"""The line that every view ends or begins with: the verdict and the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.report.page import counted
from imsinspect.report.tally import Tally

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit


def closing(audit: Audit) -> str:
    """The last line alone: the verdict and the counts, as plain text."""
    return "; ".join([verdict(audit), *counts(audit)])


def counts(audit: Audit) -> list[str]:
    """What was decided, and what was read."""
    tally, trace = Tally.of(audit), audit.trace
    unreadable = sum(capture.error is not None for capture in trace.captures)
    parts = []
    if unreadable:
        parts.append(f"{unreadable} of {counted(len(trace.captures), 'capture')} could not be read in full")
    parts.append(f"{counted(tally.assessed, 'rule')} decided, {tally.not_assessed} not assessed")
    if tally.suppressed:
        parts.append(f"{tally.suppressed} suppressed")
    parts.append(
        f"{counted(len(trace.calls), 'call')}, {counted(len(trace.streams), 'stream')}, "
        f"{counted(trace.counts.packets, 'packet')}"
    )
    if audit.notes:
        parts.append(counted(len(audit.notes), "note"))
    return parts


def verdict(audit: Audit) -> str:
    """`FAIL: 1 critical, 2 high`, `PASS: clean, no findings` …; never "clean" where something was left open."""
    tally = Tally.of(audit)
    below = f", below the threshold ({audit.fail_on.token})" if sum(tally.findings.values()) else ""
    if audit.verdict == "fail":
        open_rules = len({each.rule for each in audit.unmet})
        return f"FAIL: {tally.words()}" + (
            f"; {counted(open_rules, 'required rule')} not assessed" if open_rules else ""
        )
    if audit.exit_status == 2:
        return f"INCOMPLETE: {tally.words()}{below}"
    if audit.verdict == "pass":
        if audit.tier_one_not_assessed:
            return f"PASS WITH GAPS: {tally.words()}{below}; rules of the first tier could not be assessed"
        return f"PASS: {tally.words()}{below}" if below else "PASS: clean, no findings"
    return f"NOTHING TO ASSESS: {tally.words()}{below}"

"""The order of the rooms: captures in, an Audit out. No other room knows it."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.capture.source import Capture, expand
from imsinspect.keys.rounds import hold, read_captures
from imsinspect.policy import Policy
from imsinspect.profiles import COVERS, ProfileChoice, choose
from imsinspect.report.audit import Audit
from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.outcome import Severity
from imsinspect.rules.required import unmet
from imsinspect.rules.rule import Scene
from imsinspect.trace.model import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from imsinspect.profiles import Profiles
    from imsinspect.rules.evaluate import Evaluation

FINDINGS, UNREADABLE, NOTHING_ASSESSED, CLEAN = 1, 2, 3, 0
NO_ASSESSMENT = frozenset(("IMS-PROF-005",))  # a rule that decides this alone has assessed nothing


@dataclass(slots=True, frozen=True)
class Options:
    """What the user asked for."""

    profile: str = "auto"
    fail_on: Severity = Severity.MEDIUM
    capture_point: str = "auto"  # values of rules.md 0.10, as are the next two
    access_confidentiality: str = "unknown"
    nds: str = "unknown"
    keys: tuple[Path, ...] = ()  # key files (docs/keys.md)
    key_logs: tuple[Path, ...] = ()  # key logs of TLS (RFC 9850)
    verify: str = "all"  # of the tags whose keys are known: "all", "sample", "none"
    policy: Policy = field(default_factory=Policy)
    required: tuple[str, ...] = ()  # ids of rules that must decide on all of their subjects, and have one
    strict: bool = False  # rules of the first tier must leave nothing open
    show_secrets: bool = False  # keys and what unencrypted sessions say, which reports otherwise leave out


def audit(
    paths: Sequence[str], options: Options | None = None, progress: Callable[[int, int], None] | None = None
) -> Audit:
    """Read the captures, build the trace, run the rules.

    progress is called with the octets read and their total. Raises UsageError when a path names nothing; a capture
    that can't be read is an error in the Audit, and the others are audited.
    """
    with no_collection():
        return _audit(paths, options or Options(), progress)


@contextmanager
def no_collection() -> Iterator[None]:
    """Nothing that an audit builds is garbage before it ends, and looking for some costs half of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _audit(paths: Sequence[str], options: Options, progress: Callable[[int, int], None] | None) -> Audit:
    captures = [Capture(path) for path in expand(paths)]
    read = read_captures(captures, hold(options.keys, options.key_logs), progress)
    trace = read.trace
    if read.candidates is not None and options.verify == "none":
        trace.notes.append(Note(None, "no tag was verified, as was asked"))
    elif read.candidates is not None:
        from imsinspect.keys.judged import settle
        from imsinspect.keys.prove import prove

        trace.notes += [
            Note(None, text)
            for text in prove(trace, read.scans, read.candidates, read.opening, sample=options.verify == "sample")
        ]
        settle(trace)
    for capture in captures:
        capture.close()
    asked = options.profile if options.profile != "auto" else options.policy.profile or "auto"
    profiles = choose(trace, options.profile, options.policy)
    evaluation = evaluate(trace, _scene(options, profiles))
    result = Audit(
        trace=trace,
        profile=ProfileChoice(asked, inferred=asked == "auto"),
        call_profiles=profiles.calls,
        assessments=evaluation.assessments,
        findings=evaluation.findings,
        fail_on=options.fail_on,
        suppressed=evaluation.suppressed,
        notes=[*trace.notes, *evaluation.notes],
        conference_profiles=profiles.conferences,
    )
    if options.show_secrets:
        keys = read.ring.keys.values() if read.ring is not None else ()
        result.secrets = {key.digest: key.signalled or key.key_salt for key in keys}
    result.tier_one_not_assessed = evaluation.tier_one_not_assessed
    result.unmet = list(
        unmet(result.assessments, options.required, result.tier_one_not_assessed, strict=options.strict)
    )
    _conclude(result, evaluation)
    return result


def _scene(options: Options, profiles: Profiles) -> Scene:
    """What is said of where the captures were taken: an option before the policy file, that before the default."""
    policy = options.policy

    def said(option: str, default: str, file: str | None) -> str:
        return option if option != default or file is None else file

    return Scene(
        said(options.capture_point, "auto", policy.capture_point),
        said(options.access_confidentiality, "unknown", policy.access_confidentiality),
        said(options.nds, "unknown", policy.nds),
        profiles.calls,
        profiles.conferences,
        COVERS.get(options.profile if options.profile != "auto" else policy.profile or "auto"),
        policy,
    )


def _conclude(result: Audit, evaluation: Evaluation) -> None:
    """Exit status and verdict (design.md, cli)."""
    decided = {"violation", "suspect", "pass"}
    assessed = any(row.outcome in decided and row.rule not in NO_ASSESSMENT for row in evaluation.assessments)
    if result.unmet or any(finding.severity >= result.fail_on for finding in result.findings):
        result.exit_status, result.verdict = FINDINGS, "fail"
        return
    result.verdict = "pass" if assessed else "nothing-to-assess"
    if any(capture.error for capture in result.trace.captures):
        result.exit_status = UNREADABLE
    else:
        result.exit_status = CLEAN if assessed else NOTHING_ASSESSED

"""The order of the rooms: captures in, an Audit out. No other room knows it."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsinspect.capture.blocks import SECRETS_TLS
from imsinspect.capture.opening import Opening
from imsinspect.capture.source import Capture, expand
from imsinspect.profiles import ProfileChoice, infer
from imsinspect.report.audit import Audit
from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.outcome import Severity
from imsinspect.rules.registry import RULES
from imsinspect.rules.rule import Scene
from imsinspect.trace.correlate import correlate
from imsinspect.trace.model import Note
from imsinspect.trace.scan import rescan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from imsinspect.capture.blocks import Secrets
    from imsinspect.keys.collect import Collected
    from imsinspect.keys.file import UserKeys
    from imsinspect.rules.evaluate import Evaluation
    from imsinspect.trace.model import Trace
    from imsinspect.trace.scan import Scan

FINDINGS, UNREADABLE, NOTHING_ASSESSED, CLEAN = 1, 2, 3, 0
MAX_ROUNDS = 4  # of reading the captures, each with the keys that the one before found
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


def audit(
    paths: Sequence[str], options: Options | None = None, progress: Callable[[int, int], None] | None = None
) -> Audit:
    """Read the captures, build the trace, run the rules.

    progress is called with the octets read and their total. Raises UsageError when a path names nothing; a capture
    that can't be read is an error in the Audit, and the others are audited.
    """
    with _no_collection():
        return _audit(paths, options or Options(), progress)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Nothing that an audit builds is garbage before it ends, and looking for some costs half of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _audit(paths: Sequence[str], options: Options, progress: Callable[[int, int], None] | None) -> Audit:
    held = _held(options)
    captures = [Capture(path) for path in expand(paths)]
    for _ in range(MAX_ROUNDS):
        known = held.count
        scans = _scans(captures, held, progress)
        trace = correlate(scans)
        collected = _collect(trace, held)
        if held.count == known or not _more_opens(trace, held):
            break
    if collected is not None:
        from imsinspect.keys.judged import settle
        from imsinspect.keys.prove import prove

        trace.notes += [Note(None, text) for text in prove(trace, scans, collected.candidates, held.opening)]
        settle(trace)
    for capture in captures:
        capture.close()
    explicit = options.profile != "auto"
    profiles = (
        {call.id: ProfileChoice(options.profile, inferred=False) for call in trace.calls} if explicit else infer(trace)
    )
    evaluation = evaluate(trace, Scene(options.capture_point, options.access_confidentiality, options.nds, profiles))
    result = Audit(
        trace=trace,
        profile=ProfileChoice(options.profile, inferred=not explicit),
        call_profiles=profiles,
        assessments=evaluation.assessments,
        findings=evaluation.findings,
        fail_on=options.fail_on,
        notes=[*trace.notes, *evaluation.notes],
    )
    _conclude(result, evaluation)
    return result


@dataclass(slots=True)
class _Held:
    """The keys that are at hand: the user's, and those that captures carry or that were found in them."""

    user: UserKeys | None
    opening: Opening

    def learn(self, block: Secrets) -> None:
        """Secrets that a capture carries in a block of its own."""
        if block.type == SECRETS_TLS:
            from imsinspect.keys.keylog import parse_keylog

            self.opening.tls.add(parse_keylog(block.data).secrets)

    @property
    def count(self) -> int:
        """How many secrets there are."""
        tls = self.opening.tls
        named = (tls.master, tls.traffic, tls.premaster, tls.rsa_premaster, tls.session_master)
        return len(tls.psks) + sum(len(each) for each in named)


def _held(options: Options) -> _Held:
    """What the user's files hold. Raises UsageError."""
    held = _Held(None, Opening())
    held.opening.learn = held.learn
    if options.keys:
        from imsinspect.keys.file import read_key_files

        held.user = read_key_files(options.keys)
        held.opening.tls.psks += held.user.tls_psk
        held.opening.esp += held.user.esp
    for path in options.key_logs:
        from imsinspect.keys.keylog import read_key_log

        held.opening.tls.add(read_key_log(path))
    return held


def _scans(captures: list[Capture], held: _Held, progress: Callable[[int, int], None] | None) -> list[Scan]:
    """Read the captures; the scans are in the order of time."""
    scans: list[Scan] = []
    for index, capture in enumerate(captures):
        for earlier in scans[-1:]:
            earlier.found.streams.settle(wait=True)  # one process beside this one is enough
        scans.append(rescan(capture, index, progress, held.opening))
    return in_time(scans)


def _collect(trace: Trace, held: _Held) -> Collected | None:
    """The keys that may protect the streams of a trace; None where there are none, which spares loading the room.

    Pre-shared keys of TLS that MIKEY gave are held from now on.
    """
    counts = trace.counts
    if not (held.user or counts.sdp_crypto or counts.mikey_messages or any(each.opened for each in trace.tls_sessions)):
        return None
    from imsinspect.keys.collect import collect

    collected = collect(trace, held.user)
    held.opening.tls.psks += [each for each in collected.psks if each not in held.opening.tls.psks]
    return collected


def _more_opens(trace: Trace, held: _Held) -> bool:
    """Whether secrets that were not known when the captures were read open some of their sessions."""
    return any(
        not session.opened
        and session.cipher_suite is not None
        and any(held.opening.tls.opens(hello.random, session.cipher_suite) for hello in session.client_hellos)
        for session in trace.tls_sessions
    )


def in_time(scans: list[Scan]) -> list[Scan]:
    """Scans in the order of their first packets, as a ring of files was written; indices follow the arguments."""
    return sorted(scans, key=lambda each: (each.info.first_time is None, each.info.first_time or 0, each.index))


def _conclude(result: Audit, evaluation: Evaluation) -> None:
    """Exit status and verdict (design.md, cli)."""
    decided = {"violation", "suspect", "pass"}
    assessed = any(row.outcome in decided and row.rule not in NO_ASSESSMENT for row in evaluation.assessments)
    tiers = {rule.id: rule.tier for rule in RULES}
    result.tier_one_not_assessed = any(
        row.outcome == "not-assessed" and tiers.get(row.rule) == 1 for row in evaluation.assessments
    )
    if any(finding.severity >= result.fail_on for finding in result.findings):
        result.exit_status, result.verdict = FINDINGS, "fail"
        return
    result.verdict = "pass" if assessed else "nothing-to-assess"
    if any(capture.error for capture in result.trace.captures):
        result.exit_status = UNREADABLE
    else:
        result.exit_status = CLEAN if assessed else NOTHING_ASSESSED

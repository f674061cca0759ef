"""What is known of some traffic: the findings that it had and the rules that decided, and what is new beside them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imsinspect import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imsinspect.rules.outcome import Assessment, Finding, Kind, Severity, Verdict
    from imsinspect.trace.model import Trace

SCALED, EXACT, ANY = "scaled", "exact", "any"
"""How often a known finding may come: as often as before and more where there are more calls, as often as before, or
however often."""

ABSENT, GRAVER, OFTENER = "not in the baseline", "graver than in the baseline", "more often than in the baseline"
"""Why a finding is new."""


class Gravity(NamedTuple):
    """How bad a finding is; a violation is worse than a suspicion of the same severity."""

    severity: Severity
    sure: bool

    @property
    def outcome(self) -> Verdict:
        """The word that reports use."""
        return "violation" if self.sure else "suspect"


@dataclass(slots=True, frozen=True)
class Known:
    """Findings of one kind and one gravity."""

    fingerprint: str
    rule: str
    gravity: Gravity
    count: int
    what: str  # in words; without addresses, identities, keys


@dataclass(slots=True, frozen=True)
class Traffic:
    """How much was looked at."""

    calls: int
    streams: int

    @classmethod
    def of(cls, trace: Trace) -> Traffic:
        """That of a trace."""
        return cls(len(trace.calls), len(trace.streams))


@dataclass(slots=True, frozen=True)
class Baseline:
    """What was found at one time, and what could be assessed."""

    version: str  # of the tool
    options: Mapping[str, str]  # that decide what is found
    traffic: Traffic
    findings: tuple[Known, ...]
    assessed: Mapping[str, tuple[str, ...]]  # rules that decided, each with the gaps that it left open


@dataclass(slots=True, frozen=True)
class New:
    """Findings of one kind that a baseline does not cover."""

    because: str  # ABSENT, GRAVER, OFTENER
    findings: tuple[Finding, ...]  # of OFTENER all of that kind: which of them came first is not known
    excess: int  # that are more than the baseline covers
    before: int  # of that kind, of any gravity
    now: int


@dataclass(slots=True, frozen=True)
class Changed:
    """A kind of findings whose number is another, and which is no fault for that."""

    what: str
    rule: str
    fingerprint: str
    before: int
    now: int


@dataclass(slots=True, frozen=True)
class Lost:
    """A rule that decides less than it did."""

    rule: str
    gap: str  # "" where there is nothing in the traffic that it is about
    reason: str
    wholly: bool  # it decides nothing any more


@dataclass(slots=True)
class Comparison:
    """Traffic beside a baseline."""

    baseline: Baseline
    traffic: Traffic
    new: list[New] = field(default_factory=list)  # the gravest first
    known: int = 0  # findings that the baseline covers
    oftener: list[Changed] = field(default_factory=list)  # as the traffic grew, or as was allowed
    rarer: list[Changed] = field(default_factory=list)  # not found any more, or not as often
    lost: list[Lost] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def gravest(self) -> Severity | None:
        """The highest severity of what is new."""
        return max((each.severity for row in self.new for each in row.findings), default=None)


def baseline_of(
    findings: Sequence[Finding], assessments: Iterable[Assessment], traffic: Traffic, options: Mapping[str, str]
) -> Baseline:
    """The baseline that says what an audit found."""
    kinds = {each.kind.fingerprint(): each for each in findings}
    counts = Counter((each.kind.fingerprint(), _gravity(each)) for each in findings)
    known = [
        Known(fingerprint, kinds[fingerprint].rule, gravity, count, in_words(kinds[fingerprint]))
        for (fingerprint, gravity), count in counts.items()
    ]
    decided, gaps = _assessed(assessments)
    return Baseline(
        __version__,
        dict(sorted(options.items())),
        traffic,
        tuple(sorted(known, key=_order)),
        {rule: tuple(sorted(gaps[rule])) for rule in sorted(decided)},
    )


def compare(
    baseline: Baseline,
    findings: Sequence[Finding],
    assessments: Sequence[Assessment],
    traffic: Traffic,
    options: Mapping[str, str],
    counts: str = SCALED,
) -> Comparison:
    """What is new, gone, or no longer assessed. `counts`: SCALED, EXACT or ANY."""
    out = Comparison(baseline, traffic, notes=_notes(baseline, options))
    before: defaultdict[str, list[Known]] = defaultdict(list)
    for known in baseline.findings:
        before[known.fingerprint].append(known)
    now: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        now[finding.kind.fingerprint()].append(finding)
    for fingerprint, found in now.items():
        _judge(out, fingerprint, found, before.get(fingerprint, []), counts)
    for fingerprint, rows in before.items():
        told, count = sum(row.count for row in rows), len(now.get(fingerprint, ()))
        if count < told:
            out.rarer.append(Changed(rows[0].what, rows[0].rule, fingerprint, told, count))
    out.new.sort(key=lambda row: (-row.findings[0].severity, row.findings[0].rule, in_words(row.findings[0])))
    out.oftener.sort(key=lambda row: (row.rule, row.what))
    out.rarer.sort(key=lambda row: (row.now > 0, row.rule, row.what))
    out.lost = list(_lost(baseline, assessments))
    return out


def allowed(count: int, before: Traffic, now: Traffic) -> int:
    """How often a finding may come that came `count` times: more where there are more calls, by their ratio.

    Without calls in the baseline media streams are counted instead.
    """
    was, has = (before.calls, now.calls) if before.calls else (before.streams, now.streams)
    return -(-count * has // was) if 0 < was < has else count


def in_words(finding: Finding) -> str:
    """A line that tells a kind of findings from others; it is the same wherever the fault is found."""
    return f"{finding.name}: {kind_words(finding.kind)}"


def kind_words(kind: Kind) -> str:
    """Place, what is observed and what is required."""
    place = ", ".join(part for part in (kind.media, kind.role, kind.direction) if part)
    required = f"required: {kind.required}" if kind.required else ""
    return "; ".join(part for part in (place, kind.observed, required) if part)


# --- findings -------------------------------------------------------------------------------------


def _judge(out: Comparison, fingerprint: str, found: list[Finding], rows: list[Known], counts: str) -> None:
    """The findings of one kind beside what is known of it; the gravest need what was as grave."""
    before = sum(row.count for row in rows)
    if not rows:
        out.new.append(New(ABSENT, tuple(found), len(found), 0, len(found)))
        return
    gravest = max(row.gravity for row in rows)
    graver = tuple(each for each in found if _gravity(each) > gravest)
    if graver:
        out.new.append(New(GRAVER, graver, len(graver), before, len(found)))
    rest = sorted((each for each in found if _gravity(each) <= gravest), key=_gravity, reverse=True)
    covered = 0
    most = {row.gravity: row.count for row in rows}
    if counts == SCALED:
        most = {gravity: allowed(count, out.baseline.traffic, out.traffic) for gravity, count in most.items()}
    for each in rest:
        room = sum(count for gravity, count in most.items() if gravity >= _gravity(each))
        if counts == ANY or covered < room:
            covered += 1
    out.known += covered
    if covered < len(rest):
        out.new.append(New(OFTENER, tuple(rest), len(rest) - covered, before, len(found)))
    elif len(found) > before and not graver:
        out.oftener.append(Changed(rows[0].what, rows[0].rule, fingerprint, before, len(found)))


def _gravity(finding: Finding) -> Gravity:
    return Gravity(finding.severity, finding.verdict == "violation")


def _order(known: Known) -> tuple[str, str, str, int, bool]:
    return known.rule, known.what, known.fingerprint, -known.gravity.severity, not known.gravity.sure


# --- what was assessed ----------------------------------------------------------------------------


def _assessed(assessments: Iterable[Assessment]) -> tuple[set[str], defaultdict[str, set[str]]]:
    decided: set[str] = set()
    gaps: defaultdict[str, set[str]] = defaultdict(set)
    for row in assessments:
        if row.outcome == "not-assessed":
            gaps[row.rule].add(row.gap)
        else:
            decided.add(row.rule)
    return decided, gaps


def _lost(baseline: Baseline, assessments: Sequence[Assessment]) -> Iterable[Lost]:
    """Rules that decided and do not, or that leave open what they did not."""
    decided, _ = _assessed(assessments)
    rows: defaultdict[str, list[Assessment]] = defaultdict(list)
    for row in assessments:
        if row.outcome == "not-assessed":
            rows[row.rule].append(row)
    for rule, gaps in baseline.assessed.items():
        gone = rule not in decided
        for row in rows.get(rule, ()):
            if gone or row.gap not in gaps:
                yield Lost(rule, row.gap, row.reason, gone)
        if gone and rule not in rows:
            yield Lost(rule, "", "nothing in the captures is about it, or the policy switches it off", wholly=True)


def _notes(baseline: Baseline, options: Mapping[str, str]) -> list[str]:
    notes = []
    if baseline.version != __version__:
        notes.append(
            f"the baseline is of imsinspect {baseline.version}, this is {__version__}: what was known may be new by "
            "another name where a rule was changed"
        )
    for name in sorted({*baseline.options, *options}):
        was, has = baseline.options.get(name, "not given"), options.get(name, "not given")
        if was != has:
            notes.append(f"the baseline was made with {name} {was}, this is {has}")
    return notes

"""SARIF 2.1.0 as code-scanning services take it in: a result for each finding, at the frame where it begins."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from imsinspect import __version__
from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.capture.places import file_places
from imsinspect.capture.source import STANDARD_INPUT
from imsinspect.report.concise import place, seen
from imsinspect.report.escape import printable
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.capture.places import FilePlaces
    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Evidence, Finding
    from imsinspect.rules.rule import Rule

Row = dict[str, Any]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS = 25_000  # that services take in one run
UNNAMED = "standard-input"
MAX_TEXT = 1_000  # characters of a rule's descriptions; 1,024 are read

LEVELS = {
    Severity.CRITICAL: ("error", "9.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.MEDIUM: ("warning", "5.5"),
    Severity.LOW: ("note", "3.0"),
    Severity.INFO: ("note", "0.1"),
}
"""Of each severity the level, and `security-severity` (above 9 is critical, from 7 high, from 4 medium)."""

PRECISION = {"proven": "very-high", "strong": "high", "heuristic": "medium"}


def render(audit: Audit) -> str:
    """The log as text. What the wire brought stands in messages only, made printable; paths are percent-encoded."""
    return json.dumps(to_sarif(audit), ensure_ascii=True, indent=1) + "\n"


def to_sarif(audit: Audit) -> Row:
    """The log with one run: the gravest findings first; of more than MAX_RESULTS it says how many are left out."""
    told: list[tuple[Finding, str | None]] = [(finding, None) for finding in audit.findings]
    told += [(row.finding, _justification(row.reason, row.expires)) for row in audit.suppressed]
    told, left = told[:MAX_RESULTS], len(told) - MAX_RESULTS
    rules = _rules(finding.rule for finding, _ in told)
    index = {rule.id: number for number, rule in enumerate(rules)}
    artifacts = _artifacts(audit, [finding for finding, _ in told])
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "imsinspect",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "automationDetails": {"id": "imsinspect/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(audit, left)],
                "artifacts": [each.row() for each in artifacts.values()],
                "results": [
                    _result(audit, finding, index, artifacts) | _suppressed(because) for finding, because in told
                ],
                "properties": {"verdict": audit.verdict, "exitStatus": audit.exit_status},
            }
        ],
    }


def _rules(names: Iterable[str]) -> list[Rule]:
    from imsinspect.rules.registry import BY_ID

    return [BY_ID[name] for name in sorted(set(names)) if name in BY_ID]


def _rule(rule: Rule) -> Row:
    sections = rule.sections
    level, security = LEVELS[rule.severity]
    help_text = "\n\n".join(f"{heading}\n{_flat(body)}" for heading, body in sections.items())
    help_page = "\n\n".join(f"## {heading}\n\n{_flat(body)}" for heading, body in sections.items())
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in re.split(r"[^a-z0-9]+", rule.name)),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": _cut(_flat(sections.get("What it checks", rule.title)))},
        "help": {"text": help_text or rule.title, "markdown": help_page or rule.title},
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": ["security", "ims", rule.id.split("-")[1].lower()],
            "precision": "high",
            "security-severity": security,
            "problem.severity": "recommendation" if level == "note" else level,
            "references": list(rule.references),
        },
    }


def _result(audit: Audit, finding: Finding, index: dict[str, int], artifacts: Artifacts) -> Row:
    path, frame = place(audit, finding)
    level, security = LEVELS[finding.severity]
    subject = {"name": printable(finding.subject.id), "kind": finding.subject.kind}
    row: Row = {
        "ruleId": finding.rule,
        "level": level,
        "message": {"text": ". ".join(printable(part).rstrip(".") for part in _said(finding)) + "."},
        "locations": [_location(path, frame, artifacts) | {"logicalLocations": [subject]}],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
            "imsinspectFingerprint/v1": finding.fingerprint,
        },
        "properties": {
            "security-severity": security,
            "precision": PRECISION.get(finding.confidence, "medium"),
            "confidence": finding.confidence,
            "outcome": finding.verdict,
            "displayFilters": [printable(expression) for _, expression in finding.filters],
            "followsFrom": list(finding.follows_from),
        },
    }
    if finding.rule in index:
        row["ruleIndex"] = index[finding.rule]
    if len(finding.evidence) > 1:
        steps = [_step(audit, each, artifacts) for each in finding.evidence]
        row["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return row


def _said(finding: Finding) -> list[str]:
    return [part for part in (finding.title, finding.message, finding.remediation) if part]


def _step(audit: Audit, evidence: Evidence, artifacts: Artifacts) -> Row:
    message = {"message": {"text": seen(evidence)}}
    return {"location": _location(_path(audit, evidence), frame_number(evidence.frame), artifacts) | message}


def _path(audit: Audit, evidence: Evidence) -> str:
    captures = audit.trace.captures
    number = capture_index(evidence.frame)
    return str(captures[number].path) if 0 <= number < len(captures) else ""


def _location(path: str, frame: int, artifacts: Artifacts) -> Row:
    """A capture has no lines: its frames are counted as such. Their octets are those of the file."""
    known = artifacts.get(path)
    artifact: Row = {"uri": known.uri, "index": known.number} if known is not None else {"uri": _relative(path)}
    region = {"startLine": frame, "startColumn": 1, "endLine": frame, "endColumn": 2}
    if known is not None and known.places is not None and frame in known.places.frames:
        region["byteOffset"], region["byteLength"] = known.places.frames[frame]
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


@dataclass(slots=True, frozen=True)
class _Artifact:
    """A capture as the log names it."""

    number: int
    uri: str
    places: FilePlaces | None  # None: a pipe, or gone

    def row(self) -> Row:
        """The capture with its size and digest."""
        out: Row = {"location": {"uri": self.uri}}
        if self.places is not None:
            out |= {"length": self.places.length, "hashes": {"sha-256": self.places.sha256}}
        return out


Artifacts = dict[str, _Artifact]


def _artifacts(audit: Audit, findings: Iterable[Finding]) -> Artifacts:
    """The captures by their paths."""
    frames: defaultdict[str, set[int]] = defaultdict(set)
    for finding in findings:
        path, frame = place(audit, finding)
        frames[path].add(frame)
        for each in finding.evidence:
            frames[_path(audit, each)].add(frame_number(each.frame))
    paths = [str(capture.path) for capture in audit.trace.captures]
    uris = _uris(paths)
    return {path: _Artifact(number, uris[path], file_places(path, frames[path])) for number, path in enumerate(paths)}


def _suppressed(because: str | None) -> Row:
    if because is None:
        return {}
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": because}]}


def _justification(reason: str, expires: str) -> str:
    return f"{printable(reason)} (until {printable(expires)})"


def _invocation(audit: Audit, left: int) -> Row:
    """How it went: captures that could not be read, what could not be assessed, and trouble in messages."""
    notes = [
        _note("error", f"{printable(capture.path)}: {printable(capture.error)}")
        for capture in audit.trace.captures
        if capture.error is not None
    ]
    notes += [
        _note("error", f"required {each.rule} not assessed: {each.gap} {printable(each.reason)}")
        for each in audit.unmet
    ]
    notes += [
        _note("note", f"{row.rule} not assessed for {row.subjects} of its subjects: {row.gap} {printable(row.reason)}")
        for row in audit.assessments
        if row.outcome == "not-assessed"
    ]
    notes += [_note("note", text) for text in dict.fromkeys(printable(each.text) for each in audit.notes)]
    if left > 0:
        notes.append(_note("warning", f"{left} more findings are left out; the JSON report holds all"))
    return {
        "executionSuccessful": not any(capture.error is not None for capture in audit.trace.captures),
        "exitCode": audit.exit_status,
        "toolExecutionNotifications": notes,
    }


def _note(level: str, text: str) -> Row:
    return {"level": level, "message": {"text": text}}


def _uris(paths: list[str]) -> dict[str, str]:
    """Relative references where all captures are below the working directory, otherwise file URIs of all of them.

    Services refuse logs with both.
    """
    named = [path for path in paths if path not in ("", STANDARD_INPUT)]
    here = Path.cwd()
    whole = {path: Path(os.path.abspath(path)) for path in named}  # noqa: PTH100  (no link is followed)
    below = all(each.is_relative_to(here) for each in whole.values())
    return {
        path: _quoted(whole[path].relative_to(here) if below else whole[path]) if path in whole else UNNAMED
        for path in paths
    }


def _relative(path: str) -> str:
    return _quoted(PurePath(path)) if path else UNNAMED


def _quoted(path: PurePath) -> str:
    """A relative reference, or a file URI of an absolute path; any other octet is percent-encoded (RFC 3986)."""
    quoted = quote(path.as_posix().encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if path.is_absolute() else quoted


def _flat(body: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in body.split("\n\n"))


def _cut(value: str) -> str:
    return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1].rsplit(" ", 1)[0] + " …"

"""What the audit says of real captures, each finding of medium or above looked at in the packets.

    python -m tests.findings        what it says now, where findings.toml does not have it yet

findings.toml has a table for each file: its findings as rule, subject, frames and the reason why it is right, and the
rules that must reach a decision on it. The captures lie beside the project where they are at hand; recordings and
samples are part of it.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.frames import frame_number
from imsinspect.pipeline import audit
from imsinspect.rules.outcome import Severity
from tests import truth

if TYPE_CHECKING:
    from imsinspect.report.audit import Audit

HERE = Path(__file__).resolve().parent
TABLE = HERE / "findings.toml"
ROOTS = {"captures": truth.CAPTURES, "recordings": HERE / "recordings", "samples": HERE.parent / "samples"}
SUFFIXES = (".pcap", ".pcapng")


class Found(NamedTuple):
    """A finding as the table has it."""

    rule: str
    subject: str
    frames: tuple[int, ...]


class Row(NamedTuple):
    """What the table says of one file."""

    findings: dict[Found, str]  # with the reason
    decided: frozenset[str]


def files() -> dict[str, Path]:
    """Every capture that is at hand, by the name that the table has for it."""
    out = {f"captures/{path.parent.name}/{path.name}": path for path in truth.captures()}
    for name in ("recordings", "samples"):
        for path in sorted(ROOTS[name].rglob("*")):
            if path.suffix in SUFFIXES:
                out[f"{name}/{path.relative_to(ROOTS[name]).as_posix()}"] = path
    return out


def table() -> dict[str, Row]:
    """The whole table."""
    content = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    out = {}
    for name, row in content.items():
        found = {
            Found(each["rule"], each["subject"], tuple(each["frames"])): each["reason"] for each in row["findings"]
        }
        out[name] = Row(found, frozenset(row["decided"]))
    return out


def found(result: Audit) -> list[Found]:
    """Findings of medium or above; of each the first and the last frame of its evidence are enough to know it again."""
    out = []
    for each in result.findings:
        if each.severity >= Severity.MEDIUM:
            frames = sorted({frame_number(one.frame) for one in each.evidence})
            ends = tuple(dict.fromkeys((frames[0], frames[-1]))) if frames else ()
            out.append(Found(each.rule, each.subject.id, ends))
    return sorted(out)


def decided(result: Audit) -> frozenset[str]:
    """Rules that found, suspected or passed something."""
    return frozenset(row.rule for row in result.assessments if row.outcome != "not-assessed")


def written(name: str, row: Row) -> str:
    """A row as the table writes it."""
    lines = [f"[{json.dumps(name)}]", f"decided = {json.dumps(sorted(row.decided))}", "findings = ["]
    for each, reason in sorted(row.findings.items()):
        told = f"rule = {json.dumps(each.rule)}, subject = {json.dumps(each.subject)}, frames = {list(each.frames)}"
        lines.append(f"    {{ {told}, reason = {json.dumps(reason, ensure_ascii=False)} }},")
    return "\n".join([*lines, "]"])


if __name__ == "__main__":
    known = table() if TABLE.exists() else {}
    for name, path in files().items():
        result = audit([str(path)])
        row = known.get(name, Row({}, frozenset()))
        now = Row({each: row.findings.get(each, "") for each in found(result)}, decided(result))
        if now != row or "--all" in sys.argv:
            print(written(name, now) + "\n")

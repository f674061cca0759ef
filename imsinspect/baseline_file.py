"""The file of a baseline (JSON; docs/baseline.md): written the same for the same findings, read strictly."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from imsinspect.baseline import Baseline, Gravity, Known, Traffic
from imsinspect.capture.errors import UsageError
from imsinspect.capture.small_files import read_whole
from imsinspect.report.escape import printable
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "imsinspect-baseline/1"
MAX_OCTETS = 64 << 20
MAX_TEXT = 1_000  # characters of one value
OUTCOMES = {"violation": True, "suspect": False}
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_RULE = re.compile(r"IMS-[A-Z0-9]{2,8}-\d{3}")


class _Wrong(Exception):  # noqa: N818 (what is wrong, and where)
    pass


def to_text(baseline: Baseline) -> str:
    """The whole file: ASCII, a line for each finding and rule, so that a review shows what came and went."""
    findings = [
        {
            "rule": each.rule,
            "severity": each.gravity.severity.token,
            "outcome": each.gravity.outcome,
            "count": each.count,
            "what": printable(each.what, MAX_TEXT),
            "fingerprint": each.fingerprint,
        }
        for each in baseline.findings
    ]
    assessed = [{"rule": rule, "open": list(gaps)} for rule, gaps in baseline.assessed.items()]
    parts = {
        "schema": json.dumps(SCHEMA),
        "tool": _line({"name": "imsinspect", "version": baseline.version}),
        "options": _line(dict(baseline.options)),
        "traffic": _line({"calls": baseline.traffic.calls, "streams": baseline.traffic.streams}),
        "findings": _lines(findings),
        "assessed": _lines(assessed),
    }
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in parts.items()) + "\n}\n"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _lines(rows: list[Any]) -> str:
    return "[\n" + ",\n".join(f"    {_line(row)}" for row in rows) + "\n  ]" if rows else "[]"


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file. Raises UsageError that says what is wrong with it, and where."""
    data = read_whole(path, "baseline", MAX_OCTETS)
    try:
        content = json.loads(data.decode())
    except UnicodeDecodeError:
        raise UsageError(f"baseline {path}: no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"baseline {path}, line {error.lineno}: no JSON ({error.msg})") from None
    except (RecursionError, ValueError):
        raise UsageError(f"baseline {path}: no JSON that could be one") from None
    try:
        return _baseline(content)
    except _Wrong as wrong:
        raise UsageError(f"baseline {path}: {wrong}") from None


def _baseline(content: object) -> Baseline:
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, str) or not schema.startswith("imsinspect-baseline/"):
        raise _Wrong("no baseline of imsinspect; `imsinspect baseline create` writes one")
    if schema != SCHEMA:
        raise _Wrong(f"it is of another version ({printable(schema, 60)}, not {SCHEMA}); create it anew")
    whole = _object(content, "", ("schema", "tool", "options", "traffic", "findings", "assessed"))
    tool = _object(whole["tool"], "tool", ("name", "version"))
    options = whole["options"]
    if not isinstance(options, dict):
        raise _Wrong("options: no object")
    traffic = _object(whole["traffic"], "traffic", ("calls", "streams"))
    findings = [_known(row, f"findings[{number}]") for number, row in enumerate(_list(whole["findings"], "findings"))]
    if len({(each.fingerprint, each.gravity) for each in findings}) < len(findings):
        raise _Wrong("findings: one fingerprint stands there twice with the same severity and outcome")
    assessed = [_rule(row, f"assessed[{number}]") for number, row in enumerate(_list(whole["assessed"], "assessed"))]
    return Baseline(
        _text(tool["version"], "tool.version"),
        {str(name): _text(value, f"options.{printable(name, 60)}") for name, value in options.items()},
        Traffic(_count(traffic["calls"], "traffic.calls"), _count(traffic["streams"], "traffic.streams")),
        tuple(findings),
        dict(assessed),
    )


def _known(row: object, at: str) -> Known:
    values = _object(row, at, ("rule", "severity", "outcome", "count", "what", "fingerprint"))
    severity, outcome = _text(values["severity"], at), _text(values["outcome"], at)
    if severity.upper() not in Severity.__members__ or severity != severity.lower():
        raise _Wrong(f"{at}.severity: {printable(severity, 60)} is none")
    if outcome not in OUTCOMES:
        raise _Wrong(f"{at}.outcome: {printable(outcome, 60)} is none")
    count = _count(values["count"], f"{at}.count")
    if not count:
        raise _Wrong(f"{at}.count: 0")
    return Known(
        _matching(values["fingerprint"], _FINGERPRINT, f"{at}.fingerprint"),
        _matching(values["rule"], _RULE, f"{at}.rule"),
        Gravity(Severity[severity.upper()], OUTCOMES[outcome]),
        count,
        _text(values["what"], f"{at}.what"),
    )


def _rule(row: object, at: str) -> tuple[str, tuple[str, ...]]:
    values = _object(row, at, ("rule", "open"))
    gaps = tuple(_text(each, f"{at}.open") for each in _list(values["open"], f"{at}.open"))
    return _matching(values["rule"], _RULE, f"{at}.rule"), gaps


def _object(value: object, at: str, names: tuple[str, ...]) -> dict[str, Any]:
    """An object with these names and no others: what is not known is not passed over."""
    if not isinstance(value, dict):
        raise _Wrong(f"{at or 'the file'}: no object")
    for name in names:
        if name not in value:
            raise _Wrong(f"{f'{at}.' if at else ''}{name}: missing")
    for name in value:
        if name not in names:
            raise _Wrong(f"{f'{at}.' if at else ''}{printable(name, 60)}: not known")
    return value


def _list(value: object, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(f"{at}: no list")
    return value


def _text(value: object, at: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT + 100:
        raise _Wrong(f"{at}: no short text")
    return value


def _count(value: object, at: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise _Wrong(f"{at}: no count")
    return value


def _matching(value: object, pattern: re.Pattern[str], at: str) -> str:
    text = _text(value, at)
    if not pattern.fullmatch(text):
        raise _Wrong(f"{at}: {printable(text, 60)} is none")
    return text

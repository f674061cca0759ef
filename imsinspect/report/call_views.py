"""The rows of calls and conferences as a person, a spreadsheet or a program reads them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from imsinspect.report.calls import NOT_ASSESSED
from imsinspect.report.closing import closing
from imsinspect.report.escape import printable, text
from imsinspect.report.json import compact
from imsinspect.report.page import Page, counted
from imsinspect.report.protection import LEGEND, Level
from imsinspect.report.terminal_findings import SEVERITY_STYLES, SIGNS
from imsinspect.report.times import iso, plain, span
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from imsinspect.report.audit import Audit
    from imsinspect.report.calls import CallRow, CallTable
    from imsinspect.report.page import Part

SCHEMA = "imsinspect-calls/1"
NAME = 160  # characters of one name
CLAIMS = 3  # in a line
UNNAMED = "nobody named"
PADDED = 19  # columns that a cell of the first line is padded to at most
NOTHING_KNOWN = (NOT_ASSESSED,), NOT_ASSESSED  # claimed and observed: said once
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for the beginning of one


# --- for people -----------------------------------------------------------------------------------


def render(audit: Audit, table: CallTable, console: Console) -> None:
    """Two lines for each row: when and how protected; what was found and who. The verdict of the audit ends it."""
    page = Page(console)
    one_day = only_day(table.rows)
    times = f"; {one_day}, times in UTC" if one_day else "; times in UTC" if table.rows else ""
    page.paragraph(0, (_counts(table), "bold"), times)
    cells = [(row.id, began(row, with_day=not one_day), lasted(row)) for row in table.rows]
    widths = [min(max(map(len, column)), PADDED) for column in zip(*cells, strict=True)]
    levels = {row.level for row in table.rows}
    for row, short in zip(table.rows, cells, strict=True):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(short[1:], widths[1:], strict=True))
        sign, style = SIGNS[row.level]
        page.paragraph(
            0,
            (row.id.ljust(widths[0]), "bold"),
            f"  {padded}  ",
            (sign, style),
            *((f" {claimed(row)}, observed ",) if (row.claimed, row.observed) != NOTHING_KNOWN else (" ",)),
            (row.observed, style),
            hang=4,
        )
        page.paragraph(4, _found(row), "  ", "  ".join(who(row)), hang=2)
    if levels:
        parts: list[Part] = []
        for level in (level for level in Level if level in levels):
            parts += [SIGNS[level], f" {LEGEND[level]}  "]
        page.paragraph(0, *parts)
    if table.elsewhere:
        verb = "belongs" if table.elsewhere == 1 else "belong"
        page.paragraph(0, f"{counted(table.elsewhere, 'finding')} {verb} to no call; `imsinspect audit` shows all")
    page.last(closing(audit), "bold")


def _counts(table: CallTable) -> str:
    """`12 calls, 1 conference; 3 match, 2 shown`."""
    words = counted(table.calls, "call")
    if table.conferences:
        words += f", {counted(table.conferences, 'conference')}"
    if table.matched < table.calls + table.conferences:
        words += f"; {table.matched or 'none'} {'matches' if table.matched == 1 else 'match'}"
    return f"{words}, {len(table.rows)} shown" if len(table.rows) < table.matched else words


def only_day(rows: Iterable[CallRow]) -> str:
    """The day on which all of them began; "" where there are several."""
    days = {plain(row.begins).partition(" ")[0] for row in rows}
    return days.pop() if len(days) == 1 else ""


def began(row: CallRow, *, with_day: bool) -> str:
    """To the second, in UTC."""
    day, _, time = plain(row.begins).partition(".")[0].partition(" ")
    return f"{day} {time}" if with_day else time


def standing(row: CallRow) -> str:
    """`claimed DTLS-SRTP, observed SRTP`; said once where nothing is known."""
    return (
        row.observed
        if (row.claimed, row.observed) == NOTHING_KNOWN
        else (f"claimed {claimed(row)}, observed {row.observed}")
    )


def lasted(row: CallRow) -> str:
    """The duration, or what of it was seen."""
    return ("" if row.over else ">= ") + span(0, row.lasts)


def claimed(row: CallRow) -> str:
    """What was agreed for the media lines."""
    shown = "; ".join(printable(each, NAME) for each in row.claimed[:CLAIMS])
    more = len(row.claimed) - CLAIMS
    return f"{shown} and {more} more" if more > 0 else shown


def _found(row: CallRow) -> tuple[str, str]:
    return row.finding_words(), SEVERITY_STYLES[row.gravest] if row.gravest is not None else "dim"


def who(row: CallRow) -> Iterator[str]:
    """Media, parties, and what is unusual of the call."""
    media = ", ".join(printable(each, NAME) for each in row.media[:CLAIMS])
    if media:
        more = len(row.media) - CLAIMS
        yield f"{media} and {more} more" if more > 0 else media
    if row.kind == "conference":
        yield f"{printable(row.receiver, NAME)} ({counted(len(row.participants), 'participant')})"
    else:
        yield f"{printable(row.sender, NAME) or UNNAMED} → {printable(row.receiver, NAME) or UNNAMED}"
    if row.state and row.state not in ("ended", "confirmed"):
        yield f"({'begun before the capture' if row.state == 'unknown' else printable(row.state)})"
    if row.conference:
        yield f"(leg of {row.conference})"


# --- for programs ---------------------------------------------------------------------------------


def to_json(audit: Audit, table: CallTable) -> str:
    """An object with a line for each row; ASCII only."""
    head = {
        "schema": SCHEMA,
        "verdict": audit.verdict,
        "calls": table.calls,
        "conferences": table.conferences,
        "matched": table.matched,
        "findings_elsewhere": table.elsewhere,
    }
    lines = ",\n".join(f"    {compact(to_object(row))}" for row in table.rows)
    rows = f"[\n{lines}\n  ]" if lines else "[]"
    facts = "".join(f"  {compact(name)}: {compact(value)},\n" for name, value in head.items())
    return f'{{\n{facts}  "rows": {rows}\n}}\n'


def to_object(row: CallRow) -> dict[str, Any]:
    """A row as programs read it."""
    is_call = row.kind == "call"
    counts = dict(row.findings)
    return {
        "id": row.id,
        "kind": row.kind,
        "call_id": text(row.call_id) if is_call else None,
        "began": iso(row.begins),
        "seconds": row.lasts / 1e9,
        "over": row.over,
        "state": row.state or None,
        "from": text(row.sender) if is_call else None,
        "to": text(row.receiver) if is_call else None,
        "uri": None if is_call else text(row.receiver),
        "participants": None if is_call else [text(each) for each in row.participants],
        "conference": row.conference or None,
        "media": [text(each) for each in row.media],
        "claimed": [text(each) for each in row.claimed],
        "observed": row.observed,
        "level": row.level.value,
        "result": row.result,
        "findings": {severity.token: counts.get(severity, 0) for severity in reversed(Severity)},
        "suppressed": row.suppressed,
        "rules": list(row.rules),
    }


# --- for spreadsheets -----------------------------------------------------------------------------


def to_csv(table: CallTable) -> str:
    """A head, and a line for each row; no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    for row in table.rows:
        writer.writerow([_cell(value) for value in _values(row)])
    return out.getvalue()


_HEAD = (
    "id", "kind", "call_id", "began", "seconds", "over", "state", "from", "to", "participants", "conference", "media",
    "claimed", "observed", "result", *(severity.token for severity in reversed(Severity)), "suppressed", "rules",
)  # fmt: skip


def _values(row: CallRow) -> Iterator[str | int]:
    yield from (row.id, row.kind, row.call_id, iso(row.begins), f"{row.lasts / 1e9:.3f}", "yes" if row.over else "no")
    yield from (row.state, row.sender, row.receiver, len(row.participants) if row.kind == "conference" else "")
    yield from (row.conference, "; ".join(row.media), "; ".join(row.claimed), row.observed, row.result)
    counts = dict(row.findings)
    yield from (counts.get(severity, 0) for severity in reversed(Severity))
    yield from (row.suppressed, " ".join(row.rules))


def _cell(value: str | int) -> str | int:
    """A string on one line that no spreadsheet takes for a formula: an apostrophe is put before one."""
    if isinstance(value, int):
        return value
    shown = printable(value)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA) else shown

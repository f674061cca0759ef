"""`imsinspect calls`: the calls and conferences of captures at a glance, to find the one that matters."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from imsinspect.cli.completion import rule_names
from imsinspect.cli.options import Asked, Captures, Threshold, check_input, run_audit, with_options
from imsinspect.cli.output import console, write


class Sort(StrEnum):
    """What comes first: the earliest, the longest, most findings, the gravest, the worst protected."""

    TIME = "time"
    DURATION = "duration"
    FINDINGS = "findings"
    SEVERITY = "severity"
    PROTECTION = "protection"


@with_options
def calls(
    *,
    captures: Captures,
    sort: Annotated[
        Sort, typer.Option(help="First the earliest, the longest, most findings, the gravest, the worst protected.")
    ] = Sort.TIME,
    filter: Annotated[  # noqa: A002 (the name of the option)
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="Only those with this text in id, Call-ID, parties or protection, without regard to case; "
            "may be repeated: all must be there.",
        ),
    ] = None,
    min_severity: Annotated[
        Threshold | None, typer.Option(help="Only those with a finding of this severity or a graver one.")
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            autocompletion=rule_names,
            help="Only those with a finding of this rule; may be repeated: of any of them.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As comma-separated values, a line for each.")] = False,
    asked: Asked,
) -> int:
    """List calls and conferences: when, who, what protection was agreed and observed, what was found.

    Exit status: 0, or 2 for bad usage or a capture that can't be read. Findings do not change it; see audit.
    """
    if as_json and as_csv:
        raise typer.BadParameter("either --json or --csv")
    check_input(captures)
    rules = frozenset(_ids(rule or ()))
    options = asked.options()
    result = run_audit(captures, options)

    from imsinspect.report.call_views import render, to_csv, to_json
    from imsinspect.report.calls import Wanted, table
    from imsinspect.rules.outcome import Severity

    least = None if min_severity is None else Severity[min_severity.name]
    found = table(result, Wanted(sort.value, tuple(filter or ()), rules, least, limit))
    unreadable = [capture for capture in result.trace.captures if capture.error]
    if as_json:
        write(to_json(result, found))
    elif as_csv:
        write(to_csv(found))
    elif len(unreadable) < len(result.trace.captures):
        screen = console()
        with screen.capture() as captured:
            render(result, found, screen)
        write(captured.get())
    return 2 if unreadable else 0


def _ids(names: list[str] | tuple[str, ...]) -> list[str]:
    """Ids of rules. Raises BadParameter for a name that is none."""
    if not names:
        return []
    from imsinspect.cli.rules import named

    return [named(name).id for name in names]

"""`imsinspect audit`: read captures, report, and leave with a status that a script can use."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imsinspect.cli.completion import rule_names
from imsinspect.cli.options import Asked, Captures, Threshold, check_input, run_audit, with_options
from imsinspect.cli.output import check_destination, console, write, write_files
from imsinspect.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imsinspect.report.audit import Audit


class Format(StrEnum):
    """Views of an audit. Each is a module of imsinspect.report of that name, with `render(audit) -> str`.

    The one for the terminal writes to a console instead.
    """

    TERMINAL = "terminal"
    CONCISE = "concise"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"
    MARKDOWN = "markdown"
    HTML = "html"


@with_options
def audit(
    *,
    captures: Captures,
    format: Annotated[  # noqa: A002 (the name of the option)
        Format, typer.Option("--format", "-f", help="terminal is for reading; json and jsonl hold everything.")
    ] = Format.TERMINAL,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="[FORMAT=]FILE",
            help="Write the report to a file, or with its format one more view of it; may be repeated.",
        ),
    ] = None,
    fail_on: Annotated[
        Threshold, typer.Option(help="Findings of this severity or a graver one end with exit status 1.")
    ] = Threshold.MEDIUM,
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            autocompletion=rule_names,
            help="A rule that must be assessed: if it leaves anything open, or has no subject, status 1.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Status 1 also where a rule of the first tier could not be assessed.")
    ] = False,
    asked: Asked,
    show_secrets: Annotated[
        bool, typer.Option(help="Show keys, and in JSON what opened sessions say; otherwise keys are named by digests.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress; of the terminal report only the last line.")
    ] = False,
) -> int:
    """Audit captures of IMS traffic.

    Exit status: 0 no finding at or above the threshold, 1 findings or required rules that could not be assessed,
    2 bad usage or a capture that can't be read, 3 nothing in the captures that could be assessed.
    """
    destination, views = _outputs(output or ())
    files = [*views.values(), *([destination] if destination is not None else [])]
    _check(captures, files, asked.files)

    from imsinspect.rules.outcome import Severity

    options = replace(
        asked.options(),
        fail_on=Severity[fail_on.name],
        required=tuple(_required(require or ())),
        strict=strict,
        show_secrets=show_secrets,
    )
    result = run_audit(captures, options, quiet=quiet)
    reports = [(path, _report(result, view, quiet=False, to_file=True)) for view, path in views.items()]
    nothing_read = format is Format.TERMINAL and all(capture.error for capture in result.trace.captures)
    if destination is not None and not nothing_read:
        reports.append((destination, _report(result, format, quiet, to_file=True)))
    write_files(reports, private=show_secrets)
    if nothing_read:
        return result.exit_status
    if destination is None:
        write(_report(result, format, quiet, to_file=False))
    elif not quiet:
        from imsinspect.report.closing import closing

        say(closing(result))
    return result.exit_status


def _outputs(said: Sequence[str]) -> tuple[Path | None, dict[Format, Path]]:
    """The file of the report (None: standard output), and those of further views. Raises BadParameter."""
    destination: Path | None = None
    views: dict[Format, Path] = {}
    for each in said:
        name, separator, path = each.partition("=")
        view = Format(name) if separator and name in set(Format) else None
        if separator and view is None and Path(name).name == name:
            raise typer.BadParameter(
                f"--output {each}: no format {name}; there are {', '.join(Format)} (a file of this name: ./{each})"
            )
        if view is None and each != "-":
            if destination is not None:
                raise typer.BadParameter("one file takes the report; name the formats of others (--output FORMAT=FILE)")
            destination = Path(each)
        elif view is not None:
            if view in views or not path or path == "-":
                raise typer.BadParameter(f"--output {each}: one file for each format")
            views[view] = Path(path)
    return destination, views


def _check(captures: list[str], files: list[Path], keys: list[Path]) -> None:
    """What would be a pity to find out after an hour of reading."""
    check_input(captures)
    if len({path.resolve() for path in files}) < len(files):
        raise typer.BadParameter("two reports can not be written to one file")
    for path in files:
        check_destination(captures, path, keys)


def _required(names: Sequence[str]) -> Iterator[str]:
    """Ids of rules. Raises BadParameter for a name that is none."""
    if names:
        from imsinspect.cli.rules import named

        for name in names:
            yield named(name).id


def _report(result: Audit, wanted: Format, quiet: bool, *, to_file: bool) -> str:
    """The report as text. The module of its format is loaded when it is asked for."""
    if wanted is not Format.TERMINAL:
        render: Callable[[Audit], str] = import_module(f"imsinspect.report.{wanted}").render
        return render(result)

    if quiet:
        from imsinspect.report.closing import closing

        return closing(result) + "\n"

    from imsinspect.report import terminal

    screen = console(to_file=to_file)
    with screen.capture() as captured:
        terminal.render(result, screen)
    return captured.get()

"""`imsinspect call`: what happened in one call or conference, arrow by arrow, and how each was really protected."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from imsinspect.cli.options import Asked, check_input, run_audit, with_options
from imsinspect.cli.output import check_destination, console, write, write_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from imsinspect.report.ladder import Ladder


class View(StrEnum):
    """Views of a ladder. Each is a module of imsinspect.report, `ladder_` before its name."""

    TERMINAL = "terminal"
    SVG = "svg"
    HTML = "html"
    JSON = "json"


@with_options
def call(
    *,
    captures_and_id: Annotated[
        list[str],
        typer.Argument(
            metavar="CAPTURE... ID",
            help="Captures as for audit, and last what to show: call-3 or conference-1 as calls and audit name it, "
            "or a Call-ID.",
        ),
    ],
    format: Annotated[View, typer.Option(help="For people here, or as a picture, a page or data.")] = View.TERMINAL,  # noqa: A002
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to this file, whole or not at all.", dir_okay=False)
    ] = None,
    asked: Asked,
) -> int:
    """Show one call or conference as a ladder: messages, key exchanges and media in order of time, how each was really
    protected, what offer and answer agreed, where keys came from, and what was found.

    Exit status: 0, or 2 for bad usage or a capture that can't be read. Findings do not change it; see audit.
    """
    *captures, wanted = captures_and_id
    if not captures:
        raise typer.BadParameter("first the captures, then the id of a call or conference")
    check_input(captures)
    if output is not None:
        read = asked.files
        check_destination(captures, output, read)
    options = asked.options()
    result = run_audit(captures, options)
    unreadable = [capture for capture in result.trace.captures if capture.error]
    if len(unreadable) == len(result.trace.captures):
        return 2

    from imsinspect.capture.errors import UsageError
    from imsinspect.report.ladder import UnknownIdError, ladder

    try:
        found = ladder(result, wanted)
    except UnknownIdError as error:
        raise UsageError(_unknown(wanted, error.near)) from error
    report = _report(found, format, to_file=output is not None)
    if output is None:
        write(report)
    else:
        write_file(output, report, private=False)
    return 2 if unreadable else 0


def _unknown(wanted: str, near: tuple[str, ...]) -> str:
    if not near:
        return f"there is no call {wanted}: the captures hold no call or conference"
    return f"there is no call {wanted}; near are {', '.join(near)} (imsinspect calls lists all)"


def _report(found: Ladder, view: View, *, to_file: bool) -> str:
    """The module of a view is loaded when it is asked for."""
    module = import_module(f"imsinspect.report.ladder_{view}")
    if view is not View.TERMINAL:
        render: Callable[[Ladder], str] = module.render
        return render(found)
    screen = console(to_file=to_file)
    with screen.capture() as captured:
        module.render(found, screen)
    return captured.get()

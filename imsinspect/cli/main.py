"""The program: its commands, and what becomes of an error. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from imsinspect import __version__
from imsinspect.cli import baseline
from imsinspect.cli.annotate import annotate
from imsinspect.cli.audit import audit
from imsinspect.cli.call import call
from imsinspect.cli.calls import calls
from imsinspect.cli.completion import completion, listen
from imsinspect.cli.decode import decode
from imsinspect.cli.decrypt import decrypt
from imsinspect.cli.rules import explain, rules
from imsinspect.cli.say import say
from imsinspect.cli.show import show

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "imsinspect"
BAD_USAGE = 2

app = typer.Typer(
    name=PROGRAM,
    help="Reads captured IMS traffic and says, with proof, where its media-plane security falls short.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
COMMANDS = {
    command.__name__: command
    for command in (audit, calls, call, show, decode, decrypt, annotate, rules, explain, completion)
}
GROUPS = {"baseline": baseline.app}
for command in COMMANDS.values():
    app.command()(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _commands(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_USAGE)


def main() -> None:
    """Run the program on the arguments of the process, and leave with its exit status.

    One command is all that the process does: nothing is collected on the way, nor taken down object by object at the
    end, which would take a tenth of a long audit each.
    """
    gc.disable()
    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status. Whatever goes wrong becomes one line on standard error."""
    try:
        listen()
        result = get_command(app).main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except Exception as error:
        if os.environ.get("IMSINSPECT_DEBUG") == "1":
            import traceback

            traceback.print_exc()
        say(f"{PROGRAM}: {_explained(error, arguments)}")
        return BAD_USAGE
    return result if isinstance(result, int) else 0


def _explained(error: Exception, arguments: Sequence[str]) -> str:
    from imsinspect.capture.errors import CaptureError, UsageError
    from imsinspect.processes import ProcessError

    if isinstance(error, (UsageError, CaptureError, ProcessError)):
        return f"error: {error}"
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename is not None else ""
        return f"error: {error.strerror}{where}"
    as_usage = getattr(error, "format_message", None)  # the exceptions of typer's parser have no public name
    if as_usage is not None:
        command = _command(arguments)
        return f"error: {as_usage()} (see {PROGRAM}{command} --help)"
    # Its message may quote the capture, even a key: only its kind and its place are shown.
    return (
        f"internal error: {type(error).__name__} in {_place(error)}; please report it "
        "(with IMSINSPECT_DEBUG=1 in the environment the whole traceback is shown)"
    )


def _command(arguments: Sequence[str]) -> str:
    """The command that was called, behind a space; of a group its own command, too."""
    for number, each in enumerate(arguments):
        if each in COMMANDS:
            return f" {each}"
        if each in GROUPS:
            after = arguments[number + 1 : number + 2]
            named = {command.callback.__name__ for command in GROUPS[each].registered_commands if command.callback}
            return f" {each} {after[0]}" if after and after[0] in named else f" {each}"
    return ""


def _place(error: Exception) -> str:
    traceback = error.__traceback__
    if traceback is None:
        return "an unknown place"
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_globals.get('__name__', '?')}, line {traceback.tb_lineno}"

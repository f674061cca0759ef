"""`imsinspect baseline`: what is known of some traffic, in a file, and a check that fails where more is found."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path  # noqa: TC003 (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from imsinspect.cli.options import Asked, Captures, Threshold, check_input, run_audit, with_options
from imsinspect.cli.output import check_destination, console, write, write_file
from imsinspect.cli.say import say

if TYPE_CHECKING:
    from imsinspect.baseline import Comparison
    from imsinspect.pipeline import Options
    from imsinspect.report.audit import Audit

STANDARD = "-"
FAILED, UNREADABLE, NOTHING = 1, 2, 3

app = typer.Typer(
    help="Compare captures with what is known of them: write a baseline, and fail where more is found.",
    no_args_is_help=False,
)


class Counts(StrEnum):
    """How often a known finding may come."""

    SCALED = "scaled"
    EXACT = "exact"
    ANY = "any"


@app.command()
@with_options
def create(
    *,
    captures: Captures,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The baseline to be written or renewed, or - for standard output."
        ),
    ],
    asked: Asked,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and nothing said but errors.")] = False,
) -> int:
    """Write down what an audit finds, by fingerprints, and which rules could be assessed.

    Exit status: 0 the baseline was written; else it was not: 2 bad usage or a capture that can't be read, 3 nothing in
    the captures that could be assessed.
    """
    check_input(captures)
    to_file = str(output) != STANDARD
    if to_file:
        check_destination(captures, output, asked.files)
    options = asked.options()
    result = run_audit(captures, options, quiet=quiet)
    status = _assessed(result)
    if status:
        why = "a capture could not be read" if status == UNREADABLE else "nothing in the captures could be assessed"
        say(f"imsinspect: error: {why}, so {output if to_file else 'the baseline'} was not written")
        return status

    from imsinspect.baseline import Traffic, baseline_of
    from imsinspect.baseline_file import to_text

    baseline = baseline_of(result.findings, result.assessments, Traffic.of(result.trace), _options(options, result))
    if to_file:
        write_file(output, to_text(baseline), private=False)
    else:
        write(to_text(baseline))
    if to_file and not quiet:
        from imsinspect.report.page import counted

        say(
            f"{output}: {counted(len(result.findings), 'finding')} of {counted(len(baseline.findings), 'kind')}, "
            f"{counted(len(baseline.assessed), 'rule')} that decided"
        )
    return 0


@app.command()
@with_options
def check(
    *,
    captures: Captures,
    baseline: Annotated[
        Path, typer.Option("--baseline", "-b", metavar="FILE", help="What is known, as `baseline create` wrote it.")
    ],
    fail_on: Annotated[
        Threshold, typer.Option(help="New findings of this severity or a graver one end with exit status 1.")
    ] = Threshold.MEDIUM,
    counts: Annotated[
        Counts,
        typer.Option(
            help="How often a known finding may come: more often as there are more calls, exactly as often as in the "
            "baseline at most, or any number of times."
        ),
    ] = Counts.SCALED,
    strict: Annotated[
        bool, typer.Option("--strict", help="Status 1 also where a rule that decided does not decide any more.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    asked: Asked,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and only the last line.")] = False,
) -> int:
    """Audit captures and tell what the baseline does not know.

    Exit status: 0 nothing new at or above the threshold, 1 something new (with --strict also: less was assessed), 2 bad
    usage or a capture that can't be read, 3 nothing in the captures that could be assessed.
    """
    check_input(captures)

    from imsinspect.baseline import Traffic, compare
    from imsinspect.baseline_file import read_baseline
    from imsinspect.rules.outcome import Severity

    known = read_baseline(baseline)
    options = replace(
        asked.options(),
        fail_on=Severity[fail_on.name],
    )
    result = run_audit(captures, options, quiet=quiet)
    comparison = compare(
        known, result.findings, result.assessments, Traffic.of(result.trace), _options(options, result), counts.value
    )
    status = _status(result, comparison, strict=strict)
    _write(result, comparison, status, baseline, as_json=as_json, quiet=quiet)
    return status


def _write(result: Audit, comparison: Comparison, status: int, baseline: Path, *, as_json: bool, quiet: bool) -> None:
    from imsinspect.report import comparison as view

    if as_json:
        write(view.to_json(result, comparison, status))
    elif quiet:
        write(view.closing(result, comparison, status) + "\n")
    elif not all(capture.error for capture in result.trace.captures):
        screen = console()
        with screen.capture() as captured:
            view.render(result, comparison, status, str(baseline), screen)
        write(captured.get())


def _status(result: Audit, comparison: Comparison, *, strict: bool) -> int:
    gravest = comparison.gravest
    if (gravest is not None and gravest >= result.fail_on) or (strict and comparison.lost):
        return FAILED
    return _assessed(result)


def _assessed(result: Audit) -> int:
    """The status of what was read, whatever was found."""
    if any(capture.error for capture in result.trace.captures):
        return UNREADABLE
    return NOTHING if result.verdict == "nothing-to-assess" else 0


def _options(options: Options, result: Audit) -> dict[str, str]:
    """What decides what is found, as it was in force; files are the user's to keep."""
    return {
        "profile": result.profile.name,
        "capture_point": options.capture_point,
        "access_confidentiality": options.access_confidentiality,
        "nds": options.nds,
        "verify": options.verify,
    }

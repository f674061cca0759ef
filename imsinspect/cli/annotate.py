"""`imsinspect annotate`: a capture whose packets say what was found in them, for Wireshark."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from imsinspect.capture.errors import UsageError
from imsinspect.cli.options import Asked, check_input, with_options
from imsinspect.cli.output import STANDARD_INPUT as STANDARD
from imsinspect.cli.output import check_destination, replacing
from imsinspect.cli.say import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from imsinspect.annotating import Annotated as Done

NOT_THERE, NOTHING = 1, 3
LISTED = 10


class _NotThereError(Exception):
    """What was to be written does not hold all findings."""


@with_options
def annotate(
    *,
    capture: Annotated[
        str, typer.Argument(metavar="CAPTURE", help="A capture (pcap, pcapng, gzip or zstd), or - for standard input.")
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The pcapng file to be written, or - for standard output.")
    ],
    only_findings: Annotated[
        bool,
        typer.Option(
            "--only-findings",
            help="Of the packets only those that the findings rest on; an audit of OUT must find them all there.",
        ),
    ] = False,
    asked: Asked,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and nothing said but errors.")] = False,
) -> int:
    """Write a capture with each finding as a comment on the packets that show it.

    Packets, interfaces, times, options and other comments stay as they are. In Wireshark the display filter
    frame.comment shows the packets with findings.

    Exit status: 0 OUT was written, 2 bad usage or a capture that can't be read; with --only-findings also, and then OUT
    is not written: 1 not all findings are there without the rest of the capture, 3 there are no findings.
    """
    _check(capture, out)
    if str(out) != STANDARD:
        check_destination([capture], out, asked.files)
    options = asked.options()

    from imsinspect.annotating import annotate as run
    from imsinspect.cli.progress import Progress

    with _readable(capture) as (path, name, private), Progress(shown=not quiet and sys.stderr.isatty()) as progress:
        try:
            with _opened(out, private=private) as file:
                done = run(path, name, file, options, progress, only_findings=only_findings)
                if only_findings and (done.missing or not done.findings):
                    raise _NotThereError
        except _NotThereError:
            return _refused(done, name, out)
    if not quiet:
        for line in _said(done, name, only_findings=only_findings):
            say(line)
    return 0


def _check(capture: str, out: Path) -> None:
    check_input([capture])
    if capture != STANDARD:
        if not Path(capture).exists():
            raise typer.BadParameter(f"no such file: {capture}")
        if Path(capture).is_dir():
            raise typer.BadParameter(f"{capture} is a folder: one capture is annotated at a time")
    if str(out) == STANDARD:
        if sys.stdout.isatty():
            raise typer.BadParameter("standard output is a terminal: name a file, or lead the output elsewhere")
    elif out.exists() and not out.is_file() and not out.is_dir():
        raise typer.BadParameter(f"{out} is no regular file")


@contextmanager
def _readable(capture: str) -> Iterator[tuple[str, str, bool]]:
    """A file that can be read more than once, what it is called, and whether others may not read it.

    What a pipe brings is kept in a temporary file.
    """
    path = Path(capture)
    if capture != STANDARD and not path.is_fifo():
        yield capture, path.name, not stat.S_IMODE(path.stat().st_mode) & 0o044
        return
    with tempfile.NamedTemporaryFile(prefix="imsinspect-") as spool:
        if capture == STANDARD:
            shutil.copyfileobj(sys.stdin.buffer, spool)
        else:
            with path.open("rb") as pipe:
                shutil.copyfileobj(pipe, spool)
        spool.flush()
        yield spool.name, "standard input" if capture == STANDARD else path.name, True


@contextmanager
def _opened(out: Path, *, private: bool) -> Iterator[BinaryIO]:
    """A file that takes the place of OUT when it is whole, or that goes to standard output then."""
    if str(out) != STANDARD:
        with replacing(out, private=private) as file:
            yield file
        return
    with tempfile.NamedTemporaryFile(prefix="imsinspect-") as spool:
        yield cast("BinaryIO", spool)
        spool.seek(0)
        try:
            shutil.copyfileobj(spool, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise UsageError("standard output was closed before all was written") from None


def _refused(done: Done, name: str, out: Path) -> int:
    """Say why nothing was written."""
    if not done.findings:
        say(f"imsinspect: {name}: no findings, so {out} was not written")
        return NOTHING
    for finding in done.missing[:LISTED]:
        say(f"not found again: {finding.rule} {finding.title} ({finding.subject.kind} {finding.subject.id})")
    more = f" and {len(done.missing) - LISTED} more" if len(done.missing) > LISTED else ""
    if more:
        say(f"not found again:{more}")
    say(
        f"imsinspect: error: {_count(len(done.missing), 'finding')} of {name} can't be shown without the other "
        f"packets, so {out} was not written; annotate the whole capture instead"
    )
    return NOT_THERE


def _said(done: Done, name: str, *, only_findings: bool) -> Iterator[str]:
    """What was written."""
    findings = _count(len(done.findings), "finding")
    if only_findings:
        yield (
            f"{findings} in {done.done.packets} of {done.packets} packets; an audit of them finds all "
            f"(frames are numbered anew, comments name those of {name})"
        )
        if done.added:
            rules = ", ".join(sorted({finding.rule for finding in done.added}))
            yield f"note: without the other packets {_count(len(done.added), 'finding')} more would be told: {rules}"
    else:
        yield f"{findings} in comments on {_count(done.done.commented, 'packet')} of {done.done.packets}"
        if done.done.comments == 0 and done.done.commented:
            yield "all of these comments were there before"
    if done.without_frames:
        yield f"no packet shows {_count(done.without_frames, 'finding')}, which have no comment"
    if done.done.dated:
        yield (
            f"{_count(done.done.dated, 'packet')} without a time in the capture have that of the packet before, as "
            "only blocks with a time have room for comments"
        )
    for note in done.notes:
        yield f"note: {note}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")

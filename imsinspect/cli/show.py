"""`imsinspect show`: single frames as trees, field by field, beside their octets."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  (typer reads it)
from typing import Annotated

import typer

from imsinspect.cli.output import console, write


def show(
    capture: Annotated[str, typer.Argument(metavar="CAPTURE", help="A capture (pcap, pcapng, gzip or zstd).")],
    frames: Annotated[
        list[str], typer.Argument(metavar="FRAME...", help="Frame numbers as Wireshark counts them; 7-9 is a range.")
    ],
    layer: Annotated[
        list[str] | None, typer.Option("--layer", "-l", metavar="NAME", help="Only parts of this layer; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    keys: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Keys that you hold, as JSON (docs/keys.md).")
    ] = None,
    keylog: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Key log of TLS or DTLS (SSLKEYLOGFILE).")
    ] = None,
    show_secrets: Annotated[bool, typer.Option(help="Show keys, which are otherwise named by a digest.")] = False,
) -> int:
    """Show what single frames hold, with the messages that they are a part of.

    Exit status: 0, or 2 for bad usage, a capture that can't be read or a frame that it has not.
    """
    numbers = [number for each in frames for number in _numbers(each)]

    from imsinspect.cli.progress import Progress
    from imsinspect.look import look

    with Progress(shown=sys.stderr.isatty()) as progress:
        found = look(capture, numbers, progress, key_files=keys or (), key_logs=keylog or ())
    if as_json:
        from imsinspect.report.tree import frames_to_json

        write(frames_to_json(capture, found, layers=layer or (), show_secrets=show_secrets))
        return 0
    from imsinspect.report.tree import TreeView

    screen = console()
    with screen.capture() as captured:
        TreeView(screen, layers=layer or (), show_secrets=show_secrets).frames(found)
    write(captured.get())
    return 0


def _numbers(word: str) -> list[int]:
    """A frame number, or a range of them."""
    from imsinspect.look import MAX_FRAMES

    first, dash, last = word.partition("-")
    if not (first.isdecimal() and first.isascii() and (not dash or (last.isdecimal() and last.isascii()))):
        raise typer.BadParameter(f"{word} is no frame number")
    low, high = int(first), int(last) if dash else int(first)
    if not 1 <= low <= high:
        raise typer.BadParameter(f"{word} is no frame number")
    if high - low >= MAX_FRAMES:
        raise typer.BadParameter(f"more than {MAX_FRAMES} frames at once")
    return list(range(low, high + 1))

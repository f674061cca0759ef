"""`imsinspect decode`: pasted text, base64, hexadecimal digits or a file as a tree, without a capture."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dissectors.catalog import CATALOG
from imsinspect.cli.output import console, write

STANDARD_INPUT = "-"
MAX_OCTETS = 16 << 20


class Form(StrEnum):
    """How the octets are written."""

    AUTO = "auto"
    TEXT = "text"
    BASE64 = "base64"
    HEX = "hex"
    RAW = "raw"


def decode(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"What it is: {', '.join(CATALOG)}.")],
    data: Annotated[
        str, typer.Argument(metavar="[INPUT]", help="A file, - for standard input, or the text itself.")
    ] = STANDARD_INPUT,
    form: Annotated[Form, typer.Option("--form", help="How the octets are written; auto finds out.")] = Form.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    show_secrets: Annotated[bool, typer.Option(help="Show keys, which are otherwise named by a digest.")] = False,
) -> int:
    """Decode one message without a capture.

    Exit status: 0, or 2 for bad usage or input that is not written in the form asked for.
    """
    if kind not in CATALOG:
        raise typer.BadParameter(f"{kind} is none of {', '.join(CATALOG)}")

    from dissectors.tree import tree
    from imsinspect.pasted import octets_of

    octets = octets_of(kind, _read(data), form.value)

    from dissectors.catalog import layer

    node = tree(layer(kind)(octets))
    if as_json:
        from imsinspect.report.tree import tree_to_json

        write(tree_to_json(node, octets, show_secrets=show_secrets))
        return 0
    from imsinspect.report.tree import TreeView

    screen = console()
    with screen.capture() as captured:
        TreeView(screen, show_secrets=show_secrets).tree(node, octets)
    write(captured.get())
    return 0


def _read(data: str) -> bytes:
    """What was given: a file's content, standard input, or the words themselves."""
    if data == STANDARD_INPUT:
        if sys.stdin.isatty():
            raise typer.BadParameter("standard input is a terminal: paste with a here-document, or name a file")
        octets = sys.stdin.buffer.read(MAX_OCTETS + 1)
    elif len(data) < 4096 and "\n" not in data and Path(data).is_file():
        with Path(data).open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    else:
        octets = data.encode("utf-8", "surrogateescape")
    if len(octets) > MAX_OCTETS:
        raise typer.BadParameter(f"more than {MAX_OCTETS} octets are no message")
    return octets

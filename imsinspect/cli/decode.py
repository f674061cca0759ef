"""`imsinspect decode`: pasted text, base64, hexadecimal digits or a file as a tree, without a capture."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dissectors.catalog import CATALOG
from imsinspect.cli.completion import kinds
from imsinspect.cli.output import console, write

if TYPE_CHECKING:
    from scapy.packet import Packet

STANDARD_INPUT = "-"
MAX_OCTETS = 16 << 20
KIND_NAME = re.compile(r"[a-z0-9-]{1,20}")
FILE_NAME = re.compile(r"[^\s:=]*\.[A-Za-z0-9]{1,10}|[a-z/_~-]+")
"""With a full stop, or without capitals and digits: what base64 or hexadecimal digits of a key are not."""


class Form(StrEnum):
    """How the octets are written."""

    AUTO = "auto"
    TEXT = "text"
    BASE64 = "base64"
    HEX = "hex"
    RAW = "raw"


def decode(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", autocompletion=kinds, help=f"What it is: {', '.join(CATALOG)}.")
    ],
    data: Annotated[
        str, typer.Argument(metavar="[INPUT]", help="A file, - for standard input, or the text itself.")
    ] = STANDARD_INPUT,
    form: Annotated[Form, typer.Option("--form", help="How the octets are written; auto finds out.")] = Form.AUTO,
    suite: Annotated[
        str | None, typer.Option("--suite", metavar="NAME", help="Of srtp and srtcp: the crypto suite.")
    ] = None,
    mki: Annotated[int, typer.Option("--mki", metavar="N", help="Of srtp and srtcp: octets of the MKI.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    show_secrets: Annotated[bool, typer.Option(help="Show keys, which are otherwise named by a digest.")] = False,
) -> int:
    """Decode one message without a capture.

    Exit status: 0, or 2 for bad usage or input that is not written in the form asked for.
    """
    if kind not in CATALOG:
        raise typer.BadParameter(f"{_shown(kind, KIND_NAME)} is none of {', '.join(CATALOG)}")

    from dissectors.tree import tree
    from imsinspect.pasted import octets_of

    octets = octets_of(kind, _read(data), form.value)
    if form == Form.AUTO and _names_a_file(kind, data, octets):
        raise typer.BadParameter(
            f"{_shown(data, FILE_NAME)} is no file, and neither base64 nor hexadecimal digits nor such a message"
        )

    node = tree(_layer(kind, suite, mki)(octets))
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


def _layer(kind: str, suite: str | None, mki: int) -> type[Packet]:
    """The layer of a kind; that of SRTP and SRTCP by suite and MKI."""
    if suite is None and not mki:
        from dissectors.catalog import layer

        return layer(kind)
    if kind not in ("srtp", "srtcp"):
        raise typer.BadParameter("--suite and --mki are for srtp and srtcp")
    from dissectors.rtp.srtp.layers import srtcp_layer, srtp_layer

    try:
        return (srtp_layer if kind == "srtp" else srtcp_layer)(suite or "AES_CM_128_HMAC_SHA1_80", mki)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _shown(word: str, harmless: re.Pattern[str]) -> str:
    """A word of the user's in a message: what may be a key in the wrong place is not repeated."""
    return word if harmless.fullmatch(word) else "the input"


def _names_a_file(kind: str, data: str, octets: bytes) -> bool:
    """Whether words that were taken as they are can't be a message: a name of a file that is not there, most likely."""
    if data == STANDARD_INPUT or (len(data) < 4096 and "\n" not in data and Path(data).is_file()):
        return False
    taken = octets == data.encode("utf-8", "surrogateescape")
    return taken and (not CATALOG[kind].text or not any(one.isspace() or one in "=<" for one in data))


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

"""A page of text with hanging indents, printed line by line: no padding, no markup, nothing wider than the console."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

Part = str | tuple[str, str]
"""A piece of a line: plain text, or text with a rich style. Never markup: brackets are only brackets."""

_IN_ASCII = {
    "✔": "+",
    "✖": "x",
    "○": "o",
    "–": "-",
    "→": "->",
    "…": "...",
    "§": "section ",
    **dict.fromkeys("│├┤", "|"),
    "─": "-",
    "▶": ">",
    "◀": "<",
    "↔": "<->",
    "↩": "@",
    "×": "x",
}
_LEAST = 20  # columns that a paragraph keeps, however deep it is indented


class Page:
    """Writes paragraphs to a rich console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._encoding = console.encoding

    def heading(self, *parts: Part) -> None:
        """An empty line, then a line that stands out."""
        self.console.print()
        self.paragraph(0, *parts, style="bold")

    def paragraph(self, indent: int, *parts: Part, hang: int = 2, style: str = "") -> None:
        """Text from column `indent` on; the lines that it is folded into begin `hang` columns further right."""
        rest = Text.assemble(*map(self.shown, parts), style=style)
        column = indent
        while True:
            width = max(self.console.width - column, _LEAST)
            line = rest[: 2 * width].wrap(self.console, width, overflow="fold")[0] if rest else rest
            left = len(rest.plain[len(line) :].lstrip())
            line.rstrip()
            self.console.print(Text(" " * column if line else "") + line, soft_wrap=True)
            if not left:
                return
            rest, column = rest[-left:], indent + hang

    def row(self, head: str, rest: Text) -> None:
        """One line as it is, of pieces that can be shown: it is not folded."""
        line = Text(head) + rest
        line.rstrip()
        self.console.print(line, soft_wrap=True)

    def assembled(self, *parts: Part) -> Text:
        """Pieces as one text in signs that the console has."""
        return Text.assemble(*map(self.shown, parts))

    def last(self, line: str, style: str) -> None:
        """The closing line: folded for a person, whole for a script that reads a pipe."""
        if self.console.is_terminal:
            self.paragraph(0, line, hang=0, style=style)
        else:
            self.console.print(Text(self._written(line), style), soft_wrap=True)

    def shown(self, part: Part) -> Part:
        """A piece of a line in signs that the console has."""
        return self._written(part) if isinstance(part, str) else (self._written(part[0]), part[1])

    def _written(self, line: str) -> str:
        """What the console's encoding lacks is replaced by a sign of ASCII, or else escaped."""
        if line.isascii() or self._encoding.startswith("utf"):
            return line
        return line.encode(self._encoding, "imsinspect.report").decode(self._encoding)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(
        _IN_ASCII.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in missing
    ), error.end


codecs.register_error("imsinspect.report", _replaced)


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

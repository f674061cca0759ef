"""A page of text with hanging indents, printed line by line: no padding, no markup, nothing wider than the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

Part = str | tuple[str, str]
"""A piece of a line: plain text, or text with a rich style. Never markup: brackets are only brackets."""

_LEAST = 20  # columns that a paragraph keeps, however deep it is indented


class Page:
    """Writes paragraphs to a rich console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.ascii_only = console.options.ascii_only

    def heading(self, *parts: Part) -> None:
        """An empty line, then a line that stands out."""
        self._console.print()
        self.paragraph(0, *parts, style="bold")

    def paragraph(self, indent: int, *parts: Part, hang: int = 2, style: str = "") -> None:
        """Text from column `indent` on; the lines that it is folded into begin `hang` columns further right."""
        rest = Text.assemble(*parts, style=style)
        column = indent
        while True:
            width = max(self._console.width - column, _LEAST)
            line = rest[: 2 * width].wrap(self._console, width, overflow="fold")[0] if rest else rest
            left = len(rest.plain[len(line) :].lstrip())
            line.rstrip()
            self._console.print(Text(" " * column if line else "") + line, soft_wrap=True)
            if not left:
                return
            rest, column = rest[-left:], indent + hang

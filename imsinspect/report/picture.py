"""How a terminal looks as a picture: rich's frame, with fonts that need no download."""

from __future__ import annotations

import io

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from imsinspect.report.escape import printable

SVG_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: "Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: sans-serif;
    }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""

THEME = TerminalTheme(
    (24, 27, 34),
    (214, 218, 226),
    [
        (24, 27, 34),
        (240, 97, 97),
        (115, 201, 120),
        (232, 190, 92),
        (106, 165, 255),
        (200, 140, 240),
        (86, 200, 214),
        (214, 218, 226),
    ],
    [
        (120, 126, 138),
        (255, 120, 120),
        (140, 220, 140),
        (245, 205, 115),
        (130, 180, 255),
        (215, 160, 250),
        (110, 215, 228),
        (255, 255, 255),
    ],
)


def svg(shown: str, title: str, width: int = 100) -> str:
    """What was written to a terminal of this width, colours included, as a picture (SVG) below a title."""
    screen = Console(
        file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor", highlight=False
    )
    screen.print(Text.from_ansi(shown))
    return screen.export_svg(title=printable(title), theme=THEME, code_format=SVG_FORMAT, unique_id="imsinspect")

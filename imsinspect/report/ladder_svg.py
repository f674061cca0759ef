"""The security ladder as a picture: SVG of our own, without scripts, for a page or by itself.

What an arrow was stands above it, with the sign and the word of how it was protected; what it brought stands at the
right. Line styles, signs and words tell the same as colours. Colours are attributes for a light ground that the picture
brings along; STYLE, the same in every picture, turns them where the reader's system is dark. A page whose policy does
not admit STYLE shows the light picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from imsinspect.report.call_views import lasted, standing, who
from imsinspect.report.escape import printable
from imsinspect.report.ladder_facts import frame_words
from imsinspect.report.page import counted
from imsinspect.report.protection import LEGEND, SIGN, Level
from imsinspect.report.times import plain
from imsinspect.report.words import and_more

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.report.ladder_model import Arrow, Ladder, Lifeline

LIGHT = {
    "ground": "#ffffff",
    "raised": "#f4f5f7",
    "ink": "#1b1f24",
    "quiet": "#4d5561",
    "edge": "#a9b0bb",
    "finding": "#a11522",
    Level.SECURED.value: "#14632b",
    Level.BROKEN.value: "#a11522",
    Level.CLEAR.value: "#7a4d00",
    Level.UNKNOWN.value: "#6b2fa0",
    Level.ABSENT.value: "#4d5561",
}
DARK = {
    "ground": "#15181d",
    "raised": "#1f242b",
    "ink": "#e4e7ec",
    "quiet": "#a9b2bf",
    "edge": "#5a6472",
    "finding": "#ff9a94",
    Level.SECURED.value: "#7fd694",
    Level.BROKEN.value: "#ff9a94",
    Level.CLEAR.value: "#f0c060",
    Level.UNKNOWN.value: "#d0a8f5",
    Level.ABSENT.value: "#a9b2bf",
}
STYLE = (
    "@media (prefers-color-scheme: dark) {"
    + "".join(f" .ladder-fill-{name} {{ fill: {colour} }} .ladder-line-{name} {{ stroke: {colour} }}"
              for name, colour in DARK.items())
    + " }"
)  # fmt: skip
"""The text of the style element; a content security policy may name it by its hash."""

DASHES = {
    Level.SECURED: "",
    Level.BROKEN: "10 3 2 3",
    Level.CLEAR: "7 4",
    Level.UNKNOWN: "2 4",
    Level.ABSENT: "1 6",
}
WIDTHS = {Level.SECURED: 2.5, Level.BROKEN: 2.5}

FONT, SMALL, LARGE = 13, 12, 17  # pixels
CHARACTER, BOLD = 0.6, 0.66  # of the size of the font: what a character needs on average, generously
MARGIN, LEFT = 20, 130  # LEFT: times and frames
LANES = ((3, 250), (5, 190), (8, 150))  # up to so many lifelines, pixels from one to the next
NARROW_LANE = 100
DETAILS = 470  # pixels of what an arrow brought
ROW, DETAIL_ROW = 40, 15
DETAIL_ROWS = 5
HEAD_ROWS = 3
LABEL = 60  # characters above an arrow
AGAIN = 1_200  # pixels after which lifelines are named at the bottom, too
TOOLTIP = 1_000


def render(ladder: Ladder) -> str:
    """A file of its own."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg(ladder)}\n'


def svg(ladder: Ladder) -> str:
    """The svg element, for a page or a file. Ids in it begin with that of the call."""
    return _Picture(ladder).draw()


@dataclass(slots=True)
class _Row:
    """An arrow with what stands beside it."""

    arrow: Arrow
    details: list[str]
    height: int


class _Picture:
    """One drawing of one ladder."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        number = len(ladder.lifelines)
        self._gap = next((gap for most, gap in LANES if number <= most), NARROW_LANE)
        self._first = MARGIN + LEFT + self._gap // 2
        self._right = self._first + max(number - 1, 0) * self._gap + self._gap // 2  # where the words begin
        self._width = self._right + DETAILS + MARGIN
        self._start = min([each.time for each in ladder.arrows], default=ladder.row.begins)
        self._out: list[str] = []
        self._y = 0

    def draw(self) -> str:
        rows = [self._row(arrow) for arrow in self._ladder.arrows]
        self._title()
        top = self._heads()
        for place, row in enumerate(rows):
            if place == self._ladder.left_after and self._ladder.left_out:
                self._y += DETAIL_ROW
                self._text(MARGIN, self._y, and_more(self._ladder.left_out, "arrow", "of the middle"), "quiet")
            self._arrow(row)
        bottom = self._y + 12
        lanes = [self._lane(place, top, bottom) for place in range(len(self._ladder.lifelines))]
        if bottom - top > AGAIN:
            self._y = bottom
            self._heads()
        self._legend()
        return "\n".join([*self._opening(), *lanes, *self._out, "</svg>"])

    def _opening(self) -> Iterator[str]:
        height = self._y + MARGIN
        row = self._ladder.row
        name = f"ladder-{row.id}"
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width} {height}" width="{self._width}" '
            f'height="{height}" role="img" aria-labelledby="{name}-title {name}-description" '
            f'font-family="system-ui, sans-serif" font-size="{FONT}">'
        )
        yield f'<title id="{name}-title">{_said(self._heading())}</title>'
        marks = "; ".join(f"{mark.words}: {meaning}" for mark, meaning in self._ladder.legend)
        summary = (
            f"Ladder of {counted(len(self._ladder.arrows) + self._ladder.left_out, 'arrow')} between "
            f"{counted(len(self._ladder.lifelines), 'lifeline')}. Observed {row.observed}; {row.finding_words()}. "
            f"{marks}."
        )
        yield f'<desc id="{name}-description">{_said(summary)}</desc>'
        yield f"<style>{STYLE}</style>"
        yield f'<rect width="{self._width}" height="{height}" {_paint("ground")}/>'

    def _heading(self) -> str:
        row = self._ladder.row
        return f"{row.id}: {'  '.join(who(row))}"

    def _title(self) -> None:
        row = self._ladder.row
        room = int((self._width - 2 * MARGIN) / (LARGE * CHARACTER))
        self._y = MARGIN + LARGE
        self._text(MARGIN, self._y, _cut(self._heading(), room), "ink", size=LARGE, bold=True)
        self._y += 20
        facts = f"{plain(row.begins)} UTC, {lasted(row)}"
        self._text(MARGIN, self._y, _cut(facts, int(room * LARGE / FONT)), "quiet")
        self._y += 20
        stands = f"{SIGN[row.level]} {standing(row)}; {row.finding_words()}"
        self._text(MARGIN, self._y, _cut(stands, int(room * LARGE / FONT)), row.level.value, bold=True)
        self._y += 16

    def _heads(self) -> int:
        """Boxes with the names of the lifelines; returns where the lifelines begin."""
        width = self._gap - 10
        room = int((width - 8) / (SMALL * BOLD))
        labels = [_head(each, room) for each in self._ladder.lifelines]
        height = max([len(name) + len(address) for name, address in labels], default=1) * DETAIL_ROW + 10
        self._y += 6
        for place, (lifeline, (name, address)) in enumerate(zip(self._ladder.lifelines, labels, strict=True)):
            x = self._x(place)
            whole = ", ".join(filter(None, (lifeline.name, *lifeline.addresses)))
            self._out.append(f"<g><title>{_said(f'{lifeline.key}: {whole}')}</title>")
            self._out.append(
                f'<rect x="{x - width // 2}" y="{self._y}" width="{width}" height="{height}" rx="4" '
                f"{_paint('raised', 'edge')}/>"
            )
            for number, words in enumerate((*name, *address), 1):
                y = self._y + number * DETAIL_ROW + 1
                self._text(x, y, words, "ink", SMALL, "middle", bold=number <= len(name))
            self._out.append("</g>")
        self._y += height
        return self._y

    def _lane(self, place: int, top: int, bottom: int) -> str:
        x = self._x(place)
        return f'<line x1="{x}" y1="{top}" x2="{x}" y2="{bottom}" {_paint(line="edge")}/>'

    def _x(self, place: int) -> int:
        return self._first + place * self._gap

    # --- arrows ---

    def _row(self, arrow: Arrow) -> _Row:
        room = int(DETAILS / (SMALL * CHARACTER))
        lines: list[str] = []
        for each in arrow.details:
            lines += wrap(printable(each, TOOLTIP), room, subsequent_indent="  ", break_long_words=True) or [""]
        if len(lines) > DETAIL_ROWS:
            lines[DETAIL_ROWS - 1 :] = [_cut(lines[DETAIL_ROWS - 1], room - 2) + " …"]
        return _Row(arrow, lines, max(ROW, len(lines) * DETAIL_ROW + 10))

    def _arrow(self, row: _Row) -> None:
        arrow = row.arrow
        y = self._y + 30  # of the line
        frames = " ".join(f"frame {frame_words(frame, len(self._ladder.captures))}" for frame in arrow.frames[:1])
        since = f"{(arrow.time - self._start) / 1e9:.3f} s"
        self._out.append("<g>")
        told = "; ".join([f"{since}, {frames}", _label(arrow), *arrow.details])
        self._out.append(f"<title>{_said(told)}</title>")
        self._text(MARGIN + LEFT - 14, y - 8, since, "quiet", SMALL, "end")
        self._text(MARGIN + LEFT - 14, y + 6, frames, "quiet", SMALL, "end")
        self._shaft(arrow, y)
        self._above(arrow, y - 7)
        for number, words in enumerate(row.details):
            self._text(self._right, y - 9 + number * DETAIL_ROW, words, "ink", SMALL)
        self._out.append("</g>")
        self._y += row.height

    def _shaft(self, arrow: Arrow, y: int) -> None:
        """The line with its heads; of what an end sends to itself, a short one."""
        name = arrow.mark.level.value
        start, end = self._x(arrow.source), self._x(arrow.destination)
        if start == end:
            end = start + 34
        way = 1 if end > start else -1
        dashes = f' stroke-dasharray="{DASHES[arrow.mark.level]}"' if DASHES[arrow.mark.level] else ""
        width = WIDTHS.get(arrow.mark.level, 2)
        self._out.append(
            f'<line x1="{start + way * (9 if arrow.both_ways else 0)}" y1="{y}" x2="{end - way * 9}" y2="{y}" '
            f'{_paint(line=name)} stroke-width="{width}"{dashes}/>'
        )
        self._out.append(_point(end, y, way, name))
        if arrow.both_ways:
            self._out.append(_point(start, y, -way, name))

    def _above(self, arrow: Arrow, y: int) -> None:
        """Title, mark and findings, from the left end of the arrow on; nothing crosses the words."""
        words = _cut(_label(arrow), LABEL)
        numbers = "".join(f" [{number}]" for number in arrow.findings[:8]) + (" …" if len(arrow.findings) > 8 else "")
        long = (len(words) + len(numbers)) * FONT * CHARACTER
        left = min(self._x(arrow.source), self._x(arrow.destination)) + 10
        x = max(min(left, self._right - 10 - int(long)), MARGIN + LEFT)
        found = f'<tspan {_paint("finding")} font-weight="bold">{_said(numbers)}</tspan>' if numbers else ""
        halo = 'stroke-width="5" stroke-linejoin="round" paint-order="stroke"'
        paint = _paint(arrow.mark.level.value, "ground")
        self._out.append(f'<text x="{x}" y="{y}" {paint} {halo} xml:space="preserve">{_said(words)}{found}</text>')

    def _legend(self) -> None:
        self._y += 30
        for mark, meaning in self._ladder.legend:
            name = mark.level.value
            dashes = f' stroke-dasharray="{DASHES[mark.level]}"' if DASHES[mark.level] else ""
            self._out.append(
                f'<line x1="{MARGIN}" y1="{self._y - 4}" x2="{MARGIN + 44}" y2="{self._y - 4}" {_paint(line=name)} '
                f'stroke-width="{WIDTHS.get(mark.level, 2)}"{dashes}/>'
            )
            also = f" ({LEGEND[mark.level]})" if LEGEND[mark.level] != mark.words else ""
            self._text(MARGIN + 54, self._y, f"{SIGN[mark.level]} {mark.words}: {meaning}{also}", name)
            self._y += 19
        if self._ladder.findings:
            self._text(MARGIN, self._y, "[1] number of a finding that begins at the arrow", "finding")
            self._y += 19

    def _text(
        self, x: int, y: int, words: str, colour: str, size: int = FONT, anchor: str = "", *, bold: bool = False
    ) -> None:
        more = f' font-size="{size}"' if size != FONT else ""
        more += f' text-anchor="{anchor}"' if anchor else ""
        more += ' font-weight="bold"' if bold else ""
        self._out.append(f'<text x="{x}" y="{y}" {_paint(colour)}{more} xml:space="preserve">{_said(words)}</text>')


def _label(arrow: Arrow) -> str:
    times = f" ×{arrow.count}" if arrow.count > 1 else ""
    return f"{SIGN[arrow.mark.level]} {printable(arrow.title, LABEL)}{times}, {arrow.mark.words}"


def _head(lifeline: Lifeline, room: int) -> tuple[list[str], list[str]]:
    """A few short lines of the name, and of the first address."""
    more = f" +{len(lifeline.addresses) - 1}" if len(lifeline.addresses) > 1 else ""
    address = lifeline.addresses[0] if lifeline.addresses else ""
    name = lifeline.name or address or lifeline.key
    return _folded(name, room), _folded(address, room - len(more), more) if lifeline.name and address else []


def _folded(words: str, room: int, more: str = "") -> list[str]:
    """Broken before the host where it is too long."""
    shown = printable(words, HEAD_ROWS * room)
    user, at, host = shown.partition("@")
    pieces = (user, at + host) if len(shown) > room else (shown,)
    lines = [line for piece in pieces for line in wrap(piece, max(room, 1))]
    if len(lines) > HEAD_ROWS:
        lines[HEAD_ROWS - 1 :] = [_cut(lines[HEAD_ROWS - 1], room - 1) + "…"]
    return [*lines[:-1], lines[-1] + more] if lines else [more.strip()]


def _point(x: int, y: int, way: int, name: str) -> str:
    """An arrow head whose tip is at x."""
    back = x - way * 11
    return f'<path d="M{x} {y}L{back} {y - 5}L{back} {y + 5}Z" {_paint(name)}/>'


def _paint(fill: str = "", line: str = "") -> str:
    """Colours of the light picture, and the classes by which STYLE turns them."""
    classes = [f"ladder-fill-{fill}"] if fill else []
    classes += [f"ladder-line-{line}"] if line else []
    colours = (f'fill="{LIGHT[fill]}"' if fill else "", f'stroke="{LIGHT[line]}"' if line else "")
    return " ".join(filter(None, (f'class="{" ".join(classes)}"', *colours)))


def _cut(words: str, room: int) -> str:
    return words if len(words) <= room else words[: max(room - 1, 1)] + "…"


def _said(words: str) -> str:
    """Visible characters, none of which is markup."""
    return escape(printable(words, TOOLTIP))

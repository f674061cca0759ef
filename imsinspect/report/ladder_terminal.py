"""The security ladder for people at a terminal: lifelines on the left, what each arrow was on the right.

Lifelines are narrow columns under letters, so that four of them leave half of 80 columns to the words; where they
would get narrower than LEAST_LANE, each row says `A → B` instead. Readable without colour and in a pipe; nothing is
wider than the console.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from imsinspect.report.call_views import lasted, standing, who
from imsinspect.report.escape import printable
from imsinspect.report.ladder_facts import frame_words, where
from imsinspect.report.page import Page, counted
from imsinspect.report.protection import LEGEND
from imsinspect.report.terminal_findings import SIGNS, FindingsOnPage, tell_open
from imsinspect.report.times import iso, plain
from imsinspect.report.words import and_more, brief

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from imsinspect.report.ladder_model import Agreement, Arrow, KeyFacts, Ladder, LineFacts, StreamFacts
    from imsinspect.report.page import Part

LEAST_LANE, WIDEST_LANE = 5, 14  # columns from one lifeline to the next
LEAST_WORDS = 38  # columns of what an arrow was
LEAST_BESIDE = 24  # of it where lifelines are not drawn
DETAIL = 200  # characters of one phrase
NAME = 120
QUESTIONS = 20
LEFT, RIGHT = "◀", "▶"


def render(ladder: Ladder, console: Console) -> None:
    """Write the whole ladder to a console, whose width, colours and encoding are respected."""
    _View(ladder, console).write()


class _View:
    """One writing of one ladder."""

    def __init__(self, ladder: Ladder, console: Console) -> None:
        self._ladder = ladder
        self._page = Page(console)
        self._width = console.width
        self._captures = len(ladder.captures)
        self._start = min([each.time for each in ladder.arrows], default=ladder.row.begins)
        self._times = [_since(each.time - self._start) for each in ladder.arrows]
        self._frames = [self._frame(each) for each in ladder.arrows]
        self._head = max([len("time"), *map(len, self._times)]) + 2 + max([len("frame"), *map(len, self._frames)]) + 2
        self._lane = self._lane_width()

    def _lane_width(self) -> int:
        """Columns of one lane; 0 where lifelines can't be drawn."""
        room = self._width - self._head - LEAST_WORDS - 3
        gaps = max(len(self._ladder.lifelines) - 1, 1)
        lane = min(room // gaps, WIDEST_LANE)
        return lane if lane >= LEAST_LANE else 0

    def write(self) -> None:
        self._call()
        self._lifelines()
        self._arrows()
        self._lines()
        self._keys()
        self._findings()
        self._gaps()

    # --- head ---

    def _call(self) -> None:
        row, page = self._ladder.row, self._page
        page.paragraph(0, (row.id, "bold"), " ", "  ".join(who(row)), hang=4)
        if row.call_id:
            page.paragraph(2, ("Call-ID: ", "dim"), brief(row.call_id))
        page.paragraph(2, f"{plain(row.begins)} UTC, {lasted(row)}")
        if self._ladder.facts:
            page.paragraph(2, ", ".join(map(brief, self._ladder.facts)))
        sign, style = SIGNS[row.level]
        page.paragraph(2, (f"{sign} {standing(row)}", style), hang=2)
        page.paragraph(2, row.finding_words())

    def _lifelines(self) -> None:
        self._page.heading(f"LIFELINES ({len(self._ladder.lifelines) + max(self._ladder.lifelines_left - 1, 0)})")
        width = max([len(each.key) for each in self._ladder.lifelines], default=1)
        for each in self._ladder.lifelines:
            names = [printable(each.name, NAME)] if each.name else []
            names += [", ".join(printable(address, NAME) for address in each.addresses[:3])]
            names += [f"and {len(each.addresses) - 3} more"] if len(each.addresses) > 3 else []
            self._page.paragraph(2, (each.key.ljust(width), "bold"), "  ", "  ".join(filter(None, names)), hang=5)

    # --- arrows ---

    def _arrows(self) -> None:
        ladder, page = self._ladder, self._page
        page.heading(f"LADDER ({counted(len(ladder.arrows) + ladder.left_out, 'arrow')})")
        if not ladder.arrows:
            page.paragraph(2, "nothing that was read of it becomes an arrow")
            return
        several = "; frames as capture:frame" if self._captures > 1 else ""
        page.paragraph(2, f"seconds after {iso(self._start).partition('T')[2]}{several}")
        widths = [max(map(len, column)) for column in ((*self._times, "time"), (*self._frames, "frame"))]
        page.paragraph(0, ("time".rjust(widths[0]), "dim"), "  ", ("frame".rjust(widths[1]), "dim"), "  ", self._tops())
        for number, arrow in enumerate(ladder.arrows):
            if number == ladder.left_after and ladder.left_out:
                page.paragraph(2, and_more(ladder.left_out, "arrow", "of the middle"))
            self._arrow(arrow, self._times[number].rjust(widths[0]), self._frames[number].rjust(widths[1]))
        for mark, meaning in ladder.legend:
            sign, style = SIGNS[mark.level]
            also = f" ({LEGEND[mark.level]})" if LEGEND[mark.level] != mark.words else ""
            page.paragraph(2, (sign, style), f" {mark.words}: {meaning}{also}", hang=4)

    def _frame(self, arrow: Arrow) -> str:
        return frame_words(arrow.frames[0], self._captures) if arrow.frames else ""

    def _tops(self) -> Part:
        """The letters above the lifelines."""
        if not self._lane:
            return ""
        row = "".join(each.key.ljust(self._lane) for each in self._ladder.lifelines)
        return row.rstrip(), "bold"

    def _arrow(self, arrow: Arrow, time: str, frame: str) -> None:
        """The first row has the arrow; what does not fit beside it goes on below, beside the lifelines."""
        sign, style = SIGNS[arrow.mark.level]
        times = f" ×{arrow.count}" if arrow.count > 1 else ""
        numbers = "".join(f" [{number}]" for number in arrow.findings)
        words = self._page.assembled(
            (sign, style), " ", (f"{printable(arrow.title, DETAIL)}{times}", "bold"), ", ", (arrow.mark.words, style),
            (numbers, "bold red"),
        )  # fmt: skip
        said = self._page.assembled("; ".join(printable(each, DETAIL) for each in arrow.details))
        lanes = self._page.assembled(self._drawn(arrow)).plain
        blank = self._page.assembled(self._blank()).plain if self._lane else " " * len(lanes)
        head, beside = f"{time}  {frame}  {lanes}  ", " " * (len(time) + len(frame) + 4) + blank + "  "
        room = self._width - len(head)
        if room < LEAST_BESIDE:  # what it was stands below
            self._page.row("", Text(head))
            head = beside = " " * 4
            room = self._width - len(head)
        for row in (*self._wrapped(words, room, 2), *self._wrapped(said, room - 2, 0, 2)):
            self._page.row(head, row)
            head = beside

    def _wrapped(self, words: Text, room: int, hang: int, indent: int = 0) -> Iterator[Text]:
        """Folded into rows; those behind the first hang."""
        first = True
        rest = words
        while rest:
            width = room if first else max(room - hang, 8)
            line = rest.wrap(self._page.console, width, overflow="fold")[0]
            left = rest.plain[len(line) :].lstrip()
            line.rstrip()
            yield Text(" " * (indent if first else indent + hang)) + line
            rest = rest[-len(left) :] if left else Text()
            first = False

    def _blank(self) -> str:
        return (("│" + " " * (self._lane - 1)) * len(self._ladder.lifelines)).rstrip()

    def _drawn(self, arrow: Arrow) -> str:
        """`├──────▶      │`, or `A → B`."""
        names = [each.key for each in self._ladder.lifelines]
        if not self._lane:
            widest = max(map(len, names))
            middle = "↔" if arrow.both_ways else "→"
            return f"{names[arrow.source].rjust(widest)} {middle} {names[arrow.destination].ljust(widest)}"
        row = list(self._blank())
        low, high = sorted((arrow.source, arrow.destination))
        if low == high:
            row[low * self._lane : low * self._lane + 3] = "│↩ " if low < len(names) - 1 else "│↩"
            return "".join(row)
        start, end = low * self._lane, high * self._lane
        row[start + 1 : end] = "─" * (end - start - 1)
        rightwards = arrow.destination == high
        row[start], row[end] = "├", "┤"
        if rightwards or arrow.both_ways:
            row[end - 1], row[end] = RIGHT, "│"
        if not rightwards or arrow.both_ways:
            row[start + 1], row[start] = LEFT, "│"
        return "".join(row)

    # --- what stands below ---

    def _lines(self) -> None:
        if not self._ladder.lines:
            return
        self._page.heading(f"MEDIA LINES ({len(self._ladder.lines) + self._ladder.lines_left})")
        for line in self._ladder.lines:
            self._line(line)
        self._more(2, self._ladder.lines_left, "media line")

    def _line(self, line: LineFacts) -> None:
        page, words = self._page, line.words
        sign, style = SIGNS[words.level]
        page.paragraph(
            2, (line.id, "bold"), " ", (sign, style), f" {words.claimed}, observed ", (words.observed, style)
        )
        self._more(4, line.agreements_left, "earlier offer")
        for each in line.agreements:
            self._agreement(each)
        for stream in line.streams:
            self._stream(stream)
        self._more(4, line.streams_left, "stream")

    def _agreement(self, agreement: Agreement) -> None:
        """Offer and answer side by side, as wide as the console lets them be."""
        page = self._page
        page.paragraph(4, f"{where(agreement, self._captures)}; agreed: ", (brief(agreement.agreed), "bold"))
        label = max([len(row.label) for row in agreement.rows], default=0)
        half = (self._width - 6 - label - 4) // 2
        self._beside(label, half, ("", "offer", "answer"), "dim")
        for row in agreement.rows:
            self._beside(label, half, (row.label, printable(row.offer, DETAIL), printable(row.answer, DETAIL)), "")

    def _beside(self, label: int, half: int, cells: tuple[str, str, str], style: str) -> None:
        columns = [list(self._wrapped(self._page.assembled(cell), half, 0)) or [Text()] for cell in cells[1:]]
        for number in range(max(map(len, columns))):
            offer, answer = (column[number].plain if number < len(column) else "" for column in columns)
            head = (cells[0] if not number else "").ljust(label)
            row = Text.assemble(
                (head, "dim"), "  ", (offer + " " * (half - cell_len(offer)) if answer else offer, style), "  ", answer
            )
            row.rstrip()
            self._page.row(" " * 6, row)

    def _stream(self, stream: StreamFacts) -> None:
        page = self._page
        sign, style = SIGNS[stream.mark.level]
        names = [each.key for each in self._ladder.lifelines]
        way = f"{names[stream.source]} → {names[stream.destination]}"
        lost = "" if stream.lost is None else f", {stream.lost} lost"
        frames = " to ".join(frame_words(frame, self._captures) for frame in (stream.first, stream.last))
        page.paragraph(
            4,
            (sign, style),
            f" {stream.id} {printable(stream.what, NAME)} {way}, SSRC 0x{stream.ssrc:08x}, "
            f"{counted(stream.packets, 'packet')}{lost}: ",
            (stream.mark.words, style),
        )
        page.paragraph(6, f"{stream.ends[0]} → {stream.ends[1]}, frames {frames}")
        page.paragraph(6, "; ".join(filter(None, (brief(stream.judged), brief(stream.proof)))))

    def _keys(self) -> None:
        if not self._ladder.keys:
            return
        self._page.heading(f"KEYS ({len(self._ladder.keys) + self._ladder.keys_left})")
        for each in self._ladder.keys:
            self._key(each)
        self._more(2, self._ladder.keys_left, "key")

    def _key(self, key: KeyFacts) -> None:
        self._page.paragraph(2, (key.digest, "bold"), f" {brief(key.suite)}: {key.use}")
        for place in key.places:
            self._page.paragraph(4, brief(place))
        self._more(4, key.places_left, "place")

    def _findings(self) -> None:
        ladder = self._ladder
        self._page.heading(f"FINDINGS ({ladder.row.finding_words()})")
        if not ladder.findings:
            return
        numbers = {id(finding): number for number, finding in enumerate(ladder.findings, 1)}
        FindingsOnPage(self._page, [brief(path) for path in ladder.captures], numbers).tell(ladder.findings)
        if ladder.not_placed:
            listed = ", ".join(f"[{number}]" for number in ladder.not_placed[:QUESTIONS])
            more = len(ladder.not_placed) - QUESTIONS
            self._page.paragraph(2, f"at no arrow: {listed}" + (f" and {more} more" if more > 0 else ""))

    def _gaps(self) -> None:
        ladder = self._ladder
        if not ladder.open_questions and not ladder.unnamed_questions:
            return
        self._page.heading("NOT ASSESSED OF IT")
        tell_open(self._page, ladder.open_questions, QUESTIONS)
        if ladder.unnamed_questions:
            self._page.paragraph(
                2,
                f"{counted(ladder.unnamed_questions, 'further assessment')} left subjects open that are not all named, "
                "and may concern it; `imsinspect audit` lists the reasons",
            )

    def _more(self, indent: int, left: int, noun: str) -> None:
        if left > 0:
            self._page.paragraph(indent, and_more(left, noun))


def _since(nanoseconds: int) -> str:
    """Seconds to the millisecond."""
    return f"{nanoseconds / 1e9:.3f}"

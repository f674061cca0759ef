"""Packet trees beside the octets that they stand for: for a terminal, and as JSON.

Keys are named by a digest, and their octets are left out, unless they are asked for.
"""

from __future__ import annotations

import json
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from rich.text import Text

from imsinspect.capture.frames import frame_number
from imsinspect.report.escape import printable, text
from imsinspect.report.times import iso, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from dissectors.tree import Node
    from imsinspect.look import Frame, Message

VALUE = 2_000  # characters of a value
NARROW, WIDE = 8, 16  # octets of a line of the pane
WIDE_FROM = 110  # columns
KEPT = "\N{NO-BREAK SPACE}"  # where a line is not to be broken
PANE_LINES = 4  # of one field
LINES_AT_ONCE = 200  # given to the console, for each of whose prints takes time
FRAMES = 40  # named of one message
ALSO = {  # other names by which people ask for a layer
    "eth": "ethernet",
    "ipv4": "ip",
    "vlan": "802.1q",
    "sll": "cooked linux",
    "pppoe": "ppp over ethernet",
    "ppp": "ppp link layer",
    "gtp": "gtp-u",
}


class TreeView:
    """Writes trees to a console."""

    def __init__(self, console: Console, *, layers: Sequence[str] = (), show_secrets: bool = False) -> None:
        self.console = console
        self.layers = [each.casefold() for each in layers]
        self.show_secrets = show_secrets
        self.octets_a_line = WIDE if console.width >= WIDE_FROM else NARROW
        self.pane = 6 + 3 * self.octets_a_line + 1
        self.left = max(24, console.width - self.pane - 2)
        self.lines: list[Text] = []  # of rows that are not printed yet

    def frames(self, frames: Sequence[Frame]) -> None:
        """Frames one below the other."""
        for number, frame in enumerate(frames):
            if number:
                self.console.print()
            self._frame(frame)

    def _frame(self, frame: Frame) -> None:
        cut = f" of {frame.original}" if frame.original > len(frame.octets) else ""
        title = f"Frame {frame.number}, {plain(frame.time)} UTC, {frame.link}, {len(frame.octets)}{cut} octets"
        self.console.print(Text(title, "bold"))
        self.tree(frame.node, frame.octets)
        for message in frame.messages:
            self.console.print()
            self.console.print(Text(printable(_put_together(message)), "bold"))
            self.tree(message.node, message.octets)
        if frame.messages_left_out:
            self.console.print(f"{frame.messages_left_out} more messages are not shown")

    def tree(self, node: Node, octets: bytes) -> None:
        """A tree, or those parts of it that are of the layers asked for."""
        found = False
        for part, inside, hidden in _parts(node, octets, _hidden(node, len(octets)), self.layers):
            found = True
            self._rows(part, 0, inside, hidden)
        self._print()
        if not found:
            self.console.print(Text("  no such layer here", "dim"))

    def _print(self) -> None:
        if self.lines:
            self.console.print(*self.lines, sep="\n", no_wrap=True, overflow="ellipsis", soft_wrap=True)
            self.lines.clear()

    def _rows(self, node: Node, depth: int, octets: bytes, hidden: bytes) -> None:
        """A node and what is below it; fields of no octets, and signs between others, are left out."""
        if node.octets is not None:
            octets, hidden = node.octets, _hidden(node, len(node.octets))
        self._row(node, depth, octets, b"" if self.show_secrets else hidden)
        for child in node.children:
            if (child.length and not child.syntax) or child.children or child.notes:
                self._rows(child, depth + 1, octets, hidden)

    def _row(self, node: Node, depth: int, octets: bytes, hidden: bytes) -> None:
        shift = min(depth, self.left // 4)  # deep nodes keep half of the line for their words
        words = Text("  " * shift + printable(node.name), "bold" if node.children or not node.value else "")
        rest = ": " + self._value(node) if node.value else f": {node.closed}" if node.closed else ""
        rest += f"  {printable(node.meaning, VALUE)}" if node.meaning and not self._masked(node) else ""
        if node.children or not node.value:
            rest += f"  ({node.clause.replace(' ', KEPT)})" if node.clause else ""
        left = [words.plain + rest]
        if len(left[0]) > self.left:
            left = textwrap.wrap(
                left[0],
                self.left,
                subsequent_indent="  " * (shift + 2),
                break_on_hyphens=False,
                drop_whitespace=False,
            )
        right = [] if node.children or node.closed else list(self._octets(node, octets, hidden))
        for number, (one, other) in enumerate(zip_longest(left, right)):
            line = Text((one or "").replace(KEPT, " "))
            if not number:
                line.stylize(words.style or "cyan", 0, len(words.plain))
            if other is not None:
                line.pad_right(max(0, self.left + 2 - line.cell_len))
                line.append_text(other)
            self.lines.append(line)
        if node.notes:
            self._print()
            notes = (Text(f"{'  ' * (shift + 1)}! {printable(note)}", "yellow") for note in node.notes)
            self.console.print(*notes, sep="\n")
        if len(self.lines) >= LINES_AT_ONCE:
            self._print()

    def _masked(self, node: Node) -> bool:
        return bool(node.secret) and not self.show_secrets

    def _value(self, node: Node) -> str:
        return f"secret {node.secret}" if self._masked(node) else printable(node.value, VALUE)

    def _octets(self, node: Node, octets: bytes, hidden: bytes) -> Iterator[Text]:
        """Lines of the pane with the octets of a field in brackets."""
        begin, end = node.offset, min(node.offset + node.length, len(octets))
        if begin >= end:
            return
        if node.bits is not None:
            yield Text(f"{begin:04x}  {_pattern(octets[begin:end], node.bits)}")
            return
        first = begin - begin % self.octets_a_line
        for count, at in enumerate(range(first, end, self.octets_a_line)):
            if count == PANE_LINES:
                yield Text(f"      … {end - at} more")
                return
            yield self._line(at, begin, end, octets, hidden)

    def _line(self, at: int, begin: int, end: int, octets: bytes, hidden: bytes) -> Text:
        stop = min(at + self.octets_a_line, len(octets))
        first, last = max(begin, at), min(end, stop) - 1
        written = []
        for place in range(at, stop):
            written.append("[" if place == first else "]" if place == last + 1 else " ")
            written.append("··" if hidden[place : place + 1] == b"\1" else f"{octets[place]:02x}")
        if last == stop - 1:
            written.append("]")
        front = f"{at:04x} "
        line = Text(front + "".join(written))
        line.stylize("dim", 0, len(front) + 3 * (first - at))
        line.stylize("bold", len(front) + 3 * (first - at) + 1, len(front) + 3 * (last + 1 - at))
        line.stylize("dim", len(front) + 3 * (last + 1 - at) + 1)
        return line


def _put_together(message: Message) -> str:
    frames = [str(frame_number(each)) for each in message.frames]
    more = f" and {len(frames) - FRAMES} more" if len(frames) > FRAMES else ""
    word = "frame" if len(frames) == 1 else "frames"
    return (
        f"{message.name} in {word} {', '.join(frames[:FRAMES])}{more}: {message.source} → {message.destination} "
        f"({message.carriage}), {len(message.octets)} octets"
    )


def _parts(
    node: Node, octets: bytes, hidden: bytes, layers: Sequence[str]
) -> Iterator[tuple[Node, bytes, bytes]]:  # fmt: skip
    """The outermost parts of a tree that are of one of the layers, with the octets that they stand in.

    The whole tree where no layer is asked for.
    """
    names = [node.package, *(name.strip().casefold() for name in node.name.split(":"))]
    layers = [ALSO.get(each, each) for each in layers]
    wanted = any(name == each or name.startswith(each + " ") for name in names for each in layers)
    if not layers or (node.children and wanted):
        yield node, octets, hidden
        return
    if node.octets is not None:
        octets, hidden = node.octets, _hidden(node, len(node.octets))
    for child in node.children:
        yield from _parts(child, octets, hidden, layers)


def _hidden(node: Node, length: int) -> bytes:
    """An octet for each of those that the offsets of a node count in: 1 where it is a part of a key."""
    out = bytearray(length)
    for each in _standing_in(node):
        below = any(
            one.secret or one.closed for child in each.children if child.octets is not None for one in child.walk()
        )
        if each.secret or each.closed or below:
            end = min(each.offset + each.length, length)
            out[each.offset : end] = b"\1" * max(0, end - each.offset)
    return bytes(out)


def _standing_in(node: Node) -> Iterator[Node]:
    """A node and those below it whose offsets count in the same octets."""
    yield node
    for child in node.children:
        if child.octets is None:
            yield from _standing_in(child)


def _pattern(octets: bytes, bits: tuple[int, int]) -> str:
    """Bits of a group of octets, dots for those of other fields."""
    first, size = bits
    whole = "".join(f"{octet:08b}" for octet in octets)
    shown = "".join(bit if first <= place < first + size else "." for place, bit in enumerate(whole))
    return " ".join(shown[at : at + 4] for at in range(0, len(shown), 4))


def frames_to_json(
    path: str, frames: Sequence[Frame], *, layers: Sequence[str] = (), show_secrets: bool = False
) -> str:
    """Frames as JSON, a line each."""
    rows = [_frame(path, frame, [each.casefold() for each in layers], show_secrets) for frame in frames]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows) + "\n]\n"


def tree_to_json(node: Node, octets: bytes, *, show_secrets: bool = False) -> str:
    """A tree as JSON."""
    return json.dumps(_whole(node, octets, (), show_secrets), ensure_ascii=True, indent=1) + "\n"


def _frame(path: str, frame: Frame, layers: Sequence[str], show_secrets: bool) -> dict[str, Any]:
    return {
        "capture": text(path),
        "frame": frame.number,
        "time": iso(frame.time),
        "link_type": frame.link,
        "length": frame.original,
        **_whole(frame.node, frame.octets, layers, show_secrets),
        "messages": [
            {
                "layer": message.name,
                "frames": [frame_number(each) for each in message.frames],
                "source": message.source,
                "destination": message.destination,
                "carriage": message.carriage,
                **_whole(message.node, message.octets, layers, show_secrets),
            }
            for message in frame.messages
        ],
        "messages_left_out": frame.messages_left_out,
    }


def _whole(node: Node, octets: bytes, layers: Sequence[str], show_secrets: bool) -> dict[str, Any]:
    hidden = _hidden(node, len(octets))
    parts = [_node(part, show_secrets) for part, *_ in _parts(node, octets, hidden, layers)]
    return {"octets": _digits(octets, hidden, show_secrets), "tree": parts}


def _digits(octets: bytes, hidden: bytes, show_secrets: bool) -> str:
    """Hexadecimal digits; xx for octets of keys."""
    if show_secrets:
        return octets.hex()
    return "".join("xx" if hide else f"{octet:02x}" for octet, hide in zip(octets, hidden, strict=True))


def _node(node: Node, show_secrets: bool) -> dict[str, Any]:
    masked = bool(node.secret) and not show_secrets
    row: dict[str, Any] = {
        "name": text(node.name),
        "value": "" if masked else text(node.value),
        "meaning": "" if masked else text(node.meaning),
        "clause": node.clause,
        "offset": node.offset,
        "length": node.length,
    }
    if node.octets is not None:
        row["octets"] = _digits(node.octets, _hidden(node, len(node.octets)), show_secrets)
    if node.bits is not None:
        row["bits"] = list(node.bits)
    if node.closed:
        row["closed"] = node.closed
    if node.secret:
        row["secret"] = node.secret
    if node.notes:
        row["notes"] = [text(each) for each in node.notes]
    if node.children:
        row["children"] = [_node(each, show_secrets) for each in node.children]
    return row

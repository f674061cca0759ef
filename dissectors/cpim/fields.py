"""What the layers of MSRP, CPIM and MIME are declared with beyond the common fields: header lines and bodies.

A header is a layer chosen by its name; a body is a layer chosen by the headers in front of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.binary import Layer, One, Packets
from dissectors.text import TextField, TextPacket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scapy.packet import Packet

    Choosing = Callable[[bytes], type[Packet]]

LINE = rb"(?:[^\r\n]|\r(?!\n|\Z))*+"  # content of a line, which may be cut between carriage return and line feed
LINE_END = rb"\r?\n|\r\Z|"

HEADER_LIMIT = 1024  # headers shown as layers; what is behind them stays raw
ITEM_LIMIT = 256  # items of one header; the rest stays raw
DEPTH_LIMIT = 24  # layers around a body whose content is still taken apart

_EMPTY_LINE = re.compile(rb"\r?\n")
_LINE = re.compile(rb"[^\n]*+(?:\n|\Z)")
_FOLDED_LINE = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)")
_NAME = re.compile(rb"[!-9;-~]+(?=[ \t]*:)")
_VALUE = re.compile(rb"(?:[^\r\n]|\r(?!\n|\Z)|\r?\n(?=[ \t]))*+")


class TextLayer(Layer, TextPacket):
    """A layer of text; what its fields do not explain becomes its payload."""

    def extract_padding(self, s: bytes) -> tuple[bytes, Any]:
        """Nothing is left to the packet around this one."""
        return s, None


class HeaderLayer(TextLayer):
    """A header field: its name, what separates it from the value, the value's own fields, the line end."""

    around = frozenset(("header_name", "separator", "eol"))  # the fields that are not of the value

    @property
    def whole(self) -> bool:
        """The line is there to its end; the first chunk of a message, or a lost segment, may cut it."""
        return bytes(self.getfieldval("eol") or b"").endswith(b"\n")

    @property
    def canonical_name(self) -> bytes:
        """The name in lower case."""
        return bytes(self.getfieldval("header_name") or b"").lower()

    def value(self) -> bytes:
        """The octets of the value as sent, whether its fields explain them or not."""
        begin = b""
        for each in self.fields_desc:
            if each.name not in self.around:
                break
            begin = each.addfield(self, begin, self.getfieldval(each.name))
        octets = bytes(self)[len(begin) :]
        return octets[: len(octets) - len(self.getfieldval("eol") or b"")] if not self.payload else _ended(octets)


def _ended(line: bytes) -> bytes:
    """A line without its end."""
    return line[: -1 - line.endswith(b"\r\n")] if line.endswith(b"\n") else line


def header_value(layer: Any, name: bytes) -> bytes | None:
    """The value of the first header of that name (lower case) in a layer with headers; None without one."""
    for each in layer.getfieldval("headers") or ():
        if isinstance(each, HeaderLayer) and each.canonical_name == name:
            return each.value()
    return None


class Named(TextField):
    """Text that stands for something."""

    __slots__ = ("naming",)

    def __init__(self, name: str, default: bytes | None, pattern: bytes, names: Mapping[bytes, str]) -> None:
        super().__init__(name, default, pattern)
        self.naming: Callable[[bytes], str] = lambda value: names.get(bytes(value)) or ""

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The text, with what it stands for behind it."""
        meaning = self.naming(x) if isinstance(x, bytes) else ""
        return f"{x!r} ({meaning})" if meaning else repr(x)


class Implied(TextField):
    """Octets that other fields ask for, such as a line end: None stands for what is needed when the layer is built."""

    __slots__ = ("needed",)

    def __init__(self, name: str, pattern: bytes, needed: Callable[[Any], bytes]) -> None:
        super().__init__(name, None, pattern)
        self.needed = needed

    def i2m(self, pkt: Any, x: Any) -> bytes:
        """What is given, or what is needed."""
        return self.needed(pkt) if x is None else bytes(x)

    def i2repr(self, pkt: Any, x: Any) -> str:
        """As it stands."""
        return repr(x)


def before(name: str, octets: bytes) -> Callable[[Any], bytes]:
    """What an `Implied` field needs: the octets if another field holds something."""
    return lambda pkt: octets if pkt.getfieldval(name) else b""


class Items(Packets):
    """The items of a header's value up to its line end, one layer each, cut by an expression."""

    __slots__ = ["expression", "layer"]

    def __init__(self, name: str, layer: type[Packet], expression: bytes) -> None:
        super().__init__(name, None, self._items)
        self.layer = layer
        self.expression = re.compile(expression, re.DOTALL)

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        found = _VALUE.match(s)
        end = found.end() if found else 0
        return s[:end], s[end:]

    def _items(self, pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        at = 0
        for _ in range(ITEM_LIMIT):
            found = self.expression.match(data, at)
            if found is None or found.end() == at:
                break
            yield self.layer, found[0]
            at = found.end()
        if at < len(data):
            yield Raw, data[at:]


class Headers(Packets):
    """Header lines up to an empty line or to another end, each a layer chosen by its name in lower case."""

    __slots__ = ["choosing", "line"]

    def __init__(self, name: str, choosing: Callable[[], Choosing], folding: bool = False) -> None:
        super().__init__(name, None, self._lines)
        self.choosing = choosing  # called once for each block of headers
        self.line = _FOLDED_LINE if folding else _LINE

    def ends(self, pkt: Any, s: bytes, at: int) -> bool:
        """Whether the line at a place ends the headers."""
        return _EMPTY_LINE.match(s, at) is not None

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        at = 0
        while at < len(s) and not self.ends(pkt, s, at):
            found = self.line.match(s, at)
            at = found.end() if found else len(s)
        return s[:at], s[at:]

    def _lines(self, pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        at = 0
        choose = self.choosing()
        for _ in range(HEADER_LIMIT):
            found = self.line.match(data, at)
            if found is None or found.end() == at:
                break
            yield choose(found[0]), found[0]
            at = found.end()
        if at < len(data):
            yield Raw, data[at:]


def by_name(table: Mapping[bytes, type[Packet]], other: type[Packet]) -> Callable[[], Choosing]:
    """Chooses the layer of a header line by its name, without regard to case."""

    def choose(line: bytes) -> type[Packet]:
        found = _NAME.match(line)
        return table.get(found[0].lower(), other) if found else other

    return lambda: choose


class Body(One):
    """What the headers in front of it describe; None where there is no body, not even an empty one."""

    __slots__: list[str] = []

    def __init__(self, name: str, choose: Callable[[Any, bytes], Any]) -> None:
        super().__init__(name, None, choose)

    def absent(self, pkt: Any) -> bool:
        """Whether there is no body: nothing stands between the headers and it."""
        return not pkt.getfieldval("empty_line")

    def any2i(self, pkt: Any, x: Any) -> Any:
        """Octets become a raw packet."""
        return Raw(load=bytes(x)) if isinstance(x, bytes | bytearray) else x

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take the body off the front."""
        if self.absent(pkt):
            return s, None
        value, rest = self._cut(pkt, s)
        if not value:
            return rest, Raw()
        choose = Raw if too_deep(pkt) else self.choose(pkt, value)
        return rest, choose(value, _parent=pkt)


def too_deep(layer: Any) -> bool:
    """Whether so many layers stand around that a body is shown as octets."""
    depth = 0
    while layer is not None and depth < DEPTH_LIMIT:
        layer = layer.parent
        depth += 1
    return depth >= DEPTH_LIMIT

"""Header lines as SIP, HTTP, RTSP, MIME and MSRP have them: a name, a colon, a value that may go on in folded lines.

One grammar for all of them (RFC 5322 §2.2, RFC 3261 §7.3.1, RFC 9112 §5); what a protocol has of its own (the compact
names of SIP, the prefixes of CPIM) stands in its package. White space includes the line ends of folded lines.

    header_fields(TextField("header_value", b"", VALUE), name=b"Subject")     fields_desc of a header
    HeaderRows("headers", by_name({b"subject": Subject}, Header))             the headers of a message
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.binary import LeftOut, Packets, exhausted
from dissectors.text import TextField, TextLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scapy.packet import Packet

    Choosing = Callable[[bytes], type[Packet]]

NAME = rb"[!-9;-~]++(?=[ \t]*:)|"
LWS = rb"(?:[ \t]|\r?\n[ \t])*+"
SEPARATOR = rb"[ \t]*:[ \t]*|"
FOLDED_SEPARATOR = rb"[ \t]*:" + LWS + rb"|"  # of SIP, whose values may begin on the next line (RFC 3261 §25.1)
VALUE = rb"(?:[^\r\n]|\r(?!\n)|\r?\n(?=[ \t]))*+"
CUT_VALUE = rb"(?:[^\r\n]|\r(?!\n|\Z)|\r?\n(?=[ \t]))*+"  # that may be cut between carriage return and line feed
CUT_LINE = rb"(?:[^\r\n]|\r(?!\n|\Z))*+"  # the same without folding
LINE_END = rb"\r?\n|\r\Z|"
REST = rb".*"

HEADER_LIMIT = 1024  # headers that become layers; what is behind them is left out
ITEM_LIMIT = 256  # items of one header; the rest is left out

EMPTY_LINE = re.compile(rb"\r?\n")
ROW = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)")
ROW_WITHOUT_FOLDING = re.compile(rb"[^\n]*+(?:\n|\Z)")
_NAME = re.compile(rb"([!-9;-~]++)[ \t]*+:")


def header_name(row: bytes) -> bytes:
    """The name of a header line in lower case; empty where it has none."""
    found = _NAME.match(row)
    return found[1].lower() if found else b""


def at_empty_line(data: bytes, at: int) -> bool:
    """Whether an empty line begins at a place, which ends the headers."""
    return EMPTY_LINE.match(data, at) is not None


def rows(
    data: bytes, row: re.Pattern[bytes] = ROW, ends: Callable[[bytes, int], bool] = at_empty_line
) -> Iterator[bytes]:
    """The header lines up to the empty line, or to another end; each with its folded lines and its line end."""
    at = 0
    while at < len(data) and not ends(data, at):
        found = row.match(data, at)
        end = found.end() if found else len(data)
        yield data[at:end]
        at = end


def by_name(table: Mapping[bytes, type[Packet]], other: type[Packet]) -> Callable[[], Choosing]:
    """Chooses the layer of a header line by its name, without regard to case."""
    return lambda: lambda row: table.get(header_name(row), other)


# --- fields ---------------------------------------------------------------------------------------


class Implied(TextField):
    """Octets that other fields ask for, such as a line end: None stands for what is needed when the layer is built."""

    __slots__ = ("needed",)

    def __init__(self, name: str, pattern: bytes, needed: Callable[[Any], bytes], default: bytes | None = None) -> None:
        super().__init__(name, default, pattern)
        self.needed = needed

    def i2m(self, pkt: Any, x: Any) -> bytes:
        """What is given, or what is needed."""
        return self.needed(pkt) if x is None else bytes(x)

    def i2repr(self, pkt: Any, x: Any) -> str:
        """As it stands."""
        return repr(x)


def header_value(pattern: bytes = VALUE) -> Implied:
    """A value as sent, folded lines included; None stands for a length, which `MessageHeaders` knows."""
    return Implied("header_value", pattern, lambda pkt: b"0", b"")


def header_fields(*value: Any, name: bytes = b"", separator: bytes = SEPARATOR, end: bytes = REST) -> list[Any]:
    """The fields of a header line around those of its value."""
    return [
        TextField("header_name", name, NAME),
        TextField("separator", b": ", separator),
        *value,
        TextField("eol", b"\r\n", end),
    ]


class Items(Packets):
    """The items of an area at the front of what is left, such as a header's value; an expression cuts them."""

    __slots__ = ["area", "expression", "layer"]
    limit = ITEM_LIMIT

    def __init__(self, name: str, layer: type[Packet], expression: bytes, area: bytes = CUT_VALUE) -> None:
        super().__init__(name, None, self._items)
        self.layer = layer
        self.expression = re.compile(expression, re.DOTALL)
        self.area = re.compile(area, re.DOTALL)

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        found = self.area.match(s)
        end = found.end() if found else 0
        return s[:end], s[end:]

    def _items(self, pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        at = 0
        for _ in range(self.limit):
            found = self.expression.match(data, at)
            if found is None or found.end() == at:
                break
            yield self.layer, found[0]
            at = found.end()
        if at < len(data):
            yield Raw, data[at:]


class HeaderRows(Packets):
    """Header lines up to an empty line or to another end, each a layer that is chosen for it."""

    __slots__ = ["choosing", "row"]
    limit = HEADER_LIMIT

    def __init__(self, name: str, choosing: Callable[[], Choosing], folding: bool = True) -> None:
        super().__init__(name, None, lambda pkt, data: iter(()))
        self.choosing = choosing  # called once for each block of headers
        self.row = ROW if folding else ROW_WITHOUT_FOLDING

    def ends(self, pkt: Any, s: bytes, at: int) -> bool:
        """Whether the line at a place ends the headers."""
        return at_empty_line(s, at)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take header lines off the front."""
        packets: list[Packet] = []
        choose = self.choosing()
        shown = end = 0
        for row in rows(s, self.row, lambda data, at: self.ends(pkt, data, at)):
            end += len(row)
            if len(packets) < self.limit and not exhausted():
                packets.append(choose(row)(row))
                shown = end
        if shown < end:
            packets.append(LeftOut(s[shown:end]))
        return s[end:], packets


class MessageHeaders(HeaderRows):
    """The headers of a message with a body: a length whose value is None is that of the body."""

    __slots__: list[str] = []

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Build every header."""
        return s + (val if isinstance(val, bytes) else b"".join(self._built(pkt, one) for one in val or ()))

    def _built(self, pkt: Any, header: Any) -> bytes:
        if getattr(header, "header_value", b"") is None:
            header = header.copy()
            header.header_value = str(len(b"" if pkt.body is None else bytes(pkt.body))).encode()
        return bytes(header)


class TextWithPayload(TextLayer):
    """A layer of text; what its fields do not explain becomes its payload."""

    def extract_padding(self, s: bytes) -> tuple[bytes, Any]:
        """Nothing is left to the packet around this one."""
        return s, None

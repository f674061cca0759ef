"""What the layers of MSRP, CPIM and MIME are declared with beyond header lines: bodies, and headers that may be cut.

A header is a layer chosen by its name; a body is a layer chosen by the headers in front of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.binary import One
from dissectors.header_lines import HeaderRows, TextWithPayload
from dissectors.text import TextField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dissectors.header_lines import Choosing

DEPTH_LIMIT = 24  # layers around a body whose content is still taken apart


class HeaderLayer(TextWithPayload):
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


def before(name: str, octets: bytes) -> Callable[[Any], bytes]:
    """What an `Implied` field needs: the octets if another field holds something."""
    return lambda pkt: octets if pkt.getfieldval(name) else b""


class Headers(HeaderRows):
    """Header lines; those of CPIM and MSRP are not folded."""

    __slots__: list[str] = []

    def __init__(self, name: str, choosing: Callable[[], Choosing], folding: bool = False) -> None:
        super().__init__(name, choosing, folding)


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

"""Fields and base class of the layers of H.248 text: a token, perhaps a value, perhaps parts in braces, a comma.

White space and comments stand in fields of their own, so every octet is kept. Built, a part that has parts gets its
braces, and the commas between the parts of a list are put where they are missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from scapy.packet import Raw

from dissectors.binary import Layer, Packets
from dissectors.h248.codes import forms
from dissectors.h248.packages import PACKAGES
from dissectors.h248.parse import PART_LIMIT, QUOTED, SPACE, TOKEN, VALUE, extents, list_end
from dissectors.text import TextField, TextPacket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scapy.fields import Field
    from scapy.packet import Packet

_NUMBER = re.compile(rb"[0-9]{1,10}")
_FIRST = re.compile(SPACE + rb"((?:[OW]-)*)(" + TOKEN + rb")", re.IGNORECASE)


def by_token(classes: Mapping[str, type[Packet]]) -> dict[bytes, type[Packet]]:
    """Classes by both forms of the tokens that begin them."""
    return {form: layer for rule, layer in classes.items() for form in forms(rule)}


def named(table: Mapping[bytes, str]) -> Callable[[bytes], str]:
    """Names a token by a table, whatever its case; one that is not there has no name."""
    return lambda text: table.get(text.upper(), "")


def package_name(text: bytes) -> str:
    """The name of a package and where it is defined."""
    return PACKAGES.get(text.lower(), "unknown package" if text and text != b"*" else "")


def tables(**by_rule: Mapping[bytes, str]) -> dict[bytes, Mapping[bytes, str]]:
    """Tables of values by both forms of the tokens that they belong to."""
    return {form: table for rule, table in by_rule.items() for form in forms(rule)}


def text(name: str) -> TextField:
    """All up to the last closing brace."""
    return TextField(name, b"", rb".*(?=\})")


class NamedField(TextField):
    """Text that stands for something a table names."""

    __slots__ = ("naming",)

    def __init__(self, name: str, default: bytes, pattern: bytes, naming: Callable[[bytes], str]) -> None:
        super().__init__(name, default, pattern)
        self.naming = naming

    def meaning(self, pkt: Any, x: Any) -> str:
        """What the text stands for; empty where nothing is to be said."""
        return self.naming(bytes(x or b""))

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The text, and its name in brackets."""
        name = self.meaning(pkt, x)
        return f"{x!r} ({name})" if name else repr(x)


class ComputedField(TextField):
    """Text that is put in when the layer is built with None in it, where a function says so."""

    __slots__ = ("needed", "text")

    def __init__(self, name: str, text: bytes, pattern: bytes, needed: Callable[[Any], bool]) -> None:
        super().__init__(name, None, pattern)
        self.text = text
        self.needed = needed

    def i2m(self, pkt: Any, x: bytes | None) -> bytes:
        """What stands there, or what is needed."""
        if x is None:
            return self.text if self.needed(pkt) else b""
        return bytes(x)

    def i2repr(self, pkt: Any, x: bytes | None) -> str:
        """As it stands."""
        return repr(x)


class ValueField(TextField):
    """A value, which is only read behind an equals sign; it may be named by a table that its token chooses."""

    __slots__ = ("tables",)

    def __init__(
        self,
        name: str,
        default: bytes,
        pattern: bytes = VALUE,
        tables: Mapping[bytes, Mapping[bytes, str]] | None = None,
    ) -> None:
        super().__init__(name, default, pattern)
        self.tables = tables or {}

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take the value off the front."""
        return super().getfield(pkt, s) if pkt.fields.get("equals") else (s, b"")

    def meaning(self, pkt: Any, x: Any) -> str:
        """What the value stands for, by the table of the token in front; b"" in the tables is for every token."""
        text = bytes(x or b"")
        key = bytes(pkt.fields.get("token", b"") or b"").upper()
        table = self.tables.get(key, self.tables.get(b"", {}))
        return table.get(text.upper(), "")

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The value, and its name in brackets."""
        name = self.meaning(pkt, x)
        return f"{x!r} ({name})" if name else repr(x)


class Parts(Packets):
    """The parts of a list, each of the class that the table of the layer around has for its token."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, None, _cut)

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        end = list_end(s) if pkt.opened() else 0
        return s[:end], s[end:]

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the parts, with commas between them where there are none."""
        if isinstance(val, bytes):
            return s + val
        built = [bytes(item) for item in val or ()]
        last = len(built) - 1
        for number, item in enumerate(val or ()):
            if number < last and isinstance(item, Element) and item.separated and item.comma is None:
                built[number] += b","
        return s + b"".join(built)


def _cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    at = 0
    for number, (start, end) in enumerate(extents(data, 0, len(data))):
        if number == PART_LIMIT:
            yield Raw, data[start:]
            return
        yield pkt.choose(data[start:end]), data[start:end]
        at = end
    if at < len(data):
        yield Raw, data[at:]


class Element(TextPacket, Layer):
    """A part of an H.248 message in text (H.248.1 Annex B.2)."""

    children: ClassVar[Mapping[bytes, type[Packet]]] = {}
    other: ClassVar[type[Packet] | None] = None  # of children whose token is not in the table
    separated: ClassVar[bool] = True  # a comma stands between it and the next of its list
    numbers: ClassVar[Mapping[str, int]] = {}  # fields that hold numbers, and the greatest value of each
    instead: ClassVar[frozenset[bytes]] = frozenset()  # what may stand in place of such a number

    def opened(self) -> bool:
        """Whether parts follow: an opening brace stands there."""
        return bool(self.fields.get("open"))

    def choose(self, data: bytes) -> type[Packet]:
        """The class of a part of this one."""
        found = _FIRST.match(data)
        token = found[2].upper() if found else b""
        return self.children.get(token) or self.other or Parameter

    def troubles(self) -> Iterator[str]:
        """Braces that do not close, numbers that are none, octets that nothing explains."""
        for name, greatest in self.numbers.items():
            value = bytes(self.getfieldval(name) or b"")
            right = value in self.instead or (_NUMBER.fullmatch(value) and int(value) <= greatest)
            if not right:
                yield f"{name} {value[:20].decode('latin-1')!a} is no number up to {greatest}"
        if self.opened() and self.fields.get("close") == b"":
            yield "opening brace without a closing one"
        if self.fields.get("unread"):
            yield f"{len(self.unread)} octets at its end are not explained"


def _has_value(name: str) -> Callable[[Any], bool]:
    return lambda pkt: bool(pkt.getfieldval(name))


def _has_body(name: str, always: bool) -> Callable[[Any], bool]:
    return lambda pkt: always or bool(pkt.getfieldval(name))


def _open(pkt: Any) -> bool:
    return bool(pkt.get_field("open").i2m(pkt, pkt.getfieldval("open")))


def head(token: str) -> list[Field]:
    """White space and the token."""
    return [TextField("space", b"", SPACE), TextField("token", token.encode(), TOKEN)]


def valued(name: str, default: bytes = b"", **more: Any) -> list[Field]:
    """An equals sign and a value; without a value there is no sign."""
    equals = ComputedField("equals", b"=", SPACE + rb"=" + SPACE + rb"|", _has_value(name))
    return [equals, ValueField(name, default, **more)]


def braces(inside: Field, always: bool = False) -> list[Field]:
    """Something in braces, which stand there always or only around something."""
    return [
        ComputedField("open", b"{", SPACE + rb"\{|", _has_body(inside.name, always)),
        inside,
        ComputedField("close", b"}", SPACE + rb"\}|", _open),
    ]


def tail() -> list[Field]:
    """The comma, or the white space in front of a closing brace; and what nothing explains."""
    return [
        ComputedField("comma", b",", SPACE + rb",|", lambda pkt: False),
        TextField("space_behind", b"", SPACE),
        TextField("unread", b"", rb".*"),
    ]


PARAMETER_VALUE = (
    rb"(?:" + QUOTED + rb"|\[[^\]]*+\](?::[0-9]++)?|<[^>{}]*+>(?::[0-9]++)?|\{[^{}]*+\}|[^ \t\r\n{},;\"]*+)"
)
"""A value that may also be a set in braces."""


def package() -> list[Field]:
    """White space and the name of a package."""
    return [
        TextField("space", b"", SPACE),
        NamedField("packageName", b"", rb"(?:[A-Za-z0-9_\-]+|\*)(?=/)|", package_name),
        TextField("slash", b"", rb"/|"),
    ]


def parameter(tables: Mapping[bytes, Mapping[bytes, str]] | None = None) -> list[Field]:
    """A parameter of a package or not, its relation and value, and what stands in braces behind it."""
    return [
        *package(),
        TextField("token", b"", TOKEN),
        ComputedField("equals", b"=", SPACE + rb"[=#<>]" + SPACE + rb"|", _has_value("parameter_value")),
        ValueField("parameter_value", b"", PARAMETER_VALUE, tables),
        *braces(TextField("content", b"", rb".*(?=\})")),
        *tail(),
    ]


class Parameter(Element):
    """A name, of a package or not, and perhaps its value (parmValue, H.248.1 Annex B.2)."""

    name = "Parameter"
    fields_desc = parameter()

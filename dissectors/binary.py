"""What Scapy layers of binary formats are declared with: numbers, bits, vectors with lengths, lists of layers.

Every octet is kept: `bytes(L(data)) == data` for any data but none at all, and packets are always built from their
fields. A length whose value is None is computed when the layer is built. Where octets end early, fields hold b""; what
a layer cannot explain becomes its payload, a Raw layer; `notes` says what is wrong and where.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from scapy.fields import Field
from scapy.packet import Packet, Raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Counting = str | Callable[[Any], int] | None  # the field that says how many octets there are, or a function

ABSENT = b""
"""Value of a number whose octets were not there."""

MAX_ITEMS = 4096
"""Items of a list that become layers; the rest stays raw."""

MAX_CHAINED = 256
"""Layers of a chain; the rest stays raw. Each one copies what is behind it."""

MAX_LAYERS = 8192
"""Layers of one message, whatever list they are in; the rest stays raw. Each one takes more room than its octets."""

_left: ContextVar[list[int] | None] = ContextVar("_left", default=None)  # layers that a message being read may have yet
_built: ContextVar[dict[int, tuple[Packet, bytes]] | None] = ContextVar("_built", default=None)  # see built_once


# --- bounds ---------------------------------------------------------------------------------------


class LeftOut(Raw):
    """Octets of a list that were not taken apart, because so many layers are in front of them already."""

    name = "Raw"


def exhausted() -> bool:
    """Whether the message that is being read has as many layers as it may have."""
    left = _left.get()
    return left is not None and left[0] <= 0


@contextmanager
def built_once() -> Iterator[None]:
    """While this lasts every layer is built once and its octets are remembered: nothing in it may be changed."""
    if _built.get() is not None:
        yield
        return
    token = _built.set({})
    try:
        yield
    finally:
        _built.reset(token)


class Bounded(Packet):
    """A packet that is counted among the layers of its message, and that can be built once for many readers."""

    def dissect(self, s: bytes) -> None:
        """Read the octets; the outermost layer begins the count."""
        left = _left.get()
        if left is not None:
            left[0] -= 1
            super().dissect(s)
            return
        token = _left.set([MAX_LAYERS - 1])
        try:
            super().dissect(s)
        finally:
            _left.reset(token)

    def build(self) -> bytes:
        """The octets of the layer and of its payload."""
        built = _built.get()
        if built is None:
            return bytes(super().build())
        known = built.get(id(self))
        if known is None:
            known = built[id(self)] = self, bytes(super().build())  # kept, so that no other takes its id
        return known[1]


def nothing(layer: type[Packet] = Raw) -> Packet:
    """A layer of no octets, which is there all the same."""
    empty = layer()
    empty.explicit = 1  # built as it is, not by way of a copy
    return empty


# --- fields ---------------------------------------------------------------------------------------


def named(table: Mapping[int, str]) -> Callable[[int], str]:
    """Names code points by a table; unknown ones as "unknown (n)"."""
    return lambda code: table.get(code) or f"unknown ({code})"


class Numeric(Field):
    """A number that may have a name."""

    __slots__ = ["condition", "naming"]
    digits = 2  # hexadecimal ones that a code point is shown with

    def __init__(
        self,
        name: str,
        default: int | bytes | None,
        naming: Callable[[int], str] | None,
        condition: Callable[[Any], bool] | None,
    ) -> None:
        super().__init__(name, default, "B")
        self.naming = naming
        self.condition = condition

    def left_out(self, pkt: Any) -> bool:
        """Whether a condition leaves the field out of this layer."""
        return self.condition is not None and not self.condition(pkt)

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The number, or its name with the number behind it."""
        if not isinstance(x, int):
            return "absent" if x == ABSENT else repr(x)
        return str(x) if self.naming is None else f"{self.naming(x)} (0x{x:0{self.digits}x})"


class Number(Numeric):
    """An unsigned number of some octets; b"" where they were not there, or where a condition leaves it out."""

    __slots__ = ["octets"]

    def __init__(
        self,
        name: str,
        default: int | bytes | None,
        octets: int,
        naming: Callable[[int], str] | None = None,
        condition: Callable[[Any], bool] | None = None,
    ) -> None:
        super().__init__(name, default, naming, condition)
        self.octets = octets

    @property
    def digits(self) -> int:  # type: ignore[override]
        """Two of each octet."""
        return 2 * self.octets

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        """Take the octets off the front."""
        if len(s) < self.octets or self.left_out(pkt):
            return s, ABSENT
        return s[self.octets :], int.from_bytes(s[: self.octets], "big")

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the octets."""
        if val == ABSENT or self.left_out(pkt):
            return s
        return s + int(0 if val is None else val).to_bytes(self.octets, "big")


class Bits(Numeric):
    """Some bits, the most significant first. The first field of a group says how many octets the group has.

    While a group is read, what is left is passed on as (number of the group, its bits not read yet, octets behind it);
    while it is built, what is there as (octets before it, number so far, bits still to come, octets of the group).
    """

    __slots__ = ["begins", "size"]

    def __init__(
        self,
        name: str,
        default: int | bytes | None,
        size: int,
        naming: Callable[[int], str] | None = None,
        begins: int = 0,
    ) -> None:
        super().__init__(name, default, naming, None)
        self.size = size
        self.begins = begins  # octets of the group that begins here

    def getfield(self, pkt: Any, s: Any) -> tuple[Any, int | bytes]:
        """Take the bits off the front."""
        if isinstance(s, bytes):
            if len(s) < self.begins or not self.begins:
                return s, ABSENT
            s = int.from_bytes(s[: self.begins], "big"), 8 * self.begins, s[self.begins :]
        number, left, rest = s
        left -= self.size
        return (number, left, rest) if left else rest, number >> left & (1 << self.size) - 1

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        """Add the bits; the last ones of a group make its octets."""
        if isinstance(s, bytes):
            if val == ABSENT or not self.begins:
                return s
            s = s, 0, 8 * self.begins, self.begins
        before, number, left, octets = s
        left -= self.size
        number |= (int(val or 0) & (1 << self.size) - 1) << left
        return (before, number, left, octets) if left else before + number.to_bytes(octets, "big")


def counted(pkt: Any, names: Iterable[str]) -> int:
    """Octets of some fields of a layer; bits count when all of their group are among them."""
    total = 0
    built: Any = b""
    for name in names:
        field, value = pkt.getfield_and_val(name)
        built = field.addfield(pkt, built, value)
        if isinstance(built, bytes):
            total, built = total + len(built), b""
    return total


class Length(Number):
    """The length field of a vector; None counts the octets of another field, or of several, when the layer is built."""

    __slots__ = ["flag", "of"]
    checked = True  # whether a length that differs from the octets there is wrong

    def __init__(
        self,
        name: str,
        of: str | tuple[str, ...],
        octets: int,
        flag: int = 0,
        condition: Callable[[Any], bool] | None = None,
    ) -> None:
        super().__init__(name, None, octets, condition=condition)
        self.of = (of,) if isinstance(of, str) else of
        self.flag = flag

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the length."""
        return super().addfield(pkt, s, counted(pkt, self.of) | self.flag if val is None else val)


class MessageLength(Length):
    """The length of a whole message, of which a fragment holds a part (RFC 6347 §4.2.2)."""

    __slots__: list[str] = []
    checked = False


class OptionalLength(Length):
    """Left out with its vector where that is empty (extensions of a TLS hello, RFC 5246 §7.4.1.4)."""

    __slots__: list[str] = []

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the length where there is something to count."""
        if val is None and counted(pkt, self.of) == 0:
            return s
        return super().addfield(pkt, s, val)


class BitsLength(Bits):
    """The length of a vector in less than whole octets; None counts, as with Length."""

    __slots__ = ["of"]

    def __init__(self, name: str, of: str | tuple[str, ...], size: int, begins: int = 0) -> None:
        super().__init__(name, None, size, begins=begins)
        self.of = (of,) if isinstance(of, str) else of

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        """Add the length."""
        return super().addfield(pkt, s, counted(pkt, self.of) if val is None else val)


class Sized(Field):
    """A field whose octets a length field counts, or a function; None for all that is left."""

    __slots__ = ["length"]

    def __init__(self, name: str, default: Any, length: Counting) -> None:
        super().__init__(name, default, "B")
        self.length = length

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        octets = self._octets(pkt)
        return (s, b"") if octets is None else (s[:octets], s[octets:])

    def _octets(self, pkt: Any) -> int | None:
        if self.length is None:
            return None
        value = self.length(pkt) if callable(self.length) else pkt.getfieldval(self.length)
        return value if isinstance(value, int) else 0


class Opaque(Sized):
    """Octets."""

    __slots__ = ["fixed"]

    def __init__(self, name: str, default: bytes, length: Counting = None, fixed: int | None = None) -> None:
        super().__init__(name, default, length)
        self.fixed = fixed

    def _octets(self, pkt: Any) -> int | None:
        return super()._octets(pkt) if self.fixed is None else self.fixed

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        return rest, value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        return s + bytes(val or b"")


class Numbers(Sized):
    """A list of numbers of some octets each; bytes where these do not make whole numbers."""

    __slots__ = ["naming", "octets"]
    islist = 1

    def __init__(
        self,
        name: str,
        length: Counting,
        octets: int,
        naming: Callable[[int], str] | None = None,
    ) -> None:
        super().__init__(name, [], length)
        self.octets = octets
        self.naming = naming

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[int] | bytes]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        if len(value) % self.octets:
            return rest, value
        step = self.octets
        return rest, [int.from_bytes(value[at : at + step], "big") for at in range(0, len(value), step)]

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        if isinstance(val, bytes):
            return s + val
        return s + b"".join(number.to_bytes(self.octets, "big") for number in val or ())

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The items, by name where they have one."""
        if isinstance(x, bytes) or self.naming is None:
            return repr(x)
        return "[" + ", ".join(self.naming(number) for number in x) + "]"


class Packets(Sized):
    """A list of layers; what does not make one is Raw."""

    __slots__ = ["cut"]
    limit = MAX_ITEMS  # layers that `cut` gives at most
    islist = 1
    holds_packets = 1

    def __init__(
        self,
        name: str,
        length: Counting,
        cut: Callable[[Any, bytes], Iterator[tuple[type[Packet], bytes]]],
    ) -> None:
        super().__init__(name, [], length)
        self.cut = cut

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        found: list[Packet] = []
        at = 0
        for layer, part in self.cut(pkt, value):
            if layer is not Raw and exhausted():
                found.append(LeftOut(value[at:]))
                break
            found.append(LeftOut(part) if layer is Raw and len(found) >= self.limit else layer(part))
            at += len(part)
        return rest, found

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        if isinstance(val, bytes):
            return s + val
        return s + b"".join(bytes(item) for item in val or ())


class One(Sized):
    """One layer, of a class that other fields choose."""

    __slots__ = ["choose"]
    holds_packets = 1

    def __init__(self, name: str, length: Counting, choose: Callable[[Any, bytes], type[Packet]]) -> None:
        super().__init__(name, None, length)
        self.choose = choose

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Packet]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        return rest, self.choose(pkt, value)(value) if value else nothing()

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        return s if val is None else s + bytes(val)


def items(layer: type[Packet], header: int, at: int, octets: int, trailer: int = 0) -> Any:
    """Cuts a list whose items have a length field at an offset, and octets behind what it counts."""

    def cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        start = 0
        for _ in range(MAX_ITEMS):
            if start == len(data):
                return
            if len(data) - start < header:
                break
            end = start + header + int.from_bytes(data[start + at : start + at + octets], "big") + trailer
            if end > len(data):
                break
            yield layer, data[start:end]
            start = end
        if start < len(data):
            yield Raw, data[start:]

    return cut


class Chain(Field):
    """Layers one behind the other, each of which says by itself where it ends.

    `choose` is given the layer around, those read so far and the octets left, and gives the class of the next one, or
    None where nothing more can be read; what is left then is not part of the field. A layer that explains nothing ends
    the chain.
    """

    __slots__ = ["choose"]
    islist = 1
    holds_packets = 1

    def __init__(self, name: str, choose: Callable[[Any, list[Packet], bytes], type[Packet] | None]) -> None:
        super().__init__(name, [], "B")
        self.choose = choose

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Read layer after layer."""
        found: list[Packet] = []
        while s and len(found) < MAX_CHAINED and not exhausted():
            layer = self.choose(pkt, found, s)
            if layer is None:
                break
            one = layer(s)
            rest = bytes(one.payload)
            if len(rest) == len(s):
                break
            one.remove_payload()
            found.append(one)
            s = rest
        return s, found

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        return s + b"".join(bytes(item) for item in val or ())


class Layer(Bounded):
    """A layer that keeps every octet: a field that cannot be read ends the reading, and the rest is its payload."""

    def do_dissect(self, s: bytes) -> bytes:
        """Read field by field; gives what is left."""
        absent = False
        for field in self.fields_desc:
            value: Any
            if absent:
                value = [] if field.islist else None if isinstance(field, One) else ABSENT
            else:
                s, value = field.getfield(self, s)
                absent = isinstance(field, Numeric) and value == ABSENT and not field.left_out(self)
            self.fields[field.name] = value
        self.explicit = 1
        return s

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """What the fields did not explain stays raw."""
        raw: type[Packet] = Raw
        return raw

    def troubles(self) -> Iterator[str]:
        """What is wrong with the values of this layer, beyond what lengths and ends tell; none by default."""
        return iter(())


def spans(packet: Packet) -> Iterator[tuple[Any, Any, int, int]]:
    """Each field of a layer with its value, and where its octets begin and end in those of the layer.

    Of bits, the octets of their group.
    """
    built: Any = b""
    waiting: list[tuple[Any, Any]] = []
    at = 0
    for field in packet.fields_desc:
        value = packet.getfieldval(field.name)
        built = field.addfield(packet, built, value)
        waiting.append((field, value))
        if isinstance(built, bytes):
            yield from ((*each, at, len(built)) for each in waiting)
            at, waiting = len(built), []


def notes(packet: Any, offset: int = 0, *, inside: bool = True) -> list[str]:
    """What is wrong in a layer that was read, each note with the offset in its octets; empty for a sound one.

    With what is wrong in the layers inside it, in their places, unless that is not asked for.
    """
    if not isinstance(packet, Layer):
        return []
    with built_once():
        return _notes(packet, offset, inside)


def _notes(packet: Any, offset: int, inside: bool) -> list[str]:
    found: list[str] = []
    for field, value, begin, _ in spans(packet):
        where = f"{packet.name} {field.name} at {offset + begin}"
        if isinstance(field, Numeric):
            if value == ABSENT and not field.left_out(packet):
                if not isinstance(field, OptionalLength) or packet.payload:
                    found.append(f"{where} is missing")
                break
            if isinstance(field, Length | BitsLength) and isinstance(value, int) and getattr(field, "checked", True):
                says, there = value & ~getattr(field, "flag", 0), counted(packet, field.of)
                if says != there:
                    found.append(f"{where} says {says} octets, {there} are there")
        elif isinstance(field, Numbers) and isinstance(value, bytes) and value:
            found.append(f"{where} has {len(value)} octets, no multiple of {field.octets}")
        elif isinstance(field, Packets | One | Chain):
            found += _notes_inside(packet, field, value, offset + begin, inside)
    found += [f"{packet.name} at {offset}: {text}" for text in packet.troubles()]
    if packet.payload:
        end = offset + len(bytes(packet)) - len(bytes(packet.payload))
        found.append(f"{packet.name}: {len(bytes(packet.payload))} octets at {end} are not explained")
    return found


def _notes_inside(packet: Any, field: Any, value: Any, at: int, inside: bool) -> list[str]:
    """What is wrong in the layers of a field, the first of which begins at an offset."""
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        octets = 0 if item is None else len(bytes(item))
        if isinstance(item, LeftOut):
            found.append(f"{packet.name} {field.name}: {octets} octets at {at} are not taken apart: too many layers")
        elif isinstance(item, Raw) and isinstance(field, Packets) and field.name != "content":
            found.append(f"{packet.name} {field.name}: {octets} octets at {at} are not explained")
        elif inside and isinstance(item, Layer):
            found += _notes(item, at, inside)
        at += octets
    return found

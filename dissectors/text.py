"""What Scapy layers of text formats are declared with: fields that take what an expression matches, lists, base64.

Packets are always built from their fields, so what was changed inside is built, and what was not comes out octet for
octet.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from scapy.fields import PacketListField, StrField
from scapy.packet import Packet, Raw

from dissectors.binary import Bounded, Layer, LeftOut, One, Packets, Sized, exhausted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTENT = rb"(?:[^\r\n]|\r(?!\n))*+"  # of a line
PIECES_LIMIT = 512  # of one list; the rest stays raw
WORD = rb"[^ \t\r\n]*"
SPACE = rb"[ \t]*"
ITEM = rb"[ \t]*[^ \t]+(?:[ \t]+\Z)?"  # of a list that white space separates


class TextField(StrField):
    """The octets that an expression matches at the front of what is left; the expression may match nothing."""

    __slots__ = ("pattern",)

    def __init__(self, name: str, default: bytes | None, pattern: bytes) -> None:
        super().__init__(name, default)
        self.pattern = re.compile(pattern, re.DOTALL)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take the match off the front."""
        found = self.pattern.match(s)
        end = found.end() if found else 0
        return s[end:], s[:end]


class TextPacket(Bounded):
    """A packet whose fields hold all of its octets, so that it is built from them alone."""

    def do_dissect(self, s: bytes) -> bytes:
        """Dissect and keep no copy: a change deep inside must not be hidden by one."""
        rest: bytes = super().do_dissect(s)
        self.raw_packet_cache = None
        self.raw_packet_cache_fields = None
        return rest

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """What is left belongs to the packet around this one."""
        return b"", s


class TextListField(PacketListField):
    """Packets that fill what is left, cut by a function, up to a limit."""

    __slots__ = ("cut",)

    def __init__(self, name: str, cut: Callable[[bytes], tuple[list[Packet], bytes]]) -> None:
        super().__init__(name, [], Packet)
        self.cut = cut

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take packets off the front."""
        packets, rest = self.cut(s)
        for packet in packets:
            packet.add_parent(pkt)
        return rest, packets


class TextLayer(TextPacket, Layer):
    """A layer of text; what no field explains stands in its field `unexplained`."""

    def troubles(self) -> Iterator[str]:
        """Octets that do not have the layer's form."""
        rest = self.fields.get("unexplained")
        if isinstance(rest, bytes) and rest.strip(b" \t\r\n"):
            yield f"{len(rest)} octets are not explained"  # which are not shown: they may be a part of a key


class Meant(TextField):
    """Text whose meaning a function tells; it is given the packet and the octets."""

    __slots__ = ("_told",)

    def __init__(self, name: str, default: bytes | None, pattern: bytes, told: Callable[[Any, bytes], str]) -> None:
        super().__init__(name, default, pattern)
        self._told = told

    def meaning(self, pkt: Any, x: Any) -> str:
        """What the text stands for; empty where nothing is to be said."""
        return self._told(pkt, x) if isinstance(x, bytes) and x else ""

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The text, and behind it what it stands for."""
        told = self.meaning(pkt, x)
        return f"{x!r} ({told})" if told else repr(x)


class Separator(TextField):
    """White space and signs in front of an item of a list; None leaves them to the list."""

    __slots__ = ()

    def i2m(self, pkt: Any, x: bytes | None) -> bytes:
        """An item alone has none."""
        return b"" if x is None else bytes(x)

    def i2repr(self, pkt: Any, x: bytes | None) -> str:
        """As it stands."""
        return repr(x)


class Pieces(Packets):
    """Layers of an area at the front of what is left; an expression cuts them, a function chooses their classes."""

    __slots__ = ["area", "join", "lead", "piece", "which"]

    def __init__(
        self,
        name: str,
        area: bytes,
        piece: bytes,
        which: Callable[[Any, bytes], type[Packet]],
        join: bytes,
        *,
        lead: bool = False,
        default: bytes = b"",
    ) -> None:
        Sized.__init__(self, name, default or [], None)
        self.area = re.compile(area, re.DOTALL)
        self.piece = re.compile(piece, re.DOTALL)
        self.which = which
        self.join = join  # in front of an item whose `separator` is None
        self.lead = lead  # in front of the first one too

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take the pieces off the front."""
        found = self.area.match(s)
        end = found.end() if found else 0
        packets: list[Packet] = []
        at = 0
        while at < end:
            piece = self.piece.match(s, at, end)
            if piece is None or piece.end() == at:
                packets.append(Raw(s[at:end]))
                break
            if len(packets) == PIECES_LIMIT or exhausted():
                packets.append(LeftOut(s[at:end]))
                break
            packet = self.which(pkt, piece[0])(piece[0])
            packet.add_parent(pkt)
            packets.append(packet)
            at = piece.end()
        return s[end:], packets

    def any2i(self, pkt: Any, x: Any) -> Any:
        """Octets that are given become pieces."""
        if isinstance(x, bytes) and pkt is not None:
            rest, packets = self.getfield(pkt, x)
            return x if rest else packets
        return x

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the pieces with what stands between them."""
        if isinstance(val, bytes):
            return s + val
        built: list[bytes] = []
        for item in val or ():
            if getattr(item, "separator", b"") is None and (built or self.lead):
                built.append(self.join)
            built.append(bytes(item))
        return s + b"".join(built)


class Base64(One):
    """Octets of another format as base64 text, without its padding; text where it can't be shown as a layer.

    Text in another than the one usual spelling stays text, so that what is built is what was read.
    """

    __slots__ = ["pattern", "which"]

    def __init__(self, name: str, pattern: bytes, which: Callable[[Any, bytes], type[Packet] | None]) -> None:
        super().__init__(name, None, lambda pkt, octets: Raw)
        self.pattern = re.compile(pattern, re.DOTALL)
        self.which = which

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take the text off the front."""
        found = self.pattern.match(s)
        end = found.end() if found else 0
        return s[end:], self._read(pkt, s[:end])

    def _read(self, pkt: Any, text: bytes) -> Any:
        octets = from_base64(text)
        layer = self.which(pkt, octets) if octets and to_base64(octets) == text else None
        if layer is None:
            return text
        packet = layer(octets)
        if bytes(packet) != octets:
            return text
        packet.add_parent(pkt)
        return packet

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the text."""
        if val is None or isinstance(val, bytes):
            return s + (val or b"")
        return s + to_base64(bytes(val))

    def meaning(self, pkt: Any, x: Any) -> str:
        """How many octets a text stands for that is shown as it is."""
        octets = from_base64(x) if isinstance(x, bytes) else None
        return f"{len(octets)} octets" if octets else ""


class Padding(TextField):
    """The padding of base64 text in the field before; None for as much as the text needs."""

    __slots__ = ("of",)

    def __init__(self, name: str, of: str) -> None:
        super().__init__(name, None, rb"=*")
        self.of = of

    def i2m(self, pkt: Any, x: bytes | None) -> bytes:
        """Add what the text needs."""
        if x is not None:
            return bytes(x)
        each, value = pkt.getfield_and_val(self.of)
        return b"=" * (-len(each.addfield(pkt, b"", value)) % 4)

    def i2repr(self, pkt: Any, x: bytes | None) -> str:
        """As it stands."""
        return repr(x)


def to_base64(octets: bytes) -> bytes:
    """Base64 text without its padding."""
    return binascii.b2a_base64(octets, newline=False).rstrip(b"=")


def from_base64(text: bytes) -> bytes | None:
    """The octets of base64 text with or without its padding; None if it is none."""
    text = text.rstrip(b"=")
    if len(text) % 4 == 1:
        return None
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        return None


@lru_cache(maxsize=64)
def layer_of(module: str, name: str) -> type[Packet] | None:
    """A layer of another package, loaded when it is first met; None where the package is not there."""
    try:
        found: type[Packet] | None = getattr(import_module(module), name, None)
    except ModuleNotFoundError:
        return None
    return found


# --- words ----------------------------------------------------------------------------------------


def word(name: str, default: bytes = b"") -> TextField:
    """Octets up to white space."""
    return TextField(name, default, WORD)


def gap(name: str = "space", default: bytes = b" ") -> TextField:
    """White space between words."""
    return TextField(name, default, SPACE)


def optional_gap(name: str) -> TextField:
    """White space in front of what is optional."""
    return gap(name, b"")


def named_word(name: str, default: bytes, table: dict[bytes, str]) -> Meant:
    """A word whose meaning a table tells, compared without case."""
    return Meant(name, default, WORD, lambda pkt, x: table.get(x.lower(), ""))


def words(
    name: str, which: Callable[[Any, bytes], type[Packet]], *, lead: bool = False, default: bytes = b""
) -> Pieces:
    """Items of a line that white space separates; what stands behind the last one is a part of it."""
    return Pieces(name, CONTENT, ITEM, which, b" ", lead=lead, default=default)


class Word(TextLayer):
    """One word of a list (RFC 8866 §9)."""

    name = "word"
    fields_desc = [
        Separator("separator", None, SPACE),
        TextField("text", b"", rb"[^ \t]*"),
        TextField("unexplained", b"", rb".*"),
    ]

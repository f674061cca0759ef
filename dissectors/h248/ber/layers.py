"""The outermost structure of H.248 messages in BER: header, version, message identifier, kind of body (Annex A.2).

What is inside transactions is not decoded: each shows its kind and its octets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import MAX_ITEMS, Layer, Number, Opaque, Packets, named
from dissectors.h248.codes import BINARY_MIDS, BINARY_TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCE = 0x30
INDEFINITE = 0x80
ENDLESS = 1 << 31  # octets: all that are there
MESSAGE = 0xA1
MESSAGE_PARTS: dict[int, str] = {0x80: "version", 0xA1: "mId", 0xA2: "messageBody"}
MESSAGE_BODIES: dict[int, str] = {0xA0: "messageError", 0xA1: "transactions"}
OUTER_PARTS: dict[int, str] = {0xA0: "authHeader", MESSAGE: "mess"}


def length_octets(data: bytes) -> int:
    """How many octets the length field behind an identifier has (X.690 §8.1.3)."""
    first = data[1] if len(data) > 1 else 0
    return 1 + (first & 0x7F) if first > INDEFINITE else 1


def content_length(data: bytes, there: int) -> int:
    """How many octets an element has behind its length field; all that are there where the length is indefinite."""
    octets = length_octets(data)
    if len(data) < 1 + octets:
        return -1
    first = data[1]
    if first == INDEFINITE:
        return there - 1 - octets
    return first if first < INDEFINITE else int.from_bytes(data[2 : 1 + octets], "big")


def is_binary(start: bytes, there: int) -> bool:
    """Whether octets are an H.248 message in BER, by their first ones: a sequence of just their length in which a
    header or a message follows.
    """
    if start[:1] != bytes((SEQUENCE,)):
        return False
    inside = 1 + length_octets(start)
    length = content_length(start, there)
    return 0 <= length == there - inside and start[inside : inside + 1] in (b"\xa0", b"\xa1")


class BERLength(Number):
    """A length field of BER (X.690 §8.1.3); as a number only in its short form, otherwise its octets."""

    __slots__ = ["of"]

    def __init__(self, name: str, of: str) -> None:
        super().__init__(name, None, 1)
        self.of = of

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        """Take the field off the front: a number, or the octets of the long or indefinite form."""
        octets = length_octets(b"\0" + s)
        if len(s) < octets:
            return s, b""
        return s[octets:], s[0] if octets == 1 and s[0] < INDEFINITE else s[:octets]

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the field; None counts and takes the shortest form."""
        if isinstance(val, bytes):
            return s + bytes(val)
        if val is None:
            field, value = pkt.getfield_and_val(self.of)
            val = len(field.addfield(pkt, b"", value))
        length = int(val)
        if length < INDEFINITE:
            return s + bytes((length,))
        octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
        return s + bytes((INDEFINITE | len(octets),)) + octets

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The number it stands for."""
        return str(says(x))


def says(value: Any) -> int | None:
    """What a length field says; None for the indefinite form and for none."""
    if isinstance(value, bytes):
        return int.from_bytes(value[1:], "big") if len(value) > 1 else None
    return int(value) if value is not None else None


def _content(pkt: Any) -> int:
    if pkt.length == b"\x80":
        return ENDLESS
    return says(pkt.length) or 0


def _elements(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    at = 0
    for _ in range(MAX_ITEMS):
        rest = len(data) - at
        start = data[at : at + 16]
        length = content_length(start, rest) if start else -1
        size = 1 + length_octets(start) + length
        if length < 0 or size > rest:
            break
        yield pkt.parts.get(data[at], pkt.other), data[at : at + size]
        at += size
    if at < len(data):
        yield Raw, data[at:]


class Element(Layer):
    """An element of BER whose contents are not decoded (X.690 §8.1)."""

    name = "BER element"
    fields_desc = [
        Number("identifier", 0x80, 1),
        BERLength("length", "contents"),
        Opaque("contents", b"", _content),
    ]

    def troubles(self) -> Iterator[str]:
        """A length that is not that of the contents."""
        yield from length_troubles(self, len(self.contents))


def length_troubles(packet: Any, there: int) -> Iterator[str]:
    """What is wrong with the length of an element."""
    said = says(packet.length)
    if packet.length == b"\x80":
        yield "its length is indefinite: its end was not looked for"
    elif said is not None and said != there:
        yield f"length says {said} octets, {there} are there"


def _constructed(name: str, names: dict[int, str]) -> list[Any]:
    return [
        Number("identifier", 0x30, 1, named(names)),
        BERLength("length", name),
        Packets(name, _content, _elements),
    ]


class Constructed(Layer):
    """An element of BER that is made of elements (X.690 §8.1)."""

    parts: dict[int, type[Packet]] = {}
    other: type[Packet] = Element

    def troubles(self) -> Iterator[str]:
        """A length that is not that of the elements."""
        name = self.fields_desc[2].name
        yield from length_troubles(self, sum(len(bytes(one)) for one in self.getfieldval(name) or ()))


class BinaryTransaction(Element):
    """A transaction; what is in it is not decoded (H.248.1 Annex A.2)."""

    name = "Transaction"
    fields_desc = [
        Number("identifier", 0xA0, 1, named(BINARY_TRANSACTIONS)),
        *Element.fields_desc[1:],
    ]


class Transactions(Constructed):
    """The transactions of a message, or its error (H.248.1 Annex A.2)."""

    name = "messageBody content"
    other = BinaryTransaction
    fields_desc = _constructed("transactions", MESSAGE_BODIES)


class MessageBody(Constructed):
    """Transactions or an error (H.248.1 Annex A.2)."""

    name = "messageBody"
    other = Transactions
    fields_desc = _constructed("content", MESSAGE_PARTS)


class BinaryMId(Element):
    """One kind of message identifier (H.248.1 Annex A.2)."""

    name = "MId"
    fields_desc = [Number("identifier", 0xA0, 1, named(BINARY_MIDS)), *Element.fields_desc[1:]]


class MId(Constructed):
    """Who sends the message (H.248.1 Annex A.2)."""

    name = "mId"
    other = BinaryMId
    fields_desc = _constructed("choice", MESSAGE_PARTS)


class Version(Layer):
    """The version of the protocol (H.248.1 Annex A.2)."""

    name = "version"
    fields_desc = [
        Number("identifier", 0x80, 1, named(MESSAGE_PARTS)),
        BERLength("length", "version"),
        Number("version", 3, 1),
    ]


class Message(Constructed):
    """Version, identifier and body (H.248.1 Annex A.2)."""

    name = "Message"
    parts = {0x80: Version, 0xA1: MId, 0xA2: MessageBody}
    fields_desc = _constructed("parts_of_message", OUTER_PARTS)


class H248Binary(Constructed):
    """An H.248 message in BER, decoded to its outermost structure (MegacoMessage, H.248.1 Annex A.2)."""

    name = "H248 binary"
    parts = {MESSAGE: Message}
    fields_desc = _constructed("MegacoMessage", {SEQUENCE: "SEQUENCE"})

    def troubles(self) -> Iterator[str]:
        """What is not decoded."""
        yield from super().troubles()
        yield "binary encoding: its transactions are not decoded"

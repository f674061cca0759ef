"""Scapy layers of BER-encoded values: what every type of CMS is made of, and a reader of values whose type is unknown.

    Element(data)                any value, with the values inside it

Every octet is kept, also of lengths that are not the shortest and of values that end early. Depth and number of layers
are bounded; what is behind the bounds stays raw, and `notes` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.binary import Layer, LeftOut
from dissectors.cms.ber import CONTEXT, TAG_CLASSES, UNIVERSAL, UNIVERSAL_TAGS, length_octets, segments
from dissectors.cms.fields import (
    Component,
    Elements,
    EncodedLength,
    EndOfContents,
    Inside,
    IntegerValue,
    ObjectIdentifierValue,
    header,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field
    from scapy.packet import Packet

MAX_DEPTH = 16  # of layers in one another
MAX_LAYERS = 1024  # of one message

SEQUENCE = (UNIVERSAL, 1, 16)
SET = (UNIVERSAL, 1, 17)


class Encoded(Layer):
    """A data value: identifier, length, content (X.690 §8.1)."""

    __slots__ = ["behind", "budget", "depth"]
    default_tag: tuple[int, int, int] = (UNIVERSAL, 0, 4)
    """Class, constructed, number where a layer is built without them."""

    def pre_dissect(self, s: bytes) -> bytes:
        """Take over the bounds of the layer around."""
        parent = self.parent
        inside = isinstance(parent, Encoded)
        self.depth: int = parent.depth + 1 if inside else 0
        self.budget: list[int] = parent.budget if inside else [MAX_LAYERS]
        self.behind = 0
        return s

    def may_descend(self) -> bool:
        """Whether there may be layers inside this one."""
        return self.depth < MAX_DEPTH and self.budget[0] > 0

    def may_have_components(self) -> bool:
        """Whether its components may be layers: they are few, and what lists in front of them use up is not theirs."""
        return self.depth < MAX_DEPTH

    def split(self, s: bytes) -> tuple[bytes, bytes]:
        """What is left of the content, and what is behind it."""
        end = max(len(s) - self.behind, 0)
        return s[:end], s[end:]

    def content_fields(self) -> list[Field]:
        """The fields of the content."""
        return list(self.fields_desc[5:-1])

    def self_build(self) -> bytes:
        """Build the content once; a length that is to be computed counts it."""
        built: Any = b""
        head, content, tail = self.fields_desc[:4], self.content_fields(), self.fields_desc[-1]
        for field in head:
            built = field.addfield(self, built, self.getfieldval(field.name))
        inside = b""
        for field in content:
            inside = field.addfield(self, inside, self.getfieldval(field.name))
        length = self.getfieldval("length")
        front = length_octets(len(inside)) if length is None else self.fields_desc[4].addfield(self, b"", length)
        return bytes(tail.addfield(self, bytes(built) + front + inside, self.getfieldval(tail.name)))

    def troubles(self) -> Iterator[str]:
        """A length that does not fit what is there, and components that are missing."""
        length = self.length
        if isinstance(length, EncodedLength):
            there = len(bytes(self)) - len(bytes(self.payload)) - self._around()
            if length < 0 and not self.end_of_contents:
                yield "no end-of-contents octets were found"
            elif length >= 0 and there != length:
                yield f"length says {int(length)} octets, {there} are there"
            if length.octets == b"\x80" and not self.constructed:
                yield "the indefinite form is not for a primitive value"
        if isinstance(length, int):
            for field in self.content_fields():
                if isinstance(field, Component) and not field.optional and self.getfieldval(field.name) is None:
                    yield f"{field.name} is missing"

    def _around(self) -> int:
        """Octets of the header and of what ends an indefinite content."""
        high, length = self.high_tag_number, self.length
        octets = len(length.octets) if isinstance(length, EncodedLength) else len(length_octets(length or 0))
        return 1 + len(high or b"") + octets + len(self.end_of_contents or b"")

    def mysummary(self) -> str:
        """The layer's name and tag."""
        return f"{self.name} [{tag_name(self.tag_class, self.tag_number)}]"


def tag_name(tag_class: int | None, number: int | None) -> str:
    """A tag in words."""
    if tag_class == UNIVERSAL:
        return UNIVERSAL_TAGS.get(number or 0, f"universal {number}")
    return f"{TAG_CLASSES.get(tag_class or 0, '')} {number}"


def forget_lengths(layer: Any) -> None:
    """Leave the lengths of a layer and of all in it to be computed, as DER has them, after something was changed."""
    if not isinstance(layer, Encoded):
        return
    layer.length = None
    layer.end_of_contents = None
    for field in layer.content_fields():
        inside = layer.getfieldval(field.name)
        for item in inside if isinstance(inside, list) else (inside,):
            forget_lengths(item)


def value(*content: Field) -> list[Field]:
    """The fields of a value with this content."""
    return [*header(), *content, EndOfContents()]


def _element(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    """The layer of a value of which only the tag is known."""
    return BY_TAG.get(tag, Element)


def sequence(*components: Field) -> list[Field]:
    """The fields of a SEQUENCE with these components; what is behind them is read by its tags."""
    return value(*components, Elements("extensions", _element, unusual=True))


class Element(Encoded):
    """A value of which only the tag is known (X.690 §8.1)."""

    name = "Element"
    fields_desc = value(Inside("octets", primitive=True), Elements("elements", _element, of_constructed=True))


class Boolean(Encoded):
    """BOOLEAN (X.690 §8.2)."""

    name = "BOOLEAN"
    default_tag = (UNIVERSAL, 0, 1)
    fields_desc = value(IntegerValue("value"))


class Integer(Encoded):
    """INTEGER (X.690 §8.3)."""

    name = "INTEGER"
    default_tag = (UNIVERSAL, 0, 2)
    fields_desc = value(IntegerValue("value"))


class BitString(Encoded):
    """BIT STRING (X.690 §8.6). The first octet of a primitive one counts the bits that are not used."""

    name = "BIT STRING"
    default_tag = (UNIVERSAL, 0, 3)
    fields_desc = value(Inside("octets", primitive=True), Elements("segments", _element, of_constructed=True))


class OctetString(Encoded):
    """OCTET STRING (X.690 §8.7); a constructed one is in segments."""

    name = "OCTET STRING"
    default_tag = (UNIVERSAL, 0, 4)
    fields_desc = value(Inside("octets", primitive=True), Elements("segments", _element, of_constructed=True))

    def joined(self) -> bytes:
        """The octets of all segments together; what is no segment is left out."""
        if not self.constructed:
            return bytes(self.octets or b"")
        parts = []
        for one in self.segments or ():
            if isinstance(one, OctetString):
                parts.append(one.joined())
            elif isinstance(one, LeftOut):  # more segments than are shown as layers
                parts += segments(bytes(one))
        return b"".join(parts)


class Null(Encoded):
    """NULL (X.690 §8.8)."""

    name = "NULL"
    default_tag = (UNIVERSAL, 0, 5)
    fields_desc = value(Inside("octets"))


class ObjectIdentifier(Encoded):
    """OBJECT IDENTIFIER (X.690 §8.19)."""

    name = "OBJECT IDENTIFIER"
    default_tag = (UNIVERSAL, 0, 6)
    fields_desc = value(ObjectIdentifierValue("value"))


class CharacterString(Encoded):
    """A restricted character string (X.690 §8.23), or a time, which is one (X.690 §8.25)."""

    name = "character string"
    default_tag = (UNIVERSAL, 0, 12)
    fields_desc = value(Inside("text", primitive=True), Elements("segments", _element, of_constructed=True))


class SequenceValue(Encoded):
    """SEQUENCE or SEQUENCE OF, whose type is unknown (X.690 §8.9)."""

    name = "SEQUENCE"
    default_tag = SEQUENCE
    fields_desc = value(Elements("elements", _element))


class SetValue(Encoded):
    """SET or SET OF, whose type is unknown (X.690 §8.11)."""

    name = "SET"
    default_tag = SET
    fields_desc = value(Elements("elements", _element))


class Opened(Encoded):
    """A value that is not taken apart: a certificate, a revocation list, a name (RFC 5652 §10.2)."""

    name = "value"
    default_tag = SEQUENCE
    fields_desc = value(Inside("octets"))


BY_TAG: dict[tuple[int, int], type[Encoded]] = {
    (UNIVERSAL, 1): Boolean,
    (UNIVERSAL, 2): Integer,
    (UNIVERSAL, 3): BitString,
    (UNIVERSAL, 4): OctetString,
    (UNIVERSAL, 5): Null,
    (UNIVERSAL, 6): ObjectIdentifier,
    (UNIVERSAL, 16): SequenceValue,
    (UNIVERSAL, 17): SetValue,
    **{(UNIVERSAL, number): CharacterString for number in (12, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30)},
}
"""Layers of values by class and number of their tag."""


def one_kind(layer: type[Packet]) -> Elements:
    """The items of a SEQUENCE OF or SET OF."""
    return Elements("items", lambda pkt, tag: layer)


def required(name: str, layer: type[Encoded], implicit: int | None = None) -> Component:
    """A component that has to be there."""
    return Component(name, _place(layer, implicit))


def optional(name: str, layer: type[Encoded], implicit: int | None = None) -> Component:
    """A component that may be left out."""
    return Component(name, _place(layer, implicit), optional=True)


def _place(layer: type[Encoded], implicit: int | None) -> dict[tuple[int, int] | None, type[Packet]]:
    tag = layer.default_tag
    return {(tag[0], tag[2]) if implicit is None else (CONTEXT, implicit): layer}


__all__ = [
    "BY_TAG",
    "BitString",
    "Boolean",
    "CharacterString",
    "Element",
    "Encoded",
    "Integer",
    "Null",
    "ObjectIdentifier",
    "OctetString",
    "Opened",
    "SequenceValue",
    "SetValue",
    "forget_lengths",
    "one_kind",
    "optional",
    "required",
    "sequence",
    "value",
]

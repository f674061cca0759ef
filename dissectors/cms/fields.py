"""Fields that Scapy layers of BER-encoded types are declared with, over those of `dissectors.binary`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.binary import ABSENT, MAX_ITEMS, Bits, LeftOut, Numeric, Opaque, Packets, counted, named
from dissectors.binary import One as OneLayer
from dissectors.cms.ber import END_OF_CONTENTS, MAX_TAG_OCTETS, TAG_CLASSES, dotted, extent, length_octets, oid_octets
from dissectors.cms.oids import OIDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scapy.fields import Field
    from scapy.packet import Packet

    Tag = tuple[int, int]  # class and number
    Choosing = Callable[[Any, Tag], type[Packet] | None]

MAX_INTEGER_OCTETS = 8  # longer integers, such as serial numbers and moduli, stay octets


class EncodedLength(int):
    """A length with the octets that say it, which need not be the shortest; -1 for the indefinite form."""

    octets: bytes

    def __new__(cls, value: int, octets: bytes) -> EncodedLength:
        """A number that remembers its octets."""
        made = super().__new__(cls, value)
        made.octets = octets
        return made

    def __getnewargs__(self) -> tuple[int, bytes]:  # type: ignore[override]
        """What a copy is made of."""
        return int(self), self.octets


class TagBits(Bits):
    """Bits of an identifier octet; None stands for those of the layer's type, or of its place (X.690 §8.1.2)."""

    __slots__ = ["part"]

    def __init__(
        self, name: str, size: int, part: int, naming: Callable[[int], str] | None = None, begins: int = 0
    ) -> None:
        super().__init__(name, None, size, naming, begins)
        self.part = part  # of the layer's `default_tag`

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        """Add the bits."""
        return super().addfield(pkt, s, pkt.default_tag[self.part] if val is None else val)


class HighTagNumber(Opaque):
    """The octets of a tag number of 31 or more (X.690 §8.1.2.4.2)."""

    __slots__ = ["default"]

    def __init__(self) -> None:
        super().__init__("high_tag_number", b"")
        self.default: Any = None

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take octets while they say that more follow."""
        if pkt.fields.get("tag_number") != 0x1F:
            return s, None
        for at, octet in enumerate(s[:MAX_TAG_OCTETS]):
            if not octet & 0x80:
                return s[at + 1 :], s[: at + 1]
        return s[MAX_TAG_OCTETS:], s[:MAX_TAG_OCTETS]


class BERLength(Numeric):
    """The length of a value (X.690 §8.1.3); None counts the content. Tells the layer how much stands behind it."""

    __slots__: list[str] = []

    def __init__(self) -> None:
        super().__init__("length", None, None, None)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take the length off the front."""
        # The identifier is put back in front: one place reads headers.
        identifier = bytes([0x20 if pkt.fields.get("constructed") else 0])
        found = extent(identifier + s, 0, len(s) + 1)
        if found is None:
            return s, ABSENT
        octets = s[: found.header.octets - 1]
        length = found.header.length
        pkt.behind = len(s) + 1 - found.content_end
        if length is None or octets == b"\x80":
            return s[len(octets) :], EncodedLength(-1 if length is None else 0, octets)
        return s[len(octets) :], EncodedLength(length, octets)

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the length."""
        if isinstance(val, EncodedLength):
            return s + val.octets
        if val == ABSENT:
            return s
        if val is None:
            val = counted(pkt, (field.name for field in pkt.content_fields()))
        return s + (b"\x80" if val < 0 else length_octets(val))

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The number of octets, or the form that needs an end-of-contents."""
        if isinstance(x, int):
            return "indefinite" if x < 0 else str(int(x))
        return super().i2repr(pkt, x)


class EndOfContents(Opaque):
    """The two octets behind a content of indefinite length (X.690 §8.1.5)."""

    __slots__ = ["default"]

    def __init__(self) -> None:
        super().__init__("end_of_contents", b"")
        self.default: Any = None

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take them where the length has promised them."""
        length = pkt.fields.get("length")
        if isinstance(length, int) and length < 0 and s[:2] == END_OF_CONTENTS:
            return s[2:], END_OF_CONTENTS
        return s, None


class Inside(Opaque):
    """The content of a primitive value; none of a constructed one."""

    __slots__ = ["primitive"]

    def __init__(self, name: str, primitive: bool = False) -> None:
        super().__init__(name, b"")
        self.primitive = primitive  # whether it is left empty in constructed values

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take what is left of the content."""
        if self.primitive and pkt.fields.get("constructed"):
            return s, None
        value, rest = pkt.split(s)
        return rest, value


class ObjectIdentifierValue(Inside):
    """An object identifier in dotted form; octets that are none stay octets (X.690 §8.19)."""

    __slots__: list[str] = []

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take what is left of the content."""
        rest, value = super().getfield(pkt, s)
        text = dotted(value)
        return rest, text if text and oid_octets(text) == value else value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        return s + (oid_octets(val) if isinstance(val, str) and val else bytes(val or b""))

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The dotted form, or the name with it."""
        known = OIDS.get(x) if isinstance(x, str) else None
        return f"{known.name} ({x})" if known else str(x)


class IntegerValue(Inside):
    """An integer; octets where it is long, or not in its shortest form (X.690 §8.3)."""

    __slots__ = ["naming"]

    def __init__(self, name: str, naming: Callable[[int], str] | None = None) -> None:
        super().__init__(name)
        self.naming = naming

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take what is left of the content."""
        rest, value = super().getfield(pkt, s)
        if not value or len(value) > MAX_INTEGER_OCTETS:
            return rest, value
        number = int.from_bytes(value, "big", signed=True)
        return rest, number if _integer_octets(number) == value else value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        return s + (_integer_octets(val) if isinstance(val, int) else bytes(val or b""))

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The number, or its name with the number behind it."""
        return repr(x) if self.naming is None or not isinstance(x, int) else f"{self.naming(x)} ({x})"


def _integer_octets(number: int) -> bytes:
    """The shortest form of an integer."""
    return number.to_bytes((number if number >= 0 else ~number).bit_length() // 8 + 1, "big", signed=True)


class Component(OneLayer):
    """A component of a SEQUENCE: a layer of its own, of a class that its tag, or other components, choose.

    `kinds` are classes by tag (class and number); with the key None, whatever the tag. A component that is not there is
    None.
    """

    __slots__ = ["choosing", "kinds", "optional"]

    def __init__(
        self,
        name: str,
        kinds: Mapping[Tag | None, type[Packet]],
        optional: bool = False,
        choosing: Choosing | None = None,
    ) -> None:
        super().__init__(name, None, lambda pkt, data: Raw)
        self.kinds = kinds
        self.optional = optional
        self.choosing = choosing

    def kind(self, pkt: Any, tag: Tag) -> type[Packet] | None:
        """The class for a value with this tag in this place; None where it does not belong here."""
        if self.choosing is not None:
            return self.choosing(pkt, tag)
        return self.kinds.get(tag) or self.kinds.get(None)

    def any2i(self, pkt: Any, x: Any) -> Any:
        """A layer put in this place takes the tag of the place, where it has none yet."""
        if getattr(type(x), "default_tag", None) is None or x.tag_number is not None:
            return x
        for tag, kind in self.kinds.items():
            if tag is not None and type(x) is kind:
                x.tag_class, x.tag_number = tag
                break
        return x

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take one value off the front of the content."""
        inside = len(s) - pkt.behind
        found = extent(s, 0, inside) if inside > 0 and pkt.may_have_components() else None
        if found is None:
            return s, None
        kind = self.kind(pkt, (found.header.tag_class, found.header.tag_number))
        if kind is None:
            return s, None
        pkt.budget[0] -= 1
        return s[found.end :], kind(s[: found.end], _parent=pkt)


class Elements(Packets):
    """What is left of a content as layers, one after the other; all of one class, or as the tags choose."""

    __slots__ = ["choosing", "default", "of_constructed", "unusual"]

    def __init__(self, name: str, choosing: Choosing, of_constructed: bool = False, unusual: bool = False) -> None:
        super().__init__(name, None, _no_cut)
        self.choosing = choosing
        self.of_constructed = of_constructed
        self.unusual = unusual  # None instead of no layers
        self.default: Any = None if of_constructed or unusual else []

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take values up to the end of the content."""
        if self.of_constructed and not pkt.fields.get("constructed"):
            return s, None
        data, rest = pkt.split(s)
        if self.unusual and not data:
            return s, None
        found: list[Packet] = []
        at = 0
        while at < len(data) and len(found) < MAX_ITEMS and pkt.may_descend():
            value = extent(data, at, len(data))
            if value is None:
                break
            kind = self.choosing(pkt, (value.header.tag_class, value.header.tag_number))
            pkt.budget[0] -= 1
            found.append(Raw(data[at : value.end]) if kind is None else kind(data[at : value.end], _parent=pkt))
            at = value.end
        if at < len(data):
            bounded = len(found) >= MAX_ITEMS or pkt.budget[0] <= 0
            found.append((LeftOut if bounded else Raw)(data[at:]))
        return rest, found


def _no_cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    yield Raw, data


def versions(names: Mapping[int, str]) -> IntegerValue:
    """The value of a CMSVersion."""
    return IntegerValue("value", named(names))


def header() -> list[Field]:
    """The fields in front of every content."""
    return [
        TagBits("tag_class", 2, 0, named(TAG_CLASSES), begins=1),
        TagBits("constructed", 1, 1),
        TagBits("tag_number", 5, 2),
        HighTagNumber(),
        BERLength(),
    ]

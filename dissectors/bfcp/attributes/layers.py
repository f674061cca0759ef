"""Scapy layers of the attributes of BFCP; their names are those of RFC 8855 §5.2.

    FLOOR_ID(Floor_ID=543)
    FLOOR_REQUEST_INFORMATION(Floor_Request_ID=789, attributes=[FLOOR_REQUEST_STATUS(Floor_ID=543)])

Lengths and padding that are None are computed when an attribute is built. One that cannot be read as its type says, or
whose type is unknown, is an EXTENSION_ATTRIBUTE with its octets.
"""

# ruff: noqa: N801 - the specification's names: FLOOR-REQUEST-STATUS is another thing than the message FloorRequestStatus

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.bfcp.codes import (
    ATTRIBUTES,
    ERROR_CODES,
    GROUP_CONTENTS,
    PRIMITIVES,
    REQUEST_STATUSES,
    UNKNOWN_MANDATORY_ATTRIBUTE,
    listed_name,
    priority_name,
)
from dissectors.binary import MAX_ITEMS, Bits, Layer, Length, Number, Numbers, Opaque, Packets, Sized, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapy.fields import Field
    from scapy.packet import Packet

    from dissectors.bfcp.codes import Contents

ATTRIBUTE_HEADER = 2
FIXED = 4
"""Length of the attributes whose contents are 16 bits, and octets before the attributes of a group."""


# --- fields ---------------------------------------------------------------------------------------


class _AttributeLength(Length):
    """Counts the attribute's header and contents, not its padding (RFC 8855 §5.2)."""

    __slots__: list[str] = []
    checked = False  # by the attribute: binary's check knows nothing of the header

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the length."""
        return super().addfield(pkt, s, ATTRIBUTE_HEADER + octets_of(pkt, self.of) if val is None else val)


class _Padding(Sized):
    """What fills an attribute to 32 bits (RFC 8855 §5.2); None for the zeros that are needed."""

    __slots__: list[str] = []

    def __init__(self) -> None:
        super().__init__("Padding", None, lambda pkt: -number(pkt, "Length") % 4)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        return rest, value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        return s + (bytes(-len(s) % 4) if val is None else bytes(val))


class _Details(Sized):
    """The details of an error: of error 4 a list of octets with attribute types, else octets (RFC 8855 §5.2.6)."""

    __slots__: list[str] = []
    islist = 1

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[int] | bytes]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        return rest, list(value) if pkt.getfieldval("Error_Code") == UNKNOWN_MANDATORY_ATTRIBUTE else value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets."""
        return s + bytes(val or b"")

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The attribute types by name."""
        return "[" + ", ".join(map(listed_name, x)) + "]" if isinstance(x, list) else repr(x)


def number(pkt: Any, name: str) -> int:
    """The value of a number; 0 where its octets were not there or it is still to be computed."""
    value = pkt.getfieldval(name)
    return value if isinstance(value, int) else 0


def octets_of(pkt: Any, names: tuple[str, ...]) -> int:
    """Octets that fields have together, those that share octets among them."""
    built: Any = b""
    for name in names:
        built = pkt.get_field(name).addfield(pkt, built, pkt.getfieldval(name))
    return len(built)


def _behind(octets: int) -> Callable[[Any], int]:
    """Octets of an attribute behind its first ones."""
    return lambda pkt: max(0, number(pkt, "Length") - octets)


def _attribute(code: int, *contents: Field) -> list[Field]:
    """The fields of an attribute (RFC 8855 §5.2)."""
    return [
        Bits("Type", code, 7, named(ATTRIBUTES), begins=1),
        Bits("M", int(code in ATTRIBUTES), 1),
        _AttributeLength("Length", tuple(one.name for one in contents), 1),
        *contents,
        _Padding(),
    ]


def _text(code: int) -> list[Field]:
    return _attribute(code, Opaque("Text", b"", _behind(ATTRIBUTE_HEADER)))


def _group(code: int, identifier: str) -> list[Field]:
    return _attribute(code, Number(identifier, 0, 2), Packets("attributes", _behind(FIXED), attributes))


def attributes(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Cuts attributes; the last one may lack padding (RFC 8855 §5.2)."""
    inside = isinstance(pkt, Attribute)
    at = 0
    for _ in range(MAX_ITEMS):
        if at == len(data):
            return
        if len(data) - at < ATTRIBUTE_HEADER:
            break
        code, length = data[at] >> 1, data[at + 1]
        if length < ATTRIBUTE_HEADER or at + length > len(data):
            break
        end = min(at + length + -length % 4, len(data))
        yield _attribute_layer(pkt if inside else None, code, length), data[at:end]
        at = end
    if at < len(data):
        yield Raw, data[at:]


def _attribute_layer(group: Any, code: int, length: int) -> type[Packet]:
    """The layer of an attribute; raw where its length is not one that its format has, or where no group may stand."""
    layer = ATTRIBUTE_LAYERS.get(code, EXTENSION_ATTRIBUTE)
    if layer.wrong_length(length):
        return EXTENSION_ATTRIBUTE
    if group is not None and code in GROUP_CONTENTS and code not in GROUP_CONTENTS.get(group.code, {}):
        return EXTENSION_ATTRIBUTE
    return layer


def cardinality(packet: Any, contents: Contents) -> Iterator[str]:
    """Mandatory attributes that are missing, and those that may stand once and are repeated (RFC 8855 §5.3)."""
    found: dict[int, int] = {}
    for one in packet.attributes:
        if isinstance(one, Attribute):
            found[one.Type] = found.get(one.Type, 0) + 1
    for code, (least, most) in contents.items():
        count = found.get(code, 0)
        if count < least:
            yield f"{ATTRIBUTES[code]} is missing"
        elif most is not None and count > most:
            yield f"{ATTRIBUTES[code]} stands {count} times"


# --- attributes -----------------------------------------------------------------------------------


class Attribute(Layer):
    """An attribute of any type (RFC 8855 §5.2)."""

    code = 0
    fixed = 0  # Length of a format that has only one
    least = ATTRIBUTE_HEADER

    @classmethod
    def wrong_length(cls, length: int) -> str:
        """What is wrong with a length; empty where the format has it."""
        if cls.fixed and length != cls.fixed:
            return f"Length is {length}, not {cls.fixed}"
        return f"Length is {length}, below {cls.least}" if length < cls.least else ""

    def troubles(self) -> Iterator[str]:
        """A length that is not that of the contents, or that the format has not; text that is no UTF-8."""
        length = self.getfieldval("Length")
        if not isinstance(length, int):
            return
        wrong = ATTRIBUTE_LAYERS.get(self.Type, EXTENSION_ATTRIBUTE).wrong_length(length)
        there = ATTRIBUTE_HEADER + octets_of(self, self.get_field("Length").of)
        if wrong:
            yield wrong
        elif length != there:
            yield f"Length says {length} octets, {there} are there"
        padding = self.getfieldval("Padding")
        if padding is not None and len(padding) != -length % 4:
            yield f"{len(padding)} octets of padding, not {-length % 4}"


class EXTENSION_ATTRIBUTE(Attribute):
    """RFC 8855 §5.3: an attribute of another type than those of §5.2, or one that cannot be read as its type says."""

    name = "EXTENSION-ATTRIBUTE"
    fields_desc = _attribute(0, Opaque("Contents", b"", _behind(ATTRIBUTE_HEADER)))

    def troubles(self) -> Iterator[str]:
        """Why an attribute of a known type was not read."""
        yield from super().troubles()
        layer = ATTRIBUTE_LAYERS.get(self.Type)
        if layer is not None and issubclass(layer, _Group) and not layer.wrong_length(number(self, "Length")):
            yield f"{ATTRIBUTES[self.Type]} stands where the specification has no such group"


class _Fixed(Attribute):
    """An attribute whose contents are 16 bits (RFC 8855 §5.2)."""

    fixed = FIXED


class BENEFICIARY_ID(_Fixed):
    """RFC 8855 §5.2.1."""

    name = "BENEFICIARY-ID"
    code = 1
    fields_desc = _attribute(1, Number("Beneficiary_ID", 0, 2))


class FLOOR_ID(_Fixed):
    """RFC 8855 §5.2.2."""

    name = "FLOOR-ID"
    code = 2
    fields_desc = _attribute(2, Number("Floor_ID", 0, 2))


class FLOOR_REQUEST_ID(_Fixed):
    """RFC 8855 §5.2.3."""

    name = "FLOOR-REQUEST-ID"
    code = 3
    fields_desc = _attribute(3, Number("Floor_Request_ID", 0, 2))


class PRIORITY(_Fixed):
    """RFC 8855 §5.2.4."""

    name = "PRIORITY"
    code = 4
    fields_desc = _attribute(4, Bits("Prio", 2, 3, priority_name, begins=2), Bits("Reserved", 0, 13))


class REQUEST_STATUS(_Fixed):
    """RFC 8855 §5.2.5. The queue position has a meaning with Accepted only; 0 says nothing of it."""

    name = "REQUEST-STATUS"
    code = 5
    fields_desc = _attribute(5, Number("Request_Status", 1, 1, named(REQUEST_STATUSES)), Number("Queue_Position", 0, 1))


class ERROR_CODE(Attribute):
    """RFC 8855 §5.2.6. Only error 4 has details that are specified: the types of the unknown attributes."""

    name = "ERROR-CODE"
    code = 6
    least = 3
    fields_desc = _attribute(
        6,
        Number("Error_Code", 14, 1, named(ERROR_CODES)),
        _Details("Error_Specific_Details", b"", _behind(3)),
    )


class _Text(Attribute):
    """An attribute of UTF-8 text (RFC 8855 §5.2)."""

    text_fields = ("Text",)

    def troubles(self) -> Iterator[str]:
        """Text that is no UTF-8."""
        yield from super().troubles()
        try:
            bytes(self.Text).decode()
        except UnicodeDecodeError:
            yield "Text is not UTF-8"


class ERROR_INFO(_Text):
    """RFC 8855 §5.2.7."""

    name = "ERROR-INFO"
    code = 7
    fields_desc = _text(7)


class PARTICIPANT_PROVIDED_INFO(_Text):
    """RFC 8855 §5.2.8."""

    name = "PARTICIPANT-PROVIDED-INFO"
    code = 8
    fields_desc = _text(8)


class STATUS_INFO(_Text):
    """RFC 8855 §5.2.9."""

    name = "STATUS-INFO"
    code = 9
    fields_desc = _text(9)


class SUPPORTED_ATTRIBUTES(Attribute):
    """RFC 8855 §5.2.10. Each octet has a type in its upper seven bits; `codes.listed` makes them of types."""

    name = "SUPPORTED-ATTRIBUTES"
    code = 10
    fields_desc = _attribute(10, Numbers("Supported_Attributes", _behind(ATTRIBUTE_HEADER), 1, listed_name))


class SUPPORTED_PRIMITIVES(Attribute):
    """RFC 8855 §5.2.11."""

    name = "SUPPORTED-PRIMITIVES"
    code = 11
    fields_desc = _attribute(11, Numbers("Supported_Primitives", _behind(ATTRIBUTE_HEADER), 1, named(PRIMITIVES)))


class USER_DISPLAY_NAME(_Text):
    """RFC 8855 §5.2.12."""

    name = "USER-DISPLAY-NAME"
    code = 12
    fields_desc = _text(12)


class USER_URI(_Text):
    """RFC 8855 §5.2.13."""

    name = "USER-URI"
    code = 13
    fields_desc = _text(13)


class _Group(Attribute):
    """A grouped attribute: a number and attributes, whose padding its length includes (RFC 8855 §5.2)."""

    least = FIXED

    def troubles(self) -> Iterator[str]:
        """A length that is no multiple of 4; mandatory attributes missing, single ones repeated."""
        yield from super().troubles()
        length = number(self, "Length")
        if length % 4:
            yield f"Length is {length}, no multiple of 4"
        yield from cardinality(self, GROUP_CONTENTS[self.code])


class BENEFICIARY_INFORMATION(_Group):
    """RFC 8855 §5.2.14."""

    name = "BENEFICIARY-INFORMATION"
    code = 14
    fields_desc = _group(14, "Beneficiary_ID")


class FLOOR_REQUEST_INFORMATION(_Group):
    """RFC 8855 §5.2.15."""

    name = "FLOOR-REQUEST-INFORMATION"
    code = 15
    fields_desc = _group(15, "Floor_Request_ID")


class REQUESTED_BY_INFORMATION(_Group):
    """RFC 8855 §5.2.16."""

    name = "REQUESTED-BY-INFORMATION"
    code = 16
    fields_desc = _group(16, "Requested_by_ID")


class FLOOR_REQUEST_STATUS(_Group):
    """RFC 8855 §5.2.17."""

    name = "FLOOR-REQUEST-STATUS"
    code = 17
    fields_desc = _group(17, "Floor_ID")


class OVERALL_REQUEST_STATUS(_Group):
    """RFC 8855 §5.2.18."""

    name = "OVERALL-REQUEST-STATUS"
    code = 18
    fields_desc = _group(18, "Floor_Request_ID")


_KNOWN: tuple[type[Attribute], ...] = (
    BENEFICIARY_ID,
    FLOOR_ID,
    FLOOR_REQUEST_ID,
    PRIORITY,
    REQUEST_STATUS,
    ERROR_CODE,
    ERROR_INFO,
    PARTICIPANT_PROVIDED_INFO,
    STATUS_INFO,
    SUPPORTED_ATTRIBUTES,
    SUPPORTED_PRIMITIVES,
    USER_DISPLAY_NAME,
    USER_URI,
    BENEFICIARY_INFORMATION,
    FLOOR_REQUEST_INFORMATION,
    REQUESTED_BY_INFORMATION,
    FLOOR_REQUEST_STATUS,
    OVERALL_REQUEST_STATUS,
)
ATTRIBUTE_LAYERS: dict[int, type[Attribute]] = {layer.code: layer for layer in _KNOWN}

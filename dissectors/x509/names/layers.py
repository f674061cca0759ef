"""Scapy layers of the names that certificates use (RFC 5280 §4.1.2.4, §4.2.1.6), and the fields that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.binary import ABSENT, Number
from dissectors.cms.asn1.layers import (
    BY_TAG,
    SEQUENCE,
    SET,
    CharacterString,
    Element,
    Encoded,
    OctetString,
    one_kind,
    required,
    value,
)
from dissectors.cms.ber import CONTEXT, UNIVERSAL
from dissectors.cms.fields import Component, Elements, IntegerValue, ObjectIdentifierValue
from dissectors.x509.oids import NAMES

if TYPE_CHECKING:
    from scapy.fields import Field
    from scapy.packet import Packet

# --- fields ---------------------------------------------------------------------------------------


class NamedIdentifier(ObjectIdentifierValue):
    """An object identifier that certificates use."""

    __slots__: list[str] = []

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The dotted form, or the name with it."""
        known = NAMES.get(x) if isinstance(x, str) else None
        return f"{known} ({x})" if known else str(x)


class BooleanValue(IntegerValue):
    """The octet of a BOOLEAN (X.690 §8.2)."""

    __slots__: list[str] = []

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The truth value."""
        return ("TRUE" if x else "FALSE") if isinstance(x, int) else repr(x)


class NamedNumber(IntegerValue):
    """An INTEGER whose values have names."""

    __slots__: list[str] = []

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The name with the number."""
        known = self.naming(x) if self.naming is not None and isinstance(x, int) else ""
        return f"{known} ({x})" if known else repr(x)


class UnusedBits(Number):
    """The first octet of a BIT STRING: how many bits of the last one are not used (X.690 §8.6.2.2)."""

    __slots__: list[str] = []

    def __init__(self) -> None:
        super().__init__("unused_bits", 0, 1)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        """Take the octet off the front, where the content has one."""
        inside, _ = pkt.split(s)
        return super().getfield(pkt, s) if inside else (s, ABSENT)


def by_tag(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    return ObjectIdentifier if tag == (UNIVERSAL, 6) else BY_TAG.get(tag, Element)


def sequence(*components: Field) -> list[Field]:
    """The fields of a SEQUENCE with these components; what is behind them is read by its tags."""
    return value(*components, Elements("unexpected", by_tag, unusual=True))


class Boolean(Encoded):
    """BOOLEAN; DER has only one octet for TRUE (X.690 §8.2, §11.1)."""

    name = "BOOLEAN"
    default_tag = (UNIVERSAL, 0, 1)
    fields_desc = value(BooleanValue("value"))


# --- names ----------------------------------------------------------------------------------------


class ObjectIdentifier(Encoded):
    """OBJECT IDENTIFIER (X.690 §8.19, RFC 5280 §4.1.1.2)."""

    name = "OBJECT IDENTIFIER"
    default_tag = (UNIVERSAL, 0, 6)
    fields_desc = value(NamedIdentifier("value"))


class AttributeTypeAndValue(Encoded):
    """RFC 5280 §4.1.2.4."""

    name = "AttributeTypeAndValue"
    default_tag = SEQUENCE
    fields_desc = sequence(required("type", ObjectIdentifier), Component("value", {}, choosing=by_tag))


class RelativeDistinguishedName(Encoded):
    """RFC 5280 §4.1.2.4."""

    name = "RelativeDistinguishedName"
    default_tag = SET
    fields_desc = value(one_kind(AttributeTypeAndValue))


class Name(Encoded):
    """RFC 5280 §4.1.2.4."""

    name = "Name"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(RelativeDistinguishedName))


class DirectoryName(Encoded):
    """RFC 5280 §4.2.1.6: a name with its tag around it."""

    name = "directoryName"
    default_tag = (CONTEXT, 1, 4)
    fields_desc = sequence(required("directoryName", Name))


class OtherName(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "otherName"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(required("type_id", ObjectIdentifier), Component("value", {None: Element}))


class RFC822Name(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "rfc822Name"
    default_tag = (CONTEXT, 0, 1)
    fields_desc = CharacterString.fields_desc


class DNSName(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "dNSName"
    default_tag = (CONTEXT, 0, 2)
    fields_desc = CharacterString.fields_desc


class UniformResourceIdentifier(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "uniformResourceIdentifier"
    default_tag = (CONTEXT, 0, 6)
    fields_desc = CharacterString.fields_desc


class IPAddress(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "iPAddress"
    default_tag = (CONTEXT, 0, 7)
    fields_desc = OctetString.fields_desc


class RegisteredID(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "registeredID"
    default_tag = (CONTEXT, 0, 8)
    fields_desc = value(NamedIdentifier("value"))


GENERAL_NAMES: dict[int, type[Encoded]] = {
    0: OtherName,
    1: RFC822Name,
    2: DNSName,
    4: DirectoryName,
    6: UniformResourceIdentifier,
    7: IPAddress,
    8: RegisteredID,
}
"""Alternatives of GeneralName by the number of their tag (RFC 5280 §4.2.1.6)."""


def general_name(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    return GENERAL_NAMES.get(tag[1], Element) if tag[0] == CONTEXT else Element


class GeneralNames(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "GeneralNames"
    default_tag = SEQUENCE
    fields_desc = value(Elements("items", general_name))

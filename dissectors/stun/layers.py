"""Scapy layers of STUN and TURN: messages with their attributes, and ChannelData.

    STUN(datagram)          a message; the form of RFC 3489, without a magic cookie, is told by its type
    ChannelData(datagram)   data that a TURN server relays on a channel

Names are those of RFC 8489, RFC 8656 and RFC 8445.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import MAX_ITEMS, Bits, Layer, Length, Number, Numbers, One, Opaque, Packets, named
from dissectors.stun.codes import ATTRIBUTES, CLASSES, ERRORS, FAMILIES, METHODS, TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC_COOKIE = 0x2112A442


class _Address(Opaque):
    """An address by its family; in XOR attributes mixed with cookie and transaction id (RFC 8489 §14.2)."""

    __slots__ = ()

    def meaning(self, pkt: Any, x: Any) -> str:
        """The address and the port in text."""
        port = pkt.getfieldval("port")
        if not isinstance(x, bytes) or len(x) not in (4, 16) or not isinstance(port, int):
            return ""
        if pkt.mixed:
            mask = pkt.mask()
            if mask is None:
                return ""
            x = bytes(one ^ other for one, other in zip(x, mask, strict=False))
            port ^= MAGIC_COOKIE >> 16
        return f"[{IPv6Address(x)}]:{port}" if len(x) == 16 else f"{IPv4Address(x)}:{port}"


class MappedAddress(Layer):
    """RFC 8489 §14.1."""

    name = "address"
    mixed = False
    fields_desc = [
        Number("zero", 0, 1),
        Number("family", 1, 1, named(FAMILIES)),
        Number("port", 0, 2),
        _Address("address", bytes(4)),
    ]

    def mask(self) -> bytes | None:
        """What an XOR address is mixed with: the cookie, and for IPv6 the transaction id; None for a part alone."""
        message = self.parent.parent if self.parent is not None else None
        if not isinstance(message, STUN):
            return MAGIC_COOKIE.to_bytes(4, "big") if self.family == 1 else None
        return int(message.magic_cookie).to_bytes(4, "big") + bytes(message.transaction_id)


class XorMappedAddress(MappedAddress):
    """RFC 8489 §14.2."""

    name = "XOR address"
    mixed = True


class _ErrorNumber(Bits):
    """The code modulo 100; the class of the error is in the field before it."""

    __slots__ = ()

    def meaning(self, pkt: Any, x: Any) -> str:
        """The name of the whole code."""
        return f"{pkt.code} {named(ERRORS)(pkt.code)}" if pkt.code else ""


class ErrorCode(Layer):
    """RFC 8489 §14.8."""

    name = "error"
    text_fields = ("reason_phrase",)
    fields_desc = [
        Bits("reserved", 0, 21, begins=4),
        Bits("error_class", 4, 3),
        _ErrorNumber("number", 0, 8),
        Opaque("reason_phrase", b""),
    ]

    @property
    def code(self) -> int:
        """Class and number together, as in a SIP status."""
        whole = isinstance(self.error_class, int) and isinstance(self.number, int)
        return int(self.error_class) * 100 + int(self.number) if whole else 0

    def mysummary(self) -> str:
        """The code by name."""
        return f"{self.code} {named(ERRORS)(self.code)}"


class UnknownAttributes(Layer):
    """RFC 8489 §14.9."""

    name = "unknown attributes"
    fields_desc = [Numbers("types", None, 2, named(ATTRIBUTES))]


class Text(Layer):
    """RFC 8489 §14.3, §14.14: USERNAME, REALM, NONCE, SOFTWARE, in UTF-8."""

    name = "text"
    text_fields = ("text",)
    fields_desc = [Opaque("text", b"")]


class Integrity(Layer):
    """RFC 8489 §14.5, §14.6: an HMAC over the message up to this attribute."""

    name = "integrity"
    fields_desc = [Opaque("hmac", bytes(20))]


class Fingerprint(Layer):
    """RFC 8489 §14.7: the CRC-32 of the message up to this attribute, mixed with 0x5354554e."""

    name = "fingerprint"
    fields_desc = [Number("crc32_xor", 0, 4)]


class ChannelNumber(Layer):
    """RFC 8656 §18.1."""

    name = "channel number"
    fields_desc = [Number("channel", 0x4000, 2), Number("reserved", 0, 2)]


class Lifetime(Layer):
    """RFC 8656 §18.2, in seconds."""

    name = "lifetime"
    fields_desc = [Number("seconds", 600, 4)]


class RequestedTransport(Layer):
    """RFC 8656 §18.7."""

    name = "requested transport"
    fields_desc = [Number("protocol", 17, 1, named(TRANSPORTS)), Number("reserved", 0, 3)]


class RequestedAddressFamily(Layer):
    """RFC 8656 §18.6."""

    name = "address family"
    fields_desc = [Number("family", 1, 1, named(FAMILIES)), Number("reserved", 0, 3)]


class EvenPort(Layer):
    """RFC 8656 §18.5."""

    name = "even port"
    fields_desc = [Bits("R", 0, 1, begins=1), Bits("reserved", 0, 7)]


class Priority(Layer):
    """RFC 8445 §7.1.1."""

    name = "priority"
    fields_desc = [Number("priority", 0, 4)]


class TieBreaker(Layer):
    """RFC 8445 §7.1.3."""

    name = "tie breaker"
    fields_desc = [Number("tie_breaker", 0, 8)]


class ChangeRequest(Layer):
    """RFC 5780 §7.2."""

    name = "change request"
    fields_desc = [
        Bits("reserved", 0, 29, begins=4),
        Bits("change_ip", 0, 1),
        Bits("change_port", 0, 1),
        Bits("reserved2", 0, 1),
    ]


class RelayedData(Layer):
    """RFC 8656 §18.4: a datagram that is relayed."""

    name = "relayed data"
    fields_desc = [Opaque("data", b"")]


VALUE_LAYERS: dict[int, type[Layer]] = {
    **dict.fromkeys((0x0001, 0x0002, 0x0004, 0x0005, 0x000B, 0x8023, 0x802B, 0x802C), MappedAddress),
    **dict.fromkeys((0x0012, 0x0016, 0x0020), XorMappedAddress),
    **dict.fromkeys((0x0006, 0x0014, 0x0015, 0x8003, 0x8022, 0x802E), Text),
    **dict.fromkeys((0x0008, 0x001C), Integrity),
    **dict.fromkeys((0x8029, 0x802A), TieBreaker),
    **dict.fromkeys((0x0017, 0x8000), RequestedAddressFamily),
    0x0003: ChangeRequest,
    0x0009: ErrorCode,
    0x000A: UnknownAttributes,
    0x000C: ChannelNumber,
    0x000D: Lifetime,
    0x0013: RelayedData,
    0x0018: EvenPort,
    0x0019: RequestedTransport,
    0x0024: Priority,
    0x8028: Fingerprint,
}
"""Layers of attribute values by type; others stay raw."""


def _value(pkt: Any, octets: bytes) -> type[Packet]:
    raw: type[Packet] = Raw
    return VALUE_LAYERS.get(pkt.type, raw) if isinstance(pkt.type, int) else raw


class _Value(One):
    """The value of an attribute, which knows the message around it."""

    __slots__ = ()

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Packet]:
        """Take it off the front."""
        rest, value = super().getfield(pkt, s)
        value.add_parent(pkt)
        return rest, value


def _padding(pkt: Any) -> int:
    return -pkt.length % 4 if isinstance(pkt.length, int) else 0


class _Padding(Opaque):
    """Octets up to a multiple of four; None for as many as are needed."""

    __slots__ = ()

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the octets."""
        if val is None:
            field, value = pkt.getfield_and_val("value")
            val = bytes(-len(field.addfield(pkt, b"", value)) % 4)
        return s + bytes(val)


class StunAttribute(Layer):
    """RFC 8489 §14."""

    name = "STUN attribute"
    fields_desc = [
        Number("type", 0, 2, named(ATTRIBUTES)),
        Length("length", "value", 2),
        _Value("value", "length", _value),
        _Padding("padding", None, _padding),  # type: ignore[arg-type]
    ]


def _attributes(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    at = 0
    for _ in range(MAX_ITEMS):
        if at + 4 > len(data):
            break
        end = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            break
        end = min(end + -end % 4, len(data))
        yield StunAttribute, data[at:end]
        at = end
    if at < len(data):
        yield Raw, data[at:]


class _Attributes(Packets):
    """Attributes, which know the message around them."""

    __slots__ = ()

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take them off the front."""
        rest, found = super().getfield(pkt, s)
        for one in found:
            one.add_parent(pkt)
        return rest, found


def method_of(message_type: int) -> int:
    """The method of a message type, whose bits the class interrupts (RFC 8489 §5)."""
    return message_type >> 2 & 0xF80 | message_type >> 1 & 0x70 | message_type & 0xF


def class_of(message_type: int) -> int:
    """The class of a message type: 0 request, 1 indication, 2 success response, 3 error response (RFC 8489 §5)."""
    return message_type >> 7 & 2 | message_type >> 4 & 1


def _type_name(message_type: int) -> str:
    return f"{named(METHODS)(method_of(message_type))} {CLASSES[class_of(message_type)]}"


class STUN(Layer):
    """RFC 8489 §5: type, length, cookie, transaction id, attributes."""

    name = "STUN"
    fields_desc = [
        Number("message_type", 1, 2, _type_name),
        Length("message_length", "attributes", 2),
        Number("magic_cookie", MAGIC_COOKIE, 4, named({MAGIC_COOKIE: "of RFC 8489"})),
        Opaque("transaction_id", bytes(12), fixed=12),
        _Attributes("attributes", "message_length", _attributes),
    ]

    def troubles(self) -> Iterator[str]:
        """A type with its first bits set, a length that is no multiple of four."""
        if isinstance(self.message_type, int) and self.message_type >> 14:
            yield "the first two bits are not zero"
        if isinstance(self.message_length, int) and self.message_length % 4:
            yield f"message_length is {self.message_length}, no multiple of 4"


class ChannelData(Layer):
    """RFC 8656 §12.4: data between a client and a TURN server; over TCP padded to four octets."""

    name = "TURN ChannelData"
    fields_desc = [
        Number("channel_number", 0x4000, 2),
        Length("length", "application_data", 2),
        Opaque("application_data", b"", "length"),
    ]

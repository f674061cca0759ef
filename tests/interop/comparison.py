"""Values that layers read and values that tshark shows, in one form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, Numeric
from dissectors.cms.asn1.layers import Encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

EMPTY = "<MISSING>"  # what tshark writes for octets of which there are none
_NANOSECONDS = len("000 UTC")


def walk(packet: Any) -> Iterator[tuple[str, Any]]:
    """Every value in a layer and the layers inside it, as `layer.field`; numbers as such, octets in hexadecimal.

    Of what is encoded in DER only the layers inside are taken.
    """
    if isinstance(packet, Raw):
        return
    shown = not isinstance(packet, Encoded)
    for field in packet.fields_desc:
        value = packet.getfieldval(field.name)
        if isinstance(value, Packet):
            if shown and bytes(value):
                yield f"{packet.name}.{field.name}", bytes(value).hex()
            yield from walk(value)
        elif isinstance(value, list) and value and isinstance(value[0], Packet):
            for one in value:
                yield from walk(one)
        elif not shown:
            continue
        elif isinstance(value, list):
            yield from ((f"{packet.name}.{field.name}", one) for one in value)
        elif isinstance(field, Numeric):
            if value != ABSENT:
                yield f"{packet.name}.{field.name}", value
        elif isinstance(value, bytes) and value:
            yield f"{packet.name}.{field.name}", value.hex()


def shown_value(kind: str, text: str) -> Any:
    """A value of tshark, of a type that it names, in the form of `walk`; times in milliseconds."""
    if kind == "FT_STRING":
        return text.encode().hex()
    if kind == "FT_BYTES":
        return text.replace(":", "").lower()
    if kind == "FT_ABSOLUTE_TIME":
        moment = datetime.strptime(text[:-_NANOSECONDS], "%b %d, %Y %H:%M:%S.%f").replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    return int(text, 0)

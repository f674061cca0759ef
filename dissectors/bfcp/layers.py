"""Scapy layers of BFCP: what a person sees as nodes of a packet tree.

    BFCP(message)                one message, of either version; its class is that of the primitive
    BFCPStream(stream_bytes)     messages one behind the other, as TCP carries them
    FloorRequest(Conference_ID=1, Transaction_ID=1, User_ID=2, attributes=[FLOOR_ID(Floor_ID=543)])

Every octet is kept: `bytes(L(data)) == data` for any data but none at all. Lengths that are None are computed when a
layer is built. What a layer cannot explain is raw; `notes` says what is wrong and where. Names are those of RFC 8855,
which includes RFC 4582 as version 1. The attributes are layers of dissectors.bfcp.attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Raw

from dissectors.bfcp.attributes.layers import attributes, cardinality, number, octets_of
from dissectors.bfcp.codes import (
    DRAFT_PRIMITIVES,
    MESSAGE_CONTENTS,
    PRIMITIVES,
    RELIABLE,
    UNRELIABLE,
    UNRELIABLE_ONLY,
    VERSIONS,
)
from dissectors.bfcp.readings import common_header, readings
from dissectors.binary import ABSENT, MAX_ITEMS, Bits, Layer, Length, Number, Opaque, Packets, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field
    from scapy.packet import Packet


class _Words(Length):
    """Counts 4-octet units (RFC 8855 §5.1)."""

    __slots__: list[str] = []
    checked = False

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the length."""
        return super().addfield(pkt, s, (octets_of(pkt, self.of) + 3) // 4 if val is None else val)


class _Fragment(Opaque):
    """Octets of a fragment; None where a message is whole."""

    __slots__: list[str] = []

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take its octets off the front."""
        rest, value = super().getfield(pkt, s)
        return rest, value or None


def _fragmented(pkt: Any) -> bool:
    """Whether a message has the fields of a fragment (RFC 8855 §5.1).

    Reliable transports have none; where a peer puts them there nevertheless, or who builds a message does, they are.
    """
    version = pkt.getfieldval("Ver")
    given = version == RELIABLE and isinstance(pkt.fields.get("Fragment_Offset"), int)
    return bool(pkt.getfieldval("F") == 1 and (version == UNRELIABLE or given))


def _part(pkt: Any) -> bool:
    """Whether a message is a fragment that does not hold it all, so that attributes may be cut (RFC 8855 §6.2.3)."""
    whole = number(pkt, "Fragment_Offset") == 0 and number(pkt, "Fragment_Length") >= number(pkt, "Payload_Length")
    return _fragmented(pkt) and not whole


def _present(pkt: Any) -> int:
    """Octets behind the header, as it says."""
    return 4 * number(pkt, "Fragment_Length" if _fragmented(pkt) else "Payload_Length")


_CONTENTS = ("attributes", "Fragment")


def _message(code: int) -> list[Field]:
    """The COMMON-HEADER and the attributes of a message, or the octets of a fragment (RFC 8855 §5.1)."""
    return [
        Bits("Ver", 1, 3, named(VERSIONS), begins=1),
        Bits("R", 0, 1),
        Bits("F", 0, 1),
        Bits("Res", 0, 3),
        Number("Primitive", code, 1, named(PRIMITIVES)),
        _Words("Payload_Length", _CONTENTS, 2),
        Number("Conference_ID", 0, 4),
        Number("Transaction_ID", 0, 2),
        Number("User_ID", 0, 2),
        Number("Fragment_Offset", 0, 2, condition=_fragmented),
        _Words("Fragment_Length", _CONTENTS, 2, condition=_fragmented),
        Packets("attributes", lambda pkt: 0 if _part(pkt) else _present(pkt), attributes),
        _Fragment("Fragment", b"", lambda pkt: _present(pkt) if _part(pkt) else 0),
    ]


class BFCP(Layer):
    """RFC 8855 §5.1: a message or a fragment; of a known primitive, read as the class that has its name."""

    name = "BFCP"
    code = 0
    fields_desc = _message(0)

    @classmethod
    def dispatch_hook(cls, _pkt: Any = b"", *_: Any, **fields: Any) -> type[Packet]:
        """The class of the primitive."""
        code = _pkt[1] if _pkt and len(_pkt) > 1 else fields.get("Primitive")
        return MESSAGE_LAYERS.get(code, cls) if isinstance(code, int) else cls

    def do_dissect(self, s: bytes) -> bytes:
        """Of version 1 with the F bit, the octets behind the header decide whether it has the fields of a fragment."""
        self.fields["Fragment_Offset"] = 0 if readings(s).fragment_fields else ABSENT
        return super().do_dissect(s)

    def troubles(self) -> Iterator[str]:
        """A version or length that is wrong; mandatory attributes missing, single ones repeated."""
        version, words = self.Ver, self.getfieldval("Payload_Length")
        if version == RELIABLE and _fragmented(self):
            yield "F is set in version 1, which has no fragments; read with their fields, 16 octets of header"
        elif version == RELIABLE and self.F == 1 and readings(bytes(self)).ambiguous:
            yield (
                "F is set in version 1, ambiguous: read as reserved, 12 octets of header, "
                "but with the fields of a fragment, 16 octets, the attributes end exactly, too"
            )
        if isinstance(version, int) and version not in VERSIONS:
            yield f"Ver is {version}, no version of BFCP"
        if version == RELIABLE and self.Primitive in UNRELIABLE_ONLY:
            draft = DRAFT_PRIMITIVES.get(self.Primitive)
            yield f"{PRIMITIVES[self.Primitive]} is of unreliable transports only, and Ver is {version}" + (
                f"; {self.Primitive} was {draft} in drafts" if draft else ""
            )
        if not isinstance(words, int) or not isinstance(self.User_ID, int):
            return
        there = octets_of(self, _CONTENTS)
        if not _fragmented(self):
            if 4 * words != there:
                yield f"Payload_Length says {4 * words} octets, {there} are there"
        elif isinstance(length := self.getfieldval("Fragment_Length"), int):
            if 4 * length != there:
                yield f"Fragment_Length says {4 * length} octets, {there} are there"
            if number(self, "Fragment_Offset") + length > words:
                yield f"the fragment ends behind the {4 * words} octets of Payload_Length"
        if not _part(self):
            yield from cardinality(self, MESSAGE_CONTENTS.get(self.Primitive, {}))


class FloorRequest(BFCP):
    """RFC 8855 §5.3.1."""

    name = "FloorRequest"
    code = 1
    fields_desc = _message(1)


class FloorRelease(BFCP):
    """RFC 8855 §5.3.2."""

    name = "FloorRelease"
    code = 2
    fields_desc = _message(2)


class FloorRequestQuery(BFCP):
    """RFC 8855 §5.3.3."""

    name = "FloorRequestQuery"
    code = 3
    fields_desc = _message(3)


class FloorRequestStatus(BFCP):
    """RFC 8855 §5.3.4."""

    name = "FloorRequestStatus"
    code = 4
    fields_desc = _message(4)


class UserQuery(BFCP):
    """RFC 8855 §5.3.5."""

    name = "UserQuery"
    code = 5
    fields_desc = _message(5)


class UserStatus(BFCP):
    """RFC 8855 §5.3.6."""

    name = "UserStatus"
    code = 6
    fields_desc = _message(6)


class FloorQuery(BFCP):
    """RFC 8855 §5.3.7."""

    name = "FloorQuery"
    code = 7
    fields_desc = _message(7)


class FloorStatus(BFCP):
    """RFC 8855 §5.3.8."""

    name = "FloorStatus"
    code = 8
    fields_desc = _message(8)


class ChairAction(BFCP):
    """RFC 8855 §5.3.9."""

    name = "ChairAction"
    code = 9
    fields_desc = _message(9)


class ChairActionAck(BFCP):
    """RFC 8855 §5.3.10."""

    name = "ChairActionAck"
    code = 10
    fields_desc = _message(10)


class Hello(BFCP):
    """RFC 8855 §5.3.11."""

    name = "Hello"
    code = 11
    fields_desc = _message(11)


class HelloAck(BFCP):
    """RFC 8855 §5.3.12."""

    name = "HelloAck"
    code = 12
    fields_desc = _message(12)


class Error(BFCP):
    """RFC 8855 §5.3.13."""

    name = "Error"
    code = 13
    fields_desc = _message(13)


class FloorRequestStatusAck(BFCP):
    """RFC 8855 §5.3.14. Of unreliable transports only."""

    name = "FloorRequestStatusAck"
    code = 14
    fields_desc = _message(14)


class FloorStatusAck(BFCP):
    """RFC 8855 §5.3.15. Of unreliable transports only."""

    name = "FloorStatusAck"
    code = 15
    fields_desc = _message(15)


class Goodbye(BFCP):
    """RFC 8855 §5.3.16. Of unreliable transports only."""

    name = "Goodbye"
    code = 16
    fields_desc = _message(16)


class GoodbyeAck(BFCP):
    """RFC 8855 §5.3.17. Of unreliable transports only."""

    name = "GoodbyeAck"
    code = 17
    fields_desc = _message(17)


_MESSAGES: tuple[type[BFCP], ...] = (
    FloorRequest,
    FloorRelease,
    FloorRequestQuery,
    FloorRequestStatus,
    UserQuery,
    UserStatus,
    FloorQuery,
    FloorStatus,
    ChairAction,
    ChairActionAck,
    Hello,
    HelloAck,
    Error,
    FloorRequestStatusAck,
    FloorStatusAck,
    Goodbye,
    GoodbyeAck,
)
MESSAGE_LAYERS: dict[int, type[BFCP]] = {layer.code: layer for layer in _MESSAGES}


def _messages(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Cuts messages; one whose end is not there is read as far as it goes (RFC 8855 §6.1)."""
    at = 0
    for _ in range(MAX_ITEMS):
        header = common_header(data, at)
        if header is None or header.version not in VERSIONS:
            break
        yield BFCP, data[at : at + header.whole]
        at += header.whole
    if at < len(data):
        yield Raw, data[at:]


class BFCPStream(Layer):
    """Messages one behind the other, as TCP carries them (RFC 8855 §6.1)."""

    name = "BFCP stream"
    fields_desc = [Packets("messages", None, _messages)]

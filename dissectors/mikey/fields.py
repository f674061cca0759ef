"""What MIKEY layers are declared with beyond `dissectors.binary`: chains of payloads, sizes that code points give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.binary import ABSENT, Chain, Length, Number, Numeric, One, Opaque, Sized
from dissectors.mikey.codes import LAST_PAYLOAD, NEXT_PAYLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scapy.packet import Packet

    Classes = Mapping[int, type[Packet]] | Callable[[Any], Mapping[int, type[Packet]]]

_MAX_NUMBER = 8  # octets of a policy parameter that is read as a number

PRIVATE_USE = range(241, 256)
"""Code points for private use in most registries of MIKEY (IANA, MIKEY Payload Name Spaces)."""

PRIVATE_ROLES = range(240, 255)
"""The same where 255 is reserved: roles, curves, parameters of SAKKE."""


def registered(table: Mapping[int, str], private: range = PRIVATE_USE) -> Callable[[int], str]:
    """Names code points by a table; others as "private use (n)" or "unknown (n)"."""
    return lambda code: table.get(code) or (f"private use ({code})" if code in private else f"unknown ({code})")


next_payload_name = registered(NEXT_PAYLOADS)
"""The name of a next payload code."""


def complete(layer: Packet) -> bool:
    """Whether a layer that was read has all of its numbers, so that what is behind it can be trusted to be the next."""
    return not any(
        isinstance(field, Numeric) and layer.getfieldval(field.name) == ABSENT and not field.left_out(layer)
        for field in layer.fields_desc
    )


def code_of(payload: Any) -> int:
    """The code that names a payload in the one before it; 0 for octets that are no payload."""
    return int(getattr(type(payload), "payload_code", LAST_PAYLOAD))


def next_of(payload: Any) -> int | bytes | None:
    """What a payload says follows it; a SIGN payload has no such field, as nothing can follow it."""
    if not any(field.name == "next_payload" for field in getattr(payload, "fields_desc", ())):
        return LAST_PAYLOAD
    code: int | bytes | None = payload.getfieldval("next_payload")
    return code


class NextPayload(Number):
    """The code of the payload behind. None, when it is built, takes that of the first one of a chain in this layer.

    In a payload, None is filled in by the chain that the payload stands in.
    """

    __slots__ = ["of"]

    def __init__(self, name: str = "next_payload", of: str = "") -> None:
        super().__init__(name, None, 1, next_payload_name)
        self.of = of

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the code."""
        if val is None and self.of:
            chained = pkt.getfieldval(self.of)
            val = code_of(chained[0]) if chained else LAST_PAYLOAD
        return super().addfield(pkt, s, val)


class PayloadChain(Chain):
    """Payloads, each of which names the next one. What cannot be read, or is not named, is not part of the field."""

    __slots__ = ["classes", "first"]

    def __init__(self, name: str, first: Callable[[Any], int | bytes | None], classes: Classes) -> None:
        super().__init__(name, self._following)
        self.first = first
        self.classes = classes

    def _following(self, pkt: Any, found: list[Packet], s: bytes) -> type[Packet] | None:
        if found and not complete(found[-1]):
            return None
        code = next_of(found[-1]) if found else self.first(pkt)
        return self.known(pkt).get(code) if isinstance(code, int) else None

    def known(self, pkt: Any) -> Mapping[int, type[Packet]]:
        """The payloads that can stand in this chain, by their code."""
        return self.classes(pkt) if callable(self.classes) else self.classes

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the payloads, with the code of the next one in each that says None."""
        parts = []
        for at, payload in enumerate(val or ()):
            octets = bytes(payload)
            if next_of(payload) is None:
                following = code_of(val[at + 1]) if at + 1 < len(val) else LAST_PAYLOAD
                octets = bytes([following]) + octets[1:]
            parts.append(octets)
        return s + b"".join(parts)


class CountOf(Number):
    """How many items a list has; None counts them when the layer is built."""

    __slots__ = ["of"]

    def __init__(self, name: str, of: str) -> None:
        super().__init__(name, None, 1)
        self.of = of

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the count."""
        return super().addfield(pkt, s, len(pkt.getfieldval(self.of) or ()) if val is None else val)


class SizedByCode(Sized):
    """A field whose octets a code point gives; all that is left where the code point is not known."""

    __slots__: list[str] = []
    code: str
    sizes: Mapping[int, int]

    def _octets(self, pkt: Any) -> int | None:
        code = pkt.getfieldval(self.code)
        return self.sizes.get(code) if isinstance(code, int) else 0

    def wrong(self, pkt: Any, value: Any) -> str:
        """What is wrong with the octets that are there; empty for nothing."""
        code = pkt.getfieldval(self.code)
        if not isinstance(code, int):
            return ""
        octets = len(self.addfield(pkt, b"", value))
        size = self.sizes.get(code)
        if size is None:
            last = pkt.fields_desc[-1] is self and next_of(pkt) == LAST_PAYLOAD
            return "" if last else f"{self.name} is all that is left, as {self.code} {code} tells no length"
        return f"{self.name} has {octets} octets, {self.code} {code} demands {size}" if size != octets else ""


class OctetsByCode(SizedByCode, Opaque):
    """Octets, as many as a code point says. `cond` hides the field in views where it has no place."""

    __slots__ = ["code", "cond", "sizes"]

    def __init__(
        self, name: str, code: str, sizes: Mapping[int, int], cond: Callable[[Any], bool] | None = None
    ) -> None:
        super().__init__(name, b"", None)
        self.code = code
        self.sizes = sizes
        self.cond = cond


class OneByCode(SizedByCode, One):
    """One layer, of as many octets as a code point says."""

    __slots__ = ["code", "sizes"]

    def __init__(
        self, name: str, code: str, sizes: Mapping[int, int], choose: Callable[[Any, bytes], type[Packet]]
    ) -> None:
        super().__init__(name, None, choose)
        self.code = code
        self.sizes = sizes


class RemainingMac(OctetsByCode):
    """The MAC of a DHHMAC message, which ends it: what is left tells which algorithm was meant (RFC 4650 §4.2)."""

    __slots__: list[str] = []

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take 20 octets or none where that is what is left."""
        if pkt.getfieldval("next_payload") == LAST_PAYLOAD and len(s) in (0, 20):
            return b"", s
        return super().getfield(pkt, s)

    def wrong(self, pkt: Any, value: Any) -> str:
        """Lengths of both numberings are right."""
        return "" if len(value) in (0, 20) else super().wrong(pkt, value)


class ConditionalOctets(Opaque):
    """Octets that a length field counts, in layers that have both."""

    __slots__ = ["cond"]

    def __init__(self, name: str, length: str, cond: Callable[[Any], bool]) -> None:
        super().__init__(name, b"", length)
        self.cond = cond

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets where they have a place."""
        return super().addfield(pkt, s, val) if self.cond(pkt) else s


class Value(Sized):
    """A number of as many octets as a length field says, with names that another field chooses; else the octets."""

    __slots__ = ["kind", "names"]

    def __init__(self, name: str, length: str, kind: str, names: Mapping[int, Mapping[int, str]]) -> None:
        super().__init__(name, 0, length)
        self.kind = kind
        self.names = names

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        whole = 0 < len(value) <= _MAX_NUMBER and len(value) == self._octets(pkt)
        return rest, int.from_bytes(value, "big") if whole else value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add its octets: as many as the length says, or as the number needs."""
        if not isinstance(val, int):
            return s + bytes(val or b"")
        return s + val.to_bytes(max(self._octets(pkt) or 0, (val.bit_length() + 7) // 8, 1), "big")

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The name of the value, where it has one."""
        if not isinstance(x, int):
            return repr(x)
        return self.names.get(pkt.getfieldval(self.kind), {}).get(x, str(x))


class Tokens(Sized):
    """Words of ASCII with ";" between them."""

    __slots__: list[str] = []
    islist = 1

    def __init__(self, name: str) -> None:
        super().__init__(name, [], None)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[bytes]]:
        """Take all that is left."""
        return b"", s.split(b";") if s else []

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the words."""
        return s + (val if isinstance(val, bytes) else b";".join(val or ()))


def conditional_length(name: str, of: str, octets: int, condition: Callable[[Any], bool]) -> Length:
    """A length that is there only in some layers."""
    return Length(name, of, octets, condition=condition)

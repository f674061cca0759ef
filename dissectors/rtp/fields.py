"""Fields that RTP and RTCP need besides those of dissectors.binary: words, counts, flags, and padding at the end.

Padding stands behind everything else and its last octet counts it (RFC 3550 §5.1), so fields before it are cut by
functions that see all octets that are left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, MAX_ITEMS, Bits, BitsLength, Number, Numbers, One, Opaque, Packets, counted, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Cut = Callable[[Any, bytes], Iterator[tuple[type[Packet], bytes]]]
    Measure = Callable[[Any, bytes], int]


class Signed(Number):
    """A signed number of some octets."""

    __slots__: list[str] = []

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        """Take the octets off the front."""
        rest, value = super().getfield(pkt, s)
        if isinstance(value, int) and value >> 8 * self.octets - 1:
            value -= 1 << 8 * self.octets
        return rest, value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the octets."""
        if isinstance(val, int) and val < 0:
            val += 1 << 8 * self.octets
        return super().addfield(pkt, s, val)

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The number with its sign, behind its name where it has one."""
        if not isinstance(x, int):
            return super().i2repr(pkt, x)
        return str(x) if self.naming is None else f"{self.naming(x)} ({x})"


class Words(Number):
    """The words of 32 bits behind the one that this number ends; None counts them when the layer is built."""

    __slots__: list[str] = []

    def __init__(self, name: str) -> None:
        super().__init__(name, None, 2)

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the number."""
        if val is None:
            behind: Any = b""
            for field in pkt.fields_desc[pkt.fields_desc.index(self) + 1 :]:
                behind = field.addfield(pkt, behind, pkt.getfieldval(field.name))
            val = (len(behind) + 3) // 4
        return super().addfield(pkt, s, val)


class Count(Bits):
    """The items of a list; None counts them when the layer is built."""

    __slots__ = ["of"]

    def __init__(self, name: str, of: str, size: int) -> None:
        super().__init__(name, None, size)
        self.of = of

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        """Add the number."""
        if val is None:
            items = pkt.getfieldval(self.of)
            val = len(items) if isinstance(items, list) else 0
        return super().addfield(pkt, s, val)


class NumberCount(Number):
    """The items of a list, in whole octets; None counts them when the layer is built."""

    __slots__ = ["of"]

    def __init__(self, name: str, of: str, octets: int) -> None:
        super().__init__(name, None, octets)
        self.of = of

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the number."""
        if val is None:
            items = pkt.getfieldval(self.of)
            val = len(items) if isinstance(items, list) else 0
        return super().addfield(pkt, s, val)


class LengthLessOne(BitsLength):
    """The length of a vector of one octet at least, less one (RFC 8285 §4.2)."""

    __slots__: list[str] = []
    checked = False  # the layer around says what is wrong

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        """Add the length."""
        return super().addfield(pkt, s, max(0, counted(pkt, self.of) - 1) if val is None else val)


class Flag(Bits):
    """A bit that says that another field is there; None looks when the layer is built."""

    __slots__ = ["of"]

    def __init__(self, name: str, of: str) -> None:
        super().__init__(name, None, 1)
        self.of = of

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        """Add the bit."""
        return super().addfield(pkt, s, int(counted(pkt, (self.of,)) > 0) if val is None else val)


# --- fields cut by a function of the octets that are left -----------------------------------------


class _Measured:
    """Tells by the octets that are left how many of them belong to the field."""

    length: Any

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        octets = max(0, self.length(pkt, s))
        return s[:octets], s[octets:]


class MeasuredOctets(_Measured, Opaque):
    """Octets."""

    __slots__: list[str] = []

    def __init__(self, name: str, measure: Measure, default: bytes = b"") -> None:
        super().__init__(name, default, None)
        self.length = measure


class MeasuredNumbers(_Measured, Numbers):
    """A list of numbers."""

    __slots__: list[str] = []

    def __init__(self, name: str, measure: Measure, octets: int, naming: Callable[[int], str] | None = None) -> None:
        super().__init__(name, None, octets, naming)
        self.length = measure


class MeasuredPackets(_Measured, Packets):
    """A list of layers."""

    __slots__: list[str] = []

    def __init__(self, name: str, measure: Measure, cut: Cut) -> None:
        super().__init__(name, None, cut)
        self.length = measure


class MeasuredOne(_Measured, One):
    """One layer, or None where it has no octets. What chooses its class sees all octets that are left."""

    __slots__: list[str] = []

    def __init__(self, name: str, measure: Measure, choose: Callable[[Any, bytes], type[Packet]]) -> None:
        super().__init__(name, None, choose)
        self.length = measure

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take its octets off the front."""
        value, rest = self._cut(pkt, s)
        return rest, self.choose(pkt, s)(value) if value else None


class Nulls(MeasuredOctets):
    """Null octets up to the next word, at least one, behind some fields; None adds them when the layer is built."""

    __slots__ = ["behind", "least"]

    def __init__(self, name: str, behind: tuple[str, ...], least: int) -> None:
        super().__init__(name, rest)
        self.default = None
        self.behind = behind
        self.least = least

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the octets."""
        if val is None:
            val = bytes(self.least + -(counted(pkt, self.behind) + self.least) % 4)
        return s + bytes(val)


def rest(pkt: Any, s: bytes) -> int:
    """All octets that are left."""
    return len(s)


def padding_size(pkt: Any, s: bytes) -> int:
    """Octets of the padding at the end of what is left, without the trailer of SRTP; 0 where its count is wrong."""
    left = len(s) - getattr(pkt, "trailer", 0)
    if left <= 0 or pkt.getfieldval("padding") != 1:
        return 0
    count = s[left - 1]
    return count if count <= left else 0


def before_padding(pkt: Any, s: bytes) -> int:
    """The octets that are left but padding and trailer."""
    return len(s) - getattr(pkt, "trailer", 0) - padding_size(pkt, s)


def repeated(count: str, octets: int) -> Measure:
    """As many items of some octets as a field counts, and no more than there are before the padding."""

    def measure(pkt: Any, s: bytes) -> int:
        number = pkt.getfieldval(count)
        return octets * min(number if isinstance(number, int) else 0, max(0, before_padding(pkt, s)) // octets)

    return measure


def fixed(layer: type[Packet], octets: int) -> Cut:
    """Cuts a list of layers of some octets each."""

    def cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        whole = min(len(data) // octets, MAX_ITEMS) * octets
        for start in range(0, whole, octets):
            yield layer, data[start : start + octets]
        if whole < len(data):
            yield Raw, data[whole:]

    return cut


def blocks(
    layers: Mapping[int, type[Packet]], other: type[Packet], header: int, at: int, octets: int, unit: int
) -> Cut:
    """Cuts a list of blocks that begin with their type and count what is behind their header in units of octets."""

    def cut(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        start = 0
        for _ in range(MAX_ITEMS):
            if len(data) - start < header:
                break
            end = start + header + unit * int.from_bytes(data[start + at : start + at + octets], "big")
            if end > len(data):
                break
            yield layers.get(data[start], other), data[start:end]
            start = end
        if start < len(data):
            yield Raw, data[start:]

    return cut


def octets_of(packet: Packet) -> int:
    """Octets of the fields of a layer, without its payload."""
    return max((end for *_, end in spans(packet)), default=0)


def padding_troubles(packet: Packet) -> Iterator[str]:
    """What is wrong with the padding of a packet (RFC 3550 §5.1)."""
    flag, octets = packet.getfieldval("padding"), packet.getfieldval("padding_octets")
    if flag in (None, ABSENT):
        return
    if flag and not octets:
        yield "the padding bit is set, and the last octet does not count padding that fits"
    elif octets and not flag:
        yield "there is padding, and the padding bit is not set"
    elif octets and octets[-1] != len(octets):
        yield f"the padding counts {octets[-1]} octets, {len(octets)} are there"

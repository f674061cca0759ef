"""Makes large octets of small parts: again and again, in one another, as long as their length fields allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[[int], bytes]  # octets of a size


def again(part: bytes, front: bytes = b"", back: bytes = b"") -> Made:
    """A part as often as it fits between what stands in front and behind."""
    return lambda size: front + part * max(1, (size - len(front) - len(back)) // len(part)) + back


def nested(opening: bytes, closing: bytes, front: bytes = b"", back: bytes = b"") -> Made:
    """Parts in one another, as many as fit."""

    def made(size: int) -> bytes:
        count = max(1, (size - len(front) - len(back)) // (len(opening) + len(closing)))
        return front + opening * count + closing * count + back

    return made


def chunked(element: bytes, length_octets: int, front: bytes, header: Callable[[int], bytes]) -> Made:
    """Vectors as long as their length field allows, one behind the other, full of an element."""
    most = (1 << 8 * length_octets) - 1
    most -= most % len(element)

    def made(size: int) -> bytes:
        out = front
        while len(out) < size:
            octets = min(most, max(len(element), (size - len(out)) // len(element) * len(element)))
            out += header(octets) + element * (octets // len(element))
        return out

    return made


def sized(front: Callable[[int], bytes], element: bytes, back: bytes = b"") -> Made:
    """Elements behind a front that is told how many octets there are."""

    def made(size: int) -> bytes:
        content = element * (size // len(element)) + back
        return front(len(content)) + content

    return made


def der(tag: int, content: bytes) -> bytes:
    """A value in DER."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def der_nested(tag: int) -> Made:
    """Values of definite length in one another."""

    def made(size: int) -> bytes:
        fronts: list[bytes] = []
        inside = 0
        while inside < size:
            front = der(tag, b"\0" * inside)[: -inside or None] if inside < 128 else length_front(tag, inside)
            fronts.append(front)
            inside += len(front)
        return b"".join(reversed(fronts))

    return made


def length_front(tag: int, size: int) -> bytes:
    """Identifier and length in front of so many octets, 128 at least."""
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets

"""Where data values of the Basic Encoding Rules begin and end (X.690, of which DER is a part).

Nothing here raises on any octets, and every walk is bounded. The end of a value of indefinite length is found by
walking over the values inside it; where that leads nowhere, the value takes all that is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIVERSAL, APPLICATION, CONTEXT, PRIVATE = range(4)

TAG_CLASSES: dict[int, str] = {0: "universal", 1: "application", 2: "context-specific", 3: "private"}
"""Classes of tags (X.690 §8.1.2.2, table 1)."""

UNIVERSAL_TAGS: dict[int, str] = {
    0: "end-of-contents",
    1: "BOOLEAN",
    2: "INTEGER",
    3: "BIT STRING",
    4: "OCTET STRING",
    5: "NULL",
    6: "OBJECT IDENTIFIER",
    7: "ObjectDescriptor",
    8: "EXTERNAL",
    9: "REAL",
    10: "ENUMERATED",
    11: "EMBEDDED PDV",
    12: "UTF8String",
    13: "RELATIVE-OID",
    14: "TIME",
    16: "SEQUENCE",
    17: "SET",
    18: "NumericString",
    19: "PrintableString",
    20: "TeletexString",
    21: "VideotexString",
    22: "IA5String",
    23: "UTCTime",
    24: "GeneralizedTime",
    25: "GraphicString",
    26: "VisibleString",
    27: "GeneralString",
    28: "UniversalString",
    29: "CHARACTER STRING",
    30: "BMPString",
}
"""Tags of the universal class (X.680 §8.4, table 1)."""

MAX_TAG_OCTETS = 6  # of a tag number of 31 or more
MAX_LENGTH_OCTETS = 8
MAX_WALK = 16384  # values looked at to find one end-of-contents
MAX_WALK_DEPTH = 64
MAX_SEGMENT_DEPTH = 16
MAX_ARCS = 64  # of an object identifier
MAX_ARC_OCTETS = 19

END_OF_CONTENTS = b"\x00\x00"
OCTET_STRING = (UNIVERSAL, 4)


class Header(NamedTuple):
    """Identifier and length of a data value."""

    tag_class: int
    constructed: bool
    tag_number: int
    octets: int  # of identifier and length
    length: int | None  # of the content; None for the indefinite form


class Extent(NamedTuple):
    """A data value with its place; offsets into what it was read from."""

    header: Header
    start: int
    content: int
    content_end: int  # cut to what is there
    end: int  # behind the end-of-contents octets where there are any
    whole: bool  # False: its length says more than there is, or its end-of-contents was not found


def read_header(data: bytes, at: int, end: int) -> Header | None:
    """The header at an offset; None where it is not there as a whole or has no sense."""
    if at >= end:
        return None
    first = data[at]
    number = first & 0x1F
    start = at
    at += 1
    if number == 0x1F:
        number = 0
        for _ in range(MAX_TAG_OCTETS):
            if at >= end:
                return None
            number = number << 7 | data[at] & 0x7F
            at += 1
            if not data[at - 1] & 0x80:
                break
        else:
            return None
    if at >= end:
        return None
    length: int | None = data[at]
    at += 1
    if length == 0x80:
        length = None if first & 0x20 else 0  # a primitive value has no indefinite form
    elif length is not None and length > 0x80:
        count = length & 0x7F
        if count > MAX_LENGTH_OCTETS or end - at < count:
            return None
        length = int.from_bytes(data[at : at + count], "big")
        at += count
    return Header(first >> 6, bool(first & 0x20), number, at - start, length)


def extent(data: bytes, at: int, end: int) -> Extent | None:
    """The data value at an offset; None where there is no header."""
    header = read_header(data, at, end)
    if header is None:
        return None
    content = at + header.octets
    if header.length is not None:
        stop = content + header.length
        return Extent(header, at, content, min(stop, end), min(stop, end), stop <= end)
    stop = find_end_of_contents(data, content, end)
    if stop < 0:
        return Extent(header, at, content, end, end, False)
    return Extent(header, at, content, stop, stop + 2, True)


def find_end_of_contents(data: bytes, at: int, end: int) -> int:
    """Where the end-of-contents octets stand that end what begins at an offset; -1 where they cannot be found."""
    depth = 1
    for _ in range(MAX_WALK):
        header = read_header(data, at, end)
        if header is None:
            return -1
        if header[:3] == (0, False, 0):
            if header.length != 0:
                return -1
            depth -= 1
            if depth == 0:
                return at if header.octets == len(END_OF_CONTENTS) else -1
            at += header.octets
        elif header.length is None:
            depth += 1
            if depth > MAX_WALK_DEPTH:
                return -1
            at += header.octets
        else:
            at += header.octets + header.length
    return -1


def segments(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """What the segments of a constructed OCTET STRING hold (X.690 §8.7.3), without layers; ends at what is none."""
    at = 0
    while (found := extent(data, at, len(data))) and (found.header.tag_class, found.header.tag_number) == OCTET_STRING:
        content = data[found.content : found.content_end]
        if not found.header.constructed:
            yield content
        elif depth < MAX_SEGMENT_DEPTH:
            yield from segments(content, depth + 1)
        at = found.end


def length_octets(length: int) -> bytes:
    """A length in its shortest form (X.690 §10.1)."""
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def dotted(octets: bytes) -> str:
    """An object identifier as text (X.690 §8.19); empty where the octets are not its one encoding, or too many."""
    arcs: list[int] = []
    number = used = 0
    for octet in octets:
        if used == 0 and octet == 0x80:
            return ""
        number = number << 7 | octet & 0x7F
        used += 1
        if used > MAX_ARC_OCTETS or len(arcs) > MAX_ARCS:
            return ""
        if not octet & 0x80:
            if not arcs:
                first = min(number // 40, 2)
                arcs = [first, number - 40 * first]
            else:
                arcs.append(number)
            number = used = 0
    return "" if used else ".".join(map(str, arcs))


def oid_octets(text: str) -> bytes:
    """The octets of an object identifier; raises ValueError where the text is none."""
    arcs = [int(arc) for arc in text.split(".")]
    if len(arcs) < 2 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39) or min(arcs) < 0:
        raise ValueError(f"{text} is no object identifier")
    out = bytearray()
    for arc in (40 * arcs[0] + arcs[1], *arcs[2:]):
        part = [arc & 0x7F]
        while arc := arc >> 7:
            part.append(0x80 | arc & 0x7F)
        out += bytes(reversed(part))
    return bytes(out)


def content_type_of(data: bytes) -> str:
    """The content type of a ContentInfo (RFC 5652 §3) without reading further; empty where there is none."""
    outer = read_header(data, 0, len(data))
    if outer is None or outer[:3] != (UNIVERSAL, True, 16):
        return ""
    inner = extent(data, outer.octets, len(data))
    if inner is None or inner.header[:3] != (UNIVERSAL, False, 6) or not inner.whole:
        return ""
    return dotted(data[inner.content : inner.content_end])

"""A packet as the tree that a person sees: each field's name, value, meaning and clause, and where its octets stand.

Works on every Scapy packet; the layers of this package say more, as their docstrings name the clause that defines them.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scapy.fields import FlagValue, _BitField
from scapy.packet import NoPayload, Packet, Raw

from dissectors.binary import ABSENT, Bits, Layer, Numbers, Numeric, built_once, notes, spans
from dissectors.key_text import key_spans
from dissectors.text import TextPacket

if TYPE_CHECKING:
    from collections.abc import Iterator

OCTETS = "octets"  # name of what no layer explains
TEXT_FROM = 4  # octets in a binary format that are shown as text when they read as such
OTHER_TEXT_FROM = 16  # and of text that is not ASCII
MAX_DEPTH = 64
MAX_NODES = 20_000  # of one tree
MAX_NUMBERS = 1024  # of one list
MAX_NOTES = 256  # of one layer

# Layers of Scapy's own, by their names
CLAUSES = {
    "Ethernet": "IEEE 802.3",
    "802.1Q": "IEEE 802.1Q §9.6",
    "802.1AD": "IEEE 802.1Q §9.6",
    "MPLS": "RFC 3032 §2.1",
    "IPv6 Extension Header - Hop-by-Hop Options Header": "RFC 8200 §4.3",
    "IPv6 Extension Header - Destination Options Header": "RFC 8200 §4.6",
    "IPv6 Option Header Routing": "RFC 8200 §4.4",
    "AH": "RFC 4302 §2",
    "ESP": "RFC 4303 §2",
    "GTP-U Header": "TS 29.281 §5.1",
    "PPP over Ethernet": "RFC 2516 §4",
    "PPP Link Layer": "RFC 1661 §2",
    "ARP": "RFC 826",
    "IP": "RFC 791 §3.1",
    "IPv6": "RFC 8200 §3",
    "IPv6 Extension Header - Fragmentation header": "RFC 8200 §4.5",
    "ICMP": "RFC 792",
    "GRE": "RFC 2784 §2",
    "UDP": "RFC 768",
    "TCP": "RFC 9293 §3.1",
    "SCTP": "RFC 9260 §3",
    "SCTPChunkData": "RFC 9260 §3.3.1",
}

_CLAUSE = re.compile(r"(?:(?:RFC|TS) [\d.]*\d|[HX]\.\d+(?:\.\d+)*)(?: (?:§|Annex |Appendix )[A-Z\d](?:[\d.]*\d)?)?")


@dataclass(slots=True)
class Node:
    """A layer or a field.

    Offsets count from the first octet of the packet that the tree was made of; inside a node that has octets of its own
    (they were written as base64), from the first of these.
    """

    name: str
    value: str = ""
    meaning: str = ""
    clause: str = ""
    offset: int = 0
    length: int = 0
    bits: tuple[int, int] | None = None  # of a field that shares octets: first bit of its group, and how many
    octets: bytes | None = None  # that its offset, and all below it, count in, where these are its own
    package: str = ""  # of a layer: the package of this one that it comes from
    secret: str = ""  # of a key: the first 8 digits of its SHA-256, by which views name it
    closed: str = ""  # why a view leaves its octets out
    syntax: bool = False  # white space and signs between what has a meaning
    notes: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in order."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo += reversed(node.children)


def clause(layer: type[Packet]) -> str:
    """The clause that defines a layer, by its docstring; empty where that names none."""
    found = _CLAUSE.search(layer.__doc__ or "")
    return found[0] if found else ""


def tree(packet: Packet, offset: int = 0) -> Node:
    """The tree of a packet that stands at an offset, with what follows it as its payload as the last child."""
    with built_once():
        node = _Trees().layer(packet, offset, 0)
        _close_keys(node, bytes(packet), offset)
    return node


def _close_keys(node: Node, octets: bytes, base: int) -> None:
    """Mark as secret what reads as a key, in whatever field it stands; base is the offset of the first octet."""
    leaves: list[Node] = []
    todo = [node]
    while todo:
        each = todo.pop()
        if each.octets is not None and each is not node:
            _close_keys(each, each.octets, 0)
            continue
        todo += each.children
        if not each.children and each.length:
            leaves.append(each)
    leaves.sort(key=lambda leaf: leaf.offset)
    ends = [leaf.offset + leaf.length for leaf in leaves]
    for begin, end in key_spans(octets):
        place = bisect_right(ends, base + begin)
        while place < len(leaves) and leaves[place].offset < base + end:
            leaf = leaves[place]
            leaf.secret = leaf.secret or digest(octets[begin:end])
            place += 1


class _Trees:
    """Makes one tree, bounded."""

    def __init__(self) -> None:
        self.nodes = 0

    def layer(self, packet: Packet, offset: int, depth: int) -> Node:
        octets = bytes(packet)
        _, _, inside = type(packet).__module__.partition("dissectors.")
        node = Node(
            str(packet.name),
            clause=clause(type(packet)) or CLAUSES.get(str(packet.name), ""),
            offset=offset,
            length=len(octets),
        )
        node.package = inside.partition(".")[0]
        self.nodes += 1
        if isinstance(packet, Raw):
            node.name, node.value = OCTETS, _octets(octets)
            return node
        if depth >= MAX_DEPTH:
            node.notes.append("nested too deep to be shown")
            return node
        troubles = getattr(type(packet), "troubles", None)
        if isinstance(packet, Layer):
            node.notes += notes(packet, offset, inside=False)
        elif troubles is not None:
            node.notes += troubles(packet)
        if len(node.notes) > MAX_NOTES:
            node.notes[MAX_NOTES:] = [f"{len(node.notes) - MAX_NOTES} more notes are not shown"]
        group = 0
        used = 0
        end = offset
        for each, value, begin, end_of in spans(packet):
            if self.nodes >= MAX_NODES:
                node.notes.append("too many fields to be shown")
                break
            end = offset + end_of
            size = _bits(each)
            if size:
                used = 0 if begin != group or (isinstance(each, Bits) and each.begins) else used
                group = begin
            if value is None or (value == ABSENT and isinstance(each, Numeric)) or _missing(each, packet):
                continue
            child = self.field(packet, each, value, offset + begin, end_of - begin, depth)
            child.clause = child.clause or node.clause
            if size:
                child.bits = (used, size) if isinstance(each, Bits) or size < 8 * (end_of - begin) else None
                used += size
            node.children.append(child)
        if not isinstance(packet.payload, NoPayload):
            node.children.append(self.layer(packet.payload, end, depth + 1))
        if getattr(packet, "secret_tail", False):
            for each in node.walk():
                if each.name == OCTETS and each.length:
                    each.secret = digest(octets[each.offset - offset : each.offset - offset + each.length])
        return node

    def field(self, packet: Packet, each: Any, value: Any, offset: int, length: int, depth: int) -> Node:
        node = Node(each.name, offset=offset, length=length)
        self.nodes += 1
        packets = value if isinstance(value, list) else [value]
        if isinstance(value, Packet) and len(bytes(value)) != length:
            inside = self.layer(value, 0, depth + 1)
            inside.octets = bytes(value)
            node.children.append(inside)
            return node
        if any(isinstance(one, Packet) for one in packets):
            at = offset
            for one in packets:
                if self.nodes >= MAX_NODES:
                    node.notes.append(f"{offset + length - at} octets at {at} are not shown: too many fields")
                    break
                if isinstance(one, Packet):
                    node.children.append(self.layer(one, at, depth + 1))
                    at += node.children[-1].length
            if not isinstance(value, list) and len(node.children) == 1:
                return _named(each.name, node.children[0])
            return node
        written = isinstance(packet, TextPacket)
        text = isinstance(value, bytes) and (written or each.name in getattr(type(packet), "text_fields", ()))
        node.value = value.decode("utf-8", "backslashreplace") if text else _value(value)
        node.meaning = _meaning(packet, each, value)
        node.syntax = written and text and not node.meaning and not any(one.isalnum() for one in node.value)
        if each.name in getattr(type(packet), "secret_fields", ()) and value:
            node.secret = digest(value)
        return node


def _bits(each: Any) -> int:
    """How many bits a field is that shares octets with others; 0 for other fields."""
    each = getattr(each, "fld", each)  # what a condition of Scapy's own wraps
    scapys = isinstance(each, _BitField) and not each.rev
    return int(each.size) if isinstance(each, Bits) or scapys else 0


def digest(value: bytes | str) -> str:
    """How a key is named: the first 8 hexadecimal digits of its SHA-256; of base64 text, of what it stands for."""
    octets = value.encode() if isinstance(value, str) else bytes(value)
    with contextlib.suppress(binascii.Error):
        octets = base64.b64decode(octets, validate=True)
    return hashlib.sha256(octets).hexdigest()[:8]


def _missing(each: Any, packet: Packet) -> bool:
    """Whether a condition leaves a field of Scapy's own out."""
    condition = getattr(each, "cond", None)
    return condition is not None and not condition(packet)


def _named(name: str, node: Node) -> Node:
    """A field that is one layer: the layer's node, under both names."""
    node.name = node.name if node.name == name else f"{name}: {node.name}"
    return node


def _octets(value: bytes) -> str:
    return value[:64].hex(" ") + (f" … ({len(value)} octets)" if len(value) > 64 else "")


def _more(value: list[Any]) -> str:
    return f" … ({len(value)} numbers)" if len(value) > MAX_NUMBERS else ""


def _value(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value)) or _octets(bytes(value))
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value[:MAX_NUMBERS]) + _more(value)
    if isinstance(value, tuple):  # options of TCP: name and value
        return " ".join(_value(one) for one in value if one not in (None, b"", ()))
    return str(value) or (str(int(value)) if isinstance(value, FlagValue) else "")  # no flag is set


def _text(octets: bytes) -> str:
    """Octets that read as text; empty for others, as for few octets that may do so by chance."""
    if len(octets) < TEXT_FROM:
        return ""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return ""
    if not text.isascii() and len(octets) < OTHER_TEXT_FROM:
        return ""  # an address or a number, by chance
    return text if all(one.isprintable() or one in "\r\n\t" for one in text) else ""


def _meaning(packet: Packet, each: Any, value: Any) -> str:
    """What the value stands for, where that is more than what is written."""
    told = getattr(each, "meaning", None)
    if told is not None:
        return str(told(packet, value))
    naming = getattr(each, "naming", None)
    if isinstance(value, bytes) and naming is not None and not isinstance(each, Numeric | Numbers):
        return str(naming(value))
    if isinstance(each, Numeric):
        return each.naming(value) if each.naming is not None and isinstance(value, int) else ""
    if isinstance(each, Numbers):
        if each.naming is None or not isinstance(value, list):
            return ""
        return ", ".join(each.naming(one) for one in value[:MAX_NUMBERS]) + _more(value)
    shown = str(each.i2repr(packet, value))
    return "" if shown in (repr(value), str(value), _value(value)) or isinstance(value, bytes) else shown

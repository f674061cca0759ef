"""Scapy layers of XML documents that keep every octet: elements in one another, with their tags, attributes and text.

    XML(data)                    a document
    XMLElement(data)             an element alone

The octets are cut as they stand: entities are not resolved, encodings other than those that contain ASCII are not read.
Number and depth are bounded; what is behind the bounds, or has no end, stays in `unread`. A document's own layer names
elements by a table of its own (`kinds`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.fields import PacketField

from dissectors.binary import exhausted
from dissectors.text import TextField, TextListField, TextPacket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapy.packet import Packet

MAX_TOKENS = 8192  # of one document
MAX_DEPTH = 12  # elements in one another; deeper ones stand side by side
MAX_ATTRIBUTES = 64  # of one tag

_SPACE = rb"[ \t\r\n]"
_NAME = rb"[A-Za-z_:\x80-\xff][\w:.\x80-\xff-]*+"
_START_TAG = re.compile(rb"<" + _NAME + rb"(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+>")
_END_TAG = re.compile(rb"</[^<>]*+>")
_TEXT = re.compile(rb"[^<]++")
_ATTRIBUTE = re.compile(rb"%b++%b%b*+=%b*+(?:\"[^\"]*+\"|'[^']*+')" % (_SPACE, rb"[^\s=\"'<>/]++", _SPACE, _SPACE))
_LAST_END_TAG = re.compile(rb"</[^<>]*+>\Z")
_LOCAL_NAME = re.compile(rb"</?(?:[^\s:/<>\"'=]++:)?([^\s:/<>\"'=]++)")

_CLOSED: tuple[tuple[bytes, bytes], ...] = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))
_DOCTYPE = b"<!"


class XMLText(TextPacket):
    """Character data (XML 1.0 §2.4)."""

    name = "text"
    fields_desc = [TextField("text", b"", rb".*")]


class XMLComment(TextPacket):
    """A comment (XML 1.0 §2.5)."""

    name = "comment"
    fields_desc = [
        TextField("opening", b"<!--", rb"<!--|"),
        TextField("comment", b"", rb".*?(?=-->)|"),
        TextField("closing", b"-->", rb".*"),
    ]


class XMLCharacterData(TextPacket):
    """A CDATA section (XML 1.0 §2.7)."""

    name = "CDATA"
    fields_desc = [
        TextField("opening", b"<![CDATA[", rb"<!\[CDATA\[|"),
        TextField("text", b"", rb".*?(?=\]\]>)|"),
        TextField("closing", b"]]>", rb".*"),
    ]


class XMLProcessingInstruction(TextPacket):
    """A processing instruction, or the XML declaration (XML 1.0 §2.6, §2.8)."""

    name = "processing instruction"
    fields_desc = [
        TextField("opening", b"<?", rb"<\?|"),
        TextField("target", b"xml", rb"[^\s?]*+"),
        TextField("content", b"", rb".*?(?=\?>)|"),
        TextField("closing", b"?>", rb".*"),
    ]


class XMLDocumentType(TextPacket):
    """A document type declaration (XML 1.0 §2.8), which the parser refuses."""

    name = "document type declaration"
    fields_desc = [TextField("declaration", b"<!DOCTYPE", rb".*")]


class XMLAttribute(TextPacket):
    """An attribute (XML 1.0 §3.1) with the white space in front of it."""

    name = "attribute"
    fields_desc = [
        TextField("space", b" ", _SPACE + rb"*+"),
        TextField("attribute_name", b"", rb"[^\s=\"'<>/]*+"),
        TextField("equals", b"=", _SPACE + rb"*+=" + _SPACE + rb"*+|"),
        TextField("quote", b'"', rb"[\"']|"),
        TextField("attribute_value", b"", rb"[^\"']*+(?:[\"'](?!\Z)[^\"']*+)*+"),
        TextField("closing_quote", b'"', rb".*"),
    ]


def _cut_attributes(s: bytes) -> tuple[list[Packet], bytes]:
    packets: list[Packet] = []
    at = 0
    while len(packets) < MAX_ATTRIBUTES and not exhausted() and (found := _ATTRIBUTE.match(s, at)):
        packets.append(XMLAttribute(found[0]))
        at = found.end()
    return packets, s[at:]


class XMLStartTag(TextPacket):
    """The start tag of an element, or the tag of an empty one (XML 1.0 §3.1)."""

    name = "start tag"
    fields_desc = [
        TextField("opening", b"<", rb"<|"),
        TextField("element_name", b"", rb"[^\s<>/\"'=]*+"),
        TextListField("attributes", _cut_attributes),
        TextField("closing", b">", rb".*"),
    ]


class XMLEndTag(TextPacket):
    """The end tag of an element (XML 1.0 §3.1)."""

    name = "end tag"
    fields_desc = [
        TextField("opening", b"</", rb"</|"),
        TextField("element_name", b"", rb"[^\s<>]*+"),
        TextField("closing", b">", rb".*"),
    ]


class _TagField(PacketField):
    """A tag; None where there is none."""

    __slots__ = ("pattern",)

    def __init__(self, name: str, kind: type[Packet], pattern: re.Pattern[bytes]) -> None:
        super().__init__(name, None, kind)
        self.pattern = pattern

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """Take the tag off the front."""
        found = self.pattern.match(s)
        return (s[found.end() :], self.cls(found[0])) if found else (s, None)

    def i2m(self, pkt: Any, i: Any) -> bytes:
        """Build the tag."""
        return b"" if i is None else bytes(i)


class ContentField(TextListField):
    """What stands in an element or document: text, elements, comments."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, _cut_nothing)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Packet]]:
        """Take it off the front, up to an element's end tag."""
        end = len(s)
        if isinstance(pkt, XMLElement):
            found = _LAST_END_TAG.search(s, max(s.rfind(b"</"), 0)) if pkt.start_tag is not None else None
            end = found.start() if found else end
        packets, at = cut(s[:end], pkt.kinds)
        for packet in packets:
            packet.add_parent(pkt)
        return s[at:], packets


def _cut_nothing(s: bytes) -> tuple[list[Packet], bytes]:
    return [], s


class XMLElement(TextPacket):
    """An element (XML 1.0 §3)."""

    name = "element"
    kinds: Mapping[bytes, type[XMLElement]] = {}
    """Layers of the elements inside by their local names."""
    fields_desc = [
        _TagField("start_tag", XMLStartTag, _START_TAG),
        ContentField("content"),
        _TagField("end_tag", XMLEndTag, _END_TAG),
    ]

    def attribute(self, name: bytes) -> bytes | None:
        """The value of an attribute as it stands, by its name as it stands."""
        tag = self.start_tag
        for one in tag.attributes if tag is not None else ():
            if bytes(one.attribute_name) == name:
                return bytes(one.attribute_value)
        return None


class XML(TextPacket):
    """A document (XML 1.0 §2.1)."""

    name = "XML"
    kinds: Mapping[bytes, type[XMLElement]] = {}
    """Layers of its elements by their local names."""
    fields_desc = [ContentField("content"), TextField("unread", b"", rb".*")]

    def elements(self) -> list[XMLElement]:
        """The elements at the top; a document that is well-formed has one."""
        return [one for one in self.content if isinstance(one, XMLElement)]


def cut(s: bytes, kinds: Mapping[bytes, type[XMLElement]]) -> tuple[list[Packet], int]:
    """The layers of a content, and how many of its octets they are."""
    # Each level holds an element's start tag, its class, and what was found in it.
    levels: list[tuple[Packet | None, type[XMLElement], list[Packet]]] = [(None, XMLElement, [])]
    at = 0
    for _ in range(MAX_TOKENS):
        end, kind = _token(s, at)
        if kind is None or exhausted():
            break
        octets = s[at:end]
        at = end
        if kind is XMLStartTag:
            named = _LOCAL_NAME.match(octets)
            layer = kinds.get(named[1], XMLElement) if named else XMLElement
            if octets[-2:-1] == b"/" or len(levels) > MAX_DEPTH:
                levels[-1][2].append(_element(layer, XMLStartTag(octets), [], None))
            else:
                levels.append((XMLStartTag(octets), layer, []))
        elif kind is XMLEndTag and _closes(levels, octets):
            tag, layer, content = levels.pop()
            levels[-1][2].append(_element(layer, tag, content, XMLEndTag(octets)))
        else:
            levels[-1][2].append(kind(octets))
    while len(levels) > 1:  # elements that do not end
        tag, layer, content = levels.pop()
        levels[-1][2].append(_element(layer, tag, content, None))
    return levels[0][2], at


def _closes(levels: list[Any], octets: bytes) -> bool:
    """Whether an end tag is that of the innermost open element."""
    tag = levels[-1][0]
    return tag is not None and octets[2:-1].rstrip() == bytes(tag.element_name)


def _element(layer: type[XMLElement], tag: Packet | None, content: list[Packet], end: Packet | None) -> XMLElement:
    made = layer(start_tag=tag, content=content, end_tag=end)
    made.explicit = 1
    for one in (tag, *content, end):
        if one is not None:
            one.add_parent(made)
    return made


def _token(s: bytes, at: int) -> tuple[int, type[Packet] | None]:
    """Where what begins at an offset ends, and its layer; None at the end, and where something has no end."""
    if at >= len(s):
        return at, None
    if s[at] != 0x3C:
        found = _TEXT.match(s, at)
        return (found.end(), XMLText) if found else (at, None)
    for (opening, closing), kind in zip(_CLOSED, (XMLComment, XMLCharacterData, XMLProcessingInstruction), strict=True):
        if s.startswith(opening, at):
            end = s.find(closing, at + len(opening))
            return (end + len(closing), kind) if end >= 0 else (at, None)
    if s.startswith(_DOCTYPE, at):
        end = _declaration_end(s, at)
        return (end, XMLDocumentType) if end >= 0 else (at, None)
    if s.startswith(b"</", at):
        found = _END_TAG.match(s, at)
        return (found.end(), XMLEndTag) if found else (at, None)
    found = _START_TAG.match(s, at)
    return (found.end(), XMLStartTag) if found else (at, None)


def _declaration_end(s: bytes, at: int) -> int:
    """Behind a document type declaration, its internal subset included; -1 where it has no end."""
    end = s.find(b">", at)
    subset = s.find(b"[", at, end if end >= 0 else len(s))
    if subset >= 0:
        closing = s.find(b"]", subset)
        end = s.find(b">", closing) if closing >= 0 else -1
    return end + 1 if end >= 0 else -1

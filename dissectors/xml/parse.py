"""XML documents as elements with offsets, read by a defused parser, bounded; what is refused is said.

Document types, entities and external references are refused, never expanded: what stands in front of them is kept.
Nothing here raises on any octets. Offsets count octets of the document; they are exact for UTF-8, for other encodings
as far as the parser knows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DTDForbidden, EntitiesForbidden, ExternalReferenceForbidden
from defusedxml.ElementTree import DefusedXMLParser

from dissectors.notes import Note

MAX_OCTETS = 1 << 20  # of a document; a larger one is not read
MAX_DEPTH = 32
MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 64  # of one element; the others are left out

XSI = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(slots=True)
class Element:
    """An element with its place; names are split into namespace and local name."""

    namespace: str
    name: str
    attributes: dict[str, str]  # by local name, or "{namespace}name" for those that have a namespace
    offset: int  # of its start tag
    end: int = 0  # where its end tag begins; behind the tag of an empty one
    text: str = ""  # its own, without that of its children
    children: list[Element] = field(default_factory=list)

    def find(self, name: str) -> Element | None:
        """The first child of its own namespace with a local name."""
        return next((one for one in self.children if one.name == name and one.namespace == self.namespace), None)

    def all(self, name: str) -> list[Element]:
        """The children of its own namespace with a local name."""
        return [one for one in self.children if one.name == name and one.namespace == self.namespace]

    def text_of(self, name: str) -> str | None:
        """The text of a child; None where there is no such child."""
        found = self.find(name)
        return None if found is None else found.text.strip()


@dataclass(slots=True)
class Document:
    """What was read of a document."""

    root: Element | None
    notes: list[Note]
    whole: bool  # False: it was refused, is broken, or goes beyond the bounds; the root is what came before that


class _Bound(Exception):  # noqa: N818 - ends the reading
    pass


class _Target:
    """Takes what the parser finds."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0
        self.notes: list[Note] = []
        self.at: Any = lambda: 0
        self.texts: list[list[str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MAX_ELEMENTS:
            raise _Bound(f"more than {MAX_ELEMENTS} elements")
        if len(self.open) >= MAX_DEPTH:
            raise _Bound(f"elements nested deeper than {MAX_DEPTH}")
        namespace, name = _split(tag)
        offset = self.at()
        if len(attributes) > MAX_ATTRIBUTES:
            self.notes.append(Note(offset, f"{name} has {len(attributes)} attributes; {MAX_ATTRIBUTES} are read"))
            attributes = dict(list(attributes.items())[:MAX_ATTRIBUTES])
        element = Element(namespace, name, attributes, offset)
        if self.open:
            self.open[-1].children.append(element)
        elif self.root is None:
            self.root = element
        self.open.append(element)
        self.texts.append([])

    def data(self, text: str) -> None:
        if self.texts:
            self.texts[-1].append(text)

    def end(self, tag: str) -> None:
        if self.open:
            element = self.open.pop()
            element.text = "".join(self.texts.pop())
            element.end = self.at()

    def close(self) -> None:
        while self.open:
            self.end("")


def _split(tag: str) -> tuple[str, str]:
    namespace, brace, name = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
    return (namespace, name) if brace or not namespace else ("", tag)


def parse(data: bytes) -> Document:
    """Read a document."""
    if len(data) > MAX_OCTETS:
        return Document(
            None, [Note(0, f"the document has {len(data)} octets, more than {MAX_OCTETS}: not read")], False
        )
    target = _Target()
    parser = DefusedXMLParser(target=target, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    target.at = lambda: max(parser.parser.CurrentByteIndex, 0)
    trouble = ""
    try:
        parser.feed(data)
        parser.close()
    except DTDForbidden:
        trouble = "a document type declaration is refused: it can define entities"
    except EntitiesForbidden:
        trouble = "an entity declaration is refused"
    except ExternalReferenceForbidden:
        trouble = "a reference to something external is refused"
    except _Bound as bound:
        trouble = f"{bound}: the rest is not read"
    except ParseError as error:
        trouble = f"not well-formed XML: {error}"
    except (ValueError, LookupError) as error:
        trouble = f"cannot be read: {error}"
    notes = target.notes
    if trouble:
        index = parser.parser.ErrorByteIndex
        notes.append(Note(index if index >= 0 else target.at(), trouble))
    target.close()
    return Document(target.root, notes, not trouble)

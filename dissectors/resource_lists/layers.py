"""Scapy layers of resource-lists documents: every element with its octets, named, with the clause that defines it.

ResourceLists(data)          a document; `document()` gives what it says
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.resource_lists.parse import ResourceListsDocument, parse
from dissectors.xml.layers import XML, XMLElement

if TYPE_CHECKING:
    from collections.abc import Iterator


class ResourceListsElement(XMLElement):
    """RFC 4826 §3.1: the root, which holds lists."""

    name = "resource-lists"


class ListElement(XMLElement):
    """RFC 4826 §3.1: a list of resources, or of lists."""

    name = "list"


class EntryElement(XMLElement):
    """RFC 4826 §3.1: a resource; RFC 5364 §4 says what copy it gets."""

    name = "entry"


class EntryRefElement(XMLElement):
    """RFC 4826 §3.1: a reference to an entry kept on an XCAP server."""

    name = "entry-ref"


class ExternalElement(XMLElement):
    """RFC 4826 §3.1: a reference to a list kept on an XCAP server."""

    name = "external"


class DisplayNameElement(XMLElement):
    """RFC 4826 §3.1: a name for people to read."""

    name = "display-name"


ELEMENTS: dict[bytes, type[XMLElement]] = {
    b"resource-lists": ResourceListsElement,
    b"list": ListElement,
    b"entry": EntryElement,
    b"entry-ref": EntryRefElement,
    b"external": ExternalElement,
    b"display-name": DisplayNameElement,
}
"""Layers of elements by their local names."""

for _layer in ELEMENTS.values():
    _layer.kinds = ELEMENTS


class ResourceLists(XML):
    """A resource-lists document (RFC 4826 §3.2)."""

    name = "resource-lists document"
    kinds = ELEMENTS

    def document(self) -> ResourceListsDocument:
        """What the lean parser reads from the octets of this packet."""
        return parse(bytes(self))

    def troubles(self) -> Iterator[str]:
        """What is wrong with the document, with offsets."""
        return (f"{note.text} at {note.offset}" for note in self.document().notes)

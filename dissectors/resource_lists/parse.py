"""resource-lists documents from bytes (RFC 4826), with who gets copies (RFC 5364); used as recipients by RFC 5366 and
RFC 5365. Nothing here raises on any bytes; what is wrong becomes a note.
"""

from __future__ import annotations

from dataclasses import dataclass

from dissectors.notes import Note
from dissectors.resource_lists.codes import COPY_CONTROL_NAMESPACE, COPY_CONTROLS, NAMESPACE
from dissectors.xml.parse import Element
from dissectors.xml.parse import parse as parse_xml

MAX_DEPTH = 8  # lists in lists
MAX_COUNT_DIGITS = 10
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(slots=True, frozen=True)
class Entry:
    """A resource (RFC 4826 §3.1)."""

    uri: str
    display_name: str | None = None
    copy_control: str | None = None  # as written; None where it is left out
    anonymize: bool = False
    count: int | None = None  # of anonymous recipients that the entry stands for
    offset: int = 0

    @property
    def role(self) -> str:
        """The copyControl that counts (RFC 5364 §4)."""
        return self.copy_control if self.copy_control in COPY_CONTROLS else "to"


@dataclass(slots=True, frozen=True)
class Reference:
    """An entry-ref, or an external list (RFC 4826 §3.1): what it refers to is not in the document."""

    kind: str  # "entry-ref" or "external"
    target: str
    display_name: str | None = None
    offset: int = 0


@dataclass(slots=True, frozen=True)
class ResourceList:
    """A list (RFC 4826 §3.1)."""

    name: str | None = None
    display_name: str | None = None
    entries: tuple[Entry, ...] = ()
    lists: tuple[ResourceList, ...] = ()
    references: tuple[Reference, ...] = ()
    extensions: tuple[str, ...] = ()  # names of elements that no RFC above defines
    offset: int = 0

    def all_entries(self) -> tuple[Entry, ...]:
        """Its entries, then those of the lists inside it."""
        return self.entries + tuple(entry for one in self.lists for entry in one.all_entries())

    def all_references(self) -> tuple[Reference, ...]:
        """Its references, then those of the lists inside it."""
        return self.references + tuple(each for one in self.lists for each in one.all_references())


@dataclass(slots=True, frozen=True)
class ResourceListsDocument:
    """What was read."""

    lists: tuple[ResourceList, ...]
    notes: tuple[Note, ...]
    whole: bool  # False: reading ended early, or was refused

    def recipients(self) -> tuple[Entry, ...]:
        """All entries, each URI once: the first of its kind counts (RFC 5366)."""
        found: dict[str, Entry] = {}
        for one in self.lists:
            for entry in one.all_entries():
                found.setdefault(entry.uri, entry)
        return tuple(found.values())

    def references(self) -> tuple[Reference, ...]:
        """What the document only refers to: these recipients cannot be told."""
        return tuple(each for one in self.lists for each in one.all_references())


def parse(data: bytes) -> ResourceListsDocument:
    """Read a document."""
    document = parse_xml(data)
    root = document.root
    notes = list(document.notes)
    if root is None:
        return ResourceListsDocument((), tuple(notes), document.whole)
    if (root.namespace, root.name) != (NAMESPACE, "resource-lists"):
        notes.append(Note(root.offset, f"the root element is {root.name!r} of {root.namespace!r}, not resource-lists"))
        return ResourceListsDocument((), tuple(notes), document.whole)
    lists = tuple(_list(one, notes, 0) for one in root.all("list"))
    return ResourceListsDocument(lists, tuple(notes), document.whole)


def _list(element: Element, notes: list[Note], depth: int) -> ResourceList:
    inner = element.all("list")
    if inner and depth + 1 >= MAX_DEPTH:
        notes.append(Note(inner[0].offset, "lists nested too deep are not read"))
        inner = []
    return ResourceList(
        name=element.attributes.get("name"),
        display_name=element.text_of("display-name"),
        entries=tuple(_entry(one, notes) for one in element.all("entry")),
        lists=tuple(_list(one, notes, depth + 1) for one in inner),
        references=tuple(
            _reference(one, attribute, notes)
            for one in element.children
            if one.namespace == NAMESPACE and (attribute := _TARGETS.get(one.name))
        ),
        extensions=tuple(one.name for one in element.children if one.namespace != NAMESPACE or one.name not in _KNOWN),
        offset=element.offset,
    )


_TARGETS = {"entry-ref": "ref", "external": "anchor"}
_KNOWN = frozenset(("display-name", "entry", "entry-ref", "external", "list"))


def _reference(element: Element, attribute: str, notes: list[Note]) -> Reference:
    target = element.attributes.get(attribute, "")
    if not target:
        notes.append(Note(element.offset, f"{element.name} has no {attribute}"))
    return Reference(element.name, target, element.text_of("display-name"), element.offset)


def _copy_control(element: Element, name: str) -> str | None:
    for attribute, value in element.attributes.items():
        namespace, brace, local = attribute[1:].partition("}")
        if brace and local == name and namespace.lower() == COPY_CONTROL_NAMESPACE:
            return value
    return None


def _entry(element: Element, notes: list[Note]) -> Entry:
    uri = element.attributes.get("uri", "")
    if not uri:
        notes.append(Note(element.offset, "entry has no uri"))
    control = _copy_control(element, "copyControl")
    if control is not None and control not in COPY_CONTROLS:
        notes.append(Note(element.offset, f"copyControl is {control!r}, none of {', '.join(COPY_CONTROLS)}"))
    anonymize = _copy_control(element, "anonymize")
    if anonymize is not None and anonymize not in _BOOLEANS:
        notes.append(Note(element.offset, f"anonymize is {anonymize!r}, no boolean"))
    count = _copy_control(element, "count")
    number = count is not None and count.isascii() and count.isdigit() and len(count) <= MAX_COUNT_DIGITS
    if count is not None and not number:
        notes.append(Note(element.offset, f"count is {count!r}, no number"))
    return Entry(
        uri=uri,
        display_name=element.text_of("display-name"),
        copy_control=control,
        anonymize=_BOOLEANS.get(anonymize or "", False),
        count=int(count) if count is not None and number else None,
        offset=element.offset,
    )

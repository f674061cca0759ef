"""Documents are read with offsets; what could reach outside or run away is refused and said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.xml.parse import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_OCTETS, Document, parse

DECLARATION = "a document type declaration is refused: it can define entities"


def texts(document: Document) -> list[str]:
    """What is noted."""
    return [note.text for note in document.notes]


def test_elements_have_names_texts_and_offsets() -> None:
    data = b'<a xmlns="u" xmlns:p="v"><b p:x="1" y="2">t&amp;u</b><p:c/>w</a>'
    document = parse(data)
    assert document.whole
    assert document.notes == []
    root = document.root
    assert root is not None
    assert (root.namespace, root.name, root.offset, root.text) == ("u", "a", 0, "w")
    first, second = root.children
    assert (first.attributes, first.text) == ({"{v}x": "1", "y": "2"}, "t&u")
    assert data[first.offset :].startswith(b"<b ")
    assert data[first.end :].startswith(b"</b>")
    assert (second.namespace, second.name) == ("v", "c")
    assert root.find("b") is first
    assert root.find("c") is None  # of another namespace
    assert root.text_of("b") == "t&u"
    assert root.text_of("c") is None


@pytest.mark.parametrize(
    ("data", "text", "offset"),
    [
        (b"<!DOCTYPE a><a/>", DECLARATION, 11),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", DECLARATION, 12),
        (b"<!DOCTYPE a SYSTEM 'http://h/d'><a/>", DECLARATION, 31),
        (b"<a>&b;</a>", "not well-formed XML: undefined entity: line 1, column 3", 3),
        (b"<a><b></a>", "not well-formed XML: mismatched tag: line 1, column 8", 8),
        (b"", "not well-formed XML: no element found: line 1, column 0", 0),
        (b"<?xml version='1.0' encoding='none'?><a/>", "cannot be read: unknown encoding: none", 30),
    ],
)
def test_what_is_refused_or_broken_is_said_with_its_place(data: bytes, text: str, offset: int) -> None:
    document = parse(data)
    assert not document.whole
    assert texts(document) == [text]
    assert document.notes[0].offset == offset


def test_what_came_before_the_trouble_is_kept() -> None:
    root = parse(b"<a><b>t</b><c><d></a>").root
    assert root is not None
    assert [one.name for one in root.children] == ["b", "c"]
    assert root.children[0].text == "t"


def test_bounds_hold_and_are_said() -> None:
    assert texts(parse(b"<a>" * (MAX_DEPTH + 1))) == [f"elements nested deeper than {MAX_DEPTH}: the rest is not read"]
    wide = parse(b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>")
    assert texts(wide) == [f"more than {MAX_ELEMENTS} elements: the rest is not read"]
    assert wide.root is not None
    assert len(wide.root.children) == MAX_ELEMENTS - 1
    many = parse(b"<a " + b" ".join(b"b%d='c'" % number for number in range(MAX_ATTRIBUTES + 1)) + b"/>")
    assert texts(many) == [f"a has {MAX_ATTRIBUTES + 1} attributes; {MAX_ATTRIBUTES} are read"]
    assert many.whole
    large = parse(b" " * (MAX_OCTETS + 1))
    assert (large.root, large.whole) == (None, False)


@given(st.binary(max_size=200))
def test_any_octets_raise_nothing(data: bytes) -> None:
    parse(data)
    parse(b"<a>" + data + b"</a>")

"""XML layers keep every octet, put elements into one another, and stay bounded."""

from __future__ import annotations

import inspect
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.text import TextPacket
from dissectors.tree import tree
from dissectors.xml import layers
from dissectors.xml.layers import (
    MAX_DEPTH,
    XML,
    XMLAttribute,
    XMLCharacterData,
    XMLComment,
    XMLDocumentType,
    XMLElement,
    XMLEndTag,
    XMLProcessingInstruction,
    XMLStartTag,
    XMLText,
)
from tests.dissectors.caches import without_caches

LAYERS = [
    one
    for one in vars(layers).values()
    if inspect.isclass(one) and issubclass(one, TextPacket) and one is not TextPacket
]

DOCUMENT = (
    b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<!-- a > comment --><a:r xmlns:a = \"u>v\" b='\"'>\n"
    b'<c/>t &lt; <d\n e="1" ></d ><![CDATA[<x>]]></a:r>\n'
)
PARTS = [
    b"<a>",
    b"</a>",
    b"<b x='1'/>",
    b"<!-- c -->",
    b"<![CDATA[d]]>",
    b"<?e f?>",
    b"<!DOCTYPE g [ <!ENTITY h 'i'> ]>",
    b"text",
    b"<",
    b">",
    b"'",
    b'"',
    b"</b>",
    b"<!--",
    b"]]>",
    b"\x00",
    b"\xff",
    b"<a",
    b" = ",
    b"\r\n",
]


def test_a_document_is_cut_into_its_parts() -> None:
    document = XML(DOCUMENT)
    assert bytes(without_caches(document)) == DOCUMENT
    assert bytes(document.copy()) == DOCUMENT
    assert document.unread == b""
    kinds = [type(one) for one in document.content]
    assert kinds == [XMLText, XMLProcessingInstruction, XMLText, XMLComment, XMLElement, XMLText]
    (root,) = document.elements()
    assert root.start_tag.element_name == b"a:r"
    assert root.attribute(b"xmlns:a") == b"u>v"
    assert root.attribute(b"b") == b'"'
    assert root.attribute(b"missing") is None
    assert [type(one) for one in root.content] == [XMLText, XMLElement, XMLText, XMLElement, XMLCharacterData]
    assert root.content[1].end_tag is None
    assert root.content[3].start_tag.closing == b" >"
    assert root.content[3].end_tag.closing == b" >"
    assert root.content[4].text == b"<x>"
    assert root.end_tag.element_name == b"a:r"


def test_a_changed_part_is_built_and_nothing_else() -> None:
    document = XML(DOCUMENT)
    document.elements()[0].content[3].start_tag.attributes[0].attribute_value = b"22"
    assert bytes(document) == DOCUMENT.replace(b'e="1"', b'e="22"')


def test_a_document_is_built_from_layers() -> None:
    tag = XMLStartTag(element_name=b"a", attributes=[XMLAttribute(attribute_name=b"b", attribute_value=b"c")])
    element = XMLElement(start_tag=tag, content=[XMLText(text=b"d")], end_tag=XMLEndTag(element_name=b"a"))
    assert bytes(XML(content=[XMLProcessingInstruction(content=b" version='1.0'"), element])) == (
        b"<?xml version='1.0'?><a b=\"c\">d</a>"
    )


def test_a_document_type_is_one_part_with_its_subset() -> None:
    data = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    declaration, root = XML(data).content
    assert isinstance(declaration, XMLDocumentType)
    assert bytes(root) == b"<a>&b;</a>"


@pytest.mark.parametrize(
    "data", [b"<a><!-- no end", b"<a><![CDATA[", b"<a><?x", b"<a><b c='>", b"<a></", b"<a><!DOCTYPE [", b"<a>< b"]
)
def test_what_has_no_end_stays_unread(data: bytes) -> None:
    document = XML(data)
    assert bytes(without_caches(document)) == data
    assert document.unread == data[3:]


def test_elements_that_do_not_end_and_ends_without_a_beginning_are_kept() -> None:
    data = b"</x><a><b>t</c></a>"
    document = XML(data)
    assert bytes(without_caches(document)) == data
    end, first = document.content
    assert isinstance(end, XMLEndTag)
    assert first.end_tag is None
    assert [bytes(one) for one in first.content[0].content] == [b"t", b"</c>", b"</a>"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=25))
def test_any_order_of_parts_is_kept(parts: list[bytes]) -> None:
    data = b"".join(parts)
    document = without_caches(XML(data))
    assert bytes(document) == data
    assert bytes(document.copy()) == data
    shown = tree(document)
    assert (shown.offset, shown.length) == (0, len(data))
    document.show(dump=True)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=60, deadline=None)
@given(data=st.one_of(st.lists(st.sampled_from(PARTS), min_size=1).map(b"".join), st.binary(min_size=1)))
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[TextPacket], data: bytes) -> None:
    packet = without_caches(layer(data))
    assert bytes(packet) == data
    assert bytes(packet.copy()) == data
    tree(packet)


def test_an_element_alone_is_taken_apart() -> None:
    element = XMLElement(b"<a b='c'>d<e/></a>")
    assert element.attribute(b"b") == b"c"
    assert [bytes(one) for one in element.content] == [b"d", b"<e/>"]
    assert bytes(element.end_tag) == b"</a>"


def test_elements_nested_too_deep_stand_side_by_side() -> None:
    data = b"<a>" * 50 + b"</a>" * 50
    document = XML(data)
    assert bytes(without_caches(document)) == data
    depth, one = 0, document.elements()
    while one:
        depth, one = depth + 1, [each for each in one[0].content if isinstance(each, XMLElement)]
    assert depth == MAX_DEPTH + 1


@pytest.mark.parametrize(
    "data",
    [
        b"<a " * 100_000,
        b"<!--" * 50_000,
        b"<a b='" * 50_000,
        b"</" * 100_000,
        b"<a>" * 100_000,
        b"<a" + b" b='c'" * 50_000 + b"/>",
        b"<![CDATA[" * 30_000,
        b"<!x[" * 50_000,
        b"a" * 500_000,
    ],
    ids=["tags", "comments", "quotes", "ends", "elements", "attributes", "cdata", "declarations", "text"],
)
def test_hostile_documents_are_read_in_little_time(data: bytes) -> None:
    begin = time.perf_counter()
    assert bytes(XML(data)) == data
    assert bytes(XMLElement(data)) == data
    assert time.perf_counter() - begin < 8

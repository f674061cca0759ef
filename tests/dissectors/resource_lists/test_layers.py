"""resource-lists documents: recipients with their copy control, references, octets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.resource_lists.codes import COPY_CONTROLS
from dissectors.resource_lists.layers import ELEMENTS, EntryElement, ResourceLists
from dissectors.resource_lists.parse import Entry, Reference, parse
from dissectors.tree import tree

DOCUMENT = b"""<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol" xmlns:x="u">
 <list name="friends"><display-name>Friends</display-name>
  <entry uri="sip:bill@lab.test" cp:copyControl="to"><display-name>Bill</display-name></entry>
  <entry uri="sip:joe@lab.test" cp:copyControl="cc" cp:anonymize="true"/>
  <entry uri="sip:anonymous@anonymous.invalid" cp:copyControl="bcc" cp:count="2"/>
  <list name="inner"><entry uri="sip:ted@lab.test"/><entry uri="sip:bill@lab.test" cp:copyControl="bcc"/></list>
  <entry-ref ref="resource-lists/users/sip:a/index/~~/x"><display-name>Ref</display-name></entry-ref>
  <external anchor="http://lab.test/list"/>
  <x:more/>
 </list>
</resource-lists>
"""


def test_lists_entries_and_references_are_read() -> None:
    document = parse(DOCUMENT)
    assert document.notes == ()
    (friends,) = document.lists
    assert (friends.name, friends.display_name, friends.extensions) == ("friends", "Friends", ("more",))
    assert friends.entries[0] == Entry("sip:bill@lab.test", "Bill", "to", offset=DOCUMENT.index(b"<entry uri"))
    assert (friends.entries[1].role, friends.entries[1].anonymize) == ("cc", True)
    assert (friends.entries[2].role, friends.entries[2].count) == ("bcc", 2)
    assert [one.uri for one in friends.lists[0].entries] == ["sip:ted@lab.test", "sip:bill@lab.test"]
    assert document.references() == (
        Reference("entry-ref", "resource-lists/users/sip:a/index/~~/x", "Ref", DOCUMENT.index(b"<entry-ref")),
        Reference("external", "http://lab.test/list", None, DOCUMENT.index(b"<external")),
    )


def test_recipients_are_named_once() -> None:
    assert [(one.uri, one.role) for one in parse(DOCUMENT).recipients()] == [
        ("sip:bill@lab.test", "to"),
        ("sip:joe@lab.test", "cc"),
        ("sip:anonymous@anonymous.invalid", "bcc"),
        ("sip:ted@lab.test", "to"),
    ]


def listed(entry: str) -> bytes:
    """A document with one entry."""
    return (
        '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol">'
        f"<list>{entry}</list></resource-lists>"
    ).encode()


@pytest.mark.parametrize("control", COPY_CONTROLS)
def test_every_copy_control_is_read(control: str) -> None:
    document = parse(listed(f"<entry uri='u' cp:copyControl='{control}'/>"))
    assert document.notes == ()
    assert [one.role for one in document.recipients()] == [control]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("<entry/>", "entry has no uri"),
        ("<entry uri='u' cp:copyControl='all'/>", "copyControl is 'all', none of to, cc, bcc"),
        ("<entry uri='u' cp:anonymize='yes'/>", "anonymize is 'yes', no boolean"),
        ("<entry uri='u' cp:count='many'/>", "count is 'many', no number"),
        ("<entry-ref/>", "entry-ref has no ref"),
        ("<external/>", "external has no anchor"),
    ],
)
def test_what_is_wrong_is_noted(entry: str, text: str) -> None:
    data = listed(entry)
    (note,) = parse(data).notes
    assert (note.text, note.offset) == (text, data.index(entry.encode()))


def test_lists_are_bounded_and_other_documents_are_refused() -> None:
    (note,) = parse(listed("<list>" * 10 + "</list>" * 10)).notes
    assert note.text == "lists nested too deep are not read"
    for data in (b"<a/>", b"<!DOCTYPE a><a/>", b""):
        document = parse(data)
        assert (document.lists, len(document.notes)) == ((), 1)


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_element_has_its_layer(name: bytes) -> None:
    data = b"<" + name + b"><" + name + b"/></" + name + b">"
    (outer,) = ResourceLists(data).elements()
    assert type(outer) is type(outer.content[0]) is ELEMENTS[name]
    assert tree(outer).clause == "RFC 4826 §3.1"


def test_the_layer_keeps_octets_and_gives_what_the_parser_reads() -> None:
    packet = ResourceLists(DOCUMENT)
    assert bytes(packet) == DOCUMENT
    assert packet.document() == parse(DOCUMENT)
    assert list(packet.troubles()) == []
    entry = packet.elements()[0].content[1].content[2]
    assert isinstance(entry, EntryElement)
    assert entry.attribute(b"cp:copyControl") == b"to"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_changed_document_is_kept_to_the_octet(data: st.DataObject) -> None:
    at, gone = data.draw(st.integers(0, len(DOCUMENT))), data.draw(st.integers(0, 10))
    octets = DOCUMENT[:at] + data.draw(st.binary(max_size=6)) + DOCUMENT[at + gone :]
    if octets:
        packet = ResourceLists(octets)
        assert bytes(packet) == octets
        tree(packet)
        list(packet.troubles())

"""The layer of a conference-info document keeps its octets and gives what the lean parser reads."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.confinfo.layers import ConferenceInfo, EndpointElement, UserElement
from dissectors.confinfo.parse import parse
from dissectors.tree import tree

DOCUMENT = (
    b'<?xml version="1.0"?>\r\n<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:c@lab.test"'
    b' state="full" version="3">\r\n <users><user entity="sip:a@lab.test"><endpoint entity="sip:a@192.0.2.1">'
    b"<status>connected</status><media id='1'><src-id>7</src-id></media></endpoint></user></users>\r\n"
    b"</conference-info>\r\n"
)


def test_elements_are_layers_in_one_another() -> None:
    packet = ConferenceInfo(DOCUMENT)
    assert bytes(packet) == DOCUMENT
    (root,) = packet.elements()
    assert root.attribute(b"version") == b"3"
    user = root.content[1].content[0]
    assert isinstance(user, UserElement)
    assert user.attribute(b"entity") == b"sip:a@lab.test"
    assert isinstance(user.content[0], EndpointElement)


def test_the_layer_and_the_lean_parser_agree_also_after_a_change() -> None:
    packet = ConferenceInfo(DOCUMENT)
    assert packet.document() == parse(DOCUMENT)
    assert list(packet.troubles()) == []
    packet.elements()[0].start_tag.attributes[3].attribute_value = b"x"
    assert list(packet.troubles()) == ["version is 'x', no unsigned number of 32 bits at 23"]


def test_the_tree_gives_offsets_of_elements() -> None:
    nodes = {node.name: node for node in tree(ConferenceInfo(DOCUMENT)).walk() if node.clause.startswith("RFC 4575")}
    media = nodes["media"]
    assert DOCUMENT[media.offset : media.offset + media.length] == b"<media id='1'><src-id>7</src-id></media>"
    assert media.clause == "RFC 4575 §5.8"


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_changed_document_is_kept_to_the_octet(data: st.DataObject) -> None:
    at, gone = data.draw(st.integers(0, len(DOCUMENT))), data.draw(st.integers(0, 10))
    octets = DOCUMENT[:at] + data.draw(st.binary(max_size=6)) + DOCUMENT[at + gone :]
    if octets:
        packet = ConferenceInfo(octets)
        assert bytes(packet) == octets
        assert bytes(packet.copy()) == octets
        tree(packet)
        list(packet.troubles())

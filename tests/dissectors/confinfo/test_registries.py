"""Every value and element of conference-info is read and shown."""

from __future__ import annotations

import pytest

from dissectors.confinfo.codes import (
    DISCONNECTION_METHODS,
    ENDPOINT_STATUSES,
    JOINING_METHODS,
    MEDIA_STATUSES,
    STATES,
)
from dissectors.confinfo.layers import ELEMENTS, ConferenceInfo
from dissectors.confinfo.parse import parse
from dissectors.tree import tree

TEMPLATE = (
    '<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="e" version="0"><users state="{users}">'
    '<user entity="u"><endpoint entity="p"><status>{status}</status><joining-method>{joining}</joining-method>'
    '<disconnection-method>{leaving}</disconnection-method><media id="1"><status>{media}</status></media></endpoint>'
    "</user></users></conference-info>"
)
DEFAULTS = {
    "users": "full",
    "status": "connected",
    "joining": "dialed-in",
    "leaving": "departed",
    "media": "sendrecv",
}
VALUES = [
    (place, value)
    for place, table in (
        ("users", STATES),
        ("status", ENDPOINT_STATUSES),
        ("joining", JOINING_METHODS),
        ("leaving", DISCONNECTION_METHODS),
        ("media", MEDIA_STATUSES),
    )
    for value in table
]


@pytest.mark.parametrize(("place", "value"), VALUES)
def test_every_value_is_read_without_a_note(place: str, value: str) -> None:
    document = parse(TEMPLATE.format(**DEFAULTS | {place: value}).encode())
    assert document.notes == ()
    assert document.conference is not None
    assert document.conference.users is not None
    endpoint = document.conference.users.users[0].endpoints[0]
    found = {
        "users": document.conference.users.state,
        "status": endpoint.status,
        "joining": endpoint.joining_method,
        "leaving": endpoint.disconnection_method,
        "media": endpoint.media[0].status,
    }
    assert found[place] == value


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_element_has_its_layer(name: bytes) -> None:
    data = b"<c:" + name + b" xmlns:c='urn:ietf:params:xml:ns:conference-info'><c:" + name + b"/></c:" + name + b">"
    packet = ConferenceInfo(data)
    (outer,) = packet.elements()
    assert type(outer) is ELEMENTS[name]
    assert type(outer.content[0]) is ELEMENTS[name]
    assert bytes(packet) == data
    nodes = [node for node in tree(packet).walk() if node.name == name.decode()]
    assert len(nodes) == 2
    assert all(node.clause.startswith("RFC 4575 §5.") for node in nodes)

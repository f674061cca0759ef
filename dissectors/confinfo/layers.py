"""Scapy layers of conference-info documents: every element with its octets, named, with the clause that defines it.

ConferenceInfo(data)         a document; `document()` gives what it says
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.confinfo.parse import ConferenceDocument, parse
from dissectors.xml.layers import XML, XMLElement

if TYPE_CHECKING:
    from collections.abc import Iterator


class ConferenceInfoElement(XMLElement):
    """RFC 4575 §5.2."""

    name = "conference-info"


class ConferenceDescriptionElement(XMLElement):
    """RFC 4575 §5.3."""

    name = "conference-description"


class ConfUrisElement(XMLElement):
    """RFC 4575 §5.3.1."""

    name = "conf-uris"


class ServiceUrisElement(XMLElement):
    """RFC 4575 §5.3.2."""

    name = "service-uris"


class MaximumUserCountElement(XMLElement):
    """RFC 4575 §5.3.3."""

    name = "maximum-user-count"


class AvailableMediaElement(XMLElement):
    """RFC 4575 §5.3.4."""

    name = "available-media"


class HostInfoElement(XMLElement):
    """RFC 4575 §5.4."""

    name = "host-info"


class ConferenceStateElement(XMLElement):
    """RFC 4575 §5.5."""

    name = "conference-state"


class UsersElement(XMLElement):
    """RFC 4575 §5.6."""

    name = "users"


class UserElement(XMLElement):
    """RFC 4575 §5.6."""

    name = "user"


class AssociatedAorsElement(XMLElement):
    """RFC 4575 §5.6.2."""

    name = "associated-aors"


class RolesElement(XMLElement):
    """RFC 4575 §5.6.3."""

    name = "roles"


class LanguagesElement(XMLElement):
    """RFC 4575 §5.6.4."""

    name = "languages"


class CascadedFocusElement(XMLElement):
    """RFC 4575 §5.6.5."""

    name = "cascaded-focus"


class EndpointElement(XMLElement):
    """RFC 4575 §5.7."""

    name = "endpoint"


class ReferredElement(XMLElement):
    """RFC 4575 §5.7.2."""

    name = "referred"


class JoiningMethodElement(XMLElement):
    """RFC 4575 §5.7.4."""

    name = "joining-method"


class JoiningInfoElement(XMLElement):
    """RFC 4575 §5.7.5."""

    name = "joining-info"


class DisconnectionMethodElement(XMLElement):
    """RFC 4575 §5.7.6."""

    name = "disconnection-method"


class DisconnectionInfoElement(XMLElement):
    """RFC 4575 §5.7.7."""

    name = "disconnection-info"


class CallInfoElement(XMLElement):
    """RFC 4575 §5.7.9."""

    name = "call-info"


class MediaElement(XMLElement):
    """RFC 4575 §5.8."""

    name = "media"


class LabelElement(XMLElement):
    """RFC 4575 §5.8.3."""

    name = "label"


class SrcIdElement(XMLElement):
    """RFC 4575 §5.8.4."""

    name = "src-id"


class SidebarsByRefElement(XMLElement):
    """RFC 4575 §5.9.1."""

    name = "sidebars-by-ref"


class SidebarsByValElement(XMLElement):
    """RFC 4575 §5.9.2."""

    name = "sidebars-by-val"


ELEMENTS: dict[bytes, type[XMLElement]] = {
    b"conference-info": ConferenceInfoElement,
    b"conference-description": ConferenceDescriptionElement,
    b"conf-uris": ConfUrisElement,
    b"service-uris": ServiceUrisElement,
    b"maximum-user-count": MaximumUserCountElement,
    b"available-media": AvailableMediaElement,
    b"host-info": HostInfoElement,
    b"conference-state": ConferenceStateElement,
    b"users": UsersElement,
    b"user": UserElement,
    b"associated-aors": AssociatedAorsElement,
    b"roles": RolesElement,
    b"languages": LanguagesElement,
    b"cascaded-focus": CascadedFocusElement,
    b"endpoint": EndpointElement,
    b"referred": ReferredElement,
    b"joining-method": JoiningMethodElement,
    b"joining-info": JoiningInfoElement,
    b"disconnection-method": DisconnectionMethodElement,
    b"disconnection-info": DisconnectionInfoElement,
    b"call-info": CallInfoElement,
    b"media": MediaElement,
    b"label": LabelElement,
    b"src-id": SrcIdElement,
    b"sidebars-by-ref": SidebarsByRefElement,
    b"sidebars-by-val": SidebarsByValElement,
}
"""Layers of elements by their local names."""

for _layer in ELEMENTS.values():
    _layer.kinds = ELEMENTS


class ConferenceInfo(XML):
    """A conference-info document (RFC 4575 §4.1)."""

    name = "conference-info document"
    kinds = ELEMENTS

    def document(self) -> ConferenceDocument:
        """What the lean parser reads from the octets of this packet."""
        return parse(bytes(self))

    def troubles(self) -> Iterator[str]:
        """What is wrong with the document, with offsets."""
        return (f"{note.text} at {note.offset}" for note in self.document().notes)

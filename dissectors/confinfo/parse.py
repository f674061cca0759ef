"""conference-info documents from bytes (RFC 4575). Nothing here raises on any bytes; what is wrong becomes a note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.confinfo.codes import (
    DISCONNECTION_METHODS,
    ENDPOINT_STATUSES,
    JOINING_METHODS,
    MEDIA_STATUSES,
    NAMESPACE,
    STATES,
)
from dissectors.confinfo.model import (
    AvailableMedium,
    Conference,
    ConferenceDescription,
    ConferenceState,
    Endpoint,
    Execution,
    Extension,
    HostInfo,
    Media,
    Sidebars,
    SipDialog,
    Uri,
    Uris,
    User,
    Users,
)
from dissectors.notes import Note
from dissectors.xml.parse import Element
from dissectors.xml.parse import parse as parse_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    Item = TypeVar("Item")

MAX_SIDEBAR_DEPTH = 2  # sidebars of sidebars are not read
MAX_NUMBER_DIGITS = 10


@dataclass(slots=True, frozen=True)
class ConferenceDocument:
    """What was read: the conference, and what is wrong with the document."""

    conference: Conference | None  # None: it is no conference-info document, or is refused
    notes: tuple[Note, ...]
    whole: bool  # False: reading ended early, or was refused; the conference is what came before


KNOWN: dict[str, frozenset[str]] = {
    "conference": frozenset(
        (
            "conference-description",
            "host-info",
            "conference-state",
            "users",
            "sidebars-by-ref",
            "sidebars-by-val",
        )
    ),
    "conference-description": frozenset(
        (
            "display-text",
            "subject",
            "free-text",
            "keywords",
            "conf-uris",
            "service-uris",
            "maximum-user-count",
            "available-media",
        )
    ),
    "host-info": frozenset(("display-text", "web-page", "uris")),
    "conference-state": frozenset(("user-count", "active", "locked")),
    "users": frozenset(("user",)),
    "user": frozenset(("display-text", "associated-aors", "roles", "languages", "cascaded-focus", "endpoint")),
    "endpoint": frozenset(
        (
            "display-text",
            "referred",
            "status",
            "joining-method",
            "joining-info",
            "disconnection-method",
            "disconnection-info",
            "media",
            "call-info",
        )
    ),
    "media": frozenset(("display-text", "type", "label", "src-id", "status")),
}
"""Elements that the schema defines inside others (RFC 4575 §7)."""


def parse(data: bytes) -> ConferenceDocument:
    """Read a document."""
    document = parse_xml(data)
    root = document.root
    notes = list(document.notes)
    if root is None:
        return ConferenceDocument(None, tuple(notes), document.whole)
    if (root.namespace, root.name) != (NAMESPACE, "conference-info"):
        notes.append(Note(root.offset, f"the root element is {root.name!r} of {root.namespace!r}, not conference-info"))
        return ConferenceDocument(None, tuple(notes), document.whole)
    conference = _Reader(notes).conference(root, 0)
    return ConferenceDocument(conference, tuple(notes), document.whole)


class _Reader:
    """Makes values of elements, and notes of what is wrong with them."""

    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes

    def note(self, element: Element, text: str) -> None:
        self.notes.append(Note(element.offset, text))

    # -- attributes and simple types

    def key(self, element: Element, name: str) -> str:
        """The attribute that tells elements of one kind apart (RFC 4575 §4.5)."""
        value = element.attributes.get(name)
        if not value:
            self.note(element, f"{element.name} has no {name}")
        return value or ""

    def state(self, element: Element) -> str:
        value = element.attributes.get("state", "full")
        if value not in STATES:
            self.note(element, f"state of {element.name} is {value!r}, none of {', '.join(STATES)}")
        return value

    def token(self, element: Element, name: str, known: Mapping[str, str]) -> str | None:
        """A child's text, which is to be one of some values."""
        value = element.text_of(name)
        if value is not None and value not in known:
            self.note(element, f"{name} is {value!r}, none of {', '.join(known)}")
        return value

    def number(self, element: Element, name: str) -> int | None:
        return self.unsigned(element, name, element.text_of(name))

    def unsigned(self, element: Element, name: str, value: str | None) -> int | None:
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= MAX_NUMBER_DIGITS and int(value) < 1 << 32):
            self.note(element, f"{name} is {value!r}, no unsigned number of 32 bits")
            return None
        return int(value)

    def boolean(self, element: Element, name: str) -> bool | None:
        value = element.text_of(name)
        if value is not None and value not in _BOOLEANS:
            self.note(element, f"{name} is {value!r}, no boolean")
        return _BOOLEANS.get(value or "")

    def keyed(
        self, element: Element, name: str, read: Callable[[Element], Item], key: Callable[[Item], str]
    ) -> tuple[Item, ...]:
        """Children of one kind; of those with the same key the last one counts (RFC 4575 §4.5)."""
        found: dict[str, Item] = {}
        for child in element.all(name):
            item = read(child)
            if key(item) in found:
                self.note(child, f"{name} {key(item)!r} is there more than once")
            found[key(item)] = item
        return tuple(found.values())

    def extensions(self, element: Element, kind: str) -> tuple[Extension, ...]:
        known = KNOWN[kind]
        return tuple(
            Extension(one.namespace, one.name, one.text.strip(), one.offset)
            for one in element.children
            if one.namespace != NAMESPACE or one.name not in known
        )

    # -- the elements

    def conference(self, element: Element, depth: int) -> Conference:
        child = element.find
        by_val = child("sidebars-by-val")
        if by_val is not None and depth >= MAX_SIDEBAR_DEPTH:
            self.note(by_val, "sidebars nested too deep are not read")
            by_val = None
        version = element.attributes.get("version")
        return Conference(
            entity=self.key(element, "entity"),
            state=self.state(element),
            version=self.unsigned(element, "version", version),
            conference_description=_maybe(self.description, child("conference-description")),
            host_info=_maybe(self.host, child("host-info")),
            conference_state=_maybe(self.conference_state, child("conference-state")),
            users=_maybe(self.users, child("users")),
            sidebars_by_ref=_maybe(self.uris, child("sidebars-by-ref")),
            sidebars_by_val=_maybe(lambda one: self.sidebars(one, depth), by_val),
            extensions=self.extensions(element, "conference"),
            offset=element.offset,
        )

    def sidebars(self, element: Element, depth: int) -> Sidebars:
        entries = self.keyed(element, "entry", lambda one: self.conference(one, depth + 1), lambda one: one.entity)
        return Sidebars(entries, self.state(element), element.offset)

    def description(self, element: Element) -> ConferenceDescription:
        media = element.find("available-media")
        return ConferenceDescription(
            display_text=element.text_of("display-text"),
            subject=element.text_of("subject"),
            free_text=element.text_of("free-text"),
            keywords=element.text_of("keywords"),
            conf_uris=_maybe(self.uris, element.find("conf-uris")),
            service_uris=_maybe(self.uris, element.find("service-uris")),
            maximum_user_count=self.number(element, "maximum-user-count"),
            available_media=None
            if media is None
            else self.keyed(media, "entry", self.available_medium, lambda one: one.label),
            extensions=self.extensions(element, "conference-description"),
            offset=element.offset,
        )

    def available_medium(self, element: Element) -> AvailableMedium:
        return AvailableMedium(
            label=self.key(element, "label"),
            type=element.text_of("type"),
            status=self.token(element, "status", MEDIA_STATUSES),
            display_text=element.text_of("display-text"),
            offset=element.offset,
        )

    def host(self, element: Element) -> HostInfo:
        return HostInfo(
            display_text=element.text_of("display-text"),
            web_page=element.text_of("web-page"),
            uris=_maybe(self.uris, element.find("uris")),
            extensions=self.extensions(element, "host-info"),
            offset=element.offset,
        )

    def conference_state(self, element: Element) -> ConferenceState:
        return ConferenceState(
            user_count=self.number(element, "user-count"),
            active=self.boolean(element, "active"),
            locked=self.boolean(element, "locked"),
            extensions=self.extensions(element, "conference-state"),
            offset=element.offset,
        )

    def uris(self, element: Element) -> Uris:
        entries = self.keyed(element, "entry", self.uri, lambda one: one.uri)
        return Uris(entries, self.state(element), element.offset)

    def uri(self, element: Element) -> Uri:
        uri = element.text_of("uri")
        if not uri:
            self.note(element, "entry has no uri")
        return Uri(uri or "", element.text_of("display-text"), element.text_of("purpose"), element.offset)

    def users(self, element: Element) -> Users:
        users = self.keyed(element, "user", self.user, lambda one: one.entity)
        return Users(users, self.state(element), self.extensions(element, "users"), element.offset)

    def user(self, element: Element) -> User:
        roles = element.find("roles")
        return User(
            entity=self.key(element, "entity"),
            state=self.state(element),
            display_text=element.text_of("display-text"),
            associated_aors=_maybe(self.uris, element.find("associated-aors")),
            roles=None if roles is None else tuple(one.text.strip() for one in roles.all("entry")),
            languages=element.text_of("languages"),
            cascaded_focus=element.text_of("cascaded-focus"),
            endpoints=self.keyed(element, "endpoint", self.endpoint, lambda one: one.entity),
            extensions=self.extensions(element, "user"),
            offset=element.offset,
        )

    def endpoint(self, element: Element) -> Endpoint:
        return Endpoint(
            entity=self.key(element, "entity"),
            state=self.state(element),
            display_text=element.text_of("display-text"),
            referred=_maybe(self.execution, element.find("referred")),
            status=self.token(element, "status", ENDPOINT_STATUSES),
            joining_method=self.token(element, "joining-method", JOINING_METHODS),
            joining_info=_maybe(self.execution, element.find("joining-info")),
            disconnection_method=self.token(element, "disconnection-method", DISCONNECTION_METHODS),
            disconnection_info=_maybe(self.execution, element.find("disconnection-info")),
            media=self.keyed(element, "media", self.media, lambda one: one.id),
            call_info=_maybe(self.dialog, element.find("call-info")),
            extensions=self.extensions(element, "endpoint"),
            offset=element.offset,
        )

    def execution(self, element: Element) -> Execution:
        return Execution(element.text_of("when"), element.text_of("reason"), element.text_of("by"), element.offset)

    def dialog(self, element: Element) -> SipDialog | None:
        sip = element.find("sip")
        if sip is None:
            return None
        return SipDialog(
            sip.text_of("display-text"),
            sip.text_of("call-id"),
            sip.text_of("from-tag"),
            sip.text_of("to-tag"),
            sip.offset,
        )

    def media(self, element: Element) -> Media:
        media = Media(
            id=self.key(element, "id"),
            type=element.text_of("type"),
            label=element.text_of("label"),
            src_id=element.text_of("src-id"),
            status=self.token(element, "status", MEDIA_STATUSES),
            display_text=element.text_of("display-text"),
            extensions=self.extensions(element, "media"),
            offset=element.offset,
        )
        if media.src_id is not None and media.ssrc is None:
            self.note(element, f"src-id is {media.src_id!r}, no SSRC in decimal")
        return media


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def _maybe(read: Callable[[Element], Item], element: Element | None) -> Item | None:
    return None if element is None else read(element)

"""What a conference-info document says, as values. None: the document does not say; offsets count its octets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Extension:
    """An element that the schema does not define, or one of another namespace (RFC 4575 §7)."""

    namespace: str
    name: str
    text: str
    offset: int


@dataclass(slots=True, frozen=True)
class Uri:
    """An entry of uris-type (RFC 4575 §5.3.1)."""

    uri: str
    display_text: str | None = None
    purpose: str | None = None
    offset: int = 0


@dataclass(slots=True, frozen=True)
class Uris:
    """A list of URIs with its state (RFC 4575 §5.3.1); its entries have the URI as their key."""

    entries: tuple[Uri, ...] = ()
    state: str = "full"
    offset: int = 0


@dataclass(slots=True, frozen=True)
class Execution:
    """When, why and by whom something was done (RFC 4575 §5.7.2, §5.7.5, §5.7.7)."""

    when: str | None = None
    reason: str | None = None
    by: str | None = None
    offset: int = 0


@dataclass(slots=True, frozen=True)
class SipDialog:
    """call-info: the dialog between an endpoint and the focus (RFC 4575 §5.7.9)."""

    display_text: str | None = None
    call_id: str | None = None
    from_tag: str | None = None
    to_tag: str | None = None
    offset: int = 0


@dataclass(slots=True, frozen=True)
class AvailableMedium:
    """An entry of available-media (RFC 4575 §5.3.4)."""

    label: str
    type: str | None = None
    status: str | None = None
    display_text: str | None = None
    offset: int = 0


@dataclass(slots=True, frozen=True)
class Media:
    """A media stream of an endpoint (RFC 4575 §5.8)."""

    id: str
    type: str | None = None
    label: str | None = None
    src_id: str | None = None
    status: str | None = None
    display_text: str | None = None
    extensions: tuple[Extension, ...] = ()
    offset: int = 0

    @property
    def ssrc(self) -> int | None:
        """The SSRC (RFC 4575 §5.8.4); None where src-id is none."""
        text = self.src_id or ""
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1
        return number if 0 <= number < 1 << 32 else None


@dataclass(slots=True, frozen=True)
class Endpoint:
    """An endpoint of a user (RFC 4575 §5.7)."""

    entity: str
    state: str = "full"
    display_text: str | None = None
    referred: Execution | None = None
    status: str | None = None
    joining_method: str | None = None
    joining_info: Execution | None = None
    disconnection_method: str | None = None
    disconnection_info: Execution | None = None
    media: tuple[Media, ...] = ()
    call_info: SipDialog | None = None
    extensions: tuple[Extension, ...] = ()
    offset: int = 0


@dataclass(slots=True, frozen=True)
class User:
    """A user (RFC 4575 §5.6)."""

    entity: str
    state: str = "full"
    display_text: str | None = None
    associated_aors: Uris | None = None
    roles: tuple[str, ...] | None = None
    languages: str | None = None
    cascaded_focus: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
    extensions: tuple[Extension, ...] = ()
    offset: int = 0


@dataclass(slots=True, frozen=True)
class Users:
    """The users element (RFC 4575 §5.6)."""

    users: tuple[User, ...] = ()
    state: str = "full"
    extensions: tuple[Extension, ...] = ()
    offset: int = 0


@dataclass(slots=True, frozen=True)
class ConferenceDescription:
    """conference-description (RFC 4575 §5.3)."""

    display_text: str | None = None
    subject: str | None = None
    free_text: str | None = None
    keywords: str | None = None
    conf_uris: Uris | None = None
    service_uris: Uris | None = None
    maximum_user_count: int | None = None
    available_media: tuple[AvailableMedium, ...] | None = None
    extensions: tuple[Extension, ...] = ()
    offset: int = 0


@dataclass(slots=True, frozen=True)
class HostInfo:
    """host-info (RFC 4575 §5.4)."""

    display_text: str | None = None
    web_page: str | None = None
    uris: Uris | None = None
    extensions: tuple[Extension, ...] = ()
    offset: int = 0


@dataclass(slots=True, frozen=True)
class ConferenceState:
    """conference-state (RFC 4575 §5.5)."""

    user_count: int | None = None
    active: bool | None = None
    locked: bool | None = None
    extensions: tuple[Extension, ...] = ()
    offset: int = 0


@dataclass(slots=True, frozen=True)
class Sidebars:
    """sidebars-by-val (RFC 4575 §5.9.2): each a conference with the conference URI of the sidebar as its key."""

    entries: tuple[Conference, ...] = ()
    state: str = "full"
    offset: int = 0


@dataclass(slots=True, frozen=True)
class Conference:
    """The root element (RFC 4575 §5.2), or a sidebar."""

    entity: str
    state: str = "full"
    version: int | None = None
    conference_description: ConferenceDescription | None = None
    host_info: HostInfo | None = None
    conference_state: ConferenceState | None = None
    users: Users | None = None
    sidebars_by_ref: Uris | None = None
    sidebars_by_val: Sidebars | None = None
    extensions: tuple[Extension, ...] = ()
    offset: int = 0

    def participants(self) -> tuple[User, ...]:
        """The users; none where the document does not list them."""
        return self.users.users if self.users is not None else ()

"""The state of a conference from one notification to the next (RFC 4575 §4.3 to §4.6).

`apply` is a pure function: it gives the state that follows from a state and a document, and says what became of the
document. A gap between versions means that the roster is not known until the next full state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dissectors.confinfo.model import (
    Conference,
    ConferenceDescription,
    ConferenceState,
    HostInfo,
    Sidebars,
    Uris,
    User,
    Users,
)

if TYPE_CHECKING:
    from collections.abc import Callable

APPLIED = "applied"
REPEATED = "repeated"  # the version that is known already, with the same content: a retransmission or a refresh
REGRESSED = "regressed"  # a version that is known already, or an older one, with other content: discarded
GAP = "gap"  # a version was missed: full state is needed
UNKNOWN_BASE = "unknown base"  # a partial document before any full one
UNVERSIONED = "unversioned"  # a document without a version: taken as it comes
OTHER_CONFERENCE = "other conference"
ENDED = "ended"  # the conference is deleted

OUTCOMES: dict[str, str] = {
    APPLIED: "the state follows the document",
    REPEATED: "the version and its content are known already",
    REGRESSED: "the version is not newer, and the content is another: discarded",
    GAP: "versions in between were not seen: the state is incomplete until the next full one",
    UNKNOWN_BASE: "partial state without a full one before it: the state is incomplete until the next full one",
    UNVERSIONED: "the document has no version; its order is that of its arrival",
    OTHER_CONFERENCE: "the document is of another conference: not applied",
    ENDED: "the conference is deleted",
}
"""What can become of a document (RFC 4575 §4.3, §4.6)."""


@dataclass(slots=True, frozen=True)
class RosterState:
    """What is known of a conference in one subscription."""

    conference: Conference | None = None  # None: nothing yet, or the conference has ended
    version: int | None = None
    complete: bool = False  # False: a document was missed, or no full state came yet
    last: Conference | None = None  # the last document that was applied


def apply(state: RosterState, document: Conference) -> tuple[RosterState, str]:
    """The state after a document, and what became of the document (RFC 4575 §4.6)."""
    known = state.conference
    if state.last is not None and document.entity != state.last.entity:
        return state, OTHER_CONFERENCE
    if document.version is not None and state.version is not None and document.version <= state.version:
        same = state.last is not None and document.version == state.version and content(document) == content(state.last)
        if not same and document.version == state.version and document.state == "full" and state.complete:
            # A full state of the version at hand may repeat what partial ones had built up.
            same = known is not None and content(full(document)) == content(known)
        return state, REPEATED if same else REGRESSED
    outcome = APPLIED if document.version is not None else UNVERSIONED
    complete = state.complete
    if document.state == "deleted":
        return RosterState(None, document.version, True, document), ENDED
    if document.state != "partial":
        return RosterState(full(document), document.version, True, document), outcome
    if known is None:
        return RosterState(full(document), document.version, False, document), UNKNOWN_BASE
    if document.version is not None and state.version is not None and document.version > state.version + 1:
        outcome, complete = GAP, False
    version = document.version if document.version is not None else state.version
    return RosterState(_conference(known, document), version, complete, document), outcome


def full(document: Conference) -> Conference:
    """A document as a state of its own: what is deleted in it is left out, what is partial in it is taken for all."""
    return _conference(Conference(document.entity), document)


def content(conference: Conference) -> Conference:
    """What is compared of two documents: not where things stood, nor whether they came in part."""
    stripped: Conference = _stripped(conference)
    return replace(stripped, version=None)


def _stripped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_stripped(one) for one in value)
    names = getattr(type(value), "__dataclass_fields__", None)
    if names is None:
        return value
    changes = {name: _stripped(getattr(value, name)) for name in names}
    if "offset" in changes:
        changes["offset"] = 0
    return replace(value, **changes)


def _items(
    old: tuple[Any, ...], new: tuple[Any, ...], key: Callable[[Any], str], merge: Callable[[Any, Any], Any] | None
) -> tuple[Any, ...]:
    """Old items with the new ones in: replaced, merged or taken out as their state says, in their old order."""
    found = {key(one): one for one in old}
    for one in new:
        state = getattr(one, "state", "full")
        if state == "deleted":
            found.pop(key(one), None)
        elif state == "partial" and merge is not None and key(one) in found:
            found[key(one)] = merge(found[key(one)], one)
        else:
            found[key(one)] = merge(type(one)(key(one)), one) if merge is not None else one
    return tuple(found.values())


def _over(old: Any, new: Any, **merged: Any) -> Any:
    """A value with what another one says put over it."""
    said = {
        name: value
        for name in type(new).__dataclass_fields__
        if (value := getattr(new, name)) not in (None, ()) and name not in merged
    }
    return replace(old, **{**said, **merged, "state": "full"})


def _conference(old: Conference, new: Conference) -> Conference:
    made: Conference = _over(
        old,
        new,
        conference_description=_part(old.conference_description, new.conference_description, _description),
        host_info=_part(old.host_info, new.host_info, _host),
        conference_state=_part(old.conference_state, new.conference_state, _whole),
        users=_listed(old.users, new.users, _users),
        sidebars_by_ref=_listed(old.sidebars_by_ref, new.sidebars_by_ref, _uris),
        sidebars_by_val=_listed(old.sidebars_by_val, new.sidebars_by_val, _sidebars),
    )
    return made


def _part(old: Any, new: Any, merge: Callable[[Any, Any], Any]) -> Any:
    """An element that has no state of its own: the new one replaces the old one (RFC 4575 §4.6)."""
    return old if new is None else merge(old if old is not None else type(new)(), new)


def _listed(old: Any, new: Any, merge: Callable[[Any, Any], Any]) -> Any:
    """An element with a state: replaced, merged or taken out as that says."""
    if new is None:
        return old
    if new.state == "deleted":
        return None
    return merge(old if new.state == "partial" and old is not None else type(new)(), new)


def _nested(old: Uris | None, new: Uris | None) -> Uris | None:
    """A list in an element that is replaced: only where it says that it is partial does the old one count."""
    made: Uris | None = None if new is None else _listed(old, new, _uris)
    return made


def _whole(_: ConferenceState, new: ConferenceState) -> ConferenceState:
    return new


def _description(old: ConferenceDescription, new: ConferenceDescription) -> ConferenceDescription:
    return replace(
        new,
        conf_uris=_nested(old.conf_uris, new.conf_uris),
        service_uris=_nested(old.service_uris, new.service_uris),
    )


def _host(old: HostInfo, new: HostInfo) -> HostInfo:
    return replace(new, uris=_nested(old.uris, new.uris))


def _uris(old: Uris, new: Uris) -> Uris:
    return Uris(_items(old.entries, new.entries, lambda one: one.uri, None), "full", new.offset)


def _users(old: Users, new: Users) -> Users:
    merged = _items(old.users, new.users, lambda one: one.entity, _user)
    return Users(merged, "full", new.extensions or old.extensions, new.offset)


def _user(old: User, new: User) -> User:
    made: User = _over(
        old,
        new,
        associated_aors=_listed(old.associated_aors, new.associated_aors, _uris),
        endpoints=_items(old.endpoints, new.endpoints, lambda one: one.entity, _endpoint),
    )
    return made


def _endpoint(old: Any, new: Any) -> Any:
    return _over(old, new, media=_items(old.media, new.media, lambda one: one.id, None))


def _sidebars(old: Sidebars, new: Sidebars) -> Sidebars:
    return Sidebars(_items(old.entries, new.entries, lambda one: one.entity, _conference), "full", new.offset)

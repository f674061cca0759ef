"""Which calls have a focus at one end, and which URIs name its conference (RFC 4579 §4, §5.4; rules.md 17.5).

A Contact with isfocus shows a focus. Its URI names the conference, except where one Contact stands for several dialled
URIs: then it is the server's, and what was dialled names the conference. A URI that was dialled once and gave a Contact
of another user is a factory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dissectors.sip.parse import parameters, uri_of
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import Call, SignallingMessage

FEATURE = b"isfocus"


@dataclass(slots=True)
class Focus:
    """What one call shows of the focus at one of its ends."""

    call: Call
    contact: bytes  # URI of the Contact with isfocus; b"" where only the URI of the call names a conference
    frame: FrameId | None  # of that Contact
    dial_out: bool  # the caller is the focus
    other: bytes  # the URI that was dialled, or that the focus called as
    caller: bytes  # URI of From
    late: bool = False  # isfocus came only after the call was set up


@dataclass(slots=True)
class Named:
    """A conference by its names."""

    names: set[str]  # canonical
    preferred: list[bytes]  # URIs as written, the best name first
    foci: list[Focus] = field(default_factory=list)
    factory: bytes = b""
    hosted_by_user: bool = False  # a user's device became a focus in calls that it had before

    @property
    def written(self) -> bytes:
        """The URI that it is called by: one with a domain, where there is one."""
        return next((uri for uri in self.preferred if not _is_address(canonical(uri))), self.preferred[0])


def isfocus(message: SignallingMessage) -> bytes:
    """The URI of a Contact with isfocus; b"" if the message has none."""
    if FEATURE not in message.sip.head:
        return b""
    for contact in message.sip.header_values(b"contact")[:4]:
        if FEATURE in parameters(contact):
            return uri_of(contact)
    return b""


def find_foci(calls: Iterable[Call]) -> Iterator[Focus]:
    """Calls with a Contact with isfocus."""
    for call in calls:
        found = None
        ends = None
        for message in call.messages:
            contact = isfocus(message)
            if not contact:
                continue
            ends = ends or dialled(call)
            focus = _focus(call, ends, message, contact)
            if found is None or (found.late and not focus.late):
                found = focus
            if not found.late:
                break
        if found is not None:
            yield found


def dialled(call: Call) -> tuple[bytes, bytes, bytes]:
    """Tag of the caller, the URI that it dialled, and its own."""
    for message in call.messages:
        sip = message.sip
        if sip.method == b"INVITE" and not sip.to_tag:
            return sip.from_tag, sip.request_uri, uri_of(sip.from_)
    sip = call.messages[0].sip
    return sip.from_tag, uri_of(sip.to), uri_of(sip.from_)


def _focus(call: Call, ends: tuple[bytes, bytes, bytes], message: SignallingMessage, contact: bytes) -> Focus:
    sip = message.sip
    caller_tag, request_uri, caller = ends
    sender = sip.from_tag if sip.method else sip.to_tag
    # A final response without a tag, and a request of the caller's dialog, tell the sides apart as well.
    dial_out = sender == caller_tag if sender else False
    late = bool(sip.method) and bool(sip.to_tag)
    if sip.status:
        late = sip.cseq_method != b"INVITE" or (sip.from_tag != caller_tag)
    return Focus(call, contact, message.frame, dial_out, caller if dial_out else request_uri, caller, late)


def name_conferences(foci: Iterable[Focus]) -> list[Named]:
    """The conferences that foci show, in order of first sight."""
    by_contact: dict[str, list[Focus]] = {}
    for focus in foci:
        by_contact.setdefault(canonical(focus.contact), []).append(focus)
    found: dict[str, Named] = {}
    for contact, group in by_contact.items():
        for named in _named(contact, group):
            known = next((found[name] for name in sorted(named.names) if name in found), None)
            if known is None:
                known = named
            else:
                known.names |= named.names
                known.preferred += named.preferred
                known.foci += named.foci
                known.factory = known.factory or named.factory
                known.hosted_by_user &= named.hosted_by_user
            for name in named.names:
                found.setdefault(name, known)
    unique = {id(each): each for each in found.values()}
    return sorted(unique.values(), key=lambda each: min(focus.call.first_time for focus in each.foci))


def _named(contact: str, group: list[Focus]) -> Iterator[Named]:
    """The conferences that a Contact stands for."""
    by_other: dict[str, list[Focus]] = {}
    for focus in group:
        by_other.setdefault(canonical(focus.other), []).append(focus)
    user = _user(contact)
    same = [other for other in by_other if other == contact or (user and _user(other) == user)]
    domains = [other for other in same if not _is_address(other)]
    others = [other for other in by_other if other not in same]
    if same and (contact in domains or len(domains) < 2):
        factory = next((by_other[other][0].other for other in others if not by_other[other][0].dial_out), b"")
        yield _join(contact, group, same, factory)
    elif not same and user and len(others) == 1:
        only = by_other[others[0]]
        if any(focus.dial_out for focus in only) or len({focus.caller for focus in only}) > 1:
            yield _join(contact, group, others, b"")
        else:
            yield _join(contact, group, [], only[0].other)
    else:
        for other, some in by_other.items():
            yield _join("", some, [other], b"")


def _join(contact: str, group: list[Focus], others: list[str], factory: bytes) -> Named:
    named = [focus.other for focus in group if canonical(focus.other) in others]
    preferred = [*named[:1], *([group[0].contact] if contact else [])]
    names = {*others, contact} - {""}
    return Named(names, preferred, list(group), factory, all(focus.late for focus in group))


def _user(name: str) -> str:
    return name.rpartition("@")[0]


def _is_address(name: str) -> bool:
    host = name.rpartition("@")[2].strip("[]")
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

"""Who may take part in a conference, and who says so (rules.md IMS-CONF-008)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from imsinspect.policy import Authorised
from imsinspect.rules.rule import once
from imsinspect.trace.mikey_model import RESPONDER, TRANSFER_INIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.mikey_model import MikeyRecord
    from imsinspect.trace.model import MikeyMessage, Trace

OF_THE_STUDY = ("TR-KMS",)
NAMED_AT_MOST = 12  # identities of a set that a finding lists


@dataclass(slots=True, frozen=True)
class Membership:
    """The authorised set of one conference."""

    source: str  # "the policy", "the ticket of the INVITE that created the conference", …
    entries: tuple[Authorised, ...]
    from_policy: bool  # else the conference's creator belongs to it

    def allows(self, names: Iterable[str], scene: Scene, time: int) -> bool:
        """Whether any of the names of a user may take part at a time."""
        users = {_user(scene, name) for name in names}
        return any(
            (entry.begins is None or entry.begins <= time)
            and (entry.ends is None or time <= entry.ends)
            and any(matches(_user(scene, entry.identity), user) for user in users)
            for entry in self.entries
        )

    @property
    def listed(self) -> str:
        """Its identities in words."""
        names = list(dict.fromkeys(entry.identity for entry in self.entries))
        more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
        return (", ".join(names[:NAMED_AT_MOST]) or "nobody") + more


@once
def memberships(trace: Trace, scene: Scene) -> dict[str, Membership]:
    """The authorised sets that are known, by conference id: of the policy, else of the INVITE that created it, by its
    ticket where the study applies, else by its URI list."""
    out = {}
    for conference in trace.conferences:
        found = _membership(trace, scene, conference)
        if found is not None:
            out[conference.id] = found
    return out


def _membership(trace: Trace, scene: Scene, conference: Conference) -> Membership | None:
    names = [name for name in (conference.uri, *sorted(conference.names)) if name in scene.policy.conferences]
    allowed = scene.policy.allowed_in(names[0] if names else conference.uri)
    if allowed is not None:
        return Membership("the policy", allowed, from_policy=True)
    ticket = _creation_ticket(trace, scene, conference)
    if ticket:
        entries = tuple(Authorised(name) for name in ticket)
        return Membership("the ticket of the INVITE that created the conference", entries, from_policy=False)
    if conference.invited:
        entries = tuple(Authorised(name) for name in conference.invited)
        return Membership("the URI list of the INVITE that created the conference", entries, from_policy=False)
    return None


def _creation_ticket(trace: Trace, scene: Scene, conference: Conference) -> list[str]:
    """The recipients of the ticket that created a conference, where the study's profile makes them its members."""
    if conference.creation is None or scene.covers_conference(conference.id, OF_THE_STUDY) is not True:
        return []
    call_id = conference.creation.sip.call_id
    tickets = creation_tickets(trace, scene)
    calls = (
        leg.call
        for participant in conference.participants
        for leg in participant.legs
        if leg.dialog[0] == call_id and leg.call in tickets
    )
    record = next((tickets[call].record for call in calls), None)
    readable = record is not None and record.ticket is not None and record.ticket.readable
    return recipients_of(record) if record is not None and readable else []


@once
def creation_tickets(trace: Trace, scene: Scene) -> dict[str, MikeyMessage]:
    """The TRANSFER_INIT with a ticket in each call's first INVITE."""
    out: dict[str, MikeyMessage] = {}
    for message in trace.mikey:
        record, carrier = message.record, message.signalling
        if record is None or carrier is None or record.data_type != TRANSFER_INIT or record.ticket is None:
            continue
        if message.call and carrier.sip.method == b"INVITE" and not carrier.sip.to_tag:
            out.setdefault(message.call, message)
    return out


def recipients_of(record: MikeyRecord) -> list[str]:
    """Those who may resolve the ticket of a message; where it does not say, the Responder that the message names."""
    ticket = record.ticket.recipients if record.ticket is not None else ()
    named = ticket or record.named(RESPONDER)
    return [each.identity or each.data.decode("utf-8", "replace") for each in named]


def _user(scene: Scene, name: str) -> str:
    """The user behind an identity."""
    return scene.policy.aliases.get(name, name)


def matches(pattern: str, name: str) -> bool:
    """Whether a name is what a pattern stands for."""
    return pattern == name or ("*" in pattern and _compiled(pattern).fullmatch(name) is not None)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which "*" stands for any run of characters."""
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", pattern)), re.DOTALL)

"""REFER to a focus: whom it is to invite or to remove, and what it did (RFC 4579 §5.5 to §5.8, RFC 5368)."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from dissectors.resource_lists.codes import MEDIA_TYPE
from dissectors.sip.parse import uri_of
from imsinspect.trace.conference_model import Referral
from imsinspect.trace.conference_participants import identity_of
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.parse import SipMessage
    from imsinspect.trace.conference_model import Conference
    from imsinspect.trace.model import SignallingMessage

MAX_TARGETS = 256  # of one REFER


class Referrals:
    """REFERs, in time order, each on the first hop that showed it, with the final answer."""

    def __init__(self) -> None:
        self.found: list[tuple[SignallingMessage, int]] = []
        self._places: dict[tuple[bytes, int, bytes], int] = {}

    def take(self, message: SignallingMessage) -> None:
        """A message with REFER in its CSeq."""
        sip = message.sip
        key = (sip.call_id, sip.cseq, sip.from_tag)
        place = self._places.get(key)
        if sip.method == b"REFER" and place is None:
            self._places[key] = len(self.found)
            self.found.append((message, 0))
        elif sip.status >= 200 and place is not None and self.found[place][1] == 0:
            self.found[place] = (self.found[place][0], sip.status)


def targets_of(refer: SignallingMessage) -> list[tuple[bytes, bool]]:
    """URIs that a REFER names, and whether each is to be removed; those of a list in its body, too."""
    rows = refer.sip.header(b"refer-to")
    if not rows:
        return []
    uri = uri_of(rows[0])
    removes = b"method=bye" in uri.lower()
    if uri[:4].lower() == b"cid:":
        return [(each, removes) for each in listed(refer.sip)]
    return [(uri, removes)]


def listed(sip: SipMessage) -> list[bytes]:
    """The URIs of a URI list in a body (RFC 5366, RFC 5368)."""
    if not sip.body or b"resource-lists" not in sip.body + sip.content_type:
        return []
    from dissectors.resource_lists.parse import parse

    lists = [part for part in sip.bodies() if part.content_type == MEDIA_TYPE]
    return [entry.uri.encode() for part in lists[:4] for entry in parse(part.data).recipients()[:MAX_TARGETS]]


def refer(conference: Conference, found: Iterable[tuple[SignallingMessage, int]]) -> None:
    """Add the REFERs that reached a conference, with what its focus did next."""
    invites: dict[str, list[SignallingMessage]] = {}
    byes: dict[str, list[SignallingMessage]] = {}
    for participant in conference.participants:
        for leg in participant.legs:
            if leg.dial_out:
                for name in {canonical(leg.invite.sip.request_uri), canonical(uri_of(leg.invite.sip.to))}:
                    invites.setdefault(name, []).append(leg.invite)
    _farewells(conference, byes)
    for acts in (*invites.values(), *byes.values()):
        acts.sort(key=_time)
    for message, status in found:
        sip = message.sip
        identity = identity_of([message], uri_of(sip.from_))
        for target, removes in targets_of(message):
            acts = (byes if removes else invites).get(canonical(target), [])
            at = bisect_left(acts, message.time, key=_time)
            led_to = acts[at] if at < len(acts) else None
            conference.referrals.append(
                Referral(message, identity.name, target, removes, status, sip.to_tag != b"", led_to)
            )


def _time(message: SignallingMessage) -> int:
    return message.time


def _farewells(conference: Conference, byes: dict[str, list[SignallingMessage]]) -> None:
    """The BYEs that the focus sent, by the participant that they went to."""
    for participant in conference.participants:
        names = {participant.identity, *participant.aliases}
        for leg in participant.legs:
            if leg.left_bye is not None and leg.left_bye.sip.from_tag == leg.dialog[1]:
                for name in names:
                    byes.setdefault(name, []).append(leg.left_bye)

"""Which side of the P-CSCF a call was seen on, and which calls are legs of one (rules.md 0.5 T-B2B, 17.3).

Both go by evidence in the messages alone: that two calls begin at the same time relates nothing.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.endpoint import Endpoint
from imsinspect.trace.dialogs import way_of
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.trace.dialogs import Way
    from imsinspect.trace.model import Call, Registration, SignallingMessage

End = str | Endpoint
"""One end of a hop, as a Way has it."""

ACCESS, CORE, UNKNOWN = "access", "core", "unknown"

OF_THE_UE = frozenset((b"security-client", b"security-server", b"security-verify", b"p-preferred-identity"))
"""Headers that do not pass the P-CSCF (TS 24.229 §5.2; RFC 3325 §9.2)."""

FROM_THE_UE = frozenset((b"security-client", b"security-verify", b"p-preferred-identity"))
"""Those of them that a UE writes."""

CHARGING = b"p-charging-vector"  # inside the trust domain only (RFC 7315 §4.6)
INDICATOR = b"\na=3ge2ae:"  # TS 24.229 §7.5.2
ASSERTED = b"p-asserted-identity"
ACCESS_NETWORK = b"p-access-network-info"

MARKS = re.compile(
    rb"\n(security-(?:client|server|verify)|p-(?:preferred-identity|charging-vector|asserted-identity|"
    rb"access-network-info))[ \t]*:",
    re.IGNORECASE,
)
VIA = re.compile(rb"\n(?:via|v)[ \t]*:([^\n]*)", re.IGNORECASE)
ICID = re.compile(rb'icid-value[ \t]*=[ \t]*"?([^\s";,]+)', re.IGNORECASE)
UUID = re.compile(rb"[0-9a-f]{32}", re.IGNORECASE)
ORIGIN = re.compile(rb"\no=(\S+) +(\S+) +\S+ +\S+ +\S+ +(\S+)")  # user name, session id, address
INLINE_KEY = re.compile(rb"inline:([A-Za-z0-9+/]{20,})")
FINGERPRINT = b"\na=fingerprint:"
NIL_UUID = b"0" * 32  # RFC 7989 §5

MAX_LEGS = 8  # calls at one time with one mark; a mark of more tells nothing
LOOKED_AT = 64  # messages of a call that are searched for marks
SHOWING = frozenset((b"INVITE", b"PRACK", b"UPDATE"))  # requests whose headers, and responses', are looked at


def mark_sides(calls: list[Call], registrations: list[Registration]) -> None:
    """Set `side` of calls, their lines and negotiations: "access" and "core" by evidence, else "unknown"; and of
    negotiations on an access hop who the UE is.

    A hop is access where headers or protection are seen that end at the P-CSCF, core where headers of the trust
    domain are seen. A call seen on both sides is access; each line has the side of its own hop.
    """
    registered, ues = _of_registrations(registrations)
    for call in calls:
        hops: dict[Way, str] = {}
        indicated: set[Way] = set()  # with a=3ge2ae, which a P-CSCF may have forgotten to remove towards the core
        ends = _Ends(ues)
        forwarders: set[object] = {
            way_of(message)[0]
            for message in call.messages
            if message.sip.method == b"INVITE" and not message.sip.to_tag
        }
        looked_at = 0
        for message in call.messages:
            if looked_at >= LOOKED_AT:
                break
            if message.retransmission or message.sip.cseq_method not in SHOWING:
                continue
            hop = _hop(message)
            if hops.get(hop) == ACCESS and ends.of(hop) is not None:
                continue
            looked_at += 1
            side = ACCESS if hop in registered else _side(message, forwarders)
            if side != UNKNOWN and hops.get(hop) != ACCESS:
                hops[hop] = side
            if side == ACCESS:
                ends.add(hop, _ue(message))
            if INDICATOR in message.sip.body:
                indicated.add(hop)
        for hop in indicated:
            hops.setdefault(hop, ACCESS)
        found = set(hops.values())
        call.side = ACCESS if ACCESS in found else CORE if CORE in found else UNKNOWN
        for line in call.lines:
            if line.states:
                line.side = hops.get(_hop(line.states[0].negotiation.offer.message), UNKNOWN)
        for negotiation in call.negotiations:
            offer = negotiation.offer.message
            hop = _hop(offer)
            negotiation.side = hops.get(hop, UNKNOWN)
            end = ends.of(hop) if negotiation.side == ACCESS else None
            if end is not None:
                negotiation.ue = "offerer" if end == way_of(offer)[0] else "answerer"


class _Ends:
    """Which end of each hop is the UE, as far as nothing contradicts."""

    def __init__(self, known: dict[Way, set[End]]) -> None:
        self._known = known
        self._seen: dict[Way, set[End]] = {}

    def add(self, hop: Way, end: End | None) -> None:
        if end is not None:
            self._seen.setdefault(hop, set()).add(end)

    def of(self, hop: Way) -> End | None:
        found = self._known.get(hop) or self._seen.get(hop, set())
        return next(iter(found)) if len(found) == 1 else None


def _of_registrations(registrations: list[Registration]) -> tuple[set[Way], dict[Way, set[End]]]:
    """Hops on which UEs registered, and who registered on every hop that a REGISTER without a second Via took."""
    registered: set[Way] = set()
    ues: dict[Way, set[End]] = {}
    for registration in registrations:
        for message in registration.messages:
            headers = _headers(message)
            secured = bool(headers & OF_THE_UE)
            if message.protection is Protection.ESP_NULL or secured:
                registered.add(_hop(message))
            if secured or (CHARGING not in headers and _vias(message) == 1):
                way = way_of(message)
                ues.setdefault(_hop(message), set()).add(way[0] if message.sip.method else way[1])
    return registered, ues


def _ue(message: SignallingMessage) -> End | None:
    """The end of an access hop that a message shows to be the UE's."""
    headers = _headers(message)
    way = way_of(message)
    if message.sip.method:
        sent = headers & FROM_THE_UE or (ACCESS_NETWORK in headers and ASSERTED not in headers)
        return way[0] if sent else None
    if b"security-server" in headers:
        return way[1]
    sent = b"p-preferred-identity" in headers or (ACCESS_NETWORK in headers and not headers & {ASSERTED, CHARGING})
    return way[0] if sent else None


def _vias(message: SignallingMessage) -> int:
    return sum(1 + row.count(b",") for row in VIA.findall(message.sip.head))


def _hop(message: SignallingMessage) -> Way:
    """Both ends of the hop, whichever sent."""
    way = way_of(message)
    return way if str(way[0]) <= str(way[1]) else (way[1], way[0])


def _side(message: SignallingMessage, forwarders: set[object]) -> str:
    """What one message shows of its hop."""
    sip = message.sip
    headers = _headers(message)
    if message.protection is Protection.ESP_NULL or headers & OF_THE_UE:
        return ACCESS
    if CHARGING in headers:
        return CORE
    if ASSERTED not in headers and ACCESS_NETWORK not in headers:
        return UNKNOWN
    vias = _vias(message) if sip.method else 1
    if vias > 1:
        # The receiver sent the call on, the sender had it from another: both are nodes of the network.
        return CORE if ASSERTED in headers and way_of(message)[1] in forwarders else UNKNOWN
    return UNKNOWN if ASSERTED in headers else ACCESS


def _headers(message: SignallingMessage) -> set[bytes]:
    """Those headers of a message that tell sides apart, in lower case."""
    return {name.lower() for name in MARKS.findall(message.sip.head)}


# --- related legs ---------------------------------------------------------------------------------


class _Mark(NamedTuple):
    """Something that legs of one call have in common."""

    kind: str  # "origin", "session", "charging", "key", "fingerprint"
    role: str  # "offer" or "answer": of fingerprints, which a node has in both
    value: object


EXPLICIT = frozenset(("session", "charging"))  # made to name a session; the others name it by chance of being unique


def relate(calls: list[Call]) -> None:
    """Set `related` of calls that are legs of one: by Session-ID (RFC 7989), icid-value (RFC 7315 §4.6), o= line,
    keys and certificate fingerprints that both carry at overlapping times."""
    groups: dict[_Mark, list[int]] = {}
    said: list[dict[tuple[str, str], set[object]]] = []  # of each call, by kind of mark, and "offer" or "answer"
    for number, call in enumerate(calls):
        values: dict[tuple[str, str], set[object]] = {}
        for role, mark in dict.fromkeys(_marks(call)):
            groups.setdefault(mark, []).append(number)
            values.setdefault((mark.kind, role), set()).add(mark.value)
        said.append(values)
    legs: dict[int, set[int]] = {}
    for mark, found in groups.items():
        members = list(dict.fromkeys(found))
        if len(members) < 2:
            continue
        for cluster in _at_one_time(calls, members):
            for one in cluster:
                for other in cluster:
                    if one != other and _may_be_legs(
                        mark, _Side(calls[one], said[one]), _Side(calls[other], said[other])
                    ):
                        legs.setdefault(one, set()).add(other)
    for number, others in legs.items():
        calls[number].related = [calls[other].id for other in sorted(others)]


def _at_one_time(calls: list[Call], members: list[int]) -> Iterator[list[int]]:
    """Calls that overlap in time; none where there are more than legs of one call can be."""
    cluster: list[int] = []
    until = 0
    for number in sorted(members, key=lambda each: calls[each].first_time):
        call = calls[number]
        if cluster and call.first_time > until:
            if len(cluster) <= MAX_LEGS:
                yield cluster
            cluster = []
            until = 0
        cluster.append(number)
        until = max(until, call.last_time)
    if 1 < len(cluster) <= MAX_LEGS:
        yield cluster


class _Side(NamedTuple):
    """A call that may be a leg, and what stands in its offers and answers."""

    call: Call
    said: dict[tuple[str, str], set[object]]

    def values(self, kind: str, role: str) -> set[object]:
        """What its offers, or its answers, say."""
        return self.said.get((kind, role), set())


OTHER = {"offer": "answer", "answer": "offer"}


def _may_be_legs(mark: _Mark, one: _Side, other: _Side) -> bool:
    """Whether a mark in common makes two calls legs: those of one call do not go the same way."""
    if mark.kind in EXPLICIT:
        return True
    way, other_way = _way(one.call), _way(other.call)
    if way == other_way:
        return False
    meet = way[1] == other_way[0] or other_way[1] == way[0]  # in a node, which sends the one on as the other
    if mark.kind == "fingerprint":  # a certificate is a device's
        return meet
    alike = [
        role
        for role in OTHER
        if mark.value in one.values(mark.kind, role) and mark.value in other.values(mark.kind, role)
    ]
    return any(_carried_on(mark.kind, role, one, other, meet=meet) for role in alike) or _swapped(mark.kind, one, other)


def _carried_on(kind: str, role: str, one: _Side, other: _Side, *, meet: bool) -> bool:
    """Whether what both say in one role makes them legs. What a server says to each of its callers does not: what these
    say differs."""
    if meet:
        return True
    theirs = [side.values(kind, OTHER[role]) for side in (one, other)]
    if all(theirs):
        return not theirs[0].isdisjoint(theirs[1]) or (kind == "origin" and role == "offer")
    way, other_way = _way(one.call), _way(other.call)
    return kind == "origin" or (way[0] != other_way[0] and way[1] != other_way[1])


def _swapped(kind: str, one: _Side, other: _Side) -> bool:
    """Whether what one side offers the other answers, both ways: a B2BUA that asked for an offer (RFC 3725)."""
    return all(one.values(kind, role) & other.values(kind, OTHER[role]) for role in OTHER)


def _way(call: Call) -> Way:
    first = call.messages[0]
    way = way_of(first)
    return way if first.sip.method else (way[1], way[0])


def _marks(call: Call) -> Iterator[tuple[str, _Mark]]:
    """The marks of a call with what they stand in, "offer" or "answer"; bounded."""
    for message in call.messages[:LOOKED_AT]:
        sip = message.sip
        if sip.method != b"INVITE" or message.retransmission:
            continue
        head = sip.head.lower()
        if b"\nsession-id:" in head:
            for row in sip.header(b"session-id")[:1]:
                for uuid in UUID.findall(row):
                    if uuid != NIL_UUID:
                        yield "", _Mark("session", "", uuid.lower())
        if b"icid-value" in head:
            for row in sip.header(b"p-charging-vector")[:1]:
                for icid in ICID.findall(row)[:1]:
                    yield "", _Mark("charging", "", icid)
    for negotiation in call.negotiations[:LOOKED_AT]:
        sides = (("offer", negotiation.offer), ("answer", negotiation.answer))
        for role, description in sides:
            if description is None:
                continue
            sdp = description.sdp
            origin = ORIGIN.search(sdp.session.text)
            if origin is not None and origin[2].strip(b"0"):
                yield role, _Mark("origin", "", origin.groups())
            for media in sdp.media[:LOOKED_AT]:
                for key in INLINE_KEY.findall(media.section.text):
                    yield role, _Mark("key", "", hashlib.sha256(key).digest())
                if FINGERPRINT in media.section.text or FINGERPRINT in sdp.session.text:
                    for fingerprint in media.fingerprints:
                        if fingerprint.digest:
                            yield role, _Mark("fingerprint", role, fingerprint.digest)

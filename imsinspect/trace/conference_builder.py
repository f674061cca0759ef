"""Puts conferences together: legs at a focus, subscriptions to its state, REFERs to it (rules.md 17.5 to 17.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.headers import name_addr
from dissectors.sip.parse import uri_of
from imsinspect.trace.conference_documents import MEDIA_TYPE
from imsinspect.trace.conference_focus import Focus, Named, dialled, find_foci, isfocus, name_conferences
from imsinspect.trace.conference_legs import legs_of
from imsinspect.trace.conference_model import Conference
from imsinspect.trace.conference_participants import Register, Registered, asserted_of, identity_of, mikey_identities
from imsinspect.trace.conference_referrals import Referrals, listed, refer
from imsinspect.trace.conference_subscriptions import OF_THE_PACKAGE, Subscriptions, notification_of
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.trace.conference_model import ConferenceLeg, Notification, Participant, Subscription
    from imsinspect.trace.conference_participants import Identity
    from imsinspect.trace.conference_subscriptions import Observed
    from imsinspect.trace.model import Call, SignallingMessage, Trace

CHARGING = b"p-charging-vector"


def build(trace: Trace) -> list[Conference]:
    """The conferences of a trace whose calls are built, sides marked and legs related; calls are told theirs."""
    beside = _Beside(trace.messages)
    named = name_conferences(find_foci(trace.calls))
    if not named and not any(each.shows_a_conference for each in beside.subscriptions.found):
        return []
    return _Builder(trace, named, beside).conferences


class _Beside:
    """What of conferences travels beside calls: subscriptions, REFERs, documents in other messages."""

    def __init__(self, messages: Iterable[SignallingMessage]) -> None:
        self.subscriptions, self.referrals = Subscriptions(), Referrals()
        self.documents: list[Notification] = []
        for message in messages:
            sip = message.sip
            method = sip.method or sip.cseq_method
            if method in OF_THE_PACKAGE:
                self.subscriptions.take(message)
            elif method == b"REFER":
                self.referrals.take(message)
            elif sip.content_type == MEDIA_TYPE and not message.retransmission:
                self.documents.append(notification_of(message, self.subscriptions.documents)[0])


class _Builder:
    """Conferences from what shows them."""

    def __init__(self, trace: Trace, named: list[Named], beside: _Beside) -> None:
        self.trace = trace
        self.calls = {call.id: call for call in trace.calls}
        self.registered = Registered(trace.registrations)
        self.named = named
        self.by_name = {name: each for each in named for name in each.names}
        self.by_call_id = {focus.call.call_id: each for each in named for focus in each.foci}
        of_named: dict[int, list[Observed]] = {}
        for observed in beside.subscriptions.found:
            owner = self._owner(observed)
            if owner is not None:
                of_named.setdefault(id(owner), []).append(observed)
        self._by_uri_alone()
        self.conferences = [self._conference(each, of_named.get(id(each), [])) for each in self.named]
        self.conferences.sort(key=lambda each: each.first_time)
        for number, conference in enumerate(self.conferences, 1):
            self._number(conference, number)
        self._refer(beside.referrals)
        self._documents(beside.documents)

    # --- names ------------------------------------------------------------------------------------

    def _owner(self, observed: Observed) -> Named | None:
        """The conference of a subscription: by the dialog it shares with a leg, by its URIs, or a new one."""
        call_id = observed.subscription.dialog[0]
        documents = (each.document for each in observed.subscription.notifications)
        entity = next((each.entity for each in documents if each is not None and each.entity), "")
        entities = (canonical(entity),) if entity else ()
        targets = [canonical(uri) for uri in observed.targets]
        found = self.by_call_id.get(call_id)
        for name in (*targets, *entities):
            found = found or self.by_name.get(name)
        if found is None:
            if not observed.shows_a_conference:
                return None
            found = Named(set(), [observed.targets[-1]])
            self.named.append(found)
        found.names.update(name for name in (*targets[-1:], *entities) if name not in self.by_name)
        for name in found.names:
            self.by_name.setdefault(name, found)
        return found

    def _by_uri_alone(self) -> None:
        """Calls to or from the URI of a conference whose Contact does not say isfocus."""
        known = {focus.call.id for each in self.named for focus in each.foci}
        names = {
            name: each
            for name, each in self.by_name.items()
            if name in each.names and not each.hosted_by_user and name not in self.registered
        }
        if not names:
            return
        for call in self.trace.calls:
            if call.id in known:
                continue
            _, target, caller = dialled(call)
            for uri, dial_out, other in ((target, False, target), (call.to_uri, False, target), (caller, True, caller)):
                owner = names.get(canonical(uri))
                if owner is not None:
                    owner.foci.append(Focus(call, b"", None, dial_out, other, caller))
                    break

    # --- one conference ---------------------------------------------------------------------------

    def _conference(self, named: Named, observed: list[Observed]) -> Conference:
        written = named.written
        conference = Conference("", canonical(written), written, frozenset(named.names), factory=named.factory)
        foci = sorted(named.foci, key=lambda each: (each.call.first_time, each.call.messages[0].frame))
        register = Register(self.registered)
        mikey = self._mikey({focus.call.id for focus in foci})
        for focus in foci:
            if focus.frame is not None and conference.isfocus is None:
                conference.isfocus, conference.focus = focus.frame, focus.contact.decode("utf-8", "replace")
            for leg in legs_of(focus):
                identity, shown = _participant(leg, self.calls[leg.call])
                display = name_addr(shown).display_name.decode("utf-8", "replace")
                known = mikey.get((leg.call, leg.dialog[2]), "")
                who = register.add(leg, identity, uri_of(shown), known, display)
                if named.factory and not leg.dial_out and leg.invite.sip.request_uri == named.factory:
                    self._created(conference, leg, who)
        register.fold(self.calls)
        conference.participants = register.participants
        conference.subscriptions = [each.subscription for each in observed]
        self._evidence(conference)
        self._places(conference)
        return conference

    def _mikey(self, calls: set[str]) -> dict[tuple[str, bytes], str]:
        messages = [each for each in self.trace.mikey if each.call in calls]
        return mikey_identities(messages) if messages else {}

    def _created(self, conference: Conference, leg: ConferenceLeg, who: Participant) -> None:
        if conference.creation is None:
            conference.creation = leg.invite
            who.is_creator = True
            conference.invited = tuple(dict.fromkeys(canonical(uri) for uri in listed(leg.invite.sip)))

    def _evidence(self, conference: Conference) -> None:
        """What shows that it is a conference, from when to when it was seen."""
        because = []
        if conference.isfocus is not None:
            because.append("Contact with isfocus")
        subscriptions = conference.subscriptions
        if any(each.accepted or each.notifications for each in subscriptions):
            because.append("Event: conference is served")
        documents = (one.document for each in subscriptions for one in each.notifications)
        if any(each is not None and each.entity for each in documents):
            because.append("conference-info document")
        if conference.factory:
            because.append("created at a factory URI")
        conference.because = tuple(because)
        calls = [self.calls[leg.call] for each in conference.participants for leg in each.legs]
        messages = [one for each in subscriptions for one in _messages(each)]
        times = [call.first_time for call in calls] + [each.time for each in messages]
        conference.first_time = min(times, default=0)
        conference.last_time = max([call.last_time for call in calls] + [each.time for each in messages], default=0)
        for message in messages:
            if conference.isfocus is None and isfocus(message):
                conference.isfocus, conference.focus = message.frame, isfocus(message).decode("utf-8", "replace")

    def _places(self, conference: Conference) -> None:
        """Addresses of the focus, and where the trusted side of it was captured."""
        hosts: dict[str, bool] = {}
        legs = [leg for each in conference.participants for leg in each.legs]
        for leg in legs:
            for host, message in _at_the_end(leg):
                hosts[host] = hosts.get(host, False) or _trusted(message, dial_out=leg.dial_out)
        for subscription in conference.subscriptions:
            for message in subscription.hops[:1]:
                hosts[message.destination.ip] = hosts.get(message.destination.ip, False) or _trusted(message)
        conference.focus_hosts = frozenset(hosts)
        for leg in legs:
            leg.at_focus = any(hosts[host] for host, _ in _at_the_end(leg)) or (
                not leg.dial_out and _last_hop(leg.invite, leg.answer)
            )
        for subscription in conference.subscriptions:
            first = subscription.request
            subscription.at_focus = first is not None and (
                hosts.get(first.destination.ip, False) or _last_hop(first, subscription.answer)
            )

    def _number(self, conference: Conference, number: int) -> None:
        conference.id = f"conference-{number}"
        for participant in conference.participants:
            for leg in participant.legs:
                for name in (leg.call, *leg.also):
                    self.calls[name].conference = conference.id
        for order, subscription in enumerate(conference.subscriptions, 1):
            subscription.id = f"{conference.id}/subscription-{order}"

    def _refer(self, referrals: Referrals) -> None:
        if not referrals.found:
            return
        by_name = {name: each for each in self.conferences for name in each.names}
        by_dialog = {
            leg.dialog[0]: (each, leg.dialog[1])
            for each in self.conferences
            for participant in each.participants
            for leg in participant.legs
        }
        of_conference: dict[str, list[tuple[SignallingMessage, int]]] = {}
        for message, status in referrals.found:
            sip = message.sip
            owner = by_name.get(canonical(sip.request_uri)) or by_name.get(canonical(uri_of(sip.to)))
            leg = by_dialog.get(sip.call_id)
            if leg is not None:
                owner = leg[0] if sip.to_tag == leg[1] else None  # to the focus, not from it
            if owner is not None:
                of_conference.setdefault(owner.id, []).append((message, status))
        for conference in self.conferences:
            if conference.id in of_conference:
                refer(conference, of_conference[conference.id])

    def _documents(self, found: list[Notification]) -> None:
        if not found:
            return
        by_name = {name: each for each in self.conferences for name in each.names}
        for each in found:
            entity = canonical(each.document.entity) if each.document is not None else ""
            owner = by_name.get(entity) or by_name.get(canonical(uri_of(each.message.sip.to)))
            if owner is not None:
                owner.documents.append(each)


def _participant(leg: ConferenceLeg, call: Call) -> tuple[Identity, bytes]:
    """Who the participant of a leg is, and what it is called to anybody: in From, or in To of whom the focus calls."""
    invite = leg.invite
    if not leg.dial_out and not (leg.joined_before and invite.sip.from_tag == leg.dialog[1]):
        own = uri_of(invite.sip.from_)
        tag, cseq = invite.sip.from_tag, invite.sip.cseq
        said = [
            each
            for each in call.messages
            if each.sip.method == b"INVITE" and (each.sip.from_tag, each.sip.cseq) == (tag, cseq)
        ]
        return identity_of(reversed(said), own), invite.sip.from_
    own = uri_of(invite.sip.to)
    answers = [
        each
        for each in call.messages
        if 200 <= each.sip.status < 300 and each.sip.cseq_method == b"INVITE" and each.sip.to_tag == leg.dialog[2]
    ]
    return identity_of(reversed(answers), own), invite.sip.to


def _messages(subscription: Subscription) -> list[SignallingMessage]:
    answer = [subscription.answer] if subscription.answer is not None else []
    return [*subscription.hops, *answer, *(hop for each in subscription.notifications for hop in each.hops)]


def _at_the_end(leg: ConferenceLeg) -> list[tuple[str, SignallingMessage]]:
    """The messages of a leg on the hop nearest to the focus, with the address that is the focus' there."""
    invite = leg.invite
    out = [(invite.source.ip if leg.dial_out else invite.destination.ip, invite)]
    if leg.answer is not None:
        out.append((leg.answer.destination.ip if leg.dial_out else leg.answer.source.ip, leg.answer))
    return out


def _trusted(message: SignallingMessage, *, dial_out: bool = False) -> bool:
    """The hop is inside the trust domain (RFC 3325 §5, RFC 7315 §4.6)."""
    if message.sip.header(CHARGING):
        return True
    if message.sip.status or not asserted_of(message):
        return False  # an identity asserted to a user says nothing of the hop
    return not dial_out or len(message.sip.header_values(b"via")) < 2


def _last_hop(request: SignallingMessage, answer: SignallingMessage | None) -> bool:
    """A request came through a proxy, and none behind it put itself into the route (RFC 3261 §16.6): it arrived."""
    if len(request.sip.header_values(b"via")) < 2:
        return False
    routes = (len(each.sip.header_values(b"record-route")) for each in (request, answer) if each is not None)
    return len(set(routes)) == 1

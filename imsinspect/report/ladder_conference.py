"""The ladder of a conference: its focus and who takes part, each leg folded into a few arrows."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from imsinspect.report import marks
from imsinspect.report.escape import text
from imsinspect.report.ladder_call import drafts_of_line
from imsinspect.report.ladder_drafts import FRAMES_KEPT, Draft, always, floor_draft, media_words, session_draft
from imsinspect.report.ladder_model import LIFELINES
from imsinspect.report.page import counted

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from imsinspect.trace.conference_model import Conference, ConferenceLeg, Participant, Subscription
    from imsinspect.trace.model import Call, SignallingMessage, Trace

FOCUS = "focus"
OFFERS_SHOWN = 3


class ConferenceLanes:
    """A lifeline for the focus and for each identity."""

    def __init__(self, conference: Conference) -> None:
        self._conference = conference
        self._addresses: dict[str, dict[str, None]] = {}
        for participant in conference.participants:
            for leg in participant.legs:
                sends = leg.answer if leg.dial_out else leg.invite
                if sends is not None:
                    self._addresses.setdefault(participant.identity, {})[sends.source.ip] = None

    def key(self, end: Hashable) -> Hashable:
        """Ends are identities already."""
        return end

    def name(self, key: Hashable, ends: list[Hashable]) -> str:
        """The identity; of the focus the URI of the conference."""
        if key == FOCUS:
            return f"focus of {text(self._conference.uri_written) or text(self._conference.uri)}"
        return text(str(key))

    def addresses(self, key: Hashable, ends: list[Hashable]) -> tuple[str, ...]:
        """Of the focus, and of the nearest hop to each participant."""
        if key == FOCUS:
            return tuple(sorted(self._conference.focus_hosts))
        return tuple(self._addresses.get(str(key), ()))

    def arranged(self, keys: list[Hashable]) -> list[Hashable]:
        """Participants in order of appearance, half of those that have a lifeline on either side of the focus."""
        others = [key for key in keys if key != FOCUS]
        middle = min((len(others) + 1) // 2, LIFELINES // 2)
        return [*others[:middle], *([FOCUS] if FOCUS in keys else []), *others[middle:]]


def drafts_of_conference(trace: Trace, conference: Conference, legs: Sequence[Call]) -> Iterator[Draft]:
    """Joining, media, roster, referrals and leaving of everybody, in no order."""
    by_id = {call.id: call for call in legs}
    for participant in conference.participants:
        told: set[str] = set()
        for leg in participant.legs:
            yield from _leg(participant, leg)
            call = by_id.get(leg.call)
            if call is not None and call.id not in told:
                told.add(call.id)
                yield from _media(trace, participant, leg, call)
    for subscription in conference.subscriptions:
        yield from _subscription(subscription)
    for referral in conference.referrals:
        details = [f"{'removes' if referral.removes else 'invites'} {text(referral.target)}"]
        details += [f"answered {referral.status}"] if referral.status else []
        yield _signalled(referral.message, referral.sender, FOCUS, "REFER", tuple(details))


def _signalled(
    message: SignallingMessage, source: str, destination: str, title: str, details: tuple[str, ...]
) -> Draft:
    mark = marks.of_message(message.protection, message.transport)
    return Draft(
        message.time, message.time, list(message.frames[:FRAMES_KEPT]), "sip", source, destination, title, mark,
        ("sip", title, details, mark), always(details), [message],
    )  # fmt: skip


def _leg(participant: Participant, leg: ConferenceLeg) -> Iterator[Draft]:
    """The INVITE with its answer, and the BYE."""
    who = participant.identity
    ends = (FOCUS, who) if leg.dial_out else (who, FOCUS)
    answer = leg.answer
    details = tuple(media_words(media) for sdp in leg.invite.sdp for media in sdp.media[:OFFERS_SHOWN])
    if answer is not None:
        details += (f"answered {answer.sip.status} {text(answer.sip.reason)}",)
    elif leg.joined_before:
        details += ("the capture begins inside the dialog",)
    yield (joins := _signalled(leg.invite, *ends, f"INVITE ({leg.call})", details))
    if answer is not None:
        joins.frames += [frame for frame in answer.frames[:FRAMES_KEPT] if frame not in joins.frames]
    bye = leg.left_bye
    if bye is not None:
        ends = (FOCUS, who) if bye.sip.from_tag == leg.dialog[1] else (who, FOCUS)
        yield _signalled(bye, *ends, f"BYE ({leg.call})", ())


def _media(trace: Trace, participant: Participant, leg: ConferenceLeg, call: Call) -> Iterator[Draft]:
    """What passed on the lines of a leg, between the participant and the focus."""
    senders = {use.stream.id: use.party for line in call.lines for use in chain(line.streams, line.rtcp)}
    hosts = {leg.invite.source.ip if not leg.dial_out else leg.invite.destination.ip, *_announced(call, leg)}
    for line in call.lines:
        for draft in drafts_of_line(line):
            party = next((senders.get(each.id, b"") for each in draft.members if hasattr(each, "ssrc")), b"")
            from_focus = party == leg.dialog[1] if party else _ip(draft.source) not in hosts
            yield _between(draft, participant.identity, from_focus)
        for session in line.tls_sessions:
            yield _between(session_draft(session, call.id), participant.identity, session.client.ip not in hosts)
    lines = {line.id for line in call.lines}
    for floor in trace.floors:
        if any(line.id in lines for line in floor.lines):
            yield _between(floor_draft(floor), participant.identity, floor.ends[0].ip not in hosts)


def _ip(end: Hashable) -> str:
    return str(getattr(end, "ip", ""))


def _announced(call: Call, leg: ConferenceLeg) -> Iterator[str]:
    """Addresses that the participant's descriptions name."""
    for negotiation in call.negotiations:
        for tag, described in (
            (negotiation.offerer_tag, negotiation.offer),
            (negotiation.answerer_tag, negotiation.answer),
        ):
            if described is not None and tag == leg.dialog[2]:
                for media in described.sdp.media:
                    yield media.connection.decode("ascii", "replace")


def _between(draft: Draft, who: str, from_focus: bool) -> Draft:
    draft.source, draft.destination = (FOCUS, who) if from_focus else (who, FOCUS)
    return draft


def _subscription(subscription: Subscription) -> Iterator[Draft]:
    """The SUBSCRIBE, and all notifications in one arrow."""
    who = subscription.subscriber
    request = subscription.request
    if request is not None:
        status = subscription.answer.sip.status if subscription.answer is not None else 0
        refreshes = len({(each.sip.cseq, each.sip.call_id) for each in subscription.hops}) - 1
        details = tuple(
            filter(
                None,
                (f"answered {status}" if status else "", counted(refreshes, "more SUBSCRIBE") if refreshes > 0 else ""),
            )
        )
        yield _signalled(request, who, FOCUS, "SUBSCRIBE conference", details)
    notified = subscription.notifications
    if notified:
        documents = sum(each.document is not None for each in notified)
        sealed = sum(each.sealed for each in notified)
        details = (f"{documents} with a readable roster" if documents else "",)
        details += (f"{sealed} sealed with S/MIME" if sealed else "",)
        draft = _signalled(notified[0].message, FOCUS, who, "NOTIFY conference", tuple(filter(None, details)))
        draft.members = list(notified)
        draft.last_time = notified[-1].message.time
        draft.frames += [each.message.frame for each in notified[1:FRAMES_KEPT]]
        yield draft

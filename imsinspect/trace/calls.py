"""Calls from SIP messages: state, negotiations, and media lines over time (RFC 3261, RFC 3264)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.trace.dialogs import Dialog, follow
from imsinspect.trace.model import Call, LineState, MediaLine
from imsinspect.trace.negotiation import negotiate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.trace.dialogs import Session, Tags, Transaction, Way
    from imsinspect.trace.model import SignallingMessage
    from imsinspect.trace.negotiation import Content, Exchange, Step

OF_A_CALL = frozenset((b"INVITE", b"ACK", b"BYE", b"CANCEL", b"PRACK", b"UPDATE"))
"""Methods that only a session set up by INVITE has (RFC 3261, RFC 3262, RFC 3311)."""

MAX_LINES = 256  # of one description; what stands behind is not followed


def build_calls(messages: Iterable[SignallingMessage]) -> list[Call]:
    """The calls among messages in time order; a call holds all messages of its Call-ID.

    A line that several hops carried with the same octets is one line; hops whose descriptions differ, and dialogs of
    a forked request, have lines of their own.
    """
    by_call_id: dict[bytes, list[SignallingMessage]] = {}
    calls: set[bytes] = set()
    for message in messages:
        sip = message.sip
        if not sip.call_id:
            continue
        found = by_call_id.get(sip.call_id)
        if found is None:
            by_call_id[sip.call_id] = [message]
        else:
            found.append(message)
        if sip.cseq_method in OF_A_CALL or sip.method in OF_A_CALL:
            calls.add(sip.call_id)
    return [
        _call(f"call-{number}", call_id, by_call_id[call_id])
        for number, call_id in enumerate((call_id for call_id in by_call_id if call_id in calls), 1)
    ]


def _call(name: str, call_id: bytes, messages: list[SignallingMessage]) -> Call:
    session = follow(messages)
    first = next((each.sip for each in messages if each.sip.method == b"INVITE" and not each.sip.to_tag), None)
    if first is None:
        first = messages[0].sip
    state, ended_at = _state(session)
    exchanges = negotiate(call_id, session)
    call = Call(
        name,
        call_id,
        uri_of(first.from_),
        uri_of(first.to),
        messages[0].time,
        messages[-1].time,
        state,
        messages=messages,
        negotiations=[each.negotiation for each in exchanges],
        ended_at=ended_at,
    )
    call.lines = _lines(name, _views(exchanges), session, ended_at)
    return call


# --- the state of a call --------------------------------------------------------------------------


def _state(session: Session) -> tuple[str, int | None]:
    """The state at the end of what was seen, and when the call ended."""
    confirmed = [dialog for dialog in session.dialogs.values() if dialog.confirmed_at is not None]
    if confirmed:
        return _over(confirmed) or ("confirmed", None)
    invites = [each for each in session.transactions if each.method == b"INVITE"]
    attempts = [each for each in invites if each.request is not None and not each.in_dialog]
    if attempts:
        return _attempt(session, attempts)
    if any(each.in_dialog for each in invites):
        return _over(list(session.dialogs.values())) or ("confirmed", None)
    return _over(list(session.dialogs.values())) or ("unknown", None)


def _over(dialogs: list[Dialog]) -> tuple[str, int] | None:
    """Ended, if all dialogs are."""
    ends = [dialog.ended_at for dialog in dialogs if dialog.ended_at is not None]
    return ("ended", max(ends)) if ends and len(ends) == len(dialogs) else None


def _attempt(session: Session, attempts: list[Transaction]) -> tuple[str, int | None]:
    """The state of a call that was never confirmed: that of its last attempt, on the first hop that saw it."""
    last = attempts[-1]
    hops = [each for each in attempts if (each.from_tag, each.cseq) == (last.from_tag, last.cseq)]
    refused_at = hops[0].refused_at
    cancelled_at = session.cancelled.get((last.from_tag, last.cseq))
    if cancelled_at is not None:
        return "cancelled", cancelled_at if refused_at is None else refused_at
    if refused_at is not None:
        return "failed", refused_at
    ended = _over([each for each in session.dialogs.values() if last.from_tag in each.tags])
    if ended is not None:
        return ended
    early = any(100 < response.sip.status < 200 for each in hops for response in each.responses)
    return ("early" if early else "trying"), None


# --- views: the same dialog as hops show it -------------------------------------------------------


@dataclass(slots=True)
class _View:
    """The exchanges of one dialog, as one hop (or several that carried the same octets) shows them."""

    tags: Tags
    exchanges: list[Exchange] = field(default_factory=list)
    last: Step | None = None  # the step of the newest exchange


@dataclass(slots=True)
class _Seen:
    """One step of a dialog: the exchanges of all hops, those with the same octets together."""

    classes: dict[tuple[Content, Content | None], list[Exchange]] = field(default_factory=dict)


def _views(exchanges: list[Exchange]) -> list[_View]:
    """Sort the exchanges of a call into views."""
    if len(exchanges) == 1:
        return [_View(exchanges[0].tags, exchanges)]
    answered = {(each.step[:3], each.offered) for each in exchanges if each.negotiation.answer is not None}
    steps: dict[tuple[Tags, Step], _Seen] = {}
    for each in exchanges:
        answer = each.answered
        if answer is None and b"" in each.tags and (each.step[:3], each.offered) in answered:
            continue  # one direction of a hop, whose answer another hop shows
        seen = steps.setdefault((each.tags, each.step), _Seen())
        seen.classes.setdefault((each.offered, answer), []).append(each)
    book = _Book()
    for (tags, step), seen in steps.items():
        book.place(tags, step, _joined(seen))
    return book.views


def _joined(seen: _Seen) -> list[list[Exchange]]:
    """The classes of a step; where only the offer was seen, with those that show an answer to the same offer."""
    if len(seen.classes) == 1:
        return list(seen.classes.values())
    whole: dict[Content, list[Exchange]] = {}
    for (offer, answer), group in seen.classes.items():
        if answer is not None:
            whole.setdefault(offer, group)
    out: list[list[Exchange]] = []
    for (offer, answer), group in seen.classes.items():
        known = whole.get(offer) if answer is None else None
        if known is None:
            out.append(group)
        else:
            known.extend(group)
    return out


class _Book:
    """Which view each hop of each dialog belongs to."""

    def __init__(self) -> None:
        self.views: list[_View] = []
        self._by_hop: dict[tuple[Tags, Way], _View] = {}
        self._by_tags: dict[Tags, list[_View]] = {}
        self._unanswered: dict[tuple[bytes, Way], _View] = {}  # by the offerer's tag and the sorted hop

    def place(self, tags: Tags, step: Step, classes: list[list[Exchange]]) -> None:
        """Add one step of a dialog: each class to the view of its hops, or to a new one."""
        for group in classes:
            hops = list(dict.fromkeys(each.way for each in group))
            known = [self._by_hop[tags, hop] for hop in hops if (tags, hop) in self._by_hop]
            targets = list({id(view): view for view in known if view.last != step}.values())
            if not targets:
                targets = [self._adopt(tags, step, group[0])]
                for hop in hops:
                    self._by_hop[tags, hop] = targets[0]
            for hop in hops:
                self._by_hop.setdefault((tags, hop), targets[0])
            for view in targets:
                view.last = step
                view.exchanges.append(group[0])
            if b"" in tags:
                for each in group:
                    self._unanswered.setdefault((each.step[0], _either_way(each.way)), targets[0])

    def _adopt(self, tags: Tags, step: Step, exchange: Exchange) -> _View:
        """The view that a hop not seen before goes on with, or a new one."""
        views = self._by_tags.setdefault(tags, [])
        if exchange.in_dialog:
            if len(views) == 1 and views[0].last != step:
                return views[0]
            origin = exchange.negotiation.offer.sdp.origin[:2]
            for view in views[:16]:
                if view.last != step and origin in _origins(view):
                    return view
            if not views:
                hop = _either_way(exchange.way)
                for tag in tags:
                    offered = self._unanswered.get((tag, hop))
                    if offered is not None:
                        offered.tags = tags
                        views.append(offered)
                        return offered
        view = _View(tags)
        views.append(view)
        self.views.append(view)
        return view


def _either_way(way: Way) -> Way:
    return way if str(way[0]) <= str(way[1]) else (way[1], way[0])


def _origins(view: _View) -> list[tuple[bytes, ...]]:
    """User name and session id of both sides, as last said."""
    last = view.exchanges[-1].negotiation
    out: list[tuple[bytes, ...]] = [last.offer.sdp.origin[:2]]
    if last.answer is not None:
        out.append(last.answer.sdp.origin[:2])
    return out


# --- media lines ----------------------------------------------------------------------------------


def _lines(name: str, views: list[_View], session: Session, ended_at: int | None) -> list[MediaLine]:
    """The media lines of a call, view by view."""
    built = [lines for lines in (_follow(name, view, session, ended_at) for view in views) if lines]
    if len(built) > 1:
        for number, lines in enumerate(built, 1):
            for line in lines:
                line.id = f"{name}.{number}/{line.index}"
    return [line for lines in built for line in lines]


def _follow(name: str, view: _View, session: Session, ended_at: int | None) -> list[MediaLine]:
    """The lines of one view over time."""
    lines: list[MediaLine] = []
    unended: list[list[LineState]] = []
    said: dict[bytes, Content] = {}
    # An answered exchange counts from its answer on: a re-INVITE may be overtaken by what was offered later.
    for exchange in sorted(view.exchanges, key=_agreed_at):
        negotiation = exchange.negotiation
        answer = negotiation.answer
        if negotiation.rejected and (exchange.in_dialog or answer is None):
            continue
        offered, answered = exchange.offered, exchange.answered
        offerer = negotiation.offerer_tag
        if said.get(offerer) == offered and (answer is None or said.get(negotiation.answerer_tag) == answered):
            continue
        begins = negotiation.offer.message.time
        answered_at = answer.message.time if answer is not None else None
        if answered_at is not None and not negotiation.provisional:
            said = {offerer: offered}
            if answered is not None:
                said[negotiation.answerer_tag] = answered
        for media in negotiation.offer.sdp.media[:MAX_LINES]:
            index = media.index
            while len(lines) <= index:
                lines.append(MediaLine(f"{name}/{len(lines)}", name, len(lines)))
                unended.append([])
            reply = answer.sdp.media[index] if answer is not None and index < len(answer.sdp.media) else None
            state = LineState(negotiation, media, reply, begins, answered_at if reply is not None else None)
            if answered_at is not None:
                _supersede(unended[index], negotiation.provisional, answered_at)
            lines[index].states.append(state)
            unended[index].append(state)
            if negotiation.rejected:
                state.ends = exchange.refused_at
    dialog = session.dialogs.get(view.tags)
    end = dialog.ended_at if dialog is not None else ended_at
    if end is not None:
        for states in unended:
            for state in states:
                state.ends = end if state.ends is None else min(end, state.ends)
    return lines


def _agreed_at(exchange: Exchange) -> int:
    answer = exchange.negotiation.answer
    return answer.message.time if answer is not None else exchange.negotiation.offer.message.time


def _supersede(unended: list[LineState], preview: bool, time: int) -> None:
    """What is agreed ends what was agreed or offered before; a preview ends only an earlier preview."""
    kept: list[LineState] = []
    for state in unended:
        if preview and not state.negotiation.provisional:
            kept.append(state)
        elif state.ends is None or state.ends > time:
            state.ends = time
    unended[:] = kept

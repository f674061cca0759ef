"""The dialogs of a call with a focus: who set them up, when they were joined and left (rules.md 17.5, 17.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import parameters, uri_of
from imsinspect.trace.conference_model import ConferenceLeg
from imsinspect.trace.dialogs import CHALLENGES, follow, tags_of
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from imsinspect.trace.conference_focus import Focus
    from imsinspect.trace.dialogs import Session, Tags, Transaction
    from imsinspect.trace.model import SignallingMessage

MAX_LEGS = 64  # dialogs of one call that are followed


def legs_of(focus: Focus) -> list[ConferenceLeg]:
    """The legs of a call: one for each dialog that was accepted, else one for its last attempt."""
    session = follow(focus.call.messages)
    ends = _ends(session)
    attempts: dict[tuple[bytes, int], list[Transaction]] = {}
    for transaction in session.transactions:
        if transaction.method == b"INVITE" and transaction.request is not None and not transaction.in_dialog:
            attempts.setdefault((transaction.from_tag, transaction.cseq), []).append(transaction)
    if not attempts:
        return _joined_before(focus, session, ends)
    legs: list[ConferenceLeg] = []
    for hops in attempts.values():
        accepted = _accepted(hops, focus.dial_out)
        invite = _nearest([each.request for each in hops if each.request is not None], first=focus.dial_out)
        for tag, answer in list(accepted.items())[: MAX_LEGS - len(legs)]:
            leg = _leg(focus, invite, answer, tag)
            leg.joined = answer.time
            _end(leg, ends, session)
            legs.append(leg)
    if not legs:
        hops = list(attempts.values())[-1]
        invite = _nearest([each.request for each in hops if each.request is not None], first=focus.dial_out)
        finals = [each for hop in hops for each in hop.responses if each.sip.status >= 300]
        last = _nearest(finals, first=not focus.dial_out) if finals else None
        legs.append(_leg(focus, invite, last, last.sip.to_tag if last is not None else b""))
    return legs


def _accepted(hops: list[Transaction], dial_out: bool) -> dict[bytes, SignallingMessage]:
    """The 2xx of each dialog of an attempt, on the hop nearest to the focus: its own come first, others' last."""
    out: dict[bytes, SignallingMessage] = {}
    for hop in hops:
        seen: set[bytes] = set()
        for response in hop.responses:
            tag = response.sip.to_tag
            if not 200 <= response.sip.status < 300 or tag in seen:
                continue
            seen.add(tag)
            before = out.get(tag)
            if before is None or (response.time > before.time) == dial_out:
                out[tag] = response
    return out


def _nearest(messages: list[SignallingMessage], *, first: bool) -> SignallingMessage:
    return messages[0] if first else messages[-1]


def _leg(focus: Focus, invite: SignallingMessage, answer: SignallingMessage | None, tag: bytes) -> ConferenceLeg:
    caller = invite.sip.from_tag
    tags = (caller, tag) if focus.dial_out else (tag, caller)
    replaces, joins = _replaces(invite)
    said = invite if not focus.dial_out else answer
    return ConferenceLeg(
        focus.call.id,
        (focus.call.call_id, *tags),
        focus.dial_out,
        invite,
        answer,
        replaces=replaces,
        joins=joins,
        contact=_contact(said) if said is not None else "",
        privacy=privacy_of(said) if said is not None else frozenset(),
    )


def _joined_before(focus: Focus, session: Session, ends: dict[Tags, _End]) -> list[ConferenceLeg]:
    """The leg of a dialog that was there when the capture began, by the first re-INVITE in it."""
    for transaction in session.transactions:
        if transaction.method == b"INVITE" and transaction.request is not None:
            request = transaction.request
            sender_is_focus = transaction.from_tag == request.sip.from_tag and focus.dial_out
            answer = next((each for each in transaction.responses if 200 <= each.sip.status < 300), None)
            leg = _leg(focus, request, answer, request.sip.to_tag)
            leg.dial_out = sender_is_focus
            leg.joined, leg.joined_before = focus.call.first_time, True
            _end(leg, ends, session)
            return [leg]
    return []


class _End:
    """How a dialog was ended by BYE."""

    __slots__ = ("answer", "bye")

    def __init__(self, bye: SignallingMessage | None, answer: SignallingMessage | None) -> None:
        self.bye = bye
        self.answer = answer


def _ends(session: Session) -> dict[Tags, _End]:
    """The BYE of each dialog with the first answer to it, whichever hop showed them."""
    out: dict[Tags, _End] = {}
    for transaction in session.transactions:
        if transaction.method != b"BYE" or any(each.sip.status in CHALLENGES for each in transaction.responses):
            continue
        tags = tags_of(transaction.from_tag, transaction.first.sip.to_tag)
        answer = next((each for each in transaction.responses if each.sip.status >= 200), None)
        known = out.get(tags)
        if known is None:
            out[tags] = _End(transaction.request, answer)
        else:
            known.bye = known.bye or transaction.request
            if answer is not None and (known.answer is None or answer.time < known.answer.time):
                known.answer = answer
    return out


def _end(leg: ConferenceLeg, ends: dict[Tags, _End], session: Session) -> None:
    """Set when the leg was left."""
    tags = tags_of(leg.dialog[1], leg.dialog[2])
    end = ends.get(tags)
    if end is not None:
        last = end.answer or end.bye
        leg.left = last.time if last is not None else None
        first = end.bye or end.answer
        leg.left_frame = first.frame if first is not None else None
        leg.left_bye = end.bye
        leg.left_answer = end.answer.frame if end.answer is not None else None
        return
    dialog = session.dialogs.get(tags)
    if dialog is not None and dialog.ended_at is not None:
        leg.left = dialog.ended_at


def _replaces(invite: SignallingMessage) -> tuple[tuple[bytes, bytes, bytes] | None, bool]:
    """The dialog that a Replaces or Join header names, the focus' tag first (RFC 3891 §3, RFC 3911 §4)."""
    for name in (b"replaces", b"join"):
        if b"\n" + name not in invite.sip.head.lower():
            continue
        rows = invite.sip.header(name)
        if rows:
            told = parameters(rows[0])
            call_id = rows[0].partition(b";")[0].strip()
            return (call_id, told.get(b"to-tag", b""), told.get(b"from-tag", b"")), name == b"join"
    return None, False


def _contact(message: SignallingMessage) -> str:
    rows = message.sip.header_values(b"contact")
    return canonical(uri_of(rows[0])) if rows else ""


def privacy_of(message: SignallingMessage) -> frozenset[str]:
    """Values of Privacy (RFC 3323 §4.2), in lower case."""
    rows = message.sip.header(b"privacy")[:4]
    words = (word.strip().lower() for row in rows for word in row.replace(b",", b";").split(b";"))
    return frozenset(word.decode("ascii", "backslashreplace") for word in words if word)

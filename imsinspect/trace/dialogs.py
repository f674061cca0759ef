"""SIP transactions and dialogs of one Call-ID, hop by hop (RFC 3261 §12, §13, §17; RFC 3262; RFC 3311)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.trace.model import SignallingMessage

Way = tuple["str | Endpoint", "str | Endpoint"]
"""From which address to which a message travelled; with ports where both addresses are one."""

Tags = tuple[bytes, bytes]
"""The two tags of a dialog, sorted; the first is b"" while the peer's tag is not known."""

RETRANSMISSION_SPAN = 32_000_000_000
"""Nanoseconds after which an equal message is another one: 64 * T1 (RFC 3261 §17.1.1.2)."""

CHALLENGES = frozenset((401, 407))
DIALOG_IS_GONE = frozenset((408, 481))  # RFC 3261 §12.2.1.2
TERMINATING = frozenset((b"INVITE", b"UPDATE"))  # whose refusal may say that the dialog is gone


def mark_retransmissions(messages: Iterable[SignallingMessage]) -> None:
    """Set `retransmission` on messages that repeat the bytes of an earlier one of the same hop (RFC 3261 §17).

    Only datagrams are retransmitted by SIP. Messages are in time order; copies more than 64 * T1 after the last
    one are new messages.
    """
    last: dict[tuple[Endpoint, Endpoint, bytes, bytes], int] = {}
    for message in messages:
        if message.transport not in ("udp", "exported"):
            continue
        sip = message.sip
        key = (message.source, message.destination, sip.head, sip.body)
        before = last.get(key)
        message.retransmission = before is not None and message.time - before <= RETRANSMISSION_SPAN
        last[key] = message.time


def way_of(message: SignallingMessage) -> Way:
    """From which address to which a message travelled."""
    source, destination = message.source, message.destination
    return (source.ip, destination.ip) if source.ip != destination.ip else (source, destination)


def tags_of(one: bytes, other: bytes) -> Tags:
    """The tags of a dialog, whoever sends."""
    return (one, other) if one <= other else (other, one)


@dataclass(slots=True)
class Transaction:
    """A request on one hop with what answered it there; the request is missing where only one direction was seen."""

    method: bytes
    cseq: int
    way: Way  # of the request
    from_tag: bytes
    first: SignallingMessage
    request: SignallingMessage | None = None
    responses: list[SignallingMessage] = field(default_factory=list)
    acknowledgements: list[SignallingMessage] = field(default_factory=list)  # ACK to a 2xx
    pracks: list[SignallingMessage] = field(default_factory=list)

    @property
    def in_dialog(self) -> bool:
        """The request stands in a dialog that exists already."""
        return self.request is not None and self.request.sip.to_tag != b""

    @property
    def refused_at(self) -> int | None:
        """Time of the final response that refused; None if there is none, or if some branch accepted."""
        refused = None
        for response in self.responses:
            status = response.sip.status
            if 200 <= status < 300:
                return None
            if status >= 300 and refused is None:
                refused = response.time
        return refused


@dataclass(slots=True)
class Dialog:
    """What is known of one dialog on all hops that carried its tags."""

    tags: Tags
    confirmed_at: int | None = None
    ended_at: int | None = None


@dataclass(slots=True)
class Session:
    """Transactions in order of first sight, and dialogs, of one Call-ID."""

    transactions: list[Transaction] = field(default_factory=list)
    dialogs: dict[Tags, Dialog] = field(default_factory=dict)
    cancelled: dict[tuple[bytes, int], int] = field(default_factory=dict)  # From tag and CSeq: time of the CANCEL

    def dialog(self, one: bytes, other: bytes) -> Dialog:
        """The dialog of these tags, made if it is new."""
        tags = tags_of(one, other)
        found = self.dialogs.get(tags)
        if found is None:
            found = self.dialogs[tags] = Dialog(tags)
        return found


def follow(messages: Iterable[SignallingMessage]) -> Session:
    """Put the messages of one Call-ID, in time order, into transactions and dialogs."""
    session = Session()
    transactions: dict[tuple[bytes, int, bytes, Way], Transaction] = {}
    invites: dict[tuple[Way, int, bytes], Transaction] = {}  # by the way, CSeq and To tag of a response
    for message in messages:
        if message.retransmission:
            continue
        sip = message.sip
        way = way_of(message)
        if sip.method == b"ACK":
            invite = invites.get((way, sip.cseq, sip.to_tag))
            if invite is not None:
                invite.acknowledgements.append(message)
        elif sip.method:
            key = (sip.branch, sip.cseq, sip.method, way)
            found = transactions.get(key)
            if found is None:
                found = transactions[key] = Transaction(sip.method, sip.cseq, way, sip.from_tag, message, message)
                session.transactions.append(found)
            elif found.request is None:
                found.request = message
            if sip.method == b"PRACK":
                invite = invites.get((way, _acknowledged(message), sip.to_tag))
                if invite is not None:
                    invite.pracks.append(message)
            elif sip.method == b"CANCEL":
                session.cancelled.setdefault((sip.from_tag, sip.cseq), message.time)
        elif sip.status:
            way = (way[1], way[0])
            key = (sip.branch, sip.cseq, sip.cseq_method, way)
            found = transactions.get(key)
            if found is None:
                found = transactions[key] = Transaction(sip.cseq_method, sip.cseq, way, sip.from_tag, message)
                session.transactions.append(found)
            found.responses.append(message)
            if sip.cseq_method == b"INVITE" and sip.to_tag and sip.status > 100:
                invites.setdefault((way, sip.cseq, sip.to_tag), found)
    for transaction in session.transactions:
        if transaction.method == b"INVITE" and not transaction.in_dialog:
            _set_up(session, transaction)
    byes: dict[Tags, int] = {}
    for transaction in session.transactions:
        if transaction.method == b"BYE":
            _end(session, transaction, byes)
        elif transaction.in_dialog and transaction.method in TERMINATING:
            _modify(session, transaction)
    for tags, time in byes.items():
        session.dialogs[tags].ended_at = time
    return session


def _acknowledged(prack: SignallingMessage) -> int:
    """The CSeq number that a PRACK's RAck names (RFC 3262 §7.2); -1 if it names none."""
    rows = prack.sip.header(b"rack")
    words = rows[0].split() if rows else []
    return int(words[1]) if len(words) > 2 and words[1].isdigit() and len(words[1]) <= 10 else -1


def _set_up(session: Session, transaction: Transaction) -> None:
    """Early and confirmed dialogs of an INVITE outside of a dialog, and the ends of those that came to nothing."""
    early: dict[bytes, None] = {}
    confirmed: dict[bytes, int] = {}
    for response in transaction.responses:
        sip = response.sip
        if sip.to_tag and 100 < sip.status < 300:
            early[sip.to_tag] = None
            if sip.status >= 200:
                confirmed.setdefault(sip.to_tag, response.time)
    end = min(confirmed.values()) if confirmed else transaction.refused_at
    if transaction.request is None and not confirmed:
        end = None  # it may have been a refused change of a call that goes on
    for tag in early:
        dialog = session.dialog(transaction.from_tag, tag)
        if tag in confirmed:
            if dialog.confirmed_at is None or confirmed[tag] < dialog.confirmed_at:
                dialog.confirmed_at = confirmed[tag]
            dialog.ended_at = None
        elif dialog.confirmed_at is None and end is not None and (dialog.ended_at is None or end < dialog.ended_at):
            dialog.ended_at = end


def _modify(session: Session, transaction: Transaction) -> None:
    """A re-INVITE or UPDATE shows that its dialog lives, or that it is gone."""
    request = transaction.request
    if request is None:
        return
    dialog = session.dialog(transaction.from_tag, request.sip.to_tag)
    for response in transaction.responses:
        status = response.sip.status
        if 200 <= status < 300 and transaction.method == b"INVITE" and dialog.confirmed_at is None:
            dialog.confirmed_at = response.time
        if status in DIALOG_IS_GONE and dialog.ended_at is None:
            dialog.ended_at = response.time


def _end(session: Session, transaction: Transaction, byes: dict[Tags, int]) -> None:
    """A BYE ends its dialog, unless it was challenged (it then comes again)."""
    if any(response.sip.status in CHALLENGES for response in transaction.responses):
        return
    tags = session.dialog(transaction.from_tag, transaction.first.sip.to_tag).tags
    byes[tags] = min(byes.get(tags, transaction.first.time), transaction.first.time)

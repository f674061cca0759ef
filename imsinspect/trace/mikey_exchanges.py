"""Which MIKEY message answers which, and which exchanges share a ticket (RFC 6043 §4, RFC 4567 §4).

In SIP the offer and its answer tell; elsewhere the CSB ID between two hosts. Everything is looked up, never searched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.trace.mikey_model import (
    ANSWERS,
    ERROR,
    INITIATOR,
    REQUEST_RESP,
    RESOLVE_INIT_PK,
    RESOLVE_INIT_PSK,
    TRANSFER_INIT,
    MikeyExchange,
    MikeyPassage,
    MikeyRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imsinspect.trace.model import Call, Description, MikeyMessage

SECOND = 1_000_000_000
RETRY_WITHIN = 32 * SECOND  # of a refusal, that the same offer comes again (rules.md 0.10)
SETUP_WITHIN = 300 * SECOND  # that an INVITE waits for its answer; a B2BUA sends its own one within
ELSEWHERE_WITHIN = 60 * SECOND  # outside of SIP, that a message is sent again
RESOLVES = frozenset((RESOLVE_INIT_PSK, RESOLVE_INIT_PK))
LOOKED_AT = 64  # messages and offers of a call that explain why another one repeats its key management


def link(messages: Sequence[MikeyMessage], calls: Iterable[Call]) -> list[MikeyExchange]:
    """The exchanges of messages that are in order of time."""
    linker = _Linker(messages, {call.id: call for call in calls})
    for message in messages:
        linker.take(message)
    for call in linker.calls.values():
        linker.negotiations(call)
    linker.tickets()
    return linker.exchanges


@dataclass(slots=True)
class _Copies:
    """The exchanges that begin with one and the same message, by where it was seen."""

    first: MikeyExchange
    by_call: dict[str, MikeyExchange] = field(default_factory=dict)
    by_receiver: dict[str, tuple[MikeyExchange, MikeyMessage]] = field(default_factory=dict)  # host: the latest
    by_sender: dict[str, tuple[MikeyExchange, MikeyMessage]] = field(default_factory=dict)


class _Linker:
    def __init__(self, messages: Sequence[MikeyMessage], calls: dict[str, Call]) -> None:
        self.calls = calls
        self.exchanges: list[MikeyExchange] = []
        self.of: dict[int, MikeyExchange] = {}  # by the identity of a message
        self.copies: dict[tuple[object, ...], _Copies] = {}
        self.newest: dict[tuple[object, ...], MikeyExchange] = {}  # by the way of a message and CSB ID
        self.by_description: dict[tuple[str, int], list[MikeyMessage]] = {}
        for message in messages:
            if message.call and message.description is not None:
                self.by_description.setdefault((message.call, id(message.description)), []).append(message)

    # --- messages ---------------------------------------------------------------------------------

    def take(self, message: MikeyMessage) -> None:
        """Put a message into the exchange that it begins, repeats or answers."""
        record = message.record
        if record is None:
            return
        if record.data_type in ANSWERS or record.data_type == ERROR:
            known = self._asked(message, record)
            if known is not None:
                (known.errors if record.data_type == ERROR else known.answers).append(message)
                self.of[id(message)] = known
            elif record.data_type == ERROR:
                self._begin(message, record)
            return
        copies = self.copies.get(_name(record))
        exchange = self._copy_of(copies, message) if copies is not None else None
        if exchange is None:
            exchange = self._begin(message, record)
            if copies is None:
                copies = self.copies[_name(record)] = _Copies(exchange)
            else:
                exchange.repeats = copies.first.id
        else:
            exchange.inits.append(message)
        if message.call:
            copies = self.copies[_name(record)]
            copies.by_call[message.call] = exchange
            if message.call not in exchange.calls:
                exchange.calls.append(message.call)
        self.copies[_name(record)].by_receiver[message.destination.ip] = (exchange, message)
        self.copies[_name(record)].by_sender[message.source.ip] = (exchange, message)
        self.of[id(message)] = exchange
        for way in _ways(message):
            self.newest[(*way, record.csb_id)] = exchange

    def _begin(self, message: MikeyMessage, record: MikeyRecord) -> MikeyExchange:
        exchange = MikeyExchange(f"exchange-{len(self.exchanges) + 1}", record.csb_id, record.data_type, [message])
        if message.call:
            exchange.calls.append(message.call)
        if record.ticket is not None:
            exchange.ticket = record.ticket.digest
        for way in _ways(message) if record.data_type == TRANSFER_INIT else ():
            earlier = self.newest.get((*way, record.csb_id))
            if earlier is not None and earlier.data_type == TRANSFER_INIT:
                exchange.bundle = earlier.bundle or earlier.id
                exchange.ticket = exchange.ticket or earlier.ticket
        self.exchanges.append(exchange)
        return exchange

    def _asked(self, message: MikeyMessage, record: MikeyRecord) -> MikeyExchange | None:
        """The newest exchange of its CSB ID that a message answers: in its call, else between its hosts."""
        for way in _ways(message):
            known = self.newest.get((*way, record.csb_id))
            if known is not None:
                kinds = ANSWERS.get(record.data_type)
                return known if kinds is None or known.data_type in kinds else None
        return None

    def _copy_of(self, copies: _Copies, message: MikeyMessage) -> MikeyExchange | None:
        """The exchange that a message repeats for a reason that is known; None where it is a replay for all we see."""
        if not message.call:
            before = copies.by_sender.get(message.source.ip)
            near = before is not None and message.time - before[1].time <= ELSEWHERE_WITHIN
            return before[0] if near and before is not None else None
        call = self.calls.get(message.call)
        for name in (message.call, *(call.related if call is not None else ())):
            if name in copies.by_call:
                return copies.by_call[name]
        before = copies.by_receiver.get(message.source.ip)
        if before is not None and self._sent_on(before[1], message):
            return before[0]
        before = copies.by_sender.get(message.source.ip)
        if before is not None and (self._sent_on(before[1], message) or self._tried_again(before[1], message)):
            return before[0]
        return None

    def _sent_on(self, received: MikeyMessage, sent: MikeyMessage) -> bool:
        """A B2BUA sends on what it received, or sends it to several, while that waits for its answer (T-B2B)."""
        call = self.calls.get(received.call)
        if call is None or sent.time - received.time > SETUP_WITHIN:
            return False
        offers = [each for each in call.negotiations[:LOOKED_AT] if each.offer.sdp is received.description]
        return bool(offers) and all(each.answer is None or each.answer.message.time >= sent.time for each in offers)

    def _tried_again(self, first: MikeyMessage, again: MikeyMessage) -> bool:
        """The same party sends the offer again in a new call because it was refused or redirected (T-AUTH)."""
        call = self.calls.get(first.call)
        if call is None:
            return False
        refused = [
            message.time
            for message in call.messages[:LOOKED_AT]
            if message.sip.status >= 300 and message.sip.cseq_method == b"INVITE" and message.time <= again.time
        ]
        return call.state in ("failed", "cancelled") and bool(refused) and again.time - refused[-1] <= RETRY_WITHIN

    # --- offers and answers -----------------------------------------------------------------------

    def negotiations(self, call: Call) -> None:
        """Pair what stands in each offer with what stands in its answer."""
        for negotiation in call.negotiations:
            inits = self._in(call.id, negotiation.offer)
            if not inits:
                continue
            answers = _Answers(self._in(call.id, negotiation.answer))
            for init in inits:
                exchange = self.of.get(id(init))
                if exchange is None or exchange.data_type == ERROR:
                    continue
                answer = answers.to(init)
                exchange.passages.append(MikeyPassage(call.id, negotiation, init, answer))
                if answer is not None and id(answer) not in self.of:
                    self.of[id(answer)] = exchange
                    exchange.answers.append(answer)

    def _in(self, call: str, description: Description | None) -> list[MikeyMessage]:
        if description is None:
            return []
        found = self.by_description.get((call, id(description.sdp)), ())
        return [each for each in found if each.record is not None]

    # --- tickets ----------------------------------------------------------------------------------

    def tickets(self) -> None:
        """Tie the exchanges with the KMS to the Transfers of their tickets."""
        granted: dict[str, str] = {}
        resolved: dict[str, list[str]] = {}
        for exchange in self.exchanges:
            for answer in exchange.answers:
                record = answer.record
                if record is not None and record.data_type == REQUEST_RESP and record.ticket is not None:
                    exchange.ticket = record.ticket.digest
                    granted.setdefault(record.ticket.digest, exchange.id)
            if exchange.data_type in RESOLVES and exchange.ticket:
                resolved.setdefault(exchange.ticket, []).append(exchange.id)
        for exchange in self.exchanges:
            if exchange.ticket and exchange.data_type == TRANSFER_INIT:
                exchange.request = granted.get(exchange.ticket, "")
                exchange.resolve = resolved.get(exchange.ticket, [])


def _name(record: MikeyRecord) -> tuple[object, ...]:
    """What a message is known by when it comes again: its octets, or what makes a TRANSFER_INIT unique."""
    authentication, rand = record.authentication, record.rand(INITIATOR)
    if record.data_type == TRANSFER_INIT and record.timestamp is not None and authentication and authentication.octets:
        return record.csb_id, record.timestamp.octets, rand.digest if rand is not None else "", authentication.digest
    return (record.digest,)


def _ways(message: MikeyMessage) -> Iterator[tuple[object, ...]]:
    """Where an answer to a message is looked for, the nearest first."""
    if message.call:
        yield ("call", message.call)
    else:
        ends = sorted((message.source.ip, message.destination.ip))
        yield ("hosts", *ends)


class _Answers:
    """The responses that stand in one answer."""

    def __init__(self, messages: Sequence[MikeyMessage]) -> None:
        self.by_csb: dict[int, MikeyMessage] = {}
        self.by_scope: dict[tuple[str, tuple[int, ...]], list[MikeyMessage]] = {}
        for each in messages:
            if each.record is not None and (each.record.data_type in ANSWERS or each.record.errors):
                self.by_csb.setdefault(each.record.csb_id, each)
                self.by_scope.setdefault(_scope(each), []).append(each)

    def to(self, init: MikeyMessage) -> MikeyMessage | None:
        """The response to a message: of its CSB ID, else the only one in its place."""
        known = self.by_csb.get(init.record.csb_id) if init.record is not None else None
        if known is not None:
            return known
        here = self.by_scope.get(_scope(init), ())
        return here[0] if len(here) == 1 else None


def _scope(message: MikeyMessage) -> tuple[str, tuple[int, ...]]:
    """Where a message stands in its description: at session level, or at some lines."""
    return message.carrier, () if message.carrier == "sdp session" else message.sections

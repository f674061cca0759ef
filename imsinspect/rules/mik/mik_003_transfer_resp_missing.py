"""IMS-MIK-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.mik.exchanges import (
    ACCEPTED,
    PREVIEWED,
    PROFILES,
    UNANSWERED,
    answer_evidence,
    by_branch,
    calls,
    csb,
    in_answer,
    settled,
    subject_of,
    transfers,
    unread,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import once, rule
from imsinspect.trace.mikey_model import ERROR, TRANSFER_RESP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyPassage, MikeyTicket
    from imsinspect.trace.model import MikeyMessage, Trace


@rule(
    id="IMS-MIK-003",
    name="transfer-resp-missing",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §G.3.2", "TR 33.829 §5.1.2", "TR 33.829 §5.3.2", "RFC 6043 §4.2.2.2", "RFC 6043 §6.10"),
    follows=("IMS-MIK-002",),
    needs=(MIKEY,),
)
def transfer_resp_missing(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Ticket policy demands a response but none is sent.

    What it checks:
        Every TRANSFER_INIT whose ticket has flag F: each branch of the call that accepts a line of it has to send
        TRANSFER_RESP, in the answer at session or media level, in an earlier reliable response, or later in the dialog.
        Without flag F none is due. An error message is a response of its own kind (IMS-MIK-037).
    Why it matters:
        TRANSFER_RESP authenticates who answered and adds a fresh contribution to the keys. Without it somebody else who
        can resolve the ticket, or nobody who can, may have answered.
    What the finding shows:
        The frame of the offer with the flags of its ticket, and the frame of the answer with the ports that it opens.
    How to fix it:
        Let the responder send TRANSFER_RESP where flag F is set, and the initiator end a session that lacks it. If it
        was sent, look for the device that removed a=key-mgmt from the answer.
    When it is not assessed:
        N-OA: the final answer was not seen. IMS-MIK-038: the ticket, or MIKEY in the answer, can't be read. N-FRAG: the
        message is cut. N-SIP: signalling that could not be read.
    """
    for exchange, record, whole in transfers(trace, scene):
        if record.ticket is None or not record.ticket.readable:
            if not whole or record.ticket is not None:
                yield unread(subject_of(exchange.init), exchange.init)
        elif not record.ticket.flag("F"):
            yield Outcome("pass", subject_of(exchange.init))
        else:
            yield from _branches(trace, scene, exchange, record.ticket)


def _branches(trace: Trace, scene: Scene, exchange: MikeyExchange, ticket: MikeyTicket) -> Iterator[Outcome]:
    """One outcome for each branch that answered; one for the exchange where none did."""
    branches: dict[tuple[str, bytes], list[MikeyPassage]] = {}
    for passage in exchange.passages:
        branches.setdefault((passage.call, passage.negotiation.answerer_tag), []).append(passage)
    unanswered = True
    responses = by_branch(exchange)
    for branch, passages in branches.items():
        fates = {settled(passage): passage for passage in passages}
        answered = fates.get(ACCEPTED) or fates.get(PREVIEWED)
        if answered is None:
            unanswered = unanswered and UNANSWERED in fates
            continue
        unanswered = False
        found = [*responses.get(branch, ()), *(each for one in passages for each in in_answer(one, trace, scene))]
        outcome = _branch(trace, scene, exchange, answered, found, ticket)
        if outcome is not None:
            yield outcome
    known = calls(trace, scene)
    ongoing = [call for call in exchange.calls if known[call].state not in ("failed", "cancelled")]
    if unanswered and ongoing:
        yield not_assessed(subject_of(exchange.init), "N-OA", "the answer to the offer with the ticket was not seen")


def _branch(
    trace: Trace,
    scene: Scene,
    exchange: MikeyExchange,
    passage: MikeyPassage,
    responses: list[MikeyMessage],
    ticket: MikeyTicket,
) -> Outcome | None:
    subject = Subject("call", passage.call)
    found = [each.record for each in responses if each.record is not None]
    if any(record.data_type in (TRANSFER_RESP, ERROR) for record in found):
        return Outcome("pass", subject)
    if not _secure(passage):
        return None  # accepted in clear, which is IMS-SIG-006
    if settled(passage) == PREVIEWED:
        return not_assessed(subject, "N-OA", "only a provisional answer to the offer with the ticket was seen")
    negotiation = passage.negotiation
    if negotiation.answer is not None and id(negotiation.answer.message) in faults(trace, scene):
        return not_assessed(subject, "IMS-MIK-038", "a=key-mgmt of the answer can't be decoded")
    other = next((record.kind for record in found), "")
    instead = f"carries {other} instead" if other else "carries no MIKEY message"
    offer = passage.init.frames[0]
    answer = negotiation.answer.message if negotiation.answer is not None else passage.init.signalling
    place = frame_text(trace, answer.frame) if answer is not None else ""
    return Outcome(
        "violation",
        subject,
        title="TRANSFER_RESP is missing",
        message=(
            f"The ticket of TRANSFER_INIT ({csb(exchange.csb_id)}) in {frame_text(trace, offer)} of {passage.call} has "
            f"flag F, so that the responder has to send TRANSFER_RESP; the answer in {place} accepts the line and "
            f"{instead}. Nothing proves who answered, or that the ticket was resolved at all. Not seen: a "
            "TRANSFER_RESP in any other message of the dialog."
        ),
        evidence=(
            Evidence(offer, "MIKEY TICKET flags", ticket.flags, "with F: TRANSFER_RESP shall be sent"),
            *answer_evidence(passage, "with a=key-mgmt:mikey and TRANSFER_RESP"),
        ),
        role="answerer",
        normalised=(f"flag F, {instead}", "TRANSFER_RESP"),
        fact=exchange.id,
    )


def _secure(passage: MikeyPassage) -> bool:
    """The answer opens a line of the message with a secure transport."""
    answer = passage.negotiation.answer
    media = answer.sdp.media if answer is not None else []
    return any(
        index < len(media) and media[index].port and media[index].profile.secure for index in passage.init.sections
    )


@once
def faults(trace: Trace, scene: Scene) -> frozenset[int]:
    """SIP messages with a=key-mgmt that can't be decoded."""
    return frozenset(id(each.message) for each in trace.key_mgmt_faults)

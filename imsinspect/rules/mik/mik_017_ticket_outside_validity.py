"""IMS-MIK-017."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dissectors.mikey import codes
from imsinspect.rules.facts import SECOND, frame_text, not_assessed
from imsinspect.rules.mik.exchanges import (
    ACCEPTED,
    PROFILES,
    REFUSED,
    answer_evidence,
    csb,
    fate,
    subject_of,
    transfers,
    unread,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyTicket
    from imsinspect.trace.model import Trace

LOCAL_TIME = 14 * 3600  # seconds that a local time may differ from UTC; NTP need not be UTC (RFC 3830 §6.6)


@rule(
    id="IMS-MIK-017",
    name="ticket-outside-validity",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §6.2.3.1", "RFC 6043 §6.10", "RFC 6043 §6.4"),
    needs=(MIKEY,),
)
def ticket_outside_validity(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Ticket used before its start or after its end.

    What it checks:
        The timestamp T of each TRANSFER_INIT that carries a ticket and was accepted, against TRs and TRe of the ticket.
        Timestamps without the top bit count from 2036. A session that began in time may outlast TRe.
    Why it matters:
        An authorisation that has run out, or has not begun, still gives keys: who was removed gets in again.
    What the finding shows:
        The frame, TRs and TRe, T, the time of the frame, and the answer.
    How to fix it:
        Let the responder compare T with the ticket and refuse (error 14 or 1), and the initiator ask for a new ticket.
        Look at the clocks of both and of the KMS.
    When it is not assessed:
        N-CLK: T is a counter or missing, so that only the time of the frame is at hand; or T is in local time,
        whose zone is not known. N-OA: the answer was not seen. IMS-MIK-038, N-FRAG: the ticket can't be
        read. N-SIP: signalling that could not be read. A ticket that is out by no more than clocks may differ
        (`mikey.max_skew`) is only suspected. Tickets without TRs and TRe are IMS-MIK-018.
    """
    skew = scene.policy.thresholds.mikey_max_skew // SECOND
    for exchange, record, whole in transfers(trace, scene):
        if record.ticket is None:
            if not whole:
                yield unread(subject_of(exchange.init), exchange.init)
        elif not record.ticket.readable:
            yield unread(subject_of(exchange.init), exchange.init)
        elif record.ticket.valid_from is not None or record.ticket.valid_to is not None:
            yield _judge(trace, exchange, record.ticket, skew)


def _judge(trace: Trace, exchange: MikeyExchange, ticket: MikeyTicket, skew: int) -> Outcome:
    init = exchange.init
    subject = subject_of(init)
    stamp = init.record.timestamp if init.record is not None else None
    if stamp is None or stamp.time is None:
        return not_assessed(subject, "N-CLK", "T is no time: only the capture's clock says when the ticket was used")
    early = ticket.valid_from - stamp.time if ticket.valid_from is not None else 0
    late = stamp.time - ticket.valid_to if ticket.valid_to is not None else 0
    out = max(early, late)
    state, passage = fate(exchange)
    if out <= 0 or state == REFUSED:
        return Outcome("pass", subject)
    if stamp.kind == codes.NTP and out <= LOCAL_TIME:
        return not_assessed(subject, "N-CLK", "T may be in local time, whose zone is not known")
    if state != ACCEPTED or passage is None:
        return not_assessed(subject, "N-OA", "whether a ticket outside its validity was accepted was not seen")
    sure = out > skew
    what = f"{_span(early)} before its start" if early > late else f"{_span(late)} after its end"
    doubt = "" if sure else " Clocks may differ as much."
    frame = init.frames[0]
    return Outcome(
        "violation" if sure else "suspect",
        subject,
        confidence="strong" if sure else "heuristic",
        title="Ticket used outside its validity",
        message=(
            f"The ticket of TRANSFER_INIT ({csb(exchange.csb_id)}) in {frame_text(trace, frame)} of {init.call} was "
            f"used {what}, and the call was accepted. An authorisation that does not hold still gives keys.{doubt} Not "
            "seen: another ticket for the session."
        ),
        evidence=(
            Evidence(
                frame, "MIKEY TICKET TRs, TRe", f"{_time(ticket.valid_from)}, {_time(ticket.valid_to)}", "around T"
            ),
            Evidence(frame, "MIKEY T", _time(stamp.time), "inside TRs and TRe"),
            Evidence(frame, "time of the frame", _time(init.time // SECOND), "near T"),
            *answer_evidence(passage, "refused"),
        ),
        role="offerer",
        normalised=("before TRs" if early > late else "after TRe", "between TRs and TRe"),
    )


def _time(seconds: int | None) -> str:
    if seconds is None:
        return "none"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    if days:
        return f"{days} days" if days > 1 else "1 day"
    return f"{rest // 3600} h {rest % 3600 // 60} min" if rest >= 3600 else f"{rest} s"

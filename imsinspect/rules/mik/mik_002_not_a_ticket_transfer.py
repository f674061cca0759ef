"""IMS-MIK-002."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, not_assessed
from imsinspect.rules.mik.exchanges import (
    PROFILES,
    carried_by,
    covered,
    csb,
    header,
    open_profile,
    role_of,
    subject_of,
    unread,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.trace.mikey_model import ERROR, TRANSFER_INIT, TRANSFER_RESP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange
    from imsinspect.trace.model import MikeyMessage, Trace

OFFERED = frozenset((TRANSFER_INIT, TRANSFER_RESP, ERROR))
SAKKE = 26
VERIFICATIONS = frozenset((1, 3))  # answers of RFC 3830, also to tickets in the form of RFC 6043 Appendix B


@rule(
    id="IMS-MIK-002",
    name="not-a-ticket-transfer",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §G.3.2", "TS 33.328 §B.1", "RFC 6043 §6.1"),
    needs=(MIKEY,),
)
def not_a_ticket_transfer(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MIKEY message is not of the ticket transfer type.

    What it checks:
        The data type of each MIKEY message in an offer and in its answer: offers carry TRANSFER_INIT (14), answers
        TRANSFER_RESP (15) or an error (6). Either may stand on either side where the responder updates keys. An
        exchange is judged once, also where it was sent again or passed several hops.
    Why it matters:
        Pre-shared, public-key, Diffie-Hellman, RSA-R, IBAKE and SAKKE modes are other systems: the KMS neither
        authorises the participants nor forks the keys, and its policy does not apply.
    What the finding shows:
        The frame, the number and name of the data type, and the CSB ID.
    How to fix it:
        Let the offerer ask its KMS for a ticket and offer TRANSFER_INIT. If another mode is wanted, the call is not one
        of this profile: say so with `--profile` or in the policy file.
    When it is not assessed:
        IMS-PROF-005: the profile of the call is not determined; `--profile` settles it. IMS-MIK-038: the message can't
        be read. N-FRAG: the message is cut. T-POL: SAKKE messages (26) are those of mission critical services, which
        have a profile of their own. N-SIP: signalling that could not be read. An answer of RFC 3830 to TRANSFER_INIT
        is ambiguous (RFC 6043 Appendix B lets tickets take that form) and only suspected.
    """
    for exchange in trace.mikey_exchanges:
        if not exchange.calls:
            continue
        messages = [exchange.init, *exchange.answers]
        applies = covered(
            scene, exchange.calls, shows=TRANSFER_INIT in {each.record.data_type for each in messages if each.record}
        )
        if applies is False:
            continue
        yield open_profile(subject_of(exchange.init)) if applies is None else _judge(trace, exchange)


def _judge(trace: Trace, exchange: MikeyExchange) -> Outcome:
    init = exchange.init
    subject = subject_of(init)
    record = init.record
    if record is None or record.data_type < 0 or record.version != 1:
        return unread(subject, init)
    if record.data_type == SAKKE:
        reason = "SAKKE messages (data type 26) are those of mission critical services, which have their own profile"
        return not_assessed(subject, "T-POL", reason)
    if record.data_type not in OFFERED:
        return _finding(trace, exchange, init, "TRANSFER_INIT (14)")
    for answer in exchange.answers:
        if answer.record is not None and answer.record.data_type not in OFFERED:
            return _finding(
                trace, exchange, answer, "TRANSFER_RESP (15)", sure=answer.record.data_type not in VERIFICATIONS
            )
    return Outcome("pass", subject)


def _finding(
    trace: Trace, exchange: MikeyExchange, message: MikeyMessage, expected: str, *, sure: bool = True
) -> Outcome:
    number = message.record.data_type if message.record is not None else -1
    doubt = "" if sure else " It may answer a ticket in the form of RFC 3830, which is ambiguous."
    return Outcome(
        "violation" if sure else "suspect",
        subject_of(message),
        confidence="proven" if sure else "heuristic",
        title=f"{message.kind} in place of a ticket transfer",
        message=(
            f"The MIKEY message in {frame_text(trace, message.frames[0])} ({carried_by(message)}) is of data type "
            f"{number}, {message.kind}, {csb(message.csb_id)}, where {expected} is due. Its keys are agreed without a "
            f"ticket: the KMS neither authorises who takes part nor separates the keys of who answers.{doubt} Not "
            "seen: a ticket."
        ),
        evidence=(header(message, expected),),
        role=role_of(message),
        normalised=(f"data type {number}", expected),
        fact=exchange.id,
    )

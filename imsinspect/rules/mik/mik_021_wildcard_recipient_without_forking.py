"""IMS-MIK-021."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from imsinspect.rules.facts import not_assessed, text
from imsinspect.rules.mik.exchanges import (
    PROFILES,
    SHOWN,
    carried_by,
    covered,
    different,
    role_of,
    seen_in,
    subject_of,
    unread,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.mik.exchanges import Seen
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyTicket
    from imsinspect.trace.model import Trace

WILDCARD = re.compile(r"^[?*]*@|^[?*]+$|@[?*]+$")
"""No user, or any user, or any host: "?@?", "*@*", "?@example.org", "@example.org"."""

SCHEME = re.compile(r"^(?:sips?|tel|im|pres):", re.IGNORECASE)
OF_3GPP = 2  # ticket type


@rule(
    id="IMS-MIK-021",
    name="wildcard-recipient-without-forking",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §6.2.3.5", "RFC 6043 §12.2", "RFC 6043 §12.4"),
    needs=(MIKEY,),
)
def wildcard_recipient_without_forking(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Wildcard recipient in a ticket without key forking.

    What it checks:
        The IDRr of every ticket that was granted, carried or resolved. Where one of them stands for any user (?@?, *@*,
        ?@host, @host; percent-encoded or not), or the policy names none at all, flag I (key forking) must be set. A
        wildcard with flag I is the recommended form for calls that may be diverted.
    Why it matters:
        Any user of the KMS who sees the ticket may resolve it. Without key forking all of them get the same keys, and
        listen to the call that another one answered.
    What the finding shows:
        The frame, the recipients, and the flags of the ticket.
    How to fix it:
        Name the recipients in the ticket, or let the KMS grant it with key forking (flag I).
    When it is not assessed:
        IMS-MIK-038, N-FRAG: the policy of the ticket can't be read. T-POL: a 3GPP base ticket without recipients may
        hold them in its ticket data, which is not readable. N-SIP: signalling that could not be read.
    """
    judged: set[str] = set()
    for seen in different(trace, scene):
        ticket = seen.record.ticket
        if ticket is None or not ticket.granted or ticket.digest in judged:
            continue
        if covered(scene, seen.calls, shows=True):
            judged.add(ticket.digest)
            yield _judge(trace, seen, ticket)


def _judge(trace: Trace, seen: Seen, ticket: MikeyTicket) -> Outcome:
    subject = subject_of(seen.message)
    if not ticket.readable:
        return unread(subject, seen.message)
    names = [SCHEME.sub("", unquote(text(each.data))).partition(";")[0] for each in ticket.recipients]
    open_to_all = next((name for name in names if WILDCARD.search(name)), None)
    if ticket.flag("I") or (names and open_to_all is None):
        return Outcome("pass", subject)
    if not names and ticket.kind == OF_3GPP:
        reason = "a 3GPP base ticket may hold its recipients in the ticket data, which can't be read"
        return not_assessed(subject, "T-POL", reason)
    frame = seen.message.frames[0]
    who = f"names {open_to_all} as its recipient" if open_to_all is not None else "names no recipient"
    return Outcome(
        "violation",
        subject,
        confidence="proven" if open_to_all is not None else "strong",
        title="Ticket for anybody without key forking",
        message=(
            f"The ticket {ticket.digest[:SHOWN]} in {seen.message.kind} in {seen_in(trace, seen)} "
            f"({carried_by(seen.message)}) {who} and does not have flag I: everybody whom the KMS lets resolve it gets "
            "the same keys, and can listen to the call that another one answers. Not seen: the checks of the KMS."
        ),
        evidence=(
            Evidence(frame, "MIKEY TICKET IDRr", ", ".join(names[:8]) or "none", "the recipients, or flag I"),
            Evidence(frame, "MIKEY TICKET flags", ticket.flags or "none", "with I: key forking"),
        ),
        role=role_of(seen.message),
        normalised=("any recipient, no key forking" if names else "no recipient, no key forking", "flag I"),
    )

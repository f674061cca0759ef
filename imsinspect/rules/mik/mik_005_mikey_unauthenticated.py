"""IMS-MIK-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.mikey import codes
from imsinspect.rules.facts import not_assessed
from imsinspect.rules.mik.exchanges import (
    PROFILES,
    TICKET_TYPES,
    carried_by,
    covered,
    different,
    open_profile,
    role_of,
    seen_in,
    unread,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.mik.exchanges import Seen
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyRecord
    from imsinspect.trace.model import Trace

OLDER_TYPES = frozenset((0, 2, 4, 7, 9))  # modes of RFC 3830, RFC 4650 and RFC 4738
DHHMAC = 7
PRIVATE = range(241, 256)


@rule(
    id="IMS-MIK-005",
    name="mikey-unauthenticated",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=PROFILES,
    references=(
        "TS 33.328 §B.1",
        "TR 33.829 §5.3.2",
        "RFC 6043 §4.2.1",
        "RFC 6043 §4.2.2",
        "RFC 6043 §4.2.3",
        "RFC 6043 §5.5",
        "RFC 3830 §4.2.4",
    ),
    needs=(MIKEY,),
)
def mikey_unauthenticated(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MIKEY message without a usable MAC or signature.

    What it checks:
        Each MIKEY-TICKET message (data types 11 to 18) must end in a V payload with HMAC-SHA-1-160 (20 octets) or
        HMAC-SHA-256-256 (32 octets), or in SIGN. In calls of these profiles the messages that begin an exchange of
        RFC 3830 must have a MAC in their KEMAC, a V or a SIGN payload. The NULL MAC of a KEMAC in a MIKEY-TICKET
        message is right, and error messages need no MAC.
    Why it matters:
        Anybody on the path can forge keys, identities and policy, and be the man in the middle of every stream.
    What the finding shows:
        The frame, the chain of payloads, the algorithm and the octets of the MAC.
    How to fix it:
        Let the sender end its message with V (or SIGN in the public-key variants) and a real algorithm, and let the
        receiver refuse messages without. If the sender did, look for what removed it.
    When it is not assessed:
        N-FRAG: the message is cut. IMS-MIK-038: it can't be read to its end. IMS-PROF-005: the profile of the call is
        not determined, and the message is not one of MIKEY-TICKET. T-POL: the algorithm is one for private use.
        N-SIP: signalling that could not be read. An algorithm that is not registered is only suspected.
    """
    for seen in different(trace, scene):
        ticket = seen.record.data_type in TICKET_TYPES
        if not ticket and (seen.record.data_type not in OLDER_TYPES or not seen.calls):
            continue
        applies = covered(scene, seen.calls, shows=ticket)
        if applies is not False:
            yield open_profile(seen.subject) if applies is None else _judge(trace, seen)


def _judge(trace: Trace, seen: Seen) -> Outcome:
    record = seen.record
    found = record.authentication
    if record.stop or seen.message.cut:
        return unread(seen.subject, seen.message)
    if found is None:
        return _finding(trace, seen, "no V or SIGN payload", "it has no V and no SIGN payload")
    observed = f"{found.payload} {found.name}, {found.octets} octets"
    if not found.last and found.payload != "KEMAC":
        return _finding(trace, seen, observed, f"payloads stand behind its {found.payload}, which does not cover them")
    if found.payload == "SIGN":
        return Outcome("pass", seen.subject) if found.octets else _finding(trace, seen, observed, "its SIGN is empty")
    if record.data_type == DHHMAC:  # RFC 4650 §4.2 has numbers of its own: the octets tell
        return Outcome("pass", seen.subject) if found.octets else _finding(trace, seen, observed, "its MAC is empty")
    if found.algorithm == 0:
        return _finding(trace, seen, observed, f"the MAC algorithm of its {found.payload} is NULL")
    needed = codes.MAC_OCTETS.get(found.algorithm)
    if needed is None:
        if found.algorithm in PRIVATE:
            return not_assessed(seen.subject, "T-POL", "the MAC algorithm is one for private use")
        return _finding(trace, seen, observed, "its MAC algorithm is not a registered one", sure=False)
    if found.octets != needed:
        return _finding(trace, seen, observed, f"its MAC has {found.octets} octets where {found.name} has {needed}")
    return Outcome("pass", seen.subject)


def _finding(trace: Trace, seen: Seen, observed: str, what: str, *, sure: bool = True) -> Outcome:
    message = seen.message
    return Outcome(
        "violation" if sure else "suspect",
        seen.subject,
        confidence="proven" if sure else "heuristic",
        title=f"{message.kind} without a usable MAC or signature",
        message=(
            f"{message.kind} in {seen_in(trace, seen)} ({carried_by(message)}) is not authenticated: {what}. Anybody "
            "on the path can forge its keys, identities and policy. Not seen: anything else that authenticates it."
        ),
        evidence=(
            Evidence(message.frames[0], "MIKEY payloads", chain(seen.record), "V or SIGN as the last payload"),
            Evidence(message.frames[0], "MIKEY authentication", observed, "HMAC-SHA-1-160 or HMAC-SHA-256-256"),
        ),
        role=role_of(message),
        normalised=(f"{message.kind}: {observed}", "a MAC or signature"),
    )


def chain(record: MikeyRecord) -> str:
    """The payloads of a message, in order."""
    names = [codes.NEXT_PAYLOADS.get(code, f"unknown ({code})") for code in record.payloads[:32]]
    return ", ".join(("HDR", *names))

"""IMS-MIK-045."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import not_assessed
from imsinspect.rules.mik.exchanges import (
    PROFILES,
    SHOWN,
    TICKET_TYPES,
    carried_by,
    covered,
    different,
    open_profile,
    role_of,
    seen_in,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import once, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.mik.exchanges import Seen
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace


@rule(
    id="IMS-MIK-045",
    name="mikey-mac-invalid",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=PROFILES,
    references=("RFC 6043 §5.5", "RFC 6043 §5.1.2"),
    needs=(MIKEY,),
)
def mikey_mac_invalid(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MIKEY MAC does not verify with supplied keys.

    What it checks:
        The MAC or signature of each MIKEY message, with the keys of the user's key file (pre-shared keys, ticket keys,
        MPKs), those that tickets and answers of the KMS gave with them, and certificates that messages carry. Every
        reading is tried: identities of the message or of the signalling, Initiator data left out or not.
    Why it matters:
        The message was changed or forged on the way, and whoever accepted it uses keys of an attacker.
    What the finding shows:
        The frame, the first four octets of the MAC that is there and of the one that the key gives, and the key by the
        first digits of its digest.
    How to fix it:
        Compare the message where it was sent with the one that was captured, hop by hop. Let the receiver discard
        messages whose MAC fails. If no message of the exchange verifies, look first whether the key is the right one.
    When it is not assessed:
        N-KEY: no key to verify it with; a key file (docs/keys.md) settles it. N-OA: a response covers the message that
        it answers, and the MAC of that one fails already. IMS-PROF-005: the profile of the call is not determined.
        N-SIP: signalling that could not be read. Where the key verifies nothing else it may be a wrong
        one: the finding is then a suspicion. Messages without a MAC are IMS-MIK-005.
    """
    for seen in different(trace, scene):
        found = seen.record.authentication
        if found is None or not found.octets:
            continue
        ticket = seen.record.data_type in TICKET_TYPES
        applies = covered(scene, seen.calls, shows=ticket)
        if applies is False:
            continue
        if applies is None:
            yield open_profile(seen.subject)
        elif seen.message.authentic is None:
            yield not_assessed(
                seen.subject, "N-KEY", "no key is at hand that the MAC or signature could be verified with"
            )
        elif seen.message.authentic:
            yield Outcome("pass", seen.subject)
        elif id(seen.message) in answers_to_changed(trace, scene):
            reason = "the message that it answers, which its MAC covers, was not seen as it was sent"
            yield not_assessed(seen.subject, "N-OA", reason)
        else:
            yield _finding(trace, seen)


@once
def answers_to_changed(trace: Trace, scene: Scene) -> frozenset[int]:
    """Responses of MIKEY-TICKET to messages whose own MAC fails: theirs covers these (RFC 6043 §5.5)."""
    return frozenset(
        id(answer)
        for exchange in trace.mikey_exchanges
        if exchange.data_type in TICKET_TYPES and any(init.authentic is False for init in exchange.inits)
        for answer in exchange.answers
    )


def _finding(trace: Trace, seen: Seen) -> Outcome:
    message = seen.message
    found = seen.record.authentication
    kind = found.payload if found is not None else "V"
    keys = ", ".join(f"key:{each[:SHOWN]}" for each in message.tried[:4])
    sure = message.key_is_right or kind == "SIGN"
    doubt = (
        "The key verifies other parts of the exchange, so the message was changed or forged"
        if message.key_is_right
        else "The certificate is in the message itself, so the message was changed or forged"
        if sure
        else "Either the message was changed or forged, or the key at hand is not the one it was made with"
    )
    return Outcome(
        "violation" if sure else "suspect",
        seen.subject,
        confidence="proven" if sure else "heuristic",
        title=f"{kind} of {message.kind} does not verify",
        message=(
            f"The {'signature' if kind == 'SIGN' else 'MAC'} of {message.kind} in {seen_in(trace, seen)} "
            f"({carried_by(message)}) does not verify with {keys}. {doubt}. Whoever accepts it takes keys that others "
            "chose. Not seen: the message as it was sent."
        ),
        evidence=(
            Evidence(
                message.frames[0],
                f"MIKEY {kind}",
                f"{message.mac_found} …" if message.mac_found else "does not verify",
                f"{message.mac_computed} … with {keys}" if message.mac_computed else f"verifies with {keys}",
            ),
        ),
        role=role_of(message),
        normalised=(f"{kind} of {message.kind} does not verify", "verifies"),
        fact=f"{message.call} 0x{message.csb_id & 0xFFFFFFFF:08x}",
    )

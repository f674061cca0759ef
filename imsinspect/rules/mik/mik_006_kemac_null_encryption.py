"""IMS-MIK-006."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import not_assessed
from imsinspect.rules.mik.exchanges import carried_by, different, role_of, seen_in, subject_of
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import SECURED_POINTS, rule
from imsinspect.trace.mikey_model import TRANSFER_INIT
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.mik.exchanges import Seen
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import KeyCarriage
    from imsinspect.trace.model import Trace

CARRIES_KEYS = frozenset((0, 2, 10, 13, 14, 15, 18, 21))  # data types whose KEMAC carries keys
NULL = 0


@rule(
    id="IMS-MIK-006",
    name="kemac-null-encryption",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=(
        "TS 33.328 §B.1",
        "RFC 6043 §4.2.1.5",
        "RFC 6043 §4.2.3.5",
        "RFC 6043 §5.2",
        "RFC 6043 Appendix A.1",
        "RFC 3830 §4.2.4",
        "RFC 3830 §6.13",
    ),
    needs=(MIKEY,),
)
def kemac_null_encryption(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Keys transported in a KEMAC with NULL encryption.

    What it checks:
        The KEMAC of every MIKEY message that carries keys, in session descriptions, RTSP, HTTP and UDP, and the one in
        the data of a base ticket: its encryption algorithm must not be NULL. The KEMAC in a ticket policy is a template
        and has to be unencrypted; keys of zeros only are no keys.
    Why it matters:
        TEK, TGK or MPK can be read: whoever saw the message decrypts every stream of the bundle, also from a recording.
    What the finding shows:
        The frame, the algorithm, the octets and the kinds of the keys. Keys are never shown.
    How to fix it:
        Let the sender encrypt its KEMAC with AES-CM or AES-KW, under a pre-shared key, an envelope key or a ticket's
        key. Where the carrier is meant to protect the message, use TLS or ESP with encryption, end to end.
    When it is not assessed:
        N-KMS: the exchange in which the KMS granted the ticket of a call (flag D) is not in the capture; a capture at
        the KMS, or its key log, shows it. N-SIP: signalling that could not be read. Keys that were read out of TLS or
        ESP with encryption, or that the user says were (capture point), count as medium, as who ends the hop reads them
        still. Unencrypted data that is no Key data is only suspected.
    """
    for seen in different(trace, scene):
        if seen.record.data_type not in CARRIES_KEYS:
            continue
        carriages = [each for each in seen.record.carriages if each.place != "ticket policy" and each.octets]
        if not carriages:
            continue
        bare = [each for each in carriages if each.encryption == NULL and not each.zeros]
        yield _finding(trace, scene, seen, bare[0]) if bare else Outcome("pass", seen.subject)
    for exchange in trace.mikey_exchanges:
        ticket = exchange.init.record.ticket if exchange.init.record is not None else None
        granted = ticket is not None and ticket.flag("D")  # by the KMS, and not made by the Initiator
        if granted and exchange.data_type == TRANSFER_INIT and exchange.calls and not exchange.request:
            yield not_assessed(
                subject_of(exchange.init), "N-KMS", "the exchange in which the KMS granted the ticket was not captured"
            )


def _finding(trace: Trace, scene: Scene, seen: Seen, found: KeyCarriage) -> Outcome:
    message = seen.message
    sights = (message, *seen.copies)
    sealed = all(each.protection is Protection.OPENED for each in sights)
    declared = scene.capture_point in SECURED_POINTS
    sure = bool(found.keys)
    kinds = ", ".join(found.keys) or "octets that are no Key data"
    hop = (
        " The hop was encrypted and was opened with a key: only who ends it reads them."
        if sealed
        else f" The capture point is said to be {scene.capture_point}: the hop may be encrypted elsewhere."
        if declared
        else ""
    )
    return Outcome(
        "violation" if sure else "suspect",
        seen.subject,
        severity=Severity.MEDIUM if sealed or declared else None,
        confidence="proven" if sure else "heuristic",
        title=f"{kinds} in clear in {message.kind}",
        message=(
            f"The KEMAC ({found.place}) of {message.kind} in {seen_in(trace, seen)} ({carried_by(message)}) is not "
            f"encrypted and carries {kinds} in {found.octets} octets. Whoever saw it derives the keys of every stream "
            f"of the bundle.{hop} Not seen: another protection of the keys."
        ),
        evidence=(
            Evidence(
                message.frames[0], "MIKEY KEMAC Encr alg", f"0 NULL, {found.octets} octets: {kinds}",
                "AES-CM-128, AES-CM-256 or AES-KW-128",
            ),
        ),
        role=role_of(message),
        normalised=(f"{kinds}, NULL encryption in {message.kind}", "encrypted keys"),
    )  # fmt: skip

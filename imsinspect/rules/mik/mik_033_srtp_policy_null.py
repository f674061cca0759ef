"""IMS-MIK-033."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.mikey.codes import SRTP_AUTHENTICATION_ALGORITHMS, SRTP_ENCRYPTION_ALGORITHMS
from imsinspect.rules.facts import frame_text
from imsinspect.rules.mik.exchanges import (
    ACCEPTED,
    PROFILES,
    covered,
    csb,
    fate,
    in_calls,
    open_profile,
    role_of,
    subject_of,
    unread,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.trace.mikey_model import ANSWERS, TRANSFER_INIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.mikey.messages import Policy
    from dissectors.mikey.policies import SRTPParameters
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange, MikeyRecord
    from imsinspect.trace.model import MikeyMessage, Trace

SRTP = 0  # Prot type
NULL, RCC_M3 = 0, 4  # authentication algorithms; the latter carries the rollover counter and no MAC (RFC 4771 §3)
LEAST_TAG = 4  # octets
INITS = frozenset((0, 2, 4, 7, 9, TRANSFER_INIT))  # messages with policies that begin an exchange
SAKKE = 26


@rule(
    id="IMS-MIK-033",
    name="srtp-policy-null",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=(
        "TS 33.328 §5.2", "TS 33.328 §5.3", "TS 33.328 §7.2.3", "RFC 3830 §6.10.1", "RFC 3711 §3.4", "RFC 3711 §9.5",
    ),
    needs=(MIKEY,),
)  # fmt: skip
def srtp_policy_null(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MIKEY security policy switches SRTP/SRTCP protection off.

    What it checks:
        The SRTP policy (SP) that each exchange agrees on: the one that the response chooses for a crypto session, or
        the one that is offered where no response is due. A NULL cipher or SRTP encryption off is high, SRTCP encryption
        off is medium; a NULL authentication algorithm also removes the integrity of SRTCP and is critical, SRTP
        authentication off alone is medium, a tag below 4 octets high. What a policy leaves out has the secure defaults
        of SRTP. AEAD ciphers need no authentication algorithm.
    Why it matters:
        Without encryption speech is readable. Without authentication packets can be forged, reports of RTCP and the end
        of the call among them, which must be protected without exception.
    What the finding shows:
        The frame, the number of the policy, and the parameters with their values.
    How to fix it:
        Offer and choose policies with AES-CM and HMAC-SHA-1, or AES-GCM, with encryption and authentication on, and let
        the KMS or the terminal's configuration exclude NULL ones.
    When it is not assessed:
        IMS-PROF-005: the profile of the call is not determined, and the message is not one of MIKEY-TICKET.
        IMS-MIK-038, N-FRAG: the message can't be read. N-SIP: signalling that could not be read. Where several policies
        are offered and the choice was not seen, those that switch protection off are only suspected.
    """
    for exchange in in_calls(trace, INITS):
        applies = covered(scene, exchange.calls, shows=exchange.data_type == TRANSFER_INIT)
        if applies is not False:
            outcome = _judge(trace, exchange)
            if outcome is not None:
                yield open_profile(outcome.subject) if applies is None else outcome


class _Off(NamedTuple):
    """Something that a policy switches off."""

    what: str
    parameter: str
    required: str
    severity: Severity


def _judge(trace: Trace, exchange: MikeyExchange) -> Outcome | None:
    """What the policies of an exchange are; None where it agrees on no SRTP."""
    init = exchange.init
    record = init.record
    if record is None:
        return None
    if record.stop or init.cut:
        return unread(subject_of(init), init)
    chosen: list[tuple[MikeyMessage, Policy]] = []
    for answer in exchange.answers:
        if answer.record is not None and answer.record.data_type in ANSWERS:
            chosen += [(_carrier(answer, init, each), each) for each in _used(answer.record, record)]
    settled = bool(chosen)
    if not settled:
        chosen = [(init, each) for each in _used(record, record)]
        settled = len({each.number for _, each in chosen}) == 1
    if not chosen and not any(each.prot_type == SRTP for each in record.sessions):
        return None
    faults = [(message, policy, off) for message, policy in chosen for off in _switched_off(policy.srtp)]
    if not faults:
        return Outcome("pass", subject_of(init))
    state, _ = fate(exchange)
    return _finding(trace, exchange, faults, sure=settled, agreed=state == ACCEPTED)


def _carrier(answer: MikeyMessage, init: MikeyMessage, policy: Policy) -> MikeyMessage:
    """The message that a policy stands in."""
    return answer if answer.record is not None and policy in answer.record.policies else init


def _used(record: MikeyRecord, initial: MikeyRecord) -> list[Policy]:
    """The SRTP policies that the crypto sessions of a message name; all where none is named (RFC 6043 §6.1.1)."""
    sessions = [each for each in record.sessions if each.prot_type == SRTP]
    numbers = dict.fromkeys(number for each in sessions for number in each.policies)
    if not sessions:
        return []
    if not numbers:
        return [each for each in initial.policies if each.srtp is not None]
    found = (record.policy(number) or initial.policy(number) for number in numbers)
    return [each for each in found if each is not None and each.srtp is not None]


def _switched_off(policy: SRTPParameters | None) -> Iterator[_Off]:
    if policy is None:
        return
    cipher = SRTP_ENCRYPTION_ALGORITHMS.get(policy.encryption_algorithm, str(policy.encryption_algorithm))
    if policy.encryption_algorithm == 0:
        yield _Off("the cipher is NULL", "encryption algorithm 0 NULL", "AES-CM or AES-GCM", Severity.HIGH)
    if not policy.srtp_encryption:
        yield _Off("SRTP is not encrypted", "SRTP encryption 0 off", "1 on", Severity.HIGH)
    if not policy.srtcp_encryption:
        yield _Off("SRTCP is not encrypted", "SRTCP encryption 0 off", "1 on", Severity.MEDIUM)
    if policy.aead:
        if policy.aead_tag_length < LEAST_TAG:
            tag = f"AEAD tag length {policy.aead_tag_length} with {cipher}"
            yield _Off("the tag is shorter than 4 octets", tag, "16", Severity.HIGH)
        return
    srtp_null = policy.srtp_authentication_algorithm in (NULL, RCC_M3)
    srtcp_null = policy.srtcp_authentication_algorithm == NULL
    if srtcp_null:
        yield _Off(
            "nothing authenticates SRTCP" if not srtp_null else "nothing authenticates SRTP and SRTCP",
            "authentication algorithm 0 NULL", "HMAC-SHA-1", Severity.CRITICAL,
        )  # fmt: skip
    elif srtp_null or not policy.srtp_authentication:
        algorithm = policy.srtp_authentication_algorithm
        name = SRTP_AUTHENTICATION_ALGORITHMS.get(algorithm, "")
        parameter = f"SRTP authentication algorithm {algorithm} {name}" if srtp_null else "SRTP authentication 0 off"
        yield _Off("SRTP is not authenticated", parameter, "on, with HMAC-SHA-1", Severity.MEDIUM)
    elif policy.srtp_tag_length < LEAST_TAG:
        tag = f"authentication tag length {policy.srtp_tag_length}"
        yield _Off("the tag is shorter than 4 octets", tag, "10, or 4", Severity.HIGH)


def _finding(
    trace: Trace, exchange: MikeyExchange, faults: list[tuple[MikeyMessage, Policy, _Off]], *, sure: bool, agreed: bool
) -> Outcome:
    message, policy, _ = faults[0]
    gravest = max(off.severity for _, _, off in faults)
    what = ", ".join(dict.fromkeys(off.what for _, _, off in faults))
    parameters = ", ".join(dict.fromkeys(off.parameter for _, _, off in faults))
    choice = (
        "is the one that is agreed" if agreed and sure else "is the only one on offer" if sure else
        "is one of several on offer, and the choice was not seen"
    )  # fmt: skip
    return Outcome(
        "violation" if sure else "suspect",
        subject_of(exchange.init),
        severity=gravest,
        confidence="proven" if sure else "heuristic",
        title=f"SRTP policy with {parameters}",
        message=(
            f"Policy {policy.number} of {message.kind} ({csb(exchange.csb_id)}) in "
            f"{frame_text(trace, message.frames[0])} of {exchange.init.call} switches protection off: {what}. The "
            f"policy {choice}. Media or its reports can be read or forged by anybody on the path. Not seen: another "
            "policy for these crypto sessions."
        ),
        evidence=tuple(
            Evidence(each.frames[0], f"MIKEY SP {one.number}", off.parameter, off.required) for each, one, off in faults
        ),
        role=role_of(message),
        normalised=(parameters, "encryption and authentication"),
    )

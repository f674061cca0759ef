"""IMS-SRTP-007."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.mikey.codes import SRTP_ENCRYPTION_ALGORITHMS
from dissectors.sdp.suites import DTLS_SRTP_PROFILES
from imsinspect.rules.facts import frame_text, suite_name
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.mikey_lines import mikey_lines
from imsinspect.rules.srtp.selection import sdes_lines, unanswered_offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.mikey.policies import SRTPParameters
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.mikey_lines import MikeyLine
    from imsinspect.rules.srtp.selection import SdesLine, Selected
    from imsinspect.trace.model import LineState, Trace

EXPECTED = "a registered crypto suite with a tag of 80 bits or an AEAD cipher"
PROFILES = frozenset(
    name.removeprefix("SRTP_").encode() for name in (profile.name for profile in DTLS_SRTP_PROFILES.values())
)
"""Protection profiles of DTLS-SRTP that some write into a=crypto: no registered suites of SDES, yet known ones."""
SHORT_TAG = 4  # octets
VOICE = b"audio"


class _Weakness(NamedTuple):
    severity: Severity
    what: str
    consequence: str


UNKNOWN = _Weakness(Severity.MEDIUM, "in no registry", "How well it protects is not known.")
F8 = _Weakness(Severity.LOW, "AES in f8 mode", "Hardly anyone uses or examines that mode.")
SHORT = _Weakness(
    Severity.LOW, "a tag of 32 bits beside media other than voice", "Forged packets are accepted more easily."
)
SHORT_ON_VOICE = _Weakness(
    Severity.INFO, "a tag of 32 bits on voice", "The suite is registered for voice; tags of 80 bits are preferred."
)


@rule(
    id="IMS-SRTP-007",
    name="srtp-suite-weak-or-unknown",
    severity=Severity.LOW,
    tier=2,
    profiles=("ALL",),
    references=("RFC 4568 §6.2", "RFC 3711 §7.5"),
    needs=(CALLS,),
)
def srtp_suite_weak_or_unknown(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Weak, deprecated or unregistered crypto suite selected.

    What it checks:
        The crypto suite that each answer selected: it must stand in the registry of SDP security descriptions
        (medium otherwise), must not be f8, and must not have a tag of 32 bits on media other than voice (low). On voice
        such a tag is information. Both spellings of the AES-192 and AES-256 suites, and names of DTLS-SRTP profiles,
        are known ones. Security policies of MIKEY are judged by the suite that they amount to.
    Why it matters:
        A short tag leaves less margin against forged packets, which matters more for video and data than for the few
        milliseconds of a speech packet. Nobody outside its vendor knows what an unregistered suite protects against.
    What the finding shows:
        The frames of offer and answer, and the suite.
    How to fix it:
        Offer AEAD_AES_256_GCM, AEAD_AES_128_GCM or AES_CM_128_HMAC_SHA1_80 first, and no suites of a vendor's own.
    When it is not assessed:
        N-OA: the answer to a secure offer was not seen. N-SIP: ESP or TLS that could not be opened may hold the
        signalling, or there is no SIP beside media. N-FRAG: signalling that was cut. IMS-MIK-038: MIKEY that can't be
        read to its end. Suites and policies without encryption or authentication are the objects of IMS-SRTP-005,
        IMS-SRTP-006 and IMS-MIK-033.
    """
    for each in sdes_lines(trace, scene):
        found = [(weakness, one) for one in each.selected if (weakness := _weakness(one)) is not None]
        if found:
            yield _weak(trace, each, *max(found, key=lambda pair: pair[0].severity))
        elif not all(_null(one) for one in each.selected):
            yield Outcome("pass", each.subject)
    for keyed in mikey_lines(trace, scene):
        outcome = _of_mikey(trace, keyed)
        if outcome is not None:
            yield outcome
    yield from unanswered_offers(trace)


def _null(selected: Selected) -> bool:
    suite = selected.answered.crypto_suite
    return suite is not None and suite.null


def _weakness(selected: Selected) -> _Weakness | None:
    suite = selected.answered.crypto_suite
    if suite is None:
        known = selected.answered.suite.upper().removeprefix(b"SRTP_") in PROFILES
        return None if known else UNKNOWN
    if suite.null:
        return None
    return _of_suite(suite.cipher, suite.srtp_tag, selected.state) or (None if suite.registered else UNKNOWN)


def _of_suite(cipher: str, tag: int, state: LineState) -> _Weakness | None:
    if "F8" in cipher.upper():
        return F8
    if tag == SHORT_TAG:
        return SHORT_ON_VOICE if state.offered.type == VOICE else SHORT
    return None


def _of_mikey(trace: Trace, keyed: MikeyLine) -> Outcome | None:
    """The gravest weakness of the policies that may hold; None where they do not protect at all."""
    if not keyed.policies:
        return keyed.unread()
    if not all(policy.confidential and policy.authenticated for policy in keyed.policies):
        return None
    found = [(weakness, policy) for policy in keyed.policies if (weakness := _of_policy(policy, keyed)) is not None]
    if not found:
        return Outcome("pass", keyed.subject)
    weakness, policy = max(found, key=lambda pair: pair[0].severity)
    sure = len(found) == len(keyed.policies)
    return Outcome(
        "violation" if sure else "suspect",
        keyed.subject,
        confidence="proven" if sure else "heuristic",
        severity=weakness.severity,
        title=f"Crypto suite {policy} selected",
        message=(
            f"{keyed.source(trace)} has a security policy with {policy} for {keyed.place}: {weakness.what}. "
            f"{weakness.consequence}{'' if sure else ' Which of several policies holds is ambiguous.'} Not checked: "
            "whether the parties had a better suite in common."
        ),
        evidence=keyed.evidence(policy, EXPECTED),
        role=keyed.role,
        media=keyed.media,
        normalised=(str(policy), EXPECTED),
    )


def _of_policy(policy: SRTPParameters, keyed: MikeyLine) -> _Weakness | None:
    cipher = SRTP_ENCRYPTION_ALGORITHMS.get(policy.encryption_algorithm)
    if cipher is None:
        return UNKNOWN
    return _of_suite(cipher, 0 if policy.aead else policy.srtp_tag_length, keyed.state)


def _weak(trace: Trace, each: SdesLine, weakness: _Weakness, selected: Selected) -> Outcome:
    name = suite_name(selected.answered)
    return Outcome(
        "violation",
        each.subject,
        severity=weakness.severity,
        title=f"Crypto suite {name} selected",
        message=(
            f"The answer in {frame_text(trace, selected.answer_frame)} selects {name} for {each.place}: "
            f"{weakness.what}. {weakness.consequence} Not checked: whether the parties had a better suite in common "
            "beyond those offered."
        ),
        evidence=selected.evidence(EXPECTED),
        role="answerer",
        media=each.media,
        normalised=(name, EXPECTED),
    )

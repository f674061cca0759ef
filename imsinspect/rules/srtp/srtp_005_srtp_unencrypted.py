"""IMS-SRTP-005."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, suite_name
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.mikey_lines import mikey_lines
from imsinspect.rules.srtp.selection import sdes_lines, unanswered_offers, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.crypto import Crypto
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.mikey_lines import MikeyLine
    from imsinspect.rules.srtp.selection import SdesLine, Selected
    from imsinspect.trace.model import Trace

EXPECTED = "a crypto suite that encrypts, without UNENCRYPTED_SRTP"


@rule(
    id="IMS-SRTP-005",
    name="srtp-unencrypted",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §5.3", "TR 33.829 §5.1.3", "RFC 4568 §6.3.2", "RFC 3711 §9.3"),
    needs=(CALLS,),
)
def srtp_unencrypted(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """RTP confidentiality switched off.

    What it checks:
        The a=crypto line that each answer selected: it must name a suite that encrypts, and must not carry
        UNENCRYPTED_SRTP. Lines that were offered so and not selected are findings of severity low: whoever answers
        next may take them. With an AEAD suite UNENCRYPTED_SRTP can't be honoured, so that it is a suspicion only. Of
        lines with keys by MIKEY the security policy must encrypt; where the answer names none of several that were
        offered, one that does not is a suspicion.
    Why it matters:
        What is left is integrity: speech, video and digits pass readable although the line is called secure.
    What the finding shows:
        The frames of offer and answer, tag, suite and parameters of the selected line; keys are not shown.
    How to fix it:
        Neither offer nor select NULL suites and UNENCRYPTED_SRTP. Where a device on the path added them, let the
        signalling be integrity protected.
    When it is not assessed:
        N-OA: the answer to a secure offer was not seen. N-SIP: ESP or TLS that could not be opened may hold the
        signalling, or there is no SIP beside media. N-FRAG: signalling that was cut. IMS-MIK-038: MIKEY that can't be
        read to its end. Keys of DTLS handshakes are the object of IMS-SRTP-021, those of MIKEY-TICKET of IMS-MIK-033,
        and payloads that read as clear although encryption was agreed that of IMS-SRTP-001.
    """
    for each in sdes_lines(trace, scene):
        selected = next((one for one in each.selected if _unencrypted(one.answered)), None)
        if selected is not None:
            yield _switched_off(trace, each, selected)
            continue
        offered = next((one for one in each.selected if any(map(_unencrypted, one.state.offered.crypto))), None)
        yield _only_offered(trace, each, offered) if offered is not None else Outcome("pass", each.subject)
    for keyed in mikey_lines(trace, scene):
        if not keyed.of_kms:
            yield _by_policy(trace, keyed)
    yield from unanswered_offers(trace)


def _unencrypted(line: Crypto) -> str:
    """What of a crypto line switches encryption off; "" if nothing does."""
    suite = line.crypto_suite
    if suite is not None and suite.null:
        return f"the suite {suite.name}"
    return "UNENCRYPTED_SRTP" if line.unencrypted_srtp else ""


def _switched_off(trace: Trace, each: SdesLine, selected: Selected) -> Outcome:
    suite = selected.answered.crypto_suite
    sure = suite is None or not suite.aead
    what = _unencrypted(selected.answered)
    asked = selected.offered is not None and _unencrypted(selected.offered) != ""
    message = (
        f"The answer in {frame_text(trace, selected.answer_frame)} selects {what} for {each.place} (tag "
        f"{selected.answered.tag}). Its RTP is not encrypted: anyone on the path listens."
    )
    if not asked:
        message += f" The offer in {frame_text(trace, selected.offer_frame)} did not ask for it."
    if not sure:
        message += " An AEAD suite can't honour the parameter, so that packets may be encrypted all the same."
    return Outcome(
        "violation" if sure else "suspect",
        each.subject,
        confidence="proven" if sure else "heuristic",
        title="SRTP agreed without encryption",
        message=f"{message} Not checked: the content of the media.",
        evidence=selected.evidence(EXPECTED),
        role="answerer",
        media=each.media,
        normalised=(what, EXPECTED),
    )


def _only_offered(trace: Trace, each: SdesLine, selected: Selected) -> Outcome:
    lines = [line for line in selected.state.offered.crypto if _unencrypted(line)]
    what = _unencrypted(lines[0])
    return Outcome(
        "violation",
        each.subject,
        severity=Severity.LOW,
        title="SRTP offered without encryption, and not selected",
        message=(
            f"The offer in {frame_text(trace, selected.offer_frame)} allows {what} for {each.place} (tag "
            f"{', '.join(str(line.tag) for line in lines[:4])}); the answer in "
            f"{frame_text(trace, selected.answer_frame)} selected {suite_name(selected.answered)}. Another answerer, "
            "or a device that changes the answer, can turn encryption off. The media of this line is not concerned."
        ),
        evidence=(
            *(
                Evidence(selected.offer_frame, f"SDP a=crypto, m= line {each.line.index}", words(line), EXPECTED)
                for line in lines[:4]
            ),
            Evidence(
                selected.answer_frame, f"SDP a=crypto, m= line {each.line.index}", selected.words, "what is selected"
            ),
        ),
        role="offerer",
        media=each.media,
        normalised=(f"offered {what}", EXPECTED),
    )


def _by_policy(trace: Trace, keyed: MikeyLine) -> Outcome:
    if not keyed.policies:
        return keyed.unread()
    weak, all_of_them = keyed.having(lambda policy: not policy.confidential)
    if not weak:
        return Outcome("pass", keyed.subject)
    expected = "a policy that encrypts SRTP"
    choice = "" if all_of_them else " Others that were offered encrypt; which one holds is ambiguous."
    return Outcome(
        "violation" if all_of_them else "suspect",
        keyed.subject,
        confidence="proven" if all_of_them else "heuristic",
        title="SRTP agreed without encryption",
        message=(
            f"{keyed.source(trace)} has a security policy with {weak[0]} for {keyed.place}. Its RTP is not encrypted: "
            f"anyone on the path listens.{choice} Not checked: the content of the media."
        ),
        evidence=keyed.evidence(weak[0], expected),
        role=keyed.role,
        media=keyed.media,
        normalised=(str(weak[0]), expected),
    )

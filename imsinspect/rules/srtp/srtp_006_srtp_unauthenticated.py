"""IMS-SRTP-006."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.mikey_lines import mikey_lines
from imsinspect.rules.srtp.selection import sdes_lines, unanswered_offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.crypto import Crypto
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.mikey_lines import MikeyLine
    from imsinspect.rules.srtp.selection import SdesLine, Selected
    from imsinspect.trace.model import Trace

EXPECTED = "no UNAUTHENTICATED_SRTP"


@rule(
    id="IMS-SRTP-006",
    name="srtp-unauthenticated",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 §5.2", "RFC 4568 §6.3.3", "RFC 4568 §6.4.1", "RFC 4568 §8.1", "RFC 3711 §9.5"),
    needs=(CALLS,),
)
def srtp_unauthenticated(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """RTP integrity switched off.

    What it checks:
        The a=crypto line that each answer selected: UNAUTHENTICATED_SRTP takes the tag from every RTP packet. Where
        encryption is switched off as well nothing protects the media, and the finding is critical. What is only
        offered is no finding, nor is the parameter beside an AEAD suite, whose cipher authenticates in any case. Of
        lines with keys by MIKEY the security policy is looked at; where the answer names none of several that were
        offered, one without authentication is a suspicion.
    Why it matters:
        TS 33.328 leaves the integrity of RTP optional. Without it bits of encrypted speech can be flipped, packets
        injected and receivers exhausted, and a receiver takes the first source that sends for its peer.
    What the finding shows:
        The frames of offer and answer, tag, suite and parameters of the selected line; keys are not shown.
    How to fix it:
        Do not offer UNAUTHENTICATED_SRTP. Where tags cost too much, take a suite with a tag of 32 bits for voice.
    When it is not assessed:
        N-OA: the answer to a secure offer was not seen. N-SIP: ESP or TLS that could not be opened may hold the
        signalling, or there is no SIP beside media. N-FRAG: signalling that was cut. IMS-MIK-038: MIKEY that can't be
        read to its end. Policies of MIKEY-TICKET are the object of IMS-MIK-033, and a missing tag of SRTCP, which
        nothing excuses, that of IMS-SRTP-003.
    """
    for each in sdes_lines(trace, scene):
        found = [one for one in each.selected if _unauthenticated(one.answered)]
        bare = next((one for one in found if _unencrypted(one.answered)), None)
        yield _switched_off(trace, each, bare or found[0]) if found else Outcome("pass", each.subject)
    for keyed in mikey_lines(trace, scene):
        if not keyed.of_kms:
            yield _by_policy(trace, keyed)
    yield from unanswered_offers(trace)


def _unauthenticated(line: Crypto) -> bool:
    suite = line.crypto_suite
    return line.unauthenticated_srtp and not (suite is not None and suite.aead)


def _unencrypted(line: Crypto) -> bool:
    suite = line.crypto_suite
    return line.unencrypted_srtp or (suite is not None and suite.null)


def _switched_off(trace: Trace, each: SdesLine, selected: Selected) -> Outcome:
    bare = _unencrypted(selected.answered)
    asked = selected.offered is not None and _unauthenticated(selected.offered)
    consequence = (
        "Nor is it encrypted: nothing protects the media, anyone on the path listens and forges."
        if bare
        else "Anyone on the path can flip bits of it and inject packets."
    )
    unasked = "" if asked else f" The offer in {frame_text(trace, selected.offer_frame)} did not ask for it."
    return Outcome(
        "violation",
        each.subject,
        severity=Severity.CRITICAL if bare else None,
        title="SRTP agreed without encryption and without a tag" if bare else "SRTP agreed without a tag",
        message=(
            f"The answer in {frame_text(trace, selected.answer_frame)} selects UNAUTHENTICATED_SRTP for {each.place} "
            f"(tag {selected.answered.tag}): its RTP carries no tag. {consequence}{unasked} Not checked: the packets."
        ),
        evidence=selected.evidence(EXPECTED),
        role="answerer",
        media=each.media,
        normalised=("UNAUTHENTICATED_SRTP" + (" without encryption" if bare else ""), EXPECTED),
    )


def _by_policy(trace: Trace, keyed: MikeyLine) -> Outcome:
    if not keyed.policies:
        return keyed.unread()
    weak, all_of_them = keyed.having(lambda policy: not policy.authenticated)
    if not weak:
        return Outcome("pass", keyed.subject)
    bare = not weak[0].confidential
    expected = "a policy that authenticates SRTP"
    consequence = (
        "Nor is it encrypted: nothing protects the media, anyone on the path listens and forges."
        if bare
        else "Anyone on the path can flip bits of it and inject packets."
    )
    choice = "" if all_of_them else " Others that were offered authenticate; which one holds is ambiguous."
    return Outcome(
        "violation" if all_of_them else "suspect",
        keyed.subject,
        confidence="proven" if all_of_them else "heuristic",
        severity=Severity.CRITICAL if bare and all_of_them else None,
        title="SRTP agreed without encryption and without a tag" if bare else "SRTP agreed without a tag",
        message=(
            f"{keyed.source(trace)} has a security policy with {weak[0]} for {keyed.place}: its RTP carries no tag. "
            f"{consequence}{choice} Not checked: the packets."
        ),
        evidence=keyed.evidence(weak[0], expected),
        role=keyed.role,
        media=keyed.media,
        normalised=(str(weak[0]), expected),
    )

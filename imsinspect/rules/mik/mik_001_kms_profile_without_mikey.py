"""IMS-MIK-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import agreement, frame_text, media_name, not_assessed, text
from imsinspect.rules.mik.exchanges import PROFILES, open_profile
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace

ATTRIBUTE = b"\na=key-mgmt:"
INSTEAD = ((b"\na=crypto:", "a=crypto"), (b"\na=fingerprint:", "a=fingerprint"), (b"\na=zrtp-hash:", "a=zrtp-hash"))
EDGE = b"\na=3ge2ae:"


@rule(
    id="IMS-MIK-001",
    name="kms-profile-without-mikey",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=(
        "TS 33.328 §G.3.2",
        "TS 33.328 §4.1.1",
        "TS 33.328 §7.2.3",
        "TS 33.328 §7.3.3",
        "TR 29.828 §7.1.1.1",
        "TR 33.829 §5.3.2",
    ),
    follows=("IMS-SIG-010",),
    needs=(CALLS,),
)
def kms_profile_without_mikey(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """KMS-protected session set up without a MIKEY message.

    What it checks:
        Every line of a call of these profiles that is agreed with a secure transport (RTP/SAVP, TCP/TLS/MSRP,
        TCP/TLS/BFCP …): offer or answer, now or earlier in the dialog, must have a=key-mgmt:mikey in scope, at the line
        or at the session. Lines in clear are other rules, and a line whose answer alone lacks MIKEY is IMS-MIK-003.
        Lines that are protected to the access edge (a=3ge2ae) are none of these profiles.
    Why it matters:
        The line is unprotected, or its keys come from a source that the KMS does not vouch for: nobody checked who may
        take part.
    What the finding shows:
        The frames of offer and answer, the line, and what stands there instead; what made the profile.
    How to fix it:
        Let the offerer put a=key-mgmt:mikey with TRANSFER_INIT at the session, or at each line. If it does so, look for
        the device on the path that removed it. If the call is not meant to be of this profile, say so with `--profile`
        or in the policy file.
    When it is not assessed:
        IMS-PROF-005: the profile of the call is not determined; `--profile` settles it. N-OA: the answer was not seen.
        N-SIP: signalling that could not be read. N-FRAG: signalling that was cut.
    """
    for call in trace.calls:
        applies = scene.covers(call.id, PROFILES)
        if applies is False:
            continue
        for line in call.lines:
            outcome = _line(trace, scene, call, line)
            if outcome is not None:
                yield open_profile(outcome.subject) if applies is None and outcome.verdict != "pass" else outcome


def _line(trace: Trace, scene: Scene, call: Call, line: MediaLine) -> Outcome | None:
    """What a line shows; None where it was never agreed as a secure one."""
    subject = Subject("media", line.id)
    keyed = agreed = False
    unanswered = False
    for state in line.states:
        offered, answered = state.offered, state.answered
        if not offered.profile.secure or EDGE in offered.section.text or state.negotiation.rejected:
            continue
        keyed = keyed or _mikey(offered) or (answered is not None and _mikey(answered))
        if answered is None:
            unanswered = unanswered or bool(offered.port)
        elif answered.port and answered.profile.secure and EDGE not in answered.section.text:
            agreed = True
            if not keyed:
                return _finding(trace, scene, call, line, state)
    if agreed:
        return Outcome("pass", subject)
    if unanswered and not keyed and call.state not in ("failed", "cancelled"):
        return not_assessed(subject, "N-OA", "the answer to a secure offer without a=key-mgmt was not seen")
    return None


def _mikey(media: Media) -> bool:
    """MIKEY is in scope, readable or not (RFC 4567 §3.1)."""
    if ATTRIBUTE not in media.section.text and ATTRIBUTE not in media.session.text:
        return False
    return any(each.protocol == b"mikey" for each in media.key_mgmt_in_force)


def _finding(trace: Trace, scene: Scene, call: Call, line: MediaLine, state: LineState) -> Outcome:
    choice = scene.profiles.get(call.id)
    media, answer = state.offered, state.negotiation.answer
    both = (state.offered, state.answered or state.offered)
    found = [
        name for mark, name in INSTEAD if any(mark in each.section.text or mark in each.session.text for each in both)
    ]
    instead = " and ".join(found) or "no key management"
    name, inferred = (choice.name, choice.inferred) if choice is not None else ("", False)
    why = f"which follows from {choice.because[0]}" if choice is not None and choice.because else "as was asked for"
    place = frame_text(trace, answer.message.frame) if answer is not None else "no frame"
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="strong" if inferred else "proven",
        title=f"{media.transport} without a=key-mgmt:mikey",
        message=(
            f"{text(media.type)} line {media.index} of {call.id} ({media.transport}) is offered in "
            f"{frame_text(trace, state.negotiation.offer.message.frame)} and accepted in {place} with {instead}, in a "
            f"call of the profile {name}, {why}. Its keys, if it has any, do not come from the KMS, which checked "
            "nobody who takes part. Not seen: a=key-mgmt:mikey at the line or the session, in offer and answer."
        ),
        evidence=agreement(state),
        role="offerer",
        media=media_name(media),
        normalised=(f"{media.transport} with {instead}", "a=key-mgmt:mikey"),
        fact=line.id,
    )

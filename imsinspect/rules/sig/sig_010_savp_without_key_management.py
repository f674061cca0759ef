"""IMS-SIG-010."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import agreement, frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.keying import keying, settled_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace


@rule(
    id="IMS-SIG-010",
    name="savp-without-key-management",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §7.2.1", "TS 33.328 §7.2.3", "RFC 4568 §7.1.1", "RFC 4568 §7.4"),
    needs=(CALLS,),
)
def savp_without_key_management(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTP transport offered or accepted without any key management.

    What it checks:
        Every media line that is offered with a transport of SRTP (RTP/SAVP, RTP/SAVPF, UDP/TLS/RTP/SAVP(F)) and a port:
        the offer or its answer must name a source of keys, a=crypto at the line, or a=key-mgmt or a=fingerprint at the
        line or the session. Keys of ZRTP, EKT and k= lines count as sources here. Where only the answer lacks them,
        IMS-SIG-012 or the rules of MIKEY and of fingerprints speak.
    Why it matters:
        No SRTP can come of it: the line fails, or tolerant devices send media in clear under a secure transport.
    What the finding shows:
        The frames of offer and answer, the index of the line, and its transport.
    How to fix it:
        Let the offerer add a=crypto, a=key-mgmt or a=fingerprint to the line. If it does so, look for the device on the
        path that removed the attribute. Let the answerer refuse a secure line without keys.
    When it is not assessed:
        N-SIP: signalling that could not be read, or descriptions inside an encrypted body. N-FRAG: signalling that was
        cut. N-OA: only what may be the answer was seen, and it names no keys.
    """
    seen: dict[str, Outcome] = {}
    for call, line, state in settled_states(trace):
        outcome = _line(trace, call, line, state)
        known = seen.get(line.id)
        if outcome is not None and (known is None or known.verdict == "pass"):
            seen[line.id] = outcome
    for call in trace.calls:
        for line in call.lines:
            if line.id not in seen and any(_assumed_without_keys(state) for state in line.states):
                seen[line.id] = not_assessed(
                    Subject("media", line.id), "N-OA", "only one side of the secure line was seen, and it names no keys"
                )
    yield from seen.values()


def _line(trace: Trace, call: Call, line: MediaLine, state: LineState) -> Outcome | None:
    offered, answered = state.offered, state.answered
    if not _secure(offered) or (offered.port == 0 and not offered.bundle_only):
        return None
    subject = Subject("media", line.id)
    if keying(offered):
        return Outcome("pass", subject)
    if answered is not None and (answered.port == 0 or not _secure(answered) or keying(answered)):
        return Outcome("pass", subject) if answered.port and _secure(answered) else None
    offer = state.negotiation.offer.message
    answer = state.negotiation.answer
    accepted = f" and the answer in {frame_text(trace, answer.message.frame)} accepts it" if answer is not None else ""
    return Outcome(
        "violation",
        subject,
        title=f"{offered.transport} without keys",
        message=(
            f"The offer in {frame_text(trace, offer.frame)} wants {offered.transport} for {text(offered.type)} line "
            f"{offered.index} of {call.id}{accepted}, and neither side names a source of keys: no a=crypto, "
            "a=key-mgmt or a=fingerprint is in scope. The media fails or is sent in clear. Not seen: any key exchange."
        ),
        evidence=agreement(state),
        role="offerer",
        media=media_name(offered),
        normalised=(f"{offered.transport} without keys", "a=crypto, a=key-mgmt or a=fingerprint"),
    )


def _secure(media: Media) -> bool:
    return media.profile.family == "rtp" and media.profile.secure


def _assumed_without_keys(state: LineState) -> bool:
    """A description that may be an answer, of a secure line, without keys."""
    return (
        state.negotiation.offer_assumed
        and _secure(state.offered)
        and state.offered.port > 0
        and not keying(state.offered)
    )

"""IMS-SIG-012."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import GRACE, agreement, frame_text, media_name, not_assessed, suite_name, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.keying import SDES, SDES_PROFILES, keying, settled_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace


@rule(
    id="IMS-SIG-012",
    name="answer-missing-crypto",
    severity=Severity.HIGH,
    tier=1,
    profiles=SDES_PROFILES,
    references=("TS 33.328 §7.2.1", "RFC 4568 §5.1.2", "RFC 4568 §7.4"),
    needs=(CALLS,),
)
def answer_missing_crypto(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SAVP line accepted without a crypto line.

    What it checks:
        Every line that was offered with a transport of SRTP and a=crypto, and answered with such a transport and a
        port: the answer must hold the answerer's own a=crypto, or another key management that the offer allows.
    Why it matters:
        The offerer can't know the key that it is to receive with. Devices that go on all the same do so unprotected.
    What the finding shows:
        The frames of offer and answer, the crypto suites that were offered, and the index of the line.
    How to fix it:
        Let the answerer choose one of the offered crypto lines and answer its tag with its own key, or refuse the line
        with port 0. Let the offerer end a session that was answered without a key.
    When it is not assessed:
        N-OA: the answer to the offer was not seen. N-SIP: signalling that could not be read. N-FRAG: signalling that
        was cut. An answer without a key is no finding where the dialog ended within 5 seconds and no media was sent:
        the negotiation failed, as it should.
    """
    seen: dict[str, Outcome] = {}
    for call, line, state in settled_states(trace):
        if scene.covers(call.id, SDES_PROFILES) is False:
            continue
        outcome = _line(trace, call, line, state)
        known = seen.get(line.id)
        if outcome is not None and (known is None or known.verdict != "violation"):
            seen[line.id] = outcome
    yield from seen.values()


def _line(trace: Trace, call: Call, line: MediaLine, state: LineState) -> Outcome | None:
    offered, answered = state.offered, state.answered
    if (
        offered.port == 0
        or not offered.profile.secure
        or offered.profile.family != "rtp"
        or SDES not in keying(offered)
    ):
        return None
    subject = Subject("media", line.id)
    if answered is None:
        if state.negotiation.rejected or call.state in ("failed", "cancelled"):
            return None
        return not_assessed(subject, "N-OA", "the answer to the offer with a=crypto was not seen")
    if answered.port == 0 or not answered.profile.secure:
        return None
    if keying(answered) or not _went_on(call, line, state):
        return Outcome("pass", subject)
    offer, answer = state.negotiation.offer.message, state.negotiation.answer
    suites = ", ".join(dict.fromkeys(suite_name(each) for each in offered.crypto[:4])) or "capabilities"
    return Outcome(
        "violation",
        subject,
        title="Answer without a=crypto",
        message=(
            f"The offer in {frame_text(trace, offer.frame)} brings keys for {text(offered.type)} line {offered.index} "
            f"of {call.id} ({suites}); the answer in "
            f"{frame_text(trace, answer.message.frame) if answer is not None else 'the capture'} accepts it with "
            f"{answered.transport} and names no key of its own. What the answerer sends can't be protected by a key "
            "that the offerer knows. Not seen: any other key management of the line."
        ),
        evidence=agreement(state),
        fact=line.id,
        role="answerer",
        media=media_name(offered),
        normalised=("no a=crypto", "one a=crypto with a tag of the offer"),
    )


def _went_on(call: Call, line: MediaLine, state: LineState) -> bool:
    """The session lasted, or media was sent on the line."""
    begin = state.answered_at or state.begins
    if any(use.stream.last.time >= begin for use in (*line.streams, *line.rtcp)):
        return True
    return call.ended_at is None or call.ended_at > begin + GRACE

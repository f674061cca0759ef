"""IMS-SIG-013."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import agreement, crypto_text, frame_text, media_name, not_assessed, suite_name, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.keying import SDES_PROFILES, settled_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.crypto import Crypto
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Trace


@rule(
    id="IMS-SIG-013",
    name="crypto-tag-suite-mismatch",
    severity=Severity.HIGH,
    tier=1,
    profiles=SDES_PROFILES,
    references=("TS 33.328 §7.2.1", "RFC 4568 §5.1.2", "RFC 4568 §5.1.3"),
    needs=(CALLS,),
)
def crypto_tag_suite_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Answered crypto tag or suite was not offered.

    What it checks:
        Every a=crypto of an answer beside those of its own offer, in one dialog and on one hop: its tag must be one of
        the offer, and its crypto suite the one that the offer has under this tag. Other names of one suite are equal
        (AES_CM_256_HMAC_SHA1_80 is AES_256_CM_HMAC_SHA1_80). Capabilities (a=acap) that the answer takes up count as
        offered.
    Why it matters:
        Both sides protect with the suite that was chosen. A suite or tag that nobody offered comes of a device on the
        path that changed one side, or of an answerer that chose weaker protection than was agreed.
    What the finding shows:
        The frames of offer and answer, the tags and suites offered, and those answered.
    How to fix it:
        Let the answerer repeat tag and suite of one offered line. Where a device between them removes or renumbers
        crypto lines, let it do so in offer and answer alike.
    When it is not assessed:
        N-OA: the offer that the answer belongs to was not seen. N-SIP: signalling that could not be read. N-FRAG:
        signalling that was cut.
    """
    seen: dict[str, Outcome] = {}
    for call, line, state in settled_states(trace):
        if scene.covers(call.id, SDES_PROFILES) is False:
            continue
        outcome = _line(trace, call, line, state)
        known = seen.get(line.id)
        if outcome is not None and (known is None or known.verdict != "violation"):
            seen[line.id] = outcome
    for call in trace.calls:
        for line in call.lines:
            if line.id in seen or scene.covers(call.id, SDES_PROFILES) is False:
                continue
            if any(state.negotiation.offer_assumed and state.offered.crypto for state in line.states):
                yield not_assessed(
                    Subject("media", line.id), "N-OA", "only one side of the line with a=crypto was seen"
                )
    yield from seen.values()


def _line(trace: Trace, call: Call, line: MediaLine, state: LineState) -> Outcome | None:
    offered, answered = state.offered, state.answered
    if answered is None or answered.port == 0 or not answered.crypto:
        return None
    subject = Subject("media", line.id)
    choices = (*offered.crypto, *offered.capability_crypto)
    if not choices:
        if state.negotiation.provisional:
            return None
        return not_assessed(subject, "N-OA", "the answer holds a=crypto and the offer seen on this hop none")
    wrong = next((each for each in answered.crypto if not any(_same(each, choice) for choice in choices)), None)
    if wrong is None:
        return Outcome("pass", subject)
    offer, answer = state.negotiation.offer.message, state.negotiation.answer
    under_tag = [suite_name(each) for each in choices if each.tag == wrong.tag]
    offered_text = ", ".join(f"{each.tag} {suite_name(each)}" for each in choices[:6])
    why = f"the offer has {under_tag[0]} under this tag" if under_tag else "the offer has no such tag"
    return Outcome(
        "violation",
        subject,
        title=f"Answer selects {wrong.tag} {suite_name(wrong)}, which was not offered",
        message=(
            f"The answer in {frame_text(trace, answer.message.frame) if answer is not None else 'the capture'} selects "
            f"{crypto_text(wrong)} for {text(offered.type)} line {offered.index} of {call.id}; {why} "
            f"({frame_text(trace, offer.frame)}: {offered_text}). The two sides do not protect alike, or one of the "
            "messages was changed on the way. Not seen on one hop: who changed it."
        ),
        evidence=agreement(state),
        role="answerer",
        media=media_name(offered),
        normalised=(
            f"{'suite' if under_tag else 'tag'} not offered: {suite_name(wrong)}",
            f"one of {', '.join(sorted({suite_name(each) for each in choices}))}",
        ),
    )


def _same(answered: Crypto, offered: Crypto) -> bool:
    if answered.tag != offered.tag:
        return False
    one, other = answered.crypto_suite, offered.crypto_suite
    if one is not None and other is not None:
        return one.name == other.name
    return answered.suite.upper() == offered.suite.upper()

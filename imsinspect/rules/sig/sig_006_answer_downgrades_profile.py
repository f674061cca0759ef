"""IMS-SIG-006."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    frame_text,
    hidden_signalling,
    media_name,
    not_assessed,
    text,
    worst,
)
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, Negotiation, SignallingMessage, Trace


@rule(
    id="IMS-SIG-006",
    name="answer-downgrades-profile",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=(
        "TR 33.829 §5.1.3",
        "TS 33.328 §7.2.1",
        "TS 33.328 §7.3.1",
        "RFC 4568 §5.1.2",
        "RFC 4568 §7.1.2",
        "RFC 3264 §6",
    ),
)
def answer_downgrades_profile(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Secure m-line answered with an insecure transport.

    What it checks:
        Each media line of each offer and its answer, in one dialog and on one hop: an offer of RTP/SAVP(F),
        UDP/TLS/RTP/SAVP(F), TCP/TLS/…, UDP/TLS/BFCP or another transport with SRTP, TLS or DTLS must not be accepted
        with the transport in clear.
    Why it matters:
        A secure line is accepted with its security or refused. An answer that accepts it in clear turns protection off
        for both sides; a device between them that rewrites the answer does the same to parties who both wanted it.
    What the finding shows:
        The frames of offer and answer, the index of the line, and both transports.
    How to fix it:
        Answer with the offered transport and one of the offered keys, or refuse the line with port 0 or the request
        with 488. If the answerer did so, look for the device on the path that changed the answer. Let the offerer end
        the session on such an answer.
    When it is not assessed:
        N-OA: only the offer or only the answer was seen. N-SIP: signalling that could not be read. N-FRAG:
        signalling that was cut, or is not in the capture as a whole. Lines answered with port 0, offers in clear (also
        with a=crypto: best-effort encryption), and answers that take up a potential configuration (a=acfg) are no
        downgrades. Offers of one side of a gateway are never compared with answers of the other.
    """
    lines = {
        (id(state.negotiation), line.index): line
        for call in trace.calls
        for line in call.lines
        for state in line.states
    }
    for call in trace.calls:
        yield from worst(_answered(trace, call, lines))
        yield from _one_sided(call)
    yield from hidden_signalling(trace)


def _answered(
    trace: Trace, call: Call, lines: dict[tuple[int, int], MediaLine]
) -> Iterator[tuple[object, Outcome | None]]:
    """What each line of each answered offer shows, by dialog and index of the line."""
    for negotiation in call.negotiations:
        if negotiation.answer is None or negotiation.offer_assumed:
            continue
        if negotiation.rejected and negotiation.provisional:
            continue  # a preview of an answer that never came
        tags = frozenset((negotiation.offerer_tag, negotiation.answerer_tag))
        answered = negotiation.answer.sdp.media
        for offered in negotiation.offer.sdp.media:
            line = lines.get((id(negotiation), offered.index))
            if offered.index < len(answered):
                yield (
                    (tags, offered.index),
                    _downgrade(trace, call, line, negotiation, offered, answered[offered.index]),
                )
            else:
                yield (tags, offered.index), _left_out(call, line, offered)


def _downgrade(
    trace: Trace, call: Call, line: MediaLine | None, negotiation: Negotiation, offered: Media, answered: Media
) -> Outcome | None:
    """What one line of one offer and answer shows; None where the rule has no object."""
    if not offered.profile.secure or (offered.port == 0 and not offered.bundle_only):
        return None
    subject = Subject("media", line.id if line is not None else f"{call.id}/{offered.index}")
    if answered.port == 0 or answered.profile.secure or answered.acfg:
        return Outcome("pass", subject)
    offer, answer = negotiation.offer.message, negotiation.answer.message  # type: ignore[union-attr]
    settled = not negotiation.provisional
    sure = settled and answered.profile.known
    preview = "" if settled else " The answer is the preview of a provisional response; no final one was seen."
    observed, expected = answered.transport, f"{offered.transport}, or port 0"
    return Outcome(
        "violation" if sure else "suspect",
        subject,
        confidence="proven" if sure else "heuristic",
        title=f"{offered.transport} answered with {answered.transport}",
        message=(
            f"The offer in {frame_text(trace, offer.frame)} wants {offered.transport} for {text(offered.type)} line "
            f"{offered.index} of {call.id}; the answer in {frame_text(trace, answer.frame)} from {answer.source} "
            f"accepts it on port {answered.port} with {answered.transport}. The media of both directions is agreed in "
            f"clear although protection was asked for.{preview} Not seen on one hop: who "
            "changed the transport, the answerer or a device between."
        ),
        evidence=(
            Evidence(offer.frame, f"SDP m= line {offered.index}", offered.transport, "kept in the answer or refused"),
            Evidence(answer.frame, f"SDP m= line {offered.index}", f"{observed}, port {answered.port}", expected),
        ),
        fact=subject.id,
        role="answerer",
        media=media_name(offered),
        normalised=(observed, expected),
    )


def _left_out(call: Call, line: MediaLine | None, offered: Media) -> Outcome | None:
    """A secure line for which the answer has none, against RFC 3264 §6."""
    if not offered.profile.secure or offered.port == 0:
        return None
    subject = Subject("media", line.id if line is not None else f"{call.id}/{offered.index}")
    return not_assessed(subject, "N-OA", "the answer has fewer media lines than the offer")


def _one_sided(call: Call) -> Iterator[Outcome]:
    """Secure lines of which only one side was seen."""
    seen = False
    for line in call.lines:
        states = line.states
        seen = seen or bool(states)
        if any(state.negotiation.answer is not None and not state.negotiation.offer_assumed for state in states):
            continue
        if any(_open_offer(state) for state in states) and call.state not in ("failed", "cancelled"):
            yield not_assessed(Subject("media", line.id), "N-OA", "only one side of the secure line was seen")
    if not seen and any(_secure_description(message) for message in call.messages) and not call.negotiations:
        yield not_assessed(Subject("call", call.id), "N-OA", "session descriptions whose counterparts were not seen")


def _open_offer(state: LineState) -> bool:
    return state.offered.profile.secure and state.offered.port != 0 and not state.negotiation.rejected


def _secure_description(message: SignallingMessage) -> bool:
    return any(media.profile.secure for sdp in message.sdp for media in sdp.media)

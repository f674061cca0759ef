"""IMS-SIG-009."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.rules.facts import SECOND, emergency, frame_text, media_name, not_assessed, text, worst
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.keying import protectable
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Negotiation, SignallingMessage, Trace

REFUSALS = frozenset((415, 488, 580, 606))
"""What refuses a session for its description (RFC 3261 §21, RFC 3312 §8)."""

MAX_RETRIES = 64  # that are looked at behind one refusal

Attempt = tuple[str, str, str, str, bytes]
"""Caller, target, the two addresses of the hop, and the type of the medium."""

Retry = tuple["Call", "Negotiation", "Media"]


@dataclass(slots=True, frozen=True)
class _Refused:
    """A secure line that was not taken."""

    call: Call
    media: Media
    offer: SignallingMessage
    refusal: SignallingMessage
    why: str


@rule(
    id="IMS-SIG-009",
    name="clear-retry-after-reject",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.3", "RFC 4567 §8", "RFC 8643 §4"),
    needs=(CALLS,),
)
def clear_retry_after_reject(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Secure offer rejected and call retried in clear.

    What it checks:
        Offers of a line with SRTP, TLS or DTLS that are refused with 415, 488, 580 or 606, or whose line is answered
        with port 0: whether the same caller then offers the same target, on the same hop, the same medium in clear
        within 32 seconds (`sip.retry_window` in a policy), and it is accepted.
    Why it matters:
        Nothing authenticates a refusal. Whoever forges one response gets a call in clear from parties who both wanted
        it protected.
    What the finding shows:
        The secure offer, its refusal with the Warning text, the offer in clear, and its acceptance.
    How to fix it:
        Do not fall back to clear media by itself: ask the user, or end the call. Where the refusal is right, agree on
        another suite or key management instead. If fallback is wanted between certain hosts, accept the finding for
        them in a policy file.
    When it is not assessed:
        T-MID: the capture ends before the 32 seconds are over. N-OA: the answer to the retry in clear was not seen.
        Retries to other targets, calls to emergency services, and secure lines beside which another line of the same
        medium was accepted are no object.
    """
    window = scene.policy.thresholds.retry_window
    refused = [each for call in trace.calls for each in _refused(call)]
    if not refused:
        return
    wanted = {_attempt(each.offer, each.media) for each in refused}
    retries: defaultdict[Attempt, list[Retry]] = defaultdict(list)
    for call in trace.calls:
        for negotiation in call.negotiations:
            if negotiation.offer_assumed or not negotiation.offer.message.sip.method:
                continue
            for media in negotiation.offer.sdp.media:
                name = _attempt(negotiation.offer.message, media)
                if name in wanted and media.port:
                    retries[name].append((call, negotiation, media))
    for found in retries.values():
        found.sort(key=_offered_at)
    end = max((capture.last_time or 0 for capture in trace.captures), default=0)

    def judged(each: _Refused) -> Outcome:
        since = each.refusal.time
        offers = retries[_attempt(each.offer, each.media)]
        first = bisect_right(offers, since, key=_offered_at)
        last = bisect_right(offers, since + window, key=_offered_at)
        later = offers[first : min(last, first + MAX_RETRIES)]
        return _judged(trace, each, later, complete=end >= since + window, seconds=window // SECOND)

    yield from worst((each.call.id, judged(each)) for each in refused)


def _offered_at(retry: Retry) -> int:
    return retry[1].offer.message.time


def _refused(call: Call) -> Iterator[_Refused]:
    """Secure lines of a call that were refused."""
    if emergency(call):
        return
    for negotiation in call.negotiations:
        offer, answer = negotiation.offer, negotiation.answer
        if negotiation.offer_assumed or not offer.message.sip.method:
            continue
        secure = [media for media in offer.sdp.media if media.profile.secure and media.port]
        if not secure:
            continue
        if negotiation.rejected:
            refusal = _refusal(call, offer.message)
            if refusal is not None:
                warning = b"; ".join(refusal.sip.header(b"warning")[:1])
                why = f"{refusal.sip.status}" + (f", Warning: {text(warning)}" if warning else "")
                yield from (_Refused(call, media, offer.message, refusal, why) for media in secure)
        elif answer is not None and not negotiation.provisional:
            replies = answer.sdp.media
            taken = {reply.type for reply in replies if reply.port}  # a clear line beside the secure one was a choice
            for media in secure:
                if media.index < len(replies) and not replies[media.index].port and media.type not in taken:
                    yield _Refused(call, media, offer.message, answer.message, "answered with port 0")


def _refusal(call: Call, offer: SignallingMessage) -> SignallingMessage | None:
    """The response that refused an offer's request on its hop."""
    for message in call.messages:
        sip = message.sip
        if (
            sip.status in REFUSALS
            and (sip.cseq, sip.cseq_method, sip.from_tag) == (offer.sip.cseq, offer.sip.method, offer.sip.from_tag)
            and (message.source.ip, message.destination.ip) == (offer.destination.ip, offer.source.ip)
        ):
            return message
    return None


def _attempt(offer: SignallingMessage, media: Media) -> Attempt:
    sip = offer.sip
    hop = offer.source.ip, offer.destination.ip
    return canonical(uri_of(sip.from_)), canonical(uri_of(sip.to)), *hop, media.type


def _judged(trace: Trace, refused: _Refused, later: Sequence[Retry], *, complete: bool, seconds: int) -> Outcome:
    subject = Subject("call", refused.call.id)
    unanswered = False
    for call, negotiation, media in later:
        if protectable(media):
            continue
        answer = negotiation.answer
        if answer is None or negotiation.provisional:
            unanswered = unanswered or not negotiation.rejected
        elif not negotiation.rejected and media.index < len(answer.sdp.media):
            reply = answer.sdp.media[media.index]
            if reply.port and not protectable(reply):
                return _found(trace, refused, call, negotiation.offer.message, media, answer.message, reply)
    if unanswered:
        return not_assessed(subject, "N-OA", "the answer to the retry in clear was not seen")
    if not complete:
        return not_assessed(subject, "T-MID", f"the capture ends before the {seconds} seconds are over")
    return Outcome("pass", subject)


def _found(
    trace: Trace, refused: _Refused, call: Call, retry: SignallingMessage, media: Media, answer: SignallingMessage,
    reply: Media,
) -> Outcome:  # fmt: skip
    wanted, got = refused.media.transport, reply.transport
    seconds = (retry.time - refused.refusal.time) / SECOND
    where = f"SDP m= line {refused.media.index}"
    return Outcome(
        "violation",
        Subject("call", refused.call.id),
        confidence="strong",
        title=f"{wanted} refused, then called again with {got}",
        message=(
            f"The offer of {wanted} for {text(media.type)} in {frame_text(trace, refused.offer.frame)} of "
            f"{refused.call.id} was refused in {frame_text(trace, refused.refusal.frame)} ({refused.why}); "
            f"{seconds:.1f} s later the same caller offered the same target {media.transport} in "
            f"{frame_text(trace, retry.frame)} of {call.id}, which was accepted in {frame_text(trace, answer.frame)}. "
            "The call goes on in clear. Not seen: whether the refusal came from the target, as nothing authenticates "
            "it, and whether the users were asked."
        ),
        evidence=(
            Evidence(refused.offer.frame, where, wanted, "accepted, or refused for good"),
            Evidence(refused.refusal.frame, "refusal", refused.why, "no retry in clear"),
            Evidence(retry.frame, f"SDP m= line {media.index}", media.transport, wanted),
            Evidence(answer.frame, f"SDP m= line {media.index}", f"{got}, port {reply.port}", "refused"),
        ),
        role="offerer",
        media=media_name(refused.media),
        normalised=(f"{got} after {wanted} was refused", "no retry in clear"),
    )

"""IMS-SIG-008."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.keying import protectable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import LineState, MediaLine, Trace

NOWHERE = frozenset((b"0.0.0.0", b"::"))  # on hold in the old way (RFC 3264 §8.4)
LEAST_STATES = 2


@rule(
    id="IMS-SIG-008",
    name="mid-dialog-downgrade",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.3", "RFC 4568 §7.1.4", "RFC 4567 §4.1.2"),
    needs=(CALLS,),
)
def mid_dialog_downgrade(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Re-INVITE or UPDATE turns a protected stream into a clear one.

    What it checks:
        Media lines of a dialog with two or more completed offers and answers: once a line was agreed with a transport
        of SRTP, TLS or DTLS, a later offer for the same medium on that line must not be agreed in clear. A line that is
        refused, inactive or has the address 0.0.0.0 carries nothing; what follows it is compared with what was agreed
        before. An offer in clear with keys that are answered (best-effort encryption) or with a potential configuration
        that is taken up is no downgrade, and neither is another medium that takes the place of the first.
    Why it matters:
        What is said from then on is readable, and neither user need notice: the call goes on. Servers for hold,
        recording and transfer do so, and whoever can forge one request of the dialog.
    What the finding shows:
        The frames of the last exchange that agreed on protection and of the first one in clear, and both transports.
    How to fix it:
        Keep the transport in re-INVITE and UPDATE, with the same keys or new ones; refuse an offer in clear with 488,
        or ask the user. Let hold and transfer servers speak SRTP.
    When it is not assessed:
        N-OA: the answer to an offer in clear was not seen, or a description in clear whose offer was not seen.
    """
    for call in trace.calls:
        for line in call.lines:
            if len(line.states) >= LEAST_STATES:
                outcome = _of_line(trace, line)
                if outcome is not None:
                    yield outcome


def _of_line(trace: Trace, line: MediaLine) -> Outcome | None:
    """None where the line was never protected, or nothing was negotiated after that."""
    subject = Subject("media", line.id)
    protected: LineState | None = None
    compared = unseen = False
    for state in line.states:
        if state.negotiation.rejected or state.negotiation.provisional:
            continue
        if protected is not None and state.offered.type != protected.offered.type:
            protected = None
        if state.answered is None or state.negotiation.offer_assumed:
            unseen = unseen or (protected is not None and _carries(state.offered) and not protectable(state.offered))
        elif _carries(state.offered) and _carries(state.answered):
            agreed = protectable(state.offered) and protectable(state.answered)
            if protected is not None and not agreed and not state.offered.profile.secure:  # else IMS-SIG-006 tells it
                return _downgraded(trace, line, subject, protected, state)
            compared = compared or (protected is not None and agreed)
            protected = state if agreed else protected
    if unseen:
        return not_assessed(subject, "N-OA", "a description in clear, whose offer or answer was not seen")
    return Outcome("pass", subject) if compared else None


def _carries(media: Media) -> bool:
    """Whether media may flow."""
    return media.port != 0 and media.direction != b"inactive" and media.connection not in NOWHERE


def _downgraded(trace: Trace, line: MediaLine, subject: Subject, before: LineState, after: LineState) -> Outcome | None:
    old_offer, old_answer = before.negotiation.offer.message, before.negotiation.answer
    offer, answer = after.negotiation.offer.message, after.negotiation.answer
    if old_answer is None or answer is None or after.answered is None:
        return None
    observed, expected = after.answered.transport, before.offered.transport
    where = f"SDP m= line {line.index}"
    method = text(offer.sip.method or offer.sip.cseq_method)
    return Outcome(
        "violation",
        subject,
        confidence="proven",
        title=f"{expected} turned into {observed} within the dialog",
        message=(
            f"{text(before.offered.type)} line {line.index} of {line.call} was agreed as {expected} in "
            f"{frame_text(trace, old_answer.message.frame)}; the {method} exchange of "
            f"{frame_text(trace, offer.frame)} and {frame_text(trace, answer.message.frame)} agrees on {observed}. "
            "From there on its media is in clear although the call goes on. Not seen: whether the users were told, and "
            "who wrote the offer, its sender or a device between."
        ),
        evidence=(
            Evidence(old_offer.frame, where, expected, "kept for the whole dialog"),
            Evidence(old_answer.message.frame, where, expected, "kept for the whole dialog"),
            Evidence(offer.frame, where, after.offered.transport, f"{expected}, or port 0"),
            Evidence(answer.message.frame, where, f"{observed}, port {after.answered.port}", f"{expected}, or refused"),
        ),
        role="offerer",
        media=media_name(before.offered),
        normalised=(observed, expected),
    )

"""IMS-MSRP-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import agreement, counted, frame_text, media_name, not_assessed, profile_open, text
from imsinspect.rules.msrp.lines import msrp_lines, settled, side_of, sides
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.messaging import said
from imsinspect.trace.mikey_model import TRANSFER_INIT, TRANSFER_RESP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaConnection, MediaLine, Trace

END_TO_END = ("E2E-KMS", "G3")
EDGE = ("E2AE-MSRP",)
EXPECTED = "TCP/TLS/MSRP"


@rule(
    id="IMS-MSRP-001",
    name="msrp-clear-in-secure-profile",
    severity=Severity.HIGH,
    tier=1,
    profiles=(*END_TO_END, *EDGE),
    references=(
        "TS 33.328 §6.1.2",
        "TS 33.328 §7.2.3",
        "TS 33.328 Annex G.3.2",
        "TR 29.828 §7.1.1.1",
        "TR 29.828 §7.1.1.2",
    ),
    needs=(CALLS,),
)
def msrp_clear_in_secure_profile(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MSRP line without TLS in a profile that requires it.

    What it checks:
        Every line of messages that an answer accepted with TCP/MSRP: in calls of the KMS solution and of conferences
        with it on every hop, in calls with protection to the access edge between UE and gateway. A clear line that
        carries a ticket or a=3ge2ae itself is judged whatever the call's profile.
    Why it matters:
        Messages, files and who writes to whom pass in clear, beside media of the same call that is protected. Anybody
        on the path reads them and can write in the name of others.
    What the finding shows:
        The frames of offer and answer, the line, the profile that asks for TLS, and messages in clear if any were seen.
    How to fix it:
        Offer and accept the line as TCP/TLS/MSRP, with the ticket of the call or with a certificate fingerprint, and
        refuse it with port 0 otherwise.
    When it is not assessed:
        N-OA: the answer was not seen. N-DIR: in protection to the access edge, nothing shows which side of the P-CSCF
        the line was agreed on; behind the gateway it is clear by design. IMS-PROF-005: the profile of the call is not
        determined. N-SIP: signalling that could not be read. N-FRAG: signalling that was cut.
    """
    for call, line in msrp_lines(trace):
        subject = Subject("media", line.id)
        agreed = [state for state in line.states if settled(state) and _family(state) == "msrp"]
        clear = [state for state in agreed if state.answered is not None and not state.answered.profile.secure]
        if not agreed:
            if _unanswered(line) and (scene.covers(call.id, END_TO_END) or scene.covers(call.id, EDGE)):
                yield not_assessed(subject, "N-OA", "the answer to the offer of messages was not seen")
        elif not clear:
            if scene.covers(call.id, (*END_TO_END, *EDGE)):
                yield Outcome("pass", subject)
        else:
            yield from _judge(trace, scene, call, line, clear)


def _family(state: LineState) -> str:
    return state.answered.profile.family if state.answered is not None else ""


def _unanswered(line: MediaLine) -> bool:
    return any(
        state.answered is None and not state.negotiation.rejected and state.offered.port for state in line.states
    )


def _judge(trace: Trace, scene: Scene, call: Call, line: MediaLine, clear: list[LineState]) -> Iterator[Outcome]:
    subject = Subject("media", line.id)
    end_to_end, edge = scene.covers(call.id, END_TO_END), scene.covers(call.id, EDGE)
    shown = end_to_end is None and edge is None
    end_to_end = end_to_end or (shown and any(_has_ticket(state) for state in clear))
    edge = edge or (shown and any(_has_indicator(state) for state in clear))
    if end_to_end:
        yield _in_clear(trace, scene, call, line, clear[0], "the KMS solution")
    elif edge:
        known = [state for state in clear if side_of(line, state) != "unknown"]
        access = next((state for state in known if side_of(line, state) == "access"), None)
        if access is not None:
            yield _in_clear(trace, scene, call, line, access, "protection to the access edge")
        elif not known:
            reason = "nothing shows whether the clear line was agreed with the UE or in the core"
            yield not_assessed(subject, "N-DIR", reason)
    elif shown:
        yield profile_open(subject)


def _has_ticket(state: LineState) -> bool:
    return any(
        key_mgmt.protocol == b"mikey" and key_mgmt.data[1:2] in (bytes((TRANSFER_INIT,)), bytes((TRANSFER_RESP,)))
        for _, media in sides(state)
        if b"\na=key-mgmt:" in media.section.text
        for key_mgmt in media.key_mgmt
    )


def _has_indicator(state: LineState) -> bool:
    return any(b"\na=3ge2ae:" in media.section.text for _, media in sides(state))


def _in_clear(trace: Trace, scene: Scene, call: Call, line: MediaLine, state: LineState, solution: str) -> Outcome:
    answered = state.answered or state.offered
    choice = scene.profiles.get(call.id)
    profile = choice.name if choice is not None and choice.name != "open" else "shown by the line"
    sent = [each for each in line.connections if each.kind == "msrp" and each.messages]
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="strong" if choice is not None and choice.inferred else "proven",
        title=f"Messages agreed in clear: {answered.transport}",
        message=(
            f"{text(state.offered.type)} line {line.index} of {call.id} is agreed as {answered.transport} on port "
            f"{answered.port}, although {solution} (profile {profile}) wants {EXPECTED}. Anybody on the path reads and "
            f"forges its messages. {_seen(trace, sent)}"
        ),
        evidence=(*agreement(state), *_messages(sent)),
        fact=line.id,
        role="answerer",
        media=media_name(state.offered),
        normalised=(f"{answered.transport} with {solution}", EXPECTED),
    )


def _seen(trace: Trace, sent: list[MediaConnection]) -> str:
    if not sent:
        return "Not seen: its messages."
    count = sum(len(each.messages) for each in sent)
    where = frame_text(trace, sent[0].messages[0].frames[0])
    return f"Seen in clear: {counted(count, 'message')} from {where} on."


def _messages(sent: list[MediaConnection]) -> Iterator[Evidence]:
    for each in sent[:1]:
        yield Evidence(each.messages[0].frames[0], "MSRP", said(each.messages[0]), "inside TLS")

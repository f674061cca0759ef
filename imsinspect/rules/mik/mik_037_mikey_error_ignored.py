"""IMS-MIK-037."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.facts import GRACE, frame_text, not_assessed
from imsinspect.rules.mik.exchanges import (
    PROFILES,
    TICKET_TYPES,
    calls,
    covered,
    csb,
    open_profile,
    role_of,
    subject_of,
)
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import once, rule
from imsinspect.trace.binding import canonical
from imsinspect.trace.mikey_model import ERROR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.mikey_model import MikeyExchange
    from imsinspect.trace.model import Call, MediaStream, MikeyMessage, Negotiation, RtcpSource, Trace


@rule(
    id="IMS-MIK-037",
    name="mikey-error-ignored",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("RFC 4567 §4.1.1", "RFC 4567 §4.1.2", "RFC 6043 §5.4"),
    needs=(MIKEY,),
)
def mikey_error_ignored(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """MIKEY error reported but the session goes on.

    What it checks:
        Every MIKEY error message (data type 6) in a session description: the request that failed must not be accepted
        with an open port, and no media may flow afterwards, unless a later offer of the call is accepted without an
        error. A refused change of a session leaves the session as it was.
    Why it matters:
        If key management fails, the whole session set-up is to be aborted. Otherwise somebody who was not authenticated
        gets a session, mostly in clear.
    What the finding shows:
        The frame and the number and name of the error, and the answer or the first media behind it.
    How to fix it:
        Let the responder refuse the request (488) where key management fails, and the initiator end a session whose
        answer carries an error.
    When it is not assessed:
        N-MED: neither a final answer nor media was seen behind the error. IMS-PROF-005: the profile of the call is not
        determined, and the exchange is not one of MIKEY-TICKET. N-SIP: signalling that could not be read. A session
        that was accepted with an error, and ended at once without media, is only suspected, as is media at the address
        of an offer that was refused.
    """
    known = calls(trace, scene)
    for exchange in trace.mikey_exchanges:
        errors = exchange.errors if exchange.data_type != ERROR else exchange.inits
        if not errors or not exchange.calls:
            continue
        applies = covered(scene, exchange.calls, shows=exchange.data_type in TICKET_TYPES)
        if applies is False:
            continue
        for call_id in dict.fromkeys(each.call for each in errors):
            here = [each for each in errors if each.call == call_id]
            if applies is None:
                yield open_profile(subject_of(here[0]))
            elif call_id in known:
                yield _judge(trace, scene, exchange, known[call_id], here)


def _judge(trace: Trace, scene: Scene, exchange: MikeyExchange, call: Call, errors: list[MikeyMessage]) -> Outcome:
    error = errors[-1]
    subject = subject_of(error)
    settled = settlements(trace, scene).get(call.id, Settlement())
    accepted = settled.by_description.get(id(error.description))
    if settled.last_sound is not None and settled.last_sound > error.time:
        return Outcome("pass", subject)
    media = _media(call, error.time)
    stray = None if media is not None else _stray(trace, scene, call, error)
    refused = error.role == "refusal" or (accepted is None and call.state in ("failed", "cancelled"))
    established = settled.first is not None and settled.first < error.time  # what is refused is a change
    if refused and (established or (media is None and stray is None)):
        return Outcome("pass", subject)
    if stray is not None:
        return _finding(trace, exchange, call, error, None, stray, sure=False)
    if accepted is None and media is None:
        if call.ended_at is not None:
            return Outcome("pass", subject)
        return not_assessed(subject, "N-MED", "neither a final answer nor media was seen behind the MIKEY error")
    ended = call.ended_at is not None and call.ended_at - error.time <= GRACE
    return _finding(trace, exchange, call, error, accepted, media, sure=media is not None or not ended)


def _stray(trace: Trace, scene: Scene, call: Call, error: MikeyMessage) -> MediaStream | None:
    """Media that no description announces, at an address of an offer that was refused for the error."""
    for negotiation in call.negotiations[:16] if error.role == "refusal" else ():
        for media in negotiation.offer.sdp.media[:16]:
            for stream in unannounced(trace, scene).get((canonical(media.connection), media.port), ()):
                if stream.first.time > negotiation.offer.message.time and stream.last.time > error.time + GRACE:
                    return stream
    return None


@once
def unannounced(trace: Trace, scene: Scene) -> dict[tuple[str, int], list[MediaStream]]:
    """Media that no description announces, by its addresses."""
    found: dict[tuple[str, int], list[MediaStream]] = {}
    for stream in trace.unbound_streams:
        for end in (stream.source, stream.destination):
            found.setdefault((end.ip, end.port), []).append(stream)
    return found


@dataclass(slots=True)
class Settlement:
    """The offers of a call that were accepted with an open port."""

    first: int | None = None  # time of the first answer
    last_sound: int | None = None  # time of the last answer of an offer and answer without an error
    by_description: dict[int, Negotiation] = field(default_factory=dict)

    def add(self, call: str, negotiation: Negotiation, failed: frozenset[tuple[str, int]]) -> None:
        """One offer with its answer."""
        answer = negotiation.answer
        if answer is None or negotiation.rejected or negotiation.provisional:
            return
        if not any(each.port for each in answer.sdp.media):
            return
        time, sides = answer.message.time, (id(negotiation.offer.sdp), id(answer.sdp))
        self.first = time if self.first is None else min(self.first, time)
        for side in sides:
            self.by_description.setdefault(side, negotiation)
        if not any((call, side) in failed for side in sides):
            self.last_sound = time if self.last_sound is None else max(self.last_sound, time)


@once
def settlements(trace: Trace, scene: Scene) -> dict[str, Settlement]:
    """Of each call with a MIKEY error, what was accepted in it."""
    failed = frozenset(
        (each.call, id(each.description))
        for each in trace.mikey
        if each.description is not None and each.record is not None and each.record.data_type == ERROR
    )
    found: dict[str, Settlement] = {}
    for call in dict.fromkeys(call for call, _ in failed):
        found[call] = Settlement()
        for negotiation in calls(trace, scene)[call].negotiations if call in calls(trace, scene) else ():
            found[call].add(call, negotiation, failed)
    return found


def _media(call: Call, time: int) -> MediaStream | RtcpSource | None:
    """Media of the call that goes on behind an error."""
    uses = (use for line in call.lines for use in (*line.streams, *line.rtcp))
    return next((use.stream for use in uses if use.stream.last.time > time + GRACE), None)


def _finding(
    trace: Trace,
    exchange: MikeyExchange,
    call: Call,
    error: MikeyMessage,
    accepted: Negotiation | None,
    media: MediaStream | RtcpSource | None,
    *,
    sure: bool,
) -> Outcome:
    record = error.record
    names = record.error_names() if record is not None else ()
    shown = ", ".join(f"{number} {name}" for number, name in zip(record.errors, names, strict=True)) if record else ""
    shown = shown or "no number"
    evidence = [Evidence(error.frames[0], "MIKEY ERR Error no", shown, "the session is not set up")]
    facts = []
    if accepted is not None and accepted.answer is not None:
        answer = accepted.answer
        ports = ", ".join(str(each.port) for each in answer.sdp.media[:8])
        evidence.append(Evidence(answer.message.frame, "SIP answer", f"accepted, ports {ports}", "refused with 488"))
        facts.append(f"the answer in {frame_text(trace, answer.message.frame)} opens ports all the same")
    if media is not None:
        evidence.append(Evidence(media.last.frame, "media", f"{media.packets} packets", "none behind the error"))
        facts.append(f"media goes on until {frame_text(trace, media.last.frame)}")
    ended = (
        "" if sure else " The call ended at once, without media." if media is None else
        " That the media is of this call follows from its address alone."
    )  # fmt: skip
    return Outcome(
        "violation" if sure else "suspect",
        subject_of(error),
        confidence="strong" if sure else "heuristic",
        title=f"MIKEY error {shown} ignored",
        message=(
            f"A MIKEY error ({shown}, {csb(exchange.csb_id)}) stands in {frame_text(trace, error.frames[0])} of "
            f"{call.id}, and {' and '.join(facts)}. Who failed to authenticate or to get keys has a session, in "
            f"clear or with keys that nobody checked.{ended} Not seen: a later offer that succeeds."
        ),
        evidence=tuple(evidence),
        role=role_of(error),
        normalised=(f"error {shown}, session goes on", "session refused"),
    )

"""IMS-TLS-018."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    MAX_EVIDENCE,
    agreement,
    calls_by_id,
    counted,
    frame_text,
    media_name,
    not_assessed,
    profile_open,
    text,
    unanswered_secure,
)
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import SECURED_POINTS, rule
from imsinspect.rules.tls.media_lines import (
    FAMILIES,
    FRAMED,
    NAMES,
    applies,
    carried_in_clear,
    clear_since,
    connections_of,
    state_at,
    tls_agreed,
    tls_lines,
)
from imsinspect.rules.tls.sessions import lines_without
from imsinspect.trace.messaging import conference_of, said
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.outcome import Confidence
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaConnection, MediaLine, Trace

PROFILES = ("E2AE-MSRP", "E2AE-BFCP", "E2E-KMS", "G2", "G3")
EXPECTED = "a TLS record first (0x16 0x03), and nothing in clear"


@rule(
    id="IMS-TLS-018",
    name="clear-data-on-tls-line",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=PROFILES,
    references=(
        "TS 33.328 §6.1.2",
        "TS 33.328 §6.2.1.1",
        "TS 33.328 §7.2.1",
        "TS 33.328 Annex G.3.2",
        "TR 29.828 §7.1.1.3",
        "TR 33.829 §5.1.3",
    ),
    needs=(CALLS,),
)
def clear_data_on_tls_line(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Clear MSRP or BFCP on a line negotiated with TLS.

    What it checks:
        The connections of every line that was agreed as TCP/TLS/MSRP, TCP/TLS/BFCP or UDP/TLS/BFCP: between the ports
        that it announced, or with the MSRP URIs of its a=path. They must begin with TLS. MSRP and BFCP messages that
        stand on them in clear are told by their form, BFCP also by the conference of a=confid.
    Why it matters:
        Both sides agreed on protection and believe in it, yet everybody on the path reads messages and files, and can
        write or take the floor in the name of others.
    What the finding shows:
        The frames of offer and answer, of the SYN, and of the first message in clear, and what that message is.
    How to fix it:
        Let the side that connects begin with a ClientHello and the other refuse everything else, the access gateway
        included. A gateway that ends TLS must not use the ports of the secure line for its clear side.
    When it is not assessed:
        N-MED: no connection of the line was captured. N-FRAG: the start of the connection is not in the capture, and no
        message can be told in what is. N-OA: the answer to the offer was not seen. T-ICE: the connection carries ICE
        framing. T-CORE: a capture point behind the end of TLS, or exported PDUs, show clear data by nature; it counts
        as information only. IMS-PROF-005: the call's profile is open and the line shows neither fingerprints nor
        MIKEY. N-SIP: signalling that could not be read. The clear side of a gateway is a line of its own, agreed in
        clear.
    """
    connections = connections_of(trace, scene)
    for call, line, states in tls_lines(trace):
        found = connections.get(line.id, [])
        applied = applies(scene, call, states[-1], PROFILES)
        if applied is None:
            yield profile_open(Subject("media", line.id))
        elif applied and (found or line.tls_sessions):
            yield from _judge(trace, scene, call, line, found)
    calls = calls_by_id(trace)
    for line, protocol in lines_without(trace, lambda each: bool(each.tls_sessions or connections.get(each.id))):
        agreed = [state for state in line.states if tls_agreed(state)]
        if agreed and applies(scene, calls[line.call], agreed[-1], PROFILES):
            reason = f"no connection of the line agreed with {protocol} was captured"
            yield not_assessed(Subject("media", line.id), "N-MED", reason)
    for call in trace.calls:
        for line in call.lines:
            if line.connections and unanswered_secure(line) and _family(line) in FAMILIES:
                yield not_assessed(Subject("media", line.id), "N-OA", "the answer to the secure offer was not seen")


def _family(line: MediaLine) -> str:
    return line.states[0].offered.profile.family if line.states else ""


def _judge(
    trace: Trace, scene: Scene, call: Call, line: MediaLine, connections: list[MediaConnection]
) -> Iterator[Outcome]:
    subject = Subject("media", line.id)
    found = [each for each in connections if tls_agreed(state_at(line, clear_since(each)))]
    clear = [each for each in found if carried_in_clear(each)]
    clear.sort(key=lambda each: (not each.messages, each.first.time))
    if clear:
        yield _in_clear(trace, scene, call, line, clear)
    elif line.tls_sessions or any(each.tls_sessions for each in found):
        yield Outcome("pass", subject)
    elif any(each.kind in FRAMED for each in found):
        yield not_assessed(
            subject, "T-ICE", "the connection carries the framing of ICE, behind which TLS is not sought"
        )
    elif found:
        yield not_assessed(subject, "N-FRAG", "the start of the connection is not in the capture")
    else:
        yield not_assessed(subject, "N-MED", "no connection of the line was captured while TLS was agreed")


def _sure(state: LineState, connection: MediaConnection) -> Confidence:
    """How sure it is that the octets are what they seem to be."""
    kind = carried_in_clear(connection)
    if kind == "msrp":
        return "proven"
    if kind == "bfcp":
        agreed = {media.confid for media in (state.offered, state.answered) if media is not None} - {None}
        if any(conference_of(message) in agreed for message in connection.messages[:MAX_EVIDENCE]):
            return "proven"
        if agreed:
            return "heuristic"
        if len(connection.messages) > 1 or (connection.begins is not None and connection.begins.whole):
            return "strong"
    return "heuristic"


def _weight(scene: Scene, connection: MediaConnection) -> tuple[Severity | None, str]:
    """What makes clear data less grave than it looks, and how that is said."""
    if scene.capture_point in SECURED_POINTS:
        return (
            Severity.INFO,
            f" It counts as information only: the capture point was declared as {scene.capture_point}.",
        )
    if connection.protection is Protection.EXPORTED:
        return Severity.INFO, " It counts as information only: exported PDUs do not say how they travelled."
    if connection.protection is Protection.OPENED:
        return Severity.MEDIUM, " On the way it was inside ESP that encrypts, which ends elsewhere than the session."
    return None, ""


def _in_clear(trace: Trace, scene: Scene, call: Call, line: MediaLine, clear: list[MediaConnection]) -> Outcome:
    first = clear[0]
    state = state_at(line, clear_since(first))
    confidence = _sure(state, first)
    kind = carried_in_clear(first)
    severity, weighed = _weight(scene, first)
    count = sum(len(each.messages) for each in clear)
    if first.messages:
        frame, what = first.messages[0].frames[0], said(first.messages[0])
    else:
        frame = first.begins.frame if first.begins is not None else first.first.frame
        octets = first.begins.data[:8].hex() if first.begins is not None else ""
        what = f"octets that are no TLS record ({octets})" if kind == "?" else f"{NAMES.get(kind, kind.upper())}"
    name = "Clear data" if kind == "?" else f"Clear {NAMES.get(kind, kind.upper())}"
    agreed = (state.answered or state.offered).transport
    seen = f"{counted(count, 'message')} in clear" if count else "no message of a protocol that is expected"
    return Outcome(
        "violation" if confidence != "heuristic" else "suspect",
        Subject("media", line.id),
        severity=severity,
        confidence=confidence,
        title=f"{name} on a {agreed} line",
        message=(
            f"{name} on {text(state.offered.type)} line {line.index} of {call.id}, agreed as {agreed}: the connection "
            f"from {first.client} to {first.server} carries {what} in {frame_text(trace, frame)}, {seen} on "
            f"{counted(len(clear), 'connection')}. Anyone on the path can read and forge what the line carries."
            f"{weighed} Not seen: a TLS record before it."
        ),
        evidence=(
            *agreement(state),
            *_openings(clear),
            Evidence(frame, "first octets", what, EXPECTED),
        ),
        fact=f"{line.id} clear data",
        media=media_name(state.offered),
        normalised=(f"{name} on {agreed}", EXPECTED),
    )


def _openings(clear: list[MediaConnection]) -> Iterator[Evidence]:
    for each in clear[:MAX_EVIDENCE]:
        if each.opened is not None:
            yield Evidence(each.opened, "TCP SYN", f"{each.client} to {each.server}", "a TLS handshake behind it")

"""IMS-GW-014."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, media_name, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, MediaSample, TlsSession, Trace

PROFILES = ("E2E-SDES", "E2E-KMS", "G3")
ENOUGH = 3  # pairs of packets that decide
REQUIRED = "forwarded unchanged"


@rule(
    id="IMS-GW-014",
    name="e2e-not-transparent",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §4.2.1", "RFC 6714 §6.5"),
    needs=(CALLS,),
)
def e2e_not_transparent(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """End-to-end protected media altered between the two access legs.

    What it checks:
        Lines of a call that is protected end to end and was captured on more than one hop or leg: SRTP packets with one
        SSRC and sequence number must be the same on both sides, and a TLS session must begin with the same ClientHello.
        Kept packets are compared, at least 3 pairs. A focus ends the media: conferences are no object.
    Why it matters:
        A node between that changes the packets has the keys. The users were promised that nobody between them has.
    What the finding shows:
        A packet on both sides, or both ClientHellos.
    How to fix it:
        Let media gateways forward SRTP and TLS as they come, without transcoding. Where protection to the access edge
        is meant, let the P-CSCF say so (a=3ge2ae).
    When it is not assessed:
        N-CORE: media of one side of the path only was captured, or no packets of both sides could be paired.
        IMS-PROF-005: the profile of the call is not determined. N-SIP: signalling that could not be read.
    """
    calls = {call.id: call for call in trace.calls}
    for call in trace.calls:
        if call.conference or scene.covers(call.id, PROFILES) is not True:
            continue
        legs = [call, *(calls[name] for name in call.related if name in calls and name > call.id)]
        by_index: dict[int, list[MediaLine]] = {}
        for leg in legs:
            for line in leg.lines:
                if line.states and line.states[-1].offered.profile.secure:
                    by_index.setdefault(line.index, []).append(line)
        for lines in by_index.values():
            yield from _line(trace, call, lines)


def _line(trace: Trace, call: Call, lines: list[MediaLine]) -> Iterator[Outcome]:
    with_media = [line for line in lines if line.streams or line.tls_sessions]
    if not with_media:
        return
    subject = Subject("media", lines[0].id)
    outcomes = [*_tls(trace, subject, lines), *_srtp(trace, subject, lines)]
    changed = next((each for each in outcomes if each.verdict == "violation"), None)
    if changed is not None:
        yield changed
    elif outcomes:
        yield outcomes[0]
    else:
        reason = "no media of the line could be paired on two sides of the path"
        yield not_assessed(subject, "N-CORE", reason)


# --- TLS ------------------------------------------------------------------------------------------


def _tls(trace: Trace, subject: Subject, lines: list[MediaLine]) -> Iterator[Outcome]:
    sessions: dict[int, TlsSession] = {}
    for line in lines:
        for session in line.tls_sessions:
            if session.client_hellos:
                sessions.setdefault(id(session), session)
    known = list(sessions.values())
    if len(known) < 2 or len({frozenset((each.client, each.server)) for each in known}) < 2:
        return
    first = known[0]
    for other in known[1:]:
        if frozenset((first.client, first.server)) == frozenset((other.client, other.server)):
            continue
        one, two = first.client_hellos[0], other.client_hellos[0]
        if one.random == two.random:
            yield Outcome("pass", subject)
            continue
        yield Outcome(
            "violation",
            subject,
            confidence="strong",
            title="TLS ends between the two sides",
            message=(
                f"The ClientHello of {subject.id} on one side ({first.client} to {first.server}, "
                f"{frame_text(trace, one.frame)}) is not the one on the other ({other.client} to {other.server}, "
                f"{frame_text(trace, two.frame)}). A node between ends the TLS that was agreed end to end, and reads "
                "what it carries. Not seen: a=3ge2ae."
            ),
            evidence=(
                Evidence(one.frame, "ClientHello.random", one.random[:4].hex(), "the same on both sides"),
                Evidence(two.frame, "ClientHello.random", two.random[:4].hex(), "the same on both sides"),
            ),
            role="gateway",
            media=media_name(lines[0].states[-1].offered),
            normalised=("another ClientHello", REQUIRED),
        )


# --- SRTP -----------------------------------------------------------------------------------------


def _srtp(trace: Trace, subject: Subject, lines: list[MediaLine]) -> Iterator[Outcome]:
    by_ssrc: dict[int, list[MediaStream]] = {}
    for line in lines:
        for use in line.streams:
            stream = use.stream
            if isinstance(stream, MediaStream) and stream not in by_ssrc.setdefault(stream.ssrc, []):
                by_ssrc[stream.ssrc].append(stream)
    for streams in by_ssrc.values():
        first = streams[0]
        for other in streams[1:]:
            if other.source == first.source and other.destination == first.destination:
                continue
            if other.source == first.destination and other.destination == first.source:
                continue
            pairs = _pairs(first, other)
            if len(pairs) >= ENOUGH:
                yield _compared(trace, subject, lines, first, other, pairs)


def _pairs(one: MediaStream, other: MediaStream) -> list[tuple[MediaSample, MediaSample]]:
    """Kept packets with one sequence number and timestamp on both sides."""
    known = {(each.sequence, each.timestamp): each for each in one.samples}
    return [
        (known[each.sequence, each.timestamp], each)
        for each in other.samples
        if (each.sequence, each.timestamp) in known
    ]


def _compared(
    trace: Trace, subject: Subject, lines: list[MediaLine], one: MediaStream, other: MediaStream,
    pairs: list[tuple[MediaSample, MediaSample]],
) -> Outcome:  # fmt: skip
    changed = [pair for pair in pairs if pair[0].payload != pair[1].payload or pair[0].length != pair[1].length]
    if len(changed) < ENOUGH:
        return Outcome("pass", subject)
    first, second = changed[0]
    return Outcome(
        "violation",
        subject,
        confidence="strong",
        title="SRTP changes between the two sides",
        message=(
            f"The packets of SSRC 0x{one.ssrc:08x} of {subject.id} from {one.source} to {one.destination} "
            f"({frame_text(trace, first.frame)}, sequence number {first.sequence}) are not those from {other.source} "
            f"to {other.destination} ({frame_text(trace, second.frame)}): {len(changed)} of {len(pairs)} pairs differ. "
            "A node between has the keys that were agreed end to end. Not seen: a=3ge2ae."
        ),
        evidence=(
            Evidence(first.frame, "SRTP packet", f"{first.length} octets", "the same octets on both sides"),
            Evidence(second.frame, "SRTP packet", f"{second.length} octets, others", "the same octets on both sides"),
        ),
        role="gateway",
        media=media_name(lines[0].states[-1].offered),
        normalised=("other SRTP packets", REQUIRED),
    )

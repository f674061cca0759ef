"""IMS-SRTP-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    GRAVITY,
    aead_agreed,
    agreement,
    counted,
    direction,
    frame_text,
    media_name,
    no_description,
    not_assessed,
    protection_agreed,
    sealed,
    text,
)
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import TAG_REMAINDER, secure_lines, unanswered
from imsinspect.trace.model import RtcpSample, RtcpSource
from imsinspect.trace.srtcp import find_layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, SrtcpLayout, StreamUse, Trace


@rule(
    id="IMS-SRTP-003",
    name="srtcp-without-authentication",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=("TS 33.328 §5.2", "RFC 3711 §3.4", "RFC 3711 §9.5", "RFC 4568 §6.3.3"),
)
def srtcp_without_authentication(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTCP without an authentication tag.

    What it checks:
        Where the index word stands in the SRTCP packets of each sender: it grows by one with every packet and is never
        encrypted. If nothing, or nothing but the MKI, stands behind it, and no AEAD tag before it, the packets carry no
        tag. A single packet shows a tag of 80 bits by a length that is no multiple of four. UNAUTHENTICATED_SRTP does
        not excuse this: it switches off the tag of RTP only.
    Why it matters:
        The tag of SRTCP is required whatever is chosen for RTP. Without it a forged BYE ends calls and forged feedback
        degrades them.
    What the finding shows:
        The packets, their overhead over the clear compound, and the suite that was agreed.
    How to fix it:
        Let the sender append the tag of its suite to every SRTCP packet: 80 bits, also with the _32 suites, or 128 bits
        with AES-GCM.
    When it is not assessed:
        N-MED: no RTCP of the line was seen. N-KEY: too few packets to find the index word, or, where the suite is not
        known, nothing that tells an AEAD tag from none. N-OA: the answer was not seen. N-SIP: no session description
        announces the packets, or ESP or TLS that could not be opened may hold the signalling. Plain RTCP is the object
        of IMS-SRTP-002.
    """
    for call, line, states in secure_lines(trace, scene):
        directions: dict[bytes | str, Outcome] = {}
        plain_only = False
        for use in line.rtcp:
            source = use.stream
            if not isinstance(source, RtcpSource):
                continue
            if source.plain == source.packets:
                plain_only = True
                continue
            outcome = _untagged(trace, source, Subject("media", line.id), (call, line, states[-1], use))
            side = use.party or use.sender
            known = directions.get(side)
            if known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]:
                directions[side] = outcome
        yield from directions.values()
        if not directions and not plain_only:
            yield not_assessed(Subject("media", line.id), "N-MED", "no RTCP of the secure line was seen")
    yield from unanswered(trace)
    yield from sealed(trace)
    for source in trace.unbound_rtcp:
        if source.plain == source.packets:
            continue
        if source.layout is None:
            yield no_description(source, "rtcp")
        else:
            yield _untagged(trace, source, Subject("rtcp", source.id), None)


def _untagged(
    trace: Trace, source: RtcpSource, subject: Subject, of: tuple[Call, MediaLine, LineState, StreamUse] | None
) -> Outcome:
    layout = source.layout
    aead = aead_agreed(of[2], of[1]) if of is not None else None
    if layout is not None and aead is False and layout.aead:
        layout = find_layout(source.other_samples, aead=False) or layout
    if layout is None and of is not None and _odd_length(source.other_samples, of[2]):
        return Outcome("pass", subject)
    if layout is None:
        return not_assessed(subject, "N-KEY", "too few SRTCP packets to find the index word without keys")
    if layout.aead and aead is None and find_layout(source.other_samples, aead=False) is not None:
        return not_assessed(subject, "N-KEY", "without the suite an AEAD tag can't be told from no tag at all")
    if layout.aead or layout.tag_octets:
        return Outcome("pass", subject)
    if not _every_packet(source.other_samples, layout):
        return not_assessed(subject, "N-KEY", "not every SRTCP packet has its index word at the same place")
    first, last = source.other_samples[0], source.other_samples[-1]
    observed = f"overhead of {layout.overhead} octets: index word" + (
        f" and MKI of {layout.mki_octets}" if layout.mki_octets else ""
    )
    expected = f"overhead of {layout.overhead + 10} octets or more, with a tag"
    where, role, media, way = f"from {source.source} to {source.destination}", "", "", ""
    evidence: tuple[Evidence, ...] = ()
    if of is not None:
        call, line, state, use = of
        role, media, way = use.sender, media_name(state.offered), direction(use)
        where = (
            f"on secure {text(state.offered.type)} line {line.index} of {call.id}, {way or 'direction unknown'} "
            f"({source.source} to {source.destination})"
        )
        evidence = agreement(state)
    agreed = f"{protection_agreed(of[2])} was agreed" if of is not None else "the signalling was not seen"
    return Outcome(
        "violation",
        subject,
        confidence="strong",
        title="SRTCP without a tag",
        message=(
            f"SRTCP without an authentication tag {where}, SSRC 0x{source.ssrc:08x}, "
            f"{counted(source.packets - source.plain, 'packet')} from {frame_text(trace, first.frame)}: "
            f"{observed}, while {agreed}. Anyone on the path can forge BYE and reports. Not seen: any key; the layout "
            "follows from index words that grow by one."
        ),
        evidence=(
            *evidence,
            Evidence(first.frame, "SRTCP overhead", observed, expected),
            Evidence(last.frame, "SRTCP overhead", observed, expected),
        ),
        role=role,
        media=media,
        direction=way,
        normalised=(observed, expected),
    )


def _odd_length(samples: Iterable[RtcpSample], state: LineState) -> bool:
    """Whether lengths prove a tag of 80 bits: compound and index word are multiples of four (srtp.md 9.1)."""
    keys = {key.mki_length for crypto in (state.answered or state.offered).crypto for key in crypto.keys} or {0}
    return all((sample.length - mki) % 4 == TAG_REMAINDER for sample in samples for mki in keys)


def _every_packet(samples: Iterable[RtcpSample], layout: SrtcpLayout) -> bool:
    """Whether all packets follow one another in the layout, losses and a stray one apart."""
    count = len({sample.data for sample in samples})
    return layout.pairs >= 0.8 * (count - 1)

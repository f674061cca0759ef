"""IMS-SRTP-015."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import ip_address
from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    GRAVITY,
    SECOND,
    counted,
    direction,
    frame_text,
    media_name,
    not_assessed,
    rtp_lines,
    rtp_state,
    secure_rtp,
    text,
)
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import ENOUGH_PACKETS
from imsinspect.rules.srtp.times import share_agreed
from imsinspect.trace.binding import NOWHERE, canonical
from imsinspect.trace.model import MediaStream
from imsinspect.trace.proof_words import AGREED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

    from dissectors.sdp.parse import Media
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, LineState, MediaLine, StreamUse, Trace

TOGETHER = SECOND  # that two sources of one sender overlap at least: a source that moves does not
SHOWN = 4  # signalled addresses that are named


@rule(
    id="IMS-SRTP-015",
    name="media-from-unsignalled-source",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 §6.2.1.1", "TR 33.829 §5.1.2", "RFC 4568 §6.4.1"),
    needs=(MEDIA,),
)
def media_from_unsignalled_source(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Media arrives from an address not in the SDP.

    What it checks:
        Where the RTP or SRTP that arrives at a signalled address comes from, while a line is agreed. The addresses of
        the sending side are those of its c=, a=rtcp and a=candidate lines in all descriptions of the call, and those
        that its SIP came from; ports do not matter. More than 20 packets from any other address are a finding where
        the signalled source sends too, and a suspicion where the signalled address receives media and sends none.
        Media that the agreed key of the sender authenticates is the sender's own, wherever it comes from.
    Why it matters:
        Somebody outside of the call puts media into it, or leads it over a place that signalling does not name. Where
        SRTP carries no tag, or media is in clear, the receiver plays it.
    What the finding shows:
        Offer and answer with the addresses that the sender announced, the first and the last packet from the other
        address, their number and SSRC, and whether the signalled source sends at the same time.
    How to fix it:
        Let the media gateway take media from the signalled addresses only, or bind its source once by SRTP packets
        that authenticate. Announce every address that media is sent from. Find out who owns the address.
    When it is not assessed:
        T-NAT: the announced address is a private one or of the other IP family, or the peer sends back to the address
        that media comes from (symmetric RTP): translation explains it. T-ICE: ICE was agreed, and connectivity checks
        find addresses that no description names. T-CONFSRV: the sender is a conference server, which may send from
        other addresses than it receives on. N-MED: fewer than 20 packets. N-OA: one side's description was not seen,
        or names no address. A capture in front of the translation, or the keys, settle these.
    """
    foci = {leg.call for each in trace.conferences for some in each.participants for leg in some.legs}
    for call, line in rtp_lines(trace):
        states = [state for state in line.states if rtp_state(state)]
        yield from _of_line(trace, call, line, states, call.id in foci)
    for call in trace.calls:
        for line in call.lines:
            unanswered = all(state.answered is None and not state.negotiation.rejected for state in line.states)
            if line.streams and line.states and unanswered:
                subject = Subject("media", line.id)
                yield not_assessed(subject, "N-OA", "one side's description was not seen, or names no address")


def _of_line(trace: Trace, call: Call, line: MediaLine, states: list[LineState], focus: bool) -> Iterator[Outcome]:
    """One outcome for each direction: the gravest of its streams."""
    subject = Subject("media", line.id)
    directions: dict[bytes | str, Outcome] = {}
    announced: dict[bytes, set[str]] | None = None
    for use in line.streams:
        stream = use.stream
        side = use.party or use.sender
        if not isinstance(stream, MediaStream):
            continue
        if share_agreed(stream.first.time, stream.last.time, states) == 0:
            continue  # early media of a branch that did not answer
        if use.because == "source" or _usual(use, stream, states):
            outcome = Outcome("pass", subject)
        else:
            announced = announced if announced is not None else _announced(call)
            outcome = _elsewhere(trace, call, line, states, use, stream, announced, focus)
        before = directions.get(side)
        if before is None or GRAVITY[outcome.verdict] > GRAVITY[before.verdict]:
            directions[side] = outcome
    yield from directions.values()
    if not directions:
        yield not_assessed(subject, "N-MED", "fewer than 20 packets of the line were seen")


def _usual(use: StreamUse, stream: MediaStream, states: list[LineState]) -> bool:
    """The source is the address of the sender's c= line."""
    for state in states:
        offers = state.negotiation.offerer_tag == use.party
        media = state.offered if offers else state.answered
        if media is not None and canonical(media.connection) == stream.source.ip:
            return True
    return False


def _elsewhere(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], use: StreamUse, stream: MediaStream,
    announced: dict[bytes, set[str]], focus: bool,
) -> Outcome:  # fmt: skip
    """The outcome for a stream from another address than the usual one."""
    subject = Subject("media", line.id)
    tags = {tag for state in states for tag in (state.negotiation.offerer_tag, state.negotiation.answerer_tag)}
    # All but the receiver: of a forked call any branch may send.
    others = [addresses for tag, addresses in announced.items() if tag == use.party or tag not in tags]
    signalled = set[str]().union(*others)
    if stream.source.ip in signalled | _signalling(call, use.party):
        return Outcome("pass", subject)
    if not announced.get(use.party):
        return not_assessed(subject, "N-OA", "one side's description was not seen, or names no address")
    return _unsignalled(trace, call, line, states, use, stream, signalled, focus)


def _announced(call: Call) -> dict[bytes, set[str]]:
    """Addresses that each party announced in any description of the call, by its dialog tag."""
    out: defaultdict[bytes, set[str]] = defaultdict(set)
    for other in call.lines:
        for state in other.states:
            negotiation = state.negotiation
            out[negotiation.offerer_tag] |= _addresses(state.offered)
            if state.answered is not None:
                out[negotiation.answerer_tag] |= _addresses(state.answered)
    return out


def _addresses(media: Media) -> set[str]:
    found = {canonical(media.connection)}
    if b"\na=rtcp:" in media.section.text and media.rtcp is not None and media.rtcp[1]:
        found.add(canonical(media.rtcp[1]))
    if b"\na=candidate:" in media.section.text:
        found |= {canonical(each.address) for each in media.candidates}
    return found - NOWHERE


def _signalling(call: Call, party: bytes) -> set[str]:
    """Addresses that a party's SIP came from."""
    return {
        message.source.ip
        for message in call.messages
        if party and party == (message.sip.from_tag if message.sip.method else message.sip.to_tag)
    }


def _unsignalled(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], use: StreamUse, stream: MediaStream,
    signalled: set[str], focus: bool,
) -> Outcome:  # fmt: skip
    subject = Subject("media", line.id)
    proof = stream.proof
    if proof is not None and any(each.relation == AGREED for each in proof.uses) and not proof.failed:
        return Outcome("pass", subject)  # only who was given the key can send it
    packets = round(stream.packets * share_agreed(stream.first.time, stream.last.time, states))
    if packets <= ENOUGH_PACKETS:
        return not_assessed(subject, "N-MED", "fewer than 20 packets of the line were seen")
    if any(_ice(media) for state in states for media in (state.offered, state.answered) if media is not None):
        return not_assessed(subject, "T-ICE", "ICE was agreed: its checks find addresses that no description names")
    others = [each.stream for each in line.streams if isinstance(each.stream, MediaStream) and each is not use]
    beside = [each for each in others if each.source.ip in signalled and _together(each, stream) > TOGETHER]
    answered = any((each.source, each.destination) == (stream.destination, stream.source) for each in others)
    if not beside and (answered or _translated(stream, signalled)):
        return not_assessed(subject, "T-NAT", "address translation between the description and the packets explains it")
    if focus:
        return not_assessed(
            subject, "T-CONFSRV", "a conference server may send from other addresses than it receives on"
        )
    received = any(each.destination.ip in signalled for each in others)
    if not beside and not received:
        return not_assessed(subject, "T-NAT", "address translation between the description and the packets explains it")
    return _found(trace, call, line, states, use, stream, signalled, beside[:1], packets)


def _together(one: MediaStream, other: MediaStream) -> int:
    """Nanoseconds in which both send."""
    return min(one.last.time, other.last.time) - max(one.first.time, other.first.time)


def _ice(media: Media) -> bool:
    return b"\na=candidate:" in media.section.text or media.ice


def _translated(stream: MediaStream, signalled: set[str]) -> bool:
    """The announced addresses are private ones while the packets' is not, or of another IP family."""
    source = ip_address(stream.source.ip)
    known = [address for each in signalled if (address := _address(each)) is not None]
    return all(each.version != source.version or (not each.is_global and source.is_global) for each in known)


def _address(words: str) -> IPv4Address | IPv6Address | None:
    """An address of a description; None for what only looks like one."""
    try:
        return ip_address(words)
    except ValueError:
        return None


def _found(
    trace: Trace, call: Call, line: MediaLine, states: list[LineState], use: StreamUse, stream: MediaStream,
    signalled: set[str], beside: list[MediaStream], packets: int,
) -> Outcome:  # fmt: skip
    state = next((each for each in reversed(states) if each.begins <= stream.last.time), states[0])
    negotiation = state.negotiation
    names = ", ".join(sorted(signalled)[:SHOWN])
    where = f"SDP addresses of m= line {line.index}"
    offers = use.sender == "offerer"
    frames = [negotiation.offer.message.frame] if offers else []
    if not offers and negotiation.answer is not None:
        frames = [negotiation.answer.message.frame]
    way = direction(use)
    parallel = (
        f"while {beside[0].source} sends too"
        if beside
        else "while the signalled address receives media and sends none, so that an asymmetric gateway may stand "
        "behind it (ambiguous)"
    )
    secured = "; receivers drop what does not authenticate" if secure_rtp(state) else ", and nothing authenticates it"
    observed = f"{packets} packets from {stream.source}, SSRC 0x{stream.ssrc:08x}"
    return Outcome(
        "violation" if beside else "suspect",
        Subject("media", line.id),
        confidence="strong" if beside else "heuristic",
        title="Media from an address that no description names",
        message=(
            f"{counted(packets, 'packet')} from {stream.source} to {stream.destination} on "
            f"{text(state.offered.type)} line {line.index} of {call.id}, {way or 'direction unknown'}, SSRC "
            f"0x{stream.ssrc:08x}, from {frame_text(trace, stream.first.frame)} on, {parallel}; the sender announced "
            f"{names}, and its SIP did not come from there either. Somebody puts media into the call or leads it over "
            f"another place{secured}. Not seen: address translation or ICE that explains it, or a key that verifies it."
        ),
        evidence=(
            *(Evidence(frame, where, names, "the addresses that media comes from") for frame in frames),
            Evidence(stream.first.frame, "IP source", observed, f"a signalled address ({names})"),
            Evidence(stream.last.frame, "IP source", observed, f"a signalled address ({names})"),
            *(
                Evidence(each.first.frame, "IP source", f"{each.source}, signalled", "the only source")
                for each in beside
            ),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        fact=stream.id,
        normalised=(
            "a source beside the signalled one" if beside else "a source instead of the signalled one",
            "signalled addresses",
        ),
    )

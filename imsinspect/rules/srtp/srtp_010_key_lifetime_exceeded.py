"""IMS-SRTP-010."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imsinspect.rules.facts import counted, frame_text, not_assessed, suite_name
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import once, rule
from imsinspect.rules.srtp.selection import sdes_lines, unanswered_offers
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.crypto import Crypto, InlineKey
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.selection import SdesLine, Selected
    from imsinspect.trace.model import KeyUse, RtcpSource, StreamUse, Trace

SRTP, SRTCP = "SRTP", "SRTCP"
HALF = 1 << 15  # sequence numbers
NEARLY_ALL = 0.9  # of the packets of a stream: those whose tags were checked
SHOWN = 8  # hex digits of a digest that name a key
INVALID = ("zero lifetime", "lifetime above")


class _Limited(NamedTuple):
    """A key with a lifetime that a party signalled for what it sends."""

    selected: Selected
    party: bytes
    role: str
    frame: FrameId
    line: Crypto
    key: InlineKey


class _Used(NamedTuple):
    """Packets of one kind that a key protects, all SSRCs together."""

    kind: str
    packets: int
    proven: bool
    first: FrameId
    last: FrameId


@rule(
    id="IMS-SRTP-010",
    name="key-lifetime-exceeded",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("RFC 4568 §6.1", "RFC 4568 §6.4.2", "RFC 3711 §9.2"),
    needs=(CALLS,),
)
def key_lifetime_exceeded(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Master key used beyond its lifetime.

    What it checks:
        Keys of selected a=crypto lines with a lifetime: the packets that verify with one, those of SRTP and those of
        SRTCP for themselves and all SSRCs together, must not be more. Replays and second sightings of a packet are not
        counted. Where tags were not checked all packets that the key's owner sent on the line are counted, as long as
        it had no other key. A lifetime of zero or above that of the suite makes a line invalid and is a finding of
        severity low.
    Why it matters:
        The parties agreed to replace the key before that many packets. One that is used on weakens the keystream's
        margin, and shows that the re-keying that the policy asks for does not happen.
    What the finding shows:
        The line with the lifetime, the key by the first 8 hex digits of its SHA-256, how many packets it protects, and
        the first and the last of them.
    How to fix it:
        Offer new keys before the lifetime ends, or signal the lifetime that is meant, at most 2^48.
    When it is not assessed:
        T-MID: the capture begins inside the call, so that what was sent before is not counted. N-MED: the owner of the
        key sent nothing in the capture. N-OA: the answer to an offer with a lifetime was not seen. N-SIP: ESP or TLS
        that could not be opened may hold the signalling, or there is no SIP beside media. N-FRAG: signalling that was
        cut. Lines without a lifetime are not concerned.
    """
    for each in sdes_lines(trace, scene):
        invalid = next((found for found in map(_invalid, each.selected) if found is not None), None)
        if invalid is not None:
            yield _invalid_line(trace, each, *invalid)
        for limited in _limited(each):
            yield _assess(trace, scene, each, limited)
    yield from unanswered_offers(trace, lambda line: any(key.lifetime is not None for key in line.keys))


# --- what is signalled ----------------------------------------------------------------------------


def _sides(selected: Selected) -> Iterator[tuple[bytes, str, FrameId, Crypto]]:
    negotiation = selected.state.negotiation
    if selected.offered is not None:
        yield negotiation.offerer_tag, "offerer", selected.offer_frame, selected.offered
    yield negotiation.answerer_tag, "answerer", selected.answer_frame, selected.answered


def _invalid(selected: Selected) -> tuple[str, FrameId, Crypto] | None:
    for _, role, frame, line in _sides(selected):
        if line.error.startswith(INVALID):
            return role, frame, line
    return None


def _limited(each: SdesLine) -> list[_Limited]:
    """Keys with lifetimes, each once, whichever negotiations carried it."""
    out: dict[tuple[bytes, bytes], _Limited] = {}
    for selected in each.selected:
        for party, role, frame, line in _sides(selected):
            for key in line.keys:
                if key.lifetime is not None and not line.error.startswith(INVALID):
                    out.setdefault((party, key.key_salt), _Limited(selected, party, role, frame, line, key))
    return list(out.values())


def _lifetime(key: InlineKey) -> str:
    count = key.lifetime or 0
    power = count.bit_length() - 1
    return f"2^{power}" if count == 1 << power and power > 5 else str(count)


def _invalid_line(trace: Trace, each: SdesLine, role: str, frame: FrameId, line: Crypto) -> Outcome:
    suite = line.crypto_suite
    most = f"1 to 2^{(suite.srtp_lifetime if suite is not None else 1 << 48).bit_length() - 1} packets"
    return Outcome(
        "violation",
        each.subject,
        severity=Severity.LOW,
        title="a=crypto with a lifetime that is not allowed",
        message=(
            f"The {role}'s a=crypto line {line.tag} {suite_name(line)} for {each.place} in {frame_text(trace, frame)} "
            f"has a {line.error}. The line is invalid and was used all the same: when its key is replaced is not "
            "agreed. Not counted: the packets under it."
        ),
        evidence=(Evidence(frame, f"SDP a=crypto:{line.tag}, m= line {each.line.index}", line.error, most),),
        role=role,
        media=each.media,
        normalised=(line.error, most),
    )


# --- what is used ---------------------------------------------------------------------------------


@once
def _uses(trace: Trace, scene: Scene) -> dict[str, list[tuple[MediaStream | RtcpSource, KeyUse]]]:
    """Runs of packets by the first digits of the key that they verify with."""
    out: dict[str, list[tuple[MediaStream | RtcpSource, KeyUse]]] = {}
    everyone: tuple[MediaStream | RtcpSource, ...] = (*trace.streams, *trace.rtcp_sources)
    for stream in everyone:
        for use in stream.proof.uses if stream.proof is not None else ():
            out.setdefault(use.key[:SHOWN], []).append((stream, use))
    return out


def _assess(trace: Trace, scene: Scene, each: SdesLine, limited: _Limited) -> Outcome:
    lifetime = limited.key.lifetime or 0
    used = _proven(trace, scene, limited.key)
    exceeded = next((one for one in used if one.packets > lifetime), None)
    owned = _sent(each, limited)
    counted_all = _all_packets(each, limited, owned) if exceeded is None else None
    if counted_all is not None and counted_all.packets > lifetime:
        exceeded = counted_all
    if exceeded is not None:
        return _exceeded(trace, each, limited, exceeded, owned)
    if not used and not owned:
        return not_assessed(each.subject, "N-MED", "the owner of the key sent no media in the capture")
    if _begins_inside(each):
        return not_assessed(each.subject, "T-MID", "the capture begins inside the call: earlier packets do not count")
    return Outcome("pass", each.subject)


def _proven(trace: Trace, scene: Scene, key: InlineKey) -> list[_Used]:
    """Packets that verify with a key, of SRTP and of SRTCP."""
    sources: dict[str, dict[int, list[tuple[MediaStream | RtcpSource, KeyUse]]]] = {}
    for stream, use in _uses(trace, scene).get(key.digest, ()):
        kind = SRTP if isinstance(stream, MediaStream) else SRTCP
        sources.setdefault(kind, {}).setdefault(stream.ssrc, []).append((stream, use))
    out = []
    for kind, by_ssrc in sources.items():
        uses = [use for found in by_ssrc.values() for _, use in found]
        packets = sum(_protected(found) for found in by_ssrc.values())
        out.append(_Used(kind, packets, True, min(use.first for use in uses), max(use.last for use in uses)))
    return out


def _protected(found: list[tuple[MediaStream | RtcpSource, KeyUse]]) -> int:
    """Packets of one source. Streams of one SSRC may be the same packets on both sides of a relay."""
    by_stream: dict[str, int] = {}
    for stream, use in found:
        replayed = stream.proof.replayed if stream.proof is not None else 0
        by_stream[stream.id] = by_stream.get(stream.id, -replayed) + use.packets
    span = max(use.last_index for _, use in found) - min(use.first_index for _, use in found) + 1
    return max(min(sum(by_stream.values()), span), max(by_stream.values()))


def _sent(each: SdesLine, limited: _Limited) -> list[StreamUse]:
    """Protected media that the owner of a key sent on its line."""
    return [
        use
        for use in each.line.streams
        if use.party == limited.party and isinstance(use.stream, MediaStream) and use.stream.kind != "rtp"
    ]


def _all_packets(each: SdesLine, limited: _Limited, owned: list[StreamUse]) -> _Used | None:
    """All packets of the owner where tags were not checked, it had one key only, and nothing is protected otherwise."""
    keys = {
        key.key_salt
        for selected in each.selected
        for party, _, _, line in _sides(selected)
        for key in line.keys
        if party == limited.party
    }
    streams = [use.stream for use in owned]
    proofs = [(stream, stream.proof) for stream in streams]
    unsure = any(proof is None or proof.packets < NEARLY_ALL * stream.packets for stream, proof in proofs)
    if len(keys) > 1 or not unsure or any(proof is not None and proof.failed for _, proof in proofs):
        return None
    by_ssrc: dict[int, int] = {}  # streams of one SSRC may be the same packets on both sides of a relay
    for stream in streams:
        by_ssrc[stream.ssrc] = max(by_ssrc.get(stream.ssrc, 0), stream.packets)
    first, last = min(stream.first.frame for stream in streams), max(stream.last.frame for stream in streams)
    return _Used(SRTP, sum(by_ssrc.values()), False, first, last)


def _begins_inside(each: SdesLine) -> bool:
    """The INVITE that began the call is not in the capture."""
    return not any(message.sip.method == b"INVITE" and not message.sip.to_tag for message in each.call.messages[:8])


def _beyond(owned: list[StreamUse], used: _Used, lifetime: int) -> FrameId | None:
    """The first kept packet that is beyond a lifetime, where one stream uses the key up."""
    streams = [use.stream for use in owned if isinstance(use.stream, MediaStream)]
    if used.kind != SRTP or len(streams) != 1:
        return None
    sequence = distance = None
    for sample in streams[0].samples:
        if sample.frame < used.first:
            continue
        distance = 0 if distance is None or sequence is None else distance + _signed(sample.sequence - sequence)
        sequence = sample.sequence
        if distance >= lifetime:
            return sample.frame
    return None


def _signed(step: int) -> int:
    return (step + HALF) % (2 * HALF) - HALF


def _exceeded(trace: Trace, each: SdesLine, limited: _Limited, used: _Used, owned: list[StreamUse]) -> Outcome:
    allowed = _lifetime(limited.key)
    key = f"key:{limited.key.digest}"
    expected = f"at most {allowed} packets under one key"
    beyond = _beyond(owned, used, limited.key.lifetime or 0)
    told = (
        "Proven by tags that verify."
        if used.proven
        else "The tags were not checked: all packets of the key's owner are counted."
    )
    return Outcome(
        "violation",
        each.subject,
        confidence="proven" if used.proven else "strong",
        title=f"Master key used for {used.packets} packets, {allowed} agreed",
        message=(
            f"{counted(used.packets, f'{used.kind} packet')} are protected with {key}, for which the {limited.role} "
            f"signalled a lifetime of {allowed} in {frame_text(trace, limited.frame)} ({each.place}), from "
            f"{frame_text(trace, used.first)} to {frame_text(trace, used.last)}. The key should have been replaced "
            f"{used.packets - (limited.key.lifetime or 0)} packets earlier. {told} No re-keying was seen before."
        ),
        evidence=(
            Evidence(
                limited.frame,
                f"SDP a=crypto:{limited.line.tag}, m= line {each.line.index}",
                f"{suite_name(limited.line)} {key}, lifetime {allowed}",
                "kept to",
            ),
            Evidence(used.first, f"{used.kind} packet", f"the first under {key}", expected),
            *(
                [Evidence(beyond, f"{used.kind} packet", "beyond the lifetime by its sequence number", expected)]
                if beyond is not None
                else []
            ),
            Evidence(used.last, f"{used.kind} packet", f"packet {used.packets} under {key}", expected),
        ),
        role=limited.role,
        media=each.media,
        normalised=(f"more {used.kind} packets than the lifetime of {allowed}", "a new key before the lifetime ends"),
    )

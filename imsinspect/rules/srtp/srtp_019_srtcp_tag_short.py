"""IMS-SRTP-019."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.sdp.suites import DTLS_SRTP_PROFILES
from imsinspect.rules.facts import GRAVITY, agreement, counted, direction, frame_text, media_name, not_assessed, text
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.srtp.lines import secure_lines, unanswered
from imsinspect.rules.srtp.mikey_lines import mikey_lines
from imsinspect.trace.model import RtcpSource
from imsinspect.trace.proof_words import TAG_CUT, TAG_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.suites import CryptoSuite
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.rules.srtp.mikey_lines import MikeyLine
    from imsinspect.trace.model import Call, LineState, MediaLine, StreamUse, Trace

SHORT = 4  # octets: the tag of RTP under the _32 suites
FULL = 10  # octets: the tag of RTCP under all suites with HMAC-SHA1


class _Agreed(NamedTuple):
    """What was agreed for the RTCP of a line."""

    name: str
    tag_octets: int
    aead: bool


@rule(
    id="IMS-SRTP-019",
    name="srtcp-tag-short",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 §5.2", "RFC 4568 §6.2", "RFC 3711 §5.2"),
    needs=(MEDIA,),
)
def srtcp_tag_short(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SRTCP tag shorter than the suite prescribes.

    What it checks:
        The authentication tags of SRTCP on lines whose suite prescribes 80 bits, which all suites with HMAC-SHA1 do,
        those with a 32-bit tag for RTP too. With keys: packets that verify with a tag of 32 bits only. Without: the
        index word, which is never encrypted and grows from packet to packet, shows how many octets stand behind it;
        an MKI, which does not change, is told from a tag.
    Why it matters:
        Who forges a BYE or a report has to try 2^32 times instead of 2^80, and every packet is a try.
    What the finding shows:
        Offer and answer with the suite, the first and last SRTCP packets, and the octets behind their index word.
    How to fix it:
        Let the sender append 80-bit tags to RTCP whatever the suite says of RTP (RFC 4568 §6.2).
    When it is not assessed:
        N-KEY: neither keys nor index words show the tag, or the suite is not known; bring a key file or more of the
        capture. N-MED: no SRTCP of the line was seen. N-OA: the answer was not seen. SRTCP that has no tag at all
        is the object of IMS-SRTP-003.
    """
    mikey = {each.line.id: each for each in mikey_lines(trace, scene)}
    for call, line, states in secure_lines(trace, scene):
        directions: dict[bytes | str, Outcome] = {}
        untagged = False
        for use in line.rtcp:
            source = use.stream
            if not isinstance(source, RtcpSource) or source.plain == source.packets:
                continue
            if _untagged(source):
                untagged = True
                continue
            state = next((each for each in reversed(states) if each.begins <= source.first.time), states[0])
            outcome = _of_source(trace, call, line, state, use, source, _agreed(state, line, mikey.get(line.id)))
            side = use.party or use.sender
            known = directions.get(side)
            if known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]:
                directions[side] = outcome
        yield from directions.values()
        if not directions and not untagged:
            yield not_assessed(Subject("media", line.id), "N-MED", "no SRTCP of the line was seen")
    yield from unanswered(trace)


def _untagged(source: RtcpSource) -> bool:
    """No tag at all, as IMS-SRTP-003 says."""
    if source.proof is not None and source.proof.diagnosis == TAG_CUT:
        return True
    return source.layout is not None and not source.layout.tag_octets


def _of_source(
    trace: Trace, call: Call, line: MediaLine, state: LineState, use: StreamUse, source: RtcpSource,
    agreed: _Agreed | None,
) -> Outcome:  # fmt: skip
    subject = Subject("media", line.id)
    proof, layout = source.proof, source.layout
    short = proof.diagnoses.get(TAG_LENGTH, 0) if proof is not None else 0
    if proof is not None and short:
        frames = [each.frame for each in proof.failures if each.diagnosis == TAG_LENGTH]
        first = frames[0] if frames else proof.first_failed or source.first.frame
        last = frames[-1] if len(frames) == short else proof.last_failed or first
        return _found(trace, call, line, state, use, (first, last), short, agreed, "proven")
    if proof is not None and proof.verified:
        return Outcome("pass", subject)
    if layout is None or agreed is None:
        return not_assessed(subject, "N-KEY", "neither keys nor index words show the tag, or the suite is not known")
    if agreed.aead or layout.aead or layout.tag_octets >= agreed.tag_octets:
        return Outcome("pass", subject)
    if layout.tag_octets != SHORT or agreed.tag_octets != FULL:
        return not_assessed(subject, "N-KEY", "neither keys nor index words show the tag, or the suite is not known")
    frames = [each.frame for each in source.other_samples] or [source.first.frame]
    packets = source.packets - source.plain
    return _found(trace, call, line, state, use, (frames[0], frames[-1]), packets, agreed, "strong")


def _agreed(state: LineState, line: MediaLine, mikey: MikeyLine | None) -> _Agreed | None:
    """The protection that was agreed by an a=crypto line, by MIKEY or by a DTLS handshake."""
    crypto = state.answered.crypto if state.answered is not None else ()
    if crypto:
        return _of_suite(crypto[0].crypto_suite)
    if mikey is not None:
        tags = {(str(each.suite or each), each.srtcp_tag_length, each.aead) for each in mikey.policies}
        return _Agreed(*tags.pop()) if len(tags) == 1 else None
    chosen = [hello.use_srtp[0] for session in line.tls_sessions for hello in session.server_hellos if hello.use_srtp]
    return _of_suite(DTLS_SRTP_PROFILES.get(chosen[-1])) if chosen else None


def _of_suite(suite: CryptoSuite | None) -> _Agreed | None:
    return _Agreed(suite.name, suite.srtcp_tag, suite.aead) if suite is not None else None


def _found(
    trace: Trace, call: Call, line: MediaLine, state: LineState, use: StreamUse, frames: tuple[FrameId, FrameId],
    packets: int, agreed: _Agreed | None, confidence: str,
) -> Outcome:  # fmt: skip
    way, source = direction(use), use.stream
    name = agreed.name if agreed is not None else state.offered.transport
    observed, expected = f"tag of {8 * SHORT} bits", f"tag of {8 * FULL} bits"
    told = "they verify with it and with no other" if confidence == "proven" else "told by the index words before it"
    first, last = frames
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="proven" if confidence == "proven" else "strong",
        title=f"SRTCP with 32-bit tags under {name}",
        message=(
            f"{counted(packets, 'SRTCP packet')} on {text(state.offered.type)} line {line.index} of {call.id}, "
            f"{way or 'direction unknown'} ({source.source} to {source.destination}), SSRC 0x{source.ssrc:08x}, from "
            f"{frame_text(trace, first)} on carry a tag of 32 bits where {name} prescribes 80; {told}. Forging a BYE "
            "or a report takes 2^32 tries instead of 2^80. Not seen: an agreement on a shorter tag, which SDP has no "
            "words for."
        ),
        evidence=(
            *agreement(state),
            Evidence(first, "SRTCP tag", observed, expected),
            Evidence(last, "SRTCP tag", observed, expected),
        ),
        role=use.sender,
        media=media_name(state.offered),
        direction=way,
        normalised=(observed, expected),
    )

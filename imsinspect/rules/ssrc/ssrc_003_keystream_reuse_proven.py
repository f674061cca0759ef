"""IMS-SSRC-003."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, counted, frame_text, not_assessed, rtp_lines
from imsinspect.rules.needs import MEDIA
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import once, rule
from imsinspect.rules.ssrc.keys import key_name, media_of_senders, reuse_fact
from imsinspect.trace.model import (
    ADDRESS_CHANGED,
    BOTH_DIRECTIONS,
    BUNDLED_LINES,
    CALLS,
    LINES,
    RtcpSource,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import KeystreamReuse, MediaLine, MediaSample, MediaStream, Trace

KEYING = re.compile(rb"\na=(?:crypto|key-mgmt|fingerprint|zrtp-hash|acap|pcfg|tcap)[: ]")
NEARLY_ALL = 0.9  # of a sender's packets: those whose tags must have been checked
CAUSES = {
    BOTH_DIRECTIONS: "The key stands in offer and answer.",
    LINES: "The key stands on several lines.",
    BUNDLED_LINES: "The key stands on several lines of a bundle.",
    CALLS: "The key stands in several calls.",
    ADDRESS_CHANGED: "The key was kept when the media moved to another address.",
}


@rule(
    id="IMS-SSRC-003",
    name="keystream-reuse-proven",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=("TR 33.829 §5.1.3", "TR 33.829 §5.3.2", "RFC 3711 §9.1", "RFC 3711 §9.2", "RFC 4568 §8.2"),
    follows=("IMS-SRTP-012",),
    needs=(MEDIA,),
)
def keystream_reuse_proven(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Same key, SSRC and packet index protect different plaintexts.

    What it checks:
        Every packet of SRTP and SRTCP that verifies with a key of the signalling or of the key file, in all captures.
        Two packets were encrypted with one keystream where master key, salt, SSRC and index are equal and their
        ciphertexts differ. The index counts rollovers: it follows the packets that verify.
    Why it matters:
        The exclusive-or of two such packets is that of their contents. Speech and video have enough known structure
        to tell both apart, without any key. With AES-GCM packets can be forged as well.
    What the finding shows:
        The key's digest, the SSRC and the index; both frames of the first pair and of pairs of other streams; how many
        pairs there are; and, where the packets are kept, how many octets of the ciphertexts differ.
    How to fix it:
        Take a new master key whenever a sender's sequence numbers begin anew, its address changes or its rollover
        counter is set back. Give each direction, line and participant a key of its own, and each source of one key an
        SSRC of its own.
    When it is not assessed:
        N-KEY: no key at hand verifies the packets, they have no tags to verify, or indices were not compared
        (--verify sample or none, or too many packets). Readable signalling, a key file, or the key log of DTLS would
        settle it. N-MED: a line of SRTP has no media in the capture. N-SIP: ESP or TLS that could not be opened may
        hold the keys. The same packet seen again, octet by octet, is a replay or a second sighting and no reuse;
        packets in clear use no keystream.
    """
    keystreams: defaultdict[tuple[str, int, bool], list[KeystreamReuse]] = defaultdict(list)
    for reuse in trace.keystream_reuse:
        keystreams[reuse.key, reuse.ssrc, reuse.rtcp].append(reuse)
    guilty: set[str] = set()
    for reuses in keystreams.values():
        guilty |= {name for each in reuses for name in (each.first_stream, each.second_stream)}
        yield _reused(trace, scene, reuses)
    clear = _agreed_in_clear(trace)
    senders: list[MediaStream | RtcpSource] = [*trace.streams, *trace.rtcp_sources]
    for each in senders:
        if each.id not in guilty and each.id not in clear:
            yield from _innocent(trace, each)
    for _, line in rtp_lines(trace):
        if not line.streams and not line.rtcp and _may_protect(line):
            yield not_assessed(Subject("media", line.id), "N-MED", "no media packets of the line were seen")


def _reused(trace: Trace, scene: Scene, reuses: list[KeystreamReuse]) -> Outcome:
    first = reuses[0]
    pairs = sum(each.packets for each in reuses)
    kind = "SRTCP" if first.rtcp else "SRTP"
    key = key_name(first.key)
    same = first.first_stream == first.second_stream
    streams = list(dict.fromkeys(name for each in reuses for name in (each.first_stream, each.second_stream)))
    where = "one sender" if same and len(streams) == 1 else " and ".join(streams[:4])
    more = f" and {len(streams) - 4} more" if len(streams) > 4 else ""
    repeats = {repeat.kind for repeat in trace.key_repeats if repeat.key == first.key}
    cause = next((f" {text}" for name, text in CAUSES.items() if name in repeats), "")
    return Outcome(
        "violation",
        Subject("rtcp" if first.rtcp else "stream", first.second_stream),
        title=f"Keystream of {kind} used twice",
        message=(
            f"{kind} packets in {frame_text(trace, first.first)} and {frame_text(trace, first.second)} are encrypted "
            f"under {key} with SSRC 0x{first.ssrc:08x} and index {first.index} both, and hold different ciphertext; "
            f"{counted(pairs, 'pair')} of {where}{more}.{_differing(trace, scene, first)} Whoever has both cancels the "
            f"keystream out and is left with both contents.{cause} Proven by tags that verify with the key; the "
            "contents were not compared."
        ),
        evidence=tuple(
            Evidence(
                frame,
                f"{kind} index",
                f"{key}, SSRC 0x{each.ssrc:08x}, index {each.index}, {stream}",
                "an index that is used once under its key",
            )
            for each in reuses[: MAX_EVIDENCE // 2]
            for frame, stream in ((each.first, each.first_stream), (each.second, each.second_stream))
        ),
        media=media_of_senders(trace, scene, streams),
        direction="one sender" if same else "two senders",
        fact=reuse_fact(first),
        normalised=(f"{kind} index used twice under one key", "an index that is used once under its key"),
    )


@once
def _samples(trace: Trace, scene: Scene) -> dict[int, MediaSample]:
    """Kept packets of streams that share a keystream with others, by frame."""
    wanted = {name for each in trace.keystream_reuse for name in (each.first_stream, each.second_stream)}
    return {sample.frame: sample for stream in trace.streams if stream.id in wanted for sample in stream.samples}


def _differing(trace: Trace, scene: Scene, reuse: KeystreamReuse) -> str:
    """How much of the ciphertexts differs, where both packets were kept."""
    known = _samples(trace, scene)
    one, other = known.get(reuse.first), known.get(reuse.second)
    if one is None or other is None or reuse.rtcp:
        return ""
    compared = list(zip(one.payload, other.payload, strict=False))
    differing = sum(first != second for first, second in compared)
    return f" {differing} of the first {len(compared)} octets of their payloads differ."


def _may_protect(line: MediaLine) -> bool:
    """Whether the descriptions of a line say anything of SRTP, or of keys for it."""
    sides = [media for state in line.states for media in (state.offered, state.answered) if media is not None]
    return any(
        media.profile.secure or KEYING.search(media.section.text) or KEYING.search(media.session.text)
        for media in sides
    )


def _shown_protected(sender: MediaStream | RtcpSource) -> bool:
    if sender.proof is not None and sender.proof.uses:
        return True
    return sender.layout is not None if isinstance(sender, RtcpSource) else sender.kind == "srtp"


def _agreed_in_clear(trace: Trace) -> set[str]:
    """Ids of the senders that only lines without SRTP announce, and of which nothing shows that they are protected."""
    lines: defaultdict[str, list[MediaLine]] = defaultdict(list)
    for call in trace.calls:
        for line in call.lines:
            for use in (*line.streams, *line.rtcp):
                if not _shown_protected(use.stream):
                    lines[use.stream.id].append(line)
    protecting: dict[int, bool] = {}
    out: set[str] = set()
    for name, found in lines.items():
        for line in found:
            if id(line) not in protecting:
                protecting[id(line)] = _may_protect(line)
        if not any(protecting[id(line)] for line in found):
            out.add(name)
    return out


def _innocent(trace: Trace, sender: MediaStream | RtcpSource) -> Iterator[Outcome]:
    """The outcome for a sender of which no index came twice."""
    if isinstance(sender, RtcpSource):
        subject, protected = Subject("rtcp", sender.id), sender.plain < sender.packets
    else:
        subject, protected = Subject("stream", sender.id), sender.kind != "rtp"
    proof = sender.proof
    if not protected:
        return
    if proof is not None and not proof.uses and proof.unchecked and not proof.failed:
        yield not_assessed(subject, "N-KEY", "packets without tags, and packets that were cut, can not be verified")
    elif proof is None or not proof.uses:
        yield not_assessed(subject, "N-KEY", "no key at hand verifies the packets")
    elif not trace.indices_compared or proof.packets < NEARLY_ALL * sender.packets:
        yield not_assessed(subject, "N-KEY", "not all packets were verified and their indices compared")
    else:
        yield Outcome("pass", subject)

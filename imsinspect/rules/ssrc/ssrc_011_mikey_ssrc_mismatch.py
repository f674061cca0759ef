"""IMS-SSRC-011."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.mikey.codes import GENERIC_ID, SRTP
from imsinspect.rules.facts import counted, direction, frame_text, media_name, not_assessed, rtp_state, text
from imsinspect.rules.needs import MIKEY
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.trace.mikey_model import TRANSFER_INIT, TRANSFER_RESP
from imsinspect.trace.model import MediaStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, MikeyMessage, StreamUse, Trace

PROFILES = ("E2E-KMS", "G3", "TR-KMS")
TRANSFER = frozenset((TRANSFER_INIT, TRANSFER_RESP))  # CSB updates are of these types too (RFC 6043 §5.4)
ENOUGH = 10  # packets; fewer may be strays of another call
REPAIR = frozenset((b"rtx", b"ulpfec", b"parityfec", b"flexfec", b"raptorfec", b"x-ulpfecuc"))
MAX_LISTED = 8  # SSRCs and messages named


@rule(
    id="IMS-SSRC-011",
    name="mikey-ssrc-mismatch",
    severity=Severity.MEDIUM,
    tier=2,
    profiles=PROFILES,
    references=("TS 33.328 Annex H.3", "TR 33.829 §5.3.2", "RFC 6043 §6.1.1"),
    needs=(MIKEY,),
)
def mikey_ssrc_mismatch(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SSRC on the wire differs from the one bound in MIKEY.

    What it checks:
        The streams of every line that a MIKEY-TICKET transfer gives keys for, against the SSRCs in the session data of
        the GENERIC-ID maps of all transfers and CSB updates of the call. A stream of at least 10 packets after the
        answer must use one of them.
    Why it matters:
        Key management assigns SSRCs so that no two sources under one key choose the same. A source that takes another
        one voids this: a collision, and with it keystream that is used twice, becomes possible.
    What the finding shows:
        The frames of the MIKEY messages with the SSRCs that they bind, and the first and last packet of the stream.
    How to fix it:
        Send with the SSRC of the crypto session, and announce a new one by a CSB update before it is used. Let a
        gateway on the path keep SSRCs, or take part in the key exchange.
    When it is not assessed:
        N-OA: crypto sessions leave the SSRC open and no message that fills it in was seen. N-MED: no media of the line
        after its answer. Streams of retransmission and error correction, and CSRC lists, are not looked at.
    """
    bundles = _bundles(trace)
    for call in trace.calls:
        bundle = bundles.get(call.id)
        if bundle is not None and scene.covers(call.id, PROFILES) is not False:
            for line in call.lines:
                if line.id in bundle.lines:
                    yield from _line(trace, call, line, bundle)


@dataclass(slots=True)
class _Bundle:
    """What the transfers of a call say of the SSRCs of its SRTP sessions."""

    messages: list[MikeyMessage] = field(default_factory=list)
    ssrcs: set[int] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)
    open: bool = False  # the newest map leaves an SSRC to be filled in


def _bundles(trace: Trace) -> dict[str, _Bundle]:
    """By the id of the call."""
    out: defaultdict[str, _Bundle] = defaultdict(_Bundle)
    for message in trace.mikey:
        record = message.record
        if record is None or not message.call or record.data_type not in TRANSFER or record.map_type != GENERIC_ID:
            continue
        sessions = [each for each in record.sessions if each.prot_type == SRTP]
        if sessions:
            bundle = out[message.call]
            bundle.messages.append(message)
            bundle.lines.update(message.lines)
            bundle.ssrcs.update(each.ssrc for each in sessions if each.ssrc is not None)
            bundle.open = any(each.ssrc is None for each in sessions)
    return out


def _line(trace: Trace, call: Call, line: MediaLine, bundle: _Bundle) -> Iterator[Outcome]:
    agreed = [state for state in line.states if rtp_state(state) and state.answered_at is not None]
    if not agreed:
        return
    begins = min(state.answered_at for state in agreed if state.answered_at is not None)
    repair = {
        number
        for state in line.states
        for media in (state.offered, state.answered)
        if media is not None
        for number, named in media.rtpmaps.items()
        if named.encoding.lower() in REPAIR
    }
    subject = Subject("media", line.id)
    foreign: list[StreamUse] = []
    seen = False
    for use in line.streams:
        stream = use.stream
        if not isinstance(stream, MediaStream) or stream.last.time < begins or stream.packets < ENOUGH:
            continue
        if stream.kind == "rtp" or all(run.payload_type in repair for run in stream.sizes):
            continue
        seen = True
        if stream.ssrc not in bundle.ssrcs:
            foreign.append(use)
    if not seen:
        yield not_assessed(subject, "N-MED", "no protected media of the line after its answer")
    elif not foreign:
        yield Outcome("pass", subject)
    elif bundle.open or not bundle.ssrcs:
        yield not_assessed(subject, "N-OA", "crypto sessions leave the SSRC open, and nothing seen fills it in")
    else:
        yield _mismatch(trace, call, line, bundle, foreign)


def _mismatch(trace: Trace, call: Call, line: MediaLine, bundle: _Bundle, foreign: list[StreamUse]) -> Outcome:
    use = foreign[0]
    stream = use.stream
    media, way = line.states[0].offered, direction(use)
    listed = ", ".join(f"0x{ssrc:08x}" for ssrc in sorted(bundle.ssrcs)[:MAX_LISTED])
    frames = " and ".join(frame_text(trace, each.frames[0]) for each in bundle.messages[:2])
    more = f" {counted(len(foreign) - 1, 'more stream')} of the line likewise." if len(foreign) > 1 else ""
    evidence = [
        Evidence(
            message.frames[0],
            f"MIKEY {message.record.kind} SSRC" if message.record else "MIKEY SSRC",
            ", ".join(
                f"0x{each.ssrc:08x}" if each.ssrc is not None else "open"
                for each in (message.record.sessions if message.record else ())
                if each.prot_type == SRTP
            ),
            "the SSRCs that are sent with",
        )
        for message in bundle.messages[:MAX_LISTED]
    ]
    for other in foreign[:MAX_LISTED]:
        for place in (other.stream.first, other.stream.last):
            evidence.append(
                Evidence(place.frame, "RTP SSRC", f"0x{other.stream.ssrc:08x}", "an SSRC of the crypto session bundle")
            )
    return Outcome(
        "violation",
        Subject("media", line.id),
        confidence="strong",
        title="SSRC that no crypto session lists",
        message=(
            f"The stream from {stream.source} to {stream.destination} on {text(media.type)} line {line.index} of "
            f"{call.id} has SSRC 0x{stream.ssrc:08x} in {counted(stream.packets, 'packet')} from "
            f"{frame_text(trace, stream.first.frame)} on; the crypto sessions in {frames} list {listed}.{more} Key "
            "management no longer keeps the SSRCs under its keys apart, so that a collision can make two sources use "
            "one keystream. No CSB update with this SSRC was seen."
        ),
        evidence=tuple(evidence),
        role=use.sender,
        media=media_name(media),
        direction=way,
        normalised=("an SSRC that no crypto session lists", "an SSRC of the crypto session bundle"),
    )

"""IMS-GW-004."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import counted, frame_text, media_name, not_assessed
from imsinspect.rules.needs import CALLS
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, MediaLine, Trace

PROFILES = ("E2AE-RTP",)
REQUIRED = "no key of the access in the core"
CRYPTO, EDGE = b"\na=crypto:", b"\na=3ge2ae:"

Carried = dict[bytes, "tuple[FrameId, MediaLine]"]
"""Where a key stands, by key and salt."""


@rule(
    id="IMS-GW-004",
    name="crypto-leaked-to-core",
    severity=Severity.HIGH,
    tier=1,
    profiles=PROFILES,
    references=("TS 33.328 §7.2.1", "TS 33.328 §6.2.1.3", "TS 23.334 §6.2.10.2"),
    needs=(CALLS,),
)
def crypto_leaked_to_core(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """UE's e2ae SDES key forwarded into the core.

    What it checks:
        The keys of every line with a=3ge2ae between UE and P-CSCF, beside the keys in the descriptions of the same call
        on its other hops and in its other legs: none may be the same. Lines without a=3ge2ae are end to end, and pass
        their keys on by design.
    Why it matters:
        Keys to the access edge are for UE, P-CSCF and gateway. In the core every node on the way, and the far network,
        can read and forge the media of the access.
    What the finding shows:
        Both frames, and the key by its digest.
    How to fix it:
        Let the P-CSCF remove a=crypto and change the transport to RTP/AVP before it forwards the description.
    When it is not assessed:
        N-CORE: no hop beyond the P-CSCF was captured. N-KEY: keys were masked before the capture was handed on. N-SIP:
        signalling that could not be read.
    """
    calls = {call.id: call for call in trace.calls}
    for call in trace.calls:
        if scene.covers(call.id, PROFILES) is False:
            continue
        edge = [line for line in call.lines if _edge(line)]
        if not edge:
            continue
        beyond = _beyond(call, calls, {id(line) for line in edge})
        for line in edge:
            yield _line(trace, call, line, beyond)


def _sections(line: MediaLine) -> Iterator[tuple[Media, FrameId]]:
    for state in line.states:
        yield state.offered, state.negotiation.offer.message.frame
        if state.answered is not None and state.negotiation.answer is not None:
            yield state.answered, state.negotiation.answer.message.frame


def _edge(line: MediaLine) -> bool:
    """Protected by SDES to the access edge, as its own descriptions say."""
    return any(EDGE in media.section.text for media, _ in _sections(line)) and any(
        CRYPTO in media.section.text for media, _ in _sections(line)
    )


def _beyond(call: Call, calls: dict[str, Call], edge: set[int]) -> Carried | None:
    """Keys on the other hops and legs of a call; None where there are none of these."""
    lines = [
        line
        for each in (call, *(calls[name] for name in call.related if name in calls))
        for line in each.lines
        if id(line) not in edge and not any(EDGE in media.section.text for media, _ in _sections(line))
    ]
    if not lines:
        return None
    found: Carried = {}
    for line in lines:
        for media, frame in _sections(line):
            for crypto in media.crypto:
                for key in crypto.keys:
                    found.setdefault(key.key_salt, (frame, line))
    return found


def _line(trace: Trace, call: Call, line: MediaLine, beyond: Carried | None) -> Outcome:
    subject = Subject("media", line.id)
    if beyond is None:
        return not_assessed(subject, "N-CORE", "no hop beyond the P-CSCF was captured")
    own = {
        key.key_salt: (frame, media, key.digest)
        for media, frame in _sections(line)
        for crypto in media.crypto
        for key in crypto.keys
    }
    if not own:
        return not_assessed(subject, "N-KEY", "keys were masked before the capture was handed on")
    leaked = [secret for secret in own if secret in beyond]
    if not leaked:
        return Outcome("pass", subject)
    frame, media, digest = own[leaked[0]]
    far_frame, far_line = beyond[leaked[0]]
    sure = far_line.side == "core"
    assumed = "" if sure else " That the other hop lies beyond the P-CSCF is assumed."
    key = f"key:{digest}"
    return Outcome(
        "violation",
        subject,
        confidence="proven" if sure else "strong",
        title="Key of the access forwarded into the core",
        message=(
            f"{counted(len(leaked), 'key')} of {line.id}, which a=3ge2ae protects to the access edge only, "
            f"{'stand' if len(leaked) > 1 else 'stands'} on {far_line.id} as well: {key} in "
            f"{frame_text(trace, frame)} and in {frame_text(trace, far_frame)}. All nodes beyond the P-CSCF can read "
            f"and forge the media of the access.{assumed} Not seen: a key of its own on the other hop."
        ),
        evidence=(
            Evidence(frame, "SDP a=crypto", key, "removed before it is forwarded"),
            Evidence(far_frame, "SDP a=crypto", key, REQUIRED),
        ),
        role="p-cscf",
        media=media_name(media),
        normalised=("the key of the access", REQUIRED),
    )

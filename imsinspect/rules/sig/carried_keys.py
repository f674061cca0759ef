"""SDES keys that SIP messages carry, under each kind of protection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, crypto_text, frame_text, media_name, text
from imsinspect.rules.outcome import Evidence, Subject
from imsinspect.rules.rule import ASSUMED_CONFIDENTIAL, SECURED_POINTS, TRUSTED_SITE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sdp.crypto import Crypto
    from dissectors.sdp.parse import SessionDescription
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Protection, SignallingMessage, Trace


ANSWERING = frozenset((b"ACK", b"PRACK"))  # requests whose descriptions are answers


@dataclass(slots=True)
class Carried:
    """The keys that one side sent in one dialog under one kind of protection."""

    first: SignallingMessage
    lines: dict[str, str] = field(default_factory=dict)  # crypto lines by their text, with media type and index
    evidence: list[Evidence] = field(default_factory=list)
    messages: int = 0
    first_lines: int = 0  # of the first message


def _crypto_lines(sdp: SessionDescription) -> Iterator[tuple[str, Crypto]]:
    """Every crypto line of a description with the media it stands at, capabilities included."""
    for media in sdp.media:
        for line in (*media.crypto, *media.capability_crypto):
            yield media_name(media), line
    for line in (*sdp.crypto, *sdp.capability_crypto):
        yield "session", line


def _has_crypto(sdp: SessionDescription) -> bool:
    """A quick look before lines are taken apart."""
    return b"crypto:" in sdp.session.text or any(b"crypto:" in media.section.text for media in sdp.media)


def _sender(message: SignallingMessage) -> bytes:
    """The dialog tag of the side that sent the message."""
    return message.sip.from_tag if message.sip.is_request else message.sip.to_tag


def role_of(message: SignallingMessage) -> str:
    """Whether the sender of a description offers or answers."""
    sip = message.sip
    return "offerer" if sip.is_request and sip.method not in ANSWERING else "answerer"


def keys_by_sender(
    trace: Trace, wanted: Iterable[Protection]
) -> tuple[dict[tuple[bytes, bytes, Protection], Carried], dict[bytes, SignallingMessage]]:
    """Keys by dialog, sender and protection; and, by Call-ID, messages whose keys were masked before we saw them."""
    wanted = frozenset(wanted)
    carried: dict[tuple[bytes, bytes, Protection], Carried] = {}
    masked: dict[bytes, SignallingMessage] = {}
    for message in trace.messages:
        if message.protection not in wanted or not any(map(_has_crypto, message.readable_sdp)):
            continue
        lines = [each for sdp in message.readable_sdp for each in _crypto_lines(sdp)]
        keyed = {f"{place} {crypto_text(line)}": place for place, line in lines if line.keys or line.fec_keys}
        if not keyed:
            if any(line.masked for _, line in lines):
                masked.setdefault(message.sip.call_id, message)
            continue
        name = (message.sip.call_id, _sender(message), message.protection)
        found = carried.get(name)
        if found is None:
            found = carried[name] = Carried(message, first_lines=len(keyed))
        found.messages += 1
        found.lines |= keyed
        observed = "; ".join(list(keyed)[:4]) + (" …" if len(keyed) > 4 else "")
        for frame in message.frames:
            if len(found.evidence) < MAX_EVIDENCE:
                found.evidence.append(
                    Evidence(frame, "SDP a=crypto", observed, "keys only inside encrypted signalling")
                )
    return carried, masked


def subject_of(call: Call | None, message: SignallingMessage) -> Subject:
    """The call, or the message where it belongs to none."""
    if call is not None:
        return Subject("call", call.id)
    return Subject("message", text(message.sip.call_id))


def what(message: SignallingMessage) -> str:
    """`INVITE`, or `200 response to INVITE`."""
    sip = message.sip
    return text(sip.method) if sip.is_request else f"{sip.status} response to {text(sip.cseq_method)}"


def again(trace: Trace, found: Carried) -> str:
    """Where the same keys, or more of their sender, stand besides."""
    others = [
        frame for frame in dict.fromkeys(each.frame for each in found.evidence) if frame not in found.first.frames
    ]
    if not others:
        return ""
    shown = ", ".join(frame_text(trace, frame) for frame in others[:5])
    shown += " and more" if len(others) > 5 or found.messages > MAX_EVIDENCE else ""
    if len(found.lines) == found.first_lines:
        return f" and again in {shown}"
    return f"; later messages of its sender make it {keys_words(len(found.lines))}, in {shown}"


def keys_words(number: int) -> str:
    """How many keys."""
    return f"{number} SRTP master key{'s' if number > 1 else ''}"


def declared(scene: Scene, call: Call | None) -> str:
    """What the user declared that makes readable keys a matter of information only; "" if nothing does."""
    if scene.capture_point in SECURED_POINTS:
        return f"the capture point was declared as {scene.capture_point}"
    side = call.side if call is not None else "unknown"
    if scene.access_confidentiality == ASSUMED_CONFIDENTIAL and (
        side == "access" or (side == "unknown" and scene.capture_point in ("access", "ue"))
    ):
        return "the access network was declared confidential"
    if scene.nds == TRUSTED_SITE and (side == "core" or (side == "unknown" and scene.capture_point == "core")):
        return "the core was declared a trusted site"
    return ""

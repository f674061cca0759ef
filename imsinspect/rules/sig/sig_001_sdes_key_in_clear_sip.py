"""IMS-SIG-001."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.facts import (
    MAX_EVIDENCE,
    crypto_text,
    frame_text,
    hidden_signalling,
    media_name,
    media_names,
    not_assessed,
    text,
)
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import ASSUMED_CONFIDENTIAL, SECURED_POINTS, TRUSTED_SITE, rule
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sdp.crypto import Crypto
    from dissectors.sdp.parse import SessionDescription
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, SignallingMessage, Trace


READABLE = frozenset((Protection.CLEAR, Protection.TLS_NULL, Protection.EXPORTED))
ANSWERING = frozenset((b"ACK", b"PRACK"))  # requests whose descriptions are answers


@dataclass(slots=True)
class _Carried:
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


def _role(message: SignallingMessage) -> str:
    sip = message.sip
    return "offerer" if sip.is_request and sip.method not in ANSWERING else "answerer"


def _keys_by_sender(
    trace: Trace, wanted: Iterable[Protection]
) -> tuple[dict[tuple[bytes, bytes, Protection], _Carried], dict[bytes, SignallingMessage]]:
    """Keys by dialog, sender and protection; and, by Call-ID, messages whose keys were masked before we saw them."""
    wanted = frozenset(wanted)
    carried: dict[tuple[bytes, bytes, Protection], _Carried] = {}
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
            found = carried[name] = _Carried(message, first_lines=len(keyed))
        found.messages += 1
        found.lines |= keyed
        observed = "; ".join(list(keyed)[:4]) + (" …" if len(keyed) > 4 else "")
        for frame in message.frames:
            if len(found.evidence) < MAX_EVIDENCE:
                found.evidence.append(
                    Evidence(frame, "SDP a=crypto", observed, "keys only inside encrypted signalling")
                )
    return carried, masked


def _subject(call: Call | None, message: SignallingMessage) -> Subject:
    if call is not None:
        return Subject("call", call.id)
    return Subject("message", text(message.sip.call_id))


def _what(message: SignallingMessage) -> str:
    sip = message.sip
    return text(sip.method) if sip.is_request else f"{sip.status} response to {text(sip.cseq_method)}"


def _again(trace: Trace, found: _Carried) -> str:
    frames = list(dict.fromkeys(each.frame for each in found.evidence))
    if len(frames) < 2:
        return ""
    shown = ", ".join(frame_text(trace, frame) for frame in frames[1:6])
    shown += " and more" if len(frames) > 6 or found.messages > MAX_EVIDENCE else ""
    if len(found.lines) == found.first_lines:
        return f" and again in {shown}"
    return f"; later messages of its sender make it {_keys(len(found.lines))}, in {shown}"


def _keys(number: int) -> str:
    return f"{number} SRTP master key{'s' if number > 1 else ''}"


def _declared(scene: Scene, call: Call | None) -> str:
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


@rule(
    id="IMS-SIG-001",
    name="sdes-key-in-clear-sip",
    severity=Severity.CRITICAL,
    tier=1,
    profiles=("ALL",),
    references=(
        "TS 33.328 §5.4.1",
        "TS 33.328 Annex F.2",
        "TS 33.328 Annex G.2",
        "TS 33.203 §6.2",
        "RFC 4568 §8.3",
    ),
    follows=("IMS-TLS-001",),
)
def sdes_key_in_clear_sip(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """SDES master key carried in SIP that any on-path party can read.

    What it checks:
        Every SIP message whose octets can be read in the capture without keys, over UDP, TCP, SCTP, WebSocket or TLS
        with a NULL cipher, for a=crypto lines with an inline key: in offers and answers, in multipart bodies and in
        capabilities (a=acap). One finding stands for one direction of one dialog; repeats are listed in it.
    Why it matters:
        SDES has no protection of its own. Whoever saw the message holds the master key: the media of that direction
        can be decrypted, packets recorded earlier included, and forged.
    What the finding shows:
        The frames, the media lines, tags and crypto suites, and each key by the first 8 hex digits of the SHA-256 of
        key and salt. The key itself is never shown.
    How to fix it:
        Carry the signalling inside IPsec ESP or TLS with a cipher suite that encrypts (Gm), or inside NDS/IP (core).
        Where that is not possible, agree keys by DTLS-SRTP or MIKEY-TICKET. Treat the keys that were seen as known.
    When it is not assessed:
        N-SIP: ESP or TLS that could not be opened may hold SIP, SIP was compressed (SigComp) or its bodies encrypted
        (S/MIME), there is no SIP in the capture, or SRTP passes whose keys no message shows. N-FRAG: SIP was cut by the
        snap length, or octets of it are not in the capture. N-KEY: keys were masked before the capture was handed on.
        T-CORE: exported PDUs do not say how the message travelled. Keys inside ESP with NULL encryption are the object
        of IMS-SIG-003, and a=key-mgmt:mikey is safe in clear by design.
    """
    calls = {call.call_id: call for call in trace.calls}
    carried, masked = _keys_by_sender(trace, (*READABLE, Protection.OPENED))
    null_sessions = {
        frozenset((session.client, session.server)): session.id
        for session in trace.tls_sessions
        if session.opened_by == "null"
    }
    exported = False
    for (call_id, _, protection), found in carried.items():
        call, first = calls.get(call_id), found.first
        subject = _subject(call, first)
        if protection is Protection.OPENED:
            yield Outcome("pass", subject)
            continue
        reason = _declared(scene, call)
        if protection is Protection.EXPORTED and not reason:
            exported = True
            reason = "the PDU was exported by another tool, which does not say how it travelled"
        places = list(dict.fromkeys(found.lines.values()))
        session_id = null_sessions.get(frozenset((first.source, first.destination)), "")
        how = "TLS with a NULL cipher" if protection is Protection.TLS_NULL else first.transport.upper()
        unseen = (
            "Its TLS does not encrypt." if protection is Protection.TLS_NULL else "No ESP or TLS around it was seen."
        )
        if reason:
            unseen = f"It counts as information only: {reason}."
        yield Outcome(
            "violation",
            subject,
            severity=Severity.INFO if reason else None,
            confidence="strong" if reason else "proven",
            title=f"{_keys(len(found.lines))} readable in SIP",
            message=(
                f"The {_what(first)} from {first.source} to {first.destination} carries {_keys(found.first_lines)} "
                "readable in "
                f"{'an exported PDU' if protection is Protection.EXPORTED else 'SIP over ' + how}, for "
                f"{', '.join(places[:4])}, in {frame_text(trace, first.frame)}{_again(trace, found)}. Whoever saw it "
                "decrypts and forges the media that its sender protects with it, packets of the past included. "
                f"{unseen}"
            ),
            evidence=tuple(found.evidence),
            fact=session_id if protection is Protection.TLS_NULL else "",
            role=_role(first),
            media=media_names(places),
            direction="sent",
            normalised=(f"inline key in {protection.value} {first.transport}", "encrypted signalling"),
        )
    if exported:
        yield not_assessed(
            Subject("capture", trace.captures[0].path if trace.captures else ""),
            "T-CORE",
            "exported PDUs do not say whether the signalling was encrypted on the wire",
        )
    for call_id, message in masked.items():
        yield not_assessed(_subject(calls.get(call_id), message), "N-KEY", "keys were masked before we saw them")
    yield from hidden_signalling(trace)
    yield from _keyless_srtp(trace)


def _keyless_srtp(trace: Trace) -> Iterator[Outcome]:
    """SRTP beside SIP that does not speak of it: its keys travelled where we did not see them."""
    if not trace.messages:
        return
    dtls = {
        frozenset((session.client, session.server)) for session in trace.tls_sessions if session.transport == "dtls"
    }
    for stream in trace.unbound_streams:
        if stream.kind == "srtp" and frozenset((stream.source, stream.destination)) not in dtls:
            yield not_assessed(Subject("stream", stream.id), "N-SIP", "SRTP passes whose keys no SIP message shows")

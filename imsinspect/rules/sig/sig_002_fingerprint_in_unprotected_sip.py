"""IMS-SIG-002."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.rules.facts import MAX_EVIDENCE, frame_text, media_name, media_names, not_assessed, text
from imsinspect.rules.needs import SIP
from imsinspect.rules.outcome import Evidence, Outcome, Severity, Subject
from imsinspect.rules.rule import SECURED_POINTS, rule
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import Media, SessionDescription
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, SignallingMessage, Trace

MARK = b"\na=fingerprint:"
INTEGRITY = frozenset((Protection.OPENED, Protection.TLS_NULL))  # NULL suites of TLS authenticate what they carry
SHOWN = 4
SHORT = 11  # characters of a fingerprint that are shown: 4 octets


@dataclass(slots=True)
class _Sent:
    """Fingerprints that one side sent in one dialog, on one side of the network, under one kind of protection."""

    first: SignallingMessage
    side: str
    protection: Protection
    lines: dict[str, str] = field(default_factory=dict)  # what was sent, with the media line
    evidence: list[Evidence] = field(default_factory=list)
    signed: bool = True  # every message carries an Identity header field


@rule(
    id="IMS-SIG-002",
    name="fingerprint-in-unprotected-sip",
    severity=Severity.HIGH,
    tier=1,
    profiles=("ALL",),
    references=(
        "TS 33.328 §4.1.2.3",
        "TS 33.328 §5.4.1",
        "TS 33.328 §5.5.4",
        "RFC 8122 §7",
        "RFC 4975 §14.4",
        "RFC 6714 §7.4",
    ),
    needs=(SIP,),
)
def fingerprint_in_unprotected_sip(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Certificate fingerprint carried in SIP without integrity protection.

    What it checks:
        Every SIP message with an a=fingerprint, at the session or at a line: it must travel inside ESP with integrity
        or inside TLS. NULL encryption suffices, because a fingerprint is no secret. One finding stands for one side of
        one dialog; repeats are listed in it. The hop between UE and P-CSCF is the one that the requirement is about:
        where the sides can't be told apart the finding says that it assumes it. A message whose Identity header field
        (RFC 8224) signs it is information only.
    Why it matters:
        The fingerprint is all that ties the certificate of the TLS or DTLS handshake to the peer. Whoever can change it
        on the way terminates the handshake himself, and both ends see a certificate that matches.
    What the finding shows:
        The frames, the transport, the media lines, the hash function, and the first octets of each fingerprint.
    How to fix it:
        Carry the signalling between UE and P-CSCF inside IPsec ESP with integrity, or inside TLS.
    When it is not assessed:
        T-CORE: the capture point is declared to lie behind the protection, or PDUs were exported by another tool.
        N-ACC: only hops of the core were captured, which NDS/IP may protect elsewhere. N-SIP: signalling that could
        not be read. N-FRAG: signalling that was cut.
    """
    calls = {call.call_id: call for call in trace.calls}
    sides = {
        id(description.message): line.side
        for call in trace.calls
        for line in call.lines
        for state in line.states
        for description in (state.negotiation.offer, state.negotiation.answer)
        if description is not None
    }
    unprotected_esp = any(each.icv_octets == 0 for each in trace.esp)
    found: dict[tuple[bytes, bytes, str, Protection], _Sent] = {}
    for message in trace.messages:
        if not any(_has(sdp) for sdp in message.readable_sdp):
            continue
        sip = message.sip
        call = calls.get(sip.call_id)
        side = sides.get(id(message), call.side if call is not None else "unknown")
        sender = sip.from_tag if sip.is_request else sip.to_tag
        sent = found.setdefault(
            (sip.call_id, sender, side, message.protection), _Sent(message, side, message.protection)
        )
        _add(sent, message)
    for (call_id, *_), sent in found.items():
        yield _outcome(trace, scene, calls.get(call_id), sent, unprotected_esp)


def _has(sdp: SessionDescription) -> bool:
    return MARK in sdp.session.text or any(MARK in media.section.text for media in sdp.media)


def _add(sent: _Sent, message: SignallingMessage) -> None:
    shown: dict[str, str] = {}
    for sdp in message.readable_sdp:
        for media in sdp.media:
            if MARK in media.section.text or MARK in media.session.text:
                shown |= {f"{media_name(media)} {each}": media_name(media) for each in _texts(media)}
    sent.lines |= shown
    sent.signed = sent.signed and bool(message.sip.header(b"identity"))
    observed = f"{message.transport.upper()} without ESP or TLS; {'; '.join(list(shown)[:SHOWN])}"
    for frame in message.frames:
        if len(sent.evidence) < MAX_EVIDENCE:
            sent.evidence.append(Evidence(frame, "SDP a=fingerprint", observed, "integrity of ESP or TLS around it"))


def _texts(media: Media) -> Iterator[str]:
    for each in media.fingerprints[:SHOWN]:
        yield f"{text(each.hash_function)} {each.digest[:4].hex(':').upper()}…"


def _outcome(trace: Trace, scene: Scene, call: Call | None, sent: _Sent, unprotected_esp: bool) -> Outcome:
    first, protection = sent.first, sent.protection
    subject = Subject("call", call.id) if call is not None else Subject("message", text(first.sip.call_id))
    if protection in INTEGRITY or (protection is Protection.ESP_NULL and not unprotected_esp):
        return Outcome("pass", subject)
    if scene.capture_point in SECURED_POINTS:
        return not_assessed(
            subject, "T-CORE", "the capture point is declared to lie behind the protection of signalling"
        )
    if protection is Protection.EXPORTED:
        return not_assessed(subject, "T-CORE", "exported PDUs do not say how the signalling travelled")
    if sent.side == "core":
        return not_assessed(subject, "N-ACC", "a hop of the core, which NDS/IP may protect on another link")
    known = sent.side == "access" or scene.capture_point in ("access", "ue")
    sip = first.sip
    what = text(sip.method) if sip.is_request else f"{sip.status} response to {text(sip.cseq_method)}"
    repeats = len(dict.fromkeys(each.frame for each in sent.evidence)) - 1
    again = f" and in {repeats} more frame{'s' if repeats > 1 else ''}" if repeats else ""
    assumed = "" if known else " That this is the hop between UE and P-CSCF is assumed."
    signed = " An Identity header field signs it, so that it counts as information only." if sent.signed else ""
    how = "ESP without integrity" if protection is Protection.ESP_NULL else first.transport.upper()
    return Outcome(
        "violation",
        subject,
        severity=Severity.INFO if sent.signed else None,
        confidence="proven" if known else "strong",
        title="Fingerprint in SIP that anybody on the path can change",
        message=(
            f"The {what} from {first.source} to {first.destination} carries "
            f"{'; '.join(list(sent.lines)[:SHOWN]) or 'a fingerprint'} over {how} in {frame_text(trace, first.frame)}"
            f"{again}. Who changes it on the way can stand in the middle of the media's TLS or DTLS unnoticed."
            f"{assumed}{signed} Not seen: ESP or TLS around the message."
        ),
        evidence=tuple(sent.evidence),
        role="offerer" if sip.is_request and sip.method not in (b"ACK", b"PRACK") else "answerer",
        media=media_names(sent.lines.values()),
        direction="sent",
        normalised=(f"fingerprint over {how}", "integrity of ESP or TLS"),
    )

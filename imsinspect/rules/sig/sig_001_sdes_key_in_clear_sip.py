"""IMS-SIG-001."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, hidden_signalling, media_names, not_assessed
from imsinspect.rules.outcome import Outcome, Severity, Subject
from imsinspect.rules.rule import rule
from imsinspect.rules.sig.carried_keys import again, declared, keys_by_sender, keys_words, role_of, subject_of, what
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Trace


READABLE = frozenset((Protection.CLEAR, Protection.TLS_NULL, Protection.EXPORTED))


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
    carried, masked = keys_by_sender(trace, (*READABLE, Protection.OPENED))
    null_sessions = {
        frozenset((session.client, session.server)): session.id
        for session in trace.tls_sessions
        if session.opened_by == "null"
    }
    exported = False
    for (call_id, _, protection), found in carried.items():
        call, first = calls.get(call_id), found.first
        subject = subject_of(call, first)
        if protection is Protection.OPENED:
            yield Outcome("pass", subject)
            continue
        reason = declared(scene, call)
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
            title=f"{keys_words(len(found.lines))} readable in SIP",
            message=(
                f"The {what(first)} from {first.source} to {first.destination} carries {keys_words(found.first_lines)} "
                "readable in "
                f"{'an exported PDU' if protection is Protection.EXPORTED else 'SIP over ' + how}, for "
                f"{', '.join(places[:4])}, in {frame_text(trace, first.frame)}{again(trace, found)}. Whoever saw it "
                "decrypts and forges the media that its sender protects with it, packets of the past included. "
                f"{unseen}"
            ),
            evidence=tuple(found.evidence),
            fact=session_id if protection is Protection.TLS_NULL else "",
            role=role_of(first),
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
        yield not_assessed(subject_of(calls.get(call_id), message), "N-KEY", "keys were masked before we saw them")
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

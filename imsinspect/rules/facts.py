"""What several rules ask of a trace: which lines are secure and when, what was not seen, and words for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.sdp.suites import DTLS_SRTP_PROFILES
from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.rules.outcome import Evidence, Outcome, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sdp.crypto import Crypto
    from dissectors.sdp.parse import Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.trace.model import (
        Call,
        Judgement,
        LineState,
        MediaLine,
        MediaStream,
        RtcpSource,
        StreamUse,
        TlsSession,
        Trace,
    )

SECOND = 1_000_000_000
EMERGENCY = b"urn:service:sos"  # RFC 5031
GRAVITY = {"pass": 0, "not-assessed": 1, "suspect": 2, "violation": 3}  # of verdicts
GRACE = 5 * SECOND  # that a line outlives its dialog (rules.md IMS-SRTP-002)
SIP_PORTS = frozenset((5060, 5061))
_SUITE = re.compile(rb"[A-Z0-9]{1,20}(?:_[A-Z0-9]{1,20}){1,8}")
MAX_NAMES = 16  # lines named in a fingerprint
MAX_EVIDENCE = 50  # frames named in one finding


def text(value: bytes) -> str:
    """Octets from the wire as text; views escape it."""
    return value.decode("utf-8", "replace")


def frame_text(trace: Trace, frame: FrameId) -> str:
    """A frame in words; with several captures it says of which."""
    number = f"frame {frame_number(frame)}"
    return number if len(trace.captures) < 2 else f"{number} of capture {capture_index(frame) + 1}"


def media_name(media: Media) -> str:
    """Media type and index, for fingerprints: they say nothing of who spoke."""
    return f"{text(media.type)}/{media.index}"


def media_names(names: Iterable[str]) -> str:
    """Names of several lines as one, in the order of their indices, for fingerprints."""
    ordered = sorted(set(names), key=lambda name: (name.rpartition("/")[2].zfill(8), name))
    return " ".join(ordered[:MAX_NAMES])


def suite_name(line: Crypto) -> str:
    """The crypto suite of a line; in a malformed one the key may stand in its place, and is not shown."""
    known = line.crypto_suite
    if known is not None:
        return known.name
    return text(line.suite) if _SUITE.fullmatch(line.suite) else "unknown suite"


def crypto_text(line: Crypto) -> str:
    """A crypto line without its keys, which are named by their digests."""
    keys = ", ".join(f"key:{key.digest}" for key in (*line.keys, *line.fec_keys))
    return f"{line.tag} {suite_name(line)} {keys}".rstrip()


def rtp_state(state: LineState) -> bool:
    """The state is agreed and carries RTP."""
    return state.accepted and state.answered is not None and state.answered.profile.family == "rtp"


def secure_rtp(state: LineState) -> bool:
    """The state is agreed, carries RTP, and both sides named a transport of SRTP."""
    return (
        rtp_state(state)
        and state.offered.profile.secure
        and state.answered is not None
        and state.answered.profile.secure
    )


def handshake_agreed(state: LineState) -> bool:
    """The state is agreed with a transport whose keys a TLS or DTLS handshake makes."""
    return (
        state.accepted
        and state.answered is not None
        and state.answered.profile.security in ("tls", "dtls")
        and not (state.negotiation.rejected and state.negotiation.provisional)
    )


def agreement(state: LineState) -> tuple[Evidence, ...]:
    """Offer and answer of a line as evidence."""
    out = [_said(state.negotiation.offer.message.frame, state.offered)]
    if state.negotiation.answer is not None and state.answered is not None:
        out.append(_said(state.negotiation.answer.message.frame, state.answered))
    return tuple(out)


def _said(frame: FrameId, media: Media) -> Evidence:
    crypto = "; ".join(crypto_text(line) for line in media.crypto[:4])
    observed = f"{text(media.media)} {media.port} {media.transport}" + (f", crypto {crypto}" if crypto else "")
    return Evidence(frame, f"SDP m= line {media.index}", observed, "what is agreed is what is sent")


def protection_agreed(state: LineState) -> str:
    """The protection that an answer selected, in words."""
    media = state.answered or state.offered
    if media.crypto:
        return suite_name(media.crypto[0])
    if media.key_mgmt_in_force:
        return f"{media.transport} with MIKEY"
    return media.transport


def aead_agreed(state: LineState, line: MediaLine) -> bool | None:
    """Whether the agreed suite is an AEAD one; None if neither the SDP nor a DTLS handshake says."""
    lines = (state.answered or state.offered).crypto
    suite = lines[0].crypto_suite if lines else None
    if not lines:
        profiles = (hello.use_srtp for session in line.tls_sessions for hello in session.server_hellos)
        suite = next((DTLS_SRTP_PROFILES.get(each[0]) for each in profiles if each), None)
    return suite.aead if suite is not None else None


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clear_media(judgement: Judgement) -> str:
    """What is in clear, without lengths: these are of the content, and others in the next call."""
    return "telephone events in clear" if "(telephone-event" in judgement.observed else "media in clear"


def overlap(first: int, last: int, state: LineState) -> int:
    """Nanoseconds of a stream's life in which a state was agreed; -1 for none."""
    if state.answered_at is None:
        return -1
    begin, end = max(first, state.answered_at), last if state.ends is None else min(last, state.ends)
    return end - begin if end >= begin else -1


def direction(use: StreamUse) -> str:
    """Who sends to whom, by their roles."""
    return {"offerer": "offerer to answerer", "answerer": "answerer to offerer"}.get(use.sender, "")


def seen_from_start(call: Call) -> bool:
    """The call is in the capture from its first request on."""
    return any(message.sip.method == b"INVITE" and not message.sip.to_tag for message in call.messages[:1])


def unseen_offers(call: Call) -> Iterator[int]:
    """When responses came with a description whose request, and with it what was offered, was not seen."""
    return (each.offer.message.time for each in call.negotiations if each.offer_assumed and each.answer is None)


def emergency(call: Call) -> bool:
    """A call to an emergency service, which goes through whatever its security."""
    return call.to_uri.lower().startswith(EMERGENCY) or any(
        message.sip.request_uri.lower().startswith(EMERGENCY) for message in call.messages[:4] if message.sip.method
    )


def worst(outcomes: Iterable[tuple[object, Outcome | None]]) -> Iterator[Outcome]:
    """The gravest outcome for each object, of equals the first."""
    found: dict[object, Outcome] = {}
    for key, outcome in outcomes:
        known = found.get(key)
        if outcome is not None and (known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]):
            found[key] = outcome
    yield from found.values()


def calls_by_id(trace: Trace) -> dict[str, Call]:
    """Calls by their id in the trace."""
    return {call.id: call for call in trace.calls}


def rtp_lines(trace: Trace) -> Iterator[tuple[Call, MediaLine]]:
    """Lines with a state that carries RTP."""
    for call in trace.calls:
        for line in call.lines:
            if any(rtp_state(state) for state in line.states):
                yield call, line


def unanswered_secure(line: MediaLine) -> bool:
    """The line was only ever offered as a secure one, and nothing shows that it was refused."""
    return any(
        state.answered is None and not state.negotiation.rejected and state.offered.profile.secure
        for state in line.states
    ) and not any(state.answered is not None for state in line.states)


def not_assessed(subject: Subject, gap: str, reason: str) -> Outcome:
    """An outcome that says what was missing."""
    return Outcome("not-assessed", subject, gap=gap, reason=reason)


def profile_open(subject: Subject) -> Outcome:
    """What a rule of certain profiles is about, in a call whose profile nothing decides."""
    return not_assessed(subject, "IMS-PROF-005", "the profile of the call is not determined")


def no_description(stream: MediaStream | RtcpSource, kind: str) -> Outcome:
    """Media that no session description in the capture announces."""
    return not_assessed(
        Subject(kind, stream.id), "N-SIP", "no session description in the capture announces these packets"
    )


def sealed(trace: Trace) -> Iterator[Outcome]:
    """ESP and TLS that could not be opened, SIP that could not be read: calls may be inside, and the lines that they
    agreed (rules.md 19.1.1)."""
    for association in trace.esp:
        if not association.opened:
            subject = Subject("esp", f"SPI 0x{association.spi:08x}")
            yield not_assessed(subject, "N-SIP", "ESP that could not be opened may hold SIP")
    for session in trace.tls_sessions:
        if not session.opened and may_hold_sip(session):
            yield not_assessed(Subject("tls-session", session.id), "N-SIP", "TLS that could not be opened may hold SIP")
    yield from _unread(trace)
    yield from _joined_late(trace)


def _joined_late(trace: Trace) -> Iterator[Outcome]:
    """Calls whose session descriptions passed before the capture began (T-MID)."""
    for call in trace.calls:
        if not any(message.sdp or message.sip.cseq_method == b"INVITE" for message in call.messages):
            reason = "the capture begins inside the call: its session descriptions are not in it"
            yield not_assessed(Subject("call", call.id), "N-OA", reason)


def _unread(trace: Trace) -> Iterator[Outcome]:
    """Signalling that passed and could not be read; all reasons of a gap stand together."""
    reasons: dict[str, dict[str, None]] = {}
    for each in trace.unread:
        reasons.setdefault(each.gap, {})[each.reason] = None
    told = {gap: "; ".join(words) for gap, words in reasons.items()}
    for each in trace.unread:
        yield not_assessed(Subject("message", frame_text(trace, each.frame)), each.gap, told[each.gap])


def hidden_signalling(trace: Trace) -> Iterator[Outcome]:
    """Where SIP passed unread or may have: what is sealed or cut, and captures without SIP beside media."""
    yield from sealed(trace)
    if not trace.messages and (trace.streams or trace.rtcp_sources):
        path = trace.captures[0].path if trace.captures else ""
        yield not_assessed(Subject("capture", path), "N-SIP", "the capture holds media and no SIP that can be read")


def may_hold_sip(session: TlsSession) -> bool:
    """A session on a port of SIP that got as far as carrying something."""
    refused = bool(session.alerts) and not session.server_hellos and session.handshake_seen != "none"
    return not refused and bool({session.client.port, session.server.port} & SIP_PORTS)

"""What becomes an arrow of a ladder, before equal ones are folded and lifelines are laid out."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dissectors.tls.codes import SRTP_PROTECTION_PROFILES
from imsinspect.report import marks, proven
from imsinspect.report.escape import text
from imsinspect.report.page import counted
from imsinspect.report.times import span

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from dissectors.sdp.parse import Media
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.capture.frames import FrameId
    from imsinspect.report.ladder_model import Mark
    from imsinspect.rules.outcome import Subject
    from imsinspect.trace.floor import FloorConnection
    from imsinspect.trace.model import (
        Call,
        EspAssociation,
        MediaConnection,
        MediaLine,
        MediaStream,
        MikeyMessage,
        MsrpSession,
        RtcpSource,
        SignallingMessage,
        TlsSession,
        Trace,
    )

DIGEST = 8  # hex digits of a key's name
MEDIA_SHOWN, KEYS_SHOWN, NAMED = 3, 2, 3
FRAMES_KEPT = 64


@dataclass(slots=True)
class Draft:
    """An arrow to be."""

    time: int
    last_time: int
    frames: list[FrameId]
    kind: str
    source: Hashable  # an endpoint, or what a lifeline stands for
    destination: Hashable
    title: str
    mark: Mark
    fold: Hashable  # those of equal folds may become one
    said: Callable[[Sequence[Any]], tuple[str, ...]]  # of what it stands for
    members: list[Any] = field(default_factory=list)
    both_ways: bool = False
    subjects: list[tuple[str, str]] = field(default_factory=list)
    again: int = 0  # retransmissions

    def take(self, other: Draft) -> None:
        """Another one is folded into this one."""
        self.last_time = max(self.last_time, other.last_time)
        self.frames += other.frames[: max(FRAMES_KEPT - len(self.frames), 0)]
        self.members += other.members
        self.subjects += other.subjects
        self.again += other.again


def always(details: tuple[str, ...]) -> Callable[[Sequence[Any]], tuple[str, ...]]:
    """The same, however many are folded."""
    return lambda _: details


# --- SIP ------------------------------------------------------------------------------------------


class SipDrafts:
    """SIP messages of a call, with what their session descriptions bring."""

    def __init__(self, trace: Trace, call: Call) -> None:
        self._call = call
        self._mikey: dict[FrameId, list[MikeyMessage]] = {}
        for each in trace.mikey:
            if each.call == call.id and each.signalling is not None:
                self._mikey.setdefault(each.frames[0], []).append(each)
        self._roles: dict[FrameId, dict[str, None]] = {}
        for negotiation in call.negotiations:
            offer, answer = negotiation.offer, negotiation.answer
            assumed = "SDP, perhaps an answer" if negotiation.offer_assumed else "offer"
            self._roles.setdefault(offer.message.frame, {})[assumed] = None
            if answer is not None:
                self._roles.setdefault(answer.message.frame, {})["answer"] = None
        self._keys: dict[tuple[bytes, int], frozenset[str]] = {}  # of each party's line, as last said

    def drafts(self) -> Iterator[Draft]:
        """One for each message; retransmissions are counted at the first."""
        first: dict[tuple[Any, ...], Draft] = {}
        for message in self._call.messages:
            sip = message.sip
            same = (message.source, message.destination, sip.head, sip.body)
            if message.retransmission and same in first:
                known = first[same]
                known.again += 1
                known.last_time = message.time
                known.frames += message.frames[: max(FRAMES_KEPT - len(known.frames), 0)]
                continue
            first[same] = draft = self._draft(message)
            yield draft

    def _draft(self, message: SignallingMessage) -> Draft:
        title, details = _title(message), tuple(self._details(message))
        mark = marks.of_message(message.protection, message.transport)
        return Draft(
            message.time, message.time, list(message.frames[:FRAMES_KEPT]), "sip", message.source, message.destination,
            title, mark, ("sip", title, details, mark), always(details), [message],
        )  # fmt: skip

    def _details(self, message: SignallingMessage) -> Iterator[str]:
        roles = " and ".join(self._roles.get(message.frame, {"SDP": None}))
        sender = message.sip.from_tag if message.sip.is_request else message.sip.to_tag
        for sdp in message.sdp:
            for media in sdp.media[:MEDIA_SHOWN]:
                yield f"{roles}: {media_words(media)}{self._renewed(sender, media)}"
            if len(sdp.media) > MEDIA_SHOWN:
                yield f"{roles}: {len(sdp.media) - MEDIA_SHOWN} more media lines"
        for each in self._mikey.get(message.frame, ())[:NAMED]:
            yield f"MIKEY {mikey_words(each)}"
        for body in message.sealed[:1]:
            yield f"S/MIME {text(body.content_type)}" + (", opened" if body.encrypted and body.opened else "")

    def _renewed(self, sender: bytes, media: Media) -> str:
        """Whether a party says other keys for a line than before."""
        keys = frozenset(
            [key.digest for crypto in media.crypto for key in crypto.keys]
            + [each.data.hex() for each in media.key_mgmt_in_force]
            + [each.digest.hex() for each in media.fingerprints]
        )
        before = self._keys.get((sender, media.index))
        if keys:
            self._keys[sender, media.index] = keys
        return " (new keys)" if keys and before is not None and keys != before else ""


def _title(message: SignallingMessage) -> str:
    sip = message.sip
    if sip.is_request:
        return "re-INVITE" if sip.method == b"INVITE" and sip.to_tag else text(sip.method)
    method = f" ({text(sip.cseq_method)})" if sip.cseq_method != b"INVITE" else ""
    return f"{sip.status} {text(sip.reason)}{method}" if sip.status else "neither request nor response"


def media_words(media: Media) -> str:
    """`audio RTP/SAVP, a=crypto AES_CM_128_HMAC_SHA1_80 key 5ad2f3a1`."""
    line = f"{text(media.media)} {text(media.proto)}" + (" (port 0)" if media.port == 0 else "")
    line += f" {text(media.direction)}" if media.direction != b"sendrecv" else ""
    return ", ".join([line, *key_words(media)])


def key_words(media: Media) -> Iterator[str]:
    """What a media line gives of keys, a phrase for each."""
    for crypto in media.crypto[:KEYS_SHOWN]:
        keys = " ".join(f"key {key.digest}" for key in crypto.keys[:KEYS_SHOWN])
        parameters = "".join(f" {text(each)}" for each in crypto.session_params[:KEYS_SHOWN])
        yield f"a=crypto {text(crypto.suite)} {keys or 'without a key'}{parameters}"
    if len(media.crypto) > KEYS_SHOWN:
        yield f"{len(media.crypto) - KEYS_SHOWN} more a=crypto"
    for each in media.key_mgmt_in_force[:KEYS_SHOWN]:
        yield f"a=key-mgmt {text(each.protocol)}"
    for one in media.fingerprints[:1]:
        yield f"a=fingerprint {text(one.hash_function)} {one.digest.hex(':').upper()[: 3 * 4 - 1]}…"
    if media.zrtp_hash:
        yield "a=zrtp-hash"


# --- key exchanges --------------------------------------------------------------------------------


def mikey_words(message: MikeyMessage) -> str:
    """Its data type, and what the keys at hand make of it."""
    proof = f", {text(message.authentication)}" if message.authentication else ""
    return f"{text(message.kind)}{proof}"


def mikey_drafts(messages: Iterable[MikeyMessage]) -> Iterator[Draft]:
    """MIKEY that no session description carried."""
    for message in messages:
        mark = marks.of_message(message.protection, message.transport)
        title = f"MIKEY {text(message.kind)}"
        details = tuple(filter(None, (f"over {message.carrier.upper()}", text(message.authentication))))
        yield Draft(
            message.time, message.time, list(message.frames[:FRAMES_KEPT]), "mikey", message.source,
            message.destination, title, mark, ("mikey", title, details, mark), always(details), [message],
        )  # fmt: skip


def session_draft(session: TlsSession, purpose: str) -> Draft:
    """A TLS or DTLS handshake; of a session that began before the capture, where its records begin."""
    mark = marks.of_session(session)
    frames = [hello.frame for hello in (*session.client_hellos, *session.server_hellos)]
    title = f"{session.version or session.transport.upper()} handshake"
    if session.handshake_seen == "none":
        title = f"{session.version or session.transport.upper()} records"
    details = tuple(_session_details(session, purpose))
    last = session.completed or session.first
    return Draft(
        session.first.time, max(last.time, session.first.time), [*frames, session.first.frame][:FRAMES_KEPT],
        session.transport, session.client, session.server, title, mark, (session.transport, title, details, mark),
        always(details), [session], both_ways=bool(session.server_hellos),
        subjects=[("tls-session", session.id)],
    )  # fmt: skip


def _session_details(session: TlsSession, purpose: str) -> Iterator[str]:
    yield f"{session.id}, {purpose}" if purpose else session.id
    if session.cipher_suite_name:
        yield text(session.cipher_suite_name)
    elif session.handshake_seen == "none":
        yield "handshake not seen"
    elif not session.server_hellos:
        yield "refused by an alert" if session.alerts else "no answer to the client's hello"
    profiles = session.server_hellos[-1].use_srtp if session.server_hellos else ()
    if profiles:
        yield ", ".join(SRTP_PROTECTION_PROFILES.get(each, f"profile {each}") for each in profiles)
    if session.resumed:
        yield "resumed"
    if len(session.server_hellos) > 1:
        yield f"negotiated {len(session.server_hellos)} times"


def association_draft(association: EspAssociation, source: Endpoint, destination: Endpoint) -> Draft:
    """The packets of one SPI."""
    mark = marks.of_association(association)
    read = association.opened - association.null_encrypted
    details = tuple(
        filter(
            None,
            (
                counted(association.packets, "packet"),
                f"{association.null_encrypted} without encryption" if association.null_encrypted else "",
                f"{read} opened with key {association.key[:DIGEST]}" if read and association.key else "",
                f"{association.failed} that the key does not open" if association.failed else "",
            ),
        )
    )
    return Draft(
        association.first.time, association.last.time, [association.first.frame], "esp", source, destination,
        f"ESP SPI 0x{association.spi:08x}", mark, ("esp", mark), always(details), [association],
    )  # fmt: skip


# --- media ----------------------------------------------------------------------------------------


def stream_draft(stream: MediaStream, line: MediaLine, what: str, claimed: bool) -> Draft:
    """The beginning of a media stream."""
    mark = marks.of_stream(stream, claimed)
    frames = [stream.first.frame, *stream.judgement.frames]
    if stream.proof is not None:
        frames += [each.frame for each in stream.proof.failures]
    return Draft(
        stream.first.time, stream.last.time, [*frames[:FRAMES_KEPT], stream.last.frame], "media", stream.source,
        stream.destination, f"{what} begins", mark, ("media", line.id, mark), _streams_said, [stream],
        subjects=[("stream", stream.id), ("media", line.id)],
    )  # fmt: skip


def renewal_drafts(stream: MediaStream, line: MediaLine, what: str) -> Iterator[Draft]:
    """Where a stream goes on under another key."""
    uses = stream.proof.uses if stream.proof is not None else []
    for before, use in pairwise(uses):
        if use.key == before.key:
            continue
        mark = marks.of_use(use)
        details = [f"SSRC 0x{stream.ssrc:08x}", f"{counted(use.packets, 'packet')} under key {use.key[:DIGEST]}"]
        details += [f"the key is of: {text(use.relation)}"] if use.relation != marks.AGREED else []
        yield Draft(
            use.begins, use.begins, [use.first], "media", stream.source, stream.destination,
            f"{what} under another key", mark, ("another key", line.id, mark, use.key), always(tuple(details)),
            [stream],
        )  # fmt: skip


def control_draft(source: RtcpSource, line: MediaLine, claimed: bool) -> Draft:
    """The RTCP of one sender."""
    mark = marks.of_control(source, claimed)
    plain = [source.first_plain, source.last_plain] if source.plain else []
    title = "RTCP" if source.plain == source.packets else "SRTCP" if mark.level.value == "secured" else "RTCP or SRTCP"
    return Draft(
        source.first.time, source.last.time, [source.first.frame, *plain, source.last.frame], "rtcp", source.source,
        source.destination, title, mark, ("rtcp", line.id, mark), _control_said, [source],
        subjects=[("rtcp", source.id), ("media", line.id)],
    )  # fmt: skip


def _ssrcs(members: Sequence[MediaStream | RtcpSource]) -> str:
    ssrcs = dict.fromkeys(each.ssrc for each in members)
    more = f" and {len(ssrcs) - NAMED} more" if len(ssrcs) > NAMED else ""
    return "SSRC " + ", ".join(f"0x{each:08x}" for each in list(ssrcs)[:NAMED]) + more


def _streams_said(members: Sequence[MediaStream]) -> tuple[str, ...]:
    packets, lost = sum(each.packets for each in members), sum(each.lost for each in members)
    first, last = min(each.first.time for each in members), max(each.last.time for each in members)
    numbers = f"{counted(packets, 'packet')} in {span(first, last)}" + (f", {lost} lost" if lost else "")
    several = f"{len(members)} streams, " if len(members) > 1 else ""
    return tuple(filter(None, (several + _ssrcs(members), numbers, proven.words((s.proof for s in members), "SRTP"))))


def _control_said(members: Sequence[RtcpSource]) -> tuple[str, ...]:
    packets, plain = sum(each.packets for each in members), sum(each.plain for each in members)
    numbers = counted(packets, "packet") + (f", {plain} in clear" if 0 < plain < packets else "")
    return tuple(filter(None, (_ssrcs(members), numbers, proven.words((s.proof for s in members), "SRTCP"))))


# --- messaging and floor control ------------------------------------------------------------------


def msrp_draft(session: MsrpSession) -> Draft:
    """The MSRP of one connection."""
    mark = marks.of_message(session.protection, "tls" if session.tls_session else "tcp")
    requests = ", ".join(f"{text(name)} {number}" for name, number in sorted(session.requests.items())[:NAMED])
    details = (counted(session.messages, "message") + (f" ({requests})" if requests else ""),)
    return Draft(
        session.first.time, session.last.time, [session.first.frame, session.last.frame], "msrp", session.source,
        session.destination, "MSRP", mark, ("msrp", mark), always(details), [session], both_ways=True,
    )  # fmt: skip


def floor_draft(floor: FloorConnection) -> Draft:
    """The BFCP of one connection."""
    first, last = floor.messages[0], floor.messages[-1]
    mark = marks.of_message(floor.protection, floor.transport)
    names = ", ".join(list(dict.fromkeys(each.name for each in floor.messages))[:NAMED])
    details = (f"{counted(len(floor.messages), 'message')} ({names})",)
    return Draft(
        first.time, last.time, [each.frame for each in floor.messages[:FRAMES_KEPT]], "bfcp", *floor.ends, "BFCP", mark,
        ("bfcp", mark), always(details), [floor], both_ways=True, subjects=[("floor", floor.id)],
    )  # fmt: skip


def connection_draft(connection: MediaConnection) -> Draft:
    """A connection between the ports of a line of which nothing above tells more."""
    mark = marks.of_message(connection.protection, connection.transport)
    details = (f"{connection.kind.upper()} begins" if connection.kind else "what it carries is not known",)
    return Draft(
        connection.first.time, connection.last.time, [connection.opened or connection.first.frame], "connection",
        connection.client, connection.server, f"{connection.transport.upper()} connection", mark,
        ("connection", details, mark), always(details), [connection], both_ways=True,
    )  # fmt: skip


def subject_key(subject: Subject) -> tuple[str, str]:
    """What drafts name the subjects of findings by."""
    return subject.kind, subject.id

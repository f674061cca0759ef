"""MIKEY messages of a trace: those in session descriptions of SIP, and those that RTSP, HTTP and UDP carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.trace.model import KeyMgmtFault, MikeyMessage
from imsinspect.trace.unread import body_is_cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissectors.sdp.parse import KeyMgmt, Media, Section, SessionDescription
    from imsinspect.trace.model import Call, Description, LineState, Negotiation, SignallingMessage

MAX_OF_SECTION = 16  # MIKEY messages of one section that are followed
MAX_SECTIONS = 256  # of one description
ATTRIBUTE = b"\na=key-mgmt:"
LAST, WRAPPED = "last", "wrapped"
SDP = "sdp "  # carriers that begin so are session descriptions


def of_sip(
    calls: Iterable[Call], messages: Iterable[SignallingMessage]
) -> tuple[list[MikeyMessage], list[KeyMgmtFault]]:
    """The messages that session descriptions carry, each with the media lines that it gives keys for, and what can't be
    decoded.

    One that a call repeats in the same description is one message: retransmissions, other hops, other branches.
    """
    found = _Found()
    names = {}
    for call in calls:
        names[call.call_id] = call.id
        for negotiation in call.negotiations:
            for role, description, party, peer in _parties(negotiation):
                found.add(call.call_id, call.id, description.message, description.sdp, role, party, peer)
    for message in messages:
        for sdp in message.sdp:
            role = "refusal" if message.sip.status >= 300 else "other"
            sender, receiver = message.sip.from_tag, message.sip.to_tag
            if message.sip.status:
                sender, receiver = receiver, sender
            call_id = message.sip.call_id
            found.add(call_id, names.get(call_id, ""), message, sdp, role, sender, receiver)
    for call in calls:
        for line in call.lines:
            for state in line.states:
                for description, media in _sides(state):
                    for data in found.of_media(call.call_id, description.sdp, media):
                        known = found.messages[call.call_id, id(description.sdp), data]
                        if line.id not in known.lines:
                            known.lines.append(line.id)
    return list(found.messages.values()), found.faults


class _Found:
    """Messages by the Call-ID and the description that they stand in."""

    def __init__(self) -> None:
        self.messages: dict[tuple[bytes, int, bytes], MikeyMessage] = {}
        self.seen: set[tuple[bytes, int]] = set()
        self.faults: list[KeyMgmtFault] = []

    def add(
        self,
        call_id: bytes,
        call: str,
        message: SignallingMessage,
        sdp: SessionDescription,
        role: str,
        party: bytes,
        peer: bytes,
    ) -> None:
        """What a description carries, unless it was seen in the same call."""
        if (call_id, id(sdp)) in self.seen:
            return
        self.seen.add((call_id, id(sdp)))
        for key_mgmt, sections, end in _carried(sdp):
            cut = end == WRAPPED or (end == LAST and body_is_cut(message.sip))
            if not key_mgmt.data:
                section = -1 if key_mgmt.session_level else sections[0]
                self.faults.append(KeyMgmtFault(message, call, section, key_mgmt.offset, key_mgmt.error, cut))
                continue
            name = (call_id, id(sdp), key_mgmt.data)
            known = self.messages.get(name)
            if known is not None:
                known.sections = tuple(dict.fromkeys((*known.sections, *sections)))
                continue
            sender, receiver = _identities(message)
            self.messages[name] = MikeyMessage(
                message.frames,
                message.time,
                key_mgmt.data,
                SDP + ("session" if key_mgmt.session_level else "media"),
                message.source,
                message.destination,
                call=call,
                sections=sections,
                party=party,
                peer=peer,
                sender_identities=sender,
                receiver_identities=receiver,
                signalling=message,
                description=sdp,
                role=role,
                protection=message.protection,
                cut=cut,
            )

    def of_media(self, call_id: bytes, sdp: SessionDescription, media: Media) -> Iterator[bytes]:
        """The octets of the messages that give keys to a section."""
        if ATTRIBUTE not in media.section.text and ATTRIBUTE not in media.session.text:
            return
        for key_mgmt in media.key_mgmt_in_force[:MAX_OF_SECTION]:
            if (call_id, id(sdp), key_mgmt.data) in self.messages:
                yield key_mgmt.data


def _parties(negotiation: Negotiation) -> Iterator[tuple[str, Description, bytes, bytes]]:
    yield "offer", negotiation.offer, negotiation.offerer_tag, negotiation.answerer_tag
    if negotiation.answer is not None:
        yield "answer", negotiation.answer, negotiation.answerer_tag, negotiation.offerer_tag


def _sides(state: LineState) -> Iterator[tuple[Description, Media]]:
    yield state.negotiation.offer, state.offered
    if state.answered is not None and state.negotiation.answer is not None:
        yield state.negotiation.answer, state.answered


def _carried(sdp: SessionDescription) -> Iterator[tuple[KeyMgmt, tuple[int, ...], str]]:
    """The MIKEY messages of a description, with the sections that each is for (RFC 4567 §3.1, §5.2), and its end."""
    if ATTRIBUTE in sdp.session.text:
        secure = tuple(each.index for each in sdp.media[:MAX_SECTIONS] if each.profile.secure and each.port)
        for key_mgmt in sdp.key_mgmt[:MAX_OF_SECTION]:
            if key_mgmt.protocol == b"mikey":
                yield key_mgmt, secure, _end(key_mgmt, sdp.session, last=not sdp.media)
    for media in sdp.media[:MAX_SECTIONS]:
        if ATTRIBUTE in media.section.text:
            for key_mgmt in media.key_mgmt[:MAX_OF_SECTION]:
                if key_mgmt.protocol == b"mikey":
                    yield key_mgmt, (media.index,), _end(key_mgmt, media.section, last=media is sdp.media[-1])


def _end(key_mgmt: KeyMgmt, section: Section, *, last: bool) -> str:
    """Whether its line is the last one, or goes on behind a line break."""
    at = key_mgmt.offset + key_mgmt.length - section.start
    behind = section.text[at : at + 8].lstrip(b"\r\n")
    if not behind:
        return LAST if last else ""
    return WRAPPED if behind[1:2] != b"=" else ""


def _identities(message: SignallingMessage) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Whom the SIP message is from and to, the asserted identity first (RFC 3325): of who sent it, and of the other."""
    sip = message.sip
    asserted = [uri_of(value) for value in sip.header(b"p-asserted-identity")[:4]]
    near, far = uri_of(sip.from_), uri_of(sip.to)
    if sip.status:
        near, far = far, near
    called = (sip.request_uri,) if sip.request_uri else ()
    return tuple(dict.fromkeys((*asserted, near))), tuple(dict.fromkeys((far, *called)))

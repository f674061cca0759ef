"""MIKEY messages of a trace: those in session descriptions of calls, and those that RTSP, HTTP and UDP carried.

Octets only: what they say is dissected where keys are looked for (imsinspect.keys).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.trace.model import MikeyMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.parse import KeyMgmt, Media
    from imsinspect.trace.model import Call, Description, LineState, SignallingMessage

MAX_OF_DESCRIPTION = 16  # MIKEY messages of one section that are followed


def of_calls(calls: list[Call]) -> list[MikeyMessage]:
    """The messages that the descriptions of calls carry, each with the media lines that it gives keys for."""
    out: dict[tuple[int, bytes], MikeyMessage] = {}
    for call in calls:
        for line in call.lines:
            for state in line.states:
                for description, media, party, peer in _sides(state):
                    for key_mgmt in media.key_mgmt_in_force[:MAX_OF_DESCRIPTION]:
                        if key_mgmt.data and key_mgmt.protocol == b"mikey":
                            name = (id(description.sdp), key_mgmt.data)
                            known = out.get(name)
                            if known is None:
                                known = out[name] = _message(call, description, key_mgmt, party, peer, media)
                            if line.id not in known.lines:
                                known.lines.append(line.id)
    return sorted(out.values(), key=lambda each: (each.time, each.frames[0]))


def _sides(state: LineState) -> Iterator[tuple[Description, Media, bytes, bytes]]:
    negotiation = state.negotiation
    yield negotiation.offer, state.offered, negotiation.offerer_tag, negotiation.answerer_tag
    if state.answered is not None and negotiation.answer is not None:
        yield negotiation.answer, state.answered, negotiation.answerer_tag, negotiation.offerer_tag


def _message(
    call: Call, description: Description, key_mgmt: KeyMgmt, party: bytes, peer: bytes, media: Media
) -> MikeyMessage:
    message = description.message
    sender, receiver = _identities(message)
    secure = [each.index for each in description.sdp.media if each.profile.secure and each.port]
    return MikeyMessage(
        message.frames,
        message.time,
        key_mgmt.data,
        "sdp session" if key_mgmt.session_level else "sdp media",
        message.source,
        message.destination,
        call=call.id,
        sections=tuple(secure) if key_mgmt.session_level else (media.index,),
        party=party,
        peer=peer,
        sender_identities=sender,
        receiver_identities=receiver,
    )


def _identities(message: SignallingMessage) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Whom the SIP message is from and to, the asserted identity first (RFC 3325): of who sent it, and of the other."""
    sip = message.sip
    asserted = [uri_of(value) for value in sip.header(b"p-asserted-identity")[:4]]
    near, far = uri_of(sip.from_), uri_of(sip.to)
    if sip.status:
        near, far = far, near
    called = (sip.request_uri,) if sip.request_uri else ()
    return tuple(dict.fromkeys((*asserted, near))), tuple(dict.fromkeys((far, *called)))

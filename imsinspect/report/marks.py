"""How one thing that passed was really protected, in the words and signs of `imsinspect calls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.report.calls import CLEAR, MIXED, NOT_ASSESSED, NULL, RTCP_CLEAR, SRTP, VERIFIED, verifies
from imsinspect.report.ladder_model import Mark
from imsinspect.report.protection import Level, failing, secured
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from imsinspect.trace.model import EspAssociation, KeyUse, MediaStream, RtcpSource, TlsSession

FAILS = "no valid tag"
HOP_TLS, ESP, ESP_NULL, SRTP_CLAIMED, EXPORTED, REFUSED = (
    "hop TLS", "ESP", "ESP-NULL", "SRTP claimed", "exported", "refused",
)  # fmt: skip

AGREED = "agreed"  # relation of a key that is the right one

MEANINGS = {
    CLEAR: "readable to anybody on the path",
    ESP: "inside ESP that encrypts",
    ESP_NULL: "inside ESP that does not encrypt: readable, only integrity",
    HOP_TLS: "inside TLS, for this hop only",
    "TLS": "a TLS handshake whose cipher encrypts",
    "DTLS": "a DTLS handshake whose cipher encrypts",
    NULL: "a cipher that does not encrypt: readable",
    SRTP_CLAIMED: "SRTP was agreed, and what passes could not be told",
    SRTP: "protected as far as sizes and structure show",
    VERIFIED: "every packet that was checked verifies with an agreed key",
    FAILS: "keys are known, and none verifies any packet",
    MIXED: "some packets readable, some protected",
    RTCP_CLEAR: "control packets in clear",
    EXPORTED: "exported by another program: what protected it on the wire is not in the capture",
    REFUSED: "a handshake that an alert ended",
    NOT_ASSESSED: "what passes could not be told",
}
BROKEN_MEANS = "although protection was agreed"

_OF_MESSAGES = {
    Protection.CLEAR: Mark(Level.CLEAR, CLEAR),
    Protection.ESP_NULL: Mark(Level.CLEAR, ESP_NULL),
    Protection.TLS_NULL: Mark(Level.BROKEN, NULL),
    Protection.EXPORTED: Mark(Level.UNKNOWN, EXPORTED),
}
_IN_TLS = frozenset(("tls", "dtls", "ws"))


def meaning(mark: Mark) -> str:
    """What a mark says, in words."""
    words = MEANINGS[mark.words]
    return (
        f"{words}, {BROKEN_MEANS}" if mark.level is Level.BROKEN and mark.words in (CLEAR, MIXED, RTCP_CLEAR) else words
    )


def of_message(protection: Protection, transport: str) -> Mark:
    """Of a message of SIP, MIKEY, MSRP or BFCP on its hop."""
    if protection is Protection.OPENED:
        return Mark(Level.SECURED, HOP_TLS if transport in _IN_TLS else ESP)
    return _OF_MESSAGES[protection]


def of_session(session: TlsSession) -> Mark:
    """Of a TLS or DTLS handshake."""
    level, _ = secured(session)
    words = {
        Level.SECURED: session.transport.upper(),
        Level.BROKEN: NULL,
        Level.ABSENT: REFUSED,
    }
    return Mark(level, words.get(level, NOT_ASSESSED))


def of_association(association: EspAssociation) -> Mark:
    """Of the packets of one SPI."""
    if association.null_encrypted == association.packets:
        return Mark(Level.CLEAR, ESP_NULL)
    return Mark(Level.CLEAR, MIXED) if association.null_encrypted else Mark(Level.SECURED, ESP)


def of_stream(stream: MediaStream, claimed: bool) -> Mark:
    """Of a media stream; `claimed`: its line agreed on protection."""
    readable = Level.BROKEN if claimed else Level.CLEAR
    part = stream.judgement.other_part
    kinds = {stream.kind, part.kind if part is not None else stream.kind}
    if kinds >= {"rtp", "srtp"}:
        return Mark(readable, MIXED)
    if "rtp" in kinds:
        return Mark(readable, CLEAR)
    if "srtp" in kinds:
        if stream.judgement.readable:
            return Mark(Level.BROKEN, NULL)
        fails = failing(stream.proof)
        if fails is not None:
            return Mark(fails, FAILS)
        return Mark(Level.SECURED, VERIFIED if verifies(stream.proof) else SRTP)
    return Mark(Level.UNKNOWN, SRTP_CLAIMED if claimed else NOT_ASSESSED)


def of_use(use: KeyUse) -> Mark:
    """Of packets that one key verifies."""
    return Mark(Level.SECURED, VERIFIED if use.relation == AGREED else SRTP)


def of_control(source: RtcpSource, claimed: bool) -> Mark:
    """Of the RTCP of one sender."""
    if source.plain:
        return Mark(Level.BROKEN if claimed else Level.CLEAR, MIXED if source.plain < source.packets else RTCP_CLEAR)
    if verifies(source.proof):
        return Mark(Level.SECURED, VERIFIED)
    fails = failing(source.proof)
    if fails is not None:
        return Mark(fails, FAILS)
    if source.layout is None:
        return Mark(Level.UNKNOWN, SRTP_CLAIMED if claimed else NOT_ASSESSED)
    if source.layout.encrypted is False:
        return Mark(Level.BROKEN, NULL)
    return Mark(Level.SECURED, SRTP)

"""Page-mode messages (RFC 3428) and the hop that each was captured on (TS 33.328 Annex F)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.trace.dialogs import way_of
from imsinspect.trace.identities import canonical, is_anonymous

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.trace.model import Registration, SignallingMessage

FROM_UE, TO_UE, CORE, UNKNOWN = "from ue", "to ue", "core", "unknown"
SMIME = (b"application/pkcs7-mime", b"application/x-pkcs7-mime", b"multipart/signed", b"multipart/encrypted")
CONTROL = frozenset((b"application/im-iscomposing+xml", b"message/imdn+xml", b"application/mikey"))
"""Bodies that are no message of a person: what is being typed, what was delivered, keys."""
CONTAINERS = (b"multipart/", b"message/cpim")
CHARGING = b"p-charging-vector"


@dataclass(slots=True, frozen=True)
class PageMessage:
    """A MESSAGE request with a body, on one hop."""

    message: SignallingMessage
    hop: str  # "from ue", "to ue", "core", "unknown"
    hop_known: bool  # by a registration; else by its Via and headers alone
    content_types: tuple[str, ...]  # of the body and of the parts in it that can be read
    protected: bool  # S/MIME
    control: bool  # no message of a person
    sender: str  # canonical, of From
    asserted: bool
    privacy: frozenset[str]
    anonymous: bool
    status: int = 0  # of its final answer; 0 where none was seen


def build_pages(messages: Sequence[SignallingMessage], registrations: Sequence[Registration]) -> list[PageMessage]:
    """All page-mode messages with a body, retransmissions left out, in time order."""
    pages = [each for each in messages if each.sip.method == b"MESSAGE" and each.sip.body and not each.retransmission]
    if not pages:
        return []
    answers: dict[tuple[bytes, int, object], int] = {}
    for message in messages:
        sip = message.sip
        if sip.cseq_method == b"MESSAGE" and sip.status >= 200:
            way = way_of(message)
            answers.setdefault((sip.call_id, sip.cseq, (way[1], way[0])), sip.status)
    hosts = _hosts_of_ues(registrations)
    return [_page(message, hosts, answers) for message in pages]


def _hosts_of_ues(registrations: Sequence[Registration]) -> dict[str, set[str]]:
    """Addresses that registered on a first hop, each with the addresses that it registered at."""
    out: dict[str, set[str]] = {}
    for registration in registrations:
        for message in registration.messages:
            sip = message.sip
            if sip.method == b"REGISTER" and _vias(message) == 1 and not sip.header(b"path"):
                out.setdefault(message.source.ip, set()).add(message.destination.ip)
    return out


def _vias(message: SignallingMessage) -> int:
    return len(message.sip.header_values(b"via"))


def _page(
    message: SignallingMessage, hosts: dict[str, set[str]], answers: dict[tuple[bytes, int, object], int]
) -> PageMessage:
    sip = message.sip
    hop, known = _hop(message, hosts)
    parts = sip.bodies()
    types = [part.content_type for part in parts]
    sealed = bool(message.sealed) or any(each in SMIME for each in types)
    inner = [each for each in types if not each.startswith(CONTAINERS)] or types
    privacy = frozenset(
        word.strip().decode("ascii", "replace").lower() for row in sip.header(b"privacy") for word in row.split(b";")
    )
    return PageMessage(
        message,
        hop,
        known,
        tuple(dict.fromkeys(each.decode("ascii", "backslashreplace") for each in types)),
        sealed,
        control=all(each in CONTROL for each in inner) or _notification(message),
        sender=canonical(uri_of(sip.from_)),
        asserted=bool(sip.header(b"p-asserted-identity")),
        privacy=privacy - {""},
        anonymous=is_anonymous(uri_of(sip.from_)),
        status=answers.get((sip.call_id, sip.cseq, way_of(message)), 0),
    )


def _notification(message: SignallingMessage) -> bool:
    """A CPIM message that holds nothing but a disposition notification (RFC 5438 §7)."""
    body = message.sip.body
    return message.sip.content_type == b"message/cpim" and b"message/imdn+xml" in body.lower()


def _hop(message: SignallingMessage, hosts: dict[str, set[str]]) -> tuple[str, bool]:
    """Which hop a request was captured on, and whether a registration shows it."""
    source, destination = message.source.ip, message.destination.ip
    if destination in hosts.get(source, ()):
        return FROM_UE, True
    if source in hosts.get(destination, ()):
        return TO_UE, True
    sip = message.sip
    if sip.header(CHARGING):
        return CORE, False
    if _vias(message) == 1 and not sip.header(b"p-asserted-identity"):
        return FROM_UE, False
    return UNKNOWN, False

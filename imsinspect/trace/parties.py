"""What the ends of a call's signalling are called: parties by their URIs, proxies by the names that they give
themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import uri_of
from imsinspect.trace.identities import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.parse import SipMessage
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.trace.model import SignallingMessage

MOST_ASKED = 64  # messages of one end; what these do not tell, later ones hardly do


def names_of_ends(messages: Iterable[SignallingMessage]) -> dict[Endpoint, bytes]:
    """The URI of From or To where an end sends from the address of its own Contact, and no proxy stands behind it; else
    the host of its own Via, where that is a name. Ends of which nothing tells are missing."""
    parties: dict[Endpoint, bytes] = {}
    proxies: dict[Endpoint, bytes] = {}
    asked: dict[Endpoint, int] = {}
    for message in messages:
        source, sip = message.source, message.sip
        if source in parties or message.retransmission or asked.get(source, 0) >= MOST_ASKED:
            continue
        asked[source] = asked.get(source, 0) + 1
        own = sip.from_ if sip.is_request else sip.to
        vias = sip.header_values(b"via") if sip.is_request else []
        if len(vias) <= 1 and source.ip in _hosts_of_contact(sip):
            parties[source] = uri_of(own)
        elif vias and source not in proxies and (host := _sent_by(vias[0])) and not _is_address(host):
            proxies[source] = host
    return proxies | parties


def _hosts_of_contact(sip: SipMessage) -> set[str]:
    return {
        canonical(uri_of(value)).rpartition("@")[2].strip("[]") for value in sip.header_values(b"contact")[:MOST_ASKED]
    }


def _sent_by(via: bytes) -> bytes:
    """The host of `SIP/2.0/UDP host:port;branch=…` (RFC 3261 §20.42)."""
    words = via.partition(b";")[0].split()
    host = words[-1] if len(words) > 1 else b""
    return host if host.startswith(b"[") else host.partition(b":")[0]


def _is_address(host: bytes) -> bool:
    return host.startswith(b"[") or not host.strip(b"0123456789.")

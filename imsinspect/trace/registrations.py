"""Registrations from REGISTER messages, with the security agreements made in them (RFC 3261 §10, RFC 3329,
TS 24.229 §5.1.1, §7.2A.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import parameters, security_mechanisms, uri_of
from imsinspect.trace.model import Registration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.parse import SecurityMechanism, SipMessage
    from imsinspect.trace.model import SignallingMessage

CLIENT, SERVER, VERIFY = b"security-client", b"security-server", b"security-verify"


def build_registrations(messages: Iterable[SignallingMessage]) -> list[Registration]:
    """One record for each identity (To) and contact, with all REGISTER messages of it on all hops, in time order."""
    out: list[Registration] = []
    by_contact: dict[tuple[bytes, bytes], Registration] = {}
    by_call_id: dict[tuple[bytes, bytes], Registration] = {}
    for message in messages:
        sip = message.sip
        if sip.cseq_method != b"REGISTER" and sip.method != b"REGISTER":
            continue
        identity = uri_of(sip.to)
        contact = _contact(sip) if sip.method else b""
        found = by_contact.get((identity, contact)) if contact else None
        if found is None:
            found = by_call_id.get((identity, sip.call_id))
        if found is None:
            found = Registration(f"registration-{len(out) + 1}", identity, (), ())
            out.append(found)
        by_call_id.setdefault((identity, sip.call_id), found)
        if contact:
            by_contact.setdefault((identity, contact), found)
        found.messages.append(message)
    for registration in out:
        _agree(registration)
    return out


def _contact(sip: SipMessage) -> bytes:
    """What names the contact over time: its instance (RFC 5626 §4.1), else its address; b"" if there is none."""
    rows = sip.header_values(b"contact")
    if not rows or rows[0] == b"*":
        return b""
    instance = parameters(rows[0]).get(b"+sip.instance", b"")
    return instance or uri_of(rows[0]).partition(b";")[0]


def _agree(registration: Registration) -> None:
    """What the network demands, and the media security that both sides named."""
    named: set[bytes] = set()
    security: dict[str, None] = {}
    offered: dict[bytes, None] = {}
    for message in registration.messages:
        head = message.sip.head
        if b"ecurity-" not in head and b"ECURITY-" not in head:
            continue
        for header in (CLIENT, VERIFY):
            named.update(each.name for each in _mechanisms(message.sip, header) if each.mediasec)
        for each in _mechanisms(message.sip, SERVER):
            if each.mediasec:
                offered[each.name] = None
            else:
                security[each.name.decode("ascii", "backslashreplace")] = None
    registration.security = tuple(security)
    registration.mediasec = tuple(name.decode("ascii", "backslashreplace") for name in offered if name in named)


def _mechanisms(sip: SipMessage, header: bytes) -> list[SecurityMechanism]:
    return [each for row in sip.header(header) for each in security_mechanisms(row)]

"""Registrations from REGISTER messages, with the security agreements made in them (RFC 3261 §10, RFC 3329,
TS 24.229 §5.1.1, §7.2A.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.sip.parse import parameters, security_mechanisms, uri_of
from imsinspect.trace.model import MediaIndication, Place, Registration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.parse import SipMessage
    from imsinspect.trace.model import SignallingMessage

SERVER = b"security-server"
HEADERS = {b"security-client": "Security-Client", SERVER: "Security-Server", b"security-verify": "Security-Verify"}


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
    """What the network demands, the media security that each side names, and when the binding lasted.

    A UE says what it supports in Security-Client; Security-Verify repeats what the network listed, and counts where no
    Security-Client was seen.
    """
    security: dict[str, None] = {}
    removing: set[tuple[bytes, int]] = set()
    for message in registration.messages:
        _bind(registration, message, removing)
        head = message.sip.head
        if b"ecurity-" not in head and b"ECURITY-" not in head:
            continue
        for header, name in HEADERS.items():
            rows = message.sip.header(header)
            if not rows:
                continue
            listed = [each for row in rows for each in security_mechanisms(row)]
            if header == SERVER:
                security |= dict.fromkeys(_text(each.name) for each in listed if not each.mediasec)
            ends = (message.source, message.destination)
            registration.indications.append(
                MediaIndication(
                    name,
                    tuple(dict.fromkeys(_text(each.name) for each in listed if each.mediasec)),
                    message.frame,
                    message.time,
                    *(ends if message.sip.method else ends[::-1]),
                )
            )
    named = {header: _named(registration, header) for header in HEADERS.values()}
    own = named["Security-Client"] or named["Security-Verify"]
    registration.security = tuple(security)
    registration.mediasec = tuple(name for name in named["Security-Server"] if name in own)


def _named(registration: Registration, header: str) -> dict[str, None]:
    """Everything that a header ever listed."""
    return dict.fromkeys(name for each in registration.indications if each.header == header for name in each.mechanisms)


def _bind(registration: Registration, message: SignallingMessage, removing: set[tuple[bytes, int]]) -> None:
    """Follow how the binding begins and ends; `removing` names requests that remove it (RFC 3261 §10.2.2)."""
    sip = message.sip
    transaction = (sip.call_id, sip.cseq)
    if sip.method:
        if _lifetime(sip) == b"0":
            removing.add(transaction)
    elif 200 <= sip.status < 300:
        place = Place(message.frame, message.time)
        (registration.removed if transaction in removing else registration.accepted).append(place)


def _lifetime(sip: SipMessage) -> bytes:
    """Seconds that a REGISTER asks for, its first contact's own before those of Expires; b"" if it names none."""
    contacts = sip.header_values(b"contact")
    own = parameters(contacts[0]).get(b"expires") if contacts and b"xpires" in contacts[0] else None
    rows = sip.header(b"expires")
    return own if own is not None else rows[0] if rows else b""


def _text(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")

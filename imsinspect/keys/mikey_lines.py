"""Keys that MIKEY gives to media lines: the messages of a trace opened with the keys at hand, their sessions mapped.

In SDP each m= line takes two crypto sessions, one for each direction, in the order of the lines (RFC 4567 §7.1); which
of the two is which direction is not said, so both are tried for both. A message of another number of sessions gives all
of its keys to all of its lines.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from dissectors.mikey.layers import MIKEY
from imsinspect.crypto.srtp import SrtpParameters
from imsinspect.keys.candidates import hosts
from imsinspect.keys.mikey import MikeySecrets, Sent, open_messages
from imsinspect.trace.mikey import SDP
from imsinspect.trace.model import KeyPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.mikey.policies import SRTPParameters
    from imsinspect.keys.mikey import OpenedMessage
    from imsinspect.keys.mikey_records import SessionKeys
    from imsinspect.keys.ring import KeyRing, RingKey
    from imsinspect.trace.model import MikeyMessage, Trace

CIPHERS = {0: "NULL", 1: "AES-CM", 2: "AES-f8", 6: "AES-GCM"}  # RFC 3830 §6.10.1.b, RFC 7714 §14.3
SRTP = 0  # Prot type (RFC 3830 §6.10)
LEAST_SRTCP_TAG = 10  # octets; a shorter tag of SRTP is not that of SRTCP (RFC 3711 §5.2)
LIFETIME = 1 << 48
MAX_MESSAGES = 20_000  # that are opened
PER_LINE = 2  # crypto sessions (RFC 4567 §7.1)
# Data types that the answering side of an exchange sends (RFC 3830 §6.1, RFC 4650, RFC 4738, RFC 6043 §6.1)
ANSWERS = frozenset((1, 3, 5, 8, 10, 13, 15, 18))


class LineKey(NamedTuple):
    """A key of a crypto session, and the line it is for; None: RTSP, or another carrier without lines."""

    line: str | None
    key: RingKey
    place: KeyPlace
    hosts: tuple[str, str]


class PreShared(NamedTuple):
    """A TEK of a crypto session of another protocol than SRTP, which TLS takes as its PSK (TS 33.328 Annex H)."""

    tek: bytes
    message: MikeyMessage


def open_all(trace: Trace, secrets: MikeySecrets | None, ring: KeyRing) -> tuple[list[LineKey], list[PreShared]]:
    """Open the trace's messages, put what was found into them, and the keys into the ring."""
    by_octets: dict[bytes, list[MikeyMessage]] = {}
    for message in trace.mikey[:MAX_MESSAGES]:
        by_octets.setdefault(message.data, []).append(message)
    sent = [_sent(octets, messages[0]) for octets, messages in by_octets.items()]
    lines: list[LineKey] = []
    shared: list[PreShared] = []
    results = open_messages(sent, secrets or MikeySecrets())
    right = {key for opened in results for key in (opened.mac.key, opened.signature.key) if key}
    for opened, messages in zip(results, by_octets.values(), strict=True):
        for message in messages:
            _tell(message, opened, right)
            lines += _keys(message, opened, ring)
            shared += [PreShared(each.tek, message) for each in opened.sessions if each.prot_type != SRTP and each.tek]
    for message in trace.mikey:
        message.dissected = None
    return lines, shared


def _sent(octets: bytes, message: MikeyMessage) -> Sent:
    """Who is who of the exchange: who sends an answer is the Responder."""
    layer, facts = message.dissected or (MIKEY(octets), None)
    sender, receiver = message.sender_identities, message.receiver_identities
    if layer.data_type in ANSWERS:
        sender, receiver = receiver, sender
    return Sent(layer, octets, sender, receiver, facts=facts)


def _tell(message: MikeyMessage, opened: OpenedMessage, right: set[str]) -> None:
    """What the keys at hand make of a message; `right` are those that verify some message."""
    message.kind, message.csb_id, message.opened = opened.kind, opened.csb_id, opened.opened
    known = opened.mac if opened.mac.algorithm or opened.mac.verified is not None else opened.signature
    message.authentic, message.authentication, message.key = known.verified, str(known), known.key
    if known.verified and known.algorithm == "NULL":
        message.authentic = None
    message.remarks = (*opened.readings, *opened.remarks)
    message.tried, message.mac_found, message.mac_computed = known.tried, known.found, known.computed
    of_ticket = opened.ticket is not None and bool(opened.ticket.mac.verified)
    message.key_is_right = known.verified is False and (
        of_ticket or opened.decrypts or not right.isdisjoint(known.tried)
    )


def _keys(message: MikeyMessage, opened: OpenedMessage, ring: KeyRing) -> Iterator[LineKey]:
    sessions = [each for each in opened.sessions if each.prot_type == SRTP]
    numbers = sorted({each.cs_id for each in sessions})
    between = hosts(message.source.ip, message.destination.ip)
    strict = len(numbers) == PER_LINE * len(message.sections)
    for session in sessions:
        place = KeyPlace(
            "mikey", message.frames[0], f"MIKEY {session.key_type}, crypto session {session.cs_id}", message.call,
            source=session.source,
        )  # fmt: skip
        key = _add(session, ring, place)
        if key is None:
            continue
        if not message.lines:
            if message.carrier.startswith(SDP):
                continue  # an offer that was refused
            yield LineKey(None, key, replace(place, begins=message.time), between)
        which = numbers.index(session.cs_id) // PER_LINE
        for name in message.lines:
            index = int(name.rpartition("/")[2])
            if strict and message.sections[which] != index:
                continue
            party = b""
            if session.sender:
                answer = opened.data_type in ANSWERS
                party = message.party if (session.sender == "responder") == answer else message.peer
            mapped = replace(place, line=name, party=party, begins=message.time)
            key.places.append(mapped)
            yield LineKey(name, key, mapped, between)


def _add(session: SessionKeys, ring: KeyRing, place: KeyPlace) -> RingKey | None:
    policy = session.policy
    parameters = parameters_of(policy, len(session.tek), len(session.salt)) if policy is not None else None
    if policy is None or parameters is None:
        return None
    salt = session.salt or bytes(parameters.salt_octets)  # RFC 3711 §3.2.1
    ssrc = session.ssrc or None  # 0: not chosen by the Initiator (RFC 3830 §6.1.1)
    return ring.add(
        session.tek + salt,
        parameters,
        policy.suite or str(policy),
        place,
        mki=session.mki,
        lifetime=LIFETIME,
        ssrc=ssrc,
        roc=session.roc if ssrc else None,
    )


def parameters_of(policy: SRTPParameters, key_octets: int, salt_octets: int) -> SrtpParameters | None:
    """How an SRTP policy applies a TEK; None where its algorithms are not supported (RFC 3830 §6.10.1)."""
    cipher = CIPHERS.get(policy.encryption_algorithm)
    rate = policy.key_derivation_rate
    if cipher is None or rate & (rate - 1):
        return None
    tag = policy.srtp_tag_length if policy.authenticated else 0
    srtcp_tag = policy.srtcp_tag_length
    if policy.aead:
        tag = srtcp_tag = policy.aead_tag_length
    try:
        return SrtpParameters(
            cipher,
            key_octets,
            salt_octets or policy.salt_length,
            tag,
            srtcp_tag if policy.aead else max(srtcp_tag, LEAST_SRTCP_TAG),
            key_derivation_rate=rate,
            encrypt_srtp=policy.confidential or policy.aead,
            encrypt_srtcp=policy.srtcp_encryption and policy.encryption_algorithm != 0,
        )
    except ValueError:
        return None

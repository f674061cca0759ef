"""Certificates of handshakes beside the fingerprints of session descriptions (RFC 8122 §5, §6.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.sdp.parse import FINGERPRINT_OCTETS
from imsinspect.rules.e2ae.edge import ANSWERER, OFFERER
from imsinspect.rules.facts import GRACE, not_assessed, text
from imsinspect.rules.outcome import Outcome, Subject
from imsinspect.rules.rule import once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sdp.parse import Fingerprint, Media
    from imsinspect.capture.frames import FrameId
    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import (
        Call,
        CertificateInfo,
        Description,
        LineState,
        MediaLine,
        Place,
        TlsSession,
        Trace,
    )

WEAK = frozenset((b"md2", b"md5", b"sha-1"))

_HASHES = {
    b"md5": "md5",
    b"sha-1": "sha1",
    b"sha-224": "sha224",
    b"sha-256": "sha256",
    b"sha-384": "sha384",
    b"sha-512": "sha512",
    b"shake128": "shake_128",
    b"shake256": "shake_256",
}
"""Names in hashlib; MD2 is not among them."""


def fingerprint_of(der: bytes, hash_function: bytes) -> bytes:
    """The fingerprint of a certificate; b"" for a hash function that cannot be computed."""
    name = _HASHES.get(hash_function)
    if name is None:
        return b""
    computed = hashlib.new(name, der, usedforsecurity=False)
    if name.startswith("shake"):
        return computed.digest(FINGERPRINT_OCTETS[hash_function])  # type: ignore[call-arg]
    return computed.digest()


def computable(fingerprints: Iterable[Fingerprint]) -> tuple[Fingerprint, ...]:
    """Those that a certificate can be compared with."""
    return tuple(each for each in fingerprints if not each.error and each.hash_function in _HASHES)


def matches(certificate: CertificateInfo, fingerprints: Iterable[Fingerprint]) -> bool:
    """The certificate is one of those that the fingerprints name."""
    return any(fingerprint_of(certificate.der, each.hash_function) == each.digest for each in fingerprints)


def values(fingerprints: Iterable[Fingerprint]) -> frozenset[tuple[bytes, bytes]]:
    """Hash functions and digests, to be compared."""
    return frozenset((each.hash_function, each.digest) for each in fingerprints if each.digest)


def short(hash_function: bytes, digest: bytes) -> str:
    """A fingerprint in a few octets."""
    return f"{text(hash_function)} " + ":".join(f"{octet:02X}" for octet in digest[:4]) + "…"


def shortened(fingerprints: Iterable[Fingerprint]) -> str:
    """Several of them."""
    return ", ".join(short(each.hash_function, each.digest) for each in list(fingerprints)[:4])


@dataclass(slots=True, frozen=True)
class Party:
    """One side of a line in a TLS session of it."""

    tag: bytes  # of the dialog
    client: bool
    certificates: list[CertificateInfo]  # that it presented, the end entity's first
    frame: FrameId | None  # of its Certificate message
    data: Place | None  # that it sent first behind the handshake
    peer_data: Place | None


@once
def _of_several_calls(trace: Trace, scene: Scene) -> frozenset[str]:
    """Sessions that lines of calls which are no legs of one another may have announced."""
    owners: dict[str, Call] = {}
    out: set[str] = set()
    for call in trace.calls:
        for line in call.lines:
            for session in line.tls_sessions:
                owner = owners.setdefault(session.id, call)
                if owner is not call and call.id not in owner.related:
                    out.add(session.id)
    return frozenset(out)


def sessions_of(trace: Trace, scene: Scene, line: MediaLine) -> list[TlsSession]:
    """The sessions of a line that can be no other call's."""
    shared = _of_several_calls(trace, scene)
    return [session for session in line.tls_sessions if session.id not in shared]


def no_session(line: MediaLine, what: str) -> Outcome:
    """The outcome for a line none of whose sessions are known: not captured, or perhaps another call's."""
    subject = Subject("media", line.id)
    if line.tls_sessions:
        return not_assessed(subject, "T-NAT", "the addresses of a connection fit the lines of several calls")
    return not_assessed(subject, "N-HS", what)


def parties(line: MediaLine, session: TlsSession, states: list[LineState]) -> tuple[Party, ...]:
    """Both sides of a session, by the addresses that they announced; () where those do not tell them apart."""
    server = line.tls_servers.get(session.id, b"")
    tags = {tag for state in states for tag in (state.negotiation.offerer_tag, state.negotiation.answerer_tag)}
    if server not in tags or len(tags) != 2:
        return ()
    (client,) = tags - {server}
    by_server, by_client = session.server_data, session.client_data
    if session.transport == "dtls":
        by_server, by_client = by_server or _media(line, session, server), by_client or _media(line, session, client)
    return (
        Party(
            server, False, session.server_certificates, session.server_certificate_frame, by_server, by_client
        ),
        Party(
            client, True, session.client_certificates, session.client_certificate_frame, by_client, by_server
        ),
    )  # fmt: skip


def _media(line: MediaLine, session: TlsSession, tag: bytes) -> Place | None:
    """Media that a party sent behind a DTLS handshake, whose keys it uses."""
    if session.completed is None:
        return None
    since = session.completed.time
    for use in line.streams:
        stream = use.stream
        if use.party == tag and stream.last.time > since and getattr(stream, "kind", "") != "rtp":
            return stream.first if stream.first.time > since else stream.last
    return None


def states_at(line: MediaLine, session: TlsSession) -> list[LineState]:
    """States that may have been in force when the handshake of a session ran, the newest last."""
    first, last = session.first.time, (session.completed or session.last).time
    return [
        state
        for state in line.states
        if state.answered is not None and state.begins <= last and (state.ends is None or state.ends + GRACE >= first)
    ]


def role_of(tag: bytes, state: LineState) -> str:
    """The role of a party in one exchange; "" for a stranger."""
    negotiation = state.negotiation
    return OFFERER if negotiation.offerer_tag == tag else ANSWERER if negotiation.answerer_tag == tag else ""


def description_of(tag: bytes, state: LineState) -> tuple[Media, Description] | None:
    """What a party says of a line in one exchange, and the description that it stands in."""
    negotiation = state.negotiation
    role = role_of(tag, state)
    if role == OFFERER:
        return state.offered, negotiation.offer
    if role == ANSWERER and state.answered is not None and negotiation.answer is not None:
        return state.answered, negotiation.answer
    return None


def signalled(tag: bytes, states: list[LineState]) -> tuple[tuple[Fingerprint, ...], FrameId]:
    """The fingerprints that a party may be known by, and the frame of the newest description; with those of the other
    sections where they share one transport (RFC 9143 §7)."""
    found: dict[tuple[bytes, bytes], Fingerprint] = {}
    frame = 0
    for state in states:
        said = description_of(tag, state)
        if said is None:
            continue
        media, description = said
        bundled = b"BUNDLE" in description.sdp.session.text
        for each in description.sdp.media if bundled else (media,):
            for fingerprint in each.fingerprints:
                found.setdefault((fingerprint.hash_function, fingerprint.digest), fingerprint)
                frame = description.message.frame
    return tuple(found.values()), frame

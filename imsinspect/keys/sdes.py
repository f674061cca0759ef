"""Keys of SDP security descriptions: what an a=crypto line says protects the media that its author sends (RFC 4568)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from imsinspect.keys.ring import parameters_of
from imsinspect.trace.model import KeyPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.sdp.crypto import Crypto, InlineKey
    from imsinspect.crypto.srtp import SrtpParameters
    from imsinspect.keys.ring import KeyRing, RingKey
    from imsinspect.trace.model import Call, LineState, MediaLine, Negotiation

FEC_KEY = "FEC_KEY"  # ends the field of a place that is of forward error correction (RFC 4568 §6.3.4)
MAX_KDR = 24  # exponent of the key derivation rate (RFC 4568 §6.3.1)
MAX_LINES = 32  # of a=crypto lines of one section whose keys are tried
MAX_KEYS = 32  # of one a=crypto line
MAX_REFUSED = 16  # offers of one call
MAX_MKI = 128  # octets (RFC 4568 §6.1)


def line_keys(line: MediaLine, ring: KeyRing) -> list[tuple[RingKey, KeyPlace]]:
    """The keys that both sides of a media line named, state by state, each with its place."""
    out: list[tuple[RingKey, KeyPlace]] = []
    answered = any(state.answered is not None for state in line.states)
    for state in line.states:
        negotiation = state.negotiation
        chosen = _chosen(state, answer_unseen=not answered and not negotiation.rejected)
        sides = [(state.offered, negotiation.offer.message.frame, negotiation.offerer_tag, state.begins)]
        if state.answered is not None and negotiation.answer is not None:
            answered_at = state.answered_at if state.answered_at is not None else state.begins
            sides.append((state.answered, negotiation.answer.message.frame, negotiation.answerer_tag, answered_at))
        for media, frame, party, begins in sides:
            for crypto in media.crypto[:MAX_LINES]:
                place = KeyPlace(
                    "sdes", frame, f"a=crypto:{crypto.tag}", line.call, line.id, party, crypto.tag in chosen, begins
                )
                out += _keys(crypto, place, ring)
    return out


def refused_keys(call: Call, ring: KeyRing) -> dict[int, list[tuple[RingKey, KeyPlace]]]:
    """The keys of offers that were refused, by the identity of the lines whose author may use them all the same."""
    out: dict[int, list[tuple[RingKey, KeyPlace]]] = {}
    for negotiation in [each for each in call.negotiations if each.rejected][:MAX_REFUSED]:
        offer = negotiation.offer
        for line in call.lines:
            tags = {tag for state in line.states for tag in _tags(state.negotiation)}
            if negotiation.offerer_tag not in tags or line.index >= len(offer.sdp.media):
                continue
            for crypto in offer.sdp.media[line.index].crypto[:MAX_LINES]:
                name = f"a=crypto:{crypto.tag}"
                party, begins = negotiation.offerer_tag, offer.message.time
                place = KeyPlace("sdes", offer.message.frame, name, call.id, line.id, party, False, begins)
                out.setdefault(id(line), []).extend(_keys(crypto, place, ring))
    return out


def _tags(negotiation: Negotiation) -> tuple[bytes, bytes]:
    return negotiation.offerer_tag, negotiation.answerer_tag


def _chosen(state: LineState, *, answer_unseen: bool) -> set[int]:
    """Tags of the a=crypto lines that are agreed (RFC 4568 §5.1.2): that of the answer's first line.

    Of a line whose answer was never seen any offered key may be the one.
    """
    if state.answered is not None:
        return {crypto.tag for crypto in state.answered.crypto[:1]} if state.accepted else set()
    return {crypto.tag for crypto in state.offered.crypto} if answer_unseen else set()


def _keys(crypto: Crypto, place: KeyPlace, ring: KeyRing) -> Iterator[tuple[RingKey, KeyPlace]]:
    parameters = _parameters(crypto)
    suite = crypto.crypto_suite
    for keys, where in ((crypto.keys, place), (crypto.fec_keys, replace(place, field=f"{place.field} {FEC_KEY}"))):
        for each in keys[:MAX_KEYS]:
            found = None
            if parameters is not None and suite is not None:
                lifetime = each.lifetime if each.lifetime is not None else suite.srtp_lifetime
                found = ring.add(each.key_salt, parameters, suite.name, where, mki=_mki(each), lifetime=lifetime)
            if found is not None:
                yield found, where
            elif each.key_salt:
                ring.not_applied.setdefault(hashlib.sha256(each.key_salt).hexdigest(), []).append(where)


def _mki(key: InlineKey) -> bytes:
    """The MKI as it stands in the packets; one that does not fit its own length is cut (the line is invalid)."""
    if key.mki is None or not 0 < key.mki_length <= MAX_MKI:
        return b""
    return (key.mki & (1 << 8 * key.mki_length) - 1).to_bytes(key.mki_length, "big")


def _parameters(crypto: Crypto) -> SrtpParameters | None:
    """How the keys of a line are applied, session parameters included (RFC 4568 §6.3)."""
    suite = crypto.crypto_suite
    parameters = parameters_of(suite) if suite is not None else None
    if suite is None or parameters is None:
        return None
    rate = 0
    for word in crypto.session_params:
        name, _, value = word.partition(b"=")
        if name.upper() == b"KDR" and value.isdigit() and len(value) <= 2 and int(value) <= MAX_KDR:
            rate = 1 << int(value)
    return replace(
        parameters,
        key_derivation_rate=rate,
        encrypt_srtp=suite.aead or not crypto.unencrypted_srtp,
        encrypt_srtcp=not crypto.unencrypted_srtcp,
        srtp_tag_octets=0 if crypto.unauthenticated_srtp and not suite.aead else parameters.srtp_tag_octets,
    )

"""Keys at hand, held against what a MIKEY message is protected by. Nothing here raises on what a message says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dissectors.binary import notes
from dissectors.mikey import codes
from dissectors.mikey.payload.layers import CERT, KEMAC, SIGN, KeyData
from imsinspect.crypto import mikey, mikey_protection
from imsinspect.crypto.mikey_protection import (
    AES_KW_128,
    AUTHENTICATION_BITS,
    ENCRYPTION_BITS,
    HMAC_SHA_1_160,
    NULL,
    NULL_MAC,
    timestamp_64,
)
from imsinspect.keys.mikey_octets import own_mac
from imsinspect.keys.mikey_records import MAC_SHOWN, MikeyKey, Verification, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from imsinspect.keys.mikey_bundles import Seen
    from imsinspect.keys.mikey_octets import Octets
    from imsinspect.keys.mikey_records import OpenedMessage

_IDENTITY = re.compile(r"^(?:sips?|tel|im|pres):|@", re.IGNORECASE)
_MAX_PADDING = 8  # octets that AES-KW may have been filled up with
MAX_KEYS_READ = 64  # keys of one KEMAC


class Reading(NamedTuple):
    """Octets with a word for how the specifications were read to get them; empty where there is only one way."""

    octets: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """A key that may open a message."""

    role: str
    key: bytes = field(repr=False)
    name: str = ""
    meant: bool = True  # for this message: else that it does not fit says nothing
    shown: str = ""  # digest that stands for it, where that is not its own

    @property
    def digest(self) -> str:
        """What it is compared by."""
        return self.shown or digest(self.key)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying keys: the verification, and the key and context that did it."""

    verification: Verification
    holding: Holding | None = None
    context: bytes = field(default=b"", repr=False)
    readings: tuple[str, ...] = ()


def pre_shared(psk: Mapping[str, bytes], identities: Iterable[bytes]) -> list[Holding]:
    """Pre-shared keys, those named by an identity of the message first. One named by somebody else's is not meant."""
    parties = {_bare(one.decode("utf-8", "replace")) for one in identities}
    parties.discard("")
    named, others, strangers = [], [], []
    for name, key in psk.items():
        holding = Holding("PSK", key, name)
        if _bare(name) in parties:
            named.append(holding)
        elif _IDENTITY.search(name) and parties:
            strangers.append(replace(holding, meant=False))
        else:
            others.append(holding)
    if named:
        others = [replace(one, meant=False) for one in others]
    return named + others + strangers


def _bare(identity: str) -> str:
    """An identity without scheme and parameters, for comparison only."""
    return re.sub(r"^(?:sips?|tel|im|pres):", "", identity.strip().casefold()).partition(";")[0]


def verify(
    function: int,
    mac_alg: int,
    value: bytes,
    holdings: Sequence[Holding],
    contexts: Sequence[Reading],
    covered: Sequence[Reading],
) -> Trial:
    """Tries every key with every reading of context and coverage, until the MAC is right."""
    name = codes.MAC_ALGORITHMS.get(mac_alg, f"unknown ({mac_alg})")
    if mac_alg == NULL_MAC or not AUTHENTICATION_BITS.get(mac_alg) or not mikey.known_prf(function):
        return Trial(Verification(None, name))
    likeliest = b""
    for holding in holdings:
        for context in contexts:
            bits = AUTHENTICATION_BITS[mac_alg]
            key = mikey.derive(function, holding.key, mikey.AUTHENTICATION_KEY, context.octets, bits)
            for octets in covered:
                computed = mikey_protection.mac(mac_alg, key, octets.octets)
                if holding.meant and not likeliest:
                    likeliest = computed
                if computed == value:
                    found = Verification(True, name, octets.name, holding.digest, holding.role, holding.name)
                    return Trial(found, holding, context.octets, tuple(filter(None, (context.name,))))
    tried = tuple(dict.fromkeys(one.digest for one in holdings if one.meant))
    possible = bool(tried and contexts and covered)
    if not possible:
        return Trial(Verification(None, name))
    shown = value[:MAC_SHOWN].hex(), likeliest[:MAC_SHOWN].hex()
    return Trial(Verification(False, name, tried=tried, found=shown[0], computed=shown[1]))


# --- KEMAC ----------------------------------------------------------------------------------------


def open_kemac(
    kemac: KEMAC, function: int, inkey: bytes, context: bytes, csb_id: int, timestamps: Sequence[tuple[int, bytes, str]]
) -> tuple[list[MikeyKey], tuple[str, ...]] | None:
    """The keys of a KEMAC, with the readings that gave them. None where no reading gives sound Key data."""
    data, encr_alg = bytes(kemac.encr_data or b""), kemac.encr_alg
    if encr_alg not in ENCRYPTION_BITS or not mikey.known_prf(function):
        return None
    if encr_alg == NULL:
        return _keys(kemac, data) or _keys(kemac, data, exact=False)
    keys = mikey_protection.message_keys(function, inkey, context, encr_alg, NULL_MAC)
    if encr_alg == AES_KW_128:
        plain = mikey_protection.decrypt(encr_alg, keys, csb_id, bytes(8), data)
        return _keys(kemac, plain, padded=True) if plain is not None else None
    for ts_type, octets, name in timestamps:
        timestamp = timestamp_64(ts_type, octets)
        plain = mikey_protection.decrypt(encr_alg, keys, csb_id, timestamp, data) if timestamp is not None else None
        found = _keys(kemac, plain) if plain is not None else None
        if found is not None:
            return found[0], found[1] + ((name,) if name else ())
    return None


def _keys(
    kemac: KEMAC, plain: bytes, *, exact: bool = True, padded: bool = False
) -> tuple[list[MikeyKey], tuple[str, ...]] | None:
    """Key data in clear, as the first layout that explains all of it, or, with NULL encryption, what it can."""
    layouts = kemac.layouts if plain else ()
    for layout in layouts:
        for octets, reading in _unpadded(plain) if padded else ((plain, ()),):
            chain = layout(octets)
            found = [one for one in chain.payloads if isinstance(one, KeyData) and not notes(one)]
            if found and (not exact or not notes(chain)):
                return [key_of(one) for one in found[:MAX_KEYS_READ]], reading
    return None


def _unpadded(plain: bytes) -> Iterator[tuple[bytes, tuple[str, ...]]]:
    """What AES-KW may have been filled up from: RFC 3830 §4.2.3 does not say how."""
    yield plain, ()
    for count in range(1, _MAX_PADDING + 1):
        if plain[-count:] in (bytes(count), bytes([count]) * count):
            yield plain[:-count], (f"Key data is filled up with {count} octets for AES-KW",)


def key_of(layer: Any) -> MikeyKey:
    """The record of a Key data sub-payload (RFC 3830 §6.13)."""
    name = codes.KEY_DATA_TYPES.get(layer.type, f"unknown ({layer.type})").removesuffix("+SALT")
    interval = layer.KV == codes.KV_INTERVAL
    return MikeyKey(
        type=name,
        key=layer.key_data,
        salt=layer.salt_data,
        spi=layer.spi if layer.KV == codes.KV_SPI else None,
        valid_from=layer.valid_from if interval else None,
        valid_to=layer.valid_to if interval else None,
    )


def dhhmac_algorithm(kemac: Any) -> tuple[int, str]:
    """The MAC algorithm of a DHHMAC message and whose numbers name it: how many octets are there decides.

    RFC 4650 §4.2 has numbers of its own.
    """
    algorithm, value = own_mac(kemac)
    numbering = getattr(kemac, "numbering", "")
    if numbering:
        return (HMAC_SHA_1_160 if value else NULL_MAC), f"MAC algorithm by the numbers of {numbering}"
    return algorithm, ""


_OWN_T, _ASKED_T = "IV with the T of the message itself", "IV with the T of the message that it answers"


def carried(
    seen: Seen, opened: OpenedMessage, trial: Trial, context: bytes, request: Seen | None
) -> tuple[OpenedMessage, list[MikeyKey]]:
    """The keys that a message carries, with the key that verified it (RFC 6043 §6.2)."""
    place = seen.octets.kemac
    if place is None:
        return opened, []
    stamps = [(*seen.octets.timestamp, _OWN_T if request is not None else "")]
    if request is not None:
        stamps.append((*request.octets.timestamp, _ASKED_T))
    key = trial.holding.key if trial.holding is not None else b""
    found = None
    if key or place.payload.encr_alg == 0:
        found = open_kemac(place.payload, seen.facts.prf, key, trial.context or context, seen.facts.csb_id, stamps)
    if found is None:
        return replace(opened, opened=False), []
    return replace(opened, opened=True, readings=opened.readings + found[1]), found[0]


# --- public keys ----------------------------------------------------------------------------------


def envelope_keys(rsa: Sequence[RSAPrivateKey], data: bytes) -> list[Holding]:
    """What the user's RSA keys read in a PKE payload; a key that fits nothing reads octets that verify nothing."""
    found = []
    for private_key in rsa:
        name = digest(_public_der(private_key))
        for scheme, key in mikey_protection.open_envelope(private_key, data):
            found.append(Holding("envelope key", key, f"RSA, {scheme}", shown=name))
    return found


def _public_der(private_key: RSAPrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signature(octets: Octets, appended: Sequence[Reading]) -> Verification:
    """The SIGN payload, held against the first certificate of its own message (RFC 3830 §6.5, §6.7).

    That the certificate is the sender's is not checked here.
    """
    place = octets.sign
    if place is None:
        return Verification()
    sign: SIGN = place.payload
    value, s_type = bytes(sign.signature or b""), sign.s_type
    name = codes.SIGNATURE_TYPES.get(s_type, f"unknown ({s_type})") if isinstance(s_type, int) else ""
    certificate = octets.first(CERT)
    key = mikey_protection.rsa_key_of(certificate.cert_data) if certificate is not None else None
    if key is None or s_type not in (mikey_protection.RSA_PKCS1_V1_5, mikey_protection.RSA_PSS):
        return Verification(None, name)
    shown = digest(certificate.cert_data)
    covered = octets.before_mac(place, value)
    for one in appended:
        algorithm = mikey_protection.verify_signature(key, s_type, value, covered + one.octets)
        if algorithm is not None:
            return Verification(True, f"{name} with {algorithm}", one.name, shown, "certificate")
    return Verification(False, name, tried=(shown,))

"""What protects a CMS message, as plain values: what it is, how it is encrypted, for whom. Nothing here raises.

Key identifiers and what stands for them are given as SHA-256 digests only, so that they can be compared and reported.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dissectors.cms.layers import (
    CMS,
    AlgorithmIdentifier,
    AuthenticatedData,
    AuthEnvelopedData,
    ContentInfo,
    EncryptedContentInfo,
    KEKRecipientInfo,
    KeyAgreeRecipientInfo,
    KeyTransRecipientInfo,
    SignedData,
)
from dissectors.cms.oids import TAG_OCTETS, is_aead, kind_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_ICV_OCTETS = 12
"""aes-ICVlen where it is left out (RFC 5084 §3.2)."""

KINDS: dict[str, str] = {
    "KeyTransRecipientInfo": "ktri",
    "KeyAgreeRecipientInfo": "kari",
    "KEKRecipientInfo": "kekri",
    "PasswordRecipientInfo": "pwri",
    "OtherRecipientInfo": "ori",
}
"""Kinds of recipients by the names of their ASN.1 types (RFC 5652 §6.2)."""


@dataclass(slots=True, frozen=True)
class Algorithm:
    """An algorithm by its object identifier; all empty where there is none."""

    oid: str = ""
    name: str = ""
    kind: str = ""


@dataclass(slots=True, frozen=True)
class Recipient:
    """One recipient of the content encryption key (RFC 5652 §6.2)."""

    kind: str  # as in KINDS; "" for one that no standard names
    key_encryption: Algorithm
    key_id_digest: str = ""  # SHA-256 of keyIdentifier, or of the identifier of the certificate; "" where there is none
    encrypted_key_octets: int = 0
    other_type: str = ""  # oriType


@dataclass(slots=True, frozen=True)
class MessageFacts:
    """What protects a message."""

    content_type: str  # object identifier; "" where there is none
    content_type_name: str
    encrypted: bool = False
    authenticated: bool = False  # by an AEAD cipher, a MAC or a signature that can be seen
    signed: bool = False
    content_encryption: Algorithm = Algorithm()
    inner_content_type: str = ""  # of what is encrypted, signed, authenticated, compressed
    content_octets: int | None = None  # None: detached, or not of this message's kind
    nonce_octets: int = 0  # of the initialization vector or nonce
    tag_octets: int = 0  # of the integrity check value that the algorithm's parameters say
    mac_octets: int = 0  # of the one that is there
    recipients: tuple[Recipient, ...] = ()
    algorithms: tuple[Algorithm, ...] = ()  # all that are named anywhere in the message, in order, without repeats


def facts_of(data: bytes) -> MessageFacts:
    """The facts of a message's octets."""
    return facts(CMS(data)) if data else MessageFacts("", "")


def facts(message: Any) -> MessageFacts:
    """The facts of a layer; those of something else are empty."""
    if not isinstance(message, ContentInfo):
        return MessageFacts("", "")
    content_type = _oid(message.contentType)
    inner = message.inner()
    algorithms = tuple(dict.fromkeys(_algorithms(message)))
    encrypted = _first(inner, "encryptedContentInfo", "authEncryptedContentInfo")
    encapsulated = _first(inner, "encapContentInfo")
    signers = getattr(getattr(inner, "signerInfos", None), "items", None) or []
    signed = isinstance(inner, SignedData) and bool(signers)
    cipher = Algorithm()
    nonce = tag = 0
    if isinstance(encrypted, EncryptedContentInfo):
        cipher = _algorithm(encrypted.contentEncryptionAlgorithm)
        nonce, tag = _parameters(encrypted.contentEncryptionAlgorithm, cipher.oid)
    mac = len(_octets(_first(inner, "mac")))
    return MessageFacts(
        content_type=content_type,
        content_type_name=name_of(content_type) if content_type else "",
        encrypted=encrypted is not None,
        authenticated=signed
        or (isinstance(inner, AuthEnvelopedData) and is_aead(cipher.oid) and mac > 0)
        or (isinstance(inner, AuthenticatedData) and mac > 0),
        signed=signed,
        content_encryption=cipher,
        inner_content_type=_oid(_first(encrypted, "contentType") or _first(encapsulated, "eContentType")),
        content_octets=_content_octets(encrypted, encapsulated),
        nonce_octets=nonce,
        tag_octets=tag,
        mac_octets=mac,
        recipients=tuple(
            _recipient(one) for one in getattr(getattr(inner, "recipientInfos", None), "items", None) or ()
        ),
        algorithms=algorithms,
    )


def _first(layer: Any, *names: str) -> Any:
    """The first component of these names that a layer has; None where it has none."""
    for name in names:
        found = getattr(layer, "fields", {}).get(name)
        if found is not None:
            return found
    return None


def _oid(layer: Any) -> str:
    found = getattr(layer, "value", None)
    return found if isinstance(found, str) else ""


def _octets(layer: Any) -> bytes:
    joined = getattr(layer, "joined", None)
    return bytes(joined()) if joined is not None else b""


def _algorithm(layer: Any) -> Algorithm:
    oid = _oid(_first(layer, "algorithm"))
    return Algorithm(oid, name_of(oid), kind_of(oid)) if oid else Algorithm()


def _parameters(layer: Any, oid: str) -> tuple[int, int]:
    """Octets of the nonce and of the integrity check value that an algorithm's parameters say."""
    parameters = _first(layer, "parameters")
    if _first(parameters, "aes_nonce") is not None:
        length = getattr(_first(parameters, "aes_ICVlen"), "value", DEFAULT_ICV_OCTETS)
        return len(_octets(parameters.aes_nonce)), length if isinstance(length, int) else 0
    iv = _first(parameters, "iv")
    octets = _octets(iv if iv is not None else parameters)
    return len(octets), TAG_OCTETS.get(oid, 0)


def _content_octets(encrypted: Any, encapsulated: Any) -> int | None:
    """Octets of the content; None where it is not in the message."""
    if encrypted is not None:
        content = _first(encrypted, "encryptedContent")
    else:
        content = _first(_first(encapsulated, "eContent"), "octet_string")
    return len(_octets(content)) if content is not None else None


def _recipient(one: Any) -> Recipient:
    identifier: bytes = b""
    keys: list[Any] = [one]
    if isinstance(one, KEKRecipientInfo):
        identifier = _octets(_first(one.kekid, "keyIdentifier"))
    elif isinstance(one, KeyTransRecipientInfo):
        identifier = _identifier(one.rid)
    elif isinstance(one, KeyAgreeRecipientInfo):
        keys = getattr(one.recipientEncryptedKeys, "items", None) or []
        identifier = b"".join(_identifier(_first(key, "rid")) for key in keys)
    return Recipient(
        kind=KINDS.get(type(one).__name__, ""),
        key_encryption=_algorithm(_first(one, "keyEncryptionAlgorithm")),
        key_id_digest=hashlib.sha256(identifier).hexdigest() if identifier else "",
        encrypted_key_octets=sum(len(_octets(_first(key, "encryptedKey"))) for key in keys),
        other_type=_oid(_first(one, "oriType")),
    )


def _identifier(rid: Any) -> bytes:
    """What names a certificate: its key identifier, or issuer and serial number as they are encoded."""
    if rid is None:
        return b""
    key = _first(rid, "subjectKeyIdentifier")
    return _octets(key if key is not None else rid) or bytes(rid)


def _algorithms(layer: Any) -> Iterator[Algorithm]:
    """Every algorithm that is named in a layer, in order; the bounds of the layers bound the walk."""
    if isinstance(layer, AlgorithmIdentifier):
        found = _algorithm(layer)
        if found.oid:
            yield found
    for value in getattr(layer, "fields", {}).values():
        for item in value if isinstance(value, list) else (value,):
            if hasattr(item, "fields_desc"):
                yield from _algorithms(item)

"""S/MIME bodies of signalling: opened with the keys at hand, or unwrapped where they are only signed (RFC 8551 §3).

Keys and structure meet here: the layers of CMS say what is sealed and for whom, `imsinspect.crypto.cms` opens it.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dissectors.cms.oids import name_of
from dissectors.cms.smime import is_cms, read
from dissectors.sip.body import bodies_of
from imsinspect.trace.model import SealedBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.cms.layers import CMS
    from dissectors.cms.smime import SmimeBody
    from dissectors.sip.body import BodyPart
    from imsinspect.crypto.cms import CmsKek, Sealed

MAX_MESSAGES = 16  # CMS messages within one body
MAX_DEPTH = 4  # within one another
MAX_CONTENT = 1 << 20  # octets that a compressed content may grow to
MAX_KNOWN = 1_000  # bodies kept to be recognised when they come again
DETACHED = frozenset((b"application/pkcs7-signature", b"application/x-pkcs7-signature"))
ZLIB = "1.2.840.113549.1.9.16.3.8"  # RFC 3274 §2
ENCRYPTED = frozenset(("1.2.840.113549.1.7.3", "1.2.840.113549.1.7.6", "1.2.840.113549.1.9.16.1.23"))

NO_KEY = "no key at hand for it"
WRONG_KEY = "the key at hand for it does not fit"
DAMAGED = "the key fits, and the content under it does not"
UNKNOWN = "its form or its algorithm is not one that can be opened"
EMPTY = "it holds no content"

_HEAD_END = re.compile(rb"\n\r?\n")
_ENTITY = re.compile(rb"(?:\r?\n|v=0\r?\n|[A-Za-z][A-Za-z0-9-]{0,60}:[ -~\t]*\r?\n)")


class OpenedBody(NamedTuple):
    """What an S/MIME body held."""

    bodies: tuple[SealedBody, ...]  # the CMS messages in it, the outermost first
    parts: tuple[BodyPart, ...]  # what anybody could read
    hidden: tuple[BodyPart, ...]  # what a key opened

    @property
    def opened(self) -> bool:
        """All of it could be read."""
        return all(each.opened for each in self.bodies)


@dataclass(slots=True)
class _Found:
    bodies: list[SealedBody] = field(default_factory=list)
    parts: list[BodyPart] = field(default_factory=list)
    hidden: list[BodyPart] = field(default_factory=list)


class _Content(NamedTuple):
    """A content, or why there is none."""

    data: bytes | None
    key: str = ""
    detail: str = ""


class SmimeOpener:
    """Opens bodies with some keys; the same body comes again on every hop."""

    def __init__(self, keks: Sequence[CmsKek]) -> None:
        self._keks = tuple(keks)
        self._known: dict[bytes, OpenedBody] = {}

    @property
    def keyed(self) -> bool:
        """Whether there are keys to open anything with."""
        return bool(self._keks)

    def open(self, part: BodyPart) -> OpenedBody | None:
        """What a body holds; None where it is no CMS message, or a signature without what it signs."""
        if not is_cms(part.content_type) or part.content_type in DETACHED or not part.data:
            return None
        known = self._known.get(part.data)
        if known is None:
            found = _Found()
            self._read(read(part), False, 0, found)
            known = OpenedBody(tuple(found.bodies), tuple(found.parts), tuple(found.hidden))
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[part.data] = known
        return known

    def _read(self, body: SmimeBody, hidden: bool, depth: int, out: _Found) -> None:
        from dissectors.cms.facts import facts
        from dissectors.cms.layers import CMS  # with Scapy: loaded where there is such a body

        encrypted = body.content_type in ENCRYPTED
        message = CMS(body.data) if body.data else None
        content = _Content(None, detail=EMPTY)
        if message is not None:
            content = _Content(None, detail=NO_KEY) if encrypted and not self._keks else self._content(message)
        name = name_of(body.content_type) if body.content_type else ""
        out.bodies.append(
            SealedBody(
                name, encrypted, content.data is not None, content.key, content.detail, depth, facts(message)
            )
        )  # fmt: skip
        if content.data is None:
            return
        hidden |= encrypted
        for part in _entity(content.data):
            if not is_cms(part.content_type) or part.content_type in DETACHED or not part.data:
                (out.hidden if hidden else out.parts).append(part)
            elif depth + 1 < MAX_DEPTH and len(out.bodies) < MAX_MESSAGES:
                self._read(read(part), hidden, depth + 1, out)
            else:
                said = "too many messages within one another"
                out.bodies.append(SealedBody("", False, False, detail=said, depth=depth + 1))

    def _content(self, message: CMS) -> _Content:
        from dissectors.cms.layers import (
            AuthenticatedData,
            AuthEnvelopedData,
            CompressedData,
            EncryptedData,
            EnvelopedData,
            SignedData,
        )

        inner = message.inner()
        if isinstance(inner, (SignedData, AuthenticatedData)):
            plain = _octets(_part(inner, "encapContentInfo", "eContent", "octet_string"))
            return _Content(plain or None, detail="" if plain else EMPTY)
        if isinstance(inner, CompressedData):
            return _inflated(inner)
        if isinstance(inner, EncryptedData):
            return self._by_content_key(_sealed(_part(inner, "encryptedContentInfo"), b"", b""))
        if isinstance(inner, EnvelopedData):
            return self._by_recipient(inner, _sealed(_part(inner, "encryptedContentInfo"), b"", b""))
        if isinstance(inner, AuthEnvelopedData):
            attributes = _part(inner, "authAttrs")
            covered = b"\x31" + bytes(attributes)[1:] if attributes is not None else b""  # RFC 5083 §2.2: as a SET
            tag = _octets(_part(inner, "mac"))
            return self._by_recipient(inner, _sealed(_part(inner, "authEncryptedContentInfo"), tag, covered))
        return _Content(None, detail=UNKNOWN)

    def _by_recipient(self, inner: Any, sealed: Sealed | None) -> _Content:
        """The content for a recipient whose key-encryption key is at hand (RFC 5652 §6.2.3)."""
        from dissectors.cms.layers import KEKRecipientInfo
        from imsinspect.crypto.cms import CIPHERS, open_content, unwrap_key

        if sealed is None or sealed.algorithm not in CIPHERS:
            return _Content(None, detail=UNKNOWN)
        said = NO_KEY
        for one in getattr(_part(inner, "recipientInfos"), "items", None) or ():
            if not isinstance(one, KEKRecipientInfo):
                continue
            identifier = _octets(_part(one, "kekid", "keyIdentifier"))
            algorithm = _oid(_part(one, "keyEncryptionAlgorithm", "algorithm"))
            wrapped = _octets(_part(one, "encryptedKey"))
            for kek in self._keks:
                if kek.id not in (None, identifier):
                    continue
                key = unwrap_key(algorithm, kek.kek, wrapped)
                if key is None:
                    said = WRONG_KEY if kek.id is not None else said
                    continue
                plain = open_content(key, sealed)
                if plain is not None:
                    return _Content(plain, kek.digest)
                said = DAMAGED
        return _Content(None, detail=said)

    def _by_content_key(self, sealed: Sealed | None) -> _Content:
        """The content under a key at hand itself (RFC 5652 §8); without a tag it has to read like an entity."""
        from imsinspect.crypto.cms import CIPHERS, authenticates, open_content

        if sealed is None or sealed.algorithm not in CIPHERS:
            return _Content(None, detail=UNKNOWN)
        for kek in self._keks:
            plain = open_content(kek.kek, sealed)
            if plain is not None and (authenticates(sealed.algorithm) or _ENTITY.match(plain)):
                return _Content(plain, kek.digest)
        return _Content(None, detail=NO_KEY)


def _entity(data: bytes) -> list[BodyPart]:
    """The MIME entity in a content, with its parts; a description without headers is one, too."""
    if data[:3] == b"v=0":
        return bodies_of(b"\n", data)
    found = _HEAD_END.search(b"\n" + data)
    if found is None:
        return bodies_of(b"\n", data)
    return bodies_of(b"\n" + data[: found.end() - 1], data[found.end() - 1 :])


# --- from layers to plain values ------------------------------------------------------------------


def _part(layer: Any, *names: str) -> Any:
    """A component inside of components; None where one of them is not there."""
    for name in names:
        layer = getattr(layer, "fields", {}).get(name)
    return layer


def _octets(layer: Any) -> bytes:
    joined = getattr(layer, "joined", None)
    return bytes(joined()) if joined is not None else b""


def _oid(layer: Any) -> str:
    found = getattr(layer, "value", None)
    return found if isinstance(found, str) else ""


def _sealed(info: Any, tag: bytes, covered: bytes) -> Sealed | None:
    """An EncryptedContentInfo as plain values; None where the content is not in the message."""
    from imsinspect.crypto.cms import Sealed

    content = _part(info, "encryptedContent")
    if content is None:
        return None
    parameters = _part(info, "contentEncryptionAlgorithm", "parameters")
    nonce = _part(parameters, "aes_nonce")
    algorithm = _oid(_part(info, "contentEncryptionAlgorithm", "algorithm"))
    return Sealed(algorithm, _octets(parameters if nonce is None else nonce), _octets(content), tag, covered)


def _inflated(inner: Any) -> _Content:
    """The content of CompressedData (RFC 3274 §1.1)."""
    data = _octets(_part(inner, "encapContentInfo", "eContent", "octet_string"))
    if _oid(_part(inner, "compressionAlgorithm", "algorithm")) != ZLIB or not data:
        return _Content(None, detail=UNKNOWN if data else EMPTY)
    try:
        plain = zlib.decompressobj().decompress(data, MAX_CONTENT + 1)
    except zlib.error:
        return _Content(None, detail=UNKNOWN)
    return _Content(plain) if len(plain) <= MAX_CONTENT else _Content(None, detail="its content is too long")

"""CMS messages in MIME bodies (RFC 8551 §3): which bodies carry one, and its octets without the transfer encoding."""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

from dissectors.cms.ber import content_type_of
from dissectors.cms.oids import name_of
from dissectors.notes import Note
from dissectors.sip.body import BodyPart, bodies_of

MEDIA_TYPES: dict[bytes, str] = {
    b"application/pkcs7-mime": "RFC 8551 §3.2",
    b"application/x-pkcs7-mime": "RFC 8551 §3.2",
    b"application/pkcs7-signature": "RFC 8551 §3.5.3",
    b"application/x-pkcs7-signature": "RFC 8551 §3.5.3",
    b"application/cms": "RFC 7193 §2",
}
"""Media types whose bodies are CMS messages, with their sources; the older ones begin with `x-`."""

SMIME_TYPES: dict[bytes, str] = {
    b"enveloped-data": "1.2.840.113549.1.7.3",
    b"signed-data": "1.2.840.113549.1.7.2",
    b"certs-only": "1.2.840.113549.1.7.2",
    b"signed-receipt": "1.2.840.113549.1.7.2",
    b"compressed-data": "1.2.840.113549.1.9.16.1.9",
    b"authenveloped-data": "1.2.840.113549.1.9.16.1.23",
    b"encrypted-data": "1.2.840.113549.1.7.6",
    b"auth-data": "1.2.840.113549.1.9.16.1.2",
}
"""Content types that go with the smime-type parameter, in lower case (RFC 8551 §3.2.2).

The last two are in no RFC of S/MIME; they are accepted because their meaning is plain.
"""

_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+=?\s*=?\s*")
_LINE_BREAKS = re.compile(rb"\s+")


class SmimeBody(NamedTuple):
    """A CMS message in a body."""

    part: BodyPart
    data: bytes  # the message itself
    smime_type: bytes  # as sent
    name: bytes  # of the file, as sent
    content_type: str  # object identifier of the message; "" where it has none
    notes: tuple[Note, ...]  # offsets into the body, as `part.offset`


def is_cms(media_type: bytes) -> bool:
    """Whether bodies of a media type, given in lower case without parameters, are CMS messages."""
    return media_type in MEDIA_TYPES


def cms_bodies(head: bytes, body: bytes) -> list[SmimeBody]:
    """The CMS messages in a body under the headers `head`, which begin with a start line or an empty line."""
    return [read(part) for part in bodies_of(head, body) if is_cms(part.content_type)]


def read(part: BodyPart) -> SmimeBody:
    """The CMS message of a body."""
    notes = list(part.notes)
    data = part.data
    smime_type = part.parameters.get(b"smime-type", b"")
    if data[:1] not in (b"", b"\x30") and _BASE64.fullmatch(data):
        # Some senders leave out the header that says base64.
        data = _decoded(data)
        notes.append(Note(part.offset, "the message is in base64 without a Content-Transfer-Encoding that says so"))
    content_type = content_type_of(data)
    expected = SMIME_TYPES.get(smime_type.lower())
    if expected and content_type and expected != content_type:
        text = (
            f"smime-type says {smime_type.decode('ascii', 'backslashreplace')}, the message is {name_of(content_type)}"
        )
        notes.append(Note(part.offset, text))
    return SmimeBody(part, data, smime_type, part.parameters.get(b"name", b""), content_type, tuple(notes))


def _decoded(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(_LINE_BREAKS.sub(b"", data))
    except binascii.Error:
        return data

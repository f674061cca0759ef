"""Bodies of SIP messages: single, multipart, encoded (RFC 2045, RFC 2046 §5.1, RFC 5621, RFC 3420)."""

from __future__ import annotations

import binascii
import re
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

from dissectors.notes import Note
from dissectors.sip.parse import header_rows, parameters

DEPTH_LIMIT = 4
PART_LIMIT = 256  # in one message
DECODED_LIMIT = 1 << 20  # octets that all encoded parts of one message may grow to
ENCODING_LIMIT = 3  # encodings on top of one another
LINE_LIMIT = 1024  # octets of a delimiter line behind the boundary

_HEAD_END = re.compile(rb"\n\r?\n")
_ENCODED = re.compile(rb"\n(?:content-encoding|e|content-transfer-encoding)[ \t]*:", re.IGNORECASE)


class Span(NamedTuple):
    """One part between the delimiters of a multipart body; offsets into the body."""

    delimiter: int  # where the delimiter line begins
    start: int  # behind the delimiter line
    end: int  # before the line break that belongs to the next delimiter


@dataclass(slots=True)
class BodyPart:
    """A body, or one part of a multipart body. Encodings are undone in `data`."""

    content_type: bytes  # lower-case media type without parameters; b"" if none is given
    disposition: bytes  # Content-Disposition as sent
    content_id: bytes  # Content-ID as sent
    data: bytes
    offset: int  # where its content begins in the message's body; of encoded content, where the encoded octets begin
    parent: BodyPart | None = field(default=None, repr=False)
    parameters: dict[bytes, bytes] = field(default_factory=dict)  # of the media type
    notes: list[Note] = field(default_factory=list)  # offsets as `offset`
    readable: bool = True  # False: an encoding could not be undone, or not to its end

    @property
    def is_multipart(self) -> bool:
        """A container; its parts follow it in the list."""
        return self.content_type.startswith(b"multipart/")

    @property
    def is_sdp(self) -> bool:
        """A session description: by its type, or by its first line where no type is given."""
        return self.content_type == b"application/sdp" or (not self.content_type and self.data[:3] == b"v=0")


@dataclass(slots=True)
class _Budget:
    parts: int = PART_LIMIT
    decoded: int = DECODED_LIMIT


def bodies_of(head: bytes, body: bytes) -> list[BodyPart]:
    """The body under the headers `head`, then whatever it contains, containers first."""
    if not body:
        return []
    out: list[BodyPart] = []
    _entity(head, body, 0, None, 0, out, _Budget())
    return out


def _entity(
    head: bytes, data: bytes, offset: int, parent: BodyPart | None, depth: int, out: list[BodyPart], budget: _Budget
) -> None:
    """Append an entity and its parts. `head` begins with a start line or an empty line."""
    if budget.parts <= 0:
        return
    budget.parts -= 1
    kind = _first(head, b"content-type")
    content_type = kind.partition(b";")[0].strip().lower()
    part = BodyPart(
        content_type,
        _first(head, b"content-disposition"),
        _first(head, b"content-id"),
        data,
        offset,
        parent,
        parameters(kind) if b";" in kind else {},
    )
    out.append(part)
    encoded = _ENCODED.search(head) is not None
    if encoded:
        _decode(part, head, budget)
    if part.is_multipart:
        inner, behind = _multipart(part)
    elif content_type in (b"message/sipfrag", b"message/sip"):
        inner, behind = _fragment(part), False
    else:
        return
    if depth + 1 >= DEPTH_LIMIT:
        part.notes.append(Note(offset, f"bodies nested deeper than {DEPTH_LIMIT} are not taken apart"))
        return
    if behind:
        part.notes.append(Note(offset, "multipart body does not end with its closing delimiter"))
    for inner_head, content, at in inner:
        if budget.parts <= 0:
            part.notes.append(Note(offset, f"more than {PART_LIMIT} parts"))
            return
        # Places in decoded content are no places in the message: the container's place stands for them.
        _entity(inner_head, content, offset if encoded else offset + at, part, depth + 1, out, budget)


def _multipart(part: BodyPart) -> tuple[list[tuple[bytes, bytes, int]], bool]:
    """Header block, content and place of each part; whether the closing delimiter is missing."""
    boundary = part.parameters.get(b"boundary", b"")
    if not boundary:
        part.notes.append(Note(part.offset, "multipart body without a boundary"))
        return [], False
    spans, closed = delimited(part.data, boundary)
    out = []
    for span in spans:
        at = content_start(part.data, span)
        out.append((b"\n" + part.data[span.start : at], part.data[at : span.end], at))
    return out, not closed


def content_start(data: bytes, span: Span) -> int:
    """Where the content of a part begins, behind its headers and the empty line."""
    if data[span.start : span.start + 1] == b"\n" or data[span.start : span.start + 2] == b"\r\n":
        return min(data.find(b"\n", span.start) + 1, span.end) if span.end > span.start else span.start
    found = _HEAD_END.search(data, span.start, span.end)
    return found.end() if found else span.end


def delimited(data: bytes, boundary: bytes) -> tuple[list[Span], bool]:
    """The parts that a boundary delimits, PART_LIMIT at most, and whether the closing delimiter stands there."""
    needle = b"--" + boundary
    spans: list[Span] = []
    delimiter = start = -1
    at = data.find(needle)
    while at >= 0:
        behind = at + len(needle)
        closing = data[behind : behind + 2] == b"--"
        line_end = data.find(b"\n", behind, behind + LINE_LIMIT)
        stop = line_end if line_end >= 0 else min(len(data), behind + LINE_LIMIT)
        own_line = at == 0 or data[at - 1] == 10
        if own_line and not data[behind + 2 * closing : stop].strip(b" \t\r"):
            if start >= 0:
                end = at - 1 if data[at - 2 : at] != b"\r\n" else at - 2
                spans.append(Span(delimiter, start, max(start, end)))
            if closing or len(spans) >= PART_LIMIT:
                return spans, closing
            delimiter, start = at, stop + 1 if line_end >= 0 else stop
        at = data.find(needle, behind)
    if start >= 0:
        spans.append(Span(delimiter, start, len(data)))
    return spans, False


def _fragment(part: BodyPart) -> list[tuple[bytes, bytes, int]]:
    """The body inside a SIP message (fragment) that is itself a body (RFC 3420)."""
    found = _HEAD_END.search(part.data)
    if found is None or found.end() == len(part.data):
        return []
    return [(b"\n" + part.data[: found.end()], part.data[found.end() :], found.end())]


def _first(head: bytes, name: bytes) -> bytes:
    rows = header_rows(head, name)
    return rows[0] if rows else b""


def _decode(part: BodyPart, head: bytes, budget: _Budget) -> None:
    """Undo the encodings of a part's data, as far as the budget goes."""
    encodings = [
        token.strip().lower()
        for row in (*header_rows(head, b"content-encoding"), *header_rows(head, b"content-transfer-encoding"))
        for token in row.split(b",")
    ]
    for encoding in reversed(encodings[-ENCODING_LIMIT:]):
        if encoding in (b"", b"identity", b"7bit", b"8bit", b"binary"):
            continue
        shown = ascii(encoding[:20].decode("latin-1"))
        try:
            data = _undo(encoding, part.data, budget.decoded)
        except (ValueError, zlib.error):
            part.notes.append(Note(part.offset, f"body can't be decoded as {shown}"))
            part.readable = False
            return
        if data is None:
            part.notes.append(Note(part.offset, f"encoding {shown} is not known"))
            part.readable = False
            return
        if len(data) > budget.decoded:
            data = data[: budget.decoded]
            part.readable = False
            part.notes.append(Note(part.offset, f"decoding of {shown} stopped at {DECODED_LIMIT} octets"))
        budget.decoded -= len(data)
        part.notes.append(Note(part.offset, f"{len(part.data)} octets decoded from {shown} to {len(data)}"))
        part.data = data


def _undo(encoding: bytes, data: bytes, limit: int) -> bytes | None:
    """One encoding undone, a little over `limit` octets at most; None if it is not known."""
    if encoding in (b"gzip", b"x-gzip", b"deflate"):
        try:
            return zlib.decompressobj(47).decompress(data, limit + 1)  # gzip or zlib, by the header
        except zlib.error:
            if encoding != b"deflate":
                raise
            return zlib.decompressobj(-15).decompress(data, limit + 1)  # deflate without its wrapper
    if encoding == b"base64":
        return binascii.a2b_base64(data)
    if encoding == b"quoted-printable":
        return binascii.a2b_qp(data)
    return None

"""SIP messages from bytes, lean: what links messages is found at once, all else when it is asked for (RFC 3261).

Header names in their usual spelling are found by substring search; a message where one is missing, folded or spelled
otherwise goes through expressions. Nothing here raises on any bytes: trouble becomes a note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from dissectors.notes import Note

if TYPE_CHECKING:
    from dissectors.sip.body import BodyPart

COMPACT_FORMS: dict[bytes, bytes] = {
    b"a": b"accept-contact",  # RFC 3841 §9
    b"b": b"referred-by",  # RFC 3892 §3
    b"c": b"content-type",  # RFC 3261 §20, as all that name no other source
    b"d": b"request-disposition",  # RFC 3841 §9
    b"e": b"content-encoding",
    b"f": b"from",
    b"i": b"call-id",
    b"j": b"reject-contact",  # RFC 3841 §9
    b"k": b"supported",
    b"l": b"content-length",
    b"m": b"contact",
    b"n": b"identity-info",  # RFC 4474 §9
    b"o": b"event",  # RFC 6665 §8.2.1
    b"r": b"refer-to",  # RFC 3515 §2.1
    b"s": b"subject",
    b"t": b"to",
    b"u": b"allow-events",  # RFC 6665 §8.2.2
    b"v": b"via",
    b"x": b"session-expires",  # RFC 4028 §4
    b"y": b"identity",  # RFC 4474 §9
}

UNSPLIT = frozenset((b"authorization", b"proxy-authenticate", b"proxy-authorization", b"www-authenticate"))
"""Headers whose rows hold one value each, commas and all (RFC 3261 §7.3.1)."""

START_LINE_LIMIT = 8192
METHOD_LIMIT = 64
LENGTH_DIGITS = 10  # a longer Content-Length or CSeq is no sensible number

_LONG_TO_COMPACT = {name: letter for letter, name in COMPACT_FORMS.items()}
_METHOD = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]{1,64} +")
_STATUS = re.compile(rb"SIP/2\.0 +([0-9]{3})(?![0-9])", re.IGNORECASE)
_BREAK = re.compile(rb"\n(?:\r?\n|[ \t])")
_HEAD_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_CONTENT_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:([^\n]*)", re.IGNORECASE)
_OF_BODY = re.compile(rb"\n(?:content-(?!type|length)|e[ \t]*:)", re.IGNORECASE)
_VIA = re.compile(rb"\n(?:via|v)[ \t]*:([^\n]*)", re.IGNORECASE)
_TAG = re.compile(rb";[ \t]*tag[ \t]*=[ \t]*([^;,\s]*)", re.IGNORECASE)
_BRANCH = re.compile(rb";[ \t]*branch[ \t]*=[ \t]*([^;,\s]*)", re.IGNORECASE)
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_PIECES = {
    separator: re.compile(rb'"(?:[^"\\]|\\.)*+"?|<[^>]*+>?|[^"<' + separator + rb"]++|" + separator, re.DOTALL)
    for separator in (b",", b";")
}


def is_start_line(data: bytes | bytearray, at: int = 0) -> bool:
    """Whether a SIP request or status line stands at `at` (RFC 3261 §7.1, §7.2); HTTP and RTSP lines are none."""
    end = data.find(b"\n", at, at + START_LINE_LIMIT)
    if end < 0:
        end = min(len(data), at + START_LINE_LIMIT)
    if _STATUS.match(data, at, end):
        return True
    line = bytes(data[at:end]).rstrip()
    if line[-8:].upper() != b" SIP/2.0":
        return False
    method = _METHOD.match(line)
    return method is not None and method.end() < len(line) - 8


@dataclass(slots=True, frozen=True)
class SecurityMechanism:
    """One entry of Security-Client, Security-Server or Security-Verify (RFC 3329 §2.2)."""

    name: bytes  # lower case: b"ipsec-3gpp", b"sdes-srtp" …
    parameters: dict[bytes, bytes]  # names in lower case; a flag has the value b""

    @property
    def mediasec(self) -> bool:
        """Marked as a mechanism of the media plane (TS 24.229 §7.2A.7)."""
        return b"mediasec" in self.parameters


@dataclass(slots=True)
class SipMessage:
    """One SIP message. Values are bytes as sent, without the white space around them."""

    method: bytes  # b"" for a response
    request_uri: bytes
    status: int  # 0 for a request
    reason: bytes
    call_id: bytes
    cseq: int  # -1 if it is absent or no number
    cseq_method: bytes
    from_: bytes
    to: bytes
    from_tag: bytes
    to_tag: bytes
    branch: bytes  # of the top Via
    content_type: bytes  # lower-case media type of the body without parameters; b"" without a body
    head: bytes  # start line and headers with the empty line that ends them
    body: bytes  # only what Content-Length declares
    trailing: bytes  # octets behind the declared body of a datagram
    notes: list[Note] = field(default_factory=list)  # offsets count from the first octet that was parsed

    @property
    def is_request(self) -> bool:
        """A request; a message that is neither has a status of 0 and no method."""
        return self.method != b""

    def header(self, name: bytes) -> list[bytes]:
        """Values of a header, one for each row, in order; compact forms count, folding is undone.

        `name` is the canonical name in lower case (or a compact form).
        """
        return header_rows(self.head, name)

    def header_values(self, name: bytes) -> list[bytes]:
        """Values of a header with comma lists taken apart, except where a row is one value (RFC 3261 §7.3.1)."""
        rows = self.header(name)
        if name in UNSPLIT:
            return rows
        return [value for row in rows for value in (split_outside(row) if b"," in row else [row]) if value]

    def bodies(self) -> list[BodyPart]:
        """The body and, for multipart bodies, the parts of it, containers first (RFC 2046 §5.1, RFC 5621)."""
        from dissectors.sip.body import bodies_of

        return bodies_of(self.head, self.body)

    def sdp_bodies(self) -> list[BodyPart]:
        """Those bodies that are session descriptions."""
        if not self.body:
            return []
        if self.content_type == b"application/sdp" and _OF_BODY.search(self.head) is None:
            from dissectors.sip.body import BodyPart

            return [BodyPart(self.content_type, b"", b"", self.body, 0)]
        return [part for part in self.bodies() if part.is_sdp]


def parse(data: bytes, *, datagram: bool = True) -> SipMessage:
    """Dissect one message; never raises.

    In a datagram a message without Content-Length reaches to its end, in a byte stream it has no body
    (RFC 3261 §18.3).
    """
    notes: list[Note] = []
    skipped = 0
    if data[:1] in b"\r\n":
        skipped = len(data) - len(data.lstrip(b"\r\n"))
        data = data[skipped:]
        if skipped:
            notes.append(Note(0, f"{skipped} octets of empty lines before the start line"))
    cut, folded = _head_end(data)
    if cut < 0:
        cut = len(data)
        notes.append(Note(skipped + cut, "headers do not end"))
    head = data[:cut]
    plain = _FOLD.sub(b" ", head) if folded else head

    first = plain.find(b"\n")
    line = plain[:first].rstrip(b"\r") if first >= 0 else plain
    method = request_uri = reason = b""
    status = 0
    if line[:8] == b"SIP/2.0 " and line[8:11].isdigit() and line[11:12] in b" ":
        status, reason = int(line[8:11]), line[12:]
    else:
        method, _, request_uri = line.partition(b" ")
        if method.isalpha() and len(method) <= METHOD_LIMIT and line[-8:] == b" SIP/2.0" and len(request_uri) > 8:
            request_uri = request_uri[:-8].strip()
        else:
            method, request_uri, status, reason = _start_line(line)
            if not method and not status:
                notes.append(Note(skipped, "no SIP start line"))

    call_id, cseq = _usual(plain, b"\nCall-ID: "), _usual(plain, b"\nCSeq: ")
    from_, to = _usual(plain, b"\nFrom: "), _usual(plain, b"\nTo: ")
    if call_id is None:
        call_id = _first(plain, b"call-id")
    if cseq is None:
        cseq = _first(plain, b"cseq")
    if from_ is None:
        from_ = _first(plain, b"from")
    if to is None:
        to = _first(plain, b"to")
    if plain.startswith(b"\nVia: ", first):
        via = plain[first + 6 : plain.find(b"\n", first + 6)]
    else:  # a compact form may stand above the usual one
        found = _VIA.search(plain)
        via = found[1] if found else b""

    number, _, cseq_method = cseq.partition(b" ")
    if not number.isdigit() or len(number) > LENGTH_DIGITS:
        number, cseq_method = _cseq(cseq)

    behind = data[cut:]
    trailing = b""
    lengths = _CONTENT_LENGTH.findall(plain)
    if lengths:
        declared = lengths[0].strip()
        if len(lengths) > 1:
            _repeated(lengths, skipped, notes)
        if not declared.isdigit():
            notes.append(Note(skipped, f"SIP-CLEN: Content-Length is no number: {_shown(declared)}"))
            length = len(behind) if datagram else 0
        else:
            length = int(declared) if len(declared) <= LENGTH_DIGITS else 1 << 40
        if length > len(behind):
            notes.append(Note(skipped + cut, f"body has {len(behind)} octets, Content-Length says {_shown(declared)}"))
    else:
        length = len(behind) if datagram else 0
    if length < len(behind):
        behind, trailing = behind[:length], behind[length:]
        notes.append(Note(skipped + cut + length, f"{len(trailing)} octets behind the declared body"))
    kind: bytes | None = b""
    if behind:
        kind = _usual(plain, b"\nContent-Type: ")
        if kind is None:
            kind = _first(plain, b"content-type")
    return SipMessage(
        method,
        request_uri,
        status,
        reason,
        call_id,
        int(number) if number else -1,
        cseq_method.strip(),
        from_,
        to,
        _parameter(from_, b";tag=", _TAG),
        _parameter(to, b";tag=", _TAG),
        _parameter(via, b";branch=", _BRANCH),
        kind.partition(b";")[0].strip().lower() if kind else b"",
        head,
        behind,
        trailing,
        notes,
    )


def _head_end(data: bytes) -> tuple[int, bool]:
    """Where the empty line behind the headers ends (-1: nowhere), and whether a header is folded."""
    found = _BREAK.search(data)
    if found is None:
        return -1, False
    end = found.end()
    if data[end - 1] == 10:
        return end, False
    found = _HEAD_END.search(data, end)
    return (found.end() if found else -1), True


def _start_line(line: bytes) -> tuple[bytes, bytes, int, bytes]:
    """Method and Request-URI, or status and reason; as much as can be told."""
    response = _STATUS.match(line)
    if response:
        return b"", b"", int(response[1]), line[response.end() :].strip()
    if not is_start_line(line):
        return b"", b"", 0, b""
    method, _, rest = line.partition(b" ")
    return method, rest.rstrip()[:-8].strip(), 0, b""


def _usual(head: bytes, key: bytes) -> bytes | None:
    """The value of the first row of a header spelled like `key`; None if there is none."""
    at = head.find(key)
    if at < 0:
        return None
    at += len(key)
    end = head.find(b"\n", at)
    return head[at : end if end >= 0 else len(head)].strip()


def _first(head: bytes, name: bytes) -> bytes:
    found = _row(name).search(head)
    return found[1].strip() if found else b""


def _cseq(value: bytes) -> tuple[bytes, bytes]:
    """Number and method of an unusual CSeq; the number is b"" if it is none."""
    words = value.split(None, 1)
    if not words or not words[0].isdigit() or len(words[0]) > LENGTH_DIGITS:
        return b"", words[-1].strip() if len(words) > 1 else b""
    return words[0], words[1].strip() if len(words) > 1 else b""


def _repeated(lengths: list[bytes], skipped: int, notes: list[Note]) -> None:
    values = {value.strip() for value in lengths}
    said = "differing values, the first is used" if len(values) > 1 else "one value"
    notes.append(Note(skipped, f"SIP-CLEN: {len(lengths)} Content-Length headers with {said}"))


def _shown(value: bytes) -> str:
    return ascii(value[:20].decode("latin-1")) if not value.isdigit() else value[:20].decode("ascii")


def _parameter(value: bytes, key: bytes, spelled: re.Pattern[bytes]) -> bytes:
    """A parameter behind the address (or sent-by) of a header value; b"" if there is none."""
    at = _behind_address(value)
    found = value.find(key, at)
    if found < 0:
        if value.find(b";", at) < 0:
            return b""
        match = spelled.search(value, at)
        return match[1] if match else b""
    end = value.find(b";", found + 1)
    text = value[found + len(key) : end if end >= 0 else len(value)].strip()
    comma = text.find(b",")
    return text if comma < 0 else text[:comma].strip()


def _behind_address(value: bytes) -> int:
    """Where a display name and an address in angle brackets end; 0 if there are none."""
    at = 0
    if value[:1] == b'"':
        at = value.find(b'"', 1) + 1
        if not at or value[at - 2] == 92:  # an escaped quote, perhaps
            quoted = QUOTED.match(value)
            at = quoted.end() if quoted else 0
    left = value.find(b"<", at)
    if left < 0 or value.find(b";", at, left) >= 0:  # a bracket behind a semicolon belongs to a parameter
        return at
    return value.find(b">", left) + 1


@lru_cache(maxsize=256)
def _row(name: bytes) -> re.Pattern[bytes]:
    """The rows of a header in any spelling, with their folded lines."""
    name = COMPACT_FORMS.get(name, name)
    letter = _LONG_TO_COMPACT.get(name)
    names = re.escape(name) if letter is None else re.escape(name) + b"|" + letter
    return re.compile(rb"\n(?:" + names + rb")[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE)


def header_rows(head: bytes, name: bytes) -> list[bytes]:
    """Values of a header in a header block whose first line is a start line (or empty), one for each row."""
    return [(_FOLD.sub(b" ", value) if b"\n" in value else value).strip() for value in _row(name.lower()).findall(head)]


def split_outside(value: bytes, separator: bytes = b",") -> list[bytes]:
    """Split at commas (or semicolons) that stand outside of quotes and angle brackets."""
    out: list[bytes] = []
    start = at = 0
    for piece in _PIECES[separator].findall(value):
        if piece == separator:
            out.append(value[start:at].strip())
            start = at + 1
        at += len(piece)
    out.append(value[start:].strip())
    return out


def unquoted(value: bytes) -> bytes:
    """A quoted-string without its quotes and escapes (RFC 3261 §25.1); other values as they are."""
    if value[:1] != b'"':
        return value
    inner = value[1:-1] if len(value) > 1 and value[-1:] == b'"' else value[1:]
    return re.sub(rb"\\(.)", rb"\1", inner, flags=re.DOTALL) if b"\\" in inner else inner


def uri_of(value: bytes) -> bytes:
    """The addr-spec of a name-addr, or of a bare address without the header's parameters (RFC 3261 §20.10)."""
    value = value.strip()
    quoted = QUOTED.match(value)
    at = quoted.end() if quoted else 0
    left = value.find(b"<", at)
    if left >= 0 and value.find(b";", at, left) < 0:
        right = value.find(b">", left)
        return value[left + 1 : right if right >= 0 else len(value)].strip()
    return value[at:].partition(b";")[0].strip()


def parameters(value: bytes) -> dict[bytes, bytes]:
    """Parameters behind the address or token of a header value; names in lower case, quotes removed, first wins."""
    out: dict[bytes, bytes] = {}
    for word in split_outside(value[_behind_address(value) :], b";")[1:]:
        name, _, text = word.partition(b"=")
        if name:
            out.setdefault(name.strip().lower(), unquoted(text.strip()))
    return out


def security_mechanisms(value: bytes) -> list[SecurityMechanism]:
    """The mechanisms that one Security-Client, Security-Server or Security-Verify row lists, in order."""
    return [
        SecurityMechanism(entry.partition(b";")[0].strip().lower(), parameters(entry))
        for entry in split_outside(value)
        if entry
    ]

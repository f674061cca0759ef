"""MSRP messages from bytes, lean: what links messages, sessions and chunks (RFC 4975, RFC 4976).

Nothing here raises on any octets: trouble becomes a note.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from dissectors.msrp.framing import end_line
from dissectors.notes import Note

PATH_LIMIT = 64  # URIs of one path
DIGITS = 18  # of a number in a Byte-Range

_START = re.compile(rb"MSRP ([^ \r\n]{1,64}) (?:([A-Z]{1,64})|([0-9]{3})(?: ([^\r\n]*))?)\r\n")
_URI = re.compile(
    rb"([A-Za-z][A-Za-z0-9+.-]*)://(?:([^@/; ]*)@)?(\[[^\]; ]*\]|[^:/; ]*)(?::([0-9]{1,5}))?(?:/([^; ]*))?;([^;= ]*)"
    rb"((?:;[^; ]*)*)"
)
_RANGE = re.compile(rb"([0-9]{1,18})-([0-9]{1,18}|\*)/([0-9]{1,18}|\*)")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(slots=True, frozen=True)
class Uri:
    """An MSRP URI (RFC 4975 §6). Values are as sent."""

    text: bytes
    scheme: bytes  # lower case
    userinfo: bytes
    host: bytes  # with the brackets of an IPv6 address
    port: int  # -1 if it is absent or none
    session_id: bytes | None
    transport: bytes  # lower case
    parameters: tuple[bytes, ...]

    @property
    def secure(self) -> bool:
        """The connection has to be protected by TLS."""
        return self.scheme == b"msrps"

    @property
    def key(self) -> tuple[bytes, bytes, int, bytes | None, bytes]:
        """Equal for URIs that RFC 4975 §6.1 calls equal: user and further parameters do not count."""
        return self.scheme, _host(self.host), self.port, self.session_id, self.transport


class ByteRange(NamedTuple):
    """Positions in a whole message, the first octet's being 1; None for `*` (RFC 4975 §7.1.1)."""

    start: int
    end: int | None
    total: int | None


@dataclass(slots=True)
class MsrpMessage:
    """One MSRP message, from its start line to its end-line."""

    transaction: bytes
    method: bytes  # b"" for a response
    status: int  # 0 for a request
    comment: bytes
    headers: list[tuple[bytes, bytes]]  # names in lower case, values without the white space around them; in order
    body: bytes | None  # None without an empty line behind the headers
    body_offset: int
    flag: bytes  # of the end-line: b"$", b"+" or b"#"; b"" where there is none
    notes: list[Note] = field(default_factory=list)

    @property
    def is_request(self) -> bool:
        """A request; what is neither has a status of 0 and no method."""
        return self.method != b""

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header of that name (lower case); None without one."""
        for each, value in self.headers:
            if each == name:
                return value
        return None

    def path(self, name: bytes) -> tuple[Uri, ...]:
        """The URIs of a path header (lower case) that can be read, the next hop first."""
        found = (parse_uri(each) for each in (self.header(name) or b"").split()[:PATH_LIMIT])
        return tuple(each for each in found if each is not None)

    @property
    def to_path(self) -> tuple[Uri, ...]:
        """Where the message goes, the next hop first."""
        return self.path(b"to-path")

    @property
    def from_path(self) -> tuple[Uri, ...]:
        """Where the message comes from, the last hop first."""
        return self.path(b"from-path")

    @property
    def message_id(self) -> bytes:
        """What all chunks of a message and the reports on it share; b"" if it is absent."""
        return self.header(b"message-id") or b""

    @property
    def byte_range(self) -> ByteRange | None:
        """Byte-Range; None if it is absent or can't be read."""
        return parse_range(self.header(b"byte-range") or b"")

    @property
    def content_type(self) -> bytes:
        """The media type in lower case without parameters; b"" if none is given."""
        return (self.header(b"content-type") or b"").partition(b";")[0].strip().lower()


def parse(data: bytes) -> MsrpMessage:
    """Dissect one message; never raises."""
    start = _START.match(data)
    if start is None:
        return MsrpMessage(b"", b"", 0, b"", [], None, len(data), b"", [Note(0, "no start line of MSRP")])
    transaction = start[1]
    message = MsrpMessage(
        transaction, start[2] or b"", int(start[3] or 0), start[4] or b"", [], None, len(data), b"", []
    )
    head = start.end() - 2  # where the line end of the start line stands
    found = end_line(data, transaction, head, len(data))
    if found is None:
        message.notes.append(Note(len(data), "no end-line"))
        found = len(data), len(data)
    else:
        message.flag = data[found[1] - 3 : found[1] - 2]
    empty = data.find(b"\r\n\r\n", head, min(len(data), found[0] + 2))
    if empty >= 0:
        if found[0] < empty + 4 <= found[1]:
            message.notes.append(Note(empty + 2, "no line end between an empty body and the end-line"))
        message.body_offset = empty + 4
        message.body = data[empty + 4 : max(found[0], empty + 4)]
    else:
        empty = found[0]
    if found[1] < len(data):
        message.notes.append(Note(found[1], f"{len(data) - found[1]} octets behind the end-line"))
    at = head + 2
    for line in data[at:empty].split(b"\r\n") if empty > at else ():
        name, colon, value = line.partition(b":")
        if colon:
            message.headers.append((name.strip().lower(), value.strip(b" \t")))
        else:
            message.notes.append(Note(at, "a line without a colon among the headers"))
        at += len(line) + 2
    return message


def parse_uri(text: bytes) -> Uri | None:
    """An MSRP URI; None for what does not have its form (RFC 4975 §9)."""
    found = _URI.fullmatch(text)
    if found is None:
        return None
    scheme, userinfo, host, port, session_id, transport, parameters = found.groups()
    return Uri(
        text,
        scheme.lower(),
        userinfo or b"",
        host,
        int(port) if port and int(port) <= 65535 else -1,
        session_id,
        transport.lower(),
        tuple(parameters.split(b";")[1:]),
    )


def parse_range(text: bytes) -> ByteRange | None:
    """A Byte-Range; None for what does not have its form."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    start, end, total = found.groups()
    return ByteRange(int(start), None if end == b"*" else int(end), None if total == b"*" else int(total))


def _host(host: bytes) -> bytes:
    """A host in the form in which it is compared: addresses by value, names without regard to case and escapes."""

    def unreserved(found: re.Match[bytes]) -> bytes:
        octet = int(found[1], 16)
        return bytes((octet,)) if octet in _UNRESERVED else found[0].upper()

    try:
        return ipaddress.ip_address(host.strip(b"[]").decode("ascii")).compressed.encode()
    except ValueError:
        return _ESCAPED.sub(unreserved, host).lower()

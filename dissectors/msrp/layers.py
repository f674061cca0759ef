"""Scapy layers for MSRP: start line, a layer for each header, the body as what it is, end-line (RFC 4975, RFC 4976).

Every octet is kept. `MSRP(transact_id=b"a786hjs2", method=b"SEND", headers=[MSRPPath(uris=[MSRPURI(…)]), …])` builds a
request, with `method=b""` and a `status_code` a response. The end-line, and the ends of a Byte-Range whose values are
None, are made from the message when it is built.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import ABSENT, MAX_ITEMS, Packets, named
from dissectors.cpim.fields import Body, HeaderLayer, Headers, Named, before
from dissectors.cpim.layers import MIMEMultipart, MIMEText, content_layer
from dissectors.header_lines import Implied, TextWithPayload, by_name
from dissectors.msrp.codes import CONTINUATION_FLAGS, MAX_OTHER_BODY, METHODS, STATUS_CODES, WITHOUT_REPORT_HEADERS
from dissectors.msrp.framing import cut_off, end_line, next_message, unread
from dissectors.msrp.headers import (
    HEADER_LAYERS,
    IDENT,
    MSRPURI,
    Code,
    MSRPAuthenticationInfo,
    MSRPAuthorization,
    MSRPByteRange,
    MSRPChallenge,
    MSRPDigestParameter,
    MSRPExpires,
    MSRPFailureReport,
    MSRPHeader,
    MSRPMessageID,
    MSRPNickname,
    MSRPPath,
    MSRPStatus,
    MSRPSuccessReport,
    MSRPURIParameter,
    MSRPUsePath,
)
from dissectors.msrp.parse import DIGITS, MsrpMessage, parse
from dissectors.text import CONTENT, TextField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "HEADER_LAYERS",
    "MSRP",
    "MSRPURI",
    "MSRPAuthenticationInfo",
    "MSRPAuthorization",
    "MSRPByteRange",
    "MSRPChallenge",
    "MSRPDigestParameter",
    "MSRPExpires",
    "MSRPFailureReport",
    "MSRPFragment",
    "MSRPHeader",
    "MSRPMessageID",
    "MSRPNickname",
    "MSRPPath",
    "MSRPStatus",
    "MSRPStream",
    "MSRPSuccessReport",
    "MSRPURIParameter",
    "MSRPUsePath",
]

MAX_RESYNCHRONISED = 16  # places of a stream where a message without its beginning or its end is cut off

_START = re.compile(rb"MSRP [^ \r\n]+ (?:[A-Z]+[ \t]*(?:\r?\n|\Z)|[0-9]{3}(?:[ \r\n]|\Z))")
_EMPTY_LINE = re.compile(rb"\r?\n")
_choosing = by_name({name.lower(): layer for name, layer in HEADER_LAYERS.items()}, MSRPHeader)


# --- messages --------------------------------------------------------------------------------------


def _own_end(transaction: bytes, s: bytes, at: int) -> int:
    """Where the end-line of a transaction that stands at a place ends, a sloppy one too; -1 if there is none."""
    sought = b"-------" + transaction
    behind = at + len(sought)
    if not transaction or not s.startswith(sought, at) or s[behind : behind + 1] not in (b"$", b"+", b"#"):
        return -1
    found = _EMPTY_LINE.match(s, behind + 1)
    return found.end() if found else behind + 1 if behind + 1 == len(s) else -1


class _HeadersField(Headers):
    """Headers, which the end-line of the own transaction ends, too; what a Byte-Range lacks is made from the body."""

    __slots__: list[str] = []

    def ends(self, pkt: Any, s: bytes, at: int) -> bool:
        return super().ends(pkt, s, at) or _own_end(bytes(pkt.transact_id), s, at) >= 0

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        if isinstance(val, list):
            val = [_with_range(pkt, each) if isinstance(each, MSRPByteRange) else each for each in val]
        return super().addfield(pkt, s, val)


def _with_range(message: Any, header: Any) -> Any:
    """A Byte-Range with its numbers, as far as they can be told."""
    start = bytes(header.range_start)
    if (header.range_end is None or header.total is None) and start.isdigit() and len(start) <= DIGITS:
        header = header.copy()
        end = int(start) - 1 + len(bytes(message.body) if message.body is not None else b"")
        if header.range_end is None:
            header.range_end = str(end).encode()
        if header.total is None and message.continuation_flag == b"$":
            header.total = str(end).encode()
    return header


class _BodyField(Body):
    """The body, up to the line end in front of the end-line of the own transaction."""

    __slots__: list[str] = []

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        transaction = bytes(pkt.transact_id)
        if _own_end(transaction, s, 0) >= 0:
            return b"", s
        found = end_line(s, transaction, 0, len(s)) if transaction else None
        if found is not None:
            return s[: found[0]], s[found[0] :]
        sought = b"\n-------" + transaction
        at = s.find(sought)
        while at >= 0 and transaction:
            if _own_end(transaction, s, at + 1) >= 0:
                at -= s[at - 1 : at] == b"\r"
                return s[:at], s[at:]
            at = s.find(sought, at + 1)
        return s, b""


def _body_layer(message: Any, data: bytes) -> Callable[..., Packet]:
    """What reads the body: by its type, except that a later chunk has no beginning of anything but text."""
    layer = content_layer(message)
    for each in message.headers:
        if isinstance(each, MSRPByteRange):
            numbers = each.byte_range()
            if numbers is None or numbers.start != 1:
                return MIMEText if layer is MIMEText else Raw
    return layer


class MSRP(TextWithPayload):
    """An MSRP message: a request, a chunk of one, or a response (RFC 4975 §7)."""

    name = "MSRP"
    fields_desc = [
        TextField("protocol", b"MSRP", rb"MSRP"),
        TextField("space1", b" ", rb" *"),
        TextField("transact_id", b"0000", rb"[^ \r\n]*"),
        TextField("space2", b" ", rb" *"),
        Named("method", b"SEND", rb"[A-Z]*", METHODS),
        Code("status_code", ABSENT, named(STATUS_CODES), lambda pkt: not pkt.method),
        Implied("space3", rb"[ \t]*", before("status_comment", b" ")),
        TextField("status_comment", b"", CONTENT),
        TextField("start_line_eol", b"\r\n", rb"\r?\n|"),
        _HeadersField("headers", _choosing),
        Implied("empty_line", rb"\r?\n|", lambda pkt: b"" if pkt.body is None else b"\r\n"),
        _BodyField("body", _body_layer),
        Implied("body_eol", rb"\r?\n|", lambda pkt: b"" if pkt.body is None else b"\r\n"),
        TextField("hyphens", b"-------", rb"-------|"),
        Implied("end_transact_id", rb"[^\r\n]*(?=[$+#](?:\r?\n|\Z))|", lambda pkt: bytes(pkt.transact_id)),
        Named("continuation_flag", b"$", rb"[$+#]|", CONTINUATION_FLAGS),
        TextField("end_line_eol", b"\r\n", rb"\r?\n|"),
    ]

    def do_dissect(self, s: bytes) -> bytes:
        """Read field by field what begins with a start line; anything else is not explained."""
        if _START.match(s):
            return super().do_dissect(s)
        each: Any
        for each in self.fields_desc:
            self.fields[each.name] = [] if each.islist else None if isinstance(each, Body) else b""
        self.explicit = 1
        return s

    def message(self) -> MsrpMessage:
        """What the lean parser reads from the octets of this layer."""
        return parse(bytes(self))

    def header(self, name: bytes) -> Any:
        """The layer of the first header of that name, without regard to case; None without one."""
        for each in self.headers or ():
            if isinstance(each, HeaderLayer) and each.canonical_name == name.lower():
                return each
        return None

    def mysummary(self) -> str:
        """The start line."""
        what = bytes(self.method) or f"{self.status_code} {bytes(self.status_comment).decode('utf-8', 'replace')}"
        shown = what.decode() if isinstance(what, bytes) else what
        return f"MSRP {bytes(self.transact_id).decode('utf-8', 'backslashreplace')} {shown}"

    def troubles(self) -> Iterator[str]:
        """What the specifications rule out in a message."""
        if not self.protocol:
            yield "no start line"
            return
        if not IDENT.fullmatch(bytes(self.transact_id)):
            yield "the transaction identifier does not have the form of one"
        if self.start_line_eol == b"\n" or self.end_line_eol == b"\n":
            yield "a line ends without a carriage return"
        yield from self._end_troubles()
        yield from self._header_troubles()
        yield from self._body_troubles()

    def _end_troubles(self) -> Iterator[str]:
        flag, method = self.continuation_flag, bytes(self.method)
        if not self.hyphens:
            yield "no end-line"
        elif self.end_line_eol == b"":
            yield "no line end behind the end-line"
        if not method and flag in (b"+", b"#"):
            yield "a response in chunks"
        if method and method != b"SEND" and flag in (b"+", b"#"):
            yield "a request other than SEND in chunks"
        if self.body is not None and self.hyphens and self.body_eol == b"":
            yield "no line end between an empty body and the end-line"

    def _header_troubles(self) -> Iterator[str]:
        method = bytes(self.method)
        names = [each.canonical_name for each in self.headers or () if isinstance(each, HeaderLayer)]
        if names[:1] != [b"to-path"]:
            yield "To-Path is not the first header"
        if names[1:2] != [b"from-path"]:
            yield "From-Path is not the second header"
        for name in _ONCE:
            if names.count(name) > 1:
                yield f"{name.decode()} more than once"
        for name in _NEEDED.get(method, ()):
            if name not in names:
                yield f"{method.decode()} without {name.decode()}"
        if method in WITHOUT_REPORT_HEADERS and (b"success-report" in names or b"failure-report" in names):
            yield f"{method.decode()} with Success-Report or Failure-Report"
        if b"content-transfer-encoding" in names:
            yield "Content-Transfer-Encoding: bodies are always binary"
        if b"content-type" in names:
            if names[-1] != b"content-type":
                yield "Content-Type is not the last header"
            if self.body is None and self.hyphens:
                yield "Content-Type without a body"
        elif self.body is not None:
            yield "a body without Content-Type"
        elif self.hyphens and any(name.startswith(b"content-") for name in names):
            yield "headers of a body without one"
        yield from self._path_troubles(method)

    def _path_troubles(self, method: bytes) -> Iterator[str]:
        """Requests name ports; only that of the relay in the To-Path of AUTH may be missing (RFC 4976 §8)."""
        for each in self.headers or () if method else ():
            if not isinstance(each, MSRPPath) or isinstance(each, MSRPUsePath) or not each.whole:
                continue
            portless = any(isinstance(uri, MSRPURI) and not uri.port for uri in each.uris)
            if portless and (method, each.canonical_name) != _WITHOUT_PORT:
                yield f"{each.canonical_name.decode()} with a URI that has no port"

    def _body_troubles(self) -> Iterator[str]:
        if self.body is None:
            return
        octets, method = len(bytes(self.body)), bytes(self.method)
        if method and method != b"SEND" and octets > MAX_OTHER_BODY:
            yield f"{octets} octets in a request other than SEND"
        field = self.header(b"byte-range")
        numbers = field.byte_range() if isinstance(field, MSRPByteRange) else None
        if method == b"SEND" and numbers is not None and numbers.end is not None and self.hyphens:
            says = numbers.end - numbers.start + 1
            # fewer octets are an interruption, except at the end of a message
            if says < octets or (says > octets and self.continuation_flag == b"$"):
                yield f"Byte-Range says {max(says, 0)} octets, {octets} are there"
        if isinstance(self.body, MIMEMultipart) and not self.body.parts and self.continuation_flag == b"$":
            yield "a multipart body without its boundary"


_WITHOUT_PORT = (b"AUTH", b"to-path")
_ONCE = (b"to-path", b"from-path", b"message-id", b"byte-range", b"status", b"content-type")
_NEEDED = {
    b"SEND": (b"message-id",),
    b"REPORT": (b"message-id", b"status"),
    b"NICKNAME": (b"use-nickname",),
}


# --- streams ---------------------------------------------------------------------------------------


class MSRPFragment(TextWithPayload):
    """The end of a message whose beginning is not there, with its end-line (RFC 4975 §7.1)."""

    name = "MSRP fragment"
    fields_desc = [
        TextField("octets", b"", rb".*(?=\r\n-------[^\r\n]*[$+#]\r\n\Z)|.*"),
        TextField("body_eol", b"", rb"\r?\n|"),
        TextField("hyphens", b"", rb"-------|"),
        TextField("end_transact_id", b"", rb"[^\r\n]*(?=[$+#]\r?\n)|"),
        Named("continuation_flag", b"", rb"[$+#]|", CONTINUATION_FLAGS),
        TextField("end_line_eol", b"", rb"\r?\n|"),
    ]


def _messages(pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
    """Cut a stream that may begin inside a message, and in which octets may be missing.

    Up to where the first message ends, a start line may be a quotation in a body that was cut; so the end-line of a
    transaction that began before comes first.
    """
    at = resynchronised = 0
    for _ in range(MAX_ITEMS):
        found = next_message(data, at)
        if found is None or at == 0:
            ended = cut_off(data, at) if resynchronised < MAX_RESYNCHRONISED else None
            if ended is not None and (found is None or ended[1] < found[1]):
                resynchronised += 1
                yield MSRP if _START.match(data, at) else MSRPFragment, data[at : ended[1]]
                at = ended[1]
                continue
        if found is None:
            break
        if found[0] > at:
            yield Raw, data[at : found[0]]
        yield MSRP, data[found[0] : found[1]]
        at = found[1]
    begun = unread(data, at)
    if begun > at and _START.match(data, begun):
        yield Raw, data[at:begun]
        at = begun
    if at < len(data):
        yield MSRP if _START.match(data, at) else Raw, data[at:]


class MSRPStream(TextWithPayload):
    """The octets of one direction of a connection, from any place on: messages one behind the other (RFC 4975 §7)."""

    name = "MSRP stream"
    fields_desc = [Packets("messages", None, _messages)]

"""Scapy layers for CPIM messages, and for MIME bodies as MSRP and CPIM carry them (RFC 3862, RFC 2045, RFC 2046).

Every octet is kept. `CPIM(headers=[CPIMAddress(header_name=b"From", uri=b"im:a@b")], content=MIMEEntity(…))` builds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.binary import One, nothing
from dissectors.cpim.codes import DISPOSITION_NOTIFICATIONS, IMDN_NAMESPACE
from dissectors.cpim.fields import (
    Body,
    HeaderLayer,
    Headers,
    Named,
    before,
    header_value,
    too_deep,
)
from dissectors.header_lines import (
    CUT_LINE,
    CUT_VALUE,
    LINE_END,
    Implied,
    Items,
    TextWithPayload,
    by_name,
    header_fields,
)
from dissectors.sdp.layer import SDP
from dissectors.sip.body import delimited
from dissectors.text import TextField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DATE_TIME = re.compile(
    rb"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    rb"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.)|\Z)", re.DOTALL)
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "r": "\r"}
_NAMES = re.compile(rb"(?:([^\s:;.]+)\.)?([^\s:;]+)(?=[:;])")
_NAMESPACE = re.compile(rb"[^:]*+:[ \t]*+([^<\s]*+)[ \t]*+<([^>]*+)>")
_PARAMETER = rb'[ \t\r\n]*;(?:"(?:[^"\\]|\\.)*+"?|[^;"])*+'


def _eol() -> TextField:
    return TextField("eol", b"\r\n", LINE_END)


def unquoted(value: bytes) -> bytes:
    """A quoted string's content, anything else as it is."""
    if len(value) < 2 or value[:1] != b'"' or value[-1:] != b'"':
        return value
    return re.sub(rb"\\(.)", rb"\1", value[1:-1], flags=re.DOTALL)


def unescaped(value: bytes) -> str:
    """A CPIM header's value with its escapes undone (RFC 3862 §2.3)."""

    def character(found: re.Match[str]) -> str:
        if found[1]:
            code = int(found[1], 16)
            return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
        return _ESCAPES.get(found[2], found[2]) if found[2] else ""

    return _ESCAPED.sub(character, value.decode("utf-8", "replace"))


# --- MIME ------------------------------------------------------------------------------------------


class MIMEParameter(TextWithPayload):
    """A parameter of a MIME header (RFC 2045 §5.1)."""

    name = "MIME parameter"
    fields_desc = [
        TextField("semicolon", b";", rb"[ \t\r\n]*;[ \t\r\n]*|"),
        TextField("parameter_name", b"", rb"[^=;\r\n]*"),
        TextField("equals", b"=", rb"=|"),
        TextField("parameter_value", b"", rb'"(?:[^"\\]|\\.)*+"|[^\s]*'),
        TextField("white_space", b"", rb"\s*"),
    ]


class MIMEHeader(HeaderLayer):
    """A header of a body that has no fields of its own here (RFC 2045 §3)."""

    name = "MIME header"
    fields_desc = header_fields(TextField("header_value", b"", CUT_VALUE), end=LINE_END)


class MIMEContentType(HeaderLayer):
    """Content-Type: media type, subtype and parameters (RFC 2045 §5)."""

    name = "Content-Type"
    fields_desc = header_fields(
        TextField("media_type", b"text", rb"[^/;\s]*"),
        TextField("slash", b"/", rb"/|"),
        TextField("subtype", b"plain", rb"[^;\s]*"),
        Items("parameters", MIMEParameter, _PARAMETER),
        name=b"Content-Type",
        end=LINE_END,
    )

    def troubles(self) -> Iterator[str]:
        """What is no media type."""
        if self.whole and not (self.media_type and self.slash and self.subtype):
            yield "no type and subtype"


class MIMEContentDisposition(HeaderLayer):
    """Content-Disposition: how a body is meant to be presented (RFC 2183 §2)."""

    name = "Content-Disposition"
    fields_desc = header_fields(
        TextField("disposition_type", b"inline", rb"[^;\s]*"),
        Items("parameters", MIMEParameter, _PARAMETER),
        name=b"Content-Disposition",
        end=LINE_END,
    )


class MIMEContentID(HeaderLayer):
    """Content-ID: what other bodies name this one by (RFC 2045 §7)."""

    name = "Content-ID"
    fields_desc = header_fields(
        TextField("opening", b"<", rb"<|"),
        TextField("content_id", b"", rb"[^>\r\n]*"),
        TextField("closing", b">", rb">|"),
        name=b"Content-ID",
        end=LINE_END,
    )


MIME_HEADERS: dict[bytes, type[HeaderLayer]] = {
    b"content-type": MIMEContentType,
    b"content-disposition": MIMEContentDisposition,
    b"content-id": MIMEContentID,
}
"""Layers of MIME headers that are taken apart further, by name in lower case."""


class MIMEText(TextWithPayload):
    """A body of text, as text/*, XML or JSON are (RFC 2046 §4.1)."""

    name = "text"
    fields_desc = [TextField("text", b"", rb".*")]


class MIMEEntity(TextWithPayload):
    """A body with its own headers: an empty line stands between them (RFC 2045 §2.4)."""

    name = "MIME entity"
    fields_desc = [
        Headers("headers", by_name(MIME_HEADERS, MIMEHeader), folding=True),
        Implied("empty_line", rb"\r?\n|", lambda pkt: b"" if pkt.body is None else b"\r\n"),
        Body("body", lambda pkt, data: content_layer(pkt)),
    ]


class MIMEBodyPart(TextWithPayload):
    """A part of a multipart body, from its delimiter to the line end in front of the next one (RFC 2046 §5.1.1)."""

    name = "body part"
    fields_desc = [
        TextField("delimiter", b"", rb"[^\n]*\n?"),
        One("entity", None, lambda pkt, data: MIMEEntity),
        TextField("line_end", b"\r\n", rb"\r?\n|"),
    ]


class MIMEMultipart(TextWithPayload):
    """A multipart body (RFC 2046 §5.1). Read alone, without its boundary, it is all preamble."""

    name = "multipart"
    fields_desc = [
        TextField("preamble", b"", rb".*"),
        Items("parts", MIMEBodyPart, rb"(?!)"),
        TextField("epilogue", b"", rb".*"),
    ]


def multipart(data: bytes, boundary: bytes, parent: Any = None) -> Packet:
    """A multipart body whose boundary is known."""
    spans, _ = delimited(data, boundary)
    if not spans:
        return MIMEMultipart(data, _parent=parent)
    packet = MIMEMultipart(_parent=parent)
    parts = []
    for number, span in enumerate(spans):
        end = spans[number + 1].delimiter if number + 1 < len(spans) else span.end
        part = MIMEBodyPart(_parent=packet)
        content = data[span.start : span.end]
        part.fields = {
            "delimiter": data[span.delimiter : span.start],
            "entity": MIMEEntity(content, _parent=part) if content else nothing(),
            "line_end": data[span.end : end],
        }
        part.explicit = 1
        parts.append(part)
    packet.fields = {"preamble": data[: spans[0].delimiter], "parts": parts, "epilogue": data[spans[-1].end :]}
    packet.explicit = 1
    return packet


def content_type(layer: Any) -> tuple[bytes, dict[bytes, bytes]]:
    """Media type (lower case, b"" without one) and parameters by the first Content-Type of a layer with headers."""
    for each in layer.getfieldval("headers") or ():
        if isinstance(each, MIMEContentType):
            kind = bytes(each.media_type + each.slash + each.subtype).lower()
            named = {
                bytes(one.parameter_name).strip().lower(): unquoted(bytes(one.parameter_value))
                for one in reversed(each.parameters)
                if isinstance(one, MIMEParameter)
            }
            return kind, named
    return b"", {}


def content_layer(layer: Any) -> Callable[..., Packet]:
    """What reads the body behind the headers of a layer, by its Content-Type."""
    kind, parameters = content_type(layer)
    encoding = (header_value(layer, b"content-transfer-encoding") or b"").strip().lower()
    if encoding not in (b"", b"7bit", b"8bit", b"binary"):
        kind = b""
    boundary = parameters.get(b"boundary", b"")
    if kind.startswith(b"multipart/") and boundary and not too_deep(layer):
        return lambda data, _parent: multipart(data, boundary, _parent)
    if kind.startswith(b"text/") or kind.endswith((b"+xml", b"/xml", b"+json", b"/json", b"/sipfrag", b"/sip")):
        return MIMEText
    found: Callable[..., Packet] = BY_MEDIA_TYPE.get(kind, Raw)
    return found


# --- CPIM ------------------------------------------------------------------------------------------


class CPIMParameter(TextWithPayload):
    """A parameter of a CPIM header, such as the language of a subject (RFC 3862 §3.3)."""

    name = "CPIM parameter"
    fields_desc = [
        TextField("semicolon", b";", rb";|"),
        TextField("parameter_name", b"lang", rb"[^=;\s]*"),
        TextField("equals", b"=", rb"=|"),
        TextField("parameter_value", b"", rb'"(?:[^"\\]|\\.)*+"|[^;\s]*'),
    ]


class CPIMHeaderLayer(HeaderLayer):
    """What all CPIM headers have in common (RFC 3862 §3)."""

    name = "CPIM header"
    around = frozenset(("name_prefix", "dot", "header_name", "colon", "parameters", "space", "eol"))

    def troubles(self) -> Iterator[str]:
        """A header is a name, a colon, one space and a value, without control characters (RFC 3862 §3.6)."""
        if not self.whole:
            return
        if not self.header_name or not self.colon:
            yield "no header name"
        elif self.space != b" ":
            yield "not exactly one space behind the colon"
        if any(one < 0x20 or one == 0x7F for one in self.value()):
            yield "control characters in the value"
        yield from self.value_troubles()

    def value_troubles(self) -> Iterator[str]:
        """What is wrong with the value of a header that is there to its end."""
        return iter(())


class _ParametersField(Items):
    """Parameters that follow the colon directly; they end where the space is."""

    __slots__: list[str] = []

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        found = re.match(rb'(?:;(?:"(?:[^"\\\r\n]|\\[^\r\n])*+"|[^;"\s])*+)*+', s)
        end = found.end() if found else 0
        return s[:end], s[end:]


def _begin(default: bytes = b"", prefix: bytes = b"") -> list[Any]:
    """The fields up to the value of a CPIM header."""
    return [
        TextField("name_prefix", prefix, rb"[^\s:;.]+(?=\.[^\s:;]+[:;])|"),
        Implied("dot", rb"\.|", before("name_prefix", b".")),
        TextField("header_name", default, rb"[^\s:;]+(?=[:;])|"),
        TextField("colon", b":", rb":|"),
        _ParametersField("parameters", CPIMParameter, rb';(?:"(?:[^"\\]|\\.)*+"?|[^;"])*+'),
        TextField("space", b" ", rb"[ \t]*"),
    ]


class CPIMHeader(CPIMHeaderLayer):
    """A CPIM header that has no fields of its own (RFC 3862 §3)."""

    name = "CPIM header"
    fields_desc = [*_begin(), TextField("header_value", b"", CUT_LINE), _eol()]

    def text(self) -> str:
        """The value with its escapes undone."""
        return unescaped(self.value())


def _address(default: bytes, prefix: bytes = b"") -> list[Any]:
    """The fields of a header that names somebody."""
    return [
        *_begin(default, prefix),
        TextField("formal_name", b"", rb'"(?:[^"\\\r\n]|\\[^\r\n])*+"|[^<"\r\n]*+(?=<)|'),
        TextField("white_space", b"", rb"[ \t]*"),
        TextField("opening", b"<", rb"<|"),
        TextField("uri", b"", rb"[^>\r\n]*"),
        TextField("closing", b">", rb">|"),
        TextField("behind", b"", CUT_LINE),
        _eol(),
    ]


class CPIMAddress(CPIMHeaderLayer):
    """A header that names somebody: an optional name, and a URI in angle brackets (RFC 3862 §3.6)."""

    name = "CPIM address"
    fields_desc = _address(b"")

    def value_troubles(self) -> Iterator[str]:
        """The URI stands in angle brackets, and nothing behind it."""
        if not (self.opening and self.closing) or not self.uri:
            yield "no URI in angle brackets"
        if bytes(self.behind).strip():
            yield "octets behind the URI"


class CPIMFrom(CPIMAddress):
    """From: who sends, as the sending element says (RFC 3862 §4.1)."""

    name = "CPIM From"
    fields_desc = _address(b"From")


class CPIMTo(CPIMAddress):
    """To: whom the message is for (RFC 3862 §4.2)."""

    name = "CPIM To"
    fields_desc = _address(b"To")


class CPIMcc(CPIMAddress):
    """cc: who gets a copy (RFC 3862 §4.3)."""

    name = "CPIM cc"
    fields_desc = _address(b"cc")


class CPIMDateTime(CPIMHeaderLayer):
    """DateTime: when the message was sent (RFC 3862 §4.4, RFC 3339)."""

    name = "CPIM DateTime"
    fields_desc = [*_begin(b"DateTime"), TextField("date_time", b"2026-01-01T00:00:00Z", CUT_LINE), _eol()]

    def value_troubles(self) -> Iterator[str]:
        """The form is that of RFC 3339."""
        if not _DATE_TIME.fullmatch(bytes(self.date_time)):
            yield "no date and time of RFC 3339"


class CPIMSubject(CPIMHeader):
    """Subject: what the message is about, in a language (RFC 3862 §4.5)."""

    name = "CPIM Subject"
    fields_desc = [*_begin(b"Subject"), TextField("subject", b"", CUT_LINE), _eol()]


class CPIMNS(CPIMHeaderLayer):
    """NS: the namespace that names with a prefix, or those without any, belong to (RFC 3862 §4.6)."""

    name = "CPIM NS"
    fields_desc = [
        *_begin(b"NS"),
        TextField("namespace_prefix", b"", rb"[^<\s]*"),
        Implied("white_space", rb"[ \t]*", before("namespace_prefix", b" ")),
        TextField("opening", b"<", rb"<|"),
        TextField("uri", b"", rb"[^>\r\n]*"),
        TextField("closing", b">", rb">|"),
        _eol(),
    ]

    def value_troubles(self) -> Iterator[str]:
        """The URI stands in angle brackets."""
        if not (self.opening and self.closing and self.uri):
            yield "no URI in angle brackets"


class CPIMRequiredName(TextWithPayload):
    """A header name that the receiver must understand (RFC 3862 §4.7)."""

    name = "required header"
    fields_desc = [TextField("required_name", b"", rb"[^,\r\n]*"), TextField("comma", b"", rb",[ \t]*|")]


class CPIMRequire(CPIMHeaderLayer):
    """Require: headers and features that the receiver must understand (RFC 3862 §4.7)."""

    name = "CPIM Require"
    fields_desc = [*_begin(b"Require"), Items("required", CPIMRequiredName, rb"[^,]*,[ \t]*|[^,]+"), _eol()]


class IMDNMessageID(CPIMHeaderLayer):
    """Message-ID: what a disposition notification names the message by (RFC 5438 §6)."""

    name = "IMDN Message-ID"
    fields_desc = [*_begin(b"Message-ID", b"imdn"), TextField("message_id", b"", CUT_LINE), _eol()]


class IMDNNotifyRequest(TextWithPayload):
    """One disposition that the sender wants to be told of (RFC 5438 §6)."""

    name = "disposition"
    fields_desc = [
        Named("disposition", b"positive-delivery", rb"[^,;\s]*", DISPOSITION_NOTIFICATIONS),
        TextField("behind", b"", rb"[^,\r\n]*"),
        TextField("comma", b"", rb",[ \t]*|"),
    ]


class IMDNDispositionNotification(CPIMHeaderLayer):
    """Disposition-Notification: which notifications the sender asks for (RFC 5438 §6)."""

    name = "IMDN Disposition-Notification"
    fields_desc = [
        *_begin(b"Disposition-Notification", b"imdn"),
        Items("requests", IMDNNotifyRequest, rb"[^,]*,[ \t]*|[^,]+"),
        _eol(),
    ]


class IMDNAddress(CPIMAddress):
    """Original-To, IMDN-Record-Route or IMDN-Route: where a notification goes and came through (RFC 5438 §6)."""

    name = "IMDN address"
    fields_desc = _address(b"Original-To", b"imdn")


CPIM_HEADERS: dict[bytes, type[CPIMHeaderLayer]] = {
    b"From": CPIMFrom,
    b"To": CPIMTo,
    b"cc": CPIMcc,
    b"DateTime": CPIMDateTime,
    b"Subject": CPIMSubject,
    b"NS": CPIMNS,
    b"Require": CPIMRequire,
}
"""Layers of the headers of RFC 3862 §4; names are case-sensitive."""

IMDN_HEADERS: dict[bytes, type[CPIMHeaderLayer]] = {
    b"Message-ID": IMDNMessageID,
    b"Disposition-Notification": IMDNDispositionNotification,
    b"Original-To": IMDNAddress,
    b"IMDN-Record-Route": IMDNAddress,
    b"IMDN-Route": IMDNAddress,
}
"""Layers of the headers in the namespace urn:ietf:params:imdn (RFC 5438 §6)."""

_CORE_LOWER = {name.lower(): layer for name, layer in CPIM_HEADERS.items()}


def _choosing() -> Callable[[bytes], type[Packet]]:
    """Chooses the layers of one block of CPIM headers; namespaces count from their NS line on."""
    namespaces: dict[bytes, bytes] = {}

    def choose(line: bytes) -> type[Packet]:
        found = _NAMES.match(line)
        if found is None:
            return CPIMHeader
        prefix, name = found[1] or b"", found[2]
        if not prefix and name.lower() in _CORE_LOWER:
            declared = _NAMESPACE.match(line) if name.lower() == b"ns" else None
            if declared is not None:
                namespaces[declared[1]] = declared[2]
            return _CORE_LOWER[name.lower()]
        known = namespaces.get(prefix, b"") == IMDN_NAMESPACE
        return IMDN_HEADERS.get(name, CPIMHeader) if known else CPIMHeader

    return choose


class CPIM(TextWithPayload):
    """A CPIM message: headers, an empty line, and a MIME body with headers of its own (RFC 3862 §2)."""

    name = "CPIM"
    fields_desc = [
        Headers("headers", _choosing),
        Implied("empty_line", rb"\r?\n|", lambda pkt: b"" if pkt.content is None else b"\r\n"),
        Body("content", lambda pkt, data: MIMEEntity),
    ]

    def namespaces(self) -> dict[bytes, bytes]:
        """The namespaces that NS headers declare, by prefix; b"" is the default one."""
        return {
            bytes(each.namespace_prefix): bytes(each.uri) for each in self.headers or () if isinstance(each, CPIMNS)
        }

    def troubles(self) -> Iterator[str]:
        """What RFC 3862 rules out across headers."""
        declared: set[bytes] = set()
        for each in self.headers or ():
            if not isinstance(each, CPIMHeaderLayer):
                continue
            name, prefix = bytes(each.header_name), bytes(each.name_prefix)
            shown = ascii(name[:40].decode("utf-8", "replace"))
            if isinstance(each, CPIMNS):
                declared.add(bytes(each.namespace_prefix))
            if prefix and prefix not in declared:
                yield f"{shown}: no NS header in front declares its prefix"
            if not prefix and name not in CPIM_HEADERS and name.lower() in _CORE_LOWER:
                yield f"{shown}: header names are case-sensitive"
        whole = isinstance(self.content, MIMEEntity) and self.content.empty_line
        if whole and header_value(self.content, b"content-type") is None:
            yield "the body has no Content-Type"


BY_MEDIA_TYPE: dict[bytes, type[Packet]] = {b"message/cpim": CPIM, b"application/sdp": SDP}
"""Layers of bodies by media type."""

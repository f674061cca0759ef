"""Scapy layers of what MSRP messages are made of: URIs, and a layer for each header (RFC 4975, RFC 4976, RFC 7701)."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from dissectors.binary import ABSENT, Numeric, named
from dissectors.cpim.fields import HeaderLayer, Named, before
from dissectors.cpim.layers import MIME_HEADERS
from dissectors.header_lines import CUT_LINE, LINE_END, NAME, SEPARATOR, Implied, Items, TextWithPayload
from dissectors.msrp.codes import ANY, FAILURE_REPORTS, NAMESPACES, SCHEMES, STATUS_CODES, SUCCESS_REPORTS
from dissectors.msrp.parse import DIGITS, ByteRange, parse_range
from dissectors.text import TextField

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENT = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}")
"""Transaction and message identifiers (RFC 4975 §9)."""

_SESSION_ID = re.compile(rb"[A-Za-z0-9\-._~+=/]+")
_QUOTED = rb'"(?:[^"\\\r\n]|\\[^\r\n])*+"'
_PARAMETER = rb'[ \t]*,?(?:"(?:[^"\\]|\\.)*+"?|[^,"])*+'


def _eol() -> TextField:
    return TextField("eol", b"\r\n", LINE_END)


def _begin(default: bytes = b"") -> list[Any]:
    """The fields up to the value of a header."""
    return [
        TextField("header_name", default, NAME),
        TextField("separator", b": ", SEPARATOR),
    ]


class Code(Numeric):
    """A code point of three decimal digits."""

    __slots__: list[str] = []

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        """Take the digits off the front."""
        if self.left_out(pkt) or not re.match(rb"[0-9]{3}(?![0-9])", s):
            return s, ABSENT
        return s[3:], int(s[:3])

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the digits."""
        return s if val == ABSENT or val is None or self.left_out(pkt) else s + b"%03d" % val

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The name with the number."""
        return f"{self.naming(x)} ({x:03d})" if isinstance(x, int) and self.naming else repr(x)


# --- URIs ------------------------------------------------------------------------------------------


class MSRPURIParameter(TextWithPayload):
    """A parameter of an MSRP URI behind the transport (RFC 4975 §6)."""

    name = "URI parameter"
    fields_desc = [
        TextField("semicolon", b";", rb";|"),
        TextField("parameter_name", b"", rb"[^=; \t\r\n]*"),
        Implied("equals", rb"=|", before("parameter_value", b"=")),
        TextField("parameter_value", b"", rb"[^; \t\r\n]*"),
    ]


class _URIParameters(Items):
    """The parameters of one URI in a list."""

    __slots__: list[str] = []

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        found = re.match(rb"(?:;[^ \t\r\n]*)?", s)
        end = found.end() if found else 0
        return s[:end], s[end:]


class MSRPURI(TextWithPayload):
    """An MSRP URI, with the space that separates it from the next one (RFC 4975 §6)."""

    name = "MSRP URI"
    fields_desc = [
        Named("scheme", b"msrp", rb"[A-Za-z][A-Za-z0-9+.-]*(?=://)|", SCHEMES),
        TextField("slashes", b"://", rb"://|"),
        TextField("userinfo", b"", rb"[^@/; \t\r\n]*(?=@)|"),
        Implied("at", rb"@|", before("userinfo", b"@")),
        TextField("host", b"", rb"\[[^\]\s]*\]|[^:/; \t\r\n]*"),
        Implied("colon", rb":|", before("port", b":")),
        TextField("port", b"", rb"[0-9]*"),
        Implied("slash", rb"/|", before("session_id", b"/")),
        TextField("session_id", b"", rb"[^; \t\r\n]*"),
        TextField("semicolon", b";", rb";|"),
        TextField("transport", b"tcp", rb"[^;= \t\r\n]*(?=[; \t\r\n]|\Z)|"),
        _URIParameters("parameters", MSRPURIParameter, rb";[^;]*"),
        TextField("space", b"", rb"[ \t]*"),
    ]

    def troubles(self) -> Iterator[str]:
        """What RFC 4975 §6 and §9 rule out."""
        scheme, host, port = bytes(self.scheme).lower(), bytes(self.host), bytes(self.port)
        if scheme not in SCHEMES:
            yield "the scheme is neither msrp nor msrps"
        if not host:
            yield "no host"
        if not self.transport:
            yield "no transport"
        if b":" in bytes(self.userinfo):
            yield "a password in the user information"
        if self.session_id and not _SESSION_ID.fullmatch(bytes(self.session_id)):
            yield "characters in the session-id that it may not have"
        if port and (len(port) > 5 or int(port) > 65535):
            yield "the port is above 65535"
        elif not port and _is_address(host):
            yield "an address without a port"


def _is_address(host: bytes) -> bool:
    try:
        ipaddress.ip_address(host.strip(b"[]").decode("ascii"))
    except ValueError:
        return False
    return True


# --- headers ---------------------------------------------------------------------------------------


class MSRPHeaderLayer(HeaderLayer):
    """What all headers have in common (RFC 4975 §9)."""

    name = "MSRP header"

    def troubles(self) -> Iterator[str]:
        """A header is a name, a colon, one space and a value, and ends with CRLF."""
        if not self.whole:
            return
        if not self.header_name:
            yield "no header name"
        elif self.separator != b": ":
            yield "the separator is not a colon and one space"
        if self.eol == b"\n":
            yield "the line ends without a carriage return"
        yield from self.value_troubles()

    def value_troubles(self) -> Iterator[str]:
        """What is wrong with the value of a header that is there to its end."""
        return iter(())


class MSRPHeader(MSRPHeaderLayer):
    """A header that has no fields of its own (RFC 4975 §9)."""

    name = "MSRP header"
    fields_desc = [*_begin(), TextField("header_value", b"", CUT_LINE), _eol()]


class MSRPPath(MSRPHeaderLayer):
    """To-Path or From-Path: URIs, the next or the last hop first (RFC 4975 §7.1)."""

    name = "path"
    fields_desc = [*_begin(b"To-Path"), Items("uris", MSRPURI, rb"[^ \t]*[ \t]*"), _eol()]

    def value_troubles(self) -> Iterator[str]:
        """A path has at least one URI."""
        if not self.uris:
            yield "no URI"


class MSRPUsePath(MSRPPath):
    """Use-Path: the relays that the client is to use (RFC 4976 §5.1)."""

    name = "Use-Path"
    fields_desc = [*_begin(b"Use-Path"), Items("uris", MSRPURI, rb"[^ \t]*[ \t]*"), _eol()]


class MSRPMessageID(MSRPHeaderLayer):
    """Message-ID: the same in all chunks of a message, and in reports on it (RFC 4975 §7.1.1)."""

    name = "Message-ID"
    fields_desc = [*_begin(b"Message-ID"), TextField("message_id", b"", CUT_LINE), _eol()]

    def value_troubles(self) -> Iterator[str]:
        """The form of an identifier."""
        if not IDENT.fullmatch(bytes(self.message_id)):
            yield "not the form of an identifier"


class MSRPSuccessReport(MSRPHeaderLayer):
    """Success-Report: whether success reports are wanted (RFC 4975 §7.1.1)."""

    name = "Success-Report"
    fields_desc = [*_begin(b"Success-Report"), Named("success_report", b"no", CUT_LINE, SUCCESS_REPORTS), _eol()]

    def value_troubles(self) -> Iterator[str]:
        """The values of the grammar."""
        if bytes(self.success_report) not in SUCCESS_REPORTS:
            yield "neither yes nor no"


class MSRPFailureReport(MSRPHeaderLayer):
    """Failure-Report: which failures are to be told of (RFC 4975 §7.1.1)."""

    name = "Failure-Report"
    fields_desc = [*_begin(b"Failure-Report"), Named("failure_report", b"yes", CUT_LINE, FAILURE_REPORTS), _eol()]

    def value_troubles(self) -> Iterator[str]:
        """The values of the grammar."""
        if bytes(self.failure_report) not in FAILURE_REPORTS:
            yield "neither yes, no nor partial"


class RangeEnd(Named):
    """An end or total of a Byte-Range; None is made from the message around it, and is `*` without one."""

    __slots__ = ()

    def i2m(self, pkt: Any, x: Any) -> bytes:
        """What is given."""
        return b"*" if x is None else bytes(x)


class MSRPByteRange(MSRPHeaderLayer):
    """Byte-Range: where in the whole message the body stands, and how long that is (RFC 4975 §7.1.1)."""

    name = "Byte-Range"
    fields_desc = [
        *_begin(b"Byte-Range"),
        TextField("range_start", b"1", rb"[^-/\r\n]*"),
        TextField("hyphen", b"-", rb"-|"),
        RangeEnd("range_end", None, rb"[^/\r\n]*", ANY),
        TextField("slash", b"/", rb"/|"),
        RangeEnd("total", None, CUT_LINE, ANY),
        _eol(),
    ]

    def byte_range(self) -> ByteRange | None:
        """The numbers; None where there are none."""
        return parse_range(self.value())

    def value_troubles(self) -> Iterator[str]:
        """Numbers that can't be."""
        numbers = self.byte_range()
        if numbers is None:
            yield f"not the form of a Byte-Range with numbers of {DIGITS} digits at most"
            return
        start, end, total = numbers
        if start == 0:
            yield "the first position is 1, not 0"
        if end is not None and end < start - 1:
            yield "the end lies before the start"
        if end is not None and total is not None and end > total:
            yield "the end lies behind the total"


class MSRPStatus(MSRPHeaderLayer):
    """Status: what a REPORT tells (RFC 4975 §7.1.2)."""

    name = "Status"
    fields_desc = [
        *_begin(b"Status"),
        Code("namespace", 0, named(NAMESPACES), None),
        TextField("space1", b" ", rb" *"),
        Code("status_code", 200, named(STATUS_CODES), lambda pkt: pkt.namespace == 0),
        Code("other_code", ABSENT, None, lambda pkt: pkt.namespace != 0),
        Implied("space2", rb" *", before("status_comment", b" ")),
        TextField("status_comment", b"", CUT_LINE),
        _eol(),
    ]


class MSRPExpires(MSRPHeaderLayer):
    """Expires, Min-Expires or Max-Expires: seconds for which a relay's URI is or may be valid (RFC 4976 §7)."""

    name = "Expires"
    fields_desc = [*_begin(b"Expires"), TextField("seconds", b"0", CUT_LINE), _eol()]

    def value_troubles(self) -> Iterator[str]:
        """A number."""
        if not bytes(self.seconds).isdigit():
            yield "no number of seconds"


class MSRPNickname(MSRPHeaderLayer):
    """Use-Nickname: the nickname in quotation marks; an empty one gives it up (RFC 7701 §7.1)."""

    name = "Use-Nickname"
    fields_desc = [*_begin(b"Use-Nickname"), TextField("nickname", b'""', _QUOTED + rb"|" + CUT_LINE), _eol()]

    def value_troubles(self) -> Iterator[str]:
        """A quoted string of 1023 characters at most."""
        text = bytes(self.nickname)
        if not re.fullmatch(_QUOTED, text):
            yield "not in quotation marks"
        elif len(text.decode("utf-8", "replace")) > 1025:
            yield "longer than 1023 characters"


class MSRPDigestParameter(TextWithPayload):
    """A parameter of Digest authentication, with the comma in front of it (RFC 4976 §7)."""

    name = "digest parameter"
    fields_desc = [
        TextField("comma", b"", rb"[ \t]*,[ \t]*|"),
        TextField("parameter_name", b"", rb"[^=,\s]*"),
        TextField("equals", b"=", rb"=|"),
        TextField("parameter_value", b"", _QUOTED + rb"|[^,\s]*"),
        TextField("white_space", b"", rb"[ \t]*"),
    ]


class _Digest(MSRPHeaderLayer):
    """Headers with parameters of Digest authentication (RFC 4976 §7)."""

    def parameter(self, name: bytes) -> bytes | None:
        """The value of a parameter (name in lower case) without its quotation marks; None without it."""
        for each in self.getfieldval("parameters") or ():
            if isinstance(each, MSRPDigestParameter) and bytes(each.parameter_name).lower() == name:
                return bytes(each.parameter_value).strip(b'"')
        return None

    def value_troubles(self) -> Iterator[str]:
        """What RFC 4976 §9.1 rules out, and the forms of its §7."""
        if bytes(self.getfieldval("scheme") if "scheme" in self.fieldtype else b"Digest").lower() != b"digest":
            yield "authentication by other means than Digest"
        if b"auth-int" in (self.parameter(b"qop") or b"").split(b","):
            yield "the quality of protection auth-int"
        algorithm = (self.parameter(b"algorithm") or b"MD5").upper()
        if algorithm == b"MD5-SESS":
            yield "the algorithm MD5-sess"
        count, response = self.parameter(b"nc"), self.parameter(b"response")
        if count is not None and not re.fullmatch(rb"[0-9a-f]{8}", count):
            yield "nc is not 8 hexadecimal digits in lower case"
        if response is not None and algorithm == b"MD5" and not re.fullmatch(rb"[0-9a-f]{32}", response):
            yield "response is not 32 hexadecimal digits in lower case"


def _digest(default: bytes) -> list[Any]:
    return [
        *_begin(default),
        TextField("scheme", b"Digest", rb"[^\s,=]+(?=[ \t]|\r?\n|\Z)|"),
        TextField("space", b" ", rb"[ \t]*"),
        Items("parameters", MSRPDigestParameter, _PARAMETER),
        _eol(),
    ]


class MSRPChallenge(_Digest):
    """WWW-Authenticate: a relay asks for credentials (RFC 4976 §7)."""

    name = "WWW-Authenticate"
    fields_desc = _digest(b"WWW-Authenticate")


class MSRPAuthorization(_Digest):
    """Authorization: a client's credentials (RFC 4976 §7)."""

    name = "Authorization"
    fields_desc = _digest(b"Authorization")


class MSRPAuthenticationInfo(_Digest):
    """Authentication-Info: the relay proves that it knows the password (RFC 4976 §7)."""

    name = "Authentication-Info"
    fields_desc = [
        *_begin(b"Authentication-Info"),
        Items("parameters", MSRPDigestParameter, _PARAMETER),
        _eol(),
    ]


HEADER_LAYERS: dict[bytes, type[HeaderLayer]] = {
    b"To-Path": MSRPPath,
    b"From-Path": MSRPPath,
    b"Message-ID": MSRPMessageID,
    b"Success-Report": MSRPSuccessReport,
    b"Failure-Report": MSRPFailureReport,
    b"Byte-Range": MSRPByteRange,
    b"Status": MSRPStatus,
    b"Content-Type": MIME_HEADERS[b"content-type"],
    b"Content-ID": MIME_HEADERS[b"content-id"],
    b"Content-Description": MSRPHeader,
    b"Content-Disposition": MIME_HEADERS[b"content-disposition"],
    b"Use-Path": MSRPUsePath,
    b"Expires": MSRPExpires,
    b"Min-Expires": MSRPExpires,
    b"Max-Expires": MSRPExpires,
    b"WWW-Authenticate": MSRPChallenge,
    b"Authorization": MSRPAuthorization,
    b"Authentication-Info": MSRPAuthenticationInfo,
    b"Use-Nickname": MSRPNickname,
}
"""Layers of headers by name."""

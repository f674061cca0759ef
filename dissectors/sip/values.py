"""What layers of SIP header fields are declared with: lists, addresses, parameters, in any spelling (RFC 3261 §25.1).

White space includes line ends of folded lines. Expressions never go back over what they took, so that reading stays
linear.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dissectors.header_lines import FOLDED_SEPARATOR, LWS, VALUE, header_fields, header_value
from dissectors.sip.codes import KEY_PARAMETERS
from dissectors.sip.headers import base64url, base64url_json
from dissectors.sip.parse import COMPACT_FORMS, unquoted
from dissectors.text import Meant, Pieces, Separator, TextField, TextLayer

if TYPE_CHECKING:
    from scapy.packet import Packet

_QUOTED = rb'"(?:[^"\\]|\\.)*+"?'
_CLOSED = rb'"(?:[^"\\]|\\.)*+"'
_PARAMETER = LWS + rb";" + LWS + rb"(?:" + _QUOTED + rb'|<[^>]*+>?|[^;"<])*+'
_COMMA = rb"(?:" + LWS + rb",)?" + LWS
_ITEM = _COMMA + rb"(?:" + _QUOTED + rb'|<[^>]*+>?|[^,"<])*+'


class SIPHeader(TextLayer):
    """A header field with its folded lines (RFC 3261 §7.3.1)."""

    name = "SIP header"
    fields_desc = header_fields(header_value(), separator=FOLDED_SEPARATOR)

    parameter_names: dict[bytes, str] = {}  # what parameters of this header mean
    parameter_values: dict[bytes, dict[bytes, str]] = {}
    tokens: dict[bytes, str] = {}  # what its values mean

    @property
    def canonical_name(self) -> bytes:
        """The name in lower case, compact forms written out."""
        name = bytes(self.getfieldval("header_name")).lower()
        return COMPACT_FORMS.get(name, name)


class SIPTakenApart(SIPHeader):
    """A header field whose value is taken apart (RFC 3261 §7.3.1)."""

    name = "SIP header taken apart"
    fields_desc = [each for each in SIPHeader.fields_desc if each.name != "header_value"]

    @property
    def header_value(self) -> bytes:
        """The value as it is built."""
        value = b""
        for each in self.fields_desc[2:-1]:
            value = each.addfield(self, value, self.getfieldval(each.name))
        return value


def header_around(packet: Any) -> SIPHeader | None:
    """The header that a value or parameter stands in."""
    while packet is not None:
        if isinstance(packet, SIPHeader):
            return packet
        packet = packet.parent
    return None


def _parameter_meaning(packet: Any, name: bytes) -> str:
    header = header_around(packet)
    return header.parameter_names.get(name.lower(), "") if header is not None else ""


def _value_meaning(packet: Any, text: bytes) -> str:
    header = header_around(packet)
    if header is None:
        return ""
    table = header.parameter_values.get(bytes(packet.parameter_name).lower(), {})
    return table.get(unquoted(text).lower(), "")


def _token_meaning(packet: Any, text: bytes) -> str:
    header = header_around(packet)
    return header.tokens.get(text.lower(), "") if header is not None else ""


class SIPParameter(TextLayer):
    """A parameter, `;name=value` (RFC 3261 §25.1)."""

    name = "SIP parameter"
    fields_desc = [
        Separator("separator", None, LWS + rb"[;,]?" + LWS),
        Meant("parameter_name", b"", rb"[^= \t\r\n]*", _parameter_meaning),
        TextField("equals", b"", LWS + rb"=" + LWS + rb"|"),
        Meant("parameter_value", b"", _QUOTED + rb"|<[^>]*+>?|[^ \t\r\n]*", _value_meaning),
        TextField("unexplained", b"", rb".*"),
    ]


class SIPKeyParameter(SIPParameter):
    """A key of AKA in a challenge, ik or ck, for the P-CSCF alone (TS 24.229 §7.2A)."""

    name = "SIP key parameter"
    secret_fields = ("parameter_value",)
    fields_desc = list(SIPParameter.fields_desc)


def _which_parameter(pkt: Any, piece: bytes) -> type[Packet]:
    name = piece.lstrip(b" \t\r\n,;").partition(b"=")[0].strip().lower()
    return SIPKeyParameter if name in KEY_PARAMETERS else SIPParameter


def parameters_field() -> Pieces:
    """`;name=value` again and again."""
    return Pieces("parameters", rb"(?:" + _PARAMETER + rb")*+", _PARAMETER, _which_parameter, b";", lead=True)


def _rest() -> TextField:
    return TextField("unexplained", b"", rb".*")


class _Uri(TextField):
    """A URI: up to the bracket where one was opened, else up to white space or parameters."""

    __slots__ = ("enclosed",)

    def __init__(self, name: str) -> None:
        super().__init__(name, b"", rb"[^; \t\r\n]*+")
        self.enclosed = re.compile(rb"[^>]*+", re.DOTALL)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        """Take the URI off the front."""
        if not pkt.laquot:
            return super().getfield(pkt, s)
        found = self.enclosed.match(s)
        end = found.end() if found else 0
        return s[end:], s[:end]


class SIPAddress(TextLayer):
    """An address with its name and parameters (RFC 3261 §20.10)."""

    name = "SIP address"
    fields_desc = [
        Separator("separator", None, _COMMA),
        TextField("display_name", b"", rb"(?:" + _CLOSED + rb'|[^"<;]*[^"<; \t\r\n])(?=' + LWS + rb"<)|"),
        TextField("space", b"", LWS),
        TextField("laquot", b"", rb"<|"),
        _Uri("uri"),
        TextField("raquot", b"", rb">|"),
        parameters_field(),
        _rest(),
    ]


class SIPViaParm(TextLayer):
    """One hop: protocol, transport, who sent it, parameters (RFC 3261 §20.42)."""

    name = "SIP hop"
    fields_desc = [
        Separator("separator", None, _COMMA),
        TextField("protocol_name", b"SIP", rb"[^/ \t\r\n;]*+"),
        TextField("slash1", b"/", LWS + rb"/" + LWS + rb"|"),
        TextField("protocol_version", b"2.0", rb"[^/ \t\r\n;]*+"),
        TextField("slash2", b"/", LWS + rb"/" + LWS + rb"|"),
        Meant("transport", b"UDP", rb"[^ \t\r\n;]*+", _token_meaning),
        TextField("space", b" ", LWS),
        TextField("host", b"", rb"\[[^\]]*+\]|[^: \t\r\n;]*+"),
        TextField("colon", b"", LWS + rb":" + LWS + rb"|"),
        TextField("port", b"", rb"[^ \t\r\n;]*+"),
        parameters_field(),
        _rest(),
    ]


class SIPValue(TextLayer):
    """A token with parameters (RFC 3261 §25.1)."""

    name = "SIP value"
    fields_desc = [
        Separator("separator", None, _COMMA),
        Meant("token", b"", _QUOTED + rb"|<[^>]*+>?|[^; \t\r\n]*+", _token_meaning),
        parameters_field(),
        _rest(),
    ]


class SIPPrivacyValue(TextLayer):
    """What is to be hidden (RFC 3323 §4.2)."""

    name = "SIP privacy value"
    fields_desc = [
        Separator("separator", None, LWS + rb"[;,]?" + LWS),
        Meant("token", b"none", rb"[^ \t\r\n]*+", _token_meaning),
        _rest(),
    ]


def _json_meaning(packet: Any, text: bytes) -> str:
    found = base64url_json(text)
    return "no JSON object in base64url" if found is None else str(found)


def _signature_meaning(packet: Any, text: bytes) -> str:
    octets = base64url(text)
    return f"signature of {len(octets)} octets" if octets else ""


class SIPPassport(TextLayer):
    """The token of an Identity: header, claims and signature (RFC 8224 §4, RFC 8225 §3)."""

    name = "PASSporT"
    fields_desc = [
        Separator("separator", None, _COMMA),
        Meant("passport_header", b"", rb"[A-Za-z0-9_\-]*+(?=\.)|", _json_meaning),
        TextField("dot1", b".", rb"\.|"),
        Meant("claims", b"", rb"[A-Za-z0-9_\-]*+(?=\.)|", _json_meaning),
        TextField("dot2", b".", rb"\.|"),
        Meant("signature", b"", _QUOTED + rb"|[^; \t\r\n]*+", _signature_meaning),
        parameters_field(),
        _rest(),
    ]


def listed(name: bytes, which: type[Packet]) -> list[Any]:
    """The fields of a header whose values commas separate."""
    return _header(name, Pieces("values", VALUE, _ITEM, lambda pkt, piece: which, b", "))


def semicolon_list(name: bytes, which: type[Packet]) -> list[Any]:
    """The fields of a header whose values semicolons separate."""
    return _header(name, Pieces("values", VALUE, _pieces(b";"), lambda pkt, piece: which, b";"))


def only_parameters(name: bytes, separator: bytes) -> list[Any]:
    """The fields of a header that has parameters and nothing else."""
    return _header(name, _all_parameters(separator))


def challenge(name: bytes) -> list[Any]:
    """The fields of a challenge or of credentials: a scheme, then a token or parameters."""
    return _header(
        name,
        TextField("scheme", b"Digest", rb'[^ \t\r\n=,"]++(?=' + LWS + rb"[^= \t\r\n])|"),
        TextField("space", b" ", LWS),
        TextField("token", b"", rb"[A-Za-z0-9\-._~+/]++=*+(?=[ \t]*+\r?(?:\n(?![ \t])|\Z))|"),
        _all_parameters(b","),
    )


def _all_parameters(separator: bytes) -> Pieces:
    return Pieces("parameters", VALUE, _pieces(separator), _which_parameter, separator)


def _pieces(separator: bytes) -> bytes:
    """Text between separators that stand outside of quotes and angle brackets, with the one in front."""
    return rb"(?:" + LWS + separator + rb")?" + LWS + rb"(?:" + _QUOTED + rb'|<[^>]*+>?|[^"<' + separator + rb"])*+"


def _header(name: bytes, *fields: Any) -> list[Any]:
    return header_fields(*fields, name=name, separator=FOLDED_SEPARATOR)

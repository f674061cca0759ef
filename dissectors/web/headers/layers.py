"""Layers of header fields of HTTP and RTSP; KeyMgmt and Transport of RTSP are taken apart to their parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet, Raw

from dissectors.header_lines import VALUE, Items, MessageHeaders, by_name, header_fields, header_value
from dissectors.text import Base64, Meant, Padding, TextField, TextLayer, layer_of
from dissectors.web.codes import KEYMGMT_PARAMETERS, TRANSPORT_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterator

_ITEM = rb'(?:"[^"]*+"|[^",])*+,?+|"'
_PARAMETER = rb'(?:"[^"]*+"|[^";])*+;?+|"'
_ONE_ITEM = rb'(?:"[^"]*+"|[^",])*+'
_IS_DATA = re.compile(rb"[ \t\r\n]*(?i:data)[ \t]*=")


class Header(TextLayer):
    """One header field with its folded lines (RFC 9112 §5, RFC 7826 §20.1)."""

    name = "header"
    fields_desc = header_fields(header_value())

    def troubles(self) -> Iterator[str]:
        """A line without a name."""
        if not self.header_name:
            yield "header without a name"


class List(Items):
    """Items up to the end of the line or of the item around, with a sign between them."""

    __slots__: list[str] = []

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Add the items, with the sign between them where there is none."""
        if isinstance(val, bytes):
            return s + val
        built = [bytes(item) for item in val or ()]
        for number, item in enumerate((val or ())[:-1]):
            if getattr(item, "separator", b"") is None:
                built[number] += item.get_field("separator").between
        return s + b"".join(built)


class Between(TextField):
    """The sign between two items; None leaves it to the list."""

    __slots__ = ("between",)

    def __init__(self, sign: bytes) -> None:
        super().__init__("separator", None, rb"[ \t]*" + re.escape(sign) + rb"|")
        self.between = sign

    def i2m(self, pkt: Any, x: bytes | None) -> bytes:
        """An item alone has none."""
        return b"" if x is None else bytes(x)

    def i2repr(self, pkt: Any, x: bytes | None) -> str:
        """As it stands."""
        return repr(x)


def mikey(pkt: Any, octets: bytes) -> type[Packet] | None:
    """The layer of MIKEY messages; None for octets that are none by their version (RFC 3830 §6.1)."""
    return layer_of("dissectors.mikey.layers", "MIKEY") if octets[:1] == b"\x01" else None


def _parameter(value: Any, table: dict[bytes, str], *more: Any) -> list[Any]:
    return [
        TextField("space", b"", rb"[ \t\r\n]*"),
        Meant("parameter_name", b"", rb"[^=;,\" \t\r\n]*", lambda pkt, x: table.get(x.lower(), "")),
        TextField("equals", b"=", rb"[ \t]*=[ \t]*|"),
        TextField("quote", b"", rb'"|'),
        value,
        *more,
        TextField("end_quote", b"", rb'"|'),
        Between(b";"),
        TextField("unexplained", b"", rb".*"),
    ]


class KeyMgmtParameter(TextLayer):
    """One parameter of KeyMgmt (RFC 4567 §3.2)."""

    name = "KeyMgmt parameter"
    fields_desc = _parameter(TextField("parameter_value", b"", rb'[^"]*(?=")|[^;,"\r\n]*'), KEYMGMT_PARAMETERS)


class KeyMgmtData(TextLayer):
    """The message in KeyMgmt, decoded (RFC 4567 §3.2, §4.1)."""

    name = "KeyMgmt data"
    secret_fields = ("data",)
    fields_desc = _parameter(Base64("data", rb"[A-Za-z0-9+/]*", mikey), KEYMGMT_PARAMETERS, Padding("padding", "data"))

    def troubles(self) -> Iterator[str]:
        """Text that is no message in base64."""
        if not isinstance(self.data, Packet):
            yield "data is no MIKEY message in base64"
        yield from super().troubles()


class KeyMgmtParameters(List):
    """Parameters, of which one may hold the message."""

    __slots__ = ()

    def _items(self, pkt: Any, data: bytes) -> Iterator[tuple[type[Packet], bytes]]:
        for layer, piece in super()._items(pkt, data):
            yield (KeyMgmtData if layer is not Raw and _IS_DATA.match(piece) else layer), piece


class KeyMgmtSpec(TextLayer):
    """What one KeyMgmt header says of one stream (RFC 4567 §3.2)."""

    name = "key-mgmt-spec"
    fields_desc = [
        KeyMgmtParameters("parameters", KeyMgmtParameter, _PARAMETER, _ONE_ITEM),
        Between(b","),
        TextField("unexplained", b"", rb".*"),
    ]


class KeyMgmt(TextLayer):
    """A KeyMgmt header of RTSP (RFC 4567 §3.2)."""

    name = "KeyMgmt"
    fields_desc = header_fields(List("specs", KeyMgmtSpec, _ITEM, VALUE), name=b"KeyMgmt")


class TransportParameter(TextLayer):
    """One parameter of a transport (RFC 7826 §18.54)."""

    name = "transport parameter"
    fields_desc = _parameter(
        TextField("parameter_value", b"", rb'[^"]*(?="[ \t]*(?:;|\Z))|[^;\r\n]*'), TRANSPORT_PARAMETERS
    )


def _profile_meaning(pkt: Any, x: bytes) -> str:
    return {b"AVP": "not protected", b"AVPF": "not protected", b"SAVP": "protected", b"SAVPF": "protected"}.get(
        x.upper(), "unknown profile"
    )


class TransportSpec(TextLayer):
    """One transport that is offered or chosen (RFC 2326 §12.39, RFC 7826 §18.54)."""

    name = "transport-spec"
    fields_desc = [
        TextField("space", b"", rb"[ \t\r\n]*"),
        TextField("transport_protocol", b"RTP", rb"[^/;, \t\r\n]*"),
        TextField("slash1", b"/", rb"/|"),
        Meant("profile", b"AVP", rb"[^/;, \t\r\n]*", _profile_meaning),
        TextField("slash2", b"", rb"/|"),
        TextField("lower_transport", b"", rb"[^/;, \t\r\n]*"),
        TextField("semicolon", b";", rb"[ \t]*;|"),
        List("parameters", TransportParameter, _PARAMETER, _ONE_ITEM),
        Between(b","),
        TextField("unexplained", b"", rb".*"),
    ]


class Transport(TextLayer):
    """A Transport header of RTSP (RFC 2326 §12.39, RFC 7826 §18.54)."""

    name = "Transport"
    fields_desc = header_fields(List("specs", TransportSpec, _ITEM, VALUE), name=b"Transport")


RTSP_HEADERS: dict[bytes, type[Packet]] = {b"keymgmt": KeyMgmt, b"transport": Transport}
"""Headers of RTSP that are taken apart further."""


class Headers(MessageHeaders):
    """The headers up to the empty line; a Content-Length without a value gets that of the body."""

    __slots__: list[str] = []

    def __init__(self, name: str, layers: dict[bytes, type[Packet]]) -> None:
        super().__init__(name, by_name(layers, Header))


def values(headers: Any, name: bytes) -> list[bytes]:
    """The values of a header, in order, without white space around them."""
    return [
        bytes(one.header_value or b"").strip()
        for one in headers or ()
        if isinstance(one, Header) and bytes(one.header_name).lower() == name
    ]

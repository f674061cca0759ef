"""Octets that an attacker would choose against each layer of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.dissectors.hostile_binary import BFCP, CERTIFICATE, CMS, DTLS, MIKEY, RTCP, RTP, SSL2, STUN, TLS
from tests.dissectors.hostile_text import (
    LIST,
    USER,
    cpim,
    cpim_headers,
    crypto,
    h248,
    h248_braces,
    msrp,
    msrp_headers,
    sdp,
    sdp_attributes,
    sip,
    sip_headers,
    text,
    web,
    web_headers,
    xml,
)
from tests.dissectors.repeated import again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.dissectors.repeated import Made


def _any() -> dict[str, Made]:
    return {
        "zeros": again(b"\0"),
        "ones": again(b"\xff"),
        "0x01": again(b"\1"),
        "0x80": again(b"\x80"),
        "counting": lambda size: (bytes(range(256)) * (size // 256 + 1))[:size],
    }


def shapes(layer: str) -> dict[str, Made]:
    """What an attacker would choose against a layer of the catalog, by names."""
    return {**_any(), **_SHAPES[layer]()}


def fillings(layer: str) -> dict[str, Made]:
    """Text filled with one sign or another, alone and behind the beginning of each header or line; none of binary."""
    return {**text(), **_FILLINGS[layer]()} if layer in _FILLINGS else {}


def variants(data: bytes) -> Iterator[bytes]:
    """Octets cut short, and with more behind them."""
    yield data[: len(data) * 2 // 3 + 1]
    yield data + b"\0" * 64


_SHAPES: dict[str, Callable[[], dict[str, Made]]] = {
    "bfcp": lambda: BFCP,
    "certificate": lambda: CERTIFICATE,
    "cms": lambda: CMS,
    "conference-info": lambda: xml(
        b'conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="a"', b"user", USER
    ),
    "cpim": cpim,
    "crypto": crypto,
    "dtls": lambda: DTLS,
    "h248": h248,
    "http": lambda: web(b"POST / HTTP/1.1\r\n"),
    "mikey": lambda: MIKEY,
    "msrp": msrp,
    "resource-lists": lambda: xml(b'resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"', b"entry", LIST),
    "rtcp": lambda: RTCP,
    "rtp": lambda: RTP,
    "rtsp": lambda: web(b"SETUP rtsp://a/b RTSP/1.0\r\n"),
    "sdp": sdp,
    "sip": sip,
    "srtcp": lambda: RTCP,
    "srtp": lambda: RTP,
    "ssl2": lambda: SSL2,
    "stun": lambda: STUN,
    "tls": lambda: TLS,
}
_FILLINGS: dict[str, Callable[[], dict[str, Made]]] = {
    "conference-info": dict,
    "cpim": cpim_headers,
    "h248": h248_braces,
    "http": lambda: web_headers(b"POST / HTTP/1.1\r\n"),
    "msrp": msrp_headers,
    "rtsp": lambda: web_headers(b"SETUP rtsp://a/b RTSP/1.0\r\n"),
    "sdp": sdp_attributes,
    "sip": sip_headers,
}

"""The layers of this package by short names, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from scapy.packet import Packet


class Entry(NamedTuple):
    """Where a layer is, and what it reads."""

    module: str
    layer: str
    text: bool  # octets that a person can paste as they are; others come as base64 or hexadecimal digits
    what: str


CATALOG = {
    "bfcp": Entry("dissectors.bfcp.layers", "BFCP", False, "a BFCP message (RFC 8855)"),
    "certificate": Entry("dissectors.x509.layers", "Certificate", False, "an X.509 certificate in DER (RFC 5280)"),
    "cms": Entry("dissectors.cms.layers", "CMS", False, "a CMS object in DER or BER (RFC 5652)"),
    "conference-info": Entry("dissectors.confinfo.layers", "ConferenceInfo", True, "a conference document (RFC 4575)"),
    "cpim": Entry("dissectors.cpim.layers", "CPIM", True, "a CPIM message (RFC 3862)"),
    "crypto": Entry("dissectors.sdp.layer", "SDPCrypto", True, "an a=crypto line (RFC 4568)"),
    "dtls": Entry("dissectors.tls.layers", "DTLS", False, "a DTLS datagram (RFC 6347)"),
    "h248": Entry("dissectors.h248.layers", "H248", True, "an H.248 message in text"),
    "http": Entry("dissectors.web.layers", "HTTP", True, "an HTTP message (RFC 9112)"),
    "mikey": Entry("dissectors.mikey.layers", "MIKEY", False, "a MIKEY message (RFC 3830, RFC 6043)"),
    "msrp": Entry("dissectors.msrp.layers", "MSRP", True, "an MSRP message (RFC 4975)"),
    "resource-lists": Entry("dissectors.resource_lists.layers", "ResourceLists", True, "resource lists (RFC 4826)"),
    "rtcp": Entry("dissectors.rtp.layers", "RTCP", False, "an RTCP compound (RFC 3550)"),
    "rtp": Entry("dissectors.rtp.layers", "RTP", False, "an RTP packet (RFC 3550)"),
    "rtsp": Entry("dissectors.web.layers", "RTSP", True, "an RTSP message (RFC 7826)"),
    "sdp": Entry("dissectors.sdp.layer", "SDP", True, "a session description (RFC 8866)"),
    "sip": Entry("dissectors.sip.layer", "SIP", True, "a SIP message (RFC 3261)"),
    "srtcp": Entry("dissectors.rtp.layers", "SRTCP", False, "an SRTCP packet (RFC 3711)"),
    "srtp": Entry("dissectors.rtp.layers", "SRTP", False, "an SRTP packet (RFC 3711)"),
    "ssl2": Entry("dissectors.tls.layers", "SSL2", False, "records of SSL 2.0"),
    "stun": Entry("dissectors.stun.layers", "STUN", False, "a STUN or TURN message (RFC 8489)"),
    "tls": Entry("dissectors.tls.layers", "TLS", False, "TLS records (RFC 5246, RFC 8446)"),
}


def layer(name: str) -> type[Packet]:
    """The class of a layer; KeyError for a name that the catalog has not."""
    entry = CATALOG[name]
    found: type[Packet] = getattr(import_module(entry.module), entry.layer)
    return found

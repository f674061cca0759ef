"""Transport protocol tokens of m= lines and what they promise (IANA sdp-parameters, proto)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Family = Literal["rtp", "msrp", "bfcp", "udptl", "sctp", "other"]
Security = Literal["sdes-or-other", "dtls", "tls", "none"]


@dataclass(slots=True, frozen=True)
class Transport:
    """One proto token."""

    name: str  # upper case; octets that are no printable ASCII are escaped
    secure: bool
    clear: str  # the counterpart without protection; "" if there is none
    family: Family
    security: Security  # "sdes-or-other": SRTP whose keys come from a=crypto, a=key-mgmt or elsewhere
    known: bool = True


def _rtp() -> list[Transport]:
    table: list[Transport] = []
    for feedback in ("", "F"):
        # RFC 3551, RFC 4585, RFC 3711, RFC 5124; over TCP RFC 4571, RFC 7850; over DCCP RFC 5762
        for lower in ("", "TCP/", "DCCP/"):
            clear = f"{lower}RTP/AVP{feedback}"
            table.append(Transport(clear, False, "", "rtp", "none"))
            table.append(Transport(f"{lower}RTP/SAVP{feedback}", True, clear, "rtp", "sdes-or-other"))
        table.append(Transport(f"UDP/TLS/RTP/SAVP{feedback}", True, f"RTP/AVP{feedback}", "rtp", "dtls"))  # RFC 5764 §8
        table.append(Transport(f"DCCP/TLS/RTP/SAVP{feedback}", True, f"DCCP/RTP/AVP{feedback}", "rtp", "dtls"))
        table.append(Transport(f"TCP/DTLS/RTP/SAVP{feedback}", True, f"TCP/RTP/AVP{feedback}", "rtp", "dtls"))
    return table


TRANSPORTS: dict[str, Transport] = {
    row.name: row
    for row in (
        *_rtp(),
        Transport("TCP/MSRP", False, "", "msrp", "none"),  # RFC 4975
        Transport("TCP/TLS/MSRP", True, "TCP/MSRP", "msrp", "tls"),
        Transport("TCP/BFCP", False, "", "bfcp", "none"),  # RFC 8856 §4
        Transport("UDP/BFCP", False, "", "bfcp", "none"),
        Transport("TCP/TLS/BFCP", True, "TCP/BFCP", "bfcp", "tls"),
        Transport("UDP/TLS/BFCP", True, "UDP/BFCP", "bfcp", "dtls"),
        Transport("TCP/DTLS/BFCP", True, "TCP/BFCP", "bfcp", "dtls"),
        Transport("TCP/WS/BFCP", False, "", "bfcp", "none"),  # RFC 8857
        Transport("TCP/WSS/BFCP", True, "TCP/WS/BFCP", "bfcp", "tls"),
        Transport("UDPTL", False, "", "udptl", "none"),  # T.38 Annex D
        Transport("UDP/TLS/UDPTL", True, "UDPTL", "udptl", "dtls"),  # RFC 7345
        Transport("SCTP", False, "", "sctp", "none"),  # RFC 8841
        Transport("SCTP/DTLS", True, "SCTP", "sctp", "dtls"),
        Transport("DTLS/SCTP", True, "SCTP", "sctp", "dtls"),  # drafts of RFC 8841, still sent
        Transport("UDP/DTLS/SCTP", True, "", "sctp", "dtls"),
        Transport("TCP/DTLS/SCTP", True, "", "sctp", "dtls"),
        Transport("UDP", False, "", "other", "none"),
        Transport("TCP", False, "", "other", "none"),
        Transport("TCP/TLS", True, "TCP", "other", "tls"),  # RFC 8122 §4
    )
}
"""Known tokens, upper case."""


def transport(proto: bytes) -> Transport:
    """What a proto token stands for, compared without case; an unknown one is taken for clear, TCP/TLS/… for TLS."""
    known = _BY_BYTES.get(proto)
    return known if known is not None else _other(proto)


@lru_cache(maxsize=256)
def _other(proto: bytes) -> Transport:
    name = proto.decode("ascii", "backslashreplace").upper()
    known = TRANSPORTS.get(name)
    if known is not None:
        return known
    name = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)
    if name.startswith("TCP/TLS/"):
        family: Family = "rtp" if "/RTP/" in name else "other"
        return Transport(name, True, "TCP/" + name[8:], family, "tls", known=False)
    return Transport(name, False, "", "other", "none", known=False)


_BY_BYTES = {name.encode(): row for name, row in TRANSPORTS.items()}

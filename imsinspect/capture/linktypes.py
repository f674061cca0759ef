"""Link-layer types of capture files (tcpdump.org registry), and where IP begins behind each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class LinkType:
    """A link-layer type that can be read."""

    number: int
    name: str
    kind: str  # "ethertype": a protocol field then IP; "raw"; "null": address family; "ppp"; "exported"
    type_at: int = 0  # offset of the EtherType field
    header: int = 0  # octets before the network header


ETHERNET, RAW, EXPORTED = 1, 101, 252

LINK_TYPES = {
    link.number: link
    for link in (
        LinkType(0, "NULL", "null", header=4),
        LinkType(ETHERNET, "EN10MB", "ethertype", type_at=12, header=14),
        LinkType(9, "PPP", "ppp"),
        LinkType(12, "RAW", "raw"),
        LinkType(14, "RAW", "raw"),
        LinkType(50, "PPP_HDLC", "ppp"),
        LinkType(51, "PPP_ETHER", "pppoe"),
        LinkType(RAW, "RAW", "raw"),
        LinkType(108, "LOOP", "null", header=4),
        LinkType(113, "LINUX_SLL", "ethertype", type_at=14, header=16),
        LinkType(228, "IPV4", "raw"),
        LinkType(229, "IPV6", "raw"),
        LinkType(EXPORTED, "WIRESHARK_UPPER_PDU", "exported"),
        LinkType(276, "LINUX_SLL2", "ethertype", type_at=0, header=20),
    )
}


def link_name(number: int) -> str:
    """The registry's name, or the number where it is none of ours."""
    link = LINK_TYPES.get(number)
    return link.name if link else f"link type {number}"

"""Transport addresses as the report writes them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple


class Endpoint(NamedTuple):
    """An IP address in canonical text and a port."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@lru_cache(maxsize=65_536)
def text_ip(raw: bytes) -> str:
    """Canonical text of 4 or 16 address bytes (RFC 5952 for IPv6)."""
    if len(raw) == 4:
        return f"{raw[0]}.{raw[1]}.{raw[2]}.{raw[3]}"
    return str(IPv6Address(raw))

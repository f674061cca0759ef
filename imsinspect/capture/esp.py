"""Recognises ESP whose encryption is NULL without any key, and opens it (RFC 5879 §8, RFC 4303 §2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.identity import PORTS, SSRC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imsinspect.crypto.esp import EspContent, EspParameters

ICV_OCTETS = (12, 16, 24, 32, 0)  # shortest first: a longer first guess may hit clear payload; 0 where it was stripped
TCP, UDP, SCTP, ICMP, ICMP6, IP4, IP6 = 6, 17, 132, 1, 58, 4, 41
NEEDED = 3  # packets that agree before an association without a proof is taken for NULL
TRIED = 8  # packets tried before it is taken for encrypted


class Opened(NamedTuple):
    """What an ESP packet held."""

    next_header: int
    payload: bytes
    icv_octets: int
    proven: bool  # a checksum or a SIP start line leaves no doubt


def _ones_sum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


def _checksum_holds(source: bytes, destination: bytes, protocol: int, payload: bytes) -> bool:
    """A transport checksum over the pseudo-header of the outer addresses (transport mode)."""
    if protocol == UDP and payload[6:8] == b"\0\0":
        return False
    pseudo = source + destination + struct.pack("!II", len(payload), protocol)
    return _ones_sum(pseudo + payload) == 0xFFFF


def _plausible(protocol: int, payload: bytes) -> bool:
    """Whether bytes are a packet of that protocol, by its own length and flag fields."""
    if protocol == UDP:
        return len(payload) >= 8 and payload[4:6] == struct.pack("!H", len(payload)) and payload[0:2] != b"\0\0"
    if protocol == TCP:
        if len(payload) < 20:
            return False
        offset, flags = (payload[12] >> 4) * 4, payload[13] & 0x3F
        return 20 <= offset <= len(payload) and payload[12] & 0x0E == 0 and flags & 3 != 3 and flags != 0
    if protocol == SCTP:
        return (
            len(payload) >= 16 and len(payload) % 4 == 0 and 4 <= int.from_bytes(payload[14:16], "big") <= len(payload)
        )
    if protocol == IP4:
        return len(payload) >= 20 and payload[0] >> 4 == 4 and payload[2:4] == struct.pack("!H", len(payload))
    if protocol == IP6:
        return len(payload) >= 40 and payload[0] >> 4 == 6 and payload[4:6] == struct.pack("!H", len(payload) - 40)
    return False


def try_open(packet: bytes, source: bytes, destination: bytes, icv: int | None = None) -> Opened | None:
    """Read a packet (from its SPI on) as NULL-encrypted; None when no layout fits. icv limits the layouts tried."""
    for octets in ICV_OCTETS if icv is None else (icv,):
        end = len(packet) - octets
        if end < 10:
            continue
        protocol, padding = packet[end - 1], packet[end - 2]
        begin, stop = 8, end - 2 - padding
        if stop < begin or packet[stop : end - 2] != bytes(range(1, padding + 1)):
            continue
        payload = packet[begin:stop]
        if protocol in (ICMP, ICMP6):
            whole = protocol == ICMP6 and len(payload) >= 8 and _checksum_holds(source, destination, protocol, payload)
            whole |= protocol == ICMP and len(payload) >= 8 and _ones_sum(payload) == 0xFFFF
            if whole:
                return Opened(protocol, payload, octets, True)
            continue
        if not _plausible(protocol, payload):
            continue
        if protocol in (IP4, IP6):
            proven = protocol == IP4 and _ones_sum(payload[: (payload[0] & 15) * 4]) == 0xFFFF
        else:
            proven = _checksum_holds(source, destination, protocol, payload)
        return Opened(protocol, payload, octets, proven)
    return None


@dataclass(slots=True)
class Association:
    """One SPI towards one destination: decided once, then kept to."""

    identity: bytes
    decided: str = ""  # "null", "encrypted", "keyed": a key at hand opens it
    icv_octets: int | None = None
    opened: int = 0
    failed: int = 0  # packets that the key does not open
    keys: EspParameters | None = None
    tried: int = 0
    agreeing: dict[int, int] = field(default_factory=dict)  # ICV length: packets that read well with it
    waiting: list[tuple[bytes, int, int, int, int]] = field(default_factory=list)  # packets before the decision

    @property
    def spi(self) -> int:
        """The security parameters index."""
        return int.from_bytes(self.identity[PORTS:SSRC], "big")

    def try_keys(self, packet: bytes, known: Iterable[tuple[int | None, EspParameters]]) -> None:
        """Take the first key that opens a packet; where nothing authenticates it, its content has to make sense."""
        from imsinspect.crypto.esp import open_packet  # loaded where there are keys

        for spi, keys in known:
            if spi in (None, self.spi):
                found = open_packet(keys, packet)
                if found is not None and (found.verified or _plausible(found.next_header, found.payload)):
                    self.decided, self.keys = "keyed", keys
                    return

    def open_keyed(self, packet: bytes) -> EspContent | None:
        """What the key that was taken makes of a packet."""
        from imsinspect.crypto.esp import open_packet

        found = open_packet(self.keys, packet) if self.keys is not None else None
        self.failed += found is None
        return found

    @property
    def null(self) -> bool:
        """It does not encrypt."""
        return self.decided == "null" or (self.keys is not None and self.keys.encryption == "null")

    def decide(self, found: Opened | None) -> None:
        """Weigh one more packet."""
        self.tried += 1
        if found is not None:
            votes = self.agreeing[found.icv_octets] = self.agreeing.get(found.icv_octets, 0) + 1
            if (found.proven and found.icv_octets) or votes >= NEEDED:
                self.decided, self.icv_octets = "null", found.icv_octets
                return
        if self.tried >= TRIED and sum(self.agreeing.values()) * 2 < self.tried:
            self.decided = "encrypted"

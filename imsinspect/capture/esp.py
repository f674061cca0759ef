"""Opens ESP: with the keys at hand, and without any where its encryption is NULL (RFC 5879 §8, RFC 4303 §2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imsinspect.capture.identity import PORTS, SSRC, VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imsinspect.crypto.esp import EspContent, EspParameters

TCP, UDP, SCTP, ICMP, ICMP6, IP4, IP6, DUMMY = 6, 17, 132, 1, 58, 4, 41, 59
NEEDED = 3  # packets that agree before an association without a proof is taken for NULL
TRIED = 8  # packets tried before it is taken for encrypted
KEY_TRIES = 64  # packets of an association that all keys are tried on


class Layout(NamedTuple):
    """How a packet without encryption is laid out around its payload."""

    icv_octets: int
    iv_octets: int = 0


# The shortest check value first: a longer first guess may hit clear payload. AES-GMAC has an IV; 0: stripped or none.
LAYOUTS = (Layout(12), Layout(16), Layout(16, 8), Layout(24), Layout(32), Layout(0))


class Opened(NamedTuple):
    """What an ESP packet held."""

    next_header: int
    payload: bytes
    layout: Layout
    proven: bool  # a checksum leaves no doubt


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


def _sensible(content: EspContent, source: bytes, destination: bytes) -> bool:
    """Whether what a key made of a packet is one of the protocols that ESP carries; traffic flow padding may follow."""
    protocol, payload = content.next_header, content.payload
    if protocol == ICMP:
        return len(payload) >= 8 and _ones_sum(payload) == 0xFFFF
    if protocol == ICMP6:
        return len(payload) >= 8 and _checksum_holds(source, destination, ICMP6, payload)
    if protocol == IP4 and len(payload) >= 20:
        payload = payload[: int.from_bytes(payload[2:4], "big")]  # RFC 4303 §2.7
    elif protocol == IP6 and len(payload) >= 40:
        payload = payload[: 40 + int.from_bytes(payload[4:6], "big")]
    return protocol is not None and _plausible(protocol, payload)


def try_open(packet: bytes, source: bytes, destination: bytes, layout: Layout | None = None) -> Opened | None:
    """Read a packet (from its SPI on) as NULL-encrypted; None when no layout fits, or not the one that is given."""
    for each in LAYOUTS if layout is None else (layout,):
        begin, end = 8 + each.iv_octets, len(packet) - each.icv_octets
        if end < begin + 2:
            continue
        protocol, padding = packet[end - 1], packet[end - 2]
        stop = end - 2 - padding
        if stop < begin or packet[stop : end - 2] != bytes(range(1, padding + 1)):
            continue
        payload = packet[begin:stop]
        if protocol in (ICMP, ICMP6):
            whole = protocol == ICMP6 and len(payload) >= 8 and _checksum_holds(source, destination, protocol, payload)
            whole |= protocol == ICMP and len(payload) >= 8 and _ones_sum(payload) == 0xFFFF
            if whole:
                return Opened(protocol, payload, each, True)
            continue
        if not _plausible(protocol, payload):
            continue
        if protocol in (IP4, IP6):
            proven = protocol == IP4 and _ones_sum(payload[: (payload[0] & 15) * 4]) == 0xFFFF
        else:
            proven = _checksum_holds(source, destination, protocol, payload)
        return Opened(protocol, payload, each, proven)
    return None


@dataclass(slots=True)
class Association:
    """One SPI towards one destination: decided once, then kept to."""

    identity: bytes
    known: Sequence[tuple[int | None, EspParameters]] = ()  # keys at hand by SPI; None: of any association
    decided: str = ""  # "null", "encrypted", "keyed": a key at hand fits
    layout: Layout | None = None  # of NULL encryption that was recognised without a key
    opened: int = 0
    failed: int = 0  # packets that the key for it does not open
    verified: int = 0  # packets whose integrity check value holds under the key
    keys: EspParameters | None = None
    tried: int = 0
    keys_tried: int = 0  # packets that keys were tried on
    agreeing: dict[Layout, int] = field(default_factory=dict)  # packets that read well with it
    waiting: list[tuple[bytes, int, int, int, int]] = field(default_factory=list)  # packets before the decision
    sequence: tuple[int | None, int] | None = None  # of the last packet that verified: upper half, and the rest

    @property
    def spi(self) -> int:
        """The security parameters index."""
        return int.from_bytes(self.identity[PORTS:SSRC], "big")

    @property
    def ends(self) -> tuple[bytes, bytes]:
        """Addresses of source and destination."""
        width = 16 if self.identity[VERSION] == 6 else 4
        return self.identity[:width], self.identity[16 : 16 + width]

    @property
    def null(self) -> bool:
        """It does not encrypt."""
        return self.keys.encryption == "null" if self.keys is not None else self.decided == "null"

    @property
    def icv_octets(self) -> int | None:
        """Octets that authenticate a packet; None while nothing is known."""
        if self.keys is not None:
            return self.keys.icv_octets
        return self.layout.icv_octets if self.layout is not None else None

    def decide(self, found: Opened | None) -> None:
        """Weigh one more packet that no key opens."""
        self.tried += 1
        if found is not None:
            votes = self.agreeing[found.layout] = self.agreeing.get(found.layout, 0) + 1
            if (found.proven and found.layout.icv_octets) or votes >= NEEDED:
                self.decided, self.layout = "null", found.layout
                return
        if self.tried >= TRIED and sum(self.agreeing.values()) * 2 < self.tried:
            self.decided = "encrypted"

    def try_keys(self, packet: bytes) -> bool:
        """Take the key that a packet authenticates with, else one under which its content makes sense; says whether.

        A packet that no key opens has failed where one was given for this very SPI.
        """
        if not self.known or self.keys_tried >= KEY_TRIES:
            return False
        self.keys_tried += 1
        likely, named = None, False
        for spi, keys in self.known:
            if spi not in (None, self.spi):
                continue
            named |= spi is not None
            fits = self._fits(keys, packet)
            if fits is not None and fits.authenticates:
                likely = fits
                break
            likely = likely or fits
        if likely is None:
            self.failed += named and self.keys is None
            return False
        if not self.decided:
            self.failed = 0  # those that failed wait, and are tried once more
        self.decided, self.keys, self.sequence = "keyed", likely, None
        return True

    def open(self, packet: bytes) -> tuple[int, bytes] | None:
        """Next header and payload of a packet, by the key or as NULL-encrypted; counts what became of it."""
        if self.keys is not None:
            return self._open_keyed(packet)
        found = try_open(packet, *self.ends, self.layout)
        if found is None:
            return None
        self.opened += 1
        return found.next_header, found.payload

    def _open_keyed(self, packet: bytes) -> tuple[int, bytes] | None:
        """What the key that was taken makes of a packet, or another one, if there is one that fits from now on."""
        found = self._read(packet)
        if found is None and self.try_keys(packet):
            found = self._read(packet)
        self.verified += found is not None and found.verified
        if found is None or found.next_header is None or not self._right(found):
            self.failed += 1
            return None
        self.opened += 1
        return found.next_header, found.payload

    def _read(self, packet: bytes) -> EspContent | None:
        from imsinspect.crypto.esp import open_packet

        if self.keys is None:
            return None
        found = open_packet(self.keys, packet, self._sequence_highs(packet))
        if found is not None and found.verified:
            self.sequence = found.sequence_high, int.from_bytes(packet[4:8], "big")
        return found

    def _right(self, found: EspContent) -> bool:
        """Whether a packet was decrypted rightly: a check value of another algorithm says nothing of the cipher."""
        keys = self.keys
        certain = keys is not None and keys.authenticates and (keys.encryption == "null" or not keys.integrity)
        return certain or found.next_header == DUMMY or _sensible(found, *self.ends)

    def _sequence_highs(self, packet: bytes) -> tuple[int | None, ...]:
        """Upper halves of the sequence number that a packet may have, the likeliest first (RFC 4303 Appendix A)."""
        from imsinspect.crypto.esp import ANY_SEQUENCE

        if self.sequence is None:
            return ANY_SEQUENCE
        high, low = self.sequence
        if high is None:
            return (None,)
        here = int.from_bytes(packet[4:8], "big")
        step = (low - here > 1 << 31) - (here - low > 1 << 31)
        guesses = (high + step, high, high + 1, high - 1)
        return tuple(dict.fromkeys(each for each in guesses if 0 <= each < 1 << 32))

    def _fits(self, keys: EspParameters, packet: bytes) -> EspParameters | None:
        """The parameters under which a packet authenticates, or its content makes sense.

        Where integrity holds and the content makes sense only without encryption, the association has none.
        """
        from imsinspect.crypto.esp import open_packet  # loaded where there are keys

        found = open_packet(keys, packet)
        if found is None:
            return None
        if keys.integrity and keys.encryption != "null" and not _sensible(found, *self.ends):
            clear = open_packet(keys.in_clear(), packet)
            if clear is not None and _sensible(clear, *self.ends):
                return keys.in_clear()
        return keys if found.verified or _sensible(found, *self.ends) else None

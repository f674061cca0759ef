"""Change recorded frames: read a pcap, rewrite Ethernet/IPv4/UDP datagrams or wrap whole frames, write a pcap."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ETHERNET, IP4, UDP = 14, 20, 8


@dataclass(slots=True, frozen=True)
class Datagram:
    """A UDP datagram over IPv4 in an Ethernet frame, as the lab's peers send it (no IP options)."""

    source: str
    destination: str
    source_port: int
    destination_port: int
    payload: bytes


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(source: str, destination: str, protocol: int, payload: bytes, identity: int = 0) -> bytes:
    """An IPv4 packet."""
    addresses = b"".join(bytes(map(int, address.split("."))) for address in (source, destination))
    header = struct.pack("!BBHHHBBH", 0x45, 0, IP4 + len(payload), identity, 0x4000, 64, protocol, 0) + addresses
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def udp(source: str, destination: str, ports: tuple[int, int], payload: bytes) -> bytes:
    """A UDP datagram with its checksum."""
    pseudo = b"".join(bytes(map(int, address.split("."))) for address in (source, destination))
    head = struct.pack("!HHH", *ports, UDP + len(payload))
    total = checksum(pseudo + struct.pack("!BBH", 0, 17, UDP + len(payload)) + head + b"\0\0" + payload)
    return head + struct.pack("!H", total or 0xFFFF) + payload


def datagram(frame: bytes) -> Datagram | None:
    """The datagram in a frame; None for anything else."""
    if frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or frame[23] != 17 or len(frame) < ETHERNET + IP4 + UDP:
        return None
    source, destination = (".".join(map(str, frame[start : start + 4])) for start in (26, 30))
    ports = struct.unpack("!HHH", frame[34:40])
    return Datagram(source, destination, ports[0], ports[1], frame[42 : 34 + ports[2]])


def with_payload(frame: bytes, payload: bytes) -> bytes:
    """The same frame with another UDP payload: lengths and checksums fit again."""
    old = datagram(frame)
    if old is None:
        raise ValueError("not a UDP datagram over IPv4")
    inner = udp(old.source, old.destination, (old.source_port, old.destination_port), payload)
    return frame[:ETHERNET] + ip4(old.source, old.destination, 17, inner, int.from_bytes(frame[18:20]))


def rewrite(source: Path, target: Path, change: Callable[[bytes], bytes | None], link_type: int = 1) -> None:
    """Copy a little-endian pcap frame by frame; `change` returns the new frame, or None to leave it out."""
    data = source.read_bytes()
    result = [data[:20] + struct.pack("<I", link_type)]
    position = 24
    while position + 16 <= len(data):
        seconds, micros, kept, _ = struct.unpack_from("<IIII", data, position)
        changed = change(data[position + 16 : position + 16 + kept])
        position += 16 + kept
        if changed is not None:
            result.append(struct.pack("<IIII", seconds, micros, len(changed), len(changed)) + changed)
    target.write_bytes(b"".join(result))

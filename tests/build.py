"""Captures made of bytes, for tests: packets with right lengths and checksums, calls, media, handshakes.

A capture is a list of packets, each a time (seconds after START) and the octets of a frame; `pcap` makes it a file.
Addresses are (address, port) pairs; whether they are IPv4 or IPv6 decides the packet.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import struct
import tempfile
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imsinspect.report.audit import Audit

Address = tuple[str, int]
Packet = tuple[float, bytes]

START = 1_767_225_600  # 2026-01-01, seconds
ETHERNET, LINUX_SLL, RAW_IP, NULL_LOOPBACK, EXPORTED_PDU = 1, 113, 101, 0, 252
TCP, UDP, ESP, SCTP = 6, 17, 50, 132
FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10

ALICE: Address = ("192.0.2.10", 5060)
BOB: Address = ("198.51.100.20", 5060)


# --- capture files --------------------------------------------------------------------------------


def pcap(
    packets: Iterable[Packet],
    *,
    byte_order: str = "<",
    nanoseconds: bool = False,
    link_type: int = ETHERNET,
    snap_length: int = 262_144,
) -> bytes:
    """A pcap file; packets are written in the order given and cut at `snap_length`."""
    magic, units = (0xA1B23C4D, 10**9) if nanoseconds else (0xA1B2C3D4, 10**6)
    out = [struct.pack(byte_order + "IHHiIII", magic, 2, 4, 0, 0, snap_length, link_type)]
    for at, data in packets:
        seconds, fraction = divmod(round(at * units), units)
        kept = data[:snap_length]
        out.append(struct.pack(byte_order + "IIII", START + seconds, fraction, len(kept), len(data)))
        out.append(kept)
    return b"".join(out)


def in_time_order(*parts: Iterable[Packet]) -> list[Packet]:
    """Packets of several sources as one capture would hold them."""
    return sorted((packet for part in parts for packet in part), key=lambda packet: packet[0])


def audit_bytes(*captures: bytes, **options: Any) -> Audit:
    """What the whole tool says of captures; options are those of `imsinspect.pipeline.Options`."""
    from imsinspect.pipeline import Options, audit

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, data in enumerate(captures):
            path = Path(folder) / f"capture-{number}.pcap"
            path.write_bytes(data)
            paths.append(str(path))
        return audit(paths, Options(**options))


# --- link, network, transport ---------------------------------------------------------------------


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(datagram: bytes) -> bytes:
    """An Ethernet frame around an IPv4 or IPv6 packet."""
    ether_type = 0x0800 if datagram[0] >> 4 == 4 else 0x86DD
    return bytes.fromhex("020000000002020000000001") + struct.pack("!H", ether_type) + datagram


def ipv4(
    source: str, destination: str, protocol: int, payload: bytes, *, ttl: int = 64, identification: int | None = None,
    fragment: int = 0,
) -> bytes:  # fmt: skip
    """An IPv4 packet; `fragment` is the field of flags and offset (RFC 791)."""
    if identification is None:
        identification = struct.unpack("!H", hashlib.sha256(payload).digest()[:2])[0]
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, fragment, ttl, protocol, 0,
        ip_address(source).packed, ip_address(destination).packed,
    )  # fmt: skip
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source: str, destination: str, protocol: int, payload: bytes, *, hop_limit: int = 64) -> bytes:
    """An IPv6 packet without extension headers (RFC 8200)."""
    addresses = ip_address(source).packed + ip_address(destination).packed
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, hop_limit) + addresses + payload


def ip(source: str, destination: str, protocol: int, payload: bytes, *, ttl: int = 64, **more: Any) -> bytes:
    """An IP packet of the addresses' version."""
    if ip_address(source).version == 4:
        return ipv4(source, destination, protocol, payload, ttl=ttl, **more)
    return ipv6(source, destination, protocol, payload, hop_limit=ttl)


def _with_checksum(source: str, destination: str, protocol: int, segment: bytes, at: int) -> bytes:
    packed = ip_address(source).packed + ip_address(destination).packed
    pseudo = (
        struct.pack("!HH", protocol, len(segment))
        if len(packed) == 8
        else struct.pack("!IHH", len(segment), 0, protocol)
    )
    value = checksum(packed + pseudo + segment)
    if protocol == UDP and not value:
        value = 0xFFFF
    return segment[:at] + struct.pack("!H", value) + segment[at + 2 :]


def udp_datagram(source: Address, destination: Address, payload: bytes) -> bytes:
    """A UDP header with its payload."""
    datagram = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return _with_checksum(source[0], destination[0], UDP, datagram, 6)


def udp(source: Address, destination: Address, payload: bytes, *, ttl: int = 64, **more: Any) -> bytes:
    """An Ethernet frame with a UDP datagram."""
    return ethernet(ip(source[0], destination[0], UDP, udp_datagram(source, destination, payload), ttl=ttl, **more))


def tcp_segment(
    source: Address, destination: Address, payload: bytes, *, sequence: int, acknowledgement: int, flags: int
) -> bytes:
    """A TCP header with its payload."""
    segment = struct.pack(
        "!HHIIBBHHH", source[1], destination[1], sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, 5 << 4, flags,
        65535, 0, 0,
    ) + payload  # fmt: skip
    return _with_checksum(source[0], destination[0], TCP, segment, 16)


def tcp(
    source: Address,
    destination: Address,
    payload: bytes,
    *,
    sequence: int,
    acknowledgement: int,
    flags: int = PSH | ACK,
) -> bytes:
    """An Ethernet frame with a TCP segment."""
    segment = tcp_segment(source, destination, payload, sequence=sequence, acknowledgement=acknowledgement, flags=flags)
    return ethernet(ip(source[0], destination[0], TCP, segment))


def esp_null(source: Address, destination: Address, payload: bytes, *, spi: int, sequence: int, icv: int = 12) -> bytes:
    """An Ethernet frame with a UDP datagram in ESP transport mode, NULL encryption (RFC 4303, RFC 2410)."""
    inner = udp_datagram(source, destination, payload)
    padding = -(len(inner) + 2) % 4
    trailer = bytes(range(1, padding + 1)) + bytes((padding, UDP))
    mac = hashlib.sha256(b"icv" + inner).digest()[:icv]
    return ethernet(ip(source[0], destination[0], ESP, struct.pack("!II", spi, sequence) + inner + trailer + mac))


def esp_encrypted(source: str, destination: str, payload: bytes, *, spi: int, sequence: int) -> bytes:
    """An Ethernet frame with ESP whose content can't be told from noise: AES-CBC and a 12-octet ICV."""
    padded = payload + bytes(-len(payload) % 16)
    key, vector = hashlib.sha256(b"esp").digest()[:16], hashlib.sha256(struct.pack("!II", spi, sequence)).digest()[:16]
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    secret = encryptor.update(padded) + encryptor.finalize()
    body = struct.pack("!II", spi, sequence) + vector + secret + hashlib.sha256(secret).digest()[:12]
    return ethernet(ip(source, destination, ESP, body))


@dataclass(slots=True)
class TcpConnection:
    """Both directions of a TCP connection; each call yields the next packets."""

    client: Address
    server: Address
    client_next: int = 1_000
    server_next: int = 9_000

    def open(self, at: float) -> list[Packet]:
        """The three-way handshake."""
        first = self._segment(True, b"", SYN, bare=True)
        self.client_next += 1
        second = self._segment(False, b"", SYN | ACK)
        self.server_next += 1
        return [(at, first), (at + 0.001, second), (at + 0.002, self._segment(True, b"", ACK))]

    def send(self, at: float, data: bytes, *, from_client: bool = True, segment: int = 1_400) -> list[Packet]:
        """Octets of one direction, cut into segments."""
        out = []
        for number, low in enumerate(range(0, len(data), segment)):
            piece = data[low : low + segment]
            out.append((at + number * 0.0001, self._segment(from_client, piece, PSH | ACK)))
            if from_client:
                self.client_next += len(piece)
            else:
                self.server_next += len(piece)
        return out

    def close(self, at: float) -> list[Packet]:
        """FIN of both sides."""
        first = self._segment(True, b"", FIN | ACK)
        self.client_next += 1
        second = self._segment(False, b"", FIN | ACK)
        self.server_next += 1
        return [(at, first), (at + 0.001, second)]

    def _segment(self, from_client: bool, data: bytes, flags: int, *, bare: bool = False) -> bytes:
        ends = (self.client, self.server) if from_client else (self.server, self.client)
        mine, other = (self.client_next, self.server_next) if from_client else (self.server_next, self.client_next)
        return tcp(*ends, data, sequence=mine, acknowledgement=0 if bare else other, flags=flags)


# --- RTP and RTCP ---------------------------------------------------------------------------------


def rtp(
    sequence: int, timestamp: int, ssrc: int, payload: bytes, *, payload_type: int = 0, marker: bool = False,
    csrc: Sequence[int] = (), extension: bytes | None = None,
) -> bytes:  # fmt: skip
    """An RTP packet (RFC 3550 §5.1); `extension` is data of the profile 0xBEDE, a multiple of 4 octets."""
    first = 0x80 | len(csrc) | (0x10 if extension is not None else 0)
    head = struct.pack(
        "!BBHII", first, marker << 7 | payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
    ) + b"".join(struct.pack("!I", each) for each in csrc)
    if extension is not None:
        head += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
    return head + payload


def sender_report(ssrc: int, *, packets: int = 1, octets: int = 160, timestamp: int = 0) -> bytes:
    """An RTCP SR without report blocks, 28 octets."""
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, (3_976_214_400 << 32), timestamp, packets, octets)


def receiver_report(ssrc: int, *about: int) -> bytes:
    """An RTCP RR with a block for each source."""
    blocks = b"".join(struct.pack("!IIIIII", each, 0, 1_000, 0, 0, 0) for each in about)
    return struct.pack("!BBHI", 0x80 | len(about), 201, 1 + 6 * len(about), ssrc) + blocks


def source_description(ssrc: int, cname: bytes = b"a@example.org") -> bytes:
    """An RTCP SDES with a CNAME."""
    chunk = struct.pack("!IBB", ssrc, 1, len(cname)) + cname + b"\0"
    chunk += bytes(-len(chunk) % 4)
    return struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


def goodbye(ssrc: int) -> bytes:
    """An RTCP BYE."""
    return struct.pack("!BBHI", 0x81, 203, 1, ssrc)


# --- SRTP and SRTCP -------------------------------------------------------------------------------

KEY_OCTETS = {
    "AES_CM_128_HMAC_SHA1_80": (16, 14, 10),
    "AES_CM_128_HMAC_SHA1_32": (16, 14, 4),
    "AES_256_CM_HMAC_SHA1_80": (32, 14, 10),
    "AES_256_CM_HMAC_SHA1_32": (32, 14, 4),
    "AEAD_AES_128_GCM": (16, 12, 16),
    "AEAD_AES_256_GCM": (32, 12, 16),
}
"""Master key, master salt and RTP tag of each suite (srtp.md 6)."""


def master_key(seed: str | bytes, suite: str = "AES_CM_128_HMAC_SHA1_80") -> bytes:
    """Key and salt that a seed stands for."""
    key, salt, _ = KEY_OCTETS[suite]
    text = seed.encode() if isinstance(seed, str) else seed
    return hashlib.sha512(text).digest()[: key + salt]


def crypto(seed: str | bytes, *, tag: int = 1, suite: str = "AES_CM_128_HMAC_SHA1_80", params: str = "") -> str:
    """An a=crypto line with the key of `master_key`; `params` stands behind the key (lifetime, MKI, flags)."""
    return f"a=crypto:{tag} {suite} inline:{base64.b64encode(master_key(seed, suite)).decode()}{params}"


def _keystream(key: bytes, start: int, octets: int) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CTR(start.to_bytes(16, "big"))).encryptor()
    return encryptor.update(bytes(octets)) + encryptor.finalize()


@dataclass(slots=True)
class Srtp:
    """Protects packets of one sender (RFC 3711, RFC 6188, RFC 7714); rollover follows the sequence numbers."""

    master: bytes  # key and salt
    suite: str = "AES_CM_128_HMAC_SHA1_80"
    mki: bytes = b""
    unauthenticated: bool = False
    unencrypted: bool = False
    roc: int = 0
    srtcp_index: int = 0
    _last: int = -1
    _keys: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        key_octets, salt_octets, _ = KEY_OCTETS[self.suite]
        key, salt = self.master[:key_octets], self.master[key_octets : key_octets + salt_octets]
        wide = int.from_bytes(salt.ljust(14, b"\0"), "big")
        sizes = (key_octets, 20, salt_octets, key_octets, 20, salt_octets)
        self._keys = [_keystream(key, (wide ^ label << 48) << 16, size) for label, size in enumerate(sizes)]

    @property
    def _aead(self) -> bool:
        return self.suite.startswith("AEAD")

    def protect(self, packet: bytes) -> bytes:
        """The SRTP packet of an RTP packet."""
        sequence, ssrc = struct.unpack("!H4xI", packet[2:12])
        if self._last - sequence > 0x8000:
            self.roc += 1
        self._last = sequence
        head = 12 + 4 * (packet[0] & 0x0F)
        if packet[0] & 0x10:
            head += 4 + 4 * struct.unpack("!H", packet[head + 2 : head + 4])[0]
        if self._aead:
            nonce = int.from_bytes(self._keys[2], "big") ^ (ssrc << 48 | self.roc << 16 | sequence)
            sealed = AESGCM(self._keys[0]).encrypt(nonce.to_bytes(12, "big"), packet[head:], packet[:head])
            return packet[:head] + sealed + self.mki
        body = packet[head:]
        if not self.unencrypted:
            body = self._cm(self._keys[0], self._keys[2], ssrc, self.roc << 16 | sequence, body)
        tag = hmac.new(self._keys[1], packet[:head] + body + struct.pack("!I", self.roc), "sha1").digest()
        octets = 0 if self.unauthenticated else KEY_OCTETS[self.suite][2]
        return packet[:head] + body + self.mki + tag[:octets]

    def protect_rtcp(self, compound: bytes, *, encrypted: bool = True, tag_octets: int = 10) -> bytes:
        """The SRTCP packet of an RTCP compound; a tag of other than 10 octets is a fault of the sender."""
        self.srtcp_index += 1
        (ssrc,) = struct.unpack("!I", compound[4:8])
        word = struct.pack("!I", encrypted << 31 | self.srtcp_index)
        if self._aead:
            nonce = (int.from_bytes(self._keys[5], "big") ^ (ssrc << 48 | self.srtcp_index)).to_bytes(12, "big")
            gcm = AESGCM(self._keys[3])
            if encrypted:
                return compound[:8] + gcm.encrypt(nonce, compound[8:], compound[:8] + word) + word + self.mki
            return compound + gcm.encrypt(nonce, b"", compound + word) + word + self.mki
        body = compound[8:]
        if encrypted:
            body = self._cm(self._keys[3], self._keys[5], ssrc, self.srtcp_index, body)
        covered = compound[:8] + body + word
        return covered + self.mki + hmac.new(self._keys[4], covered, "sha1").digest()[:tag_octets]

    @staticmethod
    def _cm(key: bytes, salt: bytes, ssrc: int, index: int, body: bytes) -> bytes:
        start = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        return bytes(a ^ b for a, b in zip(body, _keystream(key, start, len(body)), strict=True))


# --- payloads -------------------------------------------------------------------------------------


def mu_law(sample: int) -> int:
    """One 16-bit sample as G.711 µ-law."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32_635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


def pcmu_silence(octets: int = 160) -> bytes:
    """Digital silence."""
    return b"\xff" * octets


def pcmu_speech(number: int, octets: int = 160) -> bytes:
    """Packet `number` of something like speech: voiced syllables of changing pitch, with pauses and a little noise."""
    out = bytearray()
    for step in range(number * octets, (number + 1) * octets):
        moment = step / 8_000
        loud = max(0.0, math.sin(moment * 2 * math.pi * 2.3)) ** 2 * 6_000
        pitch = 110 + 30 * math.sin(moment * 5)
        value = loud * (math.sin(moment * 2 * math.pi * pitch) + 0.4 * math.sin(moment * 6 * math.pi * pitch))
        out.append(mu_law(int(value) + step * 7919 % 31 - 15))
    return bytes(out)


def noise(number: int, octets: int) -> bytes:
    """Octets without any structure, the same for the same number."""
    return _keystream(b"noise of a test.", number << 32, octets)


def telephone_event(event: int, duration: int, *, end: bool = False, volume: int = 10) -> bytes:
    """A named telephone event (RFC 4733 §2.3)."""
    return struct.pack("!BBH", event, end << 7 | volume, duration)


def amr_octet_aligned(number: int, *, mode: int = 7, wide: bool = False) -> bytes:
    """One AMR (or AMR-WB) frame of a mode, octet-aligned: CMR 15, one ToC entry, speech bits that look random."""
    bits = (132, 177, 253, 285, 317, 365, 397, 461, 477, 40) if wide else (95, 103, 118, 134, 148, 159, 204, 244, 39)
    octets = -(-bits[mode] // 8)
    frame = bytearray(noise(number, octets))
    frame[-1] &= 0xFF << (octets * 8 - bits[mode]) & 0xFF
    return bytes((0xF0, mode << 3 | 0x04)) + bytes(frame)


def rtp_stream(
    source: Address,
    destination: Address,
    ssrc: int,
    payloads: Iterable[bytes],
    *,
    at: float = 1.0,
    interval: float = 0.02,
    clock_step: int = 160,
    payload_type: int = 0,
    sequence: int = 100,
    timestamp: int = 1_000,
    srtp: Srtp | None = None,
    extension: bytes | None = None,
) -> list[Packet]:
    """Packets of one sender, one after the other; protected if `srtp` is given."""
    out = []
    for number, payload in enumerate(payloads):
        packet = rtp(
            sequence + number, timestamp + number * clock_step, ssrc, payload, payload_type=payload_type,
            marker=number == 0, extension=extension,
        )  # fmt: skip
        out.append((at + number * interval, udp(source, destination, srtp.protect(packet) if srtp else packet)))
    return out


def speech(packets: int = 100, octets: int = 160) -> list[bytes]:
    """Payloads of G.711 µ-law speech."""
    return [pcmu_speech(number, octets) for number in range(packets)]


# --- SDP and SIP ----------------------------------------------------------------------------------


def media(kind: str, port: int, proto: str, formats: str = "0", *attributes: str) -> str:
    """A media section; attributes are whole lines."""
    return "\r\n".join((f"m={kind} {port} {proto} {formats}", *attributes))


def audio(port: int, proto: str = "RTP/AVP", *attributes: str, formats: str = "0") -> str:
    """An audio section, PCMU unless told otherwise."""
    return media("audio", port, proto, formats, *attributes)


def sdp(address: str, *sections: str, session: Sequence[str] = (), version: int = 1) -> bytes:
    """A session description."""
    family = f"IP{ip_address(address).version}"
    lines = ["v=0", f"o=- 1 {version} IN {family} {address}", "s=-", f"c=IN {family} {address}", "t=0 0", *session]
    return ("\r\n".join((*lines, *sections)) + "\r\n").encode()


def written(address: Address) -> str:
    """An address as SIP writes it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(slots=True)
class Dialog:
    """Writes the messages of one call between two parties; each call returns the octets of one message."""

    caller: Address = ALICE
    callee: Address = BOB
    call_id: str = "call-1@test"
    from_uri: str = "sip:alice@example.org"
    to_uri: str = "sip:bob@example.org"
    from_tag: str = "alice"
    to_tag: str = "bob"
    transport: str = "UDP"
    cseq: int = 1
    branch: int = 1
    via: tuple[str, ...] = ()  # Via values below the caller's own

    def request(
        self, method: str, body: bytes = b"", *, in_dialog: bool = False, from_callee: bool = False,
        headers: Sequence[str] = (), content_type: str = "application/sdp", uri: str = "",
    ) -> bytes:  # fmt: skip
        """A request; ACK keeps the number of the INVITE."""
        sender = self.callee if from_callee else self.caller
        if method != "ACK":
            self.branch += 1
            if in_dialog:
                self.cseq += 1
        local, remote = f"<{self.from_uri}>;tag={self.from_tag}", f"<{self.to_uri}>"
        if in_dialog or method == "ACK":
            remote += f";tag={self.to_tag}"
        if from_callee:
            local, remote = remote, local
        target = uri or (self.from_uri if from_callee else self.to_uri)
        lines = [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {written(sender)};branch=z9hG4bK{self._branch(method)}",
            *(f"Via: {value}" for value in self.via),
            "Max-Forwards: 70",
            f"From: {local}",
            f"To: {remote}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: <sip:{written(sender)}>",
            *headers,
        ]
        return self._message(lines, body, content_type)

    def response(
        self, status: int, reason: str, body: bytes = b"", *, method: str = "INVITE", to_tag: str | None = None,
        from_callee: bool = True, headers: Sequence[str] = (), content_type: str = "application/sdp",
    ) -> bytes:  # fmt: skip
        """A response to the last request; `from_callee` False answers a request of the callee."""
        asker = self.caller if from_callee else self.callee
        tag = self.to_tag if to_tag is None else to_tag
        local, remote = (
            f"<{self.from_uri}>;tag={self.from_tag}",
            f"<{self.to_uri}>" + (f";tag={tag}" if status > 100 and tag else ""),
        )
        if not from_callee:
            local, remote = remote, local
        lines = [
            f"SIP/2.0 {status} {reason}",
            f"Via: SIP/2.0/{self.transport} {written(asker)};branch=z9hG4bK{self._branch(method)}",
            *(f"Via: {value}" for value in self.via),
            f"From: {local}",
            f"To: {remote}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: <sip:{written(self.callee if from_callee else self.caller)}>",
            *headers,
        ]
        return self._message(lines, body, content_type)

    def _branch(self, method: str) -> str:
        return hashlib.sha256(f"{self.call_id} {self.branch} {method == 'ACK'}".encode()).hexdigest()[:12]

    @staticmethod
    def _message(lines: list[str], body: bytes, content_type: str) -> bytes:
        if body:
            lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def call(
    offer: bytes,
    answer: bytes = b"",
    *,
    dialog: Dialog | None = None,
    at: float = 0.0,
    duration: float | None = 10.0,
    early: bytes = b"",
    final: tuple[int, str] = (200, "OK"),
) -> list[Packet]:
    """INVITE, 100, 180 (with `early` as its body), final response, ACK, and after `duration` seconds BYE and 200.

    A final response other than 200 carries no body and ends the call; without a duration no BYE is sent.
    """
    talk = dialog or Dialog()
    script: list[tuple[float, bytes, bool]] = [
        (at, talk.request("INVITE", offer), True),
        (at + 0.01, talk.response(100, "Trying"), False),
        (at + 0.1, talk.response(180, "Ringing", early), False),
        (at + 0.5, talk.response(*final, answer if final[0] < 300 else b""), False),
        (at + 0.51, talk.request("ACK"), True),
    ]
    if duration is not None and final[0] < 300:
        script.append((at + duration, talk.request("BYE", in_dialog=True), True))
        script.append((at + duration + 0.01, talk.response(200, "OK", method="BYE"), False))
    return carry(talk, script)


def carry(talk: Dialog, script: Sequence[tuple[float, bytes, bool]]) -> list[Packet]:
    """Messages of (time, octets, from the caller) as packets: datagrams, or segments of one TCP connection."""
    if talk.transport == "UDP":
        ends = {True: (talk.caller, talk.callee), False: (talk.callee, talk.caller)}
        return [(when, udp(*ends[outward], data)) for when, data, outward in script]
    connection = TcpConnection(talk.caller, talk.callee)
    out = connection.open(script[0][0] - 0.01) if script else []
    for when, data, outward in script:
        out += connection.send(when, data, from_client=outward)
    return out


# --- TLS and DTLS ---------------------------------------------------------------------------------

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, SERVER_HELLO_DONE, CLIENT_KEY_EXCHANGE, FINISHED = 1, 2, 14, 16, 20
TLS_1_2, DTLS_1_2 = 0x0303, 0xFEFD


def extension(number: int, data: bytes = b"") -> bytes:
    """A hello extension."""
    return struct.pack("!HH", number, len(data)) + data


def client_hello(
    suites: Sequence[int], *, version: int = TLS_1_2, extensions: bytes = b"", random: bytes = b"c" * 32
) -> bytes:
    """The body of a ClientHello; with a DTLS version it has an empty cookie (RFC 5246 §7.4.1.2, RFC 6347 §4.2.1)."""
    cookie = b"\0" if version >> 8 == 0xFE else b""
    codes = b"".join(struct.pack("!H", code) for code in suites)
    body = struct.pack("!H", version) + random + b"\0" + cookie + struct.pack("!H", len(codes)) + codes + b"\x01\0"
    return body + (struct.pack("!H", len(extensions)) + extensions if extensions else b"")


def server_hello(
    suite: int, *, version: int = TLS_1_2, extensions: bytes = b"", random: bytes = b"s" * 32, session_id: bytes = b""
) -> bytes:
    """The body of a ServerHello."""
    body = struct.pack("!H", version) + random + bytes((len(session_id),)) + session_id + struct.pack("!HB", suite, 0)
    return body + (struct.pack("!H", len(extensions)) + extensions if extensions else b"")


def handshake(kind: int, body: bytes) -> bytes:
    """A TLS handshake message."""
    return struct.pack("!I", kind << 24 | len(body)) + body


def tls_record(content_type: int, body: bytes, *, version: int = TLS_1_2) -> bytes:
    """A TLS record."""
    return struct.pack("!BHH", content_type, version, len(body)) + body


def dtls_handshake(kind: int, body: bytes, *, sequence: int = 0) -> bytes:
    """A DTLS handshake message in one fragment (RFC 6347 §4.2.2)."""
    length = len(body).to_bytes(3, "big")
    return bytes((kind,)) + length + struct.pack("!H", sequence) + b"\0\0\0" + length + body


def dtls_record(content_type: int, body: bytes, *, epoch: int = 0, sequence: int = 0, version: int = DTLS_1_2) -> bytes:
    """A DTLS record (RFC 6347 §4.1)."""
    return (
        struct.pack("!BHH", content_type, version, epoch)
        + sequence.to_bytes(6, "big")
        + struct.pack("!H", len(body))
        + body
    )


def tls_session(
    client: Address,
    server: Address,
    suite: int,
    *,
    at: float = 0.0,
    offered: Sequence[int] = (),
    data: Sequence[bytes] = (),
    version: int = TLS_1_2,
    null_mac: int = 0,
) -> list[Packet]:
    """A TLS connection as it looks on the wire: hellos, key exchange, Finished, then records of application data.

    With `null_mac` octets the data is readable and followed by something that stands for a MAC, as NULL suites send it;
    else records hold noise of the data's length and 16 octets more.
    """
    connection = TcpConnection(client, server)

    def record(content_type: int, body: bytes) -> bytes:
        return tls_record(content_type, body, version=version)

    def sealed(number: int, body: bytes) -> bytes:
        return body + noise(number, null_mac) if null_mac else noise(number, len(body) + 16)

    out = connection.open(at)
    hello = handshake(CLIENT_HELLO, client_hello(offered or (suite,), version=version))
    out += connection.send(at + 0.01, record(HANDSHAKE, hello))
    answer = handshake(SERVER_HELLO, server_hello(suite, version=version)) + handshake(SERVER_HELLO_DONE, b"")
    out += connection.send(at + 0.02, record(HANDSHAKE, answer), from_client=False)
    exchange = record(HANDSHAKE, handshake(CLIENT_KEY_EXCHANGE, b"\0\0"))
    for from_client in (True, False):
        done = record(CHANGE_CIPHER_SPEC, b"\x01")
        done += record(HANDSHAKE, sealed(1, handshake(FINISHED, noise(2, 12))))
        moment = at + (0.03 if from_client else 0.04)
        out += connection.send(moment, (exchange if from_client else b"") + done, from_client=from_client)
    for number, body in enumerate(data):
        out += connection.send(at + 0.1 + number * 0.01, record(APPLICATION_DATA, sealed(10 + number, body)))
    return out

"""The SIP side of the benchmark's calls: the frames of one call's set-up and end, as Ethernet frames."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIP_PORT = 5060
TCP_FIN, TCP_SYN, TCP_PUSH, TCP_ACK = 0x01, 0x02, 0x08, 0x10
ETHERNET = bytes.fromhex("020000000002020000000001") + b"\x08\x00"


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One media line of a call, as both sides write it."""

    media: str
    payload_type: int
    encoding: str
    fmtp: str
    caller_port: int
    callee_port: int
    caller_key: bytes
    callee_key: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """What the signalling of one call needs; addresses are 32-bit numbers, keys are 16 + 14 octets."""

    number: int
    caller: int
    callee: int
    over_tcp: bool
    rtcp_mux: bool
    lines: tuple[MediaLine, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """An Ethernet frame and when it is seen: microseconds after the call's start, or after its end."""

    at_end: bool
    offset: int
    data: bytes


def dotted(address: int) -> str:
    """The address as text."""
    return ".".join(str(octet) for octet in address.to_bytes(4, "big"))


def ones_complement(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _ip(source: int, destination: int, protocol: int, identification: int, payload: bytes) -> bytes:
    header = struct.pack(
        ">BBHHHBBHII", 0x45, 0, 20 + len(payload), identification & 0xFFFF, 0x4000, 63, protocol, 0, source, destination
    )
    return ETHERNET + header[:10] + struct.pack(">H", ones_complement(header)) + header[12:] + payload


def udp_frame(
    source: int, source_port: int, destination: int, destination_port: int, number: int, data: bytes
) -> bytes:
    """An Ethernet frame with one UDP datagram."""
    head = struct.pack(">HHHH", source_port, destination_port, 8 + len(data), 0)
    pseudo = struct.pack(">IIHH", source, destination, 17, 8 + len(data))
    checksum = ones_complement(pseudo + head + data) or 0xFFFF
    return _ip(source, destination, 17, number, head[:6] + struct.pack(">H", checksum) + data)


class TcpConnection:
    """Writes the segments of one connection, opened by the caller."""

    def __init__(self, call: Call) -> None:
        self.sides = ((call.caller, 40000 + call.number % 20000), (call.callee, SIP_PORT))
        self.sequence = [1000 * call.number + 7, 77_000_000 + call.number]
        self.number = call.number

    def segment(self, sender: int, flags: int, data: bytes = b"") -> bytes:
        """The next segment of a side: 0 is the caller, 1 the callee."""
        (source, source_port), (destination, destination_port) = self.sides[sender], self.sides[1 - sender]
        acknowledgement = self.sequence[1 - sender] & 0xFFFFFFFF if flags & TCP_ACK else 0
        ports = struct.pack(">HH", source_port, destination_port)
        numbers = struct.pack(">II", self.sequence[sender] & 0xFFFFFFFF, acknowledgement)
        header = ports + numbers + struct.pack(">BBHHH", 0x50, flags, 64000, 0, 0)
        pseudo = struct.pack(">IIHH", source, destination, 6, len(header) + len(data))
        checksum = ones_complement(pseudo + header + data)
        self.sequence[sender] += len(data) + (1 if flags & (TCP_SYN | TCP_FIN) else 0)
        self.number += 1
        return _ip(source, destination, 6, self.number, header[:16] + struct.pack(">H", checksum) + header[18:] + data)


def _sdp(call: Call, from_caller: bool) -> bytes:
    address = dotted(call.caller if from_caller else call.callee)
    out = ["v=0", f"o=- {call.number + 1} 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    for line in call.lines:
        port = line.caller_port if from_caller else line.callee_port
        key = base64.b64encode(line.caller_key if from_caller else line.callee_key).decode()
        out += [
            f"m={line.media} {port} RTP/SAVP {line.payload_type}",
            f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}",
            f"a=rtpmap:{line.payload_type} {line.encoding}",
        ]
        if line.fmtp:
            out.append(f"a=fmtp:{line.payload_type} {line.fmtp}")
        if call.rtcp_mux:
            out.append("a=rtcp-mux")
        out.append("a=sendrecv")
    return "\r\n".join(out).encode() + b"\r\n"


def messages(call: Call) -> Iterator[tuple[bool, int, bool, bytes]]:
    """The SIP messages of a call: whether at its end, microseconds after that point, from the caller, octets."""
    n = call.number
    transport = "TCP" if call.over_tcp else "UDP"
    caller_host, callee_host = dotted(call.caller), dotted(call.callee)
    caller, callee = f"sip:user{n}@ims.example.org", f"sip:peer{n}@ims.example.org"
    call_id = f"{n:08x}-benchmark@{caller_host}"

    def message(
        start: str, branch: str, cseq: str, to_tag: bool, more: tuple[str, ...] = (), body: bytes = b""
    ) -> bytes:
        head = (
            start,
            f"Via: SIP/2.0/{transport} {caller_host}:{SIP_PORT};branch=z9hG4bK{branch}{n:08x}",
            f"From: <{caller}>;tag=a{n:08x}",
            f"To: <{callee}>" + (f";tag=b{n:08x}" if to_tag else ""),
            f"Call-ID: {call_id}",
            f"CSeq: {cseq}",
            *more,
            *(("Content-Type: application/sdp",) if body else ()),
            f"Content-Length: {len(body)}",
            "",
            "",
        )
        return "\r\n".join(head).encode() + body

    target = f"sip:{callee_host}:{SIP_PORT};transport={transport.lower()}"
    forwards = "Max-Forwards: 70"
    caller_contact = f"Contact: <sip:{caller_host}:{SIP_PORT};transport={transport.lower()}>"
    callee_contact = f"Contact: <{target}>"
    network = "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2620100010000001"
    allow = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE"
    invite = message(
        f"INVITE {callee} SIP/2.0", "i", "1 INVITE", False,
        (forwards, caller_contact, network, allow, "Supported: timer, 100rel"), _sdp(call, True),
    )  # fmt: skip
    yield False, 30_000, True, invite
    yield False, 35_000, False, message("SIP/2.0 100 Trying", "i", "1 INVITE", False)
    yield False, 60_000, False, message("SIP/2.0 180 Ringing", "i", "1 INVITE", True, (callee_contact,))
    answer = message("SIP/2.0 200 OK", "i", "1 INVITE", True, (callee_contact, allow), _sdp(call, False))
    yield False, 120_000, False, answer
    yield False, 140_000, True, message(f"ACK {target} SIP/2.0", "k", "1 ACK", True, (forwards,))
    yield True, 0, True, message(f"BYE {target} SIP/2.0", "y", "2 BYE", True, (forwards,))
    yield True, 20_000, False, message("SIP/2.0 200 OK", "y", "2 BYE", True)


def frames(call: Call) -> Iterator[Frame]:
    """Every frame of a call's signalling, in order of time.

    Over TCP the connection is opened before the INVITE, the INVITE stands in two segments, and the connection is
    closed after the last response.
    """
    if not call.over_tcp:
        for count, (at_end, offset, from_caller, data) in enumerate(messages(call)):
            source, destination = (call.caller, call.callee) if from_caller else (call.callee, call.caller)
            identification = 7 * call.number + count
            yield Frame(at_end, offset, udp_frame(source, SIP_PORT, destination, SIP_PORT, identification, data))
        return
    connection = TcpConnection(call)
    yield Frame(False, 0, connection.segment(0, TCP_SYN))
    yield Frame(False, 10_000, connection.segment(1, TCP_SYN | TCP_ACK))
    yield Frame(False, 20_000, connection.segment(0, TCP_ACK))
    for count, (at_end, offset, from_caller, data) in enumerate(messages(call)):
        sender = 0 if from_caller else 1
        pieces = [data[:500], data[500:]] if count == 0 else [data]
        for place, piece in enumerate(pieces):
            yield Frame(at_end, offset + 50 * place, connection.segment(sender, TCP_PUSH | TCP_ACK, piece))
    yield Frame(True, 25_000, connection.segment(0, TCP_FIN | TCP_ACK))
    yield Frame(True, 27_000, connection.segment(1, TCP_FIN | TCP_ACK))
    yield Frame(True, 30_000, connection.segment(0, TCP_ACK))

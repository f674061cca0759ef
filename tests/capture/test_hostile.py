"""Damaged captures of every kind: the first pass and what reads its finds never raise, and hold little."""

from __future__ import annotations

import random
import struct
import tracemalloc

import pytest

from imsinspect.capture import classify
from imsinspect.capture.first_pass import FirstPass
from imsinspect.capture.records import record_walk
from imsinspect.capture.stream_messages import READERS, messages
from imsinspect.capture.tcp import Assembly, assemble
from imsinspect.capture.windows import StreamWindows
from tests import build

SIP = b"OPTIONS sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
CLIENT, SERVER = ("192.0.2.10", 40000), ("198.51.100.20", 5060)
COOKIE = bytes.fromhex("2112a442")


class Octets:
    """A file of octets in memory, for windows over a stream."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill a part of the buffer."""
        part = self.data[self.at : self.at + len(buffer)]
        buffer[: len(part)] = part
        self.at += len(part)
        return len(part)


def run(data: bytes) -> FirstPass:
    """A first pass over octets, and all that is read out of it."""
    found = FirstPass()
    windows = StreamWindows(Octets(data), 1 << 17)  # type: ignore[arg-type]
    found.run(windows, record_walk(data[:64]))
    found.streams.streams()
    found.rtcp.senders()
    for connection in found.signalling.connections:
        for kind in {connection.kind, classify.SIP, classify.MSRP} & READERS.keys():
            list(messages(kind, assemble(connection.segments, Assembly())))
    return found


def tunnels() -> list[bytes]:
    """Packets in packets."""
    plain = build.udp(build.ALICE, build.BOB, SIP)[14:]
    gtp = b"\x34\xff" + struct.pack("!HI", len(plain) + 8, 1) + bytes.fromhex("0000008501100900") + plain
    datagram = plain[20:]
    return [
        build.udp(("10.9.0.1", 2152), ("10.9.0.2", 2152), gtp),
        build.ethernet(build.ipv4("10.8.0.1", "10.8.0.2", 4, plain)),
        build.ethernet(
            build.ipv4("10.8.0.1", "10.8.0.2", 47, bytes.fromhex("b0000800123400000000000700000001") + plain)
        ),
        build.ethernet(build.ipv4("10.8.0.1", "10.8.0.2", 51, bytes((17, 4, 0, 0)) + bytes(20) + datagram)),
        build.ethernet(
            build.ipv6("::1", "::2", 0, bytes((44, 0)) + bytes(6) + bytes((17, 0, 0, 1)) + bytes(4) + datagram[:88])
        ),
        build.ethernet(build.ipv4("192.0.2.1", "192.0.2.2", 17, datagram[:40], fragment=0x2000)),
        build.ethernet(build.ipv4("192.0.2.1", "192.0.2.2", 17, datagram[40:], fragment=5)),
        bytes.fromhex("020000000002020000000001") + bytes.fromhex("88a80064810000c88847000011ff") + plain,
        bytes.fromhex("020000000002020000000001") + bytes.fromhex("88641100123400220021") + plain,
        *(build.esp_null(build.ALICE, build.BOB, SIP, spi=5, sequence=n) for n in range(4)),
    ]


def datagrams() -> list[bytes]:
    """UDP and SCTP of every kind that is looked at."""
    record = build.dtls_record(22, build.dtls_handshake(1, build.client_hello([0x2F], version=build.DTLS_1_2)))
    media = build.rtp(1, 2, 3, b"m" * 60, csrc=(4,), extension=b"e" * 8)
    peer = struct.pack("!HH", 0x13, len(media)) + media + bytes(-len(media) % 4)
    bodies = [
        SIP, record, b"\x01\0\0\0" + record, media, build.sender_report(3) + build.source_description(3),
        struct.pack("!HH", 0x4001, len(media)) + media, struct.pack("!HH", 0x4001, len(record)) + record,
        struct.pack("!HH", 0x16, len(peer)) + COOKIE + b"t" * 12 + peer,
        bytes.fromhex("200b000072e5a81500010808"), b"MEGACO/3 [192.0.2.1]\nTransaction = 1 {}", b"\x01" * 30,
    ]  # fmt: skip
    chunk = struct.pack("!BBHIHHI", 0, 3, 16 + len(SIP), 1, 0, 0, 0) + SIP + bytes(-len(SIP) % 4)
    sctp = struct.pack("!HHII", 5060, 5060, 1, 0) + chunk
    return [build.udp(build.ALICE, build.BOB, each) for each in bodies for _ in range(2)] + [
        build.ethernet(build.ip("192.0.2.10", "198.51.100.20", 132, sctp))
    ]


def streams() -> list[bytes]:
    """TCP of every kind that is read."""
    media = build.rtp(1, 2, 3, b"m" * 60)
    texts = [
        SIP * 2, b"MSRP d93kswow SEND\r\n\r\nx\r\n-------d93kswow$\r\n",
        bytes.fromhex("2007000172e5a8150002080805040002"),
        b"\x03\0\0\x1eMEGACO/3 [192.0.2.1]\nT=1{}", struct.pack("!HH", 0x4001, len(media)) + media,
        struct.pack("!H", len(media)) + media, b"RTSP/1.0 200 OK\r\n\r\n$\0" + struct.pack("!H", len(media)) + media,
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81" + bytes((126, 0, len(SIP))) + SIP,
    ]  # fmt: skip
    out = []
    for number, text in enumerate(texts):
        line = build.TcpConnection((CLIENT[0], CLIENT[1] + number), SERVER)
        out += [data for _, data in [*line.open(0), *line.send(1, text, segment=40), *line.close(2)]]
    return out + [data for _, data in build.tls_session(CLIENT, ("198.51.100.20", 5061), 2, data=[SIP], null_mac=20)]


def blocks(packets: list[bytes]) -> bytes:
    """The packets as pcapng with the other blocks around them."""

    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    face = block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHI", 9, 1, 9) + struct.pack("<HHq", 14, 8, 5))
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), face]
    out.append(block(10, struct.pack("<II", 0x544C534B, 8) + b"SECRETS\n"))
    for data in packets:
        out.append(block(6, struct.pack("<IIIII", 0, 5, 6, len(data), len(data)) + data + bytes(-len(data) % 4)))
        out.append(block(3, struct.pack("<I", len(data)) + data + bytes(-len(data) % 4)))
    return b"".join(out)


KINDS = {
    "tunnels": build.pcap([(n * 0.01, each) for n, each in enumerate(tunnels())]),
    "datagrams": build.pcap([(n * 0.01, each) for n, each in enumerate(datagrams())], byte_order=">"),
    "streams": build.pcap([(n * 0.01, each) for n, each in enumerate(streams())], nanoseconds=True),
    "blocks": blocks(tunnels() + datagrams()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_capture_with_changed_octets_never_raises(kind):
    data, chance = KINDS[kind], random.Random(kind)
    run(data)
    for _ in range(250):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 4, 40, 400))):
            damaged[chance.randrange(24 if kind != "blocks" else 28, len(data))] = chance.choice(
                (0, 1, 0x80, 0xFF, chance.randrange(256))
            )
        run(bytes(damaged))


@pytest.mark.parametrize("kind", ["tunnels", "datagrams", "streams"])
def test_packets_with_changed_octets_in_whole_records_never_raise(kind):
    source = {"tunnels": tunnels, "datagrams": datagrams, "streams": streams}[kind]()
    chance = random.Random(kind)
    for _ in range(40):
        packets = []
        for data in source * 3:
            damaged = bytearray(data[: chance.choice((len(data), chance.randrange(14, len(data))))])
            for _ in range(chance.choice((0, 1, 3, 10))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            packets.append((len(packets) * 0.001, bytes(damaged)))
        run(build.pcap(packets))


@pytest.mark.parametrize("link", [0, 1, 9, 12, 50, 51, 101, 108, 113, 228, 229, 252, 276, 147])
def test_random_octets_of_any_link_type_never_raise(link):
    chance = random.Random(link)
    for _ in range(6):
        packets = [(n * 0.001, chance.randbytes(chance.randrange(160))) for n in range(400)]
        run(build.pcap(packets, link_type=link))


def test_a_flood_of_anything_holds_little():
    chance = random.Random(8)
    packets = []
    for number in range(12_000):
        kind = number % 4
        if kind == 0:
            frame = build.ethernet(
                build.ipv4("192.0.2.1", "192.0.2.2", 17, b"f" * 64, identification=number, fragment=0x2000)
            )
        elif kind == 1:
            frame = build.tcp(
                ("192.0.2.1", 9), SERVER, b"", sequence=chance.randrange(2**32), acknowledgement=0, flags=2
            )
        elif kind == 2:
            frame = build.udp(CLIENT, SERVER, b"\x16\xfe\xfd" + b"d" * 200)
        else:
            frame = build.udp(CLIENT, SERVER, b"A" * 200)
        packets.append((number * 0.0001, frame))
    data = build.pcap(packets)
    tracemalloc.start()
    found = run(data)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 24 << 20
    assert len(found.signalling.connections) == 1
    assert sum(map(len, found.signalling.dtls.values())) * 203 <= 262_144

"""TLS and DTLS as the tests of these rules need them: any hellos, alerts and records, message by message."""

from __future__ import annotations

import datetime
import functools
import struct
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import build

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIENT, SERVER = ("192.0.2.10", 40_000), ("198.51.100.20", 2855)
HELLO = build.tls_record(build.HANDSHAKE, build.handshake(build.CLIENT_HELLO, build.client_hello([0xC02F])))
FATAL_FAILURE = build.tls_record(build.ALERT, b"\x02\x28")


def supported_versions(*versions: int, selected: bool = False) -> bytes:
    """The extension of TLS 1.3, as the client's list or as what the server selects."""
    codes = b"".join(struct.pack("!H", each) for each in versions)
    return build.extension(43, codes if selected else bytes((len(codes),)) + codes)


def use_srtp(*profiles: int) -> bytes:
    """The extension of DTLS-SRTP."""
    codes = b"".join(struct.pack("!H", each) for each in profiles)
    return build.extension(14, struct.pack("!H", len(codes)) + codes + b"\0")


def handshake_record(*messages: bytes, version: int = build.TLS_1_2) -> bytes:
    """Handshake messages in one record."""
    return build.tls_record(build.HANDSHAKE, b"".join(messages), version=version)


def tls(
    offered: Sequence[int] = (0xC02F,),
    selected: int | None = 0xC02F,
    *,
    client: build.Address = CLIENT,
    server: build.Address = SERVER,
    client_version: int = build.TLS_1_2,
    server_version: int = build.TLS_1_2,
    client_extensions: bytes = b"",
    server_extensions: bytes = b"",
    client_random: bytes = b"c" * 32,
    identity: bytes = b"",
    server_certificate: bytes = b"",
    client_certificate: bytes = b"",
    client_alert: bytes = b"",
    server_alert: bytes = b"",
    finish: bool = True,
    data: Sequence[bytes] = (),
    at: float = 1.0,
) -> list[build.Packet]:
    """A TLS connection up to where it is told to end: an alert, or Finished of both sides and records."""
    connection = build.TcpConnection(client, server)
    body = build.client_hello(offered, version=client_version, extensions=client_extensions, random=client_random)
    out = connection.open(at)
    out += connection.send(at + 0.01, handshake_record(build.handshake(build.CLIENT_HELLO, body), version=0x0301))
    if server_alert:
        return out + connection.send(at + 0.02, build.tls_record(build.ALERT, server_alert), from_client=False)
    if selected is None:
        return out
    hello = build.server_hello(selected, version=server_version, extensions=server_extensions)
    flight = build.handshake(build.SERVER_HELLO, hello)
    flight += _certificates(server_certificate)
    flight += build.handshake(build.SERVER_HELLO_DONE, b"")
    out += connection.send(at + 0.02, handshake_record(flight, version=server_version), from_client=False)
    if client_alert:
        return out + connection.send(at + 0.03, build.tls_record(build.ALERT, client_alert))
    if not finish:
        return out
    exchange = _certificates(client_certificate)
    exchange += build.handshake(build.CLIENT_KEY_EXCHANGE, struct.pack("!H", len(identity)) + identity)
    for from_client in (True, False):
        done = handshake_record(exchange, version=server_version) if from_client else b""
        done += build.tls_record(build.CHANGE_CIPHER_SPEC, b"\x01", version=server_version)
        done += build.tls_record(build.HANDSHAKE, build.noise(1, 40), version=server_version)
        out += connection.send(at + (0.03 if from_client else 0.04), done, from_client=from_client)
    for number, each in enumerate(data):
        record = build.tls_record(build.APPLICATION_DATA, build.noise(9, len(each) + 24), version=server_version)
        out += connection.send(at + 0.1 + number * 0.01, record, from_client=number % 2 == 0)
    return out


def _certificates(der: bytes) -> bytes:
    """A Certificate message with one certificate; nothing for none."""
    chain = len(der).to_bytes(3, "big") + der
    return build.handshake(11, len(chain).to_bytes(3, "big") + chain) if der else b""


def tls13(
    *, psk: bool = False, offered: Sequence[int] = (0x1301,), at: float = 1.0, **ends: build.Address
) -> list[build.Packet]:
    """A TLS 1.3 connection: everything behind the ServerHello is encrypted."""
    extensions = supported_versions(0x0304, selected=True) + (build.extension(41, b"\0\0") if psk else b"")
    packets = tls(
        offered, 0x1301, client_extensions=supported_versions(0x0304, 0x0303), server_extensions=extensions,
        finish=False, at=at, **ends,
    )  # fmt: skip
    client, server = ends.get("client", CLIENT), ends.get("server", SERVER)
    connection = build.TcpConnection(client, server)
    sent = {True: 1_001, False: 9_001}
    for _, packet in packets[3:]:
        from_client = packet[26:30] == build.ip_address(client[0]).packed
        sent[from_client] += len(packet) - 54
    connection.client_next, connection.server_next = sent[True], sent[False]
    for number, from_client in enumerate((False, True, True, False)):
        record = build.tls_record(build.APPLICATION_DATA, build.noise(number, 80))
        packets += connection.send(at + 0.05 + number * 0.01, record, from_client=from_client)
    return packets


def dtls(
    ends: tuple[build.Address, build.Address],
    *,
    offered: Sequence[int] = (0xC02F,),
    selected: int | None = 0xC02F,
    version: int = build.DTLS_1_2,
    client_extensions: bytes = b"",
    server_extensions: bytes = b"",
    session_ids: bytes = b"",
    finish: bool = True,
    at: float = 1.0,
) -> list[build.Packet]:
    """A DTLS handshake between two ports, the first one being the client's."""
    record = {"version": version}
    hello = build.client_hello(offered, version=version, extensions=client_extensions)
    if session_ids:
        hello = hello[:34] + bytes((len(session_ids),)) + session_ids + hello[35:]
    out = [(at, True, build.dtls_record(build.HANDSHAKE, build.dtls_handshake(1, hello), **record))]
    if selected is not None:
        reply = build.server_hello(selected, version=version, extensions=server_extensions, session_id=session_ids)
        out.append((at + 0.01, False, build.dtls_record(build.HANDSHAKE, build.dtls_handshake(2, reply), **record)))
        if finish:
            for number, from_client in enumerate((True, False)):
                done = build.dtls_record(build.CHANGE_CIPHER_SPEC, b"\x01", sequence=5, **record)
                done += build.dtls_record(build.HANDSHAKE, build.noise(number, 48), epoch=1, **record)
                out.append((at + 0.02 + number * 0.01, from_client, done))
    return [(when, build.udp(*(ends if forward else ends[::-1]), data)) for when, forward, data in out]


@functools.cache
def certificate(name: str = "gateway", issuer: str = "") -> bytes:
    """A certificate in DER, self-signed unless an issuer is named."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, issued = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer or name))
    begins = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins.replace(year=2035))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)

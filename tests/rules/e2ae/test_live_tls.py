"""Real handshakes with real certificates, of TLS 1.2 and 1.3, beside what the signalling says of them."""

from __future__ import annotations

import datetime
import hashlib
import ssl
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from imsinspect.profiles import choose
from imsinspect.rules.evaluate import evaluate
from imsinspect.rules.registry import BY_ID
from imsinspect.rules.rule import Scene
from tests import build
from tests.rules.e2ae.peers import EDGE_CHAT, REQUESTED, UE_CHAT, call, chat

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[tuple[str, str, int]]


@cache
def certificate(name: str) -> tuple[bytes, bytes]:
    """A self-signed certificate: DER, and PEM with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=9_000))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.DER), made.public_bytes(serialization.Encoding.PEM) + secret


def printed(name: str) -> str:
    digest = hashlib.sha256(certificate(name)[0]).hexdigest().upper()
    return "a=fingerprint:SHA-256 " + ":".join(digest[at : at + 2] for at in range(0, 64, 2))


def context(folder: Path, purpose: int, name: str, version: ssl.TLSVersion) -> ssl.SSLContext:
    """An end that presents a certificate and takes any that the test lets it trust."""
    made = ssl.SSLContext(purpose)
    made.check_hostname = False
    made.minimum_version = made.maximum_version = version
    path = folder / f"{name}.pem"
    path.write_bytes(certificate(name)[1])
    made.load_cert_chain(path)
    for each in ("ue", "gateway", "foreign"):
        made.load_verify_locations(cadata=certificate(each)[0])
    return made


def connection(folder: Path, version: ssl.TLSVersion, server_name: str, *, mutual: bool = True) -> list[build.Packet]:
    """A connection from the UE to the gateway, and some messages on it; secrets go to `keylog`."""
    client_side = context(folder, ssl.PROTOCOL_TLS_CLIENT, "ue", version)
    client_side.keylog_filename = str(folder / "keylog")
    server_side = context(folder, ssl.PROTOCOL_TLS_SERVER, server_name, version)
    server_side.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE
    towards_client, from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    towards_server, from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(towards_client, from_client)
    server = server_side.wrap_bio(towards_server, from_server, server_side=True)
    wire = build.TcpConnection(("192.0.2.10", 40_000), EDGE_CHAT)
    out = wire.open(1.0)
    done = {"client": False, "server": False}

    def carry() -> None:
        for forward, source, sink in ((True, from_client, towards_server), (False, from_server, towards_client)):
            data = source.read()
            if data:
                out.extend(wire.send(1.01 + len(out) * 0.01, data, from_client=forward))
                sink.write(data)

    while not all(done.values()):
        for name, end in (("client", client), ("server", server)):
            try:
                end.do_handshake()
                done[name] = True
            except ssl.SSLWantReadError:
                pass
            carry()
    for number in range(3):
        client.write(b"MSRP %d SEND\r\n" % number)
        carry()
        server.read()
        server.write(b"MSRP %d 200 OK\r\n" % number)
        carry()
        client.read()
    return out


def rows(folder: Path, rule: str, packets: list[build.Packet], *, keyed: bool) -> Rows:
    offer, answer = chat(UE_CHAT, REQUESTED, printed("ue")), chat(EDGE_CHAT, printed("gateway"))
    data = build.pcap(build.in_time_order(call(offer, answer), packets))
    trace = build.audit_bytes(data, key_logs=(folder / "keylog",) if keyed else ()).trace
    assert len(trace.tls_sessions) == 1
    result = evaluate(trace, Scene(profiles=choose(trace).calls), [BY_ID[rule]])
    assert not result.notes
    return [(row.outcome, row.gap, row.subjects) for row in result.assessments]


VERSIONS = [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)]


@pytest.mark.parametrize(("version", "keyed"), VERSIONS)
def test_certificates_are_compared_and_asked_for(tmp_path: Path, version: ssl.TLSVersion, keyed: bool) -> None:
    right = connection(tmp_path, version, "gateway")
    assert rows(tmp_path, "IMS-E2AE-002", right, keyed=keyed) == [("pass", "", 2)]
    assert rows(tmp_path, "IMS-E2AE-003", right, keyed=keyed) == [("pass", "", 1)]
    foreign = connection(tmp_path, version, "foreign")
    assert rows(tmp_path, "IMS-E2AE-002", foreign, keyed=keyed) == [("violation", "", 1), ("pass", "", 1)]
    one_sided = connection(tmp_path, version, "gateway", mutual=False)
    assert rows(tmp_path, "IMS-E2AE-002", one_sided, keyed=keyed) == [("pass", "", 1)]
    assert rows(tmp_path, "IMS-E2AE-003", one_sided, keyed=keyed) == [("violation", "", 1)]


def test_tls_1_3_shows_nothing_without_secrets(tmp_path: Path) -> None:
    """T-13."""
    packets = connection(tmp_path, ssl.TLSVersion.TLSv1_3, "foreign")
    assert rows(tmp_path, "IMS-E2AE-002", packets, keyed=False) == [("not-assessed", "T-13", 2)]
    assert rows(tmp_path, "IMS-E2AE-003", packets, keyed=False) == [("not-assessed", "T-13", 1)]

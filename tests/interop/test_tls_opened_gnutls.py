"""Sessions of a second TLS stack open with its key log: GnuTLS still speaks RC4 and 3DES."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.interop.openssl_peers import Program, Relay, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.interop.openssl_peers import Recorded

OTHERS = "+SIGN-ALL:+COMP-NULL:+GROUP-ALL"


@pytest.fixture(scope="module")
def certificate(peer: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files with the key and the certificate of the test server."""
    folder = tmp_path_factory.mktemp("certificate")
    command = [peer("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=server"]
    subprocess.run([*command, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    return str(folder / "key"), str(folder / "cert")


def record(
    peer: Callable[[str], str], folder: Path, certificate: tuple[str, str], priority: str, *, datagrams: bool
) -> Recorded:
    """A session in which the server says what the client said."""
    port = free_port(datagrams=datagrams)
    more = ["--priority", priority, *(["--udp"] if datagrams else [])]
    key, cert = certificate
    files = ["--x509certfile", cert, "--x509keyfile", key]
    answering = Program([peer("gnutls-serv"), "--echo", "--port", str(port), *files, *more], dict(os.environ))
    relay = Relay(port, datagrams=datagrams)
    logging = {**os.environ, "SSLKEYLOGFILE": str(folder / "keylog")}
    asking = None
    try:
        answering.hear(b"IPv4 0.0.0.0 port")
        relay.start()
        asking = Program([peer("gnutls-cli"), "--insecure", "--port", str(relay.port), *more, "127.0.0.1"], logging)
        assert asking.hear(b"Simple Client Mode"), bytes(asking.said)
        asking.say(b"text\n")
        assert asking.hear(b"text\n")
        asking.end()
    finally:
        if asking is not None:
            asking.end(kill=True)
        relay.stop()
        answering.end(kill=True)
    relay.recorded.keylog = (folder / "keylog").read_bytes()
    return relay.recorded


OLD = ("ARCFOUR-128", "3DES-CBC", "AES-128-CBC")

CASES = [
    *((f"VERS-TLS{version}", cipher, "RSA:+SHA1") for version in ("1.0", "1.1", "1.2") for cipher in OLD),
    ("VERS-TLS1.2", "ARCFOUR-128", "RSA:+MD5"),
    ("VERS-TLS1.0", "NULL", "RSA:+SHA1"),
    ("VERS-TLS1.3", "AES-128-CCM-8", "ECDHE-RSA:+AEAD"),
    ("VERS-DTLS1.0", "3DES-CBC", "RSA:+SHA1"),
    ("VERS-DTLS1.2", "3DES-CBC", "RSA:+SHA1"),
    ("VERS-DTLS1.2", "CAMELLIA-256-CBC", "RSA:+SHA256"),
    ("VERS-DTLS1.2", "CHACHA20-POLY1305", "ECDHE-RSA:+AEAD"),
]


@pytest.mark.parametrize(("version", "cipher", "others"), CASES)
def test_a_session_of_gnutls_opens_with_its_key_log(
    version: str, cipher: str, others: str, peer: Callable[[str], str], certificate: tuple[str, str], tmp_path: Path
) -> None:
    priority = f"NONE:+{version}:+{cipher}:+{others}:{OTHERS}"
    recorded = record(peer, tmp_path, certificate, priority, datagrams="DTLS" in version)
    session = recorded.read(recorded.logged())
    assert session.notes == []
    assert (session.opened_by, session.finished_verified) == ("null" if cipher == "NULL" else "key-log", True)
    assert session.records_not_opened == 0
    for from_client in (True, False):
        assert b"".join(one.data for one in session.opened_data if one.from_client == from_client) == b"text\n"

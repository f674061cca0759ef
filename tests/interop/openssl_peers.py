"""Sessions between `openssl s_server` and `openssl s_client`, recorded between them: what passed, and what was said.

A relay on the loopback interface passes octets on in the order in which they come, so no privilege is needed, and no
segment is lost.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imsinspect.capture.chunk import Chunk
from imsinspect.capture.endpoint import Endpoint
from imsinspect.keys.keylog import parse_keylog
from imsinspect.trace.tls import read_dtls, read_tls
from tests.build import TcpConnection, pcap, udp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imsinspect.crypto.tls import TlsSecrets
    from imsinspect.trace.model import TlsSession
    from tests.build import Packet

CLIENT = Endpoint("192.0.2.1", 40000)
SERVER = Endpoint("192.0.2.2", 5061)

QUESTION = b"MESSAGE sip:bob@example.org SIP/2.0\n"
ANSWER = b"SIP/2.0 200 OK, and padding: " + b"x" * 300 + b"\n"

_DEADLINE = 20.0

CONFIG = """openssl_conf = openssl_init
[openssl_init]
ssl_conf = ssl_sect
[ssl_sect]
system_default = system_default_sect
[system_default_sect]
MinProtocol = None
CipherString = ALL:COMPLEMENTOFALL:@SECLEVEL=0
"""


@dataclass
class Recorded:
    """What passed between two programs."""

    datagrams: bool
    pieces: list[tuple[bool, bytes]] = field(default_factory=list)  # whether the client sent it
    keylog: bytes = b""
    client_said: str = ""  # on its standard output
    server_said: str = ""

    def read(self, secrets: TlsSecrets | None) -> TlsSession:
        """The one session of the recording, read with secrets."""
        chunks = [Chunk(data, n, n * 1_000_000, forward) for n, (forward, data) in enumerate(self.pieces, 1)]
        (session,) = (read_dtls if self.datagrams else read_tls)(chunks, CLIENT, SERVER, secrets)
        return session

    def logged(self) -> TlsSecrets:
        """The secrets of the key log."""
        found = parse_keylog(self.keylog)
        assert found.lines
        assert not found.malformed
        return found.secrets

    def pcap(self) -> bytes:
        """The recording as a capture."""
        if self.datagrams:
            ends = (tuple(SERVER), tuple(CLIENT))
            return pcap([(n / 1000, udp(ends[f], ends[not f], data)) for n, (f, data) in enumerate(self.pieces, 1)])
        stream = TcpConnection(tuple(CLIENT), tuple(SERVER))
        packets: list[Packet] = stream.open(0)
        for number, (forward, data) in enumerate(self.pieces, 1):
            packets += stream.send(number / 10, data, from_client=forward)
        return pcap([*packets, *stream.close(number / 10 + 1)])


class Relay(threading.Thread):
    """Passes on what a client and a server send, and keeps it."""

    def __init__(self, target: int, *, datagrams: bool) -> None:
        super().__init__(daemon=True)
        self.recorded = Recorded(datagrams)
        self._target = ("127.0.0.1", target)
        kind = socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
        self._listening = socket.socket(socket.AF_INET, kind)
        self._listening.bind(("127.0.0.1", 0))
        if not datagrams:
            self._listening.listen(1)
        self.port: int = self._listening.getsockname()[1]
        self._done = threading.Event()

    def run(self) -> None:
        """Wait for the client, then pass on."""
        with contextlib.suppress(OSError):
            (self._datagrams if self.recorded.datagrams else self._stream)()

    def stop(self) -> None:
        """Pass nothing on any more."""
        self._done.set()
        self.join(_DEADLINE)
        self._listening.close()

    def _stream(self) -> None:
        self._listening.settimeout(_DEADLINE)
        client, _ = self._listening.accept()
        server = socket.create_connection(self._target)
        with client, server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, (True, server))
            ready.register(server, selectors.EVENT_READ, (False, client))
            while ready.get_map():
                for key, _ in ready.select(0.2):
                    from_client, other = key.data
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    data = b""
                    with contextlib.suppress(ConnectionError):
                        data = source.recv(65536)
                    if data:
                        self.recorded.pieces.append((from_client, data))
                        other.sendall(data)
                    else:
                        ready.unregister(source)
                        with contextlib.suppress(OSError):
                            other.shutdown(socket.SHUT_WR)
                if self._done.is_set():
                    return

    def _datagrams(self) -> None:
        back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        back.connect(self._target)
        client = None
        with back, selectors.DefaultSelector() as ready:
            ready.register(self._listening, selectors.EVENT_READ)
            ready.register(back, selectors.EVENT_READ)
            while not self._done.is_set():
                for key, _ in ready.select(0.1):
                    with contextlib.suppress(ConnectionError):
                        if key.fileobj is self._listening:
                            data, client = self._listening.recvfrom(65536)
                            self.recorded.pieces.append((True, data))
                            back.send(data)
                        else:
                            data = back.recv(65536)
                            assert client is not None
                            self.recorded.pieces.append((False, data))
                            self._listening.sendto(data, client)


class Program:
    """A program whose output is read as it comes."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        )
        self.said = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := os.read(self._process.stdout.fileno(), 65536):
            self.said += data

    def say(self, text: bytes) -> None:
        """Write to the program's input."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def hear(self, text: bytes, since: int = 0) -> bool:
        """Wait until the program said that, behind so many octets; False when it ended without it."""
        end = time.monotonic() + _DEADLINE
        while text not in self.said[since:]:
            if self._process.poll() is not None:
                self._reader.join(_DEADLINE)
                return text in self.said[since:]
            if time.monotonic() > end:
                raise AssertionError(f"not heard: {text!r} in {bytes(self.said)!r}")
            time.sleep(0.005)
        return True

    def end(self, *, kill: bool = False) -> str:
        """Close its input and wait until it ends; what it said."""
        if kill:
            self._process.kill()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(_DEADLINE)
        self._reader.join(_DEADLINE)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self.said.decode("utf-8", "replace")


def free_port(*, datagrams: bool) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def record(openssl: str, folder: Path, server: Sequence[str], client: Sequence[str], **how: Any) -> Recorded:
    """One session: the client asks, the server answers, and then the client closes. See `record_all`."""
    (found,) = record_all(openssl, folder, server, [client], **how)
    return found


def record_all(
    openssl: str,
    folder: Path,
    server: Sequence[str],
    clients: Sequence[Sequence[str]],
    *,
    datagrams: bool = False,
    commands: Sequence[bytes] = (),
    options: str = "",
) -> list[Recorded]:
    """Sessions of several clients, one after the other, with one server.

    Commands are single letters that `s_client` understands ("k" and "K" update keys, "R" renegotiates); behind each
    both sides talk once more. Options are lines of the OpenSSL configuration.
    """
    (folder / "openssl.cnf").write_text(CONFIG + options)
    environment = {**os.environ, "OPENSSL_CONF": str(folder / "openssl.cnf")}
    port = free_port(datagrams=datagrams)
    count = str(len(clients))
    answering = Program([openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-naccept", count, *server], environment)
    found: list[Recorded] = []
    try:
        answering.hear(b"ACCEPT")
        for client in clients:
            keylog = folder / "keylog"
            keylog.unlink(missing_ok=True)
            relay = Relay(port, datagrams=datagrams)
            relay.start()
            connect = [openssl, "s_client", "-connect", f"127.0.0.1:{relay.port}", "-keylogfile", str(keylog)]
            asking = Program([*connect, *client], environment)
            heard = len(answering.said)
            try:
                _talk(asking, answering, 0, heard)
                for number, command in enumerate(commands, 1):
                    before = len(asking.said)
                    asking.say(command + b"\n")
                    assert asking.hear(b"RENEGOTIATING" if command == b"R" else b"KEYUPDATE", before)
                    _talk(asking, answering, number, heard)
                asking.say(b"Q\n")
                relay.recorded.client_said = asking.end()
            finally:
                asking.end(kill=True)
                relay.stop()
            relay.recorded.keylog = keylog.read_bytes() if keylog.exists() else b""
            found.append(relay.recorded)
    finally:
        said = answering.end(kill=datagrams or len(found) < len(clients))
    for each in found:
        each.server_said = said
    return found


def _talk(asking: Program, answering: Program, number: int, since: int) -> None:
    asking.say(b"%d %s" % (number, QUESTION))
    assert answering.hear(b"%d %s" % (number, QUESTION), since), bytes(asking.said + answering.said)
    answering.say(b"%d %s" % (number, ANSWER))
    assert asking.hear(b"%d %s" % (number, ANSWER)), bytes(asking.said + answering.said)


def exported(said: str) -> bytes:
    """The keying material that `s_client -keymatexport` printed."""
    found = re.search(r"Keying material: ([0-9A-F]+)", said)
    assert found is not None
    return bytes.fromhex(found[1])

"""Kamailio as an MSRP relay takes what our layers build, and our dissectors take what it sends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from dissectors.binary import notes
from dissectors.cpim.layers import (
    CPIM,
    CPIMFrom,
    CPIMTo,
    MIMEContentType,
    MIMEEntity,
    MIMEText,
)
from dissectors.msrp.framing import next_message
from dissectors.msrp.layers import (
    MSRP,
    MSRPURI,
    MSRPAuthorization,
    MSRPByteRange,
    MSRPDigestParameter,
    MSRPHeader,
    MSRPMessageID,
    MSRPNickname,
    MSRPPath,
    MSRPStatus,
)
from imsinspect.capture.msrp_chunks import MsrpChunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIGURATION = """#!KAMAILIO
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
tcp_accept_no_cl=yes
listen=tcp:127.0.0.1:%(port)d
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "htable.so"
loadmodule "auth.so"
loadmodule "msrp.so"
modparam("auth", "qop", "auth")
modparam("htable", "htable", "sessions=>size=4;")
request_route { exit; }
event_route[msrp:frame-in] {
    msrp_reply_flags("1");
    if (msrp_is_reply()) {
        msrp_relay();
    } else if ($msrp(method) == "AUTH") {
        if (pv_www_authenticate("lab.test", "secret", "0", "$msrp(method)")) {
            $var(count) = $var(count) + 1;
            $var(id) = "session" + $var(count);
            $sht(sessions=>$var(id)::address) = $msrp(srcaddr);
            $sht(sessions=>$var(id)::socket) = $msrp(srcsock);
            msrp_reply("200", "OK", "Use-Path: msrp://127.0.0.1:%(port)d/$var(id);tcp\\r\\nExpires: 900\\r\\n");
        } else if (auth_get_www_authenticate("lab.test", "1", "$var(challenge)")) {
            msrp_reply("401", "Unauthorized", "$var(challenge)");
        }
    } else if ($msrp(method) == "SEND" || $msrp(method) == "REPORT") {
        $var(id) = $msrp(sessid);
        if ($sht(sessions=>$var(id)::address) == $null) {
            if ($msrp(method) != "REPORT") msrp_reply("481", "Session-does-not-exist");
            exit;
        }
        if ($msrp(method) != "REPORT") msrp_reply("200", "OK");
        msrp_relay_flags("1");
        msrp_set_dst("$sht(sessions=>$var(id)::address)", "$sht(sessions=>$var(id)::socket)");
        msrp_relay();
    } else {
        msrp_reply("501", "Request-method-not-understood");
    }
}
"""


@pytest.fixture(scope="module")
def relay(peer: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A relay on a port of this host; clients authenticate with the password `secret`."""
    program = peer("kamailio")
    folder: Path = tmp_path_factory.mktemp("kamailio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    (folder / "relay.cfg").write_text(CONFIGURATION % {"port": port})
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(
            [program, "-f", str(folder / "relay.cfg"), "-DD", "-E", "-m", "16", "-M", "4", "-Y", str(folder)],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert started.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


class Client:
    """One end of a session, with its connection to the relay."""

    def __init__(self, port: int, name: bytes) -> None:
        self.name = name
        self.port = str(port).encode()
        self.link = socket.create_connection(("127.0.0.1", port), 5)
        self.link.settimeout(5)
        self.received = b""
        self.used = b""  # the session-id that the relay gave

    def uri(self, space: bytes = b"") -> MSRPURI:
        """The client's own URI."""
        return MSRPURI(host=b"127.0.0.1", port=b"9", session_id=self.name, space=space)

    def at_relay(self, space: bytes = b"") -> MSRPURI:
        """The relay's URI, with the session that it gave."""
        return MSRPURI(host=b"127.0.0.1", port=self.port, session_id=self.used, space=space)

    def send(self, transaction: bytes, method: bytes, to: list[MSRPURI], more: list[Any], **fields: Any) -> None:
        """Send a request."""
        paths = [MSRPPath(uris=to), MSRPPath(header_name=b"From-Path", uris=[self.uri()])]
        self.link.sendall(bytes(MSRP(transact_id=transaction, method=method, headers=[*paths, *more], **fields)))

    def receive(self) -> MSRP:
        """The next message, which must be sound and come out octet for octet."""
        while (found := next_message(self.received)) is None:
            octets = self.link.recv(65536)
            assert octets, "the relay closed the connection"
            self.received += octets
        assert found[0] == 0
        octets, self.received = self.received[: found[1]], self.received[found[1] :]
        packet = MSRP(octets)
        assert bytes(packet) == octets
        assert notes(packet) == []
        assert packet.message().notes == []
        return packet

    def authenticate(self, password: bytes) -> MSRP:
        """Ask for a URI, answer the challenge, give the answer to that."""
        self.send(b"first" + self.name, b"AUTH", [self.at_relay()], [])
        answer = self.receive()
        challenge = answer.header(b"www-authenticate")
        assert (answer.status_code, challenge.scheme, challenge.parameter(b"qop")) == (401, b"Digest", b"auth")

        def digest(*parts: bytes) -> bytes:
            return hashlib.md5(b":".join(parts)).hexdigest().encode()

        realm, nonce, uri = challenge.parameter(b"realm"), challenge.parameter(b"nonce"), bytes(self.at_relay())
        response = digest(
            digest(self.name, realm, password), nonce, b"00000001", b"0a4f113b", b"auth", digest(b"AUTH", uri)
        )
        values = {
            b"username": b'"%s"' % self.name, b"realm": b'"%s"' % realm, b"nonce": b'"%s"' % nonce,
            b"uri": b'"%s"' % uri, b"qop": b"auth", b"cnonce": b'"0a4f113b"', b"nc": b"00000001",
            b"response": b'"%s"' % response,
        }  # fmt: skip
        parameters = [
            MSRPDigestParameter(comma=b", " if number else b"", parameter_name=name, parameter_value=value)
            for number, (name, value) in enumerate(values.items())
        ]
        self.send(b"second" + self.name, b"AUTH", [self.at_relay()], [MSRPAuthorization(parameters=parameters)])
        return self.receive()


@pytest.fixture
def ends(relay: int) -> Iterator[tuple[Client, Client]]:
    """Two clients that the relay knows."""
    clients = Client(relay, b"alice"), Client(relay, b"bob")
    for client in clients:
        answer = client.authenticate(b"secret")
        assert (answer.status_code, answer.header(b"expires").seconds) == (200, b"900")
        (uri,) = answer.header(b"use-path").uris
        assert (uri.host, uri.port) == (b"127.0.0.1", client.port)
        client.used = uri.session_id
    yield clients
    for client in clients:
        client.link.close()


def test_a_wrong_password_is_refused(relay: int) -> None:
    client = Client(relay, b"mallory")
    assert client.authenticate(b"wrong").status_code == 401
    client.link.close()


def test_a_message_in_chunks_comes_through_the_relay(ends: tuple[Client, Client]) -> None:
    alice, bob = ends
    envelope = CPIM(
        headers=[CPIMFrom(uri=b"im:alice@lab.test"), CPIMTo(uri=b"im:bob@lab.test")],
        content=MIMEEntity(
            headers=[MIMEContentType()],
            body=MIMEText(text=b"a\r\n-------quoted1$\r\n\x00\xff\r\n-------c0aaX\r\n" + b"z" * 3_000),
        ),
    )
    whole = bytes(envelope)
    sizes = [(0, 100), (100, 2_500), (2_500, len(whole))]
    for number, (begin, end) in enumerate(sizes):
        alice.send(
            b"c%daa" % number,
            b"SEND",
            [bob.at_relay(b" "), bob.uri()],
            [
                MSRPMessageID(message_id=b"m1234"),
                MSRPHeader(header_name=b"Success-Report", header_value=b"yes"),
                MSRPByteRange(range_start=b"%d" % (begin + 1), total=b"%d" % len(whole)),
                MIMEContentType(media_type=b"message", subtype=b"cpim"),
            ],
            body=whole[begin:end],
            continuation_flag=b"$" if end == len(whole) else b"+",
        )
    chunks, found = MsrpChunks(), None
    for number, (begin, end) in enumerate(sizes):
        answer = alice.receive()
        assert (answer.transact_id, answer.status_code) == (b"c%daa" % number, 200)
        packet = bob.receive()
        assert [bytes(uri).strip() for uri in packet.header(b"to-path").uris] == [bytes(bob.uri())]
        through = [bytes(uri).strip() for uri in packet.header(b"from-path").uris]
        assert through == [bytes(bob.at_relay()), bytes(alice.uri())]
        assert bytes(packet.body) == whole[begin:end]
        assert isinstance(packet.body, CPIM) == (number == 0)
        found = chunks.add("bob", True, packet.message(), (number,), 0)
        assert (found is None) == (end < len(whole))
    assert found is not None
    assert (found.body, found.state, found.notes, found.frames) == (whole, "complete", (), (0, 1, 2))
    bob.send(
        b"report1",
        b"REPORT",
        [alice.at_relay(b" "), alice.uri()],
        [MSRPMessageID(message_id=b"m1234"), MSRPByteRange(range_end=b"9", total=b"9"), MSRPStatus()],
    )
    report = alice.receive()
    assert (report.method, report.header(b"status").status_code) == (b"REPORT", 200)
    assert report.message().message_id == b"m1234"


def test_other_answers_of_the_relay_are_read(ends: tuple[Client, Client]) -> None:
    alice, bob = ends
    alice.send(b"nick1234", b"NICKNAME", [alice.at_relay()], [MSRPNickname(nickname=b'"Al"')])
    answer = alice.receive()
    assert (answer.transact_id, answer.status_code) == (b"nick1234", 501)
    nowhere = MSRPURI(host=b"127.0.0.1", port=alice.port, session_id=b"nobody", space=b" ")
    alice.send(b"lost1234", b"SEND", [nowhere, bob.uri()], [MSRPMessageID(message_id=b"m9999")])
    answer = alice.receive()
    assert (answer.status_code, answer.status_comment) == (481, b"Session-does-not-exist")

"""What TLS carries is read wherever its handshake stands, and whenever its secrets come."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from imsinspect.capture.blocks import SECRETS_TLS, Secrets
from imsinspect.capture.linktypes import ETHERNET
from imsinspect.capture.pcapng_writer import PcapngWriter
from imsinspect.crypto.tls_prf import key_block
from imsinspect.keys import rounds
from imsinspect.pipeline import Options, audit
from imsinspect.trace.scan import rescan
from tests import build
from tests.crypto.tls_seal import sealers
from tests.trace.test_tls_opened import CLIENT_RANDOM, MASTER, SERVER_RANDOM, live

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imsinspect.capture.source import Capture
    from imsinspect.trace.scan import Scan
    from tests.build import Packet

CLIENT, SERVER = ("192.0.2.10", 40_000), ("198.51.100.20", 5061)
NULL_SHA256 = 0x003B
KEY_LOG = b"CLIENT_RANDOM %s %s\n" % (CLIENT_RANDOM.hex().encode(), MASTER.hex().encode())
QUESTIONS = 6


def session(*, null: bool, before: Sequence[bytes] = ()) -> list[Packet]:
    """Questions and answers, under a NULL cipher or under the key of KEY_LOG; each is a segment.

    The server and the client say in turn what comes before.
    """
    sealing = sealers("AES_128_GCM", "SHA256", key_block("sha256", MASTER, CLIENT_RANDOM, SERVER_RANDOM, 40))
    connection = build.TcpConnection(CLIENT, SERVER)
    out = connection.open(0)
    for number, data in enumerate(before):
        out += connection.send(0.01 * (number + 1), data, from_client=bool(number % 2))
    if null:
        hello = build.handshake(build.CLIENT_HELLO, build.client_hello([NULL_SHA256]))
        answer = build.handshake(build.SERVER_HELLO, build.server_hello(NULL_SHA256))
        out += connection.send(0.1, build.tls_record(build.HANDSHAKE, hello))
        out += connection.send(0.2, build.tls_record(build.HANDSHAKE, answer), from_client=False)
        for side in (True, False):
            out += connection.send(0.3, build.tls_record(build.CHANGE_CIPHER_SPEC, b"\x01"), from_client=side)
            out += connection.send(0.4, build.tls_record(build.HANDSHAKE, build.noise(1, 48)), from_client=side)
    else:
        for number, chunk in enumerate(live()):
            out += connection.send(0.1 + number / 10, chunk.data, from_client=chunk.forward)
    for number in range(QUESTIONS):
        talk = build.Dialog(transport="TLS", call_id=f"{number}@test")
        for answers, text in enumerate((talk.request("OPTIONS"), talk.response(200, "OK", method="OPTIONS"))):
            if null:
                data = build.tls_record(build.APPLICATION_DATA, text + build.noise(number, 32))
            else:
                body = sealing[answers].seal(number + 1, build.APPLICATION_DATA, build.TLS_1_2, text)
                data = build.tls_record(build.APPLICATION_DATA, body)
            out += connection.send(1 + number + answers / 10, data, from_client=not answers)
    return out


def pcapng(packets: list[Packet], key_log: bytes = b"") -> bytes:
    """A capture whose secrets stand behind its packets."""
    file = io.BytesIO()
    writer = PcapngWriter(file, "tester")
    face = writer.interface(ETHERNET)
    for at, packet in packets:
        writer.packet(face, build.START * 10**9 + round(at * 10**9), packet)
    if key_log:
        writer.secrets(Secrets(SECRETS_TLS, key_log))
    return file.getvalue()


@pytest.mark.parametrize("each", [1, 3, 5, 8, 11])
@pytest.mark.parametrize("null", [True, False])
def test_a_session_that_goes_on_in_the_next_files_of_a_ring_is_read_to_its_end(null: bool, each: int) -> None:
    packets = session(null=null)
    files = [packets[at : at + each] for at in range(0, len(packets), each)]
    captures = [pcapng(part, b"" if null or number else KEY_LOG) for number, part in enumerate(files)]
    trace = build.audit_bytes(*captures).trace
    assert (trace.counts.sip_requests, trace.counts.sip_responses) == ({"OPTIONS": QUESTIONS}, QUESTIONS)
    assert [(one.opened, one.records_not_opened) for one in trace.tls_sessions] == [(True, 0)]


def test_secrets_that_a_later_capture_carries_open_the_sessions_of_earlier_ones() -> None:
    packets = session(null=False)
    late = [(20.0, build.udp(CLIENT, SERVER, b"anything"))]
    trace = build.audit_bytes(pcapng(packets), pcapng(late, KEY_LOG)).trace
    assert (trace.counts.sip_requests, trace.counts.sip_responses) == ({"OPTIONS": QUESTIONS}, QUESTIONS)


@pytest.mark.parametrize("null", [True, False])
def test_what_follows_starttls_is_read_to_its_end(null: bool, tmp_path: Path) -> None:
    secrets = tmp_path / "keys.log"
    secrets.write_bytes(KEY_LOG)
    packets = session(null=null, before=[b"220 ready\r\n", b"STARTTLS\r\n", b"220 go ahead\r\n"])
    trace = build.audit_bytes(build.pcap(packets), key_logs=() if null else (secrets,)).trace
    assert (trace.counts.sip_requests, trace.counts.sip_responses) == ({"OPTIONS": QUESTIONS}, QUESTIONS)


@pytest.mark.parametrize("key_log", [b"", KEY_LOG])
def test_captures_are_read_once_where_nothing_more_can_open(
    tmp_path: Path, key_log: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, secrets = tmp_path / "call.pcap", tmp_path / "keys.log"
    path.write_bytes(build.pcap(session(null=False)))
    secrets.write_bytes(key_log)
    read: list[str] = []

    def counted(capture: Capture, *how: Any) -> Scan:
        read.append(capture.path)
        return rescan(capture, *how)

    monkeypatch.setattr(rounds, "rescan", counted)
    audit([str(path)], Options(key_logs=(secrets,) if key_log else ()))
    assert read == [str(path)]

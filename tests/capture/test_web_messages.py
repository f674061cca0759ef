"""HTTP and RTSP messages come whole out of byte streams, in chunks or with a length, between interleaved media."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissectors.http import message_end
from imsinspect.look import look
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan
from tests import build

if TYPE_CHECKING:
    from pathlib import Path

TICKET_REQUEST = bytes.fromhex("010b05000000000100010b00000000000000000a00")
CLIENT, KMS = ("192.0.2.10", 40000), ("198.51.100.20", 80)
HEAD = b"POST /keymanagement?requestType=ticketrequest HTTP/1.1\r\nHost: kms\r\nContent-Type: application/mikey\r\n"
WITH_LENGTH = HEAD + b"Content-Length: %d\r\n\r\n" % len(TICKET_REQUEST) + TICKET_REQUEST
IN_CHUNKS = (
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"5;x=y\r\n" + TICKET_REQUEST[:5] + b"\r\n"
    + b"%x\r\n" % (len(TICKET_REQUEST) - 5) + TICKET_REQUEST[5:] + b"\r\n0\r\n\r\n"
)  # fmt: skip


@pytest.mark.parametrize("message", [WITH_LENGTH, IN_CHUNKS, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_message_ends_where_its_body_does(message: bytes) -> None:
    assert message_end(message) == message_end(message + b"GET") == len(message)
    assert {message_end(message[:end]) for end in range(len(message))} == {-1}


def test_sizes_that_are_wrong_lead_nowhere() -> None:
    assert message_end(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\nab") == -1
    assert message_end(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab") == -1
    assert message_end(HEAD + b"Content-Length: x\r\n\r\nab") == len(HEAD) + 21


@pytest.mark.parametrize(
    ("message", "types"), [(WITH_LENGTH, {"11 REQUEST_INIT_PSK"}), (IN_CHUNKS, {"11 REQUEST_INIT_PSK"})]
)
def test_a_ticket_request_over_several_segments_is_shown_whole(tmp_path: Path, message: bytes, types: set[str]) -> None:
    """The MIKEY message is taken apart where it stands, in one piece or over chunks."""
    connection = build.TcpConnection(CLIENT, KMS)
    packets = connection.open(0) + connection.send(1, message + b"GET / HTTP/1.1\r\n", segment=60)
    path = tmp_path / "kms.pcap"
    path.write_bytes(build.pcap(packets))
    (shown,) = look(str(path), [4])[0].messages
    assert (shown.name, shown.octets, len(shown.frames) > 1) == ("HTTP", message, True)
    assert {f"{node.value} {node.meaning}" for node in shown.node.walk() if node.name == "data_type"} == types


def test_rtsp_messages_and_the_media_between_them_come_in_order(tmp_path: Path) -> None:
    request = b"SETUP rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/SAVP/TCP;interleaved=0-1\r\n\r\n"
    body = b"v=0\r\nm=audio 0 RTP/SAVP 0\r\ns=$\r\n"
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    media = b"".join(
        b"$\0" + len(packet).to_bytes(2, "big") + packet
        for packet in (build.rtp(number, 160 * number, 7, bytes(160)) for number in range(5))
    )
    connection = build.TcpConnection(CLIENT, ("198.51.100.20", 554))
    packets = connection.open(0) + connection.send(1, request)
    packets += connection.send(2, media[:400] + media[400:] + answer + media, from_client=False, segment=90)
    path = tmp_path / "rtsp.pcap"
    path.write_bytes(build.pcap(packets))
    found = [(each.kind, each.octets) for each in found_messages([scan(str(path), 0)])]
    assert [octets for kind, octets in found if kind == "rtsp"] == [request, answer]
    assert [kind for kind, _ in found].count("media") == 10

"""Frames taken apart: layers down to the message, messages put together from several frames, keys kept closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imsinspect.capture.endpoint import Endpoint
from imsinspect.capture.errors import CaptureError, UsageError
from imsinspect.capture.raw_frames import raw_frames
from imsinspect.look import _message, look
from imsinspect.report.tree import frames_to_json
from imsinspect.trace.messages import Found
from tests import build

if TYPE_CHECKING:
    from dissectors.tree import Node

SAMPLES = Path(__file__).parents[1] / "samples"
OPTIONS = b"OPTIONS sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
INVITE = (
    b"INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nCall-ID: 2\r\nContent-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def _write(folder: Path, *packets: build.Packet) -> str:
    path = folder / "test.pcap"
    path.write_bytes(build.pcap(packets))
    return str(path)


def _named(node: Node, name: str) -> list[Node]:
    return [each for each in node.walk() if each.name == name or each.name.endswith(f": {name}")]


def _layers(node: Node) -> list[str]:
    """The chain of layers down to the innermost."""
    names = []
    while node.children:
        names.append(node.name)
        node = node.children[-1]
    return names


def test_a_datagram_is_shown_down_to_its_message(tmp_path: Path) -> None:
    packet = build.udp(build.ALICE, build.BOB, OPTIONS)
    (frame,) = look(_write(tmp_path, (0.5, packet)), [1])
    assert (frame.number, frame.link, frame.original, frame.octets) == (1, "EN10MB", len(packet), packet)
    assert _layers(frame.node)[:4] == ["Ethernet", "IP", "UDP", "SIP"]
    (line,) = _named(frame.node, "start_line")
    assert (line.value, line.offset, line.length) == ("OPTIONS sip:bob@example.org SIP/2.0", 42, 35)
    assert line.clause == "RFC 3261 §7"
    assert frame.messages == []


def test_a_message_in_several_segments_names_its_frames_and_closes_the_pieces(tmp_path: Path) -> None:
    body = b"v=0\r\nm=audio 9 RTP/SAVP 0\r\n" + build.crypto("a").encode() + b"\r\n"
    message = INVITE % len(body) + body
    connection = build.TcpConnection(build.ALICE, build.BOB)
    packets = connection.open(0) + connection.send(1, message, segment=100)
    frames = look(_write(tmp_path, *packets), [4, 5, 6])
    for frame in frames:
        (shown,) = frame.messages
        assert (shown.name, shown.frames, shown.octets) == ("SIP", (4, 5, 6), message)
        assert (shown.source, shown.carriage) == ("192.0.2.10:5060", "TCP")
        (piece,) = _named(frame.node, "octets")
        assert (piece.value, piece.closed) == ("", "part of the messages below")


def test_fragments_of_a_datagram_show_the_whole_message(tmp_path: Path) -> None:
    datagram = build.udp_datagram(build.ALICE, build.BOB, OPTIONS)
    parts = [(datagram[:40], 0x2000), (datagram[40:], 5)]  # more fragments; offset of 5 times 8 octets
    packets = [
        (number, build.ethernet(build.ipv4(build.ALICE[0], build.BOB[0], 17, data, fragment=field, identification=9)))
        for number, (data, field) in enumerate(parts)
    ]
    first, second = look(_write(tmp_path, *packets), [1, 2])
    assert [each.messages[0].octets for each in (first, second)] == [OPTIONS, OPTIONS]
    assert set(first.messages[0].frames) == {1, 2}


def test_what_esp_null_holds_is_shown_with_how_it_came(tmp_path: Path) -> None:
    packets = [(n, build.esp_null(build.ALICE, build.BOB, OPTIONS, spi=7, sequence=n + 1)) for n in range(4)]
    frame = look(_write(tmp_path, *packets), [3])[0]
    assert [(each.name, each.carriage, each.octets) for each in frame.messages] == [("SIP", "UDP, esp-null", OPTIONS)]


def test_media_control_and_floor_control_are_told_by_content(tmp_path: Path) -> None:
    payloads = [
        (build.rtp(1, 160, 0xCAFE, bytes(20)), "RTP"),
        (build.receiver_report(0xCAFE), "RTCP"),
        (bytes.fromhex("200b0000000000010002000a"), "Hello"),
        (build.Srtp(build.master_key("a")).protect_rtcp(build.sender_report(0xCAFE)), "SRTCP"),
    ]
    packets = [(number, build.udp(build.ALICE, build.BOB, data)) for number, (data, _) in enumerate(payloads)]
    frames = look(_write(tmp_path, *packets), range(1, len(payloads) + 1))
    assert [_layers(frame.node)[3] for frame in frames] == [name for _, name in payloads]


def test_fragments_of_floor_control_show_the_whole_message(tmp_path: Path) -> None:
    """Version 2: payload length 2 in all, of which each datagram brings one (RFC 8855 §5.1, §6.2.3)."""
    head = "480b0002000000010002000a"
    parts = [head + "00000001" + "14040102", head + "00010001" + "16040304"]
    packets = [(number, build.udp(build.ALICE, build.BOB, bytes.fromhex(each))) for number, each in enumerate(parts)]
    (message,) = look(_write(tmp_path, *packets), [1])[0].messages
    assert (message.name, message.frames) == ("Hello", (1, 2))
    assert message.octets.hex() == "400b0002000000010002000a1404010216040304"


def test_chunks_of_msrp_show_the_whole_cpim_message() -> None:
    """A recorded chat through a relay: one message came in three chunks."""
    path = str(SAMPLES / "msrp-relay.pcapng")
    frames = look(path, sorted(raw_frames(path, range(1, 1000))))
    whole = {each.octets: each for frame in frames for each in frame.messages if "MSRP chunks" in each.carriage}
    assert whole
    for each in whole.values():
        assert (each.name, len(each.frames) > 1) == ("CPIM", True)
        assert b"From:" in each.octets


def test_a_cut_frame_and_one_that_ends_early_are_shown_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "cut.pcap").write_bytes(build.pcap([(0, build.udp(build.ALICE, build.BOB, OPTIONS))], snap_length=60))
    (frame,) = look(str(tmp_path / "cut.pcap"), [1])
    assert (len(frame.octets), frame.original) == (60, 42 + len(OPTIONS))
    (tmp_path / "short.pcap").write_bytes(build.pcap([(0, b"\x02\x00\x00")]))
    (frame,) = look(str(tmp_path / "short.pcap"), [1])
    assert (frame.node.name, frame.node.value) == ("octets", "02 00 00")


def test_handshake_messages_over_datagrams_are_whole() -> None:
    """Four messages of a recorded pair of DTLS handshakes came in two datagrams each."""
    frames = look(str(SAMPLES / "linphone-dtls-srtp.pcapng"), range(1, 60))
    several = {each.frames: each for frame in frames for each in frame.messages if len(each.frames) > 1}
    assert sorted(several) == [(14, 15), (16, 17), (20, 21), (23, 24)]
    for each in several.values():
        assert each.name == "Handshake"
        assert int.from_bytes(each.octets[1:4], "big") == len(each.octets) - 12
        assert each.node.length == len(each.octets)


def test_a_frame_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    path = _write(tmp_path, (0, build.udp(build.ALICE, build.BOB, OPTIONS)))
    with pytest.raises(UsageError, match="has no frame 2"):
        look(path, [1, 2])
    with pytest.raises(UsageError, match="more than 1000 frames"):
        look(path, range(1, 1002))
    with pytest.raises(UsageError, match=r"no such file: .*none\.pcap"):
        look(str(tmp_path / "none.pcap"), [1])
    with pytest.raises(CaptureError):
        look(str(tmp_path), [1])


def _carried_by_gtp_u(inner: bytes) -> bytes:
    return build.udp(
        (build.ALICE[0], 2152), (build.BOB[0], 2152), b"\x30\xff" + len(inner).to_bytes(2, "big") + bytes(4) + inner
    )


def test_what_a_gtp_u_tunnel_carries_is_taken_apart_in_its_place(tmp_path: Path) -> None:
    inner = build.udp(build.ALICE, build.BOB, OPTIONS)[14:]
    (frame,) = look(_write(tmp_path, (0, _carried_by_gtp_u(inner))), [1])
    assert _layers(frame.node)[:7] == ["Ethernet", "IP", "UDP", "GTP-U Header", "IP", "UDP", "SIP"]
    (line,) = _named(frame.node, "start_line")
    assert frame.octets[line.offset : line.offset + line.length].startswith(b"OPTIONS sip:bob@example.org SIP/2.0")


def test_pppoe_sessions_are_taken_apart(tmp_path: Path) -> None:
    ip = build.udp(build.ALICE, build.BOB, OPTIONS)[14:]
    packet = bytes(12) + b"\x88\x64\x11\x00\x00\x01" + (len(ip) + 2).to_bytes(2, "big") + b"\x00\x21" + ip
    (frame,) = look(_write(tmp_path, (0, packet)), [1])
    assert _layers(frame.node)[1:6] == ["PPP over Ethernet", "PPP Link Layer", "IP", "UDP", "SIP"]


def test_sip_in_websocket_frames_is_shown_with_its_keys_closed() -> None:
    """SIP over WebSocket: the message is a SIP layer, and its frame does not show the masked octets."""
    message = INVITE + b"v=0\r\nm=audio 9 RTP/SAVP 0\r\n" + build.crypto("a").encode() + b"\r\n"
    found = Found("websocket", message, (3, 2), Endpoint("1.2.3.4", 1), Endpoint("1.2.3.5", 2), "TCP")
    shown = _message(found)
    assert (shown.name, shown.frames) == ("SIP", (2, 3))
    assert any(each.secret for each in shown.node.walk())


def test_data_that_a_stream_relayed_is_told_by_content() -> None:
    ends = Endpoint("1.2.3.4", 1), Endpoint("1.2.3.5", 2)
    kinds = [
        ("media", build.rtp(1, 160, 0xCAFE, bytes(20)), "RTP"),
        ("media", build.receiver_report(0xCAFE), "RTCP"),
        ("media", b"\x7f\x7f", "octets"),
        ("channel", b"\x40\x00\x00\x02ab\0\0", "TURN ChannelData"),
        ("stun", b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), "STUN"),
    ]
    assert [_message(Found(kind, data, (1,), *ends, "TCP")).name for kind, data, _ in kinds] == [
        name for _, _, name in kinds
    ]


@pytest.mark.parametrize("chunked", [True, False])
def test_no_layer_below_a_whole_message_shows_its_key(tmp_path: Path, chunked: bool) -> None:
    """A DATA chunk of SCTP and the data of ESP hold the message again: both stay closed."""
    body = b"v=0\r\nm=audio 9 RTP/SAVP 0\r\n" + build.crypto("a").encode() + b"\r\n"
    message = INVITE % len(body) + body
    if chunked:
        packets = [(0, build.ethernet(build.ipv4(build.ALICE[0], build.BOB[0], 132, _sctp(message))))]
    else:
        packets = [(n, build.esp_null(build.ALICE, build.BOB, message, spi=7, sequence=n + 1)) for n in range(4)]
    (frame,) = look(_write(tmp_path, *packets), [1])
    assert [each.name for each in frame.messages] == ["SIP"]
    shown = frames_to_json("a", [frame])
    assert build.crypto("a").encode()[-20:].hex() not in shown
    assert "inline" not in str([each.value for each in frame.node.walk()])


def _sctp(data: bytes) -> bytes:
    """A packet with one DATA chunk, the first and last of its message (RFC 9260 §3.3.1)."""
    chunk = b"\0\3" + (16 + len(data)).to_bytes(2, "big") + bytes(12) + data + bytes(-len(data) % 4)
    return b"\x13\xc4\x13\xc4" + bytes(8) + chunk


def test_bits_of_the_lower_layers_are_named_by_place(tmp_path: Path) -> None:
    (frame,) = look(_write(tmp_path, (0, build.udp(build.ALICE, build.BOB, OPTIONS))), [1])
    bits = {each.name: (each.offset, each.length, each.bits) for each in frame.node.children[-1].children if each.bits}
    assert bits == {
        "version": (14, 1, (0, 4)),
        "ihl": (14, 1, (4, 4)),
        "flags": (20, 2, (0, 3)),
        "frag": (20, 2, (3, 13)),
    }

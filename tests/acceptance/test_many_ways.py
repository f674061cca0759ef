"""What arrives in pieces, twice, or by an odd way is one message, one datagram, one stream."""

from __future__ import annotations

import struct

from tests import build

A, B = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
ALICE, BOB = ("192.0.2.10", 5060), ("198.51.100.20", 5060)


def _offer(*attributes: str, proto: str = "RTP/SAVP") -> bytes:
    return build.sdp(A[0], build.audio(A[1], proto, *(attributes or (build.crypto("a"),))))


def _answer(*attributes: str, proto: str = "RTP/SAVP") -> bytes:
    return build.sdp(B[0], build.audio(B[1], proto, *(attributes or (build.crypto("b"),))))


def _rows(*captures: bytes) -> list[tuple[str, str, str, int]]:
    found = build.audit_bytes(*captures)
    return [(row.rule, row.outcome, row.gap, row.subjects) for row in found.assessments]


def _fragments(packet: bytes, size: int) -> list[bytes]:
    """The IPv4 packet of an Ethernet frame in fragments of that many octets."""
    header, data = packet[14:34], packet[34:]
    out = []
    for at in range(0, len(data), size):
        more = 0x2000 if at + size < len(data) else 0
        piece = data[at : at + size]
        total = struct.pack("!HHH", 20 + len(piece), 7, more | at // 8)
        out.append(packet[:14] + header[:2] + total + header[8:10] + b"\0\0" + header[12:] + piece)
    return out


def test_a_fragmented_invite_is_whole_although_its_fragments_are_in_two_files() -> None:
    long = [build.crypto("a"), *(f"a=x{number}:{'y' * 50}" for number in range(60))]
    call = build.call(_offer(*long), _answer(), duration=10)
    pieces = [(call[0][0] + 0.001 * i, piece) for i, piece in enumerate(_fragments(call[0][1], 1200))]
    packets = build.in_time_order(pieces, call[1:])
    assert len(pieces) > 2
    assert _rows(build.pcap(packets[:2]), build.pcap(packets[2:])) == _rows(build.pcap(packets))
    found = build.audit_bytes(build.pcap(packets[:2]), build.pcap(packets[2:]))
    assert found.trace.counts.sip_messages == found.trace.counts.sip_responses + 3  # INVITE, ACK, BYE
    assert [note for capture in found.trace.captures for note in capture.notes] == []


def test_fragments_that_stay_away_are_told() -> None:
    call = build.call(_offer(*[build.crypto("a"), *(f"a=x{n}:{'y' * 50}" for n in range(60))]), _answer(), duration=10)
    pieces = [(call[0][0], piece) for piece in _fragments(call[0][1], 1200)[:2]]
    found = build.audit_bytes(build.pcap(build.in_time_order(pieces, call[1:])))
    assert found.trace.captures[0].notes == ["1 fragmented IP packets are incomplete"]


def test_a_sip_message_in_several_websocket_frames_is_one() -> None:
    talk = build.TcpConnection(ALICE, (BOB[0], 8080))
    packets = talk.open(0) + talk.send(0.1, b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
    packets += talk.send(0.2, b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", from_client=False)
    message = build.Dialog(transport="WS").response(200, "OK", _answer())
    cut = len(message) // 2
    for opcode, part in ((1, message[:cut]), (0x80, message[cut:])):
        frame = bytes((opcode, 126)) + struct.pack("!H", len(part)) + part
        packets += talk.send(1 + opcode / 1000, frame, from_client=False)
    found = build.audit_bytes(build.pcap(packets))
    assert found.trace.counts.sip_messages == 1
    assert found.trace.counts.sdp_crypto == 1
    assert len(found.trace.messages[0].frames) == 2


def test_rtcp_sighted_twice_counts_once_in_two_files_and_inside_and_outside_a_tunnel() -> None:
    reports = [
        (
            3.0 + i,
            build.udp((A[0], 4001), (B[0], 5001), build.sender_report(1, packets=i) + build.source_description(1)),
        )
        for i in range(3)
    ]
    tunnelled = [
        (
            time + 0.001,
            build.udp(
                ("10.0.0.1", 2152),
                ("10.0.0.2", 2152),
                struct.pack("!BBHI", 0x30, 255, len(packet) - 14, 1) + packet[14:],
            ),
        )
        for time, packet in reports
    ]
    one = build.pcap(reports)
    assert build.audit_bytes(one, one).trace.counts.rtcp_packets == 3
    assert build.audit_bytes(build.pcap(build.in_time_order(reports, tunnelled))).trace.counts.rtcp_packets == 3


def test_clear_speech_behind_lengths_in_tcp_is_seen_on_its_secure_line() -> None:
    talk = build.TcpConnection((A[0], 4000), B)
    speech = [
        segment
        for i, payload in enumerate(build.speech(100))
        for segment in talk.send(1 + i * 0.02, struct.pack("!H", 172) + build.rtp(i, i * 160, 1, payload))
    ]
    call = build.call(
        _offer(build.crypto("a"), "a=setup:actpass", proto="TCP/RTP/SAVP"),
        _answer(build.crypto("b"), "a=setup:passive", proto="TCP/RTP/SAVP"),
        duration=20,
    )
    rows = _rows(build.pcap(build.in_time_order(call, talk.open(0.8), speech)))
    assert ("IMS-SRTP-001", "violation", "", 1) in rows


def test_sip_in_segments_shorter_than_its_request_line_is_read() -> None:
    talk = build.TcpConnection(ALICE, BOB)
    invite = build.Dialog(transport="TCP").request("INVITE", _offer())
    found = build.audit_bytes(build.pcap(talk.open(0) + talk.send(0.1, invite, segment=20)))
    assert found.trace.counts.sip_messages == 1
    assert found.trace.counts.sdp_crypto == 1


def test_a_pdu_exported_by_the_port_it_was_found_at_is_read_by_its_content() -> None:
    invite = build.Dialog().request("INVITE", _offer())
    tags = ((14, b"udp.port"), (20, bytes(4)), (21, bytes((192, 0, 2, 1))), (25, bytes((0, 0, 0x13, 0xC4))), (0, b""))
    head = b"".join(struct.pack("!HH", tag, len(value)) + value for tag, value in tags)
    found = build.audit_bytes(build.pcap([(0.0, head + invite)], link_type=252))
    assert found.trace.counts.sip_messages == 1


def test_a_capture_of_an_unsupported_link_type_can_not_be_read() -> None:
    found = build.audit_bytes(build.pcap([(0.0, bytes(40))], link_type=147))
    assert found.trace.captures[0].error == "link type 147 is not supported: no packet could be read"
    assert found.exit_status == 2

"""Where messages of MSRP, BFCP, H.248, WebSocket, HTTP and SCTP begin and end, from their octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.bfcp import framing as bfcp
from dissectors.h248 import framing as h248
from dissectors.http import HTTP_START, RTSP_START, WEBSOCKET_UPGRADE, head_end
from dissectors.msrp import framing as msrp
from dissectors.sctp import data_chunks
from dissectors.websocket import next_frame

SEND = b"MSRP d93kswow SEND\r\nTo-Path: msrp://b\r\n\r\nHi\r\n-------d93kswow$\r\n"


def test_an_msrp_message_ends_with_the_end_line_of_its_own_transaction():
    tricky = SEND.replace(b"Hi", b"-------other123$\r\n")
    assert msrp.next_message(b"junk" + tricky + SEND) == (4, 4 + len(tricky))
    assert msrp.next_message(SEND[:-1]) is None
    assert msrp.next_message(b"MSRP a786 200 OK\r\n-------a786$\r\n") == (0, 32)


def test_a_search_goes_on_where_it_left_off():
    for cut in range(len(SEND) - 45, len(SEND)):
        assert msrp.next_message(SEND, 0, cut) == (0, len(SEND))


def test_octets_that_may_become_a_message_are_kept():
    assert msrp.unread(b"x" * 1_000 + SEND[:-3]) == 1_000
    assert msrp.unread(b"x" * 1_000) == 1_000 - msrp.MAX_START_LINE
    assert msrp.unread(b"MSRP d93") == 0


@pytest.mark.parametrize(
    "octets",
    [
        "200b000072e5a81500010808",
        "300b000072e5a81580010808",  # version 1 with the bit that became R
        "270b000072e5a81580010808",  # reserved bits are ignored on reception
        "2007000172e5a8150002080805040002",
        "4007000172e5a8150002080805040002",
        "480700010000000100020808" + "00000001" + "05040002",
    ],
)
def test_a_datagram_of_bfcp_is_recognised(octets):
    assert bfcp.is_message(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        "600b000072e5a81500010808",  # version 3
        "2000000072e5a81500010808",  # primitive 0
        "2013000072e5a81500010808",  # primitive 19
        "200b000172e5a81500010808",  # length beyond the datagram
        "2007000172e5a8150002080805010002",  # attribute shorter than its header
        "200b0000",
    ],
)
def test_what_does_not_fit_is_not_bfcp(octets):
    assert not bfcp.is_message(bytes.fromhex(octets))


def test_h248_in_text_is_recognised_with_its_short_forms():
    assert h248.is_message(b"MEGACO/3 [192.0.2.1]:2944\n")
    assert h248.is_message(b"!/1 [192.0.2.1]\n")
    assert h248.is_message(b"AU=0x12ab:0x1:0x2 !/1 x")
    assert not h248.is_message(b"MEGACOX/3 ")
    assert h248.next_tpkt(b"\x03\0\0\x08abcdrest") == (4, 8)
    assert h248.next_tpkt(b"\x03\0\0\x08abc") is None
    assert h248.next_tpkt(b"\x03\0\0\x01abc") is None


def test_websocket_frames_are_unmasked_and_end_where_they_say():
    frame = next_frame(bytes.fromhex("818537fa213d7f9f4d5158"))  # the example of RFC 6455 §5.7
    assert frame is not None
    assert (frame.payload, frame.masked, frame.fin, frame.opcode, frame.end) == (b"Hello", True, True, 1, 11)
    long = next_frame(b"\x82\x7e\x01\x00" + b"x" * 256)
    assert long is not None
    assert (len(long.payload), long.end) == (256, 260)
    assert next_frame(b"\x82\x7e\x01") is None
    for wrong in (b"\x83\x00", b"\xf1\x00", b"\x82\x7f" + b"\xff" * 8):
        found = next_frame(wrong)
        assert found is not None
        assert found.end == -1


def test_a_length_that_is_cut_waits_for_its_rest():
    assert next_frame(b"\x82\x7f" + bytes(7)) is None
    assert next_frame(b"\x82\xfe\x00\x05mas") is None


def test_start_lines_of_http_and_rtsp_are_told_apart():
    assert HTTP_START.match(b"GET /x HTTP/1.1\r\n")
    assert HTTP_START.match(b"HTTP/1.0 200 OK\r\n")
    assert not HTTP_START.match(b"OPTIONS sip:a SIP/2.0\r\n")
    assert RTSP_START.match(b"SETUP rtsp://a RTSP/1.0\r\n")
    assert WEBSOCKET_UPGRADE.search(b"GET / HTTP/1.1\r\nupgrade: WebSocket\r\n")
    assert head_end(b"a\r\n\r\nb") == 5
    assert head_end(b"a\r\n\r") == -1


def test_data_chunks_of_sctp_are_cut_out():
    packet = (
        bytes(12) + bytes.fromhex("04000008") + b"beat" + bytes.fromhex("0003001300000005000100020000002e") + b"abc\0"
    )
    (chunk,) = data_chunks(packet)
    assert (chunk.tsn, chunk.stream, chunk.protocol, chunk.data) == (5, 1, 46, b"abc")
    assert (chunk.begins, chunk.ends, chunk.unordered) == (True, True, False)
    assert list(data_chunks(packet[:-2])) == []
    assert list(data_chunks(bytes(12) + b"\0\3\0\0" * 50)) == []


@given(st.binary(max_size=200))
def test_any_octets_are_taken(data):
    msrp.next_message(b"MSRP abcd SEND\r\n" + data)
    bfcp.is_message(data)
    h248.next_tpkt(data)
    list(data_chunks(data))
    found = next_frame(data)
    assert found is None or found.end == -1 or found.end <= len(data)

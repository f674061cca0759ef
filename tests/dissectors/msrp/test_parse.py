"""The lean parser and the framing of MSRP: what links messages, from any octets, without Scapy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.msrp import framing
from dissectors.msrp.parse import ByteRange, parse, parse_range, parse_uri

HEAD = b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://b.example.com:8888/9di4;tcp\r\nFrom-Path: msrp://a.example.com:7654/iau3;tcp\r\n"
SEND = (
    HEAD + b"Message-ID: 87652491\r\nByte-Range: 1-25/25\r\nContent-Type: Text/Plain; charset=utf-8\r\n\r\n"
    b"Hey Bob, are you there?\r\n\r\n-------a786hjs2$\r\n"
)
RESPONSE = b"MSRP a786hjs2 200 OK\r\nTo-Path: msrp://a:1/x;tcp\r\nFrom-Path: msrp://b:2/y;tcp\r\n-------a786hjs2$\r\n"


def test_a_request_is_read() -> None:
    found = parse(SEND)
    assert (found.transaction, found.method, found.status, found.is_request) == (b"a786hjs2", b"SEND", 0, True)
    assert (found.body, found.flag, found.notes) == (b"Hey Bob, are you there?\r\n", b"$", [])
    assert SEND[found.body_offset :].startswith(b"Hey Bob")
    assert (found.message_id, found.byte_range) == (b"87652491", ByteRange(1, 25, 25))
    assert found.content_type == b"text/plain"
    assert [each.host for each in (*found.to_path, *found.from_path)] == [b"b.example.com", b"a.example.com"]
    assert found.header(b"x") is None


def test_a_response_is_read_with_and_without_a_comment() -> None:
    found = parse(RESPONSE)
    assert (found.method, found.status, found.comment, found.body, found.is_request) == (b"", 200, b"OK", None, False)
    found = parse(RESPONSE.replace(b"200 OK", b"200"))
    assert (found.status, found.comment, found.notes) == (200, b"", [])
    found = parse(RESPONSE.replace(b"OK", "weiß nicht".encode()))
    assert found.comment.decode() == "weiß nicht"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"ends in CRLF\r\n",
        b"x-------a786hjs2$\r\n",
        b"\r\n-------other123$\r\n",
        b"\r\n-------a786hjs2x\r\n",
        b"\r\n-------a786hjs2$x\r\n",
        b"\r\n-------a786hjs2 \r\n-------a786hjs2\r\n",
        b"\r\n-------a786hjs\r\n",
        b"\r\n------a786hjs2$\r\n",
        bytes(range(256)),
        RESPONSE.replace(b"a786hjs2", b"quoted12"),
    ],
)
@pytest.mark.parametrize("flag", [b"$", b"+", b"#"])
def test_only_the_own_end_line_ends_a_body(body: bytes, flag: bytes) -> None:
    data = HEAD + b"Content-Type: a/b\r\n\r\n" + body + b"\r\n-------a786hjs2" + flag + b"\r\n"
    assert framing.next_message(data + RESPONSE) == (0, len(data))
    found = parse(data)
    assert (found.body, found.flag, found.notes) == (body, flag, [])


def test_a_message_without_a_body_has_none() -> None:
    data = HEAD + b"Message-ID: 87652491\r\n-------a786hjs2$\r\n"
    assert framing.next_message(data) == (0, len(data))
    assert parse(data).body is None
    assert parse(data).headers[-1] == (b"message-id", b"87652491")


def test_sloppy_forms_are_read_and_noted() -> None:
    empty = HEAD + b"Content-Type: a/b\r\n\r\n-------a786hjs2$\r\n"
    assert framing.next_message(empty) == (0, len(empty))
    found = parse(empty)
    assert (found.body, found.flag) == (b"", b"$")
    assert [note.text for note in found.notes] == ["no line end between an empty body and the end-line"]
    found = parse(SEND[:-4] + b"more")
    assert (found.flag, [note.text for note in found.notes]) == (b"", ["no end-line"])
    found = parse(HEAD + b"nonsense\r\nX:y\r\n-------a786hjs2$\r\nbehind")
    assert found.headers[-1] == (b"x", b"y")
    assert [note.text for note in found.notes] == [
        "6 octets behind the end-line",
        "a line without a colon among the headers",
    ]
    assert [note.text for note in parse(b"GET / HTTP/1.1\r\n").notes] == ["no start line of MSRP"]


def test_an_end_line_that_is_split_at_any_octet_is_found() -> None:
    for cut in range(1, len(SEND)):
        buffer = bytearray(SEND[:cut])
        assert framing.next_message(buffer) is None
        assert framing.unread(buffer) == 0
        buffer += SEND[cut:] + RESPONSE
        assert framing.next_message(buffer, 0, cut) == (0, len(SEND))
        assert framing.next_message(buffer, len(SEND)) == (len(SEND), len(buffer))


def test_a_stream_can_be_read_from_any_octet_on() -> None:
    for begin in range(len(SEND)):
        stream = SEND[begin:] + RESPONSE + SEND
        at, found = 0, []
        while (one := framing.next_message(stream, at)) is not None:
            found.append(stream[one[0] : one[1]])
            at = one[1]
        assert found[-2:] == [RESPONSE, SEND]
        assert len(found) == 2 + (begin == 0)


def test_the_end_of_a_message_that_was_cut_tells_its_transaction() -> None:
    stream = b"body\r\n-------other$\r\nquoted\r\n-------a786hjs2+\r\n" + RESPONSE
    begin, end, transaction = framing.cut_off(stream) or (0, 0, b"")
    assert (stream[:begin], transaction) == (b"body\r\n-------other$\r\nquoted", b"a786hjs2")
    assert stream[end:] == RESPONSE
    assert framing.cut_off(b"nothing here\r\n") is None


def test_a_start_line_within_a_text_is_none() -> None:
    text = b"he wrote MSRP a786hjs2 SEND\r\nand then left\r\n"
    assert framing.next_message(text + SEND) == (len(text), len(text + SEND))
    assert not framing.is_start(b"MSRP a786hjs2 SEND\r\nand then left")
    assert framing.is_start(b"MSRP a786hjs2 SEND\r\nTo-Pa")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"msrp://a.example.com:7777/iau39;tcp", (b"msrp", b"", b"a.example.com", 7777, b"iau39", b"tcp", ())),
        (
            b"MSRPS://bob@[2001:db8::1]:2855/x/y=+;TCP;a;b=c",
            (b"msrps", b"bob", b"[2001:db8::1]", 2855, b"x/y=+", b"tcp", (b"a", b"b=c")),
        ),
        (b"msrps://relay.example.com;tcp", (b"msrps", b"", b"relay.example.com", -1, None, b"tcp", ())),
        (b"msrp://a:99999/x;tcp", (b"msrp", b"", b"a", -1, b"x", b"tcp", ())),
    ],
)
def test_uris_are_read(text: bytes, expected: tuple[object, ...]) -> None:
    found = parse_uri(text)
    assert found is not None
    values = (found.scheme, found.userinfo, found.host, found.port, found.session_id, found.transport, found.parameters)
    assert values == expected
    assert found.secure == (expected[0] == b"msrps")


@pytest.mark.parametrize(
    "text", [b"", b"msrp://a:1/x", b"sip:a@b;tcp", b"msrp:/a:1;tcp", b"msrp://a:1/x;tcp y", b"msrp://a:123456/x;tcp"]
)
def test_what_has_not_the_form_is_no_uri(text: bytes) -> None:
    assert parse_uri(text) is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (b"msrp://a.example.com:1/x;tcp", b"MSRP://bob@A.Example.com:1/x;TCP;p=q", True),
        (b"msrp://[2001:db8::1]:1/x;tcp", b"msrp://[2001:0DB8:0::0:1]:1/x;tcp", True),
        (b"msrp://%61.example.com:1/x;tcp", b"msrp://a.example.com:1/x;tcp", True),
        (b"msrp://a:1/x;tcp", b"msrp://a:1/X;tcp", False),
        (b"msrp://a:1/x;tcp", b"msrp://a:1;tcp", False),
        (b"msrp://a:1/x;tcp", b"msrp://a/x;tcp", False),
        (b"msrp://a:1/x;tcp", b"msrps://a:1/x;tcp", False),
        (b"msrp://a:1/x;tcp", b"msrp://a:1/x;ws", False),
    ],
)
def test_uris_are_compared_as_the_specification_says(one: bytes, other: bytes, equal: bool) -> None:
    first, second = parse_uri(one), parse_uri(other)
    assert first is not None
    assert second is not None
    assert (first.key == second.key) is equal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1-25/25", (1, 25, 25)),
        (b"1-*/*", (1, None, None)),
        (b"2049-*/10000", (2049, None, 10000)),
        (b"1-0/0", (1, 0, 0)),
        (b"1-25", None),
        (b"*-25/25", None),
        (b"1-999999999999999999/*", (1, 10**18 - 1, None)),
        (b"1-" + b"9" * 30 + b"/*", None),
        (b"-1-2/3", None),
    ],
)
def test_byte_ranges_are_read(text: bytes, expected: tuple[int | None, ...] | None) -> None:
    assert parse_range(text) == expected


@given(st.binary(max_size=300))
def test_any_octets_are_taken(data: bytes) -> None:
    for octets in (
        data,
        b"MSRP abcd SEND\r\n" + data,
        HEAD + data,
        HEAD + b"\r\n" + data + b"\r\n-------a786hjs2$\r\n",
    ):
        found = parse(octets)
        assert [len(each.to_path + each.from_path) for each in [found]]
        assert found.byte_range is None or found.byte_range.start >= 0
        framing.next_message(octets)
        framing.cut_off(octets)
        assert 0 <= framing.unread(octets) <= len(octets)


def test_a_body_of_nothing_but_near_end_lines_is_searched_once() -> None:
    data = HEAD + b"\r\n" + b"\r\n-------a786hjs2x" * 200_000 + b"\r\n-------a786hjs2$\r\n"
    assert framing.next_message(data) == (0, len(data))


def test_neither_needs_scapy() -> None:
    program = (
        "import sys, dissectors.msrp.framing, dissectors.msrp.parse; sys.exit(any('scapy' in m for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

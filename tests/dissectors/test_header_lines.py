"""Header lines are cut alike in SIP, HTTP, RTSP and MIME: one grammar of names, values, folded lines and their end."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Raw

from dissectors.cpim.fields import Headers as LinesThatMayBeCut
from dissectors.cpim.layers import MIMEEntity, MIMEHeader
from dissectors.header_lines import (
    HEADER_LIMIT,
    ITEM_LIMIT,
    ROW_WITHOUT_FOLDING,
    HeaderRows,
    Implied,
    Items,
    MessageHeaders,
    TextWithPayload,
    by_name,
    header_fields,
    header_name,
    header_value,
    rows,
)
from dissectors.sip.layer import SIP, HeadersField
from dissectors.sip.values import SIPHeader
from dissectors.text import TextField, TextLayer
from dissectors.web.headers.layers import Header, Headers
from dissectors.web.layers import HTTP

BLOCK = b"a: 1\r\nBb\t:\t2\r\n and\n\tmore\nno colon\r\n: no name\n\r\nbody: 3\r\n"
ROWS = [b"a: 1\r\n", b"Bb\t:\t2\r\n and\n\tmore\n", b"no colon\r\n", b": no name\n"]

LINES = st.lists(
    st.one_of(
        st.sampled_from([b"\r", b"\n", b"\r\n", b":", b" ", b"\t", b"a", b"\r\n ", b"Via", b"x: y", b"\0", b"\xff"]),
        st.binary(max_size=3),
    ),
    max_size=20,
).map(b"".join)


def test_rows_end_with_the_empty_line_and_have_their_folded_lines() -> None:
    assert list(rows(BLOCK)) == ROWS
    assert list(rows(b"\r\na: 1\r\n")) == list(rows(b"\na: 1")) == list(rows(b"")) == []
    assert list(rows(b"a: 1\r\n b")) == [b"a: 1\r\n b"]
    assert list(rows(b"a\n b\n", ROW_WITHOUT_FOLDING)) == [b"a\n", b" b\n"]
    assert list(rows(b"a\nb\n\n", ends=lambda data, at: data[at : at + 1] == b"b")) == [b"a\n"]


def test_the_name_of_a_row_is_that_in_front_of_its_colon() -> None:
    assert [header_name(row) for row in ROWS] == [b"a", b"bb", b"", b""]
    assert header_name(b"Two words: x") == header_name(b"") == b""


@settings(max_examples=300, deadline=None)
@given(data=LINES)
def test_every_protocol_cuts_the_same_rows(data: bytes) -> None:
    expected = list(rows(data))
    assert b"".join(expected) == data[: sum(map(len, expected))]
    for field in (
        Headers("headers", {}),
        HeadersField("headers"),
        LinesThatMayBeCut("headers", by_name({}, MIMEHeader), True),
    ):
        rest, packets = field.getfield(None, data)
        assert [bytes(one) for one in packets] == expected
        assert rest == data[sum(map(len, expected)) :]


@settings(max_examples=300, deadline=None)
@given(data=LINES)
def test_every_protocol_reads_the_same_name_and_value(data: bytes) -> None:
    """SIP takes line ends in front of a value to the separator; MIME leaves a cut line end to the line end."""
    row = next(rows(b"X-" + data))
    web, sip, mime = Header(row), SIPHeader(row), MIMEHeader(row)
    assert [bytes(one) for one in (web, sip, mime)] == [row] * 3
    assert web.header_name == sip.header_name == mime.header_name
    assert header_name(row) == web.header_name.lower()
    if web.header_name:
        assert web.separator + web.header_value == sip.separator + sip.header_value
        assert mime.header_value in (web.header_value, web.header_value[:-1])
        assert mime.separator == web.separator


class Whole(TextLayer):
    """A header of this test (RFC 5322 §2.2)."""

    name = "whole"
    fields_desc = header_fields(header_value(), name=b"Length")


class Letters(TextWithPayload):
    """A layer of this test (RFC 5322 §2.2)."""

    name = "letters"
    fields_desc = [
        TextField("letters", b"", rb"[a-z]*"),
        Implied("end", rb"\.|", lambda pkt: b"." if pkt.letters else b""),
    ]


class Message(TextLayer):
    """A message of this test (RFC 5322 §2.1)."""

    name = "message"
    fields_desc = [
        MessageHeaders("headers", by_name({b"length": Whole}, Header)),
        TextField("empty_line", b"\r\n", rb"\r?\n|"),
        TextField("body", b"", rb".*"),
    ]


def test_a_length_without_a_value_is_that_of_the_body() -> None:
    message = Message(headers=[Whole(header_value=None), Header(header_name=b"A", header_value=b"")], body=b"four")
    assert bytes(message) == b"Length: 4\r\nA: \r\n\r\nfour"
    assert bytes(Whole(header_value=None)) == b"Length: 0\r\n"
    again = Message(bytes(message))
    assert [type(one) for one in again.headers] == [Whole, Header]
    assert Message(headers=b"as: it is\r\n").build() == b"as: it is\r\n\r\n"


def test_what_the_fields_do_not_explain_is_the_payload_and_what_is_implied_is_built() -> None:
    packet = Letters(b"abc.!?")
    assert (packet.letters, packet.end, bytes(packet.payload)) == (b"abc", b".", b"!?")
    assert bytes(Letters(letters=b"abc")) == b"abc."
    assert bytes(Letters()) == b""
    assert "end=" in repr(packet)


@pytest.mark.parametrize(
    ("value", "items", "rest"),
    [
        (b"a,b\r\n", [b"a,", b"b"], b"\r\n"),
        (b"a,\r\n b\r\nc", [b"a,", b"\r\n b"], b"\r\nc"),
        (b"a\r", [b"a"], b"\r"),
        (b"\r\n", [], b"\r\n"),
        (b"x," * (ITEM_LIMIT + 2), [b"x,"] * ITEM_LIMIT + [b"x,x,"], b""),
    ],
)
def test_items_end_with_the_value(value: bytes, items: list[bytes], rest: bytes) -> None:
    left, packets = Items("items", Raw, rb"[^,]*,|[^,]+").getfield(None, value)
    assert [bytes(one) for one in packets] == items
    assert left == rest


def test_headers_behind_the_limit_stay_raw_or_are_left() -> None:
    block = b"a: b\r\n" * (HEADER_LIMIT + 2) + b"\r\nbody"
    rest, packets = HeaderRows("headers", by_name({}, Header)).getfield(None, block)
    assert (len(packets), bytes(packets[-1]), rest) == (HEADER_LIMIT + 1, b"a: b\r\n" * 2, b"\r\nbody")
    rest, packets = HeadersField("headers").getfield(None, block)
    assert (len(packets), rest) == (HEADER_LIMIT, b"a: b\r\n" * 2 + b"\r\nbody")


@pytest.mark.parametrize(
    "octets",
    [
        b"a: " + b"\r\n " * 60_000,
        b"a" * 200_000,
        b"a" + b" " * 200_000,
        b":" * 200_000,
        b"\r" * 200_000,
        b"a:b\n" * 50_000,
    ],
    ids=range(6),
)
def test_hostile_lines_take_little_time(octets: bytes) -> None:
    start = time.process_time()
    assert bytes(HTTP(b"GET / HTTP/1.1\r\n" + octets))[16:] == octets
    assert bytes(MIMEEntity(octets)) == octets
    assert bytes(SIP(b"OPTIONS sip:a SIP/2.0\r\n" + octets))[23:] == octets
    assert time.process_time() - start < 10

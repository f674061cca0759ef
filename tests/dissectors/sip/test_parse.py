"""The lean SIP parser: start lines, headers in every spelling, Content-Length traps, values taken apart."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sip.parse import (
    COMPACT_FORMS,
    is_start_line,
    parameters,
    parse,
    security_mechanisms,
    split_outside,
    uri_of,
)

INVITE = (
    b"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK776asdhds;rport\r\n"
    b"Via: SIP/2.0/UDP lower.example.com;branch=z9hG4bKlower\r\n"
    b'To: "Bob" <sip:bob@biloxi.example.com>\r\n'
    b'From: "Alice" <sip:alice@atlanta.example.com;tag=in-uri>;tag=1928301774\r\n'
    b"Call-ID: a84b4c76e66710\r\n"
    b"CSeq: 314159 INVITE\r\n"
    b"Content-Type: application/SDP; charset=utf-8\r\n"
    b"Content-Length: 5\r\n"
    b"\r\n"
    b"v=0\r\n"
)


def with_body(length_header: bytes, body: bytes) -> bytes:
    return b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=b\r\n" + length_header + b"\r\n" + body


def test_a_request_gives_the_fields_that_link_messages() -> None:
    message = parse(INVITE)
    assert message.method == b"INVITE"
    assert message.request_uri == b"sip:bob@biloxi.example.com"
    assert message.status == 0
    assert message.is_request
    assert message.call_id == b"a84b4c76e66710"
    assert (message.cseq, message.cseq_method) == (314159, b"INVITE")
    assert message.from_ == b'"Alice" <sip:alice@atlanta.example.com;tag=in-uri>;tag=1928301774'
    assert message.from_tag == b"1928301774"
    assert message.to == b'"Bob" <sip:bob@biloxi.example.com>'
    assert message.to_tag == b""
    assert message.branch == b"z9hG4bK776asdhds"
    assert message.content_type == b"application/sdp"
    assert message.head + message.body == INVITE
    assert message.body == b"v=0\r\n"
    assert message.trailing == b""
    assert message.notes == []


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"SIP/2.0 200 OK", 200, b"OK"),
        (b"SIP/2.0 180 ", 180, b""),
        (b"SIP/2.0 404", 404, b""),
        (b"sip/2.0 488 Not Acceptable Here", 488, b"Not Acceptable Here"),
    ],
)
def test_a_response_gives_status_and_reason(line: bytes, status: int, reason: bytes) -> None:
    message = parse(line + b"\r\nCall-ID: x\r\n\r\n")
    assert (message.method, message.status, message.reason) == (b"", status, reason)
    assert not message.is_request
    assert message.notes == []


def test_compact_forms_spellings_and_white_space_around_the_colon_say_the_same() -> None:
    usual = parse(INVITE)
    odd = (
        INVITE.replace(b"Via: ", b"v:")
        .replace(b"To: ", b"t \t:\t ")
        .replace(b"From:", b"FROM:")
        .replace(b"Call-ID:", b"i:")
        .replace(b"CSeq:", b"cseq  :")
        .replace(b"Content-Type:", b"c:")
        .replace(b"Content-Length:", b"l:")
    )
    message = parse(odd)
    for name in (
        "method",
        "call_id",
        "cseq",
        "cseq_method",
        "from_",
        "from_tag",
        "to",
        "branch",
        "content_type",
        "body",
    ):
        assert getattr(message, name) == getattr(usual, name), name
    assert message.header_values(b"via") == usual.header_values(b"via")


def test_folded_lines_are_one_value() -> None:
    message = parse(
        b"BYE sip:a SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP a\r\n ;branch=z9hG4bKfolded\r\n"
        b"From: <sip:a@b>\r\n\t;tag=1\r\n"
        b"Call-ID:\r\n  folded\r\n"
        b"Subject: one\r\n  two\r\n\tthree\r\n"
        b"\r\n"
    )
    assert message.branch == b"z9hG4bKfolded"
    assert message.from_tag == b"1"
    assert message.call_id == b"folded"
    assert message.header(b"subject") == [b"one two three"]
    assert message.header(b"s") == [b"one two three"]


def test_a_compact_via_above_a_usual_one_is_the_top_one() -> None:
    message = parse(b"BYE sip:a SIP/2.0\r\nv: SIP/2.0/UDP a;branch=top\r\nVia: SIP/2.0/UDP b;branch=lower\r\n\r\n")
    assert message.branch == b"top"


def test_bare_line_feeds_are_tolerated() -> None:
    message = parse(INVITE.replace(b"\r\n", b"\n").replace(b"Length: 5", b"Length: 4"))
    assert message.call_id == b"a84b4c76e66710"
    assert message.body == b"v=0\n"
    assert message.notes == []


def test_rows_are_split_at_commas_outside_of_quotes_and_angle_brackets() -> None:
    message = parse(
        b"REGISTER sip:a SIP/2.0\r\n"
        b'Contact: "a, b" <sip:a@b;x=1,2>;q=1, <sip:c@d>\r\n'
        b"m: sip:e@f\r\n"
        b'WWW-Authenticate: Digest realm="r", nonce="n"\r\n'
        b"\r\n"
    )
    assert message.header(b"contact") == [b'"a, b" <sip:a@b;x=1,2>;q=1, <sip:c@d>', b"sip:e@f"]
    assert message.header_values(b"contact") == [b'"a, b" <sip:a@b;x=1,2>;q=1', b"<sip:c@d>", b"sip:e@f"]
    assert message.header_values(b"www-authenticate") == [b'Digest realm="r", nonce="n"']
    assert message.header(b"absent") == []


@pytest.mark.parametrize("letter", sorted(COMPACT_FORMS))
def test_each_compact_form_is_found_by_its_long_name(letter: bytes) -> None:
    message = parse(b"INFO sip:a SIP/2.0\r\n" + letter.upper() + b": value\r\n\r\n")
    assert message.header(COMPACT_FORMS[letter]) == [b"value"]


@pytest.mark.parametrize("cseq", [b"", b"INVITE", b"-1 INVITE", b"1" * 5000 + b" INVITE", b"1.5 INVITE"])
def test_a_bad_cseq_is_minus_one(cseq: bytes) -> None:
    assert parse(b"INVITE sip:a SIP/2.0\r\nCSeq: " + cseq + b"\r\n\r\n").cseq == -1


def test_without_content_length_a_datagram_is_body_to_its_end_and_a_stream_message_has_none() -> None:
    data = with_body(b"", b"body")
    assert parse(data).body == b"body"
    assert parse(data).notes == []
    assert parse(data, datagram=False).body == b""


def test_octets_behind_the_declared_body_are_kept_apart_and_noted() -> None:
    message = parse(with_body(b"Content-Length: 4\r\n", b"bodya=crypto:1 hidden"))
    assert message.body == b"body"
    assert message.trailing == b"a=crypto:1 hidden"
    assert [note.text for note in message.notes] == ["17 octets behind the declared body"]
    assert message.notes[0].offset == len(message.head) + 4


def test_a_body_that_is_too_short_is_noted() -> None:
    message = parse(with_body(b"Content-Length: 40\r\n", b"body"))
    assert message.body == b"body"
    assert [note.text for note in message.notes] == ["body has 4 octets, Content-Length says 40"]


@pytest.mark.parametrize("value", [b"xyz", b"-5", b"+4", b"4, 4", b"", b"0x4", b"4 4"])
def test_a_content_length_that_is_no_number_is_noted(value: bytes) -> None:
    message = parse(with_body(b"Content-Length: " + value + b"\r\n", b"body"))
    assert message.body == b"body"
    assert [note.text[:39] for note in message.notes] == ["SIP-CLEN: Content-Length is no number: "]


@pytest.mark.parametrize("value", [b"99999999999999999999", b"9" * 5000])
def test_a_huge_content_length_is_noted(value: bytes) -> None:
    message = parse(with_body(b"Content-Length: " + value + b"\r\n", b"body"))
    assert message.body == b"body"
    assert len(message.notes) == 1


def test_of_differing_content_lengths_the_first_counts() -> None:
    message = parse(with_body(b"Content-Length: 2\r\nl: 4\r\n", b"body"))
    assert (message.body, message.trailing) == (b"bo", b"dy")
    assert message.notes[0].text == "SIP-CLEN: 2 Content-Length headers with differing values, the first is used"


def test_empty_lines_before_the_start_line_are_skipped_and_noted() -> None:
    message = parse(b"\r\n\r\n" + INVITE)
    assert message.head + message.body == INVITE
    assert [note.text for note in message.notes] == ["4 octets of empty lines before the start line"]


def test_headers_without_an_end_are_noted() -> None:
    message = parse(INVITE[:200])
    assert message.head == INVITE[:200]
    assert message.branch == b"z9hG4bK776asdhds"
    assert [note.text for note in message.notes] == ["headers do not end"]


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        (b'"x;tag=no" <sip:a@b;tag=no>;tag=yes', b"yes"),
        (b'"a \\" <sip:no>;tag=no" <sip:a@b>;TAG=yes', b"yes"),
        (b"sip:a@b;tag=yes", b"yes"),
        (b"<sip:a@b> ; tag = yes ;x=1", b"yes"),
        (b"<sip:a@b;tag=no>", b""),
        (b"<sip:a@b>;tagged=no", b""),
        (b"<sip:a@b>;tag=", b""),
        (b'"unclosed <sip:a@b>;tag=x', b""),
    ],
)
def test_a_tag_is_only_found_behind_the_address(value: bytes, tag: bytes) -> None:
    assert parse(b"BYE sip:a SIP/2.0\r\nFrom: " + value + b"\r\n\r\n").from_tag == tag


@pytest.mark.parametrize(
    "line",
    [
        b"INVITE sip:bob@example.com SIP/2.0\r\n",
        b"INVITE sip:x SIP/2.0",
        b"invite tel:+1 sip/2.0\n",
        b"X-odd.method! sip:x SIP/2.0  \r\n",
        b"INVITE  sip:two  spaces SIP/2.0\r\n",
        b"SIP/2.0 200 OK\r\n",
        b"sip/2.0 100\r\n",
        b"INVITE sip:x SIP/2.0\r\n\x00\xff junk\r\n",
    ],
)
def test_start_lines_of_sip_are_known(line: bytes) -> None:
    assert is_start_line(line)
    assert is_start_line(b"before\r\n" + line, 8)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\r\n",
        b"GET / HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"DESCRIBE rtsp://x RTSP/1.0\r\n",
        b"RTSP/1.0 200 OK\r\n",
        b"NOTIFY * HTTP/1.1\r\n",
        b"INVITE SIP/2.0\r\n",
        b"INVITE  SIP/2.0\r\n",
        b" INVITE sip:x SIP/2.0\r\n",
        b"INVITE sip:x SIP/2.00\r\n",
        b"SIP/2.0 20\r\n",
        b"SIP/2.0 2000\r\n",
        b"SIP/2.0200 OK\r\n",
        b"Via: SIP/2.0/UDP x\r\n",
        b"INV(ITE sip:x SIP/2.0\r\n",
        b"INVITE sip:" + b"x" * 9000 + b" SIP/2.0\r\n",
    ],
)
def test_other_lines_are_no_start_lines(line: bytes) -> None:
    assert not is_start_line(line)


@pytest.mark.parametrize(
    ("value", "uri"),
    [
        (b'"A <x>" <sip:a@b;user=phone>;tag=1', b"sip:a@b;user=phone"),
        (b"<tel:+1;phone-context=x>", b"tel:+1;phone-context=x"),
        (b"sip:a@b;tag=1", b"sip:a@b"),
        (b"Alice <sip:a@b", b"sip:a@b"),
        (b"", b""),
    ],
)
def test_the_uri_of_an_address(value: bytes, uri: bytes) -> None:
    assert uri_of(value) == uri


def test_parameters_stand_behind_the_address_without_their_quotes() -> None:
    assert parameters(b'<sip:a@b;lr>;Q=0.5;+sip.instance="<urn:uuid:\\"1;2>";isfocus;q=1') == {
        b"q": b"0.5",
        b"+sip.instance": b'<urn:uuid:"1;2>',
        b"isfocus": b"",
    }
    assert parameters(b"multipart/mixed ; boundary = x") == {b"boundary": b"x"}


def test_security_mechanisms_keep_their_order_and_parameters() -> None:
    ipsec, sdes, msrp = security_mechanisms(
        b"ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=1;spi-s=2;port-c=3;port-s=4;q=0.1, SDES-SRTP;mediasec ,"
        b" msrp-tls ; mediasec"
    )
    assert (ipsec.name, ipsec.parameters[b"ealg"], ipsec.parameters[b"port-s"]) == (b"ipsec-3gpp", b"aes-cbc", b"4")
    assert (sdes.name, sdes.mediasec) == (b"sdes-srtp", True)
    assert (msrp.name, msrp.mediasec) == (b"msrp-tls", True)
    assert not ipsec.mediasec
    assert security_mechanisms(b"") == []


@given(st.binary(max_size=200))
def test_splitting_never_raises_and_keeps_what_is_not_separator_or_space(value: bytes) -> None:
    parts = split_outside(value)
    assert b"".join(parts).replace(b",", b"").split() is not None
    assert len(parts) <= value.count(b",") + 1


PIECES = st.sampled_from(
    [
        b"INVITE sip:a SIP/2.0",
        b"SIP/2.0 200 OK",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"Via: ",
        b"v:",
        b"From: ",
        b'"',
        b"\\",
        b"<",
        b">",
        b";tag=",
        b"Content-Length: ",
        b"l:",
        b"5",
        b"-",
        b"Content-Type: multipart/mixed;boundary=b",
        b"--b",
        b"--",
        b"CSeq: ",
        b",",
        b"Content-Encoding: gzip",
        b"Content-Type: message/sipfrag",
    ]
)
SIP_LIKE = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)


@given(st.binary(max_size=300) | SIP_LIKE, st.booleans())
def test_parsing_never_raises_and_loses_no_octet(data: bytes, datagram: bool) -> None:
    message = parse(data, datagram=datagram)
    assert data.lstrip(b"\r\n") == message.head + message.body + message.trailing
    for part in message.bodies():
        assert part.offset <= len(message.body)
    for name in (b"via", b"from", b"contact"):
        assert message.header_values(name) is not None
        for value in message.header(name):
            uri_of(value)
            parameters(value)
            security_mechanisms(value)


@given(SIP_LIKE)
def test_fields_found_at_once_are_those_that_the_headers_say(middle: bytes) -> None:
    message = parse(b"INVITE sip:a SIP/2.0\r\nCall-ID: the-one\r\n" + middle)
    assert message.call_id.startswith(b"the-one")
    assert message.header(b"call-id")[0] == message.call_id


@pytest.mark.parametrize(
    "data",
    [
        b"INVITE sip:a SIP/2.0\r\nFrom: " + b'"' * 60000,
        b"INVITE sip:a SIP/2.0\r\nFrom: " + b"<" * 60000,
        b"INVITE sip:a SIP/2.0\r\nFrom: " + b";tag" * 15000,
        b"INVITE sip:a SIP/2.0\r\nX" + b" " * 60000 + b"\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nX: a" + b"\r\n " * 20000 + b"\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\n" + b"l:" * 30000,
        b"A" * 60000 + b" SIP/2.0",
    ],
)
def test_hostile_repetition_is_read_in_linear_time(data: bytes) -> None:
    message = parse(data)
    message.header_values(b"from")
    parameters(message.from_)
    assert message.head


def test_importing_the_parsers_does_not_import_scapy() -> None:
    program = (
        "import sys, dissectors.sip.parse, dissectors.sip.body, dissectors.sip.framing, dissectors.sdp.parse;"
        "sys.exit(any(name.split('.')[0] == 'scapy' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_bracket_behind_a_semicolon_belongs_to_a_parameter() -> None:
    assert parameters(b'token;info=<https://a;b>;alg="<x>"') == {b"info": b"<https://a;b>", b"alg": b"<x>"}
    assert uri_of(b"sip:a@b;x=<c>") == b"sip:a@b"
    message = parse(b"INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;x=<y>;branch=z\r\nFrom: sip:a;x=<y>;tag=1\r\n\r\n")
    assert (message.branch, message.from_tag) == (b"z", b"1")

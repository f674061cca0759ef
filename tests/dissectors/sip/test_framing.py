"""Where SIP messages begin and end in byte streams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sip.framing import BODY_LIMIT, HEADER_LIMIT, Framed, next_message, resync
from dissectors.sip.parse import parse

ONE = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=1\r\nContent-Length: 4\r\n\r\nbody"
TWO = b"SIP/2.0 200 OK\r\nv: SIP/2.0/TCP a;branch=1\r\nl: 0\r\n\r\n"


def frames(data: bytes) -> list[Framed]:
    out = []
    at = 0
    while (framed := next_message(data, at)) is not None:
        assert framed.end > at
        out.append(framed)
        at = framed.end
    return out


def messages(data: bytes) -> list[bytes]:
    return [data[framed.start : framed.end] for framed in frames(data) if framed.message]


def test_several_messages_in_one_segment() -> None:
    assert messages(ONE + TWO + ONE) == [ONE, TWO, ONE]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_one_message_in_many_segments(size: int) -> None:
    stream = ONE + b"\r\n\r\n" + TWO + b"\r\n" + ONE
    held, out = bytearray(), []
    for at in range(0, len(stream), size):
        held += stream[at : at + size]
        while (framed := next_message(held)) is not None:
            if framed.message:
                out.append(bytes(held[framed.start : framed.end]))
            del held[: framed.end]
    assert out == [ONE, TWO, ONE]
    assert held == b""


@pytest.mark.parametrize("cut", range(1, len(ONE)))
def test_a_part_of_a_message_waits_for_more(cut: int) -> None:
    assert next_message(ONE[:cut]) is None


def test_keep_alives_are_counted_and_skipped() -> None:
    framed = next_message(b"\r\n\r\n" * 3 + b"\r\n" + ONE)
    assert framed is not None
    assert (framed.start, framed.keepalives, framed.message) == (14, 4, True)


def test_keep_alives_with_nothing_behind_them_come_back_as_no_message() -> None:
    assert next_message(b"\r\n\r\n") == Framed(4, 4, 1, message=False)
    assert next_message(b"\r\n") == Framed(2, 2, 1, message=False)
    assert next_message(b"") is None
    assert next_message(b"\r") is None


def test_a_missing_content_length_means_no_body_and_is_noted() -> None:
    head = b"BYE sip:a SIP/2.0\r\nVia: x\r\n\r\n"
    framed = next_message(head + ONE)
    assert framed == Framed(0, len(head), 0, "no Content-Length in a byte stream: taken as 0")


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (b"x", "SIP-CLEN: Content-Length is no number: taken as 0"),
        (b"-4", "SIP-CLEN: Content-Length is no number: taken as 0"),
        (b"", "SIP-CLEN: Content-Length is no number: taken as 0"),
        (b"9" * 5000, f"SIP-CLEN: Content-Length is above {BODY_LIMIT}: taken as 0"),
        (b"%d" % (BODY_LIMIT + 1), f"SIP-CLEN: Content-Length is above {BODY_LIMIT}: taken as 0"),
    ],
)
def test_a_content_length_that_cannot_be_trusted_is_noted_and_the_next_message_is_found(
    value: bytes, note: str
) -> None:
    head = b"BYE sip:a SIP/2.0\r\nVia: x\r\nContent-Length: " + value + b"\r\n\r\n"
    stream = head + b"some body\r\n" + ONE
    first, junk, last = frames(stream)
    assert first == Framed(0, len(head), 0, note)
    assert not junk.message
    assert stream[last.start : last.end] == ONE


def test_repeated_content_lengths_are_noted_and_the_first_counts() -> None:
    stream = b"BYE sip:a SIP/2.0\r\nContent-Length: 2\r\nl: 4\r\n\r\nbody"
    framed = next_message(stream)
    assert framed is not None
    assert framed.end == len(stream) - 2
    assert framed.note == "SIP-CLEN: 2 Content-Length headers that differ: the first is used"
    framed = next_message(b"BYE sip:a SIP/2.0\r\nContent-Length: 0\r\nl: 0\r\n\r\n")
    assert framed is not None
    assert framed.note == "SIP-CLEN: 2 Content-Length headers"


def test_octets_that_are_no_sip_are_skipped_up_to_the_next_message() -> None:
    stream = b"tail of something\r\nVia: lost\r\n\r\n" + ONE
    junk, framed = frames(stream)
    assert (junk.start, junk.end, junk.message) == (0, len(stream) - len(ONE), False)
    assert junk.note == "octets are no SIP message"
    assert framed.message


def test_endless_octets_that_are_no_sip_are_let_go() -> None:
    stream = b"x" * 100 + b"\r\n"
    assert next_message(stream * 3) is None
    framed = next_message(stream * 1000)
    assert framed is not None
    assert not framed.message
    assert framed.end == len(stream) * 1000


def test_endless_headers_are_let_go() -> None:
    stream = b"INVITE sip:a SIP/2.0\r\n" + b"X: y\r\n" * (HEADER_LIMIT // 6 + 1)
    assert next_message(stream[: HEADER_LIMIT - 1]) is None
    framed = next_message(stream)
    assert framed is not None
    assert not framed.message
    assert framed.note == f"headers are longer than {HEADER_LIMIT} octets"


def test_a_start_line_at_the_end_of_much_junk_is_kept_for_what_follows_it() -> None:
    stream = b"junk\r\n" * 12000 + b"OPTIONS sip:a SIP/2.0\r\nMax-Forwards: 70\r\n"
    framed = next_message(stream)
    assert framed is not None
    assert stream[framed.end :].startswith(b"OPTIONS sip:a")


def test_resync_finds_a_start_line_with_a_via_at_a_line_start() -> None:
    assert resync(ONE) == 0
    assert resync(b"(" + ONE) == -1
    assert resync(b"x\r\n" + TWO) == 3
    assert resync(ONE + TWO, 1) == -1
    assert resync(ONE + b"\r\n" + TWO, 1) == len(ONE) + 2
    assert resync(b"OPTIONS sip:a SIP/2.0\r\nMax-Forwards: 70\r\n\r\n" + TWO) == 43
    assert resync(b"OPTIONS sip:a SIP/2.0\r\nX: " + b"y" * HEADER_LIMIT + b"\r\nVia: far\r\n\r\n") == -1
    assert resync(b"GET / HTTP/1.1\r\nVia: x\r\n\r\n") == -1


@pytest.mark.parametrize(
    "data",
    [
        b"A b SIP/2.0\n" * 80000,
        b"A b SIP/2.0\n\n" * 80000 + b"Via:\n",
        b"A" + b" SIP/2.0" * 120000,
        b"\r\n" * 500000,
        b"A " * 500000,
        b"\nVia:" * 200000,
    ],
)
def test_hostile_streams_are_searched_in_linear_time(data: bytes) -> None:
    resync(data)
    assert next_message(data) is not None


@given(
    st.lists(
        st.sampled_from([ONE, TWO, b"\r\n", b"\r\n\r\n", b"junk\r\n", b"INVITE sip:a SIP/2.0\r\n"])
        | st.binary(max_size=20),
        max_size=12,
    ).map(b"".join)
)
def test_framing_never_raises_and_always_moves_on(data: bytes) -> None:
    assert resync(data) <= len(data)
    for framed in frames(data):
        assert framed.start <= framed.end <= len(data)
        if framed.message:
            message = parse(data[framed.start : framed.end], datagram=False)
            assert message.trailing == b""

"""Handshake messages put together from records and fragments, whatever the cuts, losses and repetitions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imsinspect.capture.chunk import Chunk
from imsinspect.capture.handshakes import (
    AlertSeen,
    ApplicationData,
    ChangeCipherSpec,
    DtlsReader,
    Event,
    Handshake,
    ProtectedRecord,
    TlsReader,
    Trouble,
)


def message(type_: int, body: bytes) -> bytes:
    """A TLS handshake message."""
    return bytes((type_,)) + len(body).to_bytes(3, "big") + body


def record(content_type: int, fragment: bytes, version: int = 0x0303) -> bytes:
    """A TLS record."""
    return bytes((content_type,)) + version.to_bytes(2, "big") + len(fragment).to_bytes(2, "big") + fragment


def client_hello(random_: int = 1, suites: bytes = b"\x00\xa8") -> bytes:
    """The body of a ClientHello."""
    return b"\x03\x03" + bytes((random_,)) * 32 + b"\x00" + len(suites).to_bytes(2, "big") + suites + b"\x01\x00"


def server_hello(code: int, random_: int = 2, extensions: bytes = b"") -> bytes:
    """The body of a ServerHello."""
    tail = len(extensions).to_bytes(2, "big") + extensions if extensions else b""
    return b"\x03\x03" + bytes((random_,)) * 32 + b"\x00" + code.to_bytes(2, "big") + b"\x00" + tail


def stream(*pieces: tuple[bool, bytes] | tuple[bool, bytes, int]) -> list[Event]:
    """Events of pieces of a stream, the n-th being frame n: direction, octets, octets missing before them."""
    reader = TlsReader()
    events: list[Event] = []
    for frame, (forward, data, *gap) in enumerate(pieces, 1):
        events += reader.feed(Chunk(data, frame, frame * 1000, forward, *gap))
    return events


def short(events: list[Event]) -> list[object]:
    """Names of events, with the type of handshake messages."""
    return [one.type if isinstance(one, Handshake) else type(one).__name__ for one in events]


def test_a_message_is_put_together_over_records_and_segments_and_names_its_frames() -> None:
    hello = message(1, client_hello())
    data = record(22, hello[:10], 0x0301) + record(22, hello[10:] + message(16, b"\x00\x00"))
    events = stream((True, data[:7]), (True, data[7:30]), (True, data[30:]))
    first, second = events
    assert isinstance(first, Handshake)
    assert isinstance(second, Handshake)
    assert (first.type, first.body, first.frame, first.frames, first.time) == (1, client_hello(), 3, (1, 2, 3), 3000)
    assert (second.type, second.body, second.frames, second.version) == (16, b"\x00\x00", (2, 3), 0x0303)


@given(cuts=st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_no_cut_of_the_stream_changes_what_is_read(cuts: list[int]) -> None:
    data = record(22, message(1, client_hello()) + message(16, bytes(300)[:90])) + record(20, b"\x01")
    data += record(22, bytes(range(100, 140))) + record(23, bytes(70)) + record(21, bytes(30))
    pieces, at = [], 0
    for octets in cuts:
        pieces.append((True, data[at : at + octets]))
        at += octets
    events = stream(*(piece for piece in [*pieces, (True, data[at:])] if piece[1]))
    expected = [1, 16, "ChangeCipherSpec", "ProtectedRecord", "ApplicationData", "AlertSeen"]
    assert short(events) == expected


def test_alerts_are_readable_until_encryption_begins() -> None:
    events = stream((True, record(22, message(1, client_hello()))), (False, record(21, b"\x02\x28")))
    alert = events[1]
    assert isinstance(alert, AlertSeen)
    assert (alert.forward, alert.level, alert.description) == (False, 2, 40)
    (hidden,) = stream((True, record(21, bytes(24))))
    assert isinstance(hidden, AlertSeen)
    assert (hidden.level, hidden.description) == (None, None)


def test_clear_text_before_starttls_is_passed_over_in_silence() -> None:
    events = stream(
        (False, b"220 mail ready\r\n"),
        (True, b"EHLO me\r\nSTARTTLS\r\n" + record(22, message(1, client_hello()))[:8]),
        (True, record(22, message(1, client_hello()))[8:]),
        (False, b"220 \x16\x03 go ahead\r\n"),
        (False, record(22, message(2, server_hello(0x00A8)))),
    )
    assert short(events) == [1, 2]


def test_a_gap_inside_a_record_that_nobody_reads_costs_nothing() -> None:
    data = record(23, bytes(1000)) + record(21, bytes(24))
    events = stream((True, data[:100]), (True, data[600:], 500))
    assert short(events) == ["ApplicationData", "AlertSeen"]


def test_behind_any_other_gap_the_next_records_are_found_again() -> None:
    hello = record(22, message(1, client_hello()))
    lost = record(22, message(11, bytes(200)))
    tail = record(20, b"\x01") + record(22, bytes(40))
    events = stream((True, hello + lost[:50]), (True, lost[90:] + tail, 40))
    assert short(events) == [1, "Trouble", "ChangeCipherSpec", "ProtectedRecord"]
    trouble = events[1]
    assert isinstance(trouble, Trouble)
    assert trouble.text == f"40 octets missing in the stream at {len(hello) + 50}"


def test_octets_that_are_no_record_are_noted_with_their_offset() -> None:
    hello = record(22, message(1, client_hello()))
    events = stream((True, hello + b"PASV\r\n"), (True, record(21, b"\x02\x28") + record(23, bytes(40))))
    assert short(events) == [1, "Trouble", "AlertSeen", "ApplicationData"]
    assert isinstance(events[1], Trouble)
    assert events[1].text == f"no TLS record at octet {len(hello)} of the stream"


def test_a_message_over_the_limit_is_passed_over_with_a_note() -> None:
    long = b"\x0b\x04\x00\x01" + bytes(0x40001) + message(14, b"")
    records = b"".join(record(22, long[at : at + 16384]) for at in range(0, len(long), 16384))
    events = stream((True, record(22, message(1, client_hello()))), (True, records))
    assert short(events) == [1, "Trouble", 14]


def test_a_second_client_hello_behind_the_change_cipher_spec_of_a_hello_retry_is_read() -> None:
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    body = b"\x03\x03" + retry + b"\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04"
    events = stream(
        (True, record(22, message(1, client_hello()))),
        (False, record(22, message(2, body)) + record(20, b"\x01")),
        (True, record(20, b"\x01") + record(22, message(1, client_hello()))),
        (False, record(22, message(2, server_hello(0x1301, extensions=b"\x00\x2b\x00\x02\x03\x04")))),
        (False, record(23, bytes(60))),
    )
    assert short(events) == [1, 2, "ChangeCipherSpec", "ChangeCipherSpec", 1, 2, "ApplicationData"]


@pytest.mark.parametrize(
    ("code", "octets", "extensions"),
    [(0x0001, 16, b""), (0x002C, 20, b""), (0x003B, 32, b""), (0x00B1, 48, b""), (0x002C, 10, b"\x00\x04\x00\x00")],
)
def test_content_under_a_null_cipher_is_read_without_its_mac(code: int, octets: int, extensions: bytes) -> None:
    mac = b"\xee" * octets
    finished = record(20, b"\x01") + record(22, message(20, bytes(12)) + mac)
    events = stream(
        (True, record(22, message(1, client_hello(suites=code.to_bytes(2, "big"))))),
        (False, record(22, message(2, server_hello(code, extensions=extensions)) + message(14, b""))),
        (True, record(22, message(16, b"\x00\x00")) + finished),
        (False, finished + record(23, b"MSRP" + mac) + record(21, b"\x01\x00" + mac)),
    )
    assert short(events)[3:] == [16, "ChangeCipherSpec", 20, "ChangeCipherSpec", 20, "ApplicationData", "AlertSeen"]
    data, alert = events[-2:]
    assert isinstance(data, ApplicationData)
    assert (data.opened, data.data, data.length) == (True, b"MSRP", 4 + octets)
    assert isinstance(alert, AlertSeen)
    assert alert.description == 0


def test_a_renegotiation_under_a_null_cipher_is_read_and_ends_it() -> None:
    mac = b"\xee" * 20
    null = [
        (True, record(22, message(1, client_hello(suites=b"\x00\x02")))),
        (False, record(22, message(2, server_hello(0x0002)))),
        (True, record(20, b"\x01")),
        (False, record(20, b"\x01")),
        (True, record(22, message(1, client_hello(3)) + mac)),
        (False, record(22, message(2, server_hello(0x002F, 4)) + mac)),
        (True, record(20, b"\x01" + mac) + record(23, bytes(40))),
    ]
    events = stream(*null)
    assert short(events) == [1, 2, "ChangeCipherSpec", "ChangeCipherSpec", 1, 2, "ChangeCipherSpec", "ApplicationData"]
    again = events[4]
    assert isinstance(again, Handshake)
    assert again.protected
    last = events[-1]
    assert isinstance(last, ApplicationData)
    assert not last.opened


def test_integrity_only_suites_of_tls_13_are_read_with_their_inner_types() -> None:
    tag = b"\xee" * 32
    events = stream(
        (True, record(22, message(1, client_hello(suites=b"\xc0\xb4")))),
        (
            False,
            record(22, message(2, server_hello(0xC0B4, extensions=b"\x00\x2b\x00\x02\x03\x04"))) + record(20, b"\x01"),
        ),
        (False, record(23, message(8, b"\x00\x00") + b"\x16" + tag)),
        (True, record(23, message(20, bytes(32)) + b"\x16" + tag)),
        (True, record(23, b"hello" + b"\x17\x00\x00" + tag)),
    )
    assert short(events) == [1, 2, "ChangeCipherSpec", 8, 20, "ApplicationData"]
    assert isinstance(events[-1], ApplicationData)
    assert events[-1].data == b"hello"


def test_application_data_says_whether_its_sender_had_changed_cipher() -> None:
    events = stream(
        (True, record(22, message(1, client_hello())) + record(23, bytes(30)) + record(20, b"\x01")),
        (True, record(23, bytes(30))),
    )
    before, after = (one for one in events if isinstance(one, ApplicationData))
    assert (before.protected, after.protected) == (False, True)


def test_an_ssl2_hello_may_be_answered_by_tls_or_by_ssl2() -> None:
    hello = bytes.fromhex("801c01000200030000001001008000") + bytes(15)
    hello = bytes.fromhex("801c") + b"\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80" + bytes(16)
    answer = b"\x04\x00\x01\x00\x02\x00\x03\x00\x03\x00\x10der\x01\x00\x80" + bytes(16)
    key = b"\x02\x01\x00\x80\x00\x00\x00\x04\x00\x00keys"
    ssl2 = stream(
        (True, hello),
        (False, (0x8000 | len(answer)).to_bytes(2, "big") + answer),
        (True, (0x8000 | len(key)).to_bytes(2, "big") + key + b"\x80\x10" + bytes(16)),
    )
    assert short(ssl2) == [1, 4, 2, "ProtectedRecord"]
    assert all(isinstance(one, Handshake) and one.ssl2 for one in ssl2[:3])
    tls = stream((True, hello), (False, record(22, message(2, server_hello(0x002F)))), (True, record(20, b"\x01")))
    assert short(tls) == [1, 2, "ChangeCipherSpec"]


# --- DTLS -----------------------------------------------------------------------------------------


def part(type_: int, body: bytes, sequence: int, start: int = 0, octets: int | None = None) -> bytes:
    """A fragment of a DTLS handshake message."""
    piece = body[start:] if octets is None else body[start : start + octets]
    head = bytes((type_,)) + len(body).to_bytes(3, "big") + sequence.to_bytes(2, "big")
    return head + start.to_bytes(3, "big") + len(piece).to_bytes(3, "big") + piece


def datagram(*fragments: bytes, content_type: int = 22, epoch: int = 0) -> bytes:
    """Records of DTLS 1.2, one for each fragment."""
    head = bytes((content_type,)) + b"\xfe\xfd" + epoch.to_bytes(2, "big") + bytes(6)
    return b"".join(head + len(one).to_bytes(2, "big") + one for one in fragments)


def datagrams(*pieces: tuple[bool, bytes]) -> list[Event]:
    """Events of datagrams, the n-th being frame n."""
    reader = DtlsReader()
    events: list[Event] = []
    for frame, (forward, data) in enumerate(pieces, 1):
        events += reader.feed(Chunk(data, frame, frame * 1000, forward))
    return events


def dtls_hello(random_: int = 1, cookie: bytes = b"") -> bytes:
    """The body of a DTLS ClientHello."""
    head = b"\xfe\xfd" + bytes((random_,)) * 32 + b"\x00"
    return head + bytes((len(cookie),)) + cookie + b"\x00\x02\xc0\x2f\x01\x00"


def test_fragments_come_in_any_order_overlap_and_repeat() -> None:
    body = bytes(range(100))
    pieces = [part(11, body, 2, 60), part(11, body, 2, 0, 30), part(11, body, 2, 0, 30), part(11, body, 2, 20, 50)]
    events = datagrams(*((False, datagram(one)) for one in pieces))
    (only,) = events
    assert isinstance(only, Handshake)
    assert (only.body, only.message_seq, only.frame, only.frames) == (body, 2, 4, (1, 2, 4))


def test_interleaved_messages_do_not_mix() -> None:
    one, two = dtls_hello(1), dtls_hello(2)
    pieces = [part(1, one, 1, 0, 20), part(1, two, 0, 0, 20), part(1, one, 1, 20), part(1, two, 0, 20)]
    events = datagrams(*((True, datagram(piece)) for piece in pieces))
    assert [(event.message_seq, event.body) for event in events if isinstance(event, Handshake)] == [(1, one), (0, two)]


def test_retransmissions_are_silent_and_a_new_hello_is_a_new_handshake() -> None:
    flight = (True, datagram(part(1, dtls_hello(1), 0)))
    answer = (False, datagram(part(2, server_hello(0xC02F), 0), part(14, b"", 1)))
    again = (True, datagram(part(1, dtls_hello(7), 0)))
    assert short(datagrams(flight, flight, answer, answer)) == [1, 2, 14]
    assert short(datagrams(flight, answer, again, answer)) == [1, 2, 14, 1, 2, 14]


def test_the_hello_with_the_cookie_follows_the_verify_request() -> None:
    events = datagrams(
        (True, datagram(part(1, dtls_hello(1), 0))),
        (False, datagram(part(3, b"\xfe\xff\x02ab", 0))),
        (True, datagram(part(1, dtls_hello(1, b"ab"), 1))),
        (False, datagram(part(2, server_hello(0xC02F), 1))),
    )
    assert short(events) == [1, 3, 1, 2]


def test_later_epochs_are_hidden_unless_the_cipher_is_null() -> None:
    hello = (True, datagram(part(1, dtls_hello(), 0)))
    change = datagram(b"\x01", content_type=20)
    hidden = datagrams(
        hello,
        (False, datagram(part(2, server_hello(0xC02F), 0))),
        (True, change + datagram(bytes(50), epoch=1) + datagram(bytes(50), content_type=23, epoch=1)),
    )
    assert short(hidden) == [1, 2, "ChangeCipherSpec", "ProtectedRecord", "ApplicationData"]
    mac = b"\xee" * 20
    readable = datagrams(
        hello,
        (False, datagram(part(2, server_hello(0x0002), 0))),
        (True, change + datagram(part(20, bytes(12), 3) + mac, epoch=1)),
        (True, datagram(b"TESTING\n" + mac, content_type=23, epoch=1)),
    )
    assert short(readable) == [1, 2, "ChangeCipherSpec", 20, "ApplicationData"]
    assert isinstance(readable[-1], ApplicationData)
    assert readable[-1].data == b"TESTING\n"


def test_unified_records_count_only_on_a_flow_that_showed_others() -> None:
    unified = b"\x2f\x00\x01\x00\x20" + bytes(32)
    assert datagrams((True, unified)) == []
    events = datagrams((True, datagram(part(1, dtls_hello(), 0))), (False, unified))
    assert short(events) == [1, "ProtectedRecord"]
    assert isinstance(events[1], ProtectedRecord)
    assert (events[1].type, events[1].length) == (-1, 32)


def test_fragments_that_lie_about_their_length_are_noted() -> None:
    good = datagram(part(1, dtls_hello(), 0))
    bad = b"\x0b\x00\x00\x05\x00\x02\x00\x00\x04\x00\x00\x04abcd"
    events = datagrams((True, good), (True, datagram(bad)), (True, datagram(b"\x0b\x00")))
    assert [one.text for one in events if isinstance(one, Trouble)] == [
        "handshake fragment 4+4 of 5 octets does not fit its record",
        "2 octets behind the handshake fragments",
    ]


def test_trouble_is_bounded() -> None:
    good = datagram(part(1, dtls_hello(), 0))
    events = datagrams((True, good), *[(True, datagram(b"\x0b\x00"))] * 100)
    assert len([one for one in events if isinstance(one, Trouble)]) == 20


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_octets_make_a_reader_raise(seed: int) -> None:
    source = random.Random(seed)
    whole = record(22, message(1, client_hello())) + record(22, message(2, server_hello(0x0002))) + record(20, b"\x01")
    dtls = datagram(part(1, dtls_hello(), 0), part(2, server_hello(0xC0B4, extensions=b"\x00\x2b\x00\x02\xfe\xfc"), 1))
    tls_reader, dtls_reader = TlsReader(), DtlsReader()
    for frame in range(40):
        data = bytearray(source.choice((whole, dtls)))
        for _ in range(source.randrange(4)):
            data[source.randrange(len(data))] = source.randrange(256)
        at = source.randrange(len(data))
        piece = bytes(data[at:] if source.random() < 0.3 else data[: at + 1])
        gap = source.choice((0, 0, 0, -1, 7))
        chunk = Chunk(piece, frame, frame, source.random() < 0.5, gap)
        list(tls_reader.feed(chunk))
        list(dtls_reader.feed(chunk))


def test_change_cipher_spec_names_its_direction() -> None:
    (event,) = stream((False, record(20, b"\x01")))
    assert isinstance(event, ChangeCipherSpec)
    assert not event.forward

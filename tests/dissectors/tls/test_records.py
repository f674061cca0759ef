"""Records: cut from bytes within bounds, and told from bytes that are none."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.tls.records import (
    dtls_records,
    looks_like_dtls,
    looks_like_sslv2,
    looks_like_tls,
    server_hello_suite,
    ssl2_records,
    tls_records,
)

CLIENT_HELLO = bytes.fromhex(
    "01000067030327f61a9eaeeedf321ad120e716203ea577ad63e0f48affb1c1a2806b7aeb584a00000400a800ff0100003a0023000000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)
SERVER_HELLO = bytes.fromhex(
    "020000510303d8f003af6084d5f1ea4baec029a558289fb0ef3ecdfc0b32646318a8e9fb1ab920933fa5a063018e25490dffec1848a1dd0c4a"
    "e05ddcdb0a8027e7048d4de6e12000a8000009ff0100010000170000"
)
SSL2_HELLO = bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + bytes(range(16))


def record(content_type: int, fragment: bytes, version: int = 0x0303) -> bytes:
    """A TLS record."""
    return bytes((content_type,)) + version.to_bytes(2, "big") + len(fragment).to_bytes(2, "big") + fragment


def dtls_record(content_type: int, fragment: bytes, epoch: int = 0, version: int = 0xFEFD) -> bytes:
    """A DTLS record with sequence number 5."""
    head = bytes((content_type,)) + version.to_bytes(2, "big") + epoch.to_bytes(2, "big") + (5).to_bytes(6, "big")
    return head + len(fragment).to_bytes(2, "big") + fragment


def test_records_are_cut_one_after_another_and_the_last_may_be_incomplete() -> None:
    data = record(22, b"abcd", 0x0301) + record(23, b"xy" * 20)[:-1]
    first, second = tls_records(data)
    assert (first.offset, first.type, first.version, first.fragment, first.complete) == (0, 22, 0x0301, b"abcd", True)
    assert (second.offset, second.length, len(second.fragment), second.complete) == (9, 40, 39, False)


@pytest.mark.parametrize("header", ["1903030001", "1602030001", "1603050001", "1603034801", "160303"])
def test_octets_that_cannot_be_a_header_end_the_records(header: str) -> None:
    assert list(tls_records(bytes.fromhex(header) + b"z")) == []


@pytest.mark.parametrize(
    "data",
    [
        record(22, CLIENT_HELLO, 0x0301),
        record(22, SERVER_HELLO),
        record(22, CLIENT_HELLO)[:5],
        record(21, b"\x02\x28"),
        record(21, bytes(24)),
        record(20, b"\x01") + record(22, bytes(range(200, 240))),
        record(23, bytes(33)),
        record(23, bytes(4000))[:60],
        record(23, bytes(32)) + record(21, bytes(32)),
    ],
)
def test_streams_that_begin_with_a_record_in_any_state_look_like_tls(data: bytes) -> None:
    assert looks_like_tls(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x16\x03\x01\x00",
        b"INVITE sip:a@b SIP/2.0\r\n",
        b"MSRP a786hjs2 SEND\r\n",
        record(20, b"\x02"),
        record(21, b"\x03\x28"),
        record(21, b"\x02\xf0"),
        record(22, b"\x09\xff\xff\xff"),
        record(23, bytes(8)),
        record(22, CLIENT_HELLO) + b"INVITE",
    ],
)
def test_other_streams_do_not(data: bytes) -> None:
    assert not looks_like_tls(data)


def test_random_octets_never_pass_for_tls_or_dtls() -> None:
    source = random.Random(2024)
    octets = [source.randbytes(64) for _ in range(20_000)]
    assert not any(looks_like_tls(data) or looks_like_dtls(data) or looks_like_sslv2(data) for data in octets)


def test_the_suite_of_a_server_hello_is_read_from_the_first_octets_of_its_stream() -> None:
    whole = record(22, SERVER_HELLO + b"\x0e\x00\x00\x00")
    assert server_hello_suite(whole) == 0x00A8
    assert server_hello_suite(record(22, SERVER_HELLO[:20]) + record(22, SERVER_HELLO[20:])) == 0x00A8
    assert server_hello_suite(record(21, b"\x01\x70") + whole) == 0x00A8
    assert server_hello_suite(whole[:80]) is None
    assert server_hello_suite(record(22, CLIENT_HELLO)) is None
    assert server_hello_suite(record(23, bytes(64))) is None


def test_an_ssl2_hello_passes_only_when_its_lengths_add_up() -> None:
    assert looks_like_sslv2(SSL2_HELLO)
    (only,) = ssl2_records(SSL2_HELLO)
    assert (only.header, only.length, only.complete, only.data[0]) == (2, 46, True, 1)
    assert not looks_like_sslv2(SSL2_HELLO[:6] + b"\x16" + SSL2_HELLO[7:])
    assert not looks_like_sslv2(b"\x80\x2e" + b"\x07" + SSL2_HELLO[3:])


def test_several_dtls_records_share_a_datagram() -> None:
    data = dtls_record(20, b"\x01") + dtls_record(22, bytes(40), epoch=1)
    first, second = dtls_records(data)
    assert (first.type, first.epoch, first.sequence_number, first.fragment) == (20, 0, 5, b"\x01")
    assert (second.type, second.epoch, second.length, second.complete) == (22, 1, 40, True)
    assert looks_like_dtls(data)


def test_the_unified_header_of_dtls_13_has_all_its_shapes() -> None:
    body = bytes(range(20))
    with_length = b"\x2d" + b"\x12\x34" + len(body).to_bytes(2, "big") + body
    shortest = b"\x23\x07" + body
    first, second = dtls_records(with_length + shortest)
    assert (first.unified, first.type, first.epoch, first.sequence_number, first.fragment) == (
        True,
        -1,
        1,
        0x1234,
        body,
    )
    assert (second.epoch, second.sequence_number, second.fragment) == (3, 7, body)
    (identified,) = dtls_records(b"\x33ABC\x07" + body, connection_id_octets=3)
    assert (identified.connection_id, identified.sequence_number, identified.fragment) == (b"ABC", 7, body)


def test_a_record_with_connection_id_is_found_with_and_without_knowing_its_length() -> None:
    data = b"\x19\xfe\xfd\x00\x01" + (9).to_bytes(6, "big") + b"CID!" + b"\x00\x14" + bytes(20)
    for octets in (4, None):
        (only,) = dtls_records(data, connection_id_octets=octets)
        assert (only.connection_id, only.length, only.sequence_number) == (b"CID!", 20, 9)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (dtls_record(22, b"\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x02ab"), True),
        (dtls_record(22, b"\x01\x00\x00\x02\x00\x00\x00\x00\x01\x00\x00\x02ab"), False),
        (dtls_record(22, b"\x63\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x02ab"), False),
        (dtls_record(21, b"\x02\x28"), True),
        (dtls_record(21, b"\x07\x28"), False),
        (dtls_record(23, bytes(40), epoch=1), True),
        (dtls_record(23, bytes(40), epoch=1)[:-1], False),
        (dtls_record(23, bytes(40), epoch=1) + b"z", False),
        (dtls_record(23, bytes(40), epoch=1, version=0x0303), False),
        (b"\x01\x00\x00\x00" + dtls_record(21, b"\x02\x28"), True),  # behind the CAPWAP preamble
        (b"\x2f" + bytes(60), False),
        (b"\x80\x00" + bytes(60), False),
        (b"", False),
    ],
)
def test_a_datagram_is_dtls_only_as_a_whole(data: bytes, expected: bool) -> None:
    assert looks_like_dtls(data) is expected


@given(st.binary(max_size=300))
def test_no_octets_make_the_record_readers_raise(data: bytes) -> None:
    for one in tls_records(data):
        assert one.fragment == data[one.offset + 5 : one.offset + 5 + one.length]
    list(ssl2_records(data))
    list(dtls_records(data))
    looks_like_tls(data)
    looks_like_dtls(data)
    looks_like_sslv2(data)
    server_hello_suite(data)


@given(st.binary(max_size=120), st.sampled_from([0x20, 0x24, 0x28, 0x2C, 0x30, 0x3F]))
def test_dtls_record_reading_always_moves_on(data: bytes, first: int) -> None:
    offsets = [one.offset for one in dtls_records(bytes((first,)) + data)]
    assert offsets == sorted(set(offsets))


def test_the_lean_readers_import_no_scapy() -> None:
    code = "import sys, dissectors.tls.parse, dissectors.tls.records; print('scapy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

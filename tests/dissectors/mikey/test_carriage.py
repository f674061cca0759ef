"""Base64 of a=key-mgmt and KeyMgmt is read as senders write it; times of MIKEY are read in their era."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.mikey.carriage import carried, from_base64, to_base64
from dissectors.mikey.times import readable_interval, readable_time, unix_time


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        (b"AQAF", b"\x01\x00\x05"),
        (b" AQAF\r\n", b"\x01\x00\x05"),
        (b"AQ\r\n AF", b"\x01\x00\x05"),
        (b'"AQAF"', b"\x01\x00\x05"),
        (b"AQA=", b"\x01\x00"),
        (b"AQA", b"\x01\x00"),
        (b"AQ==", b"\x01"),
        (b"AQ=", b"\x01"),
        (b"AQ", b"\x01"),
        (b"", None),
        (b"=", None),
        (b"A", None),
        (b"AQAFA", None),
        (b"AQ-F", None),
        (b"AQ=AF", None),
        (b"AQA===", None),
        (b"AQ\x00AF", None),
    ],
)
def test_base64(text: bytes, octets: bytes | None) -> None:
    assert from_base64(text) == octets


@given(octets=st.binary(min_size=1))
def test_what_was_written_is_read(octets: bytes) -> None:
    assert from_base64(to_base64(octets)) == octets
    assert from_base64(to_base64(octets).rstrip(b"=")) == octets


@given(text=st.binary())
def test_anything_is_read_or_refused(text: bytes) -> None:
    octets = from_base64(text)
    assert octets is None or from_base64(to_base64(octets)) == octets


@pytest.mark.parametrize(
    ("seconds", "time", "text"),
    [
        (0xC8E350EA, 1161351786, "2006-10-20 13:43:06 UTC"),
        (0x80000000, -61505152, "1968-01-20 03:14:08 UTC"),
        (0xFFFFFFFF, 2085978495, "2036-02-07 06:28:15 UTC"),
        (0, 2085978496, "2036-02-07 06:28:16 UTC"),
        (0x7FFFFFFF, 4233462143, "2104-02-26 09:42:23 UTC"),
    ],
)
def test_the_era_of_ntp_seconds(seconds: int, time: int, text: str) -> None:
    assert (unix_time(seconds), readable_time(seconds)) == (time, text)


def test_intervals() -> None:
    assert readable_interval(90061) == "1 day, 1:01:01"
    assert readable_interval(2**32 - 1).startswith("49710 days")


def test_carriage_and_policies_do_not_load_scapy() -> None:
    code = (
        "import sys, dissectors.mikey.carriage, dissectors.mikey.policies, dissectors.mikey.compositions;"
        "sys.exit('scapy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("message", "count"),
    [
        (b'SETUP rtsp://a RTSP/1.0\r\nKeyMgmt: prot=mikey; uri="rtsp://a"; data="AQAF"\r\n\r\n', 1),
        (
            b"RTSP/1.0 200 OK\r\n\r\nv=0\r\na=key-mgmt:mikey AQAF\r\nm=audio 0 RTP/SAVP 0\r\na=key-mgmt:mikey AQAF\r\n",
            2,
        ),
        (b"POST /k HTTP/1.1\r\nContent-Type: application/mikey\r\n\r\n\x01", 1),
        (b"GET /mikey HTTP/1.1\r\nAccept: application/mikey\r\n\r\n", 0),
        (
            b"POST /k HTTP/1.1\r\nContent-Type: application/mikey\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\n\x01\r\n2\r\n\0\5\r\n0\r\n\r\n",
            1,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
            b"f;x=y\r\nv=0\r\na=key-mgmt\r\n1a\r\n:mikey AQAF\r\na=key-mgmt:mi\r\n9\r\nkey AQAF\n\r\n0\r\n\r\n",
            2,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\na=key-mgmt:mikey AQAF", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 99, 0),
    ],
)
def test_messages_that_rtsp_and_http_carry_are_counted(message: bytes, count: int) -> None:
    assert carried(message) == count

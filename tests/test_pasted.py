"""What people paste becomes the octets that they mean."""

from __future__ import annotations

import base64

import pytest

from imsinspect.capture.errors import UsageError
from imsinspect.pasted import octets_of

OCTETS = bytes.fromhex("20010000000000010002ff00112233445566778899aabbccddee")
LETTERS = base64.b64encode(OCTETS).decode()


@pytest.mark.parametrize(
    "pasted",
    [
        OCTETS.hex(),
        OCTETS.hex(" "),
        OCTETS.hex(":").upper(),
        " ".join(f"0x{octet:02x}" for octet in OCTETS),
        OCTETS[:7].hex() + "\n" + OCTETS[7:].hex() + "\n",
        f"0000  {OCTETS[:16].hex(' ')}   . .....\n0010  {OCTETS[16:].hex(' ')}  fUDwuf\n",
        f"00000000: {OCTETS[:16].hex(' ', 2)}  ........\n00000010: {OCTETS[16:].hex(' ', 2)}  ....\n",
        f"0000  {OCTETS[:10].hex(' ')}\n000a  {OCTETS[10:].hex(' ')}\n",
        LETTERS,
        LETTERS[:10] + "\n" + LETTERS[10:].rstrip("=") + "\n",
        f"-----BEGIN CERTIFICATE-----\n{LETTERS}\n-----END CERTIFICATE-----\n",
    ],
)
def test_digits_dumps_and_base64_are_told_apart(pasted: str) -> None:
    assert octets_of("bfcp", pasted.encode()) == OCTETS


def test_octets_as_they_are() -> None:
    assert octets_of("tls", b"\x16\x03\x01\x00\x01\xff") == b"\x16\x03\x01\x00\x01\xff"
    assert octets_of("tls", b"AAAA", "raw") == b"AAAA"


def test_two_octets_of_zeros_are_no_offset() -> None:
    assert octets_of("bfcp", b"0000 1603") == b"\0\0\x16\x03"


@pytest.mark.parametrize(
    "pasted",
    [
        f"a=key-mgmt:mikey {LETTERS}\r\n",
        f"key-mgmt: mikey {LETTERS}",
        f'KeyMgmt: prot=mikey; uri="rtsp://a/b"; data="{LETTERS}"',
        f"mikey {LETTERS}",
        LETTERS,
    ],
)
def test_a_mikey_message_is_found_inside_its_carrier(pasted: str) -> None:
    assert octets_of("mikey", pasted.encode()) == OCTETS


@pytest.mark.parametrize("pasted", ["1 S inline:k", "crypto:1 S inline:k", "a=crypto:1 S inline:k\n"])
def test_a_crypto_line_may_lack_its_front(pasted: str) -> None:
    assert octets_of("crypto", pasted.encode()) == b"a=crypto:1 S inline:k\r\n"


def test_lines_get_their_carriage_returns_back() -> None:
    assert octets_of("sip", b"BYE sip:a SIP/2.0\nA: b\n\n") == b"BYE sip:a SIP/2.0\r\nA: b\r\n\r\n"
    assert octets_of("sip", b"BYE sip:a SIP/2.0\r\nA: b\n\n") == b"BYE sip:a SIP/2.0\r\nA: b\n\n"
    assert octets_of("conference-info", b"<a>\n</a>") == b"<a>\n</a>"


@pytest.mark.parametrize(
    ("pasted", "form", "words"),
    [
        (b"  \n", "auto", "nothing to decode"),
        (b"123", "hex", "no hexadecimal digits of whole octets"),
        (b"AAA*", "base64", "no base64"),
    ],
)
def test_what_is_in_no_such_form_is_said_to_be(pasted: bytes, form: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        octets_of("tls", pasted, form)

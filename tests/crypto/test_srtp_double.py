"""Packets encrypted end to end and again for the hop (RFC 8723)."""

from __future__ import annotations

import pytest

from imsinspect.crypto.srtp import SrtpKeys, SrtpParameters
from imsinspect.crypto.srtp_double import DoubleKeys

hexa = bytes.fromhex

KEY = bytes(range(32))
SALT = bytes(range(100, 124))
ONE = SrtpParameters("AES-GCM", 16, 12, 16, 16)
INNER = SrtpKeys(ONE, KEY[:16], SALT[:12])
OUTER = SrtpKeys(ONE, KEY[16:], SALT[12:])

HEADER = hexa("80e01234decafbadcafebabe")
PAYLOAD = b"\xab" * 20
EXTENSION = hexa("bede0001 10ff0000")


def test_the_sender_applies_first_the_one_half_of_the_key_and_then_the_other() -> None:
    packet = DoubleKeys(KEY, SALT).protect_srtp(HEADER + PAYLOAD, 2)
    assert len(packet) == len(HEADER + PAYLOAD) + 32 + 1
    opened = OUTER.open_srtp(packet, 2)
    assert opened is not None
    assert opened == INNER.protect_srtp(HEADER + PAYLOAD, 2) + b"\0"
    assert DoubleKeys(KEY, SALT).open_srtp(packet, 2) == HEADER + PAYLOAD


def test_an_extension_is_the_hops_alone() -> None:
    extended = b"\x90" + HEADER[1:] + EXTENSION
    packet = DoubleKeys(KEY, SALT).protect_srtp(extended + PAYLOAD, 2)
    assert packet[: len(extended)] == extended
    assert DoubleKeys(KEY, SALT).open_srtp(packet, 2) == HEADER + PAYLOAD


@pytest.mark.parametrize(
    ("header", "block"),
    [
        ("80e01234decafbadcafebabe", "00"),
        ("80e11234decafbadcafebabe", "60 02"),
        ("80e0ffffdecafbadcafebabe", "1234 01"),
        ("80600001decafbadcafebabe", "1234 0d"),
        ("80050001decafbadcafebabe", "60 1234 0f"),
    ],
)
def test_what_a_hop_changed_is_put_back_before_the_inner_layer_is_opened(header: str, block: str) -> None:
    sealed = INNER.protect_srtp(HEADER + PAYLOAD, 2)[12:]
    packet = OUTER.protect_srtp(hexa(header) + sealed + hexa(block), 5)
    keys = DoubleKeys(KEY, SALT)
    assert keys.outer.verify_srtp(packet, 5)
    assert keys.open_srtp(packet, 5, 2) == HEADER + PAYLOAD
    assert keys.open_srtp(packet, 5) is None
    assert keys.open_srtp(packet, 2, 2) is None


@pytest.mark.parametrize("payload", ["", "03", "ffff03", "00" * 16, "00" * 17])
def test_what_holds_no_inner_packet_is_refused(payload: str) -> None:
    assert DoubleKeys(KEY, SALT).open_srtp(OUTER.protect_srtp(HEADER + hexa(payload), 0), 0) is None


def test_wrong_halves_are_refused() -> None:
    packet = DoubleKeys(KEY, SALT).protect_srtp(HEADER + PAYLOAD, 0)
    assert DoubleKeys(bytes(16) + KEY[16:], SALT).open_srtp(packet, 0) is None
    assert DoubleKeys(KEY[:16] + bytes(16), SALT).open_srtp(packet, 0) is None
    with pytest.raises(ValueError, match="cannot be applied"):
        DoubleKeys(KEY, SALT[:20])

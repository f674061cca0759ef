"""Identities, key identifiers and key parameters of mission critical services: published values and messages."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors.mikey.carriage import from_base64
from dissectors.mikey.extension.layers import GeneralExtension
from dissectors.mikey.layers import MIKEY
from imsinspect.crypto import eccsi, sakke
from imsinspect.crypto.mission_critical import guk_id, key_parameters, key_period_number, uid
from tests.crypto.mikey_values import SAKKE
from tests.dissectors.mikey import vectors

TESTS = {
    # signer, receiver, SSV, key parameters
    "1": ("gms", "alice", "07d1a1677ac36d8e81620484689b3c2d", "0000000001000000000000000000000000000100"),
    "2": ("alice", "gms", "e06e65106183547342d3e8a6ce2540a8", "0200000001000000000000000000000000"),
    "3": ("alice", "bob", "b4c96b703acd5c1bf7d4cc45068d9965", "0100000001000000000000000000000000"),
    "4": ("gms", "iwf", "07d1a1677ac36d8e81620484689b3c2d", None),
}
USERS = {
    "gms": b"gms@streamwide.com",
    "alice": b"sip:alice@streamwide.com",
    "bob": b"sip:bob@streamwide.com",
    "iwf": b"sip:iwf_legacy_v1.1.x_format@streamwide.com",
}
NOW, PERIOD = 0xEC898DA8, 16777215


def value(name: str) -> bytes:
    return bytes.fromhex(SAKKE[name])


def octets(name: str) -> bytes:
    return from_base64(vectors.SAKKE[name].encode()) or b""


def payload(message: MIKEY, name: str) -> Any:
    return next(one for one in message.payloads if one.name == name)


@pytest.mark.parametrize(
    ("period", "offset", "number", "expected"),
    [
        (2592000, 0, 1, "74e2af803ab5d72841bbced0ce319ffe64f6fe23c88a2d258aabcf6ac5658ef4"),
        (10, 0, 10, "94fb1a697c15d7e9d6b7062066affebda2d9e346e0090d67525c0c3ce666eafa"),
        (25920000, 100, 1, "3c0ad8828cfae1ad1d08b27cc7b61258c6cfcd405081b68cd778f1e1c7f562a7"),
        (25920000, 100, 2048, "c88b3fa5e36a08985d10f7b31a631b0265e8249f0312435e4984dbc3765c7f0c"),
        (25920000, 45920000, 20393844, "8dc05540167345538475101514f4eabd384abd6ba665782abb312ecaf05934e1"),
    ],
)
def test_published_hashed_identities(period: int, offset: int, number: int, expected: str) -> None:
    assert uid(b"sip:user@example.org", b"kms.example.org", period, offset, number).hex() == expected


@pytest.mark.parametrize("user", USERS)
def test_hashed_identities_of_the_messages(user: str) -> None:
    number = key_period_number(NOW, PERIOD, 0)
    assert number == 236
    assert uid(USERS[user], b"kms.mydev.streamwide.com", PERIOD, 0, number) == value(f"{user} UID")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (b"sip:p25user01@etherstack.com", 0x01C8DE7B),
        (b"sip:p25user02@etherstack.co.jp", 0x0ABE69D0),
        (b"sip:92100002447@att.com", 0x0C449727),
    ],
)
def test_published_guk_ids(user: bytes, expected: int) -> None:
    assert guk_id(bytes.fromhex("fcfe65cd967c58d260b603ccb9a887a9"), 0x09BF9D37, user) == expected


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        uid(b"", b"", -1, 0, 0)
    with pytest.raises(ValueError, match="none"):
        key_period_number(NOW, 0, 0)


@pytest.mark.parametrize("name", TESTS)
def test_published_messages_open_and_their_signatures_verify(name: str) -> None:
    signer, receiver, ssv, _ = TESTS[name]
    data = octets(name)
    message = MIKEY(data)
    sealed = bytes(payload(message, "SAKKE").sakke_data)
    opened = sakke.decapsulate(value(f"{receiver} UID"), value(f"{receiver} RSK"), value("Z"), sealed)
    assert opened is not None
    assert opened.hex() == ssv
    signature = bytes(payload(message, "SIGN").signature)
    assert signature[64:] == value(f"{signer} PVT")
    covered = data[: -len(signature)]
    assert eccsi.verify(value("KPAK"), value(f"{signer} UID"), signature, covered)
    assert not eccsi.verify(value("KPAK"), value(f"{receiver} UID"), signature, covered)
    assert not eccsi.verify(value("KPAK"), value(f"{signer} UID"), signature, covered[:-1] + b"\0")


@pytest.mark.parametrize("name", ["1", "2", "3"])
def test_key_parameters_of_published_messages(name: str) -> None:
    _, _, ssv, parameters = TESTS[name]
    extension = next(one for one in MIKEY(octets(name)).payloads if isinstance(one, GeneralExtension) and one.type == 7)
    protected = bytes(extension.data)
    opened = key_parameters(bytes.fromhex(ssv), protected)
    assert opened is not None
    assert opened.hex() == parameters
    assert key_parameters(bytes(16), protected) is None
    for at in range(len(protected)):
        changed = bytearray(protected)
        changed[at] ^= 1
        if at != 32:  # element id, which nothing covers
            assert key_parameters(bytes.fromhex(ssv), bytes(changed)) is None
        assert key_parameters(bytes.fromhex(ssv), protected[:at]) is None

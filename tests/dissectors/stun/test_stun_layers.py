"""STUN messages, attributes and TURN channels: every octet is kept, addresses are told, code points are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.packet import Raw

from dissectors.binary import notes
from dissectors.stun.codes import ATTRIBUTES, CLASSES, ERRORS, FAMILIES, METHODS, TRANSPORTS
from dissectors.stun.layers import STUN, VALUE_LAYERS, ChannelData, ErrorCode, StunAttribute, class_of, method_of
from dissectors.tree import tree
from tests.dissectors.caches import without_caches

if TYPE_CHECKING:
    from dissectors.tree import Node

# RFC 5769 §2.2 and §2.3: responses over IPv4 and IPv6
OVER_IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
OVER_IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)


def _named(node: Node, name: str) -> Node:
    return next(each for each in node.walk() if each.name == name)


@pytest.mark.parametrize(
    ("octets", "address"), [(OVER_IPV4, "192.0.2.1:32853"), (OVER_IPV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
)
def test_published_responses_are_read(octets: bytes, address: str) -> None:
    message = STUN(octets)
    assert bytes(without_caches(message)) == octets
    assert notes(message) == []
    node = tree(message)
    assert _named(node, "message_type").meaning == "Binding success response"
    assert _named(node, "text").value == "test vector"
    assert _named(node, "address").meaning == address


def test_every_type_is_named() -> None:
    for method, name in METHODS.items():
        for number, word in CLASSES.items():
            message_type = (
                (method & 0xF80) << 2 | (method & 0x70) << 1 | method & 0xF | (number & 2) << 7 | (number & 1) << 4
            )
            assert (method_of(message_type), class_of(message_type)) == (method, number)
            shown = tree(STUN(message_type=message_type, transaction_id=bytes(12)))
            assert _named(shown, "message_type").meaning == f"{name} {word}"


@pytest.mark.parametrize("code", ATTRIBUTES)
def test_every_attribute_is_named_and_keeps_its_octets(code: int) -> None:
    for value in (b"", b"\0\1\2", bytes(range(8)), bytes(range(21))):
        padded = value + bytes(-len(value) % 4)
        octets = code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + padded
        message = b"\0\1" + len(octets).to_bytes(2, "big") + bytes.fromhex("2112a442") + bytes(12) + octets
        read = STUN(message)
        assert bytes(without_caches(read)) == message
        (attribute,) = read.attributes
        assert _named(tree(attribute), "type").meaning == ATTRIBUTES[code]
        assert type(attribute.value) is (VALUE_LAYERS.get(code, Raw) if value else Raw)


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_is_named(code: int) -> None:
    error = ErrorCode(bytes([0, 0, code // 100, code % 100]) + b"why")
    assert error.code == code
    assert _named(tree(error), "number").meaning == f"{code} {ERRORS[code]}"


def test_families_and_transports_are_named() -> None:
    for code, name in FAMILIES.items():
        assert _named(tree(StunAttribute(bytes([0, 1, 0, 8, 0, code, 0, 1, 1, 2, 3, 4]))), "family").meaning == name
    for code, name in TRANSPORTS.items():
        assert _named(tree(StunAttribute(bytes([0, 0x19, 0, 4, code, 0, 0, 0]))), "protocol").meaning == name


def test_a_message_can_be_built() -> None:
    error = StunAttribute(type=9, value=ErrorCode(error_class=4, number=1, reason_phrase=b"no"))
    built = bytes(STUN(message_type=0x0111, attributes=[error]))
    assert built.hex() == "0111000c2112a442" + "00" * 12 + "00090006000004016e6f0000"
    assert bytes(ChannelData(channel_number=0x4001, application_data=b"abc")).hex() == "40010003616263"


def test_what_is_wrong_is_said() -> None:
    assert notes(STUN(bytes.fromhex("c0010002") + bytes(16) + b"ab")) == [
        "STUN attributes: 2 octets at 20 are not explained",
        "STUN at 0: the first two bits are not zero",
        "STUN at 0: message_length is 2, no multiple of 4",
    ]
    assert notes(ChannelData(bytes.fromhex("40000008aa"))) == [
        "TURN ChannelData length at 2 says 8 octets, 1 are there"
    ]


@given(st.binary(min_size=1, max_size=80), st.sampled_from([OVER_IPV4, OVER_IPV6]), st.integers(0, 80))
def test_every_octet_is_kept(data: bytes, message: bytes, at: int) -> None:
    for octets in (data, message[:at] + data + message[at:]):
        for layer in (STUN, ChannelData, StunAttribute):
            packet = layer(octets)
            assert bytes(without_caches(packet)) == octets
            assert tree(packet).length == len(octets)
            assert isinstance(notes(packet), list)


def test_another_magic_cookie_is_named_unknown() -> None:
    """The tree has text for every value, also where the cookie is not the one of RFC 8489."""
    packet = STUN(b"0" * 20)
    found = [node.meaning for node in tree(packet).walk() if node.name == "magic_cookie"]
    assert found == [f"unknown ({0x30303030})"]

"""Binary messages are recognised and shown to their outermost structure; every octet is kept."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.binary import Layer, notes
from dissectors.h248.ber import layers
from dissectors.h248.ber.layers import BinaryMId, BinaryTransaction, H248Binary, Message, is_binary
from dissectors.h248.codes import BINARY_MIDS, BINARY_TRANSACTIONS
from dissectors.h248.layers import H248, TPKT
from dissectors.tree import tree

if TYPE_CHECKING:
    from scapy.packet import Packet

MESSAGE = bytes.fromhex("3021a11f800103a10ca00a80040a00000181020b80a20ca10aa008800101a1033001ff")
"""Version 3 from 10.0.0.1:2944 with one request; put together by H.248.1 Annex A.2, its action is no real one."""

LAYERS = [one for one in vars(layers).values() if inspect.isclass(one) and issubclass(one, Layer) and one.fields_desc]


def test_a_binary_message_shows_version_sender_and_kind_of_transaction() -> None:
    packet = H248(MESSAGE)
    assert isinstance(packet, H248Binary)
    message = packet.MegacoMessage[0]
    assert isinstance(message, Message)
    version, mid, body = message.parts_of_message
    assert version.version == 3
    assert (mid.choice[0].identifier, mid.choice[0].contents.hex()) == (0xA0, "80040a00000181020b80")
    transactions = body.content[0].transactions
    assert [one.identifier for one in transactions] == [0xA0]
    assert "transactionRequest" in packet.show(dump=True)
    assert notes(packet) == ["H248 binary at 0: binary encoding: its transactions are not decoded"]


def test_a_binary_message_is_known_only_by_its_whole_form() -> None:
    assert is_binary(MESSAGE[:16], len(MESSAGE))
    assert not is_binary(MESSAGE[:16], len(MESSAGE) + 1)
    assert not is_binary(b"\x30\x02\x02\x00", 4)
    assert not is_binary(b"0", 1)
    assert isinstance(H248(b"0=1{}"), H248)


def test_a_tpkt_may_hold_a_binary_message() -> None:
    packet = H248(b"\x03\x00" + (4 + len(MESSAGE)).to_bytes(2, "big") + MESSAGE)
    assert isinstance(packet, TPKT)
    assert isinstance(packet.message, H248Binary)


@pytest.mark.parametrize("identifier", BINARY_TRANSACTIONS)
def test_every_kind_of_transaction_is_named(identifier: int) -> None:
    assert BINARY_TRANSACTIONS[identifier] in BinaryTransaction(bytes((identifier, 0))).show(dump=True)


@pytest.mark.parametrize("identifier", BINARY_MIDS)
def test_every_kind_of_identifier_is_named(identifier: int) -> None:
    assert BINARY_MIDS[identifier] in BinaryMId(bytes((identifier, 0))).show(dump=True)


def test_lengths_in_long_and_indefinite_form_are_kept() -> None:
    long = b"\x30\x82\x00\x21" + MESSAGE[2:]
    assert isinstance(H248(long), H248Binary)
    assert bytes(H248(long)) == long
    indefinite = b"\x30\x80" + MESSAGE[2:] + b"\0\0"
    packet = H248(indefinite)
    assert isinstance(packet, H248Binary)
    assert "H248 binary at 0: its length is indefinite: its end was not looked for" in notes(packet)
    assert bytes(packet) == indefinite


def test_a_length_that_is_not_kept_is_noted() -> None:
    assert "Transaction at 0: length says 5 octets, 1 are there" in notes(BinaryTransaction(b"\xa0\x05a"))


def test_a_built_element_counts_its_contents() -> None:
    assert bytes(BinaryTransaction(contents=bytes(3))) == b"\xa0\x03\0\0\0"
    assert bytes(BinaryTransaction(contents=bytes(300)))[:4] == b"\xa0\x82\x01\x2c"


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_octets_are_kept(layer: type[Packet], data: st.DataObject) -> None:
    octets = bytearray(MESSAGE)
    for _ in range(data.draw(st.integers(0, 5))):
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    packet = layer(bytes(octets) or b"\0")
    packet.raw_packet_cache = None
    assert bytes(packet) == (bytes(octets) or b"\0")
    assert all(isinstance(text, str) for text in notes(packet))
    tree(packet)


def test_nested_octets_end() -> None:
    octets = b"\x30\x80\xa1\x80" * 8000
    assert bytes(H248(octets)) == octets

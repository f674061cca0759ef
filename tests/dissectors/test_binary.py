"""The field classes of binary layers: bits, vectors, chains; what ends early or does not add up is said."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dissectors.binary import Bits, BitsLength, Chain, Layer, Length, Number, Numbers, Opaque, Packets, items, notes
from dissectors.tree import tree


class Item(Layer):
    """An item (RFC 1 §2.3)."""

    name = "Item"
    fields_desc = [Length("length", "value", 1), Opaque("value", b"", "length")]


class Head(Layer):
    """A head of two octets of bits, a vector, and numbers (RFC 1 §2)."""

    name = "Head"
    fields_desc = [
        Bits("version", 2, 2, begins=2),
        Bits("flag", 0, 1),
        BitsLength("length", "body", 13),
        Opaque("body", b"", "length"),
        Number("count", 0, 1, {7: "seven"}.get),
        Numbers("numbers", "count", 2),
    ]


class Items(Layer):
    """A list of items (RFC 1 §3)."""

    name = "Items"
    fields_desc = [Length("octets", "items", 2), Packets("items", "octets", items(Item, 1, 0, 1))]


class Chained(Layer):
    """Items up to one that is empty (RFC 1 §4)."""

    name = "Chained"
    fields_desc = [Chain("items", lambda _, found, data: None if found and not found[-1].value else Item)]


def test_bits_are_read_and_built_from_the_most_significant_on() -> None:
    head = Head(bytes.fromhex("a003aabbcc020001"))
    assert (head.version, head.flag, head.length, head.body) == (2, 1, 3, b"\xaa\xbb\xcc")
    assert (head.count, head.numbers) == (2, [1])
    assert bytes(head).hex() == "a003aabbcc020001"
    assert bytes(Head(flag=1, body=b"ab", numbers=[])).hex() == "a002616200"


def test_octets_that_end_early_leave_fields_out_and_are_noted() -> None:
    assert bytes(Head(b"\x80")) == b"\x80"
    assert notes(Head(b"\x80")) == ["Head version at 0 is missing", "Head: 1 octets at 0 are not explained"]
    assert notes(Head(b"\x80\x05ab")) == ["Head length at 0 says 5 octets, 2 are there", "Head count at 4 is missing"]
    assert notes(Head(bytes.fromhex("8000030001aa"))) == ["Head numbers at 3 has 3 octets, no multiple of 2"]


def test_what_makes_no_item_stays_raw() -> None:
    packet = Items(bytes.fromhex("0004 01aa 05bb"))
    assert [bytes(each) for each in packet.items] == [b"\x01\xaa", b"\x05\xbb"]
    assert notes(packet) == ["Items items: 2 octets at 4 are not explained"]


def test_a_chain_ends_where_it_says() -> None:
    packet = Chained(bytes.fromhex("01aa 00 01bb"))
    assert [each.value for each in packet.items] == [b"\xaa", b""]
    assert bytes(packet.payload) == b"\x01\xbb"
    assert notes(packet) == ["Chained: 2 octets at 3 are not explained"]


def test_the_tree_tells_places_bits_and_clauses() -> None:
    node = tree(Head(bytes.fromhex("a003aabbcc07000100020003000bad")))
    rows = [(each.name, each.value, each.meaning, each.offset, each.length, each.bits) for each in node.children]
    assert rows == [
        ("version", "2", "", 0, 2, (0, 2)),
        ("flag", "1", "", 0, 2, (2, 1)),
        ("length", "3", "", 0, 2, (3, 13)),
        ("body", "aa bb cc", "", 2, 3, None),
        ("count", "7", "seven", 5, 1, None),
        ("numbers", "00 01 00 02 00 03 00", "", 6, 7, None),
        ("octets", "0b ad", "", 13, 2, None),
    ]
    assert {each.clause for each in node.children[:-1]} == {"RFC 1 §2"}


@given(st.binary(min_size=1, max_size=80))
def test_every_octet_is_kept(data: bytes) -> None:
    layers: tuple[Any, ...] = (Head, Items, Chained, Item)
    for layer in layers:
        packet = layer(data)
        assert bytes(packet) == data
        assert tree(packet).length == len(data)
        assert isinstance(notes(packet), list)

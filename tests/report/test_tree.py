"""Trees for people and programs: fields beside their octets, keys as digests, one layer alone, safe on a terminal."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from rich.console import Console
from scapy.layers.l2 import Ether

from dissectors.binary import Bits, Layer, Length, Number, One, Opaque
from dissectors.tree import Node, tree
from imsinspect.look import Frame, Message
from imsinspect.report.tree import TreeView, frames_to_json, tree_to_json


class Key(Layer):
    """A key (RFC 1 §2)."""

    name = "Key"
    secret_fields = ("key",)
    fields_desc = [
        Bits("version", 1, 4, begins=1),
        Bits("kind", 0, 4, {3: "master"}.get),
        Length("length", "key", 1),
        Opaque("key", b"", "length"),
        Number("use", 0, 2),
    ]


OCTETS = bytes.fromhex("1304deadbeef0007")
NODE = tree(Key(OCTETS))


def _shown(width: int, *, layers: tuple[str, ...] = (), show_secrets: bool = False) -> str:
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        TreeView(console, layers=layers, show_secrets=show_secrets).tree(NODE, OCTETS)
    return captured.get()


def test_fields_stand_beside_their_octets_and_keys_are_named() -> None:
    assert (
        _shown(72)
        == """\
Key  (RFC 1 §2)
  version: 1                             0000  0001 ....
  kind: 3  master                        0000  .... 0011
  length: 4                              0000  13[04]·· ·· ·· ·· 00 07
  key: secret 5f78c332                   0000  13 04[·· ·· ·· ··]00 07
  use: 7                                 0000  13 04 ·· ·· ·· ··[00 07]
"""
    )


def test_keys_are_shown_when_asked_for() -> None:
    assert "  key: de ad be ef                       0000  13 04[de ad be ef]00 07\n" in _shown(72, show_secrets=True)


def test_a_layer_that_is_not_there_is_said_so() -> None:
    assert _shown(72, layers=("sdp",)) == "  no such layer here\n"
    assert _shown(72, layers=("KEY",)).startswith("Key  (RFC 1 §2)\n")


def test_json_has_every_field_and_no_octet_of_a_key() -> None:
    shown = json.loads(tree_to_json(NODE, OCTETS))
    assert shown["octets"] == "1304xxxxxxxx0007"
    (root,) = shown["tree"]
    assert root["children"][1] == {
        "name": "kind", "value": "3", "meaning": "master", "clause": "RFC 1 §2", "offset": 0, "length": 1,
        "bits": [4, 4],
    }  # fmt: skip
    assert root["children"][3] == {
        "name": "key", "value": "", "meaning": "", "clause": "RFC 1 §2", "offset": 2, "length": 4, "secret": "5f78c332",
    }  # fmt: skip
    assert json.loads(tree_to_json(NODE, OCTETS, show_secrets=True))["octets"] == OCTETS.hex()


def test_frames_name_the_frames_of_their_messages() -> None:
    message = Message("Key", (4, 5), "192.0.2.1:1", "192.0.2.2:2", "TCP", OCTETS, NODE)
    frame = Frame(5, 1_700_000_000_000_000_000, "EN10MB", 9, OCTETS, NODE, [message], 2)
    console = Console(width=100, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        TreeView(console).frames([frame])
    lines = captured.get().splitlines()
    assert lines[0] == "Frame 5, 2023-11-14 22:13:20.000000 UTC, EN10MB, 8 of 9 octets"
    assert "Key in frames 4, 5: 192.0.2.1:1 → 192.0.2.2:2 (TCP), 8 octets" in lines
    assert lines[-1] == "2 more messages are not shown"
    (row,) = json.loads(frames_to_json("a.pcap", [frame]))
    assert (row["frame"], row["messages"][0]["frames"], row["messages_left_out"]) == (5, [4, 5], 2)


class Wrapped(One):
    """A layer that is written as base64."""

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        return b"", self.choose(pkt, s)(base64.b64decode(s))

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return s + base64.b64encode(bytes(val))


class Carrier(Layer):
    """Carries a key as text (RFC 1 §5)."""

    name = "Carrier"
    fields_desc = [Opaque("word", b"", fixed=4), Wrapped("data", None, lambda *_: Key)]


def test_octets_written_as_base64_have_a_pane_of_their_own_and_no_letter_of_the_key_is_shown() -> None:
    octets = b"key:" + base64.b64encode(OCTETS)
    node = tree(Carrier(octets))
    console = Console(width=72, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        TreeView(console).tree(node, octets)
    lines = captured.get().splitlines()
    assert "      key: secret 5f78c332               0000  13 04[·· ·· ·· ··]00 07" in lines
    assert base64.b64encode(OCTETS)[2:6].hex(" ") not in captured.get()
    shown = json.loads(tree_to_json(node, octets))
    assert shown["octets"] == b"key:".hex() + "xx" * 12
    assert shown["tree"][0]["children"][1]["children"][0]["octets"] == "1304xxxxxxxx0007"
    with console.capture() as captured:
        TreeView(console, layers=("key",)).tree(node, octets)
    assert captured.get().splitlines()[0] == "Key  (RFC 1 §2)"


@pytest.mark.parametrize("hostile", [b"\x1b[2J\x1b]0;x\x07abcd", "‮evil".encode()])
def test_nothing_from_the_wire_steers_the_terminal(hostile: bytes) -> None:
    octets = b"\x10" + bytes([len(hostile)]) + hostile + b"\0\0"
    console = Console(width=80, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        TreeView(console, show_secrets=True).tree(tree(Key(octets)), octets)
    assert all(one.isprintable() or one == "\n" for one in captured.get())


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_clause_stays_on_one_line(width: int) -> None:
    node = Node(
        "A layer with a long name here", clause="RFC 3261 §20.42", length=1, children=[Node("a", "1", length=1)]
    )
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        TreeView(console).tree(node, b"\1")
    assert any("(RFC 3261 §20.42)" in line for line in captured.get().splitlines())
    assert max(map(len, captured.get().splitlines())) <= width


def test_layers_are_found_by_the_names_that_people_use() -> None:
    node = tree(Ether(bytes(12) + b"\x81\x00\x00\x05\x08\x00"))
    for name, begin in (("eth", "Ethernet"), ("vlan", "802.1Q")):
        console = Console(width=80, color_system=None, force_terminal=False, highlight=False)
        with console.capture() as captured:
            TreeView(console, layers=(name,)).tree(node, bytes(18))
        assert captured.get().startswith(begin)


def test_octets_that_are_closed_inside_octets_of_their_own_are_hidden_outside_too() -> None:
    inside = Node("octets", length=4, closed="part of the messages below", octets=b"key!")
    outer = Node("chunk", length=6, children=[Node("data", offset=1, length=5, children=[inside])])
    assert json.loads(tree_to_json(outer, b"\0key!\0"))["octets"] == "00xxxxxxxxxx"


def test_deep_nodes_keep_room_for_their_words() -> None:
    """Indented past the width of the pane, each letter would be a line of its own."""
    node = Node("innermost", "value " * 40, length=1)
    for number in range(63):
        node = Node(f"layer {number}", length=1, children=[node])
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        TreeView(console).tree(node, b"\0")
    assert len(capture.get().splitlines()) < 100


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_deep_trees_end_at_any_width(width: int) -> None:
    """Indentation as wide as the column left no room for a letter, and wrapping went on for ever."""
    node = Node("innermost", "value of some length with spaces", length=1)
    for _ in range(60):
        node = Node("layer", length=1, clause="RFC 3261 §20.42", children=[node])
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        TreeView(console).tree(node, b"\1")
    assert captured.get().count("layer") == 60
    assert width < 60 or "[01]" in captured.get()


def test_few_octets_that_are_utf_8_by_chance_are_no_text() -> None:
    octets = b"\x10\x04" + bytes.fromhex("46c7802e") + b"\0\0"
    assert [each.value for each in tree(Key(octets)).walk() if each.name == "key"] == ["46 c7 80 2e"]

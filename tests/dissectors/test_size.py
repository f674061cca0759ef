"""Large input that an attacker chose: every octet is kept, nothing raises, and the work grows no faster than the size.

No test here looks at a clock: steps and layers are counted instead.
"""

from __future__ import annotations

import io
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from scapy.packet import NoPayload, Packet, Raw

from dissectors import binary, catalog
from dissectors import tree as tree_module
from dissectors.binary import MAX_ITEMS, MAX_LAYERS, LeftOut, notes
from dissectors.text import PIECES_LIMIT
from dissectors.tree import MAX_NODES, MAX_NOTES, MAX_NUMBERS, Node, tree
from imsinspect.report.tree import TreeView, tree_to_json
from tests.dissectors.caches import without_caches
from tests.dissectors.hostile import fillings, shapes, variants
from tests.dissectors.hostile_binary import cms_signed
from tests.dissectors.repeated import der

if TYPE_CHECKING:
    from collections.abc import Callable

KB, MB = 1 << 10, 1 << 20

WORST = [
    ("tls", "ServerHelloDone"),
    ("dtls", "messages of one record"),
    ("rtcp", "extended report RLE"),
    ("cms", "content in segments without lengths"),
    ("mikey", "policies"),
    ("sdp", "crypto attributes"),
    ("sdp", "key-mgmt in base64"),
    ("sip", "parts in one another"),
    ("conference-info", "shortest in one another"),
    ("h248", "local descriptors"),
]
"""What took longest of all shapes, or is the deepest."""

GROWING = [
    *(each for each in WORST if each[0] != "dtls"),  # whose records are longer
    ("bfcp", "grouped"),
    ("certificate", "in one another"),
    ("cms", "in one another"),
    ("cms", "without lengths, closed"),
    ("cpim", "cpim in one another"),
    ("h248", "TPKTs in one another"),
    ("http", "chunks"),
    ("msrp", "chunks"),
    ("msrp", "parts in one another"),
    ("resource-lists", "elements in one another"),
    ("rtp", "elements and padding"),
    ("sdp", "capabilities in one another"),
    ("sip", "Via chain"),
    ("sip", "fragments in one another"),
    ("stun", "shortest attributes"),
    ("tls", "empty records"),
    ("tls", "records of an octet"),
]
"""Shapes of many elements, side by side or in one another."""


def read(layer: str, data: bytes) -> Packet:
    """The layer; every octet of it is there, and what is wrong can be said."""
    packet = catalog.layer(layer)(data)
    assert bytes(without_caches(packet)) == data
    assert all(isinstance(one, str) for one in notes(packet))
    return packet


def layers_in(packet: Any) -> int:
    """How many layers a packet is made of, Raw ones left out."""
    count, todo = 0, [packet]
    while todo:
        one = todo.pop()
        if not isinstance(one, Packet) or isinstance(one, Raw | NoPayload):
            continue
        count += 1
        for value in one.fields.values():
            todo += value if isinstance(value, list) else [value]
        todo.append(one.payload)
    return count


def views(node: Node, data: bytes) -> None:
    """Both views of a tree."""
    assert tree_to_json(node, data).startswith("{")
    out = io.StringIO()
    TreeView(Console(file=out, width=120)).tree(node, data)
    assert out.getvalue()


@pytest.fixture
def _few_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A low bound, so that many shapes can be read in little time; the worst are read with the real one."""
    monkeypatch.setattr(binary, "MAX_LAYERS", 500)
    monkeypatch.setattr(tree_module, "MAX_NODES", 500)


@pytest.mark.usefixtures("_few_layers")
@pytest.mark.parametrize("layer", catalog.CATALOG)
def test_every_shape_is_kept_and_shown(layer: str) -> None:
    """64 KB of each."""
    for name, made in shapes(layer).items():
        node = tree(read(layer, made(64 * KB)))
        assert sum(1 for _ in node.walk()) < 600, name


@pytest.mark.usefixtures("_few_layers")
@pytest.mark.parametrize("layer", [each for each in catalog.CATALOG if fillings(each)])
def test_text_of_every_sign_is_kept(layer: str) -> None:
    """64 KB of a sign again and again: an expression that goes back and forth over it would not come to an end."""
    for made in fillings(layer).values():
        data = made(64 * KB)
        assert bytes(without_caches(catalog.layer(layer)(data))) == data


@pytest.mark.parametrize("layer", catalog.CATALOG)
def test_shapes_cut_short_and_made_longer_are_kept(layer: str) -> None:
    """Lists that end inside an element, and octets behind the last one."""
    for made in shapes(layer).values():
        for data in variants(made(KB // 2)):
            read(layer, data)


@pytest.mark.parametrize(("layer", "name"), WORST)
def test_the_worst_shapes_of_a_megabyte_are_kept_and_shown(layer: str, name: str) -> None:
    """The layers of a message, and the nodes of its tree, have a bound whatever its size."""
    data = shapes(layer)[name](MB)
    packet = read(layer, data)
    assert layers_in(packet) <= 2 * MAX_LAYERS + 100  # each may have one more that has no octets of its own
    assert sum(1 for _ in tree(packet).walk()) < MAX_NODES + 100


def test_a_megabyte_can_be_viewed() -> None:
    """In a terminal and as JSON."""
    data = shapes("tls")["suites"](MB)
    views(tree(catalog.layer("tls")(data)), data)


def test_memory_is_bounded() -> None:
    """Layers and tree of a megabyte take less than 60 times its room."""
    layer = "rtcp"
    data = shapes(layer)["shortest packets"](MB)
    catalog.layer(layer)(data[:100])
    tracemalloc.start()
    try:
        packet = catalog.layer(layer)(data)
        node = tree(packet)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert node.children
    assert peak < 60 * len(data)


# --- growth ---------------------------------------------------------------------------------------


def steps(work: Callable[[], object]) -> int:
    """How many functions were called, of Python and of C."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(("layer", "name"), GROWING)
def test_the_work_grows_no_faster_than_the_size(layer: str, name: str) -> None:
    """Four times the octets take at most four times the steps, but for what is the same for every size."""

    def work(data: bytes) -> None:
        packet = catalog.layer(layer)(data)
        bytes(packet)
        notes(packet)
        tree(packet)

    small, large = (shapes(layer)[name](size) for size in (KB, 4 * KB))
    work(small)  # what is loaded or remembered at the first time
    few, many = steps(lambda: work(small)), steps(lambda: work(large))
    assert many <= 4.4 * few


# --- what is left out is said ---------------------------------------------------------------------


def test_items_behind_the_bound_of_a_list_are_said_to_be_left_out() -> None:
    """They stay in one raw layer at the end of the list."""
    data = b"\x16\x03\x03\0\1\0" * (MAX_ITEMS + 10)
    packet = read("tls", data)
    assert type(packet.records[-1]) is LeftOut
    left_out = f"TLS records: 60 octets at {6 * MAX_ITEMS} are not taken apart: too many layers"
    assert left_out in notes(packet)
    assert left_out in tree(packet).notes


def test_layers_behind_the_bound_of_a_message_are_said_to_be_left_out() -> None:
    """Lists in lists share one bound."""
    packet = read("tls", shapes("tls")["empty messages"](256 * KB))
    assert MAX_LAYERS <= layers_in(packet) <= 2 * MAX_LAYERS
    shown = [one for each in tree(packet).walk() for one in each.notes]
    for said in (notes(packet), shown):
        assert any(one.endswith("are not taken apart: too many layers") for one in said)


def test_words_behind_the_bound_of_a_line_are_said_to_be_left_out() -> None:
    """Of a line of text."""
    line = b"m=audio 1 RTP/AVP" + b" 0" * (PIECES_LIMIT + 5) + b"\r\n"
    packet = read("sdp", b"v=0\r\n" + line)
    assert any("10 octets" in one and one.endswith("are not taken apart: too many layers") for one in notes(packet))


def test_fields_behind_the_bound_of_a_tree_are_said_to_be_left_out() -> None:
    """The place is told where the tree ends."""
    node = tree(read("rtcp", shapes("rtcp")["extended report RLE"](MB)))
    assert any("are not shown: too many fields" in one for each in node.walk() for one in each.notes)


def test_a_long_list_of_numbers_says_how_many_there_are() -> None:
    """The first ones are shown."""
    node = tree(read("tls", shapes("tls")["suites"](16 * KB)))
    suites = next(each for each in node.walk() if each.name == "cipher_suites")
    assert suites.value.endswith(" … (8000 numbers)")
    assert suites.value.count(",") == MAX_NUMBERS - 1


def test_content_in_more_segments_than_layers_is_still_whole() -> None:
    """What a CMS message carries can't be hidden behind many short segments, nor behind a long list in front of it."""
    text = bytes(range(256)) * 20
    segments = der(0x24, b"".join(der(4, text[at : at + 1]) for at in range(len(text))))
    for digests in (b"", der(0x30, b"") * 3000):
        data = cms_signed(digests, content=der(0xA0, segments))
        content = read("cms", data).inner().encapContentInfo.eContent.octet_string
        assert content.joined() == text


def test_a_layer_with_many_notes_says_how_many_there_are() -> None:
    """`notes` gives all of them."""
    packet = read("sdp", b"v=0\r\n" + b"a=crypto:1 A inline:B\r\n" * 500)
    node = tree(packet)
    assert len(notes(packet)) >= 500
    assert node.notes[-1] == f"{len(notes(packet, inside=False)) - MAX_NOTES} more notes are not shown"
    assert len(node.notes) == MAX_NOTES + 1


def test_the_bound_of_a_message_ends_with_it() -> None:
    """A message that used up its layers leaves the next one all of its own."""
    read("tls", shapes("tls")["empty messages"](256 * KB))
    packet = read("tls", b"\x16\x03\x03\0\4\x0e\0\0\0")
    assert layers_in(packet) == 4
    assert notes(packet) == []

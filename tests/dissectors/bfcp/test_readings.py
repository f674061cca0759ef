"""A message of version 1 whose F bit is set is read as its octets say, with or without the fields of a fragment."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.bfcp.attributes.layers import FLOOR_ID, PARTICIPANT_PROVIDED_INFO
from dissectors.bfcp.framing import CommonHeader
from dissectors.bfcp.layers import BFCP, BFCPStream, FloorQuery, FloorRequest, Hello
from dissectors.bfcp.readings import Readings, common_header, readings
from dissectors.binary import notes
from tests.dissectors.caches import without_caches

HEADER = "2807{:04x}11223344007b00ea"
FLOORS = "0504000105040002"
RESERVED = bytes.fromhex(HEADER.format(1) + "05040002")
FIELDS = bytes.fromhex(HEADER.format(2) + "00000002" + FLOORS)
BOTH = bytes.fromhex(HEADER.format(2) + FLOORS)
PART = bytes.fromhex(HEADER.format(9) + "00040005" + "78" * 20)
HELLO = bytes.fromhex("280b0000112233440001000000000000")
NEITHER = bytes.fromhex(HEADER.format(3) + "00000003" + "05040001" + "05000002")

TAKEN = "FloorQuery at 0: F is set in version 1, which has no fragments; read with their fields, 16 octets of header"
AMBIGUOUS = (
    "FloorQuery at 0: F is set in version 1, ambiguous: read as reserved, 12 octets of header, "
    "but with the fields of a fragment, 16 octets, the attributes end exactly, too"
)


@pytest.mark.parametrize(
    ("octets", "expected", "fields", "floors", "said"),
    [
        (RESERVED, Readings(True, False), (b"", b""), [2], []),
        (FIELDS, Readings(False, True), (0, 2), [1, 2], [TAKEN]),
        (BOTH, Readings(True, True), (b"", b""), [1, 2], [AMBIGUOUS]),
        (PART, Readings(False, True), (4, 5), [], [TAKEN]),
        (HELLO, Readings(False, True), (0, 0), [], [TAKEN.replace("FloorQuery", "Hello")]),
        (
            NEITHER,
            Readings(False, False),
            (b"", b""),
            [],
            ["FloorQuery attributes: 12 octets at 12 are not explained"],
        ),
    ],
    ids=["reserved", "fields", "both", "part", "hello", "neither"],
)
def test_the_reading_is_taken_whose_attributes_end_exactly(
    octets: bytes, expected: Readings, fields: tuple[object, object], floors: list[int], said: list[str]
) -> None:
    assert readings(octets) == expected
    packet = without_caches(BFCP(octets))
    assert bytes(packet) == octets
    assert (packet.Fragment_Offset, packet.Fragment_Length) == fields
    assert [one.Floor_ID for one in packet.attributes if isinstance(one, FLOOR_ID)] == floors
    assert notes(packet) == said


def test_a_part_of_a_message_has_its_octets_as_they_are() -> None:
    assert BFCP(PART).Fragment == b"x" * 20
    assert BFCP(FIELDS).Fragment is None


def test_the_lean_header_has_the_fields_where_they_are_read() -> None:
    assert common_header(FIELDS) == CommonHeader(1, False, True, 7, 2, 0x11223344, 123, 234, 0, 2)
    assert common_header(FIELDS + FIELDS, len(FIELDS)) == common_header(FIELDS)
    assert common_header(BOTH) == CommonHeader(1, False, False, 7, 2, 0x11223344, 123, 234)
    assert common_header(FIELDS[:11]) is None
    assert readings(FIELDS[:11]) == readings(b"\x20" + FIELDS[1:]) == readings(b"\x48" + FIELDS[1:]) == Readings()
    assert readings(FIELDS[:15]) == Readings()


def test_a_message_of_version_1_is_built_with_the_fields_where_they_are_given() -> None:
    common = {"Ver": 1, "F": 1, "Conference_ID": 0x11223344, "Transaction_ID": 123, "User_ID": 234}
    floors = [FLOOR_ID(Floor_ID=1), FLOOR_ID(Floor_ID=2)]
    with_fields = FloorQuery(Fragment_Offset=0, attributes=floors, **common)
    assert bytes(with_fields) == FIELDS
    assert notes(with_fields) == [TAKEN]
    assert bytes(FloorQuery(attributes=floors, **common)) == BOTH
    part = FloorQuery(Payload_Length=9, Fragment_Offset=4, Fragment=b"x" * 20, **common)
    assert bytes(part) == PART
    assert bytes(Hello(F=1, Fragment_Offset=0, Conference_ID=0x11223344, Transaction_ID=1)) == HELLO


def test_a_message_that_was_read_with_the_fields_can_be_changed() -> None:
    packet = BFCP(FIELDS)
    packet.attributes.append(FLOOR_ID(Floor_ID=3))
    packet.Payload_Length = packet.Fragment_Length = None
    again = BFCP(bytes(packet))
    assert (again.Payload_Length, again.Fragment_Length, len(again.attributes)) == (3, 3, 3)
    packet.F = 0
    assert bytes(packet).hex() == "2007000311223344007b00ea" + FLOORS + "05040003"


def test_a_stream_is_cut_where_the_reading_says() -> None:
    octets = FIELDS + RESERVED + HELLO + b"\x20" + RESERVED[1:]
    stream = BFCPStream(octets)
    assert [bytes(one) for one in stream.messages] == [FIELDS, RESERVED, HELLO, b"\x20" + RESERVED[1:]]
    assert [one.Fragment_Length for one in stream.messages] == [2, b"", 0, b""]
    assert bytes(without_caches(stream)) == octets


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_message_with_the_fields_is_read_as_built(data: st.DataObject) -> None:
    """An offset of 0 cannot be the begin of an attribute, so that nothing is ambiguous."""
    floors = data.draw(st.lists(st.integers(0, 65_535), min_size=1, max_size=6))
    text = data.draw(st.text(max_size=20)).encode()
    built = FloorRequest(
        F=1,
        Fragment_Offset=0,
        attributes=[*(FLOOR_ID(Floor_ID=one) for one in floors), PARTICIPANT_PROVIDED_INFO(Text=text)],
    )
    octets = bytes(built)
    assert readings(octets) == Readings(False, True)
    packet = without_caches(BFCP(octets))
    assert bytes(packet) == octets
    assert [one.Floor_ID for one in packet.attributes[:-1]] == floors
    assert packet.attributes[-1].Text == text
    changed = bytearray(octets)
    for place in data.draw(st.lists(st.integers(1, len(octets) - 1), max_size=4)):
        changed[place] = data.draw(st.integers(0, 255))
    changed = changed[: data.draw(st.integers(1, len(changed)))]
    odd = without_caches(BFCP(bytes(changed)))
    assert bytes(odd) == bytes(odd.copy()) == changed
    assert all(isinstance(one, str) for one in notes(odd))


def test_reading_the_header_needs_no_scapy() -> None:
    code = "import sys, dissectors.bfcp.readings; assert 'scapy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

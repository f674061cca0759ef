"""The lean reading of BFCP's common header tells whole messages and fragments by their lengths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.bfcp.framing import CommonHeader, common_header, is_message, message_length
from dissectors.bfcp.layers import BFCP
from dissectors.bfcp.readings import common_header as header_by_what_is_there

FRAGMENTS = (
    "4801000911223344000700ea000000040504021f112078787878787878787878",
    "4801000911223344000700ea000400057878787878787878787878787878787878787878",
)


def test_a_header_is_read_field_by_field() -> None:
    assert common_header(bytes.fromhex("ff" + FRAGMENTS[1]), 1) == CommonHeader(
        2, False, True, 1, 9, 0x11223344, 7, 234, 4, 5
    )
    assert common_header(bytes.fromhex("500c000a11223344000100ea")) == (
        2,
        True,
        False,
        12,
        10,
        0x11223344,
        1,
        234,
        0,
        0,
    )
    assert common_header(bytes.fromhex("380c000a11223344000100ea")) == (
        1,
        True,
        False,
        12,
        10,
        0x11223344,
        1,
        234,
        0,
        0,
    )
    assert common_header(bytes(11)) is None
    assert common_header(bytes.fromhex(FRAGMENTS[1])[:15]) is None


@pytest.mark.parametrize("octets", FRAGMENTS)
def test_a_fragment_is_as_long_as_its_fragment_length_says(octets: str) -> None:
    """Not as the payload length says, which is that of the whole message."""
    data = bytes.fromhex(octets)
    assert message_length(data) == len(data)
    assert is_message(data)
    assert not is_message(data[:-4])
    assert not is_message(data + bytes(4))


@pytest.mark.parametrize(
    "octets",
    [
        "4801000911223344000700ea00050005" + "78" * 20,  # ends behind the whole message
        "4801000911223344000700ea0004",  # no fragment length
    ],
)
def test_a_fragment_that_does_not_fit_is_none(octets: str) -> None:
    assert message_length(bytes.fromhex(octets)) == 0


@given(st.binary(min_size=12, max_size=80))
def test_framing_and_layers_read_the_same_header(data: bytes) -> None:
    header = header_by_what_is_there(data)
    packet = BFCP(data)
    if header is not None:
        assert (packet.Ver, packet.R, packet.Primitive) == (header.version, header.responder, header.primitive)
        assert (packet.Payload_Length, packet.Conference_ID) == (header.payload_length, header.conference)
        assert (packet.Transaction_ID, packet.User_ID) == (header.transaction, header.user)
        if header.fragmented:
            assert (packet.Fragment_Offset, packet.Fragment_Length) == (header.fragment_offset, header.fragment_length)
        else:
            assert (packet.Fragment_Offset, packet.Fragment_Length) == (b"", b"")


def test_a_message_of_version_1_with_the_f_bit_is_one_in_either_reading() -> None:
    fragment = b"\x28" + bytes.fromhex(FRAGMENTS[1])[1:]
    assert is_message(fragment)
    assert not is_message(fragment[:-4])
    assert is_message(bytes.fromhex("2807000111223344007b00ea" + "00000001" + "05040002"))
    assert is_message(bytes.fromhex("2807000111223344007b00ea" + "05040002"))
    assert not is_message(bytes.fromhex("2807000111223344007b00ea" + "05010002"))

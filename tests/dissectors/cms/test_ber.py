"""Where BER values begin and end, on bytes alone."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.cms.ber import (
    content_type_of,
    dotted,
    extent,
    find_end_of_contents,
    length_octets,
    oid_octets,
    read_header,
)


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        ("0203", (0, False, 2, 2, 3)),
        ("308180", (0, True, 16, 3, 128)),
        ("30820100", (0, True, 16, 4, 256)),
        ("3080", (0, True, 16, 2, None)),
        ("0480", (0, False, 4, 2, 0)),
        ("a003", (2, True, 0, 2, 3)),
        ("1f810005", (0, False, 128, 4, 5)),
        ("30840000000a", (0, True, 16, 6, 10)),
    ],
)
def test_a_header_is_read(octets: str, header: tuple[int, bool, int, int, int | None]) -> None:
    assert read_header(bytes.fromhex(octets), 0, len(octets) // 2) == header


@pytest.mark.parametrize(
    "octets", ["", "30", "3081", "3082ff", "1f", "1f80", "1f80808080808000", "30890000000000000000ff"]
)
def test_a_header_that_is_not_there_is_none(octets: str) -> None:
    data = bytes.fromhex(octets)
    assert read_header(data, 0, len(data)) is None
    assert extent(data, 0, len(data)) is None


def test_an_end_of_contents_is_found_behind_the_values_inside() -> None:
    data = bytes.fromhex("040200003080050000000000")
    assert find_end_of_contents(data, 0, len(data)) == 10
    assert find_end_of_contents(data, 0, len(data) - 1) == -1
    assert find_end_of_contents(b"\x00\x01\x00", 0, 3) == -1


def test_an_extent_is_cut_to_what_is_there() -> None:
    found = extent(b"\x30\x05\x02\x01", 0, 4)
    assert found is not None
    assert (found.content, found.content_end, found.end, found.whole) == (2, 4, 4, False)


@given(st.integers(0, 1 << 40))
def test_a_length_in_its_shortest_form_is_read_again(length: int) -> None:
    octets = b"\x04" + length_octets(length)
    assert read_header(octets, 0, len(octets)) == (0, False, 4, len(octets), length)


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 70), max_size=10))
def test_an_object_identifier_is_written_and_read(first: int, second: int, rest: list[int]) -> None:
    text = ".".join(map(str, (first, second, *rest)))
    assert dotted(oid_octets(text)) == text


@pytest.mark.parametrize("text", ["", "1", "3.1", "0.40", "1.x", "1.2.-3"])
def test_what_is_no_object_identifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of int() or ours
        oid_octets(text)


@pytest.mark.parametrize("octets", ["", "80", "2a80", "5580 03", "2a" + "ff" * 30])
def test_octets_that_are_no_object_identifier_give_none(octets: str) -> None:
    assert dotted(bytes.fromhex(octets)) == ""


@pytest.mark.parametrize(
    ("octets", "content_type"),
    [
        ("300b06092a864886f70d010703", "1.2.840.113549.1.7.3"),
        ("308006092a864886f70d0107010000", "1.2.840.113549.1.7.1"),
        ("310b06092a864886f70d010703", ""),
        ("300b06092a8648", ""),
        ("3003020100", ""),
        ("", ""),
    ],
)
def test_the_content_type_is_read_without_layers(octets: str, content_type: str) -> None:
    assert content_type_of(bytes.fromhex(octets)) == content_type


def test_lean_modules_import_no_scapy() -> None:
    names = ["dissectors.cms.ber", "dissectors.cms.oids", "dissectors.cms.smime"]
    code = f"import sys, importlib; [importlib.import_module(one) for one in {names!r}]; print('scapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"

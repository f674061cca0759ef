"""Every code point of BFCP is decoded or shown by the name that RFC 8855 gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dissectors.bfcp.attributes.layers import ATTRIBUTE_LAYERS
from dissectors.bfcp.codes import ATTRIBUTES, ERROR_CODES, PRIMITIVES, PRIORITIES, REQUEST_STATUSES, VERSIONS
from dissectors.bfcp.layers import BFCP, MESSAGE_LAYERS
from dissectors.bfcp.registries import REGISTRIES
from dissectors.tree import clause, tree


def message(attributes: str, primitive: int = 11, first: int = 0x20) -> BFCP:
    """A message around attributes in hexadecimal digits."""
    octets = bytes.fromhex(attributes)
    head = bytes([first, primitive]) + (len(octets) // 4).to_bytes(2, "big")
    return BFCP(head + bytes.fromhex("11223344007b00ea") + octets)


def meaning(packet: BFCP, field: str) -> list[str]:
    """What the tree says of every field of a name."""
    return [node.meaning for node in tree(packet).walk() if node.name == field]


@pytest.mark.parametrize("code", PRIMITIVES)
def test_every_primitive_is_read_as_the_message_of_its_name(code: int) -> None:
    packet = message("", code)
    assert type(packet) is MESSAGE_LAYERS[code]
    assert (packet.name, type(packet).__name__) == (PRIMITIVES[code], PRIMITIVES[code])
    assert meaning(packet, "Primitive") == [PRIMITIVES[code]]
    assert clause(type(packet)) == f"RFC 8855 §5.3.{code}"
    assert type(packet)().Primitive == code


@pytest.mark.parametrize("code", ATTRIBUTES)
def test_every_attribute_is_read_as_the_layer_of_its_name(code: int) -> None:
    (attribute,) = message(f"{code * 2 + 1:02x}040102").attributes
    assert type(attribute) is ATTRIBUTE_LAYERS[code]
    assert (attribute.name, type(attribute).__name__.replace("_", "-")) == (ATTRIBUTES[code], ATTRIBUTES[code])
    assert (attribute.Type, attribute.M, attribute.Length) == (code, 1, 4)
    assert clause(type(attribute)) == f"RFC 8855 §5.2.{code}"
    assert type(attribute)().Type == code


@pytest.mark.parametrize("code", REQUEST_STATUSES)
def test_every_request_status_is_shown_by_name(code: int) -> None:
    assert meaning(message(f"0b04{code:02x}07"), "Request_Status") == [REQUEST_STATUSES[code]]


@pytest.mark.parametrize("code", ERROR_CODES)
def test_every_error_code_is_shown_by_name(code: int) -> None:
    assert meaning(message(f"0d03{code:02x}00"), "Error_Code") == [ERROR_CODES[code]]


@pytest.mark.parametrize("code", PRIORITIES)
def test_every_priority_is_shown_by_name(code: int) -> None:
    assert meaning(message(f"0904{code << 5:02x}00"), "Prio") == [PRIORITIES[code]]


@pytest.mark.parametrize("code", VERSIONS)
def test_every_version_is_shown_by_name(code: int) -> None:
    assert meaning(message("", first=code << 5), "Ver") == [VERSIONS[code]]


def test_values_without_a_name_stay_printable() -> None:
    assert meaning(message("", 0), "Primitive") == ["unknown (0)"]
    assert meaning(message("", 255), "Primitive") == ["unknown (255)"]
    assert meaning(message("", first=0x60), "Ver") == ["unknown (3)"]
    assert meaning(message("0b04080d03ff0000"), "Request_Status") == ["unknown (8)"]
    assert meaning(message("0d03ff00"), "Error_Code") == ["unknown (255)"]
    assert meaning(message("0904e000"), "Prio") == ["unknown (7), read as Highest"]
    assert meaning(message("c904abcd"), "Type") == ["unknown (100)"]


def test_the_registries_have_all_code_points_and_name_tests_that_exist() -> None:
    assert [(one.name, len(one.names)) for one in REGISTRIES] == [
        ("BFCP Primitives", 17),
        ("BFCP Attributes", 18),
        ("BFCP Request Status", 7),
        ("BFCP Error Codes", 14),
        ("BFCP priorities", 5),
        ("BFCP versions", 2),
    ]
    for one in REGISTRIES:
        path, function = one.test.split("::")
        assert (Path(__file__).parents[3] / path) == Path(__file__)
        assert function in globals()
        assert all(one.state(code) == ("named" if one.layers is None else "decoded") for code in one.names)

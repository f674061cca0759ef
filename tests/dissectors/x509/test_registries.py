"""Every code point of certificates is named or decoded as the registries say."""

from __future__ import annotations

import pytest

from dissectors.cms.asn1.layers import OctetString
from dissectors.cms.ber import length_octets, oid_octets
from dissectors.tree import tree
from dissectors.x509.extensions.layers import EXTENSION_VALUES, KEY_USAGES, Extension, KeyUsage
from dissectors.x509.layers import VERSIONS, Version
from dissectors.x509.names.layers import GENERAL_NAMES, GeneralNames, ObjectIdentifier
from dissectors.x509.oids import EXTENSIONS, NAMES
from dissectors.x509.registries import REGISTRIES


def der(tag: int, content: bytes) -> bytes:
    """A value in DER."""
    return bytes([tag]) + length_octets(len(content)) + content


def meanings(layer: object) -> str:
    """What the nodes of a layer stand for."""
    return " ".join(node.meaning for node in tree(layer).walk())


@pytest.mark.parametrize(("oid", "name"), NAMES.items())
def test_every_object_identifier_is_shown_by_name(oid: str, name: str) -> None:
    layer = ObjectIdentifier(der(6, oid_octets(oid)))
    assert layer.value == oid
    assert f"{name} ({oid})" in meanings(layer)


@pytest.mark.parametrize("oid", EXTENSIONS)
def test_every_extension_is_read(oid: str) -> None:
    layer = EXTENSION_VALUES.get(oid, OctetString)
    tag = layer.default_tag[0] << 6 | layer.default_tag[1] << 5 | layer.default_tag[2]
    content = b"\x00" if tag == 3 else b""
    read = Extension(der(0x30, der(6, oid_octets(oid)) + der(4, der(tag, content))))
    assert type(read.extnValue.value) is layer


@pytest.mark.parametrize("number", range(9))
def test_every_general_name_is_chosen_by_its_tag(number: int) -> None:
    registry = next(one for one in REGISTRIES if one.name == "X.509 GeneralName alternatives")
    names = GeneralNames(der(0x30, der(0x80 | number, b"")))
    assert (type(names.items[0]) is GENERAL_NAMES.get(number)) is (registry.state(number) == "decoded")
    assert number not in GENERAL_NAMES or names.items[0].name == registry.names[number]


@pytest.mark.parametrize(("number", "name"), VERSIONS.items())
def test_every_version_is_shown_by_name(number: int, name: str) -> None:
    assert name in meanings(Version(der(2, bytes([number]))))


@pytest.mark.parametrize("bit", range(9))
def test_every_key_usage_is_shown_by_name(bit: int) -> None:
    octets = (1 << 15 - bit).to_bytes(2, "big")
    assert meanings(KeyUsage(der(3, b"\x00" + octets))).split()[-1] == KEY_USAGES[bit]


def test_every_registry_accounts_for_every_entry() -> None:
    for registry in REGISTRIES:
        for code in registry.names:
            assert registry.state(code) != "raw", (registry.name, code)

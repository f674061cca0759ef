"""Every code point of CMS is named, decoded, or kept for the reason that the registry gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissectors.binary import notes
from dissectors.cms.asn1.layers import Element, ObjectIdentifier, SetValue, tag_name
from dissectors.cms.ber import TAG_CLASSES, UNIVERSAL_TAGS
from dissectors.cms.layers import (
    CMS,
    CONTENT_TYPES,
    PARAMETERS,
    RECIPIENT_INFOS,
    VERSIONS,
    AlgorithmIdentifier,
    CMSVersion,
    RecipientInfos,
)
from dissectors.cms.oids import CONTENT_TYPE, OIDS, is_aead, kind_of, name_of
from dissectors.cms.registries import REGISTRIES
from dissectors.cms.smime import MEDIA_TYPES, SMIME_TYPES, cms_bodies

if TYPE_CHECKING:
    from dissectors.registry import Registry


def tlv(tag: int, content: bytes) -> bytes:
    """A short value."""
    return bytes([tag, len(content)]) + content


@pytest.mark.parametrize("oid", [oid for oid, known in OIDS.items() if known.kind == CONTENT_TYPE])
def test_every_content_type_is_named_and_decoded_or_kept(oid: str) -> None:
    layer = CONTENT_TYPES.get(oid)
    value = bytes([layer.default_tag[2] | layer.default_tag[1] << 5, 0]) if layer else b"\x30\x00"
    data = tlv(0x30, bytes(ObjectIdentifier(value=oid)) + tlv(0xA0, value))
    message = CMS(data)
    assert bytes(message) == data
    assert f"{OIDS[oid].name} ({oid})" in message.show(dump=True)
    if layer is not None:
        assert type(message.inner()) is layer


@pytest.mark.parametrize("oid", OIDS)
def test_every_object_identifier_is_shown_by_name(oid: str) -> None:
    layer = ObjectIdentifier(bytes(ObjectIdentifier(value=oid)))
    assert layer.value == oid
    assert f"{OIDS[oid].name} ({oid})" in layer.show(dump=True)
    assert (name_of(oid), kind_of(oid)) == OIDS[oid][:2]
    assert OIDS[oid].source.startswith("RFC ")


def test_an_unknown_object_identifier_is_said_to_be_unknown() -> None:
    assert (name_of("1.2.3"), kind_of("1.2.3"), is_aead("1.2.3")) == ("unknown", "", False)
    assert [oid for oid in OIDS if is_aead(oid)] == [
        *(f"2.16.840.1.101.3.4.1.{number}" for number in (7, 27, 47, 6, 26, 46)),
        "1.2.840.113549.1.9.16.3.18",
    ]


@pytest.mark.parametrize("oid", PARAMETERS)
def test_every_algorithm_with_parameters_has_their_layer(oid: str) -> None:
    kind = PARAMETERS[oid]
    value = bytes([kind.default_tag[2] | kind.default_tag[1] << 5, 0])
    data = tlv(0x30, bytes(ObjectIdentifier(value=oid)) + value)
    layer = AlgorithmIdentifier(data)
    assert type(layer.parameters) is kind
    assert bytes(layer) == data
    other = AlgorithmIdentifier(tlv(0x30, bytes(ObjectIdentifier(value=oid)) + b"\x05\x00"))
    assert other.parameters.name == "NULL"


@pytest.mark.parametrize("tag", RECIPIENT_INFOS)
def test_every_recipient_info_is_chosen_by_its_tag(tag: tuple[int, int]) -> None:
    (one,) = RecipientInfos(tlv(0x31, bytes([tag[0] << 6 | 0x20 | tag[1], 0]))).items
    assert type(one) is RECIPIENT_INFOS[tag]


def test_a_recipient_info_with_another_tag_is_kept() -> None:
    (one,) = RecipientInfos(b"\x31\x02\xa5\x00").items
    assert type(one) is Element


@pytest.mark.parametrize("number", VERSIONS)
def test_every_version_is_shown_by_name(number: int) -> None:
    layer = CMSVersion(bytes([2, 1, number]))
    assert layer.value == number
    assert f"v{number}" in layer.show(dump=True)


@pytest.mark.parametrize("number", UNIVERSAL_TAGS)
def test_every_universal_tag_is_read(number: int) -> None:
    primitive = number not in (8, 11, 16, 17, 29)
    data = tlv(0x31, bytes([number | (0 if primitive else 0x20), 1 if primitive else 0]) + b"a" * primitive)
    (one,) = SetValue(data).elements
    assert one.tag_number == number
    assert tag_name(one.tag_class, one.tag_number) == UNIVERSAL_TAGS[number]
    assert bytes(SetValue(data)) == data
    assert notes(SetValue(data)) == []


@pytest.mark.parametrize("number", TAG_CLASSES)
def test_every_tag_class_is_shown_by_name(number: int) -> None:
    layer = Element(bytes([number << 6 | 1, 0]))
    assert layer.tag_class == number
    assert TAG_CLASSES[number] in layer.show(dump=True)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize("smime_type", SMIME_TYPES)
def test_every_media_type_and_smime_type_is_recognised(media_type: bytes, smime_type: bytes) -> None:
    data = tlv(0x30, bytes(ObjectIdentifier(value=SMIME_TYPES[smime_type])))
    head = b"\r\nContent-Type: " + media_type + b"; smime-type=" + smime_type + b"\r\n"
    (body,) = cms_bodies(head, data)
    assert (body.content_type, body.smime_type, body.data) == (SMIME_TYPES[smime_type], smime_type, data)
    assert body.notes == ()


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda one: one.name)
def test_every_registry_gives_a_reason_for_what_is_raw(registry: Registry) -> None:
    states = {code: registry.state(code) for code in registry.names}
    assert [code for code, state in states.items() if state == "raw"] == []

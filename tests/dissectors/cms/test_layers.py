"""CMS layers keep every octet of DER and BER, name what they read, can be built, and never run away."""

from __future__ import annotations

import inspect
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Raw

from dissectors.binary import notes
from dissectors.cms import layers
from dissectors.cms.asn1 import layers as asn1
from dissectors.cms.asn1.layers import Element, Encoded, Integer, ObjectIdentifier, OctetString, forget_lengths
from dissectors.cms.fields import EncodedLength
from dissectors.cms.layers import (
    CMS,
    AlgorithmIdentifier,
    AuthEnvelopedData,
    CMSVersion,
    Content,
    EncryptedContentInfo,
    EncryptedData,
    EnvelopedData,
    GCMParameters,
    InitializationVector,
    KEKIdentifier,
    KEKRecipientInfo,
    RecipientInfos,
)
from dissectors.tree import tree
from tests.dissectors.caches import without_caches

LAYERS = sorted(
    {
        one
        for module in (layers, asn1)
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Encoded) and one is not Encoded
    },
    key=lambda one: one.__name__,
)


def tlv(tag: int, *content: bytes) -> bytes:
    """A value in DER."""
    body = b"".join(content)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def indefinite(tag: int, *content: bytes) -> bytes:
    """A value of indefinite length."""
    return bytes([tag, 0x80]) + b"".join(content) + b"\x00\x00"


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER, by the layer that is tested elsewhere."""
    return bytes(ObjectIdentifier(value=text))


AES128_WRAP = tlv(0x30, oid("2.16.840.1.101.3.4.1.5"))
KEKRI = tlv(
    0xA2,
    b"\x02\x01\x04",
    tlv(
        0x30,
        tlv(0x04, b"\xc0\xff\xee"),
        tlv(0x18, b"20260101000000Z"),
        tlv(0x30, oid("1.2.3.4"), tlv(0x0C, b"other")),
    ),
    AES128_WRAP,
    tlv(0x04, bytes(range(40))),
)
GCM = tlv(0x30, oid("2.16.840.1.101.3.4.1.46"), tlv(0x30, tlv(0x04, bytes(12)), b"\x02\x01\x10"))
CBC = tlv(0x30, oid("2.16.840.1.101.3.4.1.2"), tlv(0x04, bytes(range(16))))
DATA = oid("1.2.840.113549.1.7.1")
ATTRIBUTE = tlv(0x30, oid("1.2.840.113549.1.9.3"), tlv(0x31, DATA))
ISSUER = tlv(0x30, tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x0C, b"lab")))), b"\x02\x02\x12\x34")
KTRI = tlv(0x30, b"\x02\x01\x00", ISSUER, tlv(0x30, oid("1.2.840.113549.1.1.1"), b"\x05\x00"), tlv(0x04, bytes(8)))
KTRI_SKI = tlv(0x30, b"\x02\x01\x02", tlv(0x80, b"ski"), tlv(0x30, oid("1.2.840.113549.1.1.7"), tlv(0x30)), tlv(4))
KARI = tlv(
    0xA1,
    b"\x02\x01\x03",
    tlv(0xA0, tlv(0xA1, tlv(0x30, oid("1.2.840.10045.2.1")), tlv(0x03, b"\x00\x04abcd"))),
    tlv(0xA1, tlv(0x04, b"ukm")),
    tlv(0x30, oid("1.3.132.1.11.1"), AES128_WRAP),
    tlv(0x30, tlv(0x30, tlv(0xA0, tlv(0x04, b"ski")), tlv(0x04, bytes(24))), tlv(0x30, ISSUER, tlv(0x04, bytes(24)))),
)
PWRI = tlv(
    0xA3,
    b"\x02\x01\x00",
    tlv(0xA0, oid("1.2.840.113549.1.5.12"), tlv(0x30, tlv(0x04, b"salt"), b"\x02\x02\x08\x00")),
    tlv(0x30, oid("1.2.840.113549.1.9.16.3.9"), CBC),
    tlv(0x04, bytes(32)),
)
ORI = tlv(0xA4, oid("1.2.840.113549.1.9.16.13.1"), tlv(0x30, b"\x02\x01\x00"))
CERTS = tlv(0xA0, tlv(0xA0, tlv(0x30, b"certificate")), tlv(0xA1, tlv(0x30, b"crl")))


def content_info(kind: str, *content: bytes) -> bytes:
    """A whole message."""
    return tlv(0x30, oid(kind), tlv(0xA0, tlv(0x30, *content)))


AUTH_ENVELOPED = content_info(
    "1.2.840.113549.1.9.16.1.23",
    b"\x02\x01\x00",
    tlv(0x31, KEKRI),
    tlv(0x30, DATA, GCM, tlv(0x80, b"ABC")),
    tlv(0xA1, ATTRIBUTE),
    tlv(0x04, bytes(16)),
    tlv(0xA2, ATTRIBUTE),
)
ENVELOPED = content_info(
    "1.2.840.113549.1.7.3",
    b"\x02\x01\x03",
    CERTS,
    tlv(0x31, KTRI, KTRI_SKI, KARI, KEKRI, PWRI, ORI),
    tlv(0x30, DATA, CBC),
    tlv(0xA1, ATTRIBUTE),
)
ENCRYPTED = content_info("1.2.840.113549.1.7.6", b"\x02\x01\x00", tlv(0x30, DATA, CBC, tlv(0x80, bytes(16))))
SIGNED = content_info(
    "1.2.840.113549.1.7.2",
    b"\x02\x01\x01",
    tlv(0x31, tlv(0x30, oid("2.16.840.1.101.3.4.2.1"))),
    tlv(0x30, DATA, tlv(0xA0, tlv(0x04, b"hello"))),
    tlv(0xA0, tlv(0x30, b"certificate")),
    tlv(0xA1, tlv(0x30, b"crl")),
    tlv(
        0x31,
        tlv(
            0x30,
            b"\x02\x01\x01",
            ISSUER,
            tlv(0x30, oid("2.16.840.1.101.3.4.2.1")),
            tlv(0xA0, ATTRIBUTE),
            tlv(0x30, oid("1.2.840.113549.1.1.11")),
            tlv(0x04, b"signature"),
            tlv(0xA1, ATTRIBUTE),
        ),
    ),
)
DIGESTED = content_info(
    "1.2.840.113549.1.7.5",
    b"\x02\x01\x00",
    tlv(0x30, oid("1.3.14.3.2.26"), b"\x05\x00"),
    tlv(0x30, DATA, tlv(0xA0, tlv(0x04, b"hello"))),
    tlv(0x04, bytes(20)),
)
AUTHENTICATED = content_info(
    "1.2.840.113549.1.9.16.1.2",
    b"\x02\x01\x00",
    CERTS,
    tlv(0x31, KEKRI),
    tlv(0x30, oid("1.3.6.1.5.5.8.1.2")),
    tlv(0xA1, oid("1.3.14.3.2.26")),
    tlv(0x30, DATA, tlv(0xA0, tlv(0x04, b"hello"))),
    tlv(0xA2, ATTRIBUTE),
    tlv(0x04, bytes(20)),
    tlv(0xA3, ATTRIBUTE),
)
COMPRESSED = content_info(
    "1.2.840.113549.1.9.16.1.9",
    b"\x02\x01\x00",
    tlv(0x30, oid("1.2.840.113549.1.9.16.3.8")),
    tlv(0x30, DATA, tlv(0xA0, tlv(0x04, b"\x78\x9c"))),
)
STREAMED = indefinite(
    0x30,
    oid("1.2.840.113549.1.7.3"),
    indefinite(
        0xA0,
        indefinite(
            0x30,
            b"\x02\x01\x02",
            tlv(0x31, KEKRI),
            indefinite(0x30, DATA, CBC, indefinite(0xA0, tlv(0x04, bytes(8)), tlv(0x04, b"12345678"))),
        ),
    ),
)
PLAIN = tlv(0x30, DATA, tlv(0xA0, tlv(0x04, b"hello")))
MESSAGES = {
    "AuthEnvelopedData": AUTH_ENVELOPED,
    "EnvelopedData": ENVELOPED,
    "EncryptedData": ENCRYPTED,
    "SignedData": SIGNED,
    "DigestedData": DIGESTED,
    "AuthenticatedData": AUTHENTICATED,
    "CompressedData": COMPRESSED,
    "OCTET STRING": PLAIN,
}


def mutated(data: st.DataObject, octets: bytes) -> bytes:
    """A message with some octets replaced, cut out or put in."""
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(octets)))
        gone = data.draw(st.integers(0, 3))
        octets = octets[:at] + data.draw(st.binary(max_size=4)) + octets[at + gone :]
    return octets


@pytest.mark.parametrize("name", MESSAGES)
def test_every_content_type_is_read_without_a_note(name: str) -> None:
    message = CMS(MESSAGES[name])
    assert message.inner().name == name
    assert bytes(without_caches(message)) == MESSAGES[name]
    assert bytes(message.copy()) == MESSAGES[name]
    assert notes(message) == []
    assert [one for one in tree(message).walk() if one.notes] == []


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Encoded], data: st.DataObject) -> None:
    seeds = [*MESSAGES.values(), STREAMED, KEKRI, KARI, PWRI, ORI, GCM, ISSUER, ATTRIBUTE]
    octets = mutated(data, data.draw(st.sampled_from(seeds))) or b"0"
    packet = without_caches(layer(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    shown = tree(packet)
    assert (shown.offset, shown.length) == (0, len(octets))
    packet.show(dump=True)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_message_is_kept_to_the_octet(data: st.DataObject) -> None:
    octets = mutated(data, data.draw(st.sampled_from([*MESSAGES.values(), STREAMED]))) or b"\x00"
    packet = without_caches(CMS(octets))
    assert bytes(packet) == octets
    notes(packet)


@settings(max_examples=200, deadline=None)
@given(octets=st.binary(min_size=1, max_size=80))
def test_any_octets_are_kept(octets: bytes) -> None:
    for layer in (CMS, Element, OctetString):
        assert bytes(without_caches(layer(octets))) == octets


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Encoded]) -> None:
    built = bytes(layer())
    again = layer(built)
    assert bytes(without_caches(again)) == built
    assert again.length == len(built) - 2
    assert (again.tag_class, again.constructed, again.tag_number) == layer.default_tag


def test_a_kek_recipient_is_taken_apart_to_its_fields() -> None:
    envelope = CMS(AUTH_ENVELOPED).inner()
    assert isinstance(envelope, AuthEnvelopedData)
    (recipient,) = envelope.recipientInfos.items
    assert isinstance(recipient, KEKRecipientInfo)
    assert recipient.version.value == 4
    assert recipient.kekid.keyIdentifier.octets == b"\xc0\xff\xee"
    assert recipient.kekid.date.text == b"20260101000000Z"
    assert recipient.kekid.other.keyAttrId.value == "1.2.3.4"
    assert recipient.kekid.other.keyAttr.octets == b"other"
    assert recipient.keyEncryptionAlgorithm.algorithm.value == "2.16.840.1.101.3.4.1.5"
    assert recipient.encryptedKey.octets == bytes(range(40))
    cipher = envelope.authEncryptedContentInfo.contentEncryptionAlgorithm
    assert isinstance(cipher.parameters, GCMParameters)
    assert cipher.parameters.aes_nonce.octets == bytes(12)
    assert cipher.parameters.aes_ICVlen.value == 16
    assert envelope.authEncryptedContentInfo.encryptedContent.octets == b"ABC"
    assert envelope.authAttrs.items[0].attrType.value == "1.2.840.113549.1.9.3"
    assert envelope.mac.octets == bytes(16)
    assert len(envelope.unauthAttrs.items) == 1


def test_all_kinds_of_recipients_are_told_apart() -> None:
    envelope = CMS(ENVELOPED).inner()
    assert isinstance(envelope, EnvelopedData)
    ktri, by_key, kari, kekri, pwri, ori = envelope.recipientInfos.items
    assert [one.name for one in envelope.recipientInfos.items] == [
        "KeyTransRecipientInfo",
        "KeyTransRecipientInfo",
        "KeyAgreeRecipientInfo",
        "KEKRecipientInfo",
        "PasswordRecipientInfo",
        "OtherRecipientInfo",
    ]
    assert ktri.rid.serialNumber.value == 0x1234
    assert by_key.rid.octets == b"ski"
    assert kari.originator.identifier.publicKey.octets == b"\x00\x04abcd"
    assert kari.ukm.ukm.octets == b"ukm"
    assert kari.keyEncryptionAlgorithm.parameters.algorithm.value == "2.16.840.1.101.3.4.1.5"
    assert kari.recipientEncryptedKeys.items[0].rid.subjectKeyIdentifier.octets == b"ski"
    assert pwri.keyDerivationAlgorithm.parameters.iterationCount.value == 2048
    assert isinstance(pwri.keyEncryptionAlgorithm.parameters.parameters, InitializationVector)
    assert ori.oriType.value == "1.2.840.113549.1.9.16.13.1"
    assert kekri.version.value == 4
    assert envelope.encryptedContentInfo.encryptedContent is None
    assert envelope.originatorInfo.certs.items[0].octets == b"certificate"


def test_indefinite_lengths_and_segments_are_read() -> None:
    message = CMS(STREAMED)
    assert bytes(without_caches(message)) == STREAMED
    assert notes(message) == []
    assert message.length == -1
    assert message.end_of_contents == b"\x00\x00"
    content = message.inner().encryptedContentInfo.encryptedContent
    assert [one.octets for one in content.segments] == [bytes(8), b"12345678"]
    assert content.joined() == bytes(8) + b"12345678"


def test_lengths_that_are_not_the_shortest_are_kept() -> None:
    long = b"\x30\x84\x00\x00\x00\x05" + b"\x02\x81\x01\x07" + b"\x05"
    packet = Element(long)
    assert bytes(without_caches(packet)) == long
    assert packet.length == 5
    assert packet.elements[0].length == 1
    assert packet.elements[0].value == 7
    assert bytes(packet.elements[0].length.octets) == b"\x81\x01"


def test_trailing_octets_and_short_ends_are_kept_and_said() -> None:
    behind = CMS(ENCRYPTED + b"garbage")
    assert behind.payload == Raw(b"garbage")
    assert notes(behind) == [f"CMS: 7 octets at {len(ENCRYPTED)} are not explained"]
    short = CMS(ENCRYPTED[:-4])
    assert bytes(without_caches(short)) == ENCRYPTED[:-4]
    assert f"CMS at 0: length says {len(ENCRYPTED) - 2} octets, {len(ENCRYPTED) - 6} are there" in notes(short)
    open_end = CMS(STREAMED[:-1])
    assert bytes(without_caches(open_end)) == STREAMED[:-1]
    assert "CMS at 0: no end-of-contents octets were found" in notes(open_end)


def test_a_missing_component_is_named() -> None:
    message = content_info("1.2.840.113549.1.7.6", b"\x02\x01\x00")
    assert notes(CMS(message)) == [f"EncryptedData at {len(message) - 5}: encryptedContentInfo is missing"]


def test_an_integer_that_is_not_in_its_shortest_form_stays_octets() -> None:
    assert Integer(b"\x02\x01\x80").value == -128
    assert Integer(b"\x02\x02\x00\x80").value == 128
    assert Integer(b"\x02\x02\x00\x01").value == b"\x00\x01"
    assert Integer(b"\x02\x09" + bytes(9)).value == bytes(9)
    assert bytes(Integer(value=-129)) == b"\x02\x02\xff\x7f"


def test_an_object_identifier_is_shown_by_name_and_kept() -> None:
    assert ObjectIdentifier(b"\x06\x03\x55\x04\x03").value == "2.5.4.3"
    assert ObjectIdentifier(b"\x06\x03\x55\x80\x03").value == b"\x55\x80\x03"
    assert ObjectIdentifier(b"\x06\x01\x80").value == b"\x80"
    assert ObjectIdentifier(b"\x06\x00").value == b""
    assert "id-envelopedData (1.2.840.113549.1.7.3)" in CMS(ENVELOPED).show(dump=True)


def test_tag_numbers_of_more_octets_are_kept() -> None:
    data = b"\xbf\x81\x00\x03\x02\x01\x05"
    packet = Element(data)
    assert packet.high_tag_number == b"\x81\x00"
    assert packet.elements[0].value == 5
    assert bytes(without_caches(packet)) == data


def test_a_message_is_built_from_layers_with_computed_lengths() -> None:
    cipher = AlgorithmIdentifier(
        algorithm=ObjectIdentifier(value="2.16.840.1.101.3.4.1.2"), parameters=InitializationVector(octets=bytes(16))
    )
    content = EncryptedContentInfo(
        contentType=ObjectIdentifier(value="1.2.840.113549.1.7.1"),
        contentEncryptionAlgorithm=cipher,
        encryptedContent=OctetString(octets=bytes(16)),
    )
    recipient = KEKRecipientInfo(
        version=CMSVersion(value=4),
        kekid=KEKIdentifier(keyIdentifier=OctetString(octets=b"\xc0\xff\xee")),
        keyEncryptionAlgorithm=AlgorithmIdentifier(algorithm=ObjectIdentifier(value="2.16.840.1.101.3.4.1.5")),
        encryptedKey=OctetString(octets=bytes(24)),
    )
    built = CMS(
        contentType=ObjectIdentifier(value="1.2.840.113549.1.7.3"),
        content=Content(
            value=EnvelopedData(
                version=CMSVersion(value=2),
                recipientInfos=RecipientInfos(items=[recipient]),
                encryptedContentInfo=content,
            )
        ),
    )
    kekri = tlv(0xA2, b"\x02\x01\x04", tlv(0x30, tlv(0x04, b"\xc0\xff\xee")), AES128_WRAP, tlv(0x04, bytes(24)))
    assert bytes(built) == content_info(
        "1.2.840.113549.1.7.3",
        b"\x02\x01\x02",
        tlv(0x31, kekri),
        tlv(0x30, DATA, tlv(0x30, oid("2.16.840.1.101.3.4.1.2"), tlv(0x04, bytes(16))), tlv(0x80, bytes(16))),
    )
    again = CMS(bytes(built))
    assert notes(again) == []
    assert again.inner().encryptedContentInfo.encryptedContent.tag_class == 2


def test_a_changed_length_inside_is_carried_outwards_when_lengths_are_computed() -> None:
    message = CMS(ENCRYPTED)
    inner = message.inner()
    assert isinstance(inner, EncryptedData)
    inner.encryptedContentInfo.encryptedContent.octets = bytes(200)
    forget_lengths(message)
    again = CMS(bytes(message))
    assert notes(again) == []
    assert again.inner().encryptedContentInfo.encryptedContent.octets == bytes(200)


def test_a_streamed_message_becomes_der_when_its_lengths_are_forgotten() -> None:
    message = CMS(STREAMED)
    forget_lengths(message)
    again = CMS(bytes(message))
    assert notes(again) == []
    assert again.length == len(bytes(message)) - 3
    assert again.inner().encryptedContentInfo.encryptedContent.joined() == bytes(8) + b"12345678"


def test_a_length_given_as_a_number_is_written_in_its_shortest_form() -> None:
    assert bytes(OctetString(octets=b"ab", length=5)) == b"\x04\x05ab"
    assert bytes(OctetString(octets=bytes(200)))[:3] == b"\x04\x81\xc8"
    assert EncodedLength(5, b"\x81\x05").octets == b"\x81\x05"


def seconds(octets: bytes) -> float:
    """How long reading, building and noting takes."""
    begin = time.perf_counter()
    packet = CMS(octets)
    assert bytes(packet) == octets
    notes(packet)
    return time.perf_counter() - begin


@pytest.mark.parametrize(
    "octets",
    [
        b"\x30\x80" * 20_000,
        b"\x30\x84\x7f\xff\xff\xff" * 5_000,
        b"\x30\x80" + b"\x05\x00" * 100_000 + b"\x00\x00",
        b"\x30\x83\x03\x0d\x40" + b"\x30\x80\x00\x00" * 50_000,
        b"\x30\x80" + b"\x30\x80\x05\x00\x00\x00" * 2_000,
        b"\x24\x80" * 500 + b"\x04\x01a" * 2_000,
        b"\x30\x80" * 14 + b"\x05\x00" * 3_000,
    ],
    ids=["nested", "long lengths", "many values", "many empty", "many indefinite", "segments", "deep and many"],
)
def test_hostile_nesting_and_numbers_are_bounded(octets: bytes) -> None:
    assert seconds(octets) < 8


def test_depth_is_bounded_and_said() -> None:
    deep = b"\x05\x00"
    for _ in range(40):
        deep = tlv(0x30, deep)
    packet = Element(deep)
    assert bytes(without_caches(packet)) == deep
    assert any("are not explained" in text for text in notes(packet))

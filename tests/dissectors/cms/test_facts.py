"""What protects a message, as plain values, from well-formed, broken and foreign layers."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Raw

from dissectors.cms.asn1.layers import ObjectIdentifier
from dissectors.cms.facts import Algorithm, MessageFacts, Recipient, facts, facts_of
from dissectors.cms.layers import CMS


def tlv(tag: int, *content: bytes) -> bytes:
    """A value with a length in two octets, which BER allows."""
    body = b"".join(content)
    return bytes([tag, 0x82]) + len(body).to_bytes(2, "big") + body


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    return bytes(ObjectIdentifier(value=text))


KEKRI = tlv(
    0xA2,
    b"\x02\x01\x04",
    tlv(0x30, tlv(0x04, b"key 1")),
    tlv(0x30, oid("2.16.840.1.101.3.4.1.5")),
    tlv(0x04, bytes(24)),
)
SKI = tlv(0x80, b"ski")
KTRI = tlv(0x30, b"\x02\x01\x02", SKI, tlv(0x30, oid("1.2.840.113549.1.1.1"), b"\x05\x00"), tlv(0x04, bytes(256)))
ORI = tlv(0xA4, oid("1.2.840.113549.1.9.16.13.1"), b"\x05\x00")
UNKNOWN = tlv(0xA7, b"\x05\x00")
GCM = tlv(0x30, oid("2.16.840.1.101.3.4.1.6"), tlv(0x30, tlv(0x04, bytes(12))))
CBC = tlv(0x30, oid("2.16.840.1.101.3.4.1.2"), tlv(0x04, bytes(16)))
DATA = oid("1.2.840.113549.1.7.1")


def message(kind: str, *content: bytes) -> bytes:
    """A whole message."""
    return tlv(0x30, oid(kind), tlv(0xA0, tlv(0x30, *content)))


ENVELOPED = message("1.2.840.113549.1.7.3", b"\x02\x01\x02", tlv(0x31, KEKRI, KTRI, ORI, UNKNOWN), tlv(0x30, DATA, CBC))
AUTH_ENVELOPED = message(
    "1.2.840.113549.1.9.16.1.23",
    b"\x02\x01\x00",
    tlv(0x31, KEKRI),
    tlv(0x30, DATA, GCM, tlv(0x80, b"12345")),
    tlv(0x04, bytes(12)),
)
AES_WRAP = Algorithm("2.16.840.1.101.3.4.1.5", "id-aes128-wrap", "key wrap")
AES_CBC = Algorithm("2.16.840.1.101.3.4.1.2", "id-aes128-CBC", "content encryption")
RSA = Algorithm("1.2.840.113549.1.1.1", "rsaEncryption", "key transport")


def test_an_enveloped_message_is_encrypted_and_not_authenticated() -> None:
    assert facts_of(ENVELOPED) == MessageFacts(
        content_type="1.2.840.113549.1.7.3",
        content_type_name="id-envelopedData",
        encrypted=True,
        authenticated=False,
        content_encryption=AES_CBC,
        inner_content_type="1.2.840.113549.1.7.1",
        content_octets=None,
        nonce_octets=16,
        recipients=(
            Recipient("kekri", AES_WRAP, hashlib.sha256(b"key 1").hexdigest(), 24),
            Recipient("ktri", RSA, hashlib.sha256(b"ski").hexdigest(), 256),
            Recipient("ori", Algorithm(), other_type="1.2.840.113549.1.9.16.13.1"),
            Recipient("", Algorithm()),
        ),
        algorithms=(AES_WRAP, RSA, AES_CBC),
    )


def test_an_aead_message_is_authenticated_and_its_default_tag_counts() -> None:
    found = facts_of(AUTH_ENVELOPED)
    assert (found.encrypted, found.authenticated, found.signed) == (True, True, False)
    assert (found.content_octets, found.nonce_octets, found.tag_octets, found.mac_octets) == (5, 12, 12, 12)
    assert found.content_encryption.kind == "authenticated encryption"


def test_an_aead_type_with_a_cipher_that_is_none_is_not_authenticated() -> None:
    assert facts_of(AUTH_ENVELOPED.replace(GCM, CBC + bytes(len(GCM) - len(CBC)))).authenticated is False


def test_a_signed_message_is_authenticated_and_in_clear() -> None:
    signer = tlv(
        0x30, b"\x02\x01\x03", SKI, tlv(0x30, oid("1.2.840.113549.2.5")), tlv(0x30, oid("1.2.3")), tlv(4, b"s")
    )
    encap = tlv(0x30, oid("1.2.840.113549.1.7.3"), tlv(0xA0, tlv(0x04, b"inner")))
    signed = facts_of(message("1.2.840.113549.1.7.2", b"\x02\x01\x03", tlv(0x31), encap, tlv(0x31, signer)))
    assert (signed.encrypted, signed.authenticated, signed.signed) == (False, True, True)
    assert signed.inner_content_type == "1.2.840.113549.1.7.3"
    assert signed.content_octets == 5
    assert [one.name for one in signed.algorithms] == ["md5", "unknown"]
    certificates_only = facts_of(message("1.2.840.113549.1.7.2", b"\x02\x01\x01", tlv(0x31), encap, tlv(0x31)))
    assert (certificates_only.signed, certificates_only.authenticated) == (False, False)


@pytest.mark.parametrize("foreign", [None, Raw(b"abc"), "text", 7])
def test_what_is_no_message_has_empty_facts(foreign: object) -> None:
    assert facts(foreign) == MessageFacts("", "")
    assert facts_of(b"") == MessageFacts("", "")


def test_a_layer_that_was_built_by_hand_raises_nothing() -> None:
    assert facts(CMS()) == MessageFacts("", "")
    assert (
        facts(CMS(contentType=ObjectIdentifier(value="1.2.840.113549.1.7.3"))).content_type_name == "id-envelopedData"
    )


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_broken_message_raises_nothing(data: st.DataObject) -> None:
    octets = data.draw(st.sampled_from([ENVELOPED, AUTH_ENVELOPED]))
    at, gone = data.draw(st.integers(0, len(octets))), data.draw(st.integers(0, 4))
    found = facts_of(octets[:at] + data.draw(st.binary(max_size=5)) + octets[at + gone :])
    assert isinstance(found, MessageFacts)

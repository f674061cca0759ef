"""Scapy layers of the Cryptographic Message Syntax: what encrypts, authenticates or signs a body, and for whom.

    CMS(data)                    a message, DER or BER
    EnvelopedData(data), …       the content types by themselves

Every octet is kept: `bytes(CMS(data)) == data`, whatever the encoding. Layers and fields have the names of the ASN.1
modules of RFC 5652, RFC 5083, RFC 5084, RFC 3274. Built layers take the tags of their places, and lengths whose value
is None are computed: `CMS(contentType=ObjectIdentifier(value="1.2.840.113549.1.7.6"), content=Content(value=…))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.cms.algorithms.layers import (
    GENERIC,
    PARAMETERS,
    AlgorithmIdentifier,
    AlgorithmIdentifiers,
    CCMParameters,
    ExplicitAlgorithm,
    GCMParameters,
    InitializationVector,
    Nonce,
    PBKDF2Params,
    RC2CBCParameter,
    RSAESOAEPParams,
)
from dissectors.cms.asn1.layers import (
    SEQUENCE,
    SET,
    Element,
    Encoded,
    ObjectIdentifier,
    OctetString,
    Opened,
    SetValue,
    one_kind,
    optional,
    required,
    sequence,
    value,
)
from dissectors.cms.ber import CONTEXT, UNIVERSAL
from dissectors.cms.fields import Component
from dissectors.cms.recipients.layers import (
    RECIPIENT_INFOS,
    VERSIONS,
    CMSVersion,
    GeneralizedTime,
    IssuerAndSerialNumber,
    KEKIdentifier,
    KEKRecipientInfo,
    KeyAgreeRecipientInfo,
    KeyTransRecipientInfo,
    OriginatorIdentifierOrKey,
    OriginatorPublicKey,
    OtherKeyAttribute,
    OtherRecipientInfo,
    PasswordRecipientInfo,
    RecipientEncryptedKey,
    RecipientEncryptedKeys,
    RecipientInfos,
    RecipientKeyIdentifier,
    UserKeyingMaterial,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet


class Attribute(Encoded):
    """RFC 5652 §5.3."""

    name = "Attribute"
    default_tag = SEQUENCE
    fields_desc = sequence(required("attrType", ObjectIdentifier), required("attrValues", SetValue))


class Attributes(Encoded):
    """RFC 5652 §6.1: attributes that are, or are not, authenticated, signed or protected; their place says which."""

    name = "Attributes"
    default_tag = SET
    fields_desc = value(one_kind(Attribute))


class CertificateSet(Encoded):
    """RFC 5652 §10.2.3."""

    name = "CertificateSet"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = value(one_kind(Opened))


class RevocationInfoChoices(Encoded):
    """RFC 5652 §10.2.1."""

    name = "RevocationInfoChoices"
    default_tag = (CONTEXT, 1, 1)
    fields_desc = value(one_kind(Opened))


class OriginatorInfo(Encoded):
    """RFC 5652 §6.1."""

    name = "OriginatorInfo"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(optional("certs", CertificateSet), optional("crls", RevocationInfoChoices))


class EncryptedContentInfo(Encoded):
    """RFC 5652 §6.1."""

    name = "EncryptedContentInfo"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("contentType", ObjectIdentifier),
        required("contentEncryptionAlgorithm", AlgorithmIdentifier),
        optional("encryptedContent", OctetString, 0),
    )


class EncapsulatedOctets(Encoded):
    """RFC 5652 §5.2: eContent, an OCTET STRING with a tag of its own around it."""

    name = "eContent"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(required("octet_string", OctetString))


class EncapsulatedContentInfo(Encoded):
    """RFC 5652 §5.2."""

    name = "EncapsulatedContentInfo"
    default_tag = SEQUENCE
    fields_desc = sequence(required("eContentType", ObjectIdentifier), optional("eContent", EncapsulatedOctets))


class EnvelopedData(Encoded):
    """RFC 5652 §6.1."""

    name = "EnvelopedData"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        optional("originatorInfo", OriginatorInfo),
        required("recipientInfos", RecipientInfos),
        required("encryptedContentInfo", EncryptedContentInfo),
        optional("unprotectedAttrs", Attributes, 1),
    )


class AuthEnvelopedData(Encoded):
    """RFC 5083 §2.1."""

    name = "AuthEnvelopedData"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        optional("originatorInfo", OriginatorInfo),
        required("recipientInfos", RecipientInfos),
        required("authEncryptedContentInfo", EncryptedContentInfo),
        optional("authAttrs", Attributes, 1),
        required("mac", OctetString),
        optional("unauthAttrs", Attributes, 2),
    )


class EncryptedData(Encoded):
    """RFC 5652 §8."""

    name = "EncryptedData"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        required("encryptedContentInfo", EncryptedContentInfo),
        optional("unprotectedAttrs", Attributes, 1),
    )


class DigestedData(Encoded):
    """RFC 5652 §7."""

    name = "DigestedData"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        required("digestAlgorithm", AlgorithmIdentifier),
        required("encapContentInfo", EncapsulatedContentInfo),
        required("digest", OctetString),
    )


class AuthenticatedData(Encoded):
    """RFC 5652 §9.1."""

    name = "AuthenticatedData"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        optional("originatorInfo", OriginatorInfo),
        required("recipientInfos", RecipientInfos),
        required("macAlgorithm", AlgorithmIdentifier),
        optional("digestAlgorithm", AlgorithmIdentifier, 1),
        required("encapContentInfo", EncapsulatedContentInfo),
        optional("authAttrs", Attributes, 2),
        required("mac", OctetString),
        optional("unauthAttrs", Attributes, 3),
    )


class SignerInfo(Encoded):
    """RFC 5652 §5.3."""

    name = "SignerInfo"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        Component("sid", {(UNIVERSAL, 16): IssuerAndSerialNumber, (CONTEXT, 0): OctetString}),
        required("digestAlgorithm", AlgorithmIdentifier),
        optional("signedAttrs", Attributes, 0),
        required("signatureAlgorithm", AlgorithmIdentifier),
        required("signature", OctetString),
        optional("unsignedAttrs", Attributes, 1),
    )


class SignerInfos(Encoded):
    """RFC 5652 §5.1."""

    name = "SignerInfos"
    default_tag = SET
    fields_desc = value(one_kind(SignerInfo))


class SignedData(Encoded):
    """RFC 5652 §5.1."""

    name = "SignedData"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        required("digestAlgorithms", AlgorithmIdentifiers),
        required("encapContentInfo", EncapsulatedContentInfo),
        optional("certificates", CertificateSet),
        optional("crls", RevocationInfoChoices),
        required("signerInfos", SignerInfos),
    )


class CompressedData(Encoded):
    """RFC 3274 §1.1."""

    name = "CompressedData"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        required("compressionAlgorithm", AlgorithmIdentifier),
        required("encapContentInfo", EncapsulatedContentInfo),
    )


CONTENT_TYPES: dict[str, type[Encoded]] = {
    "1.2.840.113549.1.7.1": OctetString,
    "1.2.840.113549.1.7.2": SignedData,
    "1.2.840.113549.1.7.3": EnvelopedData,
    "1.2.840.113549.1.7.5": DigestedData,
    "1.2.840.113549.1.7.6": EncryptedData,
    "1.2.840.113549.1.9.16.1.2": AuthenticatedData,
    "1.2.840.113549.1.9.16.1.9": CompressedData,
    "1.2.840.113549.1.9.16.1.23": AuthEnvelopedData,
}
"""Layers of contents by their type (RFC 5652 §4)."""


def _content(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    """The layer of a content, by the content type in front of it."""
    around = pkt.parent
    named = getattr(around.fields.get("contentType"), "value", None) if isinstance(around, ContentInfo) else None
    kind = CONTENT_TYPES.get(named) if isinstance(named, str) else None
    fits = kind is not None and tag == (kind.default_tag[0], kind.default_tag[2])
    return kind if fits and kind is not None else GENERIC.get(tag, Element)


class Content(Encoded):
    """RFC 5652 §3: the content with its explicit tag around it."""

    name = "content"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(Component("value", {}, choosing=_content))


class ContentInfo(Encoded):
    """RFC 5652 §3."""

    name = "ContentInfo"
    default_tag = SEQUENCE
    fields_desc = sequence(required("contentType", ObjectIdentifier), required("content", Content))

    def troubles(self) -> Iterator[str]:
        """Also a tag that no ContentInfo has."""
        yield from super().troubles()
        if isinstance(self.tag_number, int) and (self.tag_class, self.constructed, self.tag_number) != SEQUENCE:
            yield "the tag is not that of a SEQUENCE"

    def inner(self) -> Any:
        """The layer of the content, without the tag around it; None where there is none."""
        return getattr(self.content, "value", None)


class CMS(ContentInfo):
    """A message (RFC 5652 §3). What stands behind it stays raw."""

    name = "CMS"


__all__ = [
    "CMS",
    "CONTENT_TYPES",
    "GENERIC",
    "PARAMETERS",
    "RECIPIENT_INFOS",
    "VERSIONS",
    "AlgorithmIdentifier",
    "AlgorithmIdentifiers",
    "Attribute",
    "Attributes",
    "AuthEnvelopedData",
    "AuthenticatedData",
    "CCMParameters",
    "CMSVersion",
    "CertificateSet",
    "CompressedData",
    "Content",
    "ContentInfo",
    "DigestedData",
    "EncapsulatedContentInfo",
    "EncapsulatedOctets",
    "EncryptedContentInfo",
    "EncryptedData",
    "EnvelopedData",
    "ExplicitAlgorithm",
    "GCMParameters",
    "GeneralizedTime",
    "InitializationVector",
    "IssuerAndSerialNumber",
    "KEKIdentifier",
    "KEKRecipientInfo",
    "KeyAgreeRecipientInfo",
    "KeyTransRecipientInfo",
    "Nonce",
    "OriginatorIdentifierOrKey",
    "OriginatorInfo",
    "OriginatorPublicKey",
    "OtherKeyAttribute",
    "OtherRecipientInfo",
    "PBKDF2Params",
    "PasswordRecipientInfo",
    "RC2CBCParameter",
    "RSAESOAEPParams",
    "RecipientEncryptedKey",
    "RecipientEncryptedKeys",
    "RecipientInfos",
    "RecipientKeyIdentifier",
    "RevocationInfoChoices",
    "SignedData",
    "SignerInfo",
    "SignerInfos",
    "UserKeyingMaterial",
]

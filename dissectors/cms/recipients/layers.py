"""Scapy layers of the recipients of a CMS message: who can get its content-encryption key, and by which key."""

from __future__ import annotations

from dissectors.cms.algorithms.layers import (
    AlgorithmIdentifier,
)
from dissectors.cms.asn1.layers import (
    SEQUENCE,
    SET,
    BitString,
    CharacterString,
    Element,
    Encoded,
    Integer,
    ObjectIdentifier,
    OctetString,
    Opened,
    one_kind,
    optional,
    required,
    sequence,
    value,
)
from dissectors.cms.ber import CONTEXT, UNIVERSAL
from dissectors.cms.fields import Component, Elements, versions

VERSIONS: dict[int, str] = {number: f"v{number}" for number in range(6)}
"""CMSVersion (RFC 5652 §10.2.5)."""


class CMSVersion(Encoded):
    """RFC 5652 §10.2.5."""

    name = "CMSVersion"
    default_tag = (UNIVERSAL, 0, 2)
    fields_desc = value(versions(VERSIONS))


class IssuerAndSerialNumber(Encoded):
    """RFC 5652 §10.2.4."""

    name = "IssuerAndSerialNumber"
    default_tag = SEQUENCE
    fields_desc = sequence(required("issuer", Opened), required("serialNumber", Integer))


class KeyTransRecipientInfo(Encoded):
    """RFC 5652 §6.2.1."""

    name = "KeyTransRecipientInfo"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("version", CMSVersion),
        Component("rid", {(UNIVERSAL, 16): IssuerAndSerialNumber, (CONTEXT, 0): OctetString}),
        required("keyEncryptionAlgorithm", AlgorithmIdentifier),
        required("encryptedKey", OctetString),
    )


class OriginatorPublicKey(Encoded):
    """RFC 5652 §6.2.2."""

    name = "OriginatorPublicKey"
    default_tag = (CONTEXT, 1, 1)
    fields_desc = sequence(required("algorithm", AlgorithmIdentifier), required("publicKey", BitString))


class OriginatorIdentifierOrKey(Encoded):
    """RFC 5652 §6.2.2."""

    name = "OriginatorIdentifierOrKey"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(
        Component(
            "identifier",
            {
                (UNIVERSAL, 16): IssuerAndSerialNumber,
                (CONTEXT, 0): OctetString,
                (CONTEXT, 1): OriginatorPublicKey,
            },
        )
    )


class UserKeyingMaterial(Encoded):
    """RFC 5652 §10.2.6."""

    name = "UserKeyingMaterial"
    default_tag = (CONTEXT, 1, 1)
    fields_desc = sequence(required("ukm", OctetString))


class OtherKeyAttribute(Encoded):
    """RFC 5652 §10.2.7."""

    name = "OtherKeyAttribute"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("keyAttrId", ObjectIdentifier), Component("keyAttr", {None: Element}, optional=True)
    )


class GeneralizedTime(CharacterString):
    """RFC 5652 §6.2.3."""

    name = "GeneralizedTime"
    default_tag = (UNIVERSAL, 0, 24)


class RecipientKeyIdentifier(Encoded):
    """RFC 5652 §6.2.2."""

    name = "RecipientKeyIdentifier"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(
        required("subjectKeyIdentifier", OctetString),
        optional("date", GeneralizedTime),
        optional("other", OtherKeyAttribute),
    )


class RecipientEncryptedKey(Encoded):
    """RFC 5652 §6.2.2."""

    name = "RecipientEncryptedKey"
    default_tag = SEQUENCE
    fields_desc = sequence(
        Component("rid", {(UNIVERSAL, 16): IssuerAndSerialNumber, (CONTEXT, 0): RecipientKeyIdentifier}),
        required("encryptedKey", OctetString),
    )


class RecipientEncryptedKeys(Encoded):
    """RFC 5652 §6.2.2."""

    name = "RecipientEncryptedKeys"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(RecipientEncryptedKey))


class KeyAgreeRecipientInfo(Encoded):
    """RFC 5652 §6.2.2."""

    name = "KeyAgreeRecipientInfo"
    default_tag = (CONTEXT, 1, 1)
    fields_desc = sequence(
        required("version", CMSVersion),
        required("originator", OriginatorIdentifierOrKey),
        optional("ukm", UserKeyingMaterial),
        required("keyEncryptionAlgorithm", AlgorithmIdentifier),
        required("recipientEncryptedKeys", RecipientEncryptedKeys),
    )


class KEKIdentifier(Encoded):
    """RFC 5652 §6.2.3."""

    name = "KEKIdentifier"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("keyIdentifier", OctetString),
        optional("date", GeneralizedTime),
        optional("other", OtherKeyAttribute),
    )


class KEKRecipientInfo(Encoded):
    """RFC 5652 §6.2.3."""

    name = "KEKRecipientInfo"
    default_tag = (CONTEXT, 1, 2)
    fields_desc = sequence(
        required("version", CMSVersion),
        required("kekid", KEKIdentifier),
        required("keyEncryptionAlgorithm", AlgorithmIdentifier),
        required("encryptedKey", OctetString),
    )


class PasswordRecipientInfo(Encoded):
    """RFC 5652 §6.2.4."""

    name = "PasswordRecipientInfo"
    default_tag = (CONTEXT, 1, 3)
    fields_desc = sequence(
        required("version", CMSVersion),
        optional("keyDerivationAlgorithm", AlgorithmIdentifier, 0),
        required("keyEncryptionAlgorithm", AlgorithmIdentifier),
        required("encryptedKey", OctetString),
    )


class OtherRecipientInfo(Encoded):
    """RFC 5652 §6.2.5."""

    name = "OtherRecipientInfo"
    default_tag = (CONTEXT, 1, 4)
    fields_desc = sequence(required("oriType", ObjectIdentifier), Component("oriValue", {None: Element}))


RECIPIENT_INFOS: dict[tuple[int, int], type[Encoded]] = {
    (UNIVERSAL, 16): KeyTransRecipientInfo,
    (CONTEXT, 1): KeyAgreeRecipientInfo,
    (CONTEXT, 2): KEKRecipientInfo,
    (CONTEXT, 3): PasswordRecipientInfo,
    (CONTEXT, 4): OtherRecipientInfo,
}
"""The alternatives of RecipientInfo by their tags (RFC 5652 §6.2)."""


class RecipientInfos(Encoded):
    """RFC 5652 §6.2."""

    name = "RecipientInfos"
    default_tag = SET
    fields_desc = value(Elements("items", lambda pkt, tag: RECIPIENT_INFOS.get(tag, Element)))

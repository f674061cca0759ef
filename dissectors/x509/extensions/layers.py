"""Scapy layers of the extensions of certificates (RFC 5280 §4.2), and of what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.binary import One
from dissectors.cms.asn1.layers import (
    SEQUENCE,
    BitString,
    Encoded,
    Integer,
    OctetString,
    one_kind,
    optional,
    required,
    value,
)
from dissectors.cms.ber import CONTEXT, UNIVERSAL
from dissectors.cms.fields import Component, Inside
from dissectors.x509.digests.layers import Derived
from dissectors.x509.names.layers import (
    Boolean,
    GeneralNames,
    ObjectIdentifier,
    RelativeDistinguishedName,
    UnusedBits,
    by_tag,
    general_name,
    sequence,
)
from dissectors.x509.timestamps.layers import SignedCertificateTimestampList

if TYPE_CHECKING:
    from scapy.packet import Packet

KEY_USAGES: tuple[str, ...] = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
"""Bits of keyUsage, the first one first (RFC 5280 §4.2.1.3)."""


class KeyUsages(Derived):
    """The bits of keyUsage by name; takes no octets, as they are those of another field (RFC 5280 §4.2.1.3)."""

    __slots__: list[str] = []

    def i2repr(self, pkt: Any, x: Any) -> str:
        """Names of the bits that are set."""
        return ", ".join(key_usages(bytes(pkt.getfieldval("octets") or b""))) or "none"


def key_usages(octets: bytes) -> list[str]:
    """Names of the bits of a key usage that are set."""
    bits = int.from_bytes(octets[:2].ljust(2, b"\x00"), "big")
    return [name for at, name in enumerate(KEY_USAGES) if bits >> (15 - at) & 1]


class BasicConstraints(Encoded):
    """RFC 5280 §4.2.1.9."""

    name = "BasicConstraints"
    default_tag = SEQUENCE
    fields_desc = sequence(optional("cA", Boolean), optional("pathLenConstraint", Integer))


class KeyUsage(Encoded):
    """RFC 5280 §4.2.1.3."""

    name = "KeyUsage"
    default_tag = (UNIVERSAL, 0, 3)
    fields_desc = value(UnusedBits(), Inside("octets"), KeyUsages("usages", "bits set"))


class KeyIdentifier(Encoded):
    """RFC 5280 §4.2.1.2."""

    name = "KeyIdentifier"
    default_tag = (UNIVERSAL, 0, 4)
    fields_desc = OctetString.fields_desc


class AuthorityKeyIdentifier(Encoded):
    """RFC 5280 §4.2.1.1."""

    name = "AuthorityKeyIdentifier"
    default_tag = SEQUENCE
    fields_desc = sequence(
        optional("keyIdentifier", KeyIdentifier, 0),
        optional("authorityCertIssuer", GeneralNames, 1),
        optional("authorityCertSerialNumber", Integer, 2),
    )


class ExtKeyUsageSyntax(Encoded):
    """RFC 5280 §4.2.1.12."""

    name = "ExtKeyUsageSyntax"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(ObjectIdentifier))


class AccessDescription(Encoded):
    """RFC 5280 §4.2.2.1."""

    name = "AccessDescription"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("accessMethod", ObjectIdentifier), Component("accessLocation", {}, choosing=general_name)
    )


class AuthorityInfoAccessSyntax(Encoded):
    """RFC 5280 §4.2.2.1."""

    name = "AuthorityInfoAccessSyntax"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(AccessDescription))


class PolicyQualifierInfo(Encoded):
    """RFC 5280 §4.2.1.4: a URI, or a notice that is read by its tags."""

    name = "PolicyQualifierInfo"
    default_tag = SEQUENCE
    fields_desc = sequence(required("policyQualifierId", ObjectIdentifier), Component("qualifier", {}, choosing=by_tag))


class PolicyQualifiers(Encoded):
    """RFC 5280 §4.2.1.4."""

    name = "policyQualifiers"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(PolicyQualifierInfo))


class PolicyInformation(Encoded):
    """RFC 5280 §4.2.1.4."""

    name = "PolicyInformation"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("policyIdentifier", ObjectIdentifier), optional("policyQualifiers", PolicyQualifiers)
    )


class CertificatePolicies(Encoded):
    """RFC 5280 §4.2.1.4."""

    name = "CertificatePolicies"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(PolicyInformation))


class DistributionPointName(Encoded):
    """RFC 5280 §4.2.1.13."""

    name = "DistributionPointName"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = sequence(
        optional("fullName", GeneralNames, 0), optional("nameRelativeToCRLIssuer", RelativeDistinguishedName, 1)
    )


class DistributionPoint(Encoded):
    """RFC 5280 §4.2.1.13."""

    name = "DistributionPoint"
    default_tag = SEQUENCE
    fields_desc = sequence(
        optional("distributionPoint", DistributionPointName),
        optional("reasons", BitString, 1),
        optional("cRLIssuer", GeneralNames, 2),
    )


class CRLDistributionPoints(Encoded):
    """RFC 5280 §4.2.1.13."""

    name = "CRLDistributionPoints"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(DistributionPoint))


class _Timestamps(One):
    """The list that an OCTET STRING holds."""

    __slots__: list[str] = []

    def __init__(self) -> None:
        super().__init__("timestamps", None, lambda pkt, data: SignedCertificateTimestampList)

    def _cut(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        inside, rest = pkt.split(s)
        return inside, rest


class CertificateTimestamps(Encoded):
    """RFC 6962 §3.3: a list in the form of TLS inside an OCTET STRING."""

    name = "SignedCertificateTimestamps"
    default_tag = (UNIVERSAL, 0, 4)
    fields_desc = value(_Timestamps())


EXTENSION_VALUES: dict[str, type[Encoded]] = {
    "2.5.29.14": KeyIdentifier,
    "2.5.29.15": KeyUsage,
    "2.5.29.17": GeneralNames,
    "2.5.29.18": GeneralNames,
    "2.5.29.19": BasicConstraints,
    "2.5.29.31": CRLDistributionPoints,
    "2.5.29.32": CertificatePolicies,
    "2.5.29.35": AuthorityKeyIdentifier,
    "2.5.29.37": ExtKeyUsageSyntax,
    "1.3.6.1.5.5.7.1.1": AuthorityInfoAccessSyntax,
    "1.3.6.1.4.1.11129.2.4.2": CertificateTimestamps,
}
"""Layers of what extensions hold, by their identifier; others are read by their tags."""


def _extension_value(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    around = pkt.parent
    named = getattr(around.fields.get("extnID"), "value", None) if isinstance(around, Extension) else None
    kind = EXTENSION_VALUES.get(named) if isinstance(named, str) else None
    return kind if kind is not None and tag == (kind.default_tag[0], kind.default_tag[2]) else by_tag(pkt, tag)


class ExtensionValue(Encoded):
    """RFC 5280 §4.1: an OCTET STRING around a value in DER."""

    name = "extnValue"
    default_tag = (UNIVERSAL, 0, 4)
    fields_desc = value(Component("value", {}, optional=True, choosing=_extension_value), Inside("octets"))


class Extension(Encoded):
    """RFC 5280 §4.1."""

    name = "Extension"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("extnID", ObjectIdentifier), optional("critical", Boolean), required("extnValue", ExtensionValue)
    )


class Extensions(Encoded):
    """RFC 5280 §4.1.2.9."""

    name = "Extensions"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(Extension))


class ExplicitExtensions(Encoded):
    """RFC 5280 §4.1: extensions with their tag around them."""

    name = "extensions"
    default_tag = (CONTEXT, 1, 3)
    fields_desc = sequence(required("value", Extensions))

"""Scapy layers of X.509 certificates (RFC 5280): `Certificate(der)`.

Every octet is kept: `bytes(Certificate(der)) == der`, whatever the encoding. Layers and fields have the names of the
ASN.1 module of RFC 5280; digests of the whole certificate stand last. `dissectors.x509.view` says the same in short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.binary import ABSENT, Number
from dissectors.cms.asn1.layers import (
    BY_TAG,
    SEQUENCE,
    SET,
    BitString,
    CharacterString,
    Element,
    Encoded,
    Integer,
    OctetString,
    one_kind,
    optional,
    required,
    value,
)
from dissectors.cms.ber import CONTEXT, UNIVERSAL
from dissectors.cms.fields import Component, Elements, Inside, IntegerValue, ObjectIdentifierValue
from dissectors.x509.digests.layers import Derived, Digest
from dissectors.x509.oids import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.fields import Field
    from scapy.packet import Packet

VERSIONS: dict[int, str] = {0: "v1", 1: "v2", 2: "v3"}
"""Version (RFC 5280 §4.1.2.1)."""

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


# --- fields ---------------------------------------------------------------------------------------


class NamedIdentifier(ObjectIdentifierValue):
    """An object identifier that certificates use."""

    __slots__: list[str] = []

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The dotted form, or the name with it."""
        known = NAMES.get(x) if isinstance(x, str) else None
        return f"{known} ({x})" if known else str(x)


class BooleanValue(IntegerValue):
    """The octet of a BOOLEAN (X.690 §8.2)."""

    __slots__: list[str] = []

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The truth value."""
        return ("TRUE" if x else "FALSE") if isinstance(x, int) else repr(x)


class NamedNumber(IntegerValue):
    """An INTEGER whose values have names."""

    __slots__: list[str] = []

    def i2repr(self, pkt: Any, x: Any) -> str:
        """The name with the number."""
        known = self.naming(x) if self.naming is not None and isinstance(x, int) else ""
        return f"{known} ({x})" if known else repr(x)


class UnusedBits(Number):
    """The first octet of a BIT STRING: how many bits of the last one are not used (X.690 §8.6.2.2)."""

    __slots__: list[str] = []

    def __init__(self) -> None:
        super().__init__("unused_bits", 0, 1)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int | bytes]:
        """Take the octet off the front, where the content has one."""
        inside, _ = pkt.split(s)
        return super().getfield(pkt, s) if inside else (s, ABSENT)


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


def _by_tag(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    return ObjectIdentifier if tag == (UNIVERSAL, 6) else BY_TAG.get(tag, Element)


def _sequence(*components: Field) -> list[Field]:
    """The fields of a SEQUENCE with these components; what is behind them is read by its tags."""
    return value(*components, Elements("unexpected", _by_tag, unusual=True))


class Boolean(Encoded):
    """BOOLEAN; DER has only one octet for TRUE (X.690 §8.2, §11.1)."""

    name = "BOOLEAN"
    default_tag = (UNIVERSAL, 0, 1)
    fields_desc = value(BooleanValue("value"))


# --- names ----------------------------------------------------------------------------------------


class ObjectIdentifier(Encoded):
    """OBJECT IDENTIFIER (X.690 §8.19, RFC 5280 §4.1.1.2)."""

    name = "OBJECT IDENTIFIER"
    default_tag = (UNIVERSAL, 0, 6)
    fields_desc = value(NamedIdentifier("value"))


class AttributeTypeAndValue(Encoded):
    """RFC 5280 §4.1.2.4."""

    name = "AttributeTypeAndValue"
    default_tag = SEQUENCE
    fields_desc = _sequence(required("type", ObjectIdentifier), Component("value", {}, choosing=_by_tag))


class RelativeDistinguishedName(Encoded):
    """RFC 5280 §4.1.2.4."""

    name = "RelativeDistinguishedName"
    default_tag = SET
    fields_desc = value(one_kind(AttributeTypeAndValue))


class Name(Encoded):
    """RFC 5280 §4.1.2.4."""

    name = "Name"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(RelativeDistinguishedName))


class DirectoryName(Encoded):
    """RFC 5280 §4.2.1.6: a name with its tag around it."""

    name = "directoryName"
    default_tag = (CONTEXT, 1, 4)
    fields_desc = _sequence(required("directoryName", Name))


class OtherName(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "otherName"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = _sequence(required("type_id", ObjectIdentifier), Component("value", {None: Element}))


class RFC822Name(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "rfc822Name"
    default_tag = (CONTEXT, 0, 1)
    fields_desc = CharacterString.fields_desc


class DNSName(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "dNSName"
    default_tag = (CONTEXT, 0, 2)
    fields_desc = CharacterString.fields_desc


class UniformResourceIdentifier(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "uniformResourceIdentifier"
    default_tag = (CONTEXT, 0, 6)
    fields_desc = CharacterString.fields_desc


class IPAddress(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "iPAddress"
    default_tag = (CONTEXT, 0, 7)
    fields_desc = OctetString.fields_desc


class RegisteredID(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "registeredID"
    default_tag = (CONTEXT, 0, 8)
    fields_desc = value(NamedIdentifier("value"))


GENERAL_NAMES: dict[int, type[Encoded]] = {
    0: OtherName,
    1: RFC822Name,
    2: DNSName,
    4: DirectoryName,
    6: UniformResourceIdentifier,
    7: IPAddress,
    8: RegisteredID,
}
"""Alternatives of GeneralName by the number of their tag (RFC 5280 §4.2.1.6)."""


def _general_name(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    return GENERAL_NAMES.get(tag[1], Element) if tag[0] == CONTEXT else Element


class GeneralNames(Encoded):
    """RFC 5280 §4.2.1.6."""

    name = "GeneralNames"
    default_tag = SEQUENCE
    fields_desc = value(Elements("items", _general_name))


# --- extensions -----------------------------------------------------------------------------------


class BasicConstraints(Encoded):
    """RFC 5280 §4.2.1.9."""

    name = "BasicConstraints"
    default_tag = SEQUENCE
    fields_desc = _sequence(optional("cA", Boolean), optional("pathLenConstraint", Integer))


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
    fields_desc = _sequence(
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
    fields_desc = _sequence(
        required("accessMethod", ObjectIdentifier), Component("accessLocation", {}, choosing=_general_name)
    )


class AuthorityInfoAccessSyntax(Encoded):
    """RFC 5280 §4.2.2.1."""

    name = "AuthorityInfoAccessSyntax"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(AccessDescription))


class PolicyInformation(Encoded):
    """RFC 5280 §4.2.1.4."""

    name = "PolicyInformation"
    default_tag = SEQUENCE
    fields_desc = _sequence(
        required("policyIdentifier", ObjectIdentifier), Component("policyQualifiers", {None: Element}, optional=True)
    )


class CertificatePolicies(Encoded):
    """RFC 5280 §4.2.1.4."""

    name = "CertificatePolicies"
    default_tag = SEQUENCE
    fields_desc = value(one_kind(PolicyInformation))


EXTENSION_VALUES: dict[str, type[Encoded]] = {
    "2.5.29.14": KeyIdentifier,
    "2.5.29.15": KeyUsage,
    "2.5.29.17": GeneralNames,
    "2.5.29.18": GeneralNames,
    "2.5.29.19": BasicConstraints,
    "2.5.29.32": CertificatePolicies,
    "2.5.29.35": AuthorityKeyIdentifier,
    "2.5.29.37": ExtKeyUsageSyntax,
    "1.3.6.1.5.5.7.1.1": AuthorityInfoAccessSyntax,
}
"""Layers of what extensions hold, by their identifier; others are read by their tags."""


def _extension_value(pkt: Any, tag: tuple[int, int]) -> type[Packet]:
    around = pkt.parent
    named = getattr(around.fields.get("extnID"), "value", None) if isinstance(around, Extension) else None
    kind = EXTENSION_VALUES.get(named) if isinstance(named, str) else None
    return kind if kind is not None and tag == (kind.default_tag[0], kind.default_tag[2]) else _by_tag(pkt, tag)


class ExtensionValue(Encoded):
    """RFC 5280 §4.1: an OCTET STRING around a value in DER."""

    name = "extnValue"
    default_tag = (UNIVERSAL, 0, 4)
    fields_desc = value(Component("value", {}, optional=True, choosing=_extension_value), Inside("octets"))


class Extension(Encoded):
    """RFC 5280 §4.1."""

    name = "Extension"
    default_tag = SEQUENCE
    fields_desc = _sequence(
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
    fields_desc = _sequence(required("value", Extensions))


# --- the certificate ------------------------------------------------------------------------------


class AlgorithmIdentifier(Encoded):
    """RFC 5280 §4.1.1.2."""

    name = "AlgorithmIdentifier"
    default_tag = SEQUENCE
    fields_desc = _sequence(
        required("algorithm", ObjectIdentifier), Component("parameters", {}, optional=True, choosing=_by_tag)
    )


class RSAPublicKey(Encoded):
    """RFC 3279 §2.3.1."""

    name = "RSAPublicKey"
    default_tag = SEQUENCE
    fields_desc = _sequence(required("modulus", Integer), required("publicExponent", Integer))


def _key(pkt: Any, tag: tuple[int, int]) -> type[Packet] | None:
    """An RSA key is in DER again; all others are octets."""
    around = pkt.parent
    algorithm = around.fields.get("algorithm") if isinstance(around, SubjectPublicKeyInfo) else None
    named = getattr(algorithm.fields.get("algorithm"), "value", None) if algorithm is not None else None
    rsa = named in ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10") and tag == (UNIVERSAL, 16)
    return RSAPublicKey if rsa else None


class SubjectPublicKey(Encoded):
    """RFC 5280 §4.1.2.7."""

    name = "subjectPublicKey"
    default_tag = (UNIVERSAL, 0, 3)
    fields_desc = value(UnusedBits(), Component("key", {}, optional=True, choosing=_key), Inside("octets"))


class SubjectPublicKeyInfo(Encoded):
    """RFC 5280 §4.1.2.7."""

    name = "SubjectPublicKeyInfo"
    default_tag = SEQUENCE
    fields_desc = _sequence(required("algorithm", AlgorithmIdentifier), required("subjectPublicKey", SubjectPublicKey))


class Time(Encoded):
    """RFC 5280 §4.1.2.5: UTCTime, or GeneralizedTime from the year 2050 on."""

    name = "Time"
    default_tag = (UNIVERSAL, 0, 23)
    fields_desc = CharacterString.fields_desc


class Validity(Encoded):
    """RFC 5280 §4.1.2.5."""

    name = "Validity"
    default_tag = SEQUENCE
    fields_desc = _sequence(
        Component("notBefore", {(UNIVERSAL, 23): Time, (UNIVERSAL, 24): Time}),
        Component("notAfter", {(UNIVERSAL, 23): Time, (UNIVERSAL, 24): Time}),
    )


class Version(Encoded):
    """RFC 5280 §4.1.2.1."""

    name = "Version"
    default_tag = (UNIVERSAL, 0, 2)
    fields_desc = value(NamedNumber("value", lambda number: VERSIONS.get(number) or f"unknown ({number})"))


class ExplicitVersion(Encoded):
    """RFC 5280 §4.1.2.1: the version with its tag around it."""

    name = "version"
    default_tag = (CONTEXT, 1, 0)
    fields_desc = _sequence(required("value", Version))


class TBSCertificate(Encoded):
    """RFC 5280 §4.1.2."""

    name = "TBSCertificate"
    default_tag = SEQUENCE
    fields_desc = _sequence(
        optional("version", ExplicitVersion),
        required("serialNumber", Integer),
        required("signature", AlgorithmIdentifier),
        required("issuer", Name),
        required("validity", Validity),
        required("subject", Name),
        required("subjectPublicKeyInfo", SubjectPublicKeyInfo),
        optional("issuerUniqueID", BitString, 1),
        optional("subjectUniqueID", BitString, 2),
        optional("extensions", ExplicitExtensions),
    )

    def troubles(self) -> Iterator[str]:
        """Also a default version that is spelt out, which DER forbids (X.690 §11.5)."""
        yield from super().troubles()
        version = getattr(self.version, "value", None)
        if version is not None and version.value == 0:
            yield "the default version v1 is spelt out"


class SignatureValue(Encoded):
    """RFC 5280 §4.1.1.3."""

    name = "signatureValue"
    default_tag = (UNIVERSAL, 0, 3)
    fields_desc = value(UnusedBits(), Inside("octets"))


class Certificate(Encoded):
    """RFC 5280 §4.1.1, with its digests (RFC 8122 §5)."""

    name = "Certificate"
    default_tag = SEQUENCE
    fields_desc = value(
        required("tbsCertificate", TBSCertificate),
        required("signatureAlgorithm", AlgorithmIdentifier),
        required("signatureValue", SignatureValue),
        Elements("unexpected", _by_tag, unusual=True),
        Digest("fingerprint_sha1", "sha-1"),
        Digest("fingerprint_sha256", "sha-256"),
    )

    def troubles(self) -> Iterator[str]:
        """Also two signature algorithms that differ (RFC 5280 §4.1.1.2)."""
        yield from super().troubles()
        inner = getattr(self.tbsCertificate, "signature", None)
        if inner is not None and self.signatureAlgorithm is not None and bytes(inner) != bytes(self.signatureAlgorithm):
            yield "signature and signatureAlgorithm differ"

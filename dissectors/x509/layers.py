"""Scapy layers of X.509 certificates (RFC 5280): `Certificate(der)`.

Every octet is kept: `bytes(Certificate(der)) == der`, whatever the encoding. Layers and fields have the names of the
ASN.1 module of RFC 5280; digests of the whole certificate stand last. `dissectors.x509.view` says the same in short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dissectors.cms.asn1.layers import (
    SEQUENCE,
    BitString,
    CharacterString,
    Encoded,
    Integer,
    optional,
    required,
    value,
)
from dissectors.cms.ber import CONTEXT, UNIVERSAL
from dissectors.cms.fields import Component, Elements, Inside
from dissectors.x509.digests.layers import Digest
from dissectors.x509.extensions.layers import ExplicitExtensions
from dissectors.x509.names.layers import Name, NamedNumber, ObjectIdentifier, UnusedBits, by_tag, sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet

VERSIONS: dict[int, str] = {0: "v1", 1: "v2", 2: "v3"}
"""Version (RFC 5280 §4.1.2.1)."""


class AlgorithmIdentifier(Encoded):
    """RFC 5280 §4.1.1.2."""

    name = "AlgorithmIdentifier"
    default_tag = SEQUENCE
    fields_desc = sequence(
        required("algorithm", ObjectIdentifier), Component("parameters", {}, optional=True, choosing=by_tag)
    )


class RSAPublicKey(Encoded):
    """RFC 3279 §2.3.1."""

    name = "RSAPublicKey"
    default_tag = SEQUENCE
    fields_desc = sequence(required("modulus", Integer), required("publicExponent", Integer))


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
    fields_desc = sequence(required("algorithm", AlgorithmIdentifier), required("subjectPublicKey", SubjectPublicKey))


class Time(Encoded):
    """RFC 5280 §4.1.2.5: UTCTime, or GeneralizedTime from the year 2050 on."""

    name = "Time"
    default_tag = (UNIVERSAL, 0, 23)
    fields_desc = CharacterString.fields_desc


class Validity(Encoded):
    """RFC 5280 §4.1.2.5."""

    name = "Validity"
    default_tag = SEQUENCE
    fields_desc = sequence(
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
    fields_desc = sequence(required("value", Version))


class TBSCertificate(Encoded):
    """RFC 5280 §4.1.2."""

    name = "TBSCertificate"
    default_tag = SEQUENCE
    fields_desc = sequence(
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
        Elements("unexpected", by_tag, unusual=True),
        Digest("fingerprint_sha1", "sha-1"),
        Digest("fingerprint_sha256", "sha-256"),
    )

    def troubles(self) -> Iterator[str]:
        """Also two signature algorithms that differ (RFC 5280 §4.1.1.2)."""
        yield from super().troubles()
        inner = getattr(self.tbsCertificate, "signature", None)
        if inner is not None and self.signatureAlgorithm is not None and bytes(inner) != bytes(self.signatureAlgorithm):
            yield "signature and signatureAlgorithm differ"

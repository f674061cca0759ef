"""Every value that tshark reads in the certificates of TLS and DTLS, over all samples and captures, is read here.

The certificates are those that tshark shows; the names in requests for certificates are those of the TLS layers.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from scapy.packet import Packet

from dissectors.cms.asn1.layers import Encoded
from dissectors.x509.extensions.layers import KEY_USAGES, key_usages
from dissectors.x509.layers import Certificate
from dissectors.x509.names.layers import Name
from tests.interop.comparison import EMPTY, shown_value
from tests.interop.tls_reading import read
from tests.interop.tshark import CERTIFICATES, FILES, Row, kinds, name, readings
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Counts = defaultdict[str, Counter[Any]]

STRINGS = {12: "uTF8String", 19: "printableString", 20: "teletexString", 22: "IA5String", 30: "BMPString"}
CHOICES = {20: 0, 19: 1, 28: 2, 30: 3, 12: 4}  # of DirectoryString, in the order of X.520
UTC_TIME, GENERALIZED_TIME = 23, 24
COUNTRY, EMAIL = "2.5.4.6", "1.2.840.113549.1.9.1"
SUBJECT_KEY = "2.5.29.14"
NETSCAPE_TYPE, NETSCAPE_COMMENT = "2.16.840.1.113730.1.1", "2.16.840.1.113730.1.13"
MICROSOFT_TEMPLATE = "1.3.6.1.4.1.311.20.2"
DSA = "1.2.840.10040.4.1"
EC = "1.2.840.10045.2.1"


def integer(layer: Any) -> str:
    """The octets of an INTEGER."""
    value = layer.value
    return bytes(value).hex() if isinstance(value, bytes) else value.to_bytes(value.bit_length() // 8 + 1, "big").hex()


def text(layer: Any) -> str:
    """A character string in UTF-8, which tshark shows it in."""
    coding = {30: "utf-16-be", 20: "latin-1"}.get(layer.tag_number, "utf-8")
    return layer.text.decode(coding).encode().hex()


def attribute(layer: Any) -> Iterator[tuple[str, Any]]:
    """Of a name."""
    kind, value = layer.type.value, layer.value
    yield "x509if.oid", kind
    string = STRINGS[value.tag_number]
    yield ("x509sat.CountryName" if kind == COUNTRY else f"x509sat.{string}"), text(value)
    if kind != COUNTRY and string != "IA5String":
        yield "x509sat.DirectoryString", CHOICES[value.tag_number]


def algorithm(layer: Any) -> Iterator[tuple[str, Any]]:
    """An algorithm with its parameters, as far as certificates of the captures have some."""
    kind = layer.algorithm.value
    yield "x509af.algorithm.id", kind
    if kind == EC:
        yield "pkcs1.namedCurve", layer.parameters.value
    if kind == DSA and layer.parameters is not None:
        for field, number in zip("pqg", layer.parameters.elements or (), strict=False):
            yield f"x509af.{field}", integer(number)


def time(layer: Any) -> Iterator[tuple[str, Any]]:
    """As tshark writes it."""
    if layer.tag_number == UTC_TIME:
        century = "20" if layer.text < b"50" else "19"
        moment = datetime.strptime(century + layer.text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        yield "x509af.utcTime", f"{moment:%Y-%m-%d %H:%M:%S} (UTC)".encode().hex()
    else:
        moment = datetime.strptime(layer.text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        yield "x509af.generalizedTime", round(moment.timestamp() * 1000)


def to_be_signed(layer: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a certificate."""
    if layer.version is not None:
        yield "x509af.version", layer.version.value.value
    yield "x509af.serialNumber", integer(layer.serialNumber)
    yield "x509if.rdnSequence", len(layer.issuer.items)
    yield "x509af.rdnSequence", len(layer.subject.items)
    yield "x509af.notBefore", int(layer.validity.notBefore.tag_number == GENERALIZED_TIME)
    yield "x509af.notAfter", int(layer.validity.notAfter.tag_number == GENERALIZED_TIME)
    if layer.extensions is not None:
        yield "x509af.extensions", len(layer.extensions.value.items)


def extension(layer: Any) -> Iterator[tuple[str, Any]]:
    """An extension, and what only it says of its value."""
    yield "x509af.extension.id", layer.extnID.value
    if layer.critical is not None:
        yield "x509af.critical", int(layer.critical.value != 0)
    value = layer.extnValue.value
    if layer.extnID.value == SUBJECT_KEY:
        yield "x509ce.SubjectKeyIdentifier", value.octets.hex()
    if type(value).__name__ == "GeneralNames":
        yield "x509ce.GeneralNames", len(value.items)
    if layer.extnID.value == MICROSOFT_TEMPLATE:
        yield f"x509sat.{STRINGS[value.tag_number]}", text(value)
    if layer.extnID.value == NETSCAPE_TYPE:
        yield "ns_cert_exts.CertType", value.octets[1:].hex()
    if layer.extnID.value == NETSCAPE_COMMENT:
        yield "ns_cert_exts.Comment", text(value)


def key_usage(layer: Any) -> Iterator[tuple[str, Any]]:
    """Each bit by its name, of which one has two."""
    yield "x509ce.KeyUsage", layer.octets.hex()
    for bit in KEY_USAGES:
        shown = {"nonRepudiation": "contentCommitment"}.get(bit, bit)
        yield f"x509ce.KeyUsage.{shown}", int(bit in key_usages(layer.octets))


def authority_key(layer: Any) -> Iterator[tuple[str, Any]]:
    """The key that has signed."""
    if layer.keyIdentifier is not None:
        yield "x509ce.keyIdentifier", layer.keyIdentifier.octets.hex()
    if layer.authorityCertIssuer is not None:
        yield "x509ce.authorityCertIssuer", len(layer.authorityCertIssuer.items)
    if layer.authorityCertSerialNumber is not None:
        yield "x509ce.authorityCertSerialNumber", integer(layer.authorityCertSerialNumber)


def constraints(layer: Any) -> Iterator[tuple[str, Any]]:
    """Whether the certificate signs others."""
    if layer.cA is not None:
        yield "x509ce.cA", int(layer.cA.value != 0)
    if layer.pathLenConstraint is not None:
        yield "x509ce.pathLenConstraint", layer.pathLenConstraint.value


def general_names(layer: Any) -> Iterator[tuple[str, Any]]:
    """Which alternatives they are."""
    yield from (("x509ce.GeneralName", one.tag_number) for one in layer.items)


def counted(field: str) -> Callable[[Any], Iterator[tuple[str, Any]]]:
    """A list, of which tshark shows the number of items."""
    return lambda layer: iter([(field, len(layer.items))])


def string(field: str) -> Callable[[Any], Iterator[tuple[str, Any]]]:
    """A name in text."""
    return lambda layer: iter([(field, layer.text.hex())])


READ: dict[str, Callable[[Any], Iterator[tuple[str, Any]]]] = {
    "TBSCertificate": to_be_signed,
    "SignatureValue": lambda layer: iter([("x509af.encrypted", layer.octets.hex())]),
    "SubjectPublicKey": lambda layer: iter(
        [("x509af.subjectPublicKey", (bytes(layer.key or b"") + layer.octets).hex())]
    ),
    "RSAPublicKey": lambda layer: iter(
        [("pkcs1.modulus", integer(layer.modulus)), ("pkcs1.publicExponent", layer.publicExponent.value)]
    ),
    "AlgorithmIdentifier": algorithm,
    "Time": time,
    "AttributeTypeAndValue": attribute,
    "RelativeDistinguishedName": counted("x509if.RDNSequence_item"),
    "DirectoryName": lambda layer: iter([("x509if.rdnSequence", len(layer.directoryName.items))]),
    "Extension": extension,
    "KeyUsage": key_usage,
    "AuthorityKeyIdentifier": authority_key,
    "BasicConstraints": constraints,
    "ExtKeyUsageSyntax": lambda layer: iter(
        [("x509ce.KeyPurposeIDs", len(layer.items)), *(("x509ce.KeyPurposeId", one.value) for one in layer.items)]
    ),
    "GeneralNames": general_names,
    "RFC822Name": string("x509ce.rfc822Name"),
    "DNSName": string("x509ce.dNSName"),
    "UniformResourceIdentifier": string("x509ce.uniformResourceIdentifier"),
    "CertificatePolicies": counted("x509ce.CertificatePoliciesSyntax"),
    "PolicyInformation": lambda layer: iter([("x509ce.policyIdentifier", layer.policyIdentifier.value)]),
    "PolicyQualifiers": counted("x509ce.policyQualifiers"),
    "PolicyQualifierInfo": lambda layer: iter(
        [("x509ce.id", layer.policyQualifierId.value), ("pkix1explicit.DirectoryString", text(layer.qualifier))]
    ),
    "CRLDistributionPoints": counted("x509ce.CRLDistPointsSyntax"),
    "DistributionPointName": lambda layer: iter([("x509ce.fullName", len(layer.fullName.items))]),
    "AuthorityInfoAccessSyntax": counted("pkix1implicit.AuthorityInfoAccessSyntax"),
    "AccessDescription": lambda layer: iter(
        [
            ("pkix1implicit.accessMethod", layer.accessMethod.value),
            ("pkix1implicit.accessLocation", layer.accessLocation.tag_number),
        ]
    ),
}
"""What tshark shows of a layer, by its class."""

NOT_COMPARED = {
    "x509af.issuer": "the only alternative that a Name has",
    "x509af.subject": "the only alternative that a Name has",
    "x509ce.directoryName": "the only alternative that a Name has",
    "x509ce.distributionPoint": "which alternative it is: fullName, which is compared",
    "pkcs1.ECParameters": "which alternative they are: namedCurve, which is compared",
}
"""Fields without a value of their own; beside them, all that tshark shows as branches (FT_NONE)."""

DIFFERENCES: dict[tuple[str, str], tuple[dict[Any, int], dict[Any, int], str]] = {}
"""(capture, field): the values that only tshark counts, those that only we count, and why."""


def layers_of(packet: Any) -> Iterator[Any]:
    """A layer and the layers inside it."""
    yield packet
    for field in packet.fields_desc:
        value = packet.getfieldval(field.name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Packet) and isinstance(one, Encoded):
                yield from layers_of(one)


def certificates(rows: list[Row]) -> list[bytes]:
    """The certificates that tshark shows in handshakes."""
    fields = ("tls.handshake.certificate", "dtls.handshake.certificate")
    return [bytes.fromhex(one) for row in rows for field in fields for one in row.get(field, ())]


def ours(program: str, path: Path) -> Counts:
    """What the layers count."""
    counts: Counts = defaultdict(Counter)
    found: list[Any] = [Certificate(der) for der in certificates(readings(program)[path].result())]
    for protocol in read(program, path).counts.values():
        for der, count in protocol["DistinguishedName.distinguished_name"].items():
            found += [Name(bytes.fromhex(der))] * count
    for packet in found:
        for layer in layers_of(packet):
            for field, value in READ.get(type(layer).__name__, lambda _: iter(()))(layer):
                counts[field][value] += 1
    return counts


def theirs(program: str, rows: list[Row]) -> Counts:
    """What tshark counts."""
    counts: Counts = defaultdict(Counter)
    for row in rows:
        for field, texts in row.items():
            kind = kinds(program).get(field, "FT_NONE")
            if field.split(".")[0] in CERTIFICATES and kind != "FT_NONE" and field not in NOT_COMPARED:
                plain = kind == "FT_OID"
                counts[field].update(one if plain else shown_value(kind, one) for one in texts if one != EMPTY)
    return counts


@functools.cache
def compared(program: str, path: Path) -> tuple[Counts, Counts]:
    """What tshark counts in a file, and what the layers count."""
    return theirs(program, readings(program)[path].result()), ours(program, path)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_layers_read_what_tshark_reads(path: Path, peer: Callable[[str], str]) -> None:
    of_tshark, of_layers = compared(peer("tshark"), path)
    for field in sorted({*of_tshark, *of_layers}):
        one, other = of_tshark[field], of_layers[field]
        told = DIFFERENCES.get((name(path), field), ({}, {}, ""))
        assert (dict(one - other), dict(other - one)) == told[:2], (field, told[2], one - other, other - one)


@pytest.mark.skipif(not CAPTURES.exists(), reason="shared/captures is not here: most extensions are in no sample")
def test_every_field_of_the_layers_is_in_some_capture(peer: Callable[[str], str]) -> None:
    """Nothing is compared with nothing."""
    pairs = [compared(peer("tshark"), path) for path in FILES]
    seen = {field for of_tshark, _ in pairs for field in of_tshark}
    assert seen == {field for _, of_layers in pairs for field in of_layers}
    assert len(seen) > 50
    assert {capture for capture, _ in DIFFERENCES} <= {name(path) for path in FILES}

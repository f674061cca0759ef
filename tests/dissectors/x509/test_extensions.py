"""Extensions of certificates are read into the components of their definitions, and can be built."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from dissectors.binary import notes
from dissectors.cms.ber import length_octets, oid_octets
from dissectors.tree import tree
from dissectors.x509.extensions.layers import Extension
from dissectors.x509.timestamps.layers import (
    SerializedSCT,
    SignedCertificateTimestamp,
    SignedCertificateTimestampList,
    moment,
)
from tests.dissectors.caches import without_caches


def der(tag: int, content: bytes) -> bytes:
    """A value in DER."""
    return bytes([tag]) + length_octets(len(content)) + content


def read(kind: Any, value: bytes) -> Any:
    """What the value of an extension is read as."""
    octets = der(0x30, der(6, oid_octets(kind.dotted_string)) + der(4, value))
    extension = Extension(octets)
    assert bytes(without_caches(extension)) == octets
    assert notes(extension) == []
    return extension.extnValue.value


def test_points_of_revocation_lists_show_their_addresses() -> None:
    names = [x509.UniformResourceIdentifier("http://ca.example/1.crl"), x509.DNSName("ca.example")]
    reasons = frozenset({x509.ReasonFlags.key_compromise})
    points = x509.CRLDistributionPoints(
        [
            x509.DistributionPoint(names, None, reasons, None),
            x509.DistributionPoint(None, None, None, [x509.DNSName("issuer.example")]),
        ]
    )
    first, second = read(points.oid, points.public_bytes()).items
    assert [one.text for one in first.distributionPoint.fullName.items] == [b"http://ca.example/1.crl", b"ca.example"]
    assert first.reasons.octets == b"\x06\x40"
    assert second.distributionPoint is None
    assert [one.text for one in second.cRLIssuer.items] == [b"issuer.example"]


def test_policies_show_their_qualifiers() -> None:
    notice = x509.UserNotice(None, "words")
    policies = x509.CertificatePolicies(
        [
            x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), ["http://ca.example/cps", notice]),
            x509.PolicyInformation(x509.ObjectIdentifier("1.2.4"), None),
        ]
    )
    first, second = read(policies.oid, policies.public_bytes()).items
    assert (first.policyIdentifier.value, second.policyIdentifier.value) == ("1.2.3", "1.2.4")
    address, words = first.policyQualifiers.items
    assert (address.policyQualifierId.value, address.qualifier.text) == ("1.3.6.1.5.5.7.2.1", b"http://ca.example/cps")
    assert words.policyQualifierId.value == "1.3.6.1.5.5.7.2.2"
    assert words.qualifier.elements[0].text == b"words"
    assert second.policyQualifiers is None


STAMP = bytes.fromhex("00" + "ab" * 32 + "000001670a7c3e4b" + "0000" + "0403" + "0004" + "01020304")


def test_timestamps_stand_in_an_octet_string_in_the_form_of_tls() -> None:
    octets = bytes.fromhex("0035" + "0033") + STAMP
    stamps = read(x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), der(4, octets)).timestamps
    assert isinstance(stamps, SignedCertificateTimestampList)
    (one,) = stamps.sct_list
    assert (one.sct.sct_version, one.sct.id, one.sct.timestamp) == (0, b"\xab" * 32, 0x01670A7C3E4B)
    assert (one.sct.extensions, one.sct.algorithm, one.sct.signature) == (b"", 0x0403, b"\x01\x02\x03\x04")
    meanings = [node.meaning for node in tree(stamps).walk()]
    assert "2018-11-13 00:32:53.835+00:00" in meanings
    assert "v1" in " ".join(meanings)


def test_a_list_of_timestamps_is_built_and_those_of_other_versions_stay_octets() -> None:
    built = SignedCertificateTimestampList(
        sct_list=[SerializedSCT(sct=SignedCertificateTimestamp(id=b"\xab" * 32, signature=b"\1\2"))]
    )
    whole = bytes(built)
    assert whole == bytes.fromhex("0033" + "0031" + "00" + "ab" * 32 + "00" * 8 + "0000" + "0403" + "0002" + "0102")
    assert bytes(without_caches(SignedCertificateTimestampList(whole))) == whole
    later = SerializedSCT(bytes.fromhex("0003 010203"))
    assert bytes(later.sct) == b"\x01\x02\x03"
    assert not isinstance(later.sct, SignedCertificateTimestamp)
    short = SignedCertificateTimestamp(b"\x00" + bytes(9))
    assert "SignedCertificateTimestamp at 0: id has 9 octets, not 32" in notes(short)


@pytest.mark.parametrize(("milliseconds", "text"), [(0, "1970-01-01 00:00:00.000+00:00"), (2**64 - 1, str(2**64 - 1))])
def test_a_moment_beyond_the_calendar_is_a_number(milliseconds: int, text: str) -> None:
    assert moment(milliseconds) == text


@given(st.binary(min_size=1, max_size=120))
def test_any_octets_of_a_list_are_kept(octets: bytes) -> None:
    packet = SignedCertificateTimestampList(octets)
    assert all(isinstance(text, str) for text in notes(packet))
    assert bytes(without_caches(packet)) == octets

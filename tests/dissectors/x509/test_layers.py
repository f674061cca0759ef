"""A certificate is shown as a tree, keeps every octet, and no octets make its layers or its view raise."""

from __future__ import annotations

import datetime
import inspect
from datetime import UTC
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.binary import Layer, notes
from dissectors.tree import clause, tree
from dissectors.x509 import layers
from dissectors.x509.extensions import layers as extensions
from dissectors.x509.layers import Certificate
from dissectors.x509.names import layers as names
from dissectors.x509.oids import ATTRIBUTE_TYPES
from dissectors.x509.timestamps import layers as timestamps
from dissectors.x509.view import CertificateView, name_text, view
from tests.dissectors.caches import without_caches

LAYERS = [
    one
    for module in (layers, extensions, names, timestamps)
    for one in vars(module).values()
    if inspect.isclass(one) and issubclass(one, Layer) and one.__module__ == module.__name__
]

# openssl req -x509, an Ed25519 key, a serial number of 10 octets, five kinds of alternative names.
ED25519 = bytes.fromhex(
    "308201e330820195a003020102020b00f1e2d3c4b5a697887960300506032b65703046310b30090603550406130244453121300c060355040b0c"
    "054d656469613011060355040a0c0a41636d652c20496e632e3114301206035504030c0b7369702e6578616d706c65301e170d32363131323730"
    "33343631325a170d3336313132343033343631325a3046310b30090603550406130244453121300c060355040b0c054d65646961301106035504"
    "0a0c0a41636d652c20496e632e3114301206035504030c0b7369702e6578616d706c65302a300506032b6570032100fe32910382fac934a49ea2"
    "848bed2b1c81093f261864811e36e61d8042885e1ca3819d30819a30540603551d11044d304b820b7369702e6578616d706c658704c000020186"
    "157369703a616c696365406578616d706c652e636f6d88032a0304a41a3018310a3008060355040a0c0178310a300806035504030c0179300e06"
    "03551d0f0101ff04040302078030130603551d25040c300a06082b06010505070314301d0603551d0e041604149c135039fe8f8cc33c0e05ada6"
    "b0a71da3829c19300506032b657003410089bdc07acf5f22ab3e11489065dd718241861bcb240c9d4fd36293830f3ccd6d4a147a2fb4a9b87727"
    "ce47ffa0e20d8cf7740d4e93ee33b2cce32a7b06cbf60e"
)


def test_a_certificate_is_read_into_the_components_of_its_definition() -> None:
    certificate = Certificate(ED25519)
    assert bytes(without_caches(certificate)) == ED25519
    assert notes(certificate) == []
    tbs = certificate.tbsCertificate
    assert tbs.version.value.value == 2
    assert tbs.serialNumber.value.hex() == "00f1e2d3c4b5a697887960"
    assert certificate.signatureAlgorithm.algorithm.value == "1.3.101.112"
    assert [len(one.items) for one in tbs.subject.items] == [1, 2, 1]
    assert (tbs.validity.notBefore.text, tbs.validity.notAfter.text) == (b"261127034612Z", b"361124034612Z")
    kinds = [one.name for one in tbs.extensions.value.items[0].extnValue.value.items]
    assert kinds == ["dNSName", "iPAddress", "uniformResourceIdentifier", "registeredID", "directoryName"]


def test_the_tree_shows_names_and_digests_as_what_values_stand_for() -> None:
    nodes = list(tree(Certificate(ED25519)).walk())
    meanings = {node.meaning for node in nodes}
    assert {"v3 (2)", "TRUE", "digitalSignature", "commonName (2.5.4.3)", "id-kp-sipDomain (1.3.6.1.5.5.7.3.20)"} <= (
        meanings
    )
    digests = {node.name: node.meaning for node in nodes if node.name.startswith("fingerprint")}
    assert digests == {
        "fingerprint_sha1": "1C:90:53:96:A3:33:B1:2C:DE:B7:47:34:53:CF:A5:26:00:B8:E2:2A",
        "fingerprint_sha256": (
            "69:C4:7A:E9:8E:99:21:2F:8C:44:C4:A2:0B:8A:09:71:1E:C3:9A:97:8F:8F:09:76:75:75:46:DD:EE:7B:AB:D5"
        ),
    }


def test_every_layer_names_its_clause() -> None:
    assert len(LAYERS) > 30
    assert [one.__name__ for one in LAYERS if not clause(one)] == []


def test_the_view_says_what_the_certificate_says() -> None:
    seen = view(ED25519)
    assert (seen.version, seen.serial_number) == (3, 0xF1E2D3C4B5A697887960)
    assert (seen.signature_algorithm, seen.public_key_algorithm, seen.public_key_bits) == (
        "id-Ed25519",
        "id-Ed25519",
        256,
    )
    assert name_text(seen.subject) == r"CN=sip.example,OU=Media+O=Acme\, Inc.,C=DE"
    assert seen.self_issued
    assert seen.not_before == datetime.datetime(2026, 11, 27, 3, 46, 12, tzinfo=UTC)
    assert seen.not_after == datetime.datetime(2036, 11, 24, 3, 46, 12, tzinfo=UTC)
    assert seen.subject_alt_names == (
        ("dNSName", "sip.example"),
        ("iPAddress", "192.0.2.1"),
        ("uniformResourceIdentifier", "sip:alice@example.com"),
        ("registeredID", "1.2.3.4"),
        ("directoryName", "CN=y,O=x"),
    )
    assert seen.extensions == (
        ("subjectAltName", False),
        ("keyUsage", True),
        ("extKeyUsage", False),
        ("subjectKeyIdentifier", False),
    )
    assert (seen.usages, seen.ca) == (("digitalSignature",), False)
    assert seen.fingerprints["sha-1"] == "1C:90:53:96:A3:33:B1:2C:DE:B7:47:34:53:CF:A5:26:00:B8:E2:2A"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a,b", r"a\,b"), (" x ", r"\ x\ "), ("#1", r"\#1"), ('"<>;+\\', r"\"\<\>\;\+\\"), ("\x00", r"\00"), (" ", "\\ ")],
)
def test_names_are_written_with_their_special_characters_escaped(text: str, escaped: str) -> None:
    assert name_text(((("2.5.4.3", text),),)) == f"CN={escaped}"


def test_a_default_version_that_is_spelt_out_is_a_note() -> None:
    spelt = ED25519.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020100"), 1)
    assert notes(Certificate(spelt)) == ["TBSCertificate at 4: the default version v1 is spelt out"]
    assert view(spelt).version == 1


def test_a_signature_algorithm_that_differs_from_the_signed_one_is_a_note() -> None:
    at = ED25519.rindex(bytes.fromhex("300506032b6570"))
    other = ED25519[:at] + bytes.fromhex("300506032b6571") + ED25519[at + 7 :]
    assert notes(Certificate(other)) == ["Certificate at 0: signature and signatureAlgorithm differ"]


def test_a_certificate_can_be_changed_and_counts_its_lengths_again() -> None:
    certificate = Certificate(ED25519)
    name = certificate.tbsCertificate.subject.items[2].items[0]
    name.value.text = b"a longer name than before"
    for layer in (name.value, name, certificate.tbsCertificate.subject.items[2], certificate.tbsCertificate.subject):
        layer.length = None
    certificate.tbsCertificate.length = None
    certificate.length = None
    again = view(bytes(without_caches(certificate)))
    assert again.subject[2] == (("2.5.4.3", "a longer name than before"),)
    assert again.issuer[2] == (("2.5.4.3", "sip.example"),)


# Attributes whose strings may not hold every character (RFC 5280 §A.1): the maker refuses those.
NARROW = ("2.5.4.5", "2.5.4.6", "2.5.4.46", "0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1")

names = st.lists(
    st.tuples(
        st.sampled_from([oid for oid in ATTRIBUTE_TYPES if oid not in NARROW]),
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=20),
    ),
    min_size=1,
    max_size=6,
)
alternatives = st.lists(
    st.one_of(
        st.from_regex(r"[a-z]{1,10}\.example", fullmatch=True).map(x509.DNSName),
        st.ip_addresses().map(x509.IPAddress),
        st.from_regex(r"sip:[a-z]{1,10}@example\.com", fullmatch=True).map(x509.UniformResourceIdentifier),
        st.from_regex(r"[a-z]{1,10}@example\.com", fullmatch=True).map(x509.RFC822Name),
    ),
    max_size=6,
)
KEYS = [ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), ec.derive_private_key(7, ec.SECP384R1())]


@settings(max_examples=60, deadline=None)
@given(
    subject=names,
    issuer=names,
    others=alternatives,
    serial=st.integers(1, 2**159 - 1),
    begins=st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(9000, 1, 1)),  # noqa: DTZ001
    key=st.sampled_from(KEYS),
)
def test_generated_certificates_are_read_back(
    subject: list[tuple[str, str]],
    issuer: list[tuple[str, str]],
    others: list[Any],
    serial: int,
    begins: datetime.datetime,
    key: Any,
) -> None:
    def name(parts: list[tuple[str, str]]) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.ObjectIdentifier(oid), text, _validate=False) for oid, text in parts])

    begins = begins.replace(microsecond=0)
    builder = x509.CertificateBuilder(
        name(issuer), name(subject), key.public_key(), serial, begins, begins + datetime.timedelta(days=9)
    )
    if others:
        builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
    made = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA384())
    der = made.public_bytes(Encoding.DER)
    certificate = Certificate(der)
    assert bytes(without_caches(certificate)) == der
    assert notes(certificate) == []
    seen = view(der)
    assert [pair for part in seen.subject for pair in part] == subject
    assert [pair for part in seen.issuer for pair in part] == issuer
    assert seen.serial_number == serial
    assert seen.not_before == begins.replace(tzinfo=UTC)
    assert [text for _, text in seen.subject_alt_names] == [str(one.value) for one in others]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_layer_gives_back_the_octets_it_was_read_from(layer: type[Layer], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(ED25519) - 1))
    octets = ED25519[at : data.draw(st.integers(at, len(ED25519)))] + data.draw(st.binary(max_size=30))
    packet = without_caches(layer(octets or b"\x30"))
    assert bytes(packet) == (octets or b"\x30")
    assert all(isinstance(text, str) for text in notes(packet))
    assert all(isinstance(node.meaning, str) for node in tree(packet).walk())


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_can_be_built_and_read_again(layer: type[Layer]) -> None:
    built = bytes(layer())
    assert bytes(without_caches(layer(built))) == built


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_octets_make_the_view_raise(data: st.DataObject) -> None:
    octets = bytearray(ED25519)
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    hostile = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    seen = view(hostile)
    assert isinstance(seen, CertificateView)
    assert isinstance(name_text(seen.subject) + name_text(seen.issuer), str)
    if hostile:
        certificate = Certificate(hostile)
        assert bytes(without_caches(certificate)) == hostile
        assert all(isinstance(text, str) for text in notes(certificate))

"""CMS layers agree with OpenSSL on what it makes, and OpenSSL opens what they make."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from dissectors.binary import notes
from dissectors.cms.asn1.layers import (
    BitString,
    Encoded,
    Integer,
    ObjectIdentifier,
    OctetString,
    SequenceValue,
    forget_lengths,
)
from dissectors.cms.facts import facts_of
from dissectors.cms.fields import Component, EncodedLength
from dissectors.cms.layers import (
    CMS,
    AlgorithmIdentifier,
    AuthEnvelopedData,
    CertificateSet,
    CMSVersion,
    Content,
    EncryptedContentInfo,
    EncryptedData,
    EnvelopedData,
    GCMParameters,
    InitializationVector,
    IssuerAndSerialNumber,
    KEKIdentifier,
    KEKRecipientInfo,
    RecipientInfos,
)
from dissectors.cms.oids import OIDS
from dissectors.cms.smime import cms_bodies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEK = "000102030405060708090a0b0c0d0e0f"
KEY_ID = "c0ffee"
TEXT = b"Content-Type: application/conference-info+xml\r\n\r\n<conference-info/>\r\n" * 30
BY_KEK = ("-secretkey", KEK, "-secretkeyid", KEY_ID)


class OpenSSL:
    """OpenSSL in a folder of its own with a message and certificates."""

    def __init__(self, path: str, folder: Path) -> None:
        self.path = path
        self.folder = folder
        (folder / "text").write_bytes(TEXT)
        for name, key in (("rsa", ("rsa:2048",)), ("ec", ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"))):
            self("req", "-x509", "-newkey", *key, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj",
                 f"/CN={name}.lab.test", "-days", "30")  # fmt: skip

    def __call__(self, *arguments: str, data: bytes = b"") -> bytes:
        """What a command prints."""
        command = [self.path, *arguments]
        return subprocess.run(command, input=data, cwd=self.folder, capture_output=True, check=True).stdout

    def made(self, *arguments: str) -> bytes:
        """A message that it makes of the text."""
        return self("cms", "-in", "text", "-binary", "-outform", "DER", *arguments)

    def printed(self, message: bytes) -> str:
        """Its own account of a message."""
        return self("cms", "-cmsout", "-print", "-noout", "-inform", "DER", data=message).decode()


@pytest.fixture(scope="module")
def openssl(peer: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    return OpenSSL(peer("openssl"), tmp_path_factory.mktemp("cms"))


MADE: dict[str, tuple[str, ...]] = {
    "kekri": ("-encrypt", "-aes128", *BY_KEK),
    "kekri with AES-192 content": ("-encrypt", "-aes192", *BY_KEK),
    "kekri, streamed": ("-encrypt", "-stream", "-aes128", *BY_KEK),
    "kekri, AES-GCM": ("-encrypt", "-aes-256-gcm", *BY_KEK),
    "kekri, AES-GCM, streamed": ("-encrypt", "-stream", "-aes-128-gcm", *BY_KEK),
    "ktri": ("-encrypt", "-aes256", "-recip", "rsa.crt"),
    "ktri by key identifier": ("-encrypt", "-keyid", "-aes256", "-recip", "rsa.crt"),
    "ktri, OAEP": ("-encrypt", "-des3", "-recip", "rsa.crt", "-keyopt", "rsa_padding_mode:oaep"),
    "kari": ("-encrypt", "-aes128", "-recip", "ec.crt"),
    "pwri": ("-encrypt", "-aes128", "-pwri_password", "lab"),
    "all kinds": ("-encrypt", "-aes128", "-pwri_password", "lab", *BY_KEK, "-recip", "rsa.crt", "ec.crt"),
    "encrypted": ("-EncryptedData_encrypt", "-aes128", "-secretkey", KEK),
    "signed": ("-sign", "-nodetach", "-signer", "rsa.crt", "-inkey", "rsa.key"),
    "signed, detached": ("-sign", "-signer", "rsa.crt", "-inkey", "rsa.key"),
    "signed, streamed": ("-sign", "-nodetach", "-stream", "-signer", "ec.crt", "-inkey", "ec.key"),
    "digested": ("-digest_create", "-md", "sha256"),
    "data": ("-data_create",),
}


Event = tuple[str, Any]

NAMES = {
    "octet_string": "eContent",
    "parameters": "parameter",
    "value": "d.data",
    "rid": "d.subjectKeyIdentifier",
    "sid": "d.subjectKeyIdentifier",
    "elements": "OCTET STRING",
}
"""How OpenSSL calls fields that have other names here."""

CERTIFICATES = re.compile(r"^ {4}certificates:\n.*?(?=^ {4}crls:)", re.MULTILINE | re.DOTALL)
LINE = re.compile(r" *([\w. ]+): *(.*)")
DUMPED = re.compile(r" +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+) ")
DER = re.compile(r" *(\d+):d=(\d+) +hl=(\d+) l= *(\d+) (cons|prim): +(\w+)")


def of_openssl(text: str) -> list[Event]:
    """What OpenSSL prints: versions, identifiers, octets, serial numbers, inner structure, and what is not there."""
    found: list[Event] = []
    field = ""
    for line in CERTIFICATES.sub("", text).splitlines():
        if inner := DER.match(line):
            found.append(("der", (*map(int, inner.group(1, 2, 3, 4)), inner[5] == "cons")))
        elif dumped := DUMPED.match(line):
            octets = bytes.fromhex(dumped[1].replace("-", " "))
            if found and found[-1][0] == f"octets of {field}":
                octets = found.pop()[1] + octets
            found.append((f"octets of {field}", octets))
        elif line.strip() == "<ABSENT>":
            found.append(("absent", field))
        elif named := LINE.match(line):
            field, value = named[1], named[2]
            identifier = re.search(r"\((\d+(?:\.\d+)+)\)$", value)
            if value == "<ABSENT>":
                found.append(("absent", field))
            elif identifier:
                found.append(("identifier", identifier[1]))
            elif field == "version":
                found.append(("version", int(value)))
            elif field == "serialNumber":
                found.append(("serial number", int(value, 0)))
    return found


def of_ours(layer: Any, name: str = "") -> Iterator[Event]:
    """The same of a layer."""
    if isinstance(layer, ObjectIdentifier):
        yield "identifier", layer.value
    elif isinstance(layer, CMSVersion):
        yield "version", layer.value
    elif isinstance(layer, SequenceValue) or (name == "parameters" and layer.constructed):
        yield from structure(layer, 0, 0)
    elif isinstance(layer, BitString):
        yield f"octets of {NAMES.get(name, name)}", layer.octets[1:]
    elif isinstance(layer, OctetString):
        yield f"octets of {NAMES.get(name, name)}", layer.joined()
    elif isinstance(layer, IssuerAndSerialNumber):
        serial = layer.serialNumber.value
        yield "serial number", serial if isinstance(serial, int) else int.from_bytes(serial, "big")
    elif isinstance(layer, Encoded) and not isinstance(layer, CertificateSet):
        for field in layer.content_fields():
            value = layer.getfieldval(field.name)
            if value is None and isinstance(field, Component):
                yield "absent", NAMES.get(field.name, field.name)
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, Encoded):
                    yield from of_ours(item, field.name)


def structure(layer: Encoded, at: int, depth: int) -> Iterator[Event]:
    """Place, depth, header and content of a value and of all in it."""
    octets = bytes(layer)
    header = len(octets) - int(layer.length)
    yield "der", (at, depth, header, int(layer.length), bool(layer.constructed))
    at += header
    for field in layer.content_fields():
        value = layer.getfieldval(field.name)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, Encoded):
                yield from structure(item, at, depth + 1)
                at += len(bytes(item))


@pytest.mark.parametrize("name", MADE)
def test_every_field_is_what_openssl_prints(openssl: OpenSSL, name: str) -> None:
    message = openssl.made(*MADE[name])
    layer = CMS(message)
    assert bytes(layer) == message
    assert bytes(layer.copy()) == message
    assert notes(layer) == []
    theirs = of_openssl(openssl.printed(message))
    assert len(theirs) >= 2
    assert [one for one in of_ours(layer) if one != ("absent", "certificates")] == theirs


@pytest.mark.parametrize(
    ("name", "kinds", "content", "authenticated"),
    [
        ("kekri", ["kekri"], "id-aes128-CBC", False),
        ("kekri, AES-GCM, streamed", ["kekri"], "id-aes128-GCM", True),
        ("ktri, OAEP", ["ktri"], "des-ede3-cbc", False),
        ("all kinds", ["ktri", "kari", "kekri", "pwri"], "id-aes128-CBC", False),
        ("encrypted", [], "id-aes128-CBC", False),
        ("signed", [], "", True),
    ],
)
def test_facts_of_what_openssl_makes(
    openssl: OpenSSL, name: str, kinds: list[str], content: str, authenticated: bool
) -> None:
    found = facts_of(openssl.made(*MADE[name]))
    assert sorted(one.kind for one in found.recipients) == sorted(kinds)
    assert (found.content_encryption.name, found.authenticated) == (content, authenticated)
    assert [one.oid for one in found.algorithms if one.oid not in OIDS] == []


@pytest.mark.parametrize("stream", [(), ("-stream",)], ids=["whole", "streamed"])
def test_smime_that_openssl_writes_is_found(openssl: OpenSSL, stream: tuple[str, ...]) -> None:
    text = openssl("cms", "-encrypt", "-in", "text", "-aes128", *stream, *BY_KEK, "-outform", "SMIME")
    head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    (found,) = cms_bodies(b"\n" + head + b"\n", body)
    assert found.smime_type == b"enveloped-data"
    layer = CMS(found.data)
    assert notes(layer) == []
    assert bytes(layer) == found.data
    assert layer.inner().recipientInfos.items[0].kekid.keyIdentifier.octets == bytes.fromhex(KEY_ID)


# --- what we make -----------------------------------------------------------------------------------


def oid(text: str) -> ObjectIdentifier:
    """An OBJECT IDENTIFIER."""
    return ObjectIdentifier(value=text)


def recipient(key: bytes) -> KEKRecipientInfo:
    """A recipient who has the key-encryption key."""
    return KEKRecipientInfo(
        version=CMSVersion(value=4),
        kekid=KEKIdentifier(keyIdentifier=OctetString(octets=bytes.fromhex(KEY_ID))),
        keyEncryptionAlgorithm=AlgorithmIdentifier(algorithm=oid("2.16.840.1.101.3.4.1.5")),
        encryptedKey=OctetString(octets=aes_key_wrap(bytes.fromhex(KEK), key)),
    )


def cbc(key: bytes) -> EncryptedContentInfo:
    """The text under AES-128-CBC."""
    iv = os.urandom(16)
    pad = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    octets = encryptor.update(pad.update(TEXT) + pad.finalize()) + encryptor.finalize()
    return EncryptedContentInfo(
        contentType=oid("1.2.840.113549.1.7.1"),
        contentEncryptionAlgorithm=AlgorithmIdentifier(
            algorithm=oid("2.16.840.1.101.3.4.1.2"), parameters=InitializationVector(octets=iv)
        ),
        encryptedContent=OctetString(octets=octets),
    )


def message(kind: str, content: Encoded) -> CMS:
    """A whole message."""
    return CMS(contentType=oid(kind), content=Content(value=content))


def opened(openssl: OpenSSL, data: bytes, *arguments: str) -> bytes:
    """What OpenSSL decrypts."""
    return openssl("cms", *arguments, "-inform", "DER", "-binary", data=data)


def test_openssl_opens_an_encrypted_data_that_we_make(openssl: OpenSSL) -> None:
    data = bytes(
        message(
            "1.2.840.113549.1.7.6",
            EncryptedData(version=CMSVersion(value=0), encryptedContentInfo=cbc(bytes.fromhex(KEK))),
        )
    )
    assert opened(openssl, data, "-EncryptedData_decrypt", "-secretkey", KEK) == TEXT


def test_openssl_opens_an_enveloped_data_for_a_kek_that_we_make(openssl: OpenSSL) -> None:
    key = os.urandom(16)
    envelope = EnvelopedData(
        version=CMSVersion(value=2),
        recipientInfos=RecipientInfos(items=[recipient(key)]),
        encryptedContentInfo=cbc(key),
    )
    data = bytes(message("1.2.840.113549.1.7.3", envelope))
    assert opened(openssl, data, "-decrypt", *BY_KEK) == TEXT


def test_openssl_opens_an_aead_message_that_we_make(openssl: OpenSSL) -> None:
    key, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, TEXT, None)
    cipher = AlgorithmIdentifier(
        algorithm=oid("2.16.840.1.101.3.4.1.6"),
        parameters=GCMParameters(aes_nonce=OctetString(octets=nonce), aes_ICVlen=Integer(value=16)),
    )
    envelope = AuthEnvelopedData(
        version=CMSVersion(value=0),
        recipientInfos=RecipientInfos(items=[recipient(key)]),
        authEncryptedContentInfo=EncryptedContentInfo(
            contentType=oid("1.2.840.113549.1.7.1"),
            contentEncryptionAlgorithm=cipher,
            encryptedContent=OctetString(octets=sealed[:-16]),
        ),
        mac=OctetString(octets=sealed[-16:]),
    )
    data = bytes(message("1.2.840.113549.1.9.16.1.23", envelope))
    assert opened(openssl, data, "-decrypt", *BY_KEK) == TEXT
    assert facts_of(data).authenticated


def test_openssl_opens_its_own_message_with_a_recipient_that_we_added(openssl: OpenSSL) -> None:
    layer = CMS(openssl.made("-encrypt", "-aes128", "-recip", "rsa.crt"))
    envelope = layer.inner()
    (for_rsa,) = envelope.recipientInfos.items
    wrapped = for_rsa.encryptedKey.octets
    key = openssl("pkeyutl", "-decrypt", "-inkey", "rsa.key", data=wrapped)
    envelope.recipientInfos.items = [for_rsa, recipient(key)]
    envelope.version.value = 2
    forget_lengths(layer)
    assert opened(openssl, bytes(layer), "-decrypt", *BY_KEK) == TEXT
    assert opened(openssl, bytes(layer), "-decrypt", "-recip", "rsa.crt", "-inkey", "rsa.key") == TEXT


def test_openssl_reads_lengths_that_are_not_the_shortest_as_we_do(openssl: OpenSSL) -> None:
    layer = CMS(openssl.made("-encrypt", "-aes128", *BY_KEK))
    content = layer.inner().encryptedContentInfo.encryptedContent
    size = len(content.octets)
    content.length = EncodedLength(size, b"\x84" + size.to_bytes(4, "big"))
    for one in (layer, layer.content, layer.inner(), layer.inner().encryptedContentInfo):
        one.length = None
    data = bytes(layer)
    assert notes(CMS(data)) == []
    assert bytes(CMS(data)) == data
    assert opened(openssl, data, "-decrypt", *BY_KEK) == TEXT
